// Exact multiplication by powers of two, in integer arithmetic on the bits of a real, for either width of `Bits`.

// Below every exponent.
const LOWEST_EXPONENT = -10000i;

// floor(log2) of a nonzero finite magnitude, which may be subnormal. The result is unspecified for other
// magnitudes.
fn exponent(magnitude: Bits) -> i32 {
    let biased = i32(magnitude >> FRACTION_WIDTH);
    let subnormal = i32(highest_bit(magnitude)) + MIN_EXPONENT - i32(FRACTION_WIDTH);
    return select(subnormal, biased - BIAS, biased > 0i);
}

// 2^e, which must be a normal number.
fn power(e: i32) -> Real {
    return real(integer(e + BIAS) << FRACTION_WIDTH);
}

// x * 2^e, rounded to nearest even if the result is subnormal.
fn scaled_bits(x: Bits, e: i32) -> Bits {
    let magnitude = x & MAGNITUDE;
    let below = MIN_EXPONENT - exponent(magnitude) - e;
    if magnitude == NO_BITS || magnitude >= INFINITE || below <= 0i {
        return flushed_bits(x, e);
    }
    let sign = x & ~MAGNITUDE;
    let shift = u32(below);
    if shift > FRACTION_WIDTH + 1u {
        return sign;
    }
    let significand = significand(magnitude);
    let quotient = significand >> shift;
    let rest = significand & ((ONE_BIT << shift) - ONE_BIT);
    let half = ONE_BIT << (shift - 1u);
    let up = rest > half || (rest == half && (quotient & ONE_BIT) == ONE_BIT);
    return sign | (quotient + select(NO_BITS, ONE_BIT, up));
}

// x * 2^e, or 0 if that is subnormal. It has no branches, because every element of a scaled matrix passes through
// it.
fn flushed_bits(x: Bits, e: i32) -> Bits {
    let magnitude = x & MAGNITUDE;
    let total = exponent(magnitude) + e;
    let normal = (integer(total + BIAS) << FRACTION_WIDTH) | (significand(magnitude) & FRACTION);
    let finite = (x & ~MAGNITUDE) | select(INFINITE, normal, total <= BIAS);
    return select(select(finite, NO_BITS, total < MIN_EXPONENT), x, magnitude == NO_BITS || magnitude >= INFINITE);
}

// The significand of a nonzero finite magnitude, with its leading bit, which a normal number hides. The result is
// unspecified for other magnitudes.
fn significand(magnitude: Bits) -> Bits {
    let subnormal = magnitude << (FRACTION_WIDTH - min(highest_bit(magnitude), FRACTION_WIDTH));
    return select(subnormal, (magnitude & FRACTION) | (FRACTION + ONE_BIT), magnitude > FRACTION);
}

// Returns whether x * 2^e is nonzero and below 2^lowest.
fn small_bits(x: Bits, e: i32, lowest: i32) -> bool {
    let magnitude = x & MAGNITUDE;
    return magnitude != NO_BITS && exponent(magnitude) + e < lowest;
}

// 1 / x. WGSL promises only 2.5 ulp for a division; a step of Newton's iteration reduces that to about 1 ulp. Most
// devices divide with an error of half an ulp: there the step would add its own rounding and is skipped. NaN if x
// is infinite, because `rest` is then NaN.
fn real_reciprocal(x: Real) -> Real {
    let r = REAL_ONE / x;
    let rest = REAL_ONE - x * r;
    return select(r + r * rest, r, abs(rest) <= COARSE);
}

// x / y with the same correction; r is 1 / y.
fn quotient(x: Real, y: Real, r: Real) -> Real {
    let q = x / y;
    let rest = x - y * q;
    return select(q + r * rest, q, abs(rest) <= COARSE * abs(x));
}
