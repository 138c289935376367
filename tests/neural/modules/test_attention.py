"""Attention with one head: against torch and the functions on arrays."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn.functional import scaled_dot_product_attention

from skml.attention import (
    additive_score,
    dot_product_score,
    masked_softmax,
    scaled_dot_product_score,
)
from skml.neural.modules import AdditiveAttention, DotProductAttention

N_SEQUENCES, N_QUERIES, N_KEYS = 3, 4, 5
MAKERS = {
    "dot-product": DotProductAttention,
    "not scaled": lambda: DotProductAttention(scaled=False),
    "additive": lambda: AdditiveAttention(query_size=6, key_size=6, hidden_size=7),
}


@pytest.fixture(params=MAKERS)
def attend(request):
    return MAKERS[request.param]()


def points(dtype=torch.float32):
    """Queries, keys and values."""
    return (
        torch.randn(N_SEQUENCES, N_QUERIES, 6, dtype=dtype),
        torch.randn(N_SEQUENCES, N_KEYS, 6, dtype=dtype),
        torch.randn(N_SEQUENCES, N_KEYS, 2, dtype=dtype),
    )


def some_mask(by_query):
    """A mask in which the second sequence sees nothing."""
    shape = (N_SEQUENCES, N_QUERIES, N_KEYS) if by_query else (N_SEQUENCES, N_KEYS)
    mask = torch.rand(shape) < 0.6
    mask[..., 0] = True
    mask[1] = False
    return mask


def as_mask_of_arrays(mask):
    return None if mask is None else (mask if mask.ndim == 3 else mask[:, None]).numpy()


@pytest.mark.parametrize("by_query", [None, False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_dot_product_is_that_of_arrays(scaled, by_query):
    queries, keys, values = points()
    mask = None if by_query is None else some_mask(by_query)
    score = scaled_dot_product_score if scaled else dot_product_score
    expected = masked_softmax(
        score(queries.numpy(), keys.numpy()), as_mask_of_arrays(mask)
    )
    pooled, weights = DotProductAttention(scaled)(queries, keys, values, mask)
    assert_allclose(weights, expected, atol=1e-6)
    assert_allclose(pooled, expected @ values.numpy(), atol=1e-5)


@pytest.mark.parametrize("by_query", [None, False, True])
def test_additive_is_that_of_arrays(by_query):
    queries, keys, values = points()
    mask = None if by_query is None else some_mask(by_query)
    attend = AdditiveAttention(query_size=6, key_size=6, hidden_size=7)
    maps = {name: value.numpy() for name, value in attend.state_dict().items()}
    scores = additive_score(
        queries.numpy(),
        keys.numpy(),
        query_weights=maps["query_map.weight"].T,
        key_weights=maps["key_map.weight"].T,
        vector=maps["vector.weight"][0],
    )
    expected = masked_softmax(scores, as_mask_of_arrays(mask))
    with torch.no_grad():
        pooled, weights = attend(queries, keys, values, mask)
    assert_allclose(weights, expected, atol=1e-6)
    assert_allclose(pooled, expected @ values.numpy(), atol=1e-5)


def test_dot_product_is_that_of_torch():
    queries, keys, values = points()
    mask = some_mask(by_query=True)
    expected = scaled_dot_product_attention(queries, keys, values, mask)
    pooled, _ = DotProductAttention()(queries, keys, values, mask)
    assert_allclose(pooled, expected, atol=1e-5)


def test_projected_keys_are_as_good_as_keys():
    queries, keys, values = points()
    attend = AdditiveAttention(query_size=6, key_size=6, hidden_size=7)
    projected = attend.project_keys(keys)
    assert projected.shape == (N_SEQUENCES, N_KEYS, 7)
    expected = attend(queries, keys, values)
    found = attend(queries, None, values, projected_keys=projected)
    for left, right in zip(found, expected, strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("by_query", [False, True])
def test_who_sees_nothing_gets_zeros_and_finite_gradients(attend, by_query):
    inputs = [x.requires_grad_() for x in points()]
    with torch.autograd.set_detect_anomaly(True):
        pooled, weights = attend(*inputs, some_mask(by_query))
        (pooled**2).sum().backward()
    assert (pooled[1] == 0).all()
    assert (weights[1] == 0).all()
    assert_allclose(weights[[0, 2]].detach().sum(dim=-1), 1, atol=1e-6)
    for x in inputs:
        assert (x.grad[1] == 0).all()
        assert torch.isfinite(x.grad).all()
        assert (x.grad[0] != 0).any()


def test_what_is_masked_changes_nothing(attend):
    queries, keys, values = points()
    mask = torch.arange(N_KEYS) < 3
    mask = mask.expand(N_SEQUENCES, -1)
    expected, _ = attend(queries, keys[:, :3], values[:, :3])
    keys[:, 3:], values[:, 3:] = 1e6, -1e6
    found, weights = attend(queries, keys, values, mask)
    assert (weights[..., 3:] == 0).all()
    assert_allclose(found.detach(), expected.detach(), atol=1e-6)


def test_what_is_masked_weighs_nothing_beside_the_lowest_scores():
    queries, keys = torch.full((1, 1, 1), 1e4), torch.tensor([[[-1e4], [-1e4], [1.0]]])
    mask = torch.tensor([[True, True, False]])
    _, weights = DotProductAttention()(queries, keys, keys, mask)
    assert weights.tolist() == [[[0.5, 0.5, 0.0]]]


@pytest.mark.parametrize("masked", [False, True])
def test_gradients_are_finite_differences(attend, masked):
    inputs = tuple(x.requires_grad_() for x in points(torch.float64))
    mask = some_mask(by_query=True) if masked else None
    attend.double()
    parameters = tuple(attend.parameters())
    names = [name for name, _ in attend.named_parameters()]

    def run(queries, keys, values, *parameters):
        return torch.func.functional_call(
            attend,
            dict(zip(names, parameters, strict=True)),
            (queries, keys, values, mask),
        )

    assert torch.autograd.gradcheck(run, (*inputs, *parameters), fast_mode=True)


@pytest.mark.parametrize("cls", [DotProductAttention, AdditiveAttention])
def test_dropout_keeps_the_mean_and_ends_with_training(cls):
    sizes = () if cls is DotProductAttention else (6, 6, 7)
    attend = cls(*sizes, dropout=0.5)
    queries, keys, values = (torch.zeros(1, n, 6) for n in (2000, 4, 4))
    values += 1
    pooled, weights = attend(queries, keys, values)
    assert_allclose(weights.detach(), 0.25)
    # Of four weights of 1/4, those that are kept are doubled.
    assert set(np.unique(pooled.detach())) == {0.0, 0.5, 1.0, 1.5, 2.0}
    assert abs(float(pooled.detach().mean()) - 1) < 0.05
    pooled, _ = attend.eval()(queries, keys, values)
    assert_allclose(pooled.detach(), 1)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, True, "0.1"])
def test_wrong_dropout(dropout):
    with pytest.raises(ValueError, match=r"dropout=.*; expected a number in \[0, 1\)"):
        DotProductAttention(dropout=dropout)


@pytest.mark.parametrize("name", ["query_size", "key_size", "hidden_size"])
@pytest.mark.parametrize("value", [0, 2.0, True])
def test_wrong_size(name, value):
    sizes = {"query_size": 2, "key_size": 2, "hidden_size": 2, name: value}
    with pytest.raises(ValueError, match=f"{name}={value}; expected a positive int"):
        AdditiveAttention(**sizes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"queries": torch.rand(2, 6)},
            r"queries has the shape \(2, 6\); expected \(n_sequences, n_positions, ",
        ),
        (
            {"keys": torch.rand(3, 5, 4)},
            r"keys has the shape \(3, 5, 4\); expected \(.*, n_positions, 6",
        ),
        (
            {"keys": torch.rand(1, 5, 6)},
            r"keys.* has the shape \(1, 5, .*\); expected \(3, n_positions, ",
        ),
        (
            {"values": torch.rand(2, 5, 6)},
            r"values has the shape \(2, 5, 6\); expected \(3, n_positions, n_features",
        ),
        ({"values": torch.rand(3, 4, 6)}, "There are 4 values for 5 keys"),
        (
            {"mask": torch.ones(3, 5)},
            "mask is of dtype torch.float32; expected booleans, where True may be seen",
        ),
        (
            {"mask": torch.ones(3, 4, dtype=torch.bool)},
            r"mask has the shape \(3, 4\); expected \(3, 5\), .* or \(3, 4, 5\)",
        ),
    ],
)
def test_wrong_shapes(attend, change, message):
    arguments = dict(zip(("queries", "keys", "values"), points(), strict=True))
    with pytest.raises(ValueError, match=message):
        attend(**(arguments | change))


def test_keys_are_given_once():
    queries, keys, values = points()
    attend = AdditiveAttention(query_size=6, key_size=6, hidden_size=7)
    message = "Give either keys or projected_keys, and not both"
    with pytest.raises(ValueError, match=message):
        attend(queries, None, values)
    with pytest.raises(ValueError, match=message):
        attend(queries, keys, values, projected_keys=attend.project_keys(keys))
    with pytest.raises(ValueError, match=r"projected_keys has .* expected \(3, n_pos"):
        attend(queries, None, values, projected_keys=keys)
