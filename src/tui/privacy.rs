//! What the page on privacy needs from outside.

use super::effects::{Decision, Msg, PrivacyData, PrivacyThere};
use super::outside::{Outside, sentence};
use crate::catalog::CatalogError;
use crate::music::Purpose;

/// Tables that people have a word for.
const NOUNS: &[(&str, &str)] = &[
    ("plays", "play"),
    ("marks", "item with a star, rating or count"),
    ("playlists", "playlist"),
    ("bookmarks", "bookmark"),
    ("shares", "share"),
    ("api_keys", "device key"),
    ("app_passwords", "app password"),
    ("mixes", "mix"),
    ("less", "wish for less"),
    ("pins", "pin"),
    ("scrobbles", "scrobble"),
    ("outbox", "change that waits"),
    ("consents", "decision"),
];

fn nouns<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Vec<(&'static str, u64)> {
    let counts: Vec<(&str, u64)> = counts.collect();
    let count = |table: &str| counts.iter().find(|(known, _)| *known == table).map(|(_, count)| *count);
    NOUNS.iter().filter_map(|(table, noun)| Some((*noun, count(table)?))).collect()
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
        counts: nouns(counts.iter().map(|(table, count)| (table.as_str(), *count))),
    });
    Ok(PrivacyData { decisions, here: nouns(here.into_iter()), there })
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
