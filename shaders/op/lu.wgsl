// The operations `solve` and `det`: Gaussian elimination of the rows below the pivot, and back substitution.
// `op/inverse.wgsl` explains the names. A determinant has no right-hand side: WIDTH is then zero.
//
// A chosen row is left alone, so that it holds a row of U in the end, divided by its pivot or not, as the kernel likes.

fn step_factor(own: Scalar, chosen: bool) -> Scalar {
    return select(own, ZERO, chosen);
}

// U stays. What stood below the diagonal would only meet the pivots of later steps, and could overflow.
fn entering(own: Scalar, chosen: bool, reciprocal: Scalar) -> Scalar {
    return select(ZERO, own, chosen);
}

fn entering_pivot_row(reciprocal: Scalar) -> Scalar {
    return ONE;
}

// Columns of a right-hand side beyond WIDTH fill up the last tile.
fn riding(m: u32, i: u32, c: u32) -> Word {
    if c >= WIDTH {
        return word(ZERO);
    }
    return to_word(given_rhs(m, i, c));
}

const SUBSTITUTES = true;
const RESULT_COLUMNS = RIDING;
const RESULT_WIDTH = WIDTH;

fn result_column(k: u32, row: u32) -> u32 {
    return k;
}

fn given_result(m: u32, i: u32, j: u32) -> Element {
    return given_rhs(m, i, j);
}

fn rhs_at(m: u32, i: u32, c: u32) -> u32 {
    return RHS_OFFSET + m * RHS_MATRIX + i * RHS_ROW + c * RHS_COLUMN;
}
