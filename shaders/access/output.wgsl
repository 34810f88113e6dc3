// The output, which the input may share (`in_place.wgsl`).

@group(0) @binding(1) var<storage, read_write> output: array<Element>;

fn store(m: u32, i: u32, j: u32, x: Word) {
    output[output_at(m, i, j)] = from_word(x);
}

fn store_nan(m: u32, i: u32, j: u32) {
    output[output_at(m, i, j)] = NAN_ELEMENT;
}

fn stored(m: u32, i: u32, j: u32) -> Word {
    return to_word(output[output_at(m, i, j)]);
}

// A scaled matrix is stashed in the output until its inverse is stored there.
fn stash(m: u32, i: u32, j: u32, x: Word) {
    output[stash_at(m, i, j)] = from_word(x);
}

fn stashed(m: u32, i: u32, j: u32) -> Word {
    return to_word(output[stash_at(m, i, j)]);
}
