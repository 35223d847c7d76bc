//! The commands of a listener: the player with its screens, and `search`.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::config::Settings;
use super::paths::Paths;
use super::rig::{Begin, Library, Rig};
use super::screens::Rooms;
use super::{CliError, headless, log, look};
use crate::catalog::{HitKind, Hits, SearchWindows};
use crate::music::{Track, clock, printable};
use crate::tui;

/// Longest wait for a server's whole catalogue before a command without a screen goes on with what is there.
pub(super) const SETTLE: Duration = Duration::from_mins(2);

/// Opens the player. `again` are the options that it was started with, for the player that goes on without a screen.
pub(super) async fn open(
    settings: &Settings,
    music: &[PathBuf],
    paths: &Paths,
    notices: Vec<String>,
    mut again: Vec<OsString>,
) -> Result<ExitCode, CliError> {
    if !settings.plain && !io::stdout().is_terminal() {
        return Err(CliError::Wrong(
            "the player needs a terminal; `segue --plain`, `segue play` and `segue search` work without one"
                .into(),
        ));
    }
    let log_file = paths.log_file();
    log::to_file(&log_file)
        .map_err(|e| CliError::Wrong(format!("cannot write the log {}: {e}", log_file.display())))?;
    let mut current = settings.clone();
    let mut notices = notices;
    loop {
        let (left, rig) = at_one_server(&current, settings, music, paths, notices).await?;
        if left == tui::Left::Playing {
            return headless::go_on(rig, &again).await;
        }
        // What the listener does stays their own at another server, too.
        let private = rig.player.status().borrow().private;
        current.private = private;
        rig.close().await;
        match left {
            tui::Left::Quit | tui::Left::Playing => return Ok(ExitCode::SUCCESS),
            tui::Left::Server(name) => {
                again = vec!["--profile".into(), OsString::from(&name)];
                notices = Vec::new();
                let next = settings.with_profile(&name).map_err(CliError::Wrong)?;
                let next = Settings { private, ..next };
                // A profile without a password must not end the player.
                match &next.server {
                    Some(url) => match super::credentials::find(&next, paths, url) {
                        Ok(_) => current = next,
                        Err(e) => notices.push(e.to_string()),
                    },
                    None => current = next,
                }
            }
        }
    }
}

/// The player with one server, until the listener leaves or changes over to another one. Each has its catalog, its
/// store and its queue.
async fn at_one_server(
    settings: &Settings,
    all: &Settings,
    music: &[PathBuf],
    paths: &Paths,
    notices: Vec<String>,
) -> Result<(tui::Left, Rig), CliError> {
    let log_file = paths.log_file();
    let (rig, sentences) = Rig::assemble(settings, music, paths, Begin::InItsPlace).await?;
    let look = look::read(settings, paths);
    let kept = async |name: &str| rig.library.catalog.setting(name).await.ok().flatten();
    let remembered = kept("tui.theme").await;
    let history = kept(tui::KEPT_HISTORY).await.unwrap_or_default();
    let player_shows = kept(tui::KEPT_PLAYER).await.unwrap_or_default();
    let (fresh, _watcher) = look::watch(settings, paths);
    let feeds = tui::Feeds {
        fresh,
        player: rig.stage.status(),
        session: rig.library.session.status(),
        mixes: rig.mixer.made(),
        downloads: rig.library.session.downloads().map(crate::client::Downloads::status),
        sentences,
        leave: rig.leave.clone(),
    };
    let colors = tui::ColorDepth::choose(&settings.colors, |name| std::env::var(name).ok());
    let options = tui::Options {
        ascii: look.ascii,
        colors,
        theme: Some(look.theme).filter(|t| !t.is_empty()).or(remembered).unwrap_or_default(),
        own_themes: look.own_themes,
        still: look.still,
        light: false,
        covers: settings.covers.clone(),
        settings: look.settings,
        graphics: tui::graphics::Graphics::default(),
        log_file: log_file.clone(),
        embedded: settings.server.is_none() && music.is_empty(),
        notices: notices.into_iter().chain(look.mistakes).collect(),
        profiles: all.profile_names(),
        history,
        player_shows,
        music_folder: settings
            .music
            .clone()
            .or_else(|| paths.music.clone())
            .unwrap_or_else(|| "~/Music".into()),
    };
    let rooms: Arc<dyn tui::Outside> = Arc::new(Rooms::of(&rig, settings, paths));
    let aside = log::Aside::stderr(&log_file);
    let result = if settings.plain {
        tui::run_plain(rooms, feeds, look.keymap, options).await
    } else {
        tui::run(rooms, feeds, look.keymap, options).await
    };
    drop(aside);
    match result {
        Ok(left) => Ok((left, rig)),
        Err(e) => {
            rig.close().await;
            Err(e.into())
        }
    }
}

/// What is here is used all the same.
pub(super) fn said(settled: Result<(), String>) {
    if let Err(why) = settled {
        eprintln!("segue: {why}");
    }
}

async fn find(library: &Library, words: &str, limit: u64) -> Result<Hits, CliError> {
    Ok(library.listener.search(words, SearchWindows::first(limit)).await?)
}

/// A track as a line of text.
pub(super) fn line(track: &Track) -> String {
    let text = format!("{} — {} · {}  {}", track.artist, track.title, track.album, clock(track.duration_ms));
    printable(&text)
}

/// Prints what matches some words.
pub(super) async fn search(
    settings: &Settings,
    music: &[PathBuf],
    paths: &Paths,
    words: &str,
    json: bool,
) -> Result<ExitCode, CliError> {
    let library = Library::open(settings, music, paths).await?;
    said(library.settled(SETTLE).await);
    let hits = find(&library, words, 50).await?;
    let mut out = io::stdout().lock();
    let printed = if json { print_json(&mut out, &hits) } else { print_text(&mut out, &hits) };
    drop(out);
    library.close().await;
    match printed {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => return Err(e.into()),
        _ => {}
    }
    let found = !(hits.artists.is_empty()
        && hits.albums.is_empty()
        && hits.tracks.is_empty()
        && hits.playlists.is_empty());
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_json(out: &mut impl Write, hits: &Hits) -> io::Result<()> {
    let value = serde_json::json!({
        "artists": hits.artists,
        "albums": hits.albums,
        "tracks": hits.tracks,
        "playlists": hits.playlists,
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

/// The kind that agrees best first.
fn print_text(out: &mut impl Write, hits: &Hits) -> io::Result<()> {
    for kind in hits.order {
        match kind {
            HitKind::Artist => {
                for artist in &hits.artists {
                    writeln!(out, "artist  {}", printable(&artist.name))?;
                }
            }
            HitKind::Album => {
                for album in &hits.albums {
                    writeln!(out, "album   {} — {}", printable(&album.artist), printable(&album.title))?;
                }
            }
            HitKind::Track => {
                for track in &hits.tracks {
                    writeln!(out, "track   {}", line(track))?;
                }
            }
            HitKind::Playlist => {
                for playlist in &hits.playlists {
                    writeln!(out, "list    {}", printable(&playlist.name))?;
                }
            }
        }
    }
    Ok(())
}
