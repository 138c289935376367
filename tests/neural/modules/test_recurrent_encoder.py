"""The recurrent encoder: against torch's networks on one sequence at a time."""

import pytest
import torch
from numpy.testing import assert_allclose

from skml.neural.modules import RecurrentEncoder

INPUT, HIDDEN = 3, 4
STYLES = [
    (cell, bidirectional, n_layers)
    for cell in ("gru", "lstm")
    for bidirectional in (False, True)
    for n_layers in (1, 2)
]


def close(left, right, atol=1e-6):
    assert_allclose(left.detach(), right.detach(), atol=atol)


def parts_of(state):
    return state if isinstance(state, tuple) else (state,)


def read_alone(encoder, x):
    """A single sequence without padding, with directions bridged by hand."""
    outputs, state = encoder.rnn(x[None])
    parts = parts_of(state)
    if encoder.rnn.bidirectional:
        parts = [
            torch.stack(
                [
                    torch.tanh(
                        bridge.maps[i](torch.cat([part[2 * i], part[2 * i + 1]], -1))
                    )
                    for i in range(encoder.rnn.num_layers)
                ]
            )
            for bridge, part in zip(encoder.bridges, parts, strict=True)
        ]
    return outputs[0], parts


@pytest.mark.parametrize(("cell", "bidirectional", "n_layers"), STYLES)
@pytest.mark.parametrize(
    "lengths", [[2, 5, 1, 4], [2, 4, 1, 3], [3, 3, 3, 3], [5, 5, 5, 5], None]
)
def test_padding_changes_nothing(cell, bidirectional, n_layers, lengths):
    encoder = RecurrentEncoder(INPUT, HIDDEN, n_layers, cell, bidirectional)
    x = torch.randn(4, 5, INPUT)
    given = None if lengths is None else torch.tensor(lengths)
    outputs, state = encoder(x, given)
    assert encoder.output_size == HIDDEN * (1 + bidirectional)
    assert outputs.shape == (4, 5, encoder.output_size)
    assert isinstance(state, tuple) == (cell == "lstm")
    for part in parts_of(state):
        assert part.shape == (n_layers, 4, HIDDEN)
    for i, length in enumerate(lengths or [5] * 4):
        expected, expected_parts = read_alone(encoder, x[i, :length])
        close(outputs[i, :length], expected)
        assert (outputs[i, length:] == 0).all()
        for part, alone in zip(parts_of(state), expected_parts, strict=True):
            close(part[:, i], alone[:, 0])


def test_gradients_do_not_see_padding():
    encoder = RecurrentEncoder(INPUT, HIDDEN, bidirectional=True)
    x = torch.randn(2, 5, INPUT, requires_grad=True)
    outputs, state = encoder(x, torch.tensor([5, 2]))
    (outputs.sum() + state.sum()).backward()
    assert (x.grad[1, 2:] == 0).all()
    assert (x.grad[1, :2] != 0).all()
    assert all((p.grad != 0).any() for p in encoder.parameters())


def test_lengths_may_be_a_list():
    encoder = RecurrentEncoder(INPUT, HIDDEN)
    x = torch.randn(2, 5, INPUT)
    assert torch.equal(encoder(x, [5, 2])[0], encoder(x, torch.tensor([5, 2]))[0])


@pytest.mark.parametrize("n_layers", [1, 2])
def test_dropout_is_for_training(n_layers):
    encoder = RecurrentEncoder(INPUT, 50, n_layers, dropout=0.5)
    x = torch.randn(2, 5, INPUT)
    outputs, state = encoder(x)
    assert 0.4 < (outputs == 0).float().mean() < 0.6
    assert not (state == 0).any()
    # Between layers, too: the state of the second layer saw what was left of the first.
    assert torch.equal(encoder(x)[1], state) == (n_layers == 1)
    encoder.eval()
    assert torch.equal(encoder(x)[0], encoder(x)[0])
    assert not (encoder(x)[0] == 0).any()


def test_initial_weights_follow_the_generator():
    def draw(seed):
        torch.manual_seed(seed)
        return RecurrentEncoder(INPUT, HIDDEN, bidirectional=True).state_dict()

    first, second, other = draw(1), draw(1), draw(2)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"input_size": 0}, "input_size=0; expected a positive integer"),
        ({"hidden_size": 1.5}, "hidden_size=1.5; expected a positive integer"),
        ({"n_layers": 0}, "n_layers=0; expected a positive integer"),
        ({"cell": "rnn"}, "cell='rnn'; expected one of 'gru', 'lstm'"),
        ({"dropout": -1}, r"dropout=-1; expected a number in \[0, 1\)"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        RecurrentEncoder(**({"input_size": INPUT, "hidden_size": HIDDEN} | parameters))


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([5, 0], r"lengths\[1\] is 0; expected 1 to 5, the number of positions"),
        ([6, 5], r"lengths\[0\] is 6; expected 1 to 5"),
        ([5], r"lengths has the shape \(1,\) .*; expected integers of shape \(2,\)"),
        ([5.0, 2.0], r"dtype torch.float32; expected integers"),
        ([True, True], r"dtype torch.bool; expected integers"),
    ],
)
def test_wrong_lengths(lengths, message):
    encoder = RecurrentEncoder(INPUT, HIDDEN)
    with pytest.raises(ValueError, match=message):
        encoder(torch.rand(2, 5, INPUT), torch.tensor(lengths))


def test_wrong_shape():
    with pytest.raises(ValueError, match=r"x has the shape \(2, 5, 4\); expected \(n_"):
        RecurrentEncoder(INPUT, HIDDEN)(torch.rand(2, 5, 4))
