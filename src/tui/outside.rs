//! The seam between the screens and the rest of the house: what effects need, as one small trait.
//!
//! The program gives the screens its catalog, player and session; tests give them a catalog in memory and a
//! recorder. `carry_out` turns an effect into a message, in a task of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::cover::{self, CoverKey};
use super::effects::{
    Answer, ArtistData, DetailsData, Device, Effect, Finding, Found, HomeData, Msg, Password, Place,
    PrivacyWish, Request, Source, Then,
};
use super::graphics::Graphics;
use super::tasting;
use crate::audio::Spectrum;
use crate::catalog::{AlbumList, Catalog, CatalogError, Listener, Report, SearchWindows, TrackOrder};
use crate::client::Downloads;
use crate::music::{ArtistId, CoverId, Lyrics, Track, TrackId, Window};
use crate::player::Command;

/// What the screens need from outside.
pub trait Outside: Send + Sync + 'static {
    /// The local catalog as this listener sees it; edits go to the outbox too.
    fn library(&self) -> &Listener;
    /// The local catalog.
    fn catalog(&self) -> &Catalog;
    /// Tells the player.
    fn command(&self, command: Command);
    /// The bytes of a picture about `size` pixels wide, and one sentence when there are none.
    fn cover(&self, cover: CoverId, size: u32) -> BoxFuture<'_, Result<Bytes, String>>;
    /// What plays without a server.
    fn device(&self) -> Device;
    /// Pins and their downloads; none where nothing can be kept.
    fn downloads(&self) -> Option<&Downloads>;
    /// The words of a track, from the server where it can be asked; one sentence when it cannot.
    fn lyrics(&self, track: Arc<Track>) -> BoxFuture<'_, Result<Vec<Lyrics>, CatalogError>>;
    /// A look at what sounds; none where nothing does.
    fn spectrum(&self) -> Option<Spectrum>;
    /// Looks at what works on this machine; nothing where that cannot be looked at.
    fn doctor(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async { Vec::new() })
    }
    /// What the server tells its administrators of these days; one sentence where it does not.
    fn operators(&self, _days: (i64, i64)) -> BoxFuture<'_, Result<Report, String>> {
        Box::pin(async { Err("Only a server has insights into its listeners.".to_owned()) })
    }
    /// What the server keeps of the listener: tables with their rows, and when it erases the account (Unix ms); none where it
    /// cannot be asked.
    fn kept_there(&self) -> BoxFuture<'_, Option<KeptThere>> {
        Box::pin(async { None })
    }
    /// Has done what is done only for who has the password, and says what was done.
    fn privacy(&self, _wish: PrivacyWish, _password: Password) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Err("There is no server here that could do that.".to_owned()) })
    }
    /// This machine and the players of the account that the music can go to; one sentence where nobody can tell.
    fn places(&self) -> BoxFuture<'_, Result<Vec<Place>, String>> {
        Box::pin(async { Err("Only a server knows of other players.".to_owned()) })
    }
    /// Lets the player of this name or id play in the place of the one that plays, and says what came of it.
    fn play_on(&self, _name: String) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Err("Only a server knows of other players.".to_owned()) })
    }
    /// What taste is read from changed by a wish of the listener: look at the mixes now.
    fn taste_changed(&self) {}
    /// Something new is in the outbox.
    fn outbox_changed(&self);
    /// Fetch what changed on the server.
    fn sync_now(&self);
    /// The listener has read the session's problem.
    fn problem_read(&self);
}

/// Rows by table, and when the account ends; see [`Outside::kept_there`].
pub type KeptThere = (Vec<(String, u64)>, Option<i64>);

/// Rows of each list on the opening screen.
const HOME_ROWS: u64 = 12;
/// Tracks that an artist's page shows as heard most.
const TOP_ROWS: u64 = 5;
/// Artists, albums or genres that a filter shows at the most.
const FILTER_ROWS: u64 = 500;

/// Carries one effect out. What the loop does by itself (`Redraw`, `Suspend`) is nothing here.
pub async fn carry_out(outside: Arc<dyn Outside>, effect: Effect) -> Option<Msg> {
    match effect {
        Effect::Ask { ticket, request } => {
            let answer = ask(&*outside, &request).await.map_err(|error| sentence(&error));
            Some(Msg::Answered { ticket, request, answer })
        }
        Effect::Gather { source, then } => {
            let count = gather(&*outside, &source, then).await.map_err(|error| sentence(&error));
            Some(Msg::Gathered { source, then, count })
        }
        Effect::Star { item, at, before } => {
            let done = outside.library().set_star(&item, at).await;
            marked(&*outside, done).map(|reason| Msg::NotMarked { item, before, reason })
        }
        Effect::Rate { item, rating, before } => {
            let done = outside.library().set_rating(&item, rating).await;
            marked(&*outside, done).map(|reason| Msg::NotMarked { item, before, reason })
        }
        Effect::Pin { pin, on } => {
            let library = outside.library();
            let done = if on { library.pin(&pin).await } else { library.unpin(&pin).await.map(drop) };
            if let Some(downloads) = outside.downloads() {
                downloads.changed();
            }
            done.err().map(|error| Msg::NotPinned(sentence(&error)))
        }
        Effect::Radio { source, goes_on } => tasting::radio(&*outside, &source, goes_on).await,
        Effect::Path { from, to, title } => tasting::path(&*outside, &from, &to, &title).await,
        Effect::Less { item, name, artist } => tasting::less(&*outside, item, name, artist).await,
        Effect::Decide { purpose, on } => super::privacy::decide(&*outside, purpose, on).await,
        Effect::Privacy { wish, password } => Some(Msg::Privacy(outside.privacy(wish, password).await)),
        Effect::Profiling(on) => tasting::profiling(&*outside, on).await,
        Effect::Playlist(wish) => {
            let done = super::playlist_edits::change(&*outside, &wish).await;
            if done.is_ok() {
                outside.outbox_changed();
            }
            let done = done.map(Box::new).map_err(|error| sentence(&error));
            Some(Msg::PlaylistChanged { wish: Box::new(wish), done })
        }
        Effect::KeepSearch { name, rules } => {
            let kept = outside.library().create_smart_playlist(&name, &rules).await;
            Some(Msg::SearchKept(kept.map(|_| name).map_err(|error| sentence(&error))))
        }
        Effect::PauseDownloads(paused) => {
            if let Some(downloads) = outside.downloads() {
                downloads.pause(paused);
            }
            None
        }
        Effect::RetryDownloads => {
            if let Some(downloads) = outside.downloads() {
                downloads.retry();
            }
            None
        }
        Effect::Player(command) => {
            outside.command(command);
            None
        }
        Effect::Cover(key, graphics) => Some(picture(&*outside, key, graphics).await),
        Effect::Timer { timer, after_ms } => {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            Some(Msg::Timer(timer))
        }
        Effect::Keep { name, value } => {
            if let Err(error) = outside.catalog().set_setting(name, &value).await {
                tracing::warn!(%error, name, "not kept");
            }
            None
        }
        Effect::KeepOffset { track, ms } => {
            if let Err(error) = outside.catalog().set_setting(&offset_key(&track), &ms.to_string()).await {
                tracing::warn!(%error, "the offset of lyrics was not kept");
            }
            None
        }
        Effect::PlayOn(name) => Some(Msg::PlaysOn(outside.play_on(name).await)),
        Effect::Sync => {
            outside.sync_now();
            None
        }
        Effect::ProblemRead => {
            outside.problem_read();
            None
        }
        Effect::Redraw | Effect::Suspend => None,
    }
}

/// The last lines of a file.
async fn tail(file: PathBuf) -> Result<Vec<String>, String> {
    /// Bytes that are read from its end.
    const READ: u64 = 256 << 10;
    let name = file.display().to_string();
    let read = move || -> std::io::Result<Vec<String>> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = std::fs::File::open(file)?;
        let from = file.metadata()?.len().saturating_sub(READ);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(READ).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        // Where the beginning was left out, the first line is a part of one.
        Ok(text.lines().skip(usize::from(from > 0)).map(str::to_owned).collect())
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(lines)) => Ok(lines),
        Ok(Err(error)) => Err(format!("The log {name} cannot be read: {error}.")),
        Err(error) => Err(format!("The log {name} cannot be read: {error}.")),
    }
}

/// Where the offset of a track's words is kept.
fn offset_key(track: &TrackId) -> String {
    format!("lyrics.offset/{track}")
}

/// An error as a sentence of its own.
pub(super) fn sentence(error: &CatalogError) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

fn marked(outside: &dyn Outside, done: Result<(), CatalogError>) -> Option<String> {
    match done {
        Ok(()) => {
            outside.outbox_changed();
            None
        }
        Err(error) => Some(sentence(&error)),
    }
}

/// What the opening screen shows.
async fn home(outside: &dyn Outside) -> Result<HomeData, CatalogError> {
    let library = outside.library();
    let stats = outside.catalog().stats().await?;
    let first = Window::first(HOME_ROWS);
    // What is on the opening screen comes first; whoever searches next finds the index loaded.
    let catalog = outside.catalog().clone();
    tokio::spawn(async move {
        if let Err(error) = catalog.warm_search().await {
            tracing::warn!(%error, "the search index is not ready");
        }
    });
    let mut loved = library.starred().await?.tracks;
    loved.truncate(HOME_ROWS as usize);
    Ok(HomeData {
        tracks: stats.tracks,
        albums: stats.albums,
        artists: stats.artists,
        duration_ms: stats.duration_ms,
        mixes: library.mixes().await?,
        unprofiled: !library.profiled().await?,
        added: library.albums(&AlbumList::Newest, first).await?,
        played: library.tracks_by(TrackOrder::Played, first).await?,
        most: library.tracks_by(TrackOrder::PlayCount, first).await?,
        loved,
        device: outside.device(),
    })
}

/// What an artist's page shows.
async fn artist(outside: &dyn Outside, id: &ArtistId) -> Result<ArtistData, CatalogError> {
    let library = outside.library();
    let (albums, guest) = library.records_of(id).await?;
    let ids = outside.catalog().top_tracks(id, TOP_ROWS).await?;
    let mut top = library.tracks(&ids).await?;
    if !(albums.is_empty() && guest.is_empty()) {
        // What nobody played or loves is not heard most; without records it is at least what there is.
        top.retain(|track| track.marks.play_count > 0 || track.marks.starred_at.is_some());
    }
    Ok(ArtistData { artist: library.artist(id).await?, albums, guest, top })
}

/// What the library shows by genre and by year.
async fn shelves(library: &Listener, request: &Request) -> Result<Answer, CatalogError> {
    Ok(match request {
        Request::Genres(window) => {
            let (genres, total) = library.genre_albums(*window).await?;
            Answer::Genres(genres, total)
        }
        Request::FindGenres(words) => {
            let genres = library.genres_like(words, FILTER_ROWS).await?;
            let total = genres.len() as u64;
            Answer::Genres(genres, total)
        }
        Request::PlaceOfGenre(letters) => {
            Answer::Place(usize::try_from(library.place_of_genre(letters).await?).ok())
        }
        Request::Years => Answer::Years(library.album_years().await?),
        Request::Albums(list, window) => {
            let (albums, total) = library.albums_in(list, *window).await?;
            Answer::AlbumPage(albums, total)
        }
        Request::FindAlbums(list, words) => {
            let within = match list {
                AlbumList::ByGenre(genre) => format!("genre:\"{}\"", genre.replace('"', " ")),
                AlbumList::ByYear { from, to } => format!("year:{}..{}", from.min(to), from.max(to)),
                _ => String::new(),
            };
            let windows = SearchWindows { albums: Window::first(FILTER_ROWS), ..SearchWindows::first(0) };
            Answer::Albums(library.search(&format!("{words} {within}"), windows).await?.albums)
        }
        _ => Answer::Place(None),
    })
}

/// Everything about one track.
async fn details(outside: &dyn Outside, id: &TrackId, context: &str) -> Result<DetailsData, CatalogError> {
    let library = outside.library();
    let Some(track) = library.track(id).await? else { return Ok(DetailsData::default()) };
    let album = match &track.album_id {
        Some(album) => library.album(album).await?,
        None => None,
    };
    let why = match tasting::why(outside, id, context).await? {
        Answer::Why(lines) => lines,
        _ => Vec::new(),
    };
    Ok(DetailsData { track: Some(track), album, why })
}

async fn ask(outside: &dyn Outside, request: &Request) -> Result<Answer, CatalogError> {
    let library = outside.library();
    Ok(match request {
        Request::Home => Answer::Home(Box::new(home(outside).await?)),
        Request::Artists(window) => {
            let artists = library.artists(*window).await?;
            let total = outside.catalog().stats().await?.artists;
            Answer::Artists(artists, total)
        }
        Request::FindArtists(words) => {
            let windows = SearchWindows { artists: Window::first(FILTER_ROWS), ..SearchWindows::first(0) };
            let artists = library.search(words, windows).await?.artists;
            let total = artists.len() as u64;
            Answer::Artists(artists, total)
        }
        Request::PlaceOf(artist) => {
            let place = library.place_of_artist(artist).await?;
            Answer::Place(place.and_then(|place| usize::try_from(place).ok()))
        }
        Request::PlaceOfLetters(list, letters) => {
            let place = library.place_of_letters(*list, letters).await?;
            Answer::Place(usize::try_from(place).ok())
        }
        Request::AlbumsOf(artist) => Answer::Albums(library.albums_of(artist).await?),
        Request::Genres(_)
        | Request::FindGenres(_)
        | Request::PlaceOfGenre(_)
        | Request::Years
        | Request::Albums(..)
        | Request::FindAlbums(..) => shelves(library, request).await?,
        Request::TracksOf(album) => Answer::Tracks(library.tracks_of(album).await?),
        Request::Album(album) => {
            let tracks = library.tracks_of(album).await?;
            Answer::Album(library.album(album).await?.map(Box::new), tracks)
        }
        Request::Artist(id) => Answer::Artist(Box::new(artist(outside, id).await?)),
        Request::Details { track, context } => {
            Answer::Details(Box::new(details(outside, track, context).await?))
        }
        Request::Insights { period, now, minutes } => {
            Answer::Insights(Box::new(library.insights(*period, *now, *minutes).await?))
        }
        Request::Year { year, now, minutes } => {
            Answer::Year(Box::new(library.year(*year, *now, *minutes).await?))
        }
        Request::Operators(days) => Answer::Operators(outside.operators(*days).await.map(Box::new)),
        Request::Privacy => Answer::Privacy(Box::new(super::privacy::kept(outside).await?)),
        Request::Places => Answer::Places(outside.places().await),
        Request::Doctor => Answer::Doctor(outside.doctor().await),
        Request::Log(file) => Answer::Log(tail(file.clone()).await),
        Request::Lyrics { track, kept: true } => {
            let offset = outside.catalog().setting(&offset_key(&track.id)).await?;
            let offset_ms = offset.and_then(|ms| ms.parse().ok()).unwrap_or(0);
            Answer::Lyrics { found: outside.catalog().lyrics(&track.id).await?, offset_ms }
        }
        Request::Lyrics { track, kept: false } => {
            Answer::Lyrics { found: outside.lyrics(Arc::clone(track)).await?, offset_ms: 0 }
        }
        Request::Mix(id) => match library.mix(id).await? {
            Some((kept, tracks)) => Answer::Mix(Some(Box::new(kept)), tracks),
            None => Answer::Mix(None, Vec::new()),
        },
        Request::Why { track, context } => tasting::why(outside, track, context).await?,
        Request::Playlists => Answer::Playlists(library.playlists().await?),
        Request::Playlist(id) => match library.playlist_entries(id).await? {
            Some((now, _)) => match library.playlist(&now.id).await? {
                Some((playlist, tracks)) => Answer::Playlist(Some(Box::new(playlist)), tracks),
                None => Answer::Playlist(None, Vec::new()),
            },
            None => Answer::Playlist(None, Vec::new()),
        },
        Request::Search(words) => {
            let (artists, albums, tracks, playlists) = Found::LIMITS;
            let windows = SearchWindows {
                artists: Window::first(artists),
                albums: Window::first(albums),
                tracks: Window::first(tracks),
                playlists: Window::first(playlists),
            };
            let began = Instant::now();
            let hits = library.search(words, windows).await?;
            let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            Answer::Found(Box::new(Found {
                artists: hits.artists,
                albums: hits.albums,
                tracks: hits.tracks,
                playlists: hits.playlists,
                order: hits.order.to_vec(),
                leads: hits.leads,
                read: hits.read,
                took_us,
            }))
        }
    })
}

/// The tracks of a source.
pub(super) async fn collect(outside: &dyn Outside, source: &Source) -> Result<Vec<Track>, CatalogError> {
    let library = outside.library();
    Ok(match source {
        Source::One(track, _) => library.track(track).await?.into_iter().collect(),
        Source::Mix(id, _) => library.mix(id).await?.map(|(_, tracks)| tracks).unwrap_or_default(),
        Source::Album(album, _) | Source::AlbumOf(_, album, _) => library.tracks_of(album).await?,
        Source::Artist(artist, _) => {
            let mut tracks = Vec::new();
            for album in library.albums_of(artist).await? {
                tracks.extend(library.tracks_of(&album.id).await?);
            }
            tracks
        }
        Source::List(list, _) => of_list(outside, list).await?,
        Source::Playlist(id, _) => match library.playlist_entries(id).await? {
            Some((playlist, _)) => {
                library.playlist(&playlist.id).await?.map(|(_, tracks)| tracks).unwrap_or_default()
            }
            None => Vec::new(),
        },
        Source::Tracks(tracks, _) => tracks.clone(),
        Source::Several(sources, _) => {
            let mut tracks = Vec::new();
            for source in sources {
                tracks.extend(Box::pin(collect(outside, source)).await?);
            }
            tracks
        }
    })
}

/// The tracks of a list of albums, album by album, up to as many as a queue can sensibly hold.
async fn of_list(outside: &dyn Outside, list: &AlbumList) -> Result<Vec<Track>, CatalogError> {
    const MOST: usize = 2_000;
    const STEP: u64 = 50;
    let library = outside.library();
    let (mut tracks, mut offset) = (Vec::new(), 0);
    loop {
        let albums = library.albums(list, Window::new(offset, STEP)).await?;
        for album in &albums {
            let mut of_one = library.tracks_of(&album.id).await?;
            if let AlbumList::ByGenre(genre) = list {
                // An album has the genres of all its tracks.
                let tagged = |track: &Track| track.genres.is_empty() || track.genres.contains(genre);
                of_one.retain(tagged);
            }
            tracks.extend(of_one);
        }
        offset += STEP;
        if (albums.len() as u64) < STEP || tracks.len() >= MOST {
            tracks.truncate(MOST);
            return Ok(tracks);
        }
    }
}

/// Collects tracks and hands them to the player; gives their number.
async fn gather(outside: &dyn Outside, source: &Source, then: Then) -> Result<usize, CatalogError> {
    let tracks = collect(outside, source).await?;
    let (count, name) = (tracks.len(), source.name().to_owned());
    if count > 0 {
        outside.command(match then {
            Then::Play { shuffled } => {
                let start = match source {
                    Source::AlbumOf(track, ..) => tracks.iter().position(|t| t.id == *track).unwrap_or(0),
                    _ if shuffled => rand::random_range(0..count),
                    _ => 0,
                };
                Command::PlayContext { tracks, start, name, shuffled }
            }
            Then::Enqueue => Command::Enqueue(tracks),
            Then::EnqueueNext => Command::EnqueueNext(tracks),
        });
    }
    Ok(count)
}

async fn picture(outside: &dyn Outside, key: CoverKey, graphics: Graphics) -> Msg {
    let (cover, width, height) = key.clone();
    // A little more than needed, in one of few sizes, so that servers can keep what they scaled.
    let cells = u32::from(width.max(height * 2)).saturating_mul(2);
    let size = cells.max(graphics.side(width, height)).next_power_of_two().clamp(64, 1024);
    let art = match outside.cover(cover, size).await {
        Ok(bytes) => {
            tokio::task::spawn_blocking(move || cover::decode(&bytes, width, height, graphics)).await.ok()
        }
        Err(reason) => Some(Err(reason)),
    };
    let art = match art {
        Some(Ok(art)) => Some(Arc::new(art)),
        Some(Err(reason)) => {
            tracing::debug!(%reason, "no cover");
            None
        }
        None => None,
    };
    Msg::Cover(key, art)
}
