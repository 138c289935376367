"""What stands around each step of a Transformer."""

from torch import nn

from skml.neural.modules._dropout import Dropout


class Residual(nn.Module):
    """Adds what a step makes of x to x, and normalizes before or after.

    ``x + step(norm(x))`` if normalized first, else ``norm(x + step(x))``. Both need two
    calls: `prepare` for what the step sees, and the module itself for the sum.
    """

    def __init__(self, model_size, dropout, norm_first):
        super().__init__()
        self.norm = nn.LayerNorm(model_size)
        self.dropout = Dropout(dropout)
        self.norm_first = norm_first

    def prepare(self, x):
        """What the step sees of x."""
        return self.norm(x) if self.norm_first else x

    def forward(self, x, made):
        """Add to x what the step made."""
        x = x + self.dropout(made)
        return x if self.norm_first else self.norm(x)
