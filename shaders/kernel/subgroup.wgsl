// subgroup: LANES neighboring lanes of a subgroup hold one matrix in their registers, with no barrier and no
// workgroup memory.
//
// LANES is a power of two and at most the smallest subgroup size of the adapter: a subgroup of any size consists of
// whole slices of LANES lanes, one matrix each. Invocations are numbered along the subgroups, so that invocations
// with the same quotient by LANES form one slice, in order.
//
// Lane l holds rows l, l + LANES, and so on; rows beyond N are zero. Rows never move. Every row keeps the place
// that swaps would have brought it to. Lanes find the pivot by exchanging maxima, and its row reaches them by
// shuffles. Columns roll as in `thread`: the pivot column is always column 0, every result goes one column to the
// left, and the new column enters at the right, so that all indices of the inner loops are loop constants.
//
// If the operation has riding columns, they follow the N columns in each row: see `shaders/op/`.

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let own = lane % LANES;
    let slice = lane - own;
    let m = first_matrix(group, groups) + local / LANES;
    // A slice without a matrix does all the steps, because a shuffle must not meet a lane that has returned.
    let present = local / LANES < matrices_here(group, groups);

    // The place of a row that is not yet chosen is (N + position) * 256 + row; that of a row that became row k is k
    // * 256 + row; that of a row beyond N is 0.
    var places: array<u32, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        let row = own + r * LANES;
        places[r] = select(0u, (N + row) * 256u + row, present && row < N);
    }

    let n = counted(N);
    // Loading, scaling and storing roll the columns too: their code is then generated once and not once per column.
    var v: array<Row, ROWS>;
    var top = NO_BITS;
    var bottom = ALL_BITS;
    // The largest column sum, for rcond.
    var highest = NO_BITS;
    for (var j = 0u; j < n; j++) {
        var sum = REAL_ZERO;
        for (var r = 0u; r < ROWS; r++) {
            var x = ZERO;
            if places[r] > 0u {
                let loaded = load(m, own + r * LANES, j);
                x = scalar(loaded);
                top = max(top, largest(loaded));
                bottom = min(bottom, smallest_less_one(loaded));
                if RCOND {
                    sum += modulus(loaded);
                }
            }
            roll_in(&v, r, x);
        }
        if RCOND {
            highest = max(highest, bits(total(sum)));
        }
    }
    for (var mask = 1u; mask < LANES; mask *= 2u) {
        top = max(top, bits_across(top, mask));
        bottom = min(bottom, bits_across(bottom, mask));
    }

    var input_norm: Norm;
    if RCOND {
        let shift = norm_shift_of(top);
        if present && shift != 0i {
            // This is rare: each lane sums whole columns.
            highest = NO_BITS;
            for (var j = own; j < n; j += LANES) {
                highest = max(highest, input_sum(m, n, j, shift));
            }
        }
        for (var mask = 1u; mask < LANES; mask *= 2u) {
            highest = max(highest, bits_across(highest, mask));
        }
        input_norm = norm_of(highest, shift);
    }

    var status = input_status(top);
    let scaling = present && status == INVERTED && needs_scaling(bottom, top);
    var exponents: array<i32, N>;
    var first_small = N;
    if scaling {
        let lowest = find_exponents(m, n, bottom, top, &exponents);
        for (var j = 0u; j < n; j++) {
            for (var r = 0u; r < ROWS; r++) {
                let x = word(v[r][0][0]);
                let e = of_row(exponents[min(own + r * LANES, N - 1u)]) + of_column(exponents[j]);
                first_small = min(first_small, select(N, j, small(x, e, lowest)));
                roll_in(&v, r, scalar(flushed(x, e)));
            }
        }
    }
    for (var mask = 1u; mask < LANES; mask *= 2u) {
        first_small = min(first_small, subgroupShuffleXor(first_small, mask));
    }
    for (var r = 0u; r < select(0u, ROWS, RIDING > 0u); r++) {
        for (var j = N; j < ROW_LENGTH; j++) {
            if places[r] > 0u {
                let row = own + r * LANES;
                v[r][j / CHUNK][j % CHUNK] = scalar(scaled(riding(m, row, j - N), of_row(exponents[row])));
            }
        }
    }

    var permutation: Permutation;
    for (var k = 0u; k < n; k++) {
        // The pivot is the first maximum among the places that are not yet chosen, of the lane's rows and then of
        // all.
        var best = NO_BITS;
        var winner = NOBODY;
        for (var r = 0u; r < ROWS; r++) {
            let open = places[r] >= N * 256u;
            let candidate = select(NO_BITS, key(v[r][0][0]), open);
            let better = open && leads(candidate, places[r], best, winner);
            best = select(best, candidate, better);
            winner = select(winner, places[r], better);
        }
        for (var mask = 1u; mask < LANES; mask *= 2u) {
            let candidate = bits_across(best, mask);
            let place = subgroupShuffleXor(winner, mask);
            let better = leads(candidate, place, best, winner);
            best = select(best, candidate, better);
            winner = select(winner, place, better);
        }
        if is_zero_pivot(status, best) {
            status = zero_pivot_status(k, first_small, of_column(exponents[k]));
        }
        status = reject_large_pivot(status, best);

        let row = winner % 256u;
        set_row(&permutation, k, row);
        let source = slice + row % LANES;
        var chosen: array<bool, ROWS>;
        var pivot_column: array<Scalar, ROWS>;
        var f: array<Scalar, ROWS>;
        var x = v[0][0][0];
        for (var r = 0u; r < ROWS; r++) {
            chosen[r] = places[r] == winner;
            pivot_column[r] = v[r][0][0];
            f[r] = step_factor(v[r][0][0], places[r] < N * 256u);
            x = select(x, pivot_column[r], row / LANES == r);
            let moved = (winner & ~255u) + own + r * LANES;
            let swapped = select(places[r], moved, places[r] / 256u == N + k);
            places[r] = select(swapped, k * 256u + row, chosen[r]);
        }

        // Column by column: divide the pivot row by the pivot, and update the others, one column to the left.
        let reciprocal = recip(from_lane(x, source));
        for (var b = 0u; b < CHUNKS; b++) {
            for (var c = 0u; c < CHUNK; c++) {
                let j = b * CHUNK + c;
                if j > 0u && j < ROW_LENGTH {
                    x = v[0][b][c];
                    for (var r = 1u; r < ROWS; r++) {
                        x = select(x, v[r][b][c], row / LANES == r);
                    }
                    let q = mul(from_lane(x, source), reciprocal);
                    for (var r = 0u; r < ROWS; r++) {
                        let y = select(sub_mul(v[r][b][c], f[r], q), q, chosen[r]);
                        if RIDING > 0u && j >= N {
                            v[r][b][c] = y;
                        } else if c > 0u {
                            v[r][b][c - 1u] = y;
                        } else {
                            v[r][b - 1u][CHUNK - 1u] = y;
                        }
                    }
                }
            }
        }
        for (var r = 0u; r < ROWS; r++) {
            let y = select(entering(pivot_column[r], reciprocal), entering_pivot_row(reciprocal), chosen[r]);
            v[r][(N - 1u) / CHUNK][(N - 1u) % CHUNK] = y;
        }
    }
    if BACK_SUBSTITUTION {
        substitute_back(&v, &places, &permutation, slice);
    }

    var shift = 0i;
    if RCOND {
        // Each row turns once as a whole, to find the largest part.
        top = NO_BITS;
        for (var k = 0u; k < n; k++) {
            for (var r = 0u; r < ROWS; r++) {
                var x = word(v[r][0][0]);
                roll_in(&v, r, v[r][0][0]);
                if scaling && own + r * LANES < N {
                    x = unscaled(x, of_column(exponents[places[r] / 256u]), of_row(exponents[row_of(&permutation, k)]));
                }
                top = max(top, largest(as_stored(x)));
            }
        }
        for (var mask = 1u; mask < LANES; mask *= 2u) {
            top = max(top, bits_across(top, mask));
        }
        shift = norm_shift_of(top);
        highest = NO_BITS;
    }

    // In place, a lane stores where others have loaded. WGSL calls this a data race, because shuffles order no memory.
    // Still every load is over: all that a lane loads enters a shuffle before the elimination, by way of the range of
    // magnitudes, `first_small` or the norm, and a shuffle needs all lanes of the matrix. A storage barrier would say
    // so formally, but took 1.36 times as long at orders 16 to 32 on lavapipe (Mesa 22.3.6).
    var worst = NO_BITS;
    for (var k = 0u; k < counted(RESULT_COLUMNS); k++) {
        var sum = REAL_ZERO;
        let j = result_column(k, row_of(&permutation, k));
        for (var r = 0u; r < ROWS; r++) {
            var x = word(v[r][0][0]);
            roll(&v, r);
            if present && own + r * LANES < N {
                let i = places[r] / 256u;
                if scaling || RIDING > 0u {
                    x = unscaled(x, of_column(exponents[i]), right_exponent(m, j, of_row(exponents[j])));
                }
                store(m, i, j, x);
                worst = max(worst, largest(as_stored(x)));
                if RCOND {
                    sum += shifted_modulus(as_stored(x), shift);
                }
            }
        }
        if RCOND {
            highest = max(highest, bits(total(sum)));
        }
    }
    for (var mask = 1u; mask < LANES; mask *= 2u) {
        worst = max(worst, bits_across(worst, mask));
    }
    status = final_status(status, worst < INFINITE);
    if present && own == 0u {
        statuses[m] = status;
        if RCOND {
            store_rcond(m, rcond_of(input_norm, norm_of(highest, shift), status));
        }
    }
    if present && status != INVERTED {
        for (var r = 0u; r < ROWS; r++) {
            // A lane overwrites what it stored itself, so that it waits for no other.
            for (var j = 0u; j < select(0u, RESULT_COLUMNS, own + r * LANES < N); j++) {
                store_failed(m, places[r] / 256u, j);
            }
        }
    }
}

// The sum over the lanes of a matrix. All lanes get the same bits.
fn total(x: Real) -> Real {
    var sum = x;
    for (var mask = 1u; mask < LANES; mask *= 2u) {
        sum += real(bits_across(bits(sum), mask));
    }
    return sum;
}

// A place above every row's.
const NOBODY = 0xffffffffu;

// The row that became row k, for every k: four to a word, because registers are few.
alias Permutation = array<u32, (N + 3u) / 4u>;

// Notes that a row became row k. No row was noted for k before.
fn set_row(permutation: ptr<function, Permutation>, k: u32, row: u32) {
    (*permutation)[k / 4u] |= row << (8u * (k % 4u));
}

fn row_of(permutation: ptr<function, Permutation>, k: u32) -> u32 {
    return ((*permutation)[k / 4u] >> (8u * (k % 4u))) & 255u;
}

// A row in chunks, because drivers unroll no loop of more than 32 steps (Mesa 22.3.6).
const ROW_LENGTH = N + RIDING;
const CHUNK = 8u;
const CHUNKS = (ROW_LENGTH + CHUNK - 1u) / CHUNK;
alias Row = array<array<Scalar, CHUNK>, CHUNKS>;

// Moves every column of row r one to the left, and puts x into column N - 1.
fn roll_in(v: ptr<function, array<Row, ROWS>>, r: u32, x: Scalar) {
    roll(v, r);
    (*v)[r][(N - 1u) / CHUNK][(N - 1u) % CHUNK] = x;
}

fn roll(v: ptr<function, array<Row, ROWS>>, r: u32) {
    for (var b = 0u; b < CHUNKS; b++) {
        if b > 0u {
            (*v)[r][b - 1u][CHUNK - 1u] = (*v)[r][b][0];
        }
        for (var c = 1u; c < CHUNK; c++) {
            (*v)[r][b][c - 1u] = (*v)[r][b][c];
        }
    }
}

// Solves the riding columns from the last row up, the row in place i for unknown i, and moves them to the front.
// The rows hold an upper triangle with a unit diagonal.
fn substitute_back(
    v: ptr<function, array<Row, ROWS>>,
    places: ptr<function, array<u32, ROWS>>,
    permutation: ptr<function, Permutation>,
    slice: u32,
) {
    // Drivers unroll these loops because their counters are the indices.
    for (var b = i32(CHUNKS) - 1i; b >= 0i; b--) {
        for (var d = i32(CHUNK) - 1i; d >= 0i; d--) {
            let j = u32(b) * CHUNK + u32(d);
            if j > 0u && j < N {
                let row = row_of(permutation, j);
                for (var c = N; c < ROW_LENGTH; c++) {
                    var x = (*v)[0][c / CHUNK][c % CHUNK];
                    for (var r = 1u; r < ROWS; r++) {
                        x = select(x, (*v)[r][c / CHUNK][c % CHUNK], row / LANES == r);
                    }
                    let solved = from_lane(x, slice + row % LANES);
                    for (var r = 0u; r < ROWS; r++) {
                        let y = (*v)[r][c / CHUNK][c % CHUNK];
                        let above = (*places)[r] / 256u < j;
                        (*v)[r][c / CHUNK][c % CHUNK] = select(y, sub_mul(y, (*v)[r][b][d], solved), above);
                    }
                }
            }
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        for (var c = 0u; c < RIDING; c++) {
            (*v)[r][c / CHUNK][c % CHUNK] = (*v)[r][(N + c) / CHUNK][(N + c) % CHUNK];
        }
    }
}
