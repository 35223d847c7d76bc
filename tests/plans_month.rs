//! A month of two hundred listeners, half of them with ads, under a clock that is moved by hand: every ad that is owed, given out,
//! heard, capped or refused is counted by the server and by an oracle of plain lists that shares no code with it, and both must agree
//! to the last one. Beside them a client of somebody else's making, over HTTP, which never hears of plans.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "plans_month/foreign.rs"]
mod foreign;
#[path = "plans_month/oracle.rs"]
mod oracle;

use std::collections::BTreeMap;

use oracle::{Known, Oracle, Rules};
use segue::catalog::{Account, Campaign, Catalog, Roles, StoredAd};
use segue::music::{AccountId, Ad, AdHeard, Plan};
use segue::server::Clock;
use segue::server::plans::{AdQuestion, AdRefused, Desk, GOOD_FOR, LATE};

/// 1 December 2026, midnight.
const START: i64 = 1_796_083_200_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const LISTENERS: usize = 200;
const DAYS: i64 = 30;
/// Music between two breaks, ms, and ads of one.
const EVERY: i64 = 15 * MINUTE;
const AT_ONCE: u32 = 2;

/// Chance that can be repeated, of the test's own.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Campaigns that touch every rule: name, weight, first and last day, hours, genre, a day, a listener, in all.
const CAMPAIGNS: [Rules; 6] = [
    Rules {
        name: "always",
        days: (0, 30),
        hours: (0, 24),
        genre: "",
        per_day: 4,
        per_listener: 0,
        budget: 0,
    },
    Rules {
        name: "morning",
        days: (0, 30),
        hours: (6, 12),
        genre: "",
        per_day: 0,
        per_listener: 25,
        budget: 0,
    },
    Rules {
        name: "first-half",
        days: (0, 15),
        hours: (0, 24),
        genre: "",
        per_day: 3,
        per_listener: 0,
        budget: 1500,
    },
    Rules {
        name: "last-week",
        days: (23, 30),
        hours: (0, 24),
        genre: "",
        per_day: 0,
        per_listener: 6,
        budget: 0,
    },
    Rules {
        name: "rock",
        days: (0, 30),
        hours: (0, 24),
        genre: "rock",
        per_day: 2,
        per_listener: 0,
        budget: 900,
    },
    Rules {
        name: "scarce",
        days: (5, 30),
        hours: (0, 24),
        genre: "",
        per_day: 0,
        per_listener: 0,
        budget: 120,
    },
];

/// Every campaign has two ads of different lengths: ms, and how much must be heard.
const ADS: [(u64, u64); 2] = [(20_000, 19_000), (45_000, 30_000)];

async fn furnish(catalog: &Catalog) -> Vec<AccountId> {
    for rules in &CAMPAIGNS {
        let hours = if rules.hours == (0, 24) {
            0
        } else {
            (rules.hours.0..rules.hours.1).fold(0, |bits, h| bits | 1 << h)
        };
        let campaign = Campaign {
            name: rules.name.to_owned(),
            advertiser: format!("{} Ltd.", rules.name),
            weight: 1 + rules.name.len() as u32 % 3,
            starts_at: Some(START + rules.days.0 * DAY),
            ends_at: Some(START + rules.days.1 * DAY),
            hours,
            weekdays: 0,
            genres: if rules.genre.is_empty() { Vec::new() } else { vec![rules.genre.to_owned()] },
            per_day: rules.per_day,
            per_listener: rules.per_listener,
            budget: rules.budget,
            paused: false,
            created_at: START,
        };
        catalog.put_campaign(&campaign).await.unwrap();
        for (n, (duration_ms, counts_after_ms)) in ADS.into_iter().enumerate() {
            let ad = StoredAd {
                id: format!("ad-{}-{n}", rules.name),
                campaign: rules.name.to_owned(),
                title: rules.name.to_owned(),
                file: String::new(),
                content_type: "audio/wav".to_owned(),
                duration_ms,
                gain_db: 0.0,
                peak: 1.0,
                skippable_after_ms: Some(5000),
                counts_after_ms,
            };
            catalog.put_ad(&ad).await.unwrap();
        }
    }
    let free =
        catalog.plans().await.unwrap().into_iter().find(|offered| offered.plan.name == "free").unwrap().plan;
    assert_eq!(free.ads.map(|ads| (ads.every_ms.cast_signed(), ads.at_once)), Some((EVERY, AT_ONCE)));
    catalog.set_usual_plan("free").await.unwrap();
    let mut accounts = Vec::new();
    for n in 0..LISTENERS {
        let account = Account {
            id: AccountId::from(format!("listener-{n:03}")),
            name: format!("listener {n}"),
            password_hash: String::new(),
            admin: false,
            roles: Roles::ALL,
            folders: None,
            max_bit_rate: 0,
            created_at: START,
            erase_at: None,
        };
        catalog.add_account(&account).await.unwrap();
        accounts.push(account.id);
    }
    accounts
}

/// When a listener is premium: from and until, in ms; half of them always, some from or until the middle of the month, and some for a
/// week that is paid for and ends by itself.
fn premium(n: usize) -> Option<(i64, Option<i64>)> {
    match n % 20 {
        0..10 => Some((START, None)),
        10 | 11 => Some((START + 12 * DAY + 7 * HOUR, None)),
        12 => Some((START, Some(START + 17 * DAY + 13 * HOUR))),
        13 => Some((START + 8 * DAY, Some(START + 15 * DAY))),
        _ => None,
    }
}

fn is_premium(n: usize, at: i64) -> bool {
    premium(n).is_some_and(|(from, until)| from <= at && until.is_none_or(|until| at < until))
}

/// A player that knows the extension: it remembers how much music was heard since the last break, keeps tickets for when there is no
/// network, and tells of what it played when there is one.
#[derive(Default)]
struct Player {
    since_break: i64,
    drawer: Vec<(Ad, i64)>,
    untold: Vec<AdHeard>,
}

/// What happened in the month, counted as it was lived.
#[derive(Debug, Default, PartialEq, Eq)]
struct Month {
    owed: u64,
    given: u64,
    heard: u64,
    refused: u64,
    premium_breaks: u64,
}

struct Life<'a> {
    desk: &'a Desk,
    clock: &'a Clock,
    oracle: Oracle,
    month: Month,
    chance: Chance,
}

impl Life<'_> {
    /// Asks for ads, and compares what comes with what the oracle says may come.
    async fn fetch(&mut self, n: usize, account: &AccountId, count: u32, genre: &str) -> Vec<Ad> {
        let now = self.clock.now();
        let offset = offset(n);
        let asked = AdQuestion { count, genres: vec![genre.to_owned()], offset_minutes: Some(offset) };
        let given = self.desk.ads(account, &asked).await.unwrap();
        let names: Vec<&str> = given.iter().map(|ad| ad.title.as_str()).collect();
        let free = !is_premium(n, now);
        self.oracle.check(n, now, offset, genre, if free { count } else { 0 }, &names);
        for ad in &given {
            let known = Known {
                listener: n,
                campaign: ad.title.clone(),
                issued_at: now,
                heard: None,
                counts_after: ad.counts_after_ms,
                duration: ad.duration_ms,
            };
            assert_eq!(ad.expires_at, now + GOOD_FOR);
            assert!(self.oracle.tickets.insert(ad.ticket.clone(), known).is_none(), "a ticket twice");
            self.oracle.order.entry(n).or_default().push(ad.ticket.clone());
        }
        self.month.given += given.len() as u64;
        given
    }

    async fn tell(&mut self, n: usize, account: &AccountId, untold: &mut Vec<AdHeard>) {
        let told = std::mem::take(untold);
        let said = self.desk.report(account, &told).await.unwrap();
        for (ad, said) in told.iter().zip(said) {
            let good = self.oracle.tell(n, ad, self.clock.now());
            assert_eq!(said.is_ok(), good, "{ad:?}: {said:?}");
            self.month.refused += u64::from(!good);
        }
    }
}

/// Minutes that a listener's clock is ahead of UTC.
fn offset(n: usize) -> i32 {
    [-480, 0, 60, 330][n % 4]
}

/// A session: some tracks one after another, of which some are skipped, with breaks where they are due.
async fn session(life: &mut Life<'_>, n: usize, account: &AccountId, player: &mut Player, online: bool) {
    let genre = ["rock", "jazz", "folk"][life.chance.below(3) as usize];
    let tracks = 4 + life.chance.below(12);
    for _ in 0..tracks {
        let length = (150 + life.chance.below(200).cast_signed()) * 1000;
        let heard = if life.chance.one_in(5) { length / 4 } else { length };
        life.clock.set(life.clock.now() + heard);
        player.since_break += heard;
        let plan: Plan = life.desk.plan(account).await.unwrap();
        let now = life.clock.now();
        assert_eq!(plan.ads.is_none(), is_premium(n, now), "one track after a change it is known");
        if plan.ads.is_none() {
            player.since_break = 0;
            if online && life.chance.one_in(4) {
                assert!(life.fetch(n, account, AT_ONCE, genre).await.is_empty());
                life.month.premium_breaks += 1;
            }
            continue;
        }
        if player.since_break < EVERY {
            continue;
        }
        player.since_break = 0;
        life.month.owed += u64::from(AT_ONCE);
        let mut ads = if online { life.fetch(n, account, AT_ONCE, genre).await } else { Vec::new() };
        while ads.len() < AT_ONCE as usize && !player.drawer.is_empty() {
            let (ad, _) = player.drawer.remove(0);
            if ad.expires_at >= now {
                ads.push(ad);
            }
        }
        for ad in ads {
            let heard_ms = match life.chance.below(6) {
                0 => 5000 + life.chance.below(5000),
                1 => u64::MAX,
                _ => ad.duration_ms,
            };
            life.month.heard += 1;
            player.untold.push(AdHeard { ticket: ad.ticket, heard_ms, at: life.clock.now() });
            life.clock.set(life.clock.now() + heard_ms.min(ad.duration_ms).cast_signed());
        }
        if online && life.chance.one_in(3) {
            life.tell(n, account, &mut player.untold).await;
        }
    }
}

#[tokio::test]
async fn every_ad_of_a_month_is_accounted_for() {
    let catalog = database::in_memory().await;
    let accounts = furnish(&catalog).await;
    let clock = Clock::by_hand(START);
    let desk = Desk::new(catalog.clone(), clock.clone(), 11);
    for (n, account) in accounts.iter().enumerate() {
        if let Some((from, until)) = premium(n) {
            catalog.give_plan(account, "premium", from, until).await.unwrap();
        }
    }
    let oracle =
        Oracle { rules: CAMPAIGNS.to_vec(), start: START, tickets: BTreeMap::new(), order: BTreeMap::new() };
    let mut life =
        Life { desk: &desk, clock: &clock, oracle, month: Month::default(), chance: Chance(0x5EED) };
    let mut players: Vec<Player> = (0..LISTENERS).map(|_| Player::default()).collect();
    for day in 0..DAYS {
        for (n, player) in players.iter_mut().enumerate() {
            if !life.chance.one_in(3) {
                continue;
            }
            let account = &accounts[n];
            let hour = life.chance.below(22).cast_signed();
            clock.set(START + day * DAY + hour * HOUR);
            let online = !life.chance.one_in(5);
            if online && !player.untold.is_empty() {
                life.tell(n, account, &mut player.untold).await;
            }
            // Some keep a few for the way.
            if online && life.chance.one_in(4) && player.drawer.is_empty() {
                let now = clock.now();
                let kept = life.fetch(n, account, 3, "folk").await;
                player.drawer.extend(kept.into_iter().map(|ad| (ad, now)));
            }
            session(&mut life, n, account, player, online).await;
        }
    }
    // What was heard without a network is told at the end, as late as may be, and a little later.
    let mut told_late = 0;
    for (n, player) in players.iter_mut().enumerate() {
        let end = START + DAYS * DAY + if n % 2 == 0 { 10 * DAY } else { GOOD_FOR + LATE - 12 * DAY };
        clock.set(end);
        told_late += player.untold.len();
        life.tell(n, &accounts[n], &mut player.untold).await;
    }
    assert!(told_late > 20, "some had no network for long: {told_late}");
    strangers(&mut life, &accounts).await;
    settle(&life, &catalog).await;
}

/// Nobody tells of somebody else's ads.
async fn strangers(life: &mut Life<'_>, accounts: &[AccountId]) {
    let tickets: Vec<(String, Known)> =
        life.oracle.tickets.iter().map(|(ticket, known)| (ticket.clone(), known.clone())).collect();
    for (ticket, known) in tickets.into_iter().take(50) {
        let other = &accounts[(known.listener + 1) % LISTENERS];
        let ad = AdHeard { ticket, heard_ms: 60_000, at: known.issued_at };
        assert_eq!(life.desk.report(other, &[ad]).await.unwrap(), [Err(AdRefused::Unknown)]);
    }
}

/// The counts of the server, as they are and as they are left when all is old, are those of the oracle.
async fn settle(life: &Life<'_>, catalog: &Catalog) {
    let Month { owed, given, heard, refused, premium_breaks } = life.month;
    println!(
        "{owed} owed, {given} given, {heard} heard, {refused} refused, {premium_breaks} times none for premium"
    );
    assert!(
        owed > 2500 && given > 1500 && heard > 1000 && premium_breaks > 300,
        "a month with something in it"
    );
    assert!(given < owed + 3000, "not without measure");
    let now = life.clock.now();
    for folded in [false, true] {
        let now = if folded { now + GOOD_FOR + LATE + 2 * DAY } else { now };
        if folded {
            let gone = segue::server::plans::forget_old(catalog, now).await.unwrap();
            assert!(gone > 0);
        }
        let counts = catalog.ad_counts(now).await.unwrap();
        let mut sum = 0;
        for rules in &CAMPAIGNS {
            let expected = life.oracle.counts(rules.name, now);
            let all = counts.get(rules.name).map(|counts| counts.all).unwrap_or_default();
            assert_eq!((all.tickets, all.delivered, all.skipped, all.expired), expected, "{}", rules.name);
            assert_eq!(
                all.listeners,
                if folded { 0 } else { life.oracle.listeners(rules.name) },
                "{}",
                rules.name
            );
            for (day, count) in &counts.get(rules.name).cloned().unwrap_or_default().days {
                assert_eq!(
                    (count.tickets, count.delivered, count.listeners),
                    life.oracle.day(rules.name, *day)
                );
            }
            sum += all.tickets;
            assert!(all.delivered > 0, "{} was heard", rules.name);
        }
        assert_eq!(sum, given);
    }
    let premium =
        life.oracle.tickets.values().filter(|known| is_premium(known.listener, known.issued_at)).count();
    assert_eq!(premium, 0, "premium never gets one");
    assert!(life.oracle.tickets.values().all(|known| known.listener % 20 >= 10));
    let capped = life.oracle.tickets.values().filter(|known| known.campaign == "scarce").count();
    assert!(capped >= 120, "the whole of the budget was given out: {capped}");
}
