"""Positions."""

import pytest
import torch
from numpy.testing import assert_allclose

from skml.attention import positional_encoding
from skml.neural.modules import PositionalEncoding


@pytest.mark.parametrize("size", [1, 6, 7])
def test_sinusoids_are_those_of_the_function(size):
    x = torch.randn(2, 9, size)
    expected = x.numpy() + positional_encoding(9, size)
    assert_allclose(PositionalEncoding(size)(x), expected, atol=1e-6)


def test_sinusoids_are_those_of_the_formula():
    t, n = torch.arange(700.0, dtype=torch.float64), 6
    columns = []
    for i in range(3):
        angle = t / 10000 ** (2 * i / n)
        columns += [torch.sin(angle), torch.cos(angle)]
    add = PositionalEncoding(n).double()
    found = add(torch.zeros(1, 700, n, dtype=torch.float64))[0]
    # Only what was computed before it became of float64 is rounded.
    assert_allclose(found, torch.stack(columns, dim=1), atol=1e-7)
    assert_allclose(found[512:], torch.stack(columns, dim=1)[512:], atol=1e-12)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned"])
def test_start(kind):
    add = PositionalEncoding(4, max_length=10, kind=kind)
    x = torch.randn(2, 10, 4)
    steps = [add(x[:, t : t + 2], start=t) for t in range(0, 10, 2)]
    assert torch.equal(torch.cat(steps, dim=1), add(x))


def test_sinusoids_have_no_end():
    add = PositionalEncoding(4, max_length=3)
    x = torch.zeros(1, 1, 4)
    expected = positional_encoding(1001, 4)
    assert_allclose(add(x, start=1000)[0, 0], expected[1000], atol=1e-6)
    assert_allclose(add(x, start=3)[0, 0], expected[3], atol=1e-6)
    # The table is not computed anew at each further position.
    table = add.table
    add(x, start=1001)
    assert add.table is table


def test_sinusoids_are_not_saved():
    assert PositionalEncoding(4).state_dict() == {}
    assert list(PositionalEncoding(4).parameters()) == []


def test_learned_positions_learn():
    add = PositionalEncoding(4, max_length=5, kind="learned")
    (table,) = add.parameters()
    assert table.shape == (5, 4)
    x = torch.randn(3, 4, 4)
    assert torch.equal(add(x), x + table[:4])
    add(x).sum().backward()
    assert torch.equal(table.grad[:4], torch.full((4, 4), 3.0))
    assert torch.equal(table.grad[4], torch.zeros(4))


def test_learned_positions_end():
    add = PositionalEncoding(4, max_length=5, kind="learned")
    message = "6 positions are asked for, and max_length=5 are learned"
    with pytest.raises(ValueError, match=message):
        add(torch.rand(1, 6, 4))
    with pytest.raises(ValueError, match=message):
        add(torch.rand(1, 1, 4), start=5)


def test_dropout_is_for_training():
    add = PositionalEncoding(50, dropout=0.5)
    x = torch.ones(1, 20, 50)
    assert (add(x) == 0).float().mean() > 0.4
    assert not (add.eval()(x) == 0).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"model_size": 0}, "model_size=0; expected a positive integer"),
        ({"max_length": -1}, "max_length=-1; expected a positive integer"),
        ({"kind": "rotary"}, "kind='rotary'; expected one of 'sinusoidal', 'learned'"),
        ({"dropout": 1}, r"dropout=1; expected a number in \[0, 1\)"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        PositionalEncoding(**({"model_size": 4} | parameters))


def test_wrong_input():
    add = PositionalEncoding(4)
    with pytest.raises(ValueError, match=r"x has the shape \(2, 4\); expected \(n_seq"):
        add(torch.rand(2, 4))
    with pytest.raises(ValueError, match="start=-1; expected a position, from 0"):
        add(torch.rand(1, 2, 4), start=-1)
