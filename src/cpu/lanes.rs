//! `lanes`: one SIMD lane holds one matrix.
//!
//! A group of as many matrices as a vector has lanes is transposed into vectors: vector (i, j) holds element
//! (i, j) of every matrix of the group. Then one elimination runs for all of them at once. Every lane picks its
//! own pivot row, so rows are exchanged by masks: the pivot row is gathered under the masks of the rows that hold
//! it, and row k goes where it came from. The elimination works in place: column k, once eliminated, is column k of
//! the inverse, up to the row exchanges, which become column exchanges at the end.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::scaling::Scalings;
use super::transpose::{self, MAX_LANES};
use super::vector::{Magnitude, Vector};
use super::{Arithmetic, fixed, window};
use crate::inverses::Status;
use crate::plan::{GROUPS_IN_TURNS, IN_TURNS};
use crate::scalar::{Real, Scalar};

/// Working memory, kept from group to group.
pub struct Lanes<S: Simd, A: Arithmetic> {
    group: Group<S, A::Work>,
    /// A group in memory, where it must be converted or made whole, and its inverses.
    staged: Vec<A::Work>,
    inverses: Vec<A::Work>,
}

/// A group in vectors.
struct Group<S: Simd, T: Scalar> {
    /// Vector (i, j) at i * stride + j.
    a: Vec<T::Vector<S>>,
    /// The pivot rows of two successive steps.
    pivots: Vec<T::Vector<S>>,
    seconds: Vec<T::Vector<S>>,
    /// The pivot column.
    column: Vec<T::Vector<S>>,
    /// For each step, the row that was exchanged with row k.
    exchanges: Vec<Magnitude<T, S>>,
    /// Of as many groups as are eliminated in turns.
    scalings: [Scalings<T>; GROUPS_IN_TURNS],
}

type Vectors<S, A> = <<A as Arithmetic>::Work as Scalar>::Vector<S>;

impl<S: Simd, A: Arithmetic> Lanes<S, A> {
    pub fn new() -> Self {
        let group = Group {
            a: Vec::new(),
            pivots: Vec::new(),
            seconds: Vec::new(),
            column: Vec::new(),
            exchanges: Vec::new(),
            scalings: [(); GROUPS_IN_TURNS].map(|()| Scalings::new()),
        };
        Self { group, staged: Vec::new(), inverses: Vec::new() }
    }
}

/// Inverts matrices of `order` n >= 1, the last group of which may be smaller than LANES.
#[inline(always)]
pub fn invert<S: Simd, A: Arithmetic>(
    simd: S,
    work: &mut Lanes<S, A>,
    n: usize,
    input: &[A::Element],
    output: &mut [A::Element],
    statuses: &mut [Status],
) {
    let lanes = Vectors::<S, A>::LANES;
    let size = n * n;
    let whole = if A::NARROWS { 0 } else { statuses.len() / lanes * lanes };
    let (whole_input, input) = input.split_at(whole * size);
    let (whole_output, output) = output.split_at_mut(whole * size);
    let (whole_statuses, statuses) = statuses.split_at_mut(whole);
    let Lanes { group, staged, inverses } = work;
    if let (Some(input), Some(output)) = (A::as_work(whole_input), A::as_work_mut(whole_output)) {
        invert_groups::<S, A::Work>(simd, group, n, input, output, whole_statuses);
    }
    let groups = input.chunks(lanes * size).zip(output.chunks_mut(lanes * size));
    for ((input, output), statuses) in groups.zip(statuses.chunks_mut(lanes)) {
        staged.clear();
        staged.extend(input.iter().map(|&element| A::widen(element)));
        // Lanes without a matrix take the identity.
        for index in input.len()..lanes * size {
            staged.push(if (index % size).is_multiple_of(n + 1) { A::Work::ONE } else { A::Work::ZERO });
        }
        inverses.resize(lanes * size, A::Work::ZERO);
        let mut all = [Status::INVERTED; MAX_LANES];
        invert_groups::<S, A::Work>(simd, group, n, staged, inverses, &mut all[..lanes]);
        let matrices = output.chunks_exact_mut(size).zip(inverses.chunks_exact(size));
        for ((output, inverse), (status, &found)) in matrices.zip(statuses.iter_mut().zip(&all)) {
            let mut finite = true;
            for (element, &inverse) in output.iter_mut().zip(inverse) {
                *element = A::narrow(inverse);
                finite &= element.finite();
            }
            *status = if found.is_inverted() && !finite { Status::NOT_FINITE } else { found };
            if !status.is_inverted() {
                output.fill(A::Element::NAN);
            }
        }
    }
}

/// Returns from the calling function what an order compiled by itself does, if there is one.
macro_rules! in_passes_by_order {
    ($n:ident, $arguments:tt, [$($order:literal),*]) => {
        match $n {
            $($order => return fixed::in_passes::<S, T, $order>$arguments,)*
            _ => {}
        }
    };
}

/// Inverts whole groups.
#[inline(always)]
fn invert_groups<S: Simd, T: Scalar>(
    simd: S,
    group: &mut Group<S, T>,
    n: usize,
    input: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    let scalings = &mut group.scalings;
    match n {
        1 => return fixed::in_registers::<S, T, 1, { IN_TURNS[0] }>(simd, scalings, input, output, statuses),
        2 => return fixed::in_registers::<S, T, 2, { IN_TURNS[1] }>(simd, scalings, input, output, statuses),
        3 => return fixed::in_registers::<S, T, 3, { IN_TURNS[2] }>(simd, scalings, input, output, statuses),
        4 => return fixed::in_registers::<S, T, 4, { IN_TURNS[3] }>(simd, scalings, input, output, statuses),
        _ => {}
    }
    if const { fixed::pays::<S, T>() } {
        in_passes_by_order!(
            n,
            (simd, scalings, input, output, statuses),
            [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]
        );
    }
    let size = T::Vector::<S>::LANES * n * n;
    let groups = input.chunks_exact(size).zip(output.chunks_exact_mut(size));
    for ((input, output), statuses) in groups.zip(statuses.chunks_exact_mut(T::Vector::<S>::LANES)) {
        invert_group::<S, T>(simd, group, n, input, output, statuses);
    }
}

/// Inverts LANES matrices of any order.
#[inline(always)]
fn invert_group<S: Simd, T: Scalar>(
    simd: S,
    group: &mut Group<S, T>,
    n: usize,
    input: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let stride = stride(n);
    let Group { a, pivots, seconds, column, exchanges, scalings } = group;
    let scalings = &mut scalings[0];
    a.resize(n * stride, zero);
    pivots.resize(n, zero);
    seconds.resize(n, zero);
    column.resize(n, zero);
    exchanges.resize(n, zero.magnitude());

    transpose::load::<S, T>(simd, bytemuck::cast_slice(input), a, n);
    statuses.fill(Status::INVERTED);
    scalings.clear();
    window::scale_where_needed::<S, T>(simd, a, n, statuses, scalings);

    let mut rows = Rows { vectors: a, n, stride };
    let mut k = 0;
    while k < n {
        if k + 1 < n {
            let pivots = [&mut pivots[..], &mut seconds[..]];
            let singular = eliminate_two::<S, T>(simd, &mut rows, k, pivots, column, exchanges);
            report(singular[0], k, n, input, statuses, scalings);
            report(singular[1], k + 1, n, input, statuses, scalings);
        } else {
            let singular = eliminate::<S, T>(simd, &mut rows, k, pivots, column, &mut exchanges[k]);
            report(singular, k, n, input, statuses, scalings);
        }
        k += 2;
    }
    undo_exchanges::<S, T>(simd, &mut rows, exchanges);
    window::scale_by_factors::<S, T>(simd, a, scalings);

    let poisoned = window::poisoned_lanes::<S, T>(simd, a);
    transpose::store::<S, T>(simd, a, n, bytemuck::cast_slice_mut(output));
    // The usual end: all inverted.
    if poisoned != 0 || !scalings.is_empty() || statuses.iter().any(|status| !status.is_inverted()) {
        settle(n, input, output, statuses, scalings);
    }
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

/// Gives the lanes with a zero pivot in column k their status.
#[inline(always)]
pub fn report<T: Scalar>(
    singular: u64,
    k: usize,
    n: usize,
    input: &[T],
    statuses: &mut [Status],
    scalings: &mut Scalings<T>,
) {
    if singular != 0 {
        for (lane, (status, matrix)) in statuses.iter_mut().zip(input.chunks_exact(n * n)).enumerate() {
            if singular >> lane & 1 == 1 && status.is_inverted() {
                *status = scalings.zero_pivot(lane, matrix, k);
            }
        }
    }
}

/// Undoes the scaling by rows and columns, finds what is not finite after all, and fills what has no inverse.
#[inline(never)]
pub fn settle<T: Scalar>(n: usize, input: &[T], output: &mut [T], statuses: &mut [Status], scalings: &Scalings<T>) {
    let matrices = input.chunks_exact(n * n).zip(output.chunks_exact_mut(n * n));
    for (lane, ((input, output), status)) in matrices.zip(statuses).enumerate() {
        if status.is_inverted() {
            if let Some(scaling) = scalings.of(lane) {
                scaling.undo_all(output);
            }
            if !output.iter().all(|element| element.finite()) {
                *status = Status::NOT_FINITE;
            }
        } else if !input.iter().all(|element| element.finite()) {
            // Its zero pivot says nothing.
            *status = Status::NOT_FINITE;
        }
        if !status.is_inverted() {
            output.fill(T::NAN);
        }
    }
}

/// Vectors from one row to the next: a multiple of 8 would crowd the columns into a few sets of the cache.
#[inline(always)]
fn stride(n: usize) -> usize {
    if n >= 16 && n.is_multiple_of(8) { n + 1 } else { n }
}

/// A row's number in every lane, as a real.
#[inline(always)]
fn index<S: Simd, T: Scalar>(simd: S, i: usize) -> Magnitude<T, S> {
    Magnitude::<T, S>::splat(simd, T::Real::from_f64(i as f64))
}

/// Step k of the elimination, in every lane. Returns the lanes whose pivot is exactly zero, as a bit mask.
#[inline(always)]
fn eliminate<S: Simd, T: Scalar>(
    simd: S,
    a: &mut Rows<'_, T::Vector<S>>,
    k: usize,
    pivots: &mut [T::Vector<S>],
    column: &mut [T::Vector<S>],
    exchange: &mut Magnitude<T, S>,
) -> u64 {
    let n = a.n;
    for (i, x) in column.iter_mut().enumerate().skip(k) {
        *x = a.row(i)[k];
    }
    let singular = first_maximum::<S, T>(simd, column, k, exchange);
    exchange_rows::<S, T>(simd, a, k, *exchange, pivots);
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
    singular
}

/// Steps k and k + 1 in one pass over the matrix, which halves the loads and stores of `eliminate`. Every element
/// takes the same operations in the same order, so that the bits are the same.
#[inline(always)]
fn eliminate_two<S: Simd, T: Scalar>(
    simd: S,
    a: &mut Rows<'_, T::Vector<S>>,
    k: usize,
    [pivots, seconds]: [&mut [T::Vector<S>]; 2],
    column: &mut [T::Vector<S>],
    exchanges: &mut [Magnitude<T, S>],
) -> [u64; 2] {
    let n = a.n;
    for (i, x) in column.iter_mut().enumerate().skip(k) {
        *x = a.row(i)[k];
    }
    let first = first_maximum::<S, T>(simd, column, k, &mut exchanges[k]);
    exchange_rows::<S, T>(simd, a, k, exchanges[k], pivots);
    divide::<S, T>(simd, pivots, k);

    // Column k + 1 as step k leaves it, to choose the second pivot; then its row, brought up to step k.
    for (i, x) in column.iter_mut().enumerate().skip(k + 1) {
        let row = a.row(i);
        *x = row[k + 1].sub_mul(row[k], pivots[k + 1]);
    }
    let second = first_maximum::<S, T>(simd, column, k + 1, &mut exchanges[k + 1]);
    exchange_rows::<S, T>(simd, a, k + 1, exchanges[k + 1], seconds);
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

/// The row of the first maximum of |re| + |im| in a column from row k on, in every lane. Returns the lanes where
/// it is zero, as a bit mask.
#[inline(always)]
fn first_maximum<S: Simd, T: Scalar>(simd: S, column: &[T::Vector<S>], k: usize, at: &mut Magnitude<T, S>) -> u64 {
    let mut best = column[k].magnitude();
    *at = index::<S, T>(simd, k);
    for (i, x) in column.iter().enumerate().skip(k + 1) {
        let magnitude = x.magnitude();
        let better = magnitude.simd_gt(best);
        best = better.select(magnitude, best);
        *at = better.select(index::<S, T>(simd, i), *at);
    }
    best.simd_eq(Magnitude::<T, S>::splat(simd, T::Real::ZERO)).to_bitmask()
}

/// Takes the pivot row out, in every lane its own, and puts row k in its place.
#[inline(always)]
fn exchange_rows<S: Simd, T: Scalar>(
    simd: S,
    a: &mut Rows<'_, T::Vector<S>>,
    k: usize,
    at: Magnitude<T, S>,
    pivots: &mut [T::Vector<S>],
) {
    let (row_k, below) = a.split_below(k);
    pivots.copy_from_slice(row_k);
    for (i, row) in (k + 1..).zip(below) {
        let here = at.simd_eq(index::<S, T>(simd, i));
        if here.any_true() {
            for ((x, pivot), &from_k) in row.iter_mut().zip(pivots.iter_mut()).zip(row_k.iter()) {
                *pivot = Vector::select(here, *x, *pivot);
                *x = Vector::select(here, from_k, *x);
            }
        }
    }
}

/// The pivot row over the pivot; where the pivot stood, 1 / pivot: column k of the inverse begins.
#[inline(always)]
fn divide<S: Simd, T: Scalar>(simd: S, pivots: &mut [T::Vector<S>], k: usize) {
    let reciprocal = pivots[k].reciprocal(simd);
    for pivot in pivots.iter_mut() {
        *pivot = pivot.mul(reciprocal);
    }
    pivots[k] = reciprocal;
}

/// Row exchanges of the matrix are column exchanges of its inverse, in the opposite order.
#[inline(always)]
fn undo_exchanges<S: Simd, T: Scalar>(simd: S, a: &mut Rows<'_, T::Vector<S>>, exchanges: &[Magnitude<T, S>]) {
    let n = a.n;
    for (k, exchange) in exchanges.iter().enumerate().rev() {
        for j in k + 1..n {
            let here = exchange.simd_eq(index::<S, T>(simd, j));
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
