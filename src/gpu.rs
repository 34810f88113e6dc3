//! The GPU engine.
use crate::inverses::{InversesMut, Report};
use crate::plan::{AdapterFacts, Precision};
use crate::{Error, Scalar, Stack};

/// A device that inverts stacks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GpuInverter {
    facts: AdapterFacts,
}

/// The facts of every adapter that wgpu finds, the best first.
pub fn adapters() -> Vec<AdapterFacts> {
    Vec::new()
}

impl GpuInverter {
    /// Opens the first adapter whose name contains `name`, whatever the case; the best one for `None`.
    pub fn open(name: Option<&str>) -> Result<Self, Error> {
        Err(Error::NoAdapter { reason: format!("{name:?}") })
    }

    pub(crate) fn shared(name: Option<&str>) -> Result<Self, Error> {
        Self::open(name)
    }

    /// The facts of its adapter.
    pub fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    pub(crate) async fn invert_into_async<T: Scalar>(&self, _: Stack<'_, T>, _: InversesMut<'_, T>, _: Precision) -> Result<Report, Error> {
        unimplemented!()
    }
}
