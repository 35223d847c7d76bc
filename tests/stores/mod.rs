//! Real stores: Azurite 3.35.0 for Azure Blob Storage and moto 5.2.5 for S3, which `.ci/stores` installs and starts; it names their
//! addresses in `SEGUE_TEST_AZURE` and `SEGUE_TEST_S3`. Each test has a container of its own and reaches it over a wire that it can cut,
//! and that counts what is asked.

#![allow(dead_code, unreachable_pub, reason = "every test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::signer::Signer;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path as Key};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// The account that every Azurite has, which is no secret.
pub const ACCOUNT: &str = "devstoreaccount1";
pub const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// A secret for S3 that must be seen nowhere.
pub const S3_SECRET: &str = "x1Tq+not/to0be.seen0anywhere0at7all0ever";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Azure,
    S3,
}

pub trait Signs: Signer + Send + Sync {}
impl<T: Signer + Send + Sync> Signs for T {}

/// A container of its own in a real store.
pub struct Store {
    pub kind: Kind,
    pub bucket: String,
    pub wire: Wire,
    /// The way past the wire.
    pub objects: Arc<dyn ObjectStore>,
    pub signer: Arc<dyn Signs>,
}

impl Store {
    /// One of each kind that there is; of others `skip` tells.
    pub async fn all(skip: impl Fn(&str)) -> Vec<Self> {
        let mut all = Vec::new();
        for (kind, variable) in [(Kind::Azure, "SEGUE_TEST_AZURE"), (Kind::S3, "SEGUE_TEST_S3")] {
            match std::env::var(variable) {
                Ok(url) => all.push(Self::new(kind, &url).await),
                Err(_) => skip(&format!("{kind:?} ({variable} names its address)")),
            }
        }
        all
    }

    async fn new(kind: Kind, url: &str) -> Self {
        Self::named(kind, url, None).await
    }

    /// With a container that was made before, or one of its own.
    pub async fn named(kind: Kind, url: &str, bucket: Option<&str>) -> Self {
        let own = || format!("box{}", uuid::Uuid::now_v7().simple());
        let (made, bucket) = (bucket.is_some(), bucket.map_or_else(own, str::to_owned));
        let upstream = url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let wire = Wire::to(upstream).await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        if !made {
            make_bucket(kind, url, &bucket).await;
        }
        let (objects, signer): (Arc<dyn ObjectStore>, Arc<dyn Signs>) = match kind {
            Kind::Azure => {
                let store = MicrosoftAzureBuilder::new()
                    .with_account(ACCOUNT)
                    .with_access_key(ACCOUNT_KEY)
                    .with_endpoint(format!("{}/{ACCOUNT}", url.trim_end_matches('/')))
                    .with_allow_http(true)
                    .with_container_name(&bucket);
                let store = Arc::new(store.build().unwrap());
                (Arc::clone(&store) as _, store)
            }
            Kind::S3 => {
                let store = AmazonS3Builder::new()
                    .with_endpoint(url)
                    .with_allow_http(true)
                    .with_region("us-east-1")
                    .with_access_key_id("tester")
                    .with_secret_access_key(S3_SECRET)
                    .with_bucket_name(&bucket);
                let store = Arc::new(store.build().unwrap());
                (Arc::clone(&store) as _, store)
            }
        };
        Self { kind, bucket, wire, objects, signer }
    }

    /// Its address with a prefix.
    pub fn address(&self, prefix: &str) -> String {
        let scheme = if self.kind == Kind::Azure { "az" } else { "s3" };
        format!("{scheme}://{}/{prefix}", self.bucket)
    }

    /// What a program must find in its environment to reach it over the wire.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        match self.kind {
            Kind::Azure => vec![
                ("AZURE_STORAGE_USE_EMULATOR", "true".to_owned()),
                ("AZURITE_BLOB_STORAGE_URL", format!("http://{}", self.wire.address)),
                ("AZURE_STORAGE_ACCOUNT_KEY", ACCOUNT_KEY.to_owned()),
                ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT.to_owned()),
            ],
            Kind::S3 => vec![
                ("AWS_ENDPOINT", format!("http://{}", self.wire.address)),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_ACCESS_KEY_ID", "tester".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", S3_SECRET.to_owned()),
            ],
        }
    }

    pub async fn put(&self, key: &str, bytes: Vec<u8>) {
        self.objects.put(&Key::parse(key).unwrap(), bytes.into()).await.unwrap();
    }

    pub async fn remove(&self, key: &str) {
        self.objects.delete(&Key::parse(key).unwrap()).await.unwrap();
    }

    pub async fn rename(&self, from: &str, to: &str) {
        let bytes = self.objects.get(&Key::parse(from).unwrap()).await.unwrap().bytes().await.unwrap();
        self.put(to, bytes.to_vec()).await;
        self.remove(from).await;
    }

    /// Everything in a folder, under a prefix; gives how many bytes that is.
    pub async fn upload(&self, folder: &Path, prefix: &str) -> u64 {
        let mut bytes = 0;
        for file in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap) {
            if file.file_type().is_file() {
                let inside = file.path().strip_prefix(folder).unwrap().to_str().unwrap();
                let content = std::fs::read(file.path()).unwrap();
                bytes += content.len() as u64;
                self.put(&format!("{prefix}/{inside}"), content).await;
            }
        }
        bytes
    }
}

/// Makes a container, which the crate that we upload with cannot.
pub async fn make_bucket(kind: Kind, url: &str, bucket: &str) {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let url = url.trim_end_matches('/');
    let request = match kind {
        Kind::S3 => http.put(format!("{url}/{bucket}")),
        Kind::Azure => {
            let now = jiff::Timestamp::now();
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
            let what = format!(
                "PUT{}x-ms-date:{date}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/{bucket}\nrestype:container",
                "\n".repeat(12)
            );
            let engine = base64::engine::general_purpose::STANDARD;
            let proof = engine.encode(hmac(&engine.decode(ACCOUNT_KEY).unwrap(), what.as_bytes()));
            http.put(format!("{url}/{ACCOUNT}/{bucket}?restype=container"))
                .header("x-ms-date", date)
                .header("x-ms-version", "2021-08-06")
                .header("content-length", "0")
                .header("authorization", format!("SharedKey {ACCOUNT}:{proof}"))
        }
    };
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{}: {}", answer.status(), answer.text().await.unwrap());
}

/// HMAC of SHA-256 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

/// What went over a wire.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests for (parts of) objects.
    pub gets: AtomicU64,
    /// Requests for what there is to say of one.
    pub heads: AtomicU64,
    /// Requests for a page of a listing.
    pub lists: AtomicU64,
    /// Bytes of answers, heads included.
    pub bytes: AtomicU64,
    /// The first lines of all requests.
    pub lines: Mutex<Vec<String>>,
}

/// A connection to a store that can be cut.
pub struct Wire {
    pub address: std::net::SocketAddr,
    pub counts: Arc<Counts>,
    down: Arc<AtomicBool>,
    cut: Arc<Notify>,
}

impl Wire {
    async fn to(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (counts, down, cut) =
            (Arc::<Counts>::default(), Arc::<AtomicBool>::default(), Arc::<Notify>::default());
        let wire =
            Self { address, counts: Arc::clone(&counts), down: Arc::clone(&down), cut: Arc::clone(&cut) };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if down.load(Ordering::SeqCst) {
                    continue;
                }
                let (counts, cut, upstream) = (Arc::clone(&counts), Arc::clone(&cut), upstream.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(socket, &upstream, &counts) => {}
                        () = cut.notified() => {}
                    }
                });
            }
        });
        wire
    }

    /// Whoever talks is cut off, and nobody gets through any more.
    pub fn down(&self) {
        self.down.store(true, Ordering::SeqCst);
        self.cut.notify_waiters();
    }

    pub fn up(&self) {
        self.down.store(false, Ordering::SeqCst);
    }

    /// How often objects were read since the last look, and how many bytes of answers there were.
    pub fn reads(&self) -> (u64, u64) {
        (self.counts.gets.swap(0, Ordering::SeqCst), self.counts.bytes.swap(0, Ordering::SeqCst))
    }
}

async fn carry(mut client: TcpStream, upstream: &str, counts: &Counts) {
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = from_client.read(&mut buffer).await {
            note(&buffer[..n], counts);
            if to_server.write_all(&buffer[..n]).await.is_err() {
                break;
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = from_server.read(&mut buffer).await {
            counts.bytes.fetch_add(n as u64, Ordering::SeqCst);
            if to_client.write_all(&buffer[..n]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

/// Requests that read have no body, so that each begins a piece of what is sent.
fn note(sent: &[u8], counts: &Counts) {
    let line =
        String::from_utf8_lossy(sent.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    let counter = match line.split(' ').next() {
        Some("GET") if line.contains("comp=list") || line.contains("list-type=2") => &counts.lists,
        Some("GET") => &counts.gets,
        Some("HEAD") => &counts.heads,
        _ => return,
    };
    counter.fetch_add(1, Ordering::SeqCst);
    counts.lines.lock().unwrap().push(line);
}

/// Waits until something is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while !so().await {
        assert!(std::time::Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
