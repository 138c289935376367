"""What every public estimator keeps: predicting writes nothing, and a seed decides."""

import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import cache

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone

from tests.answers import answers
from tests.catalogue import case, estimators

# Some are fitted for a moment only, and say that they learned next to nothing.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*learned:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*were truncated:UserWarning"),
]
every_estimator = pytest.mark.parametrize("name", estimators())


def assert_same(one, other):
    """Whether two answers are equal to the last bit, in whatever they are kept."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif sparse.issparse(one):
        assert_array_equal(one.toarray(), other.toarray(), strict=True)
    elif isinstance(one, np.ndarray) and one.dtype == object:
        assert_same(one.tolist(), other.tolist())
    elif isinstance(one, np.ndarray):
        assert_array_equal(one, other, strict=True)
    else:
        assert one == other


@cache
def fitted(name):
    """The fitted model of a case, which no test writes on, and what it answers."""
    model = case(name).fit()
    return model, answers(model, case(name).X)


def state_of(model):
    """All that a fitted estimator holds, and in which mode its networks are."""
    networks = getattr(model, "networks_", [])
    networks = [model.network_] if hasattr(model, "network_") else networks
    modes = [part.training for network in networks for part in network.modules()]
    return joblib.hash(model), sorted(vars(model)), modes


@every_estimator
def test_predicting_writes_nothing(name):
    one, model = case(name), case(name).fit()
    before = state_of(model)
    answers(model, one.X)
    if hasattr(model, "score") and name != "BertTransformer":
        model.score(one.X, one.y)
    assert state_of(model) == before


LOAD = """
import pickle
import sys

import joblib

import skml
from tests.answers import answers

folder = sys.argv[1]
cases = joblib.load(f"{folder}/cases")
found = {
    name: answers(getattr(skml, name).load(f"{folder}/{name}"), X)
    for name, X in cases.items()
}
joblib.dump(found, f"{folder}/found")
"""


def test_saved_models_predict_the_same_in_a_fresh_process(tmp_path):
    cases, expected = {}, {}
    for name in estimators():
        model, expected[name] = fitted(name)
        assert model.save(tmp_path / name) is model
        cases[name] = case(name).X
        again = type(model).load(tmp_path / name)
        assert vars(again).keys() == vars(model).keys()
        assert repr(again) == repr(model)
    joblib.dump(cases, tmp_path / "cases")
    subprocess.run([sys.executable, "-c", LOAD, tmp_path], check=True)
    found = joblib.load(tmp_path / "found")
    for name in estimators():
        assert_same(expected[name], found[name])


@every_estimator
def test_threads_predict_what_one_predicts(name):
    one, (model, expected) = case(name), fitted(name)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: answers(model, one.X), range(4)):
            assert_same(expected, found)


def generators():
    return (
        random.getstate(),
        pickle.dumps(np.random.get_state()),  # noqa: NPY002
        torch.random.get_rng_state().tolist(),
    )


@every_estimator
def test_fits_in_threads_give_what_one_gives(name):
    """With the same seed; and the generators of the process are as they were."""
    one, (_, expected) = case(name), fitted(name)
    before = generators()

    def fit_and_ask():
        return answers(clone(one.estimator).fit(one.X, one.y), one.X)

    threads = joblib.Parallel(n_jobs=3, backend="threading")
    found = threads(joblib.delayed(fit_and_ask)() for _ in range(3))
    for other in found:
        assert_same(expected, other)
    assert generators() == before


@every_estimator
def test_a_fit_knows_nothing_of_the_fit_before_and_leaves_copies_alone(name):
    one, half = case(name), slice(None, None, 2)
    model = one.estimator.fit(one.X[half], None if one.y is None else one.y[half])
    of_half, shallow = answers(model, one.X), copy(model)
    _, expected = fitted(name)
    assert_same(expected, answers(model.fit(one.X, one.y), one.X))
    assert_same(of_half, answers(shallow, one.X))


@every_estimator
def test_results_do_not_depend_on_the_clock(name, monkeypatch):
    one, (_, expected) = case(name), fitted(name)
    clock = iter(np.random.default_rng(0).random(1_000_000).cumsum() ** 2)
    for module in [m for n, m in sys.modules.items() if n.startswith("skml.")]:
        if hasattr(module, "perf_counter"):
            monkeypatch.setattr(module, "perf_counter", lambda: next(clock))
    assert_same(expected, answers(one.fit(), one.X))
