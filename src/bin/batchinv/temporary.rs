//! A file that appears whole under its name, or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::interrupt::temporary;
use crate::place::folder;

/// A file that is gone unless it was put in place.
pub struct TemporaryFile {
    storage: Option<Storage>,
    /// Permissions of the file that will be replaced.
    permissions: Option<Permissions>,
}

enum Storage {
    /// The system removes it with its last descriptor, however the program ends.
    Unnamed(File),
    /// For file systems that have no files without a name. An interrupt removes it.
    Named(NamedTempFile),
}

impl TemporaryFile {
    /// Creates it on the file system of `place`.
    pub fn beside(place: &Path) -> io::Result<Self> {
        let permissions = fs::metadata(place).ok().map(|facts| facts.permissions());
        // The default for a new file before the umask; for a replacement, no more than the replaced file has.
        #[cfg(unix)]
        let mode = permissions.as_ref().map_or(0o666, |it| std::os::unix::fs::PermissionsExt::mode(it) & 0o777);
        #[cfg(not(unix))]
        let mode = 0;
        let unnamed = unnamed::create(folder(place), mode);
        // Lets tests take the other way on file systems that have files without a name.
        #[cfg(feature = "testing")]
        let unnamed = unnamed.and_then(|file| match std::env::var_os("BATCHINV_TEST_NAMED") {
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
            None => Ok(file),
        });
        let storage = match unnamed {
            Ok(file) => Storage::Unnamed(file),
            // Whatever is wrong besides files without a name is also wrong with a named one, which then says it.
            Err(_) => Storage::named(folder(place), mode)?,
        };
        Ok(Self { storage: Some(storage), permissions })
    }

    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file().map_or(Ok(()), |file| file.write_all(bytes))
    }

    pub fn sync(&mut self) -> io::Result<()> {
        let permissions = self.permissions.take();
        let Some(file) = self.file() else { return Ok(()) };
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.sync_all()
    }

    pub fn put_in_place(mut self, place: &Path) -> io::Result<()> {
        match self.storage.take() {
            Some(Storage::Unnamed(file)) => link(&file, place)?,
            Some(Storage::Named(file)) => rename(file, place)?,
            None => return Ok(()),
        }
        // Makes the new name survive a crash; not every file system supports this.
        if cfg!(unix) {
            let _ = File::open(folder(place)).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    fn file(&mut self) -> Option<&mut File> {
        match self.storage.as_mut()? {
            Storage::Unnamed(file) => Some(file),
            Storage::Named(file) => Some(file.as_file_mut()),
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(Storage::Named(file)) = self.storage.take() {
            let mut list = temporary();
            list.forget(file.path());
            drop(file);
        }
    }
}

impl Storage {
    fn named(folder: &Path, mode: u32) -> io::Result<Self> {
        let mut builder = builder();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
        #[cfg(not(unix))]
        let _ = mode;
        let mut list = temporary();
        let file = builder.tempfile_in(folder)?;
        list.add(file.path());
        Ok(Self::Named(file))
    }
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".batchinv-").suffix(".tmp");
    builder
}

fn rename<F>(file: NamedTempFile<F>, place: &Path) -> io::Result<()> {
    let mut list = temporary();
    let path = file.path().to_owned();
    // If the rename fails, the error holds the file and removes it.
    let renamed = file.persist(place).map(drop).map_err(|error| error.error);
    list.forget(&path);
    renamed
}

/// Names a file that has no name.
fn link(file: &File, place: &Path) -> io::Result<()> {
    match unnamed::link(file, place) {
        // A link replaces nothing, but a rename does. From one to the other, the file has a temporary name.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut list = temporary();
            let named = builder().make_in(folder(place), |path| unnamed::link(file, path))?;
            list.add(named.path());
            drop(list);
            rename(named, place)
        }
        linked => linked,
    }
}

#[cfg(target_os = "linux")]
mod unnamed {
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};

    use super::*;

    pub fn create(folder: &Path, mode: u32) -> io::Result<File> {
        let file = File::from(open(folder, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, Mode::from(mode))?);
        // Without /proc it could not be named.
        fs::symlink_metadata(entry(&file))?;
        Ok(file)
    }

    pub fn link(file: &File, path: &Path) -> io::Result<()> {
        Ok(linkat(CWD, entry(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }

    fn entry(file: &File) -> PathBuf {
        format!("/proc/self/fd/{}", file.as_raw_fd()).into()
    }
}

#[cfg(not(target_os = "linux"))]
mod unnamed {
    use super::*;

    pub fn create(_: &Path, _: u32) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn link(_: &File, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
