//! A frame: normal matrices of all instances, computed and used on the device.

use batchinv::gpu::{GpuInverter, JobDescriptor};
use batchinv::plan::Layout;
use batchinv::{OnFailure, ScalarKind, wgpu};
use js_sys::Promise;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

/// Instances, each a pixel.
const INSTANCES: u32 = 64;

/// The instance whose transform is singular.
const FLAT: u32 = 7;

/// Elements of each normal matrix, one of them off the diagonal, as a color.
const SHADER: &str = "
@group(0) @binding(0) var<storage, read> normals: array<mat3x3f>;

struct Instance {
    @builtin(position) position: vec4f,
    @location(0) @interpolate(flat) normal: vec3f,
}

@vertex
fn place(@builtin(instance_index) instance: u32) -> Instance {
    let x = (f32(instance) + 0.5) / 64.0 * 2.0 - 1.0;
    let normal = normals[instance];
    return Instance(vec4f(x, 0.0, 0.0, 1.0), vec3f(normal[0][0], -normal[0][1], normal[2][2]));
}

@fragment
fn color(instance: Instance) -> @location(0) vec4f {
    return vec4f(instance.normal, 1.0);
}
";

/// Renders a frame and returns its pixels: red, green, blue and alpha of each instance.
///
/// # Errors
/// If there is no WebGPU, or a verdict is wrong.
#[wasm_bindgen]
pub async fn frame() -> Result<Vec<u8>, JsError> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await?;
    let (device, queue) = adapter.request_device(&wgpu::DeviceDescriptor::default()).await?;
    let buffer = |size: u32, usage| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(size),
            usage,
            mapped_at_creation: false,
        })
    };
    let transforms = buffer(INSTANCES * 64, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST);
    let normals = buffer(INSTANCES * 48, wgpu::BufferUsages::STORAGE);
    let pixels = buffer(INSTANCES * 4, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ);
    let of = |instance: u32| {
        let scale = if instance == FLAT { 0.0 } else { (1 + instance % 2) as f32 };
        let mut transform = [0.0_f32; 16];
        // A shear: the second column has a part along the first axis.
        transform[4] = 1.0;
        [transform[0], transform[5], transform[10], transform[15]] = [scale, 2.0, 4.0, 1.0];
        transform.map(f32::to_le_bytes).concat()
    };
    queue.write_buffer(&transforms, 0, &(0..INSTANCES).flat_map(of).collect::<Vec<u8>>());

    let gpu = GpuInverter::from_device(&device, &queue);
    let upper_left = Layout { offset: 0, matrix: 16, row: 1, column: 4 };
    let mat3x3 = Layout { offset: 0, matrix: 12, row: 1, column: 4 };
    let descriptor = JobDescriptor::new(ScalarKind::Float32, 3, INSTANCES, &transforms)
        .input_layout(upper_left)
        .output(&normals, mat3x3.transposed())
        .on_failure(OnFailure::Zero);
    let job = gpu.job_async(&descriptor).await?;

    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(SHADER.into()),
    });
    let target = wgpu::TextureFormat::Rgba8Unorm;
    let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: None,
        layout: None,
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState { topology: wgpu::PrimitiveTopology::PointList, ..Default::default() },
        depth_stencil: None,
        multisample: Default::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            targets: &[Some(target.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: normals.as_entire_binding() }],
    });
    let size = wgpu::Extent3d { width: INSTANCES, height: 1, depth_or_array_layers: 1 };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: target,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&Default::default());

    let mut encoder = device.create_command_encoder(&Default::default());
    job.encode(&mut encoder, INSTANCES)?;
    {
        let attachment = wgpu::RenderPassColorAttachment {
            view: &view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
        };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(attachment)],
            ..Default::default()
        });
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.draw(0..1, 0..INSTANCES);
    }
    encoder.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo { buffer: &pixels, layout: Default::default() },
        size,
    );
    queue.submit([encoder.finish()]);

    match job.first_failure(INSTANCES).await? {
        Some((instance, status)) if instance == FLAT as usize && status.word() == 1 => {}
        other => return Err(JsError::new(&format!("the first failure is {other:?}"))),
    }
    mapped(&pixels).await?;
    Ok(pixels.get_mapped_range(..)?.to_vec())
}

/// Waits until the host may read a buffer.
async fn mapped(buffer: &wgpu::Buffer) -> Result<(), JsError> {
    let promise = Promise::new(&mut |resolve, reject| {
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            let settle = if result.is_ok() { resolve } else { reject };
            let _ = settle.call0(&JsValue::UNDEFINED);
        });
    });
    let waited = JsFuture::from(promise).await;
    waited.map(drop).map_err(|_| JsError::new("the pixels cannot be mapped"))
}
