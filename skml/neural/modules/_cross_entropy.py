r"""The cross-entropy of a linear layer, without all its scores at once.

With scores :math:`s = W x + b`, the loss of the class c is

.. math:: \log \sum_j e^{s_j} - (1 - \epsilon) s_c - \frac{\epsilon}{C} \sum_j s_j

with label smoothing :math:`\epsilon` over C classes, and its derivative with respect to
the scores :math:`p_j - (1 - \epsilon) [j = c] - \epsilon / C`. The scores of some rows
are computed, become their derivatives in place, and are multiplied on at once: they are
never held for all rows, which are many, times the classes, which are many more.
"""

import torch
from torch import Tensor

from skml.neural.modules._precision import prepare_products

ROWS = 1024  # whose scores are held at a time


class LinearCrossEntropy(torch.autograd.Function):
    """Computes the loss and, along with it, the derivatives and what is right."""

    @staticmethod
    def forward(ctx, x, weight, bias, classes, smoothing, dtype):
        of_x = torch.empty_like(x)
        of_weight, of_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        cast_weight, cast_bias = weight.to(dtype), bias.to(dtype)
        of_each = smoothing / len(weight)
        total = x.new_zeros((), dtype=torch.float64)
        n_right = torch.zeros_like(total)
        for start in range(0, len(x), ROWS):
            rows = slice(start, start + ROWS)
            some = x[rows].to(dtype)
            scores = torch.addmm(cast_bias, some, cast_weight.t()).to(x.dtype)
            wanted = classes[rows, None]
            scores -= scores.amax(dim=1, keepdim=True)
            of_right = scores.gather(1, wanted)
            best = scores[of_right[:, 0] == 0]  # one of several best is right in part
            n_right += (1 / (best == 0).sum(dim=1)).sum()
            total -= (1 - smoothing) * of_right.sum()
            if smoothing:
                total -= of_each * scores.sum()
            normalizer = scores.exp_().sum(dim=1, keepdim=True)
            total += normalizer.log().sum()
            gradient = scores.div_(normalizer).sub_(of_each)
            right = gradient.new_full(wanted.shape, smoothing - 1)
            gradient.scatter_add_(1, wanted, right)
            of_bias += gradient.sum(dim=0)
            gradient = gradient.to(dtype)
            of_x[rows] = (gradient @ cast_weight).to(x.dtype)
            of_weight += (gradient.t() @ some).to(weight.dtype)
        ctx.save_for_backward(of_x, of_weight, of_bias)
        ctx.mark_non_differentiable(n_right)
        return total.to(x.dtype), n_right

    @staticmethod
    def backward(ctx, gradient, _):
        return *(part * gradient for part in ctx.saved_tensors), None, None, None


def cross_entropy_and_hits(x, weight, bias, classes, *, label_smoothing=0.0):
    """What `linear_cross_entropy` returns, and how many classes have the best score."""
    x, dtype = prepare_products(x)
    return LinearCrossEntropy.apply(x, weight, bias, classes, label_smoothing, dtype)


def linear_cross_entropy(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    classes: Tensor,
    *,
    label_smoothing: float = 0.0,
) -> Tensor:
    """The sum of the cross-entropies of a linear layer.

    Parameters
    ----------
    x : Tensor of shape (n_rows, n_features)
        The input of the layer.
    weight : Tensor of shape (n_classes, n_features)
        The weights of the layer.
    bias : Tensor of shape (n_classes,)
        The biases of the layer.
    classes : Tensor of int of shape (n_rows,)
        The classes that are right.
    label_smoothing : float, default=0.0
        How much probability is wanted for all classes together, in equal parts.

    Returns
    -------
    loss : Tensor of shape ()
        As :func:`torch.nn.functional.cross_entropy` with ``reduction="sum"``.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import linear_cross_entropy
    >>> x, weight, bias = torch.zeros(2, 3), torch.ones(4, 3), torch.zeros(4)
    >>> linear_cross_entropy(x, weight, bias, torch.tensor([0, 1]))  # 2 log 4
    tensor(2.7726)
    """
    options = {"label_smoothing": label_smoothing}
    return cross_entropy_and_hits(x, weight, bias, classes, **options)[0]
