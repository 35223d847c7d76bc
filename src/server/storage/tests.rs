use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::blocks::BLOCK;
use super::bucket::Bucket;
use super::memory::Memory;
use super::*;

fn storage(limit: Option<u64>) -> (Storage, Memory, tempfile::TempDir) {
    let (memory, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let address = Address::of(Path::new("az://box/music")).unwrap().unwrap();
    let runtime = tokio::runtime::Handle::current();
    let store = Arc::new(Store::new(address, Bucket::Memory(memory.clone()), runtime));
    let storage = Storage(Arc::new(Places { stores: vec![store], hot: None }));
    let storage = match limit {
        Some(limit) => storage.with_hot_cache(&folder.path().join("hot"), limit).unwrap(),
        None => storage,
    };
    (storage, memory, folder)
}

fn content(size: u64) -> Bytes {
    (0..size).map(|at| (at.wrapping_mul(2_654_435_761) >> 7) as u8).collect::<Vec<u8>>().into()
}

async fn object(storage: &Storage, path: &str) -> Arc<Object> {
    match storage.find(Path::new(path)).await.unwrap() {
        Source::Object(object) => object,
        Source::File(path) => panic!("{} is a file", path.display()),
    }
}

async fn all(object: Arc<Object>, range: std::ops::Range<u64>, step: u64) -> Vec<u8> {
    let pieces: Vec<Bytes> = object.stream(range, step).await.unwrap().try_collect().await.unwrap();
    assert!(pieces.iter().all(|piece| piece.len() as u64 <= step));
    pieces.concat()
}

#[tokio::test]
async fn a_store_is_listed_below_its_prefix_only() {
    let (storage, memory, _folder) = storage(None);
    for key in ["music/a/1.flac", "music/2.flac", "musical/3.flac", "other/4.flac", "music/../5.flac"] {
        memory.put(key, "x");
    }
    let mut found = Vec::new();
    let listed = storage.list(Path::new("az://box/music"), &mut |path, _| found.push(path)).await;
    assert_eq!(listed, Some(Ok(())));
    assert_eq!(found, [PathBuf::from("az://box/music/2.flac"), PathBuf::from("az://box/music/a/1.flac")]);
    assert_eq!(storage.list(Path::new("/srv/music"), &mut |_, _| ()).await, None);
}

#[tokio::test]
async fn any_range_is_what_it_should_be_with_and_without_a_hot_cache() {
    for limit in [None, Some(10 * BLOCK), Some(BLOCK)] {
        let (storage, memory, _folder) = storage(limit);
        let bytes = content(3 * BLOCK + 77);
        memory.put("music/x.flac", bytes.clone());
        for (start, end) in
            [(0, 3 * BLOCK + 77), (1, 2), (BLOCK - 1, BLOCK + 1), (2 * BLOCK, 3 * BLOCK + 77), (5, 5)]
        {
            for step in [BLOCK, 1000 * 64] {
                let got = all(object(&storage, "az://box/music/x.flac").await, start..end, step).await;
                assert_eq!(got, bytes[start as usize..end as usize], "{start}..{end} by {step} in {limit:?}");
            }
        }
        assert!(storage.hot_bytes().unwrap_or(0) <= limit.unwrap_or(0));
    }
}

#[tokio::test]
async fn what_was_heard_once_is_not_fetched_again() {
    let (storage, memory, _folder) = storage(Some(10 * BLOCK));
    memory.put("music/x.flac", content(3 * BLOCK));
    all(object(&storage, "az://box/music/x.flac").await, 0..3 * BLOCK, BLOCK).await;
    assert_eq!(memory.0.read_bytes.load(Ordering::Relaxed) as u64, 3 * BLOCK);
    memory.0.away.store(true, Ordering::Relaxed);
    let again = object(&storage, "az://box/music/x.flac").await;
    assert_eq!(all(Arc::clone(&again), 7..3 * BLOCK, BLOCK).await, content(3 * BLOCK)[7..]);
    assert_eq!(std::fs::read(again.whole().unwrap()).unwrap(), content(3 * BLOCK));
}

#[tokio::test]
async fn a_listener_has_the_next_block_fetched_ahead() {
    let (storage, memory, _folder) = storage(Some(10 * BLOCK));
    memory.put("music/x.flac", content(4 * BLOCK));
    let object = object(&storage, "az://box/music/x.flac").await;
    let mut stream = Box::pin(object.stream(0..4 * BLOCK, BLOCK).await.unwrap());
    stream.try_next().await.unwrap();
    for _ in 0..200 {
        if memory.0.reads.load(Ordering::Relaxed) == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(memory.0.reads.load(Ordering::Relaxed), 2, "one more, and only one");
}

#[tokio::test]
async fn a_running_stream_outlives_an_outage() {
    let (storage, memory, _folder) = storage(None);
    memory.put("music/x.flac", content(4 * BLOCK));
    let first = object(&storage, "az://box/music/x.flac").await;
    let mut stream = Box::pin(first.stream(0..4 * BLOCK, BLOCK).await.unwrap());
    stream.try_next().await.unwrap();
    memory.0.away.store(true, Ordering::Relaxed);
    let inner = Arc::clone(&memory.0);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        inner.away.store(false, Ordering::Relaxed);
    });
    // A new one is refused at once meanwhile.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = object(&storage, "az://box/music/x.flac").await.stream(0..10, BLOCK).await;
    assert!(matches!(refused, Err(Trouble::Away(_))));
    let rest: Vec<Bytes> = stream.try_collect().await.unwrap();
    assert_eq!(rest.concat(), content(4 * BLOCK)[BLOCK as usize..]);
}

#[tokio::test]
async fn a_store_that_is_down_is_left_alone() {
    let (storage, memory, _folder) = storage(None);
    memory.put("music/x.flac", content(10));
    memory.0.away.store(true, Ordering::Relaxed);
    for _ in 0..5 {
        assert!(matches!(storage.find(Path::new("az://box/music/x.flac")).await, Err(Trouble::Away(_))));
    }
    memory.0.away.store(false, Ordering::Relaxed);
    let refused = storage.find(Path::new("az://box/music/x.flac")).await;
    assert!(matches!(refused, Err(Trouble::Away(why)) if why.contains("at the moment")), "not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_reads_like_a_file() {
    for limit in [None, Some(10 * BLOCK)] {
        let (storage, memory, _folder) = storage(limit);
        let bytes = content(3 * TAGS + 1234);
        memory.put("music/x.flac", bytes.clone());
        let found = storage.find(Path::new("az://box/music/x.flac")).await.unwrap();
        let Source::Object(object) = &found else { panic!("a file") };
        let meta = object.meta().clone();
        let scanned = storage.source(found.path(), meta.size, meta.modified_ms, Some(&meta.tag()));
        let read = tokio::task::spawn_blocking(move || {
            for source in [found, scanned] {
                let mut reader = source.open().unwrap();
                assert_eq!(reader.length().unwrap(), bytes.len() as u64);
                let mut tail = Vec::new();
                reader.seek(SeekFrom::End(-200)).unwrap();
                reader.read_to_end(&mut tail).unwrap();
                assert_eq!(tail, bytes[bytes.len() - 200..]);
                assert_eq!(reader.seek(SeekFrom::Start(5)).unwrap(), 5);
                let mut some = vec![0; 2 * TAGS as usize];
                reader.read_exact(&mut some).unwrap();
                assert_eq!(some, bytes[5..5 + some.len()]);
                assert_eq!(source.read(7).unwrap(), bytes[..7]);
                assert!(source.trouble().is_none());
            }
        });
        read.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_and_the_end_cost_two_requests() {
    let (storage, memory, _folder) = storage(None);
    memory.put("music/x.mp3", content(30 * TAGS));
    let meta = object(&storage, "az://box/music/x.mp3").await.meta().clone();
    let source =
        storage.source(Path::new("az://box/music/x.mp3"), meta.size, meta.modified_ms, Some(&meta.tag()));
    let read = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            let mut reader = source.open().unwrap();
            let mut some = [0; 1000];
            reader.read_exact(&mut some).unwrap();
            reader.seek(SeekFrom::End(-128)).unwrap();
            reader.read_exact(&mut some[..128]).unwrap();
        }
    });
    read.await.unwrap();
    assert_eq!(memory.0.reads.load(Ordering::Relaxed), 2);
    assert_eq!(memory.0.read_bytes.load(Ordering::Relaxed) as u64, 2 * TAGS);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_it_is_read_is_said_to_have() {
    let (storage, memory, _folder) = storage(None);
    memory.put("music/x.mp3", content(3 * TAGS));
    let source = storage.look_async(Path::new("az://box/music/x.mp3")).await;
    memory.put("music/x.mp3", content(2 * TAGS));
    let read = tokio::task::spawn_blocking(move || {
        let error = source.read(10).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StaleNetworkFileHandle);
        assert_eq!(source.trouble(), Some(Trouble::Changed));
    });
    read.await.unwrap();
}

impl Storage {
    async fn look_async(&self, path: &Path) -> Source {
        let (storage, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || storage.look(&path)).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn without_a_store_there_are_files_only() {
    let storage = Storage::open(&[PathBuf::from("/srv/music")]).unwrap();
    assert!(matches!(storage.find(Path::new("az://box/music/x")).await, Ok(Source::File(_))));
    assert!(storage.with_hot_cache(Path::new("/nowhere/at all"), 1).unwrap().hot_bytes().is_none());
    assert!(is_store(Path::new("az://box")) && !is_store(Path::new("/az")));
    assert_eq!(Storage::root(PathBuf::from("s3://b/a/")), Path::new("s3://b/a"));
}

#[cfg(not(feature = "cloud"))]
#[test]
fn without_the_feature_an_address_is_refused_in_a_sentence() {
    let refused = Storage::open(&[PathBuf::from("az://box/music")]).unwrap_err();
    assert!(refused.contains("--features cloud"), "{refused}");
}
