"""A plugin for pytest: in the foreign suite that it runs, `inv` of NumPy and of SciPy is batchinv's.

    pytest -p batchinv_in_numpy --batchinv-calls=14000 --pyargs numpy.linalg.tests.test_linalg

A suite that never reaches us proves nothing, so the run fails if batchinv saw fewer calls than `--batchinv-calls`.
"""

import functools

import numpy as np
import numpy.linalg._linalg as numpy_linalg
import pytest

import batchinv


class Counted:
    """`batchinv.inv` with the signature of NumPy's and, for SciPy's batching, a name; it counts its calls."""

    def __init__(self):
        self.calls = 0

        @functools.wraps(np.linalg.inv)
        def inv(a):
            self.calls += 1
            return batchinv.inv(a)

        self.inv = inv


counted = Counted()


def pytest_addoption(parser):
    parser.addoption("--batchinv-calls", type=int, default=1, help="the fewest calls of batchinv.inv")


def pytest_configure():
    # Before the collection: some tests hold the function from then on.
    np.linalg.inv = numpy_linalg.inv = counted.inv
    try:
        import scipy.linalg
    except ImportError:
        return
    scipy.linalg.inv = counted.inv


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if session.exitstatus == 0 and counted.calls < session.config.getoption("--batchinv-calls"):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    least = config.getoption("--batchinv-calls")
    terminalreporter.write_line(f"batchinv.inv: {counted.calls} calls, at least {least} expected")
