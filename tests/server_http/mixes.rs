//! Mixes as playlists, similar songs, nearness by sound; and who wants none of it.

use segue::catalog::Heard;
use segue::mixing;
use segue::music::{EndReason, Play, Sonic, StartReason};
use segue::taste::sonic::VERSION;
use serde_json::Value;

use crate::house::{ANN, House};

fn ids(list: &Value) -> Vec<String> {
    let songs = list.as_array().unwrap_or_else(|| panic!("{list}"));
    songs.iter().map(|song| song["id"].as_str().unwrap().to_owned()).collect()
}

async fn play(house: &House, account: &str, track: &str, times: i64) {
    let account = house.catalog.account_named(account).await.unwrap().unwrap();
    let listener = house.catalog.listener(&account.id);
    for n in 0..times {
        let play = Play {
            track: track.into(),
            started_at: jiff::Timestamp::now().as_millisecond() - n * 1000,
            heard_ms: 1000,
            start: StartReason::Chosen,
            end: EndReason::Finished,
        };
        listener.record_play(&play).await.unwrap();
    }
}

async fn refresh(house: &House) {
    for account in house.catalog.accounts().await.unwrap() {
        let listener = house.catalog.listener(&account.id);
        mixing::refresh(&listener, &jiff::ZonedDateTime::now(), None).await.unwrap();
    }
}

#[tokio::test]
async fn mixes_are_playlists_that_nobody_edits_and_everybody_has_their_own() {
    let house = House::open().await.with_ann().await;
    assert_eq!(
        house.json("getPlaylists", &[]).await["playlists"]["playlist"].as_array().map_or(0, Vec::len),
        0
    );
    play(&house, "admin", &house.song("One").await, 3).await;
    refresh(&house).await;
    let lists = house.json("getPlaylists", &[]).await;
    let lists = lists["playlists"]["playlist"].as_array().unwrap().clone();
    let mix = lists.iter().find(|list| list["id"] == "mix-discover").unwrap_or_else(|| panic!("{lists:?}"));
    assert_eq!((mix["name"].as_str(), mix["readonly"].as_bool()), (Some("Discover"), Some(true)));
    assert!(mix["comment"].as_str().unwrap().contains("4 new to you"), "{mix}");
    let whole = house.json("getPlaylist", &[("id", "mix-discover")]).await;
    let songs = ids(&whole["playlist"]["entry"]);
    assert_eq!(songs.len() as u64, whole["playlist"]["songCount"].as_u64().unwrap());
    assert!(songs.len() == 4 && !songs.contains(&house.song("One").await));
    for (endpoint, params) in [
        ("updatePlaylist", [("playlistId", "mix-discover"), ("name", "mine")]),
        ("createPlaylist", [("playlistId", "mix-discover"), ("songId", songs[0].as_str())]),
        ("deletePlaylist", [("id", "mix-discover"), ("x", "")]),
    ] {
        assert_eq!(house.code(endpoint, &params).await, 50, "{endpoint}");
    }
    assert_eq!(house.code("getPlaylist", &[("id", "mix-nonsense")]).await, 70);
    // Who has not played anything has nothing to discover, but a walk through the library.
    let anns = house.key_of(ANN.0).await;
    let hers = house.anybody("getPlaylist", &[("apiKey", &anns), ("id", "mix-daily-1")]).await;
    assert!(hers["playlist"]["comment"].as_str().unwrap().contains("not played much yet"), "{hers}");
    let nothing = house.anybody("getPlaylist", &[("apiKey", &anns), ("id", "mix-discover")]).await;
    assert_eq!(nothing["error"]["code"], 70);
    house.close().await;
}

#[tokio::test]
async fn similar_and_top_songs_are_of_the_library() {
    let house = House::open().await.with_ann().await;
    let (one, two, three) = (house.song("One").await, house.song("Two").await, house.song("Three").await);
    for endpoint in ["getSimilarSongs", "getSimilarSongs2"] {
        let found = house.json(endpoint, &[("id", &one), ("count", "2")]).await;
        let body = if endpoint == "getSimilarSongs" { "similarSongs" } else { "similarSongs2" };
        let found = ids(&found[body]["song"]);
        assert!(found.len() == 2 && !found.contains(&one), "{found:?}");
        assert_eq!(house.code(endpoint, &[("id", "nowhere")]).await, 70);
        assert_eq!(house.code(endpoint, &[]).await, 10);
    }
    let artist = house.album("First Light").await["artistId"].as_str().unwrap().to_owned();
    let of_artist = house.json("getSimilarSongs2", &[("id", &artist)]).await;
    assert!(
        of_artist["similarSongs2"]["song"].as_array().unwrap().iter().all(|song| song["artist"] != "Alpha")
    );
    play(&house, "admin", &three, 2).await;
    play(&house, ANN.0, &three, 2).await;
    play(&house, ANN.0, &one, 3).await;
    let top = house.json("getTopSongs", &[("artist", "alpha")]).await;
    let top = ids(&top["topSongs"]["song"]);
    assert_eq!(top[..2], [three.clone(), one.clone()]);
    assert_eq!(
        ids(&house.json("getTopSongs", &[("id", &artist), ("count", "1")]).await["topSongs"]["song"]),
        [three]
    );
    assert!(
        house.json("getTopSongs", &[("artist", "nobody")]).await["topSongs"]["song"]
            .as_array()
            .is_none_or(Vec::is_empty)
    );
    let _ = two;
    house.close().await;
}

#[tokio::test]
async fn sounds_are_compared_and_lead_from_one_to_another() {
    let house = House::open().await;
    let (one, three) = (house.song("One").await, house.song("Three").await);
    assert!(
        house.json("getSonicSimilarTracks", &[("id", &one)]).await["sonicMatch"]
            .as_array()
            .is_none_or(Vec::is_empty)
    );
    let all = house.catalog.unheard(VERSION, None, 10).await.unwrap();
    let heard: Vec<Heard> = all
        .iter()
        .map(|track| {
            let value = if track.track.as_str() == one {
                0.0
            } else if track.track.as_str() == three {
                0.1
            } else {
                9.0
            };
            let sound = Sonic { version: VERSION, vector: vec![value, 0.0], ..Sonic::default() };
            Heard {
                track: track.track.clone(),
                size: track.size,
                version: VERSION,
                blocks: String::new(),
                sound: Ok(sound),
            }
        })
        .collect();
    house.catalog.put_heard(&heard).await.unwrap();
    let found = house.json("getSonicSimilarTracks", &[("id", &one), ("count", "2")]).await;
    let found = found["sonicMatch"].as_array().unwrap();
    assert_eq!((found.len(), found[0]["entry"]["id"].as_str()), (2, Some(three.as_str())));
    assert!(found[0]["similarity"].as_f64().unwrap() > 0.9 && found[1]["similarity"].as_f64().unwrap() < 0.2);
    let way =
        house.json("findSonicPath", &[("startSongId", &one), ("endSongId", &three), ("count", "3")]).await;
    let way = way["sonicMatch"].as_array().unwrap();
    assert_eq!(
        (way[0]["entry"]["id"].as_str(), way[0]["similarity"].as_f64()),
        (Some(one.as_str()), Some(1.0))
    );
    assert_eq!(way.last().unwrap()["entry"]["id"].as_str(), Some(three.as_str()));
    assert_eq!(house.code("findSonicPath", &[("startSongId", &one), ("endSongId", "nowhere")]).await, 70);
    let offers = house.json("getOpenSubsonicExtensions", &[]).await.to_string();
    assert!(offers.contains("sonicSimilarity") && offers.contains("seguePrivacy"), "{offers}");
    house.close().await;
}

#[tokio::test]
async fn who_opted_out_is_in_no_model_and_has_no_mixes() {
    let house = House::open().await.with_ann().await;
    let (one, three) = (house.song("One").await, house.song("Three").await);
    play(&house, ANN.0, &three, 5).await;
    play(&house, "admin", &one, 1).await;
    refresh(&house).await;
    let anns = house.key_of(ANN.0).await;
    let ask = async |endpoint: &str, more: &[(&str, &str)]| {
        let mut params = vec![("apiKey", anns.as_str())];
        params.extend_from_slice(more);
        house.anybody(endpoint, &params).await
    };
    assert_eq!(ask("getPrivacy", &[]).await["privacy"]["profiling"], true);
    assert!(!ask("getPlaylists", &[]).await["playlists"]["playlist"].as_array().unwrap().is_empty());
    let before = mixing::train(&house.catalog, 0, |_| ()).await.unwrap();
    assert_eq!((before.lesson.listeners, before.lesson.pairs), (2, 2));

    assert_eq!(ask("setPrivacy", &[("profiling", "false")]).await["privacy"]["profiling"], false);
    let after = mixing::train(&house.catalog, 0, |_| ()).await.unwrap();
    assert_eq!((after.lesson.listeners, after.lesson.pairs), (1, 1));
    refresh(&house).await;
    let lists = ask("getPlaylists", &[]).await["playlists"]["playlist"].clone();
    let names: Vec<&str> =
        lists.as_array().unwrap().iter().map(|list| list["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["mix-popular"]);
    assert_eq!(ask("getPlaylist", &[("id", "mix-daily-1")]).await["error"]["code"], 70);
    let top = ids(&house.json("getTopSongs", &[("artist", "Alpha")]).await["topSongs"]["song"]);
    assert_eq!(top[0], one, "nor do their plays move what others see");
    assert_eq!(house.code("setPrivacy", &[]).await, 10);
    house.close().await;
}
