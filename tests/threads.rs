//! Many threads, and many engines one after another, give the same bits and leave nothing behind.
//!
//! `BATCHINV_SOAK=10000 cargo test --release --all-features --test threads` sets the number of engines and calls.

mod common;

use batchinv::{CpuKernel, Inverter, Stack};
use common::bits;
use common::cases::{self, Random};
use common::engines;

fn rounds(usual: usize) -> usize {
    std::env::var("BATCHINV_SOAK").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

fn elements(n: usize, len: usize) -> Vec<f32> {
    let mut random = Random::new((n * len) as u64);
    (0..len).flat_map(|_| cases::dominant::<f32>(n, &mut random)).collect()
}

/// The engines under test, with their names.
fn inverters(promise: &'static str) -> Vec<(String, Inverter)> {
    #[allow(unused_mut, reason = "without a GPU engine")]
    let mut inverters = vec![("cpu".to_owned(), Inverter::cpu().rcond(true))];
    engines::record("cpu", CpuKernel::Lanes.name(), "float32", promise, "ran");
    #[cfg(all(feature = "gpu", feature = "testing"))]
    for adapter in engines::adapters(promise) {
        inverters.push((adapter.word.clone(), Inverter::with_gpu(adapter.gpu.clone()).rcond(true)));
        engines::record(&adapter.word, batchinv::GpuKernel::Thread.name(), "float32", promise, "ran");
    }
    inverters
}

/// Eight threads use one inverter at once, each on its own stacks, in several kernels.
#[test]
fn one_inverter_for_many_threads_gives_the_same_bits() {
    let stacks: Vec<(usize, Vec<f32>)> = [(2, 900), (3, 10), (4, 3000), (8, 100), (13, 40), (33, 9), (70, 3), (1, 1)]
        .map(|(n, len)| (n, elements(n, len)))
        .to_vec();
    for (name, inverter) in inverters("threads/same_bits") {
        let outcome = |index: usize| {
            let (n, elements) = &stacks[index % stacks.len()];
            let inverses = inverter.invert(Stack::new(elements, *n).unwrap()).unwrap();
            assert!(inverses.first_failure().is_none());
            (bits(inverses.stack().elements()), bits(inverses.rconds().unwrap()))
        };
        let wanted: Vec<_> = (0..stacks.len()).map(outcome).collect();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (wanted, outcome) = (&wanted, &outcome);
                let name = &name;
                scope.spawn(move || {
                    for round in 0..12 {
                        let index = (thread + round * 3) % wanted.len();
                        assert!(outcome(index) == wanted[index], "{name}: thread {thread}, round {round}");
                    }
                });
            }
        });
    }
}

/// Returns whether this process runs the test alone and with one heap for all threads, so that its memory can be
/// measured. Otherwise, runs the test in a process that does, and returns false.
#[cfg(target_os = "linux")]
fn is_alone(test: &str) -> bool {
    // glibc gives threads heaps of their own, and the memory that remains in the
    // heaps of ended threads varies by chance.
    const HEAPS: (&str, &str) = ("MALLOC_ARENA_MAX", "1");
    if std::env::var_os(HEAPS.0).is_some_and(|heaps| heaps == HEAPS.1) {
        return true;
    }
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command.args([test, "--exact", "--nocapture"]).env(HEAPS.0, HEAPS.1).output().unwrap();
    let [told, warned] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    if std::env::var_os("BATCHINV_SOAK").is_some() {
        use std::io::Write;
        std::io::stderr().write_all(&output.stderr).unwrap();
    }
    assert!(output.status.success() && told.contains("1 passed"), "{told}{warned}");
    false
}

/// The process's memory in kilobytes, its open files, and its threads.
#[cfg(target_os = "linux")]
fn held() -> [usize; 3] {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let number = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    [number("VmRSS:"), std::fs::read_dir("/proc/self/fd").unwrap().count(), number("Threads:")]
}

/// Repeats `work`, and asserts that files and threads stay at the number after the first quarter of the rounds,
/// and memory at its peak until then, since the number of engines alive at once varies by chance.
#[cfg(target_os = "linux")]
#[track_caller]
fn flat(name: &str, rounds: usize, allowed_kilobytes: usize, mut work: impl FnMut()) {
    let mut most = 0;
    for _ in 0..rounds / 4 {
        work();
        most = held()[0].max(most);
    }
    let mut before = held();
    before[0] = before[0].max(most);
    for _ in 0..rounds - rounds / 4 {
        work();
    }
    // A finished thread, of a driver or of a scope, stays listed until the system has removed it.
    let mut after = held();
    for _ in 0..100 {
        if after[1] <= before[1] && after[2] <= before[2] {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        after = held();
    }
    let soak = std::env::var_os("BATCHINV_SOAK").is_some();
    if soak {
        use std::io::Write;
        let line = format!("{name}, {rounds} rounds: kilobytes, files and threads {before:?}, then {after:?}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    assert!(after[0] <= before[0] + allowed_kilobytes, "{name}: kilobytes {} to {}", before[0], after[0]);
    assert!(after[1] <= before[1] && after[2] <= before[2], "{name}: files and threads {before:?} to {after:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn calls_leave_nothing_behind() {
    if !is_alone("calls_leave_nothing_behind") {
        return;
    }
    let elements = elements(5, 200);
    let stack = Stack::new(&elements, 5).unwrap();
    for (name, inverter) in inverters("threads/calls") {
        flat(&format!("{name} calls"), rounds(400), 4096, || drop(inverter.invert(stack).unwrap()));
    }
}

/// Engines are made and dropped, one after another and four at once.
#[test]
#[cfg(all(target_os = "linux", feature = "gpu", feature = "testing"))]
fn engines_leave_nothing_behind() {
    use batchinv::gpu::GpuInverter;

    if !is_alone("engines_leave_nothing_behind") {
        return;
    }
    let elements = elements(2, 10);
    let stack = Stack::new(&elements, 2).unwrap();
    for adapter in engines::adapters("threads/engines") {
        let name = &adapter.gpu.facts().name;
        let make = |used: bool| {
            let gpu = GpuInverter::open(Some(name)).unwrap();
            if used {
                Inverter::with_gpu(gpu).invert(stack).unwrap();
            }
        };
        flat(&format!("{} engines in a row", adapter.word), rounds(32), 8192, || make(true));
        flat(&format!("{} engines at once", adapter.word), rounds(32), 8192, || {
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    scope.spawn(move || make(thread % 2 == 0));
                }
            });
        });
    }
}
