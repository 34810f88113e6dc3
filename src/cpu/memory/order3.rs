//! Order 3 of float32 in vectors of 16 lanes: between memory and vectors without transposes.
//!
//! The 9 reals of a matrix and the L lanes of a vector are coprime. Load 9 consecutive vectors from memory: lane l of
//! vector v holds element (L v + l) mod 9 of some matrix. So across the 9 vectors, each lane holds every element once,
//! but of different matrices. Rotating the 9 values of each lane by its lane number, one bit of that number at a time,
//! gathers element e of all matrices in vector e; one permutation then puts them in order. This takes log2(L)
//! selections per vector instead of log2(L) shuffles, and processors do more selections at a time than shuffles; plus
//! one shuffle.
//!
//! ```text
//! lane      0   1   2  ...          lane      0   1   2  ...          vector e: element e of all matrices,
//! vector 0  e0  e1  e2       ->     vector 0  e0  e0  e0        ->    permuted into the order of the matrices
//! vector 1  e7  e8  e0  rotate      vector 1  e1  e1  e1
//! ```
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::MAX_LANES;
use crate::cpu::simd::vector::{Mask, Vector};

/// Reals per matrix. With more, registers would not hold two sets of vectors.
pub const REALS: usize = 9;

/// Returns whether matrices of `reals` are loaded and stored this way. On Intel's AVX-512, per matrix of order 3:
///
/// | | this way | by transposes |
/// |---|---|---|
/// | float32 | 3.5 ns | 4.2 ns |
/// | float64, whose transposes take one round less | 6.7 ns | 6.3 ns |
pub const fn pays<S: Simd, T: Lane>(reals: usize) -> bool {
    T::Vector::<S>::PARTS == 1 && reals == REALS && T::Vector::<S>::LANES == MAX_LANES
}

/// Turns the consecutive vectors of LANES matrices into one vector per element.
#[inline(always)]
pub fn gather<S: Simd, T: Lane>(simd: S, memory: &[Magnitude<T, S>; REALS]) -> [Magnitude<T, S>; REALS] {
    let lanes = T::Vector::<S>::LANES;
    // Vector v has element L v in lane 0.
    let mut elements = *memory;
    for v in 0..REALS {
        elements[lanes * v % REALS] = memory[v];
    }
    rotate::<S, T>(simd, &mut elements, REALS - 1);
    let orders = const { orders(T::Vector::<S>::LANES, size_of::<T::Real>(), 1) };
    for e in 0..REALS {
        elements[e] = permuted::<S, T>(simd, elements[e], &orders[e]);
    }
    elements
}

/// Turns one vector per element into the consecutive vectors of LANES matrices.
#[inline(always)]
pub fn scatter<S: Simd, T: Lane>(simd: S, elements: &[Magnitude<T, S>; REALS]) -> [Magnitude<T, S>; REALS] {
    let lanes = T::Vector::<S>::LANES;
    let orders = const { orders(T::Vector::<S>::LANES, size_of::<T::Real>(), -1) };
    let mut rotated = *elements;
    for e in 0..REALS {
        rotated[e] = permuted::<S, T>(simd, elements[e], &orders[e]);
    }
    rotate::<S, T>(simd, &mut rotated, 1);
    let mut memory = rotated;
    for v in 0..REALS {
        memory[v] = rotated[lanes * v % REALS];
    }
    memory
}

/// Rotates the values of lane l by `way` * l vectors, one bit of l at a time.
#[inline(always)]
fn rotate<S: Simd, T: Lane>(simd: S, vectors: &mut [Magnitude<T, S>; REALS], way: usize) {
    let mut bit = 1;
    while bit < T::Vector::<S>::LANES {
        let mut lanes = 0;
        for lane in 0..T::Vector::<S>::LANES {
            lanes |= if lane & bit == 0 { 0 } else { 1 << lane };
        }
        let moving = Mask::<Magnitude<T, S>, S>::from_bitmask(simd, lanes);
        let old = *vectors;
        for e in 0..REALS {
            vectors[e] = moving.select(old[(e + way * bit) % REALS], old[e]);
        }
        bit *= 2;
    }
}

/// Bytes of a vector.
const BYTES: usize = 64;

/// For every vector, the byte indexes of the permutation that brings matrix m to lane m from the lane that holds its
/// element e (`way` 1), or back (`way` -1).
const fn orders(lanes: usize, bytes: usize, way: i32) -> [[u8; BYTES]; REALS] {
    let mut orders = [[0; BYTES]; REALS];
    let mut e = 0;
    while e < REALS {
        let mut matrix = 0;
        while matrix < lanes {
            let lane = (matrix * REALS + e) % lanes;
            let (to, from) = if way == 1 { (matrix, lane) } else { (lane, matrix) };
            let mut byte = 0;
            while byte < bytes {
                orders[e][to * bytes + byte] = (from * bytes + byte) as u8;
                byte += 1;
            }
            matrix += 1;
        }
        e += 1;
    }
    orders
}

/// Permutes the bytes of a vector.
#[inline(always)]
fn permuted<S: Simd, T: Lane>(simd: S, vector: Magnitude<T, S>, order: &[u8; BYTES]) -> Magnitude<T, S> {
    vector.swizzle_dyn(<Magnitude<T, S> as SimdBase<S>>::ByteVector::from_slice(simd, order))
}
