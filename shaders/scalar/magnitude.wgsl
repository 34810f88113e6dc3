// Exact powers of two on the bits of a real, by integer arithmetic: the same for every width of `Bits`.

// Below every exponent, and the exponent of the factor of a column that is zero.
const LOWEST_EXPONENT = -10000i;
const EMPTY = 0x40000000i;

// floor(log2) of a nonzero finite magnitude, subnormal or not; of others anything.
fn exponent(magnitude: Bits) -> i32 {
    let biased = i32(magnitude >> FRACTION_WIDTH);
    let subnormal = i32(highest_bit(magnitude)) + MIN_EXPONENT - i32(FRACTION_WIDTH);
    return select(subnormal, biased - BIAS, biased > 0i);
}

// 2^e, for an exponent of a normal number.
fn power(e: i32) -> Real {
    return real(integer(e + BIAS) << FRACTION_WIDTH);
}

// x * 2^e, rounded to nearest even where the result is subnormal.
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

// x * 2^e, 0 where that is subnormal. Without branches: every element of an unusual matrix goes through it.
fn flushed_bits(x: Bits, e: i32) -> Bits {
    let magnitude = x & MAGNITUDE;
    let total = exponent(magnitude) + e;
    let normal = (integer(total + BIAS) << FRACTION_WIDTH) | (significand(magnitude) & FRACTION);
    let finite = (x & ~MAGNITUDE) | select(INFINITE, normal, total <= BIAS);
    return select(select(finite, NO_BITS, total < MIN_EXPONENT), x, magnitude == NO_BITS || magnitude >= INFINITE);
}

// Of a nonzero finite magnitude, with its leading bit where a normal number has it hidden; of others anything.
fn significand(magnitude: Bits) -> Bits {
    let subnormal = magnitude << (FRACTION_WIDTH - min(highest_bit(magnitude), FRACTION_WIDTH));
    return select(subnormal, (magnitude & FRACTION) | (FRACTION + ONE_BIT), magnitude > FRACTION);
}

// x * 2^e is not zero, and below 2^lowest.
fn small_bits(x: Bits, e: i32, lowest: i32) -> bool {
    let magnitude = x & MAGNITUDE;
    return magnitude != NO_BITS && exponent(magnitude) + e < lowest;
}

// Whether a row is the pivot's rather than the best so far: the one of the larger key, of equals the one that stands first.
fn leads(candidate: Bits, place: u32, best: Bits, winner: u32) -> bool {
    return candidate > best || (candidate == best && place < winner);
}

// 1 / x. WGSL divides to 2.5 ulp only; one step of Newton's iteration brings that to about 1 ulp. Most devices divide to half
// an ulp: there the step would add its own rounding, and is left out. NaN for an infinite x, whose rest is NaN.
fn real_reciprocal(x: Real) -> Real {
    let r = REAL_ONE / x;
    let rest = REAL_ONE - x * r;
    return select(r + r * rest, r, abs(rest) <= COARSE);
}

// x / y, where r is 1 / y, likewise.
fn quotient(x: Real, y: Real, r: Real) -> Real {
    let q = x / y;
    let rest = x - y * q;
    return select(q + r * rest, q, abs(rest) <= COARSE * abs(x));
}
