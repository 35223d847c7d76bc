//! In a build that knows no Parquet there is no place for plays.

use std::collections::HashSet;
use std::path::Path;

use super::super::ServerError;
use super::Exported;
use crate::catalog::Catalog;
use crate::mixing::Counted;
use crate::taste::Factors;

/// A place that there cannot be.
#[derive(Debug, Clone, Copy)]
pub enum Place {}

#[allow(clippy::unused_async, reason = "the same calls as with the feature `cloud`")]
impl Place {
    /// Refuses.
    pub fn open(_: &Path) -> Result<Self, String> {
        Err("this build cannot read or write Parquet: build it with `--features cloud`".to_owned())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match *self {}
    }

    /// See the feature `cloud`.
    pub async fn export(&self, _: &Catalog, _: i64, _: u32) -> Result<Exported, ServerError> {
        match *self {}
    }

    /// See the feature `cloud`.
    pub async fn plays(&self, _: &HashSet<String>) -> Result<Vec<Counted>, ServerError> {
        match *self {}
    }

    /// See the feature `cloud`.
    pub async fn factors(&self, _: Option<&str>) -> Result<Option<Factors>, ServerError> {
        match *self {}
    }
}
