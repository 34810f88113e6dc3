// Where element (i, j) of matrix m lies. `src/stack.rs` is the twin on the host: row-major, one after another.

struct Params {
    // Matrices in this dispatch.
    len: u32,
}

@group(0) @binding(0) var<storage, read> input: array<Word>;
@group(0) @binding(1) var<storage, read_write> output: array<Word>;
// One word for each matrix: 0 inverted, k >= 1 the pivot of column k is zero, -1 not finite.
@group(0) @binding(2) var<storage, read_write> statuses: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

const INVERTED = 0i;
const NOT_FINITE = -1i;

fn at(m: u32, i: u32, j: u32) -> u32 {
    return (m * N + i) * N + j;
}

// Column k of the input is zero, so that its pivot is, whatever was lost on the way.
fn empty(m: u32, k: u32) -> bool {
    var all = 0u;
    for (var i = 0u; i < N; i++) {
        all |= largest(input[at(m, i, k)]);
    }
    return all == 0u;
}
