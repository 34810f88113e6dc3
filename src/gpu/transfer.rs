//! Between host and device: slots of buffers for one chunk each, kept from call to call.
//!
//! Where the device's memory is the host's own, the shaders' buffers themselves are mapped: a chunk's matrices are written where
//! they are read, and read where they were written, without the two copies by way of staging buffers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_intrusive::channel::shared::{OneshotReceiver, OneshotSender, oneshot_channel};

use super::Shared;
use super::errors::Errors;
use super::passes::{Bindings, Buffers, Counts};
use super::pipeline::Pipelines;
use crate::Error;

/// Buffers for one chunk, and how the programs see them.
#[derive(Debug)]
pub struct Slot {
    capacity: Parts,
    /// Mapped, while the slot is with the host, where it is mappable.
    input: wgpu::Buffer,
    output: wgpu::Buffer,
    /// Whether input and output are.
    mappable: bool,
    statuses: wgpu::Buffer,
    rconds: Option<wgpu::Buffer>,
    /// Inverses unless they are mappable, statuses, rconds and timestamps, where the host can read them.
    staging: wgpu::Buffer,
    stopwatch: Option<Stopwatch>,
    pub bindings: Bindings,
}

/// The device's own clock, at the beginning and the end of a compute pass.
#[derive(Debug)]
struct Stopwatch {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

/// Bytes of two timestamps.
const TIMESTAMPS: u64 = 16;

/// Bytes of each part of a chunk, or room for them in a slot. In the staging buffer they lie one behind the other, each
/// at a multiple of 8, with the timestamps at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Matrices, on each side.
    pub matrices: u64,
    /// Status words.
    pub statuses: u64,
    /// Reciprocal condition numbers; 0 where they are not asked for.
    pub rconds: u64,
    /// Working memory and state of `device`, which stay on the device; 0 for other kernels.
    pub scratch: [u64; 2],
}

impl Parts {
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

    /// What of it goes by way of a staging buffer.
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

    /// Rounded up, so that calls of similar size share slots.
    fn rounded(self) -> Self {
        let round = |bytes: u64| if bytes == 0 { 0 } else { bytes.max(256).next_power_of_two() };
        Self {
            matrices: round(self.matrices),
            statuses: round(self.statuses),
            rconds: round(self.rconds),
            // Large, and of one size in most calls.
            scratch: self.scratch,
        }
    }

    /// Matrices of so many bytes that fit a buffer of so many, with their statuses, their rconds of `real` bytes and what
    /// else a staging buffer holds.
    pub fn most(matrix: u64, real: u64, buffer: u64) -> u64 {
        buffer.saturating_sub(TIMESTAMPS + 3 * 8) / (matrix + 4 + real)
    }

    fn largest(self) -> u64 {
        self.matrices.max(self.statuses).max(self.rconds)
    }
}

/// What a slot is made with.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    pub device: &'a wgpu::Device,
    pub pipelines: &'a Pipelines,
    pub counts: &'a Counts,
    /// [`GpuLimits::mappable`](crate::plan::GpuLimits::mappable)
    pub mappable: bool,
}

/// Slots that no call is using.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Vec<Slot>>);

impl Pool {
    /// A slot with room for `needed`: one kept from an earlier call, or a new one.
    /// `lost` makes an error of a lost device's words.
    pub fn take(&self, maker: Maker<'_>, needed: Parts, lost: impl FnOnce(String) -> Error) -> Result<Slot, Error> {
        let kept = {
            let mut slots = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let fits = slots.iter().position(|slot| slot.capacity.holds(needed));
            if fits.is_none() {
                // What is too small for this call would only pile up.
                slots.clear();
            }
            fits.map(|index| slots.swap_remove(index))
        };
        kept.map_or_else(|| Slot::new(maker, needed, lost), Ok)
    }

    /// Gives the memory of all slots that are kept back to the device.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
    }

    /// Keeps a slot for the next call.
    pub fn put(&self, slot: Slot) {
        let mut slots = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if slots.len() < crate::plan::CHUNKS_IN_FLIGHT {
            slots.push(slot);
        }
    }
}

impl Slot {
    fn new(maker: Maker<'_>, needed: Parts, lost: impl FnOnce(String) -> Error) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let Maker { device, pipelines, counts, mappable } = maker;
        let rounded = needed.rounded();
        // A power of two above what a binding may hold would be refused.
        let wgpu::Limits { max_storage_buffer_binding_size: binding, max_buffer_size: buffer, .. } = device.limits();
        let granted = rounded.largest() <= binding.min(buffer) && rounded.end() <= buffer;
        let capacity = if granted { rounded } else { needed };

        let errors = Errors::watch(device);
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
        let buffers = Buffers {
            scratch: scratch.as_ref().map(|scratch| scratch.each_ref().map(wgpu::Buffer::as_entire_buffer_binding)),
            input: Some(input.as_entire_buffer_binding()),
            output: output.as_entire_buffer_binding(),
            statuses: statuses.as_entire_buffer_binding(),
            rconds: rconds.as_ref().map(wgpu::Buffer::as_entire_buffer_binding),
        };
        let bindings = Bindings::new(pipelines, device, counts.binding(), buffers);
        // Every size was planned within the device's limits, so that what is left is a device that is gone.
        errors.check(lost)?;
        Ok(Self { capacity, input, output, mappable, statuses, rconds, staging, stopwatch, bindings })
    }

    /// Copies a chunk's matrices to the device, ahead of the next submission.
    pub fn upload(&self, queue: &wgpu::Queue, matrices: &[u8]) -> Result<(), String> {
        if self.mappable {
            let range = 0..matrices.len() as u64;
            let mut view = self.input.get_mapped_range_mut(range).map_err(|error| error.to_string())?;
            view.copy_from_slice(matrices);
            drop(view);
            self.input.unmap();
        } else {
            queue.write_buffer(&self.input, 0, matrices);
        }
        Ok(())
    }

    /// Has the first compute pass write the time of its beginning, and the last one that of its end, where the device has a
    /// clock.
    pub fn timestamp_writes(&self, first: bool, last: bool) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let stopwatch = self.stopwatch.as_ref().filter(|_| first || last)?;
        Some(wgpu::ComputePassTimestampWrites {
            query_set: &stopwatch.queries,
            beginning_of_pass_write_index: first.then_some(0),
            end_of_pass_write_index: last.then_some(1),
        })
    }

    /// Encodes the copies of a chunk's results to where the host can read them.
    pub fn encode_readback(&self, encoder: &mut wgpu::CommandEncoder, parts: Parts) {
        let parts = parts.staged(self.mappable);
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

    /// Asks for what the host reads, and for what it writes next, once everything submitted so far is done.
    pub fn map(&self, parts: Parts) -> Mapping {
        let staged = parts.staged(self.mappable).end();
        let staging = (&self.staging, wgpu::MapMode::Read, 0..staged);
        if !self.mappable {
            return map_buffers([staging]);
        }
        let input = (&self.input, wgpu::MapMode::Write, 0..self.capacity.matrices);
        map_buffers([staging, input, (&self.output, wgpu::MapMode::Read, 0..parts.matrices)])
    }

    /// Copies what is mapped into the caller's memory, and gives the buffers back to the device, but for the input. Returns the
    /// ticks of the device's clock between beginning and end of the pass, where it has one.
    pub fn read(&self, matrices: &mut [u8], statuses: &mut [u8], rconds: &mut [u8]) -> Result<Option<u64>, String> {
        let [a, b, c] = [matrices.len(), statuses.len(), rconds.len()].map(|bytes| bytes as u64);
        let parts = Parts { matrices: a, statuses: b, rconds: c, scratch: [0; 2] }.staged(self.mappable);
        let view = self.staging.get_mapped_range(0..parts.end()).map_err(|error| error.to_string())?;
        if self.mappable {
            let inverses = self.output.get_mapped_range(0..a).map_err(|error| error.to_string())?;
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

/// Copies the beginning of a buffer of the device into the caller's memory, after everything submitted so far.
/// `lost` makes an error of a lost device's words.
pub async fn read_back(
    shared: &Shared,
    buffer: &wgpu::Buffer,
    bytes: &mut [u8],
    lost: impl Fn(String) -> Error,
) -> Result<(), Error> {
    let size = bytes.len() as u64;
    let device = &shared.device;
    let errors = Errors::watch(device);
    let staging = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("batchinv readback"),
        size,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("batchinv") });
    encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, size);
    let submission = shared.queue.submit([encoder.finish()]);
    let mapping = map_buffers([(&staging, wgpu::MapMode::Read, 0..size)]);
    errors.check(&lost)?;
    shared.poller.watch(submission, mapping.sender());
    mapping.wait().await.map_err(&lost)?;
    let view = staging.get_mapped_range(0..size).map_err(|error| lost(error.to_string()))?;
    bytes.copy_from_slice(&view);
    Ok(())
}

/// Asks for parts of buffers once everything submitted so far is done.
pub fn map_buffers<const COUNT: usize>(
    buffers: [(&wgpu::Buffer, wgpu::MapMode, std::ops::Range<u64>); COUNT],
) -> Mapping {
    let (sender, receiver) = oneshot_channel();
    let sender = Arc::new(sender);
    let missing = Arc::new(AtomicUsize::new(COUNT));
    for (buffer, mode, range) in buffers {
        let (answer, missing) = (Arc::clone(&sender), Arc::clone(&missing));
        buffer.map_async(mode, range, move |result| {
            // The last one that is there answers, or the first that never will be.
            let last = missing.fetch_sub(1, Ordering::AcqRel) == 1;
            if last || result.is_err() {
                let _ = answer.send(result.map_err(|error| error.to_string()));
            }
        });
    }
    Mapping { sender, receiver }
}

/// Says that a mapping is there, or why it never will be. The first answer counts.
pub type Answer = Arc<OneshotSender<Result<(), String>>>;

/// Buffers on their way to the host.
#[derive(Debug)]
pub struct Mapping {
    sender: Answer,
    receiver: OneshotReceiver<Result<(), String>>,
}

impl Mapping {
    /// For whoever else may have to answer.
    pub fn sender(&self) -> Answer {
        Arc::clone(&self.sender)
    }

    /// Until it is there. The error says what the device said.
    pub async fn wait(&self) -> Result<(), String> {
        #[cfg(feature = "testing")]
        super::faults::mapping()?;
        self.receiver.receive().await.unwrap_or_else(|| Err("the device dropped the request".to_owned()))
    }
}
