// Results. `by_elements.wgsl` and `by_vec4.wgsl` hold the buffer, which the input may share (`in_place.wgsl`).

fn store(m: u32, i: u32, j: u32, x: Word) {
    put(output_at(m, i, j), from_word(x));
}

fn stored(m: u32, i: u32, j: u32) -> Word {
    return to_word(fetch(output_at(m, i, j)));
}
