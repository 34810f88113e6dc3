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
    /// The matrix after powers of two have brought the largest part of every row, and then of every column, into [1, 2):
    /// see [`equilibrated_rcond`].
    Equilibrated,
}

/// 1 / (||R A C||_1 ||C^-1 X R^-1||_1), the reciprocal condition number of `a` whose inverse is `x`, both row-major, in
/// units in which all its rows and columns are alike.
///
/// R and C are the powers of two of [LAPACK's xGEEQUB](https://www.netlib.org/lapack/explore-html/), rows first. A matrix
/// in mixed units, such as a covariance of lengths and angles, has a tiny
/// [`reciprocal_condition`](crate::reciprocal_condition) even if its inverse is right to the last digit; this number stays
/// near what it would be in suitable units. It is the same, to the bit, for D A E with powers of two on the diagonals of
/// D and E, as long as nothing overflows or becomes subnormal.
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

/// The exponents of rows and columns. Memory is kept from matrix to matrix.
#[derive(Default)]
struct Equilibration {
    rows: Vec<i32>,
    columns: Vec<i32>,
    sums: Vec<f64>,
}

impl Equilibration {
    fn rcond<T: Scalar>(&mut self, a: &[T], x: &[T], order: usize) -> T::Real {
        if order == 0 {
            return T::Real::from_f64(f64::INFINITY);
        }
        let Self { rows, columns, sums } = self;
        equilibrate(a, order, rows, columns);
        let of_matrix = norm(a, order, sums, |i, j| rows[i] + columns[j]);
        // The inverse may lie anywhere in the range of its type, and twice as far beyond it after scaling.
        let scaled = |(k, element): (usize, &T)| {
            element.exponents().map(|[_, largest]| largest - columns[k / order] - rows[k % order])
        };
        let top = x.iter().enumerate().filter_map(scaled).max().unwrap_or(0);
        let of_inverse = norm(x, order, sums, |i, j| -columns[i] - rows[j] - top);
        let product = of_matrix * of_inverse;
        if !product.is_finite() {
            return T::Real::NAN;
        }
        T::Real::from_double_by_bits((1.0 / product).scaled(-top))
    }
}

/// The largest column sum of moduli, of elements times powers of two; NaN if one is NaN.
fn norm<T: Scalar>(matrix: &[T], order: usize, sums: &mut Vec<f64>, exponent: impl Fn(usize, usize) -> i32) -> f64 {
    sums.clear();
    sums.resize(order, 0.0);
    for (i, row) in matrix.chunks_exact(order).enumerate() {
        for (j, (sum, element)) in sums.iter_mut().zip(row).enumerate() {
            *sum += element.to_double_by_bits().scaled(exponent(i, j)).modulus();
        }
    }
    sums.iter().copied().fold(0.0, larger)
}

#[cfg(test)]
mod tests {
    use num_complex::Complex;

    use super::*;
    use crate::data::condition::reciprocal_condition;

    /// Powers of two in rows and columns change nothing, over the whole range of the type.
    #[test]
    fn units_do_not_count() {
        let a = [4.0_f64, 1.0, -2.0, 0.0, 3.0, 1.0, 1.0, 0.5, -1.0];
        let x = [14.0, 0.0, -28.0, -4.0, 8.0, 16.0, 12.0, 4.0, -48.0].map(|x: f64| x / 76.0);
        let rcond = equilibrated_rcond(&a, &x, 3);
        assert!(rcond > 0.05 && rcond < 1.0, "{rcond}");
        for (rows, columns) in
            [([0, 40, -90], [7, 0, 0]), ([500, -500, 0], [-400, 400, 3]), ([1000, 1000, 1000], [0; 3])]
        {
            let scaled: Vec<f64> = (0..9).map(|k| a[k].scaled(rows[k / 3] + columns[k % 3])).collect();
            let inverse: Vec<f64> = (0..9).map(|k| x[k].scaled(-columns[k / 3] - rows[k % 3])).collect();
            assert_eq!(equilibrated_rcond(&scaled, &inverse, 3), rcond, "{rows:?} {columns:?}");
        }
        // Where rows and columns are alike already, it is the other one.
        let (a, x) = ([1.0_f32, 0.0, 1.0, 1.0], [1.0_f32, 0.0, -1.0, 1.0]);
        assert_eq!(equilibrated_rcond(&a, &x, 2), reciprocal_condition(&a, &x, 2));
    }

    #[test]
    fn what_is_no_number() {
        assert_eq!(equilibrated_rcond::<f32>(&[], &[], 0), f32::INFINITY);
        assert_eq!(equilibrated_rcond(&[0.0_f32], &[0.0], 1), f32::INFINITY);
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(equilibrated_rcond(&[1.0, 0.0, 0.0, bad], &[1.0, 0.0, 0.0, 1.0], 2).is_nan());
            assert!(equilibrated_rcond(&[1.0, 0.0, 0.0, 1.0], &[1.0, bad, 0.0, 1.0], 2).is_nan());
        }
        let z = Complex::new(0.0_f32, f32::MIN_POSITIVE / 8.0);
        assert_eq!(
            equilibrated_rcond(&[z, z * 0.0, z * 0.0, z], &[Complex::ONE; 4].map(|one| one * 0.0 + one), 2),
            0.0
        );
    }
}
