"""NumPy's rules for everything that is not a plain array: shapes, dtypes, layouts, subclasses, `out` and `axes`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from . import _dask, _dlpack
from ._batchinv import Inverter, inverse, inverse_ex
from ._results import InvExResult

Array = NDArray[Any]
Pair = tuple[int, int]

# The axes of the matrices as the engines take them.
LAST = (-2, -1)


def inv(inverter: Inverter, a: Any, out: Any, axes: Any) -> Any:
    """`batchinv.inv` of anything."""
    if _dask.is_lazy(a):
        return _dask.inv(inverter, a, result_dtype(a.dtype), out, axes)
    if _dlpack.is_foreign(a):
        result = inv(inverter, _dlpack.to_numpy(a), _dlpack.out_to_numpy(out), axes)
        return _dlpack.from_numpy(result, a) if out is None else out
    if overrides_functions(a):
        if out is not None or axes is not None:
            raise TypeError(f"{type(a).__name__} overrides NumPy's functions, of which inv knows neither out nor axes")
        return np.linalg.inv(a)
    return fill(a, out, axes, lambda matrices, target: (inverse(inverter, matrices, target),))[0]


def inv_ex(inverter: Inverter, a: Any, rcond: bool, out: Any, axes: Any) -> InvExResult:
    """`batchinv.inv_ex` of anything."""
    if _dask.is_lazy(a):
        return _dask.inv_ex(inverter, a, result_dtype(a.dtype), rcond, out, axes)
    if _dlpack.is_foreign(a):
        result = inv_ex(inverter, _dlpack.to_numpy(a), rcond, _dlpack.out_to_numpy(out), axes)
        inverses = _dlpack.from_numpy(result.inverse, a) if out is None else out
        others = (None if part is None else _dlpack.from_numpy(np.asarray(part), a) for part in result[1:])
        return InvExResult(inverses, *others)

    if overrides_functions(a):
        raise TypeError(f"{type(a).__name__} overrides NumPy's functions, and inv_ex is none of them")

    def compute(matrices: Array, target: Array | None) -> tuple[Any, ...]:
        return inverse_ex(inverter, matrices, target, rcond)

    inverses, status, rconds = fill(a, out, axes, compute)
    # As NumPy does, scalars for a single matrix.
    return InvExResult(inverses, status[()], None if rconds is None else rconds[()])


def overrides_functions(a: Any) -> bool:
    """Whether the type of `a` has its own way with NumPy's functions, as quantities with units have."""
    hook = getattr(type(a), "__array_function__", None)
    return hook is not None and hook is not np.ndarray.__array_function__


def fill(a: Any, out: Any, axes: Any, compute: Callable[[Array, Array | None], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Computes the inverses of `a` into `out` or a new array. `compute` returns them first, and they come back wrapped
    as the caller's type."""
    given = np.asarray(a)
    before, after = (LAST, LAST) if axes is None else pairs(axes)
    matrices = plain(np.moveaxis(given, before, LAST) if axes is not None else given)
    if out is None:
        inverses, *others = compute(matrices, None)
        if axes is not None:
            inverses = np.moveaxis(inverses, LAST, after)
        wrap = getattr(a, "__array_wrap__", given.__array_wrap__)
        return wrap(inverses), *others
    target = checked_out(out, after, matrices)
    if is_plain(target, matrices.dtype) and not np.may_share_memory(target, matrices):
        return out, *compute(matrices, target)[1:]
    inverses, *others = compute(matrices, None)
    np.copyto(target, inverses, casting="same_kind")
    return out, *others


def plain(matrices: Array) -> Array:
    """Matrices in the last two axes as the engines take them: of one of the four dtypes, row after row."""
    if matrices.ndim < 2:
        raise LinAlgError(f"{matrices.ndim}-dimensional array given. Array must be at least two-dimensional")
    if matrices.shape[-1] != matrices.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    return np.require(matrices, result_dtype(matrices.dtype), ["C", "A"])


def is_plain(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether an engine can write to the array."""
    return array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned


def result_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the inverses of matrices with this dtype."""
    if dtype.kind in "biu":
        return np.dtype("d")
    if dtype.char not in "fdFD":
        raise TypeError(f"array type {dtype.name} is unsupported in linalg")
    return dtype.newbyteorder("=")


def checked_out(out: Any, axes: Pair, matrices: Array) -> Array:
    """The array `out`, with its matrices in the last two axes."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an array, not {type(out).__name__}")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
    if not np.can_cast(matrices.dtype, out.dtype, "same_kind"):
        raise TypeError(f"out has the dtype {out.dtype.name}, which cannot hold inverses of {matrices.dtype.name}")
    target = np.moveaxis(out.view(np.ndarray), axes, LAST)
    if target.shape != matrices.shape:
        raise ValueError(f"out has the shape {target.shape}, and the inverses have {matrices.shape}")
    return target


def pairs(axes: Any) -> tuple[Pair, Pair]:
    """The axes of the matrices, and of their inverses."""
    try:
        (row, column), (row_out, column_out) = axes
    except (TypeError, ValueError):
        raise ValueError("axes must be two pairs, such as [(-2, -1), (-2, -1)]") from None
    return (row, column), (row_out, column_out)
