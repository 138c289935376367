"""Text checks of results: names, containers, classes, and use inside scikit-learn."""

from unittest import SkipTest

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import Pipeline

from skml.utils._text_checks_data import (
    as_array,
    assert_same,
    documents,
    fitted,
    fresh,
    is_composition,
    new_documents,
    outputs,
    table_libraries,
    target,
    tolerance,
)


def check_text_feature_names_out(name, estimator_orig, kind="text"):
    """Check that every column of the result has a name, and no other has."""
    estimator = fitted(estimator_orig, kind)
    names = estimator.get_feature_names_out()
    n_columns = estimator.transform(new_documents(kind)).shape[1]
    assert isinstance(names, np.ndarray), (
        f"{name}.get_feature_names_out gives a {type(names).__name__}, not an array."
    )
    assert names.dtype == object, f"{name}: the dtype of the names is {names.dtype}."
    assert names.shape == (n_columns,), (
        f"{name} gives {n_columns} columns, and names of shape {names.shape}."
    )
    assert all(isinstance(column, str) for column in names), (
        f"{name}: not every name of a column is a str: {names[:5]!r}."
    )
    assert len(set(names)) == n_columns, f"{name}: names of columns are not distinct."


def check_text_fit_transform(name, estimator_orig, kind="text"):
    """Check that `fit_transform` is `fit`, then `transform`."""
    X, y = documents(kind), target(estimator_orig)
    expected = fitted(estimator_orig, kind).transform(X)
    actual = fresh(estimator_orig).fit_transform(X, y)
    what = f"{name}.fit_transform"
    assert_same(
        {"transform": actual}, {"transform": expected}, what, tolerance(expected)
    )


def check_text_set_output(name, estimator_orig, kind="text"):
    """Check that `set_output` gives tables with names, or says "sparse".

    An estimator whose results are sparse need not have the method.
    """
    libraries = table_libraries()
    if not libraries:
        raise SkipTest("Neither pandas nor polars is installed.")
    X, X_new, y = documents(kind), new_documents(kind), target(estimator_orig)
    plain = fitted(estimator_orig, kind)
    expected, columns = plain.transform(X_new), plain.get_feature_names_out()
    if not (hasattr(plain, "set_output") or isinstance(expected, np.ndarray)):
        return
    default = fresh(estimator_orig).set_output(transform="default").fit(X, y)
    _check_default(default.transform(X_new), expected, f"{name}, default output")
    for library, module in libraries.items():
        what = f'{name} after set_output(transform="{library}")'
        estimator = fresh(estimator_orig).set_output(transform=library)
        try:
            estimator.fit(X, y)
        except ValueError as error:
            # One step may give the next a sparse matrix.
            if "sparse" in str(error) and is_composition(estimator):
                continue
            raise AssertionError(f"{what}, fit: {error}") from error
        _check_table(estimator, X_new, expected, columns, module, what)
        with config_context(transform_output=library):
            what = f'{name} under config_context(transform_output="{library}")'
            _check_table(plain, X_new, expected, columns, module, what)


def _check_default(actual, expected, what):
    assert type(actual) is type(expected), f"{what} is a {type(actual).__name__}."
    assert_same({"transform": actual}, {"transform": expected}, what)


def _check_table(estimator, X, expected, columns, module, what):
    index = [f"row {i}" for i in range(len(X))]
    if module.__name__ == "pandas":
        X = module.Series(X, index, dtype=object)
    try:
        table = estimator.transform(X)
    except ValueError as error:
        may_be_sparse = is_composition(estimator) or not isinstance(
            expected, np.ndarray
        )
        if "sparse" in str(error) and may_be_sparse:
            return
        raise AssertionError(f"{what}: {error}") from error
    assert isinstance(table, module.DataFrame), f"{what}: a {type(table).__name__}."
    assert list(table.columns) == list(columns), f"{what}: the names are others."
    assert_same({"transform": table}, {"transform": as_array(expected)}, what)
    if module.__name__ == "pandas":
        wanted = list(_Length().set_output(transform="pandas").transform(X).index)
        assert list(table.index) == wanted, f"{what}: the index is not {wanted}."


class _Length(TransformerMixin, BaseEstimator):
    """Shows whether this version of scikit-learn keeps the index of a Series."""

    def transform(self, X):
        return np.array([[len(document)] for document in X])

    def get_feature_names_out(self, input_features=None):
        return np.array(["length"], dtype=object)


def check_text_classes(name, estimator_orig, kind="text"):
    """Check that classes, predictions, probabilities and decisions agree."""
    estimator, y = fitted(estimator_orig, kind), target(estimator_orig)
    X = documents(kind)
    np.testing.assert_array_equal(
        estimator.classes_, np.unique(y), f"{name}: classes_ are not the labels of y."
    )
    predicted = estimator.predict(X)
    unknown = set(predicted) - set(y)
    assert not unknown, f"{name} predicts {unknown}, which are not among the labels."
    if hasattr(estimator, "predict_proba"):
        proba = estimator.predict_proba(X)
        assert proba.shape == (len(X), len(estimator.classes_)), (
            f"{name}: the shape of predict_proba is {proba.shape}."
        )
        np.testing.assert_allclose(
            proba.sum(axis=1), 1, 1e-5, err_msg=f"{name}: sums of predict_proba."
        )
        likeliest = estimator.classes_[proba.argmax(axis=1)]
        np.testing.assert_array_equal(
            predicted, likeliest, f"{name}: predict is not the likeliest class."
        )
    if hasattr(estimator, "decision_function"):
        decision = estimator.decision_function(X)
        np.testing.assert_array_equal(
            predicted,
            estimator.classes_[(decision > 0).astype(int)],
            f"{name}: predict is not the sign of decision_function.",
        )


def check_text_pipeline(name, estimator_orig, kind="text"):
    """Check that a Pipeline gives what its steps give one after the other."""
    X, X_new, y = documents(kind), new_documents(kind), target(estimator_orig)
    pipeline = _predictor(estimator_orig).fit(X, y)
    alone = fitted(estimator_orig, kind)
    expected = outputs(alone, X_new)
    if hasattr(alone, "transform"):
        model = clone(pipeline[-1]).fit(alone.transform(X), y)
        expected = {"predict_proba": model.predict_proba(expected["transform"])}
    for method, output in expected.items():
        actual = getattr(pipeline, method)(X_new)
        what = f"{name} in a Pipeline"
        # A solver that stops at a tolerance magnifies the last digit of its input.
        rtol = tolerance(output) and 1e-3
        assert_same({method: actual}, {method: output}, what, rtol)


def _predictor(estimator_orig):
    """A Pipeline that predicts: the estimator, before a classifier if it transforms."""
    steps = [("text", fresh(estimator_orig))]
    if hasattr(estimator_orig, "transform"):
        # On so few documents the threads of the other solvers cost more than they give.
        steps.append(("model", LogisticRegression(solver="liblinear")))
    return Pipeline(steps)


def check_text_cross_validation(name, estimator_orig, kind="text"):
    """Check that cross-validation in two processes is that in one."""
    X, y = documents(kind), target(estimator_orig)
    predictor = _predictor(estimator_orig)
    for run in (cross_val_predict, cross_val_score):
        options = {} if run is cross_val_predict else {"error_score": "raise"}
        one, two = (
            run(predictor, X, y, cv=2, n_jobs=n_jobs, **options) for n_jobs in (None, 2)
        )
        what = f"{name}, {run.__name__} in two processes"
        assert_same({"predict": two}, {"predict": one}, what, tolerance(one))


def check_text_grid_search(name, estimator_orig, kind="text"):
    """Check that a grid search in two processes finds what one process finds."""
    X, X_new, y = documents(kind), new_documents(kind), target(estimator_orig)
    predictor = _predictor(estimator_orig)
    # The values are those it has: they must survive the way to a process and back.
    own = predictor["text"].get_params(deep=False)
    grid = {f"text__{key}": [value] for key, value in own.items()}
    if "model" in predictor.named_steps:
        grid["model__C"] = [0.01, 1.0]
    one, two = (
        GridSearchCV(predictor, grid, cv=2, n_jobs=n_jobs, error_score="raise")
        for n_jobs in (None, 2)
    )
    one.fit(X, y)
    two.fit(X, y)
    what = f"{name}, GridSearchCV in two processes"
    score = "mean_test_score"
    assert_same(
        {score: two.cv_results_[score]}, {score: one.cv_results_[score]}, what, 1e-12
    )
    assert_same({"predict": two.predict(X_new)}, {"predict": one.predict(X_new)}, what)
