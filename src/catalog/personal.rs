//! Where the catalog holds data about a person: one list, from which a person's data is counted, given out and erased. A test
//! walks the schema, so that a table that is added without a line here fails.

use serde::{Deserialize, Serialize};

use super::sql::{self, again};
use super::{Account, Catalog, CatalogError};
use crate::music::AccountId;

/// What becomes of rows when their person is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// They go.
    Deleted,
    /// They stay without saying whose they are, because others rely on them.
    Unnamed,
}

/// A table with rows about persons.
#[derive(Debug, Clone, Copy)]
pub struct Personal {
    /// The table.
    pub table: &'static str,
    /// The column that says whose a row is: an account's id.
    pub column: &'static str,
    /// Columns in the order of which a person's rows are given out, separated by commas.
    pub order: &'static str,
    /// The file of an export that has the rows.
    pub file: &'static str,
    /// What the rows are, in plain words.
    pub about: &'static str,
    /// Columns that are never given out: secrets.
    pub hidden: &'static [&'static str],
    /// What becomes of them in the end.
    pub ending: Ending,
}

impl Personal {
    const fn deleted(
        table: &'static str,
        order: &'static str,
        file: &'static str,
        about: &'static str,
    ) -> Self {
        Self { table, column: "account_id", order, file, about, hidden: &[], ending: Ending::Deleted }
    }

    const fn hiding(self, hidden: &'static [&'static str]) -> Self {
        Self { hidden, ..self }
    }
}

/// Every table with rows about a person, in an order in which they can be deleted. The account itself comes last.
pub const PERSONAL: &[Personal] = &[
    Personal::deleted(
        "plays",
        "started_at, track_id",
        "plays.jsonl",
        "what was heard, when, how long, and from where",
    ),
    Personal::deleted("marks", "kind, item_id", "favourites.jsonl", "stars, ratings and counts of plays"),
    Personal::deleted("smart_playlists", "id", "smart_playlists.jsonl", "the rules of smart playlists"),
    Personal::deleted("playlist_tracks", "playlist_id, position", "playlists/", "the entries of playlists"),
    Personal::deleted("playlists", "id", "playlists/", "playlists"),
    Personal::deleted("play_queues", "account_id", "queue.jsonl", "the queue as it was left last"),
    Personal::deleted("bookmarks", "track_id", "bookmarks.jsonl", "places in long tracks"),
    Personal::deleted("less", "kind, item_id", "less.jsonl", "tracks and artists that less of is wanted"),
    Personal::deleted("pins", "kind, item_id", "pins.jsonl", "what is kept on this machine"),
    Personal::deleted(
        "mix_tracks",
        "mix_id, place",
        "recommendations.json",
        "the tracks of mixes, each with its reason",
    ),
    Personal::deleted("mixes", "place, id", "recommendations.json", "mixes that were made"),
    Personal::deleted("mixes_made", "account_id", "mixes_made.jsonl", "what the mixes were made of"),
    Personal::deleted(
        "scrobbles",
        "service, started_at, track_id",
        "scrobbles.jsonl",
        "what scrobbling services were told",
    ),
    Personal::deleted("outbox", "sequence", "waiting.jsonl", "changes that the server has not been told yet"),
    Personal::deleted(
        "consents",
        "at, sequence, purpose",
        "consents.jsonl",
        "what was agreed to and objected to",
    ),
    Personal::deleted("account_plans", "starts_at", "plan.jsonl", "the plan, from when and until when"),
    Personal::deleted(
        "ad_tickets",
        "issued_at, ticket",
        "ads.jsonl",
        "ads that were given out lately, and how they were heard",
    ),
    Personal::deleted(
        "ad_totals",
        "campaign",
        "ad_totals.jsonl",
        "how often ads of a campaign were heard before",
    ),
    Personal::deleted(
        "device_commands",
        "device_id, sequence",
        "device_commands.jsonl",
        "what players were asked for by others of the account, and have not taken yet",
    ),
    Personal::deleted(
        "devices",
        "id",
        "players.jsonl",
        "players that others of the account may drive, and what they play",
    ),
    Personal::deleted(
        "now_playing",
        "player",
        "now_playing.jsonl",
        "what players play at this moment, where several processes serve",
    ),
    Personal::deleted(
        "listening_places",
        "player",
        "listening_places.jsonl",
        "players that music flows to, where the plan counts them",
    ),
    Personal::deleted("client_profiles", "client", "client_profiles.jsonl", "what each client is sent"),
    Personal::deleted("shares", "created_at, id", "shares.jsonl", "music that was opened to others")
        .hiding(&["secret"]),
    Personal::deleted("api_keys", "created_at, id", "devices.jsonl", "API keys, without their secrets")
        .hiding(&["digest"]),
    Personal::deleted(
        "app_passwords",
        "created_at, id",
        "app_passwords.jsonl",
        "app passwords, without their secrets",
    )
    .hiding(&["sealed"]),
    Personal {
        ending: Ending::Unnamed,
        ..Personal::deleted(
            "search_log",
            "sequence",
            "search_notes.jsonl",
            "items whose marks changed since the search index was built",
        )
    },
    Personal {
        column: "id",
        ..Personal::deleted("accounts", "id", "profile.json", "the account").hiding(&["password_hash"])
    },
];

/// Tables whose rows name a person in columns that are no account's id, and why they need no line above.
pub const NAMED_OTHERWISE: &[(&str, &str)] = &[(
    "audit",
    "names the person instead of the account, so that it can tell of accounts that are gone; given out as audit.jsonl and \
     unnamed at an erasure",
)];

/// What stands in the audit log in the place of who was erased.
pub const ERASED: &str = "(erased)";

/// What became of the bytes of rows that were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scoured {
    /// They are overwritten.
    Done,
    /// Somebody who reads kept that from happening: it must be tried again.
    Busy,
    /// The database server overwrites them in its own time (PostgreSQL's vacuum).
    ByServer,
}

impl Catalog {
    /// How many rows there are of a person, by table; tables with none are left out.
    pub async fn personal_counts(
        &self,
        account: &AccountId,
    ) -> Result<Vec<(&'static str, u64)>, CatalogError> {
        let mut counts = Vec::new();
        for personal in PERSONAL {
            let sql = format!("SELECT COUNT(*) FROM {} WHERE {} = $1", personal.table, personal.column);
            let count: i64 = sql::query_scalar(sql::AssertSqlSafe(sql))
                .bind(account.as_str())
                .fetch_one(&self.all)
                .await?;
            if count > 0 {
                counts.push((personal.table, u64::try_from(count).unwrap_or(0)));
            }
        }
        Ok(counts)
    }

    /// Removes an account with everything that it owns, and says how many rows of which table. With `unname` the audit log
    /// forgets its name too.
    pub(super) async fn remove_rows(
        &self,
        account: &AccountId,
        unname: Option<&str>,
    ) -> Result<Vec<(&'static str, u64)>, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let mut counts = Vec::new();
            // What it heard of ads stays as counts that name nobody.
            super::ad_counts::fold(&mut tx, account.as_str(), i64::MAX).await?;
            for personal in PERSONAL {
                let (table, column) = (personal.table, personal.column);
                let sql = match personal.ending {
                    Ending::Deleted => format!("DELETE FROM {table} WHERE {column} = $1"),
                    Ending::Unnamed => format!("UPDATE {table} SET {column} = '' WHERE {column} = $1"),
                };
                let gone =
                    sql::query(sql::AssertSqlSafe(sql)).bind(account.as_str()).execute(&mut *tx).await?;
                if table == "accounts" && gone.rows_affected() == 0 {
                    return Err(CatalogError::not_found("account", account.as_str()));
                }
                if gone.rows_affected() > 0 {
                    counts.push((table, gone.rows_affected()));
                }
            }
            if let Some(name) = unname {
                let mut unnamed = 0;
                for sql in [
                    "UPDATE audit SET account = $2, address = '' WHERE account = $1",
                    "UPDATE audit SET subject = $2 WHERE subject = $1",
                ] {
                    unnamed +=
                        sql::query(sql).bind(name).bind(ERASED).execute(&mut *tx).await?.rows_affected();
                }
                if unnamed > 0 {
                    counts.push(("audit", unnamed));
                }
            }
            tx.commit().await?;
            self.search.forget(account);
            Ok(counts)
        })
    }

    /// Removes an account so that nothing of it is left in the catalog's files, and says how many rows of which table went. The
    /// bytes are gone when [`scour`](Self::scour) says so.
    pub async fn erase_account(&self, account: &Account) -> Result<Vec<(&'static str, u64)>, CatalogError> {
        let counts = self.remove_rows(&account.id, Some(&account.name)).await?;
        // The log of the index names accounts, and so does what was read of it.
        self.rebuild_search().await?;
        Ok(counts)
    }

    /// Writes the database anew without what was deleted, and empties the write-ahead log.
    pub async fn scour(&self) -> Result<Scoured, CatalogError> {
        if self.engine().is_shared() {
            return Ok(Scoured::ByServer);
        }
        sql::query("VACUUM").execute(self.writer()).await?;
        for _ in 0..50 {
            let (busy, _, _): (i64, i64, i64) =
                sql::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(self.writer()).await?;
            if busy == 0 {
                return Ok(Scoured::Done);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Ok(Scoured::Busy)
    }

    /// Closes an account that is to be erased at a moment (Unix time in ms), or opens it again.
    pub async fn set_erase_at(&self, account: &AccountId, at: Option<i64>) -> Result<(), CatalogError> {
        let changed = sql::query("UPDATE accounts SET erase_at = $2 WHERE id = $1")
            .bind(account.as_str())
            .bind(at)
            .execute(self.writer())
            .await?;
        if changed.rows_affected() == 0 {
            return Err(CatalogError::not_found("account", account.as_str()));
        }
        Ok(())
    }
}
