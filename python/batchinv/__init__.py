"""``np.linalg.inv``, ``solve``, ``det`` and ``slogdet`` for stacks of small matrices, on SIMD CPUs and, for inverses,
on GPUs, with a verdict for each matrix.

>>> import numpy as np
>>> import batchinv as bi
>>> a = np.array([[4.0, 7.0], [2.0, 6.0]])
>>> bi.inv(a)
array([[ 0.6, -0.7],
       [-0.2,  0.4]])
"""

from ._batchinv import Inverter, det, get_num_threads, info, inv, inv_ex, set_num_threads, slogdet, solve, solve_ex
from ._results import EngineError, IllConditionedError, InvExResult, SingularMatrixError, SlogdetResult, SolveExResult

__all__ = [
    "EngineError",
    "IllConditionedError",
    "InvExResult",
    "Inverter",
    "SingularMatrixError",
    "SlogdetResult",
    "SolveExResult",
    "det",
    "get_num_threads",
    "info",
    "inv",
    "inv_ex",
    "set_num_threads",
    "slogdet",
    "solve",
    "solve_ex",
]
