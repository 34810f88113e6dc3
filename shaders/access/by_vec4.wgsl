// The output by four real elements that are stored at once: a row of order 4, or a matrix of order 2.
// `Variant::stores_vec4` says when.

@group(0) @binding(1) var<storage, read_write> output: array<vec4<Element>>;

const STORES_VEC4 = true;

fn fetch(at: u32) -> Element {
    return output[at / 4u][at % 4u];
}

fn put(at: u32, x: Element) {
    output[at / 4u][at % 4u] = x;
}

// Stores the four elements that end with row i.
fn store_vec4(m: u32, i: u32, x: array<Element, 4>) {
    output[output_at(m, i + 1u - 4u / N, 0u) / 4u] = vec4<Element>(x[0], x[1], x[2], x[3]);
}
