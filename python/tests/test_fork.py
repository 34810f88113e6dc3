"""A forked child has threads of its own, and leaves its parent's GPU alone."""

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")

CHILDREN = """
import os, sys, threading
import numpy as np
import batchinv as bi

def child(work):
    "Forks, and returns what the child's work returns, as text."
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = str(work())
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    with open(read) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return text

a = np.random.default_rng(1).standard_normal((60_000, 5, 5))
"""


def test_children_of_a_parent_with_threads(run_script):
    lines = run_script(
        CHILDREN
        + """
want = bi.inv(a, threads=3)
same = lambda: (bi.inv(a, threads=3) == want).all()
for _ in range(3):
    print(child(same))
print(child(lambda: child(same)), same())
"""
    )
    assert lines == ["True", "True", "True", "True True"]


def test_children_forked_while_threads_work(run_script):
    lines = run_script(
        CHILDREN
        + """
want = bi.inv(a, threads=3)
stop = threading.Event()
def work():
    while not stop.is_set():
        bi.inv(a, threads=3)
thread = threading.Thread(target=work)
thread.start()
print({child(lambda: (bi.inv(a, threads=3) == want).all()) for _ in range(10)})
stop.set()
thread.join()
"""
    )
    assert lines == ["{'True'}"]


def test_children_of_a_parent_with_a_gpu(adapter, run_script):
    lines = run_script(
        CHILDREN
        + """
a = a.astype(np.float32)[:1000]
gpu = bi.inv(a, engine="gpu", precision="native")
print(child(lambda: bi.inv(a, engine="gpu", precision="native")))
print(child(lambda: bi.inv(a[:1], engine="gpu")))
b = np.broadcast_to(2 * np.eye(64), (500, 64, 64)).copy()
print(child(lambda: (bi.inv(b) == b / 4).all()), child(lambda: (bi.inv(b, engine="cpu") == b / 4).all()))
print(child(lambda: bi.info()["adapters"]))
print((bi.inv(a, engine="gpu", precision="native") == gpu).all())
"""
    )
    refused = "EngineError: the gpu engine cannot run in this process: it was forked from one that uses the GPU."
    assert lines[0].startswith(refused) and lines[1].startswith(refused)
    assert lines[2:] == ["True True", "[]", "True"]


def test_a_child_may_open_a_gpu_that_its_parent_did_not(adapter, run_script):
    lines = run_script(
        CHILDREN
        + """
print(child(lambda: (bi.inv(2 * np.eye(4, dtype="f"), engine="gpu", precision="native") == np.eye(4) / 2).all()))
"""
    )
    assert lines == ["True"]
