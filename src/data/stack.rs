//! Stacks: square matrices of one order, row-major, one after another.
//!
//! A [`Stack`] is the proof that elements, order and length fit together; the rest of the crate relies on it.

use approx::{AbsDiffEq, RelativeEq, UlpsEq};

use super::error::ShapeError;
use super::scalar::Scalar;

/// `len` square matrices of one `order` n, row-major, one after another, borrowed.
///
/// Element (i, j) of matrix m lies at `m * n * n + i * n + j`.
///
/// ```
/// let elements = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let stack = batchinv::Stack::new(&elements, 2)?;
/// assert_eq!((stack.len(), stack.order()), (2, 2));
/// assert_eq!(stack.matrix(1), [5.0, 6.0, 7.0, 8.0]);
/// # Ok::<(), batchinv::ShapeError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stack<'a, T> {
    elements: &'a [T],
    order: usize,
    len: usize,
}

impl<'a, T: Scalar> Stack<'a, T> {
    /// A stack of matrices of `order`, as many as `elements` holds.
    ///
    /// # Errors
    /// [`ShapeError::NotWhole`] if the number of elements is not a multiple of order^2, [`ShapeError::UnknownLength`]
    /// if the order is 0: use [`Stack::with_len`] then. [`ShapeError::TooLarge`] if order^2 overflows.
    pub fn new(elements: &'a [T], order: usize) -> Result<Self, ShapeError> {
        if order == 0 {
            return Err(ShapeError::UnknownLength);
        }
        let size = order.checked_mul(order).ok_or(ShapeError::TooLarge { order, len: 1 })?;
        if !elements.len().is_multiple_of(size) {
            return Err(ShapeError::NotWhole { elements: elements.len(), order });
        }
        Ok(Self { elements, order, len: elements.len() / size })
    }

    /// A stack of exactly `len` matrices of `order`; either may be 0.
    ///
    /// ```
    /// use batchinv::{ShapeError, Stack};
    /// assert_eq!(Stack::<f64>::with_len(&[], 0, 3)?.len(), 3);
    /// assert!(matches!(Stack::with_len(&[1.0_f64; 8], 2, 3), Err(ShapeError::Length { needed: 12, .. })));
    /// # Ok::<(), ShapeError>(())
    /// ```
    ///
    /// # Errors
    /// [`ShapeError::Length`] if the number of elements is not len * order^2, [`ShapeError::TooLarge`] if that product
    /// overflows.
    pub fn with_len(elements: &'a [T], order: usize, len: usize) -> Result<Self, ShapeError> {
        let needed = elements_of(order, len)?;
        if elements.len() != needed {
            return Err(ShapeError::Length { elements: elements.len(), order, len, needed });
        }
        Ok(Self { elements, order, len })
    }

    /// All elements, matrix after matrix, row after row.
    pub fn elements(&self) -> &'a [T] {
        self.elements
    }

    /// The n of n x n.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The number of matrices.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the stack is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The order^2 elements of matrix `index`, row after row.
    ///
    /// # Panics
    /// If `index` is not below [`Stack::len`].
    pub fn matrix(&self, index: usize) -> &'a [T] {
        assert!(index < self.len, "matrix {index} of a stack of {}", self.len);
        let size = self.order * self.order;
        &self.elements[index * size..][..size]
    }

    /// The matrices, first to last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [T]> + use<'a, T> {
        let stack = *self;
        (0..stack.len).map(move |index| stack.matrix(index))
    }

    /// The matrices of a range of positions, as a stack.
    ///
    /// ```
    /// let elements = [1.0_f32, 2.0, 3.0, 4.0];
    /// let stack = batchinv::Stack::new(&elements, 1)?;
    /// assert_eq!(stack.slice(1..3).elements(), [2.0, 3.0]);
    /// # Ok::<(), batchinv::ShapeError>(())
    /// ```
    ///
    /// # Panics
    /// If the range does not lie within the stack.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len, "matrices {range:?} of a stack of {}", self.len);
        let size = self.order * self.order;
        Self { elements: &self.elements[range.start * size..range.end * size], order: self.order, len: range.len() }
    }

    /// The product `self[m] * right[m]` of each pair of matrices.
    ///
    /// Sums run in the scalar's own precision, in the order of the columns. Meant for checks such as A A^-1 = I; it is
    /// not tuned.
    ///
    /// ```
    /// use approx::assert_abs_diff_eq;
    /// use batchinv::{Stack, StackBuf};
    /// let a = [4.0_f64, 7.0, 2.0, 6.0];
    /// let a = Stack::new(&a, 2)?;
    /// let x = batchinv::inv(a)?;
    /// assert_abs_diff_eq!(a.product(x.view())?, StackBuf::identity(2, 1), epsilon = 1e-15);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ShapeError::Mismatch`] if order or length differ.
    pub fn product(&self, right: Stack<'_, T>) -> Result<StackBuf<T>, ShapeError> {
        if (self.order, self.len) != (right.order, right.len) {
            return Err(ShapeError::Mismatch {
                left_len: self.len,
                left_order: self.order,
                right_len: right.len,
                right_order: right.order,
            });
        }
        let n = self.order;
        let mut elements = Vec::with_capacity(self.elements.len());
        for (a, b) in self.iter().zip(right.iter()) {
            for i in 0..n {
                for j in 0..n {
                    elements.push((0..n).fold(T::ZERO, |sum, k| sum + a[i * n + k] * b[k * n + j]));
                }
            }
        }
        Ok(StackBuf { elements, order: n, len: self.len })
    }
}

/// A [`Stack`] that owns its elements.
///
/// ```
/// use batchinv::StackBuf;
/// let mut stack = StackBuf::new(vec![1.0_f64, 0.0, 0.0, 1.0], 2)?;
/// assert_eq!(stack, StackBuf::identity(2, 1));
/// stack.elements_mut()[0] = 5.0;
/// assert_eq!(stack.matrix(0), [5.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), batchinv::ShapeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StackBuf<T> {
    elements: Vec<T>,
    order: usize,
    len: usize,
}

impl<T: Scalar> StackBuf<T> {
    /// A stack of matrices of `order`, as many as `elements` holds.
    ///
    /// # Errors
    /// The same as for [`Stack::new`].
    pub fn new(elements: Vec<T>, order: usize) -> Result<Self, ShapeError> {
        let len = Stack::new(&elements, order)?.len;
        Ok(Self { elements, order, len })
    }

    /// A stack of exactly `len` matrices of `order`; either may be 0.
    ///
    /// # Errors
    /// The same as for [`Stack::with_len`].
    pub fn with_len(elements: Vec<T>, order: usize, len: usize) -> Result<Self, ShapeError> {
        Stack::with_len(&elements, order, len)?;
        Ok(Self { elements, order, len })
    }

    /// `len` identity matrices.
    ///
    /// # Panics
    /// If memory cannot hold len * order^2 elements.
    pub fn identity(order: usize, len: usize) -> Self {
        let mut stack = Self::zeros(order, len).expect("an identity stack that memory can hold");
        for m in 0..len {
            for i in 0..order {
                stack.elements[(m * order + i) * order + i] = T::ONE;
            }
        }
        stack
    }

    pub(crate) fn zeros(order: usize, len: usize) -> Result<Self, ShapeError> {
        Ok(Self { elements: zeroed(elements_of(order, len)?, order, len)?, order, len })
    }

    /// Borrows the stack.
    pub fn view(&self) -> Stack<'_, T> {
        Stack { elements: &self.elements, order: self.order, len: self.len }
    }

    /// The n of n x n.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The number of matrices.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the stack is empty.
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

    /// Consumes the stack and returns its elements.
    pub fn into_elements(self) -> Vec<T> {
        self.elements
    }

    /// The order^2 elements of matrix `index`, row after row.
    ///
    /// # Panics
    /// If `index` is not below [`StackBuf::len`].
    pub fn matrix(&self, index: usize) -> &[T] {
        self.view().matrix(index)
    }
}

/// `count` zeros for a stack of this order and length, if there is memory for them.
pub(crate) fn zeroed<Z: bytemuck::Zeroable>(count: usize, order: usize, len: usize) -> Result<Vec<Z>, ShapeError> {
    bytemuck::allocation::try_zeroed_vec(count).map_err(|()| ShapeError::TooLarge { order, len })
}

/// len * order^2, if memory can address that many elements.
fn elements_of(order: usize, len: usize) -> Result<usize, ShapeError> {
    order
        .checked_mul(order)
        .and_then(|size| size.checked_mul(len))
        .filter(|&elements| elements <= isize::MAX as usize / 16)
        .ok_or(ShapeError::TooLarge { order, len })
}

/// Implements equality and approx's traits: two stacks are equal, or close, if order and length agree and every pair of
/// elements is equal, or close.
macro_rules! compare {
    ($left:ty, $right:ty) => {
        impl<T: PartialEq> PartialEq<$right> for $left {
            fn eq(&self, other: &$right) -> bool {
                (self.order, self.len) == (other.order, other.len) && self.elements[..] == other.elements[..]
            }
        }

        impl<T: AbsDiffEq> AbsDiffEq<$right> for $left
        where
            T::Epsilon: Clone,
        {
            type Epsilon = T::Epsilon;

            fn default_epsilon() -> T::Epsilon {
                T::default_epsilon()
            }

            fn abs_diff_eq(&self, other: &$right, epsilon: T::Epsilon) -> bool {
                (self.order, self.len) == (other.order, other.len)
                    && self.elements[..].abs_diff_eq(&other.elements[..], epsilon)
            }
        }

        impl<T: RelativeEq> RelativeEq<$right> for $left
        where
            T::Epsilon: Clone,
        {
            fn default_max_relative() -> T::Epsilon {
                T::default_max_relative()
            }

            fn relative_eq(&self, other: &$right, epsilon: T::Epsilon, max_relative: T::Epsilon) -> bool {
                (self.order, self.len) == (other.order, other.len)
                    && self.elements[..].relative_eq(&other.elements[..], epsilon, max_relative)
            }
        }

        impl<T: UlpsEq> UlpsEq<$right> for $left
        where
            T::Epsilon: Clone,
        {
            fn default_max_ulps() -> u32 {
                T::default_max_ulps()
            }

            fn ulps_eq(&self, other: &$right, epsilon: T::Epsilon, max_ulps: u32) -> bool {
                (self.order, self.len) == (other.order, other.len)
                    && self.elements[..].ulps_eq(&other.elements[..], epsilon, max_ulps)
            }
        }
    };
}

compare!(StackBuf<T>, StackBuf<T>);
compare!(Stack<'_, T>, Stack<'_, T>);
compare!(Stack<'_, T>, StackBuf<T>);
compare!(StackBuf<T>, Stack<'_, T>);
