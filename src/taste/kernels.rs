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
/// Columns packed at once from the right side.
const COLUMNS: usize = 512;
/// Rows and columns of a block of the blocked factorisations.
const BLOCK: usize = 64;

/// The widest rows whose products with each other are summed part by part, of this many rows.
const NARROW: usize = 256;
const PART_ROWS: usize = 2048;

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

/// What of a product needs to be computed.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// All of it.
    All,
    /// Of a symmetric result, the tiles that reach its diagonal or lie above it; the rows begin at this one of it.
    Upper(usize),
    /// All of it; the right side is zero below its diagonal.
    Triangle,
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

/// `y = scale · x`.
#[inline(always)]
pub(crate) fn scale_simd<S: Simd>(simd: S, scale: f32, x: &[f32], y: &mut [f32]) {
    let len = x.len().min(y.len());
    let (x, x_tail) = S::as_simd_f32s(&x[..len]);
    let (y, y_tail) = S::as_mut_simd_f32s(&mut y[..len]);
    let factor = simd.splat_f32s(scale);
    for (x, y) in x.iter().zip(y) {
        *y = simd.mul_f32s(factor, *x);
    }
    for (x, y) in x_tail.iter().zip(y_tail) {
        *y = scale * x;
    }
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

/// `c += sign · a · b` for `a` of `m × k`, `b` of `k × n` and `c` row-major with rows of `width`.
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
    part: Part,
) {
    let columns = TILE_VECTORS * S::F32_LANES;
    packs.tile.resize(TILE_ROWS * columns, 0.0);
    for (first, depth) in
        (0..n).step_by(COLUMNS).flat_map(|first| (0..k).step_by(DEPTH).map(move |p| (first, p)))
    {
        let (wide, deep) = (COLUMNS.min(n - first), DEPTH.min(k - depth));
        pack_right(simd, b, (depth, deep), (first, wide), columns, &mut packs.right);
        for top in (0..m).step_by(ROWS) {
            let rows = ROWS.min(m - top);
            pack_left(a, (top, rows), (depth, deep), &mut packs.left);
            for (panel, right) in packs.right.chunks_exact(columns * deep).enumerate() {
                let left = first + panel * columns;
                let wide = columns.min(n - left);
                let deep_here = match part {
                    Part::Triangle => deep.min((left + wide).saturating_sub(depth)),
                    Part::All | Part::Upper(_) => deep,
                };
                for (strip, panel) in packs.left.chunks_exact(TILE_ROWS * deep).enumerate() {
                    let row = strip * TILE_ROWS;
                    if matches!(part, Part::Upper(from) if left + wide <= from + top + row) {
                        continue;
                    }
                    tile(simd, &panel[..TILE_ROWS * deep_here], right, columns, &mut packs.tile);
                    for inner in 0..TILE_ROWS.min(rows - row) {
                        let start = (top + row + inner) * width + left;
                        let tile = &packs.tile[inner * columns..inner * columns + wide];
                        axpy_simd(simd, sign, tile, &mut c[start..start + wide]);
                    }
                }
            }
        }
    }
}

/// Copies a part of the left side into strips of [`TILE_ROWS`] rows, each strip column by column; what the last
/// one has not is zero. The parts are `(first, count)`.
#[inline(always)]
fn pack_left(a: View, (top, rows): (usize, usize), (depth, deep): (usize, usize), out: &mut Vec<f32>) {
    out.resize(rows.div_ceil(TILE_ROWS) * TILE_ROWS * deep, 0.0);
    for (strip, panel) in out.chunks_exact_mut(TILE_ROWS * deep).enumerate() {
        let first = top + strip * TILE_ROWS;
        let count = TILE_ROWS.min(rows - strip * TILE_ROWS);
        let (cells, _) = panel.as_chunks_mut::<TILE_ROWS>();
        if count < TILE_ROWS {
            panel_of(a, (first, count), depth, cells);
        } else if a.column == 1 {
            let [r0, r1, r2, r3, r4, r5] = std::array::from_fn(|inner| {
                let start = (first + inner) * a.row + depth;
                &a.data[start..start + deep]
            });
            for ((((((cells, v0), v1), v2), v3), v4), v5) in
                cells.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3).zip(r4).zip(r5)
            {
                *cells = [*v0, *v1, *v2, *v3, *v4, *v5];
            }
        } else if a.row == 1 {
            let start = depth * a.column + first;
            for (cells, line) in cells.iter_mut().zip(a.data[start..].chunks(a.column)) {
                cells.copy_from_slice(&line[..TILE_ROWS]);
            }
        } else {
            panel_of(a, (first, count), depth, cells);
        }
    }
}

/// One strip of the left side, of any strides, with zeros for the rows that it has not.
fn panel_of(a: View, (first, count): (usize, usize), depth: usize, cells: &mut [[f32; TILE_ROWS]]) {
    for (p, cells) in cells.iter_mut().enumerate() {
        *cells =
            std::array::from_fn(|inner| if inner < count { a.at(first + inner, depth + p) } else { 0.0 });
    }
}

/// Copies a part of the right side into panels of `columns` columns, each panel row by row; what the last one has
/// not is zero. The parts are `(first, count)`.
#[inline(always)]
fn pack_right<S: Simd>(
    simd: S,
    b: View,
    (depth, deep): (usize, usize),
    (first, wide): (usize, usize),
    columns: usize,
    out: &mut Vec<f32>,
) {
    out.resize(wide.div_ceil(columns) * columns * deep, 0.0);
    for (index, panel) in out.chunks_exact_mut(columns * deep).enumerate() {
        let left = first + index * columns;
        let here = columns.min(first + wide - left);
        if b.column == 1 {
            for (p, cells) in panel.chunks_exact_mut(columns).enumerate() {
                let start = (depth + p) * b.row + left;
                scale_simd(simd, 1.0, &b.data[start..start + here], &mut cells[..here]);
                cells[here..].fill(0.0);
            }
        } else {
            for q in 0..columns {
                for (p, cells) in panel.chunks_exact_mut(columns).enumerate() {
                    cells[q] = if q < here { b.at(depth + p, left + q) } else { 0.0 };
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

/// `z += a · x + b · y`, read and written once.
#[inline(always)]
fn axpy2_simd<S: Simd>(simd: S, [a, b]: [f32; 2], [x, y]: [&[f32]; 2], z: &mut [f32]) {
    let len = z.len();
    let (x, x_tail) = S::as_simd_f32s(&x[..len]);
    let (y, y_tail) = S::as_simd_f32s(&y[..len]);
    let (z, z_tail) = S::as_mut_simd_f32s(z);
    let (wide_a, wide_b) = (simd.splat_f32s(a), simd.splat_f32s(b));
    for ((x, y), z) in x.iter().zip(y).zip(z) {
        *z = simd.mul_add_f32s(wide_b, *y, simd.mul_add_f32s(wide_a, *x, *z));
    }
    for ((x, y), z) in x_tail.iter().zip(y_tail).zip(z_tail) {
        *z += a * x + b * y;
    }
}

/// The dot products of two vectors with four others, all of one length. Eight sums keep the multipliers busy, where one
/// would wait for the one before. (No closures here: they would not inherit the instruction set.)
#[inline(always)]
pub(crate) fn dot2x4_simd<S: Simd>(simd: S, a: [&[f32]; 2], b: [&[f32]; 4]) -> [[f32; 4]; 2] {
    let len = a[0].len();
    let (a0, u0) = S::as_simd_f32s(&a[0][..len]);
    let (a1, u1) = S::as_simd_f32s(&a[1][..len]);
    let (b0, t0) = S::as_simd_f32s(&b[0][..len]);
    let (b1, t1) = S::as_simd_f32s(&b[1][..len]);
    let (b2, t2) = S::as_simd_f32s(&b[2][..len]);
    let (b3, t3) = S::as_simd_f32s(&b[3][..len]);
    let zero = simd.splat_f32s(0.0);
    let mut sums = [[zero; 4]; 2];
    for (((((x0, x1), y0), y1), y2), y3) in a0.iter().zip(a1).zip(b0).zip(b1).zip(b2).zip(b3) {
        sums[0][0] = simd.mul_add_f32s(*x0, *y0, sums[0][0]);
        sums[1][0] = simd.mul_add_f32s(*x1, *y0, sums[1][0]);
        sums[0][1] = simd.mul_add_f32s(*x0, *y1, sums[0][1]);
        sums[1][1] = simd.mul_add_f32s(*x1, *y1, sums[1][1]);
        sums[0][2] = simd.mul_add_f32s(*x0, *y2, sums[0][2]);
        sums[1][2] = simd.mul_add_f32s(*x1, *y2, sums[1][2]);
        sums[0][3] = simd.mul_add_f32s(*x0, *y3, sums[0][3]);
        sums[1][3] = simd.mul_add_f32s(*x1, *y3, sums[1][3]);
    }
    let mut totals = [[0.0; 4]; 2];
    for ((totals, sums), left) in totals.iter_mut().zip(sums).zip([u0, u1]) {
        for ((total, sum), right) in totals.iter_mut().zip(sums).zip([t0, t1, t2, t3]) {
            *total = simd.reduce_sum_f32s(sum);
            for (x, y) in left.iter().zip(right) {
                *total += x * y;
            }
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

    /// Factors the upper triangle in place, by pairs of rows and without a reduction. Pivots that rounding has driven to
    /// zero or below are lifted to a tiny positive value.
    #[inline(always)]
    pub(crate) fn decompose_simd<S: Simd>(&mut self, simd: S) {
        let stride = stride(self.n);
        for j in (0..self.n).step_by(2) {
            let (done, below) = self.rows.split_at_mut(((j + 2).min(self.n)) * stride);
            let (first, second) = done[j * stride..].split_at_mut(stride);
            self.reciprocals[j] = pivot(first, j);
            if second.is_empty() {
                return;
            }
            axpy_simd(simd, -first[j + 1], &first[edge(j + 1)..], &mut second[edge(j + 1)..]);
            self.reciprocals[j + 1] = pivot(second, j + 1);
            for (i, under) in (j + 2..self.n).zip(below.chunks_exact_mut(stride)) {
                let from = edge(i);
                axpy2_simd(
                    simd,
                    [-first[i], -second[i]],
                    [&first[from..], &second[from..]],
                    &mut under[from..],
                );
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

    /// `U⁻ᵀ`, lower triangular with rows of [`stride`]`(n)`.
    pub(crate) fn inverse_root(&self) -> Vec<f32> {
        Arch::new().dispatch(Inverse(self))
    }

    /// `A⁻¹ = U⁻¹ U⁻ᵀ`, dense with rows of `n`.
    pub(crate) fn inverse(&self) -> Vec<f32> {
        let (n, stride) = (self.n, stride(self.n));
        let lower = self.inverse_root();
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
            part: Part::All,
        });
        out
    }
}

/// Divides a row by the root of its pivot and clears it up to there. Returns the reciprocal of that root.
#[inline(always)]
fn pivot(row: &mut [f32], at: usize) -> f32 {
    let reciprocal = row[at].max(1e-18).sqrt().recip();
    row[edge(at)..=at].fill(0.0);
    for cell in &mut row[edge(at)..] {
        *cell *= reciprocal;
    }
    reciprocal
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
    part: Part,
}
impl WithSimd for Gemm<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        gemm_simd(simd, self.sign, self.shape, self.a, self.b, self.c, self.width, self.packs, self.part);
    }
}

/// `out = rows · right`, where `rows` has rows of `k` and `right` is `k × k`, on `threads` threads.
pub(crate) fn product(threads: usize, rows: &[f32], k: usize, right: View, part: Part, out: &mut [f32]) {
    if k == 0 {
        return;
    }
    let pieces = out.chunks_mut(4 * ROWS * k).zip(rows.chunks(4 * ROWS * k));
    parallel::for_each(threads, pieces, Packs::default, |packs, (out, rows)| {
        out.fill(0.0);
        let shape = (out.len() / k, k, k);
        let (a, b) = (View::rows(rows, k), right);
        Arch::new().dispatch(Gemm { sign: 1.0, shape, a, b, c: out, width: k, packs, part });
    });
}

/// `rowsᵀ · rows` (`k × k`) for row-major `rows` of width `k`, on `threads` threads.
pub(crate) fn gram(threads: usize, rows: &[f32], k: usize, out: &mut [f32]) {
    if k == 0 {
        return;
    }
    out.fill(0.0);
    if k <= NARROW && rows.len() > PART_ROWS * k {
        // A narrow result costs little beside reading the rows, so each row is read once: sums of parts of them.
        let parts: Vec<&[f32]> = rows.chunks(PART_ROWS * k).collect();
        let sums = parallel::map(threads, parts.len(), Packs::default, |packs, part| {
            let mut sum = vec![0.0; k * k];
            gram_rows(parts[part], k, 0, &mut sum, packs);
            sum
        });
        for sum in &sums {
            for (cell, sum) in out.iter_mut().zip(sum) {
                *cell += sum;
            }
        }
    } else {
        let pieces = out.chunks_mut(48 * k).enumerate();
        parallel::for_each(threads, pieces, Packs::default, |packs, (index, out)| {
            gram_rows(rows, k, index * 48, out, packs);
        });
    }
    for row in 1..k {
        for column in 0..row {
            out[row * k + column] = out[column * k + row];
        }
    }
}

/// Adds to `out` the rows of `rowsᵀ · rows` from `first` on.
fn gram_rows(rows: &[f32], k: usize, first: usize, out: &mut [f32], packs: &mut Packs) {
    let shape = (out.len() / k, k, rows.len() / k);
    let a = View { data: rows.get(first..).unwrap_or_default(), row: 1, column: k };
    let (b, part) = (View::rows(rows, k), Part::Upper(first));
    Arch::new().dispatch(Gemm { sign: 1.0, shape, a, b, c: out, width: k, packs, part });
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
            part: Part::All,
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
                part: Part::All,
            });
        });
        a[start * n..(start + size) * n].copy_from_slice(&rows);
    }
}
