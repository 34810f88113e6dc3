//! `blocked`: one matrix at a time, its columns in SIMD vectors, several pivots to a pass.
//!
//! An elimination step changes the matrix by a transformation that differs from the identity in one column only,
//! the one that in-place elimination leaves behind. `BLOCK` successive steps therefore make a transformation
//! that differs from it in `BLOCK` columns, W. So a panel of `BLOCK` columns is eliminated by itself, with
//! pivoting over all rows below, and leaves W; then every other column takes all its steps in one pass: what it has in
//! the rows of the panel's pivots is set aside as p and cleared, and the column takes += W p. Where the matrix is too large for
//! the nearest cache, only the columns of a span do so panel by panel; the rest take the whole span's steps at once.
//!
//! With columns in vectors, the search for a pivot and the elimination in the panel run along vectors, and what the row
//! exchanges do to the order of the inverse's columns costs nothing: columns are taken in their order when they are
//! written. And threads can share one matrix: between spans, every column is a task of its own.

mod panels;
mod span;

use fearless_simd::{Simd, SimdBase, SimdFloat, SimdMask};

use self::panels::Panels;
use self::span::Span;
use super::Arithmetic;
use super::transpose::{MAX_LANES, transpose};
use super::vector::{Magnitude, Vector};
use crate::plan;
use crate::scalar::Scalar;

/// A matrix of order n in columns, with the working memory, kept from one to the next.
pub struct Blocked<V, M, T: Scalar> {
    /// Column j in `width` vectors, from j * width on; lanes beyond row n - 1 are zero.
    pub columns: Vec<V>,
    panels: Panels<V, M, T>,
    span: Span<V>,
    /// The column that holds column j of the inverse.
    sources: Vec<u32>,
    /// The rows of one vector's height, where they are converted on their way: of the whole matrix, a copy would be as large as
    /// `columns`.
    strip: Vec<T>,
    width: usize,
    n: usize,
}

impl<V: Copy, M, T: Scalar> Blocked<V, M, T> {
    pub fn new() -> Self {
        Self {
            columns: Vec::new(),
            panels: Panels::new(),
            span: Span::new(),
            sources: Vec::new(),
            strip: Vec::new(),
            width: 0,
            n: 0,
        }
    }
}

/// The working memory of one arithmetic, and its vectors.
pub type Of<S, A> = Blocked<Vectors<S, A>, Reals<S, A>, <A as Arithmetic>::Work>;
type Vectors<S, A> = <<A as Arithmetic>::Work as Scalar>::Vector<S>;
type Reals<S, A> = Magnitude<<A as Arithmetic>::Work, S>;
type WorkReal<A> = <<A as Arithmetic>::Work as Scalar>::Real;

/// Reads a matrix of order n. Returns whether all of its elements lie in the window from `low` to `high` that needs no
/// scaling; false may also mean that there are zeros, or NaN.
#[inline(always)]
pub fn load<S: Simd, A: Arithmetic>(
    simd: S,
    work: &mut Of<S, A>,
    n: usize,
    source: &[A::Element],
    (low, high): (WorkReal<A>, WorkReal<A>),
) -> bool {
    let (lanes, parts) = (Vectors::<S, A>::LANES, Vectors::<S, A>::PARTS);
    let zero = Reals::<S, A>::splat(simd, WorkReal::<A>::ZERO);
    let (low, high) = (Reals::<S, A>::splat(simd, low), Reals::<S, A>::splat(simd, high));
    let (mut smallest, mut largest, mut poison) = (high, low, zero);
    let row = n * parts;
    (work.n, work.width) = (n, n.div_ceil(lanes));
    work.columns.resize(n * work.width, Vectors::<S, A>::splat(simd, A::Work::ZERO));
    work.panels.begin(n, work.width * lanes);

    for down in 0..work.width {
        let rows = lanes.min(n - down * lanes);
        let source = &source[down * lanes * n..];
        let strip: &[WorkReal<A>] = match A::as_work(source) {
            Some(source) => bytemuck::cast_slice(source),
            None => {
                work.strip.clear();
                work.strip.extend(source[..rows * n].iter().map(|&element| A::widen(element)));
                bytemuck::cast_slice(&work.strip)
            }
        };
        for first in (0..row).step_by(lanes) {
            let mut block = [zero; MAX_LANES];
            for (index, vector) in block[..rows].iter_mut().enumerate() {
                // What a row has too little is the next row's, and goes nowhere.
                let rest = &strip[index * row + first..];
                *vector = match rest.get(..lanes) {
                    Some(whole) => Reals::<S, A>::from_slice(simd, whole),
                    None => {
                        let mut vector = Reals::<S, A>::splat(simd, WorkReal::<A>::ONE);
                        vector.as_mut_slice()[..rest.len()].copy_from_slice(rest);
                        vector
                    }
                };
                (smallest, largest) = (smallest.min(vector.abs()), largest.max(vector.abs()));
                poison = vector.mul_add(zero, poison);
            }
            transpose::<S, A::Work>(&mut block);
            let columns = work.columns[first / parts * work.width + down..].iter_mut().step_by(work.width);
            for (column, reals) in columns.zip(block[..lanes].chunks_exact(parts)) {
                for (part, &real) in reals.iter().enumerate() {
                    column.set_part(part, real);
                }
            }
        }
    }
    let usual = smallest.simd_ge(low) & largest.simd_le(high) & poison.simd_eq(zero);
    usual.all_true()
}

/// Writes the inverse, its columns in their order. Returns whether all of its elements are finite.
#[inline(always)]
pub fn store<S: Simd, A: Arithmetic>(simd: S, work: &mut Of<S, A>, target: &mut [A::Element]) -> bool {
    let (lanes, parts) = (Vectors::<S, A>::LANES, Vectors::<S, A>::PARTS);
    let zero = Reals::<S, A>::splat(simd, WorkReal::<A>::ZERO);
    let (n, width) = (work.n, work.width);
    let row = n * parts;
    work.sources.resize(n, 0);
    for (k, &origin) in work.panels.origins.iter().enumerate() {
        work.sources[origin as usize] = k as u32;
    }

    let (mut poison, mut finite) = (zero, true);
    for down in 0..width {
        let rows = lanes.min(n - down * lanes);
        let target = &mut target[down * lanes * n..];
        let strip: &mut [WorkReal<A>] = match A::as_work_mut(target) {
            Some(target) => bytemuck::cast_slice_mut(target),
            None => {
                work.strip.resize(rows * n, A::Work::ZERO);
                bytemuck::cast_slice_mut(&mut work.strip)
            }
        };
        // From right to left, so that what goes beyond the end of a row is overwritten by the next row's beginning.
        for first in (0..row).step_by(lanes).rev() {
            let mut block = [zero; MAX_LANES];
            let sources = &work.sources[first / parts..];
            for (reals, &source) in block[..lanes].chunks_exact_mut(parts).zip(sources) {
                let vector = work.columns[source as usize * width + down];
                poison = vector.poison(poison, zero);
                for (part, real) in reals.iter_mut().enumerate() {
                    *real = vector.part(part);
                }
            }
            transpose::<S, A::Work>(&mut block);
            for (index, vector) in block[..rows].iter().enumerate() {
                let rest = &mut strip[index * row + first..];
                match rest.get_mut(..lanes) {
                    Some(whole) => vector.store_slice(whole),
                    None => {
                        let end = rest.len();
                        rest.copy_from_slice(&vector.as_slice()[..end]);
                    }
                }
            }
        }
        if A::NARROWS {
            for (element, &inverse) in target.iter_mut().zip(&work.strip) {
                *element = A::narrow(inverse);
                finite &= element.finite();
            }
        }
    }
    finite && poison.simd_eq(zero).all_true()
}

/// Inverts in place, but for the order of the columns; the threads of the calling pool take columns each where they are
/// `shared`. Returns the column, from 0, of the first zero pivot.
#[inline(always)]
pub fn eliminate<S: Simd, T: Scalar>(
    simd: S,
    work: &mut Blocked<T::Vector<S>, Magnitude<T, S>, T>,
    shared: bool,
) -> Option<usize> {
    let Blocked { columns, panels, span, width, n, .. } = work;
    let (width, n) = (*width, *n);
    span.clear();
    let mut done = 0..0;
    loop {
        // The next span's columns take the last one's steps and are then eliminated, while all others take the last one's steps.
        let next = done.end..n.min(done.end + plan::span(n));
        let (left, rest) = columns.split_at_mut(next.start * width);
        let (own, right) = rest.split_at_mut(next.len() * width);
        let left = &mut left[..done.start * width];
        // Compiled once, for both ways to be called.
        let mut next_span = || {
            simd.vectorize(
                #[inline(always)]
                || {
                    span::update::<S, T>(simd, span, own, &mut [], false);
                    panels::eliminate::<S, T>(simd, panels, own, next.clone())
                },
            )
        };
        let mut others = || span::update::<S, T>(simd, span, left, right, shared);
        let zero_pivot = if shared { rayon::join(next_span, others).0 } else { (next_span(), others()).0 };
        if zero_pivot.is_some() || next.is_empty() || next.len() == n {
            return zero_pivot;
        }
        let own = &columns[next.start * width..next.end * width];
        span.prepare::<S, T>(next.start, &panels.pivot_rows, own, width);
        done = next;
    }
}
