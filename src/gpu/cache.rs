//! What the driver has compiled, in a file that the caller names, so that the next process need not compile it again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::errors::Errors;
use crate::{Error, trusted};

/// A file of compiled pipelines.
#[derive(Debug)]
pub struct Cache {
    file: PathBuf,
    pub pipelines: wgpu::PipelineCache,
}

/// What a file begins with, before a checksum of 8 bytes and the driver's own data.
const MAGIC: &[u8] = b"batchinv pipelines 1\n";

impl Cache {
    /// With what the file holds, where there is one that is whole.
    pub fn open(device: &wgpu::Device, file: &Path) -> io::Result<Self> {
        let bytes = match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let errors = Errors::watch(device);
        let pipelines = trusted::pipeline_cache(device, data(&bytes));
        errors.check(|detail| Error::DeviceLost { done: 0, len: 0, detail }).map_err(io::Error::other)?;
        Ok(Self { file: file.to_owned(), pipelines })
    }

    /// Replaces the file whole.
    pub fn save(&self) -> io::Result<()> {
        let Some(data) = self.pipelines.get_data() else { return Ok(()) };
        let mut temporary = self.file.clone().into_os_string();
        temporary.push(format!(".{}", std::process::id()));
        let bytes = [MAGIC, &checksum(&data).to_le_bytes(), &data].concat();
        let saved = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &self.file));
        saved.inspect_err(|_| drop(fs::remove_file(&temporary)))
    }
}

/// The driver's data in a file, or `None` where it is not what was saved.
fn data(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, data) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    (u64::from_le_bytes(*sum) == checksum(data)).then_some(data)
}

/// FNV-1a (Fowler, Noll, Vo), for files cut short or damaged; it withstands no malice.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_files_count_as_none() {
        // FNV-1a of "a", from its authors' test vectors.
        assert_eq!(checksum(b"a"), 0xaf63_dc4c_8601_ec8c);
        let whole = [MAGIC, &checksum(b"driver").to_le_bytes(), b"driver"].concat();
        assert_eq!(data(&whole), Some(&b"driver"[..]));
        assert_eq!(data(&whole[..whole.len() - 1]), None);
        assert_eq!(data(&whole[..MAGIC.len() + 3]), None);
        assert_eq!((data(b""), data(b"something else altogether, and long enough")), (None, None));
    }
}
