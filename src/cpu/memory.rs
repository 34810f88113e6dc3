//! Loads and stores of groups whose order is known at compile time.

pub mod columns;
pub mod fixed;
mod order3;
mod short;
pub mod window;
