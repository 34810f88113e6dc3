"""``np.linalg.inv`` for stacks of small matrices, on GPUs and on SIMD CPUs, with a verdict for each matrix.

>>> import numpy as np
>>> import batchinv as bi
>>> a = np.array([[4.0, 7.0], [2.0, 6.0]])
>>> bi.inv(a)
array([[ 0.6, -0.7],
       [-0.2,  0.4]])
"""

from ._batchinv import Inverter, get_num_threads, info, inv, inv_ex, set_num_threads
from ._results import EngineError, InvExResult, SingularMatrixError

__all__ = [
    "EngineError",
    "InvExResult",
    "Inverter",
    "SingularMatrixError",
    "get_num_threads",
    "info",
    "inv",
    "inv_ex",
    "set_num_threads",
]
