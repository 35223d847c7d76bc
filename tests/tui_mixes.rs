//! Mixes on the screens: tiles, the page of one, reasons, less of something, radio, a way to a song.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use segue::music::{Item, TrackId};
use segue::player::Command;
use segue::tui::effects::Msg;
use segue::tui::{Options, Screen};
use tui_stage::{Shelf, Stage, playing, sees, sees_not};

const SIZE: (u16, u16) = (100, 30);

/// The opening screen with the cursor on the first mix.
fn on_a_mix() -> Stage {
    let mut stage = Stage::new(Shelf::Full, SIZE);
    stage.keys("ggj");
    stage
}

/// Ids of the tracks of the first mix.
fn first_mix(stage: &Stage) -> Vec<TrackId> {
    let mixes = stage.wait_for(stage.props.library.mixes()).unwrap();
    mixes[0].mix.picks.iter().map(|pick| pick.track.clone()).collect()
}

#[test]
fn a_mix_plays_shuffles_and_queues_from_its_tile() {
    let mut stage = on_a_mix();
    sees(&stage, "Made for you");
    sees(&stage, "Why Daily Mix 1: it grows around");
    let ids = first_mix(&stage);
    stage.keys("<Enter>");
    let Some(Command::PlayContext { tracks, start: 0, name, shuffled: false }) = stage.last_command() else {
        panic!("{:?}", stage.last_command())
    };
    assert_eq!(name, "Daily Mix 1");
    assert!(tracks.iter().map(|track| &track.id).eq(&ids));
    stage.keys("ggj").keys("S");
    assert!(matches!(stage.last_command(), Some(Command::PlayContext { shuffled: true, .. })));
    stage.keys("a");
    assert!(matches!(stage.last_command(), Some(Command::Enqueue(tracks)) if tracks.len() == ids.len()));
    sees(&stage, "of “Daily Mix 1” are up next");
}

#[test]
fn more_mixes_than_tiles_scroll_sideways() {
    let mut stage = on_a_mix();
    let count = stage.wait_for(stage.props.library.mixes()).unwrap().len();
    for _ in 0..count + 2 {
        stage.keys("l");
    }
    let last = stage.wait_for(stage.props.library.mixes()).unwrap()[count - 1].mix.name.clone();
    sees(&stage, &format!("Why {last}:"));
    for _ in 0..count + 2 {
        stage.keys("h");
    }
    sees(&stage, "Why Daily Mix 1:");
}

#[test]
fn the_page_of_a_mix_has_its_tracks_with_their_reasons() {
    let mut stage = on_a_mix();
    stage.keys("o");
    assert_eq!(stage.app.screen(), Screen::Mix);
    sees(&stage, "Daily Mix 1");
    sees(&stage, "Why: it grows");
    sees(&stage, "because you");
    let ids = first_mix(&stage);
    stage.keys("j<Enter>");
    let Some(Command::PlayContext { tracks, start: 1, .. }) = stage.last_command() else {
        panic!("{:?}", stage.last_command())
    };
    assert_eq!(tracks.len(), ids.len());
    stage.keys("/xyzzy<Enter>");
    sees(&stage, "Nothing matches");
    stage.keys("<Esc>q");
    assert_eq!(stage.app.screen(), Screen::Home);
}

#[test]
fn why_says_what_was_done_on_any_row_and_for_what_plays() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("W");
    sees(&stage, "Why “Says”");
    sees(&stage, "You played it twice");
    sees(&stage, "You starred it.");
    stage.keys("<Esc>");
    sees_not(&stage, "Why “Says”");
    stage.keys("gs").keys("<C-u>unravel<Esc>").keys("w");
    sees(&stage, "Why “Unravel”");
    // Any other key closes it and does what it always does.
    stage.keys("gq");
    sees_not(&stage, "Why “Unravel”");
    assert_eq!(stage.app.screen(), Screen::Queue);
}

#[test]
fn less_of_a_track_takes_it_out_of_mixes_and_queue_and_can_be_taken_back() {
    let mut stage = on_a_mix();
    stage.keys("o<Enter>");
    let first = stage.queue.now().unwrap().track.clone();
    stage.keys("X");
    sees(&stage, "from now on; X again takes that back");
    assert!(stage.commands.contains(&Command::Next), "what is not wanted does not go on");
    assert!(!first_mix(&stage).contains(&first.id));
    let wanted = |stage: &Stage| {
        let item = Item::Track(first.id.clone());
        !stage.wait_for(stage.props.library.wants_less(&item)).unwrap()
    };
    assert!(!wanted(&stage));
    stage.keys("gs").keys(&first.title.to_lowercase()).keys("<Esc>X");
    sees(&stage, "is as welcome as before");
    assert!(wanted(&stage));
    // The same for all of an artist.
    stage.keys(":less artist<Enter>");
    sees(&stage, &format!("Less of “{}” from now on", first.artist));
    let tracks = stage.wait_for(stage.props.library.tracks(&first_mix(&stage))).unwrap();
    assert!(tracks.iter().all(|track| track.artist != first.artist));
}

#[test]
fn radio_begins_with_its_seed_and_goes_on_near_it() {
    let mut stage = Stage::new(Shelf::Full, SIZE);
    stage.keys("gs").keys("hyperballad<Esc>R");
    let Some(Command::PlayContext { tracks, start: 0, name, .. }) = stage.last_command() else {
        panic!("{:?}", stage.last_command())
    };
    assert_eq!((name.as_str(), tracks[0].title.as_str()), ("Radio: Hyperballad", "Hyperballad"));
    assert!(tracks.len() > 10 && tracks[1..].iter().all(|track| track.title != "Hyperballad"));
    assert!(stage.kept("player.radio").unwrap().contains("Hyperballad"));
    // From what plays only what follows changes.
    stage.keys("R");
    assert!(
        matches!(stage.last_command(), Some(Command::Follow { name, .. }) if name == "Radio: Hyperballad")
    );
    assert_eq!(stage.queue.now().unwrap().track.title, "Hyperballad");
    stage.keys("W");
    sees(&stage, "Why “Hyperballad”");
    stage.keys("<Esc>gl").keys("R");
    assert!(
        matches!(stage.last_command(), Some(Command::PlayContext { name, .. }) if name.starts_with("Radio: "))
    );
}

#[test]
fn a_path_leads_from_what_plays_to_the_selected_track() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gs").keys("<C-u>army of me<Esc>~");
    let Some(Command::EnqueueNext(way)) = stage.last_command() else { panic!("{:?}", stage.last_command()) };
    assert_eq!(way.last().unwrap().title, "Army of Me");
    assert!(way.iter().all(|track| track.title != "Says"));
    sees(&stage, "“Army of Me” is");
    let mut silent = Stage::new(Shelf::Full, SIZE);
    silent.keys("gs").keys("<C-u>army of me<Esc>~");
    sees(&silent, "A path begins at what plays, and nothing does.");
}

#[test]
fn mixes_that_were_made_anew_are_shown() {
    let mut stage = on_a_mix();
    let mut mixes = stage.wait_for(stage.props.library.mixes()).unwrap();
    mixes[0].mix.name = "A fresh mix".to_owned();
    let fresh: Vec<_> = mixes.into_iter().map(|kept| kept.mix).collect();
    let made = stage.wait_for(stage.props.library.mixes_made()).unwrap().unwrap();
    stage.wait_for(stage.props.library.keep_mixes(&fresh, &made)).unwrap();
    sees_not(&stage, "A fresh mix");
    stage.tell(Msg::Mixes(1));
    sees(&stage, "Why A fresh mix");
}

#[test]
fn opting_out_is_one_command() {
    let mut stage = on_a_mix();
    stage.keys(":profiling off<Enter>");
    sees(&stage, "nothing is made of what you hear");
    assert!(!stage.wait_for(stage.props.library.profiled()).unwrap());
    stage.wait_for(stage.props.library.forget_mixes()).unwrap();
    stage.tell(Msg::Mixes(1));
    sees(&stage, ":profiling on changes that");
    stage.keys(":profiling on<Enter>");
    assert!(stage.wait_for(stage.props.library.profiled()).unwrap());
}

#[test]
fn a_narrow_screen_has_mixes_as_a_list() {
    let mut stage = Stage::new(Shelf::Full, (70, 30));
    stage.keys("ggj");
    sees(&stage, "▌ Daily Mix 1");
    stage.keys("<Enter>");
    assert!(matches!(stage.last_command(), Some(Command::PlayContext { name, .. }) if name == "Daily Mix 1"));
}
