//! After any fault the user has either right answers, or a clear error and unchanged files.
#![cfg(all(unix, feature = "cli"))]

mod program;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use program::{Output, PROGRAM, adapter_or_skip, batchinv, data, data_files, finish, names_in, npy, path, unfinished};
use tempfile::TempDir;

/// `len` invertible float64 matrices of order 4, all different.
fn matrices(len: usize) -> Vec<u8> {
    let element = |m: usize, at: usize| if at.is_multiple_of(5) { 2.0 + m as f64 } else { (at % 3) as f64 / 8.0 };
    (0..16 * len).flat_map(|i| f64::to_le_bytes(element(i / 16, i % 16))).collect()
}

fn file_of(len: usize) -> Vec<u8> {
    npy("<f8", &format!("({len}, 4, 4)"), &matrices(len))
}

/// Sets the size of a piece, so that small files are processed in many pieces.
fn in_pieces(command: &mut Command, bytes: usize) -> &mut Command {
    command.env("BATCHINV_TEST_PIECE", bytes.to_string())
}

fn pipe_in(folder: &TempDir) -> PathBuf {
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe
}

/// Waits for the program to end.
fn ended(child: Child) -> Output {
    child.wait_with_output().unwrap().into()
}

// ---------------------------------------------------------------------------------------------------------
// Pieces

/// Every file in `tests/data`, one matrix at a time, gives the same bytes and the same report as in one piece.
#[test]
#[cfg(feature = "testing")]
fn pieces_change_nothing() {
    let gpu = adapter_or_skip("pieces_change_nothing on the GPU");
    for name in data_files() {
        let input = data(&format!("{name}.npy"));
        let order = program::Npy::read(&data(&format!("{name}.expected.npy"))).shape.pop().unwrap();
        for engine in ["cpu", "gpu"] {
            if engine == "gpu" && (!gpu || order > 12 || !name.contains("float32")) {
                continue;
            }
            let run = |piece: usize, options: &[&str]| {
                let folder = TempDir::new().unwrap();
                let [x, s, r] = ["x.npy", "s.npy", "r.npy"].map(|name| folder.path().join(name));
                let outputs = ["inv", "-", "-o", path(&x), "--status", path(&s), "--rcond", path(&r)];
                let mut command = batchinv(&[&outputs[..], &["--json", "--engine", engine], options].concat());
                in_pieces(&mut command, piece);
                // Standard input is a file, which can be read at any offset. Another test reads from a pipe.
                let out = Output::from(command.stdin(File::open(&input).unwrap()).output().unwrap());
                out.assert_done();
                let json = out.json();
                (
                    [x, s, r].map(|path| fs::read(path).unwrap()),
                    [&json["counts"], &json["first"], &json["engine"]].map(Clone::clone),
                )
            };
            let whole = run(1 << 30, &[]);
            assert!(run(1, &[]) == whole, "{name} on the {engine}");
            assert!(run(200, &["--verify"]) == whole, "{name} on the {engine}");
        }
    }
}

/// A matrix that forms a piece by itself is inverted in place, unless it is needed
/// afterwards. Its result is the same.
#[test]
#[cfg(feature = "testing")]
fn in_place_changes_nothing() {
    let gpu = adapter_or_skip("in_place_changes_nothing on the GPU");
    let mut state = 1_u32;
    let mut value = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 65_536.0 - 128.0
    };
    let mut elements: Vec<f32> = (0..5 * 33 * 33).map(|_| value()).collect();
    elements[2 * 33 * 33..][..33].fill(0.0); // a zero row
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 33, 33), }";
    let input = program::raw_npy(1, header, bytemuck::cast_slice(&elements));
    for engine in ["cpu", "gpu"] {
        for precision in ["native", "double"] {
            if engine == "gpu" && !gpu {
                continue;
            }
            let run = |piece: usize, options: &[&str]| {
                let args = ["inv", "-", "-o", "-", "--engine", engine, "--precision", precision];
                let mut command = batchinv(&[&args[..], options].concat());
                in_pieces(&mut command, piece);
                let out = finish(command, &input);
                out.assert_done();
                out.assert_line("1 of 5 matrices has no inverse: singular at 2 (column 33)");
                out.stdout
            };
            let whole = run(1 << 30, &[]);
            assert!(run(1, &[]) == whole, "{engine}, {precision}");
            assert!(run(1, &["--verify"]) == whole, "{engine}, {precision}");
        }
    }
}

/// A file in Fortran order with several leading axes, in pieces that end at arbitrary matrices.
#[test]
#[cfg(feature = "testing")]
fn fortran_files_are_gathered_by_strides() {
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npy", "x.npy"].map(|name| folder.path().join(name));
    let axes = [5, 7, 11, 3, 3];
    let len: usize = axes.iter().product();
    let value = |i: usize| (i % 1000) as i16 - 300;
    let mut fortran = vec![0_u8; 2 * len];
    let c: Vec<u8> = (0..len).flat_map(|i| value(i).to_be_bytes()).collect();
    for i in 0..len {
        let (mut rest, mut index) = (i, [0; 5]);
        for axis in (0..5).rev() {
            (index[axis], rest) = (rest % axes[axis], rest / axes[axis]);
        }
        let place = (0..5).rev().fold(0, |place, axis| place * axes[axis] + index[axis]);
        fortran[2 * place..][..2].copy_from_slice(&value(i).to_be_bytes());
    }
    let file = |order: &str, bytes: &[u8]| {
        let header = format!("{{'descr': '>i2', 'fortran_order': {order}, 'shape': (5, 7, 11, 3, 3), }}");
        program::raw_npy(1, &header, bytes)
    };
    let invert = |bytes: &[u8], piece: usize| {
        fs::write(&input, bytes).unwrap();
        let mut command = batchinv(&["inv", path(&input), "-o", path(&output), "--engine", "cpu"]);
        in_pieces(&mut command, piece);
        finish(command, b"").assert_done();
        fs::read(&output).unwrap()
    };
    let wanted = invert(&file("False", &c), 1 << 20);
    for piece in [1, 72, 72 * 11, 72 * 13, 72 * 77, 72 * 100, 1 << 20] {
        assert!(invert(&file("True", &fortran), piece) == wanted, "pieces of {piece} bytes");
    }
}

/// The automatic choice considers the whole file, not a piece of it.
#[test]
#[cfg(feature = "testing")]
fn auto_chooses_once_for_the_whole_file() {
    if !adapter_or_skip("auto_chooses_once_for_the_whole_file") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let mut command = batchinv(&["inv", path(&data("covariances.npy")), "-o", path(&output), "--json"]);
    in_pieces(command.env("BATCHINV_TEST_AUTO", "software"), 40_000);
    let out = finish(command, b"");
    out.assert_done();
    assert_eq!(out.json()["engine"], "gpu", "each of its pieces alone is not worth the trip");
    assert!(out.json()["chunks"].as_u64() >= Some(10), "{}", out.json());
}

/// A file of any length fits in 512 MiB of memory: here 1.5 GB with 512 MiB of address space.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_file() {
    let folder = TempDir::new().unwrap();
    let input = folder.path().join("a.npy");
    for order in ["False", "True"] {
        // A sparse file takes no disk space. It reads as zeros, so every matrix is singular.
        let header = format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': (3000000, 8, 8), }}");
        let header = program::raw_npy(1, &header, &[]);
        fs::write(&input, &header).unwrap();
        File::options().write(true).open(&input).unwrap().set_len(header.len() as u64 + 1_536_000_000).unwrap();
        let out = within(512 << 20, &["inv", path(&input), "-o", "-", "--engine", "cpu"]);
        out.assert_done();
        out.assert_line("3000000 of 3000000 matrices have no inverse: singular at 0 (column 1), 1 (column 1)");
    }
}

/// The promised bound is 512 MiB and three matrices. Eliminating a float32 matrix in float64 takes two matrices
/// by itself; the limit set here leaves no room for a fourth beside the program itself.
#[test]
#[cfg(target_os = "linux")]
fn one_large_matrix_takes_three() {
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npy", "x.npy"].map(|name| folder.path().join(name));
    let matrix = 8000 * 8000 * 4;
    let header = program::raw_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (8000, 8000), }", &[]);
    fs::write(&input, &header).unwrap();
    // A sparse file: zeros except for the first element, so that elimination goes beyond the first column.
    let mut file = File::options().append(true).open(&input).unwrap();
    file.write_all(&1.0_f32.to_le_bytes()).unwrap();
    file.set_len(header.len() as u64 + matrix).unwrap();
    let args = ["inv", path(&input), "-o", path(&output), "--precision", "double", "--engine", "cpu"];
    let out = within((200 << 20) + 3 * matrix, &args);
    out.assert_done();
    out.assert_line("the matrix has no inverse: singular (column 2)");
    // With less memory, the program refuses before it does anything.
    within((100 << 20) + 2 * matrix, &args).assert_failed(4, "not enough memory: 512000000 bytes");
    assert_eq!(names_in(folder.path()), ["a.npy", "x.npy"]);
}

/// From too little memory for the threads up to enough: an error in one line, and no abort by the allocator.
#[test]
#[cfg(target_os = "linux")]
fn too_little_memory_is_an_error() {
    let folder = TempDir::new().unwrap();
    let [input, output, status] = ["a.npy", "x.npy", "s.npy"].map(|name| folder.path().join(name));
    // All ones: singular after the first column.
    fs::write(&input, npy("<f4", "(1500, 1500)", &1.0_f32.to_le_bytes().repeat(1500 * 1500))).unwrap();
    let args = ["inv", path(&input), "-o", path(&output), "--status", path(&status), "--engine", "cpu"];
    let (mut started, mut codes) = (false, [0; 2]);
    // In small steps at first: the range in which a started thread would abort is only a few of them wide.
    for kilobytes in (20_000..32_000).step_by(16).chain((32_000..80_000).step_by(1000)) {
        let out = limited(kilobytes << 10, &args).output().unwrap();
        // With less memory than for its first line, the program does not even start.
        let text = String::from_utf8_lossy(&out.stderr);
        started |= text.contains("batchinv: ") && !text.contains("shared libraries");
        if !started {
            continue;
        }
        let out = Output::from(out);
        if out.code == 0 {
            codes[0] += 1;
            fs::remove_file(&output).unwrap();
            fs::remove_file(&status).unwrap();
        } else {
            codes[1] += 1;
            out.assert_failed(4, "");
        }
        assert_eq!(names_in(folder.path()), ["a.npy"], "{kilobytes} kB");
    }
    assert!(codes.iter().all(|&count| count > 5), "{codes:?}");
}

/// Runs the program with `bytes` bytes of address space.
#[cfg(target_os = "linux")]
fn within(bytes: u64, args: &[&str]) -> Output {
    Output::from(limited(bytes, args).output().unwrap())
}

#[cfg(target_os = "linux")]
fn limited(bytes: u64, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {}; exec \"$@\"", bytes / 1024), "sh", PROGRAM]).args(args);
    // Each malloc arena reserves 64 MiB of address space, used or not.
    command
        .envs([("RAYON_NUM_THREADS", "2"), ("MALLOC_ARENA_MAX", "1")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// A matrix in Fortran order whose last element lies 4.5 GB behind its first.
#[test]
fn offsets_are_wider_than_32_bits() {
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npy", "x.npy"].map(|name| folder.path().join(name));
    let len = 70_000_000;
    let header = format!("{{'descr': '<f8', 'fortran_order': True, 'shape': ({len}, 3, 3), }}");
    let header = program::raw_npy(1, &header, &[]);
    let mut file = File::create(&input).unwrap();
    file.write_all(&header).unwrap();
    // A sparse file, in which only the first matrix is not zero.
    file.set_len(header.len() as u64 + len * 9 * 8).unwrap();
    for at in [0, 4, 8] {
        file.seek(SeekFrom::Start(header.len() as u64 + at * len * 8)).unwrap();
        file.write_all(&4.0_f64.to_le_bytes()).unwrap();
    }
    let strict = ["inv", path(&input), "-o", path(&output), "--strict", "--engine", "cpu"];
    finish(batchinv(&strict), b"").assert_failed(1, "Singular matrix: in matrix 1, the pivot of column 1");
    assert_eq!(names_in(folder.path()), ["a.npy"]);
}

// ---------------------------------------------------------------------------------------------------------
// Writing

/// The input is replaced only after it has been read to its end, also when it is read in pieces.
#[test]
fn the_output_may_be_the_input_in_pieces() {
    let folder = TempDir::new().unwrap();
    let [file, other] = ["a.npy", "x.npy"].map(|name| folder.path().join(name));
    fs::write(&file, file_of(5000)).unwrap();
    let invert = |output: &Path| {
        let mut command = batchinv(&["inv", path(&file), "-o", path(output), "--engine", "cpu"]);
        in_pieces(&mut command, 10_000);
        finish(command, b"").assert_done();
    };
    invert(&other);
    invert(&file);
    assert!(fs::read(&file).unwrap() == fs::read(&other).unwrap());
    assert_eq!(names_in(folder.path()), ["a.npy", "x.npy"]);
}

/// `>> a.npy` would feed the program its own output.
#[test]
fn the_input_is_not_written_to_while_it_is_read() {
    let folder = TempDir::new().unwrap();
    let [file, status] = ["a.npy", "s.npy"].map(|name| folder.path().join(name));
    let before = file_of(50);
    fs::write(&file, &before).unwrap();
    for (args, what) in [
        (["inv", path(&file), "-o", "-", "--status", path(&status)], "standard output is also the input"),
        (["inv", path(&file), "-o", "/dev/stdout", "--status", path(&status)], "/dev/stdout is also the input"),
        // STATUS is put in place before OUTPUT. If OUTPUT then failed, the matrices would be lost.
        (["inv", path(&file), "-o", path(&status), "--status", path(&file)], "a.npy is also the input"),
    ] {
        let append = File::options().append(true).open(&file).unwrap();
        let child = batchinv(&args).stdin(Stdio::null()).stdout(append).stderr(Stdio::piped()).spawn().unwrap();
        ended(child).assert_failed(2, what);
        assert!(fs::read(&file).unwrap() == before);
        assert_eq!(names_in(folder.path()), ["a.npy"]);
    }
}

/// A refusal by --strict or --verify leaves nothing on stdout, even if the last matrix causes it.
#[test]
fn a_late_refusal_leaves_nothing_on_stdout() {
    let mut bytes = file_of(20_000);
    let last = bytes.len() - 128;
    bytes[last..].fill(0);
    let folder = TempDir::new().unwrap();
    let rcond = folder.path().join("r.npy");
    let args = ["inv", "-", "-o", "-", "--rcond", path(&rcond), "--engine", "cpu"];
    let run = |option: &[&str]| {
        let mut command = batchinv(&[&args[..], option].concat());
        in_pieces(&mut command, 10_000);
        finish(command, &bytes)
    };
    let out = run(&["--strict"]);
    out.assert_failed(1, "Singular matrix: in matrix 19999, the pivot of column 1 is exactly zero");
    assert_eq!((out.stdout.len(), names_in(folder.path())), (0, vec![]));
    let out = run(&["--verify"]);
    out.assert_done();
    assert!(out.stdout == run(&[]).stdout && out.stdout.len() == 128 + 20_000 * 128);
}

/// Statuses are written before inverses, since a reader of both pipes may take them one after the other.
#[test]
fn two_pipes_are_written_one_after_the_other() {
    let folder = TempDir::new().unwrap();
    let (pipe, input) = (pipe_in(&folder), folder.path().join("a.npy"));
    fs::write(&input, file_of(100_000)).unwrap();
    let mut command = batchinv(&["inv", path(&input), "-o", "-", "--status", path(&pipe), "--engine", "cpu"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // All statuses arrive before any inverse is read.
    let statuses = fs::read(&pipe).unwrap();
    assert_eq!(statuses.len(), 128 + 400_000);
    let mut inverses = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut inverses).unwrap();
    assert_eq!(inverses.len(), 128 + 100_000 * 128);
    ended(child).assert_done();
    assert_eq!(names_in(folder.path()), ["a.npy", "pipe"]);
}

/// A file-size limit that is reached in the middle of either output.
#[test]
fn a_file_that_must_not_grow_is_a_failure_to_write() {
    let folder = TempDir::new().unwrap();
    let [input, output, status] = ["a.npy", "x.npy", "s.npy"].map(|name| folder.path().join(name));
    fs::write(&input, file_of(10_000)).unwrap();
    fs::write(&output, "older").unwrap();
    for (blocks, which) in [("1", &status), ("1000", &output)] {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -f {blocks}; exec \"$@\""), "sh", PROGRAM, "inv", path(&input)]);
        command.args(["-o", path(&output), "--status", path(&status), "--engine", "cpu"]);
        let out = finish(command, b"");
        out.assert_failed(4, &format!("cannot write {}: File too large", which.display()));
        assert_eq!(names_in(folder.path()), ["a.npy", "x.npy"]);
        assert_eq!(fs::read(&output).unwrap(), b"older");
    }
}

/// A file system that fills up. Only root can mount one for the test.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_failure_to_write() {
    let folder = TempDir::new().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "none", path(&disk)]).output();
    if !mount.is_ok_and(|out| out.status.success()) {
        writeln!(std::io::stderr(), "SKIPPED a_full_disk_is_a_failure_to_write: it needs root").unwrap();
        return;
    }
    let output = disk.join("x.npy");
    fs::write(&output, "older").unwrap();
    let out = finish(batchinv(&["inv", "-", "-o", path(&output), "--engine", "cpu"]), &file_of(20_000));
    let (left, older) = (names_in(&disk), fs::read(&output).unwrap());
    // A stream in Fortran order is first copied to a temporary file beside the output.
    let fortran = format!("{{'descr': '<f8', 'fortran_order': True, 'shape': ({}, 4, 4), }}", 20_000);
    let fortran = program::raw_npy(1, &fortran, &matrices(20_000));
    let kept = finish(batchinv(&["inv", "-", "-o", path(&output), "--engine", "cpu"]), &fortran);
    let left_after = names_in(&disk);
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
    out.assert_failed(4, "x.npy: No space left on device");
    assert_eq!((left, older), (vec!["x.npy".to_owned()], b"older".to_vec()));
    kept.assert_failed(4, "cannot keep a stream in Fortran order in a temporary file: No space left on device");
    assert_eq!(left_after, ["x.npy"]);
}

/// The reader of stdout goes away before the end.
#[test]
fn a_pipe_that_closes_in_the_middle_is_a_failure_to_write() {
    let folder = TempDir::new().unwrap();
    let [input, status] = ["a.npy", "s.npy"].map(|name| folder.path().join(name));
    fs::write(&input, file_of(100_000)).unwrap();
    let mut command = batchinv(&["inv", path(&input), "-o", "-", "--status", path(&status), "--engine", "cpu"]);
    in_pieces(&mut command, 100_000);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = child.stdout.take().unwrap();
    reader.read_exact(&mut [0; 300_000]).unwrap();
    drop(reader);
    ended(child).assert_failed(4, "cannot write standard output: Broken pipe");
    assert_eq!(names_in(folder.path()), ["a.npy"]);
}

// ---------------------------------------------------------------------------------------------------------
// Reading

/// A stream that ends too early, in each of its pieces.
#[test]
fn a_stream_that_breaks_off_is_bad_input() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let bytes = file_of(1000);
    for end in [200, 5000, bytes.len() / 2, bytes.len() - 1] {
        let mut command = batchinv(&["inv", "-", "-o", path(&output), "--engine", "cpu"]);
        in_pieces(&mut command, 4096);
        finish(command, &bytes[..end]).assert_failed(2, "standard input: truncated: it ends before the last element");
        assert_eq!(names_in(folder.path()), [""; 0]);
    }
}

/// A read error in the middle of the input, from a connection that is reset.
#[test]
fn a_read_error_is_a_failure_to_read() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut far, _) = listener.accept().unwrap();
    // Closing a connection with unread data resets it.
    far.write_all(b"never read").unwrap();
    let mut command = batchinv(&["inv", "-", "-o", path(&output), "--engine", "cpu"]);
    let child = command.stdin(OwnedFd::from(far)).stderr(Stdio::piped()).spawn().unwrap();
    // The command holds the other end, too.
    drop(command);
    let bytes = file_of(1000);
    near.write_all(&bytes[..bytes.len() / 2]).unwrap();
    wait_for(|| unfinished(child.id(), folder.path()).len() == 1);
    std::thread::sleep(Duration::from_millis(100));
    drop(near);
    ended(child).assert_failed(4, "standard input: cannot read on: Connection reset by peer");
    assert_eq!(names_in(folder.path()), [""; 0]);
}

/// Only a few pieces are read ahead. While nobody reads the output, the end of the
/// file is still unread when it changes.
#[test]
#[cfg(feature = "testing")]
fn a_file_that_changes_while_it_is_read_is_noticed() {
    for (order, len, code, what) in [
        ("False", 100_000, 4, "cannot read on: it has shrunk since it was opened"),
        ("True", 100_000, 4, "cannot read on: it has shrunk since it was opened"),
        ("False", 12_800_200, 2, "more bytes follow the array"),
        ("True", 12_800_200, 2, "more bytes follow the array"),
    ] {
        let folder = TempDir::new().unwrap();
        let [input, status] = ["a.npy", "s.npy"].map(|name| folder.path().join(name));
        let header = format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': (100000, 4, 4), }}");
        fs::write(&input, program::raw_npy(1, &header, &matrices(100_000))).unwrap();
        let mut command = batchinv(&["inv", path(&input), "-o", "-", "--status", path(&status), "--engine", "cpu"]);
        in_pieces(&mut command, 100_000);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = child.stdout.take().unwrap();
        reader.read_exact(&mut [0; 128]).unwrap();
        File::options().write(true).open(&input).unwrap().set_len(len).unwrap();
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        let out = ended(child);
        out.assert_failed(code, what);
        out.assert_line(path(&input));
        assert_eq!(names_in(folder.path()), ["a.npy"]);
    }
}

// ---------------------------------------------------------------------------------------------------------
// Memory

/// A driver that runs out of memory: the program reports an error in one line, or succeeds. The bindings of some
/// drivers panic then, which the program catches. Other drivers abort the process, which cannot be caught, but leaves
/// nothing behind.
#[test]
#[cfg(target_os = "linux")]
fn a_driver_without_memory_is_no_panic() {
    let folder = TempDir::new().unwrap();
    let input = folder.path().join("a.npy");
    fs::write(&input, file_of(50_000)).unwrap();
    for megabytes in (56..66).step_by(2).chain((200..1500).step_by(100)) {
        let outputs = TempDir::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -v {megabytes}000; exec \"$@\""), "sh", PROGRAM, "inv", path(&input)]);
        command.args(["-o", path(&outputs.path().join("x.npy")), "--engine", "gpu"]).env("RAYON_NUM_THREADS", "2");
        let out = command.stdin(Stdio::null()).output().unwrap();
        let Some(code) = out.status.code() else {
            assert!(!takes_files_without_a_name(&outputs) || names_in(outputs.path()).is_empty(), "{megabytes} MB");
            continue;
        };
        assert!(matches!(code, 0 | 3 | 4), "{megabytes} MB: {code}, {}", String::from_utf8_lossy(&out.stderr));
        if code > 0 {
            Output::from(out).assert_failed(code, "");
        }
        assert_eq!(names_in(outputs.path()), if code == 0 { vec!["x.npy"] } else { vec![] });
    }
}

// ---------------------------------------------------------------------------------------------------------
// Devices

/// A device that fails in the middle of a file. If it was chosen by name, the program reports
/// an error in one line and leaves the old file alone. Under the automatic choice the CPU
/// completes the file, and the report says so.
#[test]
#[cfg(feature = "testing")]
fn a_failing_device_costs_no_file() {
    if !adapter_or_skip("a_failing_device_costs_no_file") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npy", "x.npy"].map(|name| folder.path().join(name));
    let element = |at: usize| if at.is_multiple_of(17) { 4.0_f32 } else { (at % 3) as f32 / 8.0 };
    let bytes: Vec<u8> = (0..600 * 256).flat_map(|i| element(i % 256).to_le_bytes()).collect();
    fs::write(&input, npy("<f4", "(600, 16, 16)", &bytes)).unwrap();
    let run = |args: &[&str], fault: &str| {
        let mut command = batchinv(&[&["inv", path(&input)], args].concat());
        command.env("BATCHINV_TEST_AUTO", "software").env("BATCHINV_TEST_FAULT", fault);
        // Thirty pieces.
        in_pieces(&mut command, 20_480);
        finish(command, b"")
    };
    for (fault, what) in [
        ("mapping:5", "GPU device lost after 100 of 600 matrices"),
        ("memory:12", "out of GPU memory after "),
        ("refusal:12", "GPU device lost after "),
        ("destruction:5", "GPU device lost after "),
    ] {
        fs::write(&output, "older").unwrap();
        run(&["-o", path(&output), "--engine", "gpu"], fault).assert_failed(3, what);
        assert_eq!(fs::read(&output).unwrap(), b"older");
        assert_eq!(names_in(folder.path()), ["a.npy", "x.npy"], "{fault}");
        run(&["-o", "-", "--engine", "gpu", "--strict"], fault).assert_failed(3, what);

        let out = run(&["-o", path(&output), "--verify", "--json"], fault);
        out.assert_done();
        assert_eq!(program::Npy::read(&output).shape, [600, 16, 16]);
        assert!(out.json()["reason"].as_str().unwrap().contains(what), "{fault}: {}", out.json());
    }
}

// ---------------------------------------------------------------------------------------------------------
// Interrupts

fn wait_for(mut until: impl FnMut() -> bool) {
    let start = Instant::now();
    while !until() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ctrl-C, SIGTERM, and a lost terminal while pieces are read, inverted, and written.
#[test]
fn an_interrupt_in_the_middle_leaves_nothing() {
    for (signal, code, word) in
        [("INT", 130, "interrupted"), ("TERM", 143, "terminated"), ("HUP", 129, "the terminal hung up")]
    {
        // Without a name, and with a temporary one.
        for named in [false, true] {
            let (folder, mut child) = in_the_middle(named);
            kill(&child, signal);
            let stdin = child.stdin.take();
            ended(child).assert_failed(code, word);
            drop(stdin);
            assert_eq!(names_in(folder.path()), ["x.npy"]);
            assert_eq!(fs::read(folder.path().join("x.npy")).unwrap(), b"older");
        }
    }
}

/// Signals that nobody can or does watch for leave nothing either: what is unfinished has no name.
#[test]
#[cfg(target_os = "linux")]
fn no_signal_leaves_anything() {
    if !takes_files_without_a_name(&TempDir::new().unwrap()) {
        let line = "SKIPPED no_signal_leaves_anything: this file system has no files without a name";
        writeln!(std::io::stderr(), "{line}").unwrap();
        return;
    }
    for signal in ["KILL", "QUIT", "ABRT", "XCPU", "ALRM", "USR1"] {
        let (folder, mut child) = in_the_middle(false);
        kill(&child, signal);
        assert_eq!(child.wait().unwrap().code(), None, "{signal} ended it");
        assert_eq!(names_in(folder.path()), ["x.npy"], "{signal}");
        assert_eq!(fs::read(folder.path().join("x.npy")).unwrap(), b"older");
    }
}

/// Returns whether a file can be made there without ever having a name. tempfile does that if it can; /proc then shows
/// its inode instead of the name that it had.
#[cfg(target_os = "linux")]
fn takes_files_without_a_name(folder: &TempDir) -> bool {
    use std::os::fd::AsRawFd;
    let file = tempfile::tempfile_in(folder).unwrap();
    let shown = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    shown.file_name().unwrap().as_encoded_bytes().starts_with(b"#")
}

/// Starts a run that replaces x.npy in the folder, and stops in the middle to wait for input.
fn in_the_middle(named: bool) -> (TempDir, Child) {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    fs::write(&output, "older").unwrap();
    let mut command = program::batchinv_with_signals(&["inv", "-", "-o", path(&output), "--engine", "cpu"]);
    if named {
        command.env("BATCHINV_TEST_NAMED", "1");
    }
    // A core dump would lie there.
    in_pieces(&mut command, 100_000).current_dir("/");
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(&file_of(50_000)[..6_000_000]).unwrap();
    let enough = if cfg!(feature = "testing") { 1_000_000 } else { 0 };
    wait_for(|| unfinished(child.id(), folder.path()).iter().any(|file| file.len() >= enough));
    (folder, child)
}

fn kill(child: &Child, signal: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
}

/// Signals that `nohup` ignores stay ignored.
#[test]
#[cfg(target_os = "linux")]
fn an_ignored_signal_stays_ignored() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$@\"", "sh", PROGRAM, "inv", "-", "-o", path(&output)]);
    let child = command.args(["--engine", "cpu"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = file_of(1000);
    stdin.write_all(&bytes[..1000]).unwrap();
    wait_for(|| unfinished(child.id(), folder.path()).len() == 1);
    for signal in ["HUP", "INT"] {
        kill(&child, signal);
    }
    stdin.write_all(&bytes[1000..]).unwrap();
    drop(stdin);
    ended(child).assert_done();
    assert_eq!(names_in(folder.path()), ["x.npy"]);
}

// ---------------------------------------------------------------------------------------------------------
// Progress

/// On a terminal, a long run shows a progress bar with the rate and the time left, and clears it at the end. In
/// a pipe, or with --quiet, there is no bar.
#[test]
#[cfg(all(target_os = "linux", feature = "testing"))]
fn a_terminal_shows_progress() {
    let available = Command::new("script").arg("--version").output().is_ok_and(|out| out.status.success());
    if !available {
        writeln!(std::io::stderr(), "SKIPPED a_terminal_shows_progress: there is no `script`").unwrap();
        return;
    }
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let run = |quiet: &str, stderr: &str| {
        let pipe = folder.path().join("pipe");
        let _ = fs::remove_file(&pipe);
        pipe_in(&folder);
        let program = format!(
            "{PROGRAM} inv '{}' -o '{}' --engine cpu {quiet} {stderr}",
            path(&pipe).to_owned(),
            path(&output).to_owned()
        );
        let mut command = Command::new("script");
        in_pieces(&mut command, 10_000);
        let child = command.args(["-qefc", &program, "/dev/null"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let bytes = file_of(5000);
        let mut to = File::options().write(true).open(&pipe).unwrap();
        for (i, piece) in bytes.chunks(64_000).enumerate() {
            to.write_all(piece).unwrap();
            std::thread::sleep(Duration::from_millis(if i < 8 { 150 } else { 0 }));
        }
        drop(to);
        let out = child.unwrap().wait_with_output().unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap()
    };
    let shown = run("", "");
    assert!(shown.contains(" matrices, ") && shown.contains("/s, ") && shown.contains(" left"), "{shown:?}");
    assert!(shown.contains("\u{1b}[2K") || shown.contains("\u{1b}[K"), "cleared: {shown:?}");
    assert!(shown.contains("batchinv: 5000 matrices of order 4"), "{shown:?}");
    assert_eq!(run("--quiet", ""), "");
    // Here stderr is not a terminal.
    let piped = run("", &format!("2>'{}'", folder.path().join("log").display()));
    assert_eq!(piped, "");
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.starts_with("batchinv: 5000 matrices of order 4") && log.lines().count() == 1, "{log:?}");
}
