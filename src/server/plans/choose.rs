//! Which ads somebody gets: a pure choice among campaigns that are counted already.
//!
//! A campaign is in the draw while it lasts, in its hours and on its days by the listener's clock, beside its genres, and while
//! neither its budget nor a cap is used up; tickets that may still be heard count as if they were. Each draw takes a campaign
//! with a chance in proportion to its weight, among those that this break has had least often, so that none comes twice
//! while there are others; then any of its audio that this break has not had.

use super::calendar::hour_and_weekday;
use crate::catalog::{AdCandidate, Campaign, StoredAd};

/// When and beside what ads are to be heard.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// Unix time in ms.
    pub(super) now: i64,
    /// Minutes that the listener's clock is ahead of UTC.
    pub(super) offset_minutes: i32,
    /// Genres of what is heard and, where that was agreed to, of what was; folded.
    pub(super) genres: Vec<String>,
    /// The campaign of the ad that is heard before.
    pub(super) last: Option<String>,
}

/// Chance that can be repeated (`SplitMix64`).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below another one; 0 below 0.
    fn below(&mut self, end: u64) -> u64 {
        // The high half of the product is even to one part in 2^64 / end.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

/// Whether a campaign is heard at such a moment.
fn is_live(campaign: &Campaign, moment: &Moment) -> bool {
    let (hour, weekday) = hour_and_weekday(moment.now, moment.offset_minutes);
    let begun = campaign.starts_at.is_none_or(|at| at <= moment.now);
    let over = campaign.ends_at.is_some_and(|at| at <= moment.now);
    let hour = campaign.hours == 0 || campaign.hours >> hour & 1 == 1;
    let weekday = campaign.weekdays == 0 || campaign.weekdays >> weekday & 1 == 1;
    let genre = campaign.genres.is_empty() || campaign.genres.iter().any(|g| moment.genres.contains(g));
    !campaign.paused && begun && !over && hour && weekday && genre
}

/// How many more of a campaign this listener may be given.
fn room(candidate: &AdCandidate) -> u64 {
    let AdCandidate { campaign, taken, own, today, .. } = candidate;
    let left = |most: u64, had: u64| if most == 0 { u64::MAX } else { most.saturating_sub(had) };
    left(campaign.budget, *taken)
        .min(left(campaign.per_listener.into(), *own))
        .min(left(campaign.per_day.into(), *today))
}

/// Chooses up to so many ads.
pub(super) fn choose(
    candidates: &[AdCandidate],
    moment: &Moment,
    count: usize,
    dice: &mut Dice,
) -> Vec<StoredAd> {
    let live = candidates.iter().filter(|candidate| is_live(&candidate.campaign, moment));
    // Campaign, how many more there may be, how many this break has.
    let mut draw: Vec<(&AdCandidate, u64, u64)> = live.map(|one| (one, room(one), 0)).collect();
    let mut chosen: Vec<StoredAd> = Vec::new();
    while chosen.len() < count {
        draw.retain(|(_, room, _)| *room > 0);
        let Some(fewest) = draw.iter().map(|(_, _, had)| *had).min() else { break };
        let last = chosen.last().map(|ad| ad.campaign.clone()).or_else(|| moment.last.clone());
        let mut pool: Vec<usize> =
            (0..draw.len()).filter(|at| draw.get(*at).is_some_and(|one| one.2 == fewest)).collect();
        let is_last =
            |at: &usize| draw.get(*at).is_some_and(|one| Some(&one.0.campaign.name) == last.as_ref());
        if pool.len() > 1 {
            pool.retain(|at| !is_last(at));
        }
        let weight = |at: &usize| draw.get(*at).map_or(0, |one| u64::from(one.0.campaign.weight.max(1)));
        let mut mark = dice.below(pool.iter().map(weight).sum());
        let picked = pool.iter().find(|at| {
            let here = mark < weight(at);
            mark = mark.saturating_sub(weight(at));
            here
        });
        let Some((candidate, room, had)) = picked.and_then(|at| draw.get_mut(*at)) else { break };
        *room -= 1;
        *had += 1;
        let fresh: Vec<&StoredAd> =
            candidate.ads.iter().filter(|ad| chosen.iter().all(|other| other.id != ad.id)).collect();
        let all: Vec<&StoredAd> = if fresh.is_empty() { candidate.ads.iter().collect() } else { fresh };
        let at = usize::try_from(dice.below(all.len() as u64)).unwrap_or(0);
        let Some(ad) = all.get(at) else { break };
        chosen.push((*ad).clone());
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(name: &str) -> AdCandidate {
        let ad = |n: u32| StoredAd {
            id: format!("ad-{name}-{n}"),
            campaign: name.to_owned(),
            title: String::new(),
            file: String::new(),
            content_type: String::new(),
            duration_ms: 10_000,
            gain_db: 0.0,
            peak: 1.0,
            skippable_after_ms: None,
            counts_after_ms: 9000,
        };
        let campaign = Campaign::open(name, "", 0);
        AdCandidate { campaign, ads: vec![ad(1), ad(2)], taken: 0, own: 0, today: 0 }
    }

    /// Thursday, 26 November 2026, noon.
    const NOON: i64 = 1_795_694_400_000;

    fn noon() -> Moment {
        Moment { now: NOON, offset_minutes: 0, genres: Vec::new(), last: None }
    }

    fn names(candidates: &[AdCandidate], moment: &Moment, count: usize, seed: u64) -> Vec<String> {
        let chosen = choose(candidates, moment, count, &mut Dice::new(seed));
        chosen.into_iter().map(|ad| ad.campaign).collect()
    }

    #[test]
    fn none_comes_twice_while_there_are_others_and_never_the_same_audio_next_to_itself() {
        let three = [campaign("a"), campaign("b"), campaign("c")];
        for seed in 0..200 {
            let mut first = names(&three, &noon(), 3, seed);
            first.sort();
            assert_eq!(first, ["a", "b", "c"]);
            let six = names(&three, &noon(), 6, seed);
            assert!(six.windows(2).all(|pair| pair[0] != pair[1]), "{six:?}");
            assert_eq!(six, names(&three, &noon(), 6, seed), "the same seed, the same ads");
        }
        for seed in 0..50 {
            let after = Moment { last: Some("b".into()), ..noon() };
            assert_ne!(names(&three, &after, 2, seed)[0], "b", "nor after the one that came before");
            assert_eq!(names(&three[1..2], &after, 1, seed), ["b"], "unless there is no other");
        }
        let alone = choose(&three[..1], &noon(), 2, &mut Dice::new(7));
        assert_ne!(alone[0].id, alone[1].id, "its other audio");
        assert_eq!(names(&[], &noon(), 3, 1), Vec::<String>::new());
    }

    #[test]
    fn weights_are_chances() {
        let mut heavy = campaign("heavy");
        heavy.campaign.weight = 3;
        let both = [heavy, campaign("light")];
        let heavy = (0..4000).filter(|seed| names(&both, &noon(), 1, *seed) == ["heavy"]).count();
        assert!((2900..3100).contains(&heavy), "three of four: {heavy} of 4000");
    }

    #[test]
    fn each_rule_keeps_a_campaign_out_by_itself() {
        let with = |change: fn(&mut AdCandidate)| {
            let mut one = campaign("a");
            change(&mut one);
            names(&[one], &noon(), 1, 1).len()
        };
        assert_eq!(with(|_| ()), 1);
        assert_eq!(with(|c| c.campaign.paused = true), 0);
        assert_eq!(with(|c| c.campaign.starts_at = Some(NOON)), 1);
        assert_eq!(with(|c| c.campaign.starts_at = Some(NOON + 1)), 0);
        assert_eq!(with(|c| c.campaign.ends_at = Some(NOON)), 0);
        assert_eq!(with(|c| c.campaign.ends_at = Some(NOON + 1)), 1);
        assert_eq!(with(|c| c.campaign.hours = 1 << 12), 1);
        assert_eq!(with(|c| c.campaign.hours = 1 << 11), 0);
        assert_eq!(with(|c| c.campaign.weekdays = 1 << 3), 1);
        assert_eq!(with(|c| c.campaign.weekdays = 1 << 2), 0);
        assert_eq!(with(|c| c.campaign.genres = vec!["rock".into()]), 0);
        assert_eq!(with(|c| (c.campaign.budget, c.taken) = (5, 5)), 0);
        assert_eq!(with(|c| (c.campaign.per_listener, c.own) = (2, 2)), 0);
        assert_eq!(with(|c| (c.campaign.per_day, c.today) = (1, 1)), 0);
        assert_eq!(with(|c| (c.campaign.per_day, c.today, c.own) = (2, 1, 9)), 1);
    }

    #[test]
    fn the_hour_is_the_listeners_and_the_genre_is_what_is_heard() {
        let mut evening = campaign("evening");
        evening.campaign.hours = 1 << 20;
        let mut rock = campaign("rock");
        rock.campaign.genres = vec!["rock".into()];
        let both = [evening, rock];
        assert_eq!(names(&both, &Moment { offset_minutes: 480, ..noon() }, 1, 1), ["evening"]);
        assert_eq!(names(&both, &Moment { genres: vec!["rock".into()], ..noon() }, 1, 1), ["rock"]);
    }

    #[test]
    fn a_break_does_not_pass_a_cap_either() {
        let mut one = campaign("a");
        (one.campaign.per_day, one.today) = (3, 1);
        assert_eq!(names(&[one], &noon(), 5, 1).len(), 2);
    }
}
