// device: the matrix stays in memory, and many workgroups share it. Blocked Gauss-Jordan elimination.
//
// `load_rows` brings the matrix into working memory, extended by the identity to PADDED rows and columns, and finds the range
// of every row; `scale` decides from all of them whether the matrix must be scaled, and how, and `scale_columns` does it. Then
// for every BLOCK of columns: `panel` eliminates these columns alone, by one workgroup for each matrix; `update` takes all
// their steps to other columns in one pass, by many. BLOCK steps make a transformation that differs from the identity in
// BLOCK columns, those that in-place elimination leaves in the panel: W. So the pivots' rows are set aside as P and count as
// zero, and every row takes a[i] += W[i] P. The panels of SPAN columns make one such transformation again: each is taken to
// these columns alone, and all together to the rest of the matrix. `store_rows` brings the inverse home, and `finish` makes
// NaN of it where it is none. `sum_columns` takes the norms for rcond.
//
// Rows never move: every row knows the position that exchanges would have brought it to.
//
// What passes over a matrix does so by strips of BLOCK rows or columns, a workgroup to each: many are at work, and no
// invocation goes round its loops more than a few N times. Mesa's llvmpipe leaves the loops of a shader after 65,535 rounds
// of all of them together, without a word (LP_MAX_TGSI_LOOP_ITERATIONS).

// For each matrix PADDED rows, SPAN more for P, and one for the norms of strips; from one row to the next it is PITCH.
// Several neighbors of a row are loaded and stored at once where that can be.
@group(0) @binding(4) var<storage, read_write> work: array<Scalar>;
@group(0) @binding(4) var<storage, read_write> packs: array<Pack>;
@group(0) @binding(5) var<storage, read_write> state: array<i32>;

const STRIPS = PADDED / BLOCK;
const PACK_PITCH = PITCH / PACK;
const REGION = PITCH * (PADDED + SPAN + 1u);
const NORMS = PITCH * (PADDED + SPAN);

// The state of a matrix: eight words, then PADDED of each of the others, then four to a strip.
const STATUS = 0u;
// 0: as it is; 1: by one factor; 2: by rows and columns.
const SCALING = 1u;
// The first column with a small entry, of those that panels have taken.
const FIRST_SMALL = 2u;
// The first column that no panel has taken.
const COLUMN = 3u;
// The exponent of the largest part of the input.
const TOP = 4u;
const POSITIONS = 8u;
// The row that became row k.
const ORIGINS = POSITIONS + PADDED;
// Between `load_rows` and `scale`: the largest part of a row, as `grade` has it, and the exponent of its smallest.
const ROW_EXPONENTS = ORIGINS + PADDED;
const COLUMN_EXPONENTS = ROW_EXPONENTS + PADDED;
const STRIP_STATES = COLUMN_EXPONENTS + PADDED;
const STATE = STRIP_STATES + 4u * STRIPS;

// The first of a strip of columns with a small entry; whether a number of a strip of rows of the inverse is not finite; the
// exponents of the norms of a strip of columns of the input and of the inverse, whose significands lie in working memory.
const SMALL = 0u;
const BAD = 1u;
const NORM_EXPONENTS = 2u;

// Invocations side by side along a strip's BLOCK lines, and how many share a line.
const ABREAST = min(WORKGROUP, BLOCK);
const SHARE = WORKGROUP / ABREAST;

// Teams of invocations that look for a pivot together: about as many as each has members.
const TEAMS = min(WORKGROUP, select(16u, 8u, WORKGROUP <= 64u));

var<workgroup> keys: array<Bits, WORKGROUP>;
// Where the rows of these keys are: position * PLACE + row.
var<workgroup> places: array<u32, WORKGROUP>;
var<workgroup> pivot_row: array<Pack, BLOCK / PACK>;
var<workgroup> flag: atomic<u32>;
// For each share of each line of a strip.
var<workgroup> highs: array<i32, BLOCK * SHARE>;
var<workgroup> lows: array<i32, BLOCK * SHARE>;
var<workgroup> sums: array<Bits, BLOCK * SHARE>;

// Monotonic in a magnitude: twice its exponent, and one more unless it is a power of two and no subnormal number.
fn grade(magnitude: Bits) -> i32 {
    let of_zero = 2i * LOWEST_EXPONENT;
    return select(of_zero, 2i * exponent(magnitude) + select(0i, 1i, (magnitude & FRACTION) != NO_BITS), magnitude != NO_BITS);
}

// BLOCK rows.
@compute @workgroup_size(WORKGROUP)
fn load_rows(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let m = params.base + group.y;
    let first = group.x * BLOCK;
    for (var s = 0u; s < BLOCK; s += ABREAST) {
        let line = s + local / SHARE;
        let i = first + line;
        var top = NO_BITS;
        var bottom = ALL_BITS;
        for (var p = local % SHARE; p < PADDED / PACK; p += SHARE) {
            var pack = Pack();
            for (var c = 0u; c < PACK; c++) {
                let j = p * PACK + c;
                var x = select(ZERO, ONE, i == j);
                if i < N && j < N {
                    let given = load(m, i, j);
                    top = max(top, largest(given));
                    bottom = min(bottom, smallest_less_one(given));
                    x = scalar(given);
                }
                pack = into_pack(pack, c, x);
            }
            packs[group.y * (REGION / PACK) + i * PACK_PITCH + p] = pack;
        }
        highs[line * SHARE + local % SHARE] = grade(top);
        lows[line * SHARE + local % SHARE] = select(exponent(bottom + ONE_BIT), -LOWEST_EXPONENT, bottom == ALL_BITS);
    }
    workgroupBarrier();
    for (var line = local; line < BLOCK; line += WORKGROUP) {
        var high = highs[line * SHARE];
        var low = lows[line * SHARE];
        for (var share = 1u; share < SHARE; share++) {
            high = max(high, highs[line * SHARE + share]);
            low = min(low, lows[line * SHARE + share]);
        }
        let own = group.y * STATE + first + line;
        state[own + ROW_EXPONENTS] = high;
        state[own + COLUMN_EXPONENTS] = low;
    }
}

// Power-of-two factors, as `src/cpu/scaling.rs` has them: one for all where that will do, else rows and then columns to a
// largest part in [1, 2). Those of the columns follow.
@compute @workgroup_size(WORKGROUP)
fn scale(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let own = group.y * STATE;
    var high = grade(NO_BITS);
    var low = -LOWEST_EXPONENT;
    for (var i = local; i < N; i += WORKGROUP) {
        high = max(high, state[own + ROW_EXPONENTS + i]);
        low = min(low, state[own + COLUMN_EXPONENTS + i]);
    }
    highs[local] = high;
    lows[local] = low;
    workgroupBarrier();
    for (var i = 0u; i < WORKGROUP; i++) {
        high = max(high, highs[i]);
        low = min(low, lows[i]);
    }
    let top = high >> 1u;
    let finite = top <= BIAS;
    // A zero matrix has no range.
    let unusual = finite && high > grade(NO_BITS) && (high > 2i * WINDOW || low < -WINDOW);
    let one_will_do = top - low <= 2i * WINDOW - 2i;
    for (var i = local; i < PADDED; i += WORKGROUP) {
        state[own + POSITIONS + i] = i32(i);
        state[own + ORIGINS + i] = i32(i);
        var e = 0i;
        if unusual && i < N {
            let of_row = state[own + ROW_EXPONENTS + i];
            e = select(select(0i, -(of_row >> 1u), of_row > grade(NO_BITS)), WINDOW - 1i - top, one_will_do);
        }
        state[own + ROW_EXPONENTS + i] = e;
    }
    if local == 0u {
        state[own + STATUS] = select(NOT_FINITE, INVERTED, finite);
        state[own + SCALING] = select(0i, select(2i, 1i, one_will_do), unusual);
        state[own + FIRST_SMALL] = i32(N);
        state[own + COLUMN] = 0i;
        state[own + TOP] = top;
    }
}

// BLOCK columns, where they must be scaled, or rcond is asked for.
@compute @workgroup_size(WORKGROUP)
fn scale_columns(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let m = params.base + group.y;
    let own = group.y * STATE;
    let first = group.x * BLOCK;
    let scaling = state[own + SCALING];
    let shift = norm_shift(state[own + TOP]);
    for (var s = 0u; s < BLOCK; s += ABREAST) {
        let line = s + local % ABREAST;
        var highest = LOWEST_EXPONENT;
        var sum = REAL_ZERO;
        if first + line < N && (RCOND || scaling != 0i) {
            for (var i = local / ABREAST; i < N; i += SHARE) {
                let x = load(m, i, first + line);
                let part = largest(x);
                let e = exponent(part) + state[own + ROW_EXPONENTS + i];
                highest = max(highest, select(LOWEST_EXPONENT, e, part > NO_BITS));
                if RCOND {
                    sum += shifted_modulus(x, shift);
                }
            }
        }
        highs[local / ABREAST * BLOCK + line] = highest;
        sums[local / ABREAST * BLOCK + line] = bits(sum);
    }
    if local == 0u {
        atomicStore(&flag, N);
    }
    workgroupBarrier();
    for (var line = local; line < BLOCK; line += WORKGROUP) {
        var highest = LOWEST_EXPONENT;
        for (var share = 0u; share < SHARE; share++) {
            highest = max(highest, highs[share * BLOCK + line]);
        }
        let empty = scaling != 0i && first + line < N && highest == LOWEST_EXPONENT;
        let e = select(select(0i, -highest, scaling == 2i && first + line < N), EMPTY, empty);
        // From here on the columns' exponents.
        lows[line] = e;
        state[own + COLUMN_EXPONENTS + first + line] = e;
    }
    add_shares(local);
    workgroupBarrier();
    keep_norm(group, local, 0u, shift);

    if scaling != 0i {
        let lowest = select(-WINDOW, -1i, scaling == 1i);
        for (var p = local; p < N * BLOCK; p += WORKGROUP) {
            let i = p / BLOCK;
            let j = first + p % BLOCK;
            if j < N {
                let given = load(m, i, j);
                let e = state[own + ROW_EXPONENTS + i] + lows[p % BLOCK];
                if small(given, e, lowest) {
                    atomicMin(&flag, j);
                }
                work[group.y * REGION + i * PITCH + j] = scalar(flushed(given, e));
            }
        }
    }
    workgroupBarrier();
    if local == 0u {
        state[own + STRIP_STATES + 4u * group.x + SMALL] = i32(atomicLoad(&flag));
    }
}

// The sum of each column of a strip, where that of its first share was.
fn add_shares(local: u32) {
    if RCOND {
        for (var line = local; line < BLOCK; line += WORKGROUP) {
            var sum = REAL_ZERO;
            for (var share = 0u; share < SHARE; share++) {
                sum += real(sums[share * BLOCK + line]);
            }
            sums[line] = bits(sum);
        }
    }
}

// The norm of a strip of columns is the largest of its sums, times 2^-shift.
fn keep_norm(group: vec3<u32>, local: u32, which: u32, shift: i32) {
    if !RCOND || local != 0u {
        return;
    }
    var highest = NO_BITS;
    for (var line = 0u; line < BLOCK; line++) {
        highest = max(highest, sums[line]);
    }
    let norm = norm_of(highest, shift);
    state[group.y * STATE + STRIP_STATES + 4u * group.x + NORM_EXPONENTS + which] = norm.exponent;
    work[group.y * REGION + NORMS + which * STRIPS + group.x] = of_real(norm.significand);
}

// The largest of all strips.
fn kept_norm(here: u32, which: u32) -> Norm {
    var norm = Norm(LOWEST_EXPONENT, REAL_ONE);
    for (var strip = 0u; strip < STRIPS; strip++) {
        let e = state[here * STATE + STRIP_STATES + 4u * strip + NORM_EXPONENTS + which];
        norm = larger_norm(norm, Norm(e, real_part(work[here * REGION + NORMS + which * STRIPS + strip])));
    }
    return norm;
}

// An invocation holds ROWS rows of the panel in its registers. The panel rolls, as in `thread`: the pivot column is
// always column 0, each result goes one column to the left, and the new column of the inverse enters at the right.
@compute @workgroup_size(WORKGROUP)
fn panel(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let own = group.y * STATE;
    let region = group.y * (REGION / PACK);
    let first = u32(state[own + COLUMN]);
    var status = state[own + STATUS];
    let strip = own + STRIP_STATES + 4u * (first / BLOCK);
    let first_small = u32(min(state[own + FIRST_SMALL], state[strip + SMALL]));

    var v: array<array<Scalar, BLOCK>, ROWS>;
    var position: array<u32, ROWS>;
    for (var i = 0u; i < ROWS; i++) {
        let row = local + i * WORKGROUP;
        position[i] = ALL_ROWS;
        if row < PADDED {
            position[i] = u32(state[own + POSITIONS + row]);
            for (var b = 0u; b < BLOCK / PACK; b++) {
                let pack = packs[region + row * PACK_PITCH + first / PACK + b];
                for (var c = 0u; c < PACK; c++) {
                    v[i][b * PACK + c] = of_pack(pack, c);
                }
            }
        }
    }

    for (var k = first; k < first + BLOCK; k++) {
        // The first maximum among the positions still to be chosen: of the own rows, then of all. A row of the
        // extension is never exchanged with one of the matrix, not even where the update has made NaN of it.
        var best = NO_BITS;
        var place = ALL_ROWS;
        for (var i = 0u; i < ROWS; i++) {
            let row = local + i * WORKGROUP;
            let candidate = select(key(v[i][0]), NO_BITS, row >= N && k < N);
            let open = position[i] >= k && position[i] < PADDED;
            let here = position[i] * PLACE + row;
            let better = open && leads(candidate, here, best, place);
            best = select(best, candidate, better);
            place = select(place, here, better);
        }
        keys[local] = best;
        places[local] = place;
        workgroupBarrier();
        // Of each team, by one of its invocations; then of the teams, by one that tells all.
        if local < TEAMS {
            for (var i = local + TEAMS; i < WORKGROUP; i += TEAMS) {
                let better = leads(keys[i], places[i], best, place);
                best = select(best, keys[i], better);
                place = select(place, places[i], better);
            }
            keys[local] = best;
            places[local] = place;
        }
        workgroupBarrier();
        if local == 0u {
            for (var i = 1u; i < TEAMS; i++) {
                let better = leads(keys[i], places[i], best, place);
                best = select(best, keys[i], better);
                place = select(place, places[i], better);
            }
            keys[0] = best;
            places[0] = place;
            state[own + ORIGINS + k] = i32(place % PLACE);
        }
        workgroupBarrier();
        best = keys[0];
        let winner = places[0] / PLACE;
        if best == NO_BITS && status == INVERTED {
            let proven = k < first_small || state[own + COLUMN_EXPONENTS + k] == EMPTY;
            status = select(NOT_FINITE, i32(k) + 1i, proven);
        }
        status = select(status, NOT_FINITE, status == INVERTED && best > LARGEST_PIVOT);

        // The pivot row over the pivot, one column to the left, as the update wants it.
        var mine = false;
        var x = v[0];
        for (var i = 0u; i < ROWS; i++) {
            let here = position[i] == winner;
            mine = mine || here;
            for (var c = 0u; c < BLOCK; c++) {
                x[c] = select(x[c], v[i][c], here);
            }
        }
        if mine {
            let reciprocal = recip(x[0]);
            for (var b = 0u; b < BLOCK / PACK; b++) {
                var pack = Pack();
                for (var c = 0u; c < PACK; c++) {
                    let next = b * PACK + c + 1u;
                    let q = mul(x[min(next, BLOCK - 1u)], reciprocal);
                    pack = into_pack(pack, c, select(q, reciprocal, next == BLOCK));
                }
                pivot_row[b] = pack;
            }
        }
        workgroupBarrier();

        var q: array<Scalar, BLOCK>;
        for (var b = 0u; b < BLOCK / PACK; b++) {
            let pack = pivot_row[b];
            for (var c = 0u; c < PACK; c++) {
                q[b * PACK + c] = of_pack(pack, c);
            }
        }
        for (var i = 0u; i < ROWS; i++) {
            let chosen = position[i] == winner;
            let f = v[i][0];
            for (var c = 1u; c < BLOCK; c++) {
                v[i][c - 1u] = select(sub_mul(v[i][c], f, q[c - 1u]), q[c - 1u], chosen);
            }
            v[i][BLOCK - 1u] = select(neg(mul(f, q[BLOCK - 1u])), q[BLOCK - 1u], chosen);
            position[i] = select(select(position[i], winner, position[i] == k), k, chosen);
        }
    }

    for (var i = 0u; i < ROWS; i++) {
        let row = local + i * WORKGROUP;
        if row < PADDED {
            state[own + POSITIONS + row] = i32(position[i]);
            for (var b = 0u; b < BLOCK / PACK; b++) {
                var pack = Pack();
                for (var c = 0u; c < PACK; c++) {
                    pack = into_pack(pack, c, v[i][b * PACK + c]);
                }
                packs[region + row * PACK_PITCH + first / PACK + b] = pack;
            }
        }
    }
    storageBarrier();
    if local == 0u {
        state[own + STATUS] = status;
        state[own + FIRST_SMALL] = i32(first_small);
        state[own + COLUMN] = i32(first + BLOCK);
    }
    for (var s = 0u; s < BLOCK; s++) {
        let pivot = u32(state[own + ORIGINS + first + s]);
        let place = PADDED + first % SPAN + s;
        for (var j = local; j < PADDED / PACK; j += WORKGROUP) {
            packs[region + place * PACK_PITCH + j] = packs[region + pivot * PACK_PITCH + j];
        }
    }
}

// Takes the last STEPS steps, or those of the last span if it is narrower, to the REACH columns about them: STEPS is BLOCK
// and REACH SPAN, or STEPS is SPAN and REACH PADDED. A workgroup has TILE_ROWS rows; an invocation TILE_PACKS packs of each,
// LINE apart.
@compute @workgroup_size(LINE)
fn update(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let region = group.y * (REGION / PACK);
    let end = u32(state[group.y * STATE + COLUMN]);
    let first = (end - 1u) / STEPS * STEPS;
    let reach = (end - 1u) / REACH * REACH;
    let last_pack = min(reach + REACH, PADDED) / PACK - 1u;
    let top_row = group.x * TILE_ROWS;
    let left = reach / PACK + group.z * (LINE * TILE_PACKS) + local;
    if left > last_pack {
        return;
    }

    var sums: array<array<Pack, TILE_PACKS>, TILE_ROWS>;
    for (var r = 0u; r < TILE_ROWS; r++) {
        let position = u32(state[group.y * STATE + POSITIONS + top_row + r]);
        let pivot = position >= first && position < end;
        for (var c = 0u; c < TILE_PACKS; c++) {
            let j = min(left + c * LINE, last_pack);
            sums[r][c] = select(packs[region + (top_row + r) * PACK_PITCH + j], Pack(), pivot);
        }
    }
    for (var b = first / PACK; b < end / PACK; b++) {
        var f: array<Pack, TILE_ROWS>;
        for (var r = 0u; r < TILE_ROWS; r++) {
            f[r] = -packs[region + (top_row + r) * PACK_PITCH + b];
        }
        for (var i = 0u; i < PACK; i++) {
            for (var c = 0u; c < TILE_PACKS; c++) {
                let p = packs[region + (PADDED + b * PACK % SPAN + i) * PACK_PITCH + min(left + c * LINE, last_pack)];
                for (var r = 0u; r < TILE_ROWS; r++) {
                    sums[r][c] = pack_sub_mul(sums[r][c], of_pack(f[r], i), p);
                }
            }
        }
    }
    for (var c = 0u; c < TILE_PACKS; c++) {
        let j = left + c * LINE;
        if j <= last_pack && (j * PACK < first || j * PACK >= end) {
            for (var r = 0u; r < TILE_ROWS; r++) {
                packs[region + (top_row + r) * PACK_PITCH + j] = sums[r][c];
            }
        }
    }
}

// BLOCK columns of the inverse, for rcond.
@compute @workgroup_size(WORKGROUP)
fn sum_columns(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let first = group.x * BLOCK;
    let inverted = state[group.y * STATE + STATUS] == INVERTED;
    var top = NO_BITS;
    if inverted {
        for (var p = local; p < N * BLOCK; p += WORKGROUP) {
            if first + p % BLOCK < N {
                top = max(top, largest(inverse_at(group.y, p / BLOCK, first + p % BLOCK)));
            }
        }
    }
    keys[local] = top;
    workgroupBarrier();
    for (var i = 0u; i < WORKGROUP; i++) {
        top = max(top, keys[i]);
    }
    let shift = norm_shift_of(top);
    for (var s = 0u; s < BLOCK; s += ABREAST) {
        let line = s + local % ABREAST;
        var sum = REAL_ZERO;
        if inverted && first + line < N {
            for (var i = local / ABREAST; i < N; i += SHARE) {
                sum += shifted_modulus(kept(inverse_at(group.y, i, first + line)), shift);
            }
        }
        sums[local / ABREAST * BLOCK + line] = bits(sum);
    }
    workgroupBarrier();
    add_shares(local);
    workgroupBarrier();
    keep_norm(group, local, 1u, shift);
}

// BLOCK rows, to where exchanges would have brought them.
@compute @workgroup_size(WORKGROUP)
fn store_rows(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let m = params.base + group.y;
    let own = group.y * STATE;
    let first = group.x * BLOCK;
    if local == 0u {
        atomicStore(&flag, 0u);
    }
    workgroupBarrier();
    if state[own + STATUS] == INVERTED {
        var finite = true;
        for (var p = local; p < PADDED / PACK; p += WORKGROUP) {
            var origins: array<u32, PACK>;
            for (var c = 0u; c < PACK; c++) {
                origins[c] = u32(state[own + ORIGINS + p * PACK + c]);
            }
            for (var row = first; row < min(first + BLOCK, N); row++) {
                let position = u32(state[own + POSITIONS + row]);
                let pack = packs[group.y * (REGION / PACK) + row * PACK_PITCH + p];
                for (var c = 0u; c < PACK; c++) {
                    if p * PACK + c < N {
                        let x = home(own, position, origins[c], of_pack(pack, c));
                        finite = finite && fits(x);
                        store(m, position, origins[c], x);
                    }
                }
            }
        }
        if !finite {
            atomicStore(&flag, 1u);
        }
    }
    workgroupBarrier();
    if local == 0u {
        state[own + STRIP_STATES + 4u * group.x + BAD] = i32(atomicLoad(&flag));
    }
}

// The verdict, and BLOCK rows of NaN where the matrix has no inverse.
@compute @workgroup_size(WORKGROUP)
fn finish(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let m = params.base + group.y;
    let own = group.y * STATE;
    let first = group.x * BLOCK;
    if local == 0u {
        atomicStore(&flag, 0u);
    }
    workgroupBarrier();
    for (var strip = local; strip < STRIPS; strip += WORKGROUP) {
        if state[own + STRIP_STATES + 4u * strip + BAD] != 0i {
            atomicStore(&flag, 1u);
        }
    }
    workgroupBarrier();
    let found = state[own + STATUS];
    let status = select(found, NOT_FINITE, found == INVERTED && atomicLoad(&flag) != 0u);
    if group.x == 0u && local == 0u {
        statuses[m] = status;
        if RCOND {
            store_rcond(m, rcond_of(kept_norm(group.y, 0u), kept_norm(group.y, 1u), status));
        }
    }
    if status != INVERTED {
        for (var e = local; e < min(BLOCK, N - first) * N; e += WORKGROUP) {
            store_nan(m, first + e / N, e % N);
        }
    }
}

// Element (i, j) of an inverse with the scaling undone; `own` is where the state of its matrix begins.
fn home(own: u32, i: u32, j: u32, x: Scalar) -> Word {
    if state[own + SCALING] == 0i {
        return word(x);
    }
    return scaled(word(x), state[own + COLUMN_EXPONENTS + i] + state[own + ROW_EXPONENTS + j]);
}

// The same of a row and a column of working memory.
fn inverse_at(here: u32, row: u32, column: u32) -> Word {
    let own = here * STATE;
    let i = u32(state[own + POSITIONS + row]);
    let j = u32(state[own + ORIGINS + column]);
    return home(own, i, j, work[here * REGION + row * PITCH + column]);
}

const ALL_ROWS = 0xffffffffu;
// Above every row and position.
const PLACE = 1u << 14u;
