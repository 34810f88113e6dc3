//! What the fuzzers call. The program's reader of `.npy` files is compiled in as it is.
#![allow(dead_code, reason = "the targets use their part of the program")]

#[path = "../../src/bin/batchinv/exit.rs"]
mod exit;
#[path = "../../src/bin/batchinv/npy.rs"]
mod npy;
#[path = "../../src/bin/batchinv/shape.rs"]
mod shape;
pub mod targets;
