//! The dispatches that do the work on a stack in buffers. Only counts that the GPU itself fills are dispatched
//! elsewhere, in `indirect`.

use std::ops::Range;

use super::counts::Counts;
use super::error::DeviceError;
use super::pipeline::{Bound, Pipelines};
use crate::plan::facts::GpuLimits;
use crate::plan::gpu::program::{Program, Schedule};
use crate::plan::gpu::variant::Variant;

/// The compiled steps of a variant.
#[derive(Clone, Debug)]
pub struct Steps {
    /// The steps as values.
    pub schedule: Schedule,
    /// One pipeline per step.
    pub pipelines: Vec<wgpu::ComputePipeline>,
    /// True if rcond is computed.
    pub rcond: bool,
}

impl Steps {
    /// Builds the pipelines that do not exist yet.
    pub async fn new(
        pipelines: &Pipelines,
        device: &wgpu::Device,
        variant: Variant,
        limits: &GpuLimits,
    ) -> Result<Self, DeviceError> {
        let schedule = variant.schedule(limits);
        let mut built = Vec::with_capacity(schedule.steps.len());
        for step in &schedule.steps {
            built.push(pipelines.get(device, step.program, variant.seen_by(step.program)).await?);
        }
        Ok(Self { schedule, pipelines: built, rcond: variant.rcond })
    }

    /// Dispatches a range of steps over the first `len` matrices; the buffers must hold that many. A range other
    /// than all steps needs `len` to be at most a batch.
    pub fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        range: Range<usize>,
        bindings: &Bindings,
        counts: &Counts,
        len: u32,
    ) {
        for dispatch in self.schedule.dispatches(range, len) {
            let program = self.schedule.steps[dispatch.step].program;
            let [x, y, z] = dispatch.groups;
            pass.set_pipeline(&self.pipelines[dispatch.step]);
            pass.set_bind_group(0, bindings.of(program, self.rcond), &[counts.offset(program, dispatch)]);
            pass.dispatch_workgroups(x, y, z);
        }
    }
}

/// The buffers of a stack.
#[derive(Clone, Debug)]
pub struct StackBuffers<'a> {
    /// `None` in place.
    pub input: Option<wgpu::BufferBinding<'a>>,
    /// `None` if there is no result but statuses and determinants.
    pub output: Option<wgpu::BufferBinding<'a>>,
    pub statuses: wgpu::BufferBinding<'a>,
    pub rconds: Option<wgpu::BufferBinding<'a>>,
    /// `None` if they lie in the output, or there are none.
    pub rhs: Option<wgpu::BufferBinding<'a>>,
    pub dets: Option<wgpu::BufferBinding<'a>>,
    /// Working memory and state of `device`.
    pub scratch: Option<[wgpu::BufferBinding<'a>; 2]>,
}

/// The bind groups for the buffers of a stack.
#[derive(Debug)]
pub struct Bindings {
    plain: wgpu::BindGroup,
    /// For the programs that know rcond; the same as `plain` without a buffer for it.
    with_rcond: wgpu::BindGroup,
}

impl Bindings {
    /// `params` is one entry of a table of counts.
    pub fn new(
        pipelines: &Pipelines,
        device: &wgpu::Device,
        params: wgpu::BufferBinding<'_>,
        buffers: StackBuffers<'_>,
    ) -> Self {
        let StackBuffers { input, output, statuses, rconds, rhs, dets, scratch } = buffers;
        let bound = Bound { input, output, statuses, params, scratch, rconds: None, rhs, dets };
        let plain = pipelines.bind(device, bound.clone());
        let with_rcond = match rconds {
            Some(rconds) => pipelines.bind(device, Bound { rconds: Some(rconds), ..bound }),
            None => plain.clone(),
        };
        Self { plain, with_rcond }
    }

    /// The bind group of a program; `rcond` says whether it is computed.
    pub fn of(&self, program: Program, rcond: bool) -> &wgpu::BindGroup {
        if rcond && program.knows_rcond { &self.with_rcond } else { &self.plain }
    }
}
