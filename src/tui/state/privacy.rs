//! What is kept of the listener, and what they decide about it.

use super::Scroll;
use crate::music::Purpose;
use crate::tui::effects::{PrivacyData, PrivacyWish};

/// A row that does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrivacyRow {
    /// A use that is allowed or not.
    Purpose(Purpose),
    /// A private session begins or ends.
    Private,
    /// A copy of everything into a file.
    Export,
    /// The account's end, or its return.
    Erase,
    /// What the listener's plan allows.
    Plan,
}

/// State of the page.
#[derive(Debug, Default)]
pub(crate) struct PrivacyPage {
    pub(crate) data: Option<PrivacyData>,
    pub(crate) scroll: Scroll,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    /// The generation of the catalog that it was asked for in; none when it is to be asked for again.
    pub(crate) fresh: Option<u64>,
}

impl PrivacyPage {
    /// From top to bottom.
    pub(crate) const ROWS: [PrivacyRow; 8] = [
        PrivacyRow::Purpose(Purpose::History),
        PrivacyRow::Purpose(Purpose::Personalisation),
        PrivacyRow::Purpose(Purpose::PersonalAds),
        PrivacyRow::Purpose(Purpose::Analytics),
        PrivacyRow::Private,
        PrivacyRow::Export,
        PrivacyRow::Erase,
        PrivacyRow::Plan,
    ];

    /// The row under the cursor.
    pub(crate) fn row(&self) -> PrivacyRow {
        Self::ROWS.get(self.scroll.cursor).copied().unwrap_or(PrivacyRow::Private)
    }

    /// Whether a use is allowed, as far as that is known.
    pub(crate) fn allows(&self, purpose: Purpose) -> Option<bool> {
        let decisions = &self.data.as_ref()?.decisions;
        decisions.iter().find(|decision| decision.purpose == purpose).map(|decision| decision.on)
    }

    /// When the server erases the account, Unix ms.
    pub(crate) fn erase_at(&self) -> Option<i64> {
        self.data.as_ref()?.there.as_ref()?.erase_at
    }
}

/// A password being typed, and what it is for.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) wish: PrivacyWish,
}

impl Secret {
    /// What stands before the dots.
    pub(crate) const fn label(&self) -> &'static str {
        match self.wish {
            PrivacyWish::Export(_) => "Password (none: only what this player keeps): ",
            PrivacyWish::Erase => "Password, to erase everything: ",
            PrivacyWish::TakeBack => "Password, to stay: ",
        }
    }
}
