//! The playlists made for one listener: [`make`] is a pure function of the library, the history, the day and a seed.
//!
//! ```text
//! Listening ── signals ─▶ Liking ── rank by kind of mix ─▶ spread artists ─▶ flow ─▶ Mix, each pick with its reason
//!                                        ▲
//!                     crowd: scores of the trained model, weighted by how many listeners it knows
//! ```
//!
//! Everything random hangs on the seed, the day and the mix's name, so that a mix stays as it is within a day. Without a history the
//! mixes are made of the library's genres and newest records, and say so.

use super::flow;
use super::reasons::Reasons;
use super::signals::{DAY, Liking};
use crate::music::{Listening, Mix, Pick, Tune};

/// Tracks in a mix, at most.
pub const LONG: usize = 30;
/// Fewer tracks than this are no mix.
const SHORT: usize = 4;

/// When a mix is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Unix time in ms.
    pub now: i64,
    /// Hour of the listener's day, 0–23.
    pub hour: u8,
    /// Number of the listener's day since 1970.
    pub day: i64,
}

/// What a model trained on everybody says for this listener.
#[derive(Debug, Clone, Copy)]
pub struct Crowd<'a> {
    /// One score for each tune.
    pub scores: &'a [f32],
    /// Listeners that the model learned from.
    pub listeners: usize,
}

/// The parts of a day, which are also the names of the mixes for them.
pub const PARTS: [&str; 4] = ["morning", "afternoon", "evening", "late-night"];

/// The part of the day of an hour, 0–23.
pub fn part(hour: u8) -> &'static str {
    match hour {
        5..=11 => PARTS[0],
        12..=17 => PARTS[1],
        18..=21 => PARTS[2],
        _ => PARTS[3],
    }
}

/// The part of a pick that the crowd decides, 0 to 1: nothing for one listener, a fifth for fifty, two thirds for five thousand.
/// The curve follows the weights that were best on held-out listening for 10 to 1,300 listeners of Last.fm data.
pub fn crowd_share(listeners: usize) -> f32 {
    if listeners < 2 { 0.0 } else { 1.0 / (1.0 + 10.0 * (10.0 / listeners as f32).sqrt()) }
}

/// A number from 0 to 1 that hangs on its arguments alone (the finaliser of `SplitMix64`).
pub(crate) fn chance(seed: u64, of: u64) -> f32 {
    let mut z = seed ^ of.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
}

struct Maker<'a> {
    all: &'a Listening,
    liking: Liking,
    fit: Vec<f32>,
    reasons: Reasons<'a>,
    moment: Moment,
    seed: u64,
}

/// How well each tune fits a listener: own artists, genres and sound, blended with the crowd by [`crowd_share`].
pub fn fit(all: &Listening, liking: &Liking, crowd: Option<Crowd>) -> Vec<f32> {
    let loved: Vec<&Tune> =
        top(&liking.tunes, 8).into_iter().filter_map(|i| all.tunes.get(i as usize)).collect();
    let mut own: Vec<f32> = all
        .tunes
        .iter()
        .map(|tune| {
            let artist = liking.artists.get(tune.artist as usize).map_or(0.0, |liking| (liking / 5.0).tanh());
            let genres = tune.genres.iter().filter_map(|genre| liking.genres.get(usize::from(*genre)));
            let genre = genres.copied().fold(0.0, f32::max);
            let sound = tune.sound.as_deref().map_or(0.0, |sound| {
                let near = loved.iter().filter_map(|other| other.sound.as_deref());
                near.map(|other| (1.0 - super::reasons::apart(sound, other)).max(0.0)).fold(0.0, f32::max)
            });
            0.5 * artist + 0.3 * genre + 0.2 * sound
        })
        .collect();
    if let Some(crowd) = crowd.filter(|crowd| crowd.scores.len() == own.len()) {
        let share = crowd_share(crowd.listeners);
        let mut theirs = crowd.scores.to_vec();
        standard(&mut own);
        standard(&mut theirs);
        for (own, theirs) in own.iter_mut().zip(theirs) {
            *own = *own * (1.0 - share) + theirs * share;
        }
    }
    own
}

/// To mean 0 and standard deviation 1, so that scores of different kinds can be added.
fn standard(scores: &mut [f32]) {
    let n = scores.len().max(1) as f32;
    let mean = scores.iter().sum::<f32>() / n;
    let deviation = (scores.iter().map(|s| (s - mean) * (s - mean)).sum::<f32>() / n).sqrt();
    for score in scores.iter_mut() {
        *score = if deviation > 1e-9 { (*score - mean) / deviation } else { 0.0 };
    }
}

/// Indexes of the highest positive values.
fn top(values: &[f32], n: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..values.len() as u32).filter(|i| values[*i as usize] > 0.0).collect();
    all.sort_by(|a, b| values[*b as usize].total_cmp(&values[*a as usize]).then(a.cmp(b)));
    all.truncate(n);
    all
}

/// All mixes that this library and history give, those that fit best first.
pub fn make(all: &Listening, moment: Moment, seed: u64, crowd: Option<Crowd>) -> Vec<Mix> {
    // What is played today shows tomorrow, so that a mix stays within its day; only a history of a few plays counts at once.
    let today = moment.now - moment.now.rem_euclid(DAY);
    let before = all.plays.partition_point(|play| play.at < today);
    let cut;
    let (seen, now) = if before >= 30 && before < all.plays.len() {
        cut = Listening { plays: all.plays[..before].to_vec(), ..all.clone() };
        (&cut, today)
    } else {
        (all, today + DAY)
    };
    let mut liking = Liking::of(seen, now);
    for tune in &all.less {
        if let Some(less) = liking.less.get_mut(*tune as usize) {
            *less = true;
        }
    }
    let maker = Maker {
        fit: fit(seen, &liking, crowd),
        reasons: Reasons::new(seen, &liking),
        liking,
        all: seen,
        moment,
        seed: seed ^ moment.day.unsigned_abs().wrapping_mul(0xD6E8_FEB8_6659_FD93),
    };
    let mut mixes = maker.dailies();
    mixes.extend(
        [
            maker.discover(),
            maker.on_repeat(),
            maker.daypart(),
            maker.rediscover(),
            maker.newest(),
            maker.capsule(),
        ]
        .into_iter()
        .flatten(),
    );
    mixes.extend(maker.moods());
    mixes
}

impl Maker<'_> {
    fn tune(&self, i: u32) -> &Tune {
        &self.all.tunes[i as usize]
    }

    fn artist(&self, i: u32) -> &str {
        self.all.artists.get(self.tune(i).artist as usize).map_or("", String::as_str)
    }

    /// A number from 0 to 1 for this tune in this mix today.
    fn chance(&self, name: &str, i: u32) -> f32 {
        let name =
            name.bytes().fold(self.seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        chance(name, u64::from(i) + 1)
    }

    /// Ranks, spreads and orders: at most `each` of an artist.
    fn choose(&self, mut ranked: Vec<(u32, f32)>, count: usize, each: usize) -> Vec<u32> {
        ranked.retain(|(i, _)| !self.liking.less[*i as usize]);
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut of = std::collections::HashMap::new();
        let kept = ranked.into_iter().map(|(i, _)| i).filter(|i| {
            let n = of.entry(self.tune(*i).artist).or_insert(0);
            *n += 1;
            *n <= each
        });
        let kept: Vec<u32> = kept.take(count).collect();
        flow::arrange(&self.all.tunes, &kept)
    }

    fn mix(
        &self,
        id: &str,
        (name, about, why): (&str, String, String),
        tunes: &[u32],
        reason: impl Fn(u32) -> String,
    ) -> Option<Mix> {
        let picks: Vec<Pick> = tunes
            .iter()
            .filter_map(|i| Some(Pick { track: self.tune(*i).id.clone()?, why: reason(*i) }))
            .collect();
        (picks.len() >= SHORT).then(|| Mix { id: id.into(), name: name.into(), about, why, picks })
    }

    fn ranked(&self, keep: impl Fn(u32) -> bool, score: impl Fn(u32) -> f32) -> Vec<(u32, f32)> {
        (0..self.all.tunes.len() as u32).filter(|i| keep(*i)).map(|i| (i, score(i))).collect()
    }

    fn known(&self, i: u32) -> bool {
        self.liking.plays[i as usize] > 0 || self.liking.last[i as usize].is_some()
    }

    /// One mix for each of up to six kinds of music that the listener likes; without a history, for the largest genres.
    fn dailies(&self) -> Vec<Mix> {
        if self.liking.is_empty() {
            return self.genres_of_the_library();
        }
        let mut artists: Vec<u32> =
            (0..self.all.artists.len() as u32).filter(|a| self.liking.artists[*a as usize] > 0.0).collect();
        let liking = |a: u32| self.liking.artists[a as usize];
        artists.sort_by(|a, b| liking(*b).total_cmp(&liking(*a)).then(a.cmp(b)));
        let mut of: Vec<Vec<u32>> = vec![Vec::new(); self.all.artists.len()];
        for (i, tune) in (0u32..).zip(&self.all.tunes) {
            if let Some(of) = of.get_mut(tune.artist as usize) {
                of.push(i);
            }
        }
        // A cluster grows around its best liked artist: everybody with a genre in common, and nobody twice.
        let mut taken = vec![false; self.all.artists.len()];
        let mut mixes = Vec::new();
        for &leader in &artists {
            if mixes.len() == 6 {
                break;
            }
            if taken[leader as usize] {
                continue;
            }
            taken[leader as usize] = true;
            let genres: Vec<u16> =
                of[leader as usize].iter().flat_map(|i| self.tune(*i).genres.iter().copied()).collect();
            let near = |i: &u32| {
                let tune = self.tune(*i);
                tune.artist == leader || tune.genres.iter().any(|genre| genres.contains(genre))
            };
            let id = format!("daily-{}", mixes.len() + 1);
            let tunes: Vec<u32> = (0..self.all.tunes.len() as u32).filter(near).collect();
            let mut near_artists = Vec::new();
            for i in &tunes {
                let artist = self.tune(*i).artist;
                if !taken[artist as usize] && liking(artist) > 0.0 {
                    taken[artist as usize] = true;
                    near_artists.push(artist);
                }
            }
            let score = |i: u32| self.fit[i as usize] + 0.3 * self.chance(&id, i);
            let own = |i: u32| score(i) + (self.liking.tunes[i as usize] / 5.0).tanh();
            let (played, fresh): (Vec<u32>, Vec<u32>) = tunes
                .iter()
                .copied()
                .filter(|i| self.liking.tunes[*i as usize] >= 0.0)
                .partition(|i| self.known(*i));
            // A fifth is new to the listener.
            let fresh = self.choose(fresh.iter().map(|i| (*i, score(*i))).collect(), LONG / 5, 2);
            let old = self.choose(played.iter().map(|i| (*i, own(*i))).collect(), LONG - fresh.len(), 5);
            let mut both = Vec::new();
            let (mut old, mut fresh) = (old.into_iter(), fresh.into_iter());
            while both.len() < LONG {
                let before = both.len();
                both.extend(old.by_ref().take(4));
                both.extend(fresh.next());
                if both.len() == before {
                    break;
                }
            }
            let order = flow::arrange(&self.all.tunes, &both);
            let name = self.all.artists.get(leader as usize).map_or("", String::as_str);
            let why = format!(
                "it grows around {name}: {}",
                order
                    .iter()
                    .find(|i| self.tune(**i).artist == leader)
                    .or(order.first())
                    .map_or(String::new(), |i| self.reasons.because(*i))
            );
            let words = (format!("Daily Mix {}", mixes.len() + 1), format!("{name} and near"), why);
            mixes.extend(self.mix(&id, (&words.0, words.1, words.2), &order, |i| self.reasons.because(i)));
        }
        mixes
    }

    fn genres_of_the_library(&self) -> Vec<Mix> {
        let mut counts: Vec<(usize, usize)> = vec![(0, 0); self.all.genres.len()];
        for (genre, count) in counts.iter_mut().enumerate() {
            count.1 = genre;
        }
        for genre in self.all.tunes.iter().flat_map(|tune| &tune.genres) {
            if let Some(count) = counts.get_mut(usize::from(*genre)) {
                count.0 += 1;
            }
        }
        counts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut mixes: Vec<Mix> = Vec::new();
        for (_, genre) in counts.into_iter().take(6) {
            let id = format!("daily-{}", mixes.len() + 1);
            let ranked = self.ranked(
                |i| self.tune(i).genres.iter().any(|g| usize::from(*g) == genre),
                |i| self.chance(&id, i),
            );
            let tunes = self.choose(ranked, LONG, 4);
            let genre = self.all.genres.get(genre).map_or("", String::as_str);
            let why = format!("you have not played much yet, so this is {genre} from your library");
            let name = format!("Daily Mix {}", mixes.len() + 1);
            let because = |_| format!("{genre} from your library; it will follow what you play");
            mixes.extend(self.mix(&id, (&name, genre.to_owned(), why), &tunes, because));
        }
        if mixes.is_empty() {
            let ranked = self.ranked(|_| true, |i| self.chance("daily-1", i));
            let tunes = self.choose(ranked, LONG, 4);
            let why = "you have not played much yet, so this is a walk through your library".to_owned();
            let because = |_| "from your library; it will follow what you play".to_owned();
            mixes.extend(self.mix("daily-1", ("Daily Mix 1", "your library".into(), why), &tunes, because));
        }
        mixes
    }

    /// Never played by this listener.
    fn discover(&self) -> Option<Mix> {
        if self.liking.is_empty() {
            return None;
        }
        let ranked =
            self.ranked(|i| !self.known(i), |i| self.fit[i as usize] + 0.25 * self.chance("discover", i));
        let tunes = self.choose(ranked, LONG, 2);
        let why = "you have never played any of these, and they are near to what you play".to_owned();
        let about = format!("{} new to you", tunes.len());
        self.mix("discover", ("Discover", about, why), &tunes, |i| {
            format!("you have never played it; {}", self.reasons.because(i))
        })
    }

    /// What was heard most in the last 30 days.
    fn on_repeat(&self) -> Option<Mix> {
        let often = |i: u32| self.liking.lately[i as usize];
        let ranked = self.ranked(
            |i| often(i) >= 2 && self.liking.tunes[i as usize] > 0.0,
            |i| self.liking.tunes[i as usize],
        );
        let tunes = self.choose(ranked, LONG, LONG);
        let most = tunes.iter().copied().max_by_key(|i| (often(*i), std::cmp::Reverse(*i)))?;
        let why = format!(
            "you come back to these; {} {}",
            self.tune(most).title,
            format_args!("{} in the last 30 days", super::reasons::times(often(most)))
        );
        let about = format!("{} this month", crate::taste::mixes::tracks(tunes.len()));
        self.mix("on-repeat", ("On Repeat", about, why), &tunes, |i| Reasons::repeated(often(i)))
    }

    /// Loved, and not heard for two months.
    fn rediscover(&self) -> Option<Mix> {
        let quiet = |i: u32| self.liking.last[i as usize].filter(|at| self.moment.now - at > 60 * DAY);
        let ranked = self.ranked(
            |i| quiet(i).is_some() && self.liking.ever[i as usize] >= 2.0,
            |i| self.liking.ever[i as usize] * (0.7 + 0.6 * self.chance("rediscover", i)),
        );
        let tunes = self.choose(ranked, LONG, 4);
        let why = "you loved these once and have not heard them for two months or more".to_owned();
        self.mix("rediscover", ("Rediscover", "loved and forgotten".into(), why), &tunes, |i| {
            let months = quiet(i).map_or(2, |at| (self.moment.now - at) / (30 * DAY));
            let plays = super::reasons::times(self.liking.plays[i as usize].max(1));
            format!("you played it {plays}, last {months} months ago")
        })
    }

    /// What came into the library lately, the fitting first.
    fn newest(&self) -> Option<Mix> {
        let newest = self.all.tunes.iter().map(|tune| tune.added_at).max()?;
        let fresh = |i: u32| newest - self.tune(i).added_at < 30 * DAY;
        let ranked = self.ranked(
            |i| fresh(i) && !self.known(i),
            |i| self.fit[i as usize] + 0.2 * self.chance("new-for-you", i),
        );
        let tunes = self.choose(ranked, LONG, 3);
        let why = "these came into your library last, and you have not played them yet".to_owned();
        let about = format!("{} just in", tracks(tunes.len()));
        self.mix("new-for-you", ("New for You", about, why), &tunes, |i| {
            format!("new in your library; {}", self.reasons.because(i))
        })
    }

    /// Music of the years that the listener loves most.
    fn capsule(&self) -> Option<Mix> {
        let mut decades = std::collections::BTreeMap::new();
        for (tune, ever) in self.all.tunes.iter().zip(&self.liking.ever) {
            if let Some(year) = tune.year.filter(|year| (1900..2100).contains(year)) {
                let decade = decades.entry(year / 10 * 10).or_insert((0.0, 0));
                *decade = (decade.0 + ever.max(0.0), decade.1 + 1);
            }
        }
        let liked = decades.into_iter().filter(|(_, (sum, count))| *sum > 0.0 && *count >= SHORT);
        // The present decade is on every other mix.
        let this = 1970 + (self.moment.now / (365 * DAY)) as i32;
        let liked = liked.filter(|(decade, _)| this - decade >= 10);
        let (decade, _) = liked.max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
        let ranked = self.ranked(
            |i| self.tune(i).year.is_some_and(|year| year / 10 * 10 == decade),
            |i| {
                (self.liking.ever[i as usize] / 5.0).tanh()
                    + self.fit[i as usize]
                    + 0.3 * self.chance("capsule", i)
            },
        );
        let tunes = self.choose(ranked, LONG, 4);
        let why = format!("of all decades before this one you play the {decade}s most");
        self.mix("time-capsule", ("Time Capsule", format!("the {decade}s"), why), &tunes, |i| {
            format!("from {}; {}", self.tune(i).year.unwrap_or(decade), self.reasons.because(i))
        })
    }

    /// What the listener plays at this time of the day.
    fn daypart(&self) -> Option<Mix> {
        let id = part(self.moment.hour);
        let (name, words, from, length): (_, _, u8, u8) = match id {
            "morning" => ("Morning", "in the morning", 5, 7),
            "afternoon" => ("Afternoon", "in the afternoon", 12, 6),
            "evening" => ("Evening", "in the evening", 18, 4),
            _ => ("Late Night", "late at night", 22, 7),
        };
        let within = |hour: u8| (hour + 24 - from) % 24 < length;
        let mut here = vec![0_u32; self.all.tunes.len()];
        let mut artists = vec![0_u32; self.all.artists.len()];
        for play in self.all.plays.iter().filter(|play| within(play.hour)) {
            let Some(tune) = self.all.tunes.get(play.tune as usize) else { continue };
            if super::signals::worth(play, tune.duration_ms) > 0.0 {
                here[play.tune as usize] += 1;
                if let Some(artist) = artists.get_mut(tune.artist as usize) {
                    *artist += 1;
                }
            }
        }
        let total: u32 = here.iter().sum();
        if total < 10 {
            return None;
        }
        let of_artist = |i: u32| artists.get(self.tune(i).artist as usize).copied().unwrap_or(0);
        let ranked = self.ranked(
            |i| of_artist(i) > 0 && self.liking.tunes[i as usize] >= 0.0,
            |i| (here[i as usize] as f32).sqrt() + (of_artist(i) as f32).sqrt() * 0.5 + self.chance(id, i),
        );
        let tunes = self.choose(ranked, LONG, 4);
        let first = tunes.first().map_or("", |i| self.artist(*i));
        let why = format!("you played {total} tracks {words}, {first} among them");
        self.mix(id, (name, format!("what you play {words}"), why), &tunes, |i| match here[i as usize] {
            0 => format!("you played {} {} {words}", self.artist(i), super::reasons::times(of_artist(i))),
            n => format!("you played it {} {words}", super::reasons::times(n)),
        })
    }

    /// Bands of the library's own sounds. Nothing where no sound was analysed.
    fn moods(&self) -> Vec<Mix> {
        type Measure = fn(&crate::music::Sonic) -> f32;
        let kinds: [(&str, &str, &str, Measure); 7] = [
            ("calm", "Calm", "quiet and even", |s| s.calm.value),
            ("focus", "Focus", "steady, with few surprises", |s| s.focus.value),
            ("energy", "Energy", "loud, fast and dense", |s| s.energy.value),
            ("happy", "Happy", "bright and danceable", |s| {
                s.brightness.value
                    + s.danceability.value
                    + if s.key.minor { 0.0 } else { 0.3 * s.key_confidence }
            }),
            ("melancholy", "Melancholy", "slow, dark and minor", |s| {
                s.calm.value - s.brightness.value + if s.key.minor { 0.5 * s.key_confidence } else { 0.0 }
            }),
            ("sleep", "Sleep", "the quietest of all", |s| {
                2.0 * s.calm.value - s.energy.value - s.danceability.value
            }),
            ("workout", "Workout", "strong beats, rising in tempo", |s| {
                s.energy.value + s.danceability.value
            }),
        ];
        let heard: Vec<(u32, &crate::music::Sonic)> =
            (0u32..).zip(&self.all.tunes).filter_map(|(i, tune)| Some((i, tune.sound.as_deref()?))).collect();
        if heard.len() < 20 {
            return Vec::new();
        }
        let make = |(id, name, about, measure): (&str, &str, &str, Measure)| {
            let mut by: Vec<(u32, f32)> = heard.iter().map(|(i, sound)| (*i, measure(sound))).collect();
            by.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            // The top fifth of this library; liking and chance decide within it.
            by.truncate((by.len() / 5).max(SHORT));
            let percent = 20;
            let ranked = by.iter().map(|(i, _)| (*i, self.fit[*i as usize] + 0.3 * self.chance(id, *i)));
            let mut tunes = self.choose(ranked.collect(), LONG, 4);
            if id == "workout" {
                let tempo = |i: &u32| self.tune(*i).sound.as_deref().map_or(0.0, |sound| sound.tempo);
                tunes.sort_by(|a, b| tempo(a).total_cmp(&tempo(b)).then(a.cmp(b)));
            }
            let why = format!("by their sound these are in the {percent} % of your library that are {about}");
            self.mix(id, (name, about.to_owned(), why), &tunes, |i| {
                let sound = self.tune(i).sound.as_deref();
                let tempo = sound
                    .filter(|s| s.tempo_confidence > 0.3)
                    .map_or(String::new(), |s| format!(", {:.0} beats a minute", s.tempo));
                format!("its sound is among the {percent} % of your library that are {about}{tempo}")
            })
        };
        kinds.into_iter().filter_map(make).collect()
    }
}

/// `24 tracks`.
fn tracks(n: usize) -> String {
    if n == 1 { "1 track".to_owned() } else { format!("{n} tracks") }
}
