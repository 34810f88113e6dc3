"""`inv` is `np.linalg.inv` to the letter."""

import pickle
import sys
import warnings

import numpy as np
import pytest
from conftest import SCALARS, assert_alike, drawn
from hypothesis import given, settings
from hypothesis import strategies as st

import batchinv as bi

SHAPES = [(1, 1), (2, 2), (4, 4), (33, 33), (5, 3, 3), (2, 3, 8, 8), (1, 1, 1, 2, 2), (700, 4, 4), (40, 20, 20)]
EMPTY_SHAPES = [(0, 0), (0, 3, 3), (5, 0, 0), (0, 0, 0), (2, 0, 4, 4), (0, 7, 0, 0)]


def assert_like_numpy(a, got):
    assert_alike(got, np.linalg.inv(a))
    assert got.flags.writeable


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("shape", SHAPES + EMPTY_SHAPES)
def test_shapes_and_scalars(matrices, shape, dtype):
    a = matrices(shape, dtype)
    assert_like_numpy(a, bi.inv(a))


@pytest.mark.parametrize("dtype", ["?", "b", "B", "h", "H", "i", "I", "q", "Q"])
def test_integers_count_as_float64(dtype):
    a = np.array([[[2, 1], [1, 1]], [[1, 0], [1, 1]]]).astype(dtype) if dtype != "?" else np.eye(3, dtype=bool)
    assert_like_numpy(a, bi.inv(a))


def test_float32_is_computed_in_double_unless_asked(matrices):
    a = matrices((200, 8, 8), np.float32)
    in_double = np.linalg.inv(a.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_max_ulp(bi.inv(a), in_double, 1)
    native = bi.inv(a, precision="native")
    assert native.dtype == np.float32 and not np.array_equal(native, bi.inv(a))


@pytest.mark.parametrize("a", [[[2.0, 1.0], [1.0, 3.0]], [[[1, 2], [3, 4]]], ((2j, 0), (0, 1)), [[4]]], ids=str)
def test_nested_sequences(a):
    assert_like_numpy(a, bi.inv(a))


@pytest.mark.parametrize(
    "a",
    [1.0, [1.0, 2.0], np.zeros((3, 4)), np.zeros((2, 3, 1)), np.zeros((0, 2)), np.zeros((2, 0)), []],
    ids=["scalar", "vector", "wide", "stack", "no rows", "no columns", "empty"],
)
def test_shapes_that_numpy_refuses(a):
    with pytest.raises(np.linalg.LinAlgError) as theirs:
        np.linalg.inv(a)
    with pytest.raises(np.linalg.LinAlgError) as ours:
        bi.inv(a)
    assert str(ours.value) == str(theirs.value)
    with pytest.raises(np.linalg.LinAlgError, match=str(theirs.value)):
        bi.inv_ex(a)


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.clongdouble, object, "U3", "M8[s]", "m8[s]", "V8"])
@pytest.mark.parametrize("shape", [(2, 2), (0, 2, 2)])
def test_dtypes_that_numpy_refuses(dtype, shape):
    a = np.zeros(shape, dtype)
    with pytest.raises(TypeError):
        np.linalg.inv(a)
    with pytest.raises(TypeError, match="unsupported in linalg"):
        bi.inv(a)
    with pytest.raises(TypeError, match="unsupported in linalg"):
        bi.inv_ex(a)


@pytest.mark.parametrize("dtype", SCALARS)
def test_singular_matrices_raise_in_numpys_words(matrices, dtype):
    a = matrices((3, 4, 5, 5), dtype)
    a[1, 2, :, 3] = 0
    a[2, 0] = 0
    with pytest.raises(np.linalg.LinAlgError) as theirs:
        np.linalg.inv(a)
    with pytest.raises(bi.SingularMatrixError) as ours:
        bi.inv(a)
    error = ours.value
    assert str(error) == str(theirs.value) == "Singular matrix"
    assert (error.index, error.column) == ((1, 2), 4)
    assert error.__notes__ == ["matrix (1, 2) of the stack: the pivot of column 4 is exactly zero"]
    with pytest.raises(bi.SingularMatrixError) as ours:
        bi.inv(a[2, 0])
    assert (ours.value.index, ours.value.column) == ((), 1)
    assert ours.value.__notes__ == ["the pivot of column 1 is exactly zero"]


def test_singular_matrix_errors_can_be_pickled():
    error = bi.SingularMatrixError((1, 2), 3)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is bi.SingularMatrixError and isinstance(again, np.linalg.LinAlgError)
    assert (again.index, again.column, str(again)) == ((1, 2), 3, "Singular matrix")
    assert again.__notes__ == error.__notes__


def test_not_finite_is_no_error(matrices):
    a = matrices((6, 4, 4))
    a[1, 0, 2], a[2, 3, 3], a[3, 1, 1] = np.nan, np.inf, -np.inf
    a[4] = np.eye(4) * 1e-310  # Its inverse overflows.
    with np.errstate(all="raise"):
        got = bi.inv(a)
    assert np.isnan(got[1:5]).all()
    np.testing.assert_allclose(got[[0, 5]], np.linalg.inv(a[[0, 5]]))
    # NaN wins over a column of zeros, which NumPy calls singular.
    assert np.isnan(bi.inv(np.array([[np.nan, 0.0], [0.0, 0.0]]))).all()


def test_subclasses_come_back_as_such(matrices):
    class Labeled(np.ndarray):
        label = None

        def __array_finalize__(self, source):
            self.label = getattr(source, "label", None)

    a = matrices((3, 3)).view(Labeled)
    a.label = "covariance"
    got = bi.inv(a)
    assert type(got) is Labeled and got.label == "covariance" == np.linalg.inv(a).label
    assert type(bi.inv_ex(a).inverse) is Labeled and type(bi.inv_ex(a).status) is np.int32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        assert type(bi.inv(np.matrix([[2.0]]))) is np.matrix
    assert type(bi.inv(np.ma.masked_array(np.eye(2), mask=False))) is np.ma.MaskedArray


class Quantity(np.ndarray):
    """A number with a unit, of which only the overridden functions know what becomes."""

    power = 1

    def __array_function__(self, func, types, args, kwargs):
        assert func is np.linalg.inv
        result = np.linalg.inv(np.asarray(args[0])).view(Quantity)
        result.power = -self.power
        return result


def test_functions_that_a_type_overrides():
    a = np.array([[2.0, 0.0], [0.0, 4.0]]).view(Quantity)
    got = bi.inv(a)
    assert type(got) is Quantity and got.power == -1
    assert np.array_equal(np.asarray(got), [[0.5, 0.0], [0.0, 0.25]])
    with pytest.raises(TypeError, match="Quantity overrides NumPy's functions"):
        bi.inv_ex(a)
    with pytest.raises(TypeError, match="neither out nor axes"):
        bi.inv(a, out=a)


def test_the_argument_has_its_name():
    a = np.array([[2.0]])
    assert bi.inv(a=a) == bi.inv_ex(a=a).inverse == bi.Inverter("cpu").inv(a=a) == [[0.5]]


def test_array_wrap_of_any_object_is_called():
    class Wrapped:
        def __array__(self, dtype=None, copy=None):
            return np.eye(2)

        def __array_wrap__(self, array, context=None, return_scalar=False):
            return ("wrapped", array.shape)

    assert bi.inv(Wrapped()) == np.linalg.inv(Wrapped()) == ("wrapped", (2, 2))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_memory_that_runs_out_is_a_memory_error(run_script):
    with pytest.raises(MemoryError):
        bi.inv(np.broadcast_to(np.eye(4), (1 << 40, 4, 4)))
    lines = run_script("""
import resource
import numpy as np
import batchinv as bi

a = np.broadcast_to(np.eye(64), (4000, 64, 64)).copy()
bi.set_num_threads(1)
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + a.nbytes // 2,) * 2)
try:
    bi.inv(a, engine="cpu")
except MemoryError:
    print("MemoryError")
print(bi.inv(a[:9]).shape)
""")
    assert lines == ["MemoryError", "(9, 64, 64)"]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_any_array_as_numpy_does_it(data):
    n = data.draw(st.integers(0, 12), "order")
    leading = data.draw(st.lists(st.integers(0, 4), max_size=3), "leading axes")
    dtype = np.dtype(data.draw(st.sampled_from([">f4", "<f4", ">f8", "<f8", ">c8", "<c8", ">c16", "<c16", "i4", "u1"])))
    a = drawn(data, (*leading, n, n), dtype, "a")
    assert_like_numpy(a, bi.inv(a))

    zero = data.draw(st.booleans(), "a column of zeros")
    if zero and a.size:
        a[..., :, data.draw(st.integers(0, n - 1), "its number")] = 0
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            np.linalg.inv(a)
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            bi.inv(a)
