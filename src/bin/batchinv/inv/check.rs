//! `--strict` and `--verify`, for one piece.

use batchinv::{Scalar, Stack, Status, Verdict, residual_ratio};
use rayon::prelude::*;

use crate::exit::Failure;
use crate::ratio::bound;
use crate::shape::Shape;

/// Fails on the first matrix without an inverse, in NumPy's words, or with an rcond below the least that is allowed.
/// The piece begins at matrix `first`.
pub fn strict(statuses: &[Status], least: Option<f64>, first: usize, shape: &Shape) -> Result<(), Failure> {
    let Some(position) = statuses.iter().position(|status| !status.is_inverted()) else { return Ok(()) };
    let matrix = matrix(shape, first + position);
    Err(Failure::refused(match statuses[position].verdict() {
        Verdict::Singular { column } => {
            format!("Singular matrix: in {matrix}, the pivot of column {column} is exactly zero")
        }
        Verdict::IllConditioned => {
            format!("ill-conditioned: the rcond of {matrix} is below {:e}", least.unwrap_or(0.0))
        }
        _ => format!("not finite: {matrix} holds NaN or infinity, or its inverse overflows"),
    }))
}

/// Returns the largest ratio of all inverses, or fails on the first inverse whose ratio is too large.
pub fn verify<T: Scalar>(
    stack: Stack<'_, T>,
    inverses: &[T],
    statuses: &[Status],
    first: usize,
    shape: &Shape,
) -> Result<f64, Failure> {
    let n = stack.order();
    let check = |position: usize| {
        if !statuses[position].has_inverse() {
            return Ok(0.0);
        }
        let ratio = residual_ratio(stack.matrix(position), &inverses[position * n * n..][..n * n], n);
        // A ratio of NaN is wrong, too.
        if ratio < bound::<T>(n) { Ok(ratio) } else { Err((position, ratio)) }
    };
    let worst = (0..stack.len()).into_par_iter().map(check).reduce(
        || Ok(0.0),
        |left, right| match (left, right) {
            (Ok(left), Ok(right)) => Ok(f64::max(left, right)),
            (Err(left), Err(right)) => Err(if left.0 < right.0 { left } else { right }),
            (Err(first), _) | (_, Err(first)) => Err(first),
        },
    );
    worst.map_err(|(position, ratio)| {
        let (matrix, bound) = (matrix(shape, first + position), bound::<T>(n));
        Failure::refused(format!("wrong inverse: {matrix} has residual ratio {ratio:.3}, not below {bound}"))
    })
}

fn matrix(shape: &Shape, position: usize) -> String {
    match shape.place(position) {
        place if place.is_empty() => "the matrix".to_owned(),
        place => format!("matrix {place}"),
    }
}

#[cfg(test)]
mod tests {
    use batchinv::Inverter;
    use num_complex::Complex;

    use super::*;

    /// The reciprocal of a complex number rounds more often than the inverse of a larger matrix.
    #[test]
    fn reciprocals_are_right() {
        let elements = [Complex::new(-0.5842573774506101_f64, 0.43664484693769134)];
        let stack = Stack::new(&elements, 1).unwrap();
        let inverses = Inverter::cpu().invert(stack).unwrap();
        let shape = Shape::new(vec![1, 1, 1]).unwrap();
        let ratio = verify(stack, inverses.stack().elements(), inverses.statuses(), 0, &shape).unwrap();
        assert!(ratio < 4.1, "{ratio}");
    }

    /// No engine returns a wrong inverse on demand, so the test makes some up.
    #[test]
    fn verify_names_the_first_wrong_inverse() {
        let shape = Shape::new(vec![2, 2, 1, 1]).unwrap();
        let elements = [2.0_f64, 4.0, 0.0, 8.0];
        let stack = Stack::new(&elements, 1).unwrap();
        let mut statuses = [Status::INVERTED; 4];
        statuses[2] = Status::NOT_FINITE; // never looked at

        let right = verify(stack, &[0.5, 0.25, f64::NAN, 0.125], &statuses, 0, &shape);
        assert!(matches!(right, Ok(ratio) if ratio < 1.0));
        for wrong in [0.25 + 1e-14, f64::NAN, f64::INFINITY, 0.0] {
            let failure = verify(stack, &[0.5, wrong, f64::NAN, 0.126], &statuses, 0, &shape).unwrap_err();
            assert!(format!("{failure:?}").contains("Refused"), "{failure:?}");
            assert!(format!("{failure:?}").contains("matrix (0, 1) has residual ratio"), "{failure:?}");
        }
    }
}
