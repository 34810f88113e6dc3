//! The code that the fuzzers call. The program's readers of `.npy` and `.npz` are compiled in from their own source
//! files.
#![allow(dead_code, unused_imports, reason = "the targets use their part of the program")]

#[path = "../../src/bin/batchinv"]
mod program {
    pub mod exit;
    pub mod npy;
    pub mod npz;
    pub mod shape;
}
pub mod targets;

use program::{exit, npy, npz, shape};
