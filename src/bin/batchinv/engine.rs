//! The engine that a command runs on, as its arguments choose it.

use batchinv::gpu::GpuInverter;
use batchinv::{Inverter, Precision};
use clap::ValueEnum;

use crate::drivers::Drivers;
use crate::exit::Failure;

// Not a doc comment: clap would show it instead of the command's own.
#[derive(clap::Args, Debug)]
pub struct EngineArgs {
    /// The engine; `auto` takes a hardware GPU if the work is worth the transfer, and the CPU otherwise
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    engine: Engine,

    /// Use the GPU with this number or name, as `batchinv info` shows them; part of a name will do, ignoring case
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,

    #[command(flatten)]
    drivers: Drivers,

    /// `double` computes float32 and complex64 in double precision and rounds at the end, as NumPy does
    #[arg(long = "precision", value_enum, value_name = "PRECISION", default_value_t = WorkingPrecision::Native)]
    working_precision: WorkingPrecision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    Auto,
    Cpu,
    Gpu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WorkingPrecision {
    Native,
    Double,
}

impl EngineArgs {
    /// Checks the rules between these arguments.
    pub fn check(&self) -> Result<(), Failure> {
        if self.engine == Engine::Cpu {
            let useless = [("--adapter", self.adapter.is_some()), ("--allow-non-conformant", self.drivers.allow)];
            if let Some((option, _)) = useless.into_iter().find(|(_, given)| *given) {
                return Err(Failure::input(format!("{option} is about GPUs, which --engine cpu never uses")));
            }
        }
        Ok(())
    }

    pub fn precision(&self) -> Precision {
        match self.working_precision {
            WorkingPrecision::Native => Precision::Native,
            WorkingPrecision::Double => Precision::Double,
        }
    }

    /// The inverter that these arguments mean.
    pub fn inverter(&self) -> Result<Inverter, Failure> {
        let (adapter, drivers) = (self.adapter.as_deref(), self.drivers.allowed());
        let inverter = match (self.engine, adapter) {
            (Engine::Cpu, _) => Inverter::cpu(),
            (Engine::Gpu, _) => Inverter::with_gpu(GpuInverter::open_with(adapter, drivers)?),
            (Engine::Auto, Some(name)) => Inverter::auto().adapter(name).drivers(drivers),
            (Engine::Auto, None) => Inverter::auto().drivers(drivers),
        };
        let inverter = seeded(inverter.precision(self.precision()));
        // Faults belong to a thread; this is the one that computes.
        #[cfg(feature = "testing")]
        if let Ok(fault) = std::env::var("BATCHINV_TEST_FAULT") {
            batchinv::gpu::faults::arm_by_name(&fault).map_err(Failure::input)?;
        }
        // Lets the automatic path run end to end on machines that have only a software adapter.
        #[cfg(feature = "testing")]
        if std::env::var_os("BATCHINV_TEST_AUTO").is_some_and(|value| value == "software") {
            return Ok(inverter.auto_policy(batchinv::plan::AutoPolicy::SoftwareCounts));
        }
        Ok(inverter)
    }
}

/// Returns the inverter; a test may request one whose results are wrong, so that checks have something to refuse.
pub fn seeded(inverter: Inverter) -> Inverter {
    #[cfg(feature = "testing")]
    if std::env::var_os("BATCHINV_TEST_WRONG_KERNEL").is_some_and(|value| value == "1") {
        return inverter.wrong(true);
    }
    inverter
}
