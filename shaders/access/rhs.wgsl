// Right-hand sides and solutions are two buffers.

@group(0) @binding(7) var<storage, read> rhs: array<Element>;

fn given_rhs(m: u32, i: u32, c: u32) -> Element {
    return rhs[rhs_at(m, i, c)];
}

fn finish_rhs_loads() {}
