//! What a desktop asks of the player, and what the player is told then.

use tokio::sync::{mpsc, oneshot};

use super::Behind;
use super::shown::{Shown, State};
use crate::catalog::CatalogError;
use crate::music::{AlbumId, PlaylistId, Track, TrackId};
use crate::player::{Command, Repeat, SoundChange, Status};

/// A wish. Places in the queue go by uid.
#[derive(Debug)]
pub(super) enum Wish {
    /// Play.
    Play,
    /// Pause.
    Pause,
    /// Play if paused, pause if playing.
    Toggle,
    /// Stop; it begins at the beginning again.
    Stop,
    /// Go on.
    Next,
    /// Go back.
    Previous,
    /// Go forward or back, ms.
    SeekBy(i64),
    /// Go to a place of this song, ms; nothing happens when another one plays meanwhile.
    SeekTo(u64, i64),
    /// Volume, 0–100.
    Volume(u8),
    /// Shuffle what follows or not.
    Shuffle(bool),
    /// What happens at the end.
    Repeat(Repeat),
    /// Hundredths of the speed; 0 pauses.
    Speed(u16),
    /// Go to an entry of the queue.
    Jump(u64),
    /// Take an entry out of the queue.
    Remove(u64),
    /// Play something of the library, or put it into the queue. The answer says why it cannot be done.
    Open(Named, How, oneshot::Sender<Result<(), String>>),
    /// End the player.
    Quit,
}

/// What is done with what was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Played now.
    Now,
    /// Put right after what plays.
    Next,
    /// Put at the end of what is up next.
    Last,
}

/// Something of the library, as an address names it: `segue:track:ID`, `segue:album:ID`, `segue:playlist:ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// A track.
    Track(TrackId),
    /// An album.
    Album(AlbumId),
    /// A playlist.
    Playlist(PlaylistId),
}

impl Named {
    /// The scheme of these addresses.
    pub(super) const SCHEME: &str = "segue";

    /// What an address names, if it is one of these.
    pub(super) fn read(address: &str) -> Option<Self> {
        let (kind, id) = address.strip_prefix(Self::SCHEME)?.strip_prefix(':')?.split_once(':')?;
        let id = decoded(id).filter(|id| !id.is_empty())?;
        Some(match kind {
            "track" => Self::Track(id.into()),
            "album" => Self::Album(id.into()),
            "playlist" => Self::Playlist(id.into()),
            _ => return None,
        })
    }

    /// The address of a track.
    pub(super) fn of_track(id: &TrackId) -> String {
        format!("{}:track:{}", Self::SCHEME, encoded(id.as_str().as_bytes(), b""))
    }
}

/// Bytes as they stand in an address: letters, digits, `-._~` and what is in `also` as they are, the rest in hexadecimal.
pub(super) fn encoded(bytes: &[u8], also: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut out, &byte| {
        use std::fmt::Write as _;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}"); // a string takes everything
        }
        out
    })
}

fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Does what is asked for until nobody can ask any more.
pub(super) async fn obey(behind: &Behind, mut wishes: mpsc::Receiver<Wish>) {
    while let Some(wish) = wishes.recv().await {
        match wish {
            Wish::Quit => behind.leave.cancel(),
            Wish::Open(named, how, answer) => {
                // Whoever asked may have hung up.
                let _ = answer.send(open(behind, named, how).await);
            }
            wish => {
                let commands = commands(&wish, &behind.player.status().borrow());
                for command in commands {
                    behind.player.send(command);
                }
            }
        }
    }
}

async fn open(behind: &Behind, named: Named, how: How) -> Result<(), String> {
    let (tracks, name) = found(behind, named).await?;
    if tracks.is_empty() {
        return Err("the library has nothing of this name".to_owned());
    }
    behind.player.send(match how {
        How::Now => Command::PlayContext { tracks, start: 0, name, shuffled: false },
        How::Next => Command::EnqueueNext(tracks),
        How::Last => Command::Enqueue(tracks),
    });
    Ok(())
}

/// The tracks of what was named, and what the queue calls them.
async fn found(behind: &Behind, named: Named) -> Result<(Vec<Track>, String), String> {
    let listener = &behind.listener;
    let found = async {
        Ok::<_, CatalogError>(match named {
            Named::Track(id) => {
                let tracks: Vec<Track> = listener.track(&id).await?.into_iter().collect();
                let name = tracks.first().map(|track| track.album.clone()).unwrap_or_default();
                (tracks, name)
            }
            Named::Album(id) => {
                let name = listener.album(&id).await?.map(|album| album.title).unwrap_or_default();
                (listener.tracks_of(&id).await?, name)
            }
            Named::Playlist(id) => match listener.playlist(&id).await? {
                Some((playlist, tracks)) => (tracks, playlist.name),
                None => (Vec::new(), String::new()),
            },
        })
    };
    found.await.map_err(|e| e.to_string())
}

/// What the player is told for a wish in this state.
fn commands(wish: &Wish, now: &Status) -> Vec<Command> {
    let uid = now.queue.now.as_ref().map(|entry| entry.uid);
    let playing = Shown::of(now).state == State::Playing;
    let one = match wish {
        Wish::Play if playing => return Vec::new(),
        Wish::Play => Command::Resume,
        Wish::Pause | Wish::Speed(0) => Command::Pause,
        Wish::Toggle => Command::Toggle,
        // It is parked where it was; what is stopped begins at the beginning.
        Wish::Stop => return vec![Command::Stop, Command::SeekTo(0)],
        Wish::Next => Command::Next,
        Wish::Previous => Command::Previous,
        Wish::SeekBy(_) | Wish::SeekTo(..) if uid.is_none() => return Vec::new(),
        Wish::SeekBy(ms) => {
            let beyond = now.position_ms.saturating_add_signed(*ms) > now.duration_ms && now.duration_ms > 0;
            if beyond && *ms > 0 { Command::Next } else { Command::SeekBy(*ms) }
        }
        Wish::SeekTo(song, ms) => match u64::try_from(*ms) {
            Ok(ms) if Some(*song) == uid && (ms <= now.duration_ms || now.duration_ms == 0) => {
                Command::SeekTo(ms)
            }
            _ => return Vec::new(),
        },
        Wish::Volume(volume) => Command::SetVolume(*volume),
        Wish::Shuffle(on) => Command::SetShuffle(*on),
        Wish::Repeat(repeat) => Command::SetRepeat(*repeat),
        Wish::Speed(hundredths) => Command::Sound(SoundChange::Speed(*hundredths)),
        Wish::Jump(uid) => Command::Jump(*uid),
        Wish::Remove(uid) => Command::Remove(vec![*uid]),
        Wish::Open(..) | Wish::Quit => return Vec::new(),
    };
    vec![one]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::player::{Queue, Transport};
    use crate::subsonic::convert;

    fn playing() -> Status {
        let song = serde_json::json!({"id": "t1", "title": "One", "duration": 60});
        let track = convert::track(&serde_json::from_value(song).unwrap()).unwrap();
        let mut queue = Queue::new();
        queue.play_context(vec![Arc::new(track)], 0, "all".to_owned(), None);
        Status {
            queue: Arc::new(queue.view()),
            transport: Transport::Playing,
            position_ms: 50_000,
            duration_ms: 60_000,
            ..Status::default()
        }
    }

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for id in ["tr-1", "a/b c%d", "ü:✓"] {
            let address = Named::of_track(&id.into());
            assert!(address.is_ascii() && !address.contains(' '), "{address}");
            assert_eq!(Named::read(&address), Some(Named::Track(id.into())));
        }
        assert_eq!(Named::read("segue:album:x"), Some(Named::Album("x".into())));
        for wrong in
            ["segue:track:", "segue:track:%zz", "segue:track:%ff", "file:///etc/passwd", "segue:x:y", ""]
        {
            assert_eq!(Named::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_place_of_another_song_is_not_gone_to() {
        let now = playing();
        let uid = now.queue.now.as_ref().unwrap().uid;
        assert_eq!(commands(&Wish::SeekTo(uid, 1_000), &now), [Command::SeekTo(1_000)]);
        assert_eq!(commands(&Wish::SeekTo(uid + 1, 1_000), &now), []);
        assert_eq!(commands(&Wish::SeekTo(uid, -1), &now), []);
        assert_eq!(commands(&Wish::SeekTo(uid, 60_001), &now), []);
    }

    #[test]
    fn a_step_beyond_the_end_is_the_next_track() {
        let now = playing();
        assert_eq!(commands(&Wish::SeekBy(5_000), &now), [Command::SeekBy(5_000)]);
        assert_eq!(commands(&Wish::SeekBy(10_001), &now), [Command::Next]);
        assert_eq!(commands(&Wish::SeekBy(i64::MIN), &now), [Command::SeekBy(i64::MIN)]);
        assert_eq!(commands(&Wish::SeekBy(5_000), &Status::default()), []);
    }

    #[test]
    fn what_plays_need_not_be_told_to() {
        assert_eq!(commands(&Wish::Play, &playing()), []);
        assert_eq!(commands(&Wish::Stop, &playing()), [Command::Stop, Command::SeekTo(0)]);
        assert_eq!(commands(&Wish::Speed(0), &playing()), [Command::Pause]);
    }
}
