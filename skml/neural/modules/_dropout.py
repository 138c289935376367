"""Dropout that draws eight numbers at a time."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Set random activations to zero in training, and scale the others up.

    As ``nn.Dropout``, but on a CPU, where drawing random numbers may take as long as
    the products of matrices around it, each draw serves eight activations: the
    probability is rounded to a multiple of 1/256.

    Parameters
    ----------
    p : float, default=0.0
        Dropout probability, in [0, 1).

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import Dropout
    >>> drop = Dropout(0.5)
    >>> set(drop(torch.ones(100)).tolist()) == {0.0, 2.0}
    True
    >>> bool((drop.eval()(torch.ones(100)) == 1).all())
    True
    """

    def __init__(self, p: float = 0.0):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Drop numbers.

        Parameters
        ----------
        x : Tensor of any shape
            The numbers.

        Returns
        -------
        x : Tensor of the same shape
            The numbers that are kept, scaled, and zeros. In evaluation mode, `x`.
        """
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return nn.functional.dropout(x, self.p)
        level = max(1, round(256 * self.p))
        drawn = torch.empty((x.numel() + 7) // 8, dtype=torch.int64)
        # From the lowest number to the highest, so that all 64 bits are random.
        drawn.random_(torch.iinfo(torch.int64).min, None)
        kept = drawn.view(torch.uint8)[: x.numel()].view(x.shape) >= level
        return x * (kept * x.new_tensor(256 / (256 - level)))
