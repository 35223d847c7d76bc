//! Wire types of plans and ads: the extension `seguePlans`.
//!
//! `getPlan` says what the listener's plan allows. `getAds` with `count` gives tickets for up to so many ads, in the order in which
//! they are to be heard; `genre` (any number of times) says what is heard now, `utcOffset` how many minutes the listener's clock is
//! ahead of UTC, and both may be left out; `stream` gives the audio of each by its `songId`. `reportAds` takes `ticket`, `heard` (ms) and `time`
//! (Unix ms), each as often as there are ads to report; the same ticket counts once. A client that does not know the
//! extension hears no ads, and what the plan limits it learns from the errors of the calls themselves.

use super::convert::{from_iso, iso};
use super::lenient::wire;
use crate::music;

wire! {
    /// The body of `getPlan`.
    pub struct Plan {
        /// Name.
        req name: String,
        /// When it ends, ISO 8601.
        opt ends: String,
        /// What it costs, in the operator's words.
        opt price: String,
        /// How to get a better one, in the operator's words.
        opt upgrade: String,
        /// The highest bit rate, kbit/s; 0 for any.
        req max_bit_rate: u32,
        /// Whether music may be kept for times without a network.
        req offline: bool,
        /// Tracks that may be left before their end each hour; 0 for any number.
        req skips_per_hour: u32,
        /// Streams at one time; 0 for any number.
        req streams: u32,
        /// Seconds of music between two breaks; 0 for no ads.
        req ads_every: u64,
        /// The most ads of one break.
        req ads_at_once: u32,
        /// Whether an album in its order may be interrupted.
        req ads_inside_albums: bool,
    }

    /// The body of `getAds`.
    pub struct Ads {
        /// Ads in the order in which they are to be heard.
        list ad: Ad,
    }

    /// One ad, to be heard once.
    pub struct Ad {
        /// Names this permission.
        req ticket: String,
        /// Id of the audio for `stream`.
        req song_id: String,
        /// Name.
        req title: String,
        /// Whose it is.
        req advertiser: String,
        /// Length, ms.
        req duration_ms: u64,
        /// From where on it may be skipped, ms; absent for never.
        opt skippable_after_ms: u64,
        /// How much must be heard for it to count, ms.
        req counts_after_ms: u64,
        /// To the loudness of music at the reference of `ReplayGain`, dB.
        req gain: f64,
        /// Highest sample, 1 for full scale.
        req peak: f64,
        /// Not to be heard later, ISO 8601.
        req expires: String,
    }
}

impl From<&music::Plan> for Plan {
    fn from(plan: &music::Plan) -> Self {
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            name: plan.name.clone(),
            ends: plan.ends_at.map(iso),
            price: said(&plan.price),
            upgrade: said(&plan.upgrade),
            max_bit_rate: plan.max_bit_rate,
            offline: plan.offline,
            skips_per_hour: plan.skips_per_hour,
            streams: plan.streams,
            ads_every: plan.ads.map_or(0, |ads| (ads.every_ms / 1000).max(1)),
            ads_at_once: plan.ads.map_or(0, |ads| ads.at_once),
            ads_inside_albums: plan.ads.is_some_and(|ads| ads.inside_albums),
        }
    }
}

impl From<Plan> for music::Plan {
    fn from(plan: Plan) -> Self {
        let ads = (plan.ads_every > 0).then(|| music::AdRules {
            every_ms: plan.ads_every.saturating_mul(1000),
            at_once: plan.ads_at_once.max(1),
            inside_albums: plan.ads_inside_albums,
        });
        Self {
            name: plan.name,
            ends_at: plan.ends.as_deref().and_then(from_iso),
            price: plan.price.unwrap_or_default(),
            upgrade: plan.upgrade.unwrap_or_default(),
            max_bit_rate: plan.max_bit_rate,
            offline: plan.offline,
            skips_per_hour: plan.skips_per_hour,
            streams: plan.streams,
            ads,
        }
    }
}

impl From<&music::Ad> for Ad {
    fn from(ad: &music::Ad) -> Self {
        Self {
            ticket: ad.ticket.clone(),
            song_id: ad.track.to_string(),
            title: ad.title.clone(),
            advertiser: ad.by.clone(),
            duration_ms: ad.duration_ms,
            skippable_after_ms: ad.skippable_after_ms,
            counts_after_ms: ad.counts_after_ms,
            gain: ad.gain_db,
            peak: ad.peak,
            expires: iso(ad.expires_at),
        }
    }
}

impl From<Ad> for music::Ad {
    fn from(ad: Ad) -> Self {
        Self {
            ticket: ad.ticket,
            track: ad.song_id.into(),
            title: ad.title,
            by: ad.advertiser,
            duration_ms: ad.duration_ms,
            skippable_after_ms: ad.skippable_after_ms,
            counts_after_ms: ad.counts_after_ms,
            gain_db: ad.gain,
            peak: ad.peak,
            expires_at: from_iso(&ad.expires).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_the_same_at_both_ends() {
        let free = music::Plan {
            name: "free".to_owned(),
            ends_at: Some(1_700_000_000_000),
            price: String::new(),
            upgrade: "Ask at the desk.".to_owned(),
            max_bit_rate: 128,
            offline: false,
            skips_per_hour: 6,
            streams: 1,
            ads: Some(music::AdRules { every_ms: 900_000, at_once: 2, inside_albums: false }),
        };
        for plan in [free, music::Plan { name: "premium".to_owned(), ..music::Plan::default() }] {
            let text = serde_json::to_string(&Plan::from(&plan)).unwrap();
            assert_eq!(music::Plan::from(serde_json::from_str::<Plan>(&text).unwrap()), plan);
        }
    }

    #[test]
    fn an_ad_is_the_same_at_both_ends() {
        let ad = music::Ad {
            ticket: "t".to_owned(),
            track: "ad-1".into(),
            title: "Soap".to_owned(),
            by: "Soap & Sons".to_owned(),
            duration_ms: 12_345,
            skippable_after_ms: None,
            counts_after_ms: 12_000,
            gain_db: -3.5,
            peak: 0.9,
            expires_at: 1_700_000_000_000,
        };
        let text = serde_json::to_string(&Ad::from(&ad)).unwrap();
        assert_eq!(music::Ad::from(serde_json::from_str::<Ad>(&text).unwrap()), ad);
    }
}
