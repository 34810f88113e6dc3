#!/usr/bin/env python3
"""Times how PyTorch, CuPy, and cuBLAS invert stacks, or solve systems, on this machine's first NVIDIA GPU.

    pip install numpy torch cupy-cuda12x
    python3 cuda.py --scalar float32,float64,complex64,complex128 --json cuda.json

cuBLAS comes with PyTorch, alone as nvidia-cublas-cu12, or with the CUDA toolkit. NumPy is required; peers that are not
installed are left out. Without a GPU the script says so and exits with 3. --dry-run needs neither peers nor a GPU.

device is the work alone on data resident on the GPU, timed by events. total and fresh go from host to host memory.
"""

import os
import sys

sys.dont_write_bytecode = True  # No caches beside the sources.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cublas
import cuda_device
import measure
import schema

# A GPU finishes smaller stacks in too short a time to measure.
STACK_BYTES = 256 << 20


class Torch:
    name = "torch"
    package = "torch"
    kernels = {"inverse": "linalg.inv_ex", "solve": "linalg.solve_ex", "det": "linalg.slogdet"}
    largest = float("inf")
    pivots = True

    def __init__(self, device):
        pass

    def load(self):
        try:
            import torch
        except ImportError as failure:
            raise schema.Missing("the package torch is not installed") from failure
        if not torch.cuda.is_available():
            raise schema.Missing(f"torch {torch.__version__} was built without CUDA or cannot use this GPU")
        return f"torch {torch.__version__}"

    def job(self, inputs, threads):
        return TorchJob(inputs)


class TorchJob(measure.Job):
    note = "host memory pageable"

    def __init__(self, inputs):
        import torch

        self.torch = torch
        self.op = inputs[0].op
        self.inputs = [[torch.from_numpy(part) for part in operands(given)] for given in inputs]
        self.resident = self.on_device(0)
        if self.op == "det":
            self.into = None

    def on_device(self, i):
        return [part.to("cuda") for part in self.inputs[i]]

    def call(self, parts):
        linalg = self.torch.linalg
        if self.op == "det":
            return linalg.slogdet(*parts)
        return linalg.inv_ex(*parts).inverse if self.op == "inverse" else linalg.solve_ex(*parts).result

    def device(self):
        return self.call(self.resident)

    def fetch(self, answer):
        return [part.cpu().numpy() for part in answer] if self.op == "det" else answer.cpu().numpy()

    def fresh(self, i):
        return self.fetch(self.call(self.on_device(i)))

    def into(self, i, output):
        self.torch.from_numpy(output).copy_(self.call(self.on_device(i)))

    def close(self):
        self.resident = None
        self.torch.cuda.empty_cache()


def operands(given):
    """The arrays that a routine takes."""
    return [given.a, given.b] if given.op == "solve" else [given.a]


class CuPy:
    name = "cupy"
    package = "cupy"
    kernels = {"inverse": "linalg.inv", "solve": "linalg.solve", "det": "linalg.slogdet"}
    largest = float("inf")
    pivots = True

    def __init__(self, device):
        pass

    def load(self):
        try:
            import cupy
        except ImportError as failure:
            raise schema.Missing("the package cupy is not installed") from failure
        return f"cupy {cupy.__version__}"

    def job(self, inputs, threads):
        return CuPyJob(inputs)


class CuPyJob(measure.Job):
    note = "does not report singular matrices; host memory pageable"

    def __init__(self, inputs):
        import cupy

        self.cupy = cupy
        self.op = inputs[0].op
        self.routine = {"inverse": cupy.linalg.inv, "solve": cupy.linalg.solve, "det": cupy.linalg.slogdet}[self.op]
        self.inputs = [operands(given) for given in inputs]
        self.resident = self.on_device(0)
        if self.op == "det":
            self.into = None

    def on_device(self, i):
        return [self.cupy.asarray(part) for part in self.inputs[i]]

    def device(self):
        return self.routine(*self.resident)

    def fetch(self, answer):
        return [part.get() for part in answer] if self.op == "det" else answer.get()

    def fresh(self, i):
        return self.fetch(self.routine(*self.on_device(i)))

    def into(self, i, output):
        self.routine(*self.on_device(i)).get(out=output)

    def close(self):
        self.resident = None
        self.cupy.get_default_memory_pool().free_all_blocks()


PEERS = {
    "torch": Torch,
    "cupy": CuPy,
    "cublas-matinv": cublas.Matinv,
    "cublas-getri": cublas.Getri,
    "cublas-getrs": cublas.Getrs,
}


def main():
    args = schema.arguments(__doc__.splitlines()[0], PEERS, STACK_BYTES)
    device = None
    if not args.dry_run:
        try:
            device = cuda_device.Device()
            import numpy  # noqa: F401
        except schema.Missing as missing:
            print(missing, file=sys.stderr)
            return 3
        except ImportError:
            print("numpy is not installed; the input and the checks need it too", file=sys.stderr)
            return 3
    return measure.run(args, [PEERS[name](device) for name in args.peer], device)


if __name__ == "__main__":
    sys.exit(main())
