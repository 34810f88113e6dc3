//! One piece of the systems, with room for its results.

use std::ops::Range;

use batchinv::{Determinant, Scalar, Status};

use crate::determinants::Arrays;
use crate::exit::Failure;
use crate::memory::zeroed;

pub struct Slot<T: Scalar> {
    /// The piece's systems, by position among all.
    pub range: Range<usize>,
    /// Empty if one matrix goes with all systems.
    pub a: Vec<T>,
    /// Empty if one right-hand side does.
    pub b: Vec<T>,
    pub x: Vec<T>,
    pub statuses: Vec<Status>,
    /// With `--det`.
    pub determinants: Option<(Vec<Determinant<T>>, Arrays<T>)>,
}

/// Elements of a system.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// 0 if one matrix goes with all systems.
    pub a: usize,
    /// 0 if one right-hand side does.
    pub b: usize,
    pub x: usize,
}

impl<T: Scalar> Slot<T> {
    /// Room for `len` systems; for determinants, with logarithms or without, if they are asked for.
    pub fn new(len: usize, sizes: Sizes, log: Option<bool>) -> Result<Self, Failure> {
        let determinants = log.map(|log| Ok::<_, Failure>((zeroed(len)?, Arrays::new(len, log)?)));
        Ok(Self {
            range: 0..0,
            a: zeroed(len * sizes.a)?,
            b: zeroed(len * sizes.b)?,
            x: zeroed(len * sizes.x)?,
            statuses: zeroed(len)?,
            determinants: determinants.transpose()?,
        })
    }
}
