"""Attention as functions: scores, masked softmax, multi-head attention, positions.

Each derivative stands below what it is the derivative of.
"""

from numbers import Integral, Real

import numpy as np
from scipy.spatial.distance import cdist

from skml.attention._arrays import as_floats, check_points, check_width, unbroadcast


def masked_softmax(scores, mask=None, *, axis=-1):
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
        mask = np.asarray(mask)
        if mask.dtype != bool:
            raise ValueError(
                f"mask is of dtype {mask.dtype}; expected booleans, where True takes "
                "part."
            )
        try:
            mask = np.broadcast_to(mask, scores.shape)
        except ValueError:
            raise ValueError(
                f"mask of shape {mask.shape} does not broadcast to the shape of the "
                f"scores, {scores.shape}."
            ) from None
        scores = np.where(mask, scores, -np.inf)
    wrong = np.argwhere(np.isnan(scores) | (scores == np.inf))
    if len(wrong):
        at = tuple(wrong[0].tolist())
        raise ValueError(f"scores[{at}] is {scores[at]}; a score must be finite.")
    if scores.size == 0:
        return scores.copy()
    greatest = scores.max(axis=axis, keepdims=True)
    with np.errstate(over="ignore"):  # of a difference: its exponential is zero
        weights = np.exp(scores - np.where(np.isfinite(greatest), greatest, 0))
    total = weights.sum(axis=axis, keepdims=True)
    return weights / np.where(total > 0, total, 1)


def masked_softmax_backward(weights, gradient, *, axis=-1):
    """The derivative with respect to the scores; zero where weights are."""
    mean = (weights * gradient).sum(axis=axis, keepdims=True)
    return weights * (gradient - mean)


def gaussian_score(queries, keys, *, width=1.0):
    r"""Score pairs by their squared distance.

    .. math:: a(q, k) = -\tfrac12 \sum_d \left(\frac{q_d - k_d}{h_d}\right)^2

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        Who asks.
    keys : array-like of shape (..., n_keys, n_features)
        Who answers.
    width : float or array-like of shape (n_features,), default=1.0
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
        If shapes do not fit, values are not finite, or a width is not positive.

    Examples
    --------
    >>> from skml.attention import gaussian_score
    >>> gaussian_score([[0.0]], [[0.0], [1.0], [2.0]])
    array([[ 0. , -0.5, -2. ]])
    """
    queries, keys = check_points(queries, keys)
    width = check_width(width, queries)
    return _minus_distances(queries, keys, width, "sqeuclidean") / 2


def gaussian_score_backward(gradient, queries, keys, width):
    """The derivatives with respect to queries, keys and width."""
    width = np.asarray(width, dtype=queries.dtype)
    difference = (queries[..., :, None, :] - keys[..., None, :, :]) / width
    slope = gradient[..., None] * difference / width
    of_width = slope * difference
    return (
        unbroadcast(-slope.sum(axis=-2), queries.shape),
        unbroadcast(slope.sum(axis=-3), keys.shape),
        unbroadcast(of_width, width.shape),
    )


def laplace_score(queries, keys, *, width=1.0):
    r"""Score pairs by their distance.

    .. math:: a(q, k) = -\sqrt{\sum_d \left(\frac{q_d - k_d}{h_d}\right)^2}

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        Who asks.
    keys : array-like of shape (..., n_keys, n_features)
        Who answers.
    width : float or array-like of shape (n_features,), default=1.0
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
        If shapes do not fit, values are not finite, or a width is not positive.

    Examples
    --------
    >>> from skml.attention import laplace_score
    >>> laplace_score([[0.0]], [[1.0], [2.0]], width=2.0)
    array([[-0.5, -1. ]])
    """
    queries, keys = check_points(queries, keys)
    width = check_width(width, queries)
    return _minus_distances(queries, keys, width, "euclidean")


def laplace_score_backward(gradient, queries, keys, width):
    """The derivatives by queries, keys and width; zero where the distance is."""
    width = np.asarray(width, dtype=queries.dtype)
    difference = (queries[..., :, None, :] - keys[..., None, :, :]) / width
    distance = np.sqrt(np.square(difference).sum(axis=-1, keepdims=True))
    unit = np.divide(
        difference, distance, out=np.zeros_like(difference), where=distance > 0
    )
    slope = gradient[..., None] * unit / width
    return (
        unbroadcast(-slope.sum(axis=-2), queries.shape),
        unbroadcast(slope.sum(axis=-3), keys.shape),
        unbroadcast(slope * difference, width.shape),
    )


def dot_product_score(queries, keys):
    r"""Score pairs by their inner product.

    .. math:: a(q, k) = \sum_d q_d k_d

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        Who asks.
    keys : array-like of shape (..., n_keys, n_features)
        Who answers.

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


def dot_product_score_backward(gradient, queries, keys):
    """The derivatives with respect to queries and keys."""
    return (
        unbroadcast(gradient @ keys, queries.shape),
        unbroadcast(np.swapaxes(gradient, -1, -2) @ queries, keys.shape),
    )


def scaled_dot_product_score(queries, keys):
    r"""Score pairs by their inner product over the root of their length [1]_.

    .. math:: a(q, k) = \frac{1}{\sqrt{n}} \sum_{d=1}^n q_d k_d

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        Who asks.
    keys : array-like of shape (..., n_keys, n_features)
        Who answers.

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


def scaled_dot_product_score_backward(gradient, queries, keys):
    """The derivatives with respect to queries and keys."""
    scale = queries.dtype.type(np.sqrt(queries.shape[-1]))
    return dot_product_score_backward(gradient / scale, queries, keys)


def additive_score(queries, keys, *, query_weights, key_weights, vector):
    r"""Score pairs by a small network [1]_.

    .. math:: a(q, k) = v^\top \tanh(W_q^\top q + W_k^\top k)

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_query_features)
        Who asks.
    keys : array-like of shape (..., n_keys, n_key_features)
        Who answers.
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


def additive_score_backward(
    gradient, queries, keys, query_weights, key_weights, vector
):
    """The derivatives with respect to all five arguments."""
    hidden = np.tanh(
        (queries @ query_weights)[..., :, None, :]
        + (keys @ key_weights)[..., None, :, :]
    )
    slope = gradient[..., None] * vector * (1 - np.square(hidden))
    of_queries, of_keys = slope.sum(axis=-2), slope.sum(axis=-3)
    flat = (-1, len(vector))
    return (
        unbroadcast(of_queries @ query_weights.T, queries.shape),
        unbroadcast(of_keys @ key_weights.T, keys.shape),
        _sum_of_products(queries, of_queries),
        _sum_of_products(keys, of_keys),
        (gradient[..., None] * hidden).reshape(flat).sum(axis=0),
    )


def _sum_of_products(points, gradient):
    """The derivative of a projection of points, over all leading dimensions."""
    points = np.broadcast_to(points, gradient.shape[:-1] + points.shape[-1:])
    flat_points = points.reshape(-1, points.shape[-1])
    return flat_points.T @ gradient.reshape(-1, gradient.shape[-1])


def multi_head_attention(
    queries,
    keys,
    values,
    *,
    n_heads,
    query_weights=None,
    key_weights=None,
    value_weights=None,
    output_weights=None,
    query_bias=None,
    key_bias=None,
    value_bias=None,
    output_bias=None,
    mask=None,
    return_weights=False,
):
    r"""Attend in several heads, each to its own part of the projected features [1]_.

    .. math:: \mathrm{concat}_h \left( \mathrm{softmax} \left(
        \frac{Q_h K_h^\top}{\sqrt{n}} \right) V_h \right) W_o + b_o, \quad
        Q = q W_q + b_q, \; K = k W_k + b_k, \; V = v W_v + b_v

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        Who asks.
    keys : array-like of shape (..., n_keys, n_features)
        Who answers.
    values : array-like of shape (..., n_keys, n_value_features)
        What they answer.
    n_heads : int
        The number of heads, which divides the number of projected features.
    query_weights : array-like of shape (n_in, n_out), default=None
        Projects queries; None projects nothing.
    key_weights : array-like of shape (n_in, n_out), default=None
        Projects keys; None projects nothing.
    value_weights : array-like of shape (n_in, n_out), default=None
        Projects values; None projects nothing.
    output_weights : array-like of shape (n_in, n_out), default=None
        Projects what the heads found; None projects nothing.
    query_bias : array-like of shape (n_out,), default=None
        What is added to the projected queries; None adds nothing.
    key_bias : array-like of shape (n_out,), default=None
        What is added to the projected keys; None adds nothing.
    value_bias : array-like of shape (n_out,), default=None
        What is added to the projected values; None adds nothing.
    output_bias : array-like of shape (n_out,), default=None
        What is added to the result; None adds nothing.
    mask : array-like of bool, default=None
        Which keys a query sees (True), of a shape that broadcasts to
        (..., n_heads, n_queries, n_keys): (n_queries, n_keys) is for all heads. One of
        its own for each sequence of a batch, but the same for all heads, has a
        dimension of one for them: (n_batch, 1, n_queries, n_keys).
    return_weights : bool, default=False
        Whether the weights of the heads are returned as well.

    Returns
    -------
    attended : ndarray of shape (..., n_queries, n_outputs)
        What the queries found, of dtype float32 if queries, keys and values are
        float32 or float16, else float64; projections are converted to it.
    weights : ndarray of shape (..., n_heads, n_queries, n_keys)
        The weights, if `return_weights`.

    Raises
    ------
    ValueError
        If shapes do not fit, values are not finite, or the heads do not divide the
        features.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skml.attention import multi_head_attention
    >>> X = np.eye(2)
    >>> multi_head_attention(X, X, X, n_heads=2).round(2)
    array([[0.73, 0.5 ],
           [0.5 , 0.73]])
    """
    queries, keys, values = _check_attention(queries, keys, values)
    query_heads, key_heads, value_heads = (
        _split_heads(_project(points, weights, bias, name), n_heads, name)
        for points, weights, bias, name in (
            (queries, query_weights, query_bias, "query"),
            (keys, key_weights, key_bias, "key"),
            (values, value_weights, value_bias, "value"),
        )
    )
    if query_heads.shape[-1] != key_heads.shape[-1]:
        raise ValueError(
            f"queries are projected to {query_heads.shape[-1] * n_heads} features and "
            f"keys to {key_heads.shape[-1] * n_heads}; give query_weights and "
            "key_weights as many columns."
        )
    weights = masked_softmax(scaled_dot_product_score(query_heads, key_heads), mask)
    heads = np.swapaxes(weights @ value_heads, -2, -3)
    joined = heads.reshape(*heads.shape[:-2], n_heads * heads.shape[-1])
    attended = _project(joined, output_weights, output_bias, "output")
    return (attended, weights) if return_weights else attended


def self_attention(
    X,
    *,
    n_heads=1,
    query_weights=None,
    key_weights=None,
    value_weights=None,
    output_weights=None,
    query_bias=None,
    key_bias=None,
    value_bias=None,
    output_bias=None,
    mask=None,
    return_weights=False,
):
    """Let each row of a sequence attend to all its rows.

    Parameters
    ----------
    X : array-like of shape (..., n_rows, n_features)
        The rows, which are queries, keys and values.
    n_heads : int, default=1
        The number of heads, which divides the number of projected features.
    query_weights : array-like of shape (n_in, n_out), default=None
        Projects queries; None projects nothing.
    key_weights : array-like of shape (n_in, n_out), default=None
        Projects keys; None projects nothing.
    value_weights : array-like of shape (n_in, n_out), default=None
        Projects values; None projects nothing.
    output_weights : array-like of shape (n_in, n_out), default=None
        Projects what the heads found; None projects nothing.
    query_bias : array-like of shape (n_out,), default=None
        What is added to the projected queries; None adds nothing.
    key_bias : array-like of shape (n_out,), default=None
        What is added to the projected keys; None adds nothing.
    value_bias : array-like of shape (n_out,), default=None
        What is added to the projected values; None adds nothing.
    output_bias : array-like of shape (n_out,), default=None
        What is added to the result; None adds nothing.
    mask : array-like of bool, default=None
        Which rows a row sees (True), of a shape that broadcasts to
        (..., n_heads, n_rows, n_rows).
    return_weights : bool, default=False
        Whether the weights of the heads are returned as well.

    Returns
    -------
    attended : ndarray of shape (..., n_rows, n_outputs)
        What the rows found.
    weights : ndarray of shape (..., n_heads, n_rows, n_rows)
        The weights, if `return_weights`.

    Raises
    ------
    ValueError
        If shapes do not fit, values are not finite, or the heads do not divide the
        features.

    See Also
    --------
    multi_head_attention : The same, for queries that are not the keys.

    Examples
    --------
    >>> from skml.attention import self_attention
    >>> self_attention([[1.0, 0.0], [1.0, 0.0]])
    array([[1., 0.],
           [1., 0.]])
    """
    return multi_head_attention(
        X,
        X,
        X,
        n_heads=n_heads,
        query_weights=query_weights,
        key_weights=key_weights,
        value_weights=value_weights,
        output_weights=output_weights,
        query_bias=query_bias,
        key_bias=key_bias,
        value_bias=value_bias,
        output_bias=output_bias,
        mask=mask,
        return_weights=return_weights,
    )


def positional_encoding(n_positions, n_features, *, base=10000.0, dtype=np.float64):
    r"""Encode positions by sines and cosines of many lengths of wave [1]_.

    .. math:: P_{t, 2i} = \sin(t / b^{2i / n}), \quad P_{t, 2i+1} = \cos(t / b^{2i / n})

    Parameters
    ----------
    n_positions : int
        The number of positions t, from 0.
    n_features : int
        The number of columns n.
    base : float, default=10000.0
        The base b: how much longer the longest wave is than the shortest.
    dtype : dtype, default=np.float64
        The type of the result, of floats.

    Returns
    -------
    encoding : ndarray of shape (n_positions, n_features)
        Sines in even columns, cosines in odd ones.

    Raises
    ------
    ValueError
        If a number is not positive, or the dtype not one of floats.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.

    Examples
    --------
    >>> from skml.attention import positional_encoding
    >>> positional_encoding(3, 2).round(2)
    array([[ 0.  ,  1.  ],
           [ 0.84,  0.54],
           [ 0.91, -0.42]])
    """
    for name, value in (("n_positions", n_positions), ("n_features", n_features)):
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name}={value!r}; expected a positive integer.")
    if not isinstance(base, Real) or not 0 < base < np.inf:
        raise ValueError(f"base={base!r}; expected a positive number.")
    if np.dtype(dtype).kind != "f":
        raise ValueError(
            f"dtype={dtype!r}; expected one of floats: sines are fractions."
        )
    even = np.arange(0, n_features, 2)
    angles = np.arange(n_positions)[:, None] / base ** (even / n_features)
    encoding = np.empty((n_positions, n_features))
    encoding[:, 0::2] = np.sin(angles)
    encoding[:, 1::2] = np.cos(angles[:, : n_features // 2])
    return encoding.astype(dtype)


def _minus_distances(queries, keys, width, metric):
    """Distances from differences, in float64.

    Differences are taken before they are divided by the width: division rounds, which
    far from the origin is as large as the difference.
    """
    shape = np.broadcast_shapes(queries.shape[:-2], keys.shape[:-2])
    left = np.broadcast_to(queries, shape + queries.shape[-2:])
    right = np.broadcast_to(keys, shape + keys.shape[-2:])
    found = np.empty((*shape, queries.shape[-2], keys.shape[-2]), dtype=queries.dtype)
    width = width.astype(np.float64)
    unit = width.max()
    relative = {"w": np.square(unit / width)} if width.ndim else {}
    for at in np.ndindex(shape):
        distances = cdist(left[at], right[at], metric, **relative)
        with np.errstate(over="ignore"):
            distances /= unit
            if metric == "sqeuclidean":
                distances /= unit
            found[at] = 0.0 - distances  # not -distances, which makes zeros negative
    return found


def _check_attention(queries, keys, values):
    """Queries, keys and values, of one precision and of batches that broadcast."""
    queries, keys = check_points(queries, keys, same_features=False)
    _, values = check_points(
        keys, values, same_features=False, names=("keys", "values")
    )
    if values.shape[-2] != keys.shape[-2]:
        raise ValueError(
            f"values of shape {values.shape} and keys of shape {keys.shape}: there "
            "must be one value for each key."
        )
    try:
        np.broadcast_shapes(queries.shape[:-2], keys.shape[:-2], values.shape[:-2])
    except ValueError:
        raise ValueError(
            f"queries of shape {queries.shape}, keys of shape {keys.shape} and values "
            f"of shape {values.shape}: the leading dimensions do not broadcast."
        ) from None
    dtype = np.result_type(queries, keys, values)
    return [points.astype(dtype, copy=False) for points in (queries, keys, values)]


def _project(points, weights, bias, name):
    if weights is not None:
        (weights,) = as_floats(**{f"{name}_weights": weights})
        if weights.ndim != 2 or weights.shape[0] != points.shape[-1]:
            raise ValueError(
                f"{name}_weights has the shape {weights.shape}; expected "
                f"({points.shape[-1]}, n_out)."
            )
        points = points @ weights.astype(points.dtype)
    if bias is not None:
        (bias,) = as_floats(**{f"{name}_bias": bias})
        if bias.shape != points.shape[-1:]:
            raise ValueError(
                f"{name}_bias has the shape {bias.shape}; expected "
                f"{points.shape[-1:]}, a number for each projected feature."
            )
        points = points + bias.astype(points.dtype)
    return points


def _split_heads(points, n_heads, name):
    """Features of each head apart: (..., n_heads, n_points, n_features / n_heads)."""
    if isinstance(n_heads, bool) or not isinstance(n_heads, Integral) or n_heads < 1:
        raise ValueError(f"n_heads={n_heads!r}; expected a positive integer.")
    n_features = points.shape[-1]
    if n_features % n_heads:
        raise ValueError(
            f"n_heads={n_heads!r} does not divide the {n_features} features that "
            f"{name}_weights makes; each head gets an equal part of them."
        )
    split = points.reshape(*points.shape[:-1], n_heads, n_features // n_heads)
    return np.swapaxes(split, -2, -3)
