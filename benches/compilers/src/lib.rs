//! Asks the compilers of real GPUs, without the hardware, what they make of the shaders: Mesa's RADV compiles for any
//! of its GPUs, crashes included, and says what came of it.
//!
//! A run asks for each [`Question`](questions::Question) in a process of its own, and collects a [`Row`](row::Row)
//! each.

pub mod arguments;
pub mod child;
pub mod compilation;
pub mod executed;
pub mod expectations;
pub mod family;
pub mod isa;
pub mod parallel;
pub mod questions;
pub mod row;
pub mod run;
pub mod spirv;
pub mod table;
mod vulkan;
