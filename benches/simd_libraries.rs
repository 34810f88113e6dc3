//! The same elimination written with three SIMD libraries: fearless_simd, pulp, and multiversion, which compiles
//! a function once per instruction set and leaves it to the compiler to vectorize loops over arrays. float32,
//! one matrix per lane, one thread. The elimination is as simple as possible: pivoting and row exchanges by
//! selects, and no loading, scaling, or statuses.
//!
//! `cargo run --release -p batchinv-benches --bin simd-libraries` prints nanoseconds per matrix. The
//! repeats of the three are interleaved.

#![allow(clippy::needless_range_loop, reason = "several arrays are walked by one index; iterators would hide it")]

use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 61;
/// Elements in a stack, few enough to stay in the second-level cache.
const ELEMENTS: usize = 1 << 16;

fn main() {
    row::<2>();
    row::<3>();
    row::<4>();
    row::<6>();
    row::<8>();
    row::<12>();
    row::<16>();
}

/// Inverts all matrices in place, each in its lane. Returns the number of lanes in a vector.
type Invert = fn(&mut [f32]) -> usize;

fn row<const N: usize>() {
    let len = (ELEMENTS / (N * N)).next_multiple_of(16);
    let mut state = N as u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let given: Vec<f32> = (0..len * N * N).map(|_| uniform()).collect();
    let ways: [(&str, Invert); 3] = [
        ("fearless_simd", with_fearless_simd::invert::<N>),
        ("pulp", with_pulp::invert::<N>),
        ("multiversion", with_multiversion::invert::<N>),
    ];

    // All three do the same operations in the same order, so the bits of each matrix
    // must agree for any number of lanes.
    let lanes = ways.map(|(_, invert)| invert(&mut []));
    let stacks = lanes.map(|lanes| in_lanes(&given, N * N, lanes));
    let results: Vec<_> = (0..ways.len())
        .map(|way| {
            let mut stack = stacks[way].clone();
            ways[way].1(&mut stack);
            out_of_lanes(&stack, N * N, lanes[way])
        })
        .collect();
    for ((name, _), result) in ways.iter().zip(&results) {
        let same = result.iter().zip(&results[0]).all(|(x, y)| x.to_bits() == y.to_bits());
        assert!(same, "order {N}: {name} gives other bits");
    }
    check::<N>(&given, &results[0]);

    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (((_, invert), times), stack) in ways.iter().zip(&mut times).zip(&stacks) {
            let mut stack = stack.clone();
            let start = Instant::now();
            black_box(invert(black_box(&mut stack)));
            times.push(start.elapsed().as_secs_f64() * 1e9 / len as f64);
        }
    }
    print!("order {N:2}:");
    for (((name, _), times), lanes) in ways.iter().zip(&mut times).zip(lanes) {
        times.sort_by(f64::total_cmp);
        print!("  {name} x{lanes} {:.2} (median {:.2})", times[0], times[ROUNDS / 2]);
    }
    println!(" ns per matrix");
}

/// Interleaves the matrices of each group of `lanes`, element by element, so that each is in one lane.
fn in_lanes(stack: &[f32], size: usize, lanes: usize) -> Vec<f32> {
    let groups = stack.chunks_exact(size * lanes);
    groups.flat_map(|group| (0..size * lanes).map(|at| group[at % lanes * size + at / lanes])).collect()
}

/// The reverse of `in_lanes`.
fn out_of_lanes(stack: &[f32], size: usize, lanes: usize) -> Vec<f32> {
    let groups = stack.chunks_exact(size * lanes);
    groups.flat_map(|group| (0..size * lanes).map(|at| group[at % size * lanes + at / size])).collect()
}

/// Checks that each result is the inverse with permuted columns: column k is where the pivot row of step k was.
fn check<const N: usize>(given: &[f32], results: &[f32]) {
    let stack = batchinv::Stack::new(given, N).expect("whole matrices");
    let inverses = batchinv::Inverter::cpu().invert(stack).expect("the CPU engine takes any stack");
    let sorted = |row: &[f32]| {
        let mut row = row.to_vec();
        row.sort_by(f32::total_cmp);
        row
    };
    for (result, inverse) in results.chunks_exact(N).zip(inverses.stack().elements().chunks_exact(N)) {
        assert_eq!(sorted(result), sorted(inverse), "order {N}: no row of the inverse");
    }
}

/// The operations that the elimination needs from a library.
trait Way: Copy {
    type Vector: Copy;
    type Mask: Copy;

    fn splat(self, x: f32) -> Self::Vector;
    fn abs(self, x: Self::Vector) -> Self::Vector;
    fn greater(self, x: Self::Vector, y: Self::Vector) -> Self::Mask;
    fn equal(self, x: Self::Vector, y: Self::Vector) -> Self::Mask;
    fn select(self, mask: Self::Mask, x: Self::Vector, y: Self::Vector) -> Self::Vector;
    fn mul(self, x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// x - y z, rounded once.
    fn sub_mul(self, x: Self::Vector, y: Self::Vector, z: Self::Vector) -> Self::Vector;
    fn reciprocal(self, x: Self::Vector) -> Self::Vector;
}

/// Inverts in place, and leaves the columns permuted.
#[inline(always)]
fn eliminate<W: Way, const N: usize>(way: W, a: &mut [[W::Vector; N]; N]) {
    for k in 0..N {
        let (mut best, mut at) = (way.abs(a[k][k]), way.splat(k as f32));
        for i in k + 1..N {
            let magnitude = way.abs(a[i][k]);
            let better = way.greater(magnitude, best);
            best = way.select(better, magnitude, best);
            at = way.select(better, way.splat(i as f32), at);
        }
        let row_k = a[k];
        let mut pivots = row_k;
        for i in k + 1..N {
            let here = way.equal(at, way.splat(i as f32));
            for j in 0..N {
                pivots[j] = way.select(here, a[i][j], pivots[j]);
                a[i][j] = way.select(here, row_k[j], a[i][j]);
            }
        }
        let reciprocal = way.reciprocal(pivots[k]);
        for pivot in &mut pivots {
            *pivot = way.mul(*pivot, reciprocal);
        }
        pivots[k] = reciprocal;
        for i in 0..N {
            if i == k {
                a[i] = pivots;
                continue;
            }
            let factor = a[i][k];
            a[i][k] = way.splat(0.0);
            for j in 0..N {
                a[i][j] = way.sub_mul(a[i][j], factor, pivots[j]);
            }
        }
    }
}

mod with_fearless_simd {
    use fearless_simd::{Level, Select, Simd, SimdBase, SimdFloat, dispatch};

    use super::{Way, eliminate};

    #[derive(Clone, Copy)]
    struct Fearless<S>(S);

    impl<S: Simd> Way for Fearless<S> {
        type Vector = S::f32s;
        type Mask = S::mask32s;

        #[inline(always)]
        fn splat(self, x: f32) -> S::f32s {
            S::f32s::splat(self.0, x)
        }
        #[inline(always)]
        fn abs(self, x: S::f32s) -> S::f32s {
            x.abs()
        }
        #[inline(always)]
        fn greater(self, x: S::f32s, y: S::f32s) -> S::mask32s {
            x.simd_gt(y)
        }
        #[inline(always)]
        fn equal(self, x: S::f32s, y: S::f32s) -> S::mask32s {
            x.simd_eq(y)
        }
        #[inline(always)]
        fn select(self, mask: S::mask32s, x: S::f32s, y: S::f32s) -> S::f32s {
            mask.select(x, y)
        }
        #[inline(always)]
        fn mul(self, x: S::f32s, y: S::f32s) -> S::f32s {
            x * y
        }
        #[inline(always)]
        fn sub_mul(self, x: S::f32s, y: S::f32s, z: S::f32s) -> S::f32s {
            (-y).mul_add(z, x)
        }
        #[inline(always)]
        fn reciprocal(self, x: S::f32s) -> S::f32s {
            self.splat(1.0) / x
        }
    }

    /// Returns the number of lanes in a vector.
    pub fn invert<const N: usize>(stack: &mut [f32]) -> usize {
        dispatch!(Level::new(), simd => groups::<_, N>(simd, stack))
    }

    #[inline(always)]
    fn groups<S: Simd, const N: usize>(simd: S, stack: &mut [f32]) -> usize {
        let lanes = <S::f32s as SimdBase<S>>::LEN;
        let mut a = [[S::f32s::splat(simd, 0.0); N]; N];
        for group in stack.chunks_exact_mut(N * N * lanes) {
            for (x, reals) in a.as_flattened_mut().iter_mut().zip(group.chunks_exact(lanes)) {
                *x = S::f32s::from_slice(simd, reals);
            }
            eliminate(Fearless(simd), &mut a);
            for (x, reals) in a.as_flattened().iter().zip(group.chunks_exact_mut(lanes)) {
                x.store_slice(reals);
            }
        }
        lanes
    }
}

mod with_pulp {
    use pulp::{Arch, Simd, WithSimd};

    use super::{Way, eliminate};

    #[derive(Clone, Copy)]
    struct Pulp<S>(S);

    impl<S: Simd> Way for Pulp<S> {
        type Vector = S::f32s;
        type Mask = S::m32s;

        #[inline(always)]
        fn splat(self, x: f32) -> S::f32s {
            self.0.splat_f32s(x)
        }
        #[inline(always)]
        fn abs(self, x: S::f32s) -> S::f32s {
            self.0.abs_f32s(x)
        }
        #[inline(always)]
        fn greater(self, x: S::f32s, y: S::f32s) -> S::m32s {
            self.0.greater_than_f32s(x, y)
        }
        #[inline(always)]
        fn equal(self, x: S::f32s, y: S::f32s) -> S::m32s {
            self.0.equal_f32s(x, y)
        }
        #[inline(always)]
        fn select(self, mask: S::m32s, x: S::f32s, y: S::f32s) -> S::f32s {
            self.0.select_f32s(mask, x, y)
        }
        #[inline(always)]
        fn mul(self, x: S::f32s, y: S::f32s) -> S::f32s {
            self.0.mul_f32s(x, y)
        }
        #[inline(always)]
        fn sub_mul(self, x: S::f32s, y: S::f32s, z: S::f32s) -> S::f32s {
            self.0.mul_add_f32s(self.0.neg_f32s(y), z, x)
        }
        #[inline(always)]
        fn reciprocal(self, x: S::f32s) -> S::f32s {
            self.0.div_f32s(self.splat(1.0), x)
        }
    }

    /// Returns the number of lanes in a vector.
    pub fn invert<const N: usize>(stack: &mut [f32]) -> usize {
        Arch::new().dispatch(Groups::<N>(stack))
    }

    struct Groups<'a, const N: usize>(&'a mut [f32]);

    impl<const N: usize> WithSimd for Groups<'_, N> {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> usize {
            let mut a = [[simd.splat_f32s(0.0); N]; N];
            for group in self.0.chunks_exact_mut(N * N * S::F32_LANES) {
                let (vectors, _) = S::as_mut_simd_f32s(group);
                a.as_flattened_mut().copy_from_slice(vectors);
                eliminate(Pulp(simd), &mut a);
                vectors.copy_from_slice(a.as_flattened());
            }
            S::F32_LANES
        }
    }
}

mod with_multiversion {
    use multiversion::multiversion;

    use super::{Way, eliminate};

    /// Vectors as arrays of a constant width.
    #[derive(Clone, Copy)]
    struct Arrays<const LANES: usize>;

    /// A loop over the lanes, for the compiler to vectorize.
    macro_rules! each_lane {
        ($zero:expr, $lane:ident => $value:expr) => {{
            let mut result = [$zero; LANES];
            for $lane in 0..LANES {
                result[$lane] = $value;
            }
            result
        }};
    }

    impl<const LANES: usize> Way for Arrays<LANES> {
        type Vector = [f32; LANES];
        type Mask = [bool; LANES];

        #[inline(always)]
        fn splat(self, x: f32) -> [f32; LANES] {
            [x; LANES]
        }
        #[inline(always)]
        fn abs(self, x: [f32; LANES]) -> [f32; LANES] {
            each_lane!(0.0, lane => x[lane].abs())
        }
        #[inline(always)]
        fn greater(self, x: [f32; LANES], y: [f32; LANES]) -> [bool; LANES] {
            each_lane!(false, lane => x[lane] > y[lane])
        }
        #[inline(always)]
        fn equal(self, x: [f32; LANES], y: [f32; LANES]) -> [bool; LANES] {
            each_lane!(false, lane => x[lane] == y[lane])
        }
        #[inline(always)]
        fn select(self, mask: [bool; LANES], x: [f32; LANES], y: [f32; LANES]) -> [f32; LANES] {
            each_lane!(0.0, lane => if mask[lane] { x[lane] } else { y[lane] })
        }
        #[inline(always)]
        fn mul(self, x: [f32; LANES], y: [f32; LANES]) -> [f32; LANES] {
            each_lane!(0.0, lane => x[lane] * y[lane])
        }
        #[inline(always)]
        fn sub_mul(self, x: [f32; LANES], y: [f32; LANES], z: [f32; LANES]) -> [f32; LANES] {
            each_lane!(0.0, lane => (-y[lane]).mul_add(z[lane], x[lane]))
        }
        #[inline(always)]
        fn reciprocal(self, x: [f32; LANES]) -> [f32; LANES] {
            each_lane!(0.0, lane => 1.0 / x[lane])
        }
    }

    /// Returns the number of lanes in a vector.
    pub fn invert<const N: usize>(stack: &mut [f32]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx512f") {
            return groups::<N, 16>(stack);
        }
        groups::<N, 8>(stack)
    }

    #[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma", "x86_64+avx2+fma", "aarch64+neon"))]
    fn groups<const N: usize, const LANES: usize>(stack: &mut [f32]) -> usize {
        let mut a = [[[0.0; LANES]; N]; N];
        for group in stack.chunks_exact_mut(N * N * LANES) {
            for (x, reals) in a.as_flattened_mut().iter_mut().zip(group.chunks_exact(LANES)) {
                x.copy_from_slice(reals);
            }
            eliminate(Arrays::<LANES>, &mut a);
            for (x, reals) in a.as_flattened().iter().zip(group.chunks_exact_mut(LANES)) {
                reals.copy_from_slice(x);
            }
        }
        LANES
    }
}
