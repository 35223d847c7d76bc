//! Plays on their way to ListenBrainz and Last.fm: requests as the services want them, each play once whatever happens.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/library.rs"]
mod library;
mod scrobble_fake;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use library::{account, track};
use md5::{Digest, Md5};
use scrobble_fake::{Answer, Fake, PATIENCE, Request, nobody, say};
use segue::catalog::{Batch, Catalog, Listener, Scrobble, ScrobbleState};
use segue::music::{EndReason, Listen, Play, PlayContext, ScrobbleService, StartReason, Track};
use segue::scrobble::{Account, LastFm, LastFmKeys, LastFmSession, ListenBrainz, Login, Pace, Scrobbler};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const RECORDING: &str = "e225fb84-dc9a-419e-adcd-9890f59ec432";
/// When the first play began, Unix time in s.
const BEGAN: i64 = 1_700_000_000;

fn pace() -> Pace {
    Pace {
        // Nothing goes out but when it is said that something waits.
        look: Duration::from_hours(1),
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        doubt: Duration::from_millis(50),
    }
}

/// A listener's machine, and what it tells them.
struct Machine {
    dir: tempfile::TempDir,
    me: Listener,
}

impl Machine {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let me = open(dir.path()).await;
        Self { dir, me }
    }

    /// Keeps the plays of some tracks, as the player does; those that were begun at `BEGAN` and a minute after each other.
    async fn hear(&self, service: ScrobbleService, numbers: std::ops::Range<i64>) {
        for number in numbers {
            hear(&self.me, service, number).await;
        }
    }

    fn start(
        &self,
        login: impl Fn() -> Account + Send + Sync + 'static,
    ) -> (Scrobbler, UnboundedReceiver<String>) {
        let service = login().service();
        let login: Login = Arc::new(move |_| Ok(login()));
        Scrobbler::start(&self.me, vec![service], &login, pace())
    }

    /// Waits until nothing waits any more.
    async fn through(&self, service: ScrobbleService) {
        let wait = async {
            while self.me.scrobble_count(service).await.unwrap().waiting > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }
}

async fn open(dir: &Path) -> Listener {
    let catalog = Catalog::open(&dir.join("catalog.db")).await.unwrap();
    let tracks: Vec<Track> = (0..60).map(numbered).collect();
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    catalog.listener(&account())
}

fn numbered(number: i64) -> Track {
    let mut track = track(&format!("t{number}"), &format!("Song {number}"), "Ann", Some(("a", "Dew")));
    track.duration_ms = 200_000;
    track.number = u32::try_from(number + 1).ok();
    track.musicbrainz_id = Some(RECORDING.to_owned());
    track
}

fn play_of(number: i64) -> Play {
    Play {
        track: format!("t{number}").into(),
        started_at: (BEGAN + 60 * number) * 1000 + 123,
        heard_ms: 150_000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    }
}

async fn hear(me: &Listener, service: ScrobbleService, number: i64) -> bool {
    let play = play_of(number);
    let listen = me.listen_of(&numbered(number)).await.unwrap().unwrap();
    assert!(service.wants(&listen, play.heard_ms));
    let scrobble = Scrobble { service, track: play.track.clone(), started_at: play.started_at, listen };
    me.record_play_for(&play, &PlayContext::default(), &[scrobble]).await.unwrap()
}

const LB: ScrobbleService = ScrobbleService::ListenBrainz;
const FM: ScrobbleService = ScrobbleService::LastFm;

fn listenbrainz(fake: &Fake) -> impl Fn() -> Account + Send + Sync + 'static {
    let url = fake.url();
    move || Account::ListenBrainz(ListenBrainz::new(&url, "hush-token").unwrap())
}

fn lastfm(fake: &Fake) -> impl Fn() -> Account + Send + Sync + 'static {
    let url = format!("{}/2.0/", fake.url());
    move || {
        let keys = LastFmKeys { url: url.clone(), key: "key".into(), secret: "hush-secret".into() };
        let session = LastFmSession { user: "ann".into(), key: "hush-session".into() };
        Account::LastFm(LastFm::new(keys, Some(session)).unwrap())
    }
}

/// A listen of [`numbered`] as its bytes are to be.
fn listen_text(number: i64, over: bool) -> String {
    let at = if over { format!("\"listened_at\":{},", BEGAN + 60 * number) } else { String::new() };
    format!(
        "{{{at}\"track_metadata\":{{\"artist_name\":\"Ann\",\"track_name\":\"Song {number}\",\"release_name\":\"Dew\",\
         \"additional_info\":{{\"media_player\":\"Segue\",\"media_player_version\":\"{VERSION}\",\
         \"submission_client\":\"Segue\",\"submission_client_version\":\"{VERSION}\",\"duration_ms\":200000,\
         \"tracknumber\":{},\"recording_mbid\":\"{RECORDING}\"}}}}}}",
        number + 1
    )
}

fn submission(kind: &str, listens: &[String]) -> String {
    format!("{{\"listen_type\":\"{kind}\",\"payload\":[{}]}}", listens.join(","))
}

/// Start times of the listens of requests that were taken, in order.
fn times(requests: &[Request]) -> Vec<i64> {
    let payloads = requests.iter().flat_map(|r| r.json()["payload"].as_array().unwrap().clone());
    payloads.map(|listen| listen["listened_at"].as_i64().unwrap()).collect()
}

const SUBMIT: &str = "POST /1/submit-listens HTTP/1.1";
const OK: &str = r#"{"status":"ok"}"#;

/// What a service answers that has some plays already.
fn history(request: &Request, there: &[i64]) -> Answer {
    if request.is("GET /1/validate-token") {
        return say(200, r#"{"code":200,"valid":true,"user_name":"ann b"}"#);
    }
    let listens: Vec<Value> = there.iter().map(|at| json!({ "listened_at": at })).collect();
    say(200, json!({ "payload": { "listens": listens } }).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn listenbrainz_is_told_what_plays_and_what_was_heard() {
    let (fake, machine) = (Fake::new(|_, _| say(200, OK)), Machine::new().await);
    let (scrobbler, _told) = machine.start(listenbrainz(&fake));
    scrobbler.now_playing(machine.me.listen_of(&numbered(0)).await.unwrap().unwrap());
    let first = fake.wait(SUBMIT, 1).remove(0);
    assert_eq!(first.body, submission("playing_now", &[listen_text(0, false)]));
    assert_eq!(first.headers["authorization"], "Token hush-token");
    assert_eq!(first.headers["content-type"], "application/json");
    assert_eq!(first.headers["user-agent"], format!("segue/{VERSION}"));

    machine.hear(LB, 0..1).await;
    scrobbler.changed();
    let second = fake.wait(SUBMIT, 2).remove(1);
    assert_eq!(second.body, submission("single", &[listen_text(0, true)]));
    machine.through(LB).await;
    scrobbler.shutdown().await;
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_offline_arrives_once_in_one_request() {
    let machine = Machine::new().await;
    machine.hear(LB, 0..3).await;
    let addr = nobody();
    let account = move || Account::ListenBrainz(ListenBrainz::new(&format!("http://{addr}"), "t").unwrap());
    let (scrobbler, _told) = machine.start(account);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(machine.me.scrobble_count(LB).await.unwrap().waiting, 3);
    scrobbler.shutdown().await;
    // Over a restart with the service back.
    let me = open(machine.dir.path()).await;
    let fake = Fake::at(TcpListener::bind(addr).unwrap(), |_, _| say(200, OK));
    let machine = Machine { me, ..machine };
    let (scrobbler, _told) = machine.start(listenbrainz(&fake));
    let sent = fake.wait(SUBMIT, 1).remove(0);
    assert_eq!(sent.body, submission("import", &[0, 1, 2].map(|n| listen_text(n, true))));
    machine.through(LB).await;
    scrobbler.shutdown().await;
    // Nothing is left for another start; and the same plays do not come again.
    machine.hear(LB, 0..3).await;
    let (scrobbler, _told) = machine.start(listenbrainz(&fake));
    scrobbler.changed();
    tokio::time::sleep(Duration::from_millis(500)).await;
    scrobbler.shutdown().await;
    assert_eq!(fake.seen().len(), 1, "{:#?}", fake.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_play_is_kept_for_a_service_once() {
    let machine = Machine::new().await;
    assert!(hear(&machine.me, LB, 0).await);
    assert!(!hear(&machine.me, LB, 0).await);
    let waiting = machine.me.scrobbles(LB, ScrobbleState::Waiting, 10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    machine.me.mark_scrobbles(&waiting, ScrobbleState::Done).await.unwrap();
    assert!(!hear(&machine.me, LB, 0).await);
    let count = machine.me.scrobble_count(LB).await.unwrap();
    assert_eq!((count.waiting, count.done), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_waited_for() {
    let machine = Machine::new().await;
    let fake = Fake::new(|_, before| match before {
        0 => Answer::Say(
            429,
            "X-RateLimit-Limit: 1\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset-In: 1\r\n",
            String::new(),
        ),
        _ => Answer::Say(200, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset-In: 3600\r\n", OK.into()),
    });
    machine.hear(LB, 0..1).await;
    let (scrobbler, _told) = machine.start(listenbrainz(&fake));
    fake.wait(SUBMIT, 1);
    // Whatever is heard meanwhile.
    scrobbler.changed();
    let both = fake.wait(SUBMIT, 2);
    assert_eq!(both[0].body, both[1].body);
    machine.through(LB).await;
    // The last answer used the limit up.
    machine.hear(LB, 1..2).await;
    scrobbler.changed();
    tokio::time::sleep(Duration::from_millis(500)).await;
    scrobbler.shutdown().await;
    assert_eq!(fake.seen().len(), 2);
    assert_eq!(machine.me.scrobble_count(LB).await.unwrap().waiting, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_told_once_and_stops_it() {
    let machine = Machine::new().await;
    let fake = Fake::new(|_, _| say(401, r#"{"code":401,"error":"Invalid authorization token."}"#));
    machine.hear(LB, 0..2).await;
    let (scrobbler, mut told) = machine.start(listenbrainz(&fake));
    let sentence = tokio::time::timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    assert_eq!(
        sentence,
        "ListenBrainz refused the login (Invalid authorization token.): run `segue scrobble listenbrainz login` and start \
         Segue again; what you hear waits until then"
    );
    scrobbler.now_playing(Listen { duration_ms: 1, ..Listen::default() });
    scrobbler.changed();
    tokio::time::sleep(Duration::from_millis(400)).await;
    scrobbler.shutdown().await;
    assert_eq!(fake.seen().len(), 1);
    assert!(told.try_recv().is_err());
    let waiting = machine.me.scrobbles(LB, ScrobbleState::Waiting, 10).await.unwrap();
    assert_eq!(waiting.len(), 2, "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_play_that_is_refused_does_not_take_others_with_it() {
    let machine = Machine::new().await;
    let fake = Fake::new(|request, _| {
        if request.body.contains("Song 3\"") {
            say(400, r#"{"code":400,"error":"no"}"#)
        } else {
            say(200, OK)
        }
    });
    machine.hear(LB, 0..6).await;
    let (scrobbler, mut told) = machine.start(listenbrainz(&fake));
    machine.through(LB).await;
    scrobbler.shutdown().await;
    let taken: Vec<Request> = fake.seen().into_iter().filter(|r| !r.body.contains("Song 3\"")).collect();
    let mut arrived = times(&taken);
    arrived.sort_unstable();
    assert_eq!(arrived, [0, 1, 2, 4, 5].map(|n| BEGAN + 60 * n));
    assert_eq!(told.recv().await.unwrap(), "ListenBrainz did not take “Song 3” by Ann (no)");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_for() {
    let machine = Machine::new().await;
    let fake = Fake::new(|request, before| match (request.is(SUBMIT), before) {
        (true, 0) => Answer::HangUp,
        (true, _) => say(200, OK),
        _ => history(request, &[BEGAN]),
    });
    machine.hear(LB, 0..2).await;
    let (scrobbler, _told) = machine.start(listenbrainz(&fake));
    machine.through(LB).await;
    scrobbler.shutdown().await;
    let (last, sent) = (BEGAN + 60, fake.of(SUBMIT));
    let asked = &fake.of("GET /1/user/")[0];
    let query = format!("min_ts={}&max_ts={}&count=1000", BEGAN - 1, last + 1);
    assert_eq!(asked.line, format!("GET /1/user/ann%20b/listens?{query} HTTP/1.1"));
    assert_eq!(times(&sent), [BEGAN, last, last], "the one that did not arrive was sent again");
    assert_eq!(sent[1].json()["listen_type"], "single");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_history_is_rather_told_too_little() {
    let machine = Machine::new().await;
    let fake = Fake::new(|request, _| match () {
        () if request.is(SUBMIT) => Answer::HangUp,
        () if request.is("GET /1/validate-token") => history(request, &[]),
        () => say(404, "{}"),
    });
    machine.hear(LB, 0..1).await;
    let (scrobbler, _told) = machine.start(listenbrainz(&fake));
    machine.through(LB).await;
    scrobbler.shutdown().await;
    assert_eq!(fake.of(SUBMIT).len(), 1);
}

/// Not a test by itself: what the parent starts and kills.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_sends_until_it_is_killed() {
    let Ok(dir) = std::env::var("SEGUE_SCROBBLE_DIR") else { return };
    let url = std::env::var("SEGUE_SCROBBLE_URL").unwrap();
    let me = open(Path::new(&dir)).await;
    for number in 0..3 {
        hear(&me, LB, number).await;
    }
    let login: Login = Arc::new(move |_| Ok(Account::ListenBrainz(ListenBrainz::new(&url, "t")?)));
    let (_scrobbler, _told) = Scrobbler::start(&me, vec![LB], &login, pace());
    tokio::time::sleep(PATIENCE).await;
}

/// `kill -9` while the service has the plays and has not said so, and while it has them not: each arrives once.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_nothing_is_doubled_or_lost() {
    for arrived in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let held = Fake::new(|_, _| Answer::Hold);
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_sends_until_it_is_killed"])
            .env("SEGUE_SCROBBLE_DIR", dir.path())
            .env("SEGUE_SCROBBLE_URL", held.url())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let first = times(&held.wait(SUBMIT, 1));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let there = if arrived { first.clone() } else { Vec::new() };
        let fake = Fake::new(
            move |request, _| {
                if request.is(SUBMIT) { say(200, OK) } else { history(request, &there) }
            },
        );
        let me = open(dir.path()).await;
        assert!(!hear(&me, LB, 0).await, "it was written down before it was sent");
        hear(&me, LB, 1).await;
        hear(&me, LB, 2).await;
        let machine = Machine { dir, me };
        let (scrobbler, _told) = machine.start(listenbrainz(&fake));
        machine.through(LB).await;
        scrobbler.shutdown().await;
        let mut all = if arrived { first } else { Vec::new() };
        all.extend(times(&fake.of(SUBMIT)));
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2].map(|n| BEGAN + 60 * n), "arrived before: {arrived}");
    }
}

/// What the signature of a form must be: MD5 over its sorted names and values, and the secret.
fn signed(request: &Request) -> std::collections::BTreeMap<String, String> {
    assert_eq!(request.line, "POST /2.0/ HTTP/1.1");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    let mut form = request.form();
    let signature = form.remove("api_sig").unwrap();
    assert_eq!(form.remove("format").as_deref(), Some("json"));
    let mut text: String = form.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    text.push_str("hush-secret");
    let expected = segue::subsonic::auth::hex(&Md5::digest(text));
    assert_eq!(signature, expected);
    assert!(!request.body.contains("hush-secret"));
    form
}

const POST: &str = "POST /2.0/";
const NOTHING_IGNORED: &str = r#"{"scrobbles":{"@attr":{"accepted":1,"ignored":0}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn lastfm_is_told_in_signed_forms_of_fifty() {
    let machine = Machine::new().await;
    let fake = Fake::new(|_, _| say(200, NOTHING_IGNORED));
    let (scrobbler, _told) = machine.start(lastfm(&fake));
    let listen = Listen {
        album_artist: "Various".into(),
        ..machine.me.listen_of(&numbered(0)).await.unwrap().unwrap()
    };
    scrobbler.now_playing(listen);
    let now = fake.wait(POST, 1).remove(0);
    let signature = "api_sig=";
    let (plain, _) = now.body.split_once(signature).unwrap();
    assert_eq!(
        plain,
        format!(
            "album=Dew&albumArtist=Various&api_key=key&artist=Ann&duration=200&mbid={RECORDING}\
             &method=track.updateNowPlaying&sk=hush-session&track=Song+0&trackNumber=1&"
        )
    );
    signed(&now);

    machine.hear(FM, 0..51).await;
    scrobbler.changed();
    let sent = fake.wait(POST, 3);
    machine.through(FM).await;
    scrobbler.shutdown().await;
    let (many, one) = (signed(&sent[1]), signed(&sent[2]));
    assert_eq!(many["method"], "track.scrobble");
    for number in 0..50 {
        assert_eq!(many[&format!("track[{number}]")], format!("Song {number}"));
        assert_eq!(many[&format!("timestamp[{number}]")], (BEGAN + 60 * number).to_string());
    }
    let names: Vec<&str> = one.keys().map(String::as_str).collect();
    let expected = [
        "album[0]",
        "api_key",
        "artist[0]",
        "duration[0]",
        "mbid[0]",
        "method",
        "sk",
        "timestamp[0]",
        "trackNumber[0]",
        "track[0]",
    ];
    assert_eq!(names, expected);
    assert_eq!(one["track[0]"], "Song 50");
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn lastfm_says_later_and_is_asked_again() {
    let machine = Machine::new().await;
    let fake = Fake::new(|_, before| match before {
        0 => say(200, r#"{"error":11,"message":"offline"}"#),
        1 => say(503, r#"{"error":16,"message":"try again"}"#),
        2 => Answer::Say(429, "Retry-After: 1\r\n", r#"{"error":29,"message":"slower"}"#.into()),
        _ => say(200, NOTHING_IGNORED),
    });
    machine.hear(FM, 0..2).await;
    let (scrobbler, mut told) = machine.start(lastfm(&fake));
    let sent = fake.wait(POST, 4);
    machine.through(FM).await;
    scrobbler.shutdown().await;
    assert!(sent.iter().all(|request| request.body == sent[0].body));
    assert_eq!(fake.seen().len(), 4);
    assert!(told.try_recv().is_err(), "a service that rests is no news");
}

#[tokio::test(flavor = "multi_thread")]
async fn lastfm_forgets_a_session() {
    let machine = Machine::new().await;
    let fake =
        Fake::new(|_, _| say(403, r#"{"error":9,"message":"Invalid session key - Please re-authenticate"}"#));
    machine.hear(FM, 0..1).await;
    let (scrobbler, mut told) = machine.start(lastfm(&fake));
    let sentence = tokio::time::timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    assert!(sentence.contains("error 9") && sentence.contains("`segue scrobble lastfm login`"), "{sentence}");
    scrobbler.changed();
    tokio::time::sleep(Duration::from_millis(300)).await;
    scrobbler.shutdown().await;
    assert_eq!(fake.seen().len(), 1);
    assert_eq!(machine.me.scrobble_count(FM).await.unwrap().waiting, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lastfm_ignores_a_play_and_the_listener_hears_why() {
    let machine = Machine::new().await;
    let ignored = |code: &str| json!({ "ignoredMessage": { "code": code, "#text": "" } });
    let answer =
        json!({ "scrobbles": { "scrobble": [ignored("0"), ignored("3"), ignored("1")] } }).to_string();
    let fake = Fake::new(move |_, _| say(200, answer.clone()));
    machine.hear(FM, 0..3).await;
    let (scrobbler, mut told) = machine.start(lastfm(&fake));
    machine.through(FM).await;
    scrobbler.shutdown().await;
    let sentence = told.recv().await.unwrap();
    let expected =
        "Last.fm did not take “Song 1” by Ann (it was heard too long ago) and 1 more; the log has them all";
    assert_eq!(sentence, expected);
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lastfm_is_asked_for_what_it_may_have() {
    let machine = Machine::new().await;
    let fake = Fake::new(|request, before| match before {
        0 => say(502, "<html>Bad gateway</html>"),
        _ if request.body.contains("user.getRecentTracks") => {
            let track = json!({ "name": "Song 0", "date": { "uts": BEGAN.to_string() } });
            let playing = json!({ "name": "Song 9", "@attr": { "nowplaying": "true" } });
            say(
                200,
                json!({ "recenttracks": { "track": [playing, track], "@attr": { "totalPages": "1" } } })
                    .to_string(),
            )
        }
        _ => say(200, NOTHING_IGNORED),
    });
    machine.hear(FM, 0..2).await;
    let (scrobbler, _told) = machine.start(lastfm(&fake));
    machine.through(FM).await;
    scrobbler.shutdown().await;
    let sent = fake.seen();
    let asked = signed(&sent[1]);
    assert_eq!((asked["user"].as_str(), asked["from"].as_str()), ("ann", (BEGAN - 1).to_string().as_str()));
    let again = signed(&sent[2]);
    assert_eq!((sent.len(), again["track[0]"].as_str()), (3, "Song 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_login_is_told_and_plays_wait() {
    let machine = Machine::new().await;
    machine.hear(LB, 0..1).await;
    let login: Login = Arc::new(|service| Err(format!("{service}: no token")));
    let (scrobbler, mut told) = Scrobbler::start(&machine.me, vec![LB], &login, pace());
    assert_eq!(told.recv().await.unwrap(), "ListenBrainz: no token");
    scrobbler.shutdown().await;
    assert_eq!(machine.me.scrobble_count(LB).await.unwrap().waiting, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ids_of_release_and_artists_are_told_where_all_are_known() {
    let machine = Machine::new().await;
    let of = |id: &str| Some(id.to_owned());
    let mut track = numbered(0);
    track.artists.push(library::artist_ref("Bob"));
    let catalog = machine.me.catalog();
    let mut album = machine.me.album(&"a".into()).await.unwrap();
    if let Some(album) = &mut album {
        album.musicbrainz_id = of("release");
    }
    let artist = |name: &str, id: Option<String>| segue::music::Artist {
        id: format!("artist-{name}").into(),
        name: name.into(),
        sort_name: name.into(),
        album_count: 1,
        cover: None,
        musicbrainz_id: id,
        roles: Vec::new(),
        marks: segue::music::Marks::default(),
    };
    let artists = vec![artist("Ann", of("ann")), artist("Bob", None)];
    let batch = Batch { artists, albums: album.into_iter().collect(), tracks: vec![track.clone()] };
    catalog.apply(&batch).await.unwrap();
    let listen = machine.me.listen_of(&track).await.unwrap().unwrap();
    assert_eq!((listen.release, listen.artists), (of("release"), Vec::new()));
    let batch = Batch { artists: vec![artist("Bob", of("bob"))], ..Batch::default() };
    catalog.apply(&batch).await.unwrap();
    let listen = machine.me.listen_of(&track).await.unwrap().unwrap();
    assert_eq!(listen.artists, ["ann", "bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_ads_are_nobodys_listen() {
    let machine = Machine::new().await;
    let radio = Track { duration_ms: 0, ..numbered(0) };
    let ad = Track { artist: String::new(), ..numbered(0) };
    for track in [radio, ad] {
        assert_eq!(machine.me.listen_of(&track).await.unwrap(), None);
    }
}
