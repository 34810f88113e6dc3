//! Outputs that appear whole or not at all.
//!
//! A file is written beside its place under another name, synced, and renamed. What exists and is no regular
//! file, a device or a pipe, is written to directly and never replaced.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::args::is_dash;
use crate::exit::Failure;
use crate::interrupt::temporary;

/// Outputs that are all checked before work begins, and written together after it.
pub struct Outputs(Vec<Output>);

/// The bytes of one output, in two parts.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    pub header: &'a [u8],
    pub elements: &'a [u8],
}

impl Outputs {
    /// Finds out where each path leads, and that it can be written to.
    pub fn open<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<Self, Failure> {
        let outputs = paths.map(Output::find).collect::<Result<Vec<_>, _>>()?;
        for (i, output) in outputs.iter().enumerate() {
            if let Some(other) = outputs[..i].iter().find(|other| other.place == output.place) {
                let (one, two) = (name(&other.path), name(&output.path));
                return Err(Failure::input(format!("two outputs are the same file: {one} and {two}")));
            }
        }
        outputs.into_iter().map(Output::prepare).collect::<Result<_, _>>().map(Self)
    }

    /// Writes everything, then puts it in place, first to last.
    pub fn write(self, contents: &[Content<'_>]) -> Result<(), Failure> {
        let mut outputs = self.0;
        for (output, content) in outputs.iter_mut().zip(contents) {
            output.stage(*content).map_err(|error| failed(&output.path, &error))?;
        }
        for (output, content) in outputs.iter_mut().zip(contents) {
            output.finish(*content).map_err(|error| failed(&output.path, &error))?;
        }
        Ok(())
    }
}

struct Output {
    /// As the user wrote it.
    path: PathBuf,
    place: Place,
    temporary: Option<TemporaryFile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Stdout,
    /// A device or a pipe.
    Direct(PathBuf),
    /// A regular file, there or not, with no symlink left in the name.
    File(PathBuf),
}

impl Output {
    fn find(path: &Path) -> Result<Self, Failure> {
        let place = if is_dash(path) { Ok(Place::Stdout) } else { place(path) };
        let place = place.map_err(|error| failed(path, &error))?;
        Ok(Self { path: path.to_owned(), place, temporary: None })
    }

    /// Makes sure that the output can be written to, by creating its temporary file.
    fn prepare(self) -> Result<Self, Failure> {
        match &self.place {
            Place::File(place) => match TemporaryFile::beside(place) {
                Ok(temporary) => Ok(Self { temporary: Some(temporary), ..self }),
                Err(error) => Err(failed(&self.path, &error)),
            },
            _ => Ok(self),
        }
    }

    fn stage(&mut self, content: Content<'_>) -> io::Result<()> {
        match &mut self.temporary {
            Some(temporary) => temporary.write(content),
            None => Ok(()),
        }
    }

    fn finish(&mut self, content: Content<'_>) -> io::Result<()> {
        match (&self.place, self.temporary.take()) {
            (Place::Stdout, _) => content.write_to(&mut io::stdout().lock()),
            // Appending: a shell's `> file` stands at the end of what other commands wrote.
            (Place::Direct(path), _) => content.write_to(&mut OpenOptions::new().append(true).open(path)?),
            (Place::File(place), Some(temporary)) => temporary.rename_to(place),
            (Place::File(_), None) => Ok(()),
        }
    }
}

fn name(path: &Path) -> String {
    if is_dash(path) { "standard output".to_owned() } else { path.display().to_string() }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("cannot write {}: {error}", name(path)))
}

impl Content<'_> {
    fn write_to(self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self.header)?;
        to.write_all(self.elements)?;
        to.flush()
    }
}

/// Names of what the program already has open, whatever it is: to replace the file behind them would pull it away
/// from under the other programs that write to it.
const OPEN_ALREADY: [&str; 4] = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"];

/// Where a path leads.
fn place(path: &Path) -> io::Result<Place> {
    if cfg!(unix) && OPEN_ALREADY.iter().any(|name| path.starts_with(name)) {
        return Ok(Place::Direct(path.to_owned()));
    }
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => return Err(io::Error::other("it is a folder")),
        Ok(facts) if !facts.is_file() => return Ok(Place::Direct(path.to_owned())),
        // Renaming would replace even a file that must not be written to.
        Ok(_) => drop(OpenOptions::new().append(true).open(path)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let target = follow(path)?;
    let name = target.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    Ok(Place::File(fs::canonicalize(folder(&target))?.join(name)))
}

/// The end of a chain of symlinks, there or not.
fn follow(path: &Path) -> io::Result<PathBuf> {
    // As many as Linux follows.
    let mut path = path.to_owned();
    for _ in 0..40 {
        if !fs::symlink_metadata(&path).is_ok_and(|facts| facts.is_symlink()) {
            return Ok(path);
        }
        path = folder(&path).join(fs::read_link(&path)?);
    }
    Err(io::Error::other("too many symbolic links"))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file that is gone unless it was renamed, even after an interrupt.
struct TemporaryFile {
    file: Option<NamedTempFile>,
    /// Of the file that is replaced.
    permissions: Option<Permissions>,
}

impl TemporaryFile {
    fn beside(place: &Path) -> io::Result<Self> {
        let permissions = fs::metadata(place).ok().map(|facts| facts.permissions());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".batchinv-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // What any new file gets, less the umask; or, where one is replaced, no more than that one has.
            let mode = permissions.as_ref().map_or(0o666, |permissions| permissions.mode() & 0o777);
            builder.permissions(Permissions::from_mode(mode));
        }
        let mut list = temporary();
        let file = builder.tempfile_in(folder(place))?;
        list.add(file.path());
        Ok(Self { file: Some(file), permissions })
    }

    fn write(&mut self, content: Content<'_>) -> io::Result<()> {
        let Some(file) = self.file.as_mut().map(NamedTempFile::as_file_mut) else { return Ok(()) };
        content.write_to(file)?;
        if let Some(permissions) = self.permissions.take() {
            File::set_permissions(file, permissions)?;
        }
        file.sync_all()
    }

    fn rename_to(mut self, place: &Path) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let mut list = temporary();
        let path = file.path().to_owned();
        // Where the renaming fails, the error holds the file and removes it.
        let renamed = file.persist(place).map(drop).map_err(|error| error.error);
        list.forget(&path);
        renamed
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let mut list = temporary();
            list.forget(file.path());
            drop(file);
        }
    }
}
