//! The pages of one thing, with keys typed into the real screens: an artist, and what a track is made of.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use segue::player::Command;
use segue::tui::effects::{Health, Msg};
use segue::tui::{Options, Screen};
use tui_stage::records::discography;
use tui_stage::{Asks, Shelf, Stage, cursor_line, now, playing, sees, sees_not};

const SIZE: (u16, u16) = (100, 30);

fn full() -> Stage {
    Stage::new(Shelf::Full, SIZE)
}

/// On the page of Björk, with records of every kind.
fn bjork() -> Stage {
    let mut stage = full();
    discography(&mut stage);
    stage.keys("gs").keys("björk<Esc>gggr");
    stage
}

#[test]
fn an_artists_page_has_the_records_by_their_kind() {
    let stage = bjork();
    assert_eq!(stage.app.screen(), Screen::Artist);
    for words in [
        "Heard most",
        "Albums  3",
        "Singles and EPs  1",
        "Appears on  1",
        "3 albums · 1 single or EP · on 1 of others · 16 tracks",
        "Selmasongs and Friends",
        "live",
    ] {
        sees(&stage, words);
    }
}

#[test]
fn the_artist_of_a_row_is_one_key_away_from_everywhere() {
    let mut stage = full();
    stage.keys("gl7jgr");
    assert_eq!(stage.app.screen(), Screen::Artist);
    sees(&stage, "Nils Frahm");
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gqGgr");
    sees(&stage, "1 album · 8 tracks");
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Queue);
}

#[test]
fn an_artist_opens_in_the_library_and_among_what_was_found() {
    let mut stage = full();
    stage.keys("gljo");
    assert_eq!(stage.app.screen(), Screen::Artist);
    sees(&stage, "2 albums · 13 tracks");
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Library);
    stage.keys("gs").keys("fela kuti<Esc>ggo");
    assert_eq!(stage.app.screen(), Screen::Artist);
    sees(&stage, "Zombie");
}

#[test]
fn who_plays_has_a_page() {
    let mut stage = full();
    stage.keys("gA");
    sees(&stage, "Nothing is playing.");
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gA");
    assert_eq!(stage.app.screen(), Screen::Artist);
    sees(&stage, "Nils Frahm");
    sees(&stage, "Heard most");
    let mut stage = playing(SIZE, Options::default());
    stage.keys(":go artist<Enter>");
    assert_eq!(stage.app.screen(), Screen::Artist);
}

#[test]
fn no_artist_is_open_until_one_is() {
    let mut stage = full();
    stage.keys(":go artist<Enter>");
    sees(&stage, "No artist is open. Press o on one to open its page.");
    assert_eq!(stage.app.screen(), Screen::Home);
}

#[test]
fn the_menu_of_a_row_leads_to_its_artist() {
    let mut stage = full();
    stage.keys("gl7jll.");
    stage.keys("artist<Enter>");
    assert_eq!(stage.app.screen(), Screen::Artist);
}

#[test]
fn a_song_and_a_record_of_the_page_play() {
    let mut stage = bjork();
    stage.keys("<Enter>");
    assert_eq!(now(&stage), "Jóga");
    assert!(matches!(stage.last_command(), Some(Command::PlayContext { name, .. }) if name == "Björk"));
    stage.keys("<Tab><Enter>");
    assert_eq!(now(&stage), "Army of Me");
    stage.keys("<Tab><Enter>");
    assert_eq!(now(&stage), "Big Time Sensuality");
    stage.keys("<Tab>S");
    assert_eq!(now(&stage), "A Song for Two");
}

#[test]
fn a_record_of_the_page_opens_and_leads_back() {
    let mut stage = bjork();
    stage.keys("<Tab>jo");
    assert_eq!(stage.app.screen(), Screen::Album);
    sees(&stage, "Bachelorette");
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Artist);
    assert!(cursor_line(&stage).contains("Homogenic"), "{}", cursor_line(&stage));
}

#[test]
fn the_parts_of_a_page_are_walked_both_ways() {
    let mut stage = bjork();
    stage.keys("ll");
    assert!(cursor_line(&stage).contains("Big Time"), "{}", cursor_line(&stage));
    stage.keys("h");
    assert!(cursor_line(&stage).contains("Post"), "{}", cursor_line(&stage));
    stage.keys("G");
    assert!(cursor_line(&stage).contains("Selmasongs"));
    stage.keys("<Tab>");
    assert!(cursor_line(&stage).contains("Jóga"));
}

#[test]
fn from_the_page_the_artist_is_found_among_all() {
    let mut stage = bjork();
    stage.keys("gr");
    assert_eq!(stage.app.screen(), Screen::Library);
    sees(&stage, "Vespertine Live");
}

#[test]
fn a_page_is_narrowed_and_letters_lead_to_a_row() {
    let mut stage = bjork();
    stage.keys("/live");
    sees(&stage, "Vespertine Live");
    sees_not(&stage, "Homogenic ");
    stage.keys("<Enter><Esc>");
    sees(&stage, "Homogenic");
    stage.keys("'self");
    assert!(cursor_line(&stage).contains("Selmasongs"), "{}", cursor_line(&stage));
    stage.keys("<Esc>/xyzzy<Enter>");
    sees(&stage, "Nothing matches");
}

#[test]
fn matches_on_a_page_are_gone_through_round_and_round() {
    let mut stage = bjork();
    stage.keys("/v<Enter>");
    let first = cursor_line(&stage);
    stage.keys("n");
    assert_ne!(cursor_line(&stage), first);
    stage.keys("N");
    assert_eq!(cursor_line(&stage), first);
}

#[test]
fn rows_of_a_page_are_selected_together() {
    let mut stage = bjork();
    stage.keys("<Tab>vj");
    sees(&stage, "2 selected");
    stage.keys("a");
    assert_eq!(stage.queue.view().up_next.len(), 13);
}

#[test]
fn records_of_a_page_are_loved_and_rated() {
    let mut stage = bjork();
    stage.keys("<Tab>f");
    assert!(cursor_line(&stage).contains('♥'), "{}", cursor_line(&stage));
    stage.keys("j*4");
    assert!(cursor_line(&stage).contains('4'));
}

#[test]
fn a_page_follows_what_the_server_says() {
    let mut stage = bjork();
    sees(&stage, "Albums  3");
    let more = vec![tui_stage::track("Björk", "Debut", 1, "Human Behaviour", 252)];
    let debut = tui_stage::records::album("Björk", "Debut", 1993, &["album"], &more);
    stage.shelve(vec![debut], more);
    sees(&stage, "Albums  4");
}

/// A library with genres of many kinds: two hundred and fifty of them, and a large one.
fn genres() -> Stage {
    let mut stage = full();
    let (mut albums, mut all) = (Vec::new(), Vec::new());
    for n in 0..250 {
        let mut tracks =
            vec![tui_stage::track("Many", &format!("Record {n:03}"), 1, &format!("Song {n:03}"), 100)];
        let mut album =
            tui_stage::records::album("Many", &format!("Record {n:03}"), 1970 + n / 10, &[], &tracks);
        album.genres = vec!["Ambient".to_owned(), format!("Kind {n:03}")];
        tracks[0].genres.clone_from(&album.genres);
        albums.push(album);
        all.append(&mut tracks);
    }
    stage.shelve(albums, all);
    stage
}

#[test]
fn the_library_goes_by_artists_genres_and_years() {
    let mut stage = full();
    stage.keys("glb");
    assert_eq!(stage.app.screen(), Screen::Library);
    assert!(cursor_line(&stage).contains("Electronic"), "{}", stage.text());
    stage.keys("b");
    assert!(cursor_line(&stage).contains("2020s"), "{}", stage.text());
    stage.keys("b");
    assert!(cursor_line(&stage).contains("Arooj Aftab"));
    stage.keys(":browse years<Enter>");
    assert!(cursor_line(&stage).contains("2020s"));
}

#[test]
fn from_elsewhere_the_first_press_only_shows_the_library() {
    let mut stage = full();
    stage.keys("b");
    assert_eq!(stage.app.screen(), Screen::Library);
    assert!(cursor_line(&stage).contains("Arooj Aftab"));
    stage.keys("gh:browse genres<Enter>");
    assert_eq!(stage.app.screen(), Screen::Library);
    assert!(cursor_line(&stage).contains("Electronic"));
}

#[test]
fn a_genre_has_its_albums_and_these_their_tracks() {
    let mut stage = full();
    stage.keys("glbl");
    assert!(cursor_line(&stage).contains("( )"), "{}", stage.text());
    stage.keys("'homo<Esc>l");
    sees(&stage, "Bachelorette");
    stage.keys("jj<Enter>");
    assert_eq!(now(&stage), "Unravel");
    stage.keys("<Tab>");
    assert!(cursor_line(&stage).contains("Electronic"));
}

#[test]
fn a_genre_plays_only_its_own_tracks() {
    let mut stage = full();
    let mut tracks = vec![
        tui_stage::track("Two", "Both Kinds", 1, "A Tango", 100),
        tui_stage::track("Two", "Both Kinds", 2, "A Waltz", 100),
    ];
    tracks[0].genres = vec!["Tango".to_owned()];
    tracks[1].genres = vec!["Waltz".to_owned()];
    let mut album = tui_stage::records::album("Two", "Both Kinds", 1950, &[], &tracks);
    album.genres = vec!["Tango".to_owned(), "Waltz".to_owned()];
    stage.shelve(vec![album], tracks);
    stage.keys("glb'tango<Esc><Enter>");
    assert_eq!(now(&stage), "A Tango");
    assert!(
        matches!(stage.last_command(), Some(Command::PlayContext { tracks, name, .. }) if tracks.len() == 1 && name == "Tango")
    );
}

#[test]
fn decades_hold_their_years() {
    let mut stage = full();
    stage.keys("glbb");
    sees(&stage, "2020s");
    stage.keys("l");
    assert!(cursor_line(&stage).contains("2025"), "{}", cursor_line(&stage));
    stage.keys("h'1997<Esc>l");
    assert!(cursor_line(&stage).contains("Homogenic"));
    stage.keys("h'1990<Esc><Enter>");
    assert_eq!(now(&stage), "Hunter");
    stage.keys("a");
    assert_eq!(stage.queue.view().up_next.len(), 13);
}

#[test]
fn of_long_lists_only_windows_are_read() {
    let mut stage = genres();
    stage.keys("glb");
    sees(&stage, "Genres");
    assert!(cursor_line(&stage).contains("Ambient"), "{}", stage.text());
    stage.keys("l");
    sees(&stage, "Albums  250");
    stage.keys("G");
    assert!(cursor_line(&stage).contains("Record 249"), "{}", cursor_line(&stage));
    stage.keys("<Enter>");
    assert_eq!(now(&stage), "Song 249");
    stage.keys("hG");
    assert!(cursor_line(&stage).contains("Kind 249"));
    sees(&stage, "Record 249");
}

#[test]
fn long_lists_are_narrowed_and_jumped_in_by_the_catalog() {
    let mut stage = genres();
    stage.keys("glb/kind 24<Enter>");
    sees(&stage, "Genres  /kind 24  13");
    assert!(cursor_line(&stage).contains("Kind 024"));
    stage.keys("<Esc>'kind 23<Esc>");
    assert!(cursor_line(&stage).contains("Kind 230"), "{}", cursor_line(&stage));
    stage.keys("ggl/record 24<Enter>");
    sees(&stage, "Albums  /record 24  10");
    stage.keys("<Esc>");
    sees(&stage, "Albums  250");
}

#[test]
fn another_genre_begins_at_its_first_album() {
    let mut stage = genres();
    stage.keys("glblG");
    assert!(cursor_line(&stage).contains("Record 249"));
    stage.keys("hjl");
    sees_not(&stage, "Record 249");
    assert!(cursor_line(&stage).contains("( )"), "{}", stage.text());
}

#[test]
fn what_is_new_comes_into_an_open_genre() {
    let mut stage = genres();
    stage.keys("glbl5j");
    assert!(cursor_line(&stage).contains("Record 005"));
    let tracks = vec![tui_stage::track("Many", "Record 000a", 1, "New", 100)];
    let mut album = tui_stage::records::album("Many", "Record 000a", 2026, &[], &tracks);
    album.genres = vec!["Ambient".to_owned()];
    stage.shelve(vec![album], tracks);
    sees(&stage, "Record 000a");
    sees(&stage, "Albums  251");
}

#[test]
fn an_artist_of_a_genre_is_found_among_all() {
    let mut stage = full();
    stage.keys("glbl'homo<Esc>gr");
    assert_eq!(stage.app.screen(), Screen::Artist);
    stage.keys("gr");
    assert_eq!(stage.app.screen(), Screen::Library);
    assert!(cursor_line(&stage).contains("Post"), "{}", stage.text());
    sees(&stage, "Björk");
}

#[test]
fn genres_are_selected_together_and_play_after_each_other() {
    let mut stage = genres();
    stage.keys("glb2jvj");
    sees(&stage, "2 selected");
    stage.keys("a");
    assert_eq!(stage.queue.view().up_next.len(), 2);
    stage.keys("c");
    sees(&stage, "There is nothing to keep here.");
}

/// A track with every tag there is.
fn tagged(stage: &mut Stage) {
    use segue::music::{ArtistRef, Credit, Explicit, Movement, Work};
    let who = |name: &str| ArtistRef { id: format!("ar-{name}").into(), name: name.to_owned() };
    let credit = |role: &str, name: &str, detail: Option<&str>| Credit {
        role: role.to_owned(),
        detail: detail.map(str::to_owned),
        artist: who(name),
    };
    let mut track = tui_stage::track("Anna Prohaska", "Serpent & Fire", 3, "Thy Hand, Belinda", 291);
    track.year = Some(2016);
    track.musicbrainz_id = Some("b1f2c3d4-0000-4000-8000-123456789abc".to_owned());
    track.replay_gain.track_gain = Some(-3.25);
    track.replay_gain.track_peak = Some(0.871);
    track.details.sort_title = Some("Hand, Belinda, Thy".to_owned());
    track.details.album_artists = vec![who("Anna Prohaska")];
    track.details.credits = vec![
        credit("composer", "Henry Purcell", None),
        credit("conductor", "Giovanni Antonini", None),
        credit("performer", "Il Giardino Armonico", Some("orchestra")),
    ];
    track.details.moods = vec!["Sad".to_owned()];
    track.details.isrcs = vec!["DEF056730100".to_owned()];
    track.details.works = vec![Work { name: "Dido and Aeneas, Z. 626".to_owned(), musicbrainz_id: None }];
    track.details.movements =
        vec![Movement { name: "Dido's Lament".to_owned(), number: Some(37), count: Some(38) }];
    track.details.bpm = Some(60);
    track.details.comment = Some("Recorded in the Teldex Studio, Berlin, with an ensemble on period instruments; the booklet has the words in three languages.".to_owned());
    track.details.explicit = Some(Explicit::Clean);
    track.details.original_date = Some("2016-09-02".to_owned());
    let mut album = tui_stage::records::album(
        "Anna Prohaska",
        "Serpent & Fire",
        2016,
        &["album"],
        std::slice::from_ref(&track),
    );
    album.details.labels = vec!["Alpha Classics".to_owned()];
    album.details.version = Some("first edition".to_owned());
    album.details.release_date = Some("2016-09-02".to_owned());
    stage.shelve(vec![album], vec![track]);
}

/// On the page of everything about that track.
fn details() -> Stage {
    let mut stage = Stage::new(Shelf::Full, (100, 60));
    tagged(&mut stage);
    stage.keys("gs").keys("belinda<Esc>ggi");
    stage
}

#[test]
fn a_page_tells_everything_about_a_track() {
    let mut stage = details();
    assert_eq!(stage.app.screen(), Screen::Details);
    for words in [
        "Composer         Henry Purcell",
        "Performer        Il Giardino Armonico (orchestra)",
        "Work             Dido and Aeneas, Z. 626",
        "Movement         37 of 38: Dido's Lament",
        "Label            Alpha Classics",
        "Gain alone       -3.25 dB, peak 0.871",
        "FLAC (audio/flac)",
        "44,100 Hz",
        "60 beats a minute",
        "not yet",
    ] {
        sees(&stage, words);
    }
    stage.keys("G");
    sees(&stage, "ISRC             DEF056730100");
}

#[test]
fn the_page_leads_to_people_and_to_the_album() {
    let mut stage = details();
    stage.keys("<Tab>");
    assert!(cursor_line(&stage).contains("Henry Purcell"), "{}", cursor_line(&stage));
    stage.keys("o");
    assert_eq!(stage.app.screen(), Screen::Artist);
    sees(&stage, "Appears on  1");
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Details);
    stage.keys("ggo");
    assert_eq!(stage.app.screen(), Screen::Album);
    sees(&stage, "Thy Hand, Belinda");
}

#[test]
fn the_track_of_the_page_is_played_loved_and_queued() {
    let mut stage = details();
    stage.keys("f");
    sees(&stage, "Loved since");
    stage.keys("f");
    sees_not(&stage, "Loved since");
    stage.keys("*4");
    sees(&stage, "4 of 5");
    stage.keys("a");
    assert_eq!(stage.queue.view().up_next.len(), 1);
    stage.keys("<Enter>");
    assert_eq!(now(&stage), "Thy Hand, Belinda");
}

#[test]
fn without_a_selected_track_it_is_the_one_that_plays() {
    let mut stage = full();
    stage.keys("gti");
    sees(&stage, "There is no track here: select one.");
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gti");
    assert_eq!(stage.app.screen(), Screen::Details);
    sees(&stage, "Nils Frahm · Spaces");
    stage.keys("G");
    sees(&stage, "You and it");
}

#[test]
fn the_menu_of_a_row_leads_to_everything_about_it() {
    let mut stage = full();
    stage.keys("gl7jll.");
    stage.keys("details<Enter>");
    assert_eq!(stage.app.screen(), Screen::Details);
}

#[test]
fn a_pick_of_a_mix_says_why_it_is_there() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("ggjo");
    assert_eq!(stage.app.screen(), Screen::Mix);
    stage.keys("jiG");
    assert_eq!(stage.app.screen(), Screen::Details);
    stage.keys("gg");
    for _ in 0..60 {
        if stage.text().contains("Why it is here") {
            return;
        }
        stage.keys("j");
    }
    panic!("no reason in\n{}", stage.text());
}

#[test]
fn the_page_is_scrolled_by_lines_pages_and_groups() {
    let mut stage = Stage::new(Shelf::Full, (60, 16));
    tagged(&mut stage);
    stage.keys("gs").keys("belinda<Esc>ggi");
    stage.keys("G");
    assert!(cursor_line(&stage).contains("Recording"), "{}", stage.text());
    stage.keys("gg<C-d>");
    stage.keys("h");
    assert!(cursor_line(&stage).contains("Title") || cursor_line(&stage).contains("Composer"));
}

#[test]
fn the_doctor_says_what_is_wrong_first_and_what_to_do() {
    let mut stage = full();
    stage.finds(&[
        (Health::Good, "clock", "It is right.", ""),
        (Health::Wrong, "server", "home.lan does not answer.", "See whether it is on."),
        (Health::Note, "terminal", "16 colours.", "Set COLORTERM=truecolor."),
    ]);
    stage.keys("gD");
    assert_eq!(stage.app.screen(), Screen::Doctor);
    sees(&stage, "One thing will not work");
    assert!(cursor_line(&stage).contains("home.lan does not answer."), "{}", stage.text());
    sees(&stage, "See whether it is on.");
    stage.keys("G");
    assert!(cursor_line(&stage).contains("It is right."));
}

#[test]
fn the_doctor_looks_again_when_asked_and_whenever_it_is_opened() {
    let mut stage = full();
    stage.keys("gD");
    sees(&stage, "Nothing can be looked at from here");
    stage.finds(&[(Health::Note, "terminal", "16 colours.", "")]);
    stage.keys("<Enter>");
    sees(&stage, "It works; 1 thing could be better");
    stage.finds(&[(Health::Good, "terminal", "All colours.", "")]);
    stage.keys("qgD");
    sees(&stage, "All is well");
}

#[test]
fn what_could_not_be_read_is_read_again_when_asked() {
    let mut stage = Stage::unanswered(SIZE);
    stage.refuse("The catalog's database failed: disk I/O error.");
    sees(&stage, "disk I/O error");
    stage.stock();
    stage.keys("<C-l>");
    sees_not(&stage, "disk I/O error");
    sees(&stage, "Recently added");
}

#[test]
fn a_list_that_failed_names_the_key_that_reads_it_again() {
    let mut stage = full();
    for keys in ["gl", "gp", "gljo"] {
        stage.asks(Asks::Refused);
        stage.keys("gh").keys(keys);
        stage.session(|session| session.catalog_generation += 1);
        sees(&stage, "^l reads it again.");
        stage.asks(Asks::Answered);
        stage.keys("<C-l>");
        sees_not(&stage, "reads it again");
    }
}

#[test]
fn command_lines_are_remembered_over_restarts() {
    let mut stage = full();
    stage.keys(":volume 40<Enter>").keys(":volume 50<Enter>").keys(":volume 40<Enter>");
    let history = stage.kept("tui.history").unwrap();
    assert_eq!(history, "volume 50\nvolume 40");
    let mut stage = Stage::with(Shelf::Full, SIZE, Options { history, ..Options::default() });
    stage.keys(":<Up>");
    sees(&stage, ":volume 40");
    stage.keys("<Up>");
    sees(&stage, ":volume 50");
}

#[test]
fn what_the_full_player_shows_is_remembered_over_restarts() {
    let mut stage = playing(SIZE, Options::default());
    stage.keys("gfLv");
    let shows = stage.kept("tui.player").unwrap();
    assert_eq!(shows, "no-lyrics no-spectrum");
    let mut stage = playing(SIZE, Options { player_shows: shows, ..Options::default() });
    stage.keys("gf");
    sees_not(&stage, "lyrics for this");
    stage.keys("Lv");
    assert_eq!(stage.kept("tui.player").unwrap(), "lyrics spectrum");
}

#[test]
fn letters_lead_to_rows_of_mixes_and_playlists() {
    let mut stage = full();
    stage.keys("gljlj").keys("pIce<Enter>").keys("pWinter<Enter>");
    stage.keys("gp'win<Esc>");
    assert!(cursor_line(&stage).contains("Winter"), "{}", stage.text());
    stage.keys("o'plu<Enter>");
    assert!(cursor_line(&stage).contains("Pluto"), "{}", stage.text());
    let mut stage = playing(SIZE, Options::default());
    stage.keys("ggjoG");
    let last = cursor_line(&stage);
    let title: String = last.trim_start_matches(['▌', ' ']).chars().take(5).collect();
    stage.keys("gg'").keys(&title).keys("<Enter>");
    assert!(cursor_line(&stage).contains(title.trim()), "{}", stage.text());
}

#[test]
fn a_long_title_goes_by_once_the_cursor_rests_on_it() {
    let mut stage = Stage::new(Shelf::Full, (60, 16));
    stage.keys("gl'god<Esc>l");
    let first = cursor_line(&stage);
    assert!(first.contains("Lift Your S"), "{first}");
    for _ in 0..6 {
        stage.wait();
    }
    let later = cursor_line(&stage);
    assert!(!later.contains("Lift Your") && later.contains("Skinny"), "{later}");
    stage.keys("hl");
    assert_eq!(cursor_line(&stage), first);
}

#[test]
fn no_frame_is_drawn_where_nothing_goes_by() {
    let mut stage = full();
    stage.keys("glj");
    stage.wait();
    stage.app.take_dirty();
    stage.wait();
    assert!(!stage.app.take_dirty());
    let mut stage = Stage::with(Shelf::Full, (60, 16), Options { still: true, ..Options::default() });
    stage.keys("gl'god<Esc>l");
    let first = cursor_line(&stage);
    stage.wait();
    stage.wait();
    assert_eq!(cursor_line(&stage), first);
}

#[test]
fn a_title_stands_still_while_nobody_looks() {
    let mut stage = Stage::new(Shelf::Full, (60, 16));
    stage.keys("gl'god<Esc>l");
    stage.tell(Msg::Focus(false));
    let first = cursor_line(&stage);
    stage.wait();
    stage.wait();
    assert_eq!(cursor_line(&stage), first);
    stage.tell(Msg::Focus(true));
    stage.wait();
    stage.wait();
    assert_ne!(cursor_line(&stage), first);
}

#[test]
fn playlists_that_follow_rules_have_a_mark() {
    let mut stage = full();
    stage.keys("gs").keys("genre:electronic").keys("<Esc><C-y>").keys("Machines<Enter>");
    stage.keys("gp");
    assert!(cursor_line(&stage).contains('ƒ'), "{}", stage.text());
    stage.keys("o");
    sees(&stage, "ƒ follows rules");
}
