//! On native platforms: threads of the engine wait, submit and keep the time.

pub mod clock;
pub mod device;
pub mod global;
pub mod ready;
pub mod submit;
pub mod waiter;
pub mod worker;
