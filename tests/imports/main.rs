//! Layers only look down: no circle of imports, no import from a layer above, no import through a facade.
//!
//! The tests read every path in every file, not `use` declarations alone. A path imports the file of its longest module
//! prefix. A file that only re-exports an item of its own submodules imports nothing.

mod graph;
mod paths;

use graph::Crate;
use paths::Path;

/// The layers of the library, lowest first, each with the layers that it may import. `lib.rs` may import them all.
const LAYERS: [(&str, &[&str]); 9] = [
    ("trusted", &[]),
    ("data", &[]),
    ("plan", &["data"]),
    ("check", &["data", "plan"]),
    ("cpu", &["trusted", "data", "plan"]),
    ("gpu", &["trusted", "data", "plan"]),
    ("inverter", &["data", "plan", "check", "cpu", "gpu"]),
    ("host", &["data", "plan", "check", "cpu", "gpu", "inverter"]),
    ("guide", &[]),
];

#[test]
fn no_imports_form_a_circle() {
    assert_none(library().circles().into_iter().chain(program().circles()));
}

#[test]
fn no_layer_imports_one_above_it() {
    assert_none(library().upward(&LAYERS));
}

#[test]
fn imports_name_the_defining_module() {
    assert_none(library().indirect().into_iter().chain(program().indirect()));
}

#[test]
fn only_the_gpu_engine_names_wgpu() {
    assert_none(library().misplaced(&["trusted", "gpu", "lib.rs"], names_wgpu, "keep wgpu's types inside `gpu`"));
}

#[test]
fn only_the_front_blocks() {
    assert_none(library().misplaced(&["inverter", "host"], blocks, "make this async, and block in `inverter`"));
}

/// Files that may ask for the platform: they wait, share or measure time, or leave out what blocks.
const PLATFORM: [&str; 7] =
    ["data/clock.rs", "gpu/at_once.rs", "gpu/platform.rs", "gpu/wait.rs", "inverter/blocking.rs", "gpu.rs", "lib.rs"];

#[test]
fn few_files_know_of_browsers() {
    let mut folders = vec![std::path::PathBuf::from("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).expect("a readable source").contains("target_family = \"wasm\"") {
                found.push(path.strip_prefix("src").expect("a path below src").display().to_string());
            }
        }
    }
    found.sort();
    let mut expected = PLATFORM.map(String::from);
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_library_never_prints() {
    assert_none(library().misplaced(&[], prints, "return the text to the caller"));
}

#[test]
fn the_library_never_reads_the_environment() {
    assert_none(library().misplaced(&[], reads_environment, "take the value as an argument"));
}

fn names_wgpu(path: &Path) -> bool {
    path.segments[0] == "wgpu"
}

fn blocks(path: &Path) -> bool {
    !path.in_test && path.segments.iter().any(|name| name == "block_on")
}

fn prints(path: &Path) -> bool {
    let names: Vec<_> = path.segments.iter().map(String::as_str).collect();
    let macros = ["print!", "println!", "eprint!", "eprintln!", "dbg!"];
    macros.contains(&names[names.len() - 1]) || names.windows(2).any(|pair| matches!(pair, ["io", "stdout" | "stderr"]))
}

fn reads_environment(path: &Path) -> bool {
    path.segments.len() > 1 && path.segments[..2] == ["std", "env"]
}

fn assert_none(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<_> = faults.into_iter().collect();
    assert!(faults.is_empty(), "{} found:\n{}", faults.len(), faults.join("\n"));
}

fn library() -> Crate {
    Crate::read("src", "bin")
}

fn program() -> Crate {
    Crate::read("src/bin/batchinv", "")
}

/// The imports between planted files, one with this text and the others empty: each as `file:line -> file`.
fn imports_of(name: &str, text: &str) -> Vec<String> {
    let mut files = vec![("lib.rs", ""), ("a.rs", ""), ("b.rs", ""), ("b/c.rs", ""), ("b/c/d.rs", "")];
    files.retain(|&(other, _)| other != name);
    files.push((name, text));
    let shown = Crate::new(&files).imports();
    let mut imports: Vec<_> = shown.iter().map(|import| import.split(": ").next().expect("a text").into()).collect();
    imports.dedup();
    imports
}

#[test]
fn every_form_of_path_is_found() {
    for (file, text, expected) in [
        ("a.rs", "use crate::b::c::d::D;", vec!["a.rs:1 -> b/c/d.rs"]),
        (
            "a.rs",
            "use crate::{b::{B, c::{self, C}}, b::c::d::*};",
            vec!["a.rs:1 -> b.rs", "a.rs:1 -> b/c.rs", "a.rs:1 -> b/c/d.rs"],
        ),
        ("a.rs", "\nfn f() -> crate::b::B {\n  crate::b::c::f::<f32>()\n}", vec!["a.rs:2 -> b.rs", "a.rs:3 -> b/c.rs"]),
        ("a.rs", "use crate::b::c as other;\nfn f() { other::d::f() }", vec!["a.rs:1 -> b/c.rs", "a.rs:2 -> b/c/d.rs"]),
        ("a.rs", "macro_rules! m { ($x:expr) => { $crate::b::f($x) }; }", vec!["a.rs:1 -> b.rs"]),
        (
            "a.rs",
            "fn f() { vec![super::b::B, g::<self::super::b::c::C>()] }",
            vec!["a.rs:1 -> b.rs", "a.rs:1 -> b/c.rs"],
        ),
        ("a.rs", "#[derive(Clone)]\n#[command(help = crate::b::HELP)]\nstruct A;", vec!["a.rs:2 -> b.rs"]),
        ("b.rs", "mod c;\npub use c::{C, c};\npub(crate) use self::c::d::*;", vec![]),
        ("b.rs", "mod c;\npub use c::C;\nfn f(c: C) {}", vec!["b.rs:2 -> b/c.rs"]),
        ("b.rs", "mod c;\nuse self::c::C;", vec!["b.rs:2 -> b/c.rs"]),
        ("b.rs", "mod c;\nfn f() { c::d::f() }", vec!["b.rs:2 -> b/c/d.rs"]),
        ("b/c/d.rs", "use super::C; use super::super::B;", vec!["b/c/d.rs:1 -> b.rs", "b/c/d.rs:1 -> b/c.rs"]),
        ("b/c/d.rs", "mod tests { use super::*; use super::super::C; }", vec!["b/c/d.rs:1 -> b/c.rs"]),
        ("b/c/d.rs", "pub(in crate::b) fn f() { std::mem::take(crate_) }", vec![]),
        ("b/c/d.rs", "//! crate::a\n/// crate::a\nconst A: &str = \"crate::a::A\"; /* crate::a::A */", vec![]),
    ] {
        assert_eq!(imports_of(file, text), expected, "{text}");
    }
}

#[test]
fn planted_faults_are_reported_with_both_ends() {
    let house = Crate::new(&[
        ("lib.rs", "mod cpu; mod data; mod plan;\npub use data::error::Error;"),
        ("cpu.rs", "pub fn run() { crate::plan::choose::choose() }"),
        ("data.rs", "pub mod error; pub mod scalar;"),
        ("data/error.rs", "pub struct Error;"),
        ("data/scalar.rs", "use crate::Error;\nfn f() { crate::cpu::run() }"),
        ("plan.rs", "mod choose; pub use choose::Choice;"),
        ("plan/choose.rs", "use super::work::Work; pub struct Choice;"),
        ("plan/work.rs", "pub struct Work(crate::plan::Choice, super::choose::Choice);"),
        ("odd.rs", ""),
    ]);
    let starts = |faults: Vec<String>, expected: &[&str]| {
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        assert!(faults.iter().zip(expected).all(|(fault, start)| fault.starts_with(start)), "{faults:?}");
    };
    starts(house.circles(), &["plan/choose.rs -> plan/work.rs -> plan/choose.rs: move"]);
    assert!(house.circles()[0].contains("plan/work.rs:1 -> plan/choose.rs: `super::choose::Choice`"));
    starts(
        house.upward(&LAYERS),
        &["odd.rs: in no layer", "data/scalar.rs:2 -> cpu.rs: `crate::cpu::run`: `data` may"],
    );
    starts(
        house.indirect(),
        &[
            "data/scalar.rs:1 -> lib.rs: `crate::Error`: name `crate::data::error::Error`",
            "plan/work.rs:1 -> plan.rs: `crate::plan::Choice`: name `crate::plan::choose::Choice`",
        ],
    );
}

#[test]
fn planted_paths_are_reported_where_they_are_out_of_place() {
    let text = "use wgpu;\nuse std::{env, io};\nfn f() { io::stdout(); eprintln!(); std::env::args() }
        fn g() { if a != b { pollster::block_on(batchinv::wgpu::f()) } }
        #[cfg(test)] mod tests { fn h() { pollster::block_on(g()) } }
        // println!() wgpu::f() block_on(g())";
    let planted = Crate::new(&[("lib.rs", text), ("cpu.rs", text)]);
    let lines = |kind: fn(&Path) -> bool| -> Vec<_> {
        let faults = planted.misplaced(&["lib.rs"], kind, "no");
        faults.iter().map(|fault| fault.split('`').take(2).collect::<Vec<_>>().concat()).collect()
    };
    assert_eq!(lines(names_wgpu), ["cpu.rs:1: wgpu"]);
    assert_eq!(lines(blocks), ["cpu.rs:4: pollster::block_on"]);
    assert_eq!(lines(prints), ["cpu.rs:3: io::stdout", "cpu.rs:3: eprintln!"]);
    assert_eq!(lines(reads_environment), ["cpu.rs:2: std::env", "cpu.rs:3: std::env::args"]);
}
