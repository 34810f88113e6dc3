//! Numbers and real 2x2 matrices that may be unusual: beyond the window, without an inverse, or not finite. They are
//! inverted without scaling, and get their statuses, all lanes at once.
//!
//! Scaling rows and columns would take longer than inverting such a matrix, whose elements are multiplied only twice
//! on the way. So where a matrix is beyond the window, exponents go beside the significands: those of both products
//! are added, the smaller product is shifted to the exponent of the larger one, and each element of the inverse is
//! shifted once, at the end. Nothing of a real matrix underflows on the way, and no element is dropped. A matrix in
//! the window gets the bits of the usual path, with exponents or without. Complex 2x2 matrices are scaled: what is
//! small beside one part of a number may count beside the other.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::survey::Extent;
use crate::cpu::kernel::order2;
use crate::cpu::simd::element::{SplitElement, determinant, raise, split_element};
use crate::cpu::simd::lane::{Lane, Magnitude, finite_lanes};
use crate::cpu::simd::vector::{Mask, Vector};
use crate::data::scalar::Scalar;
use crate::data::status::Status;

/// Returns whether matrices of order n are inverted this way.
pub const fn suits<S: Simd, T: Lane>(n: usize) -> bool {
    n == 1 || n == 2 && order2::decides::<S, T>()
}

/// Inverts matrices of order N, group by group in `a`, and sets the status of each. What has no inverse becomes NaN.
/// `flushes` says that the thread flushes subnormal numbers to zero.
#[inline(never)]
pub fn invert<S: Simd, T: Lane, const N: usize>(
    simd: S,
    flushes: bool,
    a: &mut [T::Vector<S>],
    statuses: &mut [Status],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let groups = a.chunks_exact_mut(N * N).zip(statuses.chunks_exact_mut(T::Vector::<S>::LANES));
            for (a, statuses) in groups {
                let lanes = Lanes::<S, T>::new::<N>(simd, flushes, a);
                let found = inverses::<S, T, N>(simd, a, &lanes);
                a.copy_from_slice(&found.inverse[..N * N]);
                set_statuses::<S, T, N>(simd, a, statuses, found, lanes);
            }
        },
    );
}

/// The kinds of lanes, found before they are inverted.
struct Lanes<S: Simd, T: Lane> {
    /// Finite lanes that go by exponents: all that are beyond the window, and maybe others.
    by_exponents: Mask<Magnitude<T, S>, S>,
    poisoned: Mask<Magnitude<T, S>, S>,
    /// True if there may be subnormal numbers among those that go by exponents.
    any_subnormal: bool,
}

impl<S: Simd, T: Lane> Lanes<S, T> {
    #[inline(always)]
    fn new<const N: usize>(simd: S, flushes: bool, a: &[T::Vector<S>]) -> Self {
        if N == 1 || flushes {
            // At order 1, exponents cost less than a look at the window. On a thread that flushes subnormal numbers,
            // nothing may be compared.
            let finite = finite_lanes::<S, T>(simd, a);
            return Self { by_exponents: finite, poisoned: !finite, any_subnormal: true };
        }
        let Extent { outside, poisoned, any_subnormal, .. } = Extent::<S, T>::of(simd, a, order2::window::<T>());
        Self { by_exponents: outside, poisoned, any_subnormal }
    }
}

/// The inverses. Lanes without one hold arbitrary numbers.
struct Found<S: Simd, T: Lane> {
    /// Element by element, with room for order 2.
    inverse: [T::Vector<S>; 4],
    /// The lanes that are not singular.
    regular: Mask<Magnitude<T, S>, S>,
    /// The lanes whose first column is zero.
    empty: Mask<Magnitude<T, S>, S>,
}

#[inline(always)]
fn inverses<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[T::Vector<S>],
    &Lanes { by_exponents, any_subnormal, .. }: &Lanes<S, T>,
) -> Found<S, T> {
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let any = by_exponents.any_true();
    let mut given: [SplitElement<S, T>; 4] = [(a[0], zero); 4];
    for (given, &x) in given.iter_mut().zip(a) {
        *given = (x, zero);
        if any {
            let (number, exponent) = split_element::<S, T>(simd, x, any_subnormal);
            *given = (Vector::select(by_exponents, number, x), by_exponents.select(exponent, zero));
        }
    }
    let [p, q, r, s] = given;
    let is_zero = p.0.magnitude().simd_eq(zero);
    let (inverse, exponents, regular, empty) = if N == 1 {
        ([p.0.reciprocal(simd); 4], [-p.1; 4], !is_zero, is_zero)
    } else {
        let found = determinant::<S, T>(simd, [[p, q], [r, s]]);
        let [[a, b], [c, d]] = order2::invert::<S, T>(simd, [[p.0, q.0], [r.0, s.0]], found.number);
        let exponents = [s.1 - found.exponent, q.1 - found.exponent, r.1 - found.exponent, p.1 - found.exponent];
        ([a, b, c, d], exponents, found.regular, is_zero & r.0.magnitude().simd_eq(zero))
    };
    let mut found = Found { inverse, regular, empty };
    if (by_exponents & regular).any_true() {
        let raised = if N == 1 {
            raise::<S, T, 1>(simd, [inverse[0]], [exponents[0]]).map(|x| [x; 4])[0]
        } else {
            raise::<S, T, 4>(simd, inverse, exponents)
        };
        for (x, raised) in found.inverse.iter_mut().zip(raised) {
            *x = Vector::select(by_exponents, raised, *x);
        }
    }
    found
}

/// Sets the statuses, and puts NaN in the place of what is no inverse.
#[inline(always)]
fn set_statuses<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &mut [T::Vector<S>],
    statuses: &mut [Status],
    Found { regular, empty, .. }: Found<S, T>,
    Lanes { poisoned, .. }: Lanes<S, T>,
) {
    let inverted = regular & !poisoned & finite_lanes::<S, T>(simd, a);
    if inverted.all_true() {
        statuses.fill(Status::INVERTED);
        return;
    }
    let nan = T::Vector::<S>::splat(simd, T::NAN);
    for x in a {
        *x = Vector::select(inverted, *x, nan);
    }
    // In 32 bits, the loop over the statuses becomes a few instructions on vectors.
    let singular = (!regular & !poisoned).to_bitmask() as u32;
    let (inverted, empty) = (inverted.to_bitmask() as u32, empty.to_bitmask() as u32);
    for (lane, status) in statuses.iter_mut().enumerate() {
        let here = |lanes: u32| lanes >> lane & 1 == 1;
        let zero_pivot = Status::singular(if here(empty) { 1 } else { N });
        let without = if here(singular) { zero_pivot } else { Status::NOT_FINITE };
        *status = if here(inverted) { Status::INVERTED } else { without };
    }
}
