//! Faults on demand, so that tests see what becomes of a call that meets one.
//!
//! A fault is armed for the calling thread, on which [`Inverter::invert`](crate::Inverter::invert) does all that can meet
//! one.

use std::cell::Cell;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device has no memory for what was asked of it last.
    OutOfMemory,
    /// The device refuses what was asked of it last.
    Refusal,
    /// Results cannot be mapped into the host's memory.
    Mapping,
}

impl Fault {
    /// Where the device is asked whether all went well, rather than waited for.
    fn is_check(self) -> bool {
        self != Self::Mapping
    }
}

#[derive(Clone, Copy)]
struct Armed {
    fault: Fault,
    /// Chances to let pass.
    pass: usize,
    /// Times to strike.
    times: usize,
}

thread_local! {
    static ARMED: Cell<Option<Armed>> = const { Cell::new(None) };
}

/// Arms a fault: it lets `pass` chances pass and then strikes `times` times.
pub fn arm(fault: Fault, pass: usize, times: usize) {
    ARMED.set(Some(Armed { fault, pass, times }));
}

/// No fault strikes any more. Whether the one armed before had struck as often as it was to.
pub fn disarm() -> bool {
    ARMED.take().is_none_or(|armed| armed.times == 0)
}

fn strikes(at_check: bool) -> Option<Fault> {
    let mut armed = ARMED.get().filter(|armed| armed.fault.is_check() == at_check && armed.times > 0)?;
    let strikes = armed.pass == 0;
    if strikes {
        armed.times -= 1
    } else {
        armed.pass -= 1
    }
    ARMED.set(Some(armed));
    strikes.then_some(armed.fault)
}

/// In place of what the device says about the commands before: whether it is out of memory, and its words.
pub(super) fn check() -> Option<(bool, String)> {
    strikes(true).map(|fault| (fault == Fault::OutOfMemory, WORDS.to_owned()))
}

/// In place of a mapping.
pub(super) fn mapping() -> Result<(), String> {
    strikes(false).map_or(Ok(()), |_| Err(WORDS.to_owned()))
}

/// What the device says then.
const WORDS: &str = "a fault on demand";
