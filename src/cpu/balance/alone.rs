//! The scaling of a matrix that all lanes hold together.

use fearless_simd::{Simd, SimdBase};

use super::survey::Survey;
use crate::cpu::simd::exponent::{Format, shifted_any};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling::{Scaling, one_exponent, window};
use crate::data::status::Status;

/// How one matrix is scaled. Memory is kept from matrix to matrix.
#[derive(Default)]
pub struct Alone {
    kind: Kind,
    scaling: Scaling,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Unscaled,
    NotFinite,
    /// All elements by this exponent.
    ByOne(i32),
    ByRowsAndColumns,
}

impl Alone {
    /// Looks how a matrix in vectors needs to be scaled, and scales it if one exponent is enough.
    #[inline(never)]
    pub fn scale<S: Simd, T: Lane>(&mut self, simd: S, vectors: &mut [T::Vector<S>]) -> Kind {
        self.kind = simd.vectorize(
            #[inline(always)]
            || {
                let mut survey = Survey::<S, T>::new(simd);
                for vector in &*vectors {
                    for part in 0..T::Vector::<S>::PARTS {
                        survey.see(simd, vector.part(part));
                    }
                }
                let [bottom, top] = [survey.bottom.reduce_min(), survey.top.reduce_max()];
                if top == T::Real::FAR {
                    return Kind::NotFinite;
                }
                let (bottom, top) = (bottom.to_f64() as i32, top.to_f64() as i32);
                if bottom >= -T::Real::WINDOW && survey.largest.reduce_max() <= window::<T>().1 {
                    return Kind::Unscaled;
                }
                one_exponent::<T>(bottom, top).map_or(Kind::ByRowsAndColumns, Kind::ByOne)
            },
        );
        if let Kind::ByOne(exponent) = self.kind {
            shift::<S, T>(simd, vectors, exponent);
        }
        self.kind
    }

    /// Scales by rows and columns, in place.
    pub fn scale_rows_and_columns<T: Scalar>(&mut self, order: usize, elements: &mut [T]) {
        self.scaling.scale(elements, order);
    }

    /// Turns the inverse of the scaled matrix into that of the matrix itself, if one exponent was enough.
    #[inline(always)]
    pub fn undo<S: Simd, T: Lane>(&self, simd: S, vectors: &mut [T::Vector<S>]) {
        if let Kind::ByOne(exponent) = self.kind {
            shift::<S, T>(simd, vectors, exponent);
        }
    }

    /// The same, if the matrix was scaled by rows and columns.
    pub fn undo_rows_and_columns<T: Scalar>(&self, elements: &mut [T]) {
        if self.kind == Kind::ByRowsAndColumns {
            self.scaling.undo_all(elements);
        }
    }

    /// The exponent by which row i is scaled.
    pub fn row(&self, i: usize) -> i32 {
        match self.kind {
            Kind::ByOne(exponent) => exponent,
            Kind::ByRowsAndColumns => self.scaling.row(i),
            Kind::Unscaled | Kind::NotFinite => 0,
        }
    }

    /// The exponent by which column j is scaled.
    pub fn column(&self, j: usize) -> i32 {
        if self.kind == Kind::ByRowsAndColumns { self.scaling.column(j) } else { 0 }
    }

    /// The smallest of these.
    pub fn least_column(&self) -> i32 {
        if self.kind == Kind::ByRowsAndColumns { self.scaling.least_column() } else { 0 }
    }

    /// The status of a finite matrix with a zero pivot in `column`, counted from 0. `elements` holds the matrix as
    /// given, and may be overwritten.
    pub fn zero_pivot<T: Scalar>(&mut self, order: usize, elements: &mut [T], column: usize) -> Status {
        // The entries that one exponent leaves small are looked for only now: few scaled matrices are singular.
        if let Kind::ByOne(_) = self.kind {
            self.scaling.scale(elements, order);
        }
        self.scaling.zero_pivot(column)
    }
}

/// Adds to the exponents of all elements.
#[inline(never)]
fn shift<S: Simd, T: Lane>(simd: S, vectors: &mut [T::Vector<S>], exponent: i32) {
    simd.vectorize(
        #[inline(always)]
        || {
            let shift = Magnitude::<T, S>::splat(simd, T::Real::from_f64(exponent.into()));
            for vector in vectors {
                for part in 0..T::Vector::<S>::PARTS {
                    vector.set_part(part, shifted_any(simd, vector.part(part), shift));
                }
            }
        },
    );
}
