//! Transfers between host and device, in sets of buffers for one chunk each, kept from call to call.
//!
//! If the device uses the host's own memory, the storage buffers themselves are mapped: the host writes matrices
//! where the shaders read them, and reads inverses where the shaders wrote them, without two copies through
//! staging buffers.

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
    /// If mappable, it is mapped whenever the host holds these buffers.
    input: wgpu::Buffer,
    output: wgpu::Buffer,
    /// True if input and output can be mapped.
    mappable: bool,
    statuses: wgpu::Buffer,
    rconds: Option<wgpu::Buffer>,
    /// Inverses unless they are mappable, statuses, rconds and timestamps, for the host to read.
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

/// The matrices of a chunk where the device finds them: in the mapped input, or in a view that enqueues them for the
/// next submission when it is dropped.
#[derive(Debug)]
pub struct Staged(Option<wgpu::QueueWriteBufferView>);

/// Bytes of two timestamps.
const TIMESTAMPS: u64 = 16;

/// Bytes of each part of a chunk, or the capacity of its buffers. In the staging buffer the parts follow one
/// another, each at a multiple of 8, with the timestamps at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkBytes {
    /// The matrices. The inverses take the same number of bytes.
    pub matrices: u64,
    /// Status words.
    pub statuses: u64,
    /// Reciprocal condition numbers; 0 if they are not asked for.
    pub rconds: u64,
    /// Working memory and state of `device`, which stay on the device; 0 for other kernels.
    pub scratch: [u64; 2],
}

impl ChunkBytes {
    fn statuses_at(self) -> u64 {
        self.matrices.next_multiple_of(8)
    }

    fn rconds_at(self) -> u64 {
        (self.statuses_at() + self.statuses).next_multiple_of(8)
    }

    fn timestamps_at(self) -> u64 {
        (self.rconds_at() + self.rconds).next_multiple_of(8)
    }

    fn end(self) -> u64 {
        self.timestamps_at() + TIMESTAMPS
    }

    /// The parts that go through a staging buffer.
    fn staged(self, mappable: bool) -> Self {
        if mappable { Self { matrices: 0, ..self } } else { self }
    }

    fn holds(self, needed: Self) -> bool {
        self.matrices >= needed.matrices
            && self.statuses >= needed.statuses
            && self.rconds >= needed.rconds
            && (self.scratch[0] > 0) == (needed.scratch[0] > 0)
            && self.scratch.iter().zip(needed.scratch).all(|(&own, needed)| own >= needed)
    }

    /// Rounded up, so that calls of similar size share buffers.
    fn rounded(self) -> Self {
        let round = |bytes: u64| if bytes == 0 { 0 } else { bytes.max(256).next_power_of_two() };
        Self {
            matrices: round(self.matrices),
            statuses: round(self.statuses),
            rconds: round(self.rconds),
            // Large, and of the same size in most calls.
            scratch: self.scratch,
        }
    }

    /// The number of matrices of `matrix` bytes that fit in a staging buffer of `buffer` bytes, each with its
    /// status and an rcond of `real` bytes.
    pub fn most(matrix: u64, real: u64, buffer: u64) -> u64 {
        buffer.saturating_sub(TIMESTAMPS + 3 * 8) / (matrix + 4 + real)
    }

    fn largest(self) -> u64 {
        self.matrices.max(self.statuses).max(self.rconds)
    }
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
        let input = buffer("batchinv input", capacity.matrices, Usage::STORAGE | written);
        let output = buffer("batchinv output", capacity.matrices, Usage::STORAGE | read);
        let statuses = buffer("batchinv statuses", capacity.statuses, Usage::STORAGE | Usage::COPY_SRC);
        let rconds =
            (capacity.rconds > 0).then(|| buffer("batchinv rconds", capacity.rconds, Usage::STORAGE | Usage::COPY_SRC));
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
            output: output.as_entire_buffer_binding(),
            statuses: statuses.as_entire_buffer_binding(),
            rconds: rconds.as_ref().map(wgpu::Buffer::as_entire_buffer_binding),
        };
        let bindings = Bindings::new(pipelines, device, counts.binding(), buffers);
        Self { capacity, input, output, mappable, statuses, rconds, staging, stopwatch, bindings }
    }

    /// Copies the matrices of a chunk to where the device finds them, without waiting for another submission.
    pub async fn stage(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        matrices: &[u8],
    ) -> Result<Staged, DeviceError> {
        let errors = Errors::watch(device);
        let staged = self.copy(queue, matrices);
        errors.check().await?;
        staged
    }

    fn copy(&self, queue: &wgpu::Queue, matrices: &[u8]) -> Result<Staged, DeviceError> {
        let bytes = matrices.len() as u64;
        if self.mappable {
            let mut view =
                self.input.get_mapped_range_mut(0..bytes).map_err(|error| DeviceError::Lost(error.to_string()))?;
            view.copy_from_slice(matrices);
            return Ok(Staged(None));
        }
        let view = wgpu::BufferSize::new(bytes).and_then(|bytes| queue.write_buffer_with(&self.input, 0, bytes));
        let mut view = view.ok_or_else(|| DeviceError::Lost("it takes no input any more".to_owned()))?;
        view.copy_from_slice(matrices);
        Ok(Staged(Some(view)))
    }

    /// Hands a chunk's matrices over to the device, for the next submission.
    pub fn upload(&self, Staged(view): Staged) {
        if self.mappable {
            self.input.unmap();
        }
        drop(view);
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
        if !self.mappable {
            encoder.copy_buffer_to_buffer(&self.output, 0, &self.staging, 0, parts.matrices);
        }
        encoder.copy_buffer_to_buffer(&self.statuses, 0, &self.staging, parts.statuses_at(), parts.statuses);
        if let (Some(rconds), 1..) = (&self.rconds, parts.rconds) {
            encoder.copy_buffer_to_buffer(rconds, 0, &self.staging, parts.rconds_at(), parts.rconds);
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
        let input = (&self.input, wgpu::MapMode::Write, 0..self.capacity.matrices);
        Mapping::new([staging, input, (&self.output, wgpu::MapMode::Read, 0..bytes.matrices)])
    }

    /// Copies the mapped results to the caller's memory, and returns all buffers except the input to the device.
    /// The result is the time of the passes in ticks of the device's clock, if it has one.
    pub fn read(
        &self,
        matrices: &mut [u8],
        statuses: &mut [u8],
        rconds: &mut [u8],
    ) -> Result<Option<u64>, DeviceError> {
        let [a, b, c] = [matrices.len(), statuses.len(), rconds.len()].map(|bytes| bytes as u64);
        let parts = ChunkBytes { matrices: a, statuses: b, rconds: c, scratch: [0; 2] }.staged(self.mappable);
        let view =
            self.staging.get_mapped_range(0..parts.end()).map_err(|error| DeviceError::Lost(error.to_string()))?;
        if self.mappable {
            let inverses = self.output.get_mapped_range(0..a).map_err(|error| DeviceError::Lost(error.to_string()))?;
            matrices.copy_from_slice(&inverses);
            drop(inverses);
            self.output.unmap();
        } else {
            matrices.copy_from_slice(&view[..matrices.len()]);
        }
        for (target, at) in [(statuses, parts.statuses_at()), (rconds, parts.rconds_at())] {
            target.copy_from_slice(&view[at as usize..][..target.len()]);
        }
        let ticks = self.stopwatch.as_ref().map(|_| {
            let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(&view[parts.timestamps_at() as usize..]);
            stamps[1].saturating_sub(stamps[0])
        });
        drop(view);
        self.staging.unmap();
        Ok(ticks)
    }
}
