//! Ten thousand Kalman filters on the device, whose innovation covariances are inverted in place every frame.
//!
//! Two radars observe ten thousand aircraft ten times per second, each precisely along its line of sight and
//! coarsely across it. One filter per aircraft holds position, velocity, and their covariance. In every frame it
//! must invert S = H P H^T + R, of order 6, to weigh its prediction against both measurements. Tracks and
//! covariances never leave the device; only the measurements of each frame are uploaded. The program's own
//! passes predict and update; a batchinv job, encoded between them, inverts S in place.
//!
//!     cargo run --release --example kalman_bank [TRACKERS [FRAMES]]
//!
//! The example prints the time per frame, the error against the truth, and the
//! difference from a textbook filter in float64.
#![allow(clippy::print_stdout, reason = "an example prints its measurements")]

use std::time::Instant;
use std::{env, error};

use batchinv::gpu::{self, GpuInverter, JobDescriptor};
use batchinv::{ScalarKind, wgpu};
use nalgebra::{Matrix3, Matrix6, Vector3, Vector6};
use rayon::prelude::*;
use wgpu::util::DeviceExt;

/// Seconds between frames.
const DT: f64 = 0.1;
/// Spectral density of the targets' acceleration, m^2/s^3.
const AGILITY: f64 = 4.0;
/// Standard deviations of a radar: meters along the line of sight, radians across.
const SIGMA: [f64; 2] = [5.0, 1e-3];
/// Standard deviations of the initial estimate: position in meters, velocity in meters per second.
const BEGIN: [f64; 2] = [20.0, 150.0];
/// The radars' positions, in meters.
const RADARS: [[f64; 3]; 2] = [[-20e3, 0.0, 0.0], [15e3, -25e3, 0.0]];
/// Frames per submission.
const BATCH: usize = 20;
/// One tracker in this many is also followed by a filter in float64.
const CHECKED: usize = 100;

/// The shader's `Track`: position, velocity, then the covariances, each as three columns padded to four elements.
type Track = [[f32; 4]; 11];
/// The measurements of both radars, padded to four elements each.
type Measured = [[f32; 4]; 2];

fn main() -> Result<(), Box<dyn error::Error>> {
    let mut args = env::args().skip(1);
    let trackers = args.next().map_or(Ok(10_000), |text| text.parse::<usize>())?.max(1);
    let batches = args.next().map_or(Ok(1000), |text| text.parse::<usize>())?.div_ceil(BATCH).max(1);

    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&Default::default()))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: gpu::wanted_features(&adapter),
        required_limits: gpu::wanted_limits(&adapter),
        ..Default::default()
    }))?;
    let mut targets: Vec<Target> = (0..trackers as u64).map(Target::new).collect();
    let begin: Vec<Track> = targets.iter_mut().map(Target::track).collect();
    let mut checks: Vec<Filter> = begin.iter().step_by(CHECKED).map(Filter::of).collect();
    let bank = Bank::new(&device, &queue, &begin)?;

    let mut measured = vec![Measured::default(); trackers * BATCH];
    let (mut seconds, mut raw) = (0.0, 0.0);
    for batch in 0..batches {
        // The aircraft move, and the radars measure them.
        for frame in measured.chunks_mut(trackers) {
            targets.par_iter_mut().zip(frame.par_iter_mut()).for_each(|(target, seen)| *seen = target.fly());
            checks.iter_mut().zip(frame.iter().step_by(CHECKED)).for_each(|(filter, seen)| filter.step(seen));
        }
        raw = rms(targets
            .iter()
            .zip(&measured[trackers * (BATCH - 1)..])
            .map(|(target, seen)| target.position - vector(seen[0])));

        let start = Instant::now();
        bank.run(&device, &queue, &measured)?;
        device.poll(wgpu::PollType::wait_indefinitely())?;
        // The first batch warms up.
        if batch > 0 || batches == 1 {
            seconds += start.elapsed().as_secs_f64();
        }
    }
    let frames = BATCH * (batches - 1).max(1);

    let failure = pollster::block_on(bank.job.first_failure(trackers as u32))?;
    let tracks = bank.read(&device, &queue)?;
    let errors = targets.iter().zip(&tracks).map(|(target, track)| target.position - vector(track[0]));
    // The squared error in units of the filter's own covariance. In three dimensions its
    // mean is 3 if that covariance is right.
    let claims = errors.clone().zip(&tracks).filter_map(|(error, track)| {
        let covariance = Matrix3::from_columns(&[track[2], track[3], track[4]].map(vector));
        Some(error.dot(&(covariance.try_inverse()? * error)))
    });
    let claim = claims.sum::<f64>() / trackers as f64;
    let differences = checks.iter().zip(tracks.iter().step_by(CHECKED));
    let apart = rms(differences.clone().map(|(filter, track)| filter.x.fixed_rows::<3>(0) - vector(track[0])));
    let most = differences.map(|(filter, track)| (filter.x.fixed_rows::<3>(0) - vector(track[0])).norm());
    let most = most.fold(0.0, f64::max);

    println!("{trackers} trackers, {} frames on {}", BATCH * batches, adapter.get_info().name);
    println!("{:.3} ms per frame, {BATCH} frames per submission", seconds / frames as f64 * 1e3);
    println!("matrices that could not be inverted in the last frame: {failure:?}");
    println!("position error, rms: {raw:.1} m with one radar alone, {:.1} m with the filters", rms(errors));
    println!("mean squared error in units of the filters' own covariance: {claim:.2} (ideally 3)");
    println!("difference from {} filters in float64: {apart:.1e} m rms, {most:.1e} m at most", checks.len());
    let on_track = failure.is_none() && apart < 0.1;
    if !on_track {
        return Err("the filters on the device disagree with those in float64".into());
    }
    Ok(())
}

/// The filters on the device.
struct Bank {
    predict: wgpu::ComputePipeline,
    update: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    job: gpu::Job,
    tracks: wgpu::Buffer,
    measured: wgpu::Buffer,
    trackers: usize,
    /// Bytes from the measurements of one frame to those of the next.
    stride: usize,
}

impl Bank {
    fn new(device: &wgpu::Device, queue: &wgpu::Queue, begin: &[Track]) -> Result<Self, batchinv::Error> {
        use wgpu::BufferUsages as Usage;
        let trackers = begin.len();
        let stride = (trackers * size_of::<Measured>()).next_multiple_of(256);
        let radars = RADARS.as_flattened().chunks(3).flat_map(|at| [at[0], at[1], at[2], 0.0]);
        let scenario: Vec<f32> = radars.chain([DT, AGILITY, SIGMA[0], SIGMA[1]]).map(|x| x as f32).collect();
        let filled = |contents: &[u8], usage| {
            device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage })
        };
        let empty = |size: usize, usage| {
            let size = size as u64;
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let scenario = filled(bytemuck::cast_slice(&scenario), Usage::UNIFORM);
        let tracks = filled(bytemuck::cast_slice(begin), Usage::STORAGE | Usage::COPY_SRC);
        let innovations = empty(trackers * 36 * 4, Usage::STORAGE);
        let measured = empty(stride * BATCH, Usage::STORAGE | Usage::COPY_DST);
        let job = GpuInverter::from_device(device, queue).job(&JobDescriptor::new(
            ScalarKind::Float32,
            6,
            trackers as u32,
            &innovations,
        ))?;

        use wgpu::BufferBindingType::{Storage, Uniform};
        let writable = Storage { read_only: false };
        let kinds = [Uniform, writable, writable, Storage { read_only: true }];
        let entry = |(binding, ty)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            // Each frame binds its own part of the measurements.
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: binding == 3, min_binding_size: None },
            count: None,
        };
        let entries: Vec<_> = (0..).zip(kinds).map(entry).collect();
        let layout =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let frame = wgpu::BufferBinding {
            buffer: &measured,
            offset: 0,
            size: wgpu::BufferSize::new((trackers * size_of::<Measured>()) as u64),
        };
        let resources = [
            scenario.as_entire_binding(),
            tracks.as_entire_binding(),
            innovations.as_entire_binding(),
            wgpu::BindingResource::Buffer(frame),
        ];
        let entries: Vec<_> =
            (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        let bindings =
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let shader = device.create_shader_module(wgpu::include_wgsl!("kalman_bank.wgsl"));
        let pipeline = |name| {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(&pipeline_layout),
                module: &shader,
                entry_point: Some(name),
                compilation_options: Default::default(),
                cache: None,
            })
        };
        let (predict, update) = (pipeline("predict"), pipeline("update"));
        Ok(Self { predict, update, bindings, job, tracks, measured, trackers, stride })
    }

    /// Runs a batch of frames in one submission.
    fn run(&self, device: &wgpu::Device, queue: &wgpu::Queue, seen: &[Measured]) -> Result<(), batchinv::Error> {
        for (index, frame) in seen.chunks(self.trackers).enumerate() {
            queue.write_buffer(&self.measured, (index * self.stride) as u64, bytemuck::cast_slice(frame));
        }
        let mut encoder = device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let workgroups = self.trackers.div_ceil(64) as u32;
            for frame in 0..BATCH {
                let offset = [(frame * self.stride) as u32];
                pass.set_pipeline(&self.predict);
                pass.set_bind_group(0, &self.bindings, &offset);
                pass.dispatch_workgroups(workgroups, 1, 1);
                self.job.encode_in_pass(&mut pass, self.trackers as u32)?;
                pass.set_pipeline(&self.update);
                pass.set_bind_group(0, &self.bindings, &offset);
                pass.dispatch_workgroups(workgroups, 1, 1);
            }
        }
        queue.submit([encoder.finish()]);
        Ok(())
    }

    fn read(&self, device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Vec<Track>, Box<dyn error::Error>> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let size = self.tracks.size();
        let to = device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
        let mut encoder = device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&self.tracks, 0, &to, 0, size);
        encoder.map_buffer_on_submit(&to, wgpu::MapMode::Read, .., |_| {});
        queue.submit([encoder.finish()]);
        device.poll(wgpu::PollType::wait_indefinitely())?;
        Ok(bytemuck::pod_collect_to_vec(&to.get_mapped_range(..)?))
    }
}

/// The true state of an aircraft, and the random numbers for its measurements.
struct Target {
    position: Vector3<f64>,
    velocity: Vector3<f64>,
    random: Random,
}

impl Target {
    fn new(index: u64) -> Self {
        let mut random = Random(index.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.normal();
        let (x, y, z) = (random.normal(), random.normal(), random.normal());
        let velocity = Vector3::new(random.normal() * 150.0, random.normal() * 150.0, 0.0);
        Self { position: Vector3::new(x * 10e3, y * 10e3, 8e3 + z * 1e3), velocity, random }
    }

    /// The initial estimate: a position, and no velocity.
    fn track(&mut self) -> Track {
        let mut track = Track::default();
        let error = Vector3::from_fn(|_, _| self.random.normal());
        track[0] = padded(self.position + error * BEGIN[0]);
        for axis in 0..3 {
            track[2 + axis][axis] = BEGIN[0].powi(2) as f32;
            track[8 + axis][axis] = BEGIN[1].powi(2) as f32;
        }
        track
    }

    /// Moves the aircraft by one frame, and returns both radars' measurements.
    fn fly(&mut self) -> Measured {
        let kick = Vector3::from_fn(|_, _| self.random.normal()) * (AGILITY * DT).sqrt();
        self.position += (self.velocity + kick / 2.0) * DT;
        self.velocity += kick;
        RADARS.map(|radar| {
            let covariance = noise(self.position, radar.into());
            let dice = Vector3::from_fn(|_, _| self.random.normal());
            let spread = covariance.cholesky().map_or_else(Vector3::zeros, |root| root.l() * dice);
            padded(self.position + spread)
        })
    }
}

/// The covariance of a measurement at this place: an ellipsoid aligned with the line of sight.
fn noise(place: Vector3<f64>, radar: Vector3<f64>) -> Matrix3<f64> {
    let sight = place - radar;
    let [along, across] = [SIGMA[0].powi(2), SIGMA[1].powi(2) * sight.norm_squared()];
    let d = sight.normalize();
    Matrix3::identity() * across + d * d.transpose() * (along - across)
}

/// The textbook filter, in float64.
struct Filter {
    x: Vector6<f64>,
    p: Matrix6<f64>,
}

impl Filter {
    fn of(track: &Track) -> Self {
        let mut x = Vector6::zeros();
        x.fixed_rows_mut::<3>(0).copy_from(&vector(track[0]));
        let [position, velocity] = BEGIN.map(|sigma| sigma * sigma);
        let p = Matrix6::from_diagonal(&Vector6::new(position, position, position, velocity, velocity, velocity));
        Self { x, p }
    }

    fn step(&mut self, seen: &Measured) {
        let block = |m: &mut Matrix6<f64>, i, j, value: Matrix3<f64>| m.fixed_view_mut::<3, 3>(i, j).copy_from(&value);
        let one = Matrix3::identity();
        let (mut f, mut q, mut h, mut r) = (Matrix6::identity(), Matrix6::zeros(), Matrix6::zeros(), Matrix6::zeros());
        block(&mut f, 0, 3, one * DT);
        for (i, j, value) in [(0, 0, DT.powi(3) / 3.0), (0, 3, DT * DT / 2.0), (3, 0, DT * DT / 2.0), (3, 3, DT)] {
            block(&mut q, i, j, one * AGILITY * value);
        }
        self.x = f * self.x;
        self.p = f * self.p * f.transpose() + q;
        let mut z = Vector6::zeros();
        for (index, (radar, seen)) in RADARS.into_iter().zip(seen).enumerate() {
            block(&mut h, 3 * index, 0, one);
            block(&mut r, 3 * index, 3 * index, noise(self.x.fixed_rows::<3>(0).into(), radar.into()));
            z.fixed_rows_mut::<3>(3 * index).copy_from(&vector(*seen));
        }
        let s = h * self.p * h.transpose() + r;
        let gain = self.p * h.transpose() * s.try_inverse().expect("an innovation covariance is regular");
        self.x += gain * (z - h * self.x);
        self.p -= gain * h * self.p;
    }
}

fn vector(padded: [f32; 4]) -> Vector3<f64> {
    Vector3::new(padded[0].into(), padded[1].into(), padded[2].into())
}

fn padded(vector: Vector3<f64>) -> [f32; 4] {
    [vector.x as f32, vector.y as f32, vector.z as f32, 0.0]
}

fn rms(vectors: impl Iterator<Item = Vector3<f64>>) -> f64 {
    let (sum, count) = vectors.fold((0.0, 0.0), |(sum, count), v| (sum + v.norm_squared(), count + 1.0));
    (sum / f64::max(count, 1.0)).sqrt()
}

/// xorshift64*, with normal deviates by the Box-Muller transform.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}
