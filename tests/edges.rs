//! Adversarial stacks: a bad matrix at every position, bad matrices alone, and every
//! magnitude of the scalar in one matrix.

mod common;

use batchinv::{Real, Stack};
use common::Element;
use common::cases::{self, Random, power};
use common::engines::{self, Engine};
use common::oracle::{self, Failures};

/// Positions in a run: one more than the largest group of small matrices that work together, a workgroup of `thread`.
const PLACES: usize = 65;

/// Runs of `PLACES` matrices in the stack. The bad matrices are spread evenly over the runs.
const RUNS: usize = 13;

/// A matrix without an inverse, of one of four kinds, and its status word.
fn bad<T: Element>(n: usize, way: usize, random: &mut Random) -> (Vec<T>, i32) {
    let mut matrix = cases::dominant::<T>(n, random);
    match way % 4 {
        0 => (vec![T::ZERO; n * n], 1),
        1 => {
            matrix[random.below(n * n)] = T::real(f64::NAN);
            (matrix, -1)
        }
        2 => {
            matrix[n * n - 1] = T::real(f64::INFINITY);
            (matrix, -1)
        }
        // A zero last column, which elimination reaches only after all other steps.
        _ => {
            matrix.chunks_exact_mut(n).for_each(|row| row[n - 1] = T::ZERO);
            (matrix, n as i32)
        }
    }
}

/// Runs of good matrices, with a bad one at every position of a run. The good matrices have the same bits as
/// without the bad ones, even if they share lanes, subgroups, or chunks with them.
fn every_place<T: Element>() {
    let mut failures = Failures::default();
    for n in [1, 3, 8, 13] {
        let mut random = Random::new(n as u64);
        let run: Vec<T> = (0..PLACES).flat_map(|_| cases::dominant::<T>(n, &mut random)).collect();
        let mut elements = run.repeat(RUNS);
        let mut words = vec![0; RUNS * PLACES];
        for place in 0..PLACES {
            let at = place % RUNS * PLACES + place;
            let (matrix, word) = bad::<T>(n, place, &mut random);
            elements[at * n * n..][..n * n].copy_from_slice(&matrix);
            words[at] = word;
        }
        let mut all = engines::all::<T>(n, "edges/every_place");
        all.extend(small_chunks::<T>(n));
        for engine in all {
            let alone = engine.invert(Stack::new(&run, n).unwrap());
            let outcome = engine.invert(Stack::new(&elements, n).unwrap());
            for (m, &word) in words.iter().enumerate() {
                let got = &outcome.elements[m * n * n..][..n * n];
                let right = match word {
                    0 => common::bits(got) == common::bits(&alone.elements[m % PLACES * n * n..][..n * n]),
                    _ => got.iter().all(|x| x.bits() == T::NAN.bits()),
                };
                failures.expect(right && outcome.statuses[m] == word, || {
                    format!("{}, order {n}: matrix {m} has status {}, not {word}", engine.name, outcome.statuses[m])
                });
            }
        }
    }
    failures.none();
}

/// Kernels with short chunks, which end at many different positions of a run.
#[cfg(all(feature = "gpu", feature = "testing"))]
fn small_chunks<T: Element>(n: usize) -> Vec<Engine<T>> {
    use batchinv::plan::{self, Work};
    let mut engines = Vec::new();
    for adapter in engines::adapters("edges/every_place") {
        let work = Work::inverse(T::KIND, n, 1);
        let Ok(plan) = plan::gpu(work, &adapter.gpu.facts().limits) else { continue };
        engines.extend([7, 32].map(|chunk| engines::forced(adapter, plan.variant, chunk, "edges/every_place")));
    }
    engines
}

#[cfg(not(all(feature = "gpu", feature = "testing")))]
fn small_chunks<T: Element>(_: usize) -> Vec<Engine<T>> {
    Vec::new()
}

/// A stack in which no matrix can be inverted.
fn all_bad<T: Element>() {
    let mut failures = Failures::default();
    for n in [1, 4, 16, 33] {
        let mut random = Random::new(n as u64);
        let (matrices, words): (Vec<Vec<T>>, Vec<i32>) =
            (0..67).map(|m| bad::<T>(n, if n < 16 { m } else { m * 7 }, &mut random)).unzip();
        let elements = matrices.concat();
        for engine in engines::all::<T>(n, "edges/all_bad") {
            let outcome = engine.invert(Stack::new(&elements, n).unwrap());
            let nan = outcome.elements.iter().all(|x| x.bits() == T::NAN.bits());
            failures.expect(nan && outcome.statuses == words, || {
                format!("{}, order {n}: {:?}, not {words:?}", engine.name, outcome.statuses)
            });
            let rconds = outcome.rconds.unwrap();
            let right = rconds.iter().zip(&words).all(|(rcond, word)| match word {
                -1 => rcond.to_f64().is_nan(),
                _ => rcond.to_f64() == 0.0,
            });
            failures.expect(right, || format!("{}, order {n}: {rconds:?}", engine.name));
        }
    }
    failures.none();
}

/// One matrix whose entries range from the smallest subnormal number to the largest number. The result is a
/// finite and accurate inverse, or status -1; a matrix that is not singular is never reported as singular.
fn every_magnitude<T: Element>() {
    let mut failures = Failures::default();
    let (bottom, top) = (T::MIN_EXPONENT - T::DIGITS + 1, -T::MIN_EXPONENT + 1);
    for n in [2, 4, 9, 17] {
        let mut random = Random::new(n as u64);
        let len = 40;
        let mut elements: Vec<T> = Vec::new();
        for m in 0..len {
            let mut entry = || {
                let exponent = bottom + random.below((top - bottom + 1) as usize) as i32;
                let part = (1.0 + random.uniform().abs()) * if random.below(2) == 0 { 0.5 } else { -0.5 };
                // Rounding to a subnormal number never gives zero.
                T::real(part * 2.0 * power(exponent.max(-1074)))
            };
            let mut matrix: Vec<T> = (0..n * n).map(|_| entry()).collect();
            // Both ends of the range occur.
            matrix[m % (n * n)] = T::real(power(bottom));
            matrix[(m + 1) % (n * n)] = T::real(power(top));
            elements.extend(matrix);
        }
        let stack = Stack::new(&elements, n).unwrap();
        let reference = engines::reference(stack);
        let said = |statuses: &[i32]| statuses.iter().copied().find(|status| !matches!(status, -1 | 0));
        failures.expect(said(&reference.statuses).is_none(), || format!("the reference: {:?}", reference.statuses));
        for engine in engines::all::<T>(n, "edges/every_magnitude") {
            let outcome = engine.invert(stack);
            failures.expect(said(&outcome.statuses).is_none(), || {
                format!("{}, order {n}: {:?}", engine.name, outcome.statuses)
            });
            for (m, &status) in outcome.statuses.iter().enumerate() {
                let x = &outcome.elements[m * n * n..][..n * n];
                let finite = x.iter().all(|x| x.re_im().0.is_finite() && x.re_im().1.is_finite());
                failures.expect(finite == (status == 0), || format!("{}, order {n}: matrix {m}", engine.name));
                if status == 0 {
                    let ratio = oracle::ratio(&elements[m * n * n..][..n * n], x, n);
                    let bound = oracle::BOUND + oracle::subnormal_rounding(x, n);
                    failures.expect(ratio < bound, || format!("{}, order {n}: ratio {ratio}", engine.name));
                }
            }
        }
    }
    failures.none();
}

for_each_scalar!(every_place, all_bad, every_magnitude);
