//! All unsafe code of this package: one pointer to a value that is never freed.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A place for a value that can be replaced without a lock. Values that were replaced stay in memory, since others may
/// still use them. A lock of the standard library will not do: a forked child that finds it held waits forever.
pub struct Leaked<T: Sync + 'static>(AtomicPtr<T>);

impl<T: Sync> Leaked<T> {
    pub const fn new() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    /// The latest value.
    pub fn get(&self) -> Option<&'static T> {
        at(self.0.load(Ordering::Acquire))
    }

    /// A new value in the place of the latest, unless that is `wanted`, whoever put it there.
    pub fn replace_unless(&self, wanted: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &'static T {
        let new = Box::into_raw(Box::new(new()));
        let put = |latest| match at(latest) {
            Some(value) if wanted(value) => None,
            _ => Some(new),
        };
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, put) {
            Ok(_) => at(new),
            Err(latest) => at(latest),
        }
        .expect("a pointer from a box")
    }
}

/// The value behind a pointer that [`Leaked`] made.
#[allow(unsafe_code, reason = "a reference to what no lock and no counter guards")]
fn at<T>(pointer: *mut T) -> Option<&'static T> {
    // SAFETY: the pointer is null or comes from `Box::into_raw` of `replace_unless`, and nobody frees it or borrows
    // mutably from it. Its value was complete before the pointer was stored, with `Release`, and the pointer was loaded
    // with `Acquire`, or by the thread that stored it.
    unsafe { pointer.as_ref() }
}
