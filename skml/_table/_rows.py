"""Rows of a table that are equal."""

import numpy as np
from scipy import sparse

MOST_COUNTED = 64  # times that a row is there; more are counted as these
HANDFUL = 5  # of rows, too few to judge counts by


def group_equal_rows(X, y):
    """Find rows that are equal and have equal targets, in an order of their own.

    Returns where each distinct row stands first, and which of them each row is.
    """
    if sparse.issparse(X):
        keys = np.array(list(_keys_of_sparse(X, y)), dtype=object)
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
        return first, group
    dtype = np.result_type(X, y)
    columns = [*X.T, *y.reshape(len(y), -1).T]
    order = np.arange(len(X))
    for column in reversed(columns):  # one by one: there is no copy of the table
        keys = _as_integers(column, dtype)[order]
        order = order[np.argsort(keys, kind="stable")]
    is_new = np.arange(len(X)) == 0  # in this order: unlike the row before
    for column in columns:
        keys = _as_integers(column, dtype)[order]
        is_new[1:] |= keys[1:] != keys[:-1]
    group = np.empty(len(X), dtype=np.intp)
    group[order] = np.cumsum(is_new) - 1
    return order[is_new], group


def _as_integers(values, dtype):
    """Integers that are equal where values are, in the order of their bytes."""
    values = values.astype(dtype) + dtype.type(0)  # makes -0.0 and 0.0 the same
    values[np.isnan(values)] = np.nan  # the same bits
    return values.view(f">u{dtype.itemsize}").astype(f"u{dtype.itemsize}")


def _keys_of_sparse(X, y):
    X = X.copy()
    X.data[np.isnan(X.data)] = np.nan
    X.eliminate_zeros()
    X.sort_indices()
    for start, stop, target in zip(X.indptr[:-1], X.indptr[1:], y, strict=True):
        row = slice(start, stop)
        yield X.indices[row].tobytes() + X.data[row].tobytes() + target.tobytes()


def count_repeats(weights):
    """How much weight other rows have that are equal to one, as far as weights show it.

    Weights are taken for counts of equal rows if they are whole numbers, at least one,
    that thin out as counts do: of the rows that are there `k` times, no more than half
    are there once more, but for a handful. A weight of k is then one row and k - 1
    others. Other weights, those of a survey for example, belong to one row each.
    """
    capped = np.minimum(weights, MOST_COUNTED)
    is_whole = (capped == np.floor(capped)).all() and (capped >= 1).all()
    if not is_whole:
        return np.zeros(len(weights))
    exactly = np.bincount(capped.astype(np.intp), minlength=MOST_COUNTED + 1)[1:]
    at_least = np.cumsum(exactly[::-1])[::-1]
    slack = np.full(MOST_COUNTED - 1, HANDFUL)
    slack[0] = 0
    thins_out = (2 * at_least[1:] <= at_least[:-1] + slack).all()
    return weights - 1 if thins_out else np.zeros(len(weights))
