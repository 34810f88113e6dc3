// The output as elements, in any layout.

@group(0) @binding(1) var<storage, read_write> output: array<Element>;

// True if a kernel stores an inverse four elements at a time.
const STORES_VEC4 = false;

fn fetch(at: u32) -> Element {
    return output[at];
}

fn put(at: u32, x: Element) {
    output[at] = x;
}

fn store_vec4(m: u32, i: u32, x: array<Element, 4>) {}
