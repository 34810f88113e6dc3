//! Loads and stores of groups.

pub mod blocks;
pub mod columns;
pub mod fixed;
mod order3;
pub mod rectangles;
mod short;
pub mod strips;
pub mod window;
