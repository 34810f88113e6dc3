//! Jobs in the caller's own buffers and encoder give the bits of `invert` and touch nothing else.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use batchinv::gpu::JobDescriptor;
use batchinv::plan::Layout;
use batchinv::{Error, JobError, Real, Stack, Status, wgpu};
use common::Element;
use common::own::{ALL, Own, devices, stack};
use wgpu::BufferUsages as Usage;

/// A buffer with the elements at the places that a layout gives them, and guard values everywhere else.
fn spread<T: Element>(elements: &[T], n: usize, layout: Layout, size: usize) -> Vec<T> {
    let mut buffer = vec![guard::<T>(); size];
    for (index, &element) in elements.iter().enumerate() {
        buffer[place(index, n, layout)] = element;
    }
    buffer
}

fn guard<T: Element>() -> T {
    T::new(12_345.0, -54_321.0)
}

/// The place, in this layout, of the element with this index in a contiguous stack.
fn place(index: usize, n: usize, layout: Layout) -> usize {
    let (m, i, j) = (index / (n * n), index / n % n, index % n);
    let Layout { offset, matrix, row, column } = layout;
    offset as usize + m * matrix as usize + i * row as usize + j * column as usize
}

/// Contiguous, column-major, WGSL's mat3x3 with its padding, a member of a struct, and interleaved matrices. For order
/// 4, also rows with gaps, once from a multiple of four on and once two elements later.
fn layouts(n: u32) -> Vec<Layout> {
    let padded = n.next_multiple_of(4);
    let apart = |offset| Layout { offset, matrix: 36, row: 8, column: 1 };
    let apart = [12, 14].map(apart).into_iter().filter(|_| n == 4);
    let layouts = [
        Layout::contiguous(n),
        Layout::contiguous(n).transposed(),
        Layout { offset: 0, matrix: padded * n, row: 1, column: padded },
        Layout { offset: 7, matrix: padded * padded + 5, row: padded, column: 1 },
        Layout { offset: 301, matrix: 1, row: 1000, column: 1000 * n },
    ];
    layouts.into_iter().chain(apart).collect()
}

/// The cases alternate between a count from the host and one from a buffer.
fn strided<T: Element>() {
    let len = 23;
    for own in devices("jobs/strided") {
        if T::eps() < 1e-10 && !own.gpu.facts().limits.float64 {
            continue;
        }
        // These orders run in `thread`, in `subgroup` or `workgroup`, and, without subgroups, in `device`.
        for n in [1_u32, 2, 3, 4, 13, 17] {
            let elements = stack::<T>(n as usize, len);
            let (inverses, statuses, rconds) = own.wanted(Stack::new(&elements, n as usize).unwrap());
            for (index, &input) in layouts(n).iter().enumerate() {
                let output = layouts(n)[(index + n as usize) % layouts(n).len()];
                let size = 1000 * (n * n) as usize + 2000;
                let source = spread(&elements, n as usize, input, size);
                let forms = [(false, output), (true, input), (true, input.transposed())];
                for (form, (in_place, output)) in forms.into_iter().enumerate() {
                    // Large orders take seconds to compile.
                    if n > 4 && form != index % 3 && !common::full_sweep() {
                        continue;
                    }
                    let indirect = (index + form + n as usize / 2) % 2 == 1;
                    let from = own.buffer(bytemuck::cast_slice(&source), ALL);
                    let to = own.buffer(bytemuck::cast_slice(&vec![guard::<T>(); size]), ALL);
                    let target = if in_place { &from } else { &to };
                    let words = own.buffer(&[0xab; 4 * 30], ALL);
                    let reals = own.buffer(bytemuck::cast_slice(&[guard::<T>(); 30]), ALL);
                    let count = own.buffer(bytemuck::bytes_of(&(len as u32)), ALL);
                    let descriptor = JobDescriptor::new(T::KIND, n, 30, &from)
                        .input_layout(input)
                        .output(target, output)
                        .statuses(&words)
                        .rconds(&reals)
                        .count(&count, 0);
                    let job = own.gpu.job(&descriptor).unwrap();
                    let mut encoder = own.encoder();
                    match indirect {
                        false => job.encode(&mut encoder, len as u32).unwrap(),
                        true => job.encode_indirect(&mut encoder).unwrap(),
                    }
                    own.queue.submit([encoder.finish()]);

                    let what =
                        format!("order {n}, {input:?} to {output:?}, in place: {in_place}, indirect: {indirect}");
                    let before = if in_place { &source } else { &vec![guard::<T>(); size] };
                    let mut wanted = before.clone();
                    for (index, &element) in inverses.iter().enumerate() {
                        wanted[place(index, n as usize, output)] = element;
                    }
                    let got: Vec<T> = own.read(target);
                    assert!(common::bits(&got) == common::bits(&wanted), "{what}");
                    if !in_place {
                        assert!(common::bits(&own.read::<T>(&from)) == common::bits(&source), "{what}: the input");
                    }
                    let got: Vec<Status> = own.read(&words);
                    assert_eq!(got[..len], statuses, "{what}");
                    assert!(got[len..].iter().all(|status| status.word() == 0xabab_abab_u32 as i32), "{what}");
                    let got: Vec<T::Real> = own.read(&reals);
                    let same = |(a, b): (&T::Real, &T::Real)| a.to_f64().to_bits() == b.to_f64().to_bits();
                    assert!(got[..len].iter().zip(&rconds).all(same), "{what}: {got:?}, not {rconds:?}");
                }
            }
        }
    }
}

for_each_scalar!(strided);

/// Structs that hold a transform and room for its normal matrix. Inverse transposes go beside their own matrix,
/// beside the next one, or all behind the matrices, and nothing else is touched.
#[test]
fn beside_in_a_struct() {
    // struct { id: f32, transform: mat4x4<f32>, normal: mat3x3<f32> }, in elements,
    // and structs like it of larger orders.
    for (n, padded, wide) in [(3_u32, 4_u32, 4_u32), (13, 13, 13), (16, 16, 16), (17, 20, 17), (65, 65, 65)] {
        let size = 4 + padded * wide + padded * n + 1;
        let len = if n > 64 { 8_u32 } else { 50 };
        let transform = Layout { offset: 4, matrix: size, row: 1, column: padded };
        let normal = Layout { offset: 4 + padded * wide, ..transform };
        for own in devices("jobs/beside_in_a_struct") {
            let elements = stack::<f32>(n as usize, len as usize);
            let (inverses, statuses, _) = own.wanted(Stack::new(&elements, n as usize).unwrap());
            let behind = Layout { offset: size * len, ..transform };
            let source = spread(&elements, n as usize, transform, (size * (2 * len + 2)) as usize);
            for output in [normal, Layout { offset: normal.offset + size, ..normal }, behind] {
                let buffer = own.buffer(bytemuck::cast_slice(&source), ALL);
                let descriptor = JobDescriptor::new(batchinv::ScalarKind::Float32, n, len, &buffer);
                let descriptor = descriptor.input_layout(transform).output(&buffer, output.transposed());
                let job = own.gpu.job(&descriptor).unwrap();
                let mut encoder = own.encoder();
                job.encode(&mut encoder, len).unwrap();
                own.queue.submit([encoder.finish()]);
                let mut wanted = source.clone();
                for (index, &element) in inverses.iter().enumerate() {
                    wanted[place(index, n as usize, output.transposed())] = element;
                }
                let got = own.read::<f32>(&buffer);
                assert!(common::bits(&got) == common::bits(&wanted), "order {n} to {output:?}");
                assert_eq!(pollster::block_on(job.read_statuses(len)).unwrap(), statuses);
            }
        }
    }
}

/// A job is refused if an inverse written beside its matrix would overlap another matrix.
#[test]
fn beside_too_close() {
    let (size, len) = (32_u32, 50);
    let transform = Layout { offset: 4, matrix: size, row: 1, column: 4 };
    let normal = Layout { offset: 20, matrix: size, row: 1, column: 4 };
    for own in devices("jobs/beside_too_close") {
        let buffer = own.buffer(&vec![0; 4 * (size * (len + 2)) as usize], ALL);
        let descriptor = JobDescriptor::new(batchinv::ScalarKind::Float32, 3, len, &buffer).input_layout(transform);
        // One element too early, one too late, and with a stride that differs from the input's.
        for output in
            [Layout { offset: 14, ..normal }, Layout { offset: 26, ..normal }, Layout { matrix: size + 1, ..normal }]
        {
            let refused = own.gpu.job(&descriptor.output(&buffer, output)).map(drop);
            assert_eq!(refused, Err(Error::Job(JobError::Overlap)), "{output:?}");
        }
    }
}

/// Orders that need working memory, with a count from the host and from the device. An update takes one tile
/// along the rows at the first order and two at the second.
#[test]
fn large_orders() {
    for own in devices("jobs/large_orders") {
        for (n, len) in [(65, 20), (260, 3)] {
            large_order(&own, n, len);
        }
    }
}

fn large_order(own: &Own, n: usize, len: usize) {
    let elements = stack::<f32>(n, len);
    let (inverses, statuses, rconds) = own.wanted(Stack::new(&elements, n).unwrap());
    let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
    let to = own.buffer(&vec![0; 4 * elements.len()], ALL);
    let reals = own.buffer(&vec![0; 4 * len], ALL);
    let count = own.buffer(bytemuck::bytes_of(&0_u32), ALL);
    let layout = Layout::contiguous(n as u32);
    let descriptor = JobDescriptor::new(batchinv::ScalarKind::Float32, n as u32, len as u32, &from);
    let job = own.gpu.job(&descriptor.output(&to, layout).rconds(&reals).count(&count, 0)).unwrap();
    for (indirect, here) in [(false, len), (true, len), (true, len / 3), (true, 0)] {
        for (buffer, words) in [(&to, elements.len()), (&reals, len)] {
            own.queue.write_buffer(buffer, 0, &vec![0; 4 * words]);
        }
        own.queue.write_buffer(&count, 0, bytemuck::bytes_of(&(here as u32)));
        let mut encoder = own.encoder();
        match indirect {
            false => {
                job.encode(&mut encoder, 0).unwrap();
                job.encode(&mut encoder, here as u32).unwrap();
            }
            true => job.encode_indirect(&mut encoder).unwrap(),
        }
        own.queue.submit([encoder.finish()]);
        for (buffer, wanted, end) in [(&to, &inverses, here * n * n), (&reals, &rconds, here)] {
            let got: Vec<f32> = own.read(buffer);
            assert!(common::bits(&got[..end]) == common::bits(&wanted[..end]), "{here} of {n}, indirect: {indirect}");
            assert!(got[end..].iter().all(|&x| x == 0.0), "{here} of {n}, indirect: {indirect}");
        }
        let read = pollster::block_on(job.read_statuses(here as u32)).unwrap();
        assert_eq!(read, statuses[..here]);
    }
}

/// A job for 300 matrices, encoded repeatedly with other counts.
#[test]
fn any_count_up_to_the_capacity() {
    for own in devices("jobs/counts") {
        for n in [2_usize, 16] {
            let elements = stack::<f32>(n, 300);
            let (inverses, statuses, _) = own.wanted(Stack::new(&elements, n).unwrap());
            let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
            let to = own.buffer(&vec![0; 4 * elements.len()], ALL);
            let layout = Layout::contiguous(n as u32);
            let job = own
                .gpu
                .job(&JobDescriptor::new(batchinv::ScalarKind::Float32, n as u32, 300, &from).output(&to, layout))
                .unwrap();
            assert_eq!(job.capacity(), 300);
            for len in [300, 0, 1, 63, 64, 65, 128, 299] {
                own.queue.write_buffer(&to, 0, &vec![0; 4 * elements.len()]);
                let mut encoder = own.encoder();
                {
                    let mut pass = encoder.begin_compute_pass(&Default::default());
                    job.encode_in_pass(&mut pass, len).unwrap();
                }
                own.queue.submit([encoder.finish()]);
                let got: Vec<f32> = own.read(&to);
                let end = len as usize * n * n;
                assert!(common::bits(&got[..end]) == common::bits(&inverses[..end]), "{len} of order {n}");
                assert!(got[end..].iter().all(|&x| x == 0.0), "{len} of order {n}: nothing beyond");
                let read = pollster::block_on(job.read_statuses(len)).unwrap();
                assert_eq!(read, statuses[..len as usize]);
            }
            let first = pollster::block_on(job.first_failure(300)).unwrap();
            assert_eq!(first, Some((2, statuses[2])));
            assert_eq!(pollster::block_on(job.first_failure(2)).unwrap(), None);
            // Output to the job's own buffer, with gaps.
            let gaps = Layout { matrix: (n * n) as u32 + 3, ..layout };
            let job = JobDescriptor::new(batchinv::ScalarKind::Float32, n as u32, 300, &from);
            assert_eq!(*own.gpu.job(&job).unwrap().output(), from);
            let job = own.gpu.job(&job.own_output(gaps)).unwrap();
            let mut encoder = own.encoder();
            job.encode(&mut encoder, 300).unwrap();
            own.queue.submit([encoder.finish()]);
            let got: Vec<f32> = own.read(job.output());
            assert_eq!(got.len(), 299 * (n * n + 3) + n * n);
            for (got, wanted) in got.chunks(n * n + 3).zip(inverses.chunks(n * n)) {
                assert!(common::bits(&got[..n * n]) == common::bits(wanted), "order {n}, the job's own buffer");
                assert!(got[n * n..].iter().all(|&x| x == 0.0));
            }
            let error = job.encode(&mut own.encoder(), 301).unwrap_err();
            assert_eq!(error, Error::Job(JobError::TooMany { len: 301, capacity: 300 }));
        }
    }
}

/// The count comes from a buffer that the device fills; one above the capacity counts as the capacity.
#[test]
fn indirect() {
    for own in devices("jobs/indirect") {
        for n in [3_usize, 16] {
            let elements = stack::<f32>(n, 200);
            let (inverses, statuses, rconds) = own.wanted(Stack::new(&elements, n).unwrap());
            let count = own.buffer(bytemuck::cast_slice(&[7_u32; 100]), ALL);
            let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
            let reals = own.buffer(&[0; 4 * 200], ALL);
            let descriptor = JobDescriptor::new(batchinv::ScalarKind::Float32, n as u32, 200, &from)
                .rconds(&reals)
                .count(&count, 4 * 77);
            let job = own.gpu.job(&descriptor).unwrap();
            for len in [0_u32, 1, 64, 65, 199, 200, 201, u32::MAX] {
                own.queue.write_buffer(&from, 0, bytemuck::cast_slice(&elements));
                own.queue.write_buffer(&count, 4 * 77, bytemuck::bytes_of(&len));
                own.queue.write_buffer(&reals, 0, &[0; 4 * 200]);
                let mut encoder = own.encoder();
                job.encode_indirect(&mut encoder).unwrap();
                own.queue.submit([encoder.finish()]);
                let len = len.min(200) as usize;
                let end = len * n * n;
                let got: Vec<f32> = own.read(&from);
                assert!(common::bits(&got[..end]) == common::bits(&inverses[..end]), "{len} of order {n}");
                assert!(common::bits(&got[end..]) == common::bits(&elements[end..]), "{len} of order {n}: beyond");
                let read: Vec<Status> = own.read(job.statuses());
                assert_eq!(read[..len], statuses[..len]);
                let got: Vec<f32> = own.read(&reals);
                assert!(got[..len].iter().zip(&rconds).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())));
                assert!(got[len..].iter().all(|&rcond| rcond == 0.0));
            }
            // If the count shrinks, only the statuses of its matrices are new.
            for len in [200_u32, 2] {
                own.queue.write_buffer(&from, 0, bytemuck::cast_slice(&elements));
                own.queue.write_buffer(&count, 4 * 77, bytemuck::bytes_of(&len));
                let mut encoder = own.encoder();
                job.encode_indirect(&mut encoder).unwrap();
                own.queue.submit([encoder.finish()]);
                let read = pollster::block_on(job.read_indirect_statuses()).unwrap();
                assert_eq!(read, statuses[..len as usize]);
                assert_eq!(pollster::block_on(job.read_statuses(200)).unwrap(), statuses);
            }
            let without = JobDescriptor::new(batchinv::ScalarKind::Float32, n as u32, 200, &from);
            let error = own.gpu.job(&without).unwrap().encode_indirect(&mut own.encoder()).unwrap_err();
            assert_eq!(error, Error::Job(JobError::NoCount));
        }
    }
}

/// More workgroups than one dimension of a dispatch holds, with a count from the host and from the device.
#[test]
fn rows_of_workgroups() {
    let len = 65_535 * 64 + 130;
    for own in devices("jobs/rows_of_workgroups").iter().take(1) {
        let elements: Vec<f32> = (0..len).map(|m| (m % 1000) as f32).collect();
        let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
        let to = own.buffer(&vec![0; 4 * len], ALL);
        let count = own.buffer(bytemuck::bytes_of(&(len as u32)), ALL);
        let descriptor = JobDescriptor::new(batchinv::ScalarKind::Float32, 1, len as u32, &from)
            .output(&to, Layout::contiguous(1))
            .count(&count, 0);
        let job = own.gpu.job(&descriptor).unwrap();
        for indirect in [false, true] {
            own.queue.write_buffer(&to, 0, &vec![0; 4 * len]);
            let mut encoder = own.encoder();
            match indirect {
                false => job.encode(&mut encoder, len as u32).unwrap(),
                true => job.encode_indirect(&mut encoder).unwrap(),
            }
            own.queue.submit([encoder.finish()]);
            let got: Vec<f32> = own.read(&to);
            let wrong = got
                .iter()
                .zip(&elements)
                .position(|(&x, &a)| if a == 0.0 { !x.is_nan() } else { (x * a - 1.0).abs() > 1e-6 });
            assert_eq!(wrong, None, "indirect: {indirect}");
        }
    }
}

/// Encoding creates no resources, by wgpu's own counters, and submits nothing. The finished commands take
/// no more than those of an empty pass.
#[test]
fn encoding_allocates_nothing() {
    for own in devices("jobs/encoding_allocates_nothing") {
        for n in [4_usize, 16, 65] {
            let elements = stack::<f32>(n, 50);
            let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
            let reals = own.buffer(&[0; 4 * 50], ALL);
            let count = own.buffer(bytemuck::bytes_of(&40_u32), ALL);
            let float32 = batchinv::ScalarKind::Float32;
            let descriptor = JobDescriptor::new(float32, n as u32, 50, &from).rconds(&reals).count(&count, 0);
            let job = own.gpu.job(&descriptor).unwrap();
            own.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
            let counted = || {
                let hal = own.device.get_internal_counters().hal;
                [
                    hal.buffers.read(),
                    hal.buffer_memory.read(),
                    hal.memory_allocations.read(),
                    hal.bind_groups.read(),
                    hal.compute_pipelines.read(),
                    hal.shader_modules.read(),
                    hal.query_sets.read(),
                    hal.fences.read(),
                    hal.command_encoders.read(),
                ]
            };
            // The resources that commands take before they are submitted.
            let taken = |encode: &dyn Fn(&mut wgpu::CommandEncoder)| {
                let before = counted();
                assert!(before[0] > 0, "wgpu counts nothing: its feature `counters` is off");
                let mut encoder = own.encoder();
                let opened = counted();
                encode(&mut encoder);
                assert_eq!(counted(), opened, "order {n}: encoding created resources");
                let commands = encoder.finish();
                let after = counted();
                drop(commands);
                std::array::from_fn::<_, 9, _>(|i| after[i] - before[i])
            };
            // The very first commands make wgpu's pool of encoders grow.
            let pass = |encoder: &mut wgpu::CommandEncoder| drop(encoder.begin_compute_pass(&Default::default()));
            taken(&pass);
            let empty = taken(&pass);
            let direct = taken(&|encoder| {
                for len in [1, 50, 33] {
                    job.encode(encoder, len).unwrap();
                }
            });
            let in_pass = taken(&|encoder| {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                job.encode_in_pass(&mut pass, 50).unwrap();
                job.encode_indirect_in_pass(&mut pass).unwrap();
            });
            assert_eq!((direct, in_pass), (empty, empty), "order {n}");
            // Nothing was submitted, so the buffer still holds the input.
            assert!(common::bits(&own.read::<f32>(&from)) == common::bits(&elements));
        }
    }
}

/// Descriptors that cannot be right are refused, with an error that names the fault.
#[test]
fn what_a_job_refuses() {
    let devices = devices("jobs/refusals");
    for own in devices.iter().take(1) {
        let float32 = batchinv::ScalarKind::Float32;
        let buffer = own.buffer(&[0; 4 * 90], ALL);
        let other = own.buffer(&[0; 4 * 90], ALL);
        let plain = own.buffer(&[0; 4 * 90], Usage::COPY_DST);
        let job = |descriptor: JobDescriptor<'_>| match own.gpu.job(&descriptor) {
            Err(Error::Job(error)) => error,
            other => panic!("{other:?}"),
        };
        let descriptor = JobDescriptor::new(float32, 3, 10, &buffer);
        assert!(own.gpu.job(&descriptor).is_ok());
        assert_eq!(job(JobDescriptor::new(float32, 0, 10, &buffer)), JobError::Empty);
        assert_eq!(job(JobDescriptor::new(float32, 3, 0, &buffer)), JobError::Empty);
        let small = JobError::TooSmall { what: "input", needed: 396, size: 360 };
        assert_eq!(job(JobDescriptor::new(float32, 3, 11, &buffer)), small);
        let far = Layout { offset: u32::MAX, matrix: u32::MAX, row: u32::MAX, column: u32::MAX };
        assert!(matches!(job(descriptor.input_layout(far)), JobError::TooSmall { what: "input", .. }));
        assert!(matches!(job(descriptor.output(&other, far)), JobError::TooSmall { what: "output", .. }));
        assert!(matches!(job(JobDescriptor::new(float32, 3, 10, &plain)), JobError::Usage { what: "input", .. }));
        assert!(matches!(job(descriptor.statuses(&plain)), JobError::Usage { what: "statuses", .. }));
        let short = own.buffer(&[0; 36], ALL);
        assert!(matches!(job(descriptor.statuses(&short)), JobError::TooSmall { what: "statuses", .. }));
        assert!(matches!(job(descriptor.rconds(&short)), JobError::TooSmall { what: "rconds", .. }));
        let unreadable = own.buffer(&[0; 40], Usage::STORAGE | Usage::COPY_DST);
        let unread = own.gpu.job(&descriptor.statuses(&unreadable)).unwrap();
        let said = pollster::block_on(unread.read_statuses(1));
        assert_eq!(said, Err(Error::Job(JobError::Usage { what: "statuses", usage: "COPY_SRC" })));
        let foreign = devices[1].buffer(&[0; 4 * 90], ALL);
        assert!(matches!(job(descriptor.statuses(&foreign)), JobError::Refused { .. }));
        // A buffer that would be both written and read.
        let shared = |what, with| JobError::Shared { what, with };
        assert_eq!(job(descriptor.statuses(&buffer)), shared("statuses", "input"));
        assert_eq!(
            job(descriptor.output(&other, Layout::contiguous(3)).statuses(&other)),
            shared("statuses", "output")
        );
        assert_eq!(job(descriptor.rconds(&buffer)), shared("rconds", "input"));
        assert_eq!(job(descriptor.rconds(&other).statuses(&other)), shared("rconds", "statuses"));
        assert_eq!(job(descriptor.count(&other, 0).statuses(&other)), shared("statuses", "the count"));
        // Inverses that overlap one another, or matrices that have yet to be read.
        let contiguous = Layout::contiguous(3);
        let crowded = Layout { matrix: 8, ..contiguous };
        assert_eq!(job(descriptor.output(&other, crowded)), JobError::Overlap);
        assert_eq!(job(descriptor.output(&other, Layout { row: 0, ..contiguous })), JobError::Overlap);
        let huge = Layout { matrix: 1 << 20, ..contiguous };
        let crowded_rows = Layout { row: 0, ..huge };
        assert_eq!(job(descriptor.own_output(crowded_rows)), JobError::Overlap);
        // The sum of these strides is more than 64 bits hold.
        let one = JobDescriptor::new(float32, 5, u32::MAX, &buffer);
        let one = one.input_layout(Layout { matrix: 0, ..Layout::contiguous(5) });
        let vast = Layout { offset: 0, matrix: u32::MAX, row: u32::MAX - 1, column: 1 };
        assert_eq!(job(one.own_output(vast)), JobError::Overlap);
        assert!(matches!(
            job(JobDescriptor::new(float32, 3, 11, &buffer).own_output(huge)),
            JobError::TooSmall { what: "input", .. }
        ));
        let few = JobDescriptor::new(float32, 3, 4, &buffer);
        assert_eq!(job(few.output(&buffer, Layout { offset: 9, ..contiguous })), JobError::Overlap);
        assert!(own.gpu.job(&few.output(&buffer, Layout { offset: 36, ..contiguous })).is_ok());
        for offset in [2, 360, u64::MAX - 3] {
            assert_eq!(job(descriptor.count(&other, offset)), JobError::Count { offset, size: 360 });
        }
    }
}
