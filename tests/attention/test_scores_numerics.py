"""Attention as functions: biases, batches, and points far from the origin."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skml.attention import (
    additive_score,
    dot_product_score,
    gaussian_score,
    laplace_score,
    masked_softmax,
    multi_head_attention,
    positional_encoding,
    scaled_dot_product_score,
    self_attention,
)

PARTS = ("query", "key", "value")


def points(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def torch_distance(queries, keys, bandwidth):
    difference = (queries[..., :, None, :] - keys[..., None, :, :]) / bandwidth
    return difference.square().sum(-1)


TORCH_SCORES = {
    "gaussian": lambda q, k, h: -torch_distance(q, k, h) / 2,
    "laplace": lambda q, k, h: -torch_distance(q, k, h).sqrt(),
    "dot_product": lambda q, k: q @ k.mT,
    "scaled_dot_product": lambda q, k: q @ k.mT / q.shape[-1] ** 0.5,
    "additive": lambda q, k, u, w, v: (
        torch.tanh((q @ u)[..., :, None, :] + (k @ w)[..., None, :, :]) @ v
    ),
}
SCORES = {
    "gaussian": lambda q, k, h: gaussian_score(q, k, bandwidth=h),
    "laplace": lambda q, k, h: laplace_score(q, k, bandwidth=h),
    "dot_product": dot_product_score,
    "scaled_dot_product": scaled_dot_product_score,
    "additive": lambda q, k, u, w, v: additive_score(
        q, k, query_weights=u, key_weights=w, vector=v
    ),
}
FURTHER = {
    "gaussian": [np.array([0.5, 1.0, 2.0])],
    "laplace": [np.array(0.7)],
    "dot_product": [],
    "scaled_dot_product": [],
    "additive": [points(3, 4, seed=5), points(3, 4, seed=6), points(4, seed=7)],
}


@pytest.mark.parametrize("name", TORCH_SCORES)
@pytest.mark.parametrize("lead", [((), ()), ((2,), (2,)), ((2, 1), (3,))])
def test_scores_are_those_of_torch(name, lead):
    queries, keys = points(*lead[0], 4, 3), points(*lead[1], 5, 3, seed=1)
    arguments = [queries, keys, *FURTHER[name]]
    tensors = [torch.tensor(array) for array in arguments]
    expected = TORCH_SCORES[name](*tensors)
    assert_allclose(SCORES[name](*arguments), expected.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)]
)
def test_multi_head_attention_with_biases_is_that_of_torch(dtype, tolerance):
    generator = torch.Generator().manual_seed(0)
    module = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    for parameter in module.parameters():
        parameter.data.normal_(std=0.3, generator=generator)
    module.to(torch.tensor(np.zeros(1, dtype)).dtype)
    queries, keys = points(2, 5, 8, dtype=dtype), points(2, 6, 8, dtype=dtype, seed=1)
    values = points(2, 6, 8, dtype=dtype, seed=2)
    mask = np.random.default_rng(3).random((2, 1, 5, 6)) < 0.7
    mask[..., 0] = True
    expected, expected_weights = module(
        *map(torch.tensor, (queries, keys, values)),
        attn_mask=torch.tensor(~mask.repeat(2, axis=1).reshape(4, 5, 6)),
        average_attn_weights=False,
    )
    stacked = np.split(module.in_proj_weight.detach().numpy(), 3)
    biases = np.split(module.in_proj_bias.detach().numpy(), 3)
    attended, weights = multi_head_attention(
        queries,
        keys,
        values,
        n_heads=2,
        **{f"{p}_weights": w.T for p, w in zip(PARTS, stacked, strict=True)},
        **{f"{p}_bias": b for p, b in zip(PARTS, biases, strict=True)},
        output_weights=module.out_proj.weight.detach().numpy().T,
        output_bias=module.out_proj.bias.detach().numpy(),
        mask=mask,
        return_weights=True,
    )
    assert attended.dtype == weights.dtype == dtype
    assert_allclose(attended, expected.detach().numpy(), atol=4 * tolerance)
    assert_allclose(weights, expected_weights.detach().numpy(), atol=tolerance)


def test_self_attention_passes_all_projections_on():
    X = points(2, 5, 4)
    names = [f"{p}_weights" for p in (*PARTS, "output")]
    projections = {name: points(4, 4, seed=i) for i, name in enumerate(names)}
    names = [f"{p}_bias" for p in (*PARTS, "output")]
    projections |= {name: points(4, seed=9 + i) for i, name in enumerate(names)}
    mask = np.tril(np.ones((5, 5), dtype=bool))
    found = self_attention(X, n_heads=2, mask=mask, **projections)
    expected = multi_head_attention(X, X, X, n_heads=2, mask=mask, **projections)
    assert_array_equal(found, expected)
    for name in projections:
        fewer = {key: value for key, value in projections.items() if key != name}
        if name != "key_bias":  # adds the same to all scores of a query
            assert abs(self_attention(X, n_heads=2, mask=mask, **fewer) - found).max()


@pytest.mark.parametrize("bandwidth", [1.0, 0.3, [0.3, 0.7]])
@pytest.mark.parametrize("power", [1, 2])
def test_a_bandwidth_does_not_round_points_far_from_the_origin(bandwidth, power):
    # The last bits of the coordinates are the differences.
    X = 1e8 + np.arange(5)[:, None] * np.array([1e-3, 2e-3])
    difference = np.abs(X[:, None] - X) / np.asarray(bandwidth)
    distance = np.sqrt((difference**2).sum(axis=-1))
    score = {1: laplace_score, 2: gaussian_score}[power](X, X, bandwidth=bandwidth)
    assert_allclose(score, -(distance**power) / power, rtol=1e-12)
    assert_array_equal(np.signbit(np.diag(score)), False)


@pytest.mark.parametrize("score", [gaussian_score, laplace_score])
def test_a_distance_that_overflows_is_as_if_masked(score):
    X = np.array([[3e38], [-3e38]], dtype=np.float32)
    assert_array_equal(masked_softmax(score(X, X)), np.eye(2))


def test_a_difference_of_scores_that_overflows():
    assert_array_equal(masked_softmax([[1e308, -1e308]]), [[1, 0]])


def test_nan_that_is_masked_is_not_looked_at():
    assert_array_equal(
        masked_softmax([[np.nan, 1.0, np.inf]], [[0 > 1, 1 > 0, 0 > 1]]), [[0, 1, 0]]
    )


def test_one_key_has_all_weight_and_equal_keys_share():
    values = points(1, 3)
    assert_array_equal(
        multi_head_attention(points(4, 2), points(1, 2), values, n_heads=1),
        values.repeat(4, axis=0),
    )
    key = points(1, 2)
    _, weights = multi_head_attention(
        points(1, 2),
        key.repeat(4, axis=0),
        points(4, 2),
        n_heads=2,
        return_weights=True,
    )
    assert_array_equal(weights, np.full((2, 1, 4), 0.25))


def test_no_queries_and_no_keys():
    X = points(2, 5, 4)
    assert multi_head_attention(X[:, :0], X, X, n_heads=2).shape == (2, 0, 4)
    nothing = multi_head_attention(X, X[:, :0], X[:, :0], n_heads=2)
    assert_array_equal(nothing, np.zeros((2, 5, 4)))


def test_values_decide_on_precision_as_queries_do():
    X = points(3, 4, dtype=np.float32)
    attended, weights = multi_head_attention(
        X, X, X.astype(np.float64), n_heads=1, return_weights=True
    )
    assert attended.dtype == weights.dtype == np.float64
    assert self_attention(X, value_weights=np.eye(4)).dtype == np.float32


def test_encoding_is_the_formula_with_few_or_odd_columns():
    for n_features in (1, 2, 5):
        found = positional_encoding(7, n_features)
        for column in range(n_features):
            wave = 10000.0 ** (2 * (column // 2) / n_features)
            expected = (np.cos if column % 2 else np.sin)(np.arange(7) / wave)
            assert_allclose(found[:, column], expected, atol=1e-12)


def test_global_random_state_is_untouched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    self_attention(points(3, 4), n_heads=2)
    gaussian_score(points(3, 4), points(2, 4))
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


ADDITIVE = {"query_weights": [[1.0]], "key_weights": [[1.0]]}
X = np.ones((3, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: self_attention(X, n_heads=0), "n_heads=0; expected a positive"),
        (lambda: self_attention(X, n_heads=2.0), r"n_heads=2\.0; expected a positive"),
        (lambda: self_attention(X, n_heads=True), "n_heads=True; expected a positive"),
        (lambda: self_attention(X, query_bias=np.ones(3)), r"query_bias has .*\(3,\)"),
        (lambda: self_attention(X, output_bias=1.0), r"output_bias .*expected \(4,\)"),
        (
            lambda: self_attention(X, key_bias=[1, 2, np.nan, 4]),
            r"key_bias\[2\] is nan",
        ),
        (
            lambda: self_attention(X, query_weights=np.ones((4, 6))),
            "projected to 6 features and keys to 4",
        ),
        (
            lambda: multi_head_attention(
                np.ones((2, 3, 4)), X, np.ones((3, 3, 4)), n_heads=1
            ),
            r"\(2, 3, 4\), keys of shape \(3, 4\) and values of shape \(3, 3, 4\)",
        ),
        (
            lambda: self_attention(X, mask=np.ones((3, 4), bool)),
            r"mask of shape \(3, 4",
        ),
        (
            lambda: additive_score([[1.0]], [[1.0]], vector=[[1.0]], **ADDITIVE),
            r"vector has the shape \(1, 1\); expected one dimension",
        ),
        (
            lambda: additive_score([[1.0]], [[1.0]], vector=1.0, **ADDITIVE),
            r"vector has the shape \(\); expected one dimension",
        ),
        (lambda: dot_product_score(X.astype(object), X), "queries is of dtype object"),
        (lambda: positional_encoding(3, 4, dtype=int), "expected one of floats"),
    ],
)
def test_bad_input_says_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
