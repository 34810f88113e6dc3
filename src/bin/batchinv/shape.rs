//! The shape (..., n, n) of an array as a stack of matrices, and indexes into it as Python writes them.

use std::fmt::Write;

use batchinv::ShapeError;

/// Most matrices of order 0. They take no bytes in the file but a status each, and a header of 128 bytes must not cost
/// gigabytes.
const MAX_EMPTY: usize = 1 << 24;

/// The shape (..., n, n).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// All axes.
    pub axes: Vec<usize>,
    /// The n of n x n.
    pub order: usize,
    /// The number of matrices: the product of the leading axes.
    pub len: usize,
}

impl Shape {
    /// The shape with these axes, whose product does not overflow, or the reason why they make no stack.
    pub fn new(axes: Vec<usize>) -> Result<Self, String> {
        let shape = batchinv::Shape::new(&axes).map_err(|error| match error {
            ShapeError::TooFewAxes { .. } => format!("its shape is {}: matrices need at least 2 axes", tuple(&axes)),
            ShapeError::NotSquare { .. } => {
                format!("its shape is {}: the last two axes must be equal, the matrices square", tuple(&axes))
            }
            other => format!("its shape is {}: {other}", tuple(&axes)),
        })?;
        let (order, len) = (shape.order(), shape.len());
        if order == 0 && len > MAX_EMPTY {
            let shape = tuple(&axes);
            return Err(format!("its shape is {shape}: at most {MAX_EMPTY} matrices of order 0 are supported"));
        }
        Ok(Self { axes, order, len })
    }

    /// The axes before the last two.
    pub fn leading(&self) -> &[usize] {
        &self.axes[..self.axes.len() - 2]
    }

    /// The index of matrix `position` along each leading axis.
    pub fn index(&self, position: usize) -> Vec<usize> {
        batchinv::Shape::new(&self.axes).map_or_else(|_| Vec::new(), |shape| shape.index(position))
    }

    /// That index in words: `17` with one leading axis, `(1, 2)` with several, empty with none.
    pub fn place(&self, position: usize) -> String {
        match &self.index(position)[..] {
            [] => String::new(),
            [index] => index.to_string(),
            index => tuple(index),
        }
    }
}

/// A tuple as Python writes it.
pub fn tuple(axes: &[usize]) -> String {
    if let [one] = axes {
        return format!("({one},)");
    }
    let mut text = String::from("(");
    for (i, axis) in axes.iter().enumerate() {
        let _ = write!(text, "{}{axis}", if i > 0 { ", " } else { "" });
    }
    text + ")"
}
