// device: the matrix stays in memory, and many workgroups share it. Blocked Gauss-Jordan elimination.
//
// The programs, in order:
// - `load_rows` copies the matrix into working memory, extended by the identity to PADDED rows and columns, and
//   finds the range of magnitudes of every row.
// - `scale` decides from all ranges whether the matrix needs scaling, and finds the exponents of the rows.
// - `scale_columns` finds the exponents of the columns, scales the matrix, and sums its columns for rcond.
// - `panel` eliminates BLOCK columns alone, by one workgroup per matrix.
// - `update` applies these steps to other columns in one pass, by many workgroups.
// - `sum_columns` sums the columns of the inverse, for rcond.
// - `store_rows` stores the inverse, and `finish` its status, and fills the places of inverses that do not exist.
//
// The steps of a panel are one transformation that differs from the identity only in the BLOCK columns that
// elimination in place leaves in the panel: W. The panels of an outer block, OUTER columns, combine to such a
// transformation again. Each panel is applied to the other columns of its outer block, and the outer block as a
// whole to the rest of the matrix:
//
//     |<--- outer block --->|
//     +-----+-----+---------+---------------+    W  the panel, eliminated
//     |     |     |         |               |    u  updated after every panel
//     |  u  |  W  |    u    |       U       |    U  updated after the last panel of the outer block
//     |     |     |         |               |
//     +-----+-----+---------+---------------+    update: a[i] += W[i] P, where P holds copies of the pivot rows,
//                                                        which count as zero themselves
//
// Rows never move: every row keeps the position that swaps would have brought it to.
//
// A pass over a matrix is divided into strips of BLOCK rows or columns, one workgroup per strip, so that many
// workgroups have work and no invocation loops more than a few times N. Mesa's llvmpipe silently leaves the loops
// of a shader after 65,535 iterations of all of them together (LP_MAX_TGSI_LOOP_ITERATIONS).
//
// This kernel has no riding columns yet. `panel` asks the operation for factors and entering elements, but `update`
// knows only Gauss-Jordan elimination.

// Per matrix PADDED rows, OUTER rows for P, and NORM_ROWS rows for two norms of each strip. Rows are PITCH apart.
// Neighboring elements of a row are loaded and stored as packs where possible.
@group(0) @binding(4) var<storage, read_write> work: array<Scalar>;
@group(0) @binding(4) var<storage, read_write> packs: array<Pack>;
@group(0) @binding(5) var<storage, read_write> state: array<i32>;

const STRIPS = PADDED / BLOCK;
const PACK_PITCH = PITCH / PACK;
const NORM_ROWS = (2u * STRIPS + PITCH - 1u) / PITCH;
const REGION = PITCH * (PADDED + OUTER + NORM_ROWS);
const NORMS = PITCH * (PADDED + OUTER);

// The state of a matrix: eight words, then four arrays of PADDED words, then four words per strip.
const STATUS = 0u;
// 0: none; 1: by one factor; 2: by rows and columns.
const SCALING = 1u;
// The first column with a small entry, among the columns that panels have eliminated.
const FIRST_SMALL = 2u;
// The first column that no panel has eliminated.
const COLUMN = 3u;
// The exponent of the largest part of the input.
const TOP = 4u;
const POSITIONS = 8u;
// The row that became row k.
const PERMUTATION = POSITIONS + PADDED;
// Between `load_rows` and `scale`, these two hold the grade of the largest part of a row and the exponent of its
// smallest.
const ROW_EXPONENTS = PERMUTATION + PADDED;
const COLUMN_EXPONENTS = ROW_EXPONENTS + PADDED;
const STRIP_STATES = COLUMN_EXPONENTS + PADDED;
const STATE = STRIP_STATES + 4u * STRIPS;

// Words of a strip: the first of its columns with a small entry; 1 if a number in its rows of the inverse is not
// finite; and the exponents of the norms of its columns in the input and in the inverse, whose significands lie in
// working memory.
const SMALL = 0u;
const BAD = 1u;
const NORM_EXPONENTS = 2u;

// Lines of a strip (its rows or columns) that are worked on at once, and the invocations that share a line.
const ABREAST = min(WORKGROUP, BLOCK);
const SHARE = WORKGROUP / ABREAST;

// Teams of invocations that search for a pivot together. A team has about as many members as there are teams.
const TEAMS = min(WORKGROUP, select(16u, 8u, WORKGROUP <= 64u));

var<workgroup> keys: array<Bits, WORKGROUP>;
// The places of the rows with these keys: position * PLACE + row.
var<workgroup> places: array<u32, WORKGROUP>;
var<workgroup> pivot_row: array<Pack, BLOCK / PACK>;
var<workgroup> flag: atomic<u32>;
// One value per invocation and line that it shares.
var<workgroup> highs: array<i32, BLOCK * SHARE>;
var<workgroup> lows: array<i32, BLOCK * SHARE>;
var<workgroup> sums: array<Bits, BLOCK * SHARE>;

// Loads BLOCK rows.
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

// Finds the status of the input and how the matrix is scaled.
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
    let top = grade_exponent(high);
    let finite = top <= BIAS;
    let scaling = finite && grades_need_scaling(low, high);
    let one_factor = one_factor_suffices(low, top);
    for (var i = local; i < PADDED; i += WORKGROUP) {
        state[own + POSITIONS + i] = i32(i);
        state[own + PERMUTATION + i] = i32(i);
        var e = 0i;
        if scaling && i < N {
            let own_grade = state[own + ROW_EXPONENTS + i];
            e = row_exponent(grade_exponent(own_grade), own_grade == grade(NO_BITS), top, one_factor);
        }
        state[own + ROW_EXPONENTS + i] = e;
    }
    if local == 0u {
        state[own + STATUS] = select(NOT_FINITE, INVERTED, finite);
        state[own + SCALING] = select(0i, select(2i, 1i, one_factor), scaling);
        state[own + FIRST_SMALL] = i32(N);
        state[own + COLUMN] = 0i;
        state[own + TOP] = top;
    }
}

// Scales BLOCK columns if the matrix needs it, and sums them for rcond.
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
                highest = max(highest, exponent_in_row(largest(x), state[own + ROW_EXPONENTS + i]));
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
        let e = select(0i, column_exponent(highest, scaling == 1i), scaling != 0i && first + line < N);
        // From here on, `lows` holds the exponents of the columns.
        lows[line] = e;
        state[own + COLUMN_EXPONENTS + first + line] = e;
    }
    add_shares(local);
    workgroupBarrier();
    save_norm(group, local, 0u, shift);

    if scaling != 0i {
        let lowest = lowest_exponent(scaling == 1i);
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

// Adds the shares of each column of a strip into the first of them.
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

// Saves the norm of a strip of columns: its largest sum, times 2^-shift. `which` is 0 for the input, 1 for the
// inverse.
fn save_norm(group: vec3<u32>, local: u32, which: u32, shift: i32) {
    if !RCOND || local != 0u {
        return;
    }
    var highest = NO_BITS;
    for (var line = 0u; line < BLOCK; line++) {
        highest = max(highest, sums[line]);
    }
    let norm = norm_of(highest, shift);
    state[group.y * STATE + STRIP_STATES + 4u * group.x + NORM_EXPONENTS + which] = norm.exponent;
    work[group.y * REGION + NORMS + which * STRIPS + group.x] = from_real(norm.significand);
}

// The largest norm of all strips.
fn saved_norm(here: u32, which: u32) -> Norm {
    var norm = Norm(LOWEST_EXPONENT, REAL_ONE);
    for (var strip = 0u; strip < STRIPS; strip++) {
        let e = state[here * STATE + STRIP_STATES + 4u * strip + NORM_EXPONENTS + which];
        norm = larger_norm(norm, Norm(e, real_part(work[here * REGION + NORMS + which * STRIPS + strip])));
    }
    return norm;
}

// Eliminates a panel. An invocation holds ROWS rows of it in its registers. The panel rolls as in `thread`: the
// pivot column is always column 0, every result goes one column to the left, and the new column enters at the
// right.
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
                    v[i][b * PACK + c] = from_pack(pack, c);
                }
            }
        }
    }

    // Browsers accept barriers in loops whose bounds are constants, not read from a buffer.
    for (var step = 0u; step < BLOCK; step++) {
        let k = first + step;
        // The pivot is the first maximum among the positions that are not yet chosen, of the invocation's rows and
        // then of all. A row of the extension is never swapped with a row of the matrix, even if the update has
        // turned it into NaN.
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
        // One invocation of each team finds the maximum of the team; then one finds the maximum of the teams.
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
            state[own + PERMUTATION + k] = i32(place % PLACE);
        }
        workgroupBarrier();
        best = keys[0];
        let winner = places[0] / PLACE;
        if is_zero_pivot(status, best) {
            status = zero_pivot_status(k, first_small, state[own + COLUMN_EXPONENTS + k] == EMPTY);
        }
        status = reject_large_pivot(status, best);

        // The invocation with the pivot row divides it by the pivot and shares it one column to the left, with the
        // reciprocal of the pivot last.
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
                q[b * PACK + c] = from_pack(pack, c);
            }
        }
        let reciprocal = q[BLOCK - 1u];
        for (var i = 0u; i < ROWS; i++) {
            let chosen = position[i] == winner;
            let own_element = v[i][0];
            let before = position[i] < k;
            let f = step_factor(own_element, before);
            for (var c = 1u; c < BLOCK; c++) {
                v[i][c - 1u] = select(sub_mul(v[i][c], f, q[c - 1u]), q[c - 1u], chosen);
            }
            let entered = entering(own_element, before, reciprocal);
            v[i][BLOCK - 1u] = select(entered, entering_pivot_row(reciprocal), chosen);
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
        let pivot = u32(state[own + PERMUTATION + first + s]);
        let place = PADDED + first % OUTER + s;
        for (var j = local; j < PADDED / PACK; j += WORKGROUP) {
            packs[region + place * PACK_PITCH + j] = packs[region + pivot * PACK_PITCH + j];
        }
    }
}

// Applies the last STEPS steps, or fewer in a last outer block that is narrower, to the other columns of the REACH
// columns around them. STEPS is BLOCK and REACH is OUTER, or STEPS is OUTER and REACH is PADDED. A workgroup
// updates TILE_ROWS rows; an invocation updates TILE_PACKS packs of each, LINE apart.
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
            // Beyond the reach it loads for nothing, and so a pack that no invocation stores: one of the pivot columns.
            let j = select(first / PACK, left + c * LINE, left + c * LINE <= last_pack);
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
                let p = packs[region + (PADDED + b * PACK % OUTER + i) * PACK_PITCH + min(left + c * LINE, last_pack)];
                for (var r = 0u; r < TILE_ROWS; r++) {
                    sums[r][c] = pack_sub_mul(sums[r][c], from_pack(f[r], i), p);
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

// Sums BLOCK columns of the inverse, for rcond.
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
                sum += shifted_modulus(as_stored(inverse_at(group.y, i, first + line)), shift);
            }
        }
        sums[local / ABREAST * BLOCK + line] = bits(sum);
    }
    workgroupBarrier();
    add_shares(local);
    workgroupBarrier();
    save_norm(group, local, 1u, shift);
}

// Stores BLOCK rows of the inverse at the positions that swaps would have brought them to.
@compute @workgroup_size(WORKGROUP)
fn store_rows(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let m = params.base + group.y;
    let own = group.y * STATE;
    let first = group.x * BLOCK;
    clear_flag(local);
    if state[own + STATUS] == INVERTED {
        var top = NO_BITS;
        for (var p = local; p < PADDED / PACK; p += WORKGROUP) {
            var permutation: array<u32, PACK>;
            for (var c = 0u; c < PACK; c++) {
                permutation[c] = u32(state[own + PERMUTATION + p * PACK + c]);
            }
            for (var row = first; row < min(first + BLOCK, N); row++) {
                let position = u32(state[own + POSITIONS + row]);
                let pack = packs[group.y * (REGION / PACK) + row * PACK_PITCH + p];
                for (var c = 0u; c < PACK; c++) {
                    if p * PACK + c < N {
                        let x = unscaled_at(own, position, permutation[c], from_pack(pack, c));
                        store(m, position, permutation[c], x);
                        top = max(top, largest(as_stored(x)));
                    }
                }
            }
        }
        if top >= INFINITE {
            atomicStore(&flag, 1u);
        }
    }
    workgroupBarrier();
    if local == 0u {
        state[own + STRIP_STATES + 4u * group.x + BAD] = i32(atomicLoad(&flag));
    }
}

// Stores the status, and fills BLOCK rows if the matrix has no inverse.
@compute @workgroup_size(WORKGROUP)
fn finish(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let m = params.base + group.y;
    let own = group.y * STATE;
    let first = group.x * BLOCK;
    clear_flag(local);
    for (var strip = local; strip < STRIPS; strip += WORKGROUP) {
        if state[own + STRIP_STATES + 4u * strip + BAD] != 0i {
            atomicStore(&flag, 1u);
        }
    }
    workgroupBarrier();
    let status = final_status(state[own + STATUS], atomicLoad(&flag) == 0u);
    if group.x == 0u && local == 0u {
        statuses[m] = status;
        if RCOND {
            store_rcond(m, rcond_of(saved_norm(group.y, 0u), saved_norm(group.y, 1u), status));
        }
    }
    if status != INVERTED {
        // A strip may lie wholly in the extension: then nothing is filled.
        for (var e = first * N + local; e < min(first + BLOCK, N) * N; e += WORKGROUP) {
            store_failed(m, e / N, e % N);
        }
    }
}

fn clear_flag(local: u32) {
    if local == 0u {
        atomicStore(&flag, 0u);
    }
    workgroupBarrier();
}

// Element (i, j) of the inverse from that of the scaled matrix. `own` is where the state of the matrix begins.
fn unscaled_at(own: u32, i: u32, j: u32, x: Scalar) -> Word {
    if state[own + SCALING] == 0i {
        return word(x);
    }
    return unscaled(word(x), state[own + COLUMN_EXPONENTS + i], state[own + ROW_EXPONENTS + j]);
}

// The element of the inverse that stands in a row and a column of working memory.
fn inverse_at(here: u32, row: u32, column: u32) -> Word {
    let own = here * STATE;
    let i = u32(state[own + POSITIONS + row]);
    let j = u32(state[own + PERMUTATION + column]);
    return unscaled_at(own, i, j, work[here * REGION + row * PITCH + column]);
}

const ALL_ROWS = 0xffffffffu;
// Above every row and position.
const PLACE = 1u << 14u;
