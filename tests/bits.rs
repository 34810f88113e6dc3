//! The bits of an inverse depend on the matrix, the order, the scalar, the precision and the SIMD level or adapter,
//! and on nothing else.

mod common;

use batchinv::{InversesMut, Inverter, Precision, SimdLevel, Stack, Status};
use common::Element;
use common::cases::{self, Random, power};
use common::engines;

/// A stack that mixes ordinary, singular, and non-finite matrices with ones that need scaling.
fn mixture<T: Element>(n: usize, len: usize, random: &mut Random) -> Vec<T> {
    let mut elements = Vec::new();
    for m in 0..len {
        let mut matrix: Vec<T> = cases::uniform(n, random);
        match m % 11 {
            4 => matrix[n * n / 2] = T::real(f64::INFINITY),
            6 => matrix.chunks_exact_mut(n).for_each(|row| row[n - 1] = T::ZERO),
            // One factor brings all elements into range. The inverse of the second matrix is partly subnormal.
            8 => matrix.iter_mut().for_each(|x| *x = times(*x, power(T::MIN_EXPONENT * 3 / 4))),
            3 => matrix.iter_mut().for_each(|x| *x = times(*x, power(-T::MIN_EXPONENT))),
            9 => matrix[0] = T::real(power(T::MIN_EXPONENT)),
            // Nearly singular: at order 2 the determinant is rejected, and elimination takes over.
            5 if n > 1 => {
                for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
                    row[n - 1] = times(row[n - 2], 1.0 + (2 * i) as f64 * 2.0 * T::eps());
                }
            }
            _ => {}
        }
        elements.extend(matrix);
    }
    elements
}

fn times<T: Element>(x: T, factor: f64) -> T {
    T::new(x.re_im().0 * factor, x.re_im().1 * factor)
}

/// Small orders, with and without a specialized kernel in `lanes`, and orders on both sides of the boundary at which
/// `lanes` and `rows` give way to `blocked`.
fn orders<T: Element>() -> Vec<usize> {
    let lanes = batchinv::plan::lanes_max_order(T::KIND);
    let mut orders: Vec<usize> = (1..=17).chain([24, 33, lanes - 1, lanes, lanes + 1]).collect();
    orders.sort_unstable();
    orders.dedup();
    orders
}

/// A matrix gives the same bits alone, at another position, and in a reversed stack.
fn places<T: Element>() {
    for n in orders::<T>() {
        let len = if n <= 8 { 41 } else { 23 };
        let elements = mixture::<T>(n, len, &mut Random::new(n as u64));
        let matrix = |m: usize| &elements[m * n * n..][..n * n];
        for engine in engines::all::<T>(n, "bits/places") {
            let all = engine.invert(Stack::new(&elements, n).unwrap());
            let backwards: Vec<T> = (0..len).rev().flat_map(|m| matrix(m).to_vec()).collect();
            let backwards = engine.invert(Stack::new(&backwards, n).unwrap());
            let shifted = engine.invert(Stack::new(&elements[5 * n * n..], n).unwrap());
            for m in 0..len {
                let at = |outcome: &engines::Outcome<T>, m: usize| {
                    (common::bits(&outcome.elements[m * n * n..][..n * n]), outcome.statuses[m])
                };
                let name = &engine.name;
                assert_eq!(at(&all, m), at(&backwards, len - 1 - m), "{name}, order {n}, {m} backwards");
                if m >= 5 {
                    assert_eq!(at(&all, m), at(&shifted, m - 5), "{name}, order {n}, {m} shifted");
                }
                if m % 4 == 0 {
                    let alone = engine.invert(Stack::new(matrix(m), n).unwrap());
                    assert_eq!(at(&all, m), at(&alone, 0), "{name}, order {n}, {m} alone");
                }
            }
        }
    }
}

/// A NaN matrix before or after a matrix that needs scaling does not change its bits.
fn extremes_beside_nan<T: Element>() {
    let small = T::real(power(T::MIN_EXPONENT * 5 / 8));
    for n in orders::<T>().into_iter().filter(|&n| n > 1) {
        let usual: Vec<T> = cases::uniform(n, &mut Random::new(n as u64));
        // Its inverse overflows. Without scaling, the last pivot would underflow to zero and the
        // matrix would be reported as singular.
        let mut extreme: Vec<T> = (0..n * n).map(|e| if e % (n + 1) == 0 { T::ONE } else { T::ZERO }).collect();
        (extreme[1], extreme[n], extreme[n + 1]) = (small, small, T::ZERO);
        for engine in engines::all::<T>(n, "bits/extremes_beside_nan") {
            for (place, nan) in [(0, 4), (1, 2), (5, 0), (7, 6), (3, 9), (12, 15)] {
                let mut elements = usual.repeat(19);
                elements[place * n * n..][..n * n].copy_from_slice(&extreme);
                let wanted = engine.invert(Stack::new(&elements, n).unwrap());
                elements[nan * n * n..][..n * n].fill(T::NAN);
                let got = engine.invert(Stack::new(&elements, n).unwrap());
                let what = format!("{}, order {n}, in place {place} beside {nan}", engine.name);
                assert_eq!(wanted.statuses[place], -1, "{what}");
                for m in (0..19).filter(|&m| m != nan) {
                    let at = |outcome: &engines::Outcome<T>| {
                        (common::bits(&outcome.elements[m * n * n..][..n * n]), outcome.statuses[m])
                    };
                    assert_eq!(at(&got), at(&wanted), "{what}: {m}");
                }
                assert_eq!(got.statuses[nan], -1, "{what}");
            }
        }
    }
}

/// Matrices of orders 1 and 2 whose elements are far apart, singular ones and plain ones change no bit of each other,
/// in any company, on the CPU engine.
fn small_orders_in_company<T: Element>() {
    let (low, high) = (T::MIN_EXPONENT, -T::MIN_EXPONENT);
    let element = |re: i32, im: Option<i32>| T::new(1.5 * power(re), im.map_or(0.0, |im| 1.25 * power(im)));
    let real = |exponent: i32| element(exponent, None);
    let part = |exponent: i32| T::new(0.0, power(exponent));
    let numbers = [
        [real(-4)],
        [real(low - 5)],
        [real(low + 3)],
        [real(high - 2)],
        [T::ZERO],
        [element(-24, Some(low - 23))],
        [element(low + 3, Some(high / 3))],
    ];
    let matrices = [
        [real(0), real(1), real(-1), real(3)],
        // Row and column factors would drop the first element.
        [real(low + 6), real(20), real(low / 2 + 3), real(low / 2 + 3)],
        [real(20), real(low - 20), real(low + 40), real(20)],
        [power(100), power(100), power(100), power(100)].map(T::real),
        [T::real(power(high - 20)), T::ZERO, T::real(power(low)), T::ZERO],
        [T::ZERO, T::real(power(high - 20)), T::ZERO, T::real(power(low))],
        [real(low - 10), real(low - 12), real(low - 11), real(low - 9)],
        [real(high / 4), part(high / 2), real(high / 2), real(high / 4)],
        [element(0, Some(low / 2)), element(low / 2, Some(0)), real(low + 2), real(high - 9)],
    ];
    let mut random = Random::new(9);
    for engine in engines::cpu::<T>("bits/small_orders_in_company") {
        for n in [1, 2] {
            let one = |kind: usize| if n == 1 { numbers[kind].to_vec() } else { matrices[kind].to_vec() };
            let kinds = if n == 1 { numbers.len() } else { matrices.len() };
            let invert = |elements: &[T]| engine.invert(Stack::new(elements, n).unwrap());
            let alone: Vec<_> = (0..kinds).map(|kind| invert(&one(kind))).collect();
            for round in 0..200 {
                let chosen: Vec<usize> = (0..1 + round % 71).map(|_| random.below(kinds)).collect();
                let together = invert(&chosen.iter().flat_map(|&kind| one(kind)).collect::<Vec<_>>());
                for (m, &kind) in chosen.iter().enumerate() {
                    let found = common::bits(&together.elements[m * n * n..][..n * n]);
                    let name = format!("{}, order {n}, kind {kind} among {chosen:?}", engine.name);
                    assert_eq!(
                        (found, together.statuses[m]),
                        (alone[kind].bits().0, alone[kind].statuses[0]),
                        "{name}"
                    );
                }
            }
        }
    }
}

/// A prefix of a stack, of any length, gives the same prefix of the result. A group that does not fill the
/// SIMD lanes runs in another kernel, which must give the same bits. Every order of `lanes` is tested,
/// since most have a kernel of their own.
fn lengths<T: Element>() {
    for n in 1..=batchinv::plan::lanes_max_order(T::KIND) + 1 {
        let len = 35;
        let elements = mixture::<T>(n, len, &mut Random::new(n as u64));
        for engine in engines::cpu::<T>("bits/lengths") {
            let all = engine.invert(Stack::new(&elements, n).unwrap());
            let (bits, statuses) = all.bits();
            for shorter in 1..len {
                let outcome = engine.invert(Stack::new(&elements[..shorter * n * n], n).unwrap());
                let right = outcome.bits() == (bits[..shorter * n * n].to_vec(), &statuses[..shorter]);
                assert!(right, "{}, order {n}, the first {shorter}", engine.name);
            }
        }
    }
}

/// A repeated call gives the same bits, even after other work in between.
fn repeated_calls<T: Element>() {
    for n in orders::<T>() {
        let elements = mixture::<T>(n, 13, &mut Random::new(n as u64));
        let other = mixture::<T>(n, 31, &mut Random::new(99));
        for engine in engines::all::<T>(n, "bits/repeated_calls") {
            let first = engine.invert(Stack::new(&elements, n).unwrap());
            engine.invert(Stack::new(&other, n).unwrap());
            let second = engine.invert(Stack::new(&elements, n).unwrap());
            assert_eq!(first.bits(), second.bits(), "{}, order {n}", engine.name);
        }
    }
}

/// The bits do not depend on whether rcond is requested, nor on the former contents of the caller's output.
fn outputs<T: Element>() {
    for n in orders::<T>() {
        let elements = mixture::<T>(n, 13, &mut Random::new(n as u64));
        let stack = Stack::new(&elements, n).unwrap();
        let mut inverters = vec![];
        for level in SimdLevel::all() {
            for precision in [Precision::Native, Precision::Double] {
                inverters.push(Inverter::cpu().simd_level(level).precision(precision));
            }
        }
        inverters.extend(gpu_inverters::<T>("bits/outputs"));
        for inverter in inverters {
            let plain = inverter.invert(stack).unwrap();
            assert!(plain.rconds().is_none());
            let asked = inverter.clone().rcond(true).invert(stack).unwrap();
            assert_eq!(asked.rconds().map(<[_]>::len), Some(13));
            let mut into = vec![T::real(7.0); elements.len()];
            let mut statuses = vec![Status::NOT_FINITE; 13];
            inverter.invert_into(stack, InversesMut::new(&mut into, &mut statuses)).unwrap();
            let bits = common::bits(plain.stack().elements());
            assert_eq!(bits, common::bits(asked.stack().elements()), "{inverter:?}");
            assert_eq!(bits, common::bits(&into), "{inverter:?}");
            assert_eq!(plain.statuses(), asked.statuses());
            assert_eq!(plain.statuses(), statuses);
        }
    }
}

#[cfg(all(feature = "gpu", feature = "testing"))]
fn gpu_inverters<T: Element>(promise: &'static str) -> Vec<Inverter> {
    if T::KIND != batchinv::ScalarKind::Float32 {
        return Vec::new();
    }
    engines::adapters(promise).iter().map(|adapter| Inverter::with_gpu(adapter.gpu.clone())).collect()
}

#[cfg(not(all(feature = "gpu", feature = "testing")))]
fn gpu_inverters<T: Element>(_: &'static str) -> Vec<Inverter> {
    Vec::new()
}

/// Stacks long enough for several threads give the same bits on one thread, on a few, and on more threads than cores.
fn threads<T: Element>() {
    for n in [1, 2, 5, 8, 17, 33, batchinv::plan::lanes_max_order(T::KIND) + 1] {
        let len = (1 << 16) / (n * n) + 3;
        let elements = mixture::<T>(n, len.min(20_000), &mut Random::new(n as u64));
        let stack = Stack::new(&elements, n).unwrap();
        for engine in engines::cpu::<T>("bits/threads") {
            let outcomes: Vec<_> = [1, 2, 3, 8]
                .into_iter()
                .map(|threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| engine.invert(stack))
                })
                .collect();
            for outcome in &outcomes[1..] {
                assert_eq!(outcome.bits(), outcomes[0].bits(), "{}, order {n}", engine.name);
                assert!(same_reals::<T>(outcome.rconds.as_ref().unwrap(), outcomes[0].rconds.as_ref().unwrap()));
            }
        }
    }
}

fn same_reals<T: Element>(left: &[T::Real], right: &[T::Real]) -> bool {
    left.len() == right.len() && bytemuck::cast_slice::<_, u8>(left) == bytemuck::cast_slice::<_, u8>(right)
}

for_each_scalar!(extremes_beside_nan, places, lengths, small_orders_in_company, repeated_calls, outputs, threads);

/// SIMD levels differ by rounding alone: on powers of two, which are never rounded,
/// their results are equal to the bit.
#[test]
fn levels_agree_where_nothing_is_rounded() {
    let mut random = Random::new(5);
    for n in [2, 5, 16, 33] {
        let elements = cases::elements(&cases::traps::<f32>(n, &mut random)[..4]);
        let stack = Stack::new(&elements, n).unwrap();
        let outcomes: Vec<_> =
            engines::cpu::<f32>("bits/levels").iter().map(|engine| engine.invert(stack).elements).collect();
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    }
}

#[cfg(all(feature = "gpu", feature = "testing"))]
mod on_the_gpu {
    use batchinv::GpuKernel;
    use batchinv::gpu::GpuInverter;
    use batchinv::plan::{self, Work};

    use super::*;

    /// The bits do not depend on the length of a chunk.
    #[test]
    fn chunks() {
        for adapter in engines::adapters("bits/chunks") {
            for (kernel, n) in [
                (GpuKernel::Thread, 1),
                (GpuKernel::Thread, 4),
                (GpuKernel::Workgroup, 3),
                (GpuKernel::Workgroup, 17),
                (GpuKernel::Workgroup, 65),
            ] {
                let len = if n > 60 { 7 } else { 131 };
                let elements = mixture::<f32>(n, len, &mut Random::new(3));
                let stack = Stack::new(&elements, n).unwrap();
                let variant = engines::variant::<f32>(kernel, n);
                let whole = engines::forced::<f32>(adapter, variant, len, "bits/chunks").invert(stack);
                for chunk in [1, 2, 3, 63, 64, 65, 130] {
                    let pieces = engines::forced::<f32>(adapter, variant, chunk, "bits/chunks").invert(stack);
                    assert_eq!(whole.bits(), pieces.bits(), "{kernel} at order {n} in chunks of {chunk}");
                }
            }
        }
    }

    /// wgpu's own checks of indexes and loops, which the engine leaves out, change no bit: no index ever leads out of
    /// an array, and no loop goes on for longer than they allow.
    fn checked_shaders<T: Element>() {
        for adapter in engines::adapters("bits/checked_shaders") {
            let facts = adapter.gpu.facts();
            let checked = GpuInverter::open(Some(&facts.name)).unwrap();
            checked.check_shaders();
            for n in [2, 9, 17] {
                let Ok(plan) = plan::gpu(Work::inverse(T::KIND, n, 1), &facts.limits) else { continue };
                let elements = mixture::<T>(n, 23, &mut Random::new(7));
                let stack = Stack::new(&elements, n).unwrap();
                for variant in engines::others(plan.variant, &facts.limits).into_iter().chain([plan.variant]) {
                    let of = |gpu| engines::invert_with(gpu, variant, 10, stack).unwrap().0;
                    let (with, without) = (of(&checked), of(&adapter.gpu));
                    assert_eq!(with.bits(), without.bits(), "{} {variant:?}", adapter.word);
                }
            }
        }
    }

    for_each_scalar!(checked_shaders);

    /// Many threads share one device, its pipelines and its buffers, at several orders and lengths at once.
    #[test]
    fn shared_by_threads() {
        for adapter in engines::adapters("bits/shared_by_threads") {
            let works: Vec<(usize, Vec<f32>)> = [(2, 5), (3, 200), (17, 3), (4, 70), (5, 1), (3, 64)]
                .into_iter()
                .map(|(n, len)| (n, mixture(n, len, &mut Random::new(len as u64))))
                .collect();
            let inverter = Inverter::with_gpu(adapter.gpu.clone()).rcond(true);
            let alone: Vec<_> = works
                .iter()
                .map(|(n, elements)| {
                    engines::Outcome::from(inverter.invert(Stack::new(elements, *n).unwrap()).unwrap())
                })
                .collect();
            std::thread::scope(|scope| {
                for thread in 0..8 {
                    let (inverter, works, alone) = (inverter.clone(), &works, &alone);
                    scope.spawn(move || {
                        for round in 0..6 {
                            let at = (thread + round) % works.len();
                            let (n, elements) = &works[at];
                            let inverses = inverter.invert(Stack::new(elements, *n).unwrap()).unwrap();
                            assert_eq!(engines::Outcome::from(inverses).bits(), alone[at].bits());
                        }
                    });
                }
            });
            for kernel in [GpuKernel::Thread, GpuKernel::Workgroup] {
                engines::record(&adapter.word, kernel.name(), "float32", "bits/shared_by_threads", "ran");
            }
        }
    }
}
