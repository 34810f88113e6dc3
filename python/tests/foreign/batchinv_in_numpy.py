"""A plugin for pytest: in the foreign suite that it runs, functions of NumPy's and of SciPy's are batchinv's.

    pytest -p batchinv_in_numpy --batchinv-calls=inv:14313,det:1000 --pyargs numpy.linalg.tests.test_linalg

With `--batchinv-engine=gpu`, the GPU engine computes, on the first adapter that is found.

A suite that never reaches us proves nothing, so the run fails if batchinv saw fewer calls of a function than
`--batchinv-calls` says.
"""

import functools

import numpy as np
import numpy.linalg._linalg as numpy_linalg
import pytest

import batchinv

FUNCTIONS = ("inv", "solve", "det", "slogdet")


class Counted:
    """A function of batchinv with the signature of NumPy's and, for SciPy's batching, its name; it counts its calls."""

    def __init__(self, name):
        self.calls = 0
        self.engine = "auto"

        @functools.wraps(getattr(np.linalg, name))
        def function(*args, **named):
            self.calls += 1
            return getattr(batchinv, name)(*args, engine=self.engine, **named)

        self.function = function


counted = {name: Counted(name) for name in FUNCTIONS}


def pytest_addoption(parser):
    parser.addoption("--batchinv-engine", default="auto", help="the engine that computes")
    parser.addoption("--batchinv-calls", default="", help="the fewest calls of functions: inv:14313,det:1000")


def pytest_configure(config):
    # Before the collection: some tests hold the function from then on.
    for name, count in counted.items():
        count.engine = config.getoption("--batchinv-engine")
        setattr(np.linalg, name, count.function)
        setattr(numpy_linalg, name, count.function)
    try:
        import scipy.linalg
    except ImportError:
        return
    for name in ("inv", "solve"):
        setattr(scipy.linalg, name, counted[name].function)


def missing(config):
    """The functions with fewer calls than expected."""
    expected = (part.split(":") for part in config.getoption("--batchinv-calls").split(",") if part)
    return [name for name, least in expected if counted[name].calls < int(least)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if session.exitstatus == 0 and missing(session.config):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    calls = ",".join(f"{name}:{count.calls}" for name, count in counted.items())
    terminalreporter.write_line(f"calls of batchinv: {calls}")
    for name in missing(config):
        terminalreporter.write_line(f"calls of {name} are fewer than expected", red=True)
