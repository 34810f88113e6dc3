//! An engine by name, or the automatic choice.

/// An engine by name, or the automatic choice.
///
/// ```
/// use batchinv::{EngineChoice, Inverter, Stack};
/// let choice: EngineChoice = "cpu".parse()?;
/// let inverses = Inverter::new(choice)?.invert(Stack::new(&[4.0_f64], 1)?)?;
/// assert_eq!(inverses.stack().elements(), [0.25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EngineChoice {
    /// A hardware adapter if the work is worth the trip, the CPU otherwise.
    #[default]
    Auto,
    /// The CPU engine.
    Cpu,
    /// The GPU engine, on any adapter that wgpu finds, software adapters included.
    Gpu,
}

impl std::str::FromStr for EngineChoice {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            _ => Err(UnknownEngine(name.to_owned())),
        }
    }
}

/// A name that belongs to no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown engine \"{0}\": one of auto, cpu, gpu")]
pub struct UnknownEngine(String);
