//! What can go wrong with a call. A singular matrix is not among it, except for the strict [`inv`](crate::inv).

/// Why a call could not run, or, from the strict [`inv`](crate::inv) alone, which matrix has no inverse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The elements, the order and the length do not fit together.
    #[error(transparent)]
    Shape(#[from] ShapeError),

    /// From [`inv`](crate::inv): the first matrix with a status other than 0 is singular. NumPy raises
    /// `LinAlgError: Singular matrix`.
    #[error("Singular matrix: matrix {index} of the stack, the pivot of column {column} is exactly zero")]
    Singular {
        /// Position in the stack, from 0.
        index: usize,
        /// Column of the zero pivot, from 1.
        column: usize,
    },

    /// From [`inv`](crate::inv): the first matrix with a status other than 0 holds NaN or infinity, or its
    /// inverse overflows the scalar.
    #[error("not finite: matrix {index} of the stack holds NaN or infinity, or its inverse overflows")]
    NotFinite {
        /// Position in the stack, from 0.
        index: usize,
    },

    /// A job's buffers do not fit its matrices, or a count does not fit the job.
    #[error(transparent)]
    Job(#[from] JobError),

    /// No adapter was found that the GPU engine can use.
    #[error("no GPU adapter: {reason}")]
    NoAdapter {
        /// What was looked for, and what was there.
        reason: String,
    },

    /// The engine cannot do this work.
    #[error("the {engine} engine cannot do this: {reason}")]
    Unsupported {
        /// `gpu` or `cpu`.
        engine: crate::Engine,
        /// What it cannot take.
        reason: String,
    },

    /// The device has not enough memory for a piece of the work, not even for one matrix at a time.
    #[error("out of GPU memory after {done} of {len} matrices: {detail}")]
    OutOfMemory {
        /// How many matrices were finished before, from the start of the stack.
        done: usize,
        /// The length of the stack.
        len: usize,
        /// What the device said.
        detail: String,
    },

    /// The device was lost, or refused a command, in the middle of the call.
    #[error("GPU device lost after {done} of {len} matrices: {detail}")]
    DeviceLost {
        /// How many matrices were finished before, from the start of the stack.
        done: usize,
        /// The length of the stack.
        len: usize,
        /// What the device said.
        detail: String,
    },
}

impl Error {
    /// An error about a piece of a stack, told of the whole: the piece begins at matrix `first`, the stack holds `len`.
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
            Self::OutOfMemory { done, detail, .. } => Self::OutOfMemory { done: first + done, len, detail },
            Self::DeviceLost { done, detail, .. } => Self::DeviceLost { done: first + done, len, detail },
            other => other,
        }
    }

    /// How many matrices the GPU engine had finished, from the start of the stack.
    #[cfg(feature = "gpu")]
    pub(crate) fn done(&self) -> usize {
        match self {
            Self::OutOfMemory { done, .. } | Self::DeviceLost { done, .. } => *done,
            _ => 0,
        }
    }
}

/// Buffers that do not fit the matrices of a job of the GPU engine, or a count that does not fit the job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A job for no matrices, or for matrices of order 0, has nothing to encode.
    #[error("a job needs an order and a capacity above 0")]
    Empty,

    /// A buffer ends before the last element.
    #[error("the buffer for {what} holds {size} bytes, the job needs {needed}")]
    TooSmall {
        /// `input`, `output`, `statuses` or `rconds`.
        what: &'static str,
        /// Bytes up to the end of the last element.
        needed: u64,
        /// Bytes in the buffer.
        size: u64,
    },

    /// More of a buffer than a shader can see at once.
    #[error("the part of the buffer for {what} takes {bytes} bytes, the device binds {limit} at the most")]
    TooLarge {
        /// `input`, `output`, `statuses` or `rconds`.
        what: &'static str,
        /// Bytes from the first element to the end of the last.
        bytes: u64,
        /// `max_storage_buffer_binding_size`, or as many elements as 32 bits count.
        limit: u64,
    },

    /// Two things in one buffer that need one each.
    #[error("{what} and {with} cannot share a buffer")]
    Shared {
        /// `statuses` or `rconds`.
        what: &'static str,
        /// `input`, `output`, `statuses` or `the count`.
        with: &'static str,
    },

    /// A buffer was not created for what it is used for here.
    #[error("the buffer for {what} lacks the usage {usage}")]
    Usage {
        /// `input`, `output`, `statuses`, `rconds` or `the count`.
        what: &'static str,
        /// As wgpu names it.
        usage: &'static str,
    },

    /// Two inverses would go to one place, or an inverse to the place of another's matrix.
    #[error("inverses would overwrite each other, or matrices that are not their own")]
    Overlap,

    /// The count of an indirect job is not there.
    #[error("a count at byte {offset} of a buffer of {size}: it takes 4 bytes at a multiple of 4")]
    Count {
        /// In bytes.
        offset: u64,
        /// Bytes in the buffer.
        size: u64,
    },

    /// More matrices than the job was made for.
    #[error("{len} matrices are more than the {capacity} that the job was made for")]
    TooMany {
        /// What was asked for.
        len: u32,
        /// What the job has room for.
        capacity: u32,
    },

    /// An indirect dispatch of a job that was made without a count.
    #[error("the job was made without a buffer to read its count from")]
    NoCount,

    /// The device refuses the buffers for a reason of its own, which its words give: they are another device's, say.
    #[error("the device refuses the buffers of the job: {detail}")]
    Refused {
        /// What the device said.
        detail: String,
    },
}

/// Elements, order and length that do not make a stack, or outputs that do not fit one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The number of elements is no multiple of order^2.
    #[error("{elements} elements do not make whole matrices of order {order} ({order} x {order})")]
    NotWhole {
        /// How many elements there are.
        elements: usize,
        /// The order asked for.
        order: usize,
    },

    /// The number of elements is not len * order^2.
    #[error("{len} matrices of order {order} need {needed} elements, got {elements}")]
    Length {
        /// How many elements there are.
        elements: usize,
        /// The order.
        order: usize,
        /// The number of matrices.
        len: usize,
        /// len * order^2.
        needed: usize,
    },

    /// len * order^2 elements are more than memory can address.
    #[error("{len} matrices of order {order} are more than memory can address")]
    TooLarge {
        /// The order.
        order: usize,
        /// The number of matrices.
        len: usize,
    },

    /// Matrices of order 0 have no elements: their number must be given, with `with_len`.
    #[error("a stack of order 0 has no elements to count: give its length")]
    UnknownLength,

    /// An array has no two axes for rows and columns. In NumPy's words.
    #[error("{axes}-dimensional array given. Array must be at least two-dimensional")]
    TooFewAxes {
        /// How many it has.
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

    /// An output slice has not the length that the stack needs.
    #[error("the output for {what} holds {got}, the stack needs {needed}")]
    Output {
        /// `elements`, `statuses` or `rconds`.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length it must have.
        needed: usize,
    },

    /// Two stacks do not fit each other.
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
