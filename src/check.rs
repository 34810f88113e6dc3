//! The definition of a right result: the textbook elimination, and LAPACK's test ratio.

pub mod reference;
pub mod residual;
