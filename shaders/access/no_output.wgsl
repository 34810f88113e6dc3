// The operation has no result but statuses and determinants.

fn store(m: u32, i: u32, j: u32, x: Word) {}

fn stored(m: u32, i: u32, j: u32) -> Word {
    return word(ZERO);
}

fn store_failed(m: u32, i: u32, j: u32) {}
