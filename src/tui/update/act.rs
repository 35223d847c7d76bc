//! Actions carried out.

use super::motion::motion;
use super::{
    about, artist, details, doctor, full, insights, notify, picker, playlists, privacy, prompt, select,
    shelves, taste,
};
use crate::catalog::Pin;
use crate::client::{self, Download};
use crate::music::{AlbumId, Item, Marks, PlaylistId};
use crate::player::{Command, Transport};
use crate::tui::Left;
use crate::tui::action::Action;
use crate::tui::effects::Effect;
use crate::tui::state::{
    AlbumPage, App, Beginning, Dismissed, DownloadRow, Help, Input, MixPage, Picker, PlaylistPage, Prompt,
    Screen, Standing, Weight, entries,
};
use crate::tui::text;
use crate::tui::transport::of_player;

/// Carries an action out, with the count typed before it.
pub(super) fn act(app: &mut App, action: &Action, count: Option<usize>, effects: &mut Vec<Effect>) {
    if prompt::act_in(app, action, effects)
        || taste::act_in(app, action, effects)
        || picker::act_in(app, action, count, effects)
        || in_help(app, action, count)
        || full::act_in(app, action, count, effects)
        || insights::act_in(app, action, count)
        || about::act_in(app, action, effects)
        || details::act_in(app, action)
        || doctor::act_in(app, action)
        || privacy::act_in(app, action, effects)
        || in_field(app, action)
    {
        return;
    }
    let times = count.unwrap_or(1);
    match action {
        Action::Play => select::play(app, false, effects),
        Action::ShufflePlay => select::play(app, true, effects),
        Action::Enqueue => select::enqueue(app, false, effects),
        Action::EnqueueNext => select::enqueue(app, true, effects),
        Action::Love => {
            let items = select::items(app);
            love(app, items, effects);
            app.picks.clear();
        }
        Action::LovePlaying => {
            let now = app.player.queue.now.as_ref();
            let playing = now.map(|now| (Item::Track(now.track.id.clone()), now.track.marks));
            love(app, playing.into_iter().collect(), effects);
        }
        Action::Pin => pin(app, effects),
        Action::PinStarred => turn(app, Pin::Starred, "everything starred", effects),
        Action::PauseDownloads => effects.push(Effect::PauseDownloads(!app.downloads.status.paused)),
        Action::RetryDownloads => effects.push(Effect::RetryDownloads),
        Action::Rate(rating) => rate(app, *rating, effects),
        Action::PlayingAlbum => {
            match app.player.queue.now.as_ref().and_then(|now| now.track.album_id.clone()) {
                Some(id) => show_album(app, id),
                None => notify(app, effects, Weight::Done, "Nothing is playing.".to_owned()),
            }
        }
        Action::Go(screen) => go(app, *screen, effects),
        Action::Back => back(app),
        Action::Filter if matches!(app.screen, Screen::Home | Screen::Search) => {
            go(app, Screen::Search, effects);
        }
        Action::Filter => app.prompt = Some(Prompt::Filter(Input::default())),
        Action::CommandLine(text) if text == "rename-playlist" => {
            let name = playlists::meant_name(app).unwrap_or_default();
            app.prompt = Some(Prompt::command(&format!("rename-playlist {}", text::clean(name))));
        }
        Action::Jump => app.prompt = Some(Prompt::Jump(Input::default())),
        Action::KeepSearch(words) => prompt::keep_search(app, words, effects),
        Action::CommandLine(text) => {
            let text = if text.is_empty() { String::new() } else { format!("{text} ") };
            app.prompt = Some(Prompt::command(&text));
        }
        Action::Palette => app.picker = Some(Picker::palette(&app.keymap, app.layer())),
        Action::RowMenu => app.picker = Some(Picker::row(&app.keymap, app.screen)),
        Action::Theme(name) => picker::theme(app, name.as_deref(), effects),
        Action::Help => app.help = Some(Help::default()),
        Action::Cancel if app.picks.clear() => {}
        Action::Cancel => match app.notices.dismiss() {
            Dismissed::Standing(Standing::Session) => effects.push(Effect::ProblemRead),
            Dismissed::Passing | Dismissed::Standing(_) => {}
            Dismissed::Nothing => {
                prompt::widen(app);
            }
        },
        // What was said before would hide what can be done with the rows.
        Action::Select if app.pick() => app.notices.read(),
        Action::Select => {
            notify(app, effects, Weight::Done, "There are no rows to select here.".to_owned());
        }
        Action::Undo => playlists::turn(app, false, times, effects),
        Action::Redo => playlists::turn(app, true, times, effects),
        Action::AddToPlaylist(name) => playlists::add(app, name, effects),
        Action::NewPlaylist(name) => playlists::create(app, name, false, effects),
        Action::SaveQueue(name) => playlists::create(app, name, true, effects),
        Action::RenamePlaylist(name) => playlists::rename(app, name, effects),
        Action::MoveDown => shift(app, isize::try_from(times).unwrap_or(isize::MAX), effects),
        Action::MoveUp => shift(app, -isize::try_from(times).unwrap_or(isize::MAX), effects),
        Action::Remove => remove(app, times, effects),
        Action::Sync => effects.push(Effect::Sync),
        Action::Server(name) => server(app, name, effects),
        // What the terminal held of pictures may be gone.
        Action::Redraw | Action::Suspend => {
            app.covers.forget();
            ask_again(app);
            effects.push(if *action == Action::Redraw { Effect::Redraw } else { Effect::Suspend });
        }
        Action::Background => {
            if app.player.transport != Transport::Stopped {
                app.left = Left::Playing;
            }
            app.leaving = true;
        }
        Action::Quit => app.leaving = true,
        _ if opens(app, action, effects) => {}
        _ if taste::act(app, action, effects) || motion(app, action, count) => {}
        _ => transport(app, action, times, effects),
    }
}

/// Opens pages of what is selected or plays, and other players; `false` for everything else.
fn opens(app: &mut App, action: &Action, effects: &mut Vec<Effect>) -> bool {
    match action {
        Action::Open => select::open(app, effects),
        Action::Artist => select::artist(app, effects),
        Action::PlayingArtist => artist::show_playing(app, effects),
        Action::Details => details::show(app, effects),
        Action::Browse(by) => shelves::browse(app, *by),
        Action::Year(which) => insights::open_year(app, *which),
        Action::Devices => picker::places(app, false, effects),
        Action::Device(name) => effects.push(Effect::PlayOn(name.clone())),
        _ => return false,
    }
    true
}

/// Whatever could not be read is asked for again.
fn ask_again(app: &mut App) {
    let failed = |error: &mut Option<String>| error.take().is_some();
    if failed(&mut app.home.error) {
        app.home.fresh = None;
    }
    if failed(&mut app.library.error) {
        app.library.fresh = None;
    }
    if failed(&mut app.search.error) {
        app.search.fresh = None;
    }
    if failed(&mut app.album.error) {
        app.album.fresh = None;
    }
    if failed(&mut app.artist.error) {
        app.artist.fresh = None;
    }
    if failed(&mut app.details.error) {
        app.details.fresh = None;
    }
    if failed(&mut app.mix.error) {
        app.mix.fresh = None;
    }
    if failed(&mut app.playlists.error) {
        app.playlists.fresh = None;
    }
    if failed(&mut app.playlist.error) {
        app.playlist.fresh = None;
    }
    if failed(&mut app.statistics.error) {
        app.statistics.fresh = None;
    }
    if failed(&mut app.year.error) {
        app.year.fresh = None;
    }
    if failed(&mut app.operators.error) {
        app.operators.fresh = None;
    }
    if failed(&mut app.log.error) {
        app.log.read = false;
    }
    if failed(&mut app.privacy.error) {
        app.privacy.fresh = None;
    }
    if failed(&mut app.doctor.error) {
        app.doctor.looked = false;
    }
}

/// What the player does by itself.
fn transport(app: &mut App, action: &Action, times: usize, effects: &mut Vec<Effect>) {
    match of_player(action, times, &app.player) {
        Some(Ok(asked)) => {
            if !asked.said.is_empty() {
                notify(app, effects, Weight::Done, asked.said);
            }
            effects.extend(asked.commands.into_iter().map(Effect::Player));
        }
        Some(Err(why)) => notify(app, effects, Weight::Trouble, why),
        None if *action == Action::Toggle => match &mut app.beginning {
            Some(Beginning::Gathering { paused }) => *paused = !*paused,
            Some(Beginning::Told) => effects.push(Effect::Player(Command::Toggle)),
            None => select::play(app, false, effects),
        },
        None => {}
    }
}

/// The help takes every action while it is open; `false` when it is not.
fn in_help(app: &mut App, action: &Action, count: Option<usize>) -> bool {
    if app.help.is_none() {
        return false;
    }
    let (page, lines) = crate::tui::view::help_size(app);
    let Some(help) = &mut app.help else { return false };
    let by = count.unwrap_or(1).min(10_000);
    let lowest = lines.saturating_sub(page);
    match action {
        Action::Down => help.top += by,
        Action::Up => help.top = help.top.saturating_sub(by),
        Action::HalfDown => help.top += page / 2,
        Action::HalfUp => help.top = help.top.saturating_sub(page / 2),
        Action::PageDown => help.top += page,
        Action::PageUp => help.top = help.top.saturating_sub(page),
        Action::Top => help.top = 0,
        Action::Bottom => help.top = lowest,
        Action::Quit => app.leaving = true,
        Action::Filter => app.prompt = Some(Prompt::Filter(Input { text: help.filter.clone() })),
        Action::Cancel if !help.filter.is_empty() => *help = Help::default(),
        Action::Cancel | Action::Help | Action::Back => app.help = None,
        _ => {}
    }
    if let Some(help) = &mut app.help {
        help.top = help.top.min(lowest);
    }
    true
}

/// Esc in the search field leaves typing, not the screen.
fn in_field(app: &mut App, action: &Action) -> bool {
    let typing = app.screen == Screen::Search && app.search.typing;
    if typing && *action == Action::Cancel {
        app.search.typing = false;
        return true;
    }
    false
}

/// Goes to a screen; where it came from stays known to `back`.
fn go(app: &mut App, screen: Screen, effects: &mut Vec<Effect>) {
    if screen == Screen::Album && app.album.id.is_none() {
        if let Some(id) = app.player.queue.now.as_ref().and_then(|now| now.track.album_id.clone()) {
            show_album(app, id);
        } else {
            let text = "No album is open. Press o on one to open its page.".to_owned();
            notify(app, effects, Weight::Done, text);
        }
        return;
    }
    if screen == Screen::Artist && app.artist.id.is_none() {
        if app.player.queue.now.is_some() {
            return artist::show_playing(app, effects);
        }
        let text = "No artist is open. Press o on one to open its page.".to_owned();
        notify(app, effects, Weight::Done, text);
        return;
    }
    if screen == Screen::Details && app.details.id.is_none() {
        return details::show(app, effects);
    }
    if screen == Screen::Mix && app.mix.id.is_none() {
        let text = "No mix is open. Press o on one on the opening screen.".to_owned();
        notify(app, effects, Weight::Done, text);
        return;
    }
    if screen == Screen::Playlist && app.playlist.id.is_none() {
        return enter(app, Screen::Playlists);
    }
    if screen == Screen::Search {
        app.search.typing = true;
    }
    if screen == Screen::Queue && app.screen != Screen::Queue {
        let queue = app.player.queue.clone();
        app.queue.select_now(&queue);
    }
    enter(app, screen);
}

/// Opens an album's page.
pub(super) fn show_album(app: &mut App, id: AlbumId) {
    if app.album.id.as_ref() != Some(&id) {
        app.album = AlbumPage { id: Some(id), ..AlbumPage::default() };
    }
    enter(app, Screen::Album);
}

/// Opens a mix's page.
pub(super) fn show_mix(app: &mut App, id: String) {
    if app.mix.id.as_ref() != Some(&id) {
        app.mix = MixPage { id: Some(id), ..MixPage::default() };
    }
    enter(app, Screen::Mix);
}

/// Opens a playlist's page.
pub(super) fn show_playlist(app: &mut App, id: PlaylistId) {
    if app.playlist.id.as_ref() != Some(&id) {
        app.playlist = PlaylistPage { id: Some(id), ..PlaylistPage::default() };
    }
    enter(app, Screen::Playlist);
}

/// Shows a screen and remembers the one before.
pub(super) fn enter(app: &mut App, screen: Screen) {
    if app.screen == screen {
        return;
    }
    if app.trail.last() == Some(&screen) {
        app.trail.pop();
    } else {
        app.trail.push(app.screen);
        if app.trail.len() > App::MAX_TRAIL {
            app.trail.remove(0);
        }
    }
    app.screen = screen;
    about::entered(app);
    if screen == Screen::Home {
        app.home.fresh = None;
    }
}

fn back(app: &mut App) {
    if app.screen == Screen::Home {
        app.leaving = true;
        return;
    }
    app.screen = app.trail.pop().unwrap_or(Screen::Home);
    about::entered(app);
    if app.screen == Screen::Home {
        app.home.fresh = None;
    }
}

/// Loves these; where all of them are loved already, no more.
fn love(app: &mut App, items: Vec<(Item, Marks)>, effects: &mut Vec<Effect>) {
    if items.is_empty() {
        notify(app, effects, Weight::Done, "There is nothing to love here.".to_owned());
        return;
    }
    let all = items.iter().all(|(item, read)| app.marks_of(item, *read).starred_at.is_some());
    let at = if all { None } else { Some(app.clock.unix_ms) };
    for (item, read) in items {
        let before = app.marks_of(&item, read);
        if before.starred_at.is_some() == at.is_some() {
            continue;
        }
        app.marks.insert(item.clone(), Marks { starred_at: at, ..before });
        effects.push(Effect::Star { item, at, before });
    }
}

/// Ends these screens to open those of another profile.
fn server(app: &mut App, name: &str, effects: &mut Vec<Effect>) {
    if app.options.profiles.iter().any(|known| known == name) {
        app.left = Left::Server(name.to_owned());
        app.leaving = true;
        return;
    }
    let known = app.options.profiles.join(", ");
    let said = format!("There is no profile “{}”; there are: {known}.", text::clean(name));
    notify(app, effects, Weight::Trouble, said);
}

/// Says why the listener's plan lets nothing be kept, if so.
fn barred(app: &mut App, effects: &mut Vec<Effect>) -> bool {
    // What is pinned already may go.
    let why = client::barred(&app.session.plan).filter(|_| app.screen != Screen::Downloads);
    let is = why.is_some();
    if let Some(why) = why {
        notify(app, effects, Weight::Trouble, why);
    }
    is
}

/// Pins the selection, or takes its pin away.
fn pin(app: &mut App, effects: &mut Vec<Effect>) {
    if barred(app, effects) {
        return;
    }
    if app.screen == Screen::Downloads {
        let row = match app.downloads.selected() {
            Some(DownloadRow::Pin(pinned)) => Some((pinned.pin.clone(), pinned.name.clone())),
            Some(DownloadRow::Active(Download { track, .. })) => {
                Some((Pin::Track(track.id.clone()), track.title.clone()))
            }
            Some(DownloadRow::Failed(track, _)) => Some((Pin::Track(track.id.clone()), track.title.clone())),
            None => None,
        };
        if let Some((pin, name)) = row {
            turn(app, pin, &name, effects);
        }
        return;
    }
    if let Some((pin, name)) =
        select::mix(app).filter(|_| !app.picks.active()).map(|(id, name)| (Pin::Mix(id), name))
    {
        return turn(app, pin, &name, effects);
    }
    let pins = select::pins(app);
    app.picks.clear();
    match pins.as_slice() {
        [] => notify(app, effects, Weight::Done, "There is nothing to keep here.".to_owned()),
        [pin] => turn(app, pin.clone(), "it", effects),
        several => {
            let on = !several.iter().all(|pin| app.downloads.status.is_pinned(pin));
            let pins = several.iter().filter(|pin| app.downloads.status.is_pinned(pin) != on);
            effects.extend(pins.map(|pin| Effect::Pin { pin: pin.clone(), on }));
            let rows = several.len();
            let said = if on {
                format!("Keeps {rows} of them on this device.")
            } else {
                format!("No longer keeps these {rows} on this device.")
            };
            notify(app, effects, Weight::Done, said);
        }
    }
}

fn turn(app: &mut App, pin: Pin, name: &str, effects: &mut Vec<Effect>) {
    if barred(app, effects) {
        return;
    }
    let on = !app.downloads.status.is_pinned(&pin);
    let name = if name == "it" { name.to_owned() } else { format!("“{}”", text::clean(name)) };
    let within = matches!(&pin, Pin::Track(id) if app.downloads.status.tracks.contains(id));
    let said = match (on, within) {
        (true, true) => format!("Keeps {name} on this device by itself, too."),
        (true, false) => format!("Keeps {name} on this device."),
        (false, _) => format!("No longer keeps {name} on this device."),
    };
    notify(app, effects, Weight::Done, said);
    effects.push(Effect::Pin { pin, on });
}

fn rate(app: &mut App, rating: u8, effects: &mut Vec<Effect>) {
    let items = select::items(app);
    if items.is_empty() {
        notify(app, effects, Weight::Done, "There is nothing to rate here.".to_owned());
        return;
    }
    app.picks.clear();
    let many = if items.len() > 1 { format!(" {} rows", items.len()) } else { String::new() };
    for (item, read) in items {
        let before = app.marks_of(&item, read);
        app.marks.insert(item.clone(), Marks { rating, ..before });
        effects.push(Effect::Rate { item, rating, before });
    }
    let text = match rating {
        0 => "Rating taken away.".to_owned(),
        n => format!("Rated{many} {}", app.theme.glyphs.star.repeat(usize::from(n))),
    };
    notify(app, effects, Weight::Done, text);
}

/// Places of the rows that an action is about: those that are selected, or `times` of them from the cursor on.
pub(super) fn rows(app: &App, times: usize) -> Vec<usize> {
    let picked = app.picked();
    if !picked.is_empty() {
        return picked;
    }
    let Some((cursor, len)) = app.list_cursor() else { return Vec::new() };
    (cursor..len.min(cursor.saturating_add(times))).collect()
}

fn uids(app: &App, times: usize) -> Vec<u64> {
    let rows = rows(app, times);
    let (Some(first), Some(last)) = (rows.first().copied(), rows.last().copied()) else { return Vec::new() };
    let entries = entries(&app.player.queue).enumerate().skip(first).take(last + 1 - first);
    entries.filter(|(row, _)| rows.binary_search(row).is_ok()).map(|(_, entry)| entry.uid).collect()
}

fn shift(app: &mut App, by: isize, effects: &mut Vec<Effect>) {
    match app.screen {
        Screen::Queue => {
            let uids = uids(app, 1);
            if !uids.is_empty() {
                effects.push(Effect::Player(Command::Move { uids, by }));
            }
        }
        Screen::Playlist => playlists::shift(app, by, effects),
        _ => {}
    }
}

fn remove(app: &mut App, times: usize, effects: &mut Vec<Effect>) {
    match app.screen {
        Screen::Queue => {
            let uids = uids(app, times);
            app.picks.clear();
            if !uids.is_empty() {
                effects.push(Effect::Player(Command::Remove(uids)));
            }
        }
        Screen::Playlist | Screen::Playlists => playlists::remove(app, times, effects),
        _ => {}
    }
}
