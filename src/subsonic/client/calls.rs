//! A method for each endpoint that a player asks.

use std::time::Duration;

use super::media::StreamBody;
use super::{Client, ClientError, Params};
use crate::music::{
    Ad, AdHeard, AlbumId, ArtistId, Item, Plan, PlayQueue, PlaylistId, Purpose, TrackId, Window,
};
use crate::subsonic::auth;
use crate::subsonic::devices::{Device, DeviceCommand, DeviceReport, Devices};
use crate::subsonic::insights::OperatorInsights;
use crate::subsonic::playing::{
    Lyrics, LyricsList, NowPlaying, NowPlayingEntry, PlayQueueByIndex, StructuredLyrics,
};
use crate::subsonic::response::{AlbumList2, Artists, Body, Found, Genres, ScanStatus, Songs};
use crate::subsonic::serving::Privacy;
use crate::subsonic::types::{AlbumID3, ArtistID3, Child, Extension, Genre, Playlist};

/// Who answered a ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// Version of the API.
    pub version: String,
    /// The server's name ("navidrome"), where it says so.
    pub kind: Option<String>,
    /// The server's own version, where it says so.
    pub server_version: Option<String>,
    /// Whether it knows OpenSubsonic.
    pub open_subsonic: bool,
}

/// An edit of a playlist; what is `None` or empty stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaylistChange {
    /// New name.
    pub name: Option<String>,
    /// New comment.
    pub comment: Option<String>,
    /// Whether others may read it.
    pub public: Option<bool>,
    /// Tracks to put at its end.
    pub add: Vec<TrackId>,
    /// Entries to take out, counted from 0 before the change.
    pub remove: Vec<usize>,
}

/// What a player does at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaybackReport {
    /// The track.
    pub track: TrackId,
    /// Place in it, ms.
    pub position_ms: u64,
    /// `starting`, `playing`, `paused` or `stopped`.
    pub state: &'static str,
    /// Speed, 1 for as it is.
    pub rate: f32,
}

impl Client {
    async fn body(&self, endpoint: &str, params: Params<'_>) -> Result<Option<Body>, ClientError> {
        self.call(endpoint, params).await.map(|response| response.body)
    }

    fn absent(&self, what: &str) -> ClientError {
        ClientError::Malformed { host: self.host().to_owned(), why: format!("there is no `{what}` in it") }
    }
}

/// A method that asks for one body: `body!(self, "getSong", params => Song)`.
macro_rules! body {
    ($client:ident, $endpoint:literal, $params:expr => $variant:ident) => {
        match $client.body($endpoint, $params).await? {
            Some(Body::$variant(body)) => Ok(body),
            _ => Err($client.absent(stringify!($variant))),
        }
    };
    ($client:ident, $endpoint:literal, $params:expr => $variant:ident or default) => {
        match $client.body($endpoint, $params).await? {
            Some(Body::$variant(body)) => Ok(body),
            None => Ok(Default::default()),
            Some(_) => Err($client.absent(stringify!($variant))),
        }
    };
}

impl Client {
    /// Says hello; settles how to log in.
    pub async fn ping(&self) -> Result<ServerInfo, ClientError> {
        let response = self.call("ping", vec![]).await?;
        Ok(ServerInfo {
            version: response.version,
            kind: response.kind,
            server_version: response.server_version,
            open_subsonic: response.open_subsonic,
        })
    }

    /// The extensions that the server offers.
    pub async fn extensions(&self) -> Result<Vec<Extension>, ClientError> {
        body!(self, "getOpenSubsonicExtensions", vec![] => OpenSubsonicExtensions or default)
    }

    /// Artists, albums and songs for some words; a page of everything for none.
    pub async fn search3(
        &self,
        query: &str,
        artists: Window,
        albums: Window,
        songs: Window,
    ) -> Result<Found, ClientError> {
        let mut params = vec![("query", query.to_owned())];
        for (count, offset, window) in [
            ("artistCount", "artistOffset", artists),
            ("albumCount", "albumOffset", albums),
            ("songCount", "songOffset", songs),
        ] {
            params.push((count, window.limit.min(1_000_000).to_string()));
            params.push((offset, window.offset.to_string()));
        }
        body!(self, "search3", params => SearchResult3 or default)
    }

    /// All album artists, by letter.
    pub async fn artists(&self) -> Result<Artists, ClientError> {
        body!(self, "getArtists", vec![] => Artists or default)
    }

    /// One artist with its albums.
    pub async fn artist(&self, id: &ArtistId) -> Result<ArtistID3, ClientError> {
        body!(self, "getArtist", vec![("id", id.to_string())] => Artist)
    }

    /// One album with its songs.
    pub async fn album(&self, id: &AlbumId) -> Result<AlbumID3, ClientError> {
        body!(self, "getAlbum", vec![("id", id.to_string())] => Album)
    }

    /// One song.
    pub async fn song(&self, id: &TrackId) -> Result<Child, ClientError> {
        body!(self, "getSong", vec![("id", id.to_string())] => Song)
    }

    /// A page of albums in one of the API's orders ("alphabeticalByName", "newest", …). Servers give 500 at
    /// the most.
    pub async fn album_list2(&self, order: &str, window: Window) -> Result<Vec<AlbumID3>, ClientError> {
        let params = vec![
            ("type", order.to_owned()),
            ("size", window.limit.min(500).to_string()),
            ("offset", window.offset.to_string()),
        ];
        let list: Result<AlbumList2, ClientError> =
            body!(self, "getAlbumList2", params => AlbumList2 or default);
        list.map(|list| list.album)
    }

    /// All genres.
    pub async fn genres(&self) -> Result<Vec<Genre>, ClientError> {
        let genres: Result<Genres, ClientError> = body!(self, "getGenres", vec![] => Genres or default);
        genres.map(|genres| genres.genre)
    }

    /// Songs by chance.
    pub async fn random_songs(&self, size: u64) -> Result<Vec<Child>, ClientError> {
        let params = vec![("size", size.to_string())];
        let songs: Result<Songs, ClientError> =
            body!(self, "getRandomSongs", params => RandomSongs or default);
        songs.map(|songs| songs.song)
    }

    /// A page of a genre's songs.
    pub async fn songs_by_genre(&self, genre: &str, window: Window) -> Result<Vec<Child>, ClientError> {
        let params = vec![
            ("genre", genre.to_owned()),
            ("count", window.limit.min(500).to_string()),
            ("offset", window.offset.to_string()),
        ];
        let songs: Result<Songs, ClientError> =
            body!(self, "getSongsByGenre", params => SongsByGenre or default);
        songs.map(|songs| songs.song)
    }

    /// Everything that this listener starred.
    pub async fn starred2(&self) -> Result<Found, ClientError> {
        body!(self, "getStarred2", vec![] => Starred2 or default)
    }

    /// Own and public playlists, without their songs.
    pub async fn playlists(&self) -> Result<Vec<Playlist>, ClientError> {
        let lists: Result<crate::subsonic::response::Playlists, ClientError> =
            body!(self, "getPlaylists", vec![] => Playlists or default);
        lists.map(|lists| lists.playlist)
    }

    /// One playlist with its songs.
    pub async fn playlist(&self, id: &PlaylistId) -> Result<Playlist, ClientError> {
        body!(self, "getPlaylist", vec![("id", id.to_string())] => Playlist)
    }

    /// Makes a playlist. Servers older than 1.14 do not say what they made: then `None`.
    pub async fn create_playlist(
        &self,
        name: &str,
        tracks: &[TrackId],
    ) -> Result<Option<Playlist>, ClientError> {
        let mut params = vec![("name", name.to_owned())];
        params.extend(tracks.iter().map(|id| ("songId", id.to_string())));
        self.maybe_playlist(params).await
    }

    /// Puts `tracks` in the place of all that a playlist holds; `name` renames it.
    pub async fn replace_playlist(
        &self,
        id: &PlaylistId,
        name: Option<&str>,
        tracks: &[TrackId],
    ) -> Result<Option<Playlist>, ClientError> {
        let mut params = vec![("playlistId", id.to_string())];
        params.extend(name.map(|name| ("name", name.to_owned())));
        params.extend(tracks.iter().map(|id| ("songId", id.to_string())));
        self.maybe_playlist(params).await
    }

    async fn maybe_playlist(&self, params: Params<'_>) -> Result<Option<Playlist>, ClientError> {
        match self.body("createPlaylist", params).await? {
            Some(Body::Playlist(playlist)) if !playlist.id.is_empty() => Ok(Some(playlist)),
            _ => Ok(None),
        }
    }

    /// Edits a playlist.
    pub async fn update_playlist(&self, id: &PlaylistId, change: &PlaylistChange) -> Result<(), ClientError> {
        let mut params = vec![("playlistId", id.to_string())];
        params.extend(change.name.iter().map(|name| ("name", name.clone())));
        params.extend(change.comment.iter().map(|comment| ("comment", comment.clone())));
        params.extend(change.public.iter().map(|public| ("public", public.to_string())));
        params.extend(change.add.iter().map(|id| ("songIdToAdd", id.to_string())));
        params.extend(change.remove.iter().map(|index| ("songIndexToRemove", index.to_string())));
        self.call("updatePlaylist", params).await.map(drop)
    }

    /// Deletes a playlist.
    pub async fn delete_playlist(&self, id: &PlaylistId) -> Result<(), ClientError> {
        self.call("deletePlaylist", vec![("id", id.to_string())]).await.map(drop)
    }

    /// Stars things.
    pub async fn star(&self, items: &[Item]) -> Result<(), ClientError> {
        self.call("star", item_params(items)).await.map(drop)
    }

    /// Takes stars away.
    pub async fn unstar(&self, items: &[Item]) -> Result<(), ClientError> {
        self.call("unstar", item_params(items)).await.map(drop)
    }

    /// Rates a thing 1–5; 0 takes the rating away.
    pub async fn set_rating(&self, item: &Item, rating: u8) -> Result<(), ClientError> {
        let params = vec![("id", item.id().to_owned()), ("rating", rating.min(5).to_string())];
        self.call("setRating", params).await.map(drop)
    }

    /// Allows or forbids that the server makes anything of what the listener does (extension `seguePrivacy`).
    pub async fn set_profiling(&self, on: bool) -> Result<(), ClientError> {
        self.call("setPrivacy", vec![("profiling", on.to_string())]).await.map(drop)
    }

    /// What the listener's plan allows (extension `seguePlans`).
    pub async fn plan(&self) -> Result<Plan, ClientError> {
        match self.body("getPlan", Vec::new()).await? {
            Some(Body::Plan(plan)) => Ok(plan.into()),
            _ => Err(self.absent("plan")),
        }
    }

    /// Tickets for up to `count` ads, in the order in which they are to be heard (extension `seguePlans`).
    pub async fn ads(&self, count: u32) -> Result<Vec<Ad>, ClientError> {
        let now = jiff::Timestamp::now();
        let offset = jiff::tz::TimeZone::system().to_offset(now).seconds() / 60;
        let params = vec![("count", count.to_string()), ("utcOffset", offset.to_string())];
        match self.body("getAds", params).await? {
            Some(Body::Ads(ads)) => Ok(ads.ad.into_iter().map(Ad::from).collect()),
            _ => Ok(Vec::new()),
        }
    }

    /// Tells how ads were heard; one that is told of twice counts once (extension `seguePlans`).
    pub async fn report_ads(&self, heard: &[AdHeard]) -> Result<(), ClientError> {
        let mut params = Vec::with_capacity(heard.len() * 3);
        for ad in heard {
            params.push(("ticket", ad.ticket.clone()));
            params.push(("heard", ad.heard_ms.to_string()));
            params.push(("time", ad.at.to_string()));
        }
        self.call("reportAds", params).await.map(drop)
    }

    /// Tells what this device does (extension `segueDevices`).
    pub async fn report_device(&self, report: &DeviceReport) -> Result<Device, ClientError> {
        body!(self, "reportDevice", report.params() => Device)
    }

    /// What this device is asked for after the command of a number, which waits up to `wait` for it (extension `segueDevices`).
    pub async fn device_commands(
        &self,
        id: &str,
        after: i64,
        wait: Duration,
    ) -> Result<Vec<DeviceCommand>, ClientError> {
        let params =
            vec![("id", id.to_owned()), ("after", after.to_string()), ("wait", wait.as_millis().to_string())];
        match self.body("getDeviceCommands", params).await? {
            Some(Body::DeviceCommands(commands)) => Ok(commands.command),
            _ => Ok(Vec::new()),
        }
    }

    /// Players of the account that can be driven, without their queues (extension `segueDevices`).
    pub async fn devices(&self) -> Result<Vec<Device>, ClientError> {
        let devices: Result<Devices, ClientError> =
            body!(self, "getDevices", Vec::new() => Devices or default);
        devices.map(|devices| devices.device)
    }

    /// One of them, once it has another revision than `after`, or `wait` is over (extension `segueDevices`).
    pub async fn device(&self, id: &str, after: i64, wait: Duration) -> Result<Device, ClientError> {
        let params =
            vec![("id", id.to_owned()), ("after", after.to_string()), ("wait", wait.as_millis().to_string())];
        body!(self, "getDevice", params => Device)
    }

    /// Asks a device for something, and gives the command's number (extension `segueDevices`).
    pub async fn send_to_device(&self, id: &str, command: &DeviceCommand) -> Result<i64, ClientError> {
        let mut params = command.params();
        params.push(("id", id.to_owned()));
        let sent: Result<DeviceCommand, ClientError> =
            body!(self, "sendToDevice", params => DeviceCommand or default);
        sent.map(|sent| sent.sequence)
    }

    /// Takes a device away (extension `segueDevices`).
    pub async fn forget_device(&self, id: &str) -> Result<(), ClientError> {
        self.call("forgetDevice", vec![("id", id.to_owned())]).await.map(drop)
    }

    /// Allows or forbids a use of personal data, as asked for by a text of that version (`seguePrivacy` 2).
    pub async fn set_purpose(&self, purpose: Purpose, on: bool, version: u32) -> Result<(), ClientError> {
        let params = vec![
            ("purpose", purpose.word().to_owned()),
            ("on", on.to_string()),
            ("version", version.to_string()),
        ];
        self.call("setPrivacy", params).await.map(drop)
    }

    /// What the server tells its administrators of the days from one to the other, both written as `2026-11-24` (extension
    /// `segueInsights`).
    pub async fn insights(&self, since: &str, until: &str) -> Result<OperatorInsights, ClientError> {
        let params = vec![("since", since.to_owned()), ("until", until.to_owned())];
        body!(self, "getInsights", params => OperatorInsights)
    }

    /// Wants the account erased, or, with `cancel`, to stay after all; gives when it will be (`seguePrivacy` 2). The password is the
    /// account's own.
    pub async fn erase_account(&self, password: &str, cancel: bool) -> Result<Privacy, ClientError> {
        let params = vec![("password", auth::hex_password(password)), ("cancel", cancel.to_string())];
        let reply = self.post("eraseAccount", params).await?;
        let status = reply.status();
        let body = self.read_body(reply, super::LONGEST_ANSWER).await?;
        match self.understand(status, None, &body).map_err(|refusal| refusal.error)?.body {
            Some(Body::Privacy(privacy)) => Ok(privacy),
            _ => Ok(Privacy::default()),
        }
    }

    /// Begins to send everything that the server keeps of the listener, as a zip (`seguePrivacy` 2).
    pub async fn export_account(&self, password: &str) -> Result<StreamBody, ClientError> {
        let params = vec![("password", auth::hex_password(password))];
        let reply = self.post("exportAccount", params).await?;
        let zip =
            reply.headers().get("content-type").is_some_and(|kind| kind.as_bytes() == b"application/zip");
        if reply.status().is_success() && zip {
            return Ok(self.body_of(reply));
        }
        let status = reply.status();
        let body = self.read_body(reply, super::LONGEST_ANSWER).await?;
        self.understand(status, None, &body).map_err(|refusal| refusal.error)?;
        let why = "it is no archive".to_owned();
        Err(ClientError::Malformed { host: self.host().to_owned(), why })
    }

    /// What the listener decided, and what the server keeps of them (`seguePrivacy` 2).
    pub async fn privacy(&self) -> Result<Privacy, ClientError> {
        match self.call("getPrivacy", Vec::new()).await?.body {
            Some(Body::Privacy(privacy)) => Ok(privacy),
            _ => Ok(Privacy::default()),
        }
    }

    /// Reports plays with the time that each began (Unix ms); with `submission` false, what is heard now.
    pub async fn scrobble(&self, plays: &[(TrackId, i64)], submission: bool) -> Result<(), ClientError> {
        let mut params = vec![("submission", submission.to_string())];
        for (id, started_at) in plays {
            params.push(("id", id.to_string()));
            params.push(("time", started_at.to_string()));
        }
        self.call("scrobble", params).await.map(drop)
    }

    /// Leaves a queue for the listener's other players: by index where the server has `indexBasedQueue`, so that one
    /// track may be in it twice, else by the id of the current track. One without tracks takes the kept one away.
    pub async fn save_play_queue(&self, queue: &PlayQueue, by_index: bool) -> Result<(), ClientError> {
        let mut params: Params<'_> = queue.tracks.iter().map(|id| ("id", id.to_string())).collect();
        if let Some(current) = queue.tracks.get(queue.current) {
            params.push(if by_index {
                ("currentIndex", queue.current.to_string())
            } else {
                ("current", current.to_string())
            });
            params.push(("position", queue.position_ms.to_string()));
        }
        let endpoint = if by_index { "savePlayQueueByIndex" } else { "savePlayQueue" };
        self.call(endpoint, params).await.map(drop)
    }

    /// The queue that was left last, if there is one. Its songs are as the server has them.
    pub async fn play_queue(&self, by_index: bool) -> Result<Option<PlayQueueByIndex>, ClientError> {
        let endpoint = if by_index { "getPlayQueueByIndex" } else { "getPlayQueue" };
        Ok(match self.body(endpoint, vec![]).await? {
            Some(Body::PlayQueueByIndex(queue)) => Some(queue),
            Some(Body::PlayQueue(queue)) => {
                let place = |id: &String| queue.entry.iter().position(|song| song.id == *id);
                Some(PlayQueueByIndex {
                    current_index: queue.current.as_ref().and_then(place).map(|place| place as u64),
                    position: queue.position,
                    username: queue.username,
                    changed: queue.changed,
                    changed_by: queue.changed_by,
                    entry: queue.entry,
                })
            }
            _ => None,
        })
    }

    /// Tells what the player does (extension `playbackReport`). Plays are counted by `scrobble`, not by this.
    pub async fn report_playback(&self, report: &PlaybackReport) -> Result<(), ClientError> {
        let params = vec![
            ("mediaId", report.track.to_string()),
            ("mediaType", "song".to_owned()),
            ("positionMs", report.position_ms.to_string()),
            ("state", report.state.to_owned()),
            ("playbackRate", report.rate.to_string()),
            ("ignoreScrobble", "true".to_owned()),
        ];
        self.call("reportPlayback", params).await.map(drop)
    }

    /// Who hears what.
    pub async fn now_playing(&self) -> Result<Vec<NowPlayingEntry>, ClientError> {
        let playing: Result<NowPlaying, ClientError> =
            body!(self, "getNowPlaying", vec![] => NowPlaying or default);
        playing.map(|playing| playing.entry)
    }

    /// All lyrics of a song (extension `songLyrics`), with words timed where the server knows that.
    pub async fn lyrics_by_song_id(&self, id: &TrackId) -> Result<Vec<StructuredLyrics>, ClientError> {
        let params = vec![("id", id.to_string()), ("enhanced", "true".to_owned())];
        let list: Result<LyricsList, ClientError> =
            body!(self, "getLyricsBySongId", params => LyricsList or default);
        list.map(|list| list.structured_lyrics)
    }

    /// The words of a song by artist and title, for servers without `songLyrics`; empty where there are none.
    pub async fn plain_lyrics(&self, artist: &str, title: &str) -> Result<String, ClientError> {
        let params = vec![("artist", artist.to_owned()), ("title", title.to_owned())];
        let lyrics: Result<Lyrics, ClientError> = body!(self, "getLyrics", params => Lyrics or default);
        lyrics.map(|lyrics| lyrics.value)
    }

    /// How a scan stands.
    pub async fn scan_status(&self) -> Result<ScanStatus, ClientError> {
        body!(self, "getScanStatus", vec![] => ScanStatus)
    }

    /// Begins a scan.
    pub async fn start_scan(&self) -> Result<ScanStatus, ClientError> {
        body!(self, "startScan", vec![] => ScanStatus or default)
    }
}

fn item_params(items: &[Item]) -> Params<'static> {
    items
        .iter()
        .map(|item| match item {
            Item::Track(id) => ("id", id.to_string()),
            Item::Album(id) => ("albumId", id.to_string()),
            Item::Artist(id) => ("artistId", id.to_string()),
        })
        .collect()
}
