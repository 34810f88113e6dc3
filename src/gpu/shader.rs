//! The text of a program: its own file first, so that line numbers in an error are the file's own, then layout,
//! access, scalar and constants. WGSL lets declarations stand in any order, so that concatenation links them.

use crate::plan::{Kernel, Layout, Precision, Variant};
use crate::scalar::ScalarKind;

/// One pass over the matrices of a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// The inversion itself, by the variant's kernel, but for `device`.
    Invert,
    /// Of `device`: brings the matrices into working memory, and finds the range of their rows.
    Load,
    /// Of `device`: decides whether a matrix must be scaled.
    Scale,
    /// Of `device`: scales the columns where they must be, and takes the norms of the input.
    Columns,
    /// Of `device`: eliminates the next columns alone.
    Panel,
    /// Of `device`: takes the steps of a panel to the other columns of its span.
    Within,
    /// Of `device`: takes the steps of the panels of a span to all other columns.
    Update,
    /// Of `device`: takes the norms of the inverses.
    Sums,
    /// Of `device`: brings the inverses home.
    Store,
    /// Of `device`: gives the verdicts, and makes NaN of what is no inverse.
    Finish,
}

impl Program {
    /// Matrices to a workgroup.
    pub fn matrices(self, variant: Variant) -> u32 {
        match self {
            Self::Invert => variant.matrices,
            _ => 1,
        }
    }

    /// The function in the shader.
    pub fn entry(self) -> &'static str {
        match self {
            Self::Invert => "main",
            Self::Load => "load_rows",
            Self::Scale => "scale",
            Self::Columns => "scale_columns",
            Self::Panel => "panel",
            Self::Within | Self::Update => "update",
            Self::Sums => "sum_columns",
            Self::Store => "store_rows",
            Self::Finish => "finish",
        }
    }

    /// It is another program where rcond is asked for.
    pub fn knows_rcond(self) -> bool {
        matches!(self, Self::Invert | Self::Columns | Self::Sums | Self::Finish)
    }
}

const SHUFFLE_REAL: &str = include_str!("../../shaders/shuffle/real.wgsl");
const SHUFFLE_COMPLEX: &str = include_str!("../../shaders/shuffle/complex.wgsl");
const SHUFFLE_32: &str = include_str!("../../shaders/shuffle/width32.wgsl");
const SHUFFLE_64: &str = include_str!("../../shaders/shuffle/width64.wgsl");

/// The WGSL of a program, or `None` where there is none: the CPU's kernels have no shaders.
pub fn source(program: Program, variant: Variant) -> Option<String> {
    let own = match variant.kernel {
        Kernel::Lanes | Kernel::Rows | Kernel::Blocked => return None,
        Kernel::Thread => include_str!("../../shaders/kernel/thread.wgsl"),
        Kernel::Subgroup => include_str!("../../shaders/kernel/subgroup.wgsl"),
        Kernel::Workgroup => include_str!("../../shaders/kernel/workgroup.wgsl"),
        Kernel::Device => include_str!("../../shaders/kernel/device.wgsl"),
    };
    let access = match variant.in_place {
        false => include_str!("../../shaders/access/apart.wgsl"),
        true => include_str!("../../shaders/access/in_place.wgsl"),
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
    let rcond = match variant.rcond {
        false => include_str!("../../shaders/access/no_rcond.wgsl"),
        true => include_str!("../../shaders/access/rcond.wgsl"),
    };
    let norm = include_str!("../../shaders/norm.wgsl");
    let layout = include_str!("../../shaders/layout.wgsl");
    let exponents = match variant.kernel {
        Kernel::Thread | Kernel::Subgroup => include_str!("../../shaders/exponents.wgsl"),
        _ => "",
    };
    let [shuffle, width] = match (variant.kernel, working) {
        (Kernel::Subgroup, ScalarKind::Float32) => [SHUFFLE_REAL, SHUFFLE_32],
        (Kernel::Subgroup, ScalarKind::Float64) => [SHUFFLE_REAL, SHUFFLE_64],
        (Kernel::Subgroup, ScalarKind::Complex64) => [SHUFFLE_COMPLEX, SHUFFLE_32],
        (Kernel::Subgroup, ScalarKind::Complex128) => [SHUFFLE_COMPLEX, SHUFFLE_64],
        _ => ["", ""],
    };
    let constants = constants(program, variant);
    let parts =
        [own, layout, access, rcond, norm, exponents, shuffle, width, number, part, real, magnitude, &constants];
    Some(parts.join("\n"))
}

/// What decides the text of the program that turns a count in a buffer into dispatches.
#[derive(Clone, Debug)]
pub struct CountConstants {
    /// Of the word with the count.
    pub index: u32,
    pub capacity: u32,
    /// For each program, matrices to a workgroup, or else 0 and workgroups to a matrix, along x and z.
    pub programs: Vec<[u32; 3]>,
    /// Words from an entry to the next.
    pub entry_words: u32,
    /// At the most in a row.
    pub workgroups: u32,
}

/// The WGSL of the program that turns a count into dispatches.
pub fn count(constants: &CountConstants) -> String {
    let CountConstants { index, capacity, programs, entry_words, workgroups } = constants;
    let count = programs.len();
    let list =
        |part: usize| programs.iter().map(|program| format!("{}u", program[part])).collect::<Vec<_>>().join(", ");
    let (matrices, tiles, depths) = (list(0), list(1), list(2));
    include_str!("../../shaders/count.wgsl").to_owned()
        + &format!(
            "
const COUNT_INDEX = {index}u;
const CAPACITY = {capacity}u;
const PROGRAMS = {count}u;
const PROGRAM_MATRICES = array<u32, {count}>({matrices});
const PROGRAM_TILES = array<u32, {count}>({tiles});
const PROGRAM_DEPTHS = array<u32, {count}>({depths});
const ENTRY_WORDS = {entry_words}u;
const MOST_GROUPS = {workgroups}u;
"
        )
}

fn constants(program: Program, variant: Variant) -> String {
    let mut constants = vec![
        ("N".to_owned(), variant.order),
        ("MATRICES".to_owned(), program.matrices(variant)),
        ("WORKGROUP".to_owned(), variant.workgroup()),
    ];
    let mut layout = |name: &str, layout: Layout| {
        let Layout { offset, matrix, row, column } = layout;
        for (what, value) in [("OFFSET", offset), ("MATRIX", matrix), ("ROW", row), ("COLUMN", column)] {
            constants.push((format!("{name}_{what}"), value));
        }
    };
    layout("INPUT", variant.input);
    layout("OUTPUT", variant.output);
    // What `update` takes from where to where.
    let (steps, reach) = match program {
        Program::Within => (variant.block, variant.span),
        _ => (variant.span, variant.padded()),
    };
    let (tile_rows, _, line) = variant.tile;
    let own: &[(&str, u32)] = match variant.kernel {
        Kernel::Device => &[
            ("PADDED", variant.padded()),
            ("PITCH", variant.pitch()),
            ("BLOCK", variant.block),
            ("SPAN", variant.span),
            ("STEPS", steps),
            ("REACH", reach),
            ("ROWS", variant.rows()),
            ("TILE_ROWS", tile_rows),
            ("TILE_PACKS", variant.tile_packs(reach)),
            ("LINE", line),
        ],
        Kernel::Subgroup => &[("LANES", variant.parts), ("ROWS", variant.rows())],
        _ => &[("PARTS", variant.parts), ("COLUMNS", variant.columns())],
    };
    constants.extend(own.iter().map(|&(name, value)| (name.to_owned(), value)));
    constants.iter().map(|(name, value)| format!("const {name} = {value}u;\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With no capability, and with as many entries as there are programs.
    #[test]
    fn the_program_that_counts_validates() {
        use wgpu::naga;
        for programs in [vec![[64, 0, 1]], vec![[0, 4, 1], [0, 1, 1], [0, 8, 2], [16, 0, 1]]] {
            let constants = CountConstants { index: 3, capacity: 9, programs, entry_words: 64, workgroups: 65_535 };
            let source = count(&constants);
            let module = naga::front::wgsl::parse_str(&source).unwrap_or_else(|error| panic!("{error}: {source}"));
            let capabilities = naga::valid::Capabilities::empty();
            let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities);
            validator.validate(&module).unwrap();
        }
    }
}
