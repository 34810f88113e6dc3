// thread: one invocation inverts one matrix in its registers, by rolling elimination.
//
// The working matrix is kept turned so that the pivot column is always column 0 and the rows still to be chosen
// come first. A step exchanges the pivot row with row 0, and writes every result one column to the left and one row
// up: the eliminated rows move up, the pivot row goes to the bottom, and the new column of the inverse enters at
// the right. After N steps the matrix has turned once and stands right again. So every index in the inner loops is a
// loop constant, the driver unrolls them and keeps the matrix in registers; only the step is counted at run time.
//
// Row exchanges are not undone: `origin` says which row of the input became row k, and that is the column of the
// inverse that stands in column k.

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

    // Loading, scaling and storing roll the rows too, so that each is written down once and not for every row.
    let n = select(counted(N), N, N <= UNROLLED);
    var a: array<array<Scalar, N>, N>;
    var origin: array<u32, N>;
    var top = NO_BITS;
    var bottom = ALL_BITS;
    // Of the columns, for rcond.
    var sums: array<Real, N>;
    for (var i = 0u; i < n; i++) {
        roll(&a);
        for (var j = 0u; j < N; j++) {
            let x = load(m, i, j);
            if RCOND {
                sums[j] += modulus(x);
            }
            a[N - 1u][j] = scalar(x);
            top = max(top, largest(x));
            bottom = min(bottom, smallest_less_one(x));
        }
    }
    for (var i = 0u; i < N; i++) {
        origin[i] = i;
    }

    var of_input: Norm;
    if RCOND {
        let shift = norm_shift_of(top);
        var highest = largest_sum(&sums);
        if shift != 0i {
            highest = NO_BITS;
            for (var j = 0u; j < n; j++) {
                highest = max(highest, input_sum(m, n, j, shift));
            }
        }
        of_input = norm_of(highest, shift);
    }

    var status = select(INVERTED, NOT_FINITE, top >= INFINITE);
    // An all-zero matrix has no bottom.
    let unusual = status == INVERTED && top > NO_BITS && (top > HIGH || bottom < LOW - ONE_BIT);
    var rows: array<i32, N>;
    var columns: array<i32, N>;
    var first_small = N;
    if unusual {
        let lowest = exponents(m, n, bottom, top, &rows, &columns);
        for (var i = 0u; i < n; i++) {
            var row: array<Scalar, N>;
            for (var j = 0u; j < n; j++) {
                let x = load(m, i, j);
                let e = rows[i] + columns[j];
                first_small = min(first_small, select(N, j, small(x, e, lowest)));
                for (var c = 1u; c < N; c++) {
                    row[c - 1u] = row[c];
                }
                row[N - 1u] = scalar(flushed(x, e));
            }
            roll(&a);
            a[N - 1u] = row;
        }
    }

    for (var k = 0u; k < n; k++) {
        // The first maximum of column 0 among the N - k rows still to be chosen.
        var best = key(a[0][0]);
        var pivot = 0u;
        for (var i = 1u; i < N; i++) {
            let candidate = key(a[i][0]);
            let better = i + k < N && candidate > best;
            best = select(best, candidate, better);
            pivot = select(pivot, i, better);
        }
        if best == NO_BITS && status == INVERTED {
            status = select(NOT_FINITE, i32(k) + 1i, k < first_small || columns[k] == EMPTY);
        }
        status = select(status, NOT_FINITE, status == INVERTED && best > LARGEST_PIVOT);

        // p: the pivot row. Row 0 goes where it stood.
        var p: array<Scalar, N>;
        var p_origin = origin[0];
        for (var j = 0u; j < N; j++) {
            p[j] = a[0][j];
        }
        for (var i = 1u; i < N; i++) {
            let here = i == pivot;
            for (var j = 0u; j < N; j++) {
                let x = a[i][j];
                a[i][j] = select(x, a[0][j], here);
                p[j] = select(p[j], x, here);
            }
            let own = origin[i];
            origin[i] = select(own, origin[0], here);
            p_origin = select(p_origin, own, here);
        }

        // q: the pivot row over the pivot, one column to the left.
        let reciprocal = recip(p[0]);
        var q: array<Scalar, N>;
        for (var j = 1u; j < N; j++) {
            q[j - 1u] = mul(p[j], reciprocal);
        }
        q[N - 1u] = reciprocal;

        for (var i = 1u; i < N; i++) {
            let f = a[i][0];
            for (var j = 1u; j < N; j++) {
                a[i - 1u][j - 1u] = sub_mul(a[i][j], f, q[j - 1u]);
            }
            a[i - 1u][N - 1u] = neg(mul(f, reciprocal));
            origin[i - 1u] = origin[i];
        }
        for (var j = 0u; j < N; j++) {
            a[N - 1u][j] = q[j];
        }
        origin[N - 1u] = p_origin;
    }

    var finite = true;
    top = NO_BITS;
    for (var i = 0u; i < n; i++) {
        for (var k = 0u; k < N; k++) {
            let x = word(a[0][k]);
            finite = finite && fits(x);
            store(m, i, origin[k], x);
            if RCOND {
                sums[k] += modulus(kept(x));
                top = max(top, largest(kept(x)));
            }
        }
        roll(&a);
    }
    if unusual && status == INVERTED {
        top = NO_BITS;
        for (var i = 0u; i < n; i++) {
            for (var j = 0u; j < n; j++) {
                let x = scaled(stored(m, i, j), columns[i] + rows[j]);
                finite = finite && fits(x);
                store(m, i, j, x);
                top = max(top, largest(kept(x)));
            }
        }
    }
    status = select(status, NOT_FINITE, status == INVERTED && !finite);
    statuses[m] = status;
    if RCOND {
        let shift = norm_shift_of(top);
        var highest = largest_sum(&sums);
        if unusual || shift != 0i {
            highest = NO_BITS;
            for (var j = 0u; j < n; j++) {
                highest = max(highest, stored_sum(m, n, j, shift));
            }
        }
        store_rcond(m, rcond_of(of_input, norm_of(highest, shift), status));
    }
    let fill = select(0u, N * N, status != INVERTED);
    for (var e = 0u; e < fill; e++) {
        store_nan(m, e / N, e % N);
    }
}

// Up to this order, a driver may unroll everything: what is written down once more is little.
const UNROLLED = 4u;

// Which begin again at zero.
fn largest_sum(sums: ptr<function, array<Real, N>>) -> Bits {
    var highest = NO_BITS;
    for (var j = 0u; j < N; j++) {
        highest = max(highest, bits((*sums)[j]));
        (*sums)[j] = REAL_ZERO;
    }
    return highest;
}

// Every row one up.
fn roll(a: ptr<function, array<array<Scalar, N>, N>>) {
    for (var i = 1u; i < N; i++) {
        (*a)[i - 1u] = (*a)[i];
    }
}
