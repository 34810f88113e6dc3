// The output as elements, in any layout.

@group(0) @binding(1) var<storage, read_write> output: array<Element>;

// True if a kernel stores an inverse by quads.
const STORES_QUADS = false;

fn element(at: u32) -> Element {
    return output[at];
}

fn put(at: u32, x: Element) {
    output[at] = x;
}

fn store_quad(m: u32, i: u32, quad: array<Element, 4>) {}
