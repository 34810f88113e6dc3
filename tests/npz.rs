//! Archives, `.npz`: every array by its name, all of them or none.
//!
//! `tests/data/arrays.npz` and `packed.npz` hold some of the files beside them, and were written by NumPy.
#![cfg(feature = "cli")]

mod program;

use std::fs;
use std::path::Path;

use program::{batchinv, crc, data, entries, finish, names_in, npy, path, run};
use tempfile::TempDir;

/// The arrays of both archives, by the names of their files: all scalars, shapes and orders of elements.
const ARRAYS: [&str; 9] =
    ["axes", "big_complex128", "complex64", "empty", "float32", "fortran", "int16", "order0", "singular"];

#[test]
fn every_array_comes_out_as_it_does_alone() {
    let options = ["--status", "s", "--rcond", "r", "--engine", "cpu", "-o", "x"];
    let invert = |folder: &TempDir, input: &Path, extension: &str| {
        let paths = options.map(|option| match option.len() {
            1 => path(&folder.path().join(option)).to_owned() + extension,
            _ => option.to_owned(),
        });
        let paths = paths.each_ref().map(String::as_str);
        let out = run(&[&["inv", path(input), "--json"], &paths[..]].concat());
        out.assert_done();
        out
    };
    for archive in ["arrays.npz", "packed.npz"] {
        let folder = TempDir::new().unwrap();
        let out = invert(&folder, &data(archive), ".npz");
        let arrays = out.json()["arrays"].clone();
        assert_eq!(arrays.as_array().unwrap().iter().map(|array| array["name"].clone()).collect::<Vec<_>>(), ARRAYS);
        assert!(arrays[8]["counts"]["singular"].as_u64() > Some(0), "{arrays}");
        out.assert_line("float32: 10 matrices of order 5, float32, on the cpu engine");
        out.assert_line("singular: ");

        let results =
            ["s", "r", "x"].map(|name| entries(&fs::read(folder.path().join(format!("{name}.npz"))).unwrap()));
        for (position, name) in ARRAYS.into_iter().enumerate() {
            let alone = TempDir::new().unwrap();
            invert(&alone, &data(&format!("{name}.npy")), ".npy");
            for (result, file) in results.iter().zip(["s.npy", "r.npy", "x.npy"]) {
                let (entry, bytes) = &result[position];
                assert_eq!(*entry, format!("{name}.npy"));
                assert!(*bytes == fs::read(alone.path().join(file)).unwrap(), "{archive}: {name}, {file}");
            }
        }
        // Inverses are read back, checksums included.
        let again = folder.path().join("again.npz");
        run(&["inv", path(&folder.path().join("x.npz")), "-o", path(&again), "--quiet"]).assert_done();
        assert_eq!(entries(&fs::read(again).unwrap()).len(), ARRAYS.len());
    }
}

#[test]
fn an_archive_may_replace_itself_or_be_empty_or_go_to_stdout() {
    let folder = TempDir::new().unwrap();
    let input = folder.path().join("a.npz");
    fs::write(&input, zip(&[Entry::new("a", &[2.0]), Entry::new("b/c", &[4.0])])).unwrap();
    let out = run(&["inv", path(&input), "-o", "-", "--json"]);
    out.assert_done();
    let inverses = [one("a", 0.5), one("b/c", 0.25)];
    assert_eq!(entries(&out.stdout), inverses);
    let object: serde_json::Value = serde_json::from_str(&out.stderr).unwrap();
    assert_eq!(object["arrays"][1]["name"], "b/c");

    run(&["inv", path(&input), "-o", path(&input)]).assert_done();
    assert_eq!(entries(&fs::read(&input).unwrap()), inverses);
    fs::write(&input, zip(&[])).unwrap();
    let out = run(&["inv", path(&input), "-o", path(&input)]);
    out.assert_done();
    out.assert_line("the archive holds no array");
    assert_eq!(entries(&fs::read(&input).unwrap()), []);
    assert_eq!(names_in(folder.path()), ["a.npz"]);
}

/// Each is refused by the name of the entry, if it has one, and with it the whole archive.
#[test]
fn archives_that_lie_are_refused_and_leave_nothing() {
    let good = || Entry::new("good", &[2.0]);
    let with = |change: fn(&mut Entry)| {
        let mut bad = Entry::new("bad", &[4.0]);
        change(&mut bad);
        zip(&[good(), bad])
    };
    let end = |at: usize, bytes: &[u8]| {
        let mut file = zip(&[good()]);
        let start = file.len() - 22 + at;
        file[start..start + bytes.len()].copy_from_slice(bytes);
        file
    };
    let cases: Vec<(Vec<u8>, &str)> = vec![
        // The end and the directory.
        (b"PK\x03\x04 and so on".to_vec(), "it has no directory at its end"),
        (zip(&[good()])[..100].to_vec(), "it has no directory at its end; it may be truncated"),
        ([&zip(&[good()])[..], &[0]].concat(), "it has no directory at its end"),
        ([&zip(&[good()])[..63], &zip(&[good()])[..]].concat(), "its directory is not where its end says"),
        (end(8, &[2, 0, 2, 0]), "its directory has 1 entries and claims 2"),
        (end(4, &[1, 0]), "it is one part of several"),
        (end(12, &[0xff; 4]), "its directory takes 4294967295 bytes"),
        (end(16, &[9, 9, 9, 9]), "its directory is not where its end says"),
        // Names.
        (zip(&[good(), good()]), "entry \"good.npy\": two entries have this name"),
        (with(|entry| entry.name = b"/etc/bad.npy".to_vec()), "\"/etc/bad.npy\": its name leads out of the archive"),
        (with(|entry| entry.name = b"a/../../bad.npy".to_vec()), "\"a/../../bad.npy\": its name leads out"),
        (with(|entry| entry.name = b"..\\bad.npy".to_vec()), "its name leads out of the archive"),
        (with(|entry| entry.name = b"C:\\bad.npy".to_vec()), "its name leads out of the archive"),
        (with(|entry| entry.name = b"readme.txt".to_vec()), "entry \"readme.txt\": it is no .npy file"),
        (with(|entry| entry.name = b"folder/".to_vec()), "entry \"folder/\": it is no .npy file"),
        (with(|entry| entry.name = b".npy".to_vec()), "it has no usable name"),
        (with(|entry| entry.name = b"\xff.npy".to_vec()), "the name of entry 1 is not UTF-8"),
        (with(|entry| entry.name = [&[b'x'; 5000][..], b".txt"].concat()), "it is no .npy file"),
        (with(|entry| entry.local_name = Some(b"bat.npy".to_vec())), "\"bad.npy\": its own header contradicts"),
        // How it is packed.
        (with(|entry| entry.flags |= 1), "entry \"bad.npy\": it is encrypted"),
        (with(|entry| entry.method = 12), "entry \"bad.npy\": it is compressed by method 12"),
        (
            with(|entry| (entry.method, entry.bytes) = (8, vec![0xff; 68])),
            "\"bad\": damaged: its packed bytes do not unpack",
        ),
        (with(|entry| entry.crc ^= 1), "array \"bad\": damaged: its checksum is wrong"),
        (with(|entry| *entry.bytes.last_mut().unwrap() ^= 1), "array \"bad\": damaged: its checksum is wrong"),
        // Sizes.
        (with(|entry| entry.size += 1), "\"bad.npy\": it claims 82 bytes in 81 packed ones"),
        (with(|entry| (entry.method, entry.size) = (8, u32::MAX - 1)), "it claims 4294967294 bytes in 81 packed ones"),
        (with(|entry| entry.packed = Some(1 << 30)), "\"bad.npy\": it claims 81 bytes in 1073741824 packed ones"),
        (
            with(|entry| (entry.packed, entry.size) = (Some(1 << 30), 1 << 30)),
            "\"bad.npy\": truncated: 1073741824 bytes",
        ),
        (with(|entry| entry.at = Some(0)), "\"bad.npy\": its own header contradicts the directory"),
        (with(|entry| entry.at = Some(1 << 30)), "\"bad.npy\": it is not where the directory says"),
        (with(|entry| (entry.at, entry.name) = (Some(0), b"good.npy".to_vec())), "two entries have this name"),
        (overlapping(), "overlap"),
        // The array.
        (with(|entry| *entry = Entry::of("bad", b"1 2\n3 4\n".to_vec())), "array \"bad\": not a .npy file"),
        (with(|entry| *entry = Entry::of("bad", npy("<f8", "(1, 1)", &[0; 9]))), "array \"bad\": 1 bytes follow"),
        (with(|entry| *entry = Entry::of("bad", npy("<f8", "(9, 1, 1)", &[0; 8]))), "array \"bad\": truncated"),
        (with(|entry| *entry = Entry::of("bad", npy("<f8", "(2, 3)", &[0; 48]))), "array \"bad\": its shape is (2, 3)"),
    ];
    for (bytes, what) in cases {
        refused(&bytes, &[], what);
    }
    // No part of an archive is one.
    let whole = zip(&[good(), Entry::new("b", &[4.0])]);
    for len in 4..whole.len() {
        refused(&whole[..len], &[], "not a .npz file that can be read");
    }
    let singular = zip(&[good(), Entry::new("bad", &[0.0])]);
    assert!(refused_with(1, &singular, &["--strict"]).contains("array \"bad\": Singular matrix"));
}

/// 64-bit numbers stand in for those that are too large, or that their writer could not know.
#[test]
fn numbers_of_64_bits_are_read() {
    let mut large = Entry::new("large", &[2.0]);
    large.large = true;
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npz", "x.npz"].map(|name| folder.path().join(name));
    fs::write(&input, zip(&[large])).unwrap();
    run(&["inv", path(&input), "-o", path(&output)]).assert_done();
    assert_eq!(entries(&fs::read(output).unwrap()), [one("large", 0.5)]);
}

#[test]
fn an_archive_is_a_file_and_makes_archives() {
    let bytes = zip(&[Entry::new("a", &[2.0])]);
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npz", "x.npy"].map(|name| folder.path().join(name));
    fs::write(&input, &bytes).unwrap();
    run(&["inv", path(&input), "-o", path(&output)]).assert_failed(2, "its name must not end in .npy");
    let out = finish(batchinv(&["inv", "-", "-o", path(&output)]), &bytes);
    out.assert_failed(2, "standard input: not a .npy file: it is an archive, and .npz is read from files only");
    assert_eq!(names_in(folder.path()), ["a.npz"]);
}

#[track_caller]
fn refused(bytes: &[u8], options: &[&str], what: &str) {
    let stderr = refused_with(2, bytes, options);
    assert!(stderr.contains(what), "{what}: {stderr}");
}

/// Returns the line of a refusal with this exit status.
#[track_caller]
fn refused_with(code: i32, bytes: &[u8], options: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    let [input, output, status] = ["a.npz", "x.npz", "s.npz"].map(|name| folder.path().join(name));
    fs::write(&input, bytes).unwrap();
    let args = ["inv", path(&input), "-o", path(&output), "--status", path(&status), "--engine", "cpu", "--quiet"];
    let out = run(&[&args[..], options].concat());
    out.assert_failed(code, path(&input));
    assert_eq!(names_in(folder.path()), ["a.npz"]);
    out.stderr
}

// ---------------------------------------------------------------------------------------------------------
// Archives, written and read without the program's own code

/// A stored entry, with everything that can be wrong with one.
#[derive(Clone)]
struct Entry {
    name: Vec<u8>,
    /// The name in its own header, if that is another.
    local_name: Option<Vec<u8>>,
    flags: u16,
    method: u16,
    crc: u32,
    /// The packed bytes that it claims, if these are others.
    packed: Option<u32>,
    size: u32,
    /// The place that it claims, if that is another.
    at: Option<u32>,
    /// True if its sizes are 64-bit numbers.
    large: bool,
    bytes: Vec<u8>,
}

impl Entry {
    /// A stack of numbers, matrices of order 1, in version 1 of the format with the shortest header.
    fn new(name: &str, elements: &[f64]) -> Self {
        let bytes: Vec<u8> = elements.iter().flat_map(|element| element.to_le_bytes()).collect();
        Self::of(name, npy("<f8", &format!("({}, 1, 1)", elements.len()), &bytes))
    }

    fn of(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            name: format!("{name}.npy").into_bytes(),
            local_name: None,
            flags: 0,
            method: 0,
            crc: crc(&bytes),
            packed: None,
            size: bytes.len() as u32,
            at: None,
            large: false,
            bytes,
        }
    }
}

/// The entry that holds the inverse of a matrix of order 1.
fn one(name: &str, inverse: f64) -> (String, Vec<u8>) {
    let folder = TempDir::new().unwrap();
    let [input, output] = ["a.npy", "x.npy"].map(|name| folder.path().join(name));
    fs::write(&input, npy("<f8", "(1, 1, 1)", &(1.0 / inverse).to_le_bytes())).unwrap();
    run(&["inv", path(&input), "-o", path(&output)]).assert_done();
    let bytes = fs::read(output).unwrap();
    assert!(bytes.ends_with(&inverse.to_le_bytes()));
    (format!("{name}.npy"), bytes)
}

fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = entry.at.unwrap_or(file.len() as u32);
        let packed = entry.packed.unwrap_or(entry.bytes.len() as u32);
        let sizes = if entry.large { [u32::MAX; 2] } else { [packed, entry.size] };
        let extra = match entry.large {
            true => {
                [&[1, 0, 16, 0], &u64::from(entry.size).to_le_bytes()[..], &u64::from(packed).to_le_bytes()].concat()
            }
            false => Vec::new(),
        };
        let facts = [
            &[20, 0][..],
            &entry.flags.to_le_bytes(),
            &entry.method.to_le_bytes(),
            &[0; 4],
            &entry.crc.to_le_bytes(),
            &sizes[0].to_le_bytes(),
            &sizes[1].to_le_bytes(),
        ]
        .concat();
        let len = |bytes: &[u8]| (bytes.len() as u16).to_le_bytes();
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        let lens = [len(local_name), len(&extra)].concat();
        file.extend([b"PK\x03\x04", &facts[..], &lens, local_name, &extra, &entry.bytes].concat());
        let lens = [len(&entry.name), len(&extra), [0; 2], [0; 2], [0; 2], [0; 2], [0; 2]].concat();
        directory.extend([b"PK\x01\x02\x14\0", &facts[..], &lens, &at.to_le_bytes(), &entry.name, &extra].concat());
    }
    let count = (entries.len() as u16).to_le_bytes();
    let (size, at) = ((directory.len() as u32).to_le_bytes(), (file.len() as u32).to_le_bytes());
    [&file[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &size, &at, &[0, 0]].concat()
}

/// An entry whose bytes are a local header, and another that begins there.
fn overlapping() -> Vec<u8> {
    let inner = Entry::new("inner", &[2.0]);
    let header_of_inner = zip(std::slice::from_ref(&inner));
    let mut outer = Entry::of("outer", header_of_inner);
    outer.crc = 0;
    let mut inner = inner;
    inner.at = Some(30 + outer.name.len() as u32);
    zip(&[outer, inner])
}
