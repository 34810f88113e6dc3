//! A call of the GPU engine takes host memory for its output and at most 64 MiB more.
#![cfg(all(target_os = "linux", feature = "gpu", feature = "testing"))]

mod common;

use batchinv::{Inverter, Stack};
use common::cases::{self, Random};
use common::engines;

const MEBIBYTE: usize = 1 << 20;

/// The process's peak memory since the last call of this function, and its current memory, in bytes.
fn peak_and_now() -> (usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kilobytes = |key: &str| -> usize {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let answer = (kilobytes("VmHWM:") << 10, kilobytes("VmRSS:") << 10);
    // Resets the peak (proc(5)).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    answer
}

/// Measures a second call, which finds buffers and pipelines ready. A software driver's device memory counts as host
/// memory. A copy of the whole stack would exceed the limit.
#[test]
fn a_warm_call_takes_its_output_and_little_more() {
    let n = 4;
    let some: Vec<f32> = (0..16).flat_map(|seed| cases::dominant::<f32>(n, &mut Random::new(seed))).collect();
    let len = 96 * MEBIBYTE / (n * n * size_of::<f32>());
    let elements: Vec<f32> = some.iter().copied().cycle().take(len * n * n).collect();
    let stack = Stack::new(&elements, n).unwrap();
    for adapter in engines::adapters("gpu_memory/a_warm_call") {
        let inverter = Inverter::with_gpu(adapter.gpu.clone()).rcond(true);
        drop(inverter.invert(stack).unwrap());
        let (_, before) = peak_and_now();
        let inverses = inverter.invert(stack).unwrap();
        let (peak, _) = peak_and_now();
        let report = inverses.report();
        assert!(inverses.statuses().iter().all(|status| status.is_inverted()) && report.chunks > 3);
        engines::record(&adapter.word, report.kernel.name(), "float32", "gpu_memory/a_warm_call", "ran");
        // Inverses, statuses, and rconds.
        let (output, taken) = (size_of_val(&elements[..]) + 8 * len, peak - before);
        assert!(taken <= output + 64 * MEBIBYTE, "{}: {taken} bytes for {output}", adapter.word);
    }
}
