"""Random stacks and the check of an answer. The only shared module that needs NumPy."""

import math

import numpy as np
import schema

SEED = 20
# Random elements that are drawn; a longer stack repeats them, since values do not change the time.
DRAWN_ELEMENTS = 1 << 21
# The most elements that are checked, in whole matrices spread evenly over the stack, including the last one.
CHECKED_ELEMENTS = 1 << 21


class Input:
    """Matrices `a` and, to be solved, right-hand sides `b`, one after the other in the memory `elements`."""

    @staticmethod
    def random(op, scalar, order, width, count, exchanges):
        """Random matrices, and right-hand sides uniform in (-1, 1)."""
        matrices = random_stack(scalar, order, count, exchanges)
        columns = uniform(np.random.default_rng([SEED, order, width]), scalar, (count, order, width)).astype(scalar)
        return Input(op, order, width, np.concatenate([matrices.ravel(), columns.ravel()]))

    def __init__(self, op, order, width, elements):
        self.op, self.order, self.width, self.elements = op, order, width, elements
        self.count = elements.size // (order * (order + width))
        size = self.count * order * order
        self.a = elements[:size].reshape(self.count, order, order)
        self.b = elements[size:].reshape(self.count, order, width)
        # A copy reads and writes each byte, so copying this many moves as many bytes as the call does.
        self.copied_bytes = -(-self.count * schema.elements(op, order, width) // 2) * elements.itemsize
        # The bounds that batchinv itself meets. LAPACK's own tests allow 30.
        self.bound = {"inverse": 3.0, "solve": max(8.0, math.sqrt(order)), "det": 1.0}[op]

    def copy(self):
        return Input(self.op, self.order, self.width, self.elements.copy())

    def ratio(self, answer):
        """The largest test ratio of an answer, in float64; infinite instead of NaN."""
        worst = {"inverse": inverse_ratio, "solve": solve_ratio, "det": det_ratio}[self.op](self, answer).max()
        return float(worst) if np.isfinite(worst) else float("inf")

    def checked(self):
        """The positions of the matrices to check."""
        most = max(16, CHECKED_ELEMENTS // (self.order * self.order))
        return np.unique(np.linspace(0, self.count - 1, most, dtype=np.int64))


class Output:
    """Memory for answers `x`, whose pages are mapped, so that no page fault is timed; and for a copy."""

    def __init__(self, like):
        self.memory = np.full(like.copied_bytes // like.elements.itemsize, 1, like.elements.dtype)
        columns = {"inverse": like.order, "solve": like.width, "det": 0}[like.op]
        size = like.count * like.order * columns
        self.x = self.memory[:size].reshape(like.count, like.order, columns)

    def copy_from(self, given):
        np.copyto(self.memory, given.elements[: self.memory.size])


def random_stack(scalar, order, count, exchanges):
    """Matrices with entries uniform in (-1, 1) plus 3 sqrt(n) on the diagonal, with condition numbers below about 4.

    The shift keeps elimination without pivoting accurate, so that peers that do not pivot can be timed at all. With
    `exchanges` the rows of each matrix are shuffled: the condition number stays, but nearly every step exchanges rows.
    """
    rng = np.random.default_rng([SEED, order])
    drawn = min(count, max(16, DRAWN_ELEMENTS // (order * order)))
    a = uniform(rng, scalar, (drawn, order, order))
    a += 3 * np.sqrt(order) * np.eye(order)
    if exchanges:
        rows = np.argsort(rng.random((drawn, order)), axis=1)
        a = np.take_along_axis(a, rows[:, :, None], axis=1)
    a = a.astype(scalar)
    return np.ascontiguousarray(a if drawn == count else a[np.arange(count) % drawn])


def uniform(rng, scalar, shape):
    """Numbers uniform in (-1, 1), in both parts of complex ones."""
    parts = rng.uniform(-1, 1, shape)
    return parts + 1j * rng.uniform(-1, 1, shape) if scalar.startswith("complex") else parts


def inverse_ratio(given, x):
    """LAPACK's ||I - X A||_1 / (n ||A||_1 ||X||_1 eps) of each checked matrix."""
    a, x = wide(given, given.a), wide(given, expect(x, given.a))
    with np.errstate(all="ignore"):
        return norm(np.eye(given.order) - x @ a) / (given.order * norm(a) * norm(x) * eps(given))


def solve_ratio(given, x):
    """LAPACK's ||b - A x||_1 / (||A||_1 ||x||_1 eps) of each column."""
    a, b, x = wide(given, given.a), wide(given, given.b), wide(given, expect(x, given.b))
    with np.errstate(all="ignore"):
        return np.abs(b - a @ x).sum(axis=1) / (norm(a)[:, None] * np.abs(x).sum(axis=1) * eps(given))


def det_ratio(given, answer):
    """|d - e| / ((n kappa + |log|e||) eps |e|) of each determinant, with e from float64 and kappa = ||A||_1 ||A^-1||_1.
    d comes as sign and logarithm, whose rounding is the second term."""
    sign, logarithm = (np.asarray(part)[given.checked()] for part in answer)
    a = wide(given, given.a)
    exact_sign, exact = np.linalg.slogdet(a)
    kappa = norm(a) * norm(np.linalg.inv(a))
    with np.errstate(all="ignore"):
        error = np.abs(sign / exact_sign * np.exp(logarithm.astype(np.float64) - exact) - 1)
        return error / ((given.order * kappa + np.abs(exact)) * eps(given))


def expect(x, like):
    if x.shape != like.shape or x.dtype != like.dtype:
        raise TypeError(f"expected {like.dtype} {like.shape}, got {x.dtype} {x.shape}")
    return x


def wide(given, stack):
    """The checked ones of a stack, in float64 or complex128."""
    return stack[given.checked()].astype(np.complex128 if stack.dtype.kind == "c" else np.float64)


def eps(given):
    return 2.0**-24 if given.elements.dtype in (np.float32, np.complex64) else 2.0**-53


def norm(stack):
    """The 1-norm of each matrix: its largest column sum."""
    return np.abs(stack).sum(axis=1).max(axis=1)
