"""How long one call takes, and a stack, beside NumPy and whatever else is installed. Prints tables in Markdown.

    pip install numpy scipy jax numba                  the peers; torch where it is affordable
    python python/benches/overhead.py                  the best of several repeats, in this process
    python python/benches/overhead.py --verb solve     systems with one right-hand side alone

Each peer is asked for the same results and checked against NumPy's before it is timed. The times are those of whole
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
Verb = Callable[..., Any]

# The functions that are timed, by the names that they have everywhere.
VERBS = ("inv", "solve", "det")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.3, help="time for each figure")
    parser.add_argument("--elements", type=int, default=4_000_000, help="elements of a long stack")
    parser.add_argument("--verb", choices=VERBS, action="append", help="what is timed; all by default")
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {bi.get_num_threads()} threads, {bi.info()['simd']}, "
          f"Python {sys.version.split()[0]}, NumPy {np.__version__}")
    for verb in arguments.verb or VERBS:
        one_matrix(verb, arguments.seconds)
        for dtype in (np.float32, np.float64):
            stacks(verb, dtype, arguments.elements, arguments.seconds)


def one_matrix(verb: str, seconds: float) -> None:
    """The overhead: a single 4x4."""
    print(f"\n| {verb} of one 4x4, microseconds | float32 | float64 |\n|---|---|---|")
    inputs = [arrays(verb, (4, 4), dtype) for dtype in (np.float32, np.float64)]
    for name, convert, function in peers(verb):
        times = [best(verb, function, list(map(convert, given)), seconds) * 1e6 for given in inputs]
        print(f"| {name} | {times[0]:.2f} | {times[1]:.2f} |")


def stacks(verb: str, dtype: type, elements: int, seconds: float) -> None:
    """Long stacks."""
    orders = (3, 4, 8, 16, 32, 64)
    print(f"\n| {verb}, {dtype.__name__}, ns per matrix | " + " | ".join(map(str, orders)) + " |")
    print("|---" * (len(orders) + 1) + "|")
    inputs = [arrays(verb, (elements // n**2, n, n), dtype) for n in orders]
    for name, convert, function in peers(verb):
        times = [best(verb, function, list(map(convert, given)), seconds) / len(given[0]) * 1e9 for given in inputs]
        print(f"| {name} | " + " | ".join(f"{time:.3g}" for time in times) + " |", flush=True)


def arrays(verb: str, shape: tuple[int, ...], dtype: type) -> list[Array]:
    """Well-conditioned matrices, whose determinants are within the range of float32, and what else the verb takes."""
    rng = np.random.default_rng(1)
    a: Array = (rng.standard_normal(shape) / (2 * shape[-1]) + np.eye(shape[-1])).astype(dtype)
    return [a, rng.standard_normal((*shape[:-1], 1)).astype(dtype)] if verb == "solve" else [a]


def peers(verb: str) -> Iterator[tuple[str, Callable[[Array], Any], Verb]]:
    """Each peer: its name, how it takes an array of NumPy, and its function."""
    same: Callable[[Array], Any] = lambda a: a
    native, one_thread = bi.Inverter(precision="native"), bi.Inverter(precision="native", threads=1)
    yield f"np.linalg.{verb}", same, getattr(np.linalg, verb)
    yield f"batchinv.{verb}", same, getattr(bi, verb)
    yield f'batchinv.{verb}, precision="native"', same, getattr(native, verb)
    yield f'batchinv.{verb}, precision="native", threads=1', same, getattr(one_thread, verb)
    if scipy := installed("scipy.linalg"):
        yield f"scipy.linalg.{verb}", same, getattr(scipy, verb)
    if torch := installed("torch"):
        yield f"torch.linalg.{verb}", torch.from_numpy, getattr(torch.linalg, verb)
    if jax := installed("jax"):
        jax.config.update("jax_enable_x64", True)
        compiled = jax.jit(getattr(jax.numpy.linalg, verb))
        yield f"jax.numpy.linalg.{verb}, jit", jax.numpy.asarray, lambda *given: compiled(*given).block_until_ready()
    if verb == "inv" and (numba := installed("numba")):
        yield "numba, Gauss-Jordan, guvectorize", same, numba_inv(numba)


def installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"SKIPPED: {name} is not installed", file=sys.stderr)
        return None


def numba_inv(numba: Any) -> Verb:
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
    gufunc: Verb = numba.guvectorize(signatures, "(n,n)->(n,n)", target="parallel", fastmath=False)(eliminate)
    return gufunc


def best(verb: str, function: Verb, given: list[Any], seconds: float) -> float:
    """Seconds of a call: the best of as many repeats as fit."""
    check(verb, function, given)
    timer = timeit.Timer(lambda: function(*given))
    number, elapsed = timer.autorange() if np.size(given[0]) < 1000 else (1, timer.timeit(1))
    repeats = max(3, int(seconds / max(elapsed, 1e-9)))
    return min(timer.repeat(repeat=repeats, number=number)) / number


def check(verb: str, function: Verb, given: list[Any]) -> None:
    """Compares the first results with NumPy's."""
    first = [np.asarray(array) if array.ndim == 2 else np.asarray(array[:100]) for array in given]
    got = np.asarray(function(*given))
    want = getattr(np.linalg, verb)(*first)
    np.testing.assert_allclose(got if got.shape == want.shape else got[:100], want, rtol=2e-2, atol=1e-4)


if __name__ == "__main__":
    main()
