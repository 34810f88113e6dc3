//! Every array of an input, one after the other, and the account of them.

use std::path::Path;
use std::time::Instant;

use crate::exit::Failure;
use crate::input::{self, Opened};
use crate::npy::Reader;
use crate::npz::directory::shown;
use crate::report::messages::Channels;
use crate::report::{self, Account};
use crate::results::Results;
use crate::shape::Shape;

/// One array of an input.
pub struct Array<'a> {
    /// In an archive.
    pub name: Option<&'a str>,
    pub reader: Reader,
    /// The time from which on its header was read.
    pub start: Instant,
}

/// Takes the array of a file, or every array of an archive, through `run`, and finishes the results.
pub fn each(
    path: &Path,
    mut results: Results,
    channels: Channels,
    start: Instant,
    mut run: impl FnMut(Array<'_>, &mut Results) -> Result<Account, Failure>,
) -> Result<(), Failure> {
    let reading = Instant::now();
    let folder = results.folder();
    match input::open(path, Shape::matrices, &folder)? {
        Opened::Array(reader) => {
            let mut account = run(Array { name: None, reader, start: reading }, &mut results)?;
            let finishing = Instant::now();
            results.finish()?;
            account.seconds.end(start, finishing);
            report::tell(&account, channels)
        }
        Opened::Archive(archive) => {
            results.be_archives()?;
            let mut accounts = Vec::with_capacity(archive.entries.len());
            for entry in &archive.entries {
                let reading = Instant::now();
                let reader = archive.reader(entry, &folder);
                let array = reader.map(|reader| Array { name: Some(&entry.name), reader, start: reading });
                let done = array.and_then(|array| run(array, &mut results));
                let subject = || format!("{}, array {}", input::name(path), shown(&entry.name));
                accounts.push(done.map_err(|error| error.about(subject()))?);
            }
            results.finish()?;
            report::tell_all(&accounts, start.elapsed().as_secs_f64(), channels)
        }
    }
}
