//! Runs the fuzz targets on any compiler: on every file of the corpora, which include inputs that once failed, and on
//! mutations of them from a fixed seed. `fuzz/README.md` explains how to search for more.
#![cfg(all(feature = "cli", feature = "ndarray"))]
#![allow(dead_code, unused_imports, reason = "the targets use their part of the program")]

#[path = "../src/bin/batchinv"]
mod program {
    pub mod exit;
    pub mod npy;
    pub mod npz;
    pub mod shape;
}
#[path = "../fuzz/src"]
mod fuzz {
    pub mod targets;
}

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fuzz::targets;
use program::{exit, npy, npz, shape};

/// Mutations per target, unless `BATCHINV_FUZZ` gives another number.
const MUTATIONS: usize = 4000;

fn run(target: &str, call: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 9, "the corpus of {target}");
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (file, bytes) in files.iter().zip(&corpus) {
        let kept = catch_unwind(AssertUnwindSafe(|| call(bytes)));
        assert!(kept.is_ok(), "{}", file.display());
    }
    let mutations = std::env::var("BATCHINV_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(MUTATIONS);
    let mut random = Random(target.len() as u64);
    for round in 0..mutations {
        let bytes = mutated(&corpus, &mut random);
        let kept = catch_unwind(AssertUnwindSafe(|| call(&bytes)));
        assert!(kept.is_ok(), "{target}, mutation {round}: {bytes:?}");
    }
}

/// One of the files with bytes changed, inserted, removed, or replaced by those of another file.
fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.below(256) as u8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            4 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'0', b'9', b'('][random.below(8)],
            5 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ if at < bytes.len() => bytes[at] = random.below(256) as u8,
            _ => {}
        }
    }
    bytes
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

#[test]
fn npy_files() {
    run("npy", targets::npy);
}

#[test]
fn npz_files() {
    run("npz", targets::npz);
}

#[test]
fn shapes_and_layouts() {
    run("shapes", targets::shapes);
}

#[test]
fn engines_and_the_reference() {
    run("engines", targets::engines);
}
