//! The residual ratio from which on an inverse counts as wrong.

use batchinv::{Scalar, ScalarKind};

/// Right inverses stay below 3, except complex numbers (order 1): their reciprocal rounds four times, each by at most
/// half a unit in the last place, so the ratio can reach 4, and computing the ratio rounds twice more.
pub fn bound<T: Scalar>(order: usize) -> f64 {
    match (order, T::KIND) {
        (1, ScalarKind::Complex64 | ScalarKind::Complex128) => 6.0,
        _ => 3.0,
    }
}
