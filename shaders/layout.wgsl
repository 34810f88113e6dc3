// Where element (i, j) of matrix m lies, and which matrices a workgroup has. `src/stack.rs` is the twin on the host.
// Strides and offsets count elements; they are constants of the variant.

struct Params {
    // The first matrix of this dispatch.
    base: u32,
    // Matrices in the last workgroup.
    last: u32,
    // Workgroups with work; 0 where that is all there are.
    groups: u32,
}

// One word for each matrix: 0 inverted, k >= 1 the pivot of column k is zero, -1 not finite.
@group(0) @binding(2) var<storage, read_write> statuses: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

const INVERTED = 0i;
const NOT_FINITE = -1i;

fn input_at(m: u32, i: u32, j: u32) -> u32 {
    return INPUT_OFFSET + m * INPUT_MATRIX + i * INPUT_ROW + j * INPUT_COLUMN;
}

fn output_at(m: u32, i: u32, j: u32) -> u32 {
    return OUTPUT_OFFSET + m * OUTPUT_MATRIX + i * OUTPUT_ROW + j * OUTPUT_COLUMN;
}

// The first matrix of a workgroup, and how many it has. Workgroups are counted along x, then y, since there may be no
// more than 65,535 in a row.
fn first_matrix(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return params.base + (group.y * groups.x + group.x) * MATRICES;
}

fn matrices_here(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    let number = group.y * groups.x + group.x;
    let all = select(params.groups, groups.x * groups.y, params.groups == 0u);
    return select(select(MATRICES, params.last, number + 1u == all), 0u, number >= all);
}

// n, as no compiler can tell: a loop so bounded stays a loop. Drivers unroll short loops whose counter indexes a private
// array, and what is copied N times over takes N times as long to compile.
fn counted(n: u32) -> u32 {
    return select(n, 0u, params.last == 0u);
}
