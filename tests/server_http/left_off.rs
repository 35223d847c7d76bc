//! Queues, bookmarks, and what is heard now.

use segue::music::{PlayQueue, TrackId};
use segue::subsonic::PlaybackReport;
use serde_json::json;

use crate::house::{ANN, House, ODD_TITLE};

#[tokio::test]
async fn a_queue_goes_from_one_player_to_the_next() {
    let house = House::open().await.with_ann().await;
    let client = house.client();
    let (one, odd) = (house.song("One").await, house.song(ODD_TITLE).await);
    assert_eq!(client.play_queue(true).await.unwrap(), None);
    assert_eq!(house.json("getPlayQueue", &[]).await["status"], "ok");

    // The same song twice: only the index tells which of them plays.
    let tracks: Vec<TrackId> = [&one, &odd, &one].map(|id| TrackId::from(id.as_str())).to_vec();
    let queue =
        PlayQueue { tracks, current: 2, position_ms: 61_500, changed_at: 0, changed_by: String::new() };
    client.save_play_queue(&queue, true).await.unwrap();
    let left = client.play_queue(true).await.unwrap().unwrap();
    assert_eq!(
        (left.current_index, left.position, left.changed_by.as_str()),
        (Some(2), Some(61_500), "segue")
    );
    assert_eq!(left.entry.iter().map(|song| song.id.as_str()).collect::<Vec<_>>(), [&one, &odd, &one]);
    assert_eq!(house.json("getPlayQueueByIndex", &[]).await["playQueueByIndex"]["currentIndex"], 2);
    let old = house.json("getPlayQueue", &[]).await;
    assert_eq!(old["playQueue"]["current"], json!(one));
    assert_eq!(old["playQueue"]["entry"].as_array().unwrap().len(), 3);
    assert_eq!(old["playQueue"]["username"], "admin");

    let ann = house.key_of(ANN.0).await;
    assert!(house.anybody("getPlayQueue", &[("apiKey", &ann)]).await.get("playQueue").is_none());

    // Songs that are gone leave the queue without moving it.
    house.catalog.remove_tracks(&[TrackId::from(odd.as_str())]).await.unwrap();
    let left = client.play_queue(true).await.unwrap().unwrap();
    assert_eq!((left.current_index, left.position, left.entry.len()), (Some(1), Some(61_500), 2));

    let bad = [("id", one.as_str()), ("currentIndex", "1")];
    assert_eq!(house.code("savePlayQueueByIndex", &bad).await, 0);
    assert_eq!(house.code("savePlayQueueByIndex", &[("id", one.as_str())]).await, 10);
    assert_eq!(house.code("savePlayQueue", &[("id", one.as_str()), ("current", "nowhere")]).await, 0);
    assert_eq!(house.json("savePlayQueue", &[]).await["status"], "ok");
    assert_eq!(client.play_queue(false).await.unwrap(), None);
    house.close().await;
}

#[tokio::test]
async fn bookmarks_are_kept_moved_and_taken_away() {
    let house = House::open().await;
    let one = house.song("One").await;
    let at = |position| [("id", one.as_str()), ("position", position), ("comment", "here & <now>")];
    assert_eq!(house.json("createBookmark", &at("50")).await["status"], "ok");
    assert_eq!(house.json("createBookmark", &at("75")).await["status"], "ok");
    let marks = house.json("getBookmarks", &[]).await["bookmarks"]["bookmark"].take();
    assert_eq!(marks.as_array().unwrap().len(), 1);
    assert_eq!((&marks[0]["position"], &marks[0]["comment"]), (&json!(75), &json!("here & <now>")));
    assert_eq!(marks[0]["entry"]["title"], "One");
    let at = |name: &str| marks[0][name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(at("created") <= at("changed"));
    assert_eq!(house.code("createBookmark", &[("id", "nowhere"), ("position", "1")]).await, 70);
    assert_eq!(house.code("createBookmark", &[("id", &one)]).await, 10);
    assert_eq!(house.json("deleteBookmark", &[("id", &one)]).await["status"], "ok");
    assert_eq!(house.code("deleteBookmark", &[("id", &one)]).await, 70);
    assert_eq!(house.json("getBookmarks", &[]).await["bookmarks"], json!({"bookmark": []}));
    house.close().await;
}

#[tokio::test]
async fn what_is_heard_now_is_told_and_forgotten() {
    let house = House::open().await.with_ann().await;
    let client = house.client();
    let one = TrackId::from(house.song("One").await);
    assert_eq!(client.now_playing().await.unwrap(), []);
    let report = |state, position_ms| PlaybackReport { track: one.clone(), position_ms, state, rate: 1.0 };
    client.report_playback(&report("starting", 0)).await.unwrap();
    client.report_playback(&report("paused", 42)).await.unwrap();
    let playing = client.now_playing().await.unwrap();
    assert_eq!(playing.len(), 1);
    assert_eq!(playing[0].song.title, "One");
    assert_eq!(playing[0].by.state.as_deref(), Some("paused"));
    assert_eq!((playing[0].by.position_ms, playing[0].by.minutes_ago), (Some(42), 0));
    assert_eq!(
        (playing[0].by.username.as_str(), playing[0].by.player_name.as_deref()),
        ("admin", Some("segue"))
    );

    // Another account sees it too; its own player is another one. Clients that know no reports say it by scrobble.
    let ann = house.key_of(ANN.0).await;
    let hers = [("apiKey", ann.as_str()), ("c", "phone"), ("id", one.as_str()), ("submission", "false")];
    assert_eq!(house.anybody("scrobble", &hers).await["status"], "ok");
    let seen = house.anybody("getNowPlaying", &[("apiKey", &ann)]).await["nowPlaying"]["entry"].take();
    assert_eq!(seen.as_array().unwrap().len(), 2);
    assert_eq!((&seen[0]["username"], &seen[0]["state"]), (&json!(ANN.0), &json!("playing")));

    client.report_playback(&report("stopped", 90)).await.unwrap();
    assert_eq!(client.now_playing().await.unwrap().len(), 1);
    assert_eq!(client.song(&one).await.unwrap().play_count, Some(0), "the player counts for itself");

    // One that does not count for itself has heard the 100 ms of this song.
    for (state, position) in [("starting", "0"), ("playing", "50"), ("stopped", "100"), ("stopped", "100")] {
        let params =
            [("mediaId", one.as_str()), ("mediaType", "song"), ("positionMs", position), ("state", state)];
        assert_eq!(house.json("reportPlayback", &params).await["status"], "ok");
    }
    assert_eq!(client.song(&one).await.unwrap().play_count, Some(1));

    let bad =
        |state, kind| [("mediaId", one.as_str()), ("mediaType", kind), ("positionMs", "1"), ("state", state)];
    assert_eq!(house.code("reportPlayback", &bad("dancing", "song")).await, 0);
    assert_eq!(house.code("reportPlayback", &bad("playing", "podcast")).await, 0);
    assert_eq!(house.code("reportPlayback", &[("mediaId", one.as_str())]).await, 10);
    let nowhere = [("mediaId", "nowhere"), ("mediaType", "song"), ("positionMs", "1"), ("state", "playing")];
    assert_eq!(house.code("reportPlayback", &nowhere).await, 70);
    house.close().await;
}
