//! Exact power-of-two scaling for matrices whose magnitudes come near underflow or overflow.
//!
//! A matrix A whose nonzero parts all lie between 2^-w and 2^w ([`Real::WINDOW`]) is left alone. Any other is replaced
//! by R A C, with powers of two on the diagonals of R and C; its inverse Y gives A^-1 = C Y R. If a single factor
//! brings the whole matrix into the window, it is used, so that pivots and digits are those of the unscaled matrix.
//! Otherwise rows, then columns, are scaled to have their largest part in [1, 2), as LAPACK's xGEEQUB does.
//! (The CPU engine inverts numbers and real 2x2 matrices without such factors: `src/cpu/balance/small.rs`.)
//!
//! A single factor brings the largest part to the upper end of the window; row and column factors bring theirs to its
//! middle. Entries that then fall below the normal range are dropped, and products of entries more than 2^w smaller
//! than the largest may underflow. From the first column with such an entry on, a zero pivot therefore proves nothing,
//! unless its whole column is zero.
//!
//! For A X = B, each column of B is always scaled by a power of two of its own, and what overflows and underflows on
//! the way is then what would do so in the inverse: (R A C) y = R b 2^t, and x = C y 2^-t. So x for 2^k b has the
//! digits of x for b. A column that ranges further than the normal numbers is scaled to be as large as y may be where x
//! is finite; elements that still fall below the normal range are dropped.

use super::scalar::{Real, Scalar};
use super::status::Status;

/// The window of pairs of float32, whose rounding errors are 2^48 times smaller than the products that they come from,
/// and must not underflow where they matter: those of products of two of its smallest numbers are above 2^-108.
#[cfg(feature = "gpu")]
pub const PAIRS_WINDOW: i32 = 30;

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

/// The exponent of the one factor that brings a matrix with these smallest and largest exponents into the window, if
/// there is one. No entry falls below the normal range with it.
pub fn one_exponent<T: Scalar>(bottom: i32, top: i32) -> Option<i32> {
    (top - bottom <= 2 * T::Real::WINDOW - 2).then_some(T::Real::WINDOW - 1 - top)
}

/// The exponent t by which a column with these smallest and largest exponents is scaled: its largest part comes into
/// [1, 2), or above if its smallest would otherwise fall below the normal range, but not beyond the window. And not so
/// far that y = x 2^t / C could overflow and x not: `least` is the smallest exponent of C.
pub fn rhs_exponent<T: Scalar>(bottom: i32, top: i32, least: i32) -> i32 {
    let most = least.min(T::Real::WINDOW - 1 - top).max(-top);
    (T::Real::MIN_EXPONENT - bottom).clamp(-top, most)
}

/// The exponents that bring the largest part of every row, and then of every column, into [1, 2); 0 for those that are
/// zero.
pub fn equilibrate<T: Scalar>(matrix: &[T], order: usize, rows: &mut Vec<i32>, columns: &mut Vec<i32>) {
    let largest = |element: &T| element.exponents().map(|[_, largest]| largest);
    rows.clear();
    columns.clear();
    columns.resize(order, i32::MIN);
    for row in matrix.chunks_exact(order) {
        let own = row.iter().filter_map(largest).max().map_or(0, |largest| -largest);
        rows.push(own);
        for (top, exponent) in columns.iter_mut().zip(row.iter().map(largest)) {
            *top = exponent.map_or(*top, |exponent| (exponent + own).max(*top));
        }
    }
    for top in columns.iter_mut() {
        *top = if *top == i32::MIN { 0 } else { -*top };
    }
}

/// Returns whether a zero pivot always proves that a matrix is singular: at order 2, no product of real numbers that
/// decides can underflow, since after scaling each row and each column has a large element.
pub const fn proves_alone<T: Scalar>(order: usize) -> bool {
    order <= 2 && size_of::<T>() == size_of::<T::Real>()
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
        let high = window::<T>().1;
        let below_high = |element: &T| element.largest_part() <= high;
        let (mut bottom, mut top, mut inside) = (i32::MAX, i32::MIN, true);
        for (element, [smallest, largest]) in matrix.iter().filter_map(|element| Some((element, element.exponents()?)))
        {
            (bottom, top) = (bottom.min(smallest), top.max(largest));
            inside &= below_high(element);
        }
        if bottom >= -T::Real::WINDOW && inside {
            return false;
        }

        let Self { rows, columns, first_small, empty } = self;
        let mut lowest = -T::Real::WINDOW;
        if let Some(exponent) = one_exponent::<T>(bottom, top) {
            rows.clear();
            columns.clear();
            rows.resize(order, exponent);
            columns.resize(order, 0);
            lowest = -1;
        } else {
            equilibrate(matrix, order, rows, columns);
        }

        *first_small = order;
        empty.clear();
        empty.resize(order, true);
        for (row, &own) in matrix.chunks_exact_mut(order).zip(&*rows) {
            for (j, element) in row.iter_mut().enumerate() {
                if let Some([smallest, _]) = element.exponents() {
                    let exponent = own + columns[j];
                    if smallest + exponent < lowest {
                        *first_small = j.min(*first_small);
                    }
                    empty[j] = false;
                    *element = element.flushed(exponent);
                }
            }
        }
        if proves_alone::<T>(order) {
            *first_small = order;
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

    /// The exponent by which row i is scaled.
    pub fn row(&self, i: usize) -> i32 {
        self.rows[i]
    }

    /// The exponent by which column j is scaled.
    pub fn column(&self, j: usize) -> i32 {
        self.columns[j]
    }

    /// The smallest exponent of a column.
    pub fn least_column(&self) -> i32 {
        self.columns.iter().copied().min().unwrap_or(0)
    }

    /// The sum of all exponents, by which that of the determinant is too large.
    pub fn sum(&self) -> i32 {
        self.rows.iter().chain(&self.columns).sum()
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
        let mut matrix = [power::<f32>(120), power(-120), 0.0, 0.0, power(120), 0.0, 0.0, 0.0, power(120)];
        let scaling = scale(&mut matrix, 3).expect("beyond the window");
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
