"""What several tests share."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import batchinv as bi

SCALARS = [np.float32, np.float64, np.complex64, np.complex128]


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
