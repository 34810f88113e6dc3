//! Where and when a figure was taken: CPU, caches, memory, commit, date.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use batchinv::SimdLevel;

pub struct Machine {
    /// `AMD EPYC 9654, 16 threads`, as the scripts in benches/peers write it.
    pub name: String,
    /// `linux x86_64, avx512`
    pub system: String,
    /// Programs that wanted a thread in the last minute, where the system says: their work slows ours.
    pub load: Option<f64>,
    /// Of this program, where it can be known.
    pub commit: Option<String>,
    /// ISO, UTC.
    pub date: String,
}

impl Machine {
    pub fn look() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let plural = if threads > 1 { "s" } else { "" };
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            name: format!("{}, {threads} thread{plural}", cpu_model()),
            system: format!("{os} {arch}, {}", SimdLevel::best().name()),
            load: fs::read_to_string("/proc/loadavg").ok().and_then(|facts| facts.split(' ').next()?.parse().ok()),
            commit: commit(),
            date: date(now),
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

/// Bytes of all last-level caches together, where the system says.
pub fn last_level_cache() -> Option<usize> {
    let read = |path: &Path| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    // Level, and the CPUs that share one cache, to its size: a cache is listed under each of its CPUs.
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

/// Bytes of memory that programs may still take, where the system says.
pub fn available_memory() -> Option<usize> {
    let facts = fs::read_to_string("/proc/meminfo").ok()?;
    let line = facts.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? << 10)
}

/// The commit that whoever built this named in BATCHINV_COMMIT; else that of the checkout it was built in, while
/// that is there, with `-dirty` where files differ from it. Nothing for a build from a package.
fn commit() -> Option<String> {
    if let Some(commit) = option_env!("BATCHINV_COMMIT") {
        return Some(commit.to_owned());
    }
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    let git = |args: &[&str]| {
        // Looking must not take a lock that another git waits for.
        answer(Command::new("git").arg("-C").arg(built_in).args(args).env("GIT_OPTIONAL_LOCKS", "0"))
    };
    // A package unpacked somewhere below another repository has not that one's commit.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(built_in).ok()? {
        return None;
    }
    git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
}

/// What a program prints, where it is there and succeeds.
fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

/// The day of a Unix time, by the Gregorian rules: in years that begin in March, a leap day comes last.
fn date(unix_seconds: u64) -> String {
    let days = unix_seconds / 86_400 + 719_468; // since 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates() {
        let known = [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (1_735_689_600, "2025-01-01"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
        ];
        for (seconds, date) in known {
            assert_eq!(super::date(seconds), date);
        }
    }
}
