// The operation has no result but statuses and determinants.

fn store(m: u32, i: u32, j: u32, x: Word) {}

const STORES_VEC4 = false;

fn store_vec4(m: u32, i: u32, x: array<Element, 4>) {}

fn stored(m: u32, i: u32, j: u32) -> Word {
    return word(ZERO);
}

fn store_failed(m: u32, i: u32, j: u32) {}
