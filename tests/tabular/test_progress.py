"""What the boosters report to callbacks while they learn, and what callbacks can do."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skml.tabular import GBDTClassifier, LightGBMClassifier, XGBoostClassifier
from tests.callbacks import Recording, needs_callbacks

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = (X[:, 0] + RNG.normal(size=120) > 0).astype(int)
LEARNERS = {
    "xgboost": (XGBoostClassifier, {}),
    "lightgbm": (LightGBMClassifier, {}),
    "exact": (GBDTClassifier, {"method": "exact"}),
}
learner = pytest.mark.parametrize("name", LEARNERS)


def record(stop_after=None):
    """A callback that keeps what each iteration predicts."""
    return Recording(
        "iteration", lambda model, X, y: model.decision_function(X), stop_after
    )


def make(name, **parameters):
    cls, own = LEARNERS[name]
    defaults = {"n_estimators": 5, "random_state": 0}
    return cls(**{**defaults, **own, **parameters})


@needs_callbacks
@learner
def test_callbacks_see_each_iteration_and_what_it_predicts(name):
    recording = record()
    model = make(name).set_callbacks(recording).fit(X, Y)
    assert recording.tasks == ["iteration"] * 5 + ["fit"]
    assert recording.max_subtasks == 5
    assert recording.is_done
    for n_estimators, predicted in enumerate(recording.seen, start=1):
        stage = make(name, n_estimators=n_estimators).fit(X, Y)
        assert_array_equal(predicted, stage.decision_function(X))
    assert_array_equal(model.decision_function(X), recording.seen[-1])


@needs_callbacks
@learner
@pytest.mark.parametrize("early_stopping", [False, True])
def test_callbacks_stop_the_fit(name, early_stopping):
    recording = record(stop_after=3)
    model = make(name, early_stopping=early_stopping).set_callbacks(recording)
    model.fit(X, Y)
    assert len(recording.seen) == 3
    assert model.n_iter_ == (
        np.argmax(model.validation_score_) + 1 if early_stopping else 3
    )


@needs_callbacks
@learner
def test_callbacks_see_the_new_iterations_of_a_warm_start(name):
    recording = record()
    model = make(name, n_estimators=2, warm_start=True).fit(X, Y)
    model.set_params(n_estimators=5).set_callbacks(recording).fit(X, Y)
    assert recording.tasks == ["iteration"] * 3 + ["fit"]
    assert recording.max_subtasks == 3


@needs_callbacks
def test_callbacks_see_histograms_as_a_whole():
    recording = record()
    GBDTClassifier(n_estimators=3).set_callbacks(recording).fit(X, Y)
    assert recording.tasks == ["fit"]


@needs_callbacks
@learner
def test_callbacks_end_after_a_failure(name):
    recording = record()
    model = make(name).set_callbacks(recording)
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(X, np.where(Y == 1, 1.0, np.nan))
    assert recording.is_done
    assert not hasattr(model, "n_iter_")
