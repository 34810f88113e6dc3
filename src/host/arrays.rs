//! ndarray's arrays and views, of any dimension and stride.

use ndarray::{Array, ArrayD, ArrayRef, Dimension, IxDyn};

use crate::data::determinant::Determinant;
use crate::data::error::{Error, ShapeError};
use crate::data::outcome::{Container, Determinants, Outcome};
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::shape::Shape;
use crate::data::stack::Stack;
use crate::data::status::Status;
use crate::inverter::options::Inverter;

/// The inverses of the matrices in an array's last two axes, in standard layout, with a status for each. Statuses and
/// reciprocal condition numbers have the array's shape without its last two axes.
pub type ArrayInverses<T, D> = Outcome<Array<T, D>>;

impl<T: Scalar, D: Dimension> Container for Array<T, D> {
    type Statuses = ArrayD<Status>;
    type Rconds = ArrayD<T::Real>;
    type Determinants = ArrayD<Determinant<T>>;

    fn statuses(statuses: &ArrayD<Status>) -> impl Iterator<Item = Status> {
        statuses.iter().copied()
    }
}

/// Inverts the matrices in the last two axes of an array or view, each with a [`Status`]; the engine is chosen
/// automatically.
///
/// ```
/// use ndarray::{Array2, Array4, s};
/// let mut grid = Array4::<f64>::zeros((2, 3, 5, 5));
/// grid.slice_mut(s![0, 2, .., ..]).assign(&(Array2::eye(5) * 2.0));
/// let result = batchinv::host::invert_array(&grid.slice(s![.., ..;-1, .., ..]))?;
/// assert_eq!(result.values.shape(), [2, 3, 5, 5]);
/// assert_eq!(result.values[[0, 0, 4, 4]], 0.5);
/// assert_eq!(result.statuses.map(|status| status.word()), ndarray::array![[0, 1, 1], [1, 1, 1]].into_dyn());
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// The same as for [`Inverter::invert_array`].
pub fn invert_array<T: Scalar, D: Dimension>(array: &ArrayRef<T, D>) -> Result<ArrayInverses<T, D>, Error> {
    Inverter::auto().invert_array(array)
}

/// Inverts the matrices in the last two axes of an array or view, or fails on the first that has no inverse, as
/// `np.linalg.inv` does and with its rules of shape.
///
/// ```
/// use batchinv::host::inv_array;
/// use ndarray::{IxDyn, array};
/// let a = array![[2.0, 1.0], [0.0, 4.0_f64]];
/// assert_eq!(inv_array(&a)?, array![[0.5, -0.125], [0.0, 0.25]]);
///
/// // Any view, and any number of axes before the last two.
/// let stack = a.broadcast(IxDyn(&[3, 1, 2, 2])).unwrap();
/// assert_eq!(inv_array(&stack)?.shape(), [3, 1, 2, 2]);
/// assert_eq!(inv_array(&a.t())?, inv_array(&a)?.t());
///
/// // In NumPy's words.
/// let error = inv_array(&array![1.0_f64, 2.0]).unwrap_err();
/// assert_eq!(error.to_string(), "1-dimensional array given. Array must be at least two-dimensional");
/// let error = inv_array(&array![[1.0_f64, 2.0]]).unwrap_err();
/// assert_eq!(error.to_string(), "Last 2 dimensions of the array must be square: 1 rows, 2 columns");
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// [`Error::Singular`] or [`Error::NotFinite`] for the first matrix with a status other than 0, in the order of the
/// standard layout; otherwise as [`Inverter::invert_array`].
pub fn inv_array<T: Scalar, D: Dimension>(array: &ArrayRef<T, D>) -> Result<Array<T, D>, Error> {
    invert_array(array)?.strict()
}

/// The determinants of the matrices in an array's last two axes, and an account of what ran.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArrayDeterminants<T: Scalar> {
    /// One per matrix, in the array's shape without its last two axes: 0 for a singular one, NaN for one that is not
    /// finite.
    pub values: ArrayD<Determinant<T>>,
    /// The account of what ran.
    pub report: Report,
}

/// The determinants of the matrices in the last two axes of an array or view; the engine is chosen automatically. As
/// NumPy's `det` and `slogdet` in one.
///
/// ```
/// use ndarray::array;
/// let determinants = batchinv::host::determinants_array(&array![[[4.0, 7.0], [2.0, 6.0]], [[1.0, 2.0], [2.0,
/// 4.0_f64]]])?; assert_eq!(determinants.map(|determinant| determinant.value()), array![10.0, 0.0].into_dyn());
/// assert_eq!(determinants[1].ln_abs(), f64::NEG_INFINITY);
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// The same as for [`Inverter::determinants_array`].
pub fn determinants_array<T: Scalar, D: Dimension>(array: &ArrayRef<T, D>) -> Result<ArrayD<Determinant<T>>, Error> {
    Ok(Inverter::auto().determinants_array(array)?.values)
}

/// Arrays, with an engine and options.
impl Inverter {
    /// [`Inverter::invert`] for the matrices in the last two axes of an array or view of any dimension and stride.
    /// Memory in standard layout is used in place; any other is first copied into that layout.
    ///
    /// # Errors
    /// [`ShapeError::TooFewAxes`] if there are fewer than two axes, [`ShapeError::NotSquare`] if the last two differ;
    /// otherwise as [`Inverter::invert`].
    pub fn invert_array<T: Scalar, D: Dimension>(&self, array: &ArrayRef<T, D>) -> Result<ArrayInverses<T, D>, Error> {
        let shape = Shape::new(array.shape())?;
        let (leading, order, len) = (shape.leading(), shape.order(), shape.len());
        let standard = array.as_standard_layout();
        let elements = standard.as_slice().unwrap_or_default();
        let result = self.invert(Stack::with_len(elements, order, len)?)?;

        let too_large = |_| ShapeError::TooLarge { order, len };
        let leading = IxDyn(leading);
        let statuses = ArrayD::from_shape_vec(leading.clone(), result.statuses().to_vec()).map_err(too_large)?;
        let rconds = result.rconds().map(|rconds| ArrayD::from_shape_vec(leading.clone(), rconds.to_vec()));
        let determinants = result.determinants().map(|dets| ArrayD::from_shape_vec(leading, dets.to_vec()));
        let (rconds, report) = (rconds.transpose().map_err(too_large)?, result.report().clone());
        let determinants = determinants.transpose().map_err(too_large)?;
        let values = Array::from_shape_vec(array.raw_dim(), result.into_stack().into_elements()).map_err(too_large)?;
        Ok(Outcome { values, statuses, rconds, determinants, report })
    }
    /// [`Inverter::determinants`] for the matrices in the last two axes of an array or view, which are taken as
    /// [`Inverter::invert_array`] takes them.
    ///
    /// # Errors
    /// [`ShapeError::TooFewAxes`] if there are fewer than two axes, [`ShapeError::NotSquare`] if the last two differ;
    /// otherwise as [`Inverter::determinants`].
    pub fn determinants_array<T: Scalar, D: Dimension>(
        &self,
        array: &ArrayRef<T, D>,
    ) -> Result<ArrayDeterminants<T>, Error> {
        let shape = Shape::new(array.shape())?;
        let (order, len) = (shape.order(), shape.len());
        let standard = array.as_standard_layout();
        let elements = standard.as_slice().unwrap_or_default();
        let Determinants { values, report } = self.determinants(Stack::with_len(elements, order, len)?)?;
        let too_large = |_| ShapeError::TooLarge { order, len };
        let values = ArrayD::from_shape_vec(IxDyn(shape.leading()), values).map_err(too_large)?;
        Ok(ArrayDeterminants { values, report })
    }
}
