//! Where listeners left off: their queue, by id and by index, and their bookmarks.

use jiff::Timestamp;

use super::{Answer, Call, Refusal, Said};
use crate::music::{PlayQueue, Track, TrackId};
use crate::subsonic::convert::iso;
use crate::subsonic::playing::{self, Bookmark, Bookmarks, PlayQueueByIndex};
use crate::subsonic::types::Child;
use crate::subsonic::{Body, ErrorCode};

/// The most entries that a queue keeps.
const LONGEST_QUEUE: usize = 100_000;

/// The queue that was left; without one, an answer without it.
pub(super) async fn queue(call: &Call<'_>) -> Said {
    let Some((queue, tracks)) = call.listener.play_queue().await? else { return Ok(Answer::Done) };
    let current = tracks.get(queue.current).map(|track| track.id.to_string());
    Ok(Body::PlayQueue(playing::PlayQueue {
        current,
        position: Some(queue.position_ms),
        username: call.account.name.clone(),
        changed: iso(queue.changed_at),
        changed_by: queue.changed_by,
        entry: songs(&tracks),
    })
    .into())
}

/// The same with the index of the song that played, so that one may be in it twice.
pub(super) async fn queue_by_index(call: &Call<'_>) -> Said {
    let Some((queue, tracks)) = call.listener.play_queue().await? else { return Ok(Answer::Done) };
    Ok(Body::PlayQueueByIndex(PlayQueueByIndex {
        current_index: Some(queue.current as u64),
        position: Some(queue.position_ms),
        username: call.account.name.clone(),
        changed: iso(queue.changed_at),
        changed_by: queue.changed_by,
        entry: songs(&tracks),
    })
    .into())
}

/// Keeps a queue whose current song is named by its id; without songs, forgets the one that was kept.
pub(super) async fn save_queue(call: &Call<'_>) -> Said {
    let tracks = tracks(call)?;
    let current = match call.params.get("current").filter(|id| !id.is_empty()) {
        None => 0,
        Some(id) => tracks.iter().position(|track| track.as_str() == id).ok_or_else(|| {
            Refusal::new(ErrorCode::Generic, "the parameter “current” names no song of the queue")
        })?,
    };
    save(call, tracks, current).await
}

/// Keeps a queue whose current song is named by its place.
pub(super) async fn save_queue_by_index(call: &Call<'_>) -> Said {
    let tracks = tracks(call)?;
    let current = match call.params.parsed("currentIndex")? {
        Some(index) => index,
        None if tracks.is_empty() => 0,
        None => {
            call.params.required("currentIndex")?;
            0
        }
    };
    save(call, tracks, current).await
}

fn tracks(call: &Call<'_>) -> Result<Vec<TrackId>, Refusal> {
    let tracks: Vec<TrackId> = call.params.all("id").filter(|id| !id.is_empty()).map(TrackId::from).collect();
    if tracks.len() > LONGEST_QUEUE {
        let why = format!("a queue of more than {LONGEST_QUEUE} songs is not kept");
        return Err(Refusal::new(ErrorCode::Generic, why));
    }
    Ok(tracks)
}

async fn save(call: &Call<'_>, tracks: Vec<TrackId>, current: usize) -> Said {
    let position_ms = call.params.parsed("position")?.unwrap_or(0);
    let changed_at = Timestamp::now().as_millisecond();
    let queue = PlayQueue { tracks, current, position_ms, changed_at, changed_by: call.program() };
    call.listener.save_play_queue(&queue).await?;
    Ok(Answer::Done)
}

fn songs(tracks: &[Track]) -> Vec<Child> {
    tracks.iter().map(Child::from).collect()
}

pub(super) async fn bookmarks(call: &Call<'_>) -> Said {
    let bookmark = call.listener.bookmarks().await?.into_iter().map(|mark| Bookmark {
        position: mark.position_ms,
        username: call.account.name.clone(),
        comment: mark.comment,
        created: iso(mark.created_at),
        changed: iso(mark.changed_at),
        entry: Some(Child::from(&mark.track)),
    });
    Ok(Body::Bookmarks(Bookmarks { bookmark: bookmark.collect() }).into())
}

pub(super) async fn create_bookmark(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?.into();
    call.params.required("position")?;
    let position = call.params.parsed("position")?.unwrap_or(0);
    let comment = call.params.get("comment").filter(|text| !text.trim().is_empty());
    let now = Timestamp::now().as_millisecond();
    call.listener.set_bookmark(&id, position, comment, now).await?;
    Ok(Answer::Done)
}

pub(super) async fn delete_bookmark(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?.into();
    if call.listener.delete_bookmark(&id).await? {
        Ok(Answer::Done)
    } else {
        Err(Refusal::not_found("bookmark"))
    }
}
