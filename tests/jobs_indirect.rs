//! Jobs whose count only the device knows do what direct jobs do, on devices that run few workgroups at once too.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use std::collections::BTreeSet;

use batchinv::gpu::{JobDescriptor, wanted_features, wanted_limits};
use batchinv::plan::{self, INDIRECT_DISPATCHES, Layout, Variant, Work};
use batchinv::{Error, JobError, Refusal, ScalarKind, Stack, Status, wgpu};
use common::engines::{self, Adapter};
use common::own::{ALL, Own, stack};

/// Orders at which the devices of a software adapter run all four kernels; `tests/expected.txt` says so.
const ORDERS: [usize; 3] = [2, 13, 17];

/// A device whose dispatches take this many workgroups in each dimension, with all wanted features or with none.
fn few_workgroups(adapter: &Adapter, workgroups: u32, rich: bool) -> Own {
    let (device, queue) = engines::own_device(&adapter.gpu, |found| wgpu::DeviceDescriptor {
        required_features: if rich { wanted_features(found) } else { wgpu::Features::empty() },
        required_limits: wgpu::Limits {
            max_compute_workgroups_per_dimension: workgroups,
            ..if rich { wanted_limits(found) } else { wgpu::Limits::default() }
        },
        ..Default::default()
    });
    Own::new(device, queue)
}

fn variant(own: &Own, order: usize) -> Variant {
    plan::gpu(Work::inverse(ScalarKind::Float32, order, 1), &own.gpu.facts().limits).unwrap().variant
}

/// A capacity that takes many dispatches, at every count at which a row of workgroups or a dispatch ends: exactly the
/// matrices of the count are inverted, and no other word of a status says so.
#[test]
fn many_dispatches() {
    for adapter in engines::adapters("jobs_indirect/many_dispatches") {
        let mut kernels = BTreeSet::new();
        for (workgroups, capacity) in [(2, 1000), (8, 10_000)] {
            for own in [true, false].map(|rich| few_workgroups(adapter, workgroups, rich)) {
                for n in ORDERS {
                    let kernel = variant(&own, n).kernel();
                    // Orders with the same kernel take dispatches alike.
                    if kernels.insert((workgroups, kernel.name())) {
                        every_end(&own, n, workgroups, capacity);
                        engines::record(
                            &adapter.word,
                            kernel.name(),
                            "float32",
                            "jobs_indirect/many_dispatches",
                            "ran",
                        );
                    }
                }
            }
        }
    }
}

fn every_end(own: &Own, n: usize, workgroups: u32, capacity: u32) {
    let variant = variant(own, n);
    let (len, size) = (capacity as usize, n * n);
    let some = stack::<f32>(n, 50);
    let (inverses, statuses, _) = own.wanted(Stack::new(&some, n).unwrap());
    let elements: Vec<f32> = some.iter().copied().cycle().take(len * size).collect();
    let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
    let count = own.buffer(&[0; 4], ALL);
    let descriptor = JobDescriptor::new(ScalarKind::Float32, n as u32, capacity, &from)
        .own_output(Layout::contiguous(n as u32))
        .count(&count, 0);
    let job = own.gpu.job(&descriptor).unwrap();

    let row = workgroups * variant.matrices();
    let mut counts = vec![0, row, row + 1, capacity];
    // Kernels with working memory take many dispatches, and a batch is a row.
    if variant.scratch().is_none() {
        counts.extend([1, row - 1, row * workgroups - 1, row * workgroups, row * workgroups + 1]);
        counts.extend([capacity - 1, capacity + 1, u32::MAX]);
    }
    counts.sort_unstable();
    counts.dedup();
    for count_here in counts {
        own.queue.write_buffer(&count, 0, bytemuck::bytes_of(&count_here));
        let mut encoder = own.encoder();
        job.encode_indirect(&mut encoder).unwrap();
        own.queue.submit([encoder.finish()]);
        let what = format!("{count_here} of {capacity} of order {n} in {}, {workgroups} workgroups", variant.kernel());
        let here = (count_here as usize).min(len);
        let got: Vec<f32> = own.read(job.output());
        let wanted = inverses.iter().cycle().take(here * size);
        let wrong = got.iter().zip(wanted).position(|(got, wanted)| got.to_bits() != wanted.to_bits());
        assert_eq!(wrong, None, "{what}");
        assert!(got[here * size..].iter().all(|&x| x == 0.0), "{what}: beyond");
        // Counts only grow, so that nothing beyond this one was inverted before.
        let got: Vec<Status> = own.read(job.statuses());
        assert!(got[..here].iter().zip(statuses.iter().cycle()).all(|(got, wanted)| got == wanted), "{what}");
        assert!(got[here..].iter().all(|&status| status == Status::NOT_FINITE), "{what}: statuses beyond");
        assert!(pollster::block_on(job.read_indirect_statuses()).unwrap() == got[..here], "{what}: as counted");
    }
}

/// The largest capacity is said when a larger one is refused, and it works. A direct job has no such limit.
#[test]
fn too_many_dispatches() {
    for adapter in engines::adapters("jobs_indirect/too_many_dispatches") {
        let own = few_workgroups(adapter, 1, true);
        let variant = variant(&own, 13);
        let max = INDIRECT_DISPATCHES * variant.matrices();
        let elements = vec![1.0_f32; (max as usize + 1) * 169];
        let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
        let count = own.buffer(bytemuck::bytes_of(&max), ALL);
        let direct = |capacity| JobDescriptor::new(ScalarKind::Float32, 13, capacity, &from);
        own.gpu.job(&direct(max + 1)).unwrap();
        let refused = own.gpu.job(&direct(max + 1).count(&count, 0)).unwrap_err();
        let reason = Refusal::IndirectCapacity { max };
        assert!(matches!(&refused, Error::Unsupported { reason: said, .. } if *said == reason), "{refused:?}");
        let job = own.gpu.job(&direct(max).count(&count, 0)).unwrap();
        let mut encoder = own.encoder();
        job.encode_indirect(&mut encoder).unwrap();
        own.queue.submit([encoder.finish()]);
        let statuses = pollster::block_on(job.read_statuses(max)).unwrap();
        assert!(statuses.iter().all(|status| status.word() == 2), "matrices of ones are singular at column 2");
        engines::record(&adapter.word, variant.kernel().name(), "float32", "jobs_indirect/too_many_dispatches", "ran");
    }
}

/// Matrices whose working memory does not fit in one binding go through it in batches.
#[test]
fn batches() {
    let (n, capacity) = (65, 60_u32);
    for adapter in engines::adapters("jobs_indirect/batches") {
        let (device, queue) = engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor {
            required_limits: wgpu::Limits { max_storage_buffer_binding_size: 1 << 20, ..Default::default() },
            ..Default::default()
        });
        let own = Own::new(device, queue);
        let largest = variant(&own, n).largest_batch(&own.gpu.facts().limits).expect("a kernel with working memory");
        assert!(largest < capacity);
        let elements = stack::<f32>(n, capacity as usize);
        let (inverses, statuses, _) = own.wanted(Stack::new(&elements, n).unwrap());
        let count = own.buffer(&[0; 4], ALL);
        for here in [0, largest, largest + 1, capacity] {
            let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
            let job = JobDescriptor::new(ScalarKind::Float32, n as u32, capacity, &from).count(&count, 0);
            let job = own.gpu.job(&job).unwrap();
            own.queue.write_buffer(&count, 0, bytemuck::bytes_of(&here));
            let mut encoder = own.encoder();
            job.encode_indirect(&mut encoder).unwrap();
            own.queue.submit([encoder.finish()]);
            let got: Vec<f32> = own.read(&from);
            let end = here as usize * n * n;
            assert!(common::bits(&got[..end]) == common::bits(&inverses[..end]), "{here} of {capacity}");
            assert!(common::bits(&got[end..]) == common::bits(&elements[end..]), "{here} of {capacity}: beyond");
            let got = pollster::block_on(job.read_indirect_statuses()).unwrap();
            assert_eq!(got, statuses[..here as usize]);
        }
        engines::record(&adapter.word, "device", "float32", "jobs_indirect/batches", "ran");
    }
}

/// Before anything ran, no matrix of a job counts as inverted.
#[test]
fn statuses_before_anything_ran() {
    for adapter in engines::adapters("jobs_indirect/statuses_before_anything_ran") {
        let own = few_workgroups(adapter, 65_535, false);
        let from = own.buffer(&[0; 4 * 9 * 70], ALL);
        let count = own.buffer(bytemuck::bytes_of(&70_u32), ALL);
        let direct = JobDescriptor::new(ScalarKind::Float32, 3, 70, &from);
        let job = own.gpu.job(&direct).unwrap();
        assert_eq!(pollster::block_on(job.read_statuses(70)).unwrap(), [Status::NOT_FINITE; 70]);
        let refused = pollster::block_on(job.read_indirect_statuses());
        assert_eq!(refused, Err(Error::Job(JobError::NoCount)));
        let job = own.gpu.job(&direct.count(&count, 0)).unwrap();
        assert_eq!(pollster::block_on(job.read_statuses(70)).unwrap(), [Status::NOT_FINITE; 70]);
        assert_eq!(pollster::block_on(job.read_indirect_statuses()).unwrap(), []);
        engines::record(&adapter.word, "thread", "float32", "jobs_indirect/statuses_before_anything_ran", "ran");
    }
}
