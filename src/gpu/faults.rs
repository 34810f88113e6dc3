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
    /// The device is destroyed while a chunk is waited for.
    Destruction,
}

/// Where a call can meet a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The device is asked whether all went well.
    Check,
    /// A chunk is about to be waited for.
    Wait,
    /// A chunk's results are about to be read.
    Mapping,
}

impl Fault {
    fn place(self) -> Place {
        match self {
            Self::OutOfMemory | Self::Refusal => Place::Check,
            Self::Destruction => Place::Wait,
            Self::Mapping => Place::Mapping,
        }
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

/// As a test of the program says it: a fault's name and the chances to let pass, `mapping:2`. It strikes ever after.
///
/// # Errors
/// What is not such a text.
pub fn arm_by_name(text: &str) -> Result<(), String> {
    let (name, pass) = text.split_once(':').unwrap_or((text, "0"));
    let fault = match name {
        "memory" => Fault::OutOfMemory,
        "refusal" => Fault::Refusal,
        "mapping" => Fault::Mapping,
        "destruction" => Fault::Destruction,
        _ => return Err(format!("no fault is named {name:?}")),
    };
    arm(fault, pass.parse().map_err(|_| format!("{pass:?} is no number"))?, usize::MAX);
    Ok(())
}

/// No fault strikes any more. Whether the one armed before had struck as often as it was to.
pub fn disarm() -> bool {
    ARMED.take().is_none_or(|armed| armed.times == 0)
}

fn strikes(place: Place) -> Option<Fault> {
    let mut armed = ARMED.get().filter(|armed| armed.fault.place() == place && armed.times > 0)?;
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
    strikes(Place::Check).map(|fault| (fault == Fault::OutOfMemory, WORDS.to_owned()))
}

/// Before a chunk is waited for.
pub(super) fn wait(device: &wgpu::Device) {
    if strikes(Place::Wait).is_some() {
        device.destroy();
    }
}

/// In place of a mapping.
pub(super) fn mapping() -> Result<(), String> {
    strikes(Place::Mapping).map_or(Ok(()), |_| Err(WORDS.to_owned()))
}

/// What the device says then.
const WORDS: &str = "a fault on demand";
