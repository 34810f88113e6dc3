// workgroup: the invocations of a workgroup hold a matrix in tiles of ROWS x COLUMNS in their registers.
//
//     tile 0    tile 1    tile 2        TILES_ACROSS = 3
//     tile 3    tile 4    tile 5        TILES_DOWN = 2
//
// A workgroup holds MATRICES matrices. Rows never move: every row keeps the place that swaps would have brought it to.
// The tiles share through workgroup memory, in each step, the pivot column, the best candidates for the pivot, and
// the pivot row, divided by the pivot. A factor of zero leaves the pivot row itself alone.
//
// Rows and columns beyond N take part and stay zero. Loops over the rows and columns of a tile are written out
// (`src/gpu/written_out.rs`), so that every index into it is a number and the tile stays in registers.
//
// If the operation has riding columns, they lie in workgroup memory, and all invocations of a matrix share the work on
// them. They are scaled by a power of two for each column. Back substitution passes each unknown to the rows above.

const TEAM = TILES_DOWN * TILES_ACROSS;
const ALL_ROWS = TILES_DOWN * ROWS;
const ALL_COLUMNS = TILES_ACROSS * COLUMNS;

// The pivot column, and the best key and its place in each row of tiles. Two of each, used in turn: who writes one
// again has passed a barrier that came after its last read.
var<workgroup> pivot_columns: array<array<Scalar, ALL_ROWS>, 2u * MATRICES>;
var<workgroup> best_keys: array<array<Bits, TILES_DOWN>, 2u * MATRICES>;
var<workgroup> best_places: array<array<u32, TILES_DOWN>, 2u * MATRICES>;
var<workgroup> pivot_row: array<array<Scalar, ALL_COLUMNS>, MATRICES>;
// The place of a row that is not yet chosen is (N + position) * 256 + row; that of a row that became row k is k * 256 +
// row; that of a row beyond N is 0.
var<workgroup> places: array<array<u32, ALL_ROWS>, MATRICES>;
// The row at each position, and so in the end the row that became row k.
var<workgroup> permutation: array<array<u32, ALL_ROWS>, MATRICES>;
// The largest exponents of rows and columns, then the exponents of their factors.
var<workgroup> row_exponents: array<array<atomic<i32>, ALL_ROWS>, MATRICES>;
var<workgroup> column_exponents: array<array<atomic<i32>, ALL_COLUMNS>, MATRICES>;
var<workgroup> first_small: array<atomic<u32>, MATRICES>;
// A magnitude from each invocation, and the largest of each row of tiles.
var<workgroup> of_tiles: array<array<Bits, TEAM>, MATRICES>;
var<workgroup> of_rows: array<array<Bits, TILES_DOWN>, MATRICES>;
// The riding columns, row by row. WGSL has no empty arrays, here and below.
var<workgroup> rides: array<array<Scalar, ALL_ROWS * RIDING + 1u>, MATRICES>;
// The smallest and the largest exponent of each.
var<workgroup> rides_low: array<array<atomic<i32>, RIDING + 1u>, MATRICES>;
var<workgroup> rides_high: array<array<atomic<i32>, RIDING + 1u>, MATRICES>;
// Column sums, for rcond.
var<workgroup> sums: array<array<Bits, N>, MATRICES>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(local_invocation_index) local: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let slot = local / TEAM;
    let tile = local % TEAM;
    let down = tile / TILES_ACROSS;
    let across = tile % TILES_ACROSS;
    let first_row = down * ROWS;
    let first_column = across * COLUMNS;
    let m = first_matrix(group, groups) + slot;
    let present = slot < matrices_here(group, groups);
    var verdict = INVERTED;
    // The riding columns from `first` on go through all steps with the matrix.
    for (var part = 0u; part < TILES; part++) { // written out if ONE_TILE
        let first = part * RIDING;
        if part > 0u {
            // Workgroup memory is used again.
            workgroupBarrier();
        }
        for (var i = tile; i < ALL_ROWS; i += TEAM) {
            places[slot][i] = select(0u, (N + i) * 256u + i, i < N);
            permutation[slot][i] = i;
            atomicStore(&row_exponents[slot][i], LOWEST_EXPONENT);
        }
        for (var j = tile; j < ALL_COLUMNS; j += TEAM) {
            atomicStore(&column_exponents[slot][j], LOWEST_EXPONENT);
        }
        if RIDES { // left out if not
            for (var c = tile; c < RIDING; c += TEAM) {
                atomicStore(&rides_low[slot][c], EMPTY_RANGE.low);
                atomicStore(&rides_high[slot][c], EMPTY_RANGE.high);
            }
        }
        if tile == 0u {
            atomicStore(&first_small[slot], N);
        }

        var v: array<array<Scalar, COLUMNS>, ROWS>;
        var top = NO_BITS;
        var bottom = ALL_BITS;
        for (var r = 0u; r < ROWS; r++) { // written out
            if present && first_row + r < N {
                for (var c = 0u; c < COLUMNS; c++) { // written out
                    if first_column + c < N {
                        let x = load(m, first_row + r, first_column + c);
                        v[r][c] = scalar(x);
                        top = max(top, largest(x));
                        bottom = min(bottom, smallest_less_one(x));
                    }
                }
            }
        }
        top = largest_of_matrix(slot, tile, top);
        bottom = ~largest_of_matrix(slot, tile, ~bottom);
        var status = input_status(top);
        let scaling = present && status == INVERTED && needs_scaling(bottom, top);

        let input_shift = norm_shift_of(top);
        if RCOND {
            if present {
                for (var j = tile; j < N; j += TEAM) {
                    sums[slot][j] = input_sum(m, N, j, input_shift);
                }
            }
            workgroupBarrier();
        }
        var input_norm: Norm;
        if RCOND && present && tile == 0u {
            input_norm = norm_of(largest_sum(slot), input_shift);
        }

        // Scaling is rare. Its barriers are for all, because a barrier must not wait for a workgroup's other matrices.
        let high = exponent(top);
        let one_factor = one_factor_suffices(exponent(bottom + ONE_BIT), high);
        if scaling {
            for (var r = 0u; r < ROWS; r++) { // written out
                var magnitude = NO_BITS;
                for (var c = 0u; c < COLUMNS; c++) { // written out
                    magnitude = max(magnitude, largest(word(v[r][c])));
                }
                atomicMax(&row_exponents[slot][first_row + r], exponent_in_row(magnitude, 0i));
            }
        }
        workgroupBarrier();
        if scaling {
            for (var c = 0u; c < COLUMNS; c++) { // written out
                var highest = LOWEST_EXPONENT;
                for (var r = 0u; r < ROWS; r++) { // written out
                    let e = row_factor(slot, first_row + r, high, one_factor);
                    highest = max(highest, exponent_in_row(largest(word(v[r][c])), e));
                }
                atomicMax(&column_exponents[slot][first_column + c], highest);
            }
        }
        workgroupBarrier();
        if scaling {
            let lowest = lowest_exponent(one_factor);
            for (var r = 0u; r < ROWS; r++) { // written out
                let row = row_factor(slot, first_row + r, high, one_factor);
                for (var c = 0u; c < COLUMNS; c++) { // written out
                    let e = row + column_factor(slot, first_column + c, one_factor);
                    let x = word(v[r][c]);
                    if small(x, e, lowest) {
                        atomicMin(&first_small[slot], first_column + c);
                    }
                    v[r][c] = scalar(flushed(x, e));
                }
            }
        }
        var rides_top = NO_BITS;
        var least = select(0i, EMPTY, scaling);
        if RIDES { // left out if not
            for (var j = 0u; j < select(0u, N, scaling); j++) {
                least = min(least, column_factor(slot, j, one_factor));
            }
            for (var e = tile; e < N * RIDING; e += TEAM) {
                let row = e / max(RIDING, 1u);
                let c = e % max(RIDING, 1u);
                var x = word(ZERO);
                if present {
                    x = riding(m, row, first + c);
                }
                rides[slot][e] = scalar(x);
                rides_top = max(rides_top, largest(x));
                let e_row = select(0i, row_factor(slot, row, high, one_factor), scaling);
                let range = with_element(EMPTY_RANGE, x, e_row);
                atomicMin(&rides_low[slot][c], range.low);
                atomicMax(&rides_high[slot][c], range.high);
            }
            rides_top = largest_of_matrix(slot, tile, rides_top);
            for (var e = tile; e < N * RIDING; e += TEAM) {
                let e_row = select(0i, row_factor(slot, e / max(RIDING, 1u), high, one_factor), scaling);
                let shift = ride_shift(slot, e % max(RIDING, 1u), least);
                rides[slot][e] = scalar(flushed(word(rides[slot][e]), e_row + shift));
            }
        }
        finish_loads();
        finish_rhs_loads();
        workgroupBarrier();

        var product = no_pivots();

        for (var t = 0u; t < counted(TILES_ACROSS); t++) {
            for (var q = 0u; q < counted(COLUMNS); q++) { // written out
                let k = t * COLUMNS + q;
                if ALL_COLUMNS == N || k < N {
                    let turn = slot * 2u + k % 2u;
                    if across == t {
                        // The pivot is the first maximum among the places that are not yet chosen.
                        var best = NO_BITS;
                        for (var r = 0u; r < ROWS; r++) { // written out
                            let place = places[slot][first_row + r];
                            best = max(best, select(NO_BITS, key(v[r][q]), place >= N * 256u));
                            pivot_columns[turn][first_row + r] = step_factor(v[r][q], place < N * 256u);
                        }
                        var winner = NOBODY;
                        for (var r = 0u; r < ROWS; r++) { // written out
                            let place = places[slot][first_row + r];
                            let leads = place >= N * 256u && key(v[r][q]) == best;
                            winner = min(winner, select(NOBODY, place, leads));
                        }
                        best_keys[turn][down] = best;
                        best_places[turn][down] = winner;
                    }
                    workgroupBarrier();

                    var best = NO_BITS;
                    for (var i = 0u; i < TILES_DOWN; i++) { // written out
                        best = max(best, best_keys[turn][i]);
                    }
                    var winner = NOBODY;
                    for (var i = 0u; i < TILES_DOWN; i++) { // written out
                        winner = min(winner, select(NOBODY, best_places[turn][i], best_keys[turn][i] == best));
                    }
                    if is_zero_pivot(status, best) {
                        let zero_column = atomicLoad(&column_exponents[slot][k]) == LOWEST_EXPONENT;
                        status = zero_pivot_status(k, atomicLoad(&first_small[slot]), zero_column);
                    }
                    status = reject_large_pivot(status, best);
                    // Clamped, so that no arithmetic can lead out of the matrix.
                    let row = min(winner % 256u, N - 1u);
                    let pivot = pivot_columns[turn][row];
                    let reciprocal = recip(pivot);
                    if DET {
                        product = times_pivot(product, pivot, winner / 256u != N + k);
                    }
                    if RIDES { // left out if not
                        for (var c = tile; c < RIDING; c += TEAM) {
                            rides[slot][row * RIDING + c] = mul(rides[slot][row * RIDING + c], reciprocal);
                        }
                    }
                    if down == row / ROWS {
                        for (var r = 0u; r < ROWS; r++) { // written out
                            if row % ROWS == r {
                                for (var c = 0u; c < COLUMNS; c++) { // written out
                                    v[r][c] = mul(v[r][c], reciprocal);
                                    pivot_row[slot][first_column + c] = v[r][c];
                                }
                            }
                        }
                    }
                    if tile == 0u {
                        let position = min(winner / 256u - N, N - 1u);
                        let moved = permutation[slot][k];
                        permutation[slot][position] = moved;
                        permutation[slot][k] = row;
                        places[slot][moved] = (N + position) * 256u + moved;
                        places[slot][row] = k * 256u + row;
                    }
                    workgroupBarrier();

                    if RIDES { // left out if not
                        for (var e = tile; e < N * RIDING; e += TEAM) {
                            let here = e / max(RIDING, 1u);
                            if here != row {
                                let p = rides[slot][row * RIDING + e % max(RIDING, 1u)];
                                rides[slot][e] = sub_mul(rides[slot][e], pivot_columns[turn][here], p);
                            }
                        }
                    }
                    var f: array<Scalar, ROWS>;
                    for (var r = 0u; r < ROWS; r++) { // written out
                        // The pivot row loses nothing.
                        f[r] = select(pivot_columns[turn][first_row + r], ZERO, first_row + r == row);
                    }
                    for (var c = 0u; c < COLUMNS; c++) { // written out
                        let p = pivot_row[slot][first_column + c];
                        for (var r = 0u; r < ROWS; r++) { // written out
                            v[r][c] = sub_mul(v[r][c], f[r], p);
                        }
                    }
                    if across == t {
                        for (var r = 0u; r < ROWS; r++) { // written out
                            let chosen = first_row + r == row;
                            // An element that stays was not changed by the factor zero.
                            var own = f[r];
                            if SUBSTITUTES {
                                own = v[r][q];
                            }
                            let entered = entering(own, places[slot][first_row + r] < N * 256u, reciprocal);
                            v[r][q] = select(entered, entering_pivot_row(reciprocal), chosen);
                        }
                    }
                }
            }
        }
        workgroupBarrier();

        if DET { // left out if not
            var scale = 0i;
            for (var i = 0u; i < select(0u, N, scaling); i++) {
                scale += row_factor(slot, i, high, one_factor) + column_factor(slot, i, one_factor);
            }
            if present && tile == 0u {
                store_det(m, product, scale, status);
            }
        }
        if RIDES { // left out if not
            // Rows are divided by their pivots, so the last unknown stands.
            for (var s = 1u; s < counted(N); s++) {
                let j = N - s;
                let turn = slot * 2u + j % 2u;
                for (var c = 0u; c < COLUMNS; c++) { // written out
                    if first_column + c == j {
                        for (var r = 0u; r < ROWS; r++) { // written out
                            let above = places[slot][first_row + r] / 256u < j;
                            pivot_columns[turn][first_row + r] = select(ZERO, v[r][c], above);
                        }
                    }
                }
                workgroupBarrier();
                let row = permutation[slot][j];
                for (var e = tile; e < N * RIDING; e += TEAM) {
                    let here = e / max(RIDING, 1u);
                    if here != row {
                        let x = rides[slot][row * RIDING + e % max(RIDING, 1u)];
                        rides[slot][e] = sub_mul(rides[slot][e], pivot_columns[turn][here], x);
                    }
                }
            }
            workgroupBarrier();
        }

        top = NO_BITS;
        if RIDES { // left out if not
            for (var e = tile; e < select(0u, N * RIDING, present); e += TEAM) {
                let i = min(places[slot][e / max(RIDING, 1u)] / 256u, N - 1u);
                let c = e % max(RIDING, 1u);
                if first + c < RESULT_WIDTH {
                    let scale = select(0i, column_factor(slot, i, one_factor), scaling);
                    let x = with_plain_zero(unscaled(word(rides[slot][e]), scale, -ride_shift(slot, c, least)));
                    store(m, i, first + c, x);
                    top = max(top, largest(as_stored(x)));
                }
            }
        }
        for (var r = 0u; r < ROWS; r++) { // written out
            if !SUBSTITUTES && present && first_row + r < N {
                let i = min(places[slot][first_row + r] / 256u, N - 1u);
                for (var c = 0u; c < COLUMNS; c++) { // written out
                    if first_column + c < N {
                        let x = word(v[r][c]);
                        store(m, i, permutation[slot][first_column + c], x);
                        top = max(top, largest(as_stored(x)));
                    }
                }
            }
        }
        if !SUBSTITUTES && scaling && status == INVERTED {
            // Each invocation unscales what it stored itself.
            top = NO_BITS;
            for (var e = 0u; e < ROWS * COLUMNS; e++) {
                let row = first_row + e / COLUMNS;
                let k = first_column + e % COLUMNS;
                if row < N && k < N {
                    let i = min(places[slot][row] / 256u, N - 1u);
                    let j = permutation[slot][k];
                    let right = row_factor(slot, j, high, one_factor);
                    let x = unscaled(stored(m, i, j), column_factor(slot, i, one_factor), right);
                    store(m, i, j, x);
                    top = max(top, largest(as_stored(x)));
                }
            }
        }
        top = largest_of_matrix(slot, tile, top);
        status = final_status(status, top < INFINITE);
        status = worse(verdict, select(status, NOT_FINITE, rides_top >= INFINITE));
        if present && tile == 0u {
            statuses[m] = status;
        }
        if RCOND {
            storageBarrier();
            let shift = norm_shift_of(top);
            // A matrix without an inverse has no norm to sum: other invocations may be filling its place already.
            if present && status == INVERTED {
                for (var j = tile; j < N; j += TEAM) {
                    sums[slot][j] = stored_sum(m, N, j, shift);
                }
            }
            workgroupBarrier();
            if present && tile == 0u {
                store_rcond(m, rcond_of(input_norm, norm_of(largest_sum(slot), shift), status));
            }
        }
        if present && status != INVERTED {
            // Each invocation overwrites what it stored itself, so that no barrier is needed. Columns of earlier tiles
            // fail with these.
            if RIDES { // left out if not
                for (var e = tile; e < N * RIDING; e += TEAM) {
                    let i = min(places[slot][e / max(RIDING, 1u)] / 256u, N - 1u);
                    let start = select(first, 0u, verdict == INVERTED) + e % max(RIDING, 1u);
                    for (var c = start; c < min(first + RIDING, RESULT_WIDTH); c += max(RIDING, 1u)) {
                        store_failed(m, i, c);
                    }
                }
            }
            for (var e = 0u; e < ROWS * COLUMNS; e++) {
                let row = first_row + e / COLUMNS;
                let k = first_column + e % COLUMNS;
                if !SUBSTITUTES && row < N && k < N {
                    store_failed(m, min(places[slot][row] / 256u, N - 1u), permutation[slot][k]);
                }
            }
        }
        verdict = status;
    }
}

// A place above every row's.
const NOBODY = 0xffffffffu;

// The largest of all invocations of a matrix.
fn largest_of_matrix(slot: u32, tile: u32, x: Bits) -> Bits {
    of_tiles[slot][tile] = x;
    workgroupBarrier();
    if tile < TILES_DOWN {
        var most = NO_BITS;
        for (var i = 0u; i < TILES_ACROSS; i++) {
            most = max(most, of_tiles[slot][tile * TILES_ACROSS + i]);
        }
        of_rows[slot][tile] = most;
    }
    workgroupBarrier();
    var most = NO_BITS;
    for (var i = 0u; i < TILES_DOWN; i++) {
        most = max(most, of_rows[slot][i]);
    }
    return most;
}

// The exponent of the factor of a row, once the exponents of the rows are found.
fn row_factor(slot: u32, row: u32, high: i32, one_factor: bool) -> i32 {
    let own = atomicLoad(&row_exponents[slot][row]);
    return row_exponent(own, own == LOWEST_EXPONENT, high, one_factor);
}

// The same of a column.
fn column_factor(slot: u32, column: u32, one_factor: bool) -> i32 {
    return column_exponent(atomicLoad(&column_exponents[slot][column]), one_factor);
}

// The exponent of the factor of a riding column, once the range of all columns is found. `least` is the smallest
// exponent of the matrix's columns.
fn ride_shift(slot: u32, c: u32, least: i32) -> i32 {
    return rhs_exponent(Range(atomicLoad(&rides_low[slot][c]), atomicLoad(&rides_high[slot][c])), least);
}

fn largest_sum(slot: u32) -> Bits {
    var highest = NO_BITS;
    for (var j = 0u; j < N; j++) {
        highest = max(highest, sums[slot][j]);
    }
    return highest;
}
