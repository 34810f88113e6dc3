//! The quality of an inverse and of a solution, by LAPACK's test ratios.

use crate::data::condition::{Unit, larger};
use crate::data::scalar::{Real, Scalar};

/// LAPACK's test ratio for an inverse (xGET03): ||I - X A||_1 / (n ||A||_1 ||X||_1 eps), in float64 arithmetic,
/// with eps the unit roundoff of the scalar (2^-24 or 2^-53).
///
/// `a` and `x` are matrices of the same order, row-major. LAPACK accepts a ratio below 30; this crate holds itself
/// to 3. The mirrored ratio, ||I - A X||_1 over the same, is `residual_ratio(x, a, order)`.
///
/// NaN if a matrix is not finite; 0 at order 0; infinite if `a` or `x` is zero, or if the ratio is too large for
/// float64. Any other matrices have a finite ratio, also where X A would overflow or underflow: unlike xGET03, this
/// function divides both by powers of two first. But it is a ratio of norms: if rows or columns differ by 1 / eps or
/// more, elements of X that are small beside the largest may be wrong without a trace.
///
/// ```
/// let (a, x) = ([4.0_f32, 7.0, 2.0, 6.0], [0.6, -0.7, -0.2, 0.4]);
/// assert!(batchinv::residual_ratio(&a, &x, 2) < 3.0);
/// assert!(batchinv::residual_ratio(&a, &[0.6, -0.7, -0.2, 0.41], 2) > 1000.0);
/// ```
///
/// # Panics
/// If a slice does not hold order^2 elements.
pub fn residual_ratio<T: Scalar>(a: &[T], x: &[T], order: usize) -> f64 {
    let size = order.checked_mul(order);
    assert_eq!(Some(a.len()), size, "a is not of order {order}");
    assert_eq!(Some(x.len()), size, "x is not of order {order}");
    if order == 0 {
        return 0.0;
    }
    let (a, x) = (Unit::new(a), Unit::new(x));
    // X A = 2^shift * (unit X)(unit A). It is I that is divided by that power: beside the norms of the unit matrices,
    // which are at least 1, nothing overflows, and what underflows is too small to count.
    let one = T::Double::ONE.scaled(-(a.exponent + x.exponent));
    let zero = T::Double::ZERO;
    let mut residual = 0.0;
    let mut panel = vec![zero; order * PANEL.min(order)];
    let mut row = vec![zero; order];
    for first in (0..order).step_by(PANEL) {
        let width = PANEL.min(order - first);
        for (k, panel) in panel.chunks_exact_mut(width).take(order).enumerate() {
            a.copy(k * order + first, panel);
        }
        let (mut sums, mut entries) = ([0.0_f64; PANEL], [zero; PANEL]);
        for i in 0..order {
            x.copy(i * order, &mut row);
            entries[..width].fill(zero);
            for (&factor, panel) in row.iter().zip(panel.chunks_exact(width)) {
                for (entry, &element) in entries[..width].iter_mut().zip(panel) {
                    *entry = *entry + factor * element;
                }
            }
            for (j, (sum, entry)) in sums.iter_mut().zip(&entries[..width]).enumerate() {
                let identity = if i == first + j { one } else { zero };
                *sum += (identity - *entry).modulus();
            }
        }
        residual = sums[..width].iter().copied().fold(residual, larger);
    }
    residual / (a.norm(order) * x.norm(order)) / (order as f64 * T::Real::EPS)
}

/// LAPACK's test ratio for solutions of A X = B (xGET02): the largest over the columns x of X and b of B of
/// ||b - A x||_1 / (||A||_1 ||x||_1 eps), in float64 arithmetic, with eps the unit roundoff of the scalar (2^-24 or
/// 2^-53).
///
/// `a` is a row-major matrix of `order`; `x` and `b` have `order` rows and as many columns as each other, row-major.
/// Gaussian elimination with partial pivoting stays below 8 up to order 64, and grows with the square root of the order
/// from there. It is a ratio of norms, as [`residual_ratio`] is, and each column is held to its own.
///
/// 0 where A x is exactly b, without columns, and at order 0; NaN if a number is not finite; infinite if `a` is zero
/// and `b` is not, or if the ratio is too large for float64. Unlike xGET02, this function divides `a` and each x by
/// powers of two first, so that nothing overflows on the way, and ||x||_1 counts as at least `order` times the smallest
/// normal number, since elements below that are rounded to multiples of the smallest subnormal one.
///
/// ```
/// let (a, b) = ([4.0_f32, 7.0, 2.0, 6.0], [1.0, 0.0]);
/// assert!(batchinv::solve_ratio(&a, &[0.6, -0.2], &b, 2) < 8.0);
/// assert!(batchinv::solve_ratio(&a, &[0.6, -0.21], &b, 2) > 1000.0);
/// ```
///
/// # Panics
/// If `a` does not hold order^2 elements, or if `x` and `b` are not of the same length, a multiple of `order`.
pub fn solve_ratio<T: Scalar>(a: &[T], x: &[T], b: &[T], order: usize) -> f64 {
    assert_eq!(Some(a.len()), order.checked_mul(order), "a is not of order {order}");
    assert_eq!(x.len(), b.len(), "x is not as long as b");
    let whole = if order == 0 { x.is_empty() } else { x.len().is_multiple_of(order) };
    assert!(whole, "x is not of order {order}");
    if x.is_empty() {
        return 0.0;
    }
    if [a, x, b].into_iter().flatten().any(|element| !element.finite()) {
        return f64::NAN;
    }
    let width = x.len() / order;
    let a = Unit::new(a);
    let norm = a.norm(order);
    let mut row = vec![T::Double::ZERO; order];
    let mut largest = 0.0;
    for first in (0..width).step_by(PANEL) {
        let panel = first..width.min(first + PANEL);
        // One column of X after another: their magnitudes may differ by any factor.
        let columns: Vec<T> = panel.clone().flat_map(|c| x[c..].iter().step_by(width).copied()).collect();
        let units: Vec<Unit<'_, T>> = columns.chunks_exact(order).map(Unit::new).collect();
        let mut doubles = vec![T::Double::ZERO; columns.len()];
        for (unit, double) in units.iter().zip(doubles.chunks_exact_mut(order)) {
            unit.copy(0, double);
        }
        let mut residuals = vec![0.0; units.len()];
        for i in 0..order {
            a.copy(i * order, &mut row);
            let of_row = &b[i * width..][panel.clone()];
            for (((residual, b), unit), x) in
                residuals.iter_mut().zip(of_row).zip(&units).zip(doubles.chunks_exact(order))
            {
                // A x = 2^shift * (unit A)(unit x), so b is divided by that power.
                let b = b.to_double_by_bits().scaled(-(a.exponent + unit.exponent));
                *residual += row.iter().zip(x).fold(b, |rest, (&a, &x)| rest - a * x).modulus();
            }
        }
        for (residual, unit) in residuals.into_iter().zip(units).filter(|(residual, _)| *residual != 0.0) {
            let least = (order as f64).scaled(T::Real::MIN_EXPONENT - unit.exponent);
            largest = larger(largest, residual / (norm * unit.norm(1).max(least)) / T::Real::EPS);
        }
    }
    largest
}

/// Columns that are converted at once: few enough to take little memory beside a large matrix, enough to make the
/// repeated conversion of the rows of the other factor cheap.
const PANEL: usize = 64;

#[cfg(test)]
mod tests {
    use num_complex::Complex;

    use super::*;

    /// [2 1; 0 4] [1; 1] = [3; 4], and a residual of 4 eps beside ||A|| ||x|| = 5 * 2.
    #[test]
    fn solutions_by_hand() {
        let a = [2.0_f64, 1.0, 0.0, 4.0];
        assert_eq!(solve_ratio(&a, &[1.0, 1.0], &[3.0, 4.0], 2), 0.0);
        let eps = 2.0_f64.powi(-53);
        assert_eq!(solve_ratio(&a, &[1.0, 1.0], &[3.0 + 4.0 * eps, 4.0], 2), 0.4);
        // The largest of several columns: the others are zero and right.
        let (x, b) = ([1.0, 1.0, 0.0], [3.0, 3.0 + 4.0 * eps, 0.0]);
        let (x, b) = ([&x[..], &[1.0, 1.0, 0.0]].concat(), [&b[..], &[4.0, 4.0, 0.0]].concat());
        assert_eq!(solve_ratio(&a, &x, &b, 2), 0.4);
        assert_eq!(
            solve_ratio(&[Complex::new(0.0_f32, 2.0)], &[Complex::new(1.0, 1.0)], &[Complex::new(-2.0, 2.0)], 1),
            0.0
        );
        assert_eq!(solve_ratio::<f64>(&[], &[], &[], 0), 0.0);
        assert_eq!(solve_ratio(&a, &[], &[], 2), 0.0);
    }

    /// Each column is held to its own magnitude, however far it lies from the others and from the matrix.
    #[test]
    fn magnitudes_change_no_ratio() {
        let power = |exponent: i32| 1.0_f64.scaled(exponent);
        let (big, small) = (power(1000), power(-1000));
        // A x = (2^2000, 2^-2000) * ..., which float64 does not hold.
        let a = [3.0 * big, 0.0, 0.0, small];
        let x = [power(-900), power(20), 0.0, 0.0];
        let right = [3.0 * power(100), 3.0 * power(1020), 0.0, 0.0];
        assert_eq!(solve_ratio(&a, &x, &right, 2), 0.0);
        let mut wrong = right;
        wrong[0] *= 1.0 + 12.0 * 2.0_f64.powi(-53);
        assert_eq!(solve_ratio(&a, &x, &wrong, 2), 12.0);
        // More columns than are converted at once, with the wrong one last.
        let (mut x, mut b) = (vec![1.0; 2 * PANEL + 1], vec![5.0; 2 * PANEL + 1]);
        assert_eq!(solve_ratio(&[5.0], &x, &b, 1), 0.0);
        (x[2 * PANEL], b[2 * PANEL]) = (power(-700), power(-700) * 5.0 * (1.0 + 8.0 * 2.0_f64.powi(-53)));
        assert_eq!(solve_ratio(&[5.0], &x, &b, 1), 8.0);
    }

    /// A solution that underflows is right if it is rounded to the nearest multiple of the smallest number.
    #[test]
    fn underflow_is_no_error() {
        let tiny = 1.0_f64.scaled(-1074);
        assert!(solve_ratio(&[4.0], &[0.0], &[2.0 * tiny], 1) <= 1.0);
        assert!(solve_ratio(&[4.0], &[tiny], &[3.0 * tiny], 1) <= 1.0);
        assert!(solve_ratio(&[4.0], &[0.0], &[64.0 * tiny], 1) > 8.0);
        assert!(solve_ratio(&[4.0_f32], &[0.0], &[1.0], 1) > 1e30);
    }

    #[test]
    fn what_is_not_finite_has_no_ratio() {
        let infinite = f64::INFINITY;
        for (a, x, b) in [(f64::NAN, 1.0, 1.0), (infinite, 1.0, 1.0), (1.0, infinite, 1.0), (1.0, 1.0, infinite)] {
            assert!(solve_ratio(&[a], &[x], &[b], 1).is_nan(), "{a} {x} {b}");
        }
        assert_eq!(solve_ratio(&[0.0], &[1.0], &[1.0], 1), infinite);
        assert_eq!(solve_ratio(&[0.0], &[1.0], &[0.0], 1), 0.0);
    }
}
