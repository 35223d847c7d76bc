//! Players that drive each other, and the jukebox: the extension `segueDevices` and `jukeboxControl`.

use std::time::Duration;

use segue::catalog::{Catalog, DeviceTold};
use segue::server::{privacy::Keep, privacy::tidy};
use segue::subsonic::devices::{DeviceCommand, DeviceQueue, DeviceReport};
use segue::subsonic::{Client, Credentials};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};

use crate::hall::{hall, kitchen, queue, with_jukebox};
use crate::house::{ANN, House, code, data};

fn client(house: &House, key: &str) -> Client {
    Client::new(&house.base, Credentials::ApiKey(key.to_owned())).unwrap()
}

/// Changes rows behind the server's back, as time would.
async fn sql(house: &House, statement: &'static str) {
    let file = segue::server::catalog_file(&data(&house.folder));
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    sqlx::query(statement).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

#[tokio::test]
async fn a_device_tells_is_followed_and_does_what_it_is_asked_for() {
    let house = House::open().await.with_ann().await;
    let extensions = house.json("getOpenSubsonicExtensions", &[]).await.to_string();
    assert!(extensions.contains("segueDevices"));
    let ann = client(&house, &house.key_of(ANN.0).await);
    assert_eq!(ann.devices().await.unwrap(), []);
    assert_eq!(ann.report_device(&kitchen(Some(queue(&["a", "b"])))).await.unwrap().last_command, 0);

    let listed = ann.devices().await.unwrap().remove(0);
    assert_eq!((listed.name.as_str(), listed.online, listed.queue), ("kitchen", true, None));
    let status = listed.status.unwrap();
    assert_eq!((status.state.as_str(), status.volume, status.position), ("playing", 70, 1_000));
    assert!(status.age < 60_000);
    let whole = ann.device("k1", -1, Duration::ZERO).await.unwrap();
    assert_eq!(whole.queue, Some(queue(&["a", "b"])));

    // Who follows hears of the next word of the device, and of its queue only when that is another.
    let follow = {
        let (ann, after) = (ann.clone(), whole.revision);
        tokio::spawn(async move { ann.device("k1", after, Duration::from_secs(15)).await.unwrap() })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    ann.report_device(&kitchen(None)).await.unwrap();
    let told = follow.await.unwrap();
    assert_eq!((told.revision, told.queue), (whole.revision + 1, None));
    ann.report_device(&kitchen(Some(queue(&["b"])))).await.unwrap();
    let told = ann.device("k1", told.revision, Duration::from_secs(15)).await.unwrap();
    assert_eq!(told.queue, Some(queue(&["b"])));

    // Commands wait, wake the device, and are gone when it has taken them.
    let waits = {
        let ann = ann.clone();
        tokio::spawn(async move { ann.device_commands("k1", 0, Duration::from_secs(15)).await.unwrap() })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    let seek = DeviceCommand { position: Some(42_000), ..DeviceCommand::plain("seek") };
    let sequence = ann.send_to_device("k1", &seek).await.unwrap();
    let taken = waits.await.unwrap();
    assert_eq!(taken, [DeviceCommand { sequence, ..seek }]);
    let play = DeviceCommand {
        track_id: vec!["a & b".to_owned(), "c=d".to_owned()],
        index: Some(1),
        name: Some("O'Brien".to_owned()),
        shuffle: Some(false),
        ..DeviceCommand::plain("play")
    };
    let second = ann.send_to_device("k1", &play).await.unwrap();
    assert!(second > sequence);
    let taken = ann.device_commands("k1", sequence, Duration::ZERO).await.unwrap();
    assert_eq!(taken, [DeviceCommand { sequence: second, ..play }]);
    assert_eq!(ann.device_commands("k1", second, Duration::ZERO).await.unwrap(), []);
    assert_eq!(ann.device_commands("k1", 0, Duration::ZERO).await.unwrap(), [], "taken is gone");
    assert_eq!(ann.report_device(&kitchen(None)).await.unwrap().last_command, second);

    ann.forget_device("k1").await.unwrap();
    assert_eq!(ann.devices().await.unwrap(), []);
    let gone = ann.send_to_device("k1", &DeviceCommand::plain("pause")).await.unwrap_err();
    assert_eq!(gone.code(), Some(segue::subsonic::ErrorCode::NotFound));
    house.close().await;
}

#[tokio::test]
async fn another_account_sees_nothing_and_reaches_nothing() {
    let house = House::open().await.with_ann().await;
    let ann = client(&house, &house.key_of(ANN.0).await);
    ann.report_device(&kitchen(Some(queue(&["a"])))).await.unwrap();
    // Not even who administers.
    let admin = house.client();
    assert_eq!(admin.devices().await.unwrap(), []);
    for (endpoint, more) in [
        ("getDevice", vec![]),
        ("getDeviceCommands", vec![]),
        ("sendToDevice", vec![("action", "pause")]),
        ("forgetDevice", vec![]),
    ] {
        let mut params = vec![("id", "k1")];
        params.extend(more);
        assert_eq!(house.code(endpoint, &params).await, 70, "{endpoint}");
    }
    // The same id at another account is another device.
    let mut mine = kitchen(None);
    mine.name = "mine".to_owned();
    admin.report_device(&mine).await.unwrap();
    let listed = house.json("getDevices", &[]).await["devices"]["device"].take();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &"mine".into()));
    assert_eq!(ann.devices().await.unwrap()[0].name, "kitchen");
    admin.forget_device("k1").await.unwrap();
    assert_eq!(ann.devices().await.unwrap().len(), 1);
    // It goes with its account.
    segue::server::accounts::remove(&house.catalog, ANN.0).await.unwrap();
    assert_eq!(rows(&house.catalog).await, 0);
    house.close().await;
}

async fn rows(catalog: &Catalog) -> usize {
    let mut rows = 0;
    for account in catalog.accounts().await.unwrap() {
        rows += catalog.devices(&account.id).await.unwrap().len();
    }
    rows
}

#[tokio::test]
async fn of_a_private_session_nothing_is_kept() {
    let house = House::open().await;
    let admin = house.client();
    admin.report_device(&kitchen(Some(queue(&["a", "b"])))).await.unwrap();
    let mut private = kitchen(Some(queue(&["secret"])));
    private.status.private = true;
    private.status.track_id = Some("secret".to_owned());
    admin.report_device(&private).await.unwrap();
    let told = admin.device("k1", -1, Duration::ZERO).await.unwrap();
    assert_eq!(told.queue, Some(DeviceQueue::default()));
    let status = told.status.unwrap();
    assert!(status.private);
    assert_eq!((status.track_id, status.context, status.state.as_str()), (None, None, "playing"));
    house.close().await;
}

#[tokio::test]
async fn devices_that_are_gone_take_nothing_and_are_forgotten() {
    if crate::database::about_files("changing a database by hand") {
        return;
    }
    let house = House::open().await;
    let admin = house.client();
    admin.report_device(&kitchen(None)).await.unwrap();
    let pause = DeviceCommand::plain("pause");
    admin.send_to_device("k1", &pause).await.unwrap();
    // A command that nobody took in time is void: it must not come when the device is back.
    sql(&house, "UPDATE device_commands SET sent_at = sent_at - 31000").await;
    assert_eq!(admin.device_commands("k1", 0, Duration::ZERO).await.unwrap(), []);
    sql(&house, "UPDATE devices SET seen_at = seen_at - 46000").await;
    assert!(!admin.devices().await.unwrap()[0].online);
    let off = admin.send_to_device("k1", &pause).await.unwrap_err();
    assert!(off.to_string().contains("“kitchen” is not on"), "{off}");
    // One that only waits for commands is there.
    admin.device_commands("k1", 0, Duration::ZERO).await.unwrap();
    assert!(admin.devices().await.unwrap()[0].online);

    let now = jiff::Timestamp::now().as_millisecond();
    let folder = data(&house.folder);
    tidy(&house.catalog, &folder, &Keep::default(), now + 29 * 86_400_000).await.unwrap();
    assert_eq!(rows(&house.catalog).await, 1);
    let done = tidy(&house.catalog, &folder, &Keep::default(), now + 31 * 86_400_000).await.unwrap();
    assert!(done.expired.iter().any(|(table, _)| *table == "devices"), "{done:?}");
    assert_eq!(rows(&house.catalog).await, 0);
    house.close().await;
}

#[tokio::test]
async fn what_is_too_much_or_makes_no_sense_is_refused() {
    let house = House::open().await;
    let admin = house.client();
    let base =
        [("id", "k1"), ("name", "kitchen"), ("kind", "speaker"), ("state", "playing"), ("repeat", "off")];
    let with = |more: &[(&'static str, &'static str)]| {
        let mut all: Vec<(&str, &str)> =
            base.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)).collect();
        all.extend_from_slice(more);
        all
    };
    let long = "x".repeat(300).leak();
    let wrong: &[&[(&'static str, &'static str)]] = &[
        &[("id", long)],
        &[("name", long)],
        &[("name", "\u{202e}\u{7}")],
        &[("kind", "<toaster>")],
        &[("state", "asleep")],
        &[("repeat", "twice")],
        &[("volume", "101")],
        &[("volume", "-1")],
        &[("position", "-5")],
        &[("queue", "true"), ("entryId", "a")],
        &[("queue", "true"), ("entryId", "a"), ("entryUid", "x")],
        &[("queue", "true"), ("entryId", "a"), ("entryUid", "1"), ("current", "1")],
        &[("queue", "true"), ("entryId", "a"), ("entryUid", "1"), ("current", "0"), ("upNext", "1")],
        &[("queue", "true"), ("entryId", long), ("entryUid", "1")],
    ];
    for more in wrong {
        assert_eq!(house.code("reportDevice", &with(more)).await, 0, "{more:?}");
    }
    assert_eq!(rows(&house.catalog).await, 0);
    let many: Vec<String> = (0..1001).map(|n| format!("t{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(admin.report_device(&kitchen(Some(queue(&many)))).await.is_err());
    assert_eq!(
        house.json("reportDevice", &with(&[("context", long), ("trouble", long)])).await["status"],
        "ok"
    );
    let status = admin.devices().await.unwrap()[0].status.clone().unwrap();
    assert_eq!(status.context.unwrap().len(), 200, "what is only shown is cut");

    for params in [
        &[("action", "explode")][..],
        &[("action", "play"), ("trackId", long)],
        &[("action", "volume"), ("volume", "101")],
        &[("action", "seek"), ("position", "soon")],
        &[("action", "repeat"), ("repeat", "twice")],
        &[("action", "jump"), ("uid", "x")],
    ] {
        let mut all = vec![("id", "k1")];
        all.extend_from_slice(params);
        assert_eq!(house.code("sendToDevice", &all).await, 0, "{params:?}");
    }
    for params in [&[("action", "play")][..], &[("action", "seek")], &[("action", "")], &[]] {
        let mut all = vec![("id", "k1")];
        all.extend_from_slice(params);
        assert_eq!(house.code("sendToDevice", &all).await, 10, "{params:?}");
    }
    let play = |ids: &[&str]| DeviceCommand {
        track_id: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..DeviceCommand::plain("play")
    };
    assert!(admin.send_to_device("k1", &play(&many)).await.is_err());
    // Nobody fills the server through a device that takes nothing, nor with devices.
    let mut taken = 0;
    while admin.send_to_device("k1", &DeviceCommand::plain("next")).await.is_ok() {
        taken += 1;
        assert!(taken <= 64);
    }
    assert_eq!(taken, 64);
    assert_eq!(admin.device_commands("k1", 0, Duration::ZERO).await.unwrap().len(), 64);
    for n in 2..=24 {
        admin.report_device(&DeviceReport { id: format!("k{n}"), ..kitchen(None) }).await.unwrap();
    }
    assert!(admin.report_device(&DeviceReport { id: "k25".to_owned(), ..kitchen(None) }).await.is_err());
    admin.report_device(&kitchen(None)).await.unwrap();
    assert_eq!(rows(&house.catalog).await, 24);
    house.close().await;
}

#[tokio::test]
async fn what_another_process_of_the_server_wrote_is_found_too() {
    let house = House::open().await;
    let admin = house.client();
    let told = admin.report_device(&kitchen(None)).await.unwrap();
    let account = house.catalog.account_named("admin").await.unwrap().unwrap().id;
    let waits = {
        let admin = admin.clone();
        tokio::spawn(async move { admin.device_commands("k1", 0, Duration::from_secs(15)).await.unwrap() })
    };
    let follows =
        tokio::spawn(
            async move { admin.device("k1", told.revision, Duration::from_secs(15)).await.unwrap() },
        );
    tokio::time::sleep(Duration::from_millis(100)).await;
    // By another handle on the same rows, so that nobody here is told.
    let command = r#"{"action":"pause"}"#;
    let sent = house.catalog.command_device(&account, "k1", command, 0, 64).await.unwrap();
    assert_eq!(waits.await.unwrap()[0].sequence, sent.unwrap().unwrap());
    let other = DeviceTold { id: "k1", name: "bath", kind: "speaker", state: "{}", queue: None };
    house.catalog.tell_device(&account, other, 24).await.unwrap().unwrap();
    assert_eq!(follows.await.unwrap().name, "bath");
    house.close().await;
}

#[tokio::test]
async fn who_waits_is_let_go_when_the_server_ends() {
    let house = House::open().await;
    let admin = house.client();
    admin.report_device(&kitchen(None)).await.unwrap();
    let waits = tokio::spawn(async move { admin.device_commands("k1", 0, Duration::from_secs(15)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.close().await;
    assert_eq!(waits.await.unwrap().unwrap(), []);
}

/// Parameters of `jukeboxControl`, and what the device is asked for then.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [DeviceCommand]);

#[tokio::test]
async fn the_jukebox_plays_what_clients_of_others_ask_for() {
    let house = with_jukebox().await.with_ann().await;
    let songs = [house.song("One").await, house.song("Two").await, house.song("Three").await];
    let off = house.json("jukeboxControl", &[("action", "status")]).await;
    assert_eq!(code(&off), 0);
    assert!(off["error"]["message"].as_str().unwrap().contains("the jukebox “hall” is not on"), "{off}");
    let mut told = hall(&house, &songs).await;

    let key = house.key_of(ANN.0).await;
    let ask = async |params: &[(&str, &str)]| -> Value {
        let mut all = vec![("apiKey", key.as_str())];
        all.extend_from_slice(params);
        house.anybody("jukeboxControl", &all).await
    };
    let status = ask(&[("action", "status")]).await["jukeboxStatus"].take();
    let expected = serde_json::json!({ "currentIndex": 0, "playing": false, "gain": 0.7, "position": 61 });
    assert_eq!(status, expected);
    let list = ask(&[("action", "get")]).await["jukeboxPlaylist"].take();
    assert_eq!(list["entry"].as_array().unwrap().len(), 3);
    assert_eq!((&list["entry"][1]["title"], &list["gain"]), (&"Two".into(), &0.7.into()));
    let all = [("apiKey", key.as_str()), ("action", "get")];
    let xml = house.http.get(house.url("jukeboxControl", &all)).send().await.unwrap().text().await.unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let list = document.root_element().first_element_child().unwrap();
    assert_eq!((list.tag_name().name(), list.attribute("gain")), ("jukeboxPlaylist", Some("0.7")));
    assert_eq!(list.attribute("currentIndex"), Some("0"));
    assert_eq!(
        list.children().filter(|child| child.has_tag_name(("http://subsonic.org/restapi", "entry"))).count(),
        3
    );

    let cases: &[Case<'_>] = &[
        (&[("action", "start")], &[DeviceCommand::plain("resume")]),
        (&[("action", "stop")], &[DeviceCommand::plain("pause")]),
        (
            &[("action", "skip"), ("index", "2"), ("offset", "7")],
            &[DeviceCommand { uid: vec![12], position: Some(7_000), ..DeviceCommand::plain("jump") }],
        ),
        (
            &[("action", "skip"), ("index", "1")],
            &[DeviceCommand { uid: vec![11], position: Some(0), ..DeviceCommand::plain("jump") }],
        ),
        (
            &[("action", "remove"), ("index", "2")],
            &[DeviceCommand { uid: vec![12], ..DeviceCommand::plain("remove") }],
        ),
        (
            &[("action", "remove"), ("index", "0")],
            &[
                DeviceCommand::plain("next"),
                DeviceCommand { uid: vec![10], ..DeviceCommand::plain("remove") },
            ],
        ),
        (
            &[("action", "add"), ("id", &songs[1]), ("id", &songs[0])],
            &[DeviceCommand {
                track_id: vec![songs[1].clone(), songs[0].clone()],
                ..DeviceCommand::plain("extend")
            }],
        ),
        (
            &[("action", "set"), ("id", &songs[2])],
            &[DeviceCommand { track_id: vec![songs[2].clone()], ..DeviceCommand::plain("set") }],
        ),
        (&[("action", "set")], &[DeviceCommand::plain("set")]),
        (&[("action", "clear")], &[DeviceCommand::plain("clear")]),
        (
            &[("action", "shuffle")],
            &[DeviceCommand { shuffle: Some(true), ..DeviceCommand::plain("shuffle") }],
        ),
        (
            &[("action", "setGain"), ("gain", "0.35")],
            &[DeviceCommand { volume: Some(35), ..DeviceCommand::plain("volume") }],
        ),
    ];
    for (params, commands) in cases {
        let answer = ask(params).await;
        assert!(answer["jukeboxStatus"].is_object(), "{params:?}: {answer}");
        for command in *commands {
            let came = told.recv().await.unwrap();
            assert_eq!(DeviceCommand { sequence: 0, ..came }, *command, "{params:?}");
        }
    }
    for params in [
        &[("action", "dance")][..],
        &[("action", "skip"), ("index", "3")],
        &[("action", "skip"), ("index", "-1")],
        &[("action", "setGain"), ("gain", "1.5")],
        &[("action", "setGain"), ("gain", "NaN")],
    ] {
        assert_eq!(code(&ask(params).await), 0, "{params:?}");
    }
    assert_eq!(code(&ask(&[("action", "add"), ("id", "nothing")]).await), 70);
    for params in [&[("action", "skip")][..], &[("action", "setGain")], &[("action", "add")], &[]] {
        assert_eq!(code(&ask(params).await), 10, "{params:?}");
    }
    // Only for who has the role.
    let confined = [("username", ANN.0), ("jukeboxRole", "false")];
    assert_eq!(house.json("updateUser", &confined).await["status"], "ok");
    assert_eq!(code(&ask(&[("action", "status")]).await), 50);
    house.close().await;
}

#[tokio::test]
async fn a_server_without_a_jukebox_says_so() {
    let house = House::open().await;
    let reply = house.http.get(house.own_url("jukeboxControl", &[("action", "get")])).send().await.unwrap();
    assert_eq!(reply.status(), 501);
    assert!(reply.text().await.unwrap().contains("segue serve --jukebox"));
    house.close().await;
}
