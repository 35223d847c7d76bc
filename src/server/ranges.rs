//! Which bytes of a file a request gets: the rules of HTTP for ranges and conditions, without any I/O.
//!
//! RFC 9110 sections 13 (conditions) and 14 (ranges). One range at a time; a request for several gets the whole,
//! as the RFC allows.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// What a request says about bytes and conditions: the raw header values.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked<'a> {
    /// `Range`.
    pub(crate) range: Option<&'a str>,
    /// `If-Range`.
    pub(crate) if_range: Option<&'a str>,
    /// `If-None-Match`.
    pub(crate) if_none_match: Option<&'a str>,
    /// `If-Modified-Since`.
    pub(crate) if_modified_since: Option<&'a str>,
}

/// What the server knows about the content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content<'a> {
    /// Bytes.
    pub(crate) length: u64,
    /// Strong `ETag` with its quotes.
    pub(crate) etag: &'a str,
    /// Last change, Unix time in seconds.
    pub(crate) modified: i64,
}

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// 200 with everything.
    Whole,
    /// 206 with the bytes from `start` up to and without `end`; never empty, never past the content.
    Part {
        /// First byte.
        start: u64,
        /// The byte after the last.
        end: u64,
    },
    /// 304: what the client has is still right.
    Unchanged,
    /// 416: nothing of the range exists.
    Unsatisfiable,
}

/// Decides what a GET or HEAD request gets.
pub(crate) fn plan(asked: Asked<'_>, content: Content<'_>) -> Plan {
    let unchanged = match (asked.if_none_match, asked.if_modified_since) {
        (Some(tags), _) => tags.trim() == "*" || tags.split(',').any(|tag| weakly_equal(tag, content.etag)),
        (None, Some(date)) => parse_date(date).is_some_and(|since| content.modified <= since),
        (None, None) => false,
    };
    if unchanged {
        return Plan::Unchanged;
    }
    let still_the_same = asked.if_range.is_none_or(|validator| {
        let validator = validator.trim();
        if validator.contains('"') {
            validator == content.etag
        } else {
            parse_date(validator) == Some(content.modified)
        }
    });
    match asked.range {
        Some(range) if still_the_same => part(range, content.length),
        _ => Plan::Whole,
    }
}

/// A time as `Last-Modified` has it.
pub(crate) fn http_date(seconds: i64) -> Option<String> {
    let timestamp = Timestamp::from_second(seconds).ok()?;
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).ok()
}

fn parse_date(text: &str) -> Option<i64> {
    rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok().map(Timestamp::as_second)
}

fn weakly_equal(tag: &str, etag: &str) -> bool {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag) == etag
}

fn part(range: &str, length: u64) -> Plan {
    let Some((unit, set)) = range.split_once('=') else { return Plan::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Plan::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Plan::Whole };
    match (number(first), number(last)) {
        (Bound::Absent, Bound::At(0)) => Plan::Unsatisfiable,
        (Bound::Absent, Bound::At(_)) if length == 0 => Plan::Unsatisfiable,
        (Bound::Absent, Bound::At(suffix)) => {
            Plan::Part { start: length.saturating_sub(suffix), end: length }
        }
        (Bound::At(start), Bound::Absent) if start < length => Plan::Part { start, end: length },
        (Bound::At(start), Bound::At(last)) if start > last => Plan::Whole,
        (Bound::At(start), Bound::At(last)) if start < length => {
            Plan::Part { start, end: last.saturating_add(1).min(length) }
        }
        (Bound::At(_), Bound::Absent | Bound::At(_)) => Plan::Unsatisfiable,
        _ => Plan::Whole,
    }
}

enum Bound {
    Absent,
    At(u64),
    Broken,
}

/// Digits alone; a number too large for us lies past every file, so the largest will do.
fn number(text: &str) -> Bound {
    let text = text.trim();
    if text.is_empty() {
        Bound::Absent
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Bound::At(text.parse().unwrap_or(u64::MAX))
    } else {
        Bound::Broken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ETAG: &str = "\"abc\"";

    fn of(range: &str, length: u64) -> Plan {
        plan(Asked { range: Some(range), ..Asked::default() }, Content { length, etag: ETAG, modified: 1000 })
    }

    #[test]
    fn as_the_rfc_has_them() {
        assert_eq!(of("bytes=0-499", 10_000), Plan::Part { start: 0, end: 500 });
        assert_eq!(of("bytes=500-999", 10_000), Plan::Part { start: 500, end: 1000 });
        assert_eq!(of("bytes=-500", 10_000), Plan::Part { start: 9500, end: 10_000 });
        assert_eq!(of("bytes=9500-", 10_000), Plan::Part { start: 9500, end: 10_000 });
        assert_eq!(of("bytes=-20000", 10_000), Plan::Part { start: 0, end: 10_000 });
        assert_eq!(of("BYTES = 0-0", 10_000), Plan::Part { start: 0, end: 1 });
        assert_eq!(of("bytes=9999-99999999999999999999999", 10_000), Plan::Part { start: 9999, end: 10_000 });
        for range in ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(of(range, 10_000), Plan::Unsatisfiable, "{range}");
        }
        for range in [
            "bytes=5-2",
            "bytes=0-1,5-6",
            "bytes=a-b",
            "bytes=-",
            "items=0-1",
            "bytes",
            "bytes=1--2",
            "bytes=+1-2",
        ] {
            assert_eq!(of(range, 10_000), Plan::Whole, "{range}");
        }
        assert_eq!(of("bytes=0-", 0), Plan::Unsatisfiable);
        assert_eq!(of("bytes=-1", 0), Plan::Unsatisfiable);
    }

    #[test]
    fn conditions() {
        let content = Content { length: 10, etag: ETAG, modified: 784_111_777 };
        let date = http_date(784_111_777).unwrap();
        assert_eq!(date, "Sun, 06 Nov 1994 08:49:37 GMT");
        let range = Some("bytes=1-2");
        let part = Plan::Part { start: 1, end: 3 };
        let with = |if_range| plan(Asked { range, if_range: Some(if_range), ..Asked::default() }, content);
        assert_eq!(with(ETAG), part);
        assert_eq!(with(&date), part);
        assert_eq!(with("\"other\""), Plan::Whole);
        assert_eq!(with("W/\"abc\""), Plan::Whole);
        assert_eq!(with("Sun, 06 Nov 1994 08:49:38 GMT"), Plan::Whole);
        assert_eq!(with("nonsense"), Plan::Whole);
        let none_match = |tags| plan(Asked { range, if_none_match: Some(tags), ..Asked::default() }, content);
        assert_eq!(none_match("\"x\", W/\"abc\""), Plan::Unchanged);
        assert_eq!(none_match("*"), Plan::Unchanged);
        assert_eq!(none_match("\"x\""), part);
        let since = |date| plan(Asked { if_modified_since: Some(date), ..Asked::default() }, content);
        assert_eq!(since(&date), Plan::Unchanged);
        assert_eq!(since("Sun, 06 Nov 1994 08:49:36 GMT"), Plan::Whole);
        assert_eq!(since("nonsense"), Plan::Whole);
    }

    proptest! {
        #[test]
        fn a_part_lies_inside(range in "bytes=[0-9]{0,4}-[0-9]{0,4}", length in 0_u64..12_000) {
            if let Plan::Part { start, end } = of(&range, length) {
                prop_assert!(start < end && end <= length);
            }
        }

        #[test]
        fn first_and_last_are_inclusive(start in 0_u64..5000, more in 0_u64..5000, length in 1_u64..6000) {
            let last = start + more;
            let expected = if start < length {
                Plan::Part { start, end: (last + 1).min(length) }
            } else {
                Plan::Unsatisfiable
            };
            prop_assert_eq!(of(&format!("bytes={start}-{last}"), length), expected);
        }

        #[test]
        fn nothing_panics(range in any::<String>(), if_range in any::<Option<String>>(), length in any::<u64>()) {
            let asked = Asked { range: Some(&range), if_range: if_range.as_deref(), ..Asked::default() };
            plan(asked, Content { length, etag: ETAG, modified: 0 });
        }
    }
}
