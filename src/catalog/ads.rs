//! Campaigns, their audio, and the tickets that listeners have for it. What may be given out is counted and given out in one
//! transaction, so that no budget and no cap is passed by two who ask at the same time; which of it, is the caller's choice.

use std::collections::HashMap;

use super::apply::sql_int;
use super::rows::number;
use super::sql::{self, again};
use super::{Catalog, CatalogError};
use crate::music::AccountId;

/// Whose ads they are, when they are heard, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its name.
    pub name: String,
    /// Who pays for it.
    pub advertiser: String,
    /// How often it is chosen beside others, at least 1.
    pub weight: u32,
    /// From when on, Unix time in ms.
    pub starts_at: Option<i64>,
    /// Until when, Unix time in ms; that moment is not in it.
    pub ends_at: Option<i64>,
    /// Hours of the day, a bit for each, the lowest from midnight to one; 0 for all.
    pub hours: u32,
    /// Days of the week, a bit for each, the lowest for Monday; 0 for all.
    pub weekdays: u32,
    /// Genres beside which it is heard, folded; none for all.
    pub genres: Vec<String>,
    /// Deliveries to one listener on one day at most; 0 for any number.
    pub per_day: u32,
    /// Deliveries to one listener at most; 0 for any number.
    pub per_listener: u32,
    /// Deliveries at most; 0 for any number.
    pub budget: u64,
    /// Whether it rests.
    pub paused: bool,
    /// Unix time in ms.
    pub created_at: i64,
}

impl Campaign {
    /// One that is heard by everybody at any time from now on (Unix time in ms).
    pub fn open(name: &str, advertiser: &str, now: i64) -> Self {
        Self {
            name: name.to_owned(),
            advertiser: advertiser.to_owned(),
            weight: 1,
            starts_at: None,
            ends_at: None,
            hours: 0,
            weekdays: 0,
            genres: Vec::new(),
            per_day: 0,
            per_listener: 0,
            budget: 0,
            paused: false,
            created_at: now,
        }
    }
}

/// The audio of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAd {
    /// Id, by which it is streamed.
    pub id: String,
    /// Its campaign.
    pub campaign: String,
    /// Its name.
    pub title: String,
    /// Its file in the folder of ads.
    pub file: String,
    /// MIME type.
    pub content_type: String,
    /// Length, ms.
    pub duration_ms: u64,
    /// To the reference of `ReplayGain`, dB.
    pub gain_db: f64,
    /// Highest sample, 1 for full scale.
    pub peak: f64,
    /// From where on it may be skipped, ms.
    pub skippable_after_ms: Option<u64>,
    /// How much must be heard to count, ms.
    pub counts_after_ms: u64,
}

/// A campaign as it may be given to somebody now.
#[derive(Debug, Clone, PartialEq)]
pub struct AdCandidate {
    /// The campaign, which is not paused.
    pub campaign: Campaign,
    /// Its audio, at least one.
    pub ads: Vec<StoredAd>,
    /// Deliveries, and tickets that may still become some; counted where there is a budget.
    pub taken: u64,
    /// The same of this listener.
    pub own: u64,
    /// The same of this listener today.
    pub today: u64,
}

/// Who asks for ads, and when.
#[derive(Debug, Clone, Copy)]
pub struct AdAsk<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// Unix time in ms.
    pub at: i64,
    /// The listener's day, from and until, Unix time in ms.
    pub day: (i64, i64),
    /// How long tickets are good, ms.
    pub good_for: i64,
    /// The most tickets of this account that are good at one time.
    pub most_out: u64,
}

/// A ticket that was given out.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuedAd {
    /// The ticket.
    pub ticket: String,
    /// What it is for.
    pub ad: StoredAd,
    /// Who pays.
    pub advertiser: String,
    /// Until when it is good, Unix time in ms.
    pub expires_at: i64,
}

/// A ticket as it is judged when it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdTicket {
    /// When it was given, Unix time in ms.
    pub issued_at: i64,
    /// Until when it is good, Unix time in ms.
    pub expires_at: i64,
    /// Length of the ad, ms.
    pub duration_ms: u64,
    /// How much must be heard to count, ms.
    pub counts_after_ms: u64,
    /// Whether it was reported before.
    pub reported: bool,
}

/// How an ad was heard, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardAd {
    /// Its ticket.
    pub ticket: String,
    /// When it began, Unix time in ms.
    pub at: i64,
    /// How much was heard, ms.
    pub heard_ms: u64,
    /// Whether that counts.
    pub delivered: bool,
}

impl sql::FromRow for Campaign {
    fn from_row(row: &sql::Row) -> Result<Self, sql::Error> {
        let genres = row.try_get::<&str, _>("genres")?;
        Ok(Self {
            name: row.try_get("name")?,
            advertiser: row.try_get("advertiser")?,
            weight: number::<u32>(row, "weight")?.max(1),
            starts_at: row.try_get("starts_at")?,
            ends_at: row.try_get("ends_at")?,
            hours: number(row, "hours")?,
            weekdays: number(row, "weekdays")?,
            genres: serde_json::from_str(genres).map_err(|e| sql::Error::Decode(e.into()))?,
            per_day: number(row, "per_day")?,
            per_listener: number(row, "per_listener")?,
            budget: number(row, "budget")?,
            paused: row.try_get("paused")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl sql::FromRow for StoredAd {
    fn from_row(row: &sql::Row) -> Result<Self, sql::Error> {
        let skippable: Option<i64> = row.try_get("skippable_after_ms")?;
        Ok(Self {
            id: row.try_get("id")?,
            campaign: row.try_get("campaign")?,
            title: row.try_get("title")?,
            file: row.try_get("file")?,
            content_type: row.try_get("content_type")?,
            duration_ms: number(row, "duration_ms")?,
            gain_db: row.try_get("gain_db")?,
            peak: row.try_get("peak")?,
            skippable_after_ms: skippable.and_then(|ms| u64::try_from(ms).ok()),
            counts_after_ms: number(row, "counts_after_ms")?,
        })
    }
}

impl Catalog {
    /// All campaigns by name.
    pub async fn campaigns(&self) -> Result<Vec<Campaign>, CatalogError> {
        Ok(sql::query_as("SELECT * FROM campaigns ORDER BY name").fetch_all(&self.all).await?)
    }

    /// Adds a campaign, or puts other words in the place of those of the one of its name.
    pub async fn put_campaign(&self, campaign: &Campaign) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO campaigns (name, advertiser, weight, starts_at, ends_at, hours, weekdays, genres, per_day, \
             per_listener, budget, paused, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
             ON CONFLICT (name) DO UPDATE SET advertiser = excluded.advertiser, weight = excluded.weight, \
             starts_at = excluded.starts_at, ends_at = excluded.ends_at, hours = excluded.hours, \
             weekdays = excluded.weekdays, genres = excluded.genres, per_day = excluded.per_day, \
             per_listener = excluded.per_listener, budget = excluded.budget, paused = excluded.paused",
        )
        .bind(&campaign.name)
        .bind(&campaign.advertiser)
        .bind(i64::from(campaign.weight))
        .bind(campaign.starts_at)
        .bind(campaign.ends_at)
        .bind(i64::from(campaign.hours))
        .bind(i64::from(campaign.weekdays))
        .bind(serde_json::to_string(&campaign.genres)?)
        .bind(i64::from(campaign.per_day))
        .bind(i64::from(campaign.per_listener))
        .bind(sql_int(campaign.budget))
        .bind(campaign.paused)
        .bind(campaign.created_at)
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// Removes a campaign with its audio; what was counted of it stays.
    pub async fn remove_campaign(&self, name: &str) -> Result<(), CatalogError> {
        let sql = "DELETE FROM campaigns WHERE name = $1";
        let gone = sql::query(sql).bind(name).execute(self.writer()).await?;
        if gone.rows_affected() == 0 { Err(CatalogError::not_found("campaign", name)) } else { Ok(()) }
    }

    /// The audio of all campaigns.
    pub async fn stored_ads(&self) -> Result<Vec<StoredAd>, CatalogError> {
        Ok(sql::query_as("SELECT * FROM ads ORDER BY campaign, title, id").fetch_all(&self.all).await?)
    }

    /// Adds audio to a campaign, or puts it in the place of that with its id.
    pub async fn put_ad(&self, ad: &StoredAd) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO ads (id, campaign, title, file, content_type, duration_ms, gain_db, peak, skippable_after_ms, \
             counts_after_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (id) DO UPDATE SET title = excluded.title, skippable_after_ms = excluded.skippable_after_ms, \
             counts_after_ms = excluded.counts_after_ms",
        )
        .bind(&ad.id)
        .bind(&ad.campaign)
        .bind(&ad.title)
        .bind(&ad.file)
        .bind(&ad.content_type)
        .bind(sql_int(ad.duration_ms))
        .bind(ad.gain_db)
        .bind(ad.peak)
        .bind(ad.skippable_after_ms.map(sql_int))
        .bind(sql_int(ad.counts_after_ms))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// Removes audio by its id.
    pub async fn remove_ad(&self, id: &str) -> Result<(), CatalogError> {
        let gone = sql::query("DELETE FROM ads WHERE id = $1").bind(id).execute(self.writer()).await?;
        if gone.rows_affected() == 0 { Err(CatalogError::not_found("ad", id)) } else { Ok(()) }
    }

    /// The audio with this id, if the account has a ticket for it that is good now and was not used.
    pub async fn ad_for(
        &self,
        account: &AccountId,
        id: &str,
        now: i64,
    ) -> Result<Option<StoredAd>, CatalogError> {
        let sql = "SELECT a.* FROM ads a WHERE a.id = $2 AND EXISTS (SELECT 1 FROM ad_tickets t \
                   WHERE t.account_id = $1 AND t.ad_id = a.id AND t.heard_at IS NULL AND t.expires_at >= $3)";
        let query = sql::query_as(sql).bind(account.as_str()).bind(id).bind(now);
        Ok(query.fetch_optional(&self.all).await?)
    }

    /// Gives out tickets for what `choose` takes of the candidates; it is also told how many there may be, and the campaign of the
    /// last ticket that the account still has. Nothing else is given out in between.
    pub async fn issue_ads(
        &self,
        ask: &AdAsk<'_>,
        choose: impl FnOnce(&[AdCandidate], usize, Option<String>) -> Vec<StoredAd> + Send,
    ) -> Result<Vec<IssuedAd>, CatalogError> {
        let mut tx = self.write().await?;
        let (candidates, out) = candidates(&mut tx, ask).await?;
        let room = usize::try_from(ask.most_out.saturating_sub(out)).unwrap_or(usize::MAX);
        let expires_at = ask.at.saturating_add(ask.good_for);
        let last: Option<String> = sql::query_scalar(
            "SELECT campaign FROM ad_tickets WHERE account_id = $1 AND heard_at IS NULL AND expires_at >= $2 \
             ORDER BY issued_at DESC, place DESC LIMIT 1",
        )
        .bind(ask.account.as_str())
        .bind(ask.at)
        .fetch_optional(&mut *tx)
        .await?;
        let mut issued = Vec::new();
        for (place, ad) in (0_i64..).zip(choose(&candidates, room, last)) {
            let ticket = format!("{:032x}", rand::random::<u128>());
            sql::query(
                "INSERT INTO ad_tickets (account_id, ticket, campaign, ad_id, issued_at, expires_at, duration_ms, \
                 counts_after_ms, delivered, place) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(ask.account.as_str())
            .bind(&ticket)
            .bind(&ad.campaign)
            .bind(&ad.id)
            .bind(ask.at)
            .bind(expires_at)
            .bind(sql_int(ad.duration_ms))
            .bind(sql_int(ad.counts_after_ms))
            .bind(false)
            .bind(place)
            .execute(&mut *tx)
            .await?;
            let of = candidates.iter().find(|candidate| candidate.campaign.name == ad.campaign);
            let advertiser = of.map(|of| of.campaign.advertiser.clone()).unwrap_or_default();
            issued.push(IssuedAd { ticket, ad, advertiser, expires_at });
        }
        tx.commit().await?;
        Ok(issued)
    }

    /// A ticket of an account.
    pub async fn ad_ticket(
        &self,
        account: &AccountId,
        ticket: &str,
    ) -> Result<Option<AdTicket>, CatalogError> {
        let sql = "SELECT issued_at, expires_at, duration_ms, counts_after_ms, heard_at FROM ad_tickets \
                   WHERE account_id = $1 AND ticket = $2";
        let row = sql::query(sql).bind(account.as_str()).bind(ticket).fetch_optional(self.writer()).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(AdTicket {
            issued_at: row.try_get("issued_at")?,
            expires_at: row.try_get("expires_at")?,
            duration_ms: number(&row, "duration_ms")?,
            counts_after_ms: number(&row, "counts_after_ms")?,
            reported: row.try_get::<Option<i64>, _>("heard_at")?.is_some(),
        }))
    }

    /// Writes down how ads were heard. What was written down before stays.
    pub async fn settle_ads(&self, account: &AccountId, heard: &[HeardAd]) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            for ad in heard {
                sql::query(
                    "UPDATE ad_tickets SET heard_at = $3, heard_ms = $4, delivered = $5 \
                     WHERE account_id = $1 AND ticket = $2 AND heard_at IS NULL",
                )
                .bind(account.as_str())
                .bind(&ad.ticket)
                .bind(ad.at)
                .bind(sql_int(ad.heard_ms))
                .bind(ad.delivered)
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// The genres that an account heard most since a moment (Unix time in ms), the most heard first.
    pub async fn genres_heard(
        &self,
        account: &AccountId,
        since: i64,
        count: u64,
    ) -> Result<Vec<String>, CatalogError> {
        let sql = "SELECT g.genre FROM plays p JOIN track_genres g ON g.track_id = p.track_id \
                   WHERE p.account_id = $1 AND p.started_at >= $2 \
                   GROUP BY g.genre ORDER BY COUNT(*) DESC, g.genre LIMIT $3";
        let query = sql::query_scalar(sql).bind(account.as_str()).bind(since).bind(sql_int(count));
        Ok(query.fetch_all(&self.all).await?)
    }
}

/// What may be given to an account, by the name of the campaign, and how many tickets of it are good now.
async fn candidates(
    conn: &mut sql::Connection,
    ask: &AdAsk<'_>,
) -> Result<(Vec<AdCandidate>, u64), CatalogError> {
    let campaigns: Vec<Campaign> =
        sql::query_as("SELECT * FROM campaigns WHERE paused = FALSE ORDER BY name")
            .fetch_all(&mut *conn)
            .await?;
    let mut ads: HashMap<String, Vec<StoredAd>> = HashMap::new();
    for ad in sql::query_as::<StoredAd>("SELECT * FROM ads ORDER BY id").fetch_all(&mut *conn).await? {
        ads.entry(ad.campaign.clone()).or_default().push(ad);
    }
    let (from, until) = ask.day;
    let sql = "SELECT campaign, \
               COUNT(CASE WHEN delivered = TRUE OR (heard_at IS NULL AND expires_at >= $2) THEN 1 END), \
               COUNT(CASE WHEN (delivered = TRUE AND heard_at >= $3 AND heard_at < $4) \
               OR (heard_at IS NULL AND expires_at >= $2) THEN 1 END), \
               COUNT(CASE WHEN heard_at IS NULL AND expires_at >= $2 THEN 1 END) \
               FROM ad_tickets WHERE account_id = $1 GROUP BY campaign";
    let rows: Vec<(String, i64, i64, i64)> = sql::query_as(sql)
        .bind(ask.account.as_str())
        .bind(ask.at)
        .bind(from)
        .bind(until)
        .fetch_all(&mut *conn)
        .await?;
    let plain = |count: i64| u64::try_from(count).unwrap_or(0);
    let out = rows.iter().map(|row| plain(row.3)).sum();
    let own: HashMap<String, (i64, i64)> =
        rows.into_iter().map(|(campaign, own, today, _)| (campaign, (own, today))).collect();
    let sql = "SELECT campaign, delivered FROM ad_totals WHERE account_id = $1";
    let totals: Vec<(String, i64)> =
        sql::query_as(sql).bind(ask.account.as_str()).fetch_all(&mut *conn).await?;
    let totals: HashMap<String, i64> = totals.into_iter().collect();
    let mut found = Vec::new();
    for campaign in campaigns {
        let Some(ads) = ads.remove(&campaign.name) else { continue };
        let taken = if campaign.budget > 0 { taken(conn, &campaign.name, ask.at).await? } else { 0 };
        let (own, today) = own.get(&campaign.name).copied().unwrap_or_default();
        let before = totals.get(&campaign.name).copied().unwrap_or_default();
        found.push(AdCandidate { campaign, ads, taken, own: plain(own + before), today: plain(today) });
    }
    Ok((found, out))
}

/// Deliveries of a campaign, and tickets that may still become some.
async fn taken(conn: &mut sql::Connection, campaign: &str, now: i64) -> Result<u64, sql::Error> {
    let sql = "SELECT (SELECT COUNT(*) FROM ad_tickets WHERE campaign = $1 AND delivered = TRUE) \
               + (SELECT COUNT(*) FROM ad_tickets \
               WHERE campaign = $1 AND delivered = FALSE AND heard_at IS NULL AND expires_at >= $2) \
               + (SELECT CAST(COALESCE(SUM(delivered), 0) AS BIGINT) FROM ad_days WHERE campaign = $1)";
    let count: i64 = sql::query_scalar(sql).bind(campaign).bind(now).fetch_one(conn).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}
