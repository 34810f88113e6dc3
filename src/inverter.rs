//! The front: one call chooses an engine, runs it, and returns inverses, statuses and an account.

pub mod blocking;
mod buffers;
mod choice;
mod cofactors;
mod determinants;
pub mod engine_choice;
mod in_place;
pub mod options;
mod run;
mod settle;
pub mod solve;
mod source;
#[cfg(not(feature = "gpu"))]
mod without_gpu;
