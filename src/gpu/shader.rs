//! The text of a program: the kernel first, so that line numbers in an error are those of its file, then the operation,
//! balance, layout, access, scalar and constants. WGSL allows declarations in any order, so concatenation links them.

use super::written_out::written_out;
use crate::data::engine::{GpuKernel, Op, Precision};
use crate::data::layout::Layout;
use crate::data::scalar::ScalarKind;
use crate::plan::gpu::config::KernelConfig;
use crate::plan::gpu::program::{Grid, Program};
use crate::plan::gpu::subgroup::Subgroup;
use crate::plan::gpu::variant::Variant;

/// The WGSL of a variant. `device` has several programs, which are its entry points; its `update` is compiled a
/// second time with other constants, for the columns within an outer block. With [`Variant::rcond`] the programs
/// also compute rcond.
///
/// This function is for reading and validating; [`GpuInverter`](super::GpuInverter) compiles the text itself.
pub fn shader_source(variant: Variant) -> String {
    source(Program::MAIN, variant)
}

/// The WGSL of one program of a variant, which [`Variant::steps`] names.
#[cfg(feature = "testing")]
pub fn program_source(program: Program, variant: Variant) -> String {
    source(program, variant)
}

const SHUFFLE_REAL: &str = include_str!("../../shaders/shuffle/real.wgsl");
const SHUFFLE_COMPLEX: &str = include_str!("../../shaders/shuffle/complex.wgsl");
const SHUFFLE_32: &str = include_str!("../../shaders/shuffle/width32.wgsl");
const SHUFFLE_64: &str = include_str!("../../shaders/shuffle/width64.wgsl");

/// The WGSL of a program.
pub fn source(program: Program, variant: Variant) -> String {
    let own = variant.config.source();
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
    let op = match variant.op {
        Op::Inverse => include_str!("../../shaders/op/inverse.wgsl"),
        Op::Solve | Op::Det => include_str!("../../shaders/op/lu.wgsl"),
    };
    let [output, failed] = match variant.op {
        Op::Inverse | Op::Solve => {
            [include_str!("../../shaders/access/output.wgsl"), include_str!("../../shaders/access/failed.wgsl")]
        }
        Op::Det => [include_str!("../../shaders/access/no_output.wgsl"), ""],
    };
    let rhs = match (variant.op, variant.rhs_in_place) {
        (Op::Solve, false) => include_str!("../../shaders/access/rhs.wgsl"),
        (Op::Solve, true) => include_str!("../../shaders/access/rhs_in_place.wgsl"),
        _ => include_str!("../../shaders/access/no_rhs.wgsl"),
    };
    let det = match variant.det {
        false => include_str!("../../shaders/access/no_det.wgsl"),
        true => include_str!("../../shaders/access/det.wgsl"),
    };
    let balance = include_str!("../../shaders/balance.wgsl");
    let [shuffle, width] = match (variant.kernel(), working) {
        (GpuKernel::Subgroup, ScalarKind::Float32) => [SHUFFLE_REAL, SHUFFLE_32],
        (GpuKernel::Subgroup, ScalarKind::Float64) => [SHUFFLE_REAL, SHUFFLE_64],
        (GpuKernel::Subgroup, ScalarKind::Complex64) => [SHUFFLE_COMPLEX, SHUFFLE_32],
        (GpuKernel::Subgroup, ScalarKind::Complex128) => [SHUFFLE_COMPLEX, SHUFFLE_64],
        _ => ["", ""],
    };
    let exchange = match variant.config {
        KernelConfig::Subgroup(Subgroup { hardware: true, .. }) => {
            include_str!("../../shaders/exchange/by_memory.wgsl")
        }
        KernelConfig::Subgroup(_) => include_str!("../../shaders/exchange/by_shuffle.wgsl"),
        _ => "",
    };
    let order2 = match (variant.kernel(), variant.order) {
        (GpuKernel::Thread, 2) if variant.op == Op::Inverse => include_str!("../../shaders/order2/by_determinant.wgsl"),
        (GpuKernel::Thread, _) => include_str!("../../shaders/order2/by_pivots.wgsl"),
        _ => "",
    };
    let constants = constants(program, variant);
    let parts = [
        own, order2, exchange, op, balance, layout, access, output, failed, rhs, det, rcond, norm, shuffle, width,
        number, part, real, magnitude, &constants,
    ];
    let text = parts.join("\n");
    if variant.config.writes_out() { written_out(&text) } else { text }
}

/// The constants of the program that turns a count in a buffer into dispatches.
#[derive(Clone, Debug)]
pub struct CountConstants {
    /// The index of the word that holds the count.
    pub index: u32,
    pub capacity: u32,
    pub programs: Vec<CountedProgram>,
    /// Words from one entry to the next.
    pub entry_words: u32,
    /// The most workgroups in one dimension.
    pub workgroups: u32,
}

/// A program whose dispatches follow from a count.
#[derive(Clone, Copy, Debug)]
pub struct CountedProgram {
    pub grid: Grid,
    pub dispatches: u32,
    /// The most matrices of one dispatch.
    pub most: u32,
}

/// The WGSL of the program that turns a count into dispatches.
pub fn count(constants: &CountConstants) -> String {
    let CountConstants { index, capacity, programs, entry_words, workgroups } = constants;
    let count = programs.len();
    let list = |word: fn(&CountedProgram) -> u32| {
        programs.iter().map(|program| format!("{}u", word(program))).collect::<Vec<_>>().join(", ")
    };
    let (dispatches, most) = (list(|program| program.dispatches), list(|program| program.most));
    let (matrices, tiles, depths) = (
        list(|program| program.grid.matrices()),
        list(|program| if let Grid::Tiled { x, .. } = program.grid { x } else { 0 }),
        list(|program| if let Grid::Tiled { z, .. } = program.grid { z } else { 1 }),
    );
    include_str!("../../shaders/count.wgsl").to_owned()
        + &format!(
            "
const COUNT_INDEX = {index}u;
const CAPACITY = {capacity}u;
const PROGRAMS = {count}u;
const PROGRAM_DISPATCHES = array<u32, {count}>({dispatches});
const PROGRAM_MOST = array<u32, {count}>({most});
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
        ("MATRICES".to_owned(), variant.matrices()),
        ("WORKGROUP".to_owned(), variant.workgroup()),
        ("WIDTH".to_owned(), variant.width),
        ("RIDING".to_owned(), variant.riding()),
        ("TILES".to_owned(), variant.tiles()),
        ("ONE_TILE".to_owned(), u32::from(variant.tiles() == 1)),
    ];
    for (name, layout) in [("INPUT", variant.input), ("OUTPUT", variant.output), ("RHS", variant.rhs)] {
        let Layout { offset, matrix, row, column } = layout;
        for (what, value) in [("OFFSET", offset), ("MATRIX", matrix), ("ROW", row), ("COLUMN", column)] {
            constants.push((format!("{name}_{what}"), value));
        }
    }
    constants.push(("ON_FAILURE".to_owned(), variant.on_failure as u32));
    let own = variant.config.constants(variant.size(), program);
    constants.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let lines = constants.iter().map(|(name, value)| format!("const {name} = {value}u;\n"));
    let suffix = if variant.scalar.real_size() == 8 { "lu" } else { "u" };
    let rides = format!("const RIDES = {};\n", variant.riding() > 0);
    lines.chain([rides, format!("const MIN_RCOND: Part = {}{suffix};\n", variant.min_rcond)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It needs no capability, for any number of programs.
    #[test]
    fn the_program_that_counts_validates() {
        use wgpu::naga;
        let packed = |matrices| CountedProgram { grid: Grid::Packed { matrices }, dispatches: 1, most: 9 };
        let tiled = |x, z| CountedProgram { grid: Grid::Tiled { x, z }, dispatches: 3, most: 3 };
        for programs in [vec![packed(64)], vec![tiled(4, 1), tiled(1, 1), tiled(8, 2), packed(16)]] {
            let constants = CountConstants { index: 3, capacity: 9, programs, entry_words: 64, workgroups: 65_535 };
            let source = count(&constants);
            let module = naga::front::wgsl::parse_str(&source).unwrap_or_else(|error| panic!("{error}: {source}"));
            let capabilities = naga::valid::Capabilities::empty();
            let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities);
            validator.validate(&module).unwrap();
        }
    }
}
