//! The quality of an inverse, by LAPACK's test ratio.

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

/// Columns of A that are converted at once: few enough to take little memory beside a large matrix, enough to make the
/// repeated conversion of the rows of X cheap.
const PANEL: usize = 64;
