//! Inverting where the matrices already lie: in the caller's buffers, in the caller's encoder.

use super::errors::{Errors, is_alive};
use super::passes::{Bindings, Buffers, Counts, Indirect, Programs, dispatch, dispatch_indirect};
use super::{GpuInverter, transfer};
use crate::error::JobError;
use crate::inverses::Status;
use crate::plan::{self, Layout, Precision, Variant, Work};
use crate::{Error, ScalarKind};

/// What a [`Job`] is to invert: matrices of one order in a buffer, up to a number of them, and where the results go.
///
/// Unless told otherwise it inverts in place, from the first element of the buffer on, row-major and one matrix after
/// another.
///
/// ```no_run
/// # use batchinv::{gpu::{GpuInverter, JobDescriptor}, plan::Layout, wgpu, ScalarKind};
/// # fn frame(gpu: &GpuInverter, instances: &wgpu::Buffer, normals: &wgpu::Buffer) -> Result<(), batchinv::Error> {
/// // The 3x3 part of column-major 4x4 transforms in, its inverse transpose as WGSL's mat3x3<f32> out.
/// let transforms = Layout { offset: 0, matrix: 16, row: 1, column: 4 };
/// let mat3x3 = Layout { offset: 0, matrix: 12, row: 1, column: 4 };
/// let descriptor = JobDescriptor::new(ScalarKind::Float32, 3, 10_000, instances)
///     .input_layout(transforms)
///     .output(normals, mat3x3.transposed());
/// let job = gpu.job(&descriptor)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct JobDescriptor<'a> {
    scalar: ScalarKind,
    precision: Precision,
    order: u32,
    capacity: u32,
    input: (&'a wgpu::Buffer, Layout),
    output: Option<(&'a wgpu::Buffer, Layout)>,
    own_output: Option<Layout>,
    statuses: Option<&'a wgpu::Buffer>,
    rconds: Option<&'a wgpu::Buffer>,
    count: Option<(&'a wgpu::Buffer, u64)>,
}

impl<'a> JobDescriptor<'a> {
    /// Up to `capacity` matrices of `order` in `buffer`, which needs the usage `STORAGE`.
    pub fn new(scalar: ScalarKind, order: u32, capacity: u32, buffer: &'a wgpu::Buffer) -> Self {
        Self {
            scalar,
            precision: Precision::Native,
            order,
            capacity,
            input: (buffer, Layout::contiguous(order)),
            output: None,
            own_output: None,
            statuses: None,
            rconds: None,
            count: None,
        }
    }

    /// The precision of the elimination; `Native` unless set.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Where in the buffer the matrices lie. In place, their inverses go to the same elements.
    #[must_use]
    pub fn input_layout(self, layout: Layout) -> Self {
        Self { input: (self.input.0, layout), ..self }
    }

    /// Where the inverses go: with [`Layout::transposed`], the inverse transposes. The buffer, which needs the usage
    /// `STORAGE`, may be that of the input; then the inverses must go each to the elements of its own matrix, or all to
    /// other ones: behind or before the matrices, or beside each of them in a struct that both are part of.
    #[must_use]
    pub fn output(self, buffer: &'a wgpu::Buffer, layout: Layout) -> Self {
        Self { output: Some((buffer, layout)), own_output: None, ..self }
    }

    /// Has the inverses go to a buffer of the job's own, [`Job::output`], large enough for this layout, with the usages
    /// `STORAGE`, `COPY_SRC` and `VERTEX`. What lies between the elements is zero.
    #[must_use]
    pub fn own_output(self, layout: Layout) -> Self {
        Self { output: None, own_output: Some(layout), ..self }
    }

    /// Where the status words go, one `i32` for each matrix from the start of the buffer; into a buffer of the job
    /// unless set. It needs the usage `STORAGE`, and `COPY_SRC` for [`Job::read_statuses`], and holds nothing else of the job.
    #[must_use]
    pub fn statuses(self, buffer: &'a wgpu::Buffer) -> Self {
        Self { statuses: Some(buffer), ..self }
    }

    /// Where the reciprocal condition numbers go, one `f32` or `f64` for each matrix from the start of the buffer, as
    /// the scalar has them; nowhere unless set. It needs the usage `STORAGE`, and holds nothing else of the job.
    #[must_use]
    pub fn rconds(self, buffer: &'a wgpu::Buffer) -> Self {
        Self { rconds: Some(buffer), ..self }
    }

    /// Where [`Job::encode_indirect`] finds the number of matrices: a `u32` at a byte offset, a multiple of 4. The
    /// buffer needs the usage `STORAGE`. Where the matrices are so large that they go through working memory, all of the
    /// capacity must fit there at once; a larger job is refused as unsupported.
    #[must_use]
    pub fn count(self, buffer: &'a wgpu::Buffer, offset: u64) -> Self {
        Self { count: Some((buffer, offset)), ..self }
    }

    fn target(&self) -> (&'a wgpu::Buffer, Layout) {
        self.output.unwrap_or(self.input)
    }
}

/// Everything that is needed to invert matrices in certain buffers, made once and encoded as often as wanted.
///
/// Nothing is copied to the host, and encoding neither allocates GPU memory nor submits nor waits.
#[derive(Debug)]
pub struct Job {
    gpu: GpuInverter,
    capacity: u32,
    programs: Programs,
    bindings: Bindings,
    /// The job's own, where its capacity takes more than one row of workgroups.
    counts: Option<Counts>,
    output: wgpu::Buffer,
    statuses: wgpu::Buffer,
    indirect: Option<Indirect>,
}

impl GpuInverter {
    /// Makes a job: builds its pipelines, bind groups and whatever memory it needs.
    ///
    /// # Errors
    /// [`Error::Job`] where a buffer is too small or lacks a usage, where inverses would overwrite each other or the
    /// matrices of others, a count's offset is no multiple of 4, or a buffer is another device's. [`Error::Unsupported`] where the device cannot do it,
    /// [`Error::OutOfMemory`] and [`Error::DeviceLost`] from the device.
    pub fn job(&self, descriptor: &JobDescriptor<'_>) -> Result<Job, Error> {
        let JobDescriptor { scalar, precision, order, capacity, .. } = *descriptor;
        let shared = &*self.0;
        let device = &shared.device;
        if order == 0 || capacity == 0 {
            return Err(JobError::Empty.into());
        }
        let limits = shared.facts.limits;
        let work = Work { scalar, precision, order: order as usize, len: capacity as usize };
        let variant = plan::gpu(work, &limits)?.variant;
        shared_by_none(descriptor)?;
        let own = own_output(descriptor, device)?;
        let descriptor = match (&own, descriptor.own_output) {
            (Some(buffer), Some(layout)) => &descriptor.output(buffer, layout),
            _ => descriptor,
        };
        let place = Place::of(descriptor, device)?;
        let variant = Variant {
            input: place.input_layout,
            output: place.output_layout,
            in_place: place.input.is_none(),
            ..variant
        };
        let lost = |detail| Error::DeviceLost { done: 0, len: capacity as usize, detail };

        let mut programs = shared
            .programs(variant, descriptor.rconds.is_some())
            .map_err(|error| error.of_piece(0, capacity as usize))?;
        if descriptor.count.is_some() {
            // A count that only the device knows goes through in one batch.
            programs.widen(variant.largest_batch(&limits));
        }
        let errors = Errors::watch(device);
        let counts = Counts::for_capacity(device, &programs, capacity, limits.workgroups);
        let statuses = match descriptor.statuses {
            Some(buffer) => part(device, buffer, "statuses", u64::from(capacity) * 4)?.buffer.clone(),
            None => device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("batchinv statuses"),
                size: u64::from(capacity) * 4,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
        };
        let rconds = match descriptor.rconds {
            Some(buffer) => Some(part(device, buffer, "rconds", u64::from(capacity) * scalar.real_size() as u64)?),
            None => None,
        };
        let [work, state] = shared.scratch(variant, programs.batch(capacity));
        let scratch = (work > 0).then(|| {
            [work, state].map(|size| {
                device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("batchinv working memory"),
                    size,
                    usage: wgpu::BufferUsages::STORAGE,
                    mapped_at_creation: false,
                })
            })
        });
        let buffers = Buffers {
            scratch: scratch.as_ref().map(|scratch| scratch.each_ref().map(wgpu::Buffer::as_entire_buffer_binding)),
            input: place.input,
            output: place.output,
            statuses: part(device, &statuses, "statuses", u64::from(capacity) * 4)?,
            rconds,
        };
        let bindings = Bindings::new(
            &shared.pipelines,
            device,
            counts.as_ref().unwrap_or(&shared.counts).binding(),
            buffers.clone(),
        );
        let indirect = match descriptor.count {
            None => None,
            Some((buffer, offset)) => {
                let fits = offset.is_multiple_of(4) && offset.checked_add(4).is_some_and(|end| end <= buffer.size());
                if !fits {
                    return Err(JobError::Count { offset, size: buffer.size() }.into());
                }
                usage(buffer, "the count", wgpu::BufferUsages::STORAGE)?;
                Some(Indirect::new(shared, &programs, buffers, (buffer, offset), capacity)?)
            }
        };
        let said = errors.check(|detail| JobError::Refused { detail }.into());
        // A device that is lost need not have said anything.
        if !matches!(said, Err(Error::OutOfMemory { .. })) && !is_alive(device) {
            return Err(lost("it makes no buffers any more".to_owned()));
        }
        said.map_err(|error| error.of_piece(0, capacity as usize))?;
        let output = descriptor.target().0.clone();
        Ok(Job { gpu: self.clone(), capacity, programs, bindings, counts, output, statuses, indirect })
    }
}

impl Job {
    /// The largest number of matrices.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The buffer with the inverses: the input's in place, the caller's or the job's own.
    pub fn output(&self) -> &wgpu::Buffer {
        &self.output
    }

    /// The buffer with the status words, the caller's or the job's own, which has the usages `STORAGE`, `COPY_SRC` and
    /// `COPY_DST`.
    pub fn statuses(&self) -> &wgpu::Buffer {
        &self.statuses
    }

    /// Encodes the inversion of the first `len` matrices, in a compute pass of its own. It is the caller's submission: where it holds
    /// more than [`plan::SUBMISSION_MULTIPLY_ADDS`], a driver may take it for hung.
    ///
    /// # Errors
    /// [`Error::Job`] where `len` is above the capacity; nothing is encoded then.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, len: u32) -> Result<(), Error> {
        self.check(len)?;
        let mut pass = encoder
            .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("batchinv"), timestamp_writes: None });
        self.encode_in_pass(&mut pass, len)
    }

    /// The same, within a compute pass of the caller's. It leaves its own pipeline and bind group 0 set.
    ///
    /// # Errors
    /// As [`Job::encode`].
    pub fn encode_in_pass(&self, pass: &mut wgpu::ComputePass<'_>, len: u32) -> Result<(), Error> {
        self.check(len)?;
        let shared = &self.gpu.0;
        let counts = self.counts.as_ref().unwrap_or(&shared.counts);
        let steps = self.programs.piece(0, 1);
        dispatch(pass, &self.programs, steps, &self.bindings, counts, len, shared.facts.limits.workgroups);
        Ok(())
    }

    /// Encodes the inversion of as many matrices as the buffer given with [`JobDescriptor::count`] says when the commands
    /// run, in a compute pass of its own; of the capacity, where it says more. What [`Job::encode`] says of long
    /// submissions holds here too.
    ///
    /// # Errors
    /// [`Error::Job`] where no such buffer was given.
    pub fn encode_indirect(&self, encoder: &mut wgpu::CommandEncoder) -> Result<(), Error> {
        let mut pass = encoder
            .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("batchinv"), timestamp_writes: None });
        self.encode_indirect_in_pass(&mut pass)
    }

    /// The same, within a compute pass of the caller's. It leaves its own pipeline and bind group 0 set.
    ///
    /// # Errors
    /// As [`Job::encode_indirect`].
    pub fn encode_indirect_in_pass(&self, pass: &mut wgpu::ComputePass<'_>) -> Result<(), Error> {
        let indirect = self.indirect.as_ref().ok_or(JobError::NoCount)?;
        dispatch_indirect(pass, &self.programs, indirect);
        Ok(())
    }

    /// The statuses of the first `len` matrices, after everything submitted so far. Waits without blocking the
    /// executor, whichever it is: a thread of the engine polls the device.
    ///
    /// After [`Job::encode_indirect`], words beyond the count are still those of earlier encodings: where a count may shrink,
    /// clear the buffer before, with `CommandEncoder::clear_buffer`, and what was not inverted this time counts as inverted.
    ///
    /// # Errors
    /// [`Error::Job`] where `len` is above the capacity, or the caller's buffer lacks the usage `COPY_SRC`;
    /// [`Error::OutOfMemory`] where the device has no room to copy them to, [`Error::DeviceLost`] from the device.
    pub async fn read_statuses(&self, len: u32) -> Result<Vec<Status>, Error> {
        self.check(len)?;
        usage(&self.statuses, "statuses", wgpu::BufferUsages::COPY_SRC)?;
        let mut statuses = vec![Status::INVERTED; len as usize];
        if len > 0 {
            let bytes = bytemuck::cast_slice_mut(&mut statuses);
            let lost = |detail| Error::DeviceLost { done: 0, len: len as usize, detail };
            transfer::read_back(&self.gpu.0, &self.statuses, bytes, lost).await?;
        }
        Ok(statuses)
    }

    /// Position and status of the first of `len` matrices that was not inverted, after everything submitted so far.
    ///
    /// # Errors
    /// As [`Job::read_statuses`].
    pub async fn first_failure(&self, len: u32) -> Result<Option<(usize, Status)>, Error> {
        let statuses = self.read_statuses(len).await?;
        Ok(statuses.into_iter().enumerate().find(|(_, status)| !status.is_inverted()))
    }

    fn check(&self, len: u32) -> Result<(), Error> {
        if len > self.capacity {
            return Err(JobError::TooMany { len, capacity: self.capacity }.into());
        }
        Ok(())
    }
}

/// The buffer that a job is to have for its inverses, where it is to have one.
fn own_output(descriptor: &JobDescriptor<'_>, device: &wgpu::Device) -> Result<Option<wgpu::Buffer>, Error> {
    use wgpu::BufferUsages as Usage;
    let Some(layout) = descriptor.own_output else { return Ok(None) };
    // What is wrong about the matrices is said before memory is asked for.
    let (input, read) = (descriptor.input.0, descriptor.input.1.elements(descriptor.order, descriptor.capacity));
    holds(input, "input", read.1.saturating_mul(descriptor.scalar.size() as u64))?;
    if !layout.is_injective(descriptor.order, descriptor.capacity) {
        return Err(JobError::Overlap.into());
    }
    let elements = layout.elements(descriptor.order, descriptor.capacity).1;
    let bytes = elements.saturating_mul(descriptor.scalar.size() as u64);
    binds(device, "output", bytes)?;
    let limit = device.limits().max_buffer_size;
    if bytes > limit {
        return Err(JobError::TooLarge { what: "output", bytes, limit }.into());
    }
    let errors = Errors::watch(device);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("batchinv inverses"),
        size: bytes,
        usage: Usage::STORAGE | Usage::COPY_SRC | Usage::VERTEX,
        mapped_at_creation: false,
    });
    let capacity = descriptor.capacity as usize;
    let lost = |detail| Error::DeviceLost { done: 0, len: capacity, detail };
    errors.check(lost).map_err(|error| error.of_piece(0, capacity))?;
    Ok(Some(buffer))
}

/// The parts of the buffers that are bound, and the layouts from their beginnings on.
struct Place<'a> {
    input: Option<wgpu::BufferBinding<'a>>,
    input_layout: Layout,
    output: wgpu::BufferBinding<'a>,
    output_layout: Layout,
}

impl<'a> Place<'a> {
    fn of(descriptor: &JobDescriptor<'a>, device: &wgpu::Device) -> Result<Self, Error> {
        let (source, target) = (descriptor.input, descriptor.target());
        let (order, capacity, size) = (descriptor.order, descriptor.capacity, descriptor.scalar.size() as u64);
        let read = source.1.elements(order, capacity);
        let written = target.1.elements(order, capacity);
        for ((buffer, _), elements, what) in [(source, read, "input"), (target, written, "output")] {
            holds(buffer, what, elements.1.saturating_mul(size))?;
        }
        if !target.1.is_injective(order, capacity) {
            return Err(JobError::Overlap.into());
        }
        let in_place = source.0 == target.0;
        if in_place {
            let own = target.1 == source.1 || target.1 == source.1.transposed();
            let elsewhere = read.1 <= written.0 || written.1 <= read.0;
            if !own && !elsewhere && !beside(source.1, target.1, order) {
                return Err(JobError::Overlap.into());
            }
            let both = (read.0.min(written.0), read.1.max(written.1));
            let (binding, base) = bound(source.0, "input", both, size, device)?;
            let (input_layout, output_layout) = (source.1.from(base), target.1.from(base));
            return Ok(Self { input: None, input_layout, output: binding, output_layout });
        }
        let (input, input_base) = bound(source.0, "input", read, size, device)?;
        let (output, output_base) = bound(target.0, "output", written, size, device)?;
        let (input_layout, output_layout) = (source.1.from(input_base), target.1.from(output_base));
        Ok(Self { input: Some(input), input_layout, output, output_layout })
    }
}

/// Each inverse lies beside its matrix in a struct, or beside another's in the same way: the places of one stride never
/// meet those of the other, whatever the number of matrices.
fn beside(input: Layout, output: Layout, order: u32) -> bool {
    let (read, written) = (input.elements(order, 1), output.elements(order, 1));
    let stride = u64::from(input.matrix);
    // From the beginning of a matrix to that of the next inverse.
    let apart = (written.0 % stride.max(1) + stride - read.0 % stride.max(1)) % stride.max(1);
    input.matrix == output.matrix && apart >= read.1 - read.0 && apart + (written.1 - written.0) <= stride
}

/// Statuses and condition numbers overwrite nothing else of a job, and what is read while they are written is no part of
/// their buffers, which wgpu would refuse only when the commands are finished.
fn shared_by_none(descriptor: &JobDescriptor<'_>) -> Result<(), Error> {
    let (input, output) = (Some(descriptor.input.0), Some(descriptor.target().0));
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
        Some((what, _, with, _)) => Err(JobError::Shared { what, with }.into()),
        None => Ok(()),
    }
}

/// The part of a buffer with these elements, and how many elements lie before it: binding begins at a multiple of what
/// the device asks for.
fn bound<'a>(
    buffer: &'a wgpu::Buffer,
    what: &'static str,
    elements: (u64, u64),
    size: u64,
    device: &wgpu::Device,
) -> Result<(wgpu::BufferBinding<'a>, u64), Error> {
    let alignment = u64::from(device.limits().min_storage_buffer_offset_alignment).max(size);
    let offset = elements.0 * size / alignment * alignment;
    let bytes = elements.1 * size - offset;
    binds(device, what, bytes)?;
    Ok((wgpu::BufferBinding { buffer, offset, size: wgpu::BufferSize::new(bytes) }, offset / size))
}

/// Shaders see so many bytes, and count their elements, of 4 bytes at the least, in 32 bits.
fn binds(device: &wgpu::Device, what: &'static str, bytes: u64) -> Result<(), Error> {
    let limit = device.limits().max_storage_buffer_binding_size.min(u64::from(u32::MAX) * 4);
    if bytes > limit {
        return Err(JobError::TooLarge { what, bytes, limit }.into());
    }
    Ok(())
}

/// The first bytes of a buffer that is to be written to.
fn part<'a>(
    device: &wgpu::Device,
    buffer: &'a wgpu::Buffer,
    what: &'static str,
    needed: u64,
) -> Result<wgpu::BufferBinding<'a>, Error> {
    holds(buffer, what, needed)?;
    binds(device, what, needed)?;
    Ok(wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(needed) })
}

/// Shaders may have the buffer, and it has so many bytes.
fn holds(buffer: &wgpu::Buffer, what: &'static str, needed: u64) -> Result<(), Error> {
    usage(buffer, what, wgpu::BufferUsages::STORAGE)?;
    if needed > buffer.size() {
        return Err(JobError::TooSmall { what, needed, size: buffer.size() }.into());
    }
    Ok(())
}

fn usage(buffer: &wgpu::Buffer, what: &'static str, usage: wgpu::BufferUsages) -> Result<(), Error> {
    if buffer.usage().contains(usage) {
        return Ok(());
    }
    Err(JobError::Usage { what, usage: if usage == wgpu::BufferUsages::STORAGE { "STORAGE" } else { "COPY_SRC" } }
        .into())
}
