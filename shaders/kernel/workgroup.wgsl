// workgroup: the invocations of a workgroup hold the rows of a matrix in their registers.
//
// A row is shared by PARTS invocations with COLUMNS columns each; a workgroup holds MATRICES matrices. Rows never
// move: every row knows the position that exchanges would have brought it to. Workgroup memory holds only
// what is shared: the pivot column with its keys, the pivot row, the exchanges, and what is gathered over a matrix.
//
// The part that holds the pivot column rolls: each of its results goes one column to the left, and the new column
// of the inverse enters at its right end, so that the pivot column is always its column 0 and every index in the
// loops is a constant. After COLUMNS steps it stands right again, and the next part takes over.
//
// Where PARTS does not divide N, the matrix is extended by the identity.

const ROWS = COLUMNS * PARTS;
const TEAM = ROWS * PARTS;

var<workgroup> factors: array<array<Scalar, ROWS>, MATRICES>;
var<workgroup> keys: array<array<Bits, ROWS>, MATRICES>;
var<workgroup> pivot_row: array<array<Scalar, ROWS>, MATRICES>;
// The row that became row k.
var<workgroup> origins: array<array<u32, ROWS>, MATRICES>;
var<workgroup> row_exponents: array<array<i32, ROWS>, MATRICES>;
var<workgroup> column_exponents: array<array<i32, ROWS>, MATRICES>;
// The largest and the smallest magnitude that each invocation has seen.
var<workgroup> tops: array<array<Bits, TEAM>, MATRICES>;
var<workgroup> bottoms: array<array<Bits, TEAM>, MATRICES>;
var<workgroup> first_small: array<atomic<u32>, MATRICES>;
var<workgroup> infinite: array<atomic<u32>, MATRICES>;
// Of the columns, for rcond.
var<workgroup> sums: array<array<Bits, ROWS>, MATRICES>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(local_invocation_index) local: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let slot = local / TEAM;
    let part = local % TEAM / ROWS;
    let row = local % ROWS;
    let m = first_matrix(group, groups) + slot;
    let first_column = part * COLUMNS;
    let present = slot < matrices_here(group, groups) && row < N;

    if part == 0u && row == 0u {
        atomicStore(&first_small[slot], N);
    }

    var v: array<Scalar, COLUMNS>;
    var own_top = NO_BITS;
    var own_bottom = ALL_BITS;
    for (var c = 0u; c < COLUMNS; c++) {
        let j = first_column + c;
        v[c] = select(ZERO, ONE, row == j);
        if present && j < N {
            let x = load(m, row, j);
            v[c] = scalar(x);
            own_top = max(own_top, largest(x));
            own_bottom = min(own_bottom, smallest_less_one(x));
        }
    }
    tops[slot][local % TEAM] = own_top;
    bottoms[slot][local % TEAM] = own_bottom;
    workgroupBarrier();

    var top = NO_BITS;
    var bottom = ALL_BITS;
    for (var i = 0u; i < TEAM; i++) {
        top = max(top, tops[slot][i]);
        bottom = min(bottom, bottoms[slot][i]);
    }
    var status = select(INVERTED, NOT_FINITE, top >= INFINITE);
    // An all-zero matrix has no bottom.
    let unusual = present && status == INVERTED && top > NO_BITS && (top > HIGH || bottom < LOW - ONE_BIT);

    // Power-of-two factors, as `src/cpu/scaling.rs` has them: one for all where that will do, else rows and then
    // columns to a largest part in [1, 2).
    let low = exponent(bottom + ONE_BIT);
    let high = exponent(top);
    let one_will_do = high - low <= 2i * WINDOW - 2i;
    if unusual && part == 0u {
        var largest_part = NO_BITS;
        for (var j = 0u; j < N; j++) {
            largest_part = max(largest_part, largest(load(m, row, j)));
        }
        let own = select(0i, -exponent(largest_part), largest_part > NO_BITS);
        row_exponents[slot][row] = select(own, WINDOW - 1i - high, one_will_do);
    }
    let input_shift = norm_shift_of(top);
    if RCOND && present && part == 0u {
        sums[slot][row] = input_sum(m, N, row, input_shift);
    }
    workgroupBarrier();
    var of_input: Norm;
    if RCOND && present && part == 0u && row == 0u {
        of_input = norm_of(largest_sum(slot), input_shift);
    }
    if unusual && part == 0u {
        var highest = LOWEST_EXPONENT;
        for (var i = 0u; i < N; i++) {
            let magnitude = largest(load(m, i, row));
            let e = select(LOWEST_EXPONENT, exponent(magnitude) + row_exponents[slot][i], magnitude > NO_BITS);
            highest = max(highest, e);
        }
        column_exponents[slot][row] = select(select(-highest, 0i, one_will_do), EMPTY, highest == LOWEST_EXPONENT);
    }
    workgroupBarrier();
    if unusual {
        // Rare, and not unrolled: the scaled matrix goes to memory first, and comes from there.
        let lowest = select(-WINDOW, -1i, one_will_do);
        for (var j = first_column; j < min(first_column + COLUMNS, N); j++) {
            let x = load(m, row, j);
            let e = row_exponents[slot][row] + column_exponents[slot][j];
            if small(x, e, lowest) {
                atomicMin(&first_small[slot], j);
            }
            stash(m, row, j, flushed(x, e));
        }
        for (var c = 0u; c < COLUMNS; c++) {
            let j = first_column + c;
            if j < N {
                v[c] = scalar(stashed(m, row, j));
            }
        }
    }
    storageBarrier();

    var position = row;
    for (var k = 0u; k < ROWS; k++) {
        let rolling = k / COLUMNS == part;
        if rolling {
            factors[slot][row] = v[0];
            // A row of the extension is never exchanged with one of the matrix, not even where the update has made NaN
            // of it: results would land outside of the matrix.
            keys[slot][position] = select(key(v[0]), NO_BITS, row >= N && k < N);
        }
        workgroupBarrier();

        // The first maximum among the positions still to be chosen; every invocation looks for itself.
        var best = NO_BITS;
        var pivot = k;
        for (var i = k; i < ROWS; i++) {
            let candidate = keys[slot][i];
            pivot = select(pivot, i, candidate > best);
            best = max(best, candidate);
        }
        if best == NO_BITS && status == INVERTED {
            status = select(NOT_FINITE, i32(k) + 1i, k < atomicLoad(&first_small[slot]) || column_exponents[slot][k] == EMPTY);
        }
        status = select(status, NOT_FINITE, status == INVERTED && best > LARGEST_PIVOT);

        // The pivot row over the pivot, as the update wants it.
        let chosen = position == pivot;
        let f = factors[slot][row];
        if chosen {
            let reciprocal = recip(f);
            for (var c = 0u; c < COLUMNS; c++) {
                let next = v[min(c + 1u, COLUMNS - 1u)];
                pivot_row[slot][first_column + c] = mul(select(v[c], next, rolling), reciprocal);
            }
            if rolling {
                pivot_row[slot][first_column + COLUMNS - 1u] = reciprocal;
            }
            if part == 0u {
                origins[slot][k] = row;
            }
        }
        workgroupBarrier();

        for (var c = 0u; c < COLUMNS; c++) {
            let q = pivot_row[slot][first_column + c];
            let next = select(v[min(c + 1u, COLUMNS - 1u)], ZERO, c == COLUMNS - 1u);
            let x = select(v[c], next, rolling);
            v[c] = select(sub_mul(x, f, q), q, chosen);
        }
        position = select(select(position, pivot, position == k), k, chosen);
    }

    var finite = true;
    own_top = NO_BITS;
    if present {
        for (var c = 0u; c < COLUMNS; c++) {
            if first_column + c < N {
                let x = word(v[c]);
                finite = finite && fits(x);
                store(m, position, origins[slot][first_column + c], x);
                own_top = max(own_top, largest(kept(x)));
            }
        }
    }
    if unusual && status == INVERTED {
        own_top = NO_BITS;
        for (var k = first_column; k < min(first_column + COLUMNS, N); k++) {
            let j = origins[slot][k];
            let x = scaled(stored(m, position, j), column_exponents[slot][position] + row_exponents[slot][j]);
            finite = finite && fits(x);
            store(m, position, j, x);
            own_top = max(own_top, largest(kept(x)));
        }
    }
    if !finite {
        atomicStore(&infinite[slot], 1u);
    }
    if RCOND {
        tops[slot][local % TEAM] = own_top;
    }
    workgroupBarrier();
    if status == INVERTED && atomicLoad(&infinite[slot]) != 0u {
        status = NOT_FINITE;
    }
    if present && part == 0u && row == 0u {
        statuses[m] = status;
    }
    if RCOND {
        storageBarrier();
        top = NO_BITS;
        for (var i = 0u; i < TEAM; i++) {
            top = max(top, tops[slot][i]);
        }
        let shift = norm_shift_of(top);
        if present && part == 0u {
            sums[slot][row] = stored_sum(m, N, row, shift);
        }
        workgroupBarrier();
        if present && part == 0u && row == 0u {
            store_rcond(m, rcond_of(of_input, norm_of(largest_sum(slot), shift), status));
        }
    }
    if present && status != INVERTED {
        // Every invocation overwrites what it wrote itself, so no barrier is needed.
        for (var k = first_column; k < min(first_column + COLUMNS, N); k++) {
            store_nan(m, position, origins[slot][k]);
        }
    }
}

fn largest_sum(slot: u32) -> Bits {
    var highest = NO_BITS;
    for (var j = 0u; j < N; j++) {
        highest = max(highest, sums[slot][j]);
    }
    return highest;
}
