//! How a client proves who it is: what both ends compute.
//!
//! The API has four ways: an API key; user and password in clear or in hexadecimal; user with
//! `md5(password + salt)` and the salt. Servers that hash passwords cannot check the last one.

use std::fmt;

use md5::{Digest, Md5};

/// What a listener gives a client to log in with. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A key made by the server, which alone names the account.
    ApiKey(String),
    /// Account name and password.
    Password {
        /// Account name.
        user: String,
        /// Password.
        password: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(_) => f.write_str("ApiKey(…)"),
            Self::Password { user, .. } => write!(f, "Password {{ user: {user:?}, password: … }}"),
        }
    }
}

/// The token for a password and a salt: lower-case hexadecimal MD5 of the two.
pub fn token(password: &str, salt: &str) -> String {
    hex(&Md5::new().chain_update(password).chain_update(salt).finalize())
}

/// A fresh salt.
pub fn salt() -> String {
    hex(&rand::random::<[u8; 8]>())
}

/// The password as `p=` carries it so that no character needs escaping: `enc:` and hexadecimal UTF-8.
pub fn hex_password(password: &str) -> String {
    format!("enc:{}", hex(password.as_bytes()))
}

/// The password behind `p=`, in clear or as `enc:`; `None` when the hexadecimal or the UTF-8 is broken.
pub fn read_password(p: &str) -> Option<String> {
    match p.strip_prefix("enc:") {
        None => Some(p.to_owned()),
        Some(digits) => String::from_utf8(unhex(digits)?).ok(),
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit)))
        .collect()
}

/// The bytes behind hexadecimal digits; `None` for an odd number of them or anything else.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = digits.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| (high << 4 | low) as u8).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn token_of_the_specification() {
        assert_eq!(token("sesame", "c19b2d"), "26719a1196d2a940705a59634eb18eab");
    }

    #[test]
    fn broken_hexadecimal_is_no_password() {
        assert_eq!(read_password("enc:zz"), None);
        assert_eq!(read_password("enc:abc"), None);
        assert_eq!(read_password("enc:ff"), None);
        assert_eq!(read_password("enc:"), Some(String::new()));
        assert_eq!(read_password("plain"), Some("plain".to_owned()));
    }

    #[test]
    fn debug_shows_no_secret() {
        let both = [
            Credentials::ApiKey("hunter2".into()),
            Credentials::Password { user: "ann".into(), password: "hunter2".into() },
        ];
        assert!(!format!("{both:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn any_password_survives_hexadecimal(password in any::<String>()) {
            prop_assert_eq!(read_password(&hex_password(&password)), Some(password));
        }
    }
}
