//! The results of a kernel: factors of some matrices, and solutions with them.

use crate::data::determinant::Determinant;
use crate::data::status::Status;

/// Factors some matrices at once and solves with them, with the instructions of one level.
pub trait Solver<T> {
    /// The number of matrices.
    fn matrices(&self) -> usize;

    /// Factors them.
    fn factor(&mut self, matrices: &[T]);

    /// Writes the determinants of the first of them.
    fn determinants(&self, determinants: &mut [Determinant<T>]);

    /// Solves for a right-hand side of `width` columns each.
    fn solve(&mut self, width: usize, rhs: &[T], results: Results<'_, T>);

    /// Runs whole groups of systems, if it has a faster way for them. Returns whether it has.
    fn run_groups(&mut self, _: Groups<'_, T>) -> bool {
        false
    }
}

/// The places of some systems' solutions, and of their statuses.
pub struct Results<'a, T> {
    pub elements: &'a mut [T],
    pub statuses: &'a mut [Status],
}

/// Whole groups of systems, and where their results go. There are no right-hand sides if only determinants are wanted.
pub struct Groups<'a, T> {
    pub a: &'a [T],
    pub b: &'a [T],
    /// The columns of a right-hand side.
    pub width: usize,
    pub results: Results<'a, T>,
    pub determinants: &'a mut [Determinant<T>],
}
