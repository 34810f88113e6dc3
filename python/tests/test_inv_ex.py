"""`inv_ex` never raises for numbers: it says of each matrix what happened to it."""

import numpy as np
import pytest
from conftest import SCALARS

import batchinv as bi


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("precision", ["double", "native"])
def test_statuses(matrices, dtype, precision):
    a = matrices((2, 3, 4, 4), dtype)
    a[0, 1, :, 2] = 0
    a[1, 0, 0, 0] = np.nan
    a[1, 2] = 0
    result = bi.inv_ex(a, precision=precision)
    assert isinstance(result, bi.InvExResult) and isinstance(result, tuple)
    inverse, status, rcond = result
    assert status.dtype == np.int32 and rcond is None
    assert status.tolist() == [[0, 3, 0], [-1, 0, 1]]
    assert np.isnan(inverse[status != 0]).all()
    assert np.array_equal(inverse[status == 0], bi.inv(a[status == 0], precision=precision))


@pytest.mark.parametrize("dtype", SCALARS)
def test_rcond(matrices, dtype):
    a = matrices((7, 4, 4), dtype)
    a[1], a[2, 0, 0] = 0, np.inf
    inverse, status, rcond = bi.inv_ex(a, rcond=True)
    assert rcond.dtype == a.real.dtype and rcond.shape == status.shape == (7,)
    good = status == 0
    norms = np.linalg.norm(a[good], 1, axis=(-2, -1)) * np.linalg.norm(inverse[good], 1, axis=(-2, -1))
    np.testing.assert_allclose(rcond[good], 1 / norms, rtol=1e-5)
    assert rcond[1] == 0 and np.isnan(rcond[2])


def test_one_matrix_gives_scalars():
    inverse, status, rcond = bi.inv_ex(np.eye(3), rcond=True)
    assert inverse.shape == (3, 3)
    assert type(status) is np.int32 and status == 0
    assert type(rcond) is np.float64 and rcond == 1


@pytest.mark.parametrize("shape", [(0, 0), (0, 3, 3), (5, 0, 0), (2, 0, 4, 4)])
def test_empty_shapes(shape):
    inverse, status, rcond = bi.inv_ex(np.empty(shape), rcond=True)
    assert inverse.shape == shape and np.shape(status) == np.shape(rcond) == shape[:-2]
    assert np.all(status == 0) and np.all(rcond == np.inf)


def test_long_stacks_have_a_status_for_each(matrices):
    a = matrices((100_003, 3, 3), np.float32)
    a[::1000] = 0
    status = bi.inv_ex(a).status
    assert np.array_equal(np.flatnonzero(status), np.arange(0, len(a), 1000))


def test_pieces_of_a_long_call_end_up_in_their_places(matrices):
    """A call this long runs in pieces, between which signals are heard."""
    a = matrices((40_000, 16, 16))
    a[20_000], a[39_999, 0, 0] = 0, np.nan
    whole = bi.inv_ex(a, rcond=True)
    parts = [bi.inv_ex(part, rcond=True) for part in np.array_split(a, 80)]
    for part, wanted in zip(whole, zip(*parts, strict=True), strict=True):
        assert np.array_equal(part, np.concatenate(wanted), equal_nan=True)
