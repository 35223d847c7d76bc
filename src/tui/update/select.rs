//! What is selected, and what can be done with it.

use super::{act, artist, motion, notify};
use crate::catalog::{AlbumList, Pin};
use crate::client::Download;
use crate::music::{Album, Artist, ArtistId, ArtistRef, Item, Marks, PlayContext, Playlist, Track};
use crate::player::Command;
use crate::tui::action::Action;
use crate::tui::effects::{Effect, Source, Then};
use crate::tui::state::{
    App, ArtistRow, Beginning, Column, Door, DownloadRow, GenreRow, Hit, Screen, Spot, Weight, YearRow, entry,
};
use crate::tui::text;

/// The selection.
enum Selection {
    /// One track of a list that goes on after it: the list, the place in it, and what the queue calls it.
    Track(Vec<Track>, usize, String),
    /// Tracks that have to be collected first; what can be marked, where something can.
    Many(Source, Option<Item>, Marks),
    /// Tracks that have to be collected first, of what cannot be marked.
    Gathered(Source),
}

/// What stands in a row.
#[expect(clippy::large_enum_variant, reason = "few of them live at once, and for a moment")]
enum Thing {
    Track(Track),
    Album(Album),
    Artist(Artist),
    Playlist(Playlist),
    /// A genre, or years.
    Shelf(Source),
}

impl Thing {
    fn source(self) -> Source {
        match self {
            Self::Track(track) => Source::Tracks(vec![track], String::new()),
            Self::Album(album) => Source::Album(album.id, album.title),
            Self::Artist(artist) => Source::Artist(artist.id, artist.name),
            Self::Playlist(list) => Source::Playlist(list.id, list.name),
            Self::Shelf(source) => source,
        }
    }

    fn item(&self) -> Option<(Item, Marks)> {
        Some(match self {
            Self::Track(track) => (Item::Track(track.id.clone()), track.marks),
            Self::Album(album) => (Item::Album(album.id.clone()), album.marks),
            Self::Artist(artist) => (Item::Artist(artist.id.clone()), artist.marks),
            Self::Playlist(_) | Self::Shelf(_) => return None,
        })
    }

    fn pin(&self) -> Option<Pin> {
        Some(match self {
            Self::Track(track) => Pin::Track(track.id.clone()),
            Self::Album(album) => Pin::Album(album.id.clone()),
            Self::Artist(artist) => Pin::Artist(artist.id.clone()),
            Self::Playlist(list) => Pin::Playlist(list.id.clone()),
            Self::Shelf(_) => return None,
        })
    }
}

/// What stands in this row of the present list.
fn thing(app: &App, row: usize) -> Option<Thing> {
    let of_hit = |hit: Hit<'_>| match hit {
        Hit::Artist(artist) => Thing::Artist(artist.clone()),
        Hit::Album(album) => Thing::Album(album.clone()),
        Hit::Track(track) => Thing::Track(track.clone()),
        Hit::Playlist(list) => Thing::Playlist(list.clone()),
    };
    match app.screen {
        Screen::Library => match app.library.column {
            Column::Artists => app.library.artists.get(row).cloned().map(Thing::Artist),
            Column::Genres => app.library.genres.get(row).map(|row| Thing::Shelf(of_genre(row))),
            Column::Years => app.library.years.get(row).map(|row| Thing::Shelf(of_years(row))),
            Column::Albums => app.library.albums.get(row).cloned().map(Thing::Album),
            Column::Tracks => app.library.tracks.get(row).cloned().map(Thing::Track),
        },
        Screen::Album => app.album.tracks.get(row).cloned().map(Thing::Track),
        Screen::Artist => app.artist.get(row).map(|row| match row {
            ArtistRow::Track(track) => Thing::Track(track.clone()),
            ArtistRow::Album(album) => Thing::Album(album.clone()),
        }),
        Screen::Search => app.search.get(row).map(of_hit),
        Screen::Queue => entry(&app.player.queue, row).map(|entry| Thing::Track(Track::clone(&entry.track))),
        Screen::Playlists => app.playlists.list.get(row).cloned().map(Thing::Playlist),
        Screen::Playlist => app.playlist.tracks.get(row).map(|row| Thing::Track(row.track.clone())),
        Screen::Mix => app.mix.tracks.get(row).cloned().map(Thing::Track),
        Screen::Home
        | Screen::Downloads
        | Screen::Player
        | Screen::Statistics
        | Screen::Settings
        | Screen::Log
        | Screen::Details
        | Screen::Doctor
        | Screen::Year
        | Screen::Insights
        | Screen::Privacy => None,
    }
}

/// What stands in the rows that are selected together; empty when none are.
fn picked(app: &App) -> Vec<Thing> {
    app.picked().into_iter().filter_map(|row| thing(app, row)).collect()
}

/// Several things as one source of tracks.
fn together(things: Vec<Thing>) -> Source {
    let name = crate::tui::text::count(things.len() as u64, "selected row");
    if things.iter().all(|thing| matches!(thing, Thing::Track(_))) {
        let tracks = things.into_iter().filter_map(|thing| match thing {
            Thing::Track(track) => Some(track),
            _ => None,
        });
        return Source::Tracks(tracks.collect(), name);
    }
    Source::Several(things.into_iter().map(Thing::source).collect(), name)
}

/// The tracks that the selection stands for: those of the rows selected together, where there are any.
pub(super) fn chosen(app: &App) -> Option<Source> {
    let things = picked(app);
    if things.is_empty() { source(app) } else { Some(together(things)) }
}

/// What of the selection can be marked, with the marks as read.
pub(super) fn items(app: &App) -> Vec<(Item, Marks)> {
    let things = picked(app);
    if things.is_empty() {
        item(app).into_iter().collect()
    } else {
        things.iter().filter_map(Thing::item).collect()
    }
}

/// What of the selection can be kept on this device.
pub(super) fn pins(app: &App) -> Vec<Pin> {
    let things = picked(app);
    if !things.is_empty() {
        return things.iter().filter_map(Thing::pin).collect();
    }
    if let (Screen::Playlists, Some(list)) = (app.screen, app.playlists.list.selected()) {
        return vec![Pin::Playlist(list.id.clone())];
    }
    item(app).map(|(item, _)| item.into()).into_iter().collect()
}

fn selection(app: &App) -> Option<Selection> {
    match app.screen {
        Screen::Home => at_home(app),
        Screen::Library => in_library(app),
        Screen::Album => {
            let name = app.album.album.as_ref().map(|album| album.title.clone()).unwrap_or_default();
            in_list(app.album.tracks.rows().cloned().collect(), app.album.tracks.selected()?, name)
        }
        Screen::Details => {
            let track = app.details.track()?.clone();
            let name = track.album.clone();
            Some(Selection::Track(vec![track], 0, name))
        }
        Screen::Artist => match app.artist.selected()? {
            ArtistRow::Album(album) => Some(whole(album)),
            ArtistRow::Track(track) => {
                let name = app.artist.artist.as_ref().map_or(&app.artist.name, |artist| &artist.name);
                in_list(app.artist.top.clone(), track, name.clone())
            }
        },
        Screen::Mix => {
            let name = app.mix.kept.as_ref().map(|kept| kept.mix.name.clone()).unwrap_or_default();
            in_list(app.mix.tracks.rows().cloned().collect(), app.mix.tracks.selected()?, name)
        }
        Screen::Queue => {
            let track = Track::clone(&entry(&app.player.queue, app.queue.scroll.cursor)?.track);
            let name = track.album.clone();
            Some(Selection::Track(vec![track], 0, name))
        }
        Screen::Player => {
            let track = Track::clone(&app.player.queue.now.as_ref()?.track);
            let name = track.album.clone();
            Some(Selection::Track(vec![track], 0, name))
        }
        Screen::Playlists => {
            let list = app.playlists.list.selected()?;
            let source = Source::Playlist(list.id.clone(), list.name.clone());
            Some(Selection::Many(source, None, Marks::default()))
        }
        Screen::Playlist => {
            let row = app.playlist.tracks.selected()?;
            let name = app.playlist.playlist.as_ref().map(|list| list.name.clone()).unwrap_or_default();
            let tracks: Vec<Track> = app.playlist.tracks.rows().map(|row| row.track.clone()).collect();
            (row.place < tracks.len()).then_some(Selection::Track(tracks, row.place, name))
        }
        Screen::Statistics
        | Screen::Settings
        | Screen::Log
        | Screen::Doctor
        | Screen::Year
        | Screen::Insights
        | Screen::Privacy => None,
        Screen::Downloads => match app.downloads.selected()? {
            DownloadRow::Active(Download { track, .. }) => {
                Some(Selection::Track(vec![Track::clone(track)], 0, track.album.clone()))
            }
            DownloadRow::Failed(track, _) => {
                Some(Selection::Track(vec![track.clone()], 0, track.album.clone()))
            }
            DownloadRow::Pin(pinned) => {
                let (name, none) = (pinned.name.clone(), Marks::default());
                match &pinned.pin {
                    Pin::Album(id) => {
                        let item = Some(Item::Album(id.clone()));
                        Some(Selection::Many(Source::Album(id.clone(), name), item, none))
                    }
                    Pin::Artist(id) => {
                        let item = Some(Item::Artist(id.clone()));
                        Some(Selection::Many(Source::Artist(id.clone(), name), item, none))
                    }
                    Pin::Playlist(id) => {
                        Some(Selection::Many(Source::Playlist(id.clone(), name), None, none))
                    }
                    Pin::Mix(id) => Some(Selection::Gathered(Source::Mix(id.clone(), name))),
                    Pin::Track(_) | Pin::Starred => None,
                }
            }
        },
        Screen::Search => match app.search.selected()? {
            Hit::Artist(artist) => {
                let source = Source::Artist(artist.id.clone(), artist.name.clone());
                Some(Selection::Many(source, Some(Item::Artist(artist.id.clone())), artist.marks))
            }
            Hit::Album(album) => Some(whole(album)),
            Hit::Track(track) => {
                let found = app.search.found.as_ref()?;
                in_list(
                    found.tracks.clone(),
                    track,
                    format!("{}{}", PlayContext::SEARCH, app.search.answered.trim()),
                )
            }
            Hit::Playlist(list) => {
                let source = Source::Playlist(list.id.clone(), list.name.clone());
                Some(Selection::Many(source, None, Marks::default()))
            }
        },
    }
}

fn at_home(app: &App) -> Option<Selection> {
    let home = &app.home;
    match home.spot {
        Spot::Continue => {
            let track = home.track(Spot::Continue)?;
            match track.album_id.clone() {
                Some(album) => {
                    let source = Source::AlbumOf(track.id.clone(), album, track.album.clone());
                    Some(Selection::Many(source, Some(Item::Track(track.id.clone())), track.marks))
                }
                None => in_list(home.played().to_vec(), track, "Recently played".to_owned()),
            }
        }
        Spot::Door(Door::Demo) => home.added().first().map(whole),
        Spot::Door(_) => None,
        Spot::Mix(i) => {
            let mix = &home.mixes().get(i)?.mix;
            Some(Selection::Gathered(Source::Mix(mix.id.clone(), mix.name.clone())))
        }
        Spot::Added(i) => home.added().get(i).map(whole),
        Spot::Played(_) => {
            in_list(home.played().to_vec(), home.track(home.spot)?, "Recently played".to_owned())
        }
        Spot::Most(_) => in_list(home.most().to_vec(), home.track(home.spot)?, "Most played".to_owned()),
        Spot::Loved(_) => in_list(home.loved().to_vec(), home.track(home.spot)?, "Loved".to_owned()),
    }
}

fn in_library(app: &App) -> Option<Selection> {
    let library = &app.library;
    match library.column {
        Column::Artists => {
            let artist = library.artists.selected()?;
            let source = Source::Artist(artist.id.clone(), artist.name.clone());
            Some(Selection::Many(source, Some(Item::Artist(artist.id.clone())), artist.marks))
        }
        Column::Genres => library.genres.selected().map(|row| Selection::Gathered(of_genre(row))),
        Column::Years => library.years.selected().map(|row| Selection::Gathered(of_years(row))),
        Column::Albums => library.albums.selected().map(whole),
        Column::Tracks => {
            let track = library.tracks.selected()?;
            in_list(library.tracks.rows().cloned().collect(), track, track.album.clone())
        }
    }
}

fn of_genre(row: &GenreRow) -> Source {
    Source::List(AlbumList::ByGenre(row.name.clone()), row.name.clone())
}

fn of_years(row: &YearRow) -> Source {
    Source::List(AlbumList::ByYear { from: row.to, to: row.from }, row.name.clone())
}

fn whole(album: &Album) -> Selection {
    let source = Source::Album(album.id.clone(), album.title.clone());
    Selection::Many(source, Some(Item::Album(album.id.clone())), album.marks)
}

fn in_list(list: Vec<Track>, track: &Track, name: String) -> Option<Selection> {
    let at = list.iter().position(|t| t.id == track.id)?;
    Some(Selection::Track(list, at, name))
}

/// The row of the opening screen that stands for the queue itself.
fn on_queue_row(app: &App) -> bool {
    app.screen == Screen::Home && app.home.spot == Spot::Continue && app.home.can_continue
}

/// The selected item with its marks as read.
pub(super) fn item(app: &App) -> Option<(Item, Marks)> {
    if on_queue_row(app) {
        let now = app.player.queue.now.as_ref()?;
        return Some((Item::Track(now.track.id.clone()), now.track.marks));
    }
    match selection(app)? {
        Selection::Many(_, item, marks) => item.map(|item| (item, marks)),
        Selection::Gathered(_) => None,
        Selection::Track(list, at, _) => list.get(at).map(|t| (Item::Track(t.id.clone()), t.marks)),
    }
}

/// The selected track; that of the queue's row is what plays.
pub(super) fn track(app: &App) -> Option<Track> {
    if on_queue_row(app) {
        return app.player.queue.now.as_ref().map(|now| Track::clone(&now.track));
    }
    match selection(app)? {
        Selection::Track(mut list, at, _) if at < list.len() => Some(list.swap_remove(at)),
        Selection::Many(Source::AlbumOf(..), ..) => app.home.track(app.home.spot).cloned(),
        _ => None,
    }
}

/// Where the tracks of the selection come from.
pub(super) fn source(app: &App) -> Option<Source> {
    if let Some(track) = track(app) {
        return Some(Source::One(track.id, track.title));
    }
    match selection(app)? {
        Selection::Many(source, ..) | Selection::Gathered(source) => Some(source),
        Selection::Track(..) => None,
    }
}

/// The selected mix: id and name.
pub(super) fn mix(app: &App) -> Option<(String, String)> {
    match selection(app)? {
        Selection::Gathered(Source::Mix(id, name)) => Some((id, name)),
        _ => None,
    }
}

/// Plays the selection now.
pub(super) fn play(app: &mut App, shuffled: bool, effects: &mut Vec<Effect>) {
    let things = picked(app);
    if !things.is_empty() {
        app.picks.clear();
        return gather(app, together(things), shuffled, effects);
    }
    if app.screen == Screen::Queue && !shuffled {
        effects.extend(app.queue.selected.map(|uid| Effect::Player(Command::Jump(uid))));
        return;
    }
    if on_queue_row(app) {
        let command = if shuffled { Command::SetShuffle(true) } else { Command::Resume };
        effects.push(Effect::Player(command));
        return;
    }
    match selection(app) {
        Some(Selection::Track(tracks, start, name)) => {
            effects.push(Effect::Player(Command::PlayContext { tracks, start, name, shuffled }));
            app.beginning = Some(Beginning::Told);
        }
        Some(Selection::Many(source, ..) | Selection::Gathered(source)) => {
            gather(app, source, shuffled, effects);
        }
        None => {
            let text = match (app.screen, app.home.spot) {
                (Screen::Home, Spot::Door(Door::Folder)) => {
                    "Leave with q, then start Segue with your music: segue --music FOLDER"
                }
                (Screen::Home, Spot::Door(Door::Server)) => {
                    "Leave with q, then start Segue with your server: segue --server URL"
                }
                _ => "There is nothing to play here.",
            };
            notify(app, effects, Weight::Done, text.to_owned());
        }
    }
}

fn gather(app: &mut App, source: Source, shuffled: bool, effects: &mut Vec<Effect>) {
    app.beginning = Some(Beginning::Gathering { paused: false });
    effects.push(Effect::Gather { source, then: Then::Play { shuffled } });
}

/// Puts the selection into the queue, right after what plays or at the end of what was queued.
pub(super) fn enqueue(app: &mut App, next: bool, effects: &mut Vec<Effect>) {
    let things = picked(app);
    if !things.is_empty() {
        app.picks.clear();
        let then = if next { Then::EnqueueNext } else { Then::Enqueue };
        effects.push(Effect::Gather { source: together(things), then });
        return;
    }
    match selection(app) {
        Some(Selection::Track(mut tracks, at, _)) if at < tracks.len() => {
            let track = tracks.swap_remove(at);
            let title = text::clean(&track.title);
            let (command, said) = if next {
                (Command::EnqueueNext(vec![track]), format!("“{title}” plays next."))
            } else {
                (Command::Enqueue(vec![track]), format!("“{title}” is up next."))
            };
            effects.push(Effect::Player(command));
            notify(app, effects, Weight::Done, said);
            if app.screen != Screen::Queue {
                motion::motion(app, &Action::Down, None);
            }
        }
        Some(Selection::Many(source, ..) | Selection::Gathered(source)) => {
            let then = if next { Then::EnqueueNext } else { Then::Enqueue };
            effects.push(Effect::Gather { source, then });
        }
        _ => notify(app, effects, Weight::Done, "There is nothing to queue here.".to_owned()),
    }
}

/// Opens the page of the selection; of a track that is its album's.
pub(super) fn open(app: &mut App, effects: &mut Vec<Effect>) {
    if on_queue_row(app) {
        return act::act(app, &Action::PlayingAlbum, None, effects);
    }
    let album = match selection(app) {
        Some(Selection::Many(Source::Artist(id, name), ..)) => return artist::show(app, id, &name),
        Some(Selection::Gathered(Source::Mix(id, _))) => return act::show_mix(app, id),
        Some(Selection::Gathered(Source::List(..))) => {
            app.library.column = Column::Albums;
            return;
        }
        Some(Selection::Many(Source::Playlist(id, _), ..)) => return act::show_playlist(app, id),
        Some(Selection::Many(Source::Album(id, _) | Source::AlbumOf(_, id, _), ..)) => Some(id),
        Some(Selection::Track(tracks, at, _)) => tracks.get(at).and_then(|track| track.album_id.clone()),
        Some(_) | None => None,
    };
    match album {
        Some(id) => act::show_album(app, id),
        None => notify(app, effects, Weight::Done, "There is no page for this.".to_owned()),
    }
}

/// Shows the page of the selection's artist; on that page, the artist in the library.
pub(super) fn artist(app: &mut App, effects: &mut Vec<Effect>) {
    if let (Screen::Artist, Some(id)) = (app.screen, app.artist.id.clone()) {
        return in_columns(app, id);
    }
    let of_track = |track: &Track| track.artists.first().cloned();
    let of_album = |album: &Album| album.artists.first().cloned();
    let artist = match selection(app) {
        Some(Selection::Track(tracks, at, _)) => tracks.get(at).and_then(of_track),
        Some(Selection::Many(Source::Artist(id, name), ..)) => Some(ArtistRef { id, name }),
        Some(Selection::Gathered(_)) => None,
        Some(Selection::Many(..)) => match (app.screen, app.home.spot, app.search.selected()) {
            (Screen::Home, Spot::Added(i), _) => app.home.added().get(i).and_then(of_album),
            (Screen::Home, Spot::Door(_), _) => app.home.added().first().and_then(of_album),
            (Screen::Home, spot, _) => app.home.track(spot).and_then(of_track),
            (Screen::Search, _, Some(Hit::Album(album))) => of_album(album),
            (Screen::Library, ..) => app.library.albums.selected().and_then(of_album),
            _ => None,
        },
        None => app.player.queue.now.as_ref().and_then(|now| of_track(&now.track)),
    };
    match artist {
        Some(found) => artist::show(app, found.id, &found.name),
        None => notify(app, effects, Weight::Done, "This row has no artist of its own.".to_owned()),
    }
}

/// Shows an artist among all in the library.
fn in_columns(app: &mut App, id: ArtistId) {
    app.library.show(id);
    app.library.column = Column::Albums;
    act::enter(app, Screen::Library);
}
