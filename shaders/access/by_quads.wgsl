// The output as quads, four real elements that one access takes: a row of order 4, or a matrix of order 2.
// `Variant::stores_quads` says when.

@group(0) @binding(1) var<storage, read_write> output: array<vec4<Element>>;

const STORES_QUADS = true;

fn element(at: u32) -> Element {
    return output[at / 4u][at % 4u];
}

fn put(at: u32, x: Element) {
    output[at / 4u][at % 4u] = x;
}

// Stores the quad that ends with row i.
fn store_quad(m: u32, i: u32, quad: array<Element, 4>) {
    output[output_at(m, i + 1u - 4u / N, 0u) / 4u] = vec4<Element>(quad[0], quad[1], quad[2], quad[3]);
}
