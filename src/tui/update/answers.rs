//! What comes back from outside. An answer that is not the one a screen waits for is late and dropped.

use super::{about, notify};
use crate::music::{Item, Marks};
use crate::player::Command;
use crate::tui::effects::{Answer, Effect, Request, Source, Then};
use crate::tui::state::{App, Beginning, Choice, Scroll, Weight, numbered};
use crate::tui::text;

/// Takes an answer of the catalog.
#[allow(clippy::too_many_lines, reason = "an arm for each question")]
pub(super) fn answered(
    app: &mut App,
    ticket: u64,
    request: Request,
    answer: Result<Answer, String>,
    effects: &mut Vec<Effect>,
) {
    let (answer, error) = match answer {
        Ok(answer) => {
            adopt_marks(app, &answer);
            (Some(answer), None)
        }
        Err(error) => (None, Some(error)),
    };
    match request {
        Request::Home => home(app, ticket, answer, error),
        Request::Artists(window) => {
            let library = &mut app.library;
            if ticket <= library.oldest {
                return;
            }
            match answer {
                Some(Answer::Artists(artists, total)) => {
                    library.artists.count(usize::try_from(total).unwrap_or(usize::MAX));
                    library.artists.put(window, artists);
                }
                _ => library.artists.failed(),
            }
            library.error = error;
        }
        Request::Genres(_) | Request::Years | Request::Albums(..) => {
            super::shelves::answered(app, ticket, request, answer, error);
        }
        Request::FindArtists(words) | Request::FindGenres(words) | Request::FindAlbums(_, words) => {
            super::shelves::found(app, ticket, &words, answer, error);
        }
        Request::PlaceOf(_) => {
            if app.library.seek.as_ref().is_some_and(|(_, asked)| *asked == Some(ticket)) {
                app.library.seek = None;
                if let Some(Answer::Place(Some(place))) = answer {
                    app.library.artists.scroll.cursor = place;
                    app.library.artists.reach(place);
                }
            }
        }
        Request::PlaceOfLetters(..) | Request::PlaceOfGenre(_) => {
            super::shelves::jumped(app, ticket, answer.as_ref(), error);
        }
        Request::AlbumsOf(_) => {
            if app.library.albums_of.as_ref().is_some_and(|(_, asked)| *asked == ticket) {
                if let Some(Answer::Albums(albums)) = answer {
                    app.library.albums.replace(albums);
                }
                app.library.error = error;
            }
        }
        Request::TracksOf(_) => {
            if app.library.tracks_of.as_ref().is_some_and(|(_, asked)| *asked == ticket) {
                if let Some(Answer::Tracks(tracks)) = answer {
                    app.library.tracks.replace(tracks);
                }
                app.library.error = error;
            }
        }
        Request::Album(_) => {
            if app.album.awaiting == Some(ticket) {
                app.album.awaiting = None;
                app.album.error = error;
                if let Some(Answer::Album(album, tracks)) = answer {
                    if album.is_none() {
                        app.album.error = Some("This album is no longer in the library.".to_owned());
                    }
                    app.album.album = album.map(|album| *album);
                    app.album.tracks.replace(tracks);
                }
            }
        }
        Request::Artist(_) => super::artist::answered(app, ticket, answer, error),
        Request::Details { .. } => super::details::answered(app, ticket, answer, error),
        Request::Insights { .. } | Request::Year { .. } | Request::Operators(_) => {
            super::insights::answered(app, ticket, answer, error);
        }
        Request::Doctor => super::doctor::answered(app, ticket, answer, error),
        Request::Places => super::picker::answered(app, ticket, answer, error, effects),
        Request::Privacy => super::privacy::answered(app, ticket, answer, error),
        Request::Log(_) => about::log(app, ticket, answer, error, effects),
        Request::Lyrics { .. } => super::full::answered(app, ticket, &request, answer, effects),
        Request::Mix(_) => mix(app, ticket, answer, error),
        Request::Why { .. } => {
            if let Some(why) = app.why.as_mut().filter(|why| why.awaiting == ticket) {
                why.lines = match answer {
                    Some(Answer::Why(lines)) => Some(lines),
                    _ => Some(error.into_iter().collect()),
                };
            }
        }
        Request::Search(words) => search(app, ticket, words, answer, error),
        Request::Playlists => {
            if app.playlists.awaiting == Some(ticket) {
                app.playlists.awaiting = None;
                app.playlists.error = error;
                // While a change is being written, what is shown is ahead of what was read.
                if let (Some(Answer::Playlists(lists)), true) = (answer, app.playlists.waiting.is_empty()) {
                    if let Some(picker) = app.picker.as_mut().filter(|p| p.choice == Choice::Playlist) {
                        picker.offer_playlists(lists.iter());
                    }
                    app.playlists.list.replace(lists);
                }
            }
        }
        Request::Playlist(_) => playlist(app, ticket, answer, error),
    }
}

fn playlist(app: &mut App, ticket: u64, answer: Option<Answer>, error: Option<String>) {
    if app.playlist.awaiting != Some(ticket) {
        return;
    }
    app.playlist.awaiting = None;
    app.playlist.error = error;
    if !app.playlists.waiting.is_empty() {
        return;
    }
    match answer {
        Some(Answer::Playlist(Some(list), tracks)) => {
            app.playlist.id = Some(list.id.clone());
            app.playlist.playlist = Some(*list);
            app.playlist.tracks.replace(numbered(tracks));
        }
        Some(Answer::Playlist(None, _)) => {
            app.playlist.error = Some("This playlist is gone.".to_owned());
            app.playlist.playlist = None;
            app.playlist.tracks.replace(Vec::new());
        }
        _ => {}
    }
}

fn home(app: &mut App, ticket: u64, answer: Option<Answer>, error: Option<String>) {
    if app.home.awaiting != Some(ticket) {
        return;
    }
    app.home.awaiting = None;
    app.home.error = error;
    if let Some(Answer::Home(data)) = answer {
        app.home.data = Some(*data);
    }
}

fn mix(app: &mut App, ticket: u64, answer: Option<Answer>, error: Option<String>) {
    if app.mix.awaiting != Some(ticket) {
        return;
    }
    app.mix.awaiting = None;
    app.mix.error = error;
    if let Some(Answer::Mix(kept, tracks)) = answer {
        if kept.is_none() {
            app.mix.error = Some("This mix is not made today.".to_owned());
        }
        app.mix.kept = kept.map(|kept| *kept);
        app.mix.tracks.replace(tracks);
    }
}

fn search(app: &mut App, ticket: u64, words: String, answer: Option<Answer>, error: Option<String>) {
    if app.search.awaiting != Some(ticket) {
        return;
    }
    app.search.awaiting = None;
    app.search.error = error;
    if let Some(Answer::Found(found)) = answer {
        if app.search.answered != words {
            app.search.scroll = Scroll::default();
        }
        app.search.found = Some(*found);
        app.search.answered = words;
    }
}

/// Rows that were just read know better than what this session remembers having changed.
fn adopt_marks(app: &mut App, answer: &Answer) {
    if app.marks.is_empty() {
        return;
    }
    let mut read: Vec<(Item, Marks)> = Vec::new();
    match answer {
        Answer::Artists(artists, _) => {
            read.extend(artists.iter().map(|a| (Item::Artist(a.id.clone()), a.marks)));
        }
        Answer::AlbumPage(albums, _) | Answer::Albums(albums) => {
            read.extend(albums.iter().map(|a| (Item::Album(a.id.clone()), a.marks)));
        }
        Answer::Tracks(tracks) => read.extend(tracks.iter().map(|t| (Item::Track(t.id.clone()), t.marks))),
        Answer::Album(album, tracks) => {
            read.extend(album.iter().map(|a| (Item::Album(a.id.clone()), a.marks)));
            read.extend(tracks.iter().map(|t| (Item::Track(t.id.clone()), t.marks)));
        }
        Answer::Artist(data) => {
            read.extend(data.artist.iter().map(|a| (Item::Artist(a.id.clone()), a.marks)));
            let albums = data.albums.iter().chain(&data.guest);
            read.extend(albums.map(|a| (Item::Album(a.id.clone()), a.marks)));
            read.extend(data.top.iter().map(|t| (Item::Track(t.id.clone()), t.marks)));
        }
        Answer::Details(data) => {
            read.extend(data.track.iter().map(|t| (Item::Track(t.id.clone()), t.marks)));
        }
        Answer::Mix(_, tracks) => {
            read.extend(tracks.iter().map(|t| (Item::Track(t.id.clone()), t.marks)));
        }
        Answer::Playlist(_, tracks) => {
            read.extend(tracks.iter().map(|t| (Item::Track(t.id.clone()), t.marks)));
        }
        // These are asked for while keys are typed; a mark that is being written may not be in them yet.
        Answer::Home(_)
        | Answer::Found(_)
        | Answer::Place(_)
        | Answer::Genres(..)
        | Answer::Years(_)
        | Answer::Playlists(_)
        | Answer::Lyrics { .. }
        | Answer::Insights(_)
        | Answer::Year(_)
        | Answer::Operators(_)
        | Answer::Log(_)
        | Answer::Places(_)
        | Answer::Doctor(_)
        | Answer::Privacy(_)
        | Answer::Why(_) => {}
    }
    for (item, marks) in read {
        if let Some(mine) = app.marks.get_mut(&item) {
            *mine = marks;
        }
    }
}

/// Tracks were collected and handed to the player.
pub(super) fn gathered(
    app: &mut App,
    source: &Source,
    then: Then,
    count: Result<usize, String>,
    effects: &mut Vec<Effect>,
) {
    if matches!(then, Then::Play { .. }) {
        let played = matches!(count, Ok(1..));
        let before = std::mem::replace(&mut app.beginning, played.then_some(Beginning::Told));
        if played && before == Some(Beginning::Gathering { paused: true }) {
            effects.push(Effect::Player(Command::Toggle));
        }
    }
    let name = text::clean(source.name());
    // Rows that were selected together have no name of their own.
    let of = match source {
        Source::Tracks(..) | Source::Several(..) => String::new(),
        _ => format!(" of “{name}”"),
    };
    let (weight, said) = match (count, then) {
        (Err(reason), _) => (Weight::Trouble, reason),
        (Ok(0), _) if of.is_empty() => (Weight::Trouble, "There are no tracks in it.".to_owned()),
        (Ok(0), _) => (Weight::Trouble, format!("“{name}” has no tracks.")),
        (Ok(_), Then::Play { .. }) => return,
        (Ok(n), Then::Enqueue) => {
            (Weight::Done, format!("{}{of} {} up next.", text::count(n as u64, "track"), are(n)))
        }
        (Ok(n), Then::EnqueueNext) => {
            let play = if n == 1 { "plays" } else { "play" };
            (Weight::Done, format!("{}{of} {play} next.", text::count(n as u64, "track")))
        }
    };
    notify(app, effects, weight, said);
}

const fn are(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}
