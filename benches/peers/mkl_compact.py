"""MKL's compact batched LU inverse, called through ctypes: mkl_?gepack, ?getrfnp, ?getrinp, and ?geunpack_compact.

These routines do not pivot, and work on a layout of their own that interleaves several matrices, one per SIMD lane.
They start no threads, so this module cuts the stack into one piece per thread, and each piece into blocks that stay
in its core's cache. It uses the vector format and block size that were fastest on the first stack.
"""

import concurrent.futures
import ctypes
import ctypes.util
import importlib.metadata

import measure
import schema

LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
ROW_MAJOR = 101
# MKL's number of each format, the bytes of its vectors, and the CPU flag that it needs.
FORMATS = {"SSE": (181, 16, "sse2"), "AVX": (182, 32, "avx"), "AVX-512": (183, 64, "avx512f")}
BLOCK_BYTES = (1 << 20, 1 << 18)


class Peer:
    name = "mkl-compact"
    package = "mkl"
    kernel = "getrfnp_compact + getrinp_compact"
    largest = float("inf")
    pivots = False

    def load(self):
        self.library, version = load()
        self.formats = usable_formats(self.library)
        return f"mkl {version}"

    def job(self, inputs, threads):
        return Job(self.library, self.formats, inputs, threads)


class Job(measure.Job):
    warm = True  # The trials of formats have called the routines.

    def __init__(self, library, formats, inputs, threads):
        import numpy as np

        self.np = np
        self.inputs = inputs
        self.count, self.order = inputs[0].shape[:2]
        self.matrix_bytes = inputs[0].itemsize * self.order**2
        self.real_bytes = inputs[0].real.itemsize
        letter = LETTERS[inputs[0].dtype.name]
        for name in SIGNATURES:
            setattr(self, name, getattr(library, f"mkl_{letter}{name}_compact"))
        self.threads = threads
        one_thread = getattr(library, "MKL_Set_Num_Threads_Local", lambda _: None)
        self.pool = concurrent.futures.ThreadPoolExecutor(threads, initializer=one_thread, initargs=(1,))
        self.known = {}
        self.choose(formats)

    def choose(self, formats):
        output = self.np.zeros_like(self.inputs[0])
        trials = []
        for name in formats:
            for block_bytes in BLOCK_BYTES:
                self.plan(name, block_bytes)
                seconds = min(measure.collect(measure.wall(lambda i: self.into(0, output)), 2))
                trials.append((seconds, name, block_bytes))
        _, name, block_bytes = min(trials)
        self.plan(name, block_bytes)
        self.note = (
            f"does not pivot, so its rows are not shuffled; {name} format in blocks of {block_bytes >> 10} KiB, the "
            "fastest here; workspace allocated beforehand; total packs and unpacks, work_seconds does not"
        )

    def plan(self, format, block_bytes):
        """Cuts the stack into blocks for each thread, as (first matrix, count), and allocates their memory."""
        self.format, vector_bytes, _ = FORMATS[format]
        # Only the last block may leave lanes of a vector empty.
        lanes = vector_bytes // self.real_bytes
        block = max(1, block_bytes // self.matrix_bytes // lanes) * lanes
        packs = -(-self.count // lanes)
        bounds = [min(self.count, packs * t // self.threads * lanes) for t in range(self.threads + 1)]
        self.pieces = [
            [(start, min(block, end - start)) for start in range(begin, end, block)]
            for begin, end in zip(bounds, bounds[1:])
            if begin < end
        ]
        self.block_bytes = self.get_size(self.order, self.order, self.format, block)
        self.scratch = [self.aligned(self.block_bytes) for _ in self.pieces]
        # The routine needs n scalars per lane; this is more in every format.
        self.workspaces = [self.np.zeros(self.order * 64, self.np.complex128) for _ in self.pieces]
        self.packed = None

    def fresh(self, i):
        output = self.np.empty_like(self.inputs[i])
        self.each_piece(self.invert, self.pointers(self.inputs[i]), self.new_pointers(output))
        return output

    def into(self, i, output):
        self.each_piece(self.invert, self.pointers(self.inputs[i]), self.pointers(output))

    def work(self, i):
        """Seconds to factor and invert a stack that was packed outside the clock."""
        if self.packed is None:
            self.packed = self.aligned(self.block_bytes * sum(map(len, self.pieces)))
        self.each_piece(self.pack_all, self.pointers(self.inputs[i]))
        return measure.wall(lambda _: self.each_piece(self.eliminate_all))(0)

    def each_piece(self, call, *arguments):
        if len(self.pieces) == 1:
            call(0, *arguments)
        else:
            # Reading the results raises any exception from a thread.
            list(self.pool.map(lambda piece: call(piece, *arguments), range(len(self.pieces))))

    def invert(self, piece, sources, targets):
        n, packed = self.order, self.scratch[piece].ctypes.data
        for start, count in self.pieces[piece]:
            source, target = sources.ctypes.data + 8 * start, targets.ctypes.data + 8 * start
            self.gepack(ROW_MAJOR, n, n, source, n, packed, n, self.format, count)
            self.eliminate(piece, packed, count)
            self.geunpack(ROW_MAJOR, n, n, target, n, packed, n, self.format, count)

    def eliminate(self, piece, packed, count):
        n, workspace = self.order, self.workspaces[piece]
        info = ctypes.c_int(0)
        at = ctypes.addressof(info)
        self.getrfnp(ROW_MAJOR, n, n, packed, n, at, self.format, count)
        if info.value == 0:
            self.getrinp(ROW_MAJOR, n, packed, n, workspace.ctypes.data, workspace.size, at, self.format, count)
        if info.value:
            raise ArithmeticError(f"MKL's info is {info.value}")

    def pack_all(self, piece, sources):
        n = self.order
        for (start, count), packed in zip(self.pieces[piece], self.kept(piece)):
            self.gepack(ROW_MAJOR, n, n, sources.ctypes.data + 8 * start, n, packed, n, self.format, count)

    def eliminate_all(self, piece):
        for (_, count), packed in zip(self.pieces[piece], self.kept(piece)):
            self.eliminate(piece, packed, count)

    def kept(self, piece):
        """The address of each block of a piece in the packed copy of the whole stack."""
        first = sum(map(len, self.pieces[:piece]))
        return [self.packed.ctypes.data + self.block_bytes * (first + k) for k in range(len(self.pieces[piece]))]

    def pointers(self, stack):
        """The array of pointers that the routines need. It is kept, as a program would keep it with its stack."""
        address = stack.ctypes.data
        if address not in self.known:
            self.known[address] = self.new_pointers(stack)
        return self.known[address]

    def new_pointers(self, stack):
        np = self.np
        return np.uintp(stack.ctypes.data) + np.arange(self.count, dtype=np.uintp) * np.uintp(self.matrix_bytes)

    def aligned(self, count):
        """`count` bytes that start on a cache line and whose pages are mapped."""
        memory = self.np.full(count + 64, 1, self.np.uint8)
        start = -memory.ctypes.data % 64
        return memory[start : start + count]

    def close(self):
        self.pool.shutdown()


I, P = ctypes.c_int, ctypes.c_void_p
SIGNATURES = {
    "get_size": [I, I, I, I],
    "gepack": [I, I, I, P, I, P, I, I, I],
    "geunpack": [I, I, I, P, I, P, I, I, I],
    "getrfnp": [I, I, I, P, I, P, I, I],
    "getrinp": [I, I, P, I, P, I, P, I, I],
}


def load():
    """The library and its version."""
    path, version = None, "of unknown version"
    try:
        for file in importlib.metadata.files("mkl") or []:
            if file.name.startswith(("libmkl_rt.so", "mkl_rt.")) and not file.name.endswith(".lib"):
                path = str(file.locate())
        version = importlib.metadata.version("mkl")
    except importlib.metadata.PackageNotFoundError:
        pass
    path = path or ctypes.util.find_library("mkl_rt")
    if not path:
        raise schema.Missing("the package mkl is not installed")
    try:
        library = ctypes.CDLL(path)
        for letter in LETTERS.values():
            for name, types in SIGNATURES.items():
                getattr(library, f"mkl_{letter}{name}_compact").argtypes = types
    except (OSError, AttributeError) as failure:
        raise schema.Missing(f"mkl does not load: {failure}") from failure
    return library, version


def usable_formats(library):
    """The formats that this CPU supports. MKL recommends only one, which is not always the fastest."""
    named = library.mkl_get_format_compact()
    flags = set()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("flags"):
                    flags = set(line.split())
                    break
    except OSError:
        pass
    return [name for name, (number, _, flag) in FORMATS.items() if number == named or flag in flags]
