// Input and output are one buffer; the inverses replace the matrices or lie elsewhere in it. A kernel loads a whole
// matrix before it stores any element of its inverse.

fn load(m: u32, i: u32, j: u32) -> Word {
    return to_word(output[input_at(m, i, j)]);
}

// An inverse that replaces its matrix may be transposed. The scaled matrix then replaces the matrix element by
// element: at the transposed place it would overwrite elements that are still to be loaded.
fn stash_at(m: u32, i: u32, j: u32) -> u32 {
    if OUTPUT_OFFSET == INPUT_OFFSET && OUTPUT_MATRIX == INPUT_MATRIX {
        return input_at(m, i, j);
    }
    return output_at(m, i, j);
}
