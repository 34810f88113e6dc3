// The operation has no right-hand side.

fn given_rhs(m: u32, i: u32, c: u32) -> Element {
    return from_word(word(ZERO));
}

fn finish_rhs_loads() {}
