//! Any bytes as a `.npy` file: read or refused, the same from a stream and from a file, in one piece and in many; and
//! what is read is what the file holds.

use std::io::{Cursor, Read};

use batchinv::{Complex, Scalar, ScalarKind};

use crate::exit::Failure;
use crate::npy::{self, Input, Reader};

/// Bytes of elements that are read at the most.
const MOST: usize = 1 << 16;

pub fn npy(data: &[u8]) {
    // How the bytes arrive, then the file.
    let Some((&how, file)) = data.split_first() else { return };
    let step = usize::from(how) % 64 + 1;
    let stream = read(Input::Stream(Box::new(Dribble { bytes: Cursor::new(file.to_vec()), step })), usize::MAX);
    let whole = read(Input::File(Box::new(Cursor::new(file.to_vec())), file.len() as u64), usize::MAX);
    let pieces = read(Input::File(Box::new(Cursor::new(file.to_vec())), file.len() as u64), step);
    match (stream, whole, pieces) {
        (Ok(Some(stream)), Ok(Some(whole)), Ok(Some(pieces))) => {
            assert_eq!(stream, whole, "a stream and a file");
            assert_eq!(pieces, whole, "pieces and the whole");
            again(&whole);
        }
        (Ok(None), Ok(None), Ok(None)) | (Err(_), Err(_), Err(_)) => {}
        // The length of a stream shows late, or not at all where nobody reads to its end.
        (Ok(None), Err(_), Err(_)) => {}
        (stream, whole, pieces) => panic!("a stream, a file, pieces: {stream:?}, {whole:?}, {pieces:?}"),
    }
}

/// What a file holds.
#[derive(Debug, PartialEq)]
struct Array {
    scalar: ScalarKind,
    axes: Vec<usize>,
    /// As in memory.
    bytes: Vec<u8>,
}

/// Reads so many matrices at a time; `None` where there are too many for a test.
fn read(input: Input, step: usize) -> Result<Option<Array>, Failure> {
    let mut reader = Reader::new(input, tempfile::tempfile)?;
    let (order, len) = (reader.shape().order, reader.shape().len);
    if order.saturating_mul(order).saturating_mul(len) > MOST || len > MOST {
        return Ok(None);
    }
    let (scalar, axes) = (reader.scalar(), reader.shape().axes.clone());
    let bytes = match scalar {
        ScalarKind::Float32 => elements::<f32>(&mut reader, order, len, step),
        ScalarKind::Float64 => elements::<f64>(&mut reader, order, len, step),
        ScalarKind::Complex64 => elements::<Complex<f32>>(&mut reader, order, len, step),
        ScalarKind::Complex128 => elements::<Complex<f64>>(&mut reader, order, len, step),
    }?;
    Ok(Some(Array { scalar, axes, bytes }))
}

fn elements<T: Scalar>(reader: &mut Reader, order: usize, len: usize, step: usize) -> Result<Vec<u8>, Failure> {
    let mut elements = vec![T::ZERO; len * order * order];
    let mut done = 0;
    loop {
        let piece = step.min(len - done);
        reader.fill(&mut elements[done * order * order..][..piece * order * order], piece)?;
        done += piece;
        if done == len {
            return Ok(bytemuck::cast_slice(&elements).to_vec());
        }
    }
}

/// What is written is read as what it was.
fn again(array: &Array) {
    let mut file = npy::write_header(npy::descr(array.scalar), &array.axes);
    assert!(file.len().is_multiple_of(64));
    if cfg!(target_endian = "little") {
        file.extend(&array.bytes);
        let len = file.len() as u64;
        assert_eq!(read(Input::File(Box::new(Cursor::new(file)), len), usize::MAX).unwrap().as_ref(), Some(array));
    }
}

/// A stream that gives a few bytes at a time.
struct Dribble {
    bytes: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Dribble {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let len = to.len().min(self.step);
        self.bytes.read(&mut to[..len])
    }
}
