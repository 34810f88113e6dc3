// float64: the same names as in `float32.wgsl`, for adapters that have it. They have only + - * / abs and
// comparisons.

alias Real = f64;
alias Bits = u64;

const REAL_ZERO: Real = 0.0lf;
const REAL_ONE: Real = 1.0lf;
// 2^-51: two units in the last place of 1.
const COARSE: Real = 4.440892098500626e-16lf;
const NO_BITS: Bits = 0lu;
const ALL_BITS: Bits = 0xfffffffffffffffflu;
const ONE_BIT: Bits = 1lu;

const SIGN: Bits = 0x8000000000000000lu;
const MAGNITUDE: Bits = 0x7ffffffffffffffflu;
const INFINITE: Bits = 0x7ff0000000000000lu;
const NAN_BITS: Bits = 0x7ff8000000000000lu;
// 2^1022
const LARGEST_PIVOT: Bits = 0x7fd0000000000000lu;

const MIN_EXPONENT = -1022i;
const BIAS = 1023i;
const FRACTION_WIDTH = 52u;
const FRACTION: Bits = 0xffffffffffffflu;

fn real(x: Bits) -> Real {
    return bitcast<f64>(x);
}

fn bits(x: Real) -> Bits {
    return bitcast<u64>(x);
}

fn integer(x: i32) -> Bits {
    return u64(u32(x));
}

fn highest_bit(x: Bits) -> u32 {
    let high = u32(x >> 32u);
    return select(firstLeadingBit(u32(x & 0xfffffffflu)), firstLeadingBit(high) + 32u, high != 0u);
}

// Refines the root in float32 by two steps of Heron's iteration. The argument must be in the range of float32.
fn root(x: Real) -> Real {
    let first = f64(sqrt(f32(x)));
    if first == 0.0lf {
        return first;
    }
    let second = 0.5lf * (first + x / first);
    return 0.5lf * (second + x / second);
}
