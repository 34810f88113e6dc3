//! The verdict on the matrices of a group whose pivots are zero.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::by_lane::LaneExponents;
use crate::cpu::simd::exponent::{Format, split};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;
use crate::data::status::Status;
use crate::plan::cpu::CpuTuning;

/// Sets the status of every matrix with a zero pivot that has none yet. `zero_pivots` holds for every column the
/// matrices whose pivot is zero there, as a bit mask that begins at bit `first` for this group.
///
/// A matrix that is not scaled is singular. In a scaled one, a zero pivot proves that only if no entry as far as its
/// column is small, or if the column is zero (`src/data/scaling.rs`). Beside NaN it proves nothing.
#[inline(always)]
pub fn judge<S: Simd, T: Lane>(
    simd: S,
    order: usize,
    (matrices, scaled): (&[T], Option<LaneExponents<'_, S, T>>),
    (zero_pivots, first): (&[u64], usize),
    statuses: &mut [Status],
) {
    // In 32 bits, loops over the statuses become a few instructions on vectors.
    let statuses = &mut statuses[..T::Vector::<S>::LANES];
    let (mut undecided, mut finite) = (0_u32, u32::MAX);
    for (lane, status) in statuses.iter().enumerate() {
        undecided |= u32::from(status.is_inverted()) << lane;
    }
    if !all_finite(matrices) {
        for (lane, matrix) in matrices.chunks_exact(order * order).enumerate() {
            finite &= !(u32::from(!all_finite(matrix)) << lane);
        }
    }
    let of_group = |lanes: u64| (lanes >> first) as u32;
    let any_zero = of_group(zero_pivots.iter().fold(0, |any, lanes| any | lanes)) & undecided;
    let mut all_proofs = [u32::MAX; CpuTuning::LANES_MAX_ORDER];
    if let Some(exponents) = scaled
        && exponents.may_be_small as u32 & any_zero != 0
    {
        proofs(simd, order, matrices, exponents, &mut all_proofs);
    }
    for (column, (&zero_pivots, proofs)) in zero_pivots.iter().zip(all_proofs).enumerate() {
        let decided = of_group(zero_pivots) & undecided;
        if decided == 0 {
            continue;
        }
        let (proven, singular) = (decided & finite & proofs, Status::singular(column + 1));
        for (lane, status) in statuses.iter_mut().enumerate() {
            let verdict = if proven >> lane & 1 == 1 { singular } else { Status::NOT_FINITE };
            *status = if decided >> lane & 1 == 1 { verdict } else { *status };
        }
        undecided &= !decided;
    }
}

#[inline(always)]
fn all_finite<T: Scalar>(elements: &[T]) -> bool {
    let mut all = true;
    for element in elements {
        all &= element.finite();
    }
    all
}

/// For every column, the lanes where a zero pivot proves that the matrix is singular.
#[inline(never)]
fn proofs<S: Simd, T: Lane>(
    simd: S,
    order: usize,
    matrices: &[T],
    LaneExponents { scaled, rows, columns, lowest, .. }: LaneExponents<'_, S, T>,
    proofs: &mut [u32],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let parts = T::Vector::<S>::PARTS;
            let (reals, size) = (bytemuck::cast_slice::<T, T::Real>(matrices), order * order * parts);
            let far = Magnitude::<T, S>::splat(simd, T::Real::FAR);
            let mut small = far.simd_lt(far);
            for j in 0..order {
                let mut bottom = far;
                for i in 0..order {
                    for part in 0..parts {
                        let from = &reals[(i * order + j) * parts + part..];
                        let real = Magnitude::<T, S>::from_fn(
                            simd,
                            #[inline(always)]
                            |lane| from[lane * size],
                        );
                        let [_, exponent] = split(simd, real);
                        let is_zero = exponent.simd_lt(Magnitude::<T, S>::splat(simd, T::Real::FAR_BELOW));
                        bottom = bottom.min(is_zero.select(far, exponent + rows[i] + columns[j]));
                    }
                }
                small |= bottom.simd_lt(lowest);
                proofs[j] = (!scaled | !small.to_bitmask() | bottom.simd_eq(far).to_bitmask()) as u32;
            }
        },
    );
}
