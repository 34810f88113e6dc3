// The numbers of a dispatch. `src/gpu/counts.rs` writes them.

struct Params {
    // The first matrix of this dispatch.
    base: u32,
    // Matrices in the last workgroup that has any.
    last: u32,
    // Workgroups that have matrices; 0 if all of them do.
    groups: u32,
    // Always 0, which no compiler knows.
    zero: u32,
}

@group(0) @binding(3) var<uniform> params: Params;
