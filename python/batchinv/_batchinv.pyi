from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar, final, overload

import numpy as np
from numpy.typing import NDArray

from ._results import InvExResult, SlogdetResult, SolveExResult

__all__ = [
    "Inverter",
    "check_statuses",
    "det",
    "determinant",
    "get_num_threads",
    "info",
    "inv",
    "inv_ex",
    "inverse",
    "inverse_ex",
    "set_num_threads",
    "sign_and_log",
    "slogdet",
    "solution_ex",
    "solve",
    "solve_ex",
]

_Engine: TypeAlias = Literal["auto", "cpu", "gpu"]
_Precision: TypeAlias = Literal["double", "native"]
_RcondOf: TypeAlias = Literal["given", "equilibrated"]
_OnFailure: TypeAlias = Literal["nan", "zero", "identity", "input"]
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
    min_rcond: float = 0.0,
    rcond_of: _RcondOf = "given",
    on_failure: _OnFailure = "nan",
    out: Any = None,
    axes: _Axes | None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> InvExResult: ...
@overload
def solve(
    a: Any,
    b: Any,
    *,
    out: _Out,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> _Out: ...
@overload
def solve(
    a: NDArray[_Scalar],
    b: NDArray[_Scalar],
    *,
    out: None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> NDArray[_Scalar]: ...
@overload
def solve(
    a: NDArray[Any] | _Nested,
    b: NDArray[Any] | _Nested,
    *,
    out: None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> NDArray[Any]: ...
@overload
def solve(
    a: Any,
    b: _Foreign,
    *,
    out: None = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> _Foreign: ...
def solve_ex(
    a: Any,
    b: Any,
    *,
    out: Any = None,
    precision: _Precision = "double",
    engine: _Engine = "auto",
    threads: int | None = None,
) -> SolveExResult: ...
def det(
    a: Any, *, precision: _Precision = "double", engine: _Engine = "auto", threads: int | None = None
) -> Any: ...
def slogdet(
    a: Any, *, precision: _Precision = "double", engine: _Engine = "auto", threads: int | None = None
) -> SlogdetResult: ...
@final
class Inverter:
    def __new__(
        cls,
        engine: _Engine = "auto",
        *,
        adapter: str | None = None,
        precision: _Precision = "double",
        threads: int | None = None,
        min_rcond: float = 0.0,
        rcond_of: _RcondOf = "given",
        on_failure: _OnFailure = "nan",
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
    @overload
    def solve(self, a: Any, b: Any, *, out: _Out) -> _Out: ...
    @overload
    def solve(self, a: NDArray[_Scalar], b: NDArray[_Scalar], *, out: None = None) -> NDArray[_Scalar]: ...
    @overload
    def solve(
        self, a: NDArray[Any] | _Nested, b: NDArray[Any] | _Nested, *, out: None = None
    ) -> NDArray[Any]: ...
    @overload
    def solve(self, a: Any, b: _Foreign, *, out: None = None) -> _Foreign: ...
    def solve_ex(self, a: Any, b: Any, *, out: Any = None) -> SolveExResult: ...
    def det(self, a: Any) -> Any: ...
    def slogdet(self, a: Any) -> SlogdetResult: ...
    @property
    def engine(self) -> _Engine: ...
    @property
    def adapter(self) -> str | None: ...
    @property
    def precision(self) -> _Precision: ...
    @property
    def threads(self) -> int | None: ...
    @property
    def min_rcond(self) -> float: ...
    @property
    def rcond_of(self) -> _RcondOf: ...
    @property
    def on_failure(self) -> _OnFailure: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]: ...

def inverse(inverter: Inverter, a: NDArray[Any], out: NDArray[Any] | None) -> NDArray[Any]: ...
def inverse_ex(
    inverter: Inverter, a: NDArray[Any], out: NDArray[Any] | None, rcond: bool
) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[Any] | None]: ...
def solution_ex(
    inverter: Inverter, a: NDArray[Any], b: NDArray[Any], out: NDArray[Any] | None
) -> tuple[NDArray[Any], NDArray[np.int32]]: ...
def determinant(inverter: Inverter, a: NDArray[Any]) -> Any: ...
def sign_and_log(inverter: Inverter, a: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64]]: ...
def check_statuses(status: NDArray[np.int32], /) -> None: ...
def set_num_threads(count: int | None, /) -> None: ...
def get_num_threads() -> int: ...
def info() -> _Info: ...
