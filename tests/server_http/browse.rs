//! Browsing, lists and search.

use segue::music::{Lyrics, Window};
use segue::subsonic::{ErrorCode, convert};
use serde_json::{Value, json};

use crate::house::{House, ODD_ALBUM, ODD_TITLE};

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn our_own_client_sees_the_library_as_it_is() {
    let house = House::open().await;
    let client = house.client();
    let info = client.ping().await.unwrap();
    assert_eq!(
        (info.version.as_str(), info.kind.as_deref(), info.open_subsonic),
        ("1.16.1", Some("segue"), true)
    );
    let extensions = client.extensions().await.unwrap();
    assert!(extensions.iter().any(|extension| extension.name == "formPost" && extension.versions == [1]));

    let artists = client.artists().await.unwrap();
    let letters: Vec<_> =
        artists.index.iter().map(|index| (index.name.as_str(), index.artist.len())).collect();
    assert_eq!(letters, [("A", 1), ("O", 1)]);
    let alpha = client.artist(&artists.index[0].artist[0].id.clone().into()).await.unwrap();
    let albums = alpha.album.unwrap();
    assert_eq!((alpha.name.as_str(), alpha.album_count, albums.len()), ("Alpha", Some(1), 1));
    let album = client.album(&albums[0].id.clone().into()).await.unwrap();
    let titles: Vec<_> = album.song.as_ref().unwrap().iter().map(|song| song.title.as_str()).collect();
    assert_eq!(titles, ["One", "Two", "Three"]);
    assert_eq!((album.song_count, album.year, album.is_compilation), (3, Some(2001), Some(false)));

    let song = client.song(&house.song(ODD_TITLE).await.into()).await.unwrap();
    let track = convert::track(&song).unwrap();
    assert_eq!(
        (track.title.as_str(), track.album.as_str(), track.artist.as_str()),
        (ODD_TITLE, ODD_ALBUM, "Öl")
    );
    assert_eq!(
        (track.suffix.as_str(), track.number, track.genres),
        ("wav", Some(1), vec!["Jazz".to_owned()])
    );
    assert_eq!(track.sample_rate, Some(8000));

    let genres = client.genres().await.unwrap();
    let jazz = genres.iter().find(|genre| genre.value == "Jazz").unwrap();
    assert_eq!((jazz.song_count, jazz.album_count), (2, 1));
    assert_eq!(client.songs_by_genre("Jazz", Window::first(10)).await.unwrap().len(), 2);
    assert_eq!(client.random_songs(3).await.unwrap().len(), 3);
    let missing = client.album(&"nowhere".into()).await.unwrap_err();
    assert_eq!(missing.code(), Some(ErrorCode::NotFound));
    house.close().await;
}

#[tokio::test]
async fn search_pages_through_everything() {
    let house = House::open().await;
    let client = house.client();
    for everything in ["", "\"\""] {
        let mut seen = Vec::new();
        for page in 0..4 {
            let window = Window::new(page * 2, 2);
            let none = Window::first(0);
            let found = client.search3(everything, none, none, window).await.unwrap();
            assert!(found.artist.is_empty() && found.album.is_empty());
            seen.extend(found.song.into_iter().map(|song| song.id));
        }
        assert_eq!(seen.len(), 5);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5, "a song came twice");
    }
    let found = house.json("search3", &[("query", "alph")]).await["searchResult3"].take();
    assert_eq!(names(&found["artist"]), ["Alpha"]);
    let found = house.json("search2", &[("query", "obrien quot")]).await["searchResult2"].take();
    assert_eq!(found["song"][0]["title"], ODD_TITLE);
    assert!(found["album"].as_array().unwrap().is_empty());
    for hostile in ["\0", "%", "_", "\" OR 1=1 --", "*", "NEAR(a b", "🎵"] {
        let found = house.json("search3", &[("query", hostile)]).await;
        assert_eq!(found["status"], "ok", "{hostile:?}: {found}");
    }
    assert_eq!(house.json("search3", &[("query", "zzz nothing")]).await["searchResult3"]["song"], json!([]));
    house.close().await;
}

#[tokio::test]
async fn every_album_list_in_both_shapes() {
    let house = House::open().await;
    let (odd, first) = (ODD_ALBUM, "First Light");
    let of = |kind: &'static [(&'static str, &'static str)]| {
        let house = &house;
        async move {
            let list = house.json("getAlbumList2", kind).await["albumList2"]["album"].take();
            let old = house.json("getAlbumList", kind).await["albumList"]["album"].take();
            let ids = |list: &Value| -> Vec<String> {
                list.as_array().unwrap().iter().map(|album| album["id"].to_string()).collect()
            };
            if kind[0].1 != "random" {
                assert_eq!(ids(&list), ids(&old));
            }
            assert!(old.as_array().unwrap().iter().all(|album| album["isDir"] == true));
            list.as_array()
                .unwrap()
                .iter()
                .map(|album| album["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(of(&[("type", "alphabeticalByName")]).await, [odd, first]);
    assert_eq!(of(&[("type", "alphabeticalByArtist")]).await, [first, odd]);
    assert_eq!(of(&[("type", "byYear"), ("fromYear", "2000"), ("toYear", "2020")]).await, [first, odd]);
    assert_eq!(of(&[("type", "byYear"), ("fromYear", "2020"), ("toYear", "2000")]).await, [odd, first]);
    assert_eq!(of(&[("type", "byYear"), ("fromYear", "2005"), ("toYear", "2020")]).await, [odd]);
    assert_eq!(of(&[("type", "byGenre"), ("genre", "Rock")]).await, [first]);
    assert_eq!(of(&[("type", "random")]).await.len(), 2);
    assert_eq!(of(&[("type", "newest")]).await.len(), 2);
    assert_eq!(of(&[("type", "newest"), ("size", "1"), ("offset", "1")]).await.len(), 1);
    assert_eq!(of(&[("type", "newest"), ("size", "-1")]).await.len(), 0);
    for empty in ["starred", "highest", "frequent", "recent"] {
        let list = house.json("getAlbumList2", &[("type", empty)]).await;
        assert_eq!(list["albumList2"]["album"], json!([]), "{empty}");
    }
    let id = house.album(first).await["id"].as_str().unwrap().to_owned();
    house.json("star", &[("albumId", &id)]).await;
    house.json("setRating", &[("id", &id), ("rating", "5")]).await;
    house.json("scrobble", &[("id", &house.song("One").await)]).await;
    for kind in ["starred", "highest", "frequent", "recent"] {
        let list = house.json("getAlbumList2", &[("type", kind)]).await["albumList2"]["album"].take();
        assert_eq!(names(&list), [first], "{kind}");
    }
    assert_eq!(house.code("getAlbumList2", &[]).await, 10);
    assert_eq!(house.code("getAlbumList2", &[("type", "byYear"), ("fromYear", "1")]).await, 10);
    assert_eq!(house.code("getAlbumList2", &[("type", "byGenre")]).await, 10);
    assert_eq!(house.code("getAlbumList2", &[("type", "nonsense")]).await, 0);
    assert_eq!(house.code("getAlbumList2", &[("type", "newest"), ("size", "many")]).await, 0);
    house.close().await;
}

#[tokio::test]
async fn the_library_as_folders_for_the_oldest_clients() {
    let house = House::open().await;
    let folders = house.json("getMusicFolders", &[]).await;
    let folder = &folders["musicFolders"]["musicFolder"][0];
    assert!(folder["id"].is_i64() && folder["name"].is_string());
    let indexes = house.json("getIndexes", &[]).await["indexes"].take();
    assert_eq!(indexes["index"][0]["artist"][0]["name"], "Alpha");
    let modified = indexes["lastModified"].as_i64().unwrap().to_string();
    let unchanged = house.json("getIndexes", &[("ifModifiedSince", &modified)]).await;
    assert_eq!(unchanged["indexes"]["index"], json!([]));

    let id = folder["id"].to_string();
    let root = house.json("getMusicDirectory", &[("id", &id)]).await["directory"].take();
    let artist = root["child"][0].clone();
    assert_eq!((&artist["title"], &artist["isDir"]), (&json!("Alpha"), &json!(true)));
    let artist = house.json("getMusicDirectory", &[("id", artist["id"].as_str().unwrap())]).await;
    let album = artist["directory"]["child"][0].clone();
    assert_eq!((&album["title"], &album["isDir"]), (&json!("First Light"), &json!(true)));
    let album =
        house.json("getMusicDirectory", &[("id", album["id"].as_str().unwrap())]).await["directory"].take();
    assert_eq!(album["parent"], artist["directory"]["id"]);
    let song = &album["child"][2];
    assert_eq!(
        (&song["title"], &song["isDir"], &song["parent"]),
        (&json!("Three"), &json!(false), &album["id"])
    );
    assert_eq!(house.code("getMusicDirectory", &[("id", "../../etc")]).await, 70);
    house.close().await;
}

#[tokio::test]
async fn a_scan_on_demand_finds_what_is_new() {
    let house = House::open().await;
    let status = house.json("getScanStatus", &[]).await["scanStatus"].take();
    assert_eq!((&status["scanning"], &status["count"]), (&json!(false), &json!(5)));
    let album = house.folder.path().join("music").join("Alpha").join("First Light");
    std::fs::remove_file(album.join("02.wav")).unwrap();
    assert_eq!(house.json("startScan", &[]).await["scanStatus"]["scanning"], true);
    for _ in 0..500 {
        if house.json("getScanStatus", &[]).await["scanStatus"]["scanning"] == false {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let found =
        house.client().search3("", Window::first(9), Window::first(9), Window::first(9)).await.unwrap();
    assert_eq!((found.artist.len(), found.album.len(), found.song.len()), (2, 2, 4));
    house.close().await;
}

#[tokio::test]
async fn lyrics_by_song_and_by_name() {
    let house = House::open().await;
    let id = house.song(ODD_TITLE).await;
    let none = house.json("getLyricsBySongId", &[("id", &id)]).await;
    assert_eq!(none["lyricsList"]["structuredLyrics"], json!([]));
    assert_eq!(house.json("getLyrics", &[("title", ODD_TITLE)]).await["lyrics"]["value"], "");

    let text = "[00:01.00]<00:01.00>One <00:02.50>two\n[00:04.00]Three";
    let lyrics = Lyrics::parse(text, "eng").into_iter().collect();
    house.catalog.set_lyrics(&id.as_str().into(), lyrics).await.unwrap();
    let plain = house.json("getLyricsBySongId", &[("id", &id)]).await;
    let first = &plain["lyricsList"]["structuredLyrics"][0];
    assert_eq!(
        first["line"],
        json!([{"start": 1000.0, "value": "One two"}, {"start": 4000.0, "value": "Three"}])
    );
    assert_eq!((&first["lang"], &first["synced"]), (&json!("eng"), &json!(true)));
    assert_eq!(first["displayTitle"], ODD_TITLE);
    assert!(first.get("cueLine").is_none() && first.get("kind").is_none());
    let enhanced = house.json("getLyricsBySongId", &[("id", &id), ("enhanced", "true")]).await;
    let cues = &enhanced["lyricsList"]["structuredLyrics"][0]["cueLine"][0]["cue"];
    assert_eq!(
        (&cues[1]["byteStart"], &cues[1]["byteEnd"], &cues[1]["start"]),
        (&json!(4), &json!(6), &json!(2500))
    );

    let named = house.json("getLyrics", &[("artist", "ol"), ("title", &ODD_TITLE.to_uppercase())]).await;
    assert_eq!(named["lyrics"]["value"], "One two\nThree");
    let stranger = house.json("getLyrics", &[("artist", "Nobody"), ("title", ODD_TITLE)]).await;
    assert_eq!(stranger["lyrics"]["value"], "");
    let client = house.client();
    assert_eq!(client.lyrics_by_song_id(&id.as_str().into()).await.unwrap().len(), 1);
    house.close().await;
}
