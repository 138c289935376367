"""Scores, softmax and multi-head attention: against torch."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skml.attention import (
    additive_score,
    gaussian_score,
    laplace_score,
    masked_softmax,
    multi_head_attention,
    positional_encoding,
    scaled_dot_product_score,
    self_attention,
)

TOLERANCE = {np.float32: 1e-6, np.float64: 1e-12}
DTYPES = [np.float32, np.float64]


def points(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


# Against torch


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_is_that_of_torch(dtype, axis):
    scores = 5 * points(3, 4, 6, dtype=dtype)
    expected = torch.softmax(torch.tensor(scores), axis).numpy()
    weights = masked_softmax(scores, axis=axis)
    assert weights.dtype == dtype
    assert_allclose(weights, expected, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_masked_attention_is_that_of_torch(dtype):
    queries, keys, values = (points(2, n, 4, dtype=dtype, seed=n) for n in (5, 7, 7))
    mask = np.random.default_rng(1).random((2, 5, 7)) < 0.6
    mask[..., 0] = True
    expected = torch.nn.functional.scaled_dot_product_attention(
        *map(torch.tensor, (queries, keys, values, mask))
    ).numpy()
    weights = masked_softmax(scaled_dot_product_score(queries, keys), mask)
    assert_allclose(weights @ values, expected, atol=2 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_laplace_and_gaussian_are_distances_of_torch(dtype):
    queries, keys = points(2, 5, 3, dtype=dtype), points(2, 7, 3, dtype=dtype, seed=1)
    distance = torch.cdist(
        *map(torch.tensor, (queries, keys)), compute_mode="donot_use_mm_for_euclid_dist"
    ).numpy()
    laplace = laplace_score(queries, keys, bandwidth=2.0)
    assert laplace.dtype == dtype
    assert_allclose(laplace, -distance / 2, rtol=2 * TOLERANCE[dtype])
    gaussian = gaussian_score(queries, keys, bandwidth=2.0)
    assert_allclose(gaussian, -(distance**2) / 8, rtol=4 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_heads", [1, 2, 4])
def test_multi_head_attention_is_that_of_torch(dtype, n_heads):
    torch_dtype = torch.float32 if dtype is np.float32 else torch.float64
    generator = torch.Generator().manual_seed(0)
    module = torch.nn.MultiheadAttention(
        8, n_heads, bias=False, batch_first=True, dtype=torch_dtype
    )
    for parameter in module.parameters():
        parameter.data.normal_(generator=generator)
    queries, keys = points(2, 5, 8, dtype=dtype), points(2, 6, 8, dtype=dtype, seed=1)
    values = points(2, 6, 8, dtype=dtype, seed=2)
    mask = np.random.default_rng(3).random((5, 6)) < 0.7
    mask[:, 0] = True
    expected, expected_weights = module(
        *map(torch.tensor, (queries, keys, values)),
        attn_mask=torch.tensor(~mask),
        average_attn_weights=False,
    )
    stacked = module.in_proj_weight.detach().numpy()
    attended, weights = multi_head_attention(
        queries,
        keys,
        values,
        n_heads=n_heads,
        query_weights=stacked[:8].T,
        key_weights=stacked[8:16].T,
        value_weights=stacked[16:].T,
        output_weights=module.out_proj.weight.detach().numpy().T,
        mask=mask,
        return_weights=True,
    )
    tolerance = 50 * TOLERANCE[dtype]  # of sums of products as large as 50
    assert attended.dtype == dtype
    assert_allclose(attended, expected.detach().numpy(), atol=tolerance)
    assert_allclose(weights, expected_weights.detach().numpy(), atol=tolerance)


def test_self_attention_is_attention_of_a_sequence_to_itself():
    X, projection = points(2, 5, 4), points(4, 6, seed=1)
    attended, weights = self_attention(
        X, n_heads=2, value_weights=projection, return_weights=True
    )
    expected = multi_head_attention(X, X, X, n_heads=2, value_weights=projection)
    assert_array_equal(attended, expected)
    assert_allclose(weights.sum(axis=-1), 1)


# Cases whose answer is known


def test_equal_scores_share_equally_and_masked_rows_are_zero():
    mask = np.array([[True, True, False], [False, False, False]])
    weights = masked_softmax(np.full((2, 3), 7.0), mask)
    assert_array_equal(weights, [[0.5, 0.5, 0], [0, 0, 0]])
    assert_array_equal(
        masked_softmax([[-np.inf, 1.0], [-np.inf, -np.inf]]), [[0, 1], [0, 0]]
    )


def test_huge_scores_do_not_overflow():
    assert_array_equal(masked_softmax([[1e300, -1e300]]), [[1, 0]])


@pytest.mark.parametrize("score", [gaussian_score, laplace_score])
def test_nothing_cancels_far_from_the_origin(score):
    queries = points(5, 3)
    near = score(queries, queries)
    assert_array_equal(np.diag(near), 0)
    assert (near <= 0).all()
    assert_allclose(score(queries + 1e6, queries + 1e6), near, rtol=1e-6)


def test_positional_encoding_of_a_shift_is_a_rotation():
    encoding = positional_encoding(50, 6, base=100.0)
    assert_allclose((encoding**2).sum(axis=1), 3)
    products = encoding @ encoding.T
    assert_allclose(products[3, 10], products[20, 27])
    assert_allclose(encoding[7, 4], np.sin(7 / 100 ** (4 / 6)))
    assert positional_encoding(4, 5, dtype=np.float32).dtype == np.float32
    assert_array_equal(positional_encoding(4, 5)[0], [0, 1, 0, 1, 0])


@pytest.mark.parametrize(
    ("given", "expected"),
    [(np.float16, np.float32), (np.float32, np.float32), (np.int64, np.float64)],
)
def test_small_floats_are_computed_in_float32(given, expected):
    X = np.array([[1, 2], [3, 5]], dtype=given)
    for result in (gaussian_score(X, X), masked_softmax(X), self_attention(X)):
        assert result.dtype == expected
        assert np.isfinite(result).all()


# Bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_score(np.ones(3), np.ones((2, 3))), "two dimensions"),
        (lambda: gaussian_score(np.ones((2, 3)), np.ones((2, 4))), "same number"),
        (lambda: gaussian_score(np.ones((2, 0)), np.ones((2, 0))), "no features"),
        (lambda: gaussian_score(np.ones((2, 2, 3)), np.ones((3, 2, 3))), "broadcast"),
        (lambda: gaussian_score([["a"]], [["b"]]), "real numbers"),
        (lambda: gaussian_score([[1j]], [[1.0]]), "real numbers"),
        (lambda: gaussian_score([[1.0]], [[np.nan]]), r"keys\[0, 0\] is nan"),
        (lambda: gaussian_score([[np.inf]], [[1.0]]), r"queries\[0, 0\] is inf"),
        (lambda: gaussian_score([[1.0]], [[1.0]], bandwidth=0), "must be positive"),
        (lambda: laplace_score([[1.0]], [[1.0]], bandwidth=-1), "must be positive"),
        (lambda: laplace_score([[1.0]], [[1.0]], bandwidth=[1, 2]), "for each of"),
        (lambda: masked_softmax([[1.0, np.nan]]), r"scores\[\(0, 1\)\] is nan"),
        (lambda: masked_softmax([[1.0, np.inf]]), "must be finite"),
        (lambda: masked_softmax([[1.0, 2.0]], [[1, 0]]), "expected booleans"),
        (lambda: masked_softmax([[1.0]], [[True, False]]), "does not broadcast"),
        (lambda: self_attention(np.ones((3, 4)), n_heads=3), "does not divide"),
        (lambda: self_attention(np.ones((3, 4)), n_heads=8), "does not divide"),
        (
            lambda: self_attention(np.ones((3, 4)), key_weights=np.ones((3, 4))),
            "key_weights has the shape",
        ),
        (
            lambda: multi_head_attention(
                np.ones((2, 4)), np.ones((3, 4)), np.ones((2, 4)), n_heads=1
            ),
            "one value for each key",
        ),
        (
            lambda: additive_score(
                [[1.0]],
                [[1.0]],
                query_weights=[[1.0]],
                key_weights=[[1.0, 2.0]],
                vector=[1.0],
            ),
            "key_weights has the shape",
        ),
        (lambda: positional_encoding(0, 4), "n_positions=0"),
        (lambda: positional_encoding(4, 2.5), "n_features=2.5"),
        (lambda: positional_encoding(4, 2, base=-1), "base=-1"),
    ],
)
def test_bad_input_is_an_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()
