// The caller does not ask for reciprocal condition numbers.

const RCOND = false;

fn store_rcond(m: u32, rcond: Part) {}
