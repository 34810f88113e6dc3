//! The elements of a slice of other crates' types, in memory that is kept from piece to piece: fresh memory costs more
//! than transposing.

use rayon::prelude::*;

use crate::data::scalar::Scalar;
use crate::plan::host::HOST_TRANSPOSE;

/// The first `len` elements of kept memory, which grows if they are more.
pub fn first<T: Scalar>(kept: &mut Vec<T>, len: usize) -> &mut [T] {
    if kept.len() < len {
        kept.resize(len, T::ZERO);
    }
    &mut kept[..len]
}

/// Writes the `size` elements of every item, on several threads if there is enough to do.
pub fn write_each<I: Sync, T: Scalar>(items: &[I], rows: &mut [T], size: usize, write: impl Fn(&I, &mut [T]) + Sync) {
    // Matrices of order 0 have no rows.
    if size == 0 {
        return;
    }
    let some = |(items, rows): (&[I], &mut [T])| {
        items.iter().zip(rows.chunks_exact_mut(size)).for_each(|(item, rows)| write(item, rows));
    };
    match at_once(size) {
        at_once if items.len() <= at_once => some((items, rows)),
        at_once => items.par_chunks(at_once).zip(rows.par_chunks_mut(at_once * size)).for_each(some),
    }
}

/// Reads them back.
pub fn read_each<I: Send, T: Scalar>(items: &mut [I], rows: &[T], size: usize, read: impl Fn(&mut I, &[T]) + Sync) {
    if size == 0 {
        return;
    }
    let some = |(items, rows): (&mut [I], &[T])| {
        items.iter_mut().zip(rows.chunks_exact(size)).for_each(|(item, rows)| read(item, rows));
    };
    match at_once(size) {
        at_once if items.len() <= at_once => some((items, rows)),
        at_once => items.par_chunks_mut(at_once).zip(rows.par_chunks(at_once * size)).for_each(some),
    }
}

/// Items that one thread visits.
fn at_once(size: usize) -> usize {
    (HOST_TRANSPOSE / size).max(1)
}
