// Input and output are two buffers.

@group(0) @binding(0) var<storage, read> input: array<Element>;
@group(0) @binding(1) var<storage, read_write> output: array<Element>;

fn load(m: u32, i: u32, j: u32) -> Word {
    return opened(input[input_at(m, i, j)]);
}

// A scaled matrix waits where its inverse will be.
fn stash(m: u32, i: u32, j: u32, x: Word) {
    output[output_at(m, i, j)] = closed(x);
}

fn stashed(m: u32, i: u32, j: u32) -> Word {
    return opened(output[output_at(m, i, j)]);
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
