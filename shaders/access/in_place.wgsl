// Input and output are one buffer: a kernel has loaded a matrix whole before it stores any of its inverse.

@group(0) @binding(1) var<storage, read_write> output: array<Element>;

fn load(m: u32, i: u32, j: u32) -> Word {
    return opened(output[input_at(m, i, j)]);
}

// A scaled matrix replaces the one it was made of, whose addresses may differ from those of the inverse.
fn stash(m: u32, i: u32, j: u32, x: Word) {
    output[input_at(m, i, j)] = closed(x);
}

fn stashed(m: u32, i: u32, j: u32) -> Word {
    return load(m, i, j);
}

fn stored(m: u32, i: u32, j: u32) -> Word {
    return opened(output[output_at(m, i, j)]);
}

fn store(m: u32, i: u32, j: u32, x: Word) {
    output[output_at(m, i, j)] = closed(x);
}

fn store_nan(m: u32, i: u32, j: u32) {
    output[output_at(m, i, j)] = NAN_ELEMENT;
}
