//! The few dense kernels that the models stand on, in `f32`: dot product, sum of scaled rows, matrix product,
//! Cholesky factor, triangular and full inverse of a symmetric positive definite matrix.
//!
//! Matrices are row-major slices. The instruction set is chosen once at run time (`pulp`), so that one binary
//! uses AVX2 or AVX-512 where there is some and still runs where there is none. The product packs both sides into
//! panels that fit the first- and second-level cache and keeps a tile of the result in registers, after Goto and
//! van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (ACM TOMS 34, 2008).

// A function that is not inlined is compiled for the oldest machine, not for its caller's instruction set.
#![allow(clippy::inline_always)]
// The formulas' own letters.
#![allow(clippy::many_single_char_names)]

use pulp::{Arch, Simd, WithSimd};

use super::parallel;

/// Rows of the register tile of the product.
const TILE_ROWS: usize = 6;
/// Vectors in a row of the register tile.
const TILE_VECTORS: usize = 2;
/// Depth of a packed panel: a panel of the right side stays in the first-level cache.
const DEPTH: usize = 256;
/// Rows packed at once from the left side: they stay in the second-level cache.
const ROWS: usize = 96;
/// Rows and columns of a block of the blocked factorisations.
const BLOCK: usize = 64;

/// A matrix seen through strides, so that one product serves a matrix and its transpose.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    data: &'a [f32],
    row: usize,
    column: usize,
}

impl<'a> View<'a> {
    /// Row-major data with rows of `width`.
    pub(crate) fn rows(data: &'a [f32], width: usize) -> Self {
        Self { data, row: width, column: 1 }
    }

    /// The transpose of row-major data with rows of `width`.
    pub(crate) fn transposed(data: &'a [f32], width: usize) -> Self {
        Self { data, row: 1, column: width }
    }

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> f32 {
        self.data[row * self.row + column * self.column]
    }
}

/// Buffers of the packed product, kept between calls.
#[derive(Default)]
pub(crate) struct Packs {
    left: Vec<f32>,
    right: Vec<f32>,
    tile: Vec<f32>,
}

#[inline(always)]
pub(crate) fn dot_simd<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let (a, a_tail) = S::as_simd_f32s(&a[..len]);
    let (b, b_tail) = S::as_simd_f32s(&b[..len]);
    let zero = simd.splat_f32s(0.0);
    let mut sums = [zero; 4];
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    for (x, y) in a4.iter().zip(b4) {
        for lane in 0..4 {
            sums[lane] = simd.mul_add_f32s(x[lane], y[lane], sums[lane]);
        }
    }
    for (x, y) in a_rest.iter().zip(b_rest) {
        sums[0] = simd.mul_add_f32s(*x, *y, sums[0]);
    }
    let [s0, s1, s2, s3] = sums;
    let sum = simd.add_f32s(simd.add_f32s(s0, s1), simd.add_f32s(s2, s3));
    let mut total = simd.reduce_sum_f32s(sum);
    for (x, y) in a_tail.iter().zip(b_tail) {
        total += x * y;
    }
    total
}

/// `y += scale · x`.
#[inline(always)]
pub(crate) fn axpy_simd<S: Simd>(simd: S, scale: f32, x: &[f32], y: &mut [f32]) {
    let len = x.len().min(y.len());
    let (x, x_tail) = S::as_simd_f32s(&x[..len]);
    let (y, y_tail) = S::as_mut_simd_f32s(&mut y[..len]);
    let factor = simd.splat_f32s(scale);
    for (x, y) in x.iter().zip(y) {
        *y = simd.mul_add_f32s(factor, *x, *y);
    }
    for (x, y) in x_tail.iter().zip(y_tail) {
        *y += scale * x;
    }
}

/// `c += sign · a · b` for `a` of `m × k`, `b` of `k × n` and `c` row-major with rows of `width`. For
/// a symmetric result, `upper_from` is the row of it at which `c` begins, and tiles below its diagonal are left out.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // the signature of a matrix product
pub(crate) fn gemm_simd<S: Simd>(
    simd: S,
    sign: f32,
    (m, n, k): (usize, usize, usize),
    a: View,
    b: View,
    c: &mut [f32],
    width: usize,
    packs: &mut Packs,
    upper_from: Option<usize>,
) {
    let columns = TILE_VECTORS * S::F32_LANES;
    packs.tile.resize(TILE_ROWS * columns, 0.0);
    for depth in (0..k).step_by(DEPTH) {
        let depth_len = DEPTH.min(k - depth);
        for top in (0..m).step_by(ROWS) {
            let rows = ROWS.min(m - top);
            let strips = rows.div_ceil(TILE_ROWS);
            packs.left.clear();
            packs.left.resize(strips * TILE_ROWS * depth_len, 0.0);
            for (strip, panel) in packs.left.chunks_exact_mut(TILE_ROWS * depth_len).enumerate() {
                for inner in 0..TILE_ROWS.min(rows - strip * TILE_ROWS) {
                    let row = top + strip * TILE_ROWS + inner;
                    for (p, cell) in panel.chunks_exact_mut(TILE_ROWS).enumerate() {
                        cell[inner] = a.at(row, depth + p);
                    }
                }
            }
            for left in (0..n).step_by(columns) {
                let wide = columns.min(n - left);
                packs.right.resize(columns * depth_len, 0.0);
                if b.column == 1 {
                    for (p, cells) in packs.right.chunks_exact_mut(columns).enumerate() {
                        let start = (depth + p) * b.row + left;
                        cells[..wide].copy_from_slice(&b.data[start..start + wide]);
                        cells[wide..].fill(0.0);
                    }
                } else {
                    for q in 0..columns {
                        for (p, cells) in packs.right.chunks_exact_mut(columns).enumerate() {
                            cells[q] = if q < wide { b.at(depth + p, left + q) } else { 0.0 };
                        }
                    }
                }
                for (strip, panel) in packs.left.chunks_exact(TILE_ROWS * depth_len).enumerate() {
                    let row = strip * TILE_ROWS;
                    if upper_from.is_some_and(|from| left + wide <= from + top + row) {
                        continue;
                    }
                    tile(simd, panel, &packs.right, columns, &mut packs.tile);
                    for inner in 0..TILE_ROWS.min(rows - row) {
                        let start = (top + row + inner) * width + left;
                        axpy_simd(
                            simd,
                            sign,
                            &packs.tile[inner * columns..inner * columns + wide],
                            &mut c[start..start + wide],
                        );
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn tile<S: Simd>(simd: S, left: &[f32], right: &[f32], columns: usize, out: &mut [f32]) {
    let zero = simd.splat_f32s(0.0);
    let mut sums = [[zero; TILE_VECTORS]; TILE_ROWS];
    let (left, _) = left.as_chunks::<TILE_ROWS>();
    for (a, b) in left.iter().zip(right.chunks_exact(columns)) {
        let (&[b0, b1], _) = S::as_simd_f32s(b) else { return };
        for row in 0..TILE_ROWS {
            let factor = simd.splat_f32s(a[row]);
            sums[row][0] = simd.mul_add_f32s(factor, b0, sums[row][0]);
            sums[row][1] = simd.mul_add_f32s(factor, b1, sums[row][1]);
        }
    }
    for (row, out) in sums.iter().zip(out.chunks_exact_mut(columns)) {
        let (out, _) = S::as_mut_simd_f32s(out);
        for (value, slot) in row.iter().zip(out) {
            *slot = *value;
        }
    }
}

/// Four dot products that share one side. (No closures here: they would not inherit the instruction set.)
#[inline(always)]
pub(crate) fn dot4_simd<S: Simd>(simd: S, a: &[f32], b: [&[f32]; 4]) -> [f32; 4] {
    let len = a.len().min(b[0].len()).min(b[1].len()).min(b[2].len()).min(b[3].len());
    let (a, a_tail) = S::as_simd_f32s(&a[..len]);
    let (b0, t0) = S::as_simd_f32s(&b[0][..len]);
    let (b1, t1) = S::as_simd_f32s(&b[1][..len]);
    let (b2, t2) = S::as_simd_f32s(&b[2][..len]);
    let (b3, t3) = S::as_simd_f32s(&b[3][..len]);
    let zero = simd.splat_f32s(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    for ((((x, y0), y1), y2), y3) in a.iter().zip(b0).zip(b1).zip(b2).zip(b3) {
        s0 = simd.mul_add_f32s(*x, *y0, s0);
        s1 = simd.mul_add_f32s(*x, *y1, s1);
        s2 = simd.mul_add_f32s(*x, *y2, s2);
        s3 = simd.mul_add_f32s(*x, *y3, s3);
    }
    let mut totals = [
        simd.reduce_sum_f32s(s0),
        simd.reduce_sum_f32s(s1),
        simd.reduce_sum_f32s(s2),
        simd.reduce_sum_f32s(s3),
    ];
    for (total, tail) in totals.iter_mut().zip([t0, t1, t2, t3]) {
        for (x, y) in a_tail.iter().zip(tail) {
            *total += x * y;
        }
    }
    totals
}

/// Rows of a triangular factor begin at multiples of this many numbers, and are zero up to the diagonal and with
/// it, so that every operation on a part of a row may begin at a vector's edge and run on to one.
const PAD: usize = 16;

/// The distance between the rows of a padded `n × n` matrix.
pub(crate) fn stride(n: usize) -> usize {
    n.next_multiple_of(PAD)
}

#[inline(always)]
fn edge(n: usize) -> usize {
    n - n % PAD
}

/// A Cholesky factor: `A = Uᵀ U`, with `U` strictly above the diagonal in `rows` (padded, see [`stride`]) and the
/// reciprocals of its diagonal apart.
#[derive(Default, Clone, Debug)]
pub(crate) struct Factor {
    n: usize,
    rows: Vec<f32>,
    reciprocals: Vec<f32>,
}

impl Factor {
    /// An all-zero matrix to be filled (its upper triangle, by [`Factor::row`]) and factored.
    #[inline(always)]
    pub(crate) fn reset(&mut self, n: usize) {
        self.n = n;
        self.rows.clear();
        self.rows.resize(n * stride(n), 0.0);
        self.reciprocals.clear();
        self.reciprocals.resize(n, 0.0);
    }

    /// The part of a row that counts: from the diagonal on.
    #[inline(always)]
    pub(crate) fn row(&mut self, row: usize) -> &mut [f32] {
        let start = row * stride(self.n);
        &mut self.rows[start + row..start + self.n]
    }

    /// Factors the upper triangle in place, by rows and without a reduction. Pivots that rounding has driven to
    /// zero or below are lifted to a tiny positive value.
    #[inline(always)]
    pub(crate) fn decompose_simd<S: Simd>(&mut self, simd: S) {
        let stride = stride(self.n);
        for j in 0..self.n {
            let (above, below) = self.rows.split_at_mut((j + 1) * stride);
            let row = &mut above[j * stride..];
            let reciprocal = row[j].max(1e-18).sqrt().recip();
            self.reciprocals[j] = reciprocal;
            row[edge(j)..=j].fill(0.0);
            for cell in &mut row[edge(j)..] {
                *cell *= reciprocal;
            }
            let row = &above[j * stride..];
            for (i, under) in (j + 1..self.n).zip(below.chunks_exact_mut(stride)) {
                axpy_simd(simd, -row[i], &row[edge(i)..], &mut under[edge(i)..]);
            }
        }
    }

    /// Solves `A x = x` in place; `x` has `stride(n)` numbers, zero from `n` on.
    #[inline(always)]
    pub(crate) fn solve_simd<S: Simd>(&self, simd: S, x: &mut [f32]) {
        let stride = stride(self.n).max(1);
        for (i, row) in self.rows.chunks_exact(stride).enumerate() {
            x[i] *= self.reciprocals[i];
            let value = x[i];
            axpy_simd(simd, -value, &row[edge(i)..], &mut x[edge(i)..]);
        }
        for (i, row) in self.rows.chunks_exact(stride).enumerate().rev() {
            x[i] = (x[i] - dot_simd(simd, &row[edge(i)..], &x[edge(i)..])) * self.reciprocals[i];
        }
    }

    /// `U⁻ᵀ`, lower triangular in padded rows.
    #[inline(always)]
    fn inverse_simd<S: Simd>(&self, simd: S) -> Vec<f32> {
        let stride = stride(self.n);
        let mut out = vec![0.0; self.n * stride];
        for i in 0..self.n {
            let (above, rest) = out.split_at_mut(i * stride);
            let row = &mut rest[..stride];
            let pivot = self.reciprocals[i];
            for (j, done) in above.chunks_exact(stride).enumerate() {
                let end = (j + 1).next_multiple_of(PAD);
                axpy_simd(simd, -self.rows[j * stride + i] * pivot, &done[..end], &mut row[..end]);
            }
            row[i] = pivot;
        }
        out
    }

    /// Factors the upper triangle in place.
    pub(crate) fn decompose(&mut self) {
        Arch::new().dispatch(Decompose(self));
    }

    /// Solves `A x = x` in place for `x` of `n` numbers.
    pub(crate) fn solve(&self, x: &mut Vec<f32>) {
        x.resize(stride(self.n), 0.0);
        Arch::new().dispatch(Solve(self, x));
        x.truncate(self.n);
    }

    /// `A⁻¹ = U⁻¹ U⁻ᵀ`, dense with rows of `n`.
    pub(crate) fn inverse(&self) -> Vec<f32> {
        let (n, stride) = (self.n, stride(self.n));
        let lower = Arch::new().dispatch(Inverse(self));
        let (mut out, mut packs) = (vec![0.0; n * n], Packs::default());
        let (a, b) = (View::transposed(&lower, stride), View::rows(&lower, stride));
        Arch::new().dispatch(Gemm {
            sign: 1.0,
            shape: (n, n, n),
            a,
            b,
            c: &mut out,
            width: n,
            packs: &mut packs,
            upper_from: None,
        });
        out
    }
}

struct Decompose<'a>(&'a mut Factor);
impl WithSimd for Decompose<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.decompose_simd(simd);
    }
}

struct Solve<'a>(&'a Factor, &'a mut [f32]);
impl WithSimd for Solve<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.solve_simd(simd, self.1);
    }
}

struct Inverse<'a>(&'a Factor);
impl WithSimd for Inverse<'_> {
    type Output = Vec<f32>;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        self.0.inverse_simd(simd)
    }
}

struct Dot<'a>(&'a [f32], &'a [f32]);
impl WithSimd for Dot<'_> {
    type Output = f32;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        dot_simd(simd, self.0, self.1)
    }
}

/// The dot product of two slices of one length.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    Arch::new().dispatch(Dot(a, b))
}

struct Dots<'a>(&'a [f32], &'a [f32], &'a mut [f32]);
impl WithSimd for Dots<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (row, slot) in self.0.chunks_exact(self.1.len()).zip(self.2) {
            *slot = dot_simd(simd, row, self.1);
        }
    }
}

/// `out[i] = rows[i] · x`: one streaming pass over `rows`.
pub(crate) fn dots(rows: &[f32], x: &[f32], out: &mut [f32]) {
    if !x.is_empty() {
        Arch::new().dispatch(Dots(rows, x, out));
    }
}

struct AddRows<'a>(&'a [f32], &'a [(u32, f32)], &'a mut [f32]);
impl WithSimd for AddRows<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.2.len();
        for &(row, scale) in self.1 {
            let start = row as usize * width;
            axpy_simd(simd, scale, &self.0[start..start + width], self.2);
        }
    }
}

/// `out += Σ scale · rows[row]` over the given rows.
pub(crate) fn add_rows(rows: &[f32], picks: &[(u32, f32)], out: &mut [f32]) {
    Arch::new().dispatch(AddRows(rows, picks, out));
}

struct Gemm<'a> {
    sign: f32,
    shape: (usize, usize, usize),
    a: View<'a>,
    b: View<'a>,
    c: &'a mut [f32],
    width: usize,
    packs: &'a mut Packs,
    upper_from: Option<usize>,
}
impl WithSimd for Gemm<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        gemm_simd(
            simd,
            self.sign,
            self.shape,
            self.a,
            self.b,
            self.c,
            self.width,
            self.packs,
            self.upper_from,
        );
    }
}

/// `out = rows · right`, where `rows` has rows of `k` and `right` is `k × n`, on `threads` threads.
pub(crate) fn product(threads: usize, rows: &[f32], k: usize, right: View, n: usize, out: &mut [f32]) {
    if k == 0 || n == 0 {
        return;
    }
    let pieces = out.chunks_mut(4 * ROWS * n).zip(rows.chunks(4 * ROWS * k));
    parallel::for_each(threads, pieces, Packs::default, |packs, (out, rows)| {
        out.fill(0.0);
        let shape = (out.len() / n, n, k);
        let (a, b) = (View::rows(rows, k), right);
        Arch::new().dispatch(Gemm { sign: 1.0, shape, a, b, c: out, width: n, packs, upper_from: None });
    });
}

/// `rowsᵀ · rows` (`k × k`) for row-major `rows` of width `k`, on `threads` threads.
pub(crate) fn gram(threads: usize, rows: &[f32], k: usize, out: &mut [f32]) {
    if k == 0 {
        return;
    }
    let count = rows.len() / k;
    parallel::for_each(threads, out.chunks_mut(48 * k).enumerate(), Packs::default, |packs, (index, out)| {
        out.fill(0.0);
        let shape = (out.len() / k, k, count);
        let a = View { data: rows.get(index * 48..).unwrap_or_default(), row: 1, column: k };
        Arch::new().dispatch(Gemm {
            sign: 1.0,
            shape,
            a,
            b: View::rows(rows, k),
            c: out,
            width: k,
            packs,
            upper_from: Some(index * 48),
        });
    });
    for row in 1..k {
        for column in 0..row {
            out[row * k + column] = out[column * k + row];
        }
    }
}

/// Inverts the symmetric positive definite `a` (`n × n`) in place by blocked Gauss-Jordan elimination: `n³`
/// multiply-adds, nearly all of them in matrix products, on `threads` threads.
pub(crate) fn invert_spd(threads: usize, a: &mut [f32], n: usize) {
    let mut packs = Packs::default();
    for start in (0..n).step_by(BLOCK) {
        let size = BLOCK.min(n - start);
        let mut block = Factor::default();
        block.reset(size);
        for row in 0..size {
            let from = (start + row) * n + start;
            block.row(row).copy_from_slice(&a[from + row..from + size]);
        }
        block.decompose();
        let pivot = block.inverse();
        // The pivot rows, multiplied by the inverse of the pivot block; within the block they become that inverse.
        let old = a[start * n..(start + size) * n].to_vec();
        let mut rows = vec![0.0; size * n];
        let (left, right) = (View::rows(&pivot, size), View::rows(&old, n));
        let shape = (size, n, size);
        Arch::new().dispatch(Gemm {
            sign: 1.0,
            shape,
            a: left,
            b: right,
            c: &mut rows,
            width: n,
            packs: &mut packs,
            upper_from: None,
        });
        for (row, cells) in pivot.chunks_exact(size).enumerate() {
            rows[row * n + start..row * n + start + size].copy_from_slice(cells);
        }
        let pieces = a.chunks_mut(ROWS * n).enumerate();
        parallel::for_each(threads, pieces, Packs::default, |packs, (index, piece)| {
            let count = piece.len() / n;
            let mut column = vec![0.0; count * size];
            for (row, cells) in column.chunks_exact_mut(size).enumerate() {
                let at = index * ROWS + row;
                let from = &mut piece[row * n + start..row * n + start + size];
                if at < start || at >= start + size {
                    cells.copy_from_slice(from);
                    from.fill(0.0);
                }
            }
            let shape = (count, n, size);
            let (a, b) = (View::rows(&column, size), View::rows(&rows, n));
            Arch::new().dispatch(Gemm {
                sign: -1.0,
                shape,
                a,
                b,
                c: piece,
                width: n,
                packs,
                upper_from: None,
            });
        });
        a[start * n..(start + size) * n].copy_from_slice(&rows);
    }
}
