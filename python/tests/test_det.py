"""`det` and `slogdet` are `np.linalg.det` and `np.linalg.slogdet` to the letter."""

import pickle

import numpy as np
import pytest
from conftest import LAYOUTS, SCALARS, assert_alike, drawn
from hypothesis import given, settings
from hypothesis import strategies as st

import batchinv as bi

SHAPES = [(1, 1), (2, 2), (4, 4), (33, 33), (5, 3, 3), (2, 3, 8, 8), (1, 1, 1, 2, 2), (700, 4, 4), (40, 20, 20)]
EMPTY_SHAPES = [(0, 0), (0, 3, 3), (5, 0, 0), (0, 0, 0), (2, 0, 4, 4), (0, 7, 0, 0)]


def assert_like_numpy(a):
    det, (sign, logabsdet) = bi.det(a), bi.slogdet(a)
    want, (want_sign, want_log) = np.linalg.det(a), np.linalg.slogdet(a)
    assert_alike(sign, want_sign)
    assert_alike(logabsdet, want_log)
    # Scalars, too, have these.
    assert (type(det), det.shape, det.dtype) == (type(want), want.shape, want.dtype)
    eps = np.finfo(want.dtype).eps
    np.testing.assert_allclose(det, want, rtol=100 * eps * max(1, np.shape(a)[-1]))


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("shape", SHAPES + EMPTY_SHAPES)
def test_shapes_and_scalars(matrices, shape, dtype):
    # With this factor, they are within the range of float32.
    assert_like_numpy(matrices(shape, dtype) / (2 * max(1, shape[-1])))


@pytest.mark.parametrize("dtype", ["?", "b", "B", "h", "H", "i", "I", "q", "Q"])
def test_integers_count_as_float64(dtype):
    assert_like_numpy(np.array([[[2, 1], [1, 1]], [[1, 0], [1, 1]]]).astype(dtype))


@pytest.mark.parametrize("a", [[[2.0, 1.0], [1.0, 3.0]], [[[1, 2], [3, 4]]], ((2j, 0), (0, 1)), [[4]]], ids=str)
def test_nested_sequences(a):
    assert_like_numpy(a)


def test_float32_is_computed_in_double_unless_asked(rng):
    a = rng.standard_normal((500, 8, 8)).astype(np.float32)
    in_double = np.linalg.det(a.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_max_ulp(bi.det(a), in_double, 1)
    native = bi.det(a, precision="native")
    assert native.dtype == np.float32 and not np.array_equal(native, bi.det(a))
    np.testing.assert_allclose(bi.slogdet(a).logabsdet, np.linalg.slogdet(a).logabsdet, atol=2e-7, rtol=2e-7)


@pytest.mark.parametrize("call", ["det", "slogdet"])
@pytest.mark.parametrize(
    "a",
    [1.0, [1.0, 2.0], np.zeros((3, 4)), np.zeros((2, 3, 1)), np.zeros((0, 2)), np.zeros((2, 0)), []],
    ids=["scalar", "vector", "wide", "stack", "no rows", "no columns", "empty"],
)
def test_shapes_that_numpy_refuses(call, a):
    with pytest.raises(np.linalg.LinAlgError) as theirs:
        getattr(np.linalg, call)(a)
    with pytest.raises(np.linalg.LinAlgError) as ours:
        getattr(bi, call)(a)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("call", ["det", "slogdet"])
@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.clongdouble, object, "U3", "M8[s]", "m8[s]", "V8"])
@pytest.mark.parametrize("shape", [(2, 2), (0, 2, 2)])
def test_dtypes_that_numpy_refuses(call, dtype, shape):
    a = np.zeros(shape, dtype)
    with pytest.raises(TypeError):
        getattr(np.linalg, call)(a)
    with pytest.raises(TypeError, match="unsupported in linalg"):
        getattr(bi, call)(a)


@pytest.mark.parametrize("dtype", SCALARS)
def test_singular_matrices_have_determinant_zero(matrices, dtype):
    a = matrices((6, 5, 5), dtype) / 10
    a[1, :, 3], a[4] = 0, 0
    assert_like_numpy(a)
    assert np.flatnonzero(bi.det(a) == 0).tolist() == [1, 4]
    assert_like_numpy(a[4])


def test_not_finite_is_no_error(matrices):
    a = matrices((5, 4, 4))
    a[1, 0, 2], a[2, 3, 3], a[3, 1, 1] = np.nan, np.inf, -np.inf
    with np.errstate(all="raise"):
        det, (sign, logabsdet) = bi.det(a), bi.slogdet(a)
    for got in (det, sign, logabsdet):
        assert np.isnan(got).tolist() == [False, True, True, True, False]
    np.testing.assert_allclose(det[[0, 4]], np.linalg.det(a[[0, 4]]))


@pytest.mark.parametrize("dtype", SCALARS)
def test_determinants_beyond_the_range_of_the_dtype(dtype):
    big = 2.0 * np.sqrt(np.finfo(dtype).max, dtype=np.float64)
    a = (np.array([big, 1, -big, 1 / big, 0.5])[:, None, None] * np.eye(3)).astype(dtype)
    want = [np.inf, 1, -np.inf, 0, 0.125]
    with np.errstate(over="ignore", invalid="ignore"):
        # For complex numbers, NumPy takes infinity times the sign, of which a part is NaN.
        assert bi.det(a).real.tolist() == want == np.round(np.linalg.det(a).real, 12).tolist()
    assert_alike(bi.slogdet(a).sign, np.linalg.slogdet(a).sign)
    assert_alike(bi.slogdet(a).logabsdet, np.linalg.slogdet(a).logabsdet)


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("count", [1, 30_000])
def test_overflows_are_reported_as_numpy_says(dtype, count):
    a = np.zeros((count, 2, 2), dtype) + np.eye(2, dtype=dtype)
    assert_like_numpy(a[0])
    limit = 2.0 ** (np.finfo(dtype).maxexp // 2)
    a[-1] *= np.array([[limit], [limit / 2]], a.real.dtype)
    with np.errstate(all="raise"):
        assert np.max(bi.det(a).real) == limit * (limit / 2)
    a[-1, 1] *= 2
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
        bi.det(a)
    # The determinant was the least power of two beyond the range, of which NumPy is not sure.
    a[-1, 1] *= 2
    for det in (np.linalg.det, bi.det):
        # NumPy's complex overflows are also invalid.
        with np.errstate(over="warn", invalid="ignore"), pytest.warns(RuntimeWarning, match="overflow encountered"):
            det(a)
        with np.errstate(over="raise", invalid="ignore"), pytest.raises(FloatingPointError, match="overflow"):
            det(a)
        with np.errstate(over="ignore", invalid="ignore"):
            det(a)
    with np.errstate(all="raise"):
        assert np.isfinite(bi.slogdet(a).logabsdet).all()


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(matrices, layout, dtype):
    a = matrices((6, 5, 5), dtype)
    before = a.copy()
    assert np.array_equal(bi.det(LAYOUTS[layout](a)), bi.det(a))
    assert all(map(np.array_equal, bi.slogdet(LAYOUTS[layout](a)), bi.slogdet(a)))
    assert np.array_equal(a, before)


def test_subclasses_come_back_as_arrays_as_in_numpy(matrices):
    class Labeled(np.ndarray):
        pass

    a = matrices((4, 3, 3)).view(Labeled)
    assert type(bi.det(a)) is np.ndarray is type(np.linalg.det(a))
    assert type(bi.slogdet(a).sign) is np.ndarray is type(np.linalg.slogdet(a).sign)


class Quantity(np.ndarray):
    """A number with a unit, of which only the overridden functions know what becomes."""

    def __array_function__(self, func, types, args, kwargs):
        return func, np.asarray(args[0])


def test_functions_that_a_type_overrides():
    a = np.array([[2.0, 0.0], [0.0, 4.0]]).view(Quantity)
    assert bi.det(a)[0] is np.linalg.det and bi.slogdet(a)[0] is np.linalg.slogdet


def test_results_are_named_and_can_be_pickled():
    result = bi.slogdet(a=-np.eye(3))
    assert isinstance(result, bi.SlogdetResult) and (result.sign, result.logabsdet) == (-1, 0) == result
    assert pickle.loads(pickle.dumps(result)) == result
    assert result._fields == np.linalg.slogdet(np.eye(1))._fields
    assert bi.det(a=[[3.0]]) == 3


def test_an_inverter_is_the_functions_with_its_options(rng):
    a = rng.standard_normal((300, 6, 6)).astype(np.float32)
    native = bi.Inverter("cpu", precision="native", min_rcond=0.5, on_failure="identity")
    assert np.array_equal(native.det(a), bi.det(a, precision="native"))
    assert all(map(np.array_equal, native.slogdet(a), bi.slogdet(a, precision="native")))


def test_pieces_of_a_long_call_end_up_in_their_places(rng):
    """A call this long runs in pieces, between which signals are heard."""
    a = rng.standard_normal((40_000, 16, 16))
    a[20_000], a[39_999, 0, 0] = 0, np.nan
    parts = np.array_split(a, 80)
    for call in (bi.det, lambda a: np.array(bi.slogdet(a))):
        assert np.array_equal(call(a), np.concatenate([call(part) for part in parts], axis=-1), equal_nan=True)


@pytest.mark.parametrize("shape", [(20_000, 4, 4), (300, 40, 40)])
def test_bits_do_not_depend_on_threads(rng, shape):
    a = rng.standard_normal(shape).astype(np.float32)
    with np.errstate(over="ignore"):
        assert all(np.array_equal(bi.det(a, threads=threads), bi.det(a, threads=1)) for threads in (2, 3))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_any_array_as_numpy_does_it(data):
    n = data.draw(st.integers(0, 9), "order")
    leading = data.draw(st.lists(st.integers(0, 4), max_size=3), "leading axes")
    dtypes = [">f4", "<f4", ">f8", "<f8", ">c8", "<c8", ">c16", "<c16", "i4", "u1", "?"]
    a = drawn(data, (*leading, n, n), data.draw(st.sampled_from(dtypes)), "a")
    if a.dtype != bool or n < 2:
        assert_like_numpy(a)
    else:
        # All of them are full of True, and what NumPy takes for their determinants is 0 or what rounding left.
        assert (bi.det(a) == 0).all() and (bi.slogdet(a).logabsdet == -np.inf).all()
