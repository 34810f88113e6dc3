"""cuBLAS's two batched inverses, called through ctypes: matinvBatched, and getrfBatched + getriBatched; and its batched
solution of systems: getrfBatched + getrsBatched.

cuBLAS reads a row-major matrix as its transpose. The inverse of the transpose is the transpose of the inverse, so
cuBLAS writes the row-major inverse, and nothing is transposed. Systems are solved with the transpose of what it reads;
their right-hand sides are stored by columns beforehand.
"""

import ctypes
import ctypes.util
import glob
import os
import sys

import measure
import schema

LETTERS = {"float32": "S", "float64": "D", "complex64": "C", "complex128": "Z"}
I, P, D = ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64
SIGNATURES = {
    "matinvBatched": [P, I, D, I, D, I, D, I],
    "getrfBatched": [P, I, D, I, D, D, I],
    "getriBatched": [P, I, D, I, D, D, I, D, I],
    "getrsBatched": [P, I, I, I, D, I, D, D, I, P, I],
}
TRANSPOSED = 1
POINTERS = "pointer arrays and device memory allocated beforehand, host memory pageable"


class Matinv:
    name = "cublas-matinv"
    package = "cublas"
    kernels = {"inverse": "matinvBatched"}
    largest = 32
    pivots = True

    def __init__(self, device):
        self.device = device

    def load(self):
        self.library, self.handle, version = load()
        return f"cublas {version}"

    def job(self, inputs, threads):
        return MatinvJob(self, inputs)


class Getri(Matinv):
    name = "cublas-getri"
    kernels = {"inverse": "getrfBatched + getriBatched"}
    largest = float("inf")

    def job(self, inputs, threads):
        return GetriJob(self, inputs)


class Getrs(Matinv):
    name = "cublas-getrs"
    kernels = {"solve": "getrfBatched + getrsBatched"}
    largest = float("inf")

    def job(self, inputs, threads):
        return GetrsJob(self, inputs)


class MatinvJob(measure.Job):
    note = POINTERS

    def __init__(self, peer, inputs):
        import numpy as np

        self.np = np
        self.gpu = peer.device
        self.inputs = inputs
        self.a = inputs[0].a
        self.count, self.order = self.a.shape[:2]
        self.addresses = []
        self.source, self.source_pointers = self.stack(self.a)
        self.target, self.target_pointers = self.stack(self.like(0))
        self.infos = self.memory(4 * self.count)
        self.gpu.upload(self.source, self.a)
        self.handle = peer.handle
        letter = LETTERS[self.a.dtype.name]
        for name in SIGNATURES:
            setattr(self, name, getattr(peer.library, f"cublas{letter}{name}"))

    def memory(self, size):
        self.addresses.append(self.gpu.filled(size))
        return self.addresses[-1]

    def like(self, i):
        """An array of the shape of the answer."""
        return self.inputs[i].a

    def stack(self, like):
        """Device memory for a stack, and the device array of pointers to its matrices."""
        np = self.np
        start = self.memory(like.nbytes)
        step = like.nbytes // self.count
        pointers = np.uint64(start) + np.arange(self.count, dtype=np.uint64) * np.uint64(step)
        array = self.memory(pointers.nbytes)
        self.gpu.upload(array, pointers)
        return start, array

    def device(self):
        n = self.order
        require(
            self.matinvBatched(self.handle, n, self.source_pointers, n, self.target_pointers, n, self.infos, self.count)
        )
        return self.target

    def fetch(self, answer):
        output = self.np.empty_like(self.like(0))
        self.gpu.download(output, answer)
        infos = self.np.empty(self.count, self.np.int32)
        self.gpu.download(infos, self.infos)
        if infos.any():
            raise ArithmeticError(f"cuBLAS's info is {infos[infos != 0][0]}")
        return output

    def into(self, i, output):
        self.gpu.upload(self.source, self.inputs[i].a)
        self.device()
        self.gpu.download(output, self.target)

    def fresh(self, i):
        output = self.np.empty_like(self.a)
        self.into(i, output)
        return output

    def close(self):
        for address in self.addresses:
            self.gpu.free(address)


class GetriJob(MatinvJob):
    note = f"overwrites its input, which is restored outside the device clock; {POINTERS}"

    def __init__(self, peer, inputs):
        super().__init__(peer, inputs)
        self.kept = self.memory(self.a.nbytes)
        self.gpu.upload(self.kept, self.a)
        self.pivots = self.memory(4 * self.count * self.order)

    def before(self):
        self.gpu.queue_copy(self.source, self.kept, self.a.nbytes)

    def device(self):
        n, a, x = self.order, self.source_pointers, self.target_pointers
        require(self.getrfBatched(self.handle, n, a, n, self.pivots, self.infos, self.count))
        require(self.getriBatched(self.handle, n, a, n, self.pivots, x, n, self.infos, self.count))
        return self.target


class GetrsJob(MatinvJob):
    note = f"overwrites its input, which is restored outside the device clock; right-hand sides by columns; {POINTERS}"
    # Solutions come by columns, and are not transposed into memory of the caller.
    into = None

    def __init__(self, peer, inputs):
        import numpy as np

        self.columns = [np.ascontiguousarray(given.b.transpose(0, 2, 1)) for given in inputs]
        super().__init__(peer, inputs)
        self.kept = self.memory(self.a.nbytes)
        self.gpu.upload(self.kept, self.a)
        self.kept_columns = self.memory(self.like(0).nbytes)
        self.gpu.upload(self.kept_columns, self.like(0))
        self.pivots = self.memory(4 * self.count * self.order)

    def like(self, i):
        return self.columns[i]

    def before(self):
        self.gpu.queue_copy(self.source, self.kept, self.a.nbytes)
        self.gpu.queue_copy(self.target, self.kept_columns, self.like(0).nbytes)

    def device(self):
        n, a, b, width = self.order, self.source_pointers, self.target_pointers, self.like(0).shape[1]
        require(self.getrfBatched(self.handle, n, a, n, self.pivots, self.infos, self.count))
        info = I()
        arguments = (TRANSPOSED, n, width, a, n, self.pivots, b, n, ctypes.byref(info), self.count)
        require(self.getrsBatched(self.handle, *arguments))
        return self.target

    def fetch(self, answer):
        return super().fetch(answer).transpose(0, 2, 1)

    def fresh(self, i):
        self.gpu.upload(self.source, self.inputs[i].a)
        self.gpu.upload(self.target, self.like(i))
        self.device()
        output = self.np.empty_like(self.like(0))
        self.gpu.download(output, self.target)
        return output.transpose(0, 2, 1)


def require(status):
    if status:
        raise RuntimeError(f"cuBLAS returned {status}")


_loaded = None


def load():
    """The library, its handle, and its version, loaded once for all peers."""
    global _loaded
    if _loaded is None:
        library = open_library()
        for letter in LETTERS.values():
            for name, types in SIGNATURES.items():
                getattr(library, f"cublas{letter}{name}").argtypes = types
        handle = P()
        library.cublasCreate_v2.argtypes = [P]
        if library.cublasCreate_v2(ctypes.byref(handle)):
            raise schema.Missing("cuBLAS does not start")
        parts = []
        for number in range(3):
            part = I()
            library.cublasGetProperty(number, ctypes.byref(part))
            parts.append(str(part.value))
        _loaded = library, handle, ".".join(parts)
    return _loaded


def open_library():
    """Opens cuBLAS from NVIDIA's Python packages, the CUDA toolkit, or the system, in this order, newest first."""
    if sys.platform == "win32":
        folder, pattern = "bin", "cublas64_*.dll"
    else:
        folder, pattern = "lib", "libcublas.so.*"
    toolkits = [os.environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)] + ["/usr/local/cuda"]
    places = [os.path.join(entry, "nvidia", "*", folder) for entry in sys.path if entry]
    places += [os.path.join(toolkit, name) for toolkit in toolkits for name in ("lib64", folder)]
    paths = [path for place in places for path in sorted(glob.glob(os.path.join(place, pattern)), reverse=True)]
    system = ctypes.util.find_library("cublas")
    for path in paths + ([system] if system else []):
        try:
            return ctypes.CDLL(path)
        except OSError:
            continue
    raise schema.Missing("cuBLAS is not installed (the package nvidia-cublas, or the CUDA toolkit)")
