"""MKL's compact batched LU inverse and solution, called through ctypes: mkl_?gepack, ?getrfnp, ?getrinp or twice ?trsm,
and ?geunpack_compact.

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
ROW_MAJOR, LEFT, AS_IT_IS = 101, 141, 111
UPPER, LOWER, NOT_UNIT, UNIT = 121, 122, 131, 132
# MKL's number of each format, the bytes of its vectors, and the CPU flag that it needs.
FORMATS = {"SSE": (181, 16, "sse2"), "AVX": (182, 32, "avx"), "AVX-512": (183, 64, "avx512f")}
BLOCK_BYTES = (1 << 20, 1 << 18)


class Peer:
    name = "mkl-compact"
    package = "mkl"
    kernels = {"inverse": "getrfnp_compact + getrinp_compact", "solve": "getrfnp_compact + trsm_compact"}
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
        self.count, self.order, self.width = inputs[0].count, inputs[0].order, inputs[0].width
        elements = inputs[0].elements
        self.system_bytes = elements.nbytes // self.count
        self.real_bytes = elements.real.itemsize
        letter = LETTERS[elements.dtype.name]
        # Real factors are passed by value, complex ones by address.
        self.ones = np.ones(1, elements.dtype)
        self.one = {"s": ctypes.c_float(1), "d": ctypes.c_double(1)}.get(letter, P(self.ones.ctypes.data))
        for name in SIGNATURES:
            setattr(self, name, getattr(library, f"mkl_{letter}{name}_compact"))
        self.threads = threads
        one_thread = getattr(library, "MKL_Set_Num_Threads_Local", lambda _: None)
        self.pool = concurrent.futures.ThreadPoolExecutor(threads, initializer=one_thread, initargs=(1,))
        self.known = {}
        self.choose(formats)

    def choose(self, formats):
        output = self.np.zeros_like(self.like(0))
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
        block = max(1, block_bytes // self.system_bytes // lanes) * lanes
        packs = -(-self.count // lanes)
        bounds = [min(self.count, packs * t // self.threads * lanes) for t in range(self.threads + 1)]
        self.pieces = [
            [(start, min(block, end - start)) for start in range(begin, end, block)]
            for begin, end in zip(bounds, bounds[1:])
            if begin < end
        ]
        self.block_bytes = self.get_size(self.order, self.order, self.format, block)
        self.columns_bytes = self.get_size(self.width, self.order, self.format, block) if self.width else 0
        self.scratch = [self.aligned(self.block_bytes + self.columns_bytes) for _ in self.pieces]
        # The routine needs n scalars per lane; this is more in every format.
        self.workspaces = [self.np.zeros(self.order * 64, self.np.complex128) for _ in self.pieces]
        self.packed = None

    def like(self, i):
        """An array of the shape of the answer."""
        return self.inputs[i].b if self.width else self.inputs[i].a

    def fresh(self, i):
        output = self.np.empty_like(self.like(i))
        self.call(i, self.new_pointers(output))
        return output

    def into(self, i, output):
        self.call(i, self.pointers(output))

    def call(self, i, targets):
        self.each_piece(self.answer, *self.sources(i), targets)

    def work(self, i):
        """Seconds to eliminate in a stack that was packed outside the clock."""
        if self.packed is None:
            self.packed = self.aligned((self.block_bytes + self.columns_bytes) * sum(map(len, self.pieces)))
        self.each_piece(self.pack_all, *self.sources(i))
        return measure.wall(lambda _: self.each_piece(self.eliminate_all))(0)

    def sources(self, i):
        """The pointers to matrices and right-hand sides, if there are any."""
        given = self.inputs[i]
        return self.pointers(given.a), self.pointers(given.b) if self.width else None

    def each_piece(self, call, *arguments):
        if len(self.pieces) == 1:
            call(0, *arguments)
        else:
            # Reading the results raises any exception from a thread.
            list(self.pool.map(lambda piece: call(piece, *arguments), range(len(self.pieces))))

    def answer(self, piece, matrices, columns, targets):
        n, width, packed = self.order, self.width, self.scratch[piece].ctypes.data
        for start, count in self.pieces[piece]:
            self.pack(packed, matrices, columns, start, count)
            self.eliminate(piece, packed, count)
            target = targets.ctypes.data + 8 * start
            if width:
                solutions = packed + self.block_bytes
                self.geunpack(ROW_MAJOR, n, width, target, width, solutions, width, self.format, count)
            else:
                self.geunpack(ROW_MAJOR, n, n, target, n, packed, n, self.format, count)

    def pack(self, packed, matrices, columns, start, count):
        """Packs a block: the matrices, and the right-hand sides behind them."""
        n, width = self.order, self.width
        self.gepack(ROW_MAJOR, n, n, matrices.ctypes.data + 8 * start, n, packed, n, self.format, count)
        if width:
            source, target = columns.ctypes.data + 8 * start, packed + self.block_bytes
            self.gepack(ROW_MAJOR, n, width, source, width, target, width, self.format, count)

    def eliminate(self, piece, packed, count):
        n, workspace = self.order, self.workspaces[piece]
        info = ctypes.c_int(0)
        at = ctypes.addressof(info)
        self.getrfnp(ROW_MAJOR, n, n, packed, n, at, self.format, count)
        if info.value == 0 and not self.width:
            self.getrinp(ROW_MAJOR, n, packed, n, workspace.ctypes.data, workspace.size, at, self.format, count)
        if info.value:
            raise ArithmeticError(f"MKL's info is {info.value}")
        if self.width:
            self.substitute(LOWER, UNIT, packed, count)
            self.substitute(UPPER, NOT_UNIT, packed, count)

    def substitute(self, part, diagonal, packed, count):
        n, width, columns = self.order, self.width, packed + self.block_bytes
        options = (ROW_MAJOR, LEFT, part, AS_IT_IS, diagonal)
        self.trsm(*options, n, width, self.one, P(packed), n, P(columns), width, self.format, count)

    def pack_all(self, piece, matrices, columns):
        for (start, count), packed in zip(self.pieces[piece], self.kept(piece)):
            self.pack(packed, matrices, columns, start, count)

    def eliminate_all(self, piece):
        for (_, count), packed in zip(self.pieces[piece], self.kept(piece)):
            self.eliminate(piece, packed, count)

    def kept(self, piece):
        """The address of each block of a piece in the packed copy of the whole stack."""
        first = sum(map(len, self.pieces[:piece]))
        size = self.block_bytes + self.columns_bytes
        return [self.packed.ctypes.data + size * (first + k) for k in range(len(self.pieces[piece]))]

    def pointers(self, stack):
        """The array of pointers that the routines need. It is kept, as a program would keep it with its stack."""
        address = stack.ctypes.data
        if address not in self.known:
            self.known[address] = self.new_pointers(stack)
        return self.known[address]

    def new_pointers(self, stack):
        np = self.np
        step = np.uintp(stack.nbytes // self.count)
        return np.uintp(stack.ctypes.data) + np.arange(self.count, dtype=np.uintp) * step

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
    # Its factor is of another type for each scalar; ctypes goes by the arguments.
    "trsm": None,
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
