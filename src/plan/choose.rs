//! The automatic choice between the engines.

use std::sync::Arc;

use super::cpu::{CpuFacts, CpuPlan};
use super::facts::{AdapterFacts, AdapterKind};
use super::gpu::GpuPlan;
use super::work::Work;
use crate::data::engine::Engine;
use crate::data::reason::Reason;

/// Smallest order for which `auto` considers a hardware adapter, for every operation. Below it, an inverse moves its
/// bytes across the bus and back for less arithmetic than the host needs to copy them. Not measured on hardware yet.
pub const AUTO_MIN_ORDER: usize = 16;

/// Fewest elements for which `auto` considers a hardware adapter: with fewer, the host is done before a device is
/// opened. Not measured on hardware yet.
pub const AUTO_MIN_ELEMENTS: usize = 1 << 17;

/// An engine for some work, with its plan: the plan that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// How the chosen engine does the work.
    pub plan: Plan,
    /// Why the automatic choice fell on the engine; `None` if the caller named it.
    pub reason: Option<Reason>,
}

/// A plan for one of the engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// For the CPU engine.
    Cpu(CpuPlan),
    /// For the GPU engine.
    Gpu(GpuPlan),
}

impl Choice {
    /// The chosen engine.
    pub const fn engine(&self) -> Engine {
        match self.plan {
            Plan::Cpu(_) => Engine::Cpu,
            Plan::Gpu(_) => Engine::Gpu,
        }
    }
}

/// How `auto` treats a software adapter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AutoPolicy {
    /// It does not: the CPU engine is faster on the host's own cores.
    #[default]
    HardwareOnly,
    /// It does, so that tests run the automatic path end to end on a software driver.
    SoftwareCounts,
}

/// Returns whether `auto` looks for an adapter at all for this work.
///
/// # Errors
/// The reason why the CPU engine takes it.
pub fn worth_the_trip(work: Work) -> Result<(), Reason> {
    let elements = work.len.saturating_mul(work.order.saturating_mul(work.order));
    if work.order < AUTO_MIN_ORDER || elements < AUTO_MIN_ELEMENTS {
        return Err(Reason::SmallWork { len: work.len, order: work.order });
    }
    if work.one_matrix {
        return Err(Reason::OneMatrix { len: work.len });
    }
    Ok(())
}

/// The engine that `auto` takes, its plan, and the reason: the adapter if it is hardware, can do the work, and the work
/// is worth the trip; the CPU otherwise. Never a software adapter, except under the policy made for tests.
///
/// ```
/// use batchinv::plan::{self, AutoPolicy, CpuFacts, Work};
/// use batchinv::{Engine, Reason, ScalarKind};
/// let work = Work::inverse(ScalarKind::Float32, 32, 1000);
/// let choice = plan::choose(work, &CpuFacts::default(), None, AutoPolicy::HardwareOnly);
/// assert_eq!((choice.engine(), choice.reason), (Engine::Cpu, Some(Reason::NoAdapter)));
/// ```
pub fn choose(work: Work, cpu: &CpuFacts, adapter: Option<&AdapterFacts>, policy: AutoPolicy) -> Choice {
    let (plan, reason) = match gpu(work, adapter, policy) {
        Ok((plan, reason)) => (Plan::Gpu(plan), reason),
        Err(reason) => (Plan::Cpu(CpuPlan::new(work, cpu)), reason),
    };
    Choice { plan, reason: Some(reason) }
}

/// The plan for the adapter, or the reason why `auto` does not take it.
pub(crate) fn gpu(work: Work, adapter: Option<&AdapterFacts>, policy: AutoPolicy) -> Result<(GpuPlan, Reason), Reason> {
    worth_the_trip(work)?;
    let adapter = adapter.ok_or(Reason::NoAdapter)?;
    let name = Arc::clone(&adapter.name);
    if adapter.kind == AdapterKind::Software && policy == AutoPolicy::HardwareOnly {
        return Err(Reason::SoftwareAdapter { adapter: name });
    }
    let plan = GpuPlan::new(work, &adapter.limits).map_err(Reason::Refused)?;
    Ok((plan, Reason::Adapter { adapter: name }))
}
