//! What the benches share: random stacks and engines.

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

/// Matrices in a stack of about `bytes` bytes.
pub fn len_for(order: usize, size: usize, bytes: usize) -> usize {
    (bytes / (order * order * size)).max(16)
}

/// The GPU engine on the best adapter, or `None`, said aloud, where there is none.
pub fn gpu() -> Option<(GpuInverter, Inverter)> {
    match GpuInverter::open(None) {
        Ok(gpu) => Some((gpu.clone(), Inverter::with_gpu(gpu))),
        Err(error) => {
            eprintln!("SKIPPED on the GPU: {error}");
            None
        }
    }
}
