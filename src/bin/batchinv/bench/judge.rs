//! The judgment of one answer: its test ratio, or the reason why it is wrong.

use batchinv::{
    Determinant, Real, Scalar, Status, determinant_reference, invert_reference, reciprocal_condition, residual_ratio,
    solve_ratio, solve_reference,
};

use crate::bench::call::{Answer, Input};
use crate::ratio::{bound, solve_bound};

/// The ratio of answer `at`.
pub fn judge<T: Scalar>(input: Input<'_, T>, answer: Answer<'_, T>, at: usize) -> Result<f64, String> {
    let (matrix, order) = (input.a.matrix(at), input.a.order());
    match answer {
        Answer::Inverses(elements, statuses) => inverse(matrix, of(elements, at, matrix.len()), statuses[at], order),
        Answer::Solutions(elements, statuses) => {
            let b = input.b.matrix(at);
            solution(matrix, of(elements, at, b.len()), b, statuses[at], order)
        }
        Answer::Determinants(determinants) => determinant(matrix, determinants[at], order),
    }
}

fn of<T>(elements: &[T], at: usize, size: usize) -> &[T] {
    &elements[at * size..][..size]
}

fn inverse<T: Scalar>(matrix: &[T], inverse: &[T], status: Status, order: usize) -> Result<f64, String> {
    let mut reference = vec![T::ZERO; matrix.len()];
    let wanted = invert_reference(matrix, order, &mut reference);
    if !verdict(status, wanted, inverse, &reference, "inverse")? {
        return Ok(0.0);
    }
    within(residual_ratio(matrix, inverse, order), bound::<T>(order))
}

fn solution<T: Scalar>(matrix: &[T], x: &[T], b: &[T], status: Status, order: usize) -> Result<f64, String> {
    let mut reference = vec![T::ZERO; b.len()];
    let wanted = solve_reference(matrix, order, b, &mut reference);
    if !verdict(status, wanted, x, &reference, "solution")? {
        return Ok(0.0);
    }
    within(solve_ratio(matrix, x, b, order), solve_bound(order))
}

/// The ratio |d - e| / (n kappa eps |e|) of a determinant d, where e is that of the textbook in double precision and
/// kappa = ||A||_1 ||A^-1||_1. Rounding the elements of A alone can make it 1.
fn determinant<T: Scalar>(matrix: &[T], found: Determinant<T>, order: usize) -> Result<f64, String> {
    let wide: Vec<T::Double> = matrix.iter().map(|element| element.to_double()).collect();
    let wanted = determinant_reference(&wide, order);
    let exact = wanted.mantissa();
    if exact == T::Double::ZERO || !exact.finite() {
        let special: Determinant<T> = if exact.finite() { Determinant::ZERO } else { Determinant::NAN };
        let same = bytemuck::bytes_of(&found) == bytemuck::bytes_of(&special);
        let name = if exact.finite() { "0" } else { "NaN" };
        return if same { Ok(0.0) } else { Err(format!("has determinant {}, not {name}", written(found))) };
    }
    let mut inverse = vec![T::Double::ZERO; wide.len()];
    let rcond = match invert_reference(&wide, order, &mut inverse).is_inverted() {
        true => reciprocal_condition(&wide, &inverse, order),
        false => 0.0,
    };
    let own = found.mantissa().to_double().scaled(found.exponent().saturating_sub(wanted.exponent()));
    let error = (own - exact).modulus() / exact.modulus();
    within(error * rcond / (order as f64 * T::Real::EPS), 1.0)
        .map_err(|reason| format!("has determinant {}, not {}: it {reason}", written(found), written(wanted)))
}

fn written<T: Scalar>(determinant: Determinant<T>) -> String {
    format!("{:?} * 2^{}", determinant.mantissa(), determinant.exponent())
}

/// Whether there is an answer to judge; an error if the reference disagrees, or if one that is missing is not filled
/// with NaN.
fn verdict<T: Scalar>(
    status: Status,
    wanted: Status,
    values: &[T],
    reference: &[T],
    thing: &str,
) -> Result<bool, String> {
    if status != wanted {
        return Err(format!("has status {}, the reference says {}", status.word(), wanted.word()));
    }
    // Compares bits, since NaN is unequal to itself.
    if !status.is_inverted() && bytemuck::cast_slice::<T, u8>(values) != bytemuck::cast_slice::<T, u8>(reference) {
        return Err(format!("has no {thing}, but its output is not filled with the library's NaN"));
    }
    Ok(status.is_inverted())
}

fn within(ratio: f64, bound: f64) -> Result<f64, String> {
    // A ratio of NaN is wrong, too.
    if ratio < bound { Ok(ratio) } else { Err(format!("has residual ratio {ratio:.3}, not below {bound}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = <f32 as Scalar>::NAN;

    #[test]
    fn wrong_inverses_are_wrong() {
        let (matrix, right, status) = ([2.0_f32, 0.0, 0.0, 4.0], [0.5, 0.0, 0.0, 0.25], Status::INVERTED);
        assert_eq!(inverse(&matrix, &right, status, 2), Ok(0.0));
        assert!(inverse(&matrix, &right, Status::NOT_FINITE, 2).unwrap_err().contains("has status -1"));
        assert!(inverse(&matrix, &[0.5, 0.0, 0.0, 0.2501], status, 2).unwrap_err().contains("has residual ratio"));
        assert!(inverse(&matrix, &[0.5, 0.0, 0.0, f32::NAN], status, 2).unwrap_err().contains("residual ratio NaN"));
        let not_finite = [f32::INFINITY, 0.0, 0.0, 1.0];
        assert_eq!(inverse(&not_finite, &[NAN; 4], Status::NOT_FINITE, 2), Ok(0.0));
        assert!(inverse(&not_finite, &[-NAN; 4], Status::NOT_FINITE, 2).unwrap_err().contains("not filled"));
        assert!(inverse(&not_finite, &[NAN, NAN, NAN, 1.0], Status::NOT_FINITE, 2).is_err());
    }

    #[test]
    fn wrong_solutions_are_wrong() {
        let (matrix, b, status) = ([2.0_f32, 0.0, 0.0, 4.0], [1.0, 3.0, 1.0, 5.0], Status::INVERTED);
        assert_eq!(solution(&matrix, &[0.5, 1.5, 0.25, 1.25], &b, status, 2), Ok(0.0));
        let wrong = solution(&matrix, &[0.5, 1.5, 0.25, 1.2501], &b, status, 2);
        assert!(wrong.unwrap_err().contains("not below 8"));
        assert!(solution(&matrix, &[0.5; 4], &b, Status::NOT_FINITE, 2).unwrap_err().contains("has status -1"));
        let singular = solve_reference(&[0.0; 4], 2, &b, &mut [0.0; 4]);
        assert_eq!(solution(&[0.0; 4], &[NAN; 4], &b, singular, 2), Ok(0.0));
        let filled = solution(&[0.0; 4], &[0.0; 4], &b, singular, 2);
        assert!(filled.unwrap_err().contains("has no solution, but"));
    }

    #[test]
    fn wrong_determinants_are_wrong() {
        let matrix = [4.0_f32, 7.0, 2.0, 6.0];
        assert_eq!(determinant(&matrix, Determinant::new(1.25, 3), 2), Ok(0.0));
        for wrong in [Determinant::new(-1.25, 3), Determinant::new(1.25, 4), Determinant::ZERO, Determinant::NAN] {
            assert!(determinant(&matrix, wrong, 2).unwrap_err().contains("not 1.25 * 2^3"), "{wrong:?}");
        }
        assert!(determinant(&matrix, Determinant::new(1.2501, 3), 2).unwrap_err().contains("not below 1"));
        assert_eq!(determinant(&[0.0_f32; 4], Determinant::ZERO, 2), Ok(0.0));
        assert!(determinant(&[0.0_f32; 4], Determinant::ONE, 2).unwrap_err().contains(", not 0"));
        assert_eq!(determinant(&[f32::NAN; 4], Determinant::NAN, 2), Ok(0.0));
        assert!(determinant(&[f32::NAN; 4], Determinant::ZERO, 2).unwrap_err().contains(", not NaN"));
    }
}
