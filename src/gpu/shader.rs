//! The text of a program: the kernel first, so that line numbers in an error are those of its file, then the operation,
//! balance, layout, access, scalar and constants. WGSL allows declarations in any order, so concatenation links them.

use super::written_out::written_out;
use crate::data::arithmetic::Arithmetic;
use crate::data::engine::{GpuKernel, Op};
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

const NUMBER_REAL: &str = include_str!("../../shaders/scalar/real.wgsl");
const NUMBER_COMPLEX: &str = include_str!("../../shaders/scalar/complex.wgsl");
const FLOAT32: &str = include_str!("../../shaders/scalar/float32.wgsl");
const FLOAT64: &str = include_str!("../../shaders/scalar/float64.wgsl");
const MAGNITUDE: &str = include_str!("../../shaders/scalar/magnitude.wgsl");
const PARAMS: &str = include_str!("../../shaders/params.wgsl");
const NATIVE: &str = include_str!("../../shaders/scalar/native.wgsl");
const DOUBLE: &str = include_str!("../../shaders/scalar/double.wgsl");
const REAL: &str = include_str!("../../shaders/arithmetic/real.wgsl");
const COMPLEX: &str = include_str!("../../shaders/arithmetic/complex.wgsl");
const PAIR: &str = include_str!("../../shaders/arithmetic/pair.wgsl");
const PACKS_OF_TWO: &str = include_str!("../../shaders/arithmetic/packs_of_two.wgsl");
const REAL_PAIR: &str = include_str!("../../shaders/arithmetic/real_pair.wgsl");
const COMPLEX_PAIR: &str = include_str!("../../shaders/arithmetic/complex_pair.wgsl");
const SHUFFLE_REAL: &str = include_str!("../../shaders/shuffle/real.wgsl");
const SHUFFLE_COMPLEX: &str = include_str!("../../shaders/shuffle/complex.wgsl");
const SHUFFLE_PAIR: &str = include_str!("../../shaders/shuffle/pair.wgsl");
const SHUFFLE_32: &str = include_str!("../../shaders/shuffle/width32.wgsl");
const SHUFFLE_64: &str = include_str!("../../shaders/shuffle/width64.wgsl");
const ADJUGATE: &str = include_str!("../../shaders/order2/adjugate.wgsl");

/// The WGSL of a program.
pub fn source(program: Program, variant: Variant) -> String {
    let own = match variant.op {
        Op::Cofactors => include_str!("../../shaders/op/cofactors.wgsl"),
        _ => variant.config.source(),
    };
    let access = match variant.in_place {
        false => include_str!("../../shaders/access/apart.wgsl"),
        true => include_str!("../../shaders/access/in_place.wgsl"),
    };
    let is_complex = matches!(variant.scalar, ScalarKind::Complex64 | ScalarKind::Complex128);
    let number = if is_complex { NUMBER_COMPLEX } else { NUMBER_REAL };
    let [real, part] = match variant.arithmetic {
        Arithmetic::Float32 | Arithmetic::Pairs => [FLOAT32, NATIVE],
        Arithmetic::Float64 if variant.scalar.real_size() == 4 => [FLOAT64, DOUBLE],
        Arithmetic::Float64 => [FLOAT64, NATIVE],
    };
    let [arithmetic, packs, pair] = match (variant.arithmetic, is_complex) {
        (Arithmetic::Float32 | Arithmetic::Float64, false) => [REAL, "", ""],
        (Arithmetic::Float32 | Arithmetic::Float64, true) => [COMPLEX, PACKS_OF_TWO, ""],
        (Arithmetic::Pairs, false) => [REAL_PAIR, PACKS_OF_TWO, PAIR],
        (Arithmetic::Pairs, true) => [COMPLEX_PAIR, "", PAIR],
    };
    let rcond = match variant.rcond {
        false => include_str!("../../shaders/access/no_rcond.wgsl"),
        true => include_str!("../../shaders/access/rcond.wgsl"),
    };
    let norm = include_str!("../../shaders/norm.wgsl");
    let layout = include_str!("../../shaders/layout.wgsl");
    let op = match variant.op {
        Op::Inverse => include_str!("../../shaders/op/inverse.wgsl"),
        Op::Solve | Op::Det => include_str!("../../shaders/op/lu.wgsl"),
        Op::Cofactors => "",
    };
    let [output, failed] = match variant.op {
        Op::Inverse | Op::Solve | Op::Cofactors => {
            [include_str!("../../shaders/access/output.wgsl"), include_str!("../../shaders/access/failed.wgsl")]
        }
        Op::Det => [include_str!("../../shaders/access/no_output.wgsl"), ""],
    };
    let results = match (variant.op, variant.stores_vec4()) {
        (Op::Det, _) => "",
        (_, false) => include_str!("../../shaders/access/by_elements.wgsl"),
        (_, true) => include_str!("../../shaders/access/by_vec4.wgsl"),
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
    let [shuffle, width] = match (variant.kernel(), variant.arithmetic) {
        (GpuKernel::Subgroup, arithmetic) => [
            match arithmetic {
                Arithmetic::Pairs => SHUFFLE_PAIR,
                _ if is_complex => SHUFFLE_COMPLEX,
                _ => SHUFFLE_REAL,
            },
            if arithmetic == Arithmetic::Float64 { SHUFFLE_64 } else { SHUFFLE_32 },
        ],
        _ => ["", ""],
    };
    let exchange = match variant.config {
        KernelConfig::Subgroup(Subgroup { hardware: true, .. }) => {
            include_str!("../../shaders/exchange/by_memory.wgsl")
        }
        KernelConfig::Subgroup(_) => include_str!("../../shaders/exchange/by_shuffle.wgsl"),
        _ => "",
    };
    let [order2, adjugate] = match (variant.kernel(), variant.order, variant.op) {
        (_, _, Op::Cofactors) => ["", ""],
        (GpuKernel::Thread, 2, _) if variant.arithmetic == Arithmetic::Pairs && !is_complex => {
            [include_str!("../../shaders/order2/by_exact_determinant.wgsl"), ADJUGATE]
        }
        (GpuKernel::Thread, 2, _) if !is_complex => [include_str!("../../shaders/order2/by_products.wgsl"), ADJUGATE],
        (GpuKernel::Thread, 2, Op::Inverse) => [include_str!("../../shaders/order2/by_determinant.wgsl"), ADJUGATE],
        (GpuKernel::Thread, ..) => [include_str!("../../shaders/order2/by_pivots.wgsl"), ""],
        _ => ["", ""],
    };
    let constants = constants(program, variant);
    let parts = [
        own, order2, adjugate, exchange, op, balance, layout, PARAMS, access, output, results, failed, rhs, det, rcond,
        norm, shuffle, width, arithmetic, packs, pair, number, part, real, MAGNITUDE, &constants,
    ];
    let text = parts.join("\n");
    if variant.config.writes_out() { written_out(&text) } else { text }
}

/// The WGSL of the program that probes pairs of float32.
pub fn probe() -> String {
    let own = include_str!("../../shaders/probe.wgsl");
    [own, PARAMS, PAIR, FLOAT32, MAGNITUDE].join("\n")
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
    let least = format!("const MIN_RCOND: Part = {}{suffix};\n", variant.min_rcond);
    lines.chain([rides, least, window(variant)]).collect()
}

/// The smallest and the largest magnitude that need no scaling, and their exponents.
fn window(variant: Variant) -> String {
    let window = variant.window();
    let (of_low, of_high) = (2.0_f64.powi(-window), 2.0_f64.powi(window));
    let [low, high] = match variant.arithmetic {
        Arithmetic::Float64 => [of_low, of_high].map(|x| format!("{}lu", x.to_bits())),
        Arithmetic::Float32 | Arithmetic::Pairs => [of_low, of_high].map(|x| format!("{}u", (x as f32).to_bits())),
    };
    format!("const WINDOW = {window}i;\nconst LOW: Bits = {low};\nconst HIGH: Bits = {high};\n")
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
