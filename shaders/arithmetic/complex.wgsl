// Complex numbers, part by part. `packs_of_two.wgsl` has their packs.

alias Scalar = vec2<Real>;

const ZERO: Scalar = Scalar(REAL_ZERO, REAL_ZERO);
const ONE: Scalar = Scalar(REAL_ONE, REAL_ZERO);

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

// |re| + |im|, by which LAPACK's icamax and izamax compare.
fn key(x: Scalar) -> Bits {
    return bits(abs(x.x) + abs(x.y)) & MAGNITUDE;
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

fn times_power(x: Scalar, e: i32) -> Scalar {
    return scalar(flushed(word(x), e));
}
