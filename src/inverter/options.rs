//! The inverter and its options.

#[cfg(feature = "gpu")]
use std::time::Duration;

use super::determinants::{FillDeterminants, fill_determinants};
use super::engine_choice::EngineChoice;
#[cfg(feature = "gpu")]
use super::source::DeviceSource;
use super::source::GpuSource;
#[cfg(not(feature = "gpu"))]
use super::without_gpu::GpuInverter;
use crate::cpu::simd::level::SimdLevel;
use crate::cpu::tasks::Host;
use crate::cpu::threads::Threads;
use crate::data::engine::Precision;
use crate::data::equilibrated::RcondOf;
use crate::data::error::Error;
use crate::data::on_failure::OnFailure;
use crate::data::reason::Reason;
#[cfg(feature = "gpu")]
use crate::gpu::device::GpuInverter;
#[cfg(feature = "gpu")]
use crate::gpu::drivers::Drivers;
use crate::plan::choose::AutoPolicy;
use crate::plan::cpu::{CpuTuning, Sharing};

/// An engine, with options. Cheap to clone; clones share a GPU's device and pipelines.
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
    pub(super) choice: EngineChoice,
    pub(super) precision: Precision,
    pub(super) rcond: bool,
    pub(super) det: Option<FillDeterminants>,
    pub(super) rcond_of: RcondOf,
    /// 0 for no verdict.
    pub(super) min_rcond: f64,
    pub(super) on_failure: OnFailure,
    pub(super) host: Host,
    pub(super) tuning: CpuTuning,
    pub(super) policy: AutoPolicy,
    pub(super) source: GpuSource,
    /// The engine for all calls, if it was decided beforehand.
    pub(super) decided: Option<Decided>,
    #[cfg(feature = "testing")]
    pub(super) wrong: bool,
}

/// An engine that was decided for all calls, and why.
#[derive(Clone, Debug)]
pub enum Decided {
    Cpu(Option<Reason>),
    Gpu(GpuInverter, Option<Reason>),
}

impl Inverter {
    pub(super) fn with_choice(choice: EngineChoice) -> Self {
        Self {
            choice,
            precision: Precision::Native,
            rcond: false,
            det: None,
            rcond_of: RcondOf::Given,
            min_rcond: 0.0,
            on_failure: OnFailure::Nan,
            host: Host { level: SimdLevel::best(), threads: Threads::default() },
            tuning: CpuTuning::MEASURED,
            policy: AutoPolicy::HardwareOnly,
            source: GpuSource::default(),
            decided: None,
            #[cfg(feature = "testing")]
            wrong: false,
        }
    }

    /// The automatic choice, made anew for each call: a hardware adapter if the work is worth the trip, the CPU
    /// otherwise. Nothing is opened before a call wants it.
    pub fn auto() -> Self {
        Self::with_choice(EngineChoice::Auto)
    }

    /// The CPU engine.
    pub fn cpu() -> Self {
        Self::with_choice(EngineChoice::Cpu)
    }

    /// The GPU engine on a device that is already open.
    #[cfg(feature = "gpu")]
    pub fn with_gpu(gpu: GpuInverter) -> Self {
        let source = GpuSource { device: DeviceSource::Own(gpu), ..GpuSource::default() };
        Self { source, ..Self::with_choice(EngineChoice::Gpu) }
    }

    /// The adapter for calls that go to the GPU, by its name or a part of it that no other has, ignoring case; digits
    /// alone are its position among [`gpu::adapters`](crate::gpu::adapters). By default, the best one.
    #[cfg(feature = "gpu")]
    #[must_use]
    pub fn adapter(self, name: &str) -> Self {
        Self { source: GpuSource { device: DeviceSource::Named(name.to_owned()), ..self.source }, ..self }
    }

    /// The drivers whose adapters calls may open; [`Drivers::Conformant`] by default. It changes nothing for a device
    /// that is already open.
    #[cfg(feature = "gpu")]
    #[must_use]
    pub fn drivers(self, drivers: Drivers) -> Self {
        Self { source: GpuSource { drivers, ..self.source }, ..self }
    }

    /// The longest time that calls of this inverter wait for a piece of work on the GPU, instead of the device's own
    /// limit ([`GpuInverter::set_time_limit`]). After that, the automatic choice leaves the rest to the CPU, and the
    /// GPU engine by name fails with [`Error::DeviceLost`]. Others who share the device keep their limits.
    ///
    /// ```
    /// use batchinv::Inverter;
    /// let inverter = Inverter::auto().time_limit(std::time::Duration::from_secs(20));
    /// ```
    #[cfg(feature = "gpu")]
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        Self { source: GpuSource { time_limit: Some(limit), ..self.source }, ..self }
    }

    /// The precision of the elimination; `Native` by default.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Sets whether [`Inverter::invert`] also computes reciprocal condition numbers; `false` by default.
    #[must_use]
    pub fn rcond(self, rcond: bool) -> Self {
        Self { rcond, ..self }
    }

    /// Sets whether [`Inverter::invert`] and [`Inverter::solve`] also compute determinants; `false` by default. Those
    /// of `invert` are those of [`Inverter::determinants`] and cost a factorization of their own, a third of the
    /// arithmetic of the inverse. The CPU engine computes them where the GPU engine only inverts.
    ///
    /// ```
    /// use batchinv::{Inverter, Stack};
    /// let inverses = Inverter::cpu().det(true).invert(Stack::new(&[2.0_f64, 1.0, 0.0, 3.0], 2)?)?;
    /// assert_eq!(inverses.determinants().unwrap()[0].value(), 6.0);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    #[must_use]
    pub fn det(self, det: bool) -> Self {
        Self { det: det.then_some(fill_determinants as FillDeterminants), ..self }
    }

    /// What rcond describes, in results and for [`Inverter::min_rcond`]: the matrix as given, the default, or the
    /// matrix in the units of rows and columns that suit it best. The threads of the CPU engine compute the latter once
    /// the inverses are there, whatever engine made them.
    ///
    /// ```
    /// use batchinv::{Inverter, RcondOf, Stack};
    /// let elements = [1.0_f64, 0.0, 0.0, 0.5_f64.powi(60)];
    /// let inverter = Inverter::cpu().rcond(true).rcond_of(RcondOf::Equilibrated);
    /// assert_eq!(inverter.invert(Stack::new(&elements, 2)?)?.rconds().unwrap(), [1.0]);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    #[must_use]
    pub fn rcond_of(self, rcond_of: RcondOf) -> Self {
        Self { rcond_of, ..self }
    }

    /// The least reciprocal condition number of a matrix that counts as inverted; 0, the default, lets all pass. A
    /// matrix below it gets the status [`Status::ILL_CONDITIONED`](crate::Status::ILL_CONDITIONED) and keeps its
    /// inverse; [`strict`](crate::Outcome::strict) fails on it. Rconds are then computed even if no one else asks for
    /// them.
    ///
    /// rcond depends on the units of rows and columns, unless [`Inverter::rcond_of`] says otherwise: see the guide on
    /// [statuses](crate::guide::statuses). A NaN lets all pass, too.
    ///
    /// ```
    /// use batchinv::{Error, Inverter, Stack};
    /// let elements = [1.0_f64, 1.0, 1.0, 1.0 + 1e-12];
    /// let inverses = Inverter::cpu().min_rcond(1e-10).invert(Stack::new(&elements, 2)?)?;
    /// assert_eq!(inverses.statuses()[0].word(), -2);
    /// assert!(inverses.get(0).is_some());
    /// assert_eq!(inverses.strict().unwrap_err(), Error::IllConditioned { index: 0 });
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn min_rcond(self, min_rcond: f64) -> Self {
        Self { min_rcond, ..self }
    }

    /// What a matrix without an inverse becomes; `Nan` by default. Statuses do not depend on it.
    #[must_use]
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        Self { on_failure, ..self }
    }

    /// The instructions of the CPU engine; by default the best of the machine.
    #[must_use]
    pub fn simd_level(mut self, level: SimdLevel) -> Self {
        self.host.level = level;
        self
    }

    /// The number of threads that the CPU engine uses at most: 1 is the calling thread alone; more are threads of the
    /// inverter's own, shared by its clones. 0, the default, means the rayon pool that a call is made in: the global
    /// one, or, with a pool of yours, `pool.install(|| inverter.invert(stack))`. A stack that is quickly inverted stays
    /// on one thread whatever the count. From order 320 on, threads share each matrix if there are fewer matrices than
    /// threads. The bits of a result do not depend on the count.
    ///
    /// ```
    /// use batchinv::{Inverter, Stack};
    /// let elements = vec![2.0_f32; 10_000];
    /// let stack = Stack::new(&elements, 1)?;
    /// let one = Inverter::cpu().threads(1)?.invert(stack)?;
    /// let three = Inverter::cpu().threads(3)?.invert(stack)?;
    /// assert_eq!(one.stack(), three.stack());
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the system refuses to start this many threads.
    pub fn threads(mut self, count: usize) -> Result<Self, Error> {
        self.host.threads = Threads::new(count)?;
        Ok(self)
    }

    /// Runs parallel work on the threads of the CPU engine.
    pub(crate) fn share<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.host.threads.run(Sharing::Tasks, work)
    }

    /// Returns whether the CPU engine has more than one thread.
    pub(crate) fn is_parallel(&self) -> bool {
        self.host.threads.count() > 1
    }

    /// The tuning of the CPU engine. For tests.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn tuning(self, tuning: CpuTuning) -> Self {
        Self { tuning, ..self }
    }

    /// Sets whether the automatic choice counts a software adapter as hardware. For tests.
    #[cfg(all(feature = "gpu", feature = "testing"))]
    #[must_use]
    pub fn auto_policy(self, policy: AutoPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Makes the last matrix of every stack come out wrong, so that tests see that checks catch it.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn wrong(self, wrong: bool) -> Self {
        Self { wrong, ..self }
    }
}
