//! Erasing a person. A tombstone comes first, so that a crash in between is made good by the next look, and so that a backup
//! that is brought back does not bring the person back: it holds a hash of an id that nobody can guess, and nothing else.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::{ServerError, accounts, taste};
use super::Keep;
use crate::catalog::{Account, Catalog, Scoured};
use crate::music::AccountId;
use crate::music::calendar::DAY_MS;
use crate::subsonic::auth::hex;

/// In the data folder: a line for each person that was erased.
const TOMBSTONES: &str = "erased.txt";
/// In the data folder: what was done, by tombstone.
const RECEIPTS: &str = "receipts";

/// What was done for who was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// When, ISO 8601.
    pub erased_at: String,
    /// SHA-256 of the account's id: what is kept, so that no backup brings the account back.
    pub tombstone: String,
    /// Rows that were removed, or that no longer say whose they are, by table.
    pub removed: BTreeMap<String, u64>,
    /// What became of the bytes of removed rows; where somebody read them, the server overwrites them within the hour.
    pub overwritten: Scoured,
    /// What is left in copies, and until when.
    pub copies: EndOfCopies,
}

/// Copies of the data that may still hold a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOfCopies {
    /// How many there are.
    pub number: u64,
    /// When the last of them ends, ISO 8601.
    pub last_ends: Option<String>,
    /// How many have no end, because somebody wanted to keep them for good.
    pub endless: u64,
}

impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "erased at {}", self.erased_at)?;
        for (table, count) in &self.removed {
            writeln!(f, "  {count:>8} {table}")?;
        }
        match (&self.copies.last_ends, self.copies.endless) {
            (None, 0) => writeln!(f, "no backup holds anything of it")?,
            (Some(end), 0) => {
                writeln!(f, "{} backups hold it until {end} at the latest", self.copies.number)?;
            }
            (_, endless) => writeln!(f, "{endless} backups without an end hold it: remove them by hand")?,
        }
        if self.overwritten == Scoured::ByServer {
            writeln!(f, "the database server frees the bytes of removed rows in its own time")?;
        }
        write!(f, "tombstone {}", self.tombstone)
    }
}

/// What is kept of an account that is gone.
pub fn tombstone(account: &AccountId) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"segue tombstone\0");
    hasher.update(account.as_str());
    hex(&hasher.finalize())
}

/// Closes an account that wants to be erased; gives the moment of the erasure, Unix time in ms.
pub async fn wish(catalog: &Catalog, account: &Account, keep: &Keep, now: i64) -> Result<i64, ServerError> {
    accounts::check_other_admin(catalog, account).await?;
    let at = now + i64::from(keep.grace) * DAY_MS;
    catalog.set_erase_at(&account.id, Some(at)).await?;
    Ok(at)
}

/// Opens an account again that wanted to be erased.
pub async fn take_back(catalog: &Catalog, account: &Account) -> Result<(), ServerError> {
    Ok(catalog.set_erase_at(&account.id, None).await?)
}

/// Erases an account now, and keeps the receipt in the data folder.
pub async fn erase(
    catalog: &Catalog,
    data: &Path,
    account: &Account,
    keep: &Keep,
) -> Result<Receipt, ServerError> {
    accounts::check_other_admin(catalog, account).await?;
    let tombstone = tombstone(&account.id);
    bury(data, &tombstone)?;
    let removed = catalog.erase_account(account).await?;
    if catalog.is_shared() {
        // Whichever process learns from everybody has to do so without them.
        catalog.count_up(taste::UNLEARN).await?;
    }
    let overwritten = catalog.scour().await?;
    let receipt = Receipt {
        erased_at: jiff::Timestamp::now().to_string(),
        tombstone,
        removed: removed.into_iter().map(|(table, count)| (table.to_owned(), count)).collect(),
        overwritten,
        copies: copies(catalog, data, keep).await?,
    };
    let folder = data.join(RECEIPTS);
    super::super::make_private(&folder)?;
    let text = serde_json::to_string_pretty(&receipt)
        .map_err(|error| ServerError::Privacy(format!("the receipt cannot be written: {error}")))?;
    write_new(&folder.join(format!("{}.json", receipt.tombstone)), &text)?;
    tracing::info!(tombstone = %receipt.tombstone, ?overwritten, "an account was erased");
    Ok(receipt)
}

/// Erases accounts again that a backup brought back; gives how many there were.
pub async fn erased_again(catalog: &Catalog, data: &Path) -> Result<usize, ServerError> {
    let buried = buried(data)?;
    let mut again = 0;
    if !buried.is_empty() {
        for account in catalog.accounts().await? {
            if buried.contains(&tombstone(&account.id)) {
                catalog.erase_account(&account).await?;
                again += 1;
            }
        }
    }
    if again > 0 {
        catalog.scour().await?;
    }
    Ok(again)
}

/// How many were erased so far.
pub(crate) fn number_erased(data: &Path) -> usize {
    buried(data).map_or(0, |all| all.len())
}

fn buried(data: &Path) -> Result<Vec<String>, ServerError> {
    let file = data.join(TOMBSTONES);
    match std::fs::read_to_string(&file) {
        Ok(text) => {
            Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(&file, &error)),
    }
}

fn bury(data: &Path, tombstone: &str) -> Result<(), ServerError> {
    if buried(data)?.iter().any(|known| known == tombstone) {
        return Ok(());
    }
    // Where the catalog is elsewhere, nobody may have made it yet.
    super::super::make_private(data)?;
    let file = data.join(TOMBSTONES);
    let add = || {
        let mut open = OpenOptions::new().append(true).create(true).open(&file)?;
        writeln!(open, "{tombstone}")?;
        open.sync_all()
    };
    add().map_err(|error| failed(&file, &error))
}

fn write_new(file: &Path, text: &str) -> Result<(), ServerError> {
    std::fs::write(file, text).map_err(|error| failed(file, &error))
}

fn failed(file: &Path, error: &std::io::Error) -> ServerError {
    ServerError::Privacy(format!("{} cannot be used: {error}", file.display()))
}

/// Copies beside the catalog: from before a restore, and from before a new release. Each with when it was made, Unix ms.
pub(super) fn old_copies(data: &Path) -> Vec<(PathBuf, i64)> {
    let Ok(entries) = std::fs::read_dir(data) else { return Vec::new() };
    let copies = entries.flatten().filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("before-restore-") || name.starts_with("catalog.db.before-")
    });
    let made = |entry: std::fs::DirEntry| {
        let at = entry.metadata().and_then(|meta| meta.modified()).ok()?;
        let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some((entry.path(), i64::try_from(since.as_millis()).ok()?))
    };
    copies.filter_map(made).collect()
}

async fn copies(catalog: &Catalog, data: &Path, keep: &Keep) -> Result<EndOfCopies, ServerError> {
    let mut ends: Vec<Option<i64>> = catalog.backups().await?.into_iter().map(|row| row.expires_at).collect();
    let lasts = i64::from(keep.backups) * DAY_MS;
    ends.extend(old_copies(data).into_iter().map(|(_, made)| (lasts > 0).then_some(made + lasts)));
    let last = ends.iter().flatten().max();
    Ok(EndOfCopies {
        number: ends.len() as u64,
        last_ends: last.map(|at| jiff::Timestamp::from_millisecond(*at).unwrap_or_default().to_string()),
        endless: ends.iter().filter(|end| end.is_none()).count() as u64,
    })
}
