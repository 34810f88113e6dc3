//! Systems of ndarray's arrays and views, of any dimension and stride, by NumPy's rules of shape.

use ndarray::{ArrayD, ArrayRef, ArrayViewD, Axis, CowArray, Dimension, IxDyn};

use crate::data::columns::Columns;
use crate::data::error::{Error, ShapeError};
use crate::data::outcome::Outcome;
use crate::data::scalar::Scalar;
use crate::data::stack::Stack;
use crate::data::system_shape::SystemShape;
use crate::inverter::options::Inverter;

/// The solutions of systems of arrays, in standard layout, with a status for each. Statuses and determinants have the
/// leading axes that matrices and right-hand sides make together.
pub type ArraySolutions<T> = Outcome<ArrayD<T>>;

/// Solves A X = B for the matrices in the last two axes of an array or view, or fails on the first system that has no
/// solution, as `np.linalg.solve` does and with its rules of shape since NumPy 2: `b` with one axis is one vector for
/// every matrix, and the result has the shape (..., n); any other `b` is (..., n, k). Leading axes broadcast.
///
/// ```
/// use batchinv::host::solve_array;
/// use ndarray::{Ix1, array};
/// let a = array![[4.0, 1.0], [1.0, 3.0_f64]];
/// let x = solve_array(&a, &array![5.0, 4.0])?.into_dimensionality::<Ix1>().unwrap();
/// assert_eq!(x, array![1.0, 1.0]);
///
/// // A stack of vectors has a last axis of 1. One matrix goes with all.
/// let x = solve_array(&a, &array![[[5.0], [4.0]], [[4.0], [1.0]]])?;
/// assert_eq!(x, array![[[1.0], [1.0]], [[1.0], [0.0]]].into_dyn());
///
/// let error = solve_array(&a, &array![1.0, 2.0, 3.0]).unwrap_err();
/// assert_eq!(error.to_string(), "right-hand sides of shape [3] have 3 rows, the matrices have order 2");
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// [`Error::Singular`] or [`Error::NotFinite`] for the first system with a status other than 0, in the order of the
/// standard layout; otherwise as [`Inverter::solve_array`].
pub fn solve_array<T: Scalar, A: Dimension, B: Dimension>(
    a: &ArrayRef<T, A>,
    b: &ArrayRef<T, B>,
) -> Result<ArrayD<T>, Error> {
    Inverter::auto().solve_array(a, b)?.strict()
}

impl Inverter {
    /// [`Inverter::solve`] for the matrices in the last two axes of an array or view and for right-hand sides of
    /// another, by the rules of [`SystemShape`]. Memory in standard layout is used in place; any other is first copied
    /// into that layout. One matrix or one right-hand side for all is never repeated; other arrays are, where they
    /// broadcast.
    ///
    /// ```
    /// use batchinv::Inverter;
    /// use ndarray::{Array2, Array3, array};
    /// let a = array![[[2.0, 0.0], [0.0, 4.0]], /* singular: */ [[1.0, 2.0], [2.0, 4.0_f32]]];
    /// let solutions = Inverter::cpu().solve_array(&a, &array![1.0, 1.0])?;
    /// assert_eq!(solutions.values.shape(), [2, 2]);
    /// assert_eq!(solutions.values[[0, 1]], 0.25);
    /// assert_eq!(solutions.statuses.map(|status| status.word()), array![0, 2].into_dyn());
    ///
    /// let (a, b) = (Array2::<f64>::eye(3), Array3::ones((5, 3, 7)));
    /// assert_eq!(Inverter::cpu().solve_array(&a, &b)?.values, b.into_dyn());
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`SystemShape::new`] for arrays that do not go together; otherwise as [`Inverter::solve`].
    pub fn solve_array<T: Scalar, A: Dimension, B: Dimension>(
        &self,
        a: &ArrayRef<T, A>,
        b: &ArrayRef<T, B>,
    ) -> Result<ArraySolutions<T>, Error> {
        let shape = SystemShape::new(a.shape(), b.shape())?;
        let (order, width, len) = (shape.order(), shape.width(), shape.len());
        let (a, a_len) = operand(a.view().into_dyn(), &shape, [order, order], true)?;
        let rhs = b.view().into_dyn();
        let rhs = if b.ndim() == 1 { rhs.insert_axis(Axis(1)) } else { rhs };
        let (b, b_len) = operand(rhs, &shape, [order, width], a_len == len)?;
        let a = Stack::with_len(a.as_slice().unwrap_or_default(), order, a_len)?;
        let b = Columns::with_len(b.as_slice().unwrap_or_default(), order, width, b_len)?;
        let Outcome { values, statuses, rconds: _, determinants, report } = self.solve(a, b)?;

        let too_large = |_| ShapeError::ColumnsTooLarge { order, width, len };
        let leading = IxDyn(shape.leading());
        let statuses = ArrayD::from_shape_vec(leading.clone(), statuses).map_err(too_large)?;
        let determinants = determinants.map(|determinants| ArrayD::from_shape_vec(leading, determinants));
        let determinants = determinants.transpose().map_err(too_large)?;
        let values = ArrayD::from_shape_vec(shape.solutions(), values.into_elements()).map_err(too_large)?;
        Ok(Outcome { values, statuses, rconds: None, determinants, report })
    }
}

/// Matrices in standard layout, as many as the systems or, if `alone` is allowed, one for all, and their number.
fn operand<'a, T: Scalar>(
    mut array: ArrayViewD<'a, T>,
    shape: &SystemShape,
    trailing: [usize; 2],
    alone: bool,
) -> Result<(CowArray<'a, T, IxDyn>, usize), ShapeError> {
    let leading = array.ndim() - 2;
    // Elements that a view repeats along an axis stand there once.
    for axis in (0..leading).map(Axis) {
        if array.stride_of(axis) == 0 && array.len_of(axis) > 1 {
            array.collapse_axis(axis, 0);
        }
    }
    let len = array.shape()[..leading].iter().product();
    if len == shape.len() || len == 1 && alone {
        return Ok((standard(array), len));
    }
    let (order, width, len) = (shape.order(), shape.width(), shape.len());
    let axes = [shape.leading(), &trailing].concat();
    let repeated = array.broadcast(axes).ok_or(ShapeError::ColumnsTooLarge { order, width, len })?;
    Ok((standard(repeated).into_owned().into(), len))
}

/// The same elements in standard layout, where they are if they are in it.
fn standard<T: Scalar>(array: ArrayViewD<'_, T>) -> CowArray<'_, T, IxDyn> {
    if array.is_standard_layout() { array.into() } else { array.as_standard_layout().into_owned().into() }
}
