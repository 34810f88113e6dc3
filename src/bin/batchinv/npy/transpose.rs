//! Fortran order to C order.
//!
//! NumPy's Fortran order turns all axes around, not only those of the matrices: the index along the first axis
//! varies fastest.

use bytemuck::Pod;

use super::{Elements, zeroed};
use crate::exit::Failure;
use crate::shape::Shape;

/// Matrices that are filled at a time: runs of this many elements are read, and all that is written stays in cache.
const TOGETHER: usize = 32;

pub fn elements(elements: Elements, shape: &Shape) -> Result<Elements, Failure> {
    Ok(match elements {
        Elements::Float32(elements) => Elements::Float32(transposed(&elements, shape)?),
        Elements::Float64(elements) => Elements::Float64(transposed(&elements, shape)?),
        Elements::Complex64(elements) => Elements::Complex64(transposed(&elements, shape)?),
        Elements::Complex128(elements) => Elements::Complex128(transposed(&elements, shape)?),
    })
}

fn transposed<T: Pod>(fortran: &[T], shape: &Shape) -> Result<Vec<T>, Failure> {
    let mut c = zeroed(fortran.len())?;
    let (n, len) = (shape.order, shape.len);
    if fortran.is_empty() {
        return Ok(c);
    }
    // Where the matrices at `start`, `start + 1`, ... of the leading axes in Fortran order stand in C order.
    let mut index = vec![0; shape.leading().len()];
    let mut places = Vec::with_capacity(TOGETHER);
    for start in (0..len).step_by(TOGETHER) {
        places.clear();
        for _ in start..len.min(start + TOGETHER) {
            places.push(index.iter().zip(shape.leading()).fold(0, |place, (i, axis)| place * axis + i));
            advance(&mut index, shape.leading());
        }
        for j in 0..n {
            for i in 0..n {
                let run = &fortran[(j * n + i) * len + start..];
                for (&place, &element) in places.iter().zip(run) {
                    c[(place * n + i) * n + j] = element;
                }
            }
        }
    }
    Ok(c)
}

/// The next index in Fortran order.
fn advance(index: &mut [usize], axes: &[usize]) {
    for (i, &axis) in index.iter_mut().zip(axes) {
        *i += 1;
        if *i < axis {
            return;
        }
        *i = 0;
    }
}
