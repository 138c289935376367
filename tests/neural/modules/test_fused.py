"""Fused attention: in short precision, and with weights that drop out."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from skml.neural.modules import Dropout
from skml.neural.modules._fused import attend, attend_with_weights

MASK = torch.arange(5) < torch.tensor([[5], [2], [1]])


def make(dtype):
    return [torch.randn(3, 2, n, 4, dtype=dtype).requires_grad_() for n in (6, 5, 5)]


@pytest.mark.parametrize("mask", [None, MASK[:, None, None]], ids=["all", "mask"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_that_of_torch(dtype, mask):
    heads = make(dtype)
    exact = [h.detach().double().requires_grad_() for h in heads]
    expected = scaled_dot_product_attention(*exact, attn_mask=mask)
    by_weights, weights = attend_with_weights(*heads, mask, Dropout())
    tolerance = 1e-5 if dtype == torch.float32 else 0.03
    options = {"rtol": tolerance, "atol": tolerance, "check_dtype": False}
    theirs = torch.autograd.grad(expected.square().sum(), exact)
    for found in (attend(*heads, attn_mask=mask), by_weights):
        assert found.dtype == dtype
        assert_close(found, expected, **options)
        ours = torch.autograd.grad(found.square().sum(), heads, retain_graph=True)
        for one, other in zip(ours, theirs, strict=True):
            assert one.dtype == dtype
            assert_close(one, other, **{**options, "atol": 5 * tolerance})
    assert_close(weights @ heads[2], by_weights)


def test_autocast_does_not_shorten_it():
    heads = [h.detach() for h in make(torch.bfloat16)]
    expected = scaled_dot_product_attention(*(h.float() for h in heads)).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(attend(*heads), expected)
