//! The reciprocal condition number that does not depend on the units of rows and columns.

use super::condition::{larger, reciprocal_condition};
use super::scalar::{Real, Scalar};
use super::scaling::equilibrate;

/// The matrix that a reciprocal condition number is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RcondOf {
    /// The matrix as given.
    #[default]
    Given,
    /// The matrix in the units of rows and columns that suit it best: see [`equilibrated_rcond`].
    Equilibrated,
}

/// About the largest reciprocal condition number that the matrix `a`, whose inverse is `x`, has in any units of its
/// rows and columns: 1 / rho(|A| |X|). Both are row-major.
///
/// A matrix in mixed units, such as a covariance of lengths and angles, has a tiny
/// [`reciprocal_condition`](crate::reciprocal_condition) even if its inverse is right to the last digit. Over all
/// diagonal matrices D and E, the least condition number of D A E in the 1-norm is the spectral radius rho of |A| |X|
/// (F. L. Bauer, "Optimally scaled matrices", Numerische Mathematik 5, 1963), which does not depend on the units of A.
/// The result is the reciprocal of an upper bound of it, which up to 12 steps of the power method reach: some D and E
/// have that condition number. Of full matrices it is most often within 2%. Of triangular, block-triangular and sparse
/// ones, whose best units are a limit, it may be several times too small: 0.56 instead of 1 for triangular matrices of
/// order 8, 0.08 at order 64.
///
/// NaN if a matrix is not finite; infinite at order 0 and if a matrix is zero.
///
/// ```
/// let (a, x) = ([1.0, 0.0, 0.0, 2.0_f64.powi(-70)], [1.0, 0.0, 0.0, 2.0_f64.powi(70)]);
/// assert_eq!(batchinv::reciprocal_condition(&a, &x, 2), 2.0_f64.powi(-70));
/// assert_eq!(batchinv::equilibrated_rcond(&a, &x, 2), 1.0);
/// ```
///
/// # Panics
/// If a slice does not hold order^2 elements.
pub fn equilibrated_rcond<T: Scalar>(a: &[T], x: &[T], order: usize) -> T::Real {
    assert_eq!(a.len(), order * order, "a is not of order {order}");
    assert_eq!(x.len(), order * order, "x is not of order {order}");
    Equilibration::default().rcond(a, x, order)
}

/// The largest order whose moduli are kept: a megabyte. Those of larger matrices are computed anew in every step.
const KEPT: usize = 256;

/// The least component of a vector of the power method: products with it do not underflow.
const LEAST: f64 = 1e-100;

/// Moduli whose products and their sums neither overflow nor underflow.
const RANGE: std::ops::Range<f64> = 1e-70..1e70;

/// Steps of the power method at most.
const STEPS: usize = 12;

/// The power method ends as soon as the upper and the lower bound are this close.
const CLOSE: f64 = 1.02;

/// Memory that is kept from matrix to matrix.
#[derive(Default)]
pub(crate) struct Equilibration {
    rows: Vec<i32>,
    columns: Vec<i32>,
    /// The moduli of A and X, or of R A C and of C^-1 X R^-1 divided by a power of two.
    moduli: [Vec<f64>; 2],
    /// The vectors of the power method: v, |X| v and |A| |X| v.
    vectors: [Vec<f64>; 3],
}

impl Equilibration {
    /// [`equilibrated_rcond`], without its panics.
    pub(crate) fn rcond<T: Scalar>(&mut self, a: &[T], x: &[T], order: usize) -> T::Real {
        if order == 0 {
            return T::Real::from_f64(f64::INFINITY);
        }
        let Self { rows, columns, moduli: [of_matrix, of_inverse], vectors } = self;
        let in_range = |element: &T| {
            let modulus = element.to_double_by_bits().modulus();
            modulus == 0.0 || RANGE.contains(&modulus)
        };
        let is_plain = a.iter().all(in_range) && x.iter().all(in_range);
        let mut top = 0;
        if !is_plain {
            // Powers of two that make rows and columns alike keep products within the range of float64.
            equilibrate(a, order, rows, columns);
            let exponent = |k: usize| columns[k / order] + rows[k % order];
            let scaled = |(k, element): (usize, &T)| element.exponents().map(|[_, largest]| largest - exponent(k));
            top = x.iter().enumerate().filter_map(scaled).max().unwrap_or(0);
        }
        let (rows, columns) = (&rows[..], &columns[..]);
        let modulus = |element: T, exponent: &dyn Fn() -> i32| {
            let double = element.to_double_by_bits();
            if is_plain { double.modulus() } else { double.scaled(exponent()).modulus() }
        };
        let a_at = |k: usize| modulus(a[k], &|| rows[k / order] + columns[k % order]);
        let x_at = |k: usize| modulus(x[k], &|| -columns[k / order] - rows[k % order] - top);
        let radius = if order <= KEPT {
            of_matrix.clear();
            of_matrix.extend((0..a.len()).map(a_at));
            of_inverse.clear();
            of_inverse.extend((0..x.len()).map(x_at));
            spectral_radius(|k| of_matrix[k], |k| of_inverse[k], order, top, vectors)
        } else {
            spectral_radius(a_at, x_at, order, top, vectors)
        };
        if radius.is_nan() {
            return T::Real::NAN;
        }
        if radius == f64::INFINITY {
            return reciprocal_condition(a, x, order);
        }
        T::Real::from_double_by_bits((1.0 / radius).scaled(-top))
    }
}

/// An upper bound of the spectral radius of A X, for matrices without negative entries of which A 2^top X is at least
/// the identity: with any positive v, the largest of the quotients of A X v and v (L. Collatz, 1942). NaN if an entry
/// is NaN; infinite if the range of float64 does not suffice.
fn spectral_radius(
    a: impl Fn(usize) -> f64,
    x: impl Fn(usize) -> f64,
    order: usize,
    top: i32,
    [v, xv, axv]: &mut [Vec<f64>; 3],
) -> f64 {
    v.clear();
    v.resize(order, 1.0);
    let (mut best, smallest) = (f64::INFINITY, 0.5_f64.scaled(-top));
    for _ in 0..STEPS {
        multiply(&x, v, xv);
        multiply(&a, xv, axv);
        let quotients = axv.iter().zip(&*v).map(|(new, old)| new / old);
        let [least, largest] = quotients.fold([f64::INFINITY, 0.0], |[least, largest], quotient| {
            [if quotient < least { quotient } else { least }, larger(largest, quotient)]
        });
        if largest.is_nan() {
            return f64::NAN;
        }
        if !smallest.is_normal() || least < smallest {
            // Products have underflowed, and what they leave is no bound.
            break;
        }
        best = best.min(largest);
        if largest <= CLOSE * least {
            break;
        }
        let sum = axv.iter().copied().fold(0.0, larger);
        for (v, new) in v.iter_mut().zip(&*axv) {
            *v = (new / sum).max(LEAST);
        }
    }
    best
}

/// The product of a matrix and a vector.
fn multiply(matrix: impl Fn(usize) -> f64, vector: &[f64], product: &mut Vec<f64>) {
    let order = vector.len();
    let row = |i: usize| vector.iter().enumerate().map(|(j, component)| matrix(i * order + j) * component).sum::<f64>();
    product.clear();
    product.extend((0..order).map(row));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Powers of two in rows and columns, over the whole range of the type, change little.
    #[test]
    fn units_do_not_count() {
        let a = [4.0_f64, 1.0, -2.0, 0.0, 3.0, 1.0, 1.0, 0.5, -1.0];
        let x = [7.0, 0.0, -14.0, -2.0, 4.0, 8.0, 6.0, 2.0, -24.0].map(|x: f64| x / 14.0);
        let product = |i: usize, j: usize| (0..3).map(|k| a[3 * i + k] * x[3 * k + j]).sum::<f64>();
        assert!((0..9).all(|k| (product(k / 3, k % 3) - f64::from(k % 4 == 0)).abs() < 1e-15), "x is the inverse of a");
        let wanted = equilibrated_rcond(&a, &x, 3);
        // The spectral radius of |A| |X|, by squaring it often.
        let mut power: Vec<f64> =
            (0..9).map(|k| (0..3).map(|m| (a[k / 3 * 3 + m] * x[3 * m + k % 3]).abs()).sum()).collect();
        let mut logarithm = 0.0;
        for step in 0..20 {
            let norm = power.iter().copied().fold(0.0, f64::max);
            logarithm += norm.ln() / f64::from(1 << step);
            power = power.iter().map(|x| x / norm).collect();
            power = (0..9).map(|k| (0..3).map(|m| power[k / 3 * 3 + m] * power[3 * m + k % 3]).sum()).collect();
        }
        let exact = (-logarithm).exp();
        assert!(wanted <= exact * (1.0 + 1e-9) && wanted > 0.97 * exact, "{wanted} instead of {exact}");
        for (rows, columns) in
            [([0, 40, -90], [7, 0, 0]), ([500, -500, 0], [-400, 400, 3]), ([1000, 1000, 1000], [0; 3])]
        {
            let scaled: Vec<f64> = (0..9).map(|k| a[k].scaled(rows[k / 3] + columns[k % 3])).collect();
            let inverse: Vec<f64> = (0..9).map(|k| x[k].scaled(-columns[k / 3] - rows[k % 3])).collect();
            let found = equilibrated_rcond(&scaled, &inverse, 3);
            assert!(found <= exact * (1.0 + 1e-9) && found > 0.97 * exact, "{rows:?} {columns:?}: {found}");
        }
    }

    /// A block whose inverse is 10^200 times as large as that of its neighbor must not hide the neighbor's condition.
    #[test]
    fn blocks_of_very_different_size() {
        let delta = 2.0_f64.powi(-27);
        for (small, power) in [(1e-100, 100), (1e-200, 200), (1e-300, 300)] {
            let block = [[1.0, 1.0, 0.0], [0.0, small, 1.0], [0.0, 0.0, 1.0]];
            let inverse = [[1.0, -1.0 / small, 1.0 / small], [0.0, 1.0 / small, -1.0 / small], [0.0, 0.0, 1.0]];
            let (mut a, mut x) = ([0.0; 25], [0.0; 25]);
            for k in 0..9 {
                (a[k / 3 * 5 + k % 3], x[k / 3 * 5 + k % 3]) = (block[k / 3][k % 3], inverse[k / 3][k % 3]);
            }
            let other = [1.0, 1.0, 1.0, 1.0 + delta];
            let of_other = [1.0 + delta, -1.0, -1.0, 1.0].map(|x| x / delta);
            for k in 0..4 {
                let at = (3 + k / 2) * 5 + 3 + k % 2;
                (a[at], x[at]) = (other[k], of_other[k]);
            }
            let found = equilibrated_rcond(&a, &x, 5);
            assert!(found <= delta / 3.9, "10^{power}: {found:e}");
        }
    }

    /// More than a megabyte of moduli.
    #[test]
    fn large_matrices_keep_no_moduli() {
        let n = KEPT + 1;
        let a: Vec<f32> = (0..n * n).map(|k| if k % (n + 1) == 0 { 4.0 } else { 0.0 }).collect();
        let x: Vec<f32> = a.iter().map(|a| a / 16.0).collect();
        assert_eq!(equilibrated_rcond(&a, &x, n), 1.0);
    }

    /// The best units of a triangular matrix are a limit, which no step reaches.
    #[test]
    fn triangular() {
        let rcond = equilibrated_rcond(&[1.0, 1e8, 0.0, 1.0], &[1.0, -1e8, 0.0, 1.0], 2);
        assert!((0.8..1.0).contains(&rcond), "{rcond}");
    }

    #[test]
    fn what_is_no_number() {
        assert_eq!(equilibrated_rcond::<f32>(&[], &[], 0), f32::INFINITY);
        assert_eq!(equilibrated_rcond(&[0.0_f32], &[0.0], 1), f32::INFINITY);
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(equilibrated_rcond(&[1.0, 0.0, 0.0, bad], &[1.0, 0.0, 0.0, 1.0], 2).is_nan());
            assert!(equilibrated_rcond(&[1.0, 0.0, 0.0, 1.0], &[1.0, bad, 0.0, 1.0], 2).is_nan());
        }
    }
}
