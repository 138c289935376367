"""Softmax under a mask, without NaN where nothing may be seen."""

import torch


def masked_softmax(scores, mask=None):
    """Weights along the last dimension; zeros where the mask is False."""
    if mask is None:
        return torch.softmax(scores, dim=-1)
    # The least finite number, because a row of infinities would have a gradient of NaN.
    least = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(~mask, least), dim=-1)
    return weights.masked_fill(~mask, 0)
