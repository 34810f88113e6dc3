//! The shape of an array as a stack: the leading axes, the order, and how many matrices that makes.

use std::fmt::Write;

/// Most matrices of order 0. They take no bytes in the file but still a status each, and a header of 128 bytes
/// must not cost gigabytes.
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
    /// `Err` says what is wrong.
    pub fn new(axes: Vec<usize>) -> Result<Self, String> {
        let [leading @ .., rows, columns] = &axes[..] else {
            return Err(format!("its shape is {}: matrices need at least 2 axes", tuple(&axes)));
        };
        if rows != columns {
            return Err(format!("its shape is {}: the last two axes must be equal, the matrices square", tuple(&axes)));
        }
        let (order, len) = (*rows, leading.iter().product());
        if order == 0 && len > MAX_EMPTY {
            return Err(format!("its shape is {}: of matrices without elements, at most {MAX_EMPTY}", tuple(&axes)));
        }
        Ok(Self { axes, order, len })
    }

    /// The axes before the last two.
    pub fn leading(&self) -> &[usize] {
        &self.axes[..self.axes.len() - 2]
    }

    /// The index of matrix `position` along each leading axis.
    pub fn index(&self, position: usize) -> Vec<usize> {
        let mut rest = position;
        let mut index: Vec<usize> = self.leading().iter().rev().map(|&axis| (rest % axis, rest /= axis).0).collect();
        index.reverse();
        index
    }

    /// That index in words: `17` on one leading axis, `(1, 2)` on several, nothing where there is one matrix.
    pub fn place(&self, position: usize) -> String {
        match &self.index(position)[..] {
            [] => String::new(),
            [index] => index.to_string(),
            index => tuple(index),
        }
    }
}

/// As Python writes it.
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
