//! Runs the program `batchinv`, and makes and reads the files that it takes and writes.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_batchinv");

pub fn batchinv(args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args);
    command
}

/// The program with the default action for every signal. The process that runs the tests may ignore some, as
/// `nohup` and a shell's `&` do, and the program keeps ignored signals ignored.
pub fn batchinv_with_signals(args: &[&str]) -> Command {
    if !cfg!(target_os = "linux") {
        return batchinv(args);
    }
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(PROGRAM).args(args);
    command
}

pub fn run(args: &[&str]) -> Output {
    finish(batchinv(args), b"")
}

/// Runs the command to its end, with `input` on stdin through a pipe.
pub fn finish(mut command: Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A program that refuses its input early breaks the pipe.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap().into()
    })
}

pub struct Output {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { code: output.status.code().expect("a signal ended the program"), stdout: output.stdout, stderr }
    }
}

impl Output {
    #[track_caller]
    pub fn assert_done(&self) {
        assert_eq!(self.code, 0, "{}", self.stderr);
    }

    /// Asserts this exit status and a single line on stderr that contains `what`. Graphics
    /// drivers may add lines of their own.
    #[track_caller]
    pub fn assert_failed(&self, code: i32, what: &str) {
        assert_eq!(self.code, code, "{what}: {}", self.stderr);
        let lines: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("batchinv: ")).collect();
        assert_eq!(lines.len(), 1, "{what}: {}", self.stderr);
        assert!(lines[0].contains(what), "{what}: {}", self.stderr);
        assert!(lines[0].len() < 400, "{what}: {}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    #[track_caller]
    pub fn assert_line(&self, what: &str) {
        assert!(
            self.stderr.lines().any(|line| line.starts_with("batchinv: ") && line.contains(what)),
            "{what}: {}",
            self.stderr
        );
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap()
    }
}

/// Returns whether there is a GPU adapter. If there is none, prints that the test is skipped, or fails if
/// BATCHINV_REQUIRE_GPU=1 requires one.
pub fn adapter_or_skip(test: &str) -> bool {
    if !run(&["info", "--json"]).json()["adapters"].as_array().unwrap().is_empty() {
        return true;
    }
    assert!(std::env::var_os("BATCHINV_REQUIRE_GPU").is_none_or(|value| value != "1"), "no adapter was found");
    // The test harness captures eprintln!, so this writes to stderr directly.
    let mut stderr = std::io::stderr();
    writeln!(stderr, "SKIPPED {test}: no GPU adapter was found").unwrap();
    false
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The files in `folder` that a process writes and has not put in place yet. Those without a name are seen through
/// /proc, others have a temporary name.
pub fn unfinished(process: u32, folder: &Path) -> Vec<fs::Metadata> {
    let named = names_in(folder).into_iter().filter(|name| name.ends_with(".tmp")).map(|name| folder.join(name));
    let folder = fs::canonicalize(folder).unwrap();
    let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten().map(|entry| entry.path());
    let nameless = open.filter(|entry| {
        fs::read_link(entry).is_ok_and(|file| file.starts_with(&folder) && path(&file).ends_with(" (deleted)"))
    });
    named.chain(nameless).filter_map(|path| fs::metadata(path).ok()).collect()
}

pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The names of the inputs in `tests/data`, without `.npy`.
pub fn data_files() -> Vec<String> {
    let names: Vec<String> =
        names_in(&data("")).iter().filter_map(|name| name.strip_suffix(".expected.npy")).map(str::to_owned).collect();
    assert!(names.len() > 30, "the files of make.py");
    names
}

/// A `.npy` file of version 1 in C order, read without the program's own code.
#[derive(PartialEq)]
pub struct Npy {
    pub header: String,
    pub descr: String,
    pub shape: Vec<usize>,
    pub data: Vec<u8>,
}

impl Npy {
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        let mut bytes = Vec::new();
        fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\0");
        let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = String::from_utf8(bytes[10..end].to_vec()).unwrap();
        assert!(
            end.is_multiple_of(64) && header.ends_with('\n') && header.contains("'fortran_order': False"),
            "{header}"
        );
        let between = |from: &str, to: &str| header.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
        let shape = between("'shape': (", ")");
        let shape =
            shape.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().unwrap()).collect();
        Self { descr: between("'descr': '", "'"), shape, data: bytes[end..].to_vec(), header }
    }

    pub fn f32s(&self) -> Vec<f32> {
        self.data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    pub fn ints(&self) -> Vec<i32> {
        self.data.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect()
    }

    pub fn reals(&self) -> Vec<f64> {
        match &self.descr[..] {
            "<f4" | "<c8" => self.f32s().into_iter().map(f64::from).collect(),
            _ => self.data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        }
    }

    pub fn complexes(&self) -> Vec<[f64; 2]> {
        let reals = self.reals();
        if self.descr.contains('c') {
            reals.as_chunks().0.to_vec()
        } else {
            reals.iter().map(|&re| [re, 0.0]).collect()
        }
    }
}

/// The bytes of a `.npy` file of version 1 in C order.
pub fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    raw_npy(1, &format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"), elements)
}

pub fn raw_npy(version: u8, header: &str, elements: &[u8]) -> Vec<u8> {
    let len = header.len() as u32 + 1;
    let len = &len.to_le_bytes()[..if version == 1 { 2 } else { 4 }];
    [b"\x93NUMPY", &[version, 0][..], len, header.as_bytes(), b"\n", elements].concat()
}

/// The names and bytes of the entries of an archive, all of them stored, as the directory lists them.
pub fn entries(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let half = |at: usize| usize::from(u16::from_le_bytes(file[at..at + 2].try_into().unwrap()));
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let end = file.len() - 22;
    assert_eq!(&file[end..end + 4], b"PK\x05\x06");
    let mut at = word(end + 16);
    let mut entries = Vec::new();
    while at < end {
        assert_eq!((&file[at..at + 4], half(at + 10)), (&b"PK\x01\x02"[..], 0), "a stored entry");
        let name = String::from_utf8(file[at + 46..][..half(at + 28)].to_vec()).unwrap();
        let local = word(at + 42);
        let data = local + 30 + half(local + 26) + half(local + 28);
        let bytes = file[data..][..word(at + 20)].to_vec();
        assert_eq!((word(at + 20), word(at + 16)), (word(at + 24), crc(&bytes) as usize), "{name}");
        entries.push((name, bytes));
        at += 46 + half(at + 28) + half(at + 30) + half(at + 32);
    }
    assert_eq!(entries.len(), half(end + 10));
    entries
}

/// CRC-32 as in zip, bit by bit.
pub fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
