"""Scores of a search by number of trees."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skml.model_selection import StagedGridSearchCV
from skml.plotting import StagedSearchDisplay
from skml.tabular import LightGBMRegressor

X, Y = load_diabetes(return_X_y=True)
MODEL = LightGBMRegressor(max_leaf_nodes=4, random_state=0)
GRID = {"learning_rate": [0.01, 0.1, 0.3], "n_estimators": [8, 2, 4]}


def search(model=MODEL, grid=GRID, **options):
    return StagedGridSearchCV(model, grid, cv=2, **options).fit(X, Y)


def test_mean_and_band_of_the_folds():
    fitted = search(scoring="neg_mean_squared_error")
    display = StagedSearchDisplay.from_estimator(fitted)
    assert display.labels[0] == f"learning_rate={fitted.best_params_['learning_rate']}"
    assert set(display.labels) == {f"learning_rate={r}" for r in (0.01, 0.1, 0.3)}
    results, line = fitted.cv_results_, display.lines_[0]
    rate, n_trees = (results[f"param_{name}"] for name in GRID)
    rows = np.flatnonzero(rate == fitted.best_params_["learning_rate"])
    rows = rows[np.argsort(n_trees[rows].astype(int))]
    assert_array_equal(line.get_xdata(), [2, 4, 8])
    assert_allclose(line.get_ydata(), results["mean_test_score"][rows])
    band = display.fill_between_[0].get_paths()[0].vertices
    mean, std = (results[f"{name}_test_score"][rows] for name in ("mean", "std"))
    assert_allclose(band[:, 1].min(), (mean - std).min())
    assert_allclose(band[:, 1].max(), (mean + std).max())
    best = [[fitted.best_params_["n_estimators"], fitted.best_score_]]
    assert_allclose(display.best_.get_xydata(), best)
    assert display.ax_.get_ylabel() == "Negative mean squared error"
    assert len({line.get_linestyle() for line in display.lines_}) == 3


def test_a_pipeline_and_fewer_lines():
    pipeline = make_pipeline(StandardScaler(), MODEL)
    grid = {f"lightgbmregressor__{name}": values for name, values in GRID.items()}
    display = StagedSearchDisplay.from_estimator(search(pipeline, grid), max_lines=2)
    assert len(display.lines_) == len(display.fill_between_) == 2
    legend = display.ax_.get_legend().get_texts()
    assert [text.get_text() for text in legend] == display.labels[:2]
    assert display.labels[0].startswith("learning_rate=")


def test_one_line_needs_no_legend():
    fitted = search(grid={"n_estimators": [1, 2]})
    display = StagedSearchDisplay.from_estimator(fitted, line_kw={"color": "k"})
    assert display.ax_.get_legend() is None
    assert display.lines_[0].get_color() == "k"
    assert display.ax_.get_ylabel() == "Score"


def test_several_metrics():
    fitted = search(scoring=["r2", "neg_max_error"], refit="r2", grid=GRID)
    display = StagedSearchDisplay.from_estimator(fitted)
    assert_allclose(display.best_.get_ydata(), fitted.best_score_)
    display = StagedSearchDisplay.from_estimator(fitted, metric="neg_max_error")
    assert display.ax_.get_ylabel() == "Negative max error"
    best = fitted.cv_results_["mean_test_neg_max_error"].max()
    assert_allclose(display.best_.get_ydata(), best)
    with pytest.raises(ValueError, match="expected one of r2, neg_max_error"):
        StagedSearchDisplay.from_estimator(fitted, metric="f1")


def test_a_single_fold_has_no_band():
    scores = [[[1.0], [2.0]]]
    display = StagedSearchDisplay(n_estimators=[[1, 2]], scores=scores, labels=[""])
    assert display.plot().fill_between_ == []


def test_failed_candidates_are_left_out():
    fitted = GridSearchCV(MODEL, {"n_estimators": [1, 2]}, cv=2).fit(X, Y)
    fitted.cv_results_["split0_test_score"][0] = np.nan
    display = StagedSearchDisplay.from_estimator(fitted)
    assert_array_equal(display.lines_[0].get_xdata(), [2])
    fitted.cv_results_["split0_test_score"][:] = np.nan
    with pytest.raises(ValueError, match="No candidate has a score of every fold"):
        StagedSearchDisplay.from_estimator(fitted)


def test_what_cannot_be_drawn():
    with pytest.raises(NotFittedError, match="StagedGridSearchCV"):
        StagedSearchDisplay.from_estimator(StagedGridSearchCV(MODEL, GRID))
    with pytest.raises(AttributeError, match="LightGBMRegressor has no `cv_results_`"):
        StagedSearchDisplay.from_estimator(LightGBMRegressor(n_estimators=1).fit(X, Y))
    fitted = GridSearchCV(MODEL, {"min_samples_leaf": [5, 20]}, cv=2).fit(X, Y)
    with pytest.raises(ValueError, match=r"sets `n_estimators`; add it to the grid"):
        StagedSearchDisplay.from_estimator(fitted)
    with pytest.raises(ValueError, match="metric='r2', but the search has a single"):
        StagedSearchDisplay.from_estimator(fitted, metric="r2")
