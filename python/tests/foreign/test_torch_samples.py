"""PyTorch's own samples of matrices for its `inv` and `inv_ex`, which its wheel carries."""

import pytest

import batchinv as bi

torch = pytest.importorskip("torch", reason="torch is not installed")
operations = pytest.importorskip("torch.testing._internal.common_methods_invocations", reason="expecttest is missing")

SCALARS = (torch.float32, torch.float64, torch.complex64, torch.complex128)
CASES = [
    (operation, sample)
    for operation in operations.op_db
    if operation.name in ("linalg.inv", "linalg.inv_ex")
    for dtype in SCALARS
    for sample in operation.sample_inputs("cpu", dtype)
]


def test_there_are_samples():
    assert len(CASES) >= 60


@pytest.mark.parametrize(("operation", "sample"), CASES, ids=str)
def test_sample(operation, sample):
    want = operation.op(sample.input, *sample.args, **sample.kwargs)
    if operation.name == "linalg.inv":
        got = bi.inv(sample.input)
    else:
        want, info = want
        got, status, _ = bi.inv_ex(sample.input)
        assert status.dtype == info.dtype and torch.equal(status, info)
    assert type(got) is torch.Tensor
    single = want.dtype in (torch.float32, torch.complex64)
    torch.testing.assert_close(got, want, rtol=1e-3 if single else 1e-9, atol=1e-3 if single else 1e-9)
