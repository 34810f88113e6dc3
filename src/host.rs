//! Matrices and vectors of other crates: slices of glam's and nalgebra's and of arrays, and ndarray's arrays and views.
//!
//! | input | feature | functions | copied? |
//! |---|---|---|---|
//! | `&[[[T; N]; N]]`, rows first | | [`inv_matrices`], [`solve_matrices`], [`determinants_matrices`] | piece by piece;
//! not at all with [`Stack::new`](crate::Stack::new) and `as_flattened` |
//! | `&[glam::Mat4]` and the like | `glam` | the same | piece by piece |
//! | `&[nalgebra::SMatrix<T, N, N>]` | `nalgebra` | the same | piece by piece |
//! | a matrix type of your own | | the same, with [`SquareMatrix`] | piece by piece |
//! | `ndarray` in standard layout, contiguous and in C order | `ndarray` | `inv_array`, `solve_array`,
//! `determinants_array` | no |
//! | `ndarray` with any other strides | `ndarray` | the same | once, as a whole |
//!
//! Right-hand sides of [`solve_matrices`] are vectors: `&[[T; N]]`, `&[glam::Vec4]` and the like,
//! `&[nalgebra::SVector<T, N>]`, or a type of your own with [`Vector`]. Those of `solve_array` follow NumPy's rules,
//! and their leading axes broadcast with those of the matrices.
//!
//! glam and nalgebra store matrices column by column. Read as rows, such memory would be the transpose. The transpose
//! of the inverse would still come out, but a status would name a row of your matrix instead of a column, and rcond
//! would measure by rows. So the columns are first turned into rows, in pieces of the stack that fit a cache, and back
//! again. Status, rcond and the bits of each inverse, solution and determinant equal those of the same matrix given by
//! rows.

#[cfg(feature = "ndarray")]
mod array_systems;
#[cfg(feature = "ndarray")]
mod arrays;
mod determinants;
#[cfg(feature = "glam")]
mod glam;
mod matrices;
#[cfg(feature = "nalgebra")]
mod nalgebra;
mod pieces;
mod rows;
mod systems;

#[cfg(feature = "ndarray")]
pub use self::array_systems::{ArraySolutions, solve_array};
#[cfg(feature = "ndarray")]
pub use self::arrays::{ArrayDeterminants, ArrayInverses, determinants_array, inv_array, invert_array};
pub use self::determinants::determinants_matrices;
pub use self::matrices::{MatrixInverses, SquareMatrix, inv_matrices, invert_matrices};
pub use self::systems::{MatrixSolutions, Vector, solve_matrices};
