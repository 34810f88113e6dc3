// Replaces a matrix of order 2 by its inverse, given the reciprocal of its determinant.
fn adjugate_over(a: ptr<function, array<Row, N>>, reciprocal: Scalar) {
    let p = (*a)[0][0];
    (*a)[0][0] = mul((*a)[1][1], reciprocal);
    (*a)[0][1] = sub_mul(ZERO, (*a)[0][1], reciprocal);
    (*a)[1][0] = sub_mul(ZERO, (*a)[1][0], reciprocal);
    (*a)[1][1] = mul(p, reciprocal);
}
