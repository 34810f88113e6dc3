// Input and output are two buffers.

@group(0) @binding(0) var<storage, read> input: array<Element>;

fn load(m: u32, i: u32, j: u32) -> Word {
    return to_word(input[input_at(m, i, j)]);
}

fn stash_at(m: u32, i: u32, j: u32) -> u32 {
    return output_at(m, i, j);
}
