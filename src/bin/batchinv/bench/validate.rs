//! The check before the timing: a sample of every stack is compared with the reference.

use std::collections::BTreeSet;

use batchinv::{Kernel, Scalar, Stack, StackBuf};
use rayon::prelude::*;

use crate::bench::args::Configuration;
use crate::bench::call::{Answer, Input};
use crate::bench::engines::Engine;
use crate::bench::judge::judge;
use crate::bench::operation::Operation;
use crate::exit::Failure;

/// Approximate size of a sample of small matrices.
const SAMPLE: usize = 1000;

/// Largest order of small matrices. The reference is slow, so samples of larger ones are smaller.
const SMALL: usize = 48;

/// Approximate number of planted matrices without an inverse.
const PLANTED: usize = 32;

/// At each end of a stack, this many matrices and the borders of this many pieces are all in the sample.
const ENDS: usize = 16;

/// The matrices to check, and the facts that a failure names.
pub struct Validation {
    configuration: Configuration,
    engine: &'static str,
    planted: BTreeSet<usize>,
    sample: Vec<usize>,
}

impl Validation {
    pub fn new(configuration: Configuration, engine: &Engine) -> Self {
        let Configuration { order, len, .. } = configuration;
        let piece = engine.piece_len(configuration.work());
        let last_border = (len - 1) / piece;
        let borders = (1..=last_border).filter(|border| *border <= ENDS || last_border - border < ENDS);
        let borders: Vec<usize> = borders.map(|border| border * piece).collect();

        // On both sides of borders. The very last matrix keeps its inverse, unless it is the only one.
        let spread = (0..PLANTED.min(len.div_ceil(2))).map(|i| i * len / PLANTED.min(len.div_ceil(2)));
        let beside = borders.iter().enumerate().map(|(i, border)| border - i % 2);
        let planted: BTreeSet<usize> = spread.chain(beside).filter(|at| len == 1 || at + 1 < len).collect();

        let count =
            if order <= SMALL { SAMPLE } else { (SAMPLE as f64 * (SMALL as f64 / order as f64).powi(3)) as usize };
        let count = count.clamp(2 * ENDS, SAMPLE).min(len);
        let spread = (0..count).map(|i| (i as f64 * len as f64 / count as f64) as usize);
        let ends = (0..ENDS).flat_map(|i| [i, (len - 1).saturating_sub(i)]);
        let beside = borders.iter().flat_map(|border| [border - 1, *border]);
        let sample: BTreeSet<usize> =
            spread.chain(ends).chain(beside).chain(planted.iter().copied()).filter(|at| *at < len).collect();
        Self { configuration, engine: engine.name(), planted, sample: sample.into_iter().collect() }
    }

    /// Returns the largest ratio of the sample and of all matrices reported without an inverse, or fails on the first
    /// wrong answer.
    pub fn check<T: Scalar>(&self, kernel: Kernel, input: Input<'_, T>, answer: Answer<'_, T>) -> Result<f64, Failure> {
        let check = |at: &usize| judge(input, answer, *at).map_err(|reason| (*at, reason));
        let worst = |some: &[usize]| -> Result<f64, (usize, String)> {
            // Chunks stop the check early if everything is wrong; collecting a chunk makes the first failure certain.
            let mut worst = 0.0_f64;
            for some in some.chunks(4 * SAMPLE) {
                let ratios: Vec<Result<f64, _>> = some.par_iter().map(check).collect();
                for ratio in ratios {
                    worst = worst.max(ratio?);
                }
            }
            Ok(worst)
        };
        let doubted: Vec<usize> = (0..input.a.len()).filter(|at| answer.is_doubted(*at)).collect();
        worst(&self.sample).and_then(|ratio| Ok(ratio.max(worst(&doubted)?))).map_err(|(at, reason)| {
            let (Configuration { op, scalar, order, width, len }, engine) = (self.configuration, self.engine);
            let op = if op == Operation::Inverse { String::new() } else { format!("{}, ", op.title(width)) };
            Failure::refused(format!(
                "wrong answer, so no time is shown: {engine} engine, kernel {kernel}, {op}{scalar}, order {order}: \
                 matrix {at} of {len} {reason}"
            ))
        })
    }
}

/// A copy of the stack in which some matrices have no inverse: they have a zero column or row, are all zero, or hold
/// NaN or infinity.
pub fn planted<T: Scalar>(stack: Stack<'_, T>, validation: &Validation) -> StackBuf<T> {
    let n = stack.order();
    let mut elements = stack.elements().to_vec();
    let infinite = {
        let mut one = T::ONE;
        let parts: &mut [T::Real] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut one));
        parts[0] = <T::Real as batchinv::Real>::from_f64(f64::INFINITY);
        one
    };
    for (kind, at) in validation.planted.iter().enumerate() {
        let matrix = &mut elements[at * n * n..][..n * n];
        // The row, column or element changes with each round of the six kinds.
        let place = kind / 6 * 5;
        match kind % 6 {
            0 => matrix.iter_mut().skip(n - 1 - place % n).step_by(n).for_each(|element| *element = T::ZERO),
            1 => matrix[place % (n * n)] = T::NAN,
            2 => matrix.iter_mut().skip(place % n).step_by(n).for_each(|element| *element = T::ZERO),
            3 => matrix[place % n * n..][..n].fill(T::ZERO),
            4 => matrix[n * n - 1 - place % (n * n)] = infinite,
            _ => matrix.fill(T::ZERO),
        }
    }
    StackBuf::new(elements, n).expect("it was a stack")
}

#[cfg(test)]
mod tests {
    use batchinv::{ScalarKind, Stack};

    use super::{BTreeSet, Configuration, Operation, Validation, planted};

    #[test]
    fn what_is_planted_has_no_inverse_of_either_kind() {
        for order in [1, 2, 7] {
            let elements: Vec<f32> = (0..12 * order * order).map(|i| (i as f32 + 0.5).sin()).collect();
            let configuration =
                Configuration { op: Operation::Inverse, scalar: ScalarKind::Float32, order, width: 0, len: 12 };
            let at: BTreeSet<usize> = (0..12).collect();
            let validation = Validation { configuration, engine: "cpu", planted: at, sample: Vec::new() };
            let stack = planted(Stack::new(&elements, order).unwrap(), &validation);
            let words: BTreeSet<i32> = (0..12)
                .map(|at| batchinv::invert_reference(stack.matrix(at), order, &mut vec![0.0; order * order]).word())
                .collect();
            assert!(!words.contains(&0) && words.contains(&-1) && words.contains(&1), "{words:?}");
            assert!(words.contains(&(order as i32)), "{words:?}");
        }
    }
}
