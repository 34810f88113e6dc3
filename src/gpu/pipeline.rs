//! Pipelines: one per program of a variant, built when first wanted, kept and shared.

use std::collections::HashMap;
#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::cache::Cache;
use super::error::DeviceError;
use super::error_scopes::{Errors, is_alive};
use super::shader::{self, CountConstants};
use crate::data::refusal::Refusal;
use crate::plan::gpu::program::Program;
use crate::plan::gpu::variant::Variant;
use crate::trusted::unchecked_module;

/// The pipelines of one device.
#[derive(Debug)]
pub struct Pipelines {
    /// One per [`Kind`].
    interfaces: [Interface; 8],
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

/// Bindings of every program: the input, the output, the statuses and the counts; `shaders/` declares them. In
/// place there is no input.
const INPUT: u32 = 0;
const OUTPUT: u32 = 1;
const STATUSES: u32 = 2;
const PARAMS: u32 = 3;
/// Bindings of `device` alone.
const WORK: u32 = 4;
const STATE: u32 = 5;
/// The binding of reciprocal condition numbers, if they are asked for.
const RCONDS: u32 = 6;

/// The buffers for these bindings.
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
        let interfaces = std::array::from_fn(|index| Interface::new(device, Kind::of(index)));
        Self {
            interfaces,
            built: Mutex::default(),
            cache: OnceLock::new(),
            #[cfg(feature = "testing")]
            checked: AtomicBool::new(false),
        }
    }

    /// Makes a bind group.
    pub fn bind(&self, device: &wgpu::Device, bound: Bound<'_>) -> wgpu::BindGroup {
        let Bound { input, output, statuses, params, scratch, rconds } = bound;
        let kind = Kind { input: input.is_some(), scratch: scratch.is_some(), rconds: rconds.is_some() };
        let interface = &self.interfaces[kind.index()];
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
        let label = format!("batchinv {} {kernel} {} {}", program.name, variant.scalar, variant.order);
        let scratch = variant.scratch().is_some();
        let kind = Kind { input: !variant.in_place, scratch, rconds: variant.rcond };
        let layout = &self.interfaces[kind.index()].pipeline;
        let pipeline = self.compile(device, layout, &label, program.entry, shader::source(program, variant)).await?;
        *entry = Some(pipeline.clone());
        Ok(pipeline)
    }

    /// The pipeline that turns a count into dispatches. It is not kept, because each job has its own constants.
    pub async fn count(
        &self,
        device: &wgpu::Device,
        constants: &CountConstants,
    ) -> Result<wgpu::ComputePipeline, DeviceError> {
        let kind = Kind { input: true, scratch: false, rconds: false };
        let layout = &self.interfaces[kind.index()].pipeline;
        self.compile(device, layout, "batchinv count", "main", shader::count(constants)).await
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
        errors.check().await.map_err(|error| match error {
            DeviceError::Lost(detail) if is_alive(device) => {
                DeviceError::Unsupported(Refusal::Program { program: label.to_owned(), detail })
            }
            DeviceError::Lost(detail) => DeviceError::Lost(format!("the device refuses {label}: {detail}")),
            other => other,
        })?;
        Ok(pipeline)
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
