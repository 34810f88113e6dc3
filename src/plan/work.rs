//! The work that is planned, apart from the numbers themselves.

use crate::data::engine::{Op, Precision};
use crate::data::scalar::ScalarKind;

/// The work of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// The operation on each matrix.
    pub op: Op,
    /// The scalar of input and output.
    pub scalar: ScalarKind,
    /// The precision of the elimination.
    pub precision: Precision,
    /// The n of n x n.
    pub order: usize,
    /// The number of matrices.
    pub len: usize,
}

impl Work {
    /// The inverses of `len` matrices of `order`, in the scalar's own precision.
    pub const fn inverse(scalar: ScalarKind, order: usize, len: usize) -> Self {
        Self { op: Op::Inverse, scalar, precision: Precision::Native, order, len }
    }

    /// The same work in this precision.
    #[must_use]
    pub const fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The scalar that the elimination runs in.
    pub const fn working_scalar(self) -> ScalarKind {
        self.scalar.working(self.precision)
    }

    /// The number of multiply-adds: order^3 per matrix.
    pub(crate) const fn multiply_adds(self) -> usize {
        self.len.saturating_mul(self.order.saturating_mul(self.order).saturating_mul(self.order))
    }
}
