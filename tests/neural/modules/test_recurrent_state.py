"""The state of a recurrent network."""

import torch

from skml.neural.modules import reorder_state


def test_reorder():
    state, index = torch.randn(2, 3, 4), torch.tensor([2, 2, 0, 1])
    assert torch.equal(reorder_state(state, index), state[:, index])


def test_reorder_of_a_pair():
    hidden, cell, index = torch.randn(2, 3, 4), torch.randn(2, 3, 4), torch.tensor([1])
    reordered = reorder_state((hidden, cell), index)
    assert isinstance(reordered, tuple)
    assert torch.equal(reordered[0], hidden[:, [1]])
    assert torch.equal(reordered[1], cell[:, [1]])
