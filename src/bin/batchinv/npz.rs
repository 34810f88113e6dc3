//! Archives of arrays, `.npz`: zip files of `.npy` files, read and written as NumPy does.
//!
//! The format is read here, and not by a crate: those that exist keep one of several entries with one name, and say
//! nothing.

pub mod directory;
mod fields;
pub mod unpacked;
pub mod writer;
