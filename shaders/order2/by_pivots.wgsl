// Other orders than 2 go by their pivots.
fn by_determinant(a: ptr<function, array<Row, N>>) -> bool {
    return false;
}
