//! Stacks of any length: empty, a single matrix, one more and one less than each group,
//! task, and chunk, and very long ones.

mod common;

use batchinv::plan;
use batchinv::{CpuKernel, InversesMut, Inverter, Kernel, Real, Stack, Status};
use common::cases::{self, Case, Random, Want, power};
use common::engines::{self, Engine};
use common::oracle::{self, Failures};
use common::{Element, full_sweep};

/// One matrix per verdict, and a few more invertible ones. Their number is prime, so that the pattern does not
/// line up with lanes, workgroups, or chunks.
fn pattern<T: Element>(n: usize) -> Vec<Case<T>> {
    let mut random = Random::new(n as u64);
    let mut cases: Vec<Case<T>> =
        (0..19).map(|_| Case::new("dominant", cases::dominant(n, &mut random), Want::Ratio)).collect();
    let mut nan = cases::identity::<T>(n);
    nan[0] = T::real(f64::NAN);
    cases[3] = Case::new("NaN", nan, Want::Status(-1));
    cases[8] = Case::new("zero", vec![T::ZERO; n * n], Want::Status(1));
    let small: Vec<T> = cases::dominant::<T>(n, &mut random);
    let small = small.iter().map(|x| T::new(x.re_im().0 * power(-60), x.re_im().1 * power(-60))).collect();
    cases[13] = Case::new("small", small, Want::Ratio);
    cases
}

/// Checks that the pattern is inverted correctly, and that stacks that repeat it up to each length give the repeated
/// result, to the bit.
fn repeated<T: Element>(engine: &Engine<T>, n: usize, lens: &[usize], failures: &mut Failures) {
    let cases = pattern::<T>(n);
    let once = oracle::check(engine, n, &cases, failures);
    let (bits, elements) = (common::bits(&once.elements), cases::elements(&cases));
    for &len in lens {
        let long: Vec<T> = elements.iter().copied().cycle().take(len * n * n).collect();
        let outcome = engine.invert(Stack::with_len(&long, n, len).unwrap());
        let wrong = (0..len).find(|&m| {
            let at = m % cases.len();
            let got = &outcome.elements[m * n * n..][..n * n];
            outcome.statuses[m] != once.statuses[at]
                || got.iter().zip(&bits[at * n * n..][..n * n]).any(|(x, &bits)| x.bits() != bits)
        });
        let sizes = (outcome.elements.len(), outcome.statuses.len(), outcome.rconds.map(|rconds| rconds.len()));
        failures.expect(wrong.is_none(), || format!("{}, order {n}, {len} matrices: {wrong:?} differs", engine.name));
        failures.expect(sizes == (len * n * n, len, Some(len)), || format!("{}: {len} gave {sizes:?}", engine.name));
    }
}

/// Lengths around multiples of the lanes, workgroups, and tasks.
fn short<T: Element>() {
    let mut failures = Failures::default();
    for n in [1, 2, 3, 8, 16, 17, 33, plan::lanes_max_order(T::KIND) + 1] {
        let mut lens = vec![0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33];
        let task = plan::CpuTuning::MEASURED.task_len(n);
        if task * n * n <= 1 << 15 {
            lens.extend([task - 1, task, task + 1, 2 * task + 1]);
        }
        for engine in engines::cpu::<T>("lengths/short") {
            repeated(&engine, n, &lens, &mut failures);
        }
        // Whole workgroups of either kernel, and one matrix more and fewer.
        for engine in engines::gpu::<T>(n, "lengths/short") {
            repeated(&engine, n, &[0, 1, 2, 3, 4, 5, 63, 64, 65, 128], &mut failures);
        }
    }
    failures.none();
}

/// 65,535 is the limit of 16-bit counts and of a dispatch dimension.
fn long<T: Element>() {
    let mut failures = Failures::default();
    let million: &[usize] = &[65_535, 65_536, 65_537, 1_000_000];
    for engine in engines::cpu::<T>("lengths/long") {
        repeated(
            &engine,
            1,
            if full_sweep() || engine.name.contains("avx") { million } else { &million[..3] },
            &mut failures,
        );
        if full_sweep() {
            repeated(&engine, 3, million, &mut failures);
        }
    }
    failures.none();
}

for_each_scalar!(short, long);

/// `blocked` at its smallest order, in the scalar for which that order is smallest. The stack takes more than 1
/// GB, so the results go directly into preallocated memory; a million matrices would take 20 GB.
#[test]
fn long_blocked() {
    type T = batchinv::Complex<f64>;
    let n = plan::lanes_max_order(<T as batchinv::Scalar>::KIND) + 1;
    let cases = pattern::<T>(n);
    let elements = cases::elements(&cases);
    let long: Vec<T> = elements.iter().copied().cycle().take(65_537 * n * n).collect();
    let mut out = vec![<T as batchinv::Scalar>::ZERO; long.len()];
    let mut statuses = vec![Status::NOT_FINITE; 65_537];
    let mut failures = Failures::default();
    let engine = engines::cpu::<T>("lengths/long_blocked").pop().unwrap();
    let once = oracle::check(&engine, n, &cases, &mut failures);
    let bits = common::bits(&once.elements);
    for len in [65_535, 65_536, 65_537] {
        let (out, statuses) = (&mut out[..len * n * n], &mut statuses[..len]);
        let stack = Stack::new(&long[..len * n * n], n).unwrap();
        let report = Inverter::cpu().invert_into(stack, InversesMut::new(out, statuses)).unwrap();
        assert_eq!(report.kernel, Kernel::Cpu(CpuKernel::Blocked));
        for (m, (x, status)) in out.chunks_exact(n * n).zip(statuses.iter()).enumerate() {
            let at = m % cases.len();
            let same = x.iter().zip(&bits[at * n * n..]).all(|(x, &bits)| x.bits() == bits);
            failures.expect(same && status.word() == once.statuses[at], || format!("{len} matrices: {m} differs"));
        }
        statuses.fill(Status::NOT_FINITE);
        out.fill(<T as batchinv::Scalar>::ONE);
    }
    failures.none();
}

/// At order 0 there are no elements, but one status per matrix.
fn order_zero<T: Element>() {
    for engine in engines::cpu::<T>("lengths/order_zero") {
        for len in [0, 1, 5] {
            let outcome = engine.invert(Stack::with_len(&[], 0, len).unwrap());
            assert!(outcome.elements.is_empty());
            assert_eq!(outcome.statuses, vec![0; len]);
            assert!(outcome.rconds.unwrap().iter().all(|rcond| rcond.to_f64() == f64::INFINITY));
        }
    }
}

for_each_scalar!(order_zero);

/// An empty stack gives empty outputs and no error.
#[test]
fn an_empty_stack_is_no_error() {
    let inverses = Inverter::cpu().invert(Stack::<f32>::new(&[], 4).unwrap()).unwrap();
    assert!(inverses.stack().is_empty() && inverses.statuses().is_empty() && inverses.first_failure().is_none());
    assert!(batchinv::inv(Stack::<f32>::new(&[], 4).unwrap()).unwrap().is_empty());
}

#[cfg(all(feature = "gpu", feature = "testing"))]
mod on_the_gpu {
    use batchinv::GpuKernel;

    use super::*;

    /// Lengths around a chunk and around all chunks in flight, with chunks of one matrix, of a partial
    /// workgroup, and of whole workgroups.
    #[test]
    fn chunks() {
        let mut failures = Failures::default();
        for adapter in engines::adapters("lengths/chunks") {
            let limits = adapter.gpu.facts().limits;
            for (kernel, n) in [
                (GpuKernel::Thread, 1),
                (GpuKernel::Thread, 3),
                (GpuKernel::Subgroup, 2),
                (GpuKernel::Subgroup, 13),
                (GpuKernel::Workgroup, 2),
                (GpuKernel::Workgroup, 17),
                (GpuKernel::Device, 2),
                (GpuKernel::Device, 17),
            ] {
                if kernel == GpuKernel::Subgroup && limits.subgroups.is_none() {
                    continue;
                }
                for chunk in [1, 2, 5, 64, 65] {
                    let variant = engines::variant::<f32>(kernel, n).suited(&limits);
                    let engine = engines::forced::<f32>(adapter, variant, chunk, "lengths/chunks");
                    let lens = [
                        0,
                        1,
                        chunk - 1,
                        chunk,
                        chunk + 1,
                        2 * chunk,
                        3 * chunk - 1,
                        3 * chunk,
                        3 * chunk + 1,
                        7 * chunk + 1,
                    ];
                    repeated(&engine, n, &lens, &mut failures);
                }
            }
        }
        failures.none();
    }

    /// The report gives the number of chunks.
    #[test]
    fn chunks_are_counted() {
        for adapter in engines::adapters("lengths/chunks_are_counted") {
            let elements = vec![2.0_f32; 11];
            let stack = Stack::new(&elements, 1).unwrap();
            let variant = engines::variant::<f32>(GpuKernel::Thread, 1);
            for (chunk, chunks) in [(1, 11), (5, 3), (11, 1), (100, 1)] {
                let (outcome, report) = engines::invert_with(&adapter.gpu, variant, chunk, stack).unwrap();
                assert_eq!((report.chunks, report.kernel), (chunks, Kernel::Gpu(GpuKernel::Thread)));
                assert_eq!(outcome.elements, [0.5; 11]);
            }
        }
    }

    /// Long stacks in each kernel at its smallest order. At the order from which the plan leaves `thread`, a
    /// million matrices take a minute on a software driver, so only the full sweep has them.
    #[test]
    fn long() {
        let mut failures = Failures::default();
        let lens = [65_535, 65_536, 65_537, 1_000_000];
        for engine in engines::gpu::<f32>(1, "lengths/long").iter().take(1) {
            repeated(engine, 1, &lens, &mut failures);
        }
        let smallest = plan::max_order(GpuKernel::Thread, batchinv::ScalarKind::Float32) + 1;
        for adapter in engines::adapters("lengths/long") {
            let forced = |n| {
                engines::forced::<f32>(
                    adapter,
                    engines::variant::<f32>(GpuKernel::Workgroup, n),
                    1 << 16,
                    "lengths/long",
                )
            };
            repeated(&forced(1), 1, &lens, &mut failures);
            for engine in engines::gpu::<f32>(smallest, "lengths/long") {
                repeated(&engine, smallest, if full_sweep() { &lens } else { &lens[..3] }, &mut failures);
            }
        }
        failures.none();
    }

    /// A chunk with more matrices than `device` has working memory for, and than one row of workgroups takes.
    #[test]
    fn batches() {
        let mut failures = Failures::default();
        for adapter in engines::adapters("lengths/batches") {
            let limits = &adapter.gpu.facts().limits;
            let variant = engines::variant::<f32>(GpuKernel::Device, 5).suited(limits);
            let batch = variant.batch(limits).unwrap() as usize;
            let engine = engines::forced::<f32>(adapter, variant, 1 << 20, "lengths/batches");
            repeated(&engine, 5, &[batch - 1, batch, batch + 1, 2 * batch + 3], &mut failures);
        }
        failures.none();
    }

    /// The largest number of workgroups in one dimension of a dispatch, with one matrix each.
    #[test]
    fn most_workgroups() {
        let mut failures = Failures::default();
        let most = plan::GpuLimits::WEBGPU_DEFAULT.workgroups as usize;
        for adapter in engines::adapters("lengths/most_workgroups") {
            for kernel in [GpuKernel::Thread, GpuKernel::Workgroup] {
                let variant = common::with(engines::variant::<f32>(kernel, 1), |variant| match &mut variant.config {
                    plan::KernelConfig::Thread(thread) => thread.matrices = 1,
                    plan::KernelConfig::Workgroup(workgroup) => workgroup.matrices = 1,
                    _ => unreachable!("the kernels above"),
                });
                let engine = engines::forced::<f32>(adapter, variant, most, "lengths/most_workgroups");
                repeated(&engine, 1, &[most, most + 1, most + 2], &mut failures);
            }
        }
        failures.none();
    }
}
