// Right-hand sides and solutions are one buffer. A kernel loads the columns of a tile before it stores any element of
// their solutions.

fn given_rhs(m: u32, i: u32, c: u32) -> Element {
    return fetch(rhs_at(m, i, c));
}

// Stands where `finish_loads` does.
fn finish_rhs_loads() {
    storageBarrier();
}
