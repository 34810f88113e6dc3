// subgroup: LANES neighbors of a subgroup invert one matrix in their registers, with no barrier and no workgroup memory.
//
// LANES is a power of two and no more than the smallest subgroup of the adapter, so that a subgroup of any size falls
// into whole slices of LANES lanes with one matrix each. Invocations are numbered along the subgroups: those whose
// number divided by LANES is the same are one slice, in this order.
//
// Lane l holds rows l, l + LANES, ..., and missing rows as zeros. Rows never move: every row knows the position that
// exchanges would have brought it to. The pivot is found by exchanging maxima between lanes, and the pivot row is handed
// round by shuffles. Columns roll, as in `thread`: the pivot column is always column 0, each result goes one column to
// the left, and the new column of the inverse enters at the right, so that every index in the inner loops is a constant.

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
    // Slices with no matrix go through the motions: a shuffle must not meet a lane that has left.
    let present = local / LANES < matrices_here(group, groups);

    // Of a row still to be chosen: (N + position) * 256 + row. Of one that became row k: k * 256 + row. Else 0.
    var places: array<u32, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        let row = own + r * LANES;
        places[r] = select(0u, (N + row) * 256u + row, present && row < N);
    }

    let n = counted(N);
    // Loading, scaling and storing roll the rows too, so that each is written down once and not for every column.
    var v: array<Row, ROWS>;
    var top = NO_BITS;
    var bottom = ALL_BITS;
    // The largest sum of a column, for rcond.
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
            roll(&v, r, x);
        }
        if RCOND {
            highest = max(highest, bits(total(sum)));
        }
    }
    for (var mask = 1u; mask < LANES; mask *= 2u) {
        top = max(top, bits_across(top, mask));
        bottom = min(bottom, bits_across(bottom, mask));
    }

    var of_input: Norm;
    if RCOND {
        let shift = norm_shift_of(top);
        if present && shift != 0i {
            // Rare: each lane for itself.
            highest = NO_BITS;
            for (var j = 0u; j < n; j++) {
                highest = max(highest, input_sum(m, n, j, shift));
            }
        }
        of_input = norm_of(highest, shift);
    }

    var status = select(INVERTED, NOT_FINITE, top >= INFINITE);
    // An all-zero matrix has no bottom.
    let unusual = present && status == INVERTED && top > NO_BITS && (top > HIGH || bottom < LOW - ONE_BIT);
    var rows: array<i32, N>;
    var columns: array<i32, N>;
    var first_small = N;
    if unusual {
        let lowest = exponents(m, n, bottom, top, &rows, &columns);
        for (var j = 0u; j < n; j++) {
            for (var r = 0u; r < ROWS; r++) {
                let x = word(v[r][0][0]);
                let e = rows[min(own + r * LANES, N - 1u)] + columns[j];
                first_small = min(first_small, select(N, j, small(x, e, lowest)));
                roll(&v, r, scalar(flushed(x, e)));
            }
        }
    }
    for (var mask = 1u; mask < LANES; mask *= 2u) {
        first_small = min(first_small, subgroupShuffleXor(first_small, mask));
    }

    // The row that became row k.
    var origins: array<u32, N>;
    for (var k = 0u; k < n; k++) {
        // The first maximum among the positions still to be chosen: of the own rows, then of all.
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
        if best == NO_BITS && status == INVERTED {
            status = select(NOT_FINITE, i32(k) + 1i, k < first_small || columns[k] == EMPTY);
        }
        status = select(status, NOT_FINITE, status == INVERTED && best > LARGEST_PIVOT);

        let row = winner % 256u;
        origins[k] = row;
        let source = slice + row % LANES;
        var chosen: array<bool, ROWS>;
        var f: array<Scalar, ROWS>;
        var x = v[0][0][0];
        for (var r = 0u; r < ROWS; r++) {
            chosen[r] = places[r] == winner;
            f[r] = v[r][0][0];
            x = select(x, f[r], row / LANES == r);
            let moved = (winner & ~255u) + own + r * LANES;
            let exchanged = select(places[r], moved, places[r] / 256u == N + k);
            places[r] = select(exchanged, k * 256u + row, chosen[r]);
        }

        // Column by column: the pivot row over the pivot, and the update, one column to the left.
        let reciprocal = recip(from_lane(x, source));
        for (var b = 0u; b < CHUNKS; b++) {
            for (var c = 0u; c < CHUNK; c++) {
                let j = b * CHUNK + c;
                if j > 0u && j < N {
                    x = v[0][b][c];
                    for (var r = 1u; r < ROWS; r++) {
                        x = select(x, v[r][b][c], row / LANES == r);
                    }
                    let q = mul(from_lane(x, source), reciprocal);
                    for (var r = 0u; r < ROWS; r++) {
                        let y = select(sub_mul(v[r][b][c], f[r], q), q, chosen[r]);
                        if c > 0u {
                            v[r][b][c - 1u] = y;
                        } else {
                            v[r][b - 1u][CHUNK - 1u] = y;
                        }
                    }
                }
            }
        }
        for (var r = 0u; r < ROWS; r++) {
            v[r][(N - 1u) / CHUNK][(N - 1u) % CHUNK] = select(neg(mul(f[r], reciprocal)), reciprocal, chosen[r]);
        }
    }

    var shift = 0i;
    if RCOND {
        // Each row turns once as a whole, to find the largest part.
        top = NO_BITS;
        for (var k = 0u; k < n; k++) {
            for (var r = 0u; r < ROWS; r++) {
                var x = word(v[r][0][0]);
                roll(&v, r, v[r][0][0]);
                if unusual && own + r * LANES < N {
                    x = scaled(x, columns[places[r] / 256u] + rows[origins[k]]);
                }
                top = max(top, largest(kept(x)));
            }
        }
        for (var mask = 1u; mask < LANES; mask *= 2u) {
            top = max(top, bits_across(top, mask));
        }
        shift = norm_shift_of(top);
        highest = NO_BITS;
    }

    var finite = 1u;
    for (var k = 0u; k < n; k++) {
        var sum = REAL_ZERO;
        for (var r = 0u; r < ROWS; r++) {
            var x = word(v[r][0][0]);
            roll(&v, r, ZERO);
            if present && own + r * LANES < N {
                let i = places[r] / 256u;
                if unusual {
                    x = scaled(x, columns[i] + rows[origins[k]]);
                }
                finite = select(0u, finite, fits(x));
                store(m, i, origins[k], x);
                if RCOND {
                    sum += shifted_modulus(kept(x), shift);
                }
            }
        }
        if RCOND {
            highest = max(highest, bits(total(sum)));
        }
    }
    for (var mask = 1u; mask < LANES; mask *= 2u) {
        finite = min(finite, subgroupShuffleXor(finite, mask));
    }
    status = select(status, NOT_FINITE, status == INVERTED && finite == 0u);
    if present && own == 0u {
        statuses[m] = status;
        if RCOND {
            store_rcond(m, rcond_of(of_input, norm_of(highest, shift), status));
        }
    }
    if present && status != INVERTED {
        for (var r = 0u; r < ROWS; r++) {
            // What the own lane wrote, so that nothing has to be waited for.
            for (var j = 0u; j < select(0u, N, own + r * LANES < N); j++) {
                store_nan(m, places[r] / 256u, j);
            }
        }
    }
}

// Over the lanes of a matrix, the same to the bit in each.
fn total(x: Real) -> Real {
    var sum = x;
    for (var mask = 1u; mask < LANES; mask *= 2u) {
        sum += real(bits_across(bits(sum), mask));
    }
    return sum;
}

// Nobody's place, above every other.
const NOBODY = 0xffffffffu;

// A row, in chunks: drivers unroll no loop of more than 32 steps (Mesa 22.3.6).
const CHUNK = 8u;
const CHUNKS = (N + CHUNK - 1u) / CHUNK;
alias Row = array<array<Scalar, CHUNK>, CHUNKS>;

// Every column of row r one to the left, and x into the last.
fn roll(v: ptr<function, array<Row, ROWS>>, r: u32, x: Scalar) {
    for (var b = 0u; b < CHUNKS; b++) {
        if b > 0u {
            (*v)[r][b - 1u][CHUNK - 1u] = (*v)[r][b][0];
        }
        for (var c = 1u; c < CHUNK; c++) {
            (*v)[r][b][c - 1u] = (*v)[r][b][c];
        }
    }
    (*v)[r][(N - 1u) / CHUNK][(N - 1u) % CHUNK] = x;
}
