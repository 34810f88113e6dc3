"""What several tests share."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import strategies as st

import batchinv as bi

SCALARS = [np.float32, np.float64, np.complex64, np.complex128]


def misaligned(a):
    memory = np.empty(a.nbytes + 1, np.uint8)
    view = memory[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2),
    "sliced": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
    "swapped bytes": lambda a: a.astype(a.dtype.newbyteorder()),
    "misaligned": misaligned,
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


def assert_alike(got, want):
    """The same type, shape and dtype as NumPy's result, about the same numbers, and in the machine's own layout."""
    assert type(got) is type(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    assert got.flags.c_contiguous and got.dtype.isnative
    eps = np.finfo(want.dtype).eps
    np.testing.assert_allclose(got, want, rtol=100 * eps, atol=100 * eps)


def drawn(data, shape, dtype, name):
    """For Hypothesis: an array of small whole numbers, with large ones on the diagonals of square matrices. Its axes
    lie in any order in memory, and any of them backwards."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), f"seed of {name}"))
    a = rng.integers(1, 9, shape)
    if len(shape) > 1 and shape[-1] == shape[-2]:
        a = a + 20 * shape[-1] * np.eye(shape[-1])
    dtype = np.dtype(dtype)
    a = (a + 1j * rng.integers(1, 9, shape) if dtype.kind == "c" else a).astype(dtype)
    order = data.draw(st.permutations(range(a.ndim)), f"order of the axes of {name} in memory")
    a = np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order))
    for axis in range(a.ndim):
        if data.draw(st.booleans(), f"{name} backwards"):
            a = np.flip(a, axis)
    return a


@pytest.fixture
def rng():
    return np.random.default_rng(20261129)


@pytest.fixture
def matrices(rng):
    """Makes arrays of well-conditioned matrices."""

    def make(shape, dtype=np.float64):
        dtype = np.dtype(dtype)
        a = rng.standard_normal(shape)
        if dtype.kind == "c":
            a = a + 1j * rng.standard_normal(shape)
        return (a + 2 * shape[-1] * np.eye(shape[-1])).astype(dtype)

    return make


@pytest.fixture
def adapter():
    """The first GPU, which may be a software driver."""
    adapters = bi.info()["adapters"]
    if not adapters:
        if os.environ.get("BATCHINV_REQUIRE_GPU") == "1":
            pytest.fail("no GPU adapter, and BATCHINV_REQUIRE_GPU=1")
        pytest.skip("no GPU adapter")
    return adapters[0]


@pytest.fixture
def run_script():
    """Runs a program in a Python of its own, which must end well, and returns the lines that it prints. Some of these
    programs would hang if they failed, so they end after a while, with all their children."""

    def run(text):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([sys.executable, "-c", text], start_new_session=True, **pipes) as program:
            try:
                out, errors = program.communicate(timeout=100)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                pytest.fail("the program hangs")
        assert program.returncode == 0, errors
        return out.splitlines()

    return run
