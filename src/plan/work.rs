//! The work that is planned, apart from the numbers themselves.

use super::facts::GpuLimits;
use crate::data::arithmetic::Arithmetic;
use crate::data::engine::{Op, Precision};
use crate::data::scalar::ScalarKind;

/// The largest order of cofactor matrices. Above it, each cofactor would take an elimination of its own.
pub const COFACTORS_MAX_ORDER: usize = 3;

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
    /// The columns of a right-hand side; 0 if the operation has none.
    pub width: usize,
    /// The number of matrices, or of systems.
    pub len: usize,
    /// True if one matrix goes with the right-hand sides of all systems.
    pub one_matrix: bool,
}

impl Work {
    /// The inverses of `len` matrices of `order`, in the scalar's own precision.
    pub const fn inverse(scalar: ScalarKind, order: usize, len: usize) -> Self {
        Self { op: Op::Inverse, scalar, precision: Precision::Native, order, width: 0, len, one_matrix: false }
    }

    /// The solutions of `len` systems of `order`, each with a right-hand side of `width` columns.
    pub const fn solve(scalar: ScalarKind, order: usize, width: usize, len: usize) -> Self {
        Self { op: Op::Solve, width, ..Self::inverse(scalar, order, len) }
    }

    /// The determinants of `len` matrices of `order`.
    pub const fn det(scalar: ScalarKind, order: usize, len: usize) -> Self {
        Self { op: Op::Det, ..Self::inverse(scalar, order, len) }
    }

    /// The cofactor matrices of `len` matrices of `order`, at most [`COFACTORS_MAX_ORDER`].
    pub const fn cofactors(scalar: ScalarKind, order: usize, len: usize) -> Self {
        Self { op: Op::Cofactors, ..Self::inverse(scalar, order, len) }
    }

    /// The same systems, of which there are `matrices` different ones: as many as systems, or one for all.
    #[must_use]
    pub const fn with_matrices(self, matrices: usize) -> Self {
        Self { one_matrix: matrices == 1 && self.len > 1, ..self }
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

    /// The numbers that a device with these limits computes with: float64 wherever it is offered. It alone promises
    /// every element of the rounded float64 inverse. Pairs would be faster where float64 runs at less than about a
    /// sixteenth of float32's rate (`benches/RESULTS.md`), but no device says how fast its float64 is, and a choice by
    /// measurement would let the bits depend on chance.
    pub(crate) const fn arithmetic(self, limits: &GpuLimits) -> Arithmetic {
        match Arithmetic::of(self.scalar, self.precision) {
            Arithmetic::Float64 if !limits.float64 && self.scalar.real_size() == 4 => Arithmetic::Pairs,
            arithmetic => arithmetic,
        }
    }

    /// The number of multiply-adds: order^3 for an inverse, order^3 / 3 for factors, and order^2 for each right-hand
    /// side.
    pub(crate) const fn multiply_adds(self) -> usize {
        let square = self.order.saturating_mul(self.order);
        let each = match self.op {
            Op::Inverse | Op::Cofactors => square.saturating_mul(self.order),
            Op::Solve | Op::Det => {
                (square.saturating_mul(self.order) / 3).saturating_add(square.saturating_mul(self.width))
            }
        };
        self.len.saturating_mul(each)
    }
}
