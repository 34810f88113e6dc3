//! The directory of an archive: what it holds, under which names, and where.
//!
//! Everything is an untrusted claim. Names, sizes and places are checked before a byte of an array is read.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use crate::exit::Failure;
use crate::npz::fields::{CENTRAL, ENCRYPTED, END, END_64, EXTRA_64, Fields, LARGE, LOCAL, LOCATOR_64};

/// Largest directory that is read: one of about 200,000 arrays.
const MAX_DIRECTORY: u64 = 16 << 20;

/// Bytes of the end without its comment, of the field that locates the end with 64-bit numbers, of that end, and of a
/// local header without its name.
const END_BYTES: usize = 22;
const LOCATOR_BYTES: usize = 20;
const END_64_BYTES: usize = 56;
const LOCAL_BYTES: usize = 30;

/// Bytes that one packed byte can stand for at most: deflate repeats 258 bytes in 2 bits.
const MAX_RATIO: u64 = 1032;

/// One array of an archive.
#[derive(Debug)]
pub struct Entry {
    /// The name of the array, without `.npy`.
    pub name: String,
    pub method: Method,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes of the `.npy` file.
    pub size: u64,
    pub crc: u32,
    /// The offset of the local header, and that of the first packed byte.
    header_at: u64,
    pub data_at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Stored,
    Deflated,
}

/// Returns whether a file that begins with these bytes is an archive: with an entry, or with the end of an empty one.
pub fn is_archive(start: [u8; 4]) -> bool {
    [LOCAL, END].contains(&u32::from_le_bytes(start))
}

/// Reads the directory of an archive of `len` bytes.
pub fn read(file: &mut (impl Read + Seek), len: u64) -> Result<Vec<Entry>, Failure> {
    let end = End::find(file, len)?;
    let mut bytes = vec![0; end.size as usize];
    read_at(file, end.at, &mut bytes)?;
    let mut fields = Fields(&bytes);
    let mut entries = Vec::new();
    let mut names = HashSet::new();
    while !fields.0.is_empty() {
        let number = entries.len();
        let central =
            Central::parse(&mut fields).ok_or_else(|| bad(format!("entry {number} of its directory is damaged")))?;
        let name =
            std::str::from_utf8(central.name).map_err(|_| bad(format!("the name of entry {number} is not UTF-8")))?;
        let about = |reason: String| bad(format!("entry {}: {reason}", shown(name)));
        let mut entry = central.entry(name).map_err(about)?;
        if !names.insert(central.name) {
            return Err(about("two entries have this name".to_owned()));
        }
        entry.data_at = data_at(file, &entry, &central, end.at)?.map_err(about)?;
        entries.push(entry);
    }
    if entries.len() as u64 != end.entries {
        return Err(bad(format!("its directory has {} entries and claims {}", entries.len(), end.entries)));
    }
    check_overlap(&entries)?;
    Ok(entries)
}

/// The place and size of the directory, from the record at the end of an archive.
struct End {
    entries: u64,
    size: u64,
    at: u64,
}

impl End {
    fn find(file: &mut (impl Read + Seek), len: u64) -> Result<Self, Failure> {
        // The end has a comment of up to 65,535 bytes, whose length must be right.
        let tail_len = len.min(END_BYTES as u64 + u64::from(u16::MAX));
        let tail_at = len - tail_len;
        let mut tail = vec![0; tail_len as usize];
        read_at(file, tail_at, &mut tail)?;
        let is_end = |at: &usize| {
            let comment = tail.len() - at - END_BYTES;
            tail[*at..].starts_with(&END.to_le_bytes())
                && tail[at + END_BYTES - 2..].starts_with(&(comment as u16).to_le_bytes())
        };
        let last = tail.len().checked_sub(END_BYTES);
        let at = last.and_then(|last| (0..=last).rev().find(is_end));
        let at = at.ok_or_else(|| bad("it has no directory at its end; it may be truncated"))?;
        let end_at = tail_at + at as u64;
        let (disks, plain) = Self::parse(&mut Fields(&tail[at + 4..])).ok_or_else(damaged)?;
        let (disks, end, end_at) = match Self::find_64(file, end_at)? {
            Some(large) => large,
            None => (disks, plain, end_at),
        };
        if disks {
            return Err(bad("it is one part of several"));
        }
        if end.size > MAX_DIRECTORY {
            return Err(bad(format!("its directory takes {} bytes: at most {MAX_DIRECTORY} are read", end.size)));
        }
        if end.at.checked_add(end.size) != Some(end_at) {
            return Err(bad("its directory is not where its end says"));
        }
        Ok(end)
    }

    /// The fields after the signature, and whether the archive has several parts.
    fn parse(fields: &mut Fields<'_>) -> Option<(bool, Self)> {
        let (disk, first) = (fields.u16()?, fields.u16()?);
        let (here, entries) = (fields.u16()?, fields.u16()?);
        let (size, at) = (fields.u32()?, fields.u32()?);
        let end = Self { entries: entries.into(), size: size.into(), at: at.into() };
        Some((disk != first || here != entries, end))
    }

    /// The end with 64-bit numbers before the end at `end_at`, and where it begins.
    fn find_64(file: &mut (impl Read + Seek), end_at: u64) -> Result<Option<(bool, Self, u64)>, Failure> {
        let Some(locator_at) = end_at.checked_sub(LOCATOR_BYTES as u64) else { return Ok(None) };
        let mut locator = [0; LOCATOR_BYTES];
        read_at(file, locator_at, &mut locator)?;
        let mut fields = Fields(&locator);
        if fields.u32() != Some(LOCATOR_64) {
            return Ok(None);
        }
        let (_disk, at) = (fields.u32(), fields.u64().ok_or_else(damaged)?);
        if at.checked_add(END_64_BYTES as u64).is_none_or(|end| end > locator_at) {
            return Err(damaged());
        }
        let mut bytes = [0; END_64_BYTES];
        read_at(file, at, &mut bytes)?;
        Ok(Some(Self::parse_64(&mut Fields(&bytes)).map(|(disks, end)| (disks, end, at)).ok_or_else(damaged)?))
    }

    fn parse_64(fields: &mut Fields<'_>) -> Option<(bool, Self)> {
        if fields.u32()? != END_64 {
            return None;
        }
        fields.bytes(12)?; // its own size, and versions
        let (disk, first) = (fields.u32()?, fields.u32()?);
        let (here, entries) = (fields.u64()?, fields.u64()?);
        let (size, at) = (fields.u64()?, fields.u64()?);
        Some((disk != first || here != entries, Self { entries, size, at }))
    }
}

/// An entry of the directory as it stands.
struct Central<'a> {
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    header_at: u64,
    name: &'a [u8],
}

impl<'a> Central<'a> {
    fn parse(fields: &mut Fields<'a>) -> Option<Self> {
        if fields.u32()? != CENTRAL {
            return None;
        }
        fields.bytes(4)?; // versions
        let (flags, method) = (fields.u16()?, fields.u16()?);
        fields.bytes(4)?; // time and date
        let crc = fields.u32()?;
        let (packed, size) = (fields.u32()?, fields.u32()?);
        let [name, extra, comment] = [fields.u16()?, fields.u16()?, fields.u16()?].map(usize::from);
        fields.bytes(8)?; // disk and attributes
        let header_at = fields.u32()?;
        let (name, extra, _comment) = (fields.bytes(name)?, fields.bytes(extra)?, fields.bytes(comment)?);

        let mut large = Fields(extra_64(extra));
        let mut number = |small: u32| if small == LARGE { large.u64() } else { Some(small.into()) };
        let (size, packed, header_at) = (number(size)?, number(packed)?, number(header_at)?);
        Some(Self { flags, method, crc, packed, size, header_at, name })
    }

    /// The entry, but for its place, or what is wrong with it.
    fn entry(&self, name: &str) -> Result<Entry, String> {
        let array = name.strip_suffix(".npy").ok_or("it is no .npy file")?;
        let parts = || array.split(['/', '\\']);
        if array.is_empty() || array.contains('\0') {
            return Err("it has no usable name".to_owned());
        }
        if parts().any(|part| part == "..") || parts().next() == Some("") || array.as_bytes().get(1) == Some(&b':') {
            return Err("its name leads out of the archive".to_owned());
        }
        if self.flags & ENCRYPTED != 0 {
            return Err("it is encrypted".to_owned());
        }
        let method = match self.method {
            0 => Method::Stored,
            8 => Method::Deflated,
            other => return Err(format!("it is compressed by method {other}: 0, stored, and 8, deflated, are read")),
        };
        let most = if method == Method::Stored { self.packed } else { self.packed.saturating_mul(MAX_RATIO) };
        if self.size > most || method == Method::Stored && self.size != self.packed {
            return Err(format!("it claims {} bytes in {} packed ones", self.size, self.packed));
        }
        Ok(Entry {
            name: array.to_owned(),
            method,
            packed: self.packed,
            size: self.size,
            crc: self.crc,
            header_at: self.header_at,
            data_at: 0,
        })
    }
}

/// The contents of the extra field with 64-bit numbers; empty if there is none.
fn extra_64(extra: &[u8]) -> &[u8] {
    let mut fields = Fields(extra);
    while let (Some(kind), Some(len)) = (fields.u16(), fields.u16()) {
        let Some(contents) = fields.bytes(len.into()) else { break };
        if kind == EXTRA_64 {
            return contents;
        }
    }
    &[]
}

/// The position of the packed bytes, behind the local header, which must agree with the directory.
fn data_at(
    file: &mut (impl Read + Seek),
    entry: &Entry,
    central: &Central<'_>,
    directory_at: u64,
) -> Result<Result<u64, String>, Failure> {
    let outside = || Ok(Err("it is not where the directory says".to_owned()));
    let name_at = entry.header_at.saturating_add(LOCAL_BYTES as u64);
    if name_at.saturating_add(central.name.len() as u64) > directory_at {
        return outside();
    }
    let mut header = [0; LOCAL_BYTES];
    let mut name = vec![0; central.name.len()];
    read_at(file, entry.header_at, &mut header)?;
    read_at(file, name_at, &mut name)?;
    let mut fields = Fields(&header);
    let parsed = || -> Option<_> {
        let (signature, _version) = (fields.u32()?, fields.u16()?);
        let (flags, method) = (fields.u16()?, fields.u16()?);
        fields.bytes(16)?; // time, date, checksum and sizes, which may stand after the bytes instead
        Some((signature, flags, method, fields.u16()?, fields.u16()?))
    };
    let Some((LOCAL, flags, method, name_len, extra_len)) = { parsed }() else { return outside() };
    if usize::from(name_len) != name.len() || name != central.name || method != central.method || flags & ENCRYPTED != 0
    {
        return Ok(Err("its own header contradicts the directory".to_owned()));
    }
    let at = name_at + u64::from(name_len) + u64::from(extra_len);
    if at.checked_add(entry.packed).is_none_or(|end| end > directory_at) {
        return Ok(Err(format!("truncated: {} bytes do not fit before the directory", entry.packed)));
    }
    Ok(Ok(at))
}

/// Refuses entries that share bytes, by which a small archive unpacks to a giant.
fn check_overlap(entries: &[Entry]) -> Result<(), Failure> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.header_at);
    match sorted.windows(2).find(|pair| pair[0].data_at + pair[0].packed > pair[1].header_at) {
        None => Ok(()),
        Some(pair) => {
            let [one, two] = [pair[0], pair[1]].map(|entry| shown(&entry.name));
            Err(bad(format!("the entries {one} and {two} overlap")))
        }
    }
}

fn read_at(file: &mut (impl Read + Seek), at: u64, bytes: &mut [u8]) -> Result<(), Failure> {
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(bytes));
    read.map_err(|error: io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => Failure::io("cannot read on: it has shrunk since it was opened"),
        _ => Failure::io(format!("cannot read on: {error}")),
    })
}

/// A name as messages show it: in quotes, and not at any length.
pub fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(80).collect::<String>())
}

fn damaged() -> Failure {
    bad("its end is damaged")
}

fn bad(reason: impl AsRef<str>) -> Failure {
    Failure::input(format!("not a .npz file that can be read: {}", reason.as_ref()))
}
