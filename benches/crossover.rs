//! Finds the stack length from which the GPU is faster than the CPU, in whole calls, by order.

use batchinv::{InversesMut, Inverter, Status};
use batchinv_benches::{gpu, random};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn crossover(criterion: &mut Criterion) {
    let Some((_, gpu)) = gpu() else { return };
    for order in [4, 8, 16, 32] {
        let mut group = criterion.benchmark_group(format!("crossover/float32/{order}"));
        for len in [1, 16, 256, 4096, 65_536] {
            if order * order * len > 1 << 22 {
                continue;
            }
            let stack = random(order, len, |x| x as f32);
            let mut out = stack.elements().to_vec();
            let mut statuses = vec![Status::INVERTED; len];
            group.throughput(Throughput::Elements(len as u64)).sample_size(10);
            for (name, inverter) in [("cpu", &Inverter::cpu()), ("gpu", &gpu)] {
                group.bench_function(BenchmarkId::new(name, len), |bencher| {
                    bencher.iter(|| {
                        let output = InversesMut::new(&mut out, &mut statuses);
                        inverter.invert_into(stack.view(), output).expect("an engine that takes the stack")
                    });
                });
            }
        }
    }
}

criterion_group!(benches, crossover);
criterion_main!(benches);
