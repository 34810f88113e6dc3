"""`det` and `slogdet` of anything."""

from typing import Any

import numpy as np

from . import _dask
from ._batchinv import Inverter, determinant, sign_and_log
from ._results import SlogdetResult
from ._rules import Array, dispatch, plain, real_dtype, results_dtype


def det(inverter: Inverter, a: Any) -> Any:
    """`batchinv.det` of anything."""

    def lazy(a: Any) -> Any:
        return _dask.call(inverter.det, "(n,n)->()", [a], [results_dtype(a)])

    return dispatch("det", [a], lazy=lazy, direct=lambda a, _: determinant(inverter, matrices(a)))


def slogdet(inverter: Inverter, a: Any) -> SlogdetResult:
    """`batchinv.slogdet` of anything."""

    def lazy(a: Any) -> SlogdetResult:
        dtypes = [results_dtype(a), real_dtype(results_dtype(a))]
        return SlogdetResult(*_dask.call(inverter.slogdet, "(n,n)->(),()", [a], dtypes))

    def direct(a: Any, _: Any) -> SlogdetResult:
        sign, log = sign_and_log(inverter, matrices(a))
        return SlogdetResult(sign[()], log.astype(real_dtype(sign.dtype), copy=False)[()])

    result: SlogdetResult = dispatch("slogdet", [a], lazy=lazy, direct=direct)
    return result


def matrices(a: Any) -> Array:
    """The matrices as the engines take them."""
    given = np.asarray(a)
    return plain(given, results_dtype(given))


def overflow() -> None:
    """Does what `np.errstate` says about an overflow, for determinants beyond the range of their dtype."""
    np.ldexp(1.0, 2000)
