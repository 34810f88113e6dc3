//! Order 2 by its determinant: one division instead of two, and no row to exchange.
//!
//! With fused multiply-adds, the determinant of real matrices is Cornea's, Harrison's and Tang's, which compensates the
//! rounding errors of both products (C.-P. Jeannerod, "A radix-independent error analysis of the Cornea-Harrison-Tang
//! method", 2016). It is right to two units of roundoff and each element of the inverse to about four, whereas pivots
//! may leave no correct digit. Without them, and for complex numbers, it is the plain difference, whose error is what
//! the condition allows.
//!
//! A real matrix [[p, q], [r, s]] counts as singular exactly if the rounded products p s and q r are equal. Every
//! processor rounds a product the same way, and so does every GPU, which need not hold for a pivot: there, some fuse
//! the product into the difference and some do not. So all engines and levels find the same matrices singular, by
//! `thread` on the GPU, and systems follow (`second_pivot`). Complex products are sums that may be fused, too: there
//! the determinant is trusted if it is not small beside the products nor near underflow, and otherwise the pivots
//! decide.
//!
//! Higher orders cannot end this way: with the last 2x2 block inverted, the rows above would take products with it that
//! may cancel. At order 3, residuals of LAPACK's test matrices reached 60 times the bound.

use fearless_simd::{Simd, SimdBase, SimdMask};

use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::{Mask, Vector};
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling;

/// A 2x2 matrix in every lane.
pub type Pair<V> = [[V; 2]; 2];

/// A determinant, and the lanes where it shows that the matrix is not singular.
pub type Determinant<S, T> = (<T as Lane>::Vector<S>, Mask<Magnitude<T, S>, S>);

/// The smallest and the largest magnitude of real matrices that `registers` and `rows` invert as they are. The lower
/// end is 4 times above that of `data::scaling`: a determinant is a multiple of the product of two last places, which
/// is then a normal number, and so is its reciprocal.
pub fn window<T: Scalar>() -> (T::Real, T::Real) {
    (T::Real::ONE.scaled(2 - T::Real::WINDOW), scaling::window::<T>().1)
}

/// Returns whether matrices whose determinants do not show the contrary are singular; otherwise the pivots decide.
pub const fn decides<S: Simd, T: Lane>() -> bool {
    T::Vector::<S>::PARTS == 1
}

/// The column of the first zero pivot of a singular matrix: the lanes where it is the first, and the others.
#[inline(always)]
pub fn zero_pivots<S: Simd, T: Lane>(
    simd: S,
    [[p, _], [r, _]]: Pair<T::Vector<S>>,
    singular: Mask<Magnitude<T, S>, S>,
) -> [u64; 2] {
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let empty = p.magnitude().simd_eq(zero) & r.magnitude().simd_eq(zero);
    [(singular & empty).to_bitmask(), (singular & !empty).to_bitmask()]
}

/// The second pivot of LU factors, given the one that elimination `computed`, the reciprocal of the first, and the
/// lanes where the rows were exchanged. Where rounding may have made it, the determinant gives it: zero for the
/// matrices that have no inverse, and for no others.
#[inline(always)]
pub fn second_pivot<S: Simd, T: Lane>(
    simd: S,
    matrix: Pair<T::Vector<S>>,
    exchanged: Mask<Magnitude<T, S>, S>,
    computed: T::Vector<S>,
    reciprocal: T::Vector<S>,
) -> T::Vector<S> {
    // If the rounded products are equal, it is at most a few units in the last place of the element it comes from.
    let beside: T::Vector<S> = Vector::select(exchanged, matrix[0][1], matrix[1][1]);
    let doubt = Magnitude::<T, S>::splat(simd, T::Real::from_f64(64.0 * T::Real::EPS));
    let sure = computed.magnitude().simd_gt(beside.magnitude() * doubt);
    if sure.all_true() {
        return computed;
    }
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let (determinant, regular) = Vector::determinant(simd, matrix);
    let pivot: T::Vector<S> = determinant.mul(reciprocal);
    let pivot = Vector::select(exchanged, zero.sub_mul(pivot, T::Vector::<S>::splat(simd, T::ONE)), pivot);
    Vector::select(sure, computed, Vector::select(regular, pivot, zero))
}

/// The inverse, by the determinant.
#[inline(always)]
pub fn invert<S: Simd, T: Lane>(
    simd: S,
    [[p, q], [r, s]]: Pair<T::Vector<S>>,
    determinant: T::Vector<S>,
) -> Pair<T::Vector<S>> {
    let (reciprocal, zero) = (determinant.reciprocal(simd), T::Vector::<S>::splat(simd, T::ZERO));
    [[s.mul(reciprocal), zero.sub_mul(q, reciprocal)], [zero.sub_mul(r, reciprocal), p.mul(reciprocal)]]
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    /// The determinant, if it shows that the matrix is not singular.
    fn regular<T: Lane>(matrix: [[T; 2]; 2]) -> Option<T> {
        #[inline(always)]
        fn at<S: Simd, T: Lane>(simd: S, matrix: [[T; 2]; 2]) -> Option<T> {
            let [[p, q], [r, s]] = matrix.map(|row| row.map(|x| T::Vector::<S>::splat(simd, x)));
            let (determinant, regular) = T::Vector::<S>::determinant(simd, [[p, q], [r, s]]);
            assert!(regular.all_true() || regular.all_false(), "one matrix in all lanes");
            regular.all_true().then(|| determinant.lane(0))
        }
        dispatch!(Level::new(), simd => at(simd, matrix))
    }

    /// A real matrix is singular if its rounded products are equal; otherwise its determinant is not zero.
    #[test]
    fn equal_products_are_singular() {
        let mut equal = 0;
        for i in 1..2000 {
            let (p, q, r) = (1.0 + i as f32 / 700.0, 0.3 + i as f32 / 900.0, 5.0 - i as f32 / 500.0);
            let s = q * r / p;
            for [[p, q], [r, s]] in [[[p, q], [r, s]], [[q, p], [s, r]], [[r, s], [p, q]]] {
                let found = regular([[p, q], [r, s]]);
                assert_eq!(found.is_none(), p * s == q * r, "{p} {q} {r} {s}");
                assert!(found != Some(0.0), "{p} {q} {r} {s}");
                equal += usize::from(found.is_none());
            }
            assert!(regular([[p, q], [r, s * (1.0 + 1e-5)]]).is_some(), "{p} {q} {r} {s}");
        }
        assert!((1000..5900).contains(&equal), "{equal} of both kinds");
    }

    #[test]
    fn what_cancels_is_left_to_the_pivots_of_complex_matrices() {
        let (z, i) = (num_complex::Complex::new(1.0_f64, 2.0), num_complex::Complex::new(0.0, 1.0));
        assert!(regular([[z, i], [z * z, i * z]]).is_none());
        assert!(regular([[z, i], [z * z, i * z + 1e-9]]).is_some());
    }

    /// Zeros are singular, and NaN is not: its inverse is NaN, too.
    #[test]
    fn zeros_and_nan() {
        assert_eq!(regular([[2.0_f64, 0.0], [0.0, 3.0]]), Some(6.0));
        assert_eq!(regular([[0.0_f64, 2.0], [3.0, 0.0]]), Some(-6.0));
        assert_eq!(regular([[0.0_f64, 1.0], [-0.0, 1.0]]), None);
        assert!(regular([[f64::NAN, 1.0], [0.0, 1.0]]).is_some_and(f64::is_nan));
    }
}
