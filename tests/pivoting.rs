//! Partial pivoting as in LAPACK: the pivot is the first entry with the largest |re| + |im|.

mod common;

use common::cases::{self, Case, Random, Want, power};
use common::engines;
use common::oracle::{self, Failures};
use common::{Element, full_sweep};

fn orders() -> Vec<usize> {
    if full_sweep() { (1..=130).collect() } else { vec![1, 2, 3, 4, 5, 8, 9, 12, 13, 16, 17, 24, 33, 63, 65, 97] }
}

/// Zero diagonals, permutations, tiny pivots.
fn traps<T: Element>() {
    let mut failures = Failures::default();
    for n in orders() {
        let cases = cases::traps(n, &mut Random::new(n as u64));
        for engine in engines::all::<T>(n, "pivoting/traps") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

/// Among pivot candidates of equal magnitude, the first is taken. The status shows which one it
/// was, for the rows (1, big, 1), (1, 1, 0), (1, 2, 0): if the first row is the pivot row, `big`
/// swallows the second column of the other two, which become equal, and the third pivot is exactly
/// 0. With another pivot row nothing is lost.
fn first_maximum<T: Element>() {
    let mut failures = Failures::default();
    let big = T::real(power(T::DIGITS + 6));
    let (zero, one, two) = (T::ZERO, T::ONE, T::real(2.0));
    // Magnitudes are compared, so signs do not matter.
    for sign in [T::ONE, T::real(-1.0)] {
        let swallowing = [one, big, one];
        let [second, third] = [[one, one, zero], [one, two, zero]].map(|row| row.map(|x| x * sign));
        let first = [swallowing, second, third].concat();
        let middle = [second, swallowing, third].concat();
        let last = [second, third, swallowing].concat();
        for n in [3, 4, 5, 8, 12, 16, 17, 20, 33, 65] {
            let mut random = Random::new(n as u64);
            let mut cases = Vec::new();
            for _ in 0..9 {
                // The three rows may be anywhere in the matrix, and so in any SIMD vector, lane, or invocation.
                let mut rows = random.permutation(n);
                rows.truncate(3);
                rows.sort_unstable();
                let name = format!("big first of rows {rows:?}");
                cases.push(Case::new(name, cases::embedded(n, &first, &rows), Want::Status(3)));
                let name = format!("big second of rows {rows:?}");
                cases.push(Case::new(name, cases::embedded(n, &middle, &rows), Want::Status(0)));
                let name = format!("big last of rows {rows:?}");
                cases.push(Case::new(name, cases::embedded(n, &last, &rows), Want::Status(0)));
            }
            for engine in engines::all::<T>(n, "pivoting/first_maximum") {
                // Only the status is checked; the matrices with status 0 are too ill-conditioned for the scalar.
                let elements = cases::elements(&cases);
                let outcome = engine.invert(batchinv::Stack::new(&elements, n).unwrap());
                for (case, status) in cases.iter().zip(outcome.statuses) {
                    let Want::Status(wanted) = case.want else { unreachable!("statuses alone") };
                    failures.expect(status == wanted, || {
                        format!("{}, order {n}, {}: status {status}, not {wanted}", engine.name, case.name)
                    });
                }
            }
        }
    }
    failures.none();
}

/// 1 + i, with |re| + |im| = 2 and modulus 1.41, is preferred to 1.5. The status shows it, as above.
fn complex_magnitude<T: Element>() {
    let mut failures = Failures::default();
    let unit = T::new(1.0, 1.0);
    let big = unit * T::real(power(T::DIGITS + 6));
    let lesser = T::real(1.5);
    let rows = [[lesser, T::ONE, T::ZERO], [unit, big, unit], [lesser, T::real(2.0), T::ZERO]].concat();
    for n in [3, 5, 8, 12, 13, 17, 33] {
        let cases = [
            Case::new("1 + i", cases::embedded(n, &rows, &[0, 1, n - 1]), Want::Status(3)),
            Case::new("1 + i", cases::embedded(n, &rows, &[0, n - 2, n - 1]), Want::Status(3)),
        ];
        for engine in engines::all::<T>(n, "pivoting/complex_magnitude") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

#[test]
fn complex64_compares_sums_of_parts() {
    complex_magnitude::<num_complex::Complex<f32>>();
}

#[test]
fn complex128_compares_sums_of_parts() {
    complex_magnitude::<num_complex::Complex<f64>>();
}

/// Worst-case growth: errors are proportional to the largest intermediate number, 2^(n-1), and so is the bound.
fn worst_growth<T: Element>() {
    let mut failures = Failures::default();
    for n in [2, 3, 4, 5, 6, 8, 9, 12, 13, 16, 17, 20, 25, 33] {
        let mut random = Random::new(n as u64);
        let mut cases = Vec::new();
        for _ in 0..5 {
            let (matrix, growth) = cases::growth::<T>(n, &mut random);
            assert!(growth > 0.8 * power(n as i32 - 1), "order {n} grows only to {growth}");
            // Below this limit, growth costs only some of the digits.
            if growth * n as f64 * T::eps() < 0.1 {
                cases.push(Case::new("growth", matrix, Want::RatioBelow(oracle::BOUND * growth.max(1.0) / n as f64)));
            }
        }
        for engine in engines::all::<T>(n, "pivoting/worst_growth") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

for_each_scalar!(traps, first_maximum, worst_growth);

/// Worst-case growth to the end of the range. An overflow during elimination is reported as not
/// finite, and never as a wrong inverse with status 0: an infinite pivot, or one whose reciprocal is
/// flushed, would give a row of zeros.
#[test]
fn an_overflowing_pivot_is_not_finite() {
    let mut failures = Failures::default();
    for (n, scale) in [(87, power(42)), (128, 1.0), (128, 2.0), (129, 1.0)] {
        let mut matrix = vec![0.0_f32; n * n];
        for i in 0..n {
            matrix[i * n..i * n + i].fill(-scale as f32);
            matrix[i * n + i] = scale as f32;
            matrix[i * n + n - 1] = scale as f32;
        }
        for engine in engines::all::<f32>(n, "pivoting/overflow") {
            let outcome = engine.invert(batchinv::Stack::new(&matrix, n).unwrap());
            let ratio = batchinv::residual_ratio(&matrix, &outcome.elements, n);
            let status = outcome.statuses[0];
            failures.expect(status == -1 || (status == 0 && ratio < oracle::BOUND), || {
                format!("{scale} at order {n}, {}: status {status}, ratio {ratio}", engine.name)
            });
        }
    }
    failures.none();
}
