//! glam's matrices.

use glam::{DMat2, DMat3, DMat4, Mat2, Mat3, Mat3A, Mat4};

use super::matrices::SquareMatrix;

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
