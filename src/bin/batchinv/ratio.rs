//! The residual ratios from which on a result counts as wrong.

use batchinv::{Scalar, ScalarKind};

/// Right inverses stay below 3, except complex numbers (order 1): their reciprocal rounds four times, each by at most
/// half a unit in the last place, so the ratio can reach 4, and computing the ratio rounds twice more.
pub fn bound<T: Scalar>(order: usize) -> f64 {
    match (order, T::KIND) {
        (1, ScalarKind::Complex64 | ScalarKind::Complex128) => 6.0,
        _ => 3.0,
    }
}

/// Right solutions stay below 8 up to order 64. From there, the ratio grows with the square root of the order: that of
/// LAPACK's own solutions with orthogonal matrices in float64 is
///
/// | order | 64 | 128 | 256 | 512 | 1024 | 2048 |
/// |---|---|---|---|---|---|---|
/// | ratio | 2.0 | 2.8 | 5.4 | 7.8 | 9.7 | 12.5 |
pub fn solve_bound(order: usize) -> f64 {
    (order as f64).sqrt().max(8.0)
}
