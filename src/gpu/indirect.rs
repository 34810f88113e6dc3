//! Dispatches whose count only the device knows: a program reads it and writes the sizes of all dispatches.

use super::counts::{Counts, entry, stride};
use super::encode::{Bindings, StackBuffers, Steps};
use super::error::DeviceError;
use super::pipeline::{Bound, Pipelines};
use super::shader::CountConstants;
use crate::data::refusal::Refusal;
use crate::plan::gpu::program::{Grid, Program};

/// The offset of the number of workgroups within an entry.
const GROUPS_AT: u64 = 16;

/// Everything that an indirect job needs besides its steps.
#[derive(Debug)]
pub struct Indirect {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    programs: Vec<Program>,
    /// The counts and the number of workgroups of each program.
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
        if steps.schedule.batch(capacity) < capacity {
            let max = steps.schedule.max_batch();
            return Err(DeviceError::Unsupported(Refusal::IndirectCapacity { max }));
        }
        let grid = |grid| match grid {
            Grid::Packed { matrices } => [matrices, 0, 1],
            Grid::Tiled { x, z } => [0, x, z],
        };
        let constants = CountConstants {
            index: ((offset - bound_from(device, offset)) / 4) as u32,
            capacity,
            programs: steps.schedule.programs().iter().map(|step| grid(step.grid)).collect(),
            entry_words: stride(device) / 4,
            workgroups,
        };
        pipelines.count(device, &constants).await
    }

    /// Binds that program to the count and to the buffers of a stack.
    pub fn new(
        (device, pipelines, counts): (&wgpu::Device, &Pipelines, &Counts),
        pipeline: wgpu::ComputePipeline,
        steps: &Steps,
        buffers: StackBuffers<'_>,
        (count, offset): (&wgpu::Buffer, u64),
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let stride = stride(device);
        let programs: Vec<_> = steps.schedule.programs().iter().map(|step| step.program).collect();
        let entries = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv indirect"),
            size: programs.len() as u64 * u64::from(stride),
            usage: Usage::STORAGE | Usage::UNIFORM | Usage::INDIRECT,
            mapped_at_creation: false,
        });
        let begin = bound_from(device, offset);
        let size = wgpu::BufferSize::new(offset + 4 - begin);
        let bound = Bound {
            input: Some(wgpu::BufferBinding { buffer: count, offset: begin, size }),
            output: entries.as_entire_buffer_binding(),
            statuses: buffers.statuses.clone(),
            params: counts.binding(),
            scratch: None,
            rconds: None,
        };
        let bind_group = pipelines.bind(device, bound);
        let bindings = Bindings::new(pipelines, device, entry(&entries), buffers);
        Self { pipeline, bind_group, programs, entries, stride, bindings }
    }

    /// Dispatches all steps over the number of matrices that the buffer gives.
    pub fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, steps: &Steps) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[0]);
        pass.dispatch_workgroups(1, 1, 1);
        for (step, pipeline) in steps.schedule.steps.iter().zip(&steps.pipelines) {
            let index = self.programs.iter().position(|&program| program == step.program);
            let entry = index.expect("every program of a step has an entry") as u32 * self.stride;
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, self.bindings.of(step.program, steps.rcond), &[entry]);
            pass.dispatch_workgroups_indirect(&self.entries, u64::from(entry) + GROUPS_AT);
        }
    }
}

/// The offset at which the binding of the count begins: a multiple of `min_storage_buffer_offset_alignment`.
fn bound_from(device: &wgpu::Device, offset: u64) -> u64 {
    let alignment = u64::from(device.limits().min_storage_buffer_offset_alignment);
    offset / alignment * alignment
}
