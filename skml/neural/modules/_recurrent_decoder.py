"""A recurrent network that writes sequences."""

from typing import Literal

import torch
from torch import Tensor, nn

from skml.neural.modules._attention import AdditiveAttention, DotProductAttention
from skml.neural.modules._checks import (
    check_choice,
    check_dropout,
    check_sequences,
    check_sizes,
)
from skml.neural.modules._dropout import Dropout
from skml.neural.modules._gated_recurrence import run_recurrent
from skml.neural.modules._recurrent_state import CELLS, check_state


class RecurrentDecoder(nn.Module):
    r"""A recurrent network that attends to the memory of an encoder.

    The network runs over all positions in one call, and attends afterwards, with its
    hidden values h as queries [1]_. With c for what attention found, features are

    .. math:: \tanh(W [c; h] + b)

    Without attention, they are h. No position sees a later one, so that padding behind
    a sequence changes nothing before it.

    Parameters
    ----------
    input_size : int
        The number of features.
    hidden_size : int
        The size of the state of a layer, and of the features.
    memory_size : int, default=None
        The number of features of the memory; not needed without attention.
    n_layers : int, default=1
        The number of layers.
    cell : {"gru", "lstm"}, default="gru"
        The gated recurrent unit or long short-term memory.
    attention : {"additive", "dot-product"}, default=None
        How the memory is scored: by a small network [2]_, or by the inner product of h
        and a learned linear map of the memory, over the root of `hidden_size`. None
        means that only the state depends on the memory.
    dropout : float, default=0.0
        Dropout probability of the outputs of each layer and of the features. It leaves
        the state as it is.

    Raises
    ------
    ValueError
        If a size is not a positive integer, `cell` or `attention` is unknown, or
        `dropout` is not in [0, 1).

    References
    ----------
    .. [1] M.-T. Luong, H. Pham, C. D. Manning, "Effective Approaches to Attention-based
       Neural Machine Translation", EMNLP 2015.
    .. [2] D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly
       Learning to Align and Translate", ICLR 2015.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import RecurrentDecoder, RecurrentEncoder
    >>> encoder = RecurrentEncoder(3, 4, bidirectional=True)
    >>> decoder = RecurrentDecoder(
    ...     input_size=5, hidden_size=4, memory_size=8, attention="additive"
    ... )
    >>> memory, state = encoder(torch.rand(1, 6, 3))
    >>> y = torch.rand(1, 2, 5)
    >>> features, _ = decoder(y, state, memory)
    >>> features.shape
    torch.Size([1, 2, 4])

    The same, position by position, with the memory projected once:

    >>> projected = decoder.project_memory(memory)
    >>> steps = []
    >>> for t in range(2):
    ...     step, state = decoder(
    ...         y[:, t : t + 1], state, memory, projected_memory=projected
    ...     )
    ...     steps.append(step)
    >>> torch.allclose(torch.cat(steps, dim=1), features, atol=1e-6)
    True
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        memory_size: int | None = None,
        n_layers: int = 1,
        cell: Literal["gru", "lstm"] = "gru",
        attention: Literal["additive", "dot-product"] | None = None,
        dropout: float = 0.0,
    ):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, n_layers=n_layers)
        check_choice("cell", cell, tuple(CELLS))
        check_choice("attention", attention, (None, "additive", "dot-product"))
        check_dropout(dropout)
        self.cell = cell
        self.rnn = CELLS[cell](
            input_size,
            hidden_size,
            num_layers=n_layers,
            batch_first=True,
            # Between layers; with one layer PyTorch would warn.
            dropout=dropout if n_layers > 1 else 0.0,
        )
        self.dropout = Dropout(dropout)
        self.attention = None
        if attention is None:
            return
        check_sizes(memory_size=memory_size)
        if attention == "additive":
            self.attention = AdditiveAttention(hidden_size, memory_size, hidden_size)
        else:
            self.attention = DotProductAttention()
            self.memory_map = nn.Linear(memory_size, hidden_size, bias=False)
        self.feature_map = nn.Linear(memory_size + hidden_size, hidden_size)

    def project_memory(self, memory: Tensor) -> Tensor:
        """Compute what attention needs of the memory, once for all positions.

        Parameters
        ----------
        memory : Tensor of shape (n_sequences, n_memory, memory_size)
            What the encoder returned.

        Returns
        -------
        projected_memory : Tensor of shape (n_sequences, n_memory, hidden_size)
            The projected memory, for `forward`.

        Raises
        ------
        ValueError
            If the shape does not fit, or there is no attention.
        """
        if self.attention is None:
            raise ValueError("There is no attention, which a memory could be for.")
        if isinstance(self.attention, AdditiveAttention):
            return self.attention.project_keys(memory)
        check_sequences("memory", memory, self.memory_map.in_features)
        return self.memory_map(memory)

    def forward(
        self,
        x: Tensor,
        state: Tensor | tuple[Tensor, Tensor],
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        *,
        projected_memory: Tensor | None = None,
        return_weights: bool = False,
    ):
        """Decode sequences, or the next positions of them.

        Parameters
        ----------
        x : Tensor of shape (n_sequences, n_positions, input_size)
            The sequences.
        state : Tensor of shape (n_layers, n_sequences, hidden_size), or tuple of two
            The state before the first position: that of the encoder, or what this
            method returned for the positions before. A tuple for an LSTM.
        memory : Tensor of shape (n_sequences, n_memory, memory_size), default=None
            What the encoder returned. Without attention it is not used.
        memory_mask : Tensor of bool of shape (n_sequences, n_memory), default=None
            Which positions of the memory may be seen (True). None means all.
        projected_memory : Tensor, default=None
            What `project_memory` returned, of shape (n_sequences, n_memory,
            hidden_size); it saves time where there are many calls.
        return_weights : bool, default=False
            Whether weights over the memory are returned as well.

        Returns
        -------
        features : Tensor of shape (n_sequences, n_positions, hidden_size)
            The decoded sequences.
        state : Tensor of shape (n_layers, n_sequences, hidden_size), or tuple of two
            The state behind the last position, be it padding or not.
        weights : Tensor of shape (n_sequences, n_positions, n_memory)
            The weights over the memory, if `return_weights`.

        Raises
        ------
        ValueError
            If shapes do not fit, a memory is missing, or weights are asked for where
            there is no attention.
        """
        check_sequences("x", x, self.rnn.input_size)
        check_state(state, self.cell, self.rnn.num_layers, len(x), self.rnn.hidden_size)
        if self.attention is None and return_weights:
            raise ValueError("There is no attention, and so there are no weights.")
        hidden, state = run_recurrent(self.rnn, x, state)
        if self.attention is None:
            return self.dropout(hidden), state
        pooled, weights = self._attend(hidden, memory, memory_mask, projected_memory)
        features = torch.tanh(self.feature_map(torch.cat([pooled, hidden], dim=-1)))
        features = self.dropout(features)
        return (features, state, weights) if return_weights else (features, state)

    def _attend(self, hidden, memory, memory_mask, projected_memory):
        if memory is None:
            raise ValueError("memory is None; expected what the encoder returned.")
        if projected_memory is None:
            projected_memory = self.project_memory(memory)
        if isinstance(self.attention, AdditiveAttention):
            return self.attention(
                hidden, None, memory, memory_mask, projected_keys=projected_memory
            )
        return self.attention(hidden, projected_memory, memory, memory_mask)
