//! What the Last.fm API wants (<https://www.last.fm/api/scrobbling>, <https://www.last.fm/api/desktopauth>).

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::Duration;

use md5::{Digest, Md5};
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::account::span;
use super::wire::{self, Reply, Told, Trouble};
use crate::catalog::Scrobble;
use crate::music::Listen;

/// Plays in one answer of the history; what the service gives at most.
const PAGE: usize = 200;
/// Pages of the history that are read at most.
const PAGES: usize = 50;
/// How long a rate limit is waited for that says nothing itself.
const PATIENCE: Duration = Duration::from_mins(1);
/// Of the service itself, whose pages for people are elsewhere.
const API_HOST: &str = "ws.audioscrobbler.com";
const PAGES_HOST: &str = "www.last.fm";

/// What an application has from the service, and where that is. `Debug` shows no secret.
#[derive(Clone)]
pub struct LastFmKeys {
    /// Address of the API (`https://ws.audioscrobbler.com/2.0/`).
    pub url: String,
    /// The application's key, which is no secret.
    pub key: String,
    /// The application's shared secret.
    pub secret: String,
}

impl fmt::Debug for LastFmKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LastFmKeys {{ url: {:?}, key: {:?}, secret: … }}", self.url, self.key)
    }
}

/// What the service gives an application that a listener has allowed. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Name of the account; empty where it is not known.
    pub user: String,
    /// The session key, good until it is revoked.
    pub key: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session {{ user: {:?}, key: … }}", self.user)
    }
}

/// An account at Last.fm.
#[derive(Debug)]
pub struct LastFm {
    http: reqwest::Client,
    url: Url,
    keys: LastFmKeys,
    session: Option<Session>,
}

/// Parameters of one call; sorted as the signature wants them.
type Params = BTreeMap<String, String>;

impl LastFm {
    /// Most plays in one request.
    pub(super) const MOST: usize = 50;

    /// The account of a session; without one only the way to a session is open. Nothing is sent yet.
    pub fn new(keys: LastFmKeys, session: Option<Session>) -> Result<Self, String> {
        let (http, url) = wire::reach(&keys.url)?;
        Ok(Self { http, url, keys, session })
    }

    /// A token that a listener can allow at [`permission_page`](Self::permission_page).
    pub async fn token(&self) -> Result<String, Trouble> {
        let answer = self.call("auth.getToken", Params::new()).await?.0;
        let token = answer["token"].as_str().filter(|token| !token.is_empty());
        token.map(str::to_owned).ok_or_else(|| Trouble::Bad("it gave no token".to_owned()))
    }

    /// Where a listener allows the application that has this token.
    pub fn permission_page(&self, token: &str) -> String {
        let mut page = self.url.clone();
        if page.host_str() == Some(API_HOST) {
            // An error means that it has no host, and it has.
            let _ = page.set_host(Some(PAGES_HOST));
        }
        page.set_path("/api/auth/");
        page.query_pairs_mut().clear().append_pair("api_key", &self.keys.key).append_pair("token", token);
        page.into()
    }

    /// The session of a token, once the listener has allowed it; none before.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, Trouble> {
        let params = Params::from([("token".to_owned(), token.to_owned())]);
        let answer = match self.request("auth.getSession", params).await? {
            // 14: the token was not allowed yet.
            (reply, answer) if code(answer.as_ref()) != Some(14) => sorted(&reply, answer)?.0,
            _ => return Ok(None),
        };
        let word = |name: &str| answer["session"][name].as_str().unwrap_or_default().to_owned();
        let session = Session { user: word("name"), key: word("key") };
        if session.key.is_empty() {
            Err(Trouble::Bad("it gave no session".to_owned()))
        } else {
            Ok(Some(session))
        }
    }

    /// The name of the account, if the session is good.
    pub async fn check(&self) -> Result<String, Trouble> {
        let answer = self.call("user.getInfo", Params::new()).await?.0;
        Ok(answer["user"]["name"].as_str().unwrap_or_default().to_owned())
    }

    pub(super) async fn now_playing(&self, listen: &Listen) -> Result<(), Trouble> {
        let mut params = Params::new();
        describe(&mut params, listen, "");
        self.call("track.updateNowPlaying", params).await.map(drop)
    }

    pub(super) async fn submit(
        &self,
        scrobbles: &[Scrobble],
    ) -> Result<(Vec<Told>, Option<Duration>), Trouble> {
        let mut params = Params::new();
        for (at, scrobble) in scrobbles.iter().enumerate() {
            let index = format!("[{at}]");
            describe(&mut params, &scrobble.listen, &index);
            params.insert(format!("timestamp{index}"), scrobble.started_s().to_string());
        }
        let (answer, rest) = self.call("track.scrobble", params).await?;
        let told = several(&answer["scrobbles"]["scrobble"]);
        // What is not mentioned was taken: an answer without an error says so.
        let of = |at: usize| told.get(at).map_or(Told::Taken, |told| fate(told));
        Ok(((0..scrobbles.len()).map(of).collect(), rest))
    }

    /// Which of these are in the history of the account.
    pub(super) async fn has(&self, scrobbles: &[Scrobble]) -> Result<Vec<bool>, Trouble> {
        let Some((first, last)) = span(scrobbles) else { return Ok(Vec::new()) };
        let known = self.session.as_ref().map(|session| session.user.clone()).unwrap_or_default();
        let user = if known.is_empty() { self.check().await? } else { known };
        let mut there = HashSet::new();
        for page in 1..=PAGES {
            let params = [
                ("user", user.clone()),
                ("from", (first - 1).to_string()),
                ("to", (last + 1).to_string()),
                ("limit", PAGE.to_string()),
                ("page", page.to_string()),
            ];
            let params = params.map(|(name, value)| (name.to_owned(), value));
            let answer = self.call("user.getRecentTracks", Params::from(params)).await?.0;
            let recent = &answer["recenttracks"];
            let tracks = several(&recent["track"]);
            // What plays now has no date.
            there.extend(tracks.iter().filter_map(|track| number(&track["date"]["uts"])));
            let pages = number(&recent["@attr"]["totalPages"]).unwrap_or(1);
            if tracks.is_empty() || i64::try_from(page).unwrap_or(i64::MAX) >= pages {
                break;
            }
        }
        Ok(scrobbles.iter().map(|s| there.contains(&s.started_s())).collect())
    }

    async fn call(&self, method: &str, params: Params) -> Result<(Value, Option<Duration>), Trouble> {
        let (reply, answer) = self.request(method, params).await?;
        sorted(&reply, answer)
    }

    async fn request(&self, method: &str, mut params: Params) -> Result<(Reply, Option<Value>), Trouble> {
        params.insert("method".to_owned(), method.to_owned());
        params.insert("api_key".to_owned(), self.keys.key.clone());
        if let Some(session) = self.session.as_ref().filter(|_| !method.starts_with("auth.")) {
            params.insert("sk".to_owned(), session.key.clone());
        }
        let signature = signature(&params, &self.keys.secret);
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&params)
            .append_pair("api_sig", &signature)
            .append_pair("format", "json")
            .finish();
        let request = self.http.post(self.url.clone());
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        let reply = wire::send(request).await?;
        let answer = reply.json().filter(Value::is_object);
        Ok((reply, answer))
    }
}

/// Sorts an answer: the code counts, since the HTTP status is not always what it should be.
fn sorted(reply: &Reply, answer: Option<Value>) -> Result<(Value, Option<Duration>), Trouble> {
    let Some(code) = code(answer.as_ref()) else {
        return match answer.filter(|_| reply.is_success()) {
            Some(answer) => Ok((answer, reply.rest)),
            // A gateway that has no answer does not know what was done behind it.
            None if matches!(reply.status, 500 | 502) => {
                Err(Trouble::Unsure(format!("HTTP status {}", reply.status)))
            }
            None if reply.is_success() => Err(Trouble::Unsure("its answer cannot be read".to_owned())),
            None => Err(reply.trouble()),
        };
    };
    let said = answer.as_ref().and_then(|answer| answer["message"].as_str()).unwrap_or_default();
    let why = format!("error {code}: {}", wire::message(said));
    Err(match code {
        // Authentication failed, session key, API key, signature, token, suspended key.
        4 | 9 | 10 | 13 | 14 | 15 | 26 => Trouble::Login(why),
        // Nothing there, something else, offline, unavailable.
        2 | 8 | 11 | 16 => Trouble::Later { why, wait: reply.rest },
        29 => Trouble::Later { why, wait: Some(reply.rest.unwrap_or(PATIENCE)) },
        _ => Trouble::Bad(why),
    })
}

/// The parameters that tell of a track; `index` is what the API has behind their names in a batch.
fn describe(params: &mut Params, listen: &Listen, index: &str) {
    let mut put = |name: &str, value: String| params.insert(format!("{name}{index}"), value);
    put("artist", listen.artist.clone());
    put("track", listen.title.clone());
    if !listen.album.is_empty() {
        put("album", listen.album.clone());
    }
    if !listen.album_artist.is_empty() && listen.album_artist != listen.artist {
        put("albumArtist", listen.album_artist.clone());
    }
    if let Some(number) = listen.number {
        put("trackNumber", number.to_string());
    }
    if let Some(id) = &listen.recording {
        put("mbid", id.clone());
    }
    put("duration", (listen.duration_ms / 1000).to_string());
}

/// MD5 over names and values in the order of the names, and the secret.
fn signature(params: &Params, secret: &str) -> String {
    let mut hash = Md5::new();
    for (name, value) in params {
        hash.update(name);
        hash.update(value);
    }
    hash.update(secret);
    crate::subsonic::auth::hex(&hash.finalize())
}

fn code(answer: Option<&Value>) -> Option<i64> {
    number(&answer?["error"])
}

/// A number, which may be written as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A list of which one alone is written without being one.
fn several(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Object(_) => vec![value],
        _ => Vec::new(),
    }
}

/// What became of one play.
fn fate(told: &Value) -> Told {
    let ignored = &told["ignoredMessage"];
    let words = |otherwise: &str| {
        let said = wire::message(ignored["#text"].as_str().unwrap_or_default());
        if said.is_empty() { otherwise.to_owned() } else { said }
    };
    match number(&ignored["code"]).unwrap_or(0) {
        0 => Told::Taken,
        1 => Told::Ignored(words("its artist is ignored there")),
        2 => Told::Ignored(words("the track is ignored there")),
        3 => Told::Ignored(words("it was heard too long ago")),
        4 => Told::Ignored(words("it was heard in the future")),
        5 => Told::NotToday(words("the limit of a day is reached")),
        code => Told::Ignored(words(&format!("code {code}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> LastFm {
        let keys = LastFmKeys {
            url: "https://ws.audioscrobbler.com/2.0/".into(),
            key: "k".into(),
            secret: "s".into(),
        };
        LastFm::new(keys, Some(Session { user: "ann".into(), key: "sk".into() })).unwrap()
    }

    #[test]
    fn the_signature_is_over_names_in_the_order_of_ascii() {
        let pairs = [("artist[1]", "b"), ("artist[10]", "c"), ("api_key", "k"), ("artist[0]", "ä")];
        let params: Params = pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        let text = "api_keykartist[0]äartist[10]cartist[1]bsecret";
        assert_eq!(signature(&params, "secret"), crate::subsonic::auth::hex(&Md5::digest(text)));
    }

    #[test]
    fn a_listener_allows_it_on_a_page_for_people() {
        assert_eq!(service().permission_page("t 1"), "https://www.last.fm/api/auth/?api_key=k&token=t+1");
        let keys = LastFmKeys { url: "https://libre.fm/2.0/".into(), key: "k".into(), secret: "s".into() };
        let other = LastFm::new(keys, None).unwrap();
        assert_eq!(other.permission_page("t"), "https://libre.fm/api/auth/?api_key=k&token=t");
    }

    #[test]
    fn answers_are_sorted_by_their_code() {
        let sort = |status, body: &str| {
            let reply = Reply { status, rest: None, body: body.as_bytes().to_vec() };
            let answer = reply.json().filter(Value::is_object);
            sorted(&reply, answer)
        };
        assert!(sort(200, "{}").is_ok());
        for code in [4, 9, 10, 13, 26] {
            let body = format!("{{\"error\":{code},\"message\":\"no\"}}");
            assert!(matches!(sort(403, &body), Err(Trouble::Login(_))), "{code}");
        }
        for (code, wait) in [(11, None), (16, None), (29, Some(PATIENCE))] {
            let body = format!("{{\"error\":{code},\"message\":\"later\"}}");
            let later = Trouble::Later { why: format!("error {code}: later"), wait };
            assert_eq!(sort(200, &body), Err(later));
        }
        assert!(matches!(sort(400, "{\"error\":6}"), Err(Trouble::Bad(_))));
        assert!(matches!(sort(502, "<html>"), Err(Trouble::Unsure(_))));
        assert!(matches!(sort(503, "<html>"), Err(Trouble::Later { .. })));
    }

    #[test]
    fn one_play_is_no_list_and_codes_are_text() {
        let one = serde_json::json!({ "ignoredMessage": { "code": "3", "#text": "" } });
        assert_eq!(several(&one).len(), 1);
        assert_eq!(fate(&one), Told::Ignored("it was heard too long ago".into()));
        assert_eq!(fate(&serde_json::json!({ "ignoredMessage": { "code": "0", "#text": "" } })), Told::Taken);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let keys = LastFmKeys { url: "http://a".into(), key: "k".into(), secret: "hush".into() };
        let service = LastFm::new(keys, Some(Session { user: "ann".into(), key: "hush".into() })).unwrap();
        assert!(!format!("{service:?}").contains("hush"));
    }
}
