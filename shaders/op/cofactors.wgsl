// The operation `cofactors`: the cofactor matrix C of a matrix of order 1 to 3, with A^-1 = transpose(C) / det A where
// A has an inverse. It eliminates nothing, so it comes with a `main` of its own: one invocation takes a matrix, as in
// `thread`.
//
// A cofactor of order 3 is p s - q r for four elements. Indices that wrap around give it the right sign:
//
//     . . .
//     . p q   ->   cofactor (0, 0)
//     . r s

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
    var a: array<array<Word, N>, N>;
    var top = NO_BITS;
    var bottom = ALL_BITS;
    for (var i = 0u; i < N; i++) { // written out
        for (var j = 0u; j < N; j++) { // written out
            let x = load(m, i, j);
            a[i][j] = x;
            top = max(top, largest(x));
            bottom = min(bottom, smallest_less_one(x));
        }
    }
    var status = input_status(top);
    let plain = !needs_scaling(bottom, top);
    top = NO_BITS;
    for (var i = 0u; i < N; i++) { // written out
        for (var j = 0u; j < N; j++) { // written out
            var x = word(ONE);
            if N == 2u {
                let opposite = a[(i + 1u) % N][(j + 1u) % N];
                x = select(opposite, negated(opposite), i != j);
            }
            if N == 3u {
                let p = a[(i + 1u) % N][(j + 1u) % N];
                let q = a[(i + 1u) % N][(j + 2u) % N];
                let r = a[(i + 2u) % N][(j + 1u) % N];
                let s = a[(i + 2u) % N][(j + 2u) % N];
                if plain {
                    x = word(sub_mul(mul(scalar(p), scalar(s)), scalar(q), scalar(r)));
                } else {
                    x = by_exponents(p, q, r, s);
                }
            }
            store(m, i, j, x);
            top = max(top, largest(as_stored(x)));
        }
    }
    status = final_status(status, top < INFINITE);
    statuses[m] = status;
    for (var e = 0u; e < select(0u, N * N, status != INVERTED); e++) {
        store_failed(m, e / N, e % N);
    }
}

// p s - q r at any magnitude, by significands and exponents: only the shift at the end overflows or underflows.
fn by_exponents(p: Word, q: Word, r: Word, s: Word) -> Word {
    let of_p = own_exponent(p);
    let of_q = own_exponent(q);
    let e = max(of_p + own_exponent(s), of_q + own_exponent(r));
    // Both products have a factor of zero.
    if e <= LOWEST_EXPONENT / 2i {
        return word(ZERO);
    }
    let product = mul(scalar(flushed(p, -of_p)), scalar(flushed(s, of_p - e)));
    return scaled(word(sub_mul(product, scalar(flushed(q, -of_q)), scalar(flushed(r, of_q - e)))), e);
}

fn own_exponent(x: Word) -> i32 {
    return select(exponent(largest(x)), LOWEST_EXPONENT, largest(x) == NO_BITS);
}

fn given_result(m: u32, i: u32, j: u32) -> Element {
    return given(m, i, j);
}
