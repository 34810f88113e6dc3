//! The plan is a value, and is tested here without any device.

mod common;

use batchinv::plan::{
    self, AdapterFacts, AdapterKind, AutoPolicy, CpuFacts, CpuPlan, CpuTuning, GpuLimits, GpuPlan, KernelConfig,
    Sharing, Variant, WORKGROUP_TILE_BYTES, Work, max_order,
};
use batchinv::{Arithmetic, CpuKernel, Engine, Error, GpuKernel, Precision, ScalarKind};
use common::{arithmetics, with};

const LIMITS: GpuLimits = GpuLimits::WEBGPU_DEFAULT;

fn work(order: usize, len: usize) -> Work {
    Work::inverse(ScalarKind::Float32, order, len)
}

fn gpu(order: usize, len: usize) -> GpuPlan {
    plan::gpu(work(order, len), &LIMITS).unwrap()
}

/// The reason with which the GPU engine refuses `work`.
fn refusal(work: Work, limits: &GpuLimits) -> String {
    match plan::gpu(work, limits) {
        Err(Error::Unsupported { engine: Engine::Gpu, reason }) => reason.to_string(),
        other => panic!("{work:?}: {other:?}"),
    }
}

#[test]
fn the_defaults_are_webgpus() {
    // WebGPU specification, "Limits".
    assert_eq!(
        (LIMITS.binding_bytes, LIMITS.workgroups, LIMITS.invocations, LIMITS.workgroup_bytes),
        (134_217_728, 65_535, 256, 16_384)
    );
    assert_eq!((LIMITS.subgroups, LIMITS.float64, LIMITS.software), (None, false, false));
}

/// For every working scalar and order, the expected kernel is chosen and fits the default limits.
#[test]
fn kernels_by_order() {
    let limits = with(LIMITS, |limits| limits.float64 = true);
    for scalar in ScalarKind::ALL {
        let most = GpuKernel::ALL.map(|kernel| max_order(kernel, scalar));
        assert!(most.is_sorted(), "{scalar}: {most:?}");
        for order in 1..=300 {
            let variant = plan::gpu(Work { scalar, ..work(order, 1) }, &limits).unwrap().variant;
            let registers = order * order * scalar.size() / 4 <= plan::THREAD_MAX_WORDS;
            let takes = |kernel: &GpuKernel| {
                order <= max_order(*kernel, scalar)
                    && match kernel {
                        GpuKernel::Subgroup => false,
                        GpuKernel::Thread => registers,
                        _ => true,
                    }
            };
            let kernel = GpuKernel::ALL.into_iter().find(takes).expect("a kernel for every order");
            assert_eq!((variant.kernel(), variant.order as usize, variant.scalar), (kernel, order, scalar));
            for kernel in GpuKernel::ALL.into_iter().filter(|&kernel| order <= max_order(kernel, scalar)) {
                fits(Variant::new(kernel, scalar, Precision::Native, order as u32));
            }
        }
    }
}

/// `subgroup` is chosen if the device has subgroups, with slices that fit its smallest subgroup.
#[test]
fn slices_of_subgroups() {
    let hardware = |smallest, largest| {
        with(LIMITS, |limits| {
            limits.subgroups = Some((smallest, largest));
            limits.float64 = true;
        })
    };
    let lanes = |scalar, order, limits: GpuLimits| {
        let variant = plan::gpu(Work { scalar, ..work(order, 1) }, &limits).unwrap().variant;
        match variant.config {
            KernelConfig::Subgroup(config) => Some(config.lanes),
            _ => None,
        }
    };
    use ScalarKind::{Complex128, Float32, Float64};
    // Rows per lane: 3 at order 12, 4 at orders 16 and 32, 3 at order 40, and 2 at orders 48 and 64,
    // since 3 would take too many registers.
    let wanted =
        [(9, None), (12, Some(4)), (16, Some(4)), (32, Some(8)), (40, Some(16)), (48, Some(32)), (64, Some(32))];
    for (order, wanted) in wanted {
        assert_eq!(lanes(Float32, order, hardware(32, 32)), wanted, "order {order}");
    }
    assert_eq!(lanes(Float32, 65, hardware(32, 32)), None);
    assert_eq!(lanes(Float64, 32, hardware(32, 32)), Some(16));
    assert_eq!(lanes(Complex128, 32, hardware(64, 64)), Some(32));
    // Half as many words fit where more than 128 registers halve the subgroups at work.
    assert_eq!((lanes(Float32, 32, hardware(64, 64)), lanes(Float32, 64, hardware(64, 64))), (Some(16), Some(64)));
    // Some integrated GPUs have subgroups as small as 8 lanes, and half as many registers.
    assert_eq!((lanes(Float32, 24, hardware(8, 32)), lanes(Float32, 32, hardware(8, 32))), (Some(8), None));
    assert_eq!((lanes(Float32, 8, hardware(8, 32)), lanes(Float32, 9, hardware(8, 32))), (None, Some(4)));
    // If there are too few lanes for the rows to fit in their registers, `workgroup` is chosen.
    assert_eq!((lanes(Float32, 20, hardware(4, 64)), lanes(Float32, 21, hardware(4, 64))), (Some(4), None));
    assert_eq!(plan::gpu(work(32, 1), &hardware(4, 64)).unwrap().variant.kernel(), GpuKernel::Workgroup);
    // Software adapters use all lanes of a subgroup, which is a SIMD vector.
    let software = |size| with(hardware(size, size), |limits| limits.software = true);
    assert_eq!((lanes(Float32, 64, software(8)), lanes(Float32, 44, software(4))), (Some(8), Some(4)));
    assert_eq!(lanes(Float32, 45, software(4)), None);
    // Without float64 and with four lanes it is SwiftShader, whose loops are not written out.
    let swiftshader = with(software(4), |limits| limits.float64 = false);
    assert_eq!((lanes(Float32, 32, swiftshader), lanes(Float32, 33, swiftshader)), (Some(4), None));
    for scalar in ScalarKind::ALL {
        for order in 1..=max_order(GpuKernel::Subgroup, scalar) {
            for smallest in [4, 8, 16, 32, 64, 128] {
                let plain = Variant::new(GpuKernel::Subgroup, scalar, Precision::Native, order as u32);
                for limits in [hardware(smallest, 128), software(smallest)] {
                    let variant = plain.suited(&limits);
                    if plan::gpu(Work { scalar, ..work(order, 1) }, &limits).unwrap().variant == variant {
                        fits(variant);
                    }
                    let KernelConfig::Subgroup(config) = variant.config else { panic!("{variant:?}") };
                    assert!(config.lanes.is_power_of_two() && config.lanes <= smallest, "{variant:?}");
                    let rows = config.rows(variant.order);
                    assert!(rows * config.lanes >= variant.order && variant.order <= 255, "{variant:?}");
                }
            }
        }
    }
}

/// On hardware, `thread` is limited by the registers that its matrix takes; on software, by `max_order`.
#[test]
fn registers_of_a_thread() {
    let limits = with(LIMITS, |limits| {
        limits.subgroups = Some((32, 32));
        limits.float64 = true;
    });
    use ScalarKind::{Complex64, Complex128, Float32, Float64};
    for (scalar, hardware, software) in [(Float32, 9, 12), (Float64, 6, 12), (Complex64, 6, 8), (Complex128, 4, 8)] {
        let kernel = |order, software| {
            plan::gpu(Work { scalar, ..work(order, 1) }, &with(limits, |limits| limits.software = software))
                .unwrap()
                .variant
                .kernel()
        };
        assert_eq!((kernel(hardware, false), kernel(hardware + 1, false)), (GpuKernel::Thread, GpuKernel::Subgroup));
        assert_eq!((kernel(software, true), kernel(software + 1, true)), (GpuKernel::Thread, GpuKernel::Subgroup));
    }
}

/// A lane of `subgroup` fits into the registers of hardware: its rows, and about forty that a step needs of float32 and
/// fifty of others. RADV crashes above 248 (RDNA 1 and 2, Mesa 22.3.6 to 25.0.7).
#[test]
fn registers_of_a_lane() {
    let each = |scalar| [4, 8, 16, 32, 64].map(|smallest| (scalar, smallest));
    for (scalar, smallest) in ScalarKind::ALL.into_iter().flat_map(each) {
        let limits = with(LIMITS, |limits| {
            limits.subgroups = Some((smallest, 64));
            limits.float64 = true;
        });
        for order in 1..=max_order(GpuKernel::Subgroup, scalar) {
            let variant = plan::gpu(Work { scalar, ..work(order, 1) }, &limits).unwrap().variant;
            let KernelConfig::Subgroup(config) = variant.config else { continue };
            let words = config.rows(variant.order) as usize * order * scalar.size() / 4;
            let most = if order <= 16 { 72 } else { 160 };
            assert!(words <= most, "{scalar} {order} with {config:?}: {words} words");
        }
    }
}

/// Subgroups that are smaller than a slice are not used.
#[test]
fn too_small_subgroups() {
    for software in [false, true] {
        let limits = with(LIMITS, |limits| {
            limits.subgroups = Some((2, 64));
            limits.software = software;
        });
        assert_eq!(plan::gpu(work(13, 1), &limits).unwrap().variant.kernel(), GpuKernel::Workgroup);
    }
}

/// Work is split into several submissions only if a driver's watchdog might end a single one.
#[test]
fn submissions_are_short() {
    let of = |order, len| plan::submissions(ScalarKind::Float32, order, len);
    assert_eq!([of(0, 3), of(4, 131_072), of(128, 128), of(4096, 1)], [1; 4]);
    assert_eq!([of(4097, 1), of(4096, 2), of(1024, 130), of(16_384, 1)], [2, 2, 3, 64]);
    let scalars = [ScalarKind::Complex64, ScalarKind::Float64, ScalarKind::Complex128];
    assert_eq!(scalars.map(|working| plan::submissions(working, 4096, 1)), [4, 16, 64]);
    let large = with(LIMITS, |limits| limits.binding_bytes = 2 << 30);
    assert_eq!(plan::gpu(work(8192, 3), &large).unwrap().submissions, 8);
    assert_eq!(gpu(4, 1_000_000).submissions, 1);
}

/// The tiles of an update in `device` cover every row and column, and no tile is empty.
#[test]
fn tiles_cover_a_matrix() {
    let software = with(LIMITS, |limits| limits.software = true);
    for scalar in ScalarKind::ALL {
        let pack = 4 * scalar.real_size() / scalar.size();
        for order in (1..=600).chain([1024, 4097, plan::DEVICE_MAX_ORDER as u32]) {
            for limits in [LIMITS, software] {
                let variant = Variant::new(GpuKernel::Device, scalar, Precision::Native, order).suited(&limits);
                let KernelConfig::Device(config) = variant.config else { panic!("{variant:?}") };
                let (tile, size) = (config.tile, variant.size());
                for columns in [config.outer_block, config.padded(order)] {
                    let [down, along] = config.update_workgroups(size, columns);
                    let (packs, width) = (columns / pack as u32, config.tile_packs(size, columns) * tile.line);
                    assert_eq!(down * tile.rows, config.padded(order), "{variant:?}");
                    assert!(
                        width <= tile.packs * tile.line && (along - 1) * width < packs && packs <= along * width,
                        "{variant:?}"
                    );
                }
            }
        }
    }
}

/// On hardware, the rows of a panel that an invocation holds fit into registers, or the panel has the width of a pack.
/// On software, where memory is no slower, panels stay wide.
#[test]
fn panels_fit_into_registers() {
    for (scalar, arithmetic) in arithmetics() {
        for order in (1..=1024).chain([1281, 2048, 4096, plan::DEVICE_MAX_ORDER as u32]) {
            let plain = Variant::new(GpuKernel::Device, scalar, Precision::Native, order).with_arithmetic(arithmetic);
            let panel = |limits| match plain.suited(&limits).config {
                KernelConfig::Device(config) => config,
                other => panic!("{other:?}"),
            };
            let (narrow, size) = (panel(LIMITS), plain.size());
            assert!(narrow.outer_block.is_multiple_of(narrow.block), "{size:?}");
            let words = narrow.rows(order) * narrow.block * size.words() as u32;
            let copied = arithmetic == Arithmetic::Pairs || plain.working_scalar() == ScalarKind::Complex128;
            let most = if copied { plan::DEVICE_COPIED_PANEL_WORDS } else { plan::DEVICE_PANEL_WORDS };
            assert!(words <= most || size.packs(narrow.block) == 1, "{size:?}: {words} words");
            // The next wider one would not.
            assert!(narrow.block == plan::DEVICE_BLOCK || 2 * words > most, "{size:?}: {words} words");
            assert_eq!(panel(with(LIMITS, |limits| limits.software = true)).block, plan::DEVICE_BLOCK);
        }
    }
}

/// A chunk of `device` has no more matrices than fit in its working memory.
#[test]
fn chunks_of_device_are_batches() {
    let limits = with(LIMITS, |limits| limits.software = true);
    let plan = plan::gpu(work(17, 100_000), &limits).unwrap();
    assert_eq!(
        (plan.variant.kernel(), plan.chunk_len),
        (GpuKernel::Device, plan.variant.batch(&limits).unwrap() as usize)
    );
    assert!(plan.chunk_len * 17 * 17 * 4 < plan::CHUNK_BYTES as usize);
}

/// Without subgroups, a software adapter uses `device` for the orders at which barriers make `workgroup` slow.
#[test]
fn few_barriers_in_software() {
    let kernel = |order, software| {
        plan::gpu(work(order, 1), &with(LIMITS, |limits| limits.software = software)).unwrap().variant.kernel()
    };
    let most = plan::SOFTWARE_WORKGROUP_ORDER;
    assert_eq!((kernel(most, true), kernel(most + 1, true)), (GpuKernel::Workgroup, GpuKernel::Device));
    assert_eq!((kernel(most, false), kernel(most + 1, false)), (GpuKernel::Workgroup, GpuKernel::Workgroup));
}

/// Asserts that a variant fits the default limits and that, in `workgroup`, the tiles cover a matrix
/// and none is empty.
fn fits(variant: Variant) {
    assert!((1..=LIMITS.invocations).contains(&variant.workgroup()), "{variant:?}");
    assert!(variant.workgroup_bytes() <= LIMITS.workgroup_bytes, "{variant:?}: {}", variant.workgroup_bytes());
    assert!((1..=plan::MAX_MATRICES).contains(&variant.matrices()), "{variant:?}");
    if let KernelConfig::Workgroup(config) = variant.config {
        let order = variant.order;
        for (tiles, side) in config.tiles(order).into_iter().zip([config.rows, config.columns]) {
            assert!(tiles * side >= order && (tiles - 1) * side < order, "{variant:?}");
        }
        let scalars = (config.rows * config.columns) as usize;
        assert!(scalars * variant.working_scalar().size() <= WORKGROUP_TILE_BYTES, "{variant:?}");
    }
}

#[test]
fn chunks_cover_the_stack_within_the_limits() {
    for order in (1..=20).chain([32, 63, 64, 65, 127, 128]) {
        for len in [0, 1, 2, 63, 64, 65, 65_535, 65_536, 65_537, 1_000_000, 100_000_000] {
            let plan = gpu(order, len);
            let bytes = (plan.chunk_len * order * order * 4) as u64;
            assert!(plan.chunk_len >= 1 && bytes <= LIMITS.binding_bytes);
            assert!(bytes <= plan::CHUNK_BYTES || plan.chunk_len == 1);
            assert_eq!(plan.chunks, len.div_ceil(plan.chunk_len));
            assert!((plan.chunk_len as u64).div_ceil(plan.variant.matrices().into()) <= LIMITS.workgroups.into());
            // Element indexes are 32 bits wide in the shaders.
            assert!(plan.chunk_len * order * order <= u32::MAX as usize);
        }
    }
}

#[test]
fn only_the_chunks_depend_on_the_length() {
    for order in [1, 4, 16, 17, 64, 65, 128] {
        let (short, long) = (gpu(order, 1), gpu(order, 1 << 24));
        assert_eq!((short.variant, short.chunk_len), (long.variant, long.chunk_len));
    }
    assert_eq!((gpu(4, 0).chunks, gpu(4, 1).chunks), (0, 1));
}

#[test]
fn smaller_limits_make_smaller_chunks() {
    let tight = with(LIMITS, |limits| {
        limits.binding_bytes = 1000;
        limits.workgroups = 3;
    });
    // 1000 bytes hold 15 matrices of order 4.
    assert_eq!(plan::gpu(work(4, 100), &tight).unwrap().chunk_len, 15);
    let few = with(LIMITS, |limits| limits.workgroups = 3);
    let plan = plan::gpu(work(4, 1000), &few).unwrap();
    assert_eq!(
        (plan.chunk_len, plan.chunks),
        (3 * plan.variant.matrices() as usize, 1000_usize.div_ceil(plan.chunk_len))
    );
}

#[test]
fn what_the_gpu_engine_refuses() {
    let beyond = plan::DEVICE_MAX_ORDER + 1;
    assert!(refusal(work(beyond, 3), &LIMITS).contains(&format!("order {beyond}")));
    // 128 MiB hold a matrix of order 5792, but its working memory does not fit.
    assert!(refusal(work(5792, 1), &LIMITS).contains("working memory"));
    assert!(refusal(work(5793, 1), &LIMITS).contains("5793"));
    assert!(plan::gpu(work(5744, 3), &LIMITS).is_ok() && plan::gpu(work(5745, 3), &LIMITS).is_err());
    assert!(refusal(work(usize::MAX, 3), &LIMITS).contains("order"));
    // 2 GiB hold a matrix of the largest order. Its 4,096 strips exceed a dimension of 4095 workgroups.
    let large = with(LIMITS, |limits| limits.binding_bytes = 2 << 30);
    assert!(plan::gpu(work(plan::DEVICE_MAX_ORDER, 1), &large).is_ok());
    let few = with(large, |limits| limits.workgroups = 4095);
    assert!(refusal(work(plan::DEVICE_MAX_ORDER, 1), &few).contains("4096 workgroups in a dimension"));
    for scalar in [ScalarKind::Float64, ScalarKind::Complex128] {
        assert!(refusal(Work { scalar, ..work(4, 3) }, &LIMITS).contains("float64"));
    }
    let double = Work { precision: Precision::Double, ..work(4, 3) };
    assert!(plan::gpu(double, &LIMITS).is_ok());
    assert!(refusal(work(128, 1), &with(LIMITS, |limits| limits.invocations = 128)).contains("128"));
    assert!(refusal(work(128, 1), &with(LIMITS, |limits| limits.workgroup_bytes = 64)).contains("64"));
    assert!(refusal(work(16, 1), &with(LIMITS, |limits| limits.binding_bytes = 1023)).contains("1023"));
    assert!(plan::gpu(work(16, 1), &with(LIMITS, |limits| limits.binding_bytes = 1024)).is_ok());
}

#[test]
fn working_scalars() {
    use ScalarKind::{Complex64, Complex128, Float32, Float64};
    for (scalar, double) in [(Float32, Float64), (Float64, Float64), (Complex64, Complex128), (Complex128, Complex128)]
    {
        let native = Work { scalar, ..work(4, 1) };
        assert_eq!(native.working_scalar(), scalar);
        assert_eq!(Work { precision: Precision::Double, ..native }.working_scalar(), double);
    }
}

#[test]
fn cpu_plan() {
    let tuning = CpuTuning::MEASURED;
    for scalar in ScalarKind::ALL {
        let most = plan::lanes_max_order(scalar);
        for order in 1..=300 {
            for len in [1, 1000] {
                let kernel = tuning.kernel(Work { scalar, ..work(order, len) });
                assert_eq!(kernel == CpuKernel::Lanes, order <= most, "{scalar} {order}");
                // Double precision chooses the kernel of the scalar that it computes in.
                let double = Work::inverse(scalar, order, len).with_precision(Precision::Double);
                let wide = Work { scalar: double.working_scalar(), ..work(order, len) };
                assert_eq!(tuning.kernel(double), tuning.kernel(wide));
            }
            assert_eq!(tuning.blocked_task_len(order, 0, 0), tuning.task_len(order));
            assert_eq!(tuning.blocked_task_len(order, 1 << 20, 2), (1 << 16).max(tuning.task_len(order)));
            let task = tuning.task_len(order);
            assert!(task >= 1 && (task < 16 || task.is_multiple_of(16)), "order {order}: {task}");
        }
    }
    // One matrix is never shared, nor are a few small ones; a long stack is.
    let shared = tuning.shared_min_order;
    assert!(!tuning.is_parallel(work(shared - 1, 1)) && !tuning.is_parallel(work(4, 10)));
    assert!(tuning.is_parallel(work(shared, 1)));
    let shares = |len| tuning.shares_columns(shared, len, 4);
    assert!(shares(1) && shares(3) && !shares(4) && !tuning.shares_columns(shared - 1, 1, 4));
    assert!(tuning.is_parallel(work(4, 1_000_000)) && tuning.is_parallel(work(usize::MAX, 2)));
}

/// Systems go to `lanes` if they fill them, and large ones are shared, however many right-hand sides they have.
#[test]
fn cpu_plans_of_systems() {
    use CpuKernel::{Blocked, Lanes};
    let facts = CpuFacts::new(4, 64);
    let shared = CpuTuning::MEASURED.shared_min_order;
    for (order, width, len, kernel, sharing) in [
        (4, 1, 7, Blocked, Sharing::None),
        (4, 1, 1_000_000, Lanes, Sharing::Tasks),
        (32, 1000, 1000, Blocked, Sharing::Tasks),
        (100, 1, 50, Blocked, Sharing::Tasks),
        (shared - 1, 1, 1, Blocked, Sharing::None),
        (shared, 1, 1, Blocked, Sharing::Columns),
        (shared, 100, 3, Blocked, Sharing::Columns),
        (shared, 1, 4, Blocked, Sharing::Tasks),
    ] {
        let solve = Work::solve(ScalarKind::Float32, order, width, len);
        for work in [solve, Work::det(ScalarKind::Float32, order, len)] {
            let plan = CpuPlan::new(work, &facts);
            assert!(plan.kernel == kernel || work.width == 0, "{work:?}: {plan:?}");
            assert_eq!(plan.sharing, sharing, "{work:?}");
            assert_eq!(CpuPlan::new(work, &CpuFacts::new(1, 64)).sharing, Sharing::None, "{work:?}");
        }
    }
}

/// The plan of the CPU engine as a table: on 4 threads with vectors of 64 bytes.
#[test]
fn cpu_plans() {
    use CpuKernel::{Blocked, Lanes, Rows};
    let facts = CpuFacts::new(4, 64);
    let shared = CpuTuning::MEASURED.shared_min_order;
    for (order, len, kernel, sharing) in [
        (0, 5, Lanes, Sharing::None),
        (4, 0, Lanes, Sharing::None),
        // Half of 16 lanes is enough for `lanes`, fewer matrices go to `rows`.
        (4, 7, Rows, Sharing::None),
        (4, 8, Lanes, Sharing::None),
        (4, 1_000_000, Lanes, Sharing::Tasks),
        (33, 1, Blocked, Sharing::None),
        (100, 50, Blocked, Sharing::Tasks),
        (shared, 3, Blocked, Sharing::Columns),
        (shared, 4, Blocked, Sharing::Tasks),
    ] {
        let plan = CpuPlan::new(work(order, len), &facts);
        assert_eq!((plan.kernel, plan.sharing), (kernel, sharing), "{len} of order {order}");
        let alone = CpuPlan::new(work(order, len), &CpuFacts::new(1, 64));
        assert_eq!((alone.kernel, alone.sharing), (kernel, Sharing::None), "{len} of order {order}");
    }
}

fn adapter(kind: AdapterKind) -> AdapterFacts {
    AdapterFacts::new("a name", kind, LIMITS)
}

/// The automatic choice, as a table.
#[test]
fn auto_choice() {
    use AdapterKind::{Discrete, Integrated, Other, Software, Virtual};
    use AutoPolicy::{HardwareOnly, SoftwareCounts};
    use Engine::{Cpu, Gpu};
    let large = work(32, 10_000);
    let systems = Work::solve(ScalarKind::Float32, 32, 3, 10_000);
    let table = [
        // Work, adapter, and policy; the engine chosen, and a word of the reason.
        (large, Some(Discrete), HardwareOnly, Gpu, "a name"),
        (large, Some(Integrated), HardwareOnly, Gpu, "a name"),
        (large, Some(Virtual), HardwareOnly, Gpu, "a name"),
        (large, Some(Other), HardwareOnly, Gpu, "a name"),
        (large, Some(Software), HardwareOnly, Cpu, "software"),
        (large, Some(Software), SoftwareCounts, Gpu, "a name"),
        (large, None, HardwareOnly, Cpu, "no GPU adapter"),
        (large, None, SoftwareCounts, Cpu, "no GPU adapter"),
        // Few or small matrices are not worth the transfer.
        (work(32, 1), Some(Discrete), HardwareOnly, Cpu, "not worth"),
        (work(plan::AUTO_MIN_ORDER - 1, 1 << 24), Some(Discrete), HardwareOnly, Cpu, "not worth"),
        (work(0, 10), Some(Discrete), SoftwareCounts, Cpu, "not worth"),
        (work(64, 0), Some(Discrete), SoftwareCounts, Cpu, "not worth"),
        // The smallest length that is worth it, and one matrix fewer.
        (work(16, plan::AUTO_MIN_ELEMENTS / 256), Some(Discrete), HardwareOnly, Gpu, "a name"),
        (work(16, plan::AUTO_MIN_ELEMENTS / 256 - 1), Some(Discrete), HardwareOnly, Cpu, "not worth"),
        // Large orders, and scalars that the adapter may lack.
        (work(129, 10_000), Some(Discrete), HardwareOnly, Gpu, "a name"),
        (work(1 << 15, 1), Some(Discrete), HardwareOnly, Cpu, "order 32768"),
        (Work { scalar: ScalarKind::Float64, ..large }, Some(Discrete), HardwareOnly, Cpu, "float64"),
        (Work { scalar: ScalarKind::Complex64, ..large }, Some(Discrete), HardwareOnly, Gpu, "a name"),
        // Double precision of float32 takes pairs there.
        (Work { precision: Precision::Double, ..large }, Some(Discrete), HardwareOnly, Gpu, "a name"),
        // A matrix for all systems is factored once, whatever the adapter.
        (systems.with_matrices(10_000), Some(Discrete), HardwareOnly, Gpu, "a name"),
        (systems.with_matrices(1), Some(Discrete), HardwareOnly, Cpu, "one matrix goes with all 10000"),
        (systems.with_matrices(1), Some(Software), SoftwareCounts, Cpu, "one matrix goes with all 10000"),
        (systems.with_matrices(1), None, HardwareOnly, Cpu, "one matrix goes with all 10000"),
        (Work { len: 1, ..systems }.with_matrices(1), Some(Discrete), HardwareOnly, Cpu, "not worth"),
        (Work { len: 1, order: 4096, ..systems }.with_matrices(1), Some(Discrete), HardwareOnly, Cpu, "order 4096"),
        // A few for many, as where shapes broadcast.
        (systems.with_matrices(2), Some(Discrete), HardwareOnly, Gpu, "a name"),
    ];
    for (work, kind, policy, engine, word) in table {
        let facts = kind.map(adapter);
        let choice = plan::choose(work, &CpuFacts::default(), facts.as_ref(), policy);
        let (chosen, reason) = (choice.engine(), choice.reason.expect("a reason").to_string());
        assert_eq!(chosen, engine, "{work:?} on {kind:?}, {policy:?}: {reason}");
        assert!(reason.contains(word), "{work:?} on {kind:?}: {reason}");
    }
    // An adapter that is too weak for the work.
    let weak = AdapterFacts::new("a name", Discrete, with(LIMITS, |limits| limits.invocations = 1));
    assert_eq!(plan::choose(large, &CpuFacts::default(), Some(&weak), HardwareOnly).engine(), Cpu);
    assert_eq!(AutoPolicy::default(), HardwareOnly);
}

/// Right-hand sides ride along in as few tiles of columns as registers and workgroups have room for, of equal width.
#[test]
fn right_hand_sides_ride_along() {
    for (software, smallest) in [(true, 4), (true, 8), (false, 8), (false, 16), (false, 32), (false, 64)] {
        let limits = with(LIMITS, |limits| {
            limits.float64 = true;
            (limits.software, limits.subgroups) = (software, Some((smallest, smallest)));
        });
        for scalar in ScalarKind::ALL {
            let most = max_order(GpuKernel::Workgroup, scalar);
            for (order, width) in (1..=most).flat_map(|order| [1, 2, 7, 8, 9, 64].map(|width| (order, width))) {
                let plan = match plan::gpu(Work::solve(scalar, order, width, 1000), &limits) {
                    // Mesa's driver silently ends a program that goes through more loops.
                    Err(error) if software && width > 8 => {
                        assert!(error.to_string().contains("a software driver takes at most"), "{error}");
                        continue;
                    }
                    plan => plan.unwrap(),
                };
                let variant = plan.variant;
                let (riding, tiles, width) = (variant.riding(), variant.tiles(), width as u32);
                assert!((1..=8).contains(&riding) && tiles * riding >= width, "{variant:?}");
                assert!((tiles - 1) * riding < width && tiles * riding - width < tiles, "{variant:?}");
                assert!(variant.workgroup_bytes() <= LIMITS.workgroup_bytes, "{variant:?}");
                let words = variant.order * (variant.order + riding) * scalar.size() as u32 / 4;
                match variant.config {
                    KernelConfig::Thread(_) => assert!(software || words <= 80, "{variant:?}"),
                    KernelConfig::Subgroup(config) if !software => {
                        let rows = config.rows(variant.order);
                        let words = rows * (variant.order + riding) * scalar.size() as u32 / 4;
                        assert!(words <= if smallest < 32 { 72 } else { 160 }, "{variant:?}: {words}");
                    }
                    _ => {}
                }
            }
            let work = Work::solve(scalar, most + 1, 1, 1);
            assert!(refusal(work, &limits).contains(&format!("above {most}")), "{scalar}");
        }
    }
    let wide = with(LIMITS, |limits| limits.binding_bytes = 4096);
    assert!(refusal(Work::solve(ScalarKind::Float32, 4, 300, 1), &wide).contains("300 columns takes 4800 bytes"));
    // The automatic choice knows no other threshold than that of the inverse.
    let facts = adapter(AdapterKind::Discrete);
    for (order, engine) in [(plan::AUTO_MIN_ORDER, Engine::Gpu), (plan::AUTO_MIN_ORDER - 1, Engine::Cpu)] {
        for work in
            [Work::solve(ScalarKind::Float32, order, 1, 1 << 20), Work::det(ScalarKind::Float32, order, 1 << 20)]
        {
            let choice = plan::choose(work, &CpuFacts::default(), Some(&facts), AutoPolicy::HardwareOnly);
            assert_eq!(choice.engine(), engine, "{work:?}");
        }
    }
}

/// Files, options, and output use the same names.
#[test]
fn names() {
    let kernels = [CpuKernel::Lanes, CpuKernel::Rows, CpuKernel::Blocked].map(CpuKernel::name);
    assert_eq!(kernels, ["lanes", "rows", "blocked"]);
    assert_eq!(GpuKernel::ALL.map(GpuKernel::name), ["thread", "subgroup", "workgroup", "device"]);
    assert_eq!([Engine::Cpu, Engine::Gpu].map(|engine| engine.to_string()), ["cpu", "gpu"]);
    for kind in ScalarKind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
        assert_eq!(format!("{kind:>12}").len(), 12);
    }
    assert!("float16".parse::<ScalarKind>().unwrap_err().to_string().contains("float16"));
}
