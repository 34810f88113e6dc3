//! The public API: functions, options, errors, and the guarantees that the types give.

mod common;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use approx::{assert_abs_diff_eq, assert_abs_diff_ne, assert_relative_eq, assert_ulps_eq};
use batchinv::{
    Complex, CpuKernel, Engine, EngineChoice, Error, Inverses, InversesMut, Inverter, Kernel, Precision, Report,
    ShapeError, SimdLevel, Stack, StackBuf, Status, Verdict, inv, invert,
};
use common::cases::{self, Random, power};
use common::{Element, bits, engines};

const GOOD: [f64; 4] = [4.0, 7.0, 2.0, 6.0];
const SINGULAR: [f64; 4] = [1.0, 2.0, 2.0, 4.0];

fn three() -> Vec<f64> {
    [GOOD, SINGULAR, [f64::NAN, 0.0, 0.0, 1.0]].concat()
}

#[test]
fn invert_gives_a_verdict_each() {
    let elements = three();
    let inverses = invert(Stack::new(&elements, 2).unwrap()).unwrap();
    let words: Vec<i32> = inverses.statuses().iter().map(|status| status.word()).collect();
    assert_eq!(words, [0, 2, -1]);
    let verdicts: Vec<Verdict> = inverses.statuses().iter().map(|status| status.verdict()).collect();
    assert_eq!(verdicts, [Verdict::Inverted, Verdict::Singular { column: 2 }, Verdict::NotFinite]);
    assert!(inverses.get(0).is_some() && inverses.get(1).is_none() && inverses.get(2).is_none());
    assert!(inverses.get(3).is_none());
    assert_eq!(inverses.first_failure().map(|(index, status)| (index, status.word())), Some((1, 2)));
    assert_eq!(inverses.stack().len(), 3);
    assert!(inverses.rconds().is_none());
    let stack = inverses.into_stack();
    assert_abs_diff_eq!(stack.view().slice(0..1), Stack::new(&[0.6, -0.7, -0.2, 0.4], 2).unwrap(), epsilon = 1e-15);
}

#[test]
fn inv_fails_on_the_first_as_numpy_does() {
    assert_relative_eq!(inv(Stack::new(&GOOD, 2).unwrap()).unwrap().elements()[0], 0.6, max_relative = 1e-14);
    let elements = three();
    let error = inv(Stack::new(&elements, 2).unwrap()).unwrap_err();
    assert_eq!(error, Error::Singular { index: 1, column: 2 });
    assert!(error.to_string().starts_with("Singular matrix"), "{error}");
    assert!(error.to_string().contains("matrix 1") && error.to_string().contains("column 2"), "{error}");
    let error = inv(Stack::new(&elements[8..], 2).unwrap()).unwrap_err();
    assert_eq!(error, Error::NotFinite { index: 0 });
    assert!(error.to_string().contains("not finite"), "{error}");
    // The error is about the first failure, of either kind.
    let turned = [&elements[8..], &elements[..8]].concat();
    assert_eq!(inv(Stack::new(&turned, 2).unwrap()).unwrap_err(), Error::NotFinite { index: 0 });
}

/// `invert_into` writes every element and status. If an output has the wrong length,
/// it fails before it writes anything.
fn into_the_callers_memory<T: Element>() {
    let elements = [cases::identity::<T>(3), vec![T::ZERO; 9]].concat();
    let stack = Stack::new(&elements, 3).unwrap();
    let inverter = Inverter::cpu();
    let (mut out, mut statuses) = (vec![T::real(9.0); 18], vec![Status::NOT_FINITE; 2]);
    let mut rconds = vec![<T::Real as batchinv::Scalar>::NAN; 2];
    let report =
        inverter.invert_into(stack, InversesMut::new(&mut out, &mut statuses).with_rconds(&mut rconds)).unwrap();
    assert_eq!((report.engine, report.adapter, report.chunks, report.reason), (Engine::Cpu, None, 1, None));
    assert_eq!(out[..9], cases::identity::<T>(3)[..]);
    assert_eq!(bits(&out[9..]), bits(&[T::NAN; 9]));
    assert_eq!((statuses[0].word(), statuses[1].word()), (0, 1));
    use batchinv::Real;
    assert_eq!((rconds[0].to_f64(), rconds[1].to_f64()), (1.0, 0.0));

    for (elements_len, statuses_len, rconds_len, what) in [
        (17, 2, 2, "elements"),
        (19, 2, 2, "elements"),
        (18, 1, 2, "statuses"),
        (18, 3, 2, "statuses"),
        (18, 2, 1, "rconds"),
    ] {
        let (mut out, mut statuses) = (vec![T::real(9.0); elements_len], vec![Status::NOT_FINITE; statuses_len]);
        let mut rconds = vec![<T::Real as batchinv::Scalar>::NAN; rconds_len];
        let output = InversesMut::new(&mut out, &mut statuses).with_rconds(&mut rconds);
        let error = inverter.invert_into(stack, output).unwrap_err();
        assert!(matches!(error, Error::Shape(ShapeError::Output { what: found, .. }) if found == what), "{error}");
        assert!(out.iter().all(|&x| x == T::real(9.0)) && statuses.iter().all(|&s| s == Status::NOT_FINITE));
    }
}

/// Double precision: every entry is the rounded float64 result or a neighbor of it.
fn double_is_float64_rounded<T: Element>() {
    for n in [1, 2, 3, 4, 7, 8, 9, 12, 13, 16, 17, 25, 33, 49] {
        let mut random = Random::new(n as u64);
        let mut elements: Vec<T> = (0..21).flat_map(|_| cases::dominant::<T>(n, &mut random)).collect();
        elements.extend(cases::uniform::<T>(n, &mut random));
        let stack = Stack::new(&elements, n).unwrap();
        let wide: Vec<Complex<f64>> = elements.iter().map(|x| Complex::new(x.re_im().0, x.re_im().1)).collect();
        for level in SimdLevel::all() {
            let inverter = Inverter::cpu().simd_level(level).precision(Precision::Double);
            let got = inverter.invert(stack).unwrap();
            // The exact values come from the same engine, computing in float64 on the same numbers.
            let exact: Vec<(f64, f64)> = if T::COMPLEX {
                let exact = Inverter::cpu().simd_level(level).invert(Stack::new(&wide, n).unwrap()).unwrap();
                exact.stack().elements().iter().map(|x| x.re_im()).collect()
            } else {
                let wide: Vec<f64> = wide.iter().map(|z| z.re).collect();
                let exact = Inverter::cpu().simd_level(level).invert(Stack::new(&wide, n).unwrap()).unwrap();
                exact.stack().elements().iter().map(|x| x.re_im()).collect()
            };
            for (x, (re, im)) in got.stack().elements().iter().zip(exact) {
                let near = |x: f64, exact: f64| (x - exact).abs() <= 2.0 * T::eps() * exact.abs();
                assert!(near(x.re_im().0, re) && near(x.re_im().1, im), "order {n}, {}: {x:?}, {re}", level.name());
            }
        }
    }
}

/// An inverse that is finite in float64 but overflows the scalar has status -1.
fn double_overflows_to_not_finite<T: Element>() {
    let tiny = T::real(power(T::MIN_EXPONENT - 4));
    for engine in engines::cpu_double::<T>("api/double_overflows_to_not_finite") {
        for n in [1, 3, 20, 40] {
            let mut entries = vec![T::ONE; n];
            entries[n / 2] = tiny;
            let outcome = engine.invert(Stack::new(&cases::diagonal(&entries), n).unwrap());
            assert_eq!(outcome.statuses, [-1], "{}, order {n}", engine.name);
            assert!(outcome.elements.iter().all(|x| x.bits() == T::NAN.bits()));
        }
    }
}

for_each_scalar!(into_the_callers_memory, double_is_float64_rounded, double_overflows_to_not_finite);

#[test]
fn products_and_identities() {
    let a = StackBuf::new([GOOD, [0.0, 1.0, 2.0, 0.0]].concat(), 2).unwrap();
    let x = inv(a.view()).unwrap();
    assert_abs_diff_eq!(a.view().product(x.view()).unwrap(), StackBuf::identity(2, 2), epsilon = 1e-15);
    assert_relative_eq!(x.view().product(a.view()).unwrap(), StackBuf::identity(2, 2), epsilon = 1e-14);
    assert_eq!(a.view().product(StackBuf::identity(2, 2).view()).unwrap(), a);
    // The left operand's rows times the right operand's columns.
    let (left, right) = ([1.0_f32, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
    let product = Stack::new(&left, 2).unwrap().product(Stack::new(&right, 2).unwrap()).unwrap();
    assert_eq!(product.elements(), [19.0, 22.0, 43.0, 50.0]);
    let error = a.view().product(StackBuf::identity(2, 1).view()).unwrap_err();
    assert!(matches!(error, ShapeError::Mismatch { left_len: 2, right_len: 1, .. }), "{error}");
    assert!(a.view().product(StackBuf::identity(1, 2).view()).is_err());
    assert_eq!(StackBuf::<f32>::identity(0, 3).elements().len(), 0);
    let complex = [Complex::new(0.0_f32, 1.0)];
    let square = Stack::new(&complex, 1).unwrap().product(Stack::new(&complex, 1).unwrap()).unwrap();
    assert_eq!(square.elements(), [Complex::new(-1.0, 0.0)]);
}

#[test]
fn stacks_compare() {
    let a = StackBuf::new(vec![1.0_f32, 2.0, 3.0, 4.0], 1).unwrap();
    let near = StackBuf::new(vec![1.0_f32, 2.0, 3.0, 4.0000005], 1).unwrap();
    assert_abs_diff_eq!(a, near, epsilon = 1e-6);
    assert_abs_diff_ne!(a, near, epsilon = 1e-8);
    assert_ulps_eq!(a, near, max_ulps = 1);
    assert_ne!(a, near);
    // The same elements as one matrix of order 2 form a different stack.
    let square = StackBuf::new(a.elements().to_vec(), 2).unwrap();
    assert_ne!(a, square);
    assert_abs_diff_ne!(a, square, epsilon = 1.0);
    assert_eq!(a.view(), a);
    assert_eq!(a, a.view());
    // NaN neither equals nor approximates anything.
    let nan = StackBuf::new(vec![f32::NAN], 1).unwrap();
    assert_ne!(nan, nan.clone());
    assert_abs_diff_ne!(nan, nan, epsilon = 1.0);
}

#[test]
fn stacks_are_proofs() {
    let elements = [0.0_f32; 12];
    assert_eq!(Stack::new(&elements, 2).unwrap().len(), 3);
    assert_eq!(Stack::new(&elements, 1).unwrap().len(), 12);
    assert_eq!(Stack::new(&elements, 5).unwrap_err(), ShapeError::NotWhole { elements: 12, order: 5 });
    assert_eq!(Stack::<f32>::new(&[], 5).unwrap().len(), 0);
    assert_eq!(Stack::<f32>::new(&[], 0).unwrap_err(), ShapeError::UnknownLength);
    assert_eq!(Stack::<f32>::new(&[], 1 << 20).unwrap().len(), 0);
    let too_large = ShapeError::TooLarge { order: usize::MAX, len: 1 };
    assert_eq!(Stack::<f32>::new(&[], usize::MAX).unwrap_err(), too_large);
    assert!(Stack::new(&elements, usize::MAX).is_err());
    assert_eq!(Stack::<f32>::with_len(&[], 0, 7).unwrap().len(), 7);
    // No memory for their statuses: an error, no abort.
    for len in [1 << 50, 1 << 61, usize::MAX] {
        let claimed = Stack::<f32>::with_len(&[], 0, len).unwrap();
        let error = Inverter::cpu().rcond(true).invert(claimed).unwrap_err();
        assert_eq!(error, ShapeError::TooLarge { order: 0, len }.into());
    }
    assert_eq!(
        Stack::with_len(&elements, 2, 2).unwrap_err(),
        ShapeError::Length { elements: 12, order: 2, len: 2, needed: 8 }
    );
    for (order, len) in [(usize::MAX, 1), (1, usize::MAX), (1 << 31, 1 << 31), (3_037_000_500, 1)] {
        assert_eq!(Stack::<f32>::with_len(&[], order, len).unwrap_err(), ShapeError::TooLarge { order, len });
    }
    assert!(StackBuf::with_len(vec![0.0_f64; 4], 2, 2).is_err());
    let stack = Stack::new(&elements, 2).unwrap();
    assert_eq!(stack.slice(1..3).len(), 2);
    assert!(stack.slice(3..3).is_empty());
    assert_eq!(stack.iter().len(), 3);
    assert!(std::panic::catch_unwind(|| stack.matrix(3)).is_err());
    assert!(std::panic::catch_unwind(|| stack.slice(2..4)).is_err());
}

#[test]
fn engines_by_name() {
    assert_eq!("auto".parse(), Ok(EngineChoice::Auto));
    assert_eq!("cpu".parse(), Ok(EngineChoice::Cpu));
    assert_eq!("gpu".parse(), Ok(EngineChoice::Gpu));
    assert!("GPU".parse::<EngineChoice>().is_err());
    assert!("".parse::<EngineChoice>().unwrap_err().to_string().contains("auto, cpu, gpu"));
    let elements = GOOD.repeat(16);
    let report = |inverter: Inverter| inverter.invert(Stack::new(&elements, 2).unwrap()).unwrap().report().clone();
    let cpu = report(Inverter::new(EngineChoice::Cpu).unwrap());
    assert_eq!((cpu.engine, cpu.kernel, cpu.reason), (Engine::Cpu, Kernel::Cpu(CpuKernel::Lanes), None));
    // A stack this small is not worth the transfer to any GPU, and the report says so.
    let auto = report(Inverter::new(EngineChoice::Auto).unwrap());
    assert!(auto.engine == Engine::Cpu && auto.reason.is_some());
    assert_eq!(report(Inverter::cpu()).seconds, batchinv::Stages::default(), "a stack this small is not timed");
    let more = GOOD.repeat(batchinv::plan::TIMED_FLOPS / 8);
    assert!(Inverter::cpu().invert(Stack::new(&more, 2).unwrap()).unwrap().report().seconds.dispatch > 0.0);
}

#[test]
fn simd_levels() {
    let names: Vec<&str> = SimdLevel::all().into_iter().map(SimdLevel::name).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert!(!names.is_empty() && names.len() == once.len(), "{names:?}");
    #[cfg(feature = "testing")]
    assert!(names.contains(&"portable"), "{names:?}");
    assert_eq!(names.last(), Some(&SimdLevel::best().name()));
}

/// The public types are `Send` and `Sync`, and the futures are `Send`.
#[test]
fn types_are_send_and_sync() {
    fn both<T: Send + Sync>() {}
    fn send<T: Send>(value: T) -> T {
        value
    }
    both::<Inverter>();
    both::<Inverses<f32>>();
    both::<Inverses<Complex<f64>>>();
    both::<InversesMut<'_, f32>>();
    both::<Stack<'_, f64>>();
    both::<StackBuf<f64>>();
    both::<Error>();
    both::<Report>();
    #[cfg(feature = "gpu")]
    both::<batchinv::gpu::GpuInverter>();
    let inverter = Inverter::cpu();
    let (mut out, mut statuses) = ([0.0; 4], [Status::NOT_FINITE]);
    let stack = Stack::new(&GOOD, 2).unwrap();
    drop(send(inverter.invert_into_async(stack, InversesMut::new(&mut out, &mut statuses))));
    let future = send(inverter.invert_async(stack));
    // On the CPU the future is ready at the first poll.
    let mut future = pin!(future);
    let Poll::Ready(inverses) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the CPU engine's future was not ready at the first poll")
    };
    assert!(inverses.unwrap().statuses()[0].is_inverted());
}

/// Many threads share one inverter.
#[test]
fn shared_by_threads() {
    let inverter = Inverter::cpu().rcond(true);
    let elements = cases::dominant::<f32>(9, &mut Random::new(1)).repeat(500);
    let stack = Stack::new(&elements, 9).unwrap();
    let alone = bits(inverter.invert(stack).unwrap().stack().elements());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(bits(inverter.invert(stack).unwrap().stack().elements()), alone));
        }
    });
}

#[test]
fn errors_are_errors() {
    fn is_error<T: std::error::Error + Clone + PartialEq + 'static>() {}
    is_error::<Error>();
    is_error::<ShapeError>();
    let shape = Error::from(ShapeError::UnknownLength);
    assert_eq!(shape.to_string(), ShapeError::UnknownLength.to_string());
    let lost = Error::DeviceLost { done: 3, len: 10, detail: "gone".to_owned() };
    assert!(lost.to_string().contains("3 of 10") && lost.to_string().contains("gone"));
}

#[cfg(not(feature = "gpu"))]
#[test]
fn without_a_gpu_the_name_is_refused() {
    assert!(matches!(Inverter::new(EngineChoice::Gpu), Err(Error::NoAdapter { .. })));
}

#[cfg(all(feature = "gpu", feature = "testing"))]
mod on_the_gpu {
    use batchinv::plan::{self, AdapterKind, AutoPolicy};
    use batchinv::{Scalar, gpu::GpuInverter};

    use super::*;

    /// Work that no kernel can do is refused with a clear reason, and nothing is computed.
    #[test]
    fn unsupported_work_is_refused() {
        fn refused<T: Scalar>(inverter: &Inverter, stack: Stack<'_, T>, word: &str) {
            match inverter.invert(stack) {
                Err(Error::Unsupported { engine: Engine::Gpu, reason }) => {
                    assert!(reason.to_string().contains(word), "{reason}");
                }
                other => panic!("{word}: {other:?}"),
            }
        }
        for adapter in engines::adapters("api/unsupported_work_is_refused") {
            let inverter = Inverter::with_gpu(adapter.gpu.clone());
            let beyond = plan::DEVICE_MAX_ORDER + 1;
            refused(&inverter, Stack::<f32>::with_len(&[], beyond, 0).unwrap(), &beyond.to_string());
            if !adapter.gpu.facts().limits.float64 {
                refused(&inverter, Stack::new(&GOOD, 2).unwrap(), "float64");
                refused(&inverter, StackBuf::<Complex<f64>>::identity(2, 1).view(), "complex128");
            }
        }
    }

    /// The automatic choice, end to end. It takes a software adapter only under the policy made for this test,
    /// and falls back to the CPU for work that the adapter cannot do.
    #[test]
    fn auto_end_to_end() {
        for adapter in engines::adapters("api/auto_end_to_end") {
            let counting = |inverter: Inverter| inverter.auto_policy(AutoPolicy::SoftwareCounts);
            let auto = Inverter::auto().adapter(&adapter.gpu.facts().name);
            let n = plan::AUTO_MIN_ORDER;
            let elements = cases::dominant::<f32>(n, &mut Random::new(1)).repeat(plan::AUTO_MIN_ELEMENTS / (n * n));
            let stack = Stack::new(&elements, n).unwrap();

            let inverses = counting(auto.clone()).invert(stack).unwrap();
            let report = inverses.report();
            let work = plan::Work::inverse(f32::KIND, n, stack.len());
            let planned = plan::gpu(work, &adapter.gpu.facts().limits).unwrap();
            assert_eq!((report.engine, report.kernel), (Engine::Gpu, Kernel::Gpu(planned.variant.kernel())));
            assert_eq!(report.adapter.as_ref(), Some(&adapter.gpu.facts().name));
            assert!(report.reason.is_some() && report.chunks >= 1);
            let by_name = Inverter::with_gpu(adapter.gpu.clone()).invert(stack).unwrap();
            assert_eq!(bits(inverses.stack().elements()), bits(by_name.stack().elements()));
            assert_eq!(by_name.report().reason, None);

            if adapter.gpu.facts().kind == AdapterKind::Software {
                let report = auto.invert(stack).unwrap().report().clone();
                assert_eq!((report.engine, report.adapter), (Engine::Cpu, None));
                assert!(report.reason.unwrap().to_string().contains("software"));
            }

            // A stack that is too short goes to the CPU, with a reason.
            let few = Stack::new(&elements[..n * n], n).unwrap();
            let short = counting(auto.clone()).invert(few).unwrap().report().clone();
            assert!(short.engine == Engine::Cpu && short.reason.is_some(), "{short:?}");
            // float64 goes to the CPU, with a reason, if the adapter has none. Double precision of float32 does not.
            let able = adapter.gpu.facts().limits.float64;
            let wide: Vec<f64> = elements.iter().map(|&x| x.into()).collect();
            let double = counting(auto.clone()).precision(Precision::Double).invert(stack).unwrap().report().clone();
            let wide = counting(auto).invert(Stack::new(&wide, n).unwrap()).unwrap().report().clone();
            assert_eq!(double.engine, Engine::Gpu);
            assert_eq!(wide.engine, if able { Engine::Gpu } else { Engine::Cpu });
            assert_eq!(wide.reason.unwrap().to_string().contains("float64"), !able);
            engines::record(&adapter.word, planned.variant.kernel().name(), "float32", "api/auto_end_to_end", "ran");
        }
        // Without an adapter of that name, the CPU is chosen.
        let elements = vec![1.0_f32; plan::AUTO_MIN_ELEMENTS * 4];
        let nobody = Inverter::auto().adapter("no adapter has this name");
        let report = nobody.invert(Stack::new(&elements, 32).unwrap()).unwrap().report().clone();
        assert!(report.engine == Engine::Cpu && report.reason.is_some());
    }

    #[test]
    fn adapters_by_name() {
        let error = GpuInverter::open(Some("no adapter has this name")).unwrap_err();
        assert!(matches!(&error, Error::NoAdapter { .. }), "{error}");
        assert_eq!(block_on(GpuInverter::open_async(Some("no adapter has this name"))).unwrap_err(), error);
        for adapter in engines::adapters("api/adapters_by_name") {
            let name = adapter.gpu.facts().name.to_uppercase();
            assert_eq!(block_on(GpuInverter::open_async(Some(&name))).unwrap().facts(), adapter.gpu.facts());
            assert_eq!(GpuInverter::open(Some(&name)).unwrap().facts(), adapter.gpu.facts());
            assert!(Inverter::gpu().is_ok() && Inverter::new(EngineChoice::Gpu).is_ok());
            assert!(error.to_string().contains(&*adapter.gpu.facts().name));
        }
    }

    /// The future yields while the device works, and is `Send`.
    #[test]
    fn futures_are_send() {
        fn send<T: Send>(value: T) -> T {
            value
        }
        for adapter in engines::adapters("api/futures_are_send") {
            let inverter = Inverter::with_gpu(adapter.gpu.clone());
            let elements = [2.0_f32, 0.0, 0.0, 4.0];
            let stack = Stack::new(&elements, 2).unwrap();
            let future = send(inverter.invert_async(stack));
            assert_eq!(block_on(future).unwrap().stack().elements(), [0.5, 0.0, 0.0, 0.25]);
            // Dropping an unfinished future does not disturb the next call.
            {
                let mut dropped = pin!(inverter.invert_async(stack));
                let _ = dropped.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            assert_eq!(inverter.invert(stack).unwrap().stack().elements(), [0.5, 0.0, 0.0, 0.25]);
            engines::record(&adapter.word, "thread", "float32", "api/futures_are_send", "ran");
        }
    }

    /// A minimal executor that sleeps until it is woken.
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        struct Thread(std::thread::Thread);
        impl std::task::Wake for Thread {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = std::sync::Arc::new(Thread(std::thread::current())).into();
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending => std::thread::park_timeout(std::time::Duration::from_secs(60)),
            }
        }
    }
}
