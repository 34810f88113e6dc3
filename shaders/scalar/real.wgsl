// A real scalar: what the kernels know of it.

// An element as it lies in memory; as bits of what is computed in; and as a number.
alias Element = Part;
alias Word = Bits;
alias Scalar = Real;

const ZERO: Scalar = REAL_ZERO;
const ONE: Scalar = REAL_ONE;
const NAN_ELEMENT: Element = NAN_PART;

fn scalar(x: Word) -> Scalar {
    return real(x);
}

fn of_real(x: Real) -> Scalar {
    return x;
}

fn real_part(x: Scalar) -> Real {
    return x;
}

fn word(x: Scalar) -> Word {
    return bits(x);
}

fn opened(x: Element) -> Word {
    return widened(x);
}

fn closed(x: Word) -> Element {
    return narrowed(x);
}

// It is a finite element.
fn fits(x: Word) -> bool {
    return part_fits(x);
}

// What pivots are compared by: monotonic in |x|, 0 exactly for zero, above every finite number for NaN and infinity.
fn key(x: Scalar) -> Bits {
    return bits(x) & MAGNITUDE;
}

// |x| of a finite x, for norms.
fn modulus(x: Word) -> Real {
    return real(x & MAGNITUDE);
}

// The largest magnitude of the parts, and the smallest that is not zero, less one; zero wraps round to the top.
fn largest(x: Word) -> Bits {
    return x & MAGNITUDE;
}

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

// x * 2^e; the same with 0 for what would be subnormal; and whether a part of that is below 2^lowest: products of it
// may underflow.
fn scaled(x: Word, e: i32) -> Word {
    return scaled_bits(x, e);
}

fn flushed(x: Word, e: i32) -> Word {
    return flushed_bits(x, e);
}

fn small(x: Word, e: i32, lowest: i32) -> bool {
    return small_bits(x, e, lowest);
}

// Several neighbors of a row, loaded and stored at once.
alias Pack = vec4<Real>;
const PACK = 4u;

fn of_pack(x: Pack, i: u32) -> Scalar {
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
