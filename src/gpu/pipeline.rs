//! Pipelines: one for each variant, built when first wanted, kept and shared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::errors::Errors;
use super::shader;
use crate::Error;
use crate::plan::{Engine, Variant};

/// The pipelines of one device.
#[derive(Debug)]
pub struct Pipelines {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    built: Mutex<HashMap<Variant, Arc<Mutex<Option<wgpu::ComputePipeline>>>>>,
}

/// What a binding of the shaders is; `shaders/layout.wgsl` declares them.
pub const BINDINGS: [(u32, wgpu::BufferBindingType); 4] = [
    (0, wgpu::BufferBindingType::Storage { read_only: true }),
    (1, wgpu::BufferBindingType::Storage { read_only: false }),
    (2, wgpu::BufferBindingType::Storage { read_only: false }),
    (3, wgpu::BufferBindingType::Uniform),
];

impl Pipelines {
    pub fn new(device: &wgpu::Device) -> Self {
        let entries = BINDINGS.map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        });
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("batchinv stack"),
            entries: &entries,
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("batchinv"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        Self { layout, pipeline_layout, built: Mutex::default() }
    }

    /// The bind group layout of every pipeline.
    pub fn layout(&self) -> &wgpu::BindGroupLayout {
        &self.layout
    }

    /// The pipeline of a variant. Two threads that want the same one build it once; others are not held up.
    pub fn get(&self, device: &wgpu::Device, variant: Variant) -> Result<wgpu::ComputePipeline, Error> {
        let entry = {
            let mut built = self.built.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            Arc::clone(built.entry(variant).or_default())
        };
        let mut entry = entry.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(pipeline) = &*entry {
            return Ok(pipeline.clone());
        }
        let pipeline = self.build(device, variant)?;
        *entry = Some(pipeline.clone());
        Ok(pipeline)
    }

    fn build(&self, device: &wgpu::Device, variant: Variant) -> Result<wgpu::ComputePipeline, Error> {
        let unsupported = |reason: String| Error::Unsupported { engine: Engine::Gpu, reason };
        let source = shader::source(variant)
            .ok_or_else(|| unsupported(format!("{} has no shader for {}", variant.kernel, variant.scalar)))?;
        let label = format!("batchinv {} {} {}", variant.kernel, variant.scalar, variant.order);
        let errors = Errors::watch(device);
        let module = unchecked_module(device, &label, source);
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&self.pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        errors.check(|error| unsupported(format!("the device refuses {label}: {error}")))?;
        Ok(pipeline)
    }
}

/// Compiles one of our own shaders without the run-time checks that wgpu adds for strangers' ones.
///
/// Clamped indices and bounded loops keep lavapipe from unrolling the loops of `thread`, and so from holding the matrix
/// in registers: without the checks, order 8 ran 1.4 to 2 times as fast (Mesa 22.3.6, 2 cores).
#[allow(unsafe_code, reason = "the one way to have the checks left out; the only unsafe code of this crate")]
fn unchecked_module(device: &wgpu::Device, label: &str, source: String) -> wgpu::ShaderModule {
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(label), source: wgpu::ShaderSource::Wgsl(source.into()) };
    // SAFETY: the source is put together from the files of `shaders/` and integers of a `Variant` alone. In them,
    // every loop counts up to N, COLUMNS, ROWS or a number no larger; every index into an array is such a counter or a
    // row number: in `thread`, `origin` is a permutation of 0..N at every step; in `workgroup`, rows of the extension
    // are not chosen before step N, so that positions and origins of the others stay below N. Buffers are indexed by `at(m, i, j)` and `m` with m < params.len and i, j < N, and
    // `Slot` holds buffers for at least params.len matrices of that order; every divisor is a positive constant.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}
