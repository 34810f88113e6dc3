//! `lanes` at any order: one SIMD lane holds one matrix.
//!
//! A group of as many matrices as a vector has lanes is transposed into vectors: vector (i, j) holds element (i, j) of
//! every matrix of the group. One elimination then runs for all of them at once. Every lane picks its own pivot row, so
//! rows are exchanged under masks: the pivot row is gathered under the masks of the rows that hold it, and row k goes
//! where it came from. The elimination works in place: column k, once eliminated, is column k of the inverse, up to the
//! row exchanges, which become column exchanges at the end.
//!
//! `registers` and `passes` are the same elimination compiled for one order; every element takes the same operations in
//! the same order.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::pivots::{divide, first_maximum, number};
use crate::cpu::arithmetic::Native;
use crate::cpu::balance::poisoned_lanes;
use crate::cpu::frame::{Kernel, Settings};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::prefetch::Prefetch;
use crate::cpu::simd::transpose;
use crate::cpu::simd::vector::Vector;
use crate::plan::cpu::CpuTuning;

/// One group of matrices.
pub struct Lanes<S: Simd, T: Lane> {
    n: usize,
    kept: Kept<S, T>,
}

/// The working memory of a group.
pub struct Kept<S: Simd, T: Lane> {
    /// Vector (i, j) at i * stride + j.
    a: Vec<T::Vector<S>>,
    /// The pivot rows of two successive steps.
    pivots: Vec<T::Vector<S>>,
    seconds: Vec<T::Vector<S>>,
    /// The pivot column.
    column: Vec<T::Vector<S>>,
    /// For each step, the row that was exchanged with row k.
    chosen: Vec<Magnitude<T, S>>,
}

impl<S: Simd, T: Lane> Default for Kept<S, T> {
    fn default() -> Self {
        Self { a: Vec::new(), pivots: Vec::new(), seconds: Vec::new(), column: Vec::new(), chosen: Vec::new() }
    }
}

impl<S: Simd, T: Lane> Kernel<S, Native<T>> for Lanes<S, T> {
    type Kept = Kept<S, T>;
    type ZeroPivots = [u64; CpuTuning::LANES_MAX_ORDER];
    const MATRIX_PER_LANE: bool = true;

    #[inline(always)]
    fn open(simd: S, settings: &Settings, kept: &mut Kept<S, T>) -> Self {
        let zero = T::Vector::<S>::splat(simd, T::ZERO);
        let (n, mut kept) = (settings.order, std::mem::take(kept));
        kept.a.resize(n * stride(n), zero);
        kept.pivots.resize(n, zero);
        kept.seconds.resize(n, zero);
        kept.column.resize(n, zero);
        kept.chosen.resize(n, zero.magnitude());
        Self { n, kept }
    }

    #[inline(always)]
    fn close(self, kept: &mut Kept<S, T>) {
        *kept = self.kept;
    }

    /// Always looked at again: the general form tests no window on its way.
    #[inline(always)]
    fn load(&mut self, simd: S, input: &[T]) -> bool {
        transpose::load::<S, T>(simd, bytemuck::cast_slice(input), &mut self.kept.a, self.n);
        false
    }

    #[inline(always)]
    fn vectors(&mut self, _: usize) -> &mut [T::Vector<S>] {
        &mut self.kept.a
    }

    fn replace(&mut self, matrix: usize, elements: &[T]) {
        let rows = self.kept.a.chunks_exact_mut(stride(self.n)).zip(elements.chunks_exact(self.n));
        for (vector, &element) in rows.flat_map(|(row, elements)| row.iter_mut().zip(elements)) {
            vector.set_lane(matrix, element);
        }
    }

    #[inline(always)]
    fn eliminate(&mut self, simd: S, _: &Prefetch<'_>) -> Self::ZeroPivots {
        let n = self.n;
        let Kept { a, pivots, seconds, column, chosen } = &mut self.kept;
        let mut rows = Rows { vectors: a, n, stride: stride(n) };
        let mut singular = [0; CpuTuning::LANES_MAX_ORDER];
        let mut k = 0;
        while k < n {
            if k + 1 < n {
                let both = two_steps::<S, T>(simd, &mut rows, k, [&mut pivots[..], &mut seconds[..]], column);
                [(chosen[k], singular[k]), (chosen[k + 1], singular[k + 1])] = both;
            } else {
                (chosen[k], singular[k]) = step::<S, T>(simd, &mut rows, k, pivots, column);
            }
            k += 2;
        }
        undo::<S, T>(simd, &mut rows, chosen);
        singular
    }

    #[inline(always)]
    fn store(&mut self, simd: S, output: &mut [T]) -> bool {
        transpose::store::<S, T>(simd, &self.kept.a, self.n, bytemuck::cast_slice_mut(output));
        poisoned_lanes::<S, T>(simd, &self.kept.a) == 0
    }
}

/// Vectors from one row to the next: a multiple of 8 would crowd the columns into a few sets of the cache.
#[inline(always)]
fn stride(n: usize) -> usize {
    if n >= 16 && n.is_multiple_of(8) { n + 1 } else { n }
}

/// The rows of a group: n vectors each, `stride` apart.
struct Rows<'a, V> {
    vectors: &'a mut [V],
    n: usize,
    stride: usize,
}

impl<V> Rows<'_, V> {
    #[inline(always)]
    fn row(&mut self, i: usize) -> &mut [V] {
        &mut self.vectors[i * self.stride..][..self.n]
    }

    /// Row k, and the rows below it.
    #[inline(always)]
    fn split_below(&mut self, k: usize) -> (&mut [V], impl Iterator<Item = &mut [V]>) {
        let n = self.n;
        let (above, below) = self.vectors.split_at_mut((k + 1) * self.stride);
        (&mut above[k * self.stride..][..n], below.chunks_exact_mut(self.stride).map(move |row| &mut row[..n]))
    }
}

/// Step k in every lane. Returns the row that was exchanged with row k, and the lanes with a zero pivot.
#[inline(always)]
fn step<S: Simd, T: Lane>(
    simd: S,
    a: &mut Rows<'_, T::Vector<S>>,
    k: usize,
    pivots: &mut [T::Vector<S>],
    column: &mut [T::Vector<S>],
) -> (Magnitude<T, S>, u64) {
    let n = a.n;
    for (i, x) in column.iter_mut().enumerate().skip(k) {
        *x = a.row(i)[k];
    }
    let (at, singular) = first_maximum::<S, T>(simd, column, k);
    exchange_rows::<S, T>(simd, a, k, at, pivots);
    divide::<S, T>(simd, pivots, k);

    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    for i in 0..n {
        let row = a.row(i);
        if i == k {
            row.copy_from_slice(pivots);
            continue;
        }
        let factor = row[k];
        row[k] = zero;
        for (x, &pivot) in row.iter_mut().zip(pivots.iter()) {
            *x = x.sub_mul(factor, pivot);
        }
    }
    (at, singular)
}

/// Steps k and k + 1 in one pass over the matrix, which halves the loads and stores. Every element takes the operations
/// of two single steps in the same order, so the bits are the same.
#[inline(always)]
fn two_steps<S: Simd, T: Lane>(
    simd: S,
    a: &mut Rows<'_, T::Vector<S>>,
    k: usize,
    [pivots, seconds]: [&mut [T::Vector<S>]; 2],
    column: &mut [T::Vector<S>],
) -> [(Magnitude<T, S>, u64); 2] {
    let n = a.n;
    for (i, x) in column.iter_mut().enumerate().skip(k) {
        *x = a.row(i)[k];
    }
    let first = first_maximum::<S, T>(simd, column, k);
    exchange_rows::<S, T>(simd, a, k, first.0, pivots);
    divide::<S, T>(simd, pivots, k);

    // Column k + 1 as step k leaves it, to choose the second pivot; then the row of that pivot, brought up to step k.
    for (i, x) in column.iter_mut().enumerate().skip(k + 1) {
        let row = a.row(i);
        *x = row[k + 1].sub_mul(row[k], pivots[k + 1]);
    }
    let second = first_maximum::<S, T>(simd, column, k + 1);
    exchange_rows::<S, T>(simd, a, k + 1, second.0, seconds);
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let factor = std::mem::replace(&mut seconds[k], zero);
    for (x, &pivot) in seconds.iter_mut().zip(pivots.iter()) {
        *x = x.sub_mul(factor, pivot);
    }
    divide::<S, T>(simd, seconds, k + 1);

    for i in 0..n {
        let row = a.row(i);
        if i == k {
            let factor = pivots[k + 1];
            for ((x, &pivot), &second) in row.iter_mut().zip(pivots.iter()).zip(seconds.iter()) {
                *x = pivot.sub_mul(factor, second);
            }
            row[k + 1] = zero.sub_mul(factor, seconds[k + 1]);
        } else if i == k + 1 {
            row.copy_from_slice(seconds);
        } else {
            let factor = std::mem::replace(&mut row[k], zero);
            let second_factor = row[k + 1].sub_mul(factor, pivots[k + 1]);
            for ((x, &pivot), &second) in row.iter_mut().zip(pivots.iter()).zip(seconds.iter()) {
                *x = x.sub_mul(factor, pivot).sub_mul(second_factor, second);
            }
            row[k + 1] = zero.sub_mul(second_factor, seconds[k + 1]);
        }
    }
    [first, second]
}

/// Copies the pivot row of every lane to `pivots`, and puts row k in its place.
#[inline(always)]
fn exchange_rows<S: Simd, T: Lane>(
    simd: S,
    a: &mut Rows<'_, T::Vector<S>>,
    k: usize,
    at: Magnitude<T, S>,
    pivots: &mut [T::Vector<S>],
) {
    let (row_k, below) = a.split_below(k);
    pivots.copy_from_slice(row_k);
    for (i, row) in (k + 1..).zip(below) {
        let here = at.simd_eq(number::<S, T>(simd, i));
        if here.any_true() {
            for ((x, pivot), &from_k) in row.iter_mut().zip(pivots.iter_mut()).zip(row_k.iter()) {
                *pivot = Vector::select(here, *x, *pivot);
                *x = Vector::select(here, from_k, *x);
            }
        }
    }
}

/// Puts the columns in order: exchanging rows of a matrix exchanges columns of its inverse, in reverse order.
#[inline(always)]
fn undo<S: Simd, T: Lane>(simd: S, a: &mut Rows<'_, T::Vector<S>>, chosen: &[Magnitude<T, S>]) {
    let n = a.n;
    for (k, at) in chosen.iter().enumerate().rev() {
        for j in k + 1..n {
            let here = at.simd_eq(number::<S, T>(simd, j));
            if here.any_true() {
                for i in 0..n {
                    let row = a.row(i);
                    let (x, y) = (row[k], row[j]);
                    row[k] = Vector::select(here, y, x);
                    row[j] = Vector::select(here, x, y);
                }
            }
        }
    }
}
