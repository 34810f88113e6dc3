//! The shape of an array as a stack: NumPy's rule (..., n, n), once for every front end.

use super::error::ShapeError;

/// The shape (..., n, n): leading axes, an order, and the number of matrices that they make.
///
/// ```
/// use batchinv::{Shape, ShapeError};
/// let shape = Shape::new(&[2, 3, 4, 4])?;
/// assert_eq!((shape.leading(), shape.order(), shape.len()), (&[2, 3][..], 4, 6));
/// assert_eq!(shape.index(5), [1, 2]);
/// assert_eq!(Shape::new(&[3, 4]), Err(ShapeError::NotSquare { rows: 3, columns: 4 }));
/// # Ok::<(), ShapeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape<'a> {
    leading: &'a [usize],
    order: usize,
    len: usize,
}

impl<'a> Shape<'a> {
    /// Takes the last two axes for rows and columns.
    ///
    /// # Errors
    /// [`ShapeError::TooFewAxes`] if there are fewer than two axes, [`ShapeError::NotSquare`] if the last two differ,
    /// [`ShapeError::TooLarge`] if the product of the leading axes overflows.
    pub fn new(axes: &'a [usize]) -> Result<Self, ShapeError> {
        let [leading @ .., rows, columns] = axes else {
            return Err(ShapeError::TooFewAxes { axes: axes.len() });
        };
        if rows != columns {
            return Err(ShapeError::NotSquare { rows: *rows, columns: *columns });
        }
        let len = if leading.contains(&0) {
            Some(0)
        } else {
            leading.iter().try_fold(1_usize, |len, &axis| len.checked_mul(axis))
        };
        let len = len.ok_or(ShapeError::TooLarge { order: *rows, len: usize::MAX })?;
        Ok(Self { leading, order: *rows, len })
    }

    /// The axes before the last two: the shape of the statuses.
    pub const fn leading(self) -> &'a [usize] {
        self.leading
    }

    /// The n of n x n.
    pub const fn order(self) -> usize {
        self.order
    }

    /// The number of matrices: the product of the leading axes.
    #[allow(clippy::len_without_is_empty, reason = "it counts matrices; a shape is never empty itself")]
    pub const fn len(self) -> usize {
        self.len
    }

    /// The index of matrix `position` along each leading axis.
    ///
    /// # Panics
    /// If `position` is not below [`Shape::len`].
    pub fn index(self, position: usize) -> Vec<usize> {
        assert!(position < self.len, "matrix {position} of {}", self.len);
        let mut rest = position;
        let mut index: Vec<usize> = self.leading.iter().rev().map(|&axis| (rest % axis, rest /= axis).0).collect();
        index.reverse();
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_length_axes_never_overflow() {
        assert_eq!(Shape::new(&[usize::MAX, 0, usize::MAX, 3, 3]).map(Shape::len), Ok(0));
        assert!(matches!(Shape::new(&[usize::MAX, 2, 0, 0]), Err(ShapeError::TooLarge { .. })));
        assert_eq!(Shape::new(&[7]), Err(ShapeError::TooFewAxes { axes: 1 }));
    }

    #[test]
    fn positions_count_the_last_axis_first() {
        let axes = [2, 3, 5, 5];
        let shape = Shape::new(&axes).unwrap();
        assert_eq!(
            (0..6).map(|position| shape.index(position)).collect::<Vec<_>>(),
            [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
        );
        assert!(Shape::new(&[4, 4]).unwrap().index(0).is_empty());
    }
}
