//! The progress bar, shown only on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit;

/// Shorter runs show no bar.
const AFTER: Duration = Duration::from_millis(500);

pub struct Progress {
    bar: ProgressBar,
    begin: Instant,
}

impl Progress {
    /// A bar for `len` things of this name, or one that nobody sees.
    pub fn new(len: usize, things: &str, shown: bool) -> Self {
        // indicatif draws on stderr only if that is a terminal.
        let target = if shown { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(len as u64), target);
        let template = format!("{{bar:24}} {{percent}}%  {{human_pos}} {things}, {{per_sec}}, {{eta}} left");
        bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| bar.style()));
        Self { bar, begin: Instant::now() }
    }

    /// Counts things that were written.
    pub fn written(&self, count: usize) {
        if self.begin.elapsed() < AFTER {
            // `update` counts without drawing.
            self.bar.update(|state| state.set_pos(state.pos() + count as u64));
            return;
        }
        self.bar.inc(count as u64);
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
