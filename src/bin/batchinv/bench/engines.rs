//! The engines that are timed, opened once.

use std::time::Instant;

use batchinv::gpu::GpuInverter;
use batchinv::plan::{self, AdapterFacts, AdapterKind, CpuFacts, CpuPlan, CpuTuning, Work};
use batchinv::{Error, Inverter};

use crate::bench::args::{Args, Choice};
use crate::engine::seeded;
use crate::exit::Failure;

pub struct Engines {
    engines: Vec<Engine>,
    /// Why there is no GPU engine, if none was requested and none was found.
    pub missing: Option<String>,
}

/// One of the two engines, ready to work.
pub struct Engine {
    pub inverter: Inverter,
    pub gpu: Option<Gpu>,
}

pub struct Gpu {
    pub device: GpuInverter,
    /// Finding the adapter and opening a device on it.
    pub open_seconds: f64,
}

impl Engines {
    pub fn open(args: &Args) -> Result<Self, Failure> {
        let cpu = || Engine { inverter: seeded(Inverter::cpu()), gpu: None };
        let gpu = || -> Result<Engine, Error> {
            let start = Instant::now();
            let device = GpuInverter::open_with(args.adapter.as_deref(), args.drivers.allowed())?;
            let open_seconds = start.elapsed().as_secs_f64();
            let inverter = seeded(Inverter::with_gpu(device.clone()));
            Ok(Engine { inverter, gpu: Some(Gpu { device, open_seconds }) })
        };
        let (engines, missing) = match (args.engine, &args.adapter) {
            (Some(Choice::Cpu), _) => (vec![cpu()], None),
            (Some(Choice::Gpu), _) => (vec![gpu()?], None),
            // An adapter that was named must exist.
            (None, Some(_)) => (vec![cpu(), gpu()?], None),
            (None, None) => match gpu() {
                Ok(gpu) => (vec![cpu(), gpu], None),
                Err(error) => (vec![cpu()], Some(error.to_string())),
            },
        };
        Ok(Self { engines, missing })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Engine> {
        self.engines.iter()
    }
}

impl Engine {
    pub fn name(&self) -> &'static str {
        let engine = if self.gpu.is_some() { batchinv::Engine::Gpu } else { batchinv::Engine::Cpu };
        engine.name()
    }

    pub fn facts(&self) -> Option<&AdapterFacts> {
        self.gpu.as_ref().map(|gpu| gpu.device.facts())
    }

    /// Fails if the engine cannot do this work at all.
    pub fn takes(&self, work: Work) -> Result<(), Error> {
        self.facts().map_or(Ok(()), |facts| plan::gpu(work, &facts.limits).map(drop))
    }

    /// Matrices per piece of the work. The check pays special attention to the borders between pieces.
    pub fn piece_len(&self, work: Work) -> usize {
        let chunk = |facts: &AdapterFacts| plan::gpu(work, &facts.limits).map_or(work.len, |plan| plan.chunk_len);
        // The size of vectors makes no difference to it.
        let task = || CpuPlan::new(work, &CpuFacts::new(self.threads(work), 16)).task_len;
        self.facts().map_or_else(task, chunk)
    }

    /// Host threads that the engine uses; the copy that it is compared with uses as many.
    pub fn threads(&self, work: Work) -> usize {
        // A GPU's data is moved by one thread.
        let all = self.gpu.is_none() && CpuTuning::MEASURED.is_parallel(work);
        if all { rayon::current_num_threads() } else { 1 }
    }

    /// Returns whether the adapter computes on the host's own cores, through a graphics driver.
    pub fn is_software(&self) -> bool {
        self.facts().is_some_and(|facts| facts.kind == AdapterKind::Software)
    }
}
