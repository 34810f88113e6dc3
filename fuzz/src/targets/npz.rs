//! Arbitrary bytes as a `.npz` archive. It is refused, or every entry is a name of its own within the archive, of bytes
//! of its own, and an array that is read or refused. Unpacking takes no more bytes than were claimed.

use std::collections::HashSet;
use std::io::{Cursor, Read};

use super::npy::read;
use crate::npy::source::Input;
use crate::npz::directory;
use crate::shape::Shape;

/// The most bytes of an entry that are unpacked: a hundred small archives could claim gigabytes.
const MOST: u64 = 1 << 20;

pub fn npz(data: &[u8]) {
    let Ok(entries) = directory::read(&mut Cursor::new(data), data.len() as u64) else { return };
    let mut names = HashSet::new();
    let packed: u64 = entries.iter().map(|entry| entry.packed).sum();
    assert!(packed <= data.len() as u64, "entries share bytes");
    for entry in &entries {
        assert!(names.insert(&entry.name), "one name twice: {}", entry.name);
        assert!(!entry.name.starts_with('/') && entry.name.split('/').all(|part| part != ".."), "{}", entry.name);
        assert!(entry.size <= entry.packed * 1032, "no bytes unpack to as many");
        if entry.size > MOST {
            continue;
        }
        let unpacked = || entry.unpack(Cursor::new(data.to_vec())).unwrap();
        let mut bytes = Vec::new();
        let whole = unpacked().read_to_end(&mut bytes);
        assert!(bytes.len() as u64 <= entry.size, "more bytes than were claimed");
        let array = read(Input::Entry(Box::new(unpacked()), entry.size), Shape::matrices, usize::MAX);
        match whole {
            // The array is the one of a file with the same bytes.
            Ok(_) => {
                let file = read(Input::File(Box::new(Cursor::new(bytes)), entry.size), Shape::matrices, 1);
                assert_eq!(array.ok(), file.ok(), "{}", entry.name);
            }
            // An entry that fails to unpack gives no array, unless it was too large to be read to its end.
            Err(error) => assert!(!matches!(array, Ok(Some(_))), "{}: {error}", entry.name),
        }
    }
}
