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

    bi.inv(da.map_blocks(fail, chunks=((2,), (3,), (3,)), meta=np.empty((0, 0, 0))))


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
    with pytest.raises(TypeError, match="out and axes"):
        bi.inv(da.zeros((3, 3)), out=np.empty((3, 3)))


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
