//! The dispatches of a variant, as values that need no device.

use std::ops::Range;

use crate::plan::facts::GpuLimits;

/// The most matrices per workgroup, of any program.
pub const MAX_MATRICES: u32 = 64;

/// The most dispatches of one step of an indirect job. All of them are encoded whatever the count turns out to be, and
/// one invocation writes the sizes of all.
pub const INDIRECT_DISPATCHES: u32 = 1 << 12;

/// One entry point of a kernel, compiled with certain constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    /// Its name, unique within the kernel.
    pub name: &'static str,
    /// The function in the shader.
    pub entry: &'static str,
    /// True if the program's text depends on whether rcond is computed.
    pub knows_rcond: bool,
    /// True if it stores statuses and fills the places of inverses that do not exist.
    pub gives_verdicts: bool,
}

impl Program {
    /// The only program of a kernel that does everything in one dispatch.
    pub const MAIN: Self = Self { name: "main", entry: "main", knows_rcond: true, gives_verdicts: true };
}

/// One dispatch over the matrices of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The program.
    pub program: Program,
    /// How its workgroups share the matrices.
    pub grid: Grid,
}

/// How the workgroups of a dispatch share the matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// Each workgroup takes this many matrices; workgroups lie along x.
    Packed {
        /// Matrices per workgroup.
        matrices: u32,
    },
    /// Several workgroups, along x and z, share each matrix; matrices lie along y.
    Tiled {
        /// Workgroups per matrix along x.
        x: u32,
        /// Workgroups per matrix along z.
        z: u32,
    },
}

impl Grid {
    /// Matrices per workgroup, or 1.
    pub const fn matrices(self) -> u32 {
        match self {
            Self::Packed { matrices } => matrices,
            Self::Tiled { .. } => 1,
        }
    }
}

/// One dispatch, ready to be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The index of the step.
    pub step: usize,
    /// Workgroups in each dimension.
    pub groups: [u32; 3],
    /// The number of the dispatch among those of this step, which says with which matrix it begins.
    pub row: u32,
    /// Matrices in the last workgroup.
    pub last: u32,
}

/// The steps of a variant on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The dispatches of a batch, in order.
    pub steps: Vec<Step>,
    /// Matrices per batch: there is working memory for this many.
    batch: u32,
    /// The most workgroups in one dimension.
    workgroups: u32,
}

impl Schedule {
    /// The steps, with working memory for `batch` matrices if they need any.
    pub fn new(steps: Vec<Step>, batch: Option<u32>, limits: &GpuLimits) -> Self {
        Self { steps, batch: batch.unwrap_or(u32::MAX), workgroups: limits.workgroups }
    }

    /// Allows at least `batch` matrices at once.
    pub fn widen(&mut self, batch: Option<u32>) {
        self.batch = self.batch.max(batch.unwrap_or(u32::MAX));
    }

    /// Matrices per batch, out of `capacity`.
    pub fn batch(&self, capacity: u32) -> u32 {
        self.batch.min(capacity)
    }

    /// Matrices that one dispatch of a step takes at most, out of `capacity`.
    fn row_of(&self, step: &Step, capacity: u32) -> u32 {
        match step.grid {
            Grid::Packed { matrices } => self.workgroups.saturating_mul(matrices),
            Grid::Tiled { .. } => self.batch(capacity).max(1),
        }
    }

    /// Matrices that one dispatch of a step takes at most if only the device knows their number: its workgroups lie
    /// along y too.
    pub fn indirect_row_of(&self, step: &Step, capacity: u32) -> u32 {
        match step.grid {
            Grid::Packed { .. } => self.row_of(step, capacity).saturating_mul(self.workgroups),
            Grid::Tiled { .. } => self.row_of(step, capacity),
        }
    }

    /// The largest capacity of an indirect job.
    pub fn indirect_capacity(&self) -> u32 {
        let rows = self.steps.iter().map(|step| self.indirect_row_of(step, u32::MAX));
        rows.min().unwrap_or(u32::MAX).saturating_mul(INDIRECT_DISPATCHES)
    }

    /// Matrices that one dispatch of every step takes.
    pub fn row(&self) -> u32 {
        self.steps.iter().map(|step| self.row_of(step, u32::MAX)).min().unwrap_or(u32::MAX)
    }

    /// The steps of submission `index` out of `pieces`.
    pub fn piece(&self, index: usize, pieces: usize) -> Range<usize> {
        let from = |index: usize| self.steps.len() * index / pieces;
        from(index)..from(index + 1)
    }

    /// The steps that differ in their program, in the order in which they first appear.
    pub fn programs(&self) -> Vec<Step> {
        let mut programs: Vec<Step> = Vec::new();
        for step in &self.steps {
            if programs.iter().all(|known| known.program != step.program) {
                programs.push(*step);
            }
        }
        programs
    }

    /// The dispatches of some steps over the first `len` matrices. A range other than all steps needs `len` to be at
    /// most a batch.
    pub fn dispatches(&self, range: Range<usize>, len: u32) -> impl Iterator<Item = Dispatch> + '_ {
        self.rows(range, len, Self::row_of).map(move |(step, row, here)| {
            let (groups, last) = match self.steps[step].grid {
                Grid::Packed { matrices } => {
                    let groups = here.div_ceil(matrices);
                    ([groups, 1, 1], here - (groups - 1) * matrices)
                }
                Grid::Tiled { x, z } => ([x, here, z], 1),
            };
            Dispatch { step, groups, row, last }
        })
    }

    /// The dispatches over up to `capacity` matrices whose number only the device knows: the index of the step, and
    /// the number of the dispatch among those of this step.
    pub fn indirect_dispatches(&self, capacity: u32) -> impl Iterator<Item = (usize, u32)> + '_ {
        self.rows(0..self.steps.len(), capacity, Self::indirect_row_of).map(|(step, row, _)| (step, row))
    }

    /// The dispatches in order, as the index of the step, the number of the dispatch among those of this step, and
    /// its matrices, of which a step takes at most `most`.
    fn rows(
        &self,
        range: Range<usize>,
        len: u32,
        most: fn(&Self, &Step, u32) -> u32,
    ) -> impl Iterator<Item = (usize, u32, u32)> + '_ {
        let tiled = |step: &Step| matches!(step.grid, Grid::Tiled { .. });
        let mut first = range.start;
        // A batch goes through all of its steps before the next one, since batches share the working memory.
        let runs = self.steps[range].chunk_by(move |a, b| tiled(a) && tiled(b)).map(move |steps| {
            first += steps.len();
            (first - steps.len(), steps)
        });
        runs.flat_map(move |(first, steps)| {
            let per_row = steps.iter().map(|step| most(self, step, len)).min().unwrap_or(u32::MAX);
            (0..len.div_ceil(per_row)).flat_map(move |row| {
                let here = (len - row * per_row).min(per_row);
                (0..steps.len()).map(move |index| (first + index, row, here))
            })
        })
    }

    /// The table of counts that dispatches over `capacity` matrices need, if one row of workgroups does not take them
    /// all: for each program its first entry, and the entries [first matrix of the dispatch, matrices in the last
    /// workgroup].
    pub fn counts(&self, capacity: u32) -> Option<CountTable> {
        let mut table = CountTable::default();
        let mut rows = 1;
        for step in self.programs() {
            let per_row = self.row_of(&step, capacity);
            let matrices = step.grid.matrices();
            table.programs.push((step.program, table.entries.len() as u32, matrices));
            rows = rows.max(capacity.div_ceil(per_row));
            for row in 0..capacity.div_ceil(per_row) {
                table.entries.extend((1..=matrices).map(|last| [row * per_row, last]));
            }
        }
        (rows > 1).then_some(table)
    }
}

/// Every count that a dispatch may need, so that a new number of matrices takes neither a new buffer nor a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountTable {
    /// [first matrix of the dispatch, matrices in the last workgroup]
    pub entries: Vec<[u32; 2]>,
    /// For each program its first entry, and entries per row.
    pub programs: Vec<(Program, u32, u32)>,
}

impl CountTable {
    /// The table for any program whose dispatches take one row of workgroups.
    pub fn one_row() -> Self {
        Self { entries: (1..=MAX_MATRICES).map(|last| [0, last]).collect(), programs: Vec::new() }
    }

    /// The index of the entry for a dispatch of this program.
    ///
    /// # Panics
    /// If the table was made for other programs.
    pub fn entry(&self, program: Program, dispatch: Dispatch) -> u32 {
        let own = self.programs.iter().find(|&&(own, ..)| own == program);
        let (start, per_row) = match own {
            Some(&(_, start, per_row)) => (start, per_row),
            None => {
                assert!(self.programs.is_empty(), "every program of a step has its counts");
                (0, 0)
            }
        };
        start + dispatch.row * per_row + dispatch.last - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every matrix is in exactly one dispatch of each step, whatever the limits.
    #[test]
    fn dispatches_cover_the_matrices() {
        let program = |name| Program { name, entry: name, knows_rcond: false, gives_verdicts: false };
        let packed = |matrices| vec![Step { program: Program::MAIN, grid: Grid::Packed { matrices } }];
        let tiled = vec![
            Step { program: program("a"), grid: Grid::Tiled { x: 4, z: 1 } },
            Step { program: program("b"), grid: Grid::Tiled { x: 1, z: 2 } },
            Step { program: program("a"), grid: Grid::Tiled { x: 4, z: 1 } },
        ];
        for (steps, batch) in [(packed(64), None), (packed(1), None), (tiled, Some(3))] {
            for workgroups in [1, 2, 3, 65_535] {
                let limits = GpuLimits { workgroups, ..GpuLimits::WEBGPU_DEFAULT };
                let schedule = Schedule::new(steps.clone(), batch, &limits);
                for len in [0, 1, 2, 3, 4, 63, 64, 65, 129] {
                    let table = schedule.counts(len).unwrap_or_else(CountTable::one_row);
                    let mut seen = vec![vec![0; len as usize]; steps.len()];
                    for dispatch in schedule.dispatches(0..steps.len(), len) {
                        let step = steps[dispatch.step];
                        let [base, last] = table.entries[table.entry(step.program, dispatch) as usize];
                        let matrices = match step.grid {
                            Grid::Packed { matrices } => (dispatch.groups[0] - 1) * matrices + last,
                            Grid::Tiled { .. } => dispatch.groups[1],
                        };
                        assert_eq!(last, dispatch.last);
                        assert!(dispatch.groups.iter().all(|&groups| groups > 0));
                        for m in base..base + matrices {
                            seen[dispatch.step][m as usize] += 1;
                        }
                    }
                    assert!(seen.iter().flatten().all(|&times| times == 1), "{len} on {workgroups}: {seen:?}");

                    // A count that only the device knows may be this large.
                    let mut seen = vec![vec![0; len as usize]; steps.len()];
                    for (step, row) in schedule.indirect_dispatches(len) {
                        let most = schedule.indirect_row_of(&steps[step], len);
                        if let Grid::Packed { matrices } = steps[step].grid {
                            let groups = u64::from(most.min(len).div_ceil(matrices));
                            assert!(groups <= u64::from(workgroups).pow(2), "{groups} on {workgroups}");
                        }
                        seen[step][(row * most) as usize..].iter_mut().take(most as usize).for_each(|m| *m += 1);
                    }
                    assert!(seen.iter().flatten().all(|&times| times == 1), "{len} on {workgroups}: {seen:?}");
                }
            }
        }
    }
}
