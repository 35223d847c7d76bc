//! Addresses of stores (`az://container/prefix`) and of what lies in them.
//!
//! An object's address is a path like a file's, `az://container/prefix/Artist/01.flac`, so that everything that knows folders,
//! names and suffixes works on both. Its key is what stands behind the container.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// Which protocol a store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Azure Blob Storage.
    Azure,
    /// S3 and what is like it.
    S3,
    /// Google Cloud Storage.
    Google,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Azure, Self::S3, Self::Google];

    /// What stands before `://`.
    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Self::Azure => "az",
            Self::S3 => "s3",
            Self::Google => "gs",
        }
    }
}

/// A place in a store below which music lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The protocol.
    pub(crate) kind: Kind,
    /// The container or bucket.
    pub(crate) bucket: String,
    /// What all keys begin with, without a slash at either end; may be empty.
    pub(crate) prefix: String,
}

impl Address {
    /// Reads an address; `None` for the path of a folder. The error is a sentence.
    pub(crate) fn of(path: &Path) -> Option<Result<Self, String>> {
        let text = path.to_str()?;
        let (kind, rest) = Kind::ALL.into_iter().find_map(|kind| {
            let rest = text.strip_prefix(kind.scheme())?.strip_prefix("://")?;
            Some((kind, rest))
        })?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '$');
        if bucket.is_empty() || !bucket.chars().all(plain) {
            return Some(Err(format!(
                "“{text}” names no container: write it as {}://CONTAINER/PREFIX",
                kind.scheme()
            )));
        }
        if !prefix.is_empty() && !is_key(prefix) {
            return Some(Err(format!(
                "“{text}” cannot be a place in a store: its parts must not be empty, “.” or “..”"
            )));
        }
        Some(Ok(Self { kind, bucket: bucket.to_owned(), prefix: prefix.to_owned() }))
    }

    /// The address as a path, always written the same.
    pub(crate) fn root(&self) -> PathBuf {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        PathBuf::from(format!("{}://{}{slash}{}", self.kind.scheme(), self.bucket, self.prefix))
    }

    /// The path that stands for a key; `None` for keys that are none of ours.
    pub(crate) fn path_of(&self, key: &str) -> Option<PathBuf> {
        let inside = self.prefix.is_empty()
            || key.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with('/'));
        (inside && is_key(key))
            .then(|| PathBuf::from(format!("{}://{}/{key}", self.kind.scheme(), self.bucket)))
    }

    /// The key that a path stands for; `None` for what is not below this address.
    pub(crate) fn key_of(&self, path: &Path) -> Option<String> {
        let mut parts = path.components();
        let part = |component| match component {
            Component::Normal(text) => OsStr::to_str(text),
            _ => None,
        };
        let scheme = part(parts.next()?)?;
        if scheme.strip_suffix(':')? != self.kind.scheme() || part(parts.next()?)? != self.bucket {
            return None;
        }
        let key = parts.map(part).collect::<Option<Vec<&str>>>()?.join("/");
        self.path_of(&key).map(|_| key)
    }
}

/// Whether a text can be a key that is also a path: no part of it is empty or leads elsewhere.
fn is_key(key: &str) -> bool {
    key.split('/').all(|part| {
        !part.is_empty() && part != "." && part != ".." && !part.chars().any(|c| c.is_ascii_control())
    })
}

/// Whether a signed address of this key is right with every store. Signatures cover keys as they are written in an address, and
/// stores do not agree on how that is done for anything beyond these.
pub(crate) fn is_signable(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Address {
        Address::of(Path::new(text)).unwrap().unwrap()
    }

    #[test]
    fn addresses_are_told_from_folders() {
        for folder in ["/srv/music", "music", "az:/x", "azure", "C:\\music", "http://x/y", "az"] {
            assert_eq!(Address::of(Path::new(folder)), None, "{folder}");
        }
        assert_eq!(address("az://music").prefix, "");
        assert_eq!(address("s3://b/a/b/").prefix, "a/b");
        assert_eq!(address("s3://b/a/b/").root(), Path::new("s3://b/a/b"));
        assert_eq!(address("gs://b/").root().to_str(), Some("gs://b"));
        for wrong in ["az://", "az:///x", "s3://a b/x", "s3://b/a//b", "s3://b/../x", "gs://user:word@b/x"] {
            assert!(Address::of(Path::new(wrong)).unwrap().is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_stay_below_the_prefix() {
        let address = address("az://music/a");
        for outside in ["", "a", "b/x.mp3", "ab/x.mp3", "a//x.mp3", "a/../x.mp3", "a/./x", "a/x\n.mp3"] {
            assert_eq!(address.path_of(outside), None, "{outside}");
        }
        for path in
            ["az://music/b/x", "az://other/a/x", "s3://music/a/x", "/music/a/x", "az://music/a/../b/x"]
        {
            assert_eq!(address.key_of(Path::new(path)), None, "{path}");
        }
        let path = address.path_of("a/sp ace/ö#?%41.flac").unwrap();
        assert_eq!(address.key_of(&path).as_deref(), Some("a/sp ace/ö#?%41.flac"));
        // A path that was put together of its parts has one slash.
        let again: PathBuf = path.components().collect();
        assert_eq!(address.key_of(&again).as_deref(), Some("a/sp ace/ö#?%41.flac"));
        assert!(path.starts_with(address.root()));
    }

    #[test]
    fn only_plain_keys_are_signed() {
        assert!(is_signable("tracks/ab/0_1-2.flac"));
        for key in ["a b", "ö", "a%20b", "a+b", "a'b", "a~b"] {
            assert!(!is_signable(key), "{key}");
        }
    }

    proptest! {
        #[test]
        fn a_path_leads_back_to_its_key(prefix in "([a-z]{1,4}(/[a-z ]{1,3}){0,2})?", rest in "[^/]{1,6}(/[^/]{1,6}){0,3}") {
            let address = Address { kind: Kind::S3, bucket: "b".to_owned(), prefix };
            let key = if address.prefix.is_empty() { rest } else { format!("{}/{rest}", address.prefix) };
            if let Some(path) = address.path_of(&key) {
                prop_assert_eq!(address.key_of(&path), Some(key));
                prop_assert!(path.starts_with(address.root()));
            }
        }
    }
}
