"""`solve` and `solve_ex` of anything."""

from math import prod
from typing import Any

import numpy as np

from . import _dask
from ._batchinv import Inverter, check_statuses, solution_ex
from ._results import SolveExResult
from ._rules import Array, checked_out, dispatch, fill, plain, results_dtype, wrapped

# Bytes of matrices and right-hand sides that are copied at a time, where both are repeated.
COPIES = 1 << 24


def solve(inverter: Inverter, a: Any, b: Any, out: Any) -> Any:
    """`batchinv.solve` of anything."""

    def lazy(a: Any, b: Any) -> Any:
        dtype = results_dtype(a, b)
        return _dask.call(inverter.solve, signature(a.shape, b.shape), [a, b], [dtype])

    def direct(a: Any, b: Any, out: Any) -> Any:
        return solved(inverter, a, b, out, strict=True).solution

    return dispatch("solve", [a, b], lazy=lazy, direct=direct, out=out)


def solve_ex(inverter: Inverter, a: Any, b: Any, out: Any) -> SolveExResult:
    """`batchinv.solve_ex` of anything."""

    def lazy(a: Any, b: Any) -> SolveExResult:
        dtypes = [results_dtype(a, b), np.dtype(np.int32)]
        return SolveExResult(*_dask.call(inverter.solve_ex, signature(a.shape, b.shape) + ",()", [a, b], dtypes))

    def direct(a: Any, b: Any, out: Any) -> SolveExResult:
        return solved(inverter, a, b, out, strict=False)

    result: SolveExResult = dispatch("solve_ex", [a, b], lazy=lazy, direct=direct, out=out)
    return result


def signature(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """The signature of systems with these shapes, as of a generalized ufunc, or an error if they do not fit."""
    if not b:
        raise ValueError("b is a scalar, and must be a vector (n,) or a stack of matrices (..., n, k)")
    rows = b[0] if len(b) == 1 else b[-2]
    if rows != a[-1]:
        hint = ": for one vector to each matrix, pass b[..., np.newaxis]" if b == a[:-1] else ""
        raise ValueError(f"b of shape {b} has {rows} rows, and the matrices have {a[-1]}{hint}")
    return "(n,n),(n)->(n)" if len(b) == 1 else "(n,n),(n,k)->(n,k)"


def solved(inverter: Inverter, a: Any, b: Any, out: Any, strict: bool) -> SolveExResult:
    """Solutions and statuses, or an error for the first singular matrix."""
    matrices, rhs = np.asarray(a), np.asarray(b)
    dtype = results_dtype(matrices, rhs)
    signature(matrices.shape, rhs.shape)
    leading = np.broadcast_shapes(matrices.shape[:-2], rhs.shape[:-2])
    shape = leading + rhs.shape[-2:]
    target = None if out is None else checked_out(out, None, shape, dtype)
    matrices, rhs = plain(matrices, dtype), plain(rhs, dtype)

    def compute(target: Array | None) -> tuple[Array, Array]:
        if repeated(matrices, rhs, leading):
            target = np.empty(shape, dtype) if target is None else target
            solution, status = target, np.empty(leading, np.int32)
            solve_repeated(inverter, matrices, rhs, solution, status)
        else:
            solution, status = solution_ex(inverter, matrices, rhs, target)
        if strict:
            check_statuses(status)
        return solution, status

    # As NumPy does, a scalar for a single matrix.
    if target is not None:
        (status,) = fill(target, [matrices, rhs], compute)
        return SolveExResult(out, status[()])
    solution, status = compute(None)
    return SolveExResult(wrapped(solution, b), status[()])


def repeated(a: Array, b: Array, leading: tuple[int, ...]) -> bool:
    """Whether some of the systems share a matrix or a right-hand side, but not all of them."""
    return not {prod(array.shape[:-2]) for array in (a, b)} <= {1, prod(leading)}


def solve_repeated(inverter: Inverter, a: Array, b: Array, solution: Array, status: Array) -> None:
    """Solves systems of which some share a matrix or a right-hand side. What is shared is copied, for some of the
    systems at a time."""
    # With as many axes as the systems have, parts of the first axis are easily taken.
    a, b = (array.reshape((1,) * (solution.ndim - array.ndim) + array.shape) for array in (a, b))
    if not repeated(a, b, status.shape):
        status[...] = solution_ex(inverter, a, b, solution)[1]
        return
    bytes_of_row = prod(status.shape[1:]) * sum(prod(array.shape[-2:]) * array.itemsize for array in (a, b))
    rows = max(1, COPIES // max(1, bytes_of_row))
    for first in range(0, len(status), rows):
        part = slice(first, first + rows)
        a_part, b_part = (array if len(array) == 1 else array[part] for array in (a, b))
        if bytes_of_row > COPIES:
            solve_repeated(inverter, a_part[0], b_part[0], solution[first], status[first])
            continue
        a_part, b_part = (spread(array, status[part].shape) for array in (a_part, b_part))
        status[part] = solution_ex(inverter, a_part, b_part, solution[part])[1]


def spread(array: Array, leading: tuple[int, ...]) -> Array:
    """The array with a matrix for each system."""
    return np.ascontiguousarray(np.broadcast_to(array, leading + array.shape[-2:]))
