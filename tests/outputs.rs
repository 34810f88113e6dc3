//! A path means one file, by whatever links it is reached: an open descriptor is written to, a file is replaced.
#![cfg(all(target_os = "linux", feature = "cli"))]

mod program;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Output, PROGRAM, data, finish, names_in, path};
use tempfile::TempDir;

/// Runs a shell's command in the folder. `$inv` inverts `matrix.npy`.
fn shell(folder: &Path, command: &str) -> Output {
    let mut sh = Command::new("sh");
    let input = data("matrix.npy");
    sh.args(["-c", command]).current_dir(folder).env("inv", format!("{PROGRAM} inv {} --engine cpu", path(&input)));
    finish(sh, b"")
}

/// The bytes of the inverse.
fn expected() -> Vec<u8> {
    shell(Path::new("/"), "$inv -o -").stdout
}

fn links(folder: &Path) {
    symlink("/dev/stdout", folder.join("link")).unwrap();
    symlink("link", folder.join("link_to_link")).unwrap();
    symlink("/dev/fd", folder.join("fd")).unwrap();
    symlink("/proc/self", folder.join("self")).unwrap();
}

/// The names of stdout that no program may replace the file behind.
const STDOUTS: [&str; 12] = [
    "-",
    "/dev/stdout",
    "/dev/../dev/stdout",
    "/dev/fd/1",
    "/dev/fd/../fd/1",
    "/proc/self/fd/1",
    "/proc/thread-self/fd/1",
    "/proc/self/root/dev/stdout",
    "link",
    "./link_to_link",
    "fd/1",
    "self/fd/1",
];

/// What was written before stays, and what is written after follows, as a shell promises for `> file`.
#[test]
fn stdout_by_any_name_is_written_to_where_it_stands() {
    let folder = TempDir::new().unwrap();
    links(folder.path());
    let wanted = [b"before\n", &expected()[..], b"after\n"].concat();
    for name in STDOUTS {
        let out = shell(folder.path(), &format!("(echo before; $inv -o {name}; echo after) > file"));
        out.assert_done();
        assert!(fs::read(folder.path().join("file")).unwrap() == wanted, "{name}");
        // The object of --json goes elsewhere.
        let out = shell(folder.path(), &format!("$inv -o {name} --json > file"));
        assert!(fs::read(folder.path().join("file")).unwrap() == expected(), "{name}");
        assert!(out.stderr.starts_with('{'), "{name}: {}", out.stderr);
    }
    let out = shell(folder.path(), "(echo before >&3; $inv -o /dev/fd/3; echo after >&3) 3> file");
    out.assert_done();
    assert!(fs::read(folder.path().join("file")).unwrap() == wanted);
    assert_eq!(names_in(folder.path()), ["fd", "file", "link", "link_to_link", "self"]);
}

/// The rest of /proc leads to files in folders.
#[test]
fn below_proc_a_file_is_replaced() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let output = folder.path().join("x.npy");
    let by_root = format!("/proc/self/root{}", fs::canonicalize(folder.path()).unwrap().join("x.npy").display());
    for name in ["/proc/self/cwd/x.npy", "/proc/thread-self/cwd/x.npy", "/proc/self/cwd/sub/../x.npy", &by_root] {
        fs::write(&output, "older").unwrap();
        let before = fs::metadata(&output).unwrap().ino();
        shell(folder.path(), &format!("$inv -o {name}")).assert_done();
        assert!(fs::read(&output).unwrap() == expected(), "{name}");
        assert_ne!(fs::metadata(&output).unwrap().ino(), before, "{name}");
    }
    // The folder above a folder that a descriptor leads to, and a folder by its descriptor.
    shell(&folder.path().join("sub"), "$inv -o /proc/self/cwd/../above.npy").assert_done();
    shell(folder.path(), "exec 5< sub; $inv -o /dev/fd/5/inside.npy").assert_done();
    assert_eq!(names_in(folder.path()), ["above.npy", "sub", "x.npy"]);
    assert_eq!(names_in(&folder.path().join("sub")), ["inside.npy"]);
    // Another program's descriptor is written to at the end of its file.
    let out = shell(folder.path(), "sleep 60 3>> x.npy & $inv -o /proc/$!/fd/3; kill $!");
    assert_eq!(fs::metadata(&output).unwrap().len(), 2 * expected().len() as u64, "{}", out.stderr);
}

#[test]
fn one_file_under_two_names_is_refused() {
    let folder = TempDir::new().unwrap();
    links(folder.path());
    for (command, what) in [
        ("$inv -o /dev/fd/3 --status /proc/self/fd/4 3> file 4>&3", "two outputs are the same file"),
        ("$inv -o /dev/fd/3 --status file 3> file", "two outputs are the same file"),
        ("$inv -o file --status link > file", "two outputs are the same file"),
        ("$inv -o x.npy --status /proc/self/cwd/x.npy", "two outputs are the same file"),
        ("$inv -o fd/1 --status link_to_link > file", "only one of OUTPUT, STATUS and RCOND"),
        ("$inv -o fd/3 --status - 3>&1 > /dev/null", ""),
        ("$inv -o file --json > file", "file is also standard output, which takes the object of --json"),
    ] {
        let out = shell(folder.path(), command);
        if what.is_empty() {
            out.assert_done();
        } else {
            out.assert_failed(2, what);
        }
        assert!(!names_in(folder.path()).contains(&"x.npy".to_owned()));
    }
    let input = folder.path().join("a.npy");
    fs::copy(data("matrix.npy"), &input).unwrap();
    for name in ["fd/3", "/proc/self/fd/3"] {
        let out = shell(folder.path(), &format!("{PROGRAM} inv a.npy -o {name} --engine cpu 3>> a.npy"));
        out.assert_failed(2, &format!("{name} is also the input a.npy"));
        assert!(fs::read(&input).unwrap() == fs::read(data("matrix.npy")).unwrap());
    }
}

#[test]
fn what_cannot_arrive_is_a_failure_to_write() {
    let folder = TempDir::new().unwrap();
    symlink("there/", folder.path().join("slash")).unwrap();
    for command in ["$inv -q -o /dev/null --json 1< .", "${inv%% *} info 1< .", "${inv%% *} info --json 1< ."] {
        shell(folder.path(), command).assert_failed(4, "cannot write standard output: Bad file descriptor");
    }
    for (command, what) in [
        ("$inv -o - 1< .", "standard output: it is not open for writing"),
        ("$inv -o /dev/fd/3 3< /dev/zero", "/dev/fd/3: it is not open for writing"),
        ("$inv -o /dev/fd/77", "/dev/fd/77: No such file"),
        ("$inv -o okk/", "okk/: it names no file but a folder"),
        ("$inv -o okk/.", "okk/.: it names no file but a folder"),
        ("$inv -o slash", "slash: it names no file but a folder"),
        ("$inv -o ./", "./: it is a folder"),
    ] {
        shell(folder.path(), command).assert_failed(4, what);
        assert_eq!(names_in(folder.path()), ["slash"], "{command}");
    }
    // The latter is what programs give that discard the output of others.
    for command in ["$inv -o - > /dev/null", "$inv -o - <> /dev/null >&0"] {
        shell(folder.path(), command).assert_done();
    }
}

/// Two programs that replace or create one file leave the whole file of either, and nothing else.
#[test]
fn programs_that_race_for_one_file_leave_one_whole() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("x.npy");
    let expected = expected();
    for _ in 0..10 {
        let start = || {
            let mut command = program::batchinv(&["inv", path(&data("matrix.npy")), "-o", path(&output)]);
            command.args(["--engine", "cpu", "-q"]).stdin(Stdio::null()).spawn().unwrap()
        };
        for mut child in [start(), start(), start()] {
            assert!(child.wait().unwrap().success());
        }
        assert!(fs::read(&output).unwrap() == expected);
        assert_eq!(names_in(folder.path()), ["x.npy"]);
        fs::remove_file(&output).unwrap();
    }
}
