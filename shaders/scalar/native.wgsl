// Elements have the same precision in memory and in arithmetic.

alias Part = Bits;

const NO_PART: Part = NO_BITS;
const NAN_PART: Part = NAN_BITS;

fn widened(x: Part) -> Bits {
    return x;
}

fn narrowed(x: Bits) -> Part {
    return x;
}
