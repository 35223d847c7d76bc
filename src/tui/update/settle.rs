//! After every message: cursors into their lists, and questions for what the screen needs and does not have.

use crate::music::Album;
use crate::tui::cover::CoverKey;
use crate::tui::effects::{Effect, Request};
use crate::tui::graphics::Graphics;
use crate::tui::home_plan::What;
use crate::tui::layout::Frame;
use crate::tui::state::{App, Choice, Screen, Spot};

/// Size in cells of the picture that gives the accent.
const ACCENT: (u16, u16) = (8, 4);

/// Leaves the state as the view expects it.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    let frame = app.frame();
    match app.screen {
        Screen::Home => home(app, effects),
        Screen::Library => super::shelves::settle(app, &frame, effects),
        Screen::Album => album(app, effects),
        Screen::Artist => super::artist::settle(app, effects),
        Screen::Details => super::details::settle(app, effects),
        Screen::Mix => mix(app, effects),
        Screen::Search => search(app, effects),
        Screen::Player => super::full::settle(app, effects),
        Screen::Playlist => playlist(app, effects),
        Screen::Settings | Screen::Log => super::about::settle(app, effects),
        Screen::Statistics | Screen::Year | Screen::Insights => {
            super::insights::settle(app, &frame, effects);
        }
        Screen::Queue | Screen::Downloads | Screen::Playlists | Screen::Doctor => {}
        Screen::Privacy => super::privacy::settle(app, effects),
    }
    super::doctor::settle(app, &frame, effects);
    playlists(app, effects);
    scroll(app, &frame);
    app.settle_picks();
    super::slide::settle(app, effects);
    covers(app, &frame, effects);
}

fn home(app: &mut App, effects: &mut Vec<Effect>) {
    let generation = Some(app.session.catalog_generation);
    if app.home.fresh != generation && app.home.awaiting.is_none() {
        let ticket = app.ticket();
        app.home.awaiting = Some(ticket);
        app.home.fresh = generation;
        effects.push(Effect::Ask { ticket, request: Request::Home });
    }
}

/// The opening screen's cursor on something that is there, and in sight.
fn home_scroll(app: &mut App) {
    // The mix under the cursor is among those whose tiles are seen.
    let tiles = app.home_plan().parts.iter().filter(|(what, _)| matches!(what, What::MixTile(_))).count();
    if let (Spot::Mix(i), true) = (app.home.spot, tiles > 0) {
        app.home.first_mix = app.home.first_mix.clamp((i + 1).saturating_sub(tiles), i);
    }
    app.home.first_mix = app.home.first_mix.min(app.home.mixes().len().saturating_sub(tiles));
    let plan = app.home_plan();
    let first = plan.spots().next().map(|(spot, _)| spot);
    if (!app.home.moved || plan.rect(app.home.spot).is_none())
        && let Some(first) = first
    {
        app.home.spot = first;
        app.home.moved = false;
    }
    let height = app.frame().body.height;
    let place = plan.rect(app.home.spot);
    let top = match place {
        // With the first thing everything above it is seen too.
        Some(_) if Some(app.home.spot) == first => 0,
        Some(rect) => {
            let lowest = usize::from(rect.y.saturating_sub(1));
            let highest = usize::from((rect.bottom() + 1).min(plan.height).saturating_sub(height));
            app.home.top.clamp(highest.min(lowest), lowest)
        }
        None => 0,
    };
    app.home.top = top.min(usize::from(plan.height.saturating_sub(height)));
}

fn album(app: &mut App, effects: &mut Vec<Effect>) {
    let generation = Some(app.session.catalog_generation);
    if let Some(id) = app.album.id.clone()
        && app.album.fresh != generation
        && app.album.awaiting.is_none()
    {
        let ticket = app.ticket();
        app.album.awaiting = Some(ticket);
        app.album.fresh = generation;
        effects.push(Effect::Ask { ticket, request: Request::Album(id) });
    }
}

fn mix(app: &mut App, effects: &mut Vec<Effect>) {
    let generation = Some((app.session.catalog_generation, app.mixes));
    if let Some(id) = app.mix.id.clone()
        && app.mix.fresh != generation
        && app.mix.awaiting.is_none()
    {
        let ticket = app.ticket();
        app.mix.awaiting = Some(ticket);
        app.mix.fresh = generation;
        effects.push(Effect::Ask { ticket, request: Request::Mix(id) });
    }
}

/// The playlists are wanted where they are shown, and where one is to be chosen.
fn playlists(app: &mut App, effects: &mut Vec<Effect>) {
    let choosing = app.picker.as_ref().is_some_and(|picker| picker.choice == Choice::Playlist);
    let generation = Some(app.session.catalog_generation);
    if (choosing || app.screen == Screen::Playlists)
        && app.playlists.fresh != generation
        && app.playlists.awaiting.is_none()
        && app.playlists.waiting.is_empty()
    {
        let ticket = app.ticket();
        app.playlists.awaiting = Some(ticket);
        app.playlists.fresh = generation;
        effects.push(Effect::Ask { ticket, request: Request::Playlists });
    }
}

fn playlist(app: &mut App, effects: &mut Vec<Effect>) {
    let generation = Some(app.session.catalog_generation);
    if let Some(id) = app.playlist.id.clone()
        && app.playlist.fresh != generation
        && app.playlist.awaiting.is_none()
        && app.playlists.waiting.is_empty()
    {
        let ticket = app.ticket();
        app.playlist.awaiting = Some(ticket);
        app.playlist.fresh = generation;
        effects.push(Effect::Ask { ticket, request: Request::Playlist(id) });
    }
}

fn search(app: &mut App, effects: &mut Vec<Effect>) {
    let generation = Some(app.session.catalog_generation);
    let words = app.search.input.text.clone();
    if words.trim().is_empty() {
        app.search.found = None;
        app.search.awaiting = None;
        app.search.answered.clear();
        app.search.error = None;
        app.search.fresh = generation;
        return;
    }
    // New words are asked for at once, whatever is on the way; news of the catalog can wait for that.
    let typed = app.search.fresh.is_none();
    if typed || (app.search.fresh != generation && app.search.awaiting.is_none()) {
        let ticket = app.ticket();
        app.search.awaiting = Some(ticket);
        app.search.fresh = generation;
        effects.push(Effect::Ask { ticket, request: Request::Search(words) });
    }
}

fn scroll(app: &mut App, frame: &Frame) {
    home_scroll(app);
    let rows = frame.library_rows();
    let library = &mut app.library;
    let len = library.artists.len();
    library.artists.scroll.settle(len, rows);
    let len = library.genres.len();
    library.genres.scroll.settle(len, rows);
    let len = library.years.len();
    library.years.scroll.settle(len, rows);
    let len = library.albums.len();
    library.albums.scroll.settle(len, rows);
    let len = library.tracks.len();
    library.tracks.scroll.settle(len, frame.track_rows());
    if let Some(picker) = &mut app.picker {
        let len = picker.len();
        picker.scroll.settle(len, frame.picker_rows(picker.total()));
    }
    let len = app.album.tracks.len();
    app.album.tracks.scroll.settle(len, usize::from(frame.album().rows.height));
    app.artist.settle(usize::from(frame.artist().rows.height));
    if app.screen == Screen::Details {
        super::details::scroll(app, frame);
    }
    let len = app.mix.tracks.len();
    app.mix.tracks.scroll.settle(len, usize::from(frame.mix().rows.height));
    let len = app.search.len();
    app.search.scroll.settle(len, frame.search_rows());
    app.queue.settle(frame.queue_rows());
    let len = app.playlists.list.len();
    app.playlists.list.scroll.settle(len, frame.playlist_rows());
    let len = app.playlist.tracks.len();
    app.playlist.tracks.scroll.settle(len, frame.playlist_rows());
    let len = app.options.settings.len();
    app.settings.scroll.settle(len, frame.about_rows());
    let len = app.log.len();
    app.log.scroll.settle(len, frame.queue_rows());
    let len = app.downloads.len();
    app.downloads.scroll.settle(len, frame.queue_rows().saturating_sub(2));
}

fn covers(app: &mut App, frame: &Frame, effects: &mut Vec<Effect>) {
    if app.theme.draws_pictures() {
        let mut keys: Vec<CoverKey> = Vec::new();
        let playing = app.player.queue.now.as_ref().and_then(|now| now.track.cover.clone());
        if let Some(cover) = &playing {
            keys.push((cover.clone(), ACCENT.0, ACCENT.1));
        }
        match app.screen {
            Screen::Home => {
                for (what, rect) in app.home_plan().parts {
                    let cover = |album: Option<&Album>| album.and_then(|album| album.cover.clone());
                    let (cover, size) = match what {
                        What::Tile(i) => (cover(app.home.added().get(i)), (rect.width, rect.width / 2)),
                        What::DoorCover => (cover(app.home.added().first()), (rect.width, rect.height)),
                        What::MixTile(i) => {
                            let cover = app.home.mixes().get(i).and_then(|kept| kept.cover.clone());
                            (cover, (rect.width, rect.width / 2))
                        }
                        _ => continue,
                    };
                    if let Some(cover) = cover {
                        keys.push((cover, size.0, size.1));
                    }
                }
            }
            Screen::Album => {
                if let Some(cover) = app.album.album.as_ref().and_then(|album| album.cover.clone())
                    && let Some(rect) = frame.album().cover
                {
                    keys.push((cover, rect.width, rect.height));
                }
            }
            Screen::Details => {
                if let Some(cover) = app.details.track().and_then(|track| track.cover.clone())
                    && let Some(rect) = frame.artist().cover
                {
                    keys.push((cover, rect.width, rect.height));
                }
            }
            Screen::Artist => {
                if let Some(cover) = app.artist.artist.as_ref().and_then(|artist| artist.cover.clone())
                    && let Some(rect) = frame.artist().cover
                {
                    keys.push((cover, rect.width, rect.height));
                }
            }
            Screen::Library => {
                let height = frame.sleeve().saturating_sub(1);
                let album = app.library.albums.selected().filter(|_| height > 0);
                if let Some(cover) = album.and_then(|album| album.cover.clone()) {
                    keys.push((cover, height * 2, height));
                }
            }
            Screen::Player => {
                let full = frame.full(app.full.lyrics, app.full.spectrum);
                if let (Some(cover), Some(rect)) = (&playing, full.cover) {
                    keys.push((cover.clone(), rect.width, rect.height));
                }
            }
            Screen::Mix => {
                if let Some(cover) = app.mix.kept.as_ref().and_then(|kept| kept.cover.clone())
                    && let Some(rect) = frame.mix().cover
                {
                    keys.push((cover, rect.width, rect.height));
                }
            }
            Screen::Search
            | Screen::Playlists
            | Screen::Playlist
            | Screen::Queue
            | Screen::Downloads
            | Screen::Statistics
            | Screen::Settings
            | Screen::Privacy
            | Screen::Doctor
            | Screen::Year
            | Screen::Insights
            | Screen::Log => {}
        }
        let graphics = app.options.graphics;
        effects.extend(app.covers.want(keys).into_iter().map(|key| {
            // The one for the accent is never drawn.
            let drawn = (key.1, key.2) != ACCENT;
            Effect::Cover(key, if drawn { graphics } else { Graphics::default() })
        }));
        let accent = playing.and_then(|cover| app.covers.get(&cover, ACCENT.0, ACCENT.1)?.accent);
        app.theme.set_accent(accent);
    }
}
