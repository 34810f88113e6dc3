"""For mypy: what the stubs accept, and the types that come back. Never run."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import batchinv as bi

f32: NDArray[np.float32] = np.eye(2, dtype=np.float32)
c128: NDArray[np.complex128] = np.eye(2, dtype=np.complex128)

assert_type(bi.inv(f32), NDArray[np.float32])
assert_type(bi.inv(c128, precision="native", engine="cpu", threads=2), NDArray[np.complex128])
assert_type(bi.inv(np.eye(2, dtype=np.int64)), NDArray[np.float64])
assert_type(bi.inv([[1, 2], [3.0, 4j]]), NDArray[Any])
assert_type(bi.inv(f32, out=c128, axes=[(0, 1), (0, 1)]), NDArray[np.complex128])
assert_type(bi.Inverter("cpu", threads=1).inv(f32), NDArray[np.float32])

inverse, status, rcond = bi.inv_ex(f32, rcond=True)
assert_type(bi.inv_ex(f32), bi.InvExResult)
bi.inv_ex(f32, min_rcond=1e-6, rcond_of="equilibrated", on_failure="identity")
assert_type(bi.Inverter(min_rcond=1e-6).min_rcond, float)

assert_type(bi.solve(f32, f32), NDArray[np.float32])
assert_type(bi.solve(f32, c128, precision="native"), NDArray[Any])
assert_type(bi.solve([[2, 0], [0, 4]], [1.0, 2.0]), NDArray[Any])
assert_type(bi.solve(f32, f32[0], out=c128), NDArray[np.complex128])
assert_type(bi.Inverter("cpu").solve(c128, c128), NDArray[np.complex128])
solution, status = bi.solve_ex(f32, f32)
assert_type(bi.solve_ex(f32, f32), bi.SolveExResult)
sign, logabsdet = bi.slogdet(f32)
assert_type(bi.slogdet(f32), bi.SlogdetResult)
assert_type(bi.det(f32, threads=1), Any)

assert_type(bi.info()["adapters"][0]["float64"], bool)


class Tensor:
    def __dlpack__(self, *, stream: None = None) -> object: ...


assert_type(bi.inv(Tensor()), Tensor)
assert_type(bi.solve(f32, Tensor()), Tensor)

try:
    bi.inv(f32)
except bi.SingularMatrixError as error:
    assert_type(error.index, tuple[int, ...])
    assert_type(error.column, int)

# Refused: each needs its comment, or mypy warns of it.
bi.inv(f32, engine="tpu")  # type: ignore[call-overload]
bi.inv(f32, precision="single")  # type: ignore[call-overload]
bi.solve(f32)  # type: ignore[call-overload]
bi.inv_ex(f32, on_failure="raise")  # type: ignore[arg-type]
bi.Inverter(precision="single")  # type: ignore[arg-type]
bi.set_num_threads("all")  # type: ignore[arg-type]
