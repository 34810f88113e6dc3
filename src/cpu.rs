//! The CPU engine: SIMD kernels inside one frame, shared among threads in tasks.

mod arithmetic;
mod balance;
pub mod cofactors;
mod frame;
mod kernel;
pub mod lu;
mod memory;
pub mod simd;
pub mod task;
pub mod tasks;
pub mod threads;
