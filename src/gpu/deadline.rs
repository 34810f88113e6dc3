//! The time limits of calls, and the clock that keeps them, whatever the device and the threads that wait for it do.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::error::DeviceError;

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
        let (mut future, mut alarm) = (pin!(future), Alarm(None));
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

/// Wakes a task at a point in time, unless it is dropped before.
struct Alarm(Option<(Instant, u64)>);

impl Alarm {
    fn set(&mut self, end: Instant, waker: &Waker) {
        let mut clock = CLOCK.lock();
        let key = *self.0.get_or_insert_with(|| {
            clock.count += 1;
            (end, clock.count)
        });
        let replaced = clock.alarms.insert(key, waker.clone());
        if !clock.runs {
            // Without a thread, the limit is not kept; the next piece tries again.
            clock.runs = thread::Builder::new().name("batchinv clock".to_owned()).spawn(run_clock).is_ok();
        } else if clock.sleeps_until.is_none_or(|until| end < until) {
            CLOCK.changed.notify_one();
        }
        drop(clock);
        // A waker may be the last owner of a task, which may have an alarm of its own.
        drop(replaced);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = self.0.and_then(|key| CLOCK.lock().alarms.remove(&key));
        drop(waker);
    }
}

/// The clock of all devices. Its thread begins with the first limit, holds no device, and sleeps until the earliest
/// alarm.
static CLOCK: Clock = Clock {
    state: Mutex::new(Alarms { alarms: BTreeMap::new(), count: 0, sleeps_until: None, runs: false }),
    changed: Condvar::new(),
};

struct Clock {
    state: Mutex<Alarms>,
    changed: Condvar,
}

struct Alarms {
    /// By time, and by a number that tells alarms of the same time apart.
    alarms: BTreeMap<(Instant, u64), Waker>,
    /// The number of alarms so far.
    count: u64,
    /// `None` until there is an alarm.
    sleeps_until: Option<Instant>,
    /// True once the thread was started.
    runs: bool,
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, Alarms> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn run_clock() {
    let mut clock = CLOCK.lock();
    loop {
        let now = Instant::now();
        clock.sleeps_until = clock.alarms.keys().next().map(|&(end, _)| end);
        clock = match clock.sleeps_until {
            None => CLOCK.changed.wait(clock).unwrap_or_else(|poisoned| poisoned.into_inner()),
            Some(end) if now < end => {
                let woken = CLOCK.changed.wait_timeout(clock, end - now);
                woken.unwrap_or_else(|poisoned| poisoned.into_inner()).0
            }
            Some(_) => {
                let due = clock.alarms.pop_first();
                drop(clock);
                // The executor's code; the clock must survive it.
                let _ = catch_unwind(AssertUnwindSafe(|| due.map(|(_, waker)| waker.wake())));
                CLOCK.lock()
            }
        };
    }
}
