//! A family of GPUs as the installed driver describes it, with no such GPU in the machine.

use batchinv::plan::GpuLimits;
use serde::{Deserialize, Serialize};

/// The families that RADV knows by name: `RADV_FORCE_FAMILY` in Mesa 22.3.6. Those that the installed version does not
/// know are left out of a run over all.
pub const ALL: [&str; 36] = [
    "tahiti",
    "pitcairn",
    "verde",
    "oland",
    "hainan",
    "bonaire",
    "kaveri",
    "kabini",
    "hawaii",
    "tonga",
    "iceland",
    "carrizo",
    "fiji",
    "stoney",
    "polaris10",
    "polaris11",
    "polaris12",
    "vegam",
    "vega10",
    "vega12",
    "vega20",
    "raven",
    "raven2",
    "renoir",
    "arcturus",
    "aldebaran",
    "navi10",
    "navi12",
    "navi14",
    "navi21",
    "navi22",
    "navi23",
    "navi24",
    "vangogh",
    "rembrandt",
    "gfx1100",
];

/// Lanes of the units that execute vector instructions: 32 from RDNA on, and 16 before.
pub fn simd_lanes(family: &str) -> u32 {
    let rdna = ["navi", "gfx1", "vangogh", "rembrandt"];
    if rdna.iter().any(|prefix| family.starts_with(prefix)) { 32 } else { 16 }
}

/// A driver's answers about a family.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Family {
    pub name: String,
    pub driver: String,
    pub limits: Limits,
}

/// The limits that plans depend on, as they travel between processes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    pub binding_bytes: u64,
    pub workgroups: u32,
    pub invocations: u32,
    pub workgroup_bytes: u32,
    pub subgroups: Option<(u32, u32)>,
    pub float64: bool,
    pub software: bool,
}

impl From<GpuLimits> for Limits {
    fn from(limits: GpuLimits) -> Self {
        let GpuLimits { binding_bytes, workgroups, invocations, workgroup_bytes, subgroups, float64, software, .. } =
            limits;
        Self { binding_bytes, workgroups, invocations, workgroup_bytes, subgroups, float64, software }
    }
}

impl From<Limits> for GpuLimits {
    fn from(limits: Limits) -> Self {
        let mut all = Self::WEBGPU_DEFAULT;
        all.binding_bytes = limits.binding_bytes;
        all.workgroups = limits.workgroups;
        all.invocations = limits.invocations;
        all.workgroup_bytes = limits.workgroup_bytes;
        all.subgroups = limits.subgroups;
        all.float64 = limits.float64;
        all.software = limits.software;
        all
    }
}
