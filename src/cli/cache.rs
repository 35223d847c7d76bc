//! The commands about music on this machine: `pin`, `sync`, `cache`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use jiff::ZonedDateTime;

use super::CliError;
use super::args::{CacheAction, PinWhat};
use super::config::Settings;
use super::paths::Paths;
use super::rig::{self, Library};
use crate::catalog::{Pin, SearchWindows};
use crate::client::{self, Connection, DownloadStatus};
use crate::mixing;
use crate::music::{Window, counted, fold, printable};

/// Longest wait for a server's whole catalogue.
const SETTLE: Duration = Duration::from_mins(10);

/// `segue pin`.
pub(super) async fn pin(
    settings: &Settings,
    music: &[PathBuf],
    paths: &Paths,
    what: PinWhat,
) -> Result<ExitCode, CliError> {
    let library = Library::open(settings, music, paths).await?;
    let done = pin_at(&library, &what).await;
    library.close().await;
    done
}

async fn pin_at(library: &Library, what: &PinWhat) -> Result<ExitCode, CliError> {
    if what.list {
        for pinned in library.listener.pins().await? {
            let name = if pinned.name.is_empty() { "(no longer in the library)" } else { &pinned.name };
            println!("{:<9} {}", kind(&pinned.pin), printable(name));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if what.remove {
        let Some(pin) = find_pinned(library, what).await? else {
            return Err(CliError::Wrong("nothing that is kept has this name: see `segue pin --list`".into()));
        };
        library.listener.unpin(&pin).await?;
        if let Some(downloads) = library.session.downloads() {
            downloads.looked().await;
        }
        println!("No longer kept.");
        return Ok(ExitCode::SUCCESS);
    }
    if let Err(why) = library.settled(SETTLE).await {
        eprintln!("segue: {why}");
    }
    if let Some(why) = client::barred(&library.session.allowed().borrow().plan) {
        return Err(CliError::Wrong(why));
    }
    let Some((pin, name)) = find(library, what).await? else {
        return Err(CliError::Wrong(format!("nothing in the library matches “{}”", what.words.join(" "))));
    };
    library.listener.pin(&pin).await?;
    println!("Keeping {} “{}”.", kind(&pin), printable(&name));
    if what.no_wait { Ok(ExitCode::SUCCESS) } else { downloaded(library, DownloadStatus::settled).await }
}

const fn kind(pin: &Pin) -> &'static str {
    match pin {
        Pin::Track(_) => "track",
        Pin::Album(_) => "album",
        Pin::Artist(_) => "artist",
        Pin::Playlist(_) => "playlist",
        Pin::Mix(_) => "mix",
        Pin::Starred => "starred",
    }
}

async fn find_pinned(library: &Library, what: &PinWhat) -> Result<Option<Pin>, CliError> {
    if what.starred {
        return Ok(Some(Pin::Starred));
    }
    let wanted = fold(&what.words.join(" "));
    let pins = library.listener.pins().await?;
    let exact = pins.iter().find(|p| fold(&p.name) == wanted);
    Ok(exact.or_else(|| pins.iter().find(|p| fold(&p.name).contains(&wanted))).map(|p| p.pin.clone()))
}

/// What the words mean: a name as it is, of an album before an artist before a playlist before a track; else the first
/// that the search finds.
async fn find(library: &Library, what: &PinWhat) -> Result<Option<(Pin, String)>, CliError> {
    if what.starred {
        return Ok(Some((Pin::Starred, "everything starred".to_owned())));
    }
    let words = what.words.join(" ");
    let wanted = fold(&words);
    if wanted.is_empty() {
        return Err(CliError::Wrong("say what to keep: words, or --starred".into()));
    }
    let lists = library.listener.playlists().await?;
    let list = lists.iter().find(|l| fold(&l.name) == wanted || l.id.as_str() == words);
    if what.playlist {
        let near = list.or_else(|| lists.iter().find(|l| fold(&l.name).contains(&wanted)));
        return Ok(near.map(|l| (Pin::Playlist(l.id.clone()), l.name.clone())));
    }
    let window = Window::first(50);
    let windows =
        SearchWindows { artists: window, albums: window, tracks: window, ..SearchWindows::first(0) };
    let hits = library.listener.search(&words, windows).await?;
    let is = |name: &str| fold(name) == wanted;
    if let Some(a) = hits.albums.iter().find(|a| is(&a.title)) {
        return Ok(Some((Pin::Album(a.id.clone()), a.title.clone())));
    }
    if let Some(a) = hits.artists.iter().find(|a| is(&a.name)) {
        return Ok(Some((Pin::Artist(a.id.clone()), a.name.clone())));
    }
    if let Some(l) = list {
        return Ok(Some((Pin::Playlist(l.id.clone()), l.name.clone())));
    }
    if let Some(t) = hits.tracks.iter().find(|t| is(&t.title)) {
        return Ok(Some((Pin::Track(t.id.clone()), t.title.clone())));
    }
    let album = hits.albums.first().map(|a| (Pin::Album(a.id.clone()), a.title.clone()));
    let artist = || hits.artists.first().map(|a| (Pin::Artist(a.id.clone()), a.name.clone()));
    let track = || hits.tracks.first().map(|t| (Pin::Track(t.id.clone()), t.title.clone()));
    Ok(album.or_else(artist).or_else(track))
}

/// Waits until what is wanted is here, and says how far it is.
async fn downloaded(library: &Library, through: fn(&DownloadStatus) -> bool) -> Result<ExitCode, CliError> {
    let Some(downloads) = library.session.downloads() else { return Ok(ExitCode::SUCCESS) };
    downloads.looked().await;
    let mut status = downloads.status();
    let mut session = library.session.status();
    let mut said = None;
    loop {
        let now = status.borrow_and_update().clone();
        let here = (now.done, now.ahead.here);
        if said != Some(here) {
            said = Some(here);
            say(&now)?;
        }
        if through(&now) {
            for (track, why) in &now.failed {
                eprintln!("segue: “{}” cannot be downloaded: {why}", printable(&track.title));
            }
            return Ok(if now.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        if let Connection::Offline { why, .. } = &session.borrow_and_update().connection {
            return Err(CliError::Wrong(format!("{why}; it is downloaded when the server is back")));
        }
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return Ok(ExitCode::FAILURE) },
            _ = session.changed() => {}
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::FAILURE),
        }
    }
}

fn say(status: &DownloadStatus) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{} of {} tracks are here", status.done, status.tracks.len())?;
    if status.ahead.tracks > 0 {
        write!(out, ", {} of {} ahead", status.ahead.here, status.ahead.tracks)?;
    }
    if status.rate > 0 {
        write!(out, ", {:.1} MB/s", status.rate as f64 / 1e6)?;
    }
    writeln!(out)
}

/// `segue sync`.
pub(super) async fn sync(
    settings: &Settings,
    music: &[PathBuf],
    paths: &Paths,
) -> Result<ExitCode, CliError> {
    let library = Library::open(settings, music, paths).await?;
    let done = sync_at(&library, settings).await;
    library.close().await;
    done
}

async fn sync_at(library: &Library, settings: &Settings) -> Result<ExitCode, CliError> {
    library.settled(SETTLE).await.map_err(CliError::Wrong)?;
    let stats = library.catalog.stats().await?;
    let [tracks, albums, artists] =
        [(stats.tracks, "track"), (stats.albums, "album"), (stats.artists, "artist")]
            .map(|(n, one)| counted(n, one));
    println!("{tracks}, {albums}, {artists}");
    library.session.outbox_changed();
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    while !library.catalog.outbox(1).await?.is_empty() {
        if tokio::time::Instant::now() > until {
            let waiting = library.catalog.outbox(10_000).await?.len();
            return Err(CliError::Wrong(format!("{waiting} changes still wait to be delivered")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if settings.keep_gb > 0.0 {
        mixing::refresh(&library.listener, &ZonedDateTime::now(), None).await?;
    }
    downloaded(library, DownloadStatus::idle).await
}

/// `segue cache`.
pub(super) fn look_after(
    settings: &Settings,
    paths: &Paths,
    action: &CacheAction,
) -> Result<ExitCode, CliError> {
    let store = rig::store_of(settings, paths)?;
    match action {
        CacheAction::Status { json } => {
            let usage = store.usage();
            let cached = usage.bytes - usage.pinned;
            if *json {
                let value = serde_json::json!({
                    "tracks": usage.tracks_whole, "bytes": usage.bytes, "pinned_bytes": usage.pinned,
                    "cached_bytes": cached, "limit_bytes": usage.limit,
                });
                println!("{value}");
            } else {
                println!("{} tracks play without a server", usage.tracks_whole);
                println!("{} of music, {} of it pinned", size(usage.bytes), size(usage.pinned));
                println!("{} of {} used for what is only cached", size(cached), size(usage.limit));
            }
            Ok(ExitCode::SUCCESS)
        }
        CacheAction::Verify => {
            let found = store.verify();
            println!("{} whole, {} partial, {} in use", found.whole, found.partial, found.open);
            for (key, why) in &found.damaged {
                let name = key.as_ref().map_or("an unknown track", |k| k.track.as_str());
                println!("removed {}: {why}", printable(name));
            }
            Ok(if found.damaged.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        CacheAction::Clear => {
            println!("{} freed", size(store.clear()));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn size(bytes: u64) -> String {
    if bytes < 1_000_000_000 {
        format!("{:.1} MB", bytes as f64 / 1e6)
    } else {
        format!("{:.1} GB", bytes as f64 / 1e9)
    }
}
