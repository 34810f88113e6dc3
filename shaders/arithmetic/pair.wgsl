// A real number as the unevaluated sum of two of float32, the second at most half a unit in the last place of the
// first: 48 bits of float64's 53, on devices without float64.
//
// Each sum and each product comes with its own rounding error, which is again a number of float32 (Møller 1965, Knuth
// 1969, Dekker 1971). WGSL lets a compiler reassociate, and one that does takes these errors for zero. So rounded
// results pass through `kept`, whose zero no compiler knows. `gpu::probe` tests on each device that this is enough.

alias Pair = vec2<f32>;

const PAIR_ZERO: Pair = Pair(0.0f, 0.0f);
const PAIR_ONE: Pair = Pair(1.0f, 0.0f);
// The bits of a float32 above its lower half: the product of two halves is exact.
const UPPER_HALF = 0xfffff000u;

// x, but a compiler cannot tell.
fn kept(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

// a + b and its rounding error, if a is no smaller than b or zero (Dekker).
fn ordered_sum(a: f32, b: f32) -> Pair {
    let sum = kept(a + b);
    return Pair(sum, kept(b - kept(sum - a)));
}

// a - b and its rounding error (Knuth).
fn difference(a: f32, b: f32) -> Pair {
    let difference = kept(a - b);
    let minus_b = kept(difference - a);
    return Pair(difference, kept(a - kept(difference - minus_b)) - kept(b + minus_b));
}

// a * b and its rounding error, from the products of halves (Dekker).
fn product(a: f32, b: f32) -> Pair {
    let rounded = kept(a * b);
    let a_high = bitcast<f32>(bitcast<u32>(a) & UPPER_HALF);
    let b_high = bitcast<f32>(bitcast<u32>(b) & UPPER_HALF);
    let a_low = a - a_high;
    let b_low = b - b_high;
    let rest = kept(kept(kept(a_high * b_high - rounded) + a_high * b_low) + a_low * b_high);
    return Pair(rounded, rest + a_low * b_low);
}

fn pair_mul(a: Pair, b: Pair) -> Pair {
    let p = product(a.x, b.x);
    return ordered_sum(p.x, p.y + (a.x * b.y + a.y * b.x));
}

// a - f * p
fn pair_sub_mul(a: Pair, f: Pair, p: Pair) -> Pair {
    let q = product(f.x, p.x);
    let d = difference(a.x, q.x);
    return ordered_sum(d.x, d.y + (a.y - (q.y + (f.x * p.y + f.y * p.x))));
}

// One step of Newton's iteration from the reciprocal in float32.
fn pair_recip(a: Pair) -> Pair {
    let r = kept(real_reciprocal(a.x));
    let p = product(a.x, r);
    return ordered_sum(r, r * (kept(kept(1.0f - p.x) - p.y) - a.y * r));
}

// a * 2^e, with parts that become subnormal flushed to zero.
fn pair_times_power(a: Pair, e: i32) -> Pair {
    return Pair(real(flushed_bits(bits(a.x), e)), real(flushed_bits(bits(a.y), e)));
}
