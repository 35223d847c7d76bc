//! The scanner over real small files: what the tags say arrives, and nothing in a folder can hurt it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/media.rs"]
mod media;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use lofty::tag::ItemKey;
use media::{aac, aiff, flac, jpeg, mp3, opus, put, song, tag, wav};
use segue::{
    catalog::{Account, Catalog, Listener, Roles, SearchWindows, TrackOrder},
    music::{Album, Item, Track, Window},
    server::scan::{ScanMode, ScanReport, Scanner, cover},
};
use tempfile::TempDir;

struct Library {
    folder: TempDir,
    catalog: Catalog,
    me: Listener,
}

impl Library {
    async fn new() -> Self {
        let catalog = database::in_memory().await;
        let me = catalog.listener(&"me".into());
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("music")).unwrap();
        Self { folder, catalog, me }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("music")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn scanner(&self) -> Scanner {
        Scanner::new(self.catalog.clone(), vec![self.root()])
    }

    async fn scan(&self) -> ScanReport {
        self.scanner().scan(ScanMode::Changes).await.unwrap()
    }

    async fn tracks(&self) -> Vec<Track> {
        self.me.tracks_by(TrackOrder::Title, Window::ALL).await.unwrap()
    }

    async fn track(&self, title: &str) -> Track {
        let found = self.tracks().await.into_iter().find(|t| t.title == title);
        found.unwrap_or_else(|| panic!("no track {title}"))
    }

    async fn albums(&self) -> Vec<Album> {
        self.me.albums(&segue::catalog::AlbumList::ByName, Window::ALL).await.unwrap()
    }
}

/// Added, changed, removed, moved, failed.
fn counts(report: &ScanReport) -> (u64, u64, u64, u64, usize) {
    (report.added, report.changed, report.removed, report.moved, report.failed.len())
}

#[tokio::test]
async fn every_format_arrives_with_its_tags() {
    let library = Library::new().await;
    let files: [(&str, Vec<u8>, u64); 6] = [
        ("one.wav", wav(44_100, 1), 1000),
        ("two.flac", flac(44_100, 1), 1000),
        ("three.mp3", mp3(100), 2612),
        ("four.opus", opus(50), 994),
        ("five.aif", aiff(44_100), 1000),
        ("six.aac", aac(100), 2321),
    ];
    for (n, (name, bytes, _)) in files.iter().enumerate() {
        let path = library.path("Album").join(name);
        put(&path, bytes);
        tag(
            &path,
            &[
                (ItemKey::TrackTitle, name),
                (ItemKey::TrackArtist, "Björk"),
                (ItemKey::AlbumArtist, "Björk"),
                (ItemKey::AlbumTitle, "Formats"),
                (ItemKey::TrackNumber, &(n + 1).to_string()),
                (ItemKey::Genre, "Electronic"),
            ],
            None,
        );
    }
    let report = library.scan().await;
    assert_eq!(counts(&report), (6, 0, 0, 0, 0), "{:?}", report.failed);
    for (n, (name, _, duration)) in files.iter().enumerate() {
        let track = library.track(name).await;
        assert_eq!((track.artist.as_str(), track.album.as_str()), ("Björk", "Formats"), "{name}");
        assert_eq!(track.number, Some(u32::try_from(n).unwrap() + 1), "{name}");
        assert_eq!(track.genres, ["Electronic"], "{name}");
        assert!(track.duration_ms.abs_diff(*duration) <= 30, "{name}: {} ms", track.duration_ms);
        assert_eq!(track.size, fs::metadata(library.path("Album").join(name)).unwrap().len());
        assert_eq!(library.catalog.file_of(&track.id).await.unwrap(), Some(library.path("Album").join(name)));
        let suffix = name.rsplit('.').next().unwrap().replace("aif", "aiff");
        assert_eq!(track.suffix, suffix);
    }
    let albums = library.albums().await;
    assert_eq!((albums.len(), albums[0].track_count, albums[0].genres.len()), (1, 6, 1));
    assert_eq!(library.me.artists(Window::ALL).await.unwrap()[0].album_count, 1);
    let hits = library.me.search("bjo form", SearchWindows::first(9)).await.unwrap();
    assert_eq!((hits.tracks.len(), hits.albums.len()), (6, 1));
}

#[tokio::test]
async fn rich_tags_are_understood() {
    let library = Library::new().await;
    let path = library.path("a/song.flac");
    put(&path, &flac(4410, 1));
    let items = [
        (ItemKey::TrackTitle, "Duet"),
        (ItemKey::TrackArtist, "A feat. B"),
        (ItemKey::TrackArtists, "A"),
        (ItemKey::TrackArtists, "B"),
        (ItemKey::AlbumArtist, "The A"),
        (ItemKey::AlbumArtistSortOrder, "A, The"),
        (ItemKey::AlbumTitle, "Album"),
        (ItemKey::DiscNumber, "2"),
        (ItemKey::TrackNumber, "7"),
        (ItemKey::RecordingDate, "1999-05-04"),
        (ItemKey::Genre, "Rock; Pop"),
        (ItemKey::Genre, "Jazz"),
        (ItemKey::ReplayGainTrackGain, "-7.50 dB"),
        (ItemKey::ReplayGainTrackPeak, "0.5"),
        (ItemKey::ReplayGainAlbumGain, "nonsense"),
        (ItemKey::MusicBrainzRecordingId, "rec"),
        (ItemKey::MusicBrainzReleaseId, "rel"),
        (ItemKey::MusicBrainzArtistId, "mb-a"),
        (ItemKey::MusicBrainzArtistId, "mb-b"),
    ];
    tag(&path, &items, None);
    let quiet = library.path("a/quiet.opus");
    put(&quiet, &opus(50));
    tag(&quiet, &[(ItemKey::TrackTitle, "Quiet"), (ItemKey::R128TrackGain, "-512")], None);
    library.scan().await;
    let track = library.track("Duet").await;
    assert_eq!(track.artist, "A feat. B");
    assert_eq!(track.artists.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!((track.disc, track.number, track.year), (Some(2), Some(7), Some(1999)));
    assert_eq!(track.genres, ["Rock", "Pop", "Jazz"]);
    assert_eq!(track.replay_gain.track_gain, Some(-7.5));
    assert_eq!((track.replay_gain.track_peak, track.replay_gain.album_gain), (Some(0.5), None));
    assert_eq!(track.musicbrainz_id.as_deref(), Some("rec"));
    let second = library.me.artist(&track.artists[1].id).await.unwrap().unwrap();
    assert_eq!(second.musicbrainz_id.as_deref(), Some("mb-b"));
    let album = library.me.album(&track.album_id.unwrap()).await.unwrap().unwrap();
    assert_eq!((album.artist.as_str(), album.musicbrainz_id.as_deref()), ("The A", Some("rel")));
    let artist = library.me.artist(&album.artists[0].id).await.unwrap().unwrap();
    assert_eq!(artist.sort_name, "A, The");
    // -512 is -2 dB to -23 LUFS, and so +3 dB to -18.
    assert_eq!(library.track("Quiet").await.replay_gain.track_gain, Some(3.0));
}

#[tokio::test]
async fn what_did_not_change_is_not_opened() {
    let library = Library::new().await;
    let path = library.path("x/a.flac");
    song(&path, "Before", "A", "X", 1);
    library.scan().await;
    // Other content of the same size and time: a scanner that opened it would see it.
    let before = fs::metadata(&path).unwrap();
    song(&path, "Beyond", "A", "X", 1);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), before.len());
    let report = library.scan().await;
    assert_eq!((report.seen, counts(&report)), (1, (0, 0, 0, 0, 0)));
    assert_eq!(library.tracks().await[0].title, "Before");
    let all = library.scanner().scan(ScanMode::Everything).await.unwrap();
    assert_eq!(all.changed, 1);
    assert_eq!(library.tracks().await[0].title, "Beyond");
}

#[tokio::test]
async fn a_track_keeps_its_id_when_it_is_retagged_or_moved() {
    let library = Library::new().await;
    song(&library.path("x/a.flac"), "Song", "A", "X", 1);
    song(&library.path("x/b.flac"), "Other", "A", "X", 2);
    library.scan().await;
    let track = library.track("Song").await;
    library.me.set_star(&Item::Track(track.id.clone()), Some(5)).await.unwrap();

    song(&library.path("x/a.flac"), "A longer title", "B", "Y", 1);
    let report = library.scan().await;
    assert_eq!(counts(&report), (0, 1, 0, 0, 0));
    let retagged = library.track("A longer title").await;
    assert_eq!((&retagged.id, retagged.added_at), (&track.id, track.added_at));
    assert_eq!(retagged.marks.starred_at, Some(5));
    let albums = library.albums().await;
    let sizes: Vec<_> = albums.iter().map(|a| (a.title.as_str(), a.track_count)).collect();
    assert_eq!(sizes, [("X", 1), ("Y", 1)]);

    fs::create_dir_all(library.path("deep/er")).unwrap();
    fs::rename(library.path("x/a.flac"), library.path("deep/er/z.flac")).unwrap();
    let report = library.scan().await;
    assert_eq!(counts(&report), (0, 0, 0, 1, 0));
    assert_eq!(library.track("A longer title").await.id, track.id);
    let file = library.catalog.file_of(&track.id).await.unwrap();
    assert_eq!(file, Some(library.path("deep/er/z.flac")));

    fs::remove_file(library.path("deep/er/z.flac")).unwrap();
    let report = library.scan().await;
    assert_eq!(counts(&report), (0, 0, 1, 0, 0));
    assert_eq!(library.tracks().await.len(), 1);
    assert_eq!(library.albums().await.len(), 1, "an empty album goes with its last track");
}

#[tokio::test]
async fn broken_files_are_reported_skipped_and_tried_again() {
    let library = Library::new().await;
    song(&library.path("ok.flac"), "Fine", "A", "X", 1);
    put(&library.path("empty.mp3"), b"");
    put(&library.path("text.ogg"), b"This is a letter to my bank. ".repeat(40).as_slice());
    put(&library.path("cut.flac"), &flac(44_100, 1)[..30]);
    put(&library.path("silent.wav"), &wav(0, 1));
    put(&library.path(".hidden.mp3"), b"nothing");
    fs::copy(library.path("ok.flac"), library.path("really flac.mp3")).unwrap();
    let report = library.scan().await;
    let mut failed: Vec<_> = report.failed.iter().map(|(p, _)| p.file_name().unwrap().to_owned()).collect();
    failed.sort();
    assert_eq!(failed, ["cut.flac", "empty.mp3", "silent.wav", "text.ogg"]);
    assert!(report.failed.iter().all(|(_, reason)| !reason.is_empty()));
    assert_eq!(library.catalog.broken_files().await.unwrap().len(), 4);
    let suffixes: Vec<String> = library.tracks().await.into_iter().map(|t| t.suffix).collect();
    assert_eq!(suffixes, ["flac", "flac"], "content decides, not the name");

    let again = library.scan().await;
    assert_eq!(counts(&again), (0, 0, 0, 0, 4), "still listed, though not opened");

    let id = library.track("Fine").await.id;
    let good = fs::read(library.path("ok.flac")).unwrap();
    put(&library.path("ok.flac"), b"oops");
    assert_eq!(library.scan().await.failed.len(), 5);
    put(&library.path("ok.flac"), &good);
    put(&library.path("empty.mp3"), &mp3(50));
    let mended = library.scan().await;
    assert_eq!(mended.failed.len(), 3);
    assert!(library.tracks().await.iter().any(|t| t.id == id), "a mended file is the track that it was");
    assert_eq!(library.track("empty").await.artist, "Unknown Artist");
}

#[tokio::test]
async fn damaged_files_never_stop_a_scan() {
    use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
    let library = Library::new().await;
    let tagged = library.folder.path().join("tagged");
    let mut originals = Vec::new();
    for (name, bytes) in [
        ("a.flac", flac(4410, 1)),
        ("a.mp3", mp3(20)),
        ("a.opus", opus(10)),
        ("a.wav", wav(4410, 1)),
        ("a.aif", aiff(4410)),
    ] {
        let path = tagged.join(name);
        put(&path, &bytes);
        tag(&path, &[(ItemKey::TrackTitle, "Damaged"), (ItemKey::TrackArtist, "A")], Some(&jpeg(1)));
        originals.push((name, fs::read(&path).unwrap()));
    }
    let mut runner = TestRunner::deterministic();
    for round in 0..60 {
        for (name, bytes) in &originals {
            let damage = (0..bytes.len().min(600), any::<u8>(), 0..bytes.len(), any::<bool>());
            let hits = proptest::collection::vec(damage, 1..8).new_tree(&mut runner).unwrap().current();
            let mut bytes = bytes.clone();
            for (at, value, length, cut) in hits {
                if at < bytes.len() {
                    bytes[at] = value;
                }
                if cut && round % 3 == 0 {
                    bytes.truncate(length);
                }
            }
            put(&library.path(&format!("{round}/{name}")), &bytes);
        }
    }
    let report = library.scan().await;
    assert_eq!(report.seen, 300);
    assert_eq!(report.added + report.failed.len() as u64, 300);
    assert_eq!(library.tracks().await.len() as u64, report.added);
}

#[cfg(unix)]
#[tokio::test]
async fn names_that_are_not_utf8_and_links_in_circles() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, os::unix::fs::symlink};
    let library = Library::new().await;
    let odd = library.root().join(OsStr::from_bytes(b"caf\xe9 \\x41.flac"));
    let plain = library.path("plain.flac");
    song(&plain, "Odd", "A", "X", 1);
    fs::rename(&plain, &odd).unwrap();
    song(&library.path("real/song.flac"), "Real", "A", "X", 2);
    song(&library.folder.path().join("elsewhere/far.flac"), "Far", "A", "X", 3);
    symlink(library.root(), library.path("real/loop")).unwrap();
    symlink("real", library.path("a second way")).unwrap();
    symlink("nowhere", library.path("dangling.mp3")).unwrap();
    symlink(library.folder.path().join("elsewhere"), library.path("far")).unwrap();
    let report = library.scan().await;
    assert_eq!(counts(&report), (3, 0, 0, 0, 0), "{:?}", report.failed);
    let id = library.track("Odd").await.id;
    assert_eq!(library.catalog.file_of(&id).await.unwrap(), Some(odd));
    let real = library.track("Real").await.id;
    assert_eq!(library.catalog.file_of(&real).await.unwrap(), Some(library.path("real/song.flac")));
    assert_eq!(counts(&library.scan().await), (0, 0, 0, 0, 0));
}

#[tokio::test]
async fn a_root_that_is_not_mounted_keeps_its_tracks() {
    let library = Library::new().await;
    let second = library.folder.path().join("second");
    song(&library.path("a.flac"), "One", "A", "X", 1);
    song(&second.join("b.flac"), "Two", "A", "X", 2);
    let both = Scanner::new(library.catalog.clone(), vec![library.root(), second.clone()]);
    assert_eq!(both.scan(ScanMode::Changes).await.unwrap().added, 2);

    let away = library.folder.path().join("away");
    fs::rename(&second, &away).unwrap();
    for empty in [false, true] {
        if empty {
            fs::create_dir(&second).unwrap();
        }
        let report = both.scan(ScanMode::Changes).await.unwrap();
        assert_eq!(counts(&report), (0, 0, 0, 0, 0));
        assert_eq!(report.refused[0].0, second);
        assert_eq!(library.tracks().await.len(), 2);
    }
    fs::remove_dir(&second).unwrap();
    fs::rename(&away, &second).unwrap();
    let report = both.scan(ScanMode::Changes).await.unwrap();
    assert_eq!((counts(&report), report.refused.len()), ((0, 0, 0, 0, 0), 0));

    let report = library.scan().await;
    assert_eq!(counts(&report), (0, 0, 1, 0, 0), "a root that is no longer named goes");
    assert!(both.status().last_scan.is_some());
}

#[tokio::test]
async fn covers_are_found_shared_and_read_back() {
    let library = Library::new().await;
    let (front, folder, newer) = (jpeg(1), jpeg(2), jpeg(3));
    for n in 1..=3 {
        song(&library.path(&format!("x/{n}.flac")), &format!("Track {n}"), "A", "X", n);
    }
    let items = [(ItemKey::TrackTitle, "Embedded"), (ItemKey::AlbumTitle, "X"), (ItemKey::AlbumArtist, "A")];
    tag(&library.path("x/1.flac"), &items, Some(&front));
    put(&library.path("x/Folder.JPG"), &folder);
    put(&library.path("x/unrelated.jpg"), &jpeg(9));
    song(&library.path("y/CD 1/1.flac"), "Disc", "A", "Y", 1);
    put(&library.path("y/cover.jpg"), &folder);
    library.scan().await;
    let bytes = async |track: &Track| {
        let id = track.cover.clone().unwrap();
        cover(&library.catalog, &id).await.unwrap().unwrap().bytes
    };
    let embedded = library.track("Embedded").await;
    let plain = library.track("Track 2").await;
    assert_eq!(bytes(&embedded).await, front);
    assert_eq!(bytes(&plain).await, folder);
    assert_eq!(plain.cover, library.track("Track 3").await.cover);
    assert_eq!(
        plain.cover,
        library.track("Disc").await.cover,
        "same bytes, same id; above a disc's folder too"
    );
    assert_eq!(library.albums().await[0].cover, plain.cover);
    let read = cover(&library.catalog, &plain.cover.clone().unwrap()).await.unwrap().unwrap();
    assert_eq!(read.mime, "image/jpeg");
    assert_eq!(cover(&library.catalog, &"nope".into()).await.unwrap(), None);

    put(&library.path("x/Folder.JPG"), &newer);
    put(&library.path("x/cover.png"), &newer);
    let report = library.scan().await;
    assert_eq!((report.added, report.changed), (0, 2), "only those that show the folder's picture");
    assert_eq!(bytes(&library.track("Track 2").await).await, newer);
    assert_eq!(library.track("Embedded").await.cover, embedded.cover);
    assert_eq!(bytes(&library.track("Disc").await).await, folder, "the other copy is still there");
    fs::remove_file(library.path("x/Folder.JPG")).unwrap();
    fs::remove_file(library.path("x/cover.png")).unwrap();
    library.scan().await;
    assert_eq!(library.track("Track 2").await.cover, None);
    assert_eq!(library.albums().await[0].cover, embedded.cover);
}

#[tokio::test]
async fn albums_without_album_artists_belong_to_their_folder() {
    let library = Library::new().await;
    for (n, artist) in ["A", "B", "B"].iter().enumerate() {
        for (folder, album) in [("mixed/CD1", "Mixed"), ("mixed/cd 2", "Mixed"), ("flagged", "Flagged")] {
            let path = library.path(&format!("{folder}/{n}.flac"));
            put(&path, &flac(4410, u32::try_from(n).unwrap()));
            let title = format!("{album} {folder} {n}");
            let mut items = vec![
                (ItemKey::TrackTitle, title.as_str()),
                (ItemKey::TrackArtist, artist),
                (ItemKey::AlbumTitle, album),
            ];
            if folder == "flagged" {
                items.push((ItemKey::FlagCompilation, "1"));
            }
            tag(&path, &items, None);
        }
    }
    put(&library.path("loose/01 nothing.mp3"), &mp3(20));
    put(&library.path("loose/02 nothing.mp3"), &mp3(21));
    library.scan().await;
    let albums = library.albums().await;
    let shown: Vec<_> =
        albums.iter().map(|a| (a.title.as_str(), a.artist.as_str(), a.track_count, a.compilation)).collect();
    assert_eq!(
        shown,
        [
            ("Flagged", "Various Artists", 3, true),
            ("loose", "Unknown Artist", 2, false),
            ("Mixed", "Various Artists", 6, true),
        ]
    );
    let again = database::in_memory().await;
    Scanner::new(again.clone(), vec![library.root()]).scan(ScanMode::Changes).await.unwrap();
    let other = again.listener(&"me".into()).albums(&segue::catalog::AlbumList::ByName, Window::ALL).await;
    let ids = |albums: &[Album]| albums.iter().map(|a| a.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&other.unwrap()), ids(&albums), "album ids follow from the files");
}

#[tokio::test]
async fn an_album_grows_over_many_steps_and_scans() {
    let library = Library::new().await;
    for n in 1..=70 {
        song(&library.path(&format!("big/{n:02}.flac")), &format!("Track {n}"), "A", "Big", n);
    }
    library.scan().await;
    assert_eq!(library.albums().await[0].track_count, 70);
    song(&library.path("big/71.flac"), "Track 71", "A", "Big", 71);
    fs::remove_file(library.path("big/01.flac")).unwrap();
    fs::remove_file(library.path("big/02.flac")).unwrap();
    let scope = ScanMode::Folders(vec![library.path("big")]);
    let report = library.scanner().scan(scope).await.unwrap();
    assert_eq!(counts(&report), (1, 0, 2, 0, 0));
    let album = &library.albums().await[0];
    assert_eq!((album.track_count, album.duration_ms), (69, 69 * 100));
}

#[tokio::test]
async fn a_watched_folder_is_scanned_when_it_changes() {
    let library = Library::new().await;
    let scanner = Arc::new(library.scanner());
    let cancel = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(Arc::clone(&scanner).watch(cancel.clone()));
    let until = async |wanted: usize| {
        let give_up = SystemTime::now() + Duration::from_mins(1);
        while library.tracks().await.len() != wanted {
            assert!(SystemTime::now() < give_up, "the change was not seen");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    // The watch may need a moment to begin: write until it is seen.
    let path: &Path = &library.path("new/a.flac");
    let writer = async {
        loop {
            song(path, "New", "A", "X", 1);
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
    };
    tokio::select! {
        () = until(1) => {}
        () = writer => {}
    }
    fs::remove_file(path).unwrap();
    until(0).await;
    cancel.cancel();
    task.await.unwrap();
}

/// An `ID3v2.4` frame.
fn frame(id: &str, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap();
    let mut out = id.as_bytes().to_vec();
    out.extend([21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f));
    out.extend([0, 0]);
    out.extend(body);
    out
}

/// A tag of `ID3v2` of a minor version before a little MP3.
fn id3(version: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let body = frames.concat();
    let size = u32::try_from(body.len()).unwrap();
    let mut out = vec![b'I', b'D', b'3', version, 0, 0];
    out.extend([21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f));
    out.extend(body);
    out.extend(mp3(50));
    out
}

#[tokio::test]
async fn lyrics_in_tags_and_beside_the_music() {
    let library = Library::new().await;
    let sylt = b"\x03eng\x02\x01\0\nHel\0\0\0\x03\xe8lo\0\0\0\x07\xd0\nBye\0\0\0\x0b\xb8";
    let frames =
        [frame("TIT2", b"\x03Synced"), frame("USLT", b"\x03deu\0Hallo\nwieder"), frame("SYLT", sylt)];
    put(&library.path("a/synced.mp3"), &id3(4, &frames));
    let vorbis = library.path("a/vorbis.flac");
    put(&vorbis, &flac(4410, 1));
    tag(&vorbis, &[(ItemKey::TrackTitle, "Vorbis"), (ItemKey::Lyrics, "[00:01.00]One\n[00:02.00]Two")], None);
    song(&library.path("a/beside.flac"), "Beside", "A", "X", 1);
    put(&library.path("a/beside.lrc"), b"[offset:1000]\n[00:05.00][00:02.00]caf\xe9");
    library.scan().await;

    let lyrics = async |title: &str| library.catalog.lyrics(&library.track(title).await.id).await.unwrap();
    let synced = lyrics("Synced").await;
    let lines: Vec<_> =
        synced[0].lines.iter().map(|l| (l.start_ms, l.text.as_str(), l.words.len())).collect();
    assert_eq!(lines, [(Some(1000), "Hello", 2), (Some(3000), "Bye", 0)]);
    assert_eq!((synced[0].lang.as_str(), synced[1].lang.as_str()), ("eng", "deu"));
    assert_eq!((synced[1].synced, synced[1].plain().as_str()), (false, "Hallo\nwieder"));
    assert_eq!(lyrics("Vorbis").await[0].lines[1].start_ms, Some(2000));
    let beside = lyrics("Beside").await;
    let lines: Vec<_> = beside[0].lines.iter().map(|l| (l.start_ms, l.text.as_str())).collect();
    assert_eq!(lines, [(Some(1000), "café"), (Some(4000), "café")]);

    assert_eq!(
        counts(&library.scan().await),
        (0, 0, 0, 0, 0),
        "lyrics that are as they were are not read again"
    );
    put(&library.path("a/beside.lrc"), b"[00:09.00]Other words");
    assert_eq!(counts(&library.scan().await), (0, 1, 0, 0, 0));
    assert_eq!(lyrics("Beside").await[0].lines[0].text, "Other words");
    fs::remove_file(library.path("a/beside.lrc")).unwrap();
    assert_eq!(counts(&library.scan().await), (0, 1, 0, 0, 0));
    assert!(lyrics("Beside").await.is_empty());
}

#[tokio::test]
async fn rules_among_the_music_become_smart_playlists() {
    let library = Library::new().await;
    song(&library.path("a/one.flac"), "One", "A", "Album", 1);
    song(&library.path("a/two.flac"), "Two", "B", "Album", 2);
    put(&library.path("lists/By A.nsp"), br#"{"all": [{"is": {"artist": "a"}}], "sort": "mood"}"#);
    let early = library.scan().await;
    assert!(early.failed[0].1.contains("no administrator"), "{:?}", early.failed);
    let admin = Account {
        id: "boss".into(),
        name: "boss".into(),
        password_hash: String::new(),
        admin: true,
        roles: Roles::ALL,
        created_at: 0,
        folders: None,
        max_bit_rate: 0,
        erase_at: None,
    };
    library.catalog.add_account(&admin).await.unwrap();
    put(&library.path("lists/broken.nsp"), br#"{"all": [{"is": {"filepath": "x"}}]}"#);
    let report = library.scan().await;
    assert_eq!((report.smart, report.failed.len()), (1, 1));
    assert!(report.remarks[0].1.contains("mood") && report.failed[0].1.contains("filepath"));
    let lists = library.me.playlists().await.unwrap();
    assert_eq!((lists.len(), lists[0].name.as_str(), lists[0].smart), (1, "By A", true), "everybody sees it");
    let (_, tracks) = library.me.playlist(&lists[0].id).await.unwrap().unwrap();
    assert_eq!(tracks.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), ["One"]);
    let again = library.scan().await;
    assert_eq!((again.smart, again.failed.len()), (0, 1), "what is as it was is not read again");
    put(
        &library.path("lists/By A.nsp"),
        br#"{"name": "Both", "any": [{"is": {"artist": "A"}}, {"is": {"title": "two"}}]}"#,
    );
    assert_eq!(library.scan().await.smart, 1);
    let both = library.me.playlists().await.unwrap();
    assert_eq!(
        (both[0].id.clone(), both[0].name.as_str(), both[0].track_count),
        (lists[0].id.clone(), "Both", 2)
    );
    fs::remove_file(library.path("lists/By A.nsp")).unwrap();
    library.scan().await;
    assert!(library.me.playlists().await.unwrap().is_empty());
}
