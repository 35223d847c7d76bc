//! Why a track is where it is, as sentences from evidence: what was counted, what is starred, what the sounds have in common. A
//! sentence is made only when its numbers are there.

use super::signals::{DAY, Liking};
use crate::music::{EndReason, Listening, Sonic};

/// The evidence of one listener, added up once for all sentences.
pub struct Reasons<'a> {
    all: &'a Listening,
    plays: Vec<u32>,
    lately: Vec<u32>,
    starred: Vec<Option<u32>>,
    genres: Vec<u32>,
}

impl<'a> Reasons<'a> {
    /// Adds up what was played and starred.
    pub fn new(all: &'a Listening, liking: &Liking) -> Self {
        let artists = all.artists.len();
        let mut reasons = Self {
            all,
            plays: vec![0; artists],
            lately: vec![0; artists],
            starred: vec![None; artists],
            genres: vec![0; all.genres.len()],
        };
        for (i, tune) in all.tunes.iter().enumerate() {
            let artist = tune.artist as usize;
            if artist >= artists {
                continue;
            }
            reasons.plays[artist] += liking.plays[i];
            reasons.lately[artist] += liking.lately[i];
            if tune.star >= 1.0 {
                reasons.starred[artist].get_or_insert(i as u32);
            }
            for genre in &tune.genres {
                if let Some(count) = reasons.genres.get_mut(usize::from(*genre)) {
                    *count += liking.plays[i];
                }
            }
        }
        reasons
    }

    /// The best sentence for a tune that was picked by taste.
    pub fn because(&self, tune: u32) -> String {
        let Some(it) = self.all.tunes.get(tune as usize) else { return String::new() };
        let artist = it.artist as usize;
        let name = self.all.artists.get(artist).map_or("this artist", String::as_str);
        let count = |counts: &[u32]| counts.get(artist).copied().unwrap_or(0);
        let starred = self.starred.get(artist).copied().flatten().filter(|other| *other != tune);
        let starred = starred.and_then(|other| self.all.tunes.get(other as usize));
        match (count(&self.lately), count(&self.plays), starred) {
            (n, ..) if n > 0 => format!("because you played {name} {} in the last 30 days", times(n)),
            (_, _, Some(other)) => format!("because you starred {} by {name}", other.title),
            (_, n, None) if n > 0 => format!("because you have played {name} {}", times(n)),
            _ => {
                let genre = it.genres.iter().map(|genre| {
                    (self.genres.get(usize::from(*genre)).copied().unwrap_or(0), usize::from(*genre))
                });
                match genre.max() {
                    Some((n, genre)) if n > 0 => {
                        let genre = self.all.genres.get(genre).map_or("", String::as_str);
                        format!("because you have played {genre} {}", times(n))
                    }
                    _ => "from your library; there is little history to go by yet".to_owned(),
                }
            }
        }
    }

    /// How often it was heard lately.
    pub fn repeated(times_lately: u32) -> String {
        format!("you played it {} in the last 30 days", times(times_lately))
    }
}

/// What is known of a listener and a tune, each line a sentence; the strongest evidence first. `now` is Unix time in ms.
pub fn about(all: &Listening, liking: &Liking, tune: u32, now: i64) -> Vec<String> {
    let Some(it) = all.tunes.get(tune as usize) else { return Vec::new() };
    let at = tune as usize;
    let mut lines = Vec::new();
    let (plays, lately) = (liking.plays[at], liking.lately[at]);
    let skips = all.plays.iter().filter(|play| play.tune == tune && play.end == EndReason::Skipped).count();
    if plays > 0 {
        let last = liking.last[at].map(|last| format!(", last {}", ago(now - last))).unwrap_or_default();
        let month = if lately > 0 && lately < plays {
            format!(", {} in the last 30 days", times(lately))
        } else {
            String::new()
        };
        lines.push(format!("You played it {}{month}{last}.", times(plays)));
    }
    if skips > 0 {
        lines.push(format!("You skipped it {}.", times(skips as u32)));
    }
    if it.star >= 1.0 {
        lines.push("You starred it.".to_owned());
    }
    if it.rating > 0 {
        lines.push(format!("You rated it {} of 5.", it.rating));
    }
    let lists = all.lists.iter().filter(|list| list.contains(&tune)).count();
    match lists {
        0 => {}
        1 => lines.push("It is in one of your playlists.".to_owned()),
        n => lines.push(format!("It is in {n} of your playlists.")),
    }
    let because = Reasons::new(all, liking).because(tune);
    if because.starts_with("because ") {
        lines.push(capital(&because));
    }
    lines.extend(sounds_like(all, liking, tune));
    if liking.less[at] {
        lines.push("You asked for less of it.".to_owned());
    }
    if lines.is_empty() {
        lines.push("It is in your library; nothing that you did speaks for it or against it yet.".to_owned());
    }
    lines
}

/// The tune that the listener likes most among those that sound alike.
fn sounds_like(all: &Listening, liking: &Liking, tune: u32) -> Option<String> {
    let it = all.tunes.get(tune as usize)?;
    let sound = it.sound.as_deref()?;
    let alike = (0_u32..).zip(&all.tunes).filter(|(at, other)| {
        *at != tune
            && liking.tunes[*at as usize] > 0.0
            && other.sound.as_deref().is_some_and(|other| apart(sound, other) < 0.35)
    });
    let (_, other) =
        alike.max_by(|(a, _), (b, _)| liking.tunes[*a as usize].total_cmp(&liking.tunes[*b as usize]))?;
    let artist = all.artists.get(other.artist as usize).map_or("", String::as_str);
    let words = compared(other.sound.as_deref()?, sound);
    Some(format!("It sounds like {} by {artist}, which you like: {words}.", other.title))
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// `today`, `yesterday`, `12 days ago`, `5 months ago`, `3 years ago`.
fn ago(ms: i64) -> String {
    match ms / DAY {
        ..=0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days @ 2..=60 => format!("{days} days ago"),
        days @ 61..=730 => format!("{} months ago", days / 30),
        days => format!("{} years ago", days / 365),
    }
}

/// `once`, `twice`, `14 times`.
pub(crate) fn times(n: u32) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// What two sounds have in common and how the second differs: `same tempo, darker`.
pub fn compared(a: &Sonic, b: &Sonic) -> String {
    let mut words = Vec::new();
    if a.tempo > 0.0 && b.tempo > 0.0 && a.tempo_confidence.min(b.tempo_confidence) > 0.3 {
        let ratio = b.tempo / a.tempo;
        words.push(match ratio {
            r if (0.95..=1.05).contains(&r) => "same tempo",
            r if r > 1.05 => "faster",
            _ => "slower",
        });
    }
    match b.brightness.value - a.brightness.value {
        d if d > 0.12 => words.push("brighter"),
        d if d < -0.12 => words.push("darker"),
        _ => {}
    }
    match b.energy.value - a.energy.value {
        d if d > 0.12 => words.push("more energy"),
        d if d < -0.12 => words.push("calmer"),
        _ => words.push("as much energy"),
    }
    words.join(", ")
}

/// How different two sounds are, 0 for the same, from their scores, tempo and loudness.
pub fn apart(a: &Sonic, b: &Sonic) -> f32 {
    let scores = [
        a.energy.value - b.energy.value,
        a.brightness.value - b.brightness.value,
        a.calm.value - b.calm.value,
        a.danceability.value - b.danceability.value,
        if a.tempo > 0.0 && b.tempo > 0.0 { (a.tempo / b.tempo).log2().clamp(-1.0, 1.0) * 0.5 } else { 0.0 },
        match (a.loudness, b.loudness) {
            (Some(a), Some(b)) => ((a - b) / 24.0).clamp(-1.0, 1.0),
            _ => 0.0,
        },
    ];
    scores.iter().map(|d| d * d).sum::<f32>().sqrt()
}
