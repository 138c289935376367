"""Softmax under a mask, without NaN where nothing may be seen."""

import torch


def masked_softmax(scores, mask=None):
    """Weights along the last dimension; zeros where the mask is False.

    Parameters
    ----------
    scores : Tensor of shape (..., n_queries, n_keys)
        The scores.
    mask : Tensor of bool, default=None
        Which scores take part (True), of a shape that broadcasts to theirs.

    Returns
    -------
    weights : Tensor of shape (..., n_queries, n_keys)
        The weights. Each row sums to one; where none takes part, all are zero.
    """
    if mask is None:
        return torch.softmax(scores, dim=-1)
    # The least finite number, because a row of infinities would have a gradient of NaN.
    least = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(~mask, least), dim=-1)
    return weights.masked_fill(~mask, 0)
