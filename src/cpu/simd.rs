//! SIMD: vectors of scalars, the levels of instructions that they compile to, and how matrices come into them.

pub mod apart;
pub mod element;
pub mod exponent;
pub mod lane;
pub mod level;
pub mod prefetch;
pub mod transpose;
pub mod vector;
