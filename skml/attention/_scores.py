"""Scores of queries and keys, and the softmax over those that take part."""

import numpy as np
from scipy.spatial.distance import cdist

from skml._typing import ArrayLike
from skml.attention._arrays import as_floats, check_bandwidth, check_points


def masked_softmax(
    scores: ArrayLike, mask: ArrayLike | None = None, *, axis: int = -1
) -> np.ndarray:
    r"""Turn scores into weights that sum to one, over those that take part.

    .. math:: p_j = \frac{m_j e^{s_j}}{\sum_i m_i e^{s_i}}

    Parameters
    ----------
    scores : array-like of shape (...)
        The scores; one of minus infinity is as if it were masked.
    mask : array-like of bool, default=None
        Which scores take part (True), of a shape that broadcasts to theirs. None means
        all.
    axis : int, default=-1
        Along which weights sum to one.

    Returns
    -------
    weights : ndarray of the shape of `scores`
        The weights, of dtype float32 if `scores` are float32 or float16, else float64.
        Where none takes part, all are zero.

    Raises
    ------
    ValueError
        If the mask is not of booleans, or does not fit, or a score that takes part is
        NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from skml.attention import masked_softmax
    >>> masked_softmax([[0.0, 0.0, 5.0], [1.0, 2.0, 3.0]],
    ...                [[True, True, False], [False, False, False]])
    array([[0.5, 0.5, 0. ],
           [0. , 0. , 0. ]])
    """
    (scores,) = as_floats(scores=scores, finite=False)
    if mask is not None:
        scores = np.where(_check_mask(mask, scores.shape), scores, -np.inf)
    wrong = np.argwhere(np.isnan(scores) | (scores == np.inf))
    if len(wrong):
        position = tuple(wrong[0].tolist())
        raise ValueError(
            f"scores[{position}] is {scores[position]}; a score must be finite."
        )
    if scores.size == 0:
        return scores.copy()
    greatest = scores.max(axis=axis, keepdims=True)
    with np.errstate(over="ignore"):  # of a difference: its exponential is zero
        weights = np.exp(scores - np.where(np.isfinite(greatest), greatest, 0))
    total = weights.sum(axis=axis, keepdims=True)
    return weights / np.where(total > 0, total, 1)


def _check_mask(mask, shape):
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise ValueError(
            f"mask is of dtype {mask.dtype}; expected booleans, where True takes part."
        )
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(
            f"mask of shape {mask.shape} does not broadcast to the shape of the "
            f"scores, {shape}."
        ) from None


def gaussian_score(
    queries: ArrayLike, keys: ArrayLike, *, bandwidth: float | ArrayLike = 1.0
) -> np.ndarray:
    r"""Score pairs by their squared distance.

    .. math:: a(q, k) = -\tfrac12 \sum_d \left(\frac{q_d - k_d}{h_d}\right)^2

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        The queries.
    keys : array-like of shape (..., n_keys, n_features)
        The keys.
    bandwidth : float or array-like of shape (n_features,), default=1.0
        The distance h at which the exponential has fallen to 0.61; one for all
        features, or one for each.

    Returns
    -------
    scores : ndarray of shape (..., n_queries, n_keys)
        The scores, none positive, and zero for equal points; minus infinity where a
        distance is too large for their type.

    Raises
    ------
    ValueError
        If shapes do not fit, values are not finite, or a bandwidth is not positive.

    Examples
    --------
    >>> from skml.attention import gaussian_score
    >>> gaussian_score([[0.0]], [[0.0], [1.0], [2.0]])
    array([[ 0. , -0.5, -2. ]])
    """
    queries, keys = check_points(queries, keys)
    bandwidth = check_bandwidth(bandwidth, queries)
    return _minus_distances(queries, keys, bandwidth, "sqeuclidean") / 2


def laplace_score(
    queries: ArrayLike, keys: ArrayLike, *, bandwidth: float | ArrayLike = 1.0
) -> np.ndarray:
    r"""Score pairs by their distance.

    .. math:: a(q, k) = -\sqrt{\sum_d \left(\frac{q_d - k_d}{h_d}\right)^2}

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        The queries.
    keys : array-like of shape (..., n_keys, n_features)
        The keys.
    bandwidth : float or array-like of shape (n_features,), default=1.0
        The distance h at which the exponential has fallen to 0.37; one for all
        features, or one for each.

    Returns
    -------
    scores : ndarray of shape (..., n_queries, n_keys)
        The scores, none positive, and zero for equal points; minus infinity where a
        distance is too large for their type.

    Raises
    ------
    ValueError
        If shapes do not fit, values are not finite, or a bandwidth is not positive.

    Examples
    --------
    >>> from skml.attention import laplace_score
    >>> laplace_score([[0.0]], [[1.0], [2.0]], bandwidth=2.0)
    array([[-0.5, -1. ]])
    """
    queries, keys = check_points(queries, keys)
    bandwidth = check_bandwidth(bandwidth, queries)
    return _minus_distances(queries, keys, bandwidth, "euclidean")


def dot_product_score(queries: ArrayLike, keys: ArrayLike) -> np.ndarray:
    r"""Score pairs by their inner product.

    .. math:: a(q, k) = \sum_d q_d k_d

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        The queries.
    keys : array-like of shape (..., n_keys, n_features)
        The keys.

    Returns
    -------
    scores : ndarray of shape (..., n_queries, n_keys)
        The scores.

    Raises
    ------
    ValueError
        If shapes do not fit, or values are not finite.

    Examples
    --------
    >>> from skml.attention import dot_product_score
    >>> dot_product_score([[1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]])
    array([[1., 2.]])
    """
    queries, keys = check_points(queries, keys)
    return queries @ np.swapaxes(keys, -1, -2)


def scaled_dot_product_score(queries: ArrayLike, keys: ArrayLike) -> np.ndarray:
    r"""Score pairs by their inner product over the root of their length [1]_.

    .. math:: a(q, k) = \frac{1}{\sqrt{n}} \sum_{d=1}^n q_d k_d

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        The queries.
    keys : array-like of shape (..., n_keys, n_features)
        The keys.

    Returns
    -------
    scores : ndarray of shape (..., n_queries, n_keys)
        The scores.

    Raises
    ------
    ValueError
        If shapes do not fit, or values are not finite.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.

    Examples
    --------
    >>> from skml.attention import scaled_dot_product_score
    >>> scaled_dot_product_score([[1.0, 2.0, 3.0, 4.0]], [[1.0, 1.0, 1.0, 1.0]])
    array([[5.]])
    """
    queries, keys = check_points(queries, keys)
    scale = queries.dtype.type(np.sqrt(queries.shape[-1]))
    return queries @ np.swapaxes(keys, -1, -2) / scale


def additive_score(
    queries: ArrayLike,
    keys: ArrayLike,
    *,
    query_weights: ArrayLike,
    key_weights: ArrayLike,
    vector: ArrayLike,
) -> np.ndarray:
    r"""Score pairs by a small network [1]_.

    .. math:: a(q, k) = v^\top \tanh(W_q^\top q + W_k^\top k)

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_query_features)
        The queries.
    keys : array-like of shape (..., n_keys, n_key_features)
        The keys.
    query_weights : array-like of shape (n_query_features, n_hidden)
        Maps queries to hidden values.
    key_weights : array-like of shape (n_key_features, n_hidden)
        Maps keys to hidden values.
    vector : array-like of shape (n_hidden,)
        Maps hidden values to a score.

    Returns
    -------
    scores : ndarray of shape (..., n_queries, n_keys)
        The scores.

    Raises
    ------
    ValueError
        If shapes do not fit, or values are not finite.

    References
    ----------
    .. [1] D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly
       Learning to Align and Translate", ICLR 2015.

    Examples
    --------
    >>> from skml.attention import additive_score
    >>> additive_score([[1.0]], [[-1.0], [0.0]], query_weights=[[1.0]],
    ...                key_weights=[[1.0]], vector=[2.0]).round(2)
    array([[0.  , 1.52]])
    """
    queries, keys = check_points(queries, keys, same_features=False)
    query_weights, key_weights, vector = as_floats(
        query_weights=query_weights, key_weights=key_weights, vector=vector
    )
    if vector.ndim != 1:
        raise ValueError(
            f"vector has the shape {vector.shape}; expected one dimension, with a "
            "number for each column of query_weights and key_weights."
        )
    expected = {
        "query_weights": (queries.shape[-1], len(vector)),
        "key_weights": (keys.shape[-1], len(vector)),
    }
    for name, value in (("query_weights", query_weights), ("key_weights", key_weights)):
        if value.shape != expected[name]:
            raise ValueError(
                f"{name} has the shape {value.shape}; expected {expected[name]}: "
                "features of the points, and the length of vector."
            )
    dtype = queries.dtype
    hidden = np.tanh(
        (queries @ query_weights.astype(dtype))[..., :, None, :]
        + (keys @ key_weights.astype(dtype))[..., None, :, :]
    )
    return hidden @ vector.astype(dtype)


def _minus_distances(queries, keys, bandwidth, metric):
    """Distances from differences, in float64.

    Differences are taken before they are divided by the bandwidth: division rounds, and
    far from the origin the rounding error is as large as the difference.
    """
    shape = np.broadcast_shapes(queries.shape[:-2], keys.shape[:-2])
    left = np.broadcast_to(queries, shape + queries.shape[-2:])
    right = np.broadcast_to(keys, shape + keys.shape[-2:])
    scores = np.empty((*shape, queries.shape[-2], keys.shape[-2]), dtype=queries.dtype)
    bandwidth = bandwidth.astype(np.float64)
    unit = bandwidth.max()
    relative = {"w": np.square(unit / bandwidth)} if bandwidth.ndim else {}
    for batch in np.ndindex(shape):
        distances = cdist(left[batch], right[batch], metric, **relative)
        with np.errstate(over="ignore"):
            distances /= unit
            if metric == "sqeuclidean":
                distances /= unit
            scores[batch] = 0.0 - distances  # -distances would make zeros negative
    return scores
