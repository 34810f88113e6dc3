//! Matrices from a file in Fortran order.
//!
//! NumPy's Fortran order reverses all axes, not only those of the matrices: the index along the first axis varies
//! fastest, and the elements (i, j) of all matrices lie together, in a row of `len` elements.

use std::ops::Range;

use batchinv::Scalar;

use crate::exit::Failure;
use crate::npy::elements;
use crate::npy::header::Header;
use crate::npy::source::Source;
use crate::shape::Shape;

/// Bytes per read.
const WINDOW: usize = 1 << 20;

/// A gap of up to this many bytes between two elements is read and dropped; a seek would take longer.
const GAP: usize = 1 << 14;

/// One of the wanted matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    /// Its position in each row of the file, which counts the leading axes in Fortran order.
    place: usize,
    /// Its position among the wanted matrices.
    slot: usize,
}

/// Reads the matrices at these positions, which count the leading axes in C order.
pub fn fill<T: Scalar>(
    source: &mut Source,
    header: &Header,
    shape: &Shape,
    start: u64,
    positions: impl Iterator<Item = usize>,
    matrices: &mut [T],
    scratch: &mut Vec<u8>,
) -> Result<(), Failure> {
    let (n, width, len, size) = (shape.order, shape.width, shape.len, header.dtype.size());
    if matrices.is_empty() {
        return Ok(());
    }
    let wanted = wanted(shape, positions);
    let runs = runs(&wanted, size);
    // Several short rows are read at a time.
    let (lowest, highest) = (wanted[0].place, wanted[wanted.len() - 1].place);
    let together = if runs.len() == 1 && (len - (highest - lowest)) * size <= GAP { WINDOW / (len * size) } else { 1 };
    let together = together.max(1);

    let mut window: Vec<T> = Vec::new();
    for top in (0..n * width).step_by(together) {
        let rows = top..(n * width).min(top + together);
        for run in &runs {
            let run = &wanted[run.clone()];
            let from = rows.start * len + run[0].place;
            let to = (rows.end - 1) * len + run[run.len() - 1].place + 1;
            window.resize(to - from, T::ZERO);
            source.seek(start + from as u64 * size as u64)?;
            elements::fill(source, header, &mut window, scratch)?;
            for row in rows.clone() {
                // The rows of the file are in column-major order.
                let at = row % n * width + row / n;
                for wanted in run {
                    matrices[wanted.slot * n * width + at] = window[row * len + wanted.place - from];
                }
            }
        }
    }
    Ok(())
}

/// The matrices at these positions, in their order in a row of the file.
fn wanted(shape: &Shape, positions: impl Iterator<Item = usize>) -> Vec<Wanted> {
    // The steps between neighbors along each axis.
    let mut next = 1;
    let with_step = |&axis: &usize| {
        let step = next;
        next *= axis;
        (axis, step)
    };
    let axes: Vec<(usize, usize)> = shape.leading().iter().map(with_step).collect();
    let place = |position: usize| {
        let mut rest = position;
        axes.iter().rev().fold(0, |place, (axis, step)| {
            let index = rest % axis;
            rest /= axis;
            place + index * step
        })
    };
    let mut all: Vec<Wanted> =
        positions.enumerate().map(|(slot, position)| Wanted { place: place(position), slot }).collect();
    all.sort_unstable();
    all
}

/// The ranges of matrices that are read together: without a large gap, and within one window.
fn runs(wanted: &[Wanted], size: usize) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for i in 1..wanted.len() {
        let gap = (wanted[i].place - wanted[i - 1].place) * size > GAP;
        if gap || (wanted[i].place - wanted[start].place) * size >= WINDOW {
            runs.push(start..i);
            start = i;
        }
    }
    runs.push(start..wanted.len());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_first_axis() {
        let shape = Shape::matrices(vec![2, 3, 1, 1]).unwrap();
        let places: Vec<_> = wanted(&shape, 1..5).into_iter().map(|wanted| (wanted.place, wanted.slot)).collect();
        // In C order: (0, 1), (0, 2), (1, 0), (1, 1).
        assert_eq!(places, [(1, 2), (2, 0), (3, 3), (4, 1)]);
    }

    #[test]
    fn runs_end_at_gaps_and_windows() {
        let wanted =
            |places: &[usize]| -> Vec<Wanted> { places.iter().map(|&place| Wanted { place, slot: 0 }).collect() };
        assert_eq!(runs(&wanted(&[0, 1, 2, GAP, GAP + 1]), 8), [0..3, 3..5]);
        assert_eq!(runs(&wanted(&[0, 1, 2, GAP / 8]), 8).as_slice(), std::slice::from_ref(&(0..4)));
        let long: Vec<usize> = (0..WINDOW / 8 + 2).collect();
        assert_eq!(runs(&wanted(&long), 8), [0..WINDOW / 8, WINDOW / 8..WINDOW / 8 + 2]);
    }
}
