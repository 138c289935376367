"""Tests of LRClassifier: scikit-learn's pipelines are the judges."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skml.tabular._logistic import LRClassifier, penalty_parameters
from skml.tabular._missing_report import missing_value_report
from skml.tabular._svm_classifier import SVMClassifier
from skml.tabular._svm_regressor import SVMRegressor

TIGHT = {"tol": 1e-10, "max_iter": 10_000}


def with_missing(X, fraction=0.2, seed=0):
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < fraction] = np.nan
    return X


def preparation_of_scikit_learn(strategy="median"):
    numbers = make_pipeline(SimpleImputer(strategy=strategy), StandardScaler())
    return make_union(numbers, MissingIndicator())


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_wine])
def test_without_missing_values_it_is_the_library(load):
    X, y = load(return_X_y=True)
    model = LRClassifier(scale=False, max_iter=50, tol=0.3).fit(X, y)
    native = LogisticRegression(max_iter=50, tol=0.3).fit(X, y)
    assert_array_equal(model.predict_proba(X), native.predict_proba(X))
    assert_array_equal(model.decision_function(X), native.decision_function(X))
    assert_array_equal(model.estimator_.coef_, native.coef_)
    scaled = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    assert_array_equal(
        LRClassifier().fit(X, y).predict_proba(X), scaled.fit(X, y).predict_proba(X)
    )


@pytest.mark.parametrize("strategy", ["median", "mean", "most_frequent"])
def test_equals_a_pipeline_of_scikit_learn(strategy):
    X, y = load_iris(return_X_y=True)
    X = with_missing(X)
    twin = make_pipeline(
        preparation_of_scikit_learn(strategy), LogisticRegression(**TIGHT)
    )
    model = LRClassifier(imputation=strategy, **TIGHT)
    assert_allclose(
        cross_val_predict(model, X, y, method="predict_proba"),
        cross_val_predict(twin, X, y, method="predict_proba"),
        atol=1e-8,
    )


def test_mixed_frame_equals_a_pipeline_of_scikit_learn():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"age": rng.normal(40, 10, 200), "port": rng.choice(list("SCQ"), 200)}
    )
    y = np.where(frame["age"] + 9 * (frame["port"] == "C") > 43, "yes", "no")
    frame.loc[::7, "age"] = np.nan
    twin = make_pipeline(
        make_column_transformer(
            (preparation_of_scikit_learn(), ["age"]), (OneHotEncoder(), ["port"])
        ),
        LogisticRegression(**TIGHT),
    ).fit(frame, y)
    model = LRClassifier(**TIGHT).fit(frame, y)
    assert_allclose(model.predict_proba(frame), twin.predict_proba(frame), atol=1e-8)
    assert model.prepared_feature_names_.tolist() == [
        *("age", "port_C", "port_Q", "port_S", "missingindicator_age")
    ]
    other = pl.DataFrame({name: frame[name].tolist() for name in frame})
    assert_array_equal(
        LRClassifier(**TIGHT).fit(other, y).predict_proba(other),
        model.predict_proba(frame),
    )


def test_log_odds_by_construction():
    """One column of 0 and 1, no penalty: the coefficient is the log of odds ratios."""
    X = np.repeat([[0.0], [0.0], [1.0], [1.0]], [30, 10, 20, 60], axis=0)
    y = np.repeat([0, 1, 0, 1], [30, 10, 20, 60])
    model = LRClassifier(C=np.inf, scale=False, **TIGHT).fit(X, y)
    assert_allclose(model.estimator_.coef_, [[np.log(3 / (1 / 3))]], rtol=1e-6)
    assert_allclose(model.estimator_.intercept_, [np.log(1 / 3)], rtol=1e-6)
    assert_allclose(model.predict_proba([[1.0]]), [[0.25, 0.75]], rtol=1e-6)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg", "newton-cholesky", "saga"])
def test_solvers_agree(solver):
    X, y = load_iris(return_X_y=True)
    expected = LRClassifier(**TIGHT).fit(with_missing(X), y)
    model = LRClassifier(solver=solver, tol=1e-8, max_iter=10_000, random_state=0)
    model.fit(with_missing(X), y)
    assert_allclose(model.estimator_.coef_, expected.estimator_.coef_, atol=1e-4)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_penalties_are_those_of_the_library(l1_ratio):
    X, y = load_iris(return_X_y=True)
    common = {
        "C": 0.1,
        "solver": "saga",
        "tol": 1e-8,
        "max_iter": 10_000,
        "random_state": 0,
    }
    native = LogisticRegression(**common, **penalty_parameters(l1_ratio))
    scaled = StandardScaler().fit_transform(X)
    model = LRClassifier(l1_ratio=l1_ratio, **common).fit(X, y)
    assert_allclose(model.estimator_.coef_, native.fit(scaled, y).coef_, atol=1e-6)
    assert (model.estimator_.coef_ == 0).any() == (l1_ratio > 0)


def test_weights_are_repeated_rows():
    X, y = load_wine(return_X_y=True)
    X = with_missing(X)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = LRClassifier(**TIGHT).fit(X, y, weights)
    repeated = LRClassifier(**TIGHT).fit(
        np.repeat(X, weights, 0), np.repeat(y, weights)
    )
    assert_allclose(weighted.estimator_.coef_, repeated.estimator_.coef_, atol=1e-6)


def test_class_weight_is_a_weight_of_rows():
    X, y = load_breast_cancer(return_X_y=True)
    weights = np.where(y == 1, 0.25, 2.0)
    by_class = LRClassifier(class_weight={0: 2.0, 1: 0.25}).fit(X, y)
    by_row = LRClassifier().fit(X, y, weights)
    assert_array_equal(by_class.estimator_.coef_, by_row.estimator_.coef_)
    balanced = LRClassifier(C=np.inf, class_weight="balanced", **TIGHT)
    with pytest.warns(UserWarning, match="No column of X differs between rows"):
        balanced.fit(np.zeros((len(y), 1)), y)
    assert_allclose(balanced.predict_proba([[0.0]]), [[0.5, 0.5]], atol=1e-6)


def test_sparse_predicts_as_dense():
    X, y = load_wine(return_X_y=True)
    X = with_missing(np.where(np.median(X, axis=0) < X, X, 0.0))
    dense = LRClassifier(**TIGHT).fit(X, y)
    of_sparse = LRClassifier(**TIGHT).fit(sparse.csr_array(X), y)
    assert_allclose(
        of_sparse.predict_proba(sparse.csc_array(X)), dense.predict_proba(X), atol=1e-6
    )


def test_statistics_come_from_the_training_rows():
    X, y = load_iris(return_X_y=True)
    X = with_missing(X)
    other = X.copy()
    other[100:] *= 1000
    train = np.arange(0, 100)
    models = [LRClassifier().fit(table[train], y[train]) for table in (X, other)]
    assert_array_equal(models[0].estimator_.coef_, models[1].estimator_.coef_)
    assert models[0].preparation_.treatments[0].startswith("median")


def test_grid_search_over_a_nested_imputer():
    X, y = load_iris(return_X_y=True)
    search = GridSearchCV(
        LRClassifier(imputation=KNNImputer()),
        {"imputation__n_neighbors": [1, 5]},
        cv=3,
    ).fit(with_missing(X), y)
    neighbors = search.best_params_["imputation__n_neighbors"]
    assert search.best_estimator_.preparation_.imputer.n_neighbors == neighbors
    assert search.best_score_ > 0.8


def test_a_single_class_is_a_constant():
    model = LRClassifier().fit([[1.0], [2.0], [np.nan]], ["a", "a", "a"])
    assert model.predict([[5.0], [np.nan]]).tolist() == ["a", "a"]
    assert_array_equal(model.predict_proba([[5.0]]), [[1.0]])
    assert_array_equal(model.predict_log_proba([[5.0]]), [[0.0]])
    assert_array_equal(model.decision_function([[5.0]]), [0.0])
    assert_array_equal(model.feature_importances_, [0.0])


def test_the_logarithm_of_zero_probability_is_minus_infinity():
    model = LRClassifier(scale=False).fit([[-1.0], [1.0]], [0, 1])
    assert_array_equal(model.predict_log_proba([[1e9]]), [[-np.inf, 0.0]])


def test_newly_missing_warns_once_and_is_the_median():
    X, y = load_iris(return_X_y=True)
    model = LRClassifier().fit(X, y)
    row, filled = X[[0]].copy(), X[[0]].copy()
    row[0, 1], filled[0, 1] = np.nan, np.median(X[:, 1])
    with pytest.warns(UserWarning, match="column 1 had no missing values") as caught:
        predicted = model.predict_proba(row)
    assert len(caught) == 1
    assert_array_equal(predicted, model.predict_proba(filled))


@pytest.mark.parametrize("model", [LRClassifier(), SVMClassifier(), SVMRegressor()])
def test_treatments_are_reported(model):
    X = pd.DataFrame(
        {
            "whole": [1.0, 2.0, 4.0, 8.0],
            "incomplete": [1.0, None, 3.0, 3.5],
            "port": ["a", "b", None, "a"],
            "nothing": [np.nan] * 4,
        }
    )
    report = missing_value_report(clone(model).fit(X, [0, 1, 0, 1]))
    assert report["treatment"].tolist() == [
        "none missing in fit; in predict: median 3",
        "median 3 + indicator",
        "one-hot, missing encoded as zeros + indicator",
        "ignored: all values missing",
    ]


def test_unseen_category_is_missing():
    X, y = [["a"], ["b"], [None], ["a"]] * 3, [0, 1, 1, 0] * 3
    model = LRClassifier().fit(X, y)
    assert_array_equal(model.predict_proba([["new"]]), model.predict_proba([[None]]))


def test_random_state_decides():
    X, y = load_iris(return_X_y=True)
    fits = [
        LRClassifier(solver="saga", tol=0.1, random_state=seed)
        .fit(X, y)
        .estimator_.coef_
        for seed in (0, 0, 1)
    ]
    assert_array_equal(fits[0], fits[1])
    assert np.any(fits[0] != fits[2])


def test_clone_and_pickle():
    X, y = load_iris(return_X_y=True)
    X = with_missing(X)
    model = clone(LRClassifier(imputation=KNNImputer())).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"l1_ratio": 0.5}, "solver='lbfgs' cannot honour l1_ratio=0.5.*'saga'"),
        ({"fill_value": 1.0}, "belongs to imputation='constant'"),
        ({"library_params": {"penalty": "l1"}}, "'penalty'.*use C and l1_ratio"),
        ({"library_params": {"C": 2.0}}, "'C' of LogisticRegression; use C"),
        ({"library_params": {"colour": 2}}, "'colour', which LogisticRegression does"),
        ({"library_params": {"fit_intercept": "x"}}, "'fit_intercept' parameter"),
        ({"solver": "liblinear"}, "'solver' parameter of LRClassifier"),
        ({"C": 0.0}, "'C' parameter of LRClassifier"),
        ({"imputation": "guess"}, "'imputation' parameter of LRClassifier"),
        ({"class_weight": {0: -1.0}}, "class_weight of class 0 is -1.0"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        LRClassifier(**parameters).fit([[1.0], [2.0]], [0, 1])


@pytest.mark.parametrize(
    ("X", "y", "sample_weight", "message"),
    [
        ([[1.0], [np.inf]], [0, 1], None, "infinity.*row 1, column 0"),
        ([[1.0], [2.0]], [0, np.nan], None, "y contains NaN"),
        ([[1.0], [2.0]], [0, 1], [1.0, -1.0], "sample_weight of row 1 is -1.0"),
        ([[1.0], [2.0]], [0, 1], [0.0, 0.0], "all values of sample_weight are zero"),
    ],
)
def test_bad_data_is_refused(X, y, sample_weight, message):
    with pytest.raises(ValueError, match=message):
        LRClassifier().fit(X, y, sample_weight)


def test_infinity_at_predict_is_refused():
    model = LRClassifier().fit([[1.0], [2.0]], [0, 1])
    with pytest.raises(ValueError, match=r"infinity.*row 0, column 0"):
        model.predict([[-np.inf]])


def test_library_params_reach_the_library():
    X, y = load_iris(return_X_y=True)
    model = LRClassifier(library_params={"fit_intercept": False}).fit(X, y)
    assert not model.estimator_.intercept_.any()


def test_selectors_choose_features_by_their_importances():
    """What a feature became, columns of categories and flags, counts for it."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"flag": ["a"] * 200, "x": rng.normal(size=200)})
    X["noise"] = np.where(rng.random(200) < 0.5, np.nan, rng.normal(size=200))
    y = X["x"] > 0
    assert_array_equal(
        SelectFromModel(LRClassifier()).fit(X, y).get_support(), [0, 1, 0]
    )
    selector = RFE(LRClassifier(), n_features_to_select=1).fit(X[["x", "noise"]], y)
    assert selector.get_feature_names_out().tolist() == ["x"]
    model = LRClassifier().fit(X, y)
    terms = model.preparation_.transform(model._read(X))
    terms *= model.estimator_.coef_[0]
    features = model.preparation_.feature_of_output
    expected = [terms[:, features == j].sum(axis=1).std() for j in range(3)]
    assert_allclose(model.feature_importances_, expected / np.sum(expected), atol=1e-12)


def test_importances_are_those_of_permutation():
    """Many rare, useless categories, rare classes, and all of it weighted."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(1200, 4)), columns=list("abcd"))
    X["place"] = rng.choice([f"p{i}" for i in range(40)], 1200)
    X["kind"] = rng.choice(list("uvw"), 1200, p=[0.5, 0.3, 0.2])
    drive = X["a"] + 0.6 * X["b"] + 0.3 * X["c"] + 1.2 * (X["kind"] == "u")
    y = np.digitize(drive + rng.logistic(size=1200), [-2.0, 1.0, 4.0])
    weights = rng.integers(1, 4, 1200)
    model = LRClassifier().fit(X, y, weights)
    permuted = permutation_importance(
        *(model, X, y), scoring="neg_log_loss", n_repeats=5, random_state=0
    )
    order = np.argsort(permuted.importances_mean)
    assert_array_equal(np.argsort(model.feature_importances_)[-4:], order[-4:])
    repeated = LRClassifier().fit(X.loc[X.index.repeat(weights)], np.repeat(y, weights))
    assert_allclose(
        model.feature_importances_, repeated.feature_importances_, atol=1e-4
    )


def test_a_fit_that_learned_nothing_explains_why():
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.warns(UserWarning, match=r"learned nothing.*C=1e-12") as caught:
        LRClassifier(C=1e-12).fit(X, y)
    assert [warning.filename for warning in caught] == [__file__]
