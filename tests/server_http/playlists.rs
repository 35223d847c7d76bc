//! Playlists and whose they are.

use segue::catalog::{Choice, Rules};
use segue::music::TrackId;
use segue::subsonic::{ErrorCode, PlaylistChange};
use serde_json::json;

use crate::house::{ANN, House};

#[tokio::test]
async fn the_life_of_a_playlist() {
    let house = House::open().await;
    let client = house.client();
    let (one, two, three) = (house.song("One").await, house.song("Two").await, house.song("Three").await);
    let ids = |ids: &[&String]| -> Vec<TrackId> { ids.iter().map(|id| id.as_str().into()).collect() };
    let made =
        client.create_playlist("Röad & <trip>", &ids(&[&one, &two, &one, &three])).await.unwrap().unwrap();
    let id = made.id.clone().into();
    assert_eq!(
        (made.name.as_str(), made.song_count, made.entry.as_ref().unwrap().len()),
        ("Röad & <trip>", 4, 4)
    );
    assert_eq!(
        (made.owner.as_deref(), made.public, made.readonly),
        (Some("admin"), Some(false), Some(false))
    );
    assert!(made.changed.ends_with('Z') && made.created.ends_with('Z'));
    assert!(made.cover_art.is_some());

    let change = PlaylistChange {
        comment: Some("no \"end\"".into()),
        public: Some(true),
        add: ids(&[&two]),
        remove: vec![0, 2],
        ..PlaylistChange::default()
    };
    client.update_playlist(&id, &change).await.unwrap();
    let now = client.playlist(&id).await.unwrap();
    let entries: Vec<_> = now.entry.unwrap().into_iter().map(|song| song.id).collect();
    assert_eq!(entries, [two.clone(), three.clone(), two.clone()]);
    assert_eq!(
        (now.comment.as_deref(), now.public, now.name.as_str()),
        (Some("no \"end\""), Some(true), "Röad & <trip>")
    );

    let replaced = client.replace_playlist(&id, Some("Short"), &ids(&[&three])).await.unwrap().unwrap();
    assert_eq!((replaced.name.as_str(), replaced.song_count), ("Short", 1));
    let emptied = client.replace_playlist(&id, None, &[]).await.unwrap().unwrap();
    assert_eq!((emptied.name.as_str(), emptied.entry), ("Short", Some(vec![])));
    let list = client.playlists().await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].entry, None);
    client.delete_playlist(&id).await.unwrap();
    assert_eq!(client.playlist(&id).await.unwrap_err().code(), Some(ErrorCode::NotFound));

    assert_eq!(house.code("createPlaylist", &[]).await, 10);
    assert_eq!(house.code("createPlaylist", &[("name", "x"), ("songId", "nowhere")]).await, 70);
    assert_eq!(house.code("updatePlaylist", &[]).await, 10);
    assert_eq!(house.code("deletePlaylist", &[("id", "nowhere")]).await, 70);
    house.close().await;
}

#[tokio::test]
async fn nobody_reads_or_changes_what_is_someone_elses() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let song = house.song("One").await;
    let made = house.json("createPlaylist", &[("name", "Mine"), ("songId", &song)]).await;
    let id = made["playlist"]["id"].as_str().unwrap();
    let as_ann = |endpoint: &'static str, params: Vec<(&'static str, &'static str)>| {
        let (house, ann, id) = (&house, &ann, id.to_owned());
        async move {
            let mut all = vec![("apiKey", ann.as_str()), ("id", &id), ("playlistId", &id)];
            all.extend(params);
            house.anybody(endpoint, &all).await
        }
    };
    let changes: [(&'static str, Vec<(&'static str, &'static str)>); 3] = [
        ("updatePlaylist", vec![("name", "hers"), ("public", "true")]),
        ("createPlaylist", vec![("name", "hers")]),
        ("deletePlaylist", vec![]),
    ];
    assert_eq!(as_ann("getPlaylist", vec![]).await["error"]["code"], 70);
    assert_eq!(as_ann("getCoverArt", vec![]).await["error"]["code"], 70);
    assert_eq!(as_ann("getPlaylists", vec![]).await["playlists"]["playlist"], json!([]));
    assert_eq!(as_ann("getPlaylists", vec![("username", "admin")]).await["error"]["code"], 50);
    for (endpoint, params) in &changes {
        assert_eq!(as_ann(endpoint, params.clone()).await["error"]["code"], 70, "{endpoint}");
    }
    // Public: to read, not to change.
    house.json("updatePlaylist", &[("playlistId", id), ("public", "true")]).await;
    let seen = as_ann("getPlaylist", vec![]).await["playlist"].take();
    assert_eq!(
        (&seen["name"], &seen["owner"], &seen["readonly"]),
        (&json!("Mine"), &json!("admin"), &json!(true))
    );
    for (endpoint, params) in changes {
        assert_eq!(as_ann(endpoint, params).await["error"]["code"], 50, "{endpoint}");
    }
    let still = house.json("getPlaylist", &[("id", id)]).await["playlist"].take();
    assert_eq!((&still["name"], &still["songCount"]), (&json!("Mine"), &json!(1)));
    // Who administers may look.
    let hers = house.anybody("createPlaylist", &[("apiKey", &ann), ("name", "Hers")]).await;
    assert_eq!(hers["playlist"]["owner"], ANN.0);
    let list = house.json("getPlaylists", &[("username", ANN.0)]).await["playlists"]["playlist"].take();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["name"]), (1, &json!("Hers")));
    house.close().await;
}

#[tokio::test]
async fn a_smart_playlist_is_one_like_any_other_that_cannot_be_edited() {
    let house = House::open().await.with_ann().await;
    let admin = house.catalog.account_named("admin").await.unwrap().unwrap().id;
    let mut rules = Rules::search("one");
    let id = house.catalog.listener(&admin).create_smart_playlist("Ones", &rules).await.unwrap();
    let list = house.json("getPlaylists", &[]).await["playlists"]["playlist"][0].take();
    assert_eq!(
        (&list["name"], &list["readonly"], &list["owner"]),
        (&json!("Ones"), &json!(true), &json!("admin"))
    );
    assert!(list["validUntil"].is_string());
    let got = house.json("getPlaylist", &[("id", id.as_str())]).await["playlist"].take();
    let songs = got["entry"].as_array().unwrap();
    assert_eq!(json!(songs.len()), list["songCount"]);
    assert!(songs.iter().any(|song| song["title"] == "One"));
    let song = house.song("Two").await;
    for params in [
        [("playlistId", id.as_str()), ("songIdToAdd", song.as_str())],
        [("playlistId", id.as_str()), ("songIndexToRemove", "0")],
    ] {
        assert_eq!(house.code("updatePlaylist", &params).await, 0, "refused with a sentence of its own");
    }
    assert_eq!(house.code("createPlaylist", &[("playlistId", id.as_str()), ("songId", &song)]).await, 0);
    house.json("updatePlaylist", &[("playlistId", id.as_str()), ("name", "First")]).await;
    // It is worked out anew when the library or the rules change.
    rules.choice = Choice::Search("title:two".to_owned());
    house.catalog.listener(&admin).set_smart_rules(&id, &rules).await.unwrap();
    let got = house.json("getPlaylist", &[("id", id.as_str())]).await["playlist"].take();
    assert_eq!((&got["name"], &got["entry"][0]["title"]), (&json!("First"), &json!("Two")));
    let ann = house.key_of(ANN.0).await;
    let hers = house.anybody("getPlaylist", &[("apiKey", &ann), ("id", id.as_str())]).await;
    assert_eq!(hers["error"]["code"], 70);
    house.json("deletePlaylist", &[("id", id.as_str())]).await;
    assert_eq!(house.code("getPlaylist", &[("id", id.as_str())]).await, 70);
    house.close().await;
}

#[tokio::test]
async fn six_hundred_songs_by_form_post() {
    let house = House::open().await;
    let song = house.song("One").await;
    let songs = vec![TrackId::from(song.as_str()); 600];
    let made = house.client().create_playlist("Long", &songs).await.unwrap().unwrap();
    assert_eq!(made.song_count, 600);

    let form: String = std::iter::repeat_n(format!("&songId={song}"), 600).collect();
    let form = format!("apiKey={}&f=json&name=Long+%26+plain{form}", house.key);
    let post = |kind: &'static str, form: String| {
        let request = house.http.post(format!("{}/rest/createPlaylist.view", house.base));
        async move { request.header("content-type", kind).body(form).send().await.unwrap() }
    };
    let reply = post("application/x-www-form-urlencoded; charset=UTF-8", form.clone()).await;
    let answer: serde_json::Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
    let playlist = &answer["subsonic-response"]["playlist"];
    assert_eq!((&playlist["name"], &playlist["songCount"]), (&json!("Long & plain"), &json!(600)));

    // A body of another kind is not looked at, so the key in it does not count.
    let reply = post("application/json", form.clone()).await;
    assert!(reply.text().await.unwrap().contains("code=\"10\""));
    let reply = post("application/x-www-form-urlencoded", form.repeat(60)).await;
    assert_eq!(reply.status(), 413);
    house.close().await;
}
