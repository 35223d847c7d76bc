//! Cursors moved.

use crate::tui::action::Action;
use crate::tui::home_plan::Toward;
use crate::tui::state::{App, Column, PrivacyPage, Screen, Spot};

/// Moves a cursor; `false` when the action is no motion.
pub(super) fn motion(app: &mut App, action: &Action, count: Option<usize>) -> bool {
    let frame = app.frame();
    let times = isize::try_from(count.unwrap_or(1)).unwrap_or(isize::MAX);
    let page = match app.screen {
        Screen::Home => usize::from(frame.body.height) / 2,
        Screen::Library => frame.library_rows(),
        Screen::Search => frame.search_rows(),
        Screen::Playlists | Screen::Playlist | Screen::Doctor | Screen::Insights | Screen::Privacy => {
            frame.playlist_rows()
        }
        Screen::Album | Screen::Mix => usize::from(frame.album().rows.height),
        Screen::Artist | Screen::Details => usize::from(frame.artist().rows.height),
        Screen::Settings => frame.about_rows(),
        Screen::Queue
        | Screen::Downloads
        | Screen::Player
        | Screen::Statistics
        | Screen::Year
        | Screen::Log => frame.queue_rows(),
    };
    let page = isize::try_from(page.max(2)).unwrap_or(2);
    let by = match action {
        Action::Down => times,
        Action::Up => -times,
        Action::HalfDown => (page / 2).saturating_mul(times),
        Action::HalfUp => -(page / 2).saturating_mul(times),
        Action::PageDown => (page - 1).saturating_mul(times),
        Action::PageUp => -(page - 1).saturating_mul(times),
        Action::Top | Action::Bottom => {
            to_row(app, count.map(|n| n.saturating_sub(1)), *action == Action::Bottom);
            return true;
        }
        Action::Left | Action::Right | Action::NextGroup => {
            sideways(app, action, count.unwrap_or(1));
            return true;
        }
        Action::NextMatch => {
            next_match(app, count.unwrap_or(1), true);
            return true;
        }
        Action::PreviousMatch => {
            next_match(app, count.unwrap_or(1), false);
            return true;
        }
        _ => return false,
    };
    step(app, by);
    true
}

fn step(app: &mut App, by: isize) {
    match app.screen {
        Screen::Home => {
            let toward = if by > 0 { Toward::Down } else { Toward::Up };
            home_step(app, toward, by.unsigned_abs());
        }
        Screen::Library => match app.library.column {
            Column::Artists => app.library.artists.scroll.step(by, app.library.artists.len()),
            Column::Genres => app.library.genres.scroll.step(by, app.library.genres.len()),
            Column::Years => app.library.years.scroll.step(by, app.library.years.len()),
            Column::Albums => app.library.albums.scroll.step(by, app.library.albums.len()),
            Column::Tracks => app.library.tracks.scroll.step(by, app.library.tracks.len()),
        },
        Screen::Album => app.album.tracks.scroll.step(by, app.album.tracks.len()),
        Screen::Details => app.details.scroll.step(by, app.details.len()),
        Screen::Artist => app.artist.scroll.step(by, app.artist.len()),
        Screen::Mix => app.mix.tracks.scroll.step(by, app.mix.tracks.len()),
        Screen::Search => app.search.scroll.step(by, app.search.len()),
        Screen::Downloads => app.downloads.scroll.step(by, app.downloads.len()),
        Screen::Playlists => app.playlists.list.scroll.step(by, app.playlists.list.len()),
        Screen::Playlist => app.playlist.tracks.scroll.step(by, app.playlist.tracks.len()),
        Screen::Settings => app.settings.scroll.step(by, app.options.settings.len()),
        Screen::Doctor => app.doctor.scroll.step(by, app.doctor.len()),
        Screen::Privacy => app.privacy.scroll.step(by, PrivacyPage::ROWS.len()),
        Screen::Log => app.log.scroll.step(by, app.log.len()),
        Screen::Insights => app.operators.scroll.step(by, app.operators.len()),
        Screen::Statistics => app.statistics.step(by),
        Screen::Player | Screen::Year => {}
        Screen::Queue => {
            app.queue.scroll.step(by, app.queue.len());
            let queue = app.player.queue.clone();
            app.queue.select(&queue);
        }
    }
}

fn to_row(app: &mut App, row: Option<usize>, bottom: bool) {
    if app.screen == Screen::Home {
        let spots: Vec<Spot> = app.home_plan().spots().map(|(spot, _)| spot).collect();
        let last = spots.len().saturating_sub(1);
        let at = row.unwrap_or(if bottom { last } else { 0 }).min(last);
        if let Some(spot) = spots.get(at) {
            home_to(app, *spot);
        }
        return;
    }
    step(app, isize::MIN + 1);
    match row {
        Some(row) => step(app, isize::try_from(row).unwrap_or(isize::MAX)),
        None if bottom => step(app, isize::MAX),
        None => {}
    }
}

fn sideways(app: &mut App, action: &Action, times: usize) {
    match app.screen {
        Screen::Home if *action == Action::NextGroup => {
            let spots: Vec<Spot> = app.home_plan().spots().map(|(spot, _)| spot).collect();
            let group = std::mem::discriminant(&app.home.spot);
            let here = spots.iter().position(|spot| *spot == app.home.spot).unwrap_or(0);
            let next = spots.iter().skip(here).find(|spot| std::mem::discriminant(*spot) != group);
            if let Some(spot) = next.or(spots.first()) {
                home_to(app, *spot);
            }
        }
        Screen::Home => {
            let toward = if *action == Action::Left { Toward::Left } else { Toward::Right };
            home_step(app, toward, times);
        }
        Screen::Library => {
            let albums = app.library.albums.len() > 0 || app.library.albums.stale();
            let tracks = app.library.tracks.len() > 0 || app.library.tracks.stale();
            app.library.column = match (app.library.column, action) {
                (Column::Artists | Column::Genres | Column::Years, Action::Right | Action::NextGroup)
                    if albums =>
                {
                    Column::Albums
                }
                (Column::Albums, Action::Right | Action::NextGroup) if tracks => Column::Tracks,
                (Column::Tracks, Action::Left) => Column::Albums,
                (Column::Albums, Action::Left) | (_, Action::NextGroup) => app.library.by,
                (column, _) => column,
            };
        }
        Screen::Search => {
            let here = app.search.scroll.cursor;
            app.search.scroll.cursor = to_group(&app.search.groups(), here, action);
        }
        Screen::Details => {
            let here = app.details.scroll.cursor;
            app.details.scroll.cursor = to_group(&app.details.starts(), here, action);
        }
        Screen::Artist => {
            let here = app.artist.scroll.cursor;
            app.artist.scroll.cursor = to_group(&app.artist.groups(), here, action);
        }
        Screen::Queue if *action == Action::NextGroup => {
            let queue = app.player.queue.clone();
            app.queue.select_now(&queue);
        }
        Screen::Queue
        | Screen::Album
        | Screen::Downloads
        | Screen::Player
        | Screen::Playlists
        | Screen::Playlist
        | Screen::Statistics
        | Screen::Settings
        | Screen::Mix
        | Screen::Privacy
        | Screen::Doctor
        | Screen::Year
        | Screen::Insights
        | Screen::Log => {}
    }
}

/// Where the next part of a list begins, to the right or left; `Tab` goes round.
fn to_group(starts: &[usize], here: usize, action: &Action) -> usize {
    let to = match action {
        Action::Left => starts.iter().rev().find(|start| **start < here),
        Action::Right => starts.iter().find(|start| **start > here),
        _ => starts.iter().find(|start| **start > here).or(starts.first()),
    };
    to.copied().unwrap_or(here)
}

fn home_to(app: &mut App, spot: Spot) {
    app.home.spot = spot;
    app.home.moved = true;
}

fn home_step(app: &mut App, toward: Toward, times: usize) {
    let plan = app.home_plan();
    for _ in 0..times.min(200) {
        let further = match (app.home.spot, toward) {
            // There are more mixes than tiles.
            (Spot::Mix(i), Toward::Right) if i + 1 < app.home.mixes().len() => Some(Spot::Mix(i + 1)),
            (Spot::Mix(i), Toward::Left) if i > 0 => Some(Spot::Mix(i - 1)),
            _ => None,
        };
        let Some(next) = plan.neighbour(app.home.spot, toward).or(further) else { break };
        home_to(app, next);
    }
}

fn next_match(app: &mut App, times: usize, forward: bool) {
    let library = &mut app.library;
    match (app.screen, library.column) {
        (Screen::Library, Column::Artists) => library.artists.cycle(times, forward),
        (Screen::Library, Column::Genres) => library.genres.cycle(times, forward),
        (Screen::Library, Column::Years) => library.years.cycle(times, forward),
        (Screen::Library, Column::Albums) => library.albums.cycle(times, forward),
        (Screen::Library, Column::Tracks) => library.tracks.cycle(times, forward),
        (Screen::Album, _) => app.album.tracks.cycle(times, forward),
        (Screen::Artist, _) => app.artist.cycle(times, forward),
        (Screen::Mix, _) => app.mix.tracks.cycle(times, forward),
        (Screen::Playlists, _) => app.playlists.list.cycle(times, forward),
        (Screen::Playlist, _) => app.playlist.tracks.cycle(times, forward),
        (Screen::Queue, _) => {
            let matches = &app.queue.matches;
            for _ in 0..times.min(matches.len()) {
                let here = app.queue.scroll.cursor;
                let next = if forward {
                    matches.iter().find(|row| **row > here).or(matches.first())
                } else {
                    matches.iter().rev().find(|row| **row < here).or(matches.last())
                };
                app.queue.scroll.cursor = next.copied().unwrap_or(here);
            }
            let queue = app.player.queue.clone();
            app.queue.select(&queue);
        }
        _ => {}
    }
}
