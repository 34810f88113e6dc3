//! Faults on demand, for tests of calls that fail.
//!
//! A fault is armed for the calling thread. [`Inverter::invert`](crate::Inverter::invert) does all the work that can
//! fail there, or on a thread to which the fault is carried.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::error::DeviceError;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device has no memory for the last request.
    OutOfMemory,
    /// The device refuses the last request.
    Refusal,
    /// Results cannot be mapped into the host's memory.
    Mapping,
    /// The device is destroyed while a chunk is waited for.
    Destruction,
    /// The device is destroyed, with all its buffers, once a chunk's results are copied.
    LateDestruction,
    /// The probe finds that the device loses digits of pairs.
    Pairs,
}

/// A point of a call at which a fault can strike.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The device is asked for errors.
    Check,
    /// A chunk is about to be waited for.
    Wait,
    /// A chunk's results are about to be read.
    Mapping,
    /// A chunk's buffers are about to be returned to the device.
    Return,
    /// The results of the probe are judged.
    Probe,
}

impl Fault {
    fn moment(self) -> Moment {
        match self {
            Self::OutOfMemory | Self::Refusal => Moment::Check,
            Self::Destruction => Moment::Wait,
            Self::Mapping => Moment::Mapping,
            Self::LateDestruction => Moment::Return,
            Self::Pairs => Moment::Probe,
        }
    }
}

struct Armed {
    fault: Fault,
    /// The number of chances to let pass.
    pass: usize,
    /// The number of times to strike.
    times: usize,
}

thread_local! {
    static ARMED: RefCell<Option<Arc<Mutex<Armed>>>> = const { RefCell::new(None) };
}

/// The fault of a thread, on its way to another that works for it.
pub(super) struct Carried(Option<Arc<Mutex<Armed>>>);

/// Takes along the fault of this thread.
pub(super) fn carry() -> Carried {
    Carried(ARMED.with_borrow(Clone::clone))
}

impl Carried {
    /// Does work of the thread that the fault comes from.
    pub(super) fn run<R>(self, work: impl FnOnce() -> R) -> R {
        /// Also if the work panics.
        struct Restore(Option<Arc<Mutex<Armed>>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                ARMED.set(self.0.take());
            }
        }
        let _restore = Restore(ARMED.replace(self.0));
        work()
    }
}

/// Arms a fault: it lets `pass` chances pass and then strikes `times` times.
pub fn arm(fault: Fault, pass: usize, times: usize) {
    ARMED.set(Some(Arc::new(Mutex::new(Armed { fault, pass, times }))));
}

/// Arms a fault from the text that a test gives to the program: the fault's name and the number of chances to let
/// pass, such as `mapping:2`. After these it strikes every time.
///
/// # Errors
/// If the text has any other form; the message says why.
pub fn arm_by_name(text: &str) -> Result<(), String> {
    let (name, pass) = text.split_once(':').unwrap_or((text, "0"));
    let fault = match name {
        "memory" => Fault::OutOfMemory,
        "refusal" => Fault::Refusal,
        "mapping" => Fault::Mapping,
        "destruction" => Fault::Destruction,
        _ => return Err(format!("no fault is named {name:?}")),
    };
    arm(fault, pass.parse().map_err(|_| format!("{pass:?} is not a number"))?, usize::MAX);
    Ok(())
}

/// Disarms the fault. Returns whether it had struck as often as it was armed to.
pub fn disarm() -> bool {
    ARMED.take().is_none_or(|armed| armed.lock().is_ok_and(|armed| armed.times == 0))
}

fn strikes(moment: Moment) -> Option<Fault> {
    let armed = ARMED.with_borrow(Clone::clone)?;
    let mut armed = armed.lock().ok().filter(|armed| armed.fault.moment() == moment && armed.times > 0)?;
    let strikes = armed.pass == 0;
    if strikes {
        armed.times -= 1
    } else {
        armed.pass -= 1
    }
    strikes.then_some(armed.fault)
}

/// Stands in for the device's report on the commands before.
pub(super) fn check() -> Option<DeviceError> {
    strikes(Moment::Check).map(|fault| match fault {
        Fault::OutOfMemory => DeviceError::OutOfMemory(WORDS.to_owned()),
        _ => DeviceError::Lost(WORDS.to_owned()),
    })
}

/// Destroys the device before a chunk is waited for.
pub(super) fn wait(device: &wgpu::Device) {
    if strikes(Moment::Wait).is_some() {
        device.destroy();
    }
}

/// Destroys the device, and waits until its buffers are gone, before a chunk's buffers are returned to it.
pub(super) fn give_back(device: &wgpu::Device) {
    if strikes(Moment::Return).is_some() {
        device.destroy();
        let _ = device.poll(wgpu::PollType::wait_indefinitely());
    }
}

/// Stands in for a failed mapping.
pub(super) fn mapping() -> Result<(), DeviceError> {
    strikes(Moment::Mapping).map_or(Ok(()), |_| Err(DeviceError::Lost(WORDS.to_owned())))
}

/// Returns whether the device loses digits of pairs, whatever the probe found.
pub(super) fn loses_pairs() -> bool {
    strikes(Moment::Probe).is_some()
}

/// Part of the names of adapters whose drivers count as non-conformant.
static NON_CONFORMANT: RwLock<Option<String>> = RwLock::new(None);

/// Lets the drivers of adapters with this part in their names count as non-conformant, in the whole process.
pub fn non_conformant(part: String) {
    *NON_CONFORMANT.write().unwrap_or_else(PoisonError::into_inner) = Some(part);
}

/// Stands in for wgpu, which hides them.
pub(super) fn without_hidden(adapters: Vec<wgpu::Adapter>) -> Vec<wgpu::Adapter> {
    let part = NON_CONFORMANT.read().unwrap_or_else(PoisonError::into_inner);
    let shown = |adapter: &wgpu::Adapter| !part.as_ref().is_some_and(|part| adapter.get_info().name.contains(part));
    adapters.into_iter().filter(shown).collect()
}

/// The device's message for a fault.
const WORDS: &str = "a fault on demand";
