"""Attention by PyTorch's fused kernel, where that is the fast one."""

from math import sqrt

import torch
from torch.nn.functional import scaled_dot_product_attention

from skml.neural.modules._masked import masked_softmax


def attend(queries, keys, values, **options):
    """Weighted means of values, as ``scaled_dot_product_attention``.

    On a CPU it computes in float32: in bfloat16, the gradients of sequences of some
    tens of points take five times as long.
    """
    if queries.device.type != "cpu" or queries.dtype != torch.bfloat16:
        return scaled_dot_product_attention(queries, keys, values, **options)
    heads = (points.float() for points in (queries, keys, values))
    with torch.autocast("cpu", enabled=False):
        found = scaled_dot_product_attention(*heads, **options)
    return found.to(queries.dtype)


def attend_with_weights(queries, keys, values, seen, dropout):
    """Weighted means of values, and the weights before dropout.

    The shape of `seen` broadcasts to that of the weights. Where nothing is seen, means
    are zeros.
    """
    scores = queries @ keys.transpose(-1, -2) / sqrt(queries.shape[-1])
    weights = masked_softmax(scores, seen)
    return dropout(weights) @ values, weights
