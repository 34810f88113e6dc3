"""Arrays of Dask, xarray, pandas and Arrow."""

import numpy as np
import pytest

import batchinv as bi


@pytest.fixture
def da():
    return pytest.importorskip("dask.array", reason="Dask is not installed")


@pytest.fixture
def xr():
    return pytest.importorskip("xarray", reason="xarray is not installed")


@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.int32])
@pytest.mark.parametrize("chunks", [(3, 4, 4), (4, 2, 3), (10, 4, 4)], ids=str)
def test_dask_arrays_stay_lazy(da, matrices, chunks, dtype):
    a = matrices((10, 4, 4)).round().astype(dtype)
    lazy = bi.inv(da.from_array(a, chunks=chunks))
    assert isinstance(lazy, da.Array) and (lazy.shape, lazy.dtype) == (a.shape, bi.inv(a).dtype)
    got = lazy.compute(scheduler="threads")
    assert type(got) is np.ndarray and got.dtype == lazy.dtype
    assert np.array_equal(got, bi.inv(a))


def test_dask_arrays_are_not_computed_beforehand(da):
    def fail(block):
        raise AssertionError("computed")

    lazy = da.map_blocks(fail, chunks=((2,), (3,), (3,)), meta=np.empty((0, 0, 0)))
    for call in (bi.inv, bi.inv_ex, bi.det, bi.slogdet):
        call(lazy)
    bi.solve(np.eye(3), lazy)
    bi.solve_ex(lazy, [1, 2, 3])


@pytest.mark.parametrize("rcond", [False, True])
def test_dask_statuses(da, matrices, rcond):
    a = matrices((10, 4, 4), np.complex64)
    a[7, :, 2] = 0
    lazy = bi.inv_ex(da.from_array(a, chunks=(3, 2, 4)), rcond=rcond)
    want = bi.inv_ex(a, rcond=rcond)
    assert np.array_equal(lazy.inverse.compute(), want.inverse, equal_nan=True)
    assert np.array_equal(lazy.status.compute(), want.status)
    assert (lazy.inverse.dtype, lazy.status.dtype) == (np.complex64, np.int32)
    if rcond:
        assert np.array_equal(lazy.rcond.compute(), want.rcond) and lazy.rcond.dtype == np.float32
    else:
        assert lazy.rcond is None


@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.int32])
@pytest.mark.parametrize("chunks", [(3, 4, 4), (4, 2, 3), (10, 4, 4)], ids=str)
def test_dask_determinants(da, matrices, chunks, dtype):
    a = matrices((10, 4, 4)).round().astype(dtype)
    lazy = da.from_array(a, chunks=chunks)
    assert isinstance(bi.slogdet(lazy), bi.SlogdetResult)
    for got, want in zip((bi.det(lazy), *bi.slogdet(lazy)), (bi.det(a), *bi.slogdet(a)), strict=True):
        assert isinstance(got, da.Array) and (got.shape, got.dtype) == (want.shape, want.dtype)
        computed = got.compute(scheduler="threads")
        assert computed.dtype == want.dtype and np.array_equal(computed, want)
    single = bi.det(lazy[0])
    assert single.shape == () and single.compute() == bi.det(a[0])


@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.int32])
@pytest.mark.parametrize(
    ("shape", "rhs"),
    [
        ((10, 4, 4), (10, 4, 3)),
        ((10, 4, 4), (4,)),
        ((4, 4), (10, 4, 3)),
        ((10, 4, 4), (2, 1, 4, 3)),
        ((1, 4, 4), (10, 4, 1)),
    ],
    ids=str,
)
@pytest.mark.parametrize("both", ["a", "b", "ab"])
def test_dask_systems(da, matrices, rng, both, shape, rhs, dtype):
    a, b = matrices(shape).round().astype(dtype), rng.standard_normal(rhs).astype(np.float32)
    left = da.from_array(a, chunks=3) if "a" in both else a
    right = da.from_array(b, chunks=2) if "b" in both else b
    lazy, status = bi.solve_ex(left, right)
    for got in (bi.solve(left, right), lazy):
        want = bi.solve(a, b)
        assert isinstance(got, da.Array) and (got.shape, got.dtype) == (want.shape, want.dtype)
        computed = got.compute(scheduler="threads")
        assert computed.dtype == want.dtype and np.array_equal(computed, want)
    assert status.dtype == np.int32 and (status.compute() == 0).all() and status.shape == bi.solve_ex(a, b).status.shape


def test_dask_errors(da, matrices):
    a = matrices((10, 4, 4))
    a[7] = 0
    with pytest.raises(bi.SingularMatrixError) as error:
        bi.inv(da.from_array(a, chunks=(3, 4, 4))).compute()
    # The place in its chunk.
    assert error.value.index == (1,)
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        bi.inv(da.zeros((4, 3)))
    with pytest.raises(np.linalg.LinAlgError, match="1-dimensional"):
        bi.inv(da.zeros(3))
    with pytest.raises(TypeError, match="float16"):
        bi.inv(da.zeros((3, 3), dtype=np.float16))
    for call in (bi.det, bi.slogdet, lambda a: bi.solve(a, np.ones(3)), lambda a: bi.solve_ex(a, np.ones(3))):
        with pytest.raises(np.linalg.LinAlgError, match="square"):
            call(da.zeros((4, 3)))
        with pytest.raises(TypeError, match="float16"):
            call(da.zeros((3, 3), dtype=np.float16))
    with pytest.raises(ValueError, match="has 4 rows"):
        bi.solve(da.zeros((3, 3)), [1, 2, 3, 4])
    with pytest.raises(TypeError, match="out and axes"):
        bi.inv(da.zeros((3, 3)), out=np.empty((3, 3)))
    with pytest.raises(TypeError, match="out and axes"):
        bi.solve(da.zeros((3, 3)), np.ones(3), out=np.empty(3))


def test_dask_on_processes(da, matrices):
    a = matrices((10, 4, 4))
    lazy = bi.Inverter("cpu").inv(da.from_array(a, chunks=(5, 4, 4)))
    assert np.array_equal(lazy.compute(scheduler="processes", num_workers=2), bi.inv(a))


def test_xarray(xr, matrices):
    a = matrices((5, 3, 3))
    labeled = xr.DataArray(a, dims=("time", "i", "j"), coords={"time": range(5)}, name="covariance")
    got = bi.inv(labeled)
    assert isinstance(got, xr.DataArray)
    xr.testing.assert_identical(got, np.linalg.inv(labeled).copy(data=bi.inv(a)))
    assert isinstance(bi.inv_ex(labeled).inverse, xr.DataArray)
    b = xr.DataArray(np.ones((5, 3, 2)), dims=("time", "i", "k"), coords={"time": range(5)}, name="force")
    xr.testing.assert_identical(bi.solve(labeled, b), b.copy(data=bi.solve(a, b.values)))
    assert type(bi.det(labeled)) is type(np.linalg.det(labeled)) is np.ndarray


@pytest.mark.parametrize("dask", ["forbidden", "parallelized", "allowed"])
def test_xarray_on_named_axes(xr, matrices, dask):
    a = matrices((6, 3, 3))
    labeled = xr.DataArray(np.moveaxis(a, 0, 2), dims=("i", "j", "time"))
    if dask != "forbidden":
        pytest.importorskip("dask.array", reason="Dask is not installed")
        labeled = labeled.chunk(time=2)
    axes = [["i", "j"]]
    got = xr.apply_ufunc(
        bi.inv, labeled, input_core_dims=axes, output_core_dims=axes, dask=dask, output_dtypes=[a.dtype]
    )
    assert got.dims == ("time", "i", "j")
    assert np.array_equal(got.values, bi.inv(a))


def test_xarray_systems_on_named_axes(xr, matrices):
    a, b = matrices((6, 3, 3)), np.arange(12.0).reshape(4, 3, 1)
    labeled = xr.DataArray(np.moveaxis(a, 0, 2), dims=("i", "j", "time"))
    rhs = xr.DataArray(b, dims=("case", "i", "k"))
    axes = [["i", "j"], ["i", "k"]]
    got = xr.apply_ufunc(bi.solve, labeled, rhs, input_core_dims=axes, output_core_dims=[["j", "k"]])
    assert got.dims == ("time", "case", "j", "k")
    np.testing.assert_allclose(got, np.linalg.solve(a[:, np.newaxis], b), rtol=1e-12)
    dets = xr.apply_ufunc(bi.det, labeled, input_core_dims=[["i", "j"]])
    assert dets.dims == ("time",) and np.array_equal(dets, bi.det(a))


def test_pandas(matrices):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(matrices((3, 3)), index=list("xyz"), columns=list("xyz"))
    theirs, ours = np.linalg.inv(frame), bi.inv(frame)
    assert type(ours) is type(theirs)
    np.testing.assert_allclose(ours, theirs)


def test_arrow(matrices):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    a = matrices((50, 4, 4))
    tensors = pyarrow.FixedShapeTensorArray.from_numpy_ndarray(a)
    assert np.array_equal(bi.inv(tensors.to_numpy_ndarray()), bi.inv(a))
