//! Guides, one for each way to come here.

#[doc = include_str!("guide/from_a_slice.md")]
pub mod from_a_slice {}

#[cfg(feature = "gpu")]
#[doc = include_str!("guide/inside_my_frame.md")]
pub mod inside_my_frame {}

#[cfg(feature = "gpu")]
#[doc = include_str!("guide/in_ci_without_a_gpu.md")]
pub mod in_ci_without_a_gpu {}

#[doc = include_str!("guide/statuses.md")]
pub mod statuses {}

#[doc = include_str!("guide/inverse_or_solve.md")]
pub mod inverse_or_solve {}
