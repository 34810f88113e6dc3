"""How long one call takes, and a stack, beside NumPy and whatever else is installed. Prints tables in Markdown.

    pip install numpy scipy jax numba        the peers; torch where it is affordable
    python python/benches/overhead.py        the best of several repeats, in this process

Each peer is asked for the same inverses and checked against NumPy's before it is timed. The times are those of whole
calls from Python, with a fresh result. Times of libraries that compile are those after the first call.
"""

import argparse
import importlib
import platform
import sys
import timeit
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import batchinv as bi

Array = np.ndarray[Any, Any]
Inv = Callable[[Any], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.3, help="time for each figure")
    parser.add_argument("--elements", type=int, default=4_000_000, help="elements of a long stack")
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {bi.get_num_threads()} threads, {bi.info()['simd']}, "
          f"Python {sys.version.split()[0]}, NumPy {np.__version__}")
    one_matrix(arguments.seconds)
    for dtype in (np.float32, np.float64):
        stacks(dtype, arguments.elements, arguments.seconds)


def one_matrix(seconds: float) -> None:
    """The overhead: a single 4x4."""
    print("\n| one 4x4, microseconds | float32 | float64 |\n|---|---|---|")
    rng = np.random.default_rng(1)
    matrices = [rng.standard_normal((4, 4)).astype(dtype) for dtype in (np.float32, np.float64)]
    for name, convert, inv in peers():
        times = [best(inv, convert(matrix), seconds) * 1e6 for matrix in matrices]
        print(f"| {name} | {times[0]:.2f} | {times[1]:.2f} |")


def stacks(dtype: type, elements: int, seconds: float) -> None:
    """Long stacks."""
    orders = (3, 4, 8, 16, 32, 64)
    print(f"\n| {dtype.__name__}, ns per matrix | " + " | ".join(map(str, orders)) + " |")
    print("|---" * (len(orders) + 1) + "|")
    rng = np.random.default_rng(1)
    shapes = [(elements // n**2, n, n) for n in orders]
    inputs = [(rng.standard_normal(shape) + 2 * shape[-1] * np.eye(shape[-1])).astype(dtype) for shape in shapes]
    for name, convert, inv in peers():
        times = [best(inv, convert(a), seconds) / len(a) * 1e9 for a in inputs]
        print(f"| {name} | " + " | ".join(f"{time:.3g}" for time in times) + " |", flush=True)


def peers() -> Iterator[tuple[str, Callable[[Array], Any], Inv]]:
    """Each peer: its name, how it takes an array of NumPy, and its `inv`."""
    same: Callable[[Array], Any] = lambda a: a
    yield "np.linalg.inv", same, np.linalg.inv
    yield "batchinv.inv", same, bi.inv
    yield 'batchinv.inv, precision="native"', same, bi.Inverter(precision="native").inv
    yield 'batchinv.inv, precision="native", threads=1', same, bi.Inverter(precision="native", threads=1).inv
    if scipy := installed("scipy.linalg"):
        yield "scipy.linalg.inv", same, scipy.inv
    if torch := installed("torch"):
        yield "torch.linalg.inv", torch.from_numpy, torch.linalg.inv
    if jax := installed("jax"):
        jax.config.update("jax_enable_x64", True)
        compiled = jax.jit(jax.numpy.linalg.inv)
        yield "jax.numpy.linalg.inv, jit", jax.numpy.asarray, lambda a: compiled(a).block_until_ready()
    if numba := installed("numba"):
        yield "numba, Gauss-Jordan, guvectorize", same, numba_inv(numba)


def installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"SKIPPED: {name} is not installed", file=sys.stderr)
        return None


def numba_inv(numba: Any) -> Inv:
    """What one would write with Numba: Gauss-Jordan elimination with partial pivoting, compiled."""

    def eliminate(a: Array, x: Array) -> None:
        n = a.shape[0]
        work = a.copy()
        for i in range(n):
            for j in range(n):
                x[i, j] = 1.0 if i == j else 0.0
        for k in range(n):
            pivot = k
            for i in range(k + 1, n):
                if abs(work[i, k]) > abs(work[pivot, k]):
                    pivot = i
            for j in range(n):
                work[k, j], work[pivot, j] = work[pivot, j], work[k, j]
                x[k, j], x[pivot, j] = x[pivot, j], x[k, j]
            scale = 1 / work[k, k]
            for j in range(n):
                work[k, j] *= scale
                x[k, j] *= scale
            for i in range(n):
                factor = work[i, k]
                if i != k:
                    for j in range(n):
                        work[i, j] -= factor * work[k, j]
                        x[i, j] -= factor * x[k, j]

    signatures = ["(float32[:,:], float32[:,:])", "(float64[:,:], float64[:,:])"]
    gufunc: Inv = numba.guvectorize(signatures, "(n,n)->(n,n)", target="parallel", fastmath=False)(eliminate)
    return gufunc


def best(inv: Inv, a: Any, seconds: float) -> float:
    """Seconds of a call: the best of as many repeats as fit."""
    check(inv, a)
    timer = timeit.Timer(lambda: inv(a))
    number, elapsed = timer.autorange() if len(a) < 1000 and np.size(a) < 1000 else (1, timer.timeit(1))
    repeats = max(3, int(seconds / max(elapsed, 1e-9)))
    return min(timer.repeat(repeat=repeats, number=number)) / number


def check(inv: Inv, a: Any) -> None:
    """Compares the first matrices with NumPy's inverses."""
    n = a.shape[-1]
    first, got = (np.asarray(array).reshape(-1, n, n)[:100] for array in (a, inv(a)))
    np.testing.assert_allclose(got, np.linalg.inv(first), rtol=2e-2, atol=1e-4)


if __name__ == "__main__":
    main()
