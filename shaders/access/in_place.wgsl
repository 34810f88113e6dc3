// Input and output are one buffer; the inverses replace the matrices or lie elsewhere in it. A kernel loads a whole
// matrix before it stores any element of its inverse.

fn given(m: u32, i: u32, j: u32) -> Element {
    return fetch(input_at(m, i, j));
}

fn load(m: u32, i: u32, j: u32) -> Word {
    return to_word(given(m, i, j));
}

// Stands between the loads and the stores of a kernel in which several invocations of a workgroup share a matrix: an
// element may be loaded by one and stored by another.
fn finish_loads() {
    storageBarrier();
}
