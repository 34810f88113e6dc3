//! Matrices of other crates: slices of glam's and nalgebra's matrices and of arrays of arrays, and ndarray's arrays and
//! views.
//!
//! | input | feature | function | copied? |
//! |---|---|---|---|
//! | `&[[[T; N]; N]]`, rows first | | [`inv_matrices`] | piece by piece; not at all with [`Stack::new`](crate::Stack::new) and `as_flattened` |
//! | `&[glam::Mat4]` and the like | `glam` | [`inv_matrices`] | piece by piece |
//! | `&[nalgebra::SMatrix<T, N, N>]` | `nalgebra` | [`inv_matrices`] | piece by piece |
//! | a matrix type of your own | | [`inv_matrices`], with [`SquareMatrix`] | piece by piece |
//! | `ndarray` in standard layout, contiguous and in C order | `ndarray` | `inv_array` | no |
//! | `ndarray` with any other strides | `ndarray` | `inv_array` | once, as a whole |
//!
//! glam and nalgebra store matrices column by column. Read as rows, such memory would be the transpose. The transpose
//! of the inverse would still come out, but a status would name a row of your matrix instead of a column, and rcond
//! would measure by rows. So the columns are first turned into rows, in pieces of the stack that fit a cache, and back
//! again. Status, rcond and the bits of each inverse equal those of the same matrix given by rows.

#[cfg(feature = "ndarray")]
mod arrays;
#[cfg(feature = "glam")]
mod glam;
mod matrices;
#[cfg(feature = "nalgebra")]
mod nalgebra;

#[cfg(feature = "ndarray")]
pub use self::arrays::{ArrayInverses, inv_array, invert_array};
pub use self::matrices::{MatrixInverses, SquareMatrix, inv_matrices, invert_matrices};
