//! The language of the search line.
//!
//! Words are beginnings of words and all must be there; `"a phrase"` must stand as it is; `-word` must not be there;
//! `artist:`, `album:` and `title:` look in one place; `genre:`, `year:`, `rating:`, `starred:`, `added:` and `plays:`
//! ask for properties, `lyrics:` for what is sung. Nothing is an error: what looks like an operator and is none is words.

use std::ops::RangeInclusive;

use super::{
    segment::Field,
    words::{folded, split},
};

/// Longest query looked at, in characters, and most clauses of it.
const CHARS: usize = 300;
const CLAUSES: usize = 16;

/// Words that must (or must not) stand somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Clause {
    /// Where; none for anywhere.
    pub(super) field: Option<Field>,
    /// One word, or several that follow each other.
    pub(super) words: Vec<String>,
    /// The last word may be the beginning of one, and may be mistyped.
    pub(super) open: bool,
    /// What has it is left out.
    pub(super) not: bool,
}

/// What an item must be like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Filter {
    /// A genre that begins so (folded).
    Genre(String),
    Year(RangeInclusive<i64>),
    Rating(RangeInclusive<i64>),
    Starred(bool),
    /// Unix ms.
    Added(RangeInclusive<i64>),
    Plays(RangeInclusive<i64>),
    /// There are lyrics.
    Lyrics,
    /// These words are sung; the last may be the beginning of one where it is open.
    Sung {
        words: Vec<String>,
        open: bool,
    },
}

/// A parsed search line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Query {
    pub(super) clauses: Vec<Clause>,
    /// Each with whether it must not be so.
    pub(super) filters: Vec<(Filter, bool)>,
    /// Whether only what is typed counts, not what is nearly so.
    pub(super) as_typed: bool,
}

impl Query {
    /// Reads a search line. `now` is Unix ms, for `added:<30d`.
    pub fn parse(line: &str, now: i64) -> Self {
        let line: String = line.chars().take(CHARS).collect();
        let mut query = Self::default();
        for chunk in chunks(&line) {
            if query.clauses.len() + query.filters.len() >= CLAUSES {
                break;
            }
            query.add(&chunk, now);
        }
        query
    }

    /// The same where only what is typed counts: much cheaper for words that are not there.
    #[must_use]
    pub fn as_typed(self) -> Self {
        Self { as_typed: true, ..self }
    }

    /// Whether it asks for nothing, as one of signs alone does.
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty() && self.filters.is_empty()
    }

    /// Whether it asks for words in titles alone, which also what is neither artist, album nor track may have.
    pub(in crate::catalog) fn is_plain(&self) -> bool {
        self.filters.is_empty() && self.clauses.iter().all(|c| c.field.is_none_or(|f| f == Field::Title))
    }

    fn add(&mut self, chunk: &Chunk, now: i64) {
        let Chunk { not, name, text, quoted } = chunk;
        let field = match name.as_deref() {
            None => None,
            Some("title") => Some(Field::Title),
            Some("artist") => Some(Field::Artist),
            Some("album") => Some(Field::Album),
            Some(name) => {
                if let Some(filter) = filter(name, text, *quoted, now) {
                    return self.filters.push((filter, *not));
                }
                return self.words(None, &format!("{name} {text}"), false, *not);
            }
        };
        self.words(field, text, *quoted, *not);
    }

    fn words(&mut self, field: Option<Field>, text: &str, quoted: bool, not: bool) {
        let folded = folded(text);
        if quoted || not {
            let words = split(&folded);
            if !words.is_empty() {
                self.clauses.push(Clause { field, words, open: false, not });
            }
            return;
        }
        // Words between blanks; characters of a script without blanks must follow each other.
        for run in folded.split(' ').filter(|run| !run.is_empty()) {
            let words = split(run);
            if !words.is_empty() && self.clauses.len() < CLAUSES {
                self.clauses.push(Clause { field, words, open: true, not });
            }
        }
    }
}

/// A part of the line between blanks.
struct Chunk {
    not: bool,
    name: Option<String>,
    text: String,
    quoted: bool,
}

/// What operators there are.
const NAMES: [&str; 10] =
    ["title", "artist", "album", "genre", "year", "rating", "starred", "added", "plays", "lyrics"];

fn chunks(line: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (not, after) = match rest.strip_prefix('-') {
            Some(after) if after.starts_with(|c: char| !c.is_whitespace() && c != '-') => (true, after),
            _ => (false, rest),
        };
        rest = after;
        let name = rest.split_once(':').and_then(|(name, after)| {
            let name = name.to_ascii_lowercase();
            NAMES.contains(&name.as_str()).then_some((name, after))
        });
        let name = name.map(|(name, after)| {
            rest = after;
            name
        });
        let (text, quoted, after) = if let Some(inside) = rest.strip_prefix('"') {
            // Where the end is still to be typed, the words are like any.
            inside.split_once('"').map_or((inside, false, ""), |(text, after)| (text, true, after))
        } else {
            let (text, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            (text, false, after)
        };
        if !text.trim().is_empty() || name.is_some() {
            chunks.push(Chunk { not, name, text: text.to_owned(), quoted });
        }
        rest = after.trim_start();
    }
    chunks
}

fn filter(name: &str, text: &str, quoted: bool, now: i64) -> Option<Filter> {
    let text = text.trim();
    Some(match name {
        "genre" => Filter::Genre(folded(text)),
        "year" => Filter::Year(range(text, &number)?),
        "rating" => Filter::Rating(range(text, &number)?),
        "plays" => Filter::Plays(range(text, &number)?),
        "starred" => Filter::Starred(yes(text)?),
        "lyrics" if text.is_empty() => Filter::Lyrics,
        "lyrics" => {
            Filter::Sung { words: Some(split(&folded(text))).filter(|w| !w.is_empty())?, open: !quoted }
        }
        "added" => Filter::Added(added(text, now)?),
        _ => return None,
    })
}

fn yes(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "" | "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<RangeInclusive<i64>> {
    let n = text.parse::<i32>().ok()?;
    Some(i64::from(n)..=i64::from(n))
}

/// `5`, `>5`, `>=5`, `<5`, `<=5`, `2..5`, `2..`, `..5`. `value` gives the span of one value.
fn range(text: &str, value: &dyn Fn(&str) -> Option<RangeInclusive<i64>>) -> Option<RangeInclusive<i64>> {
    if let Some((from, to)) = text.split_once("..") {
        let from = if from.is_empty() { i64::MIN } else { *value(from)?.start() };
        let to = if to.is_empty() { i64::MAX } else { *value(to)?.end() };
        return Some(from..=to);
    }
    for (sign, above, equal) in
        [(">=", true, true), ("<=", false, true), (">", true, false), ("<", false, false)]
    {
        if let Some(bound) = text.strip_prefix(sign) {
            let bound = value(bound)?;
            return Some(match (above, equal) {
                (true, true) => *bound.start()..=i64::MAX,
                (true, false) => bound.end().saturating_add(1)..=i64::MAX,
                (false, true) => i64::MIN..=*bound.end(),
                (false, false) => i64::MIN..=bound.start().saturating_sub(1),
            });
        }
    }
    value(text)
}

/// `<30d`: less than 30 days ago; also `h`, `w`, `m`, `y`. Or a day or year: `2024-05-01`, `>2024`.
fn added(text: &str, now: i64) -> Option<RangeInclusive<i64>> {
    const HOUR: i64 = 3_600_000;
    let (sign, span) = match text.chars().next()? {
        c @ ('<' | '>') => (c, text[1..].trim_start_matches('=')),
        _ => ('<', text),
    };
    let unit = match span.chars().last()? {
        'h' => Some(HOUR),
        'd' => Some(24 * HOUR),
        'w' => Some(7 * 24 * HOUR),
        'm' => Some(30 * 24 * HOUR),
        'y' => Some(365 * 24 * HOUR),
        _ => None,
    };
    if let Some(unit) = unit {
        let count = span[..span.len() - 1].parse::<u32>().ok()?;
        let then = now.saturating_sub(i64::from(count).saturating_mul(unit));
        return Some(if sign == '<' { then..=i64::MAX } else { i64::MIN..=then });
    }
    range(text, &|day| {
        let start = |year: i16, month: i8, day: i8| {
            let date = jiff::civil::Date::new(year, month, day).ok()?;
            Some(date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
        };
        let parts: Vec<i16> = day.split('-').map(|p| p.parse().ok()).collect::<Option<_>>()?;
        match parts.as_slice() {
            [year] => Some(start(*year, 1, 1)?..=start(year.checked_add(1)?, 1, 1)? - 1),
            [year, month, day] => {
                let begin = start(*year, i8::try_from(*month).ok()?, i8::try_from(*day).ok()?)?;
                Some(begin..=begin + 24 * HOUR - 1)
            }
            _ => None,
        }
    })
}

/// The words that must be there, folded.
pub(super) fn wanted(query: &Query) -> Vec<&str> {
    query.clauses.iter().filter(|c| !c.not).flat_map(|c| c.words.iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(words: &[&str], open: bool) -> Clause {
        Clause { field: None, words: words.iter().map(|w| (*w).to_owned()).collect(), open, not: false }
    }

    #[test]
    fn words_phrases_and_operators() {
        let query = Query::parse(
            "Björk -live \"all is full\" artist:sigur year:1990..1999 rating:>3 genre:\"hip hop\"",
            0,
        );
        assert_eq!(
            query.clauses,
            [
                clause(&["bjork"], true),
                Clause { not: true, ..clause(&["live"], false) },
                clause(&["all", "is", "full"], false),
                Clause { field: Some(Field::Artist), ..clause(&["sigur"], true) },
            ]
        );
        assert_eq!(
            query.filters,
            [
                (Filter::Year(1990..=1999), false),
                (Filter::Rating(4..=i64::MAX), false),
                (Filter::Genre("hip hop".into()), false)
            ]
        );
    }

    #[test]
    fn properties() {
        const DAY: i64 = 86_400_000;
        let one = |text: &str| Query::parse(text, 100 * DAY).filters;
        assert_eq!(one("added:<30d"), [(Filter::Added(70 * DAY..=i64::MAX), false)]);
        assert_eq!(one("added:>2w"), [(Filter::Added(i64::MIN..=86 * DAY), false)]);
        assert_eq!(one("added:1970-01-02"), [(Filter::Added(DAY..=2 * DAY - 1), false)]);
        assert_eq!(one("plays:0"), [(Filter::Plays(0..=0), false)]);
        assert_eq!(one("-starred:"), [(Filter::Starred(true), true)]);
        assert_eq!(one("year:<1980"), [(Filter::Year(i64::MIN..=1979), false)]);
        assert_eq!(one("year:..1980"), [(Filter::Year(i64::MIN..=1980), false)]);
    }

    #[test]
    fn what_is_no_operator_is_words() {
        for (line, words) in [("year:soon", vec!["year", "soon"]), ("re:stacks", vec!["re", "stacks"])] {
            let query = Query::parse(line, 0);
            let found: Vec<&str> = query.clauses.iter().flat_map(|c| &c.words).map(String::as_str).collect();
            assert_eq!(found, words);
        }
        assert_eq!(
            Query::parse("東京 night", 0).clauses,
            [clause(&["東", "京"], true), clause(&["night"], true)]
        );
        assert_eq!(Query::parse("\"open end", 0).clauses, [clause(&["open"], true), clause(&["end"], true)]);
        assert!(Query::parse(" - \"\" ", 0).clauses.iter().all(|c| c.words == ["-"]));
    }
}
