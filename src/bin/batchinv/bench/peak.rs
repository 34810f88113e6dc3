//! What the processor could do at the most: fused multiply-adds in vectors, with nothing loaded or stored between them.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use batchinv::ScalarKind;
use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch};

/// Chains of multiply-adds that do not wait for each other: as many as two units with a latency of four cycles keep going,
/// and some. Sixteen registers hold them.
const CHAINS: usize = 12;

/// Multiply-adds to a chain in one round, which takes some hundred microseconds.
const STEPS: usize = 1 << 16;

/// Rounds, of which the best counts: a processor takes a while to reach its speed.
const ROUNDS: usize = 12;

/// 10^9 additions and multiplications a second, of so many threads at once, in the precision of a scalar.
pub fn gflops(scalar: ScalarKind, threads: usize) -> f64 {
    let one = || {
        let level = Level::new();
        (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                let lanes = match scalar {
                    ScalarKind::Float32 | ScalarKind::Complex64 => dispatch!(level, simd => float32(simd)),
                    ScalarKind::Float64 | ScalarKind::Complex128 => dispatch!(level, simd => float64(simd)),
                };
                (2 * lanes * CHAINS * STEPS) as f64 / start.elapsed().as_secs_f64() / 1e9
            })
            .fold(0.0, f64::max)
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        all.into_iter().filter_map(|one| one.join().ok()).sum()
    })
}

#[inline(always)]
fn float32<S: Simd>(simd: S) -> usize {
    chains(S::f32s::splat(simd, black_box(0.75)), S::f32s::splat(simd, black_box(0.25)));
    <S::f32s as SimdBase<S>>::LEN
}

#[inline(always)]
fn float64<S: Simd>(simd: S) -> usize {
    chains(S::f64s::splat(simd, black_box(0.75)), S::f64s::splat(simd, black_box(0.25)));
    <S::f64s as SimdBase<S>>::LEN
}

/// x = x * factor + term converges, so that no number grows out of range.
#[inline(always)]
fn chains<S: Simd, V: SimdFloat<S>>(factor: V, term: V) {
    let mut sums = [term; CHAINS];
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = sum.mul_add(factor, term);
        }
    }
    black_box(sums);
}
