//! The dispatches that invert a stack that lies in buffers: the one place that dispatches anything.

use super::pipeline::{Bound, Pipelines};
use super::shader::Program;
use crate::Error;
use crate::plan::{MOST_MATRICES, Variant};

/// The pipelines for a variant, in the order in which they run.
#[derive(Clone, Debug)]
pub struct Programs(Vec<(Program, wgpu::ComputePipeline, u32)>);

impl Programs {
    /// Builds what is not there yet.
    pub fn new(pipelines: &Pipelines, device: &wgpu::Device, variant: Variant, rcond: bool) -> Result<Self, Error> {
        let programs: &[Program] =
            if rcond { &[Program::Norm, Program::Invert, Program::Rcond] } else { &[Program::Invert] };
        let built = programs
            .iter()
            .map(|&program| Ok((program, pipelines.get(device, program, variant)?, program.matrices(variant))));
        built.collect::<Result<_, _>>().map(Self)
    }
}

/// The buffers of a stack.
#[derive(Clone, Debug)]
pub struct Buffers<'a> {
    /// `None` in place.
    pub input: Option<wgpu::BufferBinding<'a>>,
    pub output: wgpu::BufferBinding<'a>,
    pub statuses: wgpu::BufferBinding<'a>,
    pub rconds: Option<wgpu::BufferBinding<'a>>,
}

/// The buffers of a stack as the programs see them.
#[derive(Debug)]
pub struct Bindings {
    invert: wgpu::BindGroup,
    /// For the norms of the input, and of the inverses.
    norms: Option<[wgpu::BindGroup; 2]>,
}

impl Bindings {
    pub fn new(pipelines: &Pipelines, device: &wgpu::Device, counts: &Counts, buffers: Buffers<'_>) -> Self {
        let Buffers { input, output, statuses, rconds } = buffers;
        let params = counts.binding();
        let norms = rconds.map(|rconds| {
            [input.clone().unwrap_or_else(|| output.clone()), output.clone()].map(|matrices| {
                let (statuses, params) = (statuses.clone(), params.clone());
                pipelines.bind(device, Bound { input: Some(matrices), output: rconds.clone(), statuses, params })
            })
        });
        Self { invert: pipelines.bind(device, Bound { input, output, statuses, params }), norms }
    }

    fn of(&self, program: Program) -> Option<&wgpu::BindGroup> {
        match program {
            Program::Invert => Some(&self.invert),
            Program::Norm => self.norms.as_ref().map(|[input, _]| input),
            Program::Rcond => self.norms.as_ref().map(|[_, inverses]| inverses),
        }
    }
}

/// Dispatches the programs over the first `len` matrices. `len` is not 0, and no more than the buffers hold and one row
/// of workgroups takes.
pub fn dispatch(pass: &mut wgpu::ComputePass<'_>, programs: &Programs, bindings: &Bindings, counts: &Counts, len: u32) {
    for (program, pipeline, matrices) in &programs.0 {
        let groups = len.div_ceil(*matrices);
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, bindings.of(*program), &[counts.offset(len - (groups - 1) * matrices)]);
        pass.dispatch_workgroups(groups, 1, 1);
    }
}

/// How many matrices the last workgroup has: a table of every answer, from which a dynamic offset picks one, so
/// that a new count takes neither a new buffer nor a write to an old one.
#[derive(Debug)]
pub struct Counts {
    buffer: wgpu::Buffer,
    /// Bytes from an entry to the next.
    stride: u32,
}

/// What `Params` of the shaders takes.
const ENTRY: u64 = 16;

impl Counts {
    pub fn new(device: &wgpu::Device) -> Self {
        let stride = device.limits().min_uniform_buffer_offset_alignment.max(ENTRY as u32);
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv counts"),
            size: u64::from(MOST_MATRICES * stride),
            usage: wgpu::BufferUsages::UNIFORM,
            mapped_at_creation: true,
        });
        if let Ok(mut view) = buffer.get_mapped_range_mut(..) {
            for last in 1..=MOST_MATRICES {
                let start = ((last - 1) * stride) as usize;
                let entry = [0, last, 0, 0_u32];
                view.slice(start..start + ENTRY as usize).copy_from_slice(bytemuck::cast_slice(&entry));
            }
        }
        buffer.unmap();
        Self { buffer, stride }
    }

    fn binding(&self) -> wgpu::BufferBinding<'_> {
        wgpu::BufferBinding { buffer: &self.buffer, offset: 0, size: wgpu::BufferSize::new(ENTRY) }
    }

    /// Of the entry for `last` matrices in the last workgroup.
    fn offset(&self, last: u32) -> u32 {
        (last - 1) * self.stride
    }
}
