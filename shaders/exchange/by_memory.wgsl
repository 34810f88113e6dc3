// The pivot row reaches the lanes of `subgroup` through workgroup memory, in packs. On hardware this takes far fewer
// instructions than one shuffle per column, and a barrier costs little where a workgroup is few subgroups.

// The pivot row of each matrix as it stands, and divided by the pivot. A pack more than a row has, so that the rows of
// neighboring slots lie in different banks.
var<workgroup> pivot_rows: array<array<Pack, PACKS + 1u>, MATRICES>;
var<workgroup> divided_rows: array<array<Pack, PACKS + 1u>, MATRICES>;

// The pivot, element s of the pivot row. Every lane calls it in every step; the lanes of a matrix
// divide the row together. A slot without a matrix has no pivot row, and its lanes read what happens to lie there.
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
    for (var r = 0u; r < ROWS; r++) { // written out
        if (*places)[r] == winner {
            for (var q = 0u; q < PACKS; q++) { // written out
                var pack: Pack;
                for (var i = 0u; i < min(PACK, ROW_LENGTH - q * PACK); i++) { // written out
                    pack = into_pack(pack, i, (*v)[r][q * PACK + i]);
                }
                pivot_rows[slot][q] = pack;
            }
        }
    }
    workgroupBarrier();
    let pivot = from_pack(pivot_rows[slot][s / PACK], s % PACK);
    let reciprocal = recip(pivot);
    for (var t = 0u; t < (PACKS + LANES - 1u) / LANES; t++) { // written out
        let q = own + t * LANES;
        if q < PACKS {
            let pack = pivot_rows[slot][q];
            var divided: Pack;
            for (var i = 0u; i < PACK; i++) { // written out
                divided = into_pack(divided, i, mul(from_pack(pack, i), reciprocal));
            }
            divided_rows[slot][q] = divided;
        }
    }
    workgroupBarrier();
    return Pivot(pivot, reciprocal);
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
    return divided_rows[slot][q];
}
