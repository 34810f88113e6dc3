//! Named test matrices, each with the result that is expected for it.

use num_complex::Complex;

use super::Element;

/// The result that is expected for one matrix.
#[derive(Clone, Debug)]
pub enum Want<T> {
    /// An inverse whose first ratio ||I - X A|| / (n ||A|| ||X|| eps) is below 3.
    Ratio,
    /// An inverse with both ratios below 3: the first one, and the mirrored one with ||I - A X||.
    BothRatios,
    /// An inverse whose first ratio is below this bound. The case gives the reason.
    RatioBelow(f64),
    /// Singular in exact arithmetic but perhaps not after rounding: either a column, or a first ratio below 3.
    RatioOrSingular,
    /// Exactly these elements (0 and -0 are equal).
    Exactly(Vec<T>),
    /// This status word.
    Status(i32),
}

/// One matrix of a stack.
#[derive(Clone, Debug)]
pub struct Case<T> {
    pub name: String,
    pub matrix: Vec<T>,
    pub want: Want<T>,
}

impl<T: Element> Case<T> {
    pub fn new(name: impl Into<String>, matrix: Vec<T>, want: Want<T>) -> Self {
        Self { name: name.into(), matrix, want }
    }
}

/// The elements of the cases' matrices, one after another.
pub fn elements<T: Element>(cases: &[Case<T>]) -> Vec<T> {
    cases.iter().flat_map(|case| case.matrix.iter().copied()).collect()
}

/// SplitMix64, a small generator with the same sequence on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.word() % bound as u64) as usize
    }

    /// Uniform in [-1, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.word() >> 11) as f64 * (0.5_f64).powi(52) - 1.0
    }

    /// Uniform in the square of side 2 around 0 for complex scalars, in [-1, 1) for real ones.
    pub fn element<T: Element>(&mut self) -> Complex<f64> {
        Complex::new(self.uniform(), if T::COMPLEX { self.uniform() } else { 0.0 })
    }

    /// 0..n in random order.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }
}

/// 2^exponent, for every exponent that float64 can hold.
pub fn power(exponent: i32) -> f64 {
    if exponent >= -1022 {
        f64::from_bits(((exponent + 1023) as u64) << 52)
    } else {
        f64::from_bits(1 << (exponent + 1074))
    }
}

/// A matrix in complex float64, to be rounded to the scalar at the end.
type Wide = Vec<Complex<f64>>;

const ZERO: Complex<f64> = Complex::new(0.0, 0.0);
const ONE: Complex<f64> = Complex::new(1.0, 0.0);

fn narrow<T: Element>(wide: &[Complex<f64>]) -> Vec<T> {
    wide.iter().map(|z| T::new(z.re, z.im)).collect()
}

/// A matrix whose entries are given by their row and column.
pub fn from_fn<T: Element>(n: usize, mut entry: impl FnMut(usize, usize) -> f64) -> Vec<T> {
    (0..n * n).map(|index| T::real(entry(index / n, index % n))).collect()
}

pub fn identity<T: Element>(n: usize) -> Vec<T> {
    from_fn(n, |i, j| f64::from(i == j))
}

/// Uniform entries with a heavy diagonal, so that condition numbers stay small at any order.
pub fn dominant<T: Element>(n: usize, random: &mut Random) -> Vec<T> {
    let mut matrix: Wide = (0..n * n).map(|_| random.element::<T>()).collect();
    for i in 0..n {
        matrix[i * n + i] += Complex::new(n as f64, 0.0);
    }
    narrow(&matrix)
}

/// Uniform entries.
pub fn uniform<T: Element>(n: usize, random: &mut Random) -> Vec<T> {
    narrow(&(0..n * n).map(|_| random.element::<T>()).collect::<Wide>())
}

/// A <- H A with a random Householder reflector H.
fn reflect_rows<T: Element>(a: &mut [Complex<f64>], n: usize, random: &mut Random) {
    let v: Wide = (0..n).map(|_| random.element::<T>()).collect();
    let norm: f64 = v.iter().map(|z| z.norm_sqr()).sum();
    let mut sums = vec![ZERO; n];
    for (row, z) in a.chunks_exact(n).zip(&v) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += z.conj() * x;
        }
    }
    for (row, z) in a.chunks_exact_mut(n).zip(&v) {
        let factor = z * (2.0 / norm);
        for (sum, x) in sums.iter().zip(row) {
            *x -= factor * sum;
        }
    }
}

fn transposed(a: &[Complex<f64>], n: usize) -> Wide {
    (0..n * n).map(|index| a[index % n * n + index / n]).collect()
}

/// U D V with random unitary U and V, and singular values from 1 down to 1 / condition in geometric progression
/// (LAPACK's xLATMS, mode 3). A few reflectors make the matrix dense, so large orders stop at 48 of them.
fn with_condition<T: Element>(n: usize, condition: f64, random: &mut Random) -> Wide {
    let mut a = vec![ZERO; n * n];
    for i in 0..n {
        let exponent = if n > 1 { -(i as f64) / (n - 1) as f64 } else { 0.0 };
        a[i * n + i] = Complex::new(condition.powf(exponent), 0.0);
    }
    for _ in 0..2 {
        for _ in 0..n.min(48) {
            reflect_rows::<T>(&mut a, n, random);
        }
        a = transposed(&a, n);
    }
    a
}

/// A dense matrix with this condition number in the 2-norm.
pub fn conditioned<T: Element>(n: usize, condition: f64, random: &mut Random) -> Vec<T> {
    narrow(&with_condition::<T>(n, condition, random))
}

/// The factor R of A = Q R, which is upper triangular and has the singular values of A.
fn triangle(mut a: Wide, n: usize) -> Wide {
    for k in 0..n {
        let norm = (k..n).map(|i| a[i * n + k].norm_sqr()).sum::<f64>().sqrt();
        let pivot = a[k * n + k];
        let phase = if pivot.norm() > 0.0 { pivot / pivot.norm() } else { ONE };
        let mut v: Wide = (k..n).map(|i| a[i * n + k]).collect();
        v[0] += phase * norm;
        let square: f64 = v.iter().map(|z| z.norm_sqr()).sum();
        if square == 0.0 {
            continue;
        }
        for j in k..n {
            let sum: Complex<f64> = v.iter().enumerate().map(|(i, z)| z.conj() * a[(k + i) * n + j]).sum();
            for (i, z) in v.iter().enumerate() {
                a[(k + i) * n + j] -= z * sum * (2.0 / square);
            }
        }
        for i in k + 1..n {
            a[i * n + k] = ZERO;
        }
    }
    a
}

/// One of the eleven types on which LAPACK tests its general solver (xLATB4, path GE, and xCHKGE): 1 diagonal,
/// 2 upper and 3 lower triangular, 4 condition 2, 5 to 7 with a zero first column, last column, and last n/2 columns,
/// 8 condition sqrt(0.1/eps), 9 condition 0.1/eps, 10 scaled near underflow, 11 near overflow.
pub fn latb4<T: Element>(n: usize, kind: usize, random: &mut Random) -> Case<T> {
    let bad = 0.1 / T::eps();
    let condition = match kind {
        8 => bad.sqrt(),
        9 => bad,
        _ => 2.0,
    };
    let mut a = match kind {
        1 => {
            let mut a = vec![ZERO; n * n];
            for i in 0..n {
                let size = 2.0_f64.powf(-(i as f64) / (n.max(2) - 1) as f64);
                let turn = if T::COMPLEX { 3.2 * random.uniform() } else { 0.0 };
                let sign = if random.uniform() < 0.0 { -1.0 } else { 1.0 };
                a[i * n + i] = Complex::from_polar(size * sign, turn);
            }
            a
        }
        _ => with_condition::<T>(n, condition, random),
    };
    match kind {
        2 => a = triangle(a, n),
        3 => a = transposed(&triangle(a, n), n),
        _ => {}
    }
    // LAPACK's SMALL and LARGE: a quarter of (smallest normal number / 2 eps), and 1 over that.
    let small = power(T::MIN_EXPONENT - 2 + T::DIGITS - 1);
    match kind {
        10 => a.iter_mut().for_each(|x| *x *= small),
        11 => a.iter_mut().for_each(|x| *x /= small),
        _ => {}
    }
    let zero = match kind {
        5 => 0..1,
        6 => n - 1..n,
        7 => n / 2..n,
        _ => 0..0,
    };
    for row in a.chunks_exact_mut(n) {
        row[zero.clone()].fill(ZERO);
    }
    let want = match kind {
        1..=4 | 10 | 11 => Want::BothRatios,
        5..=7 => Want::Status(zero.start as i32 + 1),
        _ => Want::Ratio,
    };
    Case::new(format!("latb4 {kind}"), narrow(&a), want)
}

/// All eleven types.
pub fn latb4_all<T: Element>(n: usize, random: &mut Random) -> Vec<Case<T>> {
    (1..=11).map(|kind| latb4(n, kind, random)).collect()
}

/// Matrices on which elimination without pivoting, or with the wrong pivots, fails.
pub fn traps<T: Element>(n: usize, random: &mut Random) -> Vec<Case<T>> {
    let mut cases = Vec::new();

    // Ones on the antidiagonal: its own inverse.
    let reversed: Vec<T> = from_fn(n, |i, j| f64::from(i + j == n - 1));
    cases.push(Case::new("reversal", reversed.clone(), Want::Exactly(reversed)));

    // Permutations times powers of two have exact inverses.
    for _ in 0..2 {
        let order = random.permutation(n);
        let sizes: Vec<i32> = (0..n).map(|_| random.below(21) as i32 - 10).collect();
        let (mut a, mut x) = (vec![T::ZERO; n * n], vec![T::ZERO; n * n]);
        for (i, (&j, &e)) in order.iter().zip(&sizes).enumerate() {
            a[i * n + j] = T::real(power(e));
            x[j * n + i] = T::real(power(-e));
        }
        cases.push(Case::new("permutation", a, Want::Exactly(x)));
    }

    // A cycle: every step must exchange rows.
    let cycle: Vec<T> = from_fn(n, |i, j| f64::from(j == (i + 1) % n));
    let inverse = from_fn(n, |i, j| f64::from(i == (j + 1) % n));
    cases.push(Case::new("cycle", cycle, Want::Exactly(inverse)));

    // Zeros on the diagonal, ones elsewhere: X is 1/(n-1) - 1 on the diagonal, 1/(n-1) elsewhere.
    if n > 1 {
        cases.push(Case::new("zero diagonal", from_fn(n, |i, j| f64::from(i != j)), Want::Ratio));
    }

    // Tiny pivots that row exchanges replace by good ones. Without the exchanges no digit is right.
    let mut tiny: Vec<T> = dominant(n, random);
    if n > 1 {
        let order: Vec<usize> = (1..n).chain([0]).collect();
        let source = tiny.clone();
        for (i, &from) in order.iter().enumerate() {
            tiny[i * n..][..n].copy_from_slice(&source[from * n..][..n]);
        }
        for i in 0..n {
            tiny[i * n + i] = T::real(T::eps() / 64.0);
        }
    }
    cases.push(Case::new("tiny pivots", tiny, Want::Ratio));

    // The second-difference matrix, symmetric and positive definite.
    let difference = from_fn(n, |i, j| match i.abs_diff(j) {
        0 => 2.0,
        1 => -1.0,
        _ => 0.0,
    });
    cases.push(Case::new("second difference", difference, Want::Ratio));
    cases
}

/// Wilkinson's matrix of worst-case growth, with perturbed entries: without perturbation all its arithmetic is
/// exact, and it would test nothing. The last column doubles at every step. Also returns the measured growth.
pub fn growth<T: Element>(n: usize, random: &mut Random) -> (Vec<T>, f64) {
    let mut wide = vec![ZERO; n * n];
    for i in 0..n {
        for j in 0..n {
            let entry = if i == j || j == n - 1 {
                1.0
            } else if i > j {
                -1.0
            } else {
                0.0
            };
            // The diagonal entry stays the largest of its column, so that no row exchange stops the growth.
            let shrink = if i == j { 1.0 } else { 1.0 - 0.01 * random.uniform().abs() };
            wide[i * n + j] = Complex::new(entry * shrink, 0.0);
        }
    }
    let matrix: Vec<T> = narrow(&wide);
    let mut a: Vec<f64> = matrix.iter().map(|x| x.re_im().0).collect();
    let mut growth = 1.0_f64;
    for k in 0..n {
        for i in k + 1..n {
            let factor = a[i * n + k] / a[k * n + k];
            for j in k..n {
                a[i * n + j] -= factor * a[k * n + j];
                growth = growth.max(a[i * n + j].abs());
            }
        }
    }
    (matrix, growth)
}

/// 1 / (i + j + 1).
pub fn hilbert<T: Element>(n: usize) -> Vec<T> {
    from_fn(n, |i, j| 1.0 / (i + j + 1) as f64)
}

/// Kahan's graded triangle: diag(1, s, s^2, ...) times a unit triangle with -c above the diagonal.
pub fn kahan<T: Element>(n: usize) -> Vec<T> {
    let (s, c) = 1.2_f64.sin_cos();
    from_fn(n, |i, j| {
        let entry = match i.cmp(&j) {
            std::cmp::Ordering::Equal => 1.0,
            std::cmp::Ordering::Less => -c,
            std::cmp::Ordering::Greater => 0.0,
        };
        entry * s.powi(i as i32)
    })
}

/// MATLAB's magic square of order n. For even n above 2 it is singular in exact arithmetic.
pub fn magic<T: Element>(n: usize) -> Vec<T> {
    fn odd(n: usize) -> Vec<usize> {
        let mut square = vec![0; n * n];
        let (mut i, mut j) = (0, n / 2);
        for number in 1..=n * n {
            square[i * n + j] = number;
            let (up, right) = ((i + n - 1) % n, (j + 1) % n);
            if square[up * n + right] == 0 {
                (i, j) = (up, right);
            } else {
                i = (i + 1) % n;
            }
        }
        square
    }
    let square: Vec<usize> = if n % 2 == 1 {
        odd(n)
    } else if n.is_multiple_of(4) {
        (0..n * n)
            .map(|index| {
                let (i, j) = (index / n, index % n);
                let kept = (i % 4 == j % 4) || (i % 4 + j % 4 == 3);
                if kept { n * n - index } else { index + 1 }
            })
            .collect()
    } else {
        // Four odd squares, with exchanges between the upper and the lower pair.
        let half = n / 2;
        let small = odd(half);
        let mut square = vec![0; n * n];
        for i in 0..half {
            for j in 0..half {
                let number = small[i * half + j];
                let quarter = half * half;
                square[i * n + j] = number;
                square[(i + half) * n + j + half] = number + quarter;
                square[i * n + j + half] = number + 2 * quarter;
                square[(i + half) * n + j] = number + 3 * quarter;
            }
        }
        let left = (n - 2) / 4;
        for i in 0..half {
            for j in 0..n {
                let exchanged = if j < left {
                    !(i == half / 2 && j == 0)
                } else if j == left {
                    i == half / 2
                } else {
                    j > n - left
                };
                if exchanged {
                    square.swap(i * n + j, (i + half) * n + j);
                }
            }
        }
        square
    };
    from_fn(n, |i, j| square[i * n + j] as f64)
}

/// A diagonal matrix with these entries.
pub fn diagonal<T: Element>(entries: &[T]) -> Vec<T> {
    let n = entries.len();
    let mut matrix = vec![T::ZERO; n * n];
    for (i, &entry) in entries.iter().enumerate() {
        matrix[i * n + i] = entry;
    }
    matrix
}

/// Embeds a small matrix in the given rows and the leading columns of a larger one. The other rows and
/// columns have one power of two each.
pub fn embedded<T: Element>(n: usize, small: &[T], rows: &[usize]) -> Vec<T> {
    let size = rows.len();
    let mut matrix = vec![T::ZERO; n * n];
    let mut next = size;
    for i in 0..n {
        if let Some(row) = rows.iter().position(|&row| row == i) {
            matrix[i * n..][..size].copy_from_slice(&small[row * size..][..size]);
        } else {
            matrix[i * n + next] = T::real(power(i as i32 % 3 - 1));
            next += 1;
        }
    }
    matrix
}
