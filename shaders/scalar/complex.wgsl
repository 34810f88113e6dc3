// A complex number in memory and in bits: the same names as in `real.wgsl`, with real and imaginary parts side by side.

alias Element = vec2<Part>;
alias Word = vec2<Bits>;

const NAN_ELEMENT: Element = Element(NAN_PART, NAN_PART);

fn to_word(x: Element) -> Word {
    return Word(widened(x.x), widened(x.y));
}

fn from_word(x: Word) -> Element {
    return Element(narrowed(x.x), narrowed(x.y));
}

fn modulus(x: Word) -> Real {
    let re = x.x & MAGNITUDE;
    let im = x.y & MAGNITUDE;
    let large = real(max(re, im));
    // A device may flush a subnormal divisor to zero.
    if max(re, im) <= FRACTION {
        return large;
    }
    let ratio = real(min(re, im)) / large;
    return large * root(REAL_ONE + ratio * ratio);
}

fn largest(x: Word) -> Bits {
    return max(x.x & MAGNITUDE, x.y & MAGNITUDE);
}

fn smallest_less_one(x: Word) -> Bits {
    return min((x.x & MAGNITUDE) - ONE_BIT, (x.y & MAGNITUDE) - ONE_BIT);
}

fn with_plain_zero(x: Word) -> Word {
    return Word(
        select(x.x, NO_BITS, (x.x & MAGNITUDE) == NO_BITS),
        select(x.y, NO_BITS, (x.y & MAGNITUDE) == NO_BITS),
    );
}

fn scaled(x: Word, e: i32) -> Word {
    return Word(scaled_bits(x.x, e), scaled_bits(x.y, e));
}

fn negated(x: Word) -> Word {
    return Word(x.x ^ SIGN, x.y ^ SIGN);
}

fn flushed(x: Word, e: i32) -> Word {
    return Word(flushed_bits(x.x, e), flushed_bits(x.y, e));
}

fn small(x: Word, e: i32, lowest: i32) -> bool {
    return small_bits(x.x, e, lowest) || small_bits(x.y, e, lowest);
}
