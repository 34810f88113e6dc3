// The output, which the input may share (`in_place.wgsl`).

@group(0) @binding(1) var<storage, read_write> output: array<Element>;

fn store(m: u32, i: u32, j: u32, x: Word) {
    output[output_at(m, i, j)] = from_word(x);
}

fn stored(m: u32, i: u32, j: u32) -> Word {
    return to_word(output[output_at(m, i, j)]);
}
