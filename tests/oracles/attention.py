"""Attention pooling, slow and plain."""

import numpy as np


def score(query, key, kind):
    """How alike two points are."""
    if kind == "gaussian":
        return -np.sum((query - key) ** 2) / 2
    if kind == "laplace":
        return -np.sqrt(np.sum((query - key) ** 2))
    product = np.sum(query * key)
    return product / np.sqrt(len(query)) if kind == "scaled-dot-product" else product


def weigh(queries, keys, kind, key_weights=None, exclude=None):
    """The weights of the keys, a query at a time, in float64."""
    queries, keys = queries.astype(np.float64), keys.astype(np.float64)
    weights = np.zeros((len(queries), len(keys)))
    for i, query in enumerate(queries):
        seen = [j for j in range(len(keys)) if exclude is None or j != exclude[i]]
        if not seen:
            continue
        scores = np.array([score(query, keys[j], kind) for j in seen])
        exponentials = np.exp(scores - scores.max())
        if key_weights is not None:
            exponentials = exponentials * key_weights[seen]
        weights[i, seen] = exponentials / exponentials.sum()
    return weights


def encode_piecewise(values, edges):
    """A column for each bin: 0 before it, 1 behind it, the share of the way within."""
    encoded = np.zeros((len(values), len(edges) - 1))
    for i, value in enumerate(values):
        for b in range(len(edges) - 1):
            share = (value - edges[b]) / (edges[b + 1] - edges[b])
            encoded[i, b] = min(max(share, 0.0), 1.0)
    return encoded


def slope(function, array, step=1e-6):
    """The gradient of a function of an array that is changed in place."""
    gradient = np.empty_like(array)
    for at in np.ndindex(array.shape):
        value = array[at]
        array[at] = value + step
        above = function()
        array[at] = value - step
        gradient[at] = (above - function()) / (2 * step)
        array[at] = value
    return gradient
