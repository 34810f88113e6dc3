//! Between memory and vectors for order 3 of float32 where vectors have 16 lanes: without transposes.
//!
//! The 9 reals of a matrix and the L lanes of a vector have no factor in common. So what stands in one lane of 9 vectors, one after
//! the other in memory, is every element of a matrix once, though of different matrices: in lane l of vector v, element
//! (L v + l) mod 9. Every lane turns its 9 values by its own number, a bit of that number at a time, and then vector e holds element
//! e of all matrices, which takes one permutation to be in their order. Instead of log2(L) shuffles for every vector, that is as many
//! selections, of which processors do more at a time, and one shuffle.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use crate::cpu::transpose::MAX_LANES;
use crate::cpu::vector::{Magnitude, Mask, Vector};
use crate::scalar::Scalar;

/// Reals to a matrix. Of more, registers do not hold two sets of vectors.
pub const REALS: usize = 9;

/// Whether matrices of `reals` come and go this way. Measured on Intel's AVX-512: float32 of order 3 in 3.5 ns instead of 4.2;
/// float64, whose transposes have a round less, in 6.7 instead of 6.3.
pub const fn pays<S: Simd, T: Scalar>(reals: usize) -> bool {
    T::Vector::<S>::PARTS == 1 && reals == REALS && T::Vector::<S>::LANES == MAX_LANES
}

/// From the vectors of LANES matrices, as they follow one another in memory, to one for each element.
#[inline(always)]
pub fn gather<S: Simd, T: Scalar>(simd: S, memory: &[Magnitude<T, S>; REALS]) -> [Magnitude<T, S>; REALS] {
    let lanes = T::Vector::<S>::LANES;
    // Vector v has element L v in lane 0.
    let mut elements = *memory;
    for v in 0..REALS {
        elements[lanes * v % REALS] = memory[v];
    }
    turn::<S, T>(simd, &mut elements, REALS - 1);
    let orders = const { orders(T::Vector::<S>::LANES, size_of::<T::Real>(), 1) };
    for e in 0..REALS {
        elements[e] = permuted::<S, T>(simd, elements[e], &orders[e]);
    }
    elements
}

/// The opposite.
#[inline(always)]
pub fn scatter<S: Simd, T: Scalar>(simd: S, elements: &[Magnitude<T, S>; REALS]) -> [Magnitude<T, S>; REALS] {
    let lanes = T::Vector::<S>::LANES;
    let orders = const { orders(T::Vector::<S>::LANES, size_of::<T::Real>(), -1) };
    let mut turned = *elements;
    for e in 0..REALS {
        turned[e] = permuted::<S, T>(simd, elements[e], &orders[e]);
    }
    turn::<S, T>(simd, &mut turned, 1);
    let mut memory = turned;
    for v in 0..REALS {
        memory[v] = turned[lanes * v % REALS];
    }
    memory
}

/// In lane l, every vector takes the place of the one `way` l further on, adding up for the bits of l.
#[inline(always)]
fn turn<S: Simd, T: Scalar>(simd: S, vectors: &mut [Magnitude<T, S>; REALS], way: usize) {
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

/// Vectors of 64 bytes.
const BYTES: usize = 64;

/// The indexes of the bytes of every vector: matrix m from the lane where its element e stands, or (-1) the other way round.
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

/// A vector whose bytes are taken in an order.
#[inline(always)]
fn permuted<S: Simd, T: Scalar>(simd: S, vector: Magnitude<T, S>, order: &[u8; BYTES]) -> Magnitude<T, S> {
    vector.swizzle_dyn(<Magnitude<T, S> as SimdBase<S>>::ByteVector::from_slice(simd, order))
}
