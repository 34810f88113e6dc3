// The pivot row reaches the lanes of `subgroup` by shuffles, with no barrier: a software driver waits long at one.

fn share_row(v: ptr<function, array<Row, ROWS>>, places: ptr<function, array<u32, ROWS>>, winner: u32, slot: u32) {}

// Pack q of the pivot row, the `which`-th row of lane `source`.
fn pivot_pack(v: ptr<function, array<Row, ROWS>>, q: u32, which: u32, source: u32, slot: u32) -> Pack {
    var pack: Pack;
    for (var i = 0u; i < PACK; i++) { // written out
        var x = (*v)[0][q * PACK + i];
        for (var r = 1u; r < ROWS; r++) { // written out
            x = select(x, (*v)[r][q * PACK + i], which == r);
        }
        pack = into_pack(pack, i, from_lane(x, source));
    }
    return pack;
}
