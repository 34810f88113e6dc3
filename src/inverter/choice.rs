//! The engine and the plan for one call, or for all calls of a stack that comes in pieces.

use std::sync::Arc;

use super::engine_choice::EngineChoice;
use super::options::{Decided, Inverter};
#[cfg(not(feature = "gpu"))]
use super::without_gpu::GpuInverter;
use crate::data::error::Error;
use crate::data::reason::Reason;
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

    /// The inverses of `len` matrices of `order` in the precision of this inverter.
    pub(crate) fn work<T: Scalar>(&self, order: usize, len: usize) -> Work {
        Work::inverse(T::KIND, order, len).with_precision(self.precision)
    }

    /// The choice, if it is the CPU and no device has to be opened to know it. A call for a 4x4 takes less time than
    /// the polling of a future.
    #[inline]
    pub(super) fn cpu_at_once(&self, work: Work) -> Option<(CpuPlan, Option<Reason>)> {
        let reason = match (&self.decided, self.choice) {
            (Some(Decided::Cpu(reason)), _) => reason.clone(),
            (Some(Decided::Gpu(..)), _) | (None, EngineChoice::Gpu) => return None,
            (None, EngineChoice::Cpu) => None,
            (None, EngineChoice::Auto) if cfg!(not(feature = "gpu")) => Some(Reason::BuiltWithoutGpu),
            (None, EngineChoice::Auto) => Some(choose::worth_the_trip(work).err()?),
        };
        Some((self.plan_cpu(work), reason))
    }

    /// Chooses the engine and makes the plan.
    pub(super) async fn decide(&self, work: Work) -> Result<Decision, Error> {
        if let Some((plan, reason)) = self.cpu_at_once(work) {
            return Ok(Decision::Cpu(plan, reason));
        }
        let on_cpu = |reason| Decision::Cpu(self.plan_cpu(work), Some(reason));
        let planned = match &self.decided {
            Some(Decided::Gpu(gpu, reason)) => plan_gpu(gpu, work, reason).await,
            _ if self.choice == EngineChoice::Auto => return Ok(self.automatic(work).await.unwrap_or_else(on_cpu)),
            _ => plan_gpu(&self.source.open().await.map_err(Arc::unwrap_or_clone)?, work, &None).await,
        };
        match planned {
            // The automatic choice never refuses: this call is for something else than was decided.
            Err(error) if self.choice == EngineChoice::Auto => Ok(on_cpu(why_not(error))),
            planned => planned,
        }
    }

    /// The automatic choice of a GPU for work that is worth the trip, or why it is the CPU.
    async fn automatic(&self, work: Work) -> Result<Decision, Reason> {
        let gpu = self.source.open().await.map_err(Reason::NotOpened)?;
        let (plan, reason) = choose::gpu(work, Some(gpu.facts()), self.policy)?;
        gpu.check_arithmetic(plan.variant.arithmetic).await.map_err(why_not)?;
        Ok(Decision::Gpu(gpu, plan, Some(reason)))
    }

    /// The plan of the CPU engine. The threads are counted only if they may share the work.
    #[inline]
    pub(super) fn plan_cpu(&self, work: Work) -> CpuPlan {
        let threads = if self.tuning.is_parallel(work) { self.host.threads.count() } else { 1 };
        let mut facts = CpuFacts::new(threads, self.host.level.vector_bytes());
        facts.tuning = self.tuning;
        CpuPlan::new(work, &facts)
    }
}

#[cfg_attr(not(feature = "gpu"), allow(unreachable_code, unused_variables, reason = "there is no device"))]
async fn plan_gpu(gpu: &GpuInverter, work: Work, reason: &Option<Reason>) -> Result<Decision, Error> {
    let plan = GpuPlan::new(work, &gpu.facts().limits).map_err(Error::refused)?;
    gpu.check_arithmetic(plan.variant.arithmetic).await?;
    Ok(Decision::Gpu(gpu.clone(), plan, reason.clone()))
}

/// Why the automatic choice does not take a GPU that failed before the work began.
fn why_not(error: Error) -> Reason {
    match error {
        Error::Unsupported { reason, .. } => Reason::Refused(reason),
        error => Reason::Failed(Arc::new(error)),
    }
}
