//! Every engine keeps LAPACK's test ratios below 3 on LAPACK's matrix types, and agrees with the reference.

mod common;

use batchinv::plan::{self, CpuTuning, Work};
use batchinv::{Complex, CpuKernel, Inverter, Precision, SimdLevel, Stack};
use common::cases::{self, Case, Random, Want, power};
use common::engines::{self, Engine};
use common::oracle::{self, Failures};
use common::{Element, full_sweep};

/// Orders on both sides of every boundary: SIMD widths, the largest order of `lanes` and of each GPU kernel, blocks.
fn orders<T: Element>() -> Vec<usize> {
    if full_sweep() {
        return (1..=300).chain([512, 1024]).collect();
    }
    let lanes = plan::lanes_max_order(T::KIND);
    let mut orders: Vec<usize> = (1..=9).collect();
    for boundary in [lanes, 2 * CpuTuning::BLOCK, 3 * CpuTuning::BLOCK, 4 * CpuTuning::BLOCK, 16, 32] {
        orders.extend([boundary - 1, boundary, boundary + 1]);
    }
    orders.extend(gpu_orders::<T>());
    // `device`: three outer blocks, and an outer block with a single panel. `blocked`: several outer blocks, the last
    // a single column wide.
    orders.extend([47, 95, 96, 97, 100, 127, 128, 129, 200]);
    orders.sort_unstable();
    orders.dedup();
    orders
}

/// Orders just inside and outside each kernel's range, and around a multiple of a tile's side in `workgroup`. `device`
/// has no such boundary: its largest matrices take gigabytes.
#[cfg(feature = "gpu")]
fn gpu_orders<T: Element>() -> Vec<usize> {
    use batchinv::GpuKernel;
    let small = GpuKernel::ALL.into_iter().filter(|&kernel| kernel != GpuKernel::Device);
    let mut orders: Vec<usize> =
        small.flat_map(|kernel| [0, 1].map(|more| plan::max_order(kernel, T::KIND) + more)).collect();
    orders.extend([23, 24, 25]);
    orders
}

#[cfg(not(feature = "gpu"))]
fn gpu_orders<T: Element>() -> Vec<usize> {
    vec![64, 65, 128]
}

/// Checks one stack on every engine, against the expected results and against the reference.
fn conform<T: Element>(engines: &[Engine<T>], n: usize, cases: &[Case<T>], failures: &mut Failures) {
    let elements = cases::elements(cases);
    let reference = engines::reference(Stack::with_len(&elements, n, cases.len()).unwrap());
    oracle::check_outcome("reference", n, cases, &reference, failures);
    for engine in engines {
        let outcome = oracle::check(engine, n, cases, failures);
        oracle::check_against_reference(&engine.name, n, cases, &outcome, &reference, failures);
    }
}

/// LAPACK's eleven matrix types. Small orders repeat each type, so that it occurs at many positions in a stack.
fn lapack_types<T: Element>() {
    let mut failures = Failures::default();
    for n in orders::<T>() {
        let mut random = Random::new(n as u64);
        // Some mistakes show in only one matrix of thousands.
        let times = match n {
            2..=4 => 400,
            ..=16 => 5,
            _ => 1,
        };
        let cases: Vec<_> = (0..times).flat_map(|_| cases::latb4_all(n, &mut random)).collect();
        let mut engines = engines::all::<T>(n, "accuracy/lapack_types");
        if n > 200 {
            // The full sweep takes minutes even with the best level alone.
            engines.drain(..engines.len() - 1);
        }
        conform(&engines, n, &cases, &mut failures);
    }
    failures.none();
}

/// Hilbert and Kahan matrices and magic squares: the first ratio holds at any condition number.
fn famous_matrices<T: Element>() {
    let mut failures = Failures::default();
    for n in (1..=12).chain([15, 16, 17, 20, 24, 33, 40]) {
        let mut cases = vec![
            Case::new("hilbert", cases::hilbert(n), Want::RatioOrSingular),
            Case::new("kahan", cases::kahan(n), Want::Ratio),
        ];
        if n != 2 {
            let want = if n % 2 == 1 { Want::Ratio } else { Want::RatioOrSingular };
            cases.push(Case::new("magic", cases::magic(n), want));
        }
        if n == 3 {
            // A short column beside two nearly parallel ones. A kernel that finishes with the closed-form
            // inverse of the 2x2 matrix left by the first step has a ratio of 400 here.
            let flat = [3.2e-4, 0.06, 0.06006, 4.4e-4, 0.95, 0.95008, 3.5e-4, 0.1, 0.10019];
            cases.push(Case::new("flat frame", flat.map(T::real).to_vec(), Want::Ratio));
            // Here the product of the row above and that 2x2 inverse overflows in an intermediate result.
            let (c, e) = (power(-30), power(-17));
            let steep = [power(-42), power(42), power(42), 0.0, c * (1.0 + e), c, 0.0, c, c * (1.0 + e)];
            cases.push(Case::new("steep", steep.map(T::real).to_vec(), Want::Status(0)));
        }
        conform(&engines::all::<T>(n, "accuracy/famous_matrices"), n, &cases, &mut failures);
    }
    failures.none();
}

/// The forward error against the inverse in double precision stays within the bound that the condition number gives.
fn forward_error<T: Element>() {
    let mut failures = Failures::default();
    for n in [2, 3, 4, 5, 8, 16, 17, 33] {
        let mut random = Random::new(7 + n as u64);
        let mut cases = vec![Case::new("dominant", cases::dominant(n, &mut random), Want::Ratio)];
        cases.extend((0..4).map(|_| Case::new("uniform", cases::uniform(n, &mut random), Want::Ratio)));
        cases.push(Case::new("hilbert", cases::hilbert(n), Want::RatioOrSingular));
        cases.push(Case::new("kahan", cases::kahan(n), Want::Ratio));
        let elements = cases::elements(&cases);
        let stack = Stack::new(&elements, n).unwrap();
        let truth = engines::cpu_double::<T>("accuracy/forward_error").pop().unwrap().invert(stack);
        for engine in engines::all::<T>(n, "accuracy/forward_error") {
            let outcome = engine.invert(stack);
            for (m, case) in cases.iter().enumerate() {
                let range = m * n * n..(m + 1) * n * n;
                let (x, exact) = (&outcome.elements[range.clone()], &truth.elements[range]);
                let allowed = oracle::BOUND * n as f64 * T::eps() / oracle::rcond(&case.matrix, exact, n);
                if allowed < 0.1 {
                    let distance = oracle::distance(x, exact, n);
                    failures.expect(distance <= 1.2 * allowed, || {
                        format!("{}, order {n}, {}: {distance}, allowed {allowed}", engine.name, case.name)
                    });
                }
            }
        }
    }
    failures.none();
}

/// `Precision::Double` passes the tests that `Native` passes.
fn double_precision<T: Element>() {
    let mut failures = Failures::default();
    let orders = [1, 2, 3, 4, 7, 8, 9, 12, 13, 16, 17, 24, 25, 31, 33, 48, 49, 64];
    for n in orders.into_iter().filter(|n| full_sweep() || ![7, 12, 24, 31, 48].contains(n)) {
        let mut random = Random::new(n as u64);
        let cases = cases::latb4_all::<T>(n, &mut random);
        let mut engines = engines::cpu_double::<T>("accuracy/double_precision");
        engines.extend(engines::gpu_double::<T>(n, "accuracy/double_precision"));
        for engine in engines {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

/// Order 1, for many numbers: the error of the reciprocal alone.
fn reciprocals<T: Element>() {
    let mut failures = Failures::default();
    let mut random = Random::new(1);
    let numbers: Vec<T> = (0..1 << 14).flat_map(|_| cases::uniform::<T>(1, &mut random)).collect();
    for engine in engines::all::<T>(1, "accuracy/reciprocals") {
        let outcome = engine.invert(Stack::new(&numbers, 1).unwrap());
        let ratio = |m: usize| oracle::ratio(&numbers[m..=m], &outcome.elements[m..=m], 1);
        let worst = (0..numbers.len()).map(ratio).fold(0.0, f64::max);
        failures.expect(worst < oracle::BOUND, || format!("{}: {worst}", engine.name));
    }
    failures.none();
}

/// `blocked` with its widest outer blocks: six full ones and a last one of a few columns. At this order threads share
/// one matrix, and three threads give the same bits as one.
fn wide_spans<T: Element>() {
    let n = 389;
    let (tuning, width) = (CpuTuning::MEASURED, CpuTuning::MEASURED.outer_block(n));
    assert!(tuning.shares_columns(n, 1, 3) && width * 6 < n && n < width * 7);
    let mut failures = Failures::default();
    let cases = cases::latb4_all::<T>(n, &mut Random::new(n as u64));
    let engines = engines::cpu::<T>("accuracy/wide_spans");
    for engine in &engines[engines.len().saturating_sub(2)..] {
        oracle::check(engine, n, &cases, &mut failures);
    }
    for level in SimdLevel::all() {
        let inverse = |threads| {
            let inverter = Inverter::cpu().simd_level(level).threads(threads).unwrap();
            inverter.invert(Stack::new(&cases[7].matrix, n).unwrap()).unwrap()
        };
        let [one, three] = [1, 3].map(|threads| common::bits(inverse(threads).stack().elements()));
        failures.expect(one == three, || format!("{}, three threads", level.name()));
    }
    failures.none();
}

for_each_scalar!(lapack_types, famous_matrices, forward_error, double_precision, reciprocals, wide_spans);

/// Order 2 with a determinant whose two products cancel to a few digits. With fused multiply-adds the
/// determinant is still accurate to its last digits, and so is every element of the inverse. The entries are
/// whole numbers, so integer arithmetic gives the exact determinant.
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn determinants<T: Element>() {
    let mut failures = Failures::default();
    let mut random = Random::new(2);
    let digits = (1.0 / T::eps()).log2() as u32;
    let half = 1_i64 << (digits - 2);
    let mut matrices = Vec::new();
    while matrices.len() < 500 {
        let mut below = |most: i64| random.below(most as usize) as i64;
        let (p, q, r) = (half + below(half), below(half) + 1, below(half) + 1);
        let near = (i128::from(q) * i128::from(r) / i128::from(p)) as i64;
        let s = near + (half >> 14) + below(half >> 6);
        matrices.push(if matrices.len() % 2 == 0 { [p, q, r, s] } else { [q, s, p, r] });
    }
    let elements: Vec<T> = matrices.iter().flatten().map(|&x| T::real(x as f64)).collect();
    let lone = |engine: &Engine<T>, m: usize| engine.invert(Stack::new(&elements[4 * m..][..4], 2).unwrap()).elements;
    let unfused = ["cpu portable", "cpu sse2"];
    let mut engines = engines::cpu::<T>("accuracy/determinants");
    engines.retain(|engine| !unfused.contains(&&*engine.name));
    if engines.is_empty() {
        eprintln!("SKIPPED: no level of this machine fuses multiply-adds");
    }
    for engine in &engines {
        let outcome = engine.invert(Stack::new(&elements, 2).unwrap());
        for (m, &[p, q, r, s]) in matrices.iter().enumerate() {
            let determinant = (i128::from(p) * i128::from(s) - i128::from(q) * i128::from(r)) as f64;
            let inverse = &outcome.elements[4 * m..][..4];
            for (x, exact) in inverse.iter().zip([s, -q, -r, p].map(|x| x as f64 / determinant)) {
                let error = (x.re_im().0 - exact).abs() / exact.abs();
                failures.expect(error <= 8.0 * T::eps(), || format!("{}, {:?}: {error:e}", engine.name, [p, q, r, s]));
            }
            if m % 50 == 0 {
                failures.expect(lone(engine, m) == inverse, || format!("{}, {m} alone", engine.name));
            }
        }
    }
    failures.none();
}

#[test]
fn determinants_float32() {
    determinants::<f32>();
}

#[test]
fn determinants_float64() {
    determinants::<f64>();
}

/// `Precision::Double` equals the float64 or complex128 inverse, rounded once.
#[test]
fn double_is_rounded_once() {
    rounded_once::<f32, f64>();
    rounded_once::<Complex<f32>, Complex<f64>>();
}

fn rounded_once<T: Element, D: Element>() {
    for n in (1..=17).chain([24, 31, 32, 33, 40, 65]) {
        let cases = cases::latb4_all::<T>(n, &mut Random::new(n as u64));
        let elements = cases::elements(&cases);
        let wide: Vec<D> = elements.iter().map(|x| D::new(x.re_im().0, x.re_im().1)).collect();
        for level in SimdLevel::all() {
            let inverter = Inverter::cpu().simd_level(level);
            let wide = inverter.invert(Stack::with_len(&wide, n, cases.len()).unwrap()).unwrap();
            let double = inverter.precision(Precision::Double);
            let double = double.invert(Stack::with_len(&elements, n, cases.len()).unwrap()).unwrap();
            for m in 0..cases.len() {
                let Some(inverse) = double.get(m) else { continue };
                let rounded: Vec<T> = wide.stack().matrix(m).iter().map(|x| T::new(x.re_im().0, x.re_im().1)).collect();
                assert_eq!(common::bits(inverse), common::bits(&rounded), "{}, order {n}, {m}", level.name());
            }
            assert!(double.get(0).is_some(), "a diagonal matrix has an inverse");
        }
    }
}

/// The tests' record names a kernel by its order; both CPU kernels are reached for every scalar.
#[test]
fn both_cpu_kernels_are_met() {
    for scalar in batchinv::ScalarKind::ALL {
        let kernel = |order| CpuTuning::MEASURED.kernel(Work::inverse(scalar, order, 1));
        assert_eq!((kernel(1), kernel(129)), (CpuKernel::Lanes, CpuKernel::Blocked));
    }
}
