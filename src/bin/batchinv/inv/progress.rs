//! The progress bar: on a terminal, and there only.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Inv;
use crate::exit;

/// What takes no longer shows no bar.
const AFTER: Duration = Duration::from_millis(500);

pub struct Progress {
    bar: ProgressBar,
    begin: Instant,
}

impl Progress {
    pub fn new(len: usize, args: &Inv) -> Self {
        // stderr as a draw target shows nothing where stderr is no terminal. Where the JSON object goes there, it is all
        // that does.
        let hidden = args.quiet || args.json && args.stdout_taken();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(Some(len as u64), target);
        let style = ProgressStyle::with_template("{bar:24} {percent}%  {human_pos} matrices, {per_sec}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| bar.style()));
        Self { bar, begin: Instant::now() }
    }

    /// So many more are written.
    pub fn written(&self, matrices: usize) {
        if self.begin.elapsed() < AFTER {
            // Counts without drawing.
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
