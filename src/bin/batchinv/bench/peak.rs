//! The processor's peak: fused multiply-adds of vectors in registers, with nothing loaded or stored.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use batchinv::ScalarKind;
use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch};

/// Independent chains of multiply-adds. Two units with a latency of four cycles need 8 to stay busy; 12 leave a
/// margin and still fit into 16 registers.
const CHAINS: usize = 12;

/// Multiply-adds per chain and round; a round takes some hundred microseconds.
const STEPS: usize = 1 << 16;

/// Rounds, of which the best counts: a processor takes a while to reach its full speed.
const ROUNDS: usize = 12;

/// 10^9 additions and multiplications per second, by `threads` threads at once, in the precision of a scalar.
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
