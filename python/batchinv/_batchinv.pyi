from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar, final, overload

import numpy as np
from numpy.typing import NDArray

from ._results import InvExResult

__all__ = ["Inverter", "get_num_threads", "info", "inv", "inv_ex", "inverse", "inverse_ex", "set_num_threads"]

_Engine: TypeAlias = Literal["auto", "cpu", "gpu"]
_Precision: TypeAlias = Literal["double", "native"]
_Axes: TypeAlias = Sequence[tuple[int, int]]

_Scalar = TypeVar("_Scalar", np.float32, np.float64, np.complex64, np.complex128)
_Out = TypeVar("_Out")

# Arrays of other libraries: what speaks DLPack, Dask's arrays, xarray's.
class _DLPack(Protocol):
    def __dlpack__(self, *, stream: None = None) -> Any: ...

class _Lazy(Protocol):
    def map_blocks(self, func: Any, /, *args: Any, **kwargs: Any) -> Any: ...

class _Wrapped(Protocol):
    def __array_wrap__(self, array: Any, /, *args: Any, **kwargs: Any) -> Any: ...

_Foreign = TypeVar("_Foreign", bound=_DLPack | _Lazy | _Wrapped)
_Nested: TypeAlias = complex | Sequence["_Nested"]

class _Adapter(TypedDict):
    name: str
    kind: str
    backend: str
    driver: str
    float64: bool

class _Info(TypedDict):
    version: str
    simd: str
    threads: int
    adapters: list[_Adapter]

@overload
def inv(
    a: Any,
    *,
    out: _Out,
    axes: _Axes | None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> _Out: ...
@overload
def inv(
    a: NDArray[_Scalar],
    *,
    out: None = None,
    axes: _Axes | None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> NDArray[_Scalar]: ...
@overload
def inv(
    a: NDArray[np.integer[Any] | np.bool],
    *,
    out: None = None,
    axes: _Axes | None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> NDArray[np.float64]: ...
@overload
def inv(
    a: _Nested,
    *,
    out: None = None,
    axes: _Axes | None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> NDArray[Any]: ...
@overload
def inv(
    a: _Foreign,
    *,
    out: None = None,
    axes: _Axes | None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> _Foreign: ...
def inv_ex(
    a: Any,
    *,
    rcond: bool = False,
    out: Any = None,
    axes: _Axes | None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> InvExResult: ...
@final
class Inverter:
    def __new__(
        cls,
        engine: _Engine = "auto",
        *,
        adapter: str | None = None,
        precision: _Precision = "double",
        threads: int | None = None,
    ) -> Inverter: ...
    @overload
    def inv(self, a: Any, *, out: _Out, axes: _Axes | None = None) -> _Out: ...
    @overload
    def inv(self, a: NDArray[_Scalar], *, out: None = None, axes: _Axes | None = None) -> NDArray[_Scalar]: ...
    @overload
    def inv(
        self, a: NDArray[np.integer[Any] | np.bool], *, out: None = None, axes: _Axes | None = None
    ) -> NDArray[np.float64]: ...
    @overload
    def inv(self, a: _Nested, *, out: None = None, axes: _Axes | None = None) -> NDArray[Any]: ...
    @overload
    def inv(self, a: _Foreign, *, out: None = None, axes: _Axes | None = None) -> _Foreign: ...
    def inv_ex(
        self, a: Any, *, rcond: bool = False, out: Any = None, axes: _Axes | None = None
    ) -> InvExResult: ...
    @property
    def engine(self) -> _Engine: ...
    @property
    def adapter(self) -> str | None: ...
    @property
    def precision(self) -> _Precision: ...
    @property
    def threads(self) -> int | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]: ...

def inverse(inverter: Inverter, a: NDArray[Any], out: NDArray[Any] | None) -> NDArray[Any]: ...
def inverse_ex(
    inverter: Inverter, a: NDArray[Any], out: NDArray[Any] | None, rcond: bool
) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[Any] | None]: ...
def set_num_threads(count: int | None, /) -> None: ...
def get_num_threads() -> int: ...
def info() -> _Info: ...
