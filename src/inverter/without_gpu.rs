//! The GPU engine of a build without the feature `gpu`: a type without values, so that the front is written once.

use std::time::Duration;

use crate::data::arithmetic::Arithmetic;
use crate::data::error::Error;
use crate::data::operand::Given;
use crate::data::output::InversesMut;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::plan::facts::AdapterFacts;
use crate::plan::gpu::GpuPlan;

/// There is none.
#[derive(Clone, Debug)]
pub enum GpuInverter {}

impl GpuInverter {
    pub fn facts(&self) -> &AdapterFacts {
        match *self {}
    }

    pub async fn check_arithmetic(&self, _: Arithmetic) -> Result<(), Error> {
        match *self {}
    }

    pub async fn forget(&self) {
        match *self {}
    }

    pub async fn run<T: Scalar>(
        &self,
        _: GpuPlan,
        _: Option<Duration>,
        _: Given<'_, T>,
        _: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        match *self {}
    }
}
