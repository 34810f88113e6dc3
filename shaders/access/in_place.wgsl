// Input and output are one buffer, the inverses in place of the matrices or elsewhere: a kernel has loaded a matrix whole
// before it stores any of its inverse.

@group(0) @binding(1) var<storage, read_write> output: array<Element>;

fn load(m: u32, i: u32, j: u32) -> Word {
    return opened(output[input_at(m, i, j)]);
}

// A scaled matrix waits where its inverse will be, which may be beside the matrix, or in its place but transposed: then it
// replaces the one it was made of, since an element may not go where another is still to be loaded.
fn stash_at(m: u32, i: u32, j: u32) -> u32 {
    if OUTPUT_OFFSET == INPUT_OFFSET && OUTPUT_MATRIX == INPUT_MATRIX {
        return input_at(m, i, j);
    }
    return output_at(m, i, j);
}

fn stash(m: u32, i: u32, j: u32, x: Word) {
    output[stash_at(m, i, j)] = closed(x);
}

fn stashed(m: u32, i: u32, j: u32) -> Word {
    return opened(output[stash_at(m, i, j)]);
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
