"""Arrays of other libraries, through DLPack: no bytes are copied on the way in, nor, if the library allows, back."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# DLDeviceType of what the host can read: its own memory, and what CUDA and ROCm share with it.
HOST_DEVICES = (1, 3, 11, 13)


def is_foreign(a: Any) -> bool:
    """Whether this is an array of another library that speaks DLPack."""
    return hasattr(type(a), "__dlpack__") and not isinstance(a, np.ndarray)


def to_numpy(a: Any) -> NDArray[Any]:
    """The same memory as an array of NumPy, which may be read-only."""
    device, _ = a.__dlpack_device__()
    if device not in HOST_DEVICES:
        raise BufferError(f"{type(a).__name__} on a device: batchinv takes arrays in the host's memory")
    try:
        return np.from_dlpack(a)
    except RuntimeError as error:
        raise TypeError(f"{type(a).__name__} of dtype {getattr(a, 'dtype', 'unknown')}: {error}") from error


def call(function: Callable[..., Any], inputs: Sequence[Any], out: Any) -> Any:
    """`function` of the same arrays as NumPy's, and what it returns as arrays of the library that the last one belongs
    to. `out`, which it also takes, comes back in the place of its first result."""
    like = next(filter(is_foreign, reversed(inputs)))
    result = function(*map(numpy_if_foreign, inputs), numpy_if_foreign(out))
    if not isinstance(result, tuple):
        return from_numpy(result, like) if out is None else out
    parts = [None if part is None else from_numpy(part, like) for part in result]
    kind: Any = type(result)
    return kind(*(parts if out is None else [out, *parts[1:]]))


def numpy_if_foreign(a: Any) -> Any:
    """What is an array of another library, as `to_numpy` gives it; anything else as it is."""
    return to_numpy(a) if is_foreign(a) else a


def from_numpy(result: Any, like: Any) -> Any:
    """A result as an array of the library of `like`; as it is, if that library takes none."""
    if hasattr(like, "__array_namespace__"):
        namespace = like.__array_namespace__()
    else:
        namespace = sys.modules.get(type(like).__module__.partition(".")[0])
    return namespace.from_dlpack(np.asarray(result)) if hasattr(namespace, "from_dlpack") else result
