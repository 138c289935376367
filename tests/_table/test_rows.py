"""Rows that are equal are found, wherever they stand and however they are stored."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skml._table._rows import count_repeats, group_equal_rows

X = np.array([[1.0, np.nan], [2, 3], [1, np.nan], [2, 3], [-0.0, 0], [0.0, 0]])
Y = np.array([0.0, 1, 0, 2, 5, 5])
GROUPS = [{0, 2}, {1}, {3}, {4, 5}]


def rows_of_groups(group):
    return [set(np.flatnonzero(group == g).tolist()) for g in np.unique(group)]


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_equal_rows_with_equal_targets_are_one(make):
    first, group = group_equal_rows(make(X), Y)
    assert sorted(rows_of_groups(group), key=min) == GROUPS
    assert_array_equal(first[group[first]], first)
    assert all(min(rows) in first for rows in GROUPS)


def test_rows_that_differ_in_one_of_several_targets_are_distinct():
    targets = np.column_stack([Y, [0, 0, 1, 0, 0, 0]])
    _, group = group_equal_rows(X, targets)
    assert sorted(rows_of_groups(group), key=min) == [{0}, {1}, {2}, {3}, {4, 5}]


def test_the_order_of_rows_does_not_count():
    rng = np.random.default_rng(0)
    table, target = rng.integers(3, size=(50, 2)).astype(float), np.zeros(50)
    first, _ = group_equal_rows(table, target)
    shuffled = table[rng.permutation(50)]
    again, _ = group_equal_rows(shuffled, target)
    assert_array_equal(table[first], shuffled[again])


@pytest.mark.parametrize(
    ("counts", "are_counts"),
    [
        ({1: 100}, True),
        ({1: 100, 2: 20, 3: 4, 4: 1}, True),
        ({1: 100, 2: 10, 1000: 2}, True),  # a handful of rows may be there often
        ({1: 100, 2: 101}, False),  # most rows are not alone
        ({1: 100, 10: 20}, False),  # such as weights of a class
        ({1: 100, 2.5: 3}, False),
        ({0.5: 100}, False),
        ({70_000: 3, 80_000: 40}, False),
        ({1000: 4}, False),
    ],
)
def test_weights_that_thin_out_are_counts(counts, are_counts):
    weights = np.repeat([float(w) for w in counts], list(counts.values()))
    expected = weights - 1 if are_counts else np.zeros(len(weights))
    assert_array_equal(count_repeats(weights), expected)
