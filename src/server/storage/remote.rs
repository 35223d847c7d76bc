//! Stores behind HTTP, by the crate `object_store`: Azure Blob Storage, S3 and what is like it, Google Cloud Storage.
//!
//! Credentials and endpoints come from where each cloud's own tools look: the environment (`AZURE_…`, `AWS_…`, `GOOGLE_…`), files that
//! it names, the identity of the machine. What the crate says of an error may hold an address with a signature in it, so its texts go
//! nowhere: errors become sentences of our own here.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    BackoffConfig, ClientConfigKey, Error, GetOptions, GetRange, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMode, PutOptions, RetryConfig,
};

use super::address::{Address, Kind};
use super::bucket::{Meta, Trouble};

/// How long a connection may take to be made,
const CONNECT: &str = "5 seconds";
/// and one request until its last byte. The largest piece is some megabytes.
const REQUEST: &str = "20 seconds";
/// Tries after the first one.
const RETRIES: usize = 3;

/// A container behind HTTP.
#[derive(Debug)]
pub(crate) struct Remote {
    objects: Arc<dyn ObjectStore>,
    signer: Arc<dyn SignsAndShows>,
    /// What the container is called in sentences.
    name: String,
    kind: Kind,
}

trait SignsAndShows: Signer + std::fmt::Debug {}

impl<T: Signer + std::fmt::Debug> SignsAndShows for T {}

impl Remote {
    /// Makes ready to reach a store; nothing is sent yet. The error is a sentence.
    pub(crate) fn new(address: &Address) -> Result<Self, String> {
        // An error means that the program chose one already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
            max_retries: RETRIES,
            retry_timeout: Duration::from_secs(10),
        };
        let limits = [(ClientConfigKey::ConnectTimeout, CONNECT), (ClientConfigKey::Timeout, REQUEST)];
        let bucket = address.bucket.as_str();
        let fail = |error: Error| unusable(address, &error);
        macro_rules! build {
            ($builder:ty, $key:path, $name:ident) => {{
                let builder = <$builder>::from_env().$name(bucket).with_retry(retry);
                let builder = limits
                    .into_iter()
                    .fold(builder, |builder, (key, value)| builder.with_config($key(key), value));
                let store = Arc::new(builder.build().map_err(fail)?);
                (Arc::clone(&store) as Arc<dyn ObjectStore>, store as Arc<dyn SignsAndShows>)
            }};
        }
        let (objects, signer) = match address.kind {
            Kind::Azure => build!(MicrosoftAzureBuilder, AzureConfigKey::Client, with_container_name),
            Kind::S3 => build!(AmazonS3Builder, AmazonS3ConfigKey::Client, with_bucket_name),
            Kind::Google => build!(GoogleCloudStorageBuilder, GoogleConfigKey::Client, with_bucket_name),
        };
        let name = format!("{}://{bucket}", address.kind.scheme());
        Ok(Self { objects, signer, name, kind: address.kind })
    }

    pub(crate) async fn list(
        &self,
        prefix: &str,
        each: &mut (dyn FnMut(&str, Meta) + Send),
    ) -> Result<(), Trouble> {
        let prefix = path(prefix)?;
        let mut objects = self.objects.list((!prefix.is_root()).then_some(&prefix));
        while let Some(object) = objects.try_next().await.map_err(|error| self.of_listing(&error))? {
            each(object.location.as_ref(), meta(&object));
        }
        Ok(())
    }

    pub(super) async fn head(&self, key: &str) -> Result<Meta, Trouble> {
        let head = self.objects.head(&path(key)?).await;
        head.map(|object| meta(&object)).map_err(|error| self.trouble(&error))
    }

    pub(super) async fn get(&self, key: &str, range: Range<u64>, expected: &Meta) -> Result<Bytes, Trouble> {
        let length = range.end.saturating_sub(range.start);
        if length == 0 {
            return Ok(Bytes::new());
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: expected.etag.as_ref().map(|etag| format!("\"{etag}\"")),
            ..GetOptions::default()
        };
        let got = self.objects.get_opts(&path(key)?, options).await.map_err(|error| self.trouble(&error))?;
        // Not every store heeds the condition.
        if meta(&got.meta).tag() != expected.tag() || got.meta.size != expected.size {
            return Err(Trouble::Changed);
        }
        let bytes = got.bytes().await.map_err(|error| self.trouble(&error))?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(Trouble::Changed) }
    }

    /// All of an object.
    pub(crate) async fn whole(&self, key: &str) -> Result<Bytes, Trouble> {
        let got = self.objects.get(&path(key)?).await.map_err(|error| self.trouble(&error))?;
        got.bytes().await.map_err(|error| self.trouble(&error))
    }

    /// Writes an object; where it must be `new`, `false` says that there is one of this key.
    pub(crate) async fn put(&self, key: &str, bytes: Bytes, new: bool) -> Result<bool, Trouble> {
        let mode = if new { PutMode::Create } else { PutMode::Overwrite };
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.objects.put_opts(&path(key)?, bytes.into(), options).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(self.trouble(&error)),
        }
    }

    /// Removes an object.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Trouble> {
        self.objects.delete(&path(key)?).await.map_err(|error| self.trouble(&error))
    }

    pub(super) async fn sign(&self, key: &str, ttl: Duration) -> Result<String, Trouble> {
        let url = self.signer.signed_url(object_store::signer::Method::GET, &path(key)?, ttl).await;
        url.map(Into::into).map_err(|error| self.trouble(&error))
    }

    fn trouble(&self, error: &Error) -> Trouble {
        let Self { name, .. } = self;
        match error {
            Error::NotFound { .. } => Trouble::Absent,
            Error::Precondition { .. } | Error::NotModified { .. } => Trouble::Changed,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => self.denied(),
            Error::NotSupported { .. } | Error::NotImplemented { .. } => {
                Trouble::Refused(format!("the store {name} does not know what was asked of it"))
            }
            other => match status_of(other) {
                Some(401 | 403) => self.denied(),
                Some(404) => Trouble::Absent,
                Some(status @ (300..=407 | 409..=428 | 430..=499)) => Trouble::Refused(format!(
                    "the store {name} does not accept what is asked of it (HTTP {status}): look at {}",
                    variables(self.kind)
                )),
                _ => {
                    let how = match kind_of(other) {
                        Some(HttpErrorKind::Connect) => " (no connection)",
                        Some(HttpErrorKind::Timeout) => " (it took too long)",
                        Some(HttpErrorKind::Request | HttpErrorKind::Interrupted) => {
                            " (the connection broke)"
                        }
                        _ => "",
                    };
                    Trouble::Away(format!("the store {name} does not answer as it should{how}"))
                }
            },
        }
    }

    fn denied(&self) -> Trouble {
        let (name, variables) = (&self.name, variables(self.kind));
        Trouble::Refused(format!("the store {name} does not accept the credentials: look at {variables}"))
    }

    fn of_listing(&self, error: &Error) -> Trouble {
        let Self { name, .. } = self;
        match (error, self.trouble(error)) {
            (Error::InvalidPath { .. }, _) => Trouble::Refused(format!(
                "the store {name} cannot be listed: the name of an object in it has an empty part, “.”, “..” or a control character; \
                 rename that object"
            )),
            (_, Trouble::Absent) => Trouble::Refused(format!("there is no container {name}")),
            (_, other) => other,
        }
    }
}

/// The HTTP status that an error tells of, where the crate does not make a kind of it: it stands in its text alone.
fn status_of(error: &Error) -> Option<u16> {
    let text = error.to_string();
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

fn path(key: &str) -> Result<Path, Trouble> {
    Path::parse(key).map_err(|_| Trouble::Absent)
}

fn meta(object: &ObjectMeta) -> Meta {
    let etag = object.e_tag.as_deref().filter(|etag| !etag.starts_with("W/"));
    // Some stores write it with its quotes and some without, and one does either.
    let etag = etag.map(|etag| etag.trim_matches('"').to_owned()).filter(|etag| !etag.is_empty());
    Meta { size: object.size, modified_ms: object.last_modified.timestamp_millis(), etag }
}

/// How a request went wrong, where it did on the way.
fn kind_of(error: &Error) -> Option<HttpErrorKind> {
    let mut cause = Some(error as &(dyn std::error::Error + 'static));
    while let Some(this) = cause {
        if let Some(http) = this.downcast_ref::<HttpError>() {
            return Some(http.kind());
        }
        cause = this.source();
    }
    None
}

/// Where credentials come from.
const fn variables(kind: Kind) -> &'static str {
    match kind {
        Kind::Azure => {
            "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or at the machine's identity"
        }
        Kind::S3 => "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or at the machine's role",
        Kind::Google => "GOOGLE_SERVICE_ACCOUNT, or at the machine's identity",
    }
}

/// Why a store cannot be used at all. What the crate says of its settings may hold a setting, so only its kind is told.
fn unusable(address: &Address, error: &Error) -> String {
    let root = address.root();
    let what = match error {
        Error::UnknownConfigurationKey { key, .. } => format!("the setting {key} is not known"),
        _ => format!("the settings in the environment do not suffice: look at {}", variables(address.kind)),
    };
    format!("the store {} cannot be used: {what}", root.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(objects: &Arc<object_store::memory::InMemory>) -> Remote {
        drop(rustls::crypto::ring::default_provider().install_default());
        Remote {
            objects: Arc::clone(objects) as Arc<dyn ObjectStore>,
            signer: Arc::new(AmazonS3Builder::new().with_bucket_name("b").build().unwrap()),
            name: "s3://b".to_owned(),
            kind: Kind::S3,
        }
    }

    #[test]
    fn no_error_tells_a_secret() {
        let remote = over(&Arc::default());
        let source = || "GET https://b.example/x?sig=hush".to_owned().into();
        let status = |code: u16| Error::Generic {
            store: "S3",
            source: format!("Server returned non-2xx status code: {code} Some: hush").into(),
        };
        assert!(
            matches!(remote.of_listing(&status(403)), Trouble::Refused(why) if why.contains("credentials"))
        );
        assert!(
            matches!(remote.of_listing(&status(404)), Trouble::Refused(why) if why.contains("no container"))
        );
        assert!(matches!(remote.trouble(&status(400)), Trouble::Refused(_)));
        assert!(matches!(remote.trouble(&status(503)), Trouble::Away(_)));
        assert!(matches!(remote.trouble(&status(429)), Trouble::Away(_)));
        let errors = [
            Error::Generic { store: "S3", source: source() },
            Error::NotFound { path: "x?sig=hush".to_owned(), source: source() },
            Error::PermissionDenied { path: "x?sig=hush".to_owned(), source: source() },
            Error::Unauthenticated { path: "hush".to_owned(), source: source() },
            Error::NotSupported { source: source() },
            status(403),
            status(400),
            status(503),
        ];
        let address = Address::of(std::path::Path::new("s3://b/x")).unwrap().unwrap();
        for error in errors {
            for said in [
                remote.trouble(&error).to_string(),
                remote.of_listing(&error).to_string(),
                unusable(&address, &error),
            ] {
                assert!(!said.contains("hush"), "{said}");
                assert!(said.len() > 20, "{said}");
            }
        }
    }

    #[tokio::test]
    async fn what_changed_is_not_mixed() {
        let objects = Arc::new(object_store::memory::InMemory::new());
        let remote = over(&objects);
        objects.put(&Path::from("a/x"), "one two".into()).await.unwrap();
        let before = remote.head("a/x").await.unwrap();
        assert_eq!(remote.get("a/x", 4..7, &before).await.unwrap(), "two");
        let mut keys = Vec::new();
        remote.list("a", &mut |key, meta| keys.push((key.to_owned(), meta.size))).await.unwrap();
        assert_eq!(keys, [("a/x".to_owned(), 7)]);
        objects.put(&Path::from("a/x"), "two one".into()).await.unwrap();
        assert_eq!(remote.get("a/x", 4..7, &before).await, Err(Trouble::Changed));
        assert_eq!(remote.head("a//x").await, Err(Trouble::Absent));
    }
}
