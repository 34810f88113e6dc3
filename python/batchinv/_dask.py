"""Dask's arrays: the result is as lazy as the input, and each chunk is inverted on the worker that holds it."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from ._batchinv import Inverter
from ._results import InvExResult


def is_lazy(a: Any) -> bool:
    """Whether this is an array of Dask."""
    return type(a).__module__.partition(".")[0] == "dask" and hasattr(a, "map_blocks")


def inv(inverter: Inverter, a: Any, dtype: np.dtype[Any], out: Any, axes: Any) -> Any:
    """The inverses, not computed yet."""
    return whole_matrices(a, out, axes).map_blocks(inverter.inv, meta=np.empty((0,) * a.ndim, dtype))


def inv_ex(inverter: Inverter, a: Any, dtype: np.dtype[Any], rcond: bool, out: Any, axes: Any) -> InvExResult:
    """Inverses, statuses and perhaps rconds, not computed yet; each chunk is inverted once for all of them."""
    da: Any = import_module("dask.array")

    def parts(block: Any) -> tuple[Any, ...]:
        inverse, status, rconds = inverter.inv_ex(block, rcond=rcond)
        return (inverse, status, rconds) if rcond else (inverse, status)

    signature = "(n,n)->(n,n),(),()" if rcond else "(n,n)->(n,n),()"
    # Given the dtypes alone, Dask casts the input's, and NumPy warns of complex numbers that become real.
    of_matrix = (0,) * (a.ndim - 2)
    metas = (
        np.empty((0,) * a.ndim, dtype),
        np.empty(of_matrix, np.int32),
        np.empty(of_matrix, np.zeros((), dtype).real.dtype),
    )[: 3 if rcond else 2]
    inverse, status, *rest = da.apply_gufunc(parts, signature, whole_matrices(a, out, axes), meta=metas)
    return InvExResult(inverse, status, rest[0] if rest else None)


def whole_matrices(a: Any, out: Any, axes: Any) -> Any:
    """The array with no matrix cut into chunks."""
    if out is not None or axes is not None:
        raise TypeError("out and axes are for arrays in memory, not for those of Dask")
    if a.ndim < 2:
        raise LinAlgError(f"{a.ndim}-dimensional array given. Array must be at least two-dimensional")
    if a.shape[-1] != a.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    return a.rechunk({a.ndim - 2: -1, a.ndim - 1: -1})
