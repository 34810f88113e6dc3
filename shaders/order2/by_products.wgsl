// Order 2 of `thread` for real matrices: singular exactly if the rounded products of the diagonals are equal. Every
// device rounds a product the same way, so all engines agree: `src/cpu/kernel/order2.rs` has the argument.

// Solutions and determinants of matrices need pivots all the same.
const HAS_PIVOTS = SUBSTITUTES;

// What `refine` needs to know of the matrix, which has changed by then: its determinant, whether it is singular, and
// its second column.
var<private> determinant: Scalar;
var<private> is_singular: bool;
var<private> upper: Scalar;
var<private> lower: Scalar;

// Sets the status of a singular matrix. Inverts the matrix if that is asked for.
fn by_determinant(a: ptr<function, array<Row, N>>, status: ptr<function, i32>) -> bool {
    let p = (*a)[0][0];
    let q = (*a)[0][1];
    let r = (*a)[1][0];
    let s = (*a)[1][1];
    let product = mul(p, s);
    determinant = sub_mul(product, r, q);
    upper = q;
    lower = s;
    // Compared by their bits: a compiler might make one fused difference of two numbers that it compares.
    is_singular = with_plain_zero(word(product)) == with_plain_zero(word(mul(r, q)));
    if is_zero_pivot(*status, max(key(p), key(r))) {
        *status = 1i;
    }
    if is_singular && *status == INVERTED {
        *status = 2i;
    }
    if SUBSTITUTES {
        return false;
    }
    adjugate_over(a, recip(determinant));
    return true;
}

// Takes the second pivot from the determinant where rounding may have made it.
fn refine(a: ptr<function, array<Row, N>>, k: u32, reciprocal: Scalar, exchanged: bool) {
    if k == 0u {
        let computed = (*a)[0][0];
        let beside = select(lower, upper, exchanged);
        // 64 units of roundoff: COARSE is 4.
        let doubt = real(key(beside)) * COARSE * power(4i);
        let pivot = mul(determinant, reciprocal);
        let refined = select(select(pivot, neg(pivot), exchanged), ZERO, is_singular);
        (*a)[0][0] = select(refined, computed, key(computed) > bits(doubt));
    }
}
