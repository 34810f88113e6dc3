//! glam's matrices and vectors.

use glam::{DMat2, DMat3, DMat4, DVec2, DVec3, DVec4, Mat2, Mat3, Mat3A, Mat4, Vec2, Vec3, Vec3A, Vec4};

use super::matrices::SquareMatrix;
use super::systems::Vector;

macro_rules! square_matrix {
    ($matrix:ident, $scalar:ident, $order:literal, $example:literal) => {
        /// glam stores it column by column.
        ///
        /// ```
        #[doc = concat!("use glam::", stringify!($matrix), ";")]
        #[doc = concat!("let shear = ", $example, ";")]
        /// let inverses = batchinv::host::inv_matrices(&[shear; 1000])?;
        /// assert_eq!(inverses[999], shear.inverse());
        /// # Ok::<(), batchinv::Error>(())
        /// ```
        impl SquareMatrix for $matrix {
            type Scalar = $scalar;
            const ORDER: usize = $order;

            #[inline]
            fn write_rows(&self, rows: &mut [$scalar]) {
                rows.copy_from_slice(&self.transpose().to_cols_array());
            }

            #[inline]
            fn from_rows(rows: &[$scalar]) -> Self {
                let mut array = [0.0; $order * $order];
                array.copy_from_slice(rows);
                Self::from_cols_array(&array).transpose()
            }
        }
    };
}

square_matrix!(Mat2, f32, 2, "Mat2::from_cols_array(&[1.0, 0.0, 3.0, 1.0])");
square_matrix!(Mat3, f32, 3, "Mat3::from_cols_array(&[1.0, 0.0, 0.0, 3.0, 1.0, 0.0, 0.0, 0.0, 1.0])");
square_matrix!(Mat3A, f32, 3, "Mat3A::from_cols_array(&[1.0, 0.0, 0.0, 3.0, 1.0, 0.0, 0.0, 0.0, 1.0])");
square_matrix!(Mat4, f32, 4, "Mat4::from_translation(glam::Vec3::new(1.0, 2.0, 3.0))");
square_matrix!(DMat2, f64, 2, "DMat2::from_cols_array(&[1.0, 0.0, 3.0, 1.0])");
square_matrix!(DMat3, f64, 3, "DMat3::from_cols_array(&[1.0, 0.0, 0.0, 3.0, 1.0, 0.0, 0.0, 0.0, 1.0])");
square_matrix!(DMat4, f64, 4, "DMat4::from_translation(glam::DVec3::new(1.0, 2.0, 3.0))");

macro_rules! vector {
    ($vector:ident, $matrix:ident, $scalar:ident, $len:literal) => {
        /// ```
        #[doc = concat!("use glam::{", stringify!($matrix), ", ", stringify!($vector), "};")]
        #[doc = concat!("let (double, ones) = (", stringify!($matrix), "::IDENTITY * 2.0, ", stringify!($vector), "::ONE);")]
        /// let solutions = batchinv::host::solve_matrices(&[double], &[ones; 1000])?;
        /// assert_eq!(solutions[999], ones * 0.5);
        /// # Ok::<(), batchinv::Error>(())
        /// ```
        impl Vector for $vector {
            type Scalar = $scalar;
            const LEN: usize = $len;

            #[inline]
            fn write(&self, elements: &mut [$scalar]) {
                elements.copy_from_slice(&self.to_array());
            }

            #[inline]
            fn from_elements(elements: &[$scalar]) -> Self {
                Self::from_slice(elements)
            }
        }
    };
}

vector!(Vec2, Mat2, f32, 2);
vector!(Vec3, Mat3, f32, 3);
vector!(Vec3A, Mat3A, f32, 3);
vector!(Vec4, Mat4, f32, 4);
vector!(DVec2, DMat2, f64, 2);
vector!(DVec3, DMat3, f64, 3);
vector!(DVec4, DMat4, f64, 4);
