//! Columns += W p: what many pivots do to other columns, for matrices that no near cache holds.
//!
//! W has a column for each pivot, and every other column has its own p. That is a product of matrices, and is computed
//! like one (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008): W is packed into tiles
//! a few vectors high, and a tile of sums stays in registers for all columns of W. Every element takes the pivots in
//! their order.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use std::ops::Range;

use fearless_simd::Simd;

use crate::cpu::simd::lane::Lane;
use crate::cpu::simd::vector::Vector;
use crate::plan::cpu::{CpuTuning, UPDATE_STRIP, register_tile};

/// The most columns of W.
pub const DEPTH: usize = CpuTuning::OUTER_BLOCK;

/// W in tiles from the top down, the vectors of a tile pivot by pivot. Memory is kept from one W to the next.
pub struct Packed<V> {
    tiles: Vec<V>,
    /// The first vector of a column that W changes.
    first: usize,
    /// Vectors per column.
    pub width: usize,
    /// The number of columns of W.
    depth: usize,
}

impl<V: Copy> Packed<V> {
    pub fn new() -> Self {
        Self { tiles: Vec::new(), first: 0, width: 0, depth: 0 }
    }

    /// Takes W, or -W if it is to be taken from others, from `columns` of `width` vectors: those from `first` on.
    #[inline(always)]
    pub fn pack<S: Simd, T: Lane, const MINUS: bool>(&mut self, columns: &[V], width: usize, first: usize)
    where
        V: Vector<S, T>,
    {
        (self.first, self.width, self.depth) = (first, width, columns.len() / width);
        let (height, _) = register_tile(V::LANES * size_of::<T::Real>(), V::PARTS);
        let whole = first + (width - first) / height * height;
        self.tiles.clear();
        self.tiles.reserve_exact((width - first) * self.depth);
        for (rows, height) in [(first..whole, height), (whole..width, 1)] {
            for row in rows.step_by(height) {
                for column in columns.chunks_exact(width) {
                    self.tiles.extend_from_slice(&column[row..][..height]);
                }
            }
        }
        if MINUS {
            for vector in &mut self.tiles {
                for part in 0..V::PARTS {
                    vector.set_part(part, -vector.part(part));
                }
            }
        }
    }

    /// Adds W p to columns, each with a p of its own.
    #[inline(always)]
    pub fn add<S: Simd, T: Lane>(&self, simd: S, columns: &mut [V], pivots: &[[T; DEPTH]])
    where
        V: Vector<S, T>,
    {
        match const { register_tile(V::LANES * size_of::<T::Real>(), V::PARTS) } {
            (4, 6) => self.add_strips::<S, T, 4, 6>(simd, columns, pivots),
            (2, 6) => self.add_strips::<S, T, 2, 6>(simd, columns, pivots),
            (1, 5) => self.add_strips::<S, T, 1, 5>(simd, columns, pivots),
            _ => unreachable!("a tile that nothing is compiled for"),
        }
    }

    /// Takes the tiles of one strip of W to every column before those of the next strip, so that a strip stays in the
    /// cache.
    #[inline(always)]
    fn add_strips<S: Simd, T: Lane, const HEIGHT: usize, const COLUMNS: usize>(
        &self,
        simd: S,
        columns: &mut [V],
        pivots: &[[T; DEPTH]],
    ) where
        V: Vector<S, T>,
    {
        let width = self.width;
        let together = columns.len() / width / COLUMNS * COLUMNS;
        let (columns, single) = columns.split_at_mut(together * width);
        let (pivots, single_pivots) = pivots.split_at(together);
        for first in (self.first..width).step_by(UPDATE_STRIP * HEIGHT) {
            let rows = first..width.min(first + UPDATE_STRIP * HEIGHT);
            for (columns, pivots) in columns.chunks_exact_mut(COLUMNS * width).zip(pivots.chunks_exact(COLUMNS)) {
                self.add_strip::<S, T, HEIGHT, COLUMNS>(simd, columns, pivots, rows.clone());
            }
            for (column, pivots) in single.chunks_exact_mut(width).zip(single_pivots.chunks_exact(1)) {
                self.add_strip::<S, T, HEIGHT, 1>(simd, column, pivots, rows.clone());
            }
        }
    }

    #[inline(always)]
    fn add_strip<S: Simd, T: Lane, const HEIGHT: usize, const COLUMNS: usize>(
        &self,
        simd: S,
        columns: &mut [V],
        pivots: &[[T; DEPTH]],
        rows: Range<usize>,
    ) where
        V: Vector<S, T>,
    {
        let whole = rows.start + rows.len() / HEIGHT * HEIGHT;
        for row in (rows.start..whole).step_by(HEIGHT) {
            self.add_tile::<S, T, HEIGHT, COLUMNS>(simd, columns, pivots, row);
        }
        for row in whole..rows.end {
            self.add_tile::<S, T, 1, COLUMNS>(simd, columns, pivots, row);
        }
    }

    /// Adds W p to HEIGHT vectors of each column, from `row` on.
    #[inline(always)]
    fn add_tile<S: Simd, T: Lane, const HEIGHT: usize, const COLUMNS: usize>(
        &self,
        simd: S,
        columns: &mut [V],
        pivots: &[[T; DEPTH]],
        row: usize,
    ) where
        V: Vector<S, T>,
    {
        let &Self { ref tiles, first, width, depth } = self;
        let pivots: &[[T; DEPTH]; COLUMNS] = pivots.try_into().expect("one array of pivots per column");
        let mut sums = [[V::splat(simd, T::ZERO); HEIGHT]; COLUMNS];
        for c in 0..COLUMNS {
            sums[c].copy_from_slice(&columns[c * width + row..][..HEIGHT]);
        }
        let tile = &tiles[(row - first) * depth..][..HEIGHT * depth];
        for (b, factors) in tile.chunks_exact(HEIGHT).enumerate() {
            for c in 0..COLUMNS {
                let pivot = V::splat(simd, pivots[c][b]);
                for r in 0..HEIGHT {
                    sums[c][r] = sums[c][r].add_mul(factors[r], pivot);
                }
            }
        }
        for c in 0..COLUMNS {
            columns[c * width + row..][..HEIGHT].copy_from_slice(&sums[c]);
        }
    }
}
