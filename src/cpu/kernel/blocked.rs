//! `blocked`: one matrix at a time, its columns in SIMD vectors, several pivots per pass.
//!
//! An elimination step changes the matrix by a transformation that differs from the identity in one column, the one
//! that in-place elimination leaves behind. BLOCK successive steps therefore make a transformation that differs from
//! the identity in BLOCK columns, W. So a panel of BLOCK columns is eliminated by itself, with pivoting over all rows
//! below, and leaves W. Every other column then takes all of its steps in one pass: the column's entries in the rows of
//! the panel's pivots are set aside as p and cleared, and the column takes += W p. In a matrix too large for the
//! nearest cache, only the columns of an outer block do so panel by panel; the rest take the steps of the whole outer
//! block at once.
//!
//! ```text
//!           done outer blocks        the outer block        later columns
//!          +------------------+----+----+----+----+------------------------+
//!          |                  |    |pa- |    |    |                        |
//!          |   += W p of the  |<---|nel |--->|    |   += W p of the whole  |
//!          |   outer block    |    | W  |    |    |   outer block          |
//!          +------------------+----+----+----+----+------------------------+
//! ```
//!
//! With columns in vectors, the search for a pivot and the elimination in the panel run along vectors, and the row
//! exchanges cost nothing: columns of the inverse are taken in order when they are written. Threads can share one
//! matrix: between outer blocks, every column is a task of its own.

mod outer_block;
mod panels;

use std::ops::Range;

use fearless_simd::Simd;

use self::outer_block::OuterBlock;
use self::panels::Panels;
use crate::cpu::arithmetic::Arithmetic;
use crate::cpu::frame::{Kernel, Reals, Settings, Vectors};
use crate::cpu::memory::strips::Strips;
use crate::cpu::simd::apart::apart;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::prefetch::Prefetch;
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;

/// A matrix of order n in columns.
pub struct Blocked<S: Simd, A: Arithmetic> {
    settings: Settings,
    n: usize,
    /// Vectors per column.
    width: usize,
    /// Column j in `width` vectors from j * width on; lanes beyond row n - 1 are zero.
    columns: Vec<Vectors<S, A>>,
    panels: Panels<Vectors<S, A>, Reals<S, A>, A::Work>,
    outer: OuterBlock<Vectors<S, A>>,
    /// The column that holds column j of the inverse.
    sources: Vec<u32>,
    /// The rows of one vector's height, if elements are converted: a copy of the whole matrix would be as large as
    /// `columns`.
    strip: Vec<A::Work>,
}

/// The working memory that is kept from matrix to matrix.
pub struct Kept<S: Simd, A: Arithmetic>(Option<Blocked<S, A>>);

impl<S: Simd, A: Arithmetic> Default for Kept<S, A> {
    fn default() -> Self {
        Self(None)
    }
}

type WorkReal<A> = <<A as Arithmetic>::Work as Scalar>::Real;

impl<S: Simd, A: Arithmetic> Kernel<S, A> for Blocked<S, A> {
    type Kept = Kept<S, A>;
    type ZeroPivots = Option<usize>;
    const MATRIX_PER_LANE: bool = false;

    fn open(_: S, settings: &Settings, kept: &mut Self::Kept) -> Self {
        let (settings, n) = (*settings, settings.order);
        let width = n.div_ceil(Vectors::<S, A>::LANES);
        match kept.0.take() {
            Some(kept) => Self { settings, n, width, ..kept },
            None => Self {
                settings,
                n,
                width,
                columns: Vec::new(),
                panels: Panels::new(),
                outer: OuterBlock::new(),
                sources: Vec::new(),
                strip: Vec::new(),
            },
        }
    }

    fn close(self, kept: &mut Self::Kept) {
        kept.0 = Some(self);
    }

    #[inline(always)]
    fn load(&mut self, simd: S, source: &[A::Element]) -> bool {
        let (n, lanes) = (self.n, Vectors::<S, A>::LANES);
        let mut strips = Strips::<S, A::Work>::new(simd, n, n);
        self.columns.resize(n * self.width, Vectors::<S, A>::splat(simd, A::Work::ZERO));
        self.panels.begin(n, self.width * lanes);
        for strip in 0..self.width {
            let source = &source[strip * lanes * n..];
            let reals: &[WorkReal<A>] = match A::as_work(source) {
                Some(source) => bytemuck::cast_slice(source),
                None => {
                    let (flushes, rows) = (self.settings.flushes, strips.rows_of(strip));
                    self.strip.clear();
                    self.strip.extend(source[..rows * n].iter().map(|&element| A::widen(element, flushes)));
                    bytemuck::cast_slice(&self.strip)
                }
            };
            strips.load(simd, strip, reals, &mut self.columns);
        }
        strips.in_window(simd)
    }

    #[inline(always)]
    fn vectors(&mut self) -> &mut [Vectors<S, A>] {
        &mut self.columns
    }

    fn replace(&mut self, elements: &[A::Work]) {
        let lanes = Vectors::<S, A>::LANES;
        for (i, row) in elements.chunks_exact(self.n).enumerate() {
            for (column, &element) in self.columns.chunks_exact_mut(self.width).zip(row) {
                column[i / lanes].set_lane(i % lanes, element);
            }
        }
    }

    #[inline(always)]
    fn eliminate(&mut self, simd: S, _: &Prefetch<'_>) -> Option<usize> {
        let Self { settings, n, width, columns, panels, outer, .. } = self;
        let (n, width, shared) = (*n, *width, settings.shared);
        outer.clear();
        let mut done = 0..0;
        loop {
            // The columns of the next outer block take the last one's steps and are then eliminated, while all others
            // take the last one's steps.
            let next = done.end..n.min(done.end + settings.tuning.outer_block(n));
            let (left, rest) = columns.split_at_mut(next.start * width);
            let (own, right) = rest.split_at_mut(next.len() * width);
            let left = &mut left[..done.start * width];
            let block = settings.tuning.block;
            let mut next_block = || next_block::<S, A::Work>(simd, outer, panels, own, next.clone(), block);
            let mut others = || outer_block::update::<S, A::Work>(simd, outer, left, right, shared);
            let zero_pivot = if shared { rayon::join(next_block, others).0 } else { (next_block(), others()).0 };
            if zero_pivot.is_some() || next.is_empty() || next.len() == n {
                return zero_pivot;
            }
            let own = &columns[next.start * width..next.end * width];
            outer.prepare::<S, A::Work>(next.start, &panels.pivot_rows, own, width);
            done = next;
        }
    }

    #[inline(always)]
    fn store(&mut self, simd: S, target: &mut [A::Element]) -> bool {
        let (n, lanes) = (self.n, Vectors::<S, A>::LANES);
        let mut strips = Strips::<S, A::Work>::new(simd, n, n);
        self.sources.resize(n, 0);
        for (k, &row) in self.panels.permutation.iter().enumerate() {
            self.sources[row as usize] = k as u32;
        }

        let mut finite = true;
        for strip in 0..self.width {
            let target = &mut target[strip * lanes * n..];
            let reals: &mut [WorkReal<A>] = match A::as_work_mut(target) {
                Some(target) => bytemuck::cast_slice_mut(target),
                None => {
                    self.strip.resize(strips.rows_of(strip) * n, A::Work::ZERO);
                    bytemuck::cast_slice_mut(&mut self.strip)
                }
            };
            strips.store(simd, strip, &self.columns, Some(&self.sources), reals);
            if A::NARROWS {
                for (element, &inverse) in target.iter_mut().zip(&self.strip) {
                    *element = A::narrow(inverse, self.settings.flushes);
                    finite &= element.finite();
                }
            }
        }
        finite && strips.finite(simd)
    }
}

/// Takes the last outer block's steps to the columns of the next one and eliminates them. Returns the column of the
/// first zero pivot.
fn next_block<S: Simd, T: Lane>(
    simd: S,
    outer: &OuterBlock<T::Vector<S>>,
    panels: &mut Panels<T::Vector<S>, Magnitude<T, S>, T>,
    own: &mut [T::Vector<S>],
    range: Range<usize>,
    block: usize,
) -> Option<usize> {
    apart::<0, _, _>(
        simd,
        #[inline(always)]
        || {
            outer_block::update::<S, T>(simd, outer, own, &mut [], false);
            panels::eliminate::<S, T>(simd, panels, own, range, block)
        },
    )
}
