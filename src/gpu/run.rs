//! The path of a stack from host memory through a device and back, chunk by chunk.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::deadline::Deadline;
use super::device::{GpuInverter, Shared};
use super::encode::Steps;
use super::error::DeviceError;
use super::error_scopes::Errors;
#[cfg(feature = "testing")]
use super::faults;
use super::transfer::{ChunkBuffers, ChunkBytes, Maker};
use super::wait::Mapping;
use crate::data::clock::Instant;
use crate::data::determinant::Determinant;
use crate::data::engine::{Engine, Kernel};
use crate::data::error::Error;
use crate::data::layout::Layout;
use crate::data::operand::{Given, Operand};
use crate::data::output::InversesMut;
use crate::data::refusal::Refusal;
use crate::data::report::{Report, Stages};
use crate::data::scalar::Scalar;
use crate::data::status::Status;
use crate::plan::gpu::variant::Variant;
use crate::plan::gpu::{CHUNKS_IN_FLIGHT, GpuPlan};

impl GpuInverter {
    /// Runs a given variant in chunks of a given length, which the plan might not choose; `device` takes three
    /// submissions per chunk. For tests.
    #[cfg(feature = "testing")]
    pub(crate) async fn run_with_async<T: Scalar>(
        &self,
        variant: Variant,
        chunk_len: usize,
        given: Given<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        let submissions = if variant.scratch().is_some() { 3 } else { 1 };
        let plan = GpuPlan { variant, chunk_len, chunks: given.len.div_ceil(chunk_len.max(1)), submissions };
        self.run(plan, None, given, output).await
    }

    /// Runs the plan's operation into outputs that fit, exactly as planned: `output` holds the inverses, the solutions,
    /// or nothing but statuses and determinants. Without a time limit, the device's own holds.
    pub(crate) async fn run<T: Scalar>(
        &self,
        plan: GpuPlan,
        limit: Option<Duration>,
        given: Given<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        check_plan(&plan, &given)?;
        let len = given.len;
        if given.order == 0 {
            output.fill_empty();
            return Ok(self.report(plan, Stages::default(), None));
        }
        let limit = limit.or_else(|| self.0.time_limit.get());
        let call = Call::prepare(&self.0, plan, limit, given, output).await;
        let mut call = call.map_err(|error| error.at(0, len))?;
        let (mut chunks, mut next, mut max_in_flight) = (0, 0, CHUNKS_IN_FLIGHT);
        let mut in_flight = VecDeque::with_capacity(CHUNKS_IN_FLIGHT);
        while next < len || !in_flight.is_empty() {
            if (next == len || in_flight.len() == max_in_flight)
                && let Some(chunk) = in_flight.pop_front()
            {
                call.finish(chunk).await.map_err(|error| error.at(call.done, len))?;
                continue;
            }
            let end = len.min(next + call.plan.chunk_len);
            match call.submit(next..end).await {
                Ok(chunk) => {
                    in_flight.push_back(chunk);
                    next = end;
                    chunks += 1;
                }
                // First fewer chunks in flight, then smaller chunks; fail only if a single matrix does not fit.
                Err(DeviceError::OutOfMemory(_)) if !in_flight.is_empty() => max_in_flight = in_flight.len(),
                Err(DeviceError::OutOfMemory(_)) if call.plan.chunk_len > 1 => {
                    self.0.pool.clear();
                    max_in_flight = 1;
                    call.plan.chunk_len = (end - next).div_ceil(2).max(1);
                }
                Err(error) => return Err(error.at(call.done, len)),
            }
        }
        Ok(self.report(GpuPlan { chunks, ..plan }, call.seconds, call.ticks))
    }

    fn report(&self, plan: GpuPlan, seconds: Stages, ticks: Option<u64>) -> Report {
        Report {
            engine: Engine::Gpu,
            adapter: Some(self.0.facts.name.clone()),
            kernel: Kernel::Gpu(plan.variant.kernel()),
            arithmetic: plan.variant.arithmetic,
            chunks: plan.chunks,
            reason: None,
            gpu_failure: None,
            seconds,
            device_seconds: ticks.filter(|_| self.0.facts.timestamps).map(|ticks| self.0.seconds(ticks)),
        }
    }
}

/// Checks that the plan fits the systems: the shaders check no index.
fn check_plan<T: Scalar>(plan: &GpuPlan, given: &Given<'_, T>) -> Result<(), Error> {
    let Variant { order, width, scalar, input, output, rhs, in_place, rhs_in_place, .. } = plan.variant;
    let (contiguous, columns) = (Layout::contiguous(order), Layout::columns(order, width));
    let result = if plan.variant.op.gives_a_matrix() { contiguous } else { columns };
    if (order as usize, width as usize, scalar) != (given.order, given.width, T::KIND)
        || (input, rhs, output) != (contiguous, columns, result)
        || in_place
        || rhs_in_place
        || plan.chunk_len == 0
    {
        return Err(Error::refused(Refusal::Plan { planned: order, order: given.order }));
    }
    Ok(())
}

/// The state of one call.
struct Call<'a, T: Scalar> {
    gpu: &'a Shared,
    plan: GpuPlan,
    /// The longest wait for a chunk.
    limit: Option<Duration>,
    given: Given<'a, T>,
    steps: Arc<Steps>,
    elements: &'a mut [T],
    /// Elements of one result.
    size: usize,
    statuses: &'a mut [Status],
    /// Empty if they are not computed.
    rconds: &'a mut [T::Real],
    /// Empty if they are not computed.
    determinants: &'a mut [Determinant<T>],
    /// The number of matrices finished, from the start.
    done: usize,
    /// When the last chunk was finished.
    finished: Option<Instant>,
    seconds: Stages,
    /// Time in the compute passes by the device's clock, if it has one.
    ticks: Option<u64>,
}

/// A chunk that the device is working on.
struct InFlight {
    range: Range<usize>,
    submitted: Instant,
    buffers: ChunkBuffers,
    mapping: Mapping,
}

impl<'a, T: Scalar> Call<'a, T> {
    /// Builds the pipelines, and fits the chunks to the device's buffers.
    async fn prepare(
        gpu: &'a Shared,
        mut plan: GpuPlan,
        limit: Option<Duration>,
        given: Given<'a, T>,
        output: InversesMut<'a, T>,
    ) -> Result<Self, DeviceError> {
        gpu.check_thread()?;
        let InversesMut { elements, statuses, rconds, determinants } = output;
        let start = Instant::now();
        let mut variant = Variant { rcond: rconds.is_some(), det: determinants.is_some(), ..plan.variant };
        // One for all systems.
        if given.a.is_repeated() {
            variant.input.matrix = 0;
        }
        if given.b.is_repeated() {
            variant.rhs.matrix = 0;
        }
        let steps = Steps::new(&gpu.pipelines, &gpu.device, variant, &gpu.facts.limits).await?;
        let seconds = Stages { prepare: start.elapsed().as_secs_f64(), ..Stages::default() };
        // All results of a chunk are read through one buffer.
        let size = elements.len() / given.len.max(1);
        let bytes = (size * size_of::<T>()) as u64;
        let max = gpu.device.limits().max_buffer_size;
        let beside = size_of::<T::Real>() + determinants.as_ref().map_or(0, |_| size_of::<Determinant<T>>());
        let fit = ChunkBytes::most(bytes, beside as u64, max);
        if fit == 0 {
            return Err(DeviceError::Unsupported(Refusal::Buffer { order: given.order, bytes, max }));
        }
        // Each program takes a chunk in one row of workgroups.
        let fit = fit.min(steps.schedule.row().into());
        plan.chunk_len = plan.chunk_len.min(usize::try_from(fit).unwrap_or(usize::MAX));
        Ok(Self {
            gpu,
            plan,
            limit,
            given,
            steps: Arc::new(steps),
            elements,
            size,
            statuses,
            rconds: rconds.unwrap_or_default(),
            determinants: determinants.unwrap_or_default(),
            done: 0,
            finished: None,
            seconds,
            ticks: Some(0),
        })
    }

    /// Uploads a chunk, submits the work on it, and requests the results.
    async fn submit(&mut self, range: Range<usize>) -> Result<InFlight, DeviceError> {
        let start = Instant::now();
        let gpu = self.gpu;
        let part =
            |operand: Operand<'a, T>| -> &'a [u8] { bytemuck::cast_slice(operand.slice(range.clone()).elements()) };
        let [matrices, rhs] = [self.given.a, self.given.b].map(part);
        let len = range.len();
        let batch = self.steps.schedule.batch(self.plan.chunk_len.min(self.given.len) as u32);
        let scratch = self.plan.variant.scratch().unwrap_or_default();
        let wanted = self.rconds.get(range.clone()).unwrap_or_default();
        let bytes = ChunkBytes {
            matrices: matrices.len() as u64,
            rhs: rhs.len() as u64,
            results: (len * self.size * size_of::<T>()) as u64,
            statuses: 4 * len as u64,
            rconds: size_of_val(wanted) as u64,
            dets: size_of_val(self.determinants.get(range.clone()).unwrap_or_default()) as u64,
            scratch: scratch.map(|bytes| bytes * u64::from(batch)),
        };
        let buffers = match gpu.pool.take(bytes) {
            Some(kept) => kept,
            None => {
                let mappable = gpu.facts.limits.mappable;
                let (device, pipelines, counts) = (&gpu.device, &gpu.pipelines, &gpu.counts);
                ChunkBuffers::new(Maker { device, pipelines, counts, mappable }, bytes).await?
            }
        };
        let staged = buffers.stage(&gpu.device, &gpu.queue, [matrices, rhs]).await?;
        let submitted = Instant::now();
        self.seconds.upload += (submitted - start).as_secs_f64();

        let pieces = self.plan.submissions;
        let (device, queue) = (gpu.device.clone(), gpu.queue.clone());
        let (steps, counts) = (Arc::clone(&self.steps), Arc::clone(&gpu.counts));
        let work = move || {
            let errors = Errors::watch(&device);
            buffers.upload(staged);
            let submit = |piece: usize| {
                let (first, last) = (piece == 0, piece + 1 == pieces);
                let label = Some("batchinv");
                let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
                {
                    let timestamp_writes = buffers.timestamp_writes(first, last);
                    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes });
                    let range = steps.schedule.piece(piece, pieces);
                    steps.dispatch(&mut pass, range, &buffers.bindings, &counts, len as u32);
                }
                if last {
                    buffers.encode_readback(&mut encoder, bytes);
                }
                queue.submit([encoder.finish()])
            };
            let submission = (1..pieces).fold(submit(0), |_, piece| submit(piece));
            let mapping = buffers.map(bytes);
            ((submission, mapping, buffers), errors.check())
        };
        let deadline = Deadline::new(submitted, self.limit);
        let (submission, mapping, buffers) = deadline.keep(gpu.submitter.run(work)).await?;
        gpu.waiter.watch(submission, &mapping);
        self.seconds.dispatch += submitted.elapsed().as_secs_f64();
        Ok(InFlight { range, submitted, buffers, mapping })
    }

    /// Waits for a chunk and copies its results to the caller's memory.
    async fn finish(&mut self, chunk: InFlight) -> Result<(), DeviceError> {
        let InFlight { range, submitted, buffers, mapping } = chunk;
        let start = Instant::now();
        #[cfg(feature = "testing")]
        faults::wait(&self.gpu.device);
        // Until then, the device worked on the chunk before.
        let begun = self.finished.map_or(submitted, |finished| finished.max(submitted));
        Deadline::new(begun, self.limit).keep(mapping.wait()).await?;
        let mapped = Instant::now();
        self.finished = Some(mapped);
        self.seconds.dispatch += (mapped - start).as_secs_f64();

        let elements = &mut self.elements[range.start * self.size..range.end * self.size];
        let statuses = &mut self.statuses[range.clone()];
        let rconds = self.rconds.get_mut(range.clone()).unwrap_or_default();
        let determinants = self.determinants.get_mut(range.clone()).unwrap_or_default();
        let ticks = buffers.read([
            bytemuck::cast_slice_mut(elements),
            bytemuck::cast_slice_mut(statuses),
            bytemuck::cast_slice_mut(rconds),
            bytemuck::cast_slice_mut(determinants),
        ])?;
        self.ticks = self.ticks.zip(ticks).map(|(sum, ticks)| sum + ticks);
        self.seconds.readback += mapped.elapsed().as_secs_f64();
        self.done = range.end;
        #[cfg(feature = "testing")]
        faults::give_back(&self.gpu.device);
        buffers.give_back(&self.gpu.device);
        self.gpu.pool.put(buffers);
        Ok(())
    }
}
