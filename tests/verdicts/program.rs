//! The same choices on the command line.

use std::fs;

use tempfile::TempDir;

use crate::program::{Npy, batchinv, finish, npy, path, run};

/// Three matrices: a good one, a singular one, and an ill-conditioned one.
const ELEMENTS: [f64; 12] = [2.0, 0.0, 0.0, 4.0, 1.0, 2.0, 2.0, 4.0, 1.0, 0.0, 0.0, 1e-9];

fn values(bytes: &[u8]) -> Vec<f64> {
    bytes.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
}

#[test]
fn fillings_and_verdicts() {
    let folder = TempDir::new().unwrap();
    let [input, output, status] = ["a.npy", "x.npy", "s.npy"].map(|name| folder.path().join(name));
    let bytes: Vec<u8> = ELEMENTS.iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(&input, npy("<f8", "(3, 2, 2)", &bytes)).unwrap();
    let files = ["inv", path(&input), "-o", path(&output), "--status", path(&status), "--json"];
    for (filling, wanted) in [
        ("zero", [0.0; 4]),
        ("identity", [1.0, 0.0, 0.0, 1.0]),
        ("input", [1.0, 2.0, 2.0, 4.0]),
        ("nan", [f64::NAN; 4]),
    ] {
        let out = run(&[&files[..], &["--failed", filling, "--min-rcond", "1e-6", "--verify"]].concat());
        out.assert_done();
        let found = values(&Npy::read(&output).data);
        let same = |found: &[f64], wanted: &[f64]| found.iter().zip(wanted).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same(&found[4..8], &wanted), "{filling}: {found:?}");
        assert_eq!(found[..4], [0.5, 0.0, 0.0, 0.25], "{filling}");
        assert!((found[11] - 1e9).abs() < 1.0, "{filling}: ill-conditioned, and inverted");
        let words: Vec<i32> =
            Npy::read(&status).data.chunks_exact(4).map(|word| i32::from_le_bytes(word.try_into().unwrap())).collect();
        assert_eq!(words, [0, 2, -2], "{filling}");
        out.assert_line("1 of 3 matrices has no inverse: singular at 1 (column 2)");
        out.assert_line("1 of 3 matrices is ill-conditioned: at 2");
        let counts = &out.json()["counts"];
        assert_eq!([&counts["inverted"], &counts["singular"], &counts["ill_conditioned"]], [1, 1, 1], "{counts}");
        assert_eq!(out.json()["first"][1]["status"], -2);
    }
}

/// The first matrix fails, and nothing else is asked for.
#[test]
fn a_filling_alone() {
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npy", "x.npy"].map(|name| folder.path().join(name));
    let bytes: Vec<u8> = ELEMENTS[4..].iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(&input, npy("<f8", "(2, 2, 2)", &bytes)).unwrap();
    for (filling, wanted) in [("zero", [0.0; 4]), ("identity", [1.0, 0.0, 0.0, 1.0]), ("input", [1.0, 2.0, 2.0, 4.0])] {
        // Pieces smaller than a matrix are inverted in place, where the matrices allow it.
        for piece in ["8", "1000"] {
            let mut command = batchinv(&["inv", path(&input), "-o", path(&output), "--failed", filling]);
            command.env("BATCHINV_TEST_PIECE", piece);
            finish(command, b"").assert_done();
            assert_eq!(values(&Npy::read(&output).data)[..4], wanted, "{filling}, pieces of {piece} bytes");
        }
    }
}

#[test]
fn strict_names_an_ill_conditioned_matrix() {
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npy", "x.npy"].map(|name| folder.path().join(name));
    let bytes: Vec<u8> = ELEMENTS[8..].iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(&input, npy("<f8", "(1, 2, 2)", &bytes)).unwrap();
    let files = ["inv", path(&input), "-o", path(&output)];
    let strict = [&files[..], &["--strict", "--min-rcond", "1e-6"]].concat();
    run(&strict).assert_failed(1, "ill-conditioned: the rcond of matrix 0 is below 1e-6");
    assert!(!output.exists());
    run(&[&files[..], &["--strict", "--min-rcond", "1e-10"]].concat()).assert_done();
    // In other units it is the identity.
    run(&[&strict[..], &["--rcond-of", "equilibrated"]].concat()).assert_done();
    for wrong in ["-1", "2", "nan", "a"] {
        let out = run(&[&files[..], &["--min-rcond", wrong]].concat());
        assert!(out.code == 2 && out.stderr.contains("--min-rcond"), "{wrong}: {}", out.stderr);
    }
    run(&[&files[..], &["--rcond-of", "equilibrated"]].concat()).assert_failed(2, "--rcond-of needs --rcond or");
    let out = run(&[&files[..], &["--failed", "one"]].concat());
    assert!(out.code == 2 && out.stderr.contains("--failed"), "{}", out.stderr);
}
