//! The progress bar, shown only on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit;
use crate::inv::args::Args;

/// Shorter runs show no bar.
const AFTER: Duration = Duration::from_millis(500);

pub struct Progress {
    bar: ProgressBar,
    begin: Instant,
}

impl Progress {
    pub fn new(len: usize, args: &Args) -> Self {
        // indicatif draws on stderr only if that is a terminal. A JSON object on stderr must stand there alone.
        let hidden = args.quiet || args.json && args.uses_stdout();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(Some(len as u64), target);
        let style = ProgressStyle::with_template("{bar:24} {percent}%  {human_pos} matrices, {per_sec}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| bar.style()));
        Self { bar, begin: Instant::now() }
    }

    /// Counts matrices that were written.
    pub fn written(&self, matrices: usize) {
        if self.begin.elapsed() < AFTER {
            // `update` counts without drawing.
            self.bar.update(|state| state.set_pos(state.pos() + matrices as u64));
            return;
        }
        self.bar.inc(matrices as u64);
        exit::bar_shown(!self.bar.is_hidden());
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
        exit::bar_shown(false);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
