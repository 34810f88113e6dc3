//! Shared by the benches: random stacks, and the GPU engine.

use batchinv::gpu::GpuInverter;
use batchinv::{Inverter, Scalar, StackBuf};

/// Elements uniform in (-1, 1), never zeros, from a fixed seed.
pub fn random<T: Scalar>(order: usize, len: usize, real: impl Fn(f64) -> T) -> StackBuf<T> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
    };
    let elements = (0..order * order * len).map(|_| real(next())).collect();
    StackBuf::with_len(elements, order, len).expect("as many elements as the shape says")
}

/// The same with 3 sqrt(n) added to one element per row and column. The condition numbers are small,
/// and nearly every step exchanges rows.
pub fn well_conditioned<T: Scalar>(order: usize, len: usize, real: impl Fn(f64) -> T) -> StackBuf<T> {
    let mut stack = random(order, len, |x| x);
    let shift = 3.0 * (order as f64).sqrt();
    for (index, matrix) in stack.elements_mut().chunks_exact_mut(order * order).enumerate() {
        // A step that is coprime to the order places them in distant columns from row to row.
        let step = (order / 2 + 1..).find(|&step| coprime(step, order)).expect("one of any `order` in a row");
        for row in 0..order {
            matrix[row * order + (row * step + index) % order] += shift;
        }
    }
    let elements = stack.elements().iter().map(|&x| real(x)).collect();
    StackBuf::with_len(elements, order, len).expect("as many elements as before")
}

fn coprime(a: usize, b: usize) -> bool {
    if b == 0 { a == 1 } else { coprime(b, a % b) }
}

/// The number of matrices in a stack of about `bytes` bytes.
pub fn len_for(order: usize, size: usize, bytes: usize) -> usize {
    (bytes / (order * order * size)).max(16)
}

/// The GPU engine on the best adapter, or `None` and a message if there is no adapter.
pub fn gpu() -> Option<(GpuInverter, Inverter)> {
    match GpuInverter::open(None) {
        Ok(gpu) => Some((gpu.clone(), Inverter::with_gpu(gpu))),
        Err(error) => {
            eprintln!("SKIPPED on the GPU: {error}");
            None
        }
    }
}
