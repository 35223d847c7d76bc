//! Who listened to what, how much: a sparse listeners × items matrix, compressed by rows both ways.
//!
//! Triples `(user, item, weight)` come in any order; doubles are added up. The models read rows of either side
//! (`by_user`, `by_item`) and see the weight through a [`Weighting`], since the raw count of plays is far too
//! steep a measure of liking.

/// A sparse matrix in compressed rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    /// Rows from `(row, column, value)` sorted by row and column, without doubles.
    fn from_sorted(count: usize, cells: impl Iterator<Item = (u32, u32, f32)>) -> Self {
        let (mut starts, mut columns, mut values) = (vec![0; count + 1], Vec::new(), Vec::new());
        for (row, column, value) in cells {
            starts[row as usize + 1] += 1;
            columns.push(column);
            values.push(value);
        }
        for row in 0..count {
            starts[row + 1] += starts[row];
        }
        Self { starts, columns, values }
    }

    /// The same cells with rows and columns exchanged; `columns` is the number of columns.
    fn transposed(&self, columns: usize) -> Self {
        let mut starts = vec![0; columns + 1];
        for &column in &self.columns {
            starts[column as usize + 1] += 1;
        }
        for column in 0..columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let (mut rows, mut values) = (vec![0; self.columns.len()], vec![0.0; self.columns.len()]);
        for row in 0..self.len() {
            for (column, value) in self.row(row as u32) {
                let slot = &mut next[column as usize];
                rows[*slot] = row as u32;
                values[*slot] = value;
                *slot += 1;
            }
        }
        Self { starts, columns: rows, values }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// True if there is not one row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of stored cells.
    pub fn cells(&self) -> usize {
        self.columns.len()
    }

    /// The columns of a row, ascending; nothing for a row that does not exist.
    pub fn columns(&self, row: u32) -> &[u32] {
        self.range(row).and_then(|range| self.columns.get(range)).unwrap_or_default()
    }

    /// The values of a row, in the order of [`Rows::columns`].
    pub fn values(&self, row: u32) -> &[f32] {
        self.range(row).and_then(|range| self.values.get(range)).unwrap_or_default()
    }

    /// The cells of a row as `(column, value)`, by ascending column.
    pub fn row(&self, row: u32) -> impl ExactSizeIterator<Item = (u32, f32)> + Clone {
        self.columns(row).iter().copied().zip(self.values(row).iter().copied())
    }

    fn range(&self, row: u32) -> Option<std::ops::Range<usize>> {
        Some(*self.starts.get(row as usize)?..*self.starts.get(row as usize + 1)?)
    }
}

/// The listening of everybody: `users × items`, with a positive weight (plays, usually) in each stored cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Interactions {
    by_user: Rows,
    by_item: Rows,
}

impl Interactions {
    /// Builds the matrix. Users and items are numbered from 0; a number beyond `users` or `items` and a weight
    /// that is not positive and finite are left out; weights of one pair are added.
    pub fn new(users: usize, items: usize, triples: impl IntoIterator<Item = (u32, u32, f32)>) -> Self {
        let mut cells: Vec<(u32, u32, f32)> = triples
            .into_iter()
            .filter(|&(user, item, weight)| {
                (user as usize) < users && (item as usize) < items && weight > 0.0 && weight.is_finite()
            })
            .collect();
        cells.sort_by_key(|&(user, item, _)| (user, item));
        cells.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 += next.2;
            }
            same
        });
        let by_user = Rows::from_sorted(users, cells.into_iter());
        let by_item = by_user.transposed(items);
        Self { by_user, by_item }
    }

    /// Number of users, those without listening included.
    pub fn users(&self) -> usize {
        self.by_user.len()
    }

    /// Number of items in the catalogue, those that nobody played included.
    pub fn items(&self) -> usize {
        self.by_item.len()
    }

    /// Number of user-item pairs.
    pub fn cells(&self) -> usize {
        self.by_user.cells()
    }

    /// A row for each user, with items as columns.
    pub fn by_user(&self) -> &Rows {
        &self.by_user
    }

    /// A row for each item, with users as columns.
    pub fn by_item(&self) -> &Rows {
        &self.by_item
    }

    /// The cells as triples, by user and item.
    pub fn triples(&self) -> impl Iterator<Item = (u32, u32, f32)> + '_ {
        (0..self.users() as u32)
            .flat_map(|user| self.by_user.row(user).map(move |(item, value)| (user, item, value)))
    }

    /// The same pairs with weights seen through `weighting`.
    #[must_use]
    pub fn weighted(&self, weighting: Weighting) -> Self {
        let mut out = self.clone();
        for rows in [&mut out.by_user, &mut out.by_item] {
            for value in &mut rows.values {
                *value = weighting.apply(*value);
            }
        }
        out
    }
}

/// How a count of plays becomes a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Weighting {
    /// Played or not: 1.
    #[default]
    Binary,
    /// `ln(1 + plays)`: the choice of Hu, Koren and Volinsky (ICDM 2008), section 4, without its scale.
    Log,
    /// `1 + ln(plays)` from one play on, a milder slope: sublinear term frequency (Manning, Raghavan and Schütze,
    /// *Introduction to Information Retrieval*, 6.4.1).
    Sublinear,
}

impl Weighting {
    /// The weight of a positive count.
    pub fn apply(self, plays: f32) -> f32 {
        match self {
            Self::Binary => 1.0,
            Self::Log => plays.ln_1p(),
            Self::Sublinear => 1.0 + plays.max(1.0).ln(),
        }
    }
}

/// A listener's own history, most useful as the models' query: items with plays, ascending, without doubles.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    items: Vec<u32>,
    plays: Vec<f32>,
}

impl History {
    /// A history from pairs in any order; plays of one item are added, weights that are not positive are left out.
    pub fn new(pairs: impl IntoIterator<Item = (u32, f32)>) -> Self {
        let mut pairs: Vec<(u32, f32)> =
            pairs.into_iter().filter(|&(_, plays)| plays > 0.0 && plays.is_finite()).collect();
        pairs.sort_by_key(|&(item, _)| item);
        pairs.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let (items, plays) = pairs.into_iter().unzip();
        Self { items, plays }
    }

    /// The items played, ascending.
    pub fn items(&self) -> &[u32] {
        &self.items
    }

    /// Number of different items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True if nothing was played.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// True if the item was played.
    pub fn contains(&self, item: u32) -> bool {
        self.items.binary_search(&item).is_ok()
    }

    /// Items with their plays, ascending by item.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (u32, f32)> + Clone {
        self.items.iter().copied().zip(self.plays.iter().copied())
    }

    /// Items with their weights.
    pub fn weighted(&self, weighting: Weighting) -> impl ExactSizeIterator<Item = (u32, f32)> + Clone {
        self.pairs().map(move |(item, plays)| (item, weighting.apply(plays)))
    }
}
