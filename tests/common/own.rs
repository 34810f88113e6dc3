//! Devices as a caller would open them, with the caller's own buffers.

use batchinv::gpu::GpuInverter;
use batchinv::{InversesMut, Inverter, Stack, Status, wgpu};
use wgpu::BufferUsages as Usage;

use super::Element;
use super::cases::{self, Random};
use super::engines::{self, Adapter};

/// The usages of a buffer that jobs use and tests read and write.
pub const ALL: Usage = Usage::STORAGE.union(Usage::COPY_SRC).union(Usage::COPY_DST);

/// A device opened as a caller would open it, and the engine on it.
pub struct Own {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub gpu: GpuInverter,
}

/// A device for each adapter with the features and limits that the engine asks for,
/// and one with WebGPU's defaults alone.
pub fn devices(promise: &'static str) -> Vec<Own> {
    let mut devices = Vec::new();
    for Adapter { gpu, word } in engines::adapters(promise) {
        let rich = |adapter: &wgpu::Adapter| wgpu::DeviceDescriptor {
            required_features: batchinv::gpu::wanted_features(adapter),
            required_limits: batchinv::gpu::wanted_limits(adapter),
            ..Default::default()
        };
        for (device, queue) in
            [engines::own_device(gpu, rich), engines::own_device(gpu, |_| wgpu::DeviceDescriptor::default())]
        {
            devices.push(Own::new(device, queue));
        }
        engines::record(word, "thread", "float32", promise, "ran");
    }
    devices
}

impl Own {
    pub fn new(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let gpu = GpuInverter::from_device(&device, &queue);
        Self { device, queue, gpu }
    }

    pub fn buffer(&self, bytes: &[u8], usage: Usage) -> wgpu::Buffer {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.len() as u64,
            usage,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, bytes);
        buffer
    }

    /// Reads a buffer's contents.
    pub fn read<T: bytemuck::Pod>(&self, buffer: &wgpu::Buffer) -> Vec<T> {
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: buffer.size(),
            usage: Usage::MAP_READ | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
        self.queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
        self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        bytemuck::pod_collect_to_vec(&staging.get_mapped_range(..).unwrap())
    }

    pub fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&Default::default())
    }

    /// The expected inverses, statuses, and rconds, from the engine's own path through host memory.
    pub fn wanted<T: Element>(&self, stack: Stack<'_, T>) -> (Vec<T>, Vec<Status>, Vec<T::Real>) {
        let mut elements = vec![T::ZERO; stack.elements().len()];
        let mut statuses = vec![Status::INVERTED; stack.len()];
        let mut rconds = vec![<T::Real as batchinv::Scalar>::ZERO; stack.len()];
        let output = InversesMut::new(&mut elements, &mut statuses).with_rconds(&mut rconds);
        Inverter::with_gpu(self.gpu.clone()).invert_into(stack, output).unwrap();
        (elements, statuses, rconds)
    }
}

/// Well-conditioned matrices, among them a singular one, one that is not finite, and one near overflow.
pub fn stack<T: Element>(n: usize, len: usize) -> Vec<T> {
    let mut random = Random::new(n as u64 * 1000 + len as u64);
    let mut elements = Vec::new();
    for m in 0..len {
        let mut matrix = cases::dominant::<T>(n, &mut random);
        match m % 7 {
            2 => matrix.iter_mut().step_by(n).for_each(|first| *first = T::ZERO),
            4 => matrix[n * n - 1] = T::NAN,
            5 => matrix.iter_mut().for_each(|x| *x = T::new(x.re_im().0 * 1e30, x.re_im().1 * 1e30)),
            _ => {}
        }
        elements.extend(matrix);
    }
    elements
}
