//! Real matrices of orders 1 and 2 beyond the window, without scaling: by significands and exponents.
//!
//! Scaling rows and columns would take longer than inverting such a matrix, whose elements are multiplied only twice on
//! the way. So exponents go beside the significands: those of both products are added, the smaller product is shifted
//! to the exponent of the larger one, and each element of the inverse is shifted once, at the end. Nothing underflows
//! on the way, and no element is dropped. Complex matrices are scaled: what is small beside one part of a number may
//! count beside the other.

use fearless_simd::{Simd, SimdBase};

use crate::cpu::kernel::order2::{Pair, invert};
use crate::cpu::simd::element::{Determinant, determinant, raise, split_element};
use crate::cpu::simd::exponent::Format;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;

/// The reciprocals of real numbers; of zero, and of what is not finite, anything.
#[inline(always)]
pub fn reciprocal<S: Simd, T: Lane>(simd: S, x: T::Vector<S>, any_subnormal: bool) -> T::Vector<S> {
    let (x, exponent) = split_element::<S, T>(simd, x, any_subnormal);
    raise::<S, T, 1>(simd, [x.reciprocal(simd)], [-exponent])[0]
}

/// The inverses of the matrices in all lanes, and matrices in the window that are singular where these are.
pub struct Inverse<V> {
    pub inverse: Pair<V>,
    pub stand_in: Pair<V>,
}

/// The inverses of real matrices; of those that are singular or not finite, anything. Without `any_subnormal`, there
/// are no subnormal elements.
#[inline(always)]
pub fn inverse<S: Simd, T: Lane>(
    simd: S,
    [[p, q], [r, s]]: Pair<T::Vector<S>>,
    any_subnormal: bool,
) -> Inverse<T::Vector<S>> {
    // No closures: they would be compiled without the instructions of the level.
    let (p, of_p) = split_element::<S, T>(simd, p, any_subnormal);
    let (q, of_q) = split_element::<S, T>(simd, q, any_subnormal);
    let (r, of_r) = split_element::<S, T>(simd, r, any_subnormal);
    let (s, of_s) = split_element::<S, T>(simd, s, any_subnormal);
    let given = [[(p, of_p), (q, of_q)], [(r, of_r), (s, of_s)]];
    let Determinant { number, exponent, regular } = determinant::<S, T>(simd, given);
    let [[a, b], [c, d]] = invert::<S, T>(simd, [[p, q], [r, s]], number);
    let exponents = [of_s - exponent, of_q - exponent, of_r - exponent, of_p - exponent];
    let [a, b, c, d] = raise::<S, T, 4>(simd, [a, b, c, d], exponents);

    // Ones have a zero pivot in their second column, zeros in their first.
    let far_below = Magnitude::<T, S>::splat(simd, T::Real::FAR_BELOW);
    let empty = of_p.simd_lt(far_below) & of_r.simd_lt(far_below);
    let (zero, one) = (T::Vector::<S>::splat(simd, T::ZERO), T::Vector::<S>::splat(simd, T::ONE));
    let (diagonal, beside) = (Vector::select(empty, zero, one), Vector::select(regular | empty, zero, one));
    let stand_in = [[diagonal, beside], [beside, diagonal]];
    Inverse { inverse: [[a, b], [c, d]], stand_in }
}
