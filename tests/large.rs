//! Orders at which one pass over the whole matrix in a single invocation would exceed 65,535 loop iterations. Mesa's
//! llvmpipe silently ends loops there.

mod common;

use batchinv::Stack;
use common::engines;

/// A permuted diagonal of powers of two and its inverse; rcond, too, is known exactly. Consecutive entries are
/// `step` columns apart, and `step` is coprime to the order, so that the entries spread over the whole matrix.
fn permuted(n: usize, power: impl Fn(usize) -> f32) -> (Vec<f32>, Vec<f32>) {
    let step = (n / 3..n).find(|step| (2..=*step).all(|d| !step.is_multiple_of(d) || !n.is_multiple_of(d))).unwrap();
    let (mut matrix, mut inverse) = (vec![0.0; n * n], vec![0.0; n * n]);
    for i in 0..n {
        let j = i * step % n;
        matrix[i * n + j] = power(j);
        inverse[j * n + i] = power(j).recip();
    }
    (matrix, inverse)
}

fn inverts(n: usize, power: impl Fn(usize) -> f32, rcond: f32, promise: &'static str) {
    let (matrix, inverse) = permuted(n, power);
    // SwiftShader has no such limit, and would take minutes.
    for engine in engines::gpu::<f32>(n, promise).iter().filter(|engine| engine.adapter != "swiftshader") {
        let outcome = engine.invert(Stack::new(&matrix, n).unwrap());
        assert_eq!(outcome.statuses, [0], "{}, order {n}", engine.name);
        let wrong = outcome.elements.iter().zip(&inverse).position(|(a, b)| a != b);
        assert_eq!(wrong.map(|at| (at / n, at % n)), None, "{}, order {n}: the first wrong element", engine.name);
        assert_eq!(outcome.rconds, Some(vec![rcond]), "{}, order {n}", engine.name);
    }
}

#[test]
fn scaled_by_rows_and_columns() {
    // Magnitudes alternate between 2^-50 and 2^50.
    inverts(2064, |j| 2.0_f32.powi(100 * (j as i32 % 2) - 50), 2.0_f32.powi(-100), "large/scaled_by_rows_and_columns");
}

#[test]
fn as_it_is() {
    // The largest magnitude occurs only in the last 64 columns.
    inverts(2912, |j| if j + 64 < 2912 { 1.0 } else { 16.0 }, 0.0625, "large/as_it_is");
}
