"""What the boosters tell callbacks while they learn, and what callbacks can do."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skml.tabular import GBDTClassifier, LightGBMClassifier, XGBoostClassifier

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = (X[:, 0] + RNG.normal(size=120) > 0).astype(int)
LEARNERS = {
    "xgboost": (XGBoostClassifier, {}),
    "lightgbm": (LightGBMClassifier, {}),
    "exact": (GBDTClassifier, {"method": "exact"}),
}
learner = pytest.mark.parametrize("name", LEARNERS)
needs_callbacks = pytest.mark.skipif(
    not hasattr(XGBoostClassifier, "set_callbacks"),
    reason="scikit-learn has callbacks since version 1.9",
)


class Recording:
    """A callback that keeps what it is told, and stops after so many iterations."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.tasks, self.predicted = [], []
        self.is_done = False

    def setup(self, estimator, context):
        self.max_subtasks = context.max_subtasks

    def teardown(self, estimator, context):
        self.is_done = True

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.tasks.append(context.task_name)
        if context.task_name == "iteration":
            self.predicted.append(fitted_estimator.decision_function(X))
            return len(self.predicted) == self.stop_after
        return False


def make(name, **parameters):
    cls, own = LEARNERS[name]
    defaults = {"n_estimators": 5, "random_state": 0}
    return cls(**{**defaults, **own, **parameters})


@needs_callbacks
@learner
def test_callbacks_see_each_iteration_and_what_it_predicts(name):
    recording = Recording()
    model = make(name).set_callbacks(recording).fit(X, Y)
    assert recording.tasks == ["iteration"] * 5 + ["fit"]
    assert recording.max_subtasks == 5
    assert recording.is_done
    for n_estimators, predicted in enumerate(recording.predicted, start=1):
        stage = make(name, n_estimators=n_estimators).fit(X, Y)
        assert_array_equal(predicted, stage.decision_function(X))
    assert_array_equal(model.decision_function(X), recording.predicted[-1])


@needs_callbacks
@learner
@pytest.mark.parametrize("early_stopping", [False, True])
def test_callbacks_stop_the_fit(name, early_stopping):
    recording = Recording(stop_after=3)
    model = make(name, early_stopping=early_stopping).set_callbacks(recording)
    model.fit(X, Y)
    assert len(recording.predicted) == 3
    assert model.n_iter_ == (
        np.argmax(model.validation_score_) + 1 if early_stopping else 3
    )


@needs_callbacks
@learner
def test_callbacks_see_the_new_iterations_of_a_warm_start(name):
    recording = Recording()
    model = make(name, n_estimators=2, warm_start=True).fit(X, Y)
    model.set_params(n_estimators=5).set_callbacks(recording).fit(X, Y)
    assert recording.tasks == ["iteration"] * 3 + ["fit"]
    assert recording.max_subtasks == 3


@needs_callbacks
def test_callbacks_see_histograms_as_a_whole():
    recording = Recording()
    GBDTClassifier(n_estimators=3).set_callbacks(recording).fit(X, Y)
    assert recording.tasks == ["fit"]


@needs_callbacks
@learner
def test_callbacks_are_told_of_a_failure(name):
    recording = Recording()
    model = make(name).set_callbacks(recording)
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(X, np.where(Y == 1, 1.0, np.nan))
    assert recording.is_done
    assert not hasattr(model, "n_iter_")
