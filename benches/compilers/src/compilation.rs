//! The driver's statistics of a compiled program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A compiled program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compilation {
    /// How long the driver took.
    pub seconds: f64,
    /// Lanes of a subgroup.
    pub subgroup: u32,
    /// By the driver's own names.
    pub statistics: BTreeMap<String, f64>,
    /// The text of the machine's instructions, if it was asked for and the driver has it.
    pub isa: Option<String>,
}

impl Compilation {
    fn statistic(&self, names: &[&str]) -> Option<u64> {
        names.iter().find_map(|&name| self.statistics.get(name)).map(|&value| value as u64)
    }

    /// Vector registers of a lane.
    pub fn registers(&self) -> Option<u64> {
        self.statistic(&["VGPRs"])
    }

    /// Vector registers that the program needs before the driver fits it to a number of them.
    pub fn needed(&self) -> Option<u64> {
        self.statistic(&["Pre-Sched VGPRs"])
    }

    /// Vector registers kept in memory.
    pub fn spills(&self) -> u64 {
        self.statistic(&["Spilled VGPRs"]).unwrap_or(0)
    }

    /// Bytes of memory for a subgroup, for spilled registers and for arrays with indexes that only run time knows.
    pub fn scratch(&self) -> u64 {
        self.statistic(&["Scratch size"]).unwrap_or(0)
    }

    /// Subgroups that fit a SIMD unit at once.
    pub fn waves(&self) -> Option<u64> {
        self.statistic(&["Subgroups per SIMD"])
    }

    pub fn code_bytes(&self) -> Option<u64> {
        self.statistic(&["Code size"])
    }
}
