//! The parts of an archive that is written first to last, beside the bytes of its entries.
//!
//! Entries are stored, as by `np.savez`. Their checksums follow them, since outputs such as pipes cannot go back.

use flate2::Crc;

use crate::npz::fields::{
    CENTRAL, DESCRIPTOR, END, END_64, EXTRA_64, LARGE, LOCAL, LOCATOR_64, UTF_8, WITH_DESCRIPTOR,
};

/// Versions of the format that a reader needs: 2.0, and 4.5 for 64-bit numbers.
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;

/// Unix wrote it, and its owner may read and write it, as NumPy says.
const SYSTEM: u16 = 3 << 8;
const MODE: u32 = 0o600 << 16;

/// The first date that the format knows, 1980-01-01, so that equal arrays make equal archives.
const TIME_AND_DATE: [u16; 2] = [0, 1 << 5 | 1];

const FLAGS: u16 = WITH_DESCRIPTOR | UTF_8;

/// An archive that is being written: its length and entries so far.
#[derive(Default)]
pub struct Writer {
    at: u64,
    entries: Vec<Written>,
}

struct Written {
    name: String,
    header_at: u64,
    size: u64,
    crc: Crc,
}

impl Written {
    fn is_large(&self) -> bool {
        self.size >= LARGE.into()
    }
}

impl Writer {
    /// The bytes before a `.npy` file of `size` bytes, the array of this name.
    pub fn begin(&mut self, array: &str, size: u64) -> Vec<u8> {
        let entry = Written { name: format!("{array}.npy"), header_at: self.at, size, crc: Crc::new() };
        let (version, small, extra) = match entry.is_large() {
            true => (VERSION_64, LARGE, large(&[0, 0])),
            false => (VERSION, 0, Vec::new()),
        };
        let header = [
            &LOCAL.to_le_bytes()[..],
            &halves(&[version, FLAGS, 0, TIME_AND_DATE[0], TIME_AND_DATE[1]]),
            &words(&[0, small, small]),
            &halves(&[entry.name.len() as u16, extra.len() as u16]),
            entry.name.as_bytes(),
            &extra,
        ]
        .concat();
        self.entries.push(entry);
        self.count(&header)
    }

    /// Takes account of bytes of the `.npy` file, which are written as they are.
    pub fn data(&mut self, bytes: &[u8]) {
        self.at += bytes.len() as u64;
        if let Some(entry) = self.entries.last_mut() {
            entry.crc.update(bytes);
        }
    }

    /// The bytes after the `.npy` file.
    pub fn end(&mut self) -> Vec<u8> {
        let Some(entry) = self.entries.last() else { return Vec::new() };
        let mut descriptor = words(&[DESCRIPTOR, entry.crc.sum()]);
        match entry.is_large() {
            true => descriptor.extend(longs(&[entry.size, entry.size])),
            false => descriptor.extend(words(&[entry.size as u32, entry.size as u32])),
        }
        self.count(&descriptor)
    }

    /// The bytes after the last entry.
    pub fn finish(&mut self) -> Vec<u8> {
        let directory_at = self.at;
        let mut bytes: Vec<u8> = self.entries.iter().flat_map(central).collect();
        let (size, count) = (bytes.len() as u64, self.entries.len() as u64);
        let end_64_at = directory_at + size;
        let is_large = count >= u16::MAX.into() || end_64_at >= LARGE.into();
        if is_large {
            bytes.extend(words(&[END_64]));
            bytes.extend(longs(&[44])); // the bytes that follow
            bytes.extend(halves(&[VERSION_64, VERSION_64]));
            bytes.extend(words(&[0, 0]));
            bytes.extend(longs(&[count, count, size, directory_at]));
            bytes.extend(words(&[LOCATOR_64, 0]));
            bytes.extend(longs(&[end_64_at]));
            bytes.extend(words(&[1]));
        }
        let count = if is_large { u16::MAX } else { count as u16 };
        let [size, at] = [size, directory_at].map(|number| if is_large { LARGE } else { number as u32 });
        bytes.extend(words(&[END]));
        bytes.extend(halves(&[0, 0, count, count]));
        bytes.extend(words(&[size, at]));
        bytes.extend(halves(&[0]));
        self.count(&bytes)
    }

    fn count(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.at += bytes.len() as u64;
        bytes.to_vec()
    }
}

/// An entry of the directory.
fn central(entry: &Written) -> Vec<u8> {
    let far = entry.header_at >= LARGE.into();
    let mut numbers = if entry.is_large() { vec![entry.size; 2] } else { Vec::new() };
    numbers.extend(far.then_some(entry.header_at));
    let (version, extra) = match numbers.is_empty() {
        true => (VERSION, Vec::new()),
        false => (VERSION_64, large(&numbers)),
    };
    let small = if entry.is_large() { LARGE } else { entry.size as u32 };
    let at = if far { LARGE } else { entry.header_at as u32 };
    [
        &CENTRAL.to_le_bytes()[..],
        &halves(&[SYSTEM | VERSION_64, version, FLAGS, 0, TIME_AND_DATE[0], TIME_AND_DATE[1]]),
        &words(&[entry.crc.sum(), small, small]),
        &halves(&[entry.name.len() as u16, extra.len() as u16, 0, 0, 0]),
        &words(&[MODE, at]),
        entry.name.as_bytes(),
        &extra,
    ]
    .concat()
}

/// An extra field with 64-bit numbers.
fn large(numbers: &[u64]) -> Vec<u8> {
    [halves(&[EXTRA_64, 8 * numbers.len() as u16]), longs(numbers)].concat()
}

fn halves(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn longs(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;
    use crate::npz::directory;

    /// A file with holes stands for one of 10 GiB.
    #[test]
    fn archives_beyond_4_gib_are_read_back() {
        const HOLE: u64 = 5 << 30;
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = Writer::default();
        for name in ["large", "also large"] {
            file.write_all(&writer.begin(name, HOLE)).unwrap();
            writer.at += HOLE;
            file.seek(SeekFrom::Current(HOLE as i64)).unwrap();
            file.write_all(&writer.end()).unwrap();
        }
        file.write_all(&writer.begin("far", 3)).unwrap();
        writer.data(b"abc");
        file.write_all(b"abc").unwrap();
        file.write_all(&writer.end()).unwrap();
        file.write_all(&writer.finish()).unwrap();

        let len = file.metadata().unwrap().len();
        let entries = directory::read(&mut file, len).unwrap();
        let facts: Vec<_> = entries.iter().map(|entry| (&entry.name[..], entry.size, entry.data_at / HOLE)).collect();
        assert_eq!(facts, [("large", HOLE, 0), ("also large", HOLE, 1), ("far", 3, 2)]);
    }

    /// More entries than 16 bits count.
    #[test]
    fn archives_of_many_arrays_are_read_back() {
        let mut writer = Writer::default();
        let mut file = Vec::new();
        for number in 0..70_000 {
            file.extend(writer.begin(&number.to_string(), 0));
            file.extend(writer.end());
        }
        file.extend(writer.finish());
        let entries = directory::read(&mut std::io::Cursor::new(&file), file.len() as u64).unwrap();
        assert_eq!((entries.len(), &entries[69_999].name[..]), (70_000, "69999"));
    }
}
