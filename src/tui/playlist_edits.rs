//! Changes of playlists carried out, each with both sides of it so that it can be taken back.
//!
//! Taking a change back brings the playlist to what it was before, as far as nobody else changed it meanwhile: what
//! others added stays at the end, what others took out stays out.

use std::collections::HashMap;

use super::effects::{Contents, PlaylistStep, PlaylistWish};
use super::outside::{Outside, collect};
use super::text;
use crate::catalog::{CatalogError, Listener, PlaylistEdit};
use crate::music::{PlaylistId, Track, TrackId};

/// Carries a change out.
pub(super) async fn change(outside: &dyn Outside, wish: &PlaylistWish) -> Result<PlaylistStep, CatalogError> {
    let library = outside.library();
    match wish {
        PlaylistWish::Create { name, source } => {
            let tracks = ids(&collect(outside, source).await?);
            let id = library.create_playlist(name, &tracks).await?;
            let (id, after) = contents(library, &id).await?;
            let what = format!("making the playlist “{}”", text::clean(&after.name));
            Ok(PlaylistStep { id, before: None, after: Some(after), what })
        }
        PlaylistWish::Add { id, source } => {
            let tracks = ids(&collect(outside, source).await?);
            let (id, before) = contents(library, id).await?;
            let what = format!("adding {} to {}", counted(&tracks), quoted(&before));
            if !tracks.is_empty() {
                let edit = PlaylistEdit { add: tracks, ..PlaylistEdit::default() };
                library.edit_playlist(&id, &edit).await?;
            }
            both(library, id, before, what).await
        }
        PlaylistWish::Remove { id, rows } => {
            let (id, before) = contents(library, id).await?;
            let edit = PlaylistEdit { remove: rows.clone(), ..PlaylistEdit::default() };
            library.edit_playlist(&id, &edit).await?;
            let what =
                format!("taking {} out of {}", text::count(rows.len() as u64, "track"), quoted(&before));
            both(library, id, before, what).await
        }
        PlaylistWish::Move { id, rows, by } => {
            let (id, before) = contents(library, id).await?;
            // Rows are counted among what is shown; entries of tracks that are away stand between them.
            let here = library.playlist(&id).await?.map(|(_, tracks)| ids(&tracks)).unwrap_or_default();
            let places = places(&before.tracks, &here);
            let rows: Vec<usize> = rows.iter().filter_map(|row| places.get(*row).copied()).collect();
            let order = super::state::moved(before.tracks.clone(), &rows, *by);
            library.replace_playlist(&id, None, &order).await?;
            let what = format!("moving {} in {}", text::count(rows.len() as u64, "track"), quoted(&before));
            both(library, id, before, what).await
        }
        PlaylistWish::Rename { id, name } => {
            let (id, before) = contents(library, id).await?;
            let edit = PlaylistEdit { name: Some(name.clone()), ..PlaylistEdit::default() };
            library.edit_playlist(&id, &edit).await?;
            let what = format!("renaming {}", quoted(&before));
            both(library, id, before, what).await
        }
        PlaylistWish::Delete { id } => {
            let (id, before) = contents(library, id).await?;
            library.delete_playlist(&id).await?;
            let what = format!("deleting {}", quoted(&before));
            Ok(PlaylistStep { id, before: Some(before), after: None, what })
        }
        PlaylistWish::Turn { step, redo } => turn(library, step, *redo).await,
    }
}

/// Brings a playlist to one side of a change from its other side.
async fn turn(library: &Listener, step: &PlaylistStep, redo: bool) -> Result<PlaylistStep, CatalogError> {
    let (from, to) = if redo { (&step.before, &step.after) } else { (&step.after, &step.before) };
    let mut id = step.id.clone();
    match (from, to) {
        (_, None) => {
            (id, _) = contents(library, &id).await?;
            library.delete_playlist(&id).await?;
        }
        (None, Some(to)) => {
            id = library.create_playlist(&to.name, &to.tracks).await?;
            if !to.comment.is_empty() || to.public {
                let edit = PlaylistEdit {
                    comment: Some(to.comment.clone()),
                    public: Some(to.public),
                    ..PlaylistEdit::default()
                };
                library.edit_playlist(&id, &edit).await?;
            }
        }
        (Some(from), Some(to)) => {
            let now;
            (id, now) = contents(library, &id).await?;
            if from.name != to.name {
                let edit = PlaylistEdit { name: Some(to.name.clone()), ..PlaylistEdit::default() };
                library.edit_playlist(&id, &edit).await?;
            }
            if from.tracks != to.tracks {
                let order = merged(&from.tracks, &to.tracks, &now.tracks);
                library.replace_playlist(&id, None, &order).await?;
            }
        }
    }
    Ok(PlaylistStep { id, ..step.clone() })
}

/// `to`, with what was added to `now` since `from`, and without what was taken out since.
fn merged(from: &[TrackId], to: &[TrackId], now: &[TrackId]) -> Vec<TrackId> {
    let counts = |list: &[TrackId]| {
        let mut counts: HashMap<TrackId, isize> = HashMap::new();
        for id in list {
            *counts.entry(id.clone()).or_default() += 1;
        }
        counts
    };
    let (was, mut more) = (counts(from), counts(now));
    for (id, n) in was {
        *more.entry(id).or_default() -= n;
    }
    let mut order: Vec<TrackId> = Vec::with_capacity(to.len());
    for id in to {
        match more.get_mut(id) {
            Some(n) if *n < 0 => *n += 1,
            _ => order.push(id.clone()),
        }
    }
    for id in now.iter().rev() {
        if let Some(n) = more.get_mut(id).filter(|n| **n > 0) {
            *n -= 1;
            order.push(id.clone());
        }
    }
    order
}

async fn both(
    library: &Listener,
    id: PlaylistId,
    before: Contents,
    what: String,
) -> Result<PlaylistStep, CatalogError> {
    let (id, after) = contents(library, &id).await?;
    Ok(PlaylistStep { id, before: Some(before), after: Some(after), what })
}

/// What stands in a playlist, and how it is called now.
async fn contents(library: &Listener, id: &PlaylistId) -> Result<(PlaylistId, Contents), CatalogError> {
    let (playlist, tracks) = library
        .playlist_entries(id)
        .await?
        .ok_or_else(|| CatalogError::Invalid("this playlist is no longer there".to_owned()))?;
    let contents =
        Contents { name: playlist.name, comment: playlist.comment, public: playlist.public, tracks };
    Ok((playlist.id, contents))
}

/// Where in the whole list the entries that are shown stand.
fn places(all: &[TrackId], here: &[TrackId]) -> Vec<usize> {
    let mut here = here.iter().peekable();
    let found = all.iter().enumerate().filter(|(_, id)| here.next_if_eq(id).is_some());
    found.map(|(place, _)| place).collect()
}

fn ids(tracks: &[Track]) -> Vec<TrackId> {
    tracks.iter().map(|track| track.id.clone()).collect()
}

fn counted(tracks: &[TrackId]) -> String {
    text::count(tracks.len() as u64, "track")
}

fn quoted(contents: &Contents) -> String {
    format!("“{}”", text::clean(&contents.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &str) -> Vec<TrackId> {
        words.split(' ').filter(|word| !word.is_empty()).map(TrackId::from).collect()
    }

    #[test]
    fn what_others_did_meanwhile_stays() {
        // Taken out here, then taken back: exactly as before.
        assert_eq!(merged(&list("a c"), &list("a b c"), &list("a c")), list("a b c"));
        // Somebody added x and took c out.
        assert_eq!(merged(&list("a c"), &list("a b c"), &list("a x")), list("a b x"));
        // One of two equal entries.
        assert_eq!(merged(&list("a b"), &list("a b a"), &list("a b")), list("a b a"));
    }

    #[test]
    fn rows_are_found_among_all_entries() {
        assert_eq!(places(&list("a gone b a"), &list("a b a")), [0, 2, 3]);
    }
}
