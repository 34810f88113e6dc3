//! Between memory, where the elements of a matrix follow one another, and vectors that hold the same element of as
//! many matrices as they have lanes; for orders that are known when this is compiled.

use fearless_simd::{Bytes, Simd, SimdBase, SimdMask};

use super::{coprime, exchange};
use crate::cpu::scaling;
use crate::cpu::transpose::{MAX_LANES, transpose};
use crate::cpu::vector::{Magnitude, Vector};
use crate::scalar::{Real, Scalar};

/// Reads LANES matrices. Returns whether all of their elements lie in the window that needs no scaling; false may also
/// mean that there are zeros, or NaN; or NaN is not noticed, but never hides another matrix's extremes: where one of two is
/// NaN, x86 takes the second for their minimum and maximum, so what is known so far comes second. ARM takes the NaN, which
/// then lies in no window, and the portable form the other.
#[inline(always)]
pub fn load<S: Simd, T: Scalar, const N: usize>(simd: S, source: &[T::Real], a: &mut [[T::Vector<S>; N]; N]) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = N * N * parts;
    let (low, high) = scaling::window::<T>();
    let (low, high) = (Magnitude::<T, S>::splat(simd, low), Magnitude::<T, S>::splat(simd, high));
    let (mut smallest, mut largest) = (high, low);
    let mut block = [low; MAX_LANES];

    if coprime::pays::<S, T>(reals) {
        let mut memory = [low; coprime::REALS];
        for (vector, chunk) in memory.iter_mut().zip(source.chunks_exact(lanes)) {
            *vector = Magnitude::<T, S>::from_slice(simd, chunk);
            (smallest, largest) = (vector.abs().min(smallest), vector.abs().max(largest));
        }
        let elements = coprime::gather::<S, T>(simd, &memory);
        for (element, &reals) in a.as_flattened_mut().iter_mut().zip(&elements) {
            element.set_part(0, reals);
        }
    } else if reals < lanes && reals.is_power_of_two() {
        for (vector, chunk) in block[..reals].iter_mut().zip(source.chunks_exact(lanes)) {
            *vector = Magnitude::<T, S>::from_slice(simd, chunk);
            (smallest, largest) = (vector.abs().min(smallest), vector.abs().max(largest));
        }
        let mut round = 1;
        while round < reals {
            let old = block;
            for index in 0..reals / 2 {
                let (low, high) = (old[2 * index], old[2 * index + 1]);
                block[index] = low.unzip_low(high);
                block[index + reals / 2] = low.unzip_high(high);
            }
            round *= 2;
        }
        for (element, reals) in a.as_flattened_mut().iter_mut().zip(block.chunks_exact(parts)) {
            for (part, &real) in reals.iter().enumerate() {
                element.set_part(part, real);
            }
        }
    } else {
        let whole = whole_blocks(reals, lanes);
        if whole < reals {
            let last = Magnitude::<T, S>::from_fn(simd, |lane| source[lane * reals + whole]);
            (smallest, largest) = (last.abs().min(smallest), last.abs().max(largest));
            a.as_flattened_mut()[whole / parts].set_part(whole % parts, last);
        }
        let mut done = 0;
        while done < whole {
            // The last block goes back, so as to end with the matrix.
            let first = done.min(whole.saturating_sub(lanes));
            for lane in 0..lanes {
                let rest = &source[lane * reals + first..];
                block[lane] = match rest.get(..lanes) {
                    Some(whole) => Magnitude::<T, S>::from_slice(simd, whole),
                    None => {
                        let mut vector = Magnitude::<T, S>::splat(simd, T::Real::ONE);
                        vector.as_mut_slice()[..reals].copy_from_slice(&rest[..reals]);
                        vector
                    }
                };
                (smallest, largest) = (block[lane].abs().min(smallest), block[lane].abs().max(largest));
            }
            transpose::<S, T>(&mut block);
            let rest = a.as_flattened_mut()[first / parts..].iter_mut();
            for (element, reals) in rest.zip(block[..lanes].chunks_exact(parts)) {
                for (part, &real) in reals.iter().enumerate() {
                    element.set_part(part, real);
                }
            }
            done = first + lanes;
        }
    }
    let usual = smallest.simd_ge(low) & largest.simd_le(high);
    usual.all_true()
}

/// The reals of a matrix that go through transposes, LANES at a time. One that is left over, as odd orders have it, is not worth
/// a block: it goes alone.
#[inline(always)]
const fn whole_blocks(reals: usize, lanes: usize) -> usize {
    if reals > lanes && reals % lanes == 1 { reals - 1 } else { reals }
}

/// Whether all lanes are finite.
#[inline(always)]
fn finite<S: Simd, T: Scalar, const N: usize>(simd: S, a: &[[T::Vector<S>; N]; N]) -> bool {
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut sums = [zero; 4];
    for row in a {
        for (j, x) in row.iter().enumerate() {
            sums[j % 4] = x.poison(sums[j % 4], zero);
        }
    }
    let sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    sum.simd_eq(zero).all_true()
}

/// Writes LANES matrices. Returns whether all of their elements are finite.
#[inline(always)]
pub fn store<S: Simd, T: Scalar, const N: usize>(simd: S, a: &[[T::Vector<S>; N]; N], target: &mut [T::Real]) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = N * N * parts;
    let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];

    if coprime::pays::<S, T>(reals) {
        let mut elements = [block[0]; coprime::REALS];
        spread::<S, T>(a.as_flattened(), &mut elements);
        let memory = coprime::scatter::<S, T>(simd, &elements);
        for (vector, chunk) in memory.iter().zip(target.chunks_exact_mut(lanes)) {
            vector.store_slice(chunk);
        }
    } else if reals < lanes && reals.is_power_of_two() {
        spread::<S, T>(a.as_flattened(), &mut block);
        let mut round = 1;
        while round < reals {
            let old = block;
            for index in 0..reals / 2 {
                let (low, high) = (old[index], old[index + reals / 2]);
                block[2 * index] = low.zip_low(high);
                block[2 * index + 1] = low.zip_high(high);
            }
            round *= 2;
        }
        for (vector, chunk) in block[..reals].iter().zip(target.chunks_exact_mut(lanes)) {
            vector.store_slice(chunk);
        }
    } else {
        let whole = whole_blocks(reals, lanes);
        if whole < reals {
            let last = a.as_flattened()[whole / parts].part(whole % parts);
            for (lane, &real) in last.as_slice().iter().enumerate() {
                target[lane * reals + whole] = real;
            }
        }
        let mut done = 0;
        while done < whole {
            let first = done.min(whole.saturating_sub(lanes));
            spread::<S, T>(&a.as_flattened()[first / parts..], &mut block[..lanes]);
            transpose::<S, T>(&mut block);
            for (lane, vector) in block[..lanes].iter().enumerate() {
                // Where a matrix is shorter than a vector, what goes too far is overwritten by the next matrix.
                let rest = &mut target[lane * reals + first..];
                match rest.get_mut(..lanes) {
                    Some(whole) => vector.store_slice(whole),
                    None => rest[..reals].copy_from_slice(&vector.as_slice()[..reals]),
                }
            }
            done = first + lanes;
        }
    }
    finite::<S, T, N>(simd, a)
}

/// Writes LANES matrices whose columns `exchanges` put in their order. Returns whether all of their elements are finite.
///
/// The order of a matrix's columns is the same in each of its rows, so it is worked out once, for a row of bytes'
/// indexes, and applied to whole rows as they lie in memory.
#[inline(always)]
pub fn store_exchanged<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &[[T::Vector<S>; N]; N],
    exchanges: &[Magnitude<T, S>; N],
    target: &mut [T::Real],
) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (N * parts, N * N * parts);
    if row <= lanes {
        store_shuffled::<S, T, N>(simd, a, exchanges, target);
    } else if row <= 2 * lanes && lanes * size_of::<T::Real>() > 32 {
        // AVX2 has no shuffle of two vectors.
        store_shuffled_two::<S, T, N>(simd, a, exchanges, target);
    } else {
        let mut columns = [[0; N]; MAX_LANES];
        for (lane, columns) in columns[..lanes].iter_mut().enumerate() {
            *columns = std::array::from_fn(|j| j);
            for k in (0..N).rev() {
                columns.swap(k, exchanges[k].as_slice()[lane].to_f64() as usize);
            }
        }
        for (i, row) in a.iter().enumerate() {
            for (lane, columns) in columns[..lanes].iter().enumerate() {
                let target = &mut target[lane * reals + i * N * parts..][..N * parts];
                for (j, &column) in columns.iter().enumerate() {
                    for part in 0..parts {
                        target[j * parts + part] = row[column].part(part).as_slice()[lane];
                    }
                }
            }
        }
    }
    finite::<S, T, N>(simd, a)
}

/// The bytes' indexes of every column, put in order, in each lane.
#[inline(always)]
fn indexes<S: Simd, T: Scalar, const N: usize>(simd: S, exchanges: &[Magnitude<T, S>; N]) -> [T::Vector<S>; N] {
    let parts = T::Vector::<S>::PARTS;
    let mut row: [T::Vector<S>; N] = std::array::from_fn(|j| {
        let mut column = T::Vector::<S>::splat(simd, T::ZERO);
        for part in 0..parts {
            column.set_part(part, Magnitude::<T, S>::splat(simd, T::Real::byte_indexes(j * parts + part)));
        }
        column
    });
    exchange::undo::<S, T, N>(simd, &mut row, exchanges);
    row
}

/// As many whole rows to a vector as it holds.
#[inline(always)]
fn store_shuffled<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &[[T::Vector<S>; N]; N],
    exchanges: &[Magnitude<T, S>; N],
    target: &mut [T::Real],
) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (N * parts, N * N * parts);
    let used = lanes / row * row;
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);

    let columns = indexes::<S, T, N>(simd, exchanges);
    let mut orders = [zero; MAX_LANES];
    for order in orders[..used].chunks_exact_mut(row) {
        spread::<S, T>(&columns, order);
    }
    transpose::<S, T>(&mut orders);
    // From the second row of a vector on, the indexes lie further on.
    let row_bytes = row * size_of::<T::Real>();
    let offset =
        <Magnitude<T, S> as SimdBase<S>>::ByteVector::from_fn(simd, |byte| (byte / row_bytes * row_bytes) as u8);

    let mut block = [zero; MAX_LANES];
    let mut done = 0;
    while done < reals {
        let count = used.min(reals - done);
        spread::<S, T>(&a.as_flattened()[done / parts..], &mut block[..used]);
        transpose::<S, T>(&mut block);
        for lane in 0..lanes {
            let ordered = block[lane].swizzle_dyn(orders[lane].to_bytes() + offset);
            // What goes too far is overwritten by the next rows; behind the last there is another matrix.
            let rest = &mut target[lane * reals + done..];
            if done + lanes <= reals {
                ordered.store_slice(&mut rest[..lanes]);
            } else {
                rest[..count].copy_from_slice(&ordered.as_slice()[..count]);
            }
        }
        done += count;
    }
}

/// Two vectors to a row.
#[inline(always)]
fn store_shuffled_two<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &[[T::Vector<S>; N]; N],
    exchanges: &[Magnitude<T, S>; N],
    target: &mut [T::Real],
) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (N * parts, N * N * parts);
    let orders = halves::<S, T, N>(simd, &indexes::<S, T, N>(simd, exchanges));
    for (i, vectors) in a.iter().enumerate() {
        let blocks = halves::<S, T, N>(simd, vectors);
        for lane in 0..lanes {
            for half in 0..2 {
                let ordered = blocks[0][lane].concat_swizzle_dyn(blocks[1][lane], orders[half][lane].to_bytes());
                let rest = &mut target[lane * reals + i * row + half * lanes..];
                let count = lanes.min(row - half * lanes);
                if i * row + (half + 1) * lanes <= reals {
                    ordered.store_slice(&mut rest[..lanes]);
                } else {
                    rest[..count].copy_from_slice(&ordered.as_slice()[..count]);
                }
            }
        }
    }
}

/// A row, transposed in two halves.
#[inline(always)]
fn halves<S: Simd, T: Scalar, const N: usize>(simd: S, row: &[T::Vector<S>; N]) -> [[Magnitude<T, S>; MAX_LANES]; 2] {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let mut halves = [[Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES]; 2];
    spread::<S, T>(row, &mut halves[0][..lanes]);
    spread::<S, T>(&row[lanes / parts..], &mut halves[1][..lanes]);
    transpose::<S, T>(&mut halves[0]);
    transpose::<S, T>(&mut halves[1]);
    halves
}

/// The real and imaginary parts of vectors, one after another, as many as there are places.
#[inline(always)]
fn spread<S: Simd, T: Scalar>(vectors: &[T::Vector<S>], places: &mut [Magnitude<T, S>]) {
    for (vector, places) in vectors.iter().zip(places.chunks_exact_mut(T::Vector::<S>::PARTS)) {
        for (part, place) in places.iter_mut().enumerate() {
            *place = vector.part(part);
        }
    }
}
