"""Terms counted: from encoded documents to a matrix, and which terms to keep."""

from numbers import Integral

import numpy as np
from scipy import sparse


def is_count_matrix(X):
    """Whether X is a table of numbers; a table of text is no input at all."""
    if sparse.issparse(X):
        return True
    if getattr(X, "ndim", None) != 2 and not hasattr(X, "columns"):
        return False
    # Only the first row is looked at: a whole frame would be copied.
    first = np.asarray(X[:1])
    return not any(isinstance(value, (str, bytes)) for value in first.flat)


def count_matrix(documents, n_terms, dtype=np.float64):
    """Documents as ids (overwritten) to a canonical CSR matrix of counts."""
    ones = np.ones(len(documents.ids), dtype=dtype)
    # A matrix, not an array: what scikit-learn makes of it is then its own choice.
    counts = sparse.csr_matrix(
        (ones, documents.ids, documents.offsets),
        shape=(documents.n_documents, n_terms),
    )
    counts.sum_duplicates()
    return counts


def terms_to_keep(df, tf, n_documents, weighter):
    """The mask of the terms within the limits of a weighter, as in scikit-learn.

    The terms are in the order of their spelling; `df` is in how many documents each of
    them is, and `tf` how often in all of them.
    """
    min_df, max_df, caller = weighter.min_df, weighter.max_df, type(weighter).__name__
    max_features = weighter.max_features
    low = min_df if isinstance(min_df, Integral) else min_df * n_documents
    high = max_df if isinstance(max_df, Integral) else max_df * n_documents
    if high < low:
        raise ValueError(
            f"{caller}: max_df corresponds to < documents than min_df: "
            f"max_df={max_df!r} is {high:g} and min_df={min_df!r} is {low:g} of "
            f"{n_documents} documents."
        )
    is_kept = df <= high
    # A column that fit saw empty has no term to prune unless rare terms are.
    if low > 1:
        is_kept &= df >= low
    if not is_kept.any():
        raise ValueError(_nothing_kept(df[df > 0], low, high, n_documents, caller))
    if max_features is not None and is_kept.sum() > max_features:
        # The same sort of the same numbers, so that ties fall as in scikit-learn.
        first = (-tf[is_kept]).argsort()[:max_features]
        is_kept[np.delete(np.flatnonzero(is_kept), first)] = False
    return is_kept


def _nothing_kept(df, low, high, n_documents, caller):
    below, above = df[df <= high], df[df >= low]
    remedies = []
    if len(below):
        remedies.append(f"min_df={below.max()}")
    if len(above):
        remedies.append(f"max_df={above.min()}")
    return (
        f"{caller}: after pruning, no terms remain: none of the {len(df)} terms is in "
        f"at least {low:g} (min_df) and at most {high:g} (max_df) of the {n_documents} "
        f"documents. {' or '.join(remedies)} would keep some."
    )


def frequencies(counts):
    """In how many rows each column is not empty, and the sums of the columns."""
    n_terms = counts.shape[1]
    tf = np.bincount(counts.indices, weights=counts.data, minlength=n_terms)
    return np.bincount(counts.indices, minlength=n_terms), tf.astype(counts.dtype)


def value_of_each_token(matrix, ids, offsets):
    """Look up each token in the row of its document; 0 where its id is negative."""
    n_documents, n_terms = matrix.shape
    rows = np.arange(n_documents)
    entries = np.repeat(rows, np.diff(matrix.indptr)) * n_terms + matrix.indices
    tokens = np.repeat(rows, np.diff(offsets)) * n_terms + ids
    values = np.zeros(len(ids), dtype=matrix.dtype)
    known = ids >= 0
    # The rows are canonical, so that the entries are sorted.
    values[known] = matrix.data[np.searchsorted(entries, tokens[known])]
    return np.split(values, offsets[1:-1])
