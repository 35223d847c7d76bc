//! What operators see: whether it runs, its figures, and copies of its data.

use segue::server::{Net, Server, accounts, backup};

use crate::database;
use crate::house::{ANN, House, config, data, place};

async fn get(house: &House, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = house.http.get(format!("{}{path}", house.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

/// The value of a line of the figures.
fn figure(text: &str, name: &str) -> usize {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn figures_count_what_was_done_and_name_nobody() {
    let house = House::open().await.with_ann().await;
    assert_eq!(get(&house, "/healthz", &[]).await, (200, "ok\n".into()));
    assert_eq!(get(&house, "/readyz", &[]).await, (200, "ready\n".into()));
    let song = house.song("One").await;
    let bytes = house.http.get(house.own_url("stream", &[("id", &song)])).send().await.unwrap();
    let bytes = bytes.bytes().await.unwrap().len();
    for name in ["made/up", "x1", "getsong", "<script>"] {
        let reply = house.http.get(format!("{}/rest/{name}?apiKey={}", house.base, house.key)).send().await;
        assert_eq!(reply.unwrap().status(), 404, "{name}");
    }
    let (status, text) = get(&house, "/metrics", &[]).await;
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(figure(&text, "segue_requests_total{endpoint=\"stream\",status=\"200\"}"), 1);
    assert_eq!(figure(&text, "segue_requests_total{endpoint=\"unknown\",status=\"404\"}"), 4);
    assert_eq!(figure(&text, "segue_streamed_bytes_total"), bytes);
    assert_eq!(figure(&text, "segue_streams "), 0);
    assert_eq!(figure(&text, "segue_tracks"), 5);
    assert_eq!(figure(&text, "segue_request_duration_seconds_count{endpoint=\"search3\"}"), 1);
    for secret in [&house.key, "admin", ANN.0, song.as_str(), "made"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    house.close().await;
}

#[tokio::test]
async fn figures_are_for_this_machine_and_for_who_administers() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let far = ("x-forwarded-for", "203.0.113.7");
    assert_eq!(get(&house, "/metrics", &[far]).await.0, 401);
    let bearer = |key: &str| format!("Bearer {key}");
    assert_eq!(get(&house, "/metrics", &[far, ("authorization", &bearer(&ann))]).await.0, 401);
    assert_eq!(get(&house, "/metrics", &[far, ("authorization", &bearer("segue_x"))]).await.0, 401);
    assert_eq!(get(&house, "/metrics", &[far, ("authorization", &bearer(&house.key))]).await.0, 200);
    house.close().await;
}

#[tokio::test]
async fn a_backup_of_a_running_server_comes_back_whole() {
    if database::about_files("bringing a backup back") {
        return;
    }
    let house = House::open().await.with_ann().await;
    let app = accounts::new_app_password(&house.catalog, &data(&house.folder), ANN.0, "phone").await.unwrap();
    let song = house.song("One").await;
    assert_eq!(house.json("star", &[("id", &song)]).await["status"], "ok");
    let copy = house.folder.path().join("copy");
    backup::make(&place(&house.folder), &data(&house.folder), &copy, 30).await.unwrap();
    assert!(
        backup::make(&place(&house.folder), &data(&house.folder), &copy, 30)
            .await
            .unwrap_err()
            .to_string()
            .contains("there already")
    );

    // What comes after the backup is not in it.
    assert_eq!(house.json("unstar", &[("id", &song)]).await["status"], "ok");
    accounts::set_password(&house.catalog, ANN.0, "changed").await.unwrap();
    let running = backup::restore(&copy, &data(&house.folder)).await.unwrap_err();
    assert!(running.to_string().contains("stop that first"), "{running}");
    let folder = house.close().await;
    let aside = backup::restore(&copy, &data(&folder)).await.unwrap().unwrap();
    assert!(aside.join("catalog.db").exists() && aside.join("secret.key").exists());

    let house = House::open_over(folder).await;
    let starred = house.json("getStarred2", &[]).await;
    assert_eq!(starred["starred2"]["song"][0]["id"], song.as_str());
    for secret in [ANN.1, &app] {
        let answer = house.anybody("ping", &[("u", ANN.0), ("p", secret)]).await;
        assert_eq!(answer["status"], "ok", "{answer}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_damaged_backup_changes_nothing() {
    if database::about_files("a damaged backup") {
        return;
    }
    let house = House::open().await;
    let song = house.song("One").await;
    let copy = house.folder.path().join("copy");
    backup::make(&place(&house.folder), &data(&house.folder), &copy, 30).await.unwrap();
    let mut folder = house.close().await;
    let file = copy.join("catalog.db");
    let mut bytes = std::fs::read(&file).unwrap();
    for damage in ["scribble", "cut", "not a database", "none"] {
        match damage {
            "scribble" => {
                let end = bytes.len();
                bytes[end / 2..end / 2 + 9000].fill(0x5a);
                std::fs::write(&file, &bytes).unwrap();
            }
            "cut" => std::fs::write(&file, &bytes[..5000]).unwrap(),
            "not a database" => std::fs::write(&file, "hello").unwrap(),
            _ => std::fs::remove_file(&file).unwrap(),
        }
        backup::restore(&copy, &data(&folder)).await.unwrap_err();
        let house = House::open_over(folder).await;
        assert_eq!(house.song("One").await, song, "{damage}");
        folder = house.close().await;
    }
}

#[tokio::test]
async fn running_streams_may_end_after_the_server_was_told_to() {
    let folder = House::open().await.close().await;
    let net = Net { grace: std::time::Duration::from_secs(20), ..Net::default() };
    // Longer than what the sockets take in by themselves.
    let long = folder.path().join("music/long.wav");
    crate::house::long_song(&long, 40_000_000);
    let server = Server::start(segue::server::Config { net, ..config(&folder) }).await.unwrap();
    server.first_scan().await;
    let key = server.issue_key("admin", "test").await.unwrap();
    let base = format!("http://{}", server.addr());
    segue::subsonic::Client::new(&base, segue::subsonic::Credentials::ApiKey(key.clone())).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let found = http.get(format!("{base}/rest/search3?f=json&query=long&apiKey={key}")).send().await.unwrap();
    let found: serde_json::Value = serde_json::from_slice(&found.bytes().await.unwrap()).unwrap();
    let id = found["subsonic-response"]["searchResult3"]["song"][0]["id"].as_str().unwrap().to_owned();
    let mut reply = http.get(format!("{base}/rest/stream?id={id}&apiKey={key}")).send().await.unwrap();
    let length = reply.content_length().unwrap() as usize;
    let mut got = reply.chunk().await.unwrap().unwrap().len();
    let ending = tokio::spawn(server.shutdown());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!ending.is_finished(), "the stream still runs");
    assert!(http.get(format!("{base}/healthz")).send().await.is_err(), "nobody new comes in");
    while let Some(chunk) = reply.chunk().await.unwrap() {
        got += chunk.len();
    }
    assert_eq!(got, length);
    ending.await.unwrap();
}
