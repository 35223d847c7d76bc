//! The known holes of other servers of this kind, each asked for here. `docs/security.md` says which is which.

use std::net::TcpListener;

use segue::server::{accounts, catalog_file};
use segue::subsonic::auth::token;
use sqlx::Connection as _;

use crate::house::{ANN, House, code, data};

/// Everything that the page must name.
const KNOWN: &[&str] = &[
    "CVE-2023-51442",
    "GHSA-wq59-4q6r-635r",
    "CVE-2024-47062",
    "GHSA-58vj-cv5w-v4v6",
    "CVE-2025-48949",
    "GHSA-5wgp-vjxm-3x2r",
    "CVE-2022-23857",
    "GHSA-hm54-32q6-3rcr",
    "CVE-2025-27112",
    "GHSA-c3p4-vm8f-386p",
    "CVE-2025-48948",
    "GHSA-f238-rggp-82m3",
    "CVE-2024-32963",
    "GHSA-4jrx-5w4h-3gpm",
    "CVE-2026-25579",
    "1e7996f5d",
    "#5769",
    "#5426",
    "#5189",
    "GHSA-hmgp-w9jm-vp95",
    "CVE-2026-49340",
    "GHSA-4gxv-p5g5-j7w7",
    "CVE-2024-51487",
    "CVE-2024-51489",
    "gonic#587",
    "airsonic#69",
    "GHSA-82gh-4ggp-gfg5",
    "GHSA-mc6w-69r3-62h8",
    "GHSA-9p5f-5x8v-x65m",
    "CVE-2024-56362",
    "GHSA-xwx7-p63r-2rj8",
    "GHSA-pr2j-mfc8-qjcc",
    "GHSA-p994-r776-mw52",
    "GHSA-f295-6wp9-qqfg",
    "GHSA-wp9c-pw66-c6j2",
    "GHSA-3g4p-jhv2-xrxf",
    "GHSA-f22h-6qxh-rqq2",
    "GHSA-r5qr-m328-qcf4",
    "GHSA-8hjf-6h34-82hr",
    "GHSA-vwq6-xrw5-phpg",
    "Supysonic 0.7.9",
    "maneki 0.29",
];

/// Each of them stands in the page, and each row of the page names a test that there is.
#[test]
fn the_page_names_a_test_for_each() {
    let page = std::fs::read_to_string("docs/security.md").unwrap();
    let tests = std::fs::read_to_string("tests/server_http/advisories.rs").unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .skip_while(|line| !line.starts_with("| known as |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    for known in KNOWN {
        assert!(rows.iter().any(|row| row[0].contains(known)), "docs/security.md lacks {known}");
    }
    for row in &rows {
        let test = row.last().unwrap().trim_matches('`');
        assert!(tests.contains(&format!("fn {test}()")), "there is no test {test}");
    }
    assert!(rows.len() >= 15, "{}", rows.len());
}

#[tokio::test]
async fn no_secret_is_the_same_twice() {
    let (one, other) = (House::open().await, House::open().await);
    let secrets = |house: &House| {
        let key = std::fs::read(data(&house.folder).join("secret.key")).unwrap();
        let first = house.server.as_ref().unwrap().first_account().unwrap().clone();
        (key, first.made_up_password.unwrap(), house.key.clone())
    };
    let (first, second) = (secrets(&one), secrets(&other));
    let (key, password, _) = &first;
    assert!(*key != second.0 && *password != second.1 && first.2 != second.2);
    assert!(key.len() >= 32 && password.len() >= 20);
    // The key that seals is not kept beside what it seals.
    if !crate::database::on_server() {
        let catalog = std::fs::read(catalog_file(&data(&one.folder))).unwrap();
        assert!(!catalog.windows(key.len()).any(|window| window == &key[..]));
    }
    one.close().await;
    other.close().await;
}

#[tokio::test]
async fn names_are_exact_and_columns_have_none() {
    let house = House::open().await.with_ann().await;
    for name in ["%", "_%", "ann%", "ANN & CO", "ann & co' --", "ann & co\0", "*", "ann & co "] {
        let answer = house.anybody("ping", &[("u", name), ("p", ANN.1)]).await;
        assert_eq!(code(&answer), 40, "{name:?}");
    }
    let plain = house.json("getAlbumList2", &[("type", "alphabeticalByName")]).await;
    for column in ["password", "password_hash", "_sort", "order", "filter", "role", "where", "username"] {
        let more = [("type", "alphabeticalByName"), (column, "a%' OR 1=1")];
        assert_eq!(house.json("getAlbumList2", &more).await, plain, "{column}");
    }
    house.close().await;
}

#[tokio::test]
async fn lists_are_chosen_by_known_words_only() {
    let house = House::open().await;
    for kind in ["password", "role", "name; DROP TABLE tracks", "random()", "1", "byGenre' OR '1'='1"] {
        assert_eq!(house.code("getAlbumList2", &[("type", kind)]).await, 0, "{kind}");
    }
    for genre in ["' OR '1'='1", "%", "Rock' UNION SELECT password_hash FROM accounts --"] {
        let found = house.json("getSongsByGenre", &[("genre", genre)]).await;
        assert_eq!(found["songsByGenre"]["song"], serde_json::json!([]), "{genre}");
        let found = house.json("getAlbumList2", &[("type", "byGenre"), ("genre", genre)]).await;
        assert_eq!(found["albumList2"]["album"], serde_json::json!([]), "{genre}");
    }
    house.close().await;
}

#[tokio::test]
async fn nobody_has_the_token_of_an_empty_password() {
    let house = House::open().await.with_ann().await;
    let empty = token("", "salt12");
    let mut said = Vec::new();
    for name in ["nobody", ANN.0, "admin"] {
        let answer = house.anybody("ping", &[("u", name), ("t", &empty), ("s", "salt12")]).await;
        assert_eq!(code(&answer), 41, "{name}");
        said.push(answer["error"].clone());
        let answer = house.anybody("ping", &[("u", name), ("p", "enc:")]).await;
        assert_eq!(code(&answer), 40, "{name}");
    }
    assert!(said.iter().all(|error| *error == said[0]), "who exists does not show: {said:?}");
    house.close().await;
}

#[tokio::test]
async fn commands_are_nobodys_to_change() {
    let house = House::open().await;
    let song = house.song("One").await;
    let canary = house.folder.path().join("canary");
    let touch = format!("mp3; touch {}", canary.display());
    let options = format!("-i /etc/passwd -f data {}", canary.display());
    for format in [touch.as_str(), &options, "$(id)", "`id`", "mp3\n-y\nx", "concat:/etc/passwd", "%s%n"] {
        for endpoint in ["stream", "download"] {
            let url = house.own_url(endpoint, &[("id", &song), ("format", format), ("maxBitRate", "64")]);
            let reply = house.http.get(url).send().await.unwrap();
            assert!(reply.status().as_u16() < 500, "{endpoint} {format}: {}", reply.status());
            assert!(!String::from_utf8_lossy(&reply.bytes().await.unwrap()).contains("root:"), "{format}");
        }
    }
    assert!(!canary.exists());
    for endpoint in ["createTranscoding", "updateTranscoding", "transcoding", "api/transcoding"] {
        let reply = house.http.get(house.own_url(endpoint, &[("command", "id")])).send().await.unwrap();
        assert_eq!(reply.status(), 404, "{endpoint}");
    }
    house.close().await;
}

#[tokio::test]
async fn the_owner_is_who_asks() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let claims = [("apiKey", ann.as_str()), ("name", "mine"), ("owner", "admin"), ("ownerId", "1")];
    let made = house.anybody("createPlaylist", &[&claims[..], &[("username", "admin")]].concat()).await;
    assert_eq!(made["playlist"]["owner"], ANN.0);
    let song = house.song("One").await;
    let claims = [("apiKey", ann.as_str()), ("id", &song), ("username", "admin"), ("owner", "admin")];
    let made = house.anybody("createShare", &claims).await;
    assert_eq!(made["shares"]["share"][0]["username"], ANN.0);
    let body = r#"{"ownerId":"admin","owner":"admin","username":"admin"}"#;
    let url = house.url("createPlaylist", &[("apiKey", &ann), ("name", "by body"), ("f", "json")]);
    let reply =
        house.http.post(url).header("content-type", "application/json").body(body).send().await.unwrap();
    assert!(reply.text().await.unwrap().contains(&format!("\"owner\":\"{}\"", ANN.0)));
    house.close().await;
}

#[tokio::test]
async fn pictures_have_limits() {
    let house = House::open().await;
    let song = house.song("One").await;
    for size in ["0", "-1", "1", "999999999", "9223372036854775807"] {
        let url = house.own_url("getCoverArt", &[("id", &song), ("size", size)]);
        let bytes = house.http.get(url).send().await.unwrap().bytes().await.unwrap();
        let picture = image::load_from_memory(&bytes).unwrap();
        assert!(picture.width() <= 300 && picture.height() <= 200, "{size}");
    }
    // However large a number is asked for, one picture is kept for it.
    let kept = std::fs::read_dir(data(&house.folder).join("covers")).map_or(0, Iterator::count);
    assert!(kept <= 2, "{kept}");
    house.close().await;
}

#[tokio::test]
async fn shares_end_and_are_their_owners() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let song = house.song("One").await;
    let made = house.json("createShare", &[("id", &song), ("expires", "1")]).await;
    let share = &made["shares"]["share"][0];
    let (id, url) = (share["id"].as_str().unwrap(), share["url"].as_str().unwrap());
    let secret = url.rsplit('/').next().unwrap();
    assert!(secret.len() >= 32, "128 bits at least: {secret}");
    assert_eq!(house.http.get(url).send().await.unwrap().status(), 404, "it has ended");
    assert_eq!(house.http.get(format!("{url}/{song}")).send().await.unwrap().status(), 404);
    assert_eq!(house.json("updateShare", &[("id", id), ("expires", "0")]).await["status"], "ok");
    assert_eq!(house.http.get(url).send().await.unwrap().status(), 200);
    let all = house.anybody("getShares", &[("apiKey", &ann)]).await;
    assert_eq!(all["shares"]["share"], serde_json::json!([]), "others' shares do not show");
    assert_eq!(code(&house.anybody("updateShare", &[("apiKey", &ann), ("id", id)]).await), 70);
    // The id, which listeners see, is not the address.
    assert_eq!(house.http.get(format!("{}/share/{id}", house.base)).send().await.unwrap().status(), 404);
    house.close().await;
}

#[tokio::test]
async fn playlists_are_their_owners() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let song = house.song("One").await;
    let made = house.json("createPlaylist", &[("name", "private"), ("songId", &song)]).await;
    let list = made["playlist"]["id"].as_str().unwrap();
    let cases = [
        ("getPlaylist", "id"),
        ("updatePlaylist", "playlistId"),
        ("createPlaylist", "playlistId"),
        ("deletePlaylist", "id"),
        ("getCoverArt", "id"),
        ("createShare", "id"),
        ("getMusicDirectory", "id"),
    ];
    for (endpoint, name) in cases {
        let answer = house.anybody(endpoint, &[("apiKey", &ann), (name, list), ("name", "taken")]).await;
        assert_eq!(code(&answer), 70, "{endpoint}");
    }
    let kept = house.json("getPlaylist", &[("id", list)]).await;
    assert_eq!((&kept["playlist"]["name"], &kept["playlist"]["songCount"]), (&"private".into(), &1.into()));
    for endpoint in ["downloadPodcastEpisode", "deletePodcastEpisode", "createPodcastChannel"] {
        let url = house.url(endpoint, &[("apiKey", &ann), ("id", "1"), ("url", "http://127.0.0.1/")]);
        assert_eq!(house.http.get(url).send().await.unwrap().status(), 501, "{endpoint}");
    }
    house.close().await;
}

/// Every file below a folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

#[tokio::test]
async fn words_of_listeners_never_make_paths() {
    let house = House::open().await;
    let song = house.song("One").await;
    let music = house.folder.path().join("music");
    let before = files(&music);
    let words =
        ["../../../canary", "/tmp/../canary.m3u", "..\\canary", "%2e%2e%2fcanary", "canary\0.m3u", "."];
    for word in words {
        house.json("createPlaylist", &[("name", word), ("songId", &song)]).await;
        house.json("createShare", &[("id", &song), ("description", word)]).await;
        house.json("ping", &[("c", word)]).await;
        house.json("savePlayQueue", &[("id", &song), ("current", &song), ("c", word)]).await;
        house.json("createUser", &[("username", word), ("password", "x")]).await;
        house
            .http
            .get(house.own_url("getAvatar", &[("username", "admin"), ("c", word)]))
            .send()
            .await
            .unwrap();
        for id in [word, "../data/catalog.db", "file:///etc/passwd", "/etc/passwd"] {
            assert_eq!(house.code("getCoverArt", &[("id", id), ("size", "64")]).await, 70, "{id:?}");
        }
        assert_eq!(house.code("getAlbum", &[("id", word)]).await, 70);
    }
    assert_eq!(files(&music), before, "nothing is written into the music");
    let own = files(&data(&house.folder));
    assert!(own.iter().all(|file| !file.to_string_lossy().contains("canary")), "{own:?}");
    assert!(files(house.folder.path()).iter().all(|file| !file.to_string_lossy().contains("canary")));
    house.close().await;
}

#[tokio::test]
async fn browsers_hold_nothing_that_strangers_could_use() {
    let house = House::open().await;
    for url in [house.own_url("ping", &[]), house.own_url("getUsers", &[]), format!("{}/", house.base)] {
        let reply = house.http.get(url).header("origin", "https://evil.example").send().await.unwrap();
        let headers = reply.headers();
        assert!(!headers.contains_key("set-cookie"));
        assert!(!headers.contains_key("access-control-allow-credentials"));
        assert!(!headers.contains_key("www-authenticate"), "no log-in that browsers remember");
        assert_eq!(headers["referrer-policy"], "no-referrer", "addresses hold secrets");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    }
    house.close().await;
}

#[tokio::test]
async fn passwords_cannot_be_read_back() {
    let house = House::open().await.with_ann().await;
    let key = accounts::new_api_key(&house.catalog, ANN.0, "laptop").await.unwrap();
    let app = accounts::new_app_password(&house.catalog, &data(&house.folder), ANN.0, "phone").await.unwrap();
    let said = house.json("getUser", &[("username", ANN.0)]).await.to_string();
    let said = said + &house.json("getUsers", &[]).await.to_string();
    let (folder, session) = (data(&house.folder), house.key.clone());
    let root = house.close().await;
    for secret in [ANN.1, &key, &app, &session] {
        assert!(!said.contains(secret));
        for file in files(&folder) {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds a secret as it is", file.display());
        }
    }
    drop(root);
}

#[tokio::test]
async fn answers_are_whole_whatever_comes() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let text = async |url: String| house.http.get(url).send().await.unwrap().text().await.unwrap();
    let said =
        text(house.own_url("ping", &[("f", "jsonp"), ("callback", "<script>alert(1)</script>")])).await;
    assert!(!said.contains("<script>"), "{said}");
    let said = text(house.own_url("getAlbumList2", &[("type", "newest"), ("size", "abc")])).await;
    assert!(
        said.contains("code=\"0\"") && !said.contains("ParseIntError") && !said.contains("invalid digit")
    );
    // What XML cannot hold never gets into XML.
    for name in ["a\u{1}b", "a\u{b}\u{c}b", "\u{fffe}", "]]>&<\"'", "\u{0}"] {
        house.json("createPlaylist", &[("name", name)]).await;
    }
    let lists = text(house.own_url("getPlaylists", &[])).await;
    roxmltree::Document::parse(&lists).unwrap_or_else(|error| panic!("{error}: {lists}"));
    let found = house.json("search3", &[("query", "\u{0}")]).await;
    assert!(found["searchResult3"]["song"].as_array().is_none_or(Vec::is_empty), "not everything: {found}");
    // Every refusal has its envelope, also of what is wrong before any handler.
    for (endpoint, params) in [
        ("getSong", vec![("id", "")]),
        ("scrobble", vec![("id", "x"), ("time", "[]")]),
        ("nothing", vec![]),
        ("getUsers", vec![]),
    ] {
        let params = [vec![("apiKey", ann.as_str())], params].concat();
        assert!(matches!(code(&house.anybody(endpoint, &params).await), 0 | 10 | 50 | 70), "{endpoint}");
    }
    house.close().await;
}

#[tokio::test]
async fn strangers_cannot_claim_another_address() {
    let house = House::open().await.with_ann().await;
    let mut last = 0;
    for guess in 0..12 {
        let url = house.url("ping", &[("u", ANN.0), ("p", "guess")]);
        let reply = house
            .http
            .get(url)
            .header("x-forwarded-for", format!("198.51.100.{guess}"))
            .header("x-real-ip", format!("198.51.100.{guess}"))
            .header("forwarded", format!("for=198.51.100.{guess}"))
            .send()
            .await
            .unwrap();
        last = reply.status().as_u16();
    }
    assert_eq!(last, 429);
    house.close().await;
}

#[tokio::test]
async fn nothing_that_is_asked_makes_the_server_call_out() {
    let house = House::open().await;
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let at = format!("http://{}/x", inside.local_addr().unwrap());
    let song = house.song("One").await;
    let new = [("name", "in here"), ("streamUrl", at.as_str()), ("homepageUrl", &at)];
    assert_eq!(house.json("createInternetRadioStation", &new).await["status"], "ok");
    house.json("getInternetRadioStations", &[]).await;
    // Names are as good as addresses: what they lead to is nobody's to choose.
    let named = at.replace("127.0.0.1", "localhost");
    let decimal = at.replace("127.0.0.1", "2130706433");
    for at in [&at, &named, &decimal] {
        for endpoint in
            ["getCoverArt", "stream", "download", "getAlbumInfo2", "getArtistInfo2", "createShare"]
        {
            house.http.get(house.own_url(endpoint, &[("id", at), ("url", at)])).send().await.unwrap();
        }
    }
    for endpoint in ["createPodcastChannel", "getNewestPodcasts", "downloadPodcastEpisode", "jukeboxControl"]
    {
        house.http.get(house.own_url(endpoint, &[("url", &at), ("id", &at)])).send().await.unwrap();
    }
    house.http.get(house.own_url("stream", &[("id", &song), ("format", &at)])).send().await.unwrap();
    let proxied =
        format!("GET {at} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", inside.local_addr().unwrap());
    let mut socket = tokio::net::TcpStream::connect(house.base.trim_start_matches("http://")).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, proxied.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut said).await.unwrap();
    assert!(said.starts_with(b"HTTP/1.1 404"));
    let called = inside.accept();
    assert!(
        called.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
        "the server called out"
    );
    house.close().await;
}

/// What the database holds opens nothing: neither as it stands there nor without the key that lies beside it.
#[tokio::test]
async fn who_reads_the_database_can_log_in_nowhere() {
    if crate::database::about_files("reading the database by hand") {
        return;
    }
    let house = House::open().await.with_ann().await;
    let key = accounts::new_api_key(&house.catalog, ANN.0, "phone").await.unwrap();
    let app = accounts::new_app_password(&house.catalog, &data(&house.folder), ANN.0, "old").await.unwrap();
    assert_eq!(house.anybody("ping", &[("apiKey", &key)]).await["status"], "ok");
    assert_eq!(house.anybody("ping", &[("u", ANN.0), ("p", &app)]).await["status"], "ok");

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(catalog_file(&data(&house.folder)));
    let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let mut found: Vec<String> = Vec::new();
    for sql in [
        "SELECT password_hash FROM accounts",
        "SELECT digest FROM api_keys",
        "SELECT id FROM api_keys",
        "SELECT sealed FROM app_passwords",
        "SELECT id FROM app_passwords",
        "SELECT value FROM settings",
        "SELECT id FROM accounts",
    ] {
        found.extend(sqlx::query_scalar::<_, String>(sql).fetch_all(&mut conn).await.unwrap());
    }
    assert!(found.len() >= 6, "{found:?}");
    for text in &found {
        assert!(!text.contains(&key) && !text.contains(&app) && !text.contains(ANN.1), "{text}");
        let token = token(text, "salty1");
        for claim in [
            vec![("apiKey", text.as_str())],
            vec![("u", ANN.0), ("p", text)],
            vec![("u", ANN.0), ("t", &token), ("s", "salty1")],
        ] {
            let code = code(&house.anybody("ping", &claim).await);
            assert!([10, 40, 41, 44].contains(&code), "{code} for {text}");
        }
    }
    house.close().await;
}

/// A picture or words beside the music are sent only where they are that, whatever a link of that name leads to.
#[cfg(unix)]
#[tokio::test]
async fn links_in_the_library_lead_to_music_only() {
    if crate::house::over_a_store() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let album = folder.path().join("music/a");
    crate::house::song(&album.join("1.wav"), "Song", "Alpha", "Album", 1, 2001, "Rock");
    let secret = folder.path().join("passwords.txt");
    std::fs::write(&secret, "root:canary:0:0").unwrap();
    for link in ["cover.jpg", "folder.png", "1.lrc", "2.mp3", "3.flac"] {
        std::os::unix::fs::symlink(&secret, album.join(link)).unwrap();
    }
    let house = House::open_over(folder).await;
    house.server.as_ref().unwrap().first_scan().await;
    let song = house.song("Song").await;
    let whole = house.json("getSong", &[("id", &song)]).await;
    let mut ids = vec![song.clone(), whole["song"]["albumId"].as_str().unwrap().to_owned()];
    ids.extend(whole["song"]["coverArt"].as_str().map(str::to_owned));
    for endpoint in ["getCoverArt", "getLyricsBySongId", "stream", "download", "getAlbum", "search3"] {
        for id in &ids {
            let url = house.own_url(endpoint, &[("id", id), ("query", ""), ("enhanced", "true")]);
            let bytes = house.http.get(url).send().await.unwrap().bytes().await.unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{endpoint}");
        }
    }
    house.close().await;
}
