"""Term weights and term vectors to one vector a document."""

import numpy as np


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
