//! What the `ListenBrainz` API wants (<https://listenbrainz.readthedocs.io/en/latest/users/api/core.html>).

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::AUTHORIZATION;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::account::span;
use super::wire::{self, Reply, Told, Trouble};
use crate::catalog::Scrobble;
use crate::music::Listen;

/// What the player calls itself there.
const PROGRAM: &str = "Segue";
/// Longest request, bytes: the service takes ten times as much, a web server before one's own often no more.
const BYTES: usize = 1_000_000;
/// Listens in one answer of the history; what the service gives at most.
const PAGE: usize = 1000;
/// Pages of the history that are read at most.
const PAGES: usize = 20;

/// An account at `ListenBrainz`. `Debug` shows no secret.
pub struct ListenBrainz {
    http: reqwest::Client,
    /// Without a slash at its end.
    base: String,
    token: String,
    /// The name of the account, once it is known.
    user: OnceCell<String>,
}

impl fmt::Debug for ListenBrainz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListenBrainz {{ base: {:?}, token: … }}", self.base)
    }
}

impl ListenBrainz {
    /// Most listens in one request.
    pub(super) const MOST: usize = 1000;

    /// The account of a user's token at an address (`https://api.listenbrainz.org`). Nothing is sent yet.
    pub fn new(base: &str, token: &str) -> Result<Self, String> {
        let (http, url) = wire::reach(base)?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, base, token: token.trim().to_owned(), user: OnceCell::new() })
    }

    fn authorization(&self) -> String {
        format!("Token {}", self.token)
    }

    async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Reply, Trouble> {
        let bad = || Trouble::Bad(format!("“{}” is no address of a service", self.base));
        let mut url = Url::parse(&self.base).map_err(|_| bad())?;
        url.path_segments_mut().map_err(|()| bad())?.pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        wire::send(self.http.get(url).header(AUTHORIZATION, self.authorization())).await
    }

    /// The name of the account, if the token is good.
    pub async fn check(&self) -> Result<String, Trouble> {
        let reply = self.get(&["1", "validate-token"], &[]).await?;
        let answer = reply.json().unwrap_or_default();
        match (reply.status, answer["valid"].as_bool()) {
            (200, Some(true)) => Ok(answer["user_name"].as_str().unwrap_or_default().to_owned()),
            (200, Some(false)) | (401, _) => Err(Trouble::Login("the token is not valid".to_owned())),
            _ => Err(reply.trouble()),
        }
    }

    async fn post(&self, body: &Value) -> Result<Option<Duration>, Trouble> {
        let request = self
            .http
            .post(format!("{}/1/submit-listens", self.base))
            .header(AUTHORIZATION, self.authorization())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let reply = wire::send(request).await?;
        let said = || {
            let answer = reply.json().unwrap_or_default();
            let said = wire::message(answer["error"].as_str().unwrap_or_default());
            if said.is_empty() { format!("HTTP status {}", reply.status) } else { said }
        };
        match reply.status {
            401 | 403 => Err(Trouble::Login(said())),
            400 => Err(Trouble::Bad(said())),
            _ if reply.is_success() => Ok(reply.rest),
            _ => Err(reply.trouble()),
        }
    }

    pub(super) async fn now_playing(&self, listen: &Listen) -> Result<(), Trouble> {
        self.post(&json!({ "listen_type": "playing_now", "payload": [payload(listen, None)] }))
            .await
            .map(drop)
    }

    pub(super) fn fitting(scrobbles: &[Scrobble]) -> usize {
        let mut bytes = 0;
        let fit = scrobbles.iter().take(Self::MOST).take_while(|scrobble| {
            bytes += payload(&scrobble.listen, Some(scrobble.started_s())).to_string().len() + 1;
            bytes <= BYTES
        });
        fit.count().max(1)
    }

    pub(super) async fn submit(
        &self,
        scrobbles: &[Scrobble],
    ) -> Result<(Vec<Told>, Option<Duration>), Trouble> {
        let kind = if scrobbles.len() == 1 { "single" } else { "import" };
        let payload: Vec<Value> = scrobbles.iter().map(|s| payload(&s.listen, Some(s.started_s()))).collect();
        let rest = self.post(&json!({ "listen_type": kind, "payload": payload })).await?;
        Ok((vec![Told::Taken; scrobbles.len()], rest))
    }

    /// Which of these are in the history of the account; none where there is no history to be asked for, as with some that
    /// speak only half of the API.
    pub(super) async fn has(&self, scrobbles: &[Scrobble]) -> Result<Option<Vec<bool>>, Trouble> {
        let Some((first, last)) = span(scrobbles) else { return Ok(Some(Vec::new())) };
        let user = match self.user.get_or_try_init(|| self.check()).await {
            Ok(user) if !user.is_empty() => user,
            Ok(_) => return Ok(None),
            Err(trouble) => return Err(trouble),
        };
        let mut there = HashSet::new();
        let mut before = last + 1;
        for _ in 0..PAGES {
            let query = [
                ("min_ts", (first - 1).to_string()),
                ("max_ts", before.to_string()),
                ("count", PAGE.to_string()),
            ];
            let reply = self.get(&["1", "user", user, "listens"], &query).await?;
            if matches!(reply.status, 404 | 405 | 501) {
                return Ok(None);
            }
            let answer = reply.json().filter(|_| reply.is_success()).ok_or_else(|| reply.trouble())?;
            let Some(listens) = answer["payload"]["listens"].as_array() else { return Ok(None) };
            let times: Vec<i64> = listens.iter().filter_map(|l| l["listened_at"].as_i64()).collect();
            there.extend(times.iter().copied());
            match times.into_iter().min() {
                Some(oldest) if oldest > first && oldest < before => before = oldest,
                _ => break,
            }
        }
        Ok(Some(scrobbles.iter().map(|s| there.contains(&s.started_s())).collect()))
    }
}

/// A listen as the API has it; one that is not over has no time.
fn payload(listen: &Listen, listened_at: Option<i64>) -> Value {
    let mut info = Map::new();
    let version = env!("CARGO_PKG_VERSION");
    for (name, value) in [
        ("media_player", PROGRAM),
        ("media_player_version", version),
        ("submission_client", PROGRAM),
        ("submission_client_version", version),
    ] {
        info.insert(name.to_owned(), value.into());
    }
    info.insert("duration_ms".to_owned(), listen.duration_ms.into());
    if let Some(number) = listen.number {
        info.insert("tracknumber".to_owned(), number.into());
    }
    // One id that is none, and the service refuses the whole request.
    let mbid = |id: &str| Uuid::parse_str(id.trim()).ok().map(|id| id.hyphenated().to_string());
    for (name, id) in [("recording_mbid", &listen.recording), ("release_mbid", &listen.release)] {
        if let Some(id) = id.as_deref().and_then(mbid) {
            info.insert(name.to_owned(), id.into());
        }
    }
    let artists: Option<Vec<String>> = listen.artists.iter().map(|id| mbid(id)).collect();
    if let Some(artists) = artists.filter(|artists| !artists.is_empty()) {
        info.insert("artist_mbids".to_owned(), artists.into());
    }
    let mut track = Map::new();
    track.insert("artist_name".to_owned(), listen.artist.clone().into());
    track.insert("track_name".to_owned(), listen.title.clone().into());
    if !listen.album.is_empty() {
        track.insert("release_name".to_owned(), listen.album.clone().into());
    }
    track.insert("additional_info".to_owned(), info.into());
    let mut payload = Map::new();
    if let Some(at) = listened_at {
        payload.insert("listened_at".to_owned(), at.into());
    }
    payload.insert("track_metadata".to_owned(), track.into());
    payload.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::ScrobbleService;

    fn listen() -> Listen {
        Listen { artist: "Ann".into(), title: "Dew".into(), duration_ms: 200_000, ..Listen::default() }
    }

    #[test]
    fn ids_that_are_none_are_left_out() {
        let id = "E225FB84-dc9a-419e-adcd-9890f59ec432";
        let listen = Listen {
            recording: Some(id.into()),
            release: Some("not an id".into()),
            artists: vec![id.into(), "nor this".into()],
            ..listen()
        };
        let info = payload(&listen, None)["track_metadata"]["additional_info"].clone();
        assert_eq!(info["recording_mbid"], id.to_lowercase());
        assert!(info.get("release_mbid").is_none() && info.get("artist_mbids").is_none(), "{info}");
    }

    #[test]
    fn a_request_holds_a_thousand_listens_and_a_million_bytes() {
        let account = ListenBrainz::new("http://127.0.0.1:1", "secret").unwrap();
        let one = Scrobble {
            service: ScrobbleService::ListenBrainz,
            track: "t".into(),
            started_at: 1_700_000_000_000,
            listen: listen(),
        };
        assert_eq!(ListenBrainz::fitting(&vec![one.clone(); 1001]), 1000);
        let long = Scrobble { listen: Listen { title: "x".repeat(400_000), ..listen() }, ..one.clone() };
        assert_eq!(ListenBrainz::fitting(&vec![long; 5]), 2);
        let huge = Scrobble { listen: Listen { title: "x".repeat(2_000_000), ..listen() }, ..one };
        assert_eq!(ListenBrainz::fitting(&vec![huge; 2]), 1);
        assert!(!format!("{account:?}").contains("secret"));
    }
}
