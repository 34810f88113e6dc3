// Reads a scalar of pairs from another lane of the subgroup.

fn from_lane(x: Scalar, lane: u32) -> Scalar {
    return subgroupShuffle(x, lane);
}
