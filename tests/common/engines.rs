//! Every engine under test, and the record of what ran.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, OnceLock};

use batchinv::{CpuKernel, Inverses, Inverter, Kernel, Precision, Scalar, SimdLevel, Stack, invert_reference};

use super::Element;

/// The result of one call of an engine.
#[derive(Clone, Debug)]
pub struct Outcome<T: Scalar> {
    pub elements: Vec<T>,
    pub statuses: Vec<i32>,
    pub rconds: Option<Vec<T::Real>>,
    /// The error allowed in rcond, in units of roundoff.
    pub rcond_slack: f64,
}

/// The CPU sums norms in float64 and rounds rcond once. A GPU sums them in its working precision, with n - 1
/// roundings per norm, and a few more for moduli, product, and reciprocal.
fn rcond_slack(engine: batchinv::Engine, order: usize) -> f64 {
    if engine == batchinv::Engine::Cpu { 1.0 } else { 2.0 * order as f64 + 8.0 }
}

impl<T: Scalar> From<Inverses<T>> for Outcome<T> {
    fn from(inverses: Inverses<T>) -> Self {
        Self {
            elements: inverses.stack().elements().to_vec(),
            statuses: inverses.statuses().iter().map(|status| status.word()).collect(),
            rconds: inverses.rconds().map(<[_]>::to_vec),
            rcond_slack: rcond_slack(inverses.report().engine, inverses.stack().order()),
        }
    }
}

impl<T: Element> Outcome<T> {
    /// The bits of the elements, and the statuses, which may depend on nothing but the matrix.
    pub fn bits(&self) -> (Vec<[u64; 2]>, &[i32]) {
        (super::bits(&self.elements), &self.statuses)
    }
}

/// One way to invert a stack.
pub struct Engine<T: Scalar> {
    /// The name in messages, with the SIMD level or the kernel.
    pub name: String,
    /// The name in the record of what ran: `cpu`, or the adapter's word.
    pub adapter: String,
    promise: &'static str,
    #[allow(clippy::type_complexity, reason = "named once, here")]
    run: Box<dyn Fn(Stack<'_, T>) -> (Outcome<T>, Kernel) + Send + Sync>,
}

impl<T: Scalar> Engine<T> {
    /// Inverts a stack, with rcond, and records that it did.
    pub fn invert(&self, stack: Stack<'_, T>) -> Outcome<T> {
        let (outcome, kernel) = (self.run)(stack);
        record(&self.adapter, kernel.name(), T::KIND.name(), self.promise, "ran");
        outcome
    }
}

/// Inverts a stack with the reference, matrix by matrix.
pub fn reference<T: Scalar>(stack: Stack<'_, T>) -> Outcome<T> {
    let mut elements = vec![T::ZERO; stack.elements().len()];
    let size = stack.order() * stack.order();
    let statuses = (0..stack.len())
        .map(|m| invert_reference(stack.matrix(m), stack.order(), &mut elements[m * size..][..size]).word())
        .collect();
    Outcome { elements, statuses, rconds: None, rcond_slack: 0.0 }
}

fn inverter<T: Scalar>(name: String, adapter: &str, promise: &'static str, inverter: Inverter) -> Engine<T> {
    let run = move |stack: Stack<'_, T>| {
        let inverses = inverter.invert(stack).expect("an engine that takes the work");
        let mut kernel = inverses.report().kernel;
        if kernel == Kernel::Cpu(CpuKernel::Rows) {
            // A group that does not fill the lanes runs in another kernel. That depends on the SIMD level, and the
            // record must not.
            kernel = Kernel::Cpu(CpuKernel::Lanes);
        }
        (inverses.into(), kernel)
    };
    Engine { name, adapter: adapter.to_owned(), promise, run: Box::new(run) }
}

/// The CPU engine at each SIMD level of the machine, in the scalar's own precision.
pub fn cpu<T: Scalar>(promise: &'static str) -> Vec<Engine<T>> {
    SimdLevel::all()
        .into_iter()
        .map(|level| {
            let name = format!("cpu {}", level.name());
            inverter(name, "cpu", promise, Inverter::cpu().simd_level(level).rcond(true))
        })
        .collect()
}

/// The CPU engine at each SIMD level, in double precision.
pub fn cpu_double<T: Scalar>(promise: &'static str) -> Vec<Engine<T>> {
    SimdLevel::all()
        .into_iter()
        .map(|level| {
            let name = format!("cpu {} double", level.name());
            let double = Inverter::cpu().simd_level(level).rcond(true).precision(Precision::Double);
            inverter(name, "cpu", promise, double)
        })
        .collect()
}

/// Every engine that can do this scalar at this order: the CPU's SIMD levels and each adapter's kernels.
pub fn all<T: Element>(order: usize, promise: &'static str) -> Vec<Engine<T>> {
    let mut engines = cpu(promise);
    engines.extend(gpu(order, promise));
    engines
}

#[cfg(not(all(feature = "gpu", feature = "testing")))]
pub fn gpu<T: Element>(_: usize, _: &'static str) -> Vec<Engine<T>> {
    Vec::new()
}

#[cfg(not(all(feature = "gpu", feature = "testing")))]
pub fn gpu_double<T: Element>(_: usize, _: &'static str) -> Vec<Engine<T>> {
    Vec::new()
}

#[cfg(not(all(feature = "gpu", feature = "testing")))]
pub fn gpu_inverters<T: Element>(_: batchinv::plan::Work, _: &'static str) -> Vec<(String, Inverter)> {
    Vec::new()
}

#[cfg(all(feature = "gpu", feature = "testing"))]
#[allow(unused_imports, reason = "each test file uses its own part")]
pub use with_gpu::{
    Adapter, adapters, forced, forms, gpu, gpu_double, gpu_inverters, invert_with, others, own_device, pairs, variant,
};

#[cfg(all(feature = "gpu", feature = "testing"))]
mod with_gpu {
    use batchinv::gpu::GpuInverter;
    use batchinv::plan::{self, GpuLimits, KernelConfig, Variant, Work};
    use batchinv::{Error, GpuKernel, InversesMut, Op, Report, Status, wgpu};

    use super::*;

    /// An adapter, opened once per process.
    pub struct Adapter {
        /// A name that does not vary between machines: a software driver's name, or else the kind of adapter.
        pub word: String,
        pub gpu: GpuInverter,
    }

    /// Every adapter that opens. If there is none, prints that the test is skipped, or
    /// fails if BATCHINV_REQUIRE_GPU is 1.
    #[allow(clippy::print_stderr, reason = "a skipped test says so")]
    pub fn adapters(promise: &'static str) -> &'static [Adapter] {
        static OPENED: OnceLock<Vec<Adapter>> = OnceLock::new();
        let opened = OPENED.get_or_init(|| {
            let mut names = BTreeSet::new();
            let found = batchinv::gpu::adapters().into_iter().filter(|facts| names.insert(facts.name.clone()));
            let open = |facts: plan::AdapterFacts| {
                let name = facts.name.to_lowercase();
                let software = [("llvmpipe", "lavapipe"), ("swiftshader", "swiftshader")];
                let word = software.iter().find(|(part, _)| name.contains(part));
                let word = word.map_or(facts.kind.name(), |(_, word)| word).to_owned();
                Some(Adapter { word, gpu: GpuInverter::open(Some(&facts.name)).ok()? })
            };
            found.filter_map(open).collect()
        });
        if opened.is_empty() {
            eprintln!("SKIPPED: {promise} on the GPU, there is no adapter");
            for kernel in GpuKernel::ALL {
                record("none", kernel.name(), "float32", promise, "skipped");
            }
            let required = std::env::var_os("BATCHINV_REQUIRE_GPU").is_some_and(|value| value == "1");
            assert!(!required, "BATCHINV_REQUIRE_GPU is 1, and there is no adapter");
        }
        opened
    }

    /// A device with WebGPU's default limits and no features, on an adapter with float64 if
    /// there is one, opened once per process.
    fn plain(promise: &'static str) -> Option<&'static Adapter> {
        static OPENED: OnceLock<Adapter> = OnceLock::new();
        let rich = adapters(promise).iter().max_by_key(|adapter| adapter.gpu.facts().limits.float64)?;
        let open = || {
            let (device, queue) = own_device(&rich.gpu, |_| wgpu::DeviceDescriptor::default());
            Adapter { word: format!("{}-plain", rich.word), gpu: GpuInverter::from_device(&device, &queue) }
        };
        Some(OPENED.get_or_init(open))
    }

    /// A device opened as a caller would open it, on the adapter of `gpu`. All such devices of a process belong
    /// to one instance, so that wgpu can tell their buffers apart.
    pub fn own_device(
        gpu: &GpuInverter,
        describe: impl FnOnce(&wgpu::Adapter) -> wgpu::DeviceDescriptor<'static>,
    ) -> (wgpu::Device, wgpu::Queue) {
        static INSTANCE: OnceLock<wgpu::Instance> = OnceLock::new();
        let instance =
            INSTANCE.get_or_init(|| wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle()));
        let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
        let name = &gpu.facts().name;
        let adapter = found.iter().find(|adapter| *adapter.get_info().name == **name).expect("the engine's adapter");
        pollster::block_on(adapter.request_device(&describe(adapter))).expect("a device as described")
    }

    /// A variant of a kernel that the plan may not choose at this order.
    pub fn variant<T: Element>(kernel: GpuKernel, order: usize) -> Variant {
        Variant::new(kernel, T::KIND, Precision::Native, order as u32)
    }

    /// Inverts a stack with a given variant and chunk length.
    pub fn invert_with<T: Element>(
        gpu: &GpuInverter,
        variant: Variant,
        chunk_len: usize,
        stack: Stack<'_, T>,
    ) -> Result<(Outcome<T>, Report), Error> {
        let mut elements = vec![T::ONE; stack.elements().len()];
        let mut statuses = vec![Status::INVERTED; stack.len()];
        let mut rconds = vec![T::Real::ZERO; stack.len()];
        let output = InversesMut::new(&mut elements, &mut statuses).with_rconds(&mut rconds);
        let report = gpu.invert_with(variant, chunk_len, stack, output)?;
        let statuses = statuses.iter().map(|status| status.word()).collect();
        let rcond_slack = rcond_slack(report.engine, stack.order());
        Ok((Outcome { elements, statuses, rconds: Some(rconds), rcond_slack }, report))
    }

    /// The number of invocations that share a matrix, a row or a panel.
    fn sharing(variant: Variant) -> u32 {
        match variant.config {
            KernelConfig::Subgroup(config) => config.lanes,
            KernelConfig::Workgroup(config) => config.team(variant.order),
            KernelConfig::Device(config) => config.invocations,
            _ => 1,
        }
    }

    /// An engine that always uses the given variant.
    pub fn forced<T: Element>(
        adapter: &'static Adapter,
        variant: Variant,
        chunk_len: usize,
        promise: &'static str,
    ) -> Engine<T> {
        let arithmetic = variant.arithmetic.name();
        let name = format!(
            "{} {arithmetic} {} of {} forced, chunks of {chunk_len}",
            adapter.word,
            variant.kernel(),
            sharing(variant)
        );
        let run = move |stack: Stack<'_, T>| {
            let (outcome, report) = invert_with(&adapter.gpu, variant, chunk_len, stack).expect("a kernel that runs");
            (outcome, report.kernel)
        };
        Engine { name, adapter: adapter.word.clone(), promise, run: Box::new(run) }
    }

    /// The GPU engine on each adapter that computes in this scalar: with the planned variant, and with each
    /// other kernel that can do this order. In addition, the planned variant on a device without features.
    pub fn gpu<T: Element>(order: usize, promise: &'static str) -> Vec<Engine<T>> {
        let mut engines = Vec::new();
        let plain = plain(promise);
        for adapter in adapters(promise).iter().chain(plain) {
            let work = Work::inverse(T::KIND, order, 1);
            let Ok(plan) = plan::gpu(work, &adapter.gpu.facts().limits) else { continue };
            let planned = Inverter::with_gpu(adapter.gpu.clone()).rcond(true);
            engines.push(inverter(adapter.word.clone(), &adapter.word, promise, planned));
            if plain.is_some_and(|plain| plain.word == adapter.word) {
                continue;
            }
            for other in others(plan.variant, &adapter.gpu.facts().limits) {
                engines.push(forced(adapter, other, 1 << 10, promise));
            }
        }
        engines
    }

    /// The variants other than the planned one: each kernel that can do this order, as it suits hardware, and as
    /// it suits this device. Since compiling takes time, only the full sweep has every order.
    pub fn others(planned: Variant, limits: &GpuLimits) -> Vec<Variant> {
        let mut others = Vec::new();
        for kernel in GpuKernel::ALL {
            let order = planned.order as usize;
            let most = plan::max_order(kernel, planned.working_scalar());
            let some: &[usize] = match kernel {
                GpuKernel::Subgroup if limits.subgroups.is_none() => continue,
                GpuKernel::Device => &[1, 8, 9, 17],
                _ => &[1, 2, 3, 5, 8, 9, 13, 16, 17, 33, most],
            };
            let takes = (1..=most).contains(&order) && (crate::common::full_sweep() || some.contains(&order));
            let Variant { scalar, arithmetic, order, .. } = planned;
            let plain = Variant::new(kernel, scalar, Precision::Native, order).with_arithmetic(arithmetic);
            for other in forms(plain.with_op(planned.op, planned.width), limits).into_iter().flatten() {
                if takes && other != planned && !others.contains(&other) {
                    others.push(other);
                }
            }
        }
        others
    }

    /// A variant as it suits hardware, and as it suits this device; `None` if this device cannot run it.
    pub fn forms(plain: Variant, limits: &GpuLimits) -> [Option<Variant>; 2] {
        let hardware = crate::common::with(*limits, |limits| limits.software = false);
        let own = plain.suited(limits);
        [as_written_out_as(plain.suited(&hardware), own), own].map(|form| {
            let runs = !matches!(form.config, KernelConfig::Subgroup(config) if !config.suits_software(form.order));
            let device = form.kernel() == GpuKernel::Device && form.op != Op::Inverse;
            (runs && !device && form.workgroup() <= limits.invocations).then_some(form)
        })
    }

    /// A variant for hardware, with its loops written out only if those of the adapter's own variant are and it is
    /// small: software drivers take minutes and gigabytes to compile what hardware's compilers ask for, barriers above
    /// all.
    fn as_written_out_as(mut hardware: Variant, own: Variant) -> Variant {
        let Variant { op, order, width, .. } = hardware;
        let size = hardware.working_scalar().size() as u32;
        match (&mut hardware.config, own.config) {
            (KernelConfig::Thread(hardware), KernelConfig::Thread(own)) => hardware.written_out = own.written_out,
            (KernelConfig::Subgroup(hardware), KernelConfig::Subgroup(own)) => {
                hardware.written_out = own.written_out && hardware.rows(order) * order * size <= 128;
            }
            (KernelConfig::Workgroup(hardware), KernelConfig::Workgroup(_)) => {
                let small = if op == Op::Inverse { order <= 3 } else { order == 3 && width == 1 };
                hardware.written_out = small && size == 4;
            }
            _ => {}
        }
        hardware
    }

    /// The GPU engine on each adapter that takes this work, by the adapter's word.
    pub fn gpu_inverters<T: Element>(work: Work, promise: &'static str) -> Vec<(String, Inverter)> {
        let takes = |adapter: &&Adapter| {
            let planned = plan::gpu(work, &adapter.gpu.facts().limits);
            if let Ok(plan) = &planned {
                record(&adapter.word, plan.variant.kernel().name(), T::KIND.name(), promise, "ran");
            }
            planned.is_ok()
        };
        let inverter = |adapter: &Adapter| (adapter.word.clone(), Inverter::with_gpu(adapter.gpu.clone()));
        adapters(promise).iter().filter(takes).map(inverter).collect()
    }

    /// The GPU engine in double precision on each adapter that computes in this scalar, and each other kernel.
    pub fn gpu_double<T: Element>(order: usize, promise: &'static str) -> Vec<Engine<T>> {
        let mut engines = Vec::new();
        let plain = plain(promise);
        for adapter in adapters(promise).iter().chain(plain) {
            let work = Work::inverse(T::KIND, order, 1).with_precision(Precision::Double);
            let limits = &adapter.gpu.facts().limits;
            let Ok(planned) = plan::gpu(work, limits) else { continue };
            let name = format!("{} double", adapter.word);
            let double = Inverter::with_gpu(adapter.gpu.clone()).rcond(true).precision(Precision::Double);
            engines.push(inverter(name, &adapter.word, promise, double));
            // If the working scalar is the scalar itself, these variants are tested without double precision.
            if work.working_scalar() != T::KIND && plain.is_none_or(|plain| plain.word != adapter.word) {
                let mut variants = others(planned.variant, limits);
                if limits.float64 {
                    // `tests/pairs.rs` has the other kernels.
                    variants.extend(pairs(work, limits).first());
                }
                engines.extend(variants.into_iter().map(|variant| forced(adapter, variant, 1 << 10, promise)));
            }
        }
        engines
    }

    /// Each kernel in pairs of float32, on a device that computes in float64 too.
    pub fn pairs(work: Work, limits: &GpuLimits) -> Vec<Variant> {
        let without = crate::common::with(*limits, |limits| limits.float64 = false);
        let planned = plan::gpu(work, &without).expect("work that is done in pairs").variant;
        std::iter::once(planned).chain(others(planned, &without)).collect()
    }
}

/// Appends a line to the file that BATCHINV_TEST_LOG names, once per process: adapter, kernel, scalar, promise,
/// and `ran` or `skipped`. Each line is a single write, so that lines of different processes do not mix.
pub fn record(adapter: &str, kernel: &str, scalar: &str, promise: &str, what: &str) {
    static LOG: OnceLock<Option<File>> = OnceLock::new();
    static WRITTEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let log = LOG.get_or_init(|| {
        let path = std::env::var_os("BATCHINV_TEST_LOG")?;
        Some(File::options().append(true).create(true).open(path).expect("BATCHINV_TEST_LOG can be written to"))
    });
    let Some(mut log) = log.as_ref() else { return };
    let line = format!("{adapter} {kernel} {scalar} {promise} {what}\n");
    let mut written = WRITTEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if written.insert(line.clone()) {
        log.write_all(line.as_bytes()).expect("BATCHINV_TEST_LOG can be written to");
    }
}
