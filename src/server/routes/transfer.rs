//! Songs and pictures as bytes.

use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::http::{HeaderValue, Method, Response as HttpResponse, StatusCode};

use super::super::cover::{LARGEST, Picture};
use super::super::flows::{Flow, Player};
use super::super::limits::goes_on;
use super::super::media::{self, Song, Wanted};
use super::super::ranges::{Asked as Conditions, Content, Plan, plan};
use super::super::redirect;
use super::super::scan;
use super::super::transcode::{Asked as AskedForm, Recipe, Source, choose};
use super::super::{Peer, Shared};
use super::{Answer, Asked, Call, Refusal, Said};
use crate::catalog::ClientProfile;
use crate::music::{CoverId, TrackId};

/// `download`: the file (or the part of one) as it is, for the client to store.
pub(super) async fn download(call: &Call<'_>) -> Said {
    call.may(|roles| roles.download)?;
    let limits = call.limits().await?;
    limits.may_keep()?;
    let song = song(call, "id").await?;
    let wanted = Wanted { attachment: Some(&song.track), flow: call.sit()?, ..call.wanted() };
    redirect::send_song(&song, &wanted, call.shared, call.client(), &limits).await
}

/// `stream`: the file, or the form of it that the client asks for and the account is sent.
pub(super) async fn stream(call: &Call<'_>) -> Said {
    call.may(|roles| roles.stream)?;
    let params = call.params;
    if let Some(ad) = call.shared.desk.audio(&call.account.id, &params.required("id")?.into()).await? {
        let file = call.shared.ads.join(&ad.file);
        return media::send(&file, &ad.content_type, &call.wanted(), call.shared).await;
    }
    let song = song(call, "id").await?;
    let track = &song.track;
    // Clients send 0 or less for no limit.
    let limit: i64 = params.parsed("maxBitRate")?.unwrap_or(0);
    let offset: f64 = params.parsed("timeOffset")?.unwrap_or(0.0);
    let profile = call.profile().await?;
    let limits = call.limits().await?;
    let asked = AskedForm {
        format: params.get("format"),
        max_bit_rate: u32::try_from(limit).unwrap_or(0),
        offset_ms: (offset.max(0.0) * 1000.0) as u64,
    }
    .or(profile.as_ref().map(|profile| (profile.format.as_str(), profile.max_bit_rate)))
    .within(limits.max_bit_rate, Source::from(track));
    let wanted = Wanted { flow: call.enter(&limits).await?, ..call.wanted() };
    if let Some(recipe) = choose(asked, Source::from(track)) {
        if let Some(answer) = converted(call, &song, recipe, &wanted).await? {
            return Ok(answer);
        }
        limits.may_have_as_it_is(Source::from(track))?;
        return media::send_song(&song, &wanted, call.shared).await;
    }
    if call.shared.catalog.is_shared() {
        let everything = call.account.folders.is_none() && limits.are_none() && profile.is_none();
        call.shared.known.sent(call.params, &call.account.id, &song, everything);
    }
    redirect::send_song(&song, &wanted, call.shared, call.client(), &limits).await
}

/// A song that who asks was sent lately, while the database does not answer.
pub(super) async fn stream_on(shared: &Shared, asked: Asked<'_>) -> Option<Said> {
    let known = shared.known.again(asked.params)?;
    let Some(Peer(address)) = asked.peer else { return None };
    let player = Player { name: asked.params.get("c").unwrap_or_default().to_owned(), address };
    let seat = match shared.seat(&known.account, &player, goes_on(asked.headers)) {
        Ok(seat) => seat,
        Err(refusal) => return Some(Err(refusal)),
    };
    let wanted = Wanted {
        method: asked.method,
        headers: asked.headers,
        attachment: None,
        direct: asked.direct,
        flow: Some(Flow::default().in_seat(seat)),
    };
    Some(media::send_song(&known.song, &wanted, shared).await)
}

/// Another form of a track; `None` where nothing can be converted.
pub(super) async fn converted(
    call: &Call<'_>,
    song: &Song,
    recipe: Recipe,
    wanted: &Wanted<'_>,
) -> Result<Option<Answer>, Refusal> {
    let exact = call.params.flag("estimateContentLength")?.unwrap_or(false);
    media::send_converted(call.shared, &call.account.id, song, recipe, wanted, exact).await
}

impl Call<'_> {
    /// What the program that asks is to be sent where it wants nothing in particular.
    pub(super) async fn profile(&self) -> Result<Option<ClientProfile>, Refusal> {
        let (stamp, account) = (self.shared.catalog.stamp(), &self.account.id);
        let profiles = if let Some(known) = self.shared.profiles.get(stamp, account) {
            known
        } else {
            let profiles: Arc<[ClientProfile]> = self.shared.catalog.client_profiles(account).await?.into();
            self.shared.profiles.put(stamp, account.clone(), Arc::clone(&profiles));
            profiles
        };
        let named = |name: &str| profiles.iter().find(|profile| profile.client == name).cloned();
        Ok(named(self.client()).or_else(|| named("")))
    }

    /// How the program that asks calls itself.
    fn client(&self) -> &str {
        self.params.get("c").unwrap_or_default()
    }

    /// What decides which bytes of a file are sent.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            method: self.method,
            headers: self.headers,
            attachment: None,
            direct: self.direct,
            flow: None,
        }
    }
}

/// The song that a parameter names, and where it is.
pub(super) async fn song(call: &Call<'_>, parameter: &str) -> Result<Arc<Song>, Refusal> {
    let id: TrackId = call.params.required(parameter)?.into();
    let key = (call.account.id.clone(), id);
    let stamp = call.shared.catalog.stamp();
    if let Some(known) = call.shared.songs.get(stamp, &key) {
        return Ok(known);
    }
    let track = call.listener.track(&key.1).await?.ok_or_else(|| Refusal::not_found("song"))?;
    let place = call.listener.catalog().source_of(&key.1).await?.ok_or_else(|| Refusal::not_found("song"))?;
    let song = Arc::new(Song { track, place });
    call.shared.songs.put(stamp, key, Arc::clone(&song));
    Ok(song)
}

/// A picture by its own id, or by the id of the song, album, artist or playlist that it belongs to. Where there is
/// none the answer is error 70: clients draw a better stand-in than a server can.
pub(super) async fn cover_art(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?;
    let asked: Option<i64> = call.params.parsed("size")?;
    // Zero and less mean "as it is" to the clients that send them.
    let size = asked.filter(|size| *size > 0).map(|size| u32::try_from(size).unwrap_or(LARGEST).min(LARGEST));
    let own = CoverId::from(id);
    if may_see(call, &own).await?
        && let Some(picture) = picture(call, &own, size).await?
    {
        return Ok(send(call, picture));
    }
    if let Some(other) = cover_of(call, id).await?
        && may_see(call, &other).await?
        && let Some(picture) = picture(call, &other, size).await?
    {
        return Ok(send(call, picture));
    }
    Err(Refusal::not_found("picture"))
}

/// Whether the account may reach a file with this picture. Its id alone opens nothing, whoever told it.
async fn may_see(call: &Call<'_>, id: &CoverId) -> Result<bool, Refusal> {
    if call.account.folders.is_none() {
        return Ok(true);
    }
    let (stamp, key) = (call.shared.catalog.stamp(), (call.account.id.clone(), id.clone()));
    if let Some(known) = call.shared.seen.get(stamp, &key) {
        return Ok(known);
    }
    let seen = !call.listener.catalog().files_with_cover(id).await?.is_empty();
    call.shared.seen.put(stamp, key, seen);
    Ok(seen)
}

async fn picture(call: &Call<'_>, id: &CoverId, size: Option<u32>) -> Result<Option<Picture>, Refusal> {
    let covers = &call.shared.covers;
    if let Some(made) = covers.made(id.as_str(), size).await {
        return Ok(Some(made));
    }
    let found = scan::cover_in(&call.shared.storage, call.listener.catalog(), id).await?;
    let found = found.map_err(|trouble| Refusal::by_store(&trouble, "picture"))?;
    let Some(cover) = found else { return Ok(None) };
    let original = Picture::new(id.as_str(), size, cover.bytes.into(), cover.mime);
    Ok(Some(covers.sized(id.as_str(), original, size).await))
}

async fn cover_of(call: &Call<'_>, id: &str) -> Result<Option<CoverId>, Refusal> {
    let listener = &call.listener;
    if let Some(track) = listener.track(&id.into()).await? {
        return Ok(track.cover);
    }
    if let Some(album) = listener.album(&id.into()).await? {
        return Ok(album.cover);
    }
    if let Some(artist) = listener.artist(&id.into()).await? {
        return Ok(artist.cover);
    }
    let playlist = listener.playlist(&id.into()).await?;
    Ok(playlist.and_then(|(_, tracks)| tracks.into_iter().find_map(|track| track.cover)))
}

fn send(call: &Call<'_>, picture: Picture) -> Answer {
    let content = Content { length: picture.bytes.len() as u64, etag: &picture.etag, modified: i64::MAX };
    let if_none_match = media::asked(call.headers).if_none_match;
    let asked = Conditions { if_none_match, ..Conditions::default() };
    let mut response = HttpResponse::new(HttpBody::empty());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=604800"));
    media::put(headers, ETAG, &picture.etag);
    if plan(asked, content) == Plan::Unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Answer::Raw(response);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(picture.mime));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(content.length));
    if *call.method != Method::HEAD {
        *response.body_mut() = HttpBody::from(picture.bytes);
    }
    Answer::Raw(response)
}
