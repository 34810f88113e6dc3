//! `device`: the matrix stays in memory, and many workgroups share it. `shaders/kernel/device.wgsl` is its shader.
//!
//! | number | compared on lavapipe | time |
//! |---|---|---|
//! | [`DEVICE_OUTER_BLOCK`] | order 512, passes: outer blocks of 64 / 32 | 28 ms / 33 ms |
//! | | order 256: the same | 5.0 ms / 6.4 ms |
//! | [`DEVICE_WIDE_ORDER`] | order 192: with / without outer blocks | 2.0 ms / 2.3 ms |
//! | | order 128: the same | 0.77 ms / 0.68 ms |
//! | [`DEVICE_SOFTWARE_TILE`] | order 256: software tile / hardware tile | 2/3 |
//! | | order 128: the same | 4/5 |
//! | [`DEVICE_LARGE_PANEL`] | order 384, float32, passes: 256 / 128 scalars | 10.1 ms / 11.3 ms |
//! | | order 192: the same | 1.7 ms / 2.0 ms |
//! | | order 384: the same, first call | 6 s / 4.5 s |

use super::kernel::{PlannedKernel, Size};
use super::program::{Grid, Program, Step};
use crate::data::arithmetic::Arithmetic;
use crate::data::engine::{GpuKernel, Op};
use crate::data::refusal::Refusal;
use crate::data::scalar::ScalarKind;
use crate::plan::facts::GpuLimits;

/// Largest order: a row and a position share an index of 32 bits. Memory ends earlier.
pub const DEVICE_MAX_ORDER: usize = 1 << 14;

/// The most columns of a panel, which one workgroup eliminates alone. Orders are padded to a multiple of it.
pub const DEVICE_BLOCK: u32 = 16;

/// On hardware, a panel is halved until the rows of an invocation take no more than this many words of 32 bits, or
/// until it is one pack wide. Then more panels are taken to their outer block, which moves as many bytes for each
/// outer block as 4096 / (width · order) passes over the matrix. With 256 words of complex64 or float64, RADV keeps
/// a part of them in memory.
pub const DEVICE_PANEL_WORDS: u32 = 160;

/// The same for pairs and complex128, of which a step makes copies: in panels of 16 columns, RADV keeps 96 words of
/// pairs in memory, and some of 128 words of complex128.
pub const DEVICE_COPIED_PANEL_WORDS: u32 = 64;

/// Columns of an outer block, whose panels are taken to the rest of the matrix together: pivots per pass over it. Bytes
/// bind on hardware too: at order 256, sixteen passes become four, and the equivalent of three within the outer blocks.
pub const DEVICE_OUTER_BLOCK: u32 = 64;

/// Smallest order with outer blocks; below it, each panel is taken to the whole matrix.
pub const DEVICE_WIDE_ORDER: u32 = 129;

/// The tile of an update on hardware. A pack is four real numbers that are loaded and stored at once.
pub const DEVICE_TILE: Tile = Tile { rows: 8, packs: 2, line: 32 };

/// The tile on a software adapter, where a load takes as long as tens of multiply-adds, and more invocations than a
/// SIMD vector has lanes are no help.
pub const DEVICE_SOFTWARE_TILE: Tile = Tile { rows: 16, packs: 4, line: 8 };

/// The tile on a software adapter from [`DEVICE_WIDE_ORDER`] on.
pub const DEVICE_SOFTWARE_WIDE_TILE: Tile = Tile { rows: 16, packs: 8, line: 8 };

/// The most scalars of a panel that one invocation holds on a software adapter, where few invocations with several rows
/// wait less for each other.
pub const DEVICE_PANEL_SCALARS: u32 = 128;

/// Invocations per panel: the fewest on a software adapter, and the most anywhere.
pub const DEVICE_PANEL_INVOCATIONS: (u32, u32) = (8, 256);

/// An order, and the scalars of a real panel that one invocation holds from that order on. More scalars take longer to
/// compile, which only large matrices are worth; complex ones take several times as long, and so does everything with
/// 512.
pub const DEVICE_LARGE_PANEL: (u32, u32) = (257, 256);

/// Rows whose length in scalars is a multiple of this are padded.
pub const DEVICE_PITCH_BREAK: u32 = 128;

/// Bytes of working memory in use at once, unless one matrix needs more.
pub const DEVICE_WORK_BYTES: u64 = 32 << 20;

/// Copies the matrices into working memory and finds the range of magnitudes of each row.
const LOAD: Program = Program { name: "load", entry: "load_rows", knows_rcond: false, gives_verdicts: false };
/// Decides whether a matrix must be scaled.
const SCALE: Program = Program { name: "scale", entry: "scale", knows_rcond: false, gives_verdicts: false };
/// Scales the columns that need it, and takes the norms of the input.
const COLUMNS: Program = Program { name: "columns", entry: "scale_columns", knows_rcond: true, gives_verdicts: false };
/// Eliminates the next panel alone.
const PANEL: Program = Program { name: "panel", entry: "panel", knows_rcond: false, gives_verdicts: false };
/// Takes the steps of a panel to the other columns of its outer block.
pub(crate) const WITHIN: Program =
    Program { name: "within", entry: "update", knows_rcond: false, gives_verdicts: false };
/// Takes the steps of an outer block to all other columns.
pub(crate) const UPDATE: Program =
    Program { name: "update", entry: "update", knows_rcond: false, gives_verdicts: false };
/// Takes the norms of the inverses.
const SUMS: Program = Program { name: "sums", entry: "sum_columns", knows_rcond: true, gives_verdicts: false };
/// Writes the inverses to where they belong.
const STORE: Program = Program { name: "store", entry: "store_rows", knows_rcond: false, gives_verdicts: false };
/// Gives the verdicts, and fills the places of inverses that do not exist.
const FINISH: Program = Program { name: "finish", entry: "finish", knows_rcond: true, gives_verdicts: true };

/// The configuration of `device`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// Columns of a panel: `BLOCK` in the shader.
    pub block: u32,
    /// Columns of an outer block, a whole number of panels: `OUTER` in the shader.
    pub outer_block: u32,
    /// Invocations that share a panel: `WORKGROUP` in the shader.
    pub invocations: u32,
    /// The tile of an update.
    pub tile: Tile,
}

/// The part of a matrix that one workgroup of an update takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Rows per workgroup: `TILE_ROWS` in the shader.
    pub rows: u32,
    /// The most packs of each row per invocation; `TILE_PACKS` in the shader may be fewer.
    pub packs: u32,
    /// The distance between these packs, which is the number of invocations: `LINE` in the shader.
    pub line: u32,
}

impl Device {
    /// Rows and columns in working memory, a whole number of panels: `PADDED` in the shader.
    pub const fn padded(self, order: u32) -> u32 {
        order.next_multiple_of(DEVICE_BLOCK)
    }

    /// Scalars from one row of working memory to the next: `PITCH` in the shader. A tile of rows that begin a power of
    /// two apart would crowd a few sets of a cache.
    pub const fn pitch(self, order: u32) -> u32 {
        let padded = self.padded(order);
        if padded.is_multiple_of(DEVICE_PITCH_BREAK) { padded + DEVICE_BLOCK } else { padded }
    }

    /// Rows of a panel that one invocation holds: `ROWS` in the shader.
    pub const fn rows(self, order: u32) -> u32 {
        self.padded(order).div_ceil(self.invocations)
    }

    /// Narrows the panel until the rows of an invocation fit into registers, but to no less than a pack.
    fn narrowed(mut self, size: Size) -> Self {
        let copied = size.arithmetic == Arithmetic::Pairs || size.words() == 4;
        let most = if copied { DEVICE_COPIED_PANEL_WORDS } else { DEVICE_PANEL_WORDS };
        while size.packs(self.block) > 1 && self.rows(size.order) * self.block * size.words() as u32 > most {
            self.block /= 2;
        }
        self
    }

    /// Packs of a row per invocation of an update of this many columns: the fewest that need no more tiles. Packs
    /// beyond the columns would be loaded for nothing.
    pub const fn tile_packs(self, size: Size, columns: u32) -> u32 {
        let all = size.packs(columns).div_ceil(self.tile.line);
        if all == 0 { self.tile.packs } else { all.div_ceil(all.div_ceil(self.tile.packs)) }
    }

    /// Workgroups that share an update of this many columns of one matrix: down the rows, and along them.
    pub const fn update_workgroups(self, size: Size, columns: u32) -> [u32; 2] {
        let along = self.tile_packs(size, columns) * self.tile.line;
        [self.padded(size.order) / self.tile.rows, size.packs(columns).div_ceil(along)]
    }

    /// The panels, each followed by the programs that take its steps to other columns. An outer block of one panel
    /// needs no update within, and a matrix of one outer block none without.
    fn eliminations(self, order: u32) -> Vec<Program> {
        let padded = self.padded(order);
        let mut programs = Vec::new();
        for first in (0..padded).step_by(self.outer_block as usize) {
            let columns = self.outer_block.min(padded - first);
            let panel: &[Program] = if columns > self.block { &[PANEL, WITHIN] } else { &[PANEL] };
            programs.extend(panel.repeat((columns / self.block) as usize));
            if columns < padded {
                programs.push(UPDATE);
            }
        }
        programs
    }
}

impl PlannedKernel for Device {
    const NAME: GpuKernel = GpuKernel::Device;

    fn max_order(_: ScalarKind) -> usize {
        DEVICE_MAX_ORDER
    }

    fn new(size: Size) -> Self {
        let outer_block = if size.order < DEVICE_WIDE_ORDER { DEVICE_BLOCK } else { DEVICE_OUTER_BLOCK };
        let one = Self { block: DEVICE_BLOCK, outer_block, invocations: 1, tile: DEVICE_TILE };
        let invocations = one.padded(size.order).next_power_of_two().min(DEVICE_PANEL_INVOCATIONS.1);
        Self { invocations, ..one }.narrowed(size)
    }

    fn suited(self, size: Size, limits: &GpuLimits) -> Self {
        if !limits.software {
            return self;
        }
        let wide = size.order >= DEVICE_WIDE_ORDER;
        let tile = if wide { DEVICE_SOFTWARE_WIDE_TILE } else { DEVICE_SOFTWARE_TILE };
        let real = size.working.real_size() == size.working.size();
        let (order, large) = DEVICE_LARGE_PANEL;
        let scalars = if real && size.order >= order { large } else { DEVICE_PANEL_SCALARS };
        let invocations = self.padded(size.order).div_ceil(scalars / DEVICE_BLOCK).next_power_of_two();
        let invocations = invocations.max(DEVICE_PANEL_INVOCATIONS.0).min(self.invocations);
        Self { block: DEVICE_BLOCK, invocations, tile, ..self }
    }

    /// It only inverts.
    fn suits(self, size: Size, _: &GpuLimits) -> bool {
        size.op == Op::Inverse
    }

    fn riding(self) -> u32 {
        0
    }

    fn refusal(self, size: Size, limits: &GpuLimits) -> Option<Refusal> {
        let order = size.order;
        let [work, state] = self.scratch(size).unwrap_or_default();
        if work.max(state) > limits.binding_bytes {
            return Some(Refusal::WorkingMemory { order, bytes: work, max: limits.binding_bytes });
        }
        let [down, along] = self.update_workgroups(size, self.padded(order));
        let needed = down.max(along).max(self.padded(order) / self.block);
        let max = limits.workgroups;
        (needed > max).then_some(Refusal::Workgroups { order, needed, max })
    }

    fn matrices(self) -> u32 {
        1
    }

    fn workgroup(self, _: Size) -> u32 {
        self.invocations
    }

    /// A key and a word per invocation; a sum and two words per share of a line; a row of the panel; and a word more.
    fn workgroup_bytes(self, size: Size) -> u32 {
        let (scalar, real) = (size.working.size() as u32, size.real_bytes());
        let shares = self.invocations.max(self.block);
        self.invocations * (real + 4) + shares * (real + 8) + self.block * scalar + 4
    }

    fn constants(self, size: Size, program: Program) -> Vec<(&'static str, u32)> {
        let padded = self.padded(size.order);
        // The steps that an update takes, and the columns that it takes them to.
        let (steps, reach) =
            if program == WITHIN { (self.block, self.outer_block) } else { (self.outer_block, padded) };
        vec![
            ("PADDED", padded),
            ("PITCH", self.pitch(size.order)),
            ("BLOCK", self.block),
            ("OUTER", self.outer_block),
            ("STEPS", steps),
            ("REACH", reach),
            ("ROWS", self.rows(size.order)),
            ("TILE_ROWS", self.tile.rows),
            ("TILE_PACKS", self.tile_packs(size, reach)),
            ("LINE", self.tile.line),
        ]
    }

    fn scratch(self, size: Size) -> Option<[u64; 2]> {
        let padded = u64::from(self.padded(size.order));
        let (pitch, strips) = (u64::from(self.pitch(size.order)), padded / u64::from(self.block));
        let rows = padded + u64::from(self.outer_block) + (2 * strips).div_ceil(pitch);
        Some([pitch * rows * size.working.size() as u64, 4 * (8 + 4 * padded + 4 * strips)])
    }

    fn batch(self, size: Size, limits: &GpuLimits, bytes: u64) -> Option<u32> {
        let [work, state] = self.scratch(size)?;
        // The shader's indexes are 32 bits wide.
        let indexed = u64::from(u32::MAX) * size.working.size() as u64;
        let fit = bytes.min(limits.binding_bytes).min(indexed) / work;
        Some(fit.min(limits.binding_bytes / state).clamp(1, limits.workgroups.into()) as u32)
    }

    fn steps(self, size: Size, rcond: bool) -> Vec<Step> {
        let padded = self.padded(size.order);
        let mut programs = vec![LOAD, SCALE, COLUMNS];
        programs.extend(self.eliminations(size.order));
        programs.extend(rcond.then_some(SUMS));
        programs.extend([STORE, FINISH]);
        let grid = |program| match program {
            SCALE | PANEL => Grid::Tiled { x: 1, z: 1 },
            WITHIN | UPDATE => {
                let columns = if program == WITHIN { self.outer_block } else { padded };
                let [x, z] = self.update_workgroups(size, columns);
                Grid::Tiled { x, z }
            }
            _ => Grid::Tiled { x: padded / self.block, z: 1 },
        };
        programs.into_iter().map(|program| Step { program, grid: grid(program) }).collect()
    }

    #[cfg(feature = "gpu")]
    fn source(self) -> &'static str {
        include_str!("../../../shaders/kernel/device.wgsl")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dispatches of order 40 in outer blocks of two panels: 48 columns, so the last outer block has one panel.
    #[test]
    fn steps_of_a_small_device() {
        let (op, working, arithmetic) = (Op::Inverse, ScalarKind::Float32, Arithmetic::Float32);
        let size = Size { op, working, arithmetic, order: 40, width: 0 };
        let device = Device { outer_block: 32, ..Device::new(size) };
        let names: Vec<_> = device.steps(size, true).iter().map(|step| step.program.name).collect();
        let first = ["load", "scale", "columns", "panel", "within", "panel", "within", "update"];
        assert_eq!(names, [&first[..], &["panel", "update", "sums", "store", "finish"]].concat());
        assert_eq!(device.steps(size, false).len(), names.len() - 1);
        // 48 rows in tiles of 8; 12 packs within a line of 32.
        assert_eq!(device.steps(size, false)[7].grid, Grid::Tiled { x: 6, z: 1 });
    }
}
