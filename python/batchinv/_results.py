"""What a call gives back, or raises."""

from typing import Any, NamedTuple

from numpy.linalg import LinAlgError


class InvExResult(NamedTuple):
    """The result of `inv_ex`: inverses, a status for each matrix, and reciprocal condition numbers or None."""

    inverse: Any
    status: Any
    rcond: Any


class SolveExResult(NamedTuple):
    """The result of `solve_ex`: solutions, and a status for each system."""

    solution: Any
    status: Any


class SlogdetResult(NamedTuple):
    """The result of `slogdet`, as NumPy's: signs of determinants, and logarithms of their magnitudes."""

    sign: Any
    logabsdet: Any


class SingularMatrixError(LinAlgError):
    """A matrix is singular: in its elimination, a pivot is exactly zero.

    Its text is NumPy's, and a note below it says which matrix and which column.

    Attributes
    ----------
    index : tuple of int
        The matrix, along the axes before the last two; empty if it is the only one.
    column : int
        The column of the zero pivot, counted from 1, as in LAPACK.
    """

    def __init__(self, index: tuple[int, ...], column: int) -> None:
        super().__init__("Singular matrix")
        self.index = index
        self.column = column
        place = f"matrix {index} of the stack: " if index else ""
        self.add_note(f"{place}the pivot of column {column} is exactly zero")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.index, self.column), self.__dict__


class IllConditionedError(LinAlgError):
    """The reciprocal condition number of a matrix is below the least that an `Inverter` lets pass.

    Attributes
    ----------
    index : tuple of int
        The matrix, along the axes before the last two; empty if it is the only one.
    """

    def __init__(self, index: tuple[int, ...]) -> None:
        super().__init__("Ill-conditioned matrix")
        self.index = index
        place = f"matrix {index} of the stack: " if index else ""
        self.add_note(f"{place}its rcond is below the least that was asked for")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.index,), self.__dict__


class EngineError(RuntimeError):
    """The engine cannot do the work: there is no such GPU, it has not the numbers or the memory for it, or was lost."""


# Tracebacks and pickles name the module that users import.
for _public in (InvExResult, SolveExResult, SlogdetResult, SingularMatrixError, IllConditionedError, EngineError):
    _public.__module__ = "batchinv"
