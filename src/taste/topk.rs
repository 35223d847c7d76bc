//! The best of many, exactly: the largest of a list of scores, and the largest dot products among millions of rows.
//!
//! [`Best`] keeps the `k` best seen so far in a buffer of twice that, with the score that a newcomer must beat; nearly
//! all of a long list fails that one comparison. [`Index`] finds the rows with the largest dot product with a query in
//! two passes: the first streams an 8-bit copy, a quarter of the bytes, and keeps each row that could still belong to
//! the best given the known length of its rounding error (Cauchy-Schwarz: `|x·y − x·ŷ| ≤ |x| |y − ŷ|`); the
//! second computes the few survivors exactly in `f32`. The result is the same as that of a full pass over the `f32` rows.

// A function that is not inlined is compiled for the oldest machine, not for its caller's instruction set.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::{kernels, parallel};

/// The `k` largest of what is offered; ties go to the smaller number.
#[derive(Debug, Clone)]
pub struct Best {
    k: usize,
    floor: f32,
    kept: Vec<(f32, u32)>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that sorting asks for
fn better(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

impl Best {
    /// Room for the `k` best.
    pub fn new(k: usize) -> Self {
        Self { k, floor: f32::NEG_INFINITY, kept: Vec::with_capacity(2 * k) }
    }

    /// The score below which nothing is kept any more.
    pub fn floor(&self) -> f32 {
        self.floor
    }

    /// Offers one.
    pub fn offer(&mut self, item: u32, score: f32) {
        if score < self.floor || self.k == 0 || score.is_nan() {
            return;
        }
        self.kept.push((score, item));
        if self.kept.len() >= 2 * self.k {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        if self.kept.len() > self.k && self.k > 0 {
            let (_, last, _) = self.kept.select_nth_unstable_by(self.k - 1, better);
            self.floor = last.0;
            self.kept.truncate(self.k);
        }
    }

    /// The best as `(item, score)`, best first.
    pub fn into_sorted(mut self) -> Vec<(u32, f32)> {
        self.shrink();
        self.kept.sort_unstable_by(better);
        self.kept.into_iter().map(|(score, item)| (item, score)).collect()
    }
}

/// The `k` largest of `scores` without those in `known` (ascending), as `(item, score)`, best first.
pub fn largest(scores: &[f32], known: &[u32], k: usize) -> Vec<(u32, f32)> {
    let mut best = Best::new(k);
    let mut known = known.iter().copied().peekable();
    for (item, &score) in scores.iter().enumerate() {
        let item = item as u32;
        while known.next_if(|known| *known < item).is_some() {}
        if score >= best.floor() && known.peek() != Some(&item) {
            best.offer(item, score);
        }
    }
    best.into_sorted()
}

/// Rows of the 8-bit copy are padded to a multiple of this.
const LANES: usize = 32;
/// Rows that one thread takes at a time.
const PIECE: usize = 16_384;
/// Largest value of a rounded query: keeps the sum of a row of 4,096 products within 32 bits.
const QUERY_MAX: f32 = 4095.0;

/// Rows of factors with an 8-bit copy beside them. Memory: `5 d + 8` bytes a row.
#[derive(Debug, Clone)]
pub struct Index {
    width: usize,
    rows: Vec<f32>,
    padded: usize,
    bytes: Vec<i8>,
    /// For each row: the value of one unit of its bytes, and the length of its rounding error.
    scales: Vec<(f32, f32)>,
}

impl Index {
    /// An index over row-major `rows` of `width`, built on `threads` threads.
    pub fn new(rows: Vec<f32>, width: usize, threads: usize) -> Self {
        let width = width.max(1);
        let padded = width.next_multiple_of(LANES);
        let count = rows.len() / width;
        let (mut bytes, mut scales) = (vec![0_i8; count * padded], vec![(0.0, 0.0); count]);
        let pieces =
            rows.chunks(PIECE * width).zip(bytes.chunks_mut(PIECE * padded).zip(scales.chunks_mut(PIECE)));
        parallel::for_each(
            threads,
            pieces,
            || (),
            |(), (rows, (bytes, scales))| {
                let rows = rows.chunks_exact(width);
                for ((row, bytes), scale) in rows.zip(bytes.chunks_exact_mut(padded)).zip(scales) {
                    let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
                    let unit = if largest > 0.0 { largest / 127.0 } else { 1.0 };
                    let mut error = 0.0;
                    for (value, byte) in row.iter().zip(bytes) {
                        let rounded = (value / unit).round();
                        *byte = rounded as i8;
                        error += (value - rounded * unit).powi(2);
                    }
                    *scale = (unit, error.sqrt());
                }
            },
        );
        Self { width, rows, padded, bytes, scales }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// The `k` rows, none of them in `known` (ascending), with the largest dot product with `query`, as `(row, product)`,
    /// best first; on `threads` threads.
    pub fn top(&self, query: &[f32], known: &[u32], k: usize, threads: usize) -> Vec<(u32, f32)> {
        let length = kernels::dot(query, query).sqrt();
        let largest = query.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let unit = if largest > 0.0 { largest / QUERY_MAX } else { 1.0 };
        let mut rounded = vec![0_i16; self.padded];
        let mut query_error = 0.0;
        for (value, slot) in query.iter().zip(&mut rounded) {
            let whole = (value / unit).round();
            *slot = whole as i16;
            query_error += (value - whole * unit).powi(2);
        }
        let query_error = query_error.sqrt();
        let pieces = self.len().div_ceil(PIECE);
        let survivors = parallel::map(
            threads,
            pieces,
            || vec![0_i32; PIECE],
            |products, piece| {
                let start = piece * PIECE;
                let end = (start + PIECE).min(self.len());
                let bytes = &self.bytes[start * self.padded..end * self.padded];
                Arch::new().dispatch(Products { bytes, query: &rounded, padded: self.padded, out: products });
                // Lower bounds make the floor, upper bounds pass it.
                let (mut floor, mut kept) = (Best::new(k), Vec::new());
                for (row, (&product, &(scale, error))) in
                    (start..end).zip(products.iter().zip(&self.scales[start..end]))
                {
                    let about = product as f32 * scale * unit;
                    // |x||y−ŷ| + |x−x̂||ŷ| and a little for the rounding of the sums themselves.
                    let slack = length * error + query_error * scale * 127.0 * (self.width as f32).sqrt();
                    let slack = slack * 1.001 + about.abs() * 1e-5;
                    if about + slack >= floor.floor() && known.binary_search(&(row as u32)).is_err() {
                        floor.offer(row as u32, about - slack);
                        kept.push((row as u32, about + slack));
                    }
                }
                floor.shrink();
                let floor = if floor.kept.len() < k { f32::NEG_INFINITY } else { floor.floor() };
                kept.retain(|&(_, upper)| upper >= floor);
                (kept, floor)
            },
        );
        // Any piece's floor is a score that k rows reach, so the highest one holds for all.
        let floor = survivors.iter().fold(f32::NEG_INFINITY, |floor, (_, own)| floor.max(*own));
        let mut best = Best::new(k);
        for (row, upper) in survivors.into_iter().flat_map(|(kept, _)| kept) {
            if upper >= floor && upper >= best.floor() {
                let start = row as usize * self.width;
                best.offer(row, kernels::dot(&self.rows[start..start + self.width], query));
            }
        }
        best.into_sorted()
    }

    /// The same answer by one pass over the `f32` rows.
    pub fn top_by_full_pass(
        &self,
        query: &[f32],
        known: &[u32],
        k: usize,
        threads: usize,
    ) -> Vec<(u32, f32)> {
        let pieces = self.len().div_ceil(PIECE);
        let found = parallel::map(
            threads,
            pieces,
            || vec![0.0_f32; PIECE],
            |products, piece| {
                let start = piece * PIECE;
                let end = (start + PIECE).min(self.len());
                kernels::dots(&self.rows[start * self.width..end * self.width], query, products);
                let mut best = Best::new(k);
                for (row, &product) in (start..end).zip(products.iter()) {
                    if product >= best.floor() && known.binary_search(&(row as u32)).is_err() {
                        best.offer(row as u32, product);
                    }
                }
                best.into_sorted()
            },
        );
        let mut best = Best::new(k);
        for (row, product) in found.into_iter().flatten() {
            best.offer(row, product);
        }
        best.into_sorted()
    }
}

struct Products<'a> {
    bytes: &'a [i8],
    query: &'a [i16],
    padded: usize,
    out: &'a mut [i32],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (query, _) = self.query.as_chunks::<LANES>();
        for (row, out) in self.bytes.chunks_exact(self.padded).zip(self.out) {
            let (row, _) = row.as_chunks::<LANES>();
            let mut sum = 0_i32;
            for (bytes, query) in row.iter().zip(query) {
                for lane in 0..LANES {
                    sum += i32::from(bytes[lane]) * i32::from(query[lane]);
                }
            }
            *out = sum;
        }
    }
}
