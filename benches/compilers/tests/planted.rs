//! The instrument finds what is planted: a child that dies, and programs that spill, listed and not. It needs RADV.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use batchinv_compilers::child::{Driver, Outcome, Request, radv};
use batchinv_compilers::executed::executed;
use batchinv_compilers::spirv;

const PROGRAM: &str = env!("CARGO_BIN_EXE_batchinv-compilers");

/// True if RADV is installed. If it is required, its absence fails.
fn installed(test: &str) -> bool {
    let (found, path) = (radv().exists(), radv().display().to_string());
    assert!(found || std::env::var_os("BATCHINV_REQUIRE_RADV").is_none(), "there is no {path}");
    if !found {
        println!("SKIPPED: {test}, since there is no {path}");
    }
    found
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A program that holds this many values at once: the barrier keeps loads from waiting until their values are used.
fn holding(values: u32) -> String {
    let mut text = "@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
"
    .to_owned();
    for i in 0..values {
        writeln!(text, "    let v{i} = output[id.x * {values}u + {i}u];").unwrap();
    }
    text += "    storageBarrier();\n";
    for i in 0..values {
        writeln!(text, "    output[id.x * {values}u + {i}u] = v{i} * v{};", values - 1 - i).unwrap();
    }
    text + "}\n"
}

/// Compiles a WGSL file for navi21.
fn compile(wgsl: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(PROGRAM).args(["--family", "navi21", "--wgsl"]).arg(wgsl).args(arguments).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

#[test]
fn a_child_that_dies_is_reported() {
    let driver = Driver { program: PROGRAM.into(), file: radv(), family: "navi21".to_owned() };
    let Outcome::Died(death) = driver.compile(&Request::Abort).unwrap() else { panic!("it lives") };
    assert_eq!(death.signal, Some(6));
    assert!(death.to_string().contains("crashed by signal 6"), "{death}");
}

#[test]
fn a_spill_is_found() {
    if !installed("a_spill_is_found") {
        return;
    }
    let few = compile(&file("few.wgsl", &holding(50)), &[]);
    assert_eq!(few.0, Some(0), "{}", few.1);
    let many = file("many.wgsl", &holding(300));
    let (status, text) = compile(&many, &[]);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("navi21 many main: spills registers"), "{text}");
}

/// An array in memory is no better than a spill.
#[test]
fn an_array_in_memory_is_found() {
    if !installed("an_array_in_memory_is_found") {
        return;
    }
    let text = "@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var table: array<u32, 512>;
    for (var i = 0u; i < output[0]; i++) {
        table[output[i] % 512u] += i;
    }
    output[id.x] = table[output[id.x] % 512u];
}
";
    let (status, text) = compile(&file("table.wgsl", text), &[]);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("navi21 table main: spills registers"), "{text}");
}

/// A listed program must spill, and an unlisted one must not.
#[test]
fn the_list_must_be_true() {
    if !installed("the_list_must_be_true") {
        return;
    }
    let driver = Driver { program: PROGRAM.into(), file: radv(), family: "navi21".to_owned() };
    let version = driver.facts().unwrap().driver;
    let wgsl = |name: &str, values| file(&format!("listed_{name}.wgsl"), &holding(values));
    let (few, many) = (wgsl("few", 50), wgsl("many", 300));
    let list = |name: &str, programs: &str| {
        file(name, &format!("driver {version}\nfamilies navi21 # and no other\n# A reason.\n{programs}\n"))
    };
    let expected = |wgsl: &Path, list: PathBuf| compile(wgsl, &["--expected", list.to_str().unwrap()]);
    let (status, text) = expected(&many, list("many.txt", "navi21 listed_many main"));
    assert_eq!(status, Some(0), "{text}");
    let (status, text) = expected(&few, list("few.txt", "navi21 listed_few main"));
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("navi21 listed_few main: does not spill any more"), "{text}");
    let (status, text) = expected(&many, list("none.txt", ""));
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("navi21 listed_many main: spills registers, which the list"), "{text}");
    let (status, text) = expected(&few, list("gone.txt", "navi21 gone main"));
    assert_eq!(status, Some(1), "{text}");
    // A list for another driver says nothing of this one.
    let (status, text) = expected(&many, file("other.txt", "driver of another\nfamilies navi21\n"));
    assert!(status == Some(0) && text.contains("SKIPPED"), "{text}");
}

#[test]
fn an_absent_driver_is_told_apart() {
    let (status, text) = compile(&file("any.wgsl", &holding(1)), &["--driver", "/nowhere.json"]);
    assert_eq!(status, Some(3), "{text}");
    if installed("a family that RADV does not know") {
        let output = Command::new(PROGRAM).args(["--family", "unknown"]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
    }
}

/// A loop of 20 rounds with eight multiply-adds that nothing can shorten.
#[test]
fn a_known_loop_is_counted() {
    if !installed("a_known_loop_is_counted") {
        return;
    }
    let text = "@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let y = output[id.x + 1u];
    var x = output[id.x];
    for (var i = 0u; i < u32(output[0]); i++) {
        BODY
    }
    output[id.x] = x;
}
"
    .replace("BODY", &"x = fma(x, y, x); ".repeat(8));
    let words = spirv::words(&text, "main").unwrap();
    for family in ["navi21", "vega20"] {
        let driver = Driver { program: PROGRAM.into(), file: radv(), family: family.to_owned() };
        let request = Request::Compile { words: words.clone(), entry: "main".to_owned(), isa: true };
        let Outcome::Compiled(compilation) = driver.compile(&request).unwrap() else { panic!("it does not compile") };
        let isa = compilation.isa.unwrap();
        let count = executed(&isa, 20).arithmetic;
        assert_eq!(count, 20 * 8, "{family}: {isa}");
    }
}
