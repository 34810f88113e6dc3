//! `batchinv solve` and `batchinv det`, run from the command line.
#![cfg(feature = "cli")]

mod program;

use std::fs;
use std::path::PathBuf;

use batchinv::{Columns, Complex, Determinant, Inverter, Precision, Stack};
use program::{Npy, Output, adapter_or_skip, batchinv, data, entries, finish, names_in, npy, path, raw_npy, run};
use tempfile::TempDir;

// ---------------------------------------------------------------------------------------------------------
// Shapes and types

/// The axes of A, B and X, as NumPy 2 has them.
const SHAPES: [(&[usize], &[usize], &[usize]); 25] = [
    (&[2, 2], &[2], &[2]),
    (&[2, 2], &[2, 3], &[2, 3]),
    (&[3, 2, 2], &[2], &[3, 2]),
    (&[4, 3, 2, 2], &[2], &[4, 3, 2]),
    (&[3, 2, 2], &[2, 1], &[3, 2, 1]),
    (&[2, 2, 2], &[2, 2], &[2, 2, 2]),
    (&[2, 2], &[5, 2, 1], &[5, 2, 1]),
    (&[5, 2, 2], &[5, 2, 4], &[5, 2, 4]),
    (&[1, 2, 2], &[5, 2, 1], &[5, 2, 1]),
    (&[5, 2, 2], &[1, 2, 2], &[5, 2, 2]),
    (&[3, 1, 2, 2], &[1, 5, 2, 2], &[3, 5, 2, 2]),
    (&[3, 2, 2], &[4, 1, 2, 1], &[4, 3, 2, 1]),
    (&[2, 1, 3, 2, 2], &[4, 1, 2, 1], &[2, 4, 3, 2, 1]),
    (&[2, 1, 2, 2], &[2, 4, 2, 2], &[2, 4, 2, 2]),
    (&[4, 2, 2], &[3, 4, 2, 1], &[3, 4, 2, 1]),
    (&[5, 1, 2, 2], &[1, 4, 2, 1], &[5, 4, 2, 1]),
    (&[1, 1, 2, 2], &[2, 1], &[1, 1, 2, 1]),
    // Axes of length zero.
    (&[0, 2, 2], &[2], &[0, 2]),
    (&[0, 2, 2], &[1, 2, 3], &[0, 2, 3]),
    (&[1, 2, 2], &[0, 2, 3], &[0, 2, 3]),
    (&[0, 1, 2, 2], &[1, 5, 2, 1], &[0, 5, 2, 1]),
    (&[3, 2, 2], &[3, 2, 0], &[3, 2, 0]),
    (&[3, 0, 0], &[3, 0, 2], &[3, 0, 2]),
    (&[3, 0, 0], &[0], &[3, 0]),
    (&[0, 0], &[0, 0], &[0, 0]),
];

/// Matrix m is diag(2^m, -2^(m + 2)), and B counts from 1.
fn system(a: &[usize], b: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let power = |m: usize, i: usize| if i == 0 { 2.0_f64.powi(m as i32) } else { -(2.0_f64.powi(m as i32 + 2)) };
    let order = a[a.len() - 1];
    let element = |e: usize| match (e / order % order, e % order) {
        (i, j) if i == j => power(e / (order * order), i),
        _ => 0.0,
    };
    let (len_a, len_b) = (a.iter().product(), b.iter().product::<usize>());
    ((0..len_a).map(element).collect(), (1..=len_b).map(|k| k as f64).collect())
}

/// The solutions, one index at a time.
fn solutions(a: &[usize], b: &[usize], x: &[usize]) -> Vec<f64> {
    let (a_elements, b_elements) = system(a, b);
    let order = a[a.len() - 1];
    let trailing = if b.len() == 1 { 1 } else { 2 };
    // Element `index` of the leading axes of x is this one in an input.
    let place = |axes: &[usize], index: &[usize]| {
        let own = &index[index.len() - axes.len()..];
        axes.iter().zip(own).fold(0, |place, (&axis, &i)| place * axis + if axis == 1 { 0 } else { i })
    };
    (0..x.iter().product())
        .map(|at| {
            let mut rest = at;
            let mut index: Vec<usize> = x
                .iter()
                .rev()
                .map(|&axis| {
                    let index = rest % axis;
                    rest /= axis;
                    index
                })
                .collect();
            index.reverse();
            let (leading, own) = index.split_at(x.len() - trailing);
            let matrix = place(&a[..a.len() - 2], leading);
            let column = place(&b[..b.len() - trailing], leading);
            let width = if trailing == 1 { 1 } else { b[b.len() - 1] };
            let k = if trailing == 1 { 0 } else { own[1] };
            b_elements[(column * order + own[0]) * width + k]
                / a_elements[matrix * order * order + own[0] * (order + 1)]
        })
        .collect()
}

#[test]
fn shapes_are_those_of_numpy_2() {
    for (a, b, x) in SHAPES {
        let folder = Folder::new();
        let (a_elements, b_elements) = system(a, b);
        let (a_file, b_file) = (float64(a, &a_elements), float64(b, &b_elements));
        folder.write("a.npy", &a_file);
        folder.write("b.npy", &b_file);
        let trailing = if b.len() == 1 { 1 } else { 2 };
        let what = format!("{a:?} {b:?}");
        let check = |out: Output| {
            out.assert_done();
            let (solution, status) = (folder.npy("x.npy"), folder.npy("s.npy"));
            assert_eq!((&solution.shape[..], &solution.descr[..]), (x, "<f8"), "{what}");
            assert_eq!(solution.reals(), solutions(a, b, x), "{what}");
            assert_eq!((&status.shape[..], &status.descr[..]), (&x[..x.len() - trailing], "<i4"), "{what}");
            assert!(status.ints().iter().all(|&status| status == 0), "{what}");
        };
        let outputs = ["-o", &folder.path("x.npy"), "--status", &folder.path("s.npy"), "--engine", "cpu", "--verify"];
        let (a_path, b_path) = (folder.path("a.npy"), folder.path("b.npy"));
        let solve = |a: &str, b: &str, piece: &str, input: &[u8]| {
            let mut command = batchinv(&[&["solve", a, b], &outputs[..]].concat());
            command.env("BATCHINV_TEST_PIECE", piece);
            finish(command, input)
        };
        // In one piece; one system at a time, with inputs read again where they repeat; from either stream.
        check(solve(&a_path, &b_path, "1000000", b""));
        check(solve(&a_path, &b_path, "1", b""));
        check(solve(&a_path, &b_path, "100", b""));
        check(solve("-", &b_path, "1", &a_file));
        check(solve(&a_path, "-", "1", &b_file));
        // In Fortran order.
        let (a_file, b_file) = (fortran(a, &a_elements), fortran(b, &b_elements));
        folder.write("a.npy", &a_file);
        folder.write("b.npy", &b_file);
        check(solve(&a_path, &b_path, "1000000", b""));
        check(solve(&a_path, &b_path, "1", b""));
        check(solve("-", &b_path, "70", &a_file));
        check(solve(&a_path, "-", "70", &b_file));
    }
}

/// The type of X for types of A and B, as np.linalg.solve has them: integers count as float64.
#[test]
fn types_are_promoted_as_in_numpy() {
    let types =
        ["|b1", "|i1", ">i2", "<i4", "<i8", "|u1", "<u2", ">u4", "<u8", "<f4", ">f4", "<f8", ">f8", "<c8", ">c16"];
    let table = [
        ("f4", "f4", "<f4"),
        ("f4", "f8", "<f8"),
        ("f4", "i", "<f8"),
        ("f4", "c8", "<c8"),
        ("f4", "c16", "<c16"),
        ("f8", "f8", "<f8"),
        ("f8", "i", "<f8"),
        ("f8", "c8", "<c16"),
        ("f8", "c16", "<c16"),
        ("i", "i", "<f8"),
        ("i", "c8", "<c16"),
        ("i", "c16", "<c16"),
        ("c8", "c8", "<c8"),
        ("c8", "c16", "<c16"),
        ("c16", "c16", "<c16"),
    ];
    let folder = Folder::new();
    let class = |descr: &str| if "biu".contains(&descr[1..2]) { "i".to_owned() } else { descr[1..].to_owned() };
    for a in types {
        for b in types {
            folder.write("a.npy", &npy(a, "(1, 1)", &one(a)));
            folder.write("b.npy", &npy(b, "(1, 2)", &[one(b), one(b)].concat()));
            folder.solve(&["--strict"]).assert_done();
            let (a, b) = (class(a), class(b));
            let row = table.iter().find(|row| (row.0 == a && row.1 == b) || (row.0 == b && row.1 == a)).unwrap();
            let x = folder.npy("x.npy");
            assert_eq!(x.descr, row.2, "{a} {b}");
            // A complex one is 1 + i, any other 1.
            let part = |class: &str| if class.starts_with('c') { 1.0 } else { 0.0 };
            let wanted = Complex::new(1.0, part(&b)) / Complex::new(1.0, part(&a));
            for [re, im] in x.complexes() {
                assert!((re - wanted.re).abs() < 1e-6 && (im - wanted.im).abs() < 1e-6, "{a} {b}: {re} {im}");
            }
        }
    }
}

/// 1 in this type, and 1 + i in a complex one.
fn one(descr: &str) -> Vec<u8> {
    let size: usize = descr[2..].parse().unwrap();
    let mut bytes = match (&descr[1..2], size) {
        ("f", 4) => 1.0_f32.to_le_bytes().to_vec(),
        ("f", _) => 1.0_f64.to_le_bytes().to_vec(),
        ("c", 8) => return parts(descr, &1.0_f32.to_le_bytes()),
        ("c", _) => return parts(descr, &1.0_f64.to_le_bytes()),
        _ => [&[1][..], &vec![0; size - 1]].concat(),
    };
    if descr.starts_with('>') {
        bytes.reverse();
    }
    bytes
}

fn parts(descr: &str, part: &[u8]) -> Vec<u8> {
    let mut part = part.to_vec();
    if descr.starts_with('>') {
        part.reverse();
    }
    part.repeat(2)
}

/// Wider types hold all values of the narrower ones, subnormal ones and infinities included.
#[test]
fn promotion_changes_no_value() {
    let folder = Folder::new();
    let values = [1.0_f32, -2.5, 1e-45, f32::MAX, -1.5e-40, 0.1];
    folder.write("a.npy", &float64(&[1, 1], &[1.0]));
    folder.write("b.npy", &npy("<f4", "(6, 1, 1)", &values.map(f32::to_le_bytes).concat()));
    folder.solve(&[]).assert_done();
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&folder.npy("x.npy").reals()), bits(&values.map(f64::from)));
}

// ---------------------------------------------------------------------------------------------------------
// Results

/// The bits are the library's, whatever the pieces.
#[test]
fn results_are_those_of_the_library() {
    let (order, width, len) = (5, 3, 300);
    let mut random = Random(7);
    let mut a: Vec<f32> = (0..len * order * order).map(|_| random.next()).collect();
    let mut b: Vec<f32> = (0..len * order * width).map(|_| random.next()).collect();
    // Matrix 7 has a zero column, 100 holds NaN, and right-hand side 200 an infinity.
    (0..order).for_each(|i| a[(7 * order + i) * order + 2] = 0.0);
    a[100 * order * order + 4] = f32::NAN;
    b[200 * order * width] = f32::INFINITY;
    let folder = Folder::new();
    folder.write("a.npy", &float32(&[3, 100, order, order], &a));
    folder.write("b.npy", &float32(&[3, 100, order, width], &b));
    let stack = Stack::new(&a, order).unwrap();
    for (precision, word) in [(Precision::Native, "native"), (Precision::Double, "double")] {
        let inverter = Inverter::cpu().precision(precision).det(true);
        let wanted = inverter.solve(stack, Columns::new(&b, order, width).unwrap()).unwrap();
        let values = |value: fn(&Determinant<f32>) -> f32| {
            wanted.determinants().unwrap().iter().map(value).collect::<Vec<f32>>()
        };
        for piece in ["1000000000", "1000", "1"] {
            for log in [false, true] {
                let mut args = vec!["solve".to_owned(), folder.path("a.npy"), folder.path("b.npy")];
                let outputs = [("-o", "x.npy"), ("--status", "s.npy"), ("--det", "d.npy"), ("--log", "l.npy")];
                for (option, name) in &outputs[..if log { 4 } else { 3 }] {
                    args.extend([(*option).to_owned(), folder.path(name)]);
                }
                args.extend(["--engine", "cpu", "--precision", word].map(str::to_owned));
                let mut command = batchinv(&args.iter().map(String::as_str).collect::<Vec<_>>());
                command.env("BATCHINV_TEST_PIECE", piece);
                let out = finish(command, b"");
                out.assert_done();
                out.assert_line("300 systems of order 5, float32, 3 right-hand sides each, on the cpu engine (");
                out.assert_line(
                    "3 of 300 systems were not solved: singular at (0, 7) (column 3); not finite at (1, 0), (2, 0)",
                );
                let x = folder.npy("x.npy");
                assert_eq!(x.shape, [3, 100, order, width]);
                assert!(x.data == bytemuck::cast_slice::<f32, u8>(wanted.columns().elements()), "{word} {piece}");
                let words: Vec<i32> = wanted.statuses().iter().map(|status| status.word()).collect();
                assert_eq!(folder.npy("s.npy").ints(), words);
                assert_eq!((words[7], words[100], words[200]), (3, -1, -1));
                let value: fn(&Determinant<f32>) -> f32 = if log { |d| d.sign() } else { |d| d.value() };
                assert!(folder.npy("d.npy").data == bytemuck::cast_slice::<f32, u8>(&values(value)));
                if log {
                    let logs = values(|d| d.ln_abs() as f32);
                    assert!(folder.npy("l.npy").data == bytemuck::cast_slice::<f32, u8>(&logs));
                    assert_eq!(logs[7], f32::NEG_INFINITY);
                }
            }
        }
    }
}

/// Few bytes may broadcast to many: pieces follow the solutions, too.
#[test]
#[cfg(feature = "testing")]
fn pieces_are_cut_by_their_larger_side() {
    let folder = Folder::new();
    folder.write("a.npy", &float64(&[100, 1, 1], &[2.0; 100]));
    folder.write("b.npy", &float64(&[1, 100], &[1.0; 100]));
    let [a, b, x] = ["a.npy", "b.npy", "x.npy"].map(|name| folder.path(name));
    let mut command = batchinv(&["solve", &a, &b, "-o", &x, "--engine", "cpu", "--json"]);
    command.env("BATCHINV_TEST_PIECE", "8000");
    let out = finish(command, b"");
    out.assert_done();
    assert_eq!(out.json()["chunks"], 10, "{}", out.json());
    assert_eq!(folder.npy("x.npy").reals(), [0.5; 10_000]);
}

#[test]
fn a_system_without_a_solution_becomes_what_was_asked_for() {
    let folder = Folder::new();
    folder.write("a.npy", &float64(&[2, 1, 1], &[0.0, 2.0]));
    folder.write("b.npy", &float64(&[1, 2], &[3.0, 4.0]));
    for (failed, wanted) in [("zero", [0.0, 0.0]), ("input", [3.0, 4.0])] {
        folder.solve(&["--failed", failed]).assert_done();
        assert_eq!(folder.npy("x.npy").reals(), [wanted[0], wanted[1], 1.5, 2.0], "{failed}");
    }
    for options in [&["--failed", "nan"][..], &[]] {
        folder.solve(options).assert_done();
        let pattern = f64::NAN.to_bits().to_le_bytes();
        assert_eq!(folder.npy("x.npy").data[..16], [pattern, pattern].concat());
    }
    folder.solve(&["--failed", "identity"]).assert_failed(2, "identity");
}

#[test]
fn json_tells_what_ran() {
    let folder = Folder::new();
    folder.write("a.npy", &float64(&[3, 1, 1], &[2.0, 0.0, f64::NAN]));
    folder.write("b.npy", &float64(&[1, 2], &[3.0, 4.0]));
    let out = folder.solve(&["--json", "--quiet", "--verify"]);
    out.assert_done();
    assert_eq!(out.stderr, "");
    let mut json = out.json();
    assert!(json["seconds"].take()["total"].as_f64() > Some(0.0));
    let expected = serde_json::json!({
        "schema": 1, "version": env!("CARGO_PKG_VERSION"),
        "engine": "cpu", "adapter": null, "kernel": json["kernel"], "chunks": json["chunks"], "reason": null,
        "scalar": "float64", "precision": "native", "arithmetic": "float64",
        "order": 1, "width": 2, "len": 3, "shape": [3, 1, 2],
        "counts": { "solved": 1, "singular": 1, "not_finite": 1 },
        "first": [{ "index": [1], "status": 1 }, { "index": [2], "status": -1 }],
        "verify": { "largest_ratio": 0.0 }, "seconds": null,
    });
    assert_eq!(json, expected);

    let out = folder.det(&["--json", "--quiet"]);
    out.assert_done();
    let mut json = out.json();
    assert!(json["seconds"].take()["total"].as_f64() > Some(0.0));
    let expected = serde_json::json!({
        "schema": 1, "version": env!("CARGO_PKG_VERSION"),
        "engine": "cpu", "adapter": null, "kernel": json["kernel"], "chunks": json["chunks"], "reason": null,
        "scalar": "float64", "precision": "native", "arithmetic": "float64", "order": 1, "len": 3, "shape": [3, 1, 1],
        "counts": { "nonzero": 1, "singular": 1, "not_finite": 1, "out_of_range": 0 },
        "first": [{ "index": [1], "kind": "singular" }, { "index": [2], "kind": "not_finite" }],
        "verify": null, "seconds": null,
    });
    assert_eq!(json, expected);
}

/// The engine is chosen once, with all that is known of the whole: not for each piece.
#[test]
fn one_matrix_for_all_stays_on_the_cpu() {
    let folder = Folder::new();
    let len = 1 << 13;
    folder.write("b.npy", &float32(&[len, 16, 1], &vec![1.0; len * 16]));
    let eye: Vec<f32> = (0..256).map(|k| f32::from(u8::from(k % 17 == 0))).collect();
    for (axes, one) in [(&[16, 16][..], true), (&[1, 16, 16], true), (&[len, 16, 16], false)] {
        folder.write("a.npy", &float32(axes, &eye.repeat(axes.iter().product::<usize>() / 256)));
        let out = folder.solve(&["--engine", "auto", "--json", "--quiet"]);
        out.assert_done();
        let json = out.json();
        let reason = json["reason"].as_str().expect("an automatic choice");
        assert_eq!(reason.contains("one matrix goes with all 8192 right-hand sides"), one, "{axes:?}: {reason}");
    }
}

#[test]
fn stdout_carries_one_output_and_nothing_else() {
    let folder = Folder::new();
    folder.write("a.npy", &float64(&[2, 1, 1], &[2.0, 4.0]));
    folder.write("b.npy", &float64(&[1], &[1.0]));
    let (a, b) = (folder.path("a.npy"), folder.path("b.npy"));
    let [x, s, d, l] = ["x.npy", "s.npy", "d.npy", "l.npy"].map(|name| folder.path(name));
    let whole = ["solve", &a, &b, "-o", &x, "--status", &s, "--det", &d, "--log", &l, "--engine", "cpu"];
    run(&whole).assert_done();
    for at in [4, 6, 8, 10] {
        let expected = fs::read(whole[at]).unwrap();
        let mut args = whole;
        args[at] = "-";
        let out = run(&[&args[..], &["--json"]].concat());
        out.assert_done();
        assert!(out.stdout == expected, "{}", whole[at]);
        assert!(serde_json::from_str::<serde_json::Value>(&out.stderr).is_ok(), "{}", out.stderr);
    }
    assert_eq!(folder.npy("l.npy").reals(), [2.0_f64.ln(), 4.0_f64.ln()]);
}

// ---------------------------------------------------------------------------------------------------------
// Refusals

#[test]
fn strict_fails_in_numpys_words_and_writes_nothing() {
    for (a, b, what) in [
        ([1.0, 0.0], [1.0, 1.0], "batchinv: Singular matrix: in system 1, the pivot of column 1 is exactly zero"),
        (
            [1.0, f64::NAN],
            [1.0, 1.0],
            "batchinv: not finite: system 1 holds NaN or infinity, or its solution overflows",
        ),
        ([1.0, 1.0], [f64::INFINITY, 1.0], "batchinv: not finite: system 0 holds"),
        ([1.0, 1e-300], [1.0, 1e300], "batchinv: not finite: system 1 holds"),
    ] {
        let folder = Folder::new();
        folder.write("a.npy", &float64(&[2, 1, 1], &a));
        folder.write("b.npy", &float64(&[2, 1, 1], &b));
        folder.write("x.npy", b"older");
        let (status, det) = (folder.path("s.npy"), folder.path("d.npy"));
        let out = folder.solve(&["--strict", "--status", &status, "--det", &det, "--json"]);
        out.assert_failed(1, what);
        assert_eq!(out.stdout, b"");
        assert_eq!(folder.names(), ["a.npy", "b.npy", "x.npy"]);
        assert_eq!(fs::read(folder.path("x.npy")).unwrap(), b"older");
    }
}

#[test]
#[cfg(feature = "testing")]
fn verify_refuses_a_wrong_solution_and_writes_nothing() {
    let folder = Folder::new();
    folder.write("a.npy", &float64(&[2, 3, 2, 2], &[2.0, 1.0, 1.0, 3.0].repeat(6)));
    let (x, b) = (folder.path("x.npy"), folder.path("b.npy"));
    for (b_file, piece, what) in [
        (float64(&[2], &[1.0, 2.0]), "1000000", "wrong solution: system (1, 2) has residual ratio"),
        (float64(&[2], &[1.0, 2.0]), "1", "wrong solution: system (0, 0) has residual ratio"),
        (float64(&[2, 3, 2, 2], &[1.0; 24]), "128", "wrong solution: system (0, 1) has residual ratio"),
    ] {
        folder.write("b.npy", &b_file);
        let solve = |wrong: &str, verify: &[&str]| {
            let options = ["solve", &folder.path("a.npy"), &b, "-o", &x, "--engine", "cpu"];
            let mut command = batchinv(&[&options[..], verify].concat());
            command.env("BATCHINV_TEST_WRONG_KERNEL", wrong).env("BATCHINV_TEST_PIECE", piece);
            finish(command, b"")
        };
        solve("1", &["--verify"]).assert_failed(1, what);
        assert_eq!(folder.names(), ["a.npy", "b.npy"]);
        solve("0", &["--verify"]).assert_line("; verified, the largest residual ratio is ");
        solve("1", &[]).assert_done();
        fs::remove_file(&x).unwrap();
    }
}

/// Right solutions pass at any magnitude, and if they underflow.
#[test]
fn verify_accepts_any_magnitude() {
    let folder = Folder::new();
    let power = |exponent: i32| 2.0_f64.powi(exponent);
    let a: Vec<f64> = [900, -900].iter().flat_map(|&e| [power(e) / 3.0, power(e), power(e) / 7.0, -power(e)]).collect();
    folder.write("a.npy", &float64(&[2, 1, 2, 2], &a));
    let b: Vec<f64> =
        [-170, -1000, 100].iter().flat_map(|&e| [power(e) / 5.0, 0.0, power(e) / 11.0, power(e)]).collect();
    folder.write("b.npy", &float64(&[3, 2, 2], &b));
    let out = folder.solve(&["--verify", "--json"]);
    out.assert_done();
    let json = out.json();
    assert!(json["verify"]["largest_ratio"].as_f64() < Some(8.0) && json["counts"]["solved"] == 6, "{json}");
}

#[test]
fn bad_input_is_named_and_leaves_nothing() {
    let f8 = |axes: &[usize]| float64(axes, &vec![1.0; axes.iter().product()]);
    let good = f8(&[3, 2, 2]);
    let empty = |shape: &str| npy("<f8", shape, &[]);
    for (a, b, bad, what) in [
        (f8(&[4]), f8(&[2]), "a.npy", "its shape is (4,): matrices need at least 2 axes"),
        (f8(&[2, 3]), f8(&[2]), "a.npy", "its shape is (2, 3): the last two axes must be equal"),
        (b"1 2".to_vec(), f8(&[2]), "a.npy", "not a .npy file"),
        (good.clone(), b"1 2".to_vec(), "b.npy", "not a .npy file"),
        (good.clone(), npy("<f8", "()", &[0; 8]), "b.npy", "its shape is (): right-hand sides need at least 1 axis"),
        (good.clone(), f8(&[3]), "b.npy", "its shape is (3,): 3 rows do not go with matrices of order 2"),
        (
            good.clone(),
            f8(&[3, 2]),
            "b.npy",
            "its shape is (3, 2): 3 rows do not go with matrices of order 2; a stack of vectors has a last axis of 1",
        ),
        (
            good.clone(),
            f8(&[4, 2, 1]),
            "b.npy",
            "its shape is (4, 2, 1): the leading axes (4,) do not broadcast with those of the matrices, (3,)",
        ),
        (good.clone(), f8(&[0, 2, 1]), "b.npy", "the leading axes (0,) do not broadcast"),
        (good[..good.len() - 1].to_vec(), f8(&[2]), "a.npy", "truncated"),
        (good.clone(), f8(&[3, 2, 1])[..100].to_vec(), "b.npy", "truncated"),
        (good.clone(), [f8(&[3, 2, 1]), vec![0]].concat(), "b.npy", "one file holds one array"),
        ([good.clone(), vec![0]].concat(), f8(&[2]), "a.npy", "one file holds one array"),
        (npy("<f2", "(1, 1)", &[0; 2]), f8(&[1]), "a.npy", "its dtype is <f2 (float16)"),
        (f8(&[1, 1]), npy("<f16", "(1,)", &[0; 16]), "b.npy", "its dtype is <f16 (longdouble)"),
        (empty("(0, 4294967296, 1, 2, 2)"), empty("(1, 1, 4294967296, 2, 0)"), "b.npy", "more than memory can address"),
        (f8(&[1, 2, 2]), empty("(1000000000, 2, 0)"), "b.npy", "at most 16777216 solutions without elements"),
        (fs::read(data("arrays.npz")).unwrap(), f8(&[2]), "a.npy", "it is an archive"),
        (good.clone(), fs::read(data("arrays.npz")).unwrap(), "b.npy", "it is an archive"),
    ] {
        let folder = Folder::new();
        folder.write("a.npy", &a);
        folder.write("b.npy", &b);
        let [x, s] = ["x.npy", "s.npy"].map(|name| folder.path(name));
        let options = ["-o", &x, "--status", &s, "--engine", "cpu"];
        let [a_path, b_path] = ["a.npy", "b.npy"].map(|name| folder.path(name));
        let out = run(&[&["solve", &a_path, &b_path], &options[..]].concat());
        out.assert_failed(2, what);
        out.assert_line(&format!("batchinv: {}: ", folder.path(bad)));
        assert_eq!(folder.names(), ["a.npy", "b.npy"], "{what}");
        // The same from a stream, which is not asked for archives.
        let (args, input) = if bad == "a.npy" { (["-", &b_path], &a) } else { ([&a_path[..], "-"], &b) };
        let out = finish(batchinv(&[&["solve"], &args[..], &options].concat()), input);
        out.assert_failed(2, if what == "it is an archive" { "it is an archive, and .npz is read from" } else { what });
        out.assert_line("batchinv: standard input: ");
        assert_eq!(folder.names(), ["a.npy", "b.npy"], "{what}");
    }
}

#[test]
fn bad_arguments_are_said_in_one_line() {
    let folder = Folder::new();
    folder.write("a.npy", &float64(&[1, 1], &[1.0]));
    folder.write("b.npy", &float64(&[1], &[1.0]));
    let [a, b, x, other] = ["a.npy", "b.npy", "x.npy", "other.npy"].map(|name| folder.path(name));
    let missing = folder.path("missing.npy");
    for (args, code, what) in [
        (&["solve", &a][..], 2, "B.npy"),
        (&["solve", &a, &b], 2, "--output"),
        (&["solve", "-", "-", "-o", &x], 2, "only one of A and B can be -"),
        (&["solve", &a, &b, "-o", "-", "--det", "-"], 2, "only one of X, STATUS, DET and LOG can be -"),
        (&["solve", &a, &b, "-o", &x, "--log", &other], 2, "--log needs --det"),
        (&["solve", &a, &b, "-o", &x, "--rcond", &other], 2, "--rcond"),
        (&["solve", &a, &b, "-o", &x, "--min-rcond", "0.1"], 2, "--min-rcond"),
        (&["solve", &a, &b, "-o", &x, "--status", &x], 2, "the same file"),
        (&["solve", &a, &b, "-o", &x, "--status", &a], 2, "is also the input"),
        (&["solve", &a, &b, "-o", &x, "--det", &b], 2, "is also the input"),
        (&["solve", &a, &b, "-o", &x, "--engine", "cpu", "--adapter", "x"], 2, "--adapter"),
        (&["solve", &missing, &b, "-o", &x], 4, "missing.npy: No such file"),
        (&["solve", &a, &missing, "-o", &x], 4, "missing.npy: No such file"),
        (&["det", &a], 2, "--output"),
        (&["det", &a, "-o", "-", "--log", "-"], 2, "only one of OUTPUT and LOG can be -"),
        (&["det", &a, "-o", &x, "--log", &a], 2, "is also the input"),
        (&["det", &a, "-o", &x, "--strict"], 2, "--strict"),
        (&["det", &b, "-o", &x], 2, "b.npy: its shape is (1,): matrices need at least 2 axes"),
        (&["det", &missing, "-o", &x], 4, "missing.npy: No such file"),
    ] {
        run(args).assert_failed(code, what);
        assert_eq!(folder.names(), ["a.npy", "b.npy"], "{args:?}");
    }
    for (command, says) in [("solve", "since NumPy 2"), ("det", "np.linalg.slogdet")] {
        let out = run(&[command, "--help"]);
        out.assert_done();
        assert!(String::from_utf8_lossy(&out.stdout).contains(says), "{command}");
    }
}

#[test]
fn the_gpu_engine_solves_and_says_where_it_cannot() {
    if !adapter_or_skip("the_gpu_engine_solves_and_says_where_it_cannot") {
        return;
    }
    let folder = Folder::new();
    folder.write("a.npy", &float32(&[1, 1], &[1.0]));
    folder.write("b.npy", &float32(&[1], &[1.0]));
    let [a, b, x] = ["a.npy", "b.npy", "x.npy"].map(|name| folder.path(name));
    folder.write("large.npy", &float32(&[129, 129], &[1.0; 129 * 129]));
    folder.write("c.npy", &float32(&[129], &[1.0; 129]));
    let [large, c] = ["large.npy", "c.npy"].map(|name| folder.path(name));
    for (args, large) in [(&["solve", &a, &b][..], &["solve", &large, &c][..]), (&["det", &a], &["det", &large])] {
        let gpu = run(&[args, &["-o", &x, "--engine", "gpu", "--precision", "native", "--json", "--quiet"]].concat());
        gpu.assert_done();
        assert_eq!(gpu.json()["engine"], "gpu");
        fs::remove_file(&x).unwrap();
        let gpu = run(&[large, &["-o", &x, "--engine", "gpu", "--precision", "native"]].concat());
        gpu.assert_failed(
            3,
            "the gpu engine cannot do this: order 129 of float32 is above 128, the largest its kernels",
        );
        assert_eq!(folder.names(), ["a.npy", "b.npy", "c.npy", "large.npy"]);
    }
}

// ---------------------------------------------------------------------------------------------------------
// Files

#[test]
fn the_solutions_may_replace_either_input() {
    for replaced in ["a.npy", "b.npy"] {
        let folder = Folder::new();
        folder.write("a.npy", &float64(&[2, 1, 1], &[2.0, 4.0]));
        folder.write("b.npy", &float64(&[2, 1, 1], &[1.0, 1.0]));
        let [a, b, x] = ["a.npy", "b.npy", replaced].map(|name| folder.path(name));
        run(&["solve", &a, &b, "-o", &x, "--engine", "cpu"]).assert_done();
        assert_eq!(folder.npy(replaced).reals(), [0.5, 0.25]);
        assert_eq!(folder.names(), ["a.npy", "b.npy"]);
    }
}

/// One system must fit into memory. A file that is as long as its header says, but for the most part holes, does not.
#[test]
#[cfg(target_os = "linux")]
fn a_system_that_does_not_fit_into_memory_is_refused() {
    let folder = Folder::new();
    let honest = npy("<f8", "(1, 900000000)", &[]);
    folder.write("b.npy", &honest);
    let b = fs::File::options().write(true).open(folder.path("b.npy")).unwrap();
    b.set_len(honest.len() as u64 + 7_200_000_000).unwrap();
    for len in [1, 2] {
        folder.write("a.npy", &float64(&[len, 1, 1], &vec![1.0; len]));
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "ulimit -v 2097152; exec \"$@\"", "sh", program::PROGRAM, "solve"]);
        let [a, b, x] = ["a.npy", "b.npy", "x.npy"].map(|name| folder.path(name));
        command.args([&a, &b, "-o", &x, "--engine", "cpu"]);
        finish(command, b"").assert_failed(4, "not enough memory: 7200000000 bytes");
        assert_eq!(folder.names(), ["a.npy", "b.npy"]);
    }
}

/// Files of any length fit in 512 MiB of memory: here 640 MB, one of them read twice, with 512 MiB of address space.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_files() {
    let folder = Folder::new();
    // Sparse files take no disk space. They read as zeros, so every matrix is singular.
    let sparse = |name: &str, order: &str, shape: &str, bytes: u64| {
        let header = raw_npy(1, &format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': {shape}, }}"), &[]);
        folder.write(name, &header);
        let file = fs::File::options().write(true).open(folder.path(name)).unwrap();
        file.set_len(header.len() as u64 + bytes).unwrap();
        folder.path(name)
    };
    for order in ["False", "True"] {
        let a = sparse("a.npy", order, "(1000000, 8, 8)", 512_000_000);
        let b = sparse("b.npy", order, "(2, 1000000, 8, 1)", 128_000_000);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "ulimit -v 524288; exec \"$@\" > /dev/null", "sh", program::PROGRAM, "solve", &a, &b]);
        command.args(["-o", "-", "--engine", "cpu"]);
        // Each malloc arena reserves 64 MiB of address space, used or not.
        command.envs([("RAYON_NUM_THREADS", "2"), ("MALLOC_ARENA_MAX", "1")]);
        let out = finish(command, b"");
        out.assert_done();
        out.assert_line("2000000 of 2000000 systems were not solved: singular at (0, 0) (column 1), (0, 1) (column 1)");
    }
}

#[test]
#[cfg(unix)]
fn an_interrupt_removes_what_is_unfinished() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    for (signal, code, word) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
        let folder = Folder::new();
        folder.write("a.npy", &float64(&[1, 1], &[1.0]));
        folder.write("x.npy", b"older");
        let [a, x, s, d] = ["a.npy", "x.npy", "s.npy", "d.npy"].map(|name| folder.path(name));
        let args = ["solve", &a, "-", "-o", &x, "--status", &s, "--det", &d, "--engine", "cpu"];
        let mut command = program::batchinv_with_signals(&args);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The program waits for the rest of B, and its temporary files exist.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&npy("<f8", "(1000, 1, 1)", &[0; 64])).unwrap();
        let start = Instant::now();
        while program::unfinished(child.id(), folder.0.path()).len() < 3 {
            assert!(start.elapsed() < Duration::from_secs(60), "no temporary files");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(50));
        assert!(Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap().success());
        let out = Output::from(child.wait_with_output().unwrap());
        drop(stdin);
        out.assert_failed(code, word);
        assert_eq!(folder.names(), ["a.npy", "x.npy"]);
        assert_eq!(fs::read(&x).unwrap(), b"older");
    }
}

// ---------------------------------------------------------------------------------------------------------
// Determinants

#[test]
fn determinants_by_hand() {
    let folder = Folder::new();
    let log = folder.path("l.npy");
    // 1 * 4 - 2 * 3, singular, not finite, 10^400, 10^-400, and an exchange of rows.
    let matrices = [
        [1.0, 2.0, 3.0, 4.0],
        [1.0, 2.0, 2.0, 4.0],
        [f64::NAN, 1.0, 1.0, 1.0],
        [1e200, 0.0, 0.0, 1e200],
        [1e-200, 0.0, 0.0, -1e-200],
        [0.0, 1.0, 1.0, 0.0],
    ];
    folder.write("a.npy", &float64(&[3, 2, 2, 2], &matrices.concat()));
    let out = folder.det(&[]);
    out.assert_done();
    out.assert_line("6 determinants of order 2, float64, on the cpu engine (");
    out.assert_line("2 of 6 determinants are 0 or NaN: singular at (0, 1); not finite at (1, 0)");
    out.assert_line("2 of 6 determinants overflow or underflow: at (1, 1), (2, 0)");
    let det = folder.npy("d.npy");
    assert_eq!((&det.shape[..], &det.descr[..]), (&[3, 2][..], "<f8"));
    let values = det.reals();
    assert!((values[0] + 2.0).abs() < 1e-15 && values[2].is_nan(), "{values:?}");
    assert_eq!([values[1], values[3], values[4], values[5]], [0.0, f64::INFINITY, 0.0, -1.0]);
    assert!(values[4].is_sign_negative());

    let out = folder.det(&["--log", &log]);
    out.assert_done();
    assert!(!out.stderr.contains("overflow"), "{}", out.stderr);
    let (signs, logs) = (folder.npy("d.npy").reals(), folder.npy("l.npy"));
    assert_eq!((&logs.shape[..], &logs.descr[..]), (&[3, 2][..], "<f8"));
    let logs = logs.reals();
    assert!(signs[2].is_nan() && logs[2].is_nan());
    assert_eq!([signs[0], signs[1], signs[3], signs[4], signs[5]], [-1.0, 0.0, 1.0, -1.0, -1.0]);
    let ln10 = 10.0_f64.ln();
    for (log, wanted) in [(logs[0], 2.0_f64.ln()), (logs[3], 400.0 * ln10), (logs[4], -400.0 * ln10), (logs[5], 0.0)] {
        assert!((log - wanted).abs() <= 1e-15 * wanted.abs() + 1e-15, "{log}, not {wanted}");
    }
    assert_eq!(logs[1], f64::NEG_INFINITY);
}

#[test]
fn determinants_keep_types_and_shapes() {
    let folder = Folder::new();
    let log = folder.path("l.npy");
    for (descr, values, logs) in [
        ("<f4", "<f4", "<f4"),
        (">f8", "<f8", "<f8"),
        ("<c8", "<c8", "<f4"),
        (">c16", "<c16", "<f8"),
        ("<i2", "<f8", "<f8"),
        ("|b1", "<f8", "<f8"),
    ] {
        folder.write("a.npy", &npy(descr, "(2, 1, 1)", &one(descr).repeat(2)));
        folder.det(&["--log", &log]).assert_done();
        let (signs, logs_file) = (folder.npy("d.npy"), folder.npy("l.npy"));
        assert_eq!((&signs.descr[..], &logs_file.descr[..]), (values, logs), "{descr}");
        let [modulus, part] = if descr.contains('c') { [2.0_f64.sqrt(), 0.5_f64.sqrt()] } else { [1.0, 0.0] };
        for ([re, im], log) in signs.complexes().into_iter().zip(logs_file.reals()) {
            assert!((re.hypot(im) - 1.0).abs() < 1e-6 && (im - part).abs() < 1e-6, "{descr}: {re} {im}");
            assert!((log - modulus.ln()).abs() < 1e-6, "{descr}: {log}");
        }
    }
    for (axes, elements, values) in [
        (&[2, 2][..], vec![1.0, 0.0, 0.0, 3.0], vec![3.0]),
        (&[0, 2, 2], vec![], vec![]),
        (&[2, 0, 3, 3], vec![], vec![]),
        (&[0, 0], vec![], vec![1.0]),
        (&[2, 0, 0], vec![], vec![1.0; 2]),
    ] {
        for bytes in [float64(axes, &elements), fortran(axes, &elements)] {
            let out = finish(batchinv(&["det", "-", "-o", &folder.path("d.npy"), "--engine", "cpu"]), &bytes);
            out.assert_done();
            let det = folder.npy("d.npy");
            assert_eq!((&det.shape[..], det.reals()), (&axes[..axes.len() - 2], values.clone()), "{axes:?}");
        }
    }
}

#[test]
fn determinants_are_those_of_the_library_in_any_pieces() {
    let (order, len) = (6, 200);
    let mut random = Random(3);
    let a: Vec<f32> = (0..len * order * order).map(|_| random.next()).collect();
    let folder = Folder::new();
    folder.write("a.npy", &float32(&[len, order, order], &a));
    let wanted = Inverter::cpu().determinants(Stack::new(&a, order).unwrap()).unwrap().values;
    let wanted: Vec<f32> = wanted.iter().map(|determinant| determinant.value()).collect();
    for piece in ["1000000000", "1000", "1"] {
        let (a, d) = (folder.path("a.npy"), folder.path("d.npy"));
        let mut command = batchinv(&["det", &a, "-o", &d, "--engine", "cpu"]);
        command.env("BATCHINV_TEST_PIECE", piece);
        finish(command, b"").assert_done();
        assert!(folder.npy("d.npy").data == bytemuck::cast_slice::<f32, u8>(&wanted), "{piece}");
    }
}

#[test]
fn determinants_of_an_archive_are_an_archive() {
    let folder = Folder::new();
    let (d, l) = (folder.path("d.npz"), folder.path("l.npz"));
    let archive = data("arrays.npz");
    let out = run(&["det", path(&archive), "-o", &d, "--log", &l, "--json", "--engine", "cpu"]);
    out.assert_done();
    let arrays = out.json()["arrays"].as_array().unwrap().clone();
    assert_eq!(arrays.len(), 9);
    out.assert_line("float32: 10 determinants of order 5, float32");
    // Each array is as it is alone.
    for (file, alone) in [(&d, "d.npy"), (&l, "l.npy")] {
        let entries = entries(&fs::read(file).unwrap());
        assert_eq!(entries.len(), arrays.len());
        for ((entry, bytes), array) in entries.into_iter().zip(&arrays) {
            assert_eq!(entry, format!("{}.npy", array["name"].as_str().unwrap()));
            let [d, l] = ["d.npy", "l.npy"].map(|name| folder.path(name));
            run(&["det", path(&data(&entry)), "-o", &d, "--log", &l, "--engine", "cpu", "--quiet"]).assert_done();
            assert!(bytes == fs::read(folder.path(alone)).unwrap(), "{entry}");
        }
    }
    run(&["det", path(&archive), "-o", &folder.path("x.npy")]).assert_failed(2, "its name must not end in .npy");
}

// ---------------------------------------------------------------------------------------------------------

/// A folder with files of these names: `a.npy` and `b.npy` go in, `x.npy` or `d.npy` comes out.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        path(&PathBuf::from(self.0.path()).join(name)).to_owned()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    #[track_caller]
    fn npy(&self, name: &str) -> Npy {
        Npy::read(self.path(name).as_ref())
    }

    fn names(&self) -> Vec<String> {
        names_in(self.0.path())
    }

    fn solve(&self, options: &[&str]) -> Output {
        let [a, b, x] = ["a.npy", "b.npy", "x.npy"].map(|name| self.path(name));
        let engine: &[&str] = if options.contains(&"--engine") { &[] } else { &["--engine", "cpu"] };
        run(&[&["solve", &a, &b, "-o", &x], engine, options].concat())
    }

    fn det(&self, options: &[&str]) -> Output {
        let [a, d] = ["a.npy", "d.npy"].map(|name| self.path(name));
        run(&[&["det", &a, "-o", &d, "--engine", "cpu"], options].concat())
    }
}

fn float64(axes: &[usize], elements: &[f64]) -> Vec<u8> {
    npy("<f8", &tuple(axes), &elements.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

fn float32(axes: &[usize], elements: &[f32]) -> Vec<u8> {
    npy("<f4", &tuple(axes), &elements.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

/// The same array with its elements in Fortran order.
fn fortran(axes: &[usize], elements: &[f64]) -> Vec<u8> {
    let mut turned = vec![0.0; elements.len()];
    for (place, &element) in elements.iter().enumerate() {
        let (mut rest, mut at, mut step) = (place, 0, elements.len());
        for &axis in axes.iter().rev() {
            step /= axis;
            at += rest % axis * step;
            rest /= axis;
        }
        turned[at] = element;
    }
    let header = format!("{{'descr': '<f8', 'fortran_order': True, 'shape': {}, }}", tuple(axes));
    raw_npy(1, &header, &turned.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

fn tuple(axes: &[usize]) -> String {
    format!("({})", axes.iter().map(|axis| format!("{axis}, ")).collect::<String>().trim_end())
}

/// xorshift64*
struct Random(u64);

impl Random {
    /// From -1 to 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}
