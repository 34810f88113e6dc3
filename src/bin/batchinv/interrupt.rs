//! Ctrl-C and SIGTERM: unfinished files are removed, then the program ends with 130 or 143.
//!
//! Elsewhere than on Unix, an interrupt may leave a temporary file behind.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// Watches for signals from now on.
#[cfg(unix)]
pub fn watch() {
    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};

    // A file that must not grow is a failure to write, as a full disk is.
    let _ = signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default());

    // Without handlers, the signals keep their default action: the program still ends.
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
    let clean_up = move || {
        let Some(signal) = signals.forever().next() else { return };
        for path in temporary().0.drain(..) {
            let _ = std::fs::remove_file(path);
        }
        crate::exit::say(if signal == SIGINT { "interrupted" } else { "terminated" });
        // At once, without the exit hooks of graphics drivers, whose threads are at work.
        signal_hook::low_level::exit(128 + signal);
    };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(clean_up);
}

#[cfg(not(unix))]
pub fn watch() {}
