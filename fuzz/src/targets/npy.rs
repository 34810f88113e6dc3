//! Arbitrary bytes as a `.npy` file. A stream and a file, in one piece and in many, must all be read with the
//! same result, or all be refused. An array that was read must survive being written and read again.

use std::io::{Cursor, Read};

use batchinv::{Complex, Scalar, ScalarKind};

use crate::exit::Failure;
use crate::npy::elements::descr;
use crate::npy::source::Input;
use crate::npy::{Reader, header};

/// The most elements, and the most matrices, that are read.
const MOST: usize = 1 << 16;

pub fn npy(data: &[u8]) {
    // The first byte sets how many bytes arrive at a time; the others are the file.
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
        // The length of a stream is known only at its end, which is not reached if the array is too large for a test.
        (Ok(None), Err(_), Err(_)) => {}
        (stream, whole, pieces) => panic!("a stream, a file, pieces: {stream:?}, {whole:?}, {pieces:?}"),
    }
}

/// The contents of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Array {
    scalar: ScalarKind,
    axes: Vec<usize>,
    /// The elements' bytes, as in memory.
    bytes: Vec<u8>,
}

/// Reads `step` matrices at a time. Returns `None` if there are too many for a test.
pub(super) fn read(input: Input, step: usize) -> Result<Option<Array>, Failure> {
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

/// Checks that the array, written to a file, is read back unchanged.
fn again(array: &Array) {
    let mut file = header::write(descr(array.scalar), &array.axes);
    assert!(file.len().is_multiple_of(64));
    if cfg!(target_endian = "little") {
        file.extend(&array.bytes);
        let len = file.len() as u64;
        assert_eq!(read(Input::File(Box::new(Cursor::new(file)), len), usize::MAX).unwrap().as_ref(), Some(array));
    }
}

/// A stream that yields a few bytes at a time.
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
