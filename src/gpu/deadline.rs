//! The time limits of calls. A clock keeps them, whatever the device and the threads that wait for it do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use super::error::DeviceError;
use super::platform::Alarm;
use crate::data::clock::Instant;

/// The end of the time that a piece of a call may take, if there is one, and the limit that it follows from.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<(Instant, Duration)>);

impl Deadline {
    /// The deadline of a piece that begins at `start`.
    pub fn new(start: Instant, limit: Option<Duration>) -> Self {
        // A sum that overflows is never reached.
        Self(limit.and_then(|limit| Some((start.checked_add(limit)?, limit))))
    }

    /// Waits for a future until the deadline.
    pub async fn keep<T>(self, future: impl Future<Output = Result<T, DeviceError>>) -> Result<T, DeviceError> {
        let Some((end, limit)) = self.0 else { return future.await };
        let (mut future, mut alarm) = (pin!(future), Alarm::default());
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            if end <= Instant::now() {
                return Poll::Ready(Err(DeviceError::Lost(format!("no answer within {limit:?}"))));
            }
            alarm.set(end, context.waker());
            Poll::Pending
        })
        .await
    }
}

/// The longest wait for a piece of a call, in nanoseconds; `u64::MAX` means no limit.
#[derive(Debug)]
pub struct TimeLimit(AtomicU64);

impl Default for TimeLimit {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl TimeLimit {
    /// The limit for a call that begins now.
    pub fn get(&self) -> Option<Duration> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&limit| limit < u64::MAX).map(Duration::from_nanos)
    }

    /// The limit for all calls that begin from now on.
    pub fn set(&self, limit: Option<Duration>) {
        let nanos = limit.and_then(|limit| u64::try_from(limit.as_nanos()).ok()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}
