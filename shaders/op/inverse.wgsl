// The operation `inverse`: Gauss-Jordan elimination in place. Every operation declares the names of this file, and
// kernels know nothing else of it. `kernel/thread.wgsl` explains the step that all operations share.

// The number of columns that ride along to the right of the matrix. They take the steps of their rows but never
// roll.
const RIDING = 0u;

// Element (i, c) of the riding columns of matrix m, before row i is scaled.
fn riding(m: u32, i: u32, c: u32) -> Word {
    return word(ZERO);
}

// The factor f of a row, which loses f times the divided pivot row. `own` is the row's element in the pivot column;
// `chosen` is true if the row was a pivot row in an earlier step. A chosen row that must stay as it is takes zero.
fn step_factor(own: Scalar, chosen: bool) -> Scalar {
    return own;
}

// The element that enters at the right end of such a row when `own` leaves at the left, given the reciprocal of the
// pivot.
fn entering(own: Scalar, reciprocal: Scalar) -> Scalar {
    return neg(mul(own, reciprocal));
}

// The element that enters at the right end of the pivot row.
fn entering_pivot_row(reciprocal: Scalar) -> Scalar {
    return reciprocal;
}

// If true, back substitution follows the last step: it solves the riding columns and moves them to the front.
const BACK_SUBSTITUTION = false;

// The number of columns of the result, which are then the first of each row.
const RESULT_COLUMNS = N;

// The column of the output in which column k of the result is stored, given the row that became row k.
fn result_column(k: u32, row: u32) -> u32 {
    return row;
}

// The exponent that unscales column j of the output, in addition to that of each row, given the exponent of row j.
fn right_exponent(m: u32, j: u32, row: i32) -> i32 {
    return row;
}
