//! The update of all other columns by an outer block of panels, for matrices that no near cache holds: many pivots per
//! pass.
//!
//! The steps of an outer block make a transformation W like those of a panel, only wider, and the update is a product
//! of matrices. The row exchanges are composed first, so that a column takes them at once.

use fearless_simd::Simd;
use rayon::prelude::*;

use crate::cpu::kernel::product::{DEPTH, Packed};
use crate::cpu::simd::apart::apart;
use crate::cpu::simd::lane::Lane;
use crate::cpu::simd::transpose::MAX_LANES;
use crate::cpu::simd::vector::Vector;
use crate::plan::cpu::{UPDATE_COLUMNS, shared_columns};

/// The steps of an outer block, prepared for the other columns. Memory is kept from one outer block to the next.
pub struct OuterBlock<V> {
    /// The first column of the outer block, which is also the first row that is taken out of a column.
    k: usize,
    /// For each step, the row of its pivot before any exchange.
    taken: Vec<u32>,
    /// The rows below that receive other content, and the row it comes from, which is one of those that are taken out.
    moved: Vec<(u32, u32)>,
    packed: Packed<V>,
}

impl<V: Copy> OuterBlock<V> {
    pub fn new() -> Self {
        Self { k: 0, taken: Vec::new(), moved: Vec::new(), packed: Packed::new() }
    }

    /// Forgets all steps.
    pub fn clear(&mut self) {
        self.taken.clear();
    }

    /// Takes W from the outer block's own `columns` of `width` vectors, whose steps exchanged rows k, k + 1, ... with
    /// `rows`.
    #[inline(always)]
    pub fn prepare<S: Simd, T: Lane>(&mut self, k: usize, rows: &[usize], columns: &[V], width: usize)
    where
        V: Vector<S, T>,
    {
        self.k = k;
        self.exchange(rows);
        self.packed.pack::<S, T, false>(columns, width, 0);
    }

    /// Composes the successive exchanges of rows k, k + 1, ... with `rows`.
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

    /// Exchanges the rows of a column and takes out the entries that then stand in the rows of the pivots.
    #[inline(always)]
    fn set_aside<S: Simd, T: Lane>(&self, simd: S, column: &mut [V], pivots: &mut [T; DEPTH])
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
        // An outer block begins at a vector, and ends with one or with the matrix.
        debug_assert!(self.k.is_multiple_of(MAX_LANES), "the width of an outer block is a multiple of 16");
        column[self.k / lanes..(self.k + self.taken.len()).div_ceil(lanes)].fill(V::splat(simd, T::ZERO));
    }
}

/// Takes all steps of the outer block to the columns on both sides of it, `shared` among the threads of the calling
/// pool or not.
#[inline(always)]
pub fn update<S: Simd, T: Lane>(
    simd: S,
    outer: &OuterBlock<T::Vector<S>>,
    left: &mut [T::Vector<S>],
    right: &mut [T::Vector<S>],
    shared: bool,
) {
    if outer.taken.is_empty() {
        return;
    }
    let width = outer.packed.width;
    if shared {
        let size = width * shared_columns(left.len() / width + right.len() / width, rayon::current_num_threads());
        left.par_chunks_mut(size).chain(right.par_chunks_mut(size)).for_each(|columns| {
            update_chunk::<S, T>(simd, outer, columns);
        });
    } else {
        let size = UPDATE_COLUMNS * width;
        for columns in left.chunks_mut(size).chain(right.chunks_mut(size)) {
            update_chunk::<S, T>(simd, outer, columns);
        }
    }
}

/// Takes all steps to at most [`UPDATE_COLUMNS`] columns.
fn update_chunk<S: Simd, T: Lane>(simd: S, outer: &OuterBlock<T::Vector<S>>, columns: &mut [T::Vector<S>]) {
    apart::<0, _, _>(
        simd,
        #[inline(always)]
        || {
            let width = outer.packed.width;
            let mut pivots = [[T::ZERO; DEPTH]; UPDATE_COLUMNS];
            let pivots = &mut pivots[..columns.len() / width];
            for (column, pivots) in columns.chunks_exact_mut(width).zip(pivots.iter_mut()) {
                outer.set_aside::<S, T>(simd, column, pivots);
            }
            outer.packed.add::<S, T>(simd, columns, pivots);
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Successive exchanges, as the steps make them, equal the composed ones.
    #[test]
    fn exchanges_are_composed() {
        let mut outer = OuterBlock::<f64>::new();
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
            outer.k = k;
            outer.exchange(&rows);
            assert_eq!(outer.taken, one_by_one[k..k + rows.len()], "{rows:?} from {k} on");
            let mut together: Vec<u32> = (0..n).collect();
            for &(to, from) in &outer.moved {
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
