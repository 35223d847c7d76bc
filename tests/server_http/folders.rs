//! Accounts that may reach some music folders only. Everything in the other folder has “canary” in its name; no answer of any
//! endpoint may sing.

use std::collections::BTreeSet;

use segue::server::{ENDPOINTS, LEFT_OUT, accounts};
use serde_json::{Value, json};

use crate::house::{ANN, House, code, config, song};

const EVE: (&str, &str) = ("eve", "apple");

/// A house with a second music folder; [`EVE`] may reach the first one only, but left traces in both before.
struct Two {
    house: House,
    ann: String,
    eve: String,
    /// Ids of a song, its album, its artist, its picture, and a list that it is in.
    hidden: [String; 5],
    /// The address of a share of both folders, made by [`EVE`].
    share: String,
}

impl Two {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (music, private) = (folder.path().join("music"), folder.path().join("private"));
        song(&music.join("a/1.wav"), "Open Song", "Alpha", "Open Album", 1, 2001, "Rock");
        song(&music.join("a/2.wav"), "Open Two", "Alpha", "Open Album", 2, 2001, "Rock");
        song(&private.join("b/1.wav"), "Canary Song", "Canary Artist", "Canary Album", 1, 2002, "Canary");
        // The artist of both folders.
        song(&private.join("c/1.wav"), "Canary Other", "Alpha", "Canary Second", 1, 2003, "Rock");
        std::fs::write(private.join("b/1.lrc"), "[00:00.01]canary words\n[00:00.05]more of them").unwrap();
        image::RgbImage::from_pixel(40, 40, image::Rgb([9, 99, 199]))
            .save(private.join("b/cover.png"))
            .unwrap();
        let config = segue::server::Config { music: vec![music, private], ..config(&folder) };
        let house = House::start(folder, config).await.with_ann().await;
        house.server.as_ref().unwrap().first_scan().await;
        accounts::add(&house.catalog, EVE.0, EVE.1, false).await.unwrap();
        let (ann, eve) = (house.key_of(ANN.0).await, house.key_of(EVE.0).await);

        let hidden = house.song("Canary Song").await;
        let whole = house.json("getSong", &[("id", &hidden)]).await["song"].take();
        let text = |name: &str| whole[name].as_str().unwrap_or_else(|| panic!("{whole}")).to_owned();
        let open = house.song("Open Song").await;
        let both = [("name", "both"), ("songId", open.as_str()), ("songId", &hidden)];
        let list = ask(&house, &ann, "createPlaylist", &both).await["playlist"]["id"].take();
        let list = list.as_str().unwrap().to_owned();
        let public = [("playlistId", list.as_str()), ("public", "true")];
        assert_eq!(ask(&house, &ann, "updatePlaylist", &public).await["status"], "ok");
        ask(&house, &ann, "scrobble", &[("id", &hidden), ("submission", "false")]).await;

        // What she did while she might.
        let album = text("albumId");
        for (endpoint, params) in [
            ("star", vec![("id", hidden.as_str()), ("albumId", &album)]),
            ("setRating", vec![("id", &hidden), ("rating", "5")]),
            ("scrobble", vec![("id", &hidden)]),
            ("createBookmark", vec![("id", &hidden), ("position", "7"), ("comment", "here")]),
            ("savePlayQueue", vec![("id", &open), ("id", &hidden), ("current", &hidden)]),
            ("createPlaylist", vec![("name", "mine"), ("songId", &hidden)]),
        ] {
            assert_eq!(ask(&house, &eve, endpoint, &params).await["status"], "ok", "{endpoint}");
        }
        let share = ask(&house, &eve, "createShare", &[("id", &open), ("id", &hidden)]).await;
        let share = share["shares"]["share"][0]["url"].as_str().unwrap().to_owned();
        let confined = [("username", EVE.0), ("musicFolderId", "1")];
        assert_eq!(house.json("updateUser", &confined).await["status"], "ok");
        let hidden = [hidden, album, text("artistId"), text("coverArt"), list];
        Self { house, ann, eve, hidden, share }
    }
}

async fn ask(house: &House, key: &str, endpoint: &str, params: &[(&str, &str)]) -> Value {
    let mut all = vec![("apiKey", key)];
    all.extend_from_slice(params);
    house.anybody(endpoint, &all).await
}

/// Endpoints that would change what is asked about; they have questions of their own.
const CHANGES: &[&str] = &["deletePlaylist", "deleteBookmark", "deleteShare", "deleteUser", "changePassword"];

/// Every endpoint asked about every hidden thing: those in whose answers a canary sings, and those that sent its bytes.
async fn singing(two: &Two, key: &str) -> BTreeSet<&'static str> {
    let Two { house, hidden, .. } = two;
    let private = house.folder.path().join("private/b");
    let files =
        [std::fs::read(private.join("1.wav")).unwrap(), std::fs::read(private.join("cover.png")).unwrap()];
    let mut singing = BTreeSet::new();
    for &endpoint in ENDPOINTS.iter().chain(LEFT_OUT).filter(|endpoint| !CHANGES.contains(endpoint)) {
        for id in hidden.iter().map(String::as_str).chain(["2", "1", ""]) {
            let mut params = vec![("apiKey", key), ("f", "json"), ("c", "test")];
            let named =
                ["id", "mediaId", "songId", "albumId", "artistId", "songIdToAdd", "startSongId", "endSongId"];
            params.extend(named.map(|name| (name, id)).into_iter().filter(|(_, id)| !id.is_empty()));
            let more = [
                ("query", "canary"),
                ("any", "canary"),
                ("title", "Canary Song"),
                ("artist", "Canary Artist"),
                ("type", "alphabeticalByName"),
                ("genre", "Canary"),
                ("rating", "3"),
                ("position", "1"),
                ("mediaType", "song"),
                ("positionMs", "1"),
                ("state", "playing"),
                ("name", "mine too"),
                ("size", "500"),
                ("count", "500"),
                ("username", EVE.0),
                ("ignoreScrobble", "true"),
                ("transcodeParams", "mp3-128"),
            ];
            params.extend(
                more.into_iter().filter(|(name, _)| !(endpoint == "getPlaylists" && *name == "username")),
            );
            if endpoint == "getPlaylist" || id.is_empty() {
                params.push(("musicFolderId", "2"));
            }
            let reply = house.http.get(house.url(endpoint, &params)).send().await.unwrap();
            let bytes = reply.bytes().await.unwrap();
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            if text.contains("canary") || files.iter().any(|file| *file == bytes) {
                singing.insert(endpoint);
            }
        }
    }
    singing
}

#[tokio::test]
async fn no_endpoint_tells_of_what_may_not_be_reached() {
    let two = Two::open().await;
    let heard = singing(&two, &two.eve).await;
    assert_eq!(heard, BTreeSet::new(), "what eve may not know");
    // The same questions from who may reach everything, so that silence means something.
    let heard = singing(&two, &two.ann).await;
    for endpoint in [
        "download",
        "getAlbum",
        "getAlbumList",
        "getAlbumList2",
        "getArtist",
        "getArtists",
        "getCoverArt",
        "getGenres",
        "getIndexes",
        "getLyrics",
        "getLyricsBySongId",
        "getMusicDirectory",
        "getNowPlaying",
        "getPlaylist",
        "getRandomSongs",
        "getSong",
        "getSongsByGenre",
        "search",
        "search2",
        "search3",
        "stream",
    ] {
        assert!(heard.contains(endpoint), "{endpoint} was not asked well: {heard:?}");
    }
    two.house.close().await;
}

#[tokio::test]
async fn what_may_not_be_reached_is_not_there() {
    let two = Two::open().await;
    let Two { house, eve, hidden: [song, album, artist, cover, list], .. } = &two;
    let about = |name: &'static str, id: &str| (name, id.to_owned());
    for (endpoint, (name, id), more) in [
        ("getSong", about("id", song), vec![]),
        ("getAlbum", about("id", album), vec![]),
        ("getArtist", about("id", artist), vec![]),
        ("getMusicDirectory", about("id", album), vec![]),
        ("getMusicDirectory", about("id", "2"), vec![]),
        ("getCoverArt", about("id", cover), vec![]),
        ("getCoverArt", about("id", cover), vec![("size", "20")]),
        ("getCoverArt", about("id", song), vec![]),
        ("stream", about("id", song), vec![]),
        ("download", about("id", song), vec![]),
        ("getLyricsBySongId", about("id", song), vec![]),
        ("getAlbumInfo2", about("id", album), vec![]),
        ("getArtistInfo2", about("id", artist), vec![]),
        ("star", about("id", song), vec![]),
        ("star", about("albumId", album), vec![]),
        ("unstar", about("artistId", artist), vec![]),
        ("setRating", about("id", song), vec![("rating", "1")]),
        ("scrobble", about("id", song), vec![]),
        (
            "reportPlayback",
            about("mediaId", song),
            vec![("mediaType", "song"), ("positionMs", "1"), ("state", "playing")],
        ),
        ("createBookmark", about("id", song), vec![("position", "1")]),
        ("createPlaylist", about("songId", song), vec![("name", "new")]),
        ("createShare", about("id", album), vec![]),
    ] {
        let mut params = vec![(name, id.as_str())];
        params.extend(more);
        assert_eq!(code(&ask(house, eve, endpoint, &params).await), 70, "{endpoint} {name}");
    }
    let mine = ask(house, eve, "getPlaylists", &[]).await["playlists"]["playlist"].take();
    let counts: Vec<(&str, u64)> = mine
        .as_array()
        .unwrap()
        .iter()
        .map(|list| (list["name"].as_str().unwrap(), list["songCount"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [("both", 1), ("mine", 0)]);
    let own = mine[1]["id"].as_str().unwrap();
    let add = [("playlistId", own), ("songIdToAdd", song.as_str())];
    assert_eq!(code(&ask(house, eve, "updatePlaylist", &add).await), 70);
    let both = ask(house, eve, "getPlaylist", &[("id", list)]).await;
    assert_eq!(both["playlist"]["entry"].as_array().unwrap().len(), 1);

    let page = house.http.get(&two.share).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Open Song") && !page.to_lowercase().contains("canary"), "{page}");
    let closed = house.http.get(format!("{}/{song}", two.share)).send().await.unwrap();
    assert_eq!(closed.status(), 404);

    // Her marks are still there for the day when she may again.
    house.json("updateUser", &[("username", EVE.0), ("musicFolderId", "1"), ("musicFolderId", "2")]).await;
    let back = ask(house, eve, "getSong", &[("id", song)]).await;
    assert_eq!((&back["song"]["userRating"], back["song"]["starred"].is_string()), (&json!(5), true));
    two.house.close().await;
}

#[tokio::test]
async fn counts_are_those_of_what_may_be_reached() {
    let two = Two::open().await;
    let Two { house, ann, eve, .. } = &two;
    let folders = |answer: &Value| {
        let list = answer["musicFolders"]["musicFolder"].as_array().unwrap().clone();
        list.iter()
            .map(|f| (f["id"].as_i64().unwrap(), f["name"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let (first, second) = ((1, "music".to_owned()), (2, "private".to_owned()));
    assert_eq!(folders(&ask(house, ann, "getMusicFolders", &[]).await), [first.clone(), second]);
    assert_eq!(folders(&ask(house, eve, "getMusicFolders", &[]).await), [first]);
    let albums = |answer: &Value| answer["artists"]["index"][0]["artist"][0]["albumCount"].clone();
    assert_eq!(albums(&ask(house, ann, "getArtists", &[]).await), 2, "Alpha");
    assert_eq!(albums(&ask(house, eve, "getArtists", &[]).await), 1);
    assert_eq!(albums(&ask(house, ann, "getArtists", &[("musicFolderId", "1")]).await), 1);
    let status = ask(house, eve, "getScanStatus", &[]).await["scanStatus"].take();
    assert_eq!((&status["count"], status.get("folderCount")), (&json!(2), None));
    let genres = ask(house, eve, "getGenres", &[]).await["genres"]["genre"].take();
    assert_eq!(genres, json!([{"value": "Rock", "songCount": 2, "albumCount": 1}]));
    let user = ask(house, eve, "getUser", &[("username", EVE.0)]).await["user"].take();
    assert_eq!(user["folder"], json!([1]));

    let titles = |answer: Value| -> Vec<String> {
        let songs = answer["searchResult3"]["song"].as_array().unwrap().clone();
        songs.iter().map(|song| song["title"].as_str().unwrap().to_owned()).collect()
    };
    for query in ["", "alpha"] {
        let all = titles(ask(house, eve, "search3", &[("query", query)]).await);
        assert_eq!(all.len(), 2, "{query:?}");
        let mut pages = Vec::new();
        for offset in ["0", "1", "2"] {
            let page = [("query", query), ("songCount", "1"), ("songOffset", offset)];
            pages.extend(titles(ask(house, eve, "search3", &page).await));
        }
        assert_eq!(pages, all, "page by page, {query:?}");
    }
    let second = [("type", "alphabeticalByName"), ("musicFolderId", "2")];
    let list = |answer: Value| answer["albumList2"]["album"].as_array().unwrap().len();
    assert_eq!(list(ask(house, ann, "getAlbumList2", &second).await), 2);
    assert_eq!(list(ask(house, eve, "getAlbumList2", &second).await), 0);

    assert_eq!(house.code("updateUser", &[("username", EVE.0), ("musicFolderId", "9")]).await, 70);
    assert_eq!(house.code("updateUser", &[("username", EVE.0), ("musicFolderId", "x")]).await, 0);
    accounts::set_folders(&house.catalog, EVE.0, Some(BTreeSet::new())).await.unwrap();
    assert_eq!(folders(&ask(house, eve, "getMusicFolders", &[]).await), []);
    assert_eq!(titles(ask(house, eve, "search3", &[("query", "")]).await), [""; 0]);
    accounts::set_folders(&house.catalog, EVE.0, None).await.unwrap();
    assert_eq!(titles(ask(house, eve, "search3", &[("query", "")]).await).len(), 4);
    two.house.close().await;
}

/// A folder's number is its own, whatever comes before it in the configuration.
#[tokio::test]
async fn numbers_of_folders_stay() {
    let two = Two::open().await;
    let folder = two.house.close().await;
    let (music, private) = (folder.path().join("music"), folder.path().join("private"));
    let config = segue::server::Config { music: vec![private, music], ..config(&folder) };
    let house = House::start(folder, config).await;
    house.server.as_ref().unwrap().first_scan().await;
    let eve = house.key_of(EVE.0).await;
    let folders = ask(&house, &eve, "getMusicFolders", &[]).await;
    assert_eq!(folders["musicFolders"]["musicFolder"], json!([{"id": 1, "name": "music"}]));
    house.close().await;
}

/// Nobody may reach a whole catalog from a handler but through who asks.
#[test]
fn handlers_see_the_catalog_as_who_asks() {
    for entry in walkdir::WalkDir::new("src/server") {
        let entry = entry.unwrap();
        // The scanner writes; it answers nobody. A person's copy is of what that person did, wherever the music lies now.
        let apart = ["src/server/scan", "src/server/privacy"];
        if !entry.file_type().is_file() || apart.iter().any(|room| entry.path().starts_with(room)) {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for word in [".listener(", "catalog.file_of(", "catalog.source_of(", "catalog.files_with_cover("] {
            let found = text.lines().any(|line| line.contains(word) && !line.contains("listener.catalog()"));
            assert!(!found, "{} has {word}", entry.path().display());
        }
    }
}
