//! A listener's machine that knows a hundred thousand tracks, one of which is here.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use segue::cache::{FetchError, Reply, Source, Store, TrackKey};
use segue::catalog::{Batch, Catalog};

#[path = "../../tests/common/plenty.rs"]
#[allow(dead_code, reason = "other benches take more of it")]
mod library;

/// Where nobody listens.
pub const NOWHERE: &str = "http://127.0.0.1:1";
/// The folder of what is known of `admin` there.
const PROFILE: &str = "admin@127.0.0.1-1";
const TRACKS: usize = 100_000;

/// One file for every track.
struct One(Vec<u8>);

impl Source for One {
    fn fetch(
        &self,
        _key: &TrackKey,
        from: u64,
        to: Option<u64>,
        _if_range: Option<String>,
    ) -> BoxFuture<'_, Result<Reply, FetchError>> {
        let total = self.0.len() as u64;
        let to = to.unwrap_or(total).min(total);
        let body = stream::iter([Ok(self.0[from as usize..to as usize].to_vec().into())]).boxed();
        let reply = Reply { part: Some((from, to)), total: Some(total), etag: Some("\"1\"".into()), body };
        async move { Ok(reply) }.boxed()
    }
}

/// Fills a home folder; gives how many tracks are known, and the title of the one that is here, which is this file.
pub fn fill(home: &Path, file: &Path) -> (usize, String) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let data = home.join("data/segue/profiles").join(PROFILE);
        std::fs::create_dir_all(&data).unwrap();
        let catalog = Catalog::open(&data.join("catalog.db")).await.unwrap();
        let library = library::Plenty::new(7, TRACKS);
        catalog.apply(&Batch { artists: library.artists(), ..Batch::default() }).await.unwrap();
        let (mut batch, mut count, mut here) = (Batch::default(), 0, None);
        for mut release in library {
            count += release.tracks.len();
            if here.is_none()
                && let Some(track) = release.tracks.first_mut()
            {
                track.title = "Zyxxle Quorf".into();
                track.duration_ms = 240_000;
                track.size = 0;
                here = Some(track.clone());
            }
            batch.albums.extend(release.album);
            batch.tracks.extend(release.tracks);
            if batch.tracks.len() >= 5_000 {
                catalog.apply(&std::mem::take(&mut batch)).await.unwrap();
            }
        }
        catalog.apply(&batch).await.unwrap();
        catalog.close().await;
        let here = here.unwrap();
        let store =
            Store::open(&home.join("cache/segue/profiles").join(PROFILE).join("tracks"), 1 << 30).unwrap();
        let source = Arc::new(One(std::fs::read(file).unwrap()));
        let runtime = tokio::runtime::Handle::current();
        let mut reader = store.track(&TrackKey::raw(here.id), None, source, &runtime).unwrap();
        tokio::task::spawn_blocking(move || std::io::copy(&mut reader, &mut std::io::sink()).unwrap())
            .await
            .unwrap();
        // The map of what is here is written behind the bytes.
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        (count, here.title)
    })
}
