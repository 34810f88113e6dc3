//! The reciprocal condition number that does not depend on the units of rows and columns.

use super::condition::larger;
use super::scalar::{Real, Scalar};
use super::scaling::equilibrate;
use super::stack::Stack;
use super::status::Status;

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

/// About the largest reciprocal condition number that the matrix `a`, whose inverse is `x`, has in any units of its rows
/// and columns: 1 / rho(|A| |X|). Both are row-major.
///
/// A matrix in mixed units, such as a covariance of lengths and angles, has a tiny
/// [`reciprocal_condition`](crate::reciprocal_condition) even if its inverse is right to the last digit. Over all
/// diagonal matrices D and E, the least condition number of D A E in the 1-norm is the spectral radius rho of |A| |X|
/// (F. L. Bauer, "Optimally scaled matrices", Numerische Mathematik 5, 1963), which does not depend on the units of A.
/// The result is the reciprocal of an upper bound of it: of what up to 12 steps of the power method reach, most often
/// within 2%. Some D and E have that condition number.
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

/// Moduli whose products and their sums neither overflow nor underflow.
const RANGE: std::ops::Range<f64> = 1e-70..1e70;

/// Steps of the power method at most.
const STEPS: usize = 12;

/// Where the upper and the lower bound are this close, the power method ends.
const CLOSE: f64 = 1.02;

/// The same for every matrix of a stack: 0 for a singular matrix, NaN for one that is not finite.
pub(crate) fn fill_equilibrated<T: Scalar>(
    stack: Stack<'_, T>,
    inverses: &[T],
    statuses: &[Status],
    rconds: &mut [T::Real],
) {
    let (order, size) = (stack.order(), stack.order() * stack.order());
    let mut equilibration = Equilibration::default();
    for (index, (rcond, status)) in rconds.iter_mut().zip(statuses).enumerate() {
        *rcond = match status.word() {
            0 => equilibration.rcond(stack.matrix(index), &inverses[index * size..][..size], order),
            1.. => T::Real::ZERO,
            _ => T::Real::NAN,
        };
    }
}

/// Memory that is kept from matrix to matrix.
#[derive(Default)]
struct Equilibration {
    rows: Vec<i32>,
    columns: Vec<i32>,
    /// The moduli of A and X, or of R A C and of C^-1 X R^-1 divided by a power of two.
    moduli: [Vec<f64>; 2],
    /// The vectors of the power method: v, |X| v and |A| |X| v.
    vectors: [Vec<f64>; 3],
}

impl Equilibration {
    fn rcond<T: Scalar>(&mut self, a: &[T], x: &[T], order: usize) -> T::Real {
        if order == 0 {
            return T::Real::from_f64(f64::INFINITY);
        }
        let Self { rows, columns, moduli: [of_matrix, of_inverse], vectors } = self;
        let mut top = 0;
        let in_range = |moduli: &mut Vec<f64>, elements: &[T]| {
            moduli.clear();
            moduli.extend(elements.iter().map(|element| element.to_double_by_bits().modulus()));
            moduli.iter().all(|&modulus| modulus == 0.0 || RANGE.contains(&modulus))
        };
        if !in_range(of_matrix, a) || !in_range(of_inverse, x) {
            // Powers of two that make rows and columns alike keep products within the range of float64.
            equilibrate(a, order, rows, columns);
            let exponent = |k: usize| columns[k / order] + rows[k % order];
            let scaled = |(k, element): (usize, &T)| element.exponents().map(|[_, largest]| largest - exponent(k));
            top = x.iter().enumerate().filter_map(scaled).max().unwrap_or(0);
            let modulus = |element: &T, exponent: i32| element.to_double_by_bits().scaled(exponent).modulus();
            of_matrix.clear();
            of_matrix.extend(a.iter().enumerate().map(|(k, a)| modulus(a, rows[k / order] + columns[k % order])));
            of_inverse.clear();
            of_inverse.extend(x.iter().enumerate().map(|(k, x)| modulus(x, -exponent(k) - top)));
        }
        let radius = spectral_radius([of_matrix, of_inverse], order, vectors);
        if !radius.is_finite() {
            return T::Real::NAN;
        }
        T::Real::from_double_by_bits((1.0 / radius).scaled(-top))
    }
}

/// An upper bound of the spectral radius of a product of two matrices without negative entries: with any positive v, the
/// largest of the quotients of A X v and v (L. Collatz, 1942). NaN if an entry is NaN.
fn spectral_radius([a, x]: [&[f64]; 2], order: usize, [v, xv, axv]: &mut [Vec<f64>; 3]) -> f64 {
    v.clear();
    v.resize(order, 1.0);
    let mut best = f64::INFINITY;
    for _ in 0..STEPS {
        multiply(x, v, xv);
        multiply(a, xv, axv);
        let quotients = axv.iter().zip(&*v).map(|(new, old)| new / old);
        let [least, largest] = quotients.fold([f64::INFINITY, 0.0], |[least, largest], quotient| {
            [if quotient < least { quotient } else { least }, larger(largest, quotient)]
        });
        if largest.is_nan() {
            return f64::NAN;
        }
        best = best.min(largest);
        if largest <= CLOSE * least {
            break;
        }
        let sum = axv.iter().copied().fold(0.0, larger);
        for (v, new) in v.iter_mut().zip(&*axv) {
            // A component that vanishes would divide by zero.
            *v = (new / sum).max(f64::MIN_POSITIVE);
        }
    }
    best
}

/// The product of a matrix and a vector.
fn multiply(matrix: &[f64], vector: &[f64], product: &mut Vec<f64>) {
    product.clear();
    product
        .extend(matrix.chunks_exact(vector.len()).map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum::<f64>()));
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
