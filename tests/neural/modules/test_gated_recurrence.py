"""The layer of gated recurrent units, against PyTorch's own, one sequence at a time."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from skml.neural.modules._gated_recurrence import GatedRecurrence, run_gru

LENGTHS = torch.tensor([5, 1, 3, 5])


def make(n_layers, bidirectional):
    torch.manual_seed(0)
    gru = nn.GRU(3, 4, n_layers, batch_first=True, bidirectional=bidirectional).double()
    n_states = n_layers * (2 if bidirectional else 1)
    x = torch.randn(4, 5, 3, dtype=torch.float64, requires_grad=True)
    state = torch.randn(n_states, 4, 4, dtype=torch.float64, requires_grad=True)
    return gru, x, state


def gradients(gru, x, state, outputs, end):
    (outputs.square().sum() + (end * 3).sin().sum()).backward()
    found = [x.grad, state.grad, *(p.grad for p in gru.parameters())]
    x.grad = state.grad = None
    gru.zero_grad()
    return found


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_values_and_gradients_are_those_of_torch(n_layers, bidirectional, lengths):
    gru, x, state = make(n_layers, bidirectional)
    outputs, end = run_gru(gru, x, state, lengths)
    found = gradients(gru, x, state, outputs, end)
    each = [5] * 4 if lengths is None else lengths.tolist()
    pairs = [gru(x[[i], :n], state[:, [i]]) for i, n in enumerate(each)]
    expected = torch.zeros_like(outputs)
    for i, (output, _) in enumerate(pairs):
        expected[i, : each[i]] = output[0]
    expected_end = torch.cat([e for _, e in pairs], dim=1)
    assert_close(outputs, expected)
    assert_close(end, expected_end)
    for ours, theirs in zip(
        found, gradients(gru, x, state, expected, expected_end), strict=True
    ):
        assert_close(ours, theirs)


def test_derivatives_are_finite_differences():
    gru, x, state = make(1, False)
    mask = (torch.arange(5)[:, None] < LENGTHS)[:, :, None]

    def run(x, state, *weights):
        return GatedRecurrence.apply(x, state, mask, *weights, torch.float64)

    inputs = (x.detach().transpose(0, 1), state.detach()[0], *gru.parameters())
    inputs = [i.detach().clone().requires_grad_() for i in inputs]
    assert torch.autograd.gradcheck(run, inputs)


def test_no_state_is_zeros():
    gru, x, state = make(2, True)
    for ours, theirs in zip(
        run_gru(gru, x), run_gru(gru, x, torch.zeros_like(state)), strict=True
    ):
        assert_close(ours, theirs)


def test_bfloat16_is_near():
    gru, x, state = make(1, True)
    gru, x, state = gru.float(), x.detach().float(), state.detach().float()
    x.requires_grad_()
    state.requires_grad_()
    exact = run_gru(gru, x, state)
    of_exact = gradients(gru, x, state, *exact)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = run_gru(gru, x, state)
    assert found[0].dtype == torch.float32
    assert_close(found[0], exact[0], atol=0.02, rtol=0)
    for ours, theirs in zip(gradients(gru, x, state, *found), of_exact, strict=True):
        assert_close(ours, theirs, atol=0.03 * theirs.abs().max().item(), rtol=0)


def test_layers_drop_out_between():
    torch.manual_seed(0)
    gru = nn.GRU(3, 4, 2, batch_first=True, dropout=0.5)
    x = torch.randn(4, 5, 3)
    once, again = run_gru(gru, x)[0], run_gru(gru, x)[0]
    assert not torch.equal(once, again)
    assert_close(run_gru(gru.eval(), x)[0], gru(x)[0])
