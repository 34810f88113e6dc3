//! `np.linalg.inv` for stacks of matrices, on any GPU.
//!
//! One call inverts thousands to millions of small dense square matrices by Gauss-Jordan elimination with partial
//! pivoting, and says for each matrix whether it was singular. It runs as WGSL compute shaders through wgpu, or on the
//! SIMD lanes of all cores of the host.
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
//! - [`invert`]: every inverse, with a [`Status`] for each; a singular matrix is not an error.
//! - [`inv`]: the strict one, as in NumPy: the first matrix without an inverse is an error.
//! - [`solve`]: the solutions of systems A X = B, and [`determinants`]; [`Inverter`] has forms with a status for each
//!   system.
//! - [`Inverter`]: an engine chosen by name, options, async, and results in the caller's own memory.
//! - [`host`]: matrices of glam, nalgebra and ndarray, taken as they are.
#![cfg_attr(
    feature = "gpu",
    doc = " - [`gpu::Job`]: matrices in your own wgpu buffers, inverted or solved with, in your own encoder."
)]
//!
//! The [`guide`] has a page for each kind of user, and `examples/` has three complete programs.
//!
//! # Features
//! - `vulkan`, `metal`, `dx12`, all on by default: the GPU engine with these backends, each on the platforms that have
//!   it.
//! - `webgpu`: the GPU engine in browsers, on wasm32. Nothing that blocks is there, nor [`host`].
//! - `gpu`: the GPU engine alone, for programs that choose wgpu's backends themselves and bring their own devices.
//! - `glam` (0.34), `nalgebra` (0.35), `ndarray` (0.17): matrices of those crates, in [`host`].
//! - `cli`: the program.
//!
//! Without any of them, the crate is the CPU engine alone.
//!
//! # What holds on every engine
//! - A matrix without an inverse comes back filled with [`Scalar::NAN`], or with what [`Inverter::on_failure`] chose;
//!   its neighbors are untouched.
//! - The bits of a result depend on order, scalar, precision and adapter or SIMD level; never on the length
//!   of the stack, the place in it, the chunks or the threads.
//! - LAPACK's test ratio ||I - X A||_1 / (n ||A||_1 ||X||_1 eps) stays below 3 on LAPACK's own test matrices;
//!   [`residual_ratio`] computes it. That of solutions, ||b - A x||_1 / (||A||_1 ||x||_1 eps), stays below 5 on them;
//!   [`solve_ratio`] computes it.
//! - The library never prints and never reads the environment.
//!
//! # Stability
//! Versions follow semver. Whatever may grow is `#[non_exhaustive]`: errors, [`Verdict`], [`Reason`], [`Refusal`],
//! [`Precision`], [`Op`], kernels, kinds of adapters, and every struct outside [`plan`] that this crate fills in.
//! [`Engine`], [`EngineChoice`], [`ScalarKind`] and [`Kernel`] are closed, so that programs may match them without a
//! wildcard, and so are [`plan::Layout`] and [`plan::Work`], which programs make. The kernel that takes an order, the
//! bits within the promises above, and the WGSL may change in any version. wgpu, glam, nalgebra, ndarray and
//! num-complex appear in the public API, so a major release of any of them is a major release of this crate.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod check;
mod cpu;
mod data;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod guide;
#[cfg(not(target_family = "wasm"))]
pub mod host;
mod inverter;
pub mod plan;
mod trusted;

pub use check::reference::{determinant_reference, invert_reference, solve_reference};
pub use check::residual::{residual_ratio, solve_ratio};
pub use cpu::simd::level::SimdLevel;
pub use data::arithmetic::Arithmetic;
pub use data::columns::{Columns, ColumnsBuf};
pub use data::condition::reciprocal_condition;
pub use data::determinant::Determinant;
pub use data::engine::{CpuKernel, Engine, GpuKernel, Kernel, Op, Precision};
pub use data::equilibrated::{RcondOf, equilibrated_rcond};
pub use data::error::{Error, JobError, ShapeError};
pub use data::on_failure::OnFailure;
pub use data::outcome::{Container, Determinants, Inverses, Outcome, Solutions};
pub use data::output::{InversesMut, SolutionsMut};
pub use data::reason::Reason;
pub use data::refusal::Refusal;
pub use data::report::{Report, Stages};
pub use data::scalar::{Real, Scalar, ScalarKind, UnknownScalar};
pub use data::shape::Shape;
pub use data::stack::{Stack, StackBuf};
pub use data::status::{Status, Verdict};
pub use data::system_shape::SystemShape;
#[cfg(not(target_family = "wasm"))]
pub use inverter::blocking::{determinants, inv, invert, solve};
pub use inverter::engine_choice::{EngineChoice, UnknownEngine};
pub use inverter::options::Inverter;
pub use num_complex::Complex;
#[cfg(feature = "gpu")]
pub use wgpu;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
