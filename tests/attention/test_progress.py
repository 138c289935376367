"""What is reported to callbacks while networks learn, and what callbacks can do."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skml.attention import AttentionPoolingClassifier
from tests.callbacks import Recording, needs_callbacks

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = (X[:, 0] + RNG.normal(size=120) > 0).astype(int)
PARAMETERS = {"n_estimators": 2, "max_iter": 50, "random_state": 0}
pytestmark = needs_callbacks


def look(model, X, y):
    return model.n_estimators_, model.n_iter_, model.predict_proba(X)


def record(stop_after=None):
    """A callback that keeps what each evaluation predicts."""
    return Recording("evaluation", look, stop_after)


def test_callbacks_see_each_evaluation_and_what_it_predicts():
    recording = record()
    model = AttentionPoolingClassifier(embedding="mlp", **PARAMETERS)
    plain = AttentionPoolingClassifier(embedding="mlp", **PARAMETERS).fit(X, Y)
    model.set_callbacks(recording).fit(X, Y)
    assert recording.tasks == ["evaluation"] * 4 + ["fit"]
    assert [seen[:2] for seen in recording.seen] == [(1, 25), (1, 50), (2, 50), (2, 50)]
    first = AttentionPoolingClassifier(
        embedding="mlp", **{**PARAMETERS, "n_estimators": 1}
    ).fit(X, Y)
    assert_allclose(recording.seen[1][2], first.predict_proba(X))
    assert_allclose(recording.seen[-1][2], model.predict_proba(X))
    assert_array_equal(plain.predict_proba(X), model.predict_proba(X))
    assert recording.is_done


@pytest.mark.parametrize(("stop_after", "n_estimators"), [(1, 1), (2, 1), (3, 2)])
def test_callbacks_stop_the_fit(stop_after, n_estimators):
    recording = record(stop_after)
    model = AttentionPoolingClassifier(embedding="mlp", **PARAMETERS)
    model.set_callbacks(recording).fit(X, Y)
    assert len(recording.seen) == stop_after
    assert model.n_estimators_ == n_estimators
    assert_allclose(model.predict_proba(X), recording.seen[-1][2])


def test_callbacks_stop_before_the_next_candidate():
    recording = record(1)
    model = AttentionPoolingClassifier(**PARAMETERS).set_callbacks(recording).fit(X, Y)
    assert recording.tasks == ["evaluation", "fit"]
    assert model.embedding_ == "scale"


def test_callbacks_learn_of_a_failure():
    recording = record()
    model = AttentionPoolingClassifier(**PARAMETERS).set_callbacks(recording)
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(X, np.where(Y == 1, 1.0, np.nan))
    assert recording.is_done
    assert not hasattr(model, "n_iter_")
