//! Dispatches whose count only the device knows: a program reads it and writes the sizes of all dispatches.

use super::counts::{Counts, entry, stride};
use super::encode::{Bindings, StackBuffers, Steps};
use super::error::DeviceError;
use super::pipeline::{Bound, Pipelines};
use super::shader::{self, CountConstants, CountedProgram};
use crate::data::refusal::Refusal;
use crate::plan::gpu::program::{Program, Schedule};

/// The offset of the number of workgroups within an entry.
const GROUPS_AT: u64 = 16;

/// The word of the first entry that tells how many matrices the last count came to.
pub const COUNTED_AT: usize = 7;

/// Everything that an indirect job needs besides its steps.
#[derive(Debug)]
pub struct Indirect {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    capacity: u32,
    /// Each program and its first entry.
    programs: Vec<(Program, u32)>,
    /// The counts and the number of workgroups of each dispatch of each program.
    entries: wgpu::Buffer,
    stride: u32,
    bindings: Bindings,
}

impl Indirect {
    /// Compiles the program that reads a count at an offset of a buffer, a multiple of 4.
    pub async fn pipeline(
        (device, pipelines): (&wgpu::Device, &Pipelines),
        workgroups: u32,
        steps: &Steps,
        offset: u64,
        capacity: u32,
    ) -> Result<wgpu::ComputePipeline, DeviceError> {
        let max = steps.schedule.indirect_capacity();
        if capacity > max {
            return Err(DeviceError::Unsupported(Refusal::IndirectCapacity { max }));
        }
        let constants = CountConstants {
            index: ((offset - bound_from(device, offset)) / 4) as u32,
            capacity,
            programs: counted(&steps.schedule, capacity).map(|(_, counted)| counted).collect(),
            entry_words: stride(device) / 4,
            workgroups,
        };
        pipelines.alone(device, "batchinv count", shader::count(&constants)).await
    }

    /// Binds that program to the count and to the buffers of a stack.
    pub fn new(
        (device, pipelines, counts): (&wgpu::Device, &Pipelines, &Counts),
        pipeline: wgpu::ComputePipeline,
        steps: &Steps,
        buffers: StackBuffers<'_>,
        capacity: u32,
        (count, offset): (&wgpu::Buffer, u64),
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let stride = stride(device);
        let (mut programs, mut entries) = (Vec::new(), 0);
        for (program, counted) in counted(&steps.schedule, capacity) {
            programs.push((program, entries));
            entries += counted.dispatches;
        }
        let entries = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv indirect"),
            size: u64::from(entries) * u64::from(stride),
            usage: Usage::STORAGE | Usage::UNIFORM | Usage::INDIRECT | Usage::COPY_SRC,
            mapped_at_creation: false,
        });
        let begin = bound_from(device, offset);
        let size = wgpu::BufferSize::new(offset + 4 - begin);
        let bound = Bound {
            input: Some(wgpu::BufferBinding { buffer: count, offset: begin, size }),
            output: Some(entries.as_entire_buffer_binding()),
            ..Bound::new(buffers.statuses.clone(), counts.binding())
        };
        let bind_group = pipelines.bind(device, bound);
        let bindings = Bindings::new(pipelines, device, entry(&entries), buffers);
        Self { pipeline, bind_group, capacity, programs, entries, stride, bindings }
    }

    /// The buffer whose word [`COUNTED_AT`] tells how many matrices the last count came to.
    pub fn entries(&self) -> &wgpu::Buffer {
        &self.entries
    }

    /// Dispatches all steps over the number of matrices that the buffer gives.
    pub fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, steps: &Steps) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[0]);
        pass.dispatch_workgroups(1, 1, 1);
        for (step, number) in steps.schedule.indirect_dispatches(self.capacity) {
            let program = steps.schedule.steps[step].program;
            let first = self.programs.iter().find(|&&(own, _)| own == program);
            let (_, first) = first.expect("every program of a step has its entries");
            let entry = (first + number) * self.stride;
            pass.set_pipeline(&steps.pipelines[step]);
            pass.set_bind_group(0, self.bindings.of(program, steps.rcond), &[entry]);
            pass.dispatch_workgroups_indirect(&self.entries, u64::from(entry) + GROUPS_AT);
        }
    }
}

/// The programs of a schedule, with their dispatches over up to `capacity` matrices.
fn counted(schedule: &Schedule, capacity: u32) -> impl Iterator<Item = (Program, CountedProgram)> + '_ {
    schedule.programs().into_iter().map(move |step| {
        let most = schedule.indirect_row_of(&step, capacity);
        (step.program, CountedProgram { grid: step.grid, dispatches: capacity.div_ceil(most), most })
    })
}

/// The offset at which the binding of the count begins: a multiple of `min_storage_buffer_offset_alignment`.
fn bound_from(device: &wgpu::Device, offset: u64) -> u64 {
    let alignment = u64::from(device.limits().min_storage_buffer_offset_alignment);
    offset / alignment * alignment
}
