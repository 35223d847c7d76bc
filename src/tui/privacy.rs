//! What the page on privacy needs from outside.

use super::effects::{Decision, Msg, PrivacyData, PrivacyThere};
use super::outside::{Outside, sentence};
use crate::catalog::CatalogError;
use crate::music::{Purpose, number};

/// Tables that people have a word for: of one row, and of any other number of them.
const NOUNS: &[(&str, &str, &str)] = &[
    ("plays", "play", "plays"),
    ("marks", "star, rating or count", "stars, ratings and counts"),
    ("playlists", "playlist", "playlists"),
    ("bookmarks", "bookmark", "bookmarks"),
    ("shares", "share", "shares"),
    ("api_keys", "device", "devices"),
    ("app_passwords", "app password", "app passwords"),
    ("mixes", "mix", "mixes"),
    ("less", "wish for less", "wishes for less"),
    ("pins", "pin", "pins"),
    ("scrobbles", "scrobble", "scrobbles"),
    ("outbox", "change that waits", "changes that wait"),
    ("consents", "decision", "decisions"),
];

fn nouns(counts: &[(&str, u64)]) -> Vec<String> {
    let words = |(table, one, many): &(&str, &str, &str)| {
        let (_, count) = counts.iter().find(|(known, _)| known == table)?;
        Some(format!("{} {}", number(*count), if *count == 1 { one } else { many }))
    };
    NOUNS.iter().filter_map(words).collect()
}

/// What is kept of the listener here and, where the server can be asked, there.
pub(super) async fn kept(outside: &dyn Outside) -> Result<PrivacyData, CatalogError> {
    let library = outside.library();
    let consents = outside.catalog().consents(library.account()).await?;
    let mut decisions = Vec::new();
    for purpose in Purpose::ALL {
        let last = consents.iter().rev().find(|consent| consent.purpose == purpose);
        decisions.push(Decision {
            purpose,
            on: library.allows(purpose).await?,
            at: last.map(|consent| consent.at),
            waits: library.decision_waits(purpose).await?,
        });
    }
    let here = outside.catalog().personal_counts(library.account()).await?;
    let there = outside.kept_there().await.map(|(counts, erase_at)| PrivacyThere {
        erase_at,
        counts: nouns(&counts.iter().map(|(table, count)| (table.as_str(), *count)).collect::<Vec<_>>()),
    });
    Ok(PrivacyData { decisions, here: nouns(&here), there })
}

/// Writes a decision down and has the server told.
pub(super) async fn decide(outside: &dyn Outside, purpose: Purpose, on: bool) -> Option<Msg> {
    let done = outside.library().decide(purpose, on, Purpose::TEXT_VERSION).await;
    outside.taste_changed();
    outside.outbox_changed();
    let what = purpose.title();
    Some(Msg::Privacy(match done {
        Ok(()) => Ok(format!("{what}: {}.", if on { "allowed from now on" } else { "no more from now on" })),
        Err(error) => Err(sentence(&error)),
    }))
}
