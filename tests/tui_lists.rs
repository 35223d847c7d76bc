//! Rows selected together, edits taken back and done again, playlists: by keys typed into the real screens.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use segue::client::Connection;
use segue::music::{Playlist, Track};
use segue::player::{Command, QueueView};
use segue::tui::{Options, Screen};
use tui_stage::{Shelf, Stage, playing, sees, sees_not};

const SIZE: (u16, u16) = (100, 30);

fn titles(entries: &[segue::player::Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.track.title.clone()).collect()
}

/// The queue without what only says how it came to be so.
fn bare(stage: &Stage) -> QueueView {
    QueueView { undo: None, redo: None, ..stage.queue.view() }
}

fn lists(stage: &Stage) -> Vec<Playlist> {
    stage.wait_for(stage.props.library.playlists()).unwrap()
}

fn contents(stage: &Stage, name: &str) -> Vec<String> {
    let id =
        lists(stage).into_iter().find(|list| list.name == name).unwrap_or_else(|| panic!("no {name}")).id;
    let (_, tracks) = stage.wait_for(stage.props.library.playlist(&id)).unwrap().unwrap();
    tracks.into_iter().map(|track: Track| track.title).collect()
}

/// A stage with the album "Homogenic" as the playlist "Ice", opened.
fn ice() -> Stage {
    let mut stage = Stage::new(Shelf::Full, SIZE);
    stage.keys("gljlj").keys("pIce<Enter>");
    stage.keys("gp").keys("o");
    assert_eq!(stage.app.screen(), Screen::Playlist);
    stage
}

#[test]
fn u_takes_back_what_was_done_to_the_queue_and_says_what() {
    let mut stage = playing(SIZE, Options::default());
    let before = bare(&stage);
    stage.keys("gqjj").keys("d");
    assert_eq!(stage.queue.view().context.len(), 2);
    let taken = bare(&stage);
    stage.keys("u");
    assert_eq!(bare(&stage), before);
    sees(&stage, "Undone: taking “Said and Done” out.");
    stage.keys("<C-r>");
    assert_eq!(bare(&stage), taken);
    sees(&stage, "Done again: taking “Said and Done” out.");
    stage.keys("<C-r>");
    sees(&stage, "There is nothing to do again.");
}

#[test]
fn every_edit_of_the_queue_can_be_taken_back() {
    for keys in ["jd", "jjJ", "jjjK", "jD", "s", "jja", "jjA", "j2d", "jvjd", "gqD"] {
        let mut stage = playing(SIZE, Options::default());
        stage.keys("gq");
        let before = bare(&stage);
        stage.keys(keys);
        let after = bare(&stage);
        assert_ne!(after, before, "{keys}");
        stage.keys("u");
        assert_eq!(bare(&stage), before, "{keys}");
        stage.keys("<C-r>");
        assert_eq!(bare(&stage), after, "{keys}");
    }
}

#[test]
fn a_context_begun_by_mistake_is_taken_back() {
    let mut stage = playing(SIZE, Options::default());
    let before = bare(&stage);
    stage.keys("glj<Enter>");
    assert_eq!(stage.queue.view().context_name, "Björk");
    stage.keys("u");
    assert_eq!(bare(&stage), before);
    sees(&stage, "Undone: playing “Björk”.");
}

#[test]
fn a_count_takes_back_so_many_and_the_bottom_is_told() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gq");
    let before = bare(&stage);
    stage.keys("jd").keys("d").keys("d");
    stage.keys("3u");
    assert_eq!(bare(&stage), before);
    stage.keys("99u");
    sees(&stage, "There is nothing to undo.");
}

#[test]
fn what_the_queue_heard_meanwhile_is_not_taken_back() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gqGd").keys(">");
    assert_eq!(stage.queue.now().unwrap().track.title, "Hunter");
    stage.keys("u");
    assert_eq!(stage.queue.now().unwrap().track.title, "Hunter");
    assert_eq!(titles(&stage.queue.view().context), ["Said and Done", "Familiar", "Hammers"]);
}

#[test]
fn v_selects_rows_and_an_action_is_about_all_of_them() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gljlj").keys("l").keys("vjj");
    sees(&stage, "3 selected");
    stage.keys("a");
    sees(&stage, "3 tracks are up next.");
    assert_eq!(titles(&stage.queue.view().up_next), ["Hunter", "Hunter", "Jóga", "Unravel"]);
    sees_not(&stage, "selected");
    // One step back for all of them.
    stage.keys("u");
    assert_eq!(titles(&stage.queue.view().up_next), ["Hunter"]);
}

#[test]
fn stretches_add_up_and_escape_lets_go() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gljlj").keys("l").keys("vjv").keys("jj").keys("vv");
    sees(&stage, "3 selected");
    stage.keys("A");
    assert_eq!(titles(&stage.queue.view().up_next), ["Hunter", "Jóga", "Bachelorette", "Hunter"]);
    stage.keys("v<Esc>");
    sees_not(&stage, "selected");
    // Another list: what was selected here means nothing there.
    stage.keys("vkk").keys("h");
    sees_not(&stage, "selected");
}

#[test]
fn love_rate_and_keep_are_about_all_selected_rows() {
    let mut stage = Stage::new(Shelf::Full, SIZE);
    stage.keys("gljlj").keys("l").keys("Vjj<Esc>").keys("gg").keys("vjjf");
    let loved = stage.starred().len();
    assert_eq!(loved, 5, "Jóga was loved before");
    stage.keys("gg").keys("vjjf");
    assert_eq!(stage.starred().len(), 2, "all of them were loved: none is any more");
    stage.keys("gg").keys("vj*4");
    sees(&stage, "Rated 2 rows ★★★★");
    stage.keys("gg").keys("vjc");
    sees(&stage, "Keeps 2 of them on this device.");
    assert_eq!(stage.wait_for(stage.props.library.pins()).unwrap().len(), 2);
}

#[test]
fn selected_albums_and_artists_play_together() {
    let mut stage = Stage::new(Shelf::Full, SIZE);
    stage.keys("gl").keys("vj<Enter>");
    assert!(matches!(stage.last_command(), Some(Command::PlayContext { tracks, .. }) if tracks.len() == 22));
    stage.keys("gs").keys("<C-u>bjork<Esc>gg").keys("vjjS");
    assert!(matches!(stage.last_command(), Some(Command::PlayContext { shuffled: true, .. })));
}

#[test]
fn selected_rows_of_the_queue_move_as_one_and_are_followed() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gqjj").keys("vj").keys("J");
    assert_eq!(titles(&stage.queue.view().context), ["Hammers", "Said and Done", "Familiar"]);
    sees(&stage, "2 selected");
    stage.keys("K");
    assert_eq!(titles(&stage.queue.view().context), ["Said and Done", "Familiar", "Hammers"]);
    stage.keys("d");
    assert_eq!(titles(&stage.queue.view().context), ["Hammers"]);
    sees_not(&stage, "selected");
}

#[test]
fn selected_rows_that_go_are_selected_no_more() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gqjj").keys("vj");
    sees(&stage, "2 selected");
    stage.keys("v>");
    sees(&stage, "2 selected");
    let id = stage.queue.view().context[0].uid;
    stage.queue.remove(&[id]);
    let queue = std::sync::Arc::new(stage.queue.view());
    stage.player(|status| status.queue = queue);
    sees(&stage, "1 selected");
}

#[test]
fn anything_is_added_to_a_playlist_by_name() {
    let mut stage = Stage::new(Shelf::Full, SIZE);
    stage.keys("glj").keys("p");
    sees(&stage, "Add to a playlist");
    stage.keys("Winter");
    sees(&stage, "a new playlist");
    stage.keys("<Enter>");
    sees(&stage, "“Winter” is there, with 13 tracks.");
    // The same name again finds the one that is there.
    stage.keys("lj").keys("pwint<Enter>");
    sees(&stage, "Added 10 tracks to “Winter”.");
    assert_eq!(contents(&stage, "Winter").len(), 23);
    stage.keys("l").keys("vj").keys(":add-to-playlist Few<Enter>");
    assert_eq!(contents(&stage, "Few"), ["Hunter", "Jóga"]);
    assert!(stage.outbox() >= 3);
    stage.keys("gp");
    sees(&stage, "2 playlists");
    sees(&stage, "Winter");
}

#[test]
fn a_playlist_opens_plays_and_leads_back() {
    let mut stage = ice();
    sees(&stage, "Ice");
    sees(&stage, "10 tracks");
    stage.keys("jj<Enter>");
    assert!(
        matches!(stage.last_command(), Some(Command::PlayContext { start: 2, name, tracks, .. }) if name == "Ice" && tracks.len() == 10)
    );
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Playlists);
    stage.keys("S");
    assert!(matches!(stage.last_command(), Some(Command::PlayContext { shuffled: true, .. })));
    stage.keys("a");
    sees(&stage, "10 tracks of “Ice” are up next.");
    stage.keys("c");
    assert!(matches!(
        stage.wait_for(stage.props.library.pins()).unwrap()[0].pin,
        segue::catalog::Pin::Playlist(_)
    ));
}

#[test]
fn rows_of_a_playlist_move_go_and_come_back() {
    let mut stage = ice();
    let all = contents(&stage, "Ice");
    stage.keys("jJJ");
    assert_eq!(contents(&stage, "Ice")[..4], ["Hunter", "Unravel", "Bachelorette", "Jóga"]);
    assert!(stage.text().lines().any(|line| line.contains('▌') && line.contains("Jóga")), "{}", stage.text());
    stage.keys("uu");
    assert_eq!(contents(&stage, "Ice"), all);
    stage.keys("gg").keys("vjd");
    sees(&stage, "Took 2 tracks out of “Ice”. u brings it back.");
    assert_eq!(contents(&stage, "Ice").len(), 8);
    stage.keys("u");
    sees(&stage, "Undone: taking 2 tracks out of “Ice”.");
    assert_eq!(contents(&stage, "Ice"), all);
    stage.keys("<C-r>");
    assert_eq!(contents(&stage, "Ice"), all[2..]);
    sees(&stage, "8 tracks");
}

#[test]
fn selected_rows_of_a_playlist_move_as_one() {
    let mut stage = ice();
    stage.keys("vj").keys("J").keys("J");
    sees(&stage, "2 selected");
    assert_eq!(contents(&stage, "Ice")[..4], ["Unravel", "Bachelorette", "Hunter", "Jóga"]);
    stage.keys("<Esc>G").keys("vk").keys("J");
    assert_eq!(contents(&stage, "Ice")[9], "All Is Full of Love", "there is no room below");
}

#[test]
fn playlists_are_made_renamed_and_deleted() {
    let mut stage = Stage::new(Shelf::Full, SIZE);
    stage.keys("gp");
    sees(&stage, "There are no playlists yet");
    stage.keys("P").keys("Empty one<Enter>");
    sees(&stage, "“Empty one” is there, and empty.");
    stage.keys("en");
    sees(&stage, ":rename-playlist Empty one");
    stage.keys("<C-w><C-w>Full one<Enter>");
    sees(&stage, "It is called “Full one” now.");
    stage.keys("u");
    assert_eq!(lists(&stage)[0].name, "Empty one");
    stage.keys("d");
    sees(&stage, "Deleted “Empty one”. u brings it back.");
    assert!(lists(&stage).is_empty());
    sees(&stage, "There are no playlists yet");
    stage.keys("u");
    assert_eq!(lists(&stage)[0].name, "Empty one");
    stage.keys("o");
    sees(&stage, "Nothing is in it yet.");
}

#[test]
fn a_deleted_playlist_comes_back_whole_and_its_steps_still_count() {
    let mut stage = ice();
    let all = contents(&stage, "Ice");
    stage.keys("d");
    stage.keys("q").keys("d");
    assert!(lists(&stage).is_empty());
    stage.keys("u");
    assert_eq!(contents(&stage, "Ice"), all[1..]);
    // It has another id now; the step before is about the same playlist all the same.
    stage.keys("u");
    assert_eq!(contents(&stage, "Ice"), all);
    stage.keys("<C-r><C-r>");
    assert!(lists(&stage).is_empty());
    stage.keys("3u");
    assert!(lists(&stage).is_empty(), "the first step made it");
}

#[test]
fn queue_and_playlists_are_one_line_of_steps() {
    let mut stage = ice();
    stage.keys("j<Enter>");
    stage.keys("d");
    stage.keys("gqGd");
    let steps = [
        "taking “All Is Full of Love” out",
        "taking 1 track out of “Ice”",
        "playing “Ice”",
        "making the playlist “Ice”",
    ];
    for step in steps {
        stage.keys("u");
        sees(&stage, &format!("Undone: {step}."));
    }
}

#[test]
fn the_queue_becomes_a_playlist() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gqW").keys("Tonight<Enter>");
    sees(&stage, "“Tonight” is there, with 5 tracks.");
    assert_eq!(contents(&stage, "Tonight"), ["Says", "Hunter", "Said and Done", "Familiar", "Hammers"]);
    let mut stage = Stage::new(Shelf::Full, SIZE);
    stage.keys(":save-queue None<Enter>");
    sees(&stage, "The queue is empty.");
}

#[test]
fn a_playlist_is_edited_without_the_server() {
    let mut stage = ice();
    let offline = Connection::Offline { since: 0, why: "no answer".to_owned() };
    stage.session(|session| session.connection = offline);
    let waiting = stage.outbox();
    stage.keys("d").keys("jJ");
    assert!(stage.outbox() > waiting);
    assert_eq!(contents(&stage, "Ice").len(), 9);
}

#[test]
fn a_filter_finds_rows_of_a_playlist_and_d_takes_the_right_one() {
    let mut stage = ice();
    stage.keys("/pluto<Enter>").keys("d").keys("<Esc><Esc>");
    assert!(!contents(&stage, "Ice").contains(&"Pluto".to_owned()));
    assert_eq!(contents(&stage, "Ice").len(), 9);
    stage.keys("/im<Enter>").keys("J");
    sees(&stage, "Rows move when the filter is gone.");
}

#[test]
fn undo_leaves_what_others_added_to_a_playlist() {
    let mut stage = ice();
    stage.keys("d");
    let list = lists(&stage).remove(0);
    let edit = segue::catalog::PlaylistEdit { add: vec!["Zombie/1".into()], ..Default::default() };
    stage.wait_for(stage.props.library.edit_playlist(&list.id, &edit)).unwrap();
    stage.keys("u");
    let now = contents(&stage, "Ice");
    assert_eq!((now[0].as_str(), now[10].as_str()), ("Hunter", "Zombie"));
}

#[test]
fn a_local_playlist_is_found_when_the_server_has_named_it() {
    let mut stage = ice();
    stage.keys("d");
    let local = lists(&stage).remove(0).id;
    stage.rename_playlist(&local, &"server-1".into());
    stage.keys("u");
    assert_eq!(contents(&stage, "Ice").len(), 10);
    stage.keys("d");
    assert_eq!(lists(&stage)[0].id.as_str(), "server-1");
    assert_eq!(contents(&stage, "Ice").len(), 9);
}
