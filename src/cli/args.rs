//! The command line.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{CliError, ads, import, plans};
use crate::catalog::Database;
use crate::server::{self, catalog_file, storage};

/// A streaming service that fits in a terminal.
///
/// Without a command it opens the player; without a server it runs one inside itself, over your music folder and
/// a small demo album.
#[derive(Debug, Parser)]
#[command(name = "segue", version, about, max_term_width = 100)]
pub(super) struct Cli {
    /// What to do instead of opening the player.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// Where the music comes from and how it is shown.
    #[command(flatten)]
    pub(super) listen: Listen,
}

/// Options of everything that listens.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of a command line")]
pub(super) struct Listen {
    /// Server to listen to, for instance `https://music.example.org`
    #[arg(long, value_name = "URL", global = true)]
    pub(super) server: Option<String>,
    /// Profile of the configuration: another server by name
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "server")]
    pub(super) profile: Option<String>,
    /// Account name on that server
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) user: Option<String>,
    /// Folder with music, or a store: `az://CONTAINER/PREFIX`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`; may be given several times
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) music: Vec<PathBuf>,
    /// Sound output: default, silent, or the name of a device
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) output: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub(super) ascii: bool,
    /// Nothing moves by itself but what tells where the music is
    #[arg(long, global = true)]
    pub(super) reduced_motion: bool,
    /// Lines instead of screens, for screen readers and scripts
    #[arg(long, global = true)]
    pub(super) plain: bool,
    /// Begin with a private session: what you hear is not written down, and nobody is told
    #[arg(long, global = true)]
    pub(super) private: bool,
}

impl Listen {
    /// The options as they would be written again.
    pub(super) fn written(&self) -> Vec<OsString> {
        let named = [
            ("--server", &self.server),
            ("--profile", &self.profile),
            ("--user", &self.user),
            ("--output", &self.output),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some([name.into(), value.clone()?.into()]));
        let music = self.music.iter().map(|folder| ["--music".into(), folder.into()]);
        let private = self.private.then(|| "--private".into());
        named.chain(music).flatten().chain(private).collect()
    }
}

/// The other commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the streaming server
    Serve(Serve),
    /// Play tracks that match some words, without a screen, until the end
    Play {
        /// Words of titles, albums or artists; none plays the newest album
        words: Vec<String>,
        /// Go on with the queue of the player that runs or ran last, and stay when it is at its end
        #[arg(long, conflicts_with = "words")]
        resume: bool,
        /// Belongs to no terminal
        #[arg(long, hide = true, requires = "resume")]
        detached: bool,
        /// Be a speaker of this name: wait for what other players of the account want played here
        #[arg(long, value_name = "NAME", conflicts_with_all = ["words", "resume"], value_parser = device_name)]
        device: Option<String>,
    },
    /// Drive the player that is running, from a shell, a status bar or a key of the desktop
    ///
    /// status (also without words), follow (status after every change), queue, play, pause, toggle, next, previous,
    /// stop, seek 1:23, seek +10, volume 40, volume -5, mute, shuffle, repeat, star, search WORDS, play WORDS,
    /// add WORDS, add-next WORDS, devices, device NAME, sync, quit; and every other command of the `:` line that needs no screen.
    Ctl {
        /// What to do
        #[arg(allow_negative_numbers = true)]
        words: Vec<String>,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
        /// Print the status by this template, for instance "{icon} {artist} – {title}"
        #[arg(long, value_name = "TEMPLATE", conflicts_with = "json")]
        format: Option<String>,
    },
    /// Look at configuration, folders, terminal, sound, keyring, server and store, and say what to do about what is wrong
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write what somebody needs who is to find out why something does not work: version, system, what the doctor finds,
    /// configuration and the end of the log, without passwords, names, addresses and the home folder
    BugReport {
        /// The file to make; standard output where none is given
        file: Option<PathBuf>,
    },
    /// Print completions for a shell, for instance: segue completions bash > ~/.local/share/bash-completion/completions/segue
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page: segue man > segue.1
    Man,
    /// List the sound devices of this machine, by the names that `--output` and `:output` take
    Devices,
    /// Search the library
    Search {
        /// Words of titles, albums or artists
        words: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep the password of an account for `--server` in the system's keyring, or in a file that only you can read
    Login {
        /// Keep it in the file, without asking the keyring
        #[arg(long)]
        file: bool,
        /// Forget the password that was kept
        #[arg(long, conflicts_with = "file")]
        forget: bool,
    },
    /// Tell ListenBrainz and Last.fm what you hear: log in, log out, see what waits
    Scrobble {
        /// What to do
        #[command(subcommand)]
        action: Scrobble,
    },
    /// Keep music on this machine, and wait until it is here
    Pin(PinWhat),
    /// Bring the local catalog up to date with the server, deliver what waits, and download what is pinned
    Sync,
    /// Look after the music that is kept on this machine
    Cache {
        /// What to do
        #[command(subcommand)]
        action: CacheAction,
    },
    /// Scan the folders given by --music once and report what was found
    Scan {
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
        /// Then analyse the sound of what is new: loudness, tempo, key, mood. Interrupted, it goes on next time
        #[arg(long)]
        hear: bool,
    },
    /// Copy the data of a server, running or not, into a new folder
    Backup {
        /// Where its data is.
        #[command(flatten)]
        data: Data,
        /// The folder to make
        to: PathBuf,
        /// Days after which the server removes it, so that who is erased is gone from it too; 0 for never
        #[arg(long = "keep-days", value_name = "DAYS", env = "SEGUE_KEEP_BACKUPS", default_value_t = 30)]
        keep: u32,
    },
    /// Put a backup in the place of a server's data, which is kept beside it
    Restore {
        /// Where its data is.
        #[command(flatten)]
        data: Data,
        /// The folder with the backup
        from: PathBuf,
    },
    /// Learn from everybody's plays, print what was tried, and make the mixes of all accounts
    Train {
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
    },
    /// Tell your year in music, from what this machine knows; nothing is sent anywhere
    Year {
        /// Which year; without one, the last in which something was heard
        #[arg(value_parser = clap::value_parser!(i64).range(1970..=9999))]
        year: Option<i64>,
        /// Write it as one page for a browser, with everything in it
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Write it as a picture
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
    /// What an operator may know of the listening on a server: sums over groups, never a person
    Insights(Insights),
    /// Take in a listening history from elsewhere, so that mixes fit from the first day
    Import(Import),
    /// What becomes of a person's data: see, export, erase
    Account {
        /// What to do
        #[command(subcommand)]
        action: Account,
    },
    /// What listeners get by their plans: how much, how often, and whether with ads
    Plans(plans::Plans),
    /// Ads for plans that have them: audio of your own, in campaigns
    Ads(ads::Ads),
    /// Manage the accounts of a server
    Users {
        /// Folder with the server's data
        #[arg(long, value_name = "DIR", env = "SEGUE_DATA", global = true)]
        data: Option<PathBuf>,
        /// Where the catalog is instead of in that folder: a postgres:// address, or another file
        #[arg(long, value_name = "URL", env = "SEGUE_DATABASE", hide_env_values = true, global = true)]
        database: Option<Where>,
        /// What to do
        #[command(subcommand)]
        action: Users,
    },
    /// Move a server's catalog into another database, row by row, and compare every row; broken off, it goes on next time
    Migrate(Migrate),
}

/// What to keep.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of a command line")]
pub(super) struct PinWhat {
    /// Words of an album, an artist, a track or a playlist; or an id
    pub(super) words: Vec<String>,
    /// Everything starred
    #[arg(long)]
    pub(super) starred: bool,
    /// Take the words for the name of a playlist
    #[arg(long)]
    pub(super) playlist: bool,
    /// Keep it no longer
    #[arg(long)]
    pub(super) remove: bool,
    /// List what is kept
    #[arg(long)]
    pub(super) list: bool,
    /// Do not wait for the download
    #[arg(long)]
    pub(super) no_wait: bool,
}

/// What can be done about scrobbling.
#[derive(Debug, Subcommand)]
pub(super) enum Scrobble {
    /// Say who is told, whether they take the login, and how many plays wait
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Your account at ListenBrainz, or at what speaks its API (`listenbrainz_url`)
    Listenbrainz {
        /// What to do
        #[command(subcommand)]
        action: ScrobbleAccount,
    },
    /// Your account at Last.fm, or at what speaks its API (`lastfm_url`)
    Lastfm {
        /// What to do
        #[command(subcommand)]
        action: ScrobbleAccount,
    },
}

/// What can be done with an account at a scrobbling service.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ScrobbleAccount {
    /// Ask for what the service wants, try it, and keep it in the system's keyring or in a file that only you can read
    Login {
        /// Keep it in the file, without asking the keyring
        #[arg(long)]
        file: bool,
    },
    /// Forget what was kept; `scrobble = "off"` in the configuration ends the telling itself
    Logout,
}

/// What can be done with music on this machine.
#[derive(Debug, Subcommand)]
pub(super) enum CacheAction {
    /// Say how much is here
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Read everything back, compare it with what it was, and remove what is damaged
    Verify,
    /// Remove everything that is not pinned
    Clear,
}

/// Options of the server.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where its data is.
    #[command(flatten)]
    pub(super) data: Data,
    /// A replica of the database, for reads that may be some seconds old: a postgres:// address. May be given several times; in the
    /// environment with spaces between
    #[arg(
        long,
        value_name = "URL",
        env = "SEGUE_DATABASE_REPLICAS",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    pub(super) database_replica: Vec<Where>,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", env = "SEGUE_LISTEN", default_value = "127.0.0.1:4533")]
    pub(super) listen: SocketAddr,
    /// Certificate for https, a PEM file; read again when it changes
    #[arg(long, value_name = "FILE", env = "SEGUE_TLS_CERT", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// Private key of that certificate, a PEM file
    #[arg(long, value_name = "FILE", env = "SEGUE_TLS_KEY", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Address of a reverse proxy whose X-Forwarded-For is believed; may be given several times
    #[arg(long, value_name = "IP", env = "SEGUE_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(super) trusted_proxy: Vec<IpAddr>,
    /// Seconds that running streams may go on after the server was told to end; a second signal ends at once
    #[arg(long, value_name = "SECONDS", env = "SEGUE_GRACE", default_value_t = 60)]
    pub(super) grace: u64,
    /// Seconds that it goes on as before when told to end, but for /readyz: as long as a balancer takes to send listeners elsewhere
    #[arg(long, value_name = "SECONDS", env = "SEGUE_DRAIN", default_value_t = 0)]
    pub(super) drain: u64,
    /// The most players that are sent music at a time; who would begin then is told to wait. 0: as many as there are connections
    #[arg(long, value_name = "N", env = "SEGUE_MAX_STREAMS", default_value_t = 0)]
    pub(super) max_streams: usize,
    /// Device that plays for clients which use the jukebox: one of the account `admin`, or ACCOUNT/NAME
    #[arg(long, value_name = "DEVICE", env = "SEGUE_JUKEBOX")]
    pub(super) jukebox: Option<String>,
    /// How long things are kept.
    #[command(flatten)]
    pub(super) keep: Keep,
    /// How music gets from stores to listeners.
    #[command(flatten)]
    pub(super) stores: Stores,
    /// How the log is written
    #[arg(long, value_name = "FORM", env = "SEGUE_LOG_FORMAT", value_enum, default_value_t)]
    pub(super) log_format: LogFormat,
    /// Check the options, the folders and the certificate, and end
    #[arg(long)]
    pub(super) check: bool,
}

/// From one database into another.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// The database to read, which stays as it is: a sqlite: address or a file, or a postgres:// address
    #[arg(long, value_name = "URL", env = "SEGUE_MIGRATE_FROM", hide_env_values = true)]
    pub(super) from: Where,
    /// The database to fill: a new one, or the beginning of the same move
    #[arg(long, value_name = "URL", env = "SEGUE_MIGRATE_TO", hide_env_values = true)]
    pub(super) to: Where,
    /// Copy nothing: only compare every row
    #[arg(long)]
    pub(super) verify: bool,
}

/// How music gets from stores to listeners.
#[derive(Debug, Args)]
#[command(next_help_heading = "Music in stores")]
pub(super) struct Stores {
    /// The most that is kept on this machine of music that lies in a store, MB
    #[arg(long, value_name = "MB", env = "SEGUE_HOT_CACHE", default_value_t = storage::HOT_CACHE >> 20)]
    hot_cache: u64,
    /// Who is sent to the store itself for music as it is: `never`, `own` (Segue's players), or names of clients
    #[arg(
        long,
        value_name = "CLIENTS",
        env = "SEGUE_REDIRECT_STREAMS",
        value_delimiter = ',',
        default_value = "never"
    )]
    redirect_streams: Vec<String>,
    /// Address of a CDN that stands before the store for those
    #[arg(long, value_name = "URL", env = "SEGUE_CDN")]
    cdn: Option<String>,
}

impl Stores {
    /// The same as the server has it; the error is a sentence.
    pub(super) fn read(&self) -> Result<server::Stores, String> {
        let redirects = server::Redirects::to(&self.redirect_streams).through(self.cdn.as_deref())?;
        Ok(server::Stores { hot_cache: self.hot_cache.saturating_mul(1 << 20), redirects })
    }
}

/// A listening history from elsewhere.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Whose export it is
    #[arg(value_enum)]
    pub(super) service: import::Service,
    /// The export: a zip as it was sent, JSON, JSON lines or CSV
    pub(super) file: PathBuf,
    /// Folder with a server's data, to import there rather than into this player's library
    #[arg(long, value_name = "DIR", requires = "account")]
    pub(super) data: Option<PathBuf>,
    /// Where that server's catalog is instead of in the folder
    #[arg(long, value_name = "URL", env = "SEGUE_DATABASE", hide_env_values = true)]
    pub(super) database: Option<Where>,
    /// Account of that server whose history it is
    #[arg(long, value_name = "NAME", requires = "data")]
    pub(super) account: Option<String>,
}

/// What is asked of a server's listening.
#[derive(Debug, Args)]
pub(super) struct Insights {
    /// Where the server's data is.
    #[command(flatten)]
    pub(super) data: Data,
    /// The first day; without one, four weeks before the last
    #[arg(long, value_name = "DATE")]
    pub(super) since: Option<String>,
    /// The last day; without one, today
    #[arg(long, value_name = "DATE")]
    pub(super) until: Option<String>,
    /// The smallest group of listeners that is shown, from 5 on; kept, also for the screen of administrators
    #[arg(long, value_name = "N")]
    pub(super) minimum: Option<u64>,
    /// What it costs to send a gigabyte; kept
    #[arg(long, value_name = "PRICE")]
    pub(super) price_per_gb: Option<f64>,
    /// What it costs to store a gigabyte for a month; kept
    #[arg(long, value_name = "PRICE")]
    pub(super) storage_price_per_gb: Option<f64>,
    /// Write a CSV file for each table into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) csv: Option<PathBuf>,
    /// Write a Parquet file for each table into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) parquet: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// How long a server keeps things.
#[derive(Debug, Clone, Copy, Args)]
#[expect(clippy::struct_field_names, reason = "each is named like its option")]
pub(super) struct Keep {
    /// Days that plays are kept, about 400 for thirteen months; 0 for good
    #[arg(long, value_name = "DAYS", env = "SEGUE_KEEP_PLAYS", default_value_t = 0)]
    keep_plays: u32,
    /// Days that the audit log goes back; 0 for all of it
    #[arg(long, value_name = "DAYS", env = "SEGUE_KEEP_AUDIT", default_value_t = 365)]
    keep_audit: u32,
    /// Days after which the search index forgets whose marks changed; 0 for never
    #[arg(long, value_name = "DAYS", env = "SEGUE_KEEP_SEARCH", default_value_t = 30)]
    keep_search: u32,
    /// Days after which an API key that nobody used is revoked; 0 for never
    #[arg(long, value_name = "DAYS", env = "SEGUE_KEEP_KEYS", default_value_t = 365)]
    keep_keys: u32,
    /// Days that copies from before a restore or a new release are kept; 0 for good
    #[arg(long, value_name = "DAYS", env = "SEGUE_KEEP_BACKUPS", default_value_t = 30)]
    keep_backups: u32,
    /// Days in which somebody who wants to be erased can take that back
    #[arg(long, value_name = "DAYS", env = "SEGUE_ERASE_GRACE", default_value_t = 14)]
    erase_grace: u32,
}

impl Keep {
    /// As the server has it.
    pub(super) fn days(self) -> crate::server::privacy::Keep {
        crate::server::privacy::Keep {
            plays: self.keep_plays,
            audit: self.keep_audit,
            search: self.keep_search,
            keys: self.keep_keys,
            backups: self.keep_backups,
            grace: self.erase_grace,
        }
    }
}

/// What becomes of a person's data.
#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// Show what is kept of an account and what may be done with it, or change that
    Privacy {
        /// Account name
        name: String,
        /// Whether it may be learned from: the same as --allow or --forbid personalisation
        #[arg(long, value_name = "SWITCH", value_enum)]
        profiling: Option<Switch>,
        /// Allow a use: history, personalisation, personalAds or analytics; may be given several times
        #[arg(long, value_name = "PURPOSE")]
        allow: Vec<String>,
        /// Forbid a use; may be given several times
        #[arg(long, value_name = "PURPOSE")]
        forbid: Vec<String>,
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
    },
    /// Write everything that is kept of an account into a zip
    Export {
        /// Account name
        name: String,
        /// The zip to make
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
    },
    /// Erase an account with everything that is kept of it, when the grace is over
    Erase {
        /// Account name
        name: String,
        /// At once, without a way back; prints the receipt
        #[arg(long, conflicts_with = "cancel")]
        now: bool,
        /// Take back the wish to be erased
        #[arg(long)]
        cancel: bool,
        /// Do not ask for the name again
        #[arg(long)]
        yes: bool,
        /// How long things are kept.
        #[command(flatten)]
        keep: Keep,
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
    },
    /// Show what was done to an account and by it, the newest last
    Audit {
        /// Account name
        name: String,
        /// How many lines
        #[arg(long, default_value_t = 50)]
        lines: u64,
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
    },
    /// Do now what a running server does every hour: erase whose grace is over, and remove what is older than its limit
    Tidy {
        /// How long things are kept.
        #[command(flatten)]
        keep: Keep,
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
    },
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

/// Forms of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Where a server keeps what it knows.
#[derive(Debug, Args)]
pub(super) struct Data {
    /// Folder with the server's data
    #[arg(long, value_name = "DIR", env = "SEGUE_DATA")]
    pub(super) data: PathBuf,
    /// Where the catalog is instead of in that folder: a postgres:// address, or another file. Better in the environment, where
    /// nobody reads it in a list of processes
    #[arg(long, value_name = "URL", env = "SEGUE_DATABASE", hide_env_values = true)]
    pub(super) database: Option<Where>,
}

impl Data {
    /// The place of the catalog.
    pub(super) fn place(&self) -> Result<Database, CliError> {
        match &self.database {
            Some(database) => database.place(),
            None => Ok(Database::File(catalog_file(&self.data))),
        }
    }
}

/// A database as it was named. It is read late: what the command line says of a wrong value repeats the value, and there may be a
/// password in it.
#[derive(Clone)]
pub(super) struct Where(String);

impl Where {
    /// Whether nothing was named.
    pub(super) fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// The place.
    pub(super) fn place(&self) -> Result<Database, CliError> {
        self.0.parse().map_err(|why| CliError::Wrong(format!("the database: {why}")))
    }
}

impl std::fmt::Debug for Where {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Where")
    }
}

impl From<String> for Where {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// Add an account
    Add {
        /// Account name
        name: String,
        /// Read the password from standard input (as is done anyway where that is no terminal)
        #[arg(long)]
        password_stdin: bool,
        /// May manage the server
        #[arg(long)]
        admin: bool,
        /// Plan, as `segue plans list` names it; the usual one where none is named
        #[arg(long, value_name = "PLAN")]
        plan: Option<String>,
    },
    /// Give an account a plan; without one it has the usual one again
    Plan {
        /// Account name
        name: String,
        /// Plan, as `segue plans list` names it
        plan: Option<String>,
        /// When it begins, for instance 2026-12-24; now where nothing is said
        #[arg(long, value_name = "DATE", requires = "plan")]
        from: Option<String>,
        /// The last day of it; then the usual one begins by itself
        #[arg(long, value_name = "DATE", requires = "plan")]
        until: Option<String>,
    },
    /// List the accounts
    List,
    /// Change a password, asked for or read from standard input
    Password {
        /// Account name
        name: String,
    },
    /// Make an API key and print it once
    Key {
        /// Account name
        name: String,
        /// What the key is for, for instance the name of a device
        #[arg(long, default_value = "command line")]
        label: String,
    },
    /// Make an app password, for clients that only know token authentication, and print it once
    AppPassword {
        /// Account name
        name: String,
        /// What it is for, for instance the name of a client
        #[arg(long, default_value = "command line")]
        label: String,
    },
    /// List the API keys and app passwords of an account, without their secrets
    Keys {
        /// Account name
        name: String,
    },
    /// Revoke an API key or app password
    Revoke {
        /// Account name
        name: String,
        /// Its id, as `keys` prints it
        id: String,
    },
    /// List the music folders, or say which of them an account may reach
    Folders {
        /// Account name
        name: Option<String>,
        /// Numbers of folders; none for no folder at all
        #[arg(conflicts_with = "all")]
        folders: Vec<i64>,
        /// All of them, those to come included
        #[arg(long)]
        all: bool,
    },
    /// Set the highest bit rate that an account is sent
    Limit {
        /// Account name
        name: String,
        /// kbit/s; 0 for any
        kbps: u32,
    },
    /// Set what a client of an account is sent where it asks for nothing in particular
    Profile {
        /// Account name
        name: String,
        /// What the client calls itself (the parameter `c`); "*" for all without a profile of their own
        client: String,
        /// "raw", or a form such as opus-128 or mp3; nothing takes the profile away
        form: Option<String>,
    },
    /// Show who did what to accounts, keys and shares, the newest last
    Log {
        /// How many lines
        #[arg(long, default_value_t = 50)]
        lines: u64,
    },
    /// Remove an account with everything that belongs to it
    Remove {
        /// Account name
        name: String,
    },
}

/// A device's name: one that people can read, and that means no other.
fn device_name(text: &str) -> Result<String, String> {
    let name = crate::music::printable(text.trim());
    match name.as_str() {
        "" => Err("it has no letters".to_owned()),
        "here" | "this machine" => Err("that is what every machine calls itself".to_owned()),
        _ if name.chars().count() > 64 => Err("it is longer than 64 characters".to_owned()),
        _ => Ok(name),
    }
}
