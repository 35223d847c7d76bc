//! Any edits in any order: a server that is told what the outbox holds ends up with what the listener sees.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use std::collections::HashMap;

use library::{account, track};
use proptest::prelude::*;
use segue::{
    catalog::{Batch, Catalog, Change, Listener, PlaylistEdit},
    music::{EndReason, Item, Play, PlayQueue, PlaylistId, StartReason, Track, TrackId, Window},
};

const TRACKS: usize = 5;

#[derive(Debug, Clone)]
enum Op {
    Star(usize, Option<i64>),
    Rate(usize, u8),
    Heard(usize, i64),
    Create(Vec<usize>),
    Edit(usize, Vec<usize>, Vec<usize>),
    Replace(usize, Vec<usize>),
    Delete(usize),
    /// The listener leaves a queue at some time; clocks jump.
    Leave(Vec<usize>, i64),
    /// A track goes away, or comes back.
    Toggle(usize),
    /// The client sends the oldest change.
    Send,
}

fn op() -> impl Strategy<Value = Op> {
    let track = 0..TRACKS;
    let tracks = prop::collection::vec(track.clone(), 0..6);
    prop_oneof![
        (track.clone(), prop::option::of(1_i64..99)).prop_map(|(t, at)| Op::Star(t, at)),
        (track.clone(), 0_u8..6).prop_map(|(t, r)| Op::Rate(t, r)),
        (track.clone(), 0_i64..4).prop_map(|(t, at)| Op::Heard(t, at)),
        tracks.clone().prop_map(Op::Create),
        (0_usize..3, tracks.clone(), prop::collection::vec(0_usize..8, 0..4))
            .prop_map(|(list, add, remove)| Op::Edit(list, add, remove)),
        (0_usize..3, tracks).prop_map(|(list, tracks)| Op::Replace(list, tracks)),
        (0_usize..3).prop_map(Op::Delete),
        (prop::collection::vec(0..TRACKS, 0..4), 0_i64..9).prop_map(|(tracks, at)| Op::Leave(tracks, at)),
        track.prop_map(Op::Toggle),
        Just(Op::Send),
    ]
}

/// A server as far as these changes go.
#[derive(Debug, Default)]
struct Server {
    stars: HashMap<Item, i64>,
    ratings: HashMap<Item, u8>,
    plays: Vec<Play>,
    lists: HashMap<PlaylistId, Vec<TrackId>>,
    queue: Vec<TrackId>,
}

impl Server {
    fn take(&mut self, change: Change) -> Option<(PlaylistId, PlaylistId)> {
        match change {
            Change::Star { item, at } => drop(self.stars.insert(item, at)),
            Change::Unstar { item } => drop(self.stars.remove(&item)),
            Change::Rate { item, rating } => drop(self.ratings.insert(item, rating)),
            Change::Scrobble(play) => self.plays.push(play),
            Change::CreatePlaylist { id, tracks, .. } => {
                let new = PlaylistId::from(format!("server-of-{id}"));
                self.lists.insert(new.clone(), tracks);
                return Some((id, new));
            }
            Change::ReplacePlaylist { id, tracks, .. } => *self.lists.get_mut(&id).unwrap() = tracks,
            Change::EditPlaylist { id, edit } => {
                let list = self.lists.get_mut(&id).unwrap();
                let mut at = 0;
                list.retain(|_| {
                    at += 1;
                    !edit.remove.contains(&(at - 1))
                });
                list.extend(edit.add);
            }
            Change::DeletePlaylist { id } => drop(self.lists.remove(&id).unwrap()),
            Change::SaveQueue(queue) => self.queue = queue.tracks,
            Change::Profiling { .. } | Change::Decided { .. } | Change::Ad(_) => {}
        }
        None
    }
}

struct World {
    catalog: Catalog,
    me: Listener,
    server: Server,
    here: [bool; TRACKS],
    lists: Vec<PlaylistId>,
}

fn item(n: usize) -> Item {
    Item::Track(id(n))
}

fn id(n: usize) -> TrackId {
    TrackId::from(format!("t{n}"))
}

fn row(n: usize) -> Track {
    track(&format!("t{n}"), &format!("Track {n}"), "A", None)
}

impl World {
    async fn new() -> Self {
        let catalog = database::in_memory().await;
        let tracks = (0..TRACKS).map(row).collect();
        catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
        let me = catalog.listener(&account()).with_outbox();
        Self { catalog, me, server: Server::default(), here: [true; TRACKS], lists: Vec::new() }
    }

    fn present(&self, tracks: &[usize]) -> Vec<TrackId> {
        tracks.iter().filter(|n| self.here[**n]).map(|n| id(*n)).collect()
    }

    async fn visible(&self, list: &PlaylistId) -> Vec<TrackId> {
        let (_, tracks) = self.me.playlist(list).await.unwrap().unwrap();
        tracks.into_iter().map(|t| t.id).collect()
    }

    async fn act(&mut self, op: Op) {
        match op {
            Op::Star(n, at) if self.here[n] => self.me.set_star(&item(n), at).await.unwrap(),
            Op::Rate(n, rating) if self.here[n] => self.me.set_rating(&item(n), rating).await.unwrap(),
            Op::Heard(n, started_at) if self.here[n] => {
                let (start, end) = (StartReason::Chosen, EndReason::Finished);
                let play = Play { track: id(n), started_at, heard_ms: 1000, start, end };
                self.me.record_play(&play).await.unwrap();
            }
            Op::Create(tracks) => {
                let tracks = self.present(&tracks);
                self.lists.push(self.me.create_playlist("list", &tracks).await.unwrap());
            }
            Op::Edit(list, add, remove) if list < self.lists.len() => {
                let list = self.lists[list].clone();
                let before = self.visible(&list).await;
                let edit = PlaylistEdit { add: self.present(&add), remove, ..PlaylistEdit::default() };
                self.me.edit_playlist(&list, &edit).await.unwrap();
                let kept = before
                    .into_iter()
                    .enumerate()
                    .filter(|(at, _)| !edit.remove.contains(at))
                    .map(|(_, t)| t);
                let expected: Vec<TrackId> = kept.chain(edit.add).collect();
                assert_eq!(self.visible(&list).await, expected, "indexes count what was seen before");
            }
            Op::Replace(list, tracks) if list < self.lists.len() => {
                let tracks = self.present(&tracks);
                self.me.replace_playlist(&self.lists[list], Some("new"), &tracks).await.unwrap();
            }
            Op::Delete(list) if list < self.lists.len() => {
                let list = self.lists.remove(list);
                self.me.delete_playlist(&list).await.unwrap();
            }
            Op::Leave(tracks, changed_at) => {
                let tracks = tracks.into_iter().map(id).collect();
                let changed_by = "segue".to_owned();
                let queue = PlayQueue { tracks, current: 0, position_ms: 0, changed_at, changed_by };
                self.me.save_play_queue(&queue).await.unwrap();
            }
            Op::Toggle(n) => {
                self.here[n] = !self.here[n];
                if self.here[n] {
                    let batch = Batch { tracks: vec![row(n)], ..Batch::default() };
                    self.catalog.apply(&batch).await.unwrap();
                } else {
                    self.catalog.remove_tracks(&[id(n)]).await.unwrap();
                }
            }
            Op::Send => self.send().await,
            // Edits of what is not there at the moment.
            Op::Star(..) | Op::Rate(..) | Op::Heard(..) | Op::Edit(..) | Op::Replace(..) | Op::Delete(_) => {}
        }
    }

    async fn send(&mut self) {
        let Some((sequence, change)) = self.catalog.outbox(1).await.unwrap().pop() else { return };
        if let Some((local, server)) = self.server.take(change) {
            self.catalog.rename_playlist_id(&local, &server).await.unwrap();
            for list in self.lists.iter_mut().filter(|l| **l == local) {
                *list = server.clone();
            }
        }
        self.catalog.outbox_done(sequence).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_server_ends_up_with_what_the_listener_sees(ops in prop::collection::vec(op(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for op in ops {
                world.act(op).await;
            }
            for n in 0..TRACKS {
                if !world.here[n] {
                    world.act(Op::Toggle(n)).await;
                }
            }
            let rows = world.catalog.outbox(1000).await.unwrap();
            prop_assert!(rows.is_sorted_by_key(|(sequence, _)| *sequence));
            for _ in rows {
                world.send().await;
            }
            prop_assert!(world.catalog.outbox(1).await.unwrap().is_empty());
            for n in 0..TRACKS {
                let marks = world.me.track(&id(n)).await.unwrap().unwrap().marks;
                prop_assert_eq!(marks.starred_at, world.server.stars.get(&item(n)).copied());
                prop_assert_eq!(marks.rating, world.server.ratings.get(&item(n)).copied().unwrap_or(0));
                let plays = world.server.plays.iter().filter(|p| p.track == id(n)).count();
                prop_assert_eq!(marks.play_count as usize, plays);
            }
            let plays = world.me.recent_plays(Window::ALL).await.unwrap();
            prop_assert_eq!(plays.len(), world.server.plays.len());
            let left = world.me.play_queue().await.unwrap().map(|(queue, _)| queue.tracks).unwrap_or_default();
            prop_assert_eq!(&left, &world.server.queue);
            prop_assert_eq!(world.lists.len(), world.server.lists.len());
            for list in &world.lists {
                prop_assert_eq!(Some(&world.visible(list).await), world.server.lists.get(list));
            }
            Ok(())
        })?;
    }
}
