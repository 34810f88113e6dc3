//! The verdict on one matrix.

/// The verdict on one matrix, as one word.
///
/// `0`: inverted, or solved, or its cofactor matrix found. `k >= 1`: singular, the pivot of column k, counted from 1,
/// is exactly zero (LAPACK's `info`). `-1`: not finite, the input holds NaN or infinity or the result overflows the
/// scalar. `-2`: ill-conditioned, inverted but below the least rcond that the caller asked for. Of several verdicts -1
/// comes first, then k, then -2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Status(i32);

impl Status {
    /// `0`.
    pub const INVERTED: Self = Self(0);
    /// `-1`.
    pub const NOT_FINITE: Self = Self(-1);
    /// `-2`.
    pub const ILL_CONDITIONED: Self = Self(-2);

    /// The pivot of `column`, counted from 1, is exactly zero.
    pub(crate) const fn singular(column: usize) -> Self {
        Self(column as i32)
    }

    /// The word: 0, k, -1 or -2.
    pub const fn word(self) -> i32 {
        self.0
    }

    /// The meaning of the word.
    pub const fn verdict(self) -> Verdict {
        match self.0 {
            0 => Verdict::Inverted,
            column @ 1.. => Verdict::Singular { column: column as usize },
            -2 => Verdict::IllConditioned,
            _ => Verdict::NotFinite,
        }
    }

    /// Returns whether the matrix was inverted, and not found ill-conditioned.
    pub const fn is_inverted(self) -> bool {
        self.0 == 0
    }

    /// Returns whether the inverse exists: the matrix was inverted, ill-conditioned or not.
    pub const fn has_inverse(self) -> bool {
        self.0 == 0 || self.0 == Self::ILL_CONDITIONED.0
    }
}

/// A [`Status`], spelled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The matrix was inverted.
    Inverted,
    /// The pivot of this column is exactly zero.
    Singular {
        /// Counted from 1.
        column: usize,
    },
    /// The input, a right-hand side included, holds NaN or infinity, or the result overflows the scalar.
    NotFinite,
    /// The matrix was inverted, and its rcond is below the least that the caller asked for
    /// ([`Inverter::min_rcond`](crate::Inverter::min_rcond)).
    IllConditioned,
}
