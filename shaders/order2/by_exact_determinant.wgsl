// Order 2 of `thread` in pairs. The products of two numbers of float32 are exact, so the computed determinant is zero
// only if the matrix is singular, and no pivot is needed to say so. Nothing underflows on the way: products are zero or
// at least 2^(-2 WINDOW), and where rows and columns are scaled, one is at least 1 unless a row or a column is zero.

// Solutions and determinants of matrices need pivots all the same.
const HAS_PIVOTS = SUBSTITUTES;

// The determinant of the matrix as it was loaded.
var<private> exact: Scalar;

// Sets the status of a singular matrix. Inverts the matrix if that is asked for.
fn by_determinant(a: ptr<function, array<Row, N>>, status: ptr<function, i32>) -> bool {
    let p = (*a)[0][0];
    let q = (*a)[0][1];
    let r = (*a)[1][0];
    let s = (*a)[1][1];
    exact = sub_mul(mul(p, s), r, q);
    if is_zero_pivot(*status, max(key(p), key(r))) {
        *status = 1i;
    }
    if is_zero_pivot(*status, key(exact)) {
        *status = 2i;
    }
    if SUBSTITUTES {
        return false;
    }
    adjugate_over(a, recip(exact));
    return true;
}

// Takes the second pivot from the determinant. Elimination may lose all of its digits, and even find zero.
fn refine(a: ptr<function, array<Row, N>>, k: u32, reciprocal: Scalar, exchanged: bool) {
    if k == 0u {
        let pivot = mul(exact, reciprocal);
        (*a)[0][0] = select(pivot, neg(pivot), exchanged);
    }
}
