//! Everything that can go wrong with a call. A singular matrix is an error of the strict forms alone.

use super::engine::Engine;
use super::refusal::Refusal;

/// Why a call could not run, or, from the strict forms alone, the first matrix with a status other than 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The elements, the order and the length do not fit together.
    #[error(transparent)]
    Shape(#[from] ShapeError),

    /// From [`inv`](crate::inv) and [`solve`](crate::solve): the first matrix with a status other than 0 is singular.
    /// NumPy raises `LinAlgError: Singular matrix`.
    #[error("Singular matrix: matrix {index} of the stack, the pivot of column {column} is exactly zero")]
    Singular {
        /// Position in the stack, from 0.
        index: usize,
        /// Column of the zero pivot, from 1.
        column: usize,
    },

    /// From [`inv`](crate::inv) and [`solve`](crate::solve): the first matrix with a status other than 0, or its
    /// right-hand side, holds NaN or infinity, or the result overflows the scalar.
    #[error(
        "not finite: matrix {index} of the stack, or its right-hand side, holds NaN or infinity, or the result overflows"
    )]
    NotFinite {
        /// Position in the stack, from 0.
        index: usize,
    },

    /// From [`strict`](crate::Outcome::strict): the reciprocal condition number of the first matrix with a status other
    /// than 0 is below the least that the call asked for.
    #[error("ill-conditioned: the rcond of matrix {index} of the stack is below the least that was asked for")]
    IllConditioned {
        /// Position in the stack, from 0.
        index: usize,
    },

    /// The buffers of a job do not fit its matrices, or a count does not fit the job.
    #[error(transparent)]
    Job(#[from] JobError),

    /// No adapter was found that the GPU engine can use.
    #[error("no GPU adapter: {reason}")]
    NoAdapter {
        /// The name that was asked for, and the adapters that exist.
        reason: String,
    },

    /// The engine cannot do this work.
    #[error("the {engine} engine cannot do this: {reason}")]
    Unsupported {
        /// `gpu` or `cpu`.
        engine: Engine,
        /// Why it cannot.
        reason: Refusal,
    },

    /// The device does not have enough memory for the work, not even for one matrix at a time.
    #[error("out of GPU memory after {done} of {len} matrices: {detail}")]
    OutOfMemory {
        /// The number of matrices finished before, from the start of the stack.
        done: usize,
        /// The length of the stack.
        len: usize,
        /// The device's message.
        detail: String,
    },

    /// The device was lost, or refused a command, in the middle of the call.
    #[error("GPU device lost after {done} of {len} matrices: {detail}")]
    DeviceLost {
        /// The number of matrices finished before, from the start of the stack.
        done: usize,
        /// The length of the stack.
        len: usize,
        /// The device's message.
        detail: String,
    },
}

impl Error {
    /// Rebases an error about a piece of a stack onto the whole stack: the piece begins at matrix `first`, and the
    /// stack holds `len` matrices.
    ///
    /// ```
    /// use batchinv::Error;
    /// let error = Error::Singular { index: 3, column: 1 }.of_piece(1000, 5000);
    /// assert_eq!(error, Error::Singular { index: 1003, column: 1 });
    /// ```
    #[must_use]
    pub fn of_piece(self, first: usize, len: usize) -> Self {
        match self {
            Self::Singular { index, column } => Self::Singular { index: first + index, column },
            Self::NotFinite { index } => Self::NotFinite { index: first + index },
            Self::IllConditioned { index } => Self::IllConditioned { index: first + index },
            Self::OutOfMemory { done, detail, .. } => Self::OutOfMemory { done: first + done, len, detail },
            Self::DeviceLost { done, detail, .. } => Self::DeviceLost { done: first + done, len, detail },
            other => other,
        }
    }

    /// The GPU engine refuses some work.
    pub(crate) fn refused(reason: Refusal) -> Self {
        Self::Unsupported { engine: Engine::Gpu, reason }
    }

    /// The number of matrices that the GPU engine had finished, from the start of the stack.
    pub(crate) fn done(&self) -> usize {
        match self {
            Self::OutOfMemory { done, .. } | Self::DeviceLost { done, .. } => *done,
            _ => 0,
        }
    }
}

/// The buffers of a GPU job do not fit its matrices, or a count does not fit the job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A job for no matrices, for matrices of order 0, or for right-hand sides without columns has nothing to encode.
    #[error("a job needs an order and a capacity above 0, and right-hand sides with columns if it has any")]
    Empty,

    /// An output was given to a job that computes determinants alone.
    #[error("determinants alone have no output: solve systems beside them, or give the inverses a job of their own")]
    NoOutput,

    /// A job was asked for cofactor matrices beside solutions or determinants.
    #[error("a job computes cofactor matrices alone: give solutions and determinants jobs of their own")]
    CofactorsAlone,

    /// A buffer ends before the last element.
    #[error("the buffer for {what} holds {size} bytes, the job needs {needed}")]
    TooSmall {
        /// `input`, `right-hand sides`, `output`, `statuses`, `rconds` or `determinants`.
        what: &'static str,
        /// Bytes up to the end of the last element.
        needed: u64,
        /// Bytes in the buffer.
        size: u64,
    },

    /// A job uses more of a buffer than a shader can bind.
    #[error("the part of the buffer for {what} takes {bytes} bytes, the device binds at most {limit}")]
    TooLarge {
        /// `input`, `right-hand sides`, `output`, `statuses`, `rconds` or `determinants`.
        what: &'static str,
        /// Bytes from the first element to the end of the last.
        bytes: u64,
        /// `max_storage_buffer_binding_size`, or the number of elements that 32 bits can index.
        limit: u64,
    },

    /// Two things share a buffer, and each needs one of its own.
    #[error("{what} and {with} cannot share a buffer")]
    Shared {
        /// `statuses`, `rconds` or `determinants`.
        what: &'static str,
        /// `input`, `right-hand sides`, `output`, `statuses`, `rconds`, `determinants` or `the count`.
        with: &'static str,
    },

    /// A buffer was created without a usage that the job needs.
    #[error("the buffer for {what} lacks the usage {usage}")]
    Usage {
        /// `input`, `right-hand sides`, `output`, `statuses`, `rconds`, `determinants` or `the count`.
        what: &'static str,
        /// The usage, by wgpu's name.
        usage: &'static str,
    },

    /// Two results would overlap, an inverse would overwrite the matrix of another, or a solution would overwrite a
    /// matrix or the right-hand side of another.
    #[error("results would overwrite each other, or matrices or right-hand sides that are not their own")]
    Overlap,

    /// The matrices or right-hand sides are needed on failure, and their results overwrite them.
    #[error(
        "OnFailure::Input needs what was given, which the results overwrite here: give the job an output elsewhere"
    )]
    Replaced,

    /// The count of an indirect job lies outside its buffer, or is not aligned.
    #[error("a count at byte {offset} of a buffer of {size}: it takes 4 bytes at a multiple of 4")]
    Count {
        /// Bytes from the start of the buffer.
        offset: u64,
        /// Bytes in the buffer.
        size: u64,
    },

    /// More matrices than the job was made for.
    #[error("{len} matrices are more than the {capacity} that the job was made for")]
    TooMany {
        /// The number of matrices asked for.
        len: u32,
        /// The capacity of the job.
        capacity: u32,
    },

    /// An indirect dispatch of a job that was made without a count.
    #[error("the job was made without a buffer to read its count from")]
    NoCount,

    /// The device refuses the buffers for a reason of its own: they belong to another device, for example.
    #[error("the device refuses the buffers of the job: {detail}")]
    Refused {
        /// The device's message.
        detail: String,
    },
}

/// Elements, order and length do not make a stack, or outputs do not fit one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The number of elements is no multiple of order^2.
    #[error("{elements} elements do not make whole matrices of order {order} ({order} x {order})")]
    NotWhole {
        /// The number of elements.
        elements: usize,
        /// The order.
        order: usize,
    },

    /// The number of elements is not len * order^2.
    #[error("{len} matrices of order {order} need {needed} elements, got {elements}")]
    Length {
        /// The number of elements.
        elements: usize,
        /// The order.
        order: usize,
        /// The number of matrices.
        len: usize,
        /// len * order^2.
        needed: usize,
    },

    /// There is no memory for the results, or len * order^2 elements are more than memory can address.
    #[error("{len} matrices of order {order} are more than memory can hold")]
    TooLarge {
        /// The order.
        order: usize,
        /// The number of matrices.
        len: usize,
    },

    /// The number of elements is no multiple of order * width.
    #[error("{elements} elements do not make whole right-hand sides of {order} rows and {width} columns")]
    ColumnsNotWhole {
        /// The number of elements.
        elements: usize,
        /// The number of rows.
        order: usize,
        /// The number of columns.
        width: usize,
    },

    /// The number of elements is not len * order * width.
    #[error("{len} right-hand sides of {order} rows and {width} columns need {needed} elements, got {elements}")]
    ColumnsLength {
        /// The number of elements.
        elements: usize,
        /// The number of rows.
        order: usize,
        /// The number of columns.
        width: usize,
        /// The number of right-hand sides.
        len: usize,
        /// len * order * width.
        needed: usize,
    },

    /// There is no memory for the solutions, or len * order * width elements are more than memory can address.
    #[error("{len} right-hand sides of {order} rows and {width} columns are more than memory can hold")]
    ColumnsTooLarge {
        /// The number of rows.
        order: usize,
        /// The number of columns.
        width: usize,
        /// The number of right-hand sides.
        len: usize,
    },

    /// Matrices and right-hand sides differ in order, or in number while neither is a single one.
    #[error("{len} matrices of order {order} do not go together with {rhs_len} right-hand sides of {rhs_order} rows")]
    Rhs {
        /// The number of matrices.
        len: usize,
        /// Their order.
        order: usize,
        /// The number of right-hand sides.
        rhs_len: usize,
        /// The number of their rows.
        rhs_order: usize,
    },

    /// An array of right-hand sides has no axis.
    #[error("0-dimensional right-hand side given. It must be at least one-dimensional")]
    RhsWithoutAxes,

    /// An array of right-hand sides has another number of rows than the matrices.
    #[error("right-hand sides of shape {axes:?} have {rows} rows, the matrices have order {order}{}", hint(axes, *order))]
    RhsRows {
        /// The axes of the right-hand sides.
        axes: Vec<usize>,
        /// The number of their rows.
        rows: usize,
        /// The order of the matrices.
        order: usize,
    },

    /// The leading axes of matrices and right-hand sides do not broadcast.
    #[error(
        "the leading axes of the matrices, {leading:?}, do not broadcast with those of the right-hand sides, \
         {rhs_leading:?}"
    )]
    Broadcast {
        /// The leading axes of the matrices.
        leading: Vec<usize>,
        /// The leading axes of the right-hand sides.
        rhs_leading: Vec<usize>,
    },

    /// Matrices of order 0 and right-hand sides without columns have no elements, so their number must be given: use
    /// `with_len`.
    #[error("what has no elements cannot be counted: give the number of matrices")]
    UnknownLength,

    /// An array has fewer than two axes. In NumPy's words.
    #[error("{axes}-dimensional array given. Array must be at least two-dimensional")]
    TooFewAxes {
        /// The number of axes.
        axes: usize,
    },

    /// The last two axes of an array differ in length. In NumPy's words.
    #[error("Last 2 dimensions of the array must be square: {rows} rows, {columns} columns")]
    NotSquare {
        /// The length of the last axis but one.
        rows: usize,
        /// The length of the last axis.
        columns: usize,
    },

    /// An output slice has the wrong length for the stack.
    #[error("the output for {what} holds {got}, the stack needs {needed}")]
    Output {
        /// `elements`, `statuses`, `rconds` or `determinants`.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length it must have.
        needed: usize,
    },

    /// Two stacks differ in order or length.
    #[error(
        "a stack of {left_len} matrices of order {left_order} does not fit one of {right_len} of order {right_order}"
    )]
    Mismatch {
        /// Length of the left stack.
        left_len: usize,
        /// Order of the left stack.
        left_order: usize,
        /// Length of the right stack.
        right_len: usize,
        /// Order of the right stack.
        right_order: usize,
    },
}

/// What to do about right-hand sides with these axes that NumPy 1 took for a stack of vectors.
fn hint(axes: &[usize], order: usize) -> &'static str {
    if axes.len() > 1 && axes.last() == Some(&order) { ": a stack of vectors has a last axis of 1" } else { "" }
}
