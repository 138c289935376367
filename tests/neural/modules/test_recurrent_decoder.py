"""The recurrent decoder: against its formula, and position by position."""

import pytest
import torch
from numpy.testing import assert_allclose

from skml.neural.modules import RecurrentDecoder, RecurrentEncoder, reorder_state

INPUT, HIDDEN, MEMORY = 3, 4, 6
STYLES = [
    (cell, attention, n_layers)
    for cell in ("gru", "lstm")
    for attention in (None, "additive", "dot-product")
    for n_layers in (1, 2)
]


def close(left, right, atol=1e-6):
    assert_allclose(left.detach(), right.detach(), atol=atol)


def make(cell="gru", attention="additive", n_layers=1, **parameters):
    return RecurrentDecoder(
        INPUT, HIDDEN, MEMORY, n_layers, cell, attention, **parameters
    )


def data(cell="gru", n_layers=1, n_positions=5):
    """Input, state, memory and its mask."""
    state = torch.randn(n_layers, 3, HIDDEN)
    if cell == "lstm":
        state = (state, torch.randn(n_layers, 3, HIDDEN))
    mask = torch.arange(4) < torch.tensor([[4], [2], [1]])
    return torch.randn(3, n_positions, INPUT), state, torch.randn(3, 4, MEMORY), mask


def pairs(left, right):
    """Parts of two states."""
    if isinstance(left, tuple):
        return list(zip(left, right, strict=True))
    return [(left, right)]


@pytest.mark.parametrize(("cell", "attention", "n_layers"), STYLES)
def test_position_by_position_is_all_at_once(cell, attention, n_layers):
    decoder = make(cell, attention, n_layers)
    x, state, memory, mask = data(cell, n_layers)
    expected, expected_state = decoder(x, state, memory, mask)
    assert expected.shape == (3, 5, HIDDEN)
    projected = None if attention is None else decoder.project_memory(memory)
    steps = []
    for t in range(5):
        step, state = decoder(
            x[:, [t]], state, memory, mask, projected_memory=projected
        )
        steps.append(step)
    close(torch.cat(steps, dim=1), expected)
    for found, wanted in pairs(state, expected_state):
        close(found, wanted)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_without_attention_it_is_the_network(cell):
    decoder = make(cell, attention=None)
    x, state, _, _ = data(cell)
    features, last = decoder(x, state)
    expected, expected_last = decoder.rnn(x, state)
    torch.testing.assert_close(features, expected)
    for pair in pairs(last, expected_last):
        torch.testing.assert_close(*pair)
    # The number of features of a memory need not be known.
    RecurrentDecoder(INPUT, HIDDEN)


@pytest.mark.parametrize("attention", ["additive", "dot-product"])
def test_features_are_those_of_the_formula(attention):
    decoder = make(attention=attention)
    x, state, memory, mask = data()
    features, _, weights = decoder(x, state, memory, mask, return_weights=True)
    hidden, _ = decoder.rnn(x, state)
    for b, length in enumerate((4, 2, 1)):
        for t in range(5):
            h, m = hidden[b, t], memory[b, :length]
            if attention == "additive":
                inner = decoder.attention
                a = torch.tanh(inner.query_map(h) + inner.key_map(m))
                scores = a @ inner.vector.weight[0]
            else:
                scores = m @ decoder.memory_map.weight.T @ h / HIDDEN**0.5
            expected = torch.softmax(scores, dim=0)
            close(weights[b, t, :length], expected)
            assert (weights[b, t, length:] == 0).all()
            both = torch.cat([expected @ m, h])
            close(features[b, t], torch.tanh(decoder.feature_map(both)))


@pytest.mark.parametrize("attention", ["additive", "dot-product"])
def test_later_positions_and_padding_change_nothing(attention):
    decoder = make(attention=attention, n_layers=2)
    x, state, memory, mask = data(n_layers=2)
    expected, _ = decoder(x, state, memory, mask)
    x[:, 3:] += 10
    memory[~mask] = 100
    found, _ = decoder(x, state, memory, mask)
    close(found[:, :3], expected[:, :3])
    assert (found[:, 3:] - expected[:, 3:]).abs().max() > 0.01


@pytest.mark.parametrize("attention", ["additive", "dot-product"])
def test_a_memory_of_padding_alone(attention):
    decoder = make(attention=attention)
    x, state, memory, mask = data()
    mask[1] = False
    features, _, weights = decoder(x, state, memory, mask, return_weights=True)
    features.square().sum().backward()
    assert (weights[1] == 0).all()
    assert torch.isfinite(features).all()
    assert all(torch.isfinite(p.grad).all() for p in decoder.parameters())


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_reordered_sequences_go_on(cell):
    decoder = make(cell)
    x, state, memory, mask = data(cell)
    index = torch.tensor([2, 2, 0, 1])
    expected, _ = decoder(
        x[index], reorder_state(state, index), memory[index], mask[index]
    )
    _, state = decoder(x[:, :3], state, memory, mask)
    state = reorder_state(state, index)
    found, _ = decoder(x[index, 3:], state, memory[index], mask[index])
    close(found, expected[:, 3:])


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_begins_with_the_state_of_an_encoder(cell, bidirectional):
    encoder = RecurrentEncoder(INPUT, HIDDEN, 2, cell, bidirectional)
    decoder = RecurrentDecoder(
        INPUT, HIDDEN, encoder.output_size, 2, cell, "dot-product"
    )
    x = torch.randn(3, 4, INPUT)
    memory, state = encoder(x, torch.tensor([4, 2, 1]))
    features, _ = decoder(x, state, memory)
    features.sum().backward()
    parameters = [*encoder.parameters(), *decoder.parameters()]
    assert all((p.grad != 0).any() for p in parameters)


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("attention", [None, "additive"])
def test_dropout_is_for_training(attention, n_layers):
    decoder = RecurrentDecoder(
        INPUT, 50, MEMORY, n_layers, attention=attention, dropout=0.5
    )
    x, _, memory, mask = data()
    state = torch.randn(n_layers, 3, 50)
    features, last = decoder(x, state, memory, mask)
    assert 0.4 < (features == 0).float().mean() < 0.6
    assert not (last == 0).any()
    # Between layers, too: the state of the second layer saw what was left of the first.
    _, again = decoder(x, state, memory, mask)
    assert torch.equal(again, last) == (n_layers == 1)
    decoder.eval()
    assert not (decoder(x, state, memory, mask)[0] == 0).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"input_size": 0}, "input_size=0; expected a positive integer"),
        ({"memory_size": None}, "memory_size=None; expected a positive integer"),
        ({"cell": "rnn"}, "cell='rnn'; expected one of 'gru', 'lstm'"),
        (
            {"attention": "dot"},
            "attention='dot'; expected one of None, 'additive', 'dot-product'",
        ),
        ({"dropout": 1.0}, r"dropout=1.0; expected a number in \[0, 1\)"),
    ],
)
def test_wrong_parameters(parameters, message):
    right = {
        "input_size": INPUT,
        "hidden_size": HIDDEN,
        "memory_size": MEMORY,
        "attention": "additive",
    }
    with pytest.raises(ValueError, match=message):
        RecurrentDecoder(**(right | parameters))


@pytest.mark.parametrize(
    ("cell", "state", "message"),
    [
        (
            "gru",
            "lstm",
            r"state is a tuple .*; .* cell='gru' expects a tensor of shape",
        ),
        ("lstm", "gru", r"state is .*; .* cell='lstm' expects a tuple of two tensors"),
    ],
)
def test_state_of_another_cell(cell, state, message):
    x, state, memory, _ = data(state)
    with pytest.raises(ValueError, match=message):
        make(cell)(x, state, memory)


def test_wrong_state():
    x, state, memory, _ = data()
    with pytest.raises(
        ValueError, match=r"state is \(1, 2, 4\); .* a tensor of shape \(1, 3, 4\)"
    ):
        make()(x, state[:, :2], memory)
    with pytest.raises(ValueError, match=r"state is NoneType; .* a tensor of shape"):
        make()(x, None, memory)


@pytest.mark.parametrize("attention", ["additive", "dot-product"])
def test_wrong_memory(attention):
    decoder = make(attention=attention)
    x, state, memory, _ = data()
    with pytest.raises(ValueError, match="memory is None; expected what the encoder"):
        decoder(x, state)
    with pytest.raises(
        ValueError, match=r"has the shape \(3, 4, 5\); expected \(n_.*6"
    ):
        decoder(x, state, memory[..., :5])
    with pytest.raises(ValueError, match=r"x has the shape \(3, 5, 2\); expected \(n_"):
        decoder(x[..., :2], state, memory)


def test_nothing_to_attend_with():
    decoder = make(attention=None)
    x, state, memory, _ = data()
    with pytest.raises(ValueError, match="no attention, and so there are no weights"):
        decoder(x, state, return_weights=True)
    with pytest.raises(ValueError, match="no attention, which a memory could be for"):
        decoder.project_memory(memory)
