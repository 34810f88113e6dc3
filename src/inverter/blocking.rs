//! The blocking forms of everything that waits: the only place that blocks. Browsers have none of them.
#![cfg(not(target_family = "wasm"))]

use super::buffers::Buffers;
use super::engine_choice::EngineChoice;
use super::options::{Decided, Inverter};
#[cfg(all(feature = "gpu", feature = "testing"))]
use super::solve::systems;
use crate::cpu::task::Inversion;
use crate::cpu::tasks;
use crate::data::columns::{Columns, ColumnsBuf};
use crate::data::determinant::Determinant;
use crate::data::engine::Engine;
#[cfg(feature = "gpu")]
use crate::data::engine::Precision;
use crate::data::error::Error;
#[cfg(all(feature = "gpu", feature = "testing"))]
use crate::data::operand::Given;
use crate::data::outcome::{Determinants, Inverses, Solutions};
use crate::data::output::{InversesMut, SolutionsMut, fits};
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::{Stack, StackBuf, zeroed};
#[cfg(feature = "gpu")]
use crate::gpu::device::GpuInverter;
#[cfg(feature = "gpu")]
use crate::gpu::drivers::Drivers;
#[cfg(feature = "gpu")]
use crate::gpu::job::Job;
#[cfg(feature = "gpu")]
use crate::gpu::job::descriptor::JobDescriptor;
#[cfg(feature = "gpu")]
use crate::gpu::platform::blocking;
#[cfg(all(feature = "gpu", feature = "testing"))]
use crate::plan::gpu::variant::Variant;
use crate::plan::work::Work;

/// Inverts every matrix of a stack, each with a [`Status`](crate::Status); the engine is chosen automatically.
///
/// The same as [`Inverter::auto`]`().invert(stack)`.
///
/// ```
/// let elements = [1.0_f64, 2.0, 2.0, 4.0];
/// let inverses = batchinv::invert(batchinv::Stack::new(&elements, 2)?)?;
/// assert_eq!(inverses.statuses()[0].word(), 2); // the pivot of column 2 is zero
/// assert!(inverses.stack().elements().iter().all(|x| x.is_nan()));
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// None for the numbers in the stack. [`Error`] if no engine could finish the work.
pub fn invert<T: Scalar>(stack: Stack<'_, T>) -> Result<Inverses<T>, Error> {
    let mut buffers = Buffers::new(stack, [false; 2])?;
    let report = Inverter::auto().invert_into(stack, buffers.output())?;
    Ok(buffers.into_outcome(report))
}

/// Inverts every matrix of a stack, or fails on the first that has no inverse, as `np.linalg.inv` does.
///
/// ```
/// let singular = [1.0_f64, 2.0, 2.0, 4.0];
/// let error = batchinv::inv(batchinv::Stack::new(&singular, 2)?).unwrap_err();
/// assert!(error.to_string().starts_with("Singular matrix"));
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// [`Error::Singular`] or [`Error::NotFinite`] for the first matrix with a status other than 0; otherwise as
/// [`invert`].
pub fn inv<T: Scalar>(stack: Stack<'_, T>) -> Result<StackBuf<T>, Error> {
    invert(stack)?.strict()
}

/// Solves every system A X = B, or fails on the first that has no solution, as `np.linalg.solve` does; the engine is
/// chosen automatically.
///
/// ```
/// use batchinv::{Columns, Stack};
/// let a = Stack::new(&[4.0_f64, 1.0, 1.0, 3.0], 2)?;
/// let x = batchinv::solve(a, Columns::new(&[5.0, 4.0], 2, 1)?)?;
/// assert_eq!(x.elements(), [1.0, 1.0]);
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// [`Error::Singular`] or [`Error::NotFinite`] for the first system with a status other than 0; otherwise as
/// [`Inverter::solve`].
pub fn solve<T: Scalar>(a: Stack<'_, T>, b: Columns<'_, T>) -> Result<ColumnsBuf<T>, Error> {
    Inverter::auto().solve(a, b)?.strict()
}

/// The determinant of every matrix of a stack; the engine is chosen automatically.
///
/// ```
/// use batchinv::Stack;
/// let determinants = batchinv::determinants(Stack::new(&[1.0_f64, 2.0, 2.0, 4.0], 2)?)?;
/// assert_eq!(determinants[0].value(), 0.0); // singular, which is no error
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// The same as [`Inverter::determinants`].
pub fn determinants<T: Scalar>(stack: Stack<'_, T>) -> Result<Vec<Determinant<T>>, Error> {
    Ok(Inverter::auto().determinants(stack)?.values)
}

/// Waits for a future, and lets the GPU engine know that this thread does nothing else meanwhile.
fn block_on<F: Future>(future: F) -> F::Output {
    #[cfg(feature = "gpu")]
    return blocking(|| pollster::block_on(future));
    #[cfg(not(feature = "gpu"))]
    pollster::block_on(future)
}

impl Inverter {
    /// An engine by its name. Without the feature `gpu`, `Gpu` fails and `Auto` is the CPU.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if the GPU engine is asked for and there is no adapter.
    pub fn new(choice: EngineChoice) -> Result<Self, Error> {
        let inverter = Self::with_choice(choice);
        if choice == EngineChoice::Gpu {
            block_on(inverter.source.open()).map_err(std::sync::Arc::unwrap_or_clone)?;
        }
        Ok(inverter)
    }

    /// The GPU engine on the best adapter that wgpu finds, hardware before software.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is none.
    #[cfg(feature = "gpu")]
    pub fn gpu() -> Result<Self, Error> {
        Self::new(EngineChoice::Gpu)
    }

    /// Inverts every matrix of a stack, each with a [`Status`](crate::Status). Blocks.
    ///
    /// # Errors
    /// None for the numbers in the stack. From the GPU engine chosen by name: [`Error::NoAdapter`] if the adapter asked
    /// for does not exist, [`Error::Unsupported`] if the engine cannot do the work, [`Error::OutOfMemory`] and
    /// [`Error::DeviceLost`] from the device. The automatic choice returns none of these: it leaves to the CPU the
    /// matrices that the GPU has not finished, and says so in the [`Report`].
    pub fn invert<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Inverses<T>, Error> {
        let mut buffers = Buffers::new(stack, [self.rcond, self.det.is_some()])?;
        let report = self.invert_into(stack, buffers.output())?;
        Ok(buffers.into_outcome(report))
    }

    /// Inverts a stack into the caller's own memory. Blocks.
    ///
    /// # Errors
    /// [`ShapeError::Output`](crate::ShapeError::Output) if an output does not fit the stack; otherwise as
    /// [`Inverter::invert`]. After an error, the contents of the outputs are unspecified.
    pub fn invert_into<T: Scalar>(&self, stack: Stack<'_, T>, output: InversesMut<'_, T>) -> Result<Report, Error> {
        output.check(stack)?;
        let output = match output.determinants {
            Some(_) => block_on(self.with_determinants(stack, output))?,
            None => output,
        };
        let work = self.work::<T>(stack.order(), stack.len());
        match self.cpu_at_once(work) {
            Some((plan, reason)) => {
                let mut rconds = self.rconds_of_verdicts(stack.order(), &output)?;
                let mut output = output.or_rconds(rconds.as_deref_mut());
                let equilibrated = self.withhold_rconds(&mut output);
                let report = tasks::run::<Inversion, T>(
                    &plan,
                    &self.host,
                    stack.order(),
                    Some(stack),
                    output.reborrow(),
                    reason,
                );
                self.spoil(output.elements);
                output.rconds = output.rconds.or(equilibrated);
                self.settle(stack.order(), stack.elements(), output);
                Ok(report)
            }
            None => block_on(self.run_matrices::<Inversion, T>(work, stack, output)),
        }
    }

    /// Replaces every matrix by its inverse. `stack` holds, as elements, the matrices of `order` on entry and their
    /// inverses on return; statuses and, if there is memory for them, reciprocal condition numbers are filled in, as
    /// [`Inverter::invert_into`] does. A matrix without an inverse becomes NaN, or what
    /// [`Inverter::on_failure`] says. Blocks.
    ///
    /// The bits are those of [`Inverter::invert`]. On the CPU engine, each thread has working memory for one matrix
    /// above order 32, in the precision of the elimination, and for a few of smaller orders; if reciprocal condition
    /// numbers are asked for, also by [`Inverter::min_rcond`], for a copy of these matrices, too. The whole stack is
    /// copied first on the GPU engine, with [`OnFailure::Input`](crate::OnFailure::Input), and for rconds of
    /// equilibrated matrices.
    ///
    /// ```
    /// use batchinv::{InversesMut, Inverter, Status};
    /// let mut elements = [4.0_f64, 7.0, 2.0, 6.0, 1.0, 2.0, 2.0, 4.0];
    /// let mut statuses = [Status::INVERTED; 2];
    /// Inverter::cpu().invert_in_place(2, InversesMut::new(&mut elements, &mut statuses))?;
    /// assert!((elements[0] - 0.6).abs() < 1e-15);
    /// assert_eq!(statuses.map(Status::word), [0, 2]);
    /// assert!(elements[4..].iter().all(|x| x.is_nan()));
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ShapeError`](crate::ShapeError) if the number of elements does not match the order and the number of statuses;
    /// otherwise as [`Inverter::invert_into`]. After any error but a `ShapeError`, elements and statuses are
    /// unspecified.
    pub fn invert_in_place<T: Scalar>(&self, order: usize, stack: InversesMut<'_, T>) -> Result<Report, Error> {
        let len = stack.check_in_place(order)?;
        if let Some(given) = self.copy_of_input(order, &stack)? {
            return self.invert_into(given.view(), stack);
        }
        match self.cpu_at_once(self.work::<T>(order, len)) {
            Some((plan, reason)) => {
                let mut rconds = self.rconds_of_verdicts(order, &stack)?;
                let mut stack = stack.or_rconds(rconds.as_deref_mut());
                let report = tasks::run::<Inversion, T>(&plan, &self.host, order, None, stack.reborrow(), reason);
                self.settle(order, &[], stack);
                Ok(report)
            }
            None => block_on(self.invert_in_place_async(order, stack)),
        }
    }

    /// Solves every system A X = B, each with a [`Status`](crate::Status): Gaussian elimination with partial pivoting
    /// and back substitution. One matrix goes with all right-hand sides, and one right-hand side with all matrices.
    /// Blocks.
    ///
    /// The status of a system is k for a singular matrix, as that of its inverse, and -1 if the matrix or the
    /// right-hand side is not finite, or if the solution overflows. It is one for all columns of the right-hand side;
    /// apart from it, a column of the solution depends on the matrix and on its own column alone, to the bit.
    ///
    /// ```
    /// use batchinv::{Columns, Inverter, Stack};
    /// let a = Stack::new(&[4.0_f64, 1.0, 1.0, 3.0], 2)?;
    /// let b = [1.0, 2.0, /* the second: */ 5.0, 4.0];
    /// let solutions = Inverter::cpu().solve(a, Columns::new(&b, 2, 1)?)?;
    /// assert_eq!(solutions.columns().matrix(1), [1.0, 1.0]);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// None for the numbers. [`ShapeError::Rhs`](crate::ShapeError::Rhs) if matrices and right-hand sides do not go
    /// together, [`ShapeError::ColumnsTooLarge`](crate::ShapeError::ColumnsTooLarge) if there is no memory for the
    /// solutions. [`Error::Unsupported`] if the options ask for rconds or for identities on failure. From the GPU
    /// engine chosen by name, [`Error::Unsupported`] above the largest order of its kernels, and otherwise as
    /// [`Inverter::invert`].
    pub fn solve<T: Scalar>(&self, a: Stack<'_, T>, b: Columns<'_, T>) -> Result<Solutions<T>, Error> {
        let work = self.system(a, b)?;
        let mut buffers = Buffers::of_systems(work, self.wants_determinants())?;
        let report = self.solve_checked(work, a, b, buffers.output())?;
        Ok(buffers.into_outcome(report))
    }

    /// Solves systems into the caller's own memory. Blocks.
    ///
    /// # Errors
    /// [`ShapeError::Output`](crate::ShapeError::Output) if an output does not fit; otherwise as [`Inverter::solve`].
    pub fn solve_into<T: Scalar>(
        &self,
        a: Stack<'_, T>,
        b: Columns<'_, T>,
        output: SolutionsMut<'_, T>,
    ) -> Result<Report, Error> {
        let work = self.system(a, b)?;
        output.check(work.order, work.width, work.len)?;
        self.solve_checked(work, a, b, output)
    }

    /// Solves systems into outputs that fit.
    fn solve_checked<T: Scalar>(
        &self,
        work: Work,
        a: Stack<'_, T>,
        b: Columns<'_, T>,
        output: SolutionsMut<'_, T>,
    ) -> Result<Report, Error> {
        match self.cpu_at_once(work) {
            Some((plan, reason)) => Ok(self.solve_into_on_cpu(&plan, reason, a, b, output)),
            None => block_on(self.run_systems(work, a, b, output)),
        }
    }

    /// The cofactor matrix of every matrix of a stack, of order 3 at most, each with a [`Status`](crate::Status).
    /// Blocks.
    ///
    /// Element (i, j) of the cofactor matrix C of A is (-1)^(i + j) times the determinant of A without row i and column
    /// j. Singular matrices have one, too. Where A has an inverse, that is transpose(C) / det A. C takes cross products
    /// along, (A u) x (A v) = C (u x v), and so the normals of a surface. Transforms that mirror an object turn its
    /// triangles around as well: for normals that keep pointing outward, change their sign if the determinant is
    /// negative. It is the product of a row of A and the same row of C, and [`Inverter::det`] gives it beside.
    ///
    /// The status is 0, or -1 if the matrix is not finite or a cofactor overflows. Only order 3 rounds: each cofactor
    /// p s - q r is right to 4 u (|p s| + |q r|), and twice that for complex numbers, where u is the unit roundoff,
    /// 2^-24 or 2^-53; and to the smallest subnormal number. With fused multiply-adds, real ones on the CPU are right
    /// to two units in the last place. The GPU engine may flush a subnormal cofactor to zero.
    ///
    /// ```
    /// use batchinv::{Inverter, Stack};
    /// // A transform that flattens along y. It has no inverse, and takes every normal to the y axis.
    /// let flat = [2.0_f32, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0];
    /// let cofactors = Inverter::cpu().cofactors(Stack::new(&flat, 3)?)?;
    /// assert_eq!(cofactors.statuses()[0].word(), 0);
    /// assert_eq!(cofactors.stack().elements()[3..6], [0.0, 6.0, 0.0]);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// None for the numbers. [`Error::Unsupported`] above order 3, or if the options ask for rconds; otherwise as
    /// [`Inverter::invert`].
    pub fn cofactors<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Inverses<T>, Error> {
        block_on(self.cofactors_async(stack))
    }

    /// Writes cofactor matrices into the caller's own memory. Blocks.
    ///
    /// # Errors
    /// [`ShapeError::Output`](crate::ShapeError::Output) if an output does not fit the stack; otherwise as
    /// [`Inverter::cofactors`].
    pub fn cofactors_into<T: Scalar>(&self, stack: Stack<'_, T>, output: InversesMut<'_, T>) -> Result<Report, Error> {
        block_on(self.cofactors_into_async(stack, output))
    }

    /// The determinant of every matrix of a stack. Blocks.
    ///
    /// 0 for a singular matrix, NaN for one that is not finite; never an error for the numbers.
    ///
    /// ```
    /// use batchinv::{Inverter, Stack};
    /// let determinants = Inverter::cpu().determinants(Stack::new(&[4.0_f32, 7.0, 2.0, 6.0], 2)?)?;
    /// assert_eq!(determinants.values[0].value(), 10.0);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ShapeError::TooLarge`](crate::ShapeError::TooLarge) if there is no memory for them. From the GPU engine chosen
    /// by name, [`Error::Unsupported`] above the largest order of its kernels, and otherwise as [`Inverter::invert`].
    pub fn determinants<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Determinants<T>, Error> {
        let mut values = zeroed(stack.len(), stack.order(), stack.len())?;
        let report = self.determinants_into(stack, &mut values)?;
        Ok(Determinants { values, report })
    }

    /// Computes determinants into the caller's own memory. Blocks.
    ///
    /// # Errors
    /// [`ShapeError::Output`](crate::ShapeError::Output) if there is not one place for each matrix; otherwise as
    /// [`Inverter::determinants`].
    pub fn determinants_into<T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        determinants: &mut [Determinant<T>],
    ) -> Result<Report, Error> {
        fits("determinants", determinants.len(), stack.len())?;
        match self.cpu_at_once(self.det_work::<T>(stack.order(), stack.len())) {
            Some((plan, reason)) => Ok(self.determinants_on_cpu(&plan, reason, stack, determinants)),
            None => block_on(self.determinants_into_async(stack, determinants)),
        }
    }

    /// This inverter with its engine decided for all of `work`, for a stack that comes in pieces: every call goes to
    /// the engine that would take the whole, so that the bits do not depend on the pieces. Options that are set later
    /// do not change the decision, unless they ask for what the device cannot do: then the automatic choice takes the
    /// CPU.
    ///
    /// ```
    /// use batchinv::plan::Work;
    /// use batchinv::{Inverter, ScalarKind, Stack};
    /// let inverter = Inverter::auto().decided(Work::inverse(ScalarKind::Float32, 1, 1_000_000))?;
    /// assert_eq!(inverter.invert(Stack::new(&[2.0_f32; 1000], 1)?)?.stack().elements(), [0.5; 1000]);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if an adapter was asked for that does not exist; [`Error::Unsupported`] if the GPU engine,
    /// chosen by name, cannot do `work`.
    pub fn decided(&self, work: Work) -> Result<Self, Error> {
        block_on(self.decided_async(work))
    }
}

/// The questions of `host`, whose calls block too.
impl Inverter {
    /// The engine that was decided for all calls.
    pub(crate) fn decided_engine(&self) -> Option<Engine> {
        self.decided.as_ref().map(|decided| match decided {
            Decided::Cpu(_) => Engine::Cpu,
            Decided::Gpu(..) => Engine::Gpu,
        })
    }

    /// The same inverter with the CPU for the rest of the pieces.
    pub(crate) fn on_cpu(&self) -> Self {
        Self { decided: Some(Decided::Cpu(None)), ..self.clone() }
    }

    /// Returns whether calls compute determinants beside their results.
    pub(crate) fn wants_determinants(&self) -> bool {
        self.det.is_some()
    }
}

/// The blocking forms of a device's calls.
#[cfg(feature = "gpu")]
impl GpuInverter {
    /// Opens a device on the adapter of this name, of which a part will do that no other has, ignoring case; digits
    /// alone are its position among [`gpu::adapters`](crate::gpu::adapters). For `None`, on the best: discrete,
    /// integrated, virtual, other, and software last. Blocks.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is none, several are meant, or it opens no device.
    pub fn open(name: Option<&str>) -> Result<Self, Error> {
        block_on(Self::open_async(name))
    }

    /// The same, on an adapter with one of the drivers that may be used: among
    /// [`gpu::adapters_with`](crate::gpu::adapters_with) of them. Blocks.
    ///
    /// ```no_run
    /// use batchinv::gpu::{Drivers, GpuInverter};
    /// let dozen = GpuInverter::open_with(Some("Direct3D12"), Drivers::All)?;
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is none, several are meant, or it opens no device.
    pub fn open_with(name: Option<&str>, drivers: Drivers) -> Result<Self, Error> {
        block_on(Self::open_with_async(name, drivers))
    }

    /// [`GpuInverter::prepare_async`]. Blocks.
    ///
    /// # Errors
    /// The same as for [`GpuInverter::prepare_async`].
    pub fn prepare(&self, precision: Precision) -> Result<(), Error> {
        block_on(self.prepare_async(precision))
    }

    /// Makes a job: builds its pipelines, bind groups and the memory that it needs. Blocks.
    ///
    /// # Errors
    /// The same as for [`GpuInverter::job_async`].
    pub fn job(&self, descriptor: &JobDescriptor<'_>) -> Result<Job, Error> {
        block_on(self.job_async(descriptor))
    }

    /// Seconds that the device takes to copy `bytes` bytes from one of its buffers into another, by its own clock: the
    /// best of `repeats`. `None` if it has no clock. Blocks.
    ///
    /// # Errors
    /// The same as for [`GpuInverter::copy_seconds_async`].
    pub fn copy_seconds(&self, bytes: u64, repeats: usize) -> Result<Option<f64>, Error> {
        block_on(self.copy_seconds_async(bytes, repeats))
    }

    /// Lets the driver start from the pipelines in a file, and keeps those that it compiles from now on: see
    /// [`GpuInverter::keep_pipelines_async`]. Blocks.
    ///
    /// ```no_run
    /// use batchinv::gpu::GpuInverter;
    /// let gpu = GpuInverter::open(None)?;
    /// gpu.keep_pipelines("pipelines.bin".as_ref())?;
    /// // ... invert ...
    /// gpu.save_pipelines()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`GpuInverter::keep_pipelines_async`].
    pub fn keep_pipelines(&self, file: &std::path::Path) -> std::io::Result<bool> {
        block_on(self.keep_pipelines_async(file))
    }

    /// Inverts a stack with a variant, and in chunks of a length, that the plan would not choose. For tests.
    ///
    /// # Errors
    /// The same as for [`Inverter::invert`].
    #[cfg(feature = "testing")]
    pub fn invert_with<T: Scalar>(
        &self,
        variant: Variant,
        chunk_len: usize,
        stack: Stack<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        output.check(stack)?;
        block_on(self.run_with_async(variant, chunk_len, Given::matrices(stack), output))
    }

    /// The same for systems. For tests.
    ///
    /// # Errors
    /// The same as for [`Inverter::solve_into`].
    #[cfg(feature = "testing")]
    pub fn solve_with<T: Scalar>(
        &self,
        variant: Variant,
        chunk_len: usize,
        a: Stack<'_, T>,
        b: Columns<'_, T>,
        output: SolutionsMut<'_, T>,
    ) -> Result<Report, Error> {
        let len = systems(a, b)?;
        output.check(a.order(), b.width(), len)?;
        block_on(self.run_with_async(variant, chunk_len, Given::systems(a, b, len), output.into_any()))
    }
}
