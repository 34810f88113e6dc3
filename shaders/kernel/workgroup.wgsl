// workgroup: the invocations of a workgroup hold the rows of a matrix in their registers.
//
// PARTS invocations share a row, COLUMNS columns each; a workgroup holds MATRICES matrices. Rows never move: every
// row keeps the position that swaps would have brought it to. Workgroup memory holds only shared data: the pivot
// column with its keys, the pivot row, the permutation, and values that are gathered over a matrix.
//
// The part that holds the pivot column rolls: each result goes one column to the left, and the new column enters at
// the right end of the part. The pivot column is thus always its column 0, and all indices of the loops are loop
// constants. After COLUMNS steps the part has turned once, and the next part takes over.
//
// If PARTS does not divide N, the matrix is extended by the identity.
//
// This kernel has no riding columns yet. It asks the operation for the factors and for the element that enters the
// pivot row; the element that enters another row is always a zero that takes the step of its row.

const ROWS = COLUMNS * PARTS;
const TEAM = ROWS * PARTS;

var<workgroup> pivot_column: array<array<Scalar, ROWS>, MATRICES>;
var<workgroup> keys: array<array<Bits, ROWS>, MATRICES>;
var<workgroup> pivot_row: array<array<Scalar, ROWS>, MATRICES>;
// The row that became row k.
var<workgroup> permutation: array<array<u32, ROWS>, MATRICES>;
var<workgroup> row_exponents: array<array<i32, ROWS>, MATRICES>;
var<workgroup> column_exponents: array<array<i32, ROWS>, MATRICES>;
// The largest and the smallest magnitude that each invocation has seen.
var<workgroup> tops: array<array<Bits, TEAM>, MATRICES>;
var<workgroup> bottoms: array<array<Bits, TEAM>, MATRICES>;
var<workgroup> first_small: array<atomic<u32>, MATRICES>;
var<workgroup> infinite: array<atomic<u32>, MATRICES>;
// Column sums, for rcond.
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
    var status = input_status(top);
    let scaling = present && status == INVERTED && needs_scaling(bottom, top);

    // Each invocation of part 0 finds the exponents of one row and one column.
    let high = exponent(top);
    let one_factor = one_factor_suffices(exponent(bottom + ONE_BIT), high);
    if scaling && part == 0u {
        let magnitude = largest_in_row(m, N, row);
        row_exponents[slot][row] = row_exponent(exponent(magnitude), magnitude == NO_BITS, high, one_factor);
    }
    let input_shift = norm_shift_of(top);
    if RCOND && present && part == 0u {
        sums[slot][row] = input_sum(m, N, row, input_shift);
    }
    workgroupBarrier();
    var input_norm: Norm;
    if RCOND && present && part == 0u && row == 0u {
        input_norm = norm_of(largest_sum(slot), input_shift);
    }
    if scaling && part == 0u {
        var highest = LOWEST_EXPONENT;
        for (var i = 0u; i < N; i++) {
            highest = max(highest, exponent_in_row(largest(load(m, i, row)), row_exponents[slot][i]));
        }
        column_exponents[slot][row] = column_exponent(highest, one_factor);
    }
    workgroupBarrier();
    if scaling {
        // This is rare and not worth unrolling: the whole part rolls once.
        let lowest = lowest_exponent(one_factor);
        for (var j = first_column; j < first_column + counted(COLUMNS); j++) {
            var last = v[0];
            if j < N {
                let x = load(m, row, j);
                let e = row_exponents[slot][row] + column_exponents[slot][j];
                if small(x, e, lowest) {
                    atomicMin(&first_small[slot], j);
                }
                last = scalar(flushed(x, e));
            }
            for (var c = 1u; c < COLUMNS; c++) {
                v[c - 1u] = v[c];
            }
            v[COLUMNS - 1u] = last;
        }
    }
    finish_loads();

    var position = row;
    for (var k = 0u; k < ROWS; k++) {
        let rolling = k / COLUMNS == part;
        if rolling {
            pivot_column[slot][row] = v[0];
            // A row of the extension is never swapped with a row of the matrix, even if the update has turned it
            // into NaN: results would be stored outside the matrix.
            keys[slot][position] = select(key(v[0]), NO_BITS, row >= N && k < N);
        }
        workgroupBarrier();

        // The pivot is the first maximum among the positions not yet chosen. Every invocation searches all of them.
        var best = NO_BITS;
        var pivot = k;
        for (var i = k; i < ROWS; i++) {
            let candidate = keys[slot][i];
            pivot = select(pivot, i, candidate > best);
            best = max(best, candidate);
        }
        if is_zero_pivot(status, best) {
            status = zero_pivot_status(k, atomicLoad(&first_small[slot]), column_exponents[slot][k]);
        }
        status = reject_large_pivot(status, best);

        // Divide the pivot row by the pivot, in the order in which the update reads it.
        let chosen = position == pivot;
        let own = pivot_column[slot][row];
        if chosen {
            let reciprocal = recip(own);
            for (var c = 0u; c < COLUMNS; c++) {
                let next = v[min(c + 1u, COLUMNS - 1u)];
                pivot_row[slot][first_column + c] = mul(select(v[c], next, rolling), reciprocal);
            }
            if rolling {
                pivot_row[slot][first_column + COLUMNS - 1u] = entering_pivot_row(reciprocal);
            }
            if part == 0u {
                permutation[slot][k] = row;
            }
        }
        workgroupBarrier();

        let f = step_factor(own, position < k);
        for (var c = 0u; c < COLUMNS; c++) {
            let q = pivot_row[slot][first_column + c];
            let next = select(v[min(c + 1u, COLUMNS - 1u)], ZERO, c == COLUMNS - 1u);
            let x = select(v[c], next, rolling);
            v[c] = select(sub_mul(x, f, q), q, chosen);
        }
        position = select(select(position, pivot, position == k), k, chosen);
    }

    own_top = NO_BITS;
    if present {
        for (var c = 0u; c < COLUMNS; c++) {
            if first_column + c < N {
                let x = word(v[c]);
                store(m, position, permutation[slot][first_column + c], x);
                own_top = max(own_top, largest(as_stored(x)));
            }
        }
    }
    if scaling && status == INVERTED {
        own_top = NO_BITS;
        for (var k = first_column; k < min(first_column + COLUMNS, N); k++) {
            let j = permutation[slot][k];
            let x = unscaled(stored(m, position, j), column_exponents[slot][position], row_exponents[slot][j]);
            store(m, position, j, x);
            own_top = max(own_top, largest(as_stored(x)));
        }
    }
    if own_top >= INFINITE {
        atomicStore(&infinite[slot], 1u);
    }
    if RCOND {
        tops[slot][local % TEAM] = own_top;
    }
    workgroupBarrier();
    status = final_status(status, atomicLoad(&infinite[slot]) == 0u);
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
        // A matrix without an inverse has no norm to sum: other invocations may be filling its place already.
        if present && part == 0u && status == INVERTED {
            sums[slot][row] = stored_sum(m, N, row, shift);
        }
        workgroupBarrier();
        if present && part == 0u && row == 0u {
            store_rcond(m, rcond_of(input_norm, norm_of(largest_sum(slot), shift), status));
        }
    }
    if present && status != INVERTED {
        // Each invocation overwrites what it stored itself, so that no barrier is needed.
        for (var k = first_column; k < min(first_column + COLUMNS, N); k++) {
            store_failed(m, position, permutation[slot][k]);
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
