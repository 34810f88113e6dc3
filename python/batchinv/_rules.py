"""NumPy's rules for everything that is not a plain array: whose array it is, its shape, dtype and layout, and `out`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from . import _dask, _dlpack

Array = NDArray[Any]
Pair = tuple[int, int]

# The axes of the matrices as the engines take them.
LAST = (-2, -1)


def dispatch(
    name: str,
    inputs: Sequence[Any],
    *,
    lazy: Callable[..., Any],
    direct: Callable[..., Any],
    out: Any = None,
    axes: Any = None,
) -> Any:
    """Hands the call `name` to whom the inputs belong: to `lazy` with arrays of Dask, to NumPy with types that override
    its functions, and otherwise to `direct`, which also takes `out`, with arrays of other libraries as NumPy's."""
    if any(map(_dask.is_lazy, inputs)):
        if out is not None or axes is not None:
            raise TypeError("out and axes are for arrays in memory, not for those of Dask")
        return lazy(*(a if _dask.is_lazy(a) else np.asarray(a) for a in inputs))
    if any(map(_dlpack.is_foreign, inputs)):
        return _dlpack.call(direct, inputs, out)
    theirs = next(filter(overrides_functions, inputs), None)
    if theirs is None:
        return direct(*inputs, out)
    whose, function = f"{type(theirs).__name__} overrides NumPy's functions", getattr(np.linalg, name, None)
    if function is None:
        raise TypeError(f"{whose}, and {name} is none of them")
    if out is not None or axes is not None:
        raise TypeError(f"{whose}, of which {name} knows neither out nor axes")
    return function(*inputs)


def overrides_functions(a: Any) -> bool:
    """Whether the type of `a` has its own way with NumPy's functions, as quantities with units have."""
    hook = getattr(type(a), "__array_function__", None)
    return hook is not None and hook is not np.ndarray.__array_function__


def results_dtype(a: Any, *others: Any) -> np.dtype[Any]:
    """The dtype of the results for matrices `a` and what goes with them. Raises NumPy's errors if `a` is no stack of
    square matrices, or if a dtype is none that is taken."""
    if a.ndim < 2:
        raise LinAlgError(f"{a.ndim}-dimensional array given. Array must be at least two-dimensional")
    if a.shape[-1] != a.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    return np.result_type(*(float_dtype(array.dtype) for array in (a, *others)))


def float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that an array counts as."""
    if dtype.kind in "biu":
        return np.dtype("d")
    if dtype.char not in "fdFD":
        raise TypeError(f"array type {dtype.name} is unsupported in linalg")
    return dtype.newbyteorder("=")


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of magnitudes."""
    return np.zeros((), dtype).real.dtype


def plain(array: Array, dtype: np.dtype[Any]) -> Array:
    """The array as the engines take it: row after row, of one of their dtypes."""
    return np.require(array, dtype, ["C", "A"])


def wrapped(result: Array, like: Any) -> Any:
    """The result as the type of `like`."""
    return like.__array_wrap__(result) if hasattr(like, "__array_wrap__") else result


def checked_out(out: Any, axes: Pair | None, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The array `out`, if it takes results of this shape and dtype, with its matrices in the last two axes."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an array, not {type(out).__name__}")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
    if not np.can_cast(dtype, out.dtype, "same_kind"):
        raise TypeError(f"out has the dtype {out.dtype.name}, which cannot hold results of {dtype.name}")
    target = out.view(np.ndarray) if axes is None else np.moveaxis(out.view(np.ndarray), axes, LAST)
    if target.shape != shape:
        raise ValueError(f"out has the shape {target.shape}, and the results have {shape}")
    return target


def fill(target: Array, inputs: Sequence[Array], compute: Callable[[Array | None], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Computes into `target`, at once if an engine can write there and reads nothing of it. `compute` returns an array
    first, and others, which come back."""
    at_once = target.dtype == inputs[0].dtype and target.flags.c_contiguous and target.flags.aligned
    if at_once and not any(np.may_share_memory(target, array) for array in inputs):
        return compute(target)[1:]
    result, *others = compute(None)
    np.copyto(target, result, casting="same_kind")
    return tuple(others)
