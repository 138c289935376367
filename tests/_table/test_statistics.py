"""Statistics of columns, where a weight of k is k rows."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skml._table._statistics import (
    is_mostly_zero,
    weighted_mean,
    weighted_median,
    weighted_mode,
)


@pytest.mark.parametrize("statistic", [weighted_median, weighted_mode, weighted_mean])
@pytest.mark.parametrize("seed", range(5))
def test_a_weight_is_so_many_rows(statistic, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, 20).astype(float)
    weights = rng.integers(1, 4, 20)
    expected = statistic(np.repeat(values, weights))
    assert statistic(values, weights.astype(float)) == pytest.approx(
        expected, rel=1e-14
    )


@pytest.mark.parametrize("weight", [0.1, 1 / 3, 1e-200, 1e200])
@pytest.mark.parametrize("n", [1, 2, 5, 6, 100])
def test_the_median_of_equal_weights_is_the_median(weight, n):
    values = np.random.default_rng(n).normal(size=n)
    assert weighted_median(values, np.full(n, weight)) == np.median(values)


def test_of_several_modes_the_smallest():
    assert weighted_mode(np.array([3.0, 1.0, 3.0, 1.0, 2.0])) == 1.0
    assert weighted_mode(np.array([1.0, 3.0]), np.array([1.0, 2.0])) == 3.0


def test_columns_that_are_mostly_zero():
    X = np.array([[1, 0, 0, 1, 0], [1, 0, 2, 0, 0], [1, 0, 3, 0, 0], [0, 0, 0, 2, 9]])
    X = sparse.csc_array(X.astype(float))
    assert_array_equal(is_mostly_zero(X), [False, True, False, False, True])
    weights = np.array([1.0, 1.0, 1.0, 4.0])
    assert_array_equal(is_mostly_zero(X, weights), [True, True, True, False, False])
