"""Containers of tables: arrays, sparse matrices, lists, frames of three libraries."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skml._table._columns import may_be_rounded
from skml._table._readers import library_of


def as_table(X, caller):
    """Check a table: a data frame stays one, all else becomes an array or CSR array.

    A batch of pyarrow becomes a table, whose names scikit-learn knows; so does what
    scikit-learn's splits make of a batch, an array of structs.
    """
    if type(X) is np.ndarray and X.ndim == 2 and X.dtype.kind in "fiub" and X.size:
        return X  # most of the time of a single row would go to checks
    if library_of(X) == "pyarrow":
        X = _batch_as_table(X)
    if not hasattr(X, "shape"):
        X = _list_as_array(X, caller)
    elif isinstance(X, np.ma.MaskedArray):
        X = _fill_masked(X)
    if not is_frame(X):
        X = check_array(
            X,
            accept_sparse="csr",
            dtype=None,
            ensure_all_finite=False,
            estimator=caller,
        )
        return sparse.csr_array(X) if sparse.issparse(X) else X
    for what, count in zip(("sample", "feature"), X.shape, strict=True):
        if count == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={tuple(X.shape)}) while a "
                f"minimum of 1 is required by {caller}."
            )
    return X


def _batch_as_table(X):
    import pyarrow

    if isinstance(X, pyarrow.StructArray):
        X = pyarrow.RecordBatch.from_struct_array(X)
    return pyarrow.Table.from_batches([X]) if isinstance(X, pyarrow.RecordBatch) else X


def _fill_masked(X):
    """NaN, or None beside integers that no float is, for what is masked."""
    are_floats = X.dtype.kind in "fiub" and not (
        X.dtype.kind in "iu" and may_be_rounded(X.data)
    )
    X = X.astype(np.float64 if are_floats else object)
    return X.filled(np.nan if are_floats else None)


def _list_as_array(X, caller):
    """As NumPy does, but numbers beside strings stay numbers, and integers exact."""
    array = np.asarray(X)
    if array.ndim == 0:
        advice = " Collect it first: X.collect()." if hasattr(X, "collect") else ""
        raise ValueError(
            f"Expected 2D array, got {type(X).__name__}: {caller} takes a data frame "
            "of pandas or polars, a table of pyarrow, an array, a sparse matrix or a "
            f"list of rows.{advice}"
        )
    if array.dtype.kind in "US" or (array.dtype.kind == "f" and may_be_rounded(array)):
        return np.array(X, dtype=object)
    return array


def is_frame(X):
    """Whether a table is a data frame of pandas or polars, or a table of pyarrow."""
    return library_of(X) is not None and len(X.shape) == 2


def as_matrix(X):
    """A table of numbers only as a matrix, dense or sparse; None if it is none."""
    library = library_of(X)
    if library is None:
        return X if X.dtype.kind in "fiub" else None
    is_matrix = library == "pandas" and all(
        isinstance(dtype, np.dtype) and dtype.kind in "fiub" for dtype in X.dtypes
    )
    return X.to_numpy(dtype=np.result_type(*X.dtypes)) if is_matrix else None


def column_names(X):
    """The names of the columns, if all are strings."""
    if not is_frame(X):
        return None
    names = getattr(X, "column_names", None) or list(X.columns)
    return list(map(str, names)) if all(isinstance(n, str) for n in names) else None


def take_rows(X, rows):
    """Some of the rows of a table, in the container that it is in."""
    library = library_of(X)
    if library == "pandas":
        return X.iloc[rows]
    if library == "pyarrow":
        return X.take(rows)
    if isinstance(X, (list, tuple)):
        return [X[row] for row in rows.tolist()]
    return (X.tocsr() if sparse.issparse(X) else X)[rows]


def split_columns(X):
    """The columns of a table in their order."""
    library = library_of(X)
    if library == "pandas":
        return (X.iloc[:, j] for j in range(X.shape[1]))
    if library == "polars":
        return iter(X.get_columns())
    if library == "pyarrow":
        return iter(X.columns)
    return iter(X.T)


def as_dense(X):
    """Make an array of a sparse table: what is not stored is zero, not missing."""
    return X.toarray() if sparse.issparse(X) else X


def dense_column(values, j):
    """A column of a matrix, with the zeros that a sparse one does not store."""
    return as_dense(values[:, [j]]).ravel()
