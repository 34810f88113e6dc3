//! Cofactor matrices: how close they are, at any magnitude, for singular matrices too, and the same from every call.

mod common;

use batchinv::plan::Work;
use batchinv::{Error, InversesMut, Inverter, OnFailure, Precision, Refusal, SimdLevel, Stack, Status};
use common::Element;
use common::cases::{self, Random, power};
use common::engines::gpu_inverters;
use num_complex::Complex;

/// The CPU engine at every level, and the GPU engine on each adapter.
fn inverters<T: Element>(n: usize, promise: &'static str) -> impl Iterator<Item = (String, Inverter)> {
    let of_gpus = gpu_inverters::<T>(Work::cofactors(T::KIND, n, 1), promise);
    let at = |level: SimdLevel| (format!("cpu {}", level.name()), Inverter::cpu().simd_level(level));
    SimdLevel::all().into_iter().map(at).chain(of_gpus)
}

/// The cofactor matrices of some matrices, and their statuses.
fn cofactors<T: Element>(inverter: &Inverter, a: &[T], n: usize) -> (Vec<T>, Vec<i32>) {
    let found = inverter.cofactors(Stack::new(a, n).unwrap()).unwrap();
    (found.stack().elements().to_vec(), found.statuses().iter().map(|status| status.word()).collect())
}

/// The textbook: by the elements beside row i and column j, in float64. And the sum of the products' magnitudes.
fn textbook<T: Element>(a: &[T], n: usize, i: usize, j: usize) -> (Complex<f64>, f64) {
    let beside = |skipped: usize| (0..n).filter(move |&k| k != skipped);
    let minor: Vec<Complex<f64>> =
        beside(i).flat_map(|i| beside(j).map(move |j| (i, j))).map(|(i, j)| complex(a[i * n + j])).collect();
    let sign = if (i + j).is_multiple_of(2) { 1.0 } else { -1.0 };
    match minor[..] {
        [] => (Complex::from(1.0), 1.0),
        [x] => (x * sign, x.norm()),
        [p, q, r, s] => ((p * s - q * r) * sign, p.norm() * s.norm() + q.norm() * r.norm()),
        _ => unreachable!("orders 1 to 3"),
    }
}

fn complex<T: Element>(x: T) -> Complex<f64> {
    let (re, im) = x.re_im();
    Complex::new(re, im)
}

/// |c - exact| <= 4 eps (|p s| + |q r|), and twice that for complex matrices. A float64 textbook adds as much at most.
fn error<T: Element>() {
    for n in 1..=3 {
        let mut random = Random::new(n as u64);
        let matrices: Vec<T> = (0..200).flat_map(|_| cases::uniform(n, &mut random)).collect();
        let units = if T::COMPLEX { 8.0 } else { 4.0 } + if T::DIGITS == 53 { 4.0 } else { 0.0 };
        for (name, inverter) in inverters::<T>(n, "cofactors/error") {
            let (found, statuses) = cofactors(&inverter, &matrices, n);
            assert!(statuses.iter().all(|&status| status == 0), "{name}, order {n}");
            for (m, a) in matrices.chunks(n * n).enumerate() {
                for (i, j) in (0..n * n).map(|e| (e / n, e % n)) {
                    let (exact, products) = textbook(a, n, i, j);
                    let distance = (complex(found[m * n * n + i * n + j]) - exact).norm();
                    assert!(
                        distance <= units * T::eps() * products,
                        "{name}, order {n}, {m}: ({i}, {j}), {distance:e}"
                    );
                }
            }
        }
    }
}

/// With fused multiply-adds, real cofactors are right to two units in the last place, also where products cancel.
#[test]
fn two_units_in_the_last_place() {
    let mut random = Random::new(60);
    let nearly_singular = |_| {
        let rows = [random.uniform() as f32, random.uniform() as f32, random.uniform() as f32];
        let factors = [1.0, random.uniform() as f32, random.uniform() as f32];
        factors.map(|factor| rows.map(|x| x * factor))
    };
    let matrices: Vec<f32> = (0..500).map(nearly_singular).collect::<Vec<_>>().as_flattened().concat();
    for level in SimdLevel::all().into_iter().filter(|level| !["portable", "sse2", "sse4.2"].contains(&level.name())) {
        let (found, _) = cofactors(&Inverter::cpu().simd_level(level), &matrices, 3);
        for (m, a) in matrices.chunks(9).enumerate() {
            for e in 0..9 {
                // Products of float32 are exact in float64.
                let (exact, _) = textbook(a, 3, e / 3, e % 3);
                let distance = (f64::from(found[m * 9 + e]) - exact.re).abs();
                assert!(distance <= 2.0 * f64::from(f32::EPSILON) * exact.re.abs(), "{}, {m}, {e}", level.name());
            }
        }
    }
}

/// The same bound at any magnitude: rows and columns of ordinary matrices in units of their own.
fn beyond_the_window<T: Element>() {
    let mut random = Random::new(70);
    let reach = -T::MIN_EXPONENT / 4;
    let (mut plain, mut scaled, mut exponents) = (Vec::<T>::new(), Vec::<T>::new(), Vec::new());
    for _ in 0..300 {
        let a: Vec<T> = cases::uniform(3, &mut random);
        let units: [i32; 6] = std::array::from_fn(|_| random.below(2 * reach as usize) as i32 - reach);
        let times = |x: T, e: i32| T::new(x.re_im().0 * power(e), x.re_im().1 * power(e));
        scaled.extend((0..9).map(|e| times(a[e], units[e / 3] + units[3 + e % 3])));
        let sum = units.iter().sum::<i32>();
        exponents.extend((0..9).map(|e| sum - units[e / 3] - units[3 + e % 3]));
        plain.extend(a);
    }
    let units = if T::COMPLEX { 8.0 } else { 4.0 } + if T::DIGITS == 53 { 4.0 } else { 0.0 };
    for (name, inverter) in inverters::<T>(3, "cofactors/beyond_the_window") {
        let (found, statuses) = cofactors(&inverter, &scaled, 3);
        for (e, &exponent) in exponents.iter().enumerate().filter(|&(e, _)| statuses[e / 9] == 0) {
            let (exact, products) = textbook(&plain[e / 9 * 9..][..9], 3, e % 9 / 3, e % 3);
            // By two factors, which stay in the range of float64.
            let back = |x: f64| x * power(-exponent / 2) * power(-(exponent - exponent / 2));
            let distance = (Complex::new(back(complex(found[e]).re), back(complex(found[e]).im)) - exact).norm();
            let smallest = power((T::MIN_EXPONENT - exponent).clamp(-1000, 1000));
            assert!(distance <= units * T::eps() * products + smallest, "{name}, {e}: {distance:e} {exponent}");
        }
        assert!(statuses.iter().filter(|&&status| status == 0).count() > 100, "{name}");
    }
}

/// Small integers, with rows and columns scaled by powers of two over the whole range, have exact cofactors: as long as
/// these are normal numbers, as infinite as they are beyond, and rounded once below.
fn any_magnitude<T: Element>() {
    for n in 1..=3_usize {
        let mut random = Random::new(n as u64 + 10);
        let reach = -T::MIN_EXPONENT / 2;
        let (mut matrices, mut wanted, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
        while statuses.len() < 300 {
            let mut exponents = || (0..n).map(|_| random.below(2 * reach as usize) as i32 - reach).collect::<Vec<_>>();
            let (rows, columns) = (exponents(), exponents());
            let mut integer = || random.below(7) as f64 - 3.0;
            let small: Vec<Complex<f64>> =
                (0..n * n).map(|_| Complex::new(integer(), if T::COMPLEX { integer() } else { 0.0 })).collect();
            let scaled = |x: f64, exponent: i32| {
                let half = (exponent / 2).clamp(-1000, 1000);
                x * power(half) * power((exponent - half).clamp(-1000, 1000))
            };
            let times = |z: Complex<f64>, exponent: i32| T::new(scaled(z.re, exponent), scaled(z.im, exponent));
            let a: Vec<T> = (0..n * n).map(|e| times(small[e], rows[e / n] + columns[e % n])).collect();
            // Elements of the matrix stay exact.
            let exact = |(x, &small): (&T, &Complex<f64>)| {
                let (re, im) = x.re_im();
                (re == 0.0) == (small.re == 0.0) && (im == 0.0) == (small.im == 0.0)
            };
            if !a.iter().zip(&small).all(exact) {
                continue;
            }
            let sum = |exponents: &[i32], skipped: usize| exponents.iter().sum::<i32>() - exponents[skipped];
            let cofactors = (0..n * n).map(|e| {
                let (exact, _) = textbook(&small, n, e / n, e % n);
                let exponent = if n == 1 { 0 } else { sum(&rows, e / n) + sum(&columns, e % n) };
                // Digits of small integers survive where 12 binary places are left.
                let in_range = exact == Complex::ZERO || exponent >= T::MIN_EXPONENT - T::DIGITS + 12;
                in_range.then(|| times(exact, exponent))
            });
            let Some(cofactors) = cofactors.collect::<Option<Vec<T>>>() else { continue };
            let finite = cofactors.iter().all(|x| x.re_im().0.is_finite() && x.re_im().1.is_finite());
            statuses.push(if finite { 0 } else { -1 });
            wanted.extend(if finite { cofactors } else { vec![T::NAN; n * n] });
            matrices.extend(a);
        }
        assert!(n < 3 || statuses.contains(&-1) && statuses.contains(&0));
        for (name, inverter) in inverters::<T>(n, "cofactors/any_magnitude") {
            let (found, found_statuses) = cofactors(&inverter, &matrices, n);
            for (m, wanted) in wanted.chunks(n * n).enumerate() {
                let (a, found) = (&matrices[m * n * n..][..n * n], &found[m * n * n..][..n * n]);
                assert_eq!(found_statuses[m], statuses[m], "{name}, order {n}: {a:?}, {found:?}");
                let same = |(x, y): (&T, &T)| x.re_im() == y.re_im() || (statuses[m] != 0 && x.bits() == y.bits());
                assert!(found.iter().zip(wanted).all(same), "{name}, order {n}: {a:?}, {found:?}, not {wanted:?}");
            }
        }
    }
}

/// A matrix that is not finite has the status -1 wherever the element stands, and becomes what was chosen.
fn not_finite<T: Element>() {
    for n in 1..=3 {
        let mut random = Random::new(n as u64 + 20);
        let mut matrices = Vec::new();
        for place in 0..n * n {
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut a: Vec<T> = cases::uniform(n, &mut random);
                a[place] = [T::new(bad, 0.0), T::new(0.0, bad), T::new(bad, bad)][place % 3 * usize::from(T::COMPLEX)];
                matrices.extend(a);
                matrices.extend(cases::uniform::<T>(n, &mut random));
            }
        }
        for (name, inverter) in inverters::<T>(n, "cofactors/not_finite") {
            let (usual, statuses) = cofactors(&inverter, &matrices, n);
            for filling in [OnFailure::Nan, OnFailure::Zero, OnFailure::Identity, OnFailure::Input] {
                let (found, again) = cofactors(&inverter.clone().on_failure(filling), &matrices, n);
                assert_eq!(again, statuses, "{name}");
                for (m, found) in found.chunks(n * n).enumerate() {
                    let given = &matrices[m * n * n..][..n * n];
                    let wanted = match (m % 2, filling) {
                        (1, _) => usual[m * n * n..][..n * n].to_vec(),
                        (_, OnFailure::Zero) => vec![T::ZERO; n * n],
                        (_, OnFailure::Identity) => cases::identity(n),
                        (_, OnFailure::Input) => given.to_vec(),
                        _ => vec![T::NAN; n * n],
                    };
                    assert_eq!(statuses[m], if m % 2 == 0 { -1 } else { 0 }, "{name}, order {n}: {given:?}");
                    assert_eq!(common::bits(found), common::bits(&wanted), "{name}, order {n}, {filling:?}: {given:?}");
                }
            }
        }
    }
}

/// The bits depend on nothing but the matrix: not on its neighbors, of which some leave the window, nor on its place.
fn alone_and_among_others<T: Element>() {
    for n in 1..=3 {
        let mut random = Random::new(n as u64 + 30);
        let matrix = |m: usize| {
            let mut a: Vec<T> = cases::uniform(n, &mut random);
            let exponent = [0, 0, T::MIN_EXPONENT / 2, 0, -T::MIN_EXPONENT / 3, 0, T::MIN_EXPONENT / 4][m % 7];
            for x in &mut a[..n * n - n / 2] {
                *x = T::new(x.re_im().0 * power(exponent), x.re_im().1 * power(exponent));
            }
            a
        };
        let matrices: Vec<T> = (0..67).flat_map(matrix).collect();
        for (name, inverter) in inverters::<T>(n, "cofactors/alone_and_among_others") {
            let (together, _) = cofactors(&inverter, &matrices, n);
            for (m, a) in matrices.chunks(n * n).enumerate() {
                let (alone, _) = cofactors(&inverter, a, n);
                let among = &together[m * n * n..][..n * n];
                assert_eq!(common::bits(&alone), common::bits(among), "{name}, order {n}, {m}: {a:?}");
            }
        }
    }
}

for_each_scalar!(error, beyond_the_window, any_magnitude, not_finite, alone_and_among_others);

/// In double precision, float32 cofactors are those of float64, rounded; in pairs of float32, nearly.
#[test]
fn double_precision() {
    let mut random = Random::new(40);
    let matrices: Vec<f32> = (0..200).flat_map(|_| cases::uniform(3, &mut random)).collect();
    for (name, inverter) in inverters::<f32>(3, "cofactors/double_precision") {
        let found = inverter.precision(Precision::Double).cofactors(Stack::new(&matrices, 3).unwrap()).unwrap();
        for (m, a) in matrices.chunks(9).enumerate() {
            for e in 0..9 {
                let (exact, products) = textbook(a, 3, e / 3, e % 3);
                let distance = (f64::from(found.stack().elements()[m * 9 + e]) - exact.re).abs();
                let allowed = f32::EPSILON as f64 / 2.0 * exact.re.abs() + power(-44) * products;
                assert!(distance <= allowed, "{name}, {m}: {distance:e}");
            }
        }
    }
}

/// Matrices of order 0 have nothing to compute, and those above 3 are refused. Rconds come from inverses.
#[test]
fn limits() {
    for (_, inverter) in inverters::<f32>(3, "cofactors/limits") {
        let empty = inverter.cofactors(Stack::<f32>::with_len(&[], 0, 5).unwrap()).unwrap();
        assert_eq!(empty.statuses(), [Status::INVERTED; 5]);
        assert!(inverter.cofactors(Stack::<f32>::new(&[], 3).unwrap()).unwrap().statuses().is_empty());
        let error = inverter.cofactors(Stack::new(&[1.0_f32; 16], 4).unwrap()).unwrap_err();
        assert!(matches!(error, Error::Unsupported { reason: Refusal::Order { order: 4, max: 3, .. }, .. }), "{error}");
        let rconds = inverter.clone().rcond(true).cofactors(Stack::new(&[1.0_f32], 1).unwrap()).unwrap_err();
        assert!(matches!(rconds, Error::Unsupported { reason: Refusal::NoRconds { .. }, .. }), "{rconds}");
        let (mut out, mut statuses) = ([0.0_f32; 8], [Status::INVERTED]);
        let short =
            inverter.cofactors_into(Stack::new(&[1.0; 9], 3).unwrap(), InversesMut::new(&mut out, &mut statuses));
        assert!(matches!(short, Err(Error::Shape(_))), "{short:?}");
    }
}

/// A mirrored object has the determinant's sign in its cofactors, and determinants come beside on request.
#[test]
fn with_determinants() {
    let mirrored = [-1.0_f64, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 3.0];
    for (name, inverter) in inverters::<f64>(3, "cofactors/with_determinants") {
        let found = inverter.det(true).cofactors(Stack::new(&mirrored, 3).unwrap()).unwrap();
        assert_eq!(found.determinants().unwrap()[0].value(), -6.0, "{name}");
        assert_eq!([0, 4, 8].map(|e| found.stack().elements()[e]), [6.0, -3.0, -2.0], "{name}");
    }
}

#[cfg(all(feature = "gpu", feature = "testing"))]
mod jobs {
    use batchinv::gpu::JobDescriptor;
    use batchinv::plan::Layout;
    use batchinv::{JobError, ScalarKind};
    use common::own::{ALL, devices};

    use super::*;

    /// In place, elsewhere, from 3x4 transforms to WGSL's mat3x3, and with a count that the GPU reads: the bits of the
    /// path through host memory.
    #[test]
    fn in_every_place() {
        let len = 70_usize;
        let mut random = Random::new(50);
        let mut a: Vec<f32> = (0..len).flat_map(|_| cases::uniform(3, &mut random)).collect();
        a[9 * 4] = f32::NAN;
        a[9 * 5..9 * 6].iter_mut().for_each(|x| *x *= 1e30);
        for own in devices("cofactors/jobs") {
            let (wanted, statuses) = cofactors(&Inverter::with_gpu(own.gpu.clone()), &a, 3);
            assert_eq!([statuses[3], statuses[4], statuses[5]], [0, -1, -1]);
            let count = own.buffer(bytemuck::bytes_of(&(len as u32)), ALL);
            let contiguous = Layout::contiguous(3);
            let rows = Layout { offset: 0, matrix: 16, row: 4, column: 1 };
            let columns = Layout { offset: 0, matrix: 12, row: 1, column: 4 };
            for (input, output) in
                [(contiguous, None), (contiguous, Some(contiguous)), (rows, Some(columns)), (rows, None)]
            {
                for indirect in [false, true] {
                    let place = |layout: Layout, m: usize, e: usize| {
                        let Layout { matrix, row, column, .. } = layout;
                        m * matrix as usize + e / 3 * row as usize + e % 3 * column as usize
                    };
                    let mut given = vec![7.5_f32; len * input.matrix as usize];
                    for e in 0..9 * len {
                        given[place(input, e / 9, e % 9)] = a[e];
                    }
                    let from = own.buffer(bytemuck::cast_slice(&given), ALL);
                    let to = own.buffer(bytemuck::cast_slice(&vec![7.5_f32; len * 12]), ALL);
                    let words = own.buffer(bytemuck::cast_slice(&vec![-1_i32; len]), ALL);
                    let mut job = JobDescriptor::new(ScalarKind::Float32, 3, len as u32, &from)
                        .input_layout(input)
                        .statuses(&words)
                        .cofactors();
                    if let Some(output) = output {
                        job = job.output(&to, output);
                    }
                    let job = if indirect { job.count(&count, 0) } else { job };
                    let job = own.gpu.job(&job).unwrap();
                    let mut encoder = own.encoder();
                    match indirect {
                        false => job.encode(&mut encoder, len as u32).unwrap(),
                        true => job.encode_indirect(&mut encoder).unwrap(),
                    }
                    own.queue.submit([encoder.finish()]);
                    let found: Vec<f32> = own.read(if output.is_some() { &to } else { &from });
                    let layout = output.unwrap_or(input);
                    let mut expected = if output.is_some() { vec![7.5_f32; len * 12] } else { given.clone() };
                    for e in 0..9 * len {
                        expected[place(layout, e / 9, e % 9)] = wanted[e];
                    }
                    assert_eq!(common::bits(&found), common::bits(&expected), "{input:?} {output:?} {indirect}");
                    assert_eq!(own.read::<i32>(&words), statuses);
                }
            }
        }
    }

    /// Jobs refuse orders above 3, and rconds, solutions or determinants beside cofactor matrices.
    #[test]
    fn refusals() {
        for own in devices("cofactors/refusals") {
            let buffer = own.buffer(&[0; 1024], ALL);
            let other = own.buffer(&[0; 1024], ALL);
            let job = |order| JobDescriptor::new(ScalarKind::Float32, order, 1, &buffer).cofactors();
            let refused = |descriptor: JobDescriptor<'_>| own.gpu.job(&descriptor).map(|_| ()).unwrap_err();
            assert_eq!(refused(job(3).determinants(&other)), Error::Job(JobError::CofactorsAlone));
            assert_eq!(refused(job(3).solve(&other, Layout::columns(3, 1), 1)), Error::Job(JobError::CofactorsAlone));
            let order = refused(job(4));
            assert!(matches!(order, Error::Unsupported { reason: Refusal::Order { max: 3, .. }, .. }), "{order}");
            let rconds = refused(job(3).rconds(&other));
            assert!(matches!(rconds, Error::Unsupported { reason: Refusal::NoRconds { .. }, .. }), "{rconds}");
        }
    }
}
