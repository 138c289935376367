"""Threads and signals of the boosters, and what they leave behind."""

import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost
from joblib import parallel_backend
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_info

from skml.tabular import GBDTClassifier, LightGBMClassifier, XGBoostClassifier

BOOSTERS = {
    "xgboost": (XGBoostClassifier, {}),
    "lightgbm": (LightGBMClassifier, {}),
    "hist": (GBDTClassifier, {}),
    "exact": (GBDTClassifier, {"method": "exact"}),
}
booster = pytest.mark.parametrize("name", BOOSTERS)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4))
NOISY = X[:, 0] + X[:, 1] * X[:, 2] + RNG.normal(size=240)
X[RNG.random(X.shape) < 0.1] = np.nan
Y = (NOISY > 0).astype(int)


def make(name, **parameters):
    """A small booster."""
    cls, own = BOOSTERS[name]
    return cls(**{"n_estimators": 8, "random_state": 3} | own | parameters)


def describe_threads():
    return [
        (pool["internal_api"], pool["num_threads"], pool.get("filepath"))
        for pool in threadpool_info()
    ]


@booster
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_nothing_of_the_process_is_changed(name, n_jobs):
    make(name, n_jobs=n_jobs).fit(X, Y).predict(X)  # loads all
    before = describe_threads(), xgboost.get_config(), dict(os.environ)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    for parameters in ({}, {"early_stopping": True}):
        model = make(name, n_jobs=n_jobs, random_state=None, **parameters)
        if name in {"xgboost", "lightgbm"}:
            model.set_params(library_params={"max_delta_step": 1})
        model.fit(X, Y)
        model.predict_proba(X)
        list(model.staged_predict(X))
        assert (describe_threads(), xgboost.get_config(), dict(os.environ)) == before
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


# Each booster has a process, which takes the modules over from the one that read them.
THREADS_IN_FRESH_PROCESSES = """
import os, sys
import numpy as np
import lightgbm, xgboost
from skml.tabular import GBDTClassifier, LightGBMClassifier, XGBoostClassifier

X = np.random.default_rng(0).normal(size=(3000, 6))
y = (X[:, 0] > 0).astype(int)
for cls in (XGBoostClassifier, LightGBMClassifier, GBDTClassifier):
    if os.fork():
        _, status = os.wait()
        assert status == 0
        continue
    model, before = cls(n_estimators=5), len(os.listdir("/proc/self/task"))
    found = []
    for n_jobs in (None, 1, 2):
        model.set_params(n_jobs=n_jobs).fit(X, y).predict_proba(X)
        list(model.staged_predict(X))
        found.append(len(os.listdir("/proc/self/task")) - before)
    print(cls.__name__, *found)
    sys.exit()
"""


def test_as_many_threads_as_asked_for():
    """The threads of OpenMP stay, so that they can be counted when all is done."""
    command = [sys.executable, "-c", THREADS_IN_FRESH_PROCESSES]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "XGBoostClassifier 0 0 1",
        "LightGBMClassifier 0 0 1",
        "GBDTClassifier 0 0 1",
    ]


THREADS_IN_A_SEARCH = """
import os
import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from skml.tabular import LightGBMClassifier

X = np.random.default_rng(0).normal(size=(3000, 6))
y = (X[:, 0] > 0).astype(int)

def n_threads(estimator, X, y):
    return len(os.listdir("/proc/self/task"))

def most(estimator, grid):
    search = GridSearchCV(
        estimator, grid, cv=3, scoring=n_threads, n_jobs=2, refit=False
    )
    results = search.fit(X, y).cv_results_
    return max(results[f"split{k}_test_score"].max() for k in range(3))

none = most(DummyClassifier(), {"strategy": ["prior", "uniform"]})
grid = {"n_estimators": [5, 6, 7], "max_leaf_nodes": [7, 31]}
defaults = most(LightGBMClassifier(), grid)
two_each = most(LightGBMClassifier(n_jobs=2), grid)
print(int(defaults - none), int(two_each - none))
"""


def test_a_search_with_workers_runs_one_thread_in_each():
    """Two workers: no more threads than two cores; asked for two each, it has four."""
    command = [sys.executable, "-c", THREADS_IN_A_SEARCH]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "1"]


@booster
@pytest.mark.parametrize("n_classes", [2, 3])
def test_threads_predict_at_once(name, n_classes):
    model = make(name, n_estimators=20).fit(
        X, np.digitize(NOISY, [-0.5, 1][: n_classes - 1])
    )
    parts = [X[start : start + 40] for start in range(0, 200, 5)] * 3
    expected = [model.predict_proba(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        predicted = list(pool.map(model.predict_proba, parts))
    for a, b in zip(expected, predicted, strict=True):
        assert_array_equal(a, b)


@booster
def test_predictions_with_limits_of_their_own_leave_the_model_alone(name):
    """Each call may run in another context of joblib, and all in threads at once."""
    model = pickle.loads(pickle.dumps(make(name).fit(X, Y)))
    before = pickle.dumps(model)

    def predict(n_jobs):
        with parallel_backend("loky", n_jobs=n_jobs):
            stages = list(model.staged_predict_proba(X))
            shap = model.shap_values(X)[0] if hasattr(model, "shap_values") else 0
            return model.predict_proba(X), stages[-1], shap

    with ThreadPoolExecutor(8) as pool:
        predicted = list(pool.map(predict, [1, 2, 3] * 40))
    for results in zip(*predicted, strict=True):
        assert all(np.array_equal(results[0], other) for other in results[1:])
    assert pickle.dumps(model) == before


@booster
def test_interruption_stops_a_fit_within_a_second(name):
    """As Ctrl-C does: an exception that a signal raises in the main thread."""
    model = make(name, n_estimators=20_000, max_leaf_nodes=4, learning_rate=1e-6)
    raised, stopped = [], []

    def stop(signum, frame):
        if not stopped:
            raised.append(time.perf_counter())
            raise KeyboardInterrupt

    handler = signal.signal(signal.SIGALRM, stop)
    # Again and again, and whatever the error: NumPy may lose what is raised while
    # it reads the format of a buffer, or turn it into a ValueError.
    signal.setitimer(signal.ITIMER_REAL, 0.3, 0.3)
    try:
        model.fit(X, Y)
    except (KeyboardInterrupt, ValueError):
        stopped.append(time.perf_counter())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert stopped[0] - raised[-1] < 1
    assert not hasattr(model, "n_iter_")
