//! The stages of a call on the GPU: plan, upload, dispatch, readback, and the passes alone by the device's own clock.
//!
//! The times come from the reports of the calls; criterion's `iter_custom` gets their sums.

use std::time::Duration;

use batchinv::plan::{self, GpuLimits, Work};
use batchinv::{InversesMut, Report, ScalarKind, Status};
use batchinv_benches::{gpu, len_for, random};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

type Stage = (&'static str, fn(&Report) -> Option<f64>);

const STAGES: [Stage; 5] = [
    ("prepare", |report| Some(report.seconds.prepare)),
    ("upload", |report| Some(report.seconds.upload)),
    ("dispatch", |report| Some(report.seconds.dispatch)),
    ("readback", |report| Some(report.seconds.readback)),
    ("device", |report| report.device_seconds),
];

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stages");
    group.sample_size(10);
    group.bench_function("plan", |bencher| {
        let work = Work::inverse(ScalarKind::Float32, 16, 1_000_000);
        bencher.iter(|| plan::gpu(std::hint::black_box(work), &GpuLimits::WEBGPU_DEFAULT));
    });
    let Some((_, gpu)) = gpu() else { return };
    for order in [4, 8, 16, 32] {
        let len = len_for(order, 4, 4 << 20);
        let stack = random(order, len, |x| x as f32);
        let mut out = stack.elements().to_vec();
        let mut statuses = vec![Status::INVERTED; len];
        let once = gpu.invert_into(stack.view(), InversesMut::new(&mut out, &mut statuses));
        let once = once.expect("an engine that takes the stack");
        for (name, stage) in STAGES {
            // Without timestamps there is no time for the passes.
            if stage(&once).is_none() {
                continue;
            }
            group.bench_function(BenchmarkId::new(name, order), |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut sum = 0.0;
                    for _ in 0..iterations {
                        let output = InversesMut::new(&mut out, &mut statuses);
                        let report = gpu.invert_into(stack.view(), output).expect("an engine that takes the stack");
                        sum += stage(&report).unwrap_or_default();
                    }
                    // criterion divides by this time, so it must not be zero.
                    Duration::from_secs_f64(sum.max(1e-9))
                });
            });
        }
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
