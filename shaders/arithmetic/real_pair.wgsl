// Real numbers as pairs: see `pair.wgsl`. `packs_of_two.wgsl` has their packs.

alias Scalar = Pair;

const ZERO: Scalar = PAIR_ZERO;
const ONE: Scalar = PAIR_ONE;

fn scalar(x: Word) -> Scalar {
    return Scalar(real(x), 0.0f);
}

fn from_real(x: Real) -> Scalar {
    return Scalar(x, 0.0f);
}

fn real_part(x: Scalar) -> Real {
    return x.x;
}

// Rounds to float32: the first part is the nearest number. A sum of both might flush a subnormal one to zero.
fn word(x: Scalar) -> Word {
    return bits(x.x);
}

fn key(x: Scalar) -> Bits {
    return bits(x.x) & MAGNITUDE;
}

fn mul(a: Scalar, b: Scalar) -> Scalar {
    return pair_mul(a, b);
}

fn sub_mul(a: Scalar, f: Scalar, p: Scalar) -> Scalar {
    return pair_sub_mul(a, f, p);
}

fn neg(a: Scalar) -> Scalar {
    return -a;
}

fn recip(a: Scalar) -> Scalar {
    return pair_recip(a);
}

fn times_power(x: Scalar, e: i32) -> Scalar {
    return pair_times_power(x, e);
}
