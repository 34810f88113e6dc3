//! The GPU engine: a device, its pipelines, and the one path from host memory through it and back.

mod adapter;
mod cache;
mod copy;
mod errors;
#[cfg(feature = "testing")]
pub mod faults;
mod job;
mod passes;
mod pipeline;
mod poller;
mod shader;
mod transfer;

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use self::cache::Cache;
use self::errors::Errors;
use self::passes::{Counts, Programs};
use self::pipeline::Pipelines;
use self::poller::Poller;
use self::transfer::{Maker, Mapping, Parts, Pool, Slot};
use crate::inverses::{InversesMut, Report, Stages, Status};
use crate::plan::{self, AdapterFacts, Engine, GpuPlan, Kernel, Layout, Precision, Variant, Work};
use crate::scalar::{Real, Scalar};
use crate::{Error, Stack};

pub use self::adapter::{adapters, wanted_features, wanted_limits};
pub use self::job::{Job, JobDescriptor};

/// The WGSL of a variant, or `None` where no shader is written for it. `device` has several programs: those of its entry points
/// are compiled from this, and once more its `update` from a text with other constants, for the columns within a span. Programs
/// that give rcond are of the variant with [`Variant::rcond`].
///
/// For those who want to read or validate what runs; [`GpuInverter`] compiles it itself.
pub fn shader_source(variant: Variant) -> Option<String> {
    shader::source(shader::Program::Invert, variant)
}

/// The same with which `device` updates the columns within a span.
#[cfg(feature = "testing")]
pub fn span_source(variant: Variant) -> Option<String> {
    shader::source(shader::Program::Within, variant)
}

/// A device that inverts stacks. Cheap to clone: clones share the device, its pipelines and its buffers, and
/// may be used from many threads at once.
///
/// ```no_run
/// use batchinv::gpu::GpuInverter;
/// use batchinv::{Inverter, Stack};
/// let gpu = GpuInverter::open(Some("llvmpipe"))?;
/// let inverses = Inverter::with_gpu(gpu).invert(Stack::new(&[2.0_f32, 0.0, 0.0, 4.0], 2)?)?;
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GpuInverter(Arc<Shared>);

/// The devices of `GpuInverter::shared`, by name.
static OPENED: Mutex<Option<Opened>> = Mutex::new(None);

type Opened = HashMap<Option<String>, Result<GpuInverter, Error>>;

#[derive(Debug)]
struct Shared {
    facts: AdapterFacts,
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipelines: Pipelines,
    counts: Counts,
    pool: Pool,
    poller: Poller,
}

impl GpuInverter {
    /// Opens a device on the first adapter whose name contains `name`, whatever the case; for `None`, on the
    /// best: discrete, integrated, virtual, other, and software last.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, or it opens no device.
    pub fn open(name: Option<&str>) -> Result<Self, Error> {
        let (device, queue, facts) = adapter::open(name)?;
        let gpu = Self::new(device, queue, facts);
        gpu.set_time_limit(plan::patience(gpu.facts().kind));
        Ok(gpu)
    }

    /// An engine on a device of the caller's, which keeps its error handlers and everything else that was set on it.
    /// Handles are cloned, bind group layouts and a small buffer made, and a thread is started that polls the device when
    /// something is read back; the device's callbacks may run on it. What the device was not opened with, the engine does without;
    /// [`wanted_features`] and [`wanted_limits`] say what is worth asking an adapter for.
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
        let facts = adapter::facts(&device.adapter_info(), device.features(), &device.limits());
        Self::new(device.clone(), queue.clone(), facts)
    }

    fn new(device: wgpu::Device, queue: wgpu::Queue, facts: AdapterFacts) -> Self {
        // What fails here, every call will hear of; the handlers of a caller's device need not.
        let errors = Errors::watch(&device);
        let (pipelines, counts, poller) = (Pipelines::new(&device), Counts::new(&device), Poller::new(&device));
        drop(errors);
        Self(Arc::new(Shared { facts, device, queue, pipelines, counts, pool: Pool::default(), poller }))
    }

    /// One for the whole process and each name, opened by the first call that wants it. That there is none is
    /// remembered too, since looking takes longer than a small call.
    pub(crate) fn shared(name: Option<&str>) -> Result<Self, Error> {
        let mut opened = OPENED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        opened.get_or_insert_default().entry(name.map(str::to_owned)).or_insert_with(|| Self::open(name)).clone()
    }

    /// Has the next call that wants a shared device open a new one instead of this.
    pub(crate) fn forget(lost: &Self) {
        let mut opened = OPENED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(opened) = opened.as_mut() {
            opened.retain(|_, gpu| !gpu.as_ref().is_ok_and(|gpu| Arc::ptr_eq(&gpu.0, &lost.0)));
        }
    }

    /// Has the driver begin with the pipelines in a file, and keeps those that it compiles from now on, until
    /// [`save_pipelines`](Self::save_pipelines) replaces the file with them: the next process need not compile them again.
    /// A file that is not there, damaged, or of another adapter or driver counts as empty. `false` where the device
    /// lacks wgpu's `PIPELINE_CACHE`. Call it first, and only with files that nobody else may write to: the driver trusts
    /// what was compiled before.
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
    /// The file is there and cannot be read, one was named before, or the device fails.
    pub fn keep_pipelines(&self, file: &Path) -> std::io::Result<bool> {
        if !self.0.device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return Ok(false);
        }
        let cache = Cache::open(&self.0.device, file)?;
        let named = |_| std::io::Error::new(std::io::ErrorKind::AlreadyExists, "pipelines are kept in a file already");
        self.0.pipelines.cache.set(cache).map_err(named)?;
        Ok(true)
    }

    /// Replaces the file that [`keep_pipelines`](Self::keep_pipelines) named, whole, with what is compiled by now. Does
    /// nothing where none was named.
    ///
    /// # Errors
    /// The file cannot be written. Nothing half-written is left behind.
    pub fn save_pipelines(&self) -> std::io::Result<()> {
        self.0.pipelines.cache.get().map_or(Ok(()), Cache::save)
    }

    /// The facts of its adapter.
    pub fn facts(&self) -> &AdapterFacts {
        &self.0.facts
    }

    /// How long to wait for a piece of a call, from now on and for all clones: without end for `None`. A call that waits
    /// longer fails with [`Error::DeviceLost`]. Unless set, [`plan::patience`] for a device that was opened here, and
    /// without end for a caller's.
    ///
    /// A piece is a few milliseconds of work for hardware, and up to a minute for a software adapter at order 1024.
    pub fn set_time_limit(&self, limit: Option<Duration>) {
        self.0.poller.limit(limit);
    }

    /// Inverts a stack into outputs that fit it.
    pub(crate) async fn invert_into_async<T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        output: InversesMut<'_, T>,
        precision: Precision,
    ) -> Result<Report, Error> {
        let work = Work { scalar: T::KIND, precision, order: stack.order(), len: stack.len() };
        let plan = plan::gpu(work, &self.0.facts.limits)?;
        self.run(plan, stack, output).await
    }

    /// Inverts a stack with a variant, and in chunks of a length, that the plan would not choose; by `device` in three
    /// submissions to a chunk. For tests.
    ///
    /// # Errors
    /// As [`Inverter::invert`](crate::Inverter::invert).
    #[cfg(feature = "testing")]
    pub fn invert_with<T: Scalar>(
        &self,
        variant: Variant,
        chunk_len: usize,
        stack: Stack<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        output.check(stack)?;
        let submissions = if variant.kernel == Kernel::Device { 3 } else { 1 };
        let plan = GpuPlan { variant, chunk_len, chunks: stack.len().div_ceil(chunk_len.max(1)), submissions };
        pollster::block_on(self.run(plan, stack, output))
    }

    async fn run<T: Scalar>(
        &self,
        plan: GpuPlan,
        stack: Stack<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        // What the shaders, which check no index, rely on.
        let variant = plan.variant;
        let contiguous = Layout::contiguous(variant.order);
        if (variant.order as usize, variant.scalar) != (stack.order(), T::KIND)
            || (variant.input, variant.output, variant.in_place) != (contiguous, contiguous, false)
            || plan.chunk_len == 0
        {
            let reason = format!("a plan for order {} does not fit order {}", variant.order, stack.order());
            return Err(Error::Unsupported { engine: Engine::Gpu, reason });
        }
        let InversesMut { elements, statuses, rconds } = output;
        if stack.order() == 0 {
            statuses.fill(Status::INVERTED);
            rconds.into_iter().for_each(|rconds| rconds.fill(T::Real::from_f64(f64::INFINITY)));
            return Ok(self.report(plan, Stages::default(), None));
        }
        let mut seconds = Stages::default();
        let start = Instant::now();
        let programs = self.0.programs(variant, rconds.is_some()).map_err(|error| error.of_piece(0, stack.len()))?;
        seconds.prepare = start.elapsed().as_secs_f64();

        let rconds = rconds.unwrap_or_default();
        let mut call =
            Call { gpu: &self.0, plan, stack, programs, elements, statuses, rconds, done: 0, seconds, ticks: Some(0) };
        // A chunk comes back through one buffer.
        let matrix = (stack.order() * stack.order() * size_of::<T>()) as u64;
        let most = Parts::most(matrix, size_of::<T::Real>() as u64, self.0.device.limits().max_buffer_size);
        if most == 0 {
            let most = self.0.device.limits().max_buffer_size;
            let reason = format!("order {} takes {matrix} bytes and its status, a buffer {most}", stack.order());
            return Err(Error::Unsupported { engine: Engine::Gpu, reason });
        }
        // A chunk also goes through each program in one row.
        let most = most.min(call.programs.row(self.0.facts.limits.workgroups).into());
        call.plan.chunk_len = call.plan.chunk_len.min(usize::try_from(most).unwrap_or(usize::MAX));
        let mut chunks = 0;
        let mut next = 0;
        let mut in_flight = VecDeque::with_capacity(plan::CHUNKS_IN_FLIGHT);
        let mut most_in_flight = plan::CHUNKS_IN_FLIGHT;
        while next < stack.len() || !in_flight.is_empty() {
            if (next == stack.len() || in_flight.len() == most_in_flight)
                && let Some(chunk) = in_flight.pop_front()
            {
                call.finish(chunk).await?;
                continue;
            }
            let end = stack.len().min(next + call.plan.chunk_len);
            match call.submit(next..end) {
                Ok(chunk) => {
                    in_flight.push_back(chunk);
                    next = end;
                    chunks += 1;
                }
                // Fewer at once, then smaller ones: only where not even one matrix fits, there is no way on.
                Err(Error::OutOfMemory { .. }) if !in_flight.is_empty() => most_in_flight = in_flight.len(),
                Err(Error::OutOfMemory { .. }) if call.plan.chunk_len > 1 => {
                    self.0.pool.clear();
                    most_in_flight = 1;
                    call.plan.chunk_len = (end - next).div_ceil(2).max(1);
                }
                Err(error) => return Err(call.placed(error)),
            }
        }
        let plan = GpuPlan { chunks, ..plan };
        Ok(self.report(plan, call.seconds, call.ticks))
    }

    fn report(&self, plan: GpuPlan, seconds: Stages, ticks: Option<u64>) -> Report {
        Report {
            engine: Engine::Gpu,
            adapter: Some(self.0.facts.name.clone()),
            kernel: plan.variant.kernel,
            chunks: plan.chunks,
            reason: None,
            gpu_failure: None,
            seconds,
            device_seconds: ticks.filter(|_| self.0.facts.timestamps).map(|ticks| self.0.seconds(ticks)),
        }
    }
}

impl Shared {
    fn programs(&self, variant: Variant, rcond: bool) -> Result<Programs, Error> {
        Programs::new(&self.pipelines, &self.device, variant, rcond, &self.facts.limits)
    }

    /// Bytes of working memory and state for so many matrices at once.
    fn scratch(&self, variant: Variant, batch: u32) -> [u64; 2] {
        let (work, state) = variant.scratch_bytes();
        if variant.kernel == Kernel::Device { [work, state].map(|bytes| bytes * u64::from(batch)) } else { [0; 2] }
    }

    fn maker(&self) -> Maker<'_> {
        let mappable = self.facts.limits.mappable;
        Maker { device: &self.device, pipelines: &self.pipelines, counts: &self.counts, mappable }
    }

    /// Ticks of the device's clock in seconds.
    fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 * f64::from(self.queue.get_timestamp_period()) * 1e-9
    }
}

/// One call on its way through the device.
struct Call<'a, T: Scalar> {
    gpu: &'a Shared,
    plan: GpuPlan,
    stack: Stack<'a, T>,
    programs: Programs,
    elements: &'a mut [T],
    statuses: &'a mut [Status],
    /// None where they are not asked for.
    rconds: &'a mut [T::Real],
    /// Matrices finished, from the start.
    done: usize,
    seconds: Stages,
    /// Time in the compute passes, by the device's clock, where it has one.
    ticks: Option<u64>,
}

/// A chunk that the device is working on.
struct InFlight {
    range: Range<usize>,
    slot: Slot,
    mapping: Mapping,
}

impl<T: Scalar> Call<'_, T> {
    fn lost(&self, detail: String) -> Error {
        Error::DeviceLost { done: self.done, len: self.stack.len(), detail }
    }

    /// With what is done.
    fn placed(&self, error: Error) -> Error {
        match error {
            Error::OutOfMemory { detail, .. } => Error::OutOfMemory { done: self.done, len: self.stack.len(), detail },
            other => other,
        }
    }

    /// Uploads a chunk, submits the work on it, and asks for the results.
    fn submit(&mut self, range: Range<usize>) -> Result<InFlight, Error> {
        let start = Instant::now();
        let errors = Errors::watch(&self.gpu.device);
        let matrices = self.stack.slice(range.clone());
        let bytes: &[u8] = bytemuck::cast_slice(matrices.elements());
        let len = range.len();
        let chunk = self.plan.chunk_len.min(self.stack.len()) as u32;
        let scratch = self.gpu.scratch(self.plan.variant, self.programs.batch(chunk));
        let wanted = self.rconds.get(range.clone()).unwrap_or_default();
        let parts = Parts {
            matrices: bytes.len() as u64,
            statuses: 4 * len as u64,
            rconds: size_of_val(wanted) as u64,
            scratch,
        };
        let slot = self.gpu.pool.take(self.gpu.maker(), parts, |detail| self.lost(detail))?;
        slot.upload(&self.gpu.queue, bytes).map_err(|detail| self.lost(detail))?;
        self.seconds.upload += start.elapsed().as_secs_f64();

        let pieces = self.plan.submissions;
        let submit = |piece: usize| {
            let (first, last) = (piece == 0, piece + 1 == pieces);
            let label = Some("batchinv");
            let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
            {
                let timestamp_writes = slot.timestamp_writes(first, last);
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes });
                let (counts, workgroups) = (&self.gpu.counts, self.gpu.facts.limits.workgroups);
                let steps = self.programs.piece(piece, pieces);
                passes::dispatch(&mut pass, &self.programs, steps, &slot.bindings, counts, len as u32, workgroups);
            }
            if last {
                slot.encode_readback(&mut encoder, parts);
            }
            self.gpu.queue.submit([encoder.finish()])
        };
        let submission = (1..pieces).fold(submit(0), |_, piece| submit(piece));
        let mapping = slot.map(parts);
        errors.check(|detail| self.lost(detail))?;
        self.gpu.poller.watch(submission, mapping.sender());
        Ok(InFlight { range, slot, mapping })
    }

    /// Waits for a chunk and copies its results to the caller's memory.
    async fn finish(&mut self, chunk: InFlight) -> Result<(), Error> {
        let InFlight { range, slot, mapping } = chunk;
        let start = Instant::now();
        #[cfg(feature = "testing")]
        faults::wait(&self.gpu.device);
        mapping.wait().await.map_err(|detail| self.lost(detail))?;
        let mapped = Instant::now();
        self.seconds.dispatch += (mapped - start).as_secs_f64();

        let size = self.stack.order() * self.stack.order();
        let elements = &mut self.elements[range.start * size..range.end * size];
        let statuses = &mut self.statuses[range.clone()];
        let rconds = self.rconds.get_mut(range.clone()).unwrap_or_default();
        let bytes = bytemuck::cast_slice_mut;
        let read = slot.read(bytes(elements), bytemuck::cast_slice_mut(statuses), bytemuck::cast_slice_mut(rconds));
        self.ticks = match (self.ticks, read.map_err(|detail| self.lost(detail))?) {
            (Some(sum), Some(ticks)) => Some(sum + ticks),
            _ => None,
        };
        self.seconds.readback += mapped.elapsed().as_secs_f64();
        self.done = range.end;
        self.gpu.pool.put(slot);
        Ok(())
    }
}
