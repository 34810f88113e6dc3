#!/usr/bin/env python3
"""Times how NumPy, SciPy, and MKL's compact routines invert stacks, or solve systems, on this machine's CPU.

    pip install numpy scipy mkl
    python3 cpu.py --threads 1 --json cpu.json

NumPy is required; other peers that are not installed are left out.
"""

import os
import sys

sys.dont_write_bytecode = True  # No caches beside the sources.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measure
import mkl_compact
import schema

STACK_BYTES = 8 << 20


class NumPy:
    name = "numpy"
    package = "numpy"
    # The values of many determinants are beyond the range of their type.
    kernels = {"inverse": "linalg.inv", "solve": "linalg.solve", "det": "linalg.slogdet"}
    largest = float("inf")
    pivots = True

    def load(self):
        import numpy

        return f"numpy {numpy.__version__}"

    def job(self, inputs, threads):
        return NumPyJob(inputs)


class NumPyJob(measure.Job):
    def __init__(self, inputs):
        import numpy

        self.inputs = inputs
        self.linalg = numpy.linalg
        self.note = "takes no output array, so total is fresh" + blas(numpy)
        if inputs[0].elements.dtype in ("float32", "complex64"):
            self.note = "computes in double precision and rounds; " + self.note

    def fresh(self, i):
        given = self.inputs[i]
        if given.op == "solve":
            return self.linalg.solve(given.a, given.b)
        return self.linalg.inv(given.a) if given.op == "inverse" else self.linalg.slogdet(given.a)


class SciPy:
    name = "scipy"
    package = "scipy"
    kernels = {"inverse": "linalg.inv", "solve": "linalg.solve"}
    largest = float("inf")
    pivots = True

    def load(self):
        try:
            import scipy
            import scipy.linalg
        except ImportError as failure:
            raise schema.Missing("the package scipy is not installed") from failure
        return f"scipy {scipy.__version__}"

    def job(self, inputs, threads):
        return SciPyJob(inputs)


class SciPyJob(measure.Job):
    def __init__(self, inputs):
        import inspect

        import numpy
        import scipy.linalg

        self.inputs = inputs
        self.options = {"check_finite": False}
        self.routine = scipy.linalg.inv if inputs[0].op == "inverse" else scipy.linalg.solve
        # Newer versions first examine each matrix for structure, unless told that there is none.
        if "assume_a" in inspect.signature(self.routine).parameters:
            self.options["assume_a"] = "general"
        told = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        self.note = f"{told}; takes no output array, so total is fresh" + blas(scipy)
        try:
            self.routine(*(each[:2] for each in self.operands(inputs[0])), **self.options)
            self.batched = True
        except ValueError:
            self.batched = False
            self.empty_like = numpy.empty_like
            self.note = "a Python loop, as this version takes one matrix at a time; " + self.note

    def operands(self, given):
        return (given.a,) if given.op == "inverse" else (given.a, given.b)

    def fresh(self, i):
        operands = self.operands(self.inputs[i])
        if self.batched:
            return self.routine(*operands, **self.options)
        output = self.empty_like(operands[-1])
        for k in range(len(output)):
            output[k] = self.routine(*(each[k] for each in operands), **self.options)
        return output


def blas(module):
    """The LAPACK that a package was built with, if it says so."""
    try:
        found = module.show_config(mode="dicts")["Build Dependencies"]["lapack"]
        return f"; {found['name']} {found['version']}"
    except (KeyError, TypeError, AttributeError):
        return ""


PEERS = {"numpy": NumPy, "scipy": SciPy, "mkl": mkl_compact.Peer}


def main():
    args = schema.arguments(__doc__.splitlines()[0], PEERS, STACK_BYTES)
    # The libraries read these variables when they are loaded, so they are set before the imports.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    peers = [PEERS[name]() for name in args.peer]
    if not args.dry_run:
        try:
            import numpy  # noqa: F401
        except ImportError:
            print("numpy is not installed; the input and the checks need it too", file=sys.stderr)
            return 3
    return measure.run(args, peers)


if __name__ == "__main__":
    sys.exit(main())
