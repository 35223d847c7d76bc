//! An artist's page: what is heard most, and what there is on records, by kind.

use super::listing::{Row, Scroll};
use super::sections::{self, SectionLine};
use crate::music::{Album, Artist, ArtistId, Track};
use crate::tui::effects::ArtistData;

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArtistPart {
    /// What is heard most.
    Top,
    /// Albums.
    Albums,
    /// Singles and EPs.
    Short,
    /// Records of others with something by this artist.
    Guest,
}

/// A row of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ArtistRow<'a> {
    /// A track.
    Track(&'a Track),
    /// An album.
    Album(&'a Album),
}

impl<'a> ArtistRow<'a> {
    fn row(self) -> &'a dyn Row {
        match self {
            Self::Track(track) => track,
            Self::Album(album) => album,
        }
    }

    /// Tells it from the other rows.
    pub(crate) fn key(self) -> String {
        match self {
            Self::Track(track) => format!("track {}", track.id),
            Self::Album(album) => format!("album {}", album.id),
        }
    }
}

/// A line of the page, headings and blanks counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArtistLine {
    /// Between parts.
    Blank,
    /// The name of a part.
    Heading(ArtistPart),
    /// The row with this place.
    Row(usize),
}

/// State of the page. The cursor counts rows, the top counts lines.
#[derive(Debug, Default)]
pub(crate) struct ArtistPage {
    pub(crate) id: Option<ArtistId>,
    /// What the artist was called where the page was opened: seen until the rest is here.
    pub(crate) name: String,
    pub(crate) artist: Option<Artist>,
    pub(crate) top: Vec<Track>,
    pub(crate) albums: Vec<Album>,
    pub(crate) short: Vec<Album>,
    pub(crate) guest: Vec<Album>,
    pub(crate) scroll: Scroll,
    pub(crate) filter: Option<String>,
    /// Rows that are shown: their part and place in it.
    shown: Vec<(ArtistPart, usize)>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) fresh: Option<u64>,
}

impl ArtistPage {
    const PARTS: [ArtistPart; 4] =
        [ArtistPart::Top, ArtistPart::Albums, ArtistPart::Short, ArtistPart::Guest];

    /// The page of this artist, before anything was read.
    pub(crate) fn of(id: ArtistId, name: String) -> Self {
        Self { id: Some(id), name, ..Self::default() }
    }

    /// Takes what was read; the cursor stays on its row.
    pub(crate) fn take(&mut self, data: ArtistData) {
        let selected = self.selected().map(ArtistRow::key);
        let short = |album: &Album| {
            let is = |kind: &str| album.details.release_types.iter().any(|t| t.eq_ignore_ascii_case(kind));
            (is("single") || is("ep")) && !is("album")
        };
        (self.short, self.albums) = data.albums.into_iter().partition(short);
        (self.top, self.guest, self.artist) = (data.top, data.guest, data.artist);
        self.narrow();
        let place = selected.and_then(|key| {
            (0..self.len()).find(|at| self.get(*at).map(ArtistRow::key) == Some(key.clone()))
        });
        self.scroll.cursor = place.unwrap_or(self.scroll.cursor).min(self.len().saturating_sub(1));
    }

    /// Rows of a part without the filter.
    pub(crate) fn whole(&self, part: ArtistPart) -> usize {
        match part {
            ArtistPart::Top => self.top.len(),
            ArtistPart::Albums => self.albums.len(),
            ArtistPart::Short => self.short.len(),
            ArtistPart::Guest => self.guest.len(),
        }
    }

    fn at(&self, part: ArtistPart, at: usize) -> Option<ArtistRow<'_>> {
        match part {
            ArtistPart::Top => self.top.get(at).map(ArtistRow::Track),
            ArtistPart::Albums => self.albums.get(at).map(ArtistRow::Album),
            ArtistPart::Short => self.short.get(at).map(ArtistRow::Album),
            ArtistPart::Guest => self.guest.get(at).map(ArtistRow::Album),
        }
    }

    /// Shows only rows with all words of the filter, or all.
    pub(crate) fn narrow(&mut self) {
        let words = self.filter.as_deref().map(crate::music::fold).unwrap_or_default();
        let fits = |row: ArtistRow<'_>| {
            let text = crate::music::fold(&row.row().words());
            words.split(' ').all(|word| text.contains(word))
        };
        let all = Self::PARTS.iter().flat_map(|part| (0..self.whole(*part)).map(|at| (*part, at)));
        let shown = all.filter(|(part, at)| self.at(*part, *at).is_some_and(fits)).collect();
        self.shown = shown;
    }

    /// Changes the filter; the cursor stays on its row where that is still shown.
    pub(crate) fn filter(&mut self, words: Option<&str>) {
        let selected = self.selected().map(ArtistRow::key);
        self.filter = words.map(str::to_owned);
        self.narrow();
        let place = (0..self.len()).find(|at| self.get(*at).map(ArtistRow::key) == selected);
        self.scroll.cursor = place.filter(|_| selected.is_some()).unwrap_or(0);
    }

    /// Goes on to the next or previous row that matches, round and round; without a filter nowhere.
    pub(crate) fn cycle(&mut self, times: usize, forward: bool) {
        let len = self.len();
        if self.filter.is_some() && len > 0 {
            let by = if forward { times % len } else { len - times % len };
            self.scroll.cursor = (self.scroll.cursor + by) % len;
        }
    }

    /// Puts the cursor on the first row that begins with these letters, if there is one.
    pub(crate) fn jump(&mut self, letters: &str) {
        let letters = crate::music::fold(letters);
        let begins = |at: &usize| {
            let words = self.get(*at).map(|row| crate::music::fold(&row.row().words()));
            words.is_some_and(|words| words.starts_with(&letters))
        };
        if let Some(at) = (0..self.len()).find(begins) {
            self.scroll.cursor = at;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    /// The row at this place.
    pub(crate) fn get(&self, at: usize) -> Option<ArtistRow<'_>> {
        let (part, at) = self.shown.get(at)?;
        self.at(*part, *at)
    }

    pub(crate) fn selected(&self) -> Option<ArtistRow<'_>> {
        self.get(self.scroll.cursor)
    }

    fn lens(&self) -> [usize; 4] {
        Self::PARTS.map(|part| self.shown.iter().filter(|(of, _)| *of == part).count())
    }

    /// Where each part begins.
    pub(crate) fn groups(&self) -> Vec<usize> {
        let mut at = 0;
        let mut starts = Vec::new();
        for len in self.lens().into_iter().filter(|len| *len > 0) {
            starts.push(at);
            at += len;
        }
        starts
    }

    /// The line at this height.
    pub(crate) fn line(&self, at: usize) -> Option<ArtistLine> {
        Some(match sections::line(&self.lens(), at)? {
            SectionLine::Blank => ArtistLine::Blank,
            SectionLine::Heading(part) => {
                ArtistLine::Heading(Self::PARTS.get(part).copied().unwrap_or(ArtistPart::Albums))
            }
            SectionLine::Row(row, _) => ArtistLine::Row(row),
        })
    }

    /// Brings the cursor into sight, `height` lines high.
    pub(crate) fn settle(&mut self, height: usize) {
        self.scroll.cursor = self.scroll.cursor.min(self.len().saturating_sub(1));
        let lens = self.lens();
        let mut scroll =
            Scroll { cursor: sections::line_of(&lens, self.scroll.cursor), top: self.scroll.top };
        scroll.settle(sections::lines(&lens), height);
        // The heading over the first row is part of the list.
        self.scroll.top = if scroll.cursor <= 2 { 0 } else { scroll.top };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{album, track};

    fn kind(n: u32, types: &[&str]) -> Album {
        let mut album = album(n);
        album.year = None;
        album.details.release_types = types.iter().map(|t| (*t).to_owned()).collect();
        album
    }

    fn page() -> ArtistPage {
        let mut page = ArtistPage::of("ar1".into(), "Artist".to_owned());
        page.take(ArtistData {
            artist: None,
            albums: vec![
                kind(1, &["album"]),
                kind(2, &["EP"]),
                kind(3, &["album", "live"]),
                kind(4, &["single"]),
                kind(5, &[]),
            ],
            guest: vec![kind(6, &["compilation"])],
            top: vec![track(1), track(2)],
        });
        page
    }

    #[test]
    fn records_stand_by_their_kind() {
        let page = page();
        assert_eq!(page.lens(), [2, 3, 2, 1]);
        assert_eq!(page.groups(), [0, 2, 5, 7]);
        assert!(matches!(page.get(5), Some(ArtistRow::Album(album)) if album.title == "Album 2"));
        assert_eq!(page.line(0), Some(ArtistLine::Heading(ArtistPart::Top)));
        assert_eq!(page.line(3), Some(ArtistLine::Blank));
    }

    #[test]
    fn the_filter_keeps_the_row_under_the_cursor() {
        let mut page = page();
        page.scroll.cursor = 5;
        page.filter(Some("album 2"));
        // The second song of an album fits as well.
        assert_eq!((page.len(), page.scroll.cursor), (2, 1));
        page.filter(None);
        assert_eq!((page.len(), page.scroll.cursor), (8, 5));
        page.jump("album 5");
        assert_eq!(page.selected().map(ArtistRow::key).as_deref(), Some("album al5"));
        page.filter(Some("xyzzy"));
        assert_eq!((page.len(), page.scroll.cursor), (0, 0));
    }
}
