//! Norms and the reciprocal condition number, in float64.

use super::scalar::{Real, Scalar};
use super::stack::Stack;
use super::status::Status;

/// 1 / (||A||_1 ||X||_1), the reciprocal condition number of `a` whose inverse is `x`, both row-major.
///
/// NaN if a matrix is not finite; infinite at order 0 and if a matrix is zero. Products of norms beyond the range of
/// float64 are no obstacle, but the result is rounded to its type: to 0 below half of the smallest subnormal number
/// (2^-1074 in float64, 2^-149 in float32), to infinity above the largest. An inverse can therefore be finite and right
/// and have an rcond of 0, as that of diag(2^800, 2^-800).
///
/// ```
/// let rcond: f64 = batchinv::reciprocal_condition(&[2.0, 0.0, 0.0, 8.0], &[0.5, 0.0, 0.0, 0.125], 2);
/// assert_eq!(rcond, 0.25);
/// ```
///
/// # Panics
/// If a slice does not hold order^2 elements.
pub fn reciprocal_condition<T: Scalar>(a: &[T], x: &[T], order: usize) -> T::Real {
    assert_eq!(a.len(), order * order, "a is not of order {order}");
    assert_eq!(x.len(), order * order, "x is not of order {order}");
    if order == 0 {
        return T::Real::from_f64(f64::INFINITY);
    }
    let norms = [norm(a, order), norm(x, order)];
    let product = norms[0] * norms[1];
    // Beside such norms, subnormal parts do not count: moduli lose digits of them, and a thread may flush them to zero.
    let small = 1.0_f64.scaled(T::Real::MIN_EXPONENT + 72);
    if (1.0 / product).is_normal() && norms.iter().all(|&norm| norm >= small) {
        return T::Real::from_double_by_bits(1.0 / product);
    }
    // At the ends of the range of float64, or not finite.
    let (a, x) = (Unit::new(a), Unit::new(x));
    let product = a.norm(order) * x.norm(order);
    if !product.is_finite() {
        return T::Real::NAN;
    }
    T::Real::from_double_by_bits((1.0 / product).scaled(-(a.exponent + x.exponent)))
}

/// The largest column sum of moduli; NaN if one is NaN.
fn norm<T: Scalar>(matrix: &[T], order: usize) -> f64 {
    let column = |j: usize| matrix[j..].iter().step_by(order).map(|element| element.modulus()).sum();
    (0..order).map(column).fold(0.0, larger)
}

/// The reciprocal condition number of every matrix of a stack: what `rcond` says of an inverted one and its inverse, 0
/// for a singular matrix, NaN for one that is not finite.
pub(crate) fn fill_rconds<T: Scalar>(
    stack: Stack<'_, T>,
    inverses: &[T],
    statuses: &[Status],
    rconds: &mut [T::Real],
    mut rcond: impl FnMut(&[T], &[T], usize) -> T::Real,
) {
    let (order, size) = (stack.order(), stack.order() * stack.order());
    for (index, (place, status)) in rconds.iter_mut().zip(statuses).enumerate() {
        *place = match status.word() {
            0 => rcond(stack.matrix(index), &inverses[index * size..][..size], order),
            1.. => T::Real::ZERO,
            _ => T::Real::NAN,
        };
    }
}

/// A matrix in float64, divided by the power of two that brings its largest part into [1, 2): norms and products of
/// such matrices neither overflow nor underflow.
pub(crate) struct Unit<'a, T> {
    elements: &'a [T],
    pub(crate) exponent: i32,
}

impl<'a, T: Scalar> Unit<'a, T> {
    pub(crate) fn new(elements: &'a [T]) -> Self {
        let largest = elements.iter().filter_map(|element| element.exponents()).map(|[_, largest]| largest).max();
        let finite = |&exponent: &i32| exponent <= -T::Real::MIN_EXPONENT + 1;
        let exponent = largest.filter(finite).unwrap_or(0);
        Self { elements, exponent }
    }

    /// Copies the elements from `start` on.
    pub(crate) fn copy(&self, start: usize, to: &mut [T::Double]) {
        for (to, element) in to.iter_mut().zip(&self.elements[start..]) {
            *to = element.to_double_by_bits().scaled(-self.exponent);
        }
    }

    /// The largest column sum of moduli.
    pub(crate) fn norm(&self, order: usize) -> f64 {
        let mut sums = vec![0.0; order];
        for row in self.elements.chunks_exact(order) {
            for (sum, element) in sums.iter_mut().zip(row) {
                *sum += element.to_double_by_bits().scaled(-self.exponent).modulus();
            }
        }
        sums.into_iter().fold(0.0, larger)
    }
}

/// The larger of two sums; NaN if one is NaN.
pub(crate) fn larger(largest: f64, sum: f64) -> f64 {
    if sum > largest || sum.is_nan() { sum } else { largest }
}
