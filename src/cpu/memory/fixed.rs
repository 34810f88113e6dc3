//! Loads and stores of LANES consecutive matrices of order N: memory holds one matrix after another, vector (i, j)
//! holds element (i, j) of all of them.
//!
//! It is a transpose of LANES rows, block by block. `order3` and `short` are faster ways for small matrices.

use fearless_simd::{Simd, SimdBase};

use super::blocks::{self, collect, spread};
use super::window::Extremes;
use super::{order3, short};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::MAX_LANES;
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::{Real, Scalar};

/// Reads LANES matrices. Returns whether all of their elements lie in the window that needs no scaling; `false` may
/// also mean that there are zeros, or NaN.
#[inline(always)]
pub fn load<S: Simd, T: Lane, const N: usize>(simd: S, source: &[T::Real], a: &mut [[T::Vector<S>; N]; N]) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = N * N * parts;
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut extremes = Extremes::<S, T>::new(simd);
    let mut block = [zero; MAX_LANES];

    if order3::pays::<S, T>(reals) {
        let mut memory = [zero; order3::REALS];
        for (vector, chunk) in memory.iter_mut().zip(source.chunks_exact(lanes)) {
            *vector = Magnitude::<T, S>::from_slice(simd, chunk);
            extremes.see(*vector);
        }
        collect::<S, T>(&order3::gather::<S, T>(simd, &memory), a.as_flattened_mut());
    } else if short::suits(reals, lanes) {
        short::load::<S, T>(simd, source, reals, &mut extremes, &mut block);
        collect::<S, T>(&block, a.as_flattened_mut());
    } else {
        return blocks::load::<S, T, N>(simd, source, a.as_flattened_mut());
    }
    if reals == 1 {
        // A real number needs scaling only if it is subnormal or its reciprocal is.
        let one = T::Real::ONE;
        return extremes.within(simd, (one.scaled(T::Real::MIN_EXPONENT), one.scaled(-T::Real::MIN_EXPONENT)));
    }
    extremes.in_window_of(simd, reals)
}

/// Writes LANES matrices. Returns whether all of their elements are finite.
#[inline(always)]
pub fn store<S: Simd, T: Lane, const N: usize>(simd: S, a: &[[T::Vector<S>; N]; N], target: &mut [T::Real]) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = N * N * parts;
    let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];

    if order3::pays::<S, T>(reals) {
        let mut elements = [block[0]; order3::REALS];
        spread::<S, T>(a.as_flattened(), &mut elements);
        let memory = order3::scatter::<S, T>(simd, &elements);
        for (vector, chunk) in memory.iter().zip(target.chunks_exact_mut(lanes)) {
            vector.store_slice(chunk);
        }
    } else if short::suits(reals, lanes) {
        spread::<S, T>(a.as_flattened(), &mut block);
        short::store::<S, T>(&mut block, reals, target);
    } else {
        blocks::store::<S, T>(simd, a.as_flattened(), target);
    }
    blocks::finite::<S, T>(simd, a.as_flattened())
}
