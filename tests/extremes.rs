//! Sizes at the limits of their integer types give errors or answers through the
//! public API, never a panic or an overflow.

mod common;

use batchinv::plan::{self, AutoPolicy, CpuFacts, CpuPlan, GpuLimits, Layout, Work};
use batchinv::{Inverter, Precision, ScalarKind, ShapeError, Stack, StackBuf, Status};
use common::with;

const SIZES: [usize; 8] = [0, 1, 16, 65_535, 65_536, u32::MAX as usize, 1 << 40, usize::MAX];

#[test]
fn plans() {
    let limits = [
        GpuLimits::WEBGPU_DEFAULT,
        with(GpuLimits::WEBGPU_DEFAULT, |limits| {
            limits.binding_bytes = u64::MAX;
            limits.float64 = true;
        }),
        with(GpuLimits::WEBGPU_DEFAULT, |limits| {
            limits.binding_bytes = 0;
            limits.workgroups = 1;
            limits.invocations = 0;
            limits.workgroup_bytes = 0;
        }),
    ];
    for scalar in ScalarKind::ALL {
        for precision in [Precision::Native, Precision::Double] {
            for order in SIZES {
                for len in SIZES {
                    let work = Work::inverse(scalar, order, len).with_precision(precision);
                    let choice = plan::choose(work, &CpuFacts::default(), None, AutoPolicy::HardwareOnly);
                    assert!(choice.reason.is_some());
                    for threads in [1, 3, usize::MAX] {
                        assert!(CpuPlan::new(work, &CpuFacts::new(threads, 64)).task_len > 0);
                    }
                    for limits in &limits {
                        if let Ok(plan) = plan::gpu(work, limits) {
                            assert!(plan.chunk_len > 0 && plan.chunks >= len / plan.chunk_len, "{work:?}: {plan:?}");
                        }
                    }
                }
            }
        }
    }
    for order in SIZES {
        let _ = Layout::contiguous(u32::try_from(order).unwrap_or(u32::MAX)).transposed();
    }
}

#[test]
fn stacks() {
    for order in SIZES {
        for len in SIZES {
            let fits = order.checked_mul(order).and_then(|size| size.checked_mul(len)) == Some(0);
            assert_eq!(Stack::<f32>::with_len(&[], order, len).is_ok(), fits, "{len} of order {order}");
            assert_eq!(StackBuf::<f64>::with_len(Vec::new(), order, len).is_ok(), fits, "{len} of order {order}");
        }
        match Stack::new(&[1.0_f32], order) {
            Ok(stack) => assert_eq!((stack.order(), stack.len()), (1, 1)),
            Err(ShapeError::UnknownLength) => assert_eq!(order, 0),
            Err(error) => assert!(order > 1, "{error}"),
        }
    }
    // Any number of matrices without elements takes no memory but their statuses.
    let inverses = Inverter::cpu().invert(Stack::<f64>::with_len(&[], 0, 1 << 20).unwrap()).unwrap();
    assert_eq!(inverses.statuses(), vec![Status::INVERTED; 1 << 20]);
}

#[cfg(all(feature = "gpu", feature = "testing"))]
#[test]
fn jobs() {
    use batchinv::gpu::{GpuInverter, JobDescriptor};
    use batchinv::wgpu;
    for adapter in common::engines::adapters("extremes/jobs") {
        let (device, queue) = common::engines::own_device(&adapter.gpu, |_| wgpu::DeviceDescriptor::default());
        let gpu = GpuInverter::from_device(&device, &queue);
        let usage = wgpu::BufferUsages::STORAGE;
        let buffer = wgpu::BufferDescriptor { label: None, size: 64, usage, mapped_at_creation: false };
        let (buffer, other) = (device.create_buffer(&buffer), device.create_buffer(&buffer));
        let ends = [0, 1, 2, u32::MAX];
        for order in [1, 2, 3, 65_535, 65_536, u32::MAX] {
            for capacity in [1, 2, u32::MAX] {
                for stride in ends {
                    for offset in ends {
                        let layout = Layout { offset, matrix: stride, row: stride, column: 1 };
                        let descriptor = JobDescriptor::new(ScalarKind::Float32, order, capacity, &buffer);
                        let small = order == 1 && capacity == 1 && offset < 16;
                        let in_place = gpu.job(&descriptor.input_layout(layout));
                        assert!(in_place.is_ok() || !small, "{order}, {capacity}, {layout:?}");
                        let apart = gpu.job(&descriptor.output(&other, layout));
                        assert!(apart.is_ok() || !small, "{order}, {capacity}, {layout:?}");
                        let error = gpu.job(&descriptor.count(&other, u64::MAX - u64::from(offset))).err();
                        assert!(error.is_some_and(|error| !error.to_string().is_empty()));
                    }
                }
            }
        }
        common::engines::record(&adapter.word, "thread", "float32", "extremes/jobs", "ran");
    }
}
