//! Statics. Handles of WebGPU belong to their thread.

/// Defines a function that returns a value of the whole thread, made when it is first wanted.
macro_rules! global {
    ($(#[$doc:meta])* fn $name:ident() -> $type:ty = $value:expr;) => {
        $(#[$doc])*
        fn $name() -> &'static $type {
            thread_local! {
                static VALUE: &'static $type = Box::leak(Box::new($value));
            }
            VALUE.with(|value| *value)
        }
    };
}
pub(in crate::gpu) use global;
