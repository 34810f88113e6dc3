//! `np.linalg.inv` for stacks of matrices, on any GPU.
//!
//! One call inverts thousands to millions of small dense square matrices by Gauss-Jordan elimination with
//! partial pivoting, and says for each matrix whether it was singular. It runs as WGSL compute shaders through
//! wgpu, or on the SIMD lanes of all the host's cores.
//!
//! ```
//! use approx::assert_relative_eq;
//! use batchinv::{Stack, StackBuf};
//!
//! // Two 2 x 2 matrices, row after row.
//! let elements = [4.0_f32, 7.0, 2.0, 6.0, /* the second: */ 0.0, 1.0, 2.0, 0.0];
//! let a = Stack::new(&elements, 2)?;
//! let inverses = batchinv::invert(a)?;
//! assert_eq!(inverses.get(1), Some(&[0.0, 0.5, 1.0, 0.0][..]));
//! assert_relative_eq!(a.product(inverses.stack())?, StackBuf::identity(2, 2), epsilon = 1e-6);
//! # Ok::<(), batchinv::Error>(())
//! ```
//!
//! # Which function
//! - [`invert`]: every inverse with a [`Status`] each; a singular matrix is no error.
//! - [`inv`]: the strict one, as in NumPy: the first matrix without an inverse is an error.
//! - [`Inverter`]: an engine chosen by name, options, async, and results in the caller's own memory.
//! - [`host`]: matrices of glam, nalgebra and ndarray, taken as they are.
#![cfg_attr(feature = "gpu", doc = " - [`gpu::Job`]: matrices in your own wgpu buffers, inverted in your own encoder.")]
//!
//! The [`guide`] has a page for each way to come here, and `examples/` three whole programs.
//!
//! # Features
//! - `vulkan`, `metal`, `dx12`, all by default: the GPU engine with these backends, each on the platforms that have it.
//! - `gpu`: the GPU engine. Alone, for programs that choose wgpu's backends themselves and bring their own devices.
//! - `glam` (0.34), `nalgebra` (0.35), `ndarray` (0.17): matrices of those crates, in [`host`].
//! - `cli`: the program.
//!
//! With none of them, this is the CPU engine alone.
//!
//! # What holds on every engine
//! - A matrix whose status is not 0 comes back filled with [`Scalar::NAN`]; its neighbors are untouched.
//! - The bits of a result depend on order, scalar, precision and adapter or SIMD level; never on the length
//!   of the stack, the place in it, the chunks or the threads.
//! - LAPACK's test ratio ||I - X A||_1 / (n ||A||_1 ||X||_1 eps) stays below 3 on LAPACK's own test matrices;
//!   [`residual_ratio`] computes it.
//! - The library never prints and never reads the environment.
//!
//! # What stays
//! Versions follow semver. What may grow is `#[non_exhaustive]`: errors, [`Precision`], [`Kernel`], kinds of adapters, and every
//! struct that this crate fills in. Closed are [`Engine`], [`EngineChoice`], [`Verdict`], [`ScalarKind`] and
//! [`plan::AutoPolicy`], which programs may match without a wildcard, and [`plan::Work`] and [`plan::Layout`], which they
//! make. Which kernel takes an order, the bits within the promises above, and the WGSL may change in any version. wgpu, glam,
//! nalgebra, ndarray and num-complex are seen in the API, so that a new major version of one is a new one of this crate.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cpu;
mod error;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod guide;
pub mod host;
mod in_place;
mod inverses;
mod inverter;
pub mod plan;
mod residual;
mod scalar;
mod stack;
mod threads;
mod trusted;

pub use cpu::{SimdLevel, reference::invert_reference};
pub use error::{Error, JobError, ShapeError};
pub use inverses::{Inverses, InversesMut, Report, Stages, Status, Verdict};
pub use inverter::{EngineChoice, Inverter, UnknownEngine, inv, invert};
pub use num_complex::Complex;
pub use plan::{Engine, Kernel, Precision};
pub use residual::{reciprocal_condition, residual_ratio};
pub use scalar::{Real, Scalar, ScalarKind, UnknownScalar};
pub use stack::{Stack, StackBuf};
#[cfg(feature = "gpu")]
pub use wgpu;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
