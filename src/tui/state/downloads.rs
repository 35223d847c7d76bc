//! The downloads screen: what comes, what does not, what is pinned.

use super::Scroll;
use crate::catalog::{Pin, Pinned};
use crate::client::{Download, DownloadStatus};
use crate::music::{Item, Track};

/// What is pinned and downloaded, and the cursor over it.
#[derive(Debug, Default)]
pub(crate) struct DownloadsPage {
    pub(crate) status: DownloadStatus,
    pub(crate) scroll: Scroll,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DownloadRow<'a> {
    /// A pin.
    Pin(&'a Pinned),
    /// A track under way.
    Active(&'a Download),
    /// A track that does not come, and why.
    Failed(&'a Track, &'a str),
}

impl DownloadsPage {
    /// Rows that can be walked.
    pub(crate) fn len(&self) -> usize {
        self.status.pins.len() + self.status.active.len() + self.status.failed.len()
    }

    /// The row at this place: pins, then what is under way, then what failed.
    pub(crate) fn get(&self, at: usize) -> Option<DownloadRow<'_>> {
        let DownloadStatus { pins, active, failed, .. } = &self.status;
        if let Some(pin) = pins.get(at) {
            return Some(DownloadRow::Pin(pin));
        }
        let at = at - pins.len();
        if let Some(download) = active.get(at) {
            return Some(DownloadRow::Active(download));
        }
        failed.get(at - active.len()).map(|(track, why)| DownloadRow::Failed(track, why))
    }

    pub(crate) fn selected(&self) -> Option<DownloadRow<'_>> {
        self.get(self.scroll.cursor)
    }

    /// Whether this item is on this device to stay, or will be.
    pub(crate) fn keeps(&self, item: &Item) -> bool {
        match item {
            Item::Track(id) => self.status.tracks.contains(id),
            other => self.status.is_pinned(&Pin::from(other.clone())),
        }
    }

    /// Cells that marks of rows take: one more where something is pinned.
    pub(crate) fn mark_cells(&self) -> usize {
        1 + usize::from(!self.status.pins.is_empty())
    }
}
