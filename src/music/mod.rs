//! Floor 0: the words that every room speaks.
//!
//! Plain data about music and listening: tracks, albums, artists, playlists, plays, and the ids that tie them
//! together. Nothing here does I/O, waits or keeps time; a value made here can be sent to any thread. Servers
//! fill these types from tags (`server::scan`), players fill them from the wire (`client::sync`), and the
//! catalog stores them in one shape for both.

pub mod calendar;
mod details;
mod ids;
mod item;
mod left_off;
mod listen;
mod listening;
mod lyrics;
mod mix;
mod plan;
mod play;
mod purpose;
mod quality;
mod sonic;
mod text;
mod track;

pub use details::{AlbumDetails, Credit, DiscTitle, Explicit, Movement, TrackDetails, Work};
pub use ids::{AccountId, AlbumId, ArtistId, CoverId, PlaylistId, TrackId};
pub use item::{Item, Marks, Window};
pub use left_off::{Bookmark, PlayQueue};
pub use listen::{Listen, ScrobbleService};
pub use listening::{Heard, Listening, PlayContext, Tune};
pub use lyrics::{LyricLine, LyricWord, Lyrics};
pub use mix::{Mix, Pick};
pub use plan::{Ad, AdHeard, AdRules, Plan};
pub use play::{EndReason, Play, StartReason};
pub use purpose::Purpose;
pub use quality::Quality;
pub use sonic::{Key, Score, Sonic};
pub use text::{clock, counted, fold, long_duration, number, printable};
pub use track::{Album, Artist, ArtistRef, Genre, Playlist, ReplayGain, Track};
