// A complex scalar, as kernels see it: the same names as in `real.wgsl`, with real and imaginary parts side by
// side.

alias Element = vec2<Part>;
alias Word = vec2<Bits>;
alias Scalar = vec2<Real>;

const ZERO: Scalar = Scalar(REAL_ZERO, REAL_ZERO);
const ONE: Scalar = Scalar(REAL_ONE, REAL_ZERO);
const NAN_ELEMENT: Element = Element(NAN_PART, NAN_PART);

fn scalar(x: Word) -> Scalar {
    return Scalar(real(x.x), real(x.y));
}

fn from_real(x: Real) -> Scalar {
    return Scalar(x, REAL_ZERO);
}

fn real_part(x: Scalar) -> Real {
    return x.x;
}

fn word(x: Scalar) -> Word {
    return Word(bits(x.x), bits(x.y));
}

fn to_word(x: Element) -> Word {
    return Word(widened(x.x), widened(x.y));
}

fn from_word(x: Word) -> Element {
    return Element(narrowed(x.x), narrowed(x.y));
}

// |re| + |im|, by which LAPACK's icamax and izamax compare.
fn key(x: Scalar) -> Bits {
    return bits(abs(x.x) + abs(x.y)) & MAGNITUDE;
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

fn mul(a: Scalar, b: Scalar) -> Scalar {
    return Scalar(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

fn sub_mul(a: Scalar, f: Scalar, p: Scalar) -> Scalar {
    return Scalar(a.x - f.x * p.x + f.y * p.y, a.y - f.x * p.y - f.y * p.x);
}

fn neg(a: Scalar) -> Scalar {
    return Scalar(-a.x, -a.y);
}

// Scales the larger part into [1, 2), so that the squares neither overflow nor underflow.
fn recip(a: Scalar) -> Scalar {
    let unit_power = power(-exponent(largest(word(a))));
    let re = a.x * unit_power;
    let im = a.y * unit_power;
    let square = re * re + im * im;
    let r = real_reciprocal(square);
    return Scalar(quotient(re, square, r) * unit_power, -quotient(im, square, r) * unit_power);
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

fn flushed(x: Word, e: i32) -> Word {
    return Word(flushed_bits(x.x, e), flushed_bits(x.y, e));
}

fn small(x: Word, e: i32, lowest: i32) -> bool {
    return small_bits(x.x, e, lowest) || small_bits(x.y, e, lowest);
}

// Neighboring elements of a row, which are loaded and stored together.
alias Pack = vec4<Real>;
const PACK = 2u;

fn from_pack(x: Pack, i: u32) -> Scalar {
    return select(x.zw, x.xy, i == 0u);
}

fn into_pack(x: Pack, i: u32, scalar: Scalar) -> Pack {
    return select(Pack(x.xy, scalar), Pack(scalar, x.zw), i == 0u);
}

// a - f * p
fn pack_sub_mul(a: Pack, f: Scalar, p: Pack) -> Pack {
    return Pack(sub_mul(a.xy, f, p.xy), sub_mul(a.zw, f, p.zw));
}
