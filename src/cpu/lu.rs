//! LU factors with partial pivoting, and what comes from them: solutions of systems, and determinants.
//!
//! Two kernels give the same bits at every order, since every element takes the same operations in the same order:
//! `lanes`, a matrix per lane, and `blocked`, one matrix with its columns in vectors. To order 32 their pivots have the
//! bits of the inverse's, too.

mod blocked;
mod group;
mod lanes;
mod pivot_product;
mod registers;
mod scaled;
mod single;
mod solver;
mod task;
pub mod tasks;
