// Complex numbers whose parts are pairs: see `pair.wgsl`. The pair of the real part stands in x and y.

alias Scalar = vec4<f32>;

const ZERO: Scalar = Scalar(PAIR_ZERO, PAIR_ZERO);
const ONE: Scalar = Scalar(PAIR_ONE, PAIR_ZERO);

fn scalar(x: Word) -> Scalar {
    return Scalar(real(x.x), 0.0f, real(x.y), 0.0f);
}

fn from_real(x: Real) -> Scalar {
    return Scalar(x, 0.0f, 0.0f, 0.0f);
}

fn real_part(x: Scalar) -> Real {
    return x.x;
}

fn word(x: Scalar) -> Word {
    return Word(bits(x.x), bits(x.z));
}

fn key(x: Scalar) -> Bits {
    return bits(abs(x.x) + abs(x.z)) & MAGNITUDE;
}

fn mul(a: Scalar, b: Scalar) -> Scalar {
    let re = pair_sub_mul(pair_mul(a.xy, b.xy), a.zw, b.zw);
    let im = pair_sub_mul(pair_mul(a.xy, b.zw), -a.zw, b.xy);
    return Scalar(re, im);
}

fn sub_mul(a: Scalar, f: Scalar, p: Scalar) -> Scalar {
    let re = pair_sub_mul(pair_sub_mul(a.xy, f.xy, p.xy), -f.zw, p.zw);
    let im = pair_sub_mul(pair_sub_mul(a.zw, f.xy, p.zw), f.zw, p.xy);
    return Scalar(re, im);
}

fn neg(a: Scalar) -> Scalar {
    return -a;
}

// Scales the larger part into [1, 2), so that the squares neither overflow nor underflow.
fn recip(a: Scalar) -> Scalar {
    let unit_power = power(-exponent(largest(word(a))));
    let unit = a * unit_power;
    let square = pair_sub_mul(pair_mul(unit.xy, unit.xy), -unit.zw, unit.zw);
    let r = pair_recip(square);
    return Scalar(pair_mul(unit.xy, r), pair_mul(-unit.zw, r)) * unit_power;
}

fn times_power(x: Scalar, e: i32) -> Scalar {
    return Scalar(pair_times_power(x.xy, e), pair_times_power(x.zw, e));
}

alias Pack = vec4<Real>;
const PACK = 1u;

fn from_pack(x: Pack, i: u32) -> Scalar {
    return x;
}

fn into_pack(x: Pack, i: u32, scalar: Scalar) -> Pack {
    return scalar;
}

fn pack_sub_mul(a: Pack, f: Scalar, p: Pack) -> Pack {
    return sub_mul(a, f, p);
}
