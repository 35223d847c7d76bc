//! Keys typed into the real screens, over a real catalog in memory: what they make the player do, and what is
//! seen then.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use segue::client::Connection;
use segue::music::Item;
use segue::player::{Command, GainMode, Repeat, Sleep, SoundChange, Supply, Transport};
use segue::tui::effects::Msg;
use segue::tui::{Options, Screen};
use tui_stage::{Asks, Shelf, Stage, cursor_line, now, playing, sees, sees_not};

const SIZE: (u16, u16) = (100, 30);

fn full() -> Stage {
    Stage::new(Shelf::Full, SIZE)
}

#[test]
fn one_key_from_the_first_start_to_sound() {
    let mut stage = Stage::new(Shelf::Demo, SIZE);
    sees(&stage, "First Light");
    stage.keys("<Enter>");
    assert_eq!(now(&stage), "First Light");
    assert!(
        matches!(stage.last_command(), Some(Command::PlayContext { start: 0, shuffled: false, name, .. }) if name == "First Light")
    );
    sees(&stage, "next  Paper Boats");
}

#[test]
fn space_with_an_empty_queue_plays_what_is_selected() {
    let mut stage = Stage::new(Shelf::Demo, SIZE);
    stage.keys(" ");
    assert_eq!(now(&stage), "First Light");
    stage.keys(" ");
    assert_eq!(stage.status.transport, Transport::Paused);
    stage.keys(" ");
    assert_eq!(stage.status.transport, Transport::Playing);
}

#[test]
fn keys_faster_than_the_library_mean_what_was_asked_to_play() {
    for (keys, then) in [
        ("<Enter>", Transport::Playing),
        ("<Enter> ", Transport::Paused),
        ("<Enter>  ", Transport::Playing),
        ("   ", Transport::Playing),
    ] {
        let mut stage = Stage::new(Shelf::Demo, SIZE);
        stage.asks(Asks::Held).keys(keys).asks(Asks::Answered);
        assert_eq!(now(&stage), "First Light", "{keys:?}");
        assert_eq!(stage.status.transport, then, "{keys:?}");
        let plays = stage.commands.iter().filter(|c| matches!(c, Command::PlayContext { .. })).count();
        assert_eq!(plays, 1, "{keys:?} begins once");
    }
}

#[test]
fn home_goes_on_with_the_album_heard_last() {
    let mut stage = full();
    assert!(cursor_line(&stage).contains("Continue"), "{}", stage.text());
    stage.keys("<Enter>");
    assert_eq!(now(&stage), "Says");
    assert!(
        matches!(stage.last_command(), Some(Command::PlayContext { start: 1, tracks, .. }) if tracks.len() == 8)
    );
}

#[test]
fn home_is_walked_by_place() {
    let mut stage = full();
    stage.keys("jjj<Enter>");
    assert_eq!(now(&stage), "An Aborted Beginning");
    stage.keys("jj");
    assert!(cursor_line(&stage).contains('J'), "{}", cursor_line(&stage));
    stage.keys("gg");
    assert!(cursor_line(&stage).contains("Playing"));
}

#[test]
fn a_count_repeats_a_motion() {
    let mut stage = full();
    stage.keys("gl3j");
    assert!(cursor_line(&stage).contains("Godspeed"), "{}", cursor_line(&stage));
    stage.keys("2k");
    assert!(cursor_line(&stage).contains("Björk"));
    stage.keys("G");
    assert!(cursor_line(&stage).contains("青葉市子"));
    stage.keys("gg");
    assert!(cursor_line(&stage).contains("Arooj"));
    stage.keys("5G");
    assert!(cursor_line(&stage).contains("Hollow Coves"));
    stage.keys("99k");
    assert!(cursor_line(&stage).contains("Arooj"));
}

#[test]
fn a_digit_alone_changes_the_screen_after_a_moment() {
    let mut stage = full();
    stage.keys("2");
    assert_eq!(stage.app.screen(), Screen::Home);
    stage.wait();
    assert_eq!(stage.app.screen(), Screen::Library);
    stage.keys("4");
    stage.wait();
    assert_eq!(stage.app.screen(), Screen::Queue);
}

#[test]
fn the_columns_follow_each_other() {
    let mut stage = full();
    stage.keys("glj");
    sees(&stage, "Post");
    sees(&stage, "Army of Me");
    stage.keys("ljl");
    stage.keys("j<Enter>");
    assert_eq!(now(&stage), "Jóga");
    stage.keys("hh");
    stage.keys("j");
    sees(&stage, "Mister Follow Follow");
}

#[test]
fn an_artist_plays_album_by_album() {
    let mut stage = full();
    stage.keys("glj<Enter>");
    assert!(
        matches!(stage.last_command(), Some(Command::PlayContext { tracks, name, .. }) if tracks.len() == 13 && name == "Björk")
    );
    assert_eq!(now(&stage), "Army of Me");
}

#[test]
fn shuffle_play_shuffles_what_is_selected() {
    let mut stage = full();
    stage.keys("gljS");
    assert!(
        matches!(stage.last_command(), Some(Command::PlayContext { shuffled: true, tracks, .. }) if tracks.len() == 13)
    );
}

#[test]
fn the_queue_takes_what_is_put_into_it() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gs").keys("<C-u>hyperballad<Esc>a");
    sees(&stage, "“Hyperballad” is up next.");
    stage.keys("/<C-u>saaqi<Esc>A");
    sees(&stage, "“Saaqi” plays next.");
    let up_next: Vec<String> = stage.queue.view().up_next.iter().map(|e| e.track.title.clone()).collect();
    assert_eq!(up_next, ["Saaqi", "Hunter", "Hyperballad"]);
}

#[test]
fn a_whole_album_goes_into_the_queue() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("glG").keys("la");
    sees(&stage, "4 tracks of “ルミネセント・クリーチャーズ” are up next.");
    assert_eq!(stage.queue.view().up_next.len(), 5);
}

#[test]
fn rows_of_the_queue_move_and_go() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gq");
    assert!(cursor_line(&stage).contains("Says"), "opens on what plays");
    stage.keys("jj");
    assert!(cursor_line(&stage).contains("Said and Done"));
    stage.keys("J");
    assert!(cursor_line(&stage).contains("Said and Done"), "the cursor goes with the row");
    let context: Vec<String> = stage.queue.view().context.iter().map(|e| e.track.title.clone()).collect();
    assert_eq!(context, ["Familiar", "Said and Done", "Hammers"]);
    stage.keys("K");
    stage.keys("d");
    assert_eq!(stage.queue.view().context.len(), 2);
    assert!(cursor_line(&stage).contains("Familiar"), "{}", stage.text());
    stage.keys("2d");
    assert_eq!(stage.queue.view().context.len(), 0);
    stage.keys("D");
    assert_eq!(stage.queue.view().up_next.len(), 0);
}

#[test]
fn enter_in_the_queue_jumps() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gqG<Enter>");
    assert_eq!(now(&stage), "Hammers");
    assert!(matches!(stage.last_command(), Some(Command::Jump(_))));
}

#[test]
fn the_cursor_stays_on_its_row_when_the_queue_goes_on() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gqG");
    assert!(cursor_line(&stage).contains("Hammers"));
    stage.keys(">");
    assert_eq!(now(&stage), "Hunter");
    assert!(cursor_line(&stage).contains("Hammers"));
    stage.keys("<Tab>");
    assert!(cursor_line(&stage).contains("Hunter"));
}

#[test]
fn transport_keys() {
    let mut stage = playing(SIZE, Options::default());
    let mut sends = |keys: &str, command: Command| {
        stage.keys(keys);
        assert_eq!(stage.last_command(), Some(&command), "{keys}");
    };
    sends("<Right>", Command::SeekBy(5_000));
    sends("<Left>", Command::SeekBy(-5_000));
    sends("3<Right>", Command::SeekBy(15_000));
    sends("+", Command::VolumeBy(5));
    sends("-", Command::VolumeBy(-5));
    sends("m", Command::ToggleMute);
    sends("s", Command::SetShuffle(true));
    sends("r", Command::SetRepeat(Repeat::One));
    sends("r", Command::SetRepeat(Repeat::Off));
    sends(" ", Command::Toggle);
    sends(">", Command::Next);
    sends("<", Command::Previous);
    sends(":seek 1:23<Enter>", Command::SeekTo(83_000));
    sends(":volume 40<Enter>", Command::SetVolume(40));
    sends(":stop<Enter>", Command::Stop);
}

#[test]
fn love_shows_at_once_everywhere_and_is_kept() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("F");
    sees_not(&stage, "♥ Says");
    stage.keys("F");
    sees(&stage, "♥ Says");
    stage.keys("glj").keys("llf");
    let item = Item::Track("Post/1".into());
    let starred = stage.starred();
    assert!(starred.contains(&item), "{starred:?}");
    assert!(cursor_line(&stage).contains('♥'));
}

#[test]
fn a_star_and_a_digit_rate() {
    let mut stage = full();
    stage.keys("glj").keys("ll*4");
    sees(&stage, "Rated ★★★★");
    assert!(cursor_line(&stage).contains('4'));
    assert!(stage.outbox() >= 1);
    stage.keys("*0");
    sees(&stage, "Rating taken away.");
}

#[test]
fn search_answers_every_key() {
    let mut stage = full();
    stage.keys("gs").keys("bj");
    sees(&stage, "2 albums");
    stage.keys("ork hun");
    sees(&stage, "Hunter");
    sees_not(&stage, "Jóga");
    stage.keys("<Enter>");
    assert_eq!(now(&stage), "Hunter");
    stage.keys("<C-u>");
    sees(&stage, "Results come as you type");
    stage.keys("zzzzqqq");
    sees(&stage, "Nothing is called “zzzzqqq”");
    stage.keys("<BS><BS><BS><BS><BS><BS><BS>يا");
    sees(&stage, "يا غزال");
}

#[test]
fn a_typing_error_says_how_it_was_read() {
    let mut stage = full();
    stage.keys("gs").keys("bjrok");
    sees(&stage, "bjrok → björk");
    stage.keys("<C-u>bjork");
    sees_not(&stage, "→");
    // The letters that were typed stand out.
    let terminal = stage.terminal();
    let buffer = terminal.backend().buffer();
    let marked: String = buffer
        .content
        .iter()
        .filter(|cell| cell.modifier.contains(ratatui::style::Modifier::UNDERLINED))
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    assert!(marked.starts_with("Björk"), "{marked}");
}

#[test]
fn a_lone_question_mark_explains_the_search() {
    let mut stage = full();
    stage.keys("gs").keys("hunter ?");
    sees(&stage, "year:1990..1999");
    sees(&stage, "What can be searched for");
    stage.keys("<Esc>");
    sees(&stage, "Hunter");
    stage.keys("<C-u>why?");
    sees(&stage, "why?");
}

#[test]
fn a_search_is_kept_as_a_playlist() {
    let mut stage = full();
    let before = stage.outbox();
    stage.keys("gs").keys("bjork").keys("<C-y>").keys(" Iceland limit:3<Enter>");
    sees(&stage, "“Iceland” is a playlist now");
    let lists = stage.wait_for(stage.props.library.playlists()).unwrap();
    assert_eq!((lists[0].name.as_str(), lists[0].smart, lists[0].track_count), ("Iceland", true, 3));
    assert_eq!(stage.outbox(), before, "the server knows nothing of it");
    stage.keys("<C-u>iceland");
    sees(&stage, "Playlists");
    stage.keys("<Enter>");
    assert!(stage.queue.view().now.is_some(), "it plays");
    stage.keys("<C-u>").keys("<C-y>").keys(" Nothing<Enter>");
    sees(&stage, "Search for something first");
}

#[test]
fn letters_jump_in_lists() {
    let mut stage = full();
    stage.keys("gl").keys("'").keys("ni");
    sees(&stage, "jump to: ni");
    assert!(cursor_line(&stage).contains("Nils Frahm"), "{}", cursor_line(&stage));
    let at = cursor_line(&stage);
    stage.keys("<Enter>");
    assert_eq!(cursor_line(&stage), at, "it stays there");
    stage.keys("j");
    assert_ne!(cursor_line(&stage), at);
}

#[test]
fn words_in_the_search_are_no_commands() {
    let mut stage = full();
    stage.keys("gs").keys("queue? :quit");
    assert_eq!(stage.app.screen(), Screen::Search);
    assert!(!stage.app.leaving());
    sees(&stage, "queue? :quit");
    stage.keys("<Esc>q");
    assert_eq!(stage.app.screen(), Screen::Home);
}

#[test]
fn groups_of_results_are_jumped() {
    let mut stage = full();
    stage.keys("gs").keys("bjork");
    let group = |stage: &Stage, name: &str| stage.text().lines().any(|l| l.contains('▌') && l.contains(name));
    assert!(group(&stage, "Artists"));
    stage.keys("<Tab>");
    assert!(group(&stage, "Albums"));
    stage.keys("<Tab>");
    assert!(group(&stage, "Tracks"));
    stage.keys("<Tab>");
    assert!(group(&stage, "Artists"));
}

#[test]
fn a_filter_narrows_and_lets_go() {
    let mut stage = full();
    stage.keys("gl/si");
    sees(&stage, "Sigur");
    sees_not(&stage, "Fela");
    stage.keys("<Enter>n");
    sees(&stage, "/si");
    stage.keys("<Esc>");
    sees(&stage, "Fela");
    assert!(cursor_line(&stage).contains("Sigur"), "{}", stage.text());
}

#[test]
fn a_filter_in_the_queue_finds_without_hiding() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gqgg/ham");
    assert!(cursor_line(&stage).contains("Hammers"));
    sees(&stage, "Familiar");
    stage.keys("<BS><BS><BS>a<Enter>gg");
    stage.keys("n");
    let first = cursor_line(&stage);
    stage.keys("nN");
    assert_eq!(cursor_line(&stage), first);
}

#[test]
fn pages_open_and_lead_back() {
    let mut stage = full();
    stage.keys("jjj").keys("o");
    assert_eq!(stage.app.screen(), Screen::Album);
    sees(&stage, "Improvisation for Coughs");
    stage.keys("3j<Enter>");
    assert_eq!(now(&stage), "Went Missing");
    stage.keys("gr");
    assert_eq!(stage.app.screen(), Screen::Artist);
    sees(&stage, "Spaces");
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Album);
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Home);
    assert!(!stage.app.leaving());
    stage.keys("q");
    assert!(stage.app.leaving());
}

#[test]
fn the_command_line_completes_and_complains() {
    let mut stage = full();
    stage.keys(":rep<Tab>");
    sees(&stage, ":repeat");
    stage.keys(" o<Tab><Tab><Enter>");
    assert!(matches!(stage.last_command(), Some(Command::SetRepeat(_))), "{:?}", stage.last_command());
    stage.keys(":dance<Enter>");
    sees(&stage, "There is no command \"dance\".");
    stage.keys("<Esc>");
    sees_not(&stage, "dance");
    stage.keys(":volume 400<Enter>");
    sees(&stage, "takes a number from 0 to 100");
    stage.keys(":queue<Enter>");
    assert_eq!(stage.app.screen(), Screen::Queue);
    stage.keys("<Esc>:x<BS><BS>");
    sees(&stage, "keys");
    stage.keys(":quit<Enter>");
    assert!(stage.app.leaving());
}

#[test]
fn the_help_shows_the_keys_of_this_screen() {
    let mut stage = full();
    stage.keys("?");
    sees(&stage, "Keys on Home");
    sees_not(&stage, "move the row down");
    stage.keys("<Esc>gq?");
    sees(&stage, "Keys on Queue");
    stage.keys("G");
    sees(&stage, "leave");
    stage.keys("?");
    sees(&stage, "The queue is empty");
    stage.keys("?<C-c>");
    assert!(stage.app.leaving());
}

#[test]
fn a_prefix_shows_what_may_follow() {
    let mut stage = full();
    stage.keys("g");
    sees(&stage, "h home   l library   s search   q queue");
    stage.keys("<Esc>");
    sees_not(&stage, "h home   l library");
    assert_eq!(stage.app.screen(), Screen::Home);
}

#[test]
fn escape_typed_fast_is_escape() {
    let mut stage = full();
    stage.keys("?<A-k>");
    sees_not(&stage, "Keys on Home");
}

#[test]
fn trouble_is_told_and_dismissed() {
    let mut stage = playing(SIZE, Options::default());
    stage.player(|status| status.output_notice = Some("No sound device: playing silently.".to_owned()));
    sees(&stage, "No sound device");
    sees(&stage, "silent");
    stage.keys("<Esc>");
    sees_not(&stage, "No sound device:");
    stage.player(|status| status.output_notice = Some("The device is gone.".to_owned()));
    sees(&stage, "The device is gone.");
    stage.wait();
    sees_not(&stage, "The device is gone.");
    sees(&stage, "silent");
    stage.tell(Msg::Said("“Zombie” cannot be played: the file is broken.".to_owned()));
    sees(&stage, "“Zombie” cannot be played: the file is broken.");
    stage.wait();
    sees_not(&stage, "cannot be played");
}

#[test]
fn the_connection_is_told() {
    let mut stage = playing(SIZE, Options::default());
    sees(&stage, "home.lan  ● online");
    let offline = Connection::Offline { since: 0, why: "no answer".to_owned() };
    stage.session(|session| session.connection = offline);
    stage.player(|status| status.supply = Supply::Offline);
    sees(&stage, "○ offline");
    sees(&stage, "○ FLAC 44.1/16");
}

#[test]
fn new_music_comes_by_itself() {
    let mut stage = Stage::new(Shelf::Empty, SIZE);
    sees(&stage, "There is no music here yet");
    stage.stock();
    stage.session(|session| session.catalog_generation += 1);
    sees(&stage, "Wanderlust");
    stage.keys("gl");
    sees(&stage, "Godspeed");
}

#[test]
fn every_frame_with_nothing_new_is_saved() {
    let mut stage = playing(SIZE, Options::default());
    assert!(stage.app.take_dirty());
    stage.player(|status| status.position_ms += 100);
    assert!(!stage.app.take_dirty(), "a tenth of a second cannot be seen");
    stage.player(|status| status.position_ms += 1_000);
    assert!(stage.app.take_dirty());
    stage.session(|_| ());
    assert!(!stage.app.take_dirty());
}

#[test]
fn the_sleep_timer_is_set_by_a_key_or_in_words_and_seen_in_the_bar() {
    let mut stage = full();
    stage.keys("Z");
    assert_eq!(stage.last_command(), Some(&Command::Sleep(Some(Sleep::After { seconds: 900 }))));
    sees(&stage, "Falls asleep in 15 minutes.");
    sees(&stage, "sleep 15m");
    stage.keys("Z");
    sees(&stage, "sleep 30m");
    stage.keys(":sleep track<Enter>");
    sees(&stage, "sleep track");
    stage.keys("Z");
    assert_eq!(stage.last_command(), Some(&Command::Sleep(None)));
    sees_not(&stage, "sleep track");
    stage.player(|status| status.sleep = Some(Sleep::After { seconds: 42 }));
    sees(&stage, "sleep 42s");
}

#[test]
fn replaygain_is_chosen_in_words() {
    let mut stage = full();
    stage.keys(":replaygain album<Enter>");
    assert_eq!(stage.last_command(), Some(&Command::SetGain(GainMode::Album)));
    stage.keys(":replaygain<Enter>");
    sees(&stage, "ReplayGain: album.");
}

#[test]
fn the_palette_finds_and_does() {
    let mut stage = Stage::new(Shelf::Full, (100, 30));
    stage.keys("<C-p>gque<Enter>");
    assert_eq!(stage.app.screen(), Screen::Queue);
    stage.keys("<C-p>volume<BS><BS><C-u>seekpos<Esc>");
    assert_eq!(stage.app.screen(), Screen::Queue);
    // What takes words goes on to the line.
    stage.keys("<C-p>server");
    stage.keys("<Enter>");
    assert!(stage.text().contains(":server"), "{}", stage.text());
}

#[test]
fn a_menu_shows_what_may_follow_and_what_can_be_done() {
    let mut stage = Stage::new(Shelf::Full, (100, 30));
    stage.keys("g");
    stage.wait();
    let menu = stage.text();
    assert!(menu.contains("library") && menu.contains("playing album"), "{menu}");
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Queue);
    stage.keys("ggl").keys("gl").keys(".");
    let menu = stage.text();
    assert!(menu.contains("shuffle-play") && !menu.contains("move-down"), "{menu}");
    stage.keys("shuf<Enter>");
    assert!(stage.queue.shuffled());
}

#[test]
fn the_line_remembers() {
    let mut stage = Stage::new(Shelf::Full, (100, 30));
    stage.keys(":volume 30<Enter>:repeat all<Enter>");
    stage.keys(":<Up>").keys("<Up>");
    assert!(stage.text().contains(":volume 30"), "{}", stage.text());
    stage.keys("<Down>");
    assert!(stage.text().contains(":repeat all"), "{}", stage.text());
    stage.keys("<Esc>:vol<Up><Enter>");
    assert_eq!(stage.status.volume, 30);
}

#[test]
fn the_help_can_be_searched() {
    let mut stage = Stage::new(Shelf::Full, (100, 30));
    stage.keys("?/shuffle<Enter>");
    let help = stage.text();
    assert!(help.contains("shuffle on or off") && !help.contains("sleep timer"), "{help}");
    stage.keys("<Esc>");
    assert!(stage.text().contains("play or pause"));
    stage.keys("<Esc>");
    assert!(!stage.text().contains("Keys on"));
}

#[test]
fn themes_are_tried_on_and_taken_or_not() {
    let mut stage = Stage::new(Shelf::Full, (100, 30));
    let ground = |stage: &Stage| stage.terminal().backend().buffer()[(0, 5)].bg;
    stage.keys("T");
    assert!(stage.text().contains("late-show"), "{}", stage.text());
    stage.keys("vinyl");
    assert_eq!(ground(&stage), ratatui::style::Color::Rgb(0x0d, 0x0c, 0x0d));
    stage.keys("<Esc>");
    assert_eq!(ground(&stage), ratatui::style::Color::Reset);
    stage.keys("T").keys("chalk<Enter>");
    assert_eq!(ground(&stage), ratatui::style::Color::Rgb(0xf7, 0xf8, 0xfa));
    assert_eq!(stage.kept("tui.theme").as_deref(), Some("chalk"));
    stage.keys(":theme plaid<Enter>");
    assert!(stage.text().contains("no theme “plaid”"));
}

#[test]
fn changed_files_count_at_once_and_mistakes_are_shown() {
    use segue::tui::Fresh;
    use segue::tui::effects::Msg;
    use segue::tui::keymap::Keymap;
    let mut stage = Stage::new(Shelf::Full, (120, 30));
    let (keymap, mistakes) =
        Keymap::assemble("vim", Some(("keys.toml", "[everywhere]\n\"9\" = \"mute\"\nb = \"dance\"\n")));
    let fresh = Fresh { keymap, mistakes, theme: "moss".to_owned(), ..Fresh::default() };
    stage.tell(Msg::Fresh(Box::new(fresh)));
    assert!(stage.text().contains("keys.toml:3"), "{}", stage.text());
    stage.keys("9");
    stage.wait();
    assert!(stage.status.muted);
}

#[test]
fn the_sound_is_treated_by_name() {
    let mut stage = full();
    let sound = |change| Some(Command::Sound(change));
    for (line, change) in [
        (":crossfade 4<Enter>", SoundChange::Crossfade(4)),
        (":speed 1.25<Enter>", SoundChange::Speed(125)),
        (":equalizer rock<Enter>", SoundChange::Equalizer("rock".parse().unwrap())),
        (":output USB<Enter>", SoundChange::Output("USB".into())),
        (":bit-perfect<Enter>", SoundChange::BitPerfect(true)),
    ] {
        stage.keys(line);
        assert_eq!(stage.last_command().cloned(), sound(change), "{line}");
    }
    sees(&stage, "nothing touches a sample");
    // What is none is answered and not asked for.
    stage.keys(":speed 9<Enter>");
    assert_eq!(stage.last_command().cloned(), sound(SoundChange::BitPerfect(true)));
    sees(&stage, "from 0.5 to 2");
    stage.keys(":equalizer<Enter>");
    sees(&stage, "Equaliser: rock.");
    stage.player(|status| status.treatment = "bit-perfect".into());
    sees(&stage, "bit-perfect");
    sees(&stage, "vol full");
}
