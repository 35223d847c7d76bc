//! Doors for `tests/fuzz` and `tests/fuzzing.rs` into the readers of what strangers send. Not for other use.
//!
//! Each takes any bytes, asserts what must hold for all of them, and gives a number that differs where the reader went another
//! way, so that a loop without a compiler's help can see which inputs are worth changing further.

use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;

use super::answer::Format;
use super::cover::{mime_of, shrink};
use super::params::Params;
use super::ranges::{Asked, Content, Plan, http_date, plan};
use super::scan;
use super::transcode::Recipe;
use crate::music::Lyrics;
use crate::subsonic::auth::read_password;
use crate::subsonic::lyrics::to_wire;

fn number(of: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The parameters of a request, read in every way that handlers read them.
pub fn query(bytes: &[u8]) -> u64 {
    let mut params = Params::default();
    params.add(bytes);
    let pairs = params.pairs();
    assert!(pairs.len() <= bytes.split(|byte| *byte == b'&').count());
    // What was read is what a client would have to write to be read so again.
    let mut again = Params::default();
    again.add(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().as_bytes());
    assert_eq!(again.pairs(), pairs);

    let mut ways = Vec::new();
    for (name, value) in pairs {
        assert_eq!(params.all(name).next(), params.get(name));
        let size = params.count(name, 10, 500).ok();
        assert!(size.is_none_or(|size| size <= 500));
        let kinds = (params.parsed::<i64>(name).is_ok(), params.parsed::<f64>(name).is_ok());
        ways.push((kinds, params.flag(name).ok(), params.required(name).is_ok(), size));
        let password = read_password(value);
        assert!(password.as_ref().is_none_or(|password| password.len() <= value.len()));
        let recipe = Recipe::of_ticket(value, 0);
        ways.push(((password.is_some(), recipe.is_some()), None, false, None));
    }
    ways.truncate(8);
    let format = match Format::of(&params) {
        Ok(Format::Xml) => 0,
        Ok(Format::Json) => 1,
        Ok(Format::JsonP(callback)) => {
            assert!(callback.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.$".contains(&byte)));
            2
        }
        Err(_) => 3,
    };
    number((ways, format))
}

/// Range and conditions; a line for each header, the first one says how long the file is.
pub fn ranges(bytes: &[u8]) -> u64 {
    const ETAG: &str = "\"5a-1\"";
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let length = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(1000);
    let asked = Asked {
        range: lines.next(),
        if_range: lines.next(),
        if_none_match: lines.next(),
        if_modified_since: lines.next(),
    };
    let decided = plan(asked, Content { length, etag: ETAG, modified: 784_111_777 });
    let way = match decided {
        Plan::Whole => 0,
        Plan::Unchanged => {
            assert!(asked.if_none_match.is_some() || asked.if_modified_since.is_some());
            1
        }
        Plan::Unsatisfiable => {
            assert!(asked.range.is_some());
            2
        }
        Plan::Part { start, end } => {
            assert!(asked.range.is_some() && start < end && end <= length);
            3 + u64::from(start == 0) + 2 * u64::from(end == length)
        }
    };
    let date = http_date(i64::try_from(length).unwrap_or(i64::MAX)).is_some();
    number((way, date, asked.if_range.is_some(), text.len().checked_ilog2()))
}

/// Lyrics beside the music, in any encoding, down to what clients are sent.
pub fn lyrics(bytes: &[u8]) -> u64 {
    let text = scan::lyrics_text(bytes.to_vec());
    let Some(lyrics) = Lyrics::parse(&text, "") else { return 0 };
    let times: Vec<_> = lyrics.lines.iter().map(|line| line.start_ms).collect();
    assert!(!lyrics.synced || times.is_sorted(), "lines with times stand in their order");
    assert!(lyrics.lines.iter().any(|line| !line.text.trim().is_empty()));
    for line in &lyrics.lines {
        assert!(!line.text.contains(['\n', '\r']));
        for word in &line.words {
            assert!(word.from < word.to && line.text.get(word.from..word.to).is_some());
            assert!(word.end_ms.is_none_or(|end| end >= word.start_ms));
        }
    }
    let wire = to_wire(&lyrics, true);
    let words = wire.cue_line.as_ref().map_or(0, Vec::len);
    assert_eq!(Lyrics::parse(&lyrics.plain(), "").is_some(), !lyrics.plain().trim().is_empty());
    number((
        lyrics.synced,
        times.len().min(20),
        words.min(20),
        lyrics.title.is_some(),
        lyrics.artist.is_some(),
    ))
}

/// A cue sheet in any encoding.
pub fn cue(bytes: &[u8]) -> u64 {
    number(scan::try_cue(bytes))
}

/// A playlist beside the music (`.m3u`), in any encoding.
pub fn m3u(bytes: &[u8]) -> u64 {
    number(scan::try_list(bytes))
}

/// Tags and properties of a music file. A file that breaks the library that reads it is a broken file; what must hold is that
/// reading ends, and that what is believed is sensible.
pub fn tags(file: &Path) -> u64 {
    number(scan::try_tags(file))
}

/// A picture of the library, made smaller. What cannot be decoded within the limits is left as it is.
pub fn picture(bytes: &[u8]) -> u64 {
    let made = scan::fenced(|| Ok(shrink(bytes, 50)));
    if let Ok(Some(small)) = &made {
        let dimensions = image::load_from_memory(small).map(|small| (small.width(), small.height()));
        assert!(dimensions.is_ok_and(|(width, height)| width.max(height) == 50 && width.min(height) > 0));
    }
    number((made.is_err(), made.ok().flatten().is_some(), mime_of(bytes)))
}
