"""Where in its sequence a vector stands."""

from typing import Literal

import torch
from torch import Tensor, nn

from skml.neural.modules._checks import (
    check_choice,
    check_dropout,
    check_sequences,
    check_sizes,
)
from skml.neural.modules._dropout import Dropout


def sinusoids(n_positions, model_size):
    """The sinusoidal encodings of the first positions."""
    from skml.attention import positional_encoding

    return torch.from_numpy(positional_encoding(n_positions, model_size))


class PositionalEncoding(nn.Module):
    r"""Add to each vector an encoding of its position [1]_.

    The sinusoidal encoding of position t is

    .. math:: P_{t, 2i} = \sin(t / 10000^{2i / n}), \quad
        P_{t, 2i+1} = \cos(t / 10000^{2i / n})

    It has no parameters, and no last position. A learned one has a vector for each
    position.

    Parameters
    ----------
    model_size : int
        The number of features n.
    max_length : int, default=512
        The number of positions. For the sinusoidal kind no more than a start: its table
        grows.
    kind : {"sinusoidal", "learned"}, default="sinusoidal"
        Whether the encoding is computed or learned.
    dropout : float, default=0.0
        Dropout probability of the sums.

    Raises
    ------
    ValueError
        If a size is not a positive integer, `kind` is unknown, or `dropout` is not in
        [0, 1).

    See Also
    --------
    skml.attention.positional_encoding : The sinusoidal encoding as an array.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import PositionalEncoding
    >>> add_positions = PositionalEncoding(model_size=2)
    >>> add_positions(torch.zeros(1, 3, 2))
    tensor([[[ 0.0000,  1.0000],
             [ 0.8415,  0.5403],
             [ 0.9093, -0.4161]]])

    The third position on its own, as in decoding:

    >>> add_positions(torch.zeros(1, 1, 2), start=2)
    tensor([[[ 0.9093, -0.4161]]])
    """

    def __init__(
        self,
        model_size: int,
        max_length: int = 512,
        kind: Literal["sinusoidal", "learned"] = "sinusoidal",
        dropout: float = 0.0,
    ):
        super().__init__()
        check_sizes(model_size=model_size, max_length=max_length)
        check_choice("kind", kind, ("sinusoidal", "learned"))
        check_dropout(dropout)
        self.kind = kind
        self.dropout = Dropout(dropout)
        if kind == "learned":
            # Small beside the vectors to which they are added, as in BERT.
            self.table = nn.Parameter(0.02 * torch.randn(max_length, model_size))
        else:
            table = sinusoids(max_length, model_size).to(torch.get_default_dtype())
            # Not saved with the parameters: it can be computed again.
            self.register_buffer("table", table, persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """Add positions.

        Parameters
        ----------
        x : Tensor of shape (n_sequences, n_positions, model_size)
            The vectors.
        start : int, default=0
            The position of the first.

        Returns
        -------
        x : Tensor of shape (n_sequences, n_positions, model_size)
            The sums.

        Raises
        ------
        ValueError
            If the shape does not fit, or there are more positions than were learned.
        """
        max_length, model_size = self.table.shape
        check_sequences("x", x, model_size)
        end = start + x.shape[1]
        if start < 0:
            raise ValueError(f"start={start}; expected a position, from 0.")
        if end > max_length:
            self._grow(end)
        return self.dropout(x + self.table[start:end])

    def _grow(self, end):
        n_positions, model_size = self.table.shape
        if self.kind == "learned":
            raise ValueError(
                f"{end} positions are asked for, and max_length={n_positions} are "
                "learned. Shorten the sequences, or give a greater max_length, or "
                'kind="sinusoidal", which has no end.'
            )
        # More than asked for, so that it does not grow again at the next position.
        self.table = sinusoids(2 * end, model_size).to(self.table)
