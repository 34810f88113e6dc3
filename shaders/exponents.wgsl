// Exponents of the power-of-two factors that bring an unusual matrix into the window, as `src/cpu/scaling.rs` has them,
// found by one invocation alone.

// One factor for all where that will do, else rows and then columns to a largest part in [1, 2). `n` is N, counted at run
// time. Returns the exponent below which a product with a scaled element may underflow.
fn exponents(
    m: u32,
    n: u32,
    bottom: Bits,
    top: Bits,
    rows: ptr<function, array<i32, N>>,
    columns: ptr<function, array<i32, N>>,
) -> i32 {
    let low = exponent(bottom + ONE_BIT);
    let high = exponent(top);
    let one_will_do = high - low <= 2i * WINDOW - 2i;
    for (var i = 0u; i < n; i++) {
        var largest_part = NO_BITS;
        for (var j = 0u; j < n; j++) {
            largest_part = max(largest_part, largest(load(m, i, j)));
        }
        let own = select(0i, -exponent(largest_part), largest_part > NO_BITS);
        (*rows)[i] = select(own, WINDOW - 1i - high, one_will_do);
    }
    for (var j = 0u; j < n; j++) {
        var highest = LOWEST_EXPONENT;
        for (var i = 0u; i < n; i++) {
            let part = largest(load(m, i, j));
            highest = max(highest, select(LOWEST_EXPONENT, exponent(part) + (*rows)[i], part > NO_BITS));
        }
        (*columns)[j] = select(select(-highest, 0i, one_will_do), EMPTY, highest == LOWEST_EXPONENT);
    }
    return select(-WINDOW, -1i, one_will_do);
}
