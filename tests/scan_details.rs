//! What tags say in each format, from the file through the server's catalog and the wire to the player's catalog.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod client_house;
#[path = "common/database.rs"]
mod database;
#[path = "common/plenty.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod plenty;
#[path = "common/shelves.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod shelves;

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use client_house::media::{self, mp3, put};
use client_house::{House, Player};
use segue::catalog::{AlbumList, Catalog, TrackOrder};
use segue::music::{Album, AlbumDetails, Explicit, Track, TrackDetails, Window};
use segue::server::scan::{ScanMode, ScanReport, Scanner, SplitRules};

const RICH: &[(&str, &str)] = &[
    ("TITLE", "Cheek to Cheek"),
    ("TITLESORT", "Cheek to Cheek, The"),
    ("ARTIST", "Ella Fitzgerald"),
    ("ARTIST", "Louis Armstrong"),
    ("ALBUM", "Ella and Louis"),
    ("ALBUMARTIST", "Ella Fitzgerald & Louis Armstrong"),
    ("TRACKNUMBER", "4"),
    ("DISCNUMBER", "2"),
    ("DISCSUBTITLE", "Again"),
    ("DATE", "1997-03-25"),
    ("ORIGINALDATE", "1956-10"),
    ("RELEASEDATE", "1997-04-01"),
    ("GENRE", "Jazz"),
    ("GENRE", "Swing"),
    ("MOOD", "warm"),
    ("COMPOSER", "Irving Berlin"),
    ("CONDUCTOR", "Buddy Bregman"),
    ("PERFORMER", "Oscar Peterson (piano)"),
    ("LABEL", "Verve"),
    ("RELEASETYPE", "album;live"),
    ("ALBUMVERSION", "remastered"),
    ("ITUNESADVISORY", "2"),
    ("BPM", "118.6"),
    ("COMMENT", "From tape"),
    ("ISRC", "USPR35601234"),
    ("WORK", "Top Hat"),
    ("MOVEMENTNAME", "Allegro"),
    ("MOVEMENT", "2/5"),
    ("GROUPING", "evening"),
];

fn check(track: &Track, name: &str) {
    let names =
        |artists: &[segue::music::ArtistRef]| artists.iter().map(|a| a.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&track.artists), ["Ella Fitzgerald", "Louis Armstrong"], "{name}");
    assert_eq!(track.artist, "Ella Fitzgerald, Louis Armstrong", "{name}");
    assert_eq!(track.genres, ["Jazz", "Swing"], "{name}");
    assert_eq!((track.disc, track.number, track.year), (Some(2), Some(4), Some(1997)), "{name}");
    let d = &track.details;
    assert_eq!(d.sort_title.as_deref(), Some("Cheek to Cheek, The"), "{name}");
    assert_eq!(names(&d.album_artists), ["Ella Fitzgerald & Louis Armstrong"], "{name}");
    let credits: Vec<_> =
        d.credits.iter().map(|c| (c.role.as_str(), c.artist.name.as_str(), c.detail.as_deref())).collect();
    assert_eq!(
        credits,
        [
            ("composer", "Irving Berlin", None),
            ("conductor", "Buddy Bregman", None),
            ("performer", "Oscar Peterson", Some("piano")),
        ],
        "{name}"
    );
    assert_eq!(d.line("composer"), "Irving Berlin");
    assert_eq!((d.moods[0].as_str(), d.groupings[0].as_str()), ("warm", "evening"), "{name}");
    assert_eq!((d.isrcs[0].as_str(), d.works[0].name.as_str()), ("USPR35601234", "Top Hat"), "{name}");
    let movement = &d.movements[0];
    assert_eq!(
        (movement.name.as_str(), movement.number, movement.count),
        ("Allegro", Some(2), Some(5)),
        "{name}"
    );
    assert_eq!((d.bpm, d.comment.as_deref()), (Some(119), Some("From tape")), "{name}");
    assert_eq!(d.explicit, Some(Explicit::Clean), "{name}");
}

async fn scan(catalog: &Catalog, music: &Path) -> ScanReport {
    Scanner::new(catalog.clone(), vec![music.to_owned()]).scan(ScanMode::Changes).await.unwrap()
}

async fn tracks(catalog: &Catalog) -> Vec<Track> {
    catalog.listener(&"me".into()).tracks_by(TrackOrder::Title, Window::ALL).await.unwrap()
}

async fn albums(catalog: &Catalog) -> Vec<Album> {
    catalog.listener(&"me".into()).albums(&AlbumList::ByName, Window::ALL).await.unwrap()
}

#[tokio::test]
async fn every_format_says_the_same() {
    for (suffix, version) in
        [("mp3", 3), ("mp3", 4), ("flac", 0), ("opus", 0), ("m4a", 0), ("wav", 4), ("aiff", 4)]
    {
        let name = format!("{suffix} {version}");
        let folder = tempfile::tempdir().unwrap();
        put(&folder.path().join(format!("a.{suffix}")), &shelves::one(suffix, version, RICH));
        let catalog = database::in_memory().await;
        let report = scan(&catalog, folder.path()).await;
        assert_eq!(report.added, 1, "{name}: {:?}", report.failed);
        let track = tracks(&catalog).await.remove(0);
        check(&track, &name);
        assert_eq!(track.details.original_date.as_deref(), Some("1956-10"), "{name}");
        let album = albums(&catalog).await.remove(0);
        let expected = AlbumDetails {
            version: Some("remastered".into()),
            labels: vec!["Verve".into()],
            release_types: vec!["album".into(), "live".into()],
            moods: vec!["warm".into()],
            original_date: Some("1956-10".into()),
            release_date: Some("1997-04-01".into()),
            explicit: Some(Explicit::Clean),
            disc_titles: vec![segue::music::DiscTitle { disc: 2, title: "Again".into() }],
            ..AlbumDetails::default()
        };
        assert_eq!(album.details, expected, "{name}");
        let berlin = &track.details.credits[0].artist.id;
        let me = catalog.listener(&"me".into());
        assert_eq!(me.artist(berlin).await.unwrap().unwrap().roles, ["composer"], "{name}");
        assert_eq!(
            me.albums_of(berlin).await.unwrap().len(),
            1,
            "what somebody composed is found under the name"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn details_reach_the_player() {
    let house = House::open(&[("Plain", "A", "X")]).await;
    put(&house.music().join("rich/a.flac"), &shelves::one("flac", 0, RICH));
    house.scan().await;
    let player = Player::start(house.client()).await;
    player.synced().await;
    player.session.sync_now();
    client_house::eventually("both are here", || async { tracks(&player.catalog).await.len() == 2 }).await;
    let here = tracks(&player.catalog).await;
    let there = tracks(&house.catalog().await).await;
    for (here, there) in here.iter().zip(&there) {
        // What the wire does not carry for songs.
        let sent = TrackDetails { original_date: None, disc_title: None, ..there.details.clone() };
        assert_eq!(here.details, sent);
        assert_eq!((&here.artists, &here.genres), (&there.artists, &there.genres));
    }
    check(here.iter().find(|t| t.album == "Ella and Louis").unwrap(), "the player");
    let (here, there) = (albums(&player.catalog).await, albums(&house.catalog().await).await);
    assert_eq!(
        here.iter().map(|a| &a.details).collect::<Vec<_>>(),
        there.iter().map(|a| &a.details).collect::<Vec<_>>()
    );
    let id = there.iter().find(|a| a.title == "Ella and Louis").unwrap().id.clone();
    let url = format!("http://{}/rest/getAlbum?apiKey={}&v=1.16.1&c=test&id={id}", house.addr, house.key);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let xml = http.get(&url).send().await.unwrap().text().await.unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let find =
        |name: &str| document.descendants().find(|n| n.has_tag_name(("http://subsonic.org/restapi", name)));
    let album = find("album").unwrap();
    assert_eq!(album.attribute("explicitStatus"), Some("clean"));
    assert_eq!(find("recordLabels").unwrap().attribute("name"), Some("Verve"));
    assert_eq!(find("discTitles").unwrap().attribute("title"), Some("Again"));
    assert_eq!(find("originalReleaseDate").unwrap().attribute("month"), Some("10"));
    assert_eq!(find("releaseTypes").unwrap().text(), Some("album"));
    let performer = document.descendants().find(|n| n.attribute("role") == Some("performer")).unwrap();
    assert_eq!(performer.attribute("subRole"), Some("piano"));
    assert_eq!(performer.first_element_child().unwrap().attribute("name"), Some("Oscar Peterson"));
    assert_eq!(find("song").unwrap().attribute("displayComposer"), Some("Irving Berlin"));
    player.session.shutdown().await;
}

/// A tag of `ID3v2` before a little MP3.
fn id3(version: u8, frames: &[(&str, &[u8])]) -> Vec<u8> {
    let synchsafe = |size: usize| [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f);
    let mut body = Vec::new();
    for (id, content) in frames {
        body.extend(id.as_bytes());
        if version == 4 {
            body.extend(synchsafe(content.len()));
        } else {
            body.extend((content.len() as u32).to_be_bytes());
        }
        body.extend([0, 0]);
        body.extend(*content);
    }
    let mut out = vec![b'I', b'D', b'3', version, 0, 0];
    out.extend(synchsafe(body.len()));
    out.extend(body);
    out.extend(mp3(50));
    out
}

#[tokio::test]
async fn id3_has_its_own_ways() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| put(&folder.path().join(name), bytes);
    put(
        "a.mp3",
        &id3(
            3,
            &[
                ("TIT2", b"\0Old"),
                ("TPE1", b"\0AC/DC"),
                ("TYER", b"\0soon"),
                ("TCON", b"\0(17)(8)"),
                ("IPLS", b"\0producer\0Mutt Lange\0guitar\0Angus Young\0"),
            ],
        ),
    );
    put(
        "b.mp3",
        &id3(
            4,
            &[
                ("TIT2", b"\x03New"),
                ("TPE1", b"\x03One\0Two/Three"),
                ("TDRC", b"\x03soon"),
                ("TIPL", b"\x03mix\0Ann\0DJ-mix\0Bob\0"),
                ("TMCL", b"\x03viola\0Cleo\0"),
                ("TXXX", b"\x03ARTISTS\0One\0Two\0Three"),
            ],
        ),
    );
    let catalog = database::in_memory().await;
    let report = scan(&catalog, folder.path()).await;
    assert_eq!(report.failed, [], "a date that is none costs the date alone");
    let tracks = tracks(&catalog).await;
    let (new, old) = (&tracks[0], &tracks[1]);
    let names = |t: &Track| t.artists.iter().map(|a| a.name.clone()).collect::<Vec<_>>();
    let credits = |t: &Track| {
        t.details
            .credits
            .iter()
            .map(|c| format!("{} {} {}", c.role, c.artist.name, c.detail.as_deref().unwrap_or("-")))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names(old), old.year, old.genres.as_slice()),
        (vec!["AC/DC".to_owned()], None, ["Rock".to_owned(), "Jazz".to_owned()].as_slice())
    );
    assert_eq!(credits(old), ["performer Angus Young guitar", "producer Mutt Lange -"]);
    assert_eq!(new.artist, "One, Two/Three", "the line to read stays");
    assert_eq!(names(new), ["One", "Two", "Three"], "the list of artists comes first");
    assert_eq!(credits(new), ["djmixer Bob -", "mixer Ann -", "performer Cleo viola"]);
}

/// An APE tag of version 2.
fn ape(items: &[(&str, &str)]) -> Vec<u8> {
    let body: Vec<u8> = items
        .iter()
        .flat_map(|(key, value)| {
            let mut item = (value.len() as u32).to_le_bytes().to_vec();
            item.extend(0_u32.to_le_bytes());
            item.extend(key.as_bytes());
            item.push(0);
            item.extend(value.as_bytes());
            item
        })
        .collect();
    let mut out = body.clone();
    out.extend(b"APETAGEX");
    out.extend(2000_u32.to_le_bytes());
    out.extend((body.len() as u32 + 32).to_le_bytes());
    out.extend((items.len() as u32).to_le_bytes());
    out.extend([0; 12]);
    out
}

#[tokio::test]
async fn ape_tags_are_read_in_mp3_and_wavpack() {
    let folder = tempfile::tempdir().unwrap();
    let items = [
        ("Title", "Tagged"),
        ("Artist", "One\0Two"),
        ("Album Artist", "One"),
        ("MixArtist", "Remi"),
        ("Year", "1999"),
    ];
    let mut bytes = mp3(50);
    bytes.extend(ape(&items));
    put(&folder.path().join("a.mp3"), &bytes);
    // One block of WavPack: 44.1 kHz, mono, 16 bit, a second long, with its sound left out.
    let mut block = b"wvpk".to_vec();
    block.extend(24_u32.to_le_bytes());
    block.extend(0x410_u16.to_le_bytes());
    block.extend([0, 0]);
    block.extend(44_100_u32.to_le_bytes());
    block.extend(0_u32.to_le_bytes());
    block.extend(44_100_u32.to_le_bytes());
    block.extend((0x1805_u32 | 9 << 23).to_le_bytes());
    block.extend(0_u32.to_le_bytes());
    block.extend(ape(&items));
    put(&folder.path().join("b.wv"), &block);
    let catalog = database::in_memory().await;
    let report = scan(&catalog, folder.path()).await;
    assert_eq!(report.failed, []);
    let tracks = tracks(&catalog).await;
    assert_eq!(tracks.len(), 2);
    for track in tracks {
        assert_eq!((track.title.as_str(), track.year), ("Tagged", Some(1999)), "{}", track.suffix);
        assert_eq!(track.artists.len(), 2, "{}", track.suffix);
        assert_eq!(track.details.line("remixer"), "Remi");
    }
}

#[tokio::test]
async fn rules_are_the_operators_and_new_rules_read_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    media::song(&folder.path().join("a.flac"), "Song", "Simon & Garfunkel", "X", 1);
    media::song(&folder.path().join("b.flac"), "Other", "Ann & Bob", "X", 2);
    let catalog = database::in_memory().await;
    scan(&catalog, folder.path()).await;
    let before = tracks(&catalog).await;
    assert!(before.iter().all(|t| t.artists.len() == 1));
    let rules = SplitRules {
        artists: vec![" & ".into()],
        whole: vec!["Simon & Garfunkel".into()],
        ..SplitRules::default()
    };
    let scanner = Scanner::new(catalog.clone(), vec![folder.path().to_owned()]).with_rules(&rules);
    assert_eq!(scanner.scan(ScanMode::Changes).await.unwrap().changed, 2);
    let after = tracks(&catalog).await;
    assert_eq!(after.iter().map(|t| t.artists.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(
        after.iter().map(|t| &t.id).collect::<Vec<_>>(),
        before.iter().map(|t| &t.id).collect::<Vec<_>>()
    );
    assert_eq!(scanner.scan(ScanMode::Changes).await.unwrap().changed, 0);
}

#[tokio::test]
async fn a_library_that_an_older_reader_scanned_is_read_once_more() {
    use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
    if database::about_files("changing a database by hand") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    put(
        &music.join("a.mp3"),
        &id3(4, &[("TIT2", b"\x03Sung"), ("USLT", b"\x03eng\0La la"), ("TCOM", b"\x03Ann")]),
    );
    media::song(&music.join("moved.flac"), "Moved", "A", "X", 1);
    let file = folder.path().join("catalog.db");
    let catalog = database::open(&file).await.unwrap();
    scan(&catalog, &music).await;
    let ids: Vec<_> = tracks(&catalog).await.into_iter().map(|t| t.id).collect();
    // As the first scanner left it: no numbers of readers, other digests, no lyrics and nobody but the artists.
    let mut raw = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&file)).await.unwrap();
    for statement in [
        "UPDATE files SET reader = 0, digest = 'of another kind'",
        "DELETE FROM lyrics",
        "DELETE FROM track_artists WHERE role <> 'artist'",
        "UPDATE tracks SET fingerprint = 1",
    ] {
        sqlx::query(statement).execute(&mut raw).await.unwrap();
    }
    raw.close().await.unwrap();
    fs::create_dir(music.join("elsewhere")).unwrap();
    fs::rename(music.join("moved.flac"), music.join("elsewhere/moved.flac")).unwrap();
    let report = scan(&catalog, &music).await;
    assert_eq!((report.changed, report.moved, report.added), (1, 1, 0));
    let after = tracks(&catalog).await;
    assert_eq!(after.iter().map(|t| t.id.clone()).collect::<Vec<_>>(), ids);
    let sung = after.iter().find(|t| t.title == "Sung").unwrap();
    assert_eq!(sung.details.line("composer"), "Ann");
    assert_eq!(catalog.lyrics(&sung.id).await.unwrap()[0].plain(), "La la");
    assert_eq!(scan(&catalog, &music).await.changed, 0);
}

#[tokio::test]
async fn tags_beyond_the_limits_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let huge = |name: &str, id: &str, sizes: &[u32]| {
        let path = folder.path().join(name);
        let total: u32 = sizes.iter().map(|size| size + 10).sum();
        let mut out = vec![b'I', b'D', b'3', 3, 0, 0];
        out.extend([21, 14, 7, 0].map(|shift| (total >> shift) as u8 & 0x7f));
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&out).unwrap();
        for size in sizes {
            file.write_all(id.as_bytes()).unwrap();
            file.write_all(&size.to_be_bytes()).unwrap();
            file.write_all(&[0, 0]).unwrap();
            file.write_all(b"\0image/jpeg\0\x03\0").unwrap();
            // A hole: nothing is written to the disk.
            file.seek(SeekFrom::Current(i64::from(*size) - 14)).unwrap();
        }
        file.write_all(&mp3(50)).unwrap();
    };
    huge("text.mp3", "TIT2", &[100 << 20]);
    huge("many.mp3", "TXXX", &[12 << 20; 8]);
    huge("picture.mp3", "APIC", &[20 << 20]);
    let catalog = database::in_memory().await;
    let report = scan(&catalog, folder.path()).await;
    let mut failed: Vec<_> = report
        .failed
        .iter()
        .map(|(path, why)| format!("{}: {why}", path.file_name().unwrap().to_str().unwrap()))
        .collect();
    failed.sort();
    assert_eq!(
        failed,
        ["many.mp3: its tags are larger than 64 MB", "text.mp3: its tags are larger than 64 MB"],
        "{failed:?}"
    );
    assert_eq!(
        tracks(&catalog).await[0].title,
        "picture",
        "a picture that is too large costs the picture alone"
    );
}

#[tokio::test]
async fn files_that_change_while_they_are_scanned_come_right() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let path = |n: u32| folder.path().join(format!("{n}.flac"));
    for n in 0..30 {
        media::song(&path(n), "first", "A", "X", n);
    }
    let catalog = database::in_memory().await;
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let (writer_stop, root) = (std::sync::Arc::clone(&stop), folder.path().to_owned());
    let writer = std::thread::spawn(move || {
        let mut round = 0;
        while !writer_stop.load(Ordering::Relaxed) {
            round += 1;
            for n in 0..30_u32 {
                let path = root.join(format!("{n}.flac"));
                match round % 3 {
                    0 => drop(fs::remove_file(&path)),
                    _ => media::song(&path, &"title ".repeat(round % 7 + 1), "A", "X", n),
                }
            }
        }
    });
    for _ in 0..4 {
        scan(&catalog, folder.path()).await;
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    for n in 0..30 {
        media::song(&path(n), &format!("last of all {n}"), "A", "X", n + 1);
    }
    let report = scan(&catalog, folder.path()).await;
    assert_eq!(report.failed, []);
    let mut titles: Vec<String> = tracks(&catalog).await.into_iter().map(|t| t.title).collect();
    titles.sort();
    let mut expected: Vec<String> = (0..30).map(|n| format!("last of all {n}")).collect();
    expected.sort();
    assert_eq!(titles, expected);
}

#[tokio::test]
async fn playlists_beside_the_music_are_kept_in_step() {
    use segue::catalog::PlaylistEdit;
    use segue::music::PlaylistId;
    use segue::server::accounts;
    let folder = tempfile::tempdir().unwrap();
    let song = |name: &str| media::song(&folder.path().join(name), name, "A", "X", 1);
    song("a/One.flac");
    song("a/Two.flac");
    let list = folder.path().join("lists/Mine.m3u8");
    put(
        &list,
        b"#EXTM3U\n#PLAYLIST:Sunday\n../a/Two.flac\n../a/One.flac\n../a/Later.flac\nhttp://radio.example/x\n",
    );
    let catalog = database::in_memory().await;
    scan(&catalog, folder.path()).await;
    accounts::add(&catalog, "ann", "a long password", false).await.unwrap();
    assert_eq!(scan(&catalog, folder.path()).await.playlists, 0, "nobody is the owner yet");
    accounts::add(&catalog, "boss", "a long password", true).await.unwrap();
    let report = scan(&catalog, folder.path()).await;
    assert_eq!(report.playlists, 1);
    assert!(report.notes[0].1.contains("1 of its 3 entries"), "{:?}", report.notes);

    let boss = catalog.listener(&catalog.account_named("boss").await.unwrap().unwrap().id);
    let ann = catalog.listener(&catalog.account_named("ann").await.unwrap().unwrap().id);
    assert!(ann.playlists().await.unwrap().is_empty(), "it is the owner's alone");
    let found = boss.playlists().await.unwrap().remove(0);
    assert_eq!((found.name.as_str(), found.owner.as_str()), ("Sunday", "boss"));
    let id: PlaylistId = found.id;
    let titles = async || {
        let tracks = boss.playlist(&id).await.unwrap().map(|(_, tracks)| tracks).unwrap_or_default();
        tracks.into_iter().map(|t| t.title.replace("a/", "").replace(".flac", "")).collect::<Vec<_>>()
    };
    assert_eq!(titles().await, ["Two", "One"]);
    assert_eq!(scan(&catalog, folder.path()).await.playlists, 0, "nothing changed");
    song("a/Later.flac");
    assert_eq!(scan(&catalog, folder.path()).await.playlists, 1);
    assert_eq!(titles().await, ["Two", "One", "Later"]);

    let edit = PlaylistEdit { remove: vec![0], ..PlaylistEdit::default() };
    boss.edit_playlist(&id, &edit).await.unwrap();
    song("a/Another.flac");
    scan(&catalog, folder.path()).await;
    assert_eq!(titles().await, ["One", "Later"], "the owner's edit stays");
    put(&list, b"../a/One.flac\n");
    assert_eq!(scan(&catalog, folder.path()).await.playlists, 1);
    assert_eq!(titles().await, ["One"], "until the file changes");
    assert_eq!(boss.playlists().await.unwrap()[0].name, "Mine");

    fs::remove_file(&list).unwrap();
    scan(&catalog, folder.path()).await;
    assert!(boss.playlists().await.unwrap().is_empty(), "it goes with its file");
    put(&list, b"../a/Two.flac\n");
    scan(&catalog, folder.path()).await;
    boss.delete_playlist(&id).await.unwrap();
    song("a/Third.flac");
    scan(&catalog, folder.path()).await;
    assert!(boss.playlists().await.unwrap().is_empty(), "what the owner deleted stays away");
}
