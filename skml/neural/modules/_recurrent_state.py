"""The state of a recurrent network: a tensor, or for an LSTM two."""

import torch
from torch import Tensor, nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


def reorder_state(state: Tensor | tuple[Tensor, Tensor], index: Tensor):
    """Replace the sequences of a state by others of them, as beam search does.

    Parameters
    ----------
    state : Tensor of shape (n_layers, n_sequences, hidden_size), or tuple of two
        The state of a GRU, or of an LSTM.
    index : Tensor of int of shape (n_new_sequences,)
        Which sequence stands at each place from now on. One may stand at many places,
        or at none.

    Returns
    -------
    state : Tensor of shape (n_layers, n_new_sequences, hidden_size), or tuple of two
        The new state.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import reorder_state
    >>> state = torch.tensor([[[1.0], [2.0]]])
    >>> reorder_state(state, torch.tensor([1, 1, 0]))
    tensor([[[2.],
             [2.],
             [1.]]])
    """
    if isinstance(state, tuple):
        return tuple(reorder_state(part, index) for part in state)
    return state.index_select(1, index)


def check_state(state, cell, n_layers, n_sequences, hidden_size):
    """The state must be of the shape that the cell expects."""
    expected = (n_layers, n_sequences, hidden_size)
    wanted, n_parts = "a tensor", 1
    if cell == "lstm":
        wanted, n_parts = "a tuple of two tensors", 2
    is_tuple = isinstance(state, tuple)
    found = [_shape_of(part) for part in (state if is_tuple else [state])]
    if is_tuple != (cell == "lstm") or found != [expected] * n_parts:
        found = f"a tuple of {found}" if is_tuple else found[0]
        raise ValueError(
            f"state is {found}; a decoder of cell={cell!r} expects {wanted} of shape "
            f"{expected}."
        )


def _shape_of(part):
    return tuple(part.shape) if isinstance(part, torch.Tensor) else type(part).__name__


class StateBridge(nn.Module):
    r"""Brings the states of both directions to the size of one.

    .. math:: s = \tanh(W [\overrightarrow{s}; \overleftarrow{s}] + b)
    """

    def __init__(self, hidden_size, n_layers):
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Linear(2 * hidden_size, hidden_size) for _ in range(n_layers)
        )

    def forward(self, state):
        """From (2 * n_layers, n_sequences, hidden_size) to half as many."""
        # A layer's directions stand one after the other.
        pairs = state.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2)
        bridged = [linear(pair) for linear, pair in zip(self.maps, pairs, strict=True)]
        return torch.tanh(torch.stack(bridged))
