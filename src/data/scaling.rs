//! Exact power-of-two scaling for matrices whose magnitudes come near underflow or overflow.
//!
//! A matrix A whose nonzero parts all lie between 2^-w and 2^w ([`Real::WINDOW`]) is left alone. Any other is replaced
//! by R A C, with powers of two on the diagonals of R and C; its inverse Y gives A^-1 = C Y R. If a single factor
//! brings the whole matrix into the window, it is used, so that pivots and digits are those of the unscaled matrix.
//! Otherwise rows, then columns, are scaled to have their largest part in [1, 2), as LAPACK's xGEEQUB does.
//!
//! A single factor brings the largest part to the upper end of the window; row and column factors bring theirs to its
//! middle. Entries that then fall below the normal range are dropped, and products of entries more than 2^w smaller
//! than the largest may underflow. From the first column with such an entry on, a zero pivot therefore proves nothing,
//! unless its whole column is zero.

use super::scalar::{Real, Scalar};
use super::status::Status;

/// Row and column exponents of a scaled matrix.
#[derive(Debug, Default)]
pub struct Scaling {
    rows: Vec<i32>,
    columns: Vec<i32>,
    /// The first column with an entry more than 2^w below the largest.
    first_small: usize,
    /// True if column j is zero.
    empty: Vec<bool>,
}

/// The smallest and the largest magnitude that need no scaling.
pub fn window<T: Scalar>() -> (T::Real, T::Real) {
    let one = T::Real::ONE;
    (one.scaled(-T::Real::WINDOW), one.scaled(T::Real::WINDOW))
}

/// Returns whether an element lies in that window. Parts that are 0 count for nothing.
#[inline(always)]
pub fn in_window<T: Scalar>(element: T, (low, high): (T::Real, T::Real)) -> bool {
    let largest = element.largest_part();
    largest == T::Real::ZERO || (largest <= high && element.smallest_part() >= low)
}

/// If one factor brings a matrix with these smallest and largest parts into the window: two powers of two whose product
/// is that factor, which may be too large for one.
pub fn one_factor<T: Scalar>(smallest: T::Real, largest: T::Real) -> Option<[T::Real; 2]> {
    one_exponent::<T>(smallest.exponent(), largest.exponent()).map(|exponent| {
        let first = exponent.min(2 * T::Real::WINDOW);
        [first, exponent - first].map(|exponent| T::Real::ONE.scaled(exponent))
    })
}

/// The exponent of that factor. No entry falls below the normal range with it.
fn one_exponent<T: Scalar>(bottom: i32, top: i32) -> Option<i32> {
    (top - bottom <= 2 * T::Real::WINDOW - 2).then_some(T::Real::WINDOW - 1 - top)
}

/// Scales a finite matrix in place, if its magnitudes need it.
pub fn scale<T: Scalar>(matrix: &mut [T], order: usize) -> Option<Scaling> {
    let mut scaling = Scaling::default();
    scaling.scale(matrix, order).then_some(scaling)
}

impl Scaling {
    /// Scales a finite matrix in place, if its magnitudes need it. Returns whether they did; if not, nothing has
    /// changed.
    pub fn scale<T: Scalar>(&mut self, matrix: &mut [T], order: usize) -> bool {
        let (low, high) = window::<T>();
        let zero = T::Real::ZERO;
        let larger = |a: T::Real, b: T::Real| if b > a { b } else { a };
        let (mut smallest, mut largest) = (T::Real::from_f64(f64::INFINITY), zero);
        for element in matrix.iter().filter(|&&element| element.largest_part() > zero) {
            largest = larger(largest, element.largest_part());
            smallest = if element.smallest_part() < smallest { element.smallest_part() } else { smallest };
        }
        if smallest >= low && largest <= high {
            return false;
        }

        let Self { rows, columns, first_small, empty } = self;
        let (bottom, top) = (smallest.exponent(), largest.exponent());
        let mut lowest = -T::Real::WINDOW;
        rows.clear();
        columns.clear();
        if let Some(exponent) = one_exponent::<T>(bottom, top) {
            rows.resize(order, exponent);
            columns.resize(order, 0);
            lowest = -1;
        } else {
            for row in matrix.chunks_exact(order) {
                let largest = row.iter().map(|element| element.largest_part()).fold(zero, larger);
                rows.push(if largest > zero { -largest.exponent() } else { 0 });
            }
            for j in 0..order {
                let scaled = |i: usize| {
                    let part = matrix[i * order + j].largest_part();
                    (part > zero).then(|| part.exponent() + rows[i])
                };
                columns.push(-(0..order).filter_map(scaled).max().unwrap_or(0));
            }
        }

        *first_small = order;
        empty.clear();
        empty.resize(order, true);
        for (row, &own) in matrix.chunks_exact_mut(order).zip(&*rows) {
            for (j, element) in row.iter_mut().enumerate() {
                let smallest = element.smallest_part();
                if smallest > zero {
                    let exponent = own + columns[j];
                    if smallest.exponent() + exponent < lowest {
                        *first_small = j.min(*first_small);
                    }
                    empty[j] = false;
                    *element = element.flushed(exponent);
                }
            }
        }
        true
    }

    /// Turns the inverse of the scaled matrix, row by row in `elements`, into the inverse of the matrix itself.
    pub fn undo_all<T: Scalar>(&self, elements: &mut [T]) {
        for (i, row) in elements.chunks_exact_mut(self.rows.len()).enumerate() {
            for (j, element) in row.iter_mut().enumerate() {
                *element = self.undo(i, j, *element);
            }
        }
    }

    /// Element (i, j) of the inverse, from that of the scaled matrix.
    pub fn undo<T: Scalar>(&self, i: usize, j: usize, element: T) -> T {
        element.scaled(self.columns[i] + self.rows[j])
    }

    /// The status of a matrix with a zero pivot in `column`, counted from 0.
    pub fn zero_pivot(&self, column: usize) -> Status {
        let proves = column < self.first_small || self.empty[column];
        if proves { Status::singular(column + 1) } else { Status::NOT_FINITE }
    }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex;

    use super::*;

    /// 2^exponent
    fn power<T: Scalar>(exponent: i32) -> T {
        T::ONE.scaled(exponent)
    }

    #[test]
    fn matrices_in_the_window_are_left_alone() {
        for ends in [[-42, 42], [42, -42], [42, 42], [-42, -42]] {
            let mut matrix = [power::<f32>(ends[0]), 0.0, -0.0, -power::<f32>(ends[1])];
            let before = matrix;
            assert!(scale(&mut matrix, 2).is_none(), "{ends:?}");
            assert_eq!(matrix, before);
        }
        assert!(scale(&mut [0.0_f64; 9], 3).is_none(), "a zero matrix has no magnitudes");
        assert!(scale(&mut [Complex::new(0.0_f32, 1.0)], 1).is_none(), "a part that is 0 counts for nothing");
    }

    #[test]
    fn either_part_of_a_complex_number_can_leave_it() {
        for z in [Complex::new(power::<f64>(341), 1.0), Complex::new(1.0, power(341)), Complex::new(power(-341), 1.0)] {
            assert!(scale(&mut [z], 1).is_some(), "{z}");
        }
    }

    /// A single factor is used if it suffices, even if all magnitudes lie beyond the same end of the window.
    #[test]
    fn one_factor_keeps_the_proportions() {
        for shift in [-140, -127, -43, 43, 100, 120, 124] {
            let matrix = [1.0_f32, 0.5, 3.0, 8.0];
            let mut shifted = matrix.map(|x| x.scaled(shift));
            let scaling = scale(&mut shifted, 2).expect("beyond the window");
            assert!(scaling.rows.iter().all(|&row| row == scaling.rows[0]), "2^{shift}: {:?}", scaling.rows);
            assert!(scaling.columns.iter().all(|&column| column == 0), "2^{shift}: {:?}", scaling.columns);
            let factor = shifted[0];
            assert_eq!(shifted, matrix.map(|x| x * factor), "2^{shift}");
            assert!(shifted.iter().all(|x| x.exponent().abs() <= f32::WINDOW), "2^{shift}: {shifted:?}");
        }
    }

    #[test]
    fn rows_and_columns_if_one_factor_is_not_enough() {
        let mut matrix = [power::<f32>(-127), 0.0, 0.0, 0.0, power(127), 0.0, 0.0, 0.0, 4.0];
        let scaling = scale(&mut matrix, 3).expect("beyond the window");
        assert_eq!(matrix, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(scaling.first_small, 3, "nothing is small");
        assert_eq!([0, 1, 2].map(|i| scaling.undo(i, i, 1.0_f32)), [power(127), power(-127), 0.25]);
        assert_eq!(scaling.zero_pivot(2), Status::singular(3));
    }

    #[test]
    fn dropped_entries_are_remembered() {
        // Column 1 keeps 2^120 in row 1, beside which the 2^-120 of row 0 has no place.
        let mut matrix = [power::<f32>(120), power(-120), 0.0, power(120)];
        let scaling = scale(&mut matrix, 2).expect("beyond the window");
        assert_eq!((matrix[1], scaling.first_small), (0.0, 1));
        assert_eq!(scaling.zero_pivot(0), Status::singular(1), "left of it, a zero pivot still proves something");
        assert_eq!(scaling.zero_pivot(1), Status::NOT_FINITE);
    }

    #[test]
    fn a_zero_column_proves_itself() {
        let mut matrix = [power::<f32>(120), power(-120), 0.0, 0.0, power(120), 0.0, 1.0, 0.0, 0.0];
        let scaling = scale(&mut matrix, 3).expect("beyond the window");
        assert_eq!(scaling.first_small, 1);
        assert_eq!(scaling.zero_pivot(1), Status::NOT_FINITE);
        assert_eq!(scaling.zero_pivot(2), Status::singular(3));
    }

    /// For every exponent, the result is that of float64, which holds every product and rounds it once.
    #[test]
    fn a_power_of_two_rounds_once() {
        for x in [1.0_f32, -1.0, 1.999_999_9, 0.333_333_34, f32::MAX, f32::MIN_POSITIVE, 1e-40, -f32::from_bits(1), 0.0]
        {
            for exponent in -300..=300 {
                let exact = f64::from(x) * 2.0_f64.powi(exponent);
                assert_eq!(x.scaled(exponent).to_bits(), (exact as f32).to_bits(), "{x:e} times 2^{exponent}");
                let flushed = if exact.abs() < f64::from(f32::MIN_POSITIVE) { 0.0 } else { exact as f32 };
                assert_eq!(x.flushed(exponent), flushed, "{x:e} times 2^{exponent}");
            }
        }
    }

    #[test]
    fn undoing_rounds_once_and_overflows() {
        let mut matrix = [power::<f32>(120)];
        let scaling = scale(&mut matrix, 1).expect("beyond the window");
        let down = scaling.rows[0];
        // A number that ends up between two subnormal ones, at 2^-149 apart, goes to the even one.
        assert_eq!(scaling.undo(0, 0, 1.5_f32.scaled(-149 - down)), power::<f32>(-148));
        assert_eq!(scaling.undo(0, 0, 2.5_f32.scaled(-149 - down)), power::<f32>(-148));
        assert_eq!(scaling.undo(0, 0, 0.5_f32.scaled(-149 - down)), 0.0);
        let scaling = scale(&mut [power::<f32>(-120)], 1).expect("beyond the window");
        let up = scaling.rows[0];
        assert_eq!([127, 128].map(|e| scaling.undo(0, 0, power::<f32>(e - up))), [power(127), f32::INFINITY]);
    }
}
