//! `lanes` above order 4: one SIMD lane holds one matrix, and two pivots go per pass over rows that roll.
//!
//! A group of as many matrices as a vector has lanes is transposed into vectors: vector (i, j) holds element (i, j) of
//! every matrix of the group. One elimination then runs for all of them at once.
//!
//! A pass takes columns k and k + 1, which stand at 0 and 1 of every row, and writes each row two columns to the left;
//! the new columns of the inverse enter at the right. After n steps the rows have turned once and stand right again.
//!
//! ```text
//! before:  | k  k+1 | k+2 ........ n-1 | 0 .... k-1 |       columns of A, then of the inverse
//!             \  \____________________________________
//! after:   | k+2 ........ n-1 | 0 .... k-1 | k  k+1 |
//! ```
//!
//! Every lane picks its own pivot row, so rows are exchanged under masks, while they are updated. A pass first finds
//! both pivots, which needs columns 0 and 1 alone. Then it gathers both pivot rows under masks. Only then does it run
//! over the rows, each under the masks of the lanes in which another row takes its place.
//!
//! The order is a number at run time: code for each order would take minutes to compile and megabytes to keep. What is
//! compiled are pieces of a few columns, whose pivots stay in registers while the rows go by. Only orders to
//! [`COMPILED_ORDERS`] are compiled each by itself, from the same source.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Select, Simd, SimdBase};

use super::pieces::{Pieces, piece};
use super::pivots::{self, Maximum, number};
use crate::cpu::arithmetic::Native;
use crate::cpu::frame::{Kernel, Settings};
use crate::cpu::memory::{blocks, columns};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::prefetch::Prefetch;
use crate::cpu::simd::transpose::MAX_LANES;
use crate::cpu::simd::vector::{Mask, Vector};
use crate::plan::cpu::{COMPILED_ORDERS, CpuTuning, GATHER_COLUMNS, pass_columns};

/// One group of matrices of order N, or of any order if N is 0.
pub struct Lanes<S: Simd, T: Lane, const N: usize> {
    /// The order, also if it is N.
    n: usize,
    kept: Kept<S, T>,
}

/// Returns whether orders up to [`COMPILED_ORDERS`] are compiled each by itself: with vectors of 16 bytes, their rows
/// would not stay in registers.
pub const fn compiles_orders<S: Simd, T: Lane>() -> bool {
    T::Vector::<S>::LANES * size_of::<T::Real>() > 16
}

/// The working memory of a group.
pub struct Kept<S: Simd, T: Lane> {
    /// Vector (i, j) at i * n + j. Behind them is room for what `columns` reads in whole blocks.
    a: Vec<T::Vector<S>>,
    /// For each step, the row that was exchanged with row k.
    chosen: Vec<Magnitude<T, S>>,
    /// The pivot rows of a pass.
    pivot_row: Vec<T::Vector<S>>,
    next_pivot_row: Vec<T::Vector<S>>,
    /// The factors of every row.
    factors: Vec<T::Vector<S>>,
    next_factors: Vec<T::Vector<S>>,
}

impl<S: Simd, T: Lane> Default for Kept<S, T> {
    fn default() -> Self {
        Self {
            a: Vec::new(),
            chosen: Vec::new(),
            pivot_row: Vec::new(),
            next_pivot_row: Vec::new(),
            factors: Vec::new(),
            next_factors: Vec::new(),
        }
    }
}

impl<S: Simd, T: Lane, const N: usize> Kernel<S, Native<T>> for Lanes<S, T, N> {
    type Kept = Kept<S, T>;
    type ZeroPivots = [u64; CpuTuning::LANES_MAX_ORDER];
    const MATRIX_PER_LANE: bool = true;

    #[inline(always)]
    fn order(settings: &Settings) -> usize {
        if N > 0 { N } else { settings.order }
    }

    #[inline(always)]
    fn open(simd: S, settings: &Settings, kept: &mut Kept<S, T>) -> Self {
        const { assert!(N <= COMPILED_ORDERS) }
        let zero = T::Vector::<S>::splat(simd, T::ZERO);
        let (n, mut kept) = (Self::order(settings), std::mem::take(kept));
        kept.a.resize(n * n + MAX_LANES, zero);
        kept.chosen.resize(n, zero.magnitude());
        for vectors in [&mut kept.pivot_row, &mut kept.next_pivot_row, &mut kept.factors, &mut kept.next_factors] {
            vectors.resize(n, zero);
        }
        Self { n, kept }
    }

    #[inline(always)]
    fn close(self, kept: &mut Kept<S, T>) {
        *kept = self.kept;
    }

    #[inline(always)]
    fn load(&mut self, simd: S, input: &[T]) -> bool {
        let n = self.n();
        blocks::load::<S, T, N>(simd, bytemuck::cast_slice(input), &mut self.kept.a[..n * n])
    }

    #[inline(always)]
    fn vectors(&mut self) -> &mut [T::Vector<S>] {
        let n = self.n();
        &mut self.kept.a[..n * n]
    }

    #[inline(always)]
    fn eliminate(&mut self, simd: S, prefetch: &Prefetch<'_>) -> Self::ZeroPivots {
        let n = self.n();
        let Kept { a, chosen, pivot_row, next_pivot_row, factors, next_factors } = &mut self.kept;
        let mut pass = Pass::<S, T, N> {
            simd,
            n,
            gathered: Pieces::new(n, GATHER_COLUMNS),
            a: &mut a[..n * n],
            pivot_row: &mut pivot_row[..n],
            next_pivot_row: &mut next_pivot_row[..n],
            factors: &mut factors[..n],
            next_factors: &mut next_factors[..n],
        };
        let mut singular = [0; CpuTuning::LANES_MAX_ORDER];
        let updated = Pieces::new(n - 2, pass_columns(T::Vector::<S>::LANES * size_of::<T::Real>()));
        let mut slices = prefetch.slices(n / 2);
        let mut k = 0;
        if n % 2 == 1 {
            (chosen[0], singular[0]) = pass.single_step();
            k = 1;
        }
        // `self.n`, not `self.n()`: with a constant bound the passes would be unrolled.
        while k < self.n {
            slices.touch();
            [(chosen[k], singular[k]), (chosen[k + 1], singular[k + 1])] = pass.choose(k);
            let exchanged = [chosen[k], chosen[k + 1]];
            let mut from = 2;
            for width in updated.widths() {
                match width {
                    3 => pass.update::<3>(k, from, exchanged),
                    4 => pass.update::<4>(k, from, exchanged),
                    5 => pass.update::<5>(k, from, exchanged),
                    _ => pass.update::<6>(k, from, exchanged),
                }
                from += width;
            }
            pass.place_pivot_rows(k);
            k += 2;
        }
        singular
    }

    #[inline(never)]
    fn permute(&self, simd: S, _: usize, row: &mut [Magnitude<T, S>]) {
        simd.vectorize(
            #[inline(always)]
            || pivots::permute::<S, T>(simd, row, &self.kept.chosen),
        );
    }

    #[inline(always)]
    fn store(&mut self, simd: S, output: &mut [T]) -> bool {
        let n = self.n();
        let Kept { a, chosen, pivot_row, next_pivot_row, .. } = &mut self.kept;
        let rows = [&mut pivot_row[..], &mut next_pivot_row[..]];
        columns::store::<S, T, N>(simd, a, &chosen[..n], rows, bytemuck::cast_slice_mut(output))
    }
}

impl<S: Simd, T: Lane, const N: usize> Lanes<S, T, N> {
    /// The order.
    #[inline(always)]
    fn n(&self) -> usize {
        if N > 0 { N } else { self.n }
    }
}

/// Working memory of the passes over one group. Rows are found by their index, since `chunks_exact` would divide by n
/// for every loop.
struct Pass<'a, S: Simd, T: Lane, const N: usize> {
    simd: S,
    n: usize,
    /// The columns that are gathered.
    gathered: Pieces,
    a: &'a mut [T::Vector<S>],
    /// The pivot rows of two steps, over their pivots.
    pivot_row: &'a mut [T::Vector<S>],
    next_pivot_row: &'a mut [T::Vector<S>],
    /// The factors of every row; those of the rows below k + 1 move one place up when the second pivot is chosen.
    factors: &'a mut [T::Vector<S>],
    next_factors: &'a mut [T::Vector<S>],
}

impl<S: Simd, T: Lane, const N: usize> Pass<'_, S, T, N> {
    /// The order.
    #[inline(always)]
    fn n(&self) -> usize {
        if N > 0 { N } else { self.n }
    }

    /// Step 0 by itself, for odd orders. Returns the row that was exchanged and the lanes with a zero pivot.
    #[inline(always)]
    fn single_step(&mut self) -> (Magnitude<T, S>, u64) {
        let (simd, n) = (self.simd, self.n());
        let zero = T::Vector::<S>::splat(simd, T::ZERO);
        let (at, singular) = self.first_maximum(0);
        self.gather(0, at, false);
        pivots::divide::<S, T>(simd, self.pivot_row, 0);
        let (row_0, below) = self.a.split_at_mut(n);
        let pivot_row = &self.pivot_row[..n];
        for (i, number) in (0..n - 1).zip(pivots::numbers::<S, T>(simd, 1)) {
            let row = &mut below[i * n..][..n];
            let here = at.simd_eq(number);
            let factor = T::Vector::<S>::select(here, row_0[0], row[0]);
            for j in 1..n {
                row[j - 1] = T::Vector::<S>::select(here, row_0[j], row[j]).sub_mul(factor, pivot_row[j]);
            }
            row[n - 1] = zero.sub_mul(factor, pivot_row[0]);
        }
        row_0[..n - 1].copy_from_slice(&pivot_row[1..]);
        row_0[n - 1] = pivot_row[0];
        (at, singular)
    }

    /// The pivot of column 0 in rows k and below: the row in every lane, and the lanes where all are zero.
    #[inline(always)]
    fn first_maximum(&self, k: usize) -> (Magnitude<T, S>, u64) {
        let (simd, n) = (self.simd, self.n());
        let mut start = k * n;
        let mut maximum = Maximum::<S, T>::new(self.a[start], number::<S, T>(simd, k));
        for row in pivots::numbers::<S, T>(simd, k + 1).take(n - k - 1) {
            start += n;
            maximum.see(self.a[start], row);
        }
        maximum.found(simd)
    }

    /// Chooses the pivots of steps k and k + 1, and finds the pivot rows and the factors of the others. Returns, for
    /// each step, the row that is exchanged and the lanes with a zero pivot.
    #[inline(always)]
    fn choose(&mut self, k: usize) -> [(Magnitude<T, S>, u64); 2] {
        let (simd, n) = (self.simd, self.n());
        let zero = T::Vector::<S>::splat(simd, T::ZERO);
        let (at, singular) = self.first_maximum(k);
        self.gather(k, at, false);
        pivots::divide::<S, T>(simd, self.pivot_row, 0);

        // The factors of step k in every row, and those of step k + 1: column 1 as step k leaves it.
        let pivot = self.pivot_row[1];
        let mut start = 0;
        for (factor, next_factor) in self.factors[..k].iter_mut().zip(&mut self.next_factors[..k]) {
            *factor = self.a[start];
            *next_factor = self.a[start + 1].sub_mul(*factor, pivot);
            start += n;
        }
        let row_k = [self.a[k * n], self.a[k * n + 1]];
        let mut start = (k + 1) * n;
        let row = number::<S, T>(simd, k + 1);
        let (factor, next_factor) = self.factors_at(start, at.simd_eq(row), row_k, pivot);
        (self.factors[k + 1], self.next_factors[k + 1]) = (factor, next_factor);
        let mut next = Maximum::<S, T>::new(next_factor, row);
        for (i, row) in (k + 2..n).zip(pivots::numbers::<S, T>(simd, k + 2)) {
            start += n;
            let (factor, next_factor) = self.factors_at(start, at.simd_eq(row), row_k, pivot);
            (self.factors[i], self.next_factors[i]) = (factor, next_factor);
            next.see(next_factor, row);
        }
        let (next_at, next_singular) = next.found(simd);

        // Row k may be the second pivot row, from where the first exchange has put it.
        let source = next_at.simd_eq(at).select(number::<S, T>(simd, k), next_at);
        self.gather(k, source, true);
        let (first, second) = (self.factors[k + 1], self.next_factors[k + 1]);
        let (mut factor, mut next_factor) = (first, second);
        // The factors move one place up: a select stored to the place it was loaded from becomes a masked store,
        // which later loads wait for.
        for (i, number) in (k + 2..n).zip(pivots::numbers::<S, T>(simd, k + 2)) {
            let here = next_at.simd_eq(number);
            let (x, next_x) = (self.factors[i], self.next_factors[i]);
            factor = Vector::select(here, x, factor);
            next_factor = Vector::select(here, next_x, next_factor);
            self.factors[i - 1] = Vector::select(here, first, x);
            self.next_factors[i - 1] = Vector::select(here, second, next_x);
        }
        let (pivot_row, next_pivot_row) = (&self.pivot_row[..n], &mut self.next_pivot_row[..n]);
        let reciprocal = next_factor.reciprocal(simd);
        next_pivot_row[0] = zero.sub_mul(factor, pivot_row[0]).mul(reciprocal);
        next_pivot_row[1] = reciprocal;
        for j in 2..n {
            next_pivot_row[j] = next_pivot_row[j].sub_mul(factor, pivot_row[j]).mul(reciprocal);
        }
        [(at, singular), (next_at, next_singular)]
    }

    /// The factors of both steps in the row that starts at `start`, where row k takes its place `here`.
    #[inline(always)]
    fn factors_at(
        &self,
        start: usize,
        here: Mask<Magnitude<T, S>, S>,
        row_k: [T::Vector<S>; 2],
        pivot: T::Vector<S>,
    ) -> (T::Vector<S>, T::Vector<S>) {
        let factor = T::Vector::<S>::select(here, row_k[0], self.a[start]);
        (factor, T::Vector::<S>::select(here, row_k[1], self.a[start + 1]).sub_mul(factor, pivot))
    }

    /// Takes both steps to W columns, which move two to the left. Behind the last ones of a row enter the new columns
    /// of the inverse.
    #[inline(always)]
    fn update<const W: usize>(&mut self, k: usize, from: usize, [at, next_at]: [Magnitude<T, S>; 2]) {
        let (simd, n) = (self.simd, self.n());
        let (pivot_row, next_pivot_row) = (&self.pivot_row[..], &self.next_pivot_row[..]);
        let (a, factors, next_factors) = (&mut self.a[..], &self.factors[..], &self.next_factors[..]);
        let (pivots, next_pivots) = (piece::<_, W>(pivot_row, from), piece::<_, W>(next_pivot_row, from));
        let (zero, last) = (T::Vector::<S>::splat(simd, T::ZERO), from + W == n);
        let (entering, next_entering) = (pivot_row[0], [next_pivot_row[0], next_pivot_row[1]]);
        let mut start = from - 2;
        for (&factor, &next_factor) in factors[..k].iter().zip(&next_factors[..k]) {
            let row = &mut a[start..][..W + 2];
            for j in 0..W {
                row[j] = row[j + 2].sub_mul(factor, pivots[j]).sub_mul(next_factor, next_pivots[j]);
            }
            if last {
                row[W] = zero.sub_mul(factor, entering).sub_mul(next_factor, next_entering[0]);
                row[W + 1] = zero.sub_mul(next_factor, next_entering[1]);
            }
            start += n;
        }
        // The exchanges put row k, and what is row k + 1 after the first of them, in the places of the pivot rows.
        let row_k = piece::<_, W>(a, start + 2);
        let mut row_next = piece::<_, W>(a, start + 2 + n);
        let next_here = at.simd_eq(number::<S, T>(simd, k + 1));
        for j in 0..W {
            row_next[j] = Vector::select(next_here, row_k[j], row_next[j]);
        }
        start += 2 * n;
        let rows = factors[k + 1..n - 1].iter().zip(&next_factors[k + 1..n - 1]);
        for ((&factor, &next_factor), number) in rows.zip(pivots::numbers::<S, T>(simd, k + 2)) {
            let (here, next_here) = (at.simd_eq(number), next_at.simd_eq(number));
            let row = &mut a[start..][..W + 2];
            for j in 0..W {
                let x = T::Vector::<S>::select(here, row_k[j], row[j + 2]);
                let x = T::Vector::<S>::select(next_here, row_next[j], x);
                row[j] = x.sub_mul(factor, pivots[j]).sub_mul(next_factor, next_pivots[j]);
            }
            if last {
                row[W] = zero.sub_mul(factor, entering).sub_mul(next_factor, next_entering[0]);
                row[W + 1] = zero.sub_mul(next_factor, next_entering[1]);
            }
            start += n;
        }
    }

    /// Writes both pivot rows.
    #[inline(always)]
    fn place_pivot_rows(&mut self, k: usize) {
        let (simd, n) = (self.simd, self.n());
        let (pivot_row, next_pivot_row) = (&self.pivot_row[..n], &self.next_pivot_row[..n]);
        let (zero, factor) = (T::Vector::<S>::splat(simd, T::ZERO), pivot_row[1]);
        let (row_k, row_next) = self.a[k * n..][..2 * n].split_at_mut(n);
        for j in 2..n {
            row_k[j - 2] = pivot_row[j].sub_mul(factor, next_pivot_row[j]);
            row_next[j - 2] = next_pivot_row[j];
        }
        row_k[n - 2] = pivot_row[0].sub_mul(factor, next_pivot_row[0]);
        row_next[n - 2] = next_pivot_row[0];
        row_k[n - 1] = zero.sub_mul(factor, next_pivot_row[1]);
        row_next[n - 1] = next_pivot_row[1];
    }

    /// Copies, in every lane, the row that `at` names, which is k or below, to the pivot row, or to the next one.
    #[inline(always)]
    fn gather(&mut self, k: usize, at: Magnitude<T, S>, next: bool) {
        const { assert!(GATHER_COLUMNS == 8, "the widest of the pieces below") }
        let mut from = 0;
        for width in self.gathered.widths() {
            match width {
                4 => self.gather_piece::<4>(k, at, from, next),
                5 => self.gather_piece::<5>(k, at, from, next),
                6 => self.gather_piece::<6>(k, at, from, next),
                7 => self.gather_piece::<7>(k, at, from, next),
                _ => self.gather_piece::<8>(k, at, from, next),
            }
            from += width;
        }
    }

    /// The same for W columns.
    #[inline(always)]
    fn gather_piece<const W: usize>(&mut self, k: usize, at: Magnitude<T, S>, from: usize, next: bool) {
        let (simd, n) = (self.simd, self.n());
        let (a, row) = (&self.a[..], if next { &mut self.next_pivot_row[..] } else { &mut self.pivot_row[..] });
        let mut start = k * n + from;
        let mut part = piece::<_, W>(a, start);
        for number in pivots::numbers::<S, T>(simd, k + 1).take(n - k - 1) {
            start += n;
            let here = at.simd_eq(number);
            let candidate = &a[start..][..W];
            for j in 0..W {
                part[j] = Vector::select(here, candidate[j], part[j]);
            }
        }
        row[from..][..W].copy_from_slice(&part);
    }
}
