//! The crate for JavaScript: `js/batchinv.d.ts` documents it for callers.
#![cfg(target_family = "wasm")]

mod arrays;
mod calls;
mod checks;
mod job;
mod lend;
mod object;
mod options;
mod report;
