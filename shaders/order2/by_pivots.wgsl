// Other orders than 2 go by their pivots.

// False if the determinant decides alone.
const HAS_PIVOTS = true;

fn by_determinant(a: ptr<function, array<Row, N>>, status: ptr<function, i32>) -> bool {
    return false;
}

// Improves what step k left, given the reciprocal of its pivot, and whether that came from another row.
fn refine(a: ptr<function, array<Row, N>>, k: u32, reciprocal: Scalar, exchanged: bool) {}
