//! The program `batchinv`, run from the command line.
//!
//! `tests/data` holds input files and the results that NumPy gives for them, both written by `tests/data/make.py`.
#![cfg(feature = "cli")]

mod program;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{
    Npy, Output, PROGRAM, adapter_or_skip, batchinv, data, data_files, finish, names_in, npy, path, raw_npy, run,
};
use tempfile::TempDir;

// ---------------------------------------------------------------------------------------------------------
// Agreement with NumPy

#[test]
fn cpu_agrees_with_numpy_on_every_file() {
    for name in data_files() {
        let results = Results::of(&name, &["--engine", "cpu", "--verify"]);
        results.assert_agree(&name);
    }
}

#[test]
fn double_precision_is_numpys_to_one_ulp() {
    for name in data_files() {
        let results = Results::of(&name, &["--engine", "cpu", "--precision", "double"]);
        results.assert_agree(&name);
        let wanted = expected(&name, "expected");
        if !matches!(&wanted.descr[..], "<f4" | "<c8") {
            continue;
        }
        // NumPy, too, computes float32 and complex64 in double precision. The two double results differ by no
        // more than `assert_agree` allows for float64; rounding them may add one unit in the last place.
        let order = *wanted.shape.last().unwrap();
        let size = order * order;
        let (got, wanted) = (results.inverses.complexes(), wanted.complexes());
        for (m, rcond) in expected(&name, "rcond").reals().into_iter().enumerate().filter(|(_, rcond)| *rcond > 0.0) {
            let (got, wanted) = (&got[m * size..][..size], &wanted[m * size..][..size]);
            let double = 6.0 * order as f64 * 0.5_f64.powi(53) / rcond * norm(wanted, order);
            for (got, wanted) in got.as_flattened().iter().zip(wanted.as_flattened()) {
                let ulp = f64::from((*wanted as f32).abs().next_up()) - wanted.abs();
                assert!((got - wanted).abs() <= ulp + double, "{name}: {got:e}, NumPy has {wanted:e}");
            }
        }
    }
}

#[test]
fn gpu_agrees_with_numpy_on_every_file_it_takes() {
    if !adapter_or_skip("gpu_agrees_with_numpy_on_every_file_it_takes") {
        return;
    }
    for name in data_files() {
        let folder = TempDir::new().unwrap();
        let out = Results::run(&folder, &name, &["--engine", "gpu", "--verify"]);
        let promised = expected(&name, "expected").descr == "<f4" && !name.starts_with("order0");
        // Every adapter can do float32 at orders 1 to 32. Other work may be refused, but must not come out wrong.
        if out.code == 3 && !promised {
            out.assert_line("the gpu engine cannot do this");
            assert_eq!(names_in(folder.path()), [""; 0]);
            continue;
        }
        out.assert_done();
        Results::in_folder(folder).assert_agree(&name);
    }
}

/// The automatic choice of a GPU, with a software adapter if there is no other, and its fallback to the CPU.
#[test]
#[cfg(feature = "testing")]
fn auto_takes_a_software_adapter_under_the_test_policy() {
    if !adapter_or_skip("auto_takes_a_software_adapter_under_the_test_policy") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let run = |input: &Path| {
        let mut command = batchinv(&["inv", "--json", "--quiet", "--engine", "auto", "-o"]);
        command.arg(&output).arg(input).env("BATCHINV_TEST_AUTO", "software");
        let out = finish(command, b"");
        out.assert_done();
        out.json()
    };
    let json = run(&data("covariances.npy"));
    assert_eq!(json["engine"], "gpu", "{json}");
    assert!(json["adapter"].is_string() && json["reason"].is_string(), "{json}");
    let json = run(&data("float64.npy"));
    assert_eq!(json["engine"], "cpu", "{json}");
    assert!(json["adapter"].is_null() && json["reason"].is_string(), "{json}");
}

#[test]
fn auto_says_why_and_never_takes_a_software_adapter() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let out = run(&["inv", path(&data("covariances.npy")), "-o", path(&output), "--json"]);
    out.assert_done();
    let json = out.json();
    assert!(json["reason"].is_string(), "{json}");
    if json["engine"] == "gpu" {
        let adapters = run(&["info", "--json"]).json()["adapters"].clone();
        let taken = adapters.as_array().unwrap().iter().find(|a| a["name"] == json["adapter"]).unwrap().clone();
        assert_ne!(taken["kind"], "software");
    }
    assert!(out.stderr.contains(json["reason"].as_str().unwrap()), "{}", out.stderr);
}

// ---------------------------------------------------------------------------------------------------------
// Input and output

#[test]
fn stdin_and_stdout_carry_the_same_bytes_as_files() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    for name in data_files() {
        let input = fs::read(data(&format!("{name}.npy"))).unwrap();
        run(&["inv", path(&data(&format!("{name}.npy"))), "-o", path(&output), "--engine", "cpu"]).assert_done();
        let out = finish(batchinv(&["inv", "-", "-o", "-", "--engine", "cpu"]), &input);
        out.assert_done();
        assert!(out.stdout == fs::read(&output).unwrap(), "{name}: nothing but the array goes to stdout");
    }
}

#[test]
fn long_streams_arrive_whole() {
    // Longer than the first read of a stream, and not by a round number. Twice the
    // identity; its inverse is half of it.
    let folder = TempDir::new().unwrap();
    let (input, output) = (folder.path().join("a.npy"), folder.path().join("x.npy"));
    let len = 100_003;
    let float32: Vec<u8> = (0..9 * len).flat_map(|i| if i % 4 == 0 { 2.0_f32 } else { 0.0 }.to_be_bytes()).collect();
    let int16: Vec<u8> = (0..9 * len).flat_map(|i| if i % 9 % 4 == 0 { 2_i16 } else { 0 }.to_le_bytes()).collect();
    // The float32 pattern has period 4 rather than 9, so it misses the diagonal of
    // later matrices, and they are singular.
    for (descr, elements, singular) in [(">f4", float32, true), ("<i2", int16, false)] {
        let bytes = npy(descr, &format!("({len}, 3, 3)"), &elements);
        fs::write(&input, &bytes).unwrap();
        let options = ["--engine", "cpu", "--json", "--quiet"];
        let file = run(&[&["inv", path(&input), "-o", path(&output)][..], &options].concat());
        file.assert_done();
        let stream = finish(batchinv(&[&["inv", "-", "-o", "-"][..], &options].concat()), &bytes);
        stream.assert_done();
        assert!(stream.stdout == fs::read(&output).unwrap(), "{descr}");
        assert_eq!(file.json()["counts"]["inverted"] == len, !singular, "{}", file.json());
        if !singular {
            assert!(
                Npy::read(&output)
                    .reals()
                    .iter()
                    .enumerate()
                    .all(|(i, &x)| x == if i % 9 % 4 == 0 { 0.5 } else { 0.0 })
            );
        }
    }
}

#[test]
fn fortran_order_is_another_order_of_the_same_array() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    // Axes of different lengths, so that swapping any two shows; more matrices than are moved at a time.
    let axes = [3, 5, 7, 2, 2];
    let value = |i: [usize; 5]| (i[0] * 1000 + i[1] * 100 + i[2] * 10) as f64 + if i[3] == i[4] { 2.0 } else { 1.0 };
    let (mut c, mut fortran) = (Vec::new(), vec![0; 8 * 3 * 5 * 7 * 4]);
    for place in 0..3 * 5 * 7 * 4 {
        let mut index = [0; 5];
        let mut rest = place;
        for axis in (0..5).rev() {
            (index[axis], rest) = (rest % axes[axis], rest / axes[axis]);
        }
        let turned = (0..5).rev().fold(0, |turned, axis| turned * axes[axis] + index[axis]);
        let bytes = value(index).to_le_bytes();
        c.extend(bytes);
        fortran[8 * turned..][..8].copy_from_slice(&bytes);
    }
    let header = |order: &str| format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': (3, 5, 7, 2, 2), }}");
    let invert = |bytes: &[u8]| {
        finish(batchinv(&["inv", "-", "-o", path(&output), "--engine", "cpu", "--strict"]), bytes).assert_done();
        fs::read(&output).unwrap()
    };
    assert!(invert(&raw_npy(1, &header("False"), &c)) == invert(&raw_npy(1, &header("True"), &fortran)));
}

#[test]
fn unusual_headers_that_numpy_reads_are_read() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let one = 4.0_f64.to_le_bytes();
    let ones = "1, ".repeat(63) + "1";
    for header in [
        // Python 2 wrote long integers with an L.
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1L, 1L), }",
        // Other writers use no padding, other quotes and spaces, or another order of the keys.
        "{'descr':'<f8','fortran_order':False,'shape':(1,1)}",
        "{ \"shape\" : ( 1 , 1 ) , \"descr\" : \"<f8\" , \"fortran_order\" : True }",
        // NumPy's maximum number of axes.
        &format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({ones})}}"),
    ] {
        for version in 1..=3 {
            let input = raw_npy(version, header, &one);
            finish(batchinv(&["inv", "-", "-o", path(&output), "--engine", "cpu"]), &input).assert_done();
            assert_eq!(Npy::read(&output).reals(), [0.25], "{header}");
        }
    }
}

#[test]
fn a_single_matrix_has_a_status_without_axes() {
    let results = Results::of("singular_matrix", &["--engine", "cpu"]);
    assert_eq!(results.status.shape, [0_usize; 0]);
    assert_eq!((results.status.descr.as_str(), results.status.ints()), ("<i4", vec![2]));
    assert_eq!(results.rcond.shape, [0_usize; 0]);
}

#[test]
fn a_status_without_inverse_comes_with_one_bit_pattern() {
    for (name, pattern) in [
        ("singular", 0x7ff8_0000_0000_0000_u64.to_le_bytes().to_vec()),
        ("singular_complex", 0x7fc0_0000_u32.to_le_bytes().to_vec()),
    ] {
        let results = Results::of(name, &["--engine", "cpu"]);
        let size = results.inverses.data.len() / results.status.ints().len();
        let mut seen = 0;
        for (status, matrix) in results.status.ints().iter().zip(results.inverses.data.chunks(size)) {
            let filled = matrix.chunks(pattern.len()).all(|part| part == pattern);
            assert_eq!(filled, *status != 0, "{name}");
            seen += usize::from(filled);
        }
        assert!(seen > 3);
    }
}

#[test]
fn the_output_may_be_the_input() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.npy");
    fs::copy(data("float64.npy"), &file).unwrap();
    run(&["inv", path(&file), "-o", path(&file), "--engine", "cpu"]).assert_done();
    assert!(fs::read(&file).unwrap() == fs::read(Results::of("float64", &["--engine", "cpu"]).path("x.npy")).unwrap());
    assert_eq!(names_in(folder.path()), ["a.npy"]);
}

#[test]
fn any_one_output_may_be_stdout() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("x.npy");
    let input = data("singular.npy");
    let whole = Results::of("singular", &["--engine", "cpu"]);
    for (option, stream) in [("--status", "s.npy"), ("--rcond", "r.npy")] {
        let out = run(&["inv", path(&input), "-o", path(&file), option, "-", "--engine", "cpu"]);
        out.assert_done();
        assert!(out.stdout == fs::read(whole.path(stream)).unwrap());
        assert!(fs::read(&file).unwrap() == fs::read(whole.path("x.npy")).unwrap());
    }
}

// ---------------------------------------------------------------------------------------------------------
// Bad input: exit status 2, a message that names the fault, and nothing left behind

#[test]
fn bad_input_is_named_and_leaves_nothing() {
    let header = |descr: &str, shape: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    let f8 = |shape: &str, bytes: usize| raw_npy(1, &header("'<f8'", shape), &vec![1; bytes]);
    let dtype = |descr: &str| raw_npy(1, &header(descr, "(2, 2)"), &[0; 256]);
    let text = |text: &str| raw_npy(1, text, &[0; 32]);
    let good = f8("(2, 2)", 32);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let lie = |version: u8, len: &[u8]| [b"\x93NUMPY", &[version, 0][..], len, b"{'descr': '<f8'"].concat();
    let deep = |open: &str, close: &str, levels: usize| {
        text(&header(&format!("{}1{}", open.repeat(levels), close.repeat(levels)), "(2, 2)"))
    };
    // The input that takes npyz's parser longest.
    let bomb = header(&("[".repeat(5) + &"1, ".repeat(15_000) + &"]".repeat(5)), "(2, 2)");

    let cases: Vec<(Vec<u8>, &str)> = vec![
        // The file.
        (vec![], "not a .npy file: it is empty"),
        (b"\x93NUM".to_vec(), "not a .npy file"),
        (b"1.0 2.0\n3.0 4.0\n".to_vec(), "not a .npy file: it does not start with \\x93NUMPY"),
        (with(6, 4), "its .npy version is 4.0"),
        (with(6, 0), "its .npy version is 0.0"),
        (with(7, 1), "its .npy version is 1.1"),
        (good[..7].to_vec(), "truncated: it ends in the header"),
        (good[..9].to_vec(), "truncated: it ends in the header"),
        (good[..30].to_vec(), "truncated: it ends in the header"),
        (lie(1, &[0xff, 0xff]), "truncated: it ends in the header"),
        (lie(2, &[0xff; 4]), "its header claims 4294967295 bytes"),
        (lie(3, &[1, 0, 1, 0]), "its header claims 65537 bytes"),
        (good[..good.len() - 1].to_vec(), "truncated"),
        ([&good[..], &[0]].concat(), "one file holds one array"),
        ([&good[..], &good[..]].concat(), "one file holds one array"),
        // The header.
        (text(""), "its header is not one that NumPy writes"),
        (text("\u{e9}"), "its header is not one that NumPy writes: it holds 'Ã'"),
        (raw_npy(3, "'\u{e9}'", &[]), "its header is not one that NumPy writes"),
        (with(64, 0), "its header is not one that NumPy writes: it holds '\\0'"),
        ([b"\x93NUMPY\x03\0\x02\0\0\0", &[0xff, 0xfe][..]].concat(), "it is not UTF-8"),
        (text("[1, 2]"), "expected a python dict"),
        (text("{'descr', 'fortran_order', 'shape'}"), "expected a python dict"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)"), "its header is not one that NumPy writes"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}}"), "its brackets do not match"),
        (
            text("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)} 1"),
            "its header is not one that NumPy writes",
        ),
        (text("{1: '<f8', 'fortran_order': False, 'shape': (2, 2)}"), "key is not string"),
        (text("{'fortran_order': False, 'shape': (2, 2)}"), "missing key 'descr'"),
        (text("{'descr': '<f8', 'shape': (2, 2)}"), "missing key 'fortran_order'"),
        (text("{'descr': '<f8', 'fortran_order': False}"), "missing key 'shape'"),
        (text("{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 2)}"), "'fortran_order' value is not a bool"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': 4}"), "shape must be"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': ('2', 2)}"), "dimension must be an integer"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': (True, 2)}"), "dimension must be an integer"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': (2.0, 2)}"), "it holds '.'"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': (0x2, 2)}"), "it holds x2"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': (1+1, 2)}"), "it holds '+'"),
        (text("{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os'), 2)}"), "it holds '_'"),
        (text("{'descr': '<f8, 'fortran_order': False, 'shape': (2, 2)}"), "its header is not one that NumPy writes"),
        (text("{'descr': '<f8"), "a string does not end"),
        (text("{'descr': '\\x3cf8', 'fortran_order': False, 'shape': (2, 2)}"), "an escape"),
        (text("{'descr': '<f8', 'fortran_order': {}, 'shape': (2, 2)}"), "a dictionary in a dictionary"),
        (deep("(", ",)", 6), "its header is not one that NumPy writes: its brackets are more than 6 deep"),
        (deep("[", "]", 30_000), "its brackets are more than 6 deep"),
        (text(&"[".repeat(60_000)), "its brackets are more than 6 deep"),
        (text(&bomb), "its dtype is [[[[[1, 1, "),
        (text(&bomb[..bomb.len() - 4]), "its brackets do not match"),
        (
            text("{'descr': '<f8', 'fortran_order': False 'shape': (2, 2)}"),
            "could not parse Python expression: syntax error from character 35",
        ),
        // The dtype.
        (dtype("'<f2'"), "its dtype is <f2 (float16)"),
        (dtype("'<f16'"), "its dtype is <f16 (longdouble)"),
        (dtype("'<f12'"), "its dtype is <f12"),
        (dtype("'<c32'"), "its dtype is <c32 (clongdouble)"),
        (dtype("'|O'"), "its dtype is |O (object)"),
        (dtype("'|S4'"), "its dtype is |S4 (bytes)"),
        (dtype("'<U4'"), "its dtype is <U4 (str)"),
        (dtype("'<M8[ns]'"), "its dtype is <M8[ns] (datetime64)"),
        (dtype("'<m8[s]'"), "its dtype is <m8[s] (timedelta64)"),
        (dtype("'|V8'"), "its dtype is |V8 (void)"),
        (dtype("[('x', '<f4'), ('y', '<f4')]"), "its dtype is [('x', '<f4'), ('y', '<f4')] (a structured dtype)"),
        (dtype("[('x', [('y', '<f4', (2,))])]"), "(a structured dtype)"),
        (dtype("('<f4', (2, 2))"), "its dtype is ('<f4', (2, 2))"),
        (dtype("'<i16'"), "its dtype is <i16"),
        (dtype("'=f16'"), "its dtype is =f16"),
        (f8("[2, 2]", 32), "its shape is a list"),
        (dtype("'|T16'"), "its dtype is |T16"),
        (dtype("'<U99999999999999999999'"), "its dtype is <U99999999999999999999"),
        (dtype("None"), "its dtype is None"),
        (dtype("''"), "its header is not one that NumPy writes"),
        // The shape.
        (f8("()", 8), "its shape is (): matrices need at least 2 axes"),
        (f8("(4,)", 32), "its shape is (4,): matrices need at least 2 axes"),
        (f8("(2, 3)", 48), "its shape is (2, 3): the last two axes must be equal"),
        (f8("(5, 2, 3)", 240), "its shape is (5, 2, 3): the last two axes must be equal"),
        (f8("(5, 0, 3)", 0), "its shape is (5, 0, 3): the last two axes must be equal"),
        (f8("(-2, -2)", 32), "a negative size"),
        (f8("(1000000, 1000, 1000)", 64), "truncated"),
        (f8("(4294967296, 4294967296)", 0), "more than memory can address"),
        (f8("(9223372036854775808, 2, 2)", 0), "more than memory can address"),
        (f8("(18446744073709551615, 18446744073709551615)", 0), "more than memory can address"),
        (f8("(18446744073709551616, 18446744073709551616)", 0), "more than memory can address"),
        (f8("(4294967296, 0, 4294967296, 4294967296)", 0), "more than memory can address"),
        (f8("(0, 2000000000, 2000000000)", 0), "more than memory can address"),
        // Too large as float64, to which bool is converted.
        (npy("|b1", "(0, 1073741824, 1073741824)", &[]), "more than memory can address"),
        (f8("(1000000000000, 0, 0)", 0), "at most 16777216 matrices of order 0 are supported"),
        (f8(&format!("({}2, 2)", "1, ".repeat(63)), 32), "it has 65 axes"),
    ];
    for (bytes, what) in cases {
        let folder = TempDir::new().unwrap();
        let [input, output, status] = ["a.npy", "x.npy", "s.npy"].map(|name| folder.path().join(name));
        fs::write(&input, &bytes).unwrap();
        let options = ["-o", path(&output), "--status", path(&status), "--engine", "cpu"];
        let out = run(&[&["inv", path(&input)], &options[..]].concat());
        out.assert_failed(2, what);
        out.assert_line(&format!("batchinv: {}: ", input.display()));
        assert_eq!(names_in(folder.path()), ["a.npy"], "{what}");
        // The same from a stream, whose length is unknown.
        let out = finish(batchinv(&[&["inv", "-"], &options[..]].concat()), &bytes);
        out.assert_failed(2, what);
        out.assert_line("batchinv: standard input: ");
        assert_eq!(names_in(folder.path()), ["a.npy"], "{what}");
    }
}

/// A header can claim any size. With 2 GiB of address space, a header that falsely claims 8 TB is refused because the
/// file is too short, not for lack of memory.
#[test]
#[cfg(target_os = "linux")]
fn a_lie_costs_no_memory_and_an_honest_giant_is_refused() {
    let folder = TempDir::new().unwrap();
    let (input, output) = (folder.path().join("a.npy"), folder.path().join("x.npy"));
    let limited = |from: &str, bytes: &[u8]| {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 2097152; exec \"$@\"", "sh", PROGRAM, "inv", from]);
        command.args(["-o", path(&output), "--engine", "cpu"]);
        finish(command, bytes)
    };
    for descr in ["<f8", "<i8"] {
        let lie = npy(descr, "(1000000, 1000, 1000)", &[0; 1000]);
        fs::write(&input, &lie).unwrap();
        limited(path(&input), b"").assert_failed(2, "truncated");
        limited("-", &lie).assert_failed(2, "truncated");
        // A sparse file that is as long as its header says. One matrix must fit into memory, and this one does not.
        let honest = npy(descr, "(30000, 30000)", &[]);
        fs::write(&input, &honest).unwrap();
        fs::File::options().write(true).open(&input).unwrap().set_len(honest.len() as u64 + 7_200_000_000).unwrap();
        limited(path(&input), b"").assert_failed(4, "not enough memory: 7200000000 bytes");
        assert_eq!(names_in(folder.path()), ["a.npy"]);
    }
}

#[test]
fn sizes_without_elements_cost_nothing() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    for shape in ["(0, 1000000000, 1000000000)", "(1000000000, 0, 3, 3)", "(16777216, 0, 0)", "(0, 0, 0)", "(0, 0)"] {
        let input = npy("<f4", shape, &[]);
        finish(batchinv(&["inv", "-", "-o", path(&output), "--engine", "cpu", "--verify"]), &input).assert_done();
        assert_eq!(Npy::read(&output).data, [0_u8; 0], "{shape}");
    }
}

#[test]
fn an_input_that_cannot_be_read_is_named() {
    let folder = TempDir::new().unwrap();
    let (missing, output) = (folder.path().join("missing.npy"), folder.path().join("x.npy"));
    run(&["inv", path(&missing), "-o", path(&output)]).assert_failed(4, path(&missing));
    run(&["inv", path(folder.path()), "-o", path(&output)]).assert_failed(4, "it is a folder");
    assert_eq!(names_in(folder.path()), [""; 0]);
}

// ---------------------------------------------------------------------------------------------------------
// Arguments

#[test]
fn bad_arguments_are_said_in_one_line() {
    let folder = TempDir::new().unwrap();
    let input = data("matrix.npy");
    let file = folder.path().join("x.npy");
    let (input, file) = (path(&input), path(&file));
    for (args, what) in [
        (&[][..], "subcommand"),
        (&["frob"], "frob"),
        (&["inv"], "--output"),
        (&["inv", input], "--output"),
        (&["inv", input, "-o", file, "--engine", "tpu"], "tpu"),
        (&["inv", input, "-o", file, "--precision", "half"], "half"),
        (&["inv", input, "-o", file, "--frob"], "--frob"),
        (&["inv", input, "-o", "-", "--status", "-"], "only one"),
        (&["inv", input, "-o", file, "--status", "-", "--rcond", "-"], "only one"),
        (&["inv", input, "-o", file, "--status", file], "the same file"),
        (&["inv", input, "-o", file, "--engine", "cpu", "--adapter", "x"], "--adapter"),
        (&["info", "x"], "x"),
    ] {
        run(args).assert_failed(2, what);
    }
    // The same file under another name.
    let other = folder.path().join(".").join("x.npy");
    let twice = ["inv", input, "-o", file, "--rcond", path(&other)];
    run(&twice).assert_failed(2, "the same file");
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[test]
fn help_and_version_are_no_failure() {
    for (args, says) in [
        (&["--help"][..], "Exit status"),
        (&["inv", "--help"], "OUTPUT may be INPUT itself"),
        (&["inv", "--help"], "One file holds one array"),
        (&["info", "--help"], "JSON"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let out = run(args);
        out.assert_done();
        assert!(String::from_utf8_lossy(&out.stdout).replace('\n', " ").contains(says), "{args:?}");
        assert_eq!(out.stderr, "");
    }
}

// ---------------------------------------------------------------------------------------------------------
// Reports

#[test]
fn matrices_without_an_inverse_are_counted_and_named() {
    let invert = |name: &str, options: &[&str]| {
        let out = Results::run(&TempDir::new().unwrap(), name, &[&["--engine", "cpu"], options].concat());
        out.assert_done();
        // The choice of kernel is tested elsewhere.
        let json = Results::run(&TempDir::new().unwrap(), name, &["--engine", "cpu", "--json"]).json();
        let kernel = format!("({})", json["kernel"].as_str().unwrap());
        out.stderr.replace(&kernel, "(some kernel)")
    };
    assert_eq!(
        invert("singular", &[]),
        "batchinv: 12 matrices of order 4, float64, on the cpu engine (some kernel)\n\
         batchinv: 8 of 12 matrices have no inverse: singular at 1 (column 1), 2 (column 4), 3 (column 1), \
         5 (column 4), ...; not finite at 7, 8, 9\n"
    );
    assert!(invert("bool", &[]).ends_with("batchinv: 1 of 2 matrices has no inverse: singular at 1 (column 3)\n"));
    assert!(invert("singular_matrix", &[]).ends_with("batchinv: the matrix has no inverse: singular (column 2)\n"));
    assert_eq!(invert("matrix", &[]), "batchinv: 1 matrix of order 4, float64, on the cpu engine (some kernel)\n");
    assert!(invert("matrix", &["--verify"]).contains("the largest residual ratio is 0."));
    assert_eq!(invert("singular", &["--quiet"]), "");
    assert_eq!(invert("singular", &["-q", "--verify"]), "");

    // Several leading axes: positions are tuples.
    let mut elements = [1.0_f64; 24];
    (elements[5 * 4], elements[2 * 4 + 1]) = (2.0, f64::NAN);
    let bytes: Vec<u8> = elements.iter().flat_map(|x| x.to_le_bytes()).collect();
    let input = npy("<f8", "(2, 3, 2, 2)", &bytes);
    let out = finish(batchinv(&["inv", "-", "-o", "-", "--engine", "cpu"]), &input);
    out.assert_line(
        "singular at (0, 0) (column 2), (0, 1) (column 2), (1, 0) (column 2), (1, 1) (column 2); not finite at (0, 2)",
    );
}

#[test]
fn json_tells_what_ran() {
    let folder = TempDir::new().unwrap();
    let options = ["--engine", "cpu", "--json", "--verify", "--precision", "double", "--quiet"];
    let out = Results::run(&folder, "singular", &options);
    out.assert_done();
    assert_eq!(out.stderr, "");
    let mut json = out.json();
    let seconds = json["seconds"].take();
    let total = seconds["total"].as_f64().unwrap();
    for stage in ["read", "prepare", "upload", "dispatch", "readback", "verify", "write"] {
        let time = seconds[stage].as_f64().unwrap();
        assert!((0.0..=total).contains(&time), "{stage}: {seconds}");
    }
    assert!(
        ["read", "dispatch", "verify", "write"].iter().all(|stage| seconds[stage].as_f64() > Some(0.0)),
        "{seconds}"
    );
    let ratio = json["verify"].take()["largest_ratio"].as_f64().unwrap();
    assert!(ratio > 0.0 && ratio < 3.0);
    assert!(json["kernel"].is_string());
    let expected = serde_json::json!({
        "schema": 1, "version": env!("CARGO_PKG_VERSION"),
        "engine": "cpu", "adapter": null, "kernel": json["kernel"], "chunks": 1, "reason": null,
        "scalar": "float64", "precision": "double", "arithmetic": "float64", "order": 4, "len": 12, "shape": [12, 4, 4],
        "counts": { "inverted": 4, "singular": 5, "not_finite": 3, "ill_conditioned": 0 },
        "first": [
            { "index": [1], "status": 1 }, { "index": [2], "status": 4 },
            { "index": [3], "status": 1 }, { "index": [5], "status": 4 },
            { "index": [7], "status": -1 }, { "index": [8], "status": -1 }, { "index": [9], "status": -1 },
        ],
        "verify": null, "seconds": null,
    });
    assert_eq!(json, expected);

    // Without --verify there is no ratio. Without --quiet, the report for humans appears on stderr as well.
    let out = Results::run(&folder, "singular", &["--engine", "cpu", "--json"]);
    assert_eq!((&out.json()["verify"], out.stderr.lines().count()), (&serde_json::Value::Null, 2));

    // When stdout carries an array, stderr carries the JSON object and nothing else.
    let out = run(&["inv", path(&data("singular.npy")), "-o", "-", "--engine", "cpu", "--json"]);
    assert!(out.stdout.starts_with(b"\x93NUMPY"));
    let json: serde_json::Value = serde_json::from_str(&out.stderr).unwrap();
    assert_eq!(json["counts"]["singular"], 5);
}

#[test]
fn strict_fails_in_numpys_words_and_writes_nothing() {
    let nan = npy("<f8", "(2, 1, 1)", &[1.0, f64::NAN].map(f64::to_le_bytes).concat());
    let zero = npy("<f8", "(1, 2, 1, 1)", &[1.0, 0.0].map(f64::to_le_bytes).concat());
    for (input, what) in [
        (fs::read(data("singular.npy")).unwrap(), "batchinv: Singular matrix: in matrix 1, the pivot of column 1 is"),
        (
            fs::read(data("singular_matrix.npy")).unwrap(),
            "batchinv: Singular matrix: in the matrix, the pivot of column 2",
        ),
        (zero, "batchinv: Singular matrix: in matrix (0, 1), the pivot of column 1"),
        (nan, "batchinv: not finite: matrix 1 holds NaN or infinity, or its inverse overflows"),
    ] {
        let folder = TempDir::new().unwrap();
        let [output, status, rcond] = ["x.npy", "s.npy", "r.npy"].map(|name| folder.path().join(name));
        fs::write(&output, "older").unwrap();
        let outputs = ["-o", path(&output), "--status", path(&status), "--rcond", path(&rcond)];
        for quiet in [&[][..], &["--quiet"]] {
            let args = [&["inv", "-", "--strict", "--engine", "cpu", "--json"], &outputs[..], quiet].concat();
            let out = finish(batchinv(&args), &input);
            out.assert_failed(1, what);
            assert_eq!(out.stdout, b"");
            assert_eq!(names_in(folder.path()), ["x.npy"]);
            assert_eq!(fs::read(&output).unwrap(), b"older");
        }
    }
    Results::of("float64", &["--strict", "--engine", "cpu"]).assert_agree("float64");
}

/// X A of a right inverse overflows if the columns of A differ by enough; what counts is its size beside ||A|| ||X||.
#[test]
fn verify_accepts_matrices_in_very_different_units() {
    let (big, small) = (2.0_f64.powi(800), 2.0_f64.powi(-800));
    let columns = [[big, small], [small, big]].into_iter().cycle();
    let matrices = (1..=16).zip(columns).flat_map(|(k, [first, second])| {
        let k = f64::from(k);
        [k * first / 3.0, second / 7.0, first / 5.0, (k + 1.0) * second / 11.0]
    });
    let input = npy("<f8", "(16, 2, 2)", &matrices.flat_map(f64::to_le_bytes).collect::<Vec<_>>());
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let args = ["inv", "-", "-o", path(&output), "--engine", "cpu", "--strict", "--verify", "--json"];
    let out = finish(batchinv(&args), &input);
    out.assert_done();
    let worst = out.json()["verify"]["largest_ratio"].as_f64();
    assert!(worst.is_some_and(|worst| worst < 3.0), "{worst:?}");
}

#[test]
fn info_covers_every_order_of_every_scalar() {
    let out = run(&["info", "--json"]);
    out.assert_done();
    let info = out.json();
    let engines = [&info["cpu"]].into_iter().chain(info["adapters"].as_array().unwrap());
    for engine in engines {
        let kernels = engine["kernels"].as_array().unwrap();
        let scalars: Vec<_> = kernels.iter().map(|kernel| kernel["scalar"].as_str().unwrap()).collect();
        assert_eq!(scalars, ["float32", "float64", "complex64", "complex128"]);
        for kernel in kernels {
            let mut next = 0;
            for range in kernel["ranges"].as_array().unwrap() {
                assert_eq!(range["first"], next);
                next = range["last"].as_u64().unwrap() + 1;
                assert!(range["kernel"].is_string() || engine["name"].is_string(), "the CPU takes all");
            }
            assert_eq!(next, 1025);
        }
    }
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert!(info["cpu"]["threads"].as_u64() >= Some(1));
    assert!(info["cpu"]["simd_levels"].as_array().unwrap().contains(&info["cpu"]["simd"]));

    let text = run(&["info"]);
    text.assert_done();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("float32") && text.contains("order 0") && text.contains("GPU"), "{text}");
}

// ---------------------------------------------------------------------------------------------------------
// No engine

#[test]
#[cfg(target_os = "linux")]
fn without_an_adapter_gpu_fails_and_auto_computes() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let without = |args: &[&str]| {
        let mut command = batchinv(args);
        // With these variables set, the Vulkan loader looks for drivers nowhere else.
        command.env("VK_DRIVER_FILES", "/nonexistent.json").env("VK_ICD_FILENAMES", "/nonexistent.json");
        finish(command, b"")
    };
    let input = data("covariances.npy");
    let invert = ["inv", path(&input), "-o", path(&output)];
    without(&[&invert[..], &["--engine", "gpu"]].concat()).assert_failed(3, "no GPU adapter");
    assert_eq!(names_in(folder.path()), [""; 0]);
    let out = without(&[&invert[..], &["--json"]].concat());
    out.assert_done();
    out.assert_line("128 matrices of order 32, float32, on the cpu engine (");
    out.assert_line("): no GPU adapter: ");
    assert_eq!(out.json()["engine"], "cpu");
    assert!(out.json()["reason"].as_str().unwrap().starts_with("no GPU adapter: "));

    let out = without(&["info"]);
    out.assert_done();
    assert!(String::from_utf8_lossy(&out.stdout).contains("GPU: no adapter was found"));
    assert_eq!(without(&["info", "--json"]).json()["adapters"], serde_json::json!([]));
}

/// In containers and under cron there is no `XDG_RUNTIME_DIR`, and libwayland, which Mesa asks for a device, complains.
#[test]
fn drivers_find_nothing_to_complain_about_without_a_session() {
    if !adapter_or_skip("drivers_find_nothing_to_complain_about_without_a_session") {
        return;
    }
    let input = data("covariances.npy");
    for folder in [None, Some("relative")] {
        let stderr = |args: &[&str]| {
            let mut command = batchinv(args);
            command.env_remove("XDG_RUNTIME_DIR").env_remove("NODEVICE_SELECT");
            command.envs(folder.map(|folder| ("XDG_RUNTIME_DIR", folder)));
            let out = finish(command, b"");
            out.assert_done();
            out.stderr
        };
        for engine in ["gpu", "auto"] {
            let stderr = stderr(&["inv", path(&input), "-o", "-", "--json", "--engine", engine]);
            let object: Result<serde_json::Value, _> = serde_json::from_str(&stderr);
            assert!(object.is_ok_and(|object| object["len"] == 128), "{engine}: {stderr}");
        }
        assert_eq!(stderr(&["info", "--json"]), "");
        let quick = ["bench", "--engine", "gpu", "--order", "2", "--len", "1", "--repeats", "1"];
        assert_eq!(stderr(&[&quick[..], &["--quiet", "--json", "-"]].concat()), "");
    }
}

#[test]
#[cfg(feature = "testing")]
fn a_driver_that_is_not_conformant_is_named_and_must_be_allowed() {
    if !adapter_or_skip("a_driver_that_is_not_conformant_is_named_and_must_be_allowed") {
        return;
    }
    let adapters = run(&["info", "--json"]).json()["adapters"].clone();
    let name = adapters[0]["name"].as_str().unwrap();
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    // wgpu hides every adapter whose name contains this, or every one for "".
    let run = |hidden: &str, args: &[&str]| {
        let mut command = batchinv(args);
        command.env("BATCHINV_TEST_NON_CONFORMANT", hidden);
        finish(command, b"")
    };
    let input = data("covariances.npy");
    let invert = ["inv", path(&input), "-o", path(&output), "--json", "--engine"];
    for adapter in [&["gpu"][..], &["gpu", "--adapter", name]] {
        let args = [&invert[..], adapter].concat();
        for hidden in [name, ""] {
            if hidden == name && adapter.len() == 1 {
                continue; // another adapter may take the work
            }
            let out = run(hidden, &args);
            out.assert_failed(3, "its driver is not conformant: ");
            assert!(out.stderr.contains(name) && out.stderr.contains("--allow-non-conformant"), "{}", out.stderr);
        }
        assert_eq!(names_in(folder.path()), [""; 0]);
        let out = run("", &[&args[..], &["--allow-non-conformant"]].concat());
        out.assert_done();
        assert_eq!(out.json()["engine"], "gpu");
        fs::remove_file(&output).unwrap();
    }
    let out = run("", &[&invert[..], &["auto"]].concat());
    out.assert_done();
    assert!(out.json()["reason"].as_str().unwrap().contains("its driver is not conformant: "), "{}", out.json());

    let quick = ["bench", "--engine", "gpu", "--order", "2", "--len", "1", "--repeats", "1"];
    run("", &quick).assert_failed(3, "its driver is not conformant: ");
    run("", &[&quick[..], &["--allow-non-conformant"]].concat()).assert_done();

    let names = |info: &serde_json::Value, list: &str| {
        let list = info[list].as_array().unwrap().clone();
        list.iter().map(|adapter| adapter["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = names(&serde_json::json!({ "adapters": adapters }), "adapters");
    let info = run("", &["info", "--json"]).json();
    assert_eq!((names(&info, "adapters"), names(&info, "hidden")), (Vec::new(), all.clone()));
    let info = run("", &["info", "--json", "--allow-non-conformant"]).json();
    assert_eq!((names(&info, "adapters"), names(&info, "hidden")), (all, Vec::new()));
    assert_eq!(info["adapters"][0]["non_conformant"], true);
    let text = |args: &[&str]| String::from_utf8(run("", args).stdout).unwrap();
    assert!(text(&["info"]).contains(&format!("GPU, hidden: {name}")));
    assert!(text(&["info", "--allow-non-conformant"]).contains("not conformant: results may be wrong"));
    run("", &["inv", path(&input), "-o", path(&output), "--engine", "cpu", "--allow-non-conformant"])
        .assert_failed(2, "--engine cpu never uses");
}

#[test]
fn an_adapter_that_is_not_there_is_named() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let out =
        run(&["inv", path(&data("float32.npy")), "-o", path(&output), "--engine", "gpu", "--adapter", "no such thing"]);
    out.assert_failed(3, "no such thing");
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[test]
fn the_gpu_engine_says_what_it_runs_on_and_what_it_cannot_take() {
    if !adapter_or_skip("the_gpu_engine_says_what_it_runs_on_and_what_it_cannot_take") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let name = run(&["info", "--json"]).json()["adapters"][0]["name"].as_str().unwrap().to_owned();
    let input = data("covariances.npy");
    // Part of the name is enough, ignoring case.
    let part = name[..name.len() / 2].to_uppercase();
    for adapter in [&[][..], &["--adapter", &name], &["--adapter", &part], &["--adapter", "0"]] {
        let out = run(&[&["inv", path(&input), "-o", path(&output), "--engine", "gpu", "--json"], adapter].concat());
        out.assert_done();
        let json = out.json();
        assert_eq!((json["engine"].as_str(), json["adapter"].as_str()), (Some("gpu"), Some(&name[..])), "{json}");
        assert!(json["reason"].is_null() && json["chunks"].as_u64() >= Some(1), "{json}");
        out.assert_line(&name);
    }
    fs::remove_file(&output).unwrap();
    let out = run(&["inv", path(&input), "-o", path(&output), "--engine", "gpu", "--adapter", ""]);
    out.assert_failed(3, &format!("no name is given; there are: 0 {name}"));
    // Order 20000 is above every GPU kernel's limit. The file is sparse and takes no disk space.
    let giant = folder.path().join("giant.npy");
    let header = npy("<f4", "(20000, 20000)", &[]);
    fs::write(&giant, &header).unwrap();
    fs::File::options().write(true).open(&giant).unwrap().set_len(header.len() as u64 + 1_600_000_000).unwrap();
    let out = run(&["inv", path(&giant), "-o", path(&output), "--engine", "gpu"]);
    out.assert_failed(3, "the gpu engine cannot do this: ");
    assert_eq!(names_in(folder.path()), ["giant.npy"]);
}

// ---------------------------------------------------------------------------------------------------------
// Files appear whole or not at all

#[test]
fn outputs_that_cannot_be_written_are_named_before_anything_is_read() {
    let folder = TempDir::new().unwrap();
    let nowhere = folder.path().join("nowhere").join("x.npy");
    let fine = folder.path().join("x.npy");
    // The input does not exist either; the outputs are checked first.
    run(&["inv", "missing.npy", "-o", path(&nowhere)]).assert_failed(4, path(&nowhere));
    run(&["inv", "missing.npy", "-o", path(&fine), "--status", path(&nowhere)]).assert_failed(4, path(&nowhere));
    run(&["inv", "missing.npy", "-o", path(folder.path())]).assert_failed(4, "it is a folder");
    run(&["inv", "missing.npy", "-o", "/"]).assert_failed(4, "it is a folder");
    if cfg!(unix) {
        // On Windows this path means the folder itself.
        let nothing = folder.path().join("nowhere").join("..");
        run(&["inv", "missing.npy", "-o", path(&nothing)]).assert_failed(4, "it names no file but a folder");
    }
    let slash = format!("{}/", folder.path().join("okk").display());
    run(&["inv", "missing.npy", "-o", &slash]).assert_failed(4, "it names no file but a folder");
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[test]
fn an_existing_file_is_replaced_whole() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    fs::write(&output, vec![7; 1 << 20]).unwrap();
    run(&["inv", path(&data("matrix.npy")), "-o", path(&output), "--engine", "cpu"]).assert_done();
    assert_eq!(fs::metadata(&output).unwrap().len(), 128 + 128);
    assert_eq!(names_in(folder.path()), ["x.npy"]);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
    use std::time::{Duration, Instant};

    use super::*;

    fn invert_to(output: &Path) -> Output {
        run(&["inv", path(&data("matrix.npy")), "-o", path(output), "--engine", "cpu"])
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn permissions_are_those_of_any_new_file_or_of_the_one_replaced() {
        let folder = TempDir::new().unwrap();
        let (output, touched) = (folder.path().join("x.npy"), folder.path().join("touched"));
        fs::write(&touched, "").unwrap();
        invert_to(&output).assert_done();
        assert_eq!(mode(&output), mode(&touched));

        let mut command = Command::new("sh");
        command.args(["-c", "umask 027; exec \"$@\"", "sh", PROGRAM, "inv", path(&data("matrix.npy"))]);
        let strict = folder.path().join("strict.npy");
        finish(
            {
                command.args(["-o", path(&strict), "--engine", "cpu"]);
                command
            },
            b"",
        )
        .assert_done();
        assert_eq!(mode(&strict), 0o640);

        for bits in [0o600, 0o666, 0o755] {
            fs::set_permissions(&output, PermissionsExt::from_mode(bits)).unwrap();
            let before = fs::metadata(&output).unwrap().ino();
            invert_to(&output).assert_done();
            assert_eq!(mode(&output), bits);
            assert_ne!(fs::metadata(&output).unwrap().ino(), before, "replaced, not rewritten");
        }
    }

    #[test]
    fn a_file_that_must_not_be_written_to_is_not_replaced() {
        let folder = TempDir::new().unwrap();
        let output = folder.path().join("x.npy");
        fs::write(&output, "older").unwrap();
        fs::set_permissions(&output, PermissionsExt::from_mode(0o444)).unwrap();
        if fs::File::options().append(true).open(&output).is_ok() {
            return; // Root may write to anything.
        }
        invert_to(&output).assert_failed(4, path(&output));
        assert_eq!(fs::read(&output).unwrap(), b"older");
        assert_eq!(names_in(folder.path()), ["x.npy"]);
    }

    #[test]
    fn a_name_of_several_lines_is_said_on_one() {
        let folder = TempDir::new().unwrap();
        let input = folder.path().join("one\ntwo\x1b[31m.npy");
        run(&["inv", path(&input), "-o", "-"]).assert_failed(4, "one; two [31m.npy: No such file");
    }

    #[test]
    fn a_symlink_stays_and_its_target_is_replaced() {
        let folder = TempDir::new().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::create_dir(place("there")).unwrap();
        fs::write(place("there/old.npy"), "older").unwrap();
        symlink("there/old.npy", place("one")).unwrap();
        symlink(place("one"), place("two")).unwrap();
        symlink("there/new.npy", place("dangling")).unwrap();
        symlink("round", place("round")).unwrap();
        for link in ["two", "dangling"] {
            invert_to(&place(link)).assert_done();
            assert!(fs::symlink_metadata(place(link)).unwrap().is_symlink());
            assert_eq!(Npy::read(&place(link)).shape, [4, 4]);
        }
        assert_eq!(names_in(&place("there")), ["new.npy", "old.npy"]);
        invert_to(&place("round")).assert_failed(4, "round");
        // Two names of one file are one file.
        let (one, two) = (place("one"), place("two"));
        let args = ["inv", path(&data("matrix.npy")).to_owned().leak(), "-o", path(&one), "--status", path(&two)];
        run(&args).assert_failed(2, "the same file");
        assert_eq!(names_in(folder.path()), ["dangling", "one", "round", "there", "two"]);
    }

    // Pipes stand in for everything that is not a regular file. If these tests used /dev/null instead, a faulty
    // program run as root could replace it for the whole machine.

    fn pipe_in(folder: &TempDir) -> PathBuf {
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        pipe
    }

    #[test]
    fn a_pipe_is_written_to_and_read_from_directly() {
        let expected = fs::read(Results::of("matrix", &["--engine", "cpu"]).path("x.npy")).unwrap();
        let folder = TempDir::new().unwrap();
        let pipe = pipe_in(&folder);
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        invert_to(&pipe).assert_done();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo(), "the pipe was replaced");
        assert!(reader.join().unwrap() == expected);
        assert_eq!(names_in(folder.path()), ["pipe"]);

        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, fs::read(data("matrix.npy")).unwrap()).unwrap()
        });
        let out = run(&["inv", path(&pipe), "-o", "-", "--engine", "cpu"]);
        writer.join().unwrap();
        assert!(out.stdout == expected);

        let out = invert_to(Path::new("/dev/stdout"));
        out.assert_done();
        assert!(out.stdout == expected);
    }

    /// Output that other programs wrote to the same file earlier is preserved.
    #[test]
    #[cfg(target_os = "linux")]
    fn dev_stdout_does_not_replace_the_file_behind_it() {
        let folder = TempDir::new().unwrap();
        let behind = folder.path().join("behind");
        fs::write(&behind, "before").unwrap();
        let mut command = batchinv(&["inv", path(&data("matrix.npy")), "-o", "/dev/stdout", "--engine", "cpu"]);
        let file = fs::File::options().append(true).open(&behind).unwrap();
        assert!(command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).status().unwrap().success());
        assert!(fs::read(&behind).unwrap().starts_with(b"before\x93NUMPY"));
    }

    #[test]
    fn outputs_after_one_that_fails_do_not_appear() {
        let folder = TempDir::new().unwrap();
        let (pipe, output) = (pipe_in(&folder), folder.path().join("x.npy"));
        // More statuses than a pipe buffers, and a reader that goes away.
        let ones = npy("<f8", "(100000, 1, 1)", &1.0_f64.to_le_bytes().repeat(100_000));
        std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::File::open(pipe).unwrap().read_exact(&mut [0; 8])
        });
        let out =
            finish(batchinv(&["inv", "-", "-o", path(&output), "--status", path(&pipe), "--engine", "cpu"]), &ones);
        out.assert_failed(4, &format!("cannot write {}", pipe.display()));
        assert_eq!(names_in(folder.path()), ["pipe"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_device_is_a_failure_to_write() {
        let folder = TempDir::new().unwrap();
        let output = folder.path().join("x.npy");
        let input = data("matrix.npy");
        for args in [
            &["inv", path(&input), "-o", "-", "--quiet", "--engine", "cpu"][..],
            &["inv", path(&input), "-o", path(&output), "--json", "--quiet", "--engine", "cpu"],
            &["info"],
        ] {
            let full = fs::File::options().append(true).open("/dev/full").unwrap();
            let out = batchinv(args).stdin(Stdio::null()).stdout(full).output().unwrap();
            Output::from(out).assert_failed(4, "cannot write standard output: No space left on device");
        }
    }

    #[test]
    fn a_broken_pipe_is_one_line_and_no_panic() {
        let file = TempDir::new().unwrap();
        let output = file.path().join("x.npy");
        let input = data("covariances.npy");
        for args in [
            &["inv", path(&input), "-o", "-", "--engine", "cpu", "--quiet"][..],
            &["inv", path(&input), "-o", path(&output), "--json", "--engine", "cpu", "--quiet"],
            &["info"],
            &["info", "--json"],
            &["--help"],
        ] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let out = batchinv(args).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
            let out = Output::from(out.wait_with_output().unwrap());
            out.assert_failed(4, "cannot write standard output");
        }
    }

    #[test]
    fn an_interrupt_removes_what_is_unfinished() {
        for (signal, code, word) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
            let folder = TempDir::new().unwrap();
            let [output, status] = ["x.npy", "s.npy"].map(|name| folder.path().join(name));
            fs::write(&output, "older").unwrap();
            fs::set_permissions(&output, PermissionsExt::from_mode(0o600)).unwrap();
            let args = ["inv", "-", "-o", path(&output), "--status", path(&status), "--engine", "cpu"];
            let mut command = program::batchinv_with_signals(&args);
            let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            // The program now waits for the rest of its input, and its temporary files exist.
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(&npy("<f8", "(1000, 4, 4)", &[0; 64])).unwrap();
            let start = Instant::now();
            while program::unfinished(child.id(), folder.path()).len() < 2 {
                assert!(start.elapsed() < Duration::from_secs(60), "no temporary files");
                std::thread::sleep(Duration::from_millis(5));
            }
            // The temporary file that will replace a private file is private from the start.
            let unfinished = program::unfinished(child.id(), folder.path());
            let modes: Vec<u32> = unfinished.iter().map(|file| file.permissions().mode() & 0o7777).collect();
            assert!(modes.contains(&0o600), "{modes:?}");
            std::thread::sleep(Duration::from_millis(50));
            assert!(
                Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap().success()
            );
            let out = Output::from(child.wait_with_output().unwrap());
            drop(stdin);
            out.assert_failed(code, word);
            assert_eq!(names_in(folder.path()), ["x.npy"]);
            assert_eq!(fs::read(&output).unwrap(), b"older");
        }
    }
}

// ---------------------------------------------------------------------------------------------------------
// Files that NumPy wrote

fn expected(name: &str, what: &str) -> Npy {
    Npy::read(&data(&format!("{name}.{what}.npy")))
}

/// The program's results for one of those files.
struct Results {
    folder: TempDir,
    inverses: Npy,
    status: Npy,
    rcond: Npy,
}

impl Results {
    fn run(folder: &TempDir, name: &str, options: &[&str]) -> Output {
        let [x, s, r] = ["x.npy", "s.npy", "r.npy"].map(|name| folder.path().join(name));
        let input = data(&format!("{name}.npy"));
        run(&[&["inv", path(&input), "-o", path(&x), "--status", path(&s), "--rcond", path(&r)], options].concat())
    }

    fn in_folder(folder: TempDir) -> Self {
        let [inverses, status, rcond] = ["x.npy", "s.npy", "r.npy"].map(|name| Npy::read(&folder.path().join(name)));
        assert_eq!(names_in(folder.path()), ["r.npy", "s.npy", "x.npy"]);
        Self { folder, inverses, status, rcond }
    }

    #[track_caller]
    fn of(name: &str, options: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        Self::run(&folder, name, options).assert_done();
        Self::in_folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Compares headers and statuses to the byte, inverses and rconds within the promised error bound.
    ///
    /// The program promises ||I - X A|| < 3 n eps ||A|| ||X|| in 1-norms, and NumPy's inverse X' satisfies the
    /// same bound. Since X - X' = ((I - X' A) - (I - X A)) A^-1, the two differ by less than (3 + 3) n eps ||A||
    /// ||X|| times ||X||, and ||A|| ||X|| is 1 / rcond, which is known from NumPy.
    #[track_caller]
    fn assert_agree(&self, name: &str) {
        let (inverses, status, rcond) = (expected(name, "expected"), expected(name, "status"), expected(name, "rcond"));
        assert_eq!(self.inverses.header, inverses.header, "{name}: the header is NumPy's");
        assert!(self.status == status, "{name}: statuses {:?}, expected {:?}", self.status.ints(), status.ints());
        let eps = if matches!(&inverses.descr[..], "<f4" | "<c8") { 0.5_f64.powi(24) } else { 0.5_f64.powi(53) };
        assert_eq!(self.rcond.descr, if eps > 1e-10 { "<f4" } else { "<f8" }, "{name}");
        assert_eq!(self.rcond.shape, rcond.shape, "{name}");

        let order = *inverses.shape.last().unwrap();
        let bound = 6.0 * order as f64 * eps;
        for (m, (&got, &wanted)) in self.rcond.reals().iter().zip(&rcond.reals()).enumerate() {
            // rcond has the relative error of the norm of X, plus the rounding to its own type.
            let same = got == wanted || got.is_nan() && wanted.is_nan();
            assert!(
                same || (got - wanted).abs() <= bound + 2.0 * eps * wanted,
                "{name}: rcond {m} is {got}, expected {wanted}"
            );
        }
        let (got, wanted, rconds, statuses) =
            (self.inverses.complexes(), inverses.complexes(), rcond.reals(), status.ints());
        let size = order * order;
        for m in 0..if order > 0 { statuses.len() } else { 0 } {
            let (got, wanted) = (&got[m * size..][..size], &wanted[m * size..][..size]);
            if statuses[m] != 0 {
                assert!(got.iter().all(|x| x[0].is_nan()), "{name}: matrix {m} has no inverse");
                continue;
            }
            let difference: Vec<_> = got.iter().zip(wanted).map(|(a, b)| [a[0] - b[0], a[1] - b[1]]).collect();
            let (error, allowed) = (norm(&difference, order), bound / rconds[m] * norm(wanted, order));
            assert!(error <= allowed, "{name}: matrix {m} is off by {error:e}, allowed: {allowed:e}");
        }
    }
}

/// The 1-norm: the largest column sum.
fn norm(matrix: &[[f64; 2]], order: usize) -> f64 {
    let sum = |j: usize| (0..order).map(|i| matrix[i * order + j]).map(|[re, im]| re.hypot(im)).sum::<f64>();
    (0..order).map(sum).fold(0.0, |largest, sum| if sum > largest || sum.is_nan() { sum } else { largest })
}
