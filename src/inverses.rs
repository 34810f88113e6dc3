//! What a call gives back: the inverses, a status for each, and an account of what ran.

use crate::{Engine, Error, Kernel, Scalar, ShapeError, Stack, StackBuf};

/// The verdict on one matrix, as one word.
///
/// `0`: inverted. `k >= 1`: singular, the pivot of column k, counted from 1, is exactly zero (LAPACK's `info`).
/// `-1`: not finite, the input holds NaN or infinity or the inverse overflows the scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Status(i32);

impl Status {
    /// 0
    pub const INVERTED: Self = Self(0);
    /// -1
    pub const NOT_FINITE: Self = Self(-1);

    /// The pivot of `column`, counted from 1, is exactly zero.
    pub(crate) const fn singular(column: usize) -> Self {
        Self(column as i32)
    }

    /// The word: 0, k or -1.
    pub const fn word(self) -> i32 {
        self.0
    }

    /// What the word says.
    pub const fn verdict(self) -> Verdict {
        match self.0 {
            0 => Verdict::Inverted,
            column @ 1.. => Verdict::Singular { column: column as usize },
            _ => Verdict::NotFinite,
        }
    }

    /// The word is 0.
    pub const fn is_inverted(self) -> bool {
        self.0 == 0
    }
}

/// A [`Status`], spelled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The inverse is there.
    Inverted,
    /// The pivot of this column is exactly zero.
    Singular {
        /// Counted from 1.
        column: usize,
    },
    /// The input holds NaN or infinity, or the inverse overflows the scalar.
    NotFinite,
}

/// The inverses of a stack, with a status for each.
///
/// A matrix whose status is not 0 comes back filled with [`Scalar::NAN`].
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
#[derive(Clone, Debug)]
pub struct Inverses<T: Scalar> {
    pub(crate) stack: StackBuf<T>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) rconds: Option<Vec<T::Real>>,
    pub(crate) report: Report,
}

/// Memory for what a call returns.
pub(crate) struct Room<T: Scalar> {
    stack: StackBuf<T>,
    statuses: Vec<Status>,
    rconds: Option<Vec<T::Real>>,
}

impl<T: Scalar> Room<T> {
    pub(crate) fn new(stack: Stack<'_, T>, rcond: bool) -> Result<Self, ShapeError> {
        Ok(Self {
            stack: StackBuf::zeros(stack.order(), stack.len())?,
            statuses: vec![Status::INVERTED; stack.len()],
            rconds: rcond.then(|| vec![T::Real::ZERO; stack.len()]),
        })
    }

    pub(crate) fn output(&mut self) -> InversesMut<'_, T> {
        let Self { stack, statuses, rconds } = self;
        InversesMut { elements: stack.elements_mut(), statuses, rconds: rconds.as_deref_mut() }
    }

    pub(crate) fn filled(self, report: Report) -> Inverses<T> {
        let Self { stack, statuses, rconds } = self;
        Inverses { stack, statuses, rconds, report }
    }
}

impl<T: Scalar> Inverses<T> {
    /// The inverse of matrix `index`, or `None` where its status is not 0 or there is no such matrix.
    pub fn get(&self, index: usize) -> Option<&[T]> {
        self.statuses.get(index)?.is_inverted().then(|| self.stack.matrix(index))
    }

    /// All inverses; NaN where the status is not 0.
    pub fn stack(&self) -> Stack<'_, T> {
        self.stack.view()
    }

    /// One status for each matrix.
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// 1 / (||A||_1 ||A^-1||_1) for each matrix, where the call was asked for it: 0 where singular, NaN where
    /// not finite, infinite at order 0. Below order * eps, the inverse has no digit to trust.
    pub fn rconds(&self) -> Option<&[T::Real]> {
        self.rconds.as_deref()
    }

    /// The first matrix whose status is not 0.
    pub fn first_failure(&self) -> Option<(usize, Status)> {
        self.statuses.iter().copied().enumerate().find(|(_, status)| !status.is_inverted())
    }

    /// The inverses, or the first matrix that has none as an error, as `np.linalg.inv` has it.
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
    /// [`Error::Singular`] or [`Error::NotFinite`], with the position of the matrix.
    pub fn strict(self) -> Result<StackBuf<T>, Error> {
        strict(&self.statuses)?;
        Ok(self.stack)
    }

    /// All inverses, given up; NaN where the status is not 0.
    pub fn into_stack(self) -> StackBuf<T> {
        self.stack
    }

    /// What ran.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// The first status other than 0, as an error.
pub(crate) fn strict(statuses: &[Status]) -> Result<(), Error> {
    let failure = statuses.iter().enumerate().find(|(_, status)| !status.is_inverted());
    failure.map_or(Ok(()), |(index, status)| {
        Err(match status.verdict() {
            Verdict::Singular { column } => Error::Singular { index, column },
            _ => Error::NotFinite { index },
        })
    })
}

/// Where a call writes to: the caller's own memory.
///
/// ```
/// use batchinv::{InversesMut, Inverter, Stack, Status};
/// let elements = [2.0_f32, 0.0, 0.0, 4.0];
/// let (mut out, mut statuses) = ([0.0; 4], [Status::NOT_FINITE; 1]);
/// Inverter::cpu().invert_into(Stack::new(&elements, 2)?, InversesMut::new(&mut out, &mut statuses))?;
/// assert_eq!(out, [0.5, 0.0, 0.0, 0.25]);
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Debug)]
pub struct InversesMut<'a, T: Scalar> {
    pub(crate) elements: &'a mut [T],
    pub(crate) statuses: &'a mut [Status],
    pub(crate) rconds: Option<&'a mut [T::Real]>,
}

impl<'a, T: Scalar> InversesMut<'a, T> {
    /// Room for len * order^2 elements and len statuses.
    pub fn new(elements: &'a mut [T], statuses: &'a mut [Status]) -> Self {
        Self { elements, statuses, rconds: None }
    }

    /// Also room for len reciprocal condition numbers.
    pub fn with_rconds(self, rconds: &'a mut [T::Real]) -> Self {
        Self { rconds: Some(rconds), ..self }
    }

    /// The same memory, lent.
    pub(crate) fn reborrow(&mut self) -> InversesMut<'_, T> {
        InversesMut { elements: self.elements, statuses: self.statuses, rconds: self.rconds.as_deref_mut() }
    }

    /// Every output has the length that the stack needs.
    pub(crate) fn check(&self, stack: Stack<'_, T>) -> Result<(), ShapeError> {
        let fits =
            |what, got, needed| if got == needed { Ok(()) } else { Err(ShapeError::Output { what, got, needed }) };
        fits("elements", self.elements.len(), stack.elements().len())?;
        fits("statuses", self.statuses.len(), stack.len())?;
        self.rconds.as_ref().map_or(Ok(()), |rconds| fits("rconds", rconds.len(), stack.len()))
    }
}

/// What ran in a call.
///
/// ```
/// use batchinv::{Engine, Kernel, Stack};
/// let inverses = batchinv::invert(Stack::new(&[1.0_f32; 4096], 1)?)?;
/// let report = inverses.report();
/// assert_eq!((report.engine, report.kernel, report.chunks), (Engine::Cpu, Kernel::Lanes, 1));
/// assert!(report.reason.is_some(), "the automatic choice says why");
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The engine that did the work.
    pub engine: Engine,
    /// The adapter's name, on the GPU engine.
    pub adapter: Option<String>,
    /// The kernel that did the work.
    pub kernel: Kernel,
    /// In how many pieces the stack went to the device; 1 on the CPU.
    pub chunks: usize,
    /// Why the automatic choice fell on this engine; `None` where the caller named it.
    pub reason: Option<String>,
    /// Why the GPU engine gave up under the automatic choice, and after how many matrices, from the start of the
    /// stack: those are its own. The CPU engine, which is the `engine` then, inverted the others.
    pub gpu_failure: Option<crate::Error>,
    /// Where the time went. All 0 for less work than [`plan::TIMED_FLOPS`](crate::plan::TIMED_FLOPS) on the CPU, beside which
    /// reading the clock would take long.
    pub seconds: Stages,
    /// Seconds that the device spent in the compute passes, from the beginning of a chunk's first to the end of its last, by its
    /// own timestamps; `None` on the CPU and on
    /// adapters without timestamps.
    pub device_seconds: Option<f64>,
}

/// Wall time of a call, stage by stage, in seconds. Stages of successive chunks overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stages {
    /// Choosing kernel and chunks, and building the pipeline where it was not there yet.
    pub prepare: f64,
    /// Copying the input to the device.
    pub upload: f64,
    /// The work itself: on a GPU, from the submission until the results can be read.
    pub dispatch: f64,
    /// Copying the results back to the host.
    pub readback: f64,
}
