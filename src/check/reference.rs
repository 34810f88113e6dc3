//! The textbook: one matrix, one thread, one loop after another. It is never made faster; everything else is checked
//! against it.

use crate::data::determinant::Determinant;
use crate::data::scalar::Scalar;
use crate::data::scaling::{self, Scaling, rhs_exponent};
use crate::data::status::Status;

/// Inverts one row-major matrix of `order` by Gauss-Jordan elimination with partial pivoting, into `inverse`.
///
/// This is the definition that engines and kernels are held to: slow, plain and public, so that other programs can hold
/// themselves to it too. If the status is not 0, `inverse` is filled with [`Scalar::NAN`].
///
/// ```
/// let mut inverse = [0.0; 4];
/// let status = batchinv::invert_reference(&[4.0_f64, 7.0, 2.0, 6.0], 2, &mut inverse);
/// assert!(status.is_inverted());
/// assert!((inverse[0] - 0.6).abs() < 1e-15);
/// ```
///
/// # Panics
/// If `matrix` or `inverse` does not hold order^2 elements.
pub fn invert_reference<T: Scalar>(matrix: &[T], order: usize, inverse: &mut [T]) -> Status {
    let n = order;
    assert_eq!(matrix.len(), n * n, "the matrix is not of order {n}");
    assert_eq!(inverse.len(), n * n, "the inverse is not of order {n}");
    let status = eliminate(matrix, n, inverse);
    if !status.is_inverted() {
        inverse.fill(T::NAN);
    }
    status
}

fn eliminate<T: Scalar>(matrix: &[T], n: usize, inverse: &mut [T]) -> Status {
    if matrix.iter().any(|element| !element.finite()) {
        return Status::NOT_FINITE;
    }
    let mut a = matrix.to_vec();
    let scaling = scaling::scale(&mut a, n);

    // The identity stands beside A. The steps that turn A into the identity turn the identity into A^-1.
    for i in 0..n {
        for j in 0..n {
            inverse[i * n + j] = if i == j { T::ONE } else { T::ZERO };
        }
    }

    for k in 0..n {
        // The pivot: the first maximum of |re| + |im| on or below the diagonal.
        let mut pivot_row = k;
        for i in k + 1..n {
            if a[i * n + k].pivot_magnitude() > a[pivot_row * n + k].pivot_magnitude() {
                pivot_row = i;
            }
        }
        let pivot = a[pivot_row * n + k];
        if pivot == T::ZERO {
            return scaling.map_or(Status::singular(k + 1), |scaling| scaling.zero_pivot(k));
        }
        for j in 0..n {
            a.swap(k * n + j, pivot_row * n + j);
            inverse.swap(k * n + j, pivot_row * n + j);
        }

        // Divide the pivot row by the pivot.
        let reciprocal = pivot.reciprocal();
        for j in 0..n {
            a[k * n + j] = a[k * n + j] * reciprocal;
            inverse[k * n + j] = inverse[k * n + j] * reciprocal;
        }

        // Subtract a multiple of the pivot row from every other row.
        for i in 0..n {
            if i != k {
                let factor = a[i * n + k];
                for j in 0..n {
                    a[i * n + j] = a[i * n + j] - factor * a[k * n + j];
                    inverse[i * n + j] = inverse[i * n + j] - factor * inverse[k * n + j];
                }
            }
        }
    }

    if let Some(scaling) = scaling {
        for i in 0..n {
            for j in 0..n {
                inverse[i * n + j] = scaling.undo(i, j, inverse[i * n + j]);
            }
        }
    }
    if inverse.iter().all(|element| element.finite()) { Status::INVERTED } else { Status::NOT_FINITE }
}

/// Solves A X = B for one row-major matrix of `order` and its row-major right-hand side, into `solution`: LU factors
/// with partial pivoting, forward substitution, back substitution.
///
/// The definition that engines and kernels are held to, as [`invert_reference`] is. If the status is not 0, `solution`
/// is filled with [`Scalar::NAN`].
///
/// ```
/// let mut x = [0.0; 2];
/// let status = batchinv::solve_reference(&[2.0_f64, 1.0, 4.0, 4.0], 2, &[4.0, 12.0], &mut x);
/// assert!(status.is_inverted());
/// assert_eq!(x, [1.0, 2.0]);
/// ```
///
/// # Panics
/// If `matrix` does not hold order^2 elements, or if `rhs` and `solution` are not of the same length, a multiple of
/// `order`.
pub fn solve_reference<T: Scalar>(matrix: &[T], order: usize, rhs: &[T], solution: &mut [T]) -> Status {
    assert_eq!(rhs.len(), solution.len(), "the solution is not as long as the right-hand side");
    assert!(rhs.len().is_multiple_of(order), "the right-hand side is not of order {order}");
    let width = rhs.len() / order.max(1);
    let lu = LU::new(matrix, order);
    let mut status = lu.status;
    if !rhs.iter().all(|element| element.finite()) {
        status = Status::NOT_FINITE;
    }
    if status.is_inverted() {
        for c in 0..width {
            let column: Vec<T> = (0..order).map(|i| rhs[i * width + c]).collect();
            for (i, x) in lu.solve(&column).into_iter().enumerate() {
                solution[i * width + c] = x;
            }
        }
        if !solution.iter().all(|element| element.finite()) {
            status = Status::NOT_FINITE;
        }
    }
    if !status.is_inverted() {
        solution.fill(T::NAN);
    }
    status
}

/// The determinant of one row-major matrix of `order`: the product of the pivots of its LU factors.
///
/// 0 if a pivot is exactly zero, NaN if the matrix is not finite.
///
/// ```
/// assert_eq!(batchinv::determinant_reference(&[4.0_f64, 7.0, 2.0, 6.0], 2).value(), 10.0);
/// ```
///
/// # Panics
/// If `matrix` does not hold order^2 elements.
pub fn determinant_reference<T: Scalar>(matrix: &[T], order: usize) -> Determinant<T> {
    let lu = LU::new(matrix, order);
    match lu.status.word() {
        0 => {}
        1.. => return Determinant::ZERO,
        _ => return Determinant::NAN,
    }
    let mut determinant = Determinant::new(T::ONE, -lu.scaling.as_ref().map_or(0, Scaling::sum));
    for k in 0..order {
        // Apart from its exponent, so that no product overflows.
        let pivot = Determinant::new(if lu.pivot_rows[k] == k { lu.pivots[k] } else { -lu.pivots[k] }, 0);
        let exponent = determinant.exponent() + pivot.exponent();
        determinant = Determinant::new(determinant.mantissa() * pivot.mantissa(), exponent);
    }
    determinant
}

/// P R A C = L U, with powers of two on the diagonals of R and C if magnitudes need it.
struct LU<T: Scalar> {
    n: usize,
    /// L on and below the diagonal; above it U, whose diagonal is 1.
    factors: Vec<T>,
    /// The pivots, and the rows that they came from.
    pivots: Vec<T>,
    pivot_rows: Vec<usize>,
    scaling: Option<Scaling>,
    status: Status,
}

impl<T: Scalar> LU<T> {
    fn new(matrix: &[T], n: usize) -> Self {
        assert_eq!(matrix.len(), n * n, "the matrix is not of order {n}");
        let mut a = matrix.to_vec();
        let (pivots, pivot_rows, scaling) = (Vec::new(), Vec::new(), None);
        let mut lu = Self { n, factors: Vec::new(), pivots, pivot_rows, scaling, status: Status::INVERTED };
        if a.iter().any(|element| !element.finite()) {
            lu.status = Status::NOT_FINITE;
            return lu;
        }
        lu.scaling = scaling::scale(&mut a, n);
        for k in 0..n {
            // The pivot: the first maximum of |re| + |im| on or below the diagonal.
            let mut pivot_row = k;
            for i in k + 1..n {
                if a[i * n + k].pivot_magnitude() > a[pivot_row * n + k].pivot_magnitude() {
                    pivot_row = i;
                }
            }
            let pivot = a[pivot_row * n + k];
            if pivot == T::ZERO {
                lu.status = lu.scaling.as_ref().map_or(Status::singular(k + 1), |scaling| scaling.zero_pivot(k));
                return lu;
            }
            for j in 0..n {
                a.swap(k * n + j, pivot_row * n + j);
            }
            let reciprocal = pivot.reciprocal();
            for j in k + 1..n {
                a[k * n + j] = a[k * n + j] * reciprocal;
            }
            for i in k + 1..n {
                for j in k + 1..n {
                    a[i * n + j] = a[i * n + j] - a[i * n + k] * a[k * n + j];
                }
            }
            lu.pivots.push(pivot);
            lu.pivot_rows.push(pivot_row);
        }
        lu.factors = a;
        lu
    }

    fn solve(&self, column: &[T]) -> Vec<T> {
        let Self { n, factors, .. } = self;
        let n = *n;
        let row = |i: usize| self.scaling.as_ref().map_or(0, |scaling| scaling.row(i));
        let exponents = column.iter().enumerate().filter_map(|(i, b)| b.exponents().map(|e| e.map(|e| e + row(i))));
        let range = exponents.reduce(|[bottom, top], [low, high]| [bottom.min(low), top.max(high)]);
        let Some([bottom, top]) = range else { return vec![T::ZERO; n] };
        let t = rhs_exponent::<T>(bottom, top, self.scaling.as_ref().map_or(0, Scaling::least_column));
        let mut x: Vec<T> = column.iter().enumerate().map(|(i, b)| b.flushed(row(i) + t)).collect();

        // L y = P b
        for k in 0..n {
            x.swap(k, self.pivot_rows[k]);
        }
        for k in 0..n {
            x[k] = x[k] * self.pivots[k].reciprocal();
            for i in k + 1..n {
                x[i] = x[i] - factors[i * n + k] * x[k];
            }
        }
        // U x = y
        for j in (0..n).rev() {
            for i in 0..j {
                x[i] = x[i] - factors[i * n + j] * x[j];
            }
        }
        let column = |j: usize| self.scaling.as_ref().map_or(0, |scaling| scaling.column(j));
        x.iter().enumerate().map(|(j, x)| x.scaled(column(j) - t)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps by hand: column 0 takes its pivot 4 from row 1, and column 1 takes the rest of row 0.
    #[test]
    fn two_by_two() {
        let mut inverse = [0.0_f64; 4];
        assert_eq!(invert_reference(&[2.0, 1.0, 4.0, 4.0], 2, &mut inverse), Status::INVERTED);
        assert_eq!(inverse, [1.0, -0.25, -1.0, 0.5]);
    }

    #[test]
    fn a_failure_leaves_nan_alone() {
        let mut inverse = [7.0_f32; 4];
        assert_eq!(invert_reference(&[1.0, 1.0, 1.0, 1.0], 2, &mut inverse), Status::singular(2));
        assert!(inverse.iter().all(|x| x.to_bits() == f32::NAN.to_bits()));
    }

    #[test]
    fn the_input_is_judged_before_any_pivot() {
        let mut inverse = [0.0_f32; 4];
        assert_eq!(invert_reference(&[0.0, 1.0, 0.0, f32::NAN], 2, &mut inverse), Status::NOT_FINITE);
    }
}
