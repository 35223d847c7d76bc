//! What a server offers beside its music: shares, radio stations, and what it knows of albums and artists.

use crate::house::{ANN, House, ODD_TITLE, code};

#[tokio::test]
async fn a_share_opens_its_songs_and_nothing_else() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let (odd, other) = (house.song(ODD_TITLE).await, house.song("One").await);
    let made = house
        .anybody("createShare", &[("apiKey", &ann), ("id", &odd), ("description", "<b>for you</b>")])
        .await;
    let share = &made["shares"]["share"][0];
    assert_eq!((&share["username"], &share["visitCount"]), (&ANN.0.into(), &0.into()));
    assert_eq!(share["entry"][0]["id"], odd.as_str());
    assert!(share["expires"].is_string(), "a share ends by itself: {share}");
    let url = share["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&format!("{}/share/", house.base)) && url.len() > house.base.len() + 30, "{url}");

    let page = house.http.get(&url).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let text = page.text().await.unwrap();
    assert!(
        text.contains("&lt;b&gt;for you&lt;/b&gt;") && text.contains("O'Brien &amp; &quot;The &lt;Quotes"),
        "{text}"
    );
    let song = house.http.get(format!("{url}/{odd}")).header("range", "bytes=0-3").send().await.unwrap();
    assert_eq!((song.status().as_u16(), &song.bytes().await.unwrap()[..]), (206, &b"RIFF"[..]));
    assert_eq!(house.http.get(format!("{url}/{other}")).send().await.unwrap().status(), 404);
    assert_eq!(house.http.get(format!("{url}x")).send().await.unwrap().status(), 404);

    let list = house.anybody("getShares", &[("apiKey", &ann)]).await;
    assert_eq!(list["shares"]["share"][0]["visitCount"], 1);
    let id = list["shares"]["share"][0]["id"].as_str().unwrap().to_owned();
    // It can be made to end, by who made it and by who administers.
    let past = (jiff::Timestamp::now().as_millisecond() - 1).to_string();
    assert_eq!(house.json("updateShare", &[("id", &id), ("expires", &past)]).await["status"], "ok");
    assert_eq!(house.http.get(&url).send().await.unwrap().status(), 404);
    let ever = [("apiKey", ann.as_str()), ("id", &id), ("expires", "0"), ("description", "still")];
    assert_eq!(house.anybody("updateShare", &ever).await["status"], "ok");
    assert_eq!(house.http.get(&url).send().await.unwrap().status(), 200);
    assert_eq!(house.anybody("deleteShare", &[("apiKey", &ann), ("id", &id)]).await["status"], "ok");
    assert_eq!(house.http.get(&url).send().await.unwrap().status(), 404);
    house.close().await;
}

#[tokio::test]
async fn shares_of_others_are_closed_and_guesses_are_counted() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let song = house.song("One").await;
    let made = house.json("createShare", &[("id", &song)]).await;
    let id = made["shares"]["share"][0]["id"].as_str().unwrap();
    let url = made["shares"]["share"][0]["url"].as_str().unwrap();
    let as_ann = [("apiKey", ann.as_str()), ("id", id)];
    for endpoint in ["updateShare", "deleteShare"] {
        assert_eq!(code(&house.anybody(endpoint, &as_ann).await), 70, "{endpoint}");
    }
    assert_eq!(house.anybody("getShares", &as_ann).await["shares"]["share"], serde_json::json!([]));
    assert_eq!(house.code("createShare", &[("id", "nothing")]).await, 70);
    assert_eq!(house.code("createShare", &[]).await, 10);
    let mut last = 0;
    for guess in 0..70 {
        last =
            house.http.get(format!("{}/share/{guess}", house.base)).send().await.unwrap().status().as_u16();
    }
    assert_eq!(last, 429);
    // Who guesses is locked out of what they do not know; a listener with a key is not.
    assert_eq!(house.http.get(url).send().await.unwrap().status(), 429);
    assert_eq!(house.json("ping", &[]).await["status"], "ok");
    house.close().await;
}

#[tokio::test]
async fn radio_stations_are_addresses_of_the_web_that_the_server_never_opens() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    let good = [("name", "Ö & <1>"), ("streamUrl", "https://radio.example/live?a=1&b=2")];
    assert_eq!(house.json("createInternetRadioStation", &good).await["status"], "ok");
    for bad in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://x/",
        "http://",
        "x",
        "data:audio/wav,x",
        "http://a/\u{1b}[2J",
    ] {
        let params = [("name", "bad"), ("streamUrl", bad)];
        assert_eq!(house.code("createInternetRadioStation", &params).await, 0, "{bad}");
    }
    let mine = [("apiKey", ann.as_str()), good[0], good[1]];
    assert_eq!(code(&house.anybody("createInternetRadioStation", &mine).await), 50);
    let all = house.anybody("getInternetRadioStations", &[("apiKey", &ann)]).await;
    let stations = all["internetRadioStations"]["internetRadioStation"].as_array().unwrap();
    assert_eq!((stations.len(), &stations[0]["name"]), (1, &good[0].1.into()));
    let id = stations[0]["id"].as_str().unwrap();
    let page = [("id", id), ("name", "Two"), good[1], ("homepageUrl", "https://radio.example/")];
    assert_eq!(house.json("updateInternetRadioStation", &page).await["status"], "ok");
    let all = house.json("getInternetRadioStations", &[]).await;
    assert_eq!(
        all["internetRadioStations"]["internetRadioStation"][0]["homePageUrl"],
        "https://radio.example/"
    );
    assert_eq!(house.code("updateInternetRadioStation", &[("id", "x"), good[0], good[1]]).await, 70);
    assert_eq!(house.json("deleteInternetRadioStation", &[("id", id)]).await["status"], "ok");
    assert_eq!(house.code("deleteInternetRadioStation", &[("id", id)]).await, 70);
    house.close().await;
}

#[tokio::test]
async fn what_the_server_knows_of_albums_and_artists() {
    let house = House::open().await;
    let album = house.album("First Light").await;
    let (id, artist) = (album["id"].as_str().unwrap(), album["artistId"].as_str().unwrap());
    for endpoint in ["getAlbumInfo", "getAlbumInfo2"] {
        let info = house.json(endpoint, &[("id", id)]).await;
        let url = info["albumInfo"]["smallImageUrl"].as_str().unwrap();
        assert!(url.starts_with(&house.base) && !url.contains(&house.key), "no secret in an address: {url}");
    }
    assert!(house.json("getArtistInfo", &[("id", artist)]).await["artistInfo"].is_object());
    assert!(house.json("getArtistInfo2", &[("id", artist)]).await["artistInfo2"].is_object());
    let song = house.song("One").await;
    assert!(house.json("getArtistInfo", &[("id", &song)]).await["artistInfo"].is_object());
    for endpoint in ["getAlbumInfo", "getAlbumInfo2", "getArtistInfo", "getArtistInfo2"] {
        assert_eq!(house.code(endpoint, &[("id", "nothing")]).await, 70, "{endpoint}");
        assert_eq!(house.code(endpoint, &[]).await, 10, "{endpoint}");
    }
    house.close().await;
}

#[tokio::test]
async fn clients_say_what_they_play_and_are_told_what_to_ask_for() {
    let house = House::open().await;
    let song = house.song("One").await;
    let ask = async |body: &str| {
        let url = house
            .own_url("getTranscodeDecision", &[("f", "json"), ("mediaId", &song), ("mediaType", "song")]);
        let reply = house.http.post(url).header("content-type", "application/json").body(body.to_owned());
        let bytes = reply.send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["subsonic-response"].take()
    };
    let plays_wav = r#"{"name":"x","platform":"y","directPlayProfiles":[{"containers":["wav"],"audioCodecs":[],"protocols":["http"]}]}"#;
    let decision = ask(plays_wav).await["transcodeDecision"].take();
    assert_eq!(
        (&decision["canDirectPlay"], &decision["sourceStream"]["codec"]),
        (&true.into(), &"pcm".into())
    );
    let plays_opus = r#"{"name":"x","platform":"y","directPlayProfiles":[],
        "transcodingProfiles":[{"container":"ogg","audioCodec":"opus","protocol":"http"}]}"#;
    let decision = ask(plays_opus).await["transcodeDecision"].take();
    assert_eq!(decision["canDirectPlay"], false);
    let extensions = house.json("getOpenSubsonicExtensions", &[]).await.to_string();
    assert_eq!(decision["canTranscode"], extensions.contains("\"transcoding\""), "{decision}");
    for bad in ["", "{", "[]", "7"] {
        assert!(matches!(code(&ask(bad).await), 0 | 10), "{bad}");
    }
    assert_eq!(house.code("getTranscodeDecision", &[("mediaId", &song), ("mediaType", "song")]).await, 10);
    assert_eq!(house.code("getTranscodeDecision", &[("mediaId", &song), ("mediaType", "podcast")]).await, 70);
    for ticket in ["opus-128;rm", "../../x-1", "wav-1", "opus-99999999999"] {
        let params = [("mediaId", song.as_str()), ("mediaType", "song"), ("transcodeParams", ticket)];
        assert_eq!(house.code("getTranscodeStream", &params).await, 0, "{ticket}");
    }
    house.close().await;
}

#[tokio::test]
async fn the_oldest_search_pictures_of_accounts_and_what_is_left_out() {
    let house = House::open().await.with_ann().await;
    let found = house.json("search", &[("any", "two"), ("count", "1")]).await["searchResult"].take();
    assert_eq!((&found["match"][0]["title"], &found["offset"]), (&"Two".into(), &0.into()));
    let found = house.json("search", &[("title", "one"), ("artist", "alpha")]).await["searchResult"].take();
    assert_eq!(found["totalHits"], 1);
    assert_eq!(house.json("search", &[]).await["searchResult"]["totalHits"], 0);

    let ann = house.key_of(ANN.0).await;
    let picture = async |key: &str, name: &str| {
        let url = house.url("getAvatar", &[("apiKey", key), ("username", name)]);
        house.http.get(url).send().await.unwrap().bytes().await.unwrap()
    };
    let own = picture(&ann, ANN.0).await;
    assert_eq!(image::load_from_memory(&own).unwrap().width(), 240);
    assert_eq!(own, picture(&house.key, ANN.0).await);
    assert_ne!(own, picture(&house.key, "admin").await);
    assert!(String::from_utf8_lossy(&picture(&ann, "admin").await).contains("code=\"50\""));

    for endpoint in ["getPodcasts", "getVideos", "getChatMessages", "hls.m3u8"] {
        assert_eq!(code(&house.anybody(endpoint, &[]).await), 10, "{endpoint}: who comes?");
        let reply = house.http.get(house.own_url(endpoint, &[])).send().await.unwrap();
        assert_eq!(reply.status(), 501, "{endpoint}");
        assert!(reply.text().await.unwrap().contains("music only"));
    }
    house.close().await;
}
