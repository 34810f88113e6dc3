//! Async calls on the caller's executor: they neither block it nor spin, and every future is `Send`.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use batchinv::gpu::{GpuInverter, Job, JobDescriptor};
use batchinv::host::MatrixInverses;
use batchinv::plan::AdapterKind;
use batchinv::{Inverter, ScalarKind, Stack, Status, wgpu};
use common::engines;

/// Runs tasks on one thread, and polls each only after it was woken.
#[derive(Default)]
struct Executor<'a> {
    tasks: Vec<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

/// A waker that puts its task's number into the queue.
struct Wakes(usize, mpsc::Sender<usize>);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        // The receiver is gone once all tasks are done.
        let _ = self.1.send(self.0);
    }
}

impl<'a> Executor<'a> {
    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'a) {
        self.tasks.push(Box::pin(task));
    }

    /// Runs all tasks to completion. Returns how often each was polled.
    fn run(self) -> Vec<usize> {
        let (sender, woken) = mpsc::channel();
        (0..self.tasks.len()).for_each(|index| sender.send(index).unwrap());
        let mut tasks: Vec<_> = self.tasks.into_iter().map(Some).collect();
        let mut polls = vec![0; tasks.len()];
        while tasks.iter().any(Option::is_some) {
            let index = woken.recv().unwrap();
            let Some(task) = &mut tasks[index] else { continue };
            polls[index] += 1;
            let waker = Waker::from(Arc::new(Wakes(index, sender.clone())));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                tasks[index] = None;
            }
        }
        polls
    }
}

/// Yields once: wakes itself at the first poll and is ready at the second, so that other tasks run in between.
async fn give_way() {
    let mut first = true;
    std::future::poll_fn(move |context| {
        if std::mem::take(&mut first) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

#[test]
fn calls_beside_each_other_on_one_thread() {
    const CALLS: usize = 8;
    for adapter in engines::adapters("executor/one_thread") {
        let inverter = Inverter::with_gpu(adapter.gpu.clone());
        let elements = [4.0_f32, 0.0, 0.0, 2.0].repeat(1000);
        let stack = Stack::new(&elements, 2).unwrap();
        let (done, others) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut executor = Executor::default();
        for _ in 0..CALLS {
            executor.spawn(async {
                let inverses = inverter.invert_async(stack).await.unwrap();
                assert_eq!(inverses.get(999), Some(&[0.25, 0.0, 0.0, 0.5][..]));
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        executor.spawn(async {
            for _ in 0..100 {
                give_way().await;
                others.fetch_add(1, Ordering::Relaxed);
            }
        });
        let polls = executor.run();
        assert_eq!((done.into_inner(), others.into_inner()), (CALLS, 100));
        // One poll submits, one takes the results; a buffer that is mapped in pieces might wake more often.
        assert!(polls[..CALLS].iter().all(|&polls| polls <= 4), "{polls:?}");
        engines::record(&adapter.word, "thread", "float32", "executor/one_thread", "ran");
    }
}

/// A software driver may compute inside the submission, which must not be a poll of the future: another task would
/// stand still meanwhile.
#[test]
fn another_task_runs_while_the_device_computes() {
    for adapter in engines::adapters("executor/another_task") {
        let inverter = Inverter::with_gpu(adapter.gpu.clone());
        // Some chunks of 8 MiB. SwiftShader takes much longer for an operation, and copies at the same speed.
        let order = if adapter.word == "swiftshader" { 16 } else { 128 };
        let elements = well_conditioned(order, 5 << 21);
        let stack = Stack::new(&elements, order).unwrap();
        inverter.invert(stack.slice(0..1)).unwrap();
        let (start, done) = (Instant::now(), AtomicBool::new(false));
        let in_polls = Mutex::new(Duration::ZERO);
        let mut executor = Executor::default();
        executor.spawn(async {
            let mut call = pin!(inverter.invert_async(stack));
            let inverses = poll_fn(|context| {
                let begin = Instant::now();
                let poll = call.as_mut().poll(context);
                *in_polls.lock().unwrap() += begin.elapsed();
                poll
            });
            assert!(inverses.await.unwrap().report().chunks > 3);
            done.store(true, Ordering::Relaxed);
        });
        executor.spawn(async {
            while !done.load(Ordering::Relaxed) {
                give_way().await;
            }
        });
        let polls = executor.run();
        let (in_polls, whole) = (in_polls.into_inner().unwrap(), start.elapsed());
        // On hardware the copies of a large stack may well be most of the call.
        let software = adapter.gpu.facts().kind == AdapterKind::Software;
        assert!(!software || in_polls < whole / 2, "{}: {in_polls:?} of {whole:?} in polls", adapter.word);
        assert!(polls[1] > polls[0], "{polls:?}");
    }
}

/// Matrices of `order` with `len` elements altogether.
fn well_conditioned(order: usize, len: usize) -> Vec<f32> {
    let one: Vec<_> = (0..order * order).map(|i| if i % (order + 1) == 0 { 2.0 } else { 1.0 / order as f32 }).collect();
    one.repeat(len / one.len())
}

/// A future that is dropped at any point leaves an engine that works; so does the last owner of the device.
#[test]
fn dropped_in_the_middle() {
    let elements = well_conditioned(16, 1 << 20);
    let stack = Stack::new(&elements, 16).unwrap();
    for adapter in engines::adapters("executor/dropped_in_the_middle") {
        let wanted = Inverter::with_gpu(adapter.gpu.clone()).invert(stack.slice(0..1)).unwrap();
        let name = &adapter.gpu.facts().name;
        for woken in 0..6 {
            let gpu = GpuInverter::open(Some(name)).unwrap();
            let inverter = Inverter::with_gpu(gpu.clone());
            // One future is dropped when it was woken that often, another one right after.
            for woken in [woken, 0] {
                let mut call = pin!(inverter.invert_async(stack));
                let (sender, woken_up) = mpsc::channel();
                let waker = Waker::from(Arc::new(Wakes(0, sender)));
                for polls in 0..=woken {
                    if call.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() || polls == woken {
                        break;
                    }
                    woken_up.recv().unwrap();
                }
            }
            if woken % 2 == 0 {
                let inverses = inverter.invert(stack).unwrap();
                assert_eq!(inverses.get(4095), wanted.get(0));
            }
        }
    }
}

#[test]
fn statuses_of_a_job() {
    for adapter in engines::adapters("executor/statuses_of_a_job") {
        let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
        let matrices = [2.0_f32, 0.0, f32::INFINITY, 4.0];
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 16,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&matrices));
        let gpu = GpuInverter::from_device(&device, &queue);
        let job = gpu.job(&JobDescriptor::new(ScalarKind::Float32, 1, 4, &buffer)).unwrap();
        let mut encoder = device.create_command_encoder(&Default::default());
        job.encode(&mut encoder, 4).unwrap();
        queue.submit([encoder.finish()]);

        let (first, words) = (AtomicUsize::new(9), AtomicUsize::new(0));
        let mut executor = Executor::default();
        executor.spawn(async {
            let (index, status) = job.first_failure(4).await.unwrap().unwrap();
            assert_eq!(status.word(), 1);
            first.store(index, Ordering::Relaxed);
        });
        executor.spawn(async {
            let statuses = job.read_statuses(4).await.unwrap();
            assert_eq!(statuses.iter().map(|status| status.word()).collect::<Vec<_>>(), [0, 1, -1, 0]);
            words.fetch_add(statuses.len(), Ordering::Relaxed);
        });
        let polls = executor.run();
        assert_eq!((first.into_inner(), words.into_inner()), (1, 4));
        assert!(polls.iter().all(|&polls| polls <= 4), "{polls:?}");
        engines::record(&adapter.word, "thread", "float32", "executor/statuses_of_a_job", "ran");
    }
}

#[test]
fn send_and_sync() {
    fn both<T: Send + Sync + 'static>() {}
    both::<Job>();
    both::<GpuInverter>();
    both::<Inverter>();
    both::<JobDescriptor<'static>>();
    both::<MatrixInverses<[[f32; 3]; 3]>>();
    both::<Status>();
    #[cfg(feature = "ndarray")]
    both::<batchinv::host::ArrayInverses<f64, ndarray::IxDyn>>();
}
