//! Transfers between host and device, in sets of buffers for one chunk each, kept from call to call.
//!
//! If the device uses the host's own memory, the storage buffers themselves are mapped: the host writes matrices and
//! right-hand sides where the shaders read them, and reads results where the shaders wrote them, without two copies
//! through staging buffers.

use std::sync::Mutex;

use super::counts::Counts;
use super::encode::{Bindings, StackBuffers};
use super::error::DeviceError;
use super::error_scopes::Errors;
use super::pipeline::Pipelines;
use super::wait::Mapping;
use crate::plan::gpu::CHUNKS_IN_FLIGHT;

/// Buffers for one chunk, with their bindings.
#[derive(Debug)]
pub struct ChunkBuffers {
    capacity: ChunkBytes,
    /// If mappable, it is mapped whenever the host holds these buffers. So are the right-hand sides.
    input: wgpu::Buffer,
    rhs: Option<wgpu::Buffer>,
    output: Option<wgpu::Buffer>,
    /// True if input, right-hand sides and output can be mapped.
    mappable: bool,
    statuses: wgpu::Buffer,
    rconds: Option<wgpu::Buffer>,
    dets: Option<wgpu::Buffer>,
    /// Results unless they are mappable, statuses, rconds, determinants and timestamps, for the host to read.
    staging: wgpu::Buffer,
    stopwatch: Option<Stopwatch>,
    pub bindings: Bindings,
}

/// Reads the device's own clock at the beginning and the end of the compute passes.
#[derive(Debug)]
struct Stopwatch {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

/// The matrices and right-hand sides of a chunk where the device finds them: in mapped buffers, or in views that
/// enqueue them for the next submission when they are dropped.
#[derive(Debug)]
pub struct Staged(Vec<wgpu::QueueWriteBufferView>);

/// Bytes of two timestamps.
const TIMESTAMPS: u64 = 16;

/// Bytes of each part of a chunk, or the capacity of its buffers. In the staging buffer the parts follow one
/// another, each at a multiple of 8, with the timestamps at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkBytes {
    /// The matrices.
    pub matrices: u64,
    /// Right-hand sides; 0 if there are none.
    pub rhs: u64,
    /// Inverses or solutions; 0 if there are only determinants.
    pub results: u64,
    /// Status words.
    pub statuses: u64,
    /// Reciprocal condition numbers; 0 if they are not asked for.
    pub rconds: u64,
    /// Determinants; 0 if they are not asked for.
    pub dets: u64,
    /// Working memory and state of `device`, which stay on the device; 0 for other kernels.
    pub scratch: [u64; 2],
}

impl ChunkBytes {
    fn statuses_at(self) -> u64 {
        self.results.next_multiple_of(8)
    }

    fn rconds_at(self) -> u64 {
        (self.statuses_at() + self.statuses).next_multiple_of(8)
    }

    fn dets_at(self) -> u64 {
        (self.rconds_at() + self.rconds).next_multiple_of(8)
    }

    fn timestamps_at(self) -> u64 {
        (self.dets_at() + self.dets).next_multiple_of(8)
    }

    fn end(self) -> u64 {
        self.timestamps_at() + TIMESTAMPS
    }

    /// The parts that go through a staging buffer.
    fn staged(self, mappable: bool) -> Self {
        if mappable { Self { results: 0, ..self } } else { self }
    }

    fn holds(self, needed: Self) -> bool {
        // Bindings fix which parts there are; rconds alone may be left out.
        let same = |own: u64, needed: u64| (own > 0) == (needed > 0) && own >= needed;
        self.matrices >= needed.matrices
            && self.statuses >= needed.statuses
            && self.rconds >= needed.rconds
            && same(self.rhs, needed.rhs)
            && same(self.results, needed.results)
            && same(self.dets, needed.dets)
            && self.scratch.iter().zip(needed.scratch).all(|(&own, needed)| same(own, needed))
    }

    /// Rounded up, so that calls of similar size share buffers.
    fn rounded(self) -> Self {
        let round = |bytes: u64| if bytes == 0 { 0 } else { bytes.max(256).next_power_of_two() };
        Self {
            matrices: round(self.matrices),
            rhs: round(self.rhs),
            results: round(self.results),
            statuses: round(self.statuses),
            rconds: round(self.rconds),
            dets: round(self.dets),
            // Large, and of the same size in most calls.
            scratch: self.scratch,
        }
    }

    /// The number of results of `result` bytes that fit in a staging buffer of `buffer` bytes, each with its status and
    /// `beside` bytes of rcond and determinant.
    pub fn most(result: u64, beside: u64, buffer: u64) -> u64 {
        buffer.saturating_sub(TIMESTAMPS + 4 * 8) / (result + 4 + beside)
    }

    fn largest(self) -> u64 {
        let Self { matrices, rhs, results, statuses, rconds, dets, .. } = self;
        [rhs, results, statuses, rconds, dets].into_iter().fold(matrices, u64::max)
    }
}

/// All of a buffer, if there is one.
fn whole(buffer: Option<&wgpu::Buffer>) -> Option<wgpu::BufferBinding<'_>> {
    buffer.map(wgpu::Buffer::as_entire_buffer_binding)
}

/// The parts of a device that chunk buffers are made with.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    pub device: &'a wgpu::Device,
    pub pipelines: &'a Pipelines,
    pub counts: &'a Counts,
    /// [`GpuLimits::mappable`](crate::plan::GpuLimits::mappable)
    pub mappable: bool,
}

/// Chunk buffers that no call is using.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Vec<ChunkBuffers>>);

impl Pool {
    /// Buffers that were kept from an earlier call and hold `needed`.
    pub fn take(&self, needed: ChunkBytes) -> Option<ChunkBuffers> {
        let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let fits = kept.iter().position(|buffers| buffers.capacity.holds(needed));
        if fits.is_none() {
            // Buffers that are too small for this call would only pile up.
            kept.clear();
        }
        fits.map(|index| kept.swap_remove(index))
    }

    /// Gives the memory of all kept buffers back to the device.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
    }

    /// Keeps buffers for the next call.
    pub fn put(&self, buffers: ChunkBuffers) {
        let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if kept.len() < CHUNKS_IN_FLIGHT {
            kept.push(buffers);
        }
    }
}

impl ChunkBuffers {
    /// Allocates buffers that hold `needed`.
    pub async fn new(maker: Maker<'_>, needed: ChunkBytes) -> Result<Self, DeviceError> {
        let errors = Errors::watch(maker.device);
        let buffers = Self::allocate(maker, needed);
        // Sizes are planned within the device's limits, so only missing memory or a lost device can fail here.
        errors.check().await?;
        Ok(buffers)
    }

    fn allocate(maker: Maker<'_>, needed: ChunkBytes) -> Self {
        use wgpu::BufferUsages as Usage;
        let Maker { device, pipelines, counts, mappable } = maker;
        let rounded = needed.rounded();
        // A power of two above the largest binding would be refused.
        let wgpu::Limits { max_storage_buffer_binding_size: binding, max_buffer_size: buffer, .. } = device.limits();
        let granted = rounded.largest() <= binding.min(buffer) && rounded.end() <= buffer;
        let capacity = if granted { rounded } else { needed };

        let buffer = |label, size, usage: Usage| {
            let mapped_at_creation = usage.contains(Usage::MAP_WRITE);
            device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation })
        };
        let (written, read) =
            if mappable { (Usage::MAP_WRITE, Usage::MAP_READ) } else { (Usage::COPY_DST, Usage::COPY_SRC) };
        let some = |label, size, usage| (size > 0).then(|| buffer(label, size, Usage::STORAGE | usage));
        let input = buffer("batchinv input", capacity.matrices, Usage::STORAGE | written);
        let rhs = some("batchinv right-hand sides", capacity.rhs, written);
        let output = some("batchinv output", capacity.results, read);
        let statuses = buffer("batchinv statuses", capacity.statuses, Usage::STORAGE | Usage::COPY_SRC);
        let rconds = some("batchinv rconds", capacity.rconds, Usage::COPY_SRC);
        let dets = some("batchinv determinants", capacity.dets, Usage::COPY_SRC);
        let staged = capacity.staged(mappable);
        let staging = buffer("batchinv staging", staged.end(), Usage::MAP_READ | Usage::COPY_DST);
        let stopwatch = device.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| Stopwatch {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("batchinv pass"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer("batchinv timestamps", TIMESTAMPS, Usage::QUERY_RESOLVE | Usage::COPY_SRC),
        });
        let scratch = (capacity.scratch[0] > 0)
            .then(|| capacity.scratch.map(|size| buffer("batchinv working memory", size, Usage::STORAGE)));
        let buffers = StackBuffers {
            scratch: scratch.as_ref().map(|scratch| scratch.each_ref().map(wgpu::Buffer::as_entire_buffer_binding)),
            input: Some(input.as_entire_buffer_binding()),
            output: whole(output.as_ref()),
            statuses: statuses.as_entire_buffer_binding(),
            rconds: whole(rconds.as_ref()),
            rhs: whole(rhs.as_ref()),
            dets: whole(dets.as_ref()),
        };
        let bindings = Bindings::new(pipelines, device, counts.binding(), buffers);
        Self { capacity, input, rhs, output, mappable, statuses, rconds, dets, staging, stopwatch, bindings }
    }

    /// Copies the matrices and right-hand sides of a chunk to where the device finds them, without waiting for another
    /// submission.
    pub async fn stage(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        [matrices, rhs]: [&[u8]; 2],
    ) -> Result<Staged, DeviceError> {
        let errors = Errors::watch(device);
        let mut staged = Staged(Vec::new());
        let copied = self.copy(queue, &self.input, matrices, &mut staged).and_then(|()| match &self.rhs {
            Some(buffer) => self.copy(queue, buffer, rhs, &mut staged),
            None => Ok(()),
        });
        errors.check().await?;
        copied.map(|()| staged)
    }

    fn copy(
        &self,
        queue: &wgpu::Queue,
        buffer: &wgpu::Buffer,
        elements: &[u8],
        Staged(views): &mut Staged,
    ) -> Result<(), DeviceError> {
        let bytes = elements.len() as u64;
        if self.mappable {
            let mut view =
                buffer.get_mapped_range_mut(0..bytes).map_err(|error| DeviceError::Lost(error.to_string()))?;
            view.copy_from_slice(elements);
            return Ok(());
        }
        let view = wgpu::BufferSize::new(bytes).and_then(|bytes| queue.write_buffer_with(buffer, 0, bytes));
        let mut view = view.ok_or_else(|| DeviceError::Lost("it takes no input any more".to_owned()))?;
        view.copy_from_slice(elements);
        views.push(view);
        Ok(())
    }

    /// The buffers that the host writes.
    fn written(&self) -> impl Iterator<Item = &wgpu::Buffer> {
        std::iter::once(&self.input).chain(&self.rhs)
    }

    /// Hands what was staged over to the device, for the next submission.
    pub fn upload(&self, Staged(views): Staged) {
        if self.mappable {
            self.written().for_each(wgpu::Buffer::unmap);
        }
        drop(views);
    }

    /// Timestamps at the beginning of the first compute pass and at the end of the last, if the device has a clock.
    pub fn timestamp_writes(&self, first: bool, last: bool) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let stopwatch = self.stopwatch.as_ref().filter(|_| first || last)?;
        Some(wgpu::ComputePassTimestampWrites {
            query_set: &stopwatch.queries,
            beginning_of_pass_write_index: first.then_some(0),
            end_of_pass_write_index: last.then_some(1),
        })
    }

    /// Encodes copies of the results of a chunk to the staging buffer.
    pub fn encode_readback(&self, encoder: &mut wgpu::CommandEncoder, bytes: ChunkBytes) {
        let parts = bytes.staged(self.mappable);
        for (buffer, at, bytes) in [
            (self.output.as_ref(), 0, parts.results),
            (Some(&self.statuses), parts.statuses_at(), parts.statuses),
            (self.rconds.as_ref(), parts.rconds_at(), parts.rconds),
            (self.dets.as_ref(), parts.dets_at(), parts.dets),
        ] {
            if let (Some(buffer), 1..) = (buffer, bytes) {
                encoder.copy_buffer_to_buffer(buffer, 0, &self.staging, at, bytes);
            }
        }
        if let Some(stopwatch) = &self.stopwatch {
            encoder.resolve_query_set(&stopwatch.queries, 0..2, &stopwatch.resolved, 0);
            encoder.copy_buffer_to_buffer(&stopwatch.resolved, 0, &self.staging, parts.timestamps_at(), TIMESTAMPS);
        }
    }

    /// Requests the buffers that the host reads, and those that it writes next, once all submitted work is done.
    pub fn map(&self, bytes: ChunkBytes) -> Mapping {
        let staged = bytes.staged(self.mappable).end();
        let staging = (&self.staging, wgpu::MapMode::Read, 0..staged);
        if !self.mappable {
            return Mapping::new([staging]);
        }
        let written = self.written().map(|buffer| (buffer, wgpu::MapMode::Write, 0..buffer.size()));
        let read = self.output.iter().map(|buffer| (buffer, wgpu::MapMode::Read, 0..bytes.results));
        Mapping::new(std::iter::once(staging).chain(written).chain(read))
    }

    /// Copies the mapped results to the caller's memory: results, statuses, rconds and determinants. The result is the
    /// time of the passes in ticks of the device's clock, if it has one.
    pub fn read(&self, to: [&mut [u8]; 4]) -> Result<Option<u64>, DeviceError> {
        let [results, statuses, rconds, dets] = to.each_ref().map(|bytes| bytes.len() as u64);
        let parts = ChunkBytes { matrices: 0, rhs: 0, results, statuses, rconds, dets, scratch: [0; 2] };
        let parts = parts.staged(self.mappable);
        let view =
            self.staging.get_mapped_range(0..parts.end()).map_err(|error| DeviceError::Lost(error.to_string()))?;
        let [values, statuses, rconds, dets] = to;
        if let (true, Some(output)) = (self.mappable, &self.output) {
            let mapped = output.get_mapped_range(0..results).map_err(|error| DeviceError::Lost(error.to_string()))?;
            values.copy_from_slice(&mapped);
        } else {
            values.copy_from_slice(&view[..values.len()]);
        }
        for (to, at) in [(statuses, parts.statuses_at()), (rconds, parts.rconds_at()), (dets, parts.dets_at())] {
            to.copy_from_slice(&view[at as usize..][..to.len()]);
        }
        let ticks = self.stopwatch.as_ref().map(|_| {
            let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(&view[parts.timestamps_at() as usize..]);
            stamps[1].saturating_sub(stamps[0])
        });
        Ok(ticks)
    }

    /// Unmaps the buffers that the host only reads, so that the device may use them again. On a device that was lost
    /// meanwhile that is an error, which is dropped: the next use reports the loss, not the handler of the owner.
    pub fn give_back(&self, device: &wgpu::Device) {
        let _errors = Errors::watch(device);
        self.output.iter().filter(|_| self.mappable).for_each(wgpu::Buffer::unmap);
        self.staging.unmap();
    }
}
