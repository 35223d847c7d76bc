//! Stars, ratings and plays, and whose they are.

use segue::music::{Item, TrackId};
use serde_json::json;

use crate::house::{ANN, House};

#[tokio::test]
async fn stars_and_ratings_belong_to_who_gave_them() {
    let house = House::open().await.with_ann().await;
    let client = house.client();
    let one = TrackId::from(house.song("One").await);
    let album = house.album("First Light").await;
    let album_id = album["id"].as_str().unwrap();
    let artist = album["artistId"].as_str().unwrap();
    let items = [Item::Track(one.clone()), Item::Album(album_id.into()), Item::Artist(artist.into())];
    client.star(&items).await.unwrap();
    client.set_rating(&items[0], 4).await.unwrap();
    let starred = client.starred2().await.unwrap();
    assert_eq!((starred.artist.len(), starred.album.len(), starred.song.len()), (1, 1, 1));
    let song = client.song(&one).await.unwrap();
    assert!(song.starred.unwrap().ends_with('Z'));
    assert_eq!(song.user_rating, Some(4));
    let old = house.json("getStarred", &[]).await["starred"].take();
    assert_eq!(old["album"][0]["isDir"], true);

    let ann = house.key_of(ANN.0).await;
    let hers = house.anybody("getStarred2", &[("apiKey", &ann)]).await;
    assert_eq!(hers["starred2"], json!({"artist": [], "album": [], "song": []}));
    let hers = house.anybody("getSong", &[("apiKey", &ann), ("id", one.as_str())]).await;
    assert!(hers["song"].get("starred").is_none() && hers["song"].get("userRating").is_none());

    client.unstar(&items).await.unwrap();
    assert!(client.starred2().await.unwrap().song.is_empty());
    client.set_rating(&items[0], 0).await.unwrap();
    assert_eq!(client.song(&one).await.unwrap().user_rating, None);

    // The oldest clients send the id of an album as that of a folder.
    assert_eq!(house.json("star", &[("id", album_id)]).await["status"], "ok");
    assert_eq!(client.starred2().await.unwrap().album.len(), 1);

    assert_eq!(house.code("star", &[]).await, 10);
    assert_eq!(house.code("star", &[("id", "nowhere")]).await, 70);
    assert_eq!(house.code("star", &[("albumId", one.as_str())]).await, 70);
    assert_eq!(house.code("setRating", &[("id", one.as_str())]).await, 10);
    assert_eq!(house.code("setRating", &[("id", one.as_str()), ("rating", "6")]).await, 0);
    assert_eq!(house.code("setRating", &[("id", one.as_str()), ("rating", "-1")]).await, 0);
    house.close().await;
}

#[tokio::test]
async fn a_play_counts_once_with_the_time_of_the_client() {
    let house = House::open().await;
    let client = house.client();
    let (one, two) = (TrackId::from(house.song("One").await), TrackId::from(house.song("Three").await));
    let began = 1_700_000_000_123;
    let plays = [(one.clone(), began), (two.clone(), began + 60_000)];
    client.scrobble(&plays, false).await.unwrap();
    assert_eq!(client.song(&one).await.unwrap().play_count, Some(0));
    for _ in 0..3 {
        client.scrobble(&plays, true).await.unwrap();
    }
    let song = client.song(&one).await.unwrap();
    assert_eq!((song.play_count, song.played.as_deref()), (Some(1), Some("2023-11-14T22:13:20.123Z")));
    client.scrobble(&[(one.clone(), began + 1)], true).await.unwrap();
    assert_eq!(client.song(&one).await.unwrap().play_count, Some(2));
    assert_eq!(client.song(&two).await.unwrap().play_count, Some(1));

    // One song that is gone does not hold up the others.
    client.scrobble(&[("nowhere".into(), began), (two.clone(), began)], true).await.unwrap();
    assert_eq!(client.song(&two).await.unwrap().play_count, Some(2));
    assert_eq!(house.code("scrobble", &[("id", "nowhere")]).await, 70);
    assert_eq!(house.code("scrobble", &[]).await, 10);
    assert_eq!(house.code("scrobble", &[("id", one.as_str()), ("time", "noon")]).await, 0);

    // Streaming is not listening.
    let url = house.own_url("stream", &[("id", one.as_str())]);
    house.http.get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(client.song(&one).await.unwrap().play_count, Some(2));
    house.close().await;
}
