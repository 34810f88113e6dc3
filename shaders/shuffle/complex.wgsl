// Reads a complex scalar from another lane of the subgroup, part by part.

fn from_lane(x: Scalar, lane: u32) -> Scalar {
    return Scalar(real_from(x.x, lane), real_from(x.y, lane));
}
