//! Pipelines: one per program of a variant, built when first wanted, kept and shared.

use std::collections::HashMap;
#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::cache::Cache;
use super::error::DeviceError;
use super::error_scopes::Errors;
use super::platform::{in_dialect, is_alive};
use super::shader;
use crate::data::engine::{GpuKernel, Op};
use crate::data::refusal::Refusal;
use crate::plan::gpu::program::Program;
use crate::plan::gpu::variant::Variant;
use crate::trusted::unchecked_module;

/// The pipelines of one device.
#[derive(Debug)]
pub struct Pipelines {
    /// One per [`Kind`], made when it is first wanted.
    interfaces: [OnceLock<Interface>; 64],
    built: Mutex<HashMap<(Program, Variant), Built>>,
    /// The file of compiled pipelines, if the caller named one.
    pub cache: OnceLock<Cache>,
    /// True if wgpu's own checks are compiled into shaders.
    #[cfg(feature = "testing")]
    pub checked: AtomicBool,
}

/// A pipeline, or `None` if it is not built yet. The lock is held during the build, so that it happens once.
type Built = Arc<futures_intrusive::sync::Mutex<Option<wgpu::ComputePipeline>>>;

/// The bindings of a pipeline.
#[derive(Debug)]
struct Interface {
    bindings: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}

/// The optional bindings of a pipeline.
#[derive(Clone, Copy, Debug, Default)]
struct Kind {
    input: bool,
    output: bool,
    /// Working memory and state.
    scratch: bool,
    rconds: bool,
    rhs: bool,
    dets: bool,
}

impl Kind {
    fn of(variant: &Variant) -> Self {
        Self {
            input: !variant.in_place,
            output: variant.op != Op::Det,
            scratch: variant.scratch().is_some(),
            rconds: variant.rcond,
            rhs: variant.op == Op::Solve && !variant.rhs_in_place,
            dets: variant.det,
        }
    }

    fn index(self) -> usize {
        let Self { input, output, scratch, rconds, rhs, dets } = self;
        [input, output, scratch, rconds, rhs, dets].into_iter().fold(0, |index, bit| 2 * index + usize::from(bit))
    }

    const fn has(self, binding: u32) -> bool {
        match binding {
            INPUT => self.input,
            OUTPUT => self.output,
            WORK | STATE => self.scratch,
            RCONDS => self.rconds,
            RHS => self.rhs,
            DETS => self.dets,
            _ => true,
        }
    }
}

/// Bindings of every program: the input, the output, the statuses and the counts; `shaders/` declares them. In
/// place there is no input, and `det` has no output.
const INPUT: u32 = 0;
const OUTPUT: u32 = 1;
const STATUSES: u32 = 2;
const PARAMS: u32 = 3;
/// Bindings of `device` alone.
const WORK: u32 = 4;
const STATE: u32 = 5;
/// The binding of reciprocal condition numbers, if they are asked for.
const RCONDS: u32 = 6;
/// The binding of right-hand sides, unless they lie in the output.
const RHS: u32 = 7;
/// The binding of determinants, if they are asked for.
const DETS: u32 = 8;

/// The buffers for these bindings.
#[derive(Clone, Debug)]
pub struct Bound<'a> {
    /// `None` in place.
    pub input: Option<wgpu::BufferBinding<'a>>,
    /// `None` if there is no result but statuses and determinants.
    pub output: Option<wgpu::BufferBinding<'a>>,
    pub statuses: wgpu::BufferBinding<'a>,
    pub params: wgpu::BufferBinding<'a>,
    /// Working memory and state of `device`.
    pub scratch: Option<[wgpu::BufferBinding<'a>; 2]>,
    pub rconds: Option<wgpu::BufferBinding<'a>>,
    /// `None` if they lie in the output, or there are none.
    pub rhs: Option<wgpu::BufferBinding<'a>>,
    pub dets: Option<wgpu::BufferBinding<'a>>,
}

impl<'a> Bound<'a> {
    /// The buffers of every program, and none else.
    pub fn new(statuses: wgpu::BufferBinding<'a>, params: wgpu::BufferBinding<'a>) -> Self {
        Self { input: None, output: None, statuses, params, scratch: None, rconds: None, rhs: None, dets: None }
    }
}

impl Pipelines {
    pub fn new() -> Self {
        Self {
            interfaces: std::array::from_fn(|_| OnceLock::new()),
            built: Mutex::default(),
            cache: OnceLock::new(),
            #[cfg(feature = "testing")]
            checked: AtomicBool::new(false),
        }
    }

    fn interface(&self, device: &wgpu::Device, kind: Kind) -> &Interface {
        self.interfaces[kind.index()].get_or_init(|| Interface::new(device, kind))
    }

    /// Makes a bind group.
    pub fn bind(&self, device: &wgpu::Device, bound: Bound<'_>) -> wgpu::BindGroup {
        let Bound { input, output, statuses, params, scratch, rconds, rhs, dets } = bound;
        let kind = Kind {
            input: input.is_some(),
            output: output.is_some(),
            scratch: scratch.is_some(),
            rconds: rconds.is_some(),
            rhs: rhs.is_some(),
            dets: dets.is_some(),
        };
        let interface = self.interface(device, kind);
        let [work, state] = scratch.map_or([None, None], |scratch| scratch.map(Some));
        let buffers = [
            (INPUT, input),
            (OUTPUT, output),
            (STATUSES, Some(statuses)),
            (PARAMS, Some(params)),
            (WORK, work),
            (STATE, state),
            (RCONDS, rconds),
            (RHS, rhs),
            (DETS, dets),
        ];
        let entries: Vec<_> = buffers
            .into_iter()
            .filter_map(|(binding, buffer)| {
                Some(wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::Buffer(buffer?) })
            })
            .collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("batchinv"),
            layout: &interface.bindings,
            entries: &entries,
        })
    }

    /// The pipeline of a program. Tasks that want the same pipeline build it once, and do not delay other tasks.
    pub async fn get(
        &self,
        device: &wgpu::Device,
        program: Program,
        variant: Variant,
    ) -> Result<wgpu::ComputePipeline, DeviceError> {
        let entry = {
            let mut built = self.built.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let new = || Arc::new(futures_intrusive::sync::Mutex::new(None, false));
            Arc::clone(built.entry((program, variant)).or_insert_with(new))
        };
        let mut entry = entry.lock().await;
        if let Some(pipeline) = &*entry {
            return Ok(pipeline.clone());
        }
        let kernel = variant.kernel();
        let Variant { op, scalar, order, .. } = variant;
        let label = format!("batchinv {} {} {kernel} {scalar} {order}", op.name(), program.name);
        let layout = &self.interface(device, Kind::of(&variant)).pipeline;
        let text = in_dialect(shader::source(program, variant), kernel == GpuKernel::Subgroup);
        let pipeline = self.compile(device, layout, &label, program.entry, text).await?;
        *entry = Some(pipeline.clone());
        Ok(pipeline)
    }

    /// A pipeline that has an input and an output and is not kept.
    pub async fn alone(
        &self,
        device: &wgpu::Device,
        label: &str,
        source: String,
    ) -> Result<wgpu::ComputePipeline, DeviceError> {
        let kind = Kind { input: true, output: true, ..Kind::default() };
        let layout = &self.interface(device, kind).pipeline;
        self.compile(device, layout, label, "main", source).await
    }

    fn module(&self, device: &wgpu::Device, label: &str, source: String) -> wgpu::ShaderModule {
        #[cfg(feature = "testing")]
        if self.checked.load(Ordering::Relaxed) {
            let source = wgpu::ShaderSource::Wgsl(source.into());
            return device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(label), source });
        }
        unchecked_module(device, label, source)
    }

    async fn compile(
        &self,
        device: &wgpu::Device,
        layout: &wgpu::PipelineLayout,
        label: &str,
        entry: &str,
        source: String,
    ) -> Result<wgpu::ComputePipeline, DeviceError> {
        let errors = Errors::watch(device);
        let module = self.module(device, label, source);
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(label),
            layout: Some(layout),
            module: &module,
            entry_point: Some(entry),
            // No result depends on workgroup memory that was not written before.
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: self.cache.get().map(|cache| &cache.pipelines),
        });
        match errors.check().await {
            Ok(()) => Ok(pipeline),
            Err(DeviceError::Lost(detail)) if is_alive(device).await => {
                Err(DeviceError::Unsupported(Refusal::Program { program: label.to_owned(), detail }))
            }
            Err(DeviceError::Lost(detail)) => Err(DeviceError::Lost(format!("the device refuses {label}: {detail}"))),
            Err(other) => Err(other),
        }
    }
}

impl Interface {
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
            (RHS, storage(true)),
            (DETS, storage(false)),
        ];
        let entries: Vec<_> = types
            .into_iter()
            .filter(|&(binding, _)| kind.has(binding))
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
