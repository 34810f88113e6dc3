"""Threads: the engine's own, and Python's beside them."""

import threading
import time

import numpy as np
import pytest

import batchinv as bi


@pytest.fixture
def count():
    """Sets the number of threads of the process for one test."""
    yield bi.set_num_threads
    bi.set_num_threads(None)


def test_the_number_of_threads_of_the_process(count):
    machine = bi.get_num_threads()
    assert machine >= 1
    count(3)
    assert bi.get_num_threads() == 3 == bi.info()["threads"]
    count(None)
    assert bi.get_num_threads() == machine
    with pytest.raises(ValueError, match="at least 1"):
        count(0)


@pytest.mark.parametrize("shape", [(40_000, 4, 4), (600, 40, 40), (2, 400, 400)])
def test_bits_do_not_depend_on_threads(matrices, count, shape):
    a = matrices(shape, np.float32)
    want = bi.inv(a, threads=1)
    for threads in (2, 3, 1):
        assert np.array_equal(bi.inv(a, threads=threads), want)
        count(threads)
        assert np.array_equal(bi.inv(a), want)


def test_python_runs_while_a_stack_is_inverted(matrices):
    """While one thread inverts, another goes on. If the lock of Python were held, it would not get a turn."""
    a, out = matrices((8, 1024, 1024)), np.empty((8, 1024, 1024))
    window = []

    def invert():
        window.append(time.perf_counter())
        bi.inv(a, out=out, threads=1)
        window.append(time.perf_counter())

    thread = threading.Thread(target=invert)
    ticks = []
    thread.start()
    while thread.is_alive():
        ticks.append(time.perf_counter())
    thread.join()
    start, end = window
    tenth = (end - start) / 10
    tenths = {int((tick - start) / tenth) for tick in ticks if start < tick < end}
    # On a busy machine, it may miss some.
    assert len(tenths) >= 4, "the other thread stood still"


def test_many_python_threads_at_once(matrices):
    stacks = [matrices((n * 500, 5, 5)) for n in range(1, 9)]
    want = [bi.inv(a) for a in stacks]
    got = [None] * len(stacks)

    def invert(k):
        for _ in range(5):
            got[k] = bi.inv(stacks[k], threads=1 + k % 3)

    threads = [threading.Thread(target=invert, args=(k,)) for k in range(len(stacks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(x, y) for x, y in zip(got, want, strict=True))


def test_two_calls_cannot_write_to_one_array():
    """Memory that one call writes to is refused to others meanwhile, as input and as output."""
    a = np.broadcast_to(np.eye(256), (40, 256, 256)).copy()
    out = np.empty_like(a)
    few = out.reshape(-1)[:4].reshape(2, 2)
    refused = threading.Event()

    def invert():
        while not refused.is_set():
            bi.inv(a, out=out, threads=1)

    thread = threading.Thread(target=invert)
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="another call is reading or writing the same memory"):
            for _ in range(100_000):
                bi.inv(np.eye(2), out=few)
    finally:
        refused.set()
        thread.join()


def test_a_thousand_threads_are_not_started(matrices):
    a = matrices((5000, 6, 6))
    assert np.array_equal(bi.inv(a, threads=2**62), bi.inv(a, threads=1))
    with open("/proc/self/status") as status:
        running = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
    assert running < 1000
