//! `--allow-non-conformant`, for every command that looks for GPUs.

use batchinv::gpu;

// Not a doc comment: clap would show it instead of the command's own.
#[derive(clap::Args, Debug)]
pub struct Drivers {
    /// Also use GPUs whose driver passed no conformance test, such as Mesa's Dozen on WSL2
    ///
    /// Such a driver may compute wrong inverses, crash, or hang. `inv --verify` and `bench` check every inverse.
    #[arg(long = "allow-non-conformant")]
    pub allow: bool,
}

impl Drivers {
    pub fn allowed(&self) -> gpu::Drivers {
        if self.allow { gpu::Drivers::All } else { gpu::Drivers::Conformant }
    }
}
