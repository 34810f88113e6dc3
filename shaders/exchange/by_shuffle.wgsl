// The pivot row reaches the lanes of `subgroup` by shuffles, with no barrier: a software driver waits long at one.

// The pivot, element s of the pivot row, which is the `which`-th row of lane `source`.
fn share_row(
    v: ptr<function, array<Row, ROWS>>,
    places: ptr<function, array<u32, ROWS>>,
    winner: u32,
    s: u32,
    which: u32,
    source: u32,
    own: u32,
    slot: u32,
) -> Pivot {
    let pivot = from_lane(pick(v, s, which), source);
    return Pivot(pivot, recip(pivot));
}

// Pack q of the pivot row, divided by the pivot.
fn pivot_pack(
    v: ptr<function, array<Row, ROWS>>,
    q: u32,
    which: u32,
    source: u32,
    slot: u32,
    reciprocal: Scalar,
) -> Pack {
    var pack: Pack;
    for (var i = 0u; i < PACK; i++) { // written out
        if q * PACK + i < ROW_LENGTH {
            pack = into_pack(pack, i, mul(from_lane(pick(v, q * PACK + i, which), source), reciprocal));
        }
    }
    return pack;
}
