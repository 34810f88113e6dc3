//! The table for people.

use std::io::Write;

use super::engines::Engines;
use super::machine::Machine;
use super::row::Row;
use crate::exit::Failure;

pub struct Table {
    stream: Box<dyn Write>,
    /// Of the rows above: where it changes, a new section begins.
    section: Option<String>,
}

/// Of which width each column is; the first names what the line is about.
const WIDTHS: [usize; 13] = [12, 8, 10, 11, 11, 8, 7, 11, 7, 7, 8, 8, 8];
const GROUPS: [&str; 13] = ["", "", "", "", "from host", "to host", "", "", "passes", "alone", "", "", "first"];
const HEADS: [&str; 13] = [
    "order", "len", "total ns", "fresh ns", "matrices/s", "GB/s", "of copy", "device ns", "GB/s", "of copy", "GFLOP/s",
    "ratio", "call ms",
];

const LEGEND: &str = "\
All times are for one matrix, the best of the repeats. total: the whole call, from host memory into a warm output of
the caller's; fresh: into one that the call allocates; device: the passes alone, by the GPU's clock. GB/s: bytes of
input and output. of copy: the time of a plain copy of the same bytes, by memcpy on as many threads as the engine has
on the host or from buffer to buffer on the device, over the time. GFLOP/s: 2 n^3 for each matrix, over total. ratio:
the largest ||I - X A||_1 / (n ||A||_1 ||X||_1 eps) of the sample that was checked, below 3. first call: what the
first call of its kind took beyond a later one.";
