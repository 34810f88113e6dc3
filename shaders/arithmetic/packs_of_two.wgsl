// Packs of scalars that are two reals each.

alias Pack = vec4<Real>;
const PACK = 2u;

fn from_pack(x: Pack, i: u32) -> Scalar {
    return select(x.zw, x.xy, i == 0u);
}

fn into_pack(x: Pack, i: u32, scalar: Scalar) -> Pack {
    return select(Pack(x.xy, scalar), Pack(scalar, x.zw), i == 0u);
}

fn pack_sub_mul(a: Pack, f: Scalar, p: Pack) -> Pack {
    return Pack(sub_mul(a.xy, f, p.xy), sub_mul(a.zw, f, p.zw));
}
