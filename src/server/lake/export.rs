//! Exporting plays, and learning from what was exported.
//!
//! `plays/dt=DAY/part-FIRST-LAST-N.parquet` has the plays of one day (UTC) among the batches from `FIRST` to `LAST`. The name follows from
//! the range, which is written down before anything is written, so whoever does it again, after a crash or beside another
//! process, finds its own files there and writes nothing twice.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use parquet::data_type::BoolType;
use parquet::errors::ParquetError;
use tokio::sync::mpsc;

use super::super::{ServerError, blocking};
use super::rows::{PlaysFile, Table, without};
use super::{Exported, Place};
use crate::catalog::{Catalog, ExportRange, ExportedPlay};
use crate::mixing::Counted;
use crate::music::calendar::{DAY_MS, iso_date, parse_date};

/// Where plays are.
const PLAYS: &str = "plays";
/// Plays in a file at most: some ten megabytes.
const MOST: u64 = 1_000_000;
/// Chunks of plays that wait for the store.
const WAITING: usize = 4;

impl Place {
    /// Brings everything here that is in the catalog and not here yet, takes out who is to be taken out, and removes days that are
    /// over: those more than `keep` days before `now` (Unix time in ms), none for 0. It takes no lock: two at once do the same
    /// thing.
    pub async fn export(&self, catalog: &Catalog, now: i64, keep: u32) -> Result<Exported, ServerError> {
        let mut done = Exported::default();
        // Twice: what a crash left comes before what is new.
        for _ in 0..2 {
            let Some(range) = catalog.begin_export(self.name()).await? else { break };
            let (plays, files) = self.export_range(catalog, range).await?;
            catalog.export_done(self.name(), range, plays, now).await?;
            done.plays += plays;
            done.files += files;
        }
        let gone = catalog.play_erasures(self.name()).await?;
        if !gone.is_empty() {
            done.rewritten = self.take_out(&gone).await?;
            catalog.play_erasures_done(self.name(), &gone).await?;
        }
        if keep > 0 {
            done.expired = self.expire(now.div_euclid(DAY_MS) - i64::from(keep)).await?;
        }
        Ok(done)
    }

    async fn export_range(&self, catalog: &Catalog, range: ExportRange) -> Result<(u64, u64), ServerError> {
        let (sender, chunks) = mpsc::channel(WAITING);
        let read = async { catalog.export_plays(range, sender).await.map_err(ServerError::from) };
        let ((), written) = tokio::try_join!(read, self.write(range, chunks))?;
        Ok(written)
    }

    /// Writes what comes, a file for each day and not too large.
    async fn write(
        &self,
        range: ExportRange,
        mut chunks: mpsc::Receiver<Vec<ExportedPlay>>,
    ) -> Result<(u64, u64), ServerError> {
        let (mut plays, mut files) = (0, 0);
        let mut open: Option<(i64, u32, PlaysFile)> = None;
        while let Some(chunk) = chunks.recv().await {
            for play in chunk {
                let day = play.played_at.div_euclid(DAY_MS);
                if let Some((of, part, file)) = open.take() {
                    if of == day && file.rows() < MOST {
                        open = Some((of, part, file));
                    } else {
                        self.put(&name_of(range, of, part), file).await?;
                        files += 1;
                        let part = if of == day { part + 1 } else { 0 };
                        open = Some((day, part, PlaysFile::new().map_err(|error| unwritten(&error))?));
                    }
                }
                let (_, _, file) = match &mut open {
                    Some(open) => open,
                    none => none.insert((day, 0, PlaysFile::new().map_err(|error| unwritten(&error))?)),
                };
                file.push(play).map_err(|error| unwritten(&error))?;
                plays += 1;
            }
        }
        if let Some((day, part, file)) = open {
            self.put(&name_of(range, day, part), file).await?;
            files += 1;
        }
        Ok((plays, files))
    }

    async fn put(&self, key: &str, file: PlaysFile) -> Result<(), ServerError> {
        let bytes = blocking(move || file.finish().map_err(|error| unwritten(&error))).await?;
        if self.put_new(key, bytes.clone()).await? {
            return Ok(());
        }
        // A try that ended before it was written down: the same plays, unless somebody left meanwhile.
        if self.read(key).await?.as_ref() != Some(&bytes) {
            tracing::info!(key, "a file of an export that was broken off is written anew");
            self.replace(key, bytes).await?;
        }
        Ok(())
    }

    /// Writes every file anew that has plays of these listeners; says how many there were.
    async fn take_out(&self, gone: &HashSet<String>) -> Result<u64, ServerError> {
        let mut rewritten = 0;
        for key in self.tables(PLAYS).await? {
            let Some(bytes) = self.read(&key).await? else { continue };
            let names = gone.clone();
            let rest = blocking(move || Ok(without(bytes, &names))).await?;
            match rest.map_err(|error| self.broken(&key, &error))? {
                None => continue,
                Some((0, _)) => self.remove(&key).await?,
                Some((_, rest)) => self.replace(&key, rest).await?,
            }
            rewritten += 1;
        }
        Ok(rewritten)
    }

    /// Removes the days before one (since 1970); says how many files there were.
    async fn expire(&self, first: i64) -> Result<u64, ServerError> {
        let mut expired = 0;
        for key in self.tables(PLAYS).await? {
            if day_of(&key).is_some_and(|day| day < first) {
                self.remove(&key).await?;
                expired += 1;
            }
        }
        Ok(expired)
    }

    /// How often each listener played each track, by pseudonyms, as far as it was exported; without those who are `withheld`.
    pub async fn plays(&self, withheld: &HashSet<String>) -> Result<Vec<Counted>, ServerError> {
        let keys = self.tables(PLAYS).await?;
        if keys.is_empty() {
            let why =
                format!("there are no plays in {}: `segue plays export` brings them there", self.name());
            return Err(ServerError::Store(why));
        }
        let mut sums = Sums::default();
        for key in keys {
            let Some(bytes) = self.read(&key).await? else { continue };
            let (back, read) = blocking(move || {
                let read = sums.add(bytes);
                Ok((sums, read))
            })
            .await?;
            sums = back;
            read.map_err(|error| self.broken(&key, &error))?;
        }
        Ok(sums.counted(withheld))
    }
}

/// Plays that count, by listener and track. Names are kept once.
#[derive(Default)]
struct Sums {
    listeners: HashMap<String, u32>,
    tracks: HashMap<String, u32>,
    plays: HashMap<(u32, u32), u32>,
}

impl Sums {
    fn add(&mut self, bytes: Bytes) -> Result<(), ParquetError> {
        Table::open(bytes)?.groups(|group| {
            let (listeners, tracks) = (group.texts("listener")?, group.texts("track")?);
            let counted = group.values::<BoolType>("counted")?;
            for ((listener, track), counted) in listeners.into_iter().zip(tracks).zip(counted) {
                if counted {
                    let pair = (number(&mut self.listeners, listener), number(&mut self.tracks, track));
                    let plays = self.plays.entry(pair).or_default();
                    *plays = plays.saturating_add(1);
                }
            }
            Ok(())
        })
    }

    fn counted(self, withheld: &HashSet<String>) -> Vec<Counted> {
        let names = |of: HashMap<String, u32>| {
            let mut names = vec![String::new(); of.len()];
            for (name, at) in of {
                if let Some(place) = names.get_mut(at as usize) {
                    *place = name;
                }
            }
            names
        };
        let (listeners, tracks) = (names(self.listeners), names(self.tracks));
        let counted = self.plays.into_iter().filter_map(|((listener, track), plays)| {
            let listener = listeners.get(listener as usize).filter(|name| !withheld.contains(*name))?;
            Some(Counted { listener: listener.clone(), track: tracks.get(track as usize)?.clone(), plays })
        });
        counted.collect()
    }
}

fn number(names: &mut HashMap<String, u32>, name: String) -> u32 {
    let next = names.len() as u32;
    *names.entry(name).or_insert(next)
}

fn unwritten(error: &ParquetError) -> ServerError {
    ServerError::Store(format!("plays cannot be written as Parquet: {error}"))
}

fn name_of(range: ExportRange, day: i64, part: u32) -> String {
    let (first, last) = (range.after + 1, range.until);
    format!("{PLAYS}/dt={}/part-{first:012}-{last:012}-{part:03}.parquet", iso_date(day))
}

/// The day that a file is of.
fn day_of(key: &str) -> Option<i64> {
    parse_date(key.split("dt=").nth(1)?.split('/').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_range_and_tell_the_day() {
        let name = name_of(ExportRange { after: -1, until: 12 }, 20_784, 1);
        assert_eq!(name, "plays/dt=2026-11-27/part-000000000000-000000000012-001.parquet");
        assert_eq!(day_of(&name), Some(20_784));
        assert_eq!(day_of("plays/other.parquet"), None);
    }
}
