//! The failures of a device.

use crate::data::error::Error;
use crate::data::refusal::Refusal;

/// A failure of the device. [`DeviceError::at`] adds where it happened and makes it an [`Error`].
#[derive(Clone, Debug)]
pub enum DeviceError {
    /// The device has no memory for the last request.
    OutOfMemory(String),
    /// The device was lost, or refused a command.
    Lost(String),
    /// The device cannot do this.
    Unsupported(Refusal),
}

impl DeviceError {
    /// The error of a call that had finished `done` of `len` matrices.
    pub fn at(self, done: usize, len: usize) -> Error {
        match self {
            Self::OutOfMemory(detail) => Error::OutOfMemory { done, len, detail },
            Self::Lost(detail) => Error::DeviceLost { done, len, detail },
            Self::Unsupported(refusal) => Error::refused(refusal),
        }
    }
}
