"""The decoder of a Transformer: against torch, and with a cache against itself."""

import pytest
import torch
from numpy.testing import assert_allclose

from skml.neural.modules import Dropout, TransformerDecoder, TransformerDecoderLayer
from tests.neural.modules.twins import close, copy_attention, copy_modules, shake

SIZE, N_MEMORY = 8, 4
STYLES = [(norm, act) for norm in (True, False) for act in ("relu", "gelu")]


def make(norm_first=True, activation="relu", **parameters):
    """A decoder with biases and norms as after training."""
    decoder = TransformerDecoder(
        2, SIZE, 2, 16, norm_first=norm_first, activation=activation, **parameters
    )
    return shake(decoder)


def data(n_positions=6):
    """Targets, memory, and a mask of the memory."""
    mask = torch.arange(N_MEMORY) < torch.tensor([[4], [2], [1]])
    return torch.randn(3, n_positions, SIZE), torch.randn(3, N_MEMORY, SIZE), mask


def copy_to_torch(decoder, norm_first, activation):
    """PyTorch's own decoder, with the same weights."""
    layer = torch.nn.TransformerDecoderLayer(
        SIZE, 2, 16, 0.0, activation, batch_first=True, norm_first=norm_first
    )
    norm = torch.nn.LayerNorm(SIZE) if norm_first else None
    twin = torch.nn.TransformerDecoder(layer, len(decoder.layers), norm=norm)
    for ours, theirs in zip(decoder.layers, twin.layers, strict=True):
        copy_attention(ours.self_attention, theirs.self_attn)
        copy_attention(ours.memory_attention, theirs.multihead_attn)
        copy_modules(
            (ours.self_residual.norm, theirs.norm1),
            (ours.memory_residual.norm, theirs.norm2),
            (ours.feed_forward_residual.norm, theirs.norm3),
            (ours.feed_forward[0], theirs.linear1),
            (ours.feed_forward[3], theirs.linear2),
        )
    if norm_first:
        copy_modules((decoder.norm, twin.norm))
    return twin


@pytest.mark.parametrize(("norm_first", "activation"), STYLES)
def test_it_is_that_of_torch(norm_first, activation):
    decoder = make(norm_first, activation)
    twin = copy_to_torch(decoder, norm_first, activation)
    y, memory, mask = data()
    later = torch.ones(6, 6, dtype=torch.bool).triu(1)
    close(decoder(y, memory), twin(y, memory, tgt_mask=later))
    expected = twin(y, memory, tgt_mask=later, memory_key_padding_mask=~mask)
    close(decoder(y, memory, mask), expected)


def test_weights_are_those_over_the_memory():
    decoder = make()
    y, memory, mask = data()
    features, weights = decoder(y, memory, mask, return_weights=True)
    close(features, decoder(y, memory, mask))
    assert isinstance(weights, tuple)
    assert len(weights) == 2
    for of_layer in weights:
        assert of_layer.shape == (3, 2, 6, N_MEMORY)
        close(of_layer.sum(dim=-1), torch.ones(3, 2, 6))
        assert (of_layer.movedim(3, 1)[~mask] == 0).all()
    # The first layer's are those of the queries that the first layer makes.
    layer = decoder.layers[0]
    seen = layer.self_residual.prepare(y)
    own = layer.self_residual(y, layer.self_attention(seen, is_causal=True))
    _, expected = layer.memory_attention(
        layer.memory_residual.prepare(own), memory, mask=mask, return_weights=True
    )
    assert torch.equal(weights[0], expected)


def test_no_position_sees_a_later_one():
    decoder = make()
    y, memory, mask = data()
    changed = y.clone()
    changed[:, 3:] = torch.randn(3, 3, SIZE)
    before, after = decoder(y, memory, mask), decoder(changed, memory, mask)
    close(before[:, :3], after[:, :3], atol=1e-6)
    assert (before[:, 3:] - after[:, 3:]).abs().max() > 0.1


def test_padding_of_the_memory_changes_nothing():
    decoder = make()
    y, memory, mask = data()
    expected = decoder(y[1:2], memory[1:2, :2])
    memory[~mask] = 100
    close(decoder(y, memory, mask)[1:2], expected)


def test_a_memory_of_padding_alone():
    decoder = make()
    y, memory, mask = data()
    mask[1] = False
    features = decoder(y, memory, mask)
    features.square().sum().backward()
    assert torch.isfinite(features).all()
    assert all(torch.isfinite(p.grad).all() for p in decoder.parameters())


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("return_weights", [False, True])
@pytest.mark.parametrize("steps", [[1] * 20, [5, 1, 10, 4], [20]])
def test_a_cache_changes_nothing(norm_first, return_weights, steps):
    decoder = make(norm_first)
    y, memory, mask = data(n_positions=20)
    expected, expected_weights = decoder(y, memory, mask, return_weights=True)
    cache = decoder.new_cache(memory, mask)
    assert len(cache) == 0
    found, start = [], 0
    with torch.no_grad():
        for n_new in steps:
            end = start + n_new
            step = decoder(y[:, start:end], cache=cache, return_weights=return_weights)
            if return_weights:
                step, weights = step
                close(weights[1], expected_weights[1][:, :, start:end])
            found.append(step)
            start = end
            assert len(cache) == end
    close(torch.cat(found, dim=1), expected)


def test_gradients_with_a_cache_are_those_without():
    decoder = make()
    y, memory, mask = data()
    decoder(y, memory, mask).square().sum().backward()
    expected = [p.grad.clone() for p in decoder.parameters()]
    decoder.zero_grad()
    cache = decoder.new_cache(memory, mask)
    steps = [decoder(y[:, [t]], cache=cache) for t in range(6)]
    torch.cat(steps, dim=1).square().sum().backward()
    for parameter, gradient in zip(decoder.parameters(), expected, strict=True):
        assert_allclose(parameter.grad, gradient, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_reordered_sequences_go_on():
    decoder = make()
    y, memory, mask = data()
    index = torch.tensor([2, 2, 0, 1])
    expected = decoder(y[index], memory[index], mask[index])[:, 4:]
    cache = decoder.new_cache(memory, mask)
    decoder(y[:, :4], cache=cache)
    cache.reorder(index)
    close(decoder(y[index, 4:], cache=cache), expected)


@torch.inference_mode()
def test_hypotheses_of_one_memory_change_places():
    """As in a beam: the memory need not be copied."""
    decoder = make()
    y, memory, _ = data()
    memory = memory[:1].expand(3, -1, -1)
    index = torch.tensor([2, 2, 0])
    expected = decoder(y[index], memory)[:, 4:]
    cache = decoder.new_cache(memory)
    decoder(y[:, :4], cache=cache)
    cache.reorder(index, with_memory=False)
    close(decoder(y[index, 4:], cache=cache), expected)


def test_a_layer_is_what_the_decoder_has():
    decoder = TransformerDecoder(1, SIZE, 2, 16, norm_first=False)
    layer = TransformerDecoderLayer(SIZE, 2, 16, norm_first=False)
    layer.load_state_dict(decoder.layers[0].state_dict())
    y, memory, mask = data()
    expected = decoder(y, memory, mask)
    assert torch.equal(layer(y, memory, mask), expected)
    cache = layer.new_cache(memory)
    steps = [layer(y[:, [t]], None, mask, cache=cache) for t in range(6)]
    close(torch.cat(steps, dim=1), expected)


def test_dropout_is_for_training():
    decoder = make(dropout=0.3)
    y, memory, mask = data()
    assert not torch.equal(decoder(y, memory, mask), decoder(y, memory, mask))
    shares = [m.p for m in decoder.modules() if isinstance(m, Dropout)]
    # Of each layer: weights, hidden values, and each sum.
    assert shares == [0.3] * 2 * 6
    decoder.eval()
    assert torch.equal(decoder(y, memory, mask), decoder(y, memory, mask))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_layers": 0}, "n_layers=0; expected a positive integer"),
        ({"model_size": 9}, "n_heads=2 does not divide model_size=9"),
        ({"activation": "elu"}, "activation='elu'; expected one of 'relu', 'gelu'"),
    ],
)
def test_wrong_parameters(parameters, message):
    right = {"n_layers": 1, "model_size": 8, "n_heads": 2, "feed_forward_size": 16}
    with pytest.raises(ValueError, match=message):
        TransformerDecoder(**(right | parameters))


def test_wrong_input():
    decoder = make()
    y, memory, mask = data()
    cache = decoder.new_cache(memory, mask)
    with pytest.raises(ValueError, match="Neither a memory nor a cache is given"):
        decoder(y)
    with pytest.raises(ValueError, match="cache has the memory already; expected mem"):
        decoder(y, memory, cache=cache)
    with pytest.raises(ValueError, match="cache has the memory_mask; expected None"):
        decoder(y, memory_mask=mask, cache=cache)
    with pytest.raises(ValueError, match=r"y has the shape \(3, 6, 7\); expected \(n_"):
        decoder(y[..., :7], memory)
    with pytest.raises(ValueError, match="queries of 3 sequences, and keys of 1"):
        decoder(y, memory[:1])
    with pytest.raises(ValueError, match=r"mask has the shape \(3, 6\); expected \(3"):
        decoder(y, memory, torch.ones(3, 6, dtype=torch.bool))
