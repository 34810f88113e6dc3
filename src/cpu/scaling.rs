//! Exact power-of-two scaling for matrices whose magnitudes come near underflow or overflow.
//!
//! A matrix A whose nonzero parts all lie within 2^-w to 2^w ([`Real::WINDOW`]) is left alone. Any other is replaced
//! by R A C, with powers of two on the diagonals of R and C; its inverse Y gives A^-1 = C Y R. One factor for the
//! whole matrix is taken where that brings it into the window, so that pivots and digits are those of the unscaled
//! matrix. Else rows, then columns, are scaled to have their largest part in [1, 2), as LAPACK's xGEEQUB does.
//! What still falls below the normal range is dropped, and the first column that lost an entry is kept: a
//! zero pivot from there on proves nothing.

use crate::inverses::Status;
use crate::scalar::{Real, Scalar};

/// Row and column exponents of a scaled matrix.
pub struct Scaling {
    rows: Vec<i32>,
    columns: Vec<i32>,
    first_lost: usize,
}

/// The smallest and the largest magnitude that need no scaling.
pub fn window<T: Scalar>() -> (T::Real, T::Real) {
    let one = T::Real::ONE;
    (one.scaled(-T::Real::WINDOW), one.scaled(T::Real::WINDOW))
}

/// Scales a finite matrix in place, where its magnitudes need it.
pub fn scale<T: Scalar>(matrix: &mut [T], order: usize) -> Option<Scaling> {
    let (low, high) = window::<T>();
    let zero = T::Real::ZERO;
    let (mut smallest, mut largest) = (T::Real::from_f64(f64::INFINITY), zero);
    for element in matrix.iter().filter(|&&element| element.largest_part() > zero) {
        largest = if element.largest_part() > largest { element.largest_part() } else { largest };
        smallest = if element.smallest_part() < smallest { element.smallest_part() } else { smallest };
    }
    if smallest >= low && largest <= high {
        return None;
    }

    let (bottom, top) = (smallest.exponent(), largest.exponent());
    let (mut rows, mut columns) = (vec![0; order], vec![0; order]);
    if top - bottom <= 2 * T::Real::WINDOW - 2 {
        rows.fill(-bottom - (top - bottom) / 2);
    } else {
        let exponent = |element: &T| element.largest_part();
        for (i, row) in matrix.chunks_exact(order).enumerate() {
            let largest = row.iter().map(exponent).fold(zero, |a, b| if b > a { b } else { a });
            rows[i] = if largest > zero { -largest.exponent() } else { 0 };
        }
        for (j, column) in columns.iter_mut().enumerate() {
            let scaled = |i: usize| {
                let part = matrix[i * order + j].largest_part();
                (part > zero).then(|| part.exponent() + rows[i])
            };
            *column = -(0..order).filter_map(scaled).max().unwrap_or(0);
        }
    }

    let mut first_lost = order;
    for (i, row) in matrix.chunks_exact_mut(order).enumerate() {
        for (j, element) in row.iter_mut().enumerate() {
            let smallest = element.smallest_part();
            if smallest > zero {
                let exponent = rows[i] + columns[j];
                if smallest.exponent() + exponent < T::Real::MIN_EXPONENT {
                    first_lost = first_lost.min(j);
                    *element = element.flushed(exponent);
                } else {
                    *element = element.scaled(exponent);
                }
            }
        }
    }
    Some(Scaling { rows, columns, first_lost })
}

impl Scaling {
    /// Element (i, j) of the inverse, from that of the scaled matrix's.
    pub fn undo<T: Scalar>(&self, i: usize, j: usize, element: T) -> T {
        element.scaled(self.columns[i] + self.rows[j])
    }

    /// What a zero pivot in `column`, counted from 0, says.
    pub fn zero_pivot(&self, column: usize) -> Status {
        if column < self.first_lost { Status::singular(column + 1) } else { Status::NOT_FINITE }
    }
}
