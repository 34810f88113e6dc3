//! Determinants: how close they are, their range, and that every call gives the same.

mod common;

use batchinv::plan::Work;
use batchinv::{
    Columns, Determinant, Inverter, Precision, SimdLevel, SolutionsMut, Stack, Status, determinant_reference,
};
use common::Element;
use common::cases::{self, Random, power};
use common::engines::gpu_inverters;
use common::systems::norm;

const ORDERS: [usize; 17] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 31, 32, 33, 48, 65];

/// The CPU engine at every level, and at some orders the GPU engine on each adapter.
fn inverters<T: Element>(n: usize, promise: &'static str) -> impl Iterator<Item = Inverter> {
    let of_gpus = if [1, 2, 3, 4, 5, 8, 9, 12, 16, 17, 33, 65].contains(&n) {
        gpu_inverters::<T>(Work::det(T::KIND, n, 1), promise)
    } else {
        Vec::new()
    };
    let cpu = SimdLevel::all().into_iter().map(|level| Inverter::cpu().simd_level(level));
    cpu.chain(of_gpus.into_iter().map(|(_, inverter)| inverter))
}

fn determinants<T: Element>(inverter: &Inverter, a: &[T], n: usize) -> Vec<Determinant<T>> {
    inverter.determinants(Stack::new(a, n).unwrap()).unwrap().values
}

/// |d - exact| <= n kappa_1 eps |exact|, and twice that for complex matrices, whose products round twice: with the
/// determinants of the same matrices in float64 for the exact ones.
fn error<T: Element, D: Element>() {
    for n in ORDERS {
        let mut random = Random::new(n as u64);
        let mut matrices: Vec<Vec<T>> = Vec::new();
        for _ in 0..30 {
            matrices.push(cases::uniform(n, &mut random));
            matrices.push(cases::dominant(n, &mut random));
        }
        matrices.extend([1, 2, 3, 4, 8, 9, 10, 11].map(|kind| cases::latb4(n, kind, &mut random).matrix));
        let mut judged = 0;
        for inverter in inverters::<T>(n, "determinants/error") {
            let found = determinants(&inverter, &matrices.concat(), n);
            for (m, (a, found)) in matrices.iter().zip(found).enumerate() {
                let wide: Vec<D> = a.iter().map(|x| D::new(x.re_im().0, x.re_im().1)).collect();
                let exact = determinant_reference(&wide, n);
                let mut inverse = vec![D::ZERO; n * n];
                let _ = batchinv::invert_reference(&wide, n, &mut inverse);
                let products = if T::COMPLEX { 2.0 } else { 1.0 };
                let allowed = products * n as f64 * norm(a, n) * norm(&inverse, n) * T::eps();
                if allowed < 0.1 {
                    let scale = power(found.exponent() - exact.exponent());
                    let ((re, im), (exact_re, exact_im)) = (found.mantissa().re_im(), exact.mantissa().re_im());
                    let distance = (re * scale - exact_re).hypot(im * scale - exact_im);
                    assert!(distance <= allowed * exact_re.hypot(exact_im), "order {n}, {m}: {found:?}, not {exact:?}");
                    judged += 1;
                }
            }
        }
        assert!(judged > 0, "order {n}");
    }
}

#[test]
fn error_float32() {
    error::<f32, f64>();
}

#[test]
fn error_complex64() {
    error::<num_complex::Complex<f32>, num_complex::Complex<f64>>();
}

/// Triangular matrices of powers of two, with their rows in any order, have exact determinants, also far beyond the
/// range of the type.
fn exact<T: Element>() {
    for n in ORDERS {
        let mut random = Random::new(n as u64);
        let (mut a, mut wanted) = (Vec::new(), Vec::new());
        for m in 0..40 {
            let rows = random.permutation(n);
            let span = if m % 3 == 0 { 10 } else { -T::MIN_EXPONENT - 1 };
            let exponents: Vec<i32> = (0..n).map(|_| random.below(2 * span as usize) as i32 - span).collect();
            let mut matrix = vec![T::ZERO; n * n];
            for (i, &row) in rows.iter().enumerate() {
                matrix[row * n + i] = T::real(power(exponents[i]));
                if m % 3 == 0 && i + 1 < n {
                    matrix[row * n + i + 1..(row + 1) * n].fill(T::real(power(exponents[i])));
                }
            }
            // A permutation is odd if it has an odd number of cycles of even length.
            let (mut seen, mut odd) = (vec![false; n], false);
            for start in 0..n {
                let (mut at, mut length) = (start, 0);
                while !std::mem::replace(&mut seen[at], true) {
                    (at, length) = (rows[at], length + 1);
                }
                odd ^= length > 0 && length % 2 == 0;
            }
            wanted.push(Determinant::new(T::real(if odd { -1.0 } else { 1.0 }), exponents.iter().sum()));
            a.extend(matrix);
        }
        for inverter in inverters::<T>(n, "determinants/exact") {
            assert_eq!(determinants(&inverter, &a, n), wanted, "order {n}");
        }
        let by_the_textbook: Vec<_> = a.chunks(n * n).map(|a| determinant_reference(a, n)).collect();
        assert_eq!(by_the_textbook, wanted, "the textbook, order {n}");
    }
}

/// The last pivot of Wilkinson's matrices is 2^(n - 1), up to the end of the range of float32 and beyond.
#[test]
fn pivots_at_the_end_of_the_range() {
    for n in [127, 128] {
        let matrix: Vec<f32> = cases::from_fn(n, |i, j| match () {
            () if i == j || j == n - 1 => 1.0,
            () if i > j => -1.0,
            () => 0.0,
        });
        let wanted = Determinant::new(1.0, n as i32 - 1);
        assert_eq!(determinant_reference(&matrix, n), wanted, "order {n}");
        for inverter in inverters::<f32>(n, "determinants/ends_of_the_range") {
            assert_eq!(determinants(&inverter, &matrix, n), [wanted], "order {n}");
        }
    }
    // Products of the largest numbers, and of the smallest.
    for entry in [f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), f32::from_bits(0x007f_ffff)] {
        for n in [1, 2, 3, 4, 7, 33] {
            let matrix = cases::diagonal(&vec![entry; n]);
            let exact = Determinant::new(f64::from(entry), 0);
            let logarithm = exact.ln_abs() * n as f64;
            for inverter in inverters::<f32>(n, "determinants/ends_of_the_range") {
                for found in determinants(&inverter, &matrix.repeat(20), n) {
                    let error = (found.ln_abs() - logarithm).abs();
                    assert!(error < 1e-5 && found.sign() == 1.0, "{entry:e}, order {n}: {found:?}, {error}");
                }
            }
        }
    }
}

/// `invert`, `solve` and `determinants` give the same bits, at any place, in any precision.
fn the_same_from_every_call<T: Element>() {
    for n in ORDERS {
        let (mut random, len) = (Random::new(n as u64), 37);
        let mut a: Vec<T> = (0..len).flat_map(|_| cases::uniform::<T>(n, &mut random)).collect();
        a[3 * n * n..4 * n * n].fill(T::ZERO);
        a[5 * n * n] = T::real(f64::NAN);
        a[7 * n * n] = T::real(power(T::MIN_EXPONENT * 3 / 4));
        let b = vec![T::ONE; n * len];
        let (stack, columns) = (Stack::new(&a, n).unwrap(), Columns::new(&b, n, 1).unwrap());
        for inverter in inverters::<T>(n, "determinants/the_same_from_every_call") {
            for precision in [Precision::Native, Precision::Double] {
                let inverter = inverter.clone().precision(precision);
                let work = Work::det(T::KIND, n, len).with_precision(precision);
                if pollster::block_on(inverter.decided_async(work)).is_err() {
                    // The device does not compute in float64.
                    continue;
                }
                let alone = determinants(&inverter, &a, n);
                let bits = |determinants: &[Determinant<T>]| -> Vec<_> {
                    determinants.iter().map(|d| (d.mantissa().bits(), d.exponent())).collect()
                };
                let with_det = inverter.clone().det(true);
                let inverses = with_det.invert(stack).unwrap();
                assert_eq!(bits(inverses.determinants().unwrap()), bits(&alone), "invert, order {n}");
                let solutions = with_det.solve(stack, columns).unwrap();
                assert_eq!(bits(solutions.determinants().unwrap()), bits(&alone), "solve, order {n}");

                let (mut x, mut statuses) = (b.clone(), vec![Status::INVERTED; len]);
                let mut beside = vec![Determinant::ONE; len];
                inverter.determinants_into(stack, &mut beside).unwrap();
                assert_eq!(bits(&beside), bits(&alone), "determinants_into, order {n}");
                beside.fill(Determinant::ONE);
                let output = SolutionsMut::new(&mut x, &mut statuses).with_determinants(&mut beside);
                inverter.solve_into(stack, columns, output).unwrap();
                assert_eq!(bits(&beside), bits(&alone), "solve_into, order {n}");

                for (m, determinant) in alone.iter().enumerate() {
                    let one = determinants(&inverter, stack.matrix(m), n);
                    assert_eq!(bits(&one), bits(&[*determinant]), "matrix {m} alone, order {n}");
                }
                assert_eq!(alone[3], Determinant::ZERO, "order {n}");
                assert_eq!(bits(&alone[5..6]), bits(&[Determinant::NAN]), "order {n}");
            }
        }
    }
}

/// NaN and infinity at any place make the determinant NaN, also beside a zero pivot.
#[test]
fn not_finite() {
    for n in [1, 2, 3, 4, 5, 8, 33] {
        for at in [0, n - 1, n * n / 2, n * n - 1] {
            for bad in [f32::NAN, f32::INFINITY] {
                for matrix in [cases::identity::<f32>(n), vec![0.0; n * n]] {
                    let mut a = matrix.repeat(20);
                    a[9 * n * n + at] = bad;
                    for inverter in inverters::<f32>(n, "determinants/not_finite") {
                        let found = determinants(&inverter, &a, n);
                        assert!(found[9].mantissa().is_nan() && found[9].value().is_nan(), "order {n}, {at}");
                        assert_eq!(found[8].value(), matrix[0], "order {n}, {at}");
                    }
                }
            }
        }
    }
}

/// The CPU computes determinants beside inverses of orders for which the GPU engine has no determinants.
#[cfg(all(feature = "gpu", feature = "testing"))]
#[test]
fn beside_large_inverses() {
    let mut random = Random::new(1);
    let a: Vec<f32> = cases::dominant(129, &mut random);
    let stack = Stack::new(&a, 129).unwrap();
    let wanted = Inverter::cpu().determinants(stack).unwrap().values;
    for adapter in common::engines::adapters("determinants/beside_large_inverses") {
        let gpu = Inverter::with_gpu(adapter.gpu.clone()).det(true);
        assert_eq!(gpu.invert(stack).unwrap().determinants().unwrap(), wanted, "{}", adapter.word);
        assert!(gpu.determinants(stack).is_err(), "{}", adapter.word);
    }
}

/// Values that a scalar holds, signs and logarithms.
#[test]
fn values() {
    let huge = Determinant::new(-1.5_f32, 200);
    assert_eq!((huge.value(), huge.sign()), (f32::NEG_INFINITY, -1.0));
    assert!((huge.ln_abs() - (1.5_f64.ln() + 200.0 * 2.0_f64.ln())).abs() < 1e-12);
    assert_eq!(Determinant::new(1.5_f32, -149).value(), f32::from_bits(2), "rounded once, to the even one");
    assert_eq!(Determinant::new(3.0_f64, -1).value(), 1.5);
    assert_eq!((Determinant::<f32>::ZERO.sign(), Determinant::<f32>::ZERO.ln_abs()), (0.0, f64::NEG_INFINITY));
    assert!(Determinant::<f64>::NAN.sign().is_nan() && Determinant::<f64>::NAN.ln_abs().is_nan());
    let complex = Determinant::new(num_complex::Complex::new(0.0_f64, -8.0), 3);
    assert_eq!((complex.sign(), complex.exponent()), (num_complex::Complex::new(0.0, -1.0), 6));
    assert!((complex.ln_abs() - 64.0_f64.ln()).abs() < 1e-15);
    assert_eq!(Determinant::new(f32::INFINITY, 0).value().to_bits(), f32::NAN.to_bits());
}

for_each_scalar!(exact, the_same_from_every_call);
