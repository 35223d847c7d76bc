//! A crowd of listeners with tastes, and their plays in a catalog.

#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use segue::catalog::{Account, Batch, Catalog, NewPlay, Roles};
use segue::music::{AccountId, EndReason, Play, PlayContext, StartReason, Track};

use crate::library::track;

/// 2026-11-20, 12:00 UTC, ms.
pub(crate) const NOON: i64 = 20_777 * DAY + DAY / 2;
pub(crate) const DAY: i64 = 86_400_000;

/// The id of an account of the crowd.
pub(crate) fn name(user: u32) -> String {
    format!("listener-{user:05}")
}

/// An account without a password.
pub(crate) fn account(id: &str) -> Account {
    Account {
        id: AccountId::from(id),
        name: id.to_owned(),
        password_hash: String::new(),
        admin: false,
        roles: Roles::ALL,
        folders: None,
        max_bit_rate: 0,
        created_at: 1,
        erase_at: None,
    }
}

/// The id of a track.
pub(crate) fn item(item: u32) -> String {
    format!("t{item:05}")
}

/// A play of one second, which is all of the track.
pub(crate) fn play(user: &str, track: &str, at: i64) -> NewPlay {
    let play = Play {
        track: track.into(),
        started_at: at,
        heard_ms: 1000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    };
    NewPlay { account: AccountId::from(user), play, context: PlayContext::default(), timed: true }
}

/// Tracks of one second, a few by each artist.
pub(crate) async fn shelve(catalog: &Catalog, items: u32) {
    let tracks: Vec<Track> = (0..items)
        .map(|n| Track {
            genres: vec![format!("genre {}", n % 11)],
            ..track(&item(n), &format!("Song {n}"), &format!("Artist {}", n / 4), None)
        })
        .collect();
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
}

/// Who plays what: mostly their own scene's items, the popular ones more. Every pair once, with how often.
pub(crate) fn tastes(users: u32, items: u32, plays: u32, seed: u64) -> Vec<(u32, u32, u32)> {
    const SCENES: u32 = 24;
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = |below: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) % u64::from(below)) as u32
    };
    let mut pairs = std::collections::BTreeMap::new();
    for user in 0..users {
        // Two scenes each, so that a listener is no cluster's copy.
        let own = [user % SCENES, (user / SCENES * 7 + user) % SCENES];
        for _ in 0..plays {
            let scene = if random(10) < 8 { own[random(2) as usize] } else { random(SCENES) };
            let of_scene = items / SCENES;
            // The smaller of two: popularity falls towards the end of a scene.
            let item = random(of_scene).min(random(of_scene)) * SCENES + scene;
            *pairs.entry((user, item)).or_insert(0) += 1;
        }
    }
    pairs.into_iter().map(|((user, item), plays)| (user, item, plays)).collect()
}

/// Puts a crowd into a catalog, whose tracks are there: each pair's plays an hour apart, days apart between users.
pub(crate) async fn gather(catalog: &Catalog, pairs: &[(u32, u32, u32)]) {
    let users: std::collections::BTreeSet<u32> = pairs.iter().map(|(user, ..)| *user).collect();
    for user in users {
        catalog.add_account(&account(&name(user))).await.unwrap();
    }
    let all: Vec<NewPlay> = pairs
        .iter()
        .flat_map(|(user, track, plays)| {
            (0..*plays).map(move |n| {
                let at = NOON - i64::from(user % 5) * DAY + i64::from(n * 3_600 + track % 3_600) * 1000;
                play(&name(*user), &item(*track), at)
            })
        })
        .collect();
    for batch in all.chunks(500) {
        assert!(catalog.record_plays(batch).await.unwrap().into_iter().all(|kept| kept));
    }
}
