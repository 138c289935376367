"""Tests of the preparation of tables: scikit-learn's transformers are the judges."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skml import GBDTClassifier, LRClassifier, SVMClassifier
from skml._table._containers import as_table
from skml._table._imputation import iterate_observed
from skml._table._preparation import learn_preparation
from skml._table._reader_learning import learn_reader

STRATEGIES = ["median", "mean", "most_frequent", "constant"]


def made_table(n_samples=60, n_features=5, seed=0):
    """Small integers, so that they repeat, missing ones in all columns but the last."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, (n_samples, n_features)).astype(float)
    missing = rng.random(X.shape) < 0.25
    missing[:, -1] = False
    X[missing] = np.nan
    return X


def prepare(X, sample_weight=None, categorical_features="from_dtype", **parameters):
    reader, values = learn_reader(
        as_table(X, "Test"),
        categorical_features=categorical_features,
        missing_values=np.nan,
        dtype=np.float64,
        caller="Test",
    )
    return learn_preparation(values, reader, sample_weight, **parameters)


def sparse_table(X):
    """A sparse matrix that stores NaN, and some of its zeros."""
    values = sparse.coo_array(np.where(X == 0, -1.0, X))
    values.data[values.data == -1] = 0
    stored = (values.data != 0) | (np.arange(values.nnz) % 2 == 0)
    parts = values.data[stored], (values.row[stored], values.col[stored])
    return sparse.csr_array(parts, shape=X.shape)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("scale", [False, True])
def test_equals_scikit_learn_without_weights(strategy, scale):
    X = made_table()
    preparation, prepared = prepare(X, imputation=strategy, scale=scale, fill_value=0)
    numbers = [SimpleImputer(strategy=strategy, fill_value=0)]
    numbers = make_pipeline(*numbers, *([StandardScaler()] if scale else []))
    twin = make_union(numbers, MissingIndicator()).fit(X)
    assert_allclose(prepared, twin.transform(X), atol=1e-12)
    other = made_table(seed=1)
    other[:, -1] = 3
    assert_allclose(preparation.transform(other), twin.transform(other), atol=1e-12)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("container", [np.asarray, sparse_table])
def test_weights_are_repeated_rows(strategy, container):
    X = made_table()
    weights = np.random.default_rng(3).integers(1, 5, len(X))
    weighted, _ = prepare(container(X), weights.astype(float), imputation=strategy)
    repeated, _ = prepare(container(np.repeat(X, weights, 0)), imputation=strategy)
    results = [p.transform(container(X)) for p in (weighted, repeated)]
    if sparse.issparse(results[0]):
        results = [result.toarray() for result in results]
    assert_allclose(*results, atol=1e-12)
    assert weighted.treatments == repeated.treatments


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_is_dense_without_centring(strategy, weighted):
    X = made_table()
    weights = np.random.default_rng(1).random(len(X)) + 0.5 if weighted else None
    _, dense = prepare(X, weights, imputation=strategy)
    _, kept_sparse = prepare(sparse_table(X), weights, imputation=strategy)
    assert isinstance(kept_sparse, sparse.csr_array)
    assert kept_sparse.indices.dtype == np.int32
    shift = dense - kept_sparse.toarray()
    assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-12)


def test_sparse_columns_far_from_zero_are_centred():
    X = np.random.default_rng(0).normal(size=(60, 2))
    X = np.column_stack([X[:, 0] + 1e9, np.where(X[:, 1] > 1, X[:, 1], 0.0)])
    shift = prepare(X)[1] - prepare(sparse.csr_array(X))[1].toarray()
    assert_allclose(shift[:, 0], 0.0, atol=1e-6)
    assert_allclose(shift[:, 1], shift[0, 1])
    assert shift[0, 1] != 0


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("unit", [5e-320, 1e-200, 1e-30, 1e30, 1e200, 1e307])
def test_units_of_columns_do_not_matter(unit, container):
    X = np.round(made_table())
    _, expected = prepare(container(X))
    _, prepared = prepare(container(X * unit))
    if sparse.issparse(prepared):
        prepared, expected = prepared.toarray(), expected.toarray()
    assert_allclose(prepared, expected, rtol=1e-3 if unit < 1e-300 else 1e-9, atol=1e-9)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_units_that_go_beyond_floats_are_refused(container):
    X = np.array([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0]])
    message = "The column 'x1' holds numbers as large as 3e[+]200"
    for learner in (LRClassifier, SVMClassifier):
        with pytest.raises(ValueError, match=message):
            learner(scale=False).fit(container(X * [1.0, 1e200]), [0, 1, 1])
    preparation, _ = prepare(container(X * [1.0, 1e-300]))
    with pytest.raises(ValueError, match=r"The column 'x1' .* Check its unit"):
        preparation.transform(container(X * [1.0, 1e200]))


def test_many_categories_are_sparse(monkeypatch):
    """The same columns, in little memory, of tables that have few rows, too."""
    rng = np.random.default_rng(0)
    labels = [f"n{i}" for i in rng.integers(0, 200, 300)]
    pairs = zip(labels, rng.normal(size=300), strict=True)
    X = [list(pair) for pair in pairs]
    X[::7] = [[None, None] for _ in X[::7]]
    _, dense = prepare(X)
    monkeypatch.setattr("skml._table._preparation.DENSE_BYTES", 0)
    preparation, prepared = prepare(X)
    assert isinstance(dense, np.ndarray)
    assert isinstance(prepared, sparse.csr_array)
    assert prepared.nnz <= 3 * 300
    assert_array_equal(prepared.toarray(), dense)
    table = np.array([[0.0, 0.5], [np.nan, np.nan]])
    assert preparation.transform(table).shape == (2, dense.shape[1])


@pytest.mark.parametrize(
    ("model", "tolerance"),
    [
        (LRClassifier(), 1e-12),
        (SVMClassifier(), 1e-10),
        (GBDTClassifier(method="exact", n_estimators=5, random_state=0), 0.0),
    ],
)
def test_sparse_categories_change_no_model(model, tolerance, monkeypatch):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=300)
    codes = rng.integers(0, 120, 300)
    X = [[f"n{code}", number] for code, number in zip(codes, numbers, strict=True)]
    y = numbers + rng.normal(size=120)[codes] > 0
    expected = model.fit(X, y).decision_function(X)
    monkeypatch.setattr("skml._table._preparation.DENSE_BYTES", 0)
    assert_allclose(model.fit(X, y).decision_function(X), expected, atol=tolerance)


def test_observed_values_of_sparse_columns():
    X = np.array([[0.0, 2.0], [np.nan, 0.0], [0.0, 3.0]])
    columns = list(iterate_observed(sparse_table(X), np.array([1.0, 2.0, 4.0])))
    totals = [(values @ weights, weights.sum()) for values, weights in columns]
    assert totals == [(0.0, 5.0), (14.0, 7.0)]


def test_categories_are_one_hot_and_missing_is_none():
    X = [["a", 1.0], ["b", 2.0], [None, 3.0], ["a", None]]
    preparation, prepared = prepare(X, scale=False)
    assert_array_equal(
        prepared,
        [[1, 1, 0, 0, 0], [2, 0, 1, 0, 0], [3, 0, 0, 1, 0], [2, 1, 0, 0, 1]],
    )
    assert preparation.feature_names_out.tolist() == [
        *("x1", "x0_a", "x0_b"),
        *("missingindicator_x0", "missingindicator_x1"),
    ]
    assert preparation.feature_of_output.tolist() == [1, 0, 0, 0, 1]
    assert preparation.treatments == [
        "one-hot, missing encoded as zeros + indicator",
        "median 2 + indicator",
    ]


def test_categories_equal_those_of_scikit_learn():
    labels = np.random.default_rng(0).choice(["x", "y", "z"], (40, 2)).astype(object)
    _, prepared = prepare(labels)
    assert_array_equal(prepared, OneHotEncoder().fit_transform(labels).toarray())


def test_without_indicator():
    X = [["a", 1.0], [None, 3.0], ["a", None]]
    preparation, prepared = prepare(X, scale=False, add_indicator=False)
    assert_array_equal(prepared, [[1, 1], [3, 0], [2, 1]])
    assert preparation.treatments == ["one-hot, missing encoded as zeros", "median 2"]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("imputation", ["mean", SimpleImputer()])
def test_all_missing_column_is_dropped(container, imputation):
    X = np.array([[np.nan, 1.0], [np.nan, 2.0], [np.nan, np.nan]])
    preparation, prepared = prepare(container(X), imputation=imputation)
    assert prepared.shape == (3, 2)
    assert preparation.treatments[0] == "ignored: all values missing"
    other = X.copy()
    other[:, 0] = [1.0, np.nan, -5.0]
    result = preparation.transform(container(other)) - prepared
    assert not np.any(result.toarray() if sparse.issparse(result) else result)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_all_missing_table_is_one_column_of_zeros(container):
    preparation, prepared = prepare(container(np.full((3, 2), np.nan)))
    assert prepared.shape == (3, 1)
    assert abs(prepared).sum() == 0
    assert preparation.feature_names_out.tolist() == ["nothing"]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_constant_column_is_safe(container):
    preparation, prepared = prepare(container(np.full((4, 1), 7.0)))
    result = preparation.transform(container(np.array([[8.0]]))) - prepared[[0]]
    assert_allclose(np.asarray(result.sum()), 1.0)


@pytest.mark.parametrize("container", [np.asarray, sparse_table])
def test_input_is_left_alone(container):
    X = container(made_table())
    before = copy.deepcopy(X)
    preparation, _ = prepare(X)
    preparation.transform(X)
    if sparse.issparse(X):
        X, before = X.data, before.data
    assert_array_equal(X, before)


@pytest.mark.parametrize(
    "imputer", [KNNImputer(n_neighbors=3), IterativeImputer(max_iter=20, tol=0.1)]
)
def test_estimator_imputes(imputer):
    X = made_table()
    preparation, prepared = prepare(X, imputation=imputer, random_state=0, scale=False)
    filled = preparation.imputer.transform(X)
    assert_allclose(prepared[:, : X.shape[1]], filled)
    assert not hasattr(imputer, "n_features_in_")
    name = type(imputer).__name__
    assert preparation.treatments[0] == f"{name} + indicator"


def test_estimator_without_seed_gets_one():
    imputer = IterativeImputer(sample_posterior=True, max_iter=2, tol=1e9)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    results = [
        prepare(made_table(), imputation=imputer, random_state=seed)[1]
        for seed in (0, 0, 1)
    ]
    assert_array_equal(results[0], results[1])
    assert np.any(results[0] != results[2])
    assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


class WeightedMean(TransformerMixin, BaseEstimator):
    """Takes weights."""

    def fit(self, X, y=None, sample_weight=None):
        self.weight_ = sample_weight
        return self

    def transform(self, X):
        return np.nan_to_num(X)


def test_estimator_gets_weights_if_it_takes_them():
    X, weights = made_table(), np.arange(1.0, 61.0)
    preparation, _ = prepare(X, weights, imputation=WeightedMean())
    assert preparation.imputer.weight_ is weights


class DropsColumns(WeightedMean):
    def transform(self, X):
        return np.nan_to_num(X)[:, 1:]


class LeavesHoles(WeightedMean):
    def transform(self, X):
        return X


@pytest.mark.parametrize(
    ("imputer", "message"),
    [
        (DropsColumns(), "imputation=DropsColumns made 4 columns of the 5"),
        (LeavesHoles(), "imputation=LeavesHoles left values missing"),
        (SimpleImputer(add_indicator=True), "must return as many as it gets"),
    ],
)
def test_estimator_that_does_not_impute_is_refused(imputer, message):
    with pytest.raises(ValueError, match=message):
        prepare(made_table(), imputation=imputer)
