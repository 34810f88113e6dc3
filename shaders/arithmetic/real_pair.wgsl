// Real numbers as pairs: see `pair.wgsl`.

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

alias Pack = vec4<Real>;
const PACK = 2u;

fn from_pack(x: Pack, i: u32) -> Scalar {
    return select(x.zw, x.xy, i == 0u);
}

fn into_pack(x: Pack, i: u32, scalar: Scalar) -> Pack {
    return select(Pack(x.xy, scalar), Pack(scalar, x.zw), i == 0u);
}

fn pack_sub_mul(a: Pack, f: Scalar, p: Pack) -> Pack {
    return Pack(sub_mul(a.xy, f, p.xy), sub_mul(a.zw, f, p.zw));
}
