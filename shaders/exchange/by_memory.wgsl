// The pivot row reaches the lanes of `subgroup` through workgroup memory, in packs. On hardware this takes far fewer
// instructions than one shuffle per column, and a barrier costs little where a workgroup is one or two subgroups.

// A pack more than a row has, so that the rows of neighboring slots lie in different banks.
const SHARED_PACKS = WIDTH / PACK + 1u;
// Two rows for each matrix, used in turn, so that one barrier per step suffices: who writes a row again has seen the
// barrier of the step between, which came after the last read.
var<workgroup> shared_rows: array<array<Pack, SHARED_PACKS>, 2u * MATRICES>;

// Every lane calls it in every step. `slot` counts the rows in `shared_rows`.
fn share_row(v: ptr<function, array<Row, ROWS>>, places: ptr<function, array<u32, ROWS>>, winner: u32, slot: u32) {
    for (var r = 0u; r < ROWS; r++) { // written out
        if (*places)[r] == winner {
            for (var q = 0u; q < WIDTH / PACK; q++) { // written out
                var pack: Pack;
                for (var i = 0u; i < PACK; i++) { // written out
                    pack = into_pack(pack, i, (*v)[r][q * PACK + i]);
                }
                shared_rows[slot][q] = pack;
            }
        }
    }
    workgroupBarrier();
}

// Pack q of the pivot row.
fn pivot_pack(v: ptr<function, array<Row, ROWS>>, q: u32, which: u32, source: u32, slot: u32) -> Pack {
    return shared_rows[slot][q];
}
