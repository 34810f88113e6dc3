//! Loads and stores of groups.

pub mod blocks;
pub mod columns;
pub mod fixed;
mod order3;
mod short;
pub mod window;
