"""Ctrl-C ends a long call."""


def test_ctrl_c_stops_between_pieces(run_script):
    lines = run_script("""
import os, signal, threading
import numpy as np
import batchinv as bi

a = np.broadcast_to(np.eye(512, dtype=complex), (40, 512, 512)).copy()
out = np.full_like(a, 7)
# A shell lets its background jobs ignore Ctrl-C, and Python keeps to that.
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    bi.inv(a, out=out, threads=1)
    print("finished")
except KeyboardInterrupt:
    print("interrupted", (out[0] != 7).any(), (out[-1] == 7).all())
print((bi.inv(a[:2], threads=1) == a[:2]).all())
""")
    # The first matrix was inverted, the last was not reached, and the next call works.
    assert lines == ["interrupted True True", "True"]


def test_a_handler_of_a_signal_may_invert(run_script):
    lines = run_script("""
import os, signal, threading
import numpy as np
import batchinv as bi

heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(bi.inv(np.broadcast_to(2 * np.eye(9), (3000, 9, 9)))))
a = np.broadcast_to(np.eye(512), (80, 512, 512)).copy()
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
print((bi.inv(a) == a).all(), len(heard), (heard[0][-1] == np.eye(9) / 2).all())
""")
    assert lines == ["True 1 True"]
