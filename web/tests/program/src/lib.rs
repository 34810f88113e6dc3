//! A Rust program for browsers as a user of the crate writes it, with no JavaScript of ours: it renders with wgpu, and
//! inverts on its own device. `web/tests/browser/program.js` runs it.
#![cfg(target_family = "wasm")]

mod calls;
mod frame;
