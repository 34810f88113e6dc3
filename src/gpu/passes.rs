//! The dispatches that invert a stack that lies in buffers: the one place that dispatches anything.

use super::Shared;
use super::pipeline::{Bound, Pipelines};
use super::shader::{CountConstants, Program};
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
    /// `params` is one entry of a table of counts.
    pub fn new(
        pipelines: &Pipelines,
        device: &wgpu::Device,
        params: wgpu::BufferBinding<'_>,
        buffers: Buffers<'_>,
    ) -> Self {
        let Buffers { input, output, statuses, rconds } = buffers;
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

/// Dispatches the programs over the first `len` matrices, no more than the buffers hold, in rows of at most `workgroups`
/// workgroups.
pub fn dispatch(
    pass: &mut wgpu::ComputePass<'_>,
    programs: &Programs,
    bindings: &Bindings,
    counts: &Counts,
    len: u32,
    workgroups: u32,
) {
    for (index, &(program, ref pipeline, matrices)) in programs.0.iter().enumerate() {
        pass.set_pipeline(pipeline);
        let (mut left, mut row) = (len, 0);
        while left > 0 {
            let groups = left.div_ceil(matrices).min(workgroups);
            let here = left.min(groups * matrices);
            let last = here - (groups - 1) * matrices;
            pass.set_bind_group(0, bindings.of(program), &[counts.offset(index, row, last)]);
            pass.dispatch_workgroups(groups, 1, 1);
            (left, row) = (left - here, row + 1);
        }
    }
}

/// Dispatches the programs over as many matrices as a buffer says.
pub fn dispatch_indirect(pass: &mut wgpu::ComputePass<'_>, programs: &Programs, indirect: &Indirect) {
    pass.set_pipeline(&indirect.pipeline);
    pass.set_bind_group(0, &indirect.bind_group, &[0]);
    pass.dispatch_workgroups(1, 1, 1);
    for (index, (program, pipeline, _)) in programs.0.iter().enumerate() {
        let entry = index as u32 * indirect.stride;
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, indirect.bindings.of(*program), &[entry]);
        pass.dispatch_workgroups_indirect(&indirect.entries, u64::from(entry) + GROUPS_AT);
    }
}

/// How many matrices the workgroups of a dispatch have: a table of every answer, from which a dynamic offset picks one,
/// so that a new count takes neither a new buffer nor a write to an old one.
#[derive(Debug)]
pub struct Counts {
    buffer: wgpu::Buffer,
    /// Bytes from an entry to the next.
    stride: u32,
    /// For each program, its first entry and its matrices to a workgroup. Empty: one row of any program.
    programs: Vec<(u32, u32)>,
}

/// Bytes that `Params` of the shaders takes.
const ENTRY: u64 = 16;

/// Where in an entry of an indirect dispatch the number of workgroups lies.
const GROUPS_AT: u64 = 16;

impl Counts {
    /// For any program, in one row of workgroups.
    pub fn new(device: &wgpu::Device) -> Self {
        Self::with(device, (1..=MOST_MATRICES).map(|last| [0, last]).collect(), Vec::new())
    }

    /// For the programs of a job, where its capacity takes more than one row.
    pub fn for_capacity(device: &wgpu::Device, programs: &Programs, capacity: u32, workgroups: u32) -> Option<Self> {
        if programs.0.iter().all(|&(_, _, matrices)| capacity.div_ceil(matrices) <= workgroups) {
            return None;
        }
        let mut entries = Vec::new();
        let mut starts = Vec::new();
        for &(_, _, matrices) in &programs.0 {
            starts.push((entries.len() as u32, matrices));
            for row in 0..capacity.div_ceil(matrices).div_ceil(workgroups) {
                entries.extend((1..=matrices).map(|last| [row * workgroups * matrices, last]));
            }
        }
        Some(Self::with(device, entries, starts))
    }

    fn with(device: &wgpu::Device, entries: Vec<[u32; 2]>, programs: Vec<(u32, u32)>) -> Self {
        let stride = stride(device);
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv counts"),
            size: entries.len() as u64 * u64::from(stride),
            usage: wgpu::BufferUsages::UNIFORM,
            mapped_at_creation: true,
        });
        if let Ok(mut view) = buffer.get_mapped_range_mut(..) {
            for (index, [base, last]) in entries.into_iter().enumerate() {
                let start = index * stride as usize;
                let entry = [base, last, 0, 0];
                view.slice(start..start + ENTRY as usize).copy_from_slice(bytemuck::cast_slice(&entry));
            }
        }
        buffer.unmap();
        Self { buffer, stride, programs }
    }

    /// One entry, at a dynamic offset.
    pub fn binding(&self) -> wgpu::BufferBinding<'_> {
        entry(&self.buffer)
    }

    /// Of the entry for a row of workgroups of a program, with `last` matrices in the last workgroup.
    fn offset(&self, program: usize, row: u32, last: u32) -> u32 {
        let (start, matrices) = self.programs.get(program).copied().unwrap_or_default();
        (start + row * matrices + last - 1) * self.stride
    }
}

/// What a dispatch needs whose count only the device knows.
#[derive(Debug)]
pub struct Indirect {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    /// For each program its counts, and its number of workgroups.
    entries: wgpu::Buffer,
    stride: u32,
    bindings: Bindings,
}

impl Indirect {
    /// For a count at an offset of a buffer, a multiple of 4.
    pub fn new(
        shared: &Shared,
        programs: &Programs,
        buffers: Buffers<'_>,
        (count, offset): (&wgpu::Buffer, u64),
        capacity: u32,
    ) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let device = &shared.device;
        let stride = stride(device);
        let entries = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv indirect"),
            size: programs.0.len() as u64 * u64::from(stride),
            usage: Usage::STORAGE | Usage::UNIFORM | Usage::INDIRECT,
            mapped_at_creation: false,
        });
        let alignment = u64::from(device.limits().min_storage_buffer_offset_alignment);
        let begin = offset / alignment * alignment;
        let size = wgpu::BufferSize::new(offset + 4 - begin);
        let bound = Bound {
            input: Some(wgpu::BufferBinding { buffer: count, offset: begin, size }),
            output: entries.as_entire_buffer_binding(),
            statuses: buffers.statuses.clone(),
            params: shared.counts.binding(),
        };
        let bind_group = shared.pipelines.bind(device, bound);
        let constants = CountConstants {
            index: ((offset - begin) / 4) as u32,
            capacity,
            matrices: programs.0.iter().map(|&(_, _, matrices)| matrices).collect(),
            entry_words: stride / 4,
            workgroups: shared.facts.limits.workgroups,
        };
        let pipeline = shared.pipelines.count(device, &constants)?;
        let bindings = Bindings::new(&shared.pipelines, device, entry(&entries), buffers);
        Ok(Self { pipeline, bind_group, entries, stride, bindings })
    }
}

fn entry(buffer: &wgpu::Buffer) -> wgpu::BufferBinding<'_> {
    wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(ENTRY) }
}

/// Bytes from an entry of a table of counts to the next.
fn stride(device: &wgpu::Device) -> u32 {
    device.limits().min_uniform_buffer_offset_alignment.max(2 * ENTRY as u32)
}
