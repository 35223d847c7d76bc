//! The things that answers are made of: songs, albums, artists, playlists, users.
//!
//! Names are those of the API (`camelCase` on the wire), so that the specification can be read beside this
//! file: <https://opensubsonic.netlify.app/docs/responses/>. Times are ISO 8601 text, durations whole seconds.

use super::lenient::wire;

wire! {
    /// A song, or what the oldest endpoints call a child of a directory.
    pub struct Child {
        /// Id.
        req id: String,
        /// The album, as a directory.
        opt parent: String,
        /// Whether it is a directory (an album in the oldest endpoints).
        req is_dir: bool,
        /// Title.
        req title: String,
        /// Album title.
        opt album: String,
        /// Artists as one line.
        opt artist: String,
        /// Number on its disc.
        opt track: u32,
        /// Year of release.
        opt year: i32,
        /// First genre.
        opt genre: String,
        /// Id for `getCoverArt`.
        opt cover_art: String,
        /// Bytes.
        opt size: u64,
        /// MIME type.
        opt content_type: String,
        /// File name extension without the dot.
        opt suffix: String,
        /// MIME type after transcoding.
        opt transcoded_content_type: String,
        /// Extension after transcoding.
        opt transcoded_suffix: String,
        /// Seconds.
        opt duration: u64,
        /// kbit/s.
        opt bit_rate: u32,
        /// Bits in a sample.
        opt bit_depth: u32,
        /// Hz.
        opt sampling_rate: u32,
        /// Channels.
        opt channel_count: u32,
        /// A path for clients that store files; not the server's own.
        opt path: String,
        /// Whether it is a video.
        opt is_video: bool,
        /// The listener's rating, 1–5.
        opt user_rating: u32,
        /// Everybody's rating, 1–5.
        opt average_rating: f64,
        /// Plays that counted.
        opt play_count: u64,
        /// Disc.
        opt disc_number: u32,
        /// When it came into the library.
        opt created: String,
        /// When it was starred.
        opt starred: String,
        /// Album id.
        opt album_id: String,
        /// Artist id.
        opt artist_id: String,
        /// `music`, `podcast`, `audiobook` or `video`.
        #[serde(rename = "type")]
        opt kind: String,
        /// `song`, `album` or `artist`.
        opt media_type: String,
        /// Milliseconds.
        opt bookmark_position: u64,
        /// When it was last played.
        opt played: String,
        /// Beats per minute.
        opt bpm: u32,
        /// Comment tag.
        opt comment: String,
        /// Title to sort by.
        opt sort_name: String,
        /// Recording id.
        opt music_brainz_id: String,
        /// International standard recording codes.
        maybe isrc: String,
        /// Genres.
        maybe genres: ItemGenre,
        /// Artists one by one.
        maybe artists: ArtistID3,
        /// Artists as printed.
        opt display_artist: String,
        /// Album artists one by one.
        maybe album_artists: ArtistID3,
        /// Album artists as printed.
        opt display_album_artist: String,
        /// Who else took part.
        maybe contributors: Contributor,
        /// Composers as printed.
        opt display_composer: String,
        /// Moods.
        maybe moods: String,
        /// Loudness.
        object replay_gain: ReplayGain,
        /// `explicit`, `clean` or empty.
        opt explicit_status: String,
        /// Works that it is a recording of.
        maybe works: Work,
        /// Movements of them.
        maybe movements: Movement,
        /// Groupings.
        maybe groupings: String,
    }

    /// Somebody's part in a song.
    pub struct Contributor {
        /// `composer`, `conductor`, `performer`, …
        req role: String,
        /// What a performer plays.
        opt sub_role: String,
        /// Who.
        object artist: ArtistID3,
    }

    /// A work.
    pub struct Work {
        /// Name.
        req name: String,
        /// Work id.
        opt music_brainz_id: String,
    }

    /// A movement of a work.
    pub struct Movement {
        /// Name.
        req name: String,
        /// Which one, from 1.
        opt number: u32,
        /// How many there are.
        opt count: u32,
    }

    /// Who published an album.
    pub struct RecordLabel {
        /// Name.
        req name: String,
    }

    /// The name of a disc.
    pub struct DiscTitle {
        /// Number.
        req disc: u32,
        /// Name.
        req title: String,
    }

    /// A date as far as it is known.
    pub struct ItemDate {
        /// Year.
        opt year: i32,
        /// Month, 1–12.
        opt month: u32,
        /// Day, 1–31.
        opt day: u32,
    }

    /// A genre of one item.
    pub struct ItemGenre {
        /// Name.
        req name: String,
    }

    /// Loudness in dB and peaks in units of full scale.
    pub struct ReplayGain {
        /// dB.
        opt track_gain: f64,
        /// dB.
        opt album_gain: f64,
        /// 1.0 = full scale.
        opt track_peak: f64,
        /// 1.0 = full scale.
        opt album_peak: f64,
        /// dB that already lie in the file's header (Opus).
        opt base_gain: f64,
        /// dB to use where there is no gain.
        opt fallback_gain: f64,
    }

    /// An album.
    pub struct AlbumID3 {
        /// Id.
        req id: String,
        /// Title.
        req name: String,
        /// Edition.
        opt version: String,
        /// Artists as one line.
        opt artist: String,
        /// First artist's id.
        opt artist_id: String,
        /// Id for `getCoverArt`.
        opt cover_art: String,
        /// Songs.
        req song_count: u32,
        /// Seconds.
        req duration: u64,
        /// Plays that counted.
        opt play_count: u64,
        /// When it came into the library.
        req created: String,
        /// When it was starred.
        opt starred: String,
        /// Year of release.
        opt year: i32,
        /// First genre.
        opt genre: String,
        /// When it was last played.
        opt played: String,
        /// The listener's rating, 1–5.
        opt user_rating: u32,
        /// Release id.
        opt music_brainz_id: String,
        /// Genres.
        maybe genres: ItemGenre,
        /// Artists one by one.
        maybe artists: ArtistID3,
        /// Artists as printed.
        opt display_artist: String,
        /// Who published it.
        maybe record_labels: RecordLabel,
        /// Kinds of release.
        maybe release_types: String,
        /// Moods.
        maybe moods: String,
        /// Title to sort by.
        opt sort_name: String,
        /// When the music came out first.
        object original_release_date: ItemDate,
        /// When this edition came out.
        object release_date: ItemDate,
        /// Whether several artists share it.
        opt is_compilation: bool,
        /// `explicit`, `clean` or empty.
        opt explicit_status: String,
        /// Names of its discs.
        maybe disc_titles: DiscTitle,
        /// Its songs, in `getAlbum` alone.
        maybe song: Child,
    }

    /// An artist.
    pub struct ArtistID3 {
        /// Id.
        req id: String,
        /// Name.
        req name: String,
        /// Id for `getCoverArt`.
        opt cover_art: String,
        /// Picture.
        opt artist_image_url: String,
        /// Albums under this name; absent where an artist is only named.
        opt album_count: u32,
        /// When it was starred.
        opt starred: String,
        /// The listener's rating, 1–5.
        opt user_rating: u32,
        /// Artist id.
        opt music_brainz_id: String,
        /// Name to sort by.
        opt sort_name: String,
        /// `artist`, `albumartist`, `composer`, …
        maybe roles: String,
        /// Its albums, in `getArtist` alone.
        maybe album: AlbumID3,
    }

    /// A playlist.
    pub struct Playlist {
        /// Id.
        req id: String,
        /// Name.
        req name: String,
        /// Free text.
        opt comment: String,
        /// Account name of the owner.
        opt owner: String,
        /// Whether others may read it.
        opt public: bool,
        /// Entries.
        req song_count: u32,
        /// Seconds.
        req duration: u64,
        /// When it was made.
        req created: String,
        /// When it was last edited.
        req changed: String,
        /// Id for `getCoverArt`.
        opt cover_art: String,
        /// Whether this listener may not edit it.
        opt readonly: bool,
        /// Until when its songs are these, where rules say which they are.
        opt valid_until: String,
        /// Accounts that may read it.
        maybe allowed_user: String,
        /// Its songs, in `getPlaylist` and `createPlaylist`.
        maybe entry: Child,
    }

    /// A genre with its size.
    pub struct Genre {
        /// Name; text content in XML.
        req value: String,
        /// Songs.
        req song_count: u32,
        /// Albums.
        req album_count: u32,
    }

    /// An account as other clients see it.
    pub struct User {
        /// Account name.
        req username: String,
        /// Whether plays are told to scrobbling services.
        req scrobbling_enabled: bool,
        /// May administer.
        req admin_role: bool,
        /// May change its own settings.
        req settings_role: bool,
        /// May download.
        req download_role: bool,
        /// May upload.
        req upload_role: bool,
        /// May keep playlists.
        req playlist_role: bool,
        /// May change pictures.
        req cover_art_role: bool,
        /// May comment and rate.
        req comment_role: bool,
        /// May administer podcasts.
        req podcast_role: bool,
        /// May stream.
        req stream_role: bool,
        /// May use the jukebox.
        req jukebox_role: bool,
        /// May share.
        req share_role: bool,
        /// May convert videos.
        req video_conversion_role: bool,
        /// The highest bit rate that it is sent, kbit/s.
        opt max_bit_rate: u32,
        /// Music folders that it sees.
        list folder: i64,
    }

    /// A music folder.
    pub struct MusicFolder {
        /// Number.
        req id: i64,
        /// Name.
        opt name: String,
    }

    /// An extension of OpenSubsonic.
    pub struct Extension {
        /// Name.
        req name: String,
        /// Versions of it that work.
        list versions: i64,
    }
}
