"""Pooling by attention: weighted means of values, for queries that attend to keys."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import ceil

import numpy as np
from joblib import effective_n_jobs

from skml._typing import ArrayLike
from skml.attention import _additive, _pooling_kernel
from skml.attention._arrays import (
    as_floats,
    check_bandwidth,
    check_points,
    tiles_of,
)
from skml.attention._scores import (
    dot_product_score,
    gaussian_score,
    laplace_score,
    masked_softmax,
    scaled_dot_product_score,
)

LEVEL = _pooling_kernel.best_level()
SCORES = {"gaussian": 0, "laplace": 1, "dot-product": 2, "scaled-dot-product": 2}
ROWS_OF_THREAD = 64  # the fewest queries that a thread is worth
PAIRS_OF_PART = 2**28  # of a query and a key: some tenths of a second
TILE_VALUES = 2**20  # masked scores that are held at a time


def _scale_points(queries, keys, score):
    """Points as the kernel takes them: the root of their size divides products."""
    if score == "scaled-dot-product":
        queries = queries / queries.dtype.type(np.sqrt(queries.shape[1]))
    return np.ascontiguousarray(queries), np.ascontiguousarray(keys)


def pool_rows(queries, keys, values, key_weights, *, score, n_jobs=None):
    """Pool values, unchecked: all arrays are of one precision."""
    if score == "additive":
        return _additive.pool(queries, keys, values, key_weights)
    queries, keys = _scale_points(queries, keys, score)
    pooled = np.empty((len(queries), values.shape[1]), dtype=queries.dtype)
    log_normalizer = np.empty(len(queries))

    def pool_part(rows):
        _pooling_kernel.pool(
            queries[rows],
            keys,
            values,
            key_weights,
            None,
            None,
            SCORES[score],
            pooled[rows],
            log_normalizer[rows],
            None,
            LEVEL,
        )

    n_threads = effective_n_jobs(n_jobs)
    _in_threads(pool_part, split_rows(len(queries), len(keys), n_threads), n_threads)
    return pooled


def _in_threads(work, parts, n_threads):
    if n_threads == 1 or len(parts) == 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(n_threads) as threads:
        try:
            list(threads.map(work, parts))
        except BaseException:  # an interrupt, too, need not wait for the rest
            threads.shutdown(cancel_futures=True)
            raise


def split_heads(z, n_heads):
    """The columns of each head, apart in memory."""
    return list(map(np.ascontiguousarray, np.split(z, n_heads, axis=1)))


def pool_heads(points, key_heads, values, key_weights, *, score, n_jobs):
    """The mean of what heads pool, each from its keys, in the values' precision."""
    dtype, pooled = values.dtype, 0
    points, key_weights = points.astype(dtype), key_weights.astype(dtype)
    heads = zip(split_heads(points, len(key_heads)), key_heads, strict=True)
    for queries, keys in heads:
        pooled = pooled + pool_rows(
            queries,
            keys.astype(dtype, copy=False),
            values,
            key_weights,
            score=score,
            n_jobs=n_jobs,
        )
    return pooled / len(key_heads)


def split_rows(n_rows, n_keys, n_threads):
    """Divide rows among threads, in parts so short that interrupts are soon seen."""
    n_parts = ceil(n_rows * n_keys / PAIRS_OF_PART)
    n_parts = max(n_parts, min(n_threads, n_rows // ROWS_OF_THREAD))
    ends = np.linspace(0, n_rows, max(1, min(n_parts, n_rows)) + 1).astype(int)
    return [slice(*pair) for pair in pairwise(ends)]


def weigh_rows(queries, keys, values, key_weights, *, score, exclude=None, bonus=None):
    """Pool values in one thread, and return the weights of the keys, too.

    A query does not attend to the key `exclude`, -1 for none; or, with `bonus`, less:
    by the logarithm of the fraction of the key's weight that is left.
    """
    if score == "additive":
        return _additive.weigh(queries, keys, values, key_weights, exclude, bonus)
    queries, keys = _scale_points(queries, keys, score)
    pooled = np.empty((len(queries), values.shape[1]), dtype=queries.dtype)
    weights = np.empty((len(queries), len(keys)), dtype=queries.dtype)
    _pooling_kernel.pool(
        queries,
        keys,
        values,
        key_weights,
        None if exclude is None else np.ascontiguousarray(exclude, np.int64),
        bonus,
        SCORES[score],
        pooled,
        np.empty(len(queries)),
        weights,
        LEVEL,
    )
    return pooled, weights


def backward(weights, pooled, values, gradient, queries, keys, *, score):
    """The derivatives of what `weigh_rows` pooled; overwrites the weights.

    The derivatives of the scores of a query sum to zero, so that those of distances
    need products with the points alone, and sums. Returned are those with respect to
    queries, keys and values, from that with respect to `pooled`.
    """
    if score == "additive":
        return _additive.backward(weights, pooled, values, gradient, queries, keys)
    value_gradient = weights.T @ gradient
    row_sums = np.empty(len(queries), dtype=queries.dtype)
    column_sums = np.empty(len(keys), dtype=queries.dtype)
    queries, keys = _scale_points(queries, keys, score)
    _pooling_kernel.backward(
        weights,
        pooled,
        values,
        gradient,
        queries,
        keys,
        SCORES[score],
        row_sums,
        column_sums,
        LEVEL,
    )
    query_gradient, key_gradient = weights @ keys, weights.T @ queries
    if score in {"gaussian", "laplace"}:
        query_gradient -= row_sums[:, np.newaxis] * queries
        key_gradient -= column_sums[:, np.newaxis] * keys
    elif score == "scaled-dot-product":
        query_gradient /= queries.dtype.type(np.sqrt(queries.shape[1]))
    return query_gradient, key_gradient, value_gradient


def attention_pooling(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    *,
    score: str = "gaussian",
    bandwidth: float | ArrayLike = 1.0,
    key_weight: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> np.ndarray:
    r"""Average the values of keys, weighted by how alike they are to queries.

    .. math:: f(q) = \sum_j \frac{w_j e^{a(q, k_j)}}{\sum_i w_i e^{a(q, k_i)}} v_j

    With the score "gaussian" this is kernel regression [1]_ [2]_. Weights are never
    held in memory all at once: some hundred kilobytes are enough, beside the result and
    a copy of points that have to be divided by bandwidths.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_features)
        The queries.
    keys : array-like of shape (n_keys, n_features)
        The keys.
    values : array-like of shape (n_keys,) or (n_keys, n_outputs)
        The values, which are averaged.
    score : str, default="gaussian"
        How alike points are: "gaussian", "laplace", "dot-product" or
        "scaled-dot-product"; see :func:`gaussian_score` and the other functions.
    bandwidth : float or array-like of shape (n_features,), default=1.0
        The bandwidth of the scores "gaussian" and "laplace".
    key_weight : array-like of shape (n_keys,), default=None
        How often a key counts; not negative.
    mask : array-like of bool of shape (n_queries, n_keys), default=None
        Which keys a query attends to (True). This is slower.
    n_jobs : int, default=None
        The number of threads. None means 1 unless in a
        :obj:`joblib.parallel_backend` context; -1 means all processors.

    Returns
    -------
    pooled : ndarray of shape (n_queries,) or (n_queries, n_outputs)
        The means, of dtype float32 if queries, keys and values are float32 or float16,
        else float64. Zero for a query that attends to no key.

    Raises
    ------
    ValueError
        If shapes do not fit, values are not finite, there is no key, a bandwidth is not
        positive, or no weight is.

    References
    ----------
    .. [1] E. A. Nadaraya, "On Estimating Regression", Theory of Probability and its
       Applications 9, 1964.
    .. [2] G. S. Watson, "Smooth Regression Analysis", Sankhya A 26, 1964.

    Examples
    --------
    >>> from skml.attention import attention_pooling
    >>> attention_pooling([[0.0], [0.9]], [[0.0], [1.0]], [1.0, 3.0],
    ...                   bandwidth=0.5).round(2)
    array([1.24, 2.66])

    A query that attends to a single key gets its value:

    >>> attention_pooling([[0.0], [0.9]], [[0.0], [1.0]], [1.0, 3.0], bandwidth=0.5,
    ...                   mask=[[False, True], [True, True]]).round(2)
    array([3.  , 2.66])
    """
    if score not in SCORES:
        raise ValueError(f"score={score!r}; expected one of {sorted(SCORES)}.")
    queries, keys, values, is_1d = _check_pooling(queries, keys, values)
    if score in {"gaussian", "laplace"}:
        bandwidth = check_bandwidth(bandwidth, keys)
        if (bandwidth != 1).any():  # else there is no need for copies
            with np.errstate(all="ignore"):  # _check_scores finds it
                queries, keys = queries / bandwidth, keys / bandwidth
    elif not (np.isscalar(bandwidth) and bandwidth == 1.0):
        raise ValueError(
            f"bandwidth={bandwidth!r} has no effect when score={score!r}. Leave it at "
            "its default, 1.0."
        )
    _check_scores(queries, keys, score)
    key_weight = _check_key_weight(key_weight, keys)
    if mask is None:
        pooled = pool_rows(
            queries, keys, values, key_weight, score=score, n_jobs=n_jobs
        )
    else:
        pooled = _pool_masked(queries, keys, values, key_weight, mask, score)
    return pooled.ravel() if is_1d else pooled


def _check_pooling(queries, keys, values):
    queries, keys = check_points(queries, keys)
    (values,) = as_floats(values=values)
    for name, array in (("queries", queries), ("keys", keys)):
        if array.ndim != 2:
            raise ValueError(f"{name} has the shape {array.shape}; expected (n, d).")
    if len(keys) == 0:
        raise ValueError("There are no keys; at least one is needed.")
    if values.ndim not in {1, 2} or len(values) != len(keys):
        raise ValueError(
            f"values of shape {values.shape} and keys of shape {keys.shape}: there "
            "must be one value, or one row of values, for each key."
        )
    dtype = np.result_type(queries, values)
    columns = values.reshape(len(values), -1)
    read = (np.ascontiguousarray(a, dtype=dtype) for a in (queries, keys, columns))
    return *read, values.ndim == 1


def _check_key_weight(key_weight, keys):
    if key_weight is None:
        return None
    (read,) = as_floats(key_weight=key_weight)
    if read.shape != (len(keys),):
        raise ValueError(
            f"key_weight has the shape {read.shape}; expected ({len(keys)},), one for "
            "each key."
        )
    if (read < 0).any() or not (read > 0).any():
        raise ValueError(
            "key_weight has negative values, or none that is positive; a key of weight "
            "0 is left out."
        )
    # Only ratios count; the largest is 1, so that none overflows in the dtype of keys.
    return np.ascontiguousarray(read / read.max(), dtype=keys.dtype)


def _check_scores(queries, keys, score):
    """Refuse points so far away that scores may overflow: all weights would be 0."""
    if len(queries) == 0:
        return
    with np.errstate(all="ignore"):
        highest = [points.max(axis=0) for points in (queries, keys)]
        lowest = [points.min(axis=0) for points in (queries, keys)]
        if score in {"gaussian", "laplace"}:
            bound = np.square(np.maximum(*highest) - np.minimum(*lowest)).sum()
        else:
            bound = np.prod(np.maximum(highest, np.negative(lowest)), axis=0).sum()
    if not bound < np.finfo(keys.dtype).max:
        raise ValueError(
            f"Queries and keys are so far from each other, or from zero, that "
            f"score={score!r} overflows in {keys.dtype}. Scale them, choose a larger "
            "bandwidth, or pass float64."
        )


def _pool_masked(queries, keys, values, key_weight, mask, score):
    """Pool as the formula says, a tile of queries at a time."""
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (len(queries), len(keys)):
        raise ValueError(
            f"mask has dtype {mask.dtype} and shape {mask.shape}; expected booleans of "
            f"shape {(len(queries), len(keys))}, where True is attended to."
        )
    score = {
        "gaussian": gaussian_score,
        "laplace": laplace_score,
        "dot-product": dot_product_score,
        "scaled-dot-product": scaled_dot_product_score,
    }[score]
    bonus = 0.0
    if key_weight is not None:
        with np.errstate(divide="ignore"):
            bonus = np.log(key_weight)
    pooled = np.empty((len(queries), values.shape[1]), dtype=queries.dtype)
    for rows in tiles_of(len(queries), max(1, TILE_VALUES // len(keys))):
        weights = masked_softmax(score(queries[rows], keys) + bonus, mask[rows])
        pooled[rows] = weights @ values
    return pooled
