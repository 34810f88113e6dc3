// The address of element (i, j) of matrix m, and the matrices of a workgroup. `plan::Layout` is the twin on the
// host. Strides and offsets count elements and are constants of the variant.

// One word per matrix: 0 if inverted, k >= 1 if the pivot of column k is zero, -1 if not finite,
// -2 if inverted with an rcond below the least that was asked for.
@group(0) @binding(2) var<storage, read_write> statuses: array<i32>;

const INVERTED = 0i;
const NOT_FINITE = -1i;
const ILL_CONDITIONED = -2i;

fn input_at(m: u32, i: u32, j: u32) -> u32 {
    return INPUT_OFFSET + m * INPUT_MATRIX + i * INPUT_ROW + j * INPUT_COLUMN;
}

fn output_at(m: u32, i: u32, j: u32) -> u32 {
    return OUTPUT_OFFSET + m * OUTPUT_MATRIX + i * OUTPUT_ROW + j * OUTPUT_COLUMN;
}

// The first matrix of a workgroup. Workgroups are counted along x, then y, because a dispatch is limited to 65,535
// of them in each dimension.
fn first_matrix(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return params.base + (group.y * groups.x + group.x) * MATRICES;
}

// The number of matrices of a workgroup.
fn matrices_here(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    let number = group.y * groups.x + group.x;
    let all = select(params.groups, groups.x * groups.y, params.groups == 0u);
    return select(select(MATRICES, params.last, number + 1u == all), 0u, number >= all);
}

// Returns n, but no compiler can tell, so that a loop to this bound stays a loop. Drivers unroll short loops whose
// counter indexes a private array, and code that is copied N times takes N times as long to compile.
fn counted(n: u32) -> u32 {
    return select(n, 0u, params.last == 0u);
}
