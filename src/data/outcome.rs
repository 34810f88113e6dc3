//! The result of a call: values, a status for each matrix, and an account of what ran, in any container.

use std::fmt::Debug;

use super::columns::{Columns, ColumnsBuf};
use super::determinant::Determinant;
use super::error::Error;
use super::report::Report;
use super::scalar::Scalar;
use super::stack::{Stack, StackBuf};
use super::status::{Status, Verdict};

/// The result of a call, in a container `C` such as [`StackBuf`], `Vec<[[f32; 4]; 4]>` or an array of ndarray.
///
/// A matrix without an inverse comes back filled with [`Scalar::NAN`], unless the call chose another
/// [`OnFailure`](crate::OnFailure).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome<C: Container> {
    /// One value per matrix: its inverse, the solution of its system, or its cofactor matrix.
    pub values: C,
    /// One status per matrix.
    pub statuses: C::Statuses,
    /// 1 / (||A||_1 ||A^-1||_1) for each matrix if the call asked for it, or what [`RcondOf`](crate::RcondOf) says
    /// instead: 0 for a singular matrix or if the number is too small for its type, NaN if the matrix is not finite,
    /// infinite at order 0.
    pub rconds: Option<C::Rconds>,
    /// The determinant of each matrix if the call asked for it.
    pub determinants: Option<C::Determinants>,
    /// The account of what ran.
    pub report: Report,
}

/// A container of matrices, and the containers of what stands beside them.
pub trait Container {
    /// One status per matrix.
    type Statuses: Clone + Debug;
    /// One reciprocal condition number per matrix.
    type Rconds: Clone + Debug;
    /// One determinant per matrix.
    type Determinants: Clone + Debug;

    /// The statuses in the order of the matrices.
    fn statuses(statuses: &Self::Statuses) -> impl Iterator<Item = Status>;
}

impl<C: Container> Outcome<C> {
    /// Position and status of the first matrix whose status is not 0.
    pub fn first_failure(&self) -> Option<(usize, Status)> {
        C::statuses(&self.statuses).enumerate().find(|(_, status)| !status.is_inverted())
    }

    /// The values, or an error that names the first matrix whose status is not 0, as `np.linalg.inv` does.
    ///
    /// ```
    /// use batchinv::{Error, Stack};
    /// let elements = [1.0_f32, 2.0, f32::NAN, 0.0];
    /// let inverses = batchinv::invert(Stack::new(&elements, 1)?)?;
    /// assert_eq!(inverses.statuses().iter().map(|status| status.word()).collect::<Vec<_>>(), [0, 0, -1, 1]);
    /// assert_eq!(inverses.strict().unwrap_err(), Error::NotFinite { index: 2 });
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Singular`], [`Error::NotFinite`] or [`Error::IllConditioned`], with the position of the matrix.
    pub fn strict(self) -> Result<C, Error> {
        match self.first_failure() {
            None => Ok(self.values),
            Some((index, status)) => Err(match status.verdict() {
                Verdict::Singular { column } => Error::Singular { index, column },
                Verdict::IllConditioned => Error::IllConditioned { index },
                _ => Error::NotFinite { index },
            }),
        }
    }
}

/// The inverses of a stack, with a status for each.
///
/// A matrix without an inverse comes back filled with [`Scalar::NAN`], unless the call chose another
/// [`OnFailure`](crate::OnFailure).
///
/// ```
/// use batchinv::{Stack, Verdict};
/// let elements = [2.0_f32, 0.0, 0.0, 4.0, /* singular: */ 1.0, 2.0, 2.0, 4.0];
/// let inverses = batchinv::invert(Stack::new(&elements, 2)?)?;
/// assert_eq!(inverses.get(0), Some(&[0.5, 0.0, 0.0, 0.25][..]));
/// assert_eq!(inverses.get(1), None);
/// assert_eq!(inverses.statuses()[1].verdict(), Verdict::Singular { column: 2 });
/// # Ok::<(), batchinv::Error>(())
/// ```
pub type Inverses<T> = Outcome<StackBuf<T>>;

impl<T: Scalar> Container for StackBuf<T> {
    type Statuses = Vec<Status>;
    type Rconds = Vec<T::Real>;
    type Determinants = Vec<Determinant<T>>;

    fn statuses(statuses: &Vec<Status>) -> impl Iterator<Item = Status> {
        statuses.iter().copied()
    }
}

impl<T: Scalar> Outcome<StackBuf<T>> {
    /// The inverse of matrix `index`, or `None` if it has none or there is no such matrix.
    pub fn get(&self, index: usize) -> Option<&[T]> {
        self.statuses.get(index)?.has_inverse().then(|| self.values.matrix(index))
    }

    /// All inverses; a matrix without one is NaN, or what [`OnFailure`](crate::OnFailure) says.
    pub fn stack(&self) -> Stack<'_, T> {
        self.values.view()
    }

    /// One status per matrix.
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// 1 / (||A||_1 ||A^-1||_1) for each matrix if the call asked for it, or what [`RcondOf`](crate::RcondOf) says
    /// instead: 0 for a singular matrix or if the number is too small for its type, NaN if the matrix is not finite,
    /// infinite at order 0.
    ///
    /// `eps / rcond` bounds the relative change of the inverse that rounding the elements of the matrix can cause, in
    /// the norm. It depends on the units of rows and columns: a matrix in mixed units has a tiny rcond, and its inverse
    /// may still be right to the last digit. That of the equilibrated matrix bounds the change in the units that suit
    /// the matrix best.
    pub fn rconds(&self) -> Option<&[T::Real]> {
        self.rconds.as_deref()
    }

    /// The determinant of each matrix if the call asked for it ([`Inverter::det`](crate::Inverter::det)).
    pub fn determinants(&self) -> Option<&[Determinant<T>]> {
        self.determinants.as_deref()
    }

    /// Consumes the outcome and returns what [`Inverses::stack`] shows.
    pub fn into_stack(self) -> StackBuf<T> {
        self.values
    }

    /// The account of what ran.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// The solutions X of systems A X = B, with a status for each.
///
/// The solution of a system whose matrix is singular, or that is not finite, comes back filled with [`Scalar::NAN`],
/// unless the call chose another [`OnFailure`](crate::OnFailure).
///
/// ```
/// use batchinv::{Columns, Stack, Verdict};
/// let a = [2.0_f64, 0.0, 0.0, 4.0, /* singular: */ 1.0, 2.0, 2.0, 4.0];
/// let b = [1.0, 1.0, /* the second: */ 1.0, 1.0];
/// let solutions = batchinv::Inverter::cpu().solve(Stack::new(&a, 2)?, Columns::new(&b, 2, 1)?)?;
/// assert_eq!(solutions.get(0), Some(&[0.5, 0.25][..]));
/// assert_eq!(solutions.get(1), None);
/// assert_eq!(solutions.statuses()[1].verdict(), Verdict::Singular { column: 2 });
/// # Ok::<(), batchinv::Error>(())
/// ```
pub type Solutions<T> = Outcome<ColumnsBuf<T>>;

impl<T: Scalar> Container for ColumnsBuf<T> {
    type Statuses = Vec<Status>;
    type Rconds = Vec<T::Real>;
    type Determinants = Vec<Determinant<T>>;

    fn statuses(statuses: &Vec<Status>) -> impl Iterator<Item = Status> {
        statuses.iter().copied()
    }
}

impl<T: Scalar> Outcome<ColumnsBuf<T>> {
    /// The solution of system `index`, or `None` if it has none or there is no such system.
    pub fn get(&self, index: usize) -> Option<&[T]> {
        self.statuses.get(index)?.is_inverted().then(|| self.values.matrix(index))
    }

    /// All solutions; where there is none stands NaN, or what [`OnFailure`](crate::OnFailure) says.
    pub fn columns(&self) -> Columns<'_, T> {
        self.values.view()
    }

    /// One status per system.
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// The determinant of each system's matrix if the call asked for it ([`Inverter::det`](crate::Inverter::det)).
    pub fn determinants(&self) -> Option<&[Determinant<T>]> {
        self.determinants.as_deref()
    }

    /// Consumes the outcome and returns what [`Solutions::columns`] shows.
    pub fn into_columns(self) -> ColumnsBuf<T> {
        self.values
    }

    /// The account of what ran.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// The determinants of a stack, and an account of what ran.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Determinants<T> {
    /// One per matrix: 0 for a singular one, NaN for one that is not finite.
    pub values: Vec<Determinant<T>>,
    /// The account of what ran.
    pub report: Report,
}
