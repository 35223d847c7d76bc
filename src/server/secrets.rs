//! Secrets: password hashes, API keys, and app passwords sealed under a key that lies outside the database.
//!
//! | what | how it is kept | why |
//! |---|---|---|
//! | password | argon2id | chosen by people, so guessing must be slow |
//! | API key | SHA-256 | 192 random bits: nobody guesses them, and the look-up is fast |
//! | app password | ChaCha20-Poly1305 under `secret.key` | token authentication computes with its text |
//!
//! Sealing binds a secret to its account and its row, so that a row copied to another account opens nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use sha2::{Digest as _, Sha256};

use super::ServerError;
use crate::subsonic::auth::{hex, unhex};

const NONCE_BYTES: usize = 12;

/// The password as an argon2id PHC string; tens of milliseconds of work, so never on an async thread.
pub(crate) fn hash_password(password: &str) -> Result<String, ServerError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| ServerError::Secret(format!("a password could not be hashed: {error}")))
}

/// Whether the password is the one behind the PHC string; as slow as [`hash_password`].
pub(crate) fn verify_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A new API key: 192 random bits, with a beginning that tells people what it is.
pub(crate) fn new_api_key() -> String {
    format!("segue_{}", hex(&rand::random::<[u8; 24]>()))
}

/// A new app password, 144 random bits, in letters and digits that any client takes.
pub(crate) fn new_app_password() -> String {
    hex(&rand::random::<[u8; 18]>())
}

/// A password for people to type: 20 letters and digits without look-alikes, a little under 100 random bits.
pub(crate) fn new_password() -> String {
    const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letter =
        |byte: u8| LETTERS.get(usize::from(byte) % LETTERS.len()).map_or('x', |letter| char::from(*letter));
    let mut password = String::new();
    while password.len() < 23 {
        let byte = rand::random::<u8>();
        // 248 is the largest multiple of 31: above it some letters would come more often.
        if byte < 248 {
            if matches!(password.len(), 5 | 11 | 17) {
                password.push('-');
            }
            password.push(letter(byte));
        }
    }
    password
}

/// What is stored of an API key.
pub(crate) fn key_digest(key: &str) -> String {
    hex(&Sha256::digest(key))
}

/// Opens and seals app passwords.
pub(crate) struct Vault {
    cipher: ChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Reads the key from `file`, or makes one where there is none and `may_make` says that nothing is sealed yet.
    pub(crate) fn open(file: &Path, may_make: bool) -> Result<Self, ServerError> {
        let fail = |why: String| ServerError::Secret(format!("{}: {why}", file.display()));
        let key = match read_key(file) {
            Ok(key) => key,
            Err(error) if error.kind() == ErrorKind::NotFound && may_make => {
                make_key(file).map_err(|error| fail(error.to_string()))?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(fail(
                    "the key to the app passwords is missing; put it back from a backup, or remove \
                     the app passwords with `segue users`"
                        .to_owned(),
                ));
            }
            Err(error) => return Err(fail(error.to_string())),
        };
        Self::of_key(&key).ok_or_else(|| fail("this is not a key of 64 hexadecimal digits".to_owned()))
    }

    /// With a key of 64 hexadecimal digits.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let bytes: [u8; 32] = unhex(key.trim())?.try_into().ok()?;
        Some(Self { cipher: ChaCha20Poly1305::new(&Key::from(bytes)) })
    }

    /// The text sealed for one row of one account.
    pub(crate) fn seal(&self, text: &str, account: &str, row: &str) -> Result<String, ServerError> {
        let nonce = rand::random::<[u8; NONCE_BYTES]>();
        let bound = bound_to(account, row);
        let payload = Payload { msg: text.as_bytes(), aad: &bound };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| ServerError::Secret("an app password could not be sealed".to_owned()))?;
        Ok(format!("{}{}", hex(&nonce), hex(&sealed)))
    }

    /// The text behind [`seal`](Self::seal); `None` when it was made with another key, or for another row.
    pub(crate) fn unseal(&self, sealed: &str, account: &str, row: &str) -> Option<String> {
        let bytes = unhex(sealed)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let bound = bound_to(account, row);
        let opened = self.cipher.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &bound }).ok()?;
        String::from_utf8(opened).ok()
    }
}

/// Both ids with the length of the first, so that no two pairs look alike.
fn bound_to(account: &str, row: &str) -> Vec<u8> {
    format!("{}:{account}{row}", account.len()).into_bytes()
}

fn read_key(file: &Path) -> std::io::Result<String> {
    let handle = std::fs::File::open(file)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if handle.metadata()?.permissions().mode() & 0o077 != 0 {
            tracing::warn!(file = %file.display(), "others could read this key; closing it to its owner");
            handle.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
    }
    let mut key = String::new();
    handle.take(1024).read_to_string(&mut key)?;
    Ok(key)
}

/// Writes a fresh key under another name first, so that a half-written key never stands under the real one; when
/// two processes start at once, both use the key of the first.
fn make_key(file: &Path) -> std::io::Result<String> {
    let key = hex(&rand::random::<[u8; 32]>());
    let draft = file.with_extension(format!("{}.new", hex(&rand::random::<[u8; 4]>())));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut handle = options.open(&draft)?;
    handle.write_all(key.as_bytes())?;
    handle.sync_all()?;
    let linked = std::fs::hard_link(&draft, file);
    std::fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read_key(file),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_argon2id_and_verify() {
        let hash = hash_password("open sesame").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password("open sesame", &hash));
        assert!(!verify_password("open sesam", &hash));
        assert!(!verify_password("open sesame", "not a hash"));
    }

    #[test]
    fn a_sealed_secret_opens_only_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret.key");
        assert!(Vault::open(&file, false).is_err());
        let vault = Vault::open(&file, true).unwrap();
        let sealed = vault.seal("secret", "ann", "1").unwrap();
        assert!(!sealed.contains("secret") && sealed != vault.seal("secret", "ann", "1").unwrap());
        let again = Vault::open(&file, false).unwrap();
        assert_eq!(again.unseal(&sealed, "ann", "1").as_deref(), Some("secret"));
        assert_eq!(again.unseal(&sealed, "bob", "1"), None);
        assert_eq!(again.unseal(&sealed, "ann", "2"), None);
        assert_eq!(again.unseal(&sealed[2..], "ann", "1"), None);
        assert_eq!(again.unseal("", "ann", "1"), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_for_its_owner_alone_and_differs_everywhere() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("1"), folder.path().join("2"));
        for file in [&one, &two] {
            Vault::open(file, true).unwrap();
            assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_ne!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
        std::fs::set_permissions(&one, std::fs::Permissions::from_mode(0o644)).unwrap();
        Vault::open(&one, false).unwrap();
        assert_eq!(std::fs::metadata(&one).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&two, "short").unwrap();
        assert!(Vault::open(&two, true).is_err());
    }

    #[test]
    fn made_secrets_are_long_and_new() {
        assert_ne!(new_api_key(), new_api_key());
        assert!(new_api_key().len() >= 38 && new_app_password().len() >= 32);
        let password = new_password();
        assert_eq!(password.len(), 23, "{password}");
        assert_eq!(password.split('-').count(), 4);
    }
}
