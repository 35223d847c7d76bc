//! A listener on the plan “free” of a real server: the player hears the operator's ads, also without the server, and each is
//! counted once; a better plan ends them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod client_house;

use std::sync::Arc;
use std::time::Duration;

use client_house::{House, Player as Machine, eventually, media, store};
use segue::audio::{CaptureHandle, Engine, Output, Pace};
use segue::cache::{Held, Store, TrackKey};
use segue::catalog::{Campaign, Pin};
use segue::client::Allowed;
use segue::music::{AdHeard, AdRules, Plan, Quality, Track};
use segue::player::{Command, Event, GainMode, Loudness, Parts, Player, Sound};
use segue::server::accounts;
use segue::server::plans::{self, NewAd};
use tokio::sync::mpsc::UnboundedReceiver;

const RATE: u32 = 44_100;
const PATIENCE: Duration = Duration::from_secs(30);

struct Bench {
    _dir: tempfile::TempDir,
    house: House,
    machine: Machine,
    store: Store,
    player: Player,
    events: UnboundedReceiver<Event>,
}

/// A song of 1.2 s, by an artist of its own.
fn song(house: &House, number: u32) {
    let file = house.music().join(format!("{number}.flac"));
    let name = format!("Song {number}");
    media::put(&file, &media::flac(RATE as usize * 6 / 5, number));
    media::tag(
        &file,
        &[
            (lofty::tag::ItemKey::TrackTitle, name.as_str()),
            (lofty::tag::ItemKey::TrackArtist, name.as_str()),
            (lofty::tag::ItemKey::AlbumTitle, name.as_str()),
        ],
        None,
    );
}

/// Ads after each second of music, nothing kept.
fn free() -> Plan {
    let ads = Some(AdRules { every_ms: 1000, at_once: 1, inside_albums: false });
    Plan { name: "free".to_owned(), upgrade: "Ask.".to_owned(), offline: false, ads, ..Plan::default() }
}

async fn bench() -> Bench {
    let mut house = House::open(&[]).await;
    (1..=4).for_each(|number| song(&house, number));
    house.scan().await;
    let catalog = house.catalog().await;
    accounts::add(&catalog, "ann", "sesame", false).await.unwrap();
    house.key = accounts::new_api_key(&catalog, "ann", "test").await.unwrap();
    catalog.put_plan(&free()).await.unwrap();
    let ann = catalog.account_named("ann").await.unwrap().unwrap();
    catalog.give_plan(&ann.id, "free", 0, None).await.unwrap();
    let ad = house.dir.path().join("soap.flac");
    media::put(&ad, &media::flac(RATE as usize * 2, 99));
    let campaign = Campaign::open("soap", "Soap & Sons", 0);
    let new = NewAd { campaign, title: Some("Soap".to_owned()), skippable_after_ms: None };
    plans::add_ad(&catalog, &house.dir.path().join("data"), &ad, new).await.unwrap();

    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let machine = Machine::start_with(house.client(), Some(store.clone())).await;
    machine.synced().await;
    let tape = CaptureHandle::new(RATE, Pace::Realtime(4.0));
    let (engine, reports) = Engine::start(Output::Capture(tape));
    let (player, events) = Player::start(Parts {
        quality: Quality::Original,
        pinned_quality: Quality::Original,
        engine,
        reports,
        store: store.clone(),
        source: machine.session.source(),
        volume: 100,
        loudness: Loudness { mode: GainMode::Auto, preamp_db: 0.0 },
        sound: Sound::default(),
    });
    Bench { _dir: dir, house, machine, store, player, events }
}

impl Bench {
    async fn allowed(&self, what: &str, holds: impl FnMut(&Allowed) -> bool) -> Allowed {
        let mut allowed = self.machine.session.allowed();
        match tokio::time::timeout(PATIENCE, allowed.wait_for(holds)).await {
            Ok(found) => found.unwrap().clone(),
            Err(late) => {
                panic!(
                    "never came true ({late}): {what}; it is {:?}",
                    self.machine.session.allowed().borrow()
                )
            }
        }
    }

    /// Has the player obey what the session knows now.
    fn obey(&self) {
        let Allowed { plan, ads } = self.machine.session.allowed().borrow().clone();
        self.player.send(Command::Plan { plan: Arc::new(plan), ads });
    }

    /// Plays songs to their end; gives what was heard, in order, and tells the session of ads as the program does.
    async fn play(&mut self, songs: std::ops::Range<usize>) -> Vec<String> {
        let ids: Vec<_> = self.machine.tracks().await[songs].iter().map(|(id, _)| id.clone()).collect();
        let tracks: Vec<Track> = self.machine.library().tracks(&ids).await.unwrap();
        let mut left = tracks.len();
        self.player.send(Command::PlayContext { tracks, start: 0, name: "Mix".into(), shuffled: false });
        let mut heard = Vec::new();
        while left > 0 {
            match tokio::time::timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap() {
                Event::Ended { track, .. } => {
                    heard.push(track.title.clone());
                    left -= 1;
                }
                Event::Ad(ad) => {
                    heard.push("ad".to_owned());
                    self.ad(&ad).await;
                }
                Event::Failed { track, reason } => panic!("{}: {reason}", track.title),
                Event::Began(_) | Event::Refused(_) => {}
            }
        }
        heard
    }

    async fn ad(&self, heard: &AdHeard) {
        self.machine.session.ad_heard(heard).await.unwrap();
        self.obey();
    }

    /// Ads that the server counts as delivered.
    async fn delivered(&self) -> u64 {
        let now = jiff::Timestamp::now().as_millisecond();
        self.house.catalog().await.ad_counts(now).await.unwrap()["soap"].all.delivered
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ads_are_heard_and_counted_once_also_without_the_server() {
    let mut b = bench().await;
    let allowed = b.allowed("tickets", |allowed| allowed.ads.len() == 3).await;
    assert_eq!(allowed.plan.name, "free");
    let sound = TrackKey::raw(allowed.ads[0].track.clone());
    eventually("the ad's sound is here before it is due", async || b.store.held(&sound) == Held::Whole).await;
    b.obey();
    assert_eq!(b.play(0..2).await, ["Song 1", "ad", "Song 2"]);
    eventually("it is counted", async || b.delivered().await == 1).await;

    // Songs are in the store now, and so is the ad.
    b.allowed("another ticket", |allowed| allowed.ads.len() == 3).await;
    b.house.gone().await;
    b.obey();
    assert_eq!(b.play(0..2).await, ["ad", "Song 1", "ad", "Song 2"], "what was owed comes first");
    assert_eq!(b.delivered().await, 1, "nobody knows yet");
    b.house.back().await;
    eventually("both are counted", async || b.delivered().await == 3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(b.delivered().await, 3, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_better_plan_ends_the_ads_and_lets_music_be_kept() {
    let mut b = bench().await;
    b.allowed("tickets", |allowed| !allowed.ads.is_empty()).await;
    b.obey();
    b.machine.library().pin(&Pin::Starred).await.unwrap();
    let downloads = b.machine.session.downloads().unwrap();
    downloads.looked().await;
    let barred = downloads.status().borrow().barred.clone();
    assert_eq!(barred.as_deref(), Some("The plan “free” keeps no music for times without a network. Ask."));
    assert_eq!(b.play(0..2).await, ["Song 1", "ad", "Song 2"]);

    let catalog = b.house.catalog().await;
    let ann = catalog.account_named("ann").await.unwrap().unwrap();
    catalog.give_plan(&ann.id, "premium", 0, None).await.unwrap();
    b.machine.session.look_at_plan();
    let allowed = b.allowed("the better plan", |allowed| allowed.plan.name == "premium").await;
    assert_eq!(allowed.ads, []);
    b.obey();
    assert_eq!(b.play(0..4).await, ["Song 1", "Song 2", "Song 3", "Song 4"]);
    b.machine.session.downloads().unwrap().looked().await;
    assert_eq!(b.machine.session.downloads().unwrap().status().borrow().barred, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_known_at_the_next_start_without_the_server() {
    let mut b = bench().await;
    b.allowed("tickets", |allowed| !allowed.ads.is_empty()).await;
    b.house.gone().await;
    let client = b.house.client();
    let Bench { machine, player, .. } = b;
    drop(player);
    let Machine { dir, session, .. } = machine;
    session.shutdown().await;
    let again = Machine::start_in(dir, client, None).await;
    let mut allowed = again.session.allowed();
    let known = tokio::time::timeout(PATIENCE, allowed.wait_for(|allowed| allowed.plan.name == "free")).await;
    assert_eq!(known.expect("the plan of before").unwrap().ads.len(), 3);
}
