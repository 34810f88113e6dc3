//! The identity of a file, by which two paths to it are recognized.

use std::fs::Metadata;

/// Device and inode.
pub type Identity = (u64, u64);

#[cfg(unix)]
pub fn of(facts: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((facts.dev(), facts.ino()))
}

/// Other systems do not tell.
#[cfg(not(unix))]
pub fn of(_: &Metadata) -> Option<Identity> {
    None
}
