"""Searches that share fits: the results of scikit-learn's own, for less work."""

import pickle
import warnings
from collections import Counter
from copy import copy
from inspect import signature

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import stats
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, check_scoring, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skml.model_selection import StagedGridSearchCV, StagedRandomizedSearchCV
from skml.tabular import (
    GBDTClassifier,
    GBDTRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)

X, Y = make_classification(120, 6, flip_y=0.2, random_state=0)
X_REGRESSION, Y_REGRESSION = make_regression(90, 5, noise=20.0, random_state=0)
WEIGHT = np.random.default_rng(0).uniform(0.1, 3.0, size=120)
GROUPS = np.arange(120) % 7
FITS = []


class Boosting(BaseEstimator):
    """Small gradient boosting, which notes its fits and can be asked to fail."""

    def __init__(
        self,
        n_estimators=10,
        learning_rate=0.3,
        max_depth=2,
        fails=False,
        warm_start=False,
        random_state=None,
    ):
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.fails = fails
        self.warm_start = warm_start
        self.random_state = random_state

    def _fit(self, X, target, sample_weight, X_val):
        FITS.append(self.n_estimators)
        X = validate_data(self, X)
        if self.n_estimators < 1 or self.fails:
            raise ValueError("This fit fails.")
        if not (self.warm_start and hasattr(self, "trees_")):
            self.trees_ = []
            self.start_ = 0.0 if X_val is None else float(np.mean(X_val))
        random = check_random_state(self.random_state)
        rows, raw = X.astype(np.float32), self._raw(X)
        for _ in range(len(self.trees_), self.n_estimators):
            tree = DecisionTreeRegressor(max_depth=self.max_depth, random_state=random)
            gradient = self._gradient(target, raw)
            drawn = random.uniform(size=len(X)) < 0.8
            weight = None if sample_weight is None else np.array(sample_weight)[drawn]
            tree.fit(rows[drawn], gradient[drawn], weight, check_input=False)
            raw += self.learning_rate * tree.predict(rows, check_input=False)
            self.trees_.append(tree)
        return self

    def _raw(self, X):
        rows, raw = X.astype(np.float32), np.full(len(X), self.start_)
        for tree in self.trees_:
            raw += self.learning_rate * tree.predict(rows, check_input=False)
        return raw

    def _predict_raw(self, X):
        check_is_fitted(self)
        return self._raw(validate_data(self, X, reset=False))

    def _at_stage(self, n_estimators):
        staged = copy(self)
        staged.n_estimators = n_estimators
        staged.trees_ = self.trees_[:n_estimators]
        return staged


class BoostingRegressor(RegressorMixin, Boosting):
    def fit(self, X, y, sample_weight=None, X_val=None):
        return self._fit(X, np.asarray(y, dtype=float), sample_weight, X_val)

    def _gradient(self, target, raw):
        return target - raw

    def predict(self, X):
        return self._predict_raw(X)


class BoostingClassifier(ClassifierMixin, Boosting):
    def fit(self, X, y, sample_weight=None, X_val=None):
        self.classes_, target = np.unique(y, return_inverse=True)
        return self._fit(X, target, sample_weight, X_val)

    def _gradient(self, target, raw):
        return target - 1 / (1 + np.exp(-raw))

    def predict_proba(self, X):
        positive = 1 / (1 + np.exp(-self._predict_raw(X)))
        return np.column_stack([1 - positive, positive])

    def predict(self, X):
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


# A classifier and a regressor each, which know learning_rate and max_depth.
SMALL = {"min_samples_leaf": 3, "random_state": 0}
BOOSTERS = [
    (BoostingClassifier(random_state=0), BoostingRegressor(random_state=0)),
    (XGBoostClassifier(**SMALL), XGBoostRegressor(**SMALL)),
    (LightGBMClassifier(**SMALL), LightGBMRegressor(**SMALL)),
    (GBDTClassifier(**SMALL), GBDTRegressor(**SMALL)),
]
BOOSTER = BoostingClassifier(random_state=0)


def in_pipeline(estimator):
    return Pipeline([("scale", StandardScaler()), ("model", estimator)])


def in_pipelines(estimator):
    return Pipeline([("first", StandardScaler()), ("then", in_pipeline(estimator))])


WAYS = {"": lambda estimator: estimator, "model__": in_pipeline}
WAYS["then__model__"] = in_pipelines
# The small booster in every way, and each of ours in one.
in_every_way = pytest.mark.parametrize(
    ("boosters", "prefix"),
    [
        *((BOOSTERS[0], way) for way in WAYS),
        *((pair, "model__") for pair in BOOSTERS[1:]),
    ],
)
GRID = {"learning_rate": [0.1, 0.5], "n_estimators": [2, 6, 4]}


def with_prefix(prefix, grid):
    return {prefix + name: values for name, values in grid.items()}


def assert_same_results(found, expected):
    """The same columns in the same order, equal in kind and to the last bit."""
    assert list(found) == list(expected)
    for name, column in expected.items():
        if name.endswith("_time"):
            assert found[name].shape == column.shape
            assert (found[name] >= 0).all()
            continue
        assert type(found[name]) is type(column), name
        if name == "params":
            assert found[name] == column
            assert [list(params) for params in found[name]] == list(map(list, column))
            continue
        assert found[name].dtype == column.dtype, name
        assert_array_equal(np.ma.getmaskarray(found[name]), np.ma.getmaskarray(column))
        assert_array_equal(found[name], column, err_msg=name)


def assert_same_search(staged, plain):
    """All that fit leaves behind is the same, times aside."""
    assert_same_results(staged.cv_results_, plain.cv_results_)
    assert vars(staged).keys() == vars(plain).keys()
    for name in ("best_index_", "best_params_", "best_score_", "multimetric_"):
        assert hasattr(staged, name) == hasattr(plain, name)
        assert getattr(staged, name, None) == getattr(plain, name, None)
    assert staged.n_splits_ == plain.n_splits_
    assert repr(staged.scorer_) == repr(plain.scorer_)
    assert type(staged.scorer_) is type(plain.scorer_)
    if hasattr(plain, "best_estimator_"):
        assert repr(staged.best_estimator_) == repr(plain.best_estimator_)


def fit_both(estimator, grid, X=X, y=Y, *, params=None, **settings):
    """The staged search and the plain one, fitted, and how many fits each needed."""
    settings = {"cv": 2, **settings}
    searches, n_fits = [], []
    for kind in (StagedGridSearchCV, GridSearchCV):
        FITS.clear()
        searches.append(kind(estimator, grid, **settings).fit(X, y, **(params or {})))
        n_fits.append(len(FITS))
    assert_same_search(*searches)
    return *searches, n_fits


# The same results


METRICS = ["roc_auc", "accuracy", "f1"]


@pytest.mark.parametrize(
    ("boosters", "prefix", "scoring", "return_train_score"),
    [
        (BOOSTERS[0], "", None, False),
        (BOOSTERS[0], "", "neg_log_loss", True),
        (BOOSTERS[0], "model__", METRICS, True),
        (BOOSTERS[0], "then__model__", None, True),
        (BOOSTERS[1], "model__", METRICS, True),
        (BOOSTERS[2], "model__", "neg_log_loss", True),
        (BOOSTERS[3], "model__", None, False),
    ],
)
def test_grid_of_a_classifier(boosters, prefix, scoring, return_train_score):
    staged, plain, _ = fit_both(
        WAYS[prefix](boosters[0]),
        with_prefix(prefix, GRID),
        scoring=scoring,
        refit="roc_auc" if isinstance(scoring, list) else True,
        return_train_score=return_train_score,
    )
    assert_array_equal(staged.predict_proba(X), plain.predict_proba(X))
    assert staged.score(X, Y) == plain.score(X, Y)
    # Stages that scored alike would show nothing.
    name = "mean_test_roc_auc" if isinstance(scoring, list) else "mean_test_score"
    assert len(set(staged.cv_results_[name])) > 1


@in_every_way
def test_grid_of_a_regressor(boosters, prefix):
    staged, plain, _ = fit_both(
        WAYS[prefix](boosters[1]),
        # Grids side by side, with values of n_estimators of their own.
        [
            with_prefix(prefix, {"max_depth": [1, 3], "n_estimators": [9, 2]}),
            with_prefix(prefix, {"n_estimators": [4, 8, 1], "learning_rate": [0.2]}),
            {},
        ],
        X_REGRESSION,
        Y_REGRESSION,
        scoring={"r2": "r2", "mine": make_scorer(lambda y, z: np.mean(z - y))},
        refit="r2",
        return_train_score=True,
    )
    assert len(set(staged.cv_results_["mean_test_r2"])) > 3
    assert_array_equal(staged.predict(X_REGRESSION), plain.predict(X_REGRESSION))


@pytest.mark.parametrize(
    ("boosters", "prefix"),
    [*((BOOSTERS[0], way) for way in WAYS), (BOOSTERS[1], "model__")],
)
def test_randomized_search(boosters, prefix):
    distributions = {
        "n_estimators": stats.randint(1, 15),
        "learning_rate": np.array([0.1, 0.5]),
        "max_depth": [1, 2],
    }
    searches = [
        kind(
            WAYS[prefix](boosters[0]),
            with_prefix(prefix, distributions),
            n_iter=9,
            # Drawn from once: twice would be other candidates and other splits.
            random_state=np.random.RandomState(3),
            cv=ShuffleSplit(2, random_state=np.random.RandomState(5)),
            return_train_score=True,
        )
        for kind in (StagedRandomizedSearchCV, RandomizedSearchCV)
    ]
    n_fits = []
    for search in searches:
        FITS.clear()
        search.fit(X, Y)
        n_fits.append(len(FITS))
    assert_same_search(*searches)
    if isinstance(boosters[0], Boosting):
        assert n_fits == [2 * 4 + 1, 2 * 9 + 1]


def test_randomized_search_over_a_continuous_distribution():
    distributions = {
        "n_estimators": [2, 5],
        "learning_rate": stats.uniform(0.1, 0.4),
    }
    found = [
        kind(BOOSTER, distributions, n_iter=5, random_state=0, cv=2).fit(X, Y)
        for kind in (StagedRandomizedSearchCV, RandomizedSearchCV)
    ]
    assert_same_search(*found)


def test_as_few_fits_as_can_be():
    *_, n_fits = fit_both(BOOSTER, GRID)
    assert n_fits == [2 * 2 + 1, 2 * 6 + 1]
    StagedGridSearchCV(BOOSTER, GRID, cv=2, refit=False).fit(X, Y)
    assert FITS[-4:] == [6] * 4


@pytest.mark.parametrize("refit", [True, False, lambda results: 4])
def test_refit_with_one_metric(refit):
    staged, *_ = fit_both(BOOSTER, GRID, refit=refit)
    assert hasattr(staged, "predict") == bool(refit)


@pytest.mark.parametrize(
    "refit",
    ["accuracy", False, lambda results: results["mean_test_roc_auc"].argmin()],
)
def test_refit_with_several_metrics(refit):
    fit_both(BOOSTER, GRID, scoring=("accuracy", "roc_auc"), refit=refit)


@pytest.mark.parametrize("kind", [StagedGridSearchCV, GridSearchCV])
@pytest.mark.parametrize("refit", [True, "f1"])
def test_refit_without_a_metric_is_refused(kind, refit):
    for scoring in (["accuracy", "roc_auc"], several_scores):
        search = kind(BOOSTER, GRID, scoring=scoring, refit=refit, cv=2)
        with pytest.raises(ValueError, match="parameter refit must be set to a scorer"):
            search.fit(X, Y)


@pytest.mark.parametrize(
    ("refit", "error"), [(lambda results: 0.5, TypeError), (lambda r: 6, IndexError)]
)
def test_refit_that_returns_no_position(refit, error):
    with pytest.raises(error, match="best_index_"):
        StagedGridSearchCV(BOOSTER, GRID, refit=refit, cv=2).fit(X, Y)


# Scorers


def number_of_trees(estimator, X, y):
    """Shows which estimator a scorer is given: it is the one of the candidate."""
    last = estimator
    while isinstance(last, Pipeline):
        last = last[-1]
    assert type(last.n_estimators) is int
    assert len(last.trees_) == last.n_estimators
    assert estimator.n_features_in_ == X.shape[1]
    return last.n_estimators + accuracy_score(y, estimator.predict(X)) / 2


def several_scores(estimator, X, y):
    accuracy = np.float64(accuracy_score(y, estimator.predict(X)))
    return {"accuracy": accuracy, "error": 1 - accuracy}


@pytest.mark.parametrize("prefix", WAYS)
def test_scorer_gets_the_estimator_of_the_candidate(prefix):
    grid = with_prefix(prefix, {"n_estimators": [3, 1, 5]})
    staged, *_ = fit_both(WAYS[prefix](BOOSTER), grid, scoring=number_of_trees)
    assert staged.cv_results_["mean_test_score"].astype(int).tolist() == [3, 1, 5]
    assert staged.scorer_ is number_of_trees


def test_callable_with_several_scores():
    for refit in ("accuracy", False):
        staged, plain, _ = fit_both(
            BOOSTER, GRID, scoring=several_scores, refit=refit, return_train_score=True
        )
        assert staged.multimetric_
        assert staged.scorer_ is plain.scorer_ is several_scores


def test_scorers_as_one_object():
    scoring = check_scoring(BOOSTER, ["accuracy", "roc_auc"], raise_exc=False)
    staged, plain, _ = fit_both(BOOSTER, GRID, scoring=scoring, refit="accuracy")
    assert staged.score(X, Y) == plain.score(X, Y)


def test_a_metric_of_any_name():
    scoring = {"score": "accuracy", "None": "roc_auc", "3": "f1"}
    fit_both(BOOSTER, GRID, scoring=scoring, refit="score")


def fail_at_four(estimator, X, y):
    if estimator.n_estimators == 4:
        raise ValueError("Four trees are too many.")
    return accuracy_score(y, estimator.predict(X))


@pytest.mark.parametrize(
    "scoring",
    [fail_at_four, {"sound": "accuracy", "ill": fail_at_four}],
    ids=["one", "several"],
)
@pytest.mark.parametrize("error_score", [np.nan, -1.0])
def test_scorer_fails(scoring, error_score):
    found = []
    for kind in (StagedGridSearchCV, GridSearchCV):
        search = kind(
            BOOSTER, GRID, scoring=scoring, error_score=error_score, cv=2, refit=False
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found.append(search.fit(X, Y))
        messages = [str(w.message) for w in caught]
        of_scoring = [m for m in messages if m.startswith("Scoring failed.")]
        assert len(of_scoring) == 2 * 2
        assert all("Four trees are too many." in m for m in of_scoring)
        n_other = int(np.isnan(error_score))
        assert len(messages) == len(of_scoring) + n_other
    assert_same_search(*found)
    with pytest.raises(ValueError, match="Four trees are too many"):
        StagedGridSearchCV(
            BOOSTER, GRID, scoring=scoring, error_score="raise", cv=2, refit=False
        ).fit(X, Y)


@pytest.mark.parametrize("kind", [StagedGridSearchCV, GridSearchCV])
def test_scorer_returns_no_number(kind):
    search = kind(BOOSTER, GRID, scoring=lambda e, X, y: [1], cv=2)
    with pytest.raises(ValueError, match="scoring must return a number, got"):
        search.fit(X, Y)
    search = kind(BOOSTER, GRID, scoring=["accuracy", "neg_log_loss"], refit=False)
    search.set_params(estimator=NoProbabilities(), cv=2)
    with pytest.raises(AttributeError, match="predict_proba"):
        search.fit(X, Y)


class NoProbabilities(BoostingClassifier):
    predict_proba = property()

    def predict(self, X):
        return self.classes_[(self._predict_raw(X) > 0).astype(int)]


# Fits that fail


@pytest.mark.parametrize(
    ("scoring", "refit", "error_score", "first"),
    [
        (None, True, np.nan, True),
        (None, True, 0.25, False),
        (["accuracy", "roc_auc"], "accuracy", 0.25, True),
        (["accuracy", "roc_auc"], "accuracy", np.nan, False),
        (several_scores, "accuracy", np.nan, True),
        (several_scores, "accuracy", 0.25, False),
    ],
)
def test_some_fits_fail(scoring, refit, error_score, first):
    found = []
    for kind in (StagedGridSearchCV, GridSearchCV):
        search = kind(
            BOOSTER,
            {"fails": [first, not first], "n_estimators": [2, 6, 4]},
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            return_train_score=True,
            cv=2,
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found.append(search.fit(X, Y))
        assert caught[0].category is FitFailedWarning
        assert "This fit fails." in str(caught[0].message)
    assert_same_search(*found)


def test_all_fits_fail():
    search = StagedGridSearchCV(BOOSTER, {"fails": [True], "n_estimators": [2, 6]})
    with pytest.raises(ValueError, match=r"(?s)All the 5 fits failed.*This fit fails"):
        search.fit(X, Y)
    assert "scorer_" not in vars(search)
    # What has failed once can be fitted.
    search.set_params(param_grid=GRID).fit(X, Y)


def test_errors_are_raised_if_asked_for():
    grid = {"fails": [False, True], "n_estimators": [2, 6]}
    search = StagedGridSearchCV(BOOSTER, grid, error_score="raise")
    with pytest.raises(ValueError, match="This fit fails"):
        search.fit(X, Y)


@pytest.mark.parametrize("kind", [StagedGridSearchCV, GridSearchCV])
def test_bad_parameters(kind):
    with pytest.raises(ValueError, match="Invalid parameter 'model' for estimator"):
        kind(BOOSTER, {"model__n_estimators": [1, 2]}).fit(X, Y)
    with pytest.raises(ValueError, match=r"'refit' parameter of .* must be"):
        kind(BOOSTER, GRID, refit=3).fit(X, Y)
    with pytest.raises(ValueError, match="need to be a non-empty sequence"):
        kind(BOOSTER, {"n_estimators": []}).fit(X, Y)


@pytest.mark.parametrize(
    "values", [[2, 0, 5], [-3, 4, 6], [2.5, 2, 3], [True, 4, 1], ["3", 3, 4], [None, 2]]
)
def test_values_that_count_no_trees(values):
    """Each fails, or works, by itself and not for others."""
    found = []
    for kind in (StagedGridSearchCV, GridSearchCV):
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            search = kind(BOOSTER, {"n_estimators": values}, cv=2)
            found.append(search.fit(X, Y))
    assert_same_search(*found)
    assert np.isfinite(found[0].cv_results_["mean_test_score"]).sum() > 0


# What reaches the fit


@pytest.mark.parametrize("boosters", BOOSTERS[:2])
def test_weights_of_samples(boosters):
    staged, _, _ = fit_both(boosters[0], GRID, params={"sample_weight": WEIGHT})
    without = clone(staged).fit(X, Y)
    name = "mean_test_score"
    assert (staged.cv_results_[name] != without.cv_results_[name]).any()


def test_parameters_of_a_fit_in_a_pipeline():
    fit_both(
        in_pipeline(BOOSTER),
        with_prefix("model__", GRID),
        params={"model__sample_weight": WEIGHT, "groups": GROUPS},
        cv=GroupKFold(4),
    )


@pytest.mark.parametrize(
    ("boosters", "prefix", "several"),
    [
        (BOOSTERS[0], "", True),
        (BOOSTERS[0], "model__", False),
        (BOOSTERS[0], "then__model__", True),
        (BOOSTERS[1], "model__", False),
    ],
)
def test_metadata_routing(boosters, prefix, several):
    with config_context(enable_metadata_routing=True):
        estimator = clone(boosters[0]).set_fit_request(sample_weight="w")
        if "groups" in signature(estimator.fit).parameters:
            estimator.set_fit_request(groups=False)
        scorer = get_scorer("accuracy").set_score_request(sample_weight="v")
        scoring = {"mine": scorer, "auc": "roc_auc"} if several else scorer
        way = WAYS[prefix](estimator)
        for scaler in way[:-1] if prefix else []:
            scaler.set_fit_request(sample_weight=False)
        if prefix == "then__model__":
            way[-1][0].set_fit_request(sample_weight=False)
        staged, plain, _ = fit_both(
            way,
            with_prefix(prefix, {"learning_rate": [0.5], "n_estimators": [2, 6]}),
            params={"w": WEIGHT, "v": WEIGHT[::-1], "groups": GROUPS},
            scoring=scoring,
            refit="mine" if several else True,
            cv=GroupKFold(3),
        )
        of_plain = plain.get_metadata_routing()
        routing = str(of_plain).replace("GridSearchCV", "StagedGridSearchCV")
        assert str(staged.get_metadata_routing()) == routing
        unweighted = clone(staged).fit(X, Y, groups=GROUPS)
        name = "mean_test_mine" if several else "mean_test_score"
        assert (staged.cv_results_[name] != unweighted.cv_results_[name]).any()
        if several:
            return
        # The staged search inside another cross-validation.
        outer = [
            cross_validate(
                search,
                X,
                Y,
                cv=GroupKFold(2),
                params={"w": WEIGHT, "v": WEIGHT, "groups": GROUPS},
            )["test_score"]
            for search in (staged, plain)
        ]
        assert_array_equal(*outer)


def score_of_a_whole_pipeline(estimator, X, y):
    """Fails if the estimator of a candidate has lost a parameter of its Pipeline."""
    assert estimator.transform_input == ["X_val"]
    return number_of_trees(estimator, X, y)


def test_input_that_a_pipeline_transforms():
    X_val = X[:20] + 5
    with config_context(enable_metadata_routing=True):
        model = clone(BOOSTER).set_fit_request(X_val=True)
        pipeline = in_pipeline(model).set_params(transform_input=["X_val"])
        grid = with_prefix("model__", GRID)
        staged, *_ = fit_both(
            pipeline, grid, params={"X_val": X_val}, scoring=score_of_a_whole_pipeline
        )
        assert staged.best_estimator_.transform_input == ["X_val"]
        start = staged.best_estimator_[-1].start_
        assert start == np.mean(staged.best_estimator_[:-1].transform(X_val))
        assert start != np.mean(X_val)


def test_pipeline_with_memory(tmp_path):
    pipeline = in_pipeline(BOOSTER).set_params(memory=str(tmp_path))
    grid = with_prefix("model__", GRID) | {"scale__with_mean": [True, False]}
    *_, n_fits = fit_both(pipeline, grid, scoring=number_of_trees)
    assert n_fits == [2 * 4 + 1, 2 * 12 + 1]


def test_candidates_that_go_on_from_a_fit():
    grid = GRID | {"warm_start": [True, False]}
    fitted = clone(BOOSTER).set_params(warm_start=True, n_estimators=20).fit(X, Y)
    fit_both(fitted, grid)
    entries = {"model": [fitted, BOOSTER], "model__n_estimators": [3, 9]}
    staged, *_ = fit_both(in_pipeline(BOOSTER), entries)
    assert len(staged.best_estimator_[-1].trees_) in (3, 9)
    assert len(fitted.trees_) == 20


@pytest.mark.parametrize("cv", [4, ShuffleSplit(3, random_state=1), "iterable"])
def test_splits(cv):
    if cv == "iterable":
        cv = list(ShuffleSplit(2, random_state=2).split(X))
    fit_both(BOOSTER, GRID, cv=cv)


@pytest.mark.parametrize("scoring", [None, ["accuracy", "roc_auc"]])
def test_processes(scoring):
    fit_both(
        in_pipeline(BOOSTER),
        with_prefix("model__", {"n_estimators": [2, 4], "max_depth": [1, 2]}),
        scoring=scoring,
        refit="accuracy" if scoring else True,
        n_jobs=2,
    )


# Which candidates share a fit


def test_steps_as_candidates():
    others = BoostingClassifier(max_depth=1, random_state=1)
    grid = {
        "model": [BOOSTER, others, in_pipeline(others), BOOSTER],
        "model__n_estimators": [2, 5],
    }
    with pytest.raises(ValueError, match="Invalid parameter 'n_estimators'"):
        StagedGridSearchCV(in_pipeline(BOOSTER), grid).fit(X, Y)
    grid = [
        {"model": [BOOSTER, others, BOOSTER], "model__n_estimators": [2, 5]},
        {"model": [in_pipeline(others)], "model__model__n_estimators": [6, 3, 6]},
        {"model": [LogisticRegression()], "model__C": [0.1, 1.0]},
        {"steps": [[("gb", others)], [("gb", BOOSTER)]], "gb__n_estimators": [4, 8]},
    ]
    staged, plain, n_fits = fit_both(in_pipeline(LogisticRegression()), grid)
    refits = int(not isinstance(plain.best_estimator_[-1], LogisticRegression))
    # One for each model, two for the steps.
    assert n_fits == [2 * 5 + refits, 2 * 13 + refits]
    assert len(set(staged.cv_results_["mean_test_score"])) > 2


def test_candidates_that_only_look_alike():
    grid = {"learning_rate": [1, True, 1.0, np.float64(1)], "n_estimators": [2, 4]}
    *_, n_fits = fit_both(BOOSTER, grid)
    assert n_fits == [2 * 4 + 1, 2 * 8 + 1]
    randoms = [np.random.RandomState(0), np.random.RandomState(0)]
    grid = {"random_state": randoms, "n_estimators": [2, 4]}
    *_, n_fits = fit_both(BOOSTER, grid, refit=False)
    assert n_fits == [2 * 2, 2 * 4]
    grid = {"learning_rate": [0.0, -0.0], "n_estimators": [2, 4]}
    *_, n_fits = fit_both(BOOSTER, grid)
    assert n_fits == [2 * 2 + 1, 2 * 4 + 1]


def test_candidates_of_several_grids_share_fits():
    one = {"learning_rate": [0.1, 0.2], "n_estimators": [2, 4]}
    other = {"learning_rate": [float("0.2"), 0.3], "n_estimators": [4, 3, np.int64(6)]}
    staged, plain, n_fits = fit_both(BOOSTER, [one, other])
    assert n_fits == [2 * 3 + 1, 2 * 10 + 1]
    counts = [params["n_estimators"] for params in staged.cv_results_["params"]]
    expected = [params["n_estimators"] for params in plain.cv_results_["params"]]
    assert list(map(type, counts)) == list(map(type, expected))


def test_nothing_to_share():
    for grid in ({"max_depth": [1, 2]}, {}, {"n_estimators": [4]}):
        *_, n_fits = fit_both(BOOSTER, grid, return_train_score=True)
        assert n_fits[0] == n_fits[1]
    # Such a search takes any estimator.
    fit_both(LogisticRegression(), {"C": [0.1, 1.0]})


def test_trees_of_other_steps():
    """They are searched as any parameter, beside those of the last step."""
    forest = RandomForestClassifier(max_depth=2, random_state=0)
    pipeline = Pipeline([("select", SelectFromModel(forest)), ("model", BOOSTER)])
    name = "select__estimator__n_estimators"
    fit_both(pipeline, {name: [1, 3]})
    *_, n_fits = fit_both(pipeline, {name: [1, 3], "model__n_estimators": [2, 5, 3]})
    assert n_fits == [2 * 2 + 1, 2 * 6 + 1]


def test_estimator_in_a_meta_estimator():
    """Right, but nothing is shared."""
    meta = TransformedTargetRegressor(BoostingRegressor(random_state=0))
    grid = {"regressor__n_estimators": [2, 5]}
    *_, n_fits = fit_both(meta, grid, X_REGRESSION, Y_REGRESSION)
    assert n_fits == [2 * 2 + 1] * 2
    inner = GridSearchCV(BOOSTER, {"max_depth": [1, 2]}, cv=2)
    fit_both(inner, {"estimator__n_estimators": [2, 5]})


@pytest.mark.parametrize(
    ("estimator", "grid", "match"),
    [
        (RandomForestClassifier(), {}, r"RandomForestClassifier .*'n_estimators'"),
        (RandomForestRegressor(), {"max_depth": [1, 2]}, r"RandomForestRegressor "),
        (in_pipeline(RandomForestClassifier()), {}, r"Forest.*'model__n_estimators'"),
        (in_pipelines(RandomForestClassifier()), {}, r"'then__model__n_estimators'"),
        (
            in_pipeline(BOOSTER),
            {"model": [BOOSTER, RandomForestClassifier()]},
            r"RandomForestClassifier .* expected a gradient booster .* Pipeline",
        ),
    ],
)
def test_estimator_without_stages(estimator, grid, match):
    prefix = next(
        name.removesuffix("n_estimators")
        for name in estimator.get_params()
        if name.rpartition("__")[2] == "n_estimators"
    )
    grid = grid | {f"{prefix}n_estimators": [2, 3]}
    FITS.clear()
    with pytest.raises(TypeError, match=match):
        StagedGridSearchCV(estimator, grid).fit(X, Y)
    assert not FITS


class Lending(ClassifierMixin, BaseEstimator):
    """Predicts the opposite of what it wraps, whose attributes it lends."""

    def __init__(self, n_estimators=10):
        self.n_estimators = n_estimators

    def fit(self, X, y):
        self.fitted_ = clone(BOOSTER).set_params(n_estimators=self.n_estimators)
        self.fitted_.fit(X, y)
        return self

    def __getattr__(self, name):
        if name.startswith("__") or name == "fitted_":
            raise AttributeError(name)
        return getattr(vars(self).get("fitted_", BOOSTER), name)

    def predict(self, X):
        return 1 - self.fitted_.predict(X)


class Particular(BoostingClassifier):
    """Has stages only with some parameters."""

    @available_if(lambda self: self.max_depth < 3)
    def _at_stage(self, n_estimators):
        return super()._at_stage(n_estimators)


def test_estimator_that_only_seems_to_have_stages():
    grid = {"n_estimators": [1, 2]}
    assert Lending()._at_stage
    with pytest.raises(TypeError, match="Lending cannot be scored at several values"):
        StagedGridSearchCV(Lending(), grid).fit(X, Y)
    fit_both(Particular(random_state=0), grid)
    FITS.clear()
    with pytest.raises(TypeError, match=r"Particular cannot .* that allow it"):
        StagedGridSearchCV(Particular(), grid | {"max_depth": [2, 3]}).fit(X, Y)
    frozen = FrozenEstimator(clone(BOOSTER))
    with pytest.raises(ValueError, match=r"cannot set parameters? of the inner"):
        StagedGridSearchCV(frozen, grid).fit(X, Y)
    assert not FITS


# Conduct


def test_arguments_are_left_alone():
    estimator, grid = clone(BOOSTER), {"n_estimators": [np.int64(2), 5]}
    before = repr(estimator), repr(grid)
    search = StagedGridSearchCV(estimator, grid, cv=2)
    params = dict(search.get_params(deep=False))
    search.fit(X, Y)
    assert (repr(estimator), repr(grid)) == before
    assert search.get_params(deep=False) == params
    assert search.get_params(deep=False).keys() == params.keys()
    assert type(search.best_estimator_.n_estimators) in (int, np.int64)


@pytest.mark.parametrize(
    "search",
    [
        StagedGridSearchCV(BOOSTER, GRID, cv=2, scoring="roc_auc"),
        StagedRandomizedSearchCV(BOOSTER, GRID, n_iter=4, random_state=0, cv=2),
    ],
)
def test_clone_and_pickle(search):
    assert (
        clone(search).get_params(deep=False).keys()
        == search.get_params(deep=False).keys()
    )
    fitted = clone(search).fit(X, Y)
    again = pickle.loads(pickle.dumps(fitted))
    assert_same_search(again, fitted)
    assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.score(X, Y) == fitted.score(X, Y)
    assert_same_search(clone(fitted).fit(X, Y), fitted)
    assert_same_search(fitted.fit(X, Y), again)


@pytest.mark.parametrize("staged", [StagedGridSearchCV, StagedRandomizedSearchCV])
def test_parameters_are_those_of_the_plain_search(staged):
    plain = staged.__bases__[1]
    assert plain in (GridSearchCV, RandomizedSearchCV)
    assert str(signature(staged)) == str(signature(plain))
    assert staged(BOOSTER, GRID).get_params(deep=False).keys() == (
        plain(BOOSTER, GRID).get_params(deep=False).keys()
    )


def test_nested_cross_validation():
    scores = [
        cross_val_score(kind(BOOSTER, GRID, cv=2), X, Y, cv=2)
        for kind in (StagedGridSearchCV, GridSearchCV)
    ]
    assert_array_equal(*scores)
    # A search in a search.
    inner = StagedGridSearchCV(BOOSTER, {"n_estimators": [2, 4]}, cv=2)
    fit_both(inner, {"estimator__max_depth": [1, 2]})


@pytest.mark.parametrize("scoring", [None, ["accuracy", "roc_auc"]])
def test_verbose(capsys, scoring):
    StagedGridSearchCV(
        BOOSTER,
        {"n_estimators": [2, 4], "max_depth": [1, 3]},
        verbose=10,
        scoring=scoring,
        refit=False,
        return_train_score=True,
        cv=2,
    ).fit(X, Y)
    out = capsys.readouterr().out
    assert out.startswith("Fitting 2 folds for each of 2 candidates, totalling 4 fits")
    name = "accuracy" if scoring else "score"
    assert f"max_depth=1, n_estimators=4; {name} at 2 trees: (train=0." in out
    assert f" {name} at 4 trees: (train=0." in out
    assert out.count("START") == 4
    StagedGridSearchCV(BOOSTER, {"max_depth": [1]}, verbose=3, cv=2).fit(X, Y)
    assert "max_depth=1; score: (test=0." in capsys.readouterr().out


class Recording:
    """A callback that counts the tasks of a search."""

    def __init__(self):
        self.names = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.names.append(context.task_name)


def test_callbacks():
    """They see the fits that there are: two for each split, and the last one."""
    search, recording = StagedGridSearchCV(BOOSTER, GRID, cv=2), Recording()
    expected = {}
    if hasattr(search, "set_callbacks"):  # scikit-learn >= 1.9
        search.set_callbacks(recording)
        expected = {"candidate-split-evaluation": 4, "search": 1}
        expected |= {"refit-with-best-params": 1, "fit": 1}
    search.fit(X, Y)
    assert Counter(recording.names) == expected


def test_times_are_those_of_the_shared_fit():
    search = StagedGridSearchCV(BOOSTER, GRID, cv=2).fit(X, Y)
    for name in ("mean_fit_time", "std_fit_time", "mean_score_time"):
        times = search.cv_results_[name].reshape(2, 3)
        assert (times > 0).all()
        assert (times == times[:, :1]).all()


def test_display():
    search = StagedGridSearchCV(in_pipeline(BOOSTER), with_prefix("model__", GRID))
    assert "StagedGridSearchCV" in search._repr_html_()
    assert "best_estimator_" in search.fit(X, Y)._repr_html_()
    assert repr(search).startswith("StagedGridSearchCV(")
