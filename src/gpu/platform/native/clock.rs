//! The clock that wakes calls that are late.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::Waker;
use std::thread;

use crate::data::clock::Instant;

/// Wakes a task at a point in time, unless it is dropped before.
#[derive(Default)]
pub struct Alarm(Option<(Instant, u64)>);

impl Alarm {
    pub fn set(&mut self, end: Instant, waker: &Waker) {
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
