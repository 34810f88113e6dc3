//! Orders 1 and 2 beyond the window, without scaling: by significands and exponents.
//!
//! To scale rows and columns takes longer than to invert a matrix of order 2, whose elements are multiplied only twice
//! on the way. So exponents go beside the significands: those of both products are added, the smaller product is
//! shifted to the exponent of the larger one, and each element of the inverse is shifted once, at the end. The digits
//! are those of the scaled matrix, and nothing underflows on the way.

use fearless_simd::{Simd, SimdBase, SimdMask};

use crate::cpu::kernel::order2::{Pair, determinant, invert};
use crate::cpu::simd::element::{shifted, split_element, times_power};
use crate::cpu::simd::exponent::Format;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::{Mask, Vector};

/// The reciprocals of the numbers in some lanes, which are finite and not zero; other lanes hold anything.
#[inline(always)]
pub fn reciprocal<S: Simd, T: Lane>(simd: S, x: T::Vector<S>, any_subnormal: bool) -> T::Vector<S> {
    let (x, exponent) = split_element::<S, T>(simd, x, any_subnormal);
    shifted::<S, T, 1>(simd, [[x.reciprocal(simd)]], [[-exponent]])[0][0]
}

/// The inverses of the matrices in some lanes, which are finite; other lanes hold anything. Without `any_subnormal`,
/// there are no subnormal elements. `None` if the determinant of
/// one of these matrices cannot be trusted: its pivots decide.
#[inline(always)]
pub fn inverse<S: Simd, T: Lane>(
    simd: S,
    [[p, q], [r, s]]: Pair<T::Vector<S>>,
    (lanes, any_subnormal): (Mask<Magnitude<T, S>, S>, bool),
) -> Option<Pair<T::Vector<S>>> {
    // No closures: they would be compiled without the instructions of the level.
    let (p, of_p) = split_element::<S, T>(simd, p, any_subnormal);
    let (q, of_q) = split_element::<S, T>(simd, q, any_subnormal);
    let (r, of_r) = split_element::<S, T>(simd, r, any_subnormal);
    let (s, of_s) = split_element::<S, T>(simd, s, any_subnormal);
    let (of_ps, of_qr) = (of_p + of_s, of_q + of_r);
    let exponent = of_ps.max(of_qr);
    let beside_s = times_power::<S, T>(simd, p, of_ps - exponent);
    let beside_r = times_power::<S, T>(simd, q, of_qr - exponent);
    let (determinant, trusted) = determinant::<S, T>(simd, [[beside_s, beside_r], [r, s]]);
    let is_zero = exponent.simd_lt(Magnitude::<T, S>::splat(simd, T::Real::FAR_BELOW));
    if (lanes & (is_zero | !trusted)).any_true() {
        return None;
    }
    let inverse = invert::<S, T>(simd, [[p, q], [r, s]], determinant);
    let mut shifts = [[of_s, of_q], [of_r, of_p]];
    for shift in shifts.as_flattened_mut() {
        *shift = *shift - exponent;
    }
    Some(shifted::<S, T, 2>(simd, inverse, shifts))
}
