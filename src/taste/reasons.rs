//! Why a track is where it is, as sentences from evidence: what was counted, what is starred, what the sounds have in common. A
//! sentence is made only when its numbers are there.

use super::signals::Liking;
use crate::music::{Listening, Sonic};

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
