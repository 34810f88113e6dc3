//! Futures that are ready at once on native platforms, and only browsers must wait for.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The output of such a future, on a native platform.
pub fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("native platforms need not wait for this"),
    }
}
