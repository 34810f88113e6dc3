//! Panels of `device` that are narrower than usual, as large matrices have them on hardware, at small orders.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use batchinv::plan::KernelConfig;
use batchinv::{Arithmetic, GpuKernel};
use common::cases::{self, Random};
use common::{Element, engines, oracle, with};

/// LAPACK's matrix types: at order 21 with every narrow width, in two outer blocks; at order 130 with 8 columns, in
/// three, of which the last is as wide as one usual panel, and there also in the form for hardware.
fn narrow<T: Element>() {
    let mut failures = oracle::Failures::default();
    for (n, widths) in [(21, &[8, 4, 2, 1][..]), (130, &[8])] {
        let cases = cases::latb4_all::<T>(n, &mut Random::new(n as u64));
        for adapter in engines::adapters("panels/narrow") {
            let plain = engines::variant::<T>(GpuKernel::Device, n);
            let pairs = plain.with_arithmetic(Arithmetic::Pairs);
            let both = if T::KIND.real_size() == 4 { vec![plain, pairs] } else { vec![plain] };
            let limits = adapter.gpu.facts().limits;
            let suited = both.iter().map(|variant| variant.suited(&limits));
            let hardware = both.iter().copied().filter(|_| n == 130);
            for variant in suited.chain(hardware) {
                if variant.needs_float64() && !limits.float64 {
                    continue;
                }
                for &block in widths.iter().filter(|&&block| variant.size().packs(block) > 0) {
                    let narrow = with(variant, |variant| {
                        let KernelConfig::Device(config) = &mut variant.config else { unreachable!("{variant:?}") };
                        config.block = block;
                    });
                    let mut engine = engines::forced::<T>(adapter, narrow, 1 << 10, "panels/narrow");
                    engine.name += &format!(", panels of {block}");
                    oracle::check(&engine, n, &cases, &mut failures);
                }
            }
        }
    }
    failures.none();
}

for_each_scalar!(narrow);
