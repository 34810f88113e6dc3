"""Examples in docstrings and in the README print what they say."""

import doctest
from pathlib import Path

import numpy as np
import pytest

import batchinv as bi

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(autouse=True)
def plain_printing():
    with np.printoptions(legacy=False):
        yield


def run(name, text):
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    failures, tried = doctest.DocTestRunner().run(test)
    assert failures == 0
    return tried


@pytest.mark.parametrize("name", bi.__all__)
def test_examples(name):
    tried = run(name, getattr(bi, name).__doc__)
    assert tried or name == "get_num_threads" or isinstance(getattr(bi, name), type) and name != "Inverter"


def test_module_and_readme():
    assert run("batchinv", bi.__doc__)
    # The examples of the README follow one from the other.
    assert run("README", README.read_text()) >= 10
