//! Ctrl-C, SIGTERM, and a terminal that hangs up: unfinished files are removed, then the program ends with 130, 143 or 129.
//!
//! Elsewhere than on Unix, an interrupt may leave a temporary file behind.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exit::Failure;

/// The temporary files that are there right now.
///
/// Whoever creates, renames or removes one holds the lock meanwhile, so that an interrupt finds either all of
/// that done or none of it.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The list of temporary files, locked.
pub struct Temporary(MutexGuard<'static, Vec<PathBuf>>);

pub fn temporary() -> Temporary {
    Temporary(TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Temporary {
    pub fn add(&mut self, path: &Path) {
        self.0.push(path.to_owned());
    }

    pub fn forget(&mut self, path: &Path) {
        self.0.retain(|other| other != path);
    }
}

#[cfg(not(unix))]
pub fn watch() -> Result<(), Failure> {
    Ok(())
}

#[cfg(not(unix))]
pub fn wait_where_interrupted() {}

#[cfg(unix)]
pub use unix::{wait_where_interrupted, watch};

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, OnceLock};
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

    use super::*;

    /// A signal that ends the program has come.
    static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

    /// Watches for signals from now on.
    pub fn watch() -> Result<(), Failure> {
        let failed = |error| Failure::io(format!("cannot watch for signals: {error}"));
        // A file that must not grow is a failure to write, as a full disk is.
        signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(failed)?;

        let ignored = ignored();
        // What `nohup` or a shell's `&` had ignored stays so.
        let watched = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
        let mut signals = signal_hook::iterator::Signals::new(watched.clone()).map_err(failed)?;
        let clean_up = move || {
            let Some(signal) = signals.forever().next() else { return };
            // Held to the end: no file begins or appears any more.
            let mut list = temporary();
            for path in list.0.drain(..) {
                let _ = std::fs::remove_file(path);
            }
            crate::exit::say(match signal {
                SIGINT => "interrupted",
                SIGTERM => "terminated",
                _ => "the terminal hung up",
            });
            // At once, without the exit hooks of graphics drivers, whose threads are at work.
            signal_hook::low_level::exit(128 + signal);
        };
        thread::Builder::new().name("signals".to_owned()).spawn(clean_up).map_err(failed)?;
        let interrupted = INTERRUPTED.get_or_init(Arc::default);
        for signal in watched {
            signal_hook::flag::register(signal, Arc::clone(interrupted)).map_err(failed)?;
        }
        Ok(())
    }

    /// Never returns once a signal has come that ends the program: what fails then fails because of it, as where Ctrl-C
    /// ended the other programs of a pipeline first.
    pub fn wait_where_interrupted() {
        while INTERRUPTED.get().is_some_and(|interrupted| interrupted.load(Ordering::SeqCst)) {
            thread::park();
        }
    }

    /// The signals that are ignored, bit by bit from signal 1 on, where the system says so. proc(5), `SigIgn`.
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}
