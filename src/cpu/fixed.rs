//! `lanes` at the orders where speed is in the details: compiled for each order N, so that every index into a row is
//! a constant and rows are worked on in registers.
//!
//! The operations on an element, and their order, are those of the general form in `lanes` and of `rows`; so the bits are.
#![allow(clippy::needless_range_loop, reason = "several arrays are walked by one index; iterators would hide it")]

mod exchange;
mod layout;
mod passes;
mod registers;

use fearless_simd::{Simd, SimdBase};

use super::ahead::Ahead;
use super::lanes;
use super::vector::{Magnitude, Vector};
use crate::inverses::Status;
use crate::plan::{AHEAD_BYTES, FIXED_ABOVE_BYTES, REGISTERS_MAX_ORDER};
use crate::scalar::{Real, Scalar};

/// Whether orders are compiled each by itself.
pub const fn pays<S: Simd, T: Scalar>() -> bool {
    T::Vector::<S>::LANES * size_of::<T::Real>() > FIXED_ABOVE_BYTES
}

/// Inverts whole groups of LANES matrices of order N.
#[inline(never)]
pub fn invert<S: Simd, T: Scalar, const N: usize>(simd: S, input: &[T], output: &mut [T], statuses: &mut [Status]) {
    simd.vectorize(
        #[inline(always)]
        || {
            let lanes = T::Vector::<S>::LANES;
            let mut a = [[T::Vector::<S>::splat(simd, T::ZERO); N]; N];
            let size = lanes * N * N;
            // Small groups take less time than memory does.
            let far = if N <= REGISTERS_MAX_ORDER { (AHEAD_BYTES / (size * size_of::<T>())).max(1) } else { 1 };
            let mut output = output;
            for (index, (group, statuses)) in input.chunks_exact(size).zip(statuses.chunks_exact_mut(lanes)).enumerate()
            {
                let (own, later) = output.split_at_mut(size);
                let next = input[(index + 1) * size..].get((far - 1) * size..far * size).unwrap_or_default();
                if const { N <= REGISTERS_MAX_ORDER } {
                    let room = later.get((far - 1) * size..far * size).unwrap_or_default();
                    Ahead::new(next, room).touch(0, 1);
                }
                invert_group::<S, T, N>(simd, &mut a, group, next, own, statuses);
                output = later;
            }
        },
    );
}

#[inline(always)]
fn invert_group<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    input: &[T],
    next: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    statuses.fill(Status::INVERTED);
    let mut scalings = Vec::new();
    if !layout::load::<S, T, N>(simd, bytemuck::cast_slice(input), a) {
        // Rare enough to be looked at again: zeros are no reason to scale.
        lanes::scale_where_needed::<S, T>(simd, a.as_flattened_mut(), N, statuses, &mut scalings);
    }

    let mut exchanges = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); N];
    let singular = if const { N <= REGISTERS_MAX_ORDER } {
        registers::eliminate::<S, T, N>(simd, a, &mut exchanges)
    } else {
        passes::eliminate::<S, T, N>(simd, a, &mut exchanges, &Ahead::new(next, output))
    };
    let finite = if const { N <= REGISTERS_MAX_ORDER } {
        layout::store::<S, T, N>(simd, a, bytemuck::cast_slice_mut(output))
    } else {
        layout::store_exchanged::<S, T, N>(simd, a, &exchanges, bytemuck::cast_slice_mut(output))
    };

    let any_singular = singular.iter().fold(0, |any, lanes| any | lanes) != 0;
    if !finite || any_singular || !scalings.is_empty() {
        for (k, &singular) in singular.iter().enumerate() {
            lanes::report(singular, k, statuses, &scalings);
        }
        lanes::settle(N, input, output, statuses, &scalings);
    }
}

/// A row's number in every lane, as a real.
#[inline(always)]
fn number<S: Simd, T: Scalar>(simd: S, i: usize) -> Magnitude<T, S> {
    Magnitude::<T, S>::splat(simd, T::Real::from_f64(i as f64))
}
