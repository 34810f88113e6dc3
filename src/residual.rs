//! How good an inverse is: LAPACK's test ratio, and the reciprocal condition number.

use crate::{Real, Scalar, Stack, Status};

/// LAPACK's test ratio for an inverse (xGET03): ||I - X A||_1 / (n ||A||_1 ||X||_1 eps), in float64 arithmetic,
/// with eps the unit roundoff of the scalar (2^-24 or 2^-53).
///
/// `a` and `x` are matrices of the same order, row-major. LAPACK accepts a ratio below 30; this crate holds itself
/// to 3. The mirrored ratio, ||I - A X||_1 over the same, is `residual_ratio(x, a, order)`.
///
/// NaN where `x` is not finite; 0 at order 0.
///
/// ```
/// let (a, x) = ([4.0_f32, 7.0, 2.0, 6.0], [0.6, -0.7, -0.2, 0.4]);
/// assert!(batchinv::residual_ratio(&a, &x, 2) < 3.0);
/// assert!(batchinv::residual_ratio(&a, &[0.6, -0.7, -0.2, 0.41], 2) > 1000.0);
/// ```
///
/// # Panics
/// Where a slice does not hold order^2 elements.
pub fn residual_ratio<T: Scalar>(a: &[T], x: &[T], order: usize) -> f64 {
    assert_eq!(a.len(), order * order, "a is not of order {order}");
    assert_eq!(x.len(), order * order, "x is not of order {order}");
    if order == 0 {
        return 0.0;
    }
    let (a, x) = (Unit::new(a), Unit::new(x));
    // X A = 2^shift * (unit X)(unit A). The powers are applied entry by entry where both are extreme.
    let shift = a.exponent + x.exponent;
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
                let identity = if i == first + j { T::Double::ONE } else { zero };
                *sum += (identity - entry.scaled(shift)).modulus();
            }
        }
        residual = sums[..width].iter().copied().fold(residual, larger);
    }
    let norms = (a.norm(order) * x.norm(order)).scaled(shift);
    residual / norms / (order as f64 * T::Real::EPS)
}

/// Columns of A that are converted at once: few enough to take no memory beside a large matrix, enough that converting
/// the rows of X anew for each panel costs nothing.
const PANEL: usize = 64;

/// 1 / (||A||_1 ||X||_1), the reciprocal condition number of `a` whose inverse is `x`, both row-major.
///
/// NaN where a matrix is not finite; infinite at order 0.
///
/// ```
/// let rcond: f64 = batchinv::reciprocal_condition(&[2.0, 0.0, 0.0, 8.0], &[0.5, 0.0, 0.0, 0.125], 2);
/// assert_eq!(rcond, 0.25);
/// ```
///
/// # Panics
/// Where a slice does not hold order^2 elements.
pub fn reciprocal_condition<T: Scalar>(a: &[T], x: &[T], order: usize) -> T::Real {
    assert_eq!(a.len(), order * order, "a is not of order {order}");
    assert_eq!(x.len(), order * order, "x is not of order {order}");
    if order == 0 {
        return T::Real::from_f64(f64::INFINITY);
    }
    let product = norm(a, order) * norm(x, order);
    if product.is_normal() {
        return T::Real::from_f64(1.0 / product);
    }
    // Beyond the range of float64, or not finite.
    let (a, x) = (Unit::new(a), Unit::new(x));
    let rcond = (1.0 / (a.norm(order) * x.norm(order))).scaled(-(a.exponent + x.exponent));
    T::Real::from_f64(rcond)
}

/// The largest column sum of moduli; NaN where one is NaN.
fn norm<T: Scalar>(matrix: &[T], order: usize) -> f64 {
    let column = |j: usize| matrix[j..].iter().step_by(order).map(|element| element.modulus()).sum();
    (0..order).map(column).fold(0.0, larger)
}

/// The reciprocal condition number of every matrix of a stack: 0 where singular, NaN where not finite.
pub(crate) fn fill_rconds<T: Scalar>(stack: Stack<'_, T>, inverses: &[T], statuses: &[Status], rconds: &mut [T::Real]) {
    let (order, size) = (stack.order(), stack.order() * stack.order());
    for (index, (rcond, status)) in rconds.iter_mut().zip(statuses).enumerate() {
        *rcond = match status.word() {
            0 => reciprocal_condition(stack.matrix(index), &inverses[index * size..][..size], order),
            1.. => T::Real::ZERO,
            _ => T::Real::NAN,
        };
    }
}

/// A matrix to be looked at in float64, divided by a power of two that brings its largest part into [1, 2): norms and
/// products of such matrices neither overflow nor underflow.
struct Unit<'a, T> {
    elements: &'a [T],
    exponent: i32,
}

impl<'a, T: Scalar> Unit<'a, T> {
    fn new(elements: &'a [T]) -> Self {
        let largest = elements.iter().map(|element| element.to_double().largest_part()).fold(0.0, f64::max);
        let exponent = if largest > 0.0 && largest.is_finite() { largest.exponent() } else { 0 };
        Self { elements, exponent }
    }

    /// The elements from `start` on.
    fn copy(&self, start: usize, to: &mut [T::Double]) {
        for (to, element) in to.iter_mut().zip(&self.elements[start..]) {
            *to = element.to_double().scaled(-self.exponent);
        }
    }

    /// The largest column sum of moduli.
    fn norm(&self, order: usize) -> f64 {
        let mut sums = vec![0.0; order];
        for row in self.elements.chunks_exact(order) {
            for (sum, element) in sums.iter_mut().zip(row) {
                *sum += element.to_double().scaled(-self.exponent).modulus();
            }
        }
        sums.into_iter().fold(0.0, larger)
    }
}

/// The larger of two sums; NaN where one is NaN.
fn larger(largest: f64, sum: f64) -> f64 {
    if sum > largest || sum.is_nan() { sum } else { largest }
}
