"""Memory of any layout, on the way in and out."""

import numpy as np
import pytest
from conftest import LAYOUTS, SCALARS

import batchinv as bi


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_in(matrices, layout, dtype):
    a = matrices((6, 5, 5), dtype)
    before = a.copy()
    assert np.array_equal(bi.inv(LAYOUTS[layout](a)), bi.inv(a))
    assert np.array_equal(a, before)


def test_a_broadcast_array(matrices):
    a = matrices((3, 3))
    assert np.array_equal(bi.inv(np.broadcast_to(a, (4, 2, 3, 3))), np.broadcast_to(bi.inv(a), (4, 2, 3, 3)))


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "read-only"])
@pytest.mark.parametrize("call", ["inv", "inv_ex"])
def test_layouts_out(matrices, call, layout, dtype):
    a = matrices((6, 5, 5), dtype)
    out = LAYOUTS[layout](np.full_like(a, 7))
    got = bi.inv(a, out=out) if call == "inv" else bi.inv_ex(a, out=out).inverse
    assert got is out
    assert np.array_equal(out, bi.inv(a))


@pytest.mark.parametrize("dtype", SCALARS)
def test_out_may_be_the_input_or_overlap_it(matrices, dtype):
    a = matrices((6, 5, 5), dtype)
    want = bi.inv(a)
    assert bi.inv(a, out=a) is a and np.array_equal(a, want)
    memory = np.concatenate([matrices((6, 5, 5), dtype), matrices((1, 5, 5), dtype)])
    want = bi.inv(memory[:-1])
    assert np.array_equal(bi.inv(memory[:-1], out=memory[1:]), want)
    a = matrices((4, 4), dtype)
    want = bi.inv(a.T)
    assert np.array_equal(bi.inv(a.T, out=a), want)


def test_plain_out_is_written_without_a_copy(matrices):
    a = matrices((500, 4, 4))
    out = np.zeros_like(a)
    a[-1] = 0
    with pytest.raises(bi.SingularMatrixError):
        bi.inv(a, out=out)
    assert np.array_equal(out[:-1], bi.inv(a[:-1]))


def test_out_of_a_wider_dtype(matrices):
    a = matrices((2, 3, 3), np.float32)
    out = np.empty((2, 3, 3), np.complex128)
    assert np.array_equal(bi.inv(a, out=out), bi.inv(a).astype(np.complex128))


@pytest.mark.parametrize(
    ("out", "error", "words"),
    [
        (np.empty((3, 3)), ValueError, r"\(3, 3\).*\(2, 3, 3\)"),
        (np.empty((1, 2, 3, 3)), ValueError, "shape"),
        (np.empty((2, 3, 3), int), TypeError, "int64.*float64"),
        (np.frombuffer(bytes(144)).reshape(2, 3, 3), ValueError, "out is read-only"),
        ([[1.0]], TypeError, "list"),
    ],
    ids=["shape", "axes", "dtype", "read-only", "list"],
)
def test_out_that_does_not_fit(matrices, out, error, words):
    a = matrices((2, 3, 3))
    for call in (bi.inv, bi.inv_ex):
        with pytest.raises(error, match=words):
            call(a, out=out)


@pytest.mark.parametrize("axes", [[(0, 1), (0, 1)], [(-1, 0), (1, 2)], [(2, 1), (-2, -1)], [(-2, -1), (2, 0)]], ids=str)
def test_axes_are_those_of_a_generalized_ufunc(matrices, axes):
    from numpy.linalg._umath_linalg import inv as gufunc

    a = matrices((4, 4, 4))
    np.testing.assert_allclose(bi.inv(a, axes=axes), gufunc(a, axes=axes), rtol=1e-12)
    out = np.empty_like(a)
    assert bi.inv(a, axes=axes, out=out) is out
    np.testing.assert_allclose(out, gufunc(a, axes=axes), rtol=1e-12)
    assert np.array_equal(bi.inv_ex(a, axes=axes).inverse, out)


def test_axes_name_the_matrix_that_is_singular(matrices):
    a = matrices((5, 3, 3))
    a[4] = 0
    with pytest.raises(bi.SingularMatrixError) as error:
        bi.inv(np.moveaxis(a, 0, -1), axes=[(0, 1), (0, 1)])
    assert error.value.index == (4,)


@pytest.mark.parametrize("axes", [(-2, -1), [(0, 1)], 3, [(0, 1), (1,)], "ab"], ids=str)
def test_axes_that_are_no_pairs(matrices, axes):
    with pytest.raises(ValueError, match="two pairs"):
        bi.inv(matrices((2, 3, 3)), axes=axes)


@pytest.mark.parametrize("axes", [[(0, 3), (0, 1)], [(0, 1), (0, 5)], [(0, 0), (0, 1)]], ids=str)
def test_axes_that_do_not_exist(matrices, axes):
    with pytest.raises(ValueError):
        bi.inv(matrices((3, 3, 3)), axes=axes)
