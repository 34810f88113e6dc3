// Reads the number of matrices from a buffer and writes, for each program, its parameters and its number of
// workgroups into an entry of ENTRY_WORDS words: `Params` in the first four words, then the workgroups along x, y
// and z.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read_write> entries: array<u32>;

@compute @workgroup_size(1)
fn main() {
    let len = min(count[COUNT_INDEX], CAPACITY);
    var matrices = PROGRAM_MATRICES;
    var tiles = PROGRAM_TILES;
    var depths = PROGRAM_DEPTHS;
    for (var p = 0u; p < PROGRAMS; p++) {
        let entry = p * ENTRY_WORDS;
        if tiles[p] != 0u {
            // Many workgroups per matrix lie along x and z, the matrices along y.
            entries[entry] = 0u;
            entries[entry + 1u] = 1u;
            entries[entry + 2u] = 0u;
            entries[entry + 4u] = tiles[p];
            entries[entry + 5u] = len;
            entries[entry + 6u] = depths[p];
            continue;
        }
        let per_group = matrices[p];
        let groups = (len + per_group - 1u) / per_group;
        // Take the fewest rows of workgroups, all of about the same length.
        let rows = (groups + MOST_GROUPS - 1u) / MOST_GROUPS;
        let in_row = (groups + max(rows, 1u) - 1u) / max(rows, 1u);
        entries[entry] = 0u;
        entries[entry + 1u] = len - (max(groups, 1u) - 1u) * per_group;
        entries[entry + 2u] = groups;
        entries[entry + 4u] = in_row;
        entries[entry + 5u] = rows;
        entries[entry + 6u] = 1u;
    }
}
