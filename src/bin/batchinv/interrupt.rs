//! Ctrl-C, SIGTERM and a terminal that hangs up: temporary files are removed, then the program ends with 130, 143 or
//! 129.
//!
//! On systems other than Unix, an interrupt may leave a temporary file behind.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exit::Failure;

/// The temporary files that exist right now.
///
/// The lock is held while one is created, renamed or removed, so that an interrupt finds that step either done or not
/// begun.
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
pub fn wait_if_interrupted() {}

#[cfg(unix)]
pub use unix::{wait_if_interrupted, watch};

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, OnceLock};
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

    use super::*;

    /// True once a signal has arrived that ends the program.
    static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

    /// Starts to watch for signals.
    pub fn watch() -> Result<(), Failure> {
        let failed = |error| Failure::io(format!("cannot watch for signals: {error}"));
        // Reaching the file size limit is then an error of the write, like a full disk, and does not kill the program.
        signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(failed)?;

        let ignored = ignored();
        // Signals that `nohup` or a shell's `&` ignores stay ignored.
        let watched = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
        let mut signals = signal_hook::iterator::Signals::new(watched.clone()).map_err(failed)?;
        let clean_up = move || {
            let Some(signal) = signals.forever().next() else { return };
            // Held to the end, so that no further file is created or renamed.
            let mut list = temporary();
            for path in list.0.drain(..) {
                let _ = std::fs::remove_file(path);
            }
            crate::exit::say(match signal {
                SIGINT => "interrupted",
                SIGTERM => "terminated",
                _ => "the terminal hung up",
            });
            // Ends at once, without the exit hooks of graphics drivers, whose threads are still running.
            signal_hook::low_level::exit(128 + signal);
        };
        thread::Builder::new().name("signals".to_owned()).spawn(clean_up).map_err(failed)?;
        let interrupted = INTERRUPTED.get_or_init(Arc::default);
        for signal in watched {
            signal_hook::flag::register(signal, Arc::clone(interrupted)).map_err(failed)?;
        }
        Ok(())
    }

    /// Never returns once a signal has arrived that ends the program. A failure after that is only its consequence: for
    /// example, Ctrl-C may have ended the other programs of a pipeline first.
    pub fn wait_if_interrupted() {
        while INTERRUPTED.get().is_some_and(|interrupted| interrupted.load(Ordering::SeqCst)) {
            thread::park();
        }
    }

    /// The ignored signals as a bit mask, with signal 1 in the lowest bit; 0 on systems without /proc. See `SigIgn` in
    /// proc(5).
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}
