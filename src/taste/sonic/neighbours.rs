//! Nearest neighbours by Euclidean distance, exactly. `|q − x|² = |q|² − 2 (q·x − |x|²/2)`, so the nearest rows are those
//! with the largest `q·x − |x|²/2`: a dot product with one more column, which [`Index`] finds in a pass over bytes.

use crate::taste::Index;

/// How different two recordings sound: the Euclidean distance of their vectors; infinite where they cannot be compared.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() || a.is_empty() {
        return f32::INFINITY;
    }
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

/// The middle of some vectors of the same length, to look for what is near all of them; empty without any.
pub fn middle<'a>(vectors: impl IntoIterator<Item = &'a [f32]>) -> Vec<f32> {
    let (mut sum, mut count): (Vec<f32>, f32) = (Vec::new(), 0.0);
    for vector in vectors {
        if sum.is_empty() {
            sum = vec![0.0; vector.len()];
        }
        if vector.len() == sum.len() {
            sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
            count += 1.0;
        }
    }
    for sum in &mut sum {
        *sum /= count.max(1.0);
    }
    sum
}

/// The vectors of a library, to be searched. Memory: `9 (d + 1) + 8` bytes a row of `d` values.
#[derive(Debug, Clone)]
pub struct Neighbours {
    width: usize,
    values: Vec<f32>,
    index: Index,
}

impl Neighbours {
    /// Over row-major `values` of `width`; built on `threads` threads.
    pub fn new(values: Vec<f32>, width: usize, threads: usize) -> Self {
        let width = width.max(1);
        let mut rows = Vec::with_capacity(values.len() / width * (width + 1));
        for row in values.chunks_exact(width) {
            rows.extend_from_slice(row);
            rows.push(-0.5 * row.iter().map(|value| value * value).sum::<f32>());
        }
        Self { width, index: Index::new(rows, width + 1, threads), values }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// A row's vector; empty behind the last.
    pub fn vector(&self, row: u32) -> &[f32] {
        let start = row as usize * self.width;
        self.values.get(start..start + self.width).unwrap_or_default()
    }

    /// The `k` rows nearest to `query`, none of them in `without` (ascending), as `(row, distance)`, nearest first. None
    /// for a query of another length.
    pub fn nearest(&self, query: &[f32], without: &[u32], k: usize, threads: usize) -> Vec<(u32, f32)> {
        if query.len() != self.width {
            return Vec::new();
        }
        let mut longer = query.to_vec();
        longer.push(1.0);
        let rows = self.index.top(&longer, without, k, threads);
        let mut near: Vec<(u32, f32)> =
            rows.into_iter().map(|(row, _)| (row, distance(query, self.vector(row)))).collect();
        near.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        near
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nearest_are_those_of_a_plain_search(
            values in prop::collection::vec(-4.0f32..4.0, 5..400), query in prop::collection::vec(-4.0f32..4.0, 5), k in 1usize..9,
        ) {
            let near = Neighbours::new(values.clone(), 5, 2);
            let found: Vec<f32> = near.nearest(&query, &[0], k, 2).into_iter().map(|(_, d)| d).collect();
            let mut plain: Vec<f32> = values.chunks_exact(5).skip(1).map(|row| distance(row, &query)).collect();
            plain.sort_by(f32::total_cmp);
            plain.truncate(k);
            prop_assert_eq!(found.len(), plain.len());
            for (a, b) in found.iter().zip(&plain) {
                prop_assert!((a - b).abs() < 1e-3, "{:?} {:?}", found, plain);
            }
        }
    }

    #[test]
    fn what_cannot_be_compared_is_far_away() {
        assert!(distance(&[1.0], &[1.0, 2.0]).is_infinite());
        assert!(distance(&[], &[]).is_infinite());
        assert!(Neighbours::new(vec![1.0, 2.0], 2, 1).nearest(&[1.0], &[], 3, 1).is_empty());
        assert_eq!(middle([[1.0_f32, 2.0].as_slice(), &[3.0, 4.0], &[9.0]]), [2.0, 3.0]);
    }
}
