// Reads the number of matrices from a buffer. For each dispatch of each program, writes an entry of ENTRY_WORDS words:
// `Params` in the first four, then the workgroups along x, y and z, and the number of matrices for the host.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read_write> entries: array<u32>;

// a / b, rounded up, for b > 0 and any a.
fn divided_up(a: u32, b: u32) -> u32 {
    return a / b + select(0u, 1u, a % b != 0u);
}

@compute @workgroup_size(1)
fn main() {
    let len = min(count[COUNT_INDEX], CAPACITY);
    var dispatches = PROGRAM_DISPATCHES;
    var most = PROGRAM_MOST;
    var matrices = PROGRAM_MATRICES;
    var tiles = PROGRAM_TILES;
    var depths = PROGRAM_DEPTHS;
    var entry = 0u;
    for (var p = 0u; p < PROGRAMS; p++) {
        let per_group = matrices[p];
        for (var d = 0u; d < dispatches[p]; d++) {
            // Every dispatch begins below CAPACITY. Those beyond `len` have no workgroups.
            let base = d * most[p];
            let here = min(len - min(base, len), most[p]);
            let groups = divided_up(here, per_group);
            entries[entry] = base;
            entries[entry + 7u] = len;
            if tiles[p] != 0u {
                // Many workgroups per matrix lie along x and z, the matrices along y.
                entries[entry + 1u] = 1u;
                entries[entry + 2u] = 0u;
                entries[entry + 4u] = tiles[p];
                entries[entry + 5u] = here;
                entries[entry + 6u] = depths[p];
            } else {
                // Take the fewest rows of workgroups, all of about the same length.
                let rows = divided_up(groups, MOST_GROUPS);
                entries[entry + 1u] = here - (max(groups, 1u) - 1u) * per_group;
                entries[entry + 2u] = groups;
                entries[entry + 4u] = divided_up(groups, max(rows, 1u));
                entries[entry + 5u] = rows;
                entries[entry + 6u] = 1u;
            }
            entry += ENTRY_WORDS;
        }
    }
}
