// Passes 32-bit reals and bits between the lanes of a subgroup.

fn real_from(x: Real, lane: u32) -> Real {
    return subgroupShuffle(x, lane);
}

// Reads from the lane whose number differs in the bits of `mask`.
fn bits_across(x: Bits, mask: u32) -> Bits {
    return subgroupShuffleXor(x, mask);
}
