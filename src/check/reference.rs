//! The textbook: one matrix, one thread, one loop after another. It is never made faster; everything else is checked
//! against it.

use crate::data::scalar::Scalar;
use crate::data::scaling;
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
