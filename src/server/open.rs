//! What needs no account: shared music, behind an address that nobody can guess.
//!
//! A share's page is plain HTML with one player for each song; the songs have addresses of their own below the
//! share's and are streamed only while it lasts. No id that is not in the share can be reached through it. What is sent keeps to
//! the limits and the plan of who shares, and each visitor counts as one of their players.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response as HttpResponse, StatusCode};
use jiff::Timestamp;

use super::answer::{Answer, with_house_rules};
use super::flows::Player;
use super::limits::goes_on;
use super::media::{self, Song, Wanted};
use super::pipe::Direct;
use super::transcode::{Asked, Source, choose};
use super::{Peer, Shared};
use crate::catalog::{Account, CatalogError, Listener, Share};
use crate::music::{Track, clock, printable};

/// The most songs that one share opens.
const MOST: usize = 5000;

/// The songs behind ids of tracks, albums, artists and playlists, as their sharer sees them, each once.
pub(crate) async fn tracks(listener: &Listener, ids: &[String]) -> Result<Vec<Track>, CatalogError> {
    let mut all: Vec<Track> = Vec::new();
    for id in ids {
        let id = id.as_str();
        let more = if let Some(track) = listener.track(&id.into()).await? {
            vec![track]
        } else if listener.album(&id.into()).await?.is_some() {
            listener.tracks_of(&id.into()).await?
        } else if listener.artist(&id.into()).await?.is_some() {
            let mut of_artist = Vec::new();
            for album in listener.albums_of(&id.into()).await? {
                of_artist.extend(listener.tracks_of(&album.id).await?);
            }
            of_artist
        } else {
            listener.playlist(&id.into()).await?.map(|(_, tracks)| tracks).unwrap_or_default()
        };
        for track in more {
            if all.len() < MOST && all.iter().all(|known| known.id != track.id) {
                all.push(track);
            }
        }
    }
    Ok(all)
}

/// A share's page.
pub(crate) async fn page(
    State(shared): State<Arc<Shared>>,
    Path(secret): Path<String>,
    request: Request,
) -> HttpResponse<HttpBody> {
    let peer = request.extensions().get::<Peer>().copied();
    match found(&shared, &secret, peer, true).await {
        Ok(Some((share, (_, tracks, _)))) => {
            let mut response = HttpResponse::new(HttpBody::from(html(&share, &tracks)));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.insert(
                CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(
                    "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
                ),
            );
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            with_house_rules(response)
        }
        Ok(None) => closed(),
        Err(response) => *response,
    }
}

/// One song of a share.
pub(crate) async fn song(
    State(shared): State<Arc<Shared>>,
    Path((secret, id)): Path<(String, String)>,
    request: Request,
) -> HttpResponse<HttpBody> {
    let (parts, _) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().copied();
    let (owner, tracks, listener) = match found(&shared, &secret, peer, false).await {
        Ok(Some((_, opened))) => opened,
        Ok(None) => return closed(),
        Err(response) => return *response,
    };
    let Some(track) = tracks.into_iter().find(|track| track.id.as_str() == id) else { return closed() };
    let Ok(Some(place)) = listener.catalog().source_of(&track.id).await else { return closed() };
    let direct = parts.extensions.get::<Direct>().is_some();
    let wanted =
        Wanted { method: &parts.method, headers: &parts.headers, attachment: None, direct, flow: None };
    match send(&shared, &owner, &Song { track, place }, wanted, peer).await {
        Ok(Some(Answer::Raw(response))) => with_house_rules(response),
        Ok(Some(_) | None) => closed(),
        Err(response) => *response,
    }
}

/// Sends a song as its sharer would be sent it.
async fn send(
    shared: &Shared,
    owner: &Account,
    song: &Song,
    wanted: Wanted<'_>,
    peer: Option<Peer>,
) -> Result<Option<Answer>, Box<HttpResponse<HttpBody>>> {
    let busy = "Too many are listening to this at the moment; try again in a minute.\n";
    let busy = || Box::new(plain(StatusCode::TOO_MANY_REQUESTS, busy));
    let (Some(Peer(address)), Ok(limits)) = (peer, shared.limits_of(owner).await) else { return Ok(None) };
    let player = Player { name: "a share".to_owned(), address };
    let counts = *wanted.method != Method::HEAD;
    let flow = if counts {
        let goes_on = goes_on(wanted.headers);
        let seat = shared.seat(&owner.id, &player, goes_on).map_err(|_| Box::new(not_now()))?;
        let flow = limits.enter(shared, &owner.id, player).await.map_err(|_| busy())?;
        Some(flow.unwrap_or_default().in_seat(seat))
    } else {
        None
    };
    let wanted = Wanted { flow, ..wanted };
    let source = Source::from(&song.track);
    if let Some(recipe) = choose(Asked::default().within(limits.max_bit_rate, source), source) {
        let made = media::send_converted(shared, &owner.id, song, recipe, &wanted, false).await;
        if let Ok(Some(answer)) = made {
            return Ok(Some(answer));
        }
        if made.is_err() || limits.may_have_as_it_is(source).is_err() {
            return Err(Box::new(not_now()));
        }
    }
    match media::send_song(song, &wanted, shared).await {
        Err(refusal) if refusal.is_away() => Err(Box::new(not_now())),
        sent => Ok(sent.ok()),
    }
}

fn not_now() -> HttpResponse<HttpBody> {
    plain(StatusCode::SERVICE_UNAVAILABLE, "This server cannot send this song now.\n")
}

/// A share, and its owner, its songs and how the owner sees the library.
type Found = Result<Option<(Share, (Account, Vec<Track>, Listener))>, Box<HttpResponse<HttpBody>>>;

async fn found(shared: &Shared, secret: &str, peer: Option<Peer>, visit: bool) -> Found {
    let Some(Peer(address)) = peer else { return Ok(None) };
    if shared.gate.guesses_too_much(address).await {
        return Err(Box::new(plain(StatusCode::TOO_MANY_REQUESTS, "Too many attempts; try again later.\n")));
    }
    let now = Timestamp::now().as_millisecond();
    let looked = async {
        let Some(share) = shared.catalog.open_share(secret, now, visit).await? else { return Ok(None) };
        // What its owner may not open any more is closed, and all of it when they may not share any more.
        let owner = shared.catalog.account(&share.account).await?;
        let Some(owner) =
            owner.filter(|owner| owner.erase_at.is_none() && (owner.admin || owner.roles.share))
        else {
            return Ok(None);
        };
        let listener = shared.catalog.listener_of(&owner, None);
        let tracks = tracks(&listener, &share.items).await?;
        Ok::<_, CatalogError>(Some((share, (owner, tracks, listener))))
    };
    match looked.await {
        Ok(None) => {
            shared.gate.guessed(address).await;
            Ok(None)
        }
        Ok(found) => Ok(found),
        Err(error) => {
            tracing::error!(%error, "a share cannot be shown");
            Err(Box::new(plain(StatusCode::INTERNAL_SERVER_ERROR, "The server could not do this.\n")))
        }
    }
}

fn closed() -> HttpResponse<HttpBody> {
    plain(StatusCode::NOT_FOUND, "There is nothing here, or not any more.\n")
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse<HttpBody> {
    let mut response = HttpResponse::new(HttpBody::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    with_house_rules(response)
}

fn html(share: &Share, tracks: &[Track]) -> String {
    let title = share.description.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or("Shared music");
    let title = escaped(title);
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>body{{font:16px system-ui,sans-serif;\
         max-width:44rem;margin:2rem auto;padding:0 1rem;background:#14161a;color:#e6e6e6}}li{{margin:1rem 0}}\
         small{{color:#9aa0a6}}audio{{display:block;width:100%;margin-top:.3rem}}</style><h1>{title}</h1><ol>"
    );
    for track in tracks {
        let _ = write!(
            page,
            "<li>{} <small>{} · {}</small><audio controls preload=\"none\" src=\"{}/{}\"></audio></li>",
            escaped(&track.title),
            escaped(&track.artist),
            clock(track.duration_ms),
            escaped(&share.secret),
            escaped(track.id.as_str()),
        );
    }
    page.push_str("</ol></html>\n");
    page
}

fn escaped(text: &str) -> String {
    let text = printable(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
