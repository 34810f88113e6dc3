//! Families of matrices: ordinary ones, and those at the edges of the arithmetic.

use std::cmp::Ordering;

use batchinv::{Complex, Scalar};

/// A scalar of the crate, and what the families depend on.
pub trait Element: Scalar<Real: Number> + Number {
    /// The exponent of the smallest normal number.
    const MIN_EXPONENT: i32;
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
}

/// A number that is made from float64 parts and written as bytes without the crate's own conversions.
pub trait Number: Copy {
    /// Both parts rounded to nearest; real numbers drop the imaginary one.
    fn new(re: f64, im: f64) -> Self;

    /// Appends its little-endian bytes.
    fn append_bytes(self, bytes: &mut Vec<u8>);
}

macro_rules! element {
    ($real:ident) => {
        impl Number for $real {
            fn new(re: f64, _: f64) -> Self {
                re as $real
            }

            fn append_bytes(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        }

        impl Number for Complex<$real> {
            fn new(re: f64, im: f64) -> Self {
                Complex::new(re as $real, im as $real)
            }

            fn append_bytes(self, bytes: &mut Vec<u8>) {
                self.re.append_bytes(bytes);
                self.im.append_bytes(bytes);
            }
        }

        impl Element for $real {
            const MIN_EXPONENT: i32 = $real::MIN_EXP - 1;
            const EPSILON: f64 = $real::EPSILON as f64;
        }

        impl Element for Complex<$real> {
            const MIN_EXPONENT: i32 = $real::MIN_EXP - 1;
            const EPSILON: f64 = $real::EPSILON as f64;
        }
    };
}

element!(f32);
element!(f64);

/// A family of matrices. They are numbered, and successive numbers go through the family's special cases.
#[derive(Clone, Copy)]
pub struct Family {
    pub name: &'static str,
    matrix: fn(&mut Maker, usize) -> Matrix,
}

/// Every family but [`MIXED`].
pub const FAMILIES: [Family; 9] = [
    Family { name: "ordinary", matrix: |maker, _| maker.uniform() },
    Family { name: "integers", matrix: integers },
    Family { name: "scaled", matrix: scaled },
    Family { name: "graded", matrix: graded },
    Family { name: "subnormal", matrix: subnormal },
    Family { name: "nonfinite", matrix: nonfinite },
    Family { name: "exact", matrix: exact },
    Family { name: "illconditioned", matrix: ill_conditioned },
    Family { name: "overflowing", matrix: overflowing },
];

/// Every second matrix is ordinary, and the others come from all other families, so that only some lanes are special.
pub const MIXED: Family = Family {
    name: "mixed",
    matrix: |maker, number| match number % 2 {
        0 => maker.uniform(),
        _ => {
            let special = &FAMILIES[1..];
            let (round, family) = (number / 2 / special.len(), number / 2 % special.len());
            (special[family].matrix)(maker, family + round + 1)
        }
    },
};

/// The first `len` matrices of a family. They depend on the family, the order and the scalar alone, so a shorter stack
/// is the beginning of a longer one.
pub fn stack<T: Element>(family: Family, order: usize, len: usize) -> Vec<T> {
    let seed = family.name.bytes().fold(order as u64, |seed, byte| seed << 5 ^ seed >> 59 ^ u64::from(byte));
    let mut maker = Maker { order, min_exponent: T::MIN_EXPONENT, epsilon: T::EPSILON, random: Random(seed) };
    let matrices = (0..if order > 0 { len } else { 0 }).flat_map(|number| (family.matrix)(&mut maker, number));
    matrices.map(|element| T::new(element.re, element.im)).collect()
}

/// The elements of one matrix, row by row, in float64 before they are rounded to the scalar.
type Matrix = Vec<Complex<f64>>;

const ZERO: Complex<f64> = Complex::new(0.0, 0.0);
const ONE: Complex<f64> = Complex::new(1.0, 0.0);

/// Makes matrices of one order for one scalar.
struct Maker {
    order: usize,
    min_exponent: i32,
    epsilon: f64,
    random: Random,
}

impl Maker {
    /// A matrix from a function of the row and the column.
    fn fill(&mut self, mut element: impl FnMut(&mut Random, usize, usize) -> Complex<f64>) -> Matrix {
        let n = self.order;
        (0..n * n).map(|index| element(&mut self.random, index / n, index % n)).collect()
    }

    /// Both parts uniform in [-1, 1).
    fn uniform(&mut self) -> Matrix {
        self.fill(|random, _, _| random.element())
    }

    fn uniform_times(&mut self, exponent: i32) -> Matrix {
        self.fill(|random, _, _| random.element() * power(exponent))
    }
}

/// Small integers, with columns that elimination finds to be zero exactly, or almost.
fn integers(maker: &mut Maker, number: usize) -> Matrix {
    let n = maker.order;
    let mut matrix = maker.fill(|random, _, _| Complex::new(random.integer(-4, 4), random.integer(-4, 4)));
    let (middle, last) = (n / 2, n - 1);
    for row in matrix.chunks_exact_mut(n) {
        match number % 6 {
            1 => row[0] = ZERO,
            2 => row[middle] = ZERO,
            3 => row[last] = ZERO,
            4 => row[last] = row[0],
            5 => row[middle] = row[0] * 2.0,
            _ => {}
        }
    }
    matrix
}

/// One factor for all elements of a matrix brings them near underflow or overflow.
fn scaled(maker: &mut Maker, number: usize) -> Matrix {
    let min = maker.min_exponent;
    maker.uniform_times([min * 3 / 4, -min, -min * 3 / 4, min, min / 2, min + 20][number % 6])
}

/// Rows, columns or both times powers of two that spread over most of the range.
fn graded(maker: &mut Maker, number: usize) -> Matrix {
    let n = maker.order;
    let wide = f64::from(-maker.min_exponent) * 0.8;
    let mut exponents = |wide: f64| -> Vec<i32> { (0..n).map(|_| (maker.random.uniform() * wide) as i32).collect() };
    let (rows, columns) = match number % 4 {
        0 => (exponents(wide), vec![0; n]),
        1 => (vec![0; n], exponents(wide)),
        2 => (exponents(wide / 2.0), exponents(wide / 2.0)),
        // In float32, diag(2^-127, 2^127, 4, ...) with small couplings, some of which rounding loses.
        _ => {
            let ends = [maker.min_exponent - 1, 1 - maker.min_exponent, 2];
            return maker.fill(|random, i, j| match (i == j, (i + 1) % n == j) {
                (true, _) => ONE * power(ends[i % 3]),
                (_, true) => random.element() * power(ends[(i + 1) % 3] / 2),
                _ => ZERO,
            });
        }
    };
    maker.fill(|random, i, j| random.element() * power(rows[i] + columns[j]))
}

/// Subnormal elements: all of them, most, or a few.
fn subnormal(maker: &mut Maker, number: usize) -> Matrix {
    let min = maker.min_exponent;
    match number % 3 {
        0 => maker.uniform_times(min - 8),
        1 => maker.uniform_times(min + 1),
        _ => maker.fill(|random, i, j| random.element() * if (i + 2 * j) % 5 == 1 { power(min - 4) } else { 1.0 }),
    }
}

/// NaN or infinity in one place, also of a singular matrix; every fifth matrix is ordinary.
fn nonfinite(maker: &mut Maker, number: usize) -> Matrix {
    let mut matrix = maker.uniform();
    let (n, size) = (maker.order, matrix.len());
    match number % 5 {
        0 => matrix[size / 2].re = f64::NAN,
        1 => matrix[0].re = f64::INFINITY,
        2 => matrix[size - 1] = Complex::new(f64::NEG_INFINITY, f64::NAN),
        3 => {
            matrix.chunks_exact_mut(n).for_each(|row| row[0] = ZERO);
            matrix[size - 1].re = f64::NAN;
        }
        _ => {}
    }
    matrix
}

/// Nothing is rounded: zero, the identity, and permutations times powers of two.
fn exact(maker: &mut Maker, number: usize) -> Matrix {
    let n = maker.order;
    let columns = match number % 6 {
        0 => return vec![ZERO; n * n],
        1 => (0..n).collect(),
        2 => (0..n).rev().collect(),
        3 => (0..n).map(|i| (i + 1) % n).collect(),
        _ => maker.random.permutation(n),
    };
    // Zeros of both signs.
    let zero = if number % 6 == 5 { -0.0 } else { 0.0 };
    maker.fill(|random, i, j| match (columns[i] == j, number % 6) {
        (false, _) => Complex::new(zero, zero),
        (true, 4..) => Complex::new(power(random.integer(-9, 9) as i32), 0.0) * if i % 3 == 1 { -1.0 } else { 1.0 },
        (true, _) => ONE,
    })
}

/// Matrices that leave few digits, or none, to trust.
fn ill_conditioned(maker: &mut Maker, number: usize) -> Matrix {
    let (n, epsilon) = (maker.order, maker.epsilon);
    match number % 4 {
        // Hilbert's matrix.
        0 => maker.fill(|_, i, j| ONE / (i + j + 1) as f64),
        // Kahan's graded triangle.
        1 => {
            let mut grade = 1.0;
            maker.fill(|_, i, j| {
                if i == j && i > 0 {
                    grade *= 0.93;
                }
                match i.cmp(&j) {
                    Ordering::Equal => ONE * grade,
                    Ordering::Less => ONE * (-0.36 * grade),
                    Ordering::Greater => ZERO,
                }
            })
        }
        // A last column that differs from the one before it by a few roundings.
        2 => {
            let mut matrix = maker.uniform();
            if n > 1 {
                for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
                    row[n - 1] = row[n - 2] * (1.0 + (2 * i) as f64 * epsilon);
                }
            }
            matrix
        }
        // Wilkinson's matrix, perturbed: the last column doubles at every step.
        _ => maker.fill(|random, i, j| {
            let shrink = 1.0 - 0.01 * random.uniform().abs();
            match (i == j || j == n - 1, i > j) {
                (true, _) => ONE,
                (_, true) => ONE * -shrink,
                _ => ZERO,
            }
        }),
    }
}

/// The inverse overflows the scalar, in some of its elements or in all.
fn overflowing(maker: &mut Maker, number: usize) -> Matrix {
    let (n, min) = (maker.order, maker.min_exponent);
    match number % 3 {
        0 => maker.uniform_times(min),
        // [1 s; s 0] in a corner of the identity.
        1 => maker.fill(|_, i, j| match (i, j) {
            (0, 1) | (1, 0) => ONE * power(min * 5 / 8),
            _ if i == j && i != 1 => ONE,
            _ => ZERO,
        }),
        // A lower triangle with one pivot whose reciprocal overflows.
        _ => maker.fill(|random, i, j| match i.cmp(&j) {
            Ordering::Equal => ONE * power(if i == n / 2 { min - 2 } else { 0 }),
            Ordering::Greater => random.element(),
            Ordering::Less => ZERO,
        }),
    }
}

/// 2^exponent, or 0 below what float64 can hold.
fn power(exponent: i32) -> f64 {
    match exponent {
        -1022.. => f64::from_bits(((exponent + 1023) as u64) << 52),
        -1074.. => f64::from_bits(1 << (exponent + 1074)),
        _ => 0.0,
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [-1, 1).
    fn uniform(&mut self) -> f64 {
        (self.word() >> 11) as f64 * power(-52) - 1.0
    }

    fn element(&mut self) -> Complex<f64> {
        Complex::new(self.uniform(), self.uniform())
    }

    /// From `least` to `most`.
    fn integer(&mut self, least: i64, most: i64) -> f64 {
        (least + (self.word() % (most - least + 1) as u64) as i64) as f64
    }

    fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, (self.word() % (i as u64 + 1)) as usize);
        }
        order
    }
}
