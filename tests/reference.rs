//! The reference and every engine on cases worked out by hand.

mod common;

use batchinv::{Complex, Stack, StackBuf, invert_reference};
use common::cases::{self, Case, Want, power};
use common::engines;
use common::oracle::{self, Failures};
use common::{Element, bits};

/// Worked out by hand, and exact in any binary arithmetic.
fn by_hand<T: Element>() {
    let matrix = |elements: &[f64]| elements.iter().map(|&x| T::real(x)).collect::<Vec<T>>();
    let exact = |a: &[f64], x: &[f64]| Case::new(format!("{a:?}"), matrix(a), Want::Exactly(matrix(x)));
    let singular = |a: &[f64], column| Case::new(format!("{a:?}"), matrix(a), Want::Status(column));
    let cases = [
        exact(&[4.0], &[0.25]),
        exact(&[-0.5], &[-2.0]),
        singular(&[0.0], 1),
        // [a b; c d] with ad - bc = 1, 2 or -1.
        exact(&[2.0, 1.0, 1.0, 1.0], &[1.0, -1.0, -1.0, 2.0]),
        exact(&[0.0, 1.0, 2.0, 0.0], &[0.0, 0.5, 1.0, 0.0]),
        exact(&[1.0, 2.0, 0.0, 1.0], &[1.0, -2.0, 0.0, 1.0]),
        exact(&[1.0, 3.0, 1.0, 1.0], &[-0.5, 1.5, 0.5, -0.5]),
        singular(&[1.0, 2.0, 2.0, 4.0], 2),
        singular(&[0.0, 1.0, 0.0, 2.0], 1),
        singular(&[1.0, 0.0, 2.0, 0.0], 2),
        // Row 1 is twice row 0. The zero pivot is in column 3, although no column depends on one other column alone.
        singular(&[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 0.0, 1.0, 1.0], 3),
        // Column 1 is twice column 0.
        singular(&[1.0, 2.0, 3.0, 2.0, 4.0, 1.0, 4.0, 8.0, 1.0], 2),
        exact(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
        exact(&[1.0, 2.0, 4.0, 0.0, 2.0, 8.0, 0.0, 0.0, 4.0], &[1.0, -1.0, 1.0, 0.0, 0.5, -1.0, 0.0, 0.0, 0.25]),
        exact(&[2.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.125], &[0.5, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 8.0]),
        // A rigid motion: rotation by a quarter turn, and a translation by (3, 4, 5).
        exact(
            &[0.0, -1.0, 0.0, 3.0, 1.0, 0.0, 0.0, 4.0, 0.0, 0.0, 1.0, 5.0, 0.0, 0.0, 0.0, 1.0],
            &[0.0, 1.0, 0.0, -4.0, -1.0, 0.0, 0.0, 3.0, 0.0, 0.0, 1.0, -5.0, 0.0, 0.0, 0.0, 1.0],
        ),
        // A Hadamard matrix: symmetric, and four times its own inverse.
        exact(
            &[1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0, 1.0],
            &[0.25, 0.25, 0.25, 0.25, 0.25, -0.25, 0.25, -0.25, 0.25, 0.25, -0.25, -0.25, 0.25, -0.25, -0.25, 0.25],
        ),
    ];
    let mut failures = Failures::default();
    for case in cases {
        let n = case.matrix.len().isqrt();
        let one = std::slice::from_ref(&case);
        let reference = engines::reference(Stack::new(&case.matrix, n).unwrap());
        oracle::check_outcome("reference", n, one, &reference, &mut failures);
        for engine in engines::all::<T>(n, "reference/by_hand") {
            oracle::check(&engine, n, one, &mut failures);
        }
    }
    failures.none();
}

/// Complex cases by hand, such as 1 / (1 + i) = (1 - i) / 2.
fn complex_by_hand<T: Element>() {
    let (one, zero, i) = (T::ONE, T::ZERO, T::new(0.0, 1.0));
    let cases = [
        Case::new("1 + i", vec![T::new(1.0, 1.0)], Want::Exactly(vec![T::new(0.5, -0.5)])),
        Case::new("i", vec![i], Want::Exactly(vec![-i])),
        Case::new("-4i", vec![T::new(0.0, -4.0)], Want::Exactly(vec![T::new(0.0, 0.25)])),
        Case::new("[1 i; 0 1]", vec![one, i, zero, one], Want::Exactly(vec![one, -i, zero, one])),
        Case::new("[0 i; i 0]", vec![zero, i, i, zero], Want::Exactly(vec![zero, -i, -i, zero])),
        // Row 1 is i times row 0.
        Case::new("[1 i; i -1]", vec![one, i, i, -one], Want::Status(2)),
        // [1 i; -i 1] is singular too; [1 i; i 1] is not: det = 2.
        Case::new("[1 i; -i 1]", vec![one, i, -i, one], Want::Status(2)),
        Case::new(
            "[1 i; i 1]",
            vec![one, i, i, one],
            Want::Exactly(vec![T::real(0.5), T::new(0.0, -0.5), T::new(0.0, -0.5), T::real(0.5)]),
        ),
    ];
    let mut failures = Failures::default();
    for case in cases {
        let n = case.matrix.len().isqrt();
        let one = std::slice::from_ref(&case);
        let reference = engines::reference(Stack::new(&case.matrix, n).unwrap());
        oracle::check_outcome("reference", n, one, &reference, &mut failures);
        for engine in engines::all::<T>(n, "reference/complex_by_hand") {
            oracle::check(&engine, n, one, &mut failures);
        }
    }
    failures.none();
}

#[test]
fn complex64_by_hand() {
    complex_by_hand::<Complex<f32>>();
}

#[test]
fn complex128_by_hand() {
    complex_by_hand::<Complex<f64>>();
}

/// Inverses that are known in whole numbers, although elimination rounds.
fn known_inverses<T: Element>() {
    let known: [(&[f64], &[f64]); 2] = [
        // The Hilbert matrix of order 3 times 60, and the inverse of the unscaled matrix.
        (
            &[60.0, 30.0, 20.0, 30.0, 20.0, 15.0, 20.0, 15.0, 12.0],
            &[9.0, -36.0, 30.0, -36.0, 192.0, -180.0, 30.0, -180.0, 180.0],
        ),
        // The magic square of order 3, and 360 times its inverse.
        (&[8.0, 1.0, 6.0, 3.0, 5.0, 7.0, 4.0, 9.0, 2.0], &[53.0, -52.0, 23.0, -22.0, 8.0, 38.0, -7.0, 68.0, -37.0]),
    ];
    let scale = [60.0, 360.0];
    for ((a, x), scale) in known.into_iter().zip(scale) {
        let a: Vec<T> = a.iter().map(|&a| T::real(a)).collect();
        let x: Vec<T> = x.iter().map(|&x| T::real(x / scale)).collect();
        let mut inverse = vec![T::ZERO; 9];
        assert!(invert_reference(&a, 3, &mut inverse).is_inverted());
        let allowed = 3.0 * oracle::BOUND * T::eps() / oracle::rcond(&a, &x, 3);
        let distance = oracle::distance(&inverse, &x, 3);
        assert!(distance <= allowed, "{distance}, allowed {allowed}");
    }
}

/// The named test matrices have their defining properties.
#[test]
fn famous_matrices_are_right() {
    assert_eq!(cases::magic::<f64>(3), [8.0, 1.0, 6.0, 3.0, 5.0, 7.0, 4.0, 9.0, 2.0]);
    for n in 3..=20 {
        let square = cases::magic::<f64>(n);
        let sum = (n * (n * n + 1) / 2) as f64;
        for i in 0..n {
            assert_eq!(square[i * n..][..n].iter().sum::<f64>(), sum, "order {n}, row {i}");
            assert_eq!((0..n).map(|k| square[k * n + i]).sum::<f64>(), sum, "order {n}, column {i}");
        }
        let mut numbers = square.clone();
        numbers.sort_by(f64::total_cmp);
        assert!(numbers.iter().enumerate().all(|(index, &number)| number == (index + 1) as f64));
    }
    let kahan = cases::kahan::<f64>(4);
    assert!(kahan[4..8].iter().take(1).all(|&x| x == 0.0) && kahan[5] < 1.0 && kahan[1] < 0.0);
}

/// LAPACK's types have their nominal condition number: in the 1-norm, within a factor of the order.
#[test]
fn lapack_types_have_their_condition() {
    let mut random = cases::Random::new(1);
    for n in [2, 5, 16, 33] {
        for kind in [1, 2, 3, 4, 8, 9, 10, 11] {
            let case = cases::latb4::<f64>(n, kind, &mut random);
            let mut inverse = vec![0.0; n * n];
            assert!(invert_reference(&case.matrix, n, &mut inverse).is_inverted(), "order {n}, type {kind}");
            let condition = 1.0 / oracle::rcond(&case.matrix, &inverse, n);
            let wanted = match kind {
                8 => (0.1 / f64::eps()).sqrt(),
                9 => 0.1 / f64::eps(),
                _ => 2.0,
            };
            let factor = n as f64;
            assert!(
                condition >= wanted / factor * 0.5 && condition <= wanted * factor,
                "order {n}, type {kind}: {condition}"
            );
            let zero = |side: std::cmp::Ordering| {
                (0..n * n).filter(|at| (at / n).cmp(&(at % n)) == side).all(|at| case.matrix[at] == 0.0)
            };
            let (above, below) = (zero(std::cmp::Ordering::Less), zero(std::cmp::Ordering::Greater));
            assert_eq!((above, below), (kind == 1 || kind == 3, kind == 1 || kind == 2), "order {n}, type {kind}");
        }
    }
}

/// Order 0, and calls that the reference refuses.
#[test]
fn edges() {
    assert!(invert_reference::<f32>(&[], 0, &mut []).is_inverted());
    let mut out = [1.0_f32; 4];
    assert_eq!(invert_reference(&[f32::NAN, 0.0, 0.0, 1.0], 2, &mut out).word(), -1);
    assert_eq!(bits(&out), [[0x7fc0_0000, 0]; 4]);
    assert!(std::panic::catch_unwind(|| invert_reference(&[1.0_f32], 2, &mut [0.0])).is_err());
    assert!(std::panic::catch_unwind(|| invert_reference(&[1.0_f32], 1, &mut [])).is_err());
}

/// The crate's ratio and rcond agree with the oracle's, which are computed independently.
fn ratios_agree<T: Element>() {
    use batchinv::Real;
    let mut random = cases::Random::new(3);
    for n in [1, 2, 5, 17] {
        let mut cases = cases::latb4_all::<T>(n, &mut random);
        cases.retain(|case| !matches!(case.want, Want::Status(_)));
        cases.push(Case::new("hilbert", cases::hilbert(n), Want::Ratio));
        for case in cases {
            let mut x = vec![T::ZERO; n * n];
            assert!(invert_reference(&case.matrix, n, &mut x).is_inverted());
            // The second factor makes the inverse wrong.
            for spoil in [1.0, 1.01] {
                x[0] = T::new(x[0].re_im().0 * spoil, x[0].re_im().1);
                let (own, theirs) =
                    (oracle::ratio_in_float64(&case.matrix, &x, n), batchinv::residual_ratio(&case.matrix, &x, n));
                assert!(
                    (own - theirs).abs() <= 1e-6 * own + 0.5 * 2.0_f64.powi(T::DIGITS - 53),
                    "{}: {own}, {theirs}",
                    case.name
                );
                let (own, theirs) =
                    (oracle::rcond(&case.matrix, &x, n), batchinv::reciprocal_condition(&case.matrix, &x, n));
                assert!((own - theirs.to_f64()).abs() <= 4.0 * T::eps() * own, "{}: {own}, {theirs}", case.name);
            }
        }
    }
    let nan = vec![T::NAN; 4];
    assert!(batchinv::residual_ratio(&cases::identity::<T>(2), &nan, 2).is_nan());
    assert!(batchinv::reciprocal_condition(&cases::identity::<T>(2), &nan, 2).to_f64().is_nan());
    assert_eq!(batchinv::residual_ratio::<T>(&[], &[], 0), 0.0);
    assert_eq!(batchinv::reciprocal_condition::<T>(&[], &[], 0).to_f64(), f64::INFINITY);
    // A matrix that is nowhere near an inverse has an enormous ratio.
    let identity = StackBuf::<T>::identity(2, 1);
    assert!(batchinv::residual_ratio(&cases::from_fn::<T>(2, |i, j| (i + j) as f64), identity.elements(), 2) > 1e6);
}

/// Matrices in units so different that products overflow: only the size beside ||A|| ||X|| counts.
fn ratios_by_hand<T: Element>() {
    let e = -T::MIN_EXPONENT * 4 / 5;
    let (big, small, zero) = (power(e), power(-e), 0.0);
    let matrix = |elements: [f64; 4]| elements.map(T::real);
    let near = |got: f64, wanted: f64| assert!((got - wanted).abs() <= 1e-6 * wanted, "{got}, not {wanted}");

    let a = [big, zero, big, small];
    assert_eq!(batchinv::residual_ratio(&matrix(a), &matrix([small, zero, -big, big]), 2), 0.0);
    // The same inverse with one element wrong, by a unit in the last place and by half: X A = [1 0; -wrong 4^e 1].
    for wrong in [2.0 * T::eps(), 0.5] {
        let x = [small, zero, -big * (1.0 + wrong), big];
        // ||A|| = 2 2^e, ||X|| = (1 + wrong) 2^e
        let ratio = batchinv::residual_ratio(&matrix(a), &matrix(x), 2);
        near(ratio, wrong / (4.0 * (1.0 + wrong) * T::eps()));
        // Transposed, and with it the order of the factors: ||A|| = 2^e, ||X|| = (2 + wrong) 2^e
        let transposed = |[a, b, c, d]: [f64; 4]| matrix([a, c, b, d]);
        let ratio = batchinv::residual_ratio(&transposed(x), &transposed(a), 2);
        near(ratio, wrong / (2.0 * (2.0 + wrong) * T::eps()));
    }
    for (a, x) in [(big, zero), (zero, small), (zero, zero)] {
        assert_eq!(batchinv::residual_ratio(&[T::real(a)], &[T::real(x)], 1), f64::INFINITY);
    }
    for (a, x) in [(f64::INFINITY, small), (small, f64::INFINITY), (f64::INFINITY, zero), (f64::NAN, big)] {
        assert!(batchinv::residual_ratio(&[T::real(a)], &[T::real(x)], 1).is_nan(), "{a}, {x}");
    }
}

/// At both ends of the range of its type, where it is rounded as any other number.
fn rconds_by_hand<T: Element>() {
    let rcond = |a: T, x: T| batchinv::Real::to_f64(batchinv::reciprocal_condition(&[a], &[x], 1));
    let tiniest = T::MIN_EXPONENT - T::DIGITS + 1;
    let large = |exponent: i32| T::real(power(exponent));
    for (less, wanted) in [(2, 4.0 * power(tiniest)), (0, power(tiniest)), (-1, 0.0), (-60, 0.0)] {
        // 2^exponent: halves of numbers this small are rounded to 0.
        let exponent = -tiniest - less;
        assert_eq!(rcond(large(exponent / 2), large(exponent - exponent / 2)), wanted, "2^{}", -exponent);
    }
    assert_eq!(rcond(large(tiniest), large(tiniest)), f64::INFINITY);
    for (a, x) in [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)] {
        assert_eq!(rcond(T::real(a), T::real(x)), f64::INFINITY);
    }
    for (a, x) in [(f64::INFINITY, 1.0), (1.0, -f64::INFINITY), (f64::INFINITY, 0.0), (f64::NAN, 1.0)] {
        assert!(rcond(T::real(a), T::real(x)).is_nan(), "{a}, {x}");
    }
    // The smallest numbers have the modulus sqrt(2) times the smallest, which is no number of their type.
    let a = T::new(power(tiniest), power(tiniest));
    let wanted = power(100) * if T::COMPLEX { 0.5_f64.sqrt() } else { 1.0 };
    let got = rcond(a, large(-tiniest - 100));
    assert!((got - wanted).abs() <= 2.0 * T::eps() * wanted, "{got}, not {wanted}");
}

/// The crate's ratio and rcond agree with the oracle's on rows and columns of any magnitudes.
fn ratios_agree_at_all_magnitudes<T: Element>() {
    use batchinv::Real;
    let mut random = cases::Random::new(4);
    let (wide, narrow) = (-T::MIN_EXPONENT * 9 / 10, -T::MIN_EXPONENT / 10);
    let mut checked = 0;
    for n in 1..=8 {
        for repeat in 0..200 {
            let mut exponents = |reach: i32| -> Vec<i32> {
                (0..n).map(|_| random.below(2 * reach as usize + 1) as i32 - reach).collect()
            };
            let (mut rows, mut columns) = (exponents(wide), exponents(narrow));
            if repeat % 2 == 0 {
                std::mem::swap(&mut rows, &mut columns);
            }
            let mut a = cases::uniform::<T>(n, &mut random);
            for (index, element) in a.iter_mut().enumerate() {
                let (re, im) = element.re_im();
                let (row, column) = (power(rows[index / n]), power(columns[index % n]));
                *element = T::new(re * row * column, im * row * column);
            }
            let mut x = vec![T::ZERO; n * n];
            if !invert_reference(&a, n, &mut x).is_inverted() {
                continue;
            }
            checked += 1;
            for (a, x) in [(&a, &x), (&x, &a)] {
                let (own, theirs) = (oracle::ratio_in_float64(a, x, n), batchinv::residual_ratio(a, x, n));
                assert!(
                    (own - theirs).abs() <= 1e-6 * own + 0.5 * 2.0_f64.powi(T::DIGITS - 53),
                    "order {n}: {theirs}, not {own}, for {a:?} and {x:?}"
                );
            }
            let (own, theirs) = (oracle::rcond(&a, &x, n), batchinv::reciprocal_condition(&a, &x, n).to_f64());
            let slack = 4.0 * T::eps() * own + power(T::MIN_EXPONENT - T::DIGITS + 1);
            assert!((own - theirs).abs() <= slack, "order {n}: {theirs}, not {own}, for {a:?} and {x:?}");
        }
    }
    assert!(checked > 400, "only {checked} matrices have an inverse");
}

for_each_scalar!(by_hand, known_inverses, ratios_agree, ratios_by_hand, rconds_by_hand, ratios_agree_at_all_magnitudes);
