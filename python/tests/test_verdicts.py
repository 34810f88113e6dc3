"""What a call makes of ill-conditioned matrices, and of those without an inverse."""

import pickle

import numpy as np
import pytest
from conftest import SCALARS

import batchinv as bi

NEARLY_SINGULAR = [[1.0, 1.0], [1.0, 1.0 + 2.0**-20]]
MIXED_UNITS = [[2.0**20, 0.0], [0.0, 2.0**-20]]


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("rcond", [False, True])
def test_ill_conditioned_matrices_keep_their_inverses(dtype, rcond):
    a = np.array([np.eye(2), NEARLY_SINGULAR, np.zeros((2, 2)), MIXED_UNITS], dtype)
    plain = bi.inv_ex(a, rcond=True)
    assert plain.status.tolist() == [0, 0, 1, 0]
    got = bi.inv_ex(a, min_rcond=1e-5, rcond=rcond)
    assert got.status.tolist() == [0, -2, 1, -2]
    assert np.array_equal(got.inverse, plain.inverse, equal_nan=True)
    assert np.array_equal(got.rcond, plain.rcond) if rcond else got.rcond is None
    assert np.array_equal(bi.Inverter(min_rcond=1e-5).inv_ex(a).status, got.status)


def test_rcond_of_the_equilibrated_matrix():
    a = np.array([NEARLY_SINGULAR, MIXED_UNITS])
    got = bi.inv_ex(a, rcond=True, min_rcond=1e-5, rcond_of="equilibrated")
    assert got.status.tolist() == [-2, 0]
    assert got.rcond[0] < 1e-5 and got.rcond[1] == 1
    assert bi.inv_ex(a, rcond=True).rcond[1] == 2.0**-40
    given = bi.Inverter(rcond_of="equilibrated").inv_ex(a, rcond=True)
    assert np.array_equal(given.rcond, got.rcond) and given.status.tolist() == [0, 0]


def test_strict_inverters_raise_for_ill_conditioned_matrices():
    a = np.broadcast_to(np.eye(2), (3, 2, 2, 2)).copy()
    a[1, 1], a[2, 0], a[0, 1] = NEARLY_SINGULAR, 0, np.nan
    strict = bi.Inverter(min_rcond=1e-5)
    for given in (a, np.asfortranarray(a)):
        with pytest.raises(np.linalg.LinAlgError, match="Ill-conditioned matrix") as error:
            strict.inv(given)
        assert isinstance(error.value, bi.IllConditionedError) and error.value.index == (1, 1)
        assert error.value.__notes__ == ["matrix (1, 1) of the stack: its rcond is below the least that was asked for"]
    with pytest.raises(bi.IllConditionedError) as error:
        strict.inv(a[1, 1])
    again = pickle.loads(pickle.dumps(error.value))
    assert type(again) is bi.IllConditionedError and again.index == ()
    assert again.__notes__ == ["its rcond is below the least that was asked for"]
    with pytest.raises(bi.SingularMatrixError):
        strict.inv(a[2:])
    assert np.isnan(strict.inv(a[0])[1]).all()


@pytest.mark.parametrize("dtype", SCALARS)
@pytest.mark.parametrize("failure", ["nan", "zero", "identity", "input"])
def test_what_stands_for_a_missing_inverse(dtype, failure):
    singular, infinite = [[1, 2], [2, 4]], [[1, np.inf], [0, 1]]
    a = np.array([singular, 2 * np.eye(2), infinite, NEARLY_SINGULAR], dtype)
    fillings = {"nan": np.full((2, 2), np.nan), "zero": np.zeros((2, 2)), "identity": np.eye(2)}
    result = bi.inv_ex(a, on_failure=failure, min_rcond=1e-5)
    assert result.status.tolist() == [2, 0, -1, -2]
    for k in (0, 2):
        want = a[k] if failure == "input" else fillings[failure] * np.ones((), dtype)
        np.testing.assert_array_equal(result.inverse[k].real, want.real)
    assert np.array_equal(result.inverse[1], np.eye(2) / 2)
    assert np.array_equal(result.inverse[3], bi.inv(a[3]))
    inverter = bi.Inverter(on_failure=failure)
    assert np.array_equal(inverter.inv(a[2]), result.inverse[2], equal_nan=True)
    out = np.empty_like(a)
    assert np.array_equal(inverter.inv_ex(a, out=out).inverse[0], result.inverse[0], equal_nan=True)
    given = a.copy()
    assert np.array_equal(inverter.inv_ex(given, out=given).inverse[0], result.inverse[0], equal_nan=True)


def test_verdicts_in_pieces_of_a_long_call(matrices):
    a = matrices((40_000, 16, 16))
    a[[7, 39_999]] = 0
    a[20_000, 0] = a[20_000, 1] + 1e-9 * a[20_000, 2]
    inverse, status, _ = bi.inv_ex(a, min_rcond=1e-6, on_failure="identity")
    assert {int(k): int(status[k]) for k in np.flatnonzero(status)} == {7: 1, 20_000: -2, 39_999: 1}
    assert (inverse[[7, 39_999]] == np.eye(16)).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_rcond": -1e-3}, "min_rcond must be at least 0, not -0.001"),
        ({"min_rcond": np.nan}, "min_rcond must be at least 0, not NaN"),
        ({"rcond_of": "scaled"}, 'unknown rcond_of "scaled": one of given, equilibrated'),
        ({"on_failure": "raise"}, 'unknown on_failure "raise": one of nan, zero, identity, input'),
    ],
    ids=str,
)
def test_options_that_do_not_exist(options, words):
    for call in (lambda **options: bi.inv_ex(np.eye(2), **options), bi.Inverter):
        with pytest.raises(ValueError, match=words):
            call(**options)
