// Real numbers, computed with as they are. The files of complex numbers and of pairs declare the same names, some with
// `packs_of_two.wgsl`, and kernels know nothing else of arithmetic.

alias Scalar = Real;

const ZERO: Scalar = REAL_ZERO;
const ONE: Scalar = REAL_ONE;

fn scalar(x: Word) -> Scalar {
    return real(x);
}

fn from_real(x: Real) -> Scalar {
    return x;
}

fn real_part(x: Scalar) -> Real {
    return x;
}

fn word(x: Scalar) -> Word {
    return bits(x);
}

// The key by which pivots are compared: monotonic in |x|, 0 only for zero, and for NaN and infinity above every
// finite number.
fn key(x: Scalar) -> Bits {
    return bits(x) & MAGNITUDE;
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

fn recip(a: Scalar) -> Scalar {
    return real_reciprocal(a);
}

// x * 2^e, with subnormal results flushed to zero.
fn times_power(x: Scalar, e: i32) -> Scalar {
    return scalar(flushed(word(x), e));
}

// Neighboring elements of a row, which are loaded and stored together.
alias Pack = vec4<Real>;
const PACK = 4u;

fn from_pack(x: Pack, i: u32) -> Scalar {
    return x[i];
}

fn into_pack(x: Pack, i: u32, scalar: Scalar) -> Pack {
    var pack = x;
    pack[i] = scalar;
    return pack;
}

// a - f * p
fn pack_sub_mul(a: Pack, f: Scalar, p: Pack) -> Pack {
    return a - f * p;
}
