//! Making a job: plan, place, compile, and last allocate and bind.

use super::Job;
use super::descriptor::{JobDescriptor, Target};
use super::origin::check_origin;
use super::place::{Place, binds, check_count, check_sharing, holds};
use crate::data::engine::Op;
use crate::data::error::{Error, JobError};
use crate::data::layout::Layout;
use crate::data::on_failure::OnFailure;
use crate::data::refusal::Refusal;
use crate::data::status::Status;
use crate::gpu::counts::Counts;
use crate::gpu::device::GpuInverter;
use crate::gpu::encode::{Bindings, StackBuffers, Steps};
use crate::gpu::error::DeviceError;
use crate::gpu::error_scopes::Errors;
use crate::gpu::filled::filled;
use crate::gpu::indirect::Indirect;
use crate::gpu::platform::is_alive;
use crate::plan::facts::GpuLimits;
use crate::plan::gpu::GpuPlan;
use crate::plan::gpu::variant::Variant;
use crate::plan::work::Work;

impl GpuInverter {
    /// Makes a job: builds its pipelines and bind groups, and allocates the memory that it needs.
    ///
    /// # Errors
    /// [`Error::Job`] if the order or the capacity is 0; if a buffer is too small, is larger than the device binds,
    /// lacks a usage, belongs to another device, or holds statuses, rconds or determinants beside other data; if
    /// inverses would overwrite each other or the matrices of others, or their own if these are needed on failure; if
    /// solutions would overwrite each other, a matrix, or the right-hand sides of others, or their own if these are
    /// needed on failure; if determinants alone are asked for, with an output beside them, or cofactor matrices with
    /// solutions or determinants; or if a count's offset is no multiple of 4 or lies outside its buffer.
    /// [`Error::Unsupported`] if the device cannot do it, or was not [prepared](Self::prepare_async) for the precision;
    /// [`Error::OutOfMemory`] and [`Error::DeviceLost`] from
    /// the device.
    ///
    /// A buffer of another instance of wgpu is refused too, unless it can be mapped or is mapped at the time: then it
    /// is up to the caller to give only buffers of this device. wgpu takes it for whichever buffer of its own has the
    /// same number, or panics. The check reports an error to that buffer's device, whose handler may print it.
    pub async fn job_async(&self, descriptor: &JobDescriptor<'_>) -> Result<Job, Error> {
        let device = &self.0.device;
        let at = |error: DeviceError| error.at(0, descriptor.capacity as usize);
        let planned = plan(descriptor, &self.0.facts.limits)?;
        self.check_known(planned)?;
        check_sharing(descriptor)?;
        let own;
        let target = match descriptor.target {
            Target::InPlace if descriptor.op() == Op::Det => None,
            Target::InPlace => Some(descriptor.rhs.map_or(descriptor.input, |(buffer, layout, _)| (buffer, layout))),
            Target::Buffer(buffer, layout) => Some((buffer, layout)),
            Target::Own(layout) => {
                own = own_output(descriptor, layout, device).await?;
                Some((&own, layout))
            }
        };
        let place = Place::new(descriptor, target, device)?;
        check_count(descriptor)?;
        if descriptor.min_rcond > 0.0 {
            binds(device, "rconds", rcond_bytes(descriptor))?;
        }
        check_origin(descriptor, device, self.0.counts.binding().buffer).await?;
        let variant = Variant {
            input: place.input_layout,
            output: place.output_layout,
            in_place: place.input.is_none(),
            rhs: place.rhs_layout,
            rhs_in_place: descriptor.rhs.is_some() && place.rhs.is_none(),
            det: descriptor.determinants.is_some(),
            rcond: descriptor.rconds.is_some() || descriptor.min_rcond > 0.0,
            min_rcond: least(descriptor),
            on_failure: descriptor.on_failure,
            ..planned
        };
        let (steps, count_pipeline) = self.compile(descriptor, variant).await.map_err(at)?;

        let errors = Errors::watch(device);
        let output = target.map_or(descriptor.input.0, |(buffer, _)| buffer);
        let job = self.bind(descriptor, output, place, variant, steps, count_pipeline);
        let reported = errors.check().await;
        if !matches!(reported, Err(DeviceError::OutOfMemory(_))) && !is_alive(device).await {
            // A lost device does not report to error scopes.
            return Err(at(DeviceError::Lost("it makes no buffers any more".to_owned())));
        }
        reported.map_err(|error| match error {
            DeviceError::Lost(detail) => JobError::Refused { detail }.into(),
            error => at(error),
        })?;
        Ok(job)
    }

    /// Builds the pipelines of the steps, and the one that reads a count if only the device knows it.
    async fn compile(
        &self,
        descriptor: &JobDescriptor<'_>,
        variant: Variant,
    ) -> Result<(Steps, Option<wgpu::ComputePipeline>), DeviceError> {
        let (device, pipelines, limits) = (&self.0.device, &self.0.pipelines, &self.0.facts.limits);
        let mut steps = Steps::new(pipelines, device, variant, limits).await?;
        let Some((_, offset)) = descriptor.count else { return Ok((steps, None)) };
        // The dispatches of all batches are encoded whatever the count is: few large batches keep them few.
        steps.schedule.widen(variant.largest_batch(limits));
        let (workgroups, capacity) = (limits.workgroups, descriptor.capacity);
        let pipeline = Indirect::pipeline((device, pipelines), workgroups, &steps, offset, capacity).await?;
        Ok((steps, Some(pipeline)))
    }

    /// Makes the buffers and bind groups. The caller watches for errors of the device.
    fn bind(
        &self,
        descriptor: &JobDescriptor<'_>,
        output: &wgpu::Buffer,
        place: Place<'_>,
        variant: Variant,
        steps: Steps,
        count_pipeline: Option<wgpu::ComputePipeline>,
    ) -> Job {
        let (shared, device) = (&*self.0, &self.0.device);
        let capacity = descriptor.capacity;
        let counts = steps.schedule.counts(capacity).map(|table| Counts::new(device, table));
        let (statuses, bound) = match place.statuses {
            Some(bound) => (bound.buffer.clone(), Some(bound)),
            None => (own_statuses(device, u64::from(capacity) * 4), None),
        };
        let scratch = working_memory(device, variant, steps.schedule.batch(capacity));
        let rconds = (variant.rcond && place.rconds.is_none()).then(|| own_rconds(device, descriptor));
        let buffers = StackBuffers {
            scratch: scratch.as_ref().map(|scratch| scratch.each_ref().map(wgpu::Buffer::as_entire_buffer_binding)),
            input: place.input,
            output: place.output,
            rhs: place.rhs,
            dets: place.dets,
            statuses: bound.unwrap_or_else(|| statuses.as_entire_buffer_binding()),
            rconds: place.rconds.or(rconds.as_ref().map(wgpu::Buffer::as_entire_buffer_binding)),
        };
        let params = counts.as_ref().unwrap_or(&shared.counts).binding();
        let bindings = Bindings::new(&shared.pipelines, device, params, buffers.clone());
        let indirect = count_pipeline.zip(descriptor.count).map(|(pipeline, count)| {
            Indirect::new((device, &shared.pipelines, &shared.counts), pipeline, &steps, buffers, capacity, count)
        });
        let output = output.clone();
        Job { gpu: self.clone(), capacity, steps, bindings, counts, output, statuses, indirect }
    }
}

/// The variant for a job's matrices, with the layouts of contiguous buffers.
fn plan(descriptor: &JobDescriptor<'_>, limits: &GpuLimits) -> Result<Variant, Error> {
    let &JobDescriptor { scalar, order, capacity, .. } = descriptor;
    if order == 0 || capacity == 0 || descriptor.rhs.is_some_and(|(_, _, width)| width == 0) {
        return Err(JobError::Empty.into());
    }
    if descriptor.cofactors && (descriptor.rhs.is_some() || descriptor.determinants.is_some()) {
        return Err(JobError::CofactorsAlone.into());
    }
    let op = descriptor.op();
    if op != Op::Inverse && (descriptor.rconds.is_some() || descriptor.min_rcond > 0.0) {
        return Err(Error::refused(Refusal::NoRconds { op }));
    }
    if !op.gives_a_matrix() && descriptor.on_failure == OnFailure::Identity {
        return Err(Error::refused(Refusal::NoIdentity { op }));
    }
    if op == Op::Det && !matches!(descriptor.target, Target::InPlace) {
        return Err(JobError::NoOutput.into());
    }
    let (order, len) = (order as usize, capacity as usize);
    let work = Work { op, width: descriptor.width() as usize, ..Work::inverse(scalar, order, len) };
    let plan = GpuPlan::new(work.with_precision(descriptor.precision), limits).map_err(Error::refused)?;
    Ok(plan.variant)
}

/// Makes a buffer for the inverses. It reports errors in the placement of the matrices before it allocates memory.
async fn own_output(
    descriptor: &JobDescriptor<'_>,
    layout: Layout,
    device: &wgpu::Device,
) -> Result<wgpu::Buffer, Error> {
    use wgpu::BufferUsages as Usage;
    let (capacity, size) = (descriptor.capacity, descriptor.scalar.size() as u64);
    let (input, read) = (descriptor.input.0, descriptor.input.1.elements(descriptor.matrix(), capacity));
    holds(input, "input", read.1.saturating_mul(size))?;
    let shape = descriptor.result();
    if !layout.is_injective(shape, capacity) {
        return Err(JobError::Overlap.into());
    }
    let bytes = layout.elements(shape, capacity).1.saturating_mul(size);
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
    errors.check().await.map_err(|error| error.at(0, capacity as usize))?;
    Ok(buffer)
}

/// Makes a buffer for the status words. No matrix counts as inverted before it was.
fn own_statuses(device: &wgpu::Device, size: u64) -> wgpu::Buffer {
    use wgpu::BufferUsages as Usage;
    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let [not_finite, ..] = Status::NOT_FINITE.word().to_ne_bytes(); // All four bytes are the same.
    filled(device, "batchinv statuses", size, usage, |view| view.slice(..).fill(not_finite))
}

/// Makes a buffer for the reciprocal condition numbers that verdicts go by.
fn own_rconds(device: &wgpu::Device, descriptor: &JobDescriptor<'_>) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("batchinv rconds"),
        size: rcond_bytes(descriptor),
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    })
}

/// Bytes of one reciprocal condition number for each matrix.
fn rcond_bytes(descriptor: &JobDescriptor<'_>) -> u64 {
    u64::from(descriptor.capacity) * descriptor.scalar.real_size() as u64
}

/// The bits of the least rcond that counts as inverted, in the real type of the scalar: a number of that type is below
/// it if it is below the one asked for.
fn least(descriptor: &JobDescriptor<'_>) -> u64 {
    let least = if descriptor.min_rcond > 0.0 { descriptor.min_rcond } else { 0.0 };
    if descriptor.scalar.real_size() == 8 {
        return least.to_bits();
    }
    let rounded = least as f32;
    u64::from(if f64::from(rounded) < least { rounded.next_up() } else { rounded }.to_bits())
}

/// Makes working memory and state for a batch, if the kernel keeps matrices in memory.
fn working_memory(device: &wgpu::Device, variant: Variant, batch: u32) -> Option<[wgpu::Buffer; 2]> {
    let buffer = |bytes| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv working memory"),
            size: bytes * u64::from(batch),
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        })
    };
    variant.scratch().map(|scratch| scratch.map(buffer))
}
