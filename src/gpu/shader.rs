//! The text of a variant: its kernel first, so that line numbers in an error are the file's own, then layout,
//! scalar and constants. WGSL lets declarations stand in any order, so that concatenation links them.

use crate::plan::{Kernel, Variant};
use crate::scalar::ScalarKind;

/// The WGSL of a variant, or `None` where no shader is written for it.
pub fn source(variant: Variant) -> Option<String> {
    let kernel = match variant.kernel {
        Kernel::Thread => include_str!("../../shaders/kernel/thread.wgsl"),
        Kernel::Workgroup => include_str!("../../shaders/kernel/workgroup.wgsl"),
        Kernel::Lanes | Kernel::Rows | Kernel::Blocked => return None,
    };
    let scalar = match variant.scalar {
        ScalarKind::Float32 => include_str!("../../shaders/scalar/float32.wgsl"),
        _ => return None,
    };
    let layout = include_str!("../../shaders/layout.wgsl");
    let constants = [
        ("N", variant.order),
        ("MATRICES", variant.matrices),
        ("PARTS", variant.parts),
        ("COLUMNS", variant.columns()),
        ("WORKGROUP", variant.workgroup()),
    ];
    let constants: String = constants.iter().map(|(name, value)| format!("const {name} = {value}u;\n")).collect();
    Some([kernel, layout, scalar, &constants].join("\n"))
}
