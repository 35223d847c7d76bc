//! What is shown, in the words of MPRIS: pure functions of [`Shown`].

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use zbus::zvariant::{ObjectPath, Value};

use super::super::shown::{Shown, State};
use super::super::wishes::{Named, encoded};
use crate::music::{Track, printable};
use crate::player::Repeat;

/// Where tracks of the queue are on the bus: this, and the uid.
const TRACKS: &str = "/segue/queue/";
/// Characters of a text on the bus; what is longer is no title.
const LONGEST: usize = 500;

/// A dictionary of properties.
pub(super) type Values = HashMap<String, Value<'static>>;

/// The properties of the player that change, with their names; in the order of the specification.
pub(super) fn properties(shown: &Shown) -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("PlaybackStatus", status(shown).into()),
        ("LoopStatus", repeat(shown).into()),
        ("Rate", rate(shown).into()),
        ("Shuffle", shown.shuffle.into()),
        ("Metadata", metadata(shown).into()),
        ("Volume", volume(shown).into()),
        ("CanGoNext", shown.next.into()),
        ("CanGoPrevious", shown.previous.into()),
        ("CanPlay", loaded(shown).into()),
        ("CanPause", loaded(shown).into()),
        ("CanSeek", seekable(shown).into()),
    ]
}

/// `Playing`, `Paused` or `Stopped`.
pub(super) fn status(shown: &Shown) -> &'static str {
    match shown.state {
        State::Playing => "Playing",
        State::Paused => "Paused",
        State::Stopped => "Stopped",
    }
}

/// `None`, `Playlist` or `Track`.
pub(super) fn repeat(shown: &Shown) -> &'static str {
    match shown.repeat {
        Repeat::Off => "None",
        Repeat::All => "Playlist",
        Repeat::One => "Track",
    }
}

/// What such a word means.
pub(super) fn repeat_of(word: &str) -> Option<Repeat> {
    match word {
        "None" => Some(Repeat::Off),
        "Playlist" => Some(Repeat::All),
        "Track" => Some(Repeat::One),
        _ => None,
    }
}

/// The speed, 1.0 as it was recorded.
pub(super) fn rate(shown: &Shown) -> f64 {
    f64::from(shown.speed) / 100.0
}

/// The volume, 0.0 to 1.0.
pub(super) fn volume(shown: &Shown) -> f64 {
    f64::from(shown.volume) / 100.0
}

/// Whether there is anything to play.
pub(super) fn loaded(shown: &Shown) -> bool {
    shown.song.is_some()
}

/// Whether what plays has places to go to.
pub(super) fn seekable(shown: &Shown) -> bool {
    shown.song.as_ref().is_some_and(|song| song.track.duration_ms > 0)
}

/// Milliseconds as the bus has them: microseconds.
pub(super) fn micros(ms: u64) -> i64 {
    i64::try_from(ms.saturating_mul(1000)).unwrap_or(i64::MAX)
}

/// Where a track of the queue is on the bus.
pub(super) fn path(uid: u64) -> ObjectPath<'static> {
    // Letters, digits and slashes only: nothing is to be checked.
    ObjectPath::from_string_unchecked(format!("{TRACKS}{uid}"))
}

/// The entry of the queue at such a place.
pub(super) fn uid(path: &ObjectPath<'_>) -> Option<u64> {
    path.as_str().strip_prefix(TRACKS)?.parse().ok()
}

/// What plays; empty when nothing does.
pub(super) fn metadata(shown: &Shown) -> Values {
    shown.song.as_ref().map(|song| about(song.uid, &song.track, song.cover.as_deref())).unwrap_or_default()
}

/// A track of the queue. What is not known is left out.
pub(super) fn about(uid: u64, track: &Track, cover: Option<&Path>) -> Values {
    let mut values = Values::new();
    let mut put = |name: &str, value: Value<'static>| {
        values.insert(name.to_owned(), value);
    };
    put("mpris:trackid", path(uid).into());
    if track.duration_ms > 0 {
        put("mpris:length", micros(track.duration_ms).into());
    }
    if let Some(cover) = cover {
        put("mpris:artUrl", address(cover).into());
    }
    put("xesam:url", Named::of_track(&track.id).into());
    let named = |role: &str| {
        let credits = track.details.credits.iter().filter(|credit| credit.role == role);
        words(credits.map(|credit| credit.artist.name.as_str()))
    };
    let artists = words(track.artists.iter().map(|artist| artist.name.as_str()));
    let album_artists = words(track.details.album_artists.iter().map(|artist| artist.name.as_str()));
    for (name, list) in [
        ("xesam:artist", if artists.is_empty() { words([track.artist.as_str()]) } else { artists }),
        (
            "xesam:albumArtist",
            if album_artists.is_empty() { words([track.album_artist.as_str()]) } else { album_artists },
        ),
        ("xesam:genre", words(track.genres.iter().map(String::as_str))),
        ("xesam:composer", named("composer")),
        ("xesam:lyricist", named("lyricist")),
        ("xesam:comment", words(track.details.comment.as_deref())),
    ] {
        if !list.is_empty() {
            put(name, list.into());
        }
    }
    put("xesam:title", text(&track.title).into());
    for (name, word) in [
        ("xesam:album", text(&track.album)),
        ("xesam:contentCreated", created(track).unwrap_or_default()),
        ("xesam:lastUsed", track.marks.played_at.and_then(moment).unwrap_or_default()),
    ] {
        if !word.is_empty() {
            put(name, word.into());
        }
    }
    let numbers = [
        ("xesam:trackNumber", track.number),
        ("xesam:discNumber", track.disc),
        ("xesam:audioBPM", track.details.bpm),
        ("xesam:useCount", Some(track.marks.play_count).filter(|count| *count > 0)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number.and_then(|number| i32::try_from(number).ok()) {
            put(name, number.into());
        }
    }
    if track.marks.rating > 0 {
        put("xesam:userRating", (f64::from(track.marks.rating.min(5)) / 5.0).into());
    }
    values
}

/// A text as it goes onto the bus: no control characters (the bus forbids some, and panels choke on others), no
/// direction overrides, not endless.
pub(super) fn text(text: &str) -> String {
    printable(text).chars().take(LONGEST).collect()
}

fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    texts.into_iter().map(text).filter(|text| !text.is_empty()).collect()
}

/// The address of a file.
pub(super) fn address(file: &Path) -> String {
    format!("file://{}", encoded(file.as_os_str().as_bytes(), b"/"))
}

/// When the music came out, as a moment of the form that MPRIS wants; its beginning where less is known.
fn created(track: &Track) -> Option<String> {
    let date = match (&track.details.original_date, track.year) {
        (Some(date), _) => date.clone(),
        (None, Some(year)) => format!("{year:04}"),
        (None, None) => return None,
    };
    let mut parts = date.split('-').map(str::parse::<i16>);
    let mut part = |least: i16| parts.next().map_or(Some(least), Result::ok);
    let (year, month, day) = (part(0)?, part(1)?, part(1)?);
    let date = jiff::civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    (year > 0).then(|| format!("{date}T00:00:00Z"))
}

/// Unix milliseconds in the same form.
fn moment(ms: i64) -> Option<String> {
    let moment = jiff::Timestamp::from_millisecond(ms).ok()?;
    Some(format!("{moment:.0}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::player::{Queue, Status, Transport};
    use crate::subsonic::convert;

    fn track(song: serde_json::Value) -> Track {
        convert::track(&serde_json::from_value(song).unwrap()).unwrap()
    }

    fn shown(track: Track) -> Shown {
        let mut queue = Queue::new();
        queue.play_context(vec![Arc::new(track)], 0, "all".to_owned(), None);
        Shown::of(&Status {
            queue: Arc::new(queue.view()),
            transport: Transport::Playing,
            volume: 40,
            ..Status::default()
        })
    }

    fn word(values: &Values, name: &str) -> String {
        match values.get(name) {
            Some(Value::Str(text)) => text.as_str().to_owned(),
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn everything_that_is_known_is_told() {
        let track = track(serde_json::json!({
            "id": "a b", "title": "One", "artist": "Ann & Bob", "album": "First", "duration": 61, "track": 3,
            "discNumber": 2, "year": 1999, "genre": "Jazz", "userRating": 4,
            "artists": [{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}],
        }));
        let values = about(7, &track, Some(Path::new("/tmp/ü 1/cover")));
        assert_eq!(values["mpris:trackid"], Value::from(path(7)));
        assert_eq!(values["mpris:length"], Value::from(61_000_000_i64));
        assert_eq!(word(&values, "mpris:artUrl"), "file:///tmp/%C3%BC%201/cover");
        assert_eq!(word(&values, "xesam:url"), "segue:track:a%20b");
        assert_eq!(word(&values, "xesam:title"), "One");
        assert_eq!(values["xesam:artist"], Value::from(vec!["Ann".to_owned(), "Bob".to_owned()]));
        assert_eq!(values["xesam:genre"], Value::from(vec!["Jazz".to_owned()]));
        assert_eq!(values["xesam:trackNumber"], Value::from(3_i32));
        assert_eq!(values["xesam:discNumber"], Value::from(2_i32));
        assert_eq!(values["xesam:userRating"], Value::from(0.8_f64));
        assert_eq!(word(&values, "xesam:contentCreated"), "1999-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let values = about(1, &track(serde_json::json!({"id": "x", "title": "One"})), None);
        let mut names: Vec<&str> = values.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["mpris:trackid", "xesam:title", "xesam:url"]);
        assert_eq!(metadata(&Shown::of(&Status::default())), Values::new());
    }

    #[test]
    fn hostile_titles_become_text() {
        let title = format!("a\0b\u{7}\u{202e}c\n<b>&{}", "x".repeat(100_000));
        let values = about(1, &track(serde_json::json!({"id": "x", "title": title})), None);
        let told = word(&values, "xesam:title");
        assert!(told.starts_with("abc <b>&x") && told.chars().count() == 500, "{}", &told[..20]);
    }

    #[test]
    fn dates_are_moments() {
        let made = |date: &str| {
            let mut track = track(serde_json::json!({"id": "x", "title": "One"}));
            track.details.original_date = Some(date.to_owned());
            created(&track)
        };
        assert_eq!(made("1999-05-04").as_deref(), Some("1999-05-04T00:00:00Z"));
        assert_eq!(made("1999-05").as_deref(), Some("1999-05-01T00:00:00Z"));
        for wrong in ["", "soon", "1999-13", "0000"] {
            assert_eq!(made(wrong), None, "{wrong}");
        }
        assert_eq!(moment(1_000).as_deref(), Some("1970-01-01T00:00:01Z"));
    }

    #[test]
    fn places_on_the_bus_name_entries() {
        assert_eq!(uid(&path(u64::MAX)), Some(u64::MAX));
        let other = ObjectPath::try_from("/org/mpris/MediaPlayer2/TrackList/NoTrack").unwrap();
        assert_eq!(uid(&other), None);
    }

    #[test]
    fn a_player_has_all_its_properties() {
        let shown = shown(track(serde_json::json!({"id": "x", "title": "One", "duration": 9})));
        let told: HashMap<&str, Value<'static>> = properties(&shown).into_iter().collect();
        assert_eq!(told["PlaybackStatus"], Value::from("Playing"));
        assert_eq!(told["LoopStatus"], Value::from("None"));
        assert_eq!(told["Volume"], Value::from(0.4_f64));
        assert_eq!(told["Rate"], Value::from(1.0_f64));
        assert_eq!(told["CanGoNext"], Value::from(false));
        assert_eq!(told["CanSeek"], Value::from(true));
        for repeat in [Repeat::Off, Repeat::All, Repeat::One] {
            let mut shown = shown.clone();
            shown.repeat = repeat;
            assert_eq!(repeat_of(super::repeat(&shown)), Some(repeat));
        }
    }
}
