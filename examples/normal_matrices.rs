//! Lights thousands of non-uniformly scaled objects with the right normals, in one submission.
//!
//! A non-uniform scale does not transform normals like the surface: they transform by the cofactor matrix of the
//! transform's 3x3 part. Renderers that use the transform itself light squashed and stretched objects wrongly. An
//! inverse transpose points the same way or the opposite one, but a transform that flattens has none, and its object
//! would be black. Here every instance is a flattened sphere, one petal of a flower, and every third petal has no
//! thickness at all. Its 3x4 transform is in the instance buffer beside its color. A compute pass reads the transforms
//! in that buffer and writes normal matrices, and a render pass uses them in the same submission. No matrix passes
//! through host memory.
//!
//!     cargo run --release --example normal_matrices [FOLDER [OBJECTS [PIXELS]]]
//!
//! The example writes FOLDER/normal_matrices.png: the right normals on the left,
//! those by the transforms on the right.
#![allow(clippy::print_stdout, reason = "an example prints its measurements")]

use std::time::Instant;
use std::{env, error, fs};

use batchinv::gpu::{self, GpuInverter, JobDescriptor};
use batchinv::plan::Layout;
use batchinv::{ScalarKind, wgpu};
use glam::camera::rh::proj::directx;
use glam::camera::rh::view::look_at_mat4;
use glam::{Affine3A, DMat3, Mat3, Quat, Vec3};
use wgpu::util::DeviceExt;

/// An instance as the shader sees it: the three rows of a 3x4 transform, then a color.
type Instance = [[f32; 4]; 4];

/// The layout of the 3x3 parts in the instance buffer, in elements: sixteen per instance, four per row.
const TRANSFORMS: Layout = Layout { offset: 0, matrix: 16, row: 4, column: 1 };

/// WGSL's `array<mat3x3<f32>>`: column after column, each padded to four elements.
const MAT3X3: Layout = Layout { offset: 0, matrix: 12, row: 1, column: 4 };

fn main() -> Result<(), Box<dyn error::Error>> {
    let mut args = env::args().skip(1);
    let folder = args.next().unwrap_or_else(|| "target/examples-out".to_owned());
    let objects = args.next().map_or(Ok(3_000), |text| text.parse::<u32>())?.max(1);
    let pixels = args.next().map_or(Ok(800), |text| text.parse::<u32>())?.max(1).next_multiple_of(32);

    // The program's own device, opened with the features and limits that batchinv can use.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&Default::default()))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: gpu::wanted_features(&adapter),
        required_limits: gpu::wanted_limits(&adapter),
        ..Default::default()
    }))?;

    let flower: Vec<Instance> = (0..objects).map(|index| petal(index as f32 / objects as f32, index)).collect();
    let instances = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("instances"),
        contents: bytemuck::cast_slice(&flower),
        usage: wgpu::BufferUsages::STORAGE,
    });
    let normals = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("normal matrices"),
        size: u64::from(objects) * 48,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });

    // The job is made once. Encoding it in every frame allocates nothing.
    let job = GpuInverter::from_device(&device, &queue).job(
        &JobDescriptor::new(ScalarKind::Float32, 3, objects, &instances)
            .input_layout(TRANSFORMS)
            .cofactors()
            .output(&normals, MAT3X3),
    )?;
    let scene = Scene::new(&device, &instances, &normals, pixels);

    let start = Instant::now();
    let mut encoder = device.create_command_encoder(&Default::default());
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        // A real program would move the objects here, in a pass of its own.
        job.encode_in_pass(&mut pass, objects)?;
    }
    scene.draw(&mut encoder, objects);
    let picture = copy(&device, &mut encoder, |encoder, to| scene.read(encoder, to), u64::from(pixels * pixels) * 8);
    let matrices = copy(
        &device,
        &mut encoder,
        |encoder, to| encoder.copy_buffer_to_buffer(&normals, 0, to, 0, normals.size()),
        normals.size(),
    );
    queue.submit([encoder.finish()]);
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let seconds = start.elapsed().as_secs_f64();

    let failure = pollster::block_on(job.first_failure(objects))?;
    let path = format!("{folder}/normal_matrices.png");
    fs::create_dir_all(&folder)?;
    let mut png = png::Encoder::new(fs::File::create(&path)?, 2 * pixels, pixels);
    png.set_color(png::ColorType::Rgba);
    png.write_header()?.write_image_data(&picture.get_mapped_range(..)?)?;

    let info = adapter.get_info();
    let (error, angle) = compare(&flower, bytemuck::cast_slice(&matrices.get_mapped_range(..)?));
    println!("{objects} objects on {}: {:.1} ms for both pictures and readback", info.name, seconds * 1e3);
    println!("normal matrices: largest relative error {error:.1e}; first object without one: {failure:?}");
    println!("normals by the transform itself are off by {angle:.0} degrees on average");
    println!("wrote {path}");
    let right = failure.is_none() && error < 1e-5;
    if !right {
        return Err("the normal matrices are wrong".into());
    }
    Ok(())
}

/// One of the flower's petals, a flattened sphere. Petals follow a golden-angle spiral, and stand upright in
/// the middle and lie flat at the rim.
fn petal(part: f32, index: u32) -> Instance {
    let (radius, angle) = (0.015_f32.powf(1.0 - part), index as f32 * 2.399_963);
    let outward = Quat::from_rotation_y(-angle);
    let tilt = Quat::from_rotation_z(1.2 - 0.8 * radius);
    let thickness = if index.is_multiple_of(3) { 0.0 } else { 0.022 };
    let scale = radius * Vec3::new(0.105, thickness, 0.055);
    let height = 0.3 * (1.0 - radius * radius);
    let place = outward * Vec3::new(radius, height, 0.0);
    let [x, y, z, at] =
        Affine3A::from_scale_rotation_translation(scale, outward * tilt, place).to_cols_array_2d().map(Vec3::from);
    let color = Vec3::new(1.0, 0.72, 0.25)
        .lerp(Vec3::new(0.85, 0.10, 0.30), radius.powf(0.7))
        .lerp(Vec3::new(0.30, 0.05, 0.45), (radius - 0.45).max(0.0));
    [[x.x, y.x, z.x, at.x], [x.y, y.y, z.y, at.y], [x.z, y.z, z.z, at.z], color.extend(1.0).to_array()]
}

/// Records a copy to a buffer that can be read once the commands have run.
fn copy(
    device: &wgpu::Device,
    encoder: &mut wgpu::CommandEncoder,
    record: impl FnOnce(&mut wgpu::CommandEncoder, &wgpu::Buffer),
    size: u64,
) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let to = device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    record(encoder, &to);
    encoder.map_buffer_on_submit(&to, wgpu::MapMode::Read, .., |result| result.expect("a picture to read"));
    to
}

/// Compares with cofactor matrices in float64, whose columns are cross products of the transform's columns. Returns the
/// largest error of the normal matrices, relative to their largest entry, and the mean angle in degrees by which
/// normals are off if the transforms are used instead.
fn compare(flower: &[Instance], normals: &[[[f32; 4]; 3]]) -> (f64, f64) {
    let (mut worst, mut angles) = (0.0_f64, 0.0);
    for (&[x, y, z, _], columns) in flower.iter().zip(normals) {
        let transform = Mat3::from_cols_array_2d(&[x, y, z].map(|row| [row[0], row[1], row[2]])).transpose().as_dmat3();
        let [x, y, z] = [transform.x_axis, transform.y_axis, transform.z_axis];
        let right = DMat3::from_cols(y.cross(z), z.cross(x), x.cross(y));
        let got = DMat3::from_cols_array_2d(&columns.map(|column| [column[0], column[1], column[2]].map(f64::from)));
        let largest = |matrix: DMat3| matrix.to_cols_array().into_iter().fold(0.0, |max: f64, x| max.max(x.abs()));
        worst = worst.max(largest(got - right) / largest(right));
        let direction = glam::DVec3::ONE.normalize();
        angles += (right * direction).angle_between(transform * direction).to_degrees();
    }
    (worst, angles / flower.len() as f64)
}

/// The resources of the render pass.
struct Scene {
    pipelines: [wgpu::RenderPipeline; 2],
    bindings: wgpu::BindGroup,
    sphere: (wgpu::Buffer, wgpu::Buffer, u32),
    samples: wgpu::Texture,
    depth: wgpu::Texture,
    image: wgpu::Texture,
}

impl Scene {
    fn new(device: &wgpu::Device, instances: &wgpu::Buffer, normals: &wgpu::Buffer, pixels: u32) -> Self {
        let texture = |format, sample_count, usage| {
            device.create_texture(&wgpu::TextureDescriptor {
                label: None,
                size: wgpu::Extent3d { width: 2 * pixels, height: pixels, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | usage,
                view_formats: &[],
            })
        };
        let (color, depth) = (wgpu::TextureFormat::Rgba8UnormSrgb, wgpu::TextureFormat::Depth32Float);
        let shader = device.create_shader_module(wgpu::include_wgsl!("normal_matrices.wgsl"));
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: None,
            entries: &[0, 1, 2].map(|binding| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::VERTEX,
                ty: wgpu::BindingType::Buffer {
                    ty: match binding {
                        0 => wgpu::BufferBindingType::Uniform,
                        _ => wgpu::BufferBindingType::Storage { read_only: true },
                    },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            }),
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = |by_cofactors: bool| {
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(if by_cofactors { "right normals" } else { "wrong normals" }),
                layout: Some(&pipeline_layout),
                vertex: wgpu::VertexState {
                    module: &shader,
                    entry_point: Some("petal"),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        constants: &[("by_cofactors", f64::from(u8::from(by_cofactors)))],
                        ..Default::default()
                    },
                    buffers: &[Some(wgpu::VertexBufferLayout {
                        array_stride: 12,
                        step_mode: wgpu::VertexStepMode::Vertex,
                        attributes: &wgpu::vertex_attr_array![0 => Float32x3],
                    })],
                },
                primitive: wgpu::PrimitiveState { cull_mode: Some(wgpu::Face::Back), ..Default::default() },
                depth_stencil: Some(wgpu::DepthStencilState {
                    format: depth,
                    depth_write_enabled: Some(true),
                    depth_compare: Some(wgpu::CompareFunction::Less),
                    stencil: Default::default(),
                    bias: Default::default(),
                }),
                multisample: wgpu::MultisampleState { count: 4, ..Default::default() },
                fragment: Some(wgpu::FragmentState {
                    module: &shader,
                    entry_point: Some("light"),
                    compilation_options: Default::default(),
                    targets: &[Some(color.into())],
                }),
                multiview_mask: None,
                cache: None,
            })
        };
        let init = |contents: &[u8], usage| {
            device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage })
        };
        let eye = Vec3::new(0.0, 2.9, 2.1);
        let camera = directx::perspective(0.62, 1.0, 0.1, 10.0) * look_at_mat4(eye, Vec3::new(0.0, 0.05, 0.1), Vec3::Y);
        let mut view = camera.to_cols_array().to_vec();
        view.extend(eye.extend(1.0).to_array());
        let view = init(bytemuck::cast_slice(&view), wgpu::BufferUsages::UNIFORM);
        let (vertices, triangles) = sphere(12, 20);
        Self {
            pipelines: [pipeline(true), pipeline(false)],
            bindings: device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &layout,
                entries: &[(0, &view), (1, instances), (2, normals)]
                    .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() }),
            }),
            sphere: (
                init(bytemuck::cast_slice(&vertices), wgpu::BufferUsages::VERTEX),
                init(bytemuck::cast_slice(&triangles), wgpu::BufferUsages::INDEX),
                triangles.len() as u32,
            ),
            samples: texture(color, 4, wgpu::TextureUsages::empty()),
            depth: texture(depth, 4, wgpu::TextureUsages::empty()),
            image: texture(color, 1, wgpu::TextureUsages::COPY_SRC),
        }
    }

    /// Draws the flower twice: on the left with the normal matrices, on the right with the transforms.
    fn draw(&self, encoder: &mut wgpu::CommandEncoder, objects: u32) {
        let [samples, depth, image] =
            [&self.samples, &self.depth, &self.image].map(|texture| texture.create_view(&Default::default()));
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &samples,
                depth_slice: None,
                resolve_target: Some(&image),
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color { r: 0.012, g: 0.014, b: 0.022, a: 1.0 }),
                    store: wgpu::StoreOp::Discard,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &depth,
                depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(1.0), store: wgpu::StoreOp::Discard }),
                stencil_ops: None,
            }),
            ..Default::default()
        });
        let (vertices, triangles, count) = &self.sphere;
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.set_vertex_buffer(0, vertices.slice(..));
        pass.set_index_buffer(triangles.slice(..), wgpu::IndexFormat::Uint16);
        let side = self.image.height() as f32;
        for (index, pipeline) in self.pipelines.iter().enumerate() {
            pass.set_viewport(index as f32 * side, 0.0, side, side, 0.0, 1.0);
            pass.set_pipeline(pipeline);
            pass.draw_indexed(0..*count, 0, 0..objects);
        }
    }

    fn read(&self, encoder: &mut wgpu::CommandEncoder, to: &wgpu::Buffer) {
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(4 * self.image.width()),
            rows_per_image: None,
        };
        let to = wgpu::TexelCopyBufferInfo { buffer: to, layout };
        encoder.copy_texture_to_buffer(self.image.as_image_copy(), to, self.image.size());
    }
}

/// The unit sphere: its points, which are their own normals, and its triangles.
fn sphere(rings: u16, sectors: u16) -> (Vec<[f32; 3]>, Vec<u16>) {
    let point = |ring: u16, sector: u16| {
        let latitude = std::f32::consts::PI * f32::from(ring) / f32::from(rings);
        let longitude = std::f32::consts::TAU * f32::from(sector) / f32::from(sectors);
        [latitude.sin() * longitude.cos(), latitude.cos(), -latitude.sin() * longitude.sin()]
    };
    let row = sectors + 1;
    let vertices = (0..=rings).flat_map(|ring| (0..row).map(move |sector| point(ring, sector))).collect();
    let quad = |ring, sector| {
        let (a, b) = (ring * row + sector, (ring + 1) * row + sector);
        [a, b, a + 1, a + 1, b, b + 1]
    };
    let triangles = (0..rings).flat_map(|ring| (0..sectors).flat_map(move |sector| quad(ring, sector))).collect();
    (vertices, triangles)
}
