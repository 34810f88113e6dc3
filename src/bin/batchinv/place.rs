//! The place that the path of an output means.
//!
//! Symlinks are followed one by one. A path that then ends at an entry of a process's open descriptors (/dev/stdout,
//! /dev/fd/3, /proc/self/fd/3, or a link to one) is the open file itself. Other programs may be writing to it, so it is
//! written to and never replaced. Everything else below /proc is a file in a folder like any other.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use crate::descriptor;
use crate::identity::{self, Identity};
use crate::stdio::{is_dash, stdout};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Stdout,
    /// Another descriptor of this program: its number and its entry.
    Descriptor(i32, PathBuf),
    /// A device, a pipe, or another process's descriptor.
    Direct(PathBuf),
    /// A regular file, existing or not. The path is absolute and free of links.
    File(PathBuf),
}

impl Place {
    pub fn find(path: &Path) -> io::Result<Self> {
        if is_dash(path) {
            return Ok(Self::Stdout);
        }
        // The system follows the links first: it knows which of them this user must not follow.
        match fs::metadata(path) {
            Ok(facts) if facts.is_dir() => return Err(io::Error::other("it is a folder")),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let place = resolve(path)?;
        if let Self::File(file) = &place
            && file.exists()
        {
            // A rename would replace even a file without write permission, so permission is checked here.
            OpenOptions::new().append(true).open(file)?;
        }
        Ok(place)
    }

    /// Checks that what is written to an open descriptor arrives.
    pub fn check(&self) -> io::Result<()> {
        match self {
            Self::Stdout => descriptor::check(&stdout()?),
            Self::Descriptor(number, _) => match descriptor::duplicate(*number) {
                Ok(file) => descriptor::check(&file),
                // Opening its entry shows it, but waits if it is a pipe without a reader.
                Err(_) => Ok(()),
            },
            Self::Direct(_) | Self::File(_) => Ok(()),
        }
    }

    /// Opens it for writing directly.
    pub fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        // Appends: other programs may already have written to the file.
        let append = |path| OpenOptions::new().append(true).open(path);
        Ok(Box::new(match self {
            Self::Stdout => stdout()?,
            Self::Descriptor(number, path) => descriptor::duplicate(*number).or_else(|_| append(path))?,
            Self::Direct(path) | Self::File(path) => append(path)?,
        }))
    }

    /// The identity of a file or a pipe that is written to directly. Devices have none: an output may share one.
    pub fn identity(&self) -> Option<Identity> {
        let facts = match self {
            Self::Stdout => stdout().and_then(|file| file.metadata()),
            Self::Descriptor(_, path) | Self::Direct(path) => fs::metadata(path),
            Self::File(_) => return None,
        };
        facts.ok().filter(|facts| !is_device(facts)).and_then(|facts| identity::of(&facts))
    }

    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(two)) => {
                let folder = |path: &Path| fs::metadata(folder(path)).ok().and_then(|facts| identity::of(&facts));
                one == two || one.file_name() == two.file_name() && folder(one).is_some() && folder(one) == folder(two)
            }
            (Self::File(file), direct) | (direct, Self::File(file)) => {
                let identity = fs::metadata(file).ok().and_then(|facts| identity::of(&facts));
                identity.is_some() && identity == direct.identity()
            }
            _ => self == other || self.identity().is_some_and(|identity| other.identity() == Some(identity)),
        }
    }
}

/// Returns whether an output at this path goes to stdout.
pub fn is_stdout(path: &Path) -> bool {
    match Place::find(path) {
        Ok(Place::File(_)) | Err(_) => false,
        Ok(place) => place.is_same(&Place::Stdout),
    }
}

/// The folder of a file.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Follows a path, step by step and link by link.
fn resolve(path: &Path) -> io::Result<Place> {
    let mut at = if path.has_root() { PathBuf::new() } else { std::env::current_dir()? };
    // The next step is the last of the list.
    let mut steps = Vec::new();
    push(path, &mut steps)?;
    let mut links = 0;
    while let Some(step) = steps.pop() {
        if step == ".." {
            leave(&mut at);
            continue;
        }
        let next = at.join(&step);
        let last = steps.is_empty();
        if last && descriptor::is_entry(&at, &step) {
            fs::symlink_metadata(&next)?;
            return Ok(match descriptor::own(&at, &step) {
                Some(1) => Place::Stdout,
                Some(number) => Place::Descriptor(number, next),
                None => Place::Direct(next),
            });
        }
        match fs::symlink_metadata(&next) {
            Ok(facts) if facts.is_symlink() && !descriptor::links_to_files_themselves(&at) => {
                links += 1;
                // Linux follows 40 links, too.
                if links > 40 {
                    return Err(io::Error::other("too many symbolic links"));
                }
                push(&fs::read_link(&next)?, &mut steps)?;
            }
            Err(error) if !last || error.kind() != ErrorKind::NotFound => return Err(error),
            _ => at = next,
        }
    }
    let other = fs::metadata(&at).is_ok_and(|facts| !facts.is_file());
    Ok(if other { Place::Direct(at) } else { Place::File(at) })
}

/// Puts the steps of a path before the others. If it is the whole rest of the way, it must not name a folder.
fn push(path: &Path, steps: &mut Vec<OsString>) -> io::Result<()> {
    let text = path.as_os_str().as_encoded_bytes();
    let end = text.rsplit(|&byte| std::path::is_separator(char::from(byte))).next().unwrap_or_default();
    if steps.is_empty() && matches!(end, b"" | b"." | b"..") {
        return Err(io::Error::other("it names no file but a folder"));
    }
    let named = path.components().filter(|step| *step != Component::CurDir);
    steps.extend(named.map(|step| step.as_os_str().to_owned()).rev());
    Ok(())
}

/// Goes from a folder to the one above it.
fn leave(folder: &mut PathBuf) {
    let link = fs::symlink_metadata(&folder).is_ok_and(|facts| facts.is_symlink());
    // The path to /proc/PID/cwd says nothing about the folder above that folder.
    if link || folder.ends_with("..") {
        folder.push("..");
    } else {
        folder.pop();
    }
}

#[cfg(unix)]
fn is_device(facts: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    facts.file_type().is_char_device() || facts.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_device(_: &fs::Metadata) -> bool {
    false
}
