// 1-norms, and the reciprocal condition number 1 / (||A||_1 ||X||_1).
//
// Moduli are summed of A itself if its largest part lies in the window, otherwise of 2^SHIFT A or 2^-SHIFT A, which
// lies in the middle of the range: sums then neither overflow nor underflow. Elements that the shift flushes to
// zero are smaller than a rounding error of the largest.

// Half the range of exponents.
const SHIFT = (BIAS + 1i) / 2i;

// significand * 2^exponent, with a significand in [1, 2).
struct Norm {
    exponent: i32,
    significand: Real,
}

// The shift for a matrix whose largest part has the exponent `top`.
fn norm_shift(top: i32) -> i32 {
    return select(select(SHIFT, -SHIFT, top > 0i), 0i, abs(top) <= WINDOW);
}

// The same from the largest part, which may be zero.
fn norm_shift_of(top: Bits) -> i32 {
    return norm_shift(exponent(max(top, ONE_BIT)));
}

// The modulus of 2^shift x.
fn shifted_modulus(x: Word, shift: i32) -> Real {
    if shift == 0i {
        return modulus(x);
    }
    return modulus(scaled(x, shift));
}

// The sum of column j of 2^shift A, for a matrix of the input; `n` is N, possibly counted at run time.
fn input_sum(m: u32, n: u32, j: u32, shift: i32) -> Bits {
    var sum = REAL_ZERO;
    for (var i = 0u; i < n; i++) {
        sum += shifted_modulus(load(m, i, j), shift);
    }
    return bits(sum);
}

// The same for a matrix of the output.
fn stored_sum(m: u32, n: u32, j: u32, shift: i32) -> Bits {
    var sum = REAL_ZERO;
    for (var i = 0u; i < n; i++) {
        sum += shifted_modulus(stored(m, i, j), shift);
    }
    return bits(sum);
}

// An element with the precision of the output: storing may round it.
fn as_stored(x: Word) -> Word {
    return to_word(from_word(x));
}

// The norm from the largest sum of a column, which was taken with this shift.
fn norm_of(sum: Bits, shift: i32) -> Norm {
    let e = exponent(max(sum, ONE_BIT));
    return Norm(select(e - shift, LOWEST_EXPONENT, sum == NO_BITS), real(scaled_bits(max(sum, ONE_BIT), -e)));
}

fn larger_norm(a: Norm, b: Norm) -> Norm {
    if b.exponent > a.exponent || (b.exponent == a.exponent && b.significand > a.significand) {
        return b;
    }
    return a;
}

// Rounds three times: the product of the significands, which lies in [1, 4), its reciprocal, and a subnormal
// result.
fn rcond_of(input: Norm, inverse: Norm, status: i32) -> Part {
    let reciprocal = real_reciprocal(input.significand * inverse.significand);
    let rcond = scaled_bits(bits(reciprocal), -input.exponent - inverse.exponent);
    return select(select(NO_PART, NAN_PART, status == NOT_FINITE), narrowed(rcond), status == INVERTED);
}
