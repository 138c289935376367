"""The attention that models of transformers are given."""

import numpy as np
import pytest
import torch
import transformers
from torch.testing import assert_close
from transformers import AutoConfig
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from skml.neural._torch import _attention
from skml.neural._torch._attention import NAME, attention_forward, with_attention
from tests.neural.bert.models import tiny_model

MASK = (torch.arange(5) < torch.tensor([[5], [2]]))[:, None, None]


class Plain(torch.nn.Module):
    is_causal = False


def heads(n_queries=5):
    torch.manual_seed(0)
    return [torch.randn(2, 4, n, 8) for n in (n_queries, 5, 5)]


def count_calls(monkeypatch):
    """A list that grows with each call of `pool`."""
    calls = []
    pool = _attention.pool

    def count(*args, **kwargs):
        calls.append(args)
        return pool(*args, **kwargs)

    monkeypatch.setattr(_attention, "pool", count)
    return calls


@pytest.mark.parametrize("n_queries", [5, 1])
@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "mask"])
@pytest.mark.parametrize("scaling", [None, 8**-0.5, 0.1])
def test_it_is_that_of_transformers(mask, scaling, n_queries):
    inputs = (Plain(), *heads(n_queries), mask)
    found, weights = attention_forward(*inputs, scaling=scaling)
    expected, _ = sdpa_attention_forward(*inputs, scaling=scaling)
    assert_close(found, expected)
    assert found.is_contiguous()
    assert weights is None


@pytest.mark.parametrize(
    "options",
    [
        {"is_causal": True},
        {"position_bias": torch.randn(1, 4, 5, 5)},
        {"attention_mask": torch.randn(2, 1, 5, 5)},
        {"module": torch.nn.Linear(1, 1)},  # which does not say that it is not causal
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_kinds_are_left_to_transformers(options, monkeypatch):
    calls = count_calls(monkeypatch)
    plain = {"module": Plain(), "attention_mask": None}
    inputs = dict(zip(("query", "key", "value"), heads(), strict=True), **plain)
    attention_forward(**inputs)
    assert len(calls) == 1
    inputs |= options
    found, _ = attention_forward(**inputs)
    assert torch.equal(found, sdpa_attention_forward(**inputs)[0])
    assert len(calls) == 1


def test_weights_drop_out():
    n = 3000  # all at once
    query, key, value = (torch.cat([tensor] * n) for tensor in heads())
    inputs = (Plain(), query, key, value, torch.cat([MASK] * n))
    torch.manual_seed(1)
    drawn = attention_forward(*inputs, dropout=0.5)[0].unflatten(0, (n, 2))
    assert not torch.equal(drawn[0], drawn[1])
    expected = attention_forward(Plain(), *heads(), MASK)[0]
    assert_close(drawn.mean(dim=0), expected, rtol=0, atol=0.1)


def test_networks_get_it_where_they_can(monkeypatch):
    network = with_attention(
        transformers.AutoModel.from_pretrained, tiny_model()
    ).eval()
    assert network.config._attn_implementation == NAME
    calls = count_calls(monkeypatch)
    ids = torch.tensor(np.arange(12).reshape(2, 6) + 5)
    mask = torch.tensor([[1] * 6, [1] * 3 + [0] * 3])
    with torch.inference_mode():
        found = network(ids, attention_mask=mask).last_hidden_state
        assert len(calls) == network.config.num_hidden_layers
        network.set_attn_implementation("eager")
        expected = network(ids, attention_mask=mask).last_hidden_state
    assert_close(found[mask > 0], expected[mask > 0], rtol=1e-4, atol=1e-5)


def test_networks_of_another_attention_keep_it():
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = AutoConfig.for_model("mpnet", **sizes, intermediate_size=16)
    network = with_attention(transformers.AutoModel.from_config, config)
    assert network.config._attn_implementation == "eager"


def test_a_configuration_does_not_name_it(tmp_path):
    network = with_attention(transformers.AutoModel.from_pretrained, tiny_model())
    network.save_pretrained(tmp_path)
    assert NAME not in (tmp_path / "config.json").read_text("utf-8")
