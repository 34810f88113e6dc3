// Elements are float32 in memory and float64 in arithmetic, as in NumPy. Integer arithmetic converts them, because
// a device's own conversion may flush subnormal numbers and may round either way.

alias Part = u32;

const NO_PART: Part = 0u;
const NAN_PART: Part = 0x7fc00000u;

// Exact.
fn widened(x: Part) -> Bits {
    let magnitude = x & 0x7fffffffu;
    let sign = u64(x >> 31u) << 63u;
    if magnitude == 0u {
        return sign;
    }
    if magnitude >= 0x7f800000u {
        return sign | INFINITE | (u64(magnitude & 0x7fffffu) << 29u);
    }
    if magnitude >= 0x800000u {
        // The exponent biased by 1023 instead of 127.
        return sign | ((u64(magnitude) << 29u) + (896lu << 52u));
    }
    let leading = firstLeadingBit(magnitude);
    let fraction = (u64(magnitude) << (52u - leading)) & FRACTION;
    return sign | (u64(leading + 874u) << 52u) | fraction;
}

// Rounds to nearest even, also to a subnormal number.
fn narrowed(x: Bits) -> Part {
    let sign = u32(x >> 63u) << 31u;
    let magnitude = x & MAGNITUDE;
    if magnitude >= INFINITE {
        return select(sign | 0x7f800000u, NAN_PART, magnitude > INFINITE);
    }
    let biased = i32(magnitude >> 52u) - 896i;
    if biased < -23i {
        return sign;
    }
    if biased > 254i {
        return sign | 0x7f800000u;
    }
    let significand = (magnitude & FRACTION) | (FRACTION + ONE_BIT);
    let shift = u32(29i + max(1i - biased, 0i));
    let quotient = u32(significand >> shift);
    let rest = significand & ((ONE_BIT << shift) - ONE_BIT);
    let half = ONE_BIT << (shift - 1u);
    let up = rest > half || (rest == half && (quotient & 1u) == 1u);
    // The leading bit of a normal number adds one to the exponent, and so does a carry.
    return sign | ((u32(max(biased - 1i, 0i)) << 23u) + quotient + u32(up));
}
