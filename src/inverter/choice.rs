//! The engine and the plan for one call, or for all calls of a stack that comes in pieces.

use std::sync::Arc;

use super::engine_choice::EngineChoice;
use super::options::{Decided, Inverter};
#[cfg(not(feature = "gpu"))]
use super::without_gpu::GpuInverter;
use crate::data::engine::{Engine, Op};
use crate::data::error::Error;
use crate::data::reason::Reason;
use crate::data::refusal::Refusal;
use crate::data::scalar::Scalar;
#[cfg(feature = "gpu")]
use crate::gpu::device::GpuInverter;
use crate::plan::choose;
use crate::plan::cpu::{CpuFacts, CpuPlan};
use crate::plan::gpu::GpuPlan;
use crate::plan::work::Work;

/// A choice, with the device that its plan is for if it is the GPU's.
pub enum Decision {
    Cpu(CpuPlan, Option<Reason>),
    Gpu(GpuInverter, GpuPlan, Option<Reason>),
}

impl Inverter {
    /// This inverter with its engine decided for all of `work`, for a stack that comes in pieces: every call goes to
    /// the engine that would take the whole, so that the bits do not depend on the pieces. Options that are set later
    /// do not change the decision, unless they ask for what the device cannot do: then the automatic choice takes the
    /// CPU.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if an adapter was asked for that does not exist; [`Error::Unsupported`] if the GPU engine,
    /// chosen by name, cannot do `work`.
    pub async fn decided_async(&self, work: Work) -> Result<Self, Error> {
        let decided = match self.decide(work).await? {
            Decision::Cpu(_, reason) => Decided::Cpu(reason),
            Decision::Gpu(gpu, _, reason) => Decided::Gpu(gpu, reason),
        };
        Ok(Self { decided: Some(decided), ..self.clone() })
    }

    /// The engine that was decided for all calls.
    pub(crate) fn decided_engine(&self) -> Option<Engine> {
        self.decided.as_ref().map(|decided| match decided {
            Decided::Cpu(_) => Engine::Cpu,
            Decided::Gpu(..) => Engine::Gpu,
        })
    }

    /// The same inverter with the CPU for the rest of the pieces.
    pub(crate) fn on_cpu(&self) -> Self {
        Self { decided: Some(Decided::Cpu(None)), ..self.clone() }
    }

    /// The inverses of `len` matrices of `order` in the precision of this inverter.
    pub(crate) fn work<T: Scalar>(&self, order: usize, len: usize) -> Work {
        Work { op: Op::Inverse, scalar: T::KIND, precision: self.precision, order, len }
    }

    /// Chooses the engine and makes the plan.
    pub(super) async fn decide(&self, work: Work) -> Result<Decision, Error> {
        match (&self.decided, self.choice) {
            (Some(Decided::Cpu(reason)), _) => Ok(Decision::Cpu(self.plan_cpu(work), reason.clone())),
            (Some(Decided::Gpu(gpu, reason)), choice) => match plan_gpu(gpu, work, reason) {
                // The automatic choice never refuses: this call is for something else than was decided.
                Err(refusal) if choice == EngineChoice::Auto => {
                    Ok(Decision::Cpu(self.plan_cpu(work), Some(Reason::Refused(refusal))))
                }
                planned => planned.map_err(Error::refused),
            },
            (None, EngineChoice::Cpu) => Ok(Decision::Cpu(self.plan_cpu(work), None)),
            (None, EngineChoice::Gpu) => {
                let gpu = self.source.open().await.map_err(Arc::unwrap_or_clone)?;
                plan_gpu(&gpu, work, &None).map_err(Error::refused)
            }
            (None, EngineChoice::Auto) => Ok(match self.automatic(work).await {
                Ok(decision) => decision,
                Err(reason) => Decision::Cpu(self.plan_cpu(work), Some(reason)),
            }),
        }
    }

    /// The automatic choice of a GPU, or why it is the CPU. Adapters are looked for only if the work is worth the trip.
    async fn automatic(&self, work: Work) -> Result<Decision, Reason> {
        if cfg!(not(feature = "gpu")) {
            return Err(Reason::BuiltWithoutGpu);
        }
        choose::worth_the_trip(work)?;
        let gpu = self.source.open().await.map_err(Reason::NotOpened)?;
        let (plan, reason) = choose::gpu(work, Some(gpu.facts()), self.policy)?;
        Ok(Decision::Gpu(gpu, plan, Some(reason)))
    }

    /// The plan of the CPU engine. The threads are counted only if they may share the work.
    pub(super) fn plan_cpu(&self, work: Work) -> CpuPlan {
        let threads = if self.tuning.is_parallel(work) { self.host.threads.count() } else { 1 };
        let mut facts = CpuFacts::new(threads, self.host.level.vector_bytes());
        facts.tuning = self.tuning;
        CpuPlan::new(work, &facts)
    }
}

#[cfg_attr(not(feature = "gpu"), allow(unreachable_code, unused_variables, reason = "there is no device"))]
fn plan_gpu(gpu: &GpuInverter, work: Work, reason: &Option<Reason>) -> Result<Decision, Refusal> {
    let plan = GpuPlan::new(work, &gpu.facts().limits)?;
    Ok(Decision::Gpu(gpu.clone(), plan, reason.clone()))
}
