"""The GPU engine, on any adapter."""

import numpy as np
import pytest

import batchinv as bi


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
@pytest.mark.parametrize("shape", [(4, 4), (3000, 4, 4), (2, 3, 33, 33), (0, 3, 3), (5, 0, 0)])
def test_inverses_and_statuses(adapter, matrices, shape, dtype):
    a = matrices(shape, dtype)
    if a.size and a.ndim > 2:
        a[-1, ..., 0] = 0
    got, want = (bi.inv_ex(a, engine=engine, precision="native", rcond=True) for engine in ("gpu", "cpu"))
    assert np.array_equal(got.status, want.status)
    np.testing.assert_allclose(got.inverse, want.inverse, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(got.rcond, want.rcond, rtol=1e-4)


def test_double_precision_of_float32_on_every_adapter(adapter, matrices):
    a = matrices((50, 6, 6), np.float32)
    got, want = bi.inv(a, engine="gpu"), np.linalg.inv(a.astype(np.float64))
    norm = lambda x: np.abs(x).sum(-2).max(-1)
    assert (norm(got - want) <= 1.2e-7 * norm(want)).all()


def test_float64_if_the_adapter_has_it(adapter, matrices):
    a = matrices((50, 6, 6))
    if adapter["float64"]:
        np.testing.assert_allclose(bi.inv(a, engine="gpu"), np.linalg.inv(a), rtol=1e-12)
    else:
        with pytest.raises(bi.EngineError, match="float64"):
            bi.inv(a, engine="gpu")


def test_singular_matrices_raise(adapter, matrices):
    a = matrices((9, 4, 4), np.float32)
    a[7, :, 1] = 0
    with pytest.raises(bi.SingularMatrixError) as error:
        bi.inv(a, engine="gpu", precision="native")
    assert (error.value.index, error.value.column) == ((7,), 2)


def test_an_adapter_by_name(adapter, matrices):
    a = matrices((9, 4, 4), np.float32)
    named = bi.Inverter("gpu", adapter="0", precision="native")
    np.testing.assert_allclose(named.inv(a), bi.inv(a), rtol=1e-5)
    with pytest.raises(bi.EngineError, match="no such thing"):
        bi.Inverter("gpu", adapter="no such thing").inv(a)


def test_a_long_stack_in_pieces(adapter, matrices):
    a = np.tile(matrices((500, 8, 8), np.float32), (1200, 1, 1))
    got = bi.inv(a, engine="gpu", precision="native").reshape(1200, 500, 8, 8)
    assert (got == got[0]).all()
    np.testing.assert_allclose(got[0], bi.inv(a[:500]), rtol=1e-4, atol=1e-6)


def test_options_on_the_gpu(adapter, matrices):
    a = matrices((9, 4, 4), np.float32)
    a[3], a[5, 0] = 0, a[5, 1] + 1e-6 * a[5, 2]
    options = {"min_rcond": 1e-4, "rcond_of": "equilibrated", "on_failure": "identity", "precision": "native"}
    got, want = (bi.inv_ex(a, engine=engine, rcond=True, **options) for engine in ("gpu", "cpu"))
    assert got.status.tolist() == want.status.tolist() == [0, 0, 0, 1, 0, -2, 0, 0, 0]
    assert np.array_equal(got.inverse[3], np.eye(4))
    np.testing.assert_allclose(got.rcond[got.status == 0], want.rcond[want.status == 0], rtol=1e-3)


def test_systems_and_determinants_on_the_gpu(adapter, matrices):
    a, b = matrices((9, 4, 4), np.float32), matrices((9, 4, 4), np.float32)[..., :2]
    options = {"engine": "gpu", "precision": "native"}
    np.testing.assert_allclose(bi.solve(a, b, **options), bi.solve(a, b), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(bi.det(a, **options), bi.det(a), rtol=1e-3, atol=1e-4)
    for got, want in zip(bi.slogdet(a, **options), bi.slogdet(a), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)
    a[4] = 0
    assert bi.solve_ex(a, b, **options).status.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    large = np.eye(129, dtype=np.float32)
    with pytest.raises(bi.EngineError, match="order 129 of float32 is above 128"):
        bi.det(large, **options)
