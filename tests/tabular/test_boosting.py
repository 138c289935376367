"""The boosters: equal to their libraries, stage by stage, and bad input."""

import pickle
import re
import time
import warnings
from functools import cache, partial
from itertools import combinations

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pyarrow
import pytest
import xgboost
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skml.tabular import (
    GBDTClassifier,
    GBDTRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)
from tests.oracles import boosters as oracle

BOOSTERS = {
    "xgboost": (XGBoostClassifier, XGBoostRegressor, {}, oracle.fit_xgboost),
    "lightgbm": (LightGBMClassifier, LightGBMRegressor, {}, oracle.fit_lightgbm),
    "hist": (GBDTClassifier, GBDTRegressor, {}, oracle.fit_hist),
    "exact": (GBDTClassifier, GBDTRegressor, {"method": "exact"}, oracle.fit_exact),
}
TASKS = ["binary", "multiclass", "regression"]
booster = pytest.mark.parametrize("name", BOOSTERS)
task = pytest.mark.parametrize("task", TASKS)

RNG = np.random.default_rng(0)
N = 240
NUMBERS = RNG.normal(size=(N, 4))
SCORE = 2 * NUMBERS[:, 0] - NUMBERS[:, 1] + NUMBERS[:, 2] * NUMBERS[:, 3]
CODES = RNG.integers(4, size=N)
NOISY = SCORE + (CODES == 2) + RNG.normal(size=N)
NUMBERS[RNG.random(NUMBERS.shape) < 0.1] = np.nan
TABLE = pd.DataFrame(NUMBERS, columns=list("abcd"))
TABLE["kind"] = np.array(["green", "red", "violet", "white"], dtype=object)[CODES]
MATRIX = np.column_stack([NUMBERS, CODES])
WEIGHT = RNG.integers(1, 4, size=N).astype(np.float64)
Y = {
    "binary": (NOISY > 0).astype(int),
    "multiclass": np.digitize(NOISY, [-1, 1]),
    "regression": NOISY,
}
LABELS = {
    "binary": np.array(["no", "yes"])[Y["binary"]],
    "multiclass": np.array(["high", "low", "middle"])[Y["multiclass"]],
    "regression": NOISY,
}
GROUPS = np.arange(N) // 6

# Of each booster, parameters that are all changed, and their plain twins.
CHANGED = {"learning_rate": 0.3, "max_leaf_nodes": 7, "max_depth": 3}
CHANGED |= {"min_samples_leaf": 7, "max_features": 0.6}
OWN = {
    "xgboost": {
        "l2_regularization": 1.5,
        "l1_regularization": 0.2,
        "min_impurity_decrease": 0.05,
        "subsample": 0.7,
        "max_bins": 31,
    },
    "hist": {"l2_regularization": 1.5, "max_bins": 31},
    "exact": {"min_impurity_decrease": 0.005, "subsample": 0.7},
}
OWN["lightgbm"] = OWN["xgboost"]
SETTINGS = {
    "defaults": lambda name: {},
    "changed": lambda name: CHANGED | OWN[name],
    "no limit": lambda name: {"max_leaf_nodes": None, "min_samples_leaf": 5},
    "shallow": lambda name: {"max_leaf_nodes": None, "max_depth": 2},
}


def make(name, task="binary", **parameters):
    """A small booster."""
    classifier, regressor, own, _ = BOOSTERS[name]
    cls = regressor if task == "regression" else classifier
    return cls(**{"n_estimators": 8, "random_state": 3} | own | parameters)


def raw_of(model, X):
    """The raw scores; of a regressor without link its predictions."""
    if hasattr(model, "decision_function"):
        return model.decision_function(X)
    return model.predict(X)


def values_of(model, X):
    """The second of two probabilities, all of more, or predictions."""
    if not hasattr(model, "predict_proba"):
        return model.predict(X)
    probabilities = model.predict_proba(X)
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities


# Equality with the libraries


@booster
@task
@pytest.mark.parametrize("setting", SETTINGS)
def test_equal_to_the_library_bit_by_bit(name, task, setting):
    parameters = SETTINGS[setting](name)
    weight = WEIGHT if setting in {"changed", "no limit"} else None
    native = BOOSTERS[name][3](
        task, MATRIX, Y[task], weight, (4,), 8, seed=3, **parameters
    )
    model = make(name, task, **parameters).fit(TABLE, LABELS[task], weight)
    assert_array_equal(raw_of(model, TABLE), (native.raw or native.value)(MATRIX))
    expected = native.value(MATRIX)
    if name == "xgboost" and task == "multiclass":
        expected = expected / expected.sum(axis=1, keepdims=True)
    assert_array_equal(values_of(model, TABLE), expected)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "hist"])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_constraints_equal_to_the_library_bit_by_bit(name, task):
    native = BOOSTERS[name][3](
        task,
        MATRIX,
        Y[task],
        None,
        (4,),
        8,
        seed=3,
        monotonic=[1, -1, 0, 0, 0],
        interactions=[[0, 2], [1, 3, 4]],
    )
    model = make(
        name,
        task,
        monotonic_cst={"a": 1, "b": -1},
        interaction_cst=[["a", "c"], ["b", "d", "kind"]],
    ).fit(TABLE, LABELS[task])
    assert_array_equal(raw_of(model, TABLE), (native.raw or native.value)(MATRIX))


LOSSES = [
    ("xgboost", ["absolute_error", "quantile", "poisson", "gamma"]),
    ("lightgbm", ["absolute_error", "quantile", "poisson", "gamma"]),
    ("hist", ["absolute_error", "quantile", "poisson", "gamma"]),
    ("exact", ["absolute_error", "quantile"]),
]
LOSSES = [(name, loss) for name, losses in LOSSES for loss in losses]


@pytest.mark.parametrize(("name", "loss"), LOSSES)
def test_losses_equal_to_the_library_bit_by_bit(name, loss):
    quantile = 0.8 if loss == "quantile" else None
    y = np.exp(NOISY / 3)
    native = BOOSTERS[name][3](
        "regression", MATRIX, y, WEIGHT, (4,), 8, seed=3, loss=loss, quantile=quantile
    )
    model = make(name, "regression", loss=loss, quantile=quantile)
    assert_array_equal(model.fit(TABLE, y, WEIGHT).predict(TABLE), native.value(MATRIX))


@booster
def test_results_do_not_depend_on_the_number_of_threads(name):
    one = make(name, n_jobs=1).fit(TABLE, Y["binary"])
    two = make(name, n_jobs=2).fit(TABLE, Y["binary"])
    assert_allclose(
        one.decision_function(TABLE), two.decision_function(TABLE), rtol=1e-5
    )


@booster
def test_library_params_override(name):
    library_params = {
        "xgboost": {"max_delta_step": 0.05},
        "lightgbm": {"max_delta_step": 0.05},
        "exact": {"ccp_alpha": 0.01},
        "hist": None,
    }[name]
    if library_params is None:
        with pytest.raises(ValueError, match="cannot honour library_params"):
            make(name, library_params={"max_iter": 3}).fit(TABLE, Y["binary"])
        return
    plain = make(name).fit(TABLE, Y["binary"])
    model = make(name, library_params=library_params).fit(TABLE, Y["binary"])
    assert (
        np.abs(model.decision_function(TABLE)).max()
        < np.abs(plain.decision_function(TABLE)).max()
    )
    assert library_params in ({"max_delta_step": 0.05}, {"ccp_alpha": 0.01})


# Stages


@booster
@task
def test_stages_are_those_of_smaller_models(name, task):
    model = make(name, task).fit(TABLE, LABELS[task])
    stages = list(model.staged_predict(TABLE))
    assert len(stages) == model.n_iter_ == 8
    for k in (1, 3, 8):
        small = make(name, task, n_estimators=k).fit(TABLE, LABELS[task])
        stage = model._at_stage(k)
        assert stage.n_estimators == stage.n_iter_ == k
        assert_array_equal(stages[k - 1], small.predict(TABLE))
        assert_array_equal(values_of(stage, TABLE), values_of(small, TABLE))
        assert_array_equal(raw_of(stage, TABLE), raw_of(small, TABLE))
        assert_array_equal(stage.feature_importances_, small.feature_importances_)
    assert model.n_iter_ == model.n_estimators == 8


@booster
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_stages_of_scores_and_probabilities(name, task):
    model = make(name, task).fit(TABLE, LABELS[task])
    scores = list(model.staged_decision_function(TABLE))
    probabilities = list(model.staged_predict_proba(TABLE))
    assert len(scores) == len(probabilities) == 8
    assert_array_equal(scores[-1], model.decision_function(TABLE))
    assert_allclose(probabilities[-1], model.predict_proba(TABLE), rtol=1e-5)
    for k in (1, 5):
        stage = model._at_stage(k)
        assert_array_equal(scores[k - 1], stage.decision_function(TABLE))
        assert_allclose(
            probabilities[k - 1], stage.predict_proba(TABLE), rtol=1e-5, atol=1e-7
        )
    assert not any(np.shares_memory(a, b) for a, b in combinations(scores, 2))


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "hist"])
def test_stages_with_a_log_link(name, loss):
    model = make(name, "regression", loss=loss).fit(TABLE, np.exp(NOISY / 3))
    stages = list(model.staged_predict(TABLE))
    assert_allclose(stages[-1], model.predict(TABLE), rtol=1e-5)
    assert_allclose(stages[2], model._at_stage(3).predict(TABLE), rtol=1e-5)


@booster
@task
def test_stages_with_early_stopping_are_those_of_smaller_models(name, task):
    parameters = {"early_stopping": True, "n_iter_no_change": 4, "learning_rate": 1.0}
    model = make(name, task, n_estimators=25, **parameters).fit(TABLE, LABELS[task])
    assert model.n_iter_ < len(model.validation_score_)
    for k in (2, model.n_iter_, len(model.validation_score_), 25):
        small = make(name, task, n_estimators=k, **parameters)
        small.fit(TABLE, LABELS[task])
        stage = model._at_stage(k)
        assert stage.n_iter_ == small.n_iter_
        assert_array_equal(raw_of(stage, TABLE), raw_of(small, TABLE))
        assert_array_equal(stage.validation_score_, small.validation_score_)
        assert_array_equal(stage.train_score_, small.train_score_)


# Going on


@booster
@task
def test_warm_start_equals_one_fit(name, task):
    weight = WEIGHT if task == "regression" else None
    whole = make(name, task, n_estimators=9).fit(TABLE, LABELS[task], weight)
    model = make(name, task, n_estimators=2, warm_start=True)
    for n_estimators in (2, 5, 5, 9):
        model.set_params(n_estimators=n_estimators).fit(TABLE, LABELS[task], weight)
        assert model.n_iter_ == n_estimators
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if name == "xgboost" else {"rtol": 1e-9}
    assert_allclose(raw_of(model, TABLE), raw_of(whole, TABLE), **tolerance)


@booster
def test_warm_start_samples_other_rows_for_new_trees(name):
    parameters = {"max_features": 0.3} if name == "hist" else {"subsample": 0.5}
    model = make(name, "regression", warm_start=True, n_estimators=1, **parameters)
    model.fit(TABLE, NOISY)
    first = model.predict(TABLE)
    model.set_params(n_estimators=2).fit(TABLE, NOISY)
    second = model.predict(TABLE) - first
    assert np.corrcoef(first, second)[0, 1] < 0.99
    assert_array_equal(next(model.staged_predict(TABLE)), first)


@booster
def test_warm_start_refuses_what_does_not_fit(name):
    model = make(name, warm_start=True).fit(TABLE, LABELS["binary"])
    before = model.predict_proba(TABLE)
    with pytest.raises(ValueError, match="larger than or equal to n_iter_=8"):
        model.set_params(n_estimators=7).fit(TABLE, LABELS["binary"])
    model.set_params(n_estimators=9)
    other = TABLE.assign(kind=TABLE["kind"].replace("red", "blue"))
    renamed = TABLE.rename(columns={"a": "A"})
    for X, y in [
        (TABLE, LABELS["multiclass"]),
        (TABLE, Y["binary"]),
        (TABLE, np.full(N, "no")),
        (other, LABELS["binary"]),
        (renamed, LABELS["binary"]),
        (TABLE.iloc[:, 1:], LABELS["binary"]),
        (NUMBERS, LABELS["binary"]),
    ]:
        with pytest.raises(ValueError, match="the same columns and categories"):
            model.fit(X, y)
        assert model.n_iter_ == 8
        assert_array_equal(model.predict_proba(TABLE), before)
    model.fit(TABLE, LABELS["binary"])
    assert model.n_iter_ == 9


def test_warm_start_refuses_other_columns_than_those_with_units():
    X = np.column_stack([STEPS, 1e7 + STEPS])
    model = make("xgboost", "regression", warm_start=True).fit(X, STEPS)
    model.set_params(n_estimators=12)
    with pytest.raises(ValueError, match="Now there are other columns"):
        model.fit(X[:, :1], STEPS)


def test_warm_start_refuses_another_method():
    model = GBDTClassifier(n_estimators=3, warm_start=True).fit(TABLE, Y["binary"])
    model.set_params(method="exact", n_estimators=5)
    with pytest.raises(ValueError, match="method='hist'; method='exact' cannot"):
        model.fit(TABLE, Y["binary"])


@booster
@pytest.mark.parametrize("scoring", ["loss", "accuracy", None])
def test_early_stopping_can_come_later(name, scoring):
    model = make(name, warm_start=True, n_estimators=3).fit(TABLE, LABELS["binary"])
    first = list(model.staged_decision_function(TABLE))
    model.set_params(early_stopping=True, n_estimators=12, scoring=scoring)
    model.fit(TABLE, LABELS["binary"])
    assert len(model.validation_score_) == len(model.train_score_) <= 12
    assert np.isnan(model.validation_score_[:3]).all()
    assert np.isfinite(model.validation_score_[3:]).all()
    assert 3 < model.n_iter_ == np.nanargmax(model.validation_score_) + 1
    both = zip(first, model.staged_decision_function(TABLE), strict=False)
    for before, now in both:
        assert_array_equal(before, now)
    # And go again: the scores are those of the trees that are left.
    model.set_params(early_stopping=False, n_estimators=14).fit(TABLE, LABELS["binary"])
    assert model.n_iter_ == 14
    assert not hasattr(model, "validation_score_")
    model.set_params(early_stopping=True, n_estimators=16).fit(TABLE, LABELS["binary"])
    assert len(model.validation_score_) == 16
    assert np.isnan(model.validation_score_[:14]).all()
    assert model.n_iter_ > 14


# Fits that fail


@booster
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_fit_that_fails_leaves_the_one_before(name, warm_start):
    class Stop(Exception):
        pass

    calls = []

    def scoring(estimator, X, y):
        calls.append(1)
        if len(calls) > 5:
            raise Stop
        return len(calls)

    model = make(name, warm_start=warm_start).fit(TABLE, LABELS["binary"])
    before = model.predict_proba(TABLE)
    state = set(vars(model))
    model.set_params(early_stopping=True, scoring=scoring, n_estimators=20)
    y = LABELS["binary"] if warm_start else LABELS["multiclass"]
    with pytest.raises(Stop):
        model.fit(TABLE, y)
    assert_array_equal(model.predict_proba(TABLE), before)
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.n_iter_ == len(list(model.staged_predict(TABLE))) == 8
    assert set(vars(model)) == state
    fresh = make(name, early_stopping=True, scoring=scoring)
    with pytest.raises(Stop):
        fresh.fit(TABLE, LABELS["binary"])
    with pytest.raises(NotFittedError):
        fresh.predict(TABLE)


@booster
def test_bad_input_leaves_the_fit_before(name):
    model = make(name).fit(TABLE, LABELS["binary"])
    before = model.predict_proba(TABLE)
    for X, y, weight in [
        (TABLE.replace({"a": {TABLE["a"][0]: np.inf}}), LABELS["multiclass"], None),
        (NUMBERS[:, :2], LABELS["multiclass"], np.zeros(N)),
        (NUMBERS[:, :2], LABELS["multiclass"][:-1], None),
    ]:
        with pytest.raises(ValueError, match=r"infinity|are zero|inconsistent numbers"):
            model.fit(X, y, weight)
        assert_array_equal(model.predict_proba(TABLE), before)
        assert model.n_features_in_ == 5


# Importances and contributions


@booster
@task
def test_importances_are_the_total_gain_of_the_library(name, task):
    model = make(name, task).fit(TABLE, LABELS[task])
    if name == "xgboost":
        scores = model.booster_.get_score(importance_type="total_gain")
        gains = np.array([scores.get(column, 0.0) for column in TABLE.columns])
        tolerance = 1e-5  # the library sums in single precision
    elif name == "lightgbm":
        gains = model.booster_.feature_importance("gain")
        tolerance = 1e-9
    elif name == "hist":
        order = [4, 0, 1, 2, 3]  # categories come first
        gains = np.zeros(5)
        for trees in model.estimator_._predictors:
            for tree in trees:
                for node in tree.nodes:
                    if not node["is_leaf"]:
                        gains[order[node["feature_idx"]]] += node["gain"]
        tolerance = 1e-9
    else:
        of_output = model.estimator_.feature_importances_
        gains = np.zeros(5)
        feature_of_output = [0, 1, 2, 3, 4, 4, 4, 4, 0, 1, 2, 3]
        np.add.at(gains, feature_of_output, of_output)
        tolerance = 1e-9
    assert_allclose(model.feature_importances_, gains / gains.sum(), rtol=tolerance)
    assert_allclose(model.feature_importances_.sum(), 1)


@booster
def test_importances_of_no_split_are_zero(name):
    X, y = np.ones((50, 2)), Y["binary"][:50]
    with pytest.warns(UserWarning, match="no column has two different values"):
        model = make(name).fit(X, y)
    assert_array_equal(model.feature_importances_, [0.0, 0.0])
    assert_allclose(model.predict_proba(X)[:, 1], y.mean(), rtol=1e-5)
    with pytest.raises(NotFittedError):
        make(name).feature_importances_  # noqa: B018


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
@task
def test_shap_values_sum_to_the_raw_prediction(name, task):
    model = make(name, task).fit(TABLE, LABELS[task])
    values, base = model.shap_values(TABLE)
    n_outputs = 3 if task == "multiclass" else 1
    assert values.shape == ((N, 5, 3) if task == "multiclass" else (N, 5))
    assert np.shape(base) == ((3,) if task == "multiclass" else ())
    assert values.dtype == np.float64
    assert_allclose(values.sum(axis=1) + base, raw_of(model, TABLE), atol=1e-5)
    if name == "xgboost":
        matrix = xgboost.DMatrix(
            MATRIX.astype(np.float32),
            feature_names=list(TABLE.columns),
            feature_types=["q", "q", "q", "q", "c"],
            enable_categorical=True,
        )
        own = model.booster_.predict(matrix, pred_contribs=True)
        own = own.reshape(N, n_outputs, 6)
    else:
        own = model.booster_.predict(MATRIX, pred_contrib=True)
        own = own.reshape(N, n_outputs, 6)
    for output in range(n_outputs):
        ours = values[..., output] if n_outputs > 1 else values
        assert_array_equal(ours, own[:, output, :-1])
        assert_array_equal(np.atleast_1d(base)[output], own[0, output, -1])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
@task
def test_shap_values_of_sparse_tables_and_single_rows(name, task):
    X = sparse.csr_array(np.round(np.nan_to_num(NUMBERS)))
    model = make(name, task).fit(X, LABELS[task])
    values, base = model.shap_values(X)
    dense_values, dense_base = model.shap_values(X.toarray())
    assert_allclose(values, dense_values, atol=1e-12)
    assert_array_equal(base, dense_base)
    assert_array_equal(model.shap_values(X[[7]])[0][0], values[7])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_shap_values_of_a_constant_model(name):
    with pytest.raises(NotFittedError):
        make(name).shap_values(TABLE)
    values, base = make(name).fit(TABLE, np.full(N, "one")).shap_values(TABLE)
    assert_array_equal(values, np.zeros((N, 5)))
    assert base == 0


# Classes


@booster
def test_class_weight_is_a_weight_of_the_rows(name):
    X, y = TABLE, LABELS["multiclass"]
    given = {"high": 3.0, "low": 0.5}
    rows = np.array([given.get(label, 1.0) for label in y.tolist()])
    model = make(name, class_weight=given).fit(X, y, WEIGHT)
    expected = make(name).fit(X, y, WEIGHT * rows)
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert given == {"high": 3.0, "low": 0.5}


@booster
def test_balanced_classes_have_equal_sums(name):
    X, y = TABLE, LABELS["multiclass"]
    sums = {label: WEIGHT[y == label].sum() for label in np.unique(y).tolist()}
    rows = np.array([WEIGHT.sum() / (3 * sums[label]) for label in y.tolist()])
    for label in sums:
        assert_allclose((WEIGHT * rows)[y == label].sum(), WEIGHT.sum() / 3)
    model = make(name, class_weight="balanced").fit(X, y, WEIGHT)
    expected = make(name).fit(X, y, WEIGHT * rows)
    assert_allclose(
        model.decision_function(X), expected.decision_function(X), rtol=1e-4, atol=1e-6
    )


@booster
@pytest.mark.parametrize("early_stopping", [False, True])
def test_one_single_class(name, early_stopping):
    y = np.full(N, "only")
    model = make(name, early_stopping=early_stopping).fit(TABLE, y)
    assert model.n_iter_ == 8
    assert_array_equal(model.predict(TABLE), y)
    assert_array_equal(model.predict_proba(TABLE), np.ones((N, 1)))
    assert_array_equal(model.decision_function(TABLE), np.zeros(N))
    assert [s.tolist() for s in model.staged_predict(TABLE)] == [y.tolist()] * 8
    assert all((s == 1).all() for s in model.staged_predict_proba(TABLE))
    assert_array_equal(model.feature_importances_, np.zeros(5))
    assert_array_equal(model._at_stage(3).predict(TABLE), y)
    assert model._at_stage(3).n_iter_ == 3


@booster
def test_a_single_class_replaces_an_earlier_fit_to_two(name):
    model = make(name, early_stopping=True).fit(TABLE, LABELS["binary"])
    model.set_params(early_stopping=False).fit(TABLE, np.full(N, "only"))
    assert not hasattr(model, "booster_")
    assert not hasattr(model, "estimator_")
    assert not hasattr(model, "validation_score_")
    assert set(model.predict(TABLE)) == {"only"}


@booster
@pytest.mark.parametrize(
    "labels",
    [
        [1, 2],
        [-1, 1],
        [False, True],
        [0.0, 1.0],
        [10**12, 5],
        ["b", "a"],
        np.array(["x", "y"], dtype=object),
        ["a", "b", "c"],
        [7, 3, 5],
    ],
    ids=repr,
)
def test_labels_of_all_kinds(name, labels):
    labels = np.asarray(labels)
    y = labels[Y["multiclass"] % len(labels)]
    model = make(name).fit(TABLE, y)
    assert_array_equal(model.classes_, np.unique(y))
    assert model.classes_.dtype == labels.dtype
    predicted = model.predict(TABLE)
    assert predicted.dtype == labels.dtype
    assert np.mean(predicted == y) > 0.6
    most = model.predict_proba(TABLE).argmax(axis=1)
    assert_array_equal(predicted, model.classes_[most])
    assert_allclose(model.predict_proba(TABLE).sum(axis=1), 1, rtol=1e-12)


# Losses


@booster
@pytest.mark.parametrize("quantile", [0.1, 0.9])
def test_quantiles_cover_their_fraction(name, quantile):
    model = make(
        name,
        "regression",
        loss="quantile",
        quantile=quantile,
        n_estimators=60,
        max_leaf_nodes=4,
    )
    below = np.mean(model.fit(TABLE, NOISY).predict(TABLE) >= NOISY)
    assert abs(below - quantile) < 0.06


@booster
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_absolute_error_is_not_moved_by_outliers(name, size):
    y = NOISY.copy()
    y[::20] += size
    model = make(name, "regression", loss="absolute_error", n_estimators=30)
    assert np.median(np.abs(model.fit(TABLE, y).predict(TABLE) - NOISY)) < 2


@booster
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_targets_whose_squares_are_no_numbers_are_learned(name, scale):
    model = make(name, "regression").fit(NUMBERS, NOISY * scale)
    expected = make(name, "regression").fit(NUMBERS, NOISY).predict(NUMBERS)
    assert_allclose(model.predict(NUMBERS) / scale, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "hist"])
@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_losses_with_a_log_link(name, loss):
    model = make(name, "regression", loss=loss, n_estimators=40)
    y = np.exp(NOISY / 2)
    predicted = model.fit(TABLE, y).predict(TABLE)
    assert predicted.min() > 0
    assert predicted.dtype == np.float64
    assert np.corrcoef(predicted, y)[0, 1] > 0.6
    message = f"loss='{loss}' requires"
    with pytest.raises(ValueError, match=message):
        clone(model).fit(TABLE, y - 100)
    with pytest.raises(ValueError, match=message):
        clone(model).fit(TABLE, np.zeros(N))
    stopping = clone(model).set_params(early_stopping=True)
    with pytest.raises(ValueError, match=message):
        stopping.fit(TABLE, y, X_val=TABLE, y_val=y - 100)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_the_exact_method_has_no_log_link(loss):
    model = make("exact", "regression", loss=loss)
    with pytest.raises(ValueError, match="method='exact' cannot honour loss="):
        model.fit(TABLE, np.exp(NOISY))


@booster
@pytest.mark.parametrize(
    ("loss", "quantile"), [("quantile", None), ("squared_error", 0.5)]
)
def test_a_level_belongs_to_the_quantile_loss(name, loss, quantile):
    model = make(name, "regression", loss=loss, quantile=quantile)
    with pytest.raises(ValueError, match="the quantile loss needs a level"):
        model.fit(TABLE, NOISY)


# Categories


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "hist"])
def test_categories_by_name_position_mask_and_type(name):
    y, small = Y["binary"], {"min_samples_leaf": 2}
    coded = TABLE.assign(kind=CODES)
    plain = make(name, **small).fit(coded, y).decision_function(coded)
    expected = make(name, **small).fit(TABLE, y).decision_function(TABLE)
    assert not np.array_equal(plain, expected)
    for X, features in [
        (coded, ["kind"]),
        (coded, [4]),
        (coded, np.array([False, False, False, False, True])),
        (MATRIX, [4]),
        (MATRIX, [False, False, False, False, True]),
        (TABLE.astype({"kind": "category"}), "from_dtype"),
        (TABLE, ["kind"]),
    ]:
        model = make(name, categorical_features=features, **small).fit(X, y)
        assert_array_equal(model.decision_function(X), expected)
    with pytest.raises(ValueError, match="holds strings or categories"):
        make(name, categorical_features=None).fit(TABLE, y)


@booster
@pytest.mark.parametrize("n_categories", [256, 400])
def test_many_categories(name, n_categories):
    rng = np.random.default_rng(1)
    codes = np.concatenate([np.arange(n_categories), np.repeat(np.arange(10), 40)])
    effect = rng.normal(size=n_categories)
    y = effect[codes] + 0.01 * rng.normal(size=len(codes))
    labels = np.array([f"c{code:03}" for code in range(n_categories)], dtype=object)
    X = pd.DataFrame({"many": labels[codes], "x": rng.normal(size=len(codes))})
    model = make(name, "regression", n_estimators=40, min_samples_leaf=5).fit(X, y)
    frequent = codes < 10
    # LightGBM trusts a category less, the fewer rows it has.
    assert_allclose(model.predict(X)[frequent], y[frequent], atol=0.8)
    assert np.corrcoef(model.predict(X)[frequent], y[frequent])[0, 1] > 0.95


@pytest.mark.parametrize(("n", "n_categories", "least"), [(160, 5, 20), (56, 8, 5)])
def test_lightgbm_splits_categories_as_small_as_a_leaf(n, n_categories, least):
    """Its own least sizes, 100 rows a group and 10 a category, do not rule."""
    codes = np.arange(n) % n_categories
    X = pd.DataFrame({"kind": np.array([f"c{c}" for c in range(n_categories)])[codes]})
    model = make("lightgbm", n_estimators=20, min_samples_leaf=least)
    assert model.fit(X, codes % 2).score(X, codes % 2) == 1


def test_rare_categories_become_one_in_histograms():
    codes = np.concatenate([np.arange(300), np.repeat(np.arange(10), 40)])
    X = pd.DataFrame({"many": np.array([f"c{c:03}" for c in range(300)])[codes]})
    y = (codes >= 254).astype(float)
    model = GBDTRegressor(n_estimators=30, min_samples_leaf=2, learning_rate=0.5)
    predicted = model.fit(X, y).predict(X)
    assert_allclose(predicted[codes >= 254], predicted[codes >= 254][0])
    assert_allclose(predicted, y, atol=0.05)


# Parameters that are refused


CLASHES = {
    "xgboost": [
        *["eta", "learning_rate", "num_boost_round", "n_estimators", "max_leaves"],
        *["grow_policy", "max_depth", "min_child_weight", "lambda", "reg_lambda"],
        *["alpha", "reg_alpha", "gamma", "min_split_loss", "colsample_bynode"],
        *["subsample", "max_bin", "monotone_constraints", "interaction_constraints"],
        *["objective", "quantile_alpha", "scale_pos_weight", "eval_metric", "missing"],
        *["enable_categorical", "feature_types", "nthread", "n_jobs", "seed"],
        *["random_state", "verbosity", "num_class", "booster", "process_type"],
        *["updater", "early_stopping_rounds"],
    ],
    "exact": [
        *["n_estimators", "learning_rate", "max_leaf_nodes", "max_depth", "subsample"],
        *["min_samples_leaf", "min_impurity_decrease", "max_features", "loss"],
        *["random_state", "verbose", "warm_start", "n_iter_no_change", "tol"],
        *["validation_fraction", "alpha", "init"],
    ],
}


@pytest.mark.parametrize("name", CLASHES)
def test_names_that_clash_are_refused(name):
    for parameter in CLASHES[name]:
        model = make(name, library_params={parameter: 1})
        with pytest.raises(ValueError, match=f"library_params has '{parameter}' of"):
            model.fit(TABLE, Y["binary"])


def test_names_that_clash_with_lightgbm_are_refused_under_all_aliases():
    clashes = [
        *["num_iterations", "learning_rate", "num_leaves", "max_depth", "objective"],
        *["min_data_in_leaf", "lambda_l1", "lambda_l2", "min_gain_to_split", "metric"],
        *["feature_fraction_bynode", "bagging_fraction", "bagging_freq", "max_bin"],
        *["categorical_feature", "monotone_constraints", "interaction_constraints"],
        *["alpha", "scale_pos_weight", "is_unbalance", "early_stopping_round"],
        *["use_missing", "zero_as_missing", "num_threads", "seed", "verbosity"],
        *["num_class", "data", "valid", "task", "input_model", "output_model"],
        *["config", "boosting", "reg_sqrt", "sigmoid"],
    ]
    aliases = lightgbm.basic._ConfigAliases._get_all_param_aliases()
    names = {alias for name in clashes for alias in [name, *aliases[name]]}
    assert {"n_estimators", "eta", "reg_lambda", "nthreads", "boosting_type"} < names
    for parameter in sorted(names):
        model = make("lightgbm", library_params={parameter: 1})
        with pytest.raises(ValueError, match=f"library_params has '{parameter}' of"):
            model.fit(TABLE, Y["binary"])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "exact"])
@pytest.mark.parametrize("parameter", ["lerning_rate", "num_leavs", "X", ""])
def test_names_that_are_unknown_are_refused(name, parameter):
    model = make(name, library_params={parameter: 1})
    with pytest.raises(ValueError, match=f"library_params has '{parameter}'"):
        model.fit(TABLE, Y["binary"])


@booster
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("l2_regularization", 1.0),
        ("max_bins", 100),
        ("monotonic_cst", {0: 1}),
        ("interaction_cst", "pairwise"),
        ("min_impurity_decrease", 0.1),
        ("subsample", 0.5),
        ("imputation", "mean"),
    ],
)
def test_what_a_method_cannot_honour_is_refused(name, parameter, value):
    only_hist = ["l2_regularization", "max_bins", "monotonic_cst", "interaction_cst"]
    model = make(name)
    if parameter not in model.get_params():
        with pytest.raises(ValueError, match="Invalid parameter 'imputation'"):
            model.set_params(**{parameter: value})
        return
    model.set_params(**{parameter: value})
    if name in {"xgboost", "lightgbm"} or (name == "hist") == (parameter in only_hist):
        if parameter == "min_impurity_decrease":  # so small that no limit is too large
            model.set_params(min_impurity_decrease=1e-3)
        assert model.fit(NUMBERS, Y["binary"]).n_iter_ == 8
    else:
        with pytest.raises(ValueError, match=f"method='{name}' cannot honour"):
            model.fit(NUMBERS, Y["binary"])


@booster
@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("num_leaves", "use max_leaf_nodes"),
        ("max_iter", "use n_estimators"),
        ("objective", "it is set by the estimator"),
        ("eval_set", "pass X_val and y_val to fit"),
        ("early_stopping_rounds", "use early_stopping=True, n_iter_no_change"),
        ("lerning_rate", "the closest name is learning_rate"),
        ("path_smooth", r"it has .*n_estimators.*library_params=\{'path_smooth'"),
    ],
)
def test_names_of_other_libraries_are_explained(name, parameter, message):
    cls = BOOSTERS[name][0]
    start = f"^{cls.__name__} has no parameter '{parameter}'; "
    with pytest.raises(TypeError, match=start + message):
        cls(**{parameter: 1})
    if parameter == "objective":
        with pytest.raises(TypeError, match="'objective'; use loss"):
            BOOSTERS[name][1](objective=1)


@booster
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("eval_set", "pass X_val and y_val"),
        ("num_leaves", r"it is a parameter of the estimator: .*\(max_leaf_nodes="),
        ("verbose", r"it is a parameter of the estimator: .*\(verbose="),
        ("sample_weights", "the closest name is sample_weight"),
    ],
)
def test_arguments_of_other_libraries_are_explained(name, argument, message):
    model = make(name)
    start = f"^{type(model).__name__}.fit has no argument '{argument}'; "
    with pytest.raises(TypeError, match=start + message):
        model.fit(TABLE, Y["binary"], **{argument: 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((TABLE,), "missing a required argument: 'y'"), ((TABLE, 1, 1, 1), "too many")],
)
def test_wrong_numbers_of_arguments_name_the_class(arguments, message):
    message = rf"^XGBoostClassifier\.fit: {message}.*; it is fit\(self, X, y, sample_w"
    with pytest.raises(TypeError, match=message):
        XGBoostClassifier().fit(*arguments)


@pytest.mark.parametrize(("name", "library"), [("xgboost", "XGBoost"), ("exact", "G")])
def test_a_classifier_suggests_no_parameter_of_regressors(name, library):
    clash = {"xgboost": "objective", "exact": "loss"}[name]
    model = make(name, library_params={clash: 1})
    with pytest.raises(ValueError, match=f"{clash}' of {library}.*; it is set by the"):
        model.fit(TABLE, Y["binary"])


# Life as a scikit-learn estimator


@booster
@task
def test_a_seed_decides_all(name, task):
    drawn = {"max_features": 0.5} if name == "hist" else {"subsample": 0.5}
    drawn["early_stopping"] = True

    def predict(seed):
        model = make(name, task, random_state=seed, **drawn)
        return raw_of(model.fit(TABLE, LABELS[task]), TABLE)

    assert_array_equal(predict(5), predict(5))
    assert not np.array_equal(predict(5), predict(6))
    generators = [np.random.RandomState(7) for _ in range(2)]
    assert_array_equal(*map(predict, generators))
    assert np.isfinite(predict(2**32 - 1)).all()
    assert not np.array_equal(predict(None), predict(None))


@booster
@task
def test_copies_predict_the_same(name, task, tmp_path):
    model = make(name, task, early_stopping=True).fit(TABLE, LABELS[task])
    joblib.dump(model, tmp_path / "model.joblib")
    for twin in (
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model.joblib"),
    ):
        assert_array_equal(values_of(twin, TABLE), values_of(model, TABLE))
        assert_array_equal(twin.feature_importances_, model.feature_importances_)
        assert_array_equal(twin.validation_score_, model.validation_score_)
        for a, b in zip(
            twin.staged_predict(TABLE), model.staged_predict(TABLE), strict=True
        ):
            assert_array_equal(a, b)
    again = clone(model)
    assert not hasattr(again, "n_iter_")
    assert_array_equal(
        values_of(again.fit(TABLE, LABELS[task]), TABLE), values_of(model, TABLE)
    )


@booster
def test_a_copy_continues_training(name):
    model = make(name, warm_start=True, n_estimators=4).fit(TABLE, Y["binary"])
    twin = pickle.loads(pickle.dumps(model))
    for one in (model, twin):
        one.set_params(n_estimators=8).fit(TABLE, Y["binary"])
    assert_array_equal(model.decision_function(TABLE), twin.decision_function(TABLE))


@booster
def test_a_pipeline_transforms_the_validation_rows(name):
    X, y = NUMBERS[:180], Y["binary"][:180]
    X_val, y_val = NUMBERS[180:] * 1.0, Y["binary"][180:]
    model = make(name, n_estimators=30, early_stopping=True, n_iter_no_change=3)
    scaler = StandardScaler().fit(X)
    by_hand = clone(model).fit(
        scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val
    )
    with config_context(enable_metadata_routing=True):
        asking = clone(model).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline(
            [("scale", StandardScaler()), ("model", asking)], transform_input=["X_val"]
        )
        pipeline.fit(X, y, X_val=X_val, y_val=y_val)
    assert_array_equal(pipeline[-1].validation_score_, by_hand.validation_score_)
    assert_array_equal(
        pipeline.decision_function(X), by_hand.decision_function(scaler.transform(X))
    )


@booster
def test_cross_validation_routes_groups(name):
    with config_context(enable_metadata_routing=True):
        model = make(name, early_stopping=True).set_fit_request(groups=True)
        result = cross_validate(
            model,
            NUMBERS,
            Y["binary"],
            params={"groups": GROUPS},
            cv=GroupKFold(3),
            return_estimator=True,
            error_score="raise",
        )
    splits = GroupKFold(3).split(NUMBERS, Y["binary"], GROUPS)
    for fitted, (train, _) in zip(result["estimator"], splits, strict=True):
        by_hand = make(name, early_stopping=True).fit(
            NUMBERS[train], Y["binary"][train], groups=GROUPS[train]
        )
        assert_array_equal(fitted.validation_score_, by_hand.validation_score_)


@booster
def test_a_search_over_its_parameters(name):
    grid = {"learning_rate": [0.01, 0.3], "max_depth": [1, None]}
    search = GridSearchCV(make(name), grid, cv=3, error_score="raise")
    assert search.fit(TABLE, LABELS["binary"]).best_params_["learning_rate"] == 0.3
    assert search.score(TABLE, LABELS["binary"]) > 0.7


@booster
@pytest.mark.parametrize(
    ("early_stopping", "scoring"),
    [(False, "loss"), (True, "accuracy"), (True, None)],
)
def test_verbose_reports_progress(name, early_stopping, scoring, capfd):
    model = make(name, early_stopping=early_stopping, n_estimators=3, scoring=scoring)
    quiet = model.fit(TABLE, Y["binary"]).decision_function(TABLE)
    assert capfd.readouterr() == ("", "")
    model.set_params(verbose=1).fit(TABLE, Y["binary"])
    out, err = capfd.readouterr()
    assert err == ""
    names = "loss (log_loss)", "validation loss"
    if scoring != "loss":
        names = "train accuracy", "validation accuracy"
    pattern = rf"iteration (\d)/3: {re.escape(names[0])} (\d\.\d{{4}}), "
    pattern += rf"{names[1]} (\d\.\d{{4}}), " if early_stopping else "()"
    lines = re.findall(pattern + r"[\d,]+ rows/s, .*\n", out)
    assert [line[0] for line in lines] == ["1", "2", "3"]
    assert out.count("\n") == 3
    assert_array_equal(model.decision_function(TABLE), quiet)
    assert hasattr(model, "train_score_") == early_stopping
    if early_stopping:
        scores = np.abs([model.train_score_, model.validation_score_]).T
        assert_allclose(np.float64([line[1:] for line in lines]), scores, atol=1e-4)


# Limits of trees


def leaves_and_depth(name, model):
    """The most leaves, and the largest depth of the trees, by the library's words."""
    if name == "xgboost":
        leaves, depths = [], []
        for tree in model.booster_.get_dump():
            lines = tree.splitlines()
            leaves.append(sum("leaf=" in line for line in lines))
            depths.append(max(len(line) - len(line.lstrip("\t")) for line in lines))
        return max(leaves), max(depths)
    if name == "lightgbm":
        frame = model.booster_.trees_to_dataframe()
        of_tree = frame[frame["left_child"].isna()].groupby("tree_index").size()
        return of_tree.max(), frame["node_depth"].max() - 1
    if name == "hist":
        trees = [t for one in model.estimator_._predictors for t in one]
        return (
            max(tree.get_n_leaf_nodes() for tree in trees),
            max(tree.get_max_depth() for tree in trees),
        )
    trees = model.estimator_.estimators_.ravel()
    return (
        max(tree.get_n_leaves() for tree in trees),
        max(tree.get_depth() for tree in trees),
    )


@booster
@pytest.mark.parametrize("max_leaf_nodes", [2, 5, None])
@pytest.mark.parametrize("max_depth", [1, 4, None])
def test_trees_keep_to_their_limits(name, max_leaf_nodes, max_depth):
    model = make(
        name,
        "regression",
        max_leaf_nodes=max_leaf_nodes,
        max_depth=max_depth,
        min_samples_leaf=2,
        n_estimators=3,
    )
    n_leaves, depth = leaves_and_depth(name, model.fit(NUMBERS, NOISY))
    # No more than 31: that is a limit of its own, which must be gone as well.
    assert n_leaves == (max_leaf_nodes or n_leaves) or 2**max_depth < max_leaf_nodes
    assert depth <= (max_depth or 100)
    if max_leaf_nodes is None and max_depth is None:
        assert n_leaves > 60
    elif max_leaf_nodes is None:
        assert depth == max_depth


def test_lightgbm_prints_as_before_a_fit(capfd):
    def warn():
        lightgbm.train({"nonsense": 1}, lightgbm.Dataset(NUMBERS, Y["binary"]), 1)
        return "Unknown parameter: nonsense" in capfd.readouterr().out

    assert warn()
    make("lightgbm").fit(TABLE, Y["binary"]).predict(TABLE)
    assert capfd.readouterr() == ("", "")
    assert warn()
    with pytest.raises(ZeroDivisionError):
        make("lightgbm", early_stopping=True, scoring=lambda *_: 1 / 0).fit(
            TABLE, Y["binary"]
        )
    assert warn()


@pytest.mark.parametrize(
    ("name", "generic"), [("lightgbm", "Column_"), ("xgboost", "f")]
)
def test_names_that_a_library_does_not_take_leave_the_others(name, generic):
    X = TABLE.set_axis(["", "b", "c[1]", f"{generic}0", "kind"], axis=1)
    booster = make(name).fit(X, Y["binary"]).booster_
    names = booster.feature_names if name == "xgboost" else booster.feature_name()
    assert names == [f"{generic}0_", "b", f"{generic}2", f"{generic}0", "kind"]


def test_no_limit_of_leaves_takes_no_memory_for_those_that_cannot_be():
    X = np.random.default_rng(0).normal(size=(2000, 20))
    model = make("lightgbm", "regression", max_leaf_nodes=None, n_estimators=2)
    began = time.perf_counter()
    model.fit(X, X[:, 0])
    assert model.booster_.params["num_leaves"] == 100
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "hist"])
def test_missing_is_informative_among_many_rare_categories(name):
    """Half of the positive rows have none, and there is nothing else to learn."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=1000)
    labels = rng.integers(40, size=1000).astype(str).astype(object)
    labels[(y == 1) & (rng.random(1000) < 0.5)] = None
    X = pd.DataFrame({"label": labels})
    model = make(name, n_estimators=20).fit(X[:500], y[:500])
    assert roc_auc_score(y[500:], model.predict_proba(X[500:])[:, 1]) > 0.7


@booster
def test_class_weights_of_other_labels_are_refused(name):
    model = make(name, class_weight={0: 1, 1: 50})
    with pytest.raises(ValueError, match="has 0, which is no label of y"):
        model.fit(TABLE, LABELS["binary"])
    # A fold may lack a class that has a weight.
    model.set_params(class_weight={"no": 1, "yes": 2, "maybe": 3})
    assert model.fit(TABLE, LABELS["binary"]).n_iter_ > 0


@booster
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1, 2], "inconsistent numbers of samples"),
        (np.zeros((N, 2)), "1d array"),
        (np.where(GROUPS == 3, None, "a").astype(object), "no value for row 18"),
    ],
)
def test_groups_are_checked_in_any_case(name, groups, message):
    with pytest.raises(ValueError, match=message):
        make(name).fit(TABLE, Y["binary"], groups=groups)


@booster
def test_too_few_rows_to_hold_out_are_refused_by_our_names(name):
    model = make(name, early_stopping=True)
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 holds out 1 of 4"):
        model.fit([[1.0], [2.0], [3.0], [4.0]], [0, 0, 1, 1])


# Sizes of leaves


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_leaves_have_their_rows_where_the_library_counts_them(name):
    X = NUMBERS[:, :2]
    model = make(name, "regression", min_samples_leaf=50).fit(X, NOISY)
    leaves = model.booster_.predict(
        xgboost.DMatrix(X) if name == "xgboost" else X, pred_leaf=True
    )
    sizes = [np.unique(tree, return_counts=True)[1] for tree in leaves.T]
    assert 50 <= min(map(min, sizes)) < 60


@pytest.mark.parametrize(
    ("name", "task", "parameters"),
    [("lightgbm", "binary", {}), ("xgboost", "regression", {"loss": "poisson"})],
)
def test_leaves_of_fewer_rows_are_warned_of(name, task, parameters):
    y = np.exp(NOISY) if task == "regression" else Y[task]
    model = make(name, task, n_estimators=30, min_samples_leaf=50, **parameters)
    with pytest.warns(UserWarning, match=r"a leaf has \d+ rows, fewer than.*=50"):
        model.fit(NUMBERS, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nobody chose the default
        model.set_params(min_samples_leaf=20).fit(NUMBERS, y)


def test_subclasses_may_have_fewer_parameters():
    class Small(XGBoostClassifier):
        def __init__(self, size=3):
            super().__init__(n_estimators=2, min_samples_leaf=size)
            self.size = size

    Small(size=30).fit(NUMBERS, Y["binary"])


def test_xgboost_learns_rare_classes_with_its_defaults():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(12), [16] * 6 + [30] * 6)
    X = rng.normal(size=(len(y), 4)) + 2 * rng.normal(size=(12, 4))[y]
    X[rng.random(X.shape) < 0.1] = np.nan
    scores = {
        name: cross_val_score(make(name, n_estimators=30), X, y, cv=3).mean()
        for name in ("xgboost", "lightgbm")
    }
    assert scores["xgboost"] > scores["lightgbm"] - 0.02


@booster
@pytest.mark.parametrize(
    ("rows", "parameters", "message"),
    [
        (38, {}, r"38 rows do not make two leaves.*Lower min_samples_leaf\."),
        (100, {"min_samples_leaf": 51}, "100 rows do not make two leaves"),
    ],
)
def test_boosters_that_learned_nothing_explain_why(name, rows, parameters, message):
    model = make(name, **parameters)
    with pytest.warns(UserWarning, match=f"learned nothing.*{message}") as caught:
        model.fit(NUMBERS[:rows], Y["binary"][:rows])
    assert len(caught) == 1


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "exact"])
def test_limits_that_leave_no_split_are_named(name):
    model = make(name, "regression", min_impurity_decrease=1e9)
    with pytest.warns(UserWarning, match="min_samples_leaf, min_impurity_decrease"):
        model.fit(NUMBERS, NOISY)
    constant = make(name, "regression").fit(NUMBERS, np.ones(N))  # nothing to learn
    assert_allclose(constant.predict(NUMBERS), 1.0)


def test_a_limit_that_is_as_low_as_can_be_is_not_to_be_lowered():
    model = make("lightgbm", "regression", min_samples_leaf=1)
    with pytest.warns(UserWarning, match="on either side. Pass more rows or columns"):
        model.fit([[1.0], [2.0]], [2.0, 3.0])


# Units of columns

STEPS = np.sort(RNG.random(N))
COLUMNS = {
    "minutes": lambda: 20_000 + STEPS * 5 / 1440,
    "large": lambda: 1e7 + STEPS,
    "integers": lambda: 2.0**40 + np.arange(N),
    "a stray zero": lambda: np.append(0.0, 1e7 + STEPS[1:]),
    "minutes of two days": lambda: np.where(STEPS < 0.5, 9e3, 20e3) + STEPS / 1440,
    "p-values": lambda: 10.0 ** (-300 * (1 - STEPS)),
    **{f"times {s}": partial(STEPS.__mul__, s) for s in (1e-5, 1e-12, 1e-36, 1e-300)},
    **{f"times {s}": partial(STEPS.__mul__, s) for s in (1e39, 1e300)},
}


WAVE = np.sin(10 * STEPS)
OF_WAVE = {"early_stopping": True, "min_samples_leaf": 5, "n_estimators": 30}


@cache
def score_of_ranks(name):
    plain = np.column_stack([STEPS, NUMBERS[:, 1]])
    plain[::17, 0] = np.nan
    return make(name, "regression", **OF_WAVE).fit(plain, WAVE).score(plain, WAVE)


@booster
@pytest.mark.parametrize("column", COLUMNS)
def test_columns_of_any_size_are_learned(name, column):
    """As if each value were its rank, also if it is sparse, or has missing values."""
    X = np.column_stack([COLUMNS[column](), NUMBERS[:, 1]])
    X[::17, 0] = np.nan
    y, parameters = WAVE, OF_WAVE
    model = make(name, "regression", **parameters).fit(X, y)
    assert model.score(X, y) > score_of_ranks(name) - 0.01 > 0.9
    of_sparse = make(name, "regression", **parameters).fit(sparse.csr_array(X), y)
    # scikit-learn's exact trees sum the rows of sparse tables in another order.
    assert_allclose(of_sparse.predict(X), model.predict(sparse.csr_array(X)), rtol=1e-9)
    *_, last = model.staged_predict(X)
    assert_allclose(last, model.predict(X), rtol=1e-5)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))


@booster
@pytest.mark.parametrize("scale", [1e-12, 1e-40, 1e-300, 1e100])
def test_results_do_not_depend_on_the_unit_of_a_column(name, scale):
    X, y = np.nan_to_num(NUMBERS), NOISY
    model = make(name, "regression").fit(X[:200] * scale, y[:200])
    expected = make(name, "regression").fit(X[:200], y[:200])
    assert_allclose(
        model.predict(X[200:] * scale), expected.predict(X[200:]), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["xgboost", "exact"])
def test_ordinary_columns_stay_what_float32_makes_of_them(name):
    X = np.nan_to_num(NUMBERS) * 10 + 300
    model = make(name, "regression").fit(X, NOISY)
    expected = make(name, "regression").fit(X.astype(np.float32), NOISY)
    assert_array_equal(model.predict(X), expected.predict(X))
    beside = np.column_stack([X, 1e9 + STEPS])
    y = NOISY + 0 * STEPS
    both = make(name, "regression", max_features=1.0).fit(beside, y)
    assert both._fitted.columns.exponents.keys() == {4}


def test_new_trees_keep_the_units_of_the_columns():
    X = (1e7 + STEPS)[:, None]
    model = make("xgboost", "regression", warm_start=True).fit(X, STEPS)
    columns = model._fitted.columns
    model.set_params(n_estimators=12).fit(X[:120], STEPS[:120])
    assert model._fitted.columns is columns


# Units of targets and weights

FAR = {
    "shifted": (3e7, 1.0, {}),
    "small": (0.0, 1e-9, {}),
    "large": (0.0, 1e25, {}),
    "too large for float32": (0.0, 1e100, {}),
    "absolute": (3e7, 1.0, {"loss": "absolute_error"}),
    "penalised": (3e7, 1e2, {"min_impurity_decrease": 0.05}),
}


@booster
@pytest.mark.parametrize("case", FAR)
def test_targets_of_any_size_are_learned(name, case):
    offset, scale, parameters = FAR[case]
    if name == "hist":
        parameters = {k: v for k, v in parameters.items() if k == "loss"}
    elif "min_impurity_decrease" in parameters:
        parameters = parameters | {"min_impurity_decrease": 0.05 * scale**2}
    target = np.round(NOISY, 2) * scale + offset
    early = {"early_stopping": True, "tol": 1e-7 * scale}
    model = make(name, "regression", **early, **parameters).fit(NUMBERS, target)
    at_home = parameters | (
        {"min_impurity_decrease": 0.05} if "min_impurity_decrease" in parameters else {}
    )
    plain = make(name, "regression", early_stopping=True, **at_home)
    expected = plain.fit(NUMBERS, np.round(NOISY, 2)).predict(NUMBERS)
    predicted = (model.predict(NUMBERS) - offset) / scale
    assert_allclose(predicted, expected, atol=1e-5)
    *_, last = model.staged_predict(NUMBERS)
    assert_allclose((last - offset) / scale, expected, atol=1e-5)
    assert_allclose(
        model.validation_score_ / scale ** (1 if "loss" in parameters else 2),
        plain.validation_score_,
        rtol=1e-4,
    )
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(NUMBERS), model.predict(NUMBERS))


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "hist"])
@pytest.mark.parametrize("loss", ["poisson", "gamma"])
@pytest.mark.parametrize("scale", [1e-8, 1e15])
def test_units_of_a_log_link(name, loss, scale):
    y = np.exp(NOISY / 3)
    model = make(name, "regression", loss=loss).fit(NUMBERS, y * scale)
    expected = make(name, "regression", loss=loss).fit(NUMBERS, y).predict(NUMBERS)
    assert_allclose(model.predict(NUMBERS) / scale, expected, rtol=1e-4)
    model.fit(NUMBERS, y * scale, X_val=NUMBERS, y_val=y * scale)
    assert_allclose(model.predict(NUMBERS) / scale, expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_targets_that_no_offset_can_save_are_warned_of(name):
    target = NOISY + 1e9 * (np.arange(N) % 2)
    with pytest.warns(UserWarning, match="closer together than single precision"):
        make(name, "regression").fit(NUMBERS, target)


@booster
@pytest.mark.parametrize("weight", [0.03, 1e-9, 1e6])
def test_equal_weights_of_any_size_are_as_none(name, weight):
    """The penalties are of sums of weights, and follow them."""
    penalty = {} if name == "exact" else {"l2_regularization": weight}
    model = make(name, "regression", **penalty).fit(NUMBERS, NOISY, np.full(N, weight))
    penalty = {} if name == "exact" else {"l2_regularization": 1.0}
    expected = make(name, "regression", **penalty).fit(NUMBERS, NOISY)
    assert_allclose(model.predict(NUMBERS), expected.predict(NUMBERS), atol=1e-5)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_one_heavy_row_does_not_keep_others_from_being_learned(name):
    X = np.random.default_rng(0).normal(size=(300, 2))
    y = X[:, 0] + np.sin(2 * X[:, 1])
    model = make(name, "regression", n_estimators=60)
    model.fit(X, y, np.where(np.arange(300) == 0, 1e6, 1.0))
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({}, NUMBERS, "cannot honour max_leaf_nodes=31"),
        ({"max_leaf_nodes": None}, TABLE, "knows no categories.*column 'kind'"),
    ],
)
def test_xgboost_exact_refuses_what_it_lacks(parameters, X, message):
    exact = {"tree_method": "exact"}
    with pytest.raises(ValueError, match=message):
        make("xgboost", library_params=exact, **parameters).fit(X, Y["binary"])


def test_pyarrow_arrays_are_targets():
    y = pyarrow.array(LABELS["binary"].tolist())
    model = make("lightgbm").fit(TABLE, y)
    assert_array_equal(model.classes_, ["no", "yes"])
