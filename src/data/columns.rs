//! Columns beside a stack: right-hand sides and solutions, row-major, one after another.

use super::error::ShapeError;
use super::scalar::Scalar;
use super::stack::zeroed;

/// `len` matrices of `order` rows and `width` columns, row-major, one after another, borrowed: the right-hand sides B
/// of systems A X = B.
///
/// Element (i, c) of matrix m lies at `(m * order + i) * width + c`.
///
/// ```
/// let elements = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let columns = batchinv::Columns::new(&elements, 3, 1)?;
/// assert_eq!((columns.len(), columns.order(), columns.width()), (2, 3, 1));
/// assert_eq!(columns.matrix(1), [4.0, 5.0, 6.0]);
/// # Ok::<(), batchinv::ShapeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Columns<'a, T> {
    elements: &'a [T],
    order: usize,
    width: usize,
    len: usize,
}

impl<'a, T: Scalar> Columns<'a, T> {
    /// Right-hand sides of `order` rows and `width` columns, as many as `elements` holds.
    ///
    /// # Errors
    /// [`ShapeError::ColumnsNotWhole`] if the number of elements is not a multiple of order * width,
    /// [`ShapeError::UnknownLength`] if that product is 0: use [`Columns::with_len`] then.
    /// [`ShapeError::ColumnsTooLarge`] if it overflows.
    pub fn new(elements: &'a [T], order: usize, width: usize) -> Result<Self, ShapeError> {
        let size = elements_of(order, width, 1)?;
        if size == 0 {
            return Err(ShapeError::UnknownLength);
        }
        if !elements.len().is_multiple_of(size) {
            return Err(ShapeError::ColumnsNotWhole { elements: elements.len(), order, width });
        }
        Ok(Self { elements, order, width, len: elements.len() / size })
    }

    /// Exactly `len` right-hand sides of `order` rows and `width` columns; each may be 0.
    ///
    /// # Errors
    /// [`ShapeError::ColumnsLength`] if the number of elements is not len * order * width,
    /// [`ShapeError::ColumnsTooLarge`] if that product overflows.
    pub fn with_len(elements: &'a [T], order: usize, width: usize, len: usize) -> Result<Self, ShapeError> {
        let needed = elements_of(order, width, len)?;
        if elements.len() != needed {
            return Err(ShapeError::ColumnsLength { elements: elements.len(), order, width, len, needed });
        }
        Ok(Self { elements, order, width, len })
    }

    /// All elements, matrix after matrix, row after row.
    pub fn elements(&self) -> &'a [T] {
        self.elements
    }

    /// The number of rows, the n of the n x n matrices that these columns stand beside.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of right-hand sides.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The order * width elements of right-hand side `index`, row after row.
    ///
    /// # Panics
    /// If `index` is not below [`Columns::len`].
    pub fn matrix(&self, index: usize) -> &'a [T] {
        self.slice(index..index + 1).elements
    }

    /// The right-hand sides, first to last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [T]> + use<'a, T> {
        let columns = *self;
        (0..columns.len).map(move |index| columns.matrix(index))
    }

    /// Those of a range of positions.
    ///
    /// # Panics
    /// If the range does not lie within them.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len, "right-hand sides {range:?} of {}", self.len);
        let size = self.order * self.width;
        Self { elements: &self.elements[range.start * size..range.end * size], len: range.len(), ..*self }
    }
}

/// [`Columns`] that own their elements: the solutions X of systems A X = B.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnsBuf<T> {
    elements: Vec<T>,
    order: usize,
    width: usize,
    len: usize,
}

impl<T: Scalar> ColumnsBuf<T> {
    /// Matrices of `order` rows and `width` columns, as many as `elements` holds.
    ///
    /// # Errors
    /// The same as for [`Columns::new`].
    pub fn new(elements: Vec<T>, order: usize, width: usize) -> Result<Self, ShapeError> {
        let len = Columns::new(&elements, order, width)?.len;
        Ok(Self { elements, order, width, len })
    }

    /// Exactly `len` matrices of `order` rows and `width` columns; each may be 0.
    ///
    /// # Errors
    /// The same as for [`Columns::with_len`].
    pub fn with_len(elements: Vec<T>, order: usize, width: usize, len: usize) -> Result<Self, ShapeError> {
        Columns::with_len(&elements, order, width, len)?;
        Ok(Self { elements, order, width, len })
    }

    pub(crate) fn zeros(order: usize, width: usize, len: usize) -> Result<Self, ShapeError> {
        let too_large = ShapeError::ColumnsTooLarge { order, width, len };
        let elements = zeroed(elements_of(order, width, len)?, order, len).map_err(|_| too_large)?;
        Ok(Self { elements, order, width, len })
    }

    /// Borrows them.
    pub fn view(&self) -> Columns<'_, T> {
        Columns { elements: &self.elements, order: self.order, width: self.width, len: self.len }
    }

    /// The number of rows.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of matrices.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All elements, matrix after matrix, row after row.
    pub fn elements(&self) -> &[T] {
        &self.elements
    }

    /// All elements, mutably.
    pub fn elements_mut(&mut self) -> &mut [T] {
        &mut self.elements
    }

    /// Consumes them and returns the elements.
    pub fn into_elements(self) -> Vec<T> {
        self.elements
    }

    /// The order * width elements of matrix `index`, row after row.
    ///
    /// # Panics
    /// If `index` is not below [`ColumnsBuf::len`].
    pub fn matrix(&self, index: usize) -> &[T] {
        self.view().matrix(index)
    }
}

/// len * order * width, if memory can address that many elements.
fn elements_of(order: usize, width: usize, len: usize) -> Result<usize, ShapeError> {
    order
        .checked_mul(width)
        .and_then(|size| size.checked_mul(len))
        .filter(|&elements| elements <= isize::MAX as usize / 16)
        .ok_or(ShapeError::ColumnsTooLarge { order, width, len })
}
