// Reads a real scalar from another lane of the subgroup.

fn from_lane(x: Scalar, lane: u32) -> Scalar {
    return real_from(x, lane);
}
