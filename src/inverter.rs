//! One call: choose the engine, run it, hand back inverses, statuses and an account.

#[cfg(feature = "gpu")]
use std::time::Duration;
use std::time::Instant;

use crate::cpu::{self, SimdLevel};
use crate::inverses::{Inverses, InversesMut, Report, Room, Stages};
use crate::plan::{Engine, Kernel, Precision, Work, cpu_parallel, cpu_timed};
use crate::threads::Threads;
use crate::{Error, Scalar, Stack, StackBuf};
#[cfg(feature = "gpu")]
use crate::{
    gpu::GpuInverter,
    plan::{self, AutoPolicy},
};

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
/// None for the numbers in the stack. [`Error`] where no engine could finish the work.
pub fn invert<T: Scalar>(stack: Stack<'_, T>) -> Result<Inverses<T>, Error> {
    Inverter::auto().invert(stack)
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
/// [`Error::Singular`] or [`Error::NotFinite`] for the first matrix with a status other than 0; otherwise
/// as [`invert`].
pub fn inv<T: Scalar>(stack: Stack<'_, T>) -> Result<StackBuf<T>, Error> {
    invert(stack)?.strict()
}

/// An engine by name, or the automatic choice.
///
/// ```
/// use batchinv::{EngineChoice, Inverter, Stack};
/// let choice: EngineChoice = "cpu".parse()?;
/// let inverses = Inverter::new(choice)?.invert(Stack::new(&[4.0_f64], 1)?)?;
/// assert_eq!(inverses.stack().elements(), [0.25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EngineChoice {
    /// A hardware adapter where the work is worth the trip, the CPU otherwise.
    #[default]
    Auto,
    /// The CPU engine.
    Cpu,
    /// The GPU engine, on any adapter that wgpu finds, the software ones too.
    Gpu,
}

impl std::str::FromStr for EngineChoice {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            _ => Err(UnknownEngine(name.to_owned())),
        }
    }
}

/// A name that is no engine's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown engine \"{0}\": one of auto, cpu, gpu")]
pub struct UnknownEngine(String);

/// An engine, with options. Cheap to clone; a GPU's device and pipelines are shared by the clones.
///
/// ```
/// use batchinv::{Inverter, Precision, Stack};
/// let elements = [2.0_f32, 1.0, 1.0, 3.0];
/// let inverter = Inverter::cpu().precision(Precision::Double).rcond(true);
/// let inverses = inverter.invert(Stack::new(&elements, 2)?)?;
/// assert!(inverses.rconds().unwrap()[0] > 0.1);
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inverter {
    choice: EngineChoice,
    precision: Precision,
    rcond: bool,
    level: SimdLevel,
    pub(crate) threads: Threads,
    #[cfg(feature = "gpu")]
    policy: AutoPolicy,
    #[cfg(feature = "testing")]
    wrong: bool,
    #[cfg(feature = "gpu")]
    gpu: GpuSource,
    /// Where it is not the device's own.
    #[cfg(feature = "gpu")]
    time_limit: Option<Duration>,
    /// For all calls.
    decided: Option<Chosen>,
}

/// Where the GPU engine comes from.
#[cfg(feature = "gpu")]
#[derive(Clone, Debug)]
enum GpuSource {
    /// The best adapter there is, opened by the first call that wants it and kept for the process.
    Shared,
    /// The first adapter whose name contains this, opened and kept likewise.
    Named(String),
    /// One that the caller opened.
    Own(GpuInverter),
}

impl Inverter {
    fn with_choice(choice: EngineChoice) -> Self {
        Self {
            choice,
            precision: Precision::Native,
            rcond: false,
            level: SimdLevel::best(),
            threads: Threads::default(),
            #[cfg(feature = "gpu")]
            policy: AutoPolicy::HardwareOnly,
            #[cfg(feature = "testing")]
            wrong: false,
            #[cfg(feature = "gpu")]
            gpu: GpuSource::Shared,
            #[cfg(feature = "gpu")]
            time_limit: None,
            decided: None,
        }
    }

    /// The automatic choice, made anew for each call: a hardware adapter where the work is worth the trip, the
    /// CPU otherwise. Nothing is opened before a call that wants it.
    pub fn auto() -> Self {
        Self::with_choice(EngineChoice::Auto)
    }

    /// The CPU engine.
    pub fn cpu() -> Self {
        Self::with_choice(EngineChoice::Cpu)
    }

    /// The GPU engine on the best adapter that wgpu finds, hardware before software.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none.
    #[cfg(feature = "gpu")]
    pub fn gpu() -> Result<Self, Error> {
        GpuInverter::shared(None)?;
        Ok(Self::with_choice(EngineChoice::Gpu))
    }

    /// The GPU engine on a device that is already open.
    #[cfg(feature = "gpu")]
    pub fn with_gpu(gpu: GpuInverter) -> Self {
        Self { gpu: GpuSource::Own(gpu), ..Self::with_choice(EngineChoice::Gpu) }
    }

    /// An engine by its name. Without the feature `gpu`, `Gpu` fails and `Auto` is the CPU.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where the GPU engine is asked for and there is none.
    pub fn new(choice: EngineChoice) -> Result<Self, Error> {
        match choice {
            EngineChoice::Auto => Ok(Self::auto()),
            EngineChoice::Cpu => Ok(Self::cpu()),
            #[cfg(feature = "gpu")]
            EngineChoice::Gpu => Self::gpu(),
            #[cfg(not(feature = "gpu"))]
            EngineChoice::Gpu => Err(Error::NoAdapter { reason: "built without the feature \"gpu\"".to_owned() }),
        }
    }

    /// The adapter for calls that go to the GPU: the first one whose name contains `name`, whatever the case.
    /// The best one unless set.
    #[cfg(feature = "gpu")]
    #[must_use]
    pub fn adapter(self, name: &str) -> Self {
        Self { gpu: GpuSource::Named(name.to_owned()), ..self }
    }

    /// How long calls that go to the GPU wait for a piece of the work; after that, the automatic choice leaves the rest to
    /// the CPU, and the GPU engine by name fails with [`Error::DeviceLost`]. It is set on the device, with
    /// [`GpuInverter::set_time_limit`], and so for everyone who shares it.
    ///
    /// ```
    /// use batchinv::Inverter;
    /// let inverter = Inverter::auto().time_limit(std::time::Duration::from_secs(20));
    /// ```
    #[cfg(feature = "gpu")]
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        Self { time_limit: Some(limit), ..self }
    }

    /// The precision of the elimination; `Native` unless set.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Whether [`Inverter::invert`] also computes reciprocal condition numbers; not unless set.
    #[must_use]
    pub fn rcond(self, rcond: bool) -> Self {
        Self { rcond, ..self }
    }

    /// The instructions of the CPU engine; the best of the machine unless set.
    #[must_use]
    pub fn simd_level(self, level: SimdLevel) -> Self {
        Self { level, ..self }
    }

    pub(crate) fn with_threads(self, threads: Threads) -> Self {
        Self { threads, ..self }
    }

    /// Whether the automatic choice counts a software adapter as hardware. For tests.
    #[cfg(all(feature = "gpu", feature = "testing"))]
    #[must_use]
    pub fn auto_policy(self, policy: AutoPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Whether the last matrix of every stack comes out wrong, so that tests see checks catch it.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn wrong(self, wrong: bool) -> Self {
        Self { wrong, ..self }
    }

    /// This inverter with its choice made for all of `work`, for a stack that comes in pieces: every call goes to the
    /// engine that would take the whole, so that the bits do not depend on the pieces. Options that are set later
    /// do not change the choice.
    ///
    /// ```
    /// use batchinv::plan::Work;
    /// use batchinv::{Inverter, Precision, ScalarKind, Stack};
    /// let work = Work { scalar: ScalarKind::Float32, precision: Precision::Native, order: 1, len: 1_000_000 };
    /// let inverter = Inverter::auto().decided(work)?;
    /// assert_eq!(inverter.invert(Stack::new(&[2.0_f32; 1000], 1)?)?.stack().elements(), [0.5; 1000]);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where an adapter was asked for that is not there.
    pub fn decided(&self, work: Work) -> Result<Self, Error> {
        Ok(Self { decided: Some(self.engine(work)?), ..self.clone() })
    }

    /// The same for a stack of this shape in the inverter's own precision, with the engine.
    pub(crate) fn decided_for<T: Scalar>(&self, order: usize, len: usize) -> Result<(Self, Engine), Error> {
        let decided = self.decided(Work { scalar: T::KIND, precision: self.precision, order, len })?;
        let engine = match decided.decided {
            #[cfg(feature = "gpu")]
            Some(Chosen::Gpu(..)) => Engine::Gpu,
            _ => Engine::Cpu,
        };
        Ok((decided, engine))
    }

    /// The same with the CPU for what is left.
    pub(crate) fn on_cpu(&self) -> Self {
        Self { decided: Some(Chosen::Cpu(None)), ..self.clone() }
    }

    /// Inverts every matrix of a stack, each with a [`Status`](crate::Status). Blocks.
    ///
    /// # Errors
    /// None for the numbers in the stack. From the GPU engine chosen by name, not from the automatic choice, which
    /// leaves to the CPU what the GPU has not finished, and says so in the [`Report`]:
    /// [`Error::NoAdapter`] where the adapter asked for is not there, [`Error::Unsupported`] where the engine cannot
    /// take the work, [`Error::OutOfMemory`] and [`Error::DeviceLost`] from the device.
    pub fn invert<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Inverses<T>, Error> {
        let mut room = Room::new(stack, self.rcond)?;
        let report = self.invert_into(stack, room.output())?;
        Ok(room.filled(report))
    }

    /// [`Inverter::invert`], without blocking while the GPU works. On the CPU engine it computes at once; on the GPU
    /// engine, opening the device, building a pipeline for the first time and copying from and to host memory
    /// happen when the future is polled.
    ///
    /// ```
    /// # pollster::block_on(async {
    /// let elements = [2.0_f32];
    /// let inverses = batchinv::Inverter::cpu().invert_async(batchinv::Stack::new(&elements, 1)?).await?;
    /// assert_eq!(inverses.stack().elements(), [0.5]);
    /// # Ok::<(), batchinv::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Inverter::invert`].
    pub async fn invert_async<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Inverses<T>, Error> {
        let mut room = Room::new(stack, self.rcond)?;
        let report = self.invert_into_async(stack, room.output()).await?;
        Ok(room.filled(report))
    }

    /// Inverts a stack into the caller's own memory. Blocks.
    ///
    /// # Errors
    /// [`ShapeError::Output`](crate::ShapeError::Output) where an output does not fit the stack; otherwise as
    /// [`Inverter::invert`]. After an error, the outputs hold no meaning.
    pub fn invert_into<T: Scalar>(&self, stack: Stack<'_, T>, mut output: InversesMut<'_, T>) -> Result<Report, Error> {
        // Not by way of `invert_into_async`: beside a 4x4, a future takes its time.
        let report = match self.begin(stack, &output)? {
            Chosen::Cpu(reason) => self.run_cpu(stack, output.reborrow(), reason),
            #[cfg(feature = "gpu")]
            Chosen::Gpu(gpu, reason) => pollster::block_on(self.run_gpu(&gpu, stack, output.reborrow(), reason))?,
        };
        self.spoil(output.elements);
        Ok(report)
    }

    /// [`Inverter::invert_into`], without blocking while the GPU works.
    ///
    /// ```
    /// # pollster::block_on(async {
    /// use batchinv::{InversesMut, Inverter, Stack, Status};
    /// let (mut out, mut statuses) = ([0.0_f32; 2], [Status::NOT_FINITE; 2]);
    /// let output = InversesMut::new(&mut out, &mut statuses);
    /// Inverter::cpu().invert_into_async(Stack::new(&[2.0, 4.0], 1)?, output).await?;
    /// assert_eq!(out, [0.5, 0.25]);
    /// # Ok::<(), batchinv::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Inverter::invert_into`].
    pub async fn invert_into_async<T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        mut output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        let report = match self.begin(stack, &output)? {
            Chosen::Cpu(reason) => self.run_cpu(stack, output.reborrow(), reason),
            #[cfg(feature = "gpu")]
            Chosen::Gpu(gpu, reason) => self.run_gpu(&gpu, stack, output.reborrow(), reason).await?,
        };
        self.spoil(output.elements);
        Ok(report)
    }

    /// What comes before the work: the output fits, and the engine is chosen.
    fn begin<T: Scalar>(&self, stack: Stack<'_, T>, output: &InversesMut<'_, T>) -> Result<Chosen, Error> {
        output.check(stack)?;
        self.engine(Work { scalar: T::KIND, precision: self.precision, order: stack.order(), len: stack.len() })
    }

    fn spoil<T: Scalar>(&self, elements: &mut [T]) {
        #[cfg(feature = "testing")]
        if let (true, Some(element)) = (self.wrong, elements.last_mut()) {
            *element = *element + *element + T::ONE;
        }
        #[cfg(not(feature = "testing"))]
        let _ = elements;
    }

    #[cfg(feature = "gpu")]
    async fn run_gpu<T: Scalar>(
        &self,
        gpu: &GpuInverter,
        stack: Stack<'_, T>,
        mut output: InversesMut<'_, T>,
        reason: Option<String>,
    ) -> Result<Report, Error> {
        let error = match gpu.invert_into_async(stack, output.reborrow(), self.precision).await {
            Ok(report) => return Ok(Report { reason, ..report }),
            Err(error) => error,
        };
        if let (Error::DeviceLost { .. }, GpuSource::Shared | GpuSource::Named(_)) = (&error, &self.gpu) {
            GpuInverter::forget(gpu);
        }
        if self.choice != EngineChoice::Auto {
            return Err(error);
        }
        // What is finished stays.
        let done = error.done();
        let rest = InversesMut {
            elements: &mut output.elements[done * stack.order() * stack.order()..],
            statuses: &mut output.statuses[done..],
            rconds: output.rconds.map(|rconds| &mut rconds[done..]),
        };
        let reason = Some(format!("the GPU failed: {error}"));
        let report = self.run_cpu(stack.slice(done..stack.len()), rest, reason);
        Ok(Report { gpu_failure: Some(error), ..report })
    }

    fn run_cpu<T: Scalar>(&self, stack: Stack<'_, T>, output: InversesMut<'_, T>, reason: Option<String>) -> Report {
        let work = Work { scalar: T::KIND, precision: self.precision, order: stack.order(), len: stack.len() };
        self.report_cpu(work, reason, |shared| cpu::invert(stack, output, self.precision, self.level, shared))
    }

    fn report_cpu(&self, work: Work, reason: Option<String>, run: impl FnOnce(bool) -> Kernel + Send) -> Report {
        let start = cpu_timed(work).then(Instant::now);
        let kernel = self.threads.run(cpu_parallel(work), run);
        let dispatch = start.map_or(0.0, |start| start.elapsed().as_secs_f64());
        let seconds = Stages { dispatch, ..Stages::default() };
        Report {
            engine: Engine::Cpu,
            adapter: None,
            kernel,
            chunks: 1,
            reason,
            gpu_failure: None,
            seconds,
            device_seconds: None,
        }
    }

    /// Inverts in place; what is given fits.
    pub(crate) fn replace<T: Scalar>(&self, order: usize, stack: InversesMut<'_, T>) -> Result<Report, Error> {
        let len = stack.statuses.len();
        let work = Work { scalar: T::KIND, precision: self.precision, order, len };
        match self.engine(work)? {
            Chosen::Cpu(reason) => Ok(self.report_cpu(work, reason, |shared| {
                cpu::invert_in_place(order, stack, self.precision, self.level, shared)
            })),
            #[cfg(feature = "gpu")]
            Chosen::Gpu(..) => {
                let given = stack.elements.to_vec();
                self.invert_into(Stack::with_len(&given, order, len)?, stack)
            }
        }
    }

    #[cfg(not(feature = "gpu"))]
    fn engine(&self, _: Work) -> Result<Chosen, Error> {
        if let Some(decided) = &self.decided {
            return Ok(decided.clone());
        }
        let built_without = || "built without the feature \"gpu\"".to_owned();
        Ok(Chosen::Cpu((self.choice == EngineChoice::Auto).then(built_without)))
    }

    #[cfg(feature = "gpu")]
    fn engine(&self, work: Work) -> Result<Chosen, Error> {
        if let Some(decided) = &self.decided {
            return Ok(decided.clone());
        }
        match self.choice {
            EngineChoice::Cpu => Ok(Chosen::Cpu(None)),
            EngineChoice::Gpu => Ok(Chosen::Gpu(self.open_gpu()?, None)),
            EngineChoice::Auto => Ok(self.automatic(work)),
        }
    }

    /// The automatic choice. Adapters are looked for only where the work would be worth the trip.
    #[cfg(feature = "gpu")]
    fn automatic(&self, work: Work) -> Chosen {
        if let Err(reason) = plan::worth_the_trip(work) {
            return Chosen::Cpu(Some(reason));
        }
        let gpu = match self.open_gpu() {
            Ok(gpu) => gpu,
            Err(error) => return Chosen::Cpu(Some(error.to_string())),
        };
        match plan::choose(work, Some(gpu.facts()), self.policy) {
            (Engine::Gpu, reason) => Chosen::Gpu(gpu, Some(reason)),
            (Engine::Cpu, reason) => Chosen::Cpu(Some(reason)),
        }
    }

    #[cfg(feature = "gpu")]
    fn open_gpu(&self) -> Result<GpuInverter, Error> {
        let gpu = match &self.gpu {
            GpuSource::Shared => GpuInverter::shared(None)?,
            GpuSource::Named(name) => GpuInverter::shared(Some(name))?,
            GpuSource::Own(gpu) => gpu.clone(),
        };
        if self.time_limit.is_some() {
            gpu.set_time_limit(self.time_limit);
        }
        Ok(gpu)
    }
}

/// The engine for one call, and why the automatic choice fell on it.
#[derive(Clone, Debug)]
enum Chosen {
    Cpu(Option<String>),
    #[cfg(feature = "gpu")]
    Gpu(GpuInverter, Option<String>),
}
