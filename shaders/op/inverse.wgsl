// The operation `inverse`: Gauss-Jordan elimination in place. Every operation declares the names of this file, and
// kernels know nothing else of it. `kernel/thread.wgsl` explains the step that all operations share.
//
// RIDING columns ride along to the right of the matrix: they take the steps of their rows but never roll. If an
// operation has more of them, WIDTH in all, a kernel eliminates once for each of TILES tiles of columns. RIDES says if
// there are any.

// The factor f of a row, which loses f times the divided pivot row. `own` is the row's element in the pivot column;
// `chosen` is true if the row was a pivot row in an earlier step. A chosen row that must stay as it is takes zero.
fn step_factor(own: Scalar, chosen: bool) -> Scalar {
    return own;
}

// The element that enters at the right end of such a row when `own` leaves at the left, given the reciprocal of the
// pivot.
fn entering(own: Scalar, chosen: bool, reciprocal: Scalar) -> Scalar {
    return neg(mul(own, reciprocal));
}

// The element that enters at the right end of the pivot row.
fn entering_pivot_row(reciprocal: Scalar) -> Scalar {
    return reciprocal;
}

// Element (i, c) of the riding columns of matrix m, before row i is scaled.
fn riding(m: u32, i: u32, c: u32) -> Word {
    return word(ZERO);
}

// If true, back substitution follows the last step, and the riding columns are the result, if there are any. Otherwise
// the matrix is.
const SUBSTITUTES = false;

// The number of columns of the result, of one tile and in all.
const RESULT_COLUMNS = N;
const RESULT_WIDTH = N;

// The column of the output in which column k of the result is stored, given the row that became row k.
fn result_column(k: u32, row: u32) -> u32 {
    return row;
}

// The given element in the place of element (i, j) of the result, with which a result that does not exist may be
// filled.
fn given_result(m: u32, i: u32, j: u32) -> Element {
    return given(m, i, j);
}
