// float32: what the kernels know of a scalar.
//
// Elements travel as words and are looked at as bits: a GPU may flush subnormal numbers, may assume that
// there is no NaN, and has no NaN constant.

alias Word = u32;
alias Scalar = f32;

const ZERO: Scalar = 0.0;
const ONE: Scalar = 1.0;
// What fills a matrix that has no inverse.
const NAN_WORD: Word = 0x7fc00000u;

// Magnitudes compare as unsigned integers: the bits without the sign.
const MAGNITUDE = 0x7fffffffu;
const INFINITE = 0x7f800000u;
// 2^-42 and 2^42: a matrix whose nonzero magnitudes all lie between is worked on as it is.
const WINDOW = 42i;
const LOW = 0x2a800000u;
const HIGH = 0x54800000u;
const MIN_EXPONENT = -126i;
// 2^126: the reciprocal of a pivot above may be flushed to zero.
const LARGEST_PIVOT = 0x7e800000u;

fn scalar(word: Word) -> Scalar {
    return bitcast<f32>(word);
}

fn word(x: Scalar) -> Word {
    return bitcast<u32>(x);
}

// What pivots are compared by: monotonic in |x|, 0 exactly for zero, above every finite number for NaN and infinity.
fn key(x: Scalar) -> u32 {
    return bitcast<u32>(x) & MAGNITUDE;
}

// The largest magnitude of the parts, and the smallest that is not zero, less one; zero wraps round to the top.
fn largest(word: Word) -> u32 {
    return word & MAGNITUDE;
}

fn smallest_less_one(word: Word) -> u32 {
    return (word & MAGNITUDE) - 1u;
}

fn mul(a: Scalar, b: Scalar) -> Scalar {
    return a * b;
}

// a - f * p
fn sub_mul(a: Scalar, f: Scalar, p: Scalar) -> Scalar {
    return a - f * p;
}

fn neg(a: Scalar) -> Scalar {
    return -a;
}

// WGSL divides to 2.5 ulp only; one step of Newton's iteration brings that below 1 ulp.
fn recip(a: Scalar) -> Scalar {
    let r = 1.0 / a;
    return r + r * (1.0 - a * r);
}

// floor(log2) of a nonzero finite magnitude, subnormal or not.
fn exponent(magnitude: u32) -> i32 {
    let biased = i32(magnitude >> 23u);
    return select(i32(firstLeadingBit(magnitude)) - 149i, biased - 127i, biased > 0i);
}

// x * 2^e by integer arithmetic, rounded to nearest even where the result is subnormal.
fn scaled(x: Word, e: i32) -> Word {
    let sign = x & ~MAGNITUDE;
    let magnitude = x & MAGNITUDE;
    if magnitude == 0u || magnitude >= INFINITE {
        return x;
    }
    let own = exponent(magnitude);
    let total = own + e;
    // The significand with its leading bit at 2^23.
    let significand = select(
        magnitude << (23u - min(firstLeadingBit(magnitude), 23u)),
        (magnitude & 0x7fffffu) | 0x800000u,
        own >= MIN_EXPONENT,
    );
    if total > 127i {
        return sign | INFINITE;
    }
    if total >= MIN_EXPONENT {
        return sign | (u32(total + 127i) << 23u) | (significand & 0x7fffffu);
    }
    let shift = u32(MIN_EXPONENT - total);
    if shift > 24u {
        return sign;
    }
    let quotient = significand >> shift;
    let rest = significand & ((1u << shift) - 1u);
    let half = 1u << (shift - 1u);
    let up = rest > half || (rest == half && (quotient & 1u) == 1u);
    return sign | (quotient + u32(up));
}

// As `scaled`, with 0 for what would be subnormal.
fn flushed(x: Word, e: i32) -> Word {
    let magnitude = x & MAGNITUDE;
    if magnitude != 0u && exponent(magnitude) + e < MIN_EXPONENT {
        return 0u;
    }
    return scaled(x, e);
}

// Part of x * 2^e is below 2^floor: products of it may underflow.
fn small(x: Word, e: i32, floor: i32) -> bool {
    let magnitude = x & MAGNITUDE;
    return magnitude != 0u && exponent(magnitude) + e < floor;
}
