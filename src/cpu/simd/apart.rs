//! Compiling a piece of a kernel apart from the rest.

use fearless_simd::Simd;

/// Runs a piece of a kernel as a function of its own, with the instructions of the level, unless the kernel is compiled
/// for one order N. Within the whole kernel, whose loops have more bounds than there are registers, the piece would
/// reload them from the stack in its innermost loop. A call costs a few nanoseconds.
///
/// A piece that is one loop should own what it reads there (`move`): it would be loaded again after every store
/// otherwise.
#[inline(always)]
pub fn apart<const N: usize, S: Simd, R>(simd: S, piece: impl FnOnce() -> R) -> R {
    if N > 0 { piece() } else { call(simd, piece) }
}

#[inline(never)]
fn call<S: Simd, R>(simd: S, piece: impl FnOnce() -> R) -> R {
    simd.vectorize(piece)
}
