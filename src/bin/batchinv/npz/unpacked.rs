//! The bytes of one entry, unpacked and checked.

use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::npz::directory::{Entry, Method};

/// A stream of as many bytes as the directory claims. It fails with [`ErrorKind::InvalidData`] if there are fewer or
/// more, or, at the end, if their checksum is wrong.
pub struct Unpacked {
    bytes: Bytes,
    packed: u64,
    left: u64,
    crc: Crc,
    wanted: u32,
}

type Packed = Take<Box<dyn Read + Send>>;

enum Bytes {
    Stored(Packed),
    Deflated(DeflateDecoder<Packed>),
}

impl Entry {
    /// The entry's bytes in the archive that the entry is of.
    pub fn unpack(&self, mut archive: impl Read + Seek + Send + 'static) -> io::Result<Unpacked> {
        archive.seek(SeekFrom::Start(self.data_at))?;
        let archive: Box<dyn Read + Send> = Box::new(archive);
        let packed = archive.take(self.packed);
        let bytes = match self.method {
            Method::Stored => Bytes::Stored(packed),
            Method::Deflated => Bytes::Deflated(DeflateDecoder::new(packed)),
        };
        Ok(Unpacked { bytes, packed: self.packed, left: self.size, crc: Crc::new(), wanted: self.crc })
    }
}

impl Read for Unpacked {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return self.check_end();
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(to.len());
        let had = self.bytes.read(&mut to[..most]).map_err(damaged)?;
        if had == 0 {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "truncated: fewer bytes are packed than the archive claims",
            ));
        }
        self.crc.update(&to[..had]);
        self.left -= had as u64;
        Ok(had)
    }
}

impl Read for Bytes {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(bytes) => bytes.read(to),
            Self::Deflated(bytes) => bytes.read(to),
        }
    }
}

impl Unpacked {
    fn check_end(&mut self) -> io::Result<usize> {
        let more = self.bytes.read(&mut [0]).map_err(damaged)? > 0;
        let behind = matches!(&self.bytes, Bytes::Deflated(bytes) if bytes.total_in() < self.packed);
        if more || behind {
            return Err(Error::new(ErrorKind::InvalidData, "more bytes are packed than the archive claims"));
        }
        if self.crc.sum() != self.wanted {
            return Err(Error::new(ErrorKind::InvalidData, "damaged: its checksum is wrong"));
        }
        Ok(0)
    }
}

/// flate2 reports what it cannot unpack as invalid input or an unexpected end.
fn damaged(error: Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            Error::new(ErrorKind::InvalidData, "damaged: its packed bytes do not unpack")
        }
        _ => error,
    }
}
