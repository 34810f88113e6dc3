//! Matrices as other crates hold them: slices of glam's and nalgebra's matrices and of arrays of arrays, and ndarray's
//! arrays and views.
//!
//! | what you have | feature | function | copied? |
//! |---|---|---|---|
//! | `&[[[T; N]; N]]`, rows first | | [`inv_matrices`] | piece by piece; not at all through [`Stack::new`](crate::Stack::new) and `as_flattened` |
//! | `&[glam::Mat4]` and the like | `glam` | [`inv_matrices`] | piece by piece |
//! | `&[nalgebra::SMatrix<T, N, N>]` | `nalgebra` | [`inv_matrices`] | piece by piece |
//! | your own type of matrix | | [`inv_matrices`], with [`SquareMatrix`] | piece by piece |
//! | `ndarray` in standard layout, contiguous and in C order | `ndarray` | `inv_array` | no |
//! | `ndarray` with any other strides | `ndarray` | `inv_array` | once, as a whole |
//!
//! glam and nalgebra keep matrices column by column. Taken for rows, such memory would be the transpose. The transpose of
//! the inverse would still come out, but a status would name a row of your matrix instead of a column, and rcond would
//! measure by rows. So the columns are turned into rows first, a piece of the stack at a time that fits a cache, and
//! back again; status, rcond and the bits of each inverse are those of the same matrix given by rows.

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
