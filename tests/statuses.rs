//! One verdict per matrix: the right status word, the same NaN in every element, and no effect on its neighbors.

mod common;

use batchinv::plan::Work;
use batchinv::{Columns, Inverter, SimdLevel, Stack, Status};
use common::Element;
use common::cases::{self, Case, Random, Want, power};
use common::engines;
use common::oracle::{self, Failures};

const ORDERS: [usize; 14] = [1, 2, 3, 4, 7, 8, 9, 12, 13, 16, 17, 33, 65, 127];

/// A lower triangle with permuted rows times an upper triangle, such that every pivot is a power of two and
/// every intermediate number is exact. The multipliers are 0 or +-1/2, so that the pivot is the only largest
/// entry. If `zero` names a column, the pivot of that column is exactly 0 in any arithmetic.
fn exact_product<T: Element>(n: usize, zero: Option<usize>, random: &mut Random) -> Vec<T> {
    let mut lower = vec![0.0; n * n];
    let mut upper = vec![0.0; n * n];
    for i in 0..n {
        lower[i * n + i] = 1.0;
        // Few entries per row, so that sums stay short, and exact in 24 bits.
        for _ in 0..3.min(i) {
            lower[i * n + random.below(i)] = if random.below(2) == 0 { 0.5 } else { -0.5 };
        }
        for j in i + 1..n {
            upper[i * n + j] = random.below(5) as f64 - 2.0;
        }
        upper[i * n + i] = if zero == Some(i) { 0.0 } else { power(random.below(3) as i32 - 1) };
    }
    let order = random.permutation(n);
    let mut product = vec![T::ZERO; n * n];
    for i in 0..n {
        for j in 0..n {
            let entry = (0..n).map(|k| lower[i * n + k] * upper[k * n + j]).sum();
            product[order[i] * n + j] = T::real(entry);
        }
    }
    product
}

/// Real matrices of order 2 that are singular on paper: rounding decides, and it decides the same everywhere. Singular
/// are those whose rounded products are equal, alone and in stacks, plain and scaled, for systems and determinants too.
fn rounding_decides_alike<T: Element>() {
    let mut random = Random::new(2);
    let mut matrices = Vec::new();
    for m in 0..2000 {
        // Normal equations of one sample, multiples of rows, and such matrices in other units.
        let (x, y, factor) = (random.uniform(), random.uniform(), random.uniform());
        let rounded = |x: f64| T::real(x).re_im().0;
        let (x, y) = (rounded(x), rounded(y));
        let matrix = match m % 3 {
            0 => [x * x, x * y, x * y, y * y],
            1 => [x, y, x * factor, y * factor],
            _ => [x, x * factor, y, y * factor],
        };
        let reach = -T::MIN_EXPONENT / 2 - 10;
        let units = |random: &mut Random| power(random.below(2 * reach as usize) as i32 - reach);
        let units = if m % 4 == 0 { [units(&mut random), units(&mut random)] } else { [1.0; 2] };
        matrices.extend((0..4).map(|e| T::real(rounded(matrix[e]) * units[e / 2])));
    }
    let singular = |a: &[T]| {
        let [p, q, r, s] = [a[0], a[1], a[2], a[3]];
        if p == T::ZERO && r == T::ZERO { 1 } else { 2 * i32::from(p * s == q * r) }
    };
    // The products of `singular` may overflow or underflow if the rows have units of their own.
    let in_range = |m: usize| !m.is_multiple_of(4);
    let wanted: Vec<i32> = matrices.chunks(4).map(singular).collect();
    let some = wanted.iter().enumerate().filter(|&(m, &word)| in_range(m) && word == 2).count();
    assert!((100..1400).contains(&some), "{some} are singular");
    let stack = Stack::new(&matrices, 2).unwrap();
    let work = Work::inverse(T::KIND, 2, 1);
    let cpu = SimdLevel::all().into_iter().map(|level| (level.name().to_owned(), Inverter::cpu().simd_level(level)));
    let mut first: Option<Vec<i32>> = None;
    for (name, inverter) in cpu.chain(engines::gpu_inverters::<T>(work, "statuses/rounding_decides_alike")) {
        let words = |statuses: &[Status]| statuses.iter().map(|status| status.word()).collect::<Vec<_>>();
        let found = words(inverter.invert(stack).unwrap().statuses());
        for (m, (&found, &wanted)) in found.iter().zip(&wanted).enumerate().filter(|&(m, _)| in_range(m)) {
            assert_eq!(found, wanted, "{name}: {:?}", stack.matrix(m));
        }
        // Digits decide if the inverse or the solution of a matrix that is nearly singular overflows.
        let singular = |words: &[i32]| words.iter().map(|word| word.max(&0)).copied().collect::<Vec<_>>();
        assert_eq!(*first.get_or_insert_with(|| singular(&found)), singular(&found), "{name}");
        for m in (0..2000).step_by(31) {
            let alone = inverter.invert(Stack::new(stack.matrix(m), 2).unwrap()).unwrap();
            assert_eq!(alone.statuses()[0].word(), found[m], "{name}, {m} alone: {:?}", stack.matrix(m));
        }
        let ones = vec![T::ONE; 2 * stack.len()];
        let solutions = inverter.det(true).solve(stack, Columns::new(&ones, 2, 1).unwrap()).unwrap();
        assert_eq!(singular(&words(solutions.statuses())), singular(&found), "{name}: systems");
        for (m, determinant) in solutions.determinants().unwrap().iter().enumerate() {
            assert_eq!(determinant.value() == T::ZERO, found[m] > 0, "{name}: {:?}", stack.matrix(m));
        }
    }
}

#[test]
fn rounding_decides_alike_in_float32() {
    rounding_decides_alike::<f32>();
}

#[test]
fn rounding_decides_alike_in_float64() {
    rounding_decides_alike::<f64>();
}

/// Singular at each column in turn, in exact arithmetic, so that every engine must report the same column.
fn singular_at_every_column<T: Element>() {
    let mut failures = Failures::default();
    for n in ORDERS.into_iter().filter(|&n| n <= 65) {
        let mut random = Random::new(n as u64);
        let mut cases = Vec::new();
        for column in 0..n {
            let word = column as i32 + 1;
            let product = exact_product(n, Some(column), &mut random);
            cases.push(Case::new("exact product", product, Want::Status(word)));
            let mut entries: Vec<T> = (0..n).map(|i| T::real(power(i as i32 % 7 - 3))).collect();
            entries[column] = T::ZERO;
            cases.push(Case::new("diagonal", cases::diagonal(&entries), Want::Status(word)));
            // A second zero further right is not reported.
            entries[n - 1] = T::ZERO;
            cases.push(Case::new("two zeros", cases::diagonal(&entries), Want::Status(word)));
            // A column that repeats the one before it.
            if column > 0 {
                let mut repeated = cases::identity::<T>(n);
                (0..n).for_each(|i| repeated[i * n + column] = repeated[i * n + column - 1]);
                cases.push(Case::new("repeated column", repeated, Want::Status(word)));
            }
        }
        cases.push(Case::new("zero", vec![T::ZERO; n * n], Want::Status(1)));
        cases.push(Case::new("minus zero", vec![T::real(-0.0); n * n], Want::Status(1)));
        // A matrix of rank 1.
        let ones = vec![T::real(0.5); n * n];
        cases.push(Case::new("ones", ones, if n == 1 { Want::Ratio } else { Want::Status(2) }));
        cases.push(Case::new("exact product", exact_product(n, None, &mut random), Want::Ratio));
        for engine in engines::all::<T>(n, "statuses/singular_at_every_column") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

/// The same inside and at the edges of the outer blocks and panels of `device` and `blocked`. The outer blocks of
/// `blocked` have 32 columns at this order.
fn singular_in_every_span<T: Element>() {
    let n = 200;
    let mut failures = Failures::default();
    let mut cases = Vec::new();
    for column in [0, 15, 16, 31, 32, 63, 64, 95, 127, 191, 192, 199] {
        let word = column as i32 + 1;
        let mut entries: Vec<T> = (0..n).map(|i| T::real(power(i as i32 % 7 - 3))).collect();
        entries[column] = T::ZERO;
        cases.push(Case::new("diagonal", cases::diagonal(&entries), Want::Status(word)));
        if column > 0 {
            let mut repeated = cases::identity::<T>(n);
            // The pivots come from half the matrix below, so that rows of different outer blocks are exchanged.
            repeated.rotate_left(n * (n / 2));
            (0..n).for_each(|i| repeated[i * n + column] = repeated[i * n + column - 1]);
            cases.push(Case::new("repeated column", repeated, Want::Status(word)));
        }
        let mut unfinished = cases::identity::<T>(n);
        unfinished[column * n + (column + 70) % n] = T::real(f64::NAN);
        cases.push(Case::new("not a number", unfinished, Want::Status(-1)));
    }
    for engine in engines::all::<T>(n, "statuses/singular_in_every_span") {
        oracle::check(&engine, n, &cases, &mut failures);
    }
    failures.none();
}

/// Elements that are not finite; for complex scalars, in either part.
fn not_finite<T: Element>() -> Vec<T> {
    let mut elements = vec![
        T::real(f64::NAN),
        T::real(-f64::NAN),
        T::real(f64::INFINITY),
        T::real(f64::NEG_INFINITY),
        // A signaling NaN, with a payload.
        T::from_random([if T::DIGITS == 24 { 0x7f80_0001 } else { 0x7ff0_0000_0000_0001 }, 0]),
    ];
    if T::COMPLEX {
        elements.extend([T::new(1.0, f64::NAN), T::new(0.0, f64::INFINITY), T::new(f64::INFINITY, f64::NAN)]);
    }
    elements
}

/// NaN or infinity anywhere in the matrix gives -1, which takes precedence over a zero column.
fn not_finite_input<T: Element>() {
    let mut failures = Failures::default();
    for n in ORDERS {
        let mut random = Random::new(n as u64);
        let mut cases = Vec::new();
        for element in not_finite::<T>() {
            for at in [0, n - 1, n * n - n, n * n - 1, random.below(n * n)] {
                for (name, mut matrix) in [
                    ("dominant", cases::dominant::<T>(n, &mut random)),
                    ("identity", cases::identity(n)),
                    ("zero", vec![T::ZERO; n * n]),
                ] {
                    matrix[at] = element;
                    cases.push(Case::new(format!("{element:?} at {at} in {name}"), matrix, Want::Status(-1)));
                }
                if n > 32 {
                    break;
                }
            }
        }
        for engine in engines::all::<T>(n, "statuses/not_finite_input") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

/// An inverse that overflows gives -1; one a power of two smaller gives 0.
fn overflowing_inverse<T: Element>() {
    let mut failures = Failures::default();
    let top = -T::MIN_EXPONENT + 1;
    for n in ORDERS.into_iter().filter(|&n| n <= 65) {
        let mut cases = Vec::new();
        for at in [0, n / 2, n - 1] {
            let with = |exponent: i32| {
                let mut entries = vec![T::ONE; n];
                entries[at] = T::real(power(exponent));
                cases::diagonal(&entries)
            };
            cases.push(Case::new("1 / 2^-top", with(-top), Want::Exactly(with(top))));
            cases.push(Case::new("1 / 2^-(top + 1)", with(-top - 1), Want::Status(-1)));
            // The smallest positive number.
            cases.push(Case::new("1 / tiniest", with(T::MIN_EXPONENT - T::DIGITS + 1), Want::Status(-1)));
        }
        for engine in engines::all::<T>(n, "statuses/overflowing_inverse") {
            oracle::check(&engine, n, &cases, &mut failures);
        }
    }
    failures.none();
}

/// A matrix that fails, in any way and at any position of a stack, does not change a bit of the other results.
fn neighbors<T: Element>() {
    let mut failures = Failures::default();
    for n in ORDERS {
        let len = if n <= 4 { 35 } else { 6 };
        let mut random = Random::new(n as u64);
        let good: Vec<Vec<T>> = (0..len).map(|_| cases::dominant(n, &mut random)).collect();
        let elements: Vec<T> = good.concat();
        let mut planted = vec![T::ONE; n * n];
        planted[n * n / 2] = T::real(f64::NAN);
        let mut infinite = cases::dominant::<T>(n, &mut random);
        infinite[n * n - 1] = T::real(f64::INFINITY);
        // Infinity in the first pivot row, beside a column without zeros: later pivot columns hold
        // infinities, and NaN if a factor was 0.
        let mut early = vec![T::ONE; n * n];
        early[0] = T::real(2.0);
        early[1 % (n * n)] = T::real(f64::INFINITY);
        let mut tiny = cases::identity::<T>(n);
        tiny[0] = T::real(power(T::MIN_EXPONENT - 3));
        let mut half: Vec<T> = cases::dominant(n, &mut random);
        half.chunks_exact_mut(n).for_each(|row| row[n / 2] = T::ZERO);
        let bad = [
            ("NaN", planted, -1),
            ("infinity", infinite, -1),
            ("early infinity", early, -1),
            ("overflow", tiny, -1),
            ("zero", vec![T::ZERO; n * n], 1),
            ("zero column", half, n as i32 / 2 + 1),
        ];
        for engine in engines::all::<T>(n, "statuses/neighbors") {
            let untouched = engine.invert(Stack::new(&elements, n).unwrap());
            for (name, matrix, word) in &bad {
                // Small orders try every position, and so every lane and
                // invocation; others try the ends of the stack.
                let places: Vec<usize> = if n <= 4 { (0..len).collect() } else { vec![0, 2, len - 1] };
                for &place in &places {
                    let mut elements = elements.clone();
                    elements[place * n * n..][..n * n].copy_from_slice(matrix);
                    let outcome = engine.invert(Stack::new(&elements, n).unwrap());
                    for m in 0..len {
                        let range = m * n * n..(m + 1) * n * n;
                        let (got, before) = (&outcome.elements[range.clone()], &untouched.elements[range]);
                        let right = if m == place {
                            outcome.statuses[m] == *word && got.iter().all(|x| x.bits() == T::NAN.bits())
                        } else {
                            outcome.statuses[m] == 0 && common::bits(got) == common::bits(before)
                        };
                        failures.expect(right, || {
                            let status = outcome.statuses[m];
                            format!("{}, order {n}, {name} at {place}: matrix {m}, status {status}", engine.name)
                        });
                    }
                }
            }
        }
    }
    failures.none();
}

/// Exact values of rcond, on every engine.
fn rcond_exact<T: Element>() {
    use batchinv::Real;
    let mut failures = Failures::default();
    for n in [1, 2, 4, 5, 16, 17, 65] {
        let identity = cases::identity::<T>(n);
        let mut scaled = vec![T::ONE; n];
        scaled[n - 1] = T::real(power(-5));
        let scaled = cases::diagonal(&scaled);
        let mut bad = identity.clone();
        bad[0] = T::real(f64::NAN);
        let elements = [identity, vec![T::ZERO; n * n], bad, scaled].concat();
        for engine in engines::all::<T>(n, "statuses/rcond_exact") {
            let outcome = engine.invert(Stack::new(&elements, n).unwrap());
            let rconds: Vec<f64> = outcome.rconds.unwrap().iter().map(|rcond| rcond.to_f64()).collect();
            let right = rconds[0] == 1.0
                && rconds[1] == 0.0
                && rconds[1].is_sign_positive()
                && rconds[2].is_nan()
                && rconds[3] == if n == 1 { 1.0 } else { power(-5) };
            failures.expect(right, || format!("{}, order {n}: {rconds:?}", engine.name));
        }
    }
    failures.none();
}

for_each_scalar!(
    singular_at_every_column,
    singular_in_every_span,
    not_finite_input,
    overflowing_inverse,
    neighbors,
    rcond_exact
);
