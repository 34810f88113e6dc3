//! Outputs that appear whole or not at all.
//!
//! A file is written in the folder of its destination under a temporary name, synced, and renamed. A device or a pipe
//! is written to directly and never replaced.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::exit::Failure;
use crate::input;
use crate::interrupt::temporary;
use crate::stdio::is_dash;

/// Outputs that are all checked before the work begins, written piece by piece, and put in place together at the end.
pub struct Outputs(Vec<Output>);

/// The bytes of one output, in two slices.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    pub header: &'a [u8],
    pub elements: &'a [u8],
}

impl Outputs {
    /// Resolves each path and checks that it can be written to.
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

    /// Refuses an input that is also an output, if that could destroy it. Writing directly to it would change it
    /// while it is read. A file that is replaced keeps its bytes for readers that have it open, but only the last
    /// output may replace the input: until that one is in place, the input is the only copy of the data.
    pub fn refuse_input(&self, input: &Path) -> Result<(), Failure> {
        let Some(identity) = input::identity(input) else { return Ok(()) };
        let last = self.0.len().saturating_sub(1);
        let forbidden = |&(i, output): &(usize, &Output)| match &output.place {
            Place::File(place) => i < last && input::identity(place) == Some(identity),
            _ => output.identity() == Some(identity),
        };
        match self.0.iter().enumerate().find(forbidden) {
            None => Ok(()),
            Some((_, output)) => {
                let (input, output) = (input::name(input), name(&output.path));
                Err(Failure::input(format!("{output} is also the input {input}")))
            }
        }
    }

    /// The folder for temporary files: the folder of the last output that is a file, or the system's.
    pub fn folder(&self) -> PathBuf {
        let folders = self.0.iter().rev().filter_map(|output| match &output.place {
            Place::File(place) => Some(folder(place).to_owned()),
            _ => None,
        });
        folders.into_iter().next().unwrap_or_else(std::env::temp_dir)
    }

    /// Prepares the outputs for `append`. With `keep`, a device or a pipe receives nothing before `finish`. Bytes for
    /// it are also kept until then if there are several such outputs, or if it is not the last output: a reader that
    /// waits for the end of one pipe before it opens the next would otherwise wait forever.
    pub fn begin(&mut self, keep: bool) -> Result<(), Failure> {
        let direct = self.0.iter().filter(|output| output.temporary.is_none()).count();
        let count = self.0.len();
        let folder = self.folder();
        for (i, output) in self.0.iter_mut().enumerate() {
            let streams = i + 1 == count && direct == 1 && !keep;
            output.begin(streams, &folder).map_err(|error| failed(&output.path, &error))?;
        }
        Ok(())
    }

    /// Writes to the end of output `index`, in the order in which they were opened.
    pub fn append(&mut self, index: usize, bytes: &[u8]) -> Result<(), Failure> {
        let output = &mut self.0[index];
        output.append(bytes).map_err(|error| failed(&output.path, &error))
    }

    /// Syncs all outputs to the disk, then puts them in place, first to last.
    pub fn finish(self) -> Result<(), Failure> {
        let mut outputs = self.0;
        for output in &mut outputs {
            output.sync().map_err(|error| failed(&output.path, &error))?;
        }
        for output in &mut outputs {
            output.finish().map_err(|error| failed(&output.path, &error))?;
        }
        Ok(())
    }

    /// Writes all outputs at once, and finishes.
    pub fn write(mut self, contents: &[Content<'_>]) -> Result<(), Failure> {
        self.begin(true)?;
        for (index, content) in contents.iter().enumerate() {
            self.append(index, content.header)?;
            self.append(index, content.elements)?;
        }
        self.finish()
    }
}

struct Output {
    /// The path as the user wrote it.
    path: PathBuf,
    place: Place,
    temporary: Option<TemporaryFile>,
    direct: Option<Direct>,
}

/// An output to a device, a pipe or stdout.
enum Direct {
    /// Written at once.
    Now(Box<dyn Write + Send>),
    /// Kept in an unnamed temporary file, and written at the end.
    Kept(File),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Stdout,
    /// A device or a pipe.
    Direct(PathBuf),
    /// A regular file, existing or not, with all symlinks resolved.
    File(PathBuf),
}

impl Output {
    fn find(path: &Path) -> Result<Self, Failure> {
        let place = if is_dash(path) { Ok(Place::Stdout) } else { place(path) };
        let place = place.map_err(|error| failed(path, &error))?;
        Ok(Self { path: path.to_owned(), place, temporary: None, direct: None })
    }

    /// Checks that the output can be written to, by creating its temporary file.
    fn prepare(self) -> Result<Self, Failure> {
        match &self.place {
            Place::File(place) => match TemporaryFile::beside(place) {
                Ok(temporary) => Ok(Self { temporary: Some(temporary), ..self }),
                Err(error) => Err(failed(&self.path, &error)),
            },
            _ => Ok(self),
        }
    }

    /// Identity of the file, if it is written to directly.
    fn identity(&self) -> Option<(u64, u64)> {
        match &self.place {
            Place::Stdout if cfg!(unix) => input::identity(Path::new("/dev/stdout")),
            Place::Direct(path) => input::identity(path),
            _ => None,
        }
    }

    fn begin(&mut self, streams: bool, folder: &Path) -> io::Result<()> {
        if self.temporary.is_none() {
            let direct =
                if streams { Direct::Now(self.place.open()?) } else { Direct::Kept(tempfile::tempfile_in(folder)?) };
            self.direct = Some(direct);
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match (&mut self.temporary, &mut self.direct) {
            (Some(temporary), _) => temporary.append(bytes),
            (None, Some(Direct::Now(to))) => to.write_all(bytes),
            (None, Some(Direct::Kept(file))) => file.write_all(bytes),
            (None, None) => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.temporary.as_mut().map_or(Ok(()), TemporaryFile::sync)
    }

    fn finish(&mut self) -> io::Result<()> {
        match (self.temporary.take(), self.direct.take()) {
            (Some(temporary), _) => match &self.place {
                Place::File(place) => temporary.rename_to(place),
                _ => Ok(()),
            },
            (None, Some(Direct::Now(mut to))) => to.flush(),
            (None, Some(Direct::Kept(mut file))) => {
                file.rewind()?;
                let mut to = self.place.open()?;
                io::copy(&mut file, &mut to)?;
                to.flush()
            }
            (None, None) => Ok(()),
        }
    }
}

impl Place {
    /// Opens it for writing directly.
    fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Self::Stdout => Box::new(io::stdout()),
            // Appends: other commands may already have written to the file of a shell's `> file`.
            Self::Direct(path) | Self::File(path) => Box::new(OpenOptions::new().append(true).open(path)?),
        })
    }
}

fn name(path: &Path) -> String {
    if is_dash(path) { "standard output".to_owned() } else { path.display().to_string() }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("cannot write {}: {error}", name(path)))
}

/// Names of files that the program inherited open. Other programs may be writing to them, so they are never replaced,
/// not even if they are regular files.
const OPEN_ALREADY: [&str; 4] = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"];

/// Resolves a path.
fn place(path: &Path) -> io::Result<Place> {
    if cfg!(unix) && OPEN_ALREADY.iter().any(|name| path.starts_with(name)) {
        return Ok(Place::Direct(path.to_owned()));
    }
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => return Err(io::Error::other("it is a folder")),
        Ok(facts) if !facts.is_file() => return Ok(Place::Direct(path.to_owned())),
        // A rename would replace even a file without write permission, so permission is checked here.
        Ok(_) => drop(OpenOptions::new().append(true).open(path)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let target = follow(path)?;
    let name = target.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    Ok(Place::File(fs::canonicalize(folder(&target))?.join(name)))
}

/// The end of a chain of symlinks, existing or not.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    // Linux follows 40 links, too.
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

/// A file that is removed unless it was renamed, even after an interrupt.
struct TemporaryFile {
    file: Option<NamedTempFile>,
    /// Permissions of the file that will be replaced.
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
            // The default for a new file before the umask; for a replacement, no more than the replaced file has.
            let mode = permissions.as_ref().map_or(0o666, |permissions| permissions.mode() & 0o777);
            builder.permissions(Permissions::from_mode(mode));
        }
        let mut list = temporary();
        let file = builder.tempfile_in(folder(place))?;
        list.add(file.path());
        Ok(Self { file: Some(file), permissions })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.as_file_mut().write_all(bytes),
            None => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let Some(file) = self.file.as_mut().map(NamedTempFile::as_file_mut) else { return Ok(()) };
        if let Some(permissions) = self.permissions.take() {
            File::set_permissions(file, permissions)?;
        }
        file.sync_all()
    }

    fn rename_to(mut self, place: &Path) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let mut list = temporary();
        let path = file.path().to_owned();
        // If the rename fails, the error holds the file and removes it.
        let renamed = file.persist(place).map(drop).map_err(|error| error.error);
        list.forget(&path);
        drop(list);
        renamed?;
        // Makes the new name survive a crash; not every file system supports this.
        if cfg!(unix) {
            let _ = File::open(folder(place)).and_then(|folder| folder.sync_all());
        }
        Ok(())
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
