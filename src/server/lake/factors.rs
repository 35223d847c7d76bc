//! Factors as an engine leaves them (`assets/spark/als.py`): `manifest.json` says which is the newest model and how it was trained; beside
//! it are its tables, `id: int32, features: list<float>` for the factors and `id: int32, track: string` for what the numbers mean.

use std::collections::HashMap;

use parquet::data_type::Int32Type;
use serde::Deserialize;

use super::super::{ServerError, blocking};
use super::Place;
use super::rows::Table;
use crate::music::TrackId;
use crate::taste::{Factors, Weighting};

/// The file that names everything else. It is written last.
const MANIFEST: &str = "manifest.json";
/// The form of the manifest that this release knows.
const FORM: u32 = 1;
/// The most numbers in a row that are believed.
const MOST: usize = 4_096;

/// What the manifest says.
#[derive(Debug, Deserialize)]
struct Manifest {
    form: u32,
    made: String,
    rank: usize,
    iterations: usize,
    alpha: f32,
    regularisation: f32,
    weighting: String,
    /// Folder of the items' factors, from where the manifest is.
    item_factors: String,
    /// Folder of what items' numbers mean.
    items: String,
}

impl Place {
    /// The newest factors here; none where they are those that were `known` by when they were made, or there are none yet.
    pub async fn factors(&self, known: Option<&str>) -> Result<Option<Factors>, ServerError> {
        let Some(text) = self.read(MANIFEST).await? else { return Ok(None) };
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| self.broken(MANIFEST, &error))?;
        let wrong = |why: String| Err(self.broken(MANIFEST, &why));
        if manifest.form != FORM {
            return wrong(format!("it is of the form {}, this release knows {FORM}", manifest.form));
        }
        if known == Some(manifest.made.as_str()) {
            return Ok(None);
        }
        let Manifest { rank, alpha, regularisation, .. } = manifest;
        let sound = alpha.is_finite() && alpha > 0.0 && regularisation.is_finite() && regularisation >= 0.0;
        if !sound || !(1..=MOST).contains(&rank) {
            return wrong("its rank, alpha or regularisation makes no sense".to_owned());
        }
        let weighting = match manifest.weighting.as_str() {
            "played" => Weighting::Binary,
            "log" => Weighting::Log,
            "1+log" => Weighting::Sublinear,
            other => return wrong(format!("its weighting “{other}” is not known: played, log or 1+log")),
        };
        let named = self
            .each_table(&manifest.items, |table| {
                let mut named = Vec::new();
                table.groups(|group| {
                    named.extend(group.values::<Int32Type>("id")?.into_iter().zip(group.texts("track")?));
                    Ok(())
                })?;
                Ok(named)
            })
            .await?;
        let named = named.into_iter().flatten().map(|(id, track)| (id, TrackId::from(track)));
        let mut names: HashMap<i32, TrackId> = named.collect();
        let tables = self
            .each_table(&manifest.item_factors, move |table| {
                let (mut ids, mut rows) = (Vec::new(), Vec::new());
                table.groups(|group| {
                    ids.extend(group.values::<Int32Type>("id")?);
                    rows.extend(group.lists("features", rank)?);
                    Ok(())
                })?;
                Ok((ids, rows))
            })
            .await?;
        let (mut tracks, mut rows) = (Vec::new(), Vec::new());
        for (ids, factors) in tables {
            for id in ids {
                let Some(track) = names.remove(&id) else {
                    return wrong(format!("the item {id} has factors and no name, or twice"));
                };
                tracks.push(track);
            }
            rows.extend(factors);
        }
        if tracks.is_empty() || rows.iter().any(|value: &f32| !value.is_finite()) {
            return wrong("its factors are empty, or no numbers".to_owned());
        }
        Ok(Some(Factors {
            made: manifest.made,
            rank,
            iterations: manifest.iterations,
            alpha,
            regularisation,
            weighting,
            tracks,
            rows,
        }))
    }

    /// What is in each table of a folder, in their order.
    async fn each_table<T: Send + 'static>(
        &self,
        folder: &str,
        read: impl Fn(&Table) -> Result<T, parquet::errors::ParquetError> + Send + Sync + Clone + 'static,
    ) -> Result<Vec<T>, ServerError> {
        let inside = folder.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if !inside {
            return Err(self.broken(MANIFEST, &format!("“{folder}” is no folder beside it")));
        }
        let mut all = Vec::new();
        for key in self.tables(folder).await? {
            let Some(bytes) = self.read(&key).await? else { continue };
            let read = read.clone();
            let found = blocking(move || Ok(Table::open(bytes).and_then(|table| read(&table)))).await?;
            all.push(found.map_err(|error| self.broken(&key, &error))?);
        }
        Ok(all)
    }
}
