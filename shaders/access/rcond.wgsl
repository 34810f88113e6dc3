// The caller asks for reciprocal condition numbers, or for verdicts that go by them.

const RCOND = true;

@group(0) @binding(6) var<storage, read_write> rconds: array<Part>;

fn store_rcond(m: u32, rcond: Part) {
    rconds[m] = rcond;
    // Numbers that are not negative compare as their bits do. The status was stored before, by the same invocation.
    if rcond < MIN_RCOND && statuses[m] == INVERTED {
        statuses[m] = ILL_CONDITIONED;
    }
}
