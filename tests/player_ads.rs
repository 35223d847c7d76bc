//! Ads between tracks, heard: levels in a capture tell music and ads apart.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod player_stage;

use std::sync::Arc;

use player_stage::{RATE, Stage, now, track};
use segue::audio::Pace;
use segue::music::{Ad, AdHeard, AdRules, EndReason, Plan, StartReason, Track};
use segue::player::{Command, Event, GainMode, Status, Transport};

/// Levels of the ads.
const AD: i16 = 9000;
const OTHER_AD: i16 = 9500;

fn ad(ticket: &str, file: &str, seconds: f64) -> Ad {
    Ad {
        ticket: ticket.to_owned(),
        track: file.into(),
        title: "Soap".to_owned(),
        by: "Soap & Sons".to_owned(),
        duration_ms: (seconds * 1000.0) as u64,
        skippable_after_ms: None,
        counts_after_ms: 100,
        gain_db: 0.0,
        peak: 1.0,
        expires_at: i64::MAX,
    }
}

fn free(every_ms: u64, at_once: u32) -> Plan {
    let ads = Some(AdRules { every_ms, at_once, inside_albums: false });
    Plan { name: "free".to_owned(), ads, ..Plan::default() }
}

/// Tracks of different albums.
fn mixed(ids: &[&str], seconds: f64) -> Vec<Track> {
    let of =
        |id: &&str| Track { album_id: Some(format!("album of {id}").as_str().into()), ..track(id, seconds) };
    ids.iter().map(of).collect()
}

fn stage(pace: Pace) -> Stage {
    let files =
        [("a", 1.0, 1000), ("b", 1.0, 2000), ("c", 1.0, 3000), ("soap", 0.5, AD), ("tea", 0.5, OTHER_AD)];
    Stage::new(pace, &files)
}

impl Stage {
    fn obey(&self, plan: Plan, ads: Vec<Ad>) {
        self.player.send(Command::Plan { plan: Arc::new(plan), ads });
    }

    fn mix(&self, ids: &[&str], seconds: f64) {
        let tracks = mixed(ids, seconds);
        self.player.send(Command::PlayContext { tracks, start: 0, name: "Mix".into(), shuffled: false });
    }

    async fn end(&self, tracks: usize) {
        self.until("the end", |s| s.queue.now.is_none() && s.queue.history.len() == tracks).await;
    }

    /// What was heard for longer than a moment, in order.
    fn heard(&self) -> Vec<i16> {
        self.levels()
            .into_iter()
            .filter(|(_, n)| *n > 1000)
            .map(|r| r.0)
            .filter(|level| *level != 0)
            .collect()
    }

    /// The ads that were told of until the last track ended.
    async fn told(&mut self, tracks: usize) -> Vec<AdHeard> {
        let (mut ads, mut ended) = (Vec::new(), 0);
        while ended < tracks {
            match self.event().await {
                Event::Ad(heard) => ads.push(heard),
                Event::Ended { .. } => ended += 1,
                _ => {}
            }
        }
        ads
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ad_is_heard_between_tracks_when_enough_music_was() {
    let mut stage = stage(Pace::Unbounded);
    stage.obey(free(900, 1), vec![ad("1", "soap", 0.5), ad("2", "tea", 0.5), ad("3", "soap", 0.5)]);
    stage.mix(&["a", "b", "c"], 1.0);
    let told = stage.told(3).await;
    stage.end(3).await;
    assert_eq!(stage.heard(), [1000, AD, 2000, OTHER_AD, 3000], "none after the last track");
    let tickets: Vec<&str> = told.iter().map(|heard| heard.ticket.as_str()).collect();
    assert_eq!(tickets, ["1", "2"]);
    assert!(told.iter().all(|heard| heard.heard_ms <= 500 && heard.at > 0));
    let frames: usize = stage.levels().iter().filter(|r| r.0 == 2000).map(|r| r.1).sum();
    assert_eq!(frames, RATE as usize, "the music around it is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_album_in_its_order_is_not_interrupted() {
    let stage = stage(Pace::Unbounded);
    stage.obey(free(900, 1), vec![ad("1", "soap", 0.5)]);
    let mut tracks: Vec<Track> = ["a", "b"].map(|id| track(id, 1.0)).into();
    tracks.extend(mixed(&["c"], 1.0));
    stage.player.send(Command::PlayContext { tracks, start: 0, name: "Mix".into(), shuffled: false });
    stage.end(3).await;
    assert_eq!(stage.heard(), [1000, 2000, AD, 3000]);

    stage.tape.clear();
    let ads = Some(AdRules { every_ms: 900, at_once: 1, inside_albums: true });
    stage.obey(Plan { ads, ..Plan::default() }, vec![ad("2", "soap", 0.5)]);
    stage.play(&[("a", 1.0), ("b", 1.0)], 0);
    stage.until("the end", |s| s.queue.now.is_none() && s.queue.history.len() == 5).await;
    assert_eq!(
        stage.heard(),
        [AD, 1000, 2000],
        "what was owed comes first, and where the operator says so inside"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_has_several_ads_and_says_which() {
    let stage = stage(Pace::Realtime(2.0));
    stage.obey(free(900, 2), vec![ad("1", "soap", 0.5), ad("2", "tea", 0.5)]);
    stage.mix(&["a", "b"], 1.0);
    let shown =
        |number: u32| move |s: &Status| s.ad.as_ref().is_some_and(|ad| (ad.number, ad.of) == (number, 2));
    let first = stage.until("the first ad", shown(1)).await;
    assert_eq!(now(&first), Some("b"), "what waits is what comes");
    assert_eq!((first.position_ms, first.duration_ms), (0, 1000), "of the track that waits");
    stage.until("the second ad", shown(2)).await;
    stage.end(2).await;
    assert_eq!(stage.heard(), [1000, AD, OTHER_AD, 2000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_meanwhile_is_heard_after_the_ad() {
    let mut stage = Stage::new(
        Pace::Realtime(4.0),
        &[("a", 1.0, 1000), ("b", 1.0, 2000), ("c", 1.0, 3000), ("soap", 8.0, AD)],
    );
    stage.obey(free(900, 1), vec![ad("1", "soap", 8.0)]);
    stage.mix(&["a", "b"], 1.0);
    stage.until("the ad", |s| s.ad.is_some()).await;
    stage.player.send(Command::SeekBy(30_000));
    stage.player.send(Command::Previous);
    stage.player.send(Command::Next);
    stage.mix(&["c"], 1.0);
    let status = stage.until("the other track", |s| now(s) == Some("c")).await;
    assert!(status.ad.is_some(), "the ad goes on");
    let mut refused = Vec::new();
    let mut plays = Vec::new();
    while plays.len() < 2 {
        match stage.event().await {
            Event::Refused(why) => refused.push(why),
            Event::Ended { play, .. } => plays.push((play.track.to_string(), play.start, play.end)),
            _ => {}
        }
    }
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(
        refused.iter().all(|why| why.starts_with("This is an ad: the music goes on in 0:0")),
        "{refused:?}"
    );
    assert_eq!(plays[0], ("a".to_owned(), StartReason::Chosen, EndReason::Finished));
    assert_eq!(plays[1], ("c".to_owned(), StartReason::Chosen, EndReason::Finished));
    assert_eq!(stage.heard(), [1000, AD, 3000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ad_is_skipped_from_its_time_on() {
    let mut stage =
        Stage::new(Pace::Realtime(4.0), &[("a", 1.0, 1000), ("b", 1.0, 2000), ("soap", 20.0, AD)]);
    let skippable = Ad { skippable_after_ms: Some(3000), ..ad("1", "soap", 20.0) };
    stage.obey(free(900, 1), vec![skippable]);
    stage.mix(&["a", "b"], 1.0);
    stage.until("the ad", |s| s.ad.is_some()).await;
    stage.player.send(Command::Next);
    stage.until("its time", |s| s.ad.as_ref().is_some_and(|ad| ad.position_ms >= 3000)).await;
    stage.player.send(Command::Next);
    stage.until("music", |s| s.ad.is_none() && s.position_ms > 0).await;
    let (mut refused, mut heard) = (0, None);
    while heard.is_none() {
        match stage.event().await {
            Event::Refused(why) => {
                assert!(why.starts_with("This ad can be skipped in 0:0"), "{why}");
                refused += 1;
            }
            Event::Ad(ad) => heard = Some(ad.heard_ms),
            _ => {}
        }
    }
    assert_eq!(refused, 1);
    assert!((3000..20_000).contains(&heard.unwrap()), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ad_that_cannot_be_had_costs_nothing() {
    let mut stage = stage(Pace::Unbounded);
    stage.obey(free(900, 1), vec![ad("1", "gone", 0.5), ad("2", "tea", 0.5)]);
    stage.mix(&["a", "b"], 1.0);
    let mut events = Vec::new();
    let mut ended = 0;
    while ended < 2 {
        let event = stage.event().await;
        ended += usize::from(matches!(event, Event::Ended { .. }));
        events.push(event);
    }
    stage.end(2).await;
    assert_eq!(stage.heard(), [1000, OTHER_AD, 2000], "the next one is taken: {events:?}");
    assert!(!events.iter().any(|e| matches!(e, Event::Failed { .. })), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_better_plan_counts_at_once() {
    let stage = stage(Pace::Realtime(4.0));
    stage.obey(free(500, 1), vec![ad("1", "soap", 0.5)]);
    stage.mix(&["a", "b"], 1.0);
    stage.until("music", |s| s.transport == Transport::Playing && s.position_ms > 0).await;
    // The ad is decoded already by now.
    stage.obey(Plan { name: "premium".to_owned(), ..Plan::default() }, Vec::new());
    stage.end(2).await;
    assert_eq!(stage.heard(), [1000, 2000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_counts_skips() {
    let mut stage =
        Stage::new(Pace::Realtime(1.0), &[("a", 30.0, 1000), ("b", 30.0, 2000), ("c", 30.0, 3000)]);
    stage.obey(Plan { name: "free".to_owned(), skips_per_hour: 1, ..Plan::default() }, Vec::new());
    stage.mix(&["a", "b", "c"], 30.0);
    stage.until("a", |s| now(s) == Some("a") && s.position_ms > 0).await;
    stage.player.send(Command::Next);
    stage.until("b", |s| now(s) == Some("b") && s.position_ms > 0).await;
    stage.player.send(Command::Next);
    let why = loop {
        if let Event::Refused(why) = stage.event().await {
            break why;
        }
    };
    assert!(why.starts_with("The plan “free” has one skip an hour"), "{why}");
    assert_eq!(now(&stage.player.status().borrow()), Some("b"));
    stage.mix(&["c"], 30.0);
    stage.until("what was chosen", |s| now(s) == Some("c") && s.position_ms > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ad_is_as_loud_as_the_music() {
    /// Halves, or nearly so.
    const HALF_DB: f64 = -6.020_6;
    let stage = stage(Pace::Unbounded);
    let loud = |ticket: &str| Ad { gain_db: 2.0 * HALF_DB, ..ad(ticket, "soap", 0.5) };
    stage.obey(free(900, 1), vec![loud("1")]);
    stage.mix(&["a", "b"], 1.0);
    stage.end(2).await;
    assert_eq!(stage.heard(), [1000, AD / 4, 2000], "at the reference, as all music is");

    // Music as it is made, twice as loud as the reference: the ad may be that loud too, and no louder.
    stage.tape.clear();
    stage.player.send(Command::SetGain(GainMode::Off));
    stage.obey(free(900, 1), vec![loud("2"), loud("3")]);
    let mut tracks = mixed(&["a", "b"], 1.0);
    for track in &mut tracks {
        track.replay_gain.track_gain = Some(HALF_DB as f32);
    }
    stage.player.send(Command::PlayContext { tracks, start: 0, name: "Mix".into(), shuffled: false });
    stage.until("the end", |s| s.queue.now.is_none() && s.queue.history.len() == 4).await;
    // What is owed from before comes first, and nothing is known of how loud that music was.
    assert_eq!(stage.heard(), [AD / 4, 1000, AD / 2, 2000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_in_an_ad_the_break_is_still_owed() {
    let stage = Stage::new(
        Pace::Realtime(4.0),
        &[("a", 1.0, 1000), ("b", 1.0, 2000), ("soap", 30.0, AD), ("tea", 0.5, OTHER_AD)],
    );
    stage.obey(free(900, 1), vec![ad("1", "soap", 30.0), ad("2", "tea", 0.5)]);
    stage.mix(&["a", "b"], 1.0);
    stage.until("the ad", |s| s.ad.as_ref().is_some_and(|ad| ad.position_ms > 500)).await;
    stage.player.send(Command::Stop);
    stage.until("silence", |s| s.ad.is_none() && s.transport == Transport::Paused).await;
    stage.player.send(Command::Resume);
    stage.end(2).await;
    assert_eq!(stage.heard(), [1000, AD, OTHER_AD, 2000]);
}
