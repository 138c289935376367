"""scikit-learn's own checks of all estimators of tables."""

import lightgbm
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import is_classifier
from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
    check_sample_weight_equivalence_on_sparse_data,
    parametrize_with_checks,
)

from skml import tabular

NAMES = [n for n in tabular.__all__ if n.endswith(("Classifier", "Regressor"))]
BOOSTERS = [n for n in NAMES if not n.startswith(("LR", "SVM"))]
# The checks' tables have some 15 rows: with the defaults, no tree splits them.
SMALL_LEAVES = {name: {"min_samples_leaf": 1} for name in BOOSTERS}
for name in ("LightGBMClassifier", "LightGBMRegressor"):
    SMALL_LEAVES[name]["library_params"] = {"min_data_in_bin": 1}
TIGHT = {
    "LRClassifier": {"tol": 1e-6},
    "SVMClassifier": {"tol": 1e-9},
    "SVMRegressor": {"tol": 1e-9},
}
EXACT = {"method": "exact"}
FEW = {"n_estimators": 15}  # as many as a regressor needs for the score they expect

# Of the boosters with small leaves, those whose ties do come out differently.
TIED = {"GBDTClassifier", "GBDTRegressor", "LightGBMClassifier"}
REASONS = dict.fromkeys(TIED, "gain ties broken by rounding")
REASONS["LightGBMClassifier"] = "rows of a leaf counted by their second derivatives"


# Of each library the defaults, with which most of those tables teach nothing.
DEFAULTS = {"GBDTRegressor", "LightGBMClassifier", "XGBoostRegressor"}


def configurations(name):
    """Parameters with which the tables of the checks are learned, and some others."""
    cls = getattr(tabular, name)
    if name in TIGHT:
        return [cls()]
    found = [cls(**SMALL_LEAVES[name], **FEW)]
    if name in DEFAULTS:
        found.append(cls(**FEW))
    if name.startswith("GBDT"):
        found.append(cls(**EXACT, **FEW))
    return found


ESTIMATORS = [estimator for name in NAMES for estimator in configurations(name)]


def expected_failures(estimator):
    name = type(estimator).__name__
    small = name in TIED and estimator.min_samples_leaf == 1
    checks = [
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    ]
    return dict.fromkeys(checks, REASONS[name]) if small else {}


@pytest.mark.filterwarnings("ignore:.*learned nothing")  # of 15 rows
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", TIGHT)
def test_weights_are_rows_the_more_exactly_the_tighter_the_tolerance(name):
    estimator = getattr(tabular, name)(**TIGHT[name])
    check_sample_weight_equivalence_on_dense_data(name, estimator)
    check_sample_weight_equivalence_on_sparse_data(name, estimator)


# That the reasons are true


def data_without_ties(n_samples=120, n_features=3):
    """Irregular numbers, of which no two splits can gain the same."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    target = (
        X @ [1.0, 0.7, -0.3] + np.sin(3 * X[:, 0]) + 0.3 * rng.normal(size=n_samples)
    )
    return X, target, rng.integers(2, 5, size=n_samples)


@pytest.mark.parametrize("name", [*SMALL_LEAVES, "exact GBDTClassifier"])
def test_without_ties_a_weight_is_a_number_of_equal_rows(name):
    """Of 120 rows with weights 2 to 4, or repeated that many times.

    Each value has a bin of its own.
    """
    method, _, name = name.rpartition(" ")
    parameters = EXACT | {"min_samples_leaf": 1} if method else SMALL_LEAVES[name]
    estimator = getattr(tabular, name)(
        n_estimators=4, max_leaf_nodes=4, random_state=0, **parameters
    )
    X, y, weight = data_without_ties()
    if is_classifier(estimator):
        y = np.digitize(y, [-0.5, 0.8])
    weighted = estimator.fit(X, y, weight)
    repeated = type(estimator)(**estimator.get_params()).fit(
        np.repeat(X, weight, axis=0), np.repeat(y, weight)
    )
    method = "predict_proba" if is_classifier(estimator) else "predict"
    assert_allclose(
        getattr(weighted, method)(X), getattr(repeated, method)(X), atol=1e-6
    )


def test_lightgbm_refuses_leaves_whose_second_derivatives_are_small():
    """It takes the number of rows from their fraction of the sum, and rounds it.

    A row may then count for none, and for one where it stands there twice. The first
    splits that differ are no tie: the better one, of few rows, is refused.
    """
    X, y, weight = data_without_ties()
    params = {"objective": "multiclass", "num_class": 3, "num_leaves": 4}
    params |= {"min_data_in_bin": 1, "min_data_in_leaf": 1, "seed": 0}
    params |= {"verbosity": -1, "num_threads": 1, "deterministic": True}
    splits = []
    for rows in (np.arange(120), np.repeat(np.arange(120), weight)):
        data = lightgbm.Dataset(
            X[rows],
            label=np.digitize(y, [-0.5, 0.8])[rows],
            weight=weight if len(rows) == 120 else None,
        )
        frame = lightgbm.train(params, data, num_boost_round=20).trees_to_dataframe()
        splits.append(frame[frame["split_feature"].notna()].reset_index())
    weighted, repeated = splits
    differ = (weighted["split_feature"] != repeated["split_feature"]).to_numpy()
    first = np.flatnonzero(differ)[0]
    assert first >= 10
    assert_allclose(
        weighted["split_gain"][:first], repeated["split_gain"][:first], rtol=1e-4
    )
    assert repeated["split_gain"][first] > 1.02 * weighted["split_gain"][first]


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(name):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(2, size=60)
    model = getattr(tabular, name)().fit(X, y)
    before, names = model.predict(X), set(vars(model))
    with pytest.raises(ValueError, match="all values of sample_weight are zero"):
        model.fit(X[:, :2], y + 5, np.zeros(60))
    assert set(vars(model)) == names
    assert model.n_features_in_ == 3
    np.testing.assert_array_equal(model.predict(X), before)
