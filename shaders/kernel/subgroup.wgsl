// subgroup: LANES neighboring lanes of a subgroup hold one matrix in their registers.
//
// LANES is a power of two and at most the smallest subgroup size of the adapter: a subgroup of any size consists of
// whole slices of LANES lanes, one matrix each. Invocations are numbered along the subgroups, so that invocations
// with the same quotient by LANES form one slice, in order.
//
// Lane l holds rows l, l + LANES, and so on; rows beyond N are zero. Rows never move. Every row keeps the place
// that swaps would have brought it to. Lanes find the pivot by exchanging maxima, and its row reaches them as
// `shaders/exchange/` says, divided by the pivot. In its own lane the pivot row is divided only when it is stored: a
// factor of zero then leaves it alone, and no element needs a select.
//
// A round takes STEPS pivots, and then turns the columns by STEPS: the pivot columns are thus always the first ones.
// After ROUNDS rounds the matrix has turned once and every column is back in its place. The rounds are counted at run
// time; loops over rows, columns and steps are written out (`src/gpu/written_out.rs`), so that every index is a number
// and the rows stay in registers.
//
// Lanes shuffle where `subgroupAny` has sent all of them. A browser does not prove that, and takes this program only
// with `diagnostic(off, subgroup_uniformity);` in front.
//
// If the operation has riding columns, they follow the columns of the matrix in each row, and do not turn. Back
// substitution passes each unknown from the lane of its row to all others.

// Columns of a matrix, which make whole packs and rounds; those beyond N take part and stay zero.
const PADDED = (N + 3u) / 4u * 4u;
const ROUNDS = PADDED / STEPS;
const ROW_LENGTH = PADDED + RIDING;
const PACKS = (ROW_LENGTH + PACK - 1u) / PACK;
alias Row = array<Scalar, ROW_LENGTH>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let own = lane % LANES;
    let slice = lane - own;
    let slot = local / LANES;
    // A slice without a matrix does all the steps, because a shuffle must not meet a lane that has returned.
    let present = slot < matrices_here(group, groups);
    let m = first_matrix(group, groups) + slot;
    var verdict = INVERTED;
    // The riding columns from `first` on go through all steps with the matrix.
    for (var tile = 0u; tile < TILES; tile++) { // written out if ONE_TILE
        let first = tile * RIDING;

        // The place of a row that is not yet chosen is (N + position) * 256 + row; that of a row that became row k is k
        // * 256 + row; that of a row beyond N is 0.
        var places: array<u32, ROWS>;
        for (var r = 0u; r < ROWS; r++) { // written out
            let row = own + r * LANES;
            places[r] = select(0u, (N + row) * 256u + row, present && row < N);
        }

        var v: array<Row, ROWS>;
        var top = NO_BITS;
        var bottom = ALL_BITS;
        // The largest column sum, for rcond.
        var highest = NO_BITS;
        for (var t = 0u; t < counted(ROUNDS); t++) { // written out if HARDWARE and not RCOND
            turn(&v);
            var sums = array<Real, STEPS>();
            for (var r = 0u; r < ROWS; r++) { // written out
                if places[r] > 0u {
                    for (var s = 0u; s < STEPS; s++) { // written out
                        let j = t * STEPS + s;
                        if N == PADDED || j < N {
                            let x = load(m, own + r * LANES, j);
                            v[r][PADDED - STEPS + s] = scalar(x);
                            top = max(top, largest(x));
                            bottom = min(bottom, smallest_less_one(x));
                            if RCOND {
                                sums[s] += modulus(x);
                            }
                        }
                    }
                }
            }
            if RCOND {
                for (var s = 0u; s < STEPS; s++) { // written out
                    highest = max(highest, bits(total(sums[s])));
                }
            }
        }
        top = largest_across(top);
        bottom = ~largest_across(~bottom);

        var input_norm: Norm;
        if RCOND {
            let shift = norm_shift_of(top);
            if present && shift != 0i {
                // This is rare: each lane sums whole columns.
                highest = NO_BITS;
                for (var j = own; j < counted(N); j += LANES) {
                    highest = max(highest, input_sum(m, counted(N), j, shift));
                }
            }
            input_norm = norm_of(largest_across(highest), shift);
        }

        var status = input_status(top);
        let scaling = present && status == INVERTED && needs_scaling(bottom, top);
        // The exponents of row own + r * LANES and of the column of that number, as `of_row` and `of_column` read them.
        var exponents = array<i32, ROWS>();
        var first_small = N;
        if subgroupAny(scaling) {
            first_small = scale(&v, &exponents, own, bottom, top, scaling);
        }

        // The exponents of the factors of riding columns. As long as no element needs care, factors are real numbers.
        var shifts = array<i32, RIDING + 1u>();
        var rhs_top = NO_BITS;
        var plain = true;
        if RIDES { // left out if not
            rhs_top = load_riding(&v, m, first, own, present, &shifts, scaling, &plain);
            if subgroupAny(!plain) {
                scale_riding(&v, &exponents, &shifts, plain, own);
            }
        }

        // The reciprocal of the pivot of each row.
        var reciprocals: array<Scalar, ROWS>;
        var permutation: Permutation;
        var product = no_pivots();
        for (var t = 0u; t < counted(ROUNDS); t++) {
            var chosen_rows = 0u;
            for (var s = 0u; s < counted(STEPS); s++) { // written out
                let k = t * STEPS + s;
                if N == PADDED || k < N {
                    // The pivot is the first maximum among the places that are not yet chosen.
                    var best = NO_BITS;
                    for (var r = 0u; r < ROWS; r++) { // written out
                        best = max(best, select(NO_BITS, key(v[r][s]), places[r] >= N * 256u));
                    }
                    best = largest_across(best);
                    var winner = NOBODY;
                    for (var r = 0u; r < ROWS; r++) { // written out
                        let leads = places[r] >= N * 256u && key(v[r][s]) == best;
                        winner = min(winner, select(NOBODY, places[r], leads));
                    }
                    winner = smallest_across(winner);
                    // A slice without a matrix has nothing to read.
                    if present && is_zero_pivot(status, best) {
                        status = zero_pivot_status(k, first_small, is_zero_column(m, k));
                    }
                    status = reject_large_pivot(status, best);

                    // Clamped, so that no arithmetic can lead out of the matrix.
                    let row = min(winner % 256u, N - 1u);
                    chosen_rows |= row << (8u * s);
                    let source = slice + row % LANES;
                    let pivot = share_row(&v, &places, winner, s, row / LANES, source, own, slot);
                    let reciprocal = pivot.reciprocal;
                    if DET {
                        product = times_pivot(product, pivot.value, winner / 256u != N + k);
                    }
                    var f: array<Scalar, ROWS>;
                    var entered: array<Scalar, ROWS>;
                    for (var r = 0u; r < ROWS; r++) { // written out
                        let chosen = places[r] == winner;
                        let before = places[r] < N * 256u;
                        f[r] = select(step_factor(v[r][s], before), ZERO, chosen);
                        entered[r] = select(entering(v[r][s], before, reciprocal), entering_pivot_row(ONE), chosen);
                        reciprocals[r] = select(reciprocals[r], reciprocal, chosen);
                        let moved = (winner & ~255u) + own + r * LANES;
                        let swapped = select(places[r], moved, places[r] / 256u == N + k);
                        places[r] = select(swapped, k * 256u + row, chosen);
                    }
                    for (var q = 0u; q < PACKS; q++) { // written out
                        let pack = pivot_pack(&v, q, row / LANES, source, slot, reciprocal);
                        for (var i = 0u; i < min(PACK, ROW_LENGTH - q * PACK); i++) { // written out
                            for (var r = 0u; r < ROWS; r++) { // written out
                                v[r][q * PACK + i] = sub_mul(v[r][q * PACK + i], f[r], from_pack(pack, i));
                            }
                        }
                    }
                    for (var r = 0u; r < ROWS; r++) { // written out
                        v[r][s] = entered[r];
                    }
                }
            }
            turn(&v);
            turn_words(&permutation);
            permutation[ROUNDS - 1u] = chosen_rows;
        }

        if DET { // left out if not
            var scale = 0i;
            if subgroupAny(scaling) {
                scale = sum_of_exponents(&exponents, own);
            }
            if present && own == 0u {
                store_det(m, product, scale, status);
            }
        }
        if RIDES { // left out if not
            substitute_back(&v, &reciprocals, &permutation, &places, slice);
            finish_riding(&v, &reciprocals, &places, &exponents, &shifts, slice, plain);
        }
        if !SUBSTITUTES { // left out if not
            if subgroupAny(scaling) {
                unscale(&v, &reciprocals, &permutation, &places, &exponents, slice, own, scaling);
            }
        }

        var shift = 0i;
        if RCOND {
            top = NO_BITS;
            for (var t = 0u; t < counted(ROUNDS); t++) { // written out if HARDWARE and not RCOND
                for (var s = 0u; s < STEPS; s++) { // written out
                    for (var r = 0u; r < ROWS; r++) { // written out
                        if t * STEPS + s < N && own + r * LANES < N {
                            top = max(top, largest(as_stored(finished(v[r][s], reciprocals[r], scaling))));
                        }
                    }
                }
                turn(&v);
            }
            shift = norm_shift_of(largest_across(top));
            highest = NO_BITS;
        }

        // In place, a lane stores where others have loaded. WGSL calls this a data race, because shuffles order no
        // memory. Still every load is over: what a lane loads enters a shuffle before the elimination, by way of the
        // range of magnitudes, or is followed by one, and a shuffle needs all lanes of the matrix. A storage barrier
        // would say so formally, but took 1.36 times as long at orders 16 to 32 on lavapipe (Mesa 22.3.6).
        top = NO_BITS;
        for (var c = 0u; c < RIDING; c++) { // written out
            for (var r = 0u; r < ROWS; r++) { // written out
                if present && own + r * LANES < N && first + c < RESULT_WIDTH {
                    let x = with_plain_zero(word(v[r][PADDED + c]));
                    store(m, min(places[r] / 256u, N - 1u), first + c, x);
                    top = max(top, largest(as_stored(x)));
                }
            }
        }
        if !SUBSTITUTES { // left out if not
            for (var t = 0u; t < counted(ROUNDS); t++) { // written out if HARDWARE and not RCOND
                var sums = array<Real, STEPS>();
                for (var r = 0u; r < ROWS; r++) { // written out
                    if present && own + r * LANES < N {
                        let i = min(places[r] / 256u, N - 1u);
                        for (var s = 0u; s < STEPS; s++) { // written out
                            if N == PADDED || t * STEPS + s < N {
                                let x = finished(v[r][s], reciprocals[r], scaling);
                                store(m, i, row_of(&permutation, s), x);
                                top = max(top, largest(as_stored(x)));
                                if RCOND {
                                    sums[s] += shifted_modulus(as_stored(x), shift);
                                }
                            }
                        }
                    }
                }
                turn(&v);
                turn_words(&permutation);
                if RCOND {
                    for (var s = 0u; s < STEPS; s++) { // written out
                        highest = max(highest, bits(total(sums[s])));
                    }
                }
            }
        }
        status = final_status(status, largest_across(top) < INFINITE);
        status = worse(verdict, select(status, NOT_FINITE, rhs_top >= INFINITE));
        if present && own == 0u {
            statuses[m] = status;
            if RCOND {
                store_rcond(m, rcond_of(input_norm, norm_of(highest, shift), status));
            }
        }
        if present && status != INVERTED {
            // A lane overwrites what it stored itself, so that it waits for no other. Columns of earlier tiles fail
            // with this one.
            let filled = min(first + RESULT_COLUMNS, RESULT_WIDTH);
            let start = select(first, 0u, verdict == INVERTED);
            for (var r = 0u; r < ROWS; r++) { // written out
                for (var j = start; j < select(0u, filled, own + r * LANES < N); j++) {
                    store_failed(m, min(places[r] / 256u, N - 1u), j);
                }
            }
        }
        verdict = status;
    }
}

// Scales a matrix by rows and columns and finds the exponents of their factors. Returns its first column with an
// element that may underflow in a product, or N. A matrix that needs no scaling stays as it is: its lanes are here for
// others.
fn scale(
    v: ptr<function, array<Row, ROWS>>,
    exponents: ptr<function, array<i32, ROWS>>,
    own: u32,
    bottom: Bits,
    top: Bits,
    scaling: bool,
) -> u32 {
    let high = exponent(top);
    let one_factor = one_factor_suffices(exponent(bottom + ONE_BIT), high);
    let lowest = lowest_exponent(one_factor);
    var tops: array<Bits, ROWS>;
    for (var j = 0u; j < counted(PADDED); j++) {
        for (var r = 0u; r < ROWS; r++) { // written out
            tops[r] = max(tops[r], largest(word((*v)[r][0])));
        }
        turn_column(v);
    }
    var rows: array<i32, ROWS>;
    for (var r = 0u; r < ROWS; r++) { // written out
        rows[r] = row_exponent(exponent(tops[r]), tops[r] == NO_BITS, high, one_factor);
    }
    var first_small = N;
    for (var j = 0u; j < counted(PADDED); j++) {
        var highest = LOWEST_EXPONENT;
        for (var r = 0u; r < ROWS; r++) { // written out
            highest = max(highest, exponent_in_row(largest(word((*v)[r][0])), rows[r]));
        }
        let column = column_exponent(highest_across(highest), one_factor);
        for (var r = 0u; r < ROWS; r++) { // written out
            if scaling {
                let x = word((*v)[r][0]);
                let e = rows[r] + column;
                first_small = min(first_small, select(N, j, small(x, e, lowest)));
                (*v)[r][0] = scalar(flushed(x, e));
            }
            let both = (rows[r] << 16u) | (column & 0xffffi);
            (*exponents)[r] = select((*exponents)[r], both, scaling && own + r * LANES == j);
        }
        turn_column(v);
    }
    return smallest_across(first_small);
}

// Finishes and unscales the inverse of a matrix that was scaled. A number that becomes subnormal is moved and stored,
// but not calculated with.
fn unscale(
    v: ptr<function, array<Row, ROWS>>,
    reciprocals: ptr<function, array<Scalar, ROWS>>,
    permutation: ptr<function, Permutation>,
    places: ptr<function, array<u32, ROWS>>,
    exponents: ptr<function, array<i32, ROWS>>,
    slice: u32,
    own: u32,
    scaling: bool,
) {
    var columns: array<i32, ROWS>;
    for (var r = 0u; r < ROWS; r++) { // written out
        columns[r] = of_column(exponents_of(exponents, slice, (*places)[r] / 256u));
    }
    for (var k = 0u; k < counted(PADDED); k++) {
        let row = of_row(exponents_of(exponents, slice, row_of(permutation, k % STEPS)));
        for (var r = 0u; r < ROWS; r++) { // written out
            if scaling {
                (*v)[r][0] = scalar(unscaled(word(mul((*v)[r][0], (*reciprocals)[r])), columns[r], row));
            }
        }
        turn_column(v);
        if k % STEPS == STEPS - 1u {
            turn_words(permutation);
        }
    }
}

// Loads the riding columns from `first` on. Returns their largest magnitude, and whether no element needs care.
fn load_riding(
    v: ptr<function, array<Row, ROWS>>,
    m: u32,
    first: u32,
    own: u32,
    present: bool,
    shifts: ptr<function, array<i32, RIDING + 1u>>,
    scaling: bool,
    plain: ptr<function, bool>,
) -> Bits {
    var rhs_top = NO_BITS;
    var rhs_bottom = ALL_BITS;
    for (var c = 0u; c < RIDING; c++) { // written out
        var top = NO_BITS;
        for (var r = 0u; r < ROWS; r++) { // written out
            if present && own + r * LANES < N {
                let x = riding(m, own + r * LANES, first + c);
                (*v)[r][PADDED + c] = scalar(x);
                top = max(top, largest(x));
                rhs_bottom = min(rhs_bottom, smallest_less_one(x));
            }
        }
        top = largest_across(top);
        rhs_top = max(rhs_top, top);
        (*shifts)[c] = select(-exponent(top), 0i, top == NO_BITS);
    }
    rhs_bottom = ~largest_across(~rhs_bottom);
    *plain = !scaling && !needs_scaling(rhs_bottom, rhs_top);
    for (var c = 0u; c < RIDING; c++) { // written out
        let factor = power(select(0i, (*shifts)[c], *plain));
        for (var r = 0u; r < ROWS; r++) { // written out
            if *plain {
                (*v)[r][PADDED + c] = (*v)[r][PADDED + c] * factor;
            }
        }
    }
    return rhs_top;
}

// Scales riding columns with an element that needs care. A matrix without one stays as it is: its lanes are here for
// others.
fn scale_riding(
    v: ptr<function, array<Row, ROWS>>,
    exponents: ptr<function, array<i32, ROWS>>,
    shifts: ptr<function, array<i32, RIDING + 1u>>,
    plain: bool,
    own: u32,
) {
    var least = EMPTY;
    for (var r = 0u; r < ROWS; r++) { // written out
        least = min(least, select(EMPTY, of_column((*exponents)[r]), own + r * LANES < N));
    }
    least = -highest_across(-least);
    for (var c = 0u; c < RIDING; c++) { // written out
        var range = EMPTY_RANGE;
        for (var r = 0u; r < ROWS; r++) { // written out
            range = with_element(range, word((*v)[r][PADDED + c]), of_row((*exponents)[r]));
        }
        range = Range(-highest_across(-range.low), highest_across(range.high));
        if !plain {
            (*shifts)[c] = rhs_exponent(range, least);
            for (var r = 0u; r < ROWS; r++) { // written out
                let e = of_row((*exponents)[r]) + (*shifts)[c];
                (*v)[r][PADDED + c] = scalar(flushed(word((*v)[r][PADDED + c]), e));
            }
        }
    }
}

// Solves the riding columns from the last unknown up. The row of an unknown is divided by its pivot where it is passed
// on.
fn substitute_back(
    v: ptr<function, array<Row, ROWS>>,
    reciprocals: ptr<function, array<Scalar, ROWS>>,
    permutation: ptr<function, Permutation>,
    places: ptr<function, array<u32, ROWS>>,
    slice: u32,
) {
    for (var t = 1u; t < N; t++) { // written out
        let j = N - t;
        let row = ((*permutation)[j / STEPS] >> (8u * (j % STEPS))) & 255u;
        var reciprocal = (*reciprocals)[0];
        for (var r = 1u; r < ROWS; r++) { // written out
            reciprocal = select(reciprocal, (*reciprocals)[r], row / LANES == r);
        }
        for (var c = 0u; c < RIDING; c++) { // written out
            let own = mul(pick(v, PADDED + c, row / LANES), reciprocal);
            let x = from_lane(own, slice + row % LANES);
            for (var r = 0u; r < ROWS; r++) { // written out
                let f = select(ZERO, (*v)[r][j], (*places)[r] / 256u < j);
                (*v)[r][PADDED + c] = sub_mul((*v)[r][PADDED + c], f, x);
            }
        }
    }
}

// Divides the solutions by the pivots of their rows, and unscales them.
fn finish_riding(
    v: ptr<function, array<Row, ROWS>>,
    reciprocals: ptr<function, array<Scalar, ROWS>>,
    places: ptr<function, array<u32, ROWS>>,
    exponents: ptr<function, array<i32, ROWS>>,
    shifts: ptr<function, array<i32, RIDING + 1u>>,
    slice: u32,
    plain: bool,
) {
    var lowest = ALL_BITS;
    for (var c = 0u; c < RIDING; c++) { // written out
        for (var r = 0u; r < ROWS; r++) { // written out
            (*v)[r][PADDED + c] = mul((*v)[r][PADDED + c], (*reciprocals)[r]);
            lowest = min(lowest, smallest_less_one(word((*v)[r][PADDED + c])));
        }
    }
    // A product may only be rounded once.
    let careful = !plain || lowest < bits(power(MIN_EXPONENT + WINDOW)) - ONE_BIT;
    for (var c = 0u; c < RIDING; c++) { // written out
        let factor = power(select(-(*shifts)[c], 0i, careful));
        for (var r = 0u; r < ROWS; r++) { // written out
            (*v)[r][PADDED + c] = (*v)[r][PADDED + c] * factor;
        }
    }
    if subgroupAny(careful) {
        for (var r = 0u; r < ROWS; r++) { // written out
            let column = of_column(exponents_of(exponents, slice, (*places)[r] / 256u));
            for (var c = 0u; c < RIDING; c++) { // written out
                if careful {
                    (*v)[r][PADDED + c] = scalar(unscaled(word((*v)[r][PADDED + c]), column, -(*shifts)[c]));
                }
            }
        }
    }
}

// The sum of the exponents of all factors of a matrix.
fn sum_of_exponents(exponents: ptr<function, array<i32, ROWS>>, own: u32) -> i32 {
    var sum = 0i;
    for (var r = 0u; r < ROWS; r++) { // written out
        let both = of_row((*exponents)[r]) + of_column((*exponents)[r]);
        sum += select(0i, both, own + r * LANES < N);
    }
    for (var b = 0u; b < LANE_BITS; b++) { // written out
        sum += subgroupShuffleXor(sum, 1u << b);
    }
    return sum;
}

// An element of the inverse. One that was unscaled is left alone.
fn finished(x: Scalar, reciprocal: Scalar, unscaled: bool) -> Word {
    return select(word(mul(x, reciprocal)), word(x), unscaled);
}

// The exponents of row and column i.
fn exponents_of(exponents: ptr<function, array<i32, ROWS>>, slice: u32, i: u32) -> i32 {
    var found = 0i;
    for (var r = 0u; r < ROWS; r++) { // written out
        found = select(found, subgroupShuffle((*exponents)[r], slice + i % LANES), i / LANES == r);
    }
    return found;
}

// The largest of the lanes of a matrix.
fn largest_across(x: Bits) -> Bits {
    var most = x;
    for (var b = 0u; b < LANE_BITS; b++) { // written out
        most = max(most, bits_across(most, 1u << b));
    }
    return most;
}

// The same of exponents.
fn highest_across(x: i32) -> i32 {
    var most = x;
    for (var b = 0u; b < LANE_BITS; b++) { // written out
        most = max(most, subgroupShuffleXor(most, 1u << b));
    }
    return most;
}

// The smallest of the lanes of a matrix.
fn smallest_across(x: u32) -> u32 {
    var least = x;
    for (var b = 0u; b < LANE_BITS; b++) { // written out
        least = min(least, subgroupShuffleXor(least, 1u << b));
    }
    return least;
}

// The sum over the lanes of a matrix. All lanes get the same bits.
fn total(x: Real) -> Real {
    var sum = x;
    for (var b = 0u; b < LANE_BITS; b++) { // written out
        sum += real(bits_across(bits(sum), 1u << b));
    }
    return sum;
}

// Column j of the row that is the lane's `which`-th.
fn pick(v: ptr<function, array<Row, ROWS>>, j: u32, which: u32) -> Scalar {
    var x = (*v)[0][j];
    for (var r = 1u; r < ROWS; r++) { // written out
        x = select(x, (*v)[r][j], which == r);
    }
    return x;
}

// A pivot, and its reciprocal.
struct Pivot {
    value: Scalar,
    reciprocal: Scalar,
}

// A place above every row's.
const NOBODY = 0xffffffffu;

// The rows that became rows k to k + STEPS - 1, in bits 0 to 7, 8 to 15 and so on of a word for each round, because
// registers are few. The words turn with the columns.
alias Permutation = array<u32, ROUNDS>;

// The row that became row k + s, if the first word is that of row k.
fn row_of(permutation: ptr<function, Permutation>, s: u32) -> u32 {
    return ((*permutation)[0] >> (8u * s)) & 255u;
}

fn turn_words(permutation: ptr<function, Permutation>) {
    let first = (*permutation)[0];
    for (var t = 1u; t < ROUNDS; t++) { // written out
        (*permutation)[t - 1u] = (*permutation)[t];
    }
    (*permutation)[ROUNDS - 1u] = first;
}

// Moves the first column behind the others.
fn turn_column(v: ptr<function, array<Row, ROWS>>) {
    for (var r = 0u; r < ROWS; r++) { // written out
        let first = (*v)[r][0];
        for (var j = 1u; j < PADDED; j++) { // written out
            (*v)[r][j - 1u] = (*v)[r][j];
        }
        (*v)[r][PADDED - 1u] = first;
    }
}

// Moves the first STEPS columns behind the others.
fn turn(v: ptr<function, array<Row, ROWS>>) {
    for (var r = 0u; r < ROWS; r++) { // written out
        var first: array<Scalar, STEPS>;
        for (var s = 0u; s < STEPS; s++) { // written out
            first[s] = (*v)[r][s];
        }
        for (var j = STEPS; j < PADDED; j++) { // written out
            (*v)[r][j - STEPS] = (*v)[r][j];
        }
        for (var s = 0u; s < STEPS; s++) { // written out
            (*v)[r][PADDED - STEPS + s] = first[s];
        }
    }
}
