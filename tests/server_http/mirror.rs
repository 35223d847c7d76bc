//! The same tests over a library in a store: `SEGUE_TEST_STORE` is `azure` or `s3`, and the variables by which a server reaches the store
//! are set. Each music folder then has a container that is what it is whenever a scan begins.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

#[path = "../stores/mod.rs"]
mod stores;

use stores::{Kind, Store};

/// A store that has what a folder has.
pub(super) struct Mirror {
    folder: PathBuf,
    store: Store,
    /// Keys that it has, with what their content is.
    there: Mutex<HashMap<String, Vec<u8>>>,
}

impl Mirror {
    /// Puts the address of a store in the place of each folder, where the tests are to run over one. A server that is started again over
    /// the same data finds the same.
    pub(super) async fn in_place_of(music: &mut [PathBuf], data: &Path) -> Vec<Self> {
        let kind = match std::env::var("SEGUE_TEST_STORE").as_deref() {
            Ok("azure") => (Kind::Azure, "SEGUE_TEST_AZURE"),
            Ok("s3") => (Kind::S3, "SEGUE_TEST_S3"),
            _ => return Vec::new(),
        };
        let url = std::env::var(kind.1).unwrap();
        let mut mirrors = Vec::new();
        for folder in music {
            let note = data.with_file_name(format!("bucket-{}", folder.file_name().unwrap().display()));
            let before = std::fs::read_to_string(&note).ok();
            let store = Store::named(kind.0, &url, before.as_deref()).await;
            std::fs::create_dir_all(note.parent().unwrap()).unwrap();
            std::fs::write(&note, &store.bucket).unwrap();
            let name = folder.file_name().unwrap().to_str().unwrap();
            let address = store.address(name);
            let mirror = Self { folder: folder.clone(), store, there: Mutex::default() };
            mirror.follow().await;
            *folder = PathBuf::from(address);
            mirrors.push(mirror);
        }
        mirrors
    }

    /// Makes the store what the folder is.
    pub(super) async fn follow(&self) {
        let prefix = self.folder.file_name().unwrap().to_str().unwrap();
        let mut wanted = HashMap::new();
        for file in walkdir::WalkDir::new(&self.folder).follow_links(true).into_iter().filter_map(Result::ok)
        {
            if file.file_type().is_file() {
                let inside = file.path().strip_prefix(&self.folder).unwrap().to_str().unwrap().to_owned();
                wanted.insert(format!("{prefix}/{inside}"), std::fs::read(file.path()).unwrap());
            }
        }
        let there = std::mem::take(&mut *self.there.lock().unwrap());
        for (key, bytes) in &wanted {
            if there.get(key) != Some(bytes) {
                self.store.put(key, bytes.clone()).await;
            }
        }
        for key in there.keys().filter(|key| !wanted.contains_key(*key)) {
            self.store.remove(key).await;
        }
        *self.there.lock().unwrap() = wanted;
    }
}
