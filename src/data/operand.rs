//! The input of an engine: matrices and, for systems, right-hand sides. Of both there is one per system, or one for
//! all.

use std::ops::Range;

use super::columns::Columns;
use super::scalar::Scalar;
use super::stack::Stack;

/// The matrices of some systems, and their right-hand sides if there are any.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a, T> {
    /// The n of n x n.
    pub order: usize,
    /// The columns of a right-hand side, or 0.
    pub width: usize,
    /// The number of systems.
    pub len: usize,
    pub a: Operand<'a, T>,
    pub b: Operand<'a, T>,
}

impl<'a, T: Scalar> Given<'a, T> {
    /// Matrices alone.
    pub fn matrices(stack: Stack<'a, T>) -> Self {
        let (order, len) = (stack.order(), stack.len());
        let a = Operand::new(stack.elements(), order * order, len);
        Self { order, width: 0, len, a, b: Operand::new(&[], 0, len) }
    }

    /// `len` systems, which the matrices and right-hand sides make.
    pub fn systems(a: Stack<'a, T>, b: Columns<'a, T>, len: usize) -> Self {
        let (order, width) = (a.order(), b.width());
        let b = Operand::new(b.elements(), order * width, len);
        Self { order, width, len, a: Operand::new(a.elements(), order * order, len), b }
    }

    /// The systems from `first` on.
    pub fn from(self, first: usize) -> Self {
        let rest = first..self.len;
        Self { len: rest.len(), a: self.a.slice(rest.clone()), b: self.b.slice(rest), ..self }
    }
}

/// Matrices or right-hand sides, one after another, or one for all systems.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a, T> {
    elements: &'a [T],
    /// Elements of one.
    size: usize,
    repeated: bool,
}

impl<'a, T: Scalar> Operand<'a, T> {
    /// The matrices or right-hand sides of `len` systems, of `size` elements each; or a single one for all.
    pub fn new(elements: &'a [T], size: usize, len: usize) -> Self {
        Self { elements, size, repeated: elements.len() != size * len }
    }

    /// All elements.
    pub fn elements(&self) -> &'a [T] {
        self.elements
    }

    /// The number of elements of one.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns whether it is one for all systems.
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// The same operand of a scalar that is known to be `U`.
    pub fn of<U: Scalar>(self) -> Operand<'a, U> {
        let Self { elements, size, repeated } = self;
        Operand { elements: bytemuck::cast_slice(elements), size, repeated }
    }

    /// The part that belongs to a range of systems.
    pub fn slice(self, systems: Range<usize>) -> Self {
        let elements = if self.repeated {
            self.elements
        } else {
            &self.elements[systems.start * self.size..systems.end * self.size]
        };
        Self { elements, ..self }
    }

    /// The matrix or right-hand side of one system.
    pub fn at(&self, system: usize) -> &'a [T] {
        &self.elements[if self.repeated { 0 } else { system * self.size }..][..self.size]
    }
}
