//! Arbitrary bytes as a `.npy` file, of square matrices and of right-hand sides. A stream and a file, in one piece, in
//! many and gathered one by one, must all be read with the same result, or all be refused. An array that was read must
//! survive being written and read again.

use std::io::{Cursor, Read};

use batchinv::{Complex, Scalar, ScalarKind};

use crate::exit::Failure;
use crate::npy::elements::descr;
use crate::npy::source::Input;
use crate::npy::{Reader, header};
use crate::shape::{Shape, Stacked};

/// The most elements, and the most matrices, that are read.
const MOST: usize = 1 << 16;

pub fn npy(data: &[u8]) {
    // The first byte sets how many bytes arrive at a time; the others are the file.
    let Some((&how, file)) = data.split_first() else { return };
    let step = usize::from(how) % 64 + 1;
    for shape in [Shape::matrices, Shape::columns] {
        read_each_way(file, shape, step);
    }
}

fn read_each_way(file: &[u8], shape: Stacked, step: usize) {
    let open = || Input::File(Box::new(Cursor::new(file.to_vec())), file.len() as u64);
    let dribble = Dribble { bytes: Cursor::new(file.to_vec()), step };
    let stream = read(Input::Stream(Box::new(dribble)), shape, usize::MAX);
    match (stream, read(open(), shape, usize::MAX), read(open(), shape, step)) {
        (Ok(Some(stream)), Ok(Some(whole)), Ok(Some(pieces))) => {
            assert_eq!(stream, whole, "a stream and a file");
            assert_eq!(pieces, whole, "pieces and the whole");
            assert_eq!(gathered(open(), shape), whole.bytes, "gathered and the whole");
            again(&whole, shape);
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
pub(super) fn read(input: Input, shape: Stacked, step: usize) -> Result<Option<Array>, Failure> {
    let mut reader = Reader::new(input, shape, tempfile::tempfile)?;
    let (size, len) = (reader.shape().size(), reader.shape().len);
    if size.saturating_mul(len) > MOST || len > MOST {
        return Ok(None);
    }
    let (scalar, axes) = (reader.scalar(), reader.shape().axes.clone());
    let bytes = match scalar {
        ScalarKind::Float32 => elements::<f32>(&mut reader, size, len, step),
        ScalarKind::Float64 => elements::<f64>(&mut reader, size, len, step),
        ScalarKind::Complex64 => elements::<Complex<f32>>(&mut reader, size, len, step),
        ScalarKind::Complex128 => elements::<Complex<f64>>(&mut reader, size, len, step),
    }?;
    Ok(Some(Array { scalar, axes, bytes }))
}

fn elements<T: Scalar>(reader: &mut Reader, size: usize, len: usize, step: usize) -> Result<Vec<u8>, Failure> {
    let mut elements = vec![T::ZERO; len * size];
    let mut done = 0;
    loop {
        let piece = step.min(len - done);
        reader.fill(&mut elements[done * size..][..piece * size], piece)?;
        done += piece;
        if done == len {
            return Ok(bytemuck::cast_slice(&elements).to_vec());
        }
    }
}

/// The elements' bytes, with every matrix read twice, last to first.
fn gathered(input: Input, shape: Stacked) -> Vec<u8> {
    let mut reader = Reader::new(input, shape, tempfile::tempfile).unwrap();
    match reader.scalar() {
        ScalarKind::Float32 => backwards::<f32>(&mut reader),
        ScalarKind::Float64 => backwards::<f64>(&mut reader),
        ScalarKind::Complex64 => backwards::<Complex<f32>>(&mut reader),
        ScalarKind::Complex128 => backwards::<Complex<f64>>(&mut reader),
    }
}

fn backwards<T: Scalar>(reader: &mut Reader) -> Vec<u8> {
    let (size, len) = (reader.shape().size(), reader.shape().len);
    let positions: Vec<usize> = (0..len).rev().flat_map(|position| [position; 2]).collect();
    let mut elements = vec![T::ZERO; 2 * len * size];
    reader.gather(&mut elements, &positions).unwrap();
    let matrix = |position: usize| {
        let first = 2 * (len - 1 - position) * size;
        let [one, two] = [first, first + size].map(|start| bytemuck::cast_slice::<T, u8>(&elements[start..][..size]));
        assert_eq!(one, two, "one matrix twice");
        one.to_vec()
    };
    (0..len).flat_map(matrix).collect()
}

/// Checks that the array, written to a file, is read back unchanged.
fn again(array: &Array, shape: Stacked) {
    let mut file = header::write(descr(array.scalar), &array.axes);
    assert!(file.len().is_multiple_of(64));
    if cfg!(target_endian = "little") {
        file.extend(&array.bytes);
        let len = file.len() as u64;
        assert_eq!(
            read(Input::File(Box::new(Cursor::new(file)), len), shape, usize::MAX).unwrap().as_ref(),
            Some(array)
        );
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
