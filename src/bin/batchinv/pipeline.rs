//! Three steps at once: one piece is read while another is computed and a third is written.
//!
//! Each step has its own thread and hands its pieces to the next. A step stops if it fails or if the next step has
//! stopped; the others then run out of pieces and stop, too.

use std::ops::Range;
use std::panic;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Instant;

use crate::exit::Failure;

/// Seconds for which each step was at work; the steps overlap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    pub read: f64,
    pub write: f64,
}

/// Takes the ranges through the steps in order. A slot carries one piece at a time.
///
/// If several steps fail, the failure of the last step is returned. It belongs to the earliest piece, so the report
/// does not depend on which thread was faster.
pub fn run<S: Send>(
    slots: Vec<S>,
    ranges: impl Iterator<Item = Range<usize>> + Send,
    read: impl FnMut(&mut S, Range<usize>) -> Result<(), Failure> + Send,
    compute: impl FnMut(&mut S) -> Result<(), Failure>,
    write: impl FnMut(&mut S) -> Result<(), Failure> + Send,
) -> Result<Times, Failure> {
    let (free, emptied) = channel();
    for slot in slots {
        let _ = free.send(slot);
    }
    let (read_to, filled) = channel();
    let (compute_to, computed) = channel();
    thread::scope(|scope| {
        let reading = spawn(scope, move || reading(ranges, read, emptied, read_to))?;
        let writing = spawn(scope, move || {
            // After the last piece, no reader waits for a free slot, so a failure to send is fine.
            step(write, computed, |slot| {
                let _ = free.send(slot);
                true
            })
        })?;
        let computing = step(compute, filled, |slot| compute_to.send(slot).is_ok());
        // Tells the writer that no more pieces come.
        drop(compute_to);
        let [reading, writing] = [reading, writing].map(|step| step.join().unwrap_or_else(|e| panic::resume_unwind(e)));
        let (write, (_, read)) = (writing?, (computing?, reading?));
        Ok(Times { read, write })
    })
}

/// Starts a thread, or fails if the system has none left.
fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>, Failure> {
    let started = thread::Builder::new().spawn_scoped(scope, work);
    started.map_err(|error| Failure::io(format!("cannot start a thread: {error}")))
}

/// Fills slots as they become free.
fn reading<S>(
    ranges: impl Iterator<Item = Range<usize>>,
    mut read: impl FnMut(&mut S, Range<usize>) -> Result<(), Failure>,
    emptied: Receiver<S>,
    to: Sender<S>,
) -> Result<f64, Failure> {
    let mut seconds = 0.0;
    for range in ranges {
        let Ok(mut slot) = emptied.recv() else { break };
        let start = Instant::now();
        read(&mut slot, range)?;
        seconds += start.elapsed().as_secs_f64();
        if to.send(slot).is_err() {
            break;
        }
    }
    Ok(seconds)
}

/// Works on every slot that arrives, until none arrives or `hand_on` returns false.
fn step<S>(
    mut work: impl FnMut(&mut S) -> Result<(), Failure>,
    from: Receiver<S>,
    mut hand_on: impl FnMut(S) -> bool,
) -> Result<f64, Failure> {
    let mut seconds = 0.0;
    for mut slot in from {
        let start = Instant::now();
        work(&mut slot)?;
        seconds += start.elapsed().as_secs_f64();
        if !hand_on(slot) {
            break;
        }
    }
    Ok(seconds)
}
