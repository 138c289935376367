"""Pooling by the additive score, a small network for each pair of a query and a key.

.. math:: a(q, k) = v^\\top \\tanh(q + k)

A point has three parts, side by side: what it is as a query q, what it is as a key k,
and the vector v, which is the same for all points. No matrix product is of help here:
there are as many hyperbolic tangents as pairs times components, some ten times the work
of a distance.
"""

import numpy as np

from skml.attention._arrays import tiles_of

TILE_PAIRS = 2**18  # of a query and a key that are held at a time
N_PARTS = 3


def split_point(points):
    """The three parts of points."""
    return np.split(points, N_PARTS, axis=1)


def score_pairs(queries, keys, vector):
    """The scores of queries and keys, component by component, to save memory."""
    scores = np.zeros((len(queries), len(keys)), dtype=queries.dtype)
    for query, key, weight in zip(queries.T, keys.T, vector, strict=True):
        scores += weight * np.tanh(query[:, np.newaxis] + key)
    return scores


def weigh(queries, keys, values, key_weights, exclude=None, bonus=None):
    """Pool values, and return the weights of the keys, too."""
    as_query, _, vector = split_point(queries)
    scores = score_pairs(as_query, split_point(keys)[1], vector[0])
    if exclude is not None:
        rows = np.flatnonzero(exclude >= 0)
        scores[rows, exclude[rows]] += -np.inf if bonus is None else bonus[rows]
    highest = scores.max(axis=1, keepdims=True)
    highest[np.isneginf(highest)] = 0  # no key is left
    weights = np.exp(scores - highest)
    if key_weights is not None:
        weights *= key_weights
    total = weights.sum(axis=1, keepdims=True)
    weights /= np.where(total > 0, total, 1)
    return weights @ values, weights


def pool(queries, keys, values, key_weights):
    """Pool values, a tile of queries at a time."""
    pooled = np.empty((len(queries), values.shape[1]), dtype=queries.dtype)
    for rows in tiles_of(len(queries), max(1, TILE_PAIRS // len(keys))):
        pooled[rows], _ = weigh(queries[rows], keys, values, key_weights)
    return pooled


def backward(weights, pooled, values, gradient, queries, keys):
    """The derivatives of queries, keys and values; zero for parts of no effect."""
    score_gradient = gradient @ values.T - (gradient * pooled).sum(1)[:, None]
    score_gradient *= weights
    as_query, _, vector = split_point(queries)
    as_key = split_point(keys)[1]
    query_gradient, key_gradient = np.zeros_like(queries), np.zeros_like(keys)
    of_query, _, of_vector = split_point(query_gradient)
    of_key = split_point(key_gradient)[1]
    for c, weight in enumerate(vector[0]):
        hidden = np.tanh(as_query[:, [c]] + as_key[:, c])
        # A vector a query: all are the same, and their gradients add up.
        of_vector[:, c] = np.einsum("ij,ij->i", score_gradient, hidden)
        slope = weight * score_gradient * (1 - np.square(hidden))
        of_query[:, c] = slope.sum(axis=1)
        of_key[:, c] = slope.sum(axis=0)
    return query_gradient, key_gradient, weights.T @ gradient
