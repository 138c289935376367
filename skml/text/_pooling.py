"""Token weights and word vectors to one vector a document."""

import numpy as np
from scipy import sparse


def count_matrix(documents, n_terms, *, dtype=np.float64):
    """Count the terms of each document.

    Parameters
    ----------
    documents : EncodedDocuments
        The documents as ids below `n_terms`.
    n_terms : int
        Number of columns.
    dtype : dtype, default=float64
        Of the counts.

    Returns
    -------
    counts : csr_array of shape (n_documents, n_terms)
        In canonical format. The documents are not changed.
    """
    counts = _ones(documents, n_terms, dtype, copy=True)
    counts.sum_duplicates()
    return counts


def mean_weights(documents, n_terms):
    """The weights of a plain mean: one for each token.

    A term that occurs twice stands in its row twice; no copy of the ids is made.
    """
    return _ones(documents, n_terms, np.float32, copy=False)


def _ones(documents, n_terms, dtype, *, copy):
    # scipy takes one integer type for both arrays, and narrows the smaller for it.
    index_type = np.int32 if len(documents.ids) <= np.iinfo(np.int32).max else np.int64
    return sparse.csr_array(
        (
            np.ones(len(documents.ids), dtype=dtype),
            documents.ids.astype(index_type, copy=copy),
            documents.offsets.astype(index_type),
        ),
        shape=(documents.n_documents, n_terms),
    )


def pool(weights, vectors):
    """Weighted mean of the vectors, one a row of weights.

    Parameters
    ----------
    weights : sparse array of shape (n_documents, n_terms)
        The weight of each term in each document.
    vectors : ndarray of shape (n_terms, n_features), dtype float32
        The vector of each term.

    Returns
    -------
    pooled : ndarray of shape (n_documents, n_features), dtype float32
        ``sum_t w_dt v_t / sum_t w_dt``; zeros where the weights of a row add to zero.
    """
    weights = weights.astype(np.float32, copy=False)
    pooled = np.asarray(weights @ vectors)
    total = np.asarray(weights.sum(axis=1, dtype=np.float64)).reshape(-1, 1)
    # Not `pooled /= total` with zeros replaced by one: weights of both signs may add
    # to zero while the product does not.
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total != 0)
    pooled *= scale.astype(np.float32)
    return pooled
