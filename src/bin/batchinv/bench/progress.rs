//! The progress bar, shown only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::bench::args::Configuration;
use crate::bench::engines::Engine;

pub struct Progress(ProgressBar);

impl Progress {
    /// The bar is drawn between measurements; a thread of its own would disturb them.
    pub fn new(steps: usize, quiet: bool) -> Self {
        // indicatif draws on stderr only if that is a terminal.
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}").unwrap_or_else(|_| bar.style());
        bar.set_style(style);
        Self(bar)
    }

    pub fn begin(&self, configuration: Configuration, engine: &Engine) {
        let Configuration { op, scalar, order, width, len } = configuration;
        let (engine, op) = (engine.name(), op.title(width));
        self.0.set_message(format!("{engine} {op}, {scalar}, order {order}, {len} matrices"));
        self.0.tick();
    }

    /// Runs `print` while the bar is cleared.
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
