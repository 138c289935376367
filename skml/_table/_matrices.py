"""Matrices of numbers, dense or CSR, by columns."""

import numpy as np
from scipy import sparse


def largest_sizes(numbers):
    """The largest absolute value of each column."""
    if not sparse.issparse(numbers):
        return np.maximum(numbers.max(axis=0), -numbers.min(axis=0))
    sizes = np.zeros(numbers.shape[1])
    np.maximum.at(sizes, numbers.indices, np.abs(numbers.data))
    return sizes


def without_zeros(numbers):
    """A CSC copy that stores no zeros."""
    columns = numbers.tocsc(copy=True)
    columns.eliminate_zeros()
    return columns


def repeat_row(row, n_rows):
    """A CSR matrix whose rows are all the same."""
    columns = np.flatnonzero(row)
    data, indices = np.tile(row[columns], n_rows), np.tile(columns, n_rows)
    indptr = np.arange(n_rows + 1) * len(columns)
    return sparse.csr_array((data, indices, indptr), shape=(n_rows, len(row)))


def divide_columns(numbers, divisors):
    """Divide each column by its divisor, in place."""
    if sparse.issparse(numbers):
        numbers.data /= divisors[numbers.indices]
    else:
        numbers /= divisors


def with_small_indices(X):
    """Let positions in a sparse matrix be 32-bit integers, if they can be.

    libsvm and liblinear take no others.
    """
    if X.nnz < 2**31:
        X.indices = X.indices.astype(np.int32, copy=False)
        X.indptr = X.indptr.astype(np.int32, copy=False)
    return X
