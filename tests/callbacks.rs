//! The caller's own callbacks may run on a thread of the engine, which they must neither block for ever nor notice.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use batchinv::gpu::{GpuInverter, JobDescriptor};
use batchinv::{Error, Inverter, Refusal, ScalarKind, Stack, wgpu};
use common::engines::{self, Adapter};

/// What a callback reports.
struct Said {
    thread: String,
    blocking: Result<f32, Error>,
    job: Result<(), Error>,
    /// From a thread that the callback started.
    elsewhere: mpsc::Receiver<Result<f32, Error>>,
}

/// A blocking call in a callback is refused at once where it would wait for itself. Before, it hung.
#[test]
fn a_blocking_call_on_a_thread_of_the_engine_is_refused() {
    for adapter in engines::adapters("callbacks/blocking") {
        let (done, waiting) = mpsc::channel();
        // Not joined: if the callback hangs, so does this thread.
        thread::spawn(move || {
            let _ = done.send(on_a_thread_of_the_engine(adapter));
        });
        let said = waiting.recv_timeout(Duration::from_secs(120)).expect("no callback hangs");
        let Err(Error::Unsupported { reason: Refusal::OwnThread, .. }) = said.blocking else {
            panic!("{:?} on {}", said.blocking, said.thread)
        };
        let text = said.blocking.unwrap_err().to_string();
        assert!(text.contains("would wait for itself: call it from another thread, or await"), "{text}");
        said.job.unwrap();
        assert_eq!(said.elsewhere.recv_timeout(Duration::from_secs(120)).expect("an answer"), Ok(0.25));
        engines::record(&adapter.word, "thread", "float32", "callbacks/blocking", "ran");
    }
}

/// Runs calls of the engine until a callback of the caller's runs on one of its threads.
fn on_a_thread_of_the_engine(adapter: &Adapter) -> Said {
    let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
    let gpu = GpuInverter::from_device(&device, &queue);
    let elements = [2.0_f32, 0.0, 0.0, 4.0].repeat(100_000);
    let stack = Stack::new(&elements, 2).unwrap();
    let inverter = Inverter::with_gpu(gpu.clone());
    inverter.invert(stack).unwrap();
    let (says, said) = mpsc::channel();
    for _ in 0..100 {
        let mut call = pin!(inverter.invert_async(stack));
        if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            continue;
        }
        let own = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 16,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let matrices = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 16,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let (gpu, says) = (gpu.clone(), says.clone());
        own.map_async(wgpu::MapMode::Read, .., move |result| {
            if result.is_err() {
                // The call was over before, and the buffer was dropped without having been mapped.
                return;
            }
            let inverter = Inverter::with_gpu(gpu.clone());
            let first = |inverses: batchinv::Inverses<f32>| inverses.stack().elements()[0];
            let blocking = inverter.invert(Stack::new(&[4.0], 1).unwrap()).map(first);
            let job = gpu.job(&JobDescriptor::new(ScalarKind::Float32, 1, 4, &matrices)).map(drop);
            let (answer, elsewhere) = mpsc::channel();
            thread::spawn(move || {
                answer.send(pollster::block_on(inverter.invert_async(Stack::new(&[4.0], 1).unwrap())).map(first))
            });
            let thread = thread::current().name().unwrap_or_default().to_owned();
            says.send(Said { thread, blocking, job, elsewhere }).unwrap();
        });
        pollster::block_on(call).unwrap();
        // The callback may also run where hardware is submitted to, and there nothing is refused.
        if let Some(said) = said.try_iter().find(|said: &Said| said.thread.starts_with("batchinv")) {
            return said;
        }
    }
    panic!("no callback ran on a thread of the engine")
}
