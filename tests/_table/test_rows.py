"""Rows that are equal are found, wherever they stand and however they are stored."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skml._table._rows import group_equal_rows

X = np.array([[1.0, np.nan], [2, 3], [1, np.nan], [2, 3], [-0.0, 0], [0.0, 0]])
Y = np.array([0.0, 1, 0, 2, 5, 5])
GROUPS = [{0, 2}, {1}, {3}, {4, 5}]


def members(group):
    return [set(np.flatnonzero(group == g).tolist()) for g in np.unique(group)]


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_equal_rows_with_equal_targets_are_one(make):
    first, group = group_equal_rows(make(X), Y)
    assert sorted(members(group), key=min) == GROUPS
    assert_array_equal(first[group[first]], first)
    assert all(min(rows) in first for rows in GROUPS)


def test_one_of_several_targets_tells_rows_apart():
    targets = np.column_stack([Y, [0, 0, 1, 0, 0, 0]])
    _, group = group_equal_rows(X, targets)
    assert sorted(members(group), key=min) == [{0}, {1}, {2}, {3}, {4, 5}]


def test_the_order_of_rows_does_not_count():
    rng = np.random.default_rng(0)
    table, target = rng.integers(3, size=(50, 2)).astype(float), np.zeros(50)
    first, _ = group_equal_rows(table, target)
    shuffled = table[rng.permutation(50)]
    again, _ = group_equal_rows(shuffled, target)
    assert_array_equal(table[first], shuffled[again])
