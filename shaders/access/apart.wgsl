// Input and output are two buffers.

@group(0) @binding(0) var<storage, read> input: array<Element>;

fn given(m: u32, i: u32, j: u32) -> Element {
    return input[input_at(m, i, j)];
}

fn load(m: u32, i: u32, j: u32) -> Word {
    return to_word(given(m, i, j));
}

// Nothing is stored in the input, so that stores need not wait for loads.
fn finish_loads() {}
