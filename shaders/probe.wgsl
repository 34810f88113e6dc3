// Computes differences, products and quotients of pairs of float32, to find out whether the device keeps their rounding
// errors. `src/gpu/probe.rs` judges the results. `arithmetic/pair.wgsl` has the functions that are probed.

struct Results {
    difference: Pair,
    product: Pair,
    // b - (b / a) a, which is nearly zero.
    rest: Pair,
}

@group(0) @binding(0) var<storage, read> numbers: array<vec2<f32>>;
@group(0) @binding(1) var<storage, read_write> results: array<Results>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let a = numbers[id.x].x;
    let b = numbers[id.x].y;
    let quotient = pair_mul(Pair(b, 0.0f), pair_recip(Pair(a, 0.0f)));
    let rest = pair_sub_mul(Pair(b, 0.0f), quotient, Pair(a, 0.0f));
    results[id.x] = Results(difference(a, b), product(a, b), rest);
}
