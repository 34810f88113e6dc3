// The caller asks for determinants. `Determinant` is the twin on the host: a mantissa, whose larger part lies in [1,
// 2), and an exponent, as a scalar.

const DET = true;

@group(0) @binding(8) var<storage, read_write> dets: array<Element>;

// The product of some pivots: mantissa * 2^exponent.
struct Product {
    mantissa: Scalar,
    exponent: i32,
}

fn no_pivots() -> Product {
    return Product(ONE, 0i);
}

// The product with one more pivot, which comes from another row if `exchanged`.
fn times_pivot(product: Product, pivot: Scalar, exchanged: bool) -> Product {
    let own = normalized(pivot);
    let mantissa = mul(product.mantissa, own.mantissa);
    let next = normalized(select(mantissa, neg(mantissa), exchanged));
    return Product(next.mantissa, product.exponent + own.exponent + next.exponent);
}

fn normalized(x: Scalar) -> Product {
    let e = exponent(largest(word(x)));
    return Product(times_power(x, -e), e);
}

// Stores the determinant of a matrix that was scaled by factors with this sum of exponents. `status` is that of the
// matrix alone.
fn store_det(m: u32, product: Product, scale: i32, status: i32) {
    // Rounding to the precision of memory may reach 2.
    let mantissa = as_stored(word(product.mantissa));
    let carry = exponent(largest(mantissa));
    let exponent = word(from_real(Real(product.exponent - scale + carry)));
    let is_number = status == INVERTED;
    let of_failed = select(from_word(word(ZERO)), NAN_ELEMENT, status == NOT_FINITE);
    dets[2u * m] = select(of_failed, from_word(scaled(mantissa, -carry)), is_number);
    dets[2u * m + 1u] = from_word(select(word(ZERO), exponent, is_number));
}
