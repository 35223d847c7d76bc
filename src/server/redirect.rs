//! Sending a client to the store itself, so that the bytes of music do not pass through this server.
//!
//! The answer is a 302 (or a 303 to a form) to an address that the store accepts for a while. Not every client follows one, so this is done only for those that
//! the operator names; and only for what may be had as it is: whoever is counted, limited or hears ads is served here.

use std::time::Duration;

use axum::body::Body as HttpBody;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, Method, Response as HttpResponse, StatusCode};

use super::answer::{Answer, Refusal};
use super::limits::Limits;
use super::media::{Song, Wanted};
use super::storage::{Source, Storage};
use super::{Shared, media};

/// The name by which our own player calls itself.
const OWN: &str = "segue";
/// The shortest time that an address is good for,
const SHORTEST: Duration = Duration::from_mins(10);
/// and the longest, however long the music is.
const LONGEST: Duration = Duration::from_hours(12);

/// Which clients are sent to the store itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirects {
    /// Names of clients, as they call themselves (`c=`).
    clients: Vec<String>,
    /// What stands in place of the store's own scheme and host.
    cdn: Option<String>,
}

impl Redirects {
    /// Nobody (`never`), our own player (`own`), or the clients of these names.
    pub fn to(clients: &[String]) -> Self {
        let name = |client: &String| match client.trim() {
            "own" => OWN.to_owned(),
            name => name.to_owned(),
        };
        let clients = clients.iter().map(name).filter(|name| !name.is_empty() && name != "never").collect();
        Self { clients, cdn: None }
    }

    /// Through a network that stands before the store; the error is a sentence.
    pub fn through(self, cdn: Option<&str>) -> Result<Self, String> {
        let Some(cdn) = cdn else { return Ok(self) };
        let cdn = cdn.trim_end_matches('/');
        let host = cdn.strip_prefix("https://").or_else(|| cdn.strip_prefix("http://"));
        let plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '/' | '_' | '[' | ']');
        if !host.is_some_and(|host| !host.is_empty() && host.chars().all(plain)) {
            return Err(format!("“{cdn}” is no address of a CDN: write it as https://HOST"));
        }
        Ok(Self { cdn: Some(cdn.to_owned()), ..self })
    }

    fn reaches(&self, client: &str) -> bool {
        self.clients.iter().any(|name| name == client)
    }

    /// The address as clients are told it.
    fn address(&self, signed: String) -> String {
        let Some(cdn) = &self.cdn else { return signed };
        let path = signed.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        path.map_or_else(|| signed.clone(), |path| format!("{cdn}{path}"))
    }
}

/// How long an address is good for: as long as anybody takes to hear a track with a pause in between.
fn lifetime(duration_ms: u64) -> Duration {
    Duration::from_millis(duration_ms.saturating_mul(2)).clamp(SHORTEST, LONGEST)
}

/// Answers with a song as it is: by its store, where the client can be sent there and may be, else as ever.
pub(crate) async fn send_song(
    song: &Song,
    wanted: &Wanted<'_>,
    shared: &Shared,
    client: &str,
    limits: &Limits,
) -> Result<Answer, Refusal> {
    if shared.redirects.reaches(client)
        && wanted.method != Method::HEAD
        && song.place.slice.is_none()
        && limits.are_none()
        && let Some(answer) = to_store(song, wanted.method, shared).await?
    {
        return Ok(answer);
    }
    media::send_song(song, wanted, shared).await
}

async fn to_store(song: &Song, method: &Method, shared: &Shared) -> Result<Option<Answer>, Refusal> {
    let found = shared.storage.find(&song.place.path).await;
    let Source::Object(object) = found.map_err(|trouble| Refusal::by_store(&trouble, "song"))? else {
        return Ok(None);
    };
    let signed = match Storage::sign(&object, lifetime(song.track.duration_ms)).await {
        Ok(signed) => signed,
        // Credentials that may read need not be such as can sign.
        Err(trouble) => {
            tracing::warn!(%trouble, "no address can be signed; the music passes through this server");
            None
        }
    };
    let location = signed.and_then(|signed| HeaderValue::from_str(&shared.redirects.address(signed)).ok());
    let Some(mut location) = location else { return Ok(None) };
    location.set_sensitive(true);
    let mut response = HttpResponse::new(HttpBody::empty());
    *response.status_mut() = if method == Method::POST { StatusCode::SEE_OTHER } else { StatusCode::FOUND };
    response.headers_mut().insert(LOCATION, location);
    shared.metrics.redirected.inc();
    // The address ends, and it is a key to the song for whoever has it.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(Some(Answer::Raw(response)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(clients: &[&str]) -> Redirects {
        Redirects::to(&clients.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn who_is_sent_there() {
        assert_eq!(to(&["never"]), Redirects::default());
        assert!(!to(&[]).reaches("segue") && !to(&["never"]).reaches("never"));
        assert!(to(&["own"]).reaches("segue") && !to(&["own"]).reaches("DSub"));
        let both = to(&["own", "play:Sub"]);
        assert!(
            both.reaches("segue") && both.reaches("play:Sub") && !both.reaches("") && !both.reaches("own")
        );
    }

    #[test]
    fn a_cdn_takes_the_place_of_the_host() {
        let signed = || "https://acct.blob.core.windows.net/music/a/1.flac?sv=1&sig=a%2Bb".to_owned();
        assert_eq!(to(&["own"]).address(signed()), signed());
        let cdn = to(&["own"]).through(Some("https://cdn.example.org/edge/")).unwrap();
        assert_eq!(cdn.address(signed()), "https://cdn.example.org/edge/music/a/1.flac?sv=1&sig=a%2Bb");
        for wrong in ["cdn.example.org", "https://", "ftp://x", "https://a b", "https://x?y=1"] {
            assert!(to(&["own"]).through(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_lasts_as_long_as_the_music_asks_for() {
        assert_eq!(lifetime(0), SHORTEST);
        assert_eq!(lifetime(3_600_000), Duration::from_hours(2));
        assert_eq!(lifetime(u64::MAX), LONGEST);
    }
}
