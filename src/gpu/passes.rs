//! The dispatches that invert a stack that lies in buffers: the one place that dispatches anything.

use std::ops::Range;

use super::Shared;
use super::pipeline::{Bound, Pipelines};
use super::shader::{CountConstants, Program};
use crate::Error;
use crate::plan::{Engine, GpuLimits, Kernel, MOST_MATRICES, Variant};

/// The programs that invert a variant's matrices, in the order in which they run.
#[derive(Clone, Debug)]
pub struct Programs {
    steps: Vec<Step>,
    /// Matrices to a batch: `device` has working memory for so many.
    batch: u32,
    /// rcond is asked for.
    rcond: bool,
}

#[derive(Clone, Debug)]
struct Step {
    program: Program,
    pipeline: wgpu::ComputePipeline,
    grid: Grid,
}

/// How the matrices of a dispatch are shared out.
#[derive(Clone, Copy, Debug)]
enum Grid {
    /// So many to a workgroup, along x.
    Several(u32),
    /// So many workgroups to one, along x and z, and the matrices along y.
    Tiles([u32; 2]),
}

impl Grid {
    /// Matrices in one row of workgroups, where so many go through working memory at once.
    fn row(self, workgroups: u32, batch: u32) -> u32 {
        match self {
            Self::Several(matrices) => workgroups.saturating_mul(matrices),
            Self::Tiles(_) => batch,
        }
    }
}

impl Programs {
    /// Builds what is not there yet.
    pub fn new(
        pipelines: &Pipelines,
        device: &wgpu::Device,
        variant: Variant,
        rcond: bool,
        limits: &GpuLimits,
    ) -> Result<Self, Error> {
        let strips = variant.padded() / variant.block;
        let programs = match variant.kernel {
            Kernel::Device => {
                let before = [Program::Load, Program::Scale, Program::Columns].to_vec();
                let sums = if rcond { vec![Program::Sums] } else { Vec::new() };
                [before, eliminations(variant), sums, vec![Program::Store, Program::Finish]].concat()
            }
            _ => vec![Program::Invert],
        };
        let built = programs.into_iter().map(|program| {
            let grid = match program {
                Program::Scale | Program::Panel => Grid::Tiles([1, 1]),
                Program::Within => Grid::Tiles(variant.update_workgroups(variant.span)),
                Program::Update => Grid::Tiles(variant.update_workgroups(variant.padded())),
                Program::Invert => Grid::Several(program.matrices(variant)),
                _ => Grid::Tiles([strips, 1]),
            };
            let variant = Variant { rcond: rcond && program.knows_rcond(), ..variant };
            Ok(Step { program, pipeline: pipelines.get(device, program, variant)?, grid })
        });
        let batch = if variant.kernel == Kernel::Device { variant.batch(limits) } else { u32::MAX };
        Ok(Self { steps: built.collect::<Result<_, Error>>()?, batch, rcond })
    }

    /// Matrices that each program takes in one row of workgroups, which is as many as `Counts::new` has answers for.
    pub fn row(&self, workgroups: u32) -> u32 {
        self.steps.iter().map(|step| step.grid.row(workgroups, self.batch)).min().unwrap_or(u32::MAX)
    }

    /// Those steps that are the piece of an index, of so many pieces.
    pub fn piece(&self, index: usize, pieces: usize) -> Range<usize> {
        let from = |index: usize| self.steps.len() * index / pieces;
        from(index)..from(index + 1)
    }

    /// Has so many matrices worked on at once, where there is working memory for more than a plan would take.
    pub fn widen(&mut self, batch: u32) {
        self.batch = self.batch.max(batch);
    }

    /// Matrices that are worked on at once, of a capacity.
    pub fn batch(&self, capacity: u32) -> u32 {
        self.batch.min(capacity)
    }
}

/// The panels of `device`, each with what takes its steps to other columns: where a span has one panel, or a matrix one
/// span, some have nothing to do.
fn eliminations(variant: Variant) -> Vec<Program> {
    let mut programs = Vec::new();
    for span in (0..variant.padded()).step_by(variant.span as usize) {
        let columns = variant.span.min(variant.padded() - span);
        for _ in 0..columns / variant.block {
            programs.push(Program::Panel);
            if columns > variant.block {
                programs.push(Program::Within);
            }
        }
        if columns < variant.padded() {
            programs.push(Program::Update);
        }
    }
    programs
}

/// The buffers of a stack.
#[derive(Clone, Debug)]
pub struct Buffers<'a> {
    /// `None` in place.
    pub input: Option<wgpu::BufferBinding<'a>>,
    pub output: wgpu::BufferBinding<'a>,
    pub statuses: wgpu::BufferBinding<'a>,
    pub rconds: Option<wgpu::BufferBinding<'a>>,
    /// Working memory and state of `device`.
    pub scratch: Option<[wgpu::BufferBinding<'a>; 2]>,
}

/// The buffers of a stack as the programs see them.
#[derive(Debug)]
pub struct Bindings {
    plain: wgpu::BindGroup,
    /// For the programs that know of rcond, where it is asked for.
    with_rcond: Option<wgpu::BindGroup>,
}

impl Bindings {
    /// `params` is one entry of a table of counts.
    pub fn new(
        pipelines: &Pipelines,
        device: &wgpu::Device,
        params: wgpu::BufferBinding<'_>,
        buffers: Buffers<'_>,
    ) -> Self {
        let Buffers { input, output, statuses, rconds, scratch } = buffers;
        let plain = Bound { input, output, statuses, params, scratch, rconds: None };
        let with_rcond = rconds.map(|rconds| pipelines.bind(device, Bound { rconds: Some(rconds), ..plain.clone() }));
        Self { plain: pipelines.bind(device, plain), with_rcond }
    }

    fn of(&self, programs: &Programs, program: Program) -> Option<&wgpu::BindGroup> {
        if programs.rcond && program.knows_rcond() { self.with_rcond.as_ref() } else { Some(&self.plain) }
    }
}

/// Dispatches the programs over the first `len` matrices, no more than the buffers hold; or some of their steps, where the
/// matrices are no more than a batch.
pub fn dispatch(
    pass: &mut wgpu::ComputePass<'_>,
    programs: &Programs,
    steps: Range<usize>,
    bindings: &Bindings,
    counts: &Counts,
    len: u32,
    workgroups: u32,
) {
    // Each batch goes through all its steps before the next, since they share the working memory.
    let batched = |step: &Step| matches!(step.grid, Grid::Tiles(_));
    for steps in programs.steps[steps].chunk_by(|a, b| batched(a) && batched(b)) {
        let (mut left, mut row) = (len, 0);
        while left > 0 {
            let mut here = 0;
            for step in steps {
                let (groups, last) = match step.grid {
                    Grid::Several(matrices) => {
                        let groups = left.div_ceil(matrices).min(workgroups);
                        here = left.min(groups * matrices);
                        ([groups, 1, 1], here - (groups - 1) * matrices)
                    }
                    Grid::Tiles([x, z]) => {
                        here = programs.batch(left);
                        ([x, here, z], 1)
                    }
                };
                pass.set_pipeline(&step.pipeline);
                pass.set_bind_group(0, bindings.of(programs, step.program), &[counts.offset(step.program, row, last)]);
                let [x, y, z] = groups;
                pass.dispatch_workgroups(x, y, z);
            }
            (left, row) = (left - here, row + 1);
        }
    }
}

/// Dispatches the programs over as many matrices as a buffer says.
pub fn dispatch_indirect(pass: &mut wgpu::ComputePass<'_>, programs: &Programs, indirect: &Indirect) {
    pass.set_pipeline(&indirect.pipeline);
    pass.set_bind_group(0, &indirect.bind_group, &[0]);
    pass.dispatch_workgroups(1, 1, 1);
    for step in &programs.steps {
        let index = indirect.programs.iter().position(|&program| program == step.program).unwrap_or_default();
        let entry = index as u32 * indirect.stride;
        pass.set_pipeline(&step.pipeline);
        pass.set_bind_group(0, indirect.bindings.of(programs, step.program), &[entry]);
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
    /// For each program, its first entry and how many there are to a row. Empty: one row of any program.
    programs: Vec<(Program, u32, u32)>,
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
        let mut entries = Vec::new();
        let mut starts: Vec<(Program, u32, u32)> = Vec::new();
        let mut rows = 1;
        for step in &programs.steps {
            if starts.iter().any(|&(program, ..)| program == step.program) {
                continue;
            }
            let in_row = step.grid.row(workgroups, programs.batch(capacity));
            let matrices = match step.grid {
                Grid::Several(matrices) => matrices,
                Grid::Tiles(_) => 1,
            };
            starts.push((step.program, entries.len() as u32, matrices));
            rows = rows.max(capacity.div_ceil(in_row));
            for row in 0..capacity.div_ceil(in_row) {
                entries.extend((1..=matrices).map(|last| [row * in_row, last]));
            }
        }
        (rows > 1).then(|| Self::with(device, entries, starts))
    }

    fn with(device: &wgpu::Device, entries: Vec<[u32; 2]>, programs: Vec<(Program, u32, u32)>) -> Self {
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
    fn offset(&self, program: Program, row: u32, last: u32) -> u32 {
        let own = self.programs.iter().find(|&&(own, ..)| own == program);
        let (start, matrices) = own.map_or((0, 0), |&(_, start, matrices)| (start, matrices));
        (start + row * matrices + last - 1) * self.stride
    }
}

/// What a dispatch needs whose count only the device knows.
#[derive(Debug)]
pub struct Indirect {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    programs: Vec<Program>,
    /// For each of them its counts, and its number of workgroups.
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
        if programs.batch(capacity) < capacity {
            let reason = format!("an indirect job of this order takes {} matrices at the most", programs.batch);
            return Err(Error::Unsupported { engine: Engine::Gpu, reason });
        }
        let mut kinds: Vec<&Step> = Vec::new();
        for step in &programs.steps {
            if kinds.iter().all(|kind| kind.program != step.program) {
                kinds.push(step);
            }
        }
        let entries = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv indirect"),
            size: kinds.len() as u64 * u64::from(stride),
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
            scratch: None,
            rconds: None,
        };
        let bind_group = shared.pipelines.bind(device, bound);
        let constants = CountConstants {
            index: ((offset - begin) / 4) as u32,
            capacity,
            programs: kinds
                .iter()
                .map(|step| step.grid)
                .map(|grid| match grid {
                    Grid::Several(matrices) => [matrices, 0, 1],
                    Grid::Tiles([x, z]) => [0, x, z],
                })
                .collect(),
            entry_words: stride / 4,
            workgroups: shared.facts.limits.workgroups,
        };
        let pipeline = shared.pipelines.count(device, &constants)?;
        let bindings = Bindings::new(&shared.pipelines, device, entry(&entries), buffers);
        let programs = kinds.iter().map(|step| step.program).collect();
        Ok(Self { pipeline, bind_group, programs, entries, stride, bindings })
    }
}

fn entry(buffer: &wgpu::Buffer) -> wgpu::BufferBinding<'_> {
    wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(ENTRY) }
}

/// Bytes from an entry of a table of counts to the next.
fn stride(device: &wgpu::Device) -> u32 {
    device.limits().min_uniform_buffer_offset_alignment.max(2 * ENTRY as u32)
}
