// A real number in memory and in bits, as kernels see it. `shaders/arithmetic/` says how it is computed with.

// An element in memory, and the bits of the number that it stands for.
alias Element = Part;
alias Word = Bits;

const NAN_ELEMENT: Element = NAN_PART;

fn to_word(x: Element) -> Word {
    return widened(x);
}

fn from_word(x: Word) -> Element {
    return narrowed(x);
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

// x * 2^e.
fn scaled(x: Word, e: i32) -> Word {
    return scaled_bits(x, e);
}

// Zero without a sign. Compilers may choose the sign of a zero, and another program may choose otherwise.
fn with_plain_zero(x: Word) -> Word {
    return select(x, NO_BITS, (x & MAGNITUDE) == NO_BITS);
}

// -x, also of a subnormal number.
fn negated(x: Word) -> Word {
    return x ^ SIGN;
}

// x * 2^e, with subnormal results flushed to zero.
fn flushed(x: Word, e: i32) -> Word {
    return flushed_bits(x, e);
}

// Returns whether x * 2^e has a nonzero part below 2^lowest.
fn small(x: Word, e: i32, lowest: i32) -> bool {
    return small_bits(x, e, lowest);
}
