//! Panels of `device` that are narrower than usual, as large matrices have them on hardware, at small orders.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use batchinv::plan::{self, KernelConfig};
use batchinv::{Arithmetic, GpuKernel};
use common::cases::{self, Random};
use common::{Element, engines, oracle, with};

/// LAPACK's matrix types, with every width of a panel: one outer block at order 21; three, the last of them a single
/// usual panel, at order 130.
fn narrow<T: Element>() {
    let mut failures = oracle::Failures::default();
    for n in [21, 130] {
        let cases = cases::latb4_all::<T>(n, &mut Random::new(n as u64));
        for adapter in engines::adapters("panels/narrow") {
            let plain = engines::variant::<T>(GpuKernel::Device, n);
            let pairs = plain.with_arithmetic(Arithmetic::Pairs);
            let both = if T::KIND.real_size() == 4 { vec![plain, pairs] } else { vec![plain] };
            for variant in both.into_iter().map(|variant| variant.suited(&adapter.gpu.facts().limits)) {
                if variant.needs_float64() && !adapter.gpu.facts().limits.float64 {
                    continue;
                }
                let widths = [8, 4, 2, 1].into_iter().filter(|&block| variant.size().packs(block) > 0);
                for block in widths.take(if n == 130 { 1 } else { 4 }) {
                    let narrow = with(variant, |variant| {
                        let KernelConfig::Device(config) = &mut variant.config else { unreachable!("{variant:?}") };
                        config.block = block;
                    });
                    let engine = engines::forced::<T>(adapter, narrow, plan::CHUNK_BYTES as usize, "panels/narrow");
                    oracle::check(&engine, n, &cases, &mut failures);
                }
            }
        }
    }
    failures.none();
}

for_each_scalar!(narrow);
