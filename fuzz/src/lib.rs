//! The code that the fuzzers call. The program's `.npy` reader is compiled in from its own source files.
#![allow(dead_code, unused_imports, reason = "the targets use their part of the program")]

#[path = "../../src/bin/batchinv"]
mod program {
    pub mod exit;
    pub mod npy;
    pub mod shape;
}
pub mod targets;

use program::{exit, npy, shape};
