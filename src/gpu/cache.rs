//! Compiled pipelines in a file that the caller names, so that the next process need not compile them again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error_scopes::Errors;
use crate::trusted::pipeline_cache;

/// A file of compiled pipelines.
#[derive(Debug)]
pub struct Cache {
    file: PathBuf,
    pub pipelines: wgpu::PipelineCache,
}

/// The first bytes of a file, before a checksum of 8 bytes and the driver's own data.
const MAGIC: &[u8] = b"batchinv pipelines 1\n";

impl Cache {
    /// Opens the cache with the data of the file, if there is one and it is intact.
    pub async fn open(device: &wgpu::Device, file: &Path) -> io::Result<Self> {
        let bytes = match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let errors = Errors::watch(device);
        let pipelines = pipeline_cache(device, data(&bytes));
        errors.check().await.map_err(|error| io::Error::other(error.at(0, 0)))?;
        Ok(Self { file: file.to_owned(), pipelines })
    }

    /// Replaces the file as a whole.
    pub fn save(&self) -> io::Result<()> {
        let Some(data) = self.pipelines.get_data() else { return Ok(()) };
        replace(&self.file, &[MAGIC, &checksum(&data).to_le_bytes(), &data].concat())
    }
}

/// Replaces a file as a whole. Of several threads or processes that do so at once, the last one wins.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let mut temporary = file.to_owned().into_os_string();
    temporary.push(format!(".{}.{}", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed)));
    let saved = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, file));
    saved.inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// The driver's data in a file, or `None` if the file is damaged.
fn data(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, data) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    (u64::from_le_bytes(*sum) == checksum(data)).then_some(data)
}

/// FNV-1a (Fowler, Noll, Vo). It detects truncated and damaged files, not malice.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threads that replace a file at once all succeed, and a reader never finds a part of it.
    #[test]
    fn replaced_by_many_threads() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pipelines.bin");
        replace(&file, &[0; 5000]).unwrap();
        std::thread::scope(|scope| {
            for thread in 1..=8_u8 {
                let file = &file;
                scope.spawn(move || (0..50).for_each(|_| replace(file, &[thread; 5000]).unwrap()));
            }
            for _ in 0..500 {
                let bytes = fs::read(&file).unwrap();
                assert!(bytes.len() == 5000 && bytes.iter().all(|&byte| byte == bytes[0]), "a part of a file");
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files stay behind");
    }

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
