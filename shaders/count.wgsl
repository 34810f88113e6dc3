// Reads how many matrices there are and writes, for each program, what it takes for its counts and how many workgroups
// to dispatch, in ENTRY_WORDS words.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read_write> entries: array<u32>;

@compute @workgroup_size(1)
fn main() {
    let len = min(count[COUNT_INDEX], CAPACITY);
    var matrices = PROGRAM_MATRICES;
    var tiles = PROGRAM_TILES;
    var deep = PROGRAM_DEPTHS;
    for (var p = 0u; p < PROGRAMS; p++) {
        if tiles[p] != 0u {
            // Many workgroups to a matrix, along x and z, and the matrices along y.
            let entry = p * ENTRY_WORDS;
            entries[entry] = 0u;
            entries[entry + 1u] = 1u;
            entries[entry + 2u] = 0u;
            entries[entry + 4u] = tiles[p];
            entries[entry + 5u] = len;
            entries[entry + 6u] = deep[p];
            continue;
        }
        let m = matrices[p];
        let groups = (len + m - 1u) / m;
        // As few rows of workgroups as there can be, and those as even.
        let rows = (groups + MOST_GROUPS - 1u) / MOST_GROUPS;
        let in_row = (groups + max(rows, 1u) - 1u) / max(rows, 1u);
        let first = p * ENTRY_WORDS;
        entries[first] = 0u;
        entries[first + 1u] = len - (max(groups, 1u) - 1u) * m;
        entries[first + 2u] = groups;
        entries[first + 4u] = in_row;
        entries[first + 5u] = rows;
        entries[first + 6u] = 1u;
    }
}
