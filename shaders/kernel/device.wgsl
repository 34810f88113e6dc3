// device: the matrix stays in memory, and many workgroups share it. Blocked Gauss-Jordan elimination in four programs.
//
// `load` brings the matrix into working memory, scaled where it must be, and extended by the identity to PADDED rows and
// columns. Then for every BLOCK of columns: `panel` eliminates these columns alone, by one workgroup for each matrix;
// `update` takes all their steps to the rest of the matrix in one pass, by many. BLOCK steps make a transformation that
// differs from the identity in BLOCK columns, those that in-place elimination leaves in the panel: W. So the pivots'
// rows are set aside as P and count as zero, and every row takes a[i] += W[i] P. `store` brings the inverse home.
//
// Rows never move: every row knows the position that exchanges would have brought it to.

// For each matrix PADDED rows, and BLOCK more for P.
@group(0) @binding(4) var<storage, read_write> work: array<Scalar>;
@group(0) @binding(5) var<storage, read_write> state: array<i32>;

const REGION = PADDED * (PADDED + BLOCK);

// The state of a matrix: four words, then PADDED of each of the others.
const STATUS = 0u;
const UNUSUAL = 1u;
const FIRST_SMALL = 2u;
// The first column that no panel has taken.
const COLUMN = 3u;
const POSITIONS = 4u;
// The row that became row k.
const ORIGINS = POSITIONS + PADDED;
const ROW_EXPONENTS = ORIGINS + PADDED;
const COLUMN_EXPONENTS = ROW_EXPONENTS + PADDED;
const STATE = COLUMN_EXPONENTS + PADDED;

var<workgroup> keys: array<Bits, WORKGROUP>;
var<workgroup> others: array<Bits, WORKGROUP>;
var<workgroup> places: array<vec2<u32>, WORKGROUP>;
var<workgroup> pivot_row: array<Scalar, BLOCK>;
var<workgroup> flag: atomic<u32>;

@compute @workgroup_size(WORKGROUP)
fn load_matrix(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let m = params.base + group.y;
    let own = group.y * STATE;
    var top = NO_BITS;
    var bottom = ALL_BITS;
    for (var e = local; e < N * N; e += WORKGROUP) {
        let x = load(m, e / N, e % N);
        top = max(top, largest(x));
        bottom = min(bottom, smallest_less_one(x));
    }
    keys[local] = top;
    others[local] = bottom;
    if local == 0u {
        atomicStore(&flag, N);
    }
    workgroupBarrier();
    for (var i = 0u; i < WORKGROUP; i++) {
        top = max(top, keys[i]);
        bottom = min(bottom, others[i]);
    }
    let finite = top < INFINITE;
    // An all-zero matrix has no bottom.
    let unusual = finite && top > NO_BITS && (top > HIGH || bottom < LOW - ONE_BIT);

    // Power-of-two factors, as `src/cpu/scaling.rs` has them: one for all where that will do, else rows and then
    // columns to a largest part in [1, 2).
    let low = exponent(bottom + ONE_BIT);
    let high = exponent(top);
    let one_will_do = high - low <= 2i * WINDOW - 2i;
    for (var i = local; i < PADDED; i += WORKGROUP) {
        state[own + POSITIONS + i] = i32(i);
        state[own + ORIGINS + i] = i32(i);
        var e = 0i;
        if unusual && i < N {
            var largest_part = NO_BITS;
            for (var j = 0u; j < N; j++) {
                largest_part = max(largest_part, largest(load(m, i, j)));
            }
            e = select(select(0i, -exponent(largest_part), largest_part > NO_BITS), WINDOW - 1i - high, one_will_do);
        }
        state[own + ROW_EXPONENTS + i] = e;
    }
    storageBarrier();
    for (var j = local; j < PADDED; j += WORKGROUP) {
        var e = 0i;
        if unusual && j < N {
            var highest = LOWEST_EXPONENT;
            for (var i = 0u; i < N; i++) {
                let part = largest(load(m, i, j));
                highest = max(highest, select(LOWEST_EXPONENT, exponent(part) + state[own + ROW_EXPONENTS + i], part > NO_BITS));
            }
            e = select(select(-highest, 0i, one_will_do), EMPTY, highest == LOWEST_EXPONENT);
        }
        state[own + COLUMN_EXPONENTS + j] = e;
    }
    storageBarrier();

    let lowest = select(-WINDOW, -1i, one_will_do);
    for (var p = local; p < PADDED * PADDED; p += WORKGROUP) {
        let i = p / PADDED;
        let j = p % PADDED;
        var x = select(ZERO, ONE, i == j);
        if i < N && j < N {
            let given = load(m, i, j);
            x = scalar(given);
            if unusual {
                let e = state[own + ROW_EXPONENTS + i] + state[own + COLUMN_EXPONENTS + j];
                if small(given, e, lowest) {
                    atomicMin(&flag, j);
                }
                x = scalar(flushed(given, e));
            }
        }
        work[group.y * REGION + p] = x;
    }
    workgroupBarrier();
    if local == 0u {
        state[own + STATUS] = select(NOT_FINITE, INVERTED, finite);
        state[own + UNUSUAL] = select(0i, 1i, unusual);
        state[own + FIRST_SMALL] = i32(atomicLoad(&flag));
        state[own + COLUMN] = 0i;
    }
}

// An invocation holds ROWS rows of the panel in its registers. The panel rolls, as in `thread`: the pivot column is
// always column 0, each result goes one column to the left, and the new column of the inverse enters at the right.
@compute @workgroup_size(WORKGROUP)
fn panel(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let own = group.y * STATE;
    let region = group.y * REGION;
    let first = u32(state[own + COLUMN]);
    var status = state[own + STATUS];
    let first_small = u32(state[own + FIRST_SMALL]);

    var v: array<array<Scalar, BLOCK>, ROWS>;
    var position: array<u32, ROWS>;
    for (var i = 0u; i < ROWS; i++) {
        let row = local + i * WORKGROUP;
        position[i] = ALL_ROWS;
        if row < PADDED {
            position[i] = u32(state[own + POSITIONS + row]);
            for (var c = 0u; c < BLOCK; c++) {
                v[i][c] = work[region + row * PADDED + first + c];
            }
        }
    }

    for (var k = first; k < first + BLOCK; k++) {
        // The first maximum among the positions still to be chosen: of the own rows, then of all. A row of the
        // extension is never exchanged with one of the matrix, not even where the update has made NaN of it.
        var best = NO_BITS;
        var place = vec2<u32>(ALL_ROWS, 0u);
        for (var i = 0u; i < ROWS; i++) {
            let row = local + i * WORKGROUP;
            let candidate = select(key(v[i][0]), NO_BITS, row >= N && k < N);
            let open = position[i] >= k && position[i] < PADDED;
            let better = open && (candidate > best || (candidate == best && position[i] < place.x));
            best = select(best, candidate, better);
            place = select(place, vec2<u32>(position[i], row), better);
        }
        keys[local] = best;
        places[local] = place;
        workgroupBarrier();
        best = keys[0];
        place = places[0];
        for (var i = 1u; i < WORKGROUP; i++) {
            let better = keys[i] > best || (keys[i] == best && places[i].x < place.x);
            best = select(best, keys[i], better);
            place = select(place, places[i], better);
        }
        if best == NO_BITS && status == INVERTED {
            let proven = k < first_small || state[own + COLUMN_EXPONENTS + k] == EMPTY;
            status = select(NOT_FINITE, i32(k) + 1i, proven);
        }
        status = select(status, NOT_FINITE, status == INVERTED && best > LARGEST_PIVOT);

        // The pivot row over the pivot, as the update wants it.
        for (var i = 0u; i < ROWS; i++) {
            if position[i] == place.x {
                let reciprocal = recip(v[i][0]);
                for (var c = 1u; c < BLOCK; c++) {
                    pivot_row[c - 1u] = mul(v[i][c], reciprocal);
                }
                pivot_row[BLOCK - 1u] = reciprocal;
            }
        }
        if local == 0u {
            state[own + ORIGINS + k] = i32(place.y);
        }
        workgroupBarrier();

        var q: array<Scalar, BLOCK>;
        for (var c = 0u; c < BLOCK; c++) {
            q[c] = pivot_row[c];
        }
        for (var i = 0u; i < ROWS; i++) {
            let chosen = position[i] == place.x;
            let f = v[i][0];
            for (var c = 1u; c < BLOCK; c++) {
                v[i][c - 1u] = select(sub_mul(v[i][c], f, q[c - 1u]), q[c - 1u], chosen);
            }
            v[i][BLOCK - 1u] = select(neg(mul(f, q[BLOCK - 1u])), q[BLOCK - 1u], chosen);
            position[i] = select(select(position[i], place.x, position[i] == k), k, chosen);
        }
    }

    for (var i = 0u; i < ROWS; i++) {
        let row = local + i * WORKGROUP;
        if row < PADDED {
            state[own + POSITIONS + row] = i32(position[i]);
            for (var c = 0u; c < BLOCK; c++) {
                work[region + row * PADDED + first + c] = v[i][c];
            }
        }
    }
    storageBarrier();
    if local == 0u {
        state[own + STATUS] = status;
        state[own + COLUMN] = i32(first + BLOCK);
    }
    for (var e = local; e < BLOCK * PADDED; e += WORKGROUP) {
        let pivot = u32(state[own + ORIGINS + first + e / PADDED]);
        work[region + PADDED * PADDED + e] = work[region + pivot * PADDED + e % PADDED];
    }
}

// Working memory again, as `update` sees it: several neighbors of a row at once.
@group(0) @binding(4) var<storage, read_write> packs: array<Pack>;

const PACKS = PADDED / PACK;

// A workgroup has TILE_ROWS rows; an invocation TILE_PACKS packs of each, LINE apart.
@compute @workgroup_size(LINE)
fn update(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let region = group.y * (REGION / PACK);
    let first = u32(state[group.y * STATE + COLUMN]) - BLOCK;
    let across = (PACKS + LINE * TILE_PACKS - 1u) / (LINE * TILE_PACKS);
    let top_row = group.x / across * TILE_ROWS;
    let left = group.x % across * (LINE * TILE_PACKS) + local;
    if left >= PACKS {
        return;
    }

    var sums: array<array<Pack, TILE_PACKS>, TILE_ROWS>;
    for (var r = 0u; r < TILE_ROWS; r++) {
        let position = u32(state[group.y * STATE + POSITIONS + top_row + r]);
        let pivot = position >= first && position < first + BLOCK;
        for (var c = 0u; c < TILE_PACKS; c++) {
            let j = min(left + c * LINE, PACKS - 1u);
            sums[r][c] = select(packs[region + (top_row + r) * PACKS + j], Pack(), pivot);
        }
    }
    for (var b = 0u; b < BLOCK / PACK; b++) {
        var f: array<Pack, TILE_ROWS>;
        for (var r = 0u; r < TILE_ROWS; r++) {
            f[r] = -packs[region + (top_row + r) * PACKS + first / PACK + b];
        }
        for (var i = 0u; i < PACK; i++) {
            for (var c = 0u; c < TILE_PACKS; c++) {
                let p = packs[region + (PADDED + b * PACK + i) * PACKS + min(left + c * LINE, PACKS - 1u)];
                for (var r = 0u; r < TILE_ROWS; r++) {
                    sums[r][c] = pack_sub_mul(sums[r][c], of_pack(f[r], i), p);
                }
            }
        }
    }
    for (var c = 0u; c < TILE_PACKS; c++) {
        let j = left + c * LINE;
        if j < PACKS && (j * PACK < first || j * PACK >= first + BLOCK) {
            for (var r = 0u; r < TILE_ROWS; r++) {
                packs[region + (top_row + r) * PACKS + j] = sums[r][c];
            }
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn store_inverse(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let m = params.base + group.y;
    let own = group.y * STATE;
    var status = state[own + STATUS];
    let unusual = state[own + UNUSUAL] != 0i;
    if local == 0u {
        atomicStore(&flag, 0u);
    }
    workgroupBarrier();
    if status == INVERTED {
        var finite = true;
        for (var e = local; e < N * N; e += WORKGROUP) {
            finite = finite && fits(home(group.y, unusual, e / N, e % N));
        }
        if !finite {
            atomicStore(&flag, 1u);
        }
    }
    workgroupBarrier();
    if status == INVERTED && atomicLoad(&flag) != 0u {
        status = NOT_FINITE;
    }
    if local == 0u {
        statuses[m] = status;
    }
    for (var e = local; e < N * N; e += WORKGROUP) {
        let i = u32(state[own + POSITIONS + e / N]);
        let j = u32(state[own + ORIGINS + e % N]);
        if status == INVERTED {
            store(m, i, j, home(group.y, unusual, e / N, e % N));
        } else {
            store_nan(m, i, j);
        }
    }
}

// An element of the inverse from where it lies in working memory, with the scaling undone.
fn home(here: u32, unusual: bool, row: u32, column: u32) -> Word {
    let x = word(work[here * REGION + row * PADDED + column]);
    if !unusual {
        return x;
    }
    let i = u32(state[here * STATE + POSITIONS + row]);
    let j = u32(state[here * STATE + ORIGINS + column]);
    return scaled(x, state[here * STATE + COLUMN_EXPONENTS + i] + state[here * STATE + ROW_EXPONENTS + j]);
}

const ALL_ROWS = 0xffffffffu;
