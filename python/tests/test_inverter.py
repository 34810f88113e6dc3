"""Options: of a call, of an `Inverter`, and of the process."""

import concurrent.futures
import copy
import inspect
import multiprocessing
import pickle

import numpy as np
import pytest

import batchinv as bi

INVERTERS = [
    bi.Inverter(),
    bi.Inverter("cpu", precision="native", threads=2),
    bi.Inverter(engine="gpu", adapter='one "quoted"'),
    bi.Inverter(min_rcond=1e-7, rcond_of="equilibrated"),
    bi.Inverter(on_failure="input"),
]


@pytest.mark.parametrize("inverter", INVERTERS, ids=repr)
def test_inverters_can_be_copied_compared_and_printed(inverter):
    for again in (pickle.loads(pickle.dumps(inverter)), copy.deepcopy(inverter), eval(repr(inverter), vars(bi))):
        assert again == inverter and hash(again) == hash(inverter)
    assert [other == inverter for other in INVERTERS].count(True) == 1


def test_options_can_be_read():
    inverter = bi.Inverter("cpu", adapter="1", precision="native", threads=3)
    assert (inverter.engine, inverter.adapter, inverter.precision, inverter.threads) == ("cpu", "1", "native", 3)
    assert (inverter.min_rcond, inverter.rcond_of, inverter.on_failure) == (0, "given", "nan")
    strict = bi.Inverter(min_rcond=0.1, rcond_of="equilibrated", on_failure="zero")
    assert (strict.min_rcond, strict.rcond_of, strict.on_failure) == (0.1, "equilibrated", "zero")
    assert bi.Inverter(min_rcond=-0.0) == bi.Inverter() and hash(bi.Inverter(min_rcond=-0.0)) == hash(bi.Inverter())
    assert repr(strict) == "Inverter('auto', min_rcond=0.1, rcond_of='equilibrated', on_failure='zero')"
    with pytest.raises(AttributeError):
        inverter.threads = 2


def test_an_inverter_is_the_functions_with_its_options(matrices):
    a = matrices((300, 6, 6), np.float32)
    native = bi.Inverter("cpu", precision="native")
    assert np.array_equal(native.inv(a), bi.inv(a, engine="cpu", precision="native"))
    out = np.empty_like(a)
    got = native.inv_ex(a.mT, rcond=True, out=out)
    want = bi.inv_ex(a.mT, rcond=True, engine="cpu", precision="native")
    assert got.inverse is out
    assert all(np.array_equal(x, y) for x, y in zip(got, want, strict=True))
    axes = [(0, 1), (0, 1)]
    assert np.array_equal(native.inv(a[:6], axes=axes), bi.inv(a[:6], axes=axes, precision="native"))


def test_inverters_travel_to_other_processes(matrices):
    a = matrices((4, 3, 3))
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert np.array_equal(pool.submit(bi.Inverter("cpu").inv, a).result(), bi.inv(a))
        assert np.array_equal(pool.submit(bi.inv, a).result(), bi.inv(a))
        with pytest.raises(bi.SingularMatrixError) as error:
            pool.submit(bi.inv, a * 0).result()
        assert (error.value.index, error.value.column) == ((0,), 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "tpu"}, 'unknown engine "tpu": one of auto, cpu, gpu'),
        ({"precision": "single"}, 'unknown precision "single": one of double, native'),
        ({"threads": 0}, "threads must be at least 1"),
    ],
    ids=str,
)
def test_options_that_do_not_exist(options, words):
    for call in (lambda **options: bi.inv(np.eye(2), **options), bi.Inverter):
        with pytest.raises(ValueError, match=words):
            call(**options)


def test_threads_below_zero_and_words_that_are_none():
    with pytest.raises(OverflowError):
        bi.inv(np.eye(2), threads=-1)
    with pytest.raises(TypeError):
        bi.inv(np.eye(2), engine=3)
    with pytest.raises(TypeError, match="precison"):
        bi.inv(np.eye(2), precison="native")


def test_info():
    info = bi.info()
    assert info["threads"] == bi.get_num_threads()
    assert isinstance(info["simd"], str) and info["version"].count(".") == 2
    assert all(set(adapter) == {"name", "kind", "backend", "driver", "float64"} for adapter in info["adapters"])


@pytest.mark.parametrize("name", bi.__all__)
def test_everything_public_has_a_docstring_and_a_home(name):
    thing = getattr(bi, name)
    assert inspect.getdoc(thing)
    assert thing.__name__ == name
    assert not isinstance(thing, type) or thing.__module__ == "batchinv"
    if callable(thing) and not isinstance(thing, type):
        inspect.signature(thing)
