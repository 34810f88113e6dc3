//! Every shader that a plan can ask for parses and validates, and says the same as the host in whatever both must
//! know: read from the module by naga, not by eye.
#![cfg(feature = "gpu")]

use std::collections::BTreeMap;

use batchinv::gpu::shader_source;
use batchinv::plan::{self, GpuLimits, Variant, WORKGROUP_MAX_ORDER, Work};
use batchinv::wgpu::naga;
use batchinv::{Kernel, Precision, Scalar, ScalarKind, Status};
use naga::{AddressSpace, Literal, Module, StorageAccess};

/// The plan's variants of every order, and `workgroup` also where the plan prefers `thread`.
fn variants() -> Vec<Variant> {
    let mut variants = Vec::new();
    for order in 1..=WORKGROUP_MAX_ORDER {
        let work = Work { scalar: ScalarKind::Float32, precision: Precision::Native, order, len: 1 };
        let variant = plan::gpu(work, &GpuLimits::WEBGPU_DEFAULT).unwrap().variant;
        variants.push(variant);
        if variant.kernel == Kernel::Thread {
            let matrices = (plan::WORKGROUP_INVOCATIONS / order as u32).max(1);
            variants.push(Variant { kernel: Kernel::Workgroup, matrices, parts: 1, ..variant });
        }
    }
    variants
}

fn parse(variant: Variant) -> (Module, String) {
    let source = shader_source(variant).expect("a shader for each variant of the plan");
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{variant:?}: {}", error.emit_to_string(&source)));
    (module, source)
}

/// The scalar constants, by name.
fn constants(module: &Module) -> BTreeMap<String, i64> {
    let mut constants = BTreeMap::new();
    for (_, constant) in module.constants.iter() {
        let naga::Expression::Literal(literal) = module.global_expressions[constant.init] else { continue };
        let value = match literal {
            Literal::U32(value) => value.into(),
            Literal::I32(value) => value.into(),
            Literal::AbstractInt(value) => value,
            _ => continue,
        };
        constants.insert(constant.name.clone().unwrap_or_default(), value);
    }
    constants
}

/// With no capability beyond the defaults, so with no optional feature of a device.
#[test]
fn all_validate() {
    for variant in variants() {
        let (module, source) = parse(variant);
        let mut validator =
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        if let Err(error) = validator.validate(&module) {
            panic!("{variant:?}: {}", error.emit_to_string(&source));
        }
        assert!(!source.contains("enable "), "{variant:?} enables an extension");
    }
}

#[test]
fn one_entry_point_of_the_plans_size() {
    for variant in variants() {
        let (module, _) = parse(variant);
        let [entry] = &module.entry_points[..] else { panic!("{variant:?}: not one entry point") };
        assert_eq!((entry.name.as_str(), entry.stage), ("main", naga::ShaderStage::Compute));
        assert_eq!(entry.workgroup_size, [variant.workgroup(), 1, 1], "{variant:?}");
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
        assert_eq!(of("MATRICES"), variant.matrices.into());
        assert_eq!(of("PARTS"), variant.parts.into());
        assert_eq!(of("COLUMNS"), variant.columns().into());
        assert_eq!(of("WORKGROUP"), variant.workgroup().into());
        // The scalar's.
        assert_eq!(variant.scalar, ScalarKind::Float32);
        let bits = |x: f32| i64::from(x.to_bits());
        let window = <f32 as batchinv::Real>::WINDOW;
        assert_eq!(of("NAN_WORD"), bits(<f32 as Scalar>::NAN));
        assert_eq!(of("WINDOW"), window.into());
        assert_eq!(of("LOW"), bits(2.0_f32.powi(-window)));
        assert_eq!(of("HIGH"), bits(2.0_f32.powi(window)));
        assert_eq!(of("INFINITE"), bits(f32::INFINITY));
        assert_eq!(of("MAGNITUDE"), 0x7fff_ffff);
        assert_eq!(of("MIN_EXPONENT"), <f32 as batchinv::Real>::MIN_EXPONENT.into());
    }
}

/// 0 input, 1 output, 2 statuses, 3 the length: one group, and what each may be used for.
#[test]
fn bindings_are_the_hosts() {
    for variant in variants() {
        let (module, _) = parse(variant);
        let mut bindings = BTreeMap::new();
        for (_, variable) in module.global_variables.iter() {
            if let Some(binding) = &variable.binding {
                assert_eq!(binding.group, 0);
                let space = match variable.space {
                    AddressSpace::Storage { access } if access == StorageAccess::LOAD => "read",
                    AddressSpace::Storage { .. } => "read_write",
                    AddressSpace::Uniform => "uniform",
                    other => panic!("{other:?}"),
                };
                bindings.insert(binding.binding, (variable.name.clone().unwrap(), space));
            }
        }
        let wanted = [("input", "read"), ("output", "read_write"), ("statuses", "read_write"), ("params", "uniform")];
        let wanted = wanted.into_iter().enumerate();
        let wanted: BTreeMap<_, _> =
            wanted.map(|(index, (name, space))| (index as u32, (name.to_owned(), space))).collect();
        assert_eq!(bindings, wanted, "{variant:?}");
        // Params fit the 16 bytes that the host writes; an element of the stack is one word.
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        for (_, variable) in module.global_variables.iter() {
            match variable.name.as_deref() {
                Some("params") => assert!(layouter[variable.ty].size <= 16),
                Some("input" | "output") => {
                    let naga::TypeInner::Array { stride, .. } = module.types[variable.ty].inner else {
                        panic!("{variant:?}: not an array")
                    };
                    assert_eq!(stride as usize, variant.scalar.size());
                }
                _ => {}
            }
        }
    }
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

/// Kernels know no scalar, scalars know no kernel, and only the layout knows an address.
#[test]
fn rooms_are_kept_apart() {
    let variant = variants()[0];
    assert!(shader_source(Variant { kernel: Kernel::Lanes, ..variant }).is_none());
    for scalar in [ScalarKind::Float64, ScalarKind::Complex64, ScalarKind::Complex128] {
        assert!(shader_source(Variant { scalar, ..variant }).is_none(), "{scalar} has a shader now: test it");
    }
    for kernel in ["thread", "workgroup"] {
        let path = format!("{}/shaders/kernel/{kernel}.wgsl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let code: String = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        for word in ["f32", "f64", "bitcast", "@binding", "NAN_BITS"] {
            assert!(!code.contains(word), "{kernel} names {word}");
        }
        // The kernel stands first, so that line numbers in an error are the file's own.
        let variant = variants().into_iter().find(|variant| variant.kernel.name() == kernel).unwrap();
        assert!(shader_source(variant).unwrap().starts_with(&text));
    }
}
