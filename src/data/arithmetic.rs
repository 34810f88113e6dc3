//! The numbers that an elimination computes with.

use super::engine::Precision;
use super::scalar::ScalarKind;

/// The numbers that an elimination computes with; a complex number has two of them.
///
/// ```
/// use batchinv::{Arithmetic, Inverter, Precision, Stack};
/// let inverter = Inverter::cpu().precision(Precision::Double);
/// assert_eq!(inverter.invert(Stack::new(&[2.0_f32], 1)?)?.report().arithmetic, Arithmetic::Float64);
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arithmetic {
    /// float32.
    Float32,
    /// float64.
    Float64,
    /// Sums of two float32, with 48 bits of float64's 53: [`Precision::Double`] on GPUs without float64.
    Pairs,
}

impl Arithmetic {
    /// `float32`, `float64` or `pairs`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Pairs => "pairs",
        }
    }

    /// That of a scalar in this precision, if there is float64.
    pub const fn of(scalar: ScalarKind, precision: Precision) -> Self {
        match scalar.working(precision).real_size() {
            4 => Self::Float32,
            _ => Self::Float64,
        }
    }
}
