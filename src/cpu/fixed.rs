//! `lanes` at the orders where speed is in the details: compiled for each order N, so that every index into a row is
//! a constant and rows are worked on in registers.
//!
//! The operations on an element, and their order, are those of the general form in `lanes`, which takes orders above 4 where this
//! does not, and of `rows`; so the bits are.
#![allow(clippy::needless_range_loop, reason = "several arrays are walked by one index; iterators would hide it")]

mod coprime;
mod exchange;
mod layout;
mod passes;
mod registers;

use fearless_simd::{Simd, SimdBase};

use super::ahead::Ahead;
use super::scaling::Scalings;
use super::vector::{Magnitude, Vector};
use super::{lanes, window};
use crate::inverses::Status;
use crate::plan::{AHEAD_BYTES, FIXED_ABOVE_BYTES, GROUPS_IN_TURNS};
use crate::scalar::{Real, Scalar};

/// Whether orders that registers do not hold as a whole are compiled each by itself.
pub const fn pays<S: Simd, T: Scalar>() -> bool {
    T::Vector::<S>::LANES * size_of::<T::Real>() > FIXED_ABOVE_BYTES
}

/// Whether G groups in turns would go to memory and back all the time: they are more than twice what registers hold, of which
/// vectors of 64 bytes have 32, shorter ones 16.
const fn crowded<S: Simd, T: Scalar>(order: usize, groups: usize) -> bool {
    let registers = if T::Vector::<S>::LANES * size_of::<T::Real>() > 32 { 32 } else { 16 };
    groups * order * order * T::Vector::<S>::PARTS > 2 * registers
}

/// Inverts whole groups of LANES matrices of an order N that registers hold, G groups in turns where that pays.
#[inline(never)]
pub fn in_registers<S: Simd, T: Scalar, const N: usize, const G: usize>(
    simd: S,
    scalings: &mut [Scalings<T>; GROUPS_IN_TURNS],
    input: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    if const { G > 1 && crowded::<S, T>(N, G) } {
        return in_registers::<S, T, N, 1>(simd, scalings, input, output, statuses);
    }
    simd.vectorize(
        #[inline(always)]
        || {
            let lanes = T::Vector::<S>::LANES;
            let size = lanes * N * N;
            let mut groups = [[[T::Vector::<S>::splat(simd, T::ZERO); N]; N]; G];
            // What comes soon: these groups take less time than memory does.
            let far = (AHEAD_BYTES / (G * size * size_of::<T>())).max(1);
            let mut output = output;
            let mut chunks = statuses.chunks_exact_mut(G * lanes);
            let mut done = 0;
            for statuses in &mut chunks {
                let (own, later) = output.split_at_mut(G * size);
                let own_input = &input[done..][..G * size];
                done += G * size;
                let soon = (far - 1) * G * size..far * G * size;
                Ahead::new(input[done..].get(soon.clone()).unwrap_or_default(), later.get(soon).unwrap_or_default())
                    .touch(0, 1);
                invert_groups::<S, T, N, G>(simd, &mut groups, scalings, own_input, own, statuses);
                output = later;
            }
            let rest = input[done..].chunks_exact(size).zip(output.chunks_exact_mut(size));
            for ((input, output), statuses) in rest.zip(chunks.into_remainder().chunks_exact_mut(lanes)) {
                let mut group = [groups[0]];
                invert_groups::<S, T, N, 1>(simd, &mut group, scalings, input, output, statuses);
            }
        },
    );
}

/// Inverts G groups.
#[inline(always)]
fn invert_groups<S: Simd, T: Scalar, const N: usize, const G: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
    scalings: &mut [Scalings<T>; GROUPS_IN_TURNS],
    input: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    let lanes = T::Vector::<S>::LANES;
    let size = lanes * N * N;
    statuses.fill(Status::INVERTED);
    for g in 0..G {
        let statuses = &mut statuses[g * lanes..][..lanes];
        load::<S, T, N>(simd, &mut groups[g], &mut scalings[g], &input[g * size..][..size], statuses);
    }
    let singular = registers::eliminate::<S, T, N, G>(simd, groups);
    for g in 0..G {
        window::scale_by_factors::<S, T>(simd, groups[g].as_flattened_mut(), &scalings[g]);
        let (input, output) = (&input[g * size..][..size], &mut output[g * size..][..size]);
        let finite = layout::store::<S, T, N>(simd, &groups[g], bytemuck::cast_slice_mut(output));
        settle(finite, &singular[g], &mut scalings[g], input, output, &mut statuses[g * lanes..][..lanes]);
    }
}

/// Inverts whole groups of LANES matrices of order N, in passes over memory.
#[inline(never)]
pub fn in_passes<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    scalings: &mut [Scalings<T>; GROUPS_IN_TURNS],
    input: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let lanes = T::Vector::<S>::LANES;
            let size = lanes * N * N;
            let mut a = [[T::Vector::<S>::splat(simd, T::ZERO); N]; N];
            let groups = input.chunks_exact(size).zip(output.chunks_exact_mut(size));
            for (index, ((group, output), statuses)) in groups.zip(statuses.chunks_exact_mut(lanes)).enumerate() {
                statuses.fill(Status::INVERTED);
                load::<S, T, N>(simd, &mut a, &mut scalings[0], group, statuses);
                let mut exchanges = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); N];
                let next = input[(index + 1) * size..].get(..size).unwrap_or_default();
                let singular = passes::eliminate::<S, T, N>(simd, &mut a, &mut exchanges, &Ahead::new(next, output));
                window::scale_by_factors::<S, T>(simd, a.as_flattened_mut(), &scalings[0]);
                let target = bytemuck::cast_slice_mut(&mut *output);
                let finite = layout::store_exchanged::<S, T, N>(simd, &a, &exchanges, target);
                settle(finite, &singular, &mut scalings[0], group, output, statuses);
            }
        },
    );
}

/// Reads a group, and scales what must be.
#[inline(always)]
fn load<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    scalings: &mut Scalings<T>,
    input: &[T],
    statuses: &mut [Status],
) {
    scalings.clear();
    if !layout::load::<S, T, N>(simd, bytemuck::cast_slice(input), a) {
        // Rare enough to be looked at again: zeros are no reason to scale. A copy, so that the usual group stays in registers.
        let mut copy = *a;
        window::scale_where_needed::<S, T>(simd, copy.as_flattened_mut(), N, statuses, scalings);
        *a = copy;
    }
}

/// What the usual group has no need of.
#[inline(always)]
fn settle<T: Scalar, const N: usize>(
    finite: bool,
    singular: &[u64; N],
    scalings: &mut Scalings<T>,
    input: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    let any_singular = singular.iter().fold(0, |any, lanes| any | lanes) != 0;
    if !finite || any_singular || !scalings.is_empty() {
        for (k, &singular) in singular.iter().enumerate() {
            lanes::report(singular, k, N, input, statuses, scalings);
        }
        lanes::settle(N, input, output, statuses, scalings);
    }
}

/// A row's number in every lane, as a real.
#[inline(always)]
fn number<S: Simd, T: Scalar>(simd: S, i: usize) -> Magnitude<T, S> {
    Magnitude::<T, S>::splat(simd, T::Real::from_f64(i as f64))
}
