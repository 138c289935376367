"""Pooling by the additive score, a small network for each pair of a query and a key.

.. math:: a(q, k) = v^\\top \\tanh(q + k)

A point has three parts, side by side: what it is as a query q, what it is as a key k,
and the vector v, which is the same for all points. No matrix product is of help here:
there are as many hyperbolic tangents as pairs times components, some ten times the work
of a distance.
"""

import numpy as np

TILE_PAIRS = 2**18  # that are looked at together
N_PARTS = 3


def split_point(points):
    """The three parts of points."""
    return np.split(points, N_PARTS, axis=1)


def score_pairs(asked, keys, vector):
    """The scores of queries and keys, component by component, to save memory."""
    scores = np.zeros((len(asked), len(keys)), dtype=asked.dtype)
    for column, other, weight in zip(asked.T, keys.T, vector, strict=True):
        scores += weight * np.tanh(column[:, np.newaxis] + other)
    return scores


def weigh_tile(queries, keys, values, key_weights, exclude, bonus=None):
    """What some queries pool, the weights of the keys, and the normaliser."""
    asked, _, vector = split_point(queries)
    scores = score_pairs(asked, split_point(keys)[1], vector[0])
    if exclude is not None:
        rows = np.flatnonzero(exclude >= 0)
        scores[rows, exclude[rows]] += -np.inf if bonus is None else bonus[rows]
    highest = scores.max(axis=1, keepdims=True)
    highest[np.isneginf(highest)] = 0  # no key is left
    weights = np.exp(scores - highest)
    if key_weights is not None:
        weights *= key_weights
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        log_normalizer = np.log(total) + highest
    weights /= np.where(total > 0, total, 1)
    return weights @ values, weights, log_normalizer[:, 0]


def pool(queries, keys, values, key_weights, exclude):
    """Pool values, some queries at a time; and the logarithms of the normalisers."""
    step = max(1, TILE_PAIRS // len(keys))
    tiles = [
        weigh_tile(
            queries[start : start + step],
            keys,
            values,
            key_weights,
            None if exclude is None else exclude[start : start + step],
        )
        for start in range(0, len(queries), step)
    ]
    if not tiles:
        return np.empty((0, values.shape[1]), dtype=queries.dtype), np.empty(0)
    pooled, _, log_normalizer = zip(*tiles, strict=True)
    return np.concatenate(pooled), np.concatenate(log_normalizer)


def backward(weights, pooled, values, gradient, queries, keys):
    """The derivatives of what was pooled, of queries, keys and values.

    A part of a point that was not used, such as a query's as a key, has zeros.
    """
    of_scores = weights * (gradient @ values.T - (gradient * pooled).sum(1)[:, None])
    asked, _, vector = split_point(queries)
    answering = split_point(keys)[1]
    of_queries, of_keys = np.zeros_like(queries), np.zeros_like(keys)
    of_asked, _, of_vector = split_point(of_queries)
    of_answering = split_point(of_keys)[1]
    for c, weight in enumerate(vector[0]):
        hidden = np.tanh(asked[:, [c]] + answering[:, c])
        # A vector a query: all are the same, and their gradients add up.
        of_vector[:, c] = np.einsum("ij,ij->i", of_scores, hidden)
        slope = weight * of_scores * (1 - np.square(hidden))
        of_asked[:, c] = slope.sum(axis=1)
        of_answering[:, c] = slope.sum(axis=0)
    return of_queries, of_keys, weights.T @ gradient
