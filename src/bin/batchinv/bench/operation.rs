//! The operations that are timed: what one of them reads, writes and computes.

use batchinv::plan::Work;
use batchinv::{Op, ScalarKind};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// The inverse of a matrix
    #[default]
    Inverse,
    /// The solution of a system
    Solve,
    /// The determinant of a matrix
    Det,
}

impl Operation {
    /// `len` of them. `width` is the columns of a right-hand side, 0 where there is none.
    pub fn work(self, scalar: ScalarKind, order: usize, width: usize, len: usize) -> Work {
        match self {
            Self::Inverse => Work::inverse(scalar, order, len),
            Self::Solve => Work::solve(scalar, order, width, len),
            Self::Det => Work::det(scalar, order, len),
        }
    }

    /// Elements that go in, or `None` on overflow. No more come out.
    pub fn input(self, order: usize, width: usize) -> Option<usize> {
        order.checked_mul(order.checked_add(width)?)
    }

    /// Elements that come out. A determinant counts as none.
    pub fn output(self, order: usize, width: usize) -> usize {
        match self {
            Self::Inverse => order * order,
            Self::Solve => order * width,
            Self::Det => 0,
        }
    }

    /// Additions and multiplications of real numbers by the formulas of the legend; the algorithm may use more or
    /// fewer.
    pub fn flops(self, order: usize, width: usize) -> f64 {
        let (n, width) = (order as f64, width as f64);
        match self {
            Self::Inverse => 2.0 * n.powi(3),
            Self::Solve => 2.0 / 3.0 * n.powi(3) + 2.0 * n * n * width,
            Self::Det => 2.0 / 3.0 * n.powi(3),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Inverse => Op::Inverse.name(),
            Self::Solve => Op::Solve.name(),
            Self::Det => Op::Det.name(),
        }
    }

    /// `solve of 3 columns`
    pub fn title(self, width: usize) -> String {
        match self {
            Self::Solve => format!("{} of {width} column{}", self.name(), if width == 1 { "" } else { "s" }),
            Self::Inverse | Self::Det => self.name().to_owned(),
        }
    }
}
