//! Which matrix goes with which right-hand side: NumPy's rules.

use batchinv::{ShapeError, SystemShape};

use crate::shape::{MAX_EMPTY, Places, Shape, tuple};

/// Systems, as many as the leading axes of both inputs make together.
#[derive(Debug)]
pub struct Systems {
    pub places: Places,
    pub len: usize,
    pub order: usize,
    /// Columns of a right-hand side.
    pub width: usize,
    /// The axes of the solutions.
    pub axes: Vec<usize>,
}

impl Systems {
    /// The systems of matrices `a` and right-hand sides `b`, or the reason why `b` does not go with `a`.
    pub fn new(a: &Shape, b: &Shape) -> Result<Self, String> {
        let shape = SystemShape::new(&a.axes, &b.axes).map_err(|error| reason(&error, &b.axes))?;
        let (order, width, len, axes) = (shape.order(), shape.width(), shape.len(), shape.solutions());
        if order * width == 0 && len > MAX_EMPTY {
            let shape = tuple(&axes);
            return Err(format!(
                "the shape of the solutions is {shape}: at most {MAX_EMPTY} solutions without elements are supported"
            ));
        }
        Ok(Self { places: Places(shape.leading().to_vec()), len, order, width, axes })
    }
}

/// Why right-hand sides with these axes do not go with the matrices, with tuples as Python writes them.
fn reason(error: &ShapeError, axes: &[usize]) -> String {
    let shape = tuple(axes);
    match error {
        ShapeError::RhsRows { rows, order, .. } => {
            // NumPy 1 took this for a stack of vectors.
            let vectors = axes.len() > 1 && axes.last() == Some(order);
            let hint = if vectors { "; a stack of vectors has a last axis of 1" } else { "" };
            format!("its shape is {shape}: {rows} rows do not go with matrices of order {order}{hint}")
        }
        ShapeError::Broadcast { leading, rhs_leading } => {
            let (own, theirs) = (tuple(rhs_leading), tuple(leading));
            format!(
                "its shape is {shape}: the leading axes {own} do not broadcast with those of the matrices, {theirs}"
            )
        }
        ShapeError::ColumnsTooLarge { .. } => {
            format!("its shape is {shape}: with these matrices, the solutions are more than memory can address")
        }
        other => format!("its shape is {shape}: {other}"),
    }
}

/// The place of each system's matrix among those of an input.
#[derive(Clone, Debug)]
pub struct Positions {
    /// From the last axis of the systems on: its length, and the step between neighbors in the input, 0 where one goes
    /// with all.
    axes: Vec<(usize, usize)>,
}

impl Positions {
    /// For an input with these leading axes, which broadcast to the places of the systems.
    pub fn new(leading: &[usize], places: &Places) -> Self {
        let mut next = 1;
        let own = leading.iter().rev().copied().chain(std::iter::repeat(1));
        let with_step = |(&axis, own): (&usize, usize)| {
            let step = if own == 1 { 0 } else { next };
            next *= own;
            (axis, step)
        };
        Self { axes: places.0.iter().rev().zip(own).map(with_step).collect() }
    }

    /// The position of the matrix of a system.
    pub fn of(&self, system: usize) -> usize {
        let mut rest = system;
        let step = |position, &(axis, step): &(usize, usize)| {
            let index = rest % axis;
            rest /= axis;
            position + index * step
        };
        self.axes.iter().fold(0, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_follow_the_axes_that_an_input_has() {
        let places = Places(vec![2, 3, 2]);
        let all = |leading: &[usize]| {
            let positions = Positions::new(leading, &places);
            (0..12).map(|system| positions.of(system)).collect::<Vec<_>>()
        };
        assert_eq!(all(&[2, 3, 2]), (0..12).collect::<Vec<_>>());
        assert_eq!(all(&[]), [0; 12]);
        assert_eq!(all(&[3, 1]), [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
        assert_eq!(all(&[2, 1, 2]), [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3]);
    }
}
