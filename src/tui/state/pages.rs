//! The smaller screens: an album's page, search, the queue.

use super::listing::{Listing, Scroll};
use super::overlay::Input;
use super::sections::{self, SectionLine};
use crate::catalog::HitKind;
use crate::music::{Album, AlbumId, Artist, Playlist, Track};
use crate::player::{Entry, QueueView};
use crate::tui::effects::Found;

/// An album's page.
#[derive(Debug, Default)]
pub(crate) struct AlbumPage {
    pub(crate) id: Option<AlbumId>,
    pub(crate) album: Option<Album>,
    pub(crate) tracks: Listing<Track>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) fresh: Option<u64>,
}

/// A row of the results.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hit<'a> {
    /// An artist.
    Artist(&'a Artist),
    /// An album.
    Album(&'a Album),
    /// A track.
    Track(&'a Track),
    /// A playlist.
    Playlist(&'a Playlist),
}

/// Rows of one kind that stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) kind: HitKind,
    /// The first of them among those of its kind, and how many stand here.
    pub(crate) from: usize,
    pub(crate) len: usize,
}

/// Search as you type.
#[derive(Debug, Default)]
pub(crate) struct Search {
    pub(crate) input: Input,
    /// Whether keys are words now, or motions on the results.
    pub(crate) typing: bool,
    pub(crate) found: Option<Found>,
    /// What `found` answers.
    pub(crate) answered: String,
    pub(crate) scroll: Scroll,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) fresh: Option<u64>,
}

impl Search {
    /// Tracks that stand before other kinds at most.
    const LEAD: usize = 6;

    pub(crate) fn len(&self) -> usize {
        self.sections().iter().map(|section| section.len).sum()
    }

    /// The results in the order of the screen: the kind that agrees best first.
    pub(crate) fn sections(&self) -> Vec<Section> {
        let Some(found) = &self.found else { return Vec::new() };
        let len = |kind: HitKind| match kind {
            HitKind::Artist => found.artists.len(),
            HitKind::Album => found.albums.len(),
            HitKind::Track => found.tracks.len(),
            HitKind::Playlist => found.playlists.len(),
        };
        let kinds: Vec<HitKind> = found.order.iter().copied().filter(|kind| len(*kind) > 0).collect();
        // What agrees less well than the next kind's best follows at the end.
        let (mut sections, mut rest) = (Vec::new(), Vec::new());
        for (at, kind) in kinds.iter().copied().enumerate() {
            let len = len(kind);
            let most = if kind == HitKind::Track { Self::LEAD } else { len };
            let last = at + 1 == kinds.len();
            let lead = if last { len } else { found.leads[kind as usize].min(most).clamp(1, len) };
            sections.push(Section { kind, from: 0, len: lead });
            if lead < len {
                rest.push(Section { kind, from: lead, len: len - lead });
            }
        }
        sections.append(&mut rest);
        sections
    }

    /// The row at this place.
    pub(crate) fn get(&self, mut at: usize) -> Option<Hit<'_>> {
        let found = self.found.as_ref()?;
        for section in self.sections() {
            if at < section.len {
                let at = section.from + at;
                return match section.kind {
                    HitKind::Artist => found.artists.get(at).map(Hit::Artist),
                    HitKind::Album => found.albums.get(at).map(Hit::Album),
                    HitKind::Track => found.tracks.get(at).map(Hit::Track),
                    HitKind::Playlist => found.playlists.get(at).map(Hit::Playlist),
                };
            }
            at -= section.len;
        }
        None
    }

    pub(crate) fn selected(&self) -> Option<Hit<'_>> {
        self.get(self.scroll.cursor)
    }

    /// Where each section begins.
    pub(crate) fn groups(&self) -> Vec<usize> {
        let mut at = 0;
        self.sections()
            .iter()
            .map(|section| {
                let start = at;
                at += section.len;
                start
            })
            .collect()
    }
}

/// A part of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Heard.
    History,
    /// Heard now.
    Now,
    /// Queued by hand.
    UpNext,
    /// What goes on by itself.
    Context,
}

/// A line of the queue screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Between parts.
    Blank,
    /// The name of a part.
    Heading(Part),
    /// The entry with this index, and its part.
    Entry(usize, Part),
}

/// The queue screen. Rows are counted through history, now, up next and context; headings are lines, not rows.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The cursor counts rows, the top counts lines.
    pub(crate) scroll: Scroll,
    /// The entry under the cursor: the cursor follows it when the queue moves on.
    pub(crate) selected: Option<u64>,
    lens: [usize; 4],
    pub(crate) filter: Option<String>,
    /// Rows that match the filter.
    pub(crate) matches: Vec<usize>,
}

impl Queue {
    const PARTS: [Part; 4] = [Part::History, Part::Now, Part::UpNext, Part::Context];

    pub(crate) fn len(&self) -> usize {
        self.lens.iter().sum()
    }

    /// Takes the lengths of a new view, and the cursor to its entry.
    pub(crate) fn adopt(&mut self, view: &QueueView) {
        self.lens =
            [view.history.len(), usize::from(view.now.is_some()), view.up_next.len(), view.context.len()];
        let place = self.selected.and_then(|uid| entries(view).position(|entry| entry.uid == uid));
        self.scroll.cursor = place.unwrap_or(self.scroll.cursor).min(self.len().saturating_sub(1));
        self.select(view);
        if let Some(words) = self.filter.take() {
            self.narrow(view, &words);
        }
    }

    /// Remembers the entry under the cursor.
    pub(crate) fn select(&mut self, view: &QueueView) {
        self.selected = entry(view, self.scroll.cursor).map(|entry| entry.uid);
    }

    /// Puts the cursor on what plays.
    pub(crate) fn select_now(&mut self, view: &QueueView) {
        self.scroll.cursor = view.history.len().min(self.len().saturating_sub(1));
        self.select(view);
    }

    /// Marks rows with all these words.
    pub(crate) fn narrow(&mut self, view: &QueueView, words: &str) {
        let folded = crate::music::fold(words);
        let matches = entries(view).enumerate().filter(|(_, entry)| {
            let track = &entry.track;
            let text = crate::music::fold(&format!("{} {} {}", track.title, track.artist, track.album));
            folded.split(' ').all(|word| text.contains(word))
        });
        self.matches = matches.map(|(at, _)| at).collect();
        self.filter = Some(words.to_owned());
    }

    /// Lines on the screen, headings and blanks counted.
    pub(crate) fn lines(&self) -> usize {
        sections::lines(&self.lens)
    }

    /// The line at this height.
    pub(crate) fn line(&self, at: usize) -> Option<Line> {
        let part = |part: usize| Self::PARTS.get(part).copied().unwrap_or(Part::Context);
        Some(match sections::line(&self.lens, at)? {
            SectionLine::Blank => Line::Blank,
            SectionLine::Heading(at) => Line::Heading(part(at)),
            SectionLine::Row(row, at) => Line::Entry(row, part(at)),
        })
    }

    /// The line of this row.
    pub(crate) fn line_of(&self, row: usize) -> usize {
        sections::line_of(&self.lens, row)
    }

    /// Brings the cursor into sight, `height` lines high.
    pub(crate) fn settle(&mut self, height: usize) {
        self.scroll.cursor = self.scroll.cursor.min(self.len().saturating_sub(1));
        let lines = self.lines();
        let mut scroll = Scroll { cursor: self.line_of(self.scroll.cursor), top: self.scroll.top };
        scroll.settle(lines, height);
        // The heading over the first row is part of the list.
        self.scroll.top = if scroll.cursor <= 2 { 0 } else { scroll.top };
    }
}

/// All entries in the order of the screen.
pub(crate) fn entries(view: &QueueView) -> impl Iterator<Item = &Entry> {
    view.history.iter().chain(&view.now).chain(&view.up_next).chain(&view.context)
}

/// The entry in this row.
pub(crate) fn entry(view: &QueueView, mut row: usize) -> Option<&Entry> {
    for part in [view.history.as_slice(), view.now.as_slice(), &view.up_next, &view.context] {
        if row < part.len() {
            return part.get(row);
        }
        row -= part.len();
    }
    None
}
