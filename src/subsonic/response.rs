//! Whole answers: the envelope that every one of them comes in, and the bodies it can hold.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::devices::{Device, DeviceCommand, DeviceCommands, Devices, JukeboxPlaylist, JukeboxStatus};
use super::insights::OperatorInsights;
use super::lenient::{self, wire};
use super::plans::{Ads, Plan};
use super::playing::{Bookmarks, Lyrics, LyricsList, NowPlaying, PlayQueue, PlayQueueByIndex};
use super::serving::{AlbumInfo, ArtistInfo, InternetRadioStations, Privacy, Shares, SonicMatch};
use super::transcoding::TranscodeDecision;
use super::types::{AlbumID3, ArtistID3, Child, Extension, Genre, MusicFolder, Playlist, User};
use super::{API_VERSION, ErrorCode};

wire! {
    /// What went wrong, in `getX` of any X.
    pub struct Failure {
        /// The specification's code.
        req code: i32,
        /// One sentence.
        opt message: String,
        /// Where to read more.
        opt help_url: String,
    }

    /// The body of `getLicense`.
    pub struct License {
        /// Whether the server may be used.
        req valid: bool,
    }

    /// The body of `getMusicFolders`.
    pub struct MusicFolders {
        /// Folders.
        list music_folder: MusicFolder,
    }

    /// The body of `getArtists`.
    pub struct Artists {
        /// Words that sorting passes over.
        req ignored_articles: String,
        /// Artists by letter.
        list index: Index,
    }

    /// The body of `getIndexes`.
    pub struct Indexes {
        /// Unix time in ms.
        req last_modified: i64,
        /// Words that sorting passes over.
        req ignored_articles: String,
        /// Artists by letter.
        list index: Index,
    }

    /// The artists under one letter.
    pub struct Index {
        /// Letter.
        req name: String,
        /// Artists.
        list artist: ArtistID3,
    }

    /// The body of `getMusicDirectory`: an artist with its albums, or an album with its songs.
    pub struct Directory {
        /// Id.
        req id: String,
        /// What holds it.
        opt parent: String,
        /// Name.
        req name: String,
        /// When it was starred.
        opt starred: String,
        /// The listener's rating, 1–5.
        opt user_rating: u32,
        /// Plays that counted.
        opt play_count: u64,
        /// What is in it.
        list child: Child,
    }

    /// The body of `getAlbumList2`.
    pub struct AlbumList2 {
        /// Albums.
        list album: AlbumID3,
    }

    /// The body of `getAlbumList`: albums as directories.
    pub struct AlbumList {
        /// Albums.
        list album: Child,
    }

    /// The body of `getGenres`.
    pub struct Genres {
        /// Genres.
        list genre: Genre,
    }

    /// The body of `getRandomSongs` and `getSongsByGenre`.
    pub struct Songs {
        /// Songs.
        list song: Child,
    }

    /// The body of `search3` and `getStarred2`.
    pub struct Found {
        /// Artists.
        list artist: ArtistID3,
        /// Albums.
        list album: AlbumID3,
        /// Songs.
        list song: Child,
    }

    /// The body of `search2` and `getStarred`: albums as directories.
    pub struct FoundOld {
        /// Artists.
        list artist: ArtistID3,
        /// Albums.
        list album: Child,
        /// Songs.
        list song: Child,
    }

    /// The body of `search`.
    pub struct Matches {
        /// Songs before these.
        req offset: u64,
        /// Songs in all, as far as is known.
        req total_hits: u64,
        /// Songs.
        list r#match: Child,
    }

    /// The body of `getPlaylists`.
    pub struct Playlists {
        /// Playlists without their songs.
        list playlist: Playlist,
    }

    /// The body of `getScanStatus` and `startScan`.
    pub struct ScanStatus {
        /// Whether a scan runs now.
        req scanning: bool,
        /// Songs seen so far, or in the library.
        opt count: u64,
        /// Music folders.
        opt folder_count: u64,
        /// End of the last scan, ISO 8601.
        opt last_scan: String,
    }

    /// The body of `tokenInfo`.
    pub struct TokenInfo {
        /// Account name.
        req username: String,
    }

    /// The body of `getUsers`.
    pub struct Users {
        /// Accounts.
        list user: User,
    }
}

macro_rules! bodies {
    ($( $(#[$doc:meta])* $variant:ident($type:ty) = $key:literal, )*) => {
        /// What an answer holds beside its envelope, named as on the wire.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "there is one body in an answer, made once and written once")]
        #[non_exhaustive]
        pub enum Body {
            $( $(#[$doc])* $variant($type), )*
        }

        impl Body {
            /// The name of this body on the wire.
            pub fn key(&self) -> &'static str {
                match self { $( Self::$variant(_) => $key, )* }
            }

            fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                match self { $( Self::$variant(body) => map.serialize_entry($key, body), )* }
            }

            fn read<'de, A: MapAccess<'de>>(key: &str, map: &mut A) -> Result<Option<Self>, A::Error> {
                match key {
                    $( $key => map.next_value::<Loose<$type>>().map(|body| Some(Self::$variant(body.0))), )*
                    _ => map.next_value::<IgnoredAny>().map(|_| None),
                }
            }
        }
    };
}

bodies! {
    /// `getLicense`.
    License(License) = "license",
    /// `getOpenSubsonicExtensions`.
    OpenSubsonicExtensions(Vec<Extension>) = "openSubsonicExtensions",
    /// `getMusicFolders`.
    MusicFolders(MusicFolders) = "musicFolders",
    /// `getArtists`.
    Artists(Artists) = "artists",
    /// `getArtist`.
    Artist(ArtistID3) = "artist",
    /// `getAlbum`.
    Album(AlbumID3) = "album",
    /// `getSong`.
    Song(Child) = "song",
    /// `getIndexes`.
    Indexes(Indexes) = "indexes",
    /// `getMusicDirectory`.
    Directory(Directory) = "directory",
    /// `getAlbumList`.
    AlbumList(AlbumList) = "albumList",
    /// `getAlbumList2`.
    AlbumList2(AlbumList2) = "albumList2",
    /// `getGenres`.
    Genres(Genres) = "genres",
    /// `getRandomSongs`.
    RandomSongs(Songs) = "randomSongs",
    /// `getSongsByGenre`.
    SongsByGenre(Songs) = "songsByGenre",
    /// `getSimilarSongs`.
    SimilarSongs(Songs) = "similarSongs",
    /// `getSimilarSongs2`.
    SimilarSongs2(Songs) = "similarSongs2",
    /// `getTopSongs`.
    TopSongs(Songs) = "topSongs",
    /// `getSonicSimilarTracks` and `findSonicPath`.
    SonicMatch(Vec<SonicMatch>) = "sonicMatch",
    /// `getPrivacy` and `setPrivacy`.
    Privacy(Privacy) = "privacy",
    /// `getPlan`.
    Plan(Plan) = "plan",
    /// `getAds`.
    Ads(Ads) = "ads",
    /// `getInsights`.
    OperatorInsights(OperatorInsights) = "insights",
    /// `getDevices`.
    Devices(Devices) = "devices",
    /// `getDevice` and `reportDevice`.
    Device(Device) = "device",
    /// `getDeviceCommands`.
    DeviceCommands(DeviceCommands) = "deviceCommands",
    /// `sendToDevice`.
    DeviceCommand(DeviceCommand) = "deviceCommand",
    /// `jukeboxControl`.
    JukeboxStatus(JukeboxStatus) = "jukeboxStatus",
    /// `jukeboxControl` with the action `get`.
    JukeboxPlaylist(JukeboxPlaylist) = "jukeboxPlaylist",
    /// `search`.
    SearchResult(Matches) = "searchResult",
    /// `getTranscodeDecision`.
    TranscodeDecision(TranscodeDecision) = "transcodeDecision",
    /// `search2`.
    SearchResult2(FoundOld) = "searchResult2",
    /// `search3`.
    SearchResult3(Found) = "searchResult3",
    /// `getStarred`.
    Starred(FoundOld) = "starred",
    /// `getStarred2`.
    Starred2(Found) = "starred2",
    /// `getPlaylists`.
    Playlists(Playlists) = "playlists",
    /// `getPlaylist` and `createPlaylist`.
    Playlist(Playlist) = "playlist",
    /// `getScanStatus` and `startScan`.
    ScanStatus(ScanStatus) = "scanStatus",
    /// `getUser`.
    User(User) = "user",
    /// `getUsers`.
    Users(Users) = "users",
    /// `tokenInfo`.
    TokenInfo(TokenInfo) = "tokenInfo",
    /// `getNowPlaying`.
    NowPlaying(NowPlaying) = "nowPlaying",
    /// `getPlayQueue`.
    PlayQueue(PlayQueue) = "playQueue",
    /// `getPlayQueueByIndex`.
    PlayQueueByIndex(PlayQueueByIndex) = "playQueueByIndex",
    /// `getBookmarks`.
    Bookmarks(Bookmarks) = "bookmarks",
    /// `getLyrics`.
    Lyrics(Lyrics) = "lyrics",
    /// `getLyricsBySongId`.
    LyricsList(LyricsList) = "lyricsList",
    /// `getShares` and `createShare`.
    Shares(Shares) = "shares",
    /// `getInternetRadioStations`.
    InternetRadioStations(InternetRadioStations) = "internetRadioStations",
    /// `getAlbumInfo` and `getAlbumInfo2`.
    AlbumInfo(AlbumInfo) = "albumInfo",
    /// `getArtistInfo`.
    ArtistInfo(ArtistInfo) = "artistInfo",
    /// `getArtistInfo2`.
    ArtistInfo2(ArtistInfo) = "artistInfo2",
}

/// A body that may come as `null`, an empty string or an empty list where it holds nothing.
struct Loose<T>(T);

impl<'de, T: Deserialize<'de> + Default + LooseBody> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        T::read(d).map(Self)
    }
}

trait LooseBody: Sized {
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error>
    where
        Self: Deserialize<'de> + Default,
    {
        Ok(lenient::object(d)?.unwrap_or_default())
    }
}

macro_rules! loose { ($($type:ty)*) => { $( impl LooseBody for $type {} )* }; }
loose! { License MusicFolders Artists ArtistID3 AlbumID3 Child Indexes Directory AlbumList AlbumList2 Genres Songs
FoundOld Found Playlists Playlist ScanStatus User Users TokenInfo NowPlaying PlayQueue PlayQueueByIndex Bookmarks Lyrics
LyricsList OperatorInsights Privacy Plan Ads Shares InternetRadioStations AlbumInfo ArtistInfo Matches
TranscodeDecision Devices Device DeviceCommands DeviceCommand JukeboxStatus JukeboxPlaylist }

impl LooseBody for Vec<SonicMatch> {
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        lenient::list(d)
    }
}

impl LooseBody for Vec<Extension> {
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        lenient::list(d)
    }
}

/// One answer of a server, without the outermost `subsonic-response`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// The version of the API that the server speaks.
    pub version: String,
    /// The server's name ("segue").
    pub kind: Option<String>,
    /// The server's own version.
    pub server_version: Option<String>,
    /// Whether it knows OpenSubsonic.
    pub open_subsonic: bool,
    /// Whether `status` was `failed`.
    pub failed: bool,
    /// What went wrong.
    pub error: Option<Failure>,
    /// What was asked for; none for endpoints that only do something.
    pub body: Option<Body>,
}

impl Response {
    /// A good answer of this program's server.
    pub fn ok(body: Option<Body>) -> Self {
        Self {
            version: API_VERSION.to_owned(),
            kind: Some("segue".to_owned()),
            server_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            open_subsonic: true,
            failed: false,
            error: None,
            body,
        }
    }

    /// A refusal of this program's server.
    pub fn failed(code: ErrorCode, message: impl Into<String>) -> Self {
        let error = Failure { code: code.number(), message: Some(message.into()), help_url: None };
        Self { failed: true, error: Some(error), ..Self::ok(None) }
    }

    /// As JSON, in the outermost object of the API.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Outermost { response: self })
    }

    /// As an XML document.
    pub fn to_xml(&self) -> Result<String, serde_json::Error> {
        super::xml::document(self)
    }

    /// Reads an answer in JSON.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice::<Outermost<Self>>(bytes).map(|outermost| outermost.response)
    }
}

#[derive(Serialize, Deserialize)]
struct Outermost<T> {
    #[serde(rename = "subsonic-response")]
    response: T,
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", if self.failed { "failed" } else { "ok" })?;
        map.serialize_entry("version", &self.version)?;
        if let Some(kind) = &self.kind {
            map.serialize_entry("type", kind)?;
        }
        if let Some(version) = &self.server_version {
            map.serialize_entry("serverVersion", version)?;
        }
        if self.open_subsonic {
            map.serialize_entry("openSubsonic", &true)?;
        }
        if let Some(error) = &self.error {
            map.serialize_entry("error", error)?;
        }
        if let Some(body) = &self.body {
            body.write(&mut map)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Response {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ResponseVisitor)
    }
}

struct ResponseVisitor;

impl<'de> Visitor<'de> for ResponseVisitor {
    type Value = Response;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Subsonic response")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Response, A::Error> {
        let mut response = Response::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "status" => response.failed = map.next_value::<Text>()?.0.as_deref() == Some("failed"),
                "version" => response.version = map.next_value::<Text>()?.0.unwrap_or_default(),
                "type" => response.kind = map.next_value::<Text>()?.0,
                "serverVersion" => response.server_version = map.next_value::<Text>()?.0,
                "openSubsonic" => {
                    response.open_subsonic = map.next_value::<Text>()?.0.as_deref() == Some("true");
                }
                "error" => response.error = map.next_value::<MaybeFailure>()?.0,
                other => {
                    if let Some(body) = Body::read(other, &mut map)? {
                        response.body = Some(body);
                    }
                }
            }
        }
        Ok(response)
    }
}

#[derive(Deserialize)]
struct Text(#[serde(deserialize_with = "lenient::optional")] Option<String>);

#[derive(Deserialize)]
struct MaybeFailure(#[serde(deserialize_with = "lenient::object")] Option<Failure>);

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
