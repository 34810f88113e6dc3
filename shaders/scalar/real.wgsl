// A real scalar, as kernels see it.

// An element in memory, the bits of the number that it stands for, and that number.
alias Element = Part;
alias Word = Bits;
alias Scalar = Real;

const ZERO: Scalar = REAL_ZERO;
const ONE: Scalar = REAL_ONE;
const NAN_ELEMENT: Element = NAN_PART;

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

fn to_word(x: Element) -> Word {
    return widened(x);
}

fn from_word(x: Word) -> Element {
    return narrowed(x);
}

// The key by which pivots are compared: monotonic in |x|, 0 only for zero, and for NaN and infinity above every
// finite number.
fn key(x: Scalar) -> Bits {
    return bits(x) & MAGNITUDE;
}

// |x| for a finite x, used in norms.
fn modulus(x: Word) -> Real {
    return real(x & MAGNITUDE);
}

// The largest magnitude of the parts.
fn largest(x: Word) -> Bits {
    return x & MAGNITUDE;
}

// The smallest nonzero magnitude of the parts, less one; zero wraps around to ALL_BITS.
fn smallest_less_one(x: Word) -> Bits {
    return (x & MAGNITUDE) - ONE_BIT;
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

// x * 2^e.
fn scaled(x: Word, e: i32) -> Word {
    return scaled_bits(x, e);
}

// Zero without a sign. Compilers may choose the sign of a zero, and another program may choose otherwise.
fn with_plain_zero(x: Word) -> Word {
    return select(x, NO_BITS, (x & MAGNITUDE) == NO_BITS);
}

// x * 2^e, with subnormal results flushed to zero.
fn flushed(x: Word, e: i32) -> Word {
    return flushed_bits(x, e);
}

// Returns whether x * 2^e has a nonzero part below 2^lowest.
fn small(x: Word, e: i32, lowest: i32) -> bool {
    return small_bits(x, e, lowest);
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
