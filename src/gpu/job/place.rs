//! The places of matrices and inverses in the buffers of a job, and what is wrong with them.

use super::descriptor::{JobDescriptor, Target};
use crate::data::error::JobError;
use crate::data::layout::Layout;
use crate::data::on_failure::OnFailure;

/// The bound parts of the buffers, and the layouts counted from their beginnings.
pub struct Place<'a> {
    /// `None` in place.
    pub input: Option<wgpu::BufferBinding<'a>>,
    pub input_layout: Layout,
    pub output: wgpu::BufferBinding<'a>,
    pub output_layout: Layout,
    /// `None` in the job's own buffer, which can be bound as a whole.
    pub statuses: Option<wgpu::BufferBinding<'a>>,
    pub rconds: Option<wgpu::BufferBinding<'a>>,
}

impl<'a> Place<'a> {
    /// Checks that the buffers hold the matrices and their inverses, and that no inverse overwrites another's matrix.
    pub fn new(
        descriptor: &JobDescriptor<'a>,
        target: (&'a wgpu::Buffer, Layout),
        device: &wgpu::Device,
    ) -> Result<Self, JobError> {
        let source = descriptor.input;
        let (order, capacity, size) = (descriptor.order, descriptor.capacity, descriptor.scalar.size() as u64);
        let read = source.1.elements(order, capacity);
        let written = target.1.elements(order, capacity);
        for ((buffer, _), elements, what) in [(source, read, "input"), (target, written, "output")] {
            holds(buffer, what, elements.1.saturating_mul(size))?;
        }
        if !target.1.is_injective(order, capacity) {
            return Err(JobError::Overlap);
        }
        let (len, real) = (u64::from(capacity), descriptor.scalar.real_size() as u64);
        binds(device, "statuses", len * 4)?;
        let words = |buffer: Option<&'a wgpu::Buffer>, what, needed| {
            buffer.map(|buffer| part(device, buffer, what, needed)).transpose()
        };
        let statuses = words(descriptor.statuses, "statuses", len * 4)?;
        let rconds = words(descriptor.rconds, "rconds", len * real)?;
        let in_place = source.0 == target.0;
        if in_place {
            let own = target.1 == source.1 || target.1 == source.1.transposed();
            let elsewhere = read.1 <= written.0 || written.1 <= read.0;
            if !own && !elsewhere && !beside(source.1, target.1, order) {
                return Err(JobError::Overlap);
            }
            if own && descriptor.on_failure == OnFailure::Input {
                return Err(JobError::Replaced);
            }
            let both = (read.0.min(written.0), read.1.max(written.1));
            let (binding, base) = bound(source.0, "input", both, size, device)?;
            let (input_layout, output_layout) = (source.1.from(base), target.1.from(base));
            return Ok(Self { input: None, input_layout, output: binding, output_layout, statuses, rconds });
        }
        let (input, input_base) = bound(source.0, "input", read, size, device)?;
        let (output, output_base) = bound(target.0, "output", written, size, device)?;
        let (input_layout, output_layout) = (source.1.from(input_base), target.1.from(output_base));
        Ok(Self { input: Some(input), input_layout, output, output_layout, statuses, rconds })
    }
}

/// Returns whether every inverse lies in a struct beside its own matrix, or beside another matrix at the same
/// distance. Matrices and inverses then never overlap, for any number of matrices.
fn beside(input: Layout, output: Layout, order: u32) -> bool {
    let (read, written) = (input.elements(order, 1), output.elements(order, 1));
    let stride = u64::from(input.matrix);
    // The distance from the start of a matrix to the start of the next inverse.
    let apart = (written.0 % stride.max(1) + stride - read.0 % stride.max(1)) % stride.max(1);
    input.matrix == output.matrix && apart >= read.1 - read.0 && apart + (written.1 - written.0) <= stride
}

/// Checks that statuses and condition numbers have buffers of their own. In a shared buffer they would overwrite
/// other data of the job, or wgpu would refuse the buffer, but only when the commands are finished.
pub fn check_sharing(descriptor: &JobDescriptor<'_>) -> Result<(), JobError> {
    let output = match descriptor.target {
        Target::Buffer(buffer, _) => Some(buffer),
        Target::InPlace | Target::Own(_) => None,
    };
    let input = Some(descriptor.input.0);
    let (statuses, rconds) = (descriptor.statuses, descriptor.rconds);
    let count = descriptor.count.map(|(buffer, _)| buffer);
    let pairs = [
        ("statuses", statuses, "input", input),
        ("statuses", statuses, "output", output),
        ("statuses", statuses, "the count", count),
        ("rconds", rconds, "input", input),
        ("rconds", rconds, "output", output),
        ("rconds", rconds, "statuses", statuses),
        ("rconds", rconds, "the count", count),
    ];
    match pairs.into_iter().find(|(_, own, _, other)| own.is_some() && own == other) {
        Some((what, _, with, _)) => Err(JobError::Shared { what, with }),
        None => Ok(()),
    }
}

/// The part of a buffer that holds these elements, and the number of elements before it. A binding begins at a
/// multiple of the device's `min_storage_buffer_offset_alignment`.
fn bound<'a>(
    buffer: &'a wgpu::Buffer,
    what: &'static str,
    elements: (u64, u64),
    size: u64,
    device: &wgpu::Device,
) -> Result<(wgpu::BufferBinding<'a>, u64), JobError> {
    let alignment = u64::from(device.limits().min_storage_buffer_offset_alignment).max(size);
    let offset = elements.0 * size / alignment * alignment;
    let bytes = elements.1 * size - offset;
    binds(device, what, bytes)?;
    Ok((wgpu::BufferBinding { buffer, offset, size: wgpu::BufferSize::new(bytes) }, offset / size))
}

/// Checks that a shader can bind this many bytes. A binding is limited in bytes, and shaders index elements, of at
/// least 4 bytes each, with 32 bits.
pub fn binds(device: &wgpu::Device, what: &'static str, bytes: u64) -> Result<(), JobError> {
    let limit = device.limits().max_storage_buffer_binding_size.min(u64::from(u32::MAX) * 4);
    if bytes > limit {
        return Err(JobError::TooLarge { what, bytes, limit });
    }
    Ok(())
}

/// The first `needed` bytes of a buffer that the job writes to.
fn part<'a>(
    device: &wgpu::Device,
    buffer: &'a wgpu::Buffer,
    what: &'static str,
    needed: u64,
) -> Result<wgpu::BufferBinding<'a>, JobError> {
    holds(buffer, what, needed)?;
    binds(device, what, needed)?;
    Ok(wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(needed) })
}

/// Checks that the count lies in its buffer, and that shaders may read it.
pub fn check_count(descriptor: &JobDescriptor<'_>) -> Result<(), JobError> {
    let Some((buffer, offset)) = descriptor.count else { return Ok(()) };
    let fits = offset.is_multiple_of(4) && offset.checked_add(4).is_some_and(|end| end <= buffer.size());
    if !fits {
        return Err(JobError::Count { offset, size: buffer.size() });
    }
    usage(buffer, "the count", wgpu::BufferUsages::STORAGE)
}

/// Checks that shaders may use the buffer, and that it holds `needed` bytes.
pub fn holds(buffer: &wgpu::Buffer, what: &'static str, needed: u64) -> Result<(), JobError> {
    usage(buffer, what, wgpu::BufferUsages::STORAGE)?;
    if needed > buffer.size() {
        return Err(JobError::TooSmall { what, needed, size: buffer.size() });
    }
    Ok(())
}

/// Checks that a buffer was created with a usage.
pub fn usage(buffer: &wgpu::Buffer, what: &'static str, usage: wgpu::BufferUsages) -> Result<(), JobError> {
    if buffer.usage().contains(usage) {
        return Ok(());
    }
    Err(JobError::Usage { what, usage: if usage == wgpu::BufferUsages::STORAGE { "STORAGE" } else { "COPY_SRC" } })
}
