//! Lists that were written a moment ago, for who asks the same again: a client that goes back and forth, several clients of one
//! account. They are good until the catalog changes, and for a few seconds at most, because some lists go by the time.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::answer::{Format, Written};
use super::params::Params;
use crate::catalog::Stamp;
use crate::music::AccountId;

/// Endpoints whose answers follow from the account, the parameters and the catalog.
const ENDPOINTS: &[&str] = &[
    "getAlbum",
    "getAlbumList",
    "getAlbumList2",
    "getArtist",
    "getArtists",
    "getGenres",
    "getIndexes",
    "getMusicDirectory",
    "getSongsByGenre",
    "search2",
    "search3",
];
/// Parameters that have no part in an answer: who asks, and how that is proved.
const ASKER: &[&str] = &["u", "p", "t", "s", "apiKey", "c", "v", "f", "callback"];
/// How long an answer is good.
const GOOD: Duration = Duration::from_secs(10);
/// Bytes of all answers, and of one.
const MOST: usize = 8 << 20;
const LONGEST: usize = 256 << 10;

/// What an answer follows from.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    account: AccountId,
    json: bool,
    text: String,
}

impl Question {
    /// The question of a request; `None` where the answer is another one each time.
    pub(crate) fn of(account: &AccountId, endpoint: &str, format: &Format, params: &Params) -> Option<Self> {
        let json = match format {
            Format::Xml => false,
            Format::Json => true,
            Format::JsonP(_) => return None,
        };
        if !ENDPOINTS.contains(&endpoint) || params.get("type") == Some("random") {
            return None;
        }
        let mut text = endpoint.to_owned();
        for (name, value) in params.pairs().iter().filter(|(name, _)| !ASKER.contains(&name.as_str())) {
            // With lengths, so that no value can look like the next parameter.
            let _ = write!(text, "&{}={}:{name}{value}", name.len(), value.len());
        }
        Some(Self { account: account.clone(), json, text })
    }

    /// The same of an account that is sent no more than so many kbit/s, which its songs tell of.
    pub(crate) fn within(mut self, max_bit_rate: u32) -> Self {
        let _ = write!(self.text, "#{max_bit_rate}");
        self
    }
}

#[derive(Debug, Default)]
struct Kept {
    stamp: Option<Stamp>,
    bytes: usize,
    answers: HashMap<Question, (Instant, Written)>,
}

/// Answers by question.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<Kept>);

impl Answers {
    /// What was answered a moment ago, if the catalog is still as it was.
    pub(crate) fn get(&self, now: Option<Stamp>, question: &Question) -> Option<Written> {
        let now = now?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, written) = kept.answers.get(question).filter(|_| kept.stamp == Some(now))?;
        (at.elapsed() < GOOD).then(|| written.clone())
    }

    /// Keeps an answer. `before` is the stamp from before the catalog was asked.
    pub(crate) fn put(&self, before: Option<Stamp>, question: Question, written: &Written) {
        let (Some(before), bytes) = (before, written.text.len() + question.text.len()) else { return };
        if bytes > LONGEST {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.stamp != Some(before) || kept.bytes + bytes > MOST {
            *kept = Kept { stamp: Some(before), ..Kept::default() };
        }
        kept.bytes += bytes;
        kept.answers.insert(question, (Instant::now(), written.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(query: &str, account: &str) -> Option<Question> {
        let mut params = Params::default();
        params.add(query.as_bytes());
        Question::of(&account.into(), "getAlbumList2", &Format::Json, &params)
    }

    #[test]
    fn who_asks_is_no_part_of_a_question_but_the_account_is() {
        let first = question("type=newest&size=5&u=a&p=x&c=one", "a");
        assert_eq!(first, question("type=newest&size=5&u=a&t=9&s=8&c=two", "a"));
        assert_ne!(first, question("type=newest&size=5", "b"));
        assert_ne!(first, question("type=newest&size=6", "a"));
        assert_eq!(question("type=random", "a"), None);
    }

    #[test]
    fn an_ampersand_in_a_value_is_not_the_next_parameter() {
        assert_ne!(
            question("type=byGenre&genre=a%00size%005", "a"),
            question("type=byGenre&genre=a&size=5", "a")
        );
    }
}
