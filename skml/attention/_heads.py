"""Attention in several heads, and encodings of positions, as transformers have them."""

from numbers import Integral, Real

import numpy as np

from skml._typing import ArrayLike, DTypeLike
from skml.attention._arrays import as_floats, check_points
from skml.attention._scores import masked_softmax, scaled_dot_product_score


def multi_head_attention(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    *,
    n_heads: int,
    query_weights: ArrayLike | None = None,
    key_weights: ArrayLike | None = None,
    value_weights: ArrayLike | None = None,
    output_weights: ArrayLike | None = None,
    query_bias: ArrayLike | None = None,
    key_bias: ArrayLike | None = None,
    value_bias: ArrayLike | None = None,
    output_bias: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    return_weights: bool = False,
):
    r"""Attend in several heads, each to its own part of the projected features [1]_.

    .. math:: \mathrm{concat}_h \left( \mathrm{softmax} \left(
        \frac{Q_h K_h^\top}{\sqrt{n}} \right) V_h \right) W_o + b_o, \quad
        Q = q W_q + b_q, \; K = k W_k + b_k, \; V = v W_v + b_v

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        The queries.
    keys : array-like of shape (..., n_keys, n_features)
        The keys.
    values : array-like of shape (..., n_keys, n_value_features)
        The values, one row for each key.
    n_heads : int
        The number of heads, which divides the number of projected features.
    query_weights : array-like of shape (n_in, n_out), default=None
        Projects queries; None projects nothing.
    key_weights : array-like of shape (n_in, n_out), default=None
        Projects keys; None projects nothing.
    value_weights : array-like of shape (n_in, n_out), default=None
        Projects values; None projects nothing.
    output_weights : array-like of shape (n_in, n_out), default=None
        Projects the results of the heads; None projects nothing.
    query_bias : array-like of shape (n_out,), default=None
        What is added to the projected queries; None adds nothing.
    key_bias : array-like of shape (n_out,), default=None
        What is added to the projected keys; None adds nothing.
    value_bias : array-like of shape (n_out,), default=None
        What is added to the projected values; None adds nothing.
    output_bias : array-like of shape (n_out,), default=None
        What is added to the result; None adds nothing.
    mask : array-like of bool, default=None
        Which keys a query attends to (True), of a shape that broadcasts to
        (..., n_heads, n_queries, n_keys): (n_queries, n_keys) is for all heads. One of
        its own for each sequence of a batch, but the same for all heads, has a
        dimension of one for them: (n_batch, 1, n_queries, n_keys).
    return_weights : bool, default=False
        Whether the weights of the heads are returned as well.

    Returns
    -------
    attended : ndarray of shape (..., n_queries, n_outputs)
        The weighted means of the values, of dtype float32 if queries, keys and values
        are float32 or float16, else float64; projections are converted to it.
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
    X: ArrayLike,
    *,
    n_heads: int = 1,
    query_weights: ArrayLike | None = None,
    key_weights: ArrayLike | None = None,
    value_weights: ArrayLike | None = None,
    output_weights: ArrayLike | None = None,
    query_bias: ArrayLike | None = None,
    key_bias: ArrayLike | None = None,
    value_bias: ArrayLike | None = None,
    output_bias: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    return_weights: bool = False,
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
        Projects the results of the heads; None projects nothing.
    query_bias : array-like of shape (n_out,), default=None
        What is added to the projected queries; None adds nothing.
    key_bias : array-like of shape (n_out,), default=None
        What is added to the projected keys; None adds nothing.
    value_bias : array-like of shape (n_out,), default=None
        What is added to the projected values; None adds nothing.
    output_bias : array-like of shape (n_out,), default=None
        What is added to the result; None adds nothing.
    mask : array-like of bool, default=None
        Which rows a row attends to (True), of a shape that broadcasts to
        (..., n_heads, n_rows, n_rows).
    return_weights : bool, default=False
        Whether the weights of the heads are returned as well.

    Returns
    -------
    attended : ndarray of shape (..., n_rows, n_outputs)
        The weighted means of the projected rows.
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


def positional_encoding(
    n_positions: int,
    n_features: int,
    *,
    base: float = 10000.0,
    dtype: DTypeLike = np.float64,
) -> np.ndarray:
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
