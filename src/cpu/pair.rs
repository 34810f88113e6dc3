//! Order 2 by its determinant: one division instead of two, and no row to exchange.
//!
//! Where multiply-adds are fused, the determinant of reals is Cornea's, Harrison's and Tang's, with the errors of both products made
//! good (C.-P. Jeannerod, "A radix-independent error analysis of the Cornea-Harrison-Tang method", 2016): right to two units of
//! roundoff, and each element of the inverse to about four, where pivots may leave no digit. Elsewhere, and for complex numbers, it
//! is the plain difference, whose error is what the condition allows.
//!
//! It is not trusted where it is so small beside the products that the second pivot may be computed as zero, nor near underflow:
//! there, one pivot follows the other, and whether a matrix is singular is said by the pivots alone.
//!
//! Higher orders cannot end this way. Their last 2x2 matrix inverted, the rows above would take products with it that may cancel: at
//! order 3, residuals of LAPACK's test matrices reached 60 times the bound.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::vector::{Magnitude, Mask, Vector};
use crate::scalar::{Real, Scalar};

/// A 2x2 matrix in every lane.
pub type Pair<V> = [[V; 2]; 2];

/// A determinant, and the lanes where it is to be trusted.
pub type Determinant<S, T> = (<T as Scalar>::Vector<S>, Mask<Magnitude<T, S>, S>);

/// The determinant of the matrix in every lane.
#[inline(always)]
pub fn determinant<S: Simd, T: Scalar>(simd: S, [[p, q], [r, s]]: Pair<T::Vector<S>>) -> Determinant<S, T> {
    let (determinant, products) = Vector::determinant([[p, q], [r, s]]);
    // Where the computed second pivot is zero, the determinant is at most some units in the last place of a product.
    let least = products.mul_add(
        Magnitude::<T, S>::splat(simd, T::Real::from_f64(16.0 * T::Real::EPS)),
        Magnitude::<T, S>::splat(
            simd,
            T::Real::from_f64(1.0 / T::Real::EPS) * T::Real::ONE.scaled(T::Real::MIN_EXPONENT),
        ),
    );
    (determinant, determinant.magnitude().simd_gt(least))
}

/// The inverse, by the determinant.
#[inline(always)]
pub fn invert<S: Simd, T: Scalar>(
    simd: S,
    [[p, q], [r, s]]: Pair<T::Vector<S>>,
    determinant: T::Vector<S>,
) -> Pair<T::Vector<S>> {
    let (reciprocal, zero) = (determinant.reciprocal(simd), T::Vector::<S>::splat(simd, T::ZERO));
    [[s.mul(reciprocal), zero.sub_mul(q, reciprocal)], [zero.sub_mul(r, reciprocal), p.mul(reciprocal)]]
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, SimdMask, dispatch};

    use super::*;

    fn trusted<T: Scalar>(matrix: [[T; 2]; 2]) -> bool {
        #[inline(always)]
        fn at<S: Simd, T: Scalar>(simd: S, matrix: [[T; 2]; 2]) -> bool {
            let [[p, q], [r, s]] = matrix.map(|row| row.map(|x| T::Vector::<S>::splat(simd, x)));
            let (_, trusted) = determinant::<S, T>(simd, [[p, q], [r, s]]);
            assert!(trusted.all_true() || trusted.all_false(), "one matrix in all lanes");
            trusted.all_true()
        }
        dispatch!(Level::new(), simd => at(simd, matrix))
    }

    /// Where rounding alone may have made a pivot zero, the pivots decide; some more digits, and the determinant does.
    #[test]
    fn what_cancels_is_left_to_the_pivots() {
        for i in 1..2000 {
            let (p, q, r) = (1.0 + i as f32 / 700.0, 0.3 + i as f32 / 900.0, 5.0 - i as f32 / 500.0);
            let s = q * r / p;
            assert!(!trusted([[p, q], [r, s]]), "{p} {q} {r} {s}");
            assert!(!trusted([[q, p], [s, r]]) && !trusted([[r, s], [p, q]]), "{p} {q} {r} {s}");
            assert!(trusted([[p, q], [r, s * (1.0 + 1e-5)]]), "{p} {q} {r} {s}");
        }
        let (z, i) = (num_complex::Complex::new(1.0_f64, 2.0), num_complex::Complex::new(0.0, 1.0));
        assert!(!trusted([[z, i], [z * z, i * z]]));
        assert!(trusted([[z, i], [z * z, i * z + 1e-9]]));
    }

    /// Zeros, NaN, and products near underflow; scaling keeps others from overflowing.
    #[test]
    fn what_is_no_number_is_left_to_the_pivots() {
        assert!(trusted([[2.0_f64, 0.0], [0.0, 3.0]]) && trusted([[0.0_f64, 2.0], [3.0, 0.0]]));
        for x in [0.0_f64, f64::NAN] {
            assert!(!trusted([[x, 1.0], [0.0, 1.0]]), "{x}");
        }
        assert!(!trusted([[1e-200, 0.0], [0.0, 1e-200]]));
        assert!(trusted([[1e140, 0.0], [0.0, 1e140]]) && trusted([[1e-140, 0.0], [0.0, 1e-140]]));
    }
}
