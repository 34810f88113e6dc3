// Passes 64-bit reals and bits between the lanes of a subgroup, in halves, because devices shuffle 32-bit words.

fn real_from(x: Real, lane: u32) -> Real {
    let halves = subgroupShuffle(halves_of(bits(x)), lane);
    return real(joined(halves));
}

// Reads from the lane whose number differs in the bits of `mask`.
fn bits_across(x: Bits, mask: u32) -> Bits {
    return joined(subgroupShuffleXor(halves_of(x), mask));
}

fn halves_of(x: Bits) -> vec2<u32> {
    return vec2<u32>(u32(x), u32(x >> 32u));
}

fn joined(halves: vec2<u32>) -> Bits {
    return (Bits(halves.y) << 32u) | Bits(halves.x);
}
