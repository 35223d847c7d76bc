//! What listeners opened to others: shares with a secret address, and radio stations that all see.

use super::sql::{self, again};
use super::{Catalog, CatalogError, apply::sql_int};
use crate::music::AccountId;

/// Music that is open to who knows its secret. `Debug` leaves the secret out.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    /// Id.
    pub id: String,
    /// Who shares it.
    pub account: AccountId,
    /// The part of the address that nobody can guess.
    pub secret: String,
    /// Ids of tracks, albums, artists or playlists, in order.
    pub items: Vec<String>,
    /// What the listener wrote.
    pub description: Option<String>,
    /// Unix time in ms.
    pub created_at: i64,
    /// When it ends, Unix time in ms.
    pub expires_at: Option<i64>,
    /// When somebody looked last, Unix time in ms.
    pub visited_at: Option<i64>,
    /// How often somebody looked.
    pub visits: u64,
}

/// How long a share stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Until it is closed by hand.
    Never,
    /// Until this Unix time in ms.
    At(i64),
}

impl Expiry {
    /// The moment in Unix time in ms, if there is one.
    pub fn at(self) -> Option<i64> {
        match self {
            Expiry::Never => None,
            Expiry::At(at) => Some(at),
        }
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share").field("id", &self.id).field("items", &self.items).finish_non_exhaustive()
    }
}

/// An internet radio station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadioStation {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Where it streams.
    pub stream_url: String,
    /// Its page.
    pub home_page_url: Option<String>,
}

fn share(row: &sql::Row) -> Result<Share, CatalogError> {
    Ok(Share {
        id: row.try_get("id")?,
        account: row.try_get::<String, _>("account_id")?.into(),
        secret: row.try_get("secret")?,
        items: serde_json::from_str(row.try_get::<&str, _>("item_ids")?)?,
        description: row.try_get("description")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        visited_at: row.try_get("visited_at")?,
        visits: u64::try_from(row.try_get::<i64, _>("visits")?).unwrap_or(0),
    })
}

impl Catalog {
    /// Keeps a new share.
    pub async fn add_share(&self, share: &Share) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO shares (id, account_id, secret, item_ids, description, created_at, expires_at, visits) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
        )
        .bind(&share.id)
        .bind(share.account.as_str())
        .bind(&share.secret)
        .bind(serde_json::to_string(&share.items)?)
        .bind(&share.description)
        .bind(share.created_at)
        .bind(share.expires_at)
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// All shares of one account, the newest first; of all accounts without one.
    pub async fn shares(&self, account: Option<&AccountId>) -> Result<Vec<Share>, CatalogError> {
        let found = sql::query(
            "SELECT * FROM shares WHERE $1 IS NULL OR account_id = $1 ORDER BY created_at DESC, id",
        )
        .bind(account.map(AccountId::as_str))
        .fetch_all(self.reader())
        .await?;
        found.iter().map(share).collect()
    }

    /// The share behind a secret, if it is still open at `now` (Unix time in ms). Counts as a visit with `visit`.
    pub async fn open_share(
        &self,
        secret: &str,
        now: i64,
        visit: bool,
    ) -> Result<Option<Share>, CatalogError> {
        let found =
            sql::query("SELECT * FROM shares WHERE secret = $1 AND (expires_at IS NULL OR expires_at > $2)")
                .bind(secret)
                .bind(now)
                .fetch_optional(self.reader())
                .await?;
        let Some(share) = found.as_ref().map(share).transpose()? else { return Ok(None) };
        if visit {
            sql::query("UPDATE shares SET visits = visits + 1, visited_at = $2 WHERE id = $1")
                .bind(&share.id)
                .bind(now)
                .execute(self.writer())
                .await?;
        }
        Ok(Some(share))
    }

    /// Changes what a share says and when it ends; `None` leaves a part as it is.
    pub async fn edit_share(
        &self,
        id: &str,
        description: Option<&str>,
        expiry: Option<Expiry>,
    ) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            if let Some(text) = description {
                sql::query("UPDATE shares SET description = $2 WHERE id = $1")
                    .bind(id)
                    .bind(text)
                    .execute(&mut *tx)
                    .await?;
            }
            if let Some(expiry) = expiry {
                sql::query("UPDATE shares SET expires_at = $2 WHERE id = $1")
                    .bind(id)
                    .bind(expiry.at())
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Closes a share.
    pub async fn remove_share(&self, id: &str) -> Result<(), CatalogError> {
        let gone = sql::query("DELETE FROM shares WHERE id = $1").bind(id).execute(self.writer()).await?;
        if gone.rows_affected() == 0 { Err(CatalogError::not_found("share", id)) } else { Ok(()) }
    }

    /// All radio stations by name.
    pub async fn radio_stations(&self) -> Result<Vec<RadioStation>, CatalogError> {
        let found =
            sql::query("SELECT * FROM radio_stations ORDER BY name, id").fetch_all(self.reader()).await?;
        let station = |row: &sql::Row| {
            Ok(RadioStation {
                id: row.try_get("id")?,
                name: row.try_get("name")?,
                stream_url: row.try_get("stream_url")?,
                home_page_url: row.try_get("home_page_url")?,
            })
        };
        found.iter().map(station).collect()
    }

    /// Adds a station, or puts it in the place of the one with its id.
    pub async fn put_radio_station(&self, station: &RadioStation) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO radio_stations (id, name, stream_url, home_page_url) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, stream_url = excluded.stream_url, \
             home_page_url = excluded.home_page_url",
        )
        .bind(&station.id)
        .bind(&station.name)
        .bind(&station.stream_url)
        .bind(&station.home_page_url)
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// Removes a station.
    pub async fn remove_radio_station(&self, id: &str) -> Result<(), CatalogError> {
        let gone =
            sql::query("DELETE FROM radio_stations WHERE id = $1").bind(id).execute(self.writer()).await?;
        if gone.rows_affected() == 0 { Err(CatalogError::not_found("radio station", id)) } else { Ok(()) }
    }

    /// Writes down who did what to accounts, keys and shares.
    pub async fn audit(&self, deed: &Deed) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO audit (id, at, account, address, deed, subject) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(uuid::Uuid::now_v7().to_string())
        .bind(deed.at)
        .bind(&deed.account)
        .bind(&deed.address)
        .bind(&deed.deed)
        .bind(&deed.subject)
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// The newest deeds first.
    pub async fn deeds(&self, limit: u64) -> Result<Vec<Deed>, CatalogError> {
        let found = sql::query("SELECT * FROM audit ORDER BY at DESC, id DESC LIMIT $1")
            .bind(sql_int(limit))
            .fetch_all(self.reader())
            .await?;
        found.iter().map(deed).collect()
    }
}

/// A row of the audit log.
pub(super) fn deed(row: &sql::Row) -> Result<Deed, CatalogError> {
    Ok(Deed {
        at: row.try_get("at")?,
        account: row.try_get("account")?,
        address: row.try_get("address")?,
        deed: row.try_get("deed")?,
        subject: row.try_get("subject")?,
    })
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Unix time in ms.
    pub at: i64,
    /// Name of who did it.
    pub account: String,
    /// From where; "here" for the command line.
    pub address: String,
    /// What: "account added", "password changed", …
    pub deed: String,
    /// To whom or what.
    pub subject: String,
}
