//! Determinants as the arrays that hold them: values, or signs beside logarithms of magnitudes.

use std::path::PathBuf;

use batchinv::{Determinant, Real, Scalar};

use crate::exit::Failure;
use crate::memory::zeroed;
use crate::npy::elements::{Array, to_little_endian};

// Not a doc comment: clap would show it instead of the command's own.
#[derive(clap::Args, Debug)]
pub struct LogArgs {
    /// Write the natural logarithm of the magnitude of each determinant here, and its sign in place of its value
    ///
    /// These are the two results of np.linalg.slogdet, in the same shape. LOG is float32 or float64. A sign is 1, -1,
    /// or 0; of complex matrices, a number of modulus 1, or 0. The logarithm of 0 is -inf. Logarithms hold determinants
    /// whose values overflow to infinity or underflow to 0.
    #[arg(long, value_name = "LOG.npy")]
    pub log: Option<PathBuf>,
}

/// The elements of one piece.
pub struct Arrays<T: Scalar> {
    /// With logarithms, signs.
    values: Vec<T>,
    logs: Option<Vec<T::Real>>,
}

impl<T: Scalar> Arrays<T> {
    /// Room for `len` determinants, with logarithms or without.
    pub fn new(len: usize, log: bool) -> Result<Self, Failure> {
        Ok(Self { values: zeroed(len)?, logs: log.then(|| zeroed(len)).transpose()? })
    }

    /// The arrays to write, LOG first, for matrices along these axes.
    pub fn headers(log: bool, axes: &[usize]) -> impl Iterator<Item = Array<'_>> {
        let logs = log.then(|| Array::scalars::<T::Real>(axes));
        logs.into_iter().chain([Array::scalars::<T>(axes)])
    }

    pub fn fill(&mut self, determinants: &[Determinant<T>]) {
        let signs = self.logs.is_some();
        for (value, determinant) in self.values.iter_mut().zip(determinants) {
            *value = if signs { determinant.sign() } else { determinant.value() };
        }
        for (log, determinant) in self.logs.iter_mut().flatten().zip(determinants) {
            *log = T::Real::from_f64(determinant.ln_abs());
        }
    }

    /// The bytes of the first `len` determinants, in the order of `headers`.
    pub fn bytes(&mut self, len: usize) -> impl Iterator<Item = &[u8]> {
        let part = size_of::<T::Real>();
        let logs = self.logs.as_mut().map(|logs| to_little_endian(&mut logs[..len], part));
        logs.into_iter().chain([to_little_endian(&mut self.values[..len], part)])
    }
}
