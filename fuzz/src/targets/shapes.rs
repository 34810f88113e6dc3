//! Arbitrary sizes through the public API. The library must accept exactly the sizes that fit, as
//! computed here independently in 128 bits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use batchinv::gpu::{GpuInverter, JobDescriptor};
use batchinv::plan::{self, CpuFacts, CpuPlan, GpuLimits, Layout, Work};
use batchinv::{Error, InversesMut, Inverter, Precision, ScalarKind, ShapeError, Stack, StackBuf, Status};
use ndarray::{ArrayD, Axis, Slice};

use super::Bytes;

const SCALARS: [ScalarKind; 4] =
    [ScalarKind::Float32, ScalarKind::Float64, ScalarKind::Complex64, ScalarKind::Complex128];

pub fn shapes(data: &[u8]) {
    let mut bytes = Bytes(data);
    match bytes.byte() % 5 {
        0 => stacks(bytes),
        1 => plans(bytes),
        4 => arrays(bytes),
        _ => jobs(bytes),
    }
}

/// A stack is accepted if elements, order, and length agree, and an output if it fits the stack.
fn stacks(mut bytes: Bytes<'_>) {
    let elements = vec![1.0_f32; bytes.below(600)];
    let [order, len] = [bytes.size() as usize, bytes.size() as usize];
    let wide = |x: usize| x as u128;
    // A matrix must be addressable in memory, even if the stack has no matrix.
    let size = wide(order).checked_mul(wide(order)).filter(|&size| size <= wide(usize::MAX));
    let fits = size.and_then(|size| size.checked_mul(wide(len))) == Some(wide(elements.len()));
    let made = Stack::with_len(&elements, order, len);
    assert_eq!(made.is_ok(), fits, "{} elements, order {order}, {len} matrices", elements.len());
    assert_eq!(StackBuf::with_len(elements.clone(), order, len).is_ok(), fits);
    let whole = order > 0 && size.is_some_and(|size| wide(elements.len()) % size == 0);
    assert_eq!(Stack::new(&elements, order).is_ok(), whole, "{} elements, order {order}", elements.len());
    let Ok(stack) = made else { return };

    // A stack without elements may have any length; do not allocate statuses for an enormous one.
    if len > 1 << 16 {
        return;
    }
    let [a, b, c] = [elements.len(), len, len].map(|right| if bytes.byte() < 200 { right } else { bytes.below(600) });
    let (mut inverses, mut statuses) = (vec![0.0_f32; a], vec![Status::NOT_FINITE; b]);
    let mut rconds = vec![0.0_f32; c];
    let output = InversesMut::new(&mut inverses, &mut statuses).with_rconds(&mut rconds);
    let right = (a, b, c) == (elements.len(), len, len);
    assert_eq!(Inverter::cpu().invert_into(stack, output).is_ok(), right, "room for {a}, {b}, {c}");
}

/// A view with any axes, steps, and directions gives the same inverses as its matrices copied out one by one.
fn arrays(mut bytes: Bytes<'_>) {
    let axes = bytes.below(6);
    let shape: Vec<usize> = (0..axes).map(|_| bytes.below(5)).collect();
    let array = ArrayD::from_shape_simple_fn(shape, || f32::from(bytes.byte()) - 100.0);
    let mut view = array.view();
    for axis in 0..axes {
        view.swap_axes(axis, bytes.below(axes));
        let [start, step] = [bytes.below(view.len_of(Axis(axis)) + 1), 1 + bytes.below(3)];
        let step = step as isize * if bytes.byte().is_multiple_of(2) { 1 } else { -1 };
        view.slice_axis_inplace(Axis(axis), Slice { start: start as isize, end: None, step });
    }
    if bytes.byte().is_multiple_of(4) {
        view.insert_axis_inplace(Axis(0));
    }
    let repeated = (1 + bytes.below(3), view.shape().first() == Some(&1));
    let mut shape = view.shape().to_vec();
    if let (times, true) = repeated {
        shape[0] = times;
    }
    let view = view.broadcast(shape).unwrap();

    let inverter = Inverter::cpu().rcond(true);
    let result = match (inverter.invert_array(&view), view.shape()) {
        (Err(Error::Shape(ShapeError::TooFewAxes { .. })), shape) => return assert!(shape.len() < 2, "{shape:?}"),
        (Err(Error::Shape(ShapeError::NotSquare { rows, columns })), [.., m, n]) => {
            return assert!((rows, columns) == (*m, *n) && m != n);
        }
        (result, shape) => result.unwrap_or_else(|error| panic!("{error} for {shape:?}")),
    };
    assert_eq!(result.values.shape(), view.shape());
    let n = view.shape()[view.ndim() - 1];
    let matrices = view.iter().copied().collect::<Vec<_>>();
    let len: usize = view.shape()[..view.ndim() - 2].iter().product();
    let wanted = inverter.invert(Stack::with_len(&matrices, n, len).unwrap()).unwrap();
    let bits = |x: &f32| x.to_bits();
    assert!(result.values.iter().map(bits).eq(wanted.stack().elements().iter().map(bits)));
    assert!(result.statuses.iter().eq(wanted.statuses()));
    assert!(result.rconds.unwrap().iter().map(bits).eq(wanted.rconds().unwrap().iter().map(bits)));
}

/// A plan stays within the limits that it was made for.
fn plans(mut bytes: Bytes<'_>) {
    let mut limits = GpuLimits::WEBGPU_DEFAULT;
    limits.binding_bytes = bytes.size();
    limits.workgroups = bytes.size() as u32;
    limits.invocations = bytes.size() as u32;
    limits.workgroup_bytes = bytes.size() as u32;
    limits.subgroups = bytes.byte().is_multiple_of(2).then_some((4, 32));
    limits.float64 = bytes.byte().is_multiple_of(2);
    limits.software = bytes.byte().is_multiple_of(2);
    let precision = bytes.one(&[Precision::Native, Precision::Double]);
    let work =
        Work::inverse(bytes.one(&SCALARS), bytes.size() as usize, bytes.size() as usize).with_precision(precision);
    let _ = plan::worth_the_trip(work);
    let _ = CpuPlan::new(work, &CpuFacts::new(bytes.size() as usize, 64));
    let Ok(plan) = plan::gpu(work, &limits) else { return };
    assert!(plan.chunk_len > 0 && plan.variant.order as usize == work.order, "{plan:?}");
    let matrix = (work.order * work.order * work.scalar.size()) as u128;
    let chunk = plan.chunk_len.min(work.len);
    assert!(chunk as u128 * matrix <= u128::from(limits.binding_bytes), "{work:?}, {limits:?}: {plan:?}");
    assert!(work.order == 0 || plan.chunk_len as u128 * plan.chunks as u128 >= work.len as u128, "{work:?}: {plan:?}");
    assert!(plan.variant.workgroup() <= limits.invocations && plan.variant.workgroup_bytes() <= limits.workgroup_bytes);
}

/// A device that validates everything and runs nothing.
fn device() -> &'static (wgpu::Device, GpuInverter) {
    static DEVICE: OnceLock<(wgpu::Device, GpuInverter)> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::NOOP;
        descriptor.backend_options.noop.enable = true;
        let instance = wgpu::Instance::new(descriptor);
        let open = async {
            let adapter = instance.request_adapter(&Default::default()).await.expect("an adapter that does nothing");
            adapter.request_device(&Default::default()).await.expect("its device")
        };
        let (device, queue) = wait(open);
        // An uncaptured error is a failure of the test.
        device.on_uncaptured_error(std::sync::Arc::new(|error| panic!("uncaptured: {error}")));
        let gpu = GpuInverter::from_device(&device, &queue);
        (device, gpu)
    })
}

/// Polls until the future is ready, which with this backend takes no waiting.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// A job is made only if every element that it reads or writes lies in its buffers, and no inverse overwrites another
/// inverse, or a matrix that has yet to be read.
fn jobs(mut bytes: Bytes<'_>) {
    let (device, gpu) = device();
    let usages = [wgpu::BufferUsages::STORAGE, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC];
    let buffer = |bytes: &mut Bytes<'_>| {
        let size = 4 * bytes.below(1 << 10) as u64 + 4;
        let usage = if bytes.byte() == 0 { wgpu::BufferUsages::COPY_SRC } else { bytes.one(&usages) };
        device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    };
    let (scalar, order) = (bytes.one(&[ScalarKind::Float32, ScalarKind::Complex64]), bytes.below(6) as u32);
    let capacity = if bytes.byte() < 250 { bytes.below(40) as u32 } else { bytes.size() as u32 };
    let layout = |bytes: &mut Bytes<'_>| match bytes.byte() % 4 {
        0 => Layout::contiguous(order),
        1 => Layout { offset: bytes.below(70) as u32, ..Layout::contiguous(order).transposed() },
        2 => Layout {
            offset: bytes.below(70) as u32,
            matrix: bytes.below(40) as u32,
            row: bytes.below(20) as u32,
            column: bytes.below(20) as u32,
        },
        _ => {
            let mut any = || bytes.size() as u32;
            Layout { offset: any(), matrix: any(), row: any(), column: any() }
        }
    };
    let input = buffer(&mut bytes);
    let (input_layout, output_layout) = (layout(&mut bytes), layout(&mut bytes));
    let (own, output) = match bytes.byte() {
        250.. => (true, None),
        byte if byte.is_multiple_of(3) => (false, None),
        byte if byte % 3 == 1 => (false, Some(input.clone())),
        _ => (false, Some(buffer(&mut bytes))),
    };
    let statuses = bytes.byte().is_multiple_of(4).then(|| buffer(&mut bytes));
    let rconds = bytes.byte().is_multiple_of(4).then(|| buffer(&mut bytes));
    let count = bytes.byte().is_multiple_of(4).then(|| (buffer(&mut bytes), bytes.size()));

    let mut descriptor = JobDescriptor::new(scalar, order, capacity, &input).input_layout(input_layout);
    if let Some(output) = &output {
        descriptor = descriptor.output(output, output_layout);
    }
    if own {
        descriptor = descriptor.own_output(output_layout);
    }
    if let Some(statuses) = &statuses {
        descriptor = descriptor.statuses(statuses);
    }
    if let Some(rconds) = &rconds {
        descriptor = descriptor.rconds(rconds);
    }
    if let Some((count, offset)) = &count {
        descriptor = descriptor.count(count, *offset);
    }
    let Ok(job) = gpu.job(&descriptor) else { return };

    assert!(order > 0 && capacity > 0, "{descriptor:?}");
    let places = |layout: Layout| {
        let wide = |x: u32| u64::from(x);
        (0..capacity).flat_map(move |m| {
            (0..order * order).map(move |at| {
                let (i, j) = (wide(at / order), wide(at % order));
                let Layout { offset, matrix, row, column } = layout;
                (m, wide(offset) + wide(m) * wide(matrix) + i * wide(row) + j * wide(column))
            })
        })
    };
    let size = scalar.size() as u64;
    assert!(places(input_layout).all(|(_, at)| (at + 1) * size <= input.size()), "{descriptor:?}");
    let own_layout = if own { output_layout } else { input_layout };
    let (target, target_layout) = output.as_ref().map_or((job.output(), own_layout), |output| (output, output_layout));
    assert!(places(target_layout).all(|(_, at)| (at + 1) * size <= target.size()), "{descriptor:?}");
    let mut written = BTreeSet::new();
    assert!(places(target_layout).all(|(_, at)| written.insert(at)), "{descriptor:?}");
    if *target == input {
        let owner: BTreeMap<u64, BTreeSet<u32>> = places(input_layout).fold(BTreeMap::new(), |mut owner, (m, at)| {
            owner.entry(at).or_insert_with(BTreeSet::new).insert(m);
            owner
        });
        for (m, at) in places(target_layout) {
            assert!(owner.get(&at).is_none_or(|owners| owners.iter().all(|&owner| owner == m)), "{descriptor:?}");
        }
    }
    for given in [statuses.as_ref().map(|b| (b, 4)), rconds.as_ref().map(|b| (b, scalar.real_size() as u64))] {
        assert!(given.is_none_or(|(buffer, each)| u64::from(capacity) * each <= buffer.size()), "{descriptor:?}");
    }
    if let Some((count, offset)) = &count {
        assert!(offset.is_multiple_of(4) && offset + 4 <= count.size(), "{descriptor:?}");
    }
    let mut encoder = device.create_command_encoder(&Default::default());
    let len = bytes.size() as u32;
    assert_eq!(job.encode(&mut encoder, len).is_ok(), len <= capacity);
    assert_eq!(job.encode_indirect(&mut encoder).is_ok(), count.is_some());
    drop(encoder.finish());
}
