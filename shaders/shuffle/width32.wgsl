// Reals and bits of 32 bits between the lanes of a subgroup.

fn real_from(x: Real, lane: u32) -> Real {
    return subgroupShuffle(x, lane);
}

// From the lane whose number differs by the bits of `mask`.
fn bits_across(x: Bits, mask: u32) -> Bits {
    return subgroupShuffleXor(x, mask);
}
