"""Dask's arrays: the result is as lazy as the input, and each chunk is computed on the worker that holds it."""

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np


def is_lazy(a: Any) -> bool:
    """Whether this is an array of Dask."""
    return type(a).__module__.partition(".")[0] == "dask" and hasattr(a, "map_blocks")


def call(function: Callable[..., Any], signature: str, inputs: Sequence[Any], dtypes: Sequence[np.dtype[Any]]) -> Any:
    """`function` of the arrays, not computed yet: one result for each of `dtypes`. The signature is that of a
    generalized ufunc; its matrices and vectors come in one piece, whatever the chunks."""
    da: Any = import_module("dask.array")
    given, returned = (core_axes(side) for side in signature.split("->"))
    leading = max(a.ndim - axes for a, axes in zip(inputs, given, strict=True))
    # Given the dtypes alone, Dask casts the input's, and NumPy warns of complex numbers that become real.
    metas = tuple(np.empty((0,) * (leading + axes), dtype) for axes, dtype in zip(returned, dtypes, strict=True))
    meta = metas if len(metas) > 1 else metas[0]
    return da.apply_gufunc(function, signature, *inputs, meta=meta, allow_rechunk=True)


def core_axes(side: str) -> list[int]:
    """The number of core axes of each array on one side of a signature."""
    return [len(re.findall("[a-z]", core)) for core in re.findall(r"\((.*?)\)", side)]
