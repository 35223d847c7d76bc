//! The library by artists, genres or years: what is asked for, and what comes back.

use super::act;
use crate::music::Window;
use crate::tui::effects::{Answer, Effect, Request};
use crate::tui::layout::Frame;
use crate::tui::state::listing::PAGE;
use crate::tui::state::{App, Column, GenreRow, Root, Screen, by_decades};

/// Lists artists, genres or years in the first column, or what comes after what it lists.
pub(super) fn browse(app: &mut App, by: Option<usize>) {
    let by = match by {
        Some(at) => Column::FIRST.get(at).copied().unwrap_or_default(),
        // Where the library is not seen, the first press only shows it.
        None if app.screen != Screen::Library => app.library.by,
        None => app.library.next(),
    };
    app.library.turn(by);
    act::enter(app, Screen::Library);
}

/// Asks for what the columns show and do not have.
pub(super) fn settle(app: &mut App, frame: &Frame, effects: &mut Vec<Effect>) {
    let generation = Some(app.session.catalog_generation);
    if app.library.fresh != generation {
        app.library.oldest = app.ticket();
        app.library.fresh = generation;
        app.library.artists.refresh();
        app.library.genres.refresh();
        // Ask for the same lists again; what is shown stays until they come.
        app.library.counting = None;
        app.library.albums_of = None;
        app.library.tracks_of = None;
    }
    if let Some((id, None)) = app.library.seek.clone() {
        let ticket = app.ticket();
        app.library.seek = Some((id.clone(), Some(ticket)));
        effects.push(Effect::Ask { ticket, request: Request::PlaceOf(id) });
    }
    first_column(app, frame.library_rows(), effects);
    albums(app, frame.library_rows(), effects);
    if let Some(album) = app.library.albums.selected().map(|album| album.id.clone())
        && app.library.tracks_of.as_ref().is_none_or(|(shown, _)| *shown != album)
    {
        let ticket = app.ticket();
        if app.library.last_album.as_ref() != Some(&album) {
            app.library.tracks.expect();
        }
        app.library.last_album = Some(album.clone());
        app.library.tracks_of = Some((album.clone(), ticket));
        effects.push(Effect::Ask { ticket, request: Request::TracksOf(album) });
    }
}

fn first_column(app: &mut App, rows: usize, effects: &mut Vec<Effect>) {
    let library = &mut app.library;
    let windows: Vec<Request> = match library.by {
        Column::Genres => {
            let len = library.genres.len();
            library.genres.scroll.settle(len, rows);
            let unfiltered = library.genres.filter().is_none();
            let wanted = if unfiltered { library.genres.wanted(rows) } else { Vec::new() };
            wanted.into_iter().map(Request::Genres).collect()
        }
        Column::Years => {
            let asked = library.counting.is_some();
            (!asked).then_some(Request::Years).into_iter().collect()
        }
        _ => {
            let len = library.artists.len();
            library.artists.scroll.settle(len, rows);
            let unfiltered = library.artists.filter().is_none();
            let wanted = if unfiltered { library.artists.wanted(rows) } else { Vec::new() };
            wanted.into_iter().map(Request::Artists).collect()
        }
    };
    for request in windows {
        let ticket = app.ticket();
        if request == Request::Years {
            app.library.counting = Some(ticket);
        }
        effects.push(Effect::Ask { ticket, request });
    }
}

fn albums(app: &mut App, rows: usize, effects: &mut Vec<Effect>) {
    // While an artist is looked for, the cursor is still on another one.
    let root = app.library.root().filter(|_| app.library.seek.is_none());
    if let Some(root) = root
        && app.library.albums_of.as_ref().is_none_or(|(shown, _)| *shown != root)
    {
        let ticket = app.ticket();
        let other = app.library.last_root.as_ref() != Some(&root);
        if other {
            app.library.albums.expect();
            app.library.tracks.expect();
            app.library.tracks_of = None;
        }
        app.library.last_root = Some(root.clone());
        app.library.albums_of = Some((root.clone(), ticket));
        match root {
            Root::Artist(artist) => effects.push(Effect::Ask { ticket, request: Request::AlbumsOf(artist) }),
            Root::List(list) if other || app.library.albums.stale() => {
                let request = Request::Albums(list, Window::first(PAGE as u64));
                effects.push(Effect::Ask { ticket, request });
            }
            Root::List(_) => app.library.albums.refresh(),
        }
    }
    let Some(list) = app.library.list().cloned() else { return };
    let len = app.library.albums.len();
    app.library.albums.scroll.settle(len, rows);
    if !app.library.albums.stale() && app.library.albums.filter().is_none() {
        for window in app.library.albums.wanted(rows) {
            let ticket = app.ticket();
            effects.push(Effect::Ask { ticket, request: Request::Albums(list.clone(), window) });
        }
    }
}

/// Takes what the catalog says of genres, years and their albums.
pub(super) fn answered(
    app: &mut App,
    ticket: u64,
    request: Request,
    answer: Option<Answer>,
    error: Option<String>,
) {
    let library = &mut app.library;
    match (request, answer) {
        (Request::Genres(_) | Request::Albums(..), _) if ticket <= library.oldest => return,
        (Request::Genres(window), Some(Answer::Genres(genres, total))) => {
            library.genres.count(usize::try_from(total).unwrap_or(usize::MAX));
            library.genres.put(window, genre_rows(genres));
        }
        (Request::Genres(_), _) => library.genres.failed(),
        (Request::Years, _) if library.counting != Some(ticket) => return,
        (Request::Years, Some(Answer::Years(years))) => library.years.replace(by_decades(&years)),
        (Request::Albums(list, window), answer) => {
            let asked = library.albums_of.as_ref().map_or(u64::MAX, |(_, asked)| *asked);
            if library.list() != Some(&list) || ticket < asked {
                return;
            }
            match answer {
                Some(Answer::AlbumPage(albums, total)) => {
                    let total = usize::try_from(total).unwrap_or(usize::MAX);
                    if library.albums.stale() && ticket == asked {
                        library.albums.begin(total, albums);
                    } else {
                        library.albums.count(total);
                        library.albums.put(window, albums);
                    }
                }
                _ => library.albums.failed(),
            }
        }
        _ => {}
    }
    library.error = error;
}

fn genre_rows(genres: Vec<(String, u64)>) -> Vec<GenreRow> {
    genres.into_iter().map(|(name, albums)| GenreRow { name, albums }).collect()
}

/// Rows that match a filter were found in a list of which only a part is in memory.
pub(super) fn found(app: &mut App, ticket: u64, words: &str, answer: Option<Answer>, error: Option<String>) {
    let library = &mut app.library;
    if library.finding != Some(ticket) {
        return;
    }
    library.finding = None;
    match answer {
        Some(Answer::Artists(artists, _)) => library.artists.show(words, artists),
        Some(Answer::Genres(genres, _)) => library.genres.show(words, genre_rows(genres)),
        Some(Answer::Albums(albums)) => library.albums.show(words, albums),
        _ => {}
    }
    library.error = error;
}

/// Letters led somewhere in a list of which only a part is in memory.
pub(super) fn jumped(app: &mut App, ticket: u64, answer: Option<&Answer>, error: Option<String>) {
    let library = &mut app.library;
    if library.jumping != Some(ticket) {
        return;
    }
    library.jumping = None;
    if let Some(Answer::Place(Some(place))) = answer {
        let (len, scroll) = match library.by {
            Column::Genres => (library.genres.whole_len(), &mut library.genres.scroll),
            _ => (library.artists.whole_len(), &mut library.artists.scroll),
        };
        scroll.cursor = (*place).min(len.saturating_sub(1));
    }
    library.error = error;
}
