//! From a path to its handler.
//!
//! Every endpoint is `/rest/NAME` or `/rest/NAME.view`, by GET, by HEAD, or by POST with a form body. One function takes
//! them all, so that a missing parameter, an unknown name and a panic end in the same kind of answer.

mod browse;
mod devices;
mod info;
mod insights;
mod jukebox;
mod left_off;
mod left_out;
mod lists;
mod lyrics;
mod marks;
mod mixes;
mod people;
mod plans;
mod playing;
mod playlists;
mod privacy;
mod radio;
mod shares;
mod system;
mod transcoding;
mod transfer;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, Response as HttpResponse, StatusCode};
use axum::routing::{any, get};
use bytes::Bytes;
use futures_util::FutureExt as _;

pub use left_out::LEFT_OUT;

use super::again::Question;
use super::answer::{Answer, Format, Refusal, Written, respond, with_house_rules};
use super::load::Level;
use super::params::Params;
use super::pipe::Direct;
use super::{Peer, Shared, health, open};
use crate::catalog::{Account, Listener};
use crate::music::Item;
use crate::subsonic::{ErrorCode, Response};

/// The longest form body, in bytes: some ten thousand ids.
const LONGEST_FORM: usize = 1024 * 1024;
/// How long a song may take to begin where the database did not let itself be looked at.
const UNSEEN: Duration = Duration::from_secs(5);
/// How long a form body may take to arrive.
const FORM_TIMEOUT: Duration = Duration::from_secs(30);

/// Every endpoint that there is. A name that is not here is no endpoint, whatever the handlers below know.
pub const ENDPOINTS: &[&str] = &[
    "changePassword",
    "createBookmark",
    "createInternetRadioStation",
    "createPlaylist",
    "createShare",
    "createUser",
    "deleteBookmark",
    "deleteInternetRadioStation",
    "deletePlaylist",
    "deleteShare",
    "deleteUser",
    "download",
    "eraseAccount",
    "exportAccount",
    "findSonicPath",
    "forgetDevice",
    "getAds",
    "getAlbum",
    "getAlbumInfo",
    "getAlbumInfo2",
    "getAlbumList",
    "getAlbumList2",
    "getArtist",
    "getArtistInfo",
    "getArtistInfo2",
    "getArtists",
    "getAvatar",
    "getBookmarks",
    "getCoverArt",
    "getDevice",
    "getDeviceCommands",
    "getDevices",
    "getGenres",
    "getIndexes",
    "getInsights",
    "getInternetRadioStations",
    "getLicense",
    "getLyrics",
    "getLyricsBySongId",
    "getMusicDirectory",
    "getMusicFolders",
    "getNowPlaying",
    "getOpenSubsonicExtensions",
    "getPlan",
    "getPlaylist",
    "getPlaylists",
    "getPlayQueue",
    "getPlayQueueByIndex",
    "getPrivacy",
    "getRandomSongs",
    "getScanStatus",
    "getShares",
    "getSimilarSongs",
    "getSimilarSongs2",
    "getSong",
    "getSongsByGenre",
    "getSonicSimilarTracks",
    "getStarred",
    "getStarred2",
    "getTopSongs",
    "getTranscodeDecision",
    "getTranscodeStream",
    "getUser",
    "getUsers",
    "jukeboxControl",
    "ping",
    "reportAds",
    "reportDevice",
    "reportPlayback",
    "savePlayQueue",
    "savePlayQueueByIndex",
    "scrobble",
    "search",
    "search2",
    "search3",
    "sendToDevice",
    "setPrivacy",
    "setRating",
    "star",
    "startScan",
    "stream",
    "tokenInfo",
    "unstar",
    "updateInternetRadioStation",
    "updatePlaylist",
    "updateShare",
    "updateUser",
];

/// Endpoints that `musicFolderId` confines to one music folder.
const OF_A_FOLDER: &[&str] = &[
    "getAlbumList",
    "getAlbumList2",
    "getArtists",
    "getIndexes",
    "getRandomSongs",
    "getSongsByGenre",
    "getStarred",
    "getStarred2",
    "search2",
    "search3",
];

/// One admitted request.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) account: Account,
    pub(crate) listener: Listener,
    pub(crate) params: &'a Params,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// Whether files may go to the socket by themselves.
    pub(crate) direct: bool,
    /// A body of JSON, where there is one.
    pub(crate) json: Option<&'a [u8]>,
    /// Where the request comes from.
    pub(crate) address: IpAddr,
}

/// What every handler gives.
type Said = Result<Answer, Refusal>;

/// The routes of the server.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/rest/{*endpoint}", any(rest))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/share/{secret}", get(open::page))
        .route("/share/{secret}/{song}", get(open::song))
        .fallback(elsewhere)
        .with_state(shared)
}

async fn elsewhere() -> HttpResponse<HttpBody> {
    let mut response = HttpResponse::new(HttpBody::from("Segue: the OpenSubsonic API is at /rest/\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    with_house_rules(response)
}

async fn rest(State(shared): State<Arc<Shared>>, request: Request) -> HttpResponse<HttpBody> {
    let begun = Instant::now();
    let path = request.uri().path().trim_start_matches("/rest/");
    let asked = path.strip_suffix(".view").unwrap_or(path);
    let known = ENDPOINTS.iter().chain(LEFT_OUT);
    let endpoint = known.copied().find(|known| *known == asked);
    let response = answer(&shared, endpoint, request).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    shared.metrics.answered(endpoint.unwrap_or("unknown"), status, took);
    tracing::debug!(endpoint, status, ms = took.as_secs_f64() * 1000.0, "answered");
    response
}

async fn answer(shared: &Shared, endpoint: Option<&'static str>, request: Request) -> HttpResponse<HttpBody> {
    let (parts, body) = request.into_parts();
    let mut params = Params::default();
    params.add(parts.uri.query().unwrap_or_default().as_bytes());
    let body = read_body(&parts.method, &parts.headers, body).await;
    if let Ok(Body::Form(form)) = &body {
        params.add(form);
    }
    let format = match Format::of(&params) {
        Ok(format) => format,
        Err(refusal) => return respond(&Format::Json, Err(refusal)),
    };
    let json = match &body {
        Ok(Body::Json(text)) => Some(&text[..]),
        Ok(_) => None,
        Err(_) => return respond(&format, body.map(|_| Answer::Done)),
    };
    if !matches!(parts.method, Method::GET | Method::HEAD | Method::POST) {
        let refusal = Refusal::new(ErrorCode::Generic, "this API knows GET, HEAD and POST");
        let mut response = respond(&format, Err(refusal.with_status(StatusCode::METHOD_NOT_ALLOWED)));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        return response;
    }
    let peer = parts.extensions.get::<Peer>().copied();
    let Some(endpoint) = endpoint else { return respond(&format, Err(no_endpoint())) };
    let direct = parts.extensions.get::<Direct>().is_some();
    let request = Asked {
        params: &params,
        format: &format,
        method: &parts.method,
        headers: &parts.headers,
        json,
        peer,
        direct,
    };
    let said = async {
        // On the heap: it is large, and those around it would hold it several times.
        let work = || Box::pin(at_a_glance(shared, endpoint, request));
        match shared.guard.around(endpoint, (&shared.load, &shared.metrics), work()).await {
            // Another process brought the schema up to date meanwhile.
            Err(refusal) if refusal.is_to_be_tried_again() => work().await.0,
            // Who listens goes on listening.
            Err(refusal) if refusal.is_for_want_of_database() && endpoint == "stream" => {
                Box::pin(transfer::stream_on(shared, request)).await.unwrap_or(Err(refusal))
            }
            said => said,
        }
    };
    if let Ok(said) = AssertUnwindSafe(said).catch_unwind().await {
        respond(&format, said)
    } else {
        tracing::error!(?endpoint, "a handler panicked");
        respond(
            &format,
            Err(Refusal::new(ErrorCode::Generic, "the server could not do this; its log says why")),
        )
    }
}

fn no_endpoint() -> Refusal {
    Refusal::new(ErrorCode::Generic, "this server does not know that endpoint")
        .with_status(StatusCode::NOT_FOUND)
}

/// What comes after the head of a request.
enum Body {
    Nothing,
    Form(Bytes),
    Json(Bytes),
}

async fn read_body(method: &Method, headers: &HeaderMap, body: HttpBody) -> Result<Body, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let wrap = match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => Body::Form,
        "application/json" => Body::Json,
        _ => return Ok(Body::Nothing),
    };
    if *method != Method::POST {
        return Ok(Body::Nothing);
    }
    let refuse = |message, status| Err(Refusal::new(ErrorCode::Generic, message).with_status(status));
    match tokio::time::timeout(FORM_TIMEOUT, to_bytes(body, LONGEST_FORM)).await {
        Ok(Ok(bytes)) => Ok(wrap(bytes)),
        Ok(Err(_)) => refuse("the body is longer than 1 MiB, or broke off", StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => refuse("the body took too long to arrive", StatusCode::REQUEST_TIMEOUT),
    }
}

/// A request that nobody has let in yet.
#[derive(Clone, Copy)]
struct Asked<'a> {
    params: &'a Params,
    format: &'a Format,
    method: &'a Method,
    headers: &'a HeaderMap,
    json: Option<&'a [u8]>,
    peer: Option<Peer>,
    direct: bool,
}

/// Answers a request after a look at the catalog, and says whether the database had a part in it: who listens does not wait for one
/// that does not answer soon.
async fn at_a_glance(shared: &Shared, endpoint: &str, asked: Asked<'_>) -> (Said, bool) {
    if !shared.catalog.is_shared() {
        return (Box::pin(admit(shared, endpoint, asked)).await, true);
    }
    let seen = shared.catalog.glance().await;
    let work = shared.catalog.having_seen(seen, Box::pin(admit(shared, endpoint, asked)));
    if seen.is_some() || endpoint != "stream" {
        return (work.await, true);
    }
    if let Some(said) = Box::pin(transfer::stream_on(shared, asked)).await {
        return (said, false);
    }
    // Another process may know more; who listens has no time to wait here for as long as for a connection.
    let said = tokio::time::timeout(UNSEEN, work).await;
    (said.unwrap_or_else(|_| Err(Refusal::no_database(UNSEEN))), true)
}

/// Lets a request in and answers it, with what was answered a moment ago where that is still so.
async fn admit(shared: &Shared, endpoint: &str, asked: Asked<'_>) -> Said {
    let Asked { params, format, method, headers, json, peer, direct } = asked;
    if endpoint == "getOpenSubsonicExtensions" {
        return Ok(system::extensions(shared));
    }
    let Some(Peer(address)) = peer else {
        return Err(Refusal::new(ErrorCode::Generic, "the connection has no address"));
    };
    let account = shared.gate.admit(params, address).await?;
    if let Some(at) = account.erase_at.filter(|_| !privacy::WHILE_CLOSED.contains(&endpoint)) {
        return Err(privacy::closed(at));
    }
    // Elsewhere the parameter means something else, or nothing.
    let folder = if OF_A_FOLDER.contains(&endpoint) { params.parsed::<i64>("musicFolderId")? } else { None };
    let listener = shared.catalog.listener_of(&account, folder);
    let question = Question::of(&account.id, endpoint, format, params);
    // By the clock another plan begins without a change of the catalog.
    let question = match question {
        Some(question) => Some(question.within(shared.limits_of(&account).await?.max_bit_rate)),
        None => None,
    };
    let stamp = question.as_ref().and_then(|_| shared.catalog.stamp());
    let plain = shared.load.level() >= Level::PlainSearch;
    let written = question.as_ref().and_then(|question| shared.answers.get(stamp, question));
    if question.is_some() {
        shared.tally.answered(written.is_some());
    }
    if let Some(written) = written {
        return Ok(Answer::Written(written));
    }
    let call = &Call { shared, account, listener, params, method, headers, direct, json, address };
    let mut said = handle(endpoint, call).await;
    if let Ok(Answer::Body(body)) = &mut said {
        call.say_what_is_sent(body).await?;
    }
    match (said, question) {
        (Ok(Answer::Body(body)), Some(question)) => {
            let written = Written::of(format, &Response::ok(Some(*body)))?;
            // What was put together in a hurry is not kept.
            if !plain && shared.catalog.may_be_kept() {
                shared.answers.put(stamp, question, &written);
            }
            Ok(Answer::Written(written))
        }
        (said, _) => said,
    }
}

async fn handle(endpoint: &str, call: &Call<'_>) -> Said {
    match endpoint {
        "ping" => Ok(Answer::Done),
        "getLicense" => Ok(system::license()),
        "tokenInfo" => Ok(system::token_info(call)),
        "getUser" => people::one(call).await,
        "getUsers" => people::all(call).await,
        "createUser" => people::create(call).await,
        "updateUser" => people::update(call).await,
        "deleteUser" => people::delete(call).await,
        "changePassword" => people::change_password(call).await,
        "getShares" => shares::all(call).await,
        "createShare" => shares::create(call).await,
        "updateShare" => shares::update(call).await,
        "deleteShare" => shares::delete(call).await,
        "getInternetRadioStations" => radio::all(call).await,
        "createInternetRadioStation" => radio::create(call).await,
        "updateInternetRadioStation" => radio::update(call).await,
        "deleteInternetRadioStation" => radio::delete(call).await,
        "getInsights" => insights::report(call).await,
        "getAlbumInfo" | "getAlbumInfo2" => info::album(call).await,
        "getArtistInfo" => info::artist(call, false).await,
        "getArtistInfo2" => info::artist(call, true).await,
        "getLyrics" => lyrics::by_name(call).await,
        "getLyricsBySongId" => lyrics::by_song(call).await,
        "getMusicFolders" => Ok(browse::music_folders(call)),
        "getIndexes" => browse::indexes(call).await,
        "getMusicDirectory" => browse::music_directory(call).await,
        "getArtists" => browse::artists(call).await,
        "getArtist" => browse::artist(call).await,
        "getAlbum" => browse::album(call).await,
        "getSong" => browse::song(call).await,
        "getGenres" => browse::genres(call).await,
        "getAlbumList" => lists::album_list(call).await,
        "getAlbumList2" => lists::album_list2(call).await,
        "getRandomSongs" => lists::random_songs(call).await,
        "getSongsByGenre" => lists::songs_by_genre(call).await,
        "getStarred" => lists::starred(call).await,
        "getStarred2" => lists::starred2(call).await,
        "search" => lists::search(call).await,
        "search2" => lists::search2(call).await,
        "search3" => lists::search3(call).await,
        "getSimilarSongs" => mixes::similar_songs(call, false).await,
        "getSimilarSongs2" => mixes::similar_songs(call, true).await,
        "getTopSongs" => mixes::top_songs(call).await,
        "getSonicSimilarTracks" => mixes::sonic_similar(call).await,
        "findSonicPath" => mixes::sonic_path(call).await,
        "getPrivacy" => privacy::show(call).await,
        "exportAccount" => privacy::copy(call).await,
        "eraseAccount" => privacy::erase(call).await,
        "setPrivacy" => privacy::decide(call).await,
        "getPlan" => plans::plan(call).await,
        "getAds" => plans::ads(call).await,
        "reportAds" => plans::report(call).await,
        "reportDevice" => devices::report(call).await,
        "getDevices" => devices::all(call).await,
        "getDevice" => devices::one(call).await,
        "getDeviceCommands" => devices::commands(call).await,
        "sendToDevice" => devices::send(call).await,
        "forgetDevice" => devices::forget(call).await,
        "jukeboxControl" => jukebox::control(call).await,
        "star" => marks::star(call).await,
        "unstar" => marks::unstar(call).await,
        "setRating" => marks::set_rating(call).await,
        "scrobble" => marks::scrobble(call).await,
        "reportPlayback" => playing::report(call).await,
        "getNowPlaying" => playing::now(call).await,
        "getPlayQueue" => left_off::queue(call).await,
        "getPlayQueueByIndex" => left_off::queue_by_index(call).await,
        "savePlayQueue" => left_off::save_queue(call).await,
        "savePlayQueueByIndex" => left_off::save_queue_by_index(call).await,
        "getBookmarks" => left_off::bookmarks(call).await,
        "createBookmark" => left_off::create_bookmark(call).await,
        "deleteBookmark" => left_off::delete_bookmark(call).await,
        "getPlaylists" => playlists::all(call).await,
        "getPlaylist" => playlists::one(call).await,
        "createPlaylist" => playlists::create(call).await,
        "updatePlaylist" => playlists::update(call).await,
        "deletePlaylist" => playlists::delete(call).await,
        "stream" => transfer::stream(call).await,
        "getTranscodeDecision" => transcoding::decision(call).await,
        "getTranscodeStream" => transcoding::stream(call).await,
        "getAvatar" => people::avatar(call).await,
        "getCoverArt" => transfer::cover_art(call).await,
        "getScanStatus" => system::scan_status(call).await,
        "startScan" => system::start_scan(call).await,
        "download" => transfer::download(call).await,
        left_out if LEFT_OUT.contains(&left_out) => left_out::refuse(call, left_out),
        _ => Err(no_endpoint()),
    }
}

impl Call<'_> {
    /// How the client reaches this server: scheme, host and port.
    fn base(&self) -> String {
        self.shared.base(self.headers)
    }

    /// The track, album or artist behind an id whose kind the client does not say.
    async fn item(&self, id: &str) -> Result<Item, Refusal> {
        if self.listener.track(&id.into()).await?.is_some() {
            Ok(Item::Track(id.into()))
        } else if self.listener.album(&id.into()).await?.is_some() {
            Ok(Item::Album(id.into()))
        } else if self.listener.artist(&id.into()).await?.is_some() {
            Ok(Item::Artist(id.into()))
        } else {
            Err(Refusal::not_found("song, album or artist"))
        }
    }
}
