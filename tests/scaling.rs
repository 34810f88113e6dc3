//! Magnitudes near underflow and overflow: results are exact if an exact inverse exists, and no
//! matrix is falsely reported as singular.

mod common;

use batchinv::Stack;
use common::Element;
use common::cases::{self, Case, Random, Want, power};
use common::engines;
use common::oracle::{self, Failures};

const ORDERS: [usize; 10] = [2, 3, 4, 5, 8, 9, 13, 16, 17, 65];

/// diag(2^-127, 2^127, 4) has an exact float32 inverse, and so do its counterparts in every
/// scalar, at every order and position.
fn widest_diagonal<T: Element>() {
    let mut failures = Failures::default();
    let top = -T::MIN_EXPONENT + 1;
    for n in [3, 4, 5, 8, 9, 12, 13, 16, 17, 33, 64, 65, 128] {
        let mut random = Random::new(n as u64);
        let mut cases = Vec::new();
        for turn in [T::ONE, T::real(-1.0), T::new(if T::COMPLEX { 0.0 } else { 1.0 }, 1.0)] {
            let conjugate = if turn == T::real(-1.0) { turn } else { T::new(turn.re_im().0, -turn.re_im().1) };
            for _ in 0..2 {
                let mut exponents: Vec<i32> = (0..n).map(|_| random.below(2 * top as usize + 1) as i32 - top).collect();
                exponents[..3].copy_from_slice(&[-top, top, 2]);
                let (rows, mut columns) = (random.permutation(n), (0..n).collect::<Vec<_>>());
                if random.below(2) == 0 {
                    columns = rows.clone();
                }
                let (mut a, mut x) = (vec![T::ZERO; n * n], vec![T::ZERO; n * n]);
                for (k, e) in exponents.into_iter().enumerate() {
                    let (i, j) = (rows[k], columns[k]);
                    a[i * n + j] = scaled(turn, e);
                    x[j * n + i] = scaled(conjugate, -e);
                }
                cases.push(Case::new("widest", a, Want::Exactly(x)));
            }
        }
        for engine in engines::all::<T>(n, "scaling/widest_diagonal") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

/// x * 2^e, part by part; 0 keeps its sign.
fn scaled<T: Element>(x: T, e: i32) -> T {
    let (re, im) = x.re_im();
    T::new(re * power(e), im * power(e))
}

/// A bidiagonal matrix whose rows and columns are multiplied by powers of two. Scaling undoes those factors,
/// after which every intermediate result is exact.
fn rows_and_columns<T: Element>() {
    let mut failures = Failures::default();
    let reach = -T::MIN_EXPONENT / 2 - 2;
    for n in ORDERS {
        let mut random = Random::new(n as u64);
        let mut cases = Vec::new();
        for _ in 0..6 {
            let mut spread = || (0..n).map(|_| random.below(2 * reach as usize) as i32 - reach).collect::<Vec<_>>();
            let (rows, columns) = (spread(), spread());
            let (mut a, mut x) = (vec![T::ZERO; n * n], vec![T::ZERO; n * n]);
            for i in 0..n {
                a[i * n + i] = T::real(power(rows[i] + columns[i]));
                x[i * n + i] = T::real(power(-rows[i] - columns[i]));
            }
            // One entry beside the diagonal in each second row: [[1, 1/2], [0, 1]] and [[1, -1/2], [0, 1]].
            for i in (0..n - 1).step_by(2) {
                a[i * n + i + 1] = T::real(power(rows[i] + columns[i + 1] - 1));
                x[i * n + i + 1] = T::real(-power(-rows[i + 1] - columns[i] - 1));
            }
            let wanted = Want::Exactly(x);
            cases.push(Case::new("rows and columns", a, wanted));
        }
        for engine in engines::all::<T>(n, "scaling/rows_and_columns") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

/// inv(2^k A) has the bits of 2^-k inv(A), for every k for which both fit the scalar.
fn powers_of_two<T: Element>() {
    let mut failures = Failures::default();
    let (bottom, top) = (T::MIN_EXPONENT, -T::MIN_EXPONENT + 1);
    let near: Vec<i32> = (0..14).collect();
    let exponents: Vec<i32> = near
        .iter()
        .flat_map(|&d| {
            [bottom + 6 + d, top - d, d - 7, bottom / 3 + d - 7, top / 3 + d - 7, bottom * 2 / 3 + d, top * 2 / 3 - d]
        })
        .collect();
    for n in ORDERS {
        let mut random = Random::new(n as u64);
        // The entries lie between 2^-11 and 2 and have few bits, so that they stay exact as subnormal numbers.
        // The rows differ in magnitude, so that scaling by rows would choose other pivots and give other bits.
        let base: Vec<T> = (0..n)
            .flat_map(|i| {
                let row = power(-(i as i32 * 3 % 7));
                (0..n).map(move |_| row).collect::<Vec<f64>>()
            })
            .map(|row| {
                let mut entry = || (random.below(62) as f64 + 1.0) / 32.0 * row;
                T::new(entry(), entry())
            })
            .collect();
        let wide: Vec<(i32, Vec<T>)> = exponents
            .iter()
            .map(|&k| (k, base.iter().map(|&x| scaled(x, k)).collect::<Vec<T>>()))
            .filter(|(_, matrix)| matrix.iter().all(|x| x.re_im().0.is_finite() && x.re_im().1.is_finite()))
            .collect();
        let elements: Vec<T> = base.iter().copied().chain(wide.iter().flat_map(|(_, matrix)| matrix.clone())).collect();
        for engine in engines::all::<T>(n, "scaling/powers_of_two") {
            let outcome = engine.invert(Stack::new(&elements, n).unwrap());
            let inverse = &outcome.elements[..n * n];
            failures
                .expect(outcome.statuses[0] == 0, || format!("{}, order {n}: the base is not inverted", engine.name));
            for (m, (k, _)) in wide.iter().enumerate() {
                // float32 is scaled in float64, so that a subnormal result is rounded once. float64 is
                // compared only if all elements are normal.
                let wanted: Vec<T> = inverse.iter().map(|&x| scaled(x, -k)).collect();
                let normal = |x: f64| x == 0.0 || (x.is_finite() && x.abs() >= power(T::MIN_EXPONENT));
                let fits = T::DIGITS == 24 || wanted.iter().all(|x| normal(x.re_im().0) && normal(x.re_im().1));
                if !fits || !wanted.iter().all(|x| x.re_im().0.is_finite() && x.re_im().1.is_finite()) {
                    continue;
                }
                let got = &outcome.elements[(m + 1) * n * n..][..n * n];
                failures.expect(outcome.statuses[m + 1] == 0 && common::bits(got) == common::bits(&wanted), || {
                    format!(
                        "{}, order {n}, 2^{k}: status {}, {:?} not {:?}",
                        engine.name,
                        outcome.statuses[m + 1],
                        got[0],
                        wanted[0]
                    )
                });
            }
        }
    }
    failures.none();
}

/// Scaling may drop an entry without which the matrix is singular. The result is then -1 or the right inverse,
/// never a column; but a zero pivot left of every dropped entry is still reported.
fn no_false_singularity<T: Element>() {
    let mut failures = Failures::default();
    let e = -T::MIN_EXPONENT - 6;
    let (big, small) = (T::real(power(e)), T::real(power(-e)));
    let zero = T::ZERO;
    // Rows 0 and 1 differ only by `small`. No scaling brings it into range together with `big` in its row and column.
    let lost = [big, small, zero, big, zero, zero, zero, big, big];
    // The same behind a column that is zero.
    let singular = [zero, big, small, zero, big, zero, zero, zero, big];
    for n in [3, 4, 5, 8, 9, 12, 13, 16, 17, 33, 65] {
        for rows in [[0, 1, 2], [0, n / 2, n - 1], [n - 3, n - 2, n - 1]] {
            if rows[1] == rows[0] {
                continue;
            }
            let elements = [cases::embedded(n, &lost, &rows), cases::embedded(n, &singular, &rows)].concat();
            let stack = Stack::new(&elements, n).unwrap();
            let reference = engines::reference(stack);
            for engine in engines::all::<T>(n, "scaling/no_false_singularity") {
                let outcome = engine.invert(stack);
                failures.expect(matches!(outcome.statuses[..], [-1 | 0, 1]), || {
                    format!("{}, order {n}, rows {rows:?}: statuses {:?}", engine.name, outcome.statuses)
                });
                failures.expect(outcome.statuses == reference.statuses, || {
                    format!(
                        "{}, order {n}: {:?}, the reference {:?}",
                        engine.name, outcome.statuses, reference.statuses
                    )
                });
            }
        }
    }
    failures.none();
}

/// Subnormal entries may be dropped or kept, within the bound; exact inverses stay exact.
fn subnormal_entries<T: Element>() {
    let mut failures = Failures::default();
    let tiniest = power(T::MIN_EXPONENT - T::DIGITS + 1);
    for n in ORDERS {
        let mut cases = Vec::new();
        // One entry beside ones, too small to matter to any ratio.
        let mut beside = cases::identity::<T>(n);
        beside[n - 1] = T::real(tiniest);
        cases.push(Case::new("subnormal beside ones", beside, Want::BothRatios));
        // All entries near the bottom of the range. Subnormal numbers have few bits, but these are exact.
        let floor = power(T::MIN_EXPONENT);
        let mut low = cases::from_fn::<T>(n, |i, j| if i == j { 2.0 * floor } else { 0.0 });
        low[n - 1] = T::real(floor / 4.0);
        let mut inverse = cases::from_fn::<T>(n, |i, j| if i == j { 0.5 / floor } else { 0.0 });
        inverse[n - 1] = T::real(-0.0625 / floor);
        cases.push(Case::new("low", low, Want::Exactly(inverse)));
        // All entries near the top of the range. Some elements of the inverse are subnormal and rounded.
        let ceiling = power(-T::MIN_EXPONENT + 1);
        let mut high = cases::from_fn::<T>(n, |i, j| if i == j { ceiling } else { 0.0 });
        high[n - 1] = T::real(ceiling / 2.0);
        let mut inverse = cases::from_fn::<T>(n, |i, j| if i == j { 1.0 / ceiling } else { 0.0 });
        inverse[n - 1] = T::real(-0.5 / ceiling);
        cases.push(Case::new("high", high, Want::Exactly(inverse)));
        for engine in engines::all::<T>(n, "scaling/subnormal_entries") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

/// Dense matrices at both ends of the range meet the bound on the ratio.
fn ends_of_the_range<T: Element>() {
    let mut failures = Failures::default();
    let top = -T::MIN_EXPONENT + 1;
    for n in ORDERS {
        let mut random = Random::new(n as u64);
        let mut cases = Vec::new();
        for k in [T::MIN_EXPONENT + 8, T::MIN_EXPONENT / 2, top / 2, top - 9, top - 1] {
            let mut matrix: Vec<T> = cases::dominant(n, &mut random);
            matrix.iter_mut().for_each(|x| *x = scaled(scaled(*x, -8), k));
            cases.push(Case::new(format!("dense at 2^{k}"), matrix, Want::Ratio));
        }
        for engine in engines::all::<T>(n, "scaling/ends_of_the_range") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

for_each_scalar!(
    widest_diagonal,
    rows_and_columns,
    powers_of_two,
    no_false_singularity,
    subnormal_entries,
    ends_of_the_range,
);

/// Products that underflow only because of the scaling never make a matrix singular, nor do factors that underflow
/// although their products do not.
#[test]
fn underflow_on_the_way_is_no_singularity() {
    let mut failures = Failures::default();
    let p = |exponent| power(exponent) as f32;
    // Each has an inverse within the range of float32.
    let one_factor = [p(127), p(45), 0.0, 0.0, p(127), p(45), p(45), 0.0, 0.0];
    let rows_and_columns = [1.0, 0.0, p(-80), 0.0, 0.0, 1.0, 1.0, 0.0, p(-30), 0.0, 0.0, p(50), 0.0, 0.0, 0.0, p(50)];
    // It needs no scaling. The second step takes a row with a factor of 2^-126, which a division by the pivot before
    // would make 0.
    let (high, low) = (p(42), p(-42));
    let within = [high, low, 0.0, 0.0, high, high, low, 0.0, 0.0];
    let blocks = [(3, &one_factor[..], p(90)), (4, &rows_and_columns[..], 1.0), (3, &within[..], 1.0)];
    for (size, block, rest) in blocks {
        for n in [size, 8, 17, 65] {
            let mut matrix = cases::diagonal(&vec![rest; n]);
            for i in 0..size {
                matrix[i * n..][..size].copy_from_slice(&block[i * size..][..size]);
            }
            // Alone, and as every other matrix of a stack that fills SIMD vectors.
            let beside = cases::diagonal(&vec![2.0; n]);
            for (matrices, len) in [(matrix.clone(), 1), ([beside, matrix].concat().repeat(10), 20)] {
                for engine in engines::all::<f32>(n, "scaling/underflow") {
                    let outcome = engine.invert(Stack::new(&matrices, n).unwrap());
                    failures.expect(outcome.statuses.iter().all(|&status| status < 1), || {
                        format!("{len} of order {n}, {}: statuses {:?}", engine.name, outcome.statuses)
                    });
                }
            }
        }
    }
    failures.none();
}
