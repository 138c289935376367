"""Rows of a table that are equal."""

import numpy as np
from scipy import sparse


def group_equal_rows(X, y):
    """Find rows that are equal and have equal targets.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n_samples, n_features)
        The rows.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.

    Returns
    -------
    first : ndarray of shape (n_distinct,)
        Where each distinct row stands first. The rows have an order of their own, which
        does not depend on where they stood.
    group : ndarray of shape (n_samples,)
        Which of the distinct rows each row is.
    """
    _, first, group = np.unique(row_keys(X, y), return_index=True, return_inverse=True)
    return first, group


def row_keys(X, y):
    """Keys that are equal where rows and targets are, in an order of their own."""
    if sparse.issparse(X):
        return np.array(list(_keys_of_sparse(X, y)), dtype=object)
    table = np.column_stack([X, y]) + 0.0  # makes -0.0 and 0.0 the same
    table[np.isnan(table)] = np.nan  # the same bits
    row = np.dtype((np.void, table.itemsize * table.shape[1]))
    return np.ascontiguousarray(table).view(row).ravel()


def _keys_of_sparse(X, y):
    X = X.copy()
    X.data[np.isnan(X.data)] = np.nan
    X.eliminate_zeros()
    X.sort_indices()
    for start, stop, target in zip(X.indptr[:-1], X.indptr[1:], y, strict=True):
        row = slice(start, stop)
        yield X.indices[row].tobytes() + X.data[row].tobytes() + target.tobytes()
