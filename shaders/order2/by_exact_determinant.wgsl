// Order 2 of `thread` in pairs, by the determinant alone. Products of two numbers of float32 are exact, and so is their
// difference to 48 bits: the determinant is zero only if the matrix is singular to 48 bits, which is all that pivots
// could say. Nothing underflows on the way: of a scaled matrix one product is at least 1, and of any other the
// products are at least 2^(-2 WINDOW).

const HAS_PIVOTS = false;

// Inverts the matrix, or sets its status.
fn by_determinant(a: ptr<function, array<Row, N>>, status: ptr<function, i32>) -> bool {
    let p = (*a)[0][0];
    let q = (*a)[0][1];
    let r = (*a)[1][0];
    let s = (*a)[1][1];
    let determinant = sub_mul(mul(p, s), r, q);
    if is_zero_pivot(*status, max(key(p), key(r))) {
        *status = 1i;
    }
    if is_zero_pivot(*status, key(determinant)) {
        *status = 2i;
    }
    adjugate_over(a, recip(determinant));
    return true;
}
