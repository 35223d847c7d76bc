//! Requests that no honest client sends: each gets the right refusal, none gets through, and the server lives on.

use std::time::Duration;

use segue::server::{ENDPOINTS, accounts};
use segue::subsonic::auth::token;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{ANN, House, code, data};

/// The one endpoint that answers anybody.
const OPEN: &str = "getOpenSubsonicExtensions";

/// Ids and names that should be nobody's and lead nowhere.
const NOBODYS: [&str; 18] = [
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "%2e%2e%2fetc%2fpasswd",
    "file:///etc/passwd",
    "catalog.db",
    "' OR '1'='1",
    "1; DROP TABLE tracks--",
    "1 UNION SELECT password_hash FROM accounts",
    "\" OR \"\"=\"",
    "%",
    "_",
    "a\u{0}b",
    "\u{1b}[2J",
    "\u{202e}gnp",
    "{{7*7}}${7*7}%s%n",
    "-1",
    "9999999999999999999999",
];

/// An endpoint, the parameter that is attacked, and what else it needs.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Endpoints that take one id, its name, and what else they need.
const BY_ID: [Case; 32] = [
    ("getArtist", "id", &[]),
    ("getAlbum", "id", &[]),
    ("getSong", "id", &[]),
    ("getLyricsBySongId", "id", &[]),
    ("getMusicDirectory", "id", &[]),
    ("getAlbumInfo", "id", &[]),
    ("getAlbumInfo2", "id", &[]),
    ("getArtistInfo", "id", &[]),
    ("getArtistInfo2", "id", &[]),
    ("getPlaylist", "id", &[]),
    ("updatePlaylist", "playlistId", &[("name", "x")]),
    ("deletePlaylist", "id", &[]),
    ("createPlaylist", "playlistId", &[]),
    ("stream", "id", &[]),
    ("download", "id", &[]),
    ("getCoverArt", "id", &[]),
    ("star", "id", &[]),
    ("star", "albumId", &[]),
    ("star", "artistId", &[]),
    ("setRating", "id", &[("rating", "3")]),
    ("scrobble", "id", &[]),
    ("createBookmark", "id", &[("position", "1")]),
    ("deleteBookmark", "id", &[]),
    ("createShare", "id", &[]),
    ("updateShare", "id", &[]),
    ("deleteShare", "id", &[]),
    ("updateInternetRadioStation", "id", &[("name", "x"), ("streamUrl", "http://x.example/")]),
    ("deleteInternetRadioStation", "id", &[]),
    ("getUser", "username", &[]),
    ("updateUser", "username", &[]),
    ("deleteUser", "username", &[]),
    ("changePassword", "username", &[("password", "x")]),
];

#[tokio::test]
async fn every_endpoint_asks_who_comes() {
    let house = House::open().await.with_ann().await;
    let wrong_token = token("nothing", "salt12");
    for endpoint in ENDPOINTS.iter().filter(|name| **name != OPEN) {
        let strangers: [(i64, &[(&str, &str)]); 7] = [
            (10, &[]),
            (10, &[("u", "admin")]),
            (44, &[("apiKey", "segue_00000000000000000000000000000000")]),
            (44, &[("apiKey", "' OR 1=1 --")]),
            (43, &[("apiKey", "x"), ("u", "admin")]),
            (30, &[("apiKey", &house.key), ("v", "99.0.0")]),
            (20, &[("apiKey", &house.key), ("v", "0.1.0")]),
        ];
        for (refused, params) in strangers {
            // Guesses of keys are counted; the honest key that follows forgives none of them.
            let answer = house.anybody(endpoint, params).await;
            let got = code(&answer);
            assert!(
                got == refused
                    || (refused == 44 && answer["error"]["message"].as_str().unwrap().contains("too many")),
                "{endpoint} {params:?}: {answer}"
            );
        }
        assert_eq!(code(&house.anybody(endpoint, &[("u", "nobody"), ("t", &wrong_token)]).await), 10);
    }
    assert_eq!(house.json("ping", &[]).await["status"], "ok", "who has a key is not locked out");
    house.close().await;
}

#[tokio::test]
async fn ids_that_are_nobodys_lead_nowhere() {
    let house = House::open().await.with_ann().await;
    let long = "a".repeat(6000);
    for (endpoint, name, more) in BY_ID {
        for id in NOBODYS.into_iter().chain([long.as_str()]) {
            let mut params = vec![(name, id)];
            params.extend_from_slice(more);
            let answer = house.json(endpoint, &params).await;
            assert_eq!(code(&answer), 70, "{endpoint} {name}={id:?}: {answer}");
            let said = answer.to_string();
            assert!(
                !said.contains("root:")
                    && !said.contains("argon2")
                    && !said.to_lowercase().contains("sqlite"),
                "{said}"
            );
        }
        // Nothing in the place of an id.
        let mut params = vec![(name, "")];
        params.extend_from_slice(more);
        if !matches!(endpoint, "star" | "createPlaylist") {
            assert_eq!(house.code(endpoint, &params).await, 10, "{endpoint} without {name}");
        }
    }
    let all = house.json("search3", &[("query", ""), ("songCount", "50")]).await;
    assert_eq!(all["searchResult3"]["song"].as_array().unwrap().len(), 5, "everything is still there");
    assert_eq!(house.json("getUsers", &[]).await["users"]["user"].as_array().unwrap().len(), 2);
    house.close().await;
}

#[tokio::test]
async fn numbers_and_flags_that_are_none_are_named() {
    let house = House::open().await;
    let song = house.song("One").await;
    let id = ("id", song.as_str());
    let cases: [Case; 26] = [
        ("getIndexes", "ifModifiedSince", &[]),
        ("getAlbumList", "size", &[("type", "newest")]),
        ("getAlbumList2", "offset", &[("type", "newest")]),
        ("getAlbumList2", "size", &[("type", "newest")]),
        ("getAlbumList2", "fromYear", &[("type", "byYear"), ("toYear", "2000")]),
        ("getRandomSongs", "size", &[]),
        ("getRandomSongs", "fromYear", &[]),
        ("getRandomSongs", "toYear", &[]),
        ("getSongsByGenre", "count", &[("genre", "Rock")]),
        ("getSongsByGenre", "offset", &[("genre", "Rock")]),
        ("search2", "artistCount", &[("query", "x")]),
        ("search3", "songCount", &[("query", "x")]),
        ("search3", "albumOffset", &[("query", "x")]),
        ("setRating", "rating", &[id]),
        ("scrobble", "time", &[id]),
        ("scrobble", "submission", &[id]),
        ("stream", "maxBitRate", &[id]),
        ("stream", "timeOffset", &[id]),
        ("getCoverArt", "size", &[id]),
        ("createBookmark", "position", &[id]),
        ("savePlayQueue", "position", &[id]),
        ("savePlayQueueByIndex", "currentIndex", &[id]),
        ("createShare", "expires", &[id]),
        ("startScan", "fullScan", &[]),
        (
            "reportPlayback",
            "positionMs",
            &[("mediaId", song.as_str()), ("mediaType", "song"), ("state", "playing")],
        ),
        ("updateUser", "adminRole", &[("username", "admin")]),
    ];
    for (endpoint, name, more) in cases {
        for value in ["abc", "1e999x", "0x10", "٣", "1;2", "--1", "NaNs"] {
            let mut params = more.to_vec();
            params.push((name, value));
            let answer = house.json(endpoint, &params).await;
            assert_eq!(code(&answer), 0, "{endpoint} {name}={value}: {answer}");
            assert!(answer["error"]["message"].as_str().unwrap().contains(name), "{answer}");
        }
    }
    // Numbers that are numbers, and absurd.
    for (endpoint, name, more) in [
        ("getAlbumList2", "size", vec![("type", "newest")]),
        ("getAlbumList2", "offset", vec![("type", "newest")]),
        ("getRandomSongs", "size", vec![]),
        ("search3", "songCount", vec![("query", "")]),
        ("search3", "songOffset", vec![("query", "")]),
    ] {
        for value in ["-1", "0", "9223372036854775807", "-9223372036854775808"] {
            let mut params = more.clone();
            params.push((name, value));
            assert_eq!(house.json(endpoint, &params).await["status"], "ok", "{endpoint} {name}={value}");
        }
    }
    for rating in ["6", "255", "-1", "3.5"] {
        assert_eq!(house.code("setRating", &[id, ("rating", rating)]).await, 0, "{rating}");
    }
    for size in ["-1", "0", "1", "999999999"] {
        let reply = house.http.get(house.own_url("getCoverArt", &[id, ("size", size)])).send().await.unwrap();
        let bytes = reply.bytes().await.unwrap();
        let picture = image::load_from_memory(&bytes).unwrap();
        assert!(picture.width() <= 300, "never larger than it is: {size}");
    }
    house.close().await;
}

/// What comes back for bytes on a connection of their own, until it ends or is silent.
async fn raw(house: &House, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(house.base.trim_start_matches("http://")).await.unwrap();
    // The server may hang up while we still write.
    let _ = socket.write_all(bytes).await;
    let mut said = Vec::new();
    let mut step = [0; 4096];
    while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_millis(400), socket.read(&mut step)).await {
        if count == 0 || said.len() > 100_000 {
            break;
        }
        said.extend_from_slice(&step[..count]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn status(said: &str) -> &str {
    said.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn broken_http_is_refused_and_costs_nobody_else() {
    let house = House::open().await;
    let long = "a".repeat(20_000);
    let huge = "a".repeat(1_000_000);
    let get = |target: &str, more: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n")
    };
    let key = &house.key;
    let cases = [
        ("a long address", get(&format!("/rest/ping?apiKey={long}"), ""), "200 414 431"),
        ("an endless address", get(&format!("/rest/ping?apiKey={huge}"), ""), "414 431 none"),
        ("an endless header", get("/rest/ping", &format!("X-A: {huge}\r\n")), "431 none"),
        ("a thousand headers", get("/rest/ping", &"X-A: b\r\n".repeat(1000)), "431 none"),
        ("no HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_owned(), "400 none"),
        ("a header without a colon", get("/rest/ping", "nonsense\r\n"), "400"),
        ("two lengths", get("/rest/ping", "Content-Length: 5\r\nContent-Length: 6\r\n"), "400"),
        ("a length below zero", get("/rest/ping", "Content-Length: -5\r\n"), "400"),
        ("a length beyond all", get("/rest/ping", "Content-Length: 99999999999999999999\r\n"), "400"),
        ("a control character in the address", get("/rest/ping\u{1}", ""), "400"),
        ("a space in the address", get("/rest/p ing", ""), "400"),
        ("out of the folder", get("/rest/../../etc/passwd", ""), "404"),
        ("out of the folder, encoded", get("/rest/%2e%2e%2f%2e%2e%2fetc%2fpasswd", ""), "404"),
        ("another folder", get("/etc/passwd", ""), "404"),
        ("another machine", get("http://169.254.169.254/latest/meta-data", ""), "404"),
        ("out of a share", get("/share/../../data/catalog.db", ""), "404"),
        ("out of a share, encoded", get("/share/%2e%2e/%2e%2e%2fcatalog.db", ""), "404"),
        (
            "a tunnel",
            "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n".to_owned(),
            "400 404 405",
        ),
        ("a method of its own", get("/rest/ping", "").replace("GET", "BREW"), "405"),
        ("deletion", get(&format!("/rest/getSong?apiKey={key}&id=x"), "").replace("GET", "DELETE"), "405"),
        ("TRACE", get(&format!("/rest/ping?apiKey={key}"), "").replace("GET", "TRACE"), "405"),
        ("no UTF-8", get("/rest/getSong?id=%ff%fe%80&apiKey=%c0%af", ""), "200"),
        ("an address that is all percent", get("/rest/ping?%%%&&&===&%zz", ""), "200"),
        ("a script as callback", get("/rest/ping?f=jsonp&callback=alert(1)//", ""), "200"),
        ("HTTP/1.0", "GET /rest/ping HTTP/1.0\r\n\r\n".to_owned(), "200"),
        ("HTTP/2 by guess", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), "400 505 none"),
    ];
    for (what, request, expected) in &cases {
        let said = raw(&house, request.as_bytes()).await;
        assert!(expected.split(' ').any(|status_| status_ == status(&said)), "{what}: {said:.300}");
        assert!(!said.contains("root:") && !said.contains(key.as_str()), "{what}: {said:.300}");
        assert!(!said.contains("status=\"ok\""), "{what}: {said:.300}");
    }
    let form = |length: usize, body: &str| {
        format!(
            "POST /rest/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let large = format!("apiKey={}", "a".repeat(1_100_000));
    assert_eq!(status(&raw(&house, form(large.len(), &large).as_bytes()).await), "413");
    // Half a form: the connection waits for the rest without holding up others.
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut socket = TcpStream::connect(house.base.trim_start_matches("http://")).await.unwrap();
        socket.write_all(b"GET /rest/ping HTTP/1.1\r\nHost: ").await.unwrap();
        slow.push(socket);
    }
    assert_eq!(house.json("ping", &[]).await["status"], "ok", "200 slow ones hold up nobody");
    drop(slow);
    house.close().await;
}

#[tokio::test]
async fn ranges_of_all_sorts_get_bytes_or_a_refusal() {
    let house = House::open().await;
    let song = house.song("One").await;
    let url = house.own_url("stream", &[("id", &song)]);
    let whole = house.http.get(&url).send().await.unwrap().bytes().await.unwrap();
    for (range, expected) in [
        ("bytes=0-0", 206),
        ("bytes=-1", 206),
        ("bytes=-0", 416),
        ("bytes=999999999-", 416),
        ("bytes=5-2", 200),
        ("bytes=a-b", 200),
        ("bytes=18446744073709551616-", 416),
        ("bytes=0-18446744073709551616", 206),
        ("bytes=--5", 200),
        ("bytes=", 200),
        ("bytes", 200),
        ("items=0-5", 200),
        ("bytes=0-0,2-2,4-4,6-6,8-8,0-,0-,0-,0-,0-,0-", 200),
    ] {
        let reply = house.http.get(&url).header("range", range).send().await.unwrap();
        let status = reply.status().as_u16();
        let bytes = reply.bytes().await.unwrap();
        assert!(status == expected || (expected != 206 && matches!(status, 200 | 416)), "{range}: {status}");
        assert!(status != 200 || bytes == whole, "{range}");
        assert!(bytes.len() <= whole.len(), "{range}");
    }
    house.close().await;
}

/// One test for each of the known holes of other servers of this kind.
#[tokio::test]
async fn the_holes_of_others_are_closed_here() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    // An unknown account with the token of an empty password.
    let empty = token("", "salt12");
    for name in ["nobody", "", "%", "admin"] {
        let answer = house.anybody("ping", &[("u", name), ("t", &empty), ("s", "salt12")]).await;
        assert!(matches!(code(&answer), 10 | 41), "{name}: {answer}");
    }
    // Known and unknown accounts are refused alike.
    let refusal = async |name: &str, secret: (&str, &str), salt: &str| {
        let params = [("u", name), (secret.0, secret.1), ("s", salt)];
        house.anybody("ping", &params).await["error"].take()
    };
    assert_eq!(
        refusal(ANN.0, ("t", &empty), "salt12").await,
        refusal("nobody", ("t", &empty), "salt12").await
    );
    assert_eq!(refusal(ANN.0, ("p", "wrong"), "").await, refusal("nobody", ("p", "wrong"), "").await);
    // Others' playlists: not to be read, changed or taken away, and not to be taken over by naming their owner.
    let song = house.song("One").await;
    let made = house.json("createPlaylist", &[("name", "../../secret.m3u"), ("songId", &song)]).await;
    let list = made["playlist"]["id"].as_str().unwrap();
    for (endpoint, name) in [
        ("getPlaylist", "id"),
        ("updatePlaylist", "playlistId"),
        ("deletePlaylist", "id"),
        ("createPlaylist", "playlistId"),
    ] {
        let params = [
            ("apiKey", ann.as_str()),
            (name, list),
            ("owner", "admin"),
            ("ownerId", "admin"),
            ("username", "admin"),
        ];
        assert!(matches!(code(&house.anybody(endpoint, &params).await), 50 | 70), "{endpoint}");
    }
    let own = house
        .anybody(
            "createPlaylist",
            &[("apiKey", &ann), ("name", "mine"), ("owner", "admin"), ("ownerId", "admin")],
        )
        .await;
    assert_eq!(own["playlist"]["owner"], ANN.0);
    // Names never become files.
    assert!(
        !house.folder.path().join("secret.m3u").exists() && !data(&house.folder).join("secret.m3u").exists()
    );
    // A revoked secret is not good for a replay.
    let app = accounts::new_app_password(&house.catalog, &data(&house.folder), ANN.0, "phone").await.unwrap();
    let good = token(&app, "salt12");
    let params = [("u", ANN.0), ("t", good.as_str()), ("s", "salt12")];
    assert_eq!(house.anybody("ping", &params).await["status"], "ok");
    for held in accounts::credentials(&house.catalog, ANN.0).await.unwrap() {
        accounts::revoke(&house.catalog, ANN.0, &held.id).await.unwrap();
    }
    assert_eq!(code(&house.anybody("ping", &params).await), 41);
    // Sizes that no picture has (see the test of numbers), lists by column names, command lines by format.
    for kind in ["password", "random; DROP TABLE tracks", "byRole", ""] {
        let answer = house.json("getAlbumList2", &[("type", kind)]).await;
        assert!(matches!(code(&answer), 0 | 10), "{kind}: {answer}");
    }
    for format in ["mp3; rm -rf /", "-i /etc/passwd", "../x", "concat:/etc/passwd"] {
        let reply = house
            .http
            .get(house.own_url("stream", &[("id", &song), ("format", format)]))
            .send()
            .await
            .unwrap();
        let bytes = reply.bytes().await.unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("root:"), "{format}");
    }
    // No page of a stranger can act in a listener's name: nothing is remembered by the browser.
    let reply = house.http.get(house.own_url("ping", &[])).send().await.unwrap();
    assert!(
        !reply.headers().contains_key("set-cookie")
            && !reply.headers().contains_key("access-control-allow-credentials")
    );
    house.close().await;
}
