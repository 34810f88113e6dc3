//! A time limit ends a call, and no other, whatever else the device works on.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use batchinv::gpu::GpuInverter;
use batchinv::plan::{AdapterKind, AutoPolicy};
use batchinv::{Engine, Error, Inverter, Stack, wgpu};
use common::engines::{self, Adapter};

const LIMIT: Duration = Duration::from_millis(1);

/// Adapters on which a call of several chunks takes much longer than a thread may take to begin another.
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn slow_adapters(promise: &'static str) -> Vec<&'static Adapter> {
    let mut slow: Vec<_> = engines::adapters(promise).iter().collect();
    slow.retain(|adapter| adapter.gpu.facts().kind == AdapterKind::Software);
    if slow.is_empty() {
        eprintln!("SKIPPED: {promise}, there is no software adapter");
    }
    slow
}

/// A stack that takes this adapter a second or more.
fn long(adapter: &Adapter) -> (usize, Vec<f32>) {
    let (order, len) = if adapter.word == "swiftshader" { (16, 10_000) } else { (64, 10_000) };
    let one: Vec<_> = (0..order * order).map(|i| if i % (order + 1) == 0 { 2.0 } else { 1.0 / order as f32 }).collect();
    (order, one.repeat(len))
}

/// Begins a call, then lets `other` run beside it, which must return first. The call must succeed.
fn beside(inverter: &Inverter, stack: Stack<'_, f32>, other: impl FnOnce()) {
    // Builds the pipelines.
    inverter.invert(stack.slice(0..1)).unwrap();
    let (begins, begun) = mpsc::channel();
    thread::scope(|scope| {
        let call = scope.spawn(move || {
            let mut call = pin!(inverter.invert_async(stack));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            begins.send(()).unwrap();
            pollster::block_on(call)
        });
        begun.recv().unwrap();
        other();
        assert!(!call.is_finished(), "the call with a limit waited for the one without");
        let inverses = call.join().unwrap();
        assert!(inverses.unwrap().first_failure().is_none());
    });
}

fn assert_late(said: Result<batchinv::Inverses<f32>, Error>) {
    match said.map(|inverses| inverses.report().clone()) {
        Err(Error::DeviceLost { detail, .. }) => assert_eq!(detail, "no answer within 1ms"),
        other => panic!("{other:?}"),
    }
}

/// A limit that is set while a call without one runs.
#[test]
fn of_later_calls_on_a_clone() {
    for adapter in slow_adapters("time_limits/later_calls") {
        let gpu = GpuInverter::open(Some(&adapter.gpu.facts().name)).unwrap();
        let (order, elements) = long(adapter);
        let stack = Stack::new(&elements, order).unwrap();
        let inverter = Inverter::with_gpu(gpu.clone());
        beside(&inverter, stack, || {
            gpu.set_time_limit(Some(LIMIT));
            assert_late(inverter.invert(stack));
            assert_late(pollster::block_on(inverter.invert_async(stack)));
        });
    }
}

/// A limit of one inverter is none of another on the same device.
#[test]
fn of_one_inverter() {
    for adapter in slow_adapters("time_limits/one_inverter") {
        let gpu = GpuInverter::open(Some(&adapter.gpu.facts().name)).unwrap();
        let (order, elements) = long(adapter);
        let stack = Stack::new(&elements, order).unwrap();
        let inverter = Inverter::with_gpu(gpu.clone());
        beside(&inverter, stack, || {
            assert_late(Inverter::with_gpu(gpu).time_limit(LIMIT).invert(stack));
        });
        inverter.invert(stack.slice(0..100)).unwrap();
    }
}

/// Two engines on one device of the caller's, whose locks they share.
#[test]
fn of_one_engine_on_a_shared_device() {
    for adapter in slow_adapters("time_limits/shared_device") {
        let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
        let [without, with] = [(); 2].map(|()| GpuInverter::from_device(&device, &queue));
        let (order, elements) = long(adapter);
        let stack = Stack::new(&elements, order).unwrap();
        let (without, limited) = (Inverter::with_gpu(without), Inverter::with_gpu(with.clone()));
        limited.invert(stack.slice(0..1)).unwrap();
        with.set_time_limit(Some(LIMIT));
        beside(&without, stack, || assert_late(limited.invert(stack)));
    }
}

/// Under the automatic choice the CPU takes over at the limit, and nobody waits for the device that is left behind.
#[test]
fn of_the_automatic_choice() {
    for adapter in slow_adapters("time_limits/automatic") {
        // A name in lower case opens a device of its own, so that no other test sees it forgotten.
        let name = adapter.gpu.facts().name.to_lowercase();
        let auto = Inverter::auto().auto_policy(AutoPolicy::SoftwareCounts).adapter(&name);
        let (order, elements) = long(adapter);
        let stack = Stack::new(&elements, order).unwrap();
        beside(&auto, stack, || {
            let inverses = auto.clone().time_limit(LIMIT).invert(stack).unwrap();
            let report = inverses.report();
            let Some(Error::DeviceLost { detail, .. }) = &report.gpu_failure else { panic!("{report:?}") };
            assert_eq!((detail.as_str(), report.engine), ("no answer within 1ms", Engine::Cpu));
            assert!(inverses.first_failure().is_none());
        });
    }
}
