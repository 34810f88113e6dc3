//! The shapes of matrices and right-hand sides as systems: the rules of NumPy's `solve`, once for every front end.

use super::error::ShapeError;
use super::shape::Shape;

/// The systems that matrices of shape (..., n, n) and right-hand sides make together, by the rules of
/// `np.linalg.solve` since NumPy 2: (n,) is one vector for all matrices, any other right-hand side is (..., n, k), and
/// the leading axes broadcast.
///
/// ```
/// use batchinv::SystemShape;
/// let shape = SystemShape::new(&[3, 1, 4, 4], &[5, 4, 2])?;
/// assert_eq!((shape.leading(), shape.order(), shape.width(), shape.len()), (&[3, 5][..], 4, 2, 15));
/// assert_eq!(shape.solutions(), [3, 5, 4, 2]);
/// assert_eq!(SystemShape::new(&[3, 4, 4], &[4])?.solutions(), [3, 4]);
/// # Ok::<(), batchinv::ShapeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SystemShape {
    leading: Vec<usize>,
    order: usize,
    width: usize,
    len: usize,
    is_vector: bool,
}

impl SystemShape {
    /// The systems of matrices and right-hand sides with these axes.
    ///
    /// # Errors
    /// Those of [`Shape::new`] for the matrices; [`ShapeError::RhsWithoutAxes`], [`ShapeError::RhsRows`],
    /// [`ShapeError::Broadcast`] if the right-hand sides do not go with them, [`ShapeError::ColumnsTooLarge`] if the
    /// solutions have more elements than memory can address.
    pub fn new(matrices: &[usize], rhs: &[usize]) -> Result<Self, ShapeError> {
        let a = Shape::new(matrices)?;
        let order = a.order();
        let (rhs_leading, rows, width) = match *rhs {
            [] => return Err(ShapeError::RhsWithoutAxes),
            [rows] => (&[][..], rows, 1),
            [ref leading @ .., rows, width] => (leading, rows, width),
        };
        if rows != order {
            return Err(ShapeError::RhsRows { axes: rhs.to_vec(), rows, order });
        }
        let leading = broadcast(a.leading(), rhs_leading).ok_or_else(|| ShapeError::Broadcast {
            leading: a.leading().to_vec(),
            rhs_leading: rhs_leading.to_vec(),
        })?;
        // Like ndarray and NumPy, counts an axis of length zero as one.
        let elements = [&leading[..], &[order, width]].concat().into_iter().try_fold(1_usize, |elements, axis| {
            elements.checked_mul(axis.max(1)).filter(|&elements| elements <= isize::MAX as usize / 16)
        });
        if elements.is_none() {
            let len = leading.iter().fold(1, |len: usize, &axis| len.saturating_mul(axis));
            return Err(ShapeError::ColumnsTooLarge { order, width, len });
        }
        let len = leading.iter().product();
        Ok(Self { leading, order, width, len, is_vector: rhs.len() == 1 })
    }

    /// The axes of the statuses.
    pub fn leading(&self) -> &[usize] {
        &self.leading
    }

    /// The n of n x n.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The columns of a right-hand side.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of systems: the product of the leading axes.
    #[allow(clippy::len_without_is_empty, reason = "it counts systems; a shape is never empty itself")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The axes of the solutions: (..., n) if the right-hand side is one vector, otherwise (..., n, k).
    pub fn solutions(&self) -> Vec<usize> {
        let trailing = [self.order, self.width];
        [&self.leading, &trailing[..if self.is_vector { 1 } else { 2 }]].concat()
    }
}

/// The axes that two lists of leading axes make together: from the last one on, they are equal, or one of them is 1 or
/// missing.
fn broadcast(one: &[usize], two: &[usize]) -> Option<Vec<usize>> {
    let axes = one.len().max(two.len());
    let axis = |list: &[usize], i: usize| (i + list.len()).checked_sub(axes).map_or(1, |i| list[i]);
    let together = |i| match (axis(one, i), axis(two, i)) {
        (same, other) if same == other => Some(same),
        (1, other) | (other, 1) => Some(other),
        _ => None,
    };
    (0..axes).map(together).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_broadcast_as_in_numpy() {
        for (one, two, wanted) in [
            (&[][..], &[][..], Some(&[][..])),
            (&[3], &[], Some(&[3])),
            (&[3, 1], &[1, 5], Some(&[3, 5])),
            (&[5], &[2, 1], Some(&[2, 5])),
            (&[0], &[1], Some(&[0])),
            (&[0], &[2, 0], Some(&[2, 0])),
            (&[2], &[3], None),
            (&[0], &[3], None),
            (&[2, 3], &[2], None),
        ] {
            assert_eq!(broadcast(one, two).as_deref(), wanted, "{one:?} {two:?}");
            assert_eq!(broadcast(two, one).as_deref(), wanted, "{two:?} {one:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |a: &[usize], b: &[usize]| SystemShape::new(a, b).unwrap_err().to_string();
        let told = "right-hand sides of shape [5, 4] have 5 rows, the matrices have order 4: a stack of vectors has a \
                    last axis of 1";
        assert_eq!(error(&[5, 4, 4], &[5, 4]), told);
        assert_eq!(error(&[4, 4], &[3]), "right-hand sides of shape [3] have 3 rows, the matrices have order 4");
        let told = "the leading axes of the matrices, [2], do not broadcast with those of the right-hand sides, [3]";
        assert_eq!(error(&[2, 4, 4], &[3, 4, 1]), told);
        assert_eq!(error(&[4, 4], &[]), "0-dimensional right-hand side given. It must be at least one-dimensional");
        assert_eq!(SystemShape::new(&[4], &[4]), Err(ShapeError::TooFewAxes { axes: 1 }));
        let large = SystemShape::new(&[1 << 31, 1, 0, 0], &[1 << 31, 0, 9]);
        assert!(matches!(large, Err(ShapeError::ColumnsTooLarge { .. })), "{large:?}");
    }
}
