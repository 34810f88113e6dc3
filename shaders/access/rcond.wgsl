// The caller asks for reciprocal condition numbers.

const RCOND = true;

@group(0) @binding(6) var<storage, read_write> rconds: array<Part>;

fn store_rcond(m: u32, rcond: Part) {
    rconds[m] = rcond;
}
