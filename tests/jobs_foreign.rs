//! Buffers of another device, of this or of another instance of wgpu, are refused, and nothing is written anywhere.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use batchinv::gpu::JobDescriptor;
use batchinv::plan::Layout;
use batchinv::{Error, JobError, ScalarKind, wgpu};
use common::engines::{self, Adapter};
use common::own::{ALL, Own};

/// A device of an instance of its own. The instance lives as long as the device.
fn another_instance(adapter: &Adapter) -> Own {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let name = &adapter.gpu.facts().name;
    let found = found.iter().find(|found| *found.get_info().name == **name).expect("the engine's adapter");
    let (device, queue) = pollster::block_on(found.request_device(&Default::default())).expect("a device");
    Own::new(device, queue)
}

/// Instances number their buffers alike, so some of 40 buffers have the numbers of this device's buffers, and some have
/// numbers that it has not given yet.
#[test]
fn in_every_place() {
    for adapter in engines::adapters("jobs_foreign/in_every_place") {
        let same = || {
            let (device, queue) = engines::own_device(&adapter.gpu, |_| Default::default());
            Own::new(device, queue)
        };
        for (own, other) in [(same(), same()), (another_instance(adapter), another_instance(adapter))] {
            let twos = [2.0_f32; 90];
            let buffers =
                |own: &Own, len| -> Vec<_> { (0..len).map(|_| own.buffer(bytemuck::cast_slice(&twos), ALL)).collect() };
            let (ours, theirs) = (buffers(&own, 12), buffers(&other, 40));
            let descriptor = JobDescriptor::new(ScalarKind::Float32, 1, 90, &ours[0]);
            for foreign in &theirs {
                for (descriptor, what) in [
                    (JobDescriptor::new(ScalarKind::Float32, 1, 90, foreign), "input"),
                    (descriptor.output(foreign, Layout::contiguous(1)), "output"),
                    (descriptor.statuses(foreign), "statuses"),
                    (descriptor.rconds(foreign), "rconds"),
                    (descriptor.count(foreign, 0), "the count"),
                ] {
                    match own.gpu.job(&descriptor) {
                        Err(Error::Job(JobError::Refused { .. })) => {}
                        // Their numbers are the same.
                        Err(Error::Job(JobError::Shared { .. })) if *foreign == ours[0] => {}
                        other => panic!("{what} of another device: {other:?}"),
                    }
                }
            }
            for (own, buffers) in [(&own, &ours), (&other, &theirs)] {
                assert!(buffers.iter().all(|buffer| own.read::<f32>(buffer) == twos));
            }
            let job = own.gpu.job(&descriptor.statuses(&ours[1]).count(&ours[2], 0)).unwrap();
            let mut encoder = own.encoder();
            job.encode(&mut encoder, 90).unwrap();
            own.queue.submit([encoder.finish()]);
            assert_eq!(own.read::<f32>(&ours[0]), [0.5; 90]);
        }
        engines::record(&adapter.word, "thread", "float32", "jobs_foreign/in_every_place", "ran");
    }
}

/// A buffer that is mapped when the job is made stays mapped.
#[test]
fn a_mapped_buffer_stays_mapped() {
    for adapter in engines::adapters("jobs_foreign/a_mapped_buffer_stays_mapped") {
        let own = another_instance(adapter);
        let usage = ALL;
        let descriptor = wgpu::BufferDescriptor { label: None, size: 16, usage, mapped_at_creation: true };
        let buffer = own.device.create_buffer(&descriptor);
        let job = own.gpu.job(&JobDescriptor::new(ScalarKind::Float32, 2, 1, &buffer)).unwrap();
        let elements = bytemuck::cast_slice(&[2.0_f32, 0.0, 0.0, 4.0]);
        buffer.get_mapped_range_mut(..).expect("a mapped buffer").copy_from_slice(elements);
        buffer.unmap();
        let mut encoder = own.encoder();
        job.encode(&mut encoder, 1).unwrap();
        own.queue.submit([encoder.finish()]);
        assert_eq!(own.read::<f32>(&buffer), [0.5, 0.0, 0.0, 0.25]);
        engines::record(&adapter.word, "thread", "float32", "jobs_foreign/a_mapped_buffer_stays_mapped", "ran");
    }
}
