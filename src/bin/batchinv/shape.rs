//! The shape of an array as a stack of matrices, and indexes into it as Python writes them.

use std::fmt::Write;

use batchinv::ShapeError;

/// Most matrices without elements. They take no bytes in the file but a status each, and a header of 128 bytes must not
/// cost gigabytes.
pub const MAX_EMPTY: usize = 1 << 24;

/// The shape of a stack of matrices of `order` rows and `width` columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// All axes.
    pub axes: Vec<usize>,
    pub order: usize,
    pub width: usize,
    /// The number of matrices: the product of the leading axes.
    pub len: usize,
}

impl Shape {
    /// (..., n, n), whose product does not overflow, or the reason why they make no stack of square matrices.
    pub fn matrices(axes: Vec<usize>) -> Result<Self, String> {
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
        Ok(Self { axes, order, width: order, len })
    }

    /// The same for right-hand sides: (n,), which is one vector, or (..., n, k).
    pub fn columns(axes: Vec<usize>) -> Result<Self, String> {
        let (leading, order, width) = match axes[..] {
            [] => return Err("its shape is (): right-hand sides need at least 1 axis".to_owned()),
            [order] => (&[][..], order, 1),
            [ref leading @ .., order, width] => (leading, order, width),
        };
        let len = leading.iter().product();
        Ok(Self { order, width, len, axes })
    }

    /// The axes before those of a matrix.
    pub fn leading(&self) -> &[usize] {
        &self.axes[..self.axes.len().saturating_sub(2)]
    }

    /// The elements of one matrix.
    pub fn size(&self) -> usize {
        self.order * self.width
    }

    pub fn places(&self) -> Places {
        Places(self.leading().to_vec())
    }
}

/// The leading axes, by which people and programs find a matrix.
#[derive(Clone, Debug)]
pub struct Places(pub Vec<usize>);

impl Places {
    /// Returns whether there is a single place, which needs no name.
    pub fn is_one(&self) -> bool {
        self.0.is_empty()
    }

    /// The index along each axis.
    pub fn index(&self, position: usize) -> Vec<usize> {
        let mut rest = position;
        let mut index: Vec<usize> = self
            .0
            .iter()
            .rev()
            .map(|&axis| {
                let axis = axis.max(1);
                let index = rest % axis;
                rest /= axis;
                index
            })
            .collect();
        index.reverse();
        index
    }

    /// That index in words: `17` with one axis, `(1, 2)` with several, empty with none.
    pub fn name(&self, position: usize) -> String {
        match &self.index(position)[..] {
            [] => String::new(),
            [index] => index.to_string(),
            index => tuple(index),
        }
    }

    /// `matrix 17` or `the matrix`, if that is what stands there.
    pub fn of(&self, thing: &str, position: usize) -> String {
        match self.name(position) {
            name if name.is_empty() => format!("the {thing}"),
            name => format!("{thing} {name}"),
        }
    }
}

/// Makes a stack of the axes of an array, or says why they make none.
pub type Stacked = fn(Vec<usize>) -> Result<Shape, String>;

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
