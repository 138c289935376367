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


def fake_search(params, scores, **columns):
    """A search with these candidates, each with the score of one fold."""
    fitted = GridSearchCV(MODEL, {})
    fitted.n_splits_ = 1
    fitted.cv_results_ = {"params": params, "split0_test_score": scores, **columns}
    return fitted


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


def test_candidates_that_differ_have_a_line_each():
    params = [
        {"a__depth": a, "b__depth": b, "b__rate": 0.1, "b__n_estimators": n}
        for a, b, n in [(1, 2, 5), (2, 1, 5), (1, 2, 9), (2, 1, 9)]
    ]
    fitted = fake_search(params, [0.1, 0.2, 0.3, 0.4])
    display = StagedSearchDisplay.from_estimator(fitted)
    assert display.labels == [
        "a__depth=2, b__depth=1, rate=0.1",
        "a__depth=1, b__depth=2, rate=0.1",
    ]
    assert_allclose(display.scores, [[[0.2], [0.4]], [[0.1], [0.3]]])


def test_values_without_a_hash():
    sizes = [[1], ([2],)]
    params = [{"size": size, "n_estimators": n} for size in sizes for n in (1, 2)]
    display = StagedSearchDisplay.from_estimator(fake_search(params, [1, 2, 3, 4]))
    assert display.labels == ["size=([2],)", "size=[1]"]


def test_of_halving_the_last_iteration_is_shown():
    params = [{"rate": r, "n_estimators": n} for r, n in [(1, 5), (1, 9), (2, 5)]]
    fitted = fake_search([*params, *params[:2]], [9, 9, 9, 1, 2], iter=[0, 0, 0, 1, 1])
    display = StagedSearchDisplay.from_estimator(fitted)
    assert display.labels == ["rate=1"]
    assert_allclose(display.scores, [[[1], [2]]])
    fitted = fake_search(params, [1, 2, 3], iter=[0, 1, 0])
    fitted.resource = "n_estimators"
    assert len(StagedSearchDisplay.from_estimator(fitted).labels) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scores": []}, "scores is empty"),
        ({"labels": []}, "labels has 0 entries; expected 1"),
        ({"labels": "a"}, "labels is the str 'a'"),
        ({"n_estimators": []}, "n_estimators has 0 entries; expected 1"),
        ({"n_estimators": [[1]]}, r"n_estimators\[0\] has the shape \(1,\)"),
        ({"scores": [[1, 2]]}, r"scores\[0\] has 1 dimensions; expected 2"),
        ({"scores": [[[], []]]}, r"scores\[0\] is empty"),
        ({"scores": [[[1], [np.nan]]]}, r"scores\[0\] has NaN or infinite"),
    ],
)
def test_lines_that_do_not_fit(changed, message):
    given = {"n_estimators": [[1, 2]], "scores": [[[1], [2]]], "labels": ["a"]}
    with pytest.raises(ValueError, match=message):
        StagedSearchDisplay(**given | changed).plot()
    with pytest.raises(ValueError, match="max_lines=0; expected an integer"):
        StagedSearchDisplay(**given).plot(max_lines=0)


def test_several_metrics_without_refit():
    fitted = GridSearchCV(
        MODEL, {"n_estimators": [1]}, cv=2, scoring=["r2", "neg_max_error"], refit=False
    ).fit(X, Y)
    with pytest.raises(ValueError, match="pass metric=, one of r2, neg_max_error"):
        StagedSearchDisplay.from_estimator(fitted)
    assert StagedSearchDisplay.from_estimator(fitted, metric="r2").labels == [""]
