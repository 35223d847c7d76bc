//! Counting neighbours.

use segue::taste::sonic::distance;

/// Neighbours looked at for each seed.
pub(crate) const NEAREST: usize = 5;

/// A track as the check sees it; the names are looked at only for counting.
pub(crate) struct Row {
    pub(crate) artist: String,
    pub(crate) album: String,
    pub(crate) title: String,
    pub(crate) vector: Vec<f32>,
}

/// Rows to start from, evenly through the library in an order that has nothing to do with its own.
pub(crate) fn seeds(rows: usize, count: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..rows).collect();
    all.sort_by_key(|n| (*n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    all.truncate(count);
    all
}

/// One seed: its neighbours of the same album, of the same artist, and how many of each chance would give.
pub(crate) struct Found {
    pub(crate) near: Vec<usize>,
    pub(crate) same_album: usize,
    pub(crate) same_artist: usize,
    pub(crate) chance: f64,
}

/// Neighbours of a seed by Euclidean distance.
pub(crate) fn look(rows: &[Row], seed: usize) -> Found {
    let from = &rows[seed];
    let mut near: Vec<(f32, usize)> = rows
        .iter()
        .enumerate()
        .filter(|(n, _)| *n != seed)
        .map(|(n, row)| (distance(&row.vector, &from.vector), n))
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near.truncate(NEAREST);
    let related = |row: &Row| row.artist == from.artist || row.album == from.album;
    let all = rows.iter().filter(|row| related(row)).count().saturating_sub(1);
    Found {
        same_album: near.iter().filter(|(_, n)| rows[*n].album == from.album).count(),
        same_artist: near.iter().filter(|(_, n)| related(&rows[*n])).count(),
        chance: all as f64 / rows.len().saturating_sub(1).max(1) as f64,
        near: near.into_iter().map(|(_, n)| n).collect(),
    }
}

/// The share of neighbours from the same album or artist, that of chance, and how many times as much it is.
pub(crate) fn over_chance(rows: &[Row], seeds: &[usize]) -> (f64, f64, f64) {
    let found: Vec<Found> = seeds.iter().map(|seed| look(rows, *seed)).collect();
    let looked: usize = found.iter().map(|f| f.near.len()).sum();
    let share = found.iter().map(|f| f.same_artist).sum::<usize>() as f64 / looked.max(1) as f64;
    let chance = found.iter().map(|f| f.chance).sum::<f64>() / found.len().max(1) as f64;
    (share, chance, share / chance.max(f64::MIN_POSITIVE))
}
