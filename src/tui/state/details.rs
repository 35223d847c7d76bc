//! Everything that is known of one track, as rows under headings.
//!
//! Rows are made anew for the width of the page: long values take several of them.

use super::listing::Scroll;
use super::sections;
use crate::music::{AlbumId, ArtistRef, Explicit, Marks, Track, TrackId, clock};
use crate::tui::effects::DetailsData;
use crate::tui::text;

/// What a row leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leads {
    /// An artist's page.
    Artist(ArtistRef),
    /// An album's page.
    Album(AlbumId),
}

/// A row: what it is, and a part of what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetailRow {
    /// Empty in the rows after the first one of a value.
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) leads: Option<Leads>,
}

/// Rows that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetailGroup {
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<DetailRow>,
}

/// A line of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DetailLine<'a> {
    /// Between groups.
    Blank,
    /// The title of a group.
    Heading(&'a str),
    /// The row with this place.
    Row(usize, &'a DetailRow),
}

/// State of the page. The cursor counts rows, the top counts lines.
#[derive(Debug, Default)]
pub(crate) struct DetailsPage {
    pub(crate) id: Option<TrackId>,
    /// The title where the page was opened: seen until the rest is here.
    pub(crate) title: String,
    /// The mix or radio that the track was seen in, for the reason why.
    pub(crate) context: String,
    pub(crate) data: Option<DetailsData>,
    pub(crate) groups: Vec<DetailGroup>,
    pub(crate) scroll: Scroll,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) fresh: Option<u64>,
}

impl DetailsPage {
    /// Cells of the labels, with the gap after them.
    pub(crate) const LABEL: usize = 17;

    /// The track, once it was read.
    pub(crate) fn track(&self) -> Option<&Track> {
        self.data.as_ref()?.track.as_ref()
    }

    fn lens(&self) -> Vec<usize> {
        self.groups.iter().map(|group| group.rows.len()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.rows.len()).sum()
    }

    /// The row under the cursor.
    pub(crate) fn selected(&self) -> Option<&DetailRow> {
        self.groups.iter().flat_map(|group| &group.rows).nth(self.scroll.cursor)
    }

    /// Where each group begins.
    pub(crate) fn starts(&self) -> Vec<usize> {
        let mut at = 0;
        let mut starts = Vec::new();
        for len in self.lens() {
            starts.push(at);
            at += len;
        }
        starts
    }

    /// The line at this height.
    pub(crate) fn line(&self, at: usize) -> Option<DetailLine<'_>> {
        Some(match sections::line(&self.lens(), at)? {
            sections::SectionLine::Blank => DetailLine::Blank,
            sections::SectionLine::Heading(group) => {
                DetailLine::Heading(self.groups.get(group).map_or("", |group| group.title))
            }
            sections::SectionLine::Row(row, _) => {
                DetailLine::Row(row, self.groups.iter().flat_map(|group| &group.rows).nth(row)?)
            }
        })
    }

    /// Makes the rows for a page of this width with marks as they are now, and brings the cursor into sight.
    pub(crate) fn settle(&mut self, width: usize, height: usize, marks: Marks, minutes_ahead: i64) {
        let widest = width.saturating_sub(Self::LABEL).clamp(10, 90);
        self.groups =
            self.data.as_ref().map_or_else(Vec::new, |data| groups(data, marks, minutes_ahead, widest));
        self.scroll.cursor = self.scroll.cursor.min(self.len().saturating_sub(1));
        let lens = self.lens();
        let mut scroll =
            Scroll { cursor: sections::line_of(&lens, self.scroll.cursor), top: self.scroll.top };
        scroll.settle(sections::lines(&lens), height);
        self.scroll.top = if scroll.cursor <= 2 { 0 } else { scroll.top };
    }
}

/// Rows of a group as they are put together.
struct Rows {
    rows: Vec<DetailRow>,
    width: usize,
}

impl Rows {
    fn new(width: usize) -> Self {
        Self { rows: Vec::new(), width }
    }

    fn leading(&mut self, label: &'static str, value: &str, leads: Option<&Leads>) {
        let value = text::clean(value);
        if value.trim().is_empty() {
            return;
        }
        for (i, part) in text::lines(&value, self.width).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            self.rows.push(DetailRow { label, value: part, leads: leads.cloned() });
        }
    }

    fn put(&mut self, label: &'static str, value: &str) {
        self.leading(label, value, None);
    }

    fn maybe(&mut self, label: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.put(label, value);
        }
    }

    fn many(&mut self, label: &'static str, values: &[String]) {
        self.put(label, &values.join(", "));
    }

    fn people(&mut self, label: &'static str, people: &[ArtistRef]) {
        for (i, artist) in people.iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            self.leading(label, &artist.name, Some(&Leads::Artist(artist.clone())));
        }
    }

    fn group(self, title: &'static str) -> DetailGroup {
        DetailGroup { title, rows: self.rows }
    }
}

/// A role as a listener says it.
fn role(word: &str) -> &'static str {
    match word {
        "composer" => "Composer",
        "conductor" => "Conductor",
        "lyricist" => "Words",
        "arranger" => "Arranger",
        "producer" => "Producer",
        "director" => "Director",
        "engineer" => "Engineer",
        "mixer" => "Mixer",
        "djmixer" => "DJ",
        "remixer" => "Remixer",
        "performer" => "Performer",
        _ => "With",
    }
}

/// A moment as a day: `24 Nov 2026`.
pub(crate) fn day(unix_ms: i64, minutes_ahead: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms.saturating_add(minutes_ahead * 60_000))
        .map(|at| at.strftime("%-d %b %Y").to_string())
        .unwrap_or_default()
}

/// Groups that have rows, in the order of the page.
fn groups(data: &DetailsData, marks: Marks, minutes: i64, width: usize) -> Vec<DetailGroup> {
    let Some(track) = &data.track else { return Vec::new() };
    let all = [
        song(track, width),
        people(track, width),
        works(track, width),
        release(data, track, width),
        form(track, width),
        listening(data, track, marks, minutes, width),
        ids(data, track, width),
    ];
    all.into_iter().filter(|group| !group.rows.is_empty()).collect()
}

fn song(track: &Track, width: usize) -> DetailGroup {
    let details = &track.details;
    let mut rows = Rows::new(width);
    rows.put("Title", &track.title);
    rows.maybe("Sorted as", details.sort_title.as_ref());
    if track.artists.is_empty() {
        rows.put("Artist", &track.artist);
    } else {
        rows.people("Artist", &track.artists);
    }
    let album = track.album_id.clone().map(Leads::Album);
    rows.leading("Album", &track.album, album.as_ref());
    let place = match (track.disc, track.number) {
        (Some(disc), Some(number)) if disc > 1 || details.disc_title.is_some() => {
            format!("{number} on disc {disc}")
        }
        (_, Some(number)) => number.to_string(),
        (Some(disc), None) => format!("disc {disc}"),
        (None, None) => String::new(),
    };
    rows.put("Number", &place);
    rows.maybe("Disc", details.disc_title.as_ref());
    rows.put("Length", &clock(track.duration_ms));
    rows.maybe("Year", track.year.map(|year| year.to_string()).as_ref());
    rows.many("Genre", &track.genres);
    rows.many("Mood", &details.moods);
    rows.many("Grouping", &details.groupings);
    rows.maybe("Tempo", details.bpm.map(|bpm| format!("{bpm} beats a minute")).as_ref());
    rows.put(
        "Words",
        match details.explicit {
            Some(Explicit::Explicit) => "explicit",
            Some(Explicit::Clean) => "made fit for children",
            None => "",
        },
    );
    rows.maybe("Comment", details.comment.as_ref());
    rows.group("The track")
}

fn people(track: &Track, width: usize) -> DetailGroup {
    let mut rows = Rows::new(width);
    let mut last = "";
    for credit in &track.details.credits {
        let role = role(&credit.role);
        let label = if role == last { "" } else { role };
        last = role;
        let value = match (&credit.detail, role) {
            (Some(detail), _) => format!("{} ({detail})", credit.artist.name),
            (None, "With") => format!("{} ({})", credit.artist.name, credit.role),
            (None, _) => credit.artist.name.clone(),
        };
        rows.leading(label, &value, Some(&Leads::Artist(credit.artist.clone())));
    }
    rows.group("People")
}

fn works(track: &Track, width: usize) -> DetailGroup {
    let mut rows = Rows::new(width);
    for work in &track.details.works {
        rows.put("Work", &work.name);
    }
    for movement in &track.details.movements {
        let place = match (movement.number, movement.count) {
            (Some(n), Some(count)) => format!("{n} of {count}: "),
            (Some(n), None) => format!("{n}: "),
            _ => String::new(),
        };
        rows.put("Movement", &format!("{place}{}", movement.name));
    }
    rows.group("The work")
}

fn release(data: &DetailsData, track: &Track, width: usize) -> DetailGroup {
    let mut rows = Rows::new(width);
    rows.people("Album artist", &track.details.album_artists);
    if track.details.album_artists.is_empty() {
        rows.put("Album artist", &track.album_artist);
    }
    if let Some(album) = &data.album {
        let details = &album.details;
        rows.many("Kind", &details.release_types);
        rows.maybe("Edition", details.version.as_ref());
        rows.many("Label", &details.labels);
        rows.maybe("Came out", details.release_date.as_ref());
    }
    let first = data.album.as_ref().and_then(|album| album.details.original_date.as_ref());
    rows.maybe("First came out", track.details.original_date.as_ref().or(first));
    rows.group("The release")
}

fn form(track: &Track, width: usize) -> DetailGroup {
    let mut rows = Rows::new(width);
    rows.put("Form", &format!("{} ({})", track.suffix.to_uppercase(), track.content_type));
    rows.put("Size", &text::bytes(track.size));
    rows.maybe(
        "Bit rate",
        track.bit_rate.map(|rate| format!("{} kbit/s", text::number(u64::from(rate)))).as_ref(),
    );
    rows.maybe(
        "Sample rate",
        track.sample_rate.map(|hz| format!("{} Hz", text::number(u64::from(hz)))).as_ref(),
    );
    rows.maybe("Depth", track.bit_depth.map(|bits| format!("{bits} bits")).as_ref());
    let channels = track.channels.map(|channels| match channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        n => n.to_string(),
    });
    rows.maybe("Channels", channels.as_ref());
    let gain = |gain: Option<f32>, peak: Option<f32>| match (gain, peak) {
        (Some(gain), Some(peak)) => Some(format!("{gain:+.2} dB, peak {peak:.3}")),
        (Some(gain), None) => Some(format!("{gain:+.2} dB")),
        (None, Some(peak)) => Some(format!("peak {peak:.3}")),
        (None, None) => None,
    };
    let replay = track.replay_gain;
    rows.maybe("Gain alone", gain(replay.track_gain, replay.track_peak).as_ref());
    rows.maybe("Gain in album", gain(replay.album_gain, replay.album_peak).as_ref());
    rows.group("The file")
}

fn listening(data: &DetailsData, track: &Track, marks: Marks, minutes: i64, width: usize) -> DetailGroup {
    let mut rows = Rows::new(width);
    let since = |at: Option<i64>| at.filter(|at| *at > 0).map(|at| day(at, minutes));
    rows.maybe("Loved since", since(marks.starred_at).as_ref());
    let stars = if marks.rating > 0 { format!("{} of 5", marks.rating) } else { String::new() };
    rows.put("Stars", &stars);
    let plays = match (marks.play_count, since(marks.played_at)) {
        (0, _) => "not yet".to_owned(),
        (n, Some(last)) => format!("{}, last on {last}", text::count(u64::from(n), "time")),
        (n, None) => text::count(u64::from(n), "time"),
    };
    rows.put("Played", &plays);
    rows.maybe("In the library", since(Some(track.added_at)).map(|day| format!("since {day}")).as_ref());
    for (i, line) in data.why.iter().enumerate() {
        rows.put(if i == 0 { "Why it is here" } else { "" }, line);
    }
    rows.group("You and it")
}

fn ids(data: &DetailsData, track: &Track, width: usize) -> DetailGroup {
    let mut rows = Rows::new(width);
    rows.put("On the server", track.id.as_str());
    rows.many("ISRC", &track.details.isrcs);
    rows.maybe("Recording", track.musicbrainz_id.as_ref());
    for id in track.details.works.iter().filter_map(|work| work.musicbrainz_id.as_ref()) {
        rows.put("Work", id);
    }
    if let Some(album) = &data.album {
        rows.maybe("Release", album.musicbrainz_id.as_ref());
        rows.maybe("Release group", album.details.group_musicbrainz_id.as_ref());
    }
    rows.group("Ids")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Credit, Work};
    use crate::tui::testing;

    #[test]
    fn long_values_take_several_rows_under_one_label() {
        let mut track = testing::track(1);
        track.details.comment = Some("words ".repeat(30));
        track.details.works =
            vec![Work { name: "Partita".to_owned(), musicbrainz_id: Some("mb-1".to_owned()) }];
        let player = ArtistRef { id: "ar-9".into(), name: "Somebody".to_owned() };
        let credit = |detail: &str| Credit {
            role: "performer".to_owned(),
            detail: Some(detail.to_owned()),
            artist: player.clone(),
        };
        track.details.credits = vec![credit("violin"), credit("voice")];
        let data = DetailsData { track: Some(track), album: None, why: Vec::new() };
        let mut page = DetailsPage { data: Some(data), ..DetailsPage::default() };
        page.settle(60, 10, Marks::default(), 0);
        let rows: Vec<&DetailRow> = page.groups.iter().flat_map(|group| &group.rows).collect();
        let comment = rows.iter().position(|row| row.label == "Comment").unwrap();
        assert_eq!(rows[comment + 1].label, "");
        assert!(rows.iter().all(|row| text::width(&row.value) <= 60 - DetailsPage::LABEL));
        let somebody = rows.iter().find(|row| row.label == "Performer").unwrap();
        assert_eq!(somebody.value, "Somebody (violin)");
        assert_eq!(somebody.leads, Some(Leads::Artist(player)));
        assert!(rows.iter().any(|row| row.label == "Work" && row.value == "mb-1"));
        page.scroll.cursor = 9_999;
        page.settle(60, 10, Marks::default(), 0);
        assert_eq!(page.scroll.cursor, page.len() - 1);
    }

    #[test]
    fn days_are_those_of_the_listener() {
        assert_eq!(day(1_795_554_240_000, 0), "24 Nov 2026");
        assert_eq!(day(1_795_554_240_000, 180), "25 Nov 2026");
    }
}
