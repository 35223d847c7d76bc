//! Turns at jobs, as processes beside one database take them: in a file, and with `SEGUE_TEST_DATABASE` on a server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use std::time::Duration;

use library::track;
use segue::catalog::{Batch, Catalog, CatalogError, Lease, LeaseStanding, Playing, Taken};
use segue::music::AccountId;

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(150);

async fn ours(catalog: &Catalog, holder: &str, time: Duration) -> Lease {
    match catalog.take_lease("job", holder, time, i64::MAX).await.unwrap() {
        Taken::Ours(lease) => lease,
        other => panic!("{holder}: {other:?}"),
    }
}

async fn write(catalog: &Catalog, id: &str) -> Result<(), CatalogError> {
    catalog.apply(&Batch { tracks: vec![track(id, id, "A", None)], ..Batch::default() }).await.map(drop)
}

#[tokio::test]
async fn one_has_it_until_it_is_given_back() {
    let catalog = database::in_memory().await;
    assert_eq!(catalog.lease_standing("job").await.unwrap(), LeaseStanding::Free);
    let first = ours(&catalog, "one", LONG).await;
    assert_eq!(catalog.take_lease("job", "two", LONG, i64::MAX).await.unwrap(), Taken::Theirs);
    assert_eq!(catalog.take_lease("job", "one", LONG, i64::MAX).await.unwrap(), Taken::Theirs, "nor twice");
    assert!(matches!(catalog.take_lease("another", "two", LONG, i64::MAX).await.unwrap(), Taken::Ours(_)));
    assert_eq!(catalog.lease_standing("job").await.unwrap(), LeaseStanding::Held);
    assert!(catalog.renew_lease(&first, LONG).await.unwrap());
    assert!(catalog.end_lease(&first, false).await.unwrap());
    assert_eq!(catalog.lease_standing("job").await.unwrap(), LeaseStanding::Free);
    let second = ours(&catalog, "two", LONG).await;
    assert!(second.epoch() > first.epoch());
    assert!(!catalog.renew_lease(&first, LONG).await.unwrap());
    assert!(!catalog.end_lease(&first, true).await.unwrap(), "what is another's stays another's");
    assert!(catalog.renew_lease(&second, LONG).await.unwrap());
}

#[tokio::test]
async fn who_dies_with_it_is_followed_and_cannot_write_any_more() {
    let catalog = database::in_memory().await;
    let first = ours(&catalog, "one", SHORT).await;
    let dead = catalog.fenced(&first);
    write(&dead, "t1").await.unwrap();
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(catalog.lease_standing("job").await.unwrap(), LeaseStanding::Orphaned);
    // Nobody took it: nothing was lost, and it may go on.
    write(&dead, "t2").await.unwrap();
    assert!(catalog.renew_lease(&first, SHORT).await.unwrap());
    tokio::time::sleep(SHORT * 2).await;

    let second = ours(&catalog, "two", LONG).await;
    let refused = write(&dead, "t3").await.unwrap_err();
    assert!(matches!(&refused, CatalogError::LostLease(job) if job == "job"), "{refused}");
    let me = dead.listener(&AccountId::from("ann"));
    assert!(
        me.set_star(&segue::music::Item::Track("t1".into()), Some(1)).await.is_err(),
        "nor for a listener"
    );
    write(&catalog.fenced(&second), "t4").await.unwrap();
    assert_eq!(catalog.stats().await.unwrap().tracks, 3, "t1, t2 and t4");
}

#[tokio::test]
async fn what_was_done_meanwhile_need_not_be_done_again() {
    let catalog = database::in_memory().await;
    let asked = catalog.clock().await.unwrap();
    let now = i64::try_from(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis(),
    );
    assert!((asked - now.unwrap()).abs() < 5_000, "the database is on this machine");
    let take = async |since| catalog.take_lease("job", "one", LONG, since).await.unwrap();
    let Taken::Ours(failed) = take(asked).await else { panic!("free") };
    catalog.end_lease(&failed, false).await.unwrap();
    let Taken::Ours(done) = take(asked).await else { panic!("it came to no good end") };
    catalog.end_lease(&done, true).await.unwrap();
    assert_eq!(take(asked).await, Taken::Served);
    assert!(matches!(take(asked + 3_600_000).await, Taken::Ours(_)), "wanted of later");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let first = database::open(&file).await.unwrap();
    for round in 0..20 {
        // Handles of their own, as processes have them.
        let others = [database::open(&file).await.unwrap(), database::open(&file).await.unwrap()];
        let asking = (0..12).map(|n| {
            let catalog = others[n % 2].clone();
            tokio::spawn(
                async move { catalog.take_lease("job", &n.to_string(), LONG, i64::MAX).await.unwrap() },
            )
        });
        let mut got = Vec::new();
        for asked in asking.collect::<Vec<_>>() {
            if let Taken::Ours(lease) = asked.await.unwrap() {
                got.push(lease);
            }
        }
        assert_eq!(got.len(), 1, "round {round}");
        assert_eq!(got[0].epoch(), round + 1);
        first.end_lease(&got[0], true).await.unwrap();
        for other in others {
            other.close().await;
        }
    }
}

#[tokio::test]
async fn counters_and_first_words_are_everybodys() {
    let catalog = database::in_memory().await;
    for wanted in 1..=3 {
        catalog.count_up("counter").await.unwrap();
        assert_eq!(catalog.count_of("counter").await.unwrap(), wanted);
    }
    assert_eq!(catalog.first_setting("salt", "one").await.unwrap(), "one");
    assert_eq!(catalog.first_setting("salt", "two").await.unwrap(), "one");
}

#[tokio::test]
async fn places_of_an_account_are_counted_and_end_by_themselves() {
    let (catalog, ann) = (database::in_memory().await, AccountId::from("ann"));
    let take = async |player: &str, most, now: i64| {
        catalog.take_place(&ann, (player, &player.to_uppercase()), most, (now, now - 60)).await.unwrap()
    };
    assert_eq!(take("phone", 1, 1_000).await, Ok(()));
    assert_eq!(take("phone", 1, 1_001).await, Ok(()), "the same player");
    assert_eq!(take("laptop", 1, 1_002).await, Err("PHONE".to_owned()));
    assert_eq!(take("laptop", 2, 1_003).await, Ok(()));
    catalog.keep_place(&ann, ("phone", "PHONE"), 1_050).await.unwrap();
    assert_eq!(take("car", 2, 1_060).await, Err("LAPTOP".to_owned()));
    assert_eq!(take("car", 2, 1_063).await, Ok(()), "the laptop's place is free");
    assert_eq!(take("radio", 2, 1_064).await, Err("PHONE".to_owned()), "the phone was seen");
}

#[tokio::test]
async fn failed_log_ins_are_counted_for_a_while() {
    let catalog = database::in_memory().await;
    let who = ["a".to_owned(), "b".to_owned()];
    for at in [100, 110] {
        catalog.note_failed_login(&who, at, at - 50).await.unwrap();
    }
    catalog.note_failed_login(&who[..1], 120, 70).await.unwrap();
    assert_eq!(
        catalog.failed_logins(&who, 90).await.unwrap(),
        [("a".to_owned(), 3, 100), ("b".to_owned(), 2, 100)]
    );
    assert_eq!(catalog.failed_logins(&who, 100).await.unwrap(), [], "they began too long ago");
    catalog.forget_failed_login("a").await.unwrap();
    catalog.note_failed_login(&who[..1], 151, 101).await.unwrap();
    assert_eq!(catalog.failed_logins(&who, 0).await.unwrap(), [("a".to_owned(), 1, 151)], "old ones went");
}

#[tokio::test]
async fn what_is_played_is_told_by_the_player_alone() {
    let catalog = database::in_memory().await;
    let told = |track: &str, at, position_ms, state: &str| Playing {
        account: AccountId::from("ann"),
        player: "phone".to_owned(),
        track: track.into(),
        duration_ms: 200_000,
        began_at: at - position_ms,
        told_at: at,
        state: state.to_owned(),
        position_ms,
        rate: 1.0,
    };
    assert_eq!(catalog.tell_playing(&told("t1", 1_000, 0, "starting"), true, false).await.unwrap(), None);
    let before =
        catalog.tell_playing(&told("t1", 61_500, 60_000, "playing"), false, false).await.unwrap().unwrap();
    assert_eq!((before.began_at, before.state.as_str()), (1_000, "starting"));
    let before =
        catalog.tell_playing(&told("t1", 90_000, 80_000, "stopped"), false, true).await.unwrap().unwrap();
    assert_eq!((before.began_at, before.position_ms), (1_000, 60_000), "it began when it began");
    assert_eq!(catalog.tell_playing(&told("t2", 91_000, 0, "playing"), false, false).await.unwrap(), None);
    assert!(catalog.playing_now(0).await.unwrap().is_empty(), "nobody of that name has an account");
    assert_eq!(catalog.expire_presence(91_001).await.unwrap(), 1);
}
