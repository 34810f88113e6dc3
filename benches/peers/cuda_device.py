"""The first CUDA device, through the driver's own library: memory, copies, and timing by events.

PyTorch, CuPy, and cuBLAS share the device's primary context and, by default, its default stream, so one clock times
them all.
"""

import ctypes
import sys

import schema

# Bytes copied before each timed call, for two reasons: the copy flushes the L2 cache, and it keeps the GPU busy
# while the host queues the call, so that the events do not count the host's time.
FLUSH_BYTES = 256 << 20
DEFAULT_STREAM = None

I, P, Z, D = ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint64
SIGNATURES = {
    "cuInit": [ctypes.c_uint],
    "cuDeviceGetCount": [P],
    "cuDeviceGet": [P, I],
    "cuDeviceGetName": [ctypes.c_char_p, I, I],
    "cuDevicePrimaryCtxRetain": [P, I],
    "cuCtxSetCurrent": [P],
    "cuCtxSynchronize": [],
    "cuMemAlloc_v2": [P, Z],
    "cuMemFree_v2": [D],
    "cuMemsetD8_v2": [D, ctypes.c_ubyte, Z],
    "cuMemcpyHtoD_v2": [D, P, Z],
    "cuMemcpyDtoH_v2": [P, D, Z],
    "cuMemcpyDtoDAsync_v2": [D, D, Z, P],
    "cuEventCreate": [P, ctypes.c_uint],
    "cuEventRecord": [P, P],
    "cuEventSynchronize": [P],
    "cuEventElapsedTime": [P, P, P],
}


class Device:
    def __init__(self):
        """Raises `schema.Missing` if there is no NVIDIA GPU."""
        try:
            self.library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
            for name, types in SIGNATURES.items():
                getattr(self.library, name).argtypes = types
        except (OSError, AttributeError) as failure:
            raise schema.Missing("no NVIDIA driver is installed") from failure
        count = I(0)
        if self.library.cuInit(0) or self.library.cuDeviceGetCount(ctypes.byref(count)) or count.value == 0:
            raise schema.Missing("the NVIDIA driver finds no GPU")
        number, context = I(0), P()
        self.call("cuDeviceGet", ctypes.byref(number), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), number)
        self.call("cuCtxSetCurrent", context)
        name = ctypes.create_string_buffer(256)
        self.call("cuDeviceGetName", name, len(name), number)
        self.adapter = name.value.decode()
        self.driver = driver_version()
        self.began, self.ended = self.event(), self.event()
        self.flush = [self.filled(FLUSH_BYTES) for _ in range(2)]

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status:
            raise RuntimeError(f"{name} returned {status}")

    def event(self):
        event = P()
        self.call("cuEventCreate", ctypes.byref(event), 0)
        return event

    def allocate(self, size):
        address = D()
        self.call("cuMemAlloc_v2", ctypes.byref(address), max(size, 1))
        return address.value

    def filled(self, size):
        address = self.allocate(size)
        self.call("cuMemsetD8_v2", address, 1, size)
        return address

    def free(self, address):
        self.call("cuMemFree_v2", address)

    def upload(self, address, array):
        self.call("cuMemcpyHtoD_v2", address, array.ctypes.data, array.nbytes)

    def download(self, array, address):
        self.call("cuMemcpyDtoH_v2", array.ctypes.data, address, array.nbytes)

    def queue_copy(self, target, source, size):
        self.call("cuMemcpyDtoDAsync_v2", target, source, size, DEFAULT_STREAM)

    def synchronize(self):
        self.call("cuCtxSynchronize")

    def seconds(self, call, before=None):
        """The GPU's seconds for the work that `call()` queues. `before()` is queued before the clock starts."""
        if before:
            before()
        self.queue_copy(self.flush[1], self.flush[0], FLUSH_BYTES)
        self.call("cuEventRecord", self.began, DEFAULT_STREAM)
        answer = call()
        self.call("cuEventRecord", self.ended, DEFAULT_STREAM)
        self.call("cuEventSynchronize", self.ended)
        del answer
        milliseconds = ctypes.c_float()
        self.call("cuEventElapsedTime", ctypes.byref(milliseconds), self.began, self.ended)
        return milliseconds.value * 1e-3

    def copy_seconds(self, size, collect):
        """The times that `collect` takes of a plain copy of `size` bytes within device memory."""
        source = target = None
        try:
            source, target = self.filled(size), self.filled(size)
            return collect(lambda i: self.seconds(lambda: self.queue_copy(target, source, size)))
        finally:
            for address in (source, target):
                if address:
                    self.free(address)


def driver_version():
    """The driver's version, as nvidia-smi prints it, or None."""
    try:
        library = ctypes.CDLL("nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1")
    except OSError:
        return None
    text = ctypes.create_string_buffer(96)
    if library.nvmlInit_v2() or library.nvmlSystemGetDriverVersion(text, len(text)):
        return None
    return text.value.decode()
