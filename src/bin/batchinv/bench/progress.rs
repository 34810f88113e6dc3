//! The progress bar: on a terminal, and there only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Configuration;
use super::engines::Engine;

pub struct Progress(ProgressBar);

impl Progress {
    /// It draws between measurements and has no thread of its own, which would disturb them.
    pub fn new(steps: usize, quiet: bool) -> Self {
        // stderr as a draw target shows nothing where stderr is no terminal.
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}").unwrap_or_else(|_| bar.style());
        bar.set_style(style);
        Self(bar)
    }

    pub fn begin(&self, Configuration { scalar, order, len }: Configuration, engine: &Engine) {
        self.0.set_message(format!("{} {scalar}, order {order}, {len} matrices", engine.name()));
        self.0.tick();
    }

    /// Does something with the bar out of the way.
    pub fn hidden<R>(&self, print: impl FnOnce() -> R) -> R {
        self.0.suspend(print)
    }

    pub fn end(&self) {
        self.0.inc(1);
    }

    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
