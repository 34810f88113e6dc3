"""Arrays of other libraries: the same type back, and no copies where the library allows it."""

import numpy as np
import pytest
from conftest import SCALARS

import batchinv as bi


class Numpyish:
    """An array of a library that speaks DLPack and nothing else."""

    def __init__(self, array, device=(1, 0)):
        self.array = array
        self.device = device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device

    def __array_namespace__(self):
        return Namespace


class Namespace:
    @staticmethod
    def from_dlpack(array):
        return Numpyish(np.from_dlpack(array))


def library(name):
    """A function from NumPy's arrays to the library's, with the library."""
    if name == "own":
        return Numpyish, Namespace
    if name == "torch":
        torch = pytest.importorskip("torch", reason="torch is not installed")
        return torch.from_numpy, torch
    if name == "jax":
        jax = pytest.importorskip("jax", reason="jax is not installed")
        jax.config.update("jax_enable_x64", True)
        return jax.numpy.asarray, jax
    strict = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    return strict.asarray, strict


@pytest.fixture(params=["own", "torch", "jax", "array_api_strict"])
def convert(request):
    return library(request.param)[0]


@pytest.mark.parametrize("dtype", [*SCALARS, np.int32])
@pytest.mark.parametrize("shape", [(3, 3), (50, 4, 4), (0, 3, 3)])
def test_same_type_and_bits(convert, matrices, shape, dtype):
    a = matrices(shape).round().astype(dtype)
    given = convert(a)
    got = bi.inv(given)
    assert type(got) is type(given)
    assert np.array_equal(np.from_dlpack(got), bi.inv(a))
    inverse, status, rcond = bi.inv_ex(given, rcond=True)
    want = bi.inv_ex(a, rcond=True)
    for part, wanted in zip((inverse, status, rcond), want, strict=True):
        assert type(part) is type(given)
        assert np.array_equal(np.from_dlpack(part), wanted)
    assert bi.inv_ex(given).rcond is None


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("shape", [(3, 3), (50, 4, 4), (0, 3, 3)])
def test_systems_and_determinants(convert, matrices, shape, dtype):
    a, b = matrices(shape, dtype), np.ones((shape[-1], 2), dtype)
    given = convert(a)
    # One foreign array is enough.
    for left, right in [(given, convert(b)), (given, b), (a, convert(b))]:
        results = [bi.solve(left, right), *bi.solve_ex(left, right)]
        for got, want in zip(results, [bi.solve(a, b), *bi.solve_ex(a, b)], strict=True):
            assert type(got) is type(given)
            assert np.array_equal(np.from_dlpack(got), want)
    with np.errstate(over="ignore"):
        results, wanted = [bi.det(given), *bi.slogdet(given)], [bi.det(a), *bi.slogdet(a)]
    assert isinstance(bi.slogdet(given), bi.SlogdetResult)
    for got, want in zip(results, wanted, strict=True):
        assert type(got) is type(given)
        assert np.array_equal(np.from_dlpack(got), want)


def test_errors_are_the_same(convert, matrices):
    a = matrices((5, 3, 3))
    a[3] = 0
    with pytest.raises(bi.SingularMatrixError) as error:
        bi.inv(convert(a))
    assert error.value.index == (3,)
    assert np.from_dlpack(bi.inv_ex(convert(a)).status).tolist() == [0, 0, 0, 1, 0]
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        bi.inv(convert(np.zeros((2, 3))))
    with pytest.raises(TypeError, match="float16"):
        bi.inv(convert(np.zeros((2, 2), np.float16)))


def test_memory_of_a_device_is_refused():
    with pytest.raises(BufferError, match="host's memory"):
        bi.inv(Numpyish(np.eye(2), device=(2, 0)))


def test_axes_and_out(matrices):
    a = matrices((3, 3, 3))
    axes = [(0, 1), (1, 2)]
    assert np.array_equal(bi.inv(Numpyish(a), axes=axes).array, bi.inv(a, axes=axes))
    out = Numpyish(np.empty_like(a))
    assert bi.inv(Numpyish(a), out=out) is out
    assert np.array_equal(out.array, bi.inv(a))
    assert bi.inv_ex(Numpyish(a), out=out).inverse is out
    assert bi.solve(a, Numpyish(a), out=out) is out
    assert np.array_equal(out.array, bi.solve(a, a))
    assert bi.solve_ex(Numpyish(a), a, out=out).solution is out


def test_no_copy_on_the_way_in_or_back(matrices, monkeypatch):
    a = matrices((50, 4, 4))
    seen = []
    from batchinv import _inv

    def inverse(inverter, array, out):
        seen.append(array)
        return true_inverse(inverter, array, out)

    true_inverse = _inv.inverse
    monkeypatch.setattr(_inv, "inverse", inverse)
    result = bi.inv(Numpyish(a))
    assert np.shares_memory(seen[0], a)
    assert result.array.flags.c_contiguous and not result.array.flags.owndata


def test_torch_tensors(matrices):
    _, torch = library("torch")
    a = torch.from_numpy(matrices((50, 4, 4)))
    torch.testing.assert_close(bi.inv(a), torch.linalg.inv(a))
    torch.testing.assert_close(bi.inv(a.mT), torch.linalg.inv(a.mT))
    assert np.from_dlpack(a).ctypes.data == a.data_ptr()
    out = torch.empty_like(a)
    assert bi.inv(a, out=out) is out
    torch.testing.assert_close(out, torch.linalg.inv(a))
    b = torch.ones((50, 4, 2), dtype=a.dtype)
    torch.testing.assert_close(bi.solve(a, b), torch.linalg.solve(a, b))
    torch.testing.assert_close(bi.det(a), torch.linalg.det(a))
    torch.testing.assert_close(bi.slogdet(a).logabsdet, torch.linalg.slogdet(a).logabsdet)
    with pytest.raises(BufferError, match="detach"):
        bi.inv(a.requires_grad_())


def test_jax_in_a_compiled_function(matrices):
    _, jax = library("jax")
    a = jax.numpy.asarray(matrices((6, 5, 4, 4)))

    def inv(x):
        return jax.pure_callback(bi.inv, jax.ShapeDtypeStruct(x.shape, x.dtype), x, vmap_method="broadcast_all")

    got = jax.jit(jax.vmap(inv))(a)
    np.testing.assert_allclose(got, jax.numpy.linalg.inv(a), rtol=1e-12)


def test_jax_bfloat16_is_refused():
    _, jax = library("jax")
    with pytest.raises(TypeError, match="bfloat16"):
        bi.inv(jax.numpy.eye(2, dtype="bfloat16"))
