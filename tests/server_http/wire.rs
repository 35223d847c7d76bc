//! Formats, envelopes and errors.

use reqwest::Method;
use serde_json::Value;

use crate::house::{House, ODD_TITLE};

/// An endpoint, the body of its answer (or nothing), and parameters.
type Request<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>);

/// What the schema demands of elements that clients parse strictly: attributes that must be there.
const REQUIRED: [(&str, &[&str]); 11] = [
    ("song", &["id", "title", "isDir"]),
    ("child", &["id", "title", "isDir"]),
    ("entry", &["id", "title", "isDir"]),
    ("playlist", &["id", "name", "songCount", "duration", "created", "changed"]),
    ("genre", &["songCount", "albumCount"]),
    ("index", &["name"]),
    ("indexes", &["lastModified", "ignoredArticles"]),
    ("artists", &["ignoredArticles"]),
    ("directory", &["id", "name"]),
    ("scanStatus", &["scanning"]),
    ("user", &["username", "adminRole", "scrobblingEnabled", "videoConversionRole", "streamRole"]),
];

async fn xml(house: &House, endpoint: &str, params: &[(&str, &str)]) -> String {
    let reply = house.http.get(house.own_url(endpoint, params)).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "text/xml; charset=utf-8");
    assert_eq!(reply.headers()["cache-control"], "no-store");
    assert_eq!(reply.headers()["referrer-policy"], "no-referrer");
    reply.text().await.unwrap()
}

#[tokio::test]
async fn every_endpoint_in_json_and_in_xml() {
    let house = House::open().await;
    let song = house.song(ODD_TITLE).await;
    let album = house.album("First Light").await;
    let (album, artist) = (album["id"].as_str().unwrap(), album["artistId"].as_str().unwrap());
    house.json("createPlaylist", &[("name", "P"), ("songId", &song)]).await;
    house.json("star", &[("id", &song), ("albumId", album), ("artistId", artist)]).await;
    let lists = house.json("getPlaylists", &[]).await;
    let playlist = lists["playlists"]["playlist"][0]["id"].as_str().unwrap();
    let all: Vec<Request<'_>> = vec![
        ("ping", "", vec![]),
        ("getLicense", "license", vec![]),
        ("getOpenSubsonicExtensions", "openSubsonicExtensions", vec![]),
        ("tokenInfo", "tokenInfo", vec![]),
        ("getUser", "user", vec![("username", "admin")]),
        ("getUsers", "users", vec![]),
        ("getMusicFolders", "musicFolders", vec![]),
        ("getIndexes", "indexes", vec![]),
        ("getMusicDirectory", "directory", vec![("id", album)]),
        ("getArtists", "artists", vec![]),
        ("getArtist", "artist", vec![("id", artist)]),
        ("getAlbum", "album", vec![("id", album)]),
        ("getSong", "song", vec![("id", &song)]),
        ("getGenres", "genres", vec![]),
        ("getAlbumList", "albumList", vec![("type", "newest")]),
        ("getAlbumList2", "albumList2", vec![("type", "newest")]),
        ("getRandomSongs", "randomSongs", vec![("size", "2")]),
        ("getSongsByGenre", "songsByGenre", vec![("genre", "Jazz")]),
        ("getStarred", "starred", vec![]),
        ("getStarred2", "starred2", vec![]),
        ("search2", "searchResult2", vec![("query", "")]),
        ("search3", "searchResult3", vec![("query", "")]),
        ("getPlaylists", "playlists", vec![]),
        ("getPlaylist", "playlist", vec![("id", playlist)]),
        ("updatePlaylist", "", vec![("playlistId", playlist), ("comment", "c")]),
        ("setRating", "", vec![("id", &song), ("rating", "3")]),
        ("scrobble", "", vec![("id", &song)]),
        ("getScanStatus", "scanStatus", vec![]),
        ("startScan", "scanStatus", vec![]),
        ("unstar", "", vec![("id", &song)]),
        ("deletePlaylist", "", vec![("id", playlist)]),
    ];
    for (endpoint, body, params) in all {
        let text = xml(&house, endpoint, &params).await;
        let document =
            roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{endpoint}: {error}\n{text}"));
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "subsonic-response");
        assert_eq!(root.tag_name().namespace(), Some("http://subsonic.org/restapi"));
        for (name, value) in
            [("status", "ok"), ("version", "1.16.1"), ("type", "segue"), ("openSubsonic", "true")]
        {
            assert_eq!(root.attribute(name), Some(value), "{endpoint}: {text}");
        }
        let first = root.first_element_child().map(|node| node.tag_name().name());
        assert_eq!(first, (!body.is_empty()).then_some(body), "{endpoint}");
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let name = node.tag_name().name();
            // A song's own genres and artists are additions of OpenSubsonic with fewer attributes.
            let inner = matches!(
                node.parent_element().map(|parent| parent.tag_name().name()),
                Some("song" | "album" | "child" | "entry")
            );
            for (element, attributes) in REQUIRED {
                if name == element && !inner {
                    for attribute in attributes {
                        assert!(
                            node.has_attribute(*attribute),
                            "{endpoint}: {name} without {attribute}: {text}"
                        );
                    }
                }
            }
        }
        if endpoint != "deletePlaylist" {
            let json = house.json(endpoint, &params).await;
            assert_eq!(json["status"], "ok", "{endpoint}: {json}");
            assert_eq!(json.as_object().unwrap().contains_key(body), !body.is_empty(), "{endpoint}: {json}");
        }
    }
    let text = xml(&house, "getSong", &[("id", &song)]).await;
    let document = roxmltree::Document::parse(&text).unwrap();
    let node = document
        .descendants()
        .find(|node| node.has_tag_name(("http://subsonic.org/restapi", "song")))
        .unwrap();
    assert_eq!(node.attribute("title"), Some(ODD_TITLE));
    let text = xml(&house, "getGenres", &[]).await;
    assert!(text.contains(">Jazz</genre>"), "{text}");
    house.close().await;
}

#[tokio::test]
async fn xml_parses_after_any_name() {
    let house = House::open().await;
    let name = "a\u{1}b\u{8}c\u{fffe}\td\u{1b}[31m ]]> &amp; <x>";
    house.json("createPlaylist", &[("name", name)]).await;
    let text = xml(&house, "getPlaylists", &[]).await;
    let document = roxmltree::Document::parse(&text).unwrap();
    let playlist = document.descendants().find(|node| node.has_attribute("songCount")).unwrap();
    assert_eq!(playlist.attribute("name"), Some("abc\td[31m ]]> &amp; <x>"));
    let lists = house.json("getPlaylists", &[]).await;
    assert_eq!(lists["playlists"]["playlist"][0]["name"], name);
    house.close().await;
}

#[tokio::test]
async fn every_failure_is_an_envelope() {
    let house = House::open().await;
    assert_eq!(house.code("getSong", &[]).await, 10);
    assert_eq!(house.code("getSong", &[("id", "")]).await, 10);
    assert_eq!(house.code("getSong", &[("id", "nowhere")]).await, 70);
    assert_eq!(house.code("noSuchEndpoint", &[]).await, 0);
    assert_eq!(house.code("a/b/../c", &[]).await, 0);
    assert_eq!(house.code("getRandomSongs", &[("fromYear", "soon")]).await, 0);
    assert_eq!(house.code("getUser", &[("username", "nobody")]).await, 70);
    let unknown = house.http.get(house.own_url("noSuchEndpoint", &[])).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert!(unknown.text().await.unwrap().contains("<error code=\"0\""));
    let delete = house.http.request(Method::DELETE, house.own_url("ping", &[])).send().await.unwrap();
    assert_eq!(
        (delete.status().as_u16(), delete.headers()["allow"].to_str().unwrap()),
        (405, "GET, HEAD, POST")
    );
    let elsewhere = house.http.get(format!("{}/", house.base)).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
    // Broken escapes are text like any other.
    let broken = house.http.get(format!("{}/rest/getSong?f=json&apiKey={}&id=%zz%ff", house.base, house.key));
    assert!(broken.send().await.unwrap().text().await.unwrap().contains("\"code\":70"));
    house.close().await;
}

#[tokio::test]
async fn jsonp_calls_only_plain_names() {
    let house = House::open().await;
    let reply = house
        .http
        .get(house.own_url("ping", &[("f", "jsonp"), ("callback", "app.on$_1")]))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.headers()["content-type"], "text/javascript; charset=utf-8");
    let text = reply.text().await.unwrap();
    let inner = text.strip_prefix("/**/app.on$_1(").unwrap().strip_suffix(");").unwrap();
    let answer: Value = serde_json::from_str(inner).unwrap();
    assert_eq!(answer["subsonic-response"]["status"], "ok");
    let long = "a".repeat(65);
    for hostile in ["<script>", "a(b)", "a;b", "ä", long.as_str(), ""] {
        let reply = house
            .http
            .get(house.own_url("ping", &[("f", "jsonp"), ("callback", hostile)]))
            .send()
            .await
            .unwrap();
        assert_eq!(reply.headers()["content-type"], "application/json");
        assert!(reply.text().await.unwrap().starts_with("{\"subsonic-response\":{\"status\":\"failed\""));
    }
    house.close().await;
}
