//! `batchinv info`: the CPU, the GPU adapters, and the kernel that each order takes on them.

use std::fmt::Write as _;
use std::io::Write as _;

use batchinv::plan::{self, AdapterFacts, CpuTuning, GpuLimits, Work};
use batchinv::{Kernel, Precision, ScalarKind, SimdLevel, gpu};
use serde::Serialize;

use crate::drivers::Drivers;
use crate::exit::Failure;
use crate::json;
use crate::stdio::stdout_for_text;

/// Increases when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;

/// Largest order in the list of kernels.
const MAX_ORDER: usize = 1024;

/// Length of the stacks in the list of kernels. Shorter stacks may take another kernel.
const LEN: usize = 1 << 16;

/// Show the CPU, the GPU adapters, and the kernel that each order takes on them
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub drivers: Drivers,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let info = Info::gather(&args.drivers);
    let mut stdout = stdout_for_text()?;
    if args.json {
        return json::print(&info, &mut stdout, "standard output");
    }
    write!(stdout, "{}", info.text())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::io(format!("cannot write standard output: {error}")))
}

#[derive(Serialize)]
struct Info {
    schema: u32,
    version: &'static str,
    /// Architecture and operating system for which the program was built.
    target: String,
    /// Length of the stacks in the lists of kernels.
    len: usize,
    cpu: Cpu,
    adapters: Vec<Adapter>,
    /// The adapters that need `--allow-non-conformant`.
    hidden: Vec<Hidden>,
}

#[derive(Serialize)]
struct Cpu {
    threads: usize,
    /// The SIMD level in use.
    simd: &'static str,
    /// All SIMD levels that this CPU supports.
    simd_levels: Vec<&'static str>,
    kernels: Vec<Kernels>,
}

#[derive(Serialize)]
struct Adapter {
    name: String,
    kind: &'static str,
    backend: String,
    driver: String,
    limits: Limits,
    /// Smallest and largest subgroup size, if the adapter has subgroups.
    subgroups: Option<(u32, u32)>,
    float64: bool,
    /// The numbers that it computes with in double precision.
    double: &'static str,
    timestamps: bool,
    mappable: bool,
    /// True if its driver passed no conformance test.
    non_conformant: bool,
    kernels: Vec<Kernels>,
}

#[derive(Serialize)]
struct Hidden {
    name: String,
    kind: &'static str,
    backend: String,
    driver: String,
}

#[derive(Serialize)]
struct Limits {
    binding_bytes: u64,
    workgroups: u32,
    invocations: u32,
    workgroup_bytes: u32,
}

/// The kernel that each order of one scalar takes.
#[derive(Serialize)]
struct Kernels {
    scalar: &'static str,
    ranges: Vec<Range>,
}

/// Consecutive orders that take the same kernel; `None` if the engine cannot take them.
#[derive(Serialize)]
struct Range {
    first: usize,
    last: usize,
    kernel: Option<&'static str>,
}

impl Info {
    fn gather(drivers: &Drivers) -> Self {
        let all = gpu::adapters_with(gpu::Drivers::All).into_iter();
        let (adapters, hidden): (Vec<_>, Vec<_>) = all.partition(|facts| drivers.allow || !facts.non_conformant);
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            target: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
            len: LEN,
            cpu: Cpu {
                threads: rayon::current_num_threads(),
                simd: SimdLevel::best().name(),
                simd_levels: SimdLevel::all().into_iter().map(SimdLevel::name).collect(),
                kernels: kernels(|work| Some(CpuTuning::MEASURED.kernel(work).into())),
            },
            adapters: adapters.into_iter().map(Adapter::new).collect(),
            hidden: hidden.into_iter().map(Hidden::new).collect(),
        }
    }

    fn text(&self) -> String {
        let Self { version, target, cpu, adapters, hidden, .. } = self;
        let mut text = format!("batchinv {version}, {target}; kernels for stacks of {LEN} matrices\n\n");
        let _ = writeln!(text, "CPU: {} threads, {} (of {})", cpu.threads, cpu.simd, cpu.simd_levels.join(", "));
        list(&mut text, &cpu.kernels);
        for (number, adapter) in adapters.iter().enumerate() {
            let Adapter { name, kind, backend, driver, limits, subgroups, float64, double, .. } = adapter;
            let [float64, timestamps, mappable] = [*float64, adapter.timestamps, adapter.mappable].map(has);
            let subgroups = match subgroups {
                Some((smallest, largest)) if smallest == largest => smallest.to_string(),
                Some((smallest, largest)) => format!("{smallest} to {largest}"),
                None => "no".to_owned(),
            };
            let Limits { binding_bytes, workgroups, invocations, workgroup_bytes } = limits;
            let _ = writeln!(text, "\nGPU {number}: {name}");
            let _ = writeln!(text, "  {kind}, {backend}, {driver}");
            if adapter.non_conformant {
                text += "  not conformant: results may be wrong\n";
            }
            let _ = writeln!(
                text,
                "  subgroups {subgroups}, float64 {float64}, timestamps {timestamps}, mappable buffers {mappable}"
            );
            let _ = writeln!(text, "  double precision: {double}");
            let _ = writeln!(text, "  bindings of {binding_bytes} bytes, {workgroups} workgroups per dimension");
            let _ = writeln!(text, "  workgroups of {invocations} invocations with {workgroup_bytes} bytes");
            list(&mut text, &adapter.kernels);
        }
        if adapters.is_empty() {
            text += "\nGPU: no adapter was found\n";
        }
        for Hidden { name, kind, backend, driver } in hidden {
            let _ = writeln!(text, "\nGPU, hidden: {name}\n  {kind}, {backend}, {driver}");
            text += "  not conformant, so it is used only with --allow-non-conformant\n";
        }
        text
    }
}

impl Adapter {
    fn new(facts: AdapterFacts) -> Self {
        let limits = facts.limits;
        Self {
            kernels: kernels(|work| plan::gpu(work, &limits).ok().map(|plan| plan.variant.kernel().into())),
            name: facts.name.to_string(),
            kind: facts.kind.name(),
            backend: facts.backend,
            driver: facts.driver,
            limits: Limits {
                binding_bytes: limits.binding_bytes,
                workgroups: limits.workgroups,
                invocations: limits.invocations,
                workgroup_bytes: limits.workgroup_bytes,
            },
            subgroups: limits.subgroups,
            float64: limits.float64,
            double: double(&limits),
            timestamps: facts.timestamps,
            mappable: limits.mappable,
            non_conformant: facts.non_conformant,
        }
    }
}

impl Hidden {
    fn new(facts: AdapterFacts) -> Self {
        let AdapterFacts { name, kind, backend, driver, .. } = facts;
        Self { name: name.to_string(), kind: kind.name(), backend, driver }
    }
}

/// The numbers that a device with these limits computes with in double precision.
fn double(limits: &GpuLimits) -> &'static str {
    let work = Work::inverse(ScalarKind::Float32, 1, 1).with_precision(Precision::Double);
    plan::gpu(work, limits).map_or("none", |plan| plan.variant.arithmetic.name())
}

fn has(it: bool) -> &'static str {
    if it { "yes" } else { "no" }
}

/// The kernel that `plan` chooses for every order of every scalar.
fn kernels(plan: impl Fn(Work) -> Option<Kernel>) -> Vec<Kernels> {
    let of = |scalar: ScalarKind| {
        let mut ranges: Vec<Range> = Vec::new();
        for order in 0..=MAX_ORDER {
            let kernel = plan(Work::inverse(scalar, order, LEN)).map(Kernel::name);
            match ranges.last_mut() {
                Some(range) if range.kernel == kernel => range.last = order,
                _ => ranges.push(Range { first: order, last: order, kernel }),
            }
        }
        Kernels { scalar: scalar.name(), ranges }
    };
    ScalarKind::ALL.into_iter().map(of).collect()
}

/// `  float32     order 0: none, 1 to 12: thread, 13 to 128: workgroup, 129 to 1024: none`
fn list(text: &mut String, kernels: &[Kernels]) {
    for Kernels { scalar, ranges } in kernels {
        let _ = write!(text, "  {scalar:<11} order");
        for (i, Range { first, last, kernel }) in ranges.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let kernel = kernel.unwrap_or("none");
            let _ = match first == last {
                true => write!(text, "{comma} {first}: {kernel}"),
                false => write!(text, "{comma} {first} to {last}: {kernel}"),
            };
        }
        text.push('\n');
    }
}
