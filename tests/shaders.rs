//! Every shader that a plan can ask for parses and validates, and agrees with the host on everything that both must
//! know. The module is read by naga, not by eye.
#![cfg(feature = "gpu")]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use batchinv::gpu::shader_source;
use batchinv::plan::{self, COFACTORS_MAX_ORDER, GpuLimits, KernelConfig, Layout, Variant, max_order};
use batchinv::wgpu::naga;
use batchinv::{Arithmetic, GpuKernel, Op, Precision, Real, ScalarKind, Status};
use common::{arithmetics, with};
use naga::{AddressSpace, Literal, Module, StorageAccess};
use rayon::prelude::*;

fn variant(kernel: GpuKernel, scalar: ScalarKind, arithmetic: Arithmetic, order: u32) -> Variant {
    Variant::new(kernel, scalar, Precision::Native, order).with_arithmetic(arithmetic)
}

/// The largest order of a kernel that computes with these numbers.
fn most(kernel: GpuKernel, scalar: ScalarKind, arithmetic: Arithmetic) -> u32 {
    max_order(kernel, variant(kernel, scalar, arithmetic, 1).working_scalar()) as u32
}

/// Every kernel in every scalar and arithmetic, at many of its orders; a few with other layouts.
fn variants() -> Vec<Variant> {
    let mut variants = Vec::new();
    for (scalar, arithmetic) in arithmetics() {
        for kernel in GpuKernel::ALL {
            let most = most(kernel, scalar, arithmetic).min(300);
            // All orders of the small kernel, and orders between both ends of the others.
            let apart = if common::full_sweep() { 16 } else { 32 };
            let orders = (1..=most).filter(|&n| n <= 12 || n % apart < 2 || n == most);
            // Large enough that hardware gets panels of 4, 2 and 1 columns.
            let large = [1025, 4096].into_iter().filter(|_| kernel == GpuKernel::Device);
            let orders = orders.chain(large);
            for variant in orders.map(|order| variant(kernel, scalar, arithmetic, order)) {
                variants.push(variant);
                variants.extend(suited(variant).into_iter().filter(|&other| other != variant));
            }
        }
    }
    for kernel in GpuKernel::ALL {
        let variant = Variant::new(kernel, ScalarKind::Float32, Precision::Native, 5);
        let padded = Layout { offset: 3, matrix: 64, row: 1, column: 8 };
        variants.push(with(variant, |variant| variant.in_place = true));
        variants.push(with(variant, |variant| {
            variant.input = padded;
            variant.output = padded.transposed();
            variant.in_place = true;
        }));
    }
    // Orders whose rows or matrices are four elements, where they begin at multiples of four and elsewhere.
    for order in [2, 4] {
        let variant = Variant::new(GpuKernel::Thread, ScalarKind::Float32, Precision::Native, order);
        let layouts = [(0, 16, order), (8, 40, 8), (2, 40, 8), (8, 42, 8), (8, 40, 6)];
        for layout in layouts.map(|(offset, matrix, row)| Layout { offset, matrix, row, column: 1 }) {
            variants.push(with(variant, |variant| variant.output = layout));
            let in_place = with(variant, |variant| (variant.in_place, variant.output) = (true, layout));
            variants.push(in_place);
            variants.push(with(in_place, |variant| variant.input = layout));
            variants.push(with(variant, |variant| variant.output = layout.transposed()));
        }
    }
    let with_rcond: Vec<_> = variants.iter().map(|&variant| with(variant, |variant| variant.rcond = true)).collect();
    variants.extend(with_rcond);
    variants.extend(variants_of_other_operations());
    variants.into_iter().map(|variant| written_out(variant, false)).collect::<HashSet<_>>().into_iter().collect()
}

/// Cofactor matrices; and solutions and determinants by every kernel that has them, at some orders, with one and with
/// several tiles of columns, in every place.
fn variants_of_other_operations() -> Vec<Variant> {
    let mut variants = Vec::new();
    for (scalar, arithmetic) in arithmetics() {
        for order in 1..=COFACTORS_MAX_ORDER as u32 {
            let cofactors = variant(GpuKernel::Thread, scalar, arithmetic, order).with_op(Op::Cofactors, 0);
            variants.push(cofactors);
            variants.push(with(cofactors, |variant| variant.in_place = true));
        }
        for kernel in [GpuKernel::Thread, GpuKernel::Subgroup, GpuKernel::Workgroup] {
            let most = most(kernel, scalar, arithmetic);
            for order in [1, 2, 5, 8, 33, most].into_iter().filter(|&order| order <= most) {
                let plain = variant(kernel, scalar, arithmetic, order);
                variants.push(plain.with_op(Op::Det, 0));
                for width in [1, 9] {
                    let solve = plain.with_op(Op::Solve, width);
                    variants.push(solve);
                    variants.extend(suited(solve));
                    variants.push(with(solve, |variant| variant.det = true));
                }
            }
        }
    }
    for kernel in [GpuKernel::Thread, GpuKernel::Subgroup, GpuKernel::Workgroup] {
        let solve = Variant::new(kernel, ScalarKind::Float32, Precision::Native, 5).with_op(Op::Solve, 9);
        for (in_place, rhs_in_place) in [(true, false), (false, true), (true, true)] {
            variants.push(with(solve, |variant| {
                (variant.in_place, variant.rhs_in_place) = (in_place, rhs_in_place);
                variant.rhs = Layout { offset: 25, matrix: 70, row: 9, column: 1 };
                variant.output = variant.rhs;
                variant.input.matrix = 70;
            }));
        }
    }
    variants
}

/// The same variant with its loops written out or not. What is in a text does not depend on that, but its length does.
fn written_out(mut variant: Variant, yes: bool) -> Variant {
    match &mut variant.config {
        KernelConfig::Thread(config) => config.written_out = yes,
        KernelConfig::Subgroup(config) => config.written_out = yes,
        KernelConfig::Workgroup(config) => config.written_out = yes,
        _ => {}
    }
    variant
}

/// The variants fitted to software and hardware with subgroups of several sizes.
fn suited(variant: Variant) -> HashSet<Variant> {
    let sizes = [(8, 8), (16, 32), (32, 32), (64, 64)];
    let both = sizes.iter().flat_map(|&sizes| [false, true].map(|software| (sizes, software)));
    both.map(|(sizes, software)| {
        variant.suited(&with(GpuLimits::WEBGPU_DEFAULT, |limits| {
            limits.subgroups = Some(sizes);
            limits.software = software;
        }))
    })
    .collect()
}

fn parse(variant: Variant) -> (Module, String) {
    parsed(variant, shader_source(variant))
}

fn parsed(variant: Variant, source: String) -> (Module, String) {
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{variant:?}: {}", error.emit_to_string(&source)));
    (module, source)
}

/// Each text that is compiled for every variant, and written out at some orders.
fn texts() -> Vec<(Variant, String)> {
    let mut texts = Vec::new();
    let some = |variant: &Variant| [1, 2, 3, 5, 8, 9, 12, 16, 33, 64, 65, 128].contains(&variant.order);
    let long: Vec<_> = variants().into_iter().filter(some).map(|variant| written_out(variant, true)).collect();
    for variant in variants().into_iter().chain(long) {
        texts.push((variant, shader_source(variant)));
        #[cfg(feature = "testing")]
        if let Some(step) = variant.steps().into_iter().find(|step| step.program.name == "within") {
            texts.push((variant, batchinv::gpu::program_source(step.program, variant)));
        }
    }
    texts
}

/// The scalar constants, by name.
fn constants(module: &Module) -> BTreeMap<String, i128> {
    let mut constants = BTreeMap::new();
    for (_, constant) in module.constants.iter() {
        let naga::Expression::Literal(literal) = module.global_expressions[constant.init] else { continue };
        let value = match literal {
            Literal::U32(value) => value.into(),
            Literal::I32(value) => value.into(),
            Literal::U64(value) => value.into(),
            Literal::AbstractInt(value) => value.into(),
            _ => continue,
        };
        constants.insert(constant.name.clone().unwrap_or_default(), value);
    }
    constants
}

/// No capability beyond the defaults is needed, and so no optional feature of a device, except float64 and subgroups.
#[test]
fn all_validate() {
    texts().into_par_iter().for_each(|(variant, source)| {
        let (module, source) = parsed(variant, source);
        use naga::valid::Capabilities;
        let float64 = Capabilities::FLOAT64 | Capabilities::SHADER_INT64;
        let mut capabilities = if variant.needs_float64() { float64 } else { Capabilities::empty() };
        capabilities.set(Capabilities::SUBGROUP, variant.kernel() == GpuKernel::Subgroup);
        let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities);
        if variant.kernel() == GpuKernel::Subgroup {
            use naga::valid::{ShaderStages, SubgroupOperationSet as Operations};
            // Only shuffles, and a vote on what all lanes then do: a reduction would run over matrices that share a
            // subgroup.
            validator.subgroup_stages(ShaderStages::COMPUTE);
            validator.subgroup_operations(Operations::SHUFFLE | Operations::SHUFFLE_RELATIVE | Operations::VOTE);
        }
        // Every loop with an unconditional mark was understood.
        assert!(written_out(variant, false) == variant || !source.contains("{ // written out\n"), "{variant:?}");
        if let Err(error) = validator.validate(&module) {
            panic!("{variant:?}: {}", error.emit_to_string(&source));
        }
        assert!(!source.contains("enable "), "{variant:?} enables an extension");
    });
}

#[test]
fn entry_points_of_the_plans_size() {
    for variant in variants() {
        let (module, _) = parse(variant);
        let entries: Vec<_> =
            module.entry_points.iter().map(|entry| (entry.name.as_str(), entry.workgroup_size)).collect();
        let team = [variant.workgroup(), 1, 1];
        let wanted = match variant.config {
            KernelConfig::Device(config) => {
                let line = [config.tile.line, 1, 1];
                let before = [("load_rows", team), ("scale", team), ("scale_columns", team)];
                let after = [("sum_columns", team), ("store_rows", team), ("finish", team)];
                [&before[..], &[("panel", team), ("update", line)], &after].concat()
            }
            _ => vec![("main", team)],
        };
        assert_eq!(entries, wanted, "{variant:?}");
        assert!(module.entry_points.iter().all(|entry| entry.stage == naga::ShaderStage::Compute));
    }
}

#[test]
fn constants_are_the_hosts() {
    for variant in variants() {
        let constants = constants(&parse(variant).0);
        let of = |name: &str| *constants.get(name).unwrap_or_else(|| panic!("{variant:?}: no constant {name}"));
        assert_eq!(of("INVERTED"), Status::INVERTED.word().into());
        assert_eq!(of("NOT_FINITE"), Status::NOT_FINITE.word().into());
        assert_eq!(of("N"), variant.order.into());
        assert_eq!(of("MATRICES"), variant.matrices().into());
        let order = variant.order;
        match variant.config {
            KernelConfig::Device(config) => {
                assert_eq!(of("PADDED"), config.padded(order).into());
                assert_eq!(of("PITCH"), config.pitch(order).into());
                assert_eq!(of("ROWS"), config.rows(order).into());
                assert_eq!(of("PLACE"), plan::DEVICE_MAX_ORDER as i128);
                assert_eq!(of("BLOCK"), config.block.into());
                // The working memory and the state of one matrix.
                let [work, state] = variant.scratch().unwrap();
                assert_eq!(of("REGION"), i128::from(work) / variant.working_scalar().size() as i128);
                assert_eq!(of("STATE"), i128::from(state) / 4);
                assert!(of("NORMS") + 2 * of("STRIPS") <= of("REGION"), "{variant:?}");
                assert_eq!((of("PADDED") % of("TILE_ROWS"), of("OUTER") % of("BLOCK")), (0, 0));
            }
            KernelConfig::Subgroup(config) => {
                assert_eq!(of("LANES"), config.lanes.into());
                assert_eq!(of("ROWS"), config.rows(order).into());
                assert_eq!(1 << of("LANE_BITS"), of("LANES"));
                assert_eq!((of("PADDED") % of("STEPS"), of("ROUNDS") * of("STEPS")), (0, of("PADDED")));
            }
            KernelConfig::Workgroup(config) => {
                let tiles = ["TILES_DOWN", "TILES_ACROSS"].map(&of);
                assert_eq!(tiles, config.tiles(order).map(i128::from));
                assert_eq!([of("ROWS"), of("COLUMNS")], [config.rows, config.columns].map(i128::from));
            }
            _ => {}
        }
        assert_eq!(of("WORKGROUP"), variant.workgroup().into());
        assert_eq!([of("WIDTH"), of("RIDING")], [variant.width, variant.riding()].map(i128::from));
        assert!(of("TILES") * of("RIDING") >= of("WIDTH"), "{variant:?}");
        for (layout, name) in [(variant.input, "INPUT"), (variant.output, "OUTPUT"), (variant.rhs, "RHS")] {
            let Layout { offset, matrix, row, column } = layout;
            for (value, what) in [(offset, "OFFSET"), (matrix, "MATRIX"), (row, "ROW"), (column, "COLUMN")] {
                assert_eq!(of(&format!("{name}_{what}")), value.into(), "{variant:?}");
            }
        }
        match variant.arithmetic {
            Arithmetic::Float64 => scalar_constants::<f64, _>(&of, f64::to_bits, f64::WINDOW),
            Arithmetic::Float32 => scalar_constants::<f32, _>(&of, f32::to_bits, f32::WINDOW),
            // 2^-30 and 2^30, so that the errors of products stay above 2^-108.
            _ => scalar_constants::<f32, _>(&of, f32::to_bits, 30),
        }
    }
}

fn scalar_constants<R: Real, B: TryInto<i128>>(of: &dyn Fn(&str) -> i128, bits: fn(R) -> B, window: i32) {
    let bits = |x: R| bits(x).try_into().ok().unwrap();
    let power = |e: i32| R::from_f64(2.0_f64.powi(e));
    assert_eq!(of("NAN_BITS"), bits(R::NAN));
    assert_eq!(of("WINDOW"), window.into());
    assert_eq!(of("LOW"), bits(power(-window)));
    assert_eq!(of("HIGH"), bits(power(window)));
    assert_eq!(of("INFINITE"), bits(R::from_f64(f64::INFINITY)));
    assert_eq!(of("LARGEST_PIVOT"), bits(power(-R::MIN_EXPONENT)));
    assert_eq!(of("MIN_EXPONENT"), R::MIN_EXPONENT.into());
    assert_eq!(of("BIAS"), (1 - R::MIN_EXPONENT).into());
    assert_eq!(of("FRACTION_WIDTH"), (-R::EPS.log2() - 1.0) as i128);
    assert_eq!(of("SIGN"), bits(power(0)) ^ bits(power(0).neg()));
    assert_eq!(of("MAGNITUDE"), of("SIGN") - 1);
    assert_eq!(of("FRACTION"), (1 << of("FRACTION_WIDTH")) - 1);
}

/// Returns whether an inverse in `thread` consists of neighbors in fours that begin at multiples of four, and the input
/// ends where it does if it shares its buffer.
fn stores_four(variant: Variant) -> bool {
    let Variant { order: n, scalar, output: Layout { offset, matrix, row, column }, .. } = variant;
    let place = |e: u32| offset + e / (n * n) * matrix + e / n % n * row + e % n * column;
    let places: Vec<u32> = (0..4 * n * n).map(place).collect();
    let fours = places.chunks(4).all(|four| four[0] % 4 == 0 && four.windows(2).all(|pair| pair[1] == pair[0] + 1));
    let real = matches!(scalar, ScalarKind::Float32 | ScalarKind::Float64);
    let ends_with_it = [variant.output, variant.output.transposed()].contains(&variant.input);
    let thread = variant.kernel() == GpuKernel::Thread && variant.op == Op::Inverse;
    thread && real && [2, 4].contains(&n) && fours && (!variant.in_place || ends_with_it)
}

/// One group: 0 input, 1 output, 2 statuses, 3 counts, and of `device` 4 and 5 working memory and state, 6 rconds, 7
/// right-hand sides, 8 determinants; what each may be used for; and no more storage buffers than every device binds.
#[test]
fn bindings_are_the_hosts() {
    let mut by_four = BTreeSet::new();
    for variant in variants() {
        let (module, _) = parse(variant);
        let mut bindings = BTreeSet::new();
        for (_, variable) in module.global_variables.iter() {
            if let Some(binding) = &variable.binding {
                assert_eq!(binding.group, 0);
                let space = match variable.space {
                    AddressSpace::Storage { access } if access == StorageAccess::LOAD => "read",
                    AddressSpace::Storage { .. } => "read_write",
                    AddressSpace::Uniform => "uniform",
                    other => panic!("{other:?}"),
                };
                bindings.insert((binding.binding, variable.name.clone().unwrap(), space));
            }
        }
        let mut wanted = vec![(2, "statuses", "read_write"), (3, "params", "uniform")];
        if !variant.in_place {
            wanted.push((0, "input", "read"));
        }
        if variant.op != Op::Det {
            wanted.push((1, "output", "read_write"));
        }
        if variant.op == Op::Solve && !variant.rhs_in_place {
            wanted.push((7, "rhs", "read"));
        }
        if variant.det {
            wanted.push((8, "dets", "read_write"));
        }
        if variant.kernel() == GpuKernel::Device {
            // Working memory, by scalars and by packs.
            wanted.extend([(4, "work", "read_write"), (4, "packs", "read_write"), (5, "state", "read_write")]);
        }
        if variant.rcond {
            wanted.push((6, "rconds", "read_write"));
        }
        let wanted: BTreeSet<_> =
            wanted.into_iter().map(|(binding, name, space)| (binding, name.to_owned(), space)).collect();
        let storage: BTreeSet<_> =
            bindings.iter().filter(|(.., space)| *space != "uniform").map(|(binding, ..)| binding).collect();
        let most = batchinv::wgpu::Limits::default().max_storage_buffers_per_shader_stage as usize;
        assert!(storage.len() <= most, "{variant:?} binds {} storage buffers", storage.len());
        assert_eq!(bindings, wanted, "{variant:?}");
        // Params fit the 16 bytes that the host writes; an element of the stack is one word, or four of an inverse.
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        for (_, variable) in module.global_variables.iter() {
            match variable.name.as_deref() {
                Some("params") => assert!(layouter[variable.ty].size <= 16),
                Some(name @ ("input" | "output" | "rhs" | "dets")) => {
                    let naga::TypeInner::Array { stride, .. } = module.types[variable.ty].inner else {
                        panic!("{variant:?}: not an array")
                    };
                    let elements = stride as usize / variant.scalar.size();
                    assert_eq!(stride as usize, elements * variant.scalar.size(), "{variant:?}: {name}");
                    let four = name == "output" && stores_four(variant);
                    assert_eq!(elements, if four { 4 } else { 1 }, "{variant:?}: {name}");
                    by_four.extend(four.then_some(variant.order));
                }
                _ => {}
            }
        }
    }
    assert_eq!(by_four, BTreeSet::from([2, 4]), "orders whose inverses are stored four elements at a time");
}

/// Workgroup memory as naga lays it out is no more than the plan counts with, and the plan stays within 16 KiB.
#[test]
fn workgroup_memory_is_the_plans() {
    for variant in variants() {
        let (module, _) = parse(variant);
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let used: u32 = module
            .global_variables
            .iter()
            .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
            .map(|(_, variable)| layouter[variable.ty].size)
            .sum();
        assert_eq!(used, variant.workgroup_bytes(), "{variant:?}");
        assert!(used <= GpuLimits::WEBGPU_DEFAULT.workgroup_bytes, "{variant:?} uses {used} bytes");
    }
}

/// What a program does to the matrices and inverses in memory, and how its invocations wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Load,
    Store,
    StorageBarrier,
    Shuffle,
}

/// The events of a block in the order of the text, with those of the functions that it calls.
fn events(module: &Module, function: &naga::Function, block: &naga::Block, found: &mut Vec<Event>) {
    use naga::Statement;
    for statement in block {
        match statement {
            Statement::Block(inner) => events(module, function, inner, found),
            Statement::If { accept: first, reject: second, .. }
            | Statement::Loop { body: first, continuing: second, .. } => {
                events(module, function, first, found);
                events(module, function, second, found);
            }
            Statement::Switch { cases, .. } => {
                cases.iter().for_each(|case| events(module, function, &case.body, found));
            }
            Statement::ControlBarrier(barrier) if barrier.contains(naga::Barrier::STORAGE) => {
                found.push(Event::StorageBarrier);
            }
            Statement::SubgroupGather { .. } => found.push(Event::Shuffle),
            Statement::Store { pointer, .. } if stands_in_output(module, function, *pointer) => {
                found.push(Event::Store);
            }
            Statement::Call { function: called, .. } => {
                let called = &module.functions[*called];
                match called.name.as_deref() {
                    Some("load" | "riding") => found.push(Event::Load),
                    _ => events(module, called, &called.body, found),
                }
            }
            _ => {}
        }
    }
}

/// Returns whether a pointer leads to an element of the output.
fn stands_in_output(module: &Module, function: &naga::Function, pointer: naga::Handle<naga::Expression>) -> bool {
    match function.expressions[pointer] {
        naga::Expression::Access { base, .. } | naga::Expression::AccessIndex { base, .. } => {
            stands_in_output(module, function, base)
        }
        naga::Expression::GlobalVariable(variable) => {
            module.global_variables[variable].name.as_deref() == Some("output")
        }
        _ => false,
    }
}

/// In place, an invocation may store what another has loaded. Every program loads first, and between the last load and
/// the first store all invocations of a matrix wait for each other, unless there is only one.
#[test]
fn loads_come_before_stores() {
    for variant in variants().into_iter().filter(|variant| variant.in_place || variant.rhs_in_place) {
        let wait = match variant.kernel() {
            GpuKernel::Thread => None,
            GpuKernel::Subgroup => Some(Event::Shuffle),
            _ => Some(Event::StorageBarrier),
        };
        let (module, _) = parse(variant);
        for entry in &module.entry_points {
            let mut found = Vec::new();
            events(&module, &entry.function, &entry.function.body, &mut found);
            let last_load = found.iter().rposition(|&event| event == Event::Load);
            let first_store = found.iter().position(|&event| event == Event::Store);
            let (Some(last_load), Some(first_store)) = (last_load, first_store) else { continue };
            let name = &entry.name;
            assert!(last_load < first_store, "{variant:?}: {name} loads after it has stored");
            let between = &found[last_load..first_store];
            assert!(wait.is_none_or(|wait| between.contains(&wait)), "{variant:?}: {name} does not wait");
        }
    }
}

/// Kernels know no scalar, scalars know no kernel, and only the layout knows an address.
#[test]
fn rooms_are_kept_apart() {
    for kernel in GpuKernel::ALL {
        let path = format!("{}/shaders/kernel/{kernel}.wgsl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let code: String = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        for word in ["f32", "f64", "bitcast", "@binding(0)", "@binding(1)", "NAN_BITS"] {
            assert!(!code.contains(word), "{kernel} names {word}");
        }
        // The kernel stands first and its loops are written out in their own lines, so that line numbers in an error
        // are the file's own.
        let variant = Variant::new(kernel, ScalarKind::Float32, Precision::Native, 9);
        // Functions that an operation does not call are left out, their lines are not.
        let variant = if kernel == GpuKernel::Device { variant } else { variant.with_op(Op::Solve, 1) };
        let source = shader_source(written_out(variant, true));
        let same = text.lines().zip(source.lines()).filter(|(own, compiled)| own == compiled).count();
        assert!(source.lines().nth(text.lines().count() - 1) == text.lines().last());
        assert!(same > text.lines().count() / 2, "{kernel}: {same} lines stay");
    }
}
