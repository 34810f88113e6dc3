//! What a span of panels does to the other columns, for matrices that no near cache holds: many pivots to a pass.
//!
//! The steps of a span make a transformation W as those of a panel do, only of more columns, and what they do to the others is a
//! product of matrices. It is made as such products are (Goto and van de Geijn, "Anatomy of high-performance matrix
//! multiplication", 2008): W is packed into tiles of a few vectors' height, and a tile of the sums stays in registers for all
//! of W's columns. The exchanges of rows, too, are put together first, so that a column takes them at once.

use std::ops::Range;

use fearless_simd::Simd;
use rayon::prelude::*;

use crate::cpu::transpose::MAX_LANES;
use crate::cpu::vector::Vector;
use crate::plan::{self, SPAN, SPAN_CHUNK, SPAN_STRIP};
use crate::scalar::Scalar;

/// What a span of columns does, made ready for the others. Memory is kept from one span to the next.
pub struct Span<V> {
    /// The span's first column, and the first row that is taken out of a column.
    k: usize,
    /// For each step, where its pivot's row stood before any exchange.
    taken: Vec<u32>,
    /// The rows below that other content comes to, and where it stood: in one of the rows that are taken out.
    moved: Vec<(u32, u32)>,
    /// W, in tiles from the top down; a tile's vectors pivot by pivot.
    packed: Vec<V>,
    /// Vectors to a column.
    width: usize,
}

impl<V: Copy> Span<V> {
    pub fn new() -> Self {
        Self { k: 0, taken: Vec::new(), moved: Vec::new(), packed: Vec::new(), width: 0 }
    }

    /// No steps.
    pub fn clear(&mut self) {
        self.taken.clear();
    }

    /// Takes W from the span's own `columns`, in `width` vectors each, whose steps exchanged rows k, k + 1, ... with `rows`.
    #[inline(always)]
    pub fn prepare<S: Simd, T: Scalar>(&mut self, k: usize, rows: &[usize], columns: &[V], width: usize)
    where
        V: Vector<S, T>,
    {
        (self.k, self.width) = (k, width);
        self.exchange(rows);
        let (height, _) = plan::span_tile(V::LANES * size_of::<T::Real>(), V::PARTS);
        let whole = width / height * height;
        self.packed.clear();
        self.packed.reserve_exact(columns.len());
        for (rows, height) in [(0..whole, height), (whole..width, 1)] {
            for row in rows.step_by(height) {
                for column in columns.chunks_exact(width) {
                    self.packed.extend_from_slice(&column[row..][..height]);
                }
            }
        }
    }

    /// Puts exchanges of rows k, k + 1, ... with `rows`, one after the other, together.
    fn exchange(&mut self, rows: &[usize]) {
        let Self { k, taken, moved, .. } = self;
        let own = *k..*k + rows.len();
        taken.clear();
        taken.extend(own.clone().map(|row| row as u32));
        moved.clear();
        for (step, &row) in rows.iter().enumerate() {
            if own.contains(&row) {
                taken.swap(step, row - own.start);
                continue;
            }
            let known = moved.iter().position(|&(to, _)| to == row as u32).unwrap_or_else(|| {
                moved.push((row as u32, row as u32));
                moved.len() - 1
            });
            std::mem::swap(&mut taken[step], &mut moved[known].1);
        }
    }

    /// Exchanges the rows of a column and takes out what then stands in those of the pivots.
    #[inline(always)]
    fn set_aside<S: Simd, T: Scalar>(&self, simd: S, column: &mut [V], pivots: &mut [T; SPAN])
    where
        V: Vector<S, T>,
    {
        let lanes = V::LANES;
        let at = |row: u32| (row as usize / lanes, row as usize % lanes);
        for (pivot, &row) in pivots.iter_mut().zip(&self.taken) {
            let (vector, lane) = at(row);
            *pivot = column[vector].lane(lane);
        }
        for &(to, from) in &self.moved {
            let ((to, to_lane), (from, from_lane)) = (at(to), at(from));
            let moved = column[from].lane(from_lane);
            column[to].set_lane(to_lane, moved);
        }
        // A span begins with a vector, and ends with one or with the matrix.
        const { assert!((SPAN / 2).is_multiple_of(MAX_LANES)) };
        column[self.k / lanes..(self.k + self.taken.len()).div_ceil(lanes)].fill(V::splat(simd, T::ZERO));
    }
}

/// Takes all of the span's steps to the columns on both sides of it, `shared` among the threads of the calling pool or not.
#[inline(always)]
pub fn update<S: Simd, T: Scalar>(
    simd: S,
    span: &Span<T::Vector<S>>,
    left: &mut [T::Vector<S>],
    right: &mut [T::Vector<S>],
    shared: bool,
) {
    if span.taken.is_empty() {
        return;
    }
    if shared {
        let size =
            plan::shared_columns(left.len() / span.width + right.len() / span.width, rayon::current_num_threads())
                * span.width;
        left.par_chunks_mut(size).chain(right.par_chunks_mut(size)).for_each(|columns| {
            simd.vectorize(
                #[inline(always)]
                || update_chunk::<S, T>(simd, span, columns),
            );
        });
    } else {
        let size = SPAN_CHUNK * span.width;
        for columns in left.chunks_mut(size).chain(right.chunks_mut(size)) {
            update_chunk::<S, T>(simd, span, columns);
        }
    }
}

/// The same for [`SPAN_CHUNK`] columns at the most.
#[inline(always)]
fn update_chunk<S: Simd, T: Scalar>(simd: S, span: &Span<T::Vector<S>>, columns: &mut [T::Vector<S>]) {
    let mut pivots = [[T::ZERO; SPAN]; SPAN_CHUNK];
    let pivots = &mut pivots[..columns.len() / span.width];
    for (column, pivots) in columns.chunks_exact_mut(span.width).zip(pivots.iter_mut()) {
        span.set_aside::<S, T>(simd, column, pivots);
    }
    match const { plan::span_tile(T::Vector::<S>::LANES * size_of::<T::Real>(), T::Vector::<S>::PARTS) } {
        (4, 6) => update_strips::<S, T, 4, 6>(simd, span, columns, pivots),
        (2, 6) => update_strips::<S, T, 2, 6>(simd, span, columns, pivots),
        (1, 5) => update_strips::<S, T, 1, 5>(simd, span, columns, pivots),
        _ => unreachable!("a tile that nothing is compiled for"),
    }
}

/// Every column takes the tiles of one strip of W before those of the next, so that a strip stays near.
#[inline(always)]
fn update_strips<S: Simd, T: Scalar, const HEIGHT: usize, const COLUMNS: usize>(
    simd: S,
    span: &Span<T::Vector<S>>,
    columns: &mut [T::Vector<S>],
    pivots: &[[T; SPAN]],
) {
    let width = span.width;
    let together = columns.len() / width / COLUMNS * COLUMNS;
    let (columns, single) = columns.split_at_mut(together * width);
    let (pivots, single_pivots) = pivots.split_at(together);
    for first in (0..width).step_by(SPAN_STRIP * HEIGHT) {
        let rows = first..width.min(first + SPAN_STRIP * HEIGHT);
        for (columns, pivots) in columns.chunks_exact_mut(COLUMNS * width).zip(pivots.chunks_exact(COLUMNS)) {
            update_strip::<S, T, HEIGHT, COLUMNS>(simd, span, columns, pivots, rows.clone());
        }
        for (column, pivots) in single.chunks_exact_mut(width).zip(single_pivots.chunks_exact(1)) {
            update_strip::<S, T, HEIGHT, 1>(simd, span, column, pivots, rows.clone());
        }
    }
}

#[inline(always)]
fn update_strip<S: Simd, T: Scalar, const HEIGHT: usize, const COLUMNS: usize>(
    simd: S,
    span: &Span<T::Vector<S>>,
    columns: &mut [T::Vector<S>],
    pivots: &[[T; SPAN]],
    rows: Range<usize>,
) {
    let whole = rows.start + rows.len() / HEIGHT * HEIGHT;
    for row in (rows.start..whole).step_by(HEIGHT) {
        update_tile::<S, T, HEIGHT, COLUMNS>(simd, span, columns, pivots, row);
    }
    for row in whole..rows.end {
        update_tile::<S, T, 1, COLUMNS>(simd, span, columns, pivots, row);
    }
}

/// HEIGHT vectors of each column, from `row` on, take += W p.
#[inline(always)]
fn update_tile<S: Simd, T: Scalar, const HEIGHT: usize, const COLUMNS: usize>(
    simd: S,
    span: &Span<T::Vector<S>>,
    columns: &mut [T::Vector<S>],
    pivots: &[[T; SPAN]],
    row: usize,
) {
    let (width, depth) = (span.width, span.taken.len());
    let pivots: &[[T; SPAN]; COLUMNS] = pivots.try_into().expect("the pivots of as many columns");
    let mut sums = [[T::Vector::<S>::splat(simd, T::ZERO); HEIGHT]; COLUMNS];
    for c in 0..COLUMNS {
        sums[c].copy_from_slice(&columns[c * width + row..][..HEIGHT]);
    }
    for (b, factors) in span.packed[row * depth..][..HEIGHT * depth].chunks_exact(HEIGHT).enumerate() {
        for c in 0..COLUMNS {
            let pivot = T::Vector::<S>::splat(simd, pivots[c][b]);
            for r in 0..HEIGHT {
                sums[c][r] = sums[c][r].add_mul(factors[r], pivot);
            }
        }
    }
    for c in 0..COLUMNS {
        columns[c * width + row..][..HEIGHT].copy_from_slice(&sums[c]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exchanges one after the other, as the steps make them, and all at once.
    #[test]
    fn exchanges_are_put_together() {
        let mut span = Span::<f64>::new();
        let n = 12;
        for (k, rows) in [
            (0, vec![0, 1, 2]),
            (0, vec![7, 7, 7, 7]),
            (2, vec![3, 4, 4, 9, 9]),
            (2, vec![6, 5, 5, 5, 11]),
            (8, vec![11, 11, 10, 11]),
            (4, vec![11, 10, 9, 8, 11, 10, 9, 11]),
        ] {
            let mut one_by_one: Vec<u32> = (0..n).collect();
            for (step, &row) in rows.iter().enumerate() {
                one_by_one.swap(k + step, row);
            }
            span.k = k;
            span.exchange(&rows);
            assert_eq!(span.taken, one_by_one[k..k + rows.len()], "{rows:?} from {k} on");
            let mut together: Vec<u32> = (0..n).collect();
            for &(to, from) in &span.moved {
                assert!((k..k + rows.len()).contains(&(from as usize)), "{from} is not taken out");
                together[to as usize] = from;
            }
            let outside = |row: &usize| !(k..k + rows.len()).contains(row);
            for row in (0..n as usize).filter(outside) {
                assert_eq!(together[row], one_by_one[row], "{rows:?} from {k} on, row {row}");
            }
        }
    }
}
