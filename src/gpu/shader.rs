//! The text of a program: its own file first, so that line numbers in an error are the file's own, then layout,
//! scalar and constants. WGSL lets declarations stand in any order, so that concatenation links them.

use crate::plan::{self, Kernel, Layout, Precision, Variant};
use crate::scalar::ScalarKind;

/// One pass over the matrices of a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// The inversion itself, by the variant's kernel.
    Invert,
    /// The norms of the input, for rcond.
    Norm,
    /// The norms of the inverses, and rcond.
    Rcond,
}

impl Program {
    /// Matrices to a workgroup.
    pub fn matrices(self, variant: Variant) -> u32 {
        match self {
            Self::Invert => variant.matrices,
            // A power of two, so that the invocations of a workgroup are shared out evenly.
            Self::Norm | Self::Rcond => 1 << (plan::RCOND_WORKGROUP / variant.order).max(1).ilog2(),
        }
    }

    fn workgroup(self, variant: Variant) -> u32 {
        match self {
            Self::Invert => variant.workgroup(),
            Self::Norm | Self::Rcond => plan::RCOND_WORKGROUP,
        }
    }
}

/// The WGSL of a program, or `None` where there is none: the CPU's kernels have no shaders.
pub fn source(program: Program, variant: Variant) -> Option<String> {
    let rcond = include_str!("../../shaders/rcond.wgsl");
    let own = match (program, variant.kernel) {
        (_, Kernel::Lanes | Kernel::Rows | Kernel::Blocked) => return None,
        (Program::Norm | Program::Rcond, _) => rcond,
        (Program::Invert, Kernel::Thread) => include_str!("../../shaders/kernel/thread.wgsl"),
        (Program::Invert, Kernel::Workgroup) => include_str!("../../shaders/kernel/workgroup.wgsl"),
    };
    let access = match (program, variant.in_place) {
        (Program::Invert, false) => include_str!("../../shaders/access/apart.wgsl"),
        (Program::Invert, true) => include_str!("../../shaders/access/in_place.wgsl"),
        _ => "",
    };
    let working = variant.working_scalar();
    let real = match working {
        ScalarKind::Float32 | ScalarKind::Complex64 => include_str!("../../shaders/scalar/float32.wgsl"),
        ScalarKind::Float64 | ScalarKind::Complex128 => include_str!("../../shaders/scalar/float64.wgsl"),
    };
    let number = match working {
        ScalarKind::Float32 | ScalarKind::Float64 => include_str!("../../shaders/scalar/real.wgsl"),
        ScalarKind::Complex64 | ScalarKind::Complex128 => include_str!("../../shaders/scalar/complex.wgsl"),
    };
    let part = match variant.precision {
        Precision::Double if working != variant.scalar => include_str!("../../shaders/scalar/double.wgsl"),
        _ => include_str!("../../shaders/scalar/native.wgsl"),
    };
    let magnitude = include_str!("../../shaders/scalar/magnitude.wgsl");
    let layout = include_str!("../../shaders/layout.wgsl");
    Some([own, layout, access, number, part, real, magnitude, &constants(program, variant)].join("\n"))
}

/// What decides the text of the program that turns a count in a buffer into dispatches.
#[derive(Clone, Debug)]
pub struct CountConstants {
    /// Of the word with the count.
    pub index: u32,
    pub capacity: u32,
    /// To a workgroup of each program.
    pub matrices: Vec<u32>,
    /// Words from an entry to the next.
    pub entry_words: u32,
    /// At the most in a row.
    pub workgroups: u32,
}

/// The WGSL of the program that turns a count into dispatches.
pub fn count(constants: &CountConstants) -> String {
    let CountConstants { index, capacity, matrices, entry_words, workgroups } = constants;
    let programs = matrices.len();
    let list: Vec<String> = matrices.iter().map(|matrices| format!("{matrices}u")).collect();
    let list = list.join(", ");
    include_str!("../../shaders/count.wgsl").to_owned()
        + &format!(
            "
const COUNT_INDEX = {index}u;
const CAPACITY = {capacity}u;
const PROGRAMS = {programs}u;
const PROGRAM_MATRICES = array<u32, {programs}>({list});
const ENTRY_WORDS = {entry_words}u;
const MOST_GROUPS = {workgroups}u;
"
        )
}

fn constants(program: Program, variant: Variant) -> String {
    let mut constants = vec![
        ("N".to_owned(), variant.order),
        ("MATRICES".to_owned(), program.matrices(variant)),
        ("WORKGROUP".to_owned(), program.workgroup(variant)),
    ];
    let mut layout = |name: &str, layout: Layout| {
        let Layout { offset, matrix, row, column } = layout;
        for (what, value) in [("OFFSET", offset), ("MATRIX", matrix), ("ROW", row), ("COLUMN", column)] {
            constants.push((format!("{name}_{what}"), value));
        }
    };
    // The last program reads the inverses.
    layout("INPUT", if program == Program::Rcond { variant.output } else { variant.input });
    layout("OUTPUT", variant.output);
    if program == Program::Invert {
        constants.extend([("PARTS".to_owned(), variant.parts), ("COLUMNS".to_owned(), variant.columns())]);
    }
    let text: String = constants.iter().map(|(name, value)| format!("const {name} = {value}u;\n")).collect();
    text + &format!("const ONLY_NORM = {};\n", program == Program::Norm)
}
