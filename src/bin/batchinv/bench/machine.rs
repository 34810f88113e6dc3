//! The circumstances of a measurement: CPU, caches, memory, commit, date.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use batchinv::SimdLevel;

pub struct Machine {
    /// `AMD EPYC 9654, 16 threads`, the format that the scripts in benches/peers also use.
    pub name: String,
    /// `linux x86_64, avx512`
    pub system: String,
    /// The load average of the last minute, if known: other programs slow ours down.
    pub load: Option<f64>,
    /// The commit of this program, if known.
    pub commit: Option<String>,
    /// ISO, UTC.
    pub date: String,
}

impl Machine {
    pub fn look() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let plural = if threads > 1 { "s" } else { "" };
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let mut date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        date.truncate("2026-11-29".len());
        Self {
            name: format!("{}, {threads} thread{plural}", cpu_model()),
            system: format!("{os} {arch}, {}", SimdLevel::best().name()),
            load: fs::read_to_string("/proc/loadavg").ok().and_then(|facts| facts.split(' ').next()?.parse().ok()),
            commit: commit(),
            date,
        }
    }
}

fn cpu_model() -> String {
    let linux = || {
        let facts = fs::read_to_string("/proc/cpuinfo").ok()?;
        let line = facts.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = if cfg!(target_os = "macos") {
        answer(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]))
    } else if cfg!(windows) {
        std::env::var("PROCESSOR_IDENTIFIER").ok()
    } else {
        linux()
    };
    model.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Bytes of all last-level caches together, if known.
pub fn last_level_cache() -> Option<usize> {
    let read = |path: &Path| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    // The size of each cache by its level and the CPUs that share it: every one of these CPUs lists the cache.
    let mut caches: BTreeMap<(u32, String), usize> = BTreeMap::new();
    for cpu in fs::read_dir("/sys/devices/system/cpu").ok()?.flatten() {
        for cache in fs::read_dir(cpu.path().join("cache")).into_iter().flatten().flatten() {
            let fact = |name: &str| read(&cache.path().join(name));
            let size = fact("size").and_then(|size| size.strip_suffix('K')?.parse::<usize>().ok());
            let level = fact("level").and_then(|level| level.parse().ok());
            if let (Some(level), Some(sharing), Some(size)) = (level, fact("shared_cpu_list"), size) {
                caches.insert((level, sharing), size << 10);
            }
        }
    }
    let last = caches.keys().map(|(level, _)| *level).max()?;
    Some(caches.iter().filter(|((level, _), _)| *level == last).map(|(_, size)| size).sum())
}

/// Bytes of memory that are available to programs, if known.
pub fn available_memory() -> Option<usize> {
    let facts = fs::read_to_string("/proc/meminfo").ok()?;
    let line = facts.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? << 10)
}

/// The value of BATCHINV_COMMIT at build time; without it, the commit of the checkout in which the program was built,
/// if that still exists, with `-dirty` if files differ from it. `None` for a build from a package.
fn commit() -> Option<String> {
    if let Some(commit) = option_env!("BATCHINV_COMMIT") {
        return Some(commit.to_owned());
    }
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    let git = |args: &[&str]| {
        // Takes no lock that another git might wait for.
        answer(Command::new("git").arg("-C").arg(built_in).args(args).env("GIT_OPTIONAL_LOCKS", "0"))
    };
    // A package unpacked inside another repository does not have that repository's commit.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(built_in).ok()? {
        return None;
    }
    git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
}

/// The output of a program, if it exists and succeeds.
fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
