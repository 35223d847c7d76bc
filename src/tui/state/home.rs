//! The opening screen: what to go on with, what is new, what was heard, what is loved.

use crate::catalog::KeptMix;
use crate::music::{Album, Track};
use crate::tui::effects::{Device, HomeData};

/// A way to music for those who have just come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// The album that comes with the program, or the only one there is.
    Demo,
    /// The listener's own folder.
    Folder,
    /// A server.
    Server,
}

/// Something on the opening screen that can be selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Spot {
    /// What plays, or what was heard last.
    #[default]
    Continue,
    /// A door of the welcome card.
    Door(Door),
    /// A mix.
    Mix(usize),
    /// An album that came lately.
    Added(usize),
    /// A track heard lately.
    Played(usize),
    /// A track heard often.
    Most(usize),
    /// A track that is loved.
    Loved(usize),
}

/// State of the opening screen.
#[expect(clippy::struct_excessive_bools, reason = "four facts that have nothing to do with each other")]
#[derive(Debug, Default)]
pub(crate) struct Home {
    pub(crate) data: Option<HomeData>,
    pub(crate) error: Option<String>,
    pub(crate) awaiting: Option<u64>,
    /// The generation of the catalog that `data` shows.
    pub(crate) fresh: Option<u64>,
    pub(crate) spot: Spot,
    /// Whether the listener moved the cursor: until then it stands on the first thing that can be played.
    pub(crate) moved: bool,
    /// Lines scrolled away.
    pub(crate) top: usize,
    /// Mixes scrolled away to the left.
    pub(crate) first_mix: usize,
    /// Whether the queue has something to go on with.
    pub(crate) can_continue: bool,
    /// Whether the library is the one that comes with the program, where nothing else was chosen.
    pub(crate) embedded: bool,
    /// Whether the first music may still be on its way from the server.
    pub(crate) waiting: bool,
}

impl Home {
    pub(crate) fn mixes(&self) -> &[KeptMix] {
        self.data.as_ref().map_or(&[], |d| &d.mixes)
    }

    pub(crate) fn added(&self) -> &[Album] {
        self.data.as_ref().map_or(&[], |d| &d.added)
    }

    pub(crate) fn played(&self) -> &[Track] {
        self.data.as_ref().map_or(&[], |d| &d.played)
    }

    pub(crate) fn most(&self) -> &[Track] {
        self.data.as_ref().map_or(&[], |d| &d.most)
    }

    pub(crate) fn loved(&self) -> &[Track] {
        self.data.as_ref().map_or(&[], |d| &d.loved)
    }

    pub(crate) fn device(&self) -> Option<&Device> {
        self.data.as_ref().map(|d| &d.device)
    }

    /// Whether there is a line to go on with.
    pub(crate) fn continues(&self) -> bool {
        self.can_continue || !self.played().is_empty()
    }

    /// The doors of the welcome card; none when the library has music of the listener's own.
    pub(crate) fn doors(&self) -> &'static [Door] {
        match &self.data {
            Some(data) if data.albums == 0 && !self.waiting => &[Door::Folder, Door::Server],
            Some(data) if data.albums == 1 && self.embedded => &[Door::Demo, Door::Folder, Door::Server],
            _ => &[],
        }
    }

    /// Whether there is no music yet.
    pub(crate) fn empty(&self) -> bool {
        self.data.as_ref().is_some_and(|data| data.albums == 0)
    }

    /// The track at a spot.
    pub(crate) fn track(&self, spot: Spot) -> Option<&Track> {
        match spot {
            Spot::Played(i) => self.played().get(i),
            Spot::Most(i) => self.most().get(i),
            Spot::Loved(i) => self.loved().get(i),
            Spot::Continue if !self.can_continue => self.played().first(),
            _ => None,
        }
    }
}
