//! `batchinv bench`, run as a user runs it, on stacks so short that it is quick. What it measures is not tested here;
//! that it measures the right thing, refuses the wrong one, and says which, is.
#![cfg(feature = "cli")]
#![allow(clippy::print_stderr, reason = "skipped tests are to be seen")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// One configuration, at once.
const QUICK: [&str; 8] = ["bench", "--engine", "cpu", "--order", "5", "--len", "7", "--repeats=2"];

// ---------------------------------------------------------------------------------------------------------
// Figures

#[test]
fn every_row_has_the_names_that_the_peers_scripts_have() {
    let args = ["bench", "--engine=cpu", "--order=2,40,2", "--len=37", "--scalar=float32,complex128", "--repeats=2"];
    let out = run(&[&args[..], &["--json", "-"]].concat());
    out.assert_code(0);
    let rows = out.rows();
    let asked: Vec<_> = rows.iter().map(|row| (row["scalar"].as_str().unwrap(), row["order"].as_u64())).collect();
    let wanted = [("float32", Some(2)), ("float32", Some(40)), ("complex128", Some(2)), ("complex128", Some(40))];
    assert_eq!(asked, wanted);
    let mut names = schema_of_the_peers();
    names.extend(["device_copy_seconds", "host_seconds", "open_seconds"].map(str::to_owned));
    for row in &rows {
        let got: BTreeSet<String> = row.as_object().unwrap().keys().cloned().collect();
        assert_eq!(got, names);
        assert_eq!((row["schema"].as_u64(), row["engine"].as_str()), (Some(1), Some("cpu")));
        assert_eq!(row["program"], format!("batchinv {}", env!("CARGO_PKG_VERSION")));
        assert_eq!((row["len"].as_u64(), row["repeats"].as_u64()), (Some(37), Some(2)));
        assert_eq!((&row["op"], &row["width"]), (&json!("inverse"), &Value::Null));
        assert!(["lanes", "rows", "blocked"].contains(&row["kernel"].as_str().unwrap()), "{row}");
        assert!(row["threads"].as_u64() >= Some(1) && row["machine"].as_str().unwrap().contains("thread"), "{row}");
        let date = row["date"].as_str().unwrap();
        assert!(date.len() == 10 && date.starts_with("20"), "{date}");
        for name in ["total", "fresh"] {
            let (best, median) =
                (row.seconds(&format!("{name}_seconds")), row.seconds(&format!("{name}_median_seconds")));
            assert!(0.0 < best && best <= median && median < 60.0, "{row}");
        }
        assert!(row.seconds("copy_seconds") > 0.0 && row.seconds("first_call_seconds") > 0.0, "{row}");
        assert!((0.0..3.0).contains(&row["max_ratio"].as_f64().unwrap()), "{row}");
        // What only a GPU has.
        for name in ["adapter", "driver", "device_seconds", "device_median_seconds", "device_copy_seconds"] {
            assert!(row[name].is_null(), "{name}: {row}");
        }
        for name in ["host_seconds", "open_seconds", "work_seconds"] {
            assert!(row[name].is_null(), "{name}: {row}");
        }
    }
}

#[test]
fn a_gpu_has_a_clock_of_its_own() {
    if !adapter_or_skip("a_gpu_has_a_clock_of_its_own") {
        return;
    }
    let out = run(&["bench", "--engine=gpu", "--order=3,33", "--len=70", "--repeats=2", "--json=-"]);
    out.assert_code(0);
    let info = run(&["info", "--json"]).json();
    let adapter = &info["adapters"][0];
    for row in out.rows() {
        assert_eq!((&row["adapter"], &row["driver"]), (&adapter["name"], &adapter["driver"]));
        assert_eq!(row["engine"], "gpu");
        assert!(row.seconds("open_seconds") > 0.0 && row.seconds("host_seconds") > 0.0, "{row}");
        // A pipeline is built in the first call and in no other.
        assert!(row.seconds("first_call_seconds") > row.seconds("fresh_seconds"), "{row}");
        if adapter["timestamps"] == true {
            let (best, median) = (row.seconds("device_seconds"), row.seconds("device_median_seconds"));
            assert!(0.0 < best && best <= median && best < row.seconds("total_seconds"), "{row}");
        } else {
            assert!(row["device_seconds"].is_null() && row["device_copy_seconds"].is_null(), "{row}");
            assert!(row["note"].as_str().unwrap().contains("no timestamps"), "{row}");
        }
    }
    // Unnamed, both engines are timed; named by a part of its name, the adapter has to be there.
    let part = adapter["name"].as_str().unwrap()[1..4].to_uppercase();
    for args in [&[][..], &["--adapter", &part]] {
        let out = run(&[&["bench", "--order=3", "--len=7", "--repeats=1", "--json=-"], args].concat());
        let engines: Vec<Value> = out.rows().iter().map(|row| row["engine"].clone()).collect();
        assert_eq!(engines, ["cpu", "gpu"]);
    }
}

#[test]
fn without_json_or_plot_the_table_is_on_stdout_and_nothing_is_on_stderr() {
    let out = run(&QUICK);
    out.assert_code(0);
    // In a pipe, there is no progress bar.
    assert_eq!(out.stderr, "");
    for text in ["batchinv 0.1.0", "machine  ", "cpu, float32", "GFLOP/s", "2 n^3"] {
        assert!(out.stdout.contains(text), "{text}: {}", out.stdout);
    }
    let row = out.stdout.lines().find(|line| line.split_whitespace().take(2).eq(["5", "7"])).unwrap();
    assert_eq!(row.split_whitespace().filter(|cell| *cell == "-").count(), 3, "no device on the CPU: {row}");
    assert!(out.stdout.lines().all(|line| line.chars().count() <= 120), "{}", out.stdout);
}

#[test]
fn stdout_taken_by_json_leaves_the_table_to_stderr() {
    let out = run(&[&QUICK[..], &["--json", "-"]].concat());
    assert_eq!(out.rows().len(), 1);
    assert!(out.stderr.contains("cpu, float32") && !out.stderr.contains('\u{1b}'), "{}", out.stderr);
    let out = run(&[&QUICK[..], &["--json", "-", "--quiet"]].concat());
    assert_eq!((out.rows().len(), &out.stderr[..]), (1, ""));
    // Not both at once.
    run(&[&QUICK[..], &["--json", "-", "--plot", "-"]].concat()).assert_failed(2, "the same file");
}

#[test]
fn systems_and_determinants_are_timed() {
    let quick = ["bench", "--engine=cpu", "--order=1,2,5,40", "--len=37", "--scalar=float32,complex128", "--repeats=1"];
    let head = |op: &[&str]| {
        let out = run(&[&quick[..], op].concat());
        out.assert_code(0);
        assert!(out.stdout.lines().all(|line| line.chars().count() <= 120), "{}", out.stdout);
        out.stdout
    };
    for (args, op, width, title) in [
        (&["--op=solve"][..], "solve", json!(1), "cpu, complex128, solve of 1 column\n"),
        (&["--op=solve", "--width=3"], "solve", json!(3), "cpu, complex128, solve of 3 columns\n"),
        (&["--op=det"], "det", Value::Null, "cpu, complex128, det\n"),
    ] {
        assert!(head(args).contains(title), "{title}");
        let out = run(&[&quick[..], args, &["--json=-"]].concat());
        let rows = out.rows();
        assert_eq!(rows.len(), 8);
        for row in rows {
            assert_eq!((&row["op"], &row["width"]), (&json!(op), &width));
            let bound = if op == "det" { 1.0 } else { 8.0 };
            assert!((0.0..bound).contains(&row["max_ratio"].as_f64().unwrap()), "{row}");
            assert!(row.seconds("total_seconds") > 0.0 && row.seconds("copy_seconds") > 0.0, "{row}");
        }
    }
}

/// GB/s and GFLOP/s, from a peer's time: 1 microsecond for 10 matrices of order 6 in float32.
#[test]
fn bytes_and_operations_are_those_of_the_operation() {
    let folder = TempDir::new().unwrap();
    let peers = folder.path().join("peers.json");
    let row = |op: &str, width: Value| {
        json!({"schema": 1, "program": "p 1", "engine": "p", "op": op, "width": width, "scalar": "float32", "order": 6,
               "len": 10, "total_seconds": 1e-6})
    };
    let rows =
        json!([row("inverse", Value::Null), row("solve", json!(1)), row("solve", json!(4)), row("det", json!(0))]);
    fs::write(&peers, rows.to_string()).unwrap();
    for (args, section, gigabytes, gigaflops) in [
        // 72 elements, 432 operations
        (&[][..], "p, float32: p 1", "2.88", "4.32"),
        // 36 + 2 * 6, 144 + 72
        (&["--op=solve"], "p, float32, solve of 1 column: p 1", "1.92", "2.16"),
        // 36 + 2 * 24, 144 + 288
        (&["--op=solve", "--width=4"], "p, float32, solve of 4 columns: p 1", "3.36", "4.32"),
        (&["--op=det"], "p, float32, det: p 1", "1.44", "1.44"),
    ] {
        let quick = ["bench", "--engine=cpu", "--order=6", "--len=3", "--repeats=1", "--with", path(&peers)];
        let out = run(&[&quick[..], args].concat());
        out.assert_code(0);
        assert_eq!(out.stdout.matches(": p 1").count(), 1, "one peer for each operation: {}", out.stdout);
        let rest = out.stdout.split(&format!("{section}\n")).nth(1).unwrap_or_else(|| panic!("{}", out.stdout));
        let cells: Vec<&str> = rest.lines().nth(2).unwrap().split_whitespace().collect();
        // Order, length, total, then no median and no fresh; matrices/s take two words.
        assert_eq!(cells[..5], ["6", "10", "100", "-", "-"], "{rest}");
        assert_eq!((cells[7], cells[12]), (gigabytes, gigaflops), "{rest}");
    }
}

#[test]
fn the_plot_says_what_was_timed() {
    for (args, title) in [
        (&["--op=solve"][..], "Time to solve one system, by order"),
        (&["--op=solve", "--width=2"], "Time to solve one system with 2 right-hand sides, by order"),
        (&["--op=det"], "Time to compute one determinant, by order"),
        (&[], "Time to invert one matrix, by order"),
    ] {
        let out = run(&[&QUICK[..], &["--plot=-", "--quiet"], args].concat());
        assert!(texts_of_xml(&out.stdout).iter().any(|text| text == title), "{title}");
    }
}

// ---------------------------------------------------------------------------------------------------------
// Refusals

#[cfg(feature = "testing")]
#[test]
fn a_wrong_kernel_gets_no_time() {
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("rows.json");
    fs::write(&json, "as it was").unwrap();
    let engines =
        if adapter_or_skip("a_wrong_kernel_gets_no_time, on the GPU") { &["cpu", "gpu"][..] } else { &["cpu"] };
    for engine in engines {
        for (order, len) in [("1", "1"), ("4", "1"), ("4", "70"), ("33", "17")] {
            let mut command = batchinv(&["bench", "--engine", engine, "--order", order, "--len", len, "--repeats=1"]);
            command.args(["--json", path(&json)]).env("BATCHINV_TEST_WRONG_KERNEL", "1");
            let out = finish(command);
            let last = len.parse::<usize>().unwrap() - 1;
            out.assert_failed(1, "wrong answer, so no time is shown");
            out.assert_failed(1, &format!("{engine} engine, kernel "));
            out.assert_failed(1, &format!("float32, order {order}: matrix {last} of {len} has residual ratio"));
            assert!(!out.stdout.contains("matrices/s"), "{}", out.stdout);
        }
    }
    for (op, order, reason) in
        [("solve", "1", "has residual ratio"), ("solve", "33", "has"), ("det", "5", "has determinant")]
    {
        let mut command = batchinv(&["bench", "--engine=cpu", "--op", op, "--order", order, "--len=70", "--repeats=1"]);
        command.args(["--json", path(&json)]).env("BATCHINV_TEST_WRONG_KERNEL", "1");
        let out = finish(command);
        out.assert_failed(1, "wrong answer, so no time is shown: cpu engine, kernel ");
        let title = if op == "solve" { "solve of 1 column" } else { op };
        out.assert_failed(1, &format!(", {title}, float32, order {order}: matrix 69 of 70 {reason}"));
    }
    // Nothing half done is left.
    assert_eq!(fs::read_to_string(&json).unwrap(), "as it was");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn bad_arguments_are_one_line_and_exit_2() {
    let cases: [(&[&str], &str); 17] = [
        (&["--op", "invert"], "'invert' for '--op"),
        (&["--op", "solve", "--width", "0"], "'0' for '--width"),
        (&["--width", "2"], "--width is about right-hand sides"),
        (&["--op", "det", "--width", "1"], "--width is about right-hand sides"),
        (&["--op", "solve", "--width", "18446744073709551615"], "more than memory can address"),
        (&["--order", "0"], "'0' for '--order"),
        (&["--order", "4,,8"], "'' for '--order"),
        (&["--order", "four"], "'four' for '--order"),
        (&["--order", "-3"], "-3"),
        (&["--len", "0"], "'0' for '--len"),
        (&["--repeats", "0"], "'0' for '--repeats"),
        (&["--scalar", "float16"], "unknown scalar \"float16\""),
        (&["--scalar", "float32,"], "unknown scalar \"\""),
        (&["--engine", "auto"], "'auto' for '--engine"),
        (&["--engine", "cpu", "--adapter", "x"], "--adapter is about GPUs"),
        (&["--order", "4000000000"], "more than memory can address"),
        (&["--engine", "cpu", "--order", "4", "--len", "1000000000000"], "give a smaller --len"),
    ];
    for (args, what) in cases {
        let out = run(&[&["bench"], args].concat());
        // The last one knows only where the system tells how much memory is free.
        if what.starts_with("give") && !Path::new("/proc/meminfo").exists() {
            continue;
        }
        out.assert_failed(2, what);
    }
}

#[test]
fn an_engine_that_is_absent_or_cannot_is_exit_3() {
    let quick = ["bench", "--len=2", "--repeats=1"];
    run(&[&quick[..], &["--engine=gpu", "--adapter=no such adapter"]].concat()).assert_failed(3, "no GPU adapter");
    run(&[&quick[..], &["--adapter=no such adapter"]].concat()).assert_failed(3, "no GPU adapter");
    if !adapter_or_skip("an_engine_that_is_absent_or_cannot_is_exit_3, on the GPU") {
        return;
    }
    // 16385 is above what any kernel on a GPU takes.
    run(&[&quick[..], &["--engine=gpu", "--order=16385"]].concat()).assert_failed(3, "the gpu engine cannot do this");
    run(&[&quick[..], &["--engine=gpu", "--order=16385,16386"]].concat()).assert_failed(3, "the gpu engine cannot");
    // Fewer orders have solutions and determinants.
    for op in ["solve", "det"] {
        let of_op = ["--op", op, "--order=129"];
        let refusal = "the gpu engine cannot do this: order 129 of float32 is above 128, the largest its kernels take";
        run(&[&quick[..], &of_op, &["--engine=gpu"]].concat()).assert_failed(3, refusal);
        let out = run(&[&quick[..], &of_op, &["--json=-"]].concat());
        assert_eq!(out.rows().len(), 1, "the CPU's");
        assert!(out.stderr.contains(&format!("skipped gpu for float32, order 129: {refusal}")), "{}", out.stderr);
    }
    // Among others, it is left out with a line.
    let out = run(&[&quick[..], &["--engine=gpu", "--order=4,16385,5"]].concat());
    out.assert_code(0);
    assert!(
        out.stderr.contains("batchinv: skipped gpu for float32, order 16385: the gpu engine cannot"),
        "{}",
        out.stderr
    );
    let out = run(&[&quick[..], &["--engine=gpu", "--order=4,16385,5", "--quiet", "--json=-"]].concat());
    assert_eq!((out.rows().len(), &out.stderr[..]), (2, ""));
}

#[test]
fn what_cannot_be_written_is_exit_4_before_anything_is_timed() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing/rows.json");
    for option in ["--json", "--plot"] {
        let out = run(&[&QUICK[..], &[option, path(&missing)]].concat());
        out.assert_failed(4, "cannot write");
        assert_eq!(out.stdout, "");
        run(&[&QUICK[..], &[option, path(folder.path())]].concat()).assert_failed(4, "it is a folder");
    }
}

// ---------------------------------------------------------------------------------------------------------
// Peers and the picture

#[test]
fn peers_stand_beside_ours_in_table_and_plot() {
    let folder = TempDir::new().unwrap();
    let [json, plot, peers, others] =
        ["rows.json", "plot.svg", "peers.json", "others.json"].map(|f| folder.path().join(f));
    let peer = |engine: &str, scalar: &str, order: usize, total: Value| {
        json!({"schema": 1, "program": format!("{engine} 1.2"), "engine": engine, "scalar": scalar, "order": order,
               "len": 10, "total_seconds": total, "threads": 3, "an unknown name": true})
    };
    let listed = [
        peer("numpy", "float32", 5, json!(1.25e-6)),
        peer("numpy", "float32", 40, json!(1e-3)), // timed in no row of ours, but part of the line
        peer("evil <&\"'\u{1}> name", "float32", 5, json!(3e-6)),
        peer("untimed", "float32", 5, Value::Null),
        peer("of another scalar", "float64", 5, json!(1e-6)),
    ];
    fs::write(&peers, serde_json::to_string(&listed).unwrap()).unwrap();
    fs::write(&others, serde_json::to_string(&[peer("second", "float32", 5, json!(2e-6))]).unwrap()).unwrap();
    let with = ["--with", path(&peers), "--with", path(&others)];
    let out = run(&[&QUICK[..], &with, &["--json", path(&json), "--plot", path(&plot)]].concat());
    out.assert_code(0);
    // Ours alone are written; joining lists is easy.
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&fs::read(&json).unwrap()).unwrap().len(), 1);

    let numpy = out.stdout.split("numpy, float32: numpy 1.2, 3 threads").nth(1).expect("a section for the peer");
    let row = numpy.lines().find(|line| line.contains(" 125 ")).expect("125 ns for each of ten matrices");
    assert!(row.trim_start().starts_with("5 "), "{row}");
    assert!(out.stdout.contains("second, float32"), "{}", out.stdout);
    assert!(!out.stdout.contains("untimed") && !out.stdout.contains("another scalar"), "{}", out.stdout);

    let svg = fs::read_to_string(&plot).unwrap();
    let texts = texts_of_xml(&svg);
    for text in
        ["batchinv cpu", "numpy", "second", "evil <&\"' > name", "a plain copy of the same bytes (memcpy)", "40"]
    {
        assert!(texts.iter().any(|other| other == text), "{text}: {texts:?}");
    }
    assert!(texts.iter().any(|text| text.starts_with("float32, whole call")), "{texts:?}");
    // Where a peer's machine is not said, none is made up.
    assert!(!texts.iter().any(|text| text.contains("elsewhere")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("untimed") || text.contains("another scalar")), "{texts:?}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    // Each series has a line in its own color, with as many points as it has times, and a swatch and a leader.
    for (series, color, points) in
        [("batchinv", "#0072B2", 1), ("numpy", "#009E73", 2), ("evil", "#CC79A7", 1), ("second", "#56B4E9", 1)]
    {
        let lines: Vec<usize> = svg
            .lines()
            .filter(|line| line.starts_with("<polyline") && line.contains(color))
            .map(|line| line.split("points=\"").nth(1).unwrap().matches(',').count())
            .collect();
        assert!(lines.len() >= 2 && lines[0] == points, "{series}: {lines:?} in {svg}");
    }
    // It is whole.
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
}

#[test]
fn a_plot_has_a_panel_for_each_scalar_and_each_clock() {
    let folder = TempDir::new().unwrap();
    let device = json!([{"schema": 1, "program": "cupy 14", "engine": "cupy", "adapter": "NVIDIA", "scalar": "float32",
        "order": 5, "len": 10, "total_seconds": 1e-5, "device_seconds": 1e-6, "copy_seconds": 1e-7}]);
    let peers = folder.path().join("gpu.json");
    fs::write(&peers, device.to_string()).unwrap();
    let args = ["--scalar=float64,float32", "--plot=-", "--quiet", "--with", path(&peers)];
    let texts = texts_of_xml(&run(&[&QUICK[..], &args].concat()).stdout);
    let headings: Vec<&str> = texts.iter().filter_map(|text| text.strip_prefix("float")).collect();
    assert_eq!(headings.len(), 3, "{headings:?}");
    assert!(headings[0].starts_with("64, whole call") && headings[1].starts_with("32, whole call"), "{headings:?}");
    assert!(headings[2].starts_with("32, passes alone"), "{headings:?}");
    assert!(texts.iter().any(|text| text == "a plain copy of the same bytes on the device"), "{texts:?}");
}

#[test]
fn a_list_that_is_none_is_exit_2_and_names_file_and_row() {
    let folder = TempDir::new().unwrap();
    let good = json!({"schema": 1, "program": "a 1", "engine": "a", "scalar": "float32", "order": 5, "len": 7,
                      "total_seconds": 1.0});
    let changed = |name: &str, value: Value| {
        let mut row = good.clone();
        row[name] = value;
        json!([good, row]).to_string()
    };
    let cases = [
        ("no JSON".to_owned(), "not a list of figures"),
        ("{}".to_owned(), "not a list of figures"),
        (json!([good, 3]).to_string(), "row 2: it has no \"schema\""),
        (json!([good, {"schema": 1}]).to_string(), "row 2: it has no \"engine\""),
        (changed("schema", json!(2)), "row 2: its schema is 2; only 1 is supported"),
        (changed("scalar", json!("float16")), "row 2: unknown scalar \"float16\""),
        (changed("order", json!("five")), "row 2: invalid type"),
        (changed("order", json!(-1)), "row 2: invalid value"),
        (changed("len", json!(0)), "row 2: order and len must be above 0"),
        (changed("total_seconds", json!(-1.0)), "row 2: -1 is not a time"),
        (changed("op", json!("invert")), "row 2: unknown variant `invert`"),
        (changed("op", json!("solve")), "row 2: its width is null, and its op is solve"),
        (changed("width", json!(3)), "row 2: its width is 3, and its op is inverse"),
        (changed("total_seconds", json!("soon")), "row 2: invalid type"),
    ];
    for (i, (text, what)) in cases.iter().enumerate() {
        let list = folder.path().join(format!("list{i}.json"));
        fs::write(&list, text).unwrap();
        let out = run(&[&QUICK[..], &["--with", path(&list)]].concat());
        out.assert_failed(2, what);
        out.assert_failed(2, path(&list));
        assert_eq!(out.stdout, "");
    }
    let binary = folder.path().join("binary");
    fs::write(&binary, [0xff, 0xfe]).unwrap();
    run(&[&QUICK[..], &["--with", path(&binary)]].concat()).assert_failed(2, "it is not text");
    let missing = folder.path().join("missing.json");
    run(&[&QUICK[..], &["--with", path(&missing)]].concat()).assert_failed(4, path(&missing));
}

// ---------------------------------------------------------------------------------------------------------
// Running the program

fn batchinv(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchinv"));
    command.args(args);
    command
}

fn run(args: &[&str]) -> Output {
    finish(batchinv(args))
}

fn finish(mut command: Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Output {
        code: output.status.code().expect("it ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

struct Output {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Output {
    #[track_caller]
    fn assert_code(&self, code: i32) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
    }

    /// This exit status, and one line of ours that says this.
    #[track_caller]
    fn assert_failed(&self, code: i32, what: &str) {
        assert_eq!(self.code, code, "{what}: {}{}", self.stdout, self.stderr);
        let lines: Vec<&str> = self.stderr.lines().filter_map(|line| line.strip_prefix("batchinv: ")).collect();
        let said: Vec<&&str> = lines.iter().filter(|line| !line.starts_with("skipped")).collect();
        assert!(said.len() == 1 && said[0].contains(what), "{what}: {}", self.stderr);
    }

    #[track_caller]
    fn json(&self) -> Value {
        self.assert_code(0);
        serde_json::from_str(&self.stdout).unwrap()
    }

    #[track_caller]
    fn rows(&self) -> Vec<Value> {
        self.json().as_array().unwrap().clone()
    }
}

trait Seconds {
    fn seconds(&self, name: &str) -> f64;
}

impl Seconds for Value {
    #[track_caller]
    fn seconds(&self, name: &str) -> f64 {
        self[name].as_f64().unwrap_or_else(|| panic!("{name}: {self}"))
    }
}

/// Whether there is an adapter, as `info` sees it. Where none is needed, a test without one is skipped with a line;
/// BATCHINV_REQUIRE_GPU=1 promises one.
fn adapter_or_skip(test: &str) -> bool {
    if !run(&["info", "--json"]).json()["adapters"].as_array().unwrap().is_empty() {
        return true;
    }
    assert!(std::env::var_os("BATCHINV_REQUIRE_GPU").is_none_or(|value| value != "1"), "no adapter was found");
    // Not by eprintln!, which the test harness keeps to itself.
    let mut stderr = std::io::stderr();
    writeln!(stderr, "SKIPPED {test}: no GPU adapter was found").unwrap();
    false
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The names in benches/peers/schema.py.
fn schema_of_the_peers() -> BTreeSet<String> {
    let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/schema.py")).unwrap();
    let fields = schema.split("FIELDS = {\n").nth(1).unwrap().split("\n}").next().unwrap();
    let name = |line: &str| line.trim().strip_prefix('"').unwrap().split('"').next().unwrap().to_owned();
    fields.lines().map(name).collect()
}

/// The texts of a well-formed XML document of elements and attributes; panics where it is none.
fn texts_of_xml(xml: &str) -> Vec<String> {
    assert!(!xml.chars().any(|c| c.is_control() && c != '\n'), "a control character");
    let (mut texts, mut open) = (Vec::new(), Vec::new());
    let mut pieces = xml.split('<');
    assert_eq!(pieces.next(), Some(""), "something before the root");
    for piece in pieces {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "tags nest");
        } else {
            let name = tag.split([' ', '/']).next().unwrap();
            assert!(!open.is_empty() || name == "svg", "one root");
            let values: Vec<&str> = tag.trim_end_matches('/')[name.len()..].split('"').collect();
            assert!(values.len() % 2 == 1 && values.iter().step_by(2).all(|x| x.trim().is_empty() || x.ends_with('=')));
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        let text = text.trim();
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
        let bare = entities.iter().fold(text.to_owned(), |text, (entity, _)| text.replace(entity, ""));
        assert!(!bare.contains('&'), "an entity that is none: {text}");
        if !text.is_empty() {
            assert!(!open.is_empty(), "text behind the root");
            texts.push(entities.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c)));
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    texts
}
