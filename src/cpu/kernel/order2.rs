//! Order 2 by its determinant: one division instead of two, and no row to exchange.
//!
//! With fused multiply-adds, the determinant of real matrices is Cornea's, Harrison's and Tang's, which compensates the
//! rounding errors of both products (C.-P. Jeannerod, "A radix-independent error analysis of the Cornea-Harrison-Tang
//! method", 2016). It is right to two units of roundoff and each element of the inverse to about four, whereas pivots
//! may leave no correct digit. Without them, and for complex numbers, it is the plain difference, whose error is what
//! the condition allows.
//!
//! The determinant is not trusted near underflow, nor if it is so small beside the products that the second pivot may
//! be computed as zero. The pivots then decide, so that they alone say whether a matrix is singular.
//!
//! Higher orders cannot end this way: with the last 2x2 block inverted, the rows above would take products with it that
//! may cancel. At order 3, residuals of LAPACK's test matrices reached 60 times the bound.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::{Mask, Vector};
use crate::data::scalar::{Real, Scalar};

/// A 2x2 matrix in every lane.
pub type Pair<V> = [[V; 2]; 2];

/// A determinant, and the lanes where it can be trusted.
pub type Determinant<S, T> = (<T as Lane>::Vector<S>, Mask<Magnitude<T, S>, S>);

/// The determinant of the matrix in every lane.
#[inline(always)]
pub fn determinant<S: Simd, T: Lane>(simd: S, [[p, q], [r, s]]: Pair<T::Vector<S>>) -> Determinant<S, T> {
    let (determinant, products) = Vector::determinant([[p, q], [r, s]]);
    // If the computed second pivot is zero, the determinant is at most a few units in the last place of a product.
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
    use fearless_simd::{Level, SimdMask, dispatch};

    use super::*;

    fn trusted<T: Lane>(matrix: [[T; 2]; 2]) -> bool {
        #[inline(always)]
        fn at<S: Simd, T: Lane>(simd: S, matrix: [[T; 2]; 2]) -> bool {
            let [[p, q], [r, s]] = matrix.map(|row| row.map(|x| T::Vector::<S>::splat(simd, x)));
            let (_, trusted) = determinant::<S, T>(simd, [[p, q], [r, s]]);
            assert!(trusted.all_true() || trusted.all_false(), "one matrix in all lanes");
            trusted.all_true()
        }
        dispatch!(Level::new(), simd => at(simd, matrix))
    }

    /// The pivots decide if rounding alone may have made a pivot zero; with a few more digits the determinant does.
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

    /// Zeros, NaN, and products near underflow are left to the pivots; scaling prevents overflow.
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
