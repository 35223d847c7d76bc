//! One request to a service, and what is to be made of it when it fails.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Url};

use crate::music::printable;
use crate::subsonic::{http_for, http_trouble, retry_after};

/// How long a whole answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read, bytes.
const LONGEST: usize = 16 << 20;
/// Longest message of a service that is passed on, characters.
const MESSAGE: usize = 200;

/// Why a service was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nothing reached it, or it said that it took nothing: again later.
    #[error("{why}")]
    Later {
        /// Why, in words.
        why: String,
        /// How long it wants to be left alone.
        wait: Option<Duration>,
    },
    /// The request left, and no answer says what became of it.
    #[error("no answer came: {0}")]
    Unsure(String),
    /// The login is no good.
    #[error("{0}")]
    Login(String),
    /// The request is larger than it takes.
    #[error("the request is too large for it")]
    TooMuch,
    /// It will never take this.
    #[error("{0}")]
    Bad(String),
}

/// What became of one play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// The service has it.
    Taken,
    /// The service will not have it; why.
    Ignored(String),
    /// The service will not have it today; why.
    NotToday(String),
}

/// An answer, whatever it says.
pub(super) struct Reply {
    pub(super) status: u16,
    /// How long to rest before the next request, where the service says so.
    pub(super) rest: Option<Duration>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// An answer without a meaning of its own.
    pub(super) fn trouble(&self) -> Trouble {
        let why = format!("it answered with HTTP status {}", self.status);
        match self.status {
            413 => Trouble::TooMuch,
            504 => Trouble::Unsure(why),
            _ => Trouble::Later { why, wait: self.rest },
        }
    }
}

/// The address of a service, without a slash at its end, and the means to reach it.
pub(super) fn reach(address: &str) -> Result<(reqwest::Client, Url), String> {
    let url =
        Url::parse(address.trim()).map_err(|e| format!("“{}” is no address: {e}", printable(address)))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("“{}” is no address of a service", printable(address)));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("name and password do not belong into the address of a service".to_owned());
    }
    Ok((http_for(&url).map_err(|e| e.to_string())?, url))
}

/// Sends a request and reads the answer.
pub(super) async fn send(request: RequestBuilder) -> Result<Reply, Trouble> {
    let answer = request.timeout(PATIENCE).send().await;
    let mut answer = answer.map_err(|error| {
        let why = http_trouble(&error);
        if error.is_connect() || error.is_builder() {
            Trouble::Later { why, wait: None }
        } else {
            Trouble::Unsure(why)
        }
    })?;
    let status = answer.status().as_u16();
    let rest = rest(status, answer.headers()).or_else(|| retry_after(&answer));
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Trouble::Unsure("its answer is too long".to_owned())),
            Ok(None) => return Ok(Reply { status, rest, body }),
            Err(error) => return Err(Trouble::Unsure(http_trouble(&error))),
        }
    }
}

/// What the headers of a rate limit ask for: to rest until it begins anew, when nothing is left of it.
fn rest(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let over = status == 429 || number("x-ratelimit-remaining").is_some_and(|left| left < 1.0);
    let seconds = number("x-ratelimit-reset-in").filter(|_| over)?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// What a service says of itself, fit to be shown.
pub(super) fn message(text: &str) -> String {
    printable(text.trim()).chars().take(MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect::<HeaderMap>()
    }

    #[test]
    fn a_rate_limit_is_obeyed_when_it_is_used_up() {
        let left = headers(&[("x-ratelimit-remaining", "3"), ("x-ratelimit-reset-in", "9")]);
        assert_eq!(rest(200, &left), None);
        assert_eq!(rest(429, &left), Some(Duration::from_secs(9)));
        let none = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset-in", "2")]);
        assert_eq!(rest(200, &none), Some(Duration::from_secs(2)));
        assert_eq!(rest(429, &headers(&[("x-ratelimit-reset-in", "-5")])), Some(Duration::ZERO));
        assert_eq!(rest(429, &headers(&[])), None);
    }

    #[test]
    fn addresses_are_those_of_services() {
        assert!(reach("https://api.listenbrainz.org").is_ok());
        for wrong in ["", "listenbrainz", "ftp://a", "https://me:secret@a"] {
            assert!(reach(wrong).is_err(), "{wrong}");
        }
        assert!(!reach("https://me:secret@a").unwrap_err().contains("secret"));
    }
}
