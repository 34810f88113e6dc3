//! A device that fails during a call gives a typed error that says how many matrices are finished. Under the
//! automatic choice, the CPU does the rest. There is never a panic, and never a wrong answer.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use batchinv::gpu::faults::{Fault, arm, disarm};
use batchinv::gpu::{GpuInverter, JobDescriptor};
use batchinv::plan::{AutoPolicy, CHUNKS_IN_FLIGHT, Work};
use batchinv::{
    Engine, Error, GpuKernel, InversesMut, Inverter, JobError, Precision, Report, ScalarKind, Stack, Status, wgpu,
};
use common::bits;
use common::cases::{self, Random};
use common::engines::{self, Adapter};

const ORDER: usize = 16;
/// Matrices per chunk. The calls below need more chunks than may be in flight at once.
const CHUNK: usize = 40;
const LEN: usize = 5 * CHUNK + 3;

fn elements(n: usize, len: usize) -> Vec<f32> {
    let mut random = Random::new(len as u64);
    (0..len).flat_map(|_| cases::dominant::<f32>(n, &mut random)).collect()
}

/// A device owned by the caller, with a count of its uncaptured errors.
struct Own {
    device: wgpu::Device,
    gpu: GpuInverter,
    uncaptured: Arc<AtomicUsize>,
}

fn own(promise: &'static str, limits: impl FnOnce(&mut wgpu::Limits)) -> Option<Own> {
    let mut descriptor = wgpu::DeviceDescriptor::default();
    limits(&mut descriptor.required_limits);
    let (device, queue) = engines::own_device(&engines::adapters(promise).first()?.gpu, |_| descriptor);
    let uncaptured = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&uncaptured);
    device.on_uncaptured_error(Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    }));
    let gpu = GpuInverter::from_device(&device, &queue);
    Some(Own { device, gpu, uncaptured })
}

/// The contents of the caller's memory after a call, and the call's result.
struct Call {
    elements: Vec<f32>,
    statuses: Vec<i32>,
    said: Result<Report, Error>,
}

/// Inverts `stack` in chunks of `CHUNK` matrices.
fn call(gpu: &GpuInverter, stack: Stack<'_, f32>) -> Call {
    let variant = engines::variant::<f32>(GpuKernel::Workgroup, stack.order());
    into(stack, |output| gpu.invert_with(variant, CHUNK, stack, output))
}

fn into(stack: Stack<'_, f32>, run: impl FnOnce(InversesMut<'_, f32>) -> Result<Report, Error>) -> Call {
    let mut elements = vec![0.0; stack.elements().len()];
    let mut statuses = vec![Status::NOT_FINITE; stack.len()];
    let said = run(InversesMut::new(&mut elements, &mut statuses));
    Call { elements, statuses: statuses.iter().map(|status| status.word()).collect(), said }
}

impl Call {
    /// Asserts that the call succeeded and that all its output equals `wanted`.
    #[track_caller]
    fn assert_right(&self, wanted: &Call) {
        assert!(self.said.is_ok(), "{:?}", self.said);
        assert!(bits(&self.elements) == bits(&wanted.elements) && self.statuses == wanted.statuses);
    }

    /// Asserts that the first `done` matrices equal those of `wanted`.
    #[track_caller]
    fn assert_right_up_to(&self, done: usize, wanted: &Call) {
        let elements = done * ORDER * ORDER;
        assert!(bits(&self.elements[..elements]) == bits(&wanted.elements[..elements]));
        assert_eq!(self.statuses[..done], wanted.statuses[..done]);
    }
}

/// One failed allocation, at each point that allocates in turn: the call goes on with fewer or smaller chunks.
#[test]
fn memory_that_ends_once_costs_nothing_but_time() {
    let elements = elements(ORDER, LEN);
    let stack = Stack::new(&elements, ORDER).unwrap();
    for adapter in engines::adapters("device_faults/out_of_memory") {
        let wanted = call(&adapter.gpu, stack);
        let mut refused = 0;
        for pass in 0.. {
            // A fresh device, without buffers from earlier calls.
            let gpu = GpuInverter::open(Some(&adapter.gpu.facts().name)).unwrap();
            arm(Fault::OutOfMemory, pass, 1);
            let got = call(&gpu, stack);
            if !disarm() {
                assert!(pass > 8, "{pass} points: a pipeline, and two for each chunk");
                break;
            }
            match &got.said {
                // A pipeline cannot be made smaller.
                Err(Error::OutOfMemory { done: 0, len: LEN, .. }) => refused += 1,
                _ => got.assert_right(&wanted),
            }
            // The failed attempt leaves nothing behind: the next call succeeds.
            call(&gpu, stack).assert_right(&wanted);
        }
        assert!(refused <= 1, "one pipeline");
    }
}

/// When every further allocation fails, the error says how many matrices are finished, and those are right.
#[test]
fn memory_that_ends_for_good_is_a_typed_error() {
    failing_for_good(Fault::OutOfMemory, |error| match error {
        Error::OutOfMemory { done, len: LEN, .. } => Some(*done),
        _ => None,
    });
}

/// The same for a device that refuses a command.
#[test]
fn a_refusal_is_a_typed_error() {
    failing_for_good(Fault::Refusal, |error| match error {
        Error::DeviceLost { done, len: LEN, detail } if detail == "a fault on demand" => Some(*done),
        Error::Unsupported { reason, .. } if reason.to_string().contains("a fault on demand") => Some(0),
        _ => None,
    });
}

/// The same for results that cannot be read back.
#[test]
fn a_mapping_error_is_a_typed_error() {
    failing_for_good(Fault::Mapping, |error| match error {
        Error::DeviceLost { done, len: LEN, .. } => Some(*done),
        _ => None,
    });
}

fn failing_for_good(fault: Fault, done: impl Fn(&Error) -> Option<usize>) {
    let elements = elements(ORDER, LEN);
    let stack = Stack::new(&elements, ORDER).unwrap();
    for adapter in engines::adapters("device_faults/typed_errors") {
        let wanted = call(&adapter.gpu, stack);
        let mut seen = Vec::new();
        for pass in 0.. {
            let gpu = GpuInverter::open(Some(&adapter.gpu.facts().name)).unwrap();
            arm(fault, pass, usize::MAX);
            let got = call(&gpu, stack);
            disarm();
            let Err(error) = &got.said else { break };
            let done = done(error).unwrap_or_else(|| panic!("{error:?}"));
            got.assert_right_up_to(done, &wanted);
            seen.push(done);
        }
        // A later fault never leaves fewer matrices finished; they range from none to all but the last chunks.
        assert!(seen.is_sorted() && seen[0] == 0 && *seen.last().unwrap() >= 2 * CHUNK, "{seen:?}");
    }
}

/// Under the automatic choice the CPU computes the unfinished matrices, and the report says where it took over.
#[test]
fn auto_takes_the_rest_to_the_cpu() {
    let elements = elements(ORDER, 1000);
    let stack = Stack::new(&elements, ORDER).unwrap();
    let mut whole = Vec::new();
    for adapter in engines::adapters("device_faults/fallback") {
        let on_gpu = Inverter::with_gpu(adapter.gpu.clone()).invert(stack).unwrap();
        let on_cpu = Inverter::cpu().invert(stack).unwrap();
        for (fault, pass) in [(Fault::OutOfMemory, 0), (Fault::Refusal, 0), (Fault::Mapping, 0)] {
            let auto = Inverter::auto().auto_policy(AutoPolicy::SoftwareCounts).adapter(&adapter.gpu.facts().name);
            arm(fault, pass, usize::MAX);
            let inverses = auto.invert(stack);
            disarm();
            let inverses = inverses.unwrap();
            let report = inverses.report();
            assert_eq!((report.engine, report.adapter.as_ref()), (Engine::Cpu, None));
            assert!(report.gpu_failure.is_some(), "{report:?}");
            assert!(report.reason.as_ref().unwrap().to_string().starts_with("the GPU failed: "), "{report:?}");
            assert!(bits(inverses.stack().elements()) == bits(on_cpu.stack().elements()));
            whole.push(report.gpu_failure.clone());
            // The next call uses the GPU again.
            let again = auto.invert(stack).unwrap();
            assert_eq!((again.report().engine, &again.report().gpu_failure), (Engine::Gpu, &None));
            assert!(bits(again.stack().elements()) == bits(on_gpu.stack().elements()));
        }
        assert!(matches!(whole[0], Some(Error::OutOfMemory { done: 0, len: 1000, .. })), "{whole:?}");
    }
}

/// The same for a failure halfway: the matrices that the GPU finished are kept.
#[test]
fn auto_keeps_what_the_gpu_finished() {
    // A little more than two chunks of 8 MiB.
    let (n, len) = (32, 5000);
    let elements = elements(n, 100).repeat(len / 100);
    let stack = Stack::new(&elements, n).unwrap();
    for adapter in engines::adapters("device_faults/fallback_in_the_middle") {
        let on_gpu = Inverter::with_gpu(adapter.gpu.clone()).invert(stack.slice(0..100)).unwrap();
        let on_cpu = Inverter::cpu().invert(stack.slice(0..100)).unwrap();
        let auto = Inverter::auto().auto_policy(AutoPolicy::SoftwareCounts).adapter(&adapter.gpu.facts().name);
        arm(Fault::Mapping, 1, usize::MAX);
        let inverses = auto.invert(stack);
        disarm();
        let inverses = inverses.unwrap();
        let Some(Error::DeviceLost { done, len: 5000, .. }) = inverses.report().gpu_failure else {
            panic!("{:?}", inverses.report())
        };
        assert!(done > 0 && done < len);
        for m in 0..len {
            let wanted = if m < done { &on_gpu } else { &on_cpu };
            assert!(bits(inverses.stack().matrix(m)) == bits(wanted.stack().matrix(m % 100)), "matrix {m} of {done}");
            assert!(inverses.statuses()[m].is_inverted());
        }
    }
}

/// A device that is destroyed before a call or while the call waits for it.
#[test]
fn a_destroyed_device_is_a_typed_error() {
    let elements = elements(ORDER, LEN);
    let stack = Stack::new(&elements, ORDER).unwrap();
    // The device is destroyed before the first chunk is submitted (0 polls), or after (1 poll).
    for polls in [0, 1] {
        let Some(Own { device, gpu, uncaptured }) = own("device_faults/destroyed", |_| {}) else { return };
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4096,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let inverter = Inverter::with_gpu(gpu.clone());
        inverter.invert(stack.slice(0..1)).unwrap();
        {
            let mut waiting = pin!(inverter.invert_async(stack));
            let mut finished = None;
            for _ in 0..polls {
                if let Poll::Ready(inverses) = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    finished = Some(inverses);
                }
            }
            device.destroy();
            let said = finished.unwrap_or_else(|| pollster::block_on(waiting));
            // A fast device may have finished by then.
            assert!(matches!(said, Ok(_) | Err(Error::DeviceLost { len: LEN, .. })), "{said:?}");
            assert!(polls > 0 || said.is_err(), "the device was destroyed before the call");
        }
        // Every later call fails as well.
        for _ in 0..3 {
            let said = inverter.invert(stack).map(drop);
            assert!(matches!(said, Err(Error::DeviceLost { done: 0, len: LEN, .. })), "{said:?}");
        }
        // Making a job fails, too, both with existing pipelines and with pipelines that have yet to be built.
        for order in [ORDER as u32, ORDER as u32 + 1] {
            let descriptor = JobDescriptor::new(batchinv::ScalarKind::Float32, order, 2, &buffer);
            let said = gpu.job(&descriptor).map(drop);
            assert!(matches!(said, Err(Error::DeviceLost { done: 0, len: 2, .. })), "{said:?}");
        }
        assert_eq!(uncaptured.load(Ordering::Relaxed), 0, "an error reached the caller's handler");
    }
}

/// A copy larger than a buffer may be is refused before any memory is allocated.
#[test]
fn a_copy_too_large_is_a_typed_error() {
    for Adapter { gpu, .. } in engines::adapters("device_faults/copy") {
        for bytes in [u64::MAX, 1 << 62, gpu.facts().limits.binding_bytes.max(1 << 40)] {
            let said = gpu.copy_seconds(bytes, 1);
            assert!(matches!(said, Ok(None) | Err(Error::OutOfMemory { .. })), "{bytes} bytes: {said:?}");
        }
        assert!(matches!(gpu.copy_seconds(5 << 20, 1), Ok(None | Some(0.0..))));
    }
}

/// A device that is destroyed between chunks: the error says how many matrices are finished, and those are right.
#[test]
fn a_device_destroyed_between_chunks_is_a_typed_error() {
    let elements = elements(ORDER, LEN);
    let stack = Stack::new(&elements, ORDER).unwrap();
    let Some(Own { gpu, .. }) = own("device_faults/destroyed_between_chunks", |_| {}) else { return };
    let wanted = call(&gpu, stack);
    let chunks = LEN.div_ceil(CHUNK);
    for pass in 0..chunks {
        let Some(Own { gpu, uncaptured, .. }) = own("device_faults/destroyed_between_chunks", |_| {}) else { return };
        arm(Fault::Destruction, pass, 1);
        let got = call(&gpu, stack);
        assert!(disarm(), "the device was destroyed");
        match &got.said {
            Err(Error::DeviceLost { done, len: LEN, .. }) => {
                assert!(*done >= pass * CHUNK, "{done} of {LEN}, destroyed before chunk {pass} was read");
                got.assert_right_up_to(*done, &wanted);
            }
            // Every chunk had been submitted by then, and a fast device had finished them all.
            Ok(_) => {
                assert!(pass + CHUNKS_IN_FLIGHT >= chunks, "finished, though destroyed before chunk {pass} was read");
                got.assert_right(&wanted);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(uncaptured.load(Ordering::Relaxed), 0, "an error reached the caller's handler");
    }
}

/// A device that is destroyed, with its buffers, after the results of a chunk were copied: they are right, the next
/// chunk or call meets the loss, and the caller's handler hears nothing.
#[test]
fn a_device_destroyed_after_a_chunk_was_read_is_a_typed_error() {
    let elements = elements(ORDER, LEN);
    let stack = Stack::new(&elements, ORDER).unwrap();
    let Some(Own { gpu, .. }) = own("device_faults/destroyed_after_reading", |_| {}) else { return };
    let wanted = call(&gpu, stack);
    let chunks = LEN.div_ceil(CHUNK);
    for pass in 0..chunks {
        let Some(Own { gpu, uncaptured, .. }) = own("device_faults/destroyed_after_reading", |_| {}) else { return };
        arm(Fault::LateDestruction, pass, 1);
        let got = call(&gpu, stack);
        assert!(disarm(), "the device was destroyed");
        match &got.said {
            Err(Error::DeviceLost { done, len: LEN, .. }) => {
                assert!((pass + 1) * CHUNK <= *done && pass + 1 < chunks, "{done} of {LEN}, destroyed after {pass}");
                got.assert_right_up_to(*done, &wanted);
            }
            // Every chunk had been submitted by then, and a fast device had finished them all.
            Ok(_) => {
                assert!(pass + CHUNKS_IN_FLIGHT >= chunks, "finished, though destroyed after chunk {pass} was read");
                got.assert_right(&wanted);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(uncaptured.load(Ordering::Relaxed), 0, "an error reached the caller's handler");
        assert!(matches!(call(&gpu, stack).said, Err(Error::DeviceLost { done: 0, .. })));
    }
}

/// A chunk that takes longer than the caller is willing to wait.
#[test]
fn a_time_limit_ends_the_wait() {
    let elements = elements(64, 3000);
    let stack = Stack::new(&elements, 64).unwrap();
    let Some(Own { gpu, uncaptured, .. }) = own("device_faults/time_limit", |_| {}) else { return };
    let inverter = Inverter::with_gpu(gpu.clone());
    gpu.set_time_limit(Some(Duration::from_nanos(1)));
    match inverter.invert(stack) {
        // On a busy machine a chunk may be finished before it is waited for.
        Err(Error::DeviceLost { done: ..3000, len: 3000, detail }) => assert_eq!(detail, "no answer within 1ns"),
        other => panic!("{:?}", other.map(|inverses| inverses.report().clone())),
    }
    // The device still works, for its other users, too.
    gpu.set_time_limit(None);
    let inverses = inverter.invert(stack).unwrap();
    assert!(inverses.first_failure().is_none());
    assert_eq!(uncaptured.load(Ordering::Relaxed), 0);
}

/// The same under the automatic choice: the CPU does the rest, and the report says why.
#[test]
fn auto_waits_no_longer_than_the_time_limit() {
    let elements = elements(64, 3000);
    let stack = Stack::new(&elements, 64).unwrap();
    for adapter in engines::adapters("device_faults/time_limit_of_auto") {
        // The name in capitals opens a device of its own, so that the limit disturbs no other test.
        let name = adapter.gpu.facts().name.to_uppercase();
        let auto = Inverter::auto().auto_policy(AutoPolicy::SoftwareCounts).adapter(&name);
        let inverses = auto.time_limit(Duration::from_nanos(1)).invert(stack).unwrap();
        let report = inverses.report();
        let Some(Error::DeviceLost { done, detail, .. }) = &report.gpu_failure else { panic!("{report:?}") };
        assert_eq!((detail.as_str(), report.engine), ("no answer within 1ns", Engine::Cpu));
        let rest = done * 64 * 64..;
        let on_cpu = Inverter::cpu().invert(stack).unwrap();
        assert!(bits(&inverses.stack().elements()[rest.clone()]) == bits(&on_cpu.stack().elements()[rest]));
        assert!((0..*done).all(|m| inverses.statuses()[m].is_inverted()));
    }
}

/// A device whose buffers are limited to 32 KiB: the call takes many chunks, or is refused if not even one
/// matrix fits. With 4 KiB there is no room for the engine's own tables.
#[test]
fn tiny_limits_make_small_chunks() {
    let grant = |bytes: u64| {
        own("device_faults/tiny_limits", |limits| {
            limits.max_buffer_size = bytes;
            limits.max_storage_buffer_binding_size = bytes;
        })
    };
    let Some(Own { gpu, uncaptured, .. }) = grant(32 << 10) else { return };
    let inverter = Inverter::with_gpu(gpu);
    for n in [1, 2, 8, 16, 80] {
        let len = 20_000 / n / n + 3;
        let elements = elements(n, len);
        let stack = Stack::new(&elements, n).unwrap();
        let inverses = inverter.invert(stack).unwrap();
        assert!(inverses.report().chunks >= (len * n * n * 4).div_ceil(32 << 10), "{:?}", inverses.report());
        for m in 0..len {
            let ratio = batchinv::residual_ratio(stack.matrix(m), inverses.stack().matrix(m), n);
            assert!(ratio < 3.0 && inverses.statuses()[m].is_inverted(), "order {n}: {ratio}");
        }
    }
    let large = elements(91, 1);
    let said = inverter.invert(Stack::new(&large, 91).unwrap()).map(drop);
    assert!(matches!(said, Err(Error::Unsupported { .. })), "{said:?}");
    assert_eq!(uncaptured.load(Ordering::Relaxed), 0);

    let Some(Own { gpu, uncaptured, .. }) = grant(4 << 10) else { return };
    let said = Inverter::with_gpu(gpu).invert(Stack::new(&[2.0_f32], 1).unwrap()).map(drop);
    assert!(matches!(said, Err(Error::DeviceLost { done: 0, len: 1, .. })), "{said:?}");
    assert_eq!(uncaptured.load(Ordering::Relaxed), 0);
}

/// A job whose elements exceed the largest binding of the device.
#[test]
fn a_job_larger_than_a_binding_is_refused() {
    let Some(Own { device, gpu, uncaptured }) = own("device_faults/job_too_large", |limits| {
        limits.max_storage_buffer_binding_size = 64 << 10;
    }) else {
        return;
    };
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 1 << 20,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    let job = |capacity| gpu.job(&JobDescriptor::new(ScalarKind::Float32, 16, capacity, &buffer));
    assert!(job(64).is_ok());
    let Err(Error::Job(error)) = job(65) else { panic!("65 KiB in a binding of 64") };
    assert_eq!(error, JobError::TooLarge { what: "input", bytes: 65 << 10, limit: 64 << 10 });
    assert_eq!(uncaptured.load(Ordering::Relaxed), 0);
}

/// On a caller's device the engine neither swallows the caller's errors nor reports its own to the caller's handlers.
#[test]
fn a_callers_device_keeps_its_own_handlers() {
    let elements = elements(ORDER, LEN);
    let stack = Stack::new(&elements, ORDER).unwrap();
    let Some(Own { device, gpu, uncaptured }) = own("device_faults/handlers", |_| {}) else { return };
    let mistake = || {
        // More than any device grants.
        let _ = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::MAX / 2,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
    };
    mistake();
    assert_eq!(uncaptured.load(Ordering::Relaxed), 1);
    // The caller's error scope around a call catches the caller's own errors and nothing else.
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    assert!(call(&gpu, stack).said.is_ok());
    arm(Fault::Refusal, 3, usize::MAX);
    assert!(call(&gpu, stack).said.is_err());
    disarm();
    assert!(pollster::block_on(scope.pop()).is_none());
    mistake();
    assert_eq!(uncaptured.load(Ordering::Relaxed), 2);
}

/// The engine for a stack that arrives in pieces is chosen once.
#[test]
fn a_decided_choice_does_not_change_with_the_pieces() {
    let work = |len| Work::inverse(ScalarKind::Float32, ORDER, len);
    let elements = elements(ORDER, 3);
    let stack = Stack::new(&elements, ORDER).unwrap();
    for adapter in engines::adapters("device_faults/decided") {
        let auto = Inverter::auto().auto_policy(AutoPolicy::SoftwareCounts).adapter(&adapter.gpu.facts().name);
        for (len, engine) in [(1 << 20, Engine::Gpu), (3, Engine::Cpu)] {
            let decided = auto.decided(work(len)).unwrap();
            assert_eq!(decided.invert(stack).unwrap().report().engine, engine);
            // Some devices have no float64; then the automatic choice must still answer.
            decided.precision(Precision::Double).invert(stack).unwrap();
        }
    }
}
