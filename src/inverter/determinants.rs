//! Determinants beside inverses. Only a program that asks for them, by [`Inverter::det`](crate::Inverter::det), refers
//! to what computes them: others do not link it.

use crate::cpu::lu::tasks;
use crate::cpu::tasks::Host;
use crate::data::determinant::Determinant;
use crate::data::reason::Reason;
use crate::data::report::Report;
use crate::data::scalar::{Scalar, ScalarKind};
use crate::data::stack::Stack;
use crate::plan::cpu::CpuPlan;

/// Writes the determinants of `len` matrices of `order`; matrices and determinants of the scalar come as bytes.
pub type FillDeterminants = fn(&CpuPlan, &Host, ScalarKind, (&[u8], usize, usize), &mut [u8], Option<Reason>) -> Report;

/// The one such function there is.
pub fn fill_determinants(
    plan: &CpuPlan,
    host: &Host,
    kind: ScalarKind,
    given: (&[u8], usize, usize),
    to: &mut [u8],
    reason: Option<Reason>,
) -> Report {
    fn fill<T: Scalar>(
        plan: &CpuPlan,
        host: &Host,
        (elements, order, len): (&[u8], usize, usize),
        determinants: &mut [u8],
        reason: Option<Reason>,
    ) -> Report {
        let stack = Stack::<T>::with_len(bytemuck::cast_slice(elements), order, len);
        let stack = stack.expect("the bytes of a stack");
        tasks::determinants(plan, host, stack, bytemuck::cast_slice_mut::<u8, Determinant<T>>(determinants), reason)
    }
    match kind {
        ScalarKind::Float32 => fill::<f32>(plan, host, given, to, reason),
        ScalarKind::Float64 => fill::<f64>(plan, host, given, to, reason),
        ScalarKind::Complex64 => fill::<num_complex::Complex<f32>>(plan, host, given, to, reason),
        ScalarKind::Complex128 => fill::<num_complex::Complex<f64>>(plan, host, given, to, reason),
    }
}
