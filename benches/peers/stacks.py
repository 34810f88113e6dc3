"""Random stacks and the check of an inverse. The only shared module that needs NumPy."""

import numpy as np

SEED = 20
# Random elements that are drawn; a longer stack repeats them, since values do not change the time.
DRAWN_ELEMENTS = 1 << 21
# The most elements that are checked, in whole matrices spread evenly over the stack, including the last one.
CHECKED_ELEMENTS = 1 << 21


def random_stack(scalar, order, count, exchanges):
    """Matrices with entries uniform in (-1, 1) plus 3 sqrt(n) on the diagonal, with condition numbers below about 4.

    The shift keeps elimination without pivoting accurate, so that peers that do not pivot can be timed at all. With
    `exchanges` the rows of each matrix are shuffled: the condition number stays, but nearly every step exchanges rows.
    """
    rng = np.random.default_rng([SEED, order])
    drawn = min(count, max(16, DRAWN_ELEMENTS // (order * order)))
    a = rng.uniform(-1, 1, (drawn, order, order))
    if scalar.startswith("complex"):
        a = a + 1j * rng.uniform(-1, 1, a.shape)
    a += 3 * np.sqrt(order) * np.eye(order)
    if exchanges:
        rows = np.argsort(rng.random((drawn, order)), axis=1)
        a = np.take_along_axis(a, rows[:, :, None], axis=1)
    a = a.astype(scalar)
    return np.ascontiguousarray(a if drawn == count else a[np.arange(count) % drawn])


def touched(like):
    """New memory whose pages are mapped, so that no page fault is timed."""
    return np.full_like(like, 1)


def copy(output, a):
    np.copyto(output, a)


def ratio(a, x):
    """The largest LAPACK ratio ||I - X A||_1 / (n ||A||_1 ||X||_1 eps), in float64; infinite instead of NaN."""
    count, order = a.shape[:2]
    if x.shape != a.shape or x.dtype != a.dtype:
        raise TypeError(f"expected {a.dtype} {a.shape}, got {x.dtype} {x.shape}")
    eps = 2.0**-24 if a.dtype in (np.float32, np.complex64) else 2.0**-53
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    checked = np.unique(np.linspace(0, count - 1, max(16, CHECKED_ELEMENTS // (order * order)), dtype=np.int64))
    a, x = a[checked].astype(wide), x[checked].astype(wide)
    with np.errstate(all="ignore"):
        ratios = norm(np.eye(order) - x @ a) / (order * norm(a) * norm(x) * eps)
    worst = ratios.max()
    return float(worst) if np.isfinite(worst) else float("inf")


def norm(stack):
    """The 1-norm of each matrix: its largest column sum."""
    return np.abs(stack).sum(axis=1).max(axis=1)
