// thread: one invocation holds a whole matrix in its registers and eliminates by rolling.
//
// A step swaps the pivot row with row 0, divides it by the pivot, subtracts multiples of it from the other rows,
// and writes every result one column to the left and one row up. The pivot column is thus always column 0, and the
// rows that are not yet chosen always come first. Step 1 of 4, with the pivot column p, columns x to be eliminated
// and finished columns o:
//
//     p x x o   pivot row, after the swap         x x o n
//     p x x o                                     x x o n
//     p x x o                              ->     x x o n   chosen at step 0
//     p x x o   chosen at step 0                  x x o n   pivot row
//
// The new column n enters at the right. After N steps the matrix has turned once and every element is back in its
// place. Loops over rows and columns are written out (`src/gpu/written_out.rs`), so that every index is a number and
// the matrix stays in registers. Small orders also have their steps written out: nothing then moves, since a row that
// goes up only changes its name, and a step does not even look at the rows that are chosen.
//
// Swaps of rows are not undone. `permutation[k]` is the row of the input that became row k; column k of the inverse
// belongs to the column of that number.
//
// If the operation has riding columns, they follow the N columns in each row: see `shaders/op/`. They are scaled by a
// power of two for each column; `src/data/scaling.rs` says why.
//
// Order 2 goes by its determinant where that can be trusted: see `shaders/order2/`.

const ROW_LENGTH = N + RIDING;
alias Row = array<Scalar, ROW_LENGTH>;

@compute @workgroup_size(MATRICES)
fn main(
    @builtin(local_invocation_index) local: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    if local >= matrices_here(group, groups) {
        return;
    }
    let m = first_matrix(group, groups) + local;
    var verdict = INVERTED;
    // The riding columns from `first` on go through all steps with the matrix.
    for (var tile = 0u; tile < TILES; tile++) { // written out if ONE_TILE
        let first = tile * RIDING;

        // Code that only a few matrices go through stays in loops, because all matrices pay for its registers.
        let rolled = counted(N);
        var a: array<Row, N>;
        var permutation: array<u32, N>;
        var top = NO_BITS;
        var bottom = ALL_BITS;
        // Column sums, for rcond.
        var sums = array<Real, N>();
        // The largest magnitude of each riding column, and the smallest of all.
        var rhs_tops = array<Bits, RIDING + 1u>();
        var rhs_bottom = ALL_BITS;
        for (var i = 0u; i < counted(N); i++) { // written out if STEPS_OUT
            roll(&a);
            for (var j = 0u; j < N; j++) { // written out
                let x = load(m, i, j);
                if RCOND {
                    sums[j] += modulus(x);
                }
                a[N - 1u][j] = scalar(x);
                top = max(top, largest(x));
                bottom = min(bottom, smallest_less_one(x));
            }
            for (var c = 0u; c < RIDING; c++) { // written out
                let x = riding(m, i, first + c);
                a[N - 1u][N + c] = scalar(x);
                rhs_tops[c] = max(rhs_tops[c], largest(x));
                rhs_bottom = min(rhs_bottom, smallest_less_one(x));
            }
        }
        for (var i = 0u; i < N; i++) { // written out
            permutation[i] = i;
        }

        var input_norm: Norm;
        if RCOND {
            let shift = norm_shift_of(top);
            var highest = take_largest(&sums);
            if shift != 0i {
                highest = NO_BITS;
                for (var j = 0u; j < rolled; j++) {
                    highest = max(highest, input_sum(m, rolled, j, shift));
                }
            }
            input_norm = norm_of(highest, shift);
        }

        var status = input_status(top);
        let scaling = status == INVERTED && needs_scaling(bottom, top);
        var exponents = array<i32, N>();
        var first_small = N;
        if scaling {
            let lowest = find_exponents(m, rolled, bottom, top, &exponents);
            for (var i = 0u; i < rolled; i++) {
                var row: Row;
                for (var j = 0u; j < rolled; j++) {
                    let x = load(m, i, j);
                    let e = of_row(exponents[i]) + of_column(exponents[j]);
                    first_small = min(first_small, select(N, j, small(x, e, lowest)));
                    for (var c = 1u; c < N; c++) { // written out
                        row[c - 1u] = row[c];
                    }
                    row[N - 1u] = scalar(flushed(x, e));
                }
                roll(&a);
                a[N - 1u] = row;
            }
        }
        // The exponents of the factors of riding columns. As long as no element needs care, factors are real numbers.
        var shifts = array<i32, RIDING + 1u>();
        var rhs_top = NO_BITS;
        for (var c = 0u; c < RIDING; c++) { // written out
            rhs_top = max(rhs_top, rhs_tops[c]);
            shifts[c] = select(-exponent(rhs_tops[c]), 0i, rhs_tops[c] == NO_BITS);
        }
        var plain = !scaling && !needs_scaling(rhs_bottom, rhs_top);
        if RIDES { // left out if not
            if plain {
                for (var c = 0u; c < RIDING; c++) { // written out
                    for (var i = 0u; i < N; i++) { // written out
                        a[i][N + c] = a[i][N + c] * power(shifts[c]);
                    }
                }
            } else {
                for (var c = 0u; c < RIDING; c++) { // written out
                    shifts[c] = rhs_shift(m, rolled, first + c, &exponents);
                }
                for (var i = 0u; i < rolled; i++) {
                    var row = a[0];
                    for (var c = 0u; c < RIDING; c++) { // written out
                        row[N + c] = scalar(flushed(riding(m, i, first + c), of_row(exponents[i]) + shifts[c]));
                    }
                    roll(&a);
                    a[N - 1u] = row;
                }
            }
        }

        var product = no_pivots();
        let inverted = status == INVERTED && by_determinant(&a, &status);
        if HAS_PIVOTS { // left out if not
            if !inverted {
                for (var k = 0u; k < counted(N); k++) { // written out if STEPS_OUT
                    // The pivot is the first maximum of column 0 among the N - k rows that are not yet chosen.
                    var best = key(a[0][0]);
                    var pivot = 0u;
                    for (var i = 1u; i < N; i++) { // written out
                        let candidate = key(a[i][0]);
                        let better = i + k < N && candidate > best;
                        best = select(best, candidate, better);
                        pivot = select(pivot, i, better);
                    }
                    if is_zero_pivot(status, best) {
                        status = zero_pivot_status(k, first_small, of_column(exponents[k]) == EMPTY);
                    }
                    status = reject_large_pivot(status, best);

                    // Take the pivot row out as p, and put row 0 in its place.
                    var p: Row;
                    var p_permutation = permutation[0];
                    for (var j = 0u; j < ROW_LENGTH; j++) { // written out
                        p[j] = a[0][j];
                    }
                    for (var i = 1u; i < N; i++) { // written out
                        let here = i + k < N && i == pivot;
                        for (var j = 0u; j < ROW_LENGTH; j++) { // written out
                            let x = a[i][j];
                            a[i][j] = select(x, a[0][j], here);
                            p[j] = select(p[j], x, here);
                        }
                        let own = permutation[i];
                        permutation[i] = select(own, permutation[0], here);
                        p_permutation = select(p_permutation, own, here);
                    }

                    if DET {
                        product = times_pivot(product, p[0], pivot > 0u);
                    }

                    // q is the pivot row divided by the pivot, one column to the left.
                    let reciprocal = recip(p[0]);
                    var q: Row;
                    for (var j = 1u; j < N; j++) { // written out
                        q[j - 1u] = mul(p[j], reciprocal);
                    }
                    q[N - 1u] = entering_pivot_row(reciprocal);
                    for (var j = N; j < ROW_LENGTH; j++) { // written out
                        q[j] = mul(p[j], reciprocal);
                    }

                    for (var i = 1u; i < N; i++) { // written out
                        let own = a[i][0];
                        let chosen = i + k >= N;
                        let f = step_factor(own, chosen);
                        for (var j = 1u; j < N; j++) { // written out
                            a[i - 1u][j - 1u] = sub_mul(a[i][j], f, q[j - 1u]);
                        }
                        a[i - 1u][N - 1u] = entering(own, chosen, reciprocal);
                        for (var j = N; j < ROW_LENGTH; j++) { // written out
                            a[i - 1u][j] = sub_mul(a[i][j], f, q[j]);
                        }
                        permutation[i - 1u] = permutation[i];
                    }
                    for (var j = 0u; j < ROW_LENGTH; j++) { // written out
                        a[N - 1u][j] = q[j];
                    }
                    permutation[N - 1u] = p_permutation;
                    refine(&a, k, reciprocal, pivot > 0u);
                }
            }
        }
        if DET { // left out if not
            var scale = 0i;
            for (var i = 0u; i < select(0u, rolled, scaling); i++) {
                scale += of_row(exponents[i]) + of_column(exponents[i]);
            }
            store_det(m, product, scale, status);
        }
        if RIDES { // left out if not
            substitute_back(&a);
            // A product may only be rounded once.
            var lowest = ALL_BITS;
            for (var i = 0u; i < N; i++) { // written out
                for (var c = 0u; c < RIDING; c++) { // written out
                    lowest = min(lowest, smallest_less_one(word(a[i][c])));
                }
            }
            plain = plain && lowest >= bits(power(MIN_EXPONENT + WINDOW)) - ONE_BIT;
            if plain {
                for (var c = 0u; c < RIDING; c++) { // written out
                    for (var i = 0u; i < N; i++) { // written out
                        a[i][c] = a[i][c] * power(-shifts[c]);
                    }
                }
            } else {
                for (var i = 0u; i < rolled; i++) {
                    var row = a[0];
                    for (var c = 0u; c < RIDING; c++) { // written out
                        row[c] = scalar(unscaled(word(row[c]), of_column(exponents[i]), -shifts[c]));
                    }
                    roll(&a);
                    a[N - 1u] = row;
                }
            }
        }

        top = NO_BITS;
        var four: array<Element, 4>;
        for (var i = 0u; i < counted(N); i++) { // written out if STEPS_OUT
            for (var k = 0u; k < RESULT_COLUMNS; k++) { // written out
                if first + k < RESULT_WIDTH {
                    var x = word(a[0][k]);
                    if SUBSTITUTES {
                        x = with_plain_zero(x);
                    }
                    // There may be more riding columns than rows.
                    let row = min(k, N - 1u);
                    let column = result_column(first + k, permutation[row]);
                    if STORES_VEC4 { // left out if not
                        let element = from_word(x);
                        for (var j = 0u; j < N; j++) { // written out
                            let place = (i * N + j) % 4u;
                            four[place] = select(four[place], element, j == column);
                        }
                    }
                    if !STORES_VEC4 { // left out if not
                        store(m, i, column, x);
                    }
                    top = max(top, largest(as_stored(x)));
                    if RCOND {
                        sums[row] += modulus(as_stored(x));
                    }
                }
            }
            if STORES_VEC4 { // left out if not
                if (i * N + N) % 4u == 0u {
                    store_vec4(m, i, four);
                }
            }
            roll(&a);
        }
        if !SUBSTITUTES && scaling && status == INVERTED {
            top = NO_BITS;
            for (var i = 0u; i < rolled; i++) {
                for (var j = 0u; j < rolled; j++) {
                    let x = unscaled(stored(m, i, j), of_column(exponents[i]), of_row(exponents[j]));
                    store(m, i, j, x);
                    top = max(top, largest(as_stored(x)));
                }
            }
        }
        status = final_status(status, top < INFINITE);
        status = worse(verdict, select(status, NOT_FINITE, rhs_top >= INFINITE));
        statuses[m] = status;
        if RCOND {
            let shift = norm_shift_of(top);
            var highest = take_largest(&sums);
            if scaling || shift != 0i {
                highest = NO_BITS;
                for (var j = 0u; j < rolled; j++) {
                    highest = max(highest, stored_sum(m, rolled, j, shift));
                }
            }
            store_rcond(m, rcond_of(input_norm, norm_of(highest, shift), status));
        }
        // Columns of earlier tiles fail with this one.
        let start = select(first, 0u, verdict == INVERTED);
        let filled = min(first + RESULT_COLUMNS, RESULT_WIDTH) - start;
        for (var e = 0u; e < select(0u, N * filled, status != INVERTED); e++) {
            store_failed(m, e / max(filled, 1u), start + e % max(filled, 1u));
        }
        verdict = status;
    }
}

// Returns the largest column sum and resets all of them to zero.
fn take_largest(sums: ptr<function, array<Real, N>>) -> Bits {
    var highest = NO_BITS;
    for (var j = 0u; j < N; j++) { // written out
        highest = max(highest, bits((*sums)[j]));
        (*sums)[j] = REAL_ZERO;
    }
    return highest;
}

// Moves every row one up.
fn roll(a: ptr<function, array<Row, N>>) {
    for (var i = 1u; i < N; i++) { // written out
        (*a)[i - 1u] = (*a)[i];
    }
}

// Solves the riding columns from the last row up, row i for unknown i, and moves them to the front. The rows hold
// an upper triangle with a unit diagonal.
fn substitute_back(a: ptr<function, array<Row, N>>) {
    for (var s = 1u; s < N; s++) { // written out
        let j = N - s;
        for (var i = 0u; i < N - 1u; i++) { // written out
            for (var c = N; c < ROW_LENGTH; c++) { // written out
                (*a)[i][c] = select((*a)[i][c], sub_mul((*a)[i][c], (*a)[i][j], (*a)[j][c]), i < j);
            }
        }
    }
    for (var i = 0u; i < N; i++) { // written out
        for (var c = 0u; c < RIDING; c++) { // written out
            (*a)[i][c] = (*a)[i][N + c];
        }
    }
}

// The exponent of the factor of a riding column, given those of the matrix.
fn rhs_shift(m: u32, n: u32, c: u32, exponents: ptr<function, array<i32, N>>) -> i32 {
    var range = EMPTY_RANGE;
    var least = EMPTY;
    for (var i = 0u; i < n; i++) {
        range = with_element(range, riding(m, i, c), of_row((*exponents)[i]));
        least = min(least, of_column((*exponents)[i]));
    }
    return rhs_exponent(range, least);
}
