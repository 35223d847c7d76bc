//! Cue sheets beside and inside of music: which tracks they make, and that those stay what they are.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/media.rs"]
#[allow(dead_code, reason = "it serves more tests than these")]
mod media;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lofty::tag::ItemKey;
use media::{aac, flac, mp3, opus, put, tag, wav};
use segue::analysis::Analyst;
use segue::catalog::{Account, Catalog, Roles, Slice, TrackOrder};
use segue::music::{Item, Track, TrackId, Window};
use segue::server::from_folders;
use segue::server::scan::{ScanMode, ScanReport, Scanner};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const SECOND: usize = 44_100;

/// Three tracks: from 0, from 1 s and 37/75, and from 3 s.
const SHEET: &str = "REM GENRE \"Electronic; Ambient\"\nREM DATE 1998-05-04\nREM DISCNUMBER 2\nREM REPLAYGAIN_ALBUM_GAIN -7.25 dB\n\
    PERFORMER \"Ann\"\nTITLE \"The Album\"\nFILE \"Image.wav\" WAVE\n\
    TRACK 01 AUDIO\nTITLE \"One\"\nISRC GBAYE9800001\nREM REPLAYGAIN_TRACK_GAIN -6.50 dB\nINDEX 01 00:00:00\n\
    TRACK 02 AUDIO\nTITLE \"Two\"\nPERFORMER \"Ann feat. Bob\"\nSONGWRITER \"Carl\"\nINDEX 00 00:01:00\nINDEX 01 00:01:37\n\
    TRACK 03 AUDIO\nINDEX 01 00:03:00\n";

struct Library {
    folder: TempDir,
    catalog: Catalog,
}

impl Library {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("music")).unwrap();
        let catalog = database::open(&folder.path().join("catalog.db")).await.unwrap();
        Self { folder, catalog }
    }

    /// One FLAC file of five seconds with a sheet that names it by what it was made of.
    async fn image() -> Self {
        let library = Self::new().await;
        put(&library.path("a/Image.flac"), &flac(5 * SECOND, 1));
        put(&library.path("a/Image.cue"), SHEET.as_bytes());
        library
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("music").join(name)
    }

    async fn scan(&self) -> ScanReport {
        let roots = vec![self.folder.path().join("music")];
        Scanner::new(self.catalog.clone(), roots).scan(ScanMode::Changes).await.unwrap()
    }

    /// By disc and number.
    async fn tracks(&self) -> Vec<Track> {
        let me = self.catalog.listener(&"me".into());
        let mut tracks = me.tracks_by(TrackOrder::Title, Window::ALL).await.unwrap();
        tracks.sort_by_key(|t| (t.disc, t.number, t.title.clone()));
        tracks
    }

    async fn titles(&self) -> Vec<String> {
        self.tracks().await.into_iter().map(|t| t.title).collect()
    }

    async fn ids(&self) -> Vec<TrackId> {
        self.tracks().await.into_iter().map(|t| t.id).collect()
    }

    async fn slice(&self, id: &TrackId) -> Option<Slice> {
        self.catalog.source_of(id).await.unwrap().unwrap().slice
    }
}

/// Added, changed, removed, moved, failed.
fn counts(report: &ScanReport) -> (u64, u64, u64, u64, usize) {
    (report.added, report.changed, report.removed, report.moved, report.failed.len())
}

#[tokio::test]
async fn one_file_becomes_the_tracks_of_its_sheet() {
    let library = Library::image().await;
    let report = library.scan().await;
    assert_eq!(counts(&report), (3, 0, 0, 0, 0), "{report:?}");
    assert_eq!((report.seen, report.notes.len()), (1, 0), "{report:?}");
    let tracks = library.tracks().await;
    let [one, two, three] = &tracks[..] else { panic!("{tracks:?}") };
    assert_eq!((one.title.as_str(), two.title.as_str(), three.title.as_str()), ("One", "Two", "Track 03"));
    for (n, track) in tracks.iter().enumerate() {
        assert_eq!((track.number, track.disc, track.year), (Some(n as u32 + 1), Some(2), Some(1998)));
        assert_eq!((track.album.as_str(), track.album_artist.as_str()), ("The Album", "Ann"));
        assert_eq!(track.genres, ["Electronic", "Ambient"]);
        assert_eq!((track.suffix.as_str(), track.content_type.as_str()), ("wav", "audio/wav"));
        assert_eq!((track.sample_rate, track.bit_depth, track.channels), (Some(44_100), Some(16), Some(1)));
        assert_eq!((track.bit_rate, track.replay_gain.album_gain), (Some(705), Some(-7.25)));
        assert_eq!(library.catalog.file_of(&track.id).await.unwrap(), Some(library.path("a/Image.flac")));
    }
    let names: Vec<&str> = two.artists.iter().map(|a| a.name.as_str()).collect();
    assert_eq!((two.artist.as_str(), names), ("Ann feat. Bob", vec!["Ann", "Bob"]));
    assert_eq!(
        (two.details.credits[0].role.as_str(), two.details.line("writer").as_str()),
        ("writer", "Carl")
    );
    assert_eq!((one.details.isrcs[0].as_str(), one.replay_gain.track_gain), ("GBAYE9800001", Some(-6.5)));
    let places: Vec<(u64, u64)> = {
        let mut all = Vec::new();
        for track in &tracks {
            let slice = library.slice(&track.id).await.unwrap();
            assert_eq!(track.size, 44 + 2 * (slice.end - slice.first));
            assert_eq!(track.duration_ms, (slice.end - slice.first) * 1000 / 44_100);
            all.push((slice.first, slice.end));
        }
        all
    };
    // 112 frames of a CD are 65,856 of 44.1 kHz.
    assert_eq!(places, [(0, 65_856), (65_856, 132_300), (132_300, 220_500)]);
    let me = library.catalog.listener(&"me".into());
    let albums = me.albums(&segue::catalog::AlbumList::ByName, Window::ALL).await.unwrap();
    assert_eq!((albums.len(), albums[0].track_count, albums[0].artist.as_str()), (1, 3, "Ann"));

    assert_eq!(counts(&library.scan().await), (0, 0, 0, 0, 0), "nothing is opened again");
}

#[tokio::test]
async fn ids_outlive_moves_new_tags_and_the_sheet_itself() {
    let library = Library::image().await;
    library.scan().await;
    let ids = library.ids().await;
    let me = library.catalog.listener(&"me".into());
    me.set_star(&Item::Track(ids[1].clone()), Some(5)).await.unwrap();

    fs::create_dir(library.path("b")).unwrap();
    fs::rename(library.path("a/Image.flac"), library.path("b/Image.flac")).unwrap();
    fs::rename(library.path("a/Image.cue"), library.path("b/Image.cue")).unwrap();
    assert_eq!(counts(&library.scan().await), (0, 0, 0, 3, 0));
    assert_eq!(library.ids().await, ids);
    assert_eq!(library.catalog.file_of(&ids[2]).await.unwrap(), Some(library.path("b/Image.flac")));

    tag(&library.path("b/Image.flac"), &[(ItemKey::TrackTitle, "All"), (ItemKey::Mood, "warm")], None);
    assert_eq!(counts(&library.scan().await), (0, 3, 0, 0, 0));
    let tracks = library.tracks().await;
    assert_eq!((library.ids().await, tracks[0].title.as_str()), (ids.clone(), "One"));
    assert_eq!(tracks[0].details.moods, ["warm"], "what holds for the file holds for its parts");

    // Another title, another place, one track less.
    let other = SHEET.replace("\"Two\"", "\"Zwei\"").replace("00:01:37", "00:02:00");
    let other = other.split("TRACK 03").next().unwrap().to_owned();
    put(&library.path("b/Image.cue"), other.as_bytes());
    assert_eq!(counts(&library.scan().await), (0, 2, 1, 0, 0));
    assert_eq!(library.titles().await, ["One", "Zwei"]);
    assert_eq!(library.ids().await, ids[..2]);
    assert_eq!(library.slice(&ids[1]).await.unwrap().first, 2 * SECOND as u64);

    fs::remove_file(library.path("b/Image.cue")).unwrap();
    assert_eq!(counts(&library.scan().await), (1, 0, 2, 0, 0));
    assert_eq!(library.titles().await, ["All"]);
    let whole = library.ids().await.remove(0);
    assert_eq!(library.slice(&whole).await, None);
    assert_eq!(library.catalog.source_of(&ids[0]).await.unwrap(), None);

    put(&library.path("b/Image.cue"), SHEET.as_bytes());
    assert_eq!(counts(&library.scan().await), (3, 0, 1, 0, 0));
    assert_eq!(library.ids().await, ids, "the same tracks come back");
    assert_eq!(library.tracks().await[1].marks.starred_at, Some(5));

    let good = fs::read(library.path("b/Image.flac")).unwrap();
    put(&library.path("b/Image.flac"), b"oops");
    let report = library.scan().await;
    assert!(report.failed.iter().any(|(path, _)| path.ends_with("Image.flac")), "{report:?}");
    assert_eq!(library.ids().await, []);
    put(&library.path("b/Image.flac"), &good);
    library.scan().await;
    assert_eq!(library.ids().await, ids);

    fs::remove_file(library.path("b/Image.flac")).unwrap();
    assert_eq!(counts(&library.scan().await), (0, 0, 3, 0, 0));
    assert_eq!(library.ids().await, []);
}

#[tokio::test]
async fn sheets_in_tags_divide_their_file_whatever_name_they_give() {
    let library = Library::new().await;
    let path = library.path("x/other name.flac");
    put(&path, &flac(5 * SECOND, 1));
    let mut file = fs::read(&path).unwrap();
    // The comments of a FLAC file, by hand: what writes tags here has no key for the field.
    file[4] = 0;
    let sheet = SHEET.replace("Image.wav", "C:\\rips\\Image.wav");
    let field = format!("CUESHEET={sheet}");
    let mut comments = b"\x04\0\0\0test\x02\0\0\0\x0b\0\0\0TITLE=Whole".to_vec();
    comments.extend((field.len() as u32).to_le_bytes());
    comments.extend(field.as_bytes());
    let mut block = vec![0x84, 0];
    block.extend((comments.len() as u16).to_be_bytes());
    block.extend(comments);
    file.splice(42..42, block);
    put(&path, &file);
    let report = library.scan().await;
    assert_eq!(counts(&report), (3, 0, 0, 0, 0), "{report:?}");
    assert_eq!(library.titles().await, ["One", "Two", "Track 03"]);

    // One beside it speaks first.
    put(&library.path("x/other name.cue"), SHEET.replace("\"One\"", "\"Eins\"").as_bytes());
    library.scan().await;
    assert_eq!(library.titles().await, ["Eins", "Two", "Track 03"]);
}

#[tokio::test]
async fn a_sheet_of_single_files_says_only_what_they_leave_out() {
    let library = Library::new().await;
    for n in [1, 2] {
        put(&library.path(&format!("x/{n}.wav")), &wav(SECOND, n));
    }
    tag(&library.path("x/2.wav"), &[(ItemKey::TrackTitle, "Own"), (ItemKey::TrackArtist, "Own too")], None);
    let sheet = "PERFORMER Ann\nTITLE Album\nFILE \"1.wav\" WAVE\nTRACK 01 AUDIO\nTITLE One\nINDEX 01 00:00:00\n\
        TRACK 02 AUDIO\nTITLE Two\nINDEX 00 00:00:50\nFILE \"2.wav\" WAVE\nINDEX 01 00:00:00\n";
    put(&library.path("x/list.cue"), sheet.as_bytes());
    let report = library.scan().await;
    assert_eq!((counts(&report), report.notes.len()), ((2, 0, 0, 0, 0), 0), "{report:?}");
    let tracks = library.tracks().await;
    let said = |t: &Track| (t.title.clone(), t.artist.clone(), t.album.clone(), t.number, t.suffix.clone());
    let is = |title: &str, artist: &str, n| {
        (title.to_owned(), artist.to_owned(), "Album".to_owned(), Some(n), "wav".to_owned())
    };
    assert_eq!(said(&tracks[0]), is("One", "Ann", 1));
    assert_eq!(said(&tracks[1]), is("Own", "Own too", 2));
    assert_eq!(library.slice(&tracks[0].id).await, None);
    assert_eq!(tracks[0].album_id, tracks[1].album_id);
}

#[tokio::test]
async fn two_files_in_one_sheet_are_divided_each() {
    let library = Library::new().await;
    put(&library.path("x/A.wav"), &wav(4 * SECOND, 1));
    put(&library.path("x/B.flac"), &flac(4 * SECOND, 2));
    let side = |file: &str, first: u32| {
        format!(
            "FILE \"{file}\" WAVE\nTRACK {first} AUDIO\nINDEX 01 00:00:33\nTRACK {} AUDIO\nINDEX 01 00:02:00\n",
            first + 1
        )
    };
    put(&library.path("x/sides.cue"), (side("A.wav", 1) + &side("b.WAV", 3)).as_bytes());
    let report = library.scan().await;
    assert_eq!(counts(&report), (4, 0, 0, 0, 0), "{report:?}");
    let tracks = library.tracks().await;
    for (at, name) in [(0, "x/A.wav"), (1, "x/A.wav"), (2, "x/B.flac"), (3, "x/B.flac")] {
        assert_eq!(library.catalog.file_of(&tracks[at].id).await.unwrap(), Some(library.path(name)));
        let slice = library.slice(&tracks[at].id).await.unwrap();
        let (first, end) = if at % 2 == 0 { (0, 2 * SECOND) } else { (2 * SECOND, 4 * SECOND) };
        assert_eq!(
            (slice.first, slice.end),
            (first as u64, end as u64),
            "what is before the first is its own"
        );
    }
}

#[tokio::test]
async fn lossy_files_are_divided_too() {
    let library = Library::new().await;
    for (name, bytes) in [("a.mp3", mp3(200)), ("b.opus", opus(260)), ("c.aac", aac(220))] {
        put(&library.path(name), &bytes);
        let sheet = SHEET.replace("Image.wav", name).replace("The Album", name);
        put(&library.path(&format!("{name}.cue")), sheet.as_bytes());
    }
    let report = library.scan().await;
    assert_eq!(counts(&report), (9, 0, 0, 0, 0), "{report:?}");
    for track in library.tracks().await {
        let slice = library.slice(&track.id).await.unwrap();
        let rate = if track.album == "b.opus" { 48_000 } else { 44_100 };
        assert_eq!((slice.rate, slice.bits), (rate, 16), "{}", track.album);
        if track.number == Some(3) {
            assert!((2000..2300).contains(&track.duration_ms), "{}: {}", track.album, track.duration_ms);
        }
    }
}

#[tokio::test]
async fn hostile_sheets_are_reported_and_cost_nothing_else() {
    let library = Library::image().await;
    put(&library.path("outside.wav"), &wav(5 * SECOND, 3));
    let track = |n: u32| format!("TRACK {} AUDIO\nINDEX 01 {n:02}:00:00\n", n % 999 + 1);
    let many = "FILE \"x.wav\" WAVE\n".to_owned() + &(0..5000).map(track).collect::<String>();
    let sheets: [(&str, Vec<u8>, &str); 8] = [
        ("huge.cue", vec![b' '; 3 << 20], "larger than"),
        ("binary.cue", (0..=255_u8).cycle().take(5000).collect(), "no text"),
        ("letter.cue", b"Dear bank,\nplease send money.\n".to_vec(), "no cue sheet"),
        ("many.cue", many.into_bytes(), "more than 999"),
        ("up.cue", SHEET.replace("Image.wav", "../outside.wav").into_bytes(), "outside of its folder"),
        ("root.cue", SHEET.replace("Image.wav", "/etc/passwd").into_bytes(), "outside of its folder"),
        ("order.cue", SHEET.replace("00:03:00", "00:01:00").into_bytes(), "not in their order"),
        (
            "end.cue",
            SHEET.replace("00:03:00", "99:00:00").replace("Image", "end").into_bytes(),
            "behind the end",
        ),
    ];
    put(&library.path("b/end.wav"), &wav(5 * SECOND, 2));
    for (name, bytes, _) in &sheets {
        put(&library.path("b").join(name), bytes);
    }
    fs::create_dir(library.path("b/folder.cue")).unwrap();
    #[cfg(unix)]
    {
        fs::write(library.folder.path().join("secret"), SHEET).unwrap();
        std::os::unix::fs::symlink(library.folder.path().join("secret"), library.path("b/link.cue")).unwrap();
    }
    let links = usize::from(cfg!(unix));
    for again in [false, true] {
        let report = library.scan().await;
        assert_eq!(report.failed.len(), sheets.len() + links, "{again}: {:?}", report.failed);
        for (name, _, why) in &sheets {
            let said = report.failed.iter().find(|(path, _)| path.ends_with(name));
            assert!(said.is_some_and(|(_, said)| said.contains(why)), "{name}: {said:?}");
        }
    }
    assert_eq!(library.tracks().await.len(), 3 + 2, "the good sheet's tracks, and the other files whole");

    // A sheet that names what is not here is worth a line, not an alarm.
    put(&library.path("c/left.cue"), SHEET.as_bytes());
    put(&library.path("c/own.wav"), &wav(SECOND, 4));
    put(&library.path("c/second.wav"), &wav(SECOND, 5));
    let report = library.scan().await;
    assert_eq!(report.failed.len(), sheets.len() + links);
    assert!(report.notes.iter().any(|(path, note)| path.ends_with("left.cue") && note.contains("Image.wav")));
}

#[tokio::test]
async fn playlists_and_folders_know_the_parts() {
    let library = Library::image().await;
    put(&library.path("b/other.wav"), &wav(SECOND, 2));
    put(&library.path("list.m3u"), b"b/other.wav\na/Image.flac\n");
    let owner = Account {
        id: "me".into(),
        name: "me".into(),
        password_hash: String::new(),
        admin: true,
        roles: Roles::ALL,
        created_at: 0,
        folders: None,
        max_bit_rate: 0,
        erase_at: None,
    };
    library.catalog.add_account(&owner).await.unwrap();
    library.scan().await;
    let me = library.catalog.listener(&"me".into());
    let list = me.playlists().await.unwrap().remove(0);
    let (_, entries) = me.playlist(&list.id).await.unwrap().unwrap();
    let names: Vec<&str> = entries.iter().map(|t| t.title.as_str()).collect();
    assert_eq!(names, ["other", "One", "Two", "Track 03"]);

    let folders = library.catalog.number_folders(&[library.path("a"), library.path("b")]).await.unwrap();
    let within = |n: usize| library.catalog.within(&BTreeSet::from([folders[n].id]));
    let id = &entries[1].id;
    let here = within(0);
    assert_eq!(here.listener(&"me".into()).tracks_by(TrackOrder::Title, Window::ALL).await.unwrap().len(), 3);
    assert!(here.source_of(id).await.unwrap().unwrap().slice.is_some());
    let there = within(1);
    assert_eq!(
        there.listener(&"me".into()).tracks_by(TrackOrder::Title, Window::ALL).await.unwrap().len(),
        1
    );
    assert_eq!(there.source_of(id).await.unwrap(), None);
}

/// A WAV file that is quiet for two seconds and loud for two more.
fn quiet_then_loud(path: &Path) {
    let mut file = wav(4 * SECOND, 1);
    for (n, sample) in file[44..].as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let size = if n < 2 * SECOND { 300.0 } else { 16_000.0 };
        *sample = (((n as f64 / 50.0).sin() * size) as i16).to_le_bytes();
    }
    put(path, &file);
}

#[tokio::test]
async fn each_part_is_heard_by_itself() {
    let library = Library::new().await;
    quiet_then_loud(&library.path("x.wav"));
    let sheet = "FILE \"x.wav\" WAVE\nTRACK 1 AUDIO\nINDEX 01 0:0:0\nTRACK 2 AUDIO\nINDEX 01 0:2:0\n";
    put(&library.path("x.cue"), sheet.as_bytes());
    library.scan().await;
    let analyst = Analyst::new(library.catalog.clone(), from_folders(), 1);
    let report = analyst.run(&CancellationToken::new()).await.unwrap();
    assert_eq!((report.heard, report.failed, report.absent), (2, 0, 0));
    let gains: Vec<f32> = library.tracks().await.iter().map(|t| t.replay_gain.track_gain.unwrap()).collect();
    // 16,000 to 300 are 34.5 dB.
    assert!((gains[0] - gains[1] - 34.5).abs() < 1.0, "{gains:?}");
    let peaks: Vec<f32> = library.tracks().await.iter().map(|t| t.replay_gain.track_peak.unwrap()).collect();
    assert!(peaks[0] < 0.05 && peaks[1] > 0.4, "{peaks:?}");

    // Parts as large as before at other places, then another file of which they are parts: both sound otherwise.
    let moved = sheet.replace(
        "TRACK 2 AUDIO\nINDEX 01 0:2:0",
        "TRACK 2 AUDIO\nINDEX 01 0:1:0\nTRACK 3 AUDIO\nINDEX 01 0:3:0",
    );
    put(&library.path("x.cue"), moved.as_bytes());
    library.scan().await;
    let report = analyst.run(&CancellationToken::new()).await.unwrap();
    assert_eq!(report.heard, 3);
    tag(&library.path("x.wav"), &[(ItemKey::TrackTitle, "a longer file")], None);
    library.scan().await;
    assert_eq!(analyst.run(&CancellationToken::new()).await.unwrap().heard, 3);
    assert_eq!(analyst.run(&CancellationToken::new()).await.unwrap().heard, 0);
}
