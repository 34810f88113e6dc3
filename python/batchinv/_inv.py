"""`inv` and `inv_ex` of anything."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import _dask
from ._batchinv import Inverter, inverse, inverse_ex
from ._results import InvExResult
from ._rules import LAST, Array, Pair, checked_out, dispatch, fill, plain, real_dtype, results_dtype, wrapped


def inv(inverter: Inverter, a: Any, out: Any, axes: Any) -> Any:
    """`batchinv.inv` of anything."""

    def lazy(a: Any) -> Any:
        return _dask.call(inverter.inv, "(n,n)->(n,n)", [a], [results_dtype(a)])

    def direct(a: Any, out: Any) -> Any:
        return invert(a, out, axes, lambda matrices, target: (inverse(inverter, matrices, target),))[0]

    return dispatch("inv", [a], lazy=lazy, direct=direct, out=out, axes=axes)


def inv_ex(inverter: Inverter, a: Any, rcond: bool, out: Any, axes: Any) -> InvExResult:
    """`batchinv.inv_ex` of anything."""

    def lazy(a: Any) -> InvExResult:
        def parts(block: Any) -> tuple[Any, ...]:
            return inverter.inv_ex(block, rcond=rcond)[: 3 if rcond else 2]

        outputs = "(n,n),(),()" if rcond else "(n,n),()"
        dtypes = [results_dtype(a), np.dtype(np.int32), real_dtype(results_dtype(a))][: 3 if rcond else 2]
        inverses, status, *rconds = _dask.call(parts, f"(n,n)->{outputs}", [a], dtypes)
        return InvExResult(inverses, status, rconds[0] if rconds else None)

    def direct(a: Any, out: Any) -> InvExResult:
        def compute(matrices: Array, target: Array | None) -> tuple[Any, ...]:
            return inverse_ex(inverter, matrices, target, rcond)

        inverses, status, rconds = invert(a, out, axes, compute)
        # As NumPy does, scalars for a single matrix.
        return InvExResult(inverses, status[()], None if rconds is None else rconds[()])

    result: InvExResult = dispatch("inv_ex", [a], lazy=lazy, direct=direct, out=out, axes=axes)
    return result


def invert(a: Any, out: Any, axes: Any, compute: Callable[[Array, Array | None], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Computes the inverses of `a` into `out` or a new array. `compute` returns them first, and they come back as the
    caller's type."""
    given = np.asarray(a)
    before, after = (LAST, LAST) if axes is None else pairs(axes)
    moved = given if axes is None else np.moveaxis(given, before, LAST)
    matrices = plain(moved, results_dtype(moved))
    if out is not None:
        target = checked_out(out, after, matrices.shape, matrices.dtype)
        return out, *fill(target, [matrices], lambda target: compute(matrices, target))
    inverses, *others = compute(matrices, None)
    return wrapped(inverses if axes is None else np.moveaxis(inverses, LAST, after), a), *others


def pairs(axes: Any) -> tuple[Pair, Pair]:
    """The axes of the matrices, and of their inverses."""
    try:
        (row, column), (row_out, column_out) = axes
    except (TypeError, ValueError):
        raise ValueError("axes must be two pairs, such as [(-2, -1), (-2, -1)]") from None
    return (row, column), (row_out, column_out)
