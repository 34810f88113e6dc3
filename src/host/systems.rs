//! Systems of slices: matrices of fixed order, and right-hand sides of one column each.

use super::matrices::SquareMatrix;
use super::pieces::{Beside, Done, Slices, by_pieces};
use super::rows::{first, read_each, write_each};
use crate::data::columns::Columns;
use crate::data::determinant::Determinant;
use crate::data::error::Error;
use crate::data::outcome::{Container, Outcome};
use crate::data::output::SolutionsMut;
use crate::data::scalar::Scalar;
use crate::data::stack::Stack;
use crate::data::status::Status;
use crate::inverter::options::Inverter;
use crate::inverter::solve::count;

/// A type that holds one vector of fixed length: arrays, and with the features `glam` and `nalgebra` the vectors of
/// those crates. Implement it for your own types.
///
/// ```
/// use batchinv::host::{Vector, solve_matrices};
///
/// #[derive(Clone, Copy)]
/// struct Complex2 {
///     re: [f64; 2],
///     im: [f64; 2],
/// }
///
/// impl Vector for Complex2 {
///     type Scalar = batchinv::Complex<f64>;
///     const LEN: usize = 2;
///
///     fn write(&self, elements: &mut [Self::Scalar]) {
///         for (i, element) in elements.iter_mut().enumerate() {
///             *element = batchinv::Complex::new(self.re[i], self.im[i]);
///         }
///     }
///
///     fn from_elements(elements: &[Self::Scalar]) -> Self {
///         Self { re: [elements[0].re, elements[1].re], im: [elements[0].im, elements[1].im] }
///     }
/// }
///
/// let i = batchinv::Complex::new(0.0, 1.0);
/// let turn = [[i, 0.0.into()], [0.0.into(), i]];
/// let x = solve_matrices(&[turn], &[Complex2 { re: [1.0, 2.0], im: [3.0, 4.0] }])?;
/// assert_eq!((x[0].re, x[0].im), ([3.0, 4.0], [-1.0, -2.0]));
/// # Ok::<(), batchinv::Error>(())
/// ```
pub trait Vector: Copy + Send + Sync {
    /// The type of its elements.
    type Scalar: Scalar;

    /// The number of its elements.
    const LEN: usize;

    /// Writes its `LEN` elements.
    fn write(&self, elements: &mut [Self::Scalar]);

    /// The vector with these `LEN` elements.
    fn from_elements(elements: &[Self::Scalar]) -> Self;
}

impl<T: Scalar, const N: usize> Vector for [T; N] {
    type Scalar = T;
    const LEN: usize = N;

    fn write(&self, elements: &mut [T]) {
        elements.copy_from_slice(self);
    }

    fn from_elements(elements: &[T]) -> Self {
        std::array::from_fn(|i| elements[i])
    }
}

/// The solutions of systems of matrices and vectors, with a status for each.
pub type MatrixSolutions<V> = Outcome<Box<[V]>>;

// Boxed, since a type may be both a matrix and a vector, and outcomes with a `Vec` are those of matrices.
impl<V: Vector> Container for Box<[V]> {
    type Statuses = Vec<Status>;
    type Rconds = Vec<<V::Scalar as Scalar>::Real>;
    type Determinants = Vec<Determinant<V::Scalar>>;

    fn statuses(statuses: &Vec<Status>) -> impl Iterator<Item = Status> {
        statuses.iter().copied()
    }
}

/// Solves A x = b for every matrix of a slice and its vector, or fails on the first that has no solution, as
/// `np.linalg.solve` does; the engine is chosen automatically. One matrix goes with all vectors, and one vector with
/// all matrices.
///
/// ```
/// use batchinv::host::solve_matrices;
/// let a = [[4.0, 1.0], [1.0, 3.0_f64]];
/// assert_eq!(solve_matrices(&[a], &[[5.0, 4.0], [4.0, 1.0]])?, [[1.0, 1.0], [1.0, 0.0]]);
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// Vectors that are not as long as the order of the matrices do not compile:
///
/// ```compile_fail,E0080
/// batchinv::host::solve_matrices(&[[[1.0_f64]]], &[[1.0, 2.0]]);
/// ```
///
/// # Errors
/// [`Error::Singular`] or [`Error::NotFinite`] for the first system with a status other than 0; otherwise as
/// [`Inverter::solve_matrices`].
pub fn solve_matrices<M: SquareMatrix, V: Vector<Scalar = M::Scalar>>(a: &[M], b: &[V]) -> Result<Vec<V>, Error> {
    Ok(Inverter::auto().solve_matrices(a, b)?.strict()?.into_vec())
}

impl Inverter {
    /// [`Inverter::solve`] for a slice of matrices of fixed order and a slice of vectors, each the one column of a
    /// right-hand side. See [`host`](crate::host).
    ///
    /// ```
    /// use batchinv::Inverter;
    /// let a = [[[2.0, 0.0], [0.0, 4.0]], /* singular: */ [[1.0, 2.0], [2.0, 4.0_f32]]];
    /// let solutions = Inverter::cpu().solve_matrices(&a, &[[1.0, 1.0]])?;
    /// assert_eq!(solutions.values[0], [0.5, 0.25]);
    /// assert_eq!(solutions.statuses[1].word(), 2);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ShapeError::Rhs`](crate::ShapeError::Rhs) if there are not as many vectors as matrices, and neither is a
    /// single one; otherwise as [`Inverter::solve`].
    pub fn solve_matrices<M: SquareMatrix, V: Vector<Scalar = M::Scalar>>(
        &self,
        a: &[M],
        b: &[V],
    ) -> Result<MatrixSolutions<V>, Error> {
        const { assert!(M::ORDER == V::LEN, "the vectors are not as long as the order of the matrices") };
        let len = count((a.len(), M::ORDER), (b.len(), V::LEN))?;
        let work = self.solve_work::<M::Scalar>(M::ORDER, 1, len)?.with_matrices(a.len());
        let mut values = if b.len() == len { b.to_vec() } else { vec![b[0]; len] };
        let mut statuses = vec![Status::INVERTED; len];
        let systems = Systems { a, b, x: &mut values, statuses: &mut statuses };
        let (Beside { rconds, determinants }, report) = by_pieces(self, work, systems)?;
        Ok(Outcome { values: values.into_boxed_slice(), statuses, rconds, determinants, report })
    }
}

/// Matrices and vectors, one of either for each system or one for all, and the place of the solutions.
struct Systems<'a, M, V> {
    a: &'a [M],
    b: &'a [V],
    x: &'a mut [V],
    statuses: &'a mut [Status],
}

/// The elements of a piece.
struct Elements<T> {
    a: Vec<T>,
    b: Vec<T>,
    x: Vec<T>,
}

impl<M: SquareMatrix, V: Vector<Scalar = M::Scalar>> Slices for Systems<'_, M, V> {
    type Scalar = M::Scalar;
    type Memory = Elements<M::Scalar>;

    fn memory() -> Self::Memory {
        Elements { a: Vec::new(), b: Vec::new(), x: Vec::new() }
    }

    fn len(&self) -> usize {
        self.x.len()
    }

    fn size(&self) -> usize {
        if self.a.len() == self.len() { M::ORDER * M::ORDER } else { M::ORDER }
    }

    fn split_at(self, at: usize) -> (Self, Self) {
        let (a, b) = (split(self.a, self.x.len(), at), split(self.b, self.x.len(), at));
        let (x, statuses) = (self.x.split_at_mut(at), self.statuses.split_at_mut(at));
        (Self { a: a.0, b: b.0, x: x.0, statuses: statuses.0 }, Self { a: a.1, b: b.1, x: x.1, statuses: statuses.1 })
    }

    fn run(self, memory: &mut Self::Memory, inverter: &Inverter) -> Result<Done<M::Scalar>, Error> {
        let Self { a: matrices, b: vectors, x: solutions, statuses } = self;
        let (n, len) = (M::ORDER, solutions.len());
        let a = first(&mut memory.a, matrices.len() * n * n);
        let b = first(&mut memory.b, vectors.len() * n);
        let x = first(&mut memory.x, len * n);
        write_each(matrices, a, n * n, M::write_rows);
        write_each(vectors, b, n, V::write);
        let mut determinants = inverter.wants_determinants().then(|| vec![Determinant::ZERO; len]);
        let mut output = SolutionsMut::new(&mut *x, statuses);
        output.determinants = determinants.as_deref_mut();
        let a = Stack::with_len(a, n, matrices.len())?;
        let report = inverter.solve_into(a, Columns::with_len(b, n, 1, vectors.len())?, output)?;
        read_each(solutions, x, n, |vector, elements| *vector = V::from_elements(elements));
        Ok((Beside { rconds: None, determinants }, report))
    }
}

/// Splits the items of `len` systems, unless one goes with all.
fn split<I>(items: &[I], len: usize, at: usize) -> (&[I], &[I]) {
    if items.len() == len { items.split_at(at) } else { (items, items) }
}
