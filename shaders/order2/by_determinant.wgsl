// Order 2 of `thread` for complex matrices, by the determinant: fewer steps, and zeros of a triangular matrix stay
// zeros. `src/cpu/kernel/order2.rs` has the argument.

const HAS_PIVOTS = true;

// Inverts the matrix if its determinant can be trusted: it is not small beside its products, so that no computed
// pivot is zero, nor near underflow. Otherwise returns false and leaves the matrix to the pivots, which alone say if
// it is singular.
fn by_determinant(a: ptr<function, array<Row, N>>, status: ptr<function, i32>) -> bool {
    let p = (*a)[0][0];
    let q = (*a)[0][1];
    let r = (*a)[1][0];
    let s = (*a)[1][1];
    let product = mul(p, s);
    let determinant = sub_mul(product, r, q);
    let products = real(key(product)) + real(key(mul(r, q)));
    // If the computed second pivot is zero, the determinant is at most a few units of roundoff times the products. Here
    // it must be above 16; COARSE is 4.
    let twice = products + products;
    let least = COARSE * (twice + twice) + power(MIN_EXPONENT + i32(FRACTION_WIDTH) + 1i);
    if key(determinant) <= bits(least) || key(determinant) >= INFINITE {
        return false;
    }
    adjugate_over(a, recip(determinant));
    return true;
}

fn refine(a: ptr<function, array<Row, N>>, k: u32, reciprocal: Scalar, exchanged: bool) {}
