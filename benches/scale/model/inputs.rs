//! The three files that everything comes from, as they are read.

use serde::{Deserialize, Serialize};

/// `times.toml`: what requests cost, measured with the real server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// The day, and with which build on what.
    pub measured: String,
    /// Bytes that a play takes in PostgreSQL, with its indexes.
    pub play_bytes: f64,
    /// SQLite and a folder.
    pub home: Costs,
    /// PostgreSQL and Azurite.
    pub cloud: Costs,
}

/// What each kind of request costs in one layout.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Seconds from the start of a process over a scanned library until it says that it is ready.
    pub start_s: f64,
    pub ping: Cost,
    /// A page of 50 albums.
    pub browse: Cost,
    /// An album with its tracks.
    pub album: Cost,
    /// A search by a word.
    pub search: Cost,
    /// The first 256 KiB of a track.
    pub stream: Cost,
    /// The next 256 KiB.
    pub range: Cost,
    /// A play that is written down.
    pub play: Cost,
}

/// One kind of request.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// CPU of the server's process, microseconds.
    pub server_us: f64,
    /// CPU of the database's processes, microseconds.
    pub database_us: f64,
    /// Milliseconds to the first byte for one who asks alone: half stayed below, and 99 of 100.
    pub first_byte_ms: [f64; 2],
    /// Bytes of the answer.
    pub bytes: f64,
}

/// `peak.toml`: the night.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    pub night: Night,
    pub listener: Habits,
    pub machines: Machines,
    pub store: Store,
}

/// When listeners come.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Night {
    /// Seconds that are looked at.
    pub length_s: f64,
    /// Seconds from the release to the average listener's coming; most come after half of it.
    pub mean_s: f64,
    pub seed: u64,
}

/// What a listener does.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Habits {
    /// kbit/s.
    pub bit_rate: f64,
    /// Seconds of a track.
    pub track_s: f64,
    /// Seconds of music that a player wants to have ahead.
    pub ahead_s: f64,
    /// Seconds between two requests before the music, on average.
    pub thinks_s: f64,
    /// The part that searches first.
    pub searches: f64,
    /// The part that came for the release.
    pub hot: f64,
    /// Tracks of the release.
    pub hot_tracks: u32,
    /// Seconds to wait after a refusal; as much again at random.
    pub retry_after_s: f64,
}

/// What the cluster is made of.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machines {
    /// Cores of a process's machine.
    pub cores: u32,
    /// Mbit/s of its network.
    pub link_mbit: f64,
    /// The part of anything that is to be in use at the peak.
    pub wanted_load: f64,
    /// The part of a network beyond which a process takes no new listeners.
    pub full: f64,
    /// Processes that there are at least.
    pub least: u32,
    /// Seconds until another machine is there.
    pub machine_start_s: f64,
    /// The most cores that one database has.
    pub database_cores: f64,
    /// Cores of a replica.
    pub replica_cores: f64,
    /// Seconds after which who waits for the database is refused.
    pub database_patience_s: f64,
    /// The most listeners of one cell: processes with a database and a store account of their own.
    pub cell: u64,
}

/// What a store is taken to be.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Requests a second of one account.
    pub ops: f64,
    /// Milliseconds to the first byte at least, and on average beyond.
    pub latency_ms: [f64; 2],
    /// The part of blocks, but those of the release, that hot caches have.
    pub cached: f64,
}

/// `prices.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// When and from where.
    pub known: String,
    pub listening: Listening,
    pub offers: Vec<Offer>,
}

/// What a thousand listeners do in a month.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listening {
    /// Hours of music that a listener hears.
    pub hours: f64,
    /// The part of all that listens at the busiest moment.
    pub at_once: f64,
    /// How long plays are kept, months.
    pub months: f64,
    /// GB of music.
    pub library_gb: f64,
}

/// What somebody asks for what it takes, in euros a month.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    pub name: String,
    /// One machine of a process, as `peak.toml` has it.
    pub process: f64,
    /// One core of a database.
    pub database_core: f64,
    /// GB in the database.
    pub database_gb: f64,
    /// GB in the store.
    pub store_gb: f64,
    /// Ten thousand reads of the store.
    pub store_reads: f64,
    /// GB that leaves for listeners through the processes.
    pub traffic_gb: f64,
    /// GB that leaves by a CDN; none where there is none.
    pub cdn_gb: Option<f64>,
    /// The smallest database, cores.
    pub least_database_cores: f64,
}

/// All three, read.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub times: Times,
    pub peak: Peak,
    pub prices: Prices,
}

impl Inputs {
    /// Reads the three texts; the error is a sentence with the file's name.
    pub fn of(times: &str, peak: &str, prices: &str) -> Result<Self, String> {
        Ok(Self {
            times: toml::from_str(times).map_err(|error| format!("times.toml: {error}"))?,
            peak: toml::from_str(peak).map_err(|error| format!("peak.toml: {error}"))?,
            prices: toml::from_str(prices).map_err(|error| format!("prices.toml: {error}"))?,
        })
    }
}
