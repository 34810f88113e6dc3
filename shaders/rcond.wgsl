// rcond = 1 / (||A||_1 ||X||_1), in two dispatches around an inversion: `norm` keeps ||A||_1 where rcond will be, and
// `rcond` multiplies by that of the inverse. An invocation sums a column; several small matrices share a workgroup.
// The sign of the word kept says how it was shifted.

@group(0) @binding(0) var<storage, read> matrices: array<Element>;
@group(0) @binding(1) var<storage, read_write> rconds: array<Part>;

const COLUMNS_AT_ONCE = WORKGROUP / MATRICES;

var<workgroup> tops: array<Bits, WORKGROUP>;
var<workgroup> sums: array<Bits, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(local_invocation_index) local: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let slot = local / COLUMNS_AT_ONCE;
    let first = local % COLUMNS_AT_ONCE;
    let present = slot < matrices_here(group, groups);
    let m = first_matrix(group, groups) + slot;

    var top = NO_BITS;
    if present {
        for (var j = first; j < N; j += COLUMNS_AT_ONCE) {
            for (var i = 0u; i < N; i++) {
                top = max(top, largest(opened(matrices[input_at(m, i, j)])));
            }
        }
    }
    tops[local] = top;
    workgroupBarrier();
    for (var c = 0u; c < COLUMNS_AT_ONCE; c++) {
        top = max(top, tops[slot * COLUMNS_AT_ONCE + c]);
    }
    let shift = norm_shift(exponent(max(top, ONE_BIT)));

    var highest = NO_BITS;
    if present {
        for (var j = first; j < N; j += COLUMNS_AT_ONCE) {
            var sum = REAL_ZERO;
            for (var i = 0u; i < N; i++) {
                sum += modulus(scaled(opened(matrices[input_at(m, i, j)]), shift));
            }
            highest = max(highest, bits(sum));
        }
    }
    sums[local] = highest;
    workgroupBarrier();
    if !present || first != 0u {
        return;
    }
    for (var c = 0u; c < COLUMNS_AT_ONCE; c++) {
        highest = max(highest, sums[slot * COLUMNS_AT_ONCE + c]);
    }

    if ONLY_NORM {
        rconds[m] = narrowed(highest) | select(SIGN_PART, NO_PART, shift > 0i);
        return;
    }
    let status = statuses[m];
    let kept = rconds[m];
    let kept_shift = select(SHIFT, -SHIFT, (kept & SIGN_PART) != NO_PART);
    let of_input = norm_of(widened(kept & ~SIGN_PART), kept_shift);
    rconds[m] = rcond_of(of_input, norm_of(highest, shift), status);
}
