//! The instructions that a subgroup executes, from the driver's text and the rounds of its loops.
//!
//! ```text
//! BB1:                     once
//! BB2:                     the head of a loop: a later branch leads back to it
//!     s_cbranch_scc1 BB6       out of the loop
//! BB3:                     in every round
//!     s_branch BB2
//! BB6:                     once
//! ```

use std::collections::HashMap;

use crate::isa::{Instructions, Kind, Line, lines};

/// Counts each instruction as often as the loops around it go round, each of them `rounds` times. Branches that skip
/// instructions are not taken: text that only few matrices go through must be left out before, as [`usual`] does.
pub fn executed(text: &str, rounds: u32) -> Instructions {
    let mut labels = HashMap::new();
    let mut instructions = Vec::new();
    for line in lines(text) {
        match line {
            Line::Label(label) => drop(labels.insert(label, instructions.len())),
            Line::Instruction { name, operands, times } => instructions.push((Kind::of(name), operands, times)),
        }
    }
    // The last instruction of each loop, by the first: several branches may lead back to it.
    let mut loops: HashMap<usize, usize> = HashMap::new();
    for (index, (kind, operands, _)) in instructions.iter().enumerate() {
        if *kind == Kind::Branch
            && let Some(&target) = labels.get(operands)
            && target <= index
        {
            let last = loops.entry(target).or_default();
            *last = index.max(*last);
        }
    }
    let mut count = Instructions::default();
    for (index, (kind, _, times)) in instructions.iter().enumerate() {
        let around = loops.iter().filter(|&(first, last)| (first..=last).contains(&&index)).count();
        count.add(*kind, times * u64::from(rounds).pow(around as u32));
    }
    count
}

/// A program without what only few matrices go through: scaling, and NaN in place of an inverse. `None` if it is of a
/// kernel with other loops than [`executed`] knows.
pub fn usual(source: &str) -> Option<String> {
    let changes = [
        ("let scaling = present && status == INVERTED && needs_scaling(bottom, top);", "let scaling = false;"),
        ("let scaling = status == INVERTED && needs_scaling(bottom, top);", "let scaling = false;"),
        ("e < select(0u, N * filled, status != INVERTED)", "e < 0u"),
        ("!scaling && !needs_scaling(rhs_bottom, rhs_top)", "true"),
        ("lowest >= bits(power(MIN_EXPONENT + WINDOW)) - ONE_BIT", "true"),
        ("lowest < bits(power(MIN_EXPONENT + WINDOW)) - ONE_BIT", "false"),
        ("if present && status != INVERTED {", "if false {"),
        ("is_zero_column(m, k)", "false"),
    ];
    let mut usual = source.to_owned();
    let mut made = 0;
    for (from, to) in changes.into_iter().filter(|(from, _)| source.contains(from)) {
        usual = usual.replace(from, to);
        made += 1;
    }
    let whole = source.contains("fn main(");
    (whole && made >= 2).then_some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_counted() {
        let text = "BB0:
\ts_mov_b32 s0, 0 ; 00
BB1:
\tv_mov_b32 v0, v1 ; 00
\ts_cbranch_scc1 BB4 ; 00
BB2:
\tv_fma_f32 v0, v1, v2, v3 ; 00
\tv_fma_f32 v0, v1, v2, v3 ; 00
\ts_cbranch_scc0 BB2 ; 00
BB3:
\ts_branch BB1 ; 00
BB4:
\tbuffer_store_dword v0, v1, s[0:3], 0 offen ; 00
\ts_endpgm ; 00
";
        let count = executed(text, 10);
        assert_eq!((count.arithmetic, count.moves, count.buffer), (200, 10, 1));
        assert_eq!((count.branches, count.scalar), (10 + 100 + 10, 10 + 100 + 10 + 2));
    }

    /// The kernels still hold the text that is replaced.
    #[test]
    fn kernels_have_a_usual_path() {
        use crate::questions::{Numbers, Orders, questions};
        use batchinv::Op;
        use batchinv::plan::GpuLimits;
        let mut limits = GpuLimits::WEBGPU_DEFAULT;
        limits.subgroups = Some((32, 64));
        for (order, has) in [(4, true), (8, true), (32, true), (60, true), (200, false)] {
            for question in questions(
                &limits,
                &Numbers::of(&[], &[]),
                &[(Op::Inverse, 0), (Op::Solve, 1)],
                &Orders::These(vec![order]),
                None,
                false,
            ) {
                assert_eq!(usual(&question.source).is_some(), has, "{}", question.name);
            }
        }
    }
}
