//! `segue import`: listening history from elsewhere, so that taste has something to go by on the first day.
//!
//! ```text
//! file (zip, JSON, JSON lines, CSV) ─▶ entries ─▶ spotify, listenbrainz, lastfm: rows ─▶ Listen or the reason why not
//!                                                                   └─▶ matching: the library's track ─▶ catalog: plays
//! ```
//!
//! Only time, length, artist, title, album and the recording's id are read; where and on what it was heard stays outside. Every
//! row that is read is counted once in the report: matched, known already, skipped for a reason, or unmatched.

mod archive;
mod lastfm;
mod listenbrainz;
mod matching;
mod spotify;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::args::{self, Import};
use super::rig::Library;
use super::{CliError, paths, settings_aloud, train};
use crate::catalog::{Catalog, CatalogError, Listener};
use crate::music::{EndReason, Play, PlayContext, Purpose, StartReason, TrackId, printable};
use crate::taste::sonic::VERSION;
use matching::Shelf;

/// Two plays of one track within this time are one, ms: exports round their times.
const SAME_MS: i64 = 90_000;
/// Longest wait for a server's whole catalogue.
const SETTLE: Duration = Duration::from_mins(10);
/// Unmatched songs that are named.
const NAMED: usize = 10;

/// Whose export it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Service {
    /// Account data or extended streaming history
    Spotify,
    /// An export of listens
    Listenbrainz,
    /// JSON pages of recent tracks, or CSV
    Lastfm,
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::Spotify => "spotify",
            Self::Listenbrainz => "listenbrainz",
            Self::Lastfm => "lastfm",
        }
    }
}

/// One time that something was heard elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
struct Listen {
    artist: String,
    title: String,
    /// `MusicBrainz` recording id.
    recording: Option<String>,
    /// When it began, Unix time in ms.
    at: i64,
    /// How much was heard, ms; the whole track where nobody says.
    heard_ms: Option<u64>,
    /// Length of the recording, ms, where the export has it.
    duration_ms: Option<u64>,
    skipped: bool,
    chosen: bool,
}

/// A row of an export: a listen, or why it is none.
type Row = Result<Listen, &'static str>;

/// What came of all rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Rows read.
    pub(super) read: u64,
    /// Now in the history.
    pub(super) matched: u64,
    /// In the history already.
    pub(super) known: u64,
    /// Left out, by reason.
    pub(super) skipped: BTreeMap<&'static str, u64>,
    /// Not in this library, by artist and title.
    pub(super) unmatched: BTreeMap<(String, String), u64>,
}

impl Report {
    fn print(&self) {
        let unmatched: u64 = self.unmatched.values().sum();
        println!("{} rows read", self.read);
        println!("{} matched, {} were known already", self.matched, self.known);
        for (reason, count) in &self.skipped {
            println!("{count} skipped: {reason}");
        }
        println!("{unmatched} unmatched: not in this library");
        let mut missing: Vec<_> = self.unmatched.iter().collect();
        missing.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        for ((artist, title), count) in missing.into_iter().take(NAMED) {
            println!("  {count} × {} — {}", printable(artist), printable(title));
        }
    }
}

/// `segue import`: into the player's library, or into that of an account of a server whose data is here. No server is told.
pub(super) async fn run(listen: &args::Listen, wanted: Import) -> Result<ExitCode, CliError> {
    let rows = read(wanted.service, &wanted.file)?;
    let report = if let (Some(data), Some(name)) = (&wanted.data, &wanted.account) {
        let place = args::Data { data: data.clone(), database: wanted.database.clone() };
        let catalog = train::open(&place).await?;
        let account = catalog.account_named(name).await?;
        let account = account.ok_or_else(|| CliError::Wrong(format!("there is no account “{name}”")))?;
        take_in(&catalog, &catalog.listener(&account.id), wanted.service, rows).await?
    } else {
        let settings = settings_aloud(listen)?;
        let library = Library::open(&settings, &listen.music, &paths()?).await?;
        if let Err(why) = library.settled(SETTLE).await {
            eprintln!("segue: {why}; what is known of its library counts");
        }
        let listener = library.catalog.listener(library.listener.account());
        let report = take_in(&library.catalog, &listener, wanted.service, rows).await;
        library.close().await;
        report?
    };
    report.print();
    Ok(ExitCode::SUCCESS)
}

fn read(service: Service, file: &Path) -> Result<Vec<Row>, CliError> {
    let wrong = |why: String| CliError::Wrong(format!("{}: {why}", file.display()));
    let wanted: fn(&str) -> bool = match service {
        Service::Spotify => spotify::is_history,
        Service::Listenbrainz => listenbrainz::is_history,
        Service::Lastfm => |_| true,
    };
    let mut rows = Vec::new();
    for (name, text) in archive::texts(file, wanted).map_err(wrong)? {
        let found = match service {
            Service::Spotify => spotify::rows(&text),
            Service::Listenbrainz => listenbrainz::rows(&text),
            Service::Lastfm => lastfm::rows(&text),
        };
        rows.extend(found.map_err(|why| wrong(format!("{name}: {why}")))?);
    }
    if rows.is_empty() {
        return Err(wrong(format!("there is no listening history of {} in it", service.name())));
    }
    Ok(rows)
}

async fn take_in(
    catalog: &Catalog,
    listener: &Listener,
    service: Service,
    rows: Vec<Row>,
) -> Result<Report, CatalogError> {
    if !listener.allows(Purpose::History).await? {
        let off = "this account keeps no history: allow that first (`:privacy`, or `segue account privacy --allow history`)";
        return Err(CatalogError::Invalid(off.to_owned()));
    }
    let all = listener.listening(VERSION).await?;
    let shelf = Shelf::new(&all, catalog.recordings().await?);
    let mut known: BTreeMap<TrackId, Vec<i64>> = BTreeMap::new();
    for (track, at) in listener.play_times().await? {
        known.entry(track).or_default().push(at);
    }
    let context = PlayContext { source: format!("import: {}", service.name()), ..PlayContext::default() };
    let mut report = Report { read: rows.len() as u64, ..Report::default() };
    for row in rows {
        let listen = match row {
            Ok(listen) => listen,
            Err(reason) => {
                *report.skipped.entry(reason).or_default() += 1;
                continue;
            }
        };
        let Some((track, duration_ms)) = shelf.find(&listen) else {
            *report.unmatched.entry((listen.artist, listen.title)).or_default() += 1;
            continue;
        };
        let times = known.entry(track.clone()).or_default();
        if times.iter().any(|at| at.abs_diff(listen.at) <= SAME_MS.unsigned_abs()) {
            report.known += 1;
            continue;
        }
        times.push(listen.at);
        let play = Play {
            track,
            started_at: listen.at,
            heard_ms: listen.heard_ms.unwrap_or(duration_ms).max(1),
            start: if listen.chosen { StartReason::Chosen } else { StartReason::Unknown },
            end: if listen.skipped { EndReason::Skipped } else { EndReason::Unknown },
        };
        listener.record_play_in(&play, &context).await?;
        report.matched += 1;
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_tells_listens_from_the_rest() {
        let extended = r#"[
            {"ts":"2020-04-11T00:27:53Z","ms_played":200000,"master_metadata_track_name":"Jóga",
             "master_metadata_album_artist_name":"Björk","reason_start":"clickrow","reason_end":"trackdone","skipped":false},
            {"ts":"2020-04-11T00:28:03Z","ms_played":9000,"master_metadata_track_name":"Hunter",
             "master_metadata_album_artist_name":"Björk","reason_end":"fwdbtn","skipped":true},
            {"ts":"2020-04-11T00:30:03Z","ms_played":90000,"master_metadata_track_name":null,"episode_name":"News"},
            {"ts":"2020-04-11T00:31:03Z","ms_played":90000,"master_metadata_track_name":"Secret",
             "master_metadata_album_artist_name":"Somebody","incognito_mode":true},
            {"ts":"soon","ms_played":90000,"master_metadata_track_name":"X","master_metadata_album_artist_name":"Y"}]"#;
        let rows = spotify::rows(extended).unwrap();
        let first = rows[0].clone().unwrap();
        assert_eq!((first.title.as_str(), first.at, first.chosen), ("Jóga", 1_586_564_673_000, true));
        assert_eq!(rows.iter().filter(|row| row.is_err()).count(), 4);
        let account =
            r#"[{"endTime":"2020-04-11 00:27","artistName":"Björk","trackName":"Jóga","msPlayed":180000}]"#;
        assert_eq!(spotify::rows(account).unwrap()[0].clone().unwrap().at, 1_586_564_640_000);

        let line = r#"{"listened_at":1586564673,"track_metadata":{"artist_name":"Björk","track_name":"Jóga",
            "additional_info":{"duration_ms":305000},"mbid_mapping":{"recording_mbid":"abc"}}}"#
            .replace('\n', "");
        let rows = listenbrainz::rows(&format!("{line}\n{line}\nnonsense\n")).unwrap();
        assert_eq!(rows.len(), 3);
        let first = rows[0].clone().unwrap();
        assert_eq!((first.recording.as_deref(), first.duration_ms), (Some("abc"), Some(305_000)));
        assert!(rows[2].is_err());

        let json = r##"{"recenttracks":{"track":[
            {"artist":{"#text":"Björk"},"name":"Jóga","mbid":"","date":{"uts":"1586564673"}},
            {"artist":{"#text":"Björk"},"name":"Hunter","@attr":{"nowplaying":"true"}}]}}"##;
        let rows = lastfm::rows(json).unwrap();
        assert_eq!((rows[0].clone().unwrap().at, rows[1].is_err()), (1_586_564_673_000, true));
        let csv = "Björk,Homogenic,\"Jóga, live\",11 Apr 2020 00:24\nuts,artist,album,track\n1586564673,Björk,Homogenic,Jóga\n";
        let rows = lastfm::rows(csv).unwrap();
        assert_eq!(rows[0].clone().unwrap().title, "Jóga, live");
    }
}
