//! Solutions of systems: LAPACK's test ratios, statuses, and which bits depend on what.

mod common;

use batchinv::plan::{CpuFacts, CpuPlan, Work};
use batchinv::{
    Columns, CpuKernel, Engine, Error, GpuKernel, Inverter, Kernel, OnFailure, Op, Precision, Refusal, ShapeError,
    SimdLevel, SolutionsMut, Stack, Status,
};
use common::cases::{self, Random, Want, power};
use common::engines::gpu_inverters;
use common::oracle::Failures;
use common::systems::{all_solvers, gpu_solvers, norm, residual, solvers, solvers_in_double};
use common::{Element, bits};

/// LAPACK accepts 30.
const BOUND: f64 = 8.0;
const BOUND_OF_LAPACK_TYPES: f64 = 5.0;

const ORDERS: [usize; 26] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 17, 24, 25, 31, 32, 33, 40, 41, 47, 63, 64, 65];

fn columns<T: Element>(n: usize, width: usize, random: &mut Random) -> Vec<T> {
    (0..n * width)
        .map(|_| {
            let z = random.element::<T>();
            T::new(z.re, z.im)
        })
        .collect()
}

fn times<T: Element>(x: T, factor: f64) -> T {
    T::new(x.re_im().0 * factor, x.re_im().1 * factor)
}

/// A x, in the scalar's own precision.
fn product<T: Element>(n: usize, width: usize, a: &[T], x: &[T]) -> Vec<T> {
    let entry = |i: usize, c: usize| (0..n).fold(T::ZERO, |sum, j| sum + a[i * n + j] * x[j * width + c]);
    (0..n * width).map(|index| entry(index / width, index % width)).collect()
}

/// On LAPACK's eleven types, xGET02 and xGET04 stay below 5, and zero columns are reported as for the inverse.
fn lapack_types<T: Element>() {
    let mut failures = Failures::default();
    for n in ORDERS {
        let (mut random, width) = (Random::new(n as u64), 1 + n % 3);
        let times = if n <= 16 { 6 } else { 1 };
        let cases: Vec<_> = (0..times).flat_map(|_| cases::latb4_all::<T>(n, &mut random)).collect();
        let exact: Vec<T> = cases.iter().flat_map(|_| columns::<T>(n, width, &mut random)).collect();
        let (a, size) = (cases::elements(&cases), n * width);
        let systems = cases.iter().zip(exact.chunks(size));
        let b: Vec<T> = systems.flat_map(|(case, x)| product(n, width, &case.matrix, x)).collect();
        for solver in all_solvers::<T>(n, "solve/lapack_types") {
            let found = solver.solve(n, width, &a, &b);
            for (m, case) in cases.iter().enumerate() {
                let range = m * size..(m + 1) * size;
                let (x, b, exact) = (&found.elements[range.clone()], &b[range.clone()], &exact[range]);
                let what = |what: String| format!("{}, order {n}, {} ({m}): {what}", solver.name, case.name);
                if let Want::Status(wanted) = case.want {
                    let status = found.statuses[m];
                    failures.expect(status == wanted, || what(format!("status {status}, not {wanted}")));
                    let nan = x.iter().all(|x| x.bits() == T::NAN.bits());
                    failures.expect(nan, || what("not filled with NaN".to_owned()));
                    continue;
                }
                let ratio = residual(n, width, &case.matrix, x, b);
                failures.expect(found.statuses[m] == 0 && ratio < BOUND_OF_LAPACK_TYPES, || {
                    what(format!("status {}, ratio {ratio}", found.statuses[m]))
                });
                let mut inverse = vec![T::ZERO; n * n];
                assert!(batchinv::invert_reference(&case.matrix, n, &mut inverse).is_inverted());
                let condition = norm(&case.matrix, n) * norm(&inverse, n);
                for c in 0..width {
                    let largest = |of: &dyn Fn(usize) -> f64| (0..n).map(|i| of(i * width + c)).fold(0.0, f64::max);
                    let parts = |k: usize| (x[k].re_im(), exact[k].re_im());
                    let error = largest(&|k| (parts(k).0.0 - parts(k).1.0).hypot(parts(k).0.1 - parts(k).1.1));
                    let size = largest(&|k| exact[k].re_im().0.hypot(exact[k].re_im().1));
                    let forward = error / (size * condition * T::eps());
                    failures.expect(forward < BOUND_OF_LAPACK_TYPES, || what(format!("xGET04 {forward}")));
                }
            }
        }
    }
    failures.none();
}

/// Matrices that spoil the residual of an inverse times b, or of Gauss-Jordan elimination of [A | B].
fn hard_systems<T: Element>() {
    let mut failures = Failures::default();
    for n in ORDERS {
        let mut random = Random::new(100 + n as u64);
        let mut graded: Vec<T> = cases::uniform(n, &mut random);
        let mut triangle: Vec<T> = cases::uniform(n, &mut random);
        for i in 0..n {
            for j in 0..n {
                let exponent = 20 * (i as i32 - j as i32) / n as i32;
                graded[i * n + j] = times(graded[i * n + j], power(exponent));
                if i > j {
                    triangle[i * n + j] = T::ZERO;
                }
            }
        }
        let half: Vec<T> = cases::uniform(n, &mut random);
        let covariance: Vec<T> = (0..n * n)
            .map(|k| (0..n).fold(T::ZERO, |sum, j| sum + half[k / n * n + j] * half[k % n * n + j]))
            .collect();
        let mut named = vec![
            ("graded", graded),
            ("triangle", triangle),
            ("covariance", covariance),
            ("kahan", cases::kahan(n)),
            ("hilbert", cases::hilbert(n)),
            ("reversal", cases::from_fn(n, |i, j| f64::from(i + j == n - 1))),
        ];
        named.extend((0..20).map(|_| ("uniform", cases::uniform(n, &mut random))));
        let (growing, growth) = cases::growth::<T>(n, &mut random);
        named.push(("growth", growing));
        for width in [1, 4] {
            let a: Vec<T> = named.iter().flat_map(|(_, a)| a.clone()).collect();
            let b: Vec<T> = named.iter().flat_map(|_| columns(n, width, &mut random)).collect();
            for solver in all_solvers::<T>(n, "solve/hard_systems") {
                let found = solver.solve(n, width, &a, &b);
                for (m, (name, a)) in named.iter().enumerate() {
                    let range = m * n * width..(m + 1) * n * width;
                    let ratio = residual(n, width, a, &found.elements[range.clone()], &b[range]);
                    let singular = found.statuses[m] > 0 && ["hilbert", "covariance"].contains(name);
                    // The error of any elimination with partial pivoting grows with its elements: LAPACK's sgesv has a
                    // ratio of 104 here at order 12.
                    let bound = if *name == "growth" { BOUND * growth } else { BOUND };
                    failures.expect(singular || found.statuses[m] == 0 && ratio < bound, || {
                        format!("{}, order {n}, {name} ({m}): status {}, ratio {ratio}", solver.name, found.statuses[m])
                    });
                }
            }
        }
    }
    failures.none();
}

/// The CPU engine at every level, and at some orders the GPU engine on each adapter.
fn inverters<T: Element>(n: usize, promise: &'static str) -> Vec<(String, Inverter)> {
    let cpu = |level: SimdLevel| (format!("cpu, {}", level.name()), Inverter::cpu().simd_level(level));
    let mut inverters: Vec<_> = SimdLevel::all().into_iter().map(cpu).collect();
    if [1, 2, 3, 4, 5, 8, 9, 13, 17, 33].contains(&n) {
        inverters.extend(gpu_inverters::<T>(Work::solve(T::KIND, n, 1, 1), promise));
    }
    inverters
}

/// Hand-made systems with exact solutions.
#[test]
fn by_hand() {
    let of_gpus = gpu_solvers::<f64>(2, "solve/by_hand").into_iter().chain(gpu_solvers::<f64>(3, "solve/by_hand"));
    for solver in solvers().into_iter().chain(of_gpus) {
        // The pivot 4 comes from row 1.
        let found = solver.solve(2, 2, &[2.0_f64, 1.0, 4.0, 4.0], &[4.0, 1.0, 12.0, 4.0]);
        assert_eq!(found.elements, [1.0, 0.0, 2.0, 1.0], "{}", solver.name);
        let found = solver.solve(3, 1, &[0.0_f64, 0.0, 2.0, 0.0, 4.0, 0.0, 8.0, 0.0, 0.0], &[2.0, 8.0, 24.0]);
        assert_eq!(found.elements, [3.0, 2.0, 1.0], "{}", solver.name);
    }
}

/// A singular matrix is singular at the same column for `solve` as for `invert`, also where rounding alone decides.
/// Where it decides that the matrix is none, the solution fits nevertheless.
fn statuses_are_those_of_the_inverse<T: Element>() {
    for n in (1..=35).chain([48, 64, 100]) {
        let mut random = Random::new(n as u64);
        let (mut a, len) = (Vec::new(), 120);
        for m in 0..len {
            let mut matrix: Vec<T> = cases::from_fn(n, |_, _| 0.0);
            matrix.iter_mut().for_each(|x| *x = T::real(random.below(7) as f64 - 3.0));
            let (column, row, other) = (random.below(n), random.below(n), random.below(n));
            match m % 5 {
                0 => matrix.chunks_exact_mut(n).for_each(|row| row[column] = T::ZERO),
                1 => matrix[row * n..][..n].fill(T::ZERO),
                // Singular on paper; rounding decides.
                2 => {
                    let copy = matrix[row * n..][..n].to_vec();
                    matrix[other * n..][..n].iter_mut().zip(copy).for_each(|(x, y)| *x = y + y);
                }
                3 => {
                    matrix.iter_mut().for_each(|x| *x = T::real(random.uniform()));
                    matrix.chunks_exact_mut(n).for_each(|row| row[column] = row[other]);
                }
                _ => {}
            }
            a.extend(matrix);
        }
        let b = columns::<T>(n, len, &mut random);
        for (name, inverter) in inverters::<T>(n, "solve/statuses_are_those_of_the_inverse") {
            let inverter = inverter.det(true);
            let stack = Stack::new(&a, n).unwrap();
            let inverses = inverter.invert(stack).unwrap();
            if inverses.report().kernel == Kernel::Gpu(GpuKernel::Device) {
                // It eliminates by blocks, and rounds otherwise.
                continue;
            }
            let solutions = inverter.solve(stack, Columns::new(&b, n, 1).unwrap()).unwrap();
            let statuses = |statuses: &[Status]| statuses.iter().map(|status| status.word()).collect::<Vec<_>>();
            let (of_inverses, of_solutions) = (statuses(inverses.statuses()), statuses(solutions.statuses()));
            assert_eq!(of_solutions, of_inverses, "{name}, order {n}");
            assert!(of_inverses.iter().any(|&status| status > 0));
            for m in (0..len).filter(|&m| of_solutions[m] == 0) {
                let (matrix, x) = (stack.matrix(m), solutions.columns().matrix(m));
                let ratio = residual(n, 1, matrix, x, &b[m * n..][..n]);
                // Rounding errors of more rows add up: LAPACK's sgesv reaches 11.5 at order 100 with equal columns.
                assert!(ratio < BOUND.max((n as f64).sqrt()), "{name}, order {n}, {m}: {ratio}");
            }
            for (m, determinant) in inverses.determinants().unwrap().iter().enumerate() {
                let zero = determinant.value() == T::ZERO;
                assert_eq!(zero, of_inverses[m] > 0, "{name}, order {n}, {m}: {determinant:?}");
            }
        }
    }
}

/// A column's bits depend on its matrix and itself: not on its place, the other columns, or the number of systems.
fn bits_of_a_column<T: Element>() {
    for n in ORDERS {
        for width in [1, 2, 3, 4, 8, 17, 64] {
            let (mut random, len) = (Random::new((n * width) as u64), if n * width > 300 { 5 } else { 37 });
            let mut a: Vec<T> = (0..len).flat_map(|_| cases::uniform::<T>(n, &mut random)).collect();
            let mut b: Vec<T> = (0..len).flat_map(|_| columns::<T>(n, width, &mut random)).collect();
            // Some that must be scaled, by one factor or by rows and columns, and zeros.
            a[2 * n * n..3 * n * n].iter_mut().for_each(|x| *x = times(*x, power(T::MIN_EXPONENT * 3 / 4)));
            a[4 * n * n] = T::real(power(T::MIN_EXPONENT * 3 / 4));
            a[4 * n * n + n * n - 1] = T::real(power(-T::MIN_EXPONENT * 3 / 4));
            b[n * width..2 * n * width].iter_mut().for_each(|x| *x = times(*x, power(T::MIN_EXPONENT + 3)));
            b[3 * n * width..][..width].fill(T::ZERO);
            let of_gpus = if n <= 17 && [1, 3, 17].contains(&width) {
                gpu_solvers::<T>(n, "solve/bits_of_a_column")
            } else {
                Vec::new()
            };
            for solver in solvers().into_iter().skip(1).chain(solvers_in_double()).chain(of_gpus) {
                let all = solver.solve(n, width, &a, &b);
                for m in [0, 1, 2, 3, 4, len - 1] {
                    let (a, b) = (&a[m * n * n..][..n * n], &b[m * n * width..][..n * width]);
                    for c in [0, width / 2, width - 1] {
                        let column: Vec<T> = b[c..].iter().step_by(width).copied().collect();
                        let alone = solver.solve(n, 1, a, &column);
                        let x: Vec<T> = all.elements[m * n * width + c..(m + 1) * n * width]
                            .iter()
                            .step_by(width)
                            .copied()
                            .collect();
                        assert_eq!(
                            bits(&x),
                            bits(&alone.elements),
                            "{}, order {n}, {m}, column {c} of {width}",
                            solver.name
                        );
                        assert_eq!(all.statuses[m], alone.statuses[0], "{}, order {n}, {m}", solver.name);
                    }
                }
            }
        }
    }
}

/// solve(A, 2^k b) = 2^k solve(A, b), to the bit, over the whole range of exponents.
fn powers_of_two_pass_through<T: Element>() {
    for n in [1, 2, 3, 4, 5, 9, 33] {
        let mut random = Random::new(n as u64);
        let (a, b): (Vec<T>, Vec<T>) = (cases::dominant(n, &mut random), columns(n, 1, &mut random));
        // Both ends leave room for the digits of the smallest and the size of the largest element.
        for k in [T::MIN_EXPONENT + 2 * T::DIGITS, -60, -1, 1, 50, -T::MIN_EXPONENT - 3] {
            let (a, scaled): (Vec<T>, Vec<T>) = (a.repeat(20), b.iter().map(|&b| times(b, power(k))).collect());
            for solver in all_solvers::<T>(n, "solve/powers_of_two") {
                let [plain, found] = [&b, &scaled].map(|b| solver.solve(n, 1, &a, &b.repeat(20)).elements);
                let wanted: Vec<T> = plain.iter().map(|&x| times(x, power(k))).collect();
                assert_eq!(bits(&found), bits(&wanted), "{}, order {n}, 2^{k}", solver.name);
            }
        }
    }
}

/// Near both ends of the range, and right-hand sides whose elements span much of it.
#[test]
fn extremes() {
    let of_gpus = [1, 2, 3].into_iter().flat_map(|n| gpu_solvers::<f32>(n, "solve/extremes"));
    for solver in solvers().into_iter().chain(of_gpus) {
        let found =
            solver.solve(3, 1, &cases::diagonal(&[power(-127), power(127), 4.0].map(f32::real)), &[1e-30, 1e30, 0.0]);
        let wanted = [1e-30 * power(127) as f32, 1e30 * power(-127) as f32, 0.0];
        assert_eq!((found.elements.as_slice(), found.statuses[0]), (&wanted[..], 0), "{}", solver.name);
        let found = solver.solve(2, 1, &cases::diagonal(&[1.0_f32, 1.0]), &[1e20, 1e-20]);
        assert_eq!(found.elements, [1e20, 1e-20], "{}", solver.name);
        let found = solver.solve(2, 1, &cases::diagonal(&[1e-20_f32, 1.0]), &[1e20, 1.0]);
        assert_eq!(found.statuses, [-1], "1e40 is no float32: {}", solver.name);
        let found = solver.solve(1, 1, &[f32::MAX], &[f32::MIN_POSITIVE]);
        assert_eq!(found.elements, [0.0], "2^-254 rounds to 0: {}", solver.name);
        let found = solver.solve(1, 2, &[f32::from_bits(1)], &[f32::from_bits(3), 0.0]);
        assert_eq!(found.elements, [3.0, 0.0], "{}", solver.name);
    }
}

/// A matrix, the units of its rows, the last row with an element on the right, and the unknowns 0 and of that row.
type FarSystem<'a, T> = (Vec<T>, &'a dyn Fn(usize) -> f64, usize, [f64; 2]);

/// Elements of a right-hand side that lie further below its largest than normal numbers reach cost no solution:
/// whatever the type holds is found.
fn far_below_the_largest<T: Element>() {
    let w = -T::MIN_EXPONENT / 3 - 1;
    for n in [2, 3, 5, 8, 9, 13, 17, 33] {
        // Within the window, x = (-2^3w, 2^w, ...).
        let corner = [[power(-w), power(w)], [0.0, power(-w)]];
        let near = |i: usize, j: usize| if i.max(j) < 2 { corner[i][j] } else { f64::from(i == j) };
        // Scaled by rows and columns, x = (2^3w, -2^3w, 2^2w, -2^w, 1, ...).
        let far = |i: usize, j: usize| match (i, j) {
            (1..=3, _) if j == i => power(-w),
            (0..=3, _) if j == i + 1 => 1.0,
            _ => f64::from(i == j),
        };
        let units = |i: usize| power([-T::MIN_EXPONENT / 2, 0, 0, 0, T::MIN_EXPONENT / 2][i.min(4)]);
        let systems: [FarSystem<'_, T>; 2] = [
            (cases::from_fn(n, near), &|_| 1.0, 1, [-power(3 * w), power(w)]),
            (cases::from_fn(n, |i, j| far(i, j) * units(i)), &units, 4, [power(3 * w), 1.0]),
        ];
        for &(ref a, units, last, wanted) in systems.iter().filter(|system| system.2 < n) {
            // Subnormal, normal, and as usual.
            let lows = [T::MIN_EXPONENT - T::DIGITS + 1, T::MIN_EXPONENT, -1].map(power);
            let entry = |i: usize, c: usize| match i {
                0 => lows[c] * units(0),
                _ if i == last => units(i),
                _ => 0.0,
            };
            let b: Vec<T> = (0..3 * n).map(|k| T::real(entry(k / 3, k % 3))).collect();
            for solver in all_solvers::<T>(n, "solve/far_below_the_largest") {
                let found = solver.solve(n, 3, a, &b);
                assert_eq!(found.statuses, [0], "{}, order {n}", solver.name);
                for c in 0..3 {
                    let ends = [0, last].map(|i| found.elements[3 * i + c]);
                    assert_eq!(ends, wanted.map(T::real), "{}, order {n}, {c}", solver.name);
                }
            }
        }
    }
}

/// Only a system that is not finite gets -1, whatever its matrix, and its neighbors keep their bits.
fn not_finite<T: Element>() {
    for n in [1, 2, 3, 4, 5, 8, 17, 33] {
        let (mut random, len) = (Random::new(n as u64), 19);
        let mut a: Vec<T> = (0..len).flat_map(|_| cases::dominant::<T>(n, &mut random)).collect();
        let b: Vec<T> = columns(n, 2 * len, &mut random);
        // Singular.
        a[6 * n * n..7 * n * n].fill(T::ZERO);
        a[8 * n * n..9 * n * n].fill(T::ZERO);
        for solver in all_solvers::<T>(n, "solve/not_finite") {
            let wanted = solver.solve(n, 2, &a, &b);
            let (mut a, mut b) = (a.clone(), b.clone());
            for (m, bad) in [(2, f64::NAN), (3, f64::INFINITY), (8, f64::NAN)] {
                b[m * 2 * n + n] = T::real(bad);
            }
            a[11 * n * n + n - 1] = T::real(f64::NAN);
            a[12 * n * n + n / 2] = T::real(f64::NEG_INFINITY);
            let found = solver.solve(n, 2, &a, &b);
            for m in 0..len {
                let at = |elements: &[T]| bits(&elements[m * 2 * n..][..2 * n]);
                let status = if [2, 3, 8, 11, 12].contains(&m) { -1 } else { i32::from(m == 6) };
                assert_eq!(found.statuses[m], status, "{}, order {n}, {m}", solver.name);
                if status == 0 {
                    assert_eq!(at(&found.elements), at(&wanted.elements), "{}, order {n}, {m}", solver.name);
                } else {
                    assert_eq!(at(&found.elements), bits(&vec![T::NAN; 2 * n]), "{}, order {n}, {m}", solver.name);
                }
            }
        }
    }
}

/// One matrix for all right-hand sides, and one right-hand side for all matrices, give the bits of copies.
fn one_for_all<T: Element>() {
    for n in [1, 2, 3, 4, 5, 8, 33] {
        for (width, len) in [(1, 40), (3, 21), (1, 2)] {
            let mut random = Random::new(n as u64);
            let a: Vec<T> = (0..len).flat_map(|_| cases::uniform::<T>(n, &mut random)).collect();
            let b: Vec<T> = (0..len).flat_map(|_| columns::<T>(n, width, &mut random)).collect();
            for (name, inverter) in inverters::<T>(n, "solve/one_for_all") {
                for precision in [Precision::Native, Precision::Double] {
                    let work = Work::solve(T::KIND, n, width, len).with_precision(precision);
                    let inverter = inverter.clone().precision(precision).det(true);
                    if pollster::block_on(inverter.decided_async(work)).is_err() {
                        continue;
                    }
                    let solve = |a: &[T], b: &[T]| {
                        let (a, b) = (Stack::new(a, n).unwrap(), Columns::new(b, n, width).unwrap());
                        let found = inverter.solve(a, b).unwrap();
                        (bits(found.columns().elements()), found.determinants().unwrap().to_vec())
                    };
                    let (one, first) = (&a[..n * n], &b[..n * width]);
                    assert_eq!(solve(one, &b), solve(&one.repeat(len), &b), "{name}, one matrix, order {n}");
                    assert_eq!(
                        solve(&a, first),
                        solve(&a, &first.repeat(len)),
                        "{name}, one right-hand side, order {n}"
                    );
                }
            }
        }
    }
}

/// The bits do not depend on the number of threads.
#[test]
fn threads() {
    for (n, len, width) in [(4, 20_000, 1), (16, 2_000, 3), (40, 200, 1)] {
        let mut random = Random::new(n as u64);
        let a: Vec<f32> = (0..len).flat_map(|_| cases::uniform::<f32>(n, &mut random)).collect();
        let b: Vec<f32> = columns(n, width * len, &mut random);
        let solve = |threads| {
            let inverter = Inverter::cpu().threads(threads).unwrap().det(true);
            let found = inverter.solve(Stack::new(&a, n).unwrap(), Columns::new(&b, n, width).unwrap()).unwrap();
            (bits(found.columns().elements()), found.determinants().unwrap().to_vec())
        };
        assert_eq!(solve(1), solve(3), "order {n}");
    }
}

/// Fewer large systems than threads, and one matrix for all of them.
#[test]
fn few_large_systems() {
    for (n, len, copies) in [(128, 2, 1), (129, 15, 1), (200, 2, 1), (130, 1, 40), (330, 1, 1), (400, 2, 1)] {
        let mut random = Random::new(n as u64);
        let a: Vec<f32> = (0..len).flat_map(|_| cases::uniform::<f32>(n, &mut random)).collect();
        let b: Vec<f32> = columns(n, len * copies, &mut random);
        let solve = |threads| {
            let inverter = Inverter::cpu().threads(threads).unwrap().det(true);
            let found = inverter.solve(Stack::new(&a, n).unwrap(), Columns::new(&b, n, 1).unwrap()).unwrap();
            for (m, x) in found.columns().iter().enumerate() {
                let ratio = residual(n, 1, &a[m / copies * n * n..][..n * n], x, &b[m * n..][..n]);
                assert!(ratio < BOUND.max((n as f64).sqrt()), "order {n}: {ratio}");
            }
            (bits(found.columns().elements()), found.determinants().unwrap().to_vec())
        };
        assert_eq!(solve(1), solve(2), "order {n}");
        assert_eq!(solve(1), solve(5), "order {n}");
    }
    for (order, width) in [(1, 0), (4, 1), (32, 1), (33, 0), (128, 1), (5_000, 9), (2, 100_000)] {
        for len in [1, 2, 15, 16, 1000] {
            let work = Work::solve(batchinv::ScalarKind::Float64, order, width, len);
            assert!(CpuPlan::new(work, &CpuFacts::new(8, 64)).task_len > 0, "{work:?}");
        }
    }
}

/// The async forms do what the blocking ones do.
#[test]
fn async_forms() {
    let (a, b) = ([4.0_f64, 1.0, 1.0, 3.0], [5.0, 4.0]);
    let (stack, columns) = (Stack::new(&a, 2).unwrap(), Columns::new(&b, 2, 1).unwrap());
    let solutions = pollster::block_on(Inverter::cpu().solve_async(stack, columns)).unwrap();
    assert_eq!(solutions.columns().elements(), [1.0, 1.0]);
    let determinants = pollster::block_on(Inverter::auto().determinants_async(stack)).unwrap();
    assert_eq!((determinants.values[0].value(), determinants.report.engine), (11.0, Engine::Cpu));
}

/// `Precision::Double` equals the float64 or complex128 solution, rounded once.
#[test]
fn double_is_rounded_once() {
    fn check<T: Element, D: Element>() {
        for n in [1, 2, 3, 4, 5, 8, 17, 33] {
            let mut random = Random::new(n as u64);
            let a: Vec<T> = (0..20).flat_map(|_| cases::uniform::<T>(n, &mut random)).collect();
            let b: Vec<T> = columns(n, 20, &mut random);
            let widened = |elements: &[T]| elements.iter().map(|x| D::new(x.re_im().0, x.re_im().1)).collect();
            let (wide_a, wide_b): (Vec<D>, Vec<D>) = (widened(&a), widened(&b));
            for (solver, double) in solvers().into_iter().skip(1).zip(solvers_in_double()) {
                let wide = solver.solve(n, 1, &wide_a, &wide_b);
                let rounded: Vec<T> = wide.elements.iter().map(|x| T::new(x.re_im().0, x.re_im().1)).collect();
                assert_eq!(bits(&double.solve(n, 1, &a, &b).elements), bits(&rounded), "{}, order {n}", double.name);
            }
        }
    }
    check::<f32, f64>();
    check::<num_complex::Complex<f32>, num_complex::Complex<f64>>();
}

/// Matrices of order 0, right-hand sides without columns, and no systems at all.
#[test]
fn nothing_to_solve() {
    let inverter = Inverter::cpu().det(true);
    let none =
        inverter.solve(Stack::<f64>::with_len(&[], 0, 3).unwrap(), Columns::with_len(&[], 0, 2, 3).unwrap()).unwrap();
    assert_eq!((none.statuses(), none.columns().len()), (&[Status::INVERTED; 3][..], 3));
    assert!(none.determinants().unwrap().iter().all(|determinant| determinant.value() == 1.0));
    for n in [1, 2, 3, 4, 5, 40] {
        // A singular matrix is found without a single right-hand side.
        let mut a = cases::identity::<f64>(n).repeat(20);
        a[7 * n * n..8 * n * n].fill(0.0);
        let found = inverter.solve(Stack::new(&a, n).unwrap(), Columns::with_len(&[], n, 0, 20).unwrap()).unwrap();
        let words: Vec<i32> = found.statuses().iter().map(|status| status.word()).collect();
        assert_eq!((words[6], words[7], words.iter().sum::<i32>()), (0, 1, 1), "order {n}");
        // So is NaN, among elements that need no second look.
        for level in SimdLevel::all() {
            let mut a: Vec<f64> = cases::dominant(n, &mut Random::new(1)).repeat(20);
            a[7 * n * n] = f64::NAN;
            let stack = Stack::new(&a, n).unwrap();
            let found = Inverter::cpu().simd_level(level).solve(stack, Columns::with_len(&[], n, 0, 20).unwrap());
            let words: Vec<i32> = found.unwrap().statuses().iter().map(|status| status.word()).collect();
            assert_eq!((words[7], words.iter().sum::<i32>()), (-1, -1), "{}, order {n}", level.name());
        }
    }
    let empty =
        inverter.solve(Stack::<f32>::with_len(&[], 3, 0).unwrap(), Columns::with_len(&[0.0; 3], 3, 1, 1).unwrap());
    assert!(empty.unwrap().columns().is_empty());
}

/// What does not go together is refused by name.
#[test]
fn refusals() {
    let (a, b) = ([1.0_f32, 0.0, 0.0, 1.0], [1.0_f32; 6]);
    let (stack, columns) = (Stack::new(&a, 2).unwrap(), Columns::new(&b[..2], 2, 1).unwrap());
    let error = Inverter::cpu().solve(stack, Columns::new(&b, 3, 1).unwrap()).unwrap_err();
    assert_eq!(error, ShapeError::Rhs { len: 1, order: 2, rhs_len: 2, rhs_order: 3 }.into());
    let two = a.repeat(2);
    let error = Inverter::cpu().solve(Stack::new(&two, 2).unwrap(), Columns::new(&b, 2, 1).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "2 matrices of order 2 do not go together with 3 right-hand sides of 2 rows");
    let (mut x, mut statuses) = ([0.0; 2], [Status::INVERTED; 2]);
    let error = Inverter::cpu().solve_into(stack, columns, SolutionsMut::new(&mut x, &mut statuses)).unwrap_err();
    assert_eq!(error, ShapeError::Output { what: "statuses", got: 2, needed: 1 }.into());
    for inverter in [Inverter::cpu().rcond(true), Inverter::cpu().min_rcond(0.1)] {
        let error = inverter.solve(stack, columns).unwrap_err();
        assert_eq!(error.to_string(), "the cpu engine cannot do this: `solve` gives no rconds");
    }
    let error = Inverter::cpu().on_failure(OnFailure::Identity).solve(stack, columns).unwrap_err();
    assert_eq!(error, Error::Unsupported { engine: Engine::Cpu, reason: Refusal::NoIdentity { op: Op::Solve } });
    assert!(matches!(Columns::new(&b, 4, 1), Err(ShapeError::ColumnsNotWhole { elements: 6, order: 4, width: 1 })));
    assert!(matches!(Columns::new(&b, usize::MAX, 2), Err(ShapeError::ColumnsTooLarge { .. })));
}

/// The place of a solution that does not exist can hold zeros or the right-hand side.
#[test]
fn on_failure() {
    let (a, b) = ([1.0_f64, 1.0, 1.0, 1.0, 2.0, 0.0, 0.0, 2.0], [3.0, 4.0]);
    let two = b.repeat(2);
    for (choice, wanted) in [(OnFailure::Zero, [0.0, 0.0, 1.5, 2.0]), (OnFailure::Input, [3.0, 4.0, 1.5, 2.0])] {
        let solutions = Inverter::cpu()
            .on_failure(choice)
            .solve(Stack::new(&a, 2).unwrap(), Columns::new(&two, 2, 1).unwrap())
            .unwrap();
        assert_eq!(solutions.columns().elements(), wanted);
        assert_eq!(solutions.strict().unwrap_err(), Error::Singular { index: 0, column: 2 });
    }
    // One right-hand side for all.
    let one = Columns::new(&b, 2, 1).unwrap();
    let solutions = Inverter::cpu().on_failure(OnFailure::Input).solve(Stack::new(&a, 2).unwrap(), one).unwrap();
    assert_eq!(solutions.columns().elements(), [3.0, 4.0, 1.5, 2.0]);
}

/// `lanes` takes what fills it and fits near caches; `blocked` takes all else.
#[test]
fn plans() {
    let kernel = |order, width, len| {
        CpuPlan::new(Work::solve(batchinv::ScalarKind::Float32, order, width, len), &CpuFacts::new(1, 64)).kernel
    };
    assert_eq!([kernel(4, 1, 1000), kernel(32, 1, 8)], [CpuKernel::Lanes; 2]);
    assert_eq!([kernel(4, 1, 7), kernel(33, 1, 1000), kernel(32, 1000, 1000)], [CpuKernel::Blocked; 3]);
}

for_each_scalar!(
    lapack_types,
    hard_systems,
    statuses_are_those_of_the_inverse,
    bits_of_a_column,
    powers_of_two_pass_through,
    far_below_the_largest,
    not_finite,
    one_for_all,
);

/// Systems that share a subgroup leave each other alone, also where one is scaled and the other is not; and columns of
/// many tiles are solved, or fail together.
#[cfg(all(feature = "gpu", feature = "testing"))]
#[test]
fn neighbors_in_a_subgroup() {
    use batchinv::plan::Variant;
    use batchinv::{Determinant, ScalarKind};
    use common::engines::{adapters, forms, record};
    let (n, len) = (5, 8);
    let mut random = Random::new(5);
    let mut a: Vec<f32> = (0..len).flat_map(|_| cases::dominant::<f32>(n, &mut random)).collect();
    let mut b: Vec<f32> = columns(n, len, &mut random);
    a.chunks_exact_mut(n * n).step_by(2).flatten().for_each(|x| *x = times(*x, power(-100)));
    b.chunks_exact_mut(n).step_by(3).flatten().for_each(|x| *x = times(*x, power(-60)));
    for adapter in adapters("solve/neighbors_in_a_subgroup") {
        let plain = Variant::new(GpuKernel::Subgroup, ScalarKind::Float32, Precision::Native, n as u32);
        for variant in forms(plain.with_op(Op::Solve, 1), &adapter.gpu.facts().limits).into_iter().flatten() {
            let run = |a: &[f32], b: &[f32]| {
                let len = b.len() / n;
                let (mut x, mut statuses) = (vec![0.0; b.len()], vec![Status::NOT_FINITE; len]);
                let mut determinants = vec![Determinant::ONE; len];
                let output = SolutionsMut::new(&mut x, &mut statuses).with_determinants(&mut determinants);
                let (a, b) = (Stack::new(a, n).unwrap(), Columns::new(b, n, 1).unwrap());
                adapter.gpu.solve_with(variant, len, a, b, output).unwrap();
                assert!(statuses.iter().all(|status| status.is_inverted()), "{}", adapter.word);
                (bits(&x), determinants)
            };
            record(&adapter.word, "subgroup", "float32", "solve/neighbors_in_a_subgroup", "ran");
            let (x, determinants) = run(&a, &b);
            for m in 0..len {
                let alone = run(&a[m * n * n..][..n * n], &b[m * n..][..n]);
                assert_eq!(x[m * n..][..n], alone.0, "{}, {variant:?}, {m}", adapter.word);
                assert_eq!(determinants[m], alone.1[0], "{}, {variant:?}, {m}", adapter.word);
            }
        }
        let (n, width) = (12, 100);
        let a: Vec<f32> = (0..3).flat_map(|_| cases::dominant::<f32>(n, &mut random)).collect();
        let mut b: Vec<f32> = columns(n, 3 * width, &mut random);
        b[n * width - 1] = f32::NAN;
        let (stack, gpu) = (Stack::new(&a, n).unwrap(), Inverter::with_gpu(adapter.gpu.clone()));
        let found = gpu.solve(stack, Columns::new(&b, n, width).unwrap()).unwrap();
        assert!(found.columns().matrix(0).iter().all(|x| x.is_nan()), "{}", adapter.word);
        assert_eq!(found.statuses().iter().map(|status| status.word()).collect::<Vec<_>>(), [-1, 0, 0]);
        for m in 1..3 {
            let (x, b) = (found.columns().matrix(m), &b[m * n * width..][..n * width]);
            assert!(residual(n, width, stack.matrix(m), x, b) < BOUND, "{}, {m}", adapter.word);
        }
        if adapter.gpu.facts().limits.software {
            // Mesa's driver would silently end a program with so many tiles.
            let b = vec![1.0; n * 100_000];
            let error =
                gpu.solve(Stack::new(&a[..n * n], n).unwrap(), Columns::new(&b, n, 100_000).unwrap()).unwrap_err();
            assert!(error.to_string().contains("a software driver takes at most"), "{error}");
        }
    }
}
