//! Runs each engine under load for some minutes, and prints stacks per second and memory every minute:
//!
//! ```sh
//! cargo run --release -p batchinv-benches --bin soak -- 10
//! ```
//!
//! Eight threads share one inverter. Their stacks have orders up to 160, every scalar that the engine takes, and
//! sizes up to 256 KiB, and one in four holds a singular or non-finite matrix. Every stack is inverted
//! repeatedly; its statuses, inverses, and condition numbers must be the same as the first time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use batchinv::{Complex, Inverses, Inverter, Scalar, StackBuf};
use batchinv_benches::{gpu, len_for, random};

const THREADS: usize = 8;
const STACKS: usize = 120;

/// Inverts one stack, and returns whether the result is the same as the first time.
type Call = Box<dyn Fn(&Inverter) -> bool + Send + Sync>;

fn main() {
    let minutes = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut engines = vec![("cpu".to_owned(), Inverter::cpu(), true)];
    if let Some((gpu, inverter)) = gpu() {
        let facts = gpu.facts();
        engines.push((facts.name.to_string(), inverter, facts.limits.float64));
    }
    println!("{minutes} minutes, {THREADS} threads, {STACKS} stacks");
    for (name, inverter, float64) in &engines {
        let inverter = inverter.clone().rcond(true);
        let calls: Vec<Call> = (0..STACKS).map(|index| call(&inverter, index, *float64)).collect();
        soak(name, &inverter, &calls, minutes);
    }
}

/// The stack with this index; each has another combination of order, scalar, and length.
fn call(inverter: &Inverter, index: usize, float64: bool) -> Call {
    let order = [1, 2, 3, 4, 5, 6, 8, 11, 16, 17, 24, 32, 40, 64, 100, 160][index % 16];
    match index / 16 % if float64 { 4 } else { 2 } {
        0 => kept(inverter, order, index, |x| x as f32),
        1 => kept(inverter, order, index, |x| Complex { re: x as f32, im: 0.25 }),
        2 => kept(inverter, order, index, |x| x),
        _ => kept(inverter, order, index, |x| Complex { re: x, im: 0.25 }),
    }
}

fn kept<T: Scalar>(inverter: &Inverter, order: usize, index: usize, real: impl Fn(f64) -> T) -> Call {
    let len = len_for(order, size_of::<T>(), (256 << 10) >> (index % 5));
    let mut elements = random(order, len, real).into_elements();
    if index.is_multiple_of(4) {
        let bad = &mut elements[index % len * order * order..][..order * order];
        bad.fill(if index.is_multiple_of(8) { T::ZERO } else { T::NAN });
    }
    let stack = StackBuf::with_len(elements, order, len).expect("as many elements as before");
    let first = inverter.invert(stack.view()).expect("an engine that takes the stack");
    Box::new(move |inverter| inverter.invert(stack.view()).is_ok_and(|again| same(&first, &again)))
}

fn same<T: Scalar>(one: &Inverses<T>, other: &Inverses<T>) -> bool {
    // Matrices without an inverse are all NaN, and NaN equals nothing.
    let rcond = |all: &Inverses<T>, m: usize| all.rconds().map(|rconds| rconds[m]);
    one.statuses() == other.statuses()
        && (0..one.statuses().len())
            .filter(|&m| one.get(m).is_some())
            .all(|m| one.get(m) == other.get(m) && rcond(one, m) == rcond(other, m))
}

/// Prints a line per minute.
fn soak(name: &str, inverter: &Inverter, calls: &[Call], minutes: u32) {
    let (done, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let end = Instant::now() + Duration::from_secs(60) * minutes;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (done, wrong) = (&done, &wrong);
            scope.spawn(move || {
                for call in calls.iter().cycle().skip(thread * calls.len() / THREADS) {
                    if Instant::now() > end {
                        break;
                    }
                    let right = call(inverter);
                    done.fetch_add(1, Ordering::Relaxed);
                    wrong.fetch_add(usize::from(!right), Ordering::Relaxed);
                }
            });
        }
        let mut before = 0;
        for minute in 1..=minutes {
            let at = end - Duration::from_secs(60) * (minutes - minute);
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            let now = done.load(Ordering::Relaxed);
            let rate = (now - before) as f64 / 60.0;
            let wrong = wrong.load(Ordering::Relaxed);
            println!("{name}, minute {minute}: {rate:.0} stacks/s, {wrong} wrong, {}", memory());
            before = now;
        }
    });
}

/// Resident memory now and at its peak, if the system reports it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let megabytes = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? / 1024)
    };
    match (megabytes("VmRSS:"), megabytes("VmHWM:")) {
        (Some(now), Some(highest)) => format!("{now} MiB resident, {highest} MiB at most"),
        _ => "memory unknown".to_owned(),
    }
}
