// float32: the real arithmetic of the kernels, and magnitudes as unsigned integers.
//
// Numbers are examined as bits, because a GPU may flush subnormal numbers, may assume that there is no NaN, and has
// no NaN constant. A magnitude is the bits without the sign; magnitudes compare as integers.

alias Real = f32;
alias Bits = u32;

const REAL_ZERO: Real = 0.0f;
const REAL_ONE: Real = 1.0f;
// 2^-22: two units in the last place of 1.
const COARSE: Real = 2.384185791015625e-7f;
const NO_BITS: Bits = 0u;
const ALL_BITS: Bits = 0xffffffffu;
const ONE_BIT: Bits = 1u;

const SIGN: Bits = 0x80000000u;
const MAGNITUDE: Bits = 0x7fffffffu;
const INFINITE: Bits = 0x7f800000u;
// The NaN that fills the place of an inverse that does not exist.
const NAN_BITS: Bits = 0x7fc00000u;
// 2^126: the reciprocal of a larger pivot may be flushed to zero.
const LARGEST_PIVOT: Bits = 0x7e800000u;

const MIN_EXPONENT = -126i;
const BIAS = 127i;
const FRACTION_WIDTH = 23u;
const FRACTION: Bits = 0x7fffffu;

fn real(x: Bits) -> Real {
    return bitcast<f32>(x);
}

fn bits(x: Real) -> Bits {
    return bitcast<u32>(x);
}

// Converts a small nonnegative integer.
fn integer(x: i32) -> Bits {
    return u32(x);
}

// The position of the highest bit of a nonzero integer.
fn highest_bit(x: Bits) -> u32 {
    return firstLeadingBit(x);
}

// A square root with an error of a few units in the last place, enough for the moduli of norms.
fn root(x: Real) -> Real {
    return sqrt(x);
}
