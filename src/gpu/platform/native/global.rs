//! Statics.

/// Defines a function that returns a value of the whole process, made when it is first wanted.
macro_rules! global {
    ($(#[$doc:meta])* fn $name:ident() -> $type:ty = $value:expr;) => {
        $(#[$doc])*
        fn $name() -> &'static $type {
            static VALUE: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $value);
            &VALUE
        }
    };
}
pub(in crate::gpu) use global;
