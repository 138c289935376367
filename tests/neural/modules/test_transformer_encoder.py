"""The encoder of a Transformer: against torch."""

import pytest
import torch

from skml.neural.modules import Dropout, TransformerEncoder, TransformerEncoderLayer
from tests.neural.modules.twins import close, copy_attention, copy_modules, shake

SIZE = 8
STYLES = [(norm, act) for norm in (True, False) for act in ("relu", "gelu")]


def copy_to_torch(encoder, norm_first, activation):
    """PyTorch's own encoder, with the same weights."""
    layer = torch.nn.TransformerEncoderLayer(
        SIZE, 2, 16, 0.0, activation, batch_first=True, norm_first=norm_first
    )
    norm = torch.nn.LayerNorm(SIZE) if norm_first else None
    twin = torch.nn.TransformerEncoder(
        layer, len(encoder.layers), norm=norm, enable_nested_tensor=False
    )
    for ours, theirs in zip(encoder.layers, twin.layers, strict=True):
        copy_attention(ours.attention, theirs.self_attn)
        copy_modules(
            (ours.attention_residual.norm, theirs.norm1),
            (ours.feed_forward_residual.norm, theirs.norm2),
            (ours.feed_forward[0], theirs.linear1),
            (ours.feed_forward[3], theirs.linear2),
        )
    if norm_first:
        copy_modules((encoder.norm, twin.norm))
    return twin


@pytest.mark.parametrize(("norm_first", "activation"), STYLES)
def test_it_is_that_of_torch(norm_first, activation):
    encoder = shake(
        TransformerEncoder(2, SIZE, 2, 16, activation=activation, norm_first=norm_first)
    )
    twin = copy_to_torch(encoder, norm_first, activation)
    x = torch.randn(3, 5, SIZE)
    close(encoder(x), twin(x))
    mask = torch.arange(5) < torch.tensor([[5], [3], [1]])
    expected = twin(x, src_key_padding_mask=~mask)
    close(encoder(x, mask)[mask], expected[mask])


def test_a_layer_is_what_the_encoder_has():
    encoder = TransformerEncoder(1, SIZE, 2, 16, norm_first=False)
    layer = TransformerEncoderLayer(SIZE, 2, 16, norm_first=False)
    layer.load_state_dict(encoder.layers[0].state_dict())
    x = torch.randn(3, 5, SIZE)
    assert torch.equal(layer(x), encoder(x))


@pytest.mark.parametrize("norm_first", [True, False])
def test_padding_changes_nothing(norm_first):
    encoder = TransformerEncoder(2, SIZE, 2, 16, norm_first=norm_first)
    x = torch.randn(2, 6, SIZE)
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    expected = encoder(x[1:, :4])
    x[1, 4:] = 100
    close(encoder(x, mask)[1:, :4], expected)


@pytest.mark.parametrize("norm_first", [True, False])
def test_a_sequence_of_padding_alone(norm_first):
    encoder = TransformerEncoder(2, SIZE, 2, 16, norm_first=norm_first)
    x = torch.randn(2, 3, SIZE)
    mask = torch.tensor([[True] * 3, [False] * 3])
    memory = encoder(x, mask)
    memory.square().sum().backward()
    assert torch.isfinite(memory).all()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())


def test_dropout_is_for_training():
    encoder = TransformerEncoder(1, SIZE, 2, 16, dropout=0.3)
    x = torch.randn(2, 3, SIZE)
    assert not torch.equal(encoder(x), encoder(x))
    shares = [m.p for m in encoder.modules() if isinstance(m, Dropout)]
    # Of each layer: weights, hidden values, and each sum.
    assert shares == [0.3] * 4
    encoder.eval()
    assert torch.equal(encoder(x), encoder(x))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_layers": 0}, "n_layers=0; expected a positive integer"),
        ({"model_size": 9}, "n_heads=2 does not divide model_size=9"),
        ({"feed_forward_size": 0}, "feed_forward_size=0; expected a positive integer"),
        ({"dropout": 2}, r"dropout=2; expected a number in \[0, 1\)"),
        ({"activation": "elu"}, "activation='elu'; expected one of 'relu', 'gelu'"),
    ],
)
def test_wrong_parameters(parameters, message):
    right = {"n_layers": 1, "model_size": 8, "n_heads": 2, "feed_forward_size": 16}
    with pytest.raises(ValueError, match=message):
        TransformerEncoder(**(right | parameters))


def test_wrong_shapes():
    encoder = TransformerEncoder(1, SIZE, 2, 16)
    with pytest.raises(ValueError, match=r"x has the shape \(2, 3, 7\); expected \(n_"):
        encoder(torch.rand(2, 3, 7))
    with pytest.raises(ValueError, match=r"mask has the shape \(2, 4\); expected \(2"):
        encoder(torch.rand(2, 3, SIZE), torch.ones(2, 4, dtype=torch.bool))
