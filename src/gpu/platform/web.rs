//! In browsers: one thread, which must never wait. The browser polls devices, and calls back.

pub mod alarm;
pub mod device;
pub mod global;
pub mod work;
