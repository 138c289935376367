"""Attention pooling, slow and plain."""

import numpy as np


def score(query, keys, kind):
    """How alike a point and some others are."""
    if kind == "gaussian":
        return -np.sum((query - keys) ** 2, axis=1) / 2
    if kind == "laplace":
        return -np.sqrt(np.sum((query - keys) ** 2, axis=1))
    products = np.sum(query * keys, axis=1)
    return products / np.sqrt(len(query)) if kind == "scaled-dot-product" else products


def weigh(queries, keys, kind, key_weights=None, exclude=None):
    """The weights of the keys, a query at a time, in float64."""
    queries, keys = queries.astype(np.float64), keys.astype(np.float64)
    weights = np.zeros((len(queries), len(keys)))
    for i, query in enumerate(queries):
        seen = np.arange(len(keys))
        if exclude is not None:
            seen = seen[seen != exclude[i]]
        if len(seen) == 0:
            continue
        scores = score(query, keys[seen], kind)
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


def check_gradient(function, arrays, gradient, *, step=1e-5, n_directions=3):
    """Compare a gradient with differences, in some random directions of each array.

    Arrays, and their gradients, are dicts; the arrays are changed in place.
    """
    assert gradient.keys() == arrays.keys()
    rng = np.random.default_rng(0)
    for name, array in arrays.items():
        assert gradient[name].shape == array.shape
        start = array.copy()
        for _ in range(n_directions):
            direction = rng.normal(size=array.shape)
            array[...] = start + step * direction
            above = function()
            array[...] = start - step * direction
            below = function()
            array[...] = start
            np.testing.assert_allclose(
                np.sum(gradient[name] * direction),
                (above - below) / (2 * step),
                rtol=1e-6,
                atol=1e-7,
                err_msg=name,
            )
