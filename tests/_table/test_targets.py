"""Targets of one column, and of several where the tags allow it."""

import warnings
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.exceptions import DataConversionWarning

from skml._table._learned_table import learn_table
from skml._table._learner import BaseTableLearner
from skml._table._targets import TargetScaling, check_target, learn_target_scaling

NAN = float("nan")


class MultiOutputTagMixin:
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class OneColumn(RegressorMixin, BaseTableLearner):
    """A regressor whose tags are those of all."""

    def __init__(self, categorical_features="from_dtype", missing_values=NAN):
        self.categorical_features = categorical_features
        self.missing_values = missing_values


class SeveralColumns(MultiOutputTagMixin, OneColumn):
    """A regressor of several targets."""


class Classes(MultiOutputTagMixin, ClassifierMixin, BaseTableLearner):
    """A classifier; there are none of several targets, whatever the tags."""


CONTAINERS = {
    "array": np.asarray,
    "list": lambda y: np.asarray(y).tolist(),
    "pandas": lambda y: pd.DataFrame(y, columns=["a", "b"]),
    "polars": lambda y: pl.DataFrame(y, schema=["a", "b"], orient="row"),
    "pyarrow": lambda y: pa.table(pd.DataFrame(y, columns=["a", "b"])),
}
# The same with a missing value in row 1, column 1, and how messages call the column.
INCOMPLETE = {
    "array": (np.array([[1, 2], [3, NAN]]), "1"),
    "objects": (np.array([[1, 2], [3, None]], dtype=object), "1"),
    "list": ([[1, 2], [3, None]], "1"),
    "pandas": (pd.DataFrame({"a": [1, 3], "b": [2.0, NAN]}), "'b'"),
    "pandas, NA": (
        pd.DataFrame({"a": [1, 3], "b": pd.array([2, None], dtype="Int64")}),
        "'b'",
    ),
    "pandas, bool": (
        pd.DataFrame({"a": [1, 3], "b": pd.array([True, None], dtype="boolean")}),
        "'b'",
    ),
    "pandas, names that are no strings": (pd.DataFrame([[1, 2], [3, NAN]]), "1"),
    "polars": (pl.DataFrame({"a": [1, 3], "b": [2, None]}), "'b'"),
    "polars, bool": (pl.DataFrame({"a": [1, 3], "b": [True, None]}), "'b'"),
    "pyarrow": (pa.table({"a": [1, 3], "b": [2, None]}), "'b'"),
    "pyarrow, bool": (pa.table({"a": [1, 3], "b": [True, None]}), "'b'"),
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64, bool])
def test_several_columns_are_floats(name, dtype):
    expected = np.array([[1, 0], [0, 1], [1, 1]], dtype=dtype)
    y = check_target(SeveralColumns(), CONTAINERS[name](expected))
    assert y.dtype == np.float64
    assert_array_equal(y, expected)


@pytest.mark.parametrize(
    "y", [np.ones((3, 1)), pd.DataFrame({"a": [1, 1, 1]}), [[1], [1], [1]]]
)
def test_one_column_of_a_table_stays_a_column(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(check_target(SeveralColumns(), y), np.ones((3, 1)))


def test_objects_that_are_numbers_are_numbers():
    y = check_target(SeveralColumns(), np.array([[1, 2.5], [True, 4]], dtype=object))
    assert y.dtype == np.float64
    assert_array_equal(y, [[1, 2.5], [1, 4]])


@pytest.mark.parametrize("name", INCOMPLETE)
def test_a_missing_value_is_found_in_its_row_and_column(name):
    y, column = INCOMPLETE[name]
    message = (
        rf"^Input y contains NaN: row 1, column {column} \(SeveralColumns\)\. Drop"
    )
    with pytest.raises(ValueError, match=message):
        check_target(SeveralColumns(), y)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_found_in_its_row_and_column(value):
    y = np.array([[1, 2], [3, 4], [value, NAN]])
    with pytest.raises(ValueError, match=r"contains infinity: row 2, column 0 \("):
        check_target(SeveralColumns(), y)


@pytest.mark.parametrize("y", [np.ones((3, 0)), pd.DataFrame(index=[0, 1, 2])])
def test_no_columns_are_refused(y):
    message = r"y has no columns: its shape is \(3, 0\) \(SeveralColumns\)\. Pass"
    with pytest.raises(ValueError, match=message):
        check_target(SeveralColumns(), y)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.ones((0, 2)), ValueError, "0 sample"),
        (np.ones((2, 2, 2)), ValueError, "dim 3"),
        ([[1, 2], [3]], ValueError, "inhomogeneous"),
        (np.array([["a", "b"]]), ValueError, "could not convert string to float"),
        (sparse.csr_array(np.eye(2)), TypeError, "Sparse data was passed for y"),
        (None, ValueError, "SeveralColumns requires y to be passed"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(y, error, message):
    with pytest.raises(error, match=message):
        check_target(SeveralColumns(), y)


@pytest.mark.parametrize("estimator", [OneColumn(), SeveralColumns()])
@pytest.mark.parametrize(
    "y", [[1, 2], (1, 2), np.array([1, 2]), pd.Series([1, 2]), pa.array([1, 2])]
)
def test_one_dimension_stays_one(estimator, y):
    y = check_target(estimator, y)
    assert y.dtype == np.float64
    assert_array_equal(y, [1.0, 2.0])


@pytest.mark.parametrize("estimator", [OneColumn(), SeveralColumns()])
@pytest.mark.parametrize("y", [[1, NAN], [1, None], pd.array([1, None])])
def test_a_missing_value_in_one_dimension_is_found_in_its_row(estimator, y):
    with pytest.raises(ValueError, match=r"^Input y contains NaN: row 1[ (]"):
        check_target(estimator, y)


@pytest.mark.parametrize("estimator", [OneColumn(), Classes()])
@pytest.mark.parametrize("name", CONTAINERS)
def test_several_columns_are_refused_without_the_tag(estimator, name):
    y = CONTAINERS[name](np.array([[1, 2], [3, 4], [5, 6]]))
    message = r"^y should be a 1d array, got an array of shape \(3, 2\) instead\.$"
    with pytest.raises(ValueError, match=message):
        check_target(estimator, y)


@pytest.mark.parametrize("estimator", [OneColumn(), Classes()])
def test_one_column_is_flattened_without_the_tag(estimator):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        y = check_target(estimator, np.array([[1], [2]]))
    assert_array_equal(y, [1, 2])


def test_rows_without_weight_are_left_out_of_all_columns():
    X, y = np.arange(3.0)[:, None], np.arange(6.0).reshape(3, 2)
    _, sample = learn_table(X, y, [1.0, 0.0, 2.0], SeveralColumns())
    assert_array_equal(sample.X, [[0], [2]])
    assert_array_equal(sample.y, [[0, 1], [4, 5]])
    assert_array_equal(sample.sample_weight, [1, 2])
    assert_array_equal(sample.positions, [0, 2])
    assert_array_equal(sample.as_passed(), X[[0, 2]])


def test_targets_of_another_number_of_rows_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        learn_table(np.ones((3, 1)), np.ones((2, 2)), None, SeveralColumns())


def as_objects(labels):
    return np.array(labels, dtype=object)


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        ([False, True], "bool"),
        (list(np.array([False, True])), "bool"),
        ([0, 1], "int64"),
        ([0, 1.5], "float64"),
        ([date(2020, 1, 2), date(2020, 1, 3)], "str"),
        (["a", 1], "str"),
        ([2**70, 1], "str"),
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [as_objects, lambda y: pd.Series(y, dtype=object)])
def test_objects_that_are_no_strings_are_no_labels(labels, target, make):
    message = (
        rf"^Unknown label type: row . of y is .* \(Classes\).*y\.astype\('{target}'\)"
    )
    with pytest.raises(ValueError, match=message):
        check_target(Classes(), make(labels))


def test_categories_that_are_no_strings_are_no_labels():
    with pytest.raises(ValueError, match=r"Interval.*Convert it: y\.astype\('str'\)"):
        check_target(Classes(), pd.Series(pd.cut([1.0, 9.0], 2)))


@pytest.mark.parametrize(
    "y",
    [
        [False, True],
        np.array([False, True]),
        pd.Series([False, True], dtype="boolean"),
        pd.Series([False, True], dtype=pd.ArrowDtype(pa.bool_())),
        pd.Series([False, True], dtype="category"),
        pl.Series([False, True]),
        pa.array([False, True]),
        pa.chunked_array([[False], [True]]),
    ],
    ids=lambda y: type(y).__name__,
)
def test_labels_may_be_bools_of_any_container(y):
    y = check_target(Classes(), y)
    assert y.dtype == bool
    assert_array_equal(y, [False, True])


@pytest.mark.parametrize("estimator", [OneColumn(), Classes()])
def test_strings_that_metrics_do_not_know_are_refused(estimator):
    y = np.array(["1", "2"], dtype=np.dtypes.StringDType())
    with pytest.raises(
        TypeError, match=r"y has the dtype StringDType.*astype\(object\)"
    ):
        check_target(estimator, y)


# Standard units.


@pytest.mark.parametrize("unit", [1e-300, 1e-20, 1.0, 1e20, 1e300])
@pytest.mark.parametrize("shape", [(50,), (50, 3)])
def test_targets_in_standard_units(unit, shape):
    y = np.random.default_rng(0).normal(size=shape) + 2
    weights = np.arange(1, 51)
    scaling = learn_target_scaling(y * unit, weights)
    repeated = np.repeat(y, weights, axis=0)
    assert_allclose(scaling.mean, repeated.mean(axis=0) * unit)
    assert_allclose(scaling.scale, repeated.std(axis=0) * unit)
    scaled = scaling.apply(y * unit)
    assert_allclose(scaled, (y - repeated.mean(axis=0)) / repeated.std(axis=0))
    assert_allclose(scaling.invert(scaled), y * unit)


def test_differences_of_huge_targets_do_not_overflow():
    y = np.array([-1.7e308, 1.7e308])
    assert_allclose(learn_target_scaling(y).apply(y), [-1, 1])


@pytest.mark.parametrize("value", [0.0, 0.1, -3e9])
def test_constant_targets_keep_their_unit(value):
    """Their mean is not exact, nor is their deviation zero then."""
    scaling = learn_target_scaling(np.full(10, value), np.full(10, 0.3))
    assert scaling.scale == 1
    columns = learn_target_scaling(np.full((10, 2), value) * [1, 2])
    assert_array_equal(columns.scale, [1, 1])
    assert_array_equal(TargetScaling().apply(np.ones(2)), [1, 1])
