//! Pipelines: one for each program of a variant, built when first wanted, kept and shared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::cache::Cache;
use super::errors::{Errors, is_alive};
use super::shader::{self, CountConstants, Program};
use crate::Error;
use crate::plan::{Engine, Kernel, Variant};
use crate::trusted::unchecked_module;

/// The pipelines of one device.
#[derive(Debug)]
pub struct Pipelines {
    /// One of each [`Kind`].
    shapes: [Shape; 8],
    built: Mutex<HashMap<(Program, Variant), Slot>>,
    /// Where the caller has them kept.
    pub cache: OnceLock<Cache>,
}

/// A pipeline, or none yet; who builds it holds the lock, so that nobody builds it twice.
type Slot = Arc<Mutex<Option<wgpu::ComputePipeline>>>;

/// What a pipeline binds.
#[derive(Debug)]
struct Shape {
    bindings: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}

/// What a pipeline binds of what not all do.
#[derive(Clone, Copy, Debug)]
struct Kind {
    input: bool,
    /// Working memory and state.
    scratch: bool,
    rconds: bool,
}

impl Kind {
    const fn index(self) -> usize {
        self.input as usize + 2 * self.scratch as usize + 4 * self.rconds as usize
    }

    const fn of(index: usize) -> Self {
        Self { input: index & 1 != 0, scratch: index & 2 != 0, rconds: index & 4 != 0 }
    }
}

/// Bindings of every program: the input, the output, the statuses and the counts; `shaders/` declares them. In place
/// there is no input.
const INPUT: u32 = 0;
const OUTPUT: u32 = 1;
const STATUSES: u32 = 2;
const PARAMS: u32 = 3;
/// Of `device` alone.
const WORK: u32 = 4;
const STATE: u32 = 5;
/// Where they are asked for.
const RCONDS: u32 = 6;

/// What is bound to them.
#[derive(Clone, Debug)]
pub struct Bound<'a> {
    /// `None` in place.
    pub input: Option<wgpu::BufferBinding<'a>>,
    pub output: wgpu::BufferBinding<'a>,
    pub statuses: wgpu::BufferBinding<'a>,
    pub params: wgpu::BufferBinding<'a>,
    /// Working memory and state of `device`.
    pub scratch: Option<[wgpu::BufferBinding<'a>; 2]>,
    pub rconds: Option<wgpu::BufferBinding<'a>>,
}

impl Pipelines {
    pub fn new(device: &wgpu::Device) -> Self {
        let shapes = std::array::from_fn(|index| Shape::new(device, Kind::of(index)));
        Self { shapes, built: Mutex::default(), cache: OnceLock::new() }
    }

    /// Buffers as the programs see them.
    pub fn bind(&self, device: &wgpu::Device, bound: Bound<'_>) -> wgpu::BindGroup {
        let Bound { input, output, statuses, params, scratch, rconds } = bound;
        let kind = Kind { input: input.is_some(), scratch: scratch.is_some(), rconds: rconds.is_some() };
        let shape = &self.shapes[kind.index()];
        let [work, state] = scratch.map_or([None, None], |scratch| scratch.map(Some));
        let buffers = [
            (INPUT, input),
            (OUTPUT, Some(output)),
            (STATUSES, Some(statuses)),
            (PARAMS, Some(params)),
            (WORK, work),
            (STATE, state),
            (RCONDS, rconds),
        ];
        let entries: Vec<_> = buffers
            .into_iter()
            .filter_map(|(binding, buffer)| {
                Some(wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::Buffer(buffer?) })
            })
            .collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("batchinv"),
            layout: &shape.bindings,
            entries: &entries,
        })
    }

    /// The pipeline of a program. Two threads that want the same one build it once; others are not held up.
    pub fn get(
        &self,
        device: &wgpu::Device,
        program: Program,
        variant: Variant,
    ) -> Result<wgpu::ComputePipeline, Error> {
        let entry = {
            let mut built = self.built.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            Arc::clone(built.entry((program, variant)).or_default())
        };
        let mut entry = entry.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(pipeline) = &*entry {
            return Ok(pipeline.clone());
        }
        let pipeline = self.build(device, program, variant)?;
        *entry = Some(pipeline.clone());
        Ok(pipeline)
    }

    fn build(&self, device: &wgpu::Device, program: Program, variant: Variant) -> Result<wgpu::ComputePipeline, Error> {
        let unsupported = |reason: String| Error::Unsupported { engine: Engine::Gpu, reason };
        let source =
            shader::source(program, variant).ok_or_else(|| unsupported(format!("{} has no shader", variant.kernel)))?;
        let label = format!("batchinv {program:?} {} {} {}", variant.kernel, variant.scalar, variant.order);
        let scratch = variant.kernel == Kernel::Device;
        let kind = Kind { input: !variant.in_place, scratch, rconds: variant.rcond };
        self.compile(device, &self.shapes[kind.index()].pipeline, &label, program.entry(), source)
    }

    /// The pipeline that turns a count into dispatches. Each job has its own constants: none is kept.
    pub fn count(&self, device: &wgpu::Device, constants: &CountConstants) -> Result<wgpu::ComputePipeline, Error> {
        let kind = Kind { input: true, scratch: false, rconds: false };
        self.compile(device, &self.shapes[kind.index()].pipeline, "batchinv count", "main", shader::count(constants))
    }

    fn compile(
        &self,
        device: &wgpu::Device,
        layout: &wgpu::PipelineLayout,
        label: &str,
        entry: &str,
        source: String,
    ) -> Result<wgpu::ComputePipeline, Error> {
        let errors = Errors::watch(device);
        let module = unchecked_module(device, label, source);
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(label),
            layout: Some(layout),
            module: &module,
            entry_point: Some(entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: self.cache.get().map(|cache| &cache.pipelines),
        });
        errors.check(|error| {
            let reason = format!("the device refuses {label}: {error}");
            match is_alive(device) {
                true => Error::Unsupported { engine: Engine::Gpu, reason },
                false => Error::DeviceLost { done: 0, len: 0, detail: reason },
            }
        })?;
        Ok(pipeline)
    }
}

impl Shape {
    fn new(device: &wgpu::Device, kind: Kind) -> Self {
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let types = [
            (INPUT, storage(true)),
            (OUTPUT, storage(false)),
            (STATUSES, storage(false)),
            (PARAMS, wgpu::BufferBindingType::Uniform),
            (WORK, storage(false)),
            (STATE, storage(false)),
            (RCONDS, storage(false)),
        ];
        let entries: Vec<_> = types
            .into_iter()
            .filter(|&(binding, _)| match binding {
                INPUT => kind.input,
                WORK | STATE => kind.scratch,
                RCONDS => kind.rconds,
                _ => true,
            })
            .map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: binding == PARAMS, min_binding_size: None },
                count: None,
            })
            .collect();
        let bindings = device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some("batchinv"), entries: &entries });
        let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("batchinv"),
            bind_group_layouts: &[Some(&bindings)],
            immediate_size: 0,
        });
        Self { bindings, pipeline }
    }
}
