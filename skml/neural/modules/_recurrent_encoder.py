"""A recurrent network that reads sequences."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from skml.neural.modules._checks import (
    check_choice,
    check_dropout,
    check_sequences,
    check_sizes,
)
from skml.neural.modules._dropout import Dropout
from skml.neural.modules._gated_recurrence import (
    learns_on_cpu,
    run_gru,
    run_recurrent,
)
from skml.neural.modules._recurrent_state import CELLS, StateBridge


class RecurrentEncoder(nn.Module):
    r"""A recurrent network that reads sequences of different lengths.

    Padding changes nothing: the state is that at the end of each sequence, and the
    backward direction begins there. The states of both directions are brought to the
    size of one by a learned linear map, with tanh behind it, for each layer:

    .. math:: s = \tanh(W [\overrightarrow{s}; \overleftarrow{s}] + b)

    In an LSTM, hidden values and cell have a map each.

    Parameters
    ----------
    input_size : int
        The number of features.
    hidden_size : int
        The size of the state of a layer, in each direction.
    n_layers : int, default=1
        The number of layers.
    cell : {"gru", "lstm"}, default="gru"
        The gated recurrent unit [1]_ or long short-term memory [2]_.
    bidirectional : bool, default=False
        Whether sequences are read backwards, too.
    dropout : float, default=0.0
        Dropout probability of the outputs of each layer. It leaves the state as it is
        [3]_.

    Attributes
    ----------
    output_size : int
        The number of features of outputs: `hidden_size`, or twice that if
        `bidirectional`.

    Raises
    ------
    ValueError
        If a size is not a positive integer, `cell` is unknown, or `dropout` is not in
        [0, 1).

    References
    ----------
    .. [1] K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for
       Statistical Machine Translation", EMNLP 2014.
    .. [2] S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation
       9, 1997.
    .. [3] W. Zaremba, I. Sutskever, O. Vinyals, "Recurrent Neural Network
       Regularization", 2014.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import RecurrentEncoder
    >>> encoder = RecurrentEncoder(input_size=3, hidden_size=4, bidirectional=True)
    >>> outputs, state = encoder(torch.rand(2, 5, 3), torch.tensor([5, 2]))
    >>> outputs.shape, state.shape
    (torch.Size([2, 5, 8]), torch.Size([1, 2, 4]))
    >>> bool((outputs[1, 2:] == 0).all())
    True
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        n_layers: int = 1,
        cell: Literal["gru", "lstm"] = "gru",
        bidirectional: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, n_layers=n_layers)
        check_choice("cell", cell, tuple(CELLS))
        check_dropout(dropout)
        self.rnn = CELLS[cell](
            input_size,
            hidden_size,
            num_layers=n_layers,
            batch_first=True,
            bidirectional=bidirectional,
            # Between layers; with one layer PyTorch would warn.
            dropout=dropout if n_layers > 1 else 0.0,
        )
        self.dropout = Dropout(dropout)
        self.output_size = hidden_size * (2 if bidirectional else 1)
        n_states = (2 if cell == "lstm" else 1) if bidirectional else 0
        self.bridges = nn.ModuleList(
            StateBridge(hidden_size, n_layers) for _ in range(n_states)
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None):
        """Read sequences.

        Parameters
        ----------
        x : Tensor of shape (n_sequences, n_positions, input_size)
            The sequences, each from the first position on.
        lengths : Tensor of int of shape (n_sequences,), default=None
            How many positions each has. None means all. They are best on the CPU,
            where they are needed.

        Returns
        -------
        outputs : Tensor of shape (n_sequences, n_positions, output_size)
            What the last layer says at each position; zeros beyond the length.
        state : Tensor of shape (n_layers, n_sequences, hidden_size), or tuple of two
            The state of each layer at the end; for an LSTM hidden values and cell.

        Raises
        ------
        ValueError
            If shapes do not fit, or a length is not in [1, n_positions].
        """
        check_sequences("x", x, self.rnn.input_size)
        lengths = _check_lengths(lengths, x)
        outputs, state = self._read(x, lengths)
        if self.bridges:
            parts = state if isinstance(state, tuple) else (state,)
            bridged = [
                bridge(part) for bridge, part in zip(self.bridges, parts, strict=True)
            ]
            state = tuple(bridged) if len(bridged) > 1 else bridged[0]
        return self.dropout(outputs), state

    def _read(self, x, lengths):
        n_positions, longest = x.shape[1], int(lengths.max())
        if longest == int(lengths.min()):
            # Packing, or masks, would only cost time.
            outputs, state = run_recurrent(self.rnn, x[:, :longest])
            n_padded = n_positions - longest
            return nn.functional.pad(outputs, (0, 0, 0, n_padded)), state
        if learns_on_cpu(self.rnn, x):
            return run_gru(self.rnn, x, lengths=lengths)
        packed = pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        outputs, state = self.rnn(packed)
        outputs, _ = pad_packed_sequence(
            outputs, batch_first=True, total_length=n_positions
        )
        return outputs, state


def _check_lengths(lengths, x):
    """The lengths, on the CPU, where packing wants them."""
    n_sequences, n_positions, _ = x.shape
    if lengths is None:
        return torch.full((n_sequences,), n_positions)
    lengths = torch.as_tensor(lengths).cpu()
    is_integer = not lengths.is_floating_point() and lengths.dtype != torch.bool
    if lengths.shape != (n_sequences,) or not is_integer:
        raise ValueError(
            f"lengths has the shape {tuple(lengths.shape)} and dtype {lengths.dtype}; "
            f"expected integers of shape ({n_sequences},)."
        )
    wrong = torch.nonzero((lengths < 1) | (lengths > n_positions))
    if len(wrong):
        at = int(wrong[0])
        raise ValueError(
            f"lengths[{at}] is {int(lengths[at])}; expected 1 to {n_positions}, the "
            "number of positions."
        )
    return lengths
