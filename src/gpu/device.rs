//! A device with everything that is kept for it: pipelines, buffers and the thread that waits.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_intrusive::sync::Mutex;

use super::adapter;
use super::cache::Cache;
use super::counts::Counts;
use super::deadline::TimeLimit;
use super::drivers::Drivers;
use super::error::DeviceError;
use super::error_scopes::Errors;
use super::pipeline::Pipelines;
use super::platform::{Submitter, Waiter, facts_of, global, is_blocking};
use super::transfer::Pool;
use crate::data::error::Error;
use crate::data::refusal::Refusal;
use crate::plan::facts::{AdapterFacts, AdapterKind};
use crate::plan::gpu::patience;

/// A device that inverts stacks. It is cheap to clone: clones share the device, its pipelines and its buffers, and
/// many threads may use them at once.
///
/// ```no_run
/// use batchinv::gpu::GpuInverter;
/// use batchinv::{Inverter, Stack};
/// let gpu = GpuInverter::open(Some("llvmpipe"))?;
/// let inverses = Inverter::with_gpu(gpu).invert(Stack::new(&[2.0_f32, 0.0, 0.0, 4.0], 2)?)?;
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GpuInverter(pub(super) Arc<Shared>);

global! {
    /// The devices of [`GpuInverter::shared_async`], by name and drivers. The lock is held while a device is opened.
    fn opened() -> Mutex<Opened> = Mutex::new(Opened::default(), false);
}

#[derive(Default)]
struct Opened {
    by_key: HashMap<(Option<String>, Drivers), Result<GpuInverter, Arc<Error>>>,
    /// Devices that are forgotten, and still at work when they were last looked at. The last owner of such a device
    /// waits until it is idle, and no call shall wait for that.
    late: Vec<GpuInverter>,
}

/// The parts that clones share.
#[derive(Debug)]
pub struct Shared {
    pub facts: AdapterFacts,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub pipelines: Pipelines,
    pub counts: Arc<Counts>,
    pub pool: Pool,
    /// True if pairs of float32 are exact; empty until the device was probed.
    pub pairs: OnceLock<bool>,
    pub time_limit: TimeLimit,
    pub submitter: Submitter,
    pub waiter: Waiter,
}

impl GpuInverter {
    /// Opens a device on the adapter of this name, of which a part will do that no other has, ignoring case; digits
    /// alone are its position among [`adapters`](super::adapters). For `None`, on the best: discrete, integrated,
    /// virtual, other, and software last.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is none, several are meant, or it opens no device.
    pub async fn open_async(name: Option<&str>) -> Result<Self, Error> {
        Self::open_with_async(name, Drivers::Conformant).await
    }

    /// The same, on an adapter with one of the drivers that may be used: among
    /// [`adapters_with`](super::adapters_with) of them.
    ///
    /// # Errors
    /// The same as for [`GpuInverter::open_async`].
    pub async fn open_with_async(name: Option<&str>, drivers: Drivers) -> Result<Self, Error> {
        let (device, queue, facts) = adapter::open(name, drivers).await?;
        let gpu = Self::new(device, queue, facts);
        gpu.set_time_limit(patience(gpu.facts().kind));
        Ok(gpu)
    }

    /// An engine on the caller's own device, whose error handlers and other settings stay as they are. The engine
    /// clones the handles, makes bind group layouts and a small buffer, and starts a thread that polls the device
    /// whenever results are read back, and on a software adapter another one that submits. The device's callbacks may
    /// run on these threads. A callback must not wait there for a future of this engine, which would need the very
    /// thread; a blocking call from there is refused ([`Refusal::OwnThread`](crate::Refusal::OwnThread)). The engine
    /// also works without optional features; [`wanted_features`](super::wanted_features) and
    /// [`wanted_limits`](super::wanted_limits) return the features and limits of an adapter that are worth
    /// requesting.
    ///
    /// ```no_run
    /// # use batchinv::{gpu::{self, GpuInverter}, wgpu};
    /// # async fn open(adapter: wgpu::Adapter) -> Result<(), Box<dyn std::error::Error>> {
    /// let descriptor = wgpu::DeviceDescriptor {
    ///     required_features: gpu::wanted_features(&adapter),
    ///     required_limits: gpu::wanted_limits(&adapter),
    ///     ..Default::default()
    /// };
    /// let (device, queue) = adapter.request_device(&descriptor).await?;
    /// let inverter = GpuInverter::from_device(&device, &queue);
    /// # Ok(()) }
    /// ```
    pub fn from_device(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let (info, features) = facts_of(device);
        let facts = adapter::facts(&info, features, &device.limits());
        Self::new(device.clone(), queue.clone(), facts)
    }

    fn new(device: wgpu::Device, queue: wgpu::Queue, facts: AdapterFacts) -> Self {
        // A failure here also fails every later call, so the error handlers of a caller's device need not see it.
        let errors = Errors::watch(&device);
        let (pipelines, counts) = (Pipelines::new(), Arc::new(Counts::one_row(&device)));
        drop(errors);
        Self(Arc::new(Shared {
            pipelines,
            counts,
            pool: Pool::default(),
            pairs: OnceLock::new(),
            time_limit: TimeLimit::default(),
            submitter: Submitter::new(facts.kind == AdapterKind::Software),
            waiter: Waiter::new(&device),
            facts,
            device,
            queue,
        }))
    }

    /// From now on, compiles shaders with wgpu's own checks of indexes and loops. For tests.
    #[cfg(feature = "testing")]
    pub fn check_shaders(&self) {
        self.0.pipelines.checked.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// One device per name and drivers for the whole process, opened by the first call that wants it. A failure is kept
    /// too, since looking for adapters takes longer than a small call.
    pub(crate) async fn shared_async(name: Option<&str>, drivers: Drivers) -> Result<Self, Arc<Error>> {
        let key = (name.map(str::to_owned), drivers);
        let mut opened = opened().lock().await;
        if let Some(known) = opened.by_key.get(&key) {
            return known.clone();
        }
        opened.late.retain(|gpu| !gpu.0.is_idle());
        let result = Self::open_with_async(name, drivers).await.map_err(Arc::new);
        opened.by_key.insert(key, result.clone());
        result
    }

    /// Lets the next call that wants a shared device open a new one instead of this.
    pub(crate) async fn forget(&self) {
        let mut opened = opened().lock().await;
        opened.by_key.retain(|_, gpu| !gpu.as_ref().is_ok_and(|gpu| Arc::ptr_eq(&gpu.0, &self.0)));
        opened.late.push(self.clone());
        opened.late.retain(|gpu| !gpu.0.is_idle());
    }

    /// Loads compiled pipelines from a file, and collects those that the driver compiles from now on, so that
    /// [`save_pipelines`](Self::save_pipelines) can write them all and the next process need not compile them
    /// again. A file that is missing, damaged, or from another adapter or driver counts as empty. Returns `false`
    /// if the device lacks wgpu's `PIPELINE_CACHE`. Call this before any other call, and only with files that
    /// nobody else may write to: the driver trusts their contents.
    ///
    /// # Errors
    /// If the file exists and cannot be read, if a file was named before, or if the device fails.
    pub async fn keep_pipelines_async(&self, file: &Path) -> std::io::Result<bool> {
        if !self.0.device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return Ok(false);
        }
        let cache = Cache::open(&self.0.device, file).await?;
        let named = |_| std::io::Error::new(std::io::ErrorKind::AlreadyExists, "pipelines are kept in a file already");
        self.0.pipelines.cache.set(cache).map_err(named)?;
        Ok(true)
    }

    /// Replaces the file that `keep_pipelines` named with all pipelines compiled so far. Does nothing if no file
    /// was named.
    ///
    /// # Errors
    /// If the file cannot be written. The old file then stays as it was, and no partial file is left.
    pub fn save_pipelines(&self) -> std::io::Result<()> {
        self.0.pipelines.cache.get().map_or(Ok(()), Cache::save)
    }

    /// The facts of its adapter.
    pub fn facts(&self) -> &AdapterFacts {
        &self.0.facts
    }

    /// Sets the longest time to wait for a piece of a call, for the calls on all clones that begin from now on; `None`
    /// means no limit. A call that waits longer fails with [`Error::DeviceLost`], whatever else the device works on.
    /// The time begins when the piece is submitted, or, if that is later, when the piece before it was finished; on a
    /// software adapter, it begins anew when the driver has returned from the submission. If the system refuses the
    /// thread that keeps the time, there is no limit. The
    /// default is [`plan::patience`](crate::plan::patience) for a device that was opened here, and no limit for a
    /// caller's device. The work itself goes on, and the last clone that is dropped waits until the device is idle.
    ///
    /// A piece takes hardware a few milliseconds, and a software adapter up to a minute at order 1024. If others keep
    /// the device busy, it also waits for their work.
    pub fn set_time_limit(&self, limit: Option<Duration>) {
        self.0.time_limit.set(limit);
    }
}

impl Shared {
    /// Refuses a blocking call on one of the engine's own threads, where callbacks of the caller's may run: it would
    /// wait for itself.
    pub fn check_thread(&self) -> Result<(), DeviceError> {
        if is_blocking() && (self.waiter.is_current() || self.submitter.is_current()) {
            return Err(DeviceError::Unsupported(Refusal::OwnThread));
        }
        Ok(())
    }

    /// Returns whether the device has finished everything, or is lost, without waiting for it.
    fn is_idle(&self) -> bool {
        // wgpu may panic if the device is lost.
        let poll = || self.device.poll(wgpu::PollType::Poll).map_or(true, |status| status.is_queue_empty());
        !self.submitter.is_busy() && catch_unwind(AssertUnwindSafe(poll)).unwrap_or(true)
    }

    /// Converts ticks of the device's clock to seconds.
    pub fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 * f64::from(self.queue.get_timestamp_period()) * 1e-9
    }
}
