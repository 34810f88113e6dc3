//! Digests of GPU jobs, which invert in the caller's buffers, on two devices per adapter: one with all features that
//! the engine wants, and one with WebGPU's default limits and no features.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use batchinv::gpu::{self, GpuInverter, JobDescriptor};
use batchinv::{Complex, Inverter, Precision, Stack, wgpu};
use wgpu::BufferUsages as Usage;

use crate::families::{self, Element, MIXED};
use crate::gpu::{adapters, computes, word};
use crate::record::{self, Record};
use crate::testing::Layout;

/// Orders of each kernel that a plan chooses on one of the devices.
const ORDERS: [usize; 9] = [1, 3, 4, 8, 13, 16, 24, 65, 130];
const QUICK: [usize; 3] = [1, 3, 16];

pub fn run(record: &mut Record, quick: bool) {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let found = wait(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    for name in adapters() {
        let adapter = found.iter().find(|adapter| adapter.get_info().name == name).expect("an adapter that was found");
        let wanted = wgpu::DeviceDescriptor {
            required_features: gpu::wanted_features(adapter),
            required_limits: gpu::wanted_limits(adapter),
            ..Default::default()
        };
        for (kind, descriptor) in [("wanted", wanted), ("plain", wgpu::DeviceDescriptor::default())] {
            let (device, queue) = wait(adapter.request_device(&descriptor)).expect("a device as described");
            let gpu = GpuInverter::from_device(&device, &queue);
            let name = format!("{},{kind}-device", word(&name));
            let mut run = Run { record, name, device, queue, gpu, orders: if quick { &QUICK } else { &ORDERS } };
            run.scalar::<f32>();
            run.scalar::<Complex<f32>>();
            run.scalar::<f64>();
            run.scalar::<Complex<f64>>();
            eprintln!("{}: jobs are done", run.name);
        }
    }
}

/// Waits for a future of wgpu, which is ready at once outside browsers.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::yield_now(),
        }
    }
}

/// One kind of job.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    input: Layout,
    output: Layout,
    in_place: bool,
    rcond: bool,
    /// The device reads the number of matrices from a buffer.
    indirect: bool,
}

/// Contiguous and strided, in place and apart, with and without reciprocal condition numbers, with and without a count
/// in a buffer.
fn kinds(order: u32) -> [Kind; 5] {
    let contiguous = Layout::contiguous(order);
    let padded = order.next_multiple_of(4);
    let rows = Layout { offset: 7, matrix: padded * padded + 5, row: padded, column: 1 };
    let columns = Layout { offset: 3, matrix: padded * order + 1, row: 1, column: padded };
    let kind = |name, input, output| Kind { name, input, output, in_place: false, rcond: true, indirect: false };
    [
        kind("apart,rcond", contiguous, contiguous),
        Kind { rcond: false, indirect: true, ..kind("apart,strided,indirect", rows, columns) },
        Kind { in_place: true, rcond: false, ..kind("in-place", contiguous, contiguous) },
        Kind { in_place: true, indirect: true, ..kind("in-place,rcond,indirect", contiguous, contiguous) },
        Kind { in_place: true, ..kind("in-place,strided,transposed,rcond", rows, rows.transposed()) },
    ]
}

struct Run<'a> {
    record: &'a mut Record,
    name: String,
    device: wgpu::Device,
    queue: wgpu::Queue,
    gpu: GpuInverter,
    orders: &'a [usize],
}

impl Run<'_> {
    fn scalar<T: Element>(&mut self) {
        for (precision, name) in [(Precision::Native, "native"), (Precision::Double, "double")] {
            if !computes::<T>(&self.gpu, precision) {
                continue;
            }
            for &order in self.orders {
                self.planned::<T>((precision, name), order);
                for kind in kinds(order as u32) {
                    self.job::<T>((precision, name), order, kind);
                }
            }
        }
    }

    /// The whole way from host memory and back, with the program that suits this device.
    fn planned<T: Element>(&mut self, (precision, name): (Precision, &str), order: usize) {
        let len = if order > 64 { 4 } else { 19 };
        let elements = families::stack::<T>(MIXED, order, len);
        let stack = Stack::new(&elements, order).expect("elements of whole matrices");
        let inverter = Inverter::with_gpu(self.gpu.clone()).precision(precision);
        let value = record::call(vec![record::guard(); elements.len()], len, true, |output| {
            inverter.invert_into(stack, output)
        });
        let call = format!("apart,rcond,len={len}");
        self.record.add(record::key::<T>(&self.name, "planned", name, order, MIXED.name, &call), value);
    }

    /// A job with room for more matrices than it gets. The digests cover what it must leave alone, too.
    fn job<T: Element>(&mut self, (precision, name): (Precision, &str), order: usize, kind: Kind) {
        let len: u32 = if order > 64 { 3 } else { 13 };
        let capacity = len + 4;
        let elements = families::stack::<T>(MIXED, order, len as usize);
        let from = self.buffer(&record::bytes(&spread(&elements, order, kind.input, capacity as usize)));
        let to = self.buffer(&record::bytes(&spread::<T>(&[], order, kind.output, capacity as usize)));
        let target = if kind.in_place { &from } else { &to };
        let statuses = self.buffer(&vec![0xab; 4 * capacity as usize]);
        let rconds = self.buffer(&record::bytes(&vec![record::guard::<T::Real>(); capacity as usize]));
        let count = self.buffer(&len.to_le_bytes());
        let mut descriptor = JobDescriptor::new(T::KIND, order as u32, capacity, &from)
            .precision(precision)
            .input_layout(kind.input)
            .output(target, kind.output)
            .statuses(&statuses);
        if kind.rcond {
            descriptor = descriptor.rconds(&rconds);
        }
        if kind.indirect {
            descriptor = descriptor.count(&count, 0);
        }
        let job = self.gpu.job(&descriptor).expect("a job that fits its buffers");
        let mut encoder = self.device.create_command_encoder(&Default::default());
        let encoded = if kind.indirect { job.encode_indirect(&mut encoder) } else { job.encode(&mut encoder, len) };
        encoded.expect("a number of matrices below the capacity");
        self.queue.submit([encoder.finish()]);
        let value = record::digests(&self.read(target), &self.read(&statuses), &self.read(&rconds));
        let call = format!("{},len={len}", kind.name);
        self.record.add(record::key::<T>(&self.name, "job", name, order, MIXED.name, &call), format!("job {value}"));
    }

    fn buffer(&self, bytes: &[u8]) -> wgpu::Buffer {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.len() as u64,
            usage: Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, bytes);
        buffer
    }

    fn read(&self, buffer: &wgpu::Buffer) -> Vec<u8> {
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: buffer.size(),
            usage: Usage::MAP_READ | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
        self.queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |result| result.expect("a buffer that can be mapped"));
        self.device.poll(wgpu::PollType::wait_indefinitely()).expect("a device that answers");
        staging.get_mapped_range(..).expect("a mapped buffer").to_vec()
    }
}

/// The elements of matrices at the places that a layout gives them, and guard values everywhere else.
fn spread<T: Element>(elements: &[T], order: usize, layout: Layout, capacity: usize) -> Vec<T> {
    let Layout { offset, matrix, row, column } = layout;
    let [offset, matrix, row, column] = [offset, matrix, row, column].map(|elements| elements as usize);
    let mut buffer = vec![record::guard::<T>(); offset + matrix * capacity];
    for (index, &element) in elements.iter().enumerate() {
        let (m, i, j) = (index / (order * order), index / order % order, index % order);
        buffer[offset + m * matrix + i * row + j * column] = element;
    }
    buffer
}
