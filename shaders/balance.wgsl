// Balance: the test that a matrix needs scaling, the power-of-two factors that scale it, and the verdict on a
// pivot. `src/data/scaling.rs` explains these rules.
//
// A matrix A that needs scaling is replaced by R A C, with powers of two on the diagonals of R and C. The inverse Y
// of the scaled matrix gives A^-1 = C Y R. Factors are stored as exponents.

// Marks a column that is zero, in place of the exponent of its factor. Above every exponent, and within 16 bits.
const EMPTY = 0x4000i;

// The status before elimination of a matrix whose largest magnitude is `top`.
fn input_status(top: Bits) -> i32 {
    return select(INVERTED, NOT_FINITE, top >= INFINITE);
}

// Returns whether a finite matrix has magnitudes outside the window. `top` is its largest magnitude and `bottom`
// its smallest nonzero magnitude less one; an all-zero matrix has no bottom.
fn needs_scaling(bottom: Bits, top: Bits) -> bool {
    return top > NO_BITS && (top > HIGH || bottom < LOW - ONE_BIT);
}

// The same test for `device`, which gathers ranges in words of 32 bits, too few for a magnitude of float64. `high`
// is the grade of the largest magnitude, and `low` is the exponent of the smallest.
fn grades_need_scaling(low: i32, high: i32) -> bool {
    return high > grade(NO_BITS) && (high > 2i * WINDOW || low < -WINDOW);
}

// Monotonic in a magnitude: twice its exponent, plus one unless the magnitude is a normal power of two.
fn grade(magnitude: Bits) -> i32 {
    let of_zero = 2i * LOWEST_EXPONENT;
    let above = select(0i, 1i, (magnitude & FRACTION) != NO_BITS);
    return select(of_zero, 2i * exponent(magnitude) + above, magnitude != NO_BITS);
}

fn grade_exponent(grade: i32) -> i32 {
    return grade >> 1u;
}

// Returns whether one factor brings the whole matrix into the window, given the exponents of its smallest and
// largest magnitudes. Otherwise every row, then every column, is scaled so that its largest part lies in [1, 2).
fn one_factor_suffices(low: i32, high: i32) -> bool {
    return high - low <= 2i * WINDOW - 2i;
}

// The exponent of a row's factor. `own` and `high` are the exponents of the largest parts of the row and of the
// matrix.
fn row_exponent(own: i32, is_zero: bool, high: i32, one_factor: bool) -> i32 {
    return select(select(-own, 0i, is_zero), WINDOW - 1i - high, one_factor);
}

// The exponent of a column's factor. `highest` is the largest exponent in the column after its rows are scaled, or
// LOWEST_EXPONENT if the column is zero.
fn column_exponent(highest: i32, one_factor: bool) -> i32 {
    return select(select(-highest, 0i, one_factor), EMPTY, highest == LOWEST_EXPONENT);
}

// The exponent of a magnitude after its row is scaled by 2^row.
fn exponent_in_row(magnitude: Bits, row: i32) -> i32 {
    return select(LOWEST_EXPONENT, exponent(magnitude) + row, magnitude > NO_BITS);
}

// A product with a scaled element below 2^lowest may underflow.
fn lowest_exponent(one_factor: bool) -> i32 {
    return select(-WINDOW, -1i, one_factor);
}

fn largest_in_row(m: u32, n: u32, i: u32) -> Bits {
    var magnitude = NO_BITS;
    for (var j = 0u; j < n; j++) {
        magnitude = max(magnitude, largest(load(m, i, j)));
    }
    return magnitude;
}

// Finds the exponents of all factors of a matrix, for kernels in which one invocation does that alone and keeps
// them in its registers: entry i holds those of row i and of column i, because registers are few. `n` is N, counted
// at run time. Returns `lowest_exponent`.
fn find_exponents(m: u32, n: u32, bottom: Bits, top: Bits, exponents: ptr<function, array<i32, N>>) -> i32 {
    let high = exponent(top);
    let one_factor = one_factor_suffices(exponent(bottom + ONE_BIT), high);
    for (var i = 0u; i < n; i++) {
        let magnitude = largest_in_row(m, n, i);
        (*exponents)[i] = row_exponent(exponent(magnitude), magnitude == NO_BITS, high, one_factor) << 16u;
    }
    for (var j = 0u; j < n; j++) {
        var highest = LOWEST_EXPONENT;
        for (var i = 0u; i < n; i++) {
            highest = max(highest, exponent_in_row(largest(load(m, i, j)), of_row((*exponents)[i])));
        }
        (*exponents)[j] |= column_exponent(highest, one_factor) & 0xffffi;
    }
    return lowest_exponent(one_factor);
}

// The exponent of row i in entry i.
fn of_row(exponents: i32) -> i32 {
    return exponents >> 16u;
}

// The exponent of column i in entry i.
fn of_column(exponents: i32) -> i32 {
    return (exponents << 16u) >> 16u;
}

// The exponents of the smallest and the largest magnitude of some elements. Zeros count for nothing.
struct Range {
    low: i32,
    high: i32,
}

const EMPTY_RANGE = Range(-LOWEST_EXPONENT, LOWEST_EXPONENT);

// The range with an element of a row that is scaled by 2^row.
fn with_element(range: Range, x: Word, row: i32) -> Range {
    let less = smallest_less_one(x);
    let low = select(exponent(less + ONE_BIT) + row, -LOWEST_EXPONENT, less == ALL_BITS);
    return Range(min(range.low, low), max(range.high, exponent_in_row(largest(x), row)));
}

// The exponent of the factor of a right-hand side's column. Its largest part comes into [1, 2), or above if its
// smallest would otherwise fall below the normal range, but not beyond the window, and not above `least`, the smallest
// exponent of the matrix's columns: what overflows would then do so anyway.
fn rhs_exponent(range: Range, least: i32) -> i32 {
    let most = max(min(least, WINDOW - 1i - range.high), -range.high);
    let wanted = clamp(MIN_EXPONENT - range.low, -range.high, most);
    return select(wanted, 0i, range.high == LOWEST_EXPONENT);
}

// An element of A^-1 from that of Y, given the exponents of its column of C and its row of R.
fn unscaled(y: Word, column: i32, row: i32) -> Word {
    return scaled(y, column + row);
}

// Returns whether a candidate for the pivot beats the best so far: it has the larger key, or the same key and comes
// first.
fn leads(candidate: Bits, place: u32, best: Bits, winner: u32) -> bool {
    return candidate > best || (candidate == best && place < winner);
}

// Returns whether `best`, the largest key of the pivot column, is the first zero pivot. `zero_pivot_status` then
// gives the status.
fn is_zero_pivot(status: i32, best: Bits) -> bool {
    return best == NO_BITS && status == INVERTED;
}

// The status after a zero pivot in column k, counted from 0. It proves that the matrix is singular if all small
// entries lie to its right or if its column was zero from the start. Otherwise an underflow may have caused it.
fn zero_pivot_status(k: u32, first_small: u32, zero_column: bool) -> i32 {
    return select(NOT_FINITE, i32(k) + 1i, k < first_small || zero_column);
}

// Returns whether column j of the input is zero.
fn is_zero_column(m: u32, j: u32) -> bool {
    var magnitude = NO_BITS;
    for (var i = 0u; i < counted(N); i++) {
        magnitude = max(magnitude, largest(load(m, i, j)));
    }
    return magnitude == NO_BITS;
}

// The reciprocal of a pivot above LARGEST_PIVOT may be flushed to zero.
fn reject_large_pivot(status: i32, best: Bits) -> i32 {
    return select(status, NOT_FINITE, status == INVERTED && best > LARGEST_PIVOT);
}

// The status of a system, given those of two parts of its columns: -1 wins.
fn worse(one: i32, other: i32) -> i32 {
    return select(one, other, one == INVERTED || other == NOT_FINITE);
}

// The status of a finished matrix, given whether its result is finite. Kernels test the largest magnitude of all
// elements: a compiler that assumes that no number is infinite may delete a test of each element, but not that one.
fn final_status(status: i32, finite: bool) -> i32 {
    return select(status, NOT_FINITE, status == INVERTED && !finite);
}
