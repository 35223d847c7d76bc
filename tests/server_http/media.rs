//! Streams, downloads and pictures.

use futures_util::StreamExt as _;
use image::GenericImageView as _;
use reqwest::StatusCode;
use segue::music::{CoverId, TrackId};
use segue::subsonic::{ClientError, ErrorCode, StreamOptions};

use crate::house::{House, ODD_TITLE};

fn file(house: &House) -> Vec<u8> {
    std::fs::read(house.folder.path().join("music/Alpha/First Light/01.wav")).unwrap()
}

async fn bytes_of(reply: segue::subsonic::StreamReply) -> Vec<u8> {
    reply.body.map(|chunk| chunk.unwrap().to_vec()).concat().await
}

#[tokio::test]
async fn the_client_streams_the_whole_a_part_and_what_changed() {
    let house = House::open().await;
    let (client, whole) = (house.client(), file(&house));
    let id = TrackId::from(house.song("One").await);
    let options = StreamOptions { format: Some("raw".into()), ..StreamOptions::default() };
    let reply = client.stream(&id, &options, None, None).await.unwrap();
    assert_eq!((reply.status, reply.total, reply.range), (200, Some(whole.len() as u64), None));
    assert!(reply.accepts_ranges && reply.content_type.as_deref().unwrap().starts_with("audio/"));
    let etag = reply.etag.clone().unwrap();
    assert_eq!(bytes_of(reply).await, whole);

    let reply = client.stream(&id, &options, Some((10, Some(20))), Some(&etag)).await.unwrap();
    assert_eq!((reply.status, reply.total, reply.range), (206, Some(whole.len() as u64), Some((10, 20))));
    assert_eq!(bytes_of(reply).await, whole[10..20]);
    let reply = client.stream(&id, &options, Some((100, None)), Some("\"of another file\"")).await.unwrap();
    assert_eq!((reply.status, reply.range), (200, None));
    assert_eq!(bytes_of(reply).await, whole);

    let past = client.stream(&id, &options, Some((whole.len() as u64, None)), None).await.unwrap_err();
    assert!(matches!(past, ClientError::Http { status: 416, .. }), "{past:?}");
    let missing = client.stream(&"nowhere".into(), &options, None, None).await.unwrap_err();
    assert_eq!(missing.code(), Some(ErrorCode::NotFound));
    house.close().await;
}

#[tokio::test]
async fn ranges_and_conditions_by_plain_http() {
    let house = House::open().await;
    let whole = file(&house);
    let url = house.own_url("stream.view", &[("id", &house.song("One").await)]);
    let get = |headers: &'static [(&'static str, &'static str)]| {
        let mut request = house.http.get(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        async move { request.send().await.unwrap() }
    };
    let head = house.http.head(&url).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()["content-length"], whole.len().to_string());
    assert_eq!(head.headers()["accept-ranges"], "bytes");
    let (etag, modified) = (head.headers()["etag"].clone(), head.headers()["last-modified"].clone());
    assert!(head.bytes().await.unwrap().is_empty());

    let last = get(&[("range", "bytes=-7")]).await;
    assert_eq!(last.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(
        last.headers()["content-range"],
        format!("bytes {}-{}/{}", whole.len() - 7, whole.len() - 1, whole.len())
    );
    assert_eq!(last.bytes().await.unwrap(), whole[whole.len() - 7..]);
    let several = get(&[("range", "bytes=0-1,4-5")]).await;
    assert_eq!((several.status(), several.bytes().await.unwrap().len()), (StatusCode::OK, whole.len()));
    let past = get(&[("range", "bytes=999999999-")]).await;
    assert_eq!(past.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(past.headers()["content-range"], format!("bytes */{}", whole.len()));

    let unchanged = house.http.get(&url).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    let part =
        house.http.get(&url).header("range", "bytes=0-0").header("if-range", &modified).send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);

    if crate::house::over_a_store() {
        return house.close().await.close().unwrap();
    }
    let path = house.folder.path().join("music/Alpha/First Light/01.wav");
    let mut changed = whole.clone();
    changed.extend(b"more");
    std::fs::write(&path, &changed).unwrap();
    let part =
        house.http.get(&url).header("range", "bytes=0-0").header("if-range", &etag).send().await.unwrap();
    assert_eq!((part.status(), part.bytes().await.unwrap().len()), (StatusCode::OK, changed.len()));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(house.code("stream", &[("id", &house.song("One").await)]).await, 70);
    assert_eq!(house.code("stream", &[]).await, 10);
    house.close().await;
}

#[tokio::test]
async fn a_download_has_a_name_that_no_header_breaks() {
    let house = House::open().await;
    let url = house.own_url("download", &[("id", &house.song(ODD_TITLE).await)]);
    let reply = house.http.get(url).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    let name = reply.headers()["content-disposition"].to_str().unwrap();
    assert!(
        name.starts_with("attachment; filename=\"") && name.contains("filename*=UTF-8''%c3%96l"),
        "{name}"
    );
    assert_eq!(name.matches('"').count(), 2);
    assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
    house.close().await;
}

#[tokio::test]
async fn pictures_in_the_size_asked_for() {
    let house = House::open().await;
    let album = house.album("First Light").await;
    let cover = CoverId::from(album["coverArt"].as_str().unwrap());
    let client = house.client();
    let original = client.cover_art(&cover, None).await.unwrap();
    let on_disk = std::fs::read(house.folder.path().join("music/Alpha/First Light/cover.png")).unwrap();
    assert_eq!(original, on_disk);
    for _ in 0..2 {
        let small = client.cover_art(&cover, Some(60)).await.unwrap();
        assert_eq!(image::load_from_memory(&small).unwrap().dimensions(), (60, 40));
    }
    for (size, width) in [("999999999", 300), ("301", 300), ("0", 300), ("-1", 300), ("1", 1)] {
        let reply = house.http.get(house.own_url("getCoverArt", &[("id", cover.as_str()), ("size", size)]));
        let reply = reply.send().await.unwrap();
        assert!(reply.headers()["content-type"].to_str().unwrap().starts_with("image/"), "{size}");
        let picture = image::load_from_memory(&reply.bytes().await.unwrap()).unwrap();
        assert_eq!(picture.width(), width, "size={size}");
    }
    // By the ids of what the picture belongs to, as older clients ask.
    assert_eq!(client.cover_art(&album["id"].as_str().unwrap().into(), None).await.unwrap(), on_disk);
    let song: CoverId = house.song("One").await.into();
    assert_eq!(client.cover_art(&song, None).await.unwrap(), on_disk);

    let url = house.own_url("getCoverArt", &[("id", cover.as_str()), ("size", "60")]);
    let reply = house.http.get(&url).send().await.unwrap();
    let again = house.http.get(&url).header("if-none-match", &reply.headers()["etag"]).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);

    let bare: CoverId = house.song(ODD_TITLE).await.into();
    assert_eq!(client.cover_art(&bare, Some(60)).await.unwrap_err().code(), Some(ErrorCode::NotFound));
    for hostile in ["../../../etc/passwd", "/etc/passwd", "%00", "a\u{0}b"] {
        assert_eq!(house.code("getCoverArt", &[("id", hostile), ("size", "9")]).await, 70, "{hostile:?}");
    }
    assert_eq!(house.code("getCoverArt", &[("id", "x"), ("size", "big")]).await, 0);
    house.close().await;
}

#[tokio::test]
async fn the_end_of_the_server_is_the_end_of_its_streams() {
    if crate::house::over_a_store() {
        return;
    }
    let house = House::open().await;
    let big = house.folder.path().join("music/Alpha/First Light/01.wav");
    std::fs::File::options().write(true).open(&big).unwrap().set_len(256 * 1024 * 1024).unwrap();
    let id = TrackId::from(house.song("One").await);
    let client = house.client();
    let mut reply = client.stream(&id, &StreamOptions::default(), None, None).await.unwrap();
    assert!(reply.body.next().await.unwrap().is_ok());
    house.close().await;
    let mut end = None;
    while let Some(chunk) = reply.body.next().await {
        end = Some(chunk);
    }
    assert!(matches!(end, Some(Err(ClientError::Interrupted { .. }))), "{end:?}");
    assert!(client.ping().await.unwrap_err().is_network());
}

#[tokio::test(flavor = "multi_thread")]
async fn long_files_arrive_whole_however_slowly_they_are_read() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let house = House::open().await;
    let file = house.folder.path().join("music/long.wav");
    crate::house::long_song(&file, 9_000_000);
    let mut bytes = std::fs::read(&file).unwrap();
    for (n, byte) in bytes.iter_mut().enumerate().skip(500) {
        *byte = (n * 7 % 251) as u8;
    }
    std::fs::write(&file, &bytes).unwrap();
    house.json("startScan", &[]).await;
    loop {
        let status = house.json("getScanStatus", &[]).await["scanStatus"].take();
        if status["count"] == 6 && status["scanning"] == false {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let id = house.song("long").await;
    // Two requests in one go, then slow reading: the answers come in order and whole.
    let target = format!("/rest/stream?id={id}&apiKey={}", house.key);
    let mut socket = tokio::net::TcpStream::connect(house.base.trim_start_matches("http://")).await.unwrap();
    let first = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    let second =
        format!("GET {target} HTTP/1.1\r\nHost: x\r\nRange: bytes=700-1699\r\nConnection: close\r\n\r\n");
    socket.write_all(format!("{first}{second}").as_bytes()).await.unwrap();
    let mut got = Vec::new();
    let mut step = vec![0; 300_000];
    loop {
        let count = socket.read(&mut step).await.unwrap();
        if count == 0 {
            break;
        }
        got.extend_from_slice(&step[..count]);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let body = |from: usize| got[from..].windows(4).position(|four| four == b"\r\n\r\n").unwrap() + from + 4;
    let start = body(0);
    assert!(got[start..start + bytes.len()] == bytes, "the whole file");
    let second = body(start + bytes.len());
    assert_eq!(&got[second..], &bytes[700..1700]);
    if crate::house::over_a_store() {
        return house.close().await.close().unwrap();
    }
    // A file that shrinks on the way ends the connection: what cannot be sent must not look whole.
    let mut reply = house.http.get(house.own_url("stream", &[("id", &id)])).send().await.unwrap();
    reply.chunk().await.unwrap();
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(100).unwrap();
    let mut ended = Ok(Some(bytes::Bytes::new()));
    while let Ok(Some(_)) = ended {
        ended = reply.chunk().await;
    }
    assert!(ended.is_err(), "cut off");
    house.close().await;
}
