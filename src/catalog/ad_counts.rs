//! What became of tickets for ads, in counts. A ticket names an account no longer than a report of it may come; then it is one
//! of a day's count, which names nobody.

use std::collections::BTreeMap;

use super::sql::{self, again};
use super::{Catalog, CatalogError};
use crate::music::calendar::DAY_MS;

/// What became of tickets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AdCount {
    /// Tickets given.
    pub tickets: u64,
    /// Heard so far that they count.
    pub delivered: u64,
    /// Reported as heard too little to count.
    pub skipped: u64,
    /// Never reported, and too old to be heard.
    pub expired: u64,
    /// Listeners to whom one was delivered.
    pub listeners: u64,
}

impl AdCount {
    /// Tickets that may still be heard.
    pub const fn waiting(&self) -> u64 {
        self.tickets.saturating_sub(self.delivered).saturating_sub(self.skipped).saturating_sub(self.expired)
    }

    fn add(&mut self, other: Self) {
        self.tickets += other.tickets;
        self.delivered += other.delivered;
        self.skipped += other.skipped;
        self.expired += other.expired;
        self.listeners += other.listeners;
    }
}

/// The counts of a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CampaignCounts {
    /// Since it began; listeners are those of tickets that are still kept by account.
    pub all: AdCount,
    /// By the day on which the tickets were given, in days of UTC since 1970.
    pub days: BTreeMap<i64, AdCount>,
}

/// A row of counts: campaign, day, tickets, delivered, skipped, expired, listeners.
type Row = (String, i64, i64, i64, i64, i64, i64);

impl Catalog {
    /// The counts of all campaigns that ever gave a ticket, by name, at a moment (Unix time in ms).
    pub async fn ad_counts(&self, now: i64) -> Result<BTreeMap<String, CampaignCounts>, CatalogError> {
        let kept = "SELECT campaign, issued_at / 86400000 AS day, COUNT(*), \
                    COUNT(CASE WHEN delivered = TRUE THEN 1 END), \
                    COUNT(CASE WHEN delivered = FALSE AND heard_at IS NOT NULL THEN 1 END), \
                    COUNT(CASE WHEN heard_at IS NULL AND expires_at < $1 THEN 1 END), \
                    COUNT(DISTINCT CASE WHEN delivered = TRUE THEN account_id END) \
                    FROM ad_tickets GROUP BY campaign, issued_at / 86400000";
        let mut conn = self.all.acquire().await?;
        let mut rows: Vec<Row> = sql::query_as(kept).bind(now).fetch_all(&mut *conn).await?;
        let folded = "SELECT campaign, day, tickets, delivered, skipped, expired, listeners FROM ad_days";
        rows.extend(sql::query_as::<Row>(folded).fetch_all(&mut *conn).await?);
        let mut all: BTreeMap<String, CampaignCounts> = BTreeMap::new();
        let plain = |count: i64| u64::try_from(count).unwrap_or(0);
        for (campaign, day, tickets, delivered, skipped, expired, listeners) in rows {
            let count = AdCount {
                tickets: plain(tickets),
                delivered: plain(delivered),
                skipped: plain(skipped),
                expired: plain(expired),
                listeners: plain(listeners),
            };
            let of = all.entry(campaign).or_default();
            of.all.add(AdCount { listeners: 0, ..count });
            of.days.entry(day).or_default().add(count);
        }
        let sql = "SELECT campaign, COUNT(DISTINCT account_id) FROM ad_tickets WHERE delivered = TRUE GROUP BY campaign";
        for (campaign, listeners) in sql::query_as::<(String, i64)>(sql).fetch_all(&mut *conn).await? {
            all.entry(campaign).or_default().all.listeners = plain(listeners);
        }
        Ok(all)
    }

    /// Counts the tickets of whole days (UTC) that ended at least `keep_ms` before now, and forgets whose they were. Gives the
    /// number of tickets that are gone.
    pub async fn fold_ads(&self, now: i64, keep_ms: i64) -> Result<u64, CatalogError> {
        let before = now.saturating_sub(keep_ms).div_euclid(DAY_MS) * DAY_MS;
        again!({
            let mut tx = self.write().await?;
            fold(&mut tx, "", before).await?;
            let sql = "DELETE FROM ad_tickets WHERE issued_at < $1";
            let gone = sql::query(sql).bind(before).execute(&mut *tx).await?.rows_affected();
            // A campaign that is over needs nobody's total.
            sql::query(
                "DELETE FROM ad_totals WHERE campaign IN \
                 (SELECT name FROM campaigns WHERE ends_at IS NOT NULL AND ends_at < $1)",
            )
            .bind(before)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(gone)
        })
    }
}

/// Counts tickets that were given before a moment and are about to be removed: those of one account, or of all where none is named.
pub(super) async fn fold(conn: &mut sql::Connection, account: &str, before: i64) -> Result<(), sql::Error> {
    for sql in [
        "INSERT INTO ad_days (campaign, day, tickets, delivered, skipped, expired, listeners) \
         SELECT campaign, issued_at / 86400000, COUNT(*), COUNT(CASE WHEN delivered = TRUE THEN 1 END), \
         COUNT(CASE WHEN delivered = FALSE AND heard_at IS NOT NULL THEN 1 END), \
         COUNT(CASE WHEN heard_at IS NULL THEN 1 END), \
         COUNT(DISTINCT CASE WHEN delivered = TRUE THEN account_id END) FROM ad_tickets \
         WHERE ($1 = '' OR account_id = $1) AND issued_at < $2 GROUP BY campaign, issued_at / 86400000 \
         ON CONFLICT (campaign, day) DO UPDATE SET tickets = ad_days.tickets + excluded.tickets, \
         delivered = ad_days.delivered + excluded.delivered, skipped = ad_days.skipped + excluded.skipped, \
         expired = ad_days.expired + excluded.expired, listeners = ad_days.listeners + excluded.listeners",
        "INSERT INTO ad_totals (account_id, campaign, delivered) \
         SELECT t.account_id, t.campaign, COUNT(*) FROM ad_tickets t, campaigns c \
         WHERE c.name = t.campaign AND c.per_listener > 0 AND t.delivered = TRUE \
         AND ($1 = '' OR t.account_id = $1) AND t.issued_at < $2 GROUP BY t.account_id, t.campaign \
         ON CONFLICT (account_id, campaign) DO UPDATE SET delivered = ad_totals.delivered + excluded.delivered",
    ] {
        sql::query(sql).bind(account).bind(before).execute(&mut *conn).await?;
    }
    Ok(())
}
