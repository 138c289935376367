"""Scorers by name, and those of classification, in cross-validation and searches."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn import metrics as sklearn_metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, precision_score, recall_score
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skml.metrics import (
    bleu_score,
    bleu_scorer,
    chrf_score,
    chrf_scorer,
    classification_scorers,
    entity_f1_score,
    entity_f1_scorer,
    get_scorer,
    get_scorer_names,
)

NAMES = ["accuracy", "precision", "recall", "f1"]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
SIGN = (X[:, 0] + 0.5 * RNG.normal(size=90) > 0.3).astype(int)
THREE = np.digitize(X[:, 0] + 0.5 * RNG.normal(size=90), [-0.5, 0.7])
MANY = np.column_stack([SIGN, X[:, 1] > 0, X[:, 2] > 0.5]).astype(int)


class Given(ClassifierMixin, BaseEstimator):
    """Predicts the first column, and knows the classes that it is told."""

    def __init__(self, classes=None):
        self.classes = classes

    def fit(self, X, y):
        self.classes_ = np.array(self.classes)
        return self

    def predict(self, X):
        return np.array([row[0] for row in X])


class Echo(BaseEstimator):
    """Predicts what it is given, of whatever shape."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return list(X)


# Classification


@pytest.mark.parametrize(
    ("labels", "positive", "kind"),
    [
        ([0, 1], 1, np.array),
        ([-1, 1], 1, list),
        ([1, 2], 2, np.array),
        ([False, True], True, list),
        (["ham", "spam"], "spam", np.array),
        (["no", "yes"], "yes", list),
    ],
)
def test_two_classes(labels, positive, kind):
    y = np.array(labels)[SIGN]
    model = GaussianNB()
    found = cross_validate(model, X, kind(y), cv=2, scoring=classification_scorers())
    for name, score in [
        ("precision", precision_score),
        ("recall", recall_score),
        ("f1", f1_score),
    ]:
        expected = cross_val_score(
            model,
            X,
            y == positive,
            cv=2,
            scoring=sklearn_metrics.make_scorer(score),
        )
        assert_allclose(found[f"test_{name}"], expected, rtol=1e-12)
    assert (found["test_f1"] > 0.5).all()


def test_the_other_class_can_be_the_positive_one():
    y = np.array(["ham", "spam"])[SIGN]
    model = LogisticRegression().fit(X, y)
    found = classification_scorers(pos_label="ham")["recall"](model, X, y)
    assert found == recall_score(y, model.predict(X), pos_label="ham")
    with pytest.raises(ValueError, match=r"pos_label='egg' is none of the classes"):
        classification_scorers(pos_label="egg")["f1"](model, X, y)


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"], [10, 20, 30]])
@pytest.mark.parametrize("average", ["auto", "macro", "micro", "weighted"])
def test_many_classes(labels, average):
    y = np.array(labels)[THREE]
    model = GaussianNB().fit(X, y)
    scorers = classification_scorers(average=average)
    for name, score in [
        ("precision", precision_score),
        ("recall", recall_score),
        ("f1", f1_score),
    ]:
        sklearn_average = "macro" if average == "auto" else average
        expected = score(y, model.predict(X), average=sklearn_average)
        assert scorers[name](model, X, y) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="average='binary' needs two classes"):
        classification_scorers(average="binary")["f1"](model, X, y)
    with pytest.raises(ValueError, match=r"pos_label=.* has no effect"):
        classification_scorers(average=average, pos_label=labels[0])["f1"](model, X, y)


def test_several_labels_for_each_sample():
    model = OneVsRestClassifier(GaussianNB()).fit(X, MANY)
    for average in ("auto", "micro"):
        found = classification_scorers(average=average)["f1"](model, X, MANY)
        sklearn_average = "macro" if average == "auto" else average
        assert found == f1_score(MANY, model.predict(X), average=sklearn_average)
    found = cross_validate(model, X, MANY, scoring=classification_scorers(), cv=3)
    assert (found["test_f1"] > 0.5).all()


def test_all_folds_are_scored_in_the_same_way():
    """A fold with two of three classes is no binary problem, as it would seem."""
    y_true, y_pred = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0])
    rows = y_pred[:, None]
    model = Given(classes=[0, 1, 2]).fit(rows, y_true)
    scorer = classification_scorers()["f1"]
    assert scorer(model, rows, y_true) == f1_score(y_true, y_pred, average="macro")
    two = Given(classes=[0, 1]).fit(rows, y_true)
    assert scorer(two, rows, y_true) == f1_score(y_true, y_pred)
    # A fold of one class, which is not the positive one.
    only = np.zeros(4, dtype=int)
    scorer = classification_scorers(zero_division=0.0)["recall"]
    assert scorer(two, rows, only) == 0
    scorer = classification_scorers(zero_division=1.0)["recall"]
    assert scorer(two, rows, only) == 1
    scorer = classification_scorers(zero_division=np.nan)["recall"]
    assert np.isnan(scorer(two, rows, only))
    with pytest.warns(UndefinedMetricWarning, match="Recall is ill-defined"):
        classification_scorers()["recall"](two, rows, only)


def test_the_trap_of_scikit_learn():
    """Labels that are strings give NaN there: the positive label is 1 by default."""
    y = np.array(["no", "yes"])[SIGN]
    trap = sklearn_metrics.make_scorer(f1_score, average="macro")
    scores = classification_scorers(average="macro")
    model = GaussianNB()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nothing = cross_val_score(model, X, y, scoring=trap)
    found = cross_val_score(model, X, y, scoring=scores["f1"])
    assert np.isfinite(found).all()
    # Where scikit-learn has mended it, both agree.
    assert np.isnan(nothing).all() or np.array_equal(nothing, found)


def test_beta_names_the_score():
    model = LogisticRegression().fit(X, SIGN)
    scorers = classification_scorers(beta=0.5)
    assert list(scorers) == ["accuracy", "precision", "recall", "f0.5"]
    expected = sklearn_metrics.fbeta_score(SIGN, model.predict(X), beta=0.5)
    assert scorers["f0.5"](model, X, SIGN) == pytest.approx(expected)
    assert list(classification_scorers()) == NAMES


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search_of_a_pipeline(n_jobs):
    y = np.array(["no", "yes"])[SIGN]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [1e-4, 1.0]},
        scoring=classification_scorers(zero_division=0.0),
        refit="f1",
        n_jobs=n_jobs,
    )
    search.fit(X, y)
    assert search.best_params_ == {"logisticregression__C": 1.0}
    for name in NAMES:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()


def test_predictions_are_made_once():
    """All scores of a fold share them, as those of scikit-learn do."""
    calls = []

    class Counting(DummyClassifier):
        def predict(self, X):
            calls.append(len(X))
            return super().predict(X)

    scorers = classification_scorers(zero_division=0.0)
    cross_validate(Counting(), X, SIGN, cv=3, scoring=scorers)
    assert len(calls) == 3


def test_weights_of_samples():
    model = LogisticRegression().fit(X, THREE)
    weight = RNG.integers(1, 4, size=90)
    repeated = np.repeat(np.arange(90), weight)
    for name, scorer in classification_scorers().items():
        weighted = scorer(model, X, THREE, sample_weight=weight)
        assert weighted == pytest.approx(scorer(model, X[repeated], THREE[repeated]))
        assert weighted != scorer(model, X, THREE), name


def test_weights_are_routed():
    weight = RNG.integers(0, 4, size=90).astype(float)
    with config_context(enable_metadata_routing=True):
        scorers = {
            name: scorer.set_score_request(sample_weight=True)
            for name, scorer in classification_scorers().items()
        }
        model = LogisticRegression().set_fit_request(sample_weight=False)
        found = cross_validate(
            model, X, SIGN, cv=3, scoring=scorers, params={"sample_weight": weight}
        )
        without = cross_validate(model, X, SIGN, cv=3, scoring=classification_scorers())
    for name in NAMES:
        assert (found[f"test_{name}"] != without[f"test_{name}"]).any()


def test_bad_parameters():
    for parameters in ({"average": "samples"}, {"beta": 0}, {"zero_division": 2}):
        with pytest.raises(ValueError, match="must be"):
            classification_scorers(**parameters)


# Sequences


TEXTS = ["the cat sat on the mat", "a dog barks at the cat", "one two three four five"]
OTHERS = ["the cat sat on a mat", "the dog barks at the cat", "one two three four six"]
TAGS = [["B-PER", "I-PER", "O"], ["O", "B-LOC"], ["B-PER"], ["O"]]
OTHER_TAGS = [["B-PER", "I-PER", "O"], ["B-LOC", "B-LOC"], ["O"], ["O"]]

SEQUENCES = [
    (bleu_scorer, bleu_score, TEXTS, OTHERS),
    (bleu_scorer, bleu_score, [t.split() for t in TEXTS], [t.split() for t in OTHERS]),
    (chrf_scorer, chrf_score, TEXTS, OTHERS),
    (entity_f1_scorer, entity_f1_score, TAGS, OTHER_TAGS),
]


@pytest.mark.parametrize(("scorer", "score", "y_true", "y_pred"), SEQUENCES)
def test_scorers_of_sequences(scorer, score, y_true, y_pred):
    model = Echo().fit(y_pred, y_true)
    expected = score(y_true, y_pred)
    assert 0 < expected < 1
    assert scorer(model, y_pred, y_true) == expected
    # Predictions are made from X, whatever that is: here they are X.
    found = cross_val_score(model, y_pred * 4, y_true * 4, cv=4, scoring=scorer)
    assert_allclose(found, expected, rtol=1e-12)
    search = GridSearchCV(model, {}, scoring=scorer, cv=2)
    search.fit(y_pred * 2, y_true * 2)
    assert search.best_score_ == pytest.approx(expected)
    several = cross_validate(
        model, y_pred * 2, y_true * 2, cv=2, scoring={"one": scorer, "two": scorer}
    )
    assert_allclose(several["test_one"], expected, rtol=1e-12)


# Names


def test_names():
    names = get_scorer_names()
    assert names == sorted(names)
    assert set(sklearn_metrics.get_scorer_names()) < set(names)
    ours = set(names) - set(sklearn_metrics.get_scorer_names())
    assert ours == {
        "answer_exact_match",
        "answer_f1",
        "bleu",
        "chrf",
        "entity_f1",
        "entity_precision",
        "entity_recall",
    }


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred"),
    [
        ("bleu", TEXTS, OTHERS),
        ("chrf", TEXTS, OTHERS),
        ("entity_f1", TAGS, OTHER_TAGS),
        ("entity_precision", TAGS, OTHER_TAGS),
        ("entity_recall", TAGS, OTHER_TAGS),
    ],
)
def test_ours_by_name(name, y_true, y_pred):
    model = Echo().fit(y_pred, y_true)
    assert 0 < get_scorer(name)(model, y_pred, y_true) < 1
    # A copy: what one asks for is not asked of others.
    assert get_scorer(name) is not get_scorer(name)


def test_those_of_scikit_learn_by_name():
    model = Ridge().fit(X, SIGN)
    expected = sklearn_metrics.get_scorer("r2")(model, X, SIGN)
    assert get_scorer("r2")(model, X, SIGN) == expected
    assert get_scorer(bleu_scorer) is bleu_scorer
    with pytest.raises(ValueError, match=r"'blue' is no name of a scorer; .*'bleu'"):
        get_scorer("blue")
