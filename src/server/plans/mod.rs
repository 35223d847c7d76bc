//! Plans and ads: what an account may do, which ads it may hear, and what it says of those that it heard.
//!
//! ```text
//! getPlan ──▶ Desk::plan ── catalog: standing ─▶ the plan of this moment
//! getAds ───▶ Desk::ads ─── catalog: candidates, counted ─▶ choose (pure, seeded) ─▶ tickets
//! reportAds ▶ Desk::report ─ catalog: ticket ─▶ judge (pure) ─▶ delivered | skipped
//! segue ads ▶ audio: decode, measure, copy ─▶ catalog: campaign, audio       report: counts ─▶ table, CSV
//! ```
//!
//! Nothing here knows HTTP, and the time comes from a [`Clock`], so that a month can be lived through in a test. What a
//! plan limits is enforced where it is asked for: bit rates and downloads in `routes`, streams at one time in `flows`.

mod audio;
pub mod calendar;
mod choose;
mod house;
mod judge;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

pub use audio::{NewAd, add_ad, ads_folder, remove_files};
pub use house::{HOUSE_CAMPAIGN, add_house_ads};
pub use judge::AdRefused;

use super::Clock;
use super::jobs::{self, Jobs};
use crate::catalog::{AdAsk, Catalog, CatalogError, HeardAd, Standing, StoredAd, Warm};
use crate::music::calendar::DAY_MS;
use crate::music::{AccountId, Ad, AdHeard, Plan, Purpose, TrackId, fold};
use choose::{Dice, Moment};

/// How long a ticket is good, ms: so long may a listener be without a network.
pub const GOOD_FOR: i64 = 7 * DAY_MS;
/// How long after that it may still be reported, ms.
pub const LATE: i64 = 30 * DAY_MS;
/// How wrong a listener's clock may be, ms.
pub const SKEW: i64 = 10 * 60_000;
/// Ads that one question gets at most.
pub const MOST_AT_ONCE: u32 = 10;
/// Tickets of one account that are good at one time.
pub const MOST_OUT: u64 = 40;
/// How far back the history of who agreed to that goes, ms, and how many of its genres count.
const HISTORY: i64 = 30 * DAY_MS;
const LIKED: u64 = 5;

/// A question for ads.
#[derive(Debug, Clone, Default)]
pub struct AdQuestion {
    /// How many.
    pub count: u32,
    /// The genres of what is heard now.
    pub genres: Vec<String>,
    /// Minutes that the listener's clock is ahead of UTC; the server's own where nobody says.
    pub offset_minutes: Option<i32>,
}

/// Answers for plans and ads.
#[derive(Debug)]
pub struct Desk {
    catalog: Catalog,
    clock: Clock,
    seed: u64,
    standings: Warm<AccountId, Arc<Standing>>,
}

impl Desk {
    /// Over a catalog. The same seed and the same questions at the same times get the same ads.
    pub fn new(catalog: Catalog, clock: Clock, seed: u64) -> Self {
        Self { catalog, clock, seed, standings: Warm::default() }
    }

    /// The plan of an account now.
    pub async fn plan(&self, account: &AccountId) -> Result<Plan, CatalogError> {
        let stamp = self.catalog.stamp();
        let standing = if let Some(known) = self.standings.get(stamp, account) {
            known
        } else {
            let standing = Arc::new(self.catalog.standing(account).await?);
            self.standings.put(stamp, account.clone(), Arc::clone(&standing));
            standing
        };
        Ok(standing.at(self.clock.now()).clone())
    }

    /// Tickets for ads, in the order in which they are to be heard: as many as are asked for, as the plan has at once, and as
    /// there are. None for a plan without ads.
    pub async fn ads(&self, account: &AccountId, asked: &AdQuestion) -> Result<Vec<Ad>, CatalogError> {
        let now = self.clock.now();
        let count = asked.count.min(MOST_AT_ONCE);
        if self.plan(account).await?.ads.is_none() || count == 0 {
            return Ok(Vec::new());
        }
        let offset_minutes = asked.offset_minutes.unwrap_or_else(|| calendar::own_offset(now));
        let mut genres: Vec<String> = asked.genres.iter().map(|genre| fold(genre)).collect();
        genres.extend(self.liked(account, now).await?.iter().map(|genre| fold(genre)));
        let mut moment = Moment { now, offset_minutes, genres, last: None };
        let mut dice = Dice::new(self.seed_of(account, now));
        let ask = AdAsk {
            account,
            at: now,
            day: calendar::day_of(now, offset_minutes),
            good_for: GOOD_FOR,
            most_out: MOST_OUT,
        };
        let issued = self.catalog.issue_ads(&ask, |candidates, room, last| {
            moment.last = last;
            choose::choose(candidates, &moment, room.min(count as usize), &mut dice)
        });
        let ad = |issued: crate::catalog::IssuedAd| Ad {
            ticket: issued.ticket,
            track: TrackId::from(issued.ad.id),
            title: issued.ad.title,
            by: issued.advertiser,
            duration_ms: issued.ad.duration_ms,
            skippable_after_ms: issued.ad.skippable_after_ms,
            counts_after_ms: issued.ad.counts_after_ms,
            gain_db: issued.ad.gain_db,
            peak: issued.ad.peak,
            expires_at: issued.expires_at,
        };
        Ok(issued.await?.into_iter().map(ad).collect())
    }

    /// Writes down how ads were heard, and says of each in turn why it was refused, if it was. Those that are good count
    /// whatever the others are.
    pub async fn report(
        &self,
        account: &AccountId,
        heard: &[AdHeard],
    ) -> Result<Vec<Result<(), AdRefused>>, CatalogError> {
        let now = self.clock.now();
        let mut judged = Vec::with_capacity(heard.len());
        let mut good: Vec<HeardAd> = Vec::new();
        for ad in heard {
            let ticket = self.catalog.ad_ticket(account, &ad.ticket).await?;
            judged.push(judge::judge(ticket.as_ref(), ad, now).map(|heard| good.extend(heard)));
        }
        if !good.is_empty() {
            self.catalog.settle_ads(account, &good).await?;
        }
        Ok(judged)
    }

    /// The audio with this id, for who has a ticket for it that is good and was not used.
    pub async fn audio(&self, account: &AccountId, id: &TrackId) -> Result<Option<StoredAd>, CatalogError> {
        if !id.as_str().starts_with(audio::ID) {
            return Ok(None);
        }
        self.catalog.ad_for(account, id.as_str(), self.clock.now()).await
    }

    /// Genres of the listener's history, where the listener agreed that ads are chosen by it.
    async fn liked(&self, account: &AccountId, now: i64) -> Result<Vec<String>, CatalogError> {
        for purpose in [Purpose::PersonalAds, Purpose::History] {
            if !self.catalog.allows(account, purpose).await? {
                return Ok(Vec::new());
            }
        }
        self.catalog.genres_heard(account, now - HISTORY, LIKED).await
    }

    fn seed_of(&self, account: &AccountId, now: i64) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(now.to_le_bytes());
        hash.update(account.as_str());
        let hash = hash.finalize();
        hash.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
    }
}

/// Counts tickets of which no report may come any more, and forgets whose they were.
pub async fn forget_old(catalog: &Catalog, now: i64) -> Result<u64, CatalogError> {
    catalog.fold_ads(now, GOOD_FOR + LATE).await
}

/// Forgets whose old tickets were, every hour, until it is told to end.
pub(crate) async fn keep(jobs: Jobs, clock: Clock, stop: tokio_util::sync::CancellationToken) {
    let task = jobs.every(jobs::ADS, std::time::Duration::from_hours(1), |catalog| {
        let clock = clock.clone();
        async move {
            if let Err(error) = forget_old(&catalog, clock.now()).await {
                tracing::warn!(%error, "old tickets for ads cannot be counted");
            }
        }
    });
    let _ = stop.run_until_cancelled(task).await;
}
