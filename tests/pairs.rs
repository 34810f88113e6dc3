//! `Precision::Double` on GPUs without float64: pairs of float32 keep NumPy's accuracy, and a device on which they
//! would not is found out before it computes with them.
#![cfg(all(feature = "gpu", feature = "testing", feature = "cli"))]

mod common;
mod program;

use batchinv::gpu::faults::{self, Fault};
use batchinv::gpu::{GpuInverter, JobDescriptor};
use batchinv::plan::{self, AutoPolicy, Work};
use batchinv::{
    Arithmetic, Columns, Complex, Engine, Error, Inverter, Op, Precision, Reason, Refusal, Scalar, SolutionsMut, Stack,
    Status, wgpu,
};
use common::cases::{self, Random};
use common::engines::{self, Adapter};
use common::oracle::{self, Failures};
use common::{Element, own, with};

/// The bound on ||X - X64||_1 / ||X64||_1: twice the unit roundoff of float32.
const BOUND: f64 = 1.2e-7;

/// The largest condition number in the 1-norm for which it holds.
const CONDITION: f64 = (1 << 20) as f64;

/// Matrices with conditions from 2 to almost 2^20, plain and times powers of two.
struct Family<T> {
    name: &'static str,
    /// The exponents of the factors of each row and each column.
    factors: [Vec<i32>; 2],
    matrix: Vec<T>,
    /// Before the factors.
    plain: Vec<T>,
}

fn families<T: Element>(n: usize, random: &mut Random) -> Vec<Family<T>> {
    let mut families = Vec::new();
    for condition in [2.0, 1e3, CONDITION / (4 * n) as f64] {
        let plain = cases::conditioned::<T>(n, condition, random);
        let mut wide = |range: usize| (0..n).map(|_| random.below(2 * range + 1) as i32 - range as i32).collect();
        for (name, [rows, columns]) in [
            ("as they are", [vec![0; n], vec![0; n]]),
            ("times 2^-29", [vec![-29; n], vec![0; n]]),
            ("times 2^-100", [vec![-100; n], vec![0; n]]),
            ("times 2^100", [vec![100; n], vec![0; n]]),
            ("rows and columns", [wide(40), wide(40)]),
        ] {
            let scaled = |(index, x): (usize, &T)| {
                let factor = cases::power(rows[index / n] + columns[index % n]);
                T::new(x.re_im().0 * factor, x.re_im().1 * factor)
            };
            let matrix = plain.iter().enumerate().map(scaled).collect();
            families.push(Family { name, factors: [rows, columns], matrix, plain: plain.clone() });
        }
    }
    families
}

fn widened<T: Element, D: Element>(elements: &[T]) -> Vec<D> {
    elements.iter().map(|x| D::new(x.re_im().0, x.re_im().1)).collect()
}

/// The variants that compute in pairs, on each adapter.
fn variants(work: Work, promise: &'static str) -> Vec<(&'static Adapter, plan::Variant)> {
    let work = work.with_precision(Precision::Double);
    let of = |adapter: &'static Adapter| {
        let variants = engines::pairs(work, &adapter.gpu.facts().limits);
        variants.into_iter().map(move |variant| (adapter, variant))
    };
    engines::adapters(promise).iter().flat_map(of).collect()
}

/// Every kernel holds the bound.
fn normwise<T: Element, D: Element>() {
    let mut failures = Failures::default();
    // Every kernel runs at orders 1 to 3, 5 and 9, and at the others only that of the plan: compiling takes time.
    for n in [1, 2, 3, 5, 9, 12, 20, 34] {
        let mut random = Random::new(n as u64);
        let families: Vec<Family<T>> = (0..4).flat_map(|_| families(n, &mut random)).collect();
        let matrices: Vec<T> = families.iter().flat_map(|family| family.matrix.clone()).collect();
        let plain: Vec<D> = families.iter().flat_map(|family| widened(&family.plain)).collect();
        let exact = Inverter::cpu().invert(Stack::new(&plain, n).unwrap()).unwrap();
        for (adapter, variant) in variants(Work::inverse(T::KIND, n, 1), "pairs/normwise") {
            let engine = engines::forced::<T>(adapter, variant, 1 << 10, "pairs/normwise");
            let outcome = engine.invert(Stack::new(&matrices, n).unwrap());
            for (m, Family { name, factors: [rows, columns], .. }) in families.iter().enumerate() {
                let (range, exact) = (m * n * n..(m + 1) * n * n, exact.stack().matrix(m));
                assert!(oracle::rcond(&plain[range.clone()], exact, n) * CONDITION >= 1.0, "order {n}, {name}");
                // The inverse of R A C is C^-1 A^-1 R^-1.
                let unscaled = |(index, x): (usize, &T)| {
                    let factor = cases::power(columns[index / n] + rows[index % n]);
                    D::new(x.re_im().0 * factor, x.re_im().1 * factor)
                };
                let inverse: Vec<D> = outcome.elements[range].iter().enumerate().map(unscaled).collect();
                let distance = oracle::distance(&inverse, exact, n);
                failures.expect(outcome.statuses[m] == 0 && distance <= BOUND, || {
                    format!("{}, order {n}, {name}: {distance:e}, status {}", engine.name, outcome.statuses[m])
                });
            }
        }
    }
    failures.none();
}

#[test]
fn normwise_float32() {
    normwise::<f32, f64>();
}

#[test]
fn normwise_complex64() {
    normwise::<Complex<f32>, Complex<f64>>();
}

/// Each column of a solution holds the same bound. A determinant holds it too: its relative error is that of rounding.
#[test]
fn systems() {
    let mut failures = Failures::default();
    for n in [1, 2, 3, 5, 9, 18] {
        let mut random = Random::new(n as u64);
        let families: Vec<Family<f32>> = (0..4).flat_map(|_| families(n, &mut random)).collect();
        let families: Vec<_> = families.into_iter().filter(|family| family.name != "rows and columns").collect();
        let a: Vec<f32> = families.iter().flat_map(|family| family.matrix.clone()).collect();
        for width in [1, 9] {
            let b: Vec<f32> = (0..families.len() * n * width).map(|_| random.uniform() as f32).collect();
            let (wide_a, wide_b) = (widened::<_, f64>(&a), widened::<_, f64>(&b));
            let (stack, columns) = (Stack::new(&wide_a, n).unwrap(), Columns::new(&wide_b, n, width).unwrap());
            let exact = Inverter::cpu().det(true).solve(stack, columns).unwrap();
            for (adapter, variant) in variants(Work::solve(f32::KIND, n, width, 1), "pairs/systems") {
                let (mut x, mut statuses) = (vec![0.0; b.len()], vec![Status::NOT_FINITE; families.len()]);
                let mut dets = vec![batchinv::Determinant::ONE; families.len()];
                let output = SolutionsMut::new(&mut x, &mut statuses).with_determinants(&mut dets);
                let (stack, columns) = (Stack::new(&a, n).unwrap(), Columns::new(&b, n, width).unwrap());
                adapter.gpu.solve_with(variant, 16, stack, columns, output).expect("a kernel that runs");
                engines::record(&adapter.word, variant.kernel().name(), "float32", "pairs/systems", "ran");
                for (m, family) in families.iter().enumerate() {
                    let name = || format!("{}, {}, order {n}, {}", adapter.word, variant.kernel(), family.name);
                    let wanted = &exact.columns().elements()[m * n * width..][..n * width];
                    for c in 0..width {
                        let norm = |of: &dyn Fn(usize) -> f64| (0..n).map(|i| of(i * width + c).abs()).sum::<f64>();
                        let error = norm(&|i| f64::from(x[m * n * width + i]) - wanted[i]) / norm(&|i| wanted[i]);
                        failures.expect(error <= BOUND, || format!("{}, column {c}: {error:e}", name()));
                    }
                    let (det, right) = (dets[m], exact.determinants().unwrap()[m]);
                    let ratio = f64::from(det.mantissa()) / right.mantissa();
                    let error = (ratio * 2.0_f64.powi(det.exponent() - right.exponent()) - 1.0).abs();
                    failures.expect(error <= BOUND, || format!("{}, determinant: {error:e}", name()));
                }
            }
        }
    }
    failures.none();
}

/// The verdicts of every kernel: singular at the zero column, not finite for NaN, infinity and an inverse that
/// overflows; and no matrix changes another.
#[test]
fn verdicts() {
    let mut failures = Failures::default();
    for n in [1, 2, 3, 5, 9, 18] {
        let good = cases::dominant::<f32>(n, &mut Random::new(n as u64));
        let with = |i: usize, j: usize, x: f32| {
            let mut matrix = good.clone();
            matrix[i * n + j] = x;
            matrix
        };
        let mut zero_column = good.clone();
        zero_column.iter_mut().skip(n - 1).step_by(n).for_each(|x| *x = 0.0);
        let tiny = cases::diagonal(&vec![cases::power(-130) as f32; n]);
        let matrices = [
            good.clone(),
            with(0, n - 1, f32::NAN),
            zero_column,
            with(n - 1, 0, f32::INFINITY),
            tiny,
            vec![0.0; n * n],
            good.clone(),
        ];
        let elements = matrices.concat();
        for (adapter, variant) in variants(Work::inverse(f32::KIND, n, 7), "pairs/verdicts") {
            let stack = Stack::new(&elements, n).unwrap();
            let (outcome, _) = engines::invert_with(&adapter.gpu, variant, 16, stack).unwrap();
            let inverse = |m: usize| &outcome.elements[m * n * n..][..n * n];
            let right = outcome.statuses == [0, -1, n as i32, -1, -1, 1, 0]
                && common::bits(inverse(0)) == common::bits(inverse(6))
                && inverse(0).iter().all(|x| x.is_finite())
                && (1..6).all(|m| inverse(m).iter().all(|x| x.is_nan()));
            failures
                .expect(right, || format!("{}, {}, order {n}: {:?}", adapter.word, variant.kernel(), outcome.statuses));
            engines::record(&adapter.word, variant.kernel().name(), "float32", "pairs/verdicts", "ran");
        }
    }
    failures.none();
}

/// At order 2 the determinant decides, where pivots would be rounding errors: for inverses, solutions and determinants.
#[test]
fn singular_by_the_determinant() {
    let power = |e| cases::power(e) as f32;
    let tiny = power(-100);
    let next = f32::from_bits(7.0_f32.to_bits() + 1);
    let matrices = [
        ([7.0, 7.0, 7.0, 7.0], 2),
        ([3.0, 5.0, 3.0, 5.0], 2),
        ([tiny * 7.0, tiny * 7.0, 1.5, 1.5], 2),
        ([0.1_f32 * 3.0, 0.1 * 7.0, 0.1 * 3.0, 0.1 * 7.0], 2),
        ([7.0, 7.0, 7.0, next], 0),
        ([3.0, 5.0, 3.0 * tiny, 5.0 * tiny], 2),
        ([0.0, 5.0, 0.0, 3.0], 1),
        // Determinants of -1 and 1, 2^-48 of the products: elimination finds a second pivot of zero.
        ([16_577_214.0, 16_577_215.0, 16_577_215.0, 16_577_216.0], 0),
        ([16_577_215.0, 16_577_214.0, 16_577_216.0, 16_577_215.0], 0),
        ([power(100), power(60), power(101), power(61)], 2),
    ];
    let elements: Vec<f32> = matrices.iter().flat_map(|(matrix, _)| *matrix).collect();
    let wanted = matrices.map(|(_, status)| status);
    let stack = Stack::new(&elements, 2).unwrap();
    let rhs = [1.0; 2 * 10];
    // float64 finds the same matrices singular.
    let cpu = Inverter::cpu().precision(Precision::Double);
    let found = cpu.invert(stack).unwrap();
    assert_eq!(found.statuses().iter().map(|status| status.word()).collect::<Vec<_>>(), wanted, "float64");
    for adapter in engines::adapters("pairs/singular_by_the_determinant") {
        let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
        let inverter = Inverter::with_gpu(GpuInverter::from_device(&device, &queue)).precision(Precision::Double);
        let words = |statuses: &[Status]| statuses.iter().map(|status| status.word()).collect::<Vec<_>>();
        let inverses = inverter.invert(stack).unwrap();
        assert_eq!(words(inverses.statuses()), wanted, "{}: inverses", adapter.word);
        assert_eq!(inverses.report().arithmetic, Arithmetic::Pairs);
        let solutions = inverter.clone().det(true).solve(stack, Columns::new(&rhs, 2, 1).unwrap()).unwrap();
        assert_eq!(words(solutions.statuses()), wanted, "{}: solutions", adapter.word);
        let alone = inverter.determinants(stack).unwrap();
        for (m, status) in wanted.into_iter().enumerate() {
            let dets = [solutions.determinants().unwrap()[m], alone.values[m]];
            let [p, q, r, s] = matrices[m].0.map(f64::from);
            // Both products are exact in float64.
            let exact = p * s - q * r;
            let right = dets.iter().all(|det| (f64::from(det.value()) - exact).abs() <= BOUND * exact.abs());
            assert!(right && (exact == 0.0) == (status != 0), "{}: {m}: {dets:?}, not {exact}", adapter.word);
        }
    }
}

/// Subnormal numbers count on devices that flush them to zero: in the matrix, in right-hand sides, and in results.
#[test]
fn subnormal_numbers() {
    let mut failures = Failures::default();
    let power = |e| cases::power(e) as f32;
    for n in [1, 2, 3, 5, 9, 18] {
        let diagonal = |x: f32| cases::diagonal(&vec![x; n]);
        // Invertible, but its inverse overflows; then one whose inverse is subnormal.
        let elements =
            [cases::from_fn(n, |i, j| if i == j { 5.0 } else { 1.0 } * cases::power(-140)), diagonal(power(127))];
        let (elements, inverse) = (elements.concat(), diagonal(power(-127)));
        for (adapter, variant) in variants(Work::inverse(f32::KIND, n, 2), "pairs/subnormal_numbers") {
            let stack = Stack::new(&elements, n).unwrap();
            let (outcome, _) = engines::invert_with(&adapter.gpu, variant, 16, stack).unwrap();
            failures.expect(outcome.statuses == [-1, 0] && outcome.elements[n * n..] == inverse, || {
                format!("{}, {}, order {n}: {:?}", adapter.word, variant.kernel(), outcome.statuses)
            });
            engines::record(&adapter.word, variant.kernel().name(), "float32", "pairs/subnormal_numbers", "ran");
        }
        let (identity, b) = (diagonal(1.0), vec![power(-140); n]);
        for (adapter, variant) in variants(Work::solve(f32::KIND, n, 1, 1), "pairs/subnormal_numbers") {
            let (mut x, mut statuses) = (vec![0.0; n], [Status::NOT_FINITE]);
            let output = SolutionsMut::new(&mut x, &mut statuses);
            let (stack, columns) = (Stack::new(&identity, n).unwrap(), Columns::new(&b, n, 1).unwrap());
            adapter.gpu.solve_with(variant, 16, stack, columns, output).expect("a kernel that runs");
            failures.expect(x == b, || format!("{}, {}, solve {n}: {x:?}", adapter.word, variant.kernel()));
        }
    }
    failures.none();
}

/// The plan takes float64 where the device has it, and the report says what computed.
#[test]
fn reports() {
    let elements = cases::dominant::<f32>(3, &mut Random::new(3));
    let stack = Stack::new(&elements, 3).unwrap();
    for adapter in engines::adapters("pairs/reports") {
        let of = |gpu: &GpuInverter, precision| {
            Inverter::with_gpu(gpu.clone()).precision(precision).invert(stack).unwrap().report().arithmetic
        };
        let float64 = adapter.gpu.facts().limits.float64;
        let double = if float64 { Arithmetic::Float64 } else { Arithmetic::Pairs };
        assert_eq!(of(&adapter.gpu, Precision::Native), Arithmetic::Float32, "{}", adapter.word);
        assert_eq!(of(&adapter.gpu, Precision::Double), double, "{}", adapter.word);
        let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
        assert_eq!(of(&GpuInverter::from_device(&device, &queue), Precision::Double), Arithmetic::Pairs);
    }
    let of = |precision| Inverter::cpu().precision(precision).invert(stack).unwrap().report().arithmetic;
    assert_eq!([Precision::Native, Precision::Double].map(of), [Arithmetic::Float32, Arithmetic::Float64]);
    let double = Inverter::cpu().invert(Stack::new(&[2.0_f64], 1).unwrap()).unwrap();
    assert_eq!(double.report().arithmetic, Arithmetic::Float64);
}

/// Every adapter passes the probe. Without the guard, lavapipe's compiler takes rounding errors for zero, and the probe
/// notices.
#[test]
fn the_probe() {
    for adapter in engines::adapters("pairs/the_probe") {
        let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
        let gpu = GpuInverter::from_device(&device, &queue);
        gpu.prepare(Precision::Double).unwrap_or_else(|error| panic!("{}: {error}", adapter.word));
        gpu.prepare(Precision::Native).unwrap();
        let unguarded = pollster::block_on(gpu.probe_unguarded_async()).unwrap();
        assert!(adapter.word != "lavapipe" || !unguarded, "the probe takes unguarded pairs for exact");
    }
}

/// On a device that loses digits of pairs, double precision is refused with that reason, and `auto` takes the CPU.
#[test]
fn a_device_that_loses_digits() {
    let n = plan::AUTO_MIN_ORDER;
    let elements = cases::dominant::<f32>(n, &mut Random::new(1)).repeat(plan::AUTO_MIN_ELEMENTS / (n * n));
    let stack = Stack::new(&elements, n).unwrap();
    for adapter in engines::adapters("pairs/a_device_that_loses_digits") {
        let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
        let gpu = GpuInverter::from_device(&device, &queue);
        faults::arm(Fault::Pairs, 0, 1);
        let refused = |result: Result<(), Error>| match result {
            Err(Error::Unsupported { engine: Engine::Gpu, reason: Refusal::InexactPairs }) => {}
            other => panic!("{}: {other:?}", adapter.word),
        };
        let named = Inverter::with_gpu(gpu.clone()).precision(Precision::Double);
        refused(named.invert(stack).map(drop));
        assert!(faults::disarm(), "the first call has probed");
        refused(gpu.prepare(Precision::Double));
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4 * (n * n) as u64,
            usage: own::ALL,
            mapped_at_creation: false,
        });
        let job = JobDescriptor::new(f32::KIND, n as u32, 1, &buffer).precision(Precision::Double);
        refused(gpu.job(&job).map(drop));
        assert!(named.clone().precision(Precision::Native).invert(stack).is_ok(), "float32 is as it was");

        if adapter.gpu.facts().limits.float64 {
            continue;
        }
        faults::arm(Fault::Pairs, 0, 1);
        let auto = Inverter::auto().adapter(&adapter.gpu.facts().name).auto_policy(AutoPolicy::SoftwareCounts);
        let report = auto.precision(Precision::Double).invert(stack).unwrap().report().clone();
        assert!(faults::disarm(), "the automatic choice has probed");
        assert_eq!((report.engine, report.reason), (Engine::Cpu, Some(Reason::Refused(Refusal::InexactPairs))));
    }
}

/// A job does not wait for the probe: its device must be prepared. Then its bits are those of a call.
#[test]
fn jobs() {
    let (n, len) = (5, 70);
    let elements = own::stack::<f32>(n, len);
    for adapter in engines::adapters("pairs/jobs") {
        let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
        let own = own::Own::new(device, queue);
        let buffer = own.buffer(bytemuck::cast_slice(&elements), own::ALL);
        let job = JobDescriptor::new(f32::KIND, n as u32, len as u32, &buffer).precision(Precision::Double);
        match own.gpu.job(&job) {
            Err(Error::Unsupported { reason: Refusal::Unprepared, .. }) => {}
            other => panic!("{}: {other:?}", adapter.word),
        }
        own.gpu.prepare(Precision::Double).unwrap();
        let job = own.gpu.job(&job).unwrap();
        let mut encoder = own.encoder();
        job.encode(&mut encoder, len as u32).unwrap();
        own.queue.submit([encoder.finish()]);
        let inverter = Inverter::with_gpu(own.gpu.clone()).precision(Precision::Double);
        let wanted = inverter.invert(Stack::new(&elements, n).unwrap()).unwrap();
        assert_eq!(wanted.report().arithmetic, Arithmetic::Pairs);
        assert_eq!(
            common::bits(&own.read::<f32>(&buffer)),
            common::bits(wanted.stack().elements()),
            "{}",
            adapter.word
        );
    }
}

/// The plan: pairs for float32 and complex64 alone, on devices without float64 alone, in every operation; and room for
/// two words an element.
#[test]
fn plans() {
    let limits = plan::GpuLimits::WEBGPU_DEFAULT;
    let float64 = with(limits, |limits| limits.float64 = true);
    for op in [Op::Inverse, Op::Solve, Op::Det] {
        for (scalar, order) in [(f32::KIND, 4), (f32::KIND, 20), (Complex::<f32>::KIND, 4)] {
            let work = Work { op, width: usize::from(op == Op::Solve), ..Work::inverse(scalar, order, 9) };
            let double = work.with_precision(Precision::Double);
            let planned = |work, limits| plan::gpu(work, limits).unwrap().variant;
            assert_eq!(planned(double, &limits).arithmetic, Arithmetic::Pairs);
            assert_eq!(planned(double, &float64).arithmetic, Arithmetic::Float64);
            assert_eq!(planned(work, &limits).arithmetic, Arithmetic::Float32);
            let [pairs, wide] = [&limits, &float64].map(|limits| planned(double, limits));
            assert_eq!((pairs.kernel(), pairs.scratch()), (wide.kernel(), wide.scratch()), "{op:?} {scalar} {order}");
        }
    }
    let refused = plan::gpu(Work::inverse(f64::KIND, 4, 1).with_precision(Precision::Double), &limits).unwrap_err();
    assert!(matches!(refused, Error::Unsupported { reason: Refusal::Float64 { scalar }, .. } if scalar == f64::KIND));
}

/// The program on a GPU without float64, against the float64 results of the CPU.
#[test]
#[allow(clippy::print_stdout, reason = "the share of elements that are not the nearest ones")]
fn the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for adapter in engines::adapters("pairs/the_program") {
        if adapter.gpu.facts().limits.float64 {
            continue;
        }
        for n in [4, 16, 33] {
            let mut random = Random::new(n as u64);
            let plain = |_| cases::conditioned::<f32>(n, CONDITION / (4 * n) as f64, &mut random);
            let elements: Vec<f32> = (0..200).flat_map(plain).collect();
            let shape = format!("(200, {n}, {n})");
            std::fs::write(path("a.npy"), program::npy("<f4", &shape, bytemuck::cast_slice(&elements))).unwrap();
            let [input, output] = ["a.npy", "x.npy"].map(path);
            let run = program::run(&[
                "inv",
                &input,
                "-o",
                &output,
                "--precision",
                "double",
                "--engine",
                "gpu",
                "--adapter",
                &adapter.gpu.facts().name,
                "--json",
                "--strict",
                "--verify",
            ]);
            run.assert_done();
            assert_eq!(run.json()["arithmetic"], "pairs");
            assert_eq!(run.json()["precision"], "double");
            let inverses = program::Npy::read(output.as_ref()).f32s();
            let wide: Vec<f64> = widened(&elements);
            let exact = Inverter::cpu().invert(Stack::new(&wide, n).unwrap()).unwrap();
            let exact = exact.stack();
            for m in 0..exact.len() {
                let inverse: Vec<f64> = widened(&inverses[m * n * n..][..n * n]);
                let distance = oracle::distance(&inverse, exact.matrix(m), n);
                assert!(distance <= BOUND, "order {n}, {m}: {distance:e}");
            }
            let far = |(x, exact): (&f32, &f64)| (x.to_bits() as i64 - (*exact as f32).to_bits() as i64).abs() > 1;
            let far = inverses.iter().zip(exact.elements()).filter(|&pair| far(pair)).count();
            println!("{}, order {n}: {far} of {} elements are off by more than one ulp", adapter.word, inverses.len());
            assert!(far * 1000 < inverses.len(), "order {n}: {far}");
        }
        engines::record(&adapter.word, "program", "float32", "pairs/the_program", "ran");
    }
}
