//! The bytes of an array, from a file or a stream.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use crate::exit::Failure;

/// Bytes that can be read at any offset.
pub trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

/// The origin of an array.
pub enum Input {
    /// Read once, first to last; its length shows only at its end.
    Stream(Box<dyn Read + Send>),
    /// Unpacked from an archive: read once, with its length. What is wrong with the archive is an error of the kind
    /// `InvalidData`.
    Entry(Box<dyn Read + Send>, u64),
    /// At its beginning, with its length.
    File(Box<dyn Seekable>, u64),
}

/// Bytes per step of copying a stream to a file.
const STEP: usize = 1 << 20;

/// An input with the position in it.
pub struct Source {
    input: Input,
    /// The offset of the next byte.
    pub at: u64,
    /// The number of bytes from here on, if it is known.
    pub left: Option<u64>,
}

impl Source {
    pub fn new(input: Input) -> Self {
        let left = match &input {
            Input::Stream(_) => None,
            Input::Entry(_, len) | Input::File(_, len) => Some(*len),
        };
        Self { input, at: 0, left }
    }

    /// Returns whether bytes can be read in any order.
    pub fn is_seekable(&self) -> bool {
        matches!(self.input, Input::File(..))
    }

    /// Checks, before memory is allocated, that a file holds exactly the bytes that its header promises.
    pub fn check_length(&self, promised: u64) -> Result<(), Failure> {
        match self.left {
            Some(left) if left < promised => Err(Failure::input(format!(
                "truncated: the header promises {promised} bytes of elements, the file holds {left}"
            ))),
            Some(left) if left > promised => {
                Err(Failure::input(format!("{} bytes follow the array: one file holds one array", left - promised)))
            }
            _ => Ok(()),
        }
    }

    /// Fails if more bytes follow: only its end shows the length of a stream and the checksum of an entry, and a file
    /// may have grown.
    pub fn check_end(&mut self) -> Result<(), Failure> {
        if let Input::File(_, len) = self.input {
            self.seek(len)?;
        }
        match self.read_up_to(&mut [0])? {
            0 => Ok(()),
            _ => Err(Failure::input("more bytes follow the array: one file holds one array")),
        }
    }

    /// Copies the rest of a stream to a file. The reason why, as `in Fortran order`, is part of the message if that
    /// fails.
    pub fn spooled(
        mut self,
        promised: u64,
        why: &str,
        spool: impl FnOnce() -> io::Result<File>,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::io(format!("cannot keep a stream {why} in a temporary file: {error}"));
        let mut file = spool().map_err(failed)?;
        let mut piece = vec![0; STEP.min(usize::try_from(promised).unwrap_or(STEP))];
        let mut left = promised;
        while left > 0 {
            let step = left.min(piece.len() as u64) as usize;
            self.fill(&mut piece[..step])?;
            file.write_all(&piece[..step]).map_err(failed)?;
            left -= step as u64;
        }
        self.check_end()?;
        file.rewind().map_err(failed)?;
        Ok(Self { input: Input::File(Box::new(file), promised), at: 0, left: Some(promised) })
    }

    /// Moves to another offset of a file.
    pub fn seek(&mut self, to: u64) -> Result<(), Failure> {
        if let Input::File(bytes, len) = &mut self.input
            && to != self.at
        {
            bytes.seek(SeekFrom::Start(to)).map_err(|error| cannot_read(&error))?;
            (self.at, self.left) = (to, Some(len.saturating_sub(to)));
        }
        Ok(())
    }

    /// Fills `bytes` as far as the input reaches, and returns how many were read.
    pub fn read_up_to(&mut self, bytes: &mut [u8]) -> Result<usize, Failure> {
        let input: &mut dyn Read = match &mut self.input {
            Input::Stream(input) | Input::Entry(input, _) => input,
            Input::File(input, _) => input,
        };
        let mut had = 0;
        while had < bytes.len() {
            match input.read(&mut bytes[had..]) {
                Ok(0) => break,
                Ok(more) => had += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot_read(&error)),
            }
        }
        self.at += had as u64;
        self.left = self.left.map(|left| left.saturating_sub(had as u64));
        Ok(had)
    }

    /// Fills `bytes`, or fails if the input ends before.
    pub fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failure> {
        if self.read_up_to(bytes)? == bytes.len() {
            return Ok(());
        }
        Err(match self.input {
            Input::Stream(_) | Input::Entry(..) => Failure::input("truncated: it ends before the last element"),
            // Its length was right when it was opened.
            Input::File(..) => Failure::io("cannot read on: it has shrunk since it was opened"),
        })
    }
}

fn cannot_read(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::InvalidData => Failure::input(error.to_string()),
        _ => Failure::io(format!("cannot read on: {error}")),
    }
}
