//! Open descriptors, which /dev/fd and /proc show as files.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

/// Returns whether `name` in `folder` is an entry of a process's open descriptors. The folder is free of links, so it
/// is /dev/fd or, on Linux, /proc/PID/fd or /proc/PID/task/TID/fd: /dev/stdout, /dev/fd and /proc/self are links there.
pub fn is_entry(folder: &Path, name: &OsStr) -> bool {
    let number = name.to_str().is_some_and(|name| name.parse::<i32>().is_ok());
    cfg!(unix) && number && (folder == Path::new("/dev/fd") || folder.ends_with("fd") && in_proc(folder))
}

/// Returns whether a link in `folder` leads to a file itself, as /proc/PID/cwd does. What `read_link` says of it need
/// not be a path to that file.
pub fn links_to_files_themselves(folder: &Path) -> bool {
    // Links outside the folders of processes are ordinary: /proc/self, /proc/mounts.
    in_proc(folder) && folder.parent().is_some_and(in_proc)
}

/// The number of an entry, if the descriptor is this program's own.
pub fn own(folder: &Path, name: &OsStr) -> Option<i32> {
    let process = match folder.parent() {
        Some(dev) if dev == Path::new("/dev") => None,
        Some(thread) if thread.parent().is_some_and(|tasks| tasks.ends_with("task")) => thread.parent()?.parent(),
        process => process,
    };
    // A number means a process in the view of this /proc, which says who we are in it.
    let own = |process: &Path| {
        let this = std::fs::read_link(process.with_file_name("self"));
        this.is_ok_and(|this| process.file_name() == Some(this.as_os_str()))
    };
    if process.is_none_or(own) { name.to_str()?.parse().ok() } else { None }
}

/// A duplicate of one of this program's descriptors, which shares its position in the file: what other programs write
/// to it later then follows.
#[cfg(target_os = "linux")]
pub fn duplicate(number: i32) -> io::Result<File> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(this, number, PidfdGetfdFlags::empty())?.into())
}

/// Other systems duplicate a descriptor when its entry is opened.
#[cfg(not(target_os = "linux"))]
pub fn duplicate(_: i32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Checks that a descriptor can be written to. A standard stream that is closed cannot be told from one that discards
/// what is written: before `main`, Rust puts /dev/null in its place.
#[cfg(unix)]
pub fn check(file: &File) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl};
    if fcntl_getfl(file)? & OFlags::RWMODE == OFlags::RDONLY {
        return Err(io::Error::other("it is not open for writing"));
    }
    Ok(())
}

#[cfg(not(unix))]
pub fn check(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn in_proc(folder: &Path) -> bool {
    rustix::fs::statfs(folder).is_ok_and(|facts| facts.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn in_proc(_: &Path) -> bool {
    false
}
