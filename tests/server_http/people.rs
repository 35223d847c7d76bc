//! Accounts by the API: roles hold, the last administrator stays, and what was done is written down.

use crate::house::{ANN, House, code};

#[tokio::test]
async fn accounts_come_change_and_go_by_the_api() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    for (endpoint, more) in [
        ("createUser", ("password", "x")),
        ("updateUser", ("adminRole", "true")),
        ("deleteUser", ("", "")),
        ("changePassword", ("password", "x")),
    ] {
        let params = [("apiKey", ann.as_str()), ("username", "admin"), more];
        assert_eq!(code(&house.anybody(endpoint, &params).await), 50, "{endpoint}");
    }
    let new = [
        ("username", "bob"),
        ("password", "enc:736573616d65"),
        ("email", "bob@example.org"),
        ("downloadRole", "false"),
        ("shareRole", "false"),
    ];
    assert_eq!(house.json("createUser", &new).await["status"], "ok");
    assert_eq!(house.code("createUser", &new).await, 0, "a second one of that name");
    assert_eq!(house.code("createUser", &[("username", "carl")]).await, 10);
    let bob = house.json("getUser", &[("username", "bob")]).await["user"].take();
    let roles = ["adminRole", "streamRole", "downloadRole", "shareRole", "playlistRole"];
    assert_eq!(roles.map(|role| bob[role].as_bool().unwrap()), [false, true, false, false, true]);

    let as_bob = [("u", "bob"), ("p", "sesame")];
    assert_eq!(house.anybody("ping", &as_bob).await["status"], "ok");
    let own = [as_bob[0], as_bob[1], ("username", "bob"), ("password", "open")];
    assert_eq!(house.anybody("changePassword", &own).await["status"], "ok");
    assert_eq!(code(&house.anybody("ping", &as_bob).await), 40);
    assert_eq!(house.anybody("ping", &[("u", "bob"), ("p", "open")]).await["status"], "ok");

    assert_eq!(house.code("updateUser", &[("username", "admin"), ("adminRole", "false")]).await, 0);
    assert_eq!(house.code("updateUser", &[("username", "nobody")]).await, 70);
    assert_eq!(house.code("deleteUser", &[("username", "admin")]).await, 0);
    assert_eq!(house.json("deleteUser", &[("username", "bob")]).await["status"], "ok");
    assert_eq!(house.code("deleteUser", &[("username", "bob")]).await, 70);

    let deeds = house.catalog.deeds(10).await.unwrap();
    let said: Vec<_> =
        deeds.iter().rev().map(|d| (d.account.as_str(), d.deed.as_str(), d.subject.as_str())).collect();
    assert_eq!(
        said,
        [
            ("admin", "account added", "bob"),
            ("admin", "account read", "bob"),
            ("bob", "password changed", "bob"),
            ("admin", "account removed", "bob")
        ]
    );
    assert!(deeds.iter().all(|deed| deed.address == "127.0.0.0/24"));
    house.close().await;
}

#[tokio::test]
async fn a_role_that_is_missing_is_missing_everywhere() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let song = house.song("One").await;
    let list = house.json("createPlaylist", &[("name", "x"), ("songId", &song)]).await;
    let list = list["playlist"]["id"].as_str().unwrap().to_owned();
    let without = |role| [("username", ANN.0), (role, "false")];
    let refused = [
        ("streamRole", "stream", vec![("id", song.as_str())]),
        ("downloadRole", "download", vec![("id", song.as_str())]),
        ("playlistRole", "createPlaylist", vec![("name", "mine")]),
        ("playlistRole", "updatePlaylist", vec![("playlistId", list.as_str())]),
        ("playlistRole", "deletePlaylist", vec![("id", list.as_str())]),
        ("shareRole", "createShare", vec![("id", song.as_str())]),
    ];
    for (role, endpoint, mut params) in refused {
        params.push(("apiKey", &ann));
        assert_eq!(house.json("updateUser", &without(role)).await["status"], "ok");
        assert_eq!(code(&house.anybody(endpoint, &params).await), 50, "{endpoint} without {role}");
        assert_eq!(house.json("updateUser", &[("username", ANN.0), (role, "true")]).await["status"], "ok");
    }
    let reply = house.http.get(house.url("stream", &[("apiKey", &ann), ("id", &song)])).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "audio/wav");
    house.close().await;
}

#[tokio::test]
async fn a_keys_last_use_is_known_to_the_hour() {
    let house = House::open().await.with_ann().await;
    let key =
        segue::server::accounts::new_api_key(&house.catalog, ANN.0, "radio in the kitchen").await.unwrap();
    let used = async || {
        let all = segue::server::accounts::credentials(&house.catalog, ANN.0).await.unwrap();
        all.iter().find(|key| key.name == "radio in the kitchen").unwrap().used_at
    };
    assert_eq!(used().await, None);
    assert_eq!(house.anybody("ping", &[("apiKey", &key)]).await["status"], "ok");
    assert_eq!(used().await.unwrap() % 3_600_000, 0);
    house.close().await;
}
