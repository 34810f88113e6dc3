"""What several tests share."""

import os
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
    """Runs a program in a Python of its own, which must end well, and returns the lines that it prints. Its time is
    limited since some of these programs would hang if they failed."""

    def run(text):
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run
